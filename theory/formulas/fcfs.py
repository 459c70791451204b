"""FCFS in numbers: the worst imbalance, and the growth with the workers."""

from fractions import Fraction
from typing import Any

from flint import ctx

from theory.formulas.step import full_refill_bound
from theory.laws.fcfs_expectation import PRECISION, from_ball, square_root
from theory.laws.law import Law
from theory.laws.order_statistics import central_norm
from theory.model import InputError


def worst_imbalance(workers: int, slots: int, a: int, b: int) -> int:
    """Largest imbalance of FCFS after a full refill, ``(G-1) B (b-a)`` [fcfs.worst-case].

    Raises
    ------
    InputError
        If ``G``, ``B`` or the range of sizes is out of range.

    Examples
    --------
    One worker is given the size 5 four times, two workers the size 1:

    >>> worst_imbalance(3, 4, 1, 5)
    32
    """
    if workers < 1 or slots < 1 or not 1 <= a <= b:
        raise InputError(
            f"need G >= 1, B >= 1 and 1 <= a <= b, got G = {workers}, B = {slots}, {a}..{b}"
        )
    return slots * full_refill_bound(workers, a, b)


def log_growth_form(workers: Any, k: Any, n: Any, variance: Any, kurtosis: Any) -> Any:
    """``(G k)^2 v n / (6 + (kappa-3)/n)``, of any number type; its root is the bound."""
    return (workers * k) ** 2 * variance * n / (6 + (kurtosis - 3) / n)


def log_growth_square(variance: Fraction, fourth: Fraction, workers: int, slots: int) -> Fraction:
    """Square of the lower bound of FCFS's ``E[Imb]``, ``(G k)^2 v n / (6 + (kappa-3)/n)``.

    An explicit form of Theorem 1's FCFS side for finite ``G`` and ``B`` [fcfs.log-growth].

    Parameters
    ----------
    variance, fourth : Fraction
        ``v > 0`` and the fourth central moment ``kappa v^2`` of a slot's load.
    workers, slots : int
        ``G >= 2`` and ``B >= k = floor(log2 G)``; ``n = floor(B/k)``.

    Raises
    ------
    InputError
        If there is only one worker, fewer than ``k`` slots, or the load does not vary.

    Examples
    --------
    Two workers of one slot, sizes 1 or 2 at equal odds: the variance is 1/4, the fourth moment
    1/16, and the bound 1/2 is the expectation itself.

    >>> log_growth_square(Fraction(1, 4), Fraction(1, 16), 2, 1)
    Fraction(1, 4)
    """
    k = workers.bit_length() - 1
    if k < 1 or slots < k or variance <= 0:
        raise InputError(
            f"need G >= 2, B >= floor(log2 G) and a load that varies, got G = {workers}, "
            f"B = {slots}, variance {variance}"
        )
    found: Fraction = log_growth_form(workers, k, slots // k, variance, fourth / variance**2)
    return found


def few_slots_square(variance: Fraction, fourth: Fraction, workers: int, slots: int) -> Fraction:
    """Square of the lower bound ``G B sigma / sqrt(3 + kappa)`` of FCFS's ``E[Imb]``.

    For fewer slots than [fcfs.log-growth] needs; no bound of the order ``G sigma sqrt(B ln G)``
    holds there [fcfs.few-slots].

    Parameters
    ----------
    variance, fourth : Fraction
        As in :func:`log_growth_square`.
    workers, slots : int
        ``G >= 2`` and ``1 <= B <= floor(log2 G)``.

    Raises
    ------
    InputError
        If there is only one worker, ``B`` is out of range, or the load does not vary.

    Examples
    --------
    Eight workers of two slots, sizes 1 or 2 at equal odds: ``8 * 2 * (1/2) / 2``.

    >>> few_slots_square(Fraction(1, 4), Fraction(1, 16), 8, 2)
    Fraction(16, 1)
    """
    if not 1 <= slots <= workers.bit_length() - 1 or variance <= 0:
        raise InputError(
            f"need G >= 2, 1 <= B <= floor(log2 G) and a load that varies, got G = {workers}, "
            f"B = {slots}, variance {variance}"
        )
    found: Fraction = log_growth_form(workers, slots, 1, variance, fourth / variance**2)
    return found


def explicit_bound(law: Law, workers: int, slots: int) -> Fraction:
    """The explicit lower bound of FCFS's ``E[Imb]`` for a law, rounded down.

    That of [fcfs.log-growth] from ``floor(log2 G)`` slots on, that of [fcfs.few-slots] below.

    Raises
    ------
    InputError
        If ``G < 2``, ``B < 1``, or the load may not vary.

    Examples
    --------
    Sizes 1 or 2 at equal odds, with enough slots and with too few:

    >>> fair = Law.uniform(1, 2)
    >>> float(explicit_bound(fair, 2, 1)), float(explicit_bound(fair, 8, 2))
    (0.5, 4.0)
    """
    with ctx.workprec(PRECISION):
        fourth = from_ball(central_norm(law, 4) ** 4).upper
    # Either bound rises with the variance and falls with the fourth moment.
    enough = slots >= workers.bit_length() - 1
    square = (log_growth_square if enough else few_slots_square)(
        law.variance.lower, fourth, workers, slots
    )
    return square_root(square).lower
