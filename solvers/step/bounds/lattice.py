"""A lower bound for sizes that are equal modulo a spacing ``q``, such as blocks of a paged cache.

When every slot is filled, the load of worker ``g`` after admission is ``L_g + c_g v`` modulo ``q``,
``v`` being any size of the pool.  So at a largest load ``M`` its slack is at least
``(M - L_g - c_g v) mod q``, which the linear relaxation neglects.
"""

import math

import numpy as np

from solvers.compiled import compiled
from solvers.step.sorted_sizes import Pool, sort_by_size
from theory.model import IntArray


@compiled
def spacing(sizes: IntArray) -> int:
    """Greatest common divisor of the differences of ascending sizes; 0 if all are equal.

    Examples
    --------
    >>> spacing(np.array([16, 48, 80, 176]))
    32
    """
    q = 0
    for i in range(1, sizes.size):
        q = math.gcd(q, sizes[i] - sizes[i - 1])
        if q == 1:
            break
    return int(q)


@compiled
def lattice_bound(
    loads: IntArray, free: IntArray, pool: Pool, level: int, q: int
) -> tuple[int, int]:
    """The largest load from ``level`` up at which the bound is least, and the bound there.

    The slack of a worker grows with ``M`` and falls back by ``q`` at each load that it can reach;
    the bound is periodic in ``M`` with period ``q``, but for the workers without free slots, whose
    slack grows.  So it is least at ``level`` or at the first load above it that some worker can
    reach.

    Parameters
    ----------
    loads, free, pool
        As in :func:`solvers.step.bounds.relaxation.largest_load`, with ``n >= sum(free)``.
    level, q : int
        A lower bound of the largest load, and the spacing of the sizes (:func:`spacing`).

    Returns
    -------
    level : int
        The least level with that bound.
    bound : int
        No assignment that fills every slot has a smaller imbalance.
    """
    G = loads.size
    above = np.empty(G, np.int64)  # from the level up to the first load that the worker can reach
    count = 0
    missing = np.int64(0)
    for g in range(G):
        if free[g] > 0:
            above[count] = (loads[g] + free[g] * pool.sizes[0] - level) % q
            missing += (q - above[count]) % q
            count += 1
        else:
            missing += level - loads[g]
    best, at = missing, np.int64(0)
    before = np.int64(0)
    ordered, spare = above[:count], np.empty(count, np.int64)
    if sort_by_size(ordered, ordered, spare, spare):
        ordered = spare
    for t in ordered:
        missing += G * (t - before)
        if t > 0:
            missing -= q
        before = t
        if missing < best:
            best, at = missing, t
    return int(level + at), int(best)
