"""Moves that improve a plan, each priced exactly for ``G * max - sum``."""

import numpy as np

from solvers.bitset import at_least, at_most, insert, remove
from solvers.bounds import ascending
from solvers.compiled import compiled
from solvers.plan import Plan
from solvers.pool import Pool, last_at_most


@compiled
def _swap_in(plan: Plan, pool: Pool, g: int, slot: int, i: int) -> None:
    """Worker ``g`` takes the waiting request ``i`` for the one in that slot."""
    sizes = pool.sizes
    old = plan.item[slot]
    insert(plan.words, plan.summary, old)
    remove(plan.words, plan.summary, i)
    plan.item[slot] = i
    plan.after[g] += sizes[i] - sizes[old]


@compiled
def replace(plan: Plan, pool: Pool) -> bool:
    """Exchange one request of each worker for a larger waiting one that still fits below the top.

    Each exchange lowers the imbalance by the difference.  Returns whether any was made.
    """
    sizes = pool.sizes
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
                i = at_most(plan.words, plan.summary, last_at_most(pool, size + room))
                if sizes[i] - size > best:
                    best = sizes[i] - size
                    slot = k
                    larger = i
        if slot >= 0:
            _swap_in(plan, pool, g, slot, larger)
            moved = True
    return moved


@compiled
def replace_pairs(plan: Plan, pool: Pool, width: int) -> bool:
    """Exchange two requests of a worker for two waiting ones that fill its room better.

    One of the two newcomers is among the ``width`` waiting requests next above or below one of
    the two that leave; the other is then the best that fits.  Returns whether any was made.
    """
    sizes = pool.sizes
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
                        h = at_most(words, summary, last_at_most(pool, most))
                        if h == i:
                            h = at_most(words, summary, i - 1)
                        if h < 0:
                            continue
                        gain = sizes[i] + sizes[h] - pair
                        if gain > best:
                            best, first, second, slot, other = gain, i, h, k, j
        if best > 0:
            _swap_in(plan, pool, g, slot, first)
            _swap_in(plan, pool, g, other, second)
            moved = True
    return moved


@compiled
def gather(plan: Plan, pool: Pool, width: int) -> bool:
    """Swap requests between workers so that the room of the less flexible goes to the others.

    A worker with few new requests can rarely use its room exactly; one with more often can, by
    :func:`replace_pairs`.  Neither the sum nor the maximum changes.  Of each request the ``width``
    that come closest to filling the room are tried.  Returns whether any swap was made.
    """
    sizes = pool.sizes
    item = plan.item
    G = plan.after.size
    n = sizes.size
    top = np.max(plan.after)
    slot_of = np.full(n, -1, np.int64)
    owner = np.empty(n, np.int64)
    most = 0
    for g in range(G):
        most = max(most, plan.taken[g])
        for k in range(plan.start[g], plan.start[g] + plan.taken[g]):
            slot_of[item[k]] = k
            owner[item[k]] = g
    moved = False
    for held in range(1, most):
        for g in range(G):
            room = top - plan.after[g]
            if plan.taken[g] != held or room == 0:
                continue
            best = 0
            slot = other = -1
            for k in range(plan.start[g], plan.start[g] + held):
                size = sizes[item[k]]
                i = last_at_most(pool, size + room)
                for _ in range(width):
                    if sizes[i] - size <= best:
                        break
                    if slot_of[i] >= 0 and plan.taken[owner[i]] > held:
                        best, slot, other = sizes[i] - size, k, slot_of[i]
                        break
                    i -= 1
            if best > 0:
                h = owner[item[other]]
                item[slot], item[other] = item[other], item[slot]
                for k in (slot, other):
                    slot_of[item[k]] = k
                owner[item[slot]] = g
                owner[item[other]] = h
                plan.after[g] += best
                plan.after[h] -= best
                moved = True
    return moved


@compiled
def _trade(plan: Plan, pool: Pool, p: int, q: int) -> bool:
    """Move load from worker ``p`` to the less loaded ``q``, as near half their gap as can be.

    By a swap, or by a move to a free slot.  With a gap ``D`` and a difference ``0 < d < D`` the
    sum of squares falls by ``2 d (D - d)``.  Returns whether there was such a trade.
    """
    sizes = pool.sizes
    item, start, taken, after = plan.item, plan.start, plan.taken, plan.after
    D = after[p] - after[q]
    best = 0
    here = other = -1
    spare = start[q] + taken[q] < start[q + 1]
    for k in range(start[p], start[p] + taken[p]):
        x = sizes[item[k]]
        if spare and x < D and (best == 0 or abs(2 * x - D) < abs(2 * best - D)):
            best, here, other = x, k, -1
        for j in range(start[q], start[q] + taken[q]):
            d = x - sizes[item[j]]
            if 0 < d < D and (best == 0 or abs(2 * d - D) < abs(2 * best - D)):
                best, here, other = d, k, j
    if best == 0:
        return False
    after[p] -= best
    after[q] += best
    if other >= 0:
        item[here], item[other] = item[other], item[here]
    else:
        item[start[q] + taken[q]] = item[here]
        taken[q] += 1
        taken[p] -= 1
        item[here] = item[start[p] + taken[p]]
    return True


@compiled
def lower_top(plan: Plan, pool: Pool, level: int, rounds: int) -> None:
    """Bring loads above ``level`` down by trades: the highest with the lowest, and so inwards.

    A low worker that cannot trade with a high one, because its requests are all larger, is passed
    over.  Ends when no load is above the level, when a round lowers nothing, or after ``rounds``.
    """
    after = plan.after
    for _ in range(rounds):
        top = np.max(after)
        if top <= level:
            return
        order = ascending(after.astype(np.float64))
        i = 0
        j = after.size - 1
        while i < j and after[order[j]] > level:
            if _trade(plan, pool, order[j], order[i]):
                j -= 1
            i += 1
        if np.max(after) == top:
            return


@compiled
def _raise(plan: Plan, pool: Pool, q: int, D: int) -> bool:
    """Give worker ``q`` a waiting request larger than one of its own, by most and by less than D.

    Returns whether there was one.
    """
    best = 0
    slot = larger = -1
    for k in range(plan.start[q], plan.start[q] + plan.taken[q]):
        size = pool.sizes[plan.item[k]]
        i = at_most(plan.words, plan.summary, last_at_most(pool, size + D - 1))
        if i >= 0 and pool.sizes[i] - size > best:
            best, slot, larger = pool.sizes[i] - size, k, i
    if slot >= 0:
        _swap_in(plan, pool, q, slot, larger)
    return slot >= 0


@compiled
def level_out(plan: Plan, pool: Pool) -> None:
    """Exchange between the most and the least loaded workers while they are far apart.

    While the gap ``D`` of a pair exceeds ``b - a``, the range of the pool, the less loaded worker
    takes a waiting request larger than one of its own by less than ``D``, or they trade.  The
    first lowers the imbalance; the second keeps the sum, does not raise the maximum and lowers the
    sum of squares, so this ends.  It ends when the extreme pair is within ``b - a`` or has no such
    move.  From equal loads and slots it has one as long as ``D > b - a``
    [step.full-refill-gap]; under [step.gap-condition] as long as ``D > s_max``.
    """
    after = plan.after
    reach = pool.sizes[-1] - pool.sizes[0]
    while True:
        p = int(np.argmax(after))
        q = int(np.argmin(after))
        D = after[p] - after[q]
        if reach >= D or not (_raise(plan, pool, q, D) or _trade(plan, pool, p, q)):
            return
        order = ascending(after.astype(np.float64))
        for i in range(after.size // 2):
            p = order[after.size - 1 - i]
            q = order[i]
            D = after[p] - after[q]
            if reach >= D:
                break
            if not _raise(plan, pool, q, D):
                _trade(plan, pool, p, q)
