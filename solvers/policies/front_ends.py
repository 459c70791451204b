"""The front ends of vLLM and SGLang: scores from snapshots of the workers, and their own counts.

A front end sends each request, in order of arrival, to the worker of the smallest score.  It knows
the workers from a snapshot that is taken now and then, and between two of them counts what it has
sent itself.  There may be several front ends: request ``i`` comes through front end ``i`` modulo
their number, all take their snapshots together, and none knows what the others have sent since.

Here requests may wait in one central pool, and then only workers with a free slot are in question;
of a snapshot that is older, its age is all that is modelled: it is taken at the first decision that
is far enough from the last one.
"""

import inspect
from fractions import Fraction
from typing import ClassVar

import numpy as np

from solvers.policies.protocol import Rule, StepView, built_in, integer_from, named
from solvers.step.problem import WAITS, Assignment
from theory.model import InputError

# Scores are compared entry by entry, and exactly.
Score = tuple[int | Fraction, ...]


class Counts:
    """What one front end believes of the workers: a snapshot, and what it has sent since.

    Attributes
    ----------
    waiting, running : list of int
        Requests in the queue of each worker, and requests that it serves.
    waiting_tokens, running_tokens : list of int
        The same in tokens.
    budget : list of int or None
        Tokens that each worker's KV cache holds, if the system has budgets.
    start : int
        The worker at which a scan begins.
    """

    def __init__(self, start: int = 0) -> None:
        self.waiting: list[int] = []
        self.running: list[int] = []
        self.waiting_tokens: list[int] = []
        self.running_tokens: list[int] = []
        self.budget: list[int] | None = None
        self.start = start

    def look(self, view: StepView) -> None:
        """Take a snapshot."""
        none = np.zeros_like(view.free)
        queued = none if view.queued is None else view.queued
        tokens = none if view.queued_tokens is None else view.queued_tokens
        self.waiting, self.waiting_tokens = queued.tolist(), tokens.tolist()
        self.running = (view.counts - queued).tolist()
        self.running_tokens = (view.loads - tokens).tolist()
        self.budget = None if view.budget is None else view.budget.tolist()


class FrontEnds:
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

    name: str
    rotates: ClassVar[bool] = False

    def __init__(self, every: int = 1, every_ms: float = 0, clients: int = 1) -> None:
        self.every = integer_from("every", every, 1)
        if isinstance(every_ms, str) or not 0 <= every_ms < float("inf"):
            raise InputError(f"every_ms must be a number >= 0, got {every_ms!r}")
        self.every_ms = every_ms
        self.clients = integer_from("clients", clients, 1)
        options = {"every": every, "every_ms": every_ms, "clients": clients}
        known = inspect.signature(type(self)).parameters
        self.name = named(self, **{key: options[key] for key in options if key in known})
        self.counts: list[Counts] = []
        self.taken_step, self.taken_s = 0, 0.0

    def first_start(self, client: int, workers: int) -> int:
        """Where the first scan of a front end begins: they are spread over the workers."""
        return workers * client // self.clients

    def score(self, client: int, worker: int) -> Score:
        """The smallest is best."""
        raise NotImplementedError

    def sent(self, client: int, worker: int, size: int) -> None:
        """Count what a front end sent itself."""
        raise NotImplementedError

    def admit(self, view: StepView) -> Assignment:
        """See :class:`solvers.policies.protocol.Policy`."""
        G = view.free.size
        self._look(view)
        free: list[int] = view.free.tolist()
        numbers = np.arange(view.pool.size) if view.request is None else view.request
        assignment = np.full(view.pool.size, WAITS, dtype=np.int64)
        for position in range(view.admissions):
            client = int(numbers[position]) % self.clients
            counts = self.counts[client]
            best, least = WAITS, None
            for g in (*range(counts.start, G), *range(counts.start)):
                if free[g]:
                    score = self.score(client, g)
                    if least is None or score < least:
                        best, least = g, score
            assignment[position] = best
            free[best] -= 1
            self.sent(client, best, int(view.pool[position]))
            if self.rotates:
                counts.start = (counts.start + 1) % G
        return assignment

    def _look(self, view: StepView) -> None:
        G = view.free.size
        if not self.counts or len(self.counts[0].waiting) != G:
            self.counts = [Counts(self.first_start(c, G) % G) for c in range(self.clients)]
        elif view.step > self.taken_step and (
            view.step - self.taken_step < self.every
            or 1e3 * (view.now_s - self.taken_s) < self.every_ms
        ):
            return
        self.taken_step, self.taken_s = view.step, view.now_s
        for counts in self.counts:
            counts.look(view)


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
    rotates = True

    def __init__(
        self, turn: int = 0, every: int = 1, every_ms: float = 0, clients: int = 1
    ) -> None:
        super().__init__(every, every_ms, clients)
        self.turn = turn

    def first_start(self, client: int, workers: int) -> int:
        """See :class:`FrontEnds`."""
        return self.turn + super().first_start(client, workers)

    def score(self, client: int, worker: int) -> Score:
        """See :class:`FrontEnds`."""
        counts = self.counts[client]
        return (4 * counts.waiting[worker] + counts.running[worker],)

    def sent(self, client: int, worker: int, size: int) -> None:
        """See :class:`FrontEnds`."""
        self.counts[client].waiting[worker] += self.clients


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
    rotates = True
    sees_in_flight = True

    def __init__(self, every: int = 1, every_ms: float = 100, clients: int = 1) -> None:
        super().__init__(every, every_ms, clients)
        self.own: list[list[int]] = []

    def admit(self, view: StepView) -> Assignment:
        """See :class:`solvers.policies.protocol.Policy`."""
        self.own = [[0] * view.free.size for _ in range(self.clients)]
        if view.in_flight is None:
            raise InputError(f"{self.name} needs a view of the requests in flight")
        for number, g in zip(
            view.in_flight.request.tolist(), view.in_flight.worker.tolist(), strict=True
        ):
            self.own[number % self.clients][g] += 1
        return super().admit(view)

    def score(self, client: int, worker: int) -> Score:
        """See :class:`FrontEnds`."""
        counts = self.counts[client]
        waiting, running = counts.waiting[worker], counts.running[worker]
        score = Fraction(max(self.clients * self.own[client][worker], waiting + running))
        if waiting and counts.budget is not None:
            use = Fraction(counts.running_tokens[worker], counts.budget[worker])
            score += 6 * waiting * max(Fraction(0), use - Fraction(1, 2))
        return (score,)

    def sent(self, client: int, worker: int, size: int) -> None:
        """See :class:`FrontEnds`."""
        self.own[client][worker] += 1
        self.counts[client].waiting[worker] += self.clients


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

    def first_start(self, client: int, workers: int) -> int:
        """See :class:`FrontEnds`."""
        return 0

    def score(self, client: int, worker: int) -> Score:
        """See :class:`FrontEnds`."""
        counts = self.counts[client]
        return (4 * counts.waiting_tokens[worker] + counts.running_tokens[worker],)

    def sent(self, client: int, worker: int, size: int) -> None:
        """See :class:`FrontEnds`."""
        self.counts[client].waiting_tokens[worker] += self.clients * size


class SGLang(FrontEnds):
    """SGLang's controller: totals of requests and tokens, raised at every dispatch."""

    def __init__(self, every: int = 1, every_ms: float = 20) -> None:
        super().__init__(every, every_ms)

    def totals(self, worker: int) -> tuple[int, int]:
        """Requests and tokens of a worker, as the controller believes."""
        counts = self.counts[0]
        return (
            counts.waiting[worker] + counts.running[worker],
            counts.waiting_tokens[worker] + counts.running_tokens[worker],
        )

    def sent(self, client: int, worker: int, size: int) -> None:
        """See :class:`FrontEnds`."""
        self.counts[client].waiting[worker] += 1
        self.counts[client].waiting_tokens[worker] += size


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

    def score(self, client: int, worker: int) -> Score:
        """See :class:`FrontEnds`."""
        return self.totals(worker)[:1]


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

    def score(self, client: int, worker: int) -> Score:
        """See :class:`FrontEnds`."""
        requests, tokens = self.totals(worker)
        return tokens, requests
