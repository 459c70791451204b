"""A lower bound for steps that fill every slot, from a cap on the size that fits each slot.

At a largest load ``M`` the ``j``-th largest new request of worker ``g`` is at most
``(M - L_g - beta(c_g - j)) / j``, because the ``j - 1`` larger ones are no smaller and the others
take at least the smallest of the pool.  The slots that admit a request are nested in its size, so
a greedy sweep from the largest request down finds the matching of largest total size to the slots
of any set ``W`` of workers.  The imbalance is at least ``|W| * M - L(W)`` less that total.  The
linear relaxation can divide a request that fits on no slot; this bound cannot.  It is not monotone
in ``M``, so an interval of levels is bounded by the room of its least level and the caps of its
largest.

Measured on 420 steady-state steps (B = 72, p = 0.03, pools of 8 G, G = 8 to 144): the fast solver
at effort 3 proves 158 with it and 97 without; of 90 burst-like steps, 45 and 6.
"""

import numpy as np

from solvers.arrays import max_of, min_of, sum_of
from solvers.compiled import compiled
from solvers.step.bounds.relaxation import IMPOSSIBLE, deficit
from solvers.step.fast.partial_assignment import Flags
from solvers.step.sorted_sizes import Pool, last_at_most
from theory.model import IntArray


@compiled
def nested_deficit(
    loads: IntArray, free: IntArray, pool: Pool, low: int, high: int, member: Flags, rounds: int
) -> int:
    """Lower bound of the imbalance of the assignments with their largest load in ``low..high``.

    Parameters
    ----------
    loads, free, pool
        As in :func:`solvers.step.bounds.relaxation.largest_load`, with ``n >= sum(free)``.
    low, high : int
        The levels.
    member : bool[G]
        The first set ``W``; each round removes the workers that the matching serves beyond their
        room.  Replaced by the set of the largest bound.
    rounds : int
        Number of sets tried.

    Returns
    -------
    int
        At least 0; :data:`~solvers.step.bounds.relaxation.IMPOSSIBLE` if some slot of ``W`` cannot
        be filled.
    """
    sizes, sums = pool.sizes, pool.sums
    G = loads.size
    n = sizes.size
    slots = sum_of(free)
    served = np.empty(G, np.int64)
    place = np.empty(slots, np.int64)
    owner = np.empty(slots, np.int64)
    u = 0
    for g in range(G):
        if member[g]:
            for j in range(1, free[g] + 1):
                cap = (high - loads[g] - sums[free[g] - j]) // j
                place[u] = last_at_most(pool, cap)
                if place[u] < 0:
                    return IMPOSSIBLE
                owner[u] = g
                u += 1
    slots = u
    first = np.empty(n, np.int64)
    follows = np.empty(slots, np.int64)
    open_ = np.empty(slots, np.int64)
    inside = member.copy()
    best = 0
    for _ in range(rounds):
        first[:] = -1
        left = 0
        for u in range(slots):
            if inside[owner[u]]:
                follows[u] = first[place[u]]
                first[place[u]] = u
                left += 1
        served[:] = 0
        count = 0
        held = 0
        i = n
        while left > 0 and i > 0:
            i -= 1
            u = first[i]
            while u >= 0:
                open_[count] = owner[u]
                count += 1
                u = follows[u]
            if count > 0:
                count -= 1
                left -= 1
                served[open_[count]] += sizes[i]
                held += sizes[i]
        if left > 0:
            return IMPOSSIBLE
        room = 0
        for g in range(G):
            if inside[g]:
                room += low - loads[g]
        if room - held > best:
            best = room - held
            for g in range(G):
                member[g] = inside[g]
        dropped = False
        for g in range(G):
            if inside[g] and served[g] > low - loads[g]:
                inside[g] = False
                dropped = True
        if not dropped:
            break
    return best


@compiled
def nested_bound(
    loads: IntArray,
    free: IntArray,
    pool: Pool,
    level: int,
    lower: int,
    upper: int,
    evaluations: int,
    each: IntArray,
) -> int:
    """Raise a lower bound of the imbalance, over all largest loads from ``level`` up.

    Parameters
    ----------
    level, lower : int
        Bounds of the largest load and of the imbalance from
        :func:`solvers.step.bounds.relaxation.closed_form_bounds`.
    upper : int
        The imbalance of a known assignment.
    evaluations : int
        Number of intervals of levels tried.
    each : int64[levels]
        Other lower bounds at the levels from ``level`` up; may be empty.

    Returns
    -------
    int
        A lower bound of every imbalance, at least ``lower`` and at most the larger of ``lower`` and
        ``upper``.
    """
    member = np.empty(loads.size, np.bool_)
    full = 0
    for g in range(loads.size):
        member[g] = True
        full += free[g] == 0
    target = nested_deficit(loads, free, pool, level, level, member, 4)
    if each.size > 0:
        target = max(target, int(each[0]))
    target = min(upper, target)
    step = (upper - lower) // max(1, full) >> 4
    low = level
    most = max_of(loads) + int(pool.sums[-1])
    for _ in range(evaluations):
        if low > most:
            return max(lower, target)
        step = min(step, most - low)
        floor = deficit(loads, free, pool, low)[0]
        if target <= lower or floor >= target:
            return max(lower, target)
        value = max(floor, nested_deficit(loads, free, pool, low, low + step, member, 1))
        at = low - level
        if value < target and at + step < each.size:
            value = max(value, min_of(each[at : at + step + 1]))
        if value >= target:
            low += step + 1
            step *= 4
        elif step > 0:
            step >>= 2
        else:
            target = value
            low += 1
    # The levels beyond the last interval.
    rest = deficit(loads, free, pool, min(low, most))[0]
    at = low - level
    if at < each.size:
        beyond = deficit(loads, free, pool, level + each.size)[0]
        rest = max(rest, min(min_of(each[at:]), beyond))
    return max(lower, min(target, rest))
