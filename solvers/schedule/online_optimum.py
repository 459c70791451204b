"""The best that any online policy can do in a small system, by dynamic programming over its states.

Every slot is filled at every step, each request departs with probability ``p`` after a step and
grows by 1 otherwise; the pool holds every size in ``[a, b]`` often enough.  A policy sees all loads
and no coin before it falls.  It is chosen for the imbalance of the last step alone.
"""

from fractions import Fraction
from functools import cache
from itertools import combinations_with_replacement, product

from theory.model import InputError, imbalance

Rows = tuple[tuple[int, ...], ...]


def least_expected_imbalance(
    workers: int, slots: int, p: Fraction, sizes: tuple[int, int], steps: int
) -> Fraction:
    """Least mean imbalance of the last step over all online policies, exactly.

    Parameters
    ----------
    workers, slots : int
        ``G`` and ``B``; all states of ``G B`` loads and all patterns of departures are tried.
    p : Fraction
        Probability to depart, ``0 <= p <= 1``.
    sizes : (int, int)
        Smallest and largest size.
    steps : int
        Steps after the first admission, at step 0.

    Raises
    ------
    InputError
        If an argument is out of range, or there are too many patterns.

    Examples
    --------
    Two workers of one slot, size 1: a load of 1 stands beside one of 2 where one departed.

    >>> least_expected_imbalance(2, 1, Fraction(1, 4), (1, 1), 1)
    Fraction(3, 8)
    """
    if not (workers >= 1 and slots >= 1 and 0 <= p <= 1 and 1 <= sizes[0] <= sizes[1]):
        raise InputError(
            f"need G, B >= 1, 0 <= p <= 1 and sizes 1 <= a <= b, got G = {workers}, B = {slots}, "
            f"p = {p}, sizes {sizes}"
        )
    if workers * slots > 6 or not 0 <= steps <= 8:
        raise InputError("every pattern is tried: at most 6 slots and 0 to 8 steps")
    offered = range(sizes[0], sizes[1] + 1)
    patterns = list(product(product((False, True), repeat=slots), repeat=workers))
    total = workers * slots

    @cache
    def admit(kept: Rows, free: tuple[int, ...], step: int) -> Fraction:
        """Before an admission."""
        choices = product(*(combinations_with_replacement(offered, c) for c in free))
        return min(
            serve(
                tuple(sorted(tuple(sorted(k + s)) for k, s in zip(kept, chosen, strict=True))), step
            )
            for chosen in choices
        )

    @cache
    def serve(rows: Rows, step: int) -> Fraction:
        """After an admission; workers, and the loads of each, in order."""
        if step == steps:
            return Fraction(imbalance([sum(row) for row in rows]))
        mean = Fraction(0)
        for gone in patterns:
            departed = sum(map(sum, gone))
            left = sorted(
                (tuple(w + 1 for w, out in zip(row, outs, strict=True) if not out), sum(outs))
                for row, outs in zip(rows, gone, strict=True)
            )
            chance = p**departed * (1 - p) ** (total - departed)
            kept, free = zip(*left, strict=True)
            mean += chance * admit(kept, free, step + 1)
        return mean

    return admit(((),) * workers, (slots,) * workers, 0)
