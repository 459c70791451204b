"""Worst cases as integer programs, a second way to :mod:`adversary.worst_case.exhaustive`.

Nothing is shared with the enumerations but the definition of a class.  The maximum over sizes of
the largest load is not convex to maximise, so a binary variable names the worker that carries it.

* FCFS places requests whatever their sizes: for each list of output lengths, one program over the
  sizes.
* An optimal step is a minimum over assignments, of which the program knows a few.  Whenever its
  best step has a better assignment than those, that one is added: constraint generation.
* BF-IO on two workers: a step's lexicographic key is linear in the distance of the loads and in
  their sum.  So for given output lengths and a given history of assignments the sizes under which
  BF-IO takes that history are those of linear constraints, with a binary for each sign.  One
  program for each history looks for the largest imbalance; an alternative that BF-IO prefers at its
  solution is added as a constraint, until there is none.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement, pairwise, product
from typing import Any, NamedTuple

import highspy
import numpy as np

from adversary.instances.space import Space, StepSpace
from solvers.simulation.reference import simulate_reference
from solvers.step.exact.brute_force import enumerate_step
from solvers.step.problem import WAITS, StepProblem
from theory.model import InputError, Requests

# Programs that are solved for one class.
MOST_PROGRAMS = 10_000
MOST_HISTORIES = 20_000

Held = tuple[tuple[int, int, int], ...]  # request, growth so far, steps left


@dataclass(frozen=True, slots=True)
class Solved:
    """A maximum by integer programming.

    Parameters
    ----------
    value : Fraction
        The maximum, recomputed in integers from the instance.
    programs : int
        How many programs were solved.
    cuts : int
        Assignments that were added by constraint generation.
    """

    value: Fraction
    programs: int
    cuts: int


def fcfs_by_program(space: Space) -> Solved:
    """The largest ``AvgImb`` of FCFS over a class with every arrival order.

    Raises
    ------
    InputError
        If the class is restricted to sorted orders, or has more than :data:`MOST_PROGRAMS` lists
        of lengths.
    RuntimeError
        If the solver fails, or its objective is not that of its own sizes.
    """
    if space.order != "any":
        raise InputError("the program is for classes with every arrival order")
    count = space.decode_max**space.requests
    _affordable(count)
    best = Fraction(0)
    for lengths in product(range(1, space.decode_max + 1), repeat=space.requests):
        best = max(best, _fcfs_sizes(space, lengths))
    return Solved(best, count, 0)


def _fcfs_sizes(space: Space, lengths: tuple[int, ...]) -> Fraction:
    """The largest average imbalance for these lengths, over all sizes."""
    N, G = space.requests, space.workers
    blank = Requests([space.size_min] * N, lengths)
    run = simulate_reference(space.system, blank, "fcfs", pool=space.pool_limit, history=True)
    assert run.loads is not None
    h = _quiet()
    extra = [h.addIntegral(0, space.size_max - space.size_min) for _ in range(N)]
    gain = []
    for k, loads in enumerate(run.loads.tolist()):
        served = (run.start_step <= k) & (k < run.start_step + run.requests.decode)
        held = [np.flatnonzero(served & (run.worker == g)).tolist() for g in range(G)]
        room = max(loads) + N * (space.size_max - space.size_min)
        level = _largest(h, [(loads[g], [extra[i] for i in held[g]]) for g in range(G)], room)
        gain.append(G * level - h.qsum(extra[i] for g in range(G) for i in held[g]) - sum(loads))
    h.maximize(h.qsum(gain))
    claimed = _optimum(h)
    sizes = [space.size_min + round(h.val(x)) for x in extra]
    again = simulate_reference(
        space.system, Requests(sizes, lengths), "fcfs", pool=space.pool_limit
    )
    if abs(claimed - again.total.imbalance) > 0.5:
        raise RuntimeError(f"the program claims {claimed} for sizes of {again.total.imbalance}")
    return again.total.avg_imbalance


def step_by_program(space: StepSpace) -> Solved:
    """The largest imbalance of an optimal step over a class, by constraint generation.

    Raises
    ------
    InputError
        If the class has too many patterns of free slots, or steps too large to enumerate.
    RuntimeError
        If the solver fails.
    """
    patterns = list(
        combinations_with_replacement(range(space.free_min, space.free_max + 1), space.workers)
    )
    _affordable(len(patterns) * (space.requests + 1))
    best, programs, cuts = Fraction(0), 0, 0
    for free in patterns:
        for n in range(0 if space.fewer else space.requests, space.requests + 1):
            value, rounds = _worst_step(space, free, n)
            best, programs, cuts = max(best, Fraction(value)), programs + rounds, cuts + rounds - 1
    return Solved(best, programs, cuts)


def _worst_step(space: StepSpace, free: tuple[int, ...], n: int) -> tuple[int, int]:
    """The largest optimal imbalance with these free slots and ``n`` requests; programs solved."""
    G = space.workers
    h = _quiet()
    loads = [h.addIntegral(0, space.load_max) for _ in range(G)]
    sizes = [h.addIntegral(space.size_min, space.size_max) for _ in range(n)]
    room = space.load_max + n * space.size_max
    worst = h.addVariable(0, G * room)
    for left, right in pairwise(sizes):
        h.addConstr(left <= right)
    for rounds in range(1, MOST_PROGRAMS):
        h.maximize(worst)
        claimed = _optimum(h)
        problem = StepProblem(
            [round(h.val(x)) for x in loads], free, [round(h.val(x)) for x in sizes]
        )
        reply = enumerate_step(problem)
        if claimed < reply.imbalance + 0.5:
            return reply.imbalance, rounds
        after: list[tuple[Any, list[Any]]] = [(load, []) for load in loads]
        for size, g in zip(sizes, reply.assignment.tolist(), strict=True):
            if g != WAITS:
                after[g][1].append(size)
        level = _largest(h, after, room)
        placed = [size for _, mine in after for size in mine]
        h.addConstr(worst <= G * level - h.qsum(loads) - h.qsum(placed))
    raise RuntimeError("constraint generation does not end")


def _largest(h: Any, loads: Sequence[tuple[Any, Sequence[Any]]], room: int) -> Any:
    """A variable that is at most the largest of some sums, each ``start + parts``."""
    level = h.addVariable(0, room)
    carries = [h.addBinary() for _ in loads]
    h.addConstr(h.qsum(carries) == 1)
    for (start, parts), y in zip(loads, carries, strict=True):
        h.addConstr(level - h.qsum(parts) - start + room * y <= room)
    return level


def _quiet() -> Any:
    """A silent, sequential solver without gaps."""
    h = highspy.Highs()
    h.setOptionValue("output_flag", False)
    h.setOptionValue("threads", 1)
    h.setOptionValue("mip_rel_gap", 0.0)
    h.setOptionValue("mip_abs_gap", 0.5)
    # Half of the time of a small program, for a first solution.
    h.setOptionValue("mip_heuristic_run_feasibility_jump", False)
    return h


def _optimum(h: Any) -> float:
    if h.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(f"the solver stopped: {h.modelStatusToString(h.getModelStatus())}")
    value = float(h.getInfo().objective_function_value)
    if not math.isfinite(value):
        raise RuntimeError("the solver found nothing")
    return value


def _affordable(programs: int) -> None:
    if programs > MOST_PROGRAMS:
        raise InputError(
            f"the class takes {programs:,} programs, more than {MOST_PROGRAMS:,}: enumerate it"
        )


class _Step(NamedTuple):
    """Who is served before the admission, who waits, and the worker of each of these (2: none)."""

    active: tuple[Held, Held]
    waiting: tuple[int, ...]
    chosen: tuple[int, ...]


def bfio_by_program(space: Space) -> Solved:
    """The largest ``AvgImb`` of BF-IO with exact steps over a class of two workers.

    Raises
    ------
    InputError
        If there are not two workers, the class is restricted to sorted orders, or it takes more
        than :data:`MOST_HISTORIES` programs.
    RuntimeError
        If the solver fails.
    """
    if space.workers != 2 or space.order != "any":
        raise InputError("histories are for two workers and every arrival order")
    best, programs, cuts = Fraction(0), 0, 0
    for lengths in product(range(1, space.decode_max + 1), repeat=space.requests):
        for history in _histories(space, lengths):
            if programs >= MOST_HISTORIES:
                raise InputError(f"the class takes more than {MOST_HISTORIES:,} programs")
            value, rounds = _worst_sizes(space, history, best)
            best, programs, cuts = max(best, value), programs + rounds, cuts + rounds - 1
    return Solved(best, programs, cuts)


def _histories(
    space: Space,
    lengths: tuple[int, ...],
    new: int = 0,
    waiting: tuple[int, ...] = (),
    active: tuple[Held, Held] = ((), ()),
    step: int = 0,
) -> Iterator[tuple[_Step, ...]]:
    """Every work-conserving way to serve requests of these lengths, whatever their sizes."""
    revealed = min(len(lengths), new + space.pool_limit - len(waiting))
    waiting = (*waiting, *range(new, revealed))
    if not waiting and not any(active):
        yield ()
        return
    drift = space.drift[step % len(space.drift)]
    for chosen in _admissions(space.slots, active, len(waiting)):
        served = [list(held) for held in active]
        for i, g in zip(waiting, chosen, strict=True):
            if g < 2:
                served[g].append((i, 0, lengths[i]))
        left, right = (
            tuple((i, grown + drift, left - 1) for i, grown, left in held if left > 1)
            for held in served
        )
        still = tuple(i for i, g in zip(waiting, chosen, strict=True) if g == 2)
        for rest in _histories(space, lengths, revealed, still, (left, right), step + 1):
            yield (_Step(active, waiting, chosen), *rest)


def _admissions(slots: int, active: tuple[Held, Held], n: int) -> Iterator[tuple[int, ...]]:
    """Work-conserving admissions in order, where waiting counts as worker 2."""
    free = [slots - len(held) for held in active]
    for chosen in product(range(3), repeat=n):
        fits = chosen.count(0) <= free[0] and chosen.count(1) <= free[1]
        if fits and chosen.count(2) == max(0, n - sum(free)):
            yield chosen


def _loads(step: _Step, chosen: tuple[int, ...], sizes: Any) -> list[Any]:
    """Loads of the two workers, as numbers or as expressions of the program."""
    loads = []
    for g, held in enumerate(step.active):
        given = [sizes[i] for i, h in zip(step.waiting, chosen, strict=True) if h == g]
        parts = [*(sizes[i] for i, _, _ in held), *given]
        loads.append(sum(parts) + sum(grown for _, grown, _ in held))
    return loads


def _worst_sizes(space: Space, history: tuple[_Step, ...], known: Fraction) -> tuple[Fraction, int]:
    """The largest average above ``known`` of a history that BF-IO takes; programs solved."""
    h = _quiet()
    sizes = [h.addIntegral(space.size_min, space.size_max) for _ in range(space.requests)]
    room = space.requests * (space.size_max + space.decode_max * max(space.drift))
    # More than any two admissions of equally many requests differ in sum.
    weight = space.requests * (space.size_max - space.size_min) + 1

    def distance(step: _Step, chosen: tuple[int, ...]) -> tuple[Any, Any]:
        """A variable that is the distance of the loads, and their sum."""
        left, right = _loads(step, chosen, sizes)
        gap, sign = h.addVariable(0, room), h.addBinary()
        h.addConstr(gap - left + right >= 0)
        h.addConstr(gap + left - right >= 0)
        h.addConstr(gap - left + right + 2 * room * sign <= 2 * room)
        h.addConstr(gap + left - right - 2 * room * sign <= 0)
        return gap, left + right

    taken = [distance(step, step.chosen) for step in history]
    goal = h.qsum(gap for gap, _ in taken)
    rounds = 0
    while True:
        rounds += 1
        h.maximize(goal)
        if h.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
            return Fraction(0), rounds
        if h.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise RuntimeError("the solver stopped")
        found = [round(h.val(x)) for x in sizes]
        total = 0
        better = []
        for step in history:
            left, right = _loads(step, step.chosen, found)
            total += abs(left - right)
            first = min(
                _admissions(space.slots, step.active, len(step.waiting)),
                key=lambda chosen, step=step: _key(step, chosen, found),  # type: ignore[misc]
            )
            better.append(first)
        average = Fraction(total, len(history))
        if average <= known:
            return average, rounds  # no sizes of this history have more
        if all(step.chosen == first for step, first in zip(history, better, strict=True)):
            return average, rounds
        for step, first, (gap, both) in zip(history, better, taken, strict=True):
            if step.chosen != first:
                other_gap, other_both = distance(step, first)
                earlier = int(first < step.chosen)
                h.addConstr(weight * gap + both - weight * other_gap - other_both <= -earlier)


def _key(step: _Step, chosen: tuple[int, ...], sizes: list[int]) -> tuple[Any, ...]:
    """Imbalance, largest load, squares and order [step.lexicographic]."""
    loads = _loads(step, chosen, sizes)
    return 2 * max(loads) - sum(loads), max(loads), sum(x * x for x in loads), chosen
