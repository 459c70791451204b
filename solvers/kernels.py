"""The compiled primitives of the engine: reveal, place, measure, depart, grow.

A step costs O(G + admissions + departures), whatever the number of slots: active requests hang in
a wheel of buckets by the step that they end with, and a load grows by the number of its requests
at once.
"""

from typing import NamedTuple

import numpy as np

from solvers.compiled import compiled
from theory.model import FloatArray, IntArray

# Entries of Run.counter.
(
    TIMED,  # 1 if requests arrive by the clock, 0 for a backlog
    LIMIT,  # largest number waiting in a backlog
    CAPACITY,  # G * B
    STEP,  # number of the present step
    REVEALED,  # requests that have entered the pool: 0 .. REVEALED - 1
    WAITING,  # of these, waiting
    ACTIVE,  # of these, being served
    SUM_MAX,
    WORK,
    FULL_STEPS,  # steps before the first that left a slot empty, and their sums
    FULL_MAX,
    FULL_WORK,
    STILL_FULL,  # 1 until that step
    ROWS,  # rows of the history filled
    TURN,  # the worker whose turn it is, for round_robin
    DUE,  # 1 while the present step waits for a decision from outside
    COUNTS,
) = range(17)

# Entries of Run.clock.
NOW_S, OVERHEAD_S, TOKEN_S = range(3)

NOBODY = -1


class Run(NamedTuple):
    """All that a run reads and writes.

    Parameters
    ----------
    prefill, decode : int64[N]
        The requests.
    arrival : float64[N]
        Arrival times; empty for a backlog.
    grown : int64[P + 1]
        Prefix sums of the drift, ``grown[j] = drift[0] + ... + drift[j - 1]``.
    worker, reveal_step, start_step : int64[N]
        See :class:`solvers.result.RunResult`.
    start_s, finish_s : float64[N]
        Likewise.
    loads, free : int64[G]
        Before admission at the start of a step, after it from then on.
    weight, candidate : int64[G]
        Working space of the policies: workers with a free slot, and what they are ordered by.
    bucket : int64[W], W a power of two
        First request that ends at a step that is ``j`` modulo ``W``.
    following : int64[N]
        The next request in the same bucket.
    counter : int64[COUNTS]
        Counters and exact sums.
    clock : float64[3]
        Time now, ``C`` and ``t_l``, in seconds.
    gammas : float64[m]
        Exponents.
    powers : float64[m, 4]
        For each exponent the sums ``per_step`` and ``per_load``, each followed by the part that
        rounding cut off.
    history : int64[rows, G]
        Loads of the steps of this call of the engine's loop; no rows if they are not wanted.
    """

    prefill: IntArray
    decode: IntArray
    arrival: FloatArray
    grown: IntArray
    worker: IntArray
    reveal_step: IntArray
    start_step: IntArray
    start_s: FloatArray
    finish_s: FloatArray
    loads: IntArray
    free: IntArray
    weight: IntArray
    candidate: IntArray
    bucket: IntArray
    following: IntArray
    counter: IntArray
    clock: FloatArray
    gammas: FloatArray
    powers: FloatArray
    history: IntArray


@compiled
def finished(run: Run) -> bool:
    """Whether every request has been served to completion."""
    count = run.counter
    return bool(count[WAITING] + count[ACTIVE] == 0 and count[REVEALED] == run.prefill.size)


@compiled
def reveal(run: Run) -> None:
    """Let requests enter the pool: those that have arrived, or as many as the backlog shows."""
    count, clock = run.counter, run.clock
    first, n = count[REVEALED], run.prefill.size
    if count[TIMED]:
        if count[WAITING] + count[ACTIVE] == 0 and first < n:
            clock[NOW_S] = max(clock[NOW_S], run.arrival[first])
        last = first
        while last < n and run.arrival[last] <= clock[NOW_S]:
            last += 1
    else:
        last = min(n, first + count[LIMIT] - count[WAITING])
    run.reveal_step[first:last] = count[STEP]
    count[REVEALED] = last
    count[WAITING] += last - first


@compiled
def admissions(run: Run) -> int:
    """``U``, the number of requests that work conservation admits at this step."""
    return int(min(run.counter[WAITING], run.counter[CAPACITY] - run.counter[ACTIVE]))


@compiled
def place(run: Run, request: int, worker: int) -> None:
    """Start a request on a worker with a free slot."""
    count = run.counter
    step = count[STEP]
    run.worker[request] = worker
    run.start_step[request] = step
    run.start_s[request] = run.clock[NOW_S]
    run.loads[worker] += run.prefill[request]
    run.free[worker] -= 1
    slot = (step + run.decode[request] - 1) & (run.bucket.size - 1)
    run.following[request] = run.bucket[slot]
    run.bucket[slot] = request
    count[WAITING] -= 1
    count[ACTIVE] += 1


@compiled
def finish_step(run: Run) -> None:
    """Measure the loads, let the clock run, let requests depart and the others grow."""
    count, clock = run.counter, run.clock
    largest, work = np.int64(0), np.int64(0)
    for load in run.loads:
        largest = max(largest, load)
        work += load
    count[SUM_MAX] += largest
    count[WORK] += work
    if count[STILL_FULL]:
        if count[ACTIVE] == count[CAPACITY]:
            count[FULL_STEPS] += 1
            count[FULL_MAX] += largest
            count[FULL_WORK] += work
        else:
            count[STILL_FULL] = 0
    if run.history.shape[0]:
        run.history[count[ROWS]] = run.loads
        count[ROWS] += 1
    if run.gammas.size:
        _add_powers(run, int(largest), int(work))
    clock[NOW_S] += clock[OVERHEAD_S] + clock[TOKEN_S] * largest
    _depart(run)
    period = run.grown.size - 1
    now = count[STEP] % period
    growth = run.grown[now + 1] - run.grown[now]
    slots = count[CAPACITY] // run.loads.size
    for g in range(run.loads.size):
        run.loads[g] += growth * (slots - run.free[g])
    count[STEP] += 1


@compiled
def _depart(run: Run) -> None:
    """Take away the requests for which this was the last step."""
    count = run.counter
    step, now = count[STEP], run.clock[NOW_S]
    slot = step & (run.bucket.size - 1)
    request = run.bucket[slot]
    run.bucket[slot] = NOBODY
    gone = 0
    while request != NOBODY:
        after = run.following[request]
        start = run.start_step[request]
        if start + run.decode[request] - 1 == step:
            worker = run.worker[request]
            growth = _grown(run.grown, step) - _grown(run.grown, start)
            run.loads[worker] -= run.prefill[request] + growth
            run.free[worker] += 1
            run.finish_s[request] = now
            gone += 1
        else:  # its turn comes when the wheel has gone round
            run.following[request] = run.bucket[slot]
            run.bucket[slot] = request
        request = after
    count[ACTIVE] -= gone


@compiled
def _grown(prefix: IntArray, step: int) -> int:
    """Drift accumulated from step 0 to the start of a step."""
    period = prefix.size - 1
    if period == 1:
        return int(step * prefix[1])
    return int(step // period * prefix[period] + prefix[step % period])


@compiled
def _add_powers(run: Run, largest: int, work: int) -> None:
    """Add this step's sums of ``u^gamma``."""
    for m in range(run.gammas.size):
        gamma = run.gammas[m]
        if gamma == 1.0:  # the sum of the loads is exact
            _add(run.powers[m, :2], work / largest)
            _add(run.powers[m, 2:], float(work))
        else:
            powers = 0.0
            for load in run.loads:
                powers += (load / largest) ** gamma
            _add(run.powers[m, :2], powers)
            _add(run.powers[m, 2:], largest * powers)


@compiled
def _add(total: FloatArray, term: float) -> None:
    """Add with compensation: ``total[0]`` is the sum, ``total[1]`` what rounding cut off.

    Source: A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen",
    ZAMM 54 (1974).
    """
    before = total[0]
    after = before + term
    if abs(before) >= abs(term):
        total[1] += (before - after) + term
    else:
        total[1] += (term - after) + before
    total[0] = after
