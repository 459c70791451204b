"""Local search for a makespan: two workers divide their requests anew, by all subsets of some.

The goal is a level that no load exceeds.  A pair with a worker above it is drawn, up to
:data:`_FREE` of their requests are made free, and of all divisions of these one of the least excess
above the level is taken.  Where none improves, one that is little worse may be taken: the excess
wanders from worker to worker until a pair has room for it.
"""

import numpy as np

from solvers.arrays import copy_into, max_of
from solvers.compiled import compiled
from solvers.step.rng import draw
from theory.model import IntArray

# Requests of a pair that are divided anew, by at most 2^_FREE subsets.
_FREE = 11


@compiled
def largest_to_least(
    loads: IntArray, free: IntArray, sizes: IntArray, level: int, worker: IntArray
) -> None:
    """Assign ascending sizes, the largest first, to the least loaded worker with a slot.

    With a ``level`` above 0 the worker is the fullest on which the request stays within it, if
    there is one: best fit.
    """
    G = loads.size
    after, left = loads.copy(), free.copy()
    for i in range(sizes.size - 1, -1, -1):
        at, best = -1, -1
        for g in range(G):
            if left[g] == 0:
                continue
            if at < 0 or after[g] < after[at]:
                at = g
            if after[g] + sizes[i] <= level and (best < 0 or after[g] > after[best]):
                best = g
        if best >= 0:
            at = best
        worker[i] = at
        after[at] += sizes[i]
        left[at] -= 1


@compiled
def divide_pairs(
    loads: IntArray,
    free: IntArray,
    sizes: IntArray,
    at: IntArray,
    worker: IntArray,
    best: int,
    level: int,
    trials: int,
    seed: int,
) -> int:
    """A portion of a search for an assignment without a load above ``level``; keeps the best found.

    Parameters
    ----------
    loads, free : int64[G]
        Loads before the step and slots.
    sizes : int64[n]
        Every one of them is admitted.
    at : int64[n]
        The assignment where the search stands; changed.
    worker : int64[n]
        The best one; replaced by any of a less largest load.
    best : int
        Its largest load.
    level : int
        The goal.
    trials : int
        Pairs tried.
    seed : int
        Of the random draws, not 0.

    Returns
    -------
    int
        Largest load of the best assignment.
    """
    state = np.full(1, seed, np.uint64)
    G, n = loads.size, sizes.size
    after, left = loads.copy(), free.copy()
    first, follows = np.full(G, -1, np.int64), np.empty(n, np.int64)
    for i in range(n):
        g = at[i]
        after[g] += sizes[i]
        left[g] -= 1
        follows[i] = first[g]
        first[g] = i
    open_ = np.flatnonzero(free)
    held, over = np.empty(n, np.int64), np.empty(G, np.int64)
    above, stale = _above(after, level, open_, over), 0
    for _ in range(trials):
        if best <= level or above == 0 or open_.size < 2:
            break
        a, b = over[draw(state, above)], open_[draw(state, open_.size)]
        if stale > 8 * open_.size and draw(state, 2) == 0:
            a = open_[draw(state, open_.size)]
        if a == b:
            continue
        k = 0
        for g in (a, b):
            i = first[g]
            while i >= 0:
                held[k] = i
                k += 1
                i = follows[i]
        some = min(k, _FREE)
        if some < k:
            for j in range(some):
                r = j + draw(state, k - j)
                held[j], held[r] = held[r], held[j]
        # The loads and slots of the pair without the requests that are free to move.
        base, other, room_a, room_b, total = after[a], after[b], left[a], left[b], 0
        for j in range(some):
            i = held[j]
            total += sizes[i]
            if at[i] == a:
                base -= sizes[i]
                room_a += 1
            else:
                other -= sizes[i]
                room_b += 1
        now = max(0, after[a] - level) + max(0, after[b] - level)
        least, chosen, ties, taken, load, mask = np.int64(2**62), 0, 0, 0, base, 0
        for t in range(1 << some):
            if t > 0:
                # Gray code: one request is exchanged, that of the lowest bit of t.
                j = 0
                while not (t >> j) & 1:
                    j += 1
                mask ^= 1 << j
                sign = 1 if (mask >> j) & 1 else -1
                load += sign * sizes[held[j]]
                taken += sign
            rest = other + total - (load - base)
            if taken > room_a or some - taken > room_b or load == after[a] or rest == after[a]:
                continue
            cost = max(0, load - level) + max(0, rest - level)
            if cost < least:
                least, chosen, ties = cost, mask, 1
            elif cost == least:
                ties += 1
                if draw(state, ties) == 0:
                    chosen = mask
        stale = 0 if least < now else stale + 1
        if least > now and (least > 2 * now + 1 or draw(state, 8) > 0):
            continue
        for j in range(some):
            at[held[j]] = a if (chosen >> j) & 1 else b
        for g in (a, b):
            after[g], left[g], first[g] = loads[g], free[g], -1
        for j in range(k):
            i = held[j]
            g = at[i]
            after[g] += sizes[i]
            left[g] -= 1
            follows[i] = first[g]
            first[g] = i
        above = _above(after, level, open_, over)
        top = max_of(after)
        if top < best:
            best = top
            copy_into(worker, at)
    return best


@compiled
def _above(after: IntArray, level: int, open_: IntArray, over: IntArray) -> int:
    """List the workers of ``open_`` above the level in ``over``; their number."""
    count = 0
    for g in open_:
        if after[g] > level:
            over[count] = g
            count += 1
    return count
