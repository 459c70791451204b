"""A sharper lower bound for steps that fill every slot: what fits on a slot at all.

At a largest load ``M`` the ``j``-th largest new request of worker ``g`` is at most
``(M - L_g - beta(c_g - j)) / j``, because the ``j - 1`` larger ones are no smaller and the others
take at least the smallest of the pool.  So the slots of any set ``W`` of workers have caps, and
the most they can hold together is a matching of requests to caps that a single sweep finds: from
the largest request down, take it if an open slot is left.  The imbalance is at least
``|W| * M - L(W)`` less that matching.  Unlike the linear relaxation this sees that a giant fits
nowhere; unlike it, it is not monotone in ``M``, so levels are covered by intervals: room from
their lower end, caps from their upper.
"""

import numpy as np

from solvers.bounds import deficit
from solvers.compiled import compiled
from theory.model import IntArray

# Stands for "no assignment has its largest load there"; above any imbalance.
IMPOSSIBLE = 2**62


@compiled
def nested_deficit(
    loads: IntArray, free: IntArray, sizes: IntArray, sums: IntArray, low: int, high: int
) -> int:
    """Bound of the imbalance of every assignment whose largest load is in ``low..high``.

    The set ``W`` starts with all workers and loses those that the matching serves beyond their
    room.  Arguments as in :func:`solvers.bounds.largest_load`; needs ``n >= sum(free)``.

    Returns
    -------
    int
        At least 0; :data:`IMPOSSIBLE` if some slot cannot be filled at all.
    """
    G = loads.size
    n = sizes.size
    slots = int(np.sum(free))
    member = np.ones(G, np.bool_)
    served = np.empty(G, np.int64)
    place = np.empty(slots, np.int64)
    owner = np.empty(slots, np.int64)
    u = 0
    for g in range(G):
        for j in range(1, free[g] + 1):
            cap = (high - loads[g] - sums[free[g] - j]) // j
            place[u] = np.searchsorted(sizes, cap, side="right") - 1
            if place[u] < 0:
                return IMPOSSIBLE
            owner[u] = g
            u += 1
    first = np.empty(n, np.int64)
    follows = np.empty(slots, np.int64)
    open_ = np.empty(slots, np.int64)
    best = 0
    for _ in range(4):
        first[:] = -1
        for u in range(slots):
            if member[owner[u]]:
                follows[u] = first[place[u]]
                first[place[u]] = u
        served[:] = 0
        count = 0
        held = 0
        for i in range(n - 1, -1, -1):
            u = first[i]
            while u >= 0:
                open_[count] = owner[u]
                count += 1
                u = follows[u]
            if count > 0:
                count -= 1
                served[open_[count]] += sizes[i]
                held += sizes[i]
        if count > 0:
            return IMPOSSIBLE
        room = 0
        dropped = False
        for g in range(G):
            if member[g]:
                room += low - loads[g]
                if served[g] > low - loads[g]:
                    member[g] = False
                    dropped = True
        best = max(best, room - held)
        if not dropped:
            break
    return best


@compiled
def nested_bound(
    loads: IntArray,
    free: IntArray,
    sizes: IntArray,
    sums: IntArray,
    level: int,
    lower: int,
    upper: int,
    evaluations: int,
) -> int:
    """Raise a lower bound of the imbalance, over all largest loads from ``level`` up.

    Parameters
    ----------
    level, lower : int
        Bounds of the largest load and of the imbalance from :func:`solvers.bounds.bound`.
    upper : int
        An imbalance that has been reached: no more has to be proved.
    evaluations : int
        Intervals that may be looked at.
    """
    target = min(upper, nested_deficit(loads, free, sizes, sums, level, level))
    full = 0
    for g in range(loads.size):
        full += free[g] == 0
    step = (upper - lower) // max(1, full)
    low = level
    for _ in range(evaluations):
        floor = deficit(loads, free, sizes, sums, low)[0]
        if target <= lower or floor >= target:
            return max(lower, target)
        value = max(floor, nested_deficit(loads, free, sizes, sums, low, low + step))
        if value >= target:
            low += step + 1
            step *= 2
        elif step > 0:
            step >>= 2
        else:
            target = value
            low += 1
    return max(lower, min(target, deficit(loads, free, sizes, sums, low)[0]))
