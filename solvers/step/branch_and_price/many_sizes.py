"""Column generation for steps with many sizes, in which every slot is filled and requests wait.

Runs of levels share a bound, by the prices of a level nearby: slack from the lowest, room up to the
highest.  The run of the least bound is halved; where it is one level, a linear program of few
workers raises its bound, and if that still is the least, the level is searched
(:mod:`solvers.step.branch_and_price.level_search`).
"""

import heapq
import math
from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from solvers.step.branch_and_price.deadline import LateError
from solvers.step.branch_and_price.level_search import QUICK, LevelSearch
from solvers.step.branch_and_price.pricing import too_large
from solvers.step.exact.milp import level_range
from solvers.step.problem import StepProblem, StepSolution

# Where there are more distinct sizes than this, and more than half as many as requests.
MANY = 2**8

# What was done for a bound: a linear program of few workers, prices of elsewhere, a search.  Of two
# equal bounds the one that comes first here goes on first.
_BOUNDED, _PRICED, _SEARCHED = range(3)


def approach_many_sizes(
    problem: StepProblem, start: StepSolution, deadline: float = math.inf
) -> Iterator[StepSolution]:
    """Improve a solution and raise its bound; it ends where one level keeps the least bound.

    Parameters
    ----------
    problem : StepProblem
        A step with more requests than free slots; with others, or loads that are too
        large for :mod:`solvers.step.branch_and_price.pricing`, there is only the start.
    start : StepSolution
        A solution with its bound.
    deadline : float
        Time of ``time.monotonic`` at which to stop.
    """
    search = LevelSearch(problem, start, deadline)
    lower = start.lower_bound
    slots = problem.free_slots
    if too_large(problem) or not 0 < slots < problem.pool.size:
        yield start
        return
    least, most = level_range(problem, start.imbalance - 1)
    workers = np.flatnonzero(problem.free)
    # Runs of levels: bound, how much was done for it, lowest and highest level.
    # The lowest level is searched first: its prices serve the others.
    runs = [(lower, _BOUNDED, least, least), (lower, _PRICED, least + 1, most)]
    runs = [run for run in runs if run[2] <= run[3]]
    with suppress(LateError):
        if runs:
            search.begin(least)
        while True:
            lower = max(lower, min(search.upper, runs[0][0] if runs else search.upper))
            yield StepSolution(search.best, search.upper, lower)
            if lower >= search.upper or runs[0][1] == _SEARCHED:
                break
            bound, done, low, high = runs[0]
            parts = []
            if done == _BOUNDED:
                parts.append((max(bound, search.solve(low)), _SEARCHED, low, low))
            else:
                middle = (low + high) // 2
                for run in ((low, middle), (middle + 1, high)) if low < high else ((low, low),):
                    reached, done = search.price(search.prices, *run, workers, QUICK)[0], _PRICED
                    if low == high and reached <= bound:
                        reached, done = search.start(low)[1], _BOUNDED
                    parts.append((max(bound, reached), done, *run))
            # Only now, so that the bound is there if time runs out before.
            heapq.heappop(runs)
            for part in parts:
                heapq.heappush(runs, part)
    if runs and lower < search.upper:
        # What was proved of the level amid which time ran out.
        bound, _, low, high = heapq.heappop(runs)
        if low == high == search.level:
            bound = max(bound, search.bound)
        lower = min(search.upper, bound, *(run[0] for run in runs[:1]))
    yield StepSolution(search.best, search.upper, max(lower, start.lower_bound))
