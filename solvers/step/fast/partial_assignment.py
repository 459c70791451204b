"""Assignments under construction, and the greedy that makes the first complete one.

A plan is always valid: it is complete when :func:`fill` returns, and every move on it exchanges
requests one for one or moves one to a free slot.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from solvers.compiled import compiled
from solvers.step.fast.bitset import Words, contains, empty, full, insert, predecessor, remove
from solvers.step.sorted_sizes import Pool, last_between
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
        The places that nobody has taken, as a :mod:`solvers.step.fast.bitset`.
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

    First come the workers with the most room per free slot, those that reach ``threshold``: they
    have the largest requests to themselves, need them all, and what they still miss is the deficit
    that no assignment avoids (:func:`solvers.step.bounds.relaxation.deficit`).  Then come those
    with a single slot, who can use only what just fits, and last the others.
    """
    G = plan.after.size
    n = pool.sizes.size
    to_place = min(n, plan.item.size)
    left = n
    spare = plan.item.size - to_place
    member = np.zeros(G, np.bool_)
    for group in range(3):
        slots = 0
        for g in range(G):
            free = plan.start[g + 1] - plan.start[g]
            room = level - plan.after[g]
            member[g] = free > plan.taken[g]
            if group == 0:
                member[g] &= float(room) >= threshold * free
            elif group == 1:
                member[g] &= free == 1 and (spare == 0 or room >= pool.sizes[0])
            slots += free * member[g]
        if slots > 0:
            least = int(pool.sizes[n - slots]) if group == 0 else 0
            count = min(slots, to_place)
            _give(plan, pool, member, level, least, count, left)
            to_place -= count
            left -= count


@compiled
def _give(
    plan: Plan, pool: Pool, member: Flags, level: int, least: int, to_place: int, left: int
) -> None:
    """Give out requests, largest first, each to the member with most room below ``level``.

    The room of a worker is what is left below the level when something is set aside for each of
    its free slots but one that must be filled: the mean of the small requests that are still to be
    placed, or ``least`` if that is more.  The mean falls as the large requests go; it is taken anew
    once a request is below it.  A request larger than every room waits, as long as enough are
    left, but first, too, the mean is taken anew.

    Parameters
    ----------
    member : bool[G]
        The workers that take part: with free slots, all of them empty.
    least : int
        Least size to set aside.
    to_place, left : int
        Requests to give out, and requests that nobody has taken yet.
    """
    sizes = pool.sizes
    G = plan.after.size
    room = np.empty(G, np.int64)
    follows = np.empty(G, np.int64)
    i = sizes.size
    while to_place > 0:
        takers = 0
        slots = 0
        for g in range(G):
            if member[g]:
                free = plan.start[g + 1] - plan.start[g] - plan.taken[g]
                takers += free > 0
                slots += free
        aside = least
        if to_place > takers:
            aside = max(least, int(pool.sums[to_place - takers] // (to_place - takers)))
        spare = slots - to_place
        least_room = most_room = 0
        for g in range(G):
            if member[g]:
                must = plan.start[g + 1] - plan.start[g] - plan.taken[g] - spare
                room[g] = level - plan.after[g] - max(0, must - 1) * aside
                least_room = min(least_room, int(room[g]))
                most_room = max(most_room, int(room[g]))
        # Rooms are compared on a logarithmic scale.  Where nothing may wait the level binds nobody
        # and they are lifted above zero, as far as they can fall until the mean is taken anew.
        forced = to_place == left
        lift = aside
        if forced and takers > 1:
            above = last_between(sizes, aside, -1, i) + 1
            surplus = int(pool.sums[i] - pool.sums[above]) - aside * (i - above)
            lift = int(sizes[i - 1]) - least_room + surplus // takers
        shift = 43 if forced else 45
        # A bucket holds the rooms that agree in their highest bits, as a linked list.  The largest
        # room never grows while the aside stays, so the buckets are emptied from the top, once.
        # Most are empty, and a set knows the others.
        base = _bucket(sizes[0] >> 1, shift)
        top = max(0, _bucket(most_room + lift, shift) - base)
        first = np.empty(top + 1, np.int64)
        buckets, summary = empty(top + 1)
        for g in range(G - 1, -1, -1):
            if member[g] and plan.start[g] + plan.taken[g] < plan.start[g + 1]:
                at = max(0, _bucket(room[g] + lift, shift) - base)
                follows[g] = first[at] if contains(buckets, at) else -1
                first[at] = g
                insert(buckets, summary, at)
        top = predecessor(buckets, summary, top)
        placed = 0
        again = -1  # those of the top bucket that stay in it, to take turns
        while to_place > 0:
            if first[top] < 0:
                first[top] = again
                again = -1
                if first[top] < 0:
                    top = predecessor(buckets, summary, top - 1)
            g = first[top]
            stale = False
            while not stale:
                i -= 1
                if not contains(plan.words, i):
                    i = predecessor(plan.words, plan.summary, i)
                if sizes[i] <= room[g] or forced:
                    stale = least < aside > sizes[i]
                    i += stale
                    break
                if 2 * placed > takers:
                    stale = True
                    i += 1
                else:
                    left -= 1
                    stale = left == to_place
            if stale:
                break
            placed += 1
            slot = plan.start[g] + plan.taken[g]
            plan.item[slot] = i
            plan.taken[g] += 1
            plan.after[g] += sizes[i]
            remove(plan.words, plan.summary, i)
            to_place -= 1
            left -= 1
            first[top] = follows[g]
            if slot + 1 < plan.start[g + 1]:
                must = plan.start[g + 1] - slot - spare
                room[g] += (aside if must > 1 else 0) - sizes[i]
                at = max(0, _bucket(room[g] + lift, shift) - base)
                if at < top:
                    follows[g] = first[at] if contains(buckets, at) else -1
                    first[at] = g
                    insert(buckets, summary, at)
                else:
                    follows[g] = again
                    again = g


@compiled
def _bucket(value: int, shift: int) -> int:
    """The highest bits of a positive number as a float; all numbers below 1 count as 1."""
    return int(np.float64(max(1, value)).view(np.int64) >> shift)
