"""The pricing problem: the column of least reduced cost of every worker, at every level.

Dualising the supply rows with prices ``y >= 0`` separates the workers (Lagrangian relaxation).  The
best column of worker ``g`` at level ``M`` has reduced cost ``M - L_g - max sum (v - y_v)``; these
least reduced costs, summed, less ``sum y_v`` over the supply, bound the imbalance at ``M`` from
below for all prices.  One dynamic program over slots and rooms serves all workers and levels;
columns of one or two requests come from Pareto fronts instead
(:mod:`solvers.step.branch_and_price.pricing_pairs`).

A table that is too large is relaxed in two ways, and the bound stays valid.  Sizes are divided by a
unit and rounded down, so that more columns fit; and ``stride`` consecutive levels share an entry,
with the slack counted from the lowest of them and the room up to the highest.  At a single level a
column that fits only as rounded is replaced by the best feasible one
(:mod:`solvers.step.branch_and_price.pricing_enumeration`), before a long search with a table of
smaller unit built on the exact pairs.

The Lagrangian bound of column generation: (Lübbecke and Desrosiers 2005).
"""

import math
from collections.abc import Iterator

import numpy as np

from solvers.compiled import compiled
from solvers.step.branch_and_price.columns import (
    INFINITE,
    MOST_SLOTS,
    NO_COLUMN,
    SCALE,
    Column,
    Residual,
    knapsack,
    read_column,
    without_requests,
)
from solvers.step.branch_and_price.deadline import PIECE, check, left
from solvers.step.branch_and_price.pricing_enumeration import (
    Knapsack,
    best_column,
    enumerate_columns,
)
from solvers.step.branch_and_price.pricing_pairs import (
    EMPTY_FRONT,
    ParetoFront,
    best_within,
    pareto_front,
    place_within,
    short_columns,
    short_columns_within,
)
from solvers.step.problem import StepProblem
from theory.model import FloatArray, IntArray

# Most pairs of sizes that are listed; beyond, the table serves workers with two slots too.
_MOST_PAIRS = 2**22

# ``G (sum of loads and sizes)`` stays below this: scaled sums fit an int64 beside NO_COLUMN.
_MOST_LOAD = 2**46

# Requests that are tried in vain in one search, for each second that is left.
_PER_SECOND = 2**21

# Limit on the requests tried in vain in one enumeration of columns.
_MOST_WORK = 2**20

# From this patience on a table of smaller unit is built: one cell for so much patience, at most
# so many.
_REFINING = 2**20
_PER_CELL = 2**4
_FINEST = 2**19

# The front of a worker without a free slot: nothing, which has size and profit 0.
_ZERO = np.zeros(1, np.int64)
_NOTHING = ParetoFront(_ZERO, _ZERO, _ZERO, _ZERO, np.array([0, 1]), 0)


class TooLargeError(Exception):
    """The step has too many free slots on a worker, or too large loads, for the tables."""


def too_large(problem: StepProblem) -> bool:
    """Whether a step has loads or slots for which prices are not computed."""
    total = sum(problem.loads.tolist()) + sum(problem.pool.tolist())
    slots = min(int(problem.free.max()), problem.pool.size)
    return slots > MOST_SLOTS or problem.workers * total >= _MOST_LOAD


class PricingTables:
    """Tables that solve the pricing problem of a step for all workers and levels.

    Parameters
    ----------
    problem : StepProblem
        The step.
    top : int
        The highest level.
    stride : int
        Consecutive levels that share an entry.
    cells : int
        Memory of the dynamic program in 8-byte words, approximately; it sets the unit.
    deadline : float
        Time of ``time.monotonic`` from which on :meth:`fill` and what needs it raise
        :class:`~solvers.step.branch_and_price.deadline.LateError`.

    Attributes
    ----------
    sizes, supply : int64[m]
        Distinct sizes and the number of requests of each.
    filled, everyone : bool
        Whether every slot is filled, and whether every request is admitted.
    farthest : int
        Largest room ``M - L_g`` of a worker with free slots.
    unit : int
        The weight of a request in the dynamic program is its size divided by this, rounded down.

    Raises
    ------
    TooLargeError
        If a worker has more than 16 free slots, or ``G`` times the sum of loads and sizes is 2^46
        or more.
    """

    def __init__(
        self,
        problem: StepProblem,
        top: int,
        stride: int,
        cells: int,
        deadline: float = math.inf,
    ) -> None:
        self.stride, self.deadline = stride, deadline
        self.sizes, self.supply = np.unique(problem.pool, return_counts=True)
        free = np.minimum(problem.free, problem.pool.size)
        self.filled = problem.admissions == problem.free_slots
        self.everyone = problem.admissions == problem.pool.size
        self.slots = int(free.max())
        if too_large(problem):
            raise TooLargeError

        def farthest(slots: int) -> int:
            open_ = problem.loads[free >= slots]
            return max(0, top - int(open_.min())) if open_.size else 0

        self.farthest = farthest(1)
        pairs = self.sizes.size**2 < 2 * _MOST_PAIRS
        self.short = [
            short_columns(self.sizes, self.supply, k, farthest(k))
            for k in (1, 2)[: 1 + pairs]
            if self.filled
        ]
        # The supply and the prices for which fronts and table hold.
        self._filled = np.empty((2, 0), np.int64)
        # The fronts of the columns of 0, 1, ... requests; longer columns are in the table.
        self._fronts = [_NOTHING]
        # The choices take a quarter of a word for each request and unit of room.
        words = int(np.minimum(self.supply, self.slots).sum()) // 4 + self.slots + 1
        self.unit = words * (farthest(len(self.short) + 1) + 1) // cells + 1
        self.reach = farthest(len(self.short) + 1) // self.unit
        self.weights = self.sizes // self.unit
        self.table = np.empty((self.slots + 1, self.reach + 1), np.int64)
        self._choice = np.empty((self._rows(self.supply).size, self.reach + 1), np.uint16)
        # The table of smaller unit, for the same prices, and that unit.
        self._fine = np.empty((0, 0), np.int64)
        self._fine_unit = 0

    def _rows(self, supply: IntArray) -> IntArray:
        """Index of the size of each request that one worker could take, ascending."""
        copies = np.where(self.weights <= self.reach, np.minimum(supply, self.slots), 0)
        return np.repeat(np.arange(self.sizes.size), copies)

    @property
    def excess(self) -> int:
        """How far a column of the table can exceed the lowest level of its entry."""
        return (self.slots + 1) * (self.unit - 1) + self.stride - 1

    @property
    def exact(self) -> bool:
        """Whether the tables are not relaxed: unit and stride are 1."""
        return self.unit == self.stride == 1

    def fill(self, supply: IntArray, prices: IntArray) -> IntArray:
        """Solve the pricing problem for a supply and prices; returns the rows of the table."""
        if np.array_equal(self._filled, (supply, prices)):
            return self._rows(supply)
        self._filled = np.empty((2, 0), np.int64)
        self._fine_unit = 0
        profits = self.sizes * SCALE - prices
        self._fronts = [_NOTHING] + [
            pareto_front(columns, length, profits, supply)
            for length, columns in enumerate(self.short, 1)
        ]
        rows = self._rows(supply)
        if self.slots >= len(self._fronts):
            without_requests(self.table, self.filled)
            some = PIECE // self.table.size + 1
            for first in range(0, rows.size, some):
                check(self.deadline)
                piece = slice(first, min(first + some, rows.size))
                knapsack(self.weights, profits, rows[piece], self.table, self._choice[piece])
        self._filled = np.array((supply, prices))
        return rows

    def price(
        self, residual: Residual, prices: IntArray, patience: int
    ) -> tuple[int, list[Column]]:
        """Lagrangian bound at a level, times ``SCALE``, and the best column of each worker.

        The bound is exact integer arithmetic and holds for all prices ``>= 0``.  The search for a
        feasible column in place of one that fits only as rounded ends after ``patience`` requests
        tried in vain.
        """
        rows = self.fill(residual.supply, prices)
        profits = self.sizes * SCALE - prices
        bound = residual.spent * SCALE - sum((residual.supply * prices).tolist())
        found = []
        for g in residual.workers:
            k, room = int(residual.free[g]), int(residual.room[g])
            cost = self.reduced_cost(k, room)
            if cost == INFINITE:
                return INFINITE, []
            chosen = self._read(rows, k, room)
            most = room + self.stride - 1
            if self.filled and int(self.sizes[chosen].sum()) > most:
                check(self.deadline)
                problem = self.knapsack(residual.supply, profits, most)
                # Near the deadline no more than there is time for.
                patience = int(min(patience, left(self.deadline) * _PER_SECOND))
                profit, chosen = self._fit(problem, chosen, room * SCALE - cost, patience)
                cost = room * SCALE - profit
            found.append(Column(g, tuple(chosen.tolist()), int(self.sizes[chosen].sum())))
            bound += cost
        return bound, found

    def knapsack(self, supply: IntArray, profits: IntArray, room: int) -> Knapsack:
        """The pricing problem of a worker with that room, for what the tables are filled for."""
        singles, pairs = (*self._fronts[1:], EMPTY_FRONT, EMPTY_FRONT)[:2]
        return Knapsack(self.sizes, profits, supply, self.table, self.unit, singles, pairs, room)

    def _fit(
        self, problem: Knapsack, chosen: IntArray, most: int, patience: int
    ) -> tuple[int, IntArray]:
        """An upper bound of the profit of feasible columns, and the best column found.

        ``chosen`` fits as rounded, with the profit ``most``.
        """
        # A column of three is a request and a pair, and the pairs are exact already.
        if chosen.size > 3 and len(self.short) == 2 and patience >= _REFINING:
            problem = self._refined(problem, patience)
            most = min(most, int(problem.table[chosen.size, problem.room // problem.unit]))
        feasible = chosen[None].copy()
        most -= best_column(problem, most, patience, feasible)
        return most, feasible[0]

    def _refined(self, problem: Knapsack, patience: int) -> Knapsack:
        """The same problem with a table of smaller unit."""
        farthest = (self.reach + 1) * self.unit - 1
        unit = farthest // min(patience // _PER_CELL, _FINEST) + 1
        if unit < problem.unit:
            if unit != self._fine_unit:
                self._fine = np.empty((self.slots + 1, farthest // unit + 1), np.int64)
                some = PIECE // self._fine.shape[1] + 1
                for k in range(self.slots + 1):
                    for first in range(0, self.sizes.size, some):
                        check(self.deadline)
                        last = min(first + some, self.sizes.size)
                        refine(problem, unit, k, first, last, self._fine)
                self._fine_unit = unit
            problem = problem._replace(table=self._fine, unit=unit)
        return problem

    def add_reduced_costs(self, slots: int, room: IntArray, total: IntArray) -> None:
        """Add the least reduced cost of a worker to each entry, or make it :data:`INFINITE`.

        Parameters
        ----------
        slots : int
            Its free slots.
        room : int64[e]
            Its room below the lowest level of each entry.
        total : int64[e]
            In units of ``1 / SCALE``.
        """
        check(self.deadline)
        if slots < len(self._fronts):
            _add_from_front(room, self.stride, self._fronts[slots], total)
        else:
            _add_from_table(room, self.stride, self.table[slots], self.unit, total)

    def reduced_cost(self, slots: int, room: int) -> int:
        """The same at a single entry: the least reduced cost, or :data:`INFINITE`."""
        cost = np.zeros(1, np.int64)
        self.add_reduced_costs(slots, np.array([room]), cost)
        return int(cost[0])

    def _read(self, rows: IntArray, slots: int, room: int) -> IntArray:
        """Ascending indices of the sizes behind :meth:`reduced_cost`, where a column exists."""
        most = room + self.stride - 1
        if slots < len(self._fronts):
            front = self._fronts[slots]
            at = best_within(front, most)[1]
            return np.array([front.first[at], front.second[at]][:slots], np.int64)
        out = np.empty(slots, np.int64)
        n = read_column(self.weights, rows, self._choice, slots, most // self.unit, out)
        return np.sort(out[:n])

    def reduced_cost_gap(self, residual: Residual, prices: IntArray, aim: int) -> int:
        """How far above the least reduced cost a column can be in an assignment of ``aim`` or less.

        In units of ``1 / SCALE``; the tables are filled by these prices.
        """
        costs = sum(
            self.reduced_cost(int(residual.free[g]), int(residual.room[g]))
            for g in residual.workers
        )
        charge: int = sum((residual.supply * prices).tolist())
        return (aim - residual.spent) * SCALE + charge - costs

    def columns_within(
        self, residual: Residual, prices: IntArray, gap: int, number: int
    ) -> Iterator[tuple[IntArray, IntArray, bool]]:
        """Full columns of each worker with reduced cost at most ``gap`` above its least.

        The tables are filled by these prices.

        Yields
        ------
        columns : int64[count, k]
            Ascending indices of sizes; at most ``number``.
        cost : int64[count]
            By how much their reduced costs are above the least.
        complete : bool
            Whether that is all.
        """
        profits = self.sizes * SCALE - prices
        for g in residual.workers:
            check(self.deadline)
            k, room = int(residual.free[g]), int(residual.room[g])
            found = np.empty((number, k), np.int64)
            least, count, complete = self.reduced_cost(k, room), 0, True
            most = room * SCALE - least
            room += self.stride - 1
            if least < INFINITE and k <= len(self.short):
                short = self.short[k - 1], profits, residual.supply, room, most - gap, found
                count, complete = short_columns_within(*short)
            elif least < INFINITE:
                problem = self.knapsack(residual.supply, profits, room)
                count, complete = enumerate_columns(
                    problem, most - gap, NO_COLUMN, _MOST_WORK, found
                )
            columns = found[:count]
            yield columns, most - profits[columns].sum(axis=1), complete

    def as_prices(self, values: FloatArray) -> IntArray:
        """Valid prices in units of ``1 / SCALE``, whatever floats the linear program returned."""
        finite = np.nan_to_num(np.rint(values), nan=0.0, posinf=0.0, neginf=0.0)
        most = 2**56 // max(MOST_SLOTS, int(self.supply.sum()))
        prices: IntArray = np.clip(finite, 0, most).astype(np.int64)
        return prices


@compiled
def _add_from_front(room: IntArray, stride: int, front: ParetoFront, total: IntArray) -> None:
    """:meth:`PricingTables.add_reduced_costs` for the columns of a Pareto front."""
    rooms, below, shift, value = front.rooms, front.below, front.shift, front.value
    for at in range(room.size):
        most = room[at] + stride - 1
        place = place_within(rooms, below, shift, most) if most >= 0 else -1
        _add(room[at], value[place] if place >= 0 else NO_COLUMN, total, at)


@compiled
def _add_from_table(
    room: IntArray, stride: int, best: IntArray, unit: int, total: IntArray
) -> None:
    """The same for the columns behind a row of the table, int64[reach + 1]."""
    for at in range(room.size):
        most = room[at] + stride - 1
        _add(room[at], best[most // unit] if most >= 0 else NO_COLUMN, total, at)


@compiled
def _add(room: int, profit: int, total: IntArray, at: int) -> None:
    if profit < NO_COLUMN // 2:
        total[at] = INFINITE
    elif total[at] < INFINITE:
        total[at] += max(0, room * SCALE - profit)


@compiled
def refine(problem: Knapsack, unit: int, k: int, first: int, last: int, table: IntArray) -> None:
    """Fill row ``k`` of a table of smaller unit from the exact fronts of single requests and pairs.

    Two relaxations make it quick: only the requests beyond the pair are rounded, and each may be
    used more often than it waits.  No entry is weaker than that of ``problem.table``.

    Parameters
    ----------
    k, first, last : int
        A piece of the row: by the sizes ``first .. last - 1``.  Rows and sizes come in order.
    table : int64[K + 1, H + 1]
        Entry ``[k, h]`` bounds the profit of ``k`` requests in rooms
        ``h * unit .. h * unit + unit - 1``.
    """
    cells = table.shape[1]
    end = problem.table.shape[1] - 1
    if k < 3:
        for h in range(cells):
            short = problem.singles if k == 1 else problem.pairs
            table[k, h] = best_within(short, h * unit + unit - 1)[0] if k > 0 else 0
        return
    if first == 0:
        table[k] = NO_COLUMN
    for j in range(first, last):
        weight = problem.sizes[j] // unit
        if problem.supply[j] > 0 and weight < cells:
            without, here = table[k - 1, : cells - weight], table[k, weight:]
            profit = problem.profits[j]
            for h in range(without.size):
                gain = without[h] + profit
                here[h] = gain if gain > here[h] else here[h]
    if last == problem.sizes.size:
        for h in range(cells):
            rough = problem.table[k, min((h * unit + unit - 1) // problem.unit, end)]
            table[k, h] = min(table[k, h], rough)
