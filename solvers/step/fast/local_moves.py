"""Moves that improve a plan, each priced exactly for ``G * max - sum``.

Requests are named by their place in the sorted pool; every worker's are kept in descending order.
"""

import numpy as np

from solvers.arrays import max_of
from solvers.compiled import compiled
from solvers.step.bounds.relaxation import ascending
from solvers.step.fast.bitset import insert, predecessor, remove, successor
from solvers.step.fast.partial_assignment import Plan
from solvers.step.sorted_sizes import Pool, last_at_most


@compiled
def hand_over(plan: Plan, pool: Pool, g: int, old: int, new: int) -> None:
    """Worker ``g`` gives up its request ``old`` and takes ``new``."""
    item = plan.item
    first = plan.start[g]
    last = first + plan.taken[g] - 1
    k = first
    while item[k] != old:
        k += 1
    while k > first and item[k - 1] < new:
        item[k] = item[k - 1]
        k -= 1
    while k < last and item[k + 1] > new:
        item[k] = item[k + 1]
        k += 1
    item[k] = new
    plan.after[g] += pool.sizes[new] - pool.sizes[old]


@compiled
def take_waiting(plan: Plan, pool: Pool, g: int, old: int, new: int) -> None:
    """Worker ``g`` gives its request ``old`` back to the pool and takes ``new`` out of it."""
    insert(plan.words, plan.summary, old)
    remove(plan.words, plan.summary, new)
    hand_over(plan, pool, g, old, new)


@compiled
def exchange(plan: Plan, pool: Pool, g: int, room: int) -> bool:
    """Exchange a request of worker ``g`` with the pool so that its load rises most within a room.

    A negative room is an excess, by which the load then falls at least, and as little as can be.
    Returns whether there was such an exchange.
    """
    if room == 0:
        return False
    sizes = pool.sizes
    best = 0 if room > 0 else -(2**62)
    old = new = -1
    for j in plan.item[plan.start[g] : plan.start[g] + plan.taken[g]]:
        if room > 0:
            # Most requests have no larger one in reach, which takes less to see than which is best.
            i = successor(plan.words, plan.summary, j + 1)
            if i < 0 or sizes[i] > sizes[j] + room:
                continue
        i = predecessor(plan.words, plan.summary, last_at_most(pool, sizes[j] + room))
        if i >= 0 and sizes[i] - sizes[j] > best:
            best, old, new = sizes[i] - sizes[j], j, i
    if old < 0:
        return False
    take_waiting(plan, pool, g, old, new)
    return True


@compiled
def replace(plan: Plan, pool: Pool) -> bool:
    """Exchange requests of each worker for larger waiting ones that still fit below the top.

    Each exchange lowers the imbalance by the difference.  Returns whether any was made.
    """
    top = max_of(plan.after)
    moved = False
    for g in range(plan.after.size):
        while exchange(plan, pool, g, top - plan.after[g]):
            moved = True
    return moved


@compiled
def gather(plan: Plan, pool: Pool, width: int) -> bool:
    """Swap requests between workers so that the room of the less flexible goes to the others.

    A worker with few new requests can rarely use its room exactly; one with more often can, by
    an exchange of two.  Neither the sum nor the maximum changes.  Of each request the ``width``
    that come closest to filling the room are tried.  Returns whether any swap was made.
    """
    sizes = pool.sizes
    G = plan.after.size
    top = max_of(plan.after)
    owner = np.full(sizes.size, -1, np.int64)
    for g in range(G):
        for j in plan.item[plan.start[g] : plan.start[g] + plan.taken[g]]:
            owner[j] = g
    moved = False
    for held in range(1, max_of(plan.taken)):
        for g in range(G):
            room = top - plan.after[g]
            if plan.taken[g] != held or room == 0:
                continue
            best = 0
            old = new = -1
            for j in plan.item[plan.start[g] : plan.start[g] + held]:
                i = last_at_most(pool, sizes[j] + room)
                for _ in range(width):
                    if sizes[i] - sizes[j] <= best:
                        break
                    if owner[i] >= 0 and plan.taken[owner[i]] > held:
                        best, old, new = sizes[i] - sizes[j], j, i
                        break
                    i -= 1
            if best > 0:
                h = owner[new]
                hand_over(plan, pool, g, old, new)
                hand_over(plan, pool, h, new, old)
                owner[old], owner[new] = h, g
                moved = True
    return moved


@compiled
def _trade(plan: Plan, pool: Pool, p: int, q: int) -> bool:
    """Move load from worker ``p`` to the less loaded ``q``, as near half their gap as can be.

    By a swap, or by a move to a free slot.  With a gap ``D`` and a difference ``0 < d < D`` the
    sum of squares falls by ``2 d (D - d)``.  Returns whether there was such a trade.
    """
    sizes, item, start, taken = pool.sizes, plan.item, plan.start, plan.taken
    D = plan.after[p] - plan.after[q]
    end = start[q] + taken[q]
    away = D  # twice the distance of the difference from D / 2
    give = get = -1
    j = start[q]
    for i in item[start[p] : start[p] + taken[p]]:
        if end < start[q + 1] and abs(2 * sizes[i] - D) < away:
            away, give, get = abs(2 * sizes[i] - D), i, -1
        # As the requests of p get smaller, so do those of q that are half the gap below them.
        while j < end and 2 * (sizes[i] - sizes[item[j]]) < D:
            if abs(2 * (sizes[i] - sizes[item[j]]) - D) < away:
                away, give, get = abs(2 * (sizes[i] - sizes[item[j]]) - D), i, item[j]
            j += 1
        if j < end and 2 * (sizes[i] - sizes[item[j]]) - D < away:
            away, give, get = 2 * (sizes[i] - sizes[item[j]]) - D, i, item[j]
        if j > start[q]:
            # The last that was passed is the nearest on the other side.
            j -= 1
    if give < 0:
        return False
    if get >= 0:
        hand_over(plan, pool, p, give, get)
        hand_over(plan, pool, q, get, give)
        return True
    k = start[p]
    while item[k] != give:
        k += 1
    taken[p] -= 1
    while k < start[p] + taken[p]:
        item[k] = item[k + 1]
        k += 1
    k = end
    while k > start[q] and item[k - 1] < give:
        item[k] = item[k - 1]
        k -= 1
    item[k] = give
    taken[q] += 1
    plan.after[p] -= sizes[give]
    plan.after[q] += sizes[give]
    return True


@compiled
def lower_top(plan: Plan, pool: Pool, level: int, rounds: int) -> None:
    """Bring loads above ``level`` down by trades: the highest with the lowest, and so inwards.

    A low worker that cannot trade with a high one, because its requests are all larger, is passed
    over.  Ends when no load is above the level, when a round lowers nothing, or after ``rounds``.
    """
    after = plan.after
    for _ in range(rounds):
        top = max_of(after)
        if top <= level:
            return
        order = ascending(after.astype(np.float64))
        i = 0
        j = after.size - 1
        while i < j and after[order[j]] > level:
            if _trade(plan, pool, order[j], order[i]):
                j -= 1
            i += 1
        if max_of(after) == top:
            return


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
        p = q = 0
        for g in range(1, after.size):
            if after[g] > after[p]:
                p = g
            if after[g] < after[q]:
                q = g
        D = after[p] - after[q]
        if reach >= D or not (exchange(plan, pool, q, D - 1) or _trade(plan, pool, p, q)):
            return
        order = ascending(after.astype(np.float64))
        for i in range(after.size // 2):
            p = order[after.size - 1 - i]
            q = order[i]
            D = after[p] - after[q]
            if reach >= D:
                break
            if not exchange(plan, pool, q, D - 1):
                _trade(plan, pool, p, q)
