"""Lower bounds of a step's imbalance at every level at once.

At a level ``M`` each worker takes a pattern (:mod:`solvers.step.branch_and_price.columns`), and the
distance of the workers to the level is the imbalance.  Prices on the requests bound it from below
at every level (:mod:`solvers.step.branch_and_price.pricing`).

Bounds are for all assignments, or for those in which some requests are settled: given to a worker,
or left waiting.  So the levels are not branched on one by one: a branch keeps all of them.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from solvers.step.branch_and_price.columns import SCALE, Pattern
from solvers.step.branch_and_price.pricing import NO_PATTERN, PatternTables
from solvers.step.branch_and_price.residual import Rest
from solvers.step.exact.milp import level_range
from solvers.step.problem import StepProblem
from theory.model import IntArray


@dataclass(slots=True, eq=False)
class LevelBounds:
    """The levels that an improvement could have, and a lower bound at each.

    Parameters
    ----------
    loads, free : int64[G]
        Loads with what was given, and free slots that are left.
    supply : int64[m]
        Requests of each distinct size that are left.
    taken : tuple of Pattern
        What was given, one request each.
    total : int or None
        Load of all workers and requests where everyone is admitted, else None.
    level, stride : int64[e], int
        Entry ``at`` is for the ``stride`` levels from ``level[at]``.
    lower : int64[e]
        Lower bound of the imbalance of assignments whose largest load is there.
    settled : int
        How often it was branched.
    """

    loads: IntArray
    free: IntArray
    supply: IntArray
    taken: tuple[Pattern, ...]
    total: int | None
    level: IntArray
    stride: int
    lower: IntArray
    # The prices behind the bound of each entry, as places in a list that all branches share.
    _prices: list[IntArray]
    _priced: IntArray
    settled: int = 0

    @classmethod
    def of(cls, problem: StepProblem, upper: int, entries: int) -> "LevelBounds":
        """All levels with an imbalance below ``upper``, in about so many entries."""
        pool = problem.pool
        _, supply = np.unique(pool, return_counts=True)
        everyone = problem.admissions == pool.size
        total = sum(problem.loads.tolist()) + sum(pool.tolist()) if everyone else None
        least, most = level_range(problem, upper - 1)
        stride = max(0, most - least) // entries + 1
        level = np.arange(least, most + 1, stride)
        free = np.minimum(problem.free, pool.size)
        lower = _fixed(problem.workers, level, total)
        prices = [np.zeros_like(supply)]
        priced = np.zeros_like(level)
        return cls(problem.loads, free, supply, (), total, level, stride, lower, prices, priced)

    def refined(self, upper: int, stride: int) -> "LevelBounds":
        """The levels at which less than ``upper`` could be had, in entries of a smaller stride."""
        still = np.flatnonzero(self.lower < upper)
        part = np.arange(0, self.stride, stride)
        level = np.add.outer(self.level[still], part).ravel()
        still = np.repeat(still, part.size)
        lower = np.maximum(self.lower[still], _fixed(self.free.size, level, self.total))
        priced = self._priced[still]
        return replace(self, level=level, stride=stride, lower=lower, _priced=priced)

    @property
    def least(self) -> int:
        """The least of the bounds."""
        return int(self.lower.min(initial=NO_PATTERN))

    def open_levels(self, upper: int) -> int:
        """How many levels there are at which less than ``upper`` could be had."""
        return int(np.count_nonzero(self.lower < upper)) * self.stride

    def rest(self, at: int) -> Rest:
        """What is left to decide; workers without a free slot stay at their distance."""
        room = int(self.level[at]) - self.loads
        spent = sum(max(0, r) for r in room[self.free == 0].tolist())
        open_ = tuple(np.flatnonzero(self.free).tolist())
        return Rest(open_, self.free, room, self.supply, spent, self.taken)

    def aim(self, at: int, upper: int) -> int:
        """The largest imbalance at the level that would be an improvement on ``upper``."""
        if self.total is None:
            return upper - 1
        return int(self._most()[at])

    def _most(self) -> IntArray:
        """The imbalance at the highest level of each entry, where the total load is fixed."""
        return _fixed(self.free.size, self.level + self.stride - 1, self.total)

    def raise_all(self, tables: PatternTables, prices: IntArray) -> None:
        """Raise the bounds of all levels; the tables are filled by these prices."""
        self._raise_to(-(-self._distances(tables, prices) // SCALE), prices)

    def raise_one(self, at: int, bound: int, prices: IntArray) -> None:
        """Raise the bound of one entry to one in units of ``1 / SCALE``.

        Those of lower levels rise with it: where every worker has less room, none can bring more,
        so one level down the bound falls by no more than the number of workers.
        """
        fall = self.free.size * (self.level[at] - self.level[: at + 1])
        self._raise_to(-(-bound // SCALE) - fall, prices)

    def _raise_to(self, bound: IntArray, prices: IntArray) -> None:
        """Raise the bounds of the first entries."""
        raised = np.flatnonzero(bound > self.lower[: bound.size])
        if raised.size:
            self.lower[raised] = bound[raised]
            if self.total is not None:
                self.lower[self.lower > self._most()] = NO_PATTERN
            self._priced[raised] = len(self._prices)
            self._prices.append(prices)

    def _distances(self, tables: PatternTables, prices: IntArray) -> IntArray:
        """Bounds of all levels under the prices, in units of ``1 / SCALE``."""
        distances = np.full(self.level.size, -sum((self.supply * prices).tolist()))
        for load, k in zip(self.loads, self.free.tolist(), strict=True):
            tables.add_distances(k, self.level - load, distances)
        return distances

    def prices(self, at: int) -> IntArray:
        """The prices that gave the bound of an entry; 0 if none did."""
        prices: IntArray = self._prices[self._priced[at]]
        return prices

    def branches(
        self, tables: PatternTables, prices: IntArray, j: int, upper: int
    ) -> list["LevelBounds"]:
        """One branch for each worker that can take a request of size ``j``, and one where all wait.

        The tables are filled by the prices; a branch without a level below ``upper`` is left out.
        """
        size = int(tables.sizes[j])
        whole = self._distances(tables, prices)
        found = []
        if self.supply.sum() - self.supply[j] >= self.free.sum():
            supply = self.supply.copy()
            supply[j] = 0
            found.append(self._branch(self.lower, upper, supply=supply))
        supply = self.supply.copy()
        supply[j] -= 1
        for g in np.flatnonzero(self.free).tolist():
            # What g misses and pays by taking it, in place of what it misses and pays at least.
            room, k = self.level - self.loads[g], int(self.free[g])
            before, after = np.zeros((2, room.size), np.int64)
            tables.add_distances(k, room, before)
            tables.add_distances(k - 1, room - size, after)
            possible = (whole < NO_PATTERN) & (after < NO_PATTERN)
            bound = np.where(
                possible, -(-(whole - before + after + prices[j]) // SCALE), NO_PATTERN
            )
            bound = np.maximum(self.lower, bound)
            if (bound < upper).any():
                loads, free = self.loads.copy(), self.free.copy()
                loads[g] += size
                free[g] -= 1
                taken = (*self.taken, Pattern(g, (j,), size))
                found.append(
                    self._branch(bound, upper, loads=loads, free=free, supply=supply, taken=taken)
                )
        return found

    def _branch(self, bound: IntArray, upper: int, **settled: Any) -> "LevelBounds":
        """The levels whose bound is below ``upper``, with more settled."""
        still = np.flatnonzero(bound < upper)
        return replace(
            self,
            settled=self.settled + 1,
            level=self.level[still],
            lower=bound[still],
            _priced=self._priced[still],
            **settled,
        )

    def left_of(self, pattern: Pattern) -> Pattern | None:
        """A pattern of a worker without what the worker was given; None if that is not in it."""
        left: Pattern | None = pattern
        for p in self.taken:
            if left is not None and p.worker == pattern.worker:
                left = left.less(p.sizes[0], p.total)
        return left

    def complete(self, pattern: Pattern) -> Pattern:
        """A pattern together with what its worker was given."""
        given = [p for p in self.taken if p.worker == pattern.worker]
        sizes = sorted(pattern.sizes + tuple(j for p in given for j in p.sizes))
        total = pattern.total + sum(p.total for p in given)
        return Pattern(pattern.worker, tuple(sizes), total)


def _fixed(workers: int, level: IntArray, total: int | None) -> IntArray:
    """Imbalance at a level where the total load is fixed; else 0, which is always a bound."""
    return np.zeros_like(level) if total is None else np.maximum(0, workers * level - total)
