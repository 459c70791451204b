"""A node of the search tree: lower bounds of the imbalance at every level ``M`` at once.

The level, the largest load after admission, is not branched on.  A node fixes some requests, each
assigned to a worker or left waiting, and keeps one lower bound for each level, or for each run of
``stride`` consecutive levels.  Any prices give a Lagrangian bound at all of them
(:mod:`solvers.step.branch_and_price.pricing`), so prices that are good at one level also close many
others.  Branching assigns one request to each worker in turn, as is done for the generalized
assignment problem, where it leaves the structure of the pricing problem as it is.

Source: (Savelsbergh 1997).
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from solvers.step.branch_and_price.columns import INFINITE, SCALE, Column, Residual
from solvers.step.branch_and_price.pricing import PricingTables
from solvers.step.exact.milp import level_range
from solvers.step.problem import StepProblem
from theory.model import IntArray


@dataclass(slots=True, eq=False)
class LevelBounds:
    """A node: the levels at which it can hold an improvement, with a lower bound at each.

    Parameters
    ----------
    loads, free : int64[G]
        Loads with the requests assigned in the node, and the free slots that are left.
    supply : int64[m]
        Requests of each distinct size that are left.
    taken : tuple of Column
        The assigned requests, a column of one request each.
    total : int or None
        Sum of all loads and sizes where every request is admitted, else None.
    level, stride : int64[e], int
        Entry ``at`` stands for the levels ``level[at] .. level[at] + stride - 1``.
    lower : int64[e]
        Lower bound of the imbalance of the node's assignments with their largest load there;
        :data:`~solvers.step.branch_and_price.columns.INFINITE` at a closed level.
    settled : int
        Depth of the node.
    """

    loads: IntArray
    free: IntArray
    supply: IntArray
    taken: tuple[Column, ...]
    total: int | None
    level: IntArray
    stride: int
    lower: IntArray
    # The prices behind the bound of each entry, as places in a list that all nodes share.
    _prices: list[IntArray]
    _priced: IntArray
    settled: int = 0

    @classmethod
    def of(cls, problem: StepProblem, upper: int, entries: int) -> "LevelBounds":
        """The root: all levels of an imbalance below ``upper``, in at most that many entries."""
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
        loads = problem.loads.copy()  # as all loads of compiled code, which may be written to
        return cls(loads, free, supply, (), total, level, stride, lower, prices, priced)

    def refined(self, upper: int, stride: int) -> "LevelBounds":
        """The same node with a smaller stride, at the levels with a bound below ``upper``."""
        still = np.flatnonzero(self.lower < upper)
        part = np.arange(0, self.stride, stride)
        level = np.add.outer(self.level[still], part).ravel()
        still = np.repeat(still, part.size)
        lower = np.maximum(self.lower[still], _fixed(self.free.size, level, self.total))
        priced = self._priced[still]
        return replace(self, level=level, stride=stride, lower=lower, _priced=priced)

    @property
    def least(self) -> int:
        """The least bound over all levels."""
        return int(self.lower.min(initial=INFINITE))

    def open_levels(self, upper: int) -> int:
        """Number of levels with a bound below ``upper``."""
        return int(np.count_nonzero(self.lower < upper)) * self.stride

    def residual(self, at: int) -> Residual:
        """The residual problem at an entry; workers without a free slot only add their slack."""
        room = int(self.level[at]) - self.loads
        spent = sum(max(0, r) for r in room[self.free == 0].tolist())
        open_ = tuple(np.flatnonzero(self.free).tolist())
        return Residual(open_, self.free, room, self.supply, spent, self.taken)

    def aim(self, at: int, upper: int) -> int:
        """The largest imbalance at an entry that is still an improvement on ``upper``."""
        if self.total is None:
            return upper - 1
        return int(self._most()[at])

    def _most(self) -> IntArray:
        """Imbalance at the highest level of each entry, where ``total`` fixes it."""
        return _fixed(self.free.size, self.level + self.stride - 1, self.total)

    def raise_all(self, tables: PricingTables, prices: IntArray) -> None:
        """Raise the bounds of all levels to those of the prices that the tables are filled by."""
        self._raise_to(-(-self._lagrangian(tables, prices) // SCALE), prices)

    def raise_one(self, at: int, bound: int, prices: IntArray) -> None:
        """Raise the bound of one entry to a Lagrangian bound in units of ``1 / SCALE``.

        The same prices bound the levels below it: every worker has less room there, so its best
        profit is no larger, and each level down takes at most ``G`` off the bound.
        """
        fall = self.free.size * (self.level[at] - self.level[: at + 1])
        self._raise_to(-(-bound // SCALE) - fall, prices)

    def close(self, at: int, upper: int) -> None:
        """Note that the entry holds nothing better than ``upper``."""
        self.lower[at] = max(self.lower[at], upper)

    def _raise_to(self, bound: IntArray, prices: IntArray) -> None:
        """Raise the bounds of the first ``bound.size`` entries."""
        raised = np.flatnonzero(bound > self.lower[: bound.size])
        if raised.size:
            self.lower[raised] = bound[raised]
            if self.total is not None:
                self.lower[self.lower > self._most()] = INFINITE
            self._priced[raised] = len(self._prices)
            self._prices.append(prices)

    def _lagrangian(self, tables: PricingTables, prices: IntArray) -> IntArray:
        """Lagrangian bounds of all levels under the prices, in units of ``1 / SCALE``."""
        bound = np.full(self.level.size, -sum((self.supply * prices).tolist()))
        for load, k in zip(self.loads, self.free.tolist(), strict=True):
            tables.add_reduced_costs(k, self.level - load, bound)
        return bound

    def prices(self, at: int) -> IntArray:
        """The prices behind the bound of an entry; 0 if none."""
        prices: IntArray = self._prices[self._priced[at]]
        return prices

    def branches(
        self, tables: PricingTables, prices: IntArray, j: int, upper: int
    ) -> list["LevelBounds"]:
        """Children: one for each worker that takes a request of the ``j``-th size, one for none.

        In the last all requests of that size wait.  The tables are filled by the prices; a child
        without a level below ``upper`` is left out.
        """
        size = int(tables.sizes[j])
        whole = self._lagrangian(tables, prices)
        found = []
        if self.supply.sum() - self.supply[j] >= self.free.sum():
            supply = self.supply.copy()
            supply[j] = 0
            found.append(self._branch(self.lower, upper, supply=supply))
        supply = self.supply.copy()
        supply[j] -= 1
        for g in np.flatnonzero(self.free).tolist():
            # Replace the least reduced cost of g by that of its columns with the request.
            room, k = self.level - self.loads[g], int(self.free[g])
            before, after = np.zeros((2, room.size), np.int64)
            tables.add_reduced_costs(k, room, before)
            tables.add_reduced_costs(k - 1, room - size, after)
            possible = (whole < INFINITE) & (after < INFINITE)
            bound = np.where(possible, -(-(whole - before + after + prices[j]) // SCALE), INFINITE)
            bound = np.maximum(self.lower, bound)
            if (bound < upper).any():
                loads, free = self.loads.copy(), self.free.copy()
                loads[g] += size
                free[g] -= 1
                taken = (*self.taken, Column(g, (j,), size))
                found.append(
                    self._branch(bound, upper, loads=loads, free=free, supply=supply, taken=taken)
                )
        return found

    def _branch(self, bound: IntArray, upper: int, **settled: Any) -> "LevelBounds":
        """A child with these changes, at its levels with a bound below ``upper``."""
        still = np.flatnonzero(bound < upper)
        return replace(
            self,
            settled=self.settled + 1,
            level=self.level[still],
            lower=bound[still],
            _priced=self._priced[still],
            **settled,
        )

    def left_of(self, column: Column) -> Column | None:
        """A worker's column less the requests assigned to it; None if it lacks one of them."""
        left: Column | None = column
        for p in self.taken:
            if left is not None and p.worker == column.worker:
                left = left.without(p.sizes[0], p.total)
        return left

    def complete(self, column: Column) -> Column:
        """A column together with the requests assigned to its worker."""
        given = [p for p in self.taken if p.worker == column.worker]
        sizes = sorted(column.sizes + tuple(j for p in given for j in p.sizes))
        total = column.total + sum(p.total for p in given)
        return Column(column.worker, tuple(sizes), total)


def _fixed(workers: int, level: IntArray, total: int | None) -> IntArray:
    """Imbalance at a level where the total load fixes it, else 0; a lower bound either way."""
    return np.zeros_like(level) if total is None else np.maximum(0, workers * level - total)
