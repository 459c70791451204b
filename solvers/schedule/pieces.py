"""Schedules in pieces: when each piece of a request starts, how long it runs, and where.

A request that may not pause is one piece.  The cost comes from the loads between the steps at which
a piece starts or ends, so the lengths of requests do not matter for the time that it takes.  Where
requests may move at every step their workers are not given: the pieces that run are dealt out,
largest load first, each to the worker with the least load.
"""

from heapq import heappop, heappush
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from solvers.compiled import compiled
from solvers.schedule.levels import sum_of_largest
from solvers.schedule.problem import IDLE, OfflineProblem
from solvers.step.sorted_sizes import order_of
from theory.model import INT_LIMIT, IntArray

# What a schedule costs that over-fills a slot.
REFUSED = INT_LIMIT


class Kinds(NamedTuple):
    """What is scheduled, and what it costs.

    Parameters
    ----------
    sizes, lengths : int64[N]
        The requests.
    rules : (G, B, drift, level_cost, step_cost)
        Workers, slots of each, growth, and the cost of a unit of the largest load and of a step.
    moving : bool
        Whether requests may run on another worker at every step.
    """

    sizes: IntArray
    lengths: IntArray
    rules: tuple[int, int, int, int, int]
    moving: bool


class Pieces(NamedTuple):
    """A schedule: pieces of requests, of each as many, in the order in which they run.

    Parameters
    ----------
    start, length : int64[N, P]
        Steps; a piece may have length 0.
    worker : int64[N]
        The worker of each request; not used where they may move.
    """

    start: IntArray
    length: IntArray
    worker: IntArray


@compiled
def deal(
    load: IntArray, order: IntArray, active: IntArray, slots: int, base: IntArray, to: IntArray
) -> None:
    """Deal out what is active, in the given order, to the worker with the least load and a slot.

    Parameters
    ----------
    load, active : int64[n]
        Loads, and 1 for each that runs.
    base, to
        Filled: int64[G] loads of the workers, int64[n] worker of each that runs.
    """
    G = base.size
    held = np.zeros(G, np.int64)
    base[:] = 0
    for i in order:
        if active[i] == 0:
            continue
        least = -1
        for g in range(G):
            if held[g] < slots and (least < 0 or base[g] < base[least]):
                least = g
        to[i] = least
        base[least] += load[i]
        held[least] += 1


@compiled
def cost_of(kinds: Kinds, pieces: Pieces) -> int:
    """Cost of a schedule, or :data:`REFUSED`; steps in which nothing runs are left out."""
    G, B, drift, level_cost, step_cost = kinds.rules
    n, parts = pieces.start.shape
    start = pieces.start.ravel()
    end = start + pieces.length.ravel()
    # Load at step 0, had it run since then.
    load, less = np.empty(n * parts, np.int64), np.empty(n * parts, np.int64)
    for i in range(n):
        age = 0
        for p in range(parts):
            load[i * parts + p] = kinds.sizes[i] + drift * (age - pieces.start[i, p])
            less[i * parts + p] = -load[i * parts + p]
            age += pieces.length[i, p]
    by_start, by_end = order_of(start), order_of(end)
    by_load = order_of(less) if kinds.moving else by_start
    base = np.zeros(G, np.int64)
    growth = np.zeros(G, np.int64)
    held = np.zeros(G, np.int64)
    active = np.zeros(n * parts, np.int64)
    to = np.zeros(n * parts, np.int64)
    now = np.zeros(n * parts, np.int64)
    running = levels = steps = a = b = t = 0
    while b < n * parts:
        # At one step pieces end before others start; an empty piece does neither.
        while b < n * parts and end[by_end[b]] <= t:
            k = by_end[b]
            b += 1
            if end[k] > start[k]:
                g = pieces.worker[k // parts]
                active[k] = 0
                running -= 1
                held[g] -= 1
                base[g] -= load[k] + drift * end[k]
                growth[g] -= drift
        while a < n * parts and start[by_start[a]] <= t:
            k = by_start[a]
            a += 1
            if end[k] > start[k]:
                g = pieces.worker[k // parts]
                active[k] = 1
                running += 1
                held[g] += 1
                base[g] += load[k] + drift * start[k]
                growth[g] += drift
                if running > G * B or (not kinds.moving and held[g] > B):
                    return REFUSED
        if b == n * parts:
            break
        until = end[by_end[b]]
        if a < n * parts:
            until = min(until, start[by_start[a]])
        if running > 0:
            if kinds.moving:
                for k in range(n * parts):
                    now[k] = load[k] + drift * t
                deal(now, by_load, active, B, base, to)
                growth[:] = 0
                for k in range(n * parts):
                    growth[to[k]] += drift * active[k]
            levels += sum_of_largest(base, growth, G, until - t)
            steps += until - t
            if not kinds.moving:
                for g in range(G):
                    base[g] += growth[g] * (until - t)
        t = until
    return int(level_cost * levels + step_cost * steps)


@compiled
def admit_in_order(kinds: Kinds, order: IntArray, prefers: IntArray, pieces: Pieces) -> None:
    """Fill every slot as soon as it is free with the first piece that may use it.

    A request goes to the worker that it prefers, or else to one with the most free slots, and stays
    there unless it may move.

    Parameters
    ----------
    order : int64[N P]
        Pieces by number, ``i P + p``; one whose forerunner has not ended is passed over.
    prefers : int64[N]
        Workers.
    pieces : Pieces
        Lengths are given, the rest is filled.
    """
    G, B = kinds.rules[0], kinds.rules[1]
    n, parts = pieces.start.shape
    free = np.full(G, B, np.int64)
    running = np.empty(min(G * B, n), np.int64)
    ends = np.empty(min(G * B, n), np.int64)
    # The piece of each request that is next, and from when on it may run.
    following = np.zeros(n, np.int64)
    ready = np.zeros(n, np.int64)
    pieces.start[:] = 0
    for i in range(n):
        while following[i] < parts and pieces.length[i, following[i]] == 0:
            following[i] += 1
    count = t = first = 0
    while True:
        for k in range(first, n * parts):
            i = order[k] // parts
            if following[i] > order[k] % parts or following[i] == parts:
                # It is empty, or has run.
                if k == first:
                    first += 1
                continue
            if following[i] < order[k] % parts or ready[i] > t:
                continue
            if count == G * B:
                break
            g = prefers[i]
            if ready[i] > 0 and not kinds.moving:
                g = pieces.worker[i]
                if free[g] == 0:
                    continue
            elif free[g] == 0:
                g = np.argmax(free)
            p = following[i]
            pieces.start[i, p] = t
            pieces.worker[i] = g
            free[g] -= 1
            running[count] = i
            ends[count] = t + pieces.length[i, p]
            count += 1
            ready[i] = ends[count - 1]
            following[i] += 1
            while following[i] < parts and pieces.length[i, following[i]] == 0:
                pieces.start[i, following[i]] = ready[i]
                following[i] += 1
        if count == 0:
            return
        t = ends[0]
        for j in range(1, count):
            t = min(t, ends[j])
        left = 0
        for j in range(count):
            if ends[j] == t:
                free[pieces.worker[running[j]]] += 1
            else:
                running[left], ends[left] = running[j], ends[j]
                left += 1
        count = left


def places_of(pieces: Pieces) -> IntArray:
    """Places of pieces on the workers of their requests, int64[K, N]."""
    end = pieces.start + pieces.length
    place = np.full((int(end.max()), len(end)), IDLE, np.int64)
    for (i, p), first in np.ndenumerate(pieces.start):
        place[first : end[i, p], i] = pieces.worker[i]
    return place


def cost_in_place(problem: OfflineProblem, pieces: Pieces) -> int:
    """Cost of pieces on the workers of their requests, without compiled code."""
    start = pieces.start
    end = start + pieces.length
    shape = problem.system.workers, int(end.max()) + 1
    # Loads at step 0, had what is active run since then, and how much is active: what is added.
    loads, active = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    age = np.cumsum(pieces.length, axis=1) - pieces.length
    load = problem.requests.prefill[:, None] + problem.drift * (age - start)
    worker = np.broadcast_to(pieces.worker[:, None], start.shape)
    for at, sign in ((start, 1), (end, -1)):
        np.add.at(loads, (worker, at), sign * load)
        np.add.at(active, (worker, at), sign)
    np.cumsum(loads, axis=1, out=loads)
    np.cumsum(active, axis=1, out=active)
    levels = (loads + problem.drift * np.arange(shape[1]) * active).max(axis=0)
    return problem.level_cost * int(levels.sum()) + problem.step_cost * int((levels > 0).sum())


def deal_out(kinds: Kinds, pieces: Pieces, place: IntArray) -> None:
    """Put what runs where the cost of pieces that may move has it."""
    G, B, drift, _, _ = kinds.rules
    start = pieces.start.ravel()
    end = start + pieces.length.ravel()
    age = np.cumsum(pieces.length, axis=1) - pieces.length
    load = (kinds.sizes[:, None] + drift * (age - pieces.start)).ravel()
    order = np.argsort(-load)
    base, to = np.zeros(G, np.int64), np.zeros(start.size, np.int64)
    marks = np.unique(np.concatenate([start, end]))
    for first, last in pairwise(marks.tolist()):
        active = ((start <= first) & (first < end)).astype(np.int64)
        deal(load + drift * first, order, active, B, base, to)
        runs = np.flatnonzero(active)
        place[first:last, runs // pieces.start.shape[1]] = to[runs]


def in_parts(pieces: Pieces, parts: int) -> Pieces:
    """The same schedule with so many pieces a request, of which some are empty."""
    start, length, worker = pieces
    more = parts - start.shape[1]
    end = (start + length)[:, -1:]
    return Pieces(
        np.hstack([start, np.repeat(end, more, axis=1)]),
        np.hstack([length, np.zeros((len(start), more), np.int64)]),
        worker.copy(),
    )


def admitted_in_turn(problem: OfflineProblem) -> Pieces:
    """Requests admitted as soon as a slot is free, most work first, to the least loaded worker.

    In plain Python: it is what there is while the searches are being compiled.
    """
    sizes: list[int] = problem.requests.prefill.tolist()
    lengths: list[int] = problem.requests.decode.tolist()
    G, B = problem.system.workers, problem.system.slots
    load, free = [0] * G, [B] * G
    running: list[tuple[int, int]] = []
    start, worker = np.zeros((len(sizes), 1), np.int64), np.zeros(len(sizes), np.int64)
    now = 0
    for i in sorted(range(len(sizes)), key=lambda i: -sizes[i] * lengths[i]):
        if not any(free):
            now = running[0][0]
        while running and running[0][0] == now:
            _, j = heappop(running)
            load[worker[j]] -= sizes[j]
            free[worker[j]] += 1
        g = min((g for g in range(G) if free[g]), key=load.__getitem__)
        start[i], worker[i] = now, g
        load[g] += sizes[i]
        free[g] -= 1
        heappush(running, (now + lengths[i], i))
    return Pieces(start, problem.requests.decode[:, None].copy(), worker)
