"""The cheapest schedule of a backlog, or an interval around its cost that narrows with time.

Both sides are there at once: requests admitted in order, and the bound of
:mod:`solvers.schedule.bounds`.  Then policies are run, and searches take turns in portions of less
than a tenth of a second or so:

* sticky: branch and bound (:mod:`solvers.schedule.branch_and_bound`), which raises the lower side
  and ends with the optimum of about 20 requests;
* pausing, migrating: the values of all states (:mod:`solvers.schedule.dynamic_program`), which end
  with the optimum of about 7 requests;
* where no slot may be free and all requests fit into the slots, all run from the first step to
  their ends: pausing is then sticky, and migrating takes every step by itself
  (:mod:`solvers.schedule.rebalance`), exactly;
* under every rule: simulated annealing (:mod:`solvers.schedule.annealing`).

Guarantee: whenever the search is stopped, ``lower_bound`` holds for every schedule of the same
rules, and the cost is that of a schedule which is checked and added up in integers.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import cycle
from operator import itemgetter

import numpy as np

from solvers.schedule.annealing import anneal_orders, anneal_starts
from solvers.schedule.branch_and_bound import BranchAndBound
from solvers.schedule.dynamic_program import MOST_STATES, cheaper_by_states
from solvers.schedule.node_bound import scale_of
from solvers.schedule.pieces import (
    Kinds,
    Pieces,
    admitted_in_turn,
    cost_in_place,
    cost_of,
    deal_out,
    in_parts,
    places_of,
)
from solvers.schedule.problem import IDLE, POLICIES, OfflineProblem, Rule, Schedule
from solvers.schedule.rebalance import rebalanced
from solvers.simulation.engine import simulate
from theory.model import INT_LIMIT, InputError, IntArray

# Places, steps times requests, of a schedule that is written down: 160 MB.
MOST_PLACES = 2 * 10**7

# Nodes of a first branch and bound by itself, and what an exact search by states may cost to go
# first, in choices.
_FIRST_NODES = 2**14
_FIRST_CHOICES = 2**22

# Work of a portion: requests times what a node or a trial looks at.
_NODES_WORK = 2**21
_TRIALS_WORK = 2**20

# Branch and bound is for up to so many requests, and so many steps of sticky schedules with idling.
_MOST_SEARCHED = 256
_MOST_DEPTH = 10**6

# With idling and many steps a search has the least prospects: it works at one turn in so many.
_TURNS = 4

# Trials of the first round of annealing, which double from round to round, and of all.
_FIRST_TRIALS = 2**12
_MOST_TRIALS = 2**24

# Part of the cost by which a schedule may be worse at the beginning of a round.
_HEATS = (0.01, 0.03, 0.003)

# Pieces of a request that may pause, from round to round.
_PARTS = (1, 2, 1, 3)

# Places of a schedule whose steps are dealt out anew after a round.
_MOST_MOVED = 10**6


@dataclass(frozen=True, slots=True)
class Interval:
    """What is known of the least cost.

    Parameters
    ----------
    problem : OfflineProblem
        What is to be scheduled.
    cost, lower_bound : int
        The cost of the best schedule; no schedule costs less than ``lower_bound``.
    places : callable
        Gives the places of that schedule, int64[K, N].
    policies : mapping
        What the schedules of policies cost, by name, as far as they have been run.
    """

    problem: OfflineProblem
    cost: int
    lower_bound: int
    places: Callable[[], IntArray]
    policies: Mapping[str, int] = field(default_factory=dict)

    @property
    def optimal(self) -> bool:
        """Whether the two sides meet."""
        return self.cost == self.lower_bound

    def schedule(self) -> Schedule:
        """The best schedule, played again."""
        found = self.problem.schedule(self.places(), self.lower_bound)
        if found.cost != self.cost:
            raise RuntimeError(f"a schedule of cost {self.cost} costs {found.cost}")
        return found


def approach(problem: OfflineProblem) -> Iterator[Interval]:
    """Narrow the interval around the least cost, until it is a point or the searches have ended.

    The first interval takes milliseconds and no compiled code; the next ones follow several times a
    second, each inside the one before.  Whoever has enough stops asking.  At the end all policies
    have been run.

    Raises
    ------
    InputError
        If a schedule has more than :data:`MOST_PLACES` places, or the workers as many steps.
    """
    return _Approach(problem).run()


def solve_offline(problem: OfflineProblem, time_limit_s: float | None = None) -> Schedule:
    """The cheapest schedule of a small backlog, or the best one that was found in time.

    Parameters
    ----------
    problem : OfflineProblem
        Requests, rules and costs.
    time_limit_s : float, optional
        Wall-clock limit.  Without it the search goes on until the schedule is proved optimal, where
        a search can do that.

    Returns
    -------
    Schedule
        ``lower_bound`` is proved in integer arithmetic.

    Raises
    ------
    InputError
        As :func:`approach`.

    Examples
    --------
    The two of size 3 run side by side, then the one of length 2 alone: largest loads 3, 1, 1.

    >>> from theory.model import Requests, System
    >>> requests = Requests([3, 1, 3], [1, 2, 1])
    >>> schedule = solve_offline(OfflineProblem(System(2, 1, (0,)), requests))
    >>> schedule.cost, schedule.optimal
    (5, True)
    """
    end = math.inf if time_limit_s is None else time.monotonic() + time_limit_s
    search = approach(problem)
    found = next(search)
    while not found.optimal and time.monotonic() < end:
        better = next(search, None)
        if better is None:
            break
        found = better
    return found.schedule()


class _Approach:
    """The interval so far and the searches that narrow it."""

    def __init__(self, problem: OfflineProblem) -> None:
        self.problem = problem
        self.system = problem.system
        self.sizes, self.lengths = problem.requests.prefill, problem.requests.decode
        self.costs = problem.drift, problem.level_cost, problem.step_cost
        n = len(problem.requests)
        # All requests run from the first step to their ends.
        self.at_once = problem.work_conserving and n <= self.system.capacity
        self.sticky = problem.rule is Rule.STICKY or (self.at_once and problem.rule is Rule.PAUSING)
        self.moving = problem.rule is Rule.MIGRATING
        if self.system.workers * int(self.lengths.max()) > MOST_PLACES:
            raise InputError(
                f"{self.system.workers:,} workers for {int(self.lengths.max()):,} steps are more "
                f"than {MOST_PLACES:,} in all; no more workers than requests are of use"
            )
        pieces = admitted_in_turn(problem)
        steps = int((pieces.start + pieces.length).max())
        if steps * n > MOST_PLACES:
            raise InputError(
                f"a schedule has {steps:,} steps of {n:,} requests, more than {MOST_PLACES:,} "
                "places in all"
            )
        self.horizon = min(2 * steps, MOST_PLACES // n)
        # The best schedules, which annealing goes on from, by the number of pieces of a request.
        # Where requests move, they are dealt out otherwise: nothing is known of the first.
        cost = cost_in_place(problem, pieces)
        self.kept = {1: (INT_LIMIT if self.moving else cost, pieces)}
        self.now = Interval(problem, cost, problem.lower_bound(), partial(places_of, pieces))

    def run(self) -> Iterator[Interval]:
        """Each interval that is reached, and the same one again where a portion changed nothing."""
        yield self.now
        policies = self._policies()
        for tasks in self._stages(policies):
            waiting = list(tasks)
            while waiting and not self.now.optimal:
                for task in list(waiting):
                    if next(task, _OVER) is _OVER:
                        waiting.remove(task)
                    yield self.now
                    if self.now.optimal:
                        break
        for _ in policies:
            yield self.now

    def _stages(self, policies: Iterator[None]) -> Iterator[Sequence[Iterator[None]]]:
        """Searches that take turns; those of a stage follow when those before it have ended."""
        annealing = [self._orders()]
        if not self.problem.work_conserving:
            annealing.append(self._starts())
        if self.sticky:
            search = self._search()
            if search is not None:
                yield [self._one_pass(search)]
                yield [self._passes(search), *annealing, policies]
        elif self.at_once:
            yield [policies, self._every_step()]
            return
        elif (choices := self.choices()) is not None:
            if choices <= _FIRST_CHOICES:
                yield [self.states()]
            else:
                yield [self.states(), *annealing, policies]
            return
        yield [*annealing, policies]

    def _policies(self) -> Iterator[None]:
        """Schedules of policies that do not know the lengths."""
        for policy in POLICIES:
            run = simulate(
                self.system, self.problem.requests, policy, pool=len(self.problem.requests)
            )
            cost = (
                self.problem.level_cost * run.total.sum_max
                + self.problem.step_cost * run.total.steps
            )
            # A copy that may be written, as annealing's pieces are: the same machine code does.
            lengths = self.lengths[:, None].copy()
            pieces = Pieces(run.start_step[:, None], lengths, run.worker)
            if self.moving:
                self._narrow(cost=cost, places=partial(places_of, pieces))
                cost_dealt = int(cost_of(self._kinds, pieces))
                self._reach(cost_dealt, pieces)
            else:
                self._reach(cost, pieces)
            self.now = replace(self.now, policies={**self.now.policies, policy: cost})
            yield

    def _reach(self, cost: int, pieces: Pieces) -> None:
        """Take a schedule of pieces if it is cheaper."""
        parts = pieces.start.shape[1]
        if parts not in self.kept or cost < self.kept[parts][0]:
            kept = Pieces(*(array.copy() for array in pieces))
            self.kept[parts] = cost, kept
            self._narrow(cost=cost, places=partial(self._places, kept))

    def _best(self, parts: int) -> tuple[int, Pieces]:
        """The best schedule with at most so many pieces, in so many."""
        cost, pieces = min((self.kept[p] for p in self.kept if p <= parts), key=itemgetter(0))
        return cost, in_parts(pieces, parts)

    def _narrow(
        self,
        lower: int | None = None,
        cost: int | None = None,
        places: Callable[[], IntArray] | None = None,
    ) -> None:
        """Raise the lower side, or take a schedule, if it is the better one."""
        if places is not None and cost is not None and cost < self.now.cost:
            self.now = replace(self.now, cost=cost, places=places)
        if lower is not None and lower > self.now.lower_bound:
            self.now = replace(self.now, lower_bound=lower)
        if self.now.lower_bound > self.now.cost:
            raise RuntimeError(f"the bound {lower} is above the cost {self.now.cost}")

    def _places(self, pieces: Pieces) -> IntArray:
        place = places_of(pieces)
        if self.moving:
            deal_out(self._kinds, pieces, place)
        kept: IntArray = place[(place != IDLE).any(axis=1)]
        return kept

    @property
    def _kinds(self) -> Kinds:
        return Kinds(
            self.sizes, self.lengths, (self.system.workers, self.system.slots, *self.costs),
            self.moving,
        )  # fmt: skip

    def _search(self) -> BranchAndBound | None:
        """A branch and bound, if its path and its sums are not too long."""
        n = self.sizes.size
        deep = n if self.problem.work_conserving else int(self.lengths.sum())
        scale = scale_of(self.problem.work, n, self.system.workers)
        if deep > _MOST_DEPTH or scale == 0:
            return None
        return BranchAndBound(
            self.sizes,
            self.lengths,
            (self.system.workers, self.system.slots),
            self.costs,
            self.problem.work_conserving,
            self.now.lower_bound,
            self.now.cost,
        )

    def _look(self, search: BranchAndBound, nodes: int) -> None:
        """Look at some nodes of a search."""
        search.know(self.now.cost)
        search.advance(nodes)
        if search.best is not None and search.upper < self.now.cost:
            start, worker = search.best
            self._reach(search.upper, Pieces(start[:, None], self.lengths[:, None], worker))
        self._narrow(lower=search.lower)

    def _one_pass(self, search: BranchAndBound) -> Iterator[None]:
        """Some nodes below the cost of the best schedule: enough for a few requests."""
        self._narrow(lower=search.lower)
        if self.sizes.size <= _MOST_SEARCHED:
            self._look(search, min(_FIRST_NODES, 8 * self._nodes))
        yield

    def _passes(self, search: BranchAndBound) -> Iterator[None]:
        """Passes with a threshold that rises."""
        search.start_pass(search.lower + 1)
        while self.sizes.size <= _MOST_SEARCHED and not self.now.optimal:
            self._look(search, self._nodes)
            for _ in range(1 if self.problem.work_conserving else _TURNS):
                yield

    @property
    def _nodes(self) -> int:
        """Nodes of a portion."""
        n = self.sizes.size
        return max(1, _NODES_WORK // (n * (n + self.system.workers)))

    def choices(self) -> int | None:
        """Choices that a search by states looks at, roughly; None if there are too many states."""
        states, n, G = 1, self.sizes.size, self.system.workers
        for o in self.lengths.tolist():
            states *= o + 1
            if states > MOST_STATES:
                return None
        if (G + 1) ** n >= INT_LIMIT:
            return None
        places = (G + 1) ** n if self.moving else 2**n * G ** (n - 1)
        return int(states * places)

    def states(self) -> Iterator[None]:
        """All states; with them the optimum."""
        for found in cheaper_by_states(
            self.sizes,
            self.lengths,
            (self.system.workers, self.system.slots),
            self.costs,
            [*Rule].index(self.problem.rule),
            self.problem.work_conserving,
            self.now.cost,
        ):
            if found is not None:
                self._narrow(cost=found[0], places=partial(np.copy, found[1]))
            yield
        self._narrow(lower=self.now.cost)

    def _every_step(self) -> Iterator[None]:
        """The requests of each step on any workers, where which of them run is no choice."""
        start = np.zeros_like(self.sizes)
        pieces = Pieces(start[:, None], self.lengths[:, None], start)
        yield from self._rebalanced(self._places(pieces), exactly=True)

    def _rebalanced(self, place: IntArray, exactly: bool = False) -> Iterator[None]:
        """A schedule with the requests of each step on other workers."""
        if self.system.workers * self.problem.work >= INT_LIMIT:
            return
        runs = place >= 0
        loads = np.where(runs, self.sizes + self.problem.drift * (np.cumsum(runs, axis=0) - 1), 0)
        steps = self.problem.step_cost * len(place)
        shape = self.system.workers, self.system.slots
        for reached, least in rebalanced(loads, place, shape, exactly):
            cost = self.problem.level_cost * reached + steps
            if cost < self.now.cost:
                self._narrow(cost=cost, places=partial(np.copy, place.copy()))
            if exactly:
                self._narrow(lower=self.problem.level_cost * least + steps)
            yield

    def _rounds(self) -> Iterator[tuple[float, int, int]]:
        """Rounds of annealing: heat, trials, which double, and pieces of a request."""
        trials, spent = _FIRST_TRIALS, 0
        for heat, parts in zip(cycle(_HEATS), cycle((1,) if self.sticky else _PARTS)):
            if spent >= _MOST_TRIALS:
                return
            yield heat, trials, parts
            trials, spent = 2 * trials, spent + trials

    def _portions(self, trials: int, parts: int) -> Iterator[tuple[int, int, int]]:
        """The trials of a round in portions."""
        n, G = self.sizes.size * parts, self.system.workers
        portion = max(1, _TRIALS_WORK // (n * (n if self.moving else 1) * (G + 4)))
        for first in range(0, trials, portion):
            yield first, min(first + portion, trials), trials

    def _orders(self) -> Iterator[None]:
        """Annealing over orders of admission."""
        state = np.array([1], np.uint64)
        for heat, trials, parts in self._rounds():
            known, tried = self._best(parts)
            order = np.argsort(tried.start.ravel(), kind="stable")
            prefers = tried.worker.copy()
            best = in_parts(tried, parts)
            for span in self._portions(trials, parts):
                known = min(known, self._best(parts)[0])
                known = anneal_orders(
                    self._kinds, order, prefers, tried, best, known, heat, span, state
                )
                self._reach(known, best)
                yield
            yield from self._moved()

    def _starts(self) -> Iterator[None]:
        """Annealing over the starts of pieces."""
        state = np.array([2], np.uint64)
        for heat, trials, parts in self._rounds():
            known, current = self._best(parts)
            best = in_parts(current, parts)
            for span in self._portions(trials, parts):
                known = min(known, self._best(parts)[0])
                known = anneal_starts(
                    self._kinds, current, best, known, heat, span, self.horizon, state
                )
                self._reach(known, best)
                yield
            yield from self._moved()

    def _moved(self) -> Iterator[None]:
        """The best schedule of pieces with the requests of each step dealt out better."""
        pieces = min(self.kept.values(), key=itemgetter(0))[1]
        steps = int((pieces.start + pieces.length).max())
        if self.moving and steps * self.sizes.size <= _MOST_MOVED:
            yield from self._rebalanced(self._places(pieces))


_OVER = object()


def solve_by_states(problem: OfflineProblem) -> Schedule:
    """Optimal schedule under any rule, from the value of every state and nothing else.

    Raises
    ------
    InputError
        If there are more than :data:`~solvers.schedule.dynamic_program.MOST_STATES` states, which
        are the numbers of steps that each request has run.
    """
    search = _Approach(problem)
    if search.choices() is None:
        raise InputError(f"more than {MOST_STATES:,} states, or too many workers")
    search.now = replace(search.now, cost=INT_LIMIT, lower_bound=-INT_LIMIT)
    for _ in search.states():
        pass
    return search.now.schedule()
