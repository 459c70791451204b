"""Proven optima of steps that no monolithic integer program solves: a scan over the level.

For a fixed largest load ``M`` the step asks each worker to come as close to ``M`` as it can.  Every
worker takes a pattern (:mod:`solvers.patterns`), and prices on the requests give, from one
knapsack table, a lower bound at *every* level at once (:mod:`solvers.level_bounds`).  The scan
takes the level with the least bound, improves the prices there by column generation until the bound
is that of the pattern relaxation (:mod:`solvers.pattern_relaxation`), looks for an assignment that
reaches it (:mod:`solvers.level_search`), and goes on until no level is left whose bound is below
the best assignment.

The bounds are evaluated in integers, whatever the linear programs did, so a claim of optimality
rests on the knapsack table alone.  The relaxation is so tight that most steps need no branching.
"""

import math
import time

import numpy as np

from solvers.balance import solve_step
from solvers.level_bounds import TooLargeError
from solvers.level_search import WAYS, dive
from solvers.pattern_relaxation import Relaxation
from solvers.patterns import SCALE
from solvers.step import StepProblem, StepSolution


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
        Any.  With more than 16 free slots on a worker, or loads beyond 2^46 in sum, the result is
        that of :func:`solvers.balance.solve_step`; where loads and sizes are too large for a table,
        levels are taken several at a time, and the two sides come near each other but rarely meet.
    time_limit_s : float, optional
        Wall-clock limit; what was found by then is returned.

    Returns
    -------
    StepSolution
        ``lower_bound`` is proved in integer arithmetic; no solver's word is taken for it.
    """
    start = solve_step(problem, effort=3)
    if start.optimal:
        return start
    deadline = math.inf if time_limit_s is None else time.monotonic() + time_limit_s
    try:
        state = Relaxation(problem, start, deadline)
    except TooLargeError:
        return start
    if state.levels.lower.size:
        scan(state)
    return StepSolution(state.best, state.upper, max(state.lower, start.lower_bound))
