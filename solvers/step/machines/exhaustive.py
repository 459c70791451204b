"""Exhaustive search for an assignment below a level, one worker after another: bin completion.

The largest request that is left goes to some worker, together with a set of others that leaves no
more room than all workers together can spare.  Sums that the requests can reach, whatever else is
taken, are tabulated, so that a set is not begun that cannot end well.

Source: (Korf 2009).
"""

import numpy as np
from numpy.typing import NDArray

from solvers.arrays import max_of, sum_of
from solvers.compiled import compiled
from theory.model import IntArray

FOUND, NONE, OPEN = 1, 0, -1

# Entries of the table of sums, at most; without it only the sum of all that is left is looked at.
_MOST_SUMS = 2**24


@compiled
def _reachable(sizes: IntArray, most: int) -> NDArray[np.int32]:
    """``[p, s]``: how many values up to ``s - 1`` are sums of requests from ``p`` on; int32."""
    n = sizes.size
    counts = np.zeros((n + 1, most + 2), np.int32)
    sums = np.zeros(most + 1, np.bool_)
    sums[0] = True
    counts[n, 1:] = 1
    for p in range(n - 1, -1, -1):
        v = sizes[p]
        for s in range(most, v - 1, -1):
            sums[s] |= sums[s - v]
        for s in range(most + 1):
            counts[p, s + 1] = counts[p, s] + sums[s]
    return counts


@compiled
def pack(
    room: IntArray, slots: IntArray, sizes: IntArray, nodes: int, worker: IntArray
) -> tuple[int, int]:
    """Search for an assignment of all requests within the rooms and slots.

    Parameters
    ----------
    room, slots : int64[G]
        Of the workers, not negative.
    sizes : int64[n]
        In descending order.
    nodes : int
        Steps after which to stop.
    worker : int64[n]
        Filled with the assignment if there is one.

    Returns
    -------
    answer, left : int
        ``FOUND``, ``NONE`` where there is none, or ``OPEN``; and the steps left.
    """
    n, G = sizes.size, room.size
    slack = int(sum_of(room) - sum_of(sizes))
    if slack < 0 or sum_of(slots) < n:
        return NONE, nodes
    tabulated = max_of(room) + 2 <= _MOST_SUMS // (n + 1)
    reach = _reachable(sizes, max_of(room)) if tabulated else np.empty((0, 0), np.int32)
    after = np.zeros(n + 1, np.int64)  # sum of the requests from p on
    for i in range(n - 1, -1, -1):
        after[i] = after[i + 1] + sizes[i]
    worker[:] = -1
    used = np.zeros(G, np.bool_)
    # Of each depth: the worker, its room and slots left, and the requests on it, in order.
    at = np.full(G + 1, -1, np.int64)
    left, seats, wasted, count = np.zeros((4, G + 1), np.int64)
    held = np.empty((G + 1, n), np.int64)
    # p: the first request that may be added to the worker of this depth; -1 to begin a worker.
    depth, p = 0, -1
    while True:
        nodes -= 1
        if nodes < 0:
            return OPEN, 0
        if p == -1:
            # Begin with the largest request that is left, on the next kind of worker.
            big = 0
            while big < n and worker[big] >= 0:
                big += 1
            if big == n:
                return FOUND, nodes
            g = at[depth] + 1
            while g < G:
                if not used[g] and slots[g] > 0 and sizes[big] <= room[g]:
                    twin = False
                    for h in range(g):
                        if not used[h] and room[h] == room[g] and slots[h] == slots[g]:
                            twin = True
                            break
                    if not twin:
                        break
                g += 1
            if g == G:
                # No other worker: back to the depth above.
                at[depth] = -1
                depth -= 1
                if depth < 0:
                    return NONE, nodes
                p = _drop(depth, sizes, worker, left, seats, held, count)
                slack += wasted[depth]
                wasted[depth] = 0
                if p < 0:
                    used[at[depth]] = False
                continue
            at[depth], used[g] = g, True
            left[depth], seats[depth], count[depth] = room[g] - sizes[big], slots[g] - 1, 1
            held[depth, 0] = big
            worker[big] = g
            p = big + 1
            continue
        # Add the next request that fits and with which the rest can end well.
        added = False
        if seats[depth] > 0:
            while p < n:
                if worker[p] < 0 and sizes[p] <= left[depth]:
                    low = max(0, left[depth] - slack)
                    # Some sum from p on must lie in the window.
                    if after[p] < low or (tabulated and reach[p, left[depth] + 1] == reach[p, low]):
                        p = n
                        break
                    low = max(0, low - sizes[p])
                    rest = left[depth] - sizes[p]
                    if not tabulated or reach[p + 1, rest + 1] > reach[p + 1, low]:
                        added = True
                        break
                p += 1
        if added:
            g = at[depth]
            worker[p] = g
            left[depth] -= sizes[p]
            seats[depth] -= 1
            held[depth, count[depth]] = p
            count[depth] += 1
            p += 1
            continue
        # Nothing more: close the worker if it is full enough, and go on to the next.
        if left[depth] <= slack:
            wasted[depth] = left[depth]
            slack -= left[depth]
            depth += 1
            if depth == G:
                complete = True
                for i in range(n):
                    if worker[i] < 0:
                        complete = False
                        break
                if complete:
                    return FOUND, nodes
                depth -= 1
                slack += wasted[depth]
                wasted[depth] = 0
                p = _drop(depth, sizes, worker, left, seats, held, count)
                if p < 0:
                    used[at[depth]] = False
                continue
            at[depth] = -1
            p = -1
            continue
        p = _drop(depth, sizes, worker, left, seats, held, count)
        if p < 0:
            used[at[depth]] = False


@compiled
def _drop(
    depth: int,
    sizes: IntArray,
    worker: IntArray,
    left: IntArray,
    seats: IntArray,
    held: IntArray,
    count: IntArray,
) -> int:
    """Take the last request off the worker; the next one to try, or -1 if it was the first.

    Requests of the same size as the one taken off are passed over.
    """
    count[depth] -= 1
    i = int(held[depth, count[depth]])
    worker[i] = -1
    left[depth] += sizes[i]
    seats[depth] += 1
    if count[depth] == 0:
        return -1
    p = i + 1
    while p < sizes.size and sizes[p] == sizes[i]:
        p += 1
    return p
