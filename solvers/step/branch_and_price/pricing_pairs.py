"""Patterns of one or two requests, priced exactly however large the sizes are.

They are so few that no table over all rooms is needed: in order of their total size, the best of
all that fit a room is the best of a prefix.
"""

from typing import NamedTuple

import numpy as np

from solvers.compiled import compiled
from solvers.step.branch_and_price.columns import NONE
from solvers.step.sorted_sizes import last_between
from theory.model import IntArray


class ShortPatterns(NamedTuple):
    """Single requests, or pairs of them, in ascending order of total size.

    Parameters
    ----------
    total : int64[P]
        Total size of each.
    first, second : int64[P]
        Indices of its sizes, the smaller first; the same twice for a single request.
    """

    total: IntArray
    first: IntArray
    second: IntArray


class BestShort(NamedTuple):
    """The best of the short patterns that fit a room: a staircase.

    Parameters
    ----------
    rooms : int64[S]
        The rooms from which on another one is the best, ascending.
    value, first, second : int64[S]
        What it brings, and the indices of its sizes.
    below : int64[buckets + 1]
        How many of the rooms lie below each bucket of :func:`place_within`.
    shift : int
        A room's bucket is the room shifted right.
    """

    rooms: IntArray
    value: IntArray
    first: IntArray
    second: IntArray
    below: IntArray
    shift: int


_NONE = np.empty(0, np.int64)
NO_PATTERNS = BestShort(_NONE, _NONE, _NONE, _NONE, np.zeros(2, np.int64), 0)


def short_patterns(sizes: IntArray, supply: IntArray, length: int, most: int) -> ShortPatterns:
    """All patterns of one or two of the ascending ``sizes`` with a total of ``most`` or less."""
    first = second = np.arange(sizes.size)
    total = sizes
    if length == 2:
        first, second = np.triu_indices(sizes.size)
        total = sizes[first] + sizes[second]
    fit = np.flatnonzero((total <= most) & ((first < second) | (supply[first] >= length)))
    order = fit[np.argsort(total[fit], kind="stable")]
    return ShortPatterns(total[order], first[order], second[order])


@compiled
def price_short(
    patterns: ShortPatterns, length: int, profits: IntArray, supply: IntArray
) -> BestShort:
    """The best pattern within every room, of those that the supply holds.

    Parameters
    ----------
    length : int
        Requests of a pattern, 1 or 2.
    profits, supply : int64[m]
        Profit and number of the requests of each size.
    """
    half = np.where(supply > 0, profits, NONE)
    step = np.empty(patterns.total.size, np.int64)
    count, value, room = 0, NONE // 2, -1
    for i in range(patterns.total.size):
        a, b = patterns.first[i], patterns.second[i]
        profit = half[a] if length == 1 else half[a] + half[b]
        if profit > value and (length == 1 or a < b or supply[a] > 1):
            count += patterns.total[i] > room
            step[count - 1], value, room = i, profit, patterns.total[i]
    step = step[:count]
    first, second = patterns.first[step], patterns.second[step]
    values = half[first] if length == 1 else half[first] + half[second]
    rooms = patterns.total[step]
    shift = 0
    while count > 0 and room >> shift > 4 * count:
        shift += 1
    below = np.zeros((max(0, room) >> shift) + 2, np.int64)
    for total in rooms:
        below[(total >> shift) + 1] += 1
    return BestShort(rooms, values, first, second, np.cumsum(below), shift)


@compiled
def place_within(rooms: IntArray, below: IntArray, shift: int, room: int) -> int:
    """Place of the last of the ``rooms`` that is no larger than ``room >= 0``, or -1.

    It takes the arrays of a :class:`BestShort` one by one, for that is many times faster.
    """
    bucket = min(room >> shift, below.size - 2)
    place, end = below[bucket], below[bucket + 1]
    if end - place > 8:
        return last_between(rooms, room, place - 1, end)
    while place < end and rooms[place] <= room:
        place += 1
    return int(place - 1)


@compiled
def most_within(best: BestShort, room: int) -> tuple[int, int]:
    """What the best pattern within a room brings, and its place; ``NONE`` and -1 for none."""
    place = place_within(best.rooms, best.below, best.shift, room) if room >= 0 else -1
    return (best.value[place] if place >= 0 else NONE), place


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
    for i in range(last_between(patterns.total, room, -1, patterns.total.size), -1, -1):
        a, b = patterns.first[i], patterns.second[i]
        profit = profits[a] + (profits[b] if pair else 0)
        if profit >= least and supply[a] > (pair and a == b) and supply[b] > 0:
            if count == out.shape[0]:
                return count, False
            out[count, 0] = a
            out[count, out.shape[1] - 1] = b
            count += 1
    return count, True
