"""What is left to decide at a level, after some workers or requests are settled."""

from collections.abc import Iterable
from dataclasses import dataclass

from solvers.step.branch_and_price.columns import Pattern
from theory.model import IntArray


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left to decide at a level.

    Parameters
    ----------
    workers : tuple of int
        Workers that still take something.
    free, room : int64[G]
        Slots and room that each of them has left.
    supply : int64[m]
        Requests of each size that are left.
    spent : int
        Distance to the level of the other workers.
    taken : tuple of Pattern
        What was given already.
    """

    workers: tuple[int, ...]
    free: IntArray
    room: IntArray
    supply: IntArray
    spent: int
    taken: tuple[Pattern, ...]

    def give(self, patterns: Iterable[Pattern]) -> "Rest":
        """Give patterns to their workers, those of them whose requests are left."""
        supply, spent = self.supply.copy(), self.spent
        given = {}
        for p in patterns:
            counts = p.counts
            if all(supply[j] >= n for j, n in counts.items()):
                for j, n in counts.items():
                    supply[j] -= n
                given[p.worker] = p
                spent += max(0, int(self.room[p.worker]) - p.total)
        workers = tuple(g for g in self.workers if g not in given)
        return Rest(workers, self.free, self.room, supply, spent, (*self.taken, *given.values()))
