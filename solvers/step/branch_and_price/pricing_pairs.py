"""Pricing columns of one or two requests: exactly, whatever the size of the loads.

They are few enough to be listed by total size, so no dynamic program over rooms is needed: the best
that fit each room form the Pareto front of total size against profit.
"""

from typing import NamedTuple

import numpy as np

from solvers.compiled import compiled
from solvers.step.branch_and_price.columns import NO_COLUMN
from solvers.step.sorted_sizes import last_between
from theory.model import IntArray


class ShortColumns(NamedTuple):
    """All single requests or all pairs, in ascending order of total size.

    Parameters
    ----------
    total : int64[P]
        Total size of each.
    first, second : int64[P]
        Indices of its sizes, ``first <= second``; equal for a single request.
    """

    total: IntArray
    first: IntArray
    second: IntArray


class ParetoFront(NamedTuple):
    """The short columns that no other dominates: none is as small and brings as much.

    Parameters
    ----------
    rooms : int64[S]
        Their total sizes, ascending.
    value, first, second : int64[S]
        Their profits, ascending, and the indices of their sizes.
    below : int64[buckets + 1]
        How many of ``rooms`` lie below each bucket of :func:`place_within`.
    shift : int
        The bucket of a room is the room shifted right by so many bits.
    """

    rooms: IntArray
    value: IntArray
    first: IntArray
    second: IntArray
    below: IntArray
    shift: int


_NONE = np.empty(0, np.int64)
EMPTY_FRONT = ParetoFront(_NONE, _NONE, _NONE, _NONE, np.zeros(2, np.int64), 0)


def short_columns(sizes: IntArray, supply: IntArray, length: int, most: int) -> ShortColumns:
    """All columns of ``length`` 1 or 2 of the ascending ``sizes`` with a total up to ``most``."""
    first = second = np.arange(sizes.size)
    total = sizes
    if length == 2:
        first, second = np.triu_indices(sizes.size)
        total = sizes[first] + sizes[second]
    fit = np.flatnonzero((total <= most) & ((first < second) | (supply[first] >= length)))
    order = fit[np.argsort(total[fit], kind="stable")]
    return ShortColumns(total[order], first[order], second[order])


@compiled
def pareto_front(
    columns: ShortColumns, length: int, profits: IntArray, supply: IntArray
) -> ParetoFront:
    """The Pareto front of the short columns within the supply.

    Parameters
    ----------
    columns : ShortColumns
        Candidates, of ``length`` 1 or 2 requests each.
    profits, supply : int64[m]
        Profit and number of the requests of each size.
    """
    half = np.empty(profits.size, np.int64)
    for j in range(profits.size):
        half[j] = profits[j] if supply[j] > 0 else NO_COLUMN
    step = np.empty(columns.total.size, np.int64)
    count, value, room = 0, NO_COLUMN // 2, -1
    for i in range(columns.total.size):
        a, b = columns.first[i], columns.second[i]
        profit = half[a] if length == 1 else half[a] + half[b]
        if profit > value and (length == 1 or a < b or supply[a] > 1):
            count += columns.total[i] > room
            step[count - 1], value, room = i, profit, columns.total[i]
    shift = 0
    while count > 0 and room >> shift > 4 * count:
        shift += 1
    rooms, values = np.empty(count, np.int64), np.empty(count, np.int64)
    first, second = np.empty(count, np.int64), np.empty(count, np.int64)
    below = np.zeros((max(0, room) >> shift) + 2, np.int64)
    for place in range(count):
        a, b = columns.first[step[place]], columns.second[step[place]]
        rooms[place], first[place], second[place] = columns.total[step[place]], a, b
        values[place] = half[a] if length == 1 else half[a] + half[b]
        below[(rooms[place] >> shift) + 1] += 1
    for bucket in range(1, below.size):
        below[bucket] += below[bucket - 1]
    return ParetoFront(rooms, values, first, second, below, shift)


@compiled
def place_within(rooms: IntArray, below: IntArray, shift: int, room: int) -> int:
    """Place of the last of the ``rooms`` that is no larger than ``room >= 0``, or -1.

    The arrays of a :class:`ParetoFront` are passed one by one: numba is many times faster so.
    """
    bucket = min(room >> shift, below.size - 2)
    place, end = below[bucket], below[bucket + 1]
    if end - place > 8:
        return last_between(rooms, room, place - 1, end)
    while place < end and rooms[place] <= room:
        place += 1
    return int(place - 1)


@compiled
def best_within(front: ParetoFront, room: int) -> tuple[int, int]:
    """Profit and place of the best column within a room; ``NO_COLUMN`` and -1 if none fits."""
    place = place_within(front.rooms, front.below, front.shift, room) if room >= 0 else -1
    return (front.value[place] if place >= 0 else NO_COLUMN), place


@compiled
def short_columns_within(
    columns: ShortColumns,
    profits: IntArray,
    supply: IntArray,
    room: int,
    least: int,
    out: IntArray,
) -> tuple[int, bool]:
    """Write the columns within a room of profit ``least`` or more into ``out``, int64[., length].

    Returns how many were written, and whether that is all.
    """
    pair = out.shape[1] == 2
    count = 0
    for i in range(last_between(columns.total, room, -1, columns.total.size), -1, -1):
        a, b = columns.first[i], columns.second[i]
        profit = profits[a] + (profits[b] if pair else 0)
        if profit >= least and supply[a] > (pair and a == b) and supply[b] > 0:
            if count == out.shape[0]:
                return count, False
            out[count, 0] = a
            out[count, out.shape[1] - 1] = b
            count += 1
    return count, True
