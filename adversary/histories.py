"""Worst cases of BF-IO over whole runs as integer programs: a second way to their maxima.

On two workers a step's lexicographic key is linear in the distance of the loads and in their sum.
So for given output lengths and a given history of assignments the sizes under which BF-IO takes
that history are those of linear constraints, with a binary for each sign.  One program for each
history looks for the largest imbalance; an alternative that BF-IO prefers at its solution is added
as a constraint, until there is none.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Any, NamedTuple

import highspy

from adversary.instances.space import Space
from adversary.program import Solved, quiet
from theory.model import InputError

# Programs that are solved for one class.
MOST_HISTORIES = 20_000

Held = tuple[tuple[int, int, int], ...]  # request, growth so far, steps left


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
    h = quiet()
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
