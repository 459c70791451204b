"""Patterns of one or two requests, priced exactly however large the sizes are.

They are so few that no table over all rooms is needed: in order of their total size, the best of
all that fit a room is the best of a prefix.
"""

from typing import NamedTuple

import numpy as np

from solvers.compiled import compiled
from solvers.patterns import NONE
from solvers.pool import last_between
from theory.model import IntArray


class ShortPatterns(NamedTuple):
    """Single requests, or pairs of them, in ascending order of total size.

    Parameters
    ----------
    total : int64[P]
        Total size of each.
    first, second : int64[P]
        Indices of its sizes, the smaller first; the same twice for a single request.
    best : int64[P]
        Place of the best of the prefix up to each, under the last prices; -1 for none.
    value : int64[P]
        What that one brings; :data:`solvers.patterns.NONE` for none.
    """

    total: IntArray
    first: IntArray
    second: IntArray
    best: IntArray
    value: IntArray


def short_patterns(sizes: IntArray, supply: IntArray, length: int, most: int) -> ShortPatterns:
    """All patterns of one or two of the ascending ``sizes`` with a total of ``most`` or less."""
    first = second = np.arange(sizes.size)
    total = sizes
    if length == 2:
        first, second = np.triu_indices(sizes.size)
        total = sizes[first] + sizes[second]
    fit = np.flatnonzero((total <= most) & ((first < second) | (supply[first] >= length)))
    order = fit[np.argsort(total[fit], kind="stable")]
    best, value = np.empty((2, order.size), np.int64)
    return ShortPatterns(total[order], first[order], second[order], best, value)


@compiled
def price_short(patterns: ShortPatterns, length: int, profits: IntArray, supply: IntArray) -> None:
    """Write the best pattern of every prefix, of those that the supply holds.

    Parameters
    ----------
    length : int
        Requests of a pattern, 1 or 2.
    profits, supply : int64[m]
        Profit and number of the requests of each size.
    """
    half = np.where(supply > 0, profits, NONE)
    best, value = -1, NONE // 2
    for i in range(patterns.total.size):
        a, b = patterns.first[i], patterns.second[i]
        profit = half[a] if length == 1 else half[a] + half[b]
        if profit > value and (length == 1 or a < b or supply[a] > 1):
            best, value = i, profit
        patterns.best[i], patterns.value[i] = best, value if best >= 0 else NONE


@compiled
def last_within(total: IntArray, room: int, start: int) -> int:
    """Place of the last total ``<= room``, or -1; it must not be before ``start``."""
    at, stride = start, 1
    while at + stride < total.size and total[at + stride] <= room:
        at += stride
        stride *= 2
    return last_between(total, room, at, min(total.size, at + stride))


@compiled
def near_short(
    patterns: ShortPatterns,
    profits: IntArray,
    supply: IntArray,
    room: int,
    least: int,
    out: IntArray,
) -> tuple[int, bool]:
    """Write the patterns within a room that bring ``least`` or more into ``out``, int64[., length].

    Returns how many were written, and whether that is all.
    """
    pair = out.shape[1] == 2
    count = 0
    for i in range(last_within(patterns.total, room, -1), -1, -1):
        a, b = patterns.first[i], patterns.second[i]
        profit = profits[a] + (profits[b] if pair else 0)
        if profit >= least and supply[a] > (pair and a == b) and supply[b] > 0:
            if count == out.shape[0]:
                return count, False
            out[count, 0] = a
            out[count, out.shape[1] - 1] = b
            count += 1
    return count, True
