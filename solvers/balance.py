"""The BF-IO step, fast: bounds first, then a fill towards them, then exact local moves.

A valid plan is made first and every later move keeps it valid, so no effort level can return
anything else.
"""

import numpy as np

from solvers.bounds import bound, prefix_sums
from solvers.compiled import compiled
from solvers.moves import level_out, replace
from solvers.plan import empty_plan, fill
from solvers.step import WAITS, Assignment, StepProblem, StepSolution
from theory.model import IntArray


@compiled
def balance(
    loads: IntArray, free: IntArray, sizes: IntArray, effort: int, out_worker: IntArray
) -> tuple[int, int]:
    """Choose the requests to admit and their workers, aiming at the least imbalance.

    Parameters
    ----------
    loads, free : int64[G]
        Loads before admission and free slots.
    sizes : int64[n]
        The pool in ascending order.
    effort : int
        0 is the fastest, 1 the default, 2 and more search longer.
    out_worker : int64[n]
        Filled with the worker of each request, or -1 for one that waits.

    Returns
    -------
    imbalance, lower_bound : int
        The imbalance reached, and a bound below which no valid assignment can be.
    """
    G = loads.size
    n = sizes.size
    out_worker[:] = WAITS
    room = np.minimum(free, n)
    sums = prefix_sums(sizes)
    level, lower, threshold = bound(loads, room, sizes, sums)
    plan = empty_plan(loads, room, n)
    if n > 0 and plan.item.size > 0:
        fill(plan, sizes, sums, level, threshold)
        for _ in range(4 * effort):
            if not replace(plan, sizes):
                break
        level_out(plan, sizes)
    for g in range(G):
        for k in range(plan.start[g], plan.start[g] + plan.taken[g]):
            out_worker[plan.item[k]] = g
    return int(G * np.max(plan.after) - np.sum(plan.after)), lower


def solve_step(problem: StepProblem, effort: int = 1) -> StepSolution:
    """Solve one step with :func:`balance`; among equal sizes the oldest request goes first.

    Parameters
    ----------
    problem : StepProblem
        The step.
    effort : int
        0 is the fastest, 1 the default, 2 and more search longer.

    Returns
    -------
    StepSolution
        A valid assignment, its imbalance and a lower bound, exact.
    """
    order = np.argsort(problem.pool, kind="stable")
    sizes = problem.pool[order]
    worker = np.empty(sizes.size, np.int64)
    value, lower = balance(problem.loads.copy(), problem.free.copy(), sizes, effort, worker)
    # Equal sizes can be exchanged freely: in arrival order they go to ascending workers, then wait.
    worker[worker == WAITS] = problem.workers
    worker = worker[np.lexsort((worker, sizes))]
    worker[worker == problem.workers] = WAITS
    assignment: Assignment = np.empty(sizes.size, np.int64)
    assignment[order] = worker
    return StepSolution(assignment, int(value), int(lower))
