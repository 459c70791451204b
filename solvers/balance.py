"""The BF-IO step, fast: bounds first, then a fill towards them, then exact local moves.

A valid plan is made first and every later move keeps it valid, so no effort level can return
anything else.
"""

import numpy as np

from solvers.bounds import bound, deficit
from solvers.compiled import compiled
from solvers.moves import gather, level_out, lower_top, replace, replace_pairs
from solvers.nested import nested_bound
from solvers.plan import Plan, empty_plan, fill
from solvers.pool import Pool, indexed, sorted_pool
from solvers.step import WAITS, Assignment, StepProblem, StepSolution
from theory.model import IntArray


@compiled
def _value(plan: Plan) -> int:
    """Imbalance of a plan."""
    return int(plan.after.size * np.max(plan.after) - np.sum(plan.after))


@compiled
def _improve(plan: Plan, pool: Pool, level: int, lower: int, effort: int) -> None:
    """Local search in a plan aimed at ``level``, until ``lower`` is reached or nothing helps."""
    rounds = 2 ** (3 * effort - 1)
    lower_top(plan, pool, level, rounds)
    value = _value(plan)
    while value > lower:
        before = value
        gather(plan, pool, 4 * effort)
        if plan.item.size < pool.sizes.size:
            replace(plan, pool)
            if effort > 1:
                replace_pairs(plan, pool, 2**effort)
        else:
            lower_top(plan, pool, level, rounds)
        value = _value(plan)
        if effort == 1 or value == before:
            return


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
        0 takes the first plan and the bound of the linear relaxation.  1 also exchanges requests
        and sharpens the bound a little.  2 and more search and bound longer, each level about ten
        times as long as the one before, and try larger loads than the least possible.
    out_worker : int64[n]
        Filled with the worker of each request, or -1 for one that waits.

    Returns
    -------
    imbalance, lower_bound : int
        The imbalance reached, and a bound below which no valid assignment can be.
    """
    out_worker[:] = WAITS
    n = sizes.size
    room = np.minimum(free, n)
    pool = sorted_pool(sizes)
    level, lower, threshold = bound(loads, room, pool)
    plan = empty_plan(loads, room, n)
    if plan.item.size == 0:
        return _value(plan), lower
    fill(plan, pool, level, threshold)
    value = _value(plan)
    if effort > 0 and value > lower:
        pool = indexed(pool)
        choice = plan.item.size < n
        evaluations = 2 ** (3 * effort - 1)
        if choice:
            replace(plan, pool)
            lower = nested_bound(loads, room, pool, level, lower, _value(plan), evaluations)
        _improve(plan, pool, level, lower, effort)
        value = _value(plan)
        if effort > 1 and choice and value > lower:
            # A largest load above the least possible may be better.
            tries = 8 ** (effort - 1)
            span = (value - lower) / max(1, np.sum(room == 0))
            most = np.max(loads) + pool.sums[n]
            for t in range(1, tries + 1):
                aim = int(min(most, level + span * (t / tries) ** 2))
                floor, threshold = deficit(loads, room, pool, aim)
                if value == lower or floor >= value:
                    break
                other = empty_plan(loads, room, n)
                fill(other, pool, aim, threshold)
                replace(other, pool)
                _improve(other, pool, aim, lower, effort)
                if _value(other) < value:
                    plan = other
                    value = _value(plan)
            lower = nested_bound(loads, room, pool, level, lower, value, evaluations)
    level_out(plan, pool)
    for g in range(loads.size):
        for k in range(plan.start[g], plan.start[g] + plan.taken[g]):
            out_worker[plan.item[k]] = g
    return _value(plan), lower


def solve_step(problem: StepProblem, effort: int = 1) -> StepSolution:
    """Solve one step with :func:`balance`; among equal sizes the oldest request goes first.

    Parameters
    ----------
    problem : StepProblem
        The step.
    effort : int
        As in :func:`balance`: 0 is the fastest, 1 the default, 2 and more are for certification.

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
