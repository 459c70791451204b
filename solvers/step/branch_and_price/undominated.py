"""The best column of each worker where sizes are many: exactly, and without a table of choices.

At integer prices a request brings its profit, ``size * SCALE - price``.  It is in no best column of
``c`` requests that another lacks if ``c`` others are no larger and bring no less: where good prices
make the profit flat in the size, as they do wherever requests run out, few sizes are left.

A column of two takes one pass over the sizes.  Longer ones are sought depth first, the largest
request first, the last two in one pass; a table of rounded rooms, in which a request may occur more
often than it waits, bounds what the others bring, and so do their sizes, since no request brings
more than its size.

Dominance between items of a knapsack: (Kellerer et al. 2004).
"""

import numpy as np

from solvers.arrays import copy_into, count_of, max_of, sort_in_place
from solvers.compiled import compiled
from solvers.step.branch_and_price.columns import NO_COLUMN, SCALE
from solvers.step.sorted_sizes import last_between
from theory.model import IntArray

# Entries of a row of the table.
_CELLS = 2**12


@compiled
def undominated(profits: IntArray, supply: IntArray, c: int) -> IntArray:
    """Indices of the sizes, in ascending order, that a best column of ``c`` requests may need."""
    # The largest profits so far, ascending.
    most = np.full(c, NO_COLUMN, np.int64)
    kept = np.empty(profits.size, np.int64)
    n = 0
    for j in range(profits.size):
        if supply[j] == 0 or profits[j] <= most[0]:
            continue
        kept[n] = j
        n += 1
        for _ in range(min(c, supply[j])):
            k = 0
            while k + 1 < c and most[k + 1] < profits[j]:
                most[k] = most[k + 1]
                k += 1
            most[k] = max(most[k], profits[j])
    return kept[:n]


@compiled
def _two_best(profits: IntArray, supply: IntArray) -> tuple[IntArray, IntArray]:
    """The two requests of largest profit among the sizes up to each, or -1."""
    first, second = np.empty(profits.size, np.int64), np.empty(profits.size, np.int64)
    a = b = -1
    for j in range(profits.size):
        if supply[j] > 0:
            if a < 0 or profits[j] >= profits[a]:
                a, b = j, (j if supply[j] > 1 else a)
            elif b < 0 or profits[j] > profits[b]:
                b = j
        first[j], second[j] = a, b
    return first, second


@compiled
def _best_pair(
    sizes: IntArray,
    profits: IntArray,
    left: IntArray,
    best: tuple[IntArray, IntArray],
    room: int,
    last: int,
    enough: int,
) -> tuple[int, int, int]:
    """Profit and indices, ascending, of the best pair of sizes up to the ``last``-th that fits.

    ``best`` is as :func:`_two_best` gives it, for a supply of no less than is ``left``; a pair of
    profit ``enough`` ends the search, that of the least difference if there are several.
    """
    first, second = best
    most, one, two = NO_COLUMN, -1, -1
    end = sizes.size
    for a in range(last + 1):
        while end > 0 and sizes[a] + sizes[end - 1] > room:
            end -= 1
        if end == 0:
            break
        if left[a] == 0:
            continue
        b = first[min(end - 1, a)]
        if b >= 0 and left[b] <= (b == a):
            b = second[min(end - 1, a)]
            if b >= 0 and left[b] <= (b == a):
                b = -1
                for j in range(min(end - 1, a), -1, -1):
                    if left[j] > (j == a) and (b < 0 or profits[j] > profits[b]):
                        b = j
        if b >= 0 and profits[a] + profits[b] > most:
            most, one, two = profits[a] + profits[b], b, a
            if most >= enough:
                break
    return most, one, two


@compiled
def _table(
    sizes: IntArray, profits: IntArray, first: IntArray, slots: int, unit: int, cells: int
) -> IntArray:
    """``table[k, h]`` bounds the profit of ``k`` requests of total size below ``(h + 1) * unit``.

    Of the undominated sizes for columns of ``slots``; ``first`` is as :func:`_two_best` gives it.
    """
    table = np.full((slots + 1, cells), NO_COLUMN, np.int64)
    table[0] = 0
    end = 0
    for h in range(cells):
        while end < sizes.size and sizes[end] < (h + 1) * unit:
            end += 1
        if end > 0:
            table[1, h] = profits[first[end - 1]]
    weight, profit = np.empty(sizes.size, np.int64), np.empty(sizes.size, np.int64)
    n = 0
    for j in range(sizes.size):
        # Of one weight the best stands for all.
        if n == 0 or sizes[j] // unit > weight[n - 1]:
            weight[n], profit[n] = sizes[j] // unit, profits[j]
            n += 1
        else:
            profit[n - 1] = max(profit[n - 1], profits[j])
    for k in range(2, slots + 1):
        for i in range(n):
            if weight[i] < cells:
                without, here, gain = table[k - 1, : cells - weight[i]], table[k, weight[i] :], 0
                for h in range(without.size):
                    gain = without[h] + profit[i]
                    here[h] = gain if gain > here[h] else here[h]
    return table


@compiled
def _best_column(
    sizes: IntArray,
    profits: IntArray,
    supply: IntArray,
    best: tuple[IntArray, IntArray],
    table: IntArray,
    unit: int,
    room: int,
    patience: int,
    out: IntArray,
) -> int:
    """Write the best column of ``out.size`` requests within the room; an upper bound of its profit.

    The bound is that profit unless ``patience`` ran out, and ``NO_COLUMN`` where no column fits.
    """
    c, m = out.size, sizes.size
    # The least total size of so many requests.
    least = np.zeros(c + 1, np.int64)
    j = used = 0
    for k in range(1, c + 1):
        while j < m and used == supply[j]:
            j += 1
            used = 0
        if j == m:
            return NO_COLUMN
        least[k] = least[k - 1] + sizes[j]
        used += 1
    if least[c] > room:
        return NO_COLUMN
    if c == 1:
        out[0] = best[0][last_between(sizes, room, -1, m)]
        return int(profits[out[0]])
    if c == 2:
        most, one, two = _best_pair(sizes, profits, supply, best, room, m - 1, room * SCALE)
        out[0], out[1] = one, two
        return int(most)
    bound = min(room * SCALE, table[c, room // unit])
    if bound < NO_COLUMN // 2:
        return NO_COLUMN
    found = NO_COLUMN
    left = supply.copy()
    chosen, upto = np.empty(c, np.int64), np.full(c, m - 1)
    rest, gained = np.full(c, room), np.zeros(c, np.int64)
    depth = work = 0
    # First down to the pair by the best bound each time, then exhaustively.
    diving = True
    while depth >= 0 and found < bound:
        ahead = c - 1 - depth
        pick, best_here = -1, found
        for j in range(upto[depth], -1, -1):
            r = rest[depth] - sizes[j]
            if left[j] > 0 and r >= least[ahead]:
                others = min(table[ahead, r // unit], r * SCALE, ahead * profits[best[0][j]])
                value = gained[depth] + profits[j] + others
                if value > best_here:
                    pick = j
                    if not diving:
                        break
                    best_here = value
            work += 1
        work += 1
        if work > patience and not diving:
            return int(bound)
        if pick < 0 and diving:
            # A dead end.
            diving = False
            for k in range(depth):
                left[chosen[k]] += 1
            depth, upto[0] = 0, m - 1
            continue
        if pick < 0:
            depth -= 1
            if depth >= 0:
                left[chosen[depth]] += 1
            continue
        chosen[depth] = pick
        upto[depth] = pick - 1
        left[pick] -= 1
        r, gain = rest[depth] - sizes[pick], gained[depth] + profits[pick]
        if ahead > 2:
            depth += 1
            rest[depth], gained[depth], upto[depth] = r, gain, pick
            continue
        profit, one, two = _best_pair(sizes, profits, left, best, r, pick, bound - gain)
        work += pick // 2
        left[pick] += 1
        if one >= 0 and gain + profit > found:
            found = gain + profit
            copy_into(out[: c - 2], chosen[: c - 2])
            out[c - 2], out[c - 1] = one, two
        if diving:
            diving = False
            for k in range(depth):
                left[chosen[k]] += 1
            depth, upto[0] = 0, m - 1
    return int(min(found, bound))


@compiled
def _enlarge(
    sizes: IntArray, profits: IntArray, supply: IntArray, room: int, column: IntArray
) -> None:
    """Replace requests by larger ones that bring as much, where they fit; ascending in the end.

    What is slack anyway is no use to others, so a column leaves them the small requests.
    """
    sort_in_place(column)
    rest = room
    for j in column:
        rest -= sizes[j]
    for e in range(column.size - 1, -1, -1):
        j = column[e]
        k = last_between(sizes, sizes[j] + rest, -1, sizes.size)
        while k > j and (profits[k] < profits[j] or supply[k] <= count_of(column, k)):
            k -= 1
        rest -= sizes[k] - sizes[j]
        column[e] = k
    sort_in_place(column)


@compiled
def best_columns(
    sizes: IntArray,
    supply: IntArray,
    prices: IntArray,
    free: IntArray,
    room: IntArray,
    patience: int,
    out: IntArray,
) -> IntArray:
    """The best column of each worker, and an upper bound of its profit.

    Parameters
    ----------
    sizes, supply : int64[m]
        Distinct sizes, ascending, and the number of requests of each.
    prices : int64[m]
        In units of ``1 / SCALE``, between 0 and the size.
    free, room : int64[w]
        Free slots of each worker, at least 1, and the largest total size of its requests.
    patience : int
        Limit on the requests that are tried for a column of three or more.
    out : int64[w, .]
        Filled with ascending indices of sizes, ``free`` in each row; the first is -1 where none was
        found.

    Returns
    -------
    int64[w]
        ``NO_COLUMN`` where no column fits.
    """
    profits = np.empty(sizes.size, np.int64)
    for j in range(sizes.size):
        profits[j] = sizes[j] * SCALE - prices[j]
    bound = np.full(free.size, NO_COLUMN)
    for g in range(free.size):
        out[g, 0] = -1
    slots, farthest = max_of(free), max_of(room)
    unit = max(0, farthest) // _CELLS + 1
    kept = undominated(profits, supply, slots)
    table = np.empty((0, 0), np.int64)
    if slots > 2:
        first, _ = _two_best(profits[kept], supply[kept])
        table = _table(sizes[kept], profits[kept], first, slots, unit, _CELLS)
    for c in range(1, slots + 1):
        kept = undominated(profits, supply, c)
        few, profit, number = sizes[kept], profits[kept], supply[kept]
        best = _two_best(profit, number)
        for g in range(free.size):
            if free[g] != c:
                continue
            column = np.full(c, -1)
            if room[g] >= 0:
                bound[g] = _best_column(
                    few, profit, number, best, table, unit, room[g], patience, column
                )
            if column[0] >= 0:
                for e in range(c):
                    out[g, e] = kept[column[e]]
                _enlarge(sizes, profits, supply, room[g], out[g, :c])
    return bound
