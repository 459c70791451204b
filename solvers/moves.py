"""Moves that improve a plan, each priced exactly for ``G * max - sum``."""

import numpy as np

from solvers.bitset import at_least, at_most, insert, remove
from solvers.compiled import compiled
from solvers.plan import Plan
from theory.model import IntArray


@compiled
def place_of(sizes: IntArray, value: int) -> int:
    """Place of the last size ``<= value`` in the sorted pool, or -1."""
    return int(np.searchsorted(sizes, value, side="right")) - 1


@compiled
def _swap_in(plan: Plan, sizes: IntArray, g: int, slot: int, i: int) -> None:
    """Worker ``g`` takes the waiting request ``i`` for the one in that slot."""
    old = plan.item[slot]
    insert(plan.words, plan.summary, old)
    remove(plan.words, plan.summary, i)
    plan.item[slot] = i
    plan.after[g] += sizes[i] - sizes[old]


@compiled
def replace(plan: Plan, sizes: IntArray) -> bool:
    """Exchange one request of each worker for a larger waiting one that still fits below the top.

    Each exchange lowers the imbalance by the difference.  Returns whether any was made.
    """
    top = np.max(plan.after)
    moved = False
    for g in range(plan.after.size):
        room = top - plan.after[g]
        best = 0
        slot = -1
        larger = -1
        if room > 0:
            for k in range(plan.start[g], plan.start[g] + plan.taken[g]):
                size = sizes[plan.item[k]]
                i = at_least(plan.words, plan.summary, plan.item[k] + 1)
                if i < 0 or sizes[i] > size + room:
                    continue
                i = at_most(plan.words, plan.summary, place_of(sizes, size + room))
                if sizes[i] - size > best:
                    best = sizes[i] - size
                    slot = k
                    larger = i
        if slot >= 0:
            _swap_in(plan, sizes, g, slot, larger)
            moved = True
    return moved


@compiled
def replace_pairs(plan: Plan, sizes: IntArray, width: int) -> bool:
    """Exchange two requests of a worker for two waiting ones that fill its room better.

    One of the two newcomers is among the ``width`` waiting requests next above or below one of
    the two that leave; the other is then the best that fits.  Returns whether any was made.
    """
    words, summary, item = plan.words, plan.summary, plan.item
    top = np.max(plan.after)
    moved = False
    for g in range(plan.after.size):
        room = top - plan.after[g]
        end = plan.start[g] + plan.taken[g]
        if room == 0 or end - plan.start[g] < 2:
            continue
        best = 0
        first = second = slot = other = -1
        for k in range(plan.start[g], end):
            for j in range(plan.start[g], end):
                if j == k or best == room:
                    continue
                pair = sizes[item[k]] + sizes[item[j]]
                for direction in range(2):
                    i = item[k]
                    for _ in range(width):
                        if direction == 0:
                            i = at_least(words, summary, i + 1)
                        else:
                            i = at_most(words, summary, i - 1)
                        if i < 0:
                            break
                        # The request in slot k leaves its place to i; what may slot j hold?
                        most = pair + room - sizes[i]
                        if most <= 0:
                            break
                        h = at_most(words, summary, place_of(sizes, most))
                        if h == i:
                            h = at_most(words, summary, i - 1)
                        if h < 0:
                            continue
                        gain = sizes[i] + sizes[h] - pair
                        if gain > best:
                            best, first, second, slot, other = gain, i, h, k, j
        if best > 0:
            _swap_in(plan, sizes, g, slot, first)
            _swap_in(plan, sizes, g, other, second)
            moved = True
    return moved


@compiled
def pass_on(plan: Plan, sizes: IntArray, width: int) -> bool:
    """Let a worker take a larger request of another, which takes a larger waiting one instead.

    The rooms of both are used up together; the request that leaves the first worker waits.  Of
    each request that could leave, the ``width`` next larger ones are tried.  Returns whether any
    was made.
    """
    words, summary, item = plan.words, plan.summary, plan.item
    G = plan.after.size
    n = sizes.size
    top = np.max(plan.after)
    slot_of = np.full(n, -1, np.int64)
    owner = np.empty(n, np.int64)
    for g in range(G):
        for k in range(plan.start[g], plan.start[g] + plan.taken[g]):
            slot_of[item[k]] = k
            owner[item[k]] = g
    moved = False
    for g in range(G):
        room = top - plan.after[g]
        best = 0
        slot = second = larger = -1
        if room > 0:
            for k in range(plan.start[g], plan.start[g] + plan.taken[g]):
                size = sizes[item[k]]
                i = item[k]
                for _ in range(width):
                    i += 1
                    while i < n and slot_of[i] < 0:
                        i += 1
                    if i >= n or sizes[i] > size + room:
                        break
                    h = owner[i]
                    if h == g:
                        continue
                    x = at_most(
                        words, summary, place_of(sizes, sizes[i] + top - plan.after[h])
                    )
                    if x >= 0 and sizes[x] - size > best:
                        best, slot, second, larger = sizes[x] - size, k, i, x
        if best > 0:
            h = owner[second]
            k = slot_of[second]
            slot_of[item[slot]] = -1
            _swap_in(plan, sizes, h, k, larger)
            _swap_in(plan, sizes, g, slot, second)
            slot_of[larger] = k
            owner[larger] = h
            slot_of[second] = slot
            owner[second] = g
            moved = True
    return moved


@compiled
def level_out(plan: Plan, sizes: IntArray) -> None:
    """Exchange between the most and the least loaded worker while they are far apart.

    While their gap ``D`` exceeds ``b - a``, the range of the pool, the least loaded worker takes a
    larger waiting request for one of its own, or a request of the most loaded one into a free
    slot, or they swap a pair, always with a difference ``0 < d < D``.  The first lowers the
    imbalance; the others keep the sum, do not raise the maximum, and lower the sum of squares by
    ``2 d (D - d)``, so this ends.  From equal loads and slots some pair is left as long as
    ``D > b - a`` [step.full-refill-gap]; under [step.gap-condition] as long as ``D > s_max``.
    """
    item, start, taken, after = plan.item, plan.start, plan.taken, plan.after
    while True:
        p = int(np.argmax(after))
        q = int(np.argmin(after))
        D = after[p] - after[q]
        if sizes[-1] - sizes[0] >= D:
            return
        best = 0
        here = -1
        other = -1
        for k in range(start[q], start[q] + taken[q]):
            size = sizes[item[k]]
            i = at_most(plan.words, plan.summary, place_of(sizes, size + D - 1))
            if i >= 0 and sizes[i] - size > best:
                best = sizes[i] - size
                here = k
                other = i
        if here >= 0:
            _swap_in(plan, sizes, q, here, other)
            continue
        spare = start[q] + taken[q] < start[q + 1]
        for k in range(start[p], start[p] + taken[p]):
            x = sizes[item[k]]
            if spare and 0 < x < D and (best == 0 or abs(2 * x - D) < abs(2 * best - D)):
                best = x
                here = k
                other = -1
            for j in range(start[q], start[q] + taken[q]):
                d = x - sizes[item[j]]
                if 0 < d < D and (best == 0 or abs(2 * d - D) < abs(2 * best - D)):
                    best = d
                    here = k
                    other = j
        if best == 0:
            return
        after[p] -= best
        after[q] += best
        if other >= 0:
            item[here], item[other] = item[other], item[here]
        else:
            item[start[q] + taken[q]] = item[here]
            taken[q] += 1
            taken[p] -= 1
            item[here] = item[start[p] + taken[p]]
