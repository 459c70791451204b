"""The common form of Theorems 1 to 3, and where it says more than IIR >= 1.

Each theorem bounds the expected imbalance of FCFS from below by ``c G sigma sqrt(B ln G)`` and that
of BF-IO from above by ``(G-1) w``; the ratio of the two bounds the improvement IIR from below.

======= ============================================ ==========================
theorem ``sigma``                                    ``w``
======= ============================================ ==========================
1       standard deviation of the sizes              ``s_max``, or ``b - a``
2       that of a slot's load, in stationarity       ``s_max / p``
3       that of the sizes                            ``s_max + max drift / p``
======= ============================================ ==========================

``w`` in Theorem 3 bounds the mean load at departure; at drift 1 it is at most twice Theorem 2's,
at drift 0 it is Theorem 1's.  The paper's constants could not be recovered: ``c`` stands for the
constant of the FCFS side (:mod:`theory.formulas.constants`) and BF-IO's is 1.

:func:`fcfs_bound`, :func:`bfio_bound`, :func:`iir_bound` and :func:`slots_edge` take any number
type (:mod:`theory.elementary`): floats, balls throughout, or sympy symbols, which gives
the formula of the claim.  :func:`iir_enclosure` and :func:`first_formula_slots` evaluate them
rigorously at rational arguments.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from flint import arb, ctx

from theory.elementary import log, sqrt
from theory.formulas.constants import FCFS_ROUNDED
from theory.formulas.fcfs import log_growth_form, log_growth_square
from theory.formulas.step import full_refill_bound
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


def fcfs_bound(workers: Any, slots: Any, sigma: Any, c: Any) -> Any:
    """``c G sigma sqrt(B ln G)``, the lower bound of FCFS's expected imbalance.

    Examples
    --------
    >>> import sympy
    >>> fcfs_bound(*sympy.symbols("G B sigma c", positive=True))
    sqrt(B)*G*c*sigma*sqrt(log(G))
    """
    return c * workers * sigma * sqrt(slots * log(workers))


def bfio_bound(workers: Any, width: Any) -> Any:
    """``(G-1) w``, the upper bound of BF-IO's expected imbalance.

    Examples
    --------
    Three workers, sizes up to 10, mean output length 5, growth 1 or 3 a step: Theorems 2 and 3.

    >>> p = Fraction(1, 5)
    >>> bfio_bound(3, 10 / p), bfio_bound(3, 10 + 1 / p), bfio_bound(3, 10 + 3 / p)
    (Fraction(100, 1), Fraction(30, 1), Fraction(50, 1))
    """
    return (workers - 1) * width


def iir_bound(workers: Any, slots: Any, sigma: Any, width: Any, c: Any) -> Any:
    """``c (sigma / w) sqrt(B ln G) G/(G-1)``, the lower bound of IIR."""
    return fcfs_bound(workers, slots, sigma, c) / bfio_bound(workers, width)


def slots_edge(workers: Any, sigma: Any, width: Any, c: Any) -> Any:
    """The real ``B`` at which :func:`iir_bound` is 1: ``((G-1) w / (c G sigma))^2 / ln G``."""
    return (bfio_bound(workers, width) / (c * workers * sigma)) ** 2 / log(workers)


def iir_enclosure(
    workers: int,
    slots: int,
    variance: Enclosure | Fraction,
    width: Fraction | int,
    c: Fraction = FCFS_ROUNDED,
) -> Enclosure:
    """:func:`iir_bound`, enclosed.

    Parameters
    ----------
    workers, slots : int
        ``G >= 2`` and ``B >= 1``.
    variance : Enclosure or Fraction
        ``sigma^2``; for Theorem 1 in the paper's form, ``kappa0^2`` at width 1.
    width : Fraction or int
        ``w > 0``.
    c : Fraction
        Constant of the FCFS side.

    Raises
    ------
    InputError
        If ``G < 2``, ``B < 1`` or ``w <= 0``.
    """
    if workers < 2 or slots < 1 or width <= 0:
        raise InputError(
            f"need G >= 2, B >= 1 and w > 0, got G = {workers}, B = {slots}, w = {width}"
        )
    if not isinstance(variance, Enclosure):
        variance = Enclosure.exactly(variance)

    def value(square: Fraction) -> Enclosure:
        G, B, w, constant = (to_ball(number) for number in (workers, slots, width, c))
        return from_ball(iir_bound(G, B, to_ball(square).sqrt(), w, constant))

    with ctx.workprec(PRECISION):
        return Enclosure(value(variance.lower).lower, value(variance.upper).upper)


def first_formula_slots(
    workers: int, width: Fraction | int, variance: Fraction, c: Fraction = FCFS_ROUNDED
) -> int:
    """The smallest ``B`` at which :func:`iir_bound` exceeds 1 [vacuity.edge].

    Parameters
    ----------
    workers : int
        ``G >= 2``.
    width : Fraction or int
        ``w``, times the ratio to exceed where that is not 1.
    variance : Fraction
        ``sigma^2``.
    c : Fraction
        Constant of the FCFS side.

    Raises
    ------
    InputError
        If ``G < 2`` or another argument is not positive.

    Examples
    --------
    ``(12 / (1/2 * 2 * 2))^2 / ln 2 = 36 / 0.693 = 51.9``:

    >>> first_formula_slots(2, 12, Fraction(4), Fraction(1, 2))
    52
    """
    if workers < 2 or width <= 0 or variance <= 0 or c <= 0:
        raise InputError("need G >= 2 and a width, a variance and a constant > 0")
    with ctx.workprec(PRECISION):
        G, w, constant = (to_ball(number) for number in (workers, width, c))
        # ln G is irrational, so the edge is no integer and both its ends have one floor.
        edge = from_ball(slots_edge(G, to_ball(variance).sqrt(), w, constant))
    return int(edge.lower) + 1


def certified_ratio(sizes: Law, workers: int, slots: int) -> Enclosure:
    """A lower bound of IIR for equal output lengths: exact ``E[Imb(FCFS)]`` over ``(G-1)(b-a)``.

    Raises
    ------
    InputError
        If ``G < 2`` or the sizes are constant: both imbalances are zero.

    Notes
    -----
    Source: [warmup.theorem-1].

    Examples
    --------
    Sizes 1 or 3 at equal odds, two workers of one slot: ``E|L_1 - L_2| = 1`` over 2.

    >>> law = Law.of({1: Fraction(1, 2), 3: Fraction(1, 2)})
    >>> str(certified_ratio(law, 2, 1))
    '1/2'
    """
    return expected_imbalance(sizes, workers, slots).imbalance * Fraction(1, _gap(sizes, workers))


def _gap(sizes: Law, workers: int) -> int:
    """``(G-1)(b-a)``, refused where it is zero."""
    gap = full_refill_bound(workers, sizes.offset, sizes.bound)
    if gap == 0:
        raise InputError("the ratio needs at least 2 workers and sizes that differ")
    return gap


def explicit_ratio(
    workers: Any, k: Any, n: Any, variance: Any, kurtosis: Any, a: Any, b: Any
) -> Any:
    """``[k/(b-a)] sigma sqrt(n / (6 + (kappa-3)/n)) G/(G-1)``, of any number type.

    FCFS's explicit bound :func:`theory.formulas.fcfs.log_growth_form` over ``(G-1)(b-a)``.
    """
    return sqrt(log_growth_form(workers, k, n, variance, kurtosis)) / full_refill_bound(
        workers, a, b
    )


def explicit_ratio_square(sizes: Law, workers: int, slots: int) -> Fraction:
    """Square of the explicit lower bound of IIR for equal output lengths, ``B >= floor(log2 G)``.

    Parameters
    ----------
    sizes : Law
        Exact law of the sizes.
    workers, slots : int
        ``G >= 2`` and ``B >= k = floor(log2 G)``; ``n = floor(B/k)`` in :func:`explicit_ratio`.

    Raises
    ------
    InputError
        If there are too few workers or slots, or the sizes are constant.

    Notes
    -----
    Source: [warmup.theorem-1].

    Examples
    --------
    Sizes 1 or 3 at equal odds, two workers of one slot: ``k = n = kappa = sigma = 1``, so that
    ``(1/2) sqrt(1/4) 2 = 1/2``, which is the exact ratio as well.

    >>> explicit_ratio_square(Law.of({1: Fraction(1, 2), 3: Fraction(1, 2)}), 2, 1)
    Fraction(1, 4)
    """
    fourth = sizes.moment(4, sizes.mean.lower).lower
    square = log_growth_square(sizes.variance.lower, fourth, workers, slots)
    return square / _gap(sizes, workers) ** 2


def paper_ratio(sizes: Law, workers: int, slots: int) -> Enclosure:
    """Theorem 1 as the paper writes it, ``c kappa0 sqrt(B ln G) G/(G-1)``, with a proved ``c``.

    ``c = 2/(3 sqrt(ln 2 (3 + max(3, kappa))))`` of the law's kurtosis [fcfs.log-growth].

    Parameters
    ----------
    sizes : Law
        Exact law of the sizes; they must differ.
    workers, slots : int
        ``G >= 2`` and ``B >= 1``.

    Notes
    -----
    Source: [warmup.theorem-1].
    """
    variance = sizes.variance.lower
    kurtosis = sizes.moment(4, sizes.mean.lower).lower / variance**2
    with ctx.workprec(PRECISION):
        c = 2 / (3 * (arb(2).log() * to_ball(3 + max(Fraction(3), kurtosis))).sqrt())
        G, B, b = (to_ball(number) for number in (workers, slots, sizes.bound))
        return from_ball(iir_bound(G, B, to_ball(variance).sqrt(), b, c))


def kappa0(sizes: Law) -> Enclosure:
    """``kappa0 = sigma_s / s_max``.

    Examples
    --------
    Sizes 1 or 3 at equal odds have ``sigma_s = 1``:

    >>> Fraction(1, 3) in kappa0(Law.of({1: Fraction(1, 2), 3: Fraction(1, 2)}))
    True
    """
    variance = sizes.variance
    low, high = square_root(variance.lower), square_root(variance.upper)
    return Enclosure(low.lower / sizes.bound, high.upper / sizes.bound)


def first_slots(says_more: Callable[[int], bool], limit: int = SLOTS_LIMIT) -> int | None:
    """The smallest ``B`` at which a bound says more than nothing, or None up to the limit.

    Parameters
    ----------
    says_more : callable
        Whether the bound says more at ``B``; must be monotone, as the bounds of Theorems 1 to 3
        are: ``E[max_g L_g] - B E[X]`` cannot fall when a slot is added to every worker.
    limit : int
        Largest ``B`` tried.

    Examples
    --------
    >>> first_slots(lambda slots: slots**2 > 1000)
    32
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
