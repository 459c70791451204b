"""The admission step over a look-ahead window, ``H > 0``: BF-IO with predicted departures.

The loads of the next ``H + 1`` steps are predicted from the requests that run now.  A request that
is admitted now adds its size and grows; its length is unknown, so it stays for the whole window.
The window problem minimises the sum of the imbalances over the window.

A plan starts as that of a single step, the present one or the mean of the window, whichever is
better over the window, and is improved by the exchanges of :mod:`solvers.lookahead.exchanges`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from solvers.arrays import sum_of
from solvers.compiled import compiled
from solvers.lookahead.exchanges import improve, plan_of, value
from solvers.step.bounds.relaxation import closed_form_bounds
from solvers.step.fast.solve import balance, check_effort
from solvers.step.problem import WAITS, Assignment, StepProblem, StepSolution
from solvers.step.sorted_sizes import indexed, sorted_pool
from theory.model import INT_LIMIT, InputError, IntArray, extent


@dataclass(frozen=True, slots=True, eq=False)
class WindowProblem:
    """One admission step that looks ``H`` steps ahead.

    Parameters
    ----------
    ahead : int64[H + 1, G]
        Predicted loads of the requests that run now, at this step and the next ``H``, ``>= 0``.
    free : int64[G]
        Free slots at this step.
    pool : int64[n]
        Sizes of the waiting requests in arrival order, ``>= 1``.
    grown : int64[H + 1], optional
        How much a request grows from this step to each of these: 0 first, never less; one a step
        by default.

    Raises
    ------
    InputError
        If shapes or ranges are wrong, or sums over the window do not fit an int64.

    Notes
    -----
    Source: paper, BF-IO(H).
    """

    ahead: IntArray
    free: IntArray
    pool: IntArray
    grown: IntArray

    def __init__(
        self,
        ahead: ArrayLike,
        free: ArrayLike,
        pool: ArrayLike,
        grown: ArrayLike | None = None,
    ) -> None:
        rows = np.asarray(ahead)
        if rows.ndim != 2 or rows.shape[0] == 0 or rows.dtype.kind not in "iu":
            raise InputError("ahead must be integers, one row for each step of the window")
        growth = np.arange(rows.shape[0]) if grown is None else np.asarray(grown)
        if grown is not None and (
            growth.shape != rows.shape[:1]
            or growth.dtype.kind not in "iu"
            or growth[0] != 0
            or (np.diff(growth) < 0).any()
        ):
            raise InputError(
                f"grown must hold {rows.shape[0]} integers from 0 that do not decrease"
            )
        step = StepProblem(rows[0], free, pool)
        low, high, loads = extent(rows.ravel())
        if low < 0 or high >= INT_LIMIT:
            raise InputError("loads must hold integers in [0, 2^62)")
        most = extent(step.pool)[2] + step.pool.size * int(growth[-1])
        if rows.shape[1] * (loads + rows.shape[0] * most) >= INT_LIMIT:
            raise InputError("G * (sum of loads and sizes over the window) must stay below 2^62")
        for name, array in (
            ("ahead", np.array(rows, dtype=np.int64, order="C")),
            ("free", step.free),
            ("pool", step.pool),
            ("grown", growth.astype(np.int64)),
        ):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @property
    def step(self) -> StepProblem:
        """The first step of the window by itself: the rules of an assignment are its rules."""
        return StepProblem(self.ahead[0], self.free, self.pool)

    def loads_after(self, assignment: Assignment) -> IntArray:
        """Predicted loads after admission, int64[H + 1, G]; the assignment is taken as valid."""
        after = self.ahead.copy()
        chosen = assignment != WAITS
        for row, growth in zip(after, self.grown, strict=True):
            np.add.at(row, assignment[chosen], self.pool[chosen] + growth)
        return after

    def objective(self, assignment: Assignment) -> int:
        """Sum of the imbalances over the window, in exact ints."""
        after = self.loads_after(assignment)
        return sum(after.shape[1] * max(row) - sum(row) for row in after.tolist())


def solve_window(problem: WindowProblem, effort: int = 1) -> StepSolution:
    """Admit requests so that the sum of imbalances over the window is small.

    Parameters
    ----------
    problem : WindowProblem
        The window.
    effort : int
        0 takes the better of the starting plans; 1 improves it by exchanges with the pool, and
        where nothing waits between workers; 2 and more exchange between workers in any case, and
        improve every starting plan, up to :data:`solvers.step.fast.solve.MOST_EFFORT`.

    Returns
    -------
    StepSolution
        A valid assignment, its objective over the window, and a lower bound of the optimum.
        Among equal sizes the oldest request goes first.

    Raises
    ------
    InputError
        If the effort is negative or beyond the largest.

    Examples
    --------
    The request on worker 0 departs after this step, so the larger one waits for no one:

    >>> window = WindowProblem(ahead=[[4, 4], [0, 5]], free=[1, 1], pool=[1, 5])
    >>> solution = solve_window(window)
    >>> solution.assignment.tolist()  # loads (9, 5), then (6, 7)
    [1, 0]
    >>> solution.imbalance
    5
    """
    check_effort(effort)
    order = np.argsort(problem.pool, kind="stable")
    sizes = problem.pool[order]
    worker = np.empty(sizes.size, np.int64)
    balance_window(
        problem.ahead.copy(), problem.grown.copy(), problem.free.copy(), sizes, effort, worker
    )
    # Equal sizes can be exchanged freely: in arrival order they go to ascending workers, then wait.
    worker[worker == WAITS] = problem.free.size
    worker = worker[np.lexsort((worker, sizes))]
    worker[worker == problem.free.size] = WAITS
    assignment: Assignment = np.empty(sizes.size, np.int64)
    assignment[order] = worker
    return StepSolution(assignment, problem.objective(assignment), window_bound(problem))


def window_bound(problem: WindowProblem) -> int:
    """Lower bound of the window's optimum: the sum of the bounds of its steps, each by itself."""
    room = np.minimum(problem.free, problem.pool.size)
    sizes = np.sort(problem.pool)
    return sum(
        int(closed_form_bounds(row.copy(), room, sorted_pool(sizes + growth))[1])
        for row, growth in zip(problem.ahead, problem.grown, strict=True)
    )


@compiled
def balance_window(
    ahead: IntArray,
    grown: IntArray,
    free: IntArray,
    sizes: IntArray,
    effort: int,
    out_worker: IntArray,
) -> int:
    """Choose the requests to admit and their workers, aiming at the least sum of imbalances.

    Parameters
    ----------
    ahead, grown, free : int64[H + 1, G], int64[H + 1], int64[G]
        As in :class:`WindowProblem`.
    sizes : int64[n]
        The pool in ascending order.
    effort : int
        As in :func:`solve_window`.
    out_worker : int64[n]
        Filled with the worker of each request, or -1 for one that waits.

    Returns
    -------
    int
        The sum of the imbalances over the window.
    """
    pool = sorted_pool(sizes)
    if effort > 0 and sizes.size > 0:
        pool = indexed(pool)
    other_worker = np.empty(sizes.size, np.int64)
    balance(_mean_of_rows(ahead), free, sizes + sum_of(grown) // grown.size, 0, out_worker)
    balance(ahead[0].copy(), free, sizes, 0, other_worker)
    if effort > 1:
        plan = plan_of(ahead, grown, free, pool, out_worker)
        other = plan_of(ahead, grown, free, pool, other_worker)
        improve(plan, pool, grown, effort)
        improve(other, pool, grown, effort)
        if value(other) < value(plan):
            plan = other
    else:
        better = out_worker
        if _value_of(ahead, grown, sizes, other_worker) < _value_of(
            ahead, grown, sizes, out_worker
        ):
            better = other_worker
        plan = plan_of(ahead, grown, free, pool, better)
        if effort > 0:
            improve(plan, pool, grown, effort)
    out_worker[:] = WAITS
    for g in range(free.size):
        for k in range(plan.start[g], plan.start[g] + plan.taken[g]):
            out_worker[plan.item[k]] = g
    return value(plan)


@compiled
def _value_of(ahead: IntArray, grown: IntArray, sizes: IntArray, worker: IntArray) -> int:
    """Sum of the imbalances over the window, if each request goes to this worker."""
    steps, G = ahead.shape
    added, taken = np.zeros(G, np.int64), np.zeros(G, np.int64)
    for i in range(sizes.size):
        if worker[i] != WAITS:
            added[worker[i]] += sizes[i]
            taken[worker[i]] += 1
    result = np.int64(0)
    for h in range(steps):
        largest = np.int64(0)
        for g in range(G):
            load = ahead[h, g] + added[g] + taken[g] * grown[h]
            largest = max(largest, load)
            result -= load
        result += G * largest
    return int(result)


@compiled
def _mean_of_rows(ahead: IntArray) -> IntArray:
    """Mean load of each worker over the window, rounded down."""
    mean = np.zeros(ahead.shape[1], np.int64)
    for h in range(ahead.shape[0]):
        for g in range(mean.size):
            mean[g] += ahead[h, g]
    for g in range(mean.size):
        mean[g] //= ahead.shape[0]
    return mean
