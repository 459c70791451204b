"""A master problem that learns of a size when it runs out, and of a worker when it matters.

As :mod:`solvers.step.branch_and_price.master_problem`, over some of the workers; without the others
its value is a lower bound all the same.  Most sizes of a large pool never run out, so their prices
are 0: a supply row is added when a solution takes more requests than wait.  A worker can always
take a smaller request in place of a larger one, at the cost of the difference: one variable for
each size with a row says how often.  Such dual cuts keep profits from falling as sizes grow, and
prices settle in few rounds.

The workers that it does not know need something of the large requests too.  One of ``c`` slots can
use up its room ``h`` only by requests that go beyond any threshold ``t`` by ``h - c t`` together,
so a row for each of some thresholds adds up what lies beyond; one variable pays for what is short.

Dual cuts: (Valério de Carvalho 2005).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import highspy
import numpy as np

from solvers.step.branch_and_price.columns import Column
from solvers.step.branch_and_price.deadline import check, left
from theory.model import FloatArray, IntArray

_PRIMAL, _DUAL = 4, 1

# A value that is more than this above a bound exceeds it.
_TOLERANCE = 1e-6


@dataclass(slots=True)
class LazyMaster:
    """Columns of some workers, each with the place of its variable.

    Parameters
    ----------
    sizes, supply : int64[m]
        Distinct sizes, ascending, and the number of requests of each.
    free, room : int64[G]
        Free slots and room of each worker.
    thresholds : int64[t]
        Sizes beyond which what is taken is added up.
    deadline : float
        Time of ``time.monotonic`` from which on :meth:`solve` raises
        :class:`~solvers.step.branch_and_price.deadline.LateError`.
    """

    sizes: IntArray
    supply: IntArray
    free: IntArray
    room: IntArray
    thresholds: IntArray
    deadline: float = math.inf
    columns: dict[Column, int] = field(default_factory=dict)
    values: FloatArray = field(default_factory=lambda: np.empty(0))
    program: highspy.Highs = field(default_factory=highspy.Highs)
    _worker_row: dict[int, int] = field(default_factory=dict)
    _size_row: dict[int, int] = field(default_factory=dict)
    # Of each variable how many requests of each size it takes, and the reverse.
    _takes: list[dict[int, int]] = field(default_factory=list)
    _taken_by: dict[int, list[int]] = field(default_factory=dict)
    # By how much each size exceeds each threshold, and the unit of that.
    _beyond: FloatArray = field(default_factory=lambda: np.empty((0, 0)))
    _unit: float = 1.0
    # The simplex method for which the last change of the program leaves a feasible basis.
    _strategy: int = _PRIMAL

    def __post_init__(self) -> None:
        self.program.setOptionValue("output_flag", False)
        self.program.setOptionValue("threads", 1)
        # In units of the largest size, since rows of large numbers make the simplex method stall.
        self._unit = float(self.sizes[-1])
        self._beyond = np.maximum(0, np.subtract.outer(self.sizes, self.thresholds)) / self._unit
        self.program.addCol(
            self._unit, 0.0, highspy.kHighsInf, 0, np.array([], np.int32), np.array([], np.float64)
        )
        self._takes.append({})
        for t in range(self.thresholds.size):
            row = 1, np.array([0], np.int32), np.array([-1.0])
            self.program.addRow(-highspy.kHighsInf, self._supplied(t), *row)

    def _supplied(self, t: int) -> float:
        """What the workers that are not known leave beyond a threshold."""
        others = np.setdiff1d(np.flatnonzero(self.free), list(self._worker_row))
        need = np.maximum(0, self.room - self.free * self.thresholds[t])[others]
        return float((self.supply * self._beyond[:, t]).sum() - need.sum() / self._unit)

    def _row(self, lower: float, upper: float, takers: list[int], values: list[float]) -> int:
        self.program.addRow(
            lower, upper, len(takers), np.array(takers, np.int32), np.array(values, float)
        )
        return self.thresholds.size + len(self._worker_row) + len(self._size_row)

    def _variable(self, cost: float, takes: dict[int, int], worker: int | None) -> int:
        counts = [(self._size_row[j], n) for j, n in takes.items() if j in self._size_row]
        counts += [] if worker is None else [(self._worker_row[worker], 1)]
        places, numbers = [*takes.keys()], [*takes.values()]
        beyond = np.array(numbers, float) @ self._beyond[places]
        counts += [(t, n) for t, n in enumerate(beyond.tolist()) if n]
        rows, values = [r for r, _ in counts], [n for _, n in counts]
        self.program.addCol(
            cost,
            0.0,
            highspy.kHighsInf,
            len(rows),
            np.array(rows, np.int32),
            np.array(values, float),
        )
        at = len(self._takes)
        self._takes.append(takes)
        for j in takes:
            self._taken_by.setdefault(j, []).append(at)
        return at

    def know_workers(self, workers: Iterable[int]) -> None:
        """Add the rows of workers, each with a variable for doing without a column."""
        # Quicker than from a basis that is feasible neither way.
        self.program.clearSolver()
        penalty = 10.0 * max(1, int(self.room.max()))
        for g in workers:
            self._worker_row[g] = self._row(1.0, 1.0, [], [])
            self._variable(penalty, {}, g)
        for t in range(self.thresholds.size):
            self.program.changeRowBounds(t, -highspy.kHighsInf, self._supplied(t))

    def know_sizes(self, places: Iterable[int]) -> None:
        """Add the supply rows of sizes."""
        for j in places:
            if j in self._size_row:
                continue
            takers = self._taken_by.get(j, [])
            counts = [float(self._takes[at][j]) for at in takers]
            self._size_row[j] = self._row(-highspy.kHighsInf, float(self.supply[j]), takers, counts)
            if j > 0:
                self._variable(float(self.sizes[j] - self.sizes[j - 1]), {j: -1, j - 1: 1}, None)

    def extend(self, columns: Iterable[Column]) -> bool:
        """Add those columns of known workers that are new; whether there are any."""
        before = len(self.columns)
        for p in columns:
            if p.worker in self._worker_row and p not in self.columns:
                slack = float(self.room[p.worker]) - p.total
                self.columns[p] = self._variable(slack, p.counts, p.worker)
        return len(self.columns) > before

    def solve(self) -> tuple[float, FloatArray]:
        """Least total slack, and the dual prices of all sizes, float64[m]."""
        strategy = self._strategy if self.program.getBasis().valid else _DUAL
        self._strategy = _PRIMAL
        while True:
            program = self.program
            program.setOptionValue("simplex_strategy", strategy)
            program.setOptionValue("time_limit", program.getRunTime() + left(self.deadline))
            program.run()
            check(self.deadline)
            self.values = np.array(program.getSolution().col_value)
            usage = np.zeros(self.sizes.size)
            for at in np.flatnonzero(self.values > _TOLERANCE).tolist():
                for j, n in self._takes[at].items():
                    usage[j] += n * self.values[at]
            over = np.flatnonzero(usage > self.supply + _TOLERANCE)
            new = [j for j in over.tolist() if j not in self._size_row]
            if not new:
                break
            self.know_sizes(new)
            # A new row leaves the basis dual feasible.
            strategy = _DUAL
        duals = np.array(program.getSolution().row_dual)
        prices: FloatArray = self._beyond @ np.maximum(0.0, -duals[: self.thresholds.size])
        for j, row in self._size_row.items():
            prices[j] += max(0.0, -duals[row])
        return float(program.getInfo().objective_function_value), prices

    def share(self, column: Column) -> float:
        """Value of a column in the last solution."""
        at = self.columns[column]
        return float(self.values[at]) if at < self.values.size else 0.0

    def fix(self, column: Column, taken: bool) -> None:
        """Take a column, or leave that open again."""
        upper = highspy.kHighsInf
        self.program.changeColBounds(self.columns[column], 1.0 if taken else 0.0, upper)
        self._strategy = _DUAL
