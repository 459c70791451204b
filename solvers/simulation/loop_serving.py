"""The loops over systems that may depart from the model, one for each family of policies.

Each is the step of :mod:`solvers.simulation.serving_step` with a decision in it.  Routers, the
rules that admit the oldest, and those that choose by size decide compiled; any other policy is
asked, as a Python object, and only the step is compiled.
"""

from collections.abc import Callable

import numpy as np

from solvers.arrays import copy_into, sum_of
from solvers.compiled import compiled
from solvers.policies.arrival_order import FEWEST_SENT, SENT, ArrivalOrder, choose
from solvers.policies.balanceroute import BR0, route
from solvers.policies.bfio import BFIO, AlwaysBusiest, largest_to_busiest
from solvers.policies.predictors import AgePredictor, LengthPredictor, forecast
from solvers.policies.protocol import (
    InFlight,
    Patience,
    Policy,
    StepView,
    ask,
    checked,
    conserves_work,
)
from solvers.policies.sending import (
    TPU_INFERENCE,
    Board,
    Router,
    Sending,
    check_budgets,
    estimated,
    look,
    send,
)
from solvers.policies.tensorrt import TensorRTLLMADP, balance_prompts
from solvers.simulation.loop_by_size import in_order_of_arrival
from solvers.simulation.serving_state import DONE, QUEUED, RUNNING, ServingState, new_serving
from solvers.simulation.serving_step import carry_out, oldest_running, to_decision
from solvers.step.fast.solve import balance
from solvers.step.problem import WAITS, StepProblem
from solvers.step.sorted_sizes import sort_by_size
from theory.model import INT_LIMIT, FloatArray, InputError, IntArray, Requests
from theory.serving import ServingSystem

# The decisions of :func:`run_by_size`, and those of :func:`run_oldest` beside the rules by number.
BY_BFIO, BY_BUSIEST = range(2)
BY_BR0, BY_PROMPTS = 100, 101


def is_router(policy: Policy) -> bool:
    """Whether a policy is a router whose decisions are compiled here alone."""
    kind = type(policy)
    return kind is TensorRTLLMADP or (isinstance(policy, Router) and kind.admit is Router.admit)


def prepared(
    system: ServingSystem,
    requests: Requests,
    limit: int,
    policy: Policy,
    gammas: FloatArray,
    history: bool,
) -> tuple[ServingState, Callable[[int], None]]:
    """The state before the first step, and the function that runs up to so many steps.

    Raises
    ------
    InputError
        If a rule cannot be followed exactly with these numbers.
    """
    kind, n, G = type(policy), len(requests), system.workers
    seed = np.uint64(int(getattr(policy, "seed", 0)) % 2**64)
    if isinstance(policy, Router) and kind.admit is Router.admit:
        sending = policy.sending
        check_budgets(np.array(system.kv_budget, dtype=np.int64), sending, n)
        weight = estimated_sizes(requests.prefill, sending.rule)
        s = new_serving(system, requests, limit, gammas, history, weight, sending.clients)
        board = policy.board_for(G)
        return s, lambda steps: run_sending(s, sending, board, steps)
    s = new_serving(system, requests, limit, gammas, history)
    state = s.state[0]
    if isinstance(policy, ArrivalOrder) and kind.admit is ArrivalOrder.admit:

        def by_rule(steps: int) -> None:
            policy.turn = run_oldest(s, policy.rule, seed, policy.turn % G, steps)

        return s, by_rule
    if kind in (BR0, TensorRTLLMADP):
        rule = BY_BR0 if kind is BR0 else BY_PROMPTS
        return s, lambda steps: _forget(run_oldest(s, rule, seed, 0, steps))
    if kind is AlwaysBusiest:
        return s, lambda steps: run_by_size(s, BY_BUSIEST, 0, steps)
    if isinstance(policy, BFIO) and kind is BFIO and policy.bound_gap is not None:
        bfio = policy
        if bfio.effort <= 1:  # what more adds is not part of the compiled loop

            def by_bfio(steps: int) -> None:
                run_by_size(s, BY_BFIO, bfio.effort, steps)
                assert bfio.bound_gap is not None
                bfio.bound_gap += int(state["bound_gap"])
                state["bound_gap"] = 0

            return s, by_bfio
    return s, _asking(s, policy, system, requests)


def _forget(turn: int) -> None:
    """A rule without turns."""


@compiled
def estimated_sizes(sizes: IntArray, rule: int) -> IntArray:
    """What each request counts for among the tokens in flight."""
    weight = np.empty_like(sizes)
    for i in range(sizes.size):
        weight[i] = estimated(rule, sizes[i])
    return weight


@compiled
def run_sending(s: ServingState, sending: Sending, board: Board, steps: int) -> None:
    """Run up to so many steps under a router."""
    state = s.state[0]
    end = state.step + steps
    while to_decision(s, end):
        waiting = state.waiting
        number = s.pool[:waiting]
        weight = np.empty_like(number)
        for at in range(waiting):
            weight[at] = s.request[number[at]].weight
        look(
            sending,
            board,
            state.step,
            state.now_s,
            s.loads,
            s.held,
            s.queued,
            s.queued_tokens,
            s.budget,
        )
        for c in range(s.own.shape[0]):
            copy_into(board.own[c], s.own[c])
        copy_into(board.requests, s.held)
        copy_into(board.tokens, s.tokens)
        if sending.rule == TPU_INFERENCE:
            copy_into(board.tokens, s.queued_weight)
            oldest_running(s, board.oldest)
        send(
            sending,
            board,
            s.free,
            number,
            s.pool_size[:waiting],
            weight,
            s.answer[:waiting],
        )
        carry_out(s)


@compiled
def run_oldest(s: ServingState, rule: int, seed: np.uint64, turn: int, steps: int) -> int:
    """Run up to so many steps under a rule that admits the oldest; whose turn it is then."""
    state = s.state[0]
    end = state.step + steps
    while to_decision(s, end):
        size, answer = s.pool_size[: state.waiting], s.answer[: state.waiting]
        if rule == BY_BR0:
            ahead = s.loads.copy().reshape((s.loads.size, 1))
            answer[:] = WAITS
            route(ahead, s.free, size, np.ones(1), float(s.loads.size), answer)
        elif rule == BY_PROMPTS:
            balance_prompts(s.tokens.copy(), s.held, s.free, size, answer)
        else:
            if rule == FEWEST_SENT:
                for g in range(s.held.size):
                    s.held[g] += (SENT - 1) * s.queued[g]
            turn = choose(rule, seed, state.step, turn, s.loads, s.held, s.free, size, answer)
        carry_out(s)
    return turn


@compiled
def run_by_size(s: ServingState, which: int, effort: int, steps: int) -> None:
    """Run up to so many steps under BF-IO or its opposite."""
    state, G = s.state[0], s.worker.size
    end = state.step + steps
    weight, candidate = np.empty(G, np.int64), np.empty(G, np.int64)
    while to_decision(s, end):
        n = state.waiting
        size, place = s.pool_size[:n].copy(), np.arange(n)
        other_size, other_place = np.empty(n, np.int64), np.empty(n, np.int64)
        if sort_by_size(size, place, other_size, other_place):
            size, other_size = other_size, size
            place, other_place = other_place, place
        target = other_place
        if which == BY_BFIO:
            value, lower = balance(s.loads, s.free, size, effort, target)
            state.bound_gap += value - lower
            in_order_of_arrival(size, target, other_size)
        else:
            admitted = min(n, sum_of(s.free))
            largest_to_busiest(s.loads, s.free, size, admitted, weight, candidate, target)
        for j in range(n):
            s.answer[place[j]] = target[j]
        carry_out(s)


def _asking(
    s: ServingState, policy: Policy, system: ServingSystem, requests: Requests
) -> Callable[[int], None]:
    """The function that runs up to so many steps, asking the policy at each decision."""
    state = s.state[0]
    conserving = conserves_work(policy) or system.queues
    patience = Patience(policy)
    outlook = _Outlook(s, policy, requests) if getattr(policy, "horizon", 0) else None

    def advance(steps: int) -> None:
        end = int(state["step"]) + steps
        while to_decision(s, end):
            view = _view(s, policy, system, requests, outlook)
            problem = StepProblem(s.loads, s.free, s.pool_size[: view.pool.size])
            answer = checked(policy, view.step, problem, ask(policy, view), conserving)
            s.answer[: view.pool.size] = answer
            before = int(state["sum_max"])
            carry_out(s)
            if not system.queues:
                patience.spend(view.step, int(state["sum_max"]) > before)

    return advance


def _view(
    s: ServingState,
    policy: Policy,
    system: ServingSystem,
    requests: Requests,
    outlook: "_Outlook | None",
) -> StepView:
    state = s.state[0]
    request = s.pool[: state["waiting"]].copy()
    ahead, grown = (None, None) if outlook is None else outlook.look()
    departs, queues = bool(system.departures), system.queues
    return StepView(
        step=int(state["step"]),
        slots=int(s.free[0] + s.held[0]) if queues else system.slots,
        loads=s.loads.copy(),
        free=s.free.copy(),
        pool=s.pool_size[: request.size].copy(),
        waited=state["step"] - s.request["reveal_step"][request],
        ahead=ahead,
        grown=grown,
        now_s=float(state["now_s"]),
        request=request,
        group=None if requests.group is None else requests.group[request],
        in_flight=_in_flight(s) if getattr(policy, "sees_in_flight", False) else None,
        held=s.held.copy() if departs else None,
        budget=s.budget.copy() if system.kv_budget else None,
        slowness=s.worker["slowness"].copy() if system.slowness else None,
        queued=s.queued.copy() if queues else None,
        queued_tokens=s.queued_tokens.copy() if queues else None,
    )


def _sent(s: ServingState) -> IntArray:
    """The requests that are in a queue or are served, in order of arrival."""
    first, last = int(s.state["first"][0]), int(s.state["revealed"][0])
    where = s.request["where"][first:last]
    return first + np.flatnonzero((where == QUEUED) | (where == RUNNING))


def _in_flight(s: ServingState) -> InFlight:
    request = _sent(s)
    rows = s.request[request]
    queued = rows["where"] == QUEUED
    age = np.where(queued, 0, s.state["step"][0] - rows["entered"])
    return InFlight(request, rows["worker"], rows["prefill"], age, queued)


class _Outlook:
    """What a policy with a horizon sees of the next steps.

    Parameters
    ----------
    s : ServingState
        The run, before its first step.
    policy : Policy
        Has a ``horizon`` and a ``predictor``.
    requests : Requests
        What is served.

    Raises
    ------
    InputError
        If the predictor is none, it predicts something impossible, or the sums over the window
        could leave the 64-bit integers.
    """

    def __init__(self, s: ServingState, policy: Policy, requests: Requests) -> None:
        self._s = s
        self._horizon: int = getattr(policy, "horizon", 0)
        predictor = getattr(policy, "predictor", None)
        self._due = 0
        if not isinstance(predictor, LengthPredictor | AgePredictor):
            raise InputError(f"policy {policy.name!r} has a horizon and no predictor")
        # Looked at once, as in an Outlook.
        self._by_age = predictor if isinstance(predictor, AgePredictor) else None
        if isinstance(predictor, LengthPredictor):
            lengths = forecast(predictor.name, predictor.lengths, requests, size=len(requests))
            self._steps = -(-lengths // int(s.state["growth"][0]))
        growth = int(s.state["growth"][0]) * int(s.drift.max())
        largest = int(s.request["prefill"].max(initial=0)) + growth * (
            int(s.request["steps"].max(initial=0)) + self._horizon
        )
        if 2 * s.worker.size * (self._horizon + 1) * s.request.size * largest >= INT_LIMIT:
            raise InputError(
                "workers * (horizon + 1) * requests * (largest load of one) must stay below 2^61: "
                "use a shorter horizon, smaller sizes or fewer requests"
            )

    def look(self) -> tuple[IntArray, IntArray]:
        """Predicted loads at this step and the next ones, and the growth up to each of them."""
        s, H, G = self._s, self._horizon, self._s.worker.size
        step = int(s.state["step"][0])
        at = np.arange(step, step + H) % s.drift.size
        growth = int(s.state["growth"][0]) * s.drift[at]
        grown = np.concatenate(([0], np.cumsum(growth)))
        sent = _sent(s)
        running = sent[s.request["where"][sent] == RUNNING]
        rows = s.request[running]
        left = np.minimum(self._left(running, step - rows["entered"]), H + 1)
        # What leaves after each step of the window, and what is there until then.
        gone, fewer = np.zeros((2, H + 2, G), dtype=np.int64)
        np.add.at(gone, (left, rows["worker"]), rows["base"] + s.state["grown"][0])
        np.add.at(fewer, (left, rows["worker"]), 1)
        loads = s.worker["load"] - np.cumsum(gone, axis=0)[: H + 1]
        number = s.worker["running"] - np.cumsum(fewer, axis=0)[: H + 1]
        return loads + number * grown[:, None] + s.queued_tokens, grown

    def _left(self, running: IntArray, age: IntArray) -> IntArray:
        """Predicted steps left of the requests that are served, the present one included."""
        s = self._s
        if self._by_age is None:
            left: IntArray = np.maximum(1, self._steps[running] - age)
            return left
        departed = int(s.state["revealed"][0] - s.state["waiting"][0] - s.state["active"][0])
        if departed >= self._due:
            self._due = max(1, 2 * departed)
            gone = s.request["steps"][s.request["where"] == DONE]
            ask = self._by_age.remaining
            self._remaining = forecast(self._by_age.name, ask, gone, age)
        found: IntArray = self._remaining[np.minimum(age, self._remaining.size - 1)]
        return found
