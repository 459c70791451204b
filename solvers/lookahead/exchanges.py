"""Plans over a look-ahead window, and the exchanges that improve them.

What a worker's exchange costs is a convex function of the change of its size alone, piecewise
linear with one bend for each step of the window.  So the best change is known at once, the best
request is the one nearest to it on either side, and every exchange is priced exactly in O(H).
"""

from typing import NamedTuple

import numpy as np

from solvers.arrays import min_of, sum_of
from solvers.compiled import compiled
from solvers.step.fast.bitset import Words, full, insert, predecessor, remove, successor
from solvers.step.problem import WAITS
from solvers.step.sorted_sizes import Pool, last_at_most
from theory.model import INT_LIMIT, IntArray


class WindowPlan(NamedTuple):
    """A valid plan, its predicted loads, and the largest of these.

    Parameters
    ----------
    item : int64[slots]
        Places in the sorted pool; those of worker ``g`` start at ``start[g]``.
    start, taken : int64[G + 1], int64[G]
        Where each worker's slots begin, and how many of them are taken.
    words, summary : uint64
        The places that nobody has taken, as a :mod:`solvers.step.fast.bitset`.
    after : int64[G, H + 1]
        Predicted loads.
    top, who : int64[H + 1, 3]
        The three largest loads of each step and their workers; -1 where there are fewer.
    """

    item: IntArray
    start: IntArray
    taken: IntArray
    words: Words
    summary: Words
    after: IntArray
    top: IntArray
    who: IntArray


@compiled
def plan_of(
    ahead: IntArray, grown: IntArray, free: IntArray, pool: Pool, worker: IntArray
) -> WindowPlan:
    """The plan that gives each place in the pool this worker."""
    steps, G = ahead.shape
    n = pool.sizes.size
    start = np.zeros(G + 1, np.int64)
    for g in range(G):
        start[g + 1] = start[g] + min(free[g], n)
    words, summary = full(n)
    item, taken = np.empty(start[G], np.int64), np.zeros(G, np.int64)
    after = np.empty((G, steps), np.int64)
    added = np.zeros(G, np.int64)
    for i in range(n):
        g = worker[i]
        if g != WAITS:
            item[start[g] + taken[g]] = i
            taken[g] += 1
            added[g] += pool.sizes[i]
            remove(words, summary, i)
    for g in range(G):
        for h in range(steps):
            after[g, h] = ahead[h, g] + added[g] + taken[g] * grown[h]
    top = np.empty((steps, 3), np.int64)
    who = np.empty((steps, 3), np.int64)
    for h in range(steps):
        _rank(after, h, top, who)
    return WindowPlan(item, start, taken, words, summary, after, top, who)


@compiled
def _rank(after: IntArray, h: int, top: IntArray, who: IntArray) -> None:
    """Find the three largest loads of a step and their workers."""
    first = second = third = np.int64(-1)
    a = b = c = -1
    for g in range(after.shape[0]):
        load = after[g, h]
        if load > third:
            third, c = load, g
            if load > second:
                second, third, b, c = load, second, g, b
                if load > first:
                    first, second, a, b = load, first, g, a
    top[h, 0], top[h, 1], top[h, 2] = first, second, third
    who[h, 0], who[h, 1], who[h, 2] = a, b, c


@compiled
def value(plan: WindowPlan) -> int:
    """Sum of the imbalances of a plan over the window."""
    result: int = plan.after.shape[0] * sum_of(plan.top[:, 0])
    for g in range(plan.after.shape[0]):
        result -= sum_of(plan.after[g])
    return result


class _Others(NamedTuple):
    """The largest loads of each step among all workers but one.

    Parameters
    ----------
    first, second : int64[H + 1]
        The largest, and the largest but that; -1 where there are fewer.
    holder : int64[H + 1]
        Whose load the largest is.
    """

    first: IntArray
    second: IntArray
    holder: IntArray


@compiled
def _others(plan: WindowPlan, p: int) -> _Others:
    """What all workers but ``p`` hold at most."""
    steps = plan.top.shape[0]
    first, second = np.empty(steps, np.int64), np.empty(steps, np.int64)
    others = _Others(first, second, np.empty(steps, np.int64))
    for h in range(steps):
        k = 1 if plan.who[h, 0] == p else 0
        first[h], others.holder[h] = plan.top[h, k], plan.who[h, k]
        k += 2 if plan.who[h, k + 1] == p else 1
        second[h] = plan.top[h, k]
    return others


@compiled
def improve(plan: WindowPlan, pool: Pool, grown: IntArray, effort: int) -> None:
    """Exchange requests until nothing in reach helps, or for so many rounds as the effort says."""
    if plan.taken.size == 1:  # one worker has no imbalance
        return
    admitted = sum_of(plan.taken)
    bends = np.empty(2 * grown.size, np.int64)
    tries = 4 ** (effort + 1)
    in_vain = 0  # workers in turn that have found no exchange; once it is all, nobody will
    for _ in range(4**effort):
        moved = False
        if admitted < pool.sizes.size:
            for g in range(plan.taken.size):
                if in_vain == plan.taken.size:
                    break
                in_vain += 1
                if _replace(plan, pool, grown, g, bends):
                    moved = True
                    in_vain = 0
        if not moved and (effort > 1 or admitted == pool.sizes.size):
            tried = -1
            for h in range(grown.size):
                p = plan.who[h, 0]
                if p != tried and tries > 0:
                    if _relieve(plan, pool, grown, p, bends):
                        moved = True
                        in_vain = 0
                    tried = p
                    tries -= 1
        if not moved:
            return


@compiled
def _replace(plan: WindowPlan, pool: Pool, grown: IntArray, g: int, bends: IntArray) -> bool:
    """Exchange one request of a worker for the best waiting one, if that lowers the objective."""
    if plan.taken[g] == 0:
        return False
    sizes = pool.sizes
    G, steps = plan.after.shape
    for h in range(steps):
        others = plan.top[h, 1] if plan.who[h, 0] == g else plan.top[h, 0]
        bends[h] = others - plan.after[g, h]
    # The slope of the cost is G for each bend passed, less one for each step.
    passed = -(-steps // G)
    aim = min_of(bends[:steps]) if passed == 1 else _smallest(bends[:steps], passed - 1)
    below = above = np.int64(0)
    old_below = old_above = new_below = new_above = -1
    for j in plan.item[plan.start[g] : plan.start[g] + plan.taken[g]]:
        last = last_at_most(pool, sizes[j] + aim)
        i = predecessor(plan.words, plan.summary, last)
        if i >= 0 and (new_below < 0 or sizes[i] - sizes[j] > below):
            below, old_below, new_below = sizes[i] - sizes[j], j, i
        i = successor(plan.words, plan.summary, last + 1)
        if i >= 0 and (new_above < 0 or sizes[i] - sizes[j] < above):
            above, old_above, new_above = sizes[i] - sizes[j], j, i
    best, change, old, new = np.int64(0), np.int64(0), -1, -1
    for h in range(steps):
        best += G * max(0, -bends[h])
    if new_below >= 0:
        cost = -steps * below
        for h in range(steps):
            cost += G * max(0, below - bends[h])
        if cost < best:
            best, change, old, new = cost, below, old_below, new_below
    if new_above >= 0:
        cost = -steps * above
        for h in range(steps):
            cost += G * max(0, above - bends[h])
        if cost < best:
            best, change, old, new = cost, above, old_above, new_above
    if new < 0:
        return False
    insert(plan.words, plan.summary, old)
    remove(plan.words, plan.summary, new)
    _put(plan, g, old, new)
    _add(plan, g, int(change), 0, grown)
    return True


@compiled
def _smallest(values: IntArray, k: int) -> int:
    """The ``k``-th smallest, from 0; puts the values in another order.  Source: (Hoare 1961)."""
    low, high = 0, values.size - 1
    while low < high:
        pivot, i, j = values[k], low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while pivot < values[j]:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if j < k:
            low = i
        if k < i:
            high = j
    return int(values[k])


@compiled
def _put(plan: WindowPlan, g: int, old: int, new: int) -> None:
    """Let a worker hold request ``new`` in place of ``old``."""
    k = plan.start[g]
    while plan.item[k] != old:
        k += 1
    plan.item[k] = new


@compiled
def _add(plan: WindowPlan, g: int, size: int, count: int, grown: IntArray) -> None:
    """Add to a worker's loads, and keep the ranking of the largest."""
    after, top, who = plan.after, plan.top, plan.who
    for h in range(grown.size):
        load = after[g, h] + size + count * grown[h]
        after[g, h] = load
        at = 0
        while at < 3 and who[h, at] != g:
            at += 1
        if at < 3 and load < top[h, 2]:
            _rank(after, h, top, who)
            continue
        if at == 3:
            if load <= top[h, 2]:
                continue
            at = 2
        while at > 0 and load > top[h, at - 1]:
            top[h, at], who[h, at] = top[h, at - 1], who[h, at - 1]
            at -= 1
        while at < 2 and load < top[h, at + 1]:
            top[h, at], who[h, at] = top[h, at + 1], who[h, at + 1]
            at += 1
        top[h, at], who[h, at] = load, g


@compiled
def _relieve(plan: WindowPlan, pool: Pool, grown: IntArray, p: int, bends: IntArray) -> bool:
    """Swap a request of worker ``p`` for another's, or move it to a free slot: the best of all."""
    sizes = pool.sizes
    G, steps = plan.after.shape
    least, gives, gets, partner = np.int64(0), -1, -1, -1
    others = _others(plan, p)
    own = plan.after[p]
    now = np.int64(0)
    for h in range(steps):
        now += max(own[h], others.first[h])
    for q in range(G):
        if q == p:
            continue
        best = np.int64(0)
        theirs = plan.after[q]
        for h in range(steps):
            rest = others.second[h] if others.holder[h] == q else others.first[h]
            best += max(rest, (own[h] + theirs[h] + 1) >> 1)
        if best - now >= least:
            continue  # whatever the two exchange: they cannot be more even than equal
        aim, end = -INT_LIMIT, INT_LIMIT
        for h in range(steps):
            rest = others.second[h] if others.holder[h] == q else others.first[h]
            level = max(rest, (own[h] + theirs[h] + 1) >> 1)
            bends[h], bends[steps + h] = own[h] - level, level - theirs[h]
            aim, end = max(aim, bends[h]), min(end, bends[steps + h])
        if aim > end:  # no change is the best at every step
            aim = _smallest(bends, steps - 1)
        below = above = np.int64(0)
        below_i = below_j = above_i = above_j = -1
        mine = plan.item[plan.start[p] : plan.start[p] + plan.taken[p]]
        for i in mine:
            for j in plan.item[plan.start[q] : plan.start[q] + plan.taken[q]]:
                d = sizes[i] - sizes[j]
                if d <= aim and (below_i < 0 or d > below):
                    below, below_i, below_j = d, i, j
                if d > aim and (above_i < 0 or d < above):
                    above, above_i, above_j = d, i, j
        for i, j in ((below_i, below_j), (above_i, above_j)):
            if i >= 0:
                change = _moved(others, q, own, theirs, grown, sizes[i] - sizes[j], 0) - now
                if change < least:
                    least, gives, gets, partner = change, i, j, q
        if plan.start[q] + plan.taken[q] < plan.start[q + 1]:
            for i in mine:
                change = _moved(others, q, own, theirs, grown, sizes[i], 1) - now
                if change < least:
                    least, gives, gets, partner = change, i, -1, q
    if partner < 0:
        return False
    change = sizes[gives]
    if gets >= 0:
        change -= sizes[gets]
        _put(plan, p, gives, gets)
        _put(plan, partner, gets, gives)
    else:
        plan.taken[p] -= 1
        _put(plan, p, gives, plan.item[plan.start[p] + plan.taken[p]])
        plan.item[plan.start[partner] + plan.taken[partner]] = gives
        plan.taken[partner] += 1
    count = 1 if gets < 0 else 0
    _add(plan, p, -change, -count, grown)
    _add(plan, partner, change, count, grown)
    return True


@compiled
def _moved(
    others: _Others,
    q: int,
    own: IntArray,
    theirs: IntArray,
    grown: IntArray,
    size: int,
    count: int,
) -> int:
    """Sum of the largest loads when ``q`` is given so much size, and so many requests."""
    total = np.int64(0)
    for h in range(grown.size):
        load = size + count * grown[h]
        rest = others.second[h] if others.holder[h] == q else others.first[h]
        total += max(rest, own[h] - load, theirs[h] + load)
    return int(total)
