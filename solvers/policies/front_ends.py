"""The front ends of vLLM and SGLang: scores from snapshots of the workers, and their own counts.

A front end sends each request, in order of arrival, to the worker of the smallest score.  It knows
the workers from a snapshot that is taken now and then, and between two of them counts what it has
sent itself.  There may be several front ends: request ``i`` comes through front end ``i`` modulo
their number, all take their snapshots together, and none knows what the others have sent since.

Here requests may wait in one central pool, and then only workers with a free slot are in question;
of a snapshot that is older, its age is all that is modelled: it is taken at the first decision that
is far enough from the last one.  The scores are in :mod:`solvers.policies.sending`.
"""

import inspect

import numpy as np

from solvers.policies.protocol import Rule, built_in, integer_from, named
from solvers.policies.sending import (
    SGLANG_TOTAL_REQUESTS,
    SGLANG_TOTAL_TOKENS,
    VLLM_DP_ROTATING,
    VLLM_IN_FLIGHT,
    VLLM_TOKENS,
    Router,
)
from theory.model import InputError, IntArray


class FrontEnds(Router):
    """Sends requests by a score of snapshots; what the score is, is up to the rule.

    Parameters
    ----------
    every : int
        Steps from one snapshot to the next, at least; 1 for every step.
    every_ms : float
        Milliseconds from one snapshot to the next, at least.
    clients : int
        Front ends.

    Raises
    ------
    InputError
        If a parameter is out of its range.
    """

    def __init__(self, every: int = 1, every_ms: float = 0, clients: int = 1) -> None:
        if isinstance(every_ms, str) or not 0 <= every_ms < float("inf"):
            raise InputError(f"every_ms must be a number >= 0, got {every_ms!r}")
        super().__init__(
            integer_from("every", every, 1), every_ms, integer_from("clients", clients, 1)
        )
        options = {"every": every, "every_ms": every_ms, "clients": clients}
        known = inspect.signature(type(self)).parameters
        self.name = named(self, **{key: options[key] for key in options if key in known})

    def first_starts(self, workers: int) -> IntArray:
        """Where the first scan of each front end begins: they are spread over the workers."""
        starts = super().first_starts(workers)
        return workers * np.arange(starts.size) // starts.size if self.rotates else starts


@built_in(
    {"every_ms=100,clients=4": "four front ends, which hear of the workers every 100 ms"},
    Rule(
        "vLLM, July 2026, for some weeks",
        "vllm-project/vllm, vllm/v1/engine/core_client.py, pull request 47420",
        "4 waiting + running; scan from a start that moves on with every request, strict <",
    ),
)
class VllmDPRotating(FrontEnds):
    """The score ``4 * waiting + running`` of vLLM; ties go to the next worker in turn.

    The turn moves on by one worker with every request, and is kept between steps.  What a front end
    sent itself counts as waiting, as often as there are front ends.

    Parameters
    ----------
    turn : int
        Worker that wins the first tie of the first front end, taken modulo ``G``.
    every, every_ms, clients
        See :class:`FrontEnds`.
    """

    name = "vllm_dp_rotating"
    rule = VLLM_DP_ROTATING
    rotates = True

    def __init__(
        self, turn: int = 0, every: int = 1, every_ms: float = 0, clients: int = 1
    ) -> None:
        super().__init__(every, every_ms, clients)
        self.turn = turn

    def first_starts(self, workers: int) -> IntArray:
        """See :class:`FrontEnds`."""
        return self.turn % workers + super().first_starts(workers)


@built_in(
    {"every_ms=0": "with a fresh snapshot at every step"},
    Rule(
        "vLLM since late July 2026",
        "vllm-project/vllm at 00080ee1, vllm/v1/engine/core_client.py; pull request 49204",
        "max(clients * own in flight, waiting + running)"
        " + 6 waiting max(0, KV use - 1/2) if waiting > 0;"
        " scan from a start that moves on with every request, strict <; snapshots every 100 ms",
    ),
)
class VllmInFlight(FrontEnds):
    """vLLM's data-parallel front end: its own requests in flight, or the queues if these are more.

    A front end knows exactly which of its own requests are not finished; the queues, and the share
    of the KV cache in use, it knows from a snapshot.  Without a KV budget that share is 0.

    Parameters
    ----------
    every, every_ms, clients
        See :class:`FrontEnds`.
    """

    name = "vllm_in_flight"
    rule = VLLM_IN_FLIGHT
    rotates = True
    sees_in_flight = True

    def __init__(self, every: int = 1, every_ms: float = 100, clients: int = 1) -> None:
        super().__init__(every, every_ms, clients)


@built_in(
    rule=Rule(
        "vLLM, proposed in April 2026, not merged",
        "vllm-project/vllm, pull request 40795; from a description",
        "4 waiting tokens + running tokens; lowest index on ties",
    )
)
class VllmTokens(FrontEnds):
    """A proposal for vLLM: the score ``4 * waiting tokens + running tokens``.

    What a front end sent itself counts as waiting, as often as there are front ends.

    Parameters
    ----------
    every, every_ms, clients
        See :class:`FrontEnds`.
    """

    name = "vllm_tokens"
    rule = VLLM_TOKENS


class SGLang(FrontEnds):
    """SGLang's controller: totals of requests and tokens, raised at every dispatch."""

    def __init__(self, every: int = 1, every_ms: float = 20) -> None:
        super().__init__(every, every_ms)


_SGLANG = "sgl-project/sglang, python/sglang/srt/managers/data_parallel_controller.py"


@built_in(
    rule=Rule(
        "SGLang 2026 (was shortest_queue)",
        _SGLANG,
        "running + waiting + sent since the snapshot; lowest index on ties; snapshots 20 ms apart",
    )
)
class SGLangTotalRequests(SGLang):
    """SGLang's ``total_requests``: the fewest requests, counting each as it is sent.

    Parameters
    ----------
    every, every_ms
        See :class:`FrontEnds`.
    """

    name = "sglang_total_requests"
    rule = SGLANG_TOTAL_REQUESTS


@built_in(
    rule=Rule(
        "SGLang since April 2026 (was minimum_tokens)",
        f"{_SGLANG}, pull request 22614",
        "(tokens + prompts sent since the snapshot, requests); lowest index on ties;"
        " snapshots 20 ms apart",
    )
)
class SGLangTotalTokens(SGLang):
    """SGLang's ``total_tokens``: the fewest tokens, then requests, counting each as it is sent.

    Parameters
    ----------
    every, every_ms
        See :class:`FrontEnds`.
    """

    name = "sglang_total_tokens"
    rule = SGLANG_TOTAL_TOKENS
