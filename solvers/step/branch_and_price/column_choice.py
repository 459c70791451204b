"""Depth-first search for one column of each worker, among lists of columns near their best.

Under prices ``y`` an assignment costs the Lagrangian bound, plus what each column's reduced cost is
above the least of its worker, plus the price of every request that nobody takes.  So an assignment
better than the incumbent has columns within the gap only, and where all of those are listed the
search decides the level.  It sets the workers or dear requests with the fewest columns first, and
drops columns that the rest of the gap does not allow.  Everything is an integer in units of
``1 / SCALE``.

Listing the columns within the gap and choosing among them: (Baldacci et al. 2008).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from solvers.compiled import compiled
from theory.model import IntArray

_NEVER = 2**62


class ColumnLists(NamedTuple):
    """Columns, worker by worker in ascending order of cost.

    Parameters
    ----------
    worker, cost : int64[N]
        Of each column the worker, counted from 0, and by how much its reduced cost is above the
        least of that worker.
    start, size : int64[N + 1], int64[.]
        Indices of the sizes of column ``c``, ascending: ``size[start[c] : start[c + 1]]``.
    """

    worker: IntArray
    cost: IntArray
    start: IntArray
    size: IntArray


def column_lists(lists: list[tuple[IntArray, IntArray]]) -> ColumnLists:
    """The lists of the workers in turn: columns as int64[count, k], and their costs."""
    order = [np.argsort(cost, kind="stable") for _, cost in lists]
    lengths = [np.full(cost.size, columns.shape[1]) for columns, cost in lists]
    return ColumnLists(
        np.repeat(np.arange(len(lists)), [cost.size for _, cost in lists]),
        np.concatenate([cost[o] for (_, cost), o in zip(lists, order, strict=True)]),
        np.cumsum(np.concatenate([[0], *lengths])),
        np.concatenate([columns[o].ravel() for (columns, _), o in zip(lists, order, strict=True)]),
    )


@compiled
def _fits(lists: ColumnLists, c: int, left: IntArray) -> bool:
    """Whether the requests of the column are left."""
    run = 0
    for e in range(lists.start[c], lists.start[c + 1]):
        again = e > lists.start[c] and lists.size[e] == lists.size[e - 1]
        run = run + 1 if again else 1
        if run > left[lists.size[e]]:
            return False
    return True


@compiled
def _take(lists: ColumnLists, c: int, left: IntArray, number: int) -> None:
    """Put the requests of a column back (1), or take them (-1)."""
    for e in range(lists.start[c], lists.start[c + 1]):
        left[lists.size[e]] += number


class Choice(NamedTuple):
    """Where the search stands; :func:`begin_choice` makes it, :func:`go_on_choosing` changes it.

    Parameters
    ----------
    at : int64[2]
        The number of choices made, -1 at the end, and the least cost found, at first ``gap + 1``.
    best : int64[workers]
        The column of each worker in the choice of that cost, if there is one.
    alive, number : int32[workers + 1, N], int64[workers + 1]
        The columns that are possible after each number of choices.
    spent : int64[workers + 1]
        Their costs.
    chosen, open : int64[workers], bool[workers]
        The columns chosen, and which workers have none.
    left : int64[m]
        Requests of each size that are left.
    """

    at: IntArray
    best: IntArray
    alive: NDArray[np.int32]
    number: IntArray
    spent: IntArray
    chosen: IntArray
    open: NDArray[np.bool_]
    left: IntArray


def begin_choice(lists: ColumnLists, workers: int, supply: IntArray, gap: int) -> Choice:
    """The search before its first choice.

    Parameters
    ----------
    lists : ColumnLists
        The columns of so many ``workers``.
    supply : int64[m]
        Requests of each size.
    gap : int
        Largest cost that counts.
    """
    n = lists.cost.size
    alive = np.empty((workers + 1, n), np.int32)
    alive[0] = np.arange(n)
    count = np.zeros(workers + 1, np.int64)
    count[0] = n
    return Choice(
        np.array([0, gap + 1]),
        np.zeros(workers, np.int64),
        alive,
        count,
        np.zeros(workers + 1, np.int64),
        np.zeros(workers, np.int64),
        np.ones(workers, np.bool_),
        supply.copy(),
    )


@compiled
def go_on_choosing(
    lists: ColumnLists, state: Choice, prices: IntArray, supply: IntArray, most_work: int
) -> bool:
    """Search on for the choice of least cost; whether no choice among the lists is better.

    Parameters
    ----------
    prices, supply : int64[m]
        Price and number of the requests of each size.
    most_work : int
        Columns looked at, after which to stop.
    """
    m, workers = supply.size, state.open.size
    N = lists.cost.size
    alive, count, spent, choice = state.alive, state.number, state.spent, state.chosen
    open_, left = state.open, state.left
    depth, best = state.at
    least, columns = np.empty(workers, np.int64), np.empty(workers, np.int64)
    # Of each size: how many requests the workers can take, in how many columns they occur, and how
    # many the present worker can take.
    cover, occurs, own = np.empty(m, np.int64), np.empty(m, np.int64), np.empty(m, np.int64)
    work = 0
    while depth >= 0:
        if work > most_work:
            break
        here, n = alive[depth], count[depth]
        rest = best - 1 - spent[depth]
        possible = True
        spare = 0
        before = -1
        while possible and n != before:
            before = n
            work += n + m
            least[:] = _NEVER
            columns[:] = 0
            cover[:] = 0
            occurs[:] = 0
            last = -1
            for i in range(n):
                c = here[i]
                w = lists.worker[c]
                if w != last:
                    least[w], last = lists.cost[c], w
                    own[:] = 0
                columns[w] += 1
                run = 0
                for e in range(lists.start[c], lists.start[c + 1]):
                    j = lists.size[e]
                    run = run + 1 if run > 0 and lists.size[e - 1] == j else 1
                    occurs[j] += run == 1
                    if run > own[j]:
                        own[j] = run
                        cover[j] += 1
            spare = rest
            for w in range(workers):
                if open_[w]:
                    spare -= min(least[w], rest + 1)
                    possible &= least[w] < _NEVER
            for j in range(m):
                if left[j] > cover[j]:
                    spare -= prices[j] * (left[j] - cover[j])
            possible &= spare >= 0
            if possible:
                n = 0
                for i in range(before):
                    c = here[i]
                    if lists.cost[c] - least[lists.worker[c]] <= spare and _fits(lists, c, left):
                        here[n] = c
                        n += 1
        count[depth] = n
        if possible and depth == workers:
            best = int(spent[depth])
            for j in range(m):
                best += prices[j] * left[j]
            for c in choice:
                state.best[lists.worker[c]] = c
            possible = False
        if not possible:
            depth -= 1
            if depth >= 0:
                # The choice is undone, and its column is none any more.
                c = choice[depth]
                open_[lists.worker[c]] = True
                _take(lists, c, left, 1)
                here, n = alive[depth], 0
                for i in range(count[depth]):
                    if here[i] != c:
                        here[n] = here[i]
                        n += 1
                count[depth] = n
            continue
        fewest, of_worker, of_size = N + 1, -1, -1
        for w in range(workers):
            if open_[w] and columns[w] < fewest:
                fewest, of_worker = columns[w], w
        for j in range(m):
            if prices[j] > spare and min(left[j], cover[j]) > 0 and occurs[j] < fewest:
                fewest, of_size = occurs[j], j
        chosen, excess = -1, _NEVER
        for i in range(n):
            c = here[i]
            w = lists.worker[c]
            among = w == of_worker
            if of_size >= 0:
                among = False
                for e in range(lists.start[c], lists.start[c + 1]):
                    among |= lists.size[e] == of_size
            if among and lists.cost[c] - least[w] < excess:
                chosen, excess = c, lists.cost[c] - least[w]
        choice[depth] = chosen
        open_[lists.worker[chosen]] = False
        _take(lists, chosen, left, -1)
        spent[depth + 1] = spent[depth] + lists.cost[chosen]
        kept = 0
        for i in range(n):
            if lists.worker[here[i]] != lists.worker[chosen]:
                alive[depth + 1, kept] = here[i]
                kept += 1
        count[depth + 1] = kept
        depth += 1
    state.at[0], state.at[1] = depth, best
    return bool(depth < 0)
