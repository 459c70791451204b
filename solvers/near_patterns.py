"""Patterns near the best: all that lose little against it, or some of them drawn at random.

The table of the best (:func:`solvers.patterns.knapsack`) bounds what the requests that are still to
be chosen can bring, so that a search for them rarely has to turn back.
"""

from typing import NamedTuple

import numpy as np

from solvers.compiled import compiled
from solvers.draws import draw
from solvers.patterns import SCALE
from theory.model import IntArray

# Requests looked at in vain, after which the search for the best pattern that fits gives up.
_PATIENCE = 2**16

# How often it is narrowed down, and a loss beyond which no pattern matters.
_TRIES = 40
_LOST = 2**55


class Choice(NamedTuple):
    """What a worker can choose from.

    Parameters
    ----------
    sizes, profits, supply : int64[m]
        Sizes in ascending order, what a request of each brings, and how many there are.
    table, unit
        As :func:`solvers.patterns.knapsack` filled it, with sizes in multiples of the unit.
    room : int
        Most that the requests may have in total.
    """

    sizes: IntArray
    profits: IntArray
    supply: IntArray
    table: IntArray
    unit: int
    room: int


@compiled
def near_patterns(choice: Choice, least: int, most_work: int, out: IntArray) -> tuple[int, bool]:
    """Write the patterns of ``k`` requests that bring ``least`` or more.

    Depth first, the largest request first; the table bounds what the others can bring.

    Parameters
    ----------
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
    sizes, profits, supply, table, unit, room = choice
    k = out.shape[1]
    chosen = np.full(k + 1, sizes.size - 1)
    rest = np.full(k + 1, room)
    wanted = np.full(k + 1, least)
    count = work = depth = 0
    while depth >= 0:
        # Try the next smaller size for the request at this depth.
        j = chosen[depth]
        while j >= 0:
            left = rest[depth] - sizes[j]
            run = 0
            while run < depth and chosen[depth - 1 - run] == j - 1:
                run += 1
            if (
                left >= 0
                and supply[j] > run
                and profits[j] + table[k - 1 - depth, left // unit] >= wanted[depth]
            ):
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
        if depth == k - 1:
            if count == out.shape[0]:
                return count, False
            for d in range(k):
                out[count, k - 1 - d] = chosen[d] + 1
            count += 1
        else:
            rest[depth + 1] = rest[depth] - sizes[j]
            wanted[depth + 1] = wanted[depth] - profits[j]
            depth += 1
            chosen[depth] = j
    return count, True


@compiled
def best_fitting(choice: Choice, most: int, out: IntArray) -> int:
    """Narrow down the best pattern that fits, where the best of the table may fit only as rounded.

    Parameters
    ----------
    most : int
        Patterns that bring more count as this.
    out : int64[1, k]
        Replaced by the best pattern that was found, if any.

    Returns
    -------
    int
        What every pattern loses against ``most`` at least.
    """
    trial = np.empty_like(out)
    none_below, loss = 0, choice.unit * SCALE // 256
    seen = False
    for _ in range(_TRIES):
        count, complete = near_patterns(choice, most - loss, _PATIENCE, trial)
        if count == 0 and not complete:
            break
        if count == 0:
            none_below = loss + 1
        else:
            seen = True
            out[:] = trial
            found = most
            for j in trial[0]:
                found -= choice.profits[j]
        if not seen:
            if loss > _LOST:
                break
            loss = 4 * loss
        elif found <= none_below:
            break
        else:
            loss = (none_below + found) >> 1
    return int(none_below)


@compiled
def draw_patterns(choice: Choice, least: int, out: IntArray) -> int:
    """Write some of the patterns of :func:`near_patterns`, drawn at random; their number."""
    sizes, profits, supply, table, unit, room = choice
    k = out.shape[1]
    candidate = np.empty(sizes.size, np.int64)
    state = np.ones(1, np.uint64)
    count = 0
    for _ in range(out.shape[0]):
        rest, wanted, last, run = room, least, sizes.size - 1, 0
        for depth in range(k):
            number = 0
            for j in range(last + 1):
                left = rest - sizes[j]
                if (
                    left >= 0
                    and supply[j] > (run if j == last else 0)
                    and profits[j] + table[k - 1 - depth, left // unit] >= wanted
                ):
                    candidate[number] = j
                    number += 1
            if number == 0:
                break
            j = candidate[draw(state, number)]
            run = run + 1 if j == last else 1
            out[count, k - 1 - depth] = last = j
            rest -= sizes[j]
            wanted -= profits[j]
            count += depth == k - 1
    return count
