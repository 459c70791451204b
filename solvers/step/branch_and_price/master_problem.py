"""The pattern relaxation: a linear program that mixes patterns, for some workers at one level.

Each worker divides itself among patterns that fit below the level, no size is used more than it is
there, and the total distance to the level is least.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import highspy
import numpy as np

from solvers.step.branch_and_price.columns import Pattern, fits
from theory.model import FloatArray, IntArray


@dataclass(slots=True)
class Mixture:
    """The linear program and the patterns in it.

    Column ``k`` below ``len(workers)`` leaves that worker without a pattern; pattern ``i`` is
    column ``len(workers) + i``.

    Parameters
    ----------
    workers : tuple of int
        Workers that take a pattern.
    free, room : int64[G]
        Free slots of each, and its room below the level.
    supply : int64[m]
        Requests of each size.
    empty : float or None
        Where every slot must be filled, a cost of a worker without a pattern that never pays;
        None where slots may stay free.
    excess : int
        How far a pattern may reach above the level; its distance is then 0.
    """

    workers: tuple[int, ...]
    free: IntArray
    room: IntArray
    supply: IntArray
    empty: float | None
    excess: int = 0
    patterns: list[Pattern] = field(default_factory=list)
    program: highspy.Highs = field(default_factory=highspy.Highs)
    _inside: set[Pattern] = field(default_factory=set)
    _row: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        m, w = self.supply.size, len(self.workers)
        self._row = {g: m + k for k, g in enumerate(self.workers)}
        self.program.setOptionValue("output_flag", False)
        self.program.setOptionValue("threads", 1)
        # Patterns come in between solves and leave the basis primal feasible.
        self.program.setOptionValue("simplex_strategy", 4)
        none = np.array([], np.int32)
        self.program.addRows(
            m + w,
            np.concatenate([np.full(m, -highspy.kHighsInf), np.ones(w)]),
            np.concatenate([self.supply.astype(np.float64), np.ones(w)]),
            0,
            none,
            none,
            np.array([], np.float64),
        )
        cost = np.array([self.room[g] if self.empty is None else self.empty for g in self.workers])
        self._add(cost.astype(np.float64), [[row] for row in self._row.values()], [[1]] * w)

    def _add(self, cost: FloatArray, rows: list[list[int]], values: list[list[int]]) -> None:
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

    def extend(self, patterns: Iterable[Pattern]) -> bool:
        """Add those that fit and are not there yet; whether there are any."""
        new = [
            p
            for p in patterns
            if p not in self._inside
            and p.worker in self._row
            and p.total <= self.room[p.worker] + self.excess
            and (
                len(p.sizes) == self.free[p.worker]
                if self.empty is not None
                else len(p.sizes) <= self.free[p.worker]
            )
            and fits(np.array(p.sizes, np.int64), len(p.sizes), self.supply)
        ]
        if not new:
            return False
        self._inside.update(new)
        self.patterns += new
        counts = [p.counts for p in new]
        self._add(
            np.array([max(0, self.room[p.worker] - p.total) for p in new], np.float64),
            [[*c, self._row[p.worker]] for c, p in zip(counts, new, strict=True)],
            [[*c.values(), 1] for c in counts],
        )
        return True

    def solve(self) -> tuple[float, FloatArray]:
        """Least total distance, and the prices of the sizes."""
        self.program.run()
        duals = np.array(self.program.getSolution().row_dual)[: self.supply.size]
        return float(self.program.getInfo().objective_function_value), np.maximum(0.0, -duals)

    def shares(self) -> FloatArray:
        """Share of each pattern in the last solution."""
        shares: FloatArray = np.array(self.program.getSolution().col_value)[len(self.workers) :]
        return shares

    def choose(self, below: float, time_limit_s: float) -> list[Pattern] | None:
        """One pattern for each worker with total distance less than ``below``, by branching.

        None if there is none among the patterns, or it was not found in time.
        """
        h, w, n = self.program, len(self.workers), self.program.getNumCol()
        columns = np.arange(n, dtype=np.int32)
        h.changeColsIntegrality(n, columns, np.full(n, highspy.HighsVarType.kInteger))
        h.changeColsBounds(n, columns, np.zeros(n), np.ones(n))
        for name, value in (
            ("mip_rel_gap", 0.0),
            ("mip_abs_gap", 0.9),
            ("objective_bound", below - 0.5),
            ("time_limit", h.getRunTime() + time_limit_s),
        ):
            h.setOptionValue(name, value)
        h.run()
        if h.getInfo().objective_function_value >= below - 0.5:
            return None
        x = np.array(h.getSolution().col_value)
        empty = [Pattern(g, (), 0) for g, v in zip(self.workers, x[:w], strict=True) if v > 0.5]
        return empty + [p for p, v in zip(self.patterns, x[w:], strict=True) if v > 0.5]
