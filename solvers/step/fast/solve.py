"""The fast solver of a step: lower bounds, a greedy fill towards them, and local search.

A valid plan is made first and every later move keeps it valid, so no effort level can return
anything else.
"""

import numpy as np

from solvers.arrays import max_of, sum_of
from solvers.compiled import compiled
from solvers.step.bounds.lattice import lattice_bound, spacing
from solvers.step.bounds.nested import nested_bound
from solvers.step.bounds.relaxation import closed_form_bounds, deficit
from solvers.step.fast.enumeration import best_choice, choices
from solvers.step.fast.local_moves import exchange, gather, level_out, lower_top, replace
from solvers.step.fast.local_search import search_exchanges
from solvers.step.fast.partial_assignment import Plan, empty_plan, fill
from solvers.step.problem import WAITS, Assignment, StepProblem, StepSolution
from solvers.step.sorted_sizes import Pool, indexed, sorted_pool
from theory.model import InputError, IntArray

# Each level is up to 16 times the work of the one before: this one already takes days for a step.
MOST_EFFORT = 8


@compiled
def _value(plan: Plan) -> int:
    """Imbalance of a plan."""
    return plan.after.size * max_of(plan.after) - sum_of(plan.after)


@compiled
def improve(plan: Plan, pool: Pool, level: int, lower: int, effort: int) -> None:
    """Local search in a plan aimed at ``level``, until ``lower`` is reached or nothing helps."""
    rounds = 1 << (3 * effort - 2)
    choice = plan.item.size < pool.sizes.size
    value = before = _value(plan)
    if value <= lower:
        return
    # Once: this may raise the imbalance, which no move of the loop does, so that the loop ends.
    for g in range(plan.after.size):
        if plan.after[g] > level:
            exchange(plan, pool, g, level - plan.after[g])
    while value > lower:
        before = value
        lower_top(plan, pool, level, rounds)
        gather(plan, pool, 4 * effort)
        if choice:
            replace(plan, pool)
        value = _value(plan)
        if effort == 1 or value == before:
            return


@compiled
def begin(
    loads: IntArray, room: IntArray, sizes: IntArray, effort: int
) -> tuple[Plan, Pool, int, int]:
    """Make a plan for a step; with its pool, and bounds of the largest load and the imbalance.

    Arguments as in :func:`balance`, ``room`` the free slots up to ``n``.
    """
    n = sizes.size
    pool = sorted_pool(sizes)
    level, lower, threshold = closed_form_bounds(loads, room, pool)
    plan = empty_plan(loads, room, n)
    if plan.item.size == 0:
        return plan, pool, level, lower
    aim = level
    q = spacing(sizes)
    if q > 1 and plan.item.size <= n:
        aim, least = lattice_bound(loads, room, pool, level, q)
        threshold = deficit(loads, room, pool, aim)[1]
        lower = max(lower, least)
    if effort > 0 and choices(room, n) <= 1 << (6 + 3 * effort):
        return plan, pool, level, best_choice(plan, pool)
    fill(plan, pool, aim, threshold)
    if effort > 0 and _value(plan) > lower:
        pool = indexed(pool)
        if plan.item.size < n:
            evaluations = 1 << (3 * effort - 1)
            upper = _value(plan)
            none = np.empty(0, np.int64)
            lower = nested_bound(loads, room, pool, level, lower, upper, evaluations, none)
        improve(plan, pool, aim, lower, effort)
    return plan, pool, level, lower


@compiled
def finish(plan: Plan, pool: Pool, out_worker: IntArray) -> int:
    """Level out the plan and write down who takes each request; the imbalance."""
    out_worker[:] = WAITS
    if plan.item.size == 0:
        return _value(plan)
    level_out(plan, pool)
    for g in range(plan.after.size):
        for k in range(plan.start[g], plan.start[g] + plan.taken[g]):
            out_worker[plan.item[k]] = g
    return _value(plan)


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
        0 takes the first plan and the bound of the linear relaxation.  1 looks at every assignment
        where there are at most 512, and else exchanges requests and sharpens the bound a little.
        What 2 and more add is in :func:`solve_step`.
    out_worker : int64[n]
        Filled with the worker of each request, or -1 for one that waits.

    Returns
    -------
    imbalance, lower_bound : int
        The imbalance reached, and a bound below which no valid assignment can be.
    """
    room = np.empty(free.size, np.int64)
    for g in range(free.size):
        room[g] = min(free[g], sizes.size)
    plan, pool, _, lower = begin(loads, room, sizes, effort)
    return finish(plan, pool, out_worker), lower


def check_effort(effort: int) -> None:
    """Refuse an effort that no machine can spend.

    Raises
    ------
    InputError
        If it is negative or beyond :data:`MOST_EFFORT`.
    """
    if not 0 <= effort <= MOST_EFFORT:
        raise InputError(f"effort must be an integer of 0 to {MOST_EFFORT}, got {effort}")


def solve_step(problem: StepProblem, effort: int = 1) -> StepSolution:
    """Solve one step with :func:`balance`; among equal sizes the oldest request goes first.

    Parameters
    ----------
    problem : StepProblem
        The step.
    effort : int
        0 is the fastest, 1 the default, as in :func:`balance`.  2 and more are for certification:
        where the pool is larger than the free slots they search thoroughly
        (:mod:`solvers.step.fast.local_search`), each level 16 times as long as the one before, up
        to :data:`MOST_EFFORT`.

    Returns
    -------
    StepSolution
        A valid assignment, its imbalance and a lower bound, exact.

    Raises
    ------
    InputError
        If the effort is negative or beyond the largest.

    Examples
    --------
    >>> solution = solve_step(StepProblem(loads=[0, 4], free=[1, 1], pool=[5, 1, 2]))
    >>> solution.assignment.tolist(), solution.imbalance, solution.optimal  # loads (5, 5)
    ([0, 1, -1], 0, True)
    """
    check_effort(effort)
    order = np.argsort(problem.pool, kind="stable")
    sizes = problem.pool[order]
    worker = np.empty(sizes.size, np.int64)
    loads, room = problem.loads.copy(), np.minimum(problem.free, sizes.size)
    plan, pool, level, lower = begin(loads, room, sizes, effort)
    if effort > 1 and 0 < plan.item.size < sizes.size and _value(plan) > lower:
        lower = search_exchanges(loads, room, pool, plan, level, lower, effort)
    value = finish(plan, pool, worker)
    # Equal sizes can be exchanged freely: in arrival order they go to ascending workers, then wait.
    worker[worker == WAITS] = problem.workers
    worker = worker[np.lexsort((worker, sizes))]
    worker[worker == problem.workers] = WAITS
    assignment: Assignment = np.empty(sizes.size, np.int64)
    assignment[order] = worker
    return StepSolution(assignment, int(value), int(lower))
