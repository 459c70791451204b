"""Proven optima of steps that no monolithic integer program solves: a scan over the level.

For a fixed largest load ``M`` the step asks each worker to come as close to ``M`` as it can.  Every
worker takes a pattern (:mod:`solvers.patterns`), and prices on the requests give, from one
knapsack table, a lower bound at *every* level at once (:mod:`solvers.level_bounds`).  The scan
takes the level with the least bound, improves the prices there by column generation until the bound
is that of the pattern relaxation (:mod:`solvers.pattern_relaxation`), looks for an assignment that
reaches it (:mod:`solvers.level_search`), and goes on until no level is left whose bound is below
the best assignment.

It starts with a small table, in which sizes are rounded and levels are taken many at a time: that
leaves few levels open, and larger tables go on with those.  At a single level rounding costs
little, for there the pattern that truly fits is searched (:mod:`solvers.near_patterns`), and prices
that close one level close many above it.  In between, and where the largest table is too small to
be exact, levels that workers with few free slots leave open are settled one by one
(:mod:`solvers.level_windows`).

The bounds are evaluated in integers, whatever the linear programs did, so a claim of optimality
rests on the tables alone.  The relaxation is so tight that most steps need no branching.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from solvers.balance import solve_step
from solvers.level_bounds import TooLargeError
from solvers.level_search import WAYS, Way, branch, choose, dive, plunge
from solvers.level_windows import prove
from solvers.pattern_relaxation import Relaxation
from solvers.patterns import SCALE
from solvers.search import polish
from solvers.step import StepProblem, StepSolution

# Cells of the table and entries of levels, one scan after the other: first levels are taken many at
# a time, then the table grows.
_SCANS = ((10**6, 2**12), (10**6, 2**14), (10**7, 2**16), (10**8, 2**18))

# A scan ends after so many levels that stay open because the table is too small.
_ROUNDED = 2

# Work of the looks at the levels that the workers with few slots leave open: before the scans (and
# of polishing what one found), between them, and at the end; and the work of a second.
_SHORT = 2**24
_BETWEEN = 2**26
_LONG = 2**31
_PER_SECOND = 2**27


def _price_by_rank(state: Relaxation) -> None:
    """First bounds: only the requests that are larger than a given one have a price."""
    levels = state.levels
    slots = sum(levels.free.tolist())
    descending = np.sort(state.problem.pool)[::-1]
    for rank in (0, slots // 8, slots // 4, slots // 2, slots - 1):
        if levels.lower.size and time.monotonic() < state.deadline:
            over = descending[min(rank, descending.size - 1)]
            prices = np.maximum(0, levels.sizes - over) * SCALE
            levels.fill(levels.supply, prices)
            levels.raise_all(prices)


def scan(state: Relaxation, ways: Sequence[Way]) -> None:
    """Scan until the two sides meet, the time is over, or a level cannot be decided.

    Without branching it also ends where a scan with a larger table has better prospects.
    """
    levels = state.levels
    rounded = 0
    while state.lower < state.upper and time.monotonic() < state.deadline:
        at = int(np.argmin(levels.lower))
        prices = levels.prices(at)
        goal = int(levels.lower[at])
        root = state.relax(at, levels.whole(at), goal, prices, state.promising(at, prices))
        if levels.lower[at] >= state.upper:
            state.clear(at, root.prices)
        for way in ways:
            # Only the level with the least bound is worth more than a plunge.
            least = levels.lower[at] == levels.lower.min()
            left = state.deadline - time.monotonic()
            if levels.lower[at] < state.upper and (way is plunge or least) and left > 0:
                way(state, at, root)
        if levels.lower[at] == levels.lower.min() < state.upper:
            return
        # Where levels are few they need not be taken many at a time, and what the linear program
        # excludes and the table does not is left to a larger one.
        rounded += levels.lower[at] < state.upper <= root.guess
        few = levels.stride > 1 and levels.few(state.upper)
        if branch not in ways and (few or rounded > _ROUNDED):
            return


def _found(state: Relaxation) -> StepSolution:
    """Both sides of a scan, its assignment polished once more where requests wait."""
    best, problem = state.best, state.problem
    if state.lower < state.upper and not state.levels.everyone:
        top = int(problem.loads_after(best).max())
        best = polish(problem, best, top, _SHORT)
    value = problem.objective(best)
    return StepSolution(best, value, min(value, state.lower))


def solve_scan(problem: StepProblem, time_limit_s: float | None = None) -> StepSolution:
    """Optimal assignment of one step, by bounds at every level and column generation.

    Parameters
    ----------
    problem : StepProblem
        Any.  With more than 16 free slots on a worker, or loads beyond 2^46 in sum, there is no
        scan; where loads and sizes are too large for an exact table, its two sides come near each
        other and do not always meet.
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
    found, coarser = start, None
    try:
        for size in _SCANS:
            state = Relaxation(problem, found, deadline, size, coarser)
            if coarser is None:
                _price_by_rank(state)
            # What rounding leaves open is not worth branching on before the last scan.
            last = state.levels.exact or size == _SCANS[-1]
            early = (plunge,) if state.levels.stride > 1 else (plunge, dive, choose)
            scan(state, WAYS if last else early)
            lower, found = found.lower_bound, _found(state)
            found = replace(found, lower_bound=max(lower, found.lower_bound))
            if not (last or found.optimal or time.monotonic() > deadline):
                found = prove(problem, found, _BETWEEN)
            if last or found.optimal or time.monotonic() > deadline:
                break
            coarser = state
    except TooLargeError:
        pass
    left = min(_LONG / _PER_SECOND, deadline - time.monotonic())
    return prove(problem, found, int(left * _PER_SECOND)) if left > 0 else found
