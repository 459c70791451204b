"""Column generation at one level, and the state of the search: incumbent, open nodes, column pool.

The restricted master problem (:mod:`solvers.step.branch_and_price.master_problem`) gives dual
prices; pricing (:mod:`solvers.step.branch_and_price.pricing`) turns them into a Lagrangian bound,
exact in integers, and into the best column of each worker.  It ends when the bound rounded up
meets the value of the linear program rounded up, or no column prices out.  Prices are smoothed
towards those of the best bound.  The linear program guides the search and proves nothing.

Column generation and its bound: (Lübbecke and Desrosiers 2005); the smoothing: (Wentges 1997).
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np

from solvers.step.branch_and_price.columns import INFINITE, SCALE, Column, Residual
from solvers.step.branch_and_price.deadline import check
from solvers.step.branch_and_price.level_bounds import LevelBounds
from solvers.step.branch_and_price.master_problem import MasterProblem
from solvers.step.branch_and_price.pricing import PricingTables
from solvers.step.exact.milp import assignment_of_counts
from solvers.step.fast.local_search import aimed, polish
from solvers.step.problem import Assignment, AssignmentError, StepProblem, StepSolution
from theory.model import InputError, IntArray

# Weight of the prices of the best bound against the duals of the linear program.
_SMOOTHING = 0.7

# A linear program that only guides the search is solved to this share of the gap.
_ROUGH = 2**6

# Columns of each worker in the first master problem; the others come back when they price out.
_PER_WORKER = 10

# Most columns that are kept.
_POOL = 2**16

# A column of at least this value in the linear program counts as integral.
_INTEGRAL = 0.99

# Patience of the search for a worker's best feasible column: at first, before column generation
# ends, and where that may close a level; it grows by this factor.
_QUICK = 2**16
_THOROUGH = 2**20
_LONG = 2**24
_FURTHER = 2**4

# Work of the local search on a new assignment.
_POLISHING = 2**22

# Cost of the artificial variable of a worker, in units of the largest slack.  At a smaller one the
# linear program would leave a worker half empty to spare requests for the others.
_PENALTY = 10


@dataclass(frozen=True, slots=True)
class MasterSolution:
    """A residual problem at one level of a node, after column generation.

    Parameters
    ----------
    levels : LevelBounds
        The node.
    at : int
        The entry of the level.
    residual : Residual
        The problem.
    bound : int
        Dual bound of its imbalance; exact, if the goal given to column generation was a bound.
    prices : int64[m]
        The prices of that bound.
    lp_bound : int
        Value of the linear program, rounded up and at least ``bound``; not proved.
    columns : list of Column
        Columns of the master problem.
    order : list of Column
        The column of largest value of each worker, by descending value.
    integral : int
        Number of columns of value 1.
    split : int
        Index of the largest size whose assignment is fractional, or -1.
    """

    levels: LevelBounds
    at: int
    residual: Residual
    bound: int
    prices: IntArray
    lp_bound: int
    columns: list[Column]
    order: list[Column]
    integral: int
    split: int


class BranchAndPrice:
    """The state of branch and price: the incumbent, the open nodes, and the pool of columns.

    Every assignment better than the incumbent lies in a node of ``open``; at first that is the
    root alone.

    Parameters
    ----------
    problem : StepProblem
        The step.
    start : StepSolution
        The first incumbent.
    deadline : float
        When to stop, by ``time.monotonic``: what goes on beyond raises
        :class:`~solvers.step.branch_and_price.deadline.LateError`, and what was found stands.
    size : tuple of int, int
        Memory of the pricing table in words, approximately, and the largest number of entries.
    coarser : BranchAndPrice, optional
        The state of the same step with smaller tables, from which to go on.

    Attributes
    ----------
    best, upper : int64[n], int
        The incumbent and its imbalance.

    Raises
    ------
    TooLargeError
        If the step is too large for the tables.
    """

    def __init__(
        self,
        problem: StepProblem,
        start: StepSolution,
        deadline: float,
        size: tuple[int, int],
        coarser: "BranchAndPrice | None" = None,
    ) -> None:
        self.problem = problem
        self.deadline = deadline
        self.best = start.assignment
        self.upper = start.imbalance
        cells, self._entries = size
        if coarser is None:
            self.open = [LevelBounds.of(problem, self.upper, self._entries)]
            self.stride = self.open[0].stride
        else:
            still = [b for b in coarser.open if b.least < self.upper]
            self.stride = sum(b.open_levels(self.upper) for b in still) // self._entries + 1
            self.open = [b.refined(self.upper, self.stride) for b in still]
        tops = [int(b.level[-1]) + self.stride - 1 for b in self.open if b.level.size]
        self.tables = PricingTables(problem, max(tops, default=0), self.stride, cells, deadline)
        # Whole columns, with the requests that a node assigns.
        self.columns: dict[Column, None] = coarser.columns if coarser else {}
        self._note_columns(self.best)
        # The prices of the last level are often good at the next.
        self._last: IntArray = coarser._last if coarser else np.zeros_like(self.tables.sizes)

    def _note_columns(self, assignment: Assignment) -> None:
        """Add the columns of an assignment to the pool."""
        found = []
        sizes = self.tables.sizes
        place = np.searchsorted(sizes, self.problem.pool)
        for g in range(self.problem.workers):
            taken = np.sort(place[assignment == g])
            if taken.size:
                found.append(Column(g, tuple(taken.tolist()), int(sizes[taken].sum())))
        self.note(found)

    def begin_level(self, level: int) -> None:
        """Add the columns of an assignment aimed at the level to the pool, and keep it if better.

        Without them the linear program has too few columns that fit the level to start from.
        """
        if not self.tables.everyone:
            assignment = aimed(self.problem, level, _POLISHING)
            self._note_columns(assignment)
            self._better(assignment)

    def _better(self, assignment: Assignment) -> None:
        """Make an assignment the incumbent if it is better."""
        value = self.problem.objective(assignment)
        if value < self.upper:
            self.best, self.upper = assignment, value
            self._note_columns(assignment)

    def note(self, columns: Iterable[Column]) -> None:
        """Add whole columns to the pool, in place of the oldest where there are too many."""
        self.columns.update(dict.fromkeys(columns))
        for oldest in [*islice(self.columns, max(0, len(self.columns) - _POOL))]:
            del self.columns[oldest]

    @property
    def lower(self) -> int:
        """Lower bound of the imbalance of every assignment."""
        return min(self.upper, min((b.least for b in self.open), default=self.upper))

    def few(self) -> bool:
        """Whether levels share entries, and each of those left open could have its own."""
        left = sum(b.open_levels(self.upper) for b in self.open)
        return self.stride > 1 and left <= self._entries

    def aim(self, node: MasterSolution) -> int:
        """The largest imbalance at the level that is still an improvement."""
        return node.levels.aim(node.at, self.upper)

    def keep(self, taken: Iterable[Column], node: MasterSolution) -> None:
        """Polish the assignment of the columns; make it the incumbent if valid and better."""
        sizes = self.tables.sizes
        counts = [(p.worker, int(sizes[j]), n) for p in taken for j, n in p.counts.items()]
        try:
            assignment = assignment_of_counts(self.problem, counts)
            self.problem.validate(assignment)
        except (AssignmentError, InputError):
            return
        if not self.tables.everyone:
            level = int(node.levels.level[node.at])
            assignment = polish(self.problem, assignment, level, _POLISHING)
        self._better(assignment)

    def master(self, residual: Residual, columns: Iterable[Column]) -> MasterProblem:
        """The restricted master problem with those of the columns that are feasible."""
        tables = self.tables
        penalty = float(_PENALTY * max(self.upper, tables.farthest)) if tables.filled else None
        master = MasterProblem(residual, penalty, tables.excess, self.deadline)
        master.extend(columns)
        return master

    def promising(self, levels: LevelBounds, at: int, prices: IntArray) -> list[Column]:
        """The columns of the pool of least reduced cost that are feasible at the level."""
        room = (levels.level[at] - levels.loads + self.stride - 1).tolist()
        profit: list[int] = (self.tables.sizes * SCALE - prices).tolist()
        left = dict.fromkeys(np.flatnonzero(levels.free).tolist(), _PER_WORKER)
        columns = [q for p in self.columns if (q := levels.left_of(p)) is not None]
        chosen = []
        for p in sorted(columns, key=lambda p: -sum(profit[j] for j in p.sizes)):
            if left.get(p.worker, 0) > 0 and p.total <= room[p.worker]:
                left[p.worker] -= 1
                chosen.append(p)
        return chosen

    def relax(
        self,
        levels: LevelBounds,
        at: int,
        residual: Residual,
        goal: int,
        prices: IntArray,
        columns: list[Column],
    ) -> MasterSolution:
        """Column generation for a residual problem, from first prices and columns.

        It ends early where the bound excludes an improvement, or where the linear program reaches
        ``goal``, a bound that is known.  For the residual problem of the whole node it also raises
        the bounds of the node, and searches longer for columns.
        """
        tables, aim = self.tables, levels.aim(at, self.upper)
        whole = residual.supply is levels.supply
        master = self.master(residual, columns)
        best, best_prices, lp_bound = -INFINITE, prices, -INFINITE
        trials = [prices, self._last] if whole else [prices]
        patience = _QUICK
        while True:
            more = False
            for scaled in trials:
                proved, found = tables.price(residual, scaled, patience)
                self.note(map(levels.complete, found))
                if whole:
                    levels.raise_all(tables, scaled)
                    levels.raise_one(at, proved, scaled)
                if proved > best:
                    best, best_prices = proved, scaled
                bound = max(goal, -(-best // SCALE))
                more = master.extend(found)
                check(self.deadline)
                if bound > aim or (more and lp_bound > -INFINITE):
                    break
            if bound > aim:
                break
            # A quick search will do while it finds columns; the longest is worth it where the
            # linear program says that the level can be closed.
            if lp_bound > -INFINITE and not more:
                most = _LONG if lp_bound > aim else _THOROUGH
                if not whole or self.stride > 1:
                    most = _QUICK
                if patience >= most:
                    break
                patience = min(patience * _FURTHER, most)
            else:
                patience = _QUICK
            value, duals = master.solve()
            lp_bound = math.ceil(residual.spent + value - 1e-6)
            # What only guides the search need not be known to the last unit.
            if bound + (0 if whole else (aim - bound) // _ROUGH) >= lp_bound:
                break
            trials = [
                tables.as_prices(weight * best_prices + (1 - weight) * SCALE * duals)
                for weight in (_SMOOTHING, 0.0)
            ]
        if whole:
            self._last = best_prices
        solved = levels, at, residual, bound, best_prices, max(lp_bound, bound), master.columns
        return MasterSolution(*solved, *(_fractional(master) if bound <= aim else ([], 0, -1)))

    def clear(self, levels: LevelBounds, at: int, prices: IntArray) -> None:
        """Close the open levels above a closed one by the same prices, in doubling strides."""
        lower = levels.lower
        patience = _THOROUGH if self.stride == 1 else _QUICK
        step = 1
        while step > 0 and at + 1 < lower.size and lower[at + 1] < self.upper:
            to = min(at + step, lower.size - 1)
            bound, _ = self.tables.price(levels.residual(to), prices, patience)
            levels.raise_one(to, bound, prices)
            closed = (lower[at + 1 : to + 1] >= self.upper).all()
            at, step = (to, 2 * step) if closed else (at, step // 2)


def _fractional(master: MasterProblem) -> tuple[list[Column], int, int]:
    """``order``, ``integral`` and ``split`` of a :class:`MasterSolution`."""
    share = master.shares()
    order: dict[int, Column] = {}
    integral, split = 0, -1
    for i in np.argsort(-share, kind="stable").tolist():
        if share[i] > 1e-6:
            p = master.columns[i]
            first = order.setdefault(p.worker, p)
            integral += share[i] >= _INTEGRAL
            differ = Counter(p.sizes)
            differ.subtract(Counter(first.sizes))
            split = max([split, *(j for j, n in differ.items() if n)])
    # Columns at a fraction of 1 may want more requests of a size than there are.
    wanted = Counter(j for p in order.values() for j in p.sizes)
    supply = master.residual.supply
    split = max([split, *(j for j, n in wanted.items() if n > supply[j])])
    return [*order.values()], integral, split
