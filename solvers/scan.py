"""Proven optima of steps that no monolithic integer program solves: a scan over the level.

For a fixed largest load ``M`` the step asks each worker to come as close to ``M`` as it can.  Every
worker takes a pattern (:mod:`solvers.patterns`), and prices on the requests give, from one
knapsack table, a lower bound at *every* level at once (:mod:`solvers.level_bounds`).  The scan
takes the level with the least bound, improves the prices there by column generation until the bound
is that of the pattern relaxation (:mod:`solvers.pattern_relaxation`), looks for an assignment that
reaches it (:mod:`solvers.level_search`), and goes on until no level is left whose bound is below
the best assignment.  Where sizes are too large for the table, the few levels that workers with few
free slots leave open are settled one by one (:mod:`solvers.level_windows`).

The bounds are evaluated in integers, whatever the linear programs did, so a claim of optimality
rests on the knapsack table alone.  The relaxation is so tight that most steps need no branching.
"""

import math
import time

import numpy as np

from solvers.balance import solve_step
from solvers.level_bounds import TooLargeError
from solvers.level_search import WAYS, dive
from solvers.level_windows import prove
from solvers.pattern_relaxation import Relaxation
from solvers.patterns import SCALE
from solvers.step import StepProblem, StepSolution

# Work of the two looks at the levels that the workers with few slots leave open: before the scan,
# and after it, where loads and sizes are too large for its tables; and the work of a second.
_SHORT = 2**24
_LONG = 2**34
_PER_SECOND = 2**30


def scan(state: Relaxation) -> None:
    """Scan until the two sides meet, the time is over, or a level cannot be decided."""
    levels = state.levels
    slots = sum(levels.free.tolist())
    descending = np.sort(state.problem.pool)[::-1]
    for rank in (0, slots // 8, slots // 4, slots // 2, slots - 1):
        if time.monotonic() > state.deadline:
            return
        over = descending[min(rank, descending.size - 1)]
        prices = np.maximum(0, levels.sizes - over) * SCALE
        levels.price(levels.whole(0), prices)
        levels.raise_all(prices)
    while time.monotonic() < state.deadline and levels.lower.min() < state.upper:
        at = int(np.argmin(levels.lower))
        prices = levels.prices.get(at, np.zeros_like(levels.sizes))
        goal = int(levels.lower[at])
        root = state.relax(at, levels.whole(at), goal, prices, state.promising(at, prices))
        for way in WAYS:
            # Only the level with the least bound is worth more than a dive, and where levels are
            # taken several at a time no more can be settled.
            least = levels.lower[at] == levels.lower.min() and levels.unit == 1
            if levels.lower[at] < state.upper and (way is dive or least):
                way(state, at, root)
        if levels.lower[at] == levels.lower.min() < state.upper:
            return


def solve_scan(problem: StepProblem, time_limit_s: float | None = None) -> StepSolution:
    """Optimal assignment of one step, by bounds at every level and column generation.

    Parameters
    ----------
    problem : StepProblem
        Any.  With more than 16 free slots on a worker, or loads beyond 2^46 in sum, there is no
        scan; where loads and sizes are too large for a table, it takes levels several at a time,
        and its two sides come near each other but rarely meet.  What it leaves open is settled
        only where there are no more than some 700 distinct sizes, and not always.
    time_limit_s : float, optional
        Wall-clock limit; what was found by then is returned.

    Returns
    -------
    StepSolution
        ``lower_bound`` is proved in integer arithmetic; no solver's word is taken for it.
    """
    deadline = math.inf if time_limit_s is None else time.monotonic() + time_limit_s
    start = prove(problem, solve_step(problem, effort=3), _SHORT)
    if start.optimal:
        return start
    try:
        state = Relaxation(problem, start, deadline)
    except TooLargeError:
        found = start
    else:
        if state.levels.lower.size:
            scan(state)
        found = StepSolution(state.best, state.upper, max(state.lower, start.lower_bound))
    left = min(_LONG / _PER_SECOND, deadline - time.monotonic())
    return prove(problem, found, int(left * _PER_SECOND)) if left > 0 else found
