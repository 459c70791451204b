"""Requests in order of size: the sort, and the sums and the index that the solver needs."""

from typing import NamedTuple

import numpy as np

from solvers.compiled import compiled
from theory.model import IntArray


class Pool(NamedTuple):
    """Waiting requests by size.

    Parameters
    ----------
    sizes : int64[n]
        Sizes in ascending order.
    sums : int64[n + 1]
        ``sums[k]`` is the sum of the ``k`` smallest.
    below : int64[buckets + 1]
        How many sizes lie below each bucket of :func:`last_at_most`; empty for no index.
    shift, base : int
        A size's bucket is its bit pattern as a float, shifted right, less the base.
    """

    sizes: IntArray
    sums: IntArray
    below: IntArray
    shift: int
    base: int


@compiled
def sort_by_size(size: IntArray, item: IntArray, to_size: IntArray, to_item: IntArray) -> bool:
    """Sort by size, stably, by merging runs of doubling length.

    Returns whether the sorted pairs are in the second pair of arrays rather than the first.
    """
    n, run, moved = size.size, 1, False
    while run < n:
        for start in range(0, n, 2 * run):
            left, right = start, min(start + run, n)
            middle, end = right, min(start + 2 * run, n)
            for at in range(start, end):
                if left < middle and (right == end or size[left] <= size[right]):
                    to_size[at], to_item[at] = size[left], item[left]
                    left += 1
                else:
                    to_size[at], to_item[at] = size[right], item[right]
                    right += 1
        size, to_size = to_size, size
        item, to_item = to_item, item
        run *= 2
        moved = not moved
    return moved


@compiled
def order_of(values: IntArray) -> IntArray:
    """Places of numbers in ascending order of the numbers; equal ones as they come."""
    n = values.size
    value, other = values.copy(), np.empty(n, np.int64)
    place, moved = np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(n):
        place[i] = i
    return moved if sort_by_size(value, place, other, moved) else place


@compiled
def prefix_sums(sizes: IntArray) -> IntArray:
    """Sums of the ``k`` smallest sizes, int64[n + 1], of sizes in ascending order."""
    sums = np.zeros(sizes.size + 1, np.int64)
    for i in range(sizes.size):
        sums[i + 1] = sums[i] + sizes[i]
    return sums


@compiled
def sorted_pool(sizes: IntArray) -> Pool:
    """The pool of these sizes, which are in ascending order, without an index."""
    return Pool(sizes, prefix_sums(sizes), np.empty(0, np.int64), 0, 0)


@compiled
def indexed(pool: Pool) -> Pool:
    """The pool with an index, about as many buckets as sizes; it pays after ``n / 4`` look-ups."""
    sizes = pool.sizes
    n = sizes.size
    # Buckets are equal on the scale of the bit patterns of floats, which is nearly logarithmic.
    least = np.float64(sizes[0]).view(np.int64)
    spread = np.float64(sizes[n - 1]).view(np.int64) - least
    shift = 0
    while spread >> shift > n:
        shift += 1
    base = int(least >> shift)
    below = np.empty(((least + spread) >> shift) - base + 2, np.int64)
    bucket = 0
    for i in range(n):
        own = (np.float64(sizes[i]).view(np.int64) >> shift) - base
        while bucket <= own:
            below[bucket] = i
            bucket += 1
    below[bucket] = n
    return Pool(sizes, pool.sums, below, shift, base)


@compiled
def last_between(values: IntArray, value: int, low: int, high: int) -> int:
    """Place of the last entry ``<= value`` of an ascending array: at ``low`` or before ``high``."""
    while high - low > 1:
        middle = (low + high) >> 1
        if values[middle] <= value:
            low = middle
        else:
            high = middle
    return low


@compiled
def last_at_most(pool: Pool, value: int) -> int:
    """Place of the last size ``<= value``, or -1."""
    low = -1
    high = pool.sizes.size
    if high == 0 or value < pool.sizes[0]:
        return -1
    if pool.below.size > 0:
        bucket = (np.float64(value).view(np.int64) >> pool.shift) - pool.base
        if bucket >= pool.below.size - 1:
            return high - 1
        low = pool.below[bucket] - 1
        high = pool.below[bucket + 1]
    return last_between(pool.sizes, value, low, high)
