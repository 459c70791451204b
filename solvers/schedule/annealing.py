"""Simulated annealing over schedules, compiled, in portions (Kirkpatrick et al. 1983).

Two searches.  :func:`anneal_orders` keeps every slot filled: a schedule is an order in which the
requests are admitted, and a worker that each prefers.  :func:`anneal_starts` may leave slots free:
a schedule is the step at which each piece of a request starts, and its worker; a request that may
not pause is one piece.

The cost comes from the loads between the steps at which a piece starts or ends, so the lengths of
requests do not matter for the time that it takes.  Where requests may move at every step the
workers are not searched: the pieces that run are dealt out, largest load first, each to the worker
with the least load.
"""

from typing import NamedTuple

import numpy as np

from solvers.compiled import compiled
from solvers.schedule.levels import sum_of_largest
from solvers.step.rng import State, draw
from theory.model import INT_LIMIT, IntArray

# What a schedule costs that over-fills a slot.
REFUSED = INT_LIMIT

# Resolution of random fractions.
_FRACTION = 2**30


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
    load = np.empty(n * parts, np.int64)
    for i in range(n):
        age = 0
        for p in range(parts):
            load[i * parts + p] = kinds.sizes[i] + drift * (age - pieces.start[i, p])
            age += pieces.length[i, p]
    by_start = np.argsort(start)
    by_end = np.argsort(end)
    by_load = np.argsort(-load) if kinds.moving else by_start
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


@compiled
def _below(state: State, most: int) -> int:
    """A signed number in ``0..most - 1``."""
    return int(np.int64(draw(state, most)))


@compiled
def _accepts(state: State, more: int, heat: float) -> bool:
    """Whether to go on from a schedule that costs so much more (Metropolis et al. 1953)."""
    return more <= 0 or _below(state, _FRACTION) < _FRACTION * np.exp(-more / max(heat, 1e-9))


@compiled
def _shift(pieces: Pieces, i: int, p: int, state: State) -> int:
    """Give some steps of the next piece to this one, or take them from it; how many."""
    most = pieces.length[i, p] + pieces.length[i, p + 1]
    steps = 1 + _below(state, 1 + most // 2)
    if _below(state, 2) == 0:
        steps = -min(steps, pieces.length[i, p])
    else:
        steps = min(steps, pieces.length[i, p + 1])
    pieces.length[i, p] += steps
    pieces.length[i, p + 1] -= steps
    return int(steps)


@compiled
def anneal_orders(
    kinds: Kinds,
    order: IntArray,
    prefers: IntArray,
    tried: Pieces,
    best: Pieces,
    known: int,
    heat: float,
    span: tuple[int, int, int],
    state: State,
) -> int:
    """A portion of a round of annealing over orders.

    Parameters
    ----------
    order, prefers, tried
        Where the round stands, as for :func:`admit_in_order`; changed.
    best : Pieces
        Filled with what is cheaper than ``known``.
    known : int
        The cost of the best schedule.
    heat : float
        Part of the cost by which a schedule may be worse at the beginning of the round.
    span : (first, last, total)
        The portion: which trials of the round.

    Returns
    -------
    int
        Cost of the best schedule.
    """
    G = kinds.rules[0]
    n, parts = tried.start.shape
    admit_in_order(kinds, order, prefers, tried)
    current = cost_of(kinds, tried)
    for trial in range(span[0], span[1]):
        cooled = (1 - trial / span[2]) ** 2 * heat * abs(current)
        i, j = _below(state, n * parts), _below(state, n * parts)
        a, b = order[i] // parts, order[j] // parts
        kind = _below(state, 5 if parts > 1 else 4)
        worker_a, worker_b = prefers[a], prefers[b]
        p = shifted = 0
        if kind in (0, 1):
            order[i], order[j] = order[j], order[i]
        if kind in (1, 2):
            prefers[a], prefers[b] = worker_b, worker_a
        if kind == 3:
            prefers[a] = _below(state, G)
        if kind == 4:
            p = _below(state, parts - 1)
            shifted = _shift(tried, a, p, state)
        admit_in_order(kinds, order, prefers, tried)
        cost = cost_of(kinds, tried)
        if _accepts(state, cost - current, cooled):
            current = cost
            if cost < known:
                known = cost
                best.start[:] = tried.start
                best.length[:] = tried.length
                best.worker[:] = tried.worker
        else:
            if kind in (0, 1):
                order[i], order[j] = order[j], order[i]
            prefers[a] = worker_a
            prefers[b] = worker_b
            if kind == 4:
                tried.length[a, p] -= shifted
                tried.length[a, p + 1] += shifted
    return known


@compiled
def _in_turn(pieces: Pieces, i: int) -> bool:
    """Whether the pieces of a request follow each other."""
    end = 0
    for p in range(pieces.start.shape[1]):
        if pieces.length[i, p] > 0:
            if pieces.start[i, p] < end:
                return False
            end = pieces.start[i, p] + pieces.length[i, p]
    return True


@compiled
def _move(
    pieces: Pieces, i: int, p: int, j: int, q: int, workers: int, horizon: int, state: State
) -> None:
    """Change a schedule a little at piece ``p`` of request ``i``, with one of ``j`` as a mark."""
    start, length, worker = pieces
    parts = start.shape[1]
    kind = _below(state, 7 if parts > 1 else 6)
    if kind == 0:
        # Start or end when the other does.
        at = start[j, q] + _below(state, 2) * length[j, q]
        start[i, p] = at - _below(state, 2) * length[i, p]
        if _below(state, 2) == 0:
            worker[i] = _below(state, workers)
    elif kind == 1:
        most = 3 if _below(state, 2) == 0 else 1 + length[i, p] // 2
        start[i, p] += (1 + _below(state, most)) * (2 * _below(state, 2) - 1)
    elif kind == 2:
        start[i, p] = _below(state, horizon)
        worker[i] = _below(state, workers)
    elif kind == 3:
        worker[i] = _below(state, workers)
    elif kind == 4:
        worker[i], worker[j] = worker[j], worker[i]
    elif kind == 5:
        worker[i], worker[j] = worker[j], worker[i]
        start[i, p], start[j, q] = start[j, q], start[i, p]
    else:
        # Some steps from one piece to the next, or back.
        p = min(p, parts - 2)
        shift = _shift(pieces, i, p, state)
        if _below(state, 2) == 0:
            start[i, p + 1] += shift
        if _below(state, 2) == 0:
            start[i, p] -= shift


@compiled
def anneal_starts(
    kinds: Kinds,
    current: Pieces,
    best: Pieces,
    known: int,
    heat: float,
    span: tuple[int, int, int],
    horizon: int,
    state: State,
) -> int:
    """A portion of a round of annealing over starts; the arguments are as for orders.

    Parameters
    ----------
    current : Pieces
        Where the round stands; changed.
    horizon : int
        Every piece ends by this step.
    """
    G = kinds.rules[0]
    n, parts = current.start.shape
    here = cost_of(kinds, current)
    kept_start = np.empty((2, parts), np.int64)
    kept_length = np.empty((2, parts), np.int64)
    for trial in range(span[0], span[1]):
        cooled = (1 - trial / span[2]) ** 2 * heat * abs(here)
        i, j = _below(state, n), _below(state, n)
        kept_start[0], kept_start[1] = current.start[i], current.start[j]
        kept_length[0], kept_length[1] = current.length[i], current.length[j]
        worker_i, worker_j = current.worker[i], current.worker[j]
        _move(current, i, _below(state, parts), j, _below(state, parts), G, horizon, state)
        good = _in_turn(current, i) and _in_turn(current, j)
        for p in range(parts):
            good = good and current.start[i, p] + current.length[i, p] <= horizon
            good = good and current.start[j, p] + current.length[j, p] <= horizon
            good = good and min(current.start[i, p], current.start[j, p]) >= 0
        cost = cost_of(kinds, current) if good else REFUSED
        if good and cost != REFUSED and _accepts(state, cost - here, cooled):
            here = cost
            if cost < known:
                known = cost
                best.start[:] = current.start
                best.length[:] = current.length
                best.worker[:] = current.worker
        else:
            current.start[j], current.start[i] = kept_start[1], kept_start[0]
            current.length[j], current.length[i] = kept_length[1], kept_length[0]
            current.worker[j] = worker_j
            current.worker[i] = worker_i
    return known
