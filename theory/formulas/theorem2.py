"""Theorem 2 in numbers: the law of a slot, the form of the paper, the frontier of balance."""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, log

import numpy as np
from flint import arb, ctx
from numpy.typing import ArrayLike

from theory.formulas.rebalancing import age_squares
from theory.laws.fcfs_expectation import PRECISION, from_ball, to_ball
from theory.laws.law import Enclosure, Law
from theory.model import InputError, IntArray


def slot_variance(sizes: Law, p: Fraction) -> Enclosure:
    """``sigma_X^2 = sigma_s^2 + (1-p)/p^2``: size and age are independent."""
    age = (1 - p) / p**2
    return sizes.variance + Enclosure(age, age)


def slot_fourth_moment(sizes: Law, p: Fraction) -> Fraction:
    """``mu_4(s) + 6 sigma_s^2 (1-p)/p^2 + (1-p)(p^2 - 9p + 9)/p^4``, for an exact law of sizes."""
    q, spread = 1 - p, sizes.variance.lower
    own = sizes.moment(4, sizes.mean.lower).lower
    return own + 6 * spread * q / p**2 + q * (p**2 - 9 * p + 9) / p**4


def bfio_bound(workers: int, largest: int, p: Fraction) -> Fraction:
    """``(G-1) s_max / p``, the paper's bound of BF-IO's imbalance, without its constant."""
    return (workers - 1) * largest / Fraction(p)


def paper_ratio(sizes: Law, p: Fraction, workers: int, slots: int, c: Fraction) -> Enclosure:
    """``c (p/s_max) sigma_X sqrt(B ln G) G/(G-1)``, Theorem 2's lower bound of IIR.

    Raises
    ------
    InputError
        If ``G < 2`` or ``B < 1``.
    """
    if workers < 2 or slots < 1:
        raise InputError(f"need G >= 2 and B >= 1, got G = {workers}, B = {slots}")
    variance = slot_variance(sizes, p)
    with ctx.workprec(PRECISION):
        scale = slots * arb(workers).log()
        low = from_ball((to_ball(variance.lower) * scale).sqrt()).lower
        high = from_ball((to_ball(variance.upper) * scale).sqrt()).upper
    return Enclosure(low, high) * (c * p / sizes.bound * Fraction(workers, workers - 1))


def first_paper_slots(sizes: Law, p: Fraction, workers: int, c: Fraction) -> int:
    """The smallest ``B`` at which :func:`paper_ratio` exceeds 1: the non-vacuity map.

    ``B > ((G-1) s_max / (c p G))^2 / (sigma_X^2 ln G)``.
    """
    if workers < 2 or c <= 0:
        raise InputError("need G >= 2 and c > 0")
    variance = slot_variance(sizes, p).upper
    if variance == 0:
        raise InputError("the loads do not vary: equal sizes and p = 1")
    edge = (Fraction(workers - 1, workers) * sizes.bound / (c * p)) ** 2 / variance
    with ctx.workprec(PRECISION):
        return int(from_ball(to_ball(edge) / arb(workers).log()).lower) + 1


def frontier_slots(workers: int, p: float, width: int) -> int:
    """Slots above which a myopic step can hold the balance: ``8 m ln G / (p (b-a)^2)``.

    ``m`` is the mean square of :func:`theory.formulas.rebalancing.age_squares`
    [threshold.frontier].
    """
    if workers < 2 or width < 1:
        raise InputError(f"need G >= 2 and b - a >= 1, got G = {workers}, b - a = {width}")
    m = sum(age_squares(p, width)) / 2
    edge: float = 8 * m * log(workers) / (p * width**2)
    return ceil(edge)


def edge_slots(workers: int, p: float, width: int) -> int:
    """The lower edge of the frontier: ``m ln G / (p (b-a)^2)`` rounded up [threshold.frontier]."""
    return ceil(frontier_slots(workers, p, width) / 8)


def distances_to_geometric(lengths: ArrayLike, candidates: Sequence[float]) -> list[float]:
    """Kolmogorov-Smirnov distances of a sample of lengths to geometric laws.

    Parameters
    ----------
    lengths : int[N]
        Output lengths, ``>= 1``.
    candidates : sequence of float
        Their ``p``.
    """
    values, counts = _counted(lengths)
    here = np.cumsum(counts) / counts.sum()
    before = np.concatenate(([0.0], here[:-1]))
    # Between two sampled values the sample's function is flat and the geometric one grows.
    return [
        float(
            max(
                abs(here - (1 - (1 - p) ** values)).max(),
                abs(before - (1 - (1 - p) ** (values - 1))).max(),
            )
        )
        for p in candidates
    ]


def _counted(lengths: ArrayLike) -> tuple[IntArray, IntArray]:
    """The lengths of a sample, ascending, and how often each occurs."""
    values, counts = np.unique(np.asarray(lengths), return_counts=True)
    if values.size == 0 or values[0] < 1:
        raise InputError("the distance needs a non-empty list of lengths >= 1")
    return values, counts


def distance_to_geometric(lengths: ArrayLike, p: float | None = None) -> float:
    """The distance to geometric(``p``), or to that of the same mean if None."""
    if p is None:
        values, counts = _counted(lengths)
        p = float(counts.sum() / (values * counts).sum())
    return distances_to_geometric(lengths, [p])[0]
