"""Sums over steps of the largest of some loads that grow linearly."""

from solvers.compiled import compiled
from theory.model import IntArray


@compiled
def sum_of_largest(base: IntArray, growth: IntArray, lines: int, steps: int) -> int:
    """``sum over t < steps of max over l < lines of base[l] + growth[l] * t``, in whole pieces.

    Examples
    --------
    Loads 5, 5, 5 and 3, 5, 7: of each step the larger.

    >>> import numpy as np
    >>> sum_of_largest(np.array([5, 3]), np.array([0, 2]), 2, 3)
    17
    """
    total = 0
    t = 0
    while t < steps:
        top = 0
        high = base[0] + growth[0] * t
        for line in range(1, lines):
            here = base[line] + growth[line] * t
            if here > high or (here == high and growth[line] > growth[top]):
                top = line
                high = here
        end = steps
        for line in range(lines):
            faster = growth[line] - growth[top]
            if faster > 0:
                crossing = t + (high - base[line] - growth[line] * t) // faster + 1
                end = min(end, crossing)
        count = end - t
        total += count * high + growth[top] * (count * (count - 1) // 2)
        t = end
    return total
