"""TensorRT-LLM's routers for attention data parallelism: by load, and by load and prefix cache.

Both count prompt tokens: what has been generated since is not counted.  The system also holds back
prefills until every rank has one or a time-out passes; that is a property of a system here, not of
its router.
"""

from fractions import Fraction

import numpy as np

from solvers.arrays import max_of, sum_of
from solvers.compiled import compiled
from solvers.policies.arrival_order import splitmix64
from solvers.policies.protocol import InFlight, Rule, StepView, built_in, named
from solvers.step.problem import WAITS, Assignment
from solvers.step.sorted_sizes import sort_by_size
from theory.model import InputError, IntArray

_FILE = "NVIDIA/TensorRT-LLM at 02385f29, tensorrt_llm/_torch/pyexecutor/scheduler/adp_router.py"


def shown(name: str, view: StepView) -> InFlight:
    """The requests in flight, if the view shows them.

    Raises
    ------
    InputError
        If it does not.
    """
    if view.in_flight is None:
        raise InputError(f"{name} needs a view of the requests in flight")
    return view.in_flight


def drawn(workers: list[int], seed: int, number: int) -> int:
    """One of these workers, evenly, by a hash of the seed and the number of the request."""
    bits = splitmix64(splitmix64(np.uint64(seed % 2**64)) ^ np.uint64(number))
    return workers[(int(bits) >> 32) * len(workers) >> 32]


@compiled
def room_below(most: int, held: IntArray, free: IntArray, admitted: int) -> IntArray:
    """Free slots of each worker below so many requests.

    Where slots differ that may be too few for all admissions; the number is then raised.
    """
    room = np.empty(free.size, np.int64)
    while True:
        for g in range(free.size):
            room[g] = min(free[g], max(0, most - held[g]))
        if sum_of(room) >= admitted:
            return room
        most += 1


@compiled
def balance_prompts(
    tokens: IntArray, held: IntArray, free: IntArray, pool: IntArray, answer: IntArray
) -> None:
    """The rule of :class:`TensorRTLLMADP`.

    Parameters
    ----------
    tokens, held : int64[G]
        Prompt tokens and requests in flight on each worker; changed.
    free : int64[G]
        Free slots.
    pool : int64[n]
        Sizes of the waiting requests, in arrival order.
    answer : int64[n]
        Filled with the worker of each, or -1 for one that waits.
    """
    G, admitted = free.size, min(pool.size, sum_of(free))
    answer[:] = WAITS
    most = max(-(-(sum_of(held) + admitted) // G), max_of(held))
    room = room_below(most, held, free, admitted)
    order = np.arange(admitted)
    key, other_key, other = -pool[:admitted], np.empty_like(order), np.empty_like(order)
    if sort_by_size(key, order, other_key, other):
        order = other
    for i in order:
        best = -1
        for g in range(G):
            if room[g] and (
                best < 0
                or tokens[g] < tokens[best]
                or (tokens[g] == tokens[best] and held[g] < held[best])
            ):
                best = g
        answer[i] = best
        tokens[best] += pool[i]
        held[best] += 1
        room[best] -= 1


@built_in(
    rule=Rule(
        "TensorRT-LLM 2026, DefaultADPRouter",
        _FILE,
        "largest prompt first: (prompt tokens, requests, index) among the workers below"
        " min(B, max(mean count after the step rounded up, largest count now))",
    )
)
class TensorRTLLMADP:
    """TensorRT-LLM's attention-DP balance: the oldest requests, the largest first.

    Each goes to the worker with the fewest prompt tokens, then the fewest requests, then the lowest
    index, among those that run fewer requests than the mean after this step, rounded up, or than
    the largest number now if that is more.
    """

    name = "trtllm_adp"
    sees_in_flight = True

    def admit(self, view: StepView) -> Assignment:
        """See :class:`solvers.policies.protocol.Policy`."""
        in_flight = shown(self.name, view)
        tokens = np.array(in_flight.sum_by_worker(in_flight.size, view.free.size), dtype=np.int64)
        assignment = np.empty(view.pool.size, dtype=np.int64)
        balance_prompts(tokens, view.counts.copy(), view.free, view.pool, assignment)
        return assignment


@built_in(
    {"load_weight=0.5": "half as much weight on the load as on the tokens to compute"},
    Rule(
        "TensorRT-LLM 2026, KVCacheAwareADPRouter",
        _FILE,
        "s - match + beta s t_g / max(sum t, s), then t_g, then at random, among the workers below"
        " min(B, max(2 ceil(mean count after the step), largest count now)); t_g the prompt tokens"
        " of g less what was cached; no match unless it is more than a tenth",
    ),
)
class TensorRTLLMKVAware:
    """TensorRT-LLM's cache-aware attention-DP balance: tokens to compute, and the share of load.

    Requests of one group go one after the other, the larger first.  A worker has cached, of a
    request of a group, as much as the largest request of the group that went there, at most all
    but one token: prompts of a group continue one another, and nothing is evicted.  Without groups
    nothing is cached, and the rule is by load alone.

    Parameters
    ----------
    load_weight : float
        ``beta >= 0``.
    match_rate : float
        Share of a prompt that must be cached somewhere for the cache to count, in [0, 1].
    fair_share : float
        How many times the mean count a worker may have, ``>= 1``.
    seed : int
        Of the ties; taken modulo ``2^64``.
    """

    name = "trtllm_kv_aware"
    sees_in_flight = True

    def __init__(
        self,
        load_weight: float = 1.0,
        match_rate: float = 0.1,
        fair_share: float = 2.0,
        seed: int = 0,
    ) -> None:
        for name, value, least, most in (
            ("load_weight", load_weight, 0, float("inf")),
            ("match_rate", match_rate, 0, 1),
            ("fair_share", fair_share, 1, float("inf")),
        ):
            if isinstance(value, str) or not (least <= value <= most and value < float("inf")):
                raise InputError(f"{name} must be a number in [{least}, {most}], got {value!r}")
        self.name = named(
            self, load_weight=load_weight, match_rate=match_rate, fair_share=fair_share
        )
        self.load_weight, self.match_rate = Fraction(load_weight), Fraction(match_rate)
        self.fair_share, self.seed = Fraction(fair_share), seed
        self.cached: dict[tuple[int, int], int] = {}
        self.to_compute: dict[int, int] = {}

    def admit(self, view: StepView) -> Assignment:
        """See :class:`solvers.policies.protocol.Policy`."""
        G, in_flight = view.free.size, shown(self.name, view)
        counts: list[int] = view.counts.tolist()
        sizes: list[int] = view.pool[: view.admissions].tolist()
        numbers = list(range(len(sizes))) if view.request is None else view.request.tolist()
        groups = [] if view.group is None else view.group.tolist()
        order = list(range(len(sizes)))
        if view.group is not None:
            order.sort(key=lambda i: (groups[i], -sizes[i]))
        tokens = [0] * G
        for number, g, size in zip(
            in_flight.request.tolist(),
            in_flight.worker.tolist(),
            in_flight.size.tolist(),
            strict=True,
        ):
            tokens[g] += self.to_compute.get(number, size)
        mean = -(-(sum(counts) + len(sizes)) // G)
        most = max(int(-(-mean * self.fair_share // 1)), *counts)
        room = room_below(most, view.counts, view.free, view.admissions).tolist()
        eligible = [g for g in range(G) if room[g]]
        assignment = np.full(view.pool.size, WAITS, dtype=np.int64)
        for i in order:
            size = sizes[i]
            match = dict.fromkeys(eligible, 0)
            if view.group is not None:
                match = {g: min(self.cached.get((g, groups[i]), 0), size - 1) for g in eligible}
            counting = max(match.values()) > self.match_rate * size
            whole = max(sum(tokens[g] for g in eligible), size)
            scores = {
                g: (
                    (size - match[g] * counting) * whole + self.load_weight * tokens[g] * size,
                    tokens[g],
                )
                for g in eligible
            }
            least = min(scores.values())
            best = drawn([g for g in eligible if scores[g] == least], self.seed, numbers[i])
            assignment[i] = best
            counts[best] += 1
            self.to_compute[numbers[i]] = size - match[best]
            tokens[best] += size - match[best]
            if view.group is not None:
                key = best, groups[i]
                self.cached[key] = max(self.cached.get(key, 0), size)
            room[best] -= 1
            if not room[best]:
                eligible.remove(best)
        return assignment
