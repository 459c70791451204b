"""The step problem solved to proved optimality by branch and price.

Problem: choose a set of ``c_g`` waiting requests for each worker ``g``, disjoint, so that the
imbalance ``G M - sum_g L'_g`` is least, ``M`` being the largest load after admission, the level.
With parallel machines whose loads must be near the makespan, it is a cutting-stock problem at each
level: a column is what one worker can take (:mod:`solvers.step.branch_and_price.columns`).

Where most requests have a size of their own, column generation with few of the workers and of the
supply rows comes first (:mod:`solvers.step.branch_and_price.many_sizes`).

Method: the levels stay together in a node, which keeps a Lagrangian bound at each
(:mod:`solvers.step.branch_and_price.level_bounds`).  Best-first search takes the level of the least
bound, raises it by column generation (:mod:`solvers.step.branch_and_price.column_generation`), and
tries primal heuristics and branching there (:mod:`solvers.step.branch_and_price.primal_heuristics`)
until no level has a bound below the incumbent.  This is done in phases: the first tables are
coarse, with sizes rounded and several levels to an entry
(:mod:`solvers.step.branch_and_price.pricing`); each later one refines the levels that are open.
Before, between and after the phases levels are closed by enumeration, which needs no table
(:mod:`solvers.step.branch_and_price.level_filter`).

Guarantee: the lower bound returned is evaluated in integers, whatever the linear programs return.
Within the time limit the two sides need not meet; without one they meet wherever a table of 10^8
words is exact, unless the last phase ends with a level that neither bound nor branching decides.

Sources: (Barnhart et al. 1998; Vance 1998).
"""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from solvers.step.bounds.relaxation import deficit
from solvers.step.branch_and_price.column_generation import BranchAndPrice, MasterSolution
from solvers.step.branch_and_price.columns import SCALE
from solvers.step.branch_and_price.deadline import LateError
from solvers.step.branch_and_price.level_bounds import LevelBounds
from solvers.step.branch_and_price.level_filter import prove
from solvers.step.branch_and_price.many_sizes import MANY, approach_many_sizes
from solvers.step.branch_and_price.pricing import TooLargeError
from solvers.step.branch_and_price.primal_heuristics import ACTIONS, Action, branch, choose, dive
from solvers.step.branch_and_price.warm_up import warm_up
from solvers.step.fast.local_search import polish
from solvers.step.fast.solve import solve_step
from solvers.step.machines.solve import approach_machines
from solvers.step.machines.warm_up import warm_up as warm_up_machines
from solvers.step.problem import StepProblem, StepSolution
from solvers.step.sorted_sizes import sorted_pool

# Words of the pricing table and entries of levels in each phase.
_PHASES = ((4 * 10**5, 2**12), (10**6, 2**14), (10**7, 2**16), (10**8, 2**18))

# A phase ends after so many levels that the linear program closes and the rounded table does not.
_ROUNDED = 2

# After so many levels in a row that stay open, a phase branches at any level, or ends where
# rounding accounts for much of the gap.
_STUCK = 3

# Branching is limited to levels whose bound is within 1 / _NEAR of the gap above the least, and at
# which rounding accounts for at most 1 / _WORTH of the gap.  Where it accounts for anything,
# _MOST_SPLITS branchings must raise the least bound by 1 / _WORTH of the gap.
_NEAR = 4
_WORTH = 16
_MOST_SPLITS = 3

# Work of the enumeration of levels before the phases (and of a local search), between them, and at
# the end where there is no time limit.
_SHORT = 2**24
_BETWEEN = 2**26
_LONG = 2**31


def _price_by_rank(state: BranchAndPrice) -> None:
    """First bounds, of prices ``max(0, v - v_r)`` for several ranks ``r`` of the sizes.

    Among them is that of the linear relaxation at the lowest level, where the workers with the most
    room take the largest requests.
    """
    tables, (levels,) = state.tables, state.open
    if levels.level.size == 0:
        return
    slots = sum(levels.free.tolist())
    ascending = np.sort(state.problem.pool)
    ranks = [0, slots // 8, slots // 4, slots // 2, slots - 1]
    if tables.filled:
        level = int(levels.level[0])
        least = deficit(levels.loads, levels.free, sorted_pool(ascending), level)[1]
        open_ = levels.free > 0
        most = open_ & (level - levels.loads >= np.where(open_, levels.free, 1) * least)
        ranks.append(max(0, int(levels.free[most].sum()) - 1))
    for rank in ranks:
        over = ascending[max(0, ascending.size - 1 - rank)]
        prices = np.maximum(0, tables.sizes - over) * SCALE
        tables.fill(levels.supply, prices)
        levels.raise_all(tables, prices)


@dataclass
class _Progress:
    """Which actions a phase has tried, and whether to try one next.

    Parameters
    ----------
    last : bool
        Whether no phase with a larger table follows.
    unsplit : list of LevelBounds
        The open nodes before the last ``splits`` branchings.
    goal : int
        The least bound that these branchings are to reach.
    splits : int
        Their number.
    looks, fruitless : int
        Levels at which a dive was possible, and dives since the incumbent improved.
    rounded : int
        Levels that the linear program closes and the rounded table does not.
    stuck : int
        Levels that stayed open since the last branching or the last improvement.
    """

    last: bool
    unsplit: list[LevelBounds]
    goal: int = 0
    splits: int = 0
    looks: int = 0
    fruitless: int = 0
    rounded: int = 0
    stuck: int = 0

    def worth(self, action: Action, state: BranchAndPrice, root: MasterSolution) -> bool:
        """Whether to try the action at a level."""
        bound = root.levels.lower[root.at]
        excluded = root.lp_bound > state.aim(root)
        if action is branch:
            near = bound <= state.lower + (state.upper - state.lower) // _NEAR
            if not near and self.stuck <= _STUCK:
                return False
            return self.last or (not excluded and self._worth_branching(state, root))
        if action is dive and not excluded:
            # The more dives fail, the rarer they become.
            self.looks += 1
            return self.looks % (1 + self.fruitless // 2) == 0
        # The search among columns is for the level of the least bound.
        return action is choose and not excluded and bound <= state.lower and state.stride == 1

    def _worth_branching(self, state: BranchAndPrice, root: MasterSolution) -> bool:
        gap = state.upper - state.lower
        if state.lower >= self.goal:
            self.splits, self.goal = 0, state.lower + gap // _WORTH + 1
            self.unsplit = [*state.open]
        # Where nothing is lost by rounding, a larger table has no better prospects.
        may = root.lp_bound == root.bound or self.splits < _MOST_SPLITS
        return may and not _rounding_matters(state, root) and not state.few()

    def tried(self, action: Action, better: bool) -> None:
        """Count an action and whether it improved the incumbent."""
        self.splits += action is branch
        self.fruitless = 0 if better else self.fruitless + (action is dive)
        self.stuck = 0 if better or action is branch else self.stuck

    def over(self, state: BranchAndPrice, root: MasterSolution) -> bool:
        """Whether to leave the rest to a phase with a larger table."""
        levels = root.levels
        stays_open = levels in state.open and bool(levels.lower[root.at] < state.upper)
        self.stuck += stays_open
        self.rounded += stays_open and root.lp_bound >= state.upper
        stuck = self.stuck > _STUCK and stays_open and _rounding_matters(state, root)
        return not self.last and (state.few() or self.rounded > _ROUNDED or stuck)

    def fruitless_splits(self, state: BranchAndPrice) -> bool:
        """Whether the last branchings missed their goal and are to be undone."""
        return not self.last and self.splits >= _MOST_SPLITS and state.lower < self.goal


def _rounding_matters(state: BranchAndPrice, root: MasterSolution) -> bool:
    """Whether rounding accounts for more than ``1 / _WORTH`` of the gap."""
    return root.lp_bound - root.bound > (state.upper - state.lower) // _WORTH


def explore(state: BranchAndPrice, actions: Sequence[Action], last: bool = True) -> Iterator[None]:
    """Best-first search until the gap is closed, time is up, or a level cannot be decided.

    If it is not the ``last`` phase, it also ends where a larger table has better prospects, and
    undoes branchings that did not raise the bound.
    """
    progress = _Progress(last, state.open)
    while state.lower < state.upper and time.monotonic() < state.deadline:
        yield
        # Among nodes of the same bound the deepest.
        levels = min(state.open, key=lambda b: (b.least, -b.settled))
        at = int(np.argmin(levels.lower))
        prices, goal = levels.prices(at), levels.least
        if levels.settled == 0:
            state.begin_level(int(levels.level[at]))
        columns = state.promising(levels, at, prices)
        root = state.relax(levels, at, levels.residual(at), goal, prices, columns)
        if levels.lower[at] >= state.upper:
            state.clear(levels, at, root.prices)
        upper = state.upper
        for action in actions:
            if levels.lower[at] < upper and progress.worth(action, state, root):
                action(state, root)
                progress.tried(action, state.upper < upper)
            if state.upper < upper:
                break
        if progress.over(state, root):
            break
        if levels in state.open and levels.lower[at] == state.lower and state.upper == upper:
            break
    if progress.fruitless_splits(state):
        state.open = progress.unsplit


def _found(state: BranchAndPrice) -> StepSolution:
    """The incumbent and the bound, after one more local search where requests wait."""
    best, problem = state.best, state.problem
    late = time.monotonic() > state.deadline
    if state.lower < state.upper and not state.tables.everyone and not late:
        top = int(problem.loads_after(best).max())
        best = polish(problem, best, top, _SHORT)
    value = problem.objective(best)
    return StepSolution(best, value, min(value, state.lower))


def approach(problem: StepProblem, until: float = math.inf) -> Iterator[StepSolution]:
    """Intervals around the optimum of a step, ever narrower, as :func:`solve_branch_and_price`.

    Parameters
    ----------
    problem : StepProblem
        Any.
    until : float
        Time of ``time.monotonic`` at which to stop.
    """
    found = solve_step(problem)
    if problem.admissions == problem.pool.size:
        yield from approach_machines(problem, found, until)
        return
    yield found
    if found.optimal or time.monotonic() > until:
        return
    found = _better(found, solve_step(problem, effort=3))
    yield found
    found = prove(problem, found, _SHORT, until)
    if not found.optimal and np.unique(problem.pool).size > max(MANY, problem.pool.size // 2):
        for better in approach_many_sizes(problem, found, until):
            found = better
            yield found
    coarser = None
    for size in _PHASES:
        yield found
        if found.optimal or time.monotonic() > until:
            return
        state, last = None, False
        try:
            state = BranchAndPrice(problem, found, until, size, coarser)
            if coarser is None:
                _price_by_rank(state)
            last = state.tables.exact or size == _PHASES[-1]
            for _ in explore(state, ACTIONS, last):
                value = problem.objective(state.best)
                yield StepSolution(state.best, value, max(found.lower_bound, state.lower))
        except TooLargeError:
            break
        except LateError:
            pass
        if state is not None:
            found = _better(_found(state), found)
        if last or time.monotonic() > until:
            break
        found = prove(problem, found, _BETWEEN, until)
        coarser = state
    yield found
    # What is still open gets as much work as there is time for.
    budget, seed = _BETWEEN, 1
    while not found.optimal and time.monotonic() < until and (budget <= _LONG or until < math.inf):
        found = prove(problem, found, budget, until)
        yield found
        budget, seed = 4 * budget, seed + 1
        if not found.optimal:
            top = int(problem.loads_after(found.assignment).max())
            best = polish(problem, found.assignment, top, _SHORT, seed)
            found = replace(found, assignment=best, imbalance=problem.objective(best))
    yield found


def _better(one: StepSolution, other: StepSolution) -> StepSolution:
    """The better assignment with the better bound."""
    best = min(one, other, key=lambda s: s.imbalance)
    return replace(best, lower_bound=max(one.lower_bound, other.lower_bound))


def solve_branch_and_price(problem: StepProblem, time_limit_s: float | None = None) -> StepSolution:
    """Optimal assignment of one step, or an interval around its imbalance.

    Parameters
    ----------
    problem : StepProblem
        Any.  A step that admits its whole pool is left to :mod:`solvers.step.machines.solve`.  With
        more than 16 free slots on a worker, or ``G`` times the sum of loads and sizes 2^46 or more,
        only the bounds of the other solvers are used; where loads and sizes are too large for an
        exact table the two sides may not meet.
    time_limit_s : float, optional
        Wall-clock limit; what was found by then is returned, a tenth of a second later at most.  It
        counts from when the search is compiled, which takes about a minute once after
        installation (:mod:`solvers.step.branch_and_price.warm_up`).

    Returns
    -------
    StepSolution
        ``lower_bound`` is proved in integer arithmetic.

    Examples
    --------
    The slots take two requests and one; 4 + 5 and 9 reach equal loads of 14.

    >>> from solvers.step.problem import StepProblem
    >>> solution = solve_branch_and_price(StepProblem([5, 5], [2, 1], [2, 4, 5, 9]))
    >>> solution.assignment.tolist(), solution.imbalance, solution.optimal
    ([-1, 0, 0, 1], 0, True)
    """
    if time_limit_s is not None:
        if problem.admissions < problem.pool.size:
            warm_up()
        else:
            warm_up_machines()
    until = math.inf if time_limit_s is None else time.monotonic() + time_limit_s
    *_, found = approach(problem, until)
    return found
