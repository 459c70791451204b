"""Routers that count what is in flight themselves: ATOM, llm-d, tpu-inference, vllm-ascend.

Each knows exactly which requests it sent where and which of them are finished.  Tokens are prompt
tokens: what has been generated since is not counted.  The oldest requests go first, each to the
best worker with a free slot.  The scores are in :mod:`solvers.policies.sending`.
"""

import numpy as np

from solvers.policies.protocol import Rule, built_in, integer_from, named
from solvers.policies.sending import (
    ATOM_LEAST_REQUESTS,
    ATOM_LEAST_TOKENS,
    LLMD_TOKEN_LOAD,
    TPU_INFERENCE,
    VLLM_ASCEND_PROXY,
    Router,
)
from theory.model import IntArray


class ExactCounts(Router):
    """Sends each request to the worker of the least score, by counts of its own."""

    sees_in_flight = True


class Rotating(ExactCounts):
    """Breaks ties by a turn that moves on by one worker with every request.

    Parameters
    ----------
    turn : int
        Worker that wins the first tie, taken modulo ``G``.
    number : int
        The parameter of the rule, if it has one.
    """

    rotates = True

    def __init__(self, turn: int = 0, number: int = 0) -> None:
        super().__init__(number=number)
        self.turn = turn

    def first_starts(self, workers: int) -> IntArray:
        """See :class:`~solvers.policies.sending.Router`."""
        return np.full(1, self.turn % workers, dtype=np.int64)


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
    rule = ATOM_LEAST_REQUESTS

    def __init__(self, turn: int = 0) -> None:
        super().__init__(turn)


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
    rule = ATOM_LEAST_TOKENS

    def __init__(self, turn: int = 0, per_request: int = 512) -> None:
        super().__init__(turn, integer_from("per_request", per_request, 0))
        self.name = named(self, per_request=per_request)


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
    rule = LLMD_TOKEN_LOAD

    def __init__(self, threshold: int = 4_194_304, seed: int = 0) -> None:
        super().__init__(number=integer_from("threshold", threshold, 1))
        self.name = named(self, threshold=threshold)
        self.seed = seed


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
    rule = TPU_INFERENCE


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
    rule = VLLM_ASCEND_PROXY
