"""The admission step over a look-ahead window, ``H > 0``: BF-IO with predicted departures.

The loads of the next ``H + 1`` steps are predicted from the requests that run now; a request that
is admitted now adds its size, grows, and may end within the window.  The window problem chooses
the admissions that minimise the sum of the predicted imbalances.  It is solved by starting from
single steps (the present one, and the window added up) and exchanging requests, every exchange
priced exactly over the whole window; all costs are linear in ``H``.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from solvers.balance import solve_step
from solvers.bounds import bound
from solvers.compiled import compiled
from solvers.pool import sorted_pool
from solvers.step import WAITS, Assignment, StepProblem, StepSolution
from theory.model import INT_LIMIT, InputError, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class WindowProblem:
    """One admission step that looks ``H`` steps ahead.

    Parameters
    ----------
    loads : int64[H + 1, G]
        Predicted loads of the requests that run now, at this step and the next ``H``, ``>= 0``.
    free : int64[G]
        Free slots at this step.
    pool : int64[n]
        Sizes of the waiting requests in arrival order, ``>= 1``.
    lengths : int64[n], optional
        Predicted output lengths ``>= 1``; without them no new request ends in the window.
    growth : int
        Growth of a request from one step to the next, ``>= 0``.

    Raises
    ------
    InputError
        If shapes or ranges are wrong, or sums over the window do not fit an int64.

    Notes
    -----
    Source: paper, BF-IO(H); solver-notes, exact step problem for ``H > 0``.
    """

    loads: IntArray
    free: IntArray
    pool: IntArray
    lengths: IntArray | None
    growth: int

    def __init__(
        self,
        loads: ArrayLike,
        free: ArrayLike,
        pool: ArrayLike,
        lengths: ArrayLike | None = None,
        growth: int = 1,
    ) -> None:
        rows = np.asarray(loads)
        if rows.ndim != 2 or rows.shape[0] == 0 or rows.dtype.kind not in "iu":
            raise InputError("loads must be integers, one row for each step of the window")
        if not 0 <= growth < 2**31:
            raise InputError(f"growth must be an integer in [0, 2^31), got {growth!r}")
        steps = [StepProblem(row, free, pool) for row in rows]
        object.__setattr__(self, "loads", np.array([step.loads for step in steps]))
        object.__setattr__(self, "free", steps[0].free)
        object.__setattr__(self, "pool", steps[0].pool)
        object.__setattr__(self, "growth", growth)
        object.__setattr__(self, "lengths", None)
        if lengths is not None:
            column = np.asarray(lengths)
            if column.shape != self.pool.shape or (column.size and column.dtype.kind not in "iu"):
                raise InputError(
                    f"lengths must hold one integer for each of the {self.pool.size} requests"
                )
            if column.size and int(column.min()) < 1:
                raise InputError("lengths must be >= 1")
            object.__setattr__(self, "lengths", np.array(column, dtype=np.int64))
        most = sum(self.pool.tolist()) + self.pool.size * rows.shape[0] * growth
        if rows.shape[1] * (sum(map(int, rows.flat)) + rows.shape[0] * most) >= INT_LIMIT:
            raise InputError("G * (sum of loads and sizes over the window) must stay below 2^62")
        for array in (self.loads, self.lengths):
            if array is not None:
                array.flags.writeable = False

    @property
    def step(self) -> StepProblem:
        """The first step of the window by itself: the rules of an assignment are its rules."""
        return StepProblem(self.loads[0], self.free, self.pool)

    def weights(self) -> IntArray:
        """Load of each waiting request at each step of the window if admitted, int64[n, H + 1]."""
        ahead = np.arange(self.loads.shape[0])
        weight: IntArray = self.pool[:, None] + self.growth * ahead
        if self.lengths is not None:
            weight = np.where(ahead < self.lengths[:, None], weight, 0)
        return weight

    def objective(self, assignment: Assignment) -> int:
        """Sum of the imbalances over the window, in exact ints."""
        after = self.loads.copy()
        chosen = assignment != WAITS
        for row, column in zip(after, self.weights()[chosen].T, strict=True):
            np.add.at(row, assignment[chosen], column)
        workers = after.shape[1]
        return sum(workers * max(row) - sum(row) for row in after.tolist())


def solve_window(problem: WindowProblem, effort: int = 1) -> StepSolution:
    """Admit requests so that the sum of imbalances over the window is small.

    Parameters
    ----------
    problem : WindowProblem
        The window.
    effort : int
        0 takes the better of the starting points, 1 improves it, 2 and more improve every one
        and search wider.

    Returns
    -------
    StepSolution
        A valid assignment, its objective over the window, and a lower bound of the optimum.
    """
    weights = problem.weights()
    starts = [
        solve_step(problem.step, effort).assignment,
        solve_step(
            StepProblem(problem.loads.sum(axis=0), problem.free, weights.sum(axis=1)), effort
        ).assignment,
    ]
    starts.sort(key=problem.objective)
    if effort > 0 and problem.pool.size:
        order = np.argsort(weights.sum(axis=1), kind="stable")
        # One more row, of zeros, stands for a slot that stays free.
        padded = np.zeros((order.size + 1, weights.shape[1]), np.int64)
        padded[:-1] = weights[order]
        if effort == 1:
            del starts[1:]
        for start in starts:
            worker = start[order]
            _exchange(problem.loads.copy(), problem.free.copy(), padded, worker, 4**effort)
            start[order] = worker
        starts.sort(key=problem.objective)
    return StepSolution(starts[0], problem.objective(starts[0]), window_bound(problem))


def window_bound(problem: WindowProblem) -> int:
    """Lower bound: the sum of the bounds of the steps, each with a choice of its own."""
    room = np.minimum(problem.free, problem.pool.size)
    return sum(
        int(bound(row.copy(), room, sorted_pool(np.sort(column)))[1])
        for row, column in zip(problem.loads, problem.weights().T, strict=True)
    )


@compiled
def _exchange(
    loads: IntArray, free: IntArray, weights: IntArray, worker: IntArray, width: int
) -> None:
    """Exchange requests, changing ``worker``, until no exchange in reach lowers the objective.

    In reach of a request are those at distances up to ``width``, and at powers of two, in the
    order of their weights, and free slots.
    """
    n = worker.size
    ahead, G = loads.shape
    free = free.copy()
    for i in range(n):
        if worker[i] >= 0:
            loads[:, worker[i]] += weights[i]
            free[worker[i]] -= 1
    top = np.empty((ahead, 3), np.int64)
    who = np.empty((ahead, 3), np.int64)
    _tops(loads, top, who)
    improved = True
    while improved:
        improved = False
        for i in range(n):
            p = worker[i]
            if p < 0:
                continue
            best = 0
            partner = -1
            target = -1
            for direction in (-1, 1):
                distance = 1
                while 0 <= i + direction * distance < n:
                    j = i + direction * distance
                    if worker[j] != p:
                        change = _change(loads, top, who, weights[i], weights[j], p, worker[j])
                        if change < best:
                            best, partner, target = change, j, worker[j]
                    distance += 1 if distance < width else distance
            for q in range(G):
                if free[q] > 0 and q != p:
                    change = _change(loads, top, who, weights[i], weights[n], p, q)
                    if change < best:
                        best, partner, target = change, n, q
            if best < 0:
                loads[:, p] += weights[partner] - weights[i]
                if target >= 0:
                    loads[:, target] -= weights[partner] - weights[i]
                worker[i] = target
                if partner < n:
                    worker[partner] = p
                else:
                    free[p] += 1
                    free[target] -= 1
                _tops(loads, top, who)
                improved = True


@compiled
def _tops(loads: IntArray, top: IntArray, who: IntArray) -> None:
    """The three largest loads of each step and their workers (-1 and -1 where there are fewer)."""
    top[:] = -1
    who[:] = -1
    for h in range(loads.shape[0]):
        for g in range(loads.shape[1]):
            load, at = loads[h, g], 2
            if load <= top[h, 2]:
                continue
            while at > 0 and load > top[h, at - 1]:
                top[h, at], who[h, at] = top[h, at - 1], who[h, at - 1]
                at -= 1
            top[h, at], who[h, at] = load, g


@compiled
def _change(
    loads: IntArray,
    top: IntArray,
    who: IntArray,
    out: IntArray,
    into: IntArray,
    p: int,
    q: int,
) -> int:
    """Change of the objective when ``p`` gives ``out`` to ``q`` for ``into``; -1 is the pool."""
    G = loads.shape[1]
    change = 0
    for h in range(loads.shape[0]):
        d = into[h] - out[h]
        # The largest load of the others is among the three largest.
        k = 0
        while k < 3 and (who[h, k] == p or who[h, k] == q):
            k += 1
        most = max(loads[h, p] + d, top[h, k] if k < 3 else -1)
        if q >= 0:
            most = max(most, loads[h, q] - d)
        else:
            change -= d
        change += G * (most - top[h, 0])
    return change
