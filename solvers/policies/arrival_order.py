"""The policies that admit the oldest requests and choose only where these go.

Each choice is one compiled rule.  The engine runs all steps in one loop over it, and a decision by
itself is one step of that loop.  Rules of serving systems stand here under their
own names, as far as one central pool can show them.

When the pool is full and sizes are iid, every rule that looks at neither sizes nor loads is equal
in law to fcfs: differences between such rules are noise or a start-up artefact.
"""

from typing import ClassVar

import numpy as np

from solvers.arrays import sum_of
from solvers.compiled import compiled
from solvers.policies.ordering import heap_of_open_workers, sift_down
from solvers.policies.protocol import Rule, StepView, built_in
from solvers.simulation.state import (
    RunState,
    admissions,
    depart,
    finished,
    grow,
    measure_loads,
    observe,
    oldest,
    place,
    reveal,
)
from solvers.step.problem import WAITS, Assignment
from solvers.step.sorted_sizes import sort_by_size
from theory.model import IntArray

# The compiled rules, by the number under which :func:`run_oldest_first` knows them.
IN_ORDER, IN_TURN, FEWEST, FEWEST_SENT, LIGHTEST, LARGEST_FIRST, BETTER_OF_TWO = range(7)

# What a request that is not served yet counts for in vLLM's score, beside one that is.
SENT = 4


class ArrivalOrder:
    """Admits the oldest requests; a compiled rule chooses the worker of each.

    Attributes
    ----------
    rule : int
        The number of the rule for :func:`run_oldest_first`.
    turn : int
        The worker whose turn is first, for a rule that takes turns.
    seed : int
        Seed of a rule that samples.
    """

    name: str
    rule: ClassVar[int]
    turn: int = 0
    seed: int = 0

    def admit(self, view: StepView) -> Assignment:
        """See :class:`solvers.policies.protocol.Policy`."""
        assignment = np.empty(view.pool.size, dtype=np.int64)
        self.turn = choose(
            self.rule,
            np.uint64(self.seed % 2**64),
            view.step,
            self.turn % view.free.size,
            view.loads.copy(),
            _counted(self.rule, view),
            view.free.copy(),
            view.pool.copy(),  # which may be read only: one compiled version for both
            assignment,
        )
        return assignment


def _counted(rule: int, view: StepView) -> IntArray:
    """What a rule that counts begins with: requests, those in a queue as often as if just sent."""
    if rule == FEWEST_SENT and view.queued is not None:
        return view.counts + (SENT - 1) * view.queued
    return view.counts.copy()


@built_in()
class FCFS(ArrivalOrder):
    """Oldest requests first; free slots in worker order, worker 0 filled first."""

    name = "fcfs"
    rule = IN_ORDER


@built_in()
class RoundRobin(ArrivalOrder):
    """Oldest first, to the workers in turn; the turn is kept between steps, full ones are skipped.

    Parameters
    ----------
    turn : int
        The worker whose turn is first.
    """

    name = "round_robin"
    rule = IN_TURN

    def __init__(self, turn: int = 0) -> None:
        self.turn = turn


@built_in()
class JSQ(ArrivalOrder):
    """Join the shortest queue: oldest first, each to the worker with the fewest running requests.

    Ties go to the lowest index.  This is FCFS that spreads, and the fair baseline that is blind to
    sizes where slots are empty: ``fcfs`` leaves workers idle until worker 0 is full.
    """

    name = "jsq"
    rule = FEWEST


@built_in(
    rule=Rule(
        "vLLM until July 2026",
        "vllm-project/vllm, vllm/v1/engine/core_client.py before pull request 47420",
        "4 waiting + running; lowest index on ties",
    )
)
class VllmDP(ArrivalOrder):
    """The score of vLLM's data-parallel front end: ``4 * waiting + running``.

    Oldest first, each to the worker of the smallest score, lowest index on ties.  With one central
    pool, a worker's waiting requests are those sent to it at this step; with queues of the workers
    those in its queue as well.
    """

    name = "vllm_dp"
    rule = FEWEST_SENT


@built_in(
    rule=Rule(
        "SGLang until 2026",
        "sgl-project/sglang at 000a3db1, python/sglang/srt/managers/data_parallel_controller.py",
        "requests; lowest index on ties (its budget levels the counts, in the same order)",
    )
)
class SGLangShortestQueue(JSQ):
    """SGLang's ``shortest_queue``: oldest first, to the worker with the fewest requests."""

    name = "sglang_shortest_queue"


@built_in(
    rule=Rule(
        "SGLang, June 2025 to 2026",
        "sgl-project/sglang, pull request 7379; from a description",
        "tokens held + tokens sent; lowest index on ties",
    )
)
class SGLangMinimumTokens(ArrivalOrder):
    """SGLang's ``minimum_tokens``: oldest first, to the worker with the fewest tokens."""

    name = "sglang_minimum_tokens"
    rule = LIGHTEST


@built_in()
class LeastLoaded(ArrivalOrder):
    """Oldest first, each to the worker of the smallest current load in tokens, lowest on ties.

    List scheduling (Graham 1966), with slots.
    """

    name = "least_loaded"
    rule = LIGHTEST


@built_in()
class LPT(ArrivalOrder):
    """Longest processing time: the oldest requests, the largest of them first, to the least loaded.

    The set admitted is that of fcfs, so nothing starves.  Equal sizes go in arrival order.  The
    rule of (Graham 1969), with slots.
    """

    name = "lpt"
    rule = LARGEST_FIRST


@built_in()
class PowerOfTwo(ArrivalOrder):
    """Oldest first, each to the less loaded of two sampled workers that have a free slot.

    The two are distinct where two are left; the first sampled wins ties.  The sample is a hash of
    (seed, step, position), so a run is reproducible whatever executes it.

    Parameters
    ----------
    seed : int
        Seed of the samples; taken modulo ``2^64``.
    """

    name = "power_of_two"
    rule = BETTER_OF_TWO

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed


@compiled
def choose(
    rule: int,
    seed: np.uint64,
    step: int,
    turn: int,
    loads: IntArray,
    counted: IntArray,
    free: IntArray,
    pool: IntArray,
    answer: IntArray,
) -> int:
    """One decision of a rule, whatever the system; the loop below makes the same in place.

    Parameters
    ----------
    rule : int
        Its number.
    seed : uint64
        Of a rule that samples.
    step : int
        Number of the step.
    turn : int
        Whose turn it is.
    loads, counted, free : int64[G]
        Loads, what a rule that counts goes by, and free slots; used up.
    pool : int64[n]
        Sizes of the waiting requests, in arrival order.
    answer : int64[n]
        Filled with the worker of each, or -1 for one that waits.

    Returns
    -------
    int
        Whose turn it is then.
    """
    G, admitted = free.size, min(pool.size, sum_of(free))
    at_step = splitmix64(splitmix64(seed) ^ np.uint64(step))
    open_workers, size = np.empty(G, np.int64), 0
    for g in range(G):
        if free[g]:
            open_workers[size] = g
            size += 1
    order, key = np.empty(admitted, np.int64), np.empty(admitted, np.int64)
    for i in range(admitted):
        order[i], key[i] = i, -pool[i]
    if rule == LARGEST_FIRST:
        other, other_key = np.empty(admitted, np.int64), np.empty(admitted, np.int64)
        if sort_by_size(key, order, other_key, other):
            order = other
    answer[:] = WAITS
    for position in range(admitted):
        i, g = order[position], 0
        if rule == IN_ORDER:
            while not free[g]:
                g += 1
        elif rule == IN_TURN:
            g = turn
            while not free[g]:
                g = g + 1 if g + 1 < G else 0
            turn = g + 1 if g + 1 < G else 0
        elif rule == BETTER_OF_TWO:
            at = _better(splitmix64(at_step ^ np.uint64(position)), loads, open_workers, size)
            g = open_workers[at]
            if free[g] == 1:
                size -= 1
                open_workers[at] = open_workers[size]
        else:
            by = counted if rule in (FEWEST, FEWEST_SENT) else loads
            g = -1
            for w in range(G):
                if free[w] and (g < 0 or by[w] < by[g]):
                    g = w
        answer[i] = g
        free[g] -= 1
        loads[g] += pool[i]
        counted[g] += SENT if rule == FEWEST_SENT else 1
    return turn


@compiled
def run_oldest_first(run: RunState, rule: int, seed: np.uint64, steps: int) -> None:
    """Run up to so many steps under a rule; the seed is that of one that samples.

    The waiting requests are a range of consecutive numbers, so the pool costs nothing.
    """
    state = run.state[0]
    for _ in range(steps):
        if finished(state):
            return
        reveal(run)
        if admissions(state):
            if rule == IN_ORDER:
                _in_worker_order(run)
            elif rule == IN_TURN:
                _in_turn(run)
            elif rule == BETTER_OF_TWO:
                _better_of_two(run, seed)
            elif rule == LARGEST_FIRST:
                _largest_to_lightest(run)
            else:
                _to_lightest(run, rule)
        measure_loads(run)
        if state.observed:
            observe(run)
        depart(run)
        grow(run)


@compiled
def _in_worker_order(run: RunState) -> None:
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
def _in_turn(run: RunState) -> None:
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
def _better_of_two(run: RunState, seed: np.uint64) -> None:
    open_workers, size = run.candidate, 0
    for g in range(run.free.size):
        if run.free[g]:
            open_workers[size] = g
            size += 1
    at_step = splitmix64(splitmix64(seed) ^ np.uint64(run.state[0].step))
    first = oldest(run.state[0])
    for position in range(admissions(run.state[0])):
        bits = splitmix64(at_step ^ np.uint64(position))
        at = _better(bits, run.loads, open_workers, size)
        g = open_workers[at]
        place(run, first + position, g)
        if not run.free[g]:
            size -= 1
            open_workers[at] = open_workers[size]


@compiled
def _better(bits: np.uint64, loads: IntArray, open_workers: IntArray, size: int) -> int:
    """Where the less loaded of two sampled workers stands in the list."""
    at = np.int64(((bits >> np.uint64(32)) * np.uint64(size)) >> np.uint64(32))
    if size > 1:
        low = bits & np.uint64(0xFFFFFFFF)
        other = np.int64((low * np.uint64(size - 1)) >> np.uint64(32))
        other += other >= at
        if loads[open_workers[other]] < loads[open_workers[at]]:
            at = other
    return int(at)


@compiled
def splitmix64(x: np.uint64) -> np.uint64:
    """One step of the splitmix64 generator: a bijection of 64-bit words that scrambles them.

    Source: (Steele et al. 2014), with the constants of its reference implementation.
    """
    x += np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@compiled
def _to_lightest(run: RunState, rule: int) -> None:
    size = heap_of_open_workers(
        run.loads, run.free, 1 if rule == LIGHTEST else 0, run.weight, run.candidate
    )
    first = oldest(run.state[0])
    for request in range(first, first + admissions(run.state[0])):
        size = _to_top(run, rule, request, size)


@compiled
def _largest_to_lightest(run: RunState) -> None:
    size = heap_of_open_workers(run.loads, run.free, 1, run.weight, run.candidate)
    first = oldest(run.state[0])
    count = admissions(run.state[0])
    batch, key = np.empty(count, np.int64), np.empty(count, np.int64)
    other_batch, other_key = np.empty(count, np.int64), np.empty(count, np.int64)
    for j in range(count):
        batch[j], key[j] = first + j, -run.prefill[first + j]
    if sort_by_size(key, batch, other_key, other_batch):
        batch = other_batch
    for request in batch:
        size = _to_top(run, LARGEST_FIRST, int(request), size)


@compiled
def _to_top(run: RunState, rule: int, request: int, size: int) -> int:
    """Place on the lightest worker of the heap and return the heap's new size."""
    weight, worker = run.weight, run.candidate
    g = worker[0]
    place(run, request, g)
    if run.free[g] == 0:
        size -= 1
        weight[0], worker[0] = weight[size], worker[size]
    elif rule == FEWEST:
        weight[0] += 1
    elif rule == FEWEST_SENT:
        weight[0] += SENT
    else:
        weight[0] = run.loads[g]
    sift_down(weight, worker, 0, size)
    return size
