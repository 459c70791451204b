"""What is left to decide at a level, after some workers or requests are settled."""

from collections.abc import Iterable
from dataclasses import dataclass

from solvers.patterns import Pattern
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
    taken: tuple[Pattern, ...] = ()

    def give(self, patterns: Iterable[Pattern], last: bool = True) -> "Rest":
        """Give patterns to their workers, those of them whose requests are left.

        A worker is done when it has no slot left, or when the pattern was its last.
        """
        free, room, supply = self.free.copy(), self.room.copy(), self.supply.copy()
        spent = self.spent
        taken = list(self.taken)
        done = set()
        for p in patterns:
            counts = p.counts
            if all(supply[j] >= n for j, n in counts.items()):
                for j, n in counts.items():
                    supply[j] -= n
                free[p.worker] -= len(p.sizes)
                room[p.worker] -= p.total
                taken.append(p)
                if last or free[p.worker] == 0:
                    done.add(p.worker)
                    spent += max(0, int(room[p.worker]))
        workers = tuple(g for g in self.workers if g not in done)
        return Rest(workers, free, room, supply, spent, tuple(taken))
