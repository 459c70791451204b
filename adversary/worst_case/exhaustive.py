"""Exact worst cases over bounded classes, by enumerating every instance.

Every result states the class that it covers and how many instances that class has.  Enumerations
go in portions, so that one that was interrupted goes on where it stood.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations_with_replacement, islice, product

import numpy as np

from adversary.instances.small_runs import policy_code
from adversary.instances.space import Instance, Space, StepSpace
from adversary.worst_case.lists import largest_over_lists, largest_over_vertices
from adversary.worst_case.objectives import RunObjective, StepObjective, Value
from solvers.step.exact.brute_force import check_loads
from solvers.step.problem import StepProblem
from theory.budget import about, power
from theory.model import INT_LIMIT, InputError, IntArray

# Instances of a class that is enumerated, and vertices, most of which are excluded unseen.
MOST_INSTANCES = 10**10
MOST_VERTICES = 10**13

# Lists of requests in a portion: about a second.
PORTION = 200_000


@dataclass(frozen=True, slots=True)
class Tally:
    """What an enumeration, or a search, has found so far.

    Parameters
    ----------
    value : Fraction, inf or None
        The largest value; None before the first that is defined.
    vector : tuple of int
        The first vector of the class that reaches it: sizes, then output lengths.
    instances : int
        How many were covered.
    maximisers : int
        How many of those reach the value.
    excluded : int
        How many of those were not evaluated because a bound shows that they have less.
    cursor : tuple of int or None
        Where to go on; None at the end.
    """

    value: Value | None = None
    vector: tuple[int, ...] = ()
    instances: int = 0
    maximisers: int = 0
    excluded: int = 0
    cursor: tuple[int, ...] | None = ()

    def joined(self, portion: "Tally") -> "Tally":
        """With a further portion."""
        best = self
        if portion.value is not None and (self.value is None or portion.value > self.value):
            best = portion
        same = portion.value == best.value
        return replace(
            best,
            instances=self.instances + portion.instances,
            excluded=self.excluded + portion.excluded,
            maximisers=best.maximisers + (portion.maximisers if same and best is self else 0),
            cursor=portion.cursor,
        )


@dataclass(frozen=True, slots=True)
class WorstCase:
    """The exact maximum of an objective over a class.

    Parameters
    ----------
    space : Space
        The class.
    objective : str
        What was maximised.
    value : Fraction or inf
        The maximum; infinite where a positive average stands over zero.
    instance : Instance
        The first instance that reaches it, in the order of the enumeration.
    instances : int
        How many instances were covered.
    maximisers : int
        How many of those reach the maximum.
    excluded : int
        How many of those a bound excluded.
    domain : str
        What was covered, in words.
    """

    space: Space
    objective: str
    value: Value
    instance: Instance
    instances: int
    maximisers: int
    excluded: int
    domain: str


def worst_case(space: Space, policy: str, baseline: str | None = None) -> WorstCase:
    """The largest average imbalance of a policy, or its ratio to a baseline's, over a class.

    Parameters
    ----------
    space : Space
        All its instances are simulated.
    policy, baseline : str
        ``"fcfs"`` or ``"bfio_exact"``.  With a baseline the ratio of the two averages is maximised:
        0/0 does not count, and a positive average over zero is infinite.

    Raises
    ------
    InputError
        If the policy is not known here, or the class is too large.

    Examples
    --------
    A full refill under FCFS reaches (G - 1) B (b - a):

    >>> worst_case(Space(workers=2, slots=2, requests=4, size_max=3), "fcfs").value
    Fraction(4, 1)
    """
    *_, tally = enumerated(space, policy, baseline)
    objective = f"AvgImb({policy})" + (f" / AvgImb({baseline})" if baseline else "")
    return conclude(space, objective, tally)


def enumerated(
    space: Space, policy: str, baseline: str | None = None, tally: Tally | None = None
) -> Iterator[Tally]:
    """The enumeration of :func:`worst_case`, portion by portion, from where a tally stands."""
    _affordable(space.size)
    _comparable(space, 1 if baseline is None else 2)
    total = tally or Tally(cursor=(0,) * space.requests)
    sizes, drift = np.arange(space.size_min, space.size_max + 1), np.array(space.drift)
    shape = space.workers, space.slots, space.pool_limit
    codes = policy_code(policy), policy_code(baseline) if baseline else -1
    while total.cursor is not None:
        digit = np.array(total.cursor, dtype=np.int64)
        box = space.decode_max, space.requests, space.order == "sorted"
        top, bottom, vector, instances, maximisers, more = largest_over_lists(
            sizes, box, shape, drift, codes, digit, PORTION
        )
        cursor = tuple(digit.tolist()) if more else None
        total = total.joined(_tally(top, bottom, vector, instances, maximisers, 0, cursor))
        yield total


def enumerated_slowly(
    space: Space, objective: RunObjective, tally: Tally | None = None
) -> Iterator[Tally]:
    """Enumerate a class for any objective at all, portion by portion.

    The order is that of :func:`enumerated`.
    """
    _affordable(space.size)
    total = tally or Tally(cursor=(0,))
    kinds = list(product(range(space.size_min, space.size_max + 1), range(1, space.decode_max + 1)))
    if space.order == "any":
        lists: Iterator[tuple[tuple[int, int], ...]] = product(kinds, repeat=space.requests)
    else:
        lists = combinations_with_replacement(kinds, space.requests)
    assert total.cursor is not None
    for requests in islice(lists, total.cursor[0], None):
        sizes, lengths = zip(*requests, strict=True)
        vector = (*sizes, *lengths)
        value = objective(space.build(np.array(vector, dtype=np.int64)))
        done = total.instances + 1
        cursor = None if done == space.size else (done,)
        total = total.joined(Tally(value, vector, 1, 1, 0, cursor))
        yield total


def fcfs_worst_case(space: Space) -> WorstCase:
    """The largest average imbalance of FCFS over a class, from the extreme sizes alone.

    For fixed output lengths and order, FCFS places requests whatever their sizes, so its total
    imbalance is convex in them and its maximum lies where every size is the smallest or the
    largest one [fcfs.vertex].

    Raises
    ------
    InputError
        If the class is restricted to sorted orders, which are no box, or has more than
        :data:`MOST_VERTICES` vertices.
    """
    *_, tally = fcfs_enumerated(space)
    return conclude(space, "AvgImb(fcfs)", tally)


def fcfs_enumerated(space: Space, tally: Tally | None = None) -> Iterator[Tally]:
    """The enumeration of :func:`fcfs_worst_case`, portion by portion.

    The vertices of one list of output lengths are passed over where even the largest imbalance
    that each step could have by itself averages less than the best so far.
    """
    if space.order != "any":
        raise InputError("the vertices decide only in a class with every arrival order")
    _affordable(vertices(space), MOST_VERTICES)
    _comparable(space, 1)
    total = tally or Tally(cursor=(1,) * space.requests)
    while total.cursor is not None:
        decode = np.array(total.cursor, dtype=np.int64)
        known = Fraction(0) if total.value is None else Fraction(total.value)
        top, bottom, vector, instances, maximisers, excluded, more = largest_over_vertices(
            (space.size_min, space.size_max),
            space.decode_max,
            (space.workers, space.slots, space.pool_limit),
            np.array(space.drift),
            (known.numerator, known.denominator),
            decode,
            PORTION,
        )
        cursor = tuple(decode.tolist()) if more else None
        portion = _tally(top, bottom, vector, instances, maximisers, excluded, cursor)
        total = total.joined(portion)
        yield total


def vertices(space: Space) -> int:
    """How many lists of requests have every size at an end of its range."""
    sizes = 2 if space.size_min < space.size_max else 1
    return power(sizes * space.decode_max, space.requests)


def step_problems_of(space: StepSpace) -> Iterator[StepProblem]:
    """Every step of a class, up to the order of workers and of waiting requests."""
    states = list(product(range(space.load_max + 1), range(space.free_min, space.free_max + 1)))
    sizes = range(space.size_min - space.fewer, space.size_max + 1)
    for workers in combinations_with_replacement(states, space.workers):
        loads, free = zip(*workers, strict=True)
        for pool in combinations_with_replacement(sizes, space.requests):
            yield StepProblem(loads, free, [s for s in pool if s >= space.size_min])


def worst_step(space: StepSpace, objective: StepObjective) -> tuple[Value, StepProblem, int]:
    """The largest value of an objective over all steps of a class.

    Returns
    -------
    value : Value
        The maximum; steps for which the objective is None do not count.
    problem : StepProblem
        The first step that reaches it.
    instances : int
        How many steps were evaluated.

    Raises
    ------
    InputError
        If the objective is None throughout, or the class is too large.
    """
    _affordable(space.size)
    best: tuple[Value, StepProblem] | None = None
    for problem in step_problems_of(space):
        value = objective(problem)
        if value is not None and (best is None or value > best[0]):
            best = value, problem
    if best is None:
        raise InputError("the objective is defined nowhere in this class")
    return *best, space.size


def _affordable(instances: int, most: int = MOST_INSTANCES) -> None:
    if instances > most:
        raise InputError(
            f"the class has {about(instances)} instances, more than {most:,}: "
            "make it smaller, or search it"
        )


def _comparable(space: Space, averages: int) -> None:
    """Refuse sizes for which products of totals and steps overflow in the compiled loops."""
    steps = space.requests * space.decode_max
    load = space.requests * (space.size_max + max(space.drift) * space.decode_max)
    check_loads(space.workers, load, steps)
    if (space.workers * load * space.decode_max * steps) ** averages >= INT_LIMIT:
        raise InputError(f"sizes to {space.size_max:,} are too large to compare averages exactly")


def _tally(
    top: int,
    bottom: int,
    vector: IntArray,
    instances: int,
    maximisers: int,
    excluded: int,
    cursor: tuple[int, ...] | None,
) -> Tally:
    value: Value | None = None
    if maximisers:
        value = Fraction(top, bottom) if bottom else math.inf
    at = tuple(vector.tolist()) if maximisers else ()
    return Tally(value, at, instances, maximisers, excluded, cursor)


def conclude(space: Space, objective: str, tally: Tally) -> WorstCase:
    """The worst case of a class from a complete tally.

    Raises
    ------
    InputError
        If the objective is defined nowhere in the class.
    """
    if tally.value is None:
        raise InputError("the objective is defined nowhere in this class")
    what = "request lists" if space.order == "any" else "multisets of requests, in sorted order"
    covered = f"all {space.size:,} {what}"
    if tally.instances < space.size:
        covered += f", by their {tally.instances:,} vertices"
    if tally.excluded:
        covered += f", of which a bound excludes {tally.excluded:,}"
    return WorstCase(
        space,
        objective,
        tally.value,
        space.build(np.array(tally.vector, dtype=np.int64)),
        tally.instances,
        tally.maximisers,
        tally.excluded,
        f"{describe(space)}: {covered}",
    )


def describe(space: Space) -> str:
    """The class in words."""
    return (
        f"G = {space.workers}, B = {space.slots}, pool of {space.pool_limit}, "
        f"drift {space.drift}, {space.requests} requests, sizes {space.size_min} to "
        f"{space.size_max}, output lengths 1 to {space.decode_max}"
    )
