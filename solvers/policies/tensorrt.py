"""TensorRT-LLM's routers for attention data parallelism: by load, and by load and prefix cache.

Both count prompt tokens: what has been generated since is not counted.  The system also holds back
prefills until every rank has one or a time-out passes; that is a property of a system here, not of
its router.
"""

import heapq
from fractions import Fraction

import numpy as np

from solvers.policies.in_flight import drawn, shown
from solvers.policies.protocol import Rule, StepView, built_in, named
from solvers.step.problem import WAITS, Assignment
from theory.model import InputError

_FILE = "NVIDIA/TensorRT-LLM at 02385f29, tensorrt_llm/_torch/pyexecutor/scheduler/adp_router.py"


def limits(view: StepView, most: int) -> list[int]:
    """How many requests each worker may have: so many, where it has the slots.

    Where slots differ that may be too few for all admissions; the number is then raised.
    """
    held: list[int] = view.counts.tolist()
    room: list[int] = view.free.tolist()
    while True:
        limit = [count + min(free, most - count) for count, free in zip(held, room, strict=True)]
        if sum(limit) - sum(held) >= view.admissions:
            return limit
        most += 1


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
        G, in_flight = view.free.size, shown(self.name, view)
        running: list[int] = view.counts.tolist()
        tokens = in_flight.sum_by_worker(in_flight.size, G)
        mean = -(-(sum(running) + view.admissions) // G)
        most = limits(view, max(mean, *running))
        heap = [
            (load, count, g) for g, (load, count) in enumerate(zip(tokens, running, strict=True))
        ]
        heap = [entry for entry in heap if entry[1] < most[entry[2]]]
        heapq.heapify(heap)
        sizes = view.pool[: view.admissions]
        assignment = np.full(view.pool.size, WAITS, dtype=np.int64)
        for request in np.argsort(-sizes, kind="stable").tolist():
            load, count, g = heapq.heappop(heap)
            assignment[request] = g
            if count + 1 < most[g]:
                heapq.heappush(heap, (load + int(sizes[request]), count + 1, g))
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
        most = limits(view, max(int(-(-mean * self.fair_share // 1)), *counts))
        eligible = [g for g in range(G) if counts[g] < most[g]]
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
            if counts[best] >= most[best]:
                eligible.remove(best)
        return assignment
