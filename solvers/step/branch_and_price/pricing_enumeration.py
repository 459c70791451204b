"""Depth-first search in the pricing problem of one worker: the best column, or all near the best.

The dynamic program (:func:`solvers.step.branch_and_price.columns.knapsack`) and the Pareto fronts
of single requests and pairs (:mod:`solvers.step.branch_and_price.pricing_pairs`) bound from above
what the requests still to be chosen can bring; a branch whose bound is too small is cut.  The
fronts are exact, so from two open requests on hardly any branch is a dead end.

Listing all columns whose reduced cost is within the gap, none of the others being in a better
assignment, is column enumeration (Baldacci et al. 2008).
"""

from typing import NamedTuple

import numpy as np

from solvers.arrays import copy_into, count_of, sort_in_place
from solvers.compiled import compiled
from solvers.step.branch_and_price.columns import SCALE, fits
from solvers.step.branch_and_price.pricing_pairs import ParetoFront, place_within
from solvers.step.rng import draw
from solvers.step.sorted_sizes import last_between
from theory.model import IntArray

# Columns sampled before each search.
_DRAWS = 64

# Draws of a request until one leads to a column near the best.
_TRIES = 16

# Columns that lose more than this against the bound are not searched.
_LOST = 2**55


class Knapsack(NamedTuple):
    """The pricing problem of one worker.

    Parameters
    ----------
    sizes, profits, supply : int64[m]
        Sizes in ascending order, with the profit and the number of requests of each.
    table, unit
        As :func:`solvers.step.branch_and_price.columns.knapsack` filled it, the weights being the
        sizes divided by the unit and rounded down.
    singles, pairs : ParetoFront
        Of single requests and of pairs; empty where they are not listed.
    room : int
        Largest total size.
    """

    sizes: IntArray
    profits: IntArray
    supply: IntArray
    table: IntArray
    unit: int
    singles: ParetoFront
    pairs: ParetoFront
    room: int


@compiled
def enumerate_columns(
    knapsack: Knapsack, least: int, enough: int, most_work: int, out: IntArray
) -> tuple[int, bool]:
    """Write the columns of ``k`` requests of profit ``least`` or more, or only the best.

    Depth first, the largest request first.

    Parameters
    ----------
    enough : int
        If it is at least ``least``, only the best column is sought, and the search ends at one of
        profit ``enough``; otherwise all are.
    most_work : int
        Limit on the requests that are tried.
    out : int64[., k]
        Filled with ascending indices of sizes.

    Returns
    -------
    count : int
        How many were written.
    complete : bool
        Whether the search was exhaustive: neither ``out`` nor the limit ended it.
    """
    sizes, profits, supply, unit = knapsack.sizes, knapsack.profits, knapsack.supply, knapsack.unit
    k = out.shape[1]
    best = enough >= least
    chosen = np.full(k + 1, last_between(sizes, knapsack.room, -1, sizes.size))
    rest, wanted = np.full(k + 1, knapsack.room), np.full(k + 1, least)
    column = np.empty(k, np.int64)
    count = work = depth = 0
    while depth >= 0:
        ahead = k - 1 - depth
        last, run = chosen[depth - 1] + 1 if depth > 0 else sizes.size, 0
        while run < depth and chosen[depth - 1 - run] == last - 1:
            run += 1
        short = knapsack.singles if ahead == 1 else knapsack.pairs
        rooms, below, shift = short.rooms, short.below, short.shift
        listed = 0 < ahead <= 2 and rooms.size > 0
        most = short.value if listed else knapsack.table[ahead]
        # Try the next smaller size for the request at this depth.
        j = chosen[depth]
        surplus = -1
        while j >= 0:
            if supply[j] > (run if j == last else 0):
                left = rest[depth] - sizes[j]
                place = place_within(rooms, below, shift, left) if listed else left // unit
                if place >= 0:
                    surplus = profits[j] + most[place] - wanted[depth]
                    if surplus >= 0:
                        break
            j -= 1
            work += 1
        work += 1
        if work > most_work:
            return count, False
        if j < 0:
            depth -= 1
            continue
        # The next smaller one stands there, for when the search comes back.
        chosen[depth] = j - 1
        found = ahead == 0
        if found or (best and listed):
            for e in range(depth + 1):
                column[e] = chosen[e] + 1
            if listed:
                # The front names the requests behind its bound, which may be a column.
                column[depth + 1], column[k - 1] = short.first[place], short.second[place]
            sort_in_place(column)
            found = found or fits(column, k, supply)
        if found and best:
            count = 1
            copy_into(out[0], column)
            least += surplus + 1
            wanted += surplus + 1
            if least > enough:
                return count, True
        elif found:
            if count == out.shape[0]:
                return count, False
            copy_into(out[count], column)
            count += 1
        else:
            rest[depth + 1] = rest[depth] - sizes[j]
            wanted[depth + 1] = wanted[depth] - profits[j]
            depth += 1
            chosen[depth] = last_between(sizes, rest[depth], -1, j + 1)
    return count, True


@compiled
def _profit(profits: IntArray, column: IntArray) -> int:
    """Profit of a column."""
    result = 0
    for j in column:
        result += profits[j]
    return result


@compiled
def best_column(knapsack: Knapsack, most: int, patience: int, out: IntArray) -> int:
    """Search for the best feasible column, where the table gives one that fits only as rounded.

    Parameters
    ----------
    most : int
        Upper bound of the profit; columns beyond it count as if they had just this.
    patience : int
        Limit on the requests that are tried; as many again are for a weaker bound.
    out : int64[1, k]
        Replaced by the best column found, if any.

    Returns
    -------
    int
        A proved lower bound, at least 0, of the loss of every column against ``most``.
    """
    profits = knapsack.profits
    least = most - _LOST
    if out.shape[1] > 3:
        # A sampled column gives the search a good incumbent at once.
        drawn = np.empty((_DRAWS, out.shape[1]), np.int64)
        loss, count = knapsack.unit * SCALE // 256, 0
        while loss < _LOST and count == 0:
            count = sample_columns(knapsack, most - loss, drawn)
            loss *= 4
        for i in range(count):
            profit = _profit(profits, drawn[i])
            if profit >= least:
                least = profit + 1
                copy_into(out[0], drawn[i])
        if least > most:
            return 0
    count, complete = enumerate_columns(knapsack, least, most, patience, out)
    if count > 0:
        least = _profit(profits, out[0]) + 1
    loss = most + 1 - least
    while loss > 0 and not complete:
        loss //= 4
        patience //= 2
        count, complete = enumerate_columns(knapsack, most - loss + 1, most, patience, out)
        complete = complete and count == 0
    return max(0, int(loss))


@compiled
def sample_columns(knapsack: Knapsack, least: int, out: IntArray) -> int:
    """Write some columns of profit ``least`` or more, drawn at random; their number."""
    sizes, profits, supply, unit = knapsack.sizes, knapsack.profits, knapsack.supply, knapsack.unit
    k = out.shape[1]
    state = np.ones(1, np.uint64)
    trial = np.empty(k, np.int64)
    count = 0
    for _ in range(out.shape[0]):
        rest, wanted, chosen = knapsack.room, least, 0
        while chosen < k:
            ahead = k - 1 - chosen
            short = knapsack.singles if ahead == 1 else knapsack.pairs
            rooms, below, shift = short.rooms, short.below, short.shift
            listed = 0 < ahead <= 2 and rooms.size > 0
            most = short.value if listed else knapsack.table[ahead]
            fitting = last_between(sizes, rest, -1, sizes.size) + 1
            tries = _TRIES if fitting > 0 else 0
            while tries > 0:
                j = draw(state, fitting)
                left = rest - sizes[j]
                place = place_within(rooms, below, shift, left) if listed else left // unit
                near = place >= 0 and profits[j] + most[place] >= wanted
                if near and supply[j] > count_of(trial[:chosen], j):
                    break
                tries -= 1
            if tries == 0:
                break
            trial[chosen] = j
            chosen += 1
            rest -= sizes[j]
            wanted -= profits[j]
            if listed:
                trial[chosen], trial[k - 1] = short.first[place], short.second[place]
                chosen = k
        if chosen == k:
            copy_into(out[count], trial)
            sort_in_place(out[count])
            count += fits(out[count], k, supply)
    return count
