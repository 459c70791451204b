"""Lower bounds of a step's imbalance at every level at once, from one knapsack table.

At a level ``M`` each worker takes a pattern (:mod:`solvers.patterns`), and the distance of the
workers to the level is the imbalance.  Prices on the requests separate the workers (Lagrange), and
one table of the most that ``k`` requests within a room can bring serves all workers and all levels.

Where loads and sizes are so large that the table could not be held, levels are taken ``unit`` at a
time: distances are counted from the lowest of them, sizes are rounded down to multiples of the unit
where they must fit, and what fits below the highest level fits then too.  The bounds stay valid, by
some units a worker weaker.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from solvers.exact import level_range
from solvers.patterns import (
    MOST_SLOTS,
    NONE,
    SCALE,
    Pattern,
    bounds_by_level,
    knapsack,
    read_pattern,
)
from solvers.step import StepProblem
from theory.model import FloatArray, IntArray

# Most entries of a knapsack table and of its choices, in words.
_MOST_CELLS = 10**8

# The same where levels are taken several at a time: the bound is not exact anyway.
_FEWER_CELLS = 10**7

# Loads and sizes together stay below this, so that scaled sums fit an int64 beside NONE.
_MOST_LOAD = 2**46

# Bound of a level that no assignment reaches.
NEVER = 2**61


class TooLargeError(Exception):
    """The tables of a step cannot be held."""


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
                    spent += int(room[p.worker])
        workers = tuple(g for g in self.workers if g not in done)
        return Rest(workers, free, room, supply, spent, tuple(taken))

    def without(self, size: int) -> "Rest":
        """Leave every request of a size waiting."""
        supply = self.supply.copy()
        supply[size] = 0
        return replace(self, supply=supply)


class LevelBounds:
    """The levels of a step that an improvement could have, and a lower bound at each.

    Attributes
    ----------
    sizes, supply : int64[m]
        Distinct sizes and how often each waits.
    free : int64[G]
        Free slots, no more than requests wait.
    filled, everyone : bool
        Whether every slot is filled, and whether every request is admitted.
    least, unit : int
        Entry ``at`` is for the levels from ``least + at * unit`` to just before the next.
    floor : int64[...]
        Imbalance at the level where everyone is admitted, for then it is fixed; else 0.
    lower : int64[...]
        Lower bound of the imbalance of assignments whose largest load is there.

    Raises
    ------
    TooLargeError
        If a worker has more than 16 free slots, or loads and sizes are beyond 2^46 in sum.
    """

    def __init__(self, problem: StepProblem, upper: int) -> None:
        self.problem = problem
        self.sizes, self.supply = np.unique(problem.pool, return_counts=True)
        self.free = np.minimum(problem.free, problem.pool.size)
        self.open = np.flatnonzero(self.free)
        self.filled = problem.admissions == sum(problem.free.tolist())
        self.everyone = problem.admissions == problem.pool.size
        least, most = level_range(problem, upper - 1)
        self.slots = int(self.free.max())
        total = sum(problem.loads.tolist()) + sum(problem.pool.tolist())
        if self.slots > MOST_SLOTS or problem.workers * total >= _MOST_LOAD:
            raise TooLargeError
        farthest = max(0, most - int(problem.loads[self.open].min()))
        # A choice takes a quarter of a word for each request and unit of room.
        words = int(np.minimum(self.supply, self.slots).sum()) // 4 + self.slots + 1
        self.unit = 1
        if words * (farthest + 1) + most - least > _MOST_CELLS:
            self.unit = words * (farthest + 1) // _FEWER_CELLS + 1
        self.least = least
        self.reach = -(-farthest // self.unit)
        self.weights = self.sizes // self.unit
        level = least + self.unit * np.arange(max(0, most - least + self.unit) // self.unit)
        # Where the whole pool is admitted the total is fixed, and with it the imbalance at a level.
        self.floor = problem.workers * level - total if self.everyone else np.zeros_like(level)
        self.floor = np.maximum(self.floor, 0)
        self.lower = self.floor.copy()
        self.prices: dict[int, IntArray] = {}
        self.table = np.empty((self.slots + 1, self.reach + 1), np.int64)
        self._choice = np.empty((self._rows(self.supply).size, self.reach + 1), np.uint16)

    def _rows(self, supply: IntArray) -> IntArray:
        """Index of the size of each request that a worker could take, equal sizes in a row."""
        copies = np.where(self.weights <= self.reach, np.minimum(supply, self.slots), 0)
        return np.repeat(np.arange(self.sizes.size), copies)

    def level(self, at: int) -> int:
        """The lowest level of an entry."""
        return self.least + at * self.unit

    def whole(self, at: int) -> Rest:
        """Nothing decided; workers without a free slot stay at their distance."""
        room = self.level(at) - self.problem.loads
        spent = sum(room[self.free == 0].tolist())
        return Rest(tuple(self.open.tolist()), self.free, room, self.supply, spent)

    def capacity(self, room: int) -> int:
        """Units that fit into a room, to the highest level of its entry."""
        return -(-room // self.unit)

    def price(self, rest: Rest, prices: IntArray) -> tuple[int, list[Pattern]]:
        """Bound under the prices, times ``SCALE``, and the best pattern of each worker.

        It rests on the table alone and holds for all prices ``>= 0``.
        """
        rows = self._rows(rest.supply)
        choice = self._choice[: rows.size]
        profits = self.sizes * SCALE - prices
        knapsack(self.weights, profits, rows, self.filled, self.table, choice)
        bound = rest.spent * SCALE - sum((rest.supply * prices).tolist())
        found = []
        out = np.empty(self.slots, np.int64)
        for g in rest.workers:
            k, room = int(rest.free[g]), int(rest.room[g])
            fit = self.capacity(room)
            if fit < 0 or self.table[k, fit] < NONE // 2:
                return NEVER, []
            n = read_pattern(self.weights, rows, choice, k, fit, out)
            chosen = np.sort(out[:n])
            found.append(Pattern(g, tuple(chosen.tolist()), int(self.sizes[chosen].sum())))
            bound += room * SCALE - int(self.table[k, fit])
        return bound, found

    def best(self, slots: int, room: int) -> int:
        """The most that a worker can bring by the last table; :data:`NONE` if nothing fits."""
        fit = self.capacity(room)
        return int(self.table[slots, fit]) if fit >= 0 else NONE

    def raise_all(self, prices: IntArray) -> None:
        """Raise the bounds of all levels by the table of the whole pool under these prices."""
        charge = sum((self.supply * prices).tolist())
        before = self.lower.copy()
        bounds_by_level(
            self.problem.loads,
            self.free,
            self.table,
            charge,
            (self.least, self.unit),
            self.lower,
        )
        if self.everyone:
            self.lower[self.lower > self.floor] = NEVER
        for at in np.flatnonzero(self.lower > before).tolist():
            self.prices[at] = prices

    def as_prices(self, values: FloatArray) -> IntArray:
        """Prices in units of ``1 / SCALE`` from those of a linear program, whatever it returned."""
        finite = np.nan_to_num(np.rint(values), nan=0.0, posinf=0.0, neginf=0.0)
        most = 2**56 // max(MOST_SLOTS, self.problem.pool.size)
        prices: IntArray = np.clip(finite, 0, most).astype(np.int64)
        return prices
