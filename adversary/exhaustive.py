"""Exact worst cases over bounded classes, by enumerating every instance.

Every result states the class that it covers and how many instances that class has.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement, product

import numpy as np

from adversary.objectives import StepObjective, Value
from adversary.small import code, run
from adversary.space import Instance, Space, StepSpace
from solvers.compiled import compiled
from solvers.step import StepProblem
from theory.model import InputError, IntArray

MOST_INSTANCES = 10**10


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
        How many instances were evaluated.
    maximisers : int
        How many of those reach the maximum.
    domain : str
        What was covered, in words.
    """

    space: Space
    objective: str
    value: Value
    instance: Instance
    instances: int
    maximisers: int
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
    """
    _affordable(space.size)
    result = _enumerate(
        np.arange(space.size_min, space.size_max + 1),
        (space.decode_max, space.requests, space.order == "sorted"),
        (space.workers, space.slots, space.pool_limit),
        np.array(space.drift),
        (code(policy), code(baseline) if baseline else -1),
    )
    objective = f"AvgImb({policy})" + (f" / AvgImb({baseline})" if baseline else "")
    what = "request lists" if space.order == "any" else "multisets of requests, in sorted order"
    return _worst_case(space, objective, result, f"all {space.size:,} {what}")


def fcfs_worst_case(space: Space) -> WorstCase:
    """The largest average imbalance of FCFS over a class, from the extreme sizes alone.

    For fixed output lengths and order, FCFS places requests whatever their sizes, so its total
    imbalance is convex in them and its maximum lies where every size is the smallest or the
    largest one [fcfs.vertex].

    Raises
    ------
    InputError
        If the class is restricted to sorted orders, which are no box, or has more than
        :data:`MOST_INSTANCES` vertices.
    """
    if space.order != "any":
        raise InputError("the vertices decide only in a class with every arrival order")
    vertices = (2 * space.decode_max) ** space.requests
    _affordable(vertices)
    result = _fcfs_vertices(
        (space.size_min, space.size_max),
        (space.decode_max, space.requests),
        (space.workers, space.slots, space.pool_limit),
        np.array(space.drift),
    )
    domain = f"all {space.size:,} request lists, by their {vertices:,} vertices"
    return _worst_case(space, "AvgImb(fcfs)", result, domain)


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


def _affordable(instances: int) -> None:
    if instances > MOST_INSTANCES:
        raise InputError(
            f"the class has {instances:,} instances, more than {MOST_INSTANCES:,}: "
            "make it smaller, or search it"
        )


def _worst_case(
    space: Space,
    objective: str,
    result: tuple[int, int, IntArray, int, int],
    domain: str,
) -> WorstCase:
    numerator, denominator, vector, instances, maximisers = result
    return WorstCase(
        space,
        objective,
        Fraction(numerator, denominator) if denominator else math.inf,
        space.build(vector),
        instances,
        maximisers,
        f"G = {space.workers}, B = {space.slots}, pool of {space.pool_limit}, "
        f"drift {space.drift}, {space.requests} requests, sizes {space.size_min} to "
        f"{space.size_max}, output lengths 1 to {space.decode_max}: {domain}",
    )


# --- Compiled -----------------------------------------------------------------------------------


@compiled
def _enumerate(
    sizes: IntArray,
    box: tuple[int, int, bool],
    shape: tuple[int, int, int],
    drift: IntArray,
    codes: tuple[int, int],
) -> tuple[int, int, IntArray, int, int]:
    """Maximise over all lists (or all non-decreasing lists) of N kinds (size, length)."""
    decode_max, N, ordered = box
    G = shape[0]
    kinds = sizes.size * decode_max
    digit = np.zeros(N, dtype=np.int64)
    vector, best = np.empty(2 * N, dtype=np.int64), np.empty(2 * N, dtype=np.int64)
    best_top, best_bottom, maximisers, instances = -1, 1, 0, 0
    while True:
        for i in range(N):
            vector[i] = sizes[digit[i] // decode_max]
            vector[N + i] = digit[i] % decode_max + 1
        instances += 1
        steps, sum_max, work = run(codes[0], vector[:N], vector[N:], shape, drift)
        top, bottom = G * sum_max - work, steps
        if codes[1] >= 0:
            steps, sum_max, work = run(codes[1], vector[:N], vector[N:], shape, drift)
            top, bottom = top * steps, bottom * (G * sum_max - work)
        if top > 0 or bottom > 0:
            if top * best_bottom > best_top * bottom:
                best_top, best_bottom, maximisers = top, bottom, 0
                best[:] = vector
            if top * best_bottom == best_top * bottom:
                maximisers += 1
        i = N - 1
        while i >= 0 and digit[i] == kinds - 1:
            i -= 1
        if i < 0:
            return best_top, best_bottom, best, instances, maximisers
        digit[i] += 1
        for j in range(i + 1, N):
            digit[j] = digit[i] if ordered else 0


@compiled
def _fcfs_vertices(
    ends: tuple[int, int], box: tuple[int, int], shape: tuple[int, int, int], drift: IntArray
) -> tuple[int, int, IntArray, int, int]:
    """Maximise FCFS over sizes in {a, b} and all lengths; each list of lengths is scheduled once.

    The sizes run through a Gray code, so that each differs from the one before in one request,
    which changes the loads of one worker in the steps that it is served.
    """
    a, b = ends
    decode_max, N = box
    G, B, R = shape
    decode = np.ones(N, dtype=np.int64)
    worker, start = np.empty(N, dtype=np.int64), np.empty(N, dtype=np.int64)
    loads = np.empty((N * decode_max, G), dtype=np.int64)
    best_sizes, best_decode = np.empty(N, dtype=np.int64), np.empty(N, dtype=np.int64)
    best_top, best_bottom, maximisers, instances = -1, 1, 0, 0
    while True:
        # Schedule: each step admits the oldest to the free slots in worker order.
        loads[:] = 0
        step, admitted, steps = 0, 0, 0
        while admitted < N:
            revealed = min(N, admitted + R)
            for g in range(G):
                free = B
                for i in range(admitted):
                    free -= worker[i] == g and start[i] + decode[i] > step
                while free > 0 and admitted < revealed:
                    worker[admitted], start[admitted] = g, step
                    steps = max(steps, step + decode[admitted])
                    admitted, free = admitted + 1, free - 1
            step += 1
        work = 0
        for i in range(N):
            load = a
            for k in range(start[i], start[i] + decode[i]):
                loads[k, worker[i]] += load
                work += load
                load += drift[k % drift.size]
        sum_max = 0
        for k in range(steps):
            sum_max += loads[k].max()
        large = 0  # a bit set of the requests of size b
        for turn in range(1 << N):
            if turn:
                i = 0
                while not turn >> i & 1:
                    i += 1
                change = a - b if large >> i & 1 else b - a
                large ^= 1 << i
                work += change * decode[i]
                for k in range(start[i], start[i] + decode[i]):
                    before, after = 0, 0
                    for g in range(G):
                        before = max(before, loads[k, g])
                    loads[k, worker[i]] += change
                    for g in range(G):
                        after = max(after, loads[k, g])
                    sum_max += after - before
            instances += 1
            top = G * sum_max - work
            if top * best_bottom > best_top * steps:
                best_top, best_bottom, maximisers = top, steps, 0
                best_decode[:] = decode
                for j in range(N):
                    best_sizes[j] = b if large >> j & 1 else a
            if top * best_bottom == best_top * steps:
                maximisers += 1
        i = N - 1
        while i >= 0 and decode[i] == decode_max:
            decode[i] = 1
            i -= 1
        if i < 0:
            best = np.concatenate((best_sizes, best_decode))
            return best_top, best_bottom, best, instances, maximisers
        decode[i] += 1
