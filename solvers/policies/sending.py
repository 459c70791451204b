"""Routers: each request, in order of arrival, goes to the worker of the least score.

What a router believes of the workers is a :class:`Board`: its snapshot, the requests in flight that
it counts itself, and whose turn it is.  The score of each rule is written once, in :func:`_score`,
compiled; the classes of :mod:`solvers.policies.front_ends` and :mod:`solvers.policies.in_flight`
name it, and the compiled loop over systems decides by it too.
"""

from typing import ClassVar, NamedTuple

import numpy as np

from solvers.arrays import sum_of
from solvers.compiled import compiled
from solvers.policies.arrival_order import splitmix64
from solvers.policies.protocol import StepView
from solvers.step.problem import WAITS, Assignment
from theory.model import INT_LIMIT, FloatArray, InputError, IntArray

# The rules, by the number under which :func:`send` knows them.
(
    VLLM_DP_ROTATING,
    VLLM_IN_FLIGHT,
    VLLM_TOKENS,
    SGLANG_TOTAL_REQUESTS,
    SGLANG_TOTAL_TOKENS,
    ATOM_LEAST_REQUESTS,
    ATOM_LEAST_TOKENS,
    LLMD_TOKEN_LOAD,
    TPU_INFERENCE,
    VLLM_ASCEND_PROXY,
) = range(10)

# Budgets below this, so that remainders can be compared as products.
BUDGET_LIMIT = 2**31


class Sending(NamedTuple):
    """A rule with its parameters.

    Parameters
    ----------
    rule : int
        Its number.
    rotates : bool
        Whether the scan begins one worker further on with each request.
    every, every_ms : int, float
        Steps and milliseconds from one snapshot to the next, at least.
    clients : int
        Front ends; request ``i`` comes through front end ``i`` modulo their number.
    number : int
        The parameter of a rule that has one: tokens that a request counts for, or a threshold.
    seed : uint64
        Of ties that are broken at random.
    """

    rule: int
    rotates: bool
    every: int
    every_ms: float
    clients: int
    number: int
    seed: np.uint64


class Board(NamedTuple):
    """What the front ends believe of the workers.

    Parameters
    ----------
    waiting, waiting_tokens : int64[C, G]
        In the queue of each worker by the snapshot, and what each front end has sent since.
    running, running_tokens : int64[G]
        Served by each worker, by the snapshot.
    budget : int64[G]
        Tokens that each worker's KV cache holds; zeros without budgets.
    own : int64[C, G]
        Requests of each front end in flight, now.
    requests, tokens, oldest : int64[G]
        Requests in flight and their weights, now; the largest age of one that is served, or -1.
    start : int64[C]
        The worker at which the next scan of each front end begins.
    taken_step : int64[1]
        Step of the snapshot; -1 before the first.
    taken_s : float64[1]
        Its time.
    """

    waiting: IntArray
    waiting_tokens: IntArray
    running: IntArray
    running_tokens: IntArray
    budget: IntArray
    own: IntArray
    requests: IntArray
    tokens: IntArray
    oldest: IntArray
    start: IntArray
    taken_step: IntArray
    taken_s: FloatArray

    @classmethod
    def of(cls, start: IntArray, workers: int) -> "Board":
        """The board before the first step, with the first start of each front end."""
        C, G = start.size, workers

        def by_client() -> IntArray:
            return np.zeros((C, G), dtype=np.int64)

        def by_worker() -> IntArray:
            return np.zeros(G, dtype=np.int64)

        return cls(
            waiting=by_client(),
            waiting_tokens=by_client(),
            running=by_worker(),
            running_tokens=by_worker(),
            budget=by_worker(),
            own=by_client(),
            requests=by_worker(),
            tokens=by_worker(),
            oldest=by_worker(),
            start=start % G,
            taken_step=np.full(1, -1, np.int64),
            taken_s=np.zeros(1),
        )


# A score is a number and ``a / b``, then two more numbers that decide ties.
PARTS = 5


@compiled
def _score(sending: Sending, board: Board, client: int, g: int, score: IntArray) -> None:
    """Write down the score of a worker."""
    rule = sending.rule
    first, rest, over, second, third = 0, 0, 1, 0, 0
    waiting, running = board.waiting[client, g], board.running[g]
    tokens = board.waiting_tokens[client, g] + board.running_tokens[g]
    if rule == VLLM_DP_ROTATING:
        first = 4 * waiting + running
    elif rule == VLLM_IN_FLIGHT:
        first = max(sending.clients * board.own[client, g], waiting + running)
        # 6 waiting (use - 1/2) where the use of the budget is more than a half.
        excess = 2 * board.running_tokens[g] - board.budget[g]
        if waiting and board.budget[g] and excess > 0:
            over = board.budget[g]
            penalty = 3 * waiting * excess
            first += penalty // over
            rest = penalty % over
    elif rule == VLLM_TOKENS:
        first = tokens + 3 * board.waiting_tokens[client, g]
    elif rule == SGLANG_TOTAL_REQUESTS:
        first = waiting + running
    elif rule == SGLANG_TOTAL_TOKENS:
        first, second = tokens, waiting + running
    elif rule == ATOM_LEAST_REQUESTS:
        first, second = board.requests[g], board.tokens[g]
    elif rule == ATOM_LEAST_TOKENS:
        first = board.tokens[g] + sending.number * board.requests[g]
    elif rule == LLMD_TOKEN_LOAD:
        first = min(board.tokens[g], sending.number)
    elif rule == TPU_INFERENCE:
        first, second, third = board.tokens[g], board.requests[g], -board.oldest[g]
    else:
        first = board.tokens[g]
    score[0], score[1], score[2], score[3], score[4] = first, rest, over, second, third


@compiled
def _compared(score: IntArray, other: IntArray) -> int:
    """Less than 0, 0 or more, as one score is to another."""
    if score[0] != other[0]:
        return int(score[0] - other[0])
    apart = score[1] * other[2] - other[1] * score[2]
    if apart:
        return int(apart)
    if score[3] != other[3]:
        return int(score[3] - other[3])
    return int(score[4] - other[4])


@compiled
def look(
    sending: Sending,
    board: Board,
    step: int,
    now_s: float,
    loads: IntArray,
    held: IntArray,
    queued: IntArray,
    queued_tokens: IntArray,
    budget: IntArray,
) -> None:
    """Take a snapshot, if the last one is old enough."""
    taken = board.taken_step[0]
    if 0 <= taken < step and (
        step - taken < sending.every or 1e3 * (now_s - board.taken_s[0]) < sending.every_ms
    ):
        return
    board.taken_step[0], board.taken_s[0] = step, now_s
    for g in range(loads.size):
        board.waiting[:, g] = queued[g]
        board.waiting_tokens[:, g] = queued_tokens[g]
        board.running[g] = held[g] - queued[g]
        board.running_tokens[g] = loads[g] - queued_tokens[g]
        board.budget[g] = budget[g] if budget.size else 0


@compiled
def estimated(rule: int, size: int) -> int:
    """What a request counts for among the tokens in flight: its prompt, or an estimate."""
    if rule == LLMD_TOKEN_LOAD:
        return size + (3 * size + 1) // 2
    return size


@compiled
def send(
    sending: Sending,
    board: Board,
    free: IntArray,
    number: IntArray,
    size: IntArray,
    weight: IntArray,
    answer: IntArray,
) -> None:
    """Send the oldest requests, as many as there are free slots, each to the least score.

    Parameters
    ----------
    sending, board
        The rule, and what it knows; what is sent is counted.
    free : int64[G]
        Free slots; used up.
    number, size, weight : int64[n]
        The waiting requests: their numbers, sizes and weights (:func:`estimated`).
    answer : int64[n]
        Filled with the worker of each, or -1 for one that waits.
    """
    G, left = free.size, sum_of(free)
    equal = np.empty(G, np.int64)
    # What is sent changes one worker's score, and that for its own front end alone.
    scores = np.empty((sending.clients, G, PARTS), np.int64)
    scored = np.zeros(sending.clients, np.bool_)
    answer[:] = WAITS
    for at in range(min(number.size, left)):
        client = number[at] % sending.clients
        mine = scores[client]
        if not scored[client]:
            scored[client] = True
            for g in range(G):
                _score(sending, board, client, g, mine[g])
        best, ties = -1, 0
        g = board.start[client]
        for _ in range(G):
            if free[g]:
                apart = _compared(mine[g], mine[best]) if best >= 0 else -1
                if apart < 0:
                    best, ties = g, 0
                if apart <= 0:
                    equal[ties] = g
                    ties += 1
            g = g + 1 if g + 1 < G else 0
        if sending.rule == LLMD_TOKEN_LOAD:
            bits = splitmix64(splitmix64(sending.seed) ^ np.uint64(number[at]))
            best = equal[np.int64(((bits >> np.uint64(32)) * np.uint64(ties)) >> np.uint64(32))]
        answer[at] = best
        free[best] -= 1
        board.waiting[client, best] += sending.clients
        board.waiting_tokens[client, best] += sending.clients * size[at]
        board.own[client, best] += 1
        board.requests[best] += 1
        board.tokens[best] += weight[at]
        _score(sending, board, client, best, mine[best])
        if sending.rotates:
            start = board.start[client] + 1
            board.start[client] = start - G if start >= G else start


class Router:
    """Sends each request to the worker of the least score.

    Attributes
    ----------
    rule : int
        The number of the score.
    rotates : bool
        Whether ties go to the workers in turn.
    sending : Sending
        The rule with its parameters.
    board : Board or None
        What it believes of the workers, from the first decision on.
    """

    name: str
    rule: ClassVar[int]
    rotates: ClassVar[bool] = False
    sees_in_flight: bool = False
    seed: int = 0

    def __init__(
        self, every: int = 1, every_ms: float = 0, clients: int = 1, number: int = 0
    ) -> None:
        self.parameters = every, float(every_ms), clients, number
        self.board: Board | None = None

    @property
    def sending(self) -> Sending:
        """The rule with its parameters."""
        return Sending(self.rule, self.rotates, *self.parameters, np.uint64(self.seed % 2**64))

    def first_starts(self, workers: int) -> IntArray:
        """Where the first scan of each front end begins."""
        return np.zeros(self.parameters[2], dtype=np.int64)

    def board_for(self, workers: int) -> Board:
        """The board, made anew for another number of workers."""
        if self.board is None or self.board.running.size != workers:
            self.board = Board.of(self.first_starts(workers), workers)
        return self.board

    def admit(self, view: StepView) -> Assignment:
        """See :class:`solvers.policies.protocol.Policy`."""
        G, sending = view.free.size, self.sending
        board, none = self.board_for(G), np.zeros(G, dtype=np.int64)
        if view.budget is not None:
            check_budgets(view.budget, sending, view.pool.size + int(view.counts.sum()))
        look(
            sending,
            board,
            view.step,
            view.now_s,
            view.loads,
            view.counts,
            none if view.queued is None else view.queued,
            none if view.queued_tokens is None else view.queued_tokens,
            none[:0] if view.budget is None else view.budget,
        )
        if self.sees_in_flight:
            self._count(view, board)
        number = np.arange(view.pool.size) if view.request is None else view.request
        assignment = np.empty(view.pool.size, dtype=np.int64)
        weight = np.array([estimated(self.rule, size) for size in view.pool.tolist()], np.int64)
        send(sending, board, view.free.copy(), number, view.pool, weight, assignment)
        return assignment

    def _count(self, view: StepView, board: Board) -> None:
        """Count what is in flight at the start of a step."""
        flying = view.in_flight
        if flying is None:
            raise InputError(f"{self.name} needs a view of the requests in flight")
        board.own[:] = 0
        board.requests[:] = 0
        board.tokens[:] = 0
        board.oldest[:] = -1
        np.add.at(board.own, (flying.request % board.own.shape[0], flying.worker), 1)
        np.add.at(board.requests, flying.worker, 1)
        counting = flying.queued if self.rule == TPU_INFERENCE else np.ones_like(flying.queued)
        weight = np.array([estimated(self.rule, size) for size in flying.size.tolist()], np.int64)
        np.add.at(board.tokens, flying.worker[counting], weight[counting])
        running = ~flying.queued
        np.maximum.at(board.oldest, flying.worker[running], flying.age[running])


def check_budgets(budget: IntArray, sending: Sending, requests: int) -> None:
    """Refuse budgets that would not let scores be compared exactly.

    Raises
    ------
    InputError
        If one is too large for so many requests.
    """
    largest = int(budget.max(initial=0))
    if largest >= BUDGET_LIMIT or 6 * sending.clients * requests * largest >= INT_LIMIT:
        raise InputError(
            f"a budget of {largest} tokens with {requests} requests: budgets must stay below 2^31, "
            "and 6 * clients * requests * budget below 2^62"
        )
