"""Compiled loops over all lists of requests of a class: sizes and output lengths of each."""

import numpy as np

from adversary.instances.small_runs import run_backlog
from solvers.arrays import copy_into, max_of, sum_of
from solvers.compiled import compiled
from theory.model import IntArray


@compiled
def largest_over_lists(
    sizes: IntArray,
    box: tuple[int, int, bool],
    shape: tuple[int, int, int],
    drift: IntArray,
    codes: tuple[int, int],
    digit: IntArray,
    most: int,
) -> tuple[int, int, IntArray, int, int, bool]:
    """Maximise over lists (or non-decreasing lists) of N kinds (size, length).

    Starts at ``digit``, looks at ``most`` lists at most, leaves ``digit`` where to go on, and says
    whether there are more.
    """
    decode_max, N, ordered = box
    G = shape[0]
    kinds = sizes.size * decode_max
    vector, best = np.empty(2 * N, dtype=np.int64), np.empty(2 * N, dtype=np.int64)
    best_top, best_bottom, maximisers, instances = -1, 1, 0, 0
    while instances < most:
        for i in range(N):
            vector[i] = sizes[digit[i] // decode_max]
            vector[N + i] = digit[i] % decode_max + 1
        instances += 1
        steps, sum_max, work = run_backlog(codes[0], vector[:N], vector[N:], shape, drift)
        top, bottom = G * sum_max - work, steps
        if codes[1] >= 0:
            steps, sum_max, work = run_backlog(codes[1], vector[:N], vector[N:], shape, drift)
            top, bottom = top * steps, bottom * (G * sum_max - work)
        if top > 0 or bottom > 0:
            if top * best_bottom > best_top * bottom:
                best_top, best_bottom, maximisers = top, bottom, 0
                copy_into(best, vector)
            if top * best_bottom == best_top * bottom:
                maximisers += 1
        i = N - 1
        while i >= 0 and digit[i] == kinds - 1:
            i -= 1
        if i < 0:
            return best_top, best_bottom, best, instances, maximisers, False
        digit[i] += 1
        for j in range(i + 1, N):
            digit[j] = digit[i] if ordered else 0
    return best_top, best_bottom, best, instances, maximisers, True


@compiled
def largest_over_vertices(
    ends: tuple[int, int],
    decode_max: int,
    shape: tuple[int, int, int],
    drift: IntArray,
    known: tuple[int, int],
    decode: IntArray,
    most: int,
) -> tuple[int, int, IntArray, int, int, int, bool]:
    """Maximise FCFS over sizes in {a, b} and the lengths from ``decode`` on, ``most`` at most.

    Each list of lengths is scheduled once, and its vertices are excluded if the sum over steps of
    the largest imbalance that any sizes give that step is below ``known`` and what was found.

    The sizes run through a Gray code, so that each differs from the one before in one request,
    which changes the loads of one worker in the steps that it is served.
    """
    a, b = ends
    N = decode.size
    G, B, R = shape
    worker, start = np.empty(N, dtype=np.int64), np.empty(N, dtype=np.int64)
    loads = np.empty((N * decode_max, G), dtype=np.int64)
    held = np.empty((N * decode_max, G), dtype=np.int64)
    ways = 1 << N if b > a else 1
    best = np.empty(2 * N, dtype=np.int64)
    best_sizes, best_decode = best[:N], best[N:]
    best_top, best_bottom = known
    maximisers, instances, excluded = 0, 0, 0
    while instances < most:
        # Schedule: each step admits the oldest to the free slots in worker order.
        loads[:] = 0
        held[:] = 0
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
                held[k, worker[i]] += 1
                work += load
                load += drift[k % drift.size]
        sum_max, limit = 0, 0
        for k in range(steps):
            sum_max += max_of(loads[k])
            largest = 0
            for g in range(G):
                largest = max(largest, G * (loads[k, g] + (b - a) * held[k, g]) - sum_of(loads[k])
                              - (b - a) * held[k, g])  # fmt: skip
            limit += largest
        if limit * best_bottom < best_top * steps:
            instances += ways
            excluded += ways
            if not _next_lengths(decode, decode_max):
                return best_top, best_bottom, best, instances, maximisers, excluded, False
            continue
        large = 0  # a bit set of the requests of size b
        for turn in range(ways):
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
            if top * best_bottom == best_top * steps:
                if maximisers == 0:
                    copy_into(best_decode, decode)
                    for j in range(N):
                        best_sizes[j] = b if large >> j & 1 else a
                maximisers += 1
        if not _next_lengths(decode, decode_max):
            return best_top, best_bottom, best, instances, maximisers, excluded, False
    return best_top, best_bottom, best, instances, maximisers, excluded, True


@compiled
def _next_lengths(decode: IntArray, decode_max: int) -> bool:
    """The next list of lengths in order; False after the last."""
    i = decode.size - 1
    while i >= 0 and decode[i] == decode_max:
        decode[i] = 1
        i -= 1
    if i < 0:
        return False
    decode[i] += 1
    return True
