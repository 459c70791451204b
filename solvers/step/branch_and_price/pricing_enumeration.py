"""Patterns near the best: all that lose little against it, some drawn at random, or the best.

The table of the best (:func:`solvers.step.branch_and_price.columns.knapsack`) and the lists of the
best single requests and pairs (:mod:`solvers.step.branch_and_price.pricing_pairs`) bound what the
requests that are still to be chosen can bring.  The lists are exact, so a search seldom goes wrong
once two requests are left to choose.
"""

from typing import NamedTuple

import numpy as np

from solvers.compiled import compiled
from solvers.step.branch_and_price.columns import SCALE, fits
from solvers.step.branch_and_price.pricing_pairs import BestShort, place_within
from solvers.step.rng import draw
from solvers.step.sorted_sizes import last_between
from theory.model import IntArray

# Patterns drawn before each search.
_DRAWS = 64

# How often a request is drawn until one is near the best.
_TRIES = 16

# A loss beyond which no pattern matters.
_LOST = 2**55


class Choice(NamedTuple):
    """What a worker can choose from.

    Parameters
    ----------
    sizes, profits, supply : int64[m]
        Sizes in ascending order, what a request of each brings, and how many there are.
    table, unit
        As :func:`solvers.step.branch_and_price.columns.knapsack` filled it, with sizes in multiples
        of the unit.
    singles, pairs : BestShort
        The best of those, exactly; empty where they are not listed.
    room : int
        Most that the requests may have in total.
    """

    sizes: IntArray
    profits: IntArray
    supply: IntArray
    table: IntArray
    unit: int
    singles: BestShort
    pairs: BestShort
    room: int


@compiled
def near_patterns(
    choice: Choice, least: int, enough: int, most_work: int, out: IntArray
) -> tuple[int, bool]:
    """Write the patterns of ``k`` requests that bring ``least`` or more, or the best of them.

    Depth first, the largest request first; lists and table bound what the others can bring.

    Parameters
    ----------
    enough : int
        If it is ``least`` or more, only the best is wanted, and one that brings so much is enough.
    most_work : int
        It stops after looking at so many requests in vain.
    out : int64[., k]
        Filled with ascending indices of sizes.

    Returns
    -------
    count : int
        How many were written.
    complete : bool
        Whether that is all: it stops where there is no place for more, or it takes too long.
    """
    sizes, profits, supply, unit = choice.sizes, choice.profits, choice.supply, choice.unit
    k = out.shape[1]
    best = enough >= least
    chosen = np.full(k + 1, last_between(sizes, choice.room, -1, sizes.size))
    rest, wanted = np.full(k + 1, choice.room), np.full(k + 1, least)
    trial = np.empty(k, np.int64)
    count = work = depth = 0
    while depth >= 0:
        ahead = k - 1 - depth
        last, run = chosen[depth - 1] + 1, 0
        while run < depth and chosen[depth - 1 - run] == last - 1:
            run += 1
        short = choice.singles if ahead == 1 else choice.pairs
        rooms, below, shift = short.rooms, short.below, short.shift
        listed = 0 < ahead <= 2 and rooms.size > 0
        most = short.value if listed else choice.table[ahead]
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
        if work > most_work:
            return count, False
        if j < 0:
            depth -= 1
            continue
        # The next smaller one stands there, for when the search comes back.
        chosen[depth] = j - 1
        found = ahead == 0
        if found or (best and listed):
            trial[: depth + 1] = chosen[: depth + 1] + 1
            if listed:
                # A list does not only say what the others can bring, but who they are.
                trial[depth + 1], trial[k - 1] = short.first[place], short.second[place]
            pattern = np.sort(trial)
            found = found or fits(pattern, k, supply)
        if found and best:
            count, out[0] = 1, pattern
            least += surplus + 1
            wanted += surplus + 1
            if least > enough:
                return count, True
        elif found:
            if count == out.shape[0]:
                return count, False
            out[count] = pattern
            count += 1
        else:
            rest[depth + 1] = rest[depth] - sizes[j]
            wanted[depth + 1] = wanted[depth] - profits[j]
            depth += 1
            chosen[depth] = last_between(sizes, rest[depth], -1, j + 1)
    return count, True


@compiled
def best_fitting(choice: Choice, most: int, patience: int, out: IntArray) -> int:
    """Narrow down the best pattern that fits, where the best of the table may fit only as rounded.

    Parameters
    ----------
    most : int
        Patterns that bring more count as this.
    patience : int
        Requests looked at in vain, after which the search gives up.
    out : int64[1, k]
        Replaced by the best pattern that was found, if any.

    Returns
    -------
    int
        What every pattern loses against ``most`` at least.
    """
    profits = choice.profits
    least = most - _LOST
    if out.shape[1] > 3:
        # Where many fit well the search may have to go a long way to one; a draw finds one soon.
        drawn = np.empty((_DRAWS, out.shape[1]), np.int64)
        loss, count = choice.unit * SCALE // 256, 0
        while loss < _LOST and count == 0:
            count = draw_patterns(choice, most - loss, drawn)
            loss *= 4
        for i in range(count):
            profit = np.sum(profits[drawn[i]])
            if profit >= least:
                least, out[0] = profit + 1, drawn[i]
        if least > most:
            return 0
    count, complete = near_patterns(choice, least, most, patience, out)
    if count > 0:
        least = np.sum(profits[out[0]]) + 1
    loss = most + 1 - least
    while loss > 0 and not complete:
        loss //= 4
        count, complete = near_patterns(choice, most - loss + 1, most, patience // 4, out)
        complete = complete and count == 0
    return max(0, int(loss))


@compiled
def draw_patterns(choice: Choice, least: int, out: IntArray) -> int:
    """Write some of the patterns of :func:`near_patterns`, drawn at random; their number."""
    sizes, profits, supply, unit = choice.sizes, choice.profits, choice.supply, choice.unit
    k = out.shape[1]
    state = np.ones(1, np.uint64)
    trial = np.empty(k, np.int64)
    count = 0
    for _ in range(out.shape[0]):
        rest, wanted, chosen = choice.room, least, 0
        while chosen < k:
            ahead = k - 1 - chosen
            short = choice.singles if ahead == 1 else choice.pairs
            rooms, below, shift = short.rooms, short.below, short.shift
            listed = 0 < ahead <= 2 and rooms.size > 0
            most = short.value if listed else choice.table[ahead]
            fitting = last_between(sizes, rest, -1, sizes.size) + 1
            tries = _TRIES if fitting > 0 else 0
            while tries > 0:
                j = draw(state, fitting)
                left = rest - sizes[j]
                place = place_within(rooms, below, shift, left) if listed else left // unit
                near = place >= 0 and profits[j] + most[place] >= wanted
                if near and supply[j] > np.sum(trial[:chosen] == j):
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
            out[count] = np.sort(trial)
            count += fits(out[count], k, supply)
    return count
