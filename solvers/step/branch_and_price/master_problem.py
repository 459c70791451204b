"""The restricted master problem: the linear program over the columns generated so far.

At a level ``M`` it chooses a convex combination of columns for each worker, within the supply of
every size, so that the total slack ``sum_g (M - L'_g)`` is least.  The dual prices on the supply
rows go to the pricing problem (:mod:`solvers.step.branch_and_price.pricing`).  This is the
Dantzig-Wolfe reformulation of the fixed-level problem, with one convexity row for each worker.  Its
values are floating point and prove nothing: a proof prices the columns in integers.

Source: (Barnhart et al. 1998).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import highspy
import numpy as np

from solvers.step.branch_and_price.columns import Column, Residual, fits
from solvers.step.branch_and_price.deadline import check, left
from theory.model import FloatArray


@dataclass(slots=True)
class MasterProblem:
    """A restricted master problem; the variables of ``columns`` come after one for each worker.

    Parameters
    ----------
    residual : Residual
        The workers, their free slots and rooms, and the supply.
    penalty : float or None
        Where every slot must be filled, the cost of the artificial variable that leaves a worker
        without a column; None where slots may stay free, and it costs the worker's room.
    excess : int
        How far a column may exceed the level, its slack being 0: the tolerance of a rounded table.
    deadline : float
        Time of ``time.monotonic`` from which on :meth:`solve` raises
        :class:`~solvers.step.branch_and_price.deadline.LateError`.
    """

    residual: Residual
    penalty: float | None
    excess: int = 0
    deadline: float = math.inf
    columns: list[Column] = field(default_factory=list)
    program: highspy.Highs = field(default_factory=highspy.Highs)
    _inside: set[Column] = field(default_factory=set)
    _row: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        workers, supply, room = self.residual.workers, self.residual.supply, self.residual.room
        m, w = supply.size, len(workers)
        self._row = {g: m + k for k, g in enumerate(workers)}
        self.program.setOptionValue("output_flag", False)
        self.program.setOptionValue("threads", 1)
        # Primal simplex: a new column leaves the basis primal feasible.
        self.program.setOptionValue("simplex_strategy", 4)
        none = np.array([], np.int32)
        self.program.addRows(
            m + w,
            np.concatenate([np.full(m, -highspy.kHighsInf), np.ones(w)]),
            np.concatenate([supply.astype(float), np.ones(w)]),
            0,
            none,
            none,
            np.array([], np.float64),
        )
        cost = np.array([room[g] if self.penalty is None else self.penalty for g in workers], float)
        self._add(cost, [[row] for row in self._row.values()], [[1.0]] * w)

    def _add(self, cost: FloatArray, rows: list[list[int]], values: list[list[float]]) -> None:
        lengths = np.array([len(row) for row in rows], np.int64)
        self.program.addCols(
            cost.size,
            cost,
            np.zeros(cost.size),
            np.full(cost.size, highspy.kHighsInf),
            int(lengths.sum()),
            (np.cumsum(lengths) - lengths).astype(np.int32),
            np.array([j for row in rows for j in row], np.int32),
            np.array([x for value in values for x in value], np.float64),
        )

    def _feasible(self, p: Column) -> bool:
        residual, length = self.residual, len(p.sizes)
        if p.worker not in self._row or p.total > residual.room[p.worker] + self.excess:
            return False
        spare = residual.free[p.worker] - length
        filled = spare >= 0 if self.penalty is None else spare == 0
        return bool(filled and fits(np.array(p.sizes, np.int64), length, residual.supply))

    def extend(self, columns: Iterable[Column]) -> bool:
        """Add the columns that are feasible and new; whether there are any."""
        new = [p for p in columns if p not in self._inside and self._feasible(p)]
        if not new:
            return False
        self._inside.update(new)
        self.columns += new
        counts = [p.counts for p in new]
        self._add(
            np.array([max(0, self.residual.room[p.worker] - p.total) for p in new], np.float64),
            [[*c, self._row[p.worker]] for c, p in zip(counts, new, strict=True)],
            [[*c.values(), 1.0] for c in counts],
        )
        return True

    def solve(self) -> tuple[float, FloatArray]:
        """Least total slack, and the dual prices of all sizes, float64[m]."""
        self.program.setOptionValue("time_limit", self.program.getRunTime() + left(self.deadline))
        self.program.run()
        check(self.deadline)
        duals = np.array(self.program.getSolution().row_dual)
        prices = np.maximum(0.0, -duals[: self.residual.supply.size])
        return float(self.program.getInfo().objective_function_value), prices

    def shares(self) -> FloatArray:
        """Value of each column in the last solution, float64[len(columns)]."""
        values: FloatArray = np.array(self.program.getSolution().col_value)
        return values[len(self.residual.workers) :]
