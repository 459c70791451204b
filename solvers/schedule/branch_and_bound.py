"""Depth-first branch and bound over sticky schedules, compiled, without recursion.

A node is the state of the system within a step.  Its children admit one more request of some kind
to some worker, or close the step.  Admissions within a step are made in one order only (kinds, then
workers), and of workers in equal states only the first takes a request.

The bound is the cost so far, the cost of the steps that must or can follow, and the largest of
three sums of loads: the work left spread over all workers, the longest single request, and for each
step to come the largest load that the active requests alone will make.
"""

import numpy as np

from solvers.compiled import compiled
from theory.model import IntArray


@compiled
def _work(size: int, length: int, drift: int) -> int:
    """Load of a request summed over its steps."""
    return length * size + drift * (length * (length - 1) // 2)


@compiled
def _alike(left: IntArray, load: IntArray, held: IntArray, g: int, h: int) -> bool:
    """Whether two workers hold the same; slots are kept in ascending order."""
    if held[g] != held[h]:
        return False
    same = True
    for b in range(held[g]):
        same = same and left[g, b] == left[h, b] and load[g, b] == load[h, b]
    return same


@compiled
def _insert(left: IntArray, load: IntArray, held: IntArray, g: int, steps: int, size: int) -> None:
    """Put a request on a worker, at its place in ascending order of (steps left, load)."""
    b = held[g]
    while b > 0 and (left[g, b - 1], load[g, b - 1]) > (steps, size):
        left[g, b] = left[g, b - 1]
        load[g, b] = load[g, b - 1]
        b -= 1
    left[g, b] = steps
    load[g, b] = size
    held[g] += 1


@compiled
def _close(left: IntArray, load: IntArray, held: IntArray, drift: int) -> int:
    """End a step: the largest load; then requests grow, and those at their end depart."""
    top = 0
    for g in range(held.size):
        total = 0
        gone = 0
        for b in range(held[g]):
            total += load[g, b]
            gone += left[g, b] == 1
        top = max(top, total)
        for b in range(gone, held[g]):
            left[g, b - gone] = left[g, b] - 1
            load[g, b - gone] = load[g, b] + drift
        held[g] -= gone
    return top


@compiled
def _to_come(
    left: IntArray,
    load: IntArray,
    held: IntArray,
    waiting: IntArray,
    sizes: IntArray,
    lengths: IntArray,
    costs: tuple[int, int, int],
    conserving: bool,
    capacity: int,
) -> int:
    """Lower bound of what a state will still cost."""
    drift, level_cost, step_cost = costs
    G = held.size
    work = 0
    slot_steps = 0
    longest = 0
    single = 0
    queued = 0
    for k in range(waiting.size):
        if waiting[k] > 0:
            w = _work(sizes[k], lengths[k], drift)
            work += waiting[k] * w
            queued += waiting[k] * lengths[k]
            longest = max(longest, int(lengths[k]))
            single = max(single, w)
    slot_steps += queued
    running = 0
    for g in range(G):
        for b in range(held[g]):
            work += _work(load[g, b], left[g, b], drift)
            slot_steps += left[g, b]
            running = max(running, int(left[g, b]))
    longest = max(longest, running)
    known = 0
    for t in range(running):
        top = 0
        for g in range(G):
            total = 0
            for b in range(held[g]):
                if left[g, b] > t:
                    total += load[g, b] + drift * t
            top = max(top, int(total))
        known += top
    if step_cost >= 0:
        steps = max(longest, -(-slot_steps // capacity))
    elif conserving:
        # While one waits all slots are busy.
        steps = min(slot_steps // capacity + longest, running + queued)
    else:
        # At every step one of those that wait runs, or those that are active go on alone.
        steps = running + queued
    return level_cost * max(-(-work // G), single, known) + step_cost * steps


@compiled
def branch_and_bound(
    sizes: IntArray,
    lengths: IntArray,
    copies: IntArray,
    shape: tuple[int, int],
    costs: tuple[int, int, int],
    conserving: bool,
    capacity: int,
    upper: int,
    node_limit: int,
) -> tuple[IntArray, IntArray, bool]:
    """Search for a schedule that costs less than ``upper``.

    Parameters
    ----------
    sizes, lengths, copies : int64[T]
        The kinds of requests, and how many there are of each.
    shape, costs
        Workers and slots that requests can use; drift, cost of a unit of the largest load and of a
        step.
    conserving : bool
        Whether no slot may stay free while a request waits.
    capacity : int
        Number of slots in the whole system.
    upper : int
        Cost of a schedule that is known.
    node_limit : int
        Nodes looked at before giving up.

    Returns
    -------
    start, worker : int64[N]
        The best schedule found, kind by kind; empty if none is better.
    done : bool
        Whether the search was complete.
    """
    T = sizes.size
    G, B = shape
    drift, level_cost, step_cost = costs
    n = int(np.sum(copies))
    deepest = n + int(np.sum(copies * lengths)) + 2
    # The state at each depth of the path, and the child it is at.
    left = np.zeros((deepest, G, B), np.int64)
    load = np.zeros((deepest, G, B), np.int64)
    held = np.zeros((deepest, G), np.int64)
    waiting = np.zeros((deepest, T), np.int64)
    cost = np.zeros(deepest, np.int64)
    step = np.zeros(deepest, np.int64)
    child = np.zeros(deepest, np.int64)
    waiting[0] = copies
    best_start = np.empty(0, np.int64)
    best_worker = np.empty(0, np.int64)
    depth = 0
    nodes = 0
    while depth >= 0:
        at = child[depth]
        if at > T * G:
            depth -= 1
            continue
        child[depth] += 1
        active = int(np.sum(held[depth]))
        waits = int(np.sum(waiting[depth]))
        close = at == T * G
        k = at // G
        g = at % G
        if close:
            if active == 0 or (conserving and waits > 0 and active < capacity):
                continue
        else:
            if waiting[depth, k] == 0 or held[depth, g] == B:
                continue
            twin = False
            for h in range(g):
                twin = twin or _alike(left[depth], load[depth], held[depth], g, h)
            if twin:
                continue
        nodes += 1
        if nodes > node_limit:
            return best_start, best_worker, False
        new = depth + 1
        left[new] = left[depth]
        load[new] = load[depth]
        held[new] = held[depth]
        waiting[new] = waiting[depth]
        cost[new] = cost[depth]
        step[new] = step[depth]
        if close:
            top = _close(left[new], load[new], held[new], drift)
            cost[new] += level_cost * top + step_cost
            step[new] += 1
            child[new] = 0
        else:
            waiting[new, k] -= 1
            _insert(left[new], load[new], held[new], g, lengths[k], sizes[k])
            child[new] = at
        to_come = _to_come(
            left[new],
            load[new],
            held[new],
            waiting[new],
            sizes,
            lengths,
            costs,
            conserving,
            capacity,
        )
        if cost[new] + to_come >= upper:
            continue
        if close and active > 0 and waits == 0 and np.sum(held[new]) == 0:
            upper = cost[new]
            best_start = np.empty(n, np.int64)
            best_worker = np.empty(n, np.int64)
            following = np.cumsum(copies) - copies
            for d in range(new):
                chosen = child[d] - 1
                if chosen < T * G:
                    i = following[chosen // G]
                    following[chosen // G] += 1
                    best_start[i] = step[d]
                    best_worker[i] = chosen % G
            continue
        depth = new
    return best_start, best_worker, True
