"""Geometric output lengths: a slot's moments, deviations, the frontier of balance, fit."""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, log
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory.elementary import exp
from theory.formulas.rebalancing import age_squares
from theory.laws.law import Enclosure, Law
from theory.model import InputError, IntArray


def age_moments(p: Any) -> tuple[Any, Any]:
    """Variance and fourth central moment of the age of a request, ``P(A = t) = p (1-p)^t``.

    ``(1-p)/p^2`` and ``(1-p)(p^2 - 9p + 9)/p^4``, for ``p`` of any number type or a symbol.

    Examples
    --------
    At ``p = 1/2`` the moments ``E[A^k]`` are 1, 3, 13, 75: ``3 - 1`` and ``75 - 52 + 18 - 3``.

    >>> age_moments(Fraction(1, 2))
    (Fraction(2, 1), Fraction(38, 1))
    """
    return (1 - p) / p**2, (1 - p) * (p**2 - 9 * p + 9) / p**4


def slot_moments(variance: Any, fourth: Any, p: Any) -> tuple[Any, Any]:
    """Variance and fourth central moment of a slot's load, size plus age, from those of the sizes.

    ``sigma_s^2 + (1-p)/p^2`` and ``mu_4(s) + 6 sigma_s^2 (1-p)/p^2 + (1-p)(p^2 - 9p + 9)/p^4``, of
    any number type or symbols [geometric.fcfs-lower].

    Examples
    --------
    Sizes 1 or 3 at equal odds have the moments 1 and 1, an age at ``p = 1/2`` has 2 and 38:

    >>> slot_moments(1, 1, Fraction(1, 2))
    (Fraction(3, 1), Fraction(51, 1))
    """
    spread, age4 = age_moments(p)
    return variance + spread, fourth + 6 * variance * spread + age4


def age_kurtosis(p: Any) -> Any:
    """``9 + p^2/(1-p)``, the kurtosis of :func:`age_moments`, for ``0 < p < 1``.

    Examples
    --------
    ``38 / 2^2`` at ``p = 1/2``:

    >>> age_kurtosis(Fraction(1, 2))
    Fraction(19, 2)
    """
    return 9 + p**2 / (1 - p)


def slot_kurtosis(variance: Any, kurtosis: Any, p: Any) -> Any:
    """Kurtosis of a slot's load, size plus age, from variance and kurtosis of the sizes.

    ``3 + ((kappa_s - 3) sigma_s^4 + (6 + p^2/(1-p)) v^2) / (sigma_s^2 + v)^2`` with
    ``v = (1-p)/p^2``, of any number type or symbols, for ``0 < p < 1``.  Sizes that do not vary
    have the variance 0, and any number for their kurtosis.  Source: [geometric.fcfs-log-growth].

    Examples
    --------
    Sizes 1 or 3 at equal odds and ``p = 1/2``: ``51 / 3^2``, as in :func:`slot_moments`.

    >>> slot_kurtosis(1, 1, Fraction(1, 2))
    Fraction(17, 3)
    """
    spread = age_moments(p)[0]
    excess = (kurtosis - 3) * variance**2 + (age_kurtosis(p) - 3) * spread**2
    return 3 + excess / (variance + spread) ** 2


def slot_variance(sizes: Law, p: Fraction) -> Enclosure:
    """``sigma_X^2 = sigma_s^2 + (1-p)/p^2``, because size and age are independent.

    Examples
    --------
    Sizes 1 to 3 have the variance 2/3, an age at ``p = 1/2`` has 2:

    >>> str(slot_variance(Law.uniform(1, 3), Fraction(1, 2)))
    '8/3'
    """
    return sizes.variance + Enclosure.exactly(age_moments(p)[0])


def slot_fourth_moment(sizes: Law, p: Fraction) -> Fraction:
    """The fourth central moment of :func:`slot_moments`, for an exact law of sizes."""
    own = sizes.moment(4, sizes.mean.lower).lower
    fourth: Fraction = slot_moments(sizes.variance.lower, own, p)[1]
    return fourth


def deviations_exponent(p: Any, s: Any, r: Any, theta: Any) -> Any:
    """``p (1-p) s (e^(theta r) - 1 - theta r) / r^2``: Bennett's exponent at ``theta > 0``.

    Bounds the logarithm of ``E exp(theta (X_g + Y_h))`` for two workers
    [geometric.deviations-tail], in any number type of :mod:`theory.elementary`.
    """
    return p * (1 - p) * s * (exp(theta * r) - 1 - theta * r) / r**2


def deviations_bound_at(G: Any, B: Any, p: Any, delta: Any, s: Any, r: Any, theta: Any) -> Any:
    """Bound of ``E sum_g (X_g + max_h Y_h - B p delta)^+`` by :func:`deviations_exponent`.

    ``G (G-1) / theta exp(exponent - theta B p delta - 1)``, for every ``theta > 0``.
    """
    exponent = deviations_exponent(p, s, r, theta) - theta * B * p * delta - 1
    return G * (G - 1) / theta * exp(exponent)


def deviations_bound(G: Any, B: Any, p: Any, delta: Any, s: Any, r: Any) -> Any:
    """Bernstein's bound of ``E sum_g (X_g + max_h Y_h - B p delta)^+``.

    ``G (G-1) D / (B delta) exp(-p (B delta)^2 / (2 D) - 1)`` with ``D = (1-p) s + r B delta / 3``:
    that of :func:`deviations_bound_at` at ``theta = B delta / D``, with ``e^x - 1 - x`` at most
    ``x^2 / (2 (1 - x/3))``.

    Parameters
    ----------
    G, B, p, delta
        Workers, slots, probability to depart, spacing of the two sizes ``x`` and ``x + delta``.
    s, r
        Of the loads ``w``: a bound of the sum of ``(w - x - delta)^2`` on one worker and of ``(w -
        x)^2`` on another, and one of ``|w - x - delta|`` and ``|w - x|``.

    Examples
    --------
    One worker lacks nothing; with B p delta^2 large against the squares nothing is left:

    >>> deviations_bound(1, 100, 0.5, 2, 50.0, 1.0)
    0.0
    >>> deviations_bound(2, 100, 0.5, 10, 5000.0, 10.0) < 1e-10
    True
    """
    width = (1 - p) * s + r * B * delta / 3
    return G * (G - 1) * width / (B * delta) * exp(-p * (B * delta) ** 2 / (2 * width) - 1)


def frontier_edge(workers: int, p: float, width: int) -> float:
    """``m ln G / (p (b-a)^2)``, the lower edge of the frontier of balance [threshold.frontier].

    Parameters
    ----------
    workers : int
        ``G >= 2``.
    p : float
        Parameter of the geometric lengths.
    width : int
        ``b - a >= 1``.

    Raises
    ------
    InputError
        If ``G`` or the width is too small.

    Notes
    -----
    ``m`` is the average of the two squares of :func:`theory.formulas.rebalancing.age_squares`.
    """
    if workers < 2 or width < 1:
        raise InputError(f"need G >= 2 and b - a >= 1, got G = {workers}, b - a = {width}")
    m = sum(age_squares(p, width)) / 2
    return m * log(workers) / (p * width**2)


def frontier_slots(workers: int, p: float, width: int) -> int:
    """Slots above which a myopic step can hold the balance: 8 times the edge, rounded up."""
    return ceil(8 * frontier_edge(workers, p, width))


def edge_slots(workers: int, p: float, width: int) -> int:
    """:func:`frontier_edge`, rounded up."""
    return ceil(frontier_edge(workers, p, width))


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
