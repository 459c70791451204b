"""Sizes that differ by multiples of a spacing, such as whole blocks of a paged cache.

When every slot is filled, worker ``g`` ends at ``L_g + c_g v`` plus a multiple of the spacing
``q``, whatever it takes, ``v`` being any size of the pool.  So at a largest load ``M`` it misses at
least ``(M - L_g - c_g v) mod q``, which the linear relaxation does not see.
"""

import math

import numpy as np

from solvers.compiled import compiled
from solvers.step.sorted_sizes import Pool
from theory.model import IntArray


@compiled
def spacing(sizes: IntArray) -> int:
    """Greatest common divisor of the differences of ascending sizes; 0 if all are equal."""
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
    """Best largest load from ``level`` up for a spacing ``q >= 1``, and the imbalance at least.

    Between the loads that a worker can reach, what the workers miss only grows with ``M``; it falls
    back by ``q`` where one is reached, and after ``q`` it repeats but for the workers without free
    slots.  So the least is at the level or at one of the first loads that are reached above it.

    Parameters
    ----------
    loads, free, pool
        As in :func:`solvers.step.bounds.relaxation.largest_load`, with ``n >= sum(free)``.
    level, q : int
        A lower bound of the largest load, and the spacing of the sizes.

    Returns
    -------
    level : int
        The least level with that bound.
    bound : int
        No assignment that fills every slot has a smaller imbalance.
    """
    G = loads.size
    above = np.empty(G, np.int64)  # how far above the level each worker first comes
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
    for t in np.sort(above[:count]):
        missing += G * (t - before)
        if t > 0:
            missing -= q
        before = t
        if missing < best:
            best, at = missing, t
    return int(level + at), int(best)
