"""Every departure from small systems with all slots occupied, and what it deviates from a share."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations_with_replacement, product

from evenkeel.evidence.check import Trial
from theory.model import imbalance

Rows = Sequence[Sequence[int]]
State = tuple[tuple[int, ...], ...]
Gone = tuple[tuple[bool, ...], ...]


class Departures:
    """One departure from a system with all slots occupied.

    Parameters
    ----------
    rows : sequence of sequence of int
        The loads of the requests of each worker.
    gone : tuple of tuple of bool
        Which of them depart.
    growth : int
        What every request has grown by before.

    Attributes
    ----------
    spread, imbalance : int
        ``max L - min L`` and ``G max L - sum L`` before the departure.
    kept, free : tuple of int
        What is left on each worker, and its free slots.
    """

    def __init__(self, rows: Rows, gone: Gone, growth: int = 0) -> None:
        grown = [[w + growth for w in row] for row in rows]
        self._held = [sum(row) for row in grown]
        self._slots = len(rows[0])
        self.spread = max(self._held) - min(self._held)
        self.imbalance = imbalance(self._held)
        self.free = tuple(sum(out) for out in gone)
        self.kept = tuple(
            sum(w for w, left in zip(row, out, strict=True) if not left)
            for row, out in zip(grown, gone, strict=True)
        )

    def X(self, size: int, p: Fraction) -> list[Fraction]:  # noqa: N802, the claims' name
        """``sum (xi - p)(w - size)`` of each worker, ``xi = 1`` for a request that departs."""
        return [
            held - kept - c * size - p * (held - self._slots * size)
            for held, kept, c in zip(self._held, self.kept, self.free, strict=True)
        ]

    def Y(self, size: int, p: Fraction) -> list[Fraction]:  # noqa: N802
        """``sum (p - xi)(w - size)`` of each worker."""
        return [-x for x in self.X(size, p)]

    def excess(self, a: int, b: int, p: Fraction) -> Fraction:
        """``N = max_g X_g + max_h Y_h``, with X at ``b`` and Y at ``a``."""
        return max(self.X(b, p)) + max(self.Y(a, p))

    def refilled(self, size: int) -> tuple[int, ...]:
        """The loads with every free slot given that size."""
        return tuple(load + c * size for load, c in zip(self.kept, self.free, strict=True))

    def deviations(
        self, a: int, b: int, p: Fraction, authority: Fraction | int = 1
    ) -> Fraction | int:
        """``sum_g (X_g + max_h Y_h - B p (b - a))^+``, with X at ``b`` and Y at ``a``.

        ``authority`` is a factor on ``B p (b - a)``, 1 but for a planted false version.
        """
        above = max(self.Y(a, p)) - self._slots * p * (b - a) * authority
        return sum(max(Fraction(0), x + above) for x in self.X(b, p))


def chances(rows: Rows, p: Fraction) -> Iterator[tuple[Gone, Fraction]]:
    """What departs from a state if every request does with probability ``p``, with its chance."""
    slots = [len(row) for row in rows]
    for gone in product(*(product((False, True), repeat=count) for count in slots)):
        count = sum(map(sum, gone))
        chance = p**count * (1 - p) ** (sum(slots) - count)
        if chance:
            yield gone, chance


def states(trial: Trial) -> Iterator[State]:
    """Every state of the trial's small systems ``(G, B, largest load)``."""
    for workers, slots, top in trial["systems"]:
        rows = list(combinations_with_replacement(range(1, top + 1), slots))
        yield from combinations_with_replacement(rows, workers)


def departures(trial: Trial) -> Iterator[tuple[State, Gone]]:
    """Every state of the trial's small systems, and which of its requests depart."""
    for state in states(trial):
        outs = product((False, True), repeat=len(state[0]))
        for gone in product(list(outs), repeat=len(state)):
            yield state, gone


def departures_domain(trial: Trial) -> str:
    """The domain of :func:`departures` in words."""
    systems = ", ".join(f"G = {g}, B = {b}, loads <= {top}" for g, b, top in trial["systems"])
    return f"every state and departure pattern of {systems}"
