"""Bounds of all levels without a table over rooms, whatever the size of the loads and of the slots.

To beat an imbalance ``UB`` the slacks ``M - L'_g`` must sum to less.  A worker without free slots
has the slack ``M - L_g``; the load of one with one or two free slots after admission is ``L_g`` and
a size or a sum of two, so its slack is small only just above these loads.  Together the conditions
leave short windows of levels; each level in them is settled by
:mod:`solvers.step.branch_and_price.level_enumeration`.  The bounds are exact integers.

Measured with a limit of 10 s on 278 steps that the fast solver leaves open at effort 3 (steady
state with B = 72, p = 0.03, pools of 8 G, G = 8 to 144; poor pools; makespan instances): the share
that branch and price proves is the same without it (274, with it 273), but LongBench-like steps
take 0.55 times as long with it (median of ratios; about 1 in other families).  Of 14 open steps
with more than 16 free slots on a worker, for which there are no pricing tables, it proves 5.
"""

import math
from bisect import bisect_right
from contextlib import suppress

import numpy as np

from solvers.compiled import compiled
from solvers.step.bounds.nested import nested_deficit
from solvers.step.bounds.relaxation import IMPOSSIBLE
from solvers.step.branch_and_price.deadline import LateError, check
from solvers.step.branch_and_price.level_enumeration import (
    Lists,
    Sizes,
    Step,
    last_entry_at_most,
    settle_level,
    singles_slack,
    sizes_of,
)
from solvers.step.exact.milp import assignment_of_counts, level_range
from solvers.step.problem import StepProblem, StepSolution
from solvers.step.sorted_sizes import Pool, sorted_pool
from theory.model import IntArray

# Most pairs of distinct sizes.
_MOST_PAIRS = 2**18

# Most columns of one worker that are listed.
_MANY = 2**13

# Most levels that are looked at, and most entries of the lists of columns.
_MOST_LEVELS = 2**21
_MOST_LISTED = 2**22

# Work between two looks at the clock: of settling levels, sizes looked at in random fillings, and
# workers in sharpening bounds.
_PIECE = 2**25
_TRIED = 2**27
_SHARPENED = 2**18


@compiled
def _split(
    low: IntArray, high: IntArray, slack: IntArray, slope: int, reached: IntArray, upper: int
) -> tuple[IntArray, IntArray, IntArray]:
    """Split windows of levels at the loads that one more worker can reach.

    Parameters
    ----------
    low, high, slack : int64[w]
        Disjoint windows in ascending order; the total slack at level ``low + i`` of a window is at
        least ``slack + slope * i``.
    reached : int64[r]
        Loads of the worker after admission, ascending.
    upper : int
        Levels whose total slack is at least this are left out.
    """
    count = 0
    windows = np.empty((3, 0), np.int64)
    for write in range(2):
        if write:
            windows = np.empty((3, count), np.int64)
        count = 0
        next_ = 0
        for w in range(low.size):
            while next_ < reached.size and reached[next_] <= low[w]:
                next_ += 1
            x = low[w]
            k = next_ - 1
            while x <= high[w]:
                end = high[w]
                if k + 1 < reached.size:
                    end = min(end, reached[k + 1] - 1)
                if k >= 0:
                    value = slack[w] + slope * (x - low[w]) + x - reached[k]
                    if value < upper and x <= end:
                        if write:
                            windows[0, count] = x
                            windows[1, count] = min(end, x + (upper - 1 - value) // (slope + 1))
                            windows[2, count] = value
                        count += 1
                k += 1
                x = end + 1
    return windows[0], windows[1], windows[2]


def _levels(
    problem: StepProblem, sizes: Sizes, upper: int, number: int, deadline: float
) -> tuple[IntArray, IntArray, int]:
    """Up to ``number`` levels, those of the least bounds; their bounds; a bound of the others.

    Only levels of a bound below ``upper`` count.
    """
    loads, free = problem.loads, problem.free
    full = loads[free == 0]
    none = np.empty(0, np.int64)
    least, most = level_range(problem, upper - 1)
    if most < least:
        return none, none, upper
    slope = full.size
    slack = least * slope - int(full.sum())
    low, high, each = np.array([least]), np.array([most]), np.array([slack])
    for c, sums in ((1, sizes.values), (2, np.unique(sizes.pairs.total))):
        for g in np.flatnonzero(free == c).tolist():
            check(deadline)
            low, high, each = _split(low, high, each, slope, sums + loads[g], upper)
            slope += 1

    def lengths(below: int) -> IntArray:
        length = high - low + 1
        if slope:
            length = np.minimum(length, -((each - below) // slope))
        return np.where(each < below, length, 0)

    below = upper
    if lengths(below).sum() > number:
        below = bisect_right(range(upper), number, key=lambda x: int(lengths(x).sum())) - 1
    length = lengths(below)
    offset = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    return np.repeat(low, length) + offset, np.repeat(each, length) + slope * offset, below


@compiled
def _sharpen(
    step: Step, free: IntArray, pool: Pool, levels: IntArray, bounds: IntArray, upper: int
) -> None:
    """Raise the bounds of levels by the matching of single slots and by the caps of all slots."""
    values, supply = step.sizes.values, step.sizes.supply
    member = np.empty(free.size, np.bool_)
    for k in range(levels.size):
        level = int(levels[k])
        together = singles_slack(step, level, supply)
        if together == IMPOSSIBLE:
            bounds[k] = IMPOSSIBLE
            continue
        bounds[k] += together
        for g in step.singles:
            room = level - step.loads[g]
            bounds[k] -= room - values[last_entry_at_most(values, room)]
        if bounds[k] < upper:
            for g in range(member.size):
                member[g] = True
            nested = nested_deficit(step.loads, free, pool, level, level, member, 4)
            bounds[k] = max(bounds[k], nested)


@compiled
def _settle(
    step: Step,
    levels: IntArray,
    bounds: IntArray,
    upper: int,
    lists: Lists,
    effort: tuple[int, int, int, int],
    best: IntArray,
) -> tuple[int, int, int]:
    """Settle the levels, in ascending order of their bounds, each with growing effort.

    Parameters
    ----------
    bounds : int64[l]
        Raised.
    effort : (first, most, budget, tries)
        Where to go on, the work after which to stop, that of one search, and the most random
        fillings in it.

    Returns
    -------
    upper, next, work : int
        The best imbalance, where to go on (behind the last level where all is done), and the work
        done.
    """
    first, most, budget, most_tries = effort
    state = np.ones(1, np.uint64)
    work = 0
    for at in range(first, 4 * levels.size):
        k, grade = at >> 2, at & 3
        if bounds[k] >= upper:
            if grade == 0:
                break
            continue
        if work > most:
            return upper, at, work
        widest, tries = ((2, 64), (3, 512), (4, 2048), (5, 16384))[grade]
        search = (widest, min(tries, most_tries), budget)
        upper, bound, done = settle_level(step, int(levels[k]), upper, search, lists, state, best)
        work += done
        bounds[k] = max(bounds[k], bound)
    return upper, 4 * levels.size, work


def prove(
    problem: StepProblem, start: StepSolution, budget: int, deadline: float = math.inf
) -> StepSolution:
    """Improve a solution and raise its bound until the two meet or the budget is spent.

    Parameters
    ----------
    problem : StepProblem
        Any step; where sizes have more than 2^18 pairs, or there are fewer requests than free
        slots, the start is returned.
    start : StepSolution
        A solution with its bound.
    budget : int
        Operations after which to stop, some nanoseconds each.
    deadline : float
        Time of ``time.monotonic`` at which to stop.

    Returns
    -------
    StepSolution
        No worse on either side; its bound is exact.

    Examples
    --------
    2 + 4 and 1 + 5 are equal loads.

    >>> problem = StepProblem([2, 1], [1, 1], [4, 5, 9])
    >>> prove(problem, StepSolution(np.array([-1, 0, 1]), 3, 0), 2**20).assignment.tolist()
    [0, 1, -1]
    """
    n, slots = problem.pool.size, problem.free_slots
    if start.optimal or n < slots or slots == 0:
        return start
    _, supply = np.unique(problem.pool, return_counts=True)
    if supply.size * (supply.size - 1) // 2 + np.count_nonzero(supply > 1) > _MOST_PAIRS:
        return start
    sizes = sizes_of(problem.pool)
    G = problem.workers
    loads, free = problem.loads.copy(), problem.free.copy()
    by_load = np.argsort(loads, kind="stable")
    first = np.concatenate(([0], np.cumsum(free)))
    step = Step(loads, first, by_load, by_load[free[by_load] == 1], sizes)
    many = min(_MANY, max(1, _MOST_LISTED // G))
    lists = Lists(np.empty((G, many, 5), np.int64), np.empty((G, many), np.int64))
    pool = sorted_pool(np.sort(problem.pool))
    best = np.empty(slots, np.int64)
    upper, lower = start.imbalance, start.lower_bound
    further = max(1, (upper - lower) >> 8)
    # Random fillings that are looked at between two looks at the clock.
    tries = max(1, _TRIED // (G * sizes.values.size))
    with suppress(LateError):
        while lower < upper:
            # A goal little above the bound leaves few columns, and often has a solution already.
            goal = min(upper, lower + further)
            number = max(1, min(budget >> 10, _MOST_LEVELS))
            levels, bounds, elsewhere = _levels(problem, sizes, goal, number, deadline)
            some = max(1, _SHARPENED // G)
            for k in range(0, levels.size, some):
                check(deadline)
                _sharpen(step, free, pool, levels[k : k + some], bounds[k : k + some], goal)
            order = np.argsort(bounds, kind="stable")
            levels, bounds = levels[order], bounds[order]
            found, at = goal, 0
            single = min(max(1, budget >> 5), _PIECE)
            while at < 4 * levels.size and budget >= 0:
                check(deadline)
                effort = at, min(budget, _PIECE), single, tries
                better, at, work = _settle(step, levels, bounds, found, lists, effort, best)
                budget -= work
                if better < min(found, upper):
                    upper = better
                found = better
            bound = min(int(bounds.min(initial=IMPOSSIBLE)), elsewhere, found)
            lower = max(lower, bound)
            if found == goal and bound < goal:
                break
            # After an improvement the levels that were left open are settled again.
            further *= 4
    if upper == start.imbalance:
        return StepSolution(start.assignment, upper, lower)
    chosen = [(g, int(sizes.values[i]), 1) for g in range(G) for i in best[first[g] : first[g + 1]]]
    assignment = assignment_of_counts(problem, chosen)
    return StepSolution(assignment, problem.objective(assignment), lower)
