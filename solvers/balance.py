"""The BF-IO step, fast: bounds first, then a fill towards them, then exact local moves.

A step is held as a plan: the loads after admission, and for each worker the places in the sorted
pool of the requests that it got (``item[start[g] : start[g] + count[g]]``).  A valid plan is built
first, and every later move keeps it valid, so no effort level can return anything else.
"""

import numpy as np

from solvers.bitset import Words, at_least, at_most, full, insert, remove
from solvers.bounds import bound, prefix_sums
from solvers.compiled import compiled
from solvers.step import WAITS, Assignment, StepProblem, StepSolution
from theory.model import IntArray


@compiled
def _spread_all(
    loads: IntArray,
    free: IntArray,
    sizes: IntArray,
    start: IntArray,
    item: IntArray,
    count: IntArray,
    after: IntArray,
) -> None:
    """Admit the whole pool, largest first, each to the least loaded worker with a free slot."""
    G = loads.size
    heap = np.empty(G, np.int64)
    length = 0
    for g in range(G):
        if free[g] > 0:
            heap[length] = g
            length += 1
    at = length // 2
    i = sizes.size - 1
    while i >= 0:
        # Building the heap and restoring it after an admission are the same sift.
        if at > 0:
            at -= 1
        else:
            g = heap[0]
            item[start[g] + count[g]] = i
            after[g] += sizes[i]
            count[g] += 1
            i -= 1
            if count[g] == free[g]:
                length -= 1
                heap[0] = heap[length]
        hole = at
        g = heap[hole]
        while True:
            child = 2 * hole + 1
            if child >= length:
                break
            if child + 1 < length and after[heap[child + 1]] < after[heap[child]]:
                child += 1
            if after[heap[child]] >= after[g]:
                break
            heap[hole] = heap[child]
            hole = child
        if length > 0:
            heap[hole] = g


@compiled
def _place(sizes: IntArray, value: int) -> int:
    """Place of the last size ``<= value`` in the sorted pool, or -1."""
    return int(np.searchsorted(sizes, value, side="right")) - 1


@compiled
def _fill(
    loads: IntArray,
    free: IntArray,
    sizes: IntArray,
    level: int,
    words: Words,
    summary: Words,
    start: IntArray,
    item: IntArray,
    count: IntArray,
    after: IntArray,
) -> None:
    """Fill every slot towards ``level``, hungriest workers first, each slot near the mean need."""
    G = loads.size
    need = np.empty(G)
    for g in range(G):
        need[g] = -((level - loads[g]) / free[g]) if free[g] > 0 else np.inf
    for g in np.argsort(need):
        for k in range(free[g], 0, -1):
            i = at_most(words, summary, _place(sizes, (level - after[g]) // k))
            if i < 0:
                i = at_least(words, summary, 0)
            remove(words, summary, i)
            item[start[g] + count[g]] = i
            count[g] += 1
            after[g] += sizes[i]


@compiled
def _replace(
    free: IntArray,
    sizes: IntArray,
    words: Words,
    summary: Words,
    start: IntArray,
    item: IntArray,
    after: IntArray,
) -> bool:
    """Exchange one request of each worker for a larger waiting one that still fits below the top.

    Each exchange lowers the imbalance by the difference.  Returns whether any was made.
    """
    top = np.max(after)
    moved = False
    for g in range(after.size):
        room = top - after[g]
        best = 0
        slot = -1
        larger = -1
        if room > 0:
            for k in range(start[g], start[g] + free[g]):
                i = at_most(words, summary, _place(sizes, sizes[item[k]] + room))
                if i >= 0 and sizes[i] - sizes[item[k]] > best:
                    best = sizes[i] - sizes[item[k]]
                    slot = k
                    larger = i
        if slot >= 0:
            insert(words, summary, item[slot])
            remove(words, summary, larger)
            item[slot] = larger
            after[g] += best
            moved = True
    return moved


@compiled
def _level_out(
    free: IntArray,
    sizes: IntArray,
    words: Words,
    summary: Words,
    start: IntArray,
    item: IntArray,
    count: IntArray,
    after: IntArray,
) -> None:
    """Exchange between the most and the least loaded worker while they are far apart.

    While their gap ``D`` exceeds ``b - a``, the range of the pool, the least loaded worker takes a
    larger waiting request for one of its own, or a request of the most loaded one into a free
    slot, or they swap a pair, always with a difference ``0 < d < D``.  The first lowers the
    imbalance; the others keep the sum, do not raise the maximum, and lower the sum of squares by
    ``2 d (D - d)``, so this ends.  From equal loads and slots some pair is left as long as
    ``D > b - a`` [step.full-refill-gap]; under [step.gap-condition] as long as ``D > s_max``.
    """
    n = sizes.size
    while True:
        p = int(np.argmax(after))
        q = int(np.argmin(after))
        D = after[p] - after[q]
        if sizes[n - 1] - sizes[0] >= D:
            return
        best = 0
        here = -1
        other = -1
        for k in range(start[q], start[q] + count[q]):
            i = at_most(words, summary, _place(sizes, sizes[item[k]] + D - 1))
            if i >= 0 and sizes[i] - sizes[item[k]] > best:
                best = sizes[i] - sizes[item[k]]
                here = k
                other = i
        if here >= 0:
            insert(words, summary, item[here])
            remove(words, summary, other)
            item[here] = other
            after[q] += best
            continue
        spare = count[q] < free[q]
        for k in range(start[p], start[p] + count[p]):
            x = sizes[item[k]]
            if spare and 0 < x < D and (best == 0 or abs(2 * x - D) < abs(2 * best - D)):
                best = x
                here = k
                other = -1
            for j in range(start[q], start[q] + count[q]):
                d = x - sizes[item[j]]
                if 0 < d < D and (best == 0 or abs(2 * d - D) < abs(2 * best - D)):
                    best = d
                    here = k
                    other = j
        if best == 0:
            return
        after[p] -= best
        after[q] += best
        if other >= 0:
            item[here], item[other] = item[other], item[here]
        else:
            item[start[q] + count[q]] = item[here]
            count[q] += 1
            count[p] -= 1
            item[here] = item[start[p] + count[p]]


@compiled
def balance(
    loads: IntArray, free: IntArray, sizes: IntArray, effort: int, out_worker: IntArray
) -> tuple[int, int]:
    """Choose the requests to admit and their workers, aiming at the least imbalance.

    Parameters
    ----------
    loads, free : int64[G]
        Loads before admission and free slots.
    sizes : int64[n]
        The pool in ascending order.
    effort : int
        0 is the fastest, 1 the default, 2 and more search longer.
    out_worker : int64[n]
        Filled with the worker of each request, or -1 for one that waits.

    Returns
    -------
    imbalance, lower_bound : int
        The imbalance reached, and a bound below which no valid assignment can be.
    """
    G = loads.size
    n = sizes.size
    out_worker[:] = WAITS
    room = np.minimum(free, n)
    slots = int(np.sum(room))
    sums = prefix_sums(sizes)
    level, lower = bound(loads, room, sizes, sums)
    after = loads.copy()
    if n == 0 or slots == 0:
        return int(G * np.max(after) - np.sum(after)), lower
    start = np.zeros(G, np.int64)
    for g in range(1, G):
        start[g] = start[g - 1] + room[g - 1]
    item = np.empty(slots, np.int64)
    count = np.zeros(G, np.int64)
    words, summary = full(n)
    if slots >= n:
        words[:] = 0
        summary[:] = 0
        _spread_all(loads, room, sizes, start, item, count, after)
    else:
        _fill(loads, room, sizes, level, words, summary, start, item, count, after)
        for _ in range(4 * effort):
            if not _replace(room, sizes, words, summary, start, item, after):
                break
    _level_out(room, sizes, words, summary, start, item, count, after)
    for g in range(G):
        for k in range(start[g], start[g] + count[g]):
            out_worker[item[k]] = g
    return int(G * np.max(after) - np.sum(after)), lower


def solve_step(problem: StepProblem, effort: int = 1) -> StepSolution:
    """Solve one step with :func:`balance`; among equal sizes the oldest request goes first.

    Parameters
    ----------
    problem : StepProblem
        The step.
    effort : int
        0 is the fastest, 1 the default, 2 and more search longer.

    Returns
    -------
    StepSolution
        A valid assignment, its imbalance and a lower bound, exact.
    """
    order = np.argsort(problem.pool, kind="stable")
    sizes = problem.pool[order]
    worker = np.empty(sizes.size, np.int64)
    value, lower = balance(problem.loads, problem.free, sizes, effort, worker)
    # Equal sizes can be exchanged freely: in arrival order they go to ascending workers, then wait.
    worker[worker == WAITS] = problem.workers
    worker = worker[np.lexsort((worker, sizes))]
    worker[worker == problem.workers] = WAITS
    assignment: Assignment = np.empty(sizes.size, np.int64)
    assignment[order] = worker
    return StepSolution(assignment, int(value), int(lower))
