"""Routers that count what is in flight themselves: ATOM, llm-d, tpu-inference, vllm-ascend.

Each knows exactly which requests it sent where and which of them are finished.  Tokens are prompt
tokens: what has been generated since is not counted.  The oldest requests go first, each to the
best worker with a free slot.
"""

import numpy as np

from solvers.policies.arrival_order import splitmix64
from solvers.policies.protocol import InFlight, Rule, StepView, built_in, integer_from, named
from solvers.step.problem import WAITS, Assignment
from theory.model import InputError


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


class ExactCounts:
    """Sends each request to the worker of the least key, by counts of its own.

    Attributes
    ----------
    requests, tokens : list of int
        In flight on each worker: requests, and prompt tokens.
    """

    name: str
    sees_in_flight = True

    def __init__(self) -> None:
        self.requests: list[int] = []
        self.tokens: list[int] = []

    def look(self, in_flight: InFlight, workers: int) -> None:
        """Count what is in flight at the start of a step."""
        self.requests = in_flight.sum_by_worker(np.ones_like(in_flight.size), workers)
        self.tokens = in_flight.sum_by_worker(in_flight.size, workers)

    def key(self, worker: int) -> tuple[int, ...]:
        """The least is best."""
        raise NotImplementedError

    def sent(self, worker: int, size: int) -> None:
        """Count a request that has just been sent."""
        self.requests[worker] += 1
        self.tokens[worker] += size

    def choose(self, number: int, open_workers: list[int]) -> int:
        """The worker of one request: the least key, lowest index on ties."""
        return min(open_workers, key=self.key)

    def admit(self, view: StepView) -> Assignment:
        """See :class:`solvers.policies.protocol.Policy`."""
        G = view.free.size
        self.look(shown(self.name, view), G)
        free: list[int] = view.free.tolist()
        numbers = np.arange(view.pool.size) if view.request is None else view.request
        assignment = np.full(view.pool.size, WAITS, dtype=np.int64)
        for position in range(view.admissions):
            open_workers = [g for g in range(G) if free[g]]
            g = self.choose(int(numbers[position]), open_workers)
            assignment[position] = g
            free[g] -= 1
            self.sent(g, int(view.pool[position]))
        return assignment


class Rotating(ExactCounts):
    """Breaks ties by a turn that moves on by one worker with every request.

    Parameters
    ----------
    turn : int
        Worker that wins the first tie, taken modulo ``G``.
    """

    def __init__(self, turn: int = 0) -> None:
        super().__init__()
        self.turn = turn

    def choose(self, number: int, open_workers: list[int]) -> int:
        """The worker of one request."""
        G, first = len(self.requests), self.turn
        self.turn += 1
        return min(open_workers, key=lambda g: (self.key(g), (g - first) % G))


_ATOM = "ROCm/ATOM at 486af2c4, atom/model_engine/engine_core_mgr.py"


@built_in(
    rule=Rule(
        "ATOM, August 2026 (its default)",
        _ATOM,
        "(requests in flight, their prompt tokens); ties in turn",
    )
)
class AtomLeastRequests(Rotating):
    """ATOM's ``least_requests``: the fewest requests in flight, then the fewest prompt tokens.

    Parameters
    ----------
    turn : int
        Worker that wins the first tie, taken modulo ``G``; it moves on with every request.
    """

    name = "atom_least_requests"

    def key(self, worker: int) -> tuple[int, ...]:
        """See :class:`ExactCounts`."""
        return self.requests[worker], self.tokens[worker]


@built_in(
    rule=Rule(
        "ATOM, August 2026",
        _ATOM,
        "prompt tokens in flight + 512 requests in flight; ties in turn",
    )
)
class AtomLeastTokens(Rotating):
    """ATOM's ``least_tokens``: prompt tokens in flight, a request counting as 512 more.

    Parameters
    ----------
    turn : int
        Worker that wins the first tie, taken modulo ``G``; it moves on with every request.
    per_request : int
        Tokens that a request counts for, beside its prompt.
    """

    name = "atom_least_tokens"

    def __init__(self, turn: int = 0, per_request: int = 512) -> None:
        super().__init__(turn)
        self.per_request = integer_from("per_request", per_request, 0)
        self.name = named(self, per_request=per_request)

    def key(self, worker: int) -> tuple[int, ...]:
        """See :class:`ExactCounts`."""
        return (self.tokens[worker] + self.per_request * self.requests[worker],)


@built_in(
    rule=Rule(
        "llm-d router, May 2026",
        "llm-d/llm-d-inference-scheduler at 520af478, scorer/tokenload/token_load.go"
        " and dataproducer/inflightload/token_estimator.go",
        "1 - min(1, t / 4194304) is largest, t the sum over requests in flight of prompt +"
        " round(1.5 prompt); ties at random",
    )
)
class LlmdTokenLoad(ExactCounts):
    """llm-d's ``token-load-scorer``: the fewest estimated tokens in flight.

    A request is estimated at two and a half times its prompt, halves rounded up; beyond a
    threshold all are equal.  Ties are broken at random, by a hash of seed and request.

    Parameters
    ----------
    threshold : int
        Tokens of a worker from which on more make no difference.
    seed : int
        Of the ties; taken modulo ``2^64``.
    """

    name = "llmd_token_load"

    def __init__(self, threshold: int = 4_194_304, seed: int = 0) -> None:
        super().__init__()
        self.threshold = integer_from("threshold", threshold, 1)
        self.name = named(self, threshold=threshold)
        self.seed = seed

    def look(self, in_flight: InFlight, workers: int) -> None:
        """See :class:`ExactCounts`."""
        super().look(in_flight, workers)
        self.tokens = in_flight.sum_by_worker(
            in_flight.size + (3 * in_flight.size + 1) // 2, workers
        )

    def sent(self, worker: int, size: int) -> None:
        """See :class:`ExactCounts`."""
        super().sent(worker, size + (3 * size + 1) // 2)

    def key(self, worker: int) -> tuple[int, ...]:
        """See :class:`ExactCounts`."""
        return (min(self.tokens[worker], self.threshold),)

    def choose(self, number: int, open_workers: list[int]) -> int:
        """See :class:`ExactCounts`."""
        least = min(map(self.key, open_workers))
        return drawn([g for g in open_workers if self.key(g) == least], self.seed, number)


def drawn(workers: list[int], seed: int, number: int) -> int:
    """One of these workers, evenly, by a hash of the seed and the number of the request."""
    bits = splitmix64(splitmix64(np.uint64(seed % 2**64)) ^ np.uint64(number))
    return workers[(int(bits) >> 32) * len(workers) >> 32]


@built_in(
    rule=Rule(
        "tpu-inference since June 2026 (0.23; without a prefix cache 0.27 is the same)",
        "vllm-project/tpu-inference, tpu_inference/core/sched/dp_scheduler.py,"
        " pull requests 2780 and 3315",
        "(prompt tokens not yet prefilled, requests in flight, least output left of a running"
        " request); lowest index on ties",
    )
)
class TpuInference(ExactCounts):
    """tpu-inference: the fewest prompt tokens to prefill, then requests, then who ends soonest.

    The output left is the most that a request may have less what it has: with one maximum for all
    it is least where a running request has the largest age.  A worker that runs nothing is last
    in this.  Prefill takes no step of its own here, so that what is to be prefilled is what waits
    in a worker's queue or was sent at this step.
    """

    name = "tpu_inference"

    def look(self, in_flight: InFlight, workers: int) -> None:
        """See :class:`ExactCounts`."""
        super().look(in_flight, workers)
        self.tokens = in_flight.sum_by_worker(in_flight.size * in_flight.queued, workers)
        oldest = np.full(workers, -1, dtype=np.int64)
        running = ~in_flight.queued
        np.maximum.at(oldest, in_flight.worker[running], in_flight.age[running])
        self.oldest: list[int] = oldest.tolist()

    def key(self, worker: int) -> tuple[int, ...]:
        """See :class:`ExactCounts`."""
        return self.tokens[worker], self.requests[worker], -self.oldest[worker]


@built_in(
    rule=Rule(
        "vllm-ascend's proxy, August 2026 (its choice of decoders)",
        "vllm-project/vllm-ascend at 1ba7ee4e,"
        " examples/disaggregated_prefill_v1/load_balance_proxy_server_example.py",
        "prompt tokens in flight; lowest index on ties",
    )
)
class VllmAscendProxy(ExactCounts):
    """The proxy of vllm-ascend: the fewest prompt tokens in flight."""

    name = "vllm_ascend_proxy"

    def key(self, worker: int) -> tuple[int, ...]:
        """See :class:`ExactCounts`."""
        return (self.tokens[worker],)
