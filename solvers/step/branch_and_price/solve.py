"""Proven optima of steps that no monolithic integer program solves: a scan over the level.

For a fixed largest load ``M`` the step asks each worker to come as close to ``M`` as it can.  Every
worker takes a pattern (:mod:`solvers.step.branch_and_price.columns`), and prices on the requests
give, from one knapsack table, a lower bound at *every* level at once
(:mod:`solvers.step.branch_and_price.level_bounds`).  The scan takes the level with the least bound,
improves the prices there by column generation until the bound is that of the pattern relaxation
(:mod:`solvers.step.branch_and_price.column_generation`), looks for an assignment that reaches it
(:mod:`solvers.step.branch_and_price.primal_heuristics`), and goes on until no level is left whose
bound is below the best assignment.

It starts with a small table, in which sizes are rounded and levels are taken many at a time: that
leaves few levels open, and larger tables go on with those.  At a single level rounding costs
little, for there the pattern that truly fits is searched
(:mod:`solvers.step.branch_and_price.pricing_enumeration`), and prices that close one level close
many above it.  Where not the rounding but the relaxation is to blame, it branches on who takes a
large request, at all levels at once.  In between, and where the largest table is too small to be
exact, levels that workers with few free slots leave open are settled one by one
(:mod:`solvers.step.branch_and_price.level_filter`).

The bounds are evaluated in integers, whatever the linear programs did, so a claim of optimality
rests on the tables alone.  The relaxation is so tight that most steps need no branching.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from solvers.step.branch_and_price.column_generation import Bounded, Relaxation
from solvers.step.branch_and_price.columns import SCALE
from solvers.step.branch_and_price.level_bounds import LevelBounds
from solvers.step.branch_and_price.level_filter import prove
from solvers.step.branch_and_price.pricing import TooLargeError
from solvers.step.branch_and_price.primal_heuristics import WAYS, Way, branch, plunge
from solvers.step.fast.local_search import polish
from solvers.step.fast.solve import solve_step
from solvers.step.problem import StepProblem, StepSolution

# Cells of the table and entries of levels, one scan after the other: first levels are taken many at
# a time, then the table grows.
_SCANS = ((4 * 10**5, 2**12), (10**6, 2**14), (10**7, 2**16), (10**8, 2**18))

# A scan ends after so many levels that stay open because the table is too small.
_ROUNDED = 2

# After so many levels that stay open, one after the other, a scan branches wherever it can, or ends
# if it cannot because of rounding.
_STUCK = 3

# Levels are worth branching on if their bound is above the least by this part of the gap at most,
# and rounding is to blame for this part of it at most.  Where it is to blame at all, so many splits
# are to raise the least bound by such a part.
_NEAR = 4
_WORTH = 16
_MOST_SPLITS = 3

# Work of the looks at the levels that the workers with few slots leave open: before the scans (and
# of polishing what one found), between them, and at the end; and the work of a second.
_SHORT = 2**24
_BETWEEN = 2**26
_LONG = 2**31
_PER_SECOND = 2**27


def _price_by_rank(state: Relaxation) -> None:
    """First bounds: only the requests that are larger than a given one have a price."""
    tables, (levels,) = state.tables, state.open
    slots = sum(levels.free.tolist())
    descending = np.sort(state.problem.pool)[::-1]
    for rank in (0, slots // 8, slots // 4, slots // 2, slots - 1):
        if levels.level.size and time.monotonic() < state.deadline:
            over = descending[min(rank, descending.size - 1)]
            prices = np.maximum(0, tables.sizes - over) * SCALE
            tables.fill(levels.supply, prices)
            levels.raise_all(tables, prices)


@dataclass
class _Progress:
    """What a scan has tried, and what is worth trying next.

    Parameters
    ----------
    last : bool
        Whether no scan with a larger table follows.
    unsplit : list of LevelBounds
        The branches before the last splits.
    goal : int
        The least bound that they are to reach.
    splits : int
        How many they are.
    looks, fruitless : int
        Levels at which a plunge was possible, and plunges since something better was found.
    rounded : int
        Levels that stay open because the table is too small.
    stuck : int
        Levels that stayed open since the last split or the last assignment that is better.
    """

    last: bool
    unsplit: list[LevelBounds]
    goal: int = 0
    splits: int = 0
    looks: int = 0
    fruitless: int = 0
    rounded: int = 0
    stuck: int = 0

    def worth(self, way: Way, state: Relaxation, root: Bounded) -> bool:
        """Whether to try the way at a level."""
        bound = root.levels.lower[root.at]
        excluded = root.guess > state.aim(root)
        if way is branch:
            near = bound <= state.lower + (state.upper - state.lower) // _NEAR
            if not near and self.stuck <= _STUCK:
                return False
            return self.last or (not excluded and self._worth_branching(state, root))
        if way is plunge and not excluded:
            # The more plunges lead to nothing, the fewer there are.
            self.looks += 1
            return self.looks % (1 + self.fruitless // 2) == 0
        # The others take long: only the level with the least bound is worth more than a plunge.
        unsettled = not root.levels.settled
        return not excluded and bool(bound == state.lower) and state.stride == 1 and unsettled

    def _worth_branching(self, state: Relaxation, root: Bounded) -> bool:
        gap = state.upper - state.lower
        if state.lower >= self.goal:
            self.splits, self.goal = 0, state.lower + gap // _WORTH + 1
            self.unsplit = [*state.open]
        # Where nothing is lost by rounding, a larger table has no better prospects.
        may = root.guess == root.bound or self.splits < _MOST_SPLITS
        return may and not _rounding_matters(state, root) and not state.few()

    def tried(self, way: Way, better: bool) -> None:
        """Count a way and what it led to."""
        self.splits += way is branch
        self.fruitless = 0 if better else self.fruitless + (way is plunge)
        self.stuck = 0 if better or way is branch else self.stuck

    def over(self, state: Relaxation, root: Bounded) -> bool:
        """Whether a scan with a larger table has better prospects, after a level was looked at."""
        levels = root.levels
        stays_open = levels in state.open and bool(levels.lower[root.at] < state.upper)
        self.stuck += stays_open
        # What the linear program excludes and the table does not is left to a larger one.
        self.rounded += stays_open and root.guess >= state.upper
        stuck = self.stuck > _STUCK and stays_open and _rounding_matters(state, root)
        # Where levels are few they need not be taken many at a time.
        return not self.last and (state.few() or self.rounded > _ROUNDED or stuck)

    def fruitless_splits(self, state: Relaxation) -> bool:
        """Whether the branches have raised nothing and are better taken back."""
        return not self.last and self.splits >= _MOST_SPLITS and state.lower < self.goal


def _rounding_matters(state: Relaxation, root: Bounded) -> bool:
    """Whether rounding is to blame for much of what is left open."""
    return root.guess - root.bound > (state.upper - state.lower) // _WORTH


def scan(state: Relaxation, ways: Sequence[Way], last: bool = True) -> None:
    """Scan until the two sides meet, the time is over, or a level cannot be decided.

    If it is not the ``last``, it also ends where a scan with a larger table has better prospects,
    and takes back branches that raised nothing.
    """
    progress = _Progress(last, state.open)
    while state.lower < state.upper and time.monotonic() < state.deadline:
        # Among branches with the same bound the one in which most is settled, for it ends soonest.
        levels = min(state.open, key=lambda b: (b.least, -b.settled))
        at = int(np.argmin(levels.lower))
        prices, goal = levels.prices(at), levels.least
        patterns = state.promising(levels, at, prices)
        root = state.relax(levels, at, levels.rest(at), goal, prices, patterns)
        if levels.lower[at] >= state.upper:
            state.clear(levels, at, root.prices)
        upper = state.upper
        for way in ways:
            late = time.monotonic() > state.deadline
            if levels.lower[at] < upper and not late and progress.worth(way, state, root):
                way(state, root)
                progress.tried(way, state.upper < upper)
            if state.upper < upper:
                break
        if levels in state.open and levels.lower[at] == state.lower and state.upper == upper:
            break
        if progress.over(state, root):
            break
    if progress.fruitless_splits(state):
        state.open = progress.unsplit


def _found(state: Relaxation) -> StepSolution:
    """Both sides of a scan, its assignment polished once more where requests wait."""
    best, problem = state.best, state.problem
    if state.lower < state.upper and not state.tables.everyone:
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
            last = state.tables.exact or size == _SCANS[-1]
            scan(state, WAYS, last)
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
