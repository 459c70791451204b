"""A lower bound of the largest load when the whole pool is admitted, by counting large requests.

Of the ``j`` largest requests the ``t`` workers that have most of them have at least
``t (j // G) + min(t, j mod G)``, and these weigh no less than the smallest of the ``j``.

Source: (Haouari et al. 2006).
"""

from solvers.arrays import max_of
from solvers.compiled import compiled
from solvers.step.sorted_sizes import order_of, prefix_sums
from theory.model import IntArray

# Pairs (j, t) that are looked at; beyond, t is j mod G alone.
_MOST_PAIRS = 2**24


@compiled
def counting_level(loads: IntArray, sizes: IntArray) -> int:
    """Least level by counting, of loads and of ascending sizes that are all admitted.

    Examples
    --------
    Five requests on two workers: one has three of them, 4 + 5 + 6 at least.

    >>> import numpy as np
    >>> counting_level(np.zeros(2, np.int64), np.array([4, 5, 6, 6, 6]))
    15
    """
    G, n = loads.size, sizes.size
    base, sums = prefix_sums(loads[order_of(loads)]), prefix_sums(sizes)
    best = max_of(loads)
    every = n * G <= _MOST_PAIRS
    for j in range(1, n + 1):
        first, last = (1, G) if every else (max(1, j % G), max(1, j % G))
        for t in range(first, last + 1):
            number = t * (j // G) + min(t, j % G)
            total = base[t] + sums[n - j + number] - sums[n - j]
            best = max(best, int(-(-total // t)))
    return best
