"""FCFS in numbers: the worst imbalance, and the growth with the workers."""

from fractions import Fraction
from typing import Any

from theory.formulas.step import full_refill_bound
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
