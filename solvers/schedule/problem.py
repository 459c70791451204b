"""The clairvoyant offline optimum: the best schedule when every output length is known.

All requests wait from the start.  A schedule says for each step which requests run and where, and
ends with the step in which the last of them finishes, so the horizon is the schedule's own: the
tail, in which workers run dry, is part of it and counts as it does in a run of the engine.  A step
in which nothing runs is no step.  A request is active for ``o`` steps, and its load in the ``j``-th
of them is ``s + (j - 1) * drift``: while it pauses it weighs nothing and does not grow.

Three rules, each a special case of the next:

* *sticky*: once started, a request runs on its worker without a break;
* *pausing*: it may pause, and resumes on the same worker;
* *migrating*: it may pause, and resume anywhere.

Work conserving means that no slot is free while a request that may use it does not run: one that
has not started, one that pauses on that worker, or, migrating, any unfinished one.

The cost is ``level_cost * sum_k M(k) + step_cost * K``.  The total imbalance ``G sum_k M(k) - W``
is the least where ``sum_k M(k)`` is, as ``W`` is the same for every schedule; the time is the cost
with ``step_cost / level_cost = C / t_l``; the average imbalance is a ratio, for
:func:`best_average`.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from solvers.schedule.branch_and_bound import branch_and_bound
from solvers.schedule.dynamic_program import MOST_STATES, best_by_states
from solvers.simulation.engine import simulate
from solvers.simulation.result import Totals
from theory.model import INT_LIMIT, InputError, IntArray, Requests, System

# Policies whose schedules are the first upper bounds.
_FIRST = ("fcfs", "least_loaded", "bfio")

# Worker of a request that does not run.
IDLE = -1


class Rule(StrEnum):
    """What a started request may do."""

    STICKY = "sticky"
    PAUSING = "pausing"
    MIGRATING = "migrating"


class ScheduleError(InputError):
    """A schedule breaks a rule of the system; the message says which."""


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """Where each request runs at each step.

    Parameters
    ----------
    place : int64[K, N]
        Worker of each request at each step, or :data:`IDLE`.
    totals : Totals
        Steps, sum of largest loads and work, exact.
    cost : int
        ``level_cost * sum_k M(k) + step_cost * K``.
    lower_bound : int
        No schedule of the same rules has a smaller cost.
    """

    place: IntArray
    totals: Totals
    cost: int
    lower_bound: int

    @property
    def optimal(self) -> bool:
        """Whether the two sides meet."""
        return self.cost == self.lower_bound


@dataclass(frozen=True, slots=True)
class OfflineProblem:
    """What is to be scheduled, and under which rules.

    Parameters
    ----------
    system : System
        Workers, slots and a constant drift; its times are not used.
    requests : Requests
        A backlog, without arrival times.
    rule : Rule
        What a started request may do.
    work_conserving : bool
        Whether no slot may stay free while a request waits that may use it.
    level_cost : int
        Cost of a unit of the largest load, ``>= 1``.
    step_cost : int
        Cost of a step, of either sign.

    Raises
    ------
    InputError
        If the drift is not constant, there are arrival times or no requests, ``level_cost < 1``,
        or the costs could overflow.
    """

    system: System
    requests: Requests
    rule: Rule = Rule.STICKY
    work_conserving: bool = False
    level_cost: int = 1
    step_cost: int = 0

    def __post_init__(self) -> None:
        if not self.system.has_constant_drift:
            raise InputError(f"drift must be constant, got {self.system.drift}")
        if self.requests.arrival is not None:
            raise InputError("arrival must be None: the offline optimum is that of a backlog")
        if len(self.requests) == 0:
            raise InputError("requests must not be empty")
        if self.level_cost < 1:
            raise InputError(f"level_cost must be an integer >= 1, got {self.level_cost}")
        steps = sum(self.requests.decode.tolist())
        if 2 * (self.level_cost * self.work + abs(self.step_cost) * steps) >= INT_LIMIT:
            raise InputError("level_cost * total work + |step_cost| * steps must stay below 2^61")

    @property
    def drift(self) -> int:
        """Growth of a request in one active step."""
        return int(self.system.drift[0])

    @property
    def work(self) -> int:
        """Total work ``W``, the same for every schedule."""
        return self.requests.work(self.drift)

    def most_steps(self) -> int:
        """No schedule of these rules has more steps, as each has a request that runs."""
        lengths: list[int] = self.requests.decode.tolist()
        if self.work_conserving and self.rule is Rule.STICKY:
            # While one waits all slots are busy; afterwards the longest decides.
            return min(sum(lengths), sum(lengths) // self.system.capacity + max(lengths))
        return sum(lengths)

    def simple_bound(self) -> int:
        """The work spread evenly, and as many or as few steps as there can be."""
        lengths: list[int] = self.requests.decode.tolist()
        fewest = max(-(-sum(lengths) // self.system.capacity), *lengths)
        steps = fewest if self.step_cost >= 0 else self.most_steps()
        return self.level_cost * -(-self.work // self.system.workers) + self.step_cost * steps

    def totals(self, place: IntArray) -> Totals:
        """Play a schedule in plain ints.

        Raises
        ------
        ScheduleError
            If it breaks a rule: the shape, a worker that does not exist, more than ``B`` at once,
            a step without a request, a request that does not run to its end or against the rule,
            or a slot that stays free against work conservation.
        """
        G, B = self.system.workers, self.system.slots
        sizes: list[int] = self.requests.prefill.tolist()
        lengths: list[int] = self.requests.decode.tolist()
        array = np.asarray(place)
        if array.ndim != 2 or array.shape[1] != len(sizes):
            raise ScheduleError(f"a schedule needs {len(sizes)} columns, got {array.shape}")
        age, home = [0] * len(sizes), [IDLE] * len(sizes)
        sum_max = 0
        for k, row in enumerate(array.tolist()):
            loads, held, idle = [0] * G, [0] * G, []
            for i, g in enumerate(row):
                if g == IDLE:
                    if age[i] < lengths[i]:
                        idle.append(i)
                    if 0 < age[i] < lengths[i] and self.rule is Rule.STICKY:
                        raise ScheduleError(f"step {k}: request {i} pauses")
                    continue
                if not 0 <= g < G or age[i] == lengths[i]:
                    raise ScheduleError(f"step {k}: request {i} cannot run on worker {g}")
                if age[i] > 0 and g != home[i] and self.rule is not Rule.MIGRATING:
                    raise ScheduleError(f"step {k}: request {i} leaves worker {home[i]}")
                loads[g] += sizes[i] + self.drift * age[i]
                held[g] += 1
                home[i] = g
            if max(held) > B:
                raise ScheduleError(f"step {k}: worker {held.index(max(held))} holds {max(held)}")
            if max(held) == 0:
                raise ScheduleError(f"step {k}: nothing runs")
            for i in idle if self.work_conserving else ():
                anywhere = age[i] == 0 or self.rule is Rule.MIGRATING
                if (min(held) if anywhere else held[home[i]]) < B:
                    raise ScheduleError(f"step {k}: a slot is free while request {i} waits")
            for i, g in enumerate(row):
                age[i] += g != IDLE
            sum_max += max(loads)
        if age != lengths:
            raise ScheduleError("a request does not run to its end")
        return Totals(G, len(array), sum_max, self.work)

    def schedule(self, place: IntArray, lower_bound: int) -> Schedule:
        """A schedule with its exact cost; it is checked."""
        totals = self.totals(place)
        cost = self.level_cost * totals.sum_max + self.step_cost * totals.steps
        return Schedule(place, totals, cost, min(cost, lower_bound))

    def sticky_places(self, start: IntArray, worker: IntArray) -> IntArray:
        """Places of requests that run without a break from a step on, int64[K, N]."""
        end = start + self.requests.decode
        place = np.full((int(end.max()), start.size), IDLE, np.int64)
        for i, g in enumerate(worker.tolist()):
            place[start[i] : end[i], i] = g
        return place

    def first(self) -> Schedule:
        """The best schedule of some online policies, which obeys every rule."""
        schedules = []
        for policy in _FIRST:
            run = simulate(self.system, self.requests, policy, pool=len(self.requests))
            places = self.sticky_places(run.start_step, run.worker)
            schedules.append(self.schedule(places, self.simple_bound()))
        return min(schedules, key=lambda s: s.cost)


def solve_offline(problem: OfflineProblem, node_limit: int = 10**9) -> Schedule:
    """Optimal schedule of a small backlog, by branch and bound or by dynamic programming.

    Sticky schedules come from depth-first branch and bound
    (:mod:`solvers.schedule.branch_and_bound`), for about 20 requests; the other rules from the
    values of all states (:mod:`solvers.schedule.dynamic_program`), for about 7.

    Parameters
    ----------
    problem : OfflineProblem
        Requests, rules and costs.
    node_limit : int
        Nodes that the branch and bound looks at before it gives up with the best so far.

    Returns
    -------
    Schedule
        ``lower_bound`` is its cost if the search was complete, else a simple bound.

    Raises
    ------
    InputError
        If requests that pause or migrate have too many states.

    Examples
    --------
    The two of size 3 run side by side, then the one of length 2 alone: largest loads 3, 1, 1.

    >>> requests = Requests([3, 1, 3], [1, 2, 1])
    >>> schedule = solve_offline(OfflineProblem(System(2, 1, (0,)), requests))
    >>> schedule.cost, schedule.optimal
    (5, True)
    """
    if problem.rule is not Rule.STICKY:
        return solve_by_states(problem)
    best = problem.first()
    if best.optimal:
        return best
    kinds, kind = kinds_of(problem.requests)
    starts, workers, done = branch_and_bound(
        kinds[:, 0].copy(),
        kinds[:, 1].copy(),
        np.bincount(kind),
        (problem.system.workers, min(problem.system.slots, len(problem.requests))),
        (problem.drift, problem.level_cost, problem.step_cost),
        # More slots than requests never fill, which a cut-off number of slots would hide.
        problem.work_conserving,
        problem.system.capacity,
        best.cost,
        node_limit,
    )
    if starts.size:
        # The search lists the requests kind by kind, and equal requests can be exchanged.
        order = np.argsort(kind, kind="stable")
        start, worker = np.empty_like(starts), np.empty_like(workers)
        start[order], worker[order] = starts, workers
        best = problem.schedule(problem.sticky_places(start, worker), best.lower_bound)
    return problem.schedule(best.place, best.cost) if done else best


def solve_by_states(problem: OfflineProblem) -> Schedule:
    """Optimal schedule under any rule, from the value of every state.

    Raises
    ------
    InputError
        If there are more than :data:`~solvers.schedule.dynamic_program.MOST_STATES` states, which
        are the numbers of steps that each request has run.
    """
    states = 1
    for o in problem.requests.decode.tolist():
        states *= o + 1
    places = (problem.system.workers + 1) ** len(problem.requests)
    if states > MOST_STATES or places >= INT_LIMIT:
        raise InputError(
            f"the requests have {states:,} states, more than {MOST_STATES:,}, or too many workers"
        )
    place = best_by_states(
        problem.requests.prefill,
        problem.requests.decode,
        (problem.system.workers, problem.system.slots),
        (problem.drift, problem.level_cost, problem.step_cost),
        [*Rule].index(problem.rule),
        problem.work_conserving,
    )
    found = problem.schedule(place, -INT_LIMIT)
    return replace(found, lower_bound=found.cost)


def kinds_of(requests: Requests) -> tuple[IntArray, IntArray]:
    """Distinct (size, length), int64[T, 2], most work first, and the kind of each request."""
    pairs = np.stack([requests.prefill, requests.decode], axis=1)
    kinds, kind = np.unique(pairs, axis=0, return_inverse=True)
    order = np.argsort(-(kinds[:, 0] * kinds[:, 1]), kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    return kinds[order], rank[kind.ravel()]


def best_average(problem: OfflineProblem) -> Schedule:
    """The schedule with the least average imbalance ``AvgImb = (G sum_k M(k) - W) / K``.

    By Dinkelbach: with the best ratio ``p/q`` so far, minimise ``q (G sum_k M(k) - W) - p K`` until
    nothing is below 0.  A longer schedule has a larger denominator, so the optimum may waste time
    on purpose; it is a yardstick for AvgImb as it is defined, not a recommendation.

    Parameters
    ----------
    problem : OfflineProblem
        Its costs are not used.

    Returns
    -------
    Schedule
        Read the value from ``totals.avg_imbalance``; ``cost`` and ``lower_bound`` are those of the
        last comparison.
    """
    best = problem.first()
    while True:
        ratio = best.totals.avg_imbalance
        G, q, p = problem.system.workers, ratio.denominator, ratio.numerator
        trial = replace(problem, level_cost=G * q, step_cost=-p)
        found = solve_offline(trial)
        if found.cost >= q * problem.work:
            return trial.schedule(best.place, q * problem.work)
        best = found
