"""What a run of a system that may depart from the model reads and writes.

Between two steps a request is unseen, waiting in the pool, in the queue of a worker, being served,
or finished.  Requests that are served hang in a wheel of buckets by the step that they end with,
and those of a worker in a list by admission, from whose end it preempts.  The step itself is
:mod:`solvers.simulation.serving_step`.
"""

from typing import Any, NamedTuple

import numpy as np

from solvers.simulation.state import HISTORY_BLOCK, LONGEST_WHEEL, NOBODY
from theory.model import FloatArray, IntArray, Requests
from theory.serving import ServingSystem

# Where a request is.
UNSEEN, WAITING, QUEUED, RUNNING, DONE = range(5)

_INTS = (
    "timed",  # 1 if requests arrive by the clock, 0 for a backlog
    "limit",  # largest number that waits in a backlog, in the pool or in queues
    "capacity",  # slots of all workers
    "requests",  # N
    "queues",  # 1 if the workers have queues
    "reserve",  # tokens set aside for the growth of each request, or -1
    "request_cost",
    "growth",  # tokens of a step that the drift of one token is multiplied by
    "admit_every",
    "hold",
    "held",  # steps in a row that admissions have been held back
    "step",
    "phase",  # its place in the period of the drift
    "grown",  # drift accumulated up to it
    "revealed",  # requests that have entered: 0 .. revealed - 1
    "waiting",  # of these, in the pool
    "active",  # of these, sent to a worker and not finished
    "running",  # of these, being served
    "first",  # all requests before this one are finished
    "sum_max",  # over all steps
    "work",
    "empty_steps",  # worker-steps without a request
    "empty_max",  # the largest costs of their steps
    "full_steps",  # over the steps before the first that left a slot empty
    "full_max",
    "full_work",
    "still_full",  # 1 until that step
    "observed",  # 1 if the history or power sums are wanted
    "rows",  # rows of the history filled
    "bound_gap",  # excess of the imbalances over their lower bounds, for bfio
    "due",  # 1 while the present step waits for a decision
)
_FLOATS = ("now_s", "overhead_s", "token_s")
SERVING = np.dtype([(name, np.int64) for name in _INTS] + [(name, np.float64) for name in _FLOATS])

REQUEST = np.dtype(
    [
        (name, np.int64)
        for name in (
            "prefill",  # size on arrival
            "steps",  # that it is served
            "weight",  # what it counts for among the tokens that routers count
            "size_now",  # size with the tokens that it had when it was preempted
            "age",  # steps served before it was admitted last
            "where",  # UNSEEN to DONE
            "worker",
            "reveal_step",
            "start_step",
            "preempted",  # how often
            "entered",  # of one that is served: step of its admission less age
            "last_step",  # of one that is served
            "base",  # of one that is served: size_now less the drift accumulated before
            "after",  # neighbours in the queue, or among those that are served, of its worker
            "before",
            "later",  # neighbours in its bucket of the wheel
            "earlier",
        )
    ]
    + [("start_s", np.float64), ("finish_s", np.float64)]
)

WORKER = np.dtype(
    [
        (name, np.int64)
        for name in (
            "slots",
            "slowness",
            "load",  # tokens of the requests that are served
            "running",  # how many these are
            "claimed",  # tokens that they have of the budget
            "first_queued",  # ends of the lists
            "last_queued",
            "last_running",
            "blocked",  # 1 if a request did not fit at this step
            "cost",  # sum over the steps
        )
    ]
)


class ServingState(NamedTuple):
    """All that a run of a serving system reads and writes.

    Parameters
    ----------
    state : SERVING[1]
        Counters, exact sums and the clock.
    request : REQUEST[N]
        The requests.
    worker : WORKER[G]
        The workers.
    arrival : float64[N]
        Arrival times; empty for a backlog.
    drift : int64[P]
        One period of the drift of a token.
    bucket : int64[W], W a power of two
        First request whose last step is ``j`` modulo ``W``, or ``NOBODY``.
    pool, pool_size, answer : int64[N]
        The waiting requests in arrival order; at a decision their sizes, and the decision.
    budget : int64[G]
        Tokens that each worker may hold; empty for no limit.
    queued, queued_tokens, queued_weight : int64[G]
        Number, sizes and weights of the requests in the queue of each worker.
    own, tokens : int64[C, G], int64[G]
        Requests that are sent to a worker and not finished, by their number modulo ``C``, and
        their weights.
    loads, free, held : int64[G]
        What a decision is shown; see :class:`solvers.policies.protocol.StepView`.
    smallest : int64[m]
        Working space: sums of the smallest waiting sizes.
    cost : int64[G]
        What the step costs each worker.
    gammas, powers, history
        See :class:`solvers.simulation.state.RunState`.
    """

    state: Any
    request: Any
    worker: Any
    arrival: FloatArray
    drift: IntArray
    bucket: IntArray
    pool: IntArray
    pool_size: IntArray
    answer: IntArray
    budget: IntArray
    queued: IntArray
    queued_tokens: IntArray
    queued_weight: IntArray
    own: IntArray
    tokens: IntArray
    loads: IntArray
    free: IntArray
    held: IntArray
    smallest: IntArray
    cost: IntArray
    gammas: FloatArray
    powers: FloatArray
    history: IntArray


def new_serving(
    system: ServingSystem,
    requests: Requests,
    limit: int,
    gammas: FloatArray,
    history: bool,
    weight: IntArray | None = None,
    clients: int = 1,
) -> ServingState:
    """The state before the first step.

    Parameters
    ----------
    system, requests, limit, gammas, history
        See :func:`solvers.simulation.engine.simulate`.
    weight : int64[N], optional
        What a request counts for among the tokens that a router counts; its prompt by default.
    clients : int
        Front ends that count their own requests.
    """
    n, G = len(requests), system.workers
    request, worker = np.zeros(n, dtype=REQUEST), np.zeros(G, dtype=WORKER)
    for name in ("worker", "start_step", "after", "before", "later", "earlier"):
        request[name] = NOBODY
    request["prefill"] = request["size_now"] = requests.prefill
    request["weight"] = requests.prefill if weight is None else weight
    request["steps"] = -(-requests.decode // system.tokens_per_step)
    for name in ("first_queued", "last_queued", "last_running"):
        worker[name] = NOBODY
    worker["slots"] = system.slots_of or system.slots
    worker["slowness"] = system.slowness or 1
    longest = min(int(request["steps"].max(initial=1)), LONGEST_WHEEL)
    rows = max(1, HISTORY_BLOCK // G) if history else 0
    most = int(worker["slots"].max()) if system.kv_budget else 0
    state = np.zeros(1, dtype=SERVING)
    for name, value in (
        ("timed", requests.arrival is not None),
        ("limit", limit),
        ("capacity", system.capacity),
        ("requests", n),
        ("queues", system.queues),
        ("reserve", -1 if system.reserve is None else system.reserve),
        ("request_cost", system.request_cost),
        ("growth", system.tokens_per_step),
        ("admit_every", system.admit_every),
        ("hold", system.hold),
        ("still_full", True),
        ("observed", history or gammas.size > 0),
        ("overhead_s", system.step_overhead_s),
        ("token_s", system.seconds_per_token),
    ):
        state[name] = value

    def zeros(*shape: int) -> IntArray:
        return np.zeros(shape, dtype=np.int64)

    return ServingState(
        state=state,
        request=request,
        worker=worker,
        # Copied, so that one compiled version does for those that may and may not be written to.
        arrival=np.empty(0) if requests.arrival is None else requests.arrival.copy(),
        drift=np.array(system.drift, dtype=np.int64),
        bucket=np.full(1 << (longest - 1).bit_length(), NOBODY, dtype=np.int64),
        pool=zeros(n),
        pool_size=zeros(n),
        answer=zeros(n),
        budget=np.array(system.kv_budget, dtype=np.int64),
        queued=zeros(G),
        queued_tokens=zeros(G),
        queued_weight=zeros(G),
        own=zeros(clients, G),
        tokens=zeros(G),
        loads=zeros(G),
        free=zeros(G),
        held=zeros(G),
        smallest=zeros(min(n, most)),
        cost=zeros(G),
        gammas=gammas,
        powers=np.zeros((gammas.size, 4)),
        history=np.empty((rows, G), dtype=np.int64),
    )
