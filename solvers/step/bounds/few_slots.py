"""Lower bounds of the imbalance at each largest load, from the workers with at most two free slots.

A worker with no free slot stays at its distance to the level; one with a single slot cannot do
better than the largest request that fits, and two of them cannot have the same; one with two slots
cannot do better than the best pair.  From three slots on nearly every room can be filled exactly,
so the levels at which few-slot workers do well together are the ones worth trying.
"""

import numpy as np

from solvers.compiled import compiled
from solvers.step.sorted_sizes import Pool, last_at_most
from theory.model import IntArray

# Bound of a level at which some slot cannot be filled.
IMPOSSIBLE = 2**62


@compiled
def few_slot_bounds(
    loads: IntArray,
    free: IntArray,
    pool: Pool,
    fullest: IntArray,
    level: int,
    pairs: bool,
    out: IntArray,
) -> None:
    """Bound the imbalance of the assignments whose largest load is ``level + i``, for every ``i``.

    Parameters
    ----------
    loads, free, pool
        As in :func:`solvers.step.bounds.relaxation.largest_load`, with ``n >= sum(free)``.
    fullest : int64[G]
        The workers in ascending order of load.
    level : int
        The least level, no load above it.
    pairs : bool
        Whether to look at the workers with two slots; it takes ``n^2 / 2`` for each of them.
    out : int64[levels]
        Filled with the bounds; :data:`IMPOSSIBLE` where no assignment has its largest load.
    """
    sizes = pool.sizes
    n = sizes.size
    out[:] = 0
    best = np.empty(out.size, np.int64)
    # The single slots in descending order of room take the largest request left that fits.
    place = np.full(loads.size, -1, np.int64)
    for g in fullest:
        low = level - loads[g]
        if free[g] == 0:
            for i in range(out.size):
                out[i] = min(IMPOSSIBLE, out[i] + low + i)
        elif free[g] == 2 and pairs:
            _best_pairs(sizes, low, best)
            for i in range(out.size):
                out[i] = (
                    IMPOSSIBLE
                    if best[i] < 0 or out[i] == IMPOSSIBLE
                    else out[i] + low + i - best[i]
                )
        elif free[g] == 1:
            place[g] = last_at_most(pool, low)
    for i in range(out.size):
        taken = n
        for g in fullest:
            if free[g] != 1:
                continue
            room = level + i - loads[g]
            while place[g] + 1 < n and sizes[place[g] + 1] <= room:
                place[g] += 1
            taken = min(taken - 1, place[g])
            if taken < 0 or out[i] == IMPOSSIBLE:
                out[i] = IMPOSSIBLE
                break
            out[i] += room - sizes[taken]


@compiled
def _best_pairs(sizes: IntArray, low: int, out: IntArray) -> None:
    """``out[i]``: the largest sum of two sizes that is ``<= low + i``, or -1."""
    out[:] = -1
    best = -1
    high = low + out.size
    j = sizes.size - 1
    for i in range(sizes.size):
        while j > i and sizes[i] + sizes[j] >= high:
            j -= 1
        for k in range(j, i, -1):
            pair = sizes[i] + sizes[k]
            if pair < low:
                best = max(best, pair)
                break
            out[pair - low] = pair
    for i in range(out.size):
        best = max(best, out[i])
        out[i] = best
