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
:func:`solvers.schedule.average.best_average`.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from solvers.schedule.bounds import least_largest_sum, least_sum_of_levels
from solvers.simulation.engine import simulate
from solvers.simulation.result import Totals
from theory.budget import about
from theory.model import INT_LIMIT, InputError, IntArray, Requests, System

# Policies whose schedules are the first upper bounds.
POLICIES = ("fcfs", "least_loaded", "bfio")

# Worker of a request that does not run.
IDLE = -1

# Places of a schedule that are looked at together.
_BLOCK = 2**18


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
        if self.system.capacity >= INT_LIMIT:
            raise InputError(
                f"workers * slots must stay below 2^62, got {about(self.system.capacity)}"
            )
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

    def lower_bound(self) -> int:
        """A bound of every schedule: of its levels, and as many or as few steps as there can be."""
        lengths = self.requests.decode
        fewest = max(-(-int(lengths.sum()) // self.system.capacity), int(lengths.max()))
        levels = least_sum_of_levels(
            self.requests.prefill, lengths, self.drift, self.system.workers, self.system.slots
        )
        if self.rule is not Rule.MIGRATING:
            works = lengths * self.requests.prefill + self.drift * (lengths * (lengths - 1) // 2)
            levels = max(levels, least_largest_sum(works, self.system.workers))
        steps = fewest if self.step_cost >= 0 else self.most_steps()
        return self.level_cost * levels + self.step_cost * steps

    def totals(self, place: IntArray) -> Totals:
        """Play a schedule in integers.

        Raises
        ------
        ScheduleError
            If it breaks a rule: the shape, a worker that does not exist, more than ``B`` at once,
            a step without a request, a request that does not run to its end or against the rule,
            or a slot that stays free against work conservation.
        """
        lengths = self.requests.decode
        n = lengths.size
        array = np.asarray(place)
        if array.ndim != 2 or array.shape[1] != n:
            raise ScheduleError(f"a schedule needs {n} columns, got {array.shape}")
        age, home = np.zeros(n, np.int64), np.full(n, IDLE)
        sum_max = 0
        rows = max(1, _BLOCK // n)
        for first in range(0, len(array), rows):
            sum_max += self._play(array[first : first + rows], age, home, first)
        if (age != lengths).any():
            raise ScheduleError("a request does not run to its end")
        return Totals(self.system.workers, len(array), sum_max, self.work)

    def _play(self, block: IntArray, age: IntArray, home: IntArray, first: int) -> int:
        """Play some steps, from step ``first`` on; the sum of their levels.

        ``age`` and ``home`` are the steps that each request has run and its worker before them, and
        are brought up to date.
        """
        G, B = self.system.workers, self.system.slots
        lengths = self.requests.decode
        runs = block != IDLE
        ages = age + np.cumsum(runs, axis=0) - runs
        # The worker that a request was on last, itself at the step where it first runs.
        at = np.where(runs, np.arange(1, len(block) + 1)[:, None], 0)
        last = np.maximum.accumulate(at, axis=0)
        before = np.concatenate([np.zeros((1, age.size), np.int64), last[:-1]])
        homes = np.concatenate([home[None, :], block])[before, np.arange(age.size)]
        wrong = runs & ((block < 0) | (block >= G) | (ages >= lengths))
        leaves = runs & (ages > 0) & (block != homes)
        pauses = ~runs & (ages > 0) & (ages < lengths)
        bad = wrong.copy()
        if self.rule is not Rule.MIGRATING:
            bad |= leaves
        if self.rule is Rule.STICKY:
            bad |= pauses
        step, request = np.nonzero(runs & ~wrong)
        slot = step * G + block[step, request]
        held = np.bincount(slot, minlength=len(block) * G).reshape(-1, G)
        loads = np.zeros(len(block) * G, np.int64)
        np.add.at(loads, slot, (self.requests.prefill + self.drift * ages)[step, request])
        empty = held.max(axis=1) == 0
        over = held.max(axis=1) > B
        waits = np.zeros_like(runs)
        if self.work_conserving:
            anywhere = (ages == 0) | (self.rule is Rule.MIGRATING)
            own = np.take_along_axis(held, np.clip(homes, 0, G - 1), axis=1)
            room = np.where(anywhere, held.min(axis=1)[:, None], own) < B
            waits = ~runs & (ages < lengths) & room
        broken = bad.any(axis=1) | empty | over | waits.any(axis=1)
        if broken.any():
            k = int(np.argmax(broken))
            at_step = f"step {first + k}: "
            if bad[k].any():
                i = int(np.argmax(bad[k]))
                if wrong[k, i]:
                    raise ScheduleError(f"{at_step}request {i} cannot run on worker {block[k, i]}")
                what = "pauses" if pauses[k, i] else f"leaves worker {homes[k, i]}"
                raise ScheduleError(f"{at_step}request {i} {what}")
            if over[k]:
                g = int(np.argmax(held[k] > B))
                raise ScheduleError(f"{at_step}worker {g} holds {held[k, g]}")
            if empty[k]:
                raise ScheduleError(f"{at_step}nothing runs")
            i = int(np.argmax(waits[k]))
            raise ScheduleError(f"{at_step}a slot is free while request {i} waits")
        age += runs.sum(axis=0)
        home[:] = np.concatenate([home[None, :], block])[last[-1], np.arange(age.size)]
        return int(loads.reshape(-1, G).max(axis=1).sum())

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
        for policy in POLICIES:
            run = simulate(self.system, self.requests, policy, pool=len(self.requests))
            places = self.sticky_places(run.start_step, run.worker)
            schedules.append(self.schedule(places, self.lower_bound()))
        return min(schedules, key=lambda s: s.cost)
