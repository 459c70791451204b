"""Certificates: results as JSON in integers, which ``solvers/checker.py`` verifies on its own.

The upper side of a step is an assignment.  Its lower side is an argument, a nested list that a
reader can follow:

* ``["levels", A, [case, ...], D]``: the workers ``A`` fill so many slots that the largest load is
  at least some ``m``; each case treats one of the levels ``m, m+1, ...``, and above these the
  workers ``D`` lack enough even if they get the largest requests.  With no cases this is the
  counting bound, an LP dual with multipliers 0 and 1.
* ``["weights", m, w]``, where the whole pool is admitted: the requests, from the smallest on, weigh
  more than all workers can take without a load above ``m``.
* ``["fill"]``: at a given level, each worker's load stays below it by at least what the sums of
  requests that it can take leave.
* ``["place", case, ...]``: the largest request goes to one of the workers or waits.
"""

import json
import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import reduce
from itertools import accumulate
from operator import or_
from typing import TYPE_CHECKING, Any

import numpy as np

from solvers.step.problem import StepProblem, StepSolution
from theory.model import InputError, IntArray

if TYPE_CHECKING:
    from solvers.schedule.problem import OfflineProblem, Schedule

FORMAT = "evenkeel certificate 1"

# Largest schedules that the checker searches again: requests, request-steps and workers.
MOST_SCHEDULED = 8
MOST_SERVED = 40
MOST_WORKERS = 99

# What the search for an argument may spend, in machine words of sums looked at: some seconds; and
# levels that it may split.
MOST_WORDS = 10**8
SHORT_WORDS = 10**6
MOST_LEVELS = 5_000

# Words that a level costs for each worker, before it is split.
_A_WORKER = 8

# Operations that weighing asks of the checker; words for a second of column generation.
_MOST_WEIGHED = 9 * 10**7
_WORDS_A_SECOND = 10**7

Certificate = dict[str, Any]
Argument = list[Any]
_State = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], int]


class _NoArgumentError(Exception):
    """There is none, or none within the words that may be spent."""


def certify_step(
    problem: StepProblem, solution: StepSolution, words: int = MOST_WORDS
) -> Certificate:
    """A certificate of a step's assignment and of the best lower bound that could be argued.

    Parameters
    ----------
    problem : StepProblem
        The step.
    solution : StepSolution
        Its assignment; the solver's own lower bound is not used.
    words : int
        What the search for an argument may spend.

    Returns
    -------
    dict
        With ``bound`` equal to ``imbalance`` where the assignment was proved optimal.

    Raises
    ------
    AssignmentError
        If the assignment breaks a rule of the step.

    Examples
    --------
    >>> problem = StepProblem(loads=[0, 0], free=[1, 1], pool=[3, 5])
    >>> certificate = certify_step(problem, StepSolution(np.array([0, 1]), 2, 2))
    >>> certificate["imbalance"], certificate["bound"]
    (2, 2)
    """
    problem.validate(solution.assignment)
    value = problem.objective(solution.assignment)
    bound, argument = argue(problem, value, words)
    return {
        "format": FORMAT,
        "kind": "step",
        "loads": problem.loads.tolist(),
        "free": problem.free.tolist(),
        "pool": problem.pool.tolist(),
        "assignment": solution.assignment.tolist(),
        "imbalance": value,
        "bound": bound,
        "argument": argument,
    }


def argue(problem: StepProblem, target: int, words: int = MOST_WORDS) -> tuple[int, Argument]:
    """Argue that no admission has less imbalance than ``target``, or than as much as one can.

    Returns
    -------
    bound : int
        What the argument shows, at most ``target``.
    argument : list
        See the module's docstring.
    """
    state = _state(problem)
    below, least = _most_level(state)
    simple = min(target, max(0, *_lacks(state, least)))
    plain: Argument = ["levels", below, [], _longest_lack(state, least)]
    if simple >= target:
        return target, plain
    if 0 < problem.admissions == problem.pool.size:
        bound, weights = _argue_all(problem, target, words)
        if weights is not None and bound >= target:
            return bound, weights
        if weights is not None and bound > simple:
            simple, plain = bound, weights
    levels = 0
    while max(_lacks(state, least + levels)) < target:
        levels += 1
        if levels > MOST_LEVELS or _A_WORKER * problem.workers * levels > words:
            return simple, plain
    above = _longest_lack(state, least + levels)
    search = _Search(target, words)
    try:
        cases = [search.at_level(state, least + i) for i in range(levels)]
        return target, ["levels", below, cases, above]
    except _NoArgumentError:
        pass
    # Without a split the levels still show something, if there are not too many.
    if levels * _words(state, least + levels) > words:
        return simple, plain
    filled = min(_fill(state, least + i) for i in range(levels))
    if filled <= simple:
        return simple, plain
    return int(filled), ["levels", below, [["fill"]] * levels, above]


def _argue_all(problem: StepProblem, target: int, words: int) -> tuple[int, Argument | None]:
    """Argue by weights where the whole pool is admitted; at most ``target``."""
    from solvers.step.machines.counting import counting_level
    from solvers.step.machines.packing import impossible

    loads, sizes = problem.loads.copy(), np.sort(problem.pool)
    G, total = problem.workers, int(loads.sum() + sizes.sum())
    high = level = -(-(target + total) // G)  # what the target needs
    low, argument = -(-total // G) - 1, None
    counted = counting_level(loads, sizes) - 1
    while low < high:
        # First what the target needs, then what counting promises, then by bisection.
        at = level - 1 if high == level else counted if low < counted < high else (low + high) // 2
        room = max(0, at - int(loads.min()))
        fit = int(np.searchsorted(np.cumsum(sizes), room, side="right"))
        asked = sizes.size * (1 + min(fit, int(problem.free.max()))) * (1 + room) // 4
        weights = None
        if asked <= _MOST_WEIGHED:
            weights = impossible(sizes, loads, problem.free, at, words / _WORDS_A_SECOND)
        if weights is None:
            high = at
        else:
            low, argument = at + 1, ["weights", at, weights.tolist()]
    return min(target, max(0, G * low - total)), argument


def _state(problem: StepProblem) -> _State:
    return (
        tuple(problem.loads.tolist()),
        tuple(problem.free.tolist()),
        tuple(sorted(problem.pool.tolist())),
        problem.admissions,
    )


def _most_level(state: _State) -> tuple[list[int], int]:
    """The set of workers that shows most about the largest load, and what it shows.

    Only sets that are prefixes in the order of room per slot matter; the order depends on the
    level, which is raised until no prefix raises it [step.lp-closed-form].
    """
    loads, free, pool, admits = state
    spare, small = sum(free) - admits, [0, *accumulate(pool)]
    best, level = [max(range(len(loads)), key=lambda g: loads[g])], max(loads)
    while True:
        order = sorted(range(len(loads)), key=lambda g: _room_per_slot(level, loads[g], free[g]))
        load = slots = 0
        found = level
        for i, g in enumerate(order, 1):
            load, slots = load + loads[g], slots + free[g]
            reached = -(-(load + small[max(0, slots - spare)]) // i)
            if reached > found:
                found, best = reached, order[:i]
        if found == level:
            return best, level
        level = found


def _room_per_slot(level: int, load: int, free: int) -> float:
    return (level - load) / free if free else math.inf


def _by_lack(state: _State, level: int) -> list[int]:
    """Workers in the order in which they join the set that lacks most: most room per slot."""
    loads, free, _, _ = state
    return sorted(
        range(len(loads)), key=lambda g: _room_per_slot(level, loads[g], free[g]), reverse=True
    )


def _lacks(state: _State, level: int) -> list[int]:
    """What each prefix of :func:`_by_lack` lacks even with the largest requests."""
    loads, free, pool, admits = state
    large = [0, *accumulate(reversed(pool))]
    room = slots = 0
    lacks = []
    for g in _by_lack(state, level):
        room, slots = room + level - loads[g], slots + free[g]
        lacks.append(room - large[min(slots, admits)])
    return lacks


def _longest_lack(state: _State, level: int) -> list[int]:
    lacks = _lacks(state, level)
    return _by_lack(state, level)[: lacks.index(max(lacks)) + 1]


class _Search:
    """Depth-first search for an argument that a step at a given level costs the target.

    Parameters
    ----------
    target : int
        The imbalance to reach.
    words : int
        How many machine words of sums may be looked at.
    """

    def __init__(self, target: int, words: int) -> None:
        self.target = target
        self.words = words

    def at_level(self, state: _State, level: int) -> Argument:
        """An argument for all admissions from a state whose largest load is the level.

        Raises
        ------
        _NoArgumentError
            If there was none within the words, or there is none.
        """
        self.words -= _words(state, level)
        if self.words < 0:
            raise _NoArgumentError
        loads, free, pool, admits = state
        if _fill(state, level) >= self.target:
            return ["fill"]
        if admits == 0:
            raise _NoArgumentError
        size = pool[-1]
        cases = []
        for g in range(len(loads)):
            twin = (loads[g], free[g]) in zip(loads[:g], free[:g], strict=True)
            if free[g] and not twin and loads[g] + size <= level:
                after = (*loads[:g], loads[g] + size, *loads[g + 1 :])
                left = (*free[:g], free[g] - 1, *free[g + 1 :])
                cases.append(self.at_level((after, left, pool[:-1], admits - 1), level))
        smaller = pool.index(size)
        if smaller >= admits:
            cases.append(self.at_level((loads, free, pool[:smaller], admits), level))
        return ["place", *cases]


def _words(state: _State, level: int) -> int:
    """Machine words that :func:`_fill` looks at, and a hundred for looking at all."""
    loads, free, pool, admits = state
    return 100 + len(pool) * min(max(free), admits) * (1 + (level - min(loads)) // 64)


def _fill(state: _State, level: int) -> float:
    """Least sum of what the loads stay below the level; infinite if none can reach it."""
    loads, free, pool, admits = state
    spare = sum(free) - admits
    most = min(max(free), admits)
    beyond = level - min(loads) + 1  # what no worker has room for
    mask = (1 << beyond) - 1
    sums = [1] + [0] * most
    for size in pool:
        for c in range(most, 0, -1):
            sums[c] |= sums[c - 1] << min(size, beyond) & mask
    lacks: list[float] = []
    for load, c in zip(loads, free, strict=True):
        room = level - load
        reach = reduce(or_, sums[max(0, c - spare) : min(c, admits) + 1])
        reach &= (1 << max(0, room + 1)) - 1
        lacks.append(room - reach.bit_length() + 1 if reach else math.inf)
    return sum(lacks) if min(lacks) == 0 else math.inf


def certifiable(problem: "OfflineProblem") -> None:
    """Refuse a backlog whose optimum the checker could not search again.

    Raises
    ------
    InputError
        If requests may pause or migrate, a level costs more than 1 or a step less than 0, or there
        are more requests than :data:`MOST_SCHEDULED`, which run for more than :data:`MOST_SERVED`
        steps in all, or more than :data:`MOST_WORKERS` workers.
    """
    if problem.rule != "sticky" or problem.level_cost != 1 or problem.step_cost < 0:
        raise InputError("offline certificates are for sticky schedules at costs 1 and >= 0")
    if len(problem.requests) > MOST_SCHEDULED:
        raise InputError(
            f"offline certificates take up to {MOST_SCHEDULED} requests, got "
            f"{len(problem.requests)}"
        )
    served = int(problem.requests.decode.sum())
    if served > MOST_SERVED or problem.system.workers > MOST_WORKERS:
        raise InputError(
            f"offline certificates take up to {MOST_SERVED} steps of all requests together and "
            f"{MOST_WORKERS} workers, got {served} and {problem.system.workers}"
        )


def certify_offline(problem: "OfflineProblem", schedule: "Schedule") -> Certificate:
    """A certificate of the least cost of a small backlog; the checker searches it again.

    Raises
    ------
    InputError
        As :func:`certifiable`, or if the schedule was not proved optimal.
    """
    if not schedule.optimal:
        raise InputError("only a schedule that is proved optimal can be certified")
    certifiable(problem)
    return {
        "format": FORMAT,
        "kind": "offline",
        "workers": problem.system.workers,
        "slots": problem.system.slots,
        "drift": problem.drift,
        "overhead": problem.step_cost,
        "work_conserving": int(problem.work_conserving),
        "prefill": problem.requests.prefill.tolist(),
        "decode": problem.requests.decode.tolist(),
        "cost": schedule.cost,
    }


# Digits to which powers of utilisations are bracketed.
POWER_SCALE = 10**9


def certify_energy(
    loads: IntArray | Sequence[Sequence[int]], idle_w: int, max_w: int, gamma: Fraction
) -> Certificate:
    """A certificate that a trajectory obeys [energy.sandwich] and [energy.envelope].

    Parameters
    ----------
    loads : int[K, G]
        Loads of the workers at each step.
    idle_w, max_w : int
        Power at utilisations 0 and 1, in watts; a waiting worker is taken at ``idle_w``.
    gamma : Fraction
        Exponent in (0, 1), of denominator at most 100.  At 1 the floor and the ceilings coincide
        with the energy, and a bracket of it would cross them.

    Returns
    -------
    dict
        ``energy`` brackets the energy divided by ``t_l`` for ``C = 0``, in units of
        ``1/POWER_SCALE``.
    """
    table: list[list[int]] = np.asarray(loads).tolist()
    if not 0 < gamma < 1 or gamma.denominator > 100 or not 0 <= idle_w <= max_w:
        raise InputError(
            "an energy certificate needs 0 <= idle_w <= max_w and gamma in (0, 1) with a "
            f"denominator <= 100, got {idle_w}, {max_w}, {gamma}"
        )
    low = high = 0
    for row in table:
        top = max(row)
        for x in row if top else ():
            below, above = _power_of(x, top, gamma)
            low += top * (POWER_SCALE * idle_w + (max_w - idle_w) * below)
            high += top * (POWER_SCALE * idle_w + (max_w - idle_w) * above)
    return {
        "format": FORMAT,
        "kind": "energy",
        "workers": len(table[0]) if table else 1,
        "loads": [x for row in table for x in row],
        "idle_w": idle_w,
        "max_w": max_w,
        "gamma": [gamma.numerator, gamma.denominator],
        "energy": [low, high],
    }


def _power_of(a: int, b: int, gamma: Fraction) -> tuple[int, int]:
    """``POWER_SCALE * (a/b)^gamma`` rounded down and up, exactly."""
    p, q = gamma.numerator, gamma.denominator
    goal = POWER_SCALE**q * a**p
    x = int(POWER_SCALE * (a / b) ** float(gamma))
    while x**q * b**p > goal:
        x -= 1
    while (x + 1) ** q * b**p <= goal:
        x += 1
    return x, x + (x**q * b**p < goal)


def to_text(certificate: Mapping[str, Any]) -> str:
    """The file's content: one field a line."""
    lines = [f'  "{key}": {json.dumps(value)}' for key, value in certificate.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"
