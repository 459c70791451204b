"""The compiled primitives of the engine: reveal, place, measure, depart, grow.

A step costs O(G + admissions + departures), whatever the number of slots: active requests hang in
a wheel of buckets by the step that they end with, and a load grows by the number of its requests
at once.

Scalars live in a record, and what an active request needs in a row of a small table that stays in
the cache.  A compiled function that loops twice, or may raise (by dividing), counts the references
of all arrays that it is given at every call, which would cost more than the step itself; so each
function that takes the whole run is short, and the loops of the policies call one after the other:
reveal, (decide and) place, measure, observe if that is wanted, depart, grow.
"""

from typing import Any, NamedTuple

import numpy as np

from solvers.compiled import compiled
from theory.model import FloatArray, IntArray, Requests, System

NOBODY = -1

# A block of the history has about this many entries, and at least one row.
HISTORY_BLOCK = 2**20

# Requests longer than the wheel stay in their bucket for several turns.
LONGEST_WHEEL = 2**20

# What numbers of requests, workers and rows stay below.  The tables hold them unsigned, because an
# index that cannot be negative is not tested for counting from the end: a fifth of a step's time.
MOST = 2**31
NO_ROW = np.uint32(2**32 - 1)

_INTS = (
    "timed",  # 1 if requests arrive by the clock, 0 for a backlog
    "limit",  # largest number waiting in a backlog
    "capacity",  # G * B
    "slots",  # B
    "requests",  # N
    "step",  # number of the present step
    "phase",  # its place in the period of the drift
    "grown",  # drift accumulated up to it
    "revealed",  # requests that have entered the pool: 0 .. revealed - 1
    "waiting",  # of these, waiting
    "active",  # of these, being served
    "unused",  # first unused row of RunState.active
    "sum_max",  # over all steps
    "work",
    "empty_steps",  # worker-steps without a request
    "empty_max",  # the largest loads of their steps
    "full_steps",  # over the steps before the first that left a slot empty
    "full_max",
    "full_work",
    "still_full",  # 1 until that step
    "observed",  # 1 if the history or power sums are wanted
    "rows",  # rows of the history filled
    "turn",  # whose turn it is, for round_robin
    "bound_gap",  # excess of the imbalances over their lower bounds, for bfio
    "conserving",  # 1 if decisions from outside must fill every slot that they can
    "due",  # 1 while the present step waits for a decision from outside
)
_FLOATS = ("now_s", "overhead_s", "token_s")
STATE = np.dtype([(name, np.int64) for name in _INTS] + [(name, np.float64) for name in _FLOATS])

ACTIVE = np.dtype(
    [
        ("request", np.uint32),
        ("worker", np.uint32),
        ("last_step", np.int64),
        ("base", np.int64),  # size less the drift accumulated before its first step
    ]
)


class RunState(NamedTuple):
    """All that a run reads and writes.

    Parameters
    ----------
    prefill, decode : int64[N]
        The requests.
    arrival : float64[N]
        Arrival times; empty for a backlog.
    drift : int64[P]
        One period of the drift.
    worker, reveal_step, start_step : int64[N]
        See :class:`solvers.simulation.result.RunResult`.
    start_s, finish_s : float64[N]
        Likewise.
    active : ACTIVE[min(G * B, N)]
        The requests that are being served, in no order; ``NO_ROW`` is the worker of other rows.
    following : uint32[min(G * B, N)]
        The next row of ``active`` in the same bucket, or the next unused one.
    state : STATE[1]
        Counters, exact sums and the clock.
    loads, free : int64[G]
        Before admission at the start of a step, after it from then on.
    weight, candidate : int64[G]
        Working space of the policies: workers with a free slot, and what they are ordered by.
    free_slots : int64[min(G * B, N) + 4]
        Worker of each slot that is filled next; working space of fcfs.
    bucket : uint32[W], W a power of two
        First row of ``active`` whose last step is ``j`` modulo ``W``, or ``NO_ROW``.
    gammas : float64[m]
        Exponents.
    powers : float64[m, 4]
        For each exponent the sums ``per_step`` and ``per_load``, each followed by the part that
        rounding cut off.
    history : int64[rows, G]
        Loads of the latest steps; no rows if they are not wanted.
    """

    prefill: IntArray
    decode: IntArray
    arrival: FloatArray
    drift: IntArray
    worker: IntArray
    reveal_step: IntArray
    start_step: IntArray
    start_s: FloatArray
    finish_s: FloatArray
    active: Any
    following: Any
    state: Any
    loads: IntArray
    free: IntArray
    weight: IntArray
    candidate: IntArray
    free_slots: IntArray
    bucket: Any
    gammas: FloatArray
    powers: FloatArray
    history: IntArray


def new_run(
    system: System, requests: Requests, limit: int, gammas: FloatArray, history: bool
) -> RunState:
    """The state before the first step."""
    n, G = len(requests), system.workers
    arrival = np.empty(0) if requests.arrival is None else requests.arrival
    arrival.flags.writeable = False  # as every arrival column is: one compiled version for both
    longest = min(int(requests.decode.max(initial=1)), LONGEST_WHEEL)
    rows = max(1, HISTORY_BLOCK // G) if history else 0
    slots_used = min(system.capacity, n)
    active = np.zeros(slots_used, dtype=ACTIVE)
    active["worker"] = NO_ROW
    state = np.zeros(1, dtype=STATE)
    for name, value in (
        ("timed", requests.arrival is not None),
        ("limit", min(limit, n)),
        ("capacity", system.capacity),
        ("slots", system.slots),
        ("requests", n),
        ("still_full", True),
        ("conserving", True),
        ("observed", history or gammas.size > 0),
        ("overhead_s", system.step_overhead_s),
        ("token_s", system.seconds_per_token),
    ):
        state[name] = value
    # In one piece: the system gives out large ones by larger pages, which takes half the time.
    worker, reveal_step, start_step, start_s, finish_s = np.empty((5, n), dtype=np.int64)
    worker[:] = NOBODY
    return RunState(
        prefill=requests.prefill,
        decode=requests.decode,
        arrival=arrival,
        drift=np.array(system.drift, dtype=np.int64),
        worker=worker,
        reveal_step=reveal_step,
        start_step=start_step,
        start_s=start_s.view(np.float64),
        finish_s=finish_s.view(np.float64),
        active=active,
        following=np.arange(1, slots_used + 1, dtype=np.uint32),
        state=state,
        loads=np.zeros(G, dtype=np.int64),
        free=np.full(G, system.slots, dtype=np.int64),
        weight=np.empty(G, dtype=np.int64),
        candidate=np.empty(G, dtype=np.int64),
        free_slots=np.empty(slots_used + 4, dtype=np.int64),
        bucket=np.full(1 << (longest - 1).bit_length(), NO_ROW, dtype=np.uint32),
        gammas=gammas,
        powers=np.zeros((gammas.size, 4)),
        history=np.empty((rows, G), dtype=np.int64),
    )


@compiled
def finished(state: Any) -> bool:
    """Whether every request has been served to completion."""
    return bool(state.waiting + state.active + state.requests - state.revealed == 0)


@compiled
def admissions(state: Any) -> int:
    """``U``, the number of requests that work conservation admits at this step."""
    return int(min(state.waiting, state.capacity - state.active))


@compiled
def oldest(state: Any) -> int:
    """The oldest waiting request, for policies that always admit the oldest."""
    return int(state.revealed - state.waiting)


@compiled
def reveal(run: RunState) -> None:
    """Let requests enter the pool: those that have arrived, or as many as the backlog shows."""
    state = run.state[0]
    first = state.revealed
    if state.timed:
        last = _arrived(state, run.arrival)
    else:
        last = min(state.requests, first + state.limit - state.waiting)
    for request in range(first, last):
        run.reveal_step[request] = state.step
    state.revealed = last
    state.waiting += last - first


@compiled
def _arrived(state: Any, arrival: FloatArray) -> int:
    """How many requests have arrived; an idle system waits for the next."""
    last = state.revealed
    if state.waiting + state.active == 0 and last < arrival.size:
        state.now_s = max(state.now_s, arrival[last])
    while last < arrival.size and arrival[last] <= state.now_s:
        last += 1
    return int(last)


@compiled
def place(run: RunState, request: int, worker: int) -> None:
    """Start a request on a worker with a free slot."""
    state = run.state[0]
    i, g = np.uint32(request), np.uint32(worker)
    size, last_step = run.prefill[i], state.step + run.decode[i] - 1
    run.worker[i] = worker
    run.start_step[i] = state.step
    run.start_s[i] = state.now_s
    at = np.uint32(state.unused)
    row = run.active[at]
    state.unused = run.following[at]
    row.request = i
    row.worker = g
    row.last_step = last_step
    row.base = size - state.grown
    slot = np.uint32(last_step & (run.bucket.size - 1))
    run.following[at] = run.bucket[slot]
    run.bucket[slot] = at
    run.loads[g] += size
    run.free[g] -= 1
    state.waiting -= 1
    state.active += 1


@compiled
def measure_loads(run: RunState) -> None:
    """Add up the loads, which set the step's duration, and let the clock run through it."""
    state = run.state[0]
    add_loads(state, run.loads, state.active >= state.capacity)


@compiled
def add_loads(state: Any, loads: IntArray, full: bool) -> None:
    """Add up the loads of a step in the totals of a run; ``full`` says whether no slot is empty."""
    largest, work, empty = np.int64(0), np.int64(0), np.int64(0)
    for load in loads:
        largest = max(largest, load)
        work += load
        empty += load == 0
    state.sum_max += largest
    state.work += work
    state.empty_steps += empty
    state.empty_max += empty * largest
    if not full:
        state.still_full = 0
    if state.still_full:
        state.full_steps += 1
        state.full_max += largest
        state.full_work += work
    state.now_s += state.overhead_s + state.token_s * largest


@compiled
def observe(run: RunState) -> None:
    """Keep the loads and add their powers, where these are wanted."""
    state = run.state[0]
    if run.history.shape[0]:
        for g in range(run.loads.size):
            run.history[state.rows, g] = run.loads[g]
        state.rows += 1
    add_powers(run.loads, run.gammas, run.powers)


@compiled
def depart(run: RunState) -> None:
    """Take away the requests for which this was the last step."""
    _depart(run.state[0], run.active, run.following, run.bucket, run.loads, run.free, run.finish_s)


@compiled
def _depart(
    state: Any,
    active: Any,
    following: Any,
    bucket: Any,
    loads: IntArray,
    free: IntArray,
    finish_s: FloatArray,
) -> None:
    step, grown, now_s = state.step, state.grown, state.now_s
    unused, gone = np.uint32(state.unused), 0
    slot = np.uint32(step & (bucket.size - 1))
    at, kept = bucket[slot], NO_ROW
    while at != NO_ROW:
        row = active[at]
        after = following[at]
        if row.last_step == step:
            loads[row.worker] -= row.base + grown
            free[row.worker] += 1
            finish_s[row.request] = now_s
            row.worker = NO_ROW
            following[at], unused = unused, at
            gone += 1
        else:  # its turn comes when the wheel has gone round
            following[at], kept = kept, at
        at = after
    bucket[slot] = kept
    state.unused = unused
    state.active -= gone


@compiled
def grow(run: RunState) -> None:
    """Let the active requests grow, and go on to the next step."""
    state = run.state[0]
    growth = run.drift[state.phase]
    for g in range(run.loads.size):
        run.loads[g] += growth * (state.slots - run.free[g])
    state.grown += growth
    state.phase += 1
    if state.phase == run.drift.size:
        state.phase = 0
    state.step += 1


@compiled
def add_powers(loads: IntArray, gammas: FloatArray, powers: FloatArray) -> None:
    """Add this step's sums of ``u^gamma``."""
    most, work = loads[0], np.int64(0)
    for load in loads:
        most = max(most, load)
        work += load
    largest, total = float(most), float(work)
    if largest == 0.0:
        return
    for m in range(gammas.size):
        if gammas[m] == 1.0:  # the sum of the loads is exact
            _add(powers[m, :2], total / largest)
            _add(powers[m, 2:], total)
        else:
            step = 0.0
            for load in loads:
                step += (load / largest) ** gammas[m]
            _add(powers[m, :2], step)
            _add(powers[m, 2:], largest * step)


@compiled
def _add(total: FloatArray, term: float) -> None:
    """Add with compensation: ``total[0]`` is the sum, ``total[1]`` what rounding cut off.

    Source: (Neumaier 1974).
    """
    before = total[0]
    after = before + term
    if abs(before) >= abs(term):
        total[1] += (before - after) + term
    else:
        total[1] += (term - after) + before
    total[0] = after


@compiled
def total_work(prefill: IntArray, decode: IntArray, growth: int) -> tuple[float, float, int]:
    """Tokens and total work under constant drift in floating point, and the work exactly.

    The latter may overflow; the others are then added up in floating point, which takes longer.
    """
    twice, tokens = 0, 0
    largest, longest = np.int64(0), np.int64(0)
    for i in range(prefill.size):
        s, o = prefill[i], decode[i]
        twice += o * (2 * s + growth * (o - 1))
        tokens += o
        largest, longest = max(largest, s), max(longest, o)
    most = 1.0 + 2.0 * float(largest) + float(growth) * float(longest)
    if float(prefill.size) * float(longest) * most < 2.0**62:
        return float(tokens), float(twice) / 2, twice // 2
    about, many = 0.0, 0.0
    for i in range(prefill.size):
        o = float(decode[i])
        many += o
        about += o * (float(prefill[i]) + growth * ((o - 1) / 2))
    return many, about, twice // 2
