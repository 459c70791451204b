"""Policies of serving systems under their own names, as far as one central pool can show them.

vLLM's first tie-break is :class:`solvers.policies.baselines.VllmDP`.  SGLang's two rules are those
of JSQ and of the least loaded worker.  TensorRT-LLM's attention-DP balance also holds back prefills
until every rank has one or a time-out passes; a step here has no prefill phase of its own, so
only its placement is modelled.
"""

import heapq

import numpy as np

from solvers.policies.baselines import JSQ, LeastLoaded
from solvers.policies.protocol import StepView
from solvers.step.problem import WAITS, Assignment


class VllmDPRotating:
    """The score ``4 * waiting + running`` of vLLM; ties go to the next worker in turn.

    The turn moves on by one worker with every request, and is kept between steps.

    Parameters
    ----------
    turn : int
        Worker that wins the first tie, taken modulo ``G``.
    """

    name = "vllm_dp_rotating"

    def __init__(self, turn: int = 0) -> None:
        self.turn = turn

    def admit(self, view: StepView) -> Assignment:
        """See :class:`solvers.policies.protocol.Policy`."""
        free: list[int] = view.free.tolist()
        score: list[int] = (view.slots - view.free).tolist()
        G = len(free)
        assignment = np.full(view.pool.size, WAITS, dtype=np.int64)
        for position in range(view.admissions):
            first = self.turn % G
            best = min(
                (worker for worker in range(G) if free[worker]),
                key=lambda worker: (score[worker], (worker - first) % G),
            )
            assignment[position] = best
            free[best] -= 1
            score[best] += 4
            self.turn += 1
        return assignment


class SGLangShortestQueue(JSQ):
    """SGLang's ``shortest_queue``: oldest first, to the worker with the fewest requests."""

    name = "sglang_shortest_queue"


class SGLangMinimumTokens(LeastLoaded):
    """SGLang's ``minimum_tokens``: oldest first, to the worker with the fewest tokens."""

    name = "sglang_minimum_tokens"


class TensorRTLLMADP:
    """TensorRT-LLM's attention-DP balance: the oldest requests, the largest first.

    Each goes to the worker with the fewest tokens, then the fewest requests, then the lowest
    index, among those that run fewer requests than the mean after this step, rounded up.
    """

    name = "trtllm_adp"

    def admit(self, view: StepView) -> Assignment:
        """See :class:`solvers.policies.protocol.Policy`."""
        running: list[int] = (view.slots - view.free).tolist()
        loads: list[int] = view.loads.tolist()
        total = sum(running) + view.admissions
        # At most B, and enough for all: the workers below it have room for every admission.
        most = -(-total // len(running))
        heap = [
            (load, count, g) for g, (load, count) in enumerate(zip(loads, running, strict=True))
        ]
        heap = [entry for entry in heap if entry[1] < most]
        heapq.heapify(heap)
        sizes = view.pool[: view.admissions]
        assignment = np.full(view.pool.size, WAITS, dtype=np.int64)
        for request in np.argsort(-sizes, kind="stable").tolist():
            load, count, g = heapq.heappop(heap)
            assignment[request] = g
            if count + 1 < most:
                heapq.heappush(heap, (load + int(sizes[request]), count + 1, g))
        return assignment
