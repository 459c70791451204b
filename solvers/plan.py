"""A step under construction: which requests each worker takes, and how a first plan is made.

A plan is always valid: it is complete when :func:`fill` returns, and every move on it exchanges
requests one for one or moves one to a free slot.
"""

from typing import NamedTuple

import numpy as np

from solvers.bitset import Words, full, remove
from solvers.compiled import compiled
from theory.model import IntArray


class Plan(NamedTuple):
    """An assignment of places in the sorted pool to workers.

    Parameters
    ----------
    item : int64[slots]
        Places taken; worker ``g`` owns the stretch from ``start[g]`` to ``start[g] + count[g]``.
    start : int64[G + 1]
        Where each worker's slots begin; the last entry is the number of slots.
    taken : int64[G]
        Requests taken so far, at most ``start[g + 1] - start[g]``.
    after : int64[G]
        Loads with those requests.
    words, summary : uint64
        The places that nobody has taken, as a :mod:`solvers.bitset`.
    """

    item: IntArray
    start: IntArray
    taken: IntArray
    after: IntArray
    words: Words
    summary: Words


@compiled
def empty_plan(loads: IntArray, free: IntArray, n: int) -> Plan:
    """The plan that takes nothing from a pool of ``n``."""
    G = loads.size
    start = np.zeros(G + 1, np.int64)
    for g in range(G):
        start[g + 1] = start[g] + free[g]
    item = np.empty(start[G], np.int64)
    words, summary = full(n)
    return Plan(item, start, np.zeros(G, np.int64), loads.copy(), words, summary)


@compiled
def _sift(key: IntArray, worker: IntArray, size: int, at: int) -> None:
    """Restore the heap, largest key first, below an entry that has shrunk."""
    k, g = key[at], worker[at]
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and key[child + 1] > key[child]:
            child += 1
        if key[child] <= k:
            break
        key[at], worker[at] = key[child], worker[child]
        at = child
    key[at], worker[at] = k, g


@compiled
def fill(plan: Plan, sizes: IntArray, sums: IntArray, level: int) -> None:
    """Give out the pool, largest request first, each to the worker with most room below ``level``.

    The room of a worker is what is left below the level when its other free slots are set aside
    for small requests.  A request larger than every room waits, as long as enough others are left
    for the slots that must be filled.
    """
    G = plan.after.size
    n = sizes.size
    slots = plan.item.size
    to_place = min(n, slots)
    holders = 0
    for g in range(G):
        holders += plan.start[g + 1] > plan.start[g]
    # Expected load of a free slot beyond the first of a worker.
    aside = 0
    if to_place > holders:
        aside = sums[to_place - holders] // (slots - holders)
    room = np.empty(holders, np.int64)
    worker = np.empty(holders, np.int64)
    open_ = 0
    for g in range(G):
        free = plan.start[g + 1] - plan.start[g]
        if free > 0:
            room[open_] = level - plan.after[g] - (free - 1) * aside
            worker[open_] = g
            open_ += 1
    for at in range(open_ // 2 - 1, -1, -1):
        _sift(room, worker, open_, at)
    i = n
    while to_place > 0:
        i -= 1
        if sizes[i] > room[0] and i >= to_place:
            continue
        g = worker[0]
        at = plan.start[g] + plan.taken[g]
        plan.item[at] = i
        plan.taken[g] += 1
        plan.after[g] += sizes[i]
        remove(plan.words, plan.summary, i)
        to_place -= 1
        if at + 1 == plan.start[g + 1]:
            open_ -= 1
            room[0], worker[0] = room[open_], worker[open_]
        else:
            room[0] += aside - sizes[i]
        _sift(room, worker, open_, 0)
