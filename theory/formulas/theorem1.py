"""Theorem 1 in numbers: the certificate, the form of the paper, and where each says more."""

from collections.abc import Callable
from fractions import Fraction

from flint import arb, ctx

from theory.laws.fcfs_expectation import (
    PRECISION,
    expected_imbalance,
    from_ball,
    square_root,
    to_ball,
)
from theory.laws.law import Enclosure, Law
from theory.model import InputError

# The largest number of slots that a search for a non-vacuous bound looks at.
SLOTS_LIMIT = 2**40


def refill_gap(workers: int, a: int, b: int) -> int:
    """``(G-1)(b-a)``: no optimal full refill leaves more imbalance [warmup.bfio-upper]."""
    return (workers - 1) * (b - a)


def certified_ratio(sizes: Law, workers: int, slots: int) -> Enclosure:
    """A lower bound of IIR at this ``(G, B)``: exact ``E[FCFS]`` over ``(G-1)(b-a)``.

    Raises
    ------
    InputError
        If ``G < 2`` or the sizes are constant: both imbalances are zero.
    """
    gap = refill_gap(workers, sizes.offset, sizes.bound)
    if gap == 0:
        raise InputError("the ratio needs at least 2 workers and sizes that differ")
    return expected_imbalance(sizes, workers, slots).imbalance * Fraction(1, gap)


def paper_ratio(kappa: float | Fraction, workers: int, slots: int, c: Fraction) -> float:
    """``c kappa0 sqrt(B ln G) G/(G-1)``, Theorem 1's lower bound of IIR."""
    if workers < 2 or slots < 1:
        raise InputError(f"need G >= 2 and B >= 1, got G = {workers}, B = {slots}")
    with ctx.workprec(PRECISION):
        root = float((slots * arb(workers).log()).sqrt())
    return float(c) * float(kappa) * root * workers / (workers - 1)


def kappa0(sizes: Law) -> Enclosure:
    """``kappa0 = sigma_s / s_max``."""
    variance = sizes.variance
    low, high = square_root(variance.lower), square_root(variance.upper)
    return Enclosure(low.lower / sizes.bound, high.upper / sizes.bound)


def first_slots(says_more: Callable[[int], bool], limit: int = SLOTS_LIMIT) -> int | None:
    """The smallest ``B`` at which a bound says more than ratio >= 1, or None up to the limit.

    Parameters
    ----------
    says_more : callable
        Whether the bound exceeds 1 at ``B``; must be monotone, as the bounds of Theorems 1 to 3
        are: ``E[max_g L_g] - B E[X]`` cannot fall when a slot is added to every worker.
    limit : int
        Largest ``B`` tried.
    """
    high = 1
    while not says_more(high):
        if high >= limit:
            return None
        high = min(2 * high, limit)
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        if says_more(middle):
            high = middle
        else:
            low = middle
    return high


def first_certified_slots(sizes: Law, workers: int, limit: int = 2**14) -> int | None:
    """The smallest ``B`` at which :func:`certified_ratio` exceeds 1, or None up to the limit.

    One point of the non-vacuity map of Theorem 1.
    """
    return first_slots(lambda slots: certified_ratio(sizes, workers, slots).lower > 1, limit)


def first_paper_slots(kappa: Fraction, workers: int, c: Fraction) -> int:
    """The smallest ``B`` at which :func:`paper_ratio` exceeds 1, in closed form.

    ``B > ((G-1) / (c kappa0 G))^2 / ln G``.
    """
    if workers < 2 or kappa <= 0 or c <= 0:
        raise InputError("need G >= 2, kappa0 > 0 and c > 0")
    with ctx.workprec(PRECISION):
        edge = (to_ball(Fraction(workers - 1) / (c * kappa * workers))) ** 2 / arb(workers).log()
        return int(from_ball(edge).upper) + 1
