"""A step under construction: which requests each worker takes, and how a first plan is made.

A plan is always valid: it is complete when :func:`fill` returns, and every move on it exchanges
requests one for one or moves one to a free slot.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from solvers.bitset import Words, at_most, full, remove
from solvers.compiled import compiled
from solvers.pool import Pool
from theory.model import IntArray

Flags = NDArray[np.bool_]


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
def fill(plan: Plan, pool: Pool, level: int, threshold: float) -> None:
    """Fill the slots of an empty plan towards a largest load of ``level``.

    The workers with the most room per free slot, those that reach ``threshold``, come first and
    have the largest requests to themselves: together they need them all, and what they still miss
    is the deficit that no assignment avoids (:func:`solvers.bounds.deficit`).
    """
    sizes, sums = pool.sizes, pool.sums
    G = plan.after.size
    n = sizes.size
    slots = plan.item.size
    hungry = np.zeros(G, np.bool_)
    others = np.zeros(G, np.bool_)
    slots_of_hungry = 0
    holders = 0
    for g in range(G):
        free = plan.start[g + 1] - plan.start[g]
        if free > 0:
            if float(level - plan.after[g]) >= threshold * free:
                hungry[g] = True
                slots_of_hungry += free
            else:
                others[g] = True
                holders += 1
    left = n
    if slots_of_hungry > 0:
        least = sizes[n - slots_of_hungry]
        _give(plan, sizes, hungry, level, least, slots_of_hungry, left)
        left -= slots_of_hungry
    to_place = min(n, slots) - slots_of_hungry
    if to_place > 0:
        # Expected load of a free slot beyond the first of a worker.
        aside = 0
        if to_place > holders:
            aside = sums[to_place - holders] // (slots - slots_of_hungry - holders)
        _give(plan, sizes, others, level, aside, to_place, left)


@compiled
def _give(
    plan: Plan,
    sizes: IntArray,
    member: Flags,
    level: int,
    aside: int,
    to_place: int,
    left: int,
) -> None:
    """Give out requests, largest first, each to the member with most room below ``level``.

    The room of a worker is what is left below the level with ``aside`` set aside for each free
    slot but one.  A request larger than every room waits, as long as enough are left.

    Parameters
    ----------
    member : bool[G]
        The workers that take part: with free slots, all of them empty.
    to_place, left : int
        Requests to give out, and requests that nobody has taken yet.
    """
    G = plan.after.size
    n = sizes.size
    # A bucket holds the rooms that agree in their highest bits, as a linked list.  The largest
    # room never grows, so the buckets are emptied from the top, once.
    lift = aside
    shift = 45
    if to_place == left:
        # Nothing may wait, so the level binds nobody; rooms are compared, finely, above zero.
        shift = 43
        for g in range(G):
            if member[g]:
                free = plan.start[g + 1] - plan.start[g]
                lift = max(lift, plan.after[g] + free * aside + sizes[n - 1] - level)
    number = np.empty(1)
    bits = number.view(np.int64)
    room = np.empty(G, np.int64)
    most = 1
    for g in range(G):
        if member[g]:
            free = plan.start[g + 1] - plan.start[g]
            room[g] = level - plan.after[g] - (free - 1) * aside
            most = max(most, room[g] + lift)
    number[0] = max(1, sizes[0] >> 1)
    lowest = bits[0] >> shift
    number[0] = most
    top = max(0, (bits[0] >> shift) - lowest)
    first = np.full(top + 1, -1, np.int64)
    follows = np.empty(G, np.int64)
    for g in range(G - 1, -1, -1):
        if member[g]:
            number[0] = max(1, room[g] + lift)
            at = max(0, (bits[0] >> shift) - lowest)
            follows[g] = first[at]
            first[at] = g
    i = n
    for _ in range(to_place):
        while first[top] < 0:
            top -= 1
        g = first[top]
        while True:
            i -= 1
            if not (plan.words[i >> 6] >> np.uint64(i & 63)) & np.uint64(1):
                i = at_most(plan.words, plan.summary, i)
            if sizes[i] <= room[g] or left <= to_place:
                break
            left -= 1
        size = sizes[i]
        slot = plan.start[g] + plan.taken[g]
        plan.item[slot] = i
        plan.taken[g] += 1
        plan.after[g] += size
        remove(plan.words, plan.summary, i)
        to_place -= 1
        left -= 1
        first[top] = follows[g]
        if slot + 1 < plan.start[g + 1]:
            room[g] += aside - size
            number[0] = max(1, room[g] + lift)
            at = min(top, max(0, (bits[0] >> shift) - lowest))
            follows[g] = first[at]
            first[at] = g
