"""Departures from one step to the next: what they deviate from a share ``p`` of all load.

A worker holds requests of loads ``w``, the growth of the step included; ``xi = 1`` for one that
departs and 0 else.  Its free slots are then filled with sizes that a pool offers.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from theory.model import imbalance

Rows = Sequence[Sequence[int]]
Gone = Sequence[Sequence[bool]]


def deviation(
    released: Any, gone: Any, held: Any, requests: Any, size: Any, share: Any, whole: Any = 1
) -> Any:
    """``X = sum (xi - p)(w - size)`` over the requests of a worker, times ``whole``.

    Parameters
    ----------
    released, gone : int or array
        Load and number of the requests that depart.
    held, requests : int or array
        Load and number of all of them.
    size : int or array
        What a load is compared with.
    share, whole : number
        ``p`` is ``share / whole``: two integers where the result is to be one.

    Examples
    --------
    Loads 3 and 1, of which the 3 departs; ``(1/2)(3 - 2) - (1/2)(1 - 2) = 1``:

    >>> deviation(3, 1, 4, 2, 2, Fraction(1, 2)), deviation(3, 1, 4, 2, 2, 1, 2)
    (Fraction(1, 1), 2)
    """
    return whole * (released - gone * size) - share * (held - requests * size)


def spread_after(spread: Any, excess: Any, authority: Any, share: Any, whole: Any = 1) -> Any:
    """``((1-p) V + N - B p (b - a))^+`` [geometric.recursion], times ``whole``.

    Parameters
    ----------
    spread, excess, authority : number
        ``V``, and ``N`` and ``B p (b - a)`` times ``whole``.
    share, whole : number
        As for :func:`deviation`.
    """
    return max(0, (whole - share) * spread + excess - authority)


def shortfall(X: Iterable[Any], most_Y: Any, authority: Any) -> Any:
    """``sum_g (X_g + max_h Y_h - B p (b - a))^+`` [geometric.recursion].

    Parameters
    ----------
    X : iterable of number
        ``X_g`` of each worker.
    most_Y, authority : number
        ``max_h Y_h`` and ``B p (b - a)``.

    Examples
    --------
    >>> shortfall([1, -5, 2], 3, 2)  # 2 + 0 + 3
    5
    """
    return sum(max(0, x + most_Y - authority) for x in X)


class Departures:
    """One departure, and the refill that follows it.

    Parameters
    ----------
    rows : sequence of sequence of int
        The loads of the requests of each worker at the measured step.
    gone : sequence of sequence of bool
        Which of them depart.
    growth : int or sequence of sequence of int
        What every request grows by before, or each of them.
    slots : sequence of int, optional
        The slots of each worker; as many as it has requests if not given.

    Attributes
    ----------
    spread, imbalance : int
        ``V = max L - min L`` and ``Imb = G max L - sum L`` of the measured step.
    kept, free : tuple of int
        What is left on each worker, and its free slots.
    slots : tuple of int
        The slots of each worker.

    Examples
    --------
    Two workers of one slot, loads 3 and 1, of which the 3 departs:

    >>> step = Departures([[3], [1]], [[True], [False]])
    >>> step.spread, step.kept, step.free, step.refilled(2)
    (2, (0, 1), (1, 0), (2, 1))
    """

    def __init__(
        self,
        rows: Rows,
        gone: Gone,
        growth: int | Rows = 0,
        slots: Sequence[int] | None = None,
    ) -> None:
        each = [[growth] * len(row) for row in rows] if isinstance(growth, int) else growth
        grown = [
            [w + d for w, d in zip(*pair, strict=True)] for pair in zip(rows, each, strict=True)
        ]
        measured = [sum(row) for row in rows]
        self._grown = [sum(more) for more in each]
        self._held = [sum(row) for row in grown]
        self._requests = [len(row) for row in rows]
        self._gone = [sum(out) for out in gone]
        self.slots = tuple(slots or self._requests)
        self.spread = max(measured) - min(measured)
        self.imbalance = imbalance(measured)
        self.kept = tuple(
            sum(w for w, left in zip(row, out, strict=True) if not left)
            for row, out in zip(grown, gone, strict=True)
        )
        self.free = tuple(
            B - n + c for B, n, c in zip(self.slots, self._requests, self._gone, strict=True)
        )

    def X(self, size: int, p: Fraction) -> list[Fraction]:  # noqa: N802, the claims' name
        """``sum (xi - p)(w - size)`` of each worker, ``xi = 1`` for a request that departs."""
        return [Fraction(x, p.denominator) for x in self._whole(size, p)]

    def _whole(self, size: int, p: Fraction) -> list[int]:
        """:meth:`X` times the denominator of ``p``."""
        columns = self.kept, self._gone, self._held, self._requests
        return [
            deviation(held - kept, c, held, n, size, p.numerator, p.denominator)
            for kept, c, held, n in zip(*columns, strict=True)
        ]

    def Y(self, size: int, p: Fraction) -> list[Fraction]:  # noqa: N802
        """``sum (p - xi)(w - size)`` of each worker."""
        return [-x for x in self.X(size, p)]

    def excess(self, a: int, b: int, p: Fraction) -> Fraction:
        """``N = max_g X_g + max_h Y_h``, with X at ``b`` and Y at ``a``."""
        return Fraction(max(self._whole(b, p)) - min(self._whole(a, p)), p.denominator)

    def refilled(self, size: int) -> tuple[int, ...]:
        """The loads with every free slot given that size."""
        return tuple(load + c * size for load, c in zip(self.kept, self.free, strict=True))

    def gains(self, size: int) -> tuple[int, ...]:
        """What each worker grows by, its slots that were empty before given that size."""
        columns = self._grown, self.slots, self._requests
        return tuple(more + (B - n) * size for more, B, n in zip(*columns, strict=True))

    def deviations(self, a: int, b: int, p: Fraction, authority: Fraction | int = 1) -> Fraction:
        """``sum_g (X_g + max_h Y_h - B p (b - a))^+``, with X at ``b`` and Y at ``a``.

        ``authority`` is a factor on ``B p (b - a)``, 1 but for a planted false version; ``B`` is
        the least number of slots.
        """
        times, whole = Fraction(authority).as_integer_ratio()
        above = min(self.slots) * p.numerator * (b - a) * times
        X = [whole * x for x in self._whole(b, p)]
        total = shortfall(X, -whole * min(self._whole(a, p)), above)
        return Fraction(total, whole * p.denominator)

    def spread_bound(self, a: int, b: int, p: Fraction) -> Fraction:
        """``((1-p) V + N - B p (b - a))^+`` of [geometric.recursion], with that ``B``."""
        authority = min(self.slots) * p * (b - a)
        return Fraction(spread_after(self.spread, self.excess(a, b, p), authority, p))

    def imbalance_bound(self, a: int, b: int, p: Fraction) -> Fraction:
        """``(1-p) Imb + sum_g (X_g + max_h Y_h - B p (b - a))^+`` of [geometric.recursion]."""
        return (1 - p) * self.imbalance + self.deviations(a, b, p)
