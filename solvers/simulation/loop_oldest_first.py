"""The compiled loop of the policies that admit the oldest requests and choose only the worker.

The waiting requests are a range of consecutive numbers, so the pool costs nothing.  The policies'
meaning is in :mod:`solvers.policies.baselines`.
"""

import numpy as np

from solvers.compiled import compiled
from solvers.simulation.ordering import sift_down, sort_by_size
from solvers.simulation.state import (
    Run,
    admissions,
    depart,
    finished,
    grow,
    measure,
    observe,
    oldest,
    place,
    reveal,
)

FCFS, ROUND_ROBIN, JSQ, VLLM_DP, LEAST_LOADED, LPT, POWER_OF_TWO = range(7)


@compiled
def run_oldest_first(run: Run, rule: int, seed: np.uint64, steps: int) -> None:
    """Run up to so many steps under one of the rules of this module.

    The seed is that of power_of_two.
    """
    state = run.state[0]
    for _ in range(steps):
        if finished(state):
            return
        reveal(run)
        if admissions(state):
            if rule == FCFS:
                _in_worker_order(run)
            elif rule == ROUND_ROBIN:
                _in_turn(run)
            elif rule == POWER_OF_TWO:
                _better_of_two(run, seed)
            elif rule == LPT:
                _largest_to_lightest(run)
            else:
                _to_lightest(run, rule)
        measure(run)
        if state.observed:
            observe(run)
        depart(run)
        grow(run)


@compiled
def _in_worker_order(run: Run) -> None:
    slots, admitted, listed = run.free_slots, admissions(run.state[0]), np.uint32(0)
    for g in range(run.free.size):
        # Mostly a worker has few free slots, and a loop over so few takes less time than the
        # processor's wrong guess of its end: four are listed at once, those too many overwritten.
        for more in range(4):
            slots[listed + np.uint32(more)] = g
        free = min(run.free[g], admitted - np.int64(listed))
        for more in range(4, free):
            slots[listed + np.uint32(more)] = g
        listed += np.uint32(free)
    first = oldest(run.state[0])
    for j in range(admitted):
        place(run, first + j, slots[j])


@compiled
def _in_turn(run: Run) -> None:
    """Go round the workers with a free slot, dropping those that fill up."""
    state, G, ring = run.state[0], run.free.size, run.candidate
    size = 0
    for g in range(state.turn, state.turn + G):
        worker = g if g < G else g - G
        if run.free[worker]:
            ring[size] = worker
            size += 1
    request = oldest(run.state[0])
    last = request + admissions(run.state[0])
    while request < last:
        kept = 0
        for j in range(min(size, last - request)):
            g = ring[j]
            place(run, request, g)
            request += 1
            state.turn = g + 1 if g + 1 < G else 0
            if run.free[g]:
                ring[kept] = g
                kept += 1
        size = kept


@compiled
def _better_of_two(run: Run, seed: np.uint64) -> None:
    open_workers, size = run.candidate, 0
    for g in range(run.free.size):
        if run.free[g]:
            open_workers[size] = g
            size += 1
    at_step = _splitmix64(_splitmix64(seed) ^ np.uint64(run.state[0].step))
    first = oldest(run.state[0])
    for position in range(admissions(run.state[0])):
        bits = _splitmix64(at_step ^ np.uint64(position))
        at = np.int64(((bits >> np.uint64(32)) * np.uint64(size)) >> np.uint64(32))
        if size > 1:
            low = bits & np.uint64(0xFFFFFFFF)
            other = np.int64((low * np.uint64(size - 1)) >> np.uint64(32))
            other += other >= at
            if run.loads[open_workers[other]] < run.loads[open_workers[at]]:
                at = other
        g = open_workers[at]
        place(run, first + position, g)
        if not run.free[g]:
            size -= 1
            open_workers[at] = open_workers[size]


@compiled
def _splitmix64(x: np.uint64) -> np.uint64:
    """See :func:`solvers.policies.baselines.splitmix64`."""
    x += np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@compiled
def _to_lightest(run: Run, rule: int) -> None:
    size = heap_of_open_workers(run, 1 if rule == LEAST_LOADED else 0)
    first = oldest(run.state[0])
    for request in range(first, first + admissions(run.state[0])):
        size = _to_top(run, rule, request, size)


@compiled
def _largest_to_lightest(run: Run) -> None:
    size = heap_of_open_workers(run, 1)
    first = oldest(run.state[0])
    batch = np.arange(first, first + admissions(run.state[0]))
    key, other_key, other_batch = -run.prefill[batch], np.empty_like(batch), np.empty_like(batch)
    if sort_by_size(key, batch, other_key, other_batch):
        batch = other_batch
    for request in batch:
        size = _to_top(run, LPT, int(request), size)


@compiled
def _to_top(run: Run, rule: int, request: int, size: int) -> int:
    """Place on the lightest worker of the heap and return the heap's new size."""
    weight, worker = run.weight, run.candidate
    g = worker[0]
    place(run, request, g)
    if run.free[g] == 0:
        size -= 1
        weight[0], worker[0] = weight[size], worker[size]
    elif rule == JSQ:
        weight[0] += 1
    elif rule == VLLM_DP:
        weight[0] += 4
    else:
        weight[0] = run.loads[g]
    sift_down(weight, worker, 0, size)
    return size


@compiled
def heap_of_open_workers(run: Run, per_load: int) -> int:
    """Make ``weight`` and ``candidate`` a heap of the workers with a free slot; return its size.

    The weight is the load times 1 or -1, or the number running if ``per_load`` is 0.
    """
    weight, worker = run.weight, run.candidate
    size = 0
    for g in range(run.free.size):
        if run.free[g]:
            # Only differences of weights matter, so -free stands for the number running.
            weight[size] = per_load * run.loads[g] if per_load else -run.free[g]
            worker[size] = g
            size += 1
    for top in range(size // 2 - 1, -1, -1):
        sift_down(weight, worker, top, size)
    return size
