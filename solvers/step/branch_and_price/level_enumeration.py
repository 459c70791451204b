"""Depth-first search of one level over the columns of the workers that have few.

At a level ``M`` the slacks of an assignment better than a known one sum to less than its imbalance,
so a worker with few slots has few columns to choose from.  The search branches on the columns of
the workers with two to five slots; single slots are matched greedily, which is optimal for their
nested caps.  A worker with many columns counts with its least known slack until the others have
chosen; then it is filled at random, the last two requests exactly.  If that leaves too much slack
the level stays open, with a bound that is exact.
"""

from typing import NamedTuple

import numpy as np

from solvers.compiled import compiled
from solvers.step.bounds.relaxation import IMPOSSIBLE
from solvers.step.branch_and_price.columns import fits
from solvers.step.branch_and_price.pricing_pairs import ShortColumns, short_columns
from solvers.step.rng import State, draw
from solvers.step.sorted_sizes import last_between
from theory.model import IntArray

# Stands for all columns of more slack than those that are listed.
UNKNOWN = -1


class Sizes(NamedTuple):
    """The distinct sizes of a pool.

    Parameters
    ----------
    values, supply : int64[d]
        Distinct sizes in ascending order, and how often each waits.
    pairs : ShortColumns
        All pairs of requests.
    """

    values: IntArray
    supply: IntArray
    pairs: ShortColumns


def sizes_of(pool: IntArray) -> Sizes:
    """The distinct sizes of a pool and their pairs."""
    values, supply = np.unique(pool, return_counts=True)
    return Sizes(values, supply, short_columns(values, supply, 2, 2 * int(values[-1])))


class Step(NamedTuple):
    """A step in which every slot is filled.

    Parameters
    ----------
    loads : int64[G]
        Loads before admission.
    start : int64[G + 1]
        Place of each worker's first slot in a plan; the last entry is the number of slots.
    by_load, singles : int64
        All workers, and those with a single slot, in ascending order of load.
    sizes : Sizes
        The pool.
    """

    loads: IntArray
    start: IntArray
    by_load: IntArray
    singles: IntArray
    sizes: Sizes


class Lists(NamedTuple):
    """Working memory for the columns of each worker.

    Parameters
    ----------
    columns : int64[G, room, 5]
        Ascending indices of sizes.
    slack : int64[G, room]
        The slack that each leaves.
    """

    columns: IntArray
    slack: IntArray


@compiled
def _move(left: IntArray, column: IntArray, c: int, number: int) -> None:
    """Take the requests of a column (-1) or put them back (1)."""
    if column[0] != UNKNOWN:
        for e in range(c):
            left[column[e]] += number


@compiled
def last_entry_at_most(values: IntArray, value: int) -> int:
    """Place of the last entry ``<= value`` of an ascending array, or -1."""
    return last_between(values, value, -1, values.size)


@compiled
def _columns(
    c: int, least: int, most: int, sizes: Sizes, out: IntArray, slack: IntArray, budget: int
) -> tuple[int, int]:
    """Write the columns of two to five requests with a sum in ``least..most``, by ascending slack.

    Returns their number, or -1 if they do not fit ``out`` less one entry or exceed the budget, and
    the work done.
    """
    values, (sums, first, second) = sizes.values, sizes.pairs
    count = 0
    work = 0
    column = np.empty(5, np.int64)
    stop = 0
    for last in range(values.size if c % 2 else 1):
        # The largest of three or five; the others are a pair, or two pairs in ascending order.
        part = 0
        if c % 2:
            column[c - 1] = last
            part = values[last]
        for a in range(sums.size if c > 3 else 1):
            if a == 0:
                stop = last_entry_at_most(sums, most - part)
            rest = most - part
            if c > 3:
                rest -= sums[a]
                if rest < sums[a]:
                    break
                column[0], column[1] = first[a], second[a]
                while stop >= 0 and sums[stop] > rest:
                    stop -= 1
            work += 1
            b = stop
            while b >= 0 and sums[b] >= rest - (most - least):
                work += 1
                if c < 4:
                    column[0], column[1] = first[b], second[b]
                    possible = c == 2 or second[b] <= last
                else:
                    column[2], column[3] = first[b], second[b]
                    possible = second[a] <= first[b] and (c == 4 or second[b] <= last)
                if possible and fits(column, c, sizes.supply):
                    if count + 1 == slack.size:
                        return -1, work
                    for e in range(5):
                        out[count, e] = column[e]
                    slack[count] = rest - sums[b]
                    count += 1
                b -= 1
            if work >= budget:
                return -1, work
    # Shell sort by slack.
    gap = count // 2
    if c == 2:
        gap = 0
    while gap > 0:
        for k in range(gap, count):
            j = k
            while j >= gap and slack[j - gap] > slack[j]:
                slack[j - gap], slack[j] = slack[j], slack[j - gap]
                for e in range(5):
                    out[j - gap, e], out[j, e] = out[j, e], out[j - gap, e]
                j -= gap
        gap //= 2
    return count, work


@compiled
def singles_slack(step: Step, level: int, left: IntArray) -> int:
    """Least slack of the workers with a single slot, or :data:`IMPOSSIBLE`.

    Each takes the largest request left that fits, which is optimal as the caps descend.
    """
    values = step.sizes.values
    total = 0
    t = values.size
    used = 0
    for g in step.singles:
        room = level - step.loads[g]
        if t == values.size or values[t] > room:
            t = last_entry_at_most(values, room)
            used = 0
        while t >= 0 and left[t] <= used:
            t -= 1
            used = 0
        if t < 0:
            return IMPOSSIBLE
        used += 1
        total += room - values[t]
    return total


@compiled
def _fill(
    values: IntArray, left: IntArray, room: int, tries: int, out: IntArray, state: State
) -> int:
    """Fill at least two slots below ``room``: all but two at random, the last two best.

    The requests are taken from ``left`` and written into ``out``.  Returns the slack, or
    :data:`IMPOSSIBLE` if no try came below the room.
    """
    c = out.size
    best = IMPOSSIBLE
    trial = np.empty(c, np.int64)
    for _ in range(tries if c > 2 else 1):
        rest = room
        count = 0
        for slot in range(c - 2):
            open_ = c - slot
            aim = int(rest / open_ * (draw(state, 256) / 128))
            i = last_entry_at_most(values, min(aim, rest - (open_ - 1) * values[0]))
            while i >= 0 and left[i] == 0:
                i -= 1
            if i < 0:
                i = 0
                while i < values.size and left[i] == 0:
                    i += 1
                if i == values.size:
                    break
            left[i] -= 1
            rest -= values[i]
            trial[slot] = i
            count += 1
        if count == c - 2:
            low, high = 0, last_entry_at_most(values, rest)
            while low <= high and best > 0:
                pair = values[low] + values[high]
                if left[low] == 0 or (low == high and left[low] < 2):
                    low += 1
                elif left[high] == 0 or pair > rest:
                    high -= 1
                else:
                    if rest - pair < best:
                        best = rest - pair
                        trial[c - 2], trial[c - 1] = low, high
                        for e in range(c):
                            out[e] = trial[e]
                    low += 1
        for slot in range(count):
            left[trial[slot]] += 1
        if best == 0:
            break
    if best < IMPOSSIBLE:
        for i in out:
            left[i] -= 1
    return best


@compiled
def _complete(
    step: Step,
    level: int,
    most: int,
    many: IntArray,
    left: IntArray,
    tries: int,
    state: State,
    plan: IntArray,
) -> int:
    """Fill the single slots and the workers ``many`` from ``left``.

    Returns their total slack, or :data:`~solvers.step.bounds.relaxation.IMPOSSIBLE` if it exceeds
    ``most``.
    """
    loads, start, values = step.loads, step.start, step.sizes.values
    total = 0
    for g in step.singles:
        i = last_entry_at_most(values, level - loads[g])
        while i >= 0 and left[i] == 0:
            i -= 1
        if i < 0:
            return IMPOSSIBLE
        left[i] -= 1
        plan[start[g]] = i
        total += level - loads[g] - values[i]
    for g in many:
        out = plan[start[g] : start[g + 1]]
        total += _fill(values, left, level - loads[g], tries, out, state)
        if total > most:
            return IMPOSSIBLE
    return total


@compiled
def _list_columns(
    step: Step,
    level: int,
    below: int,
    widest: int,
    budget: int,
    lists: Lists,
    few: IntArray,
    number: IntArray,
    many: IntArray,
) -> tuple[int, int, int, int]:
    """List the columns of the workers with two slots or more that an improvement can use.

    Parameters
    ----------
    level : int
        The largest load.
    below : int
        Exclusive upper bound of the sum of their slacks.
    widest, budget : int
        The columns of workers with more slots are not listed, nor those of a worker that takes more
        than a quarter of the budget.
    lists, few, number, many
        Filled: the workers ``few`` have ``number`` columns in ``lists``; those of ``many`` are not
        listed.

    Returns
    -------
    few, many : int
        Number of workers of each kind; -1 if the sum cannot be below.
    lost : int
        Lower bound of the slack of the workers ``many``.
    work : int
    """
    loads, start, columns, slack = step.loads, step.start, lists.columns, lists.slack
    G = loads.size
    f = m = lost = work = certain = 0
    least = np.zeros(G, np.int64)
    most_slots = 0
    for g in range(G):
        most_slots = max(most_slots, start[g + 1] - start[g])
    # First the least slack of each worker, then its columns of slack below what the others leave.
    for listing in range(2):
        for c in range(2, most_slots + 1):
            for g in step.by_load:
                if start[g + 1] - start[g] != c:
                    continue
                most = level - loads[g]
                width = below - 1 - certain + least[g]
                shift = 0 if listing else 12
                count = -1
                while c <= widest:
                    least_sum = most - (width >> shift)
                    limit = (budget - work) >> 2
                    count, done = _columns(
                        c, least_sum, most, step.sizes, columns[f], slack[f], limit
                    )
                    work += done
                    if listing and count < 0 and done < limit and width >> shift > least[g]:
                        shift += 1
                    elif not listing and count == 0 and shift > 0:
                        shift -= 4
                    else:
                        break
                if count == 0 and shift == 0:
                    return -1, m, lost, work
                if not listing:
                    if count > 0:
                        least[g] = slack[f, 0]
                        certain += least[g]
                        if certain >= below:
                            return -1, m, lost, work
                elif count < 0:
                    many[m] = g
                    m += 1
                    lost += least[g]
                else:
                    if shift > 0:
                        columns[f, count, 0] = UNKNOWN
                        slack[f, count] = (width >> shift) + 1
                        count += 1
                    few[f] = g
                    number[f] = count
                    f += 1
    return f, m, lost, work


@compiled
def settle_level(
    step: Step,
    level: int,
    upper: int,
    effort: tuple[int, int, int],
    lists: Lists,
    state: State,
    best: IntArray,
) -> tuple[int, int, int]:
    """Search the assignments with largest load ``level`` for one better than ``upper``.

    Parameters
    ----------
    step, level, upper
        The step, the level, and an imbalance to beat.
    effort : (widest, tries, budget)
        Most slots of a worker whose columns are listed, random fillings of each other worker, and
        operations after which the search ends.
    lists : Lists
        Working memory.
    state : uint64[1]
        State of the random numbers.
    best : int64[slots]
        Replaced by the indices of the sizes in each slot, if an improvement is found.

    Returns
    -------
    upper : int
        The imbalance of ``best`` if that was replaced.
    bound : int
        No assignment with that largest load is below it.
    work : int
        Operations done.
    """
    loads, start, values = step.loads, step.start, step.sizes.values
    columns, slack = lists.columns, lists.slack
    widest, tries, budget = effort
    G = loads.size
    left = step.sizes.supply.copy()
    base = 0
    for g in range(G):
        if start[g] == start[g + 1]:
            base += level - loads[g]
    single = singles_slack(step, level, left)
    if single == IMPOSSIBLE or base + single >= upper:
        return upper, IMPOSSIBLE, G
    few, number, many = np.empty(G, np.int64), np.empty(G, np.int64), np.empty(G, np.int64)
    f, m, lost, work = _list_columns(
        step, level, upper - base - single, widest, budget, lists, few, number, many
    )
    if f < 0:
        return upper, IMPOSSIBLE, work + G
    budget += work
    # Branch on the workers in ascending number of columns.
    order = np.empty(f, np.int64)
    for w in range(f):
        order[w] = w
        k = w
        while k > 0 and number[order[k - 1]] > number[order[k]]:
            order[k - 1], order[k] = order[k], order[k - 1]
            k -= 1
    bound = IMPOSSIBLE
    spent = np.zeros(f + 1, np.int64)
    at = np.full(f + 1, -1, np.int64)
    trial = np.empty(start[G], np.int64)
    whole = np.empty_like(left)
    t = 0
    while t >= 0:
        good = True
        value = base + lost + single
        if t < f:
            u = order[t]
            c = start[few[u] + 1] - start[few[u]]
            if at[t] >= 0:
                _move(left, columns[u, at[t]], c, 1)
            at[t] += 1
            # Lower bound of all other slacks.
            others = base + lost + single + spent[t]
            for w in range(t + 1, f):
                others += slack[order[w], 0]
            while (
                at[t] < number[u]
                and columns[u, at[t], 0] != UNKNOWN
                and not fits(columns[u, at[t]], c, left)
            ):
                at[t] += 1
                work += 1
            over = work > budget and at[t] < number[u]
            if over:
                bound = min(bound, others)
            if over or at[t] == number[u] or others + slack[u, at[t]] >= upper:
                at[t] = -1
                t -= 1
                continue
            spent[t + 1] = spent[t] + slack[u, at[t]]
            _move(left, columns[u, at[t]], c, -1)
            # The same with the requests that are left.
            value = base + lost + spent[t + 1]
            for w in range(t + 1, f):
                v = order[w]
                c = start[few[v] + 1] - start[few[v]]
                k = 0
                while (
                    k < number[v]
                    and columns[v, k, 0] != UNKNOWN
                    and not fits(columns[v, k], c, left)
                ):
                    k += 1
                work += k
                value += slack[v, k] if k < number[v] else upper
                good = value < upper
                if not good:
                    break
            if good:
                alone = singles_slack(step, level, left)
                good = alone < IMPOSSIBLE and value + alone < upper
                value += alone
            work += f + step.singles.size
            if good and t + 1 < f:
                t += 1
                continue
        # A leaf: every worker with few columns has one.
        if good:
            for i in range(left.size):
                whole[i] = left[i]
            spare = base
            unknown = 0
            for w in range(f):
                g = few[order[w]]
                if columns[order[w], at[w], 0] == UNKNOWN:
                    many[m + unknown] = g
                    unknown += 1
                else:
                    spare += slack[order[w], at[w]]
                    for e in range(start[g + 1] - start[g]):
                        trial[start[g] + e] = columns[order[w], at[w], e]
            most = upper - 1 - spare
            fill = many[: m + unknown]
            total = _complete(step, level, most, fill, left, tries, state, trial)
            for i in range(left.size):
                left[i] = whole[i]
            work += tries * fill.size * values.size // 4
            if total < IMPOSSIBLE:
                upper = spare + total
                for i in range(trial.size):
                    best[i] = trial[i]
            if upper > value:
                bound = min(bound, value)
        if f == 0:
            break
    return upper, bound, work
