"""The compiled simulator: serves every request under a policy and sums loads, time and energy."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from solvers.policies.arrival_order import ArrivalOrder, run_oldest_first
from solvers.policies.bfio import BFIO, AlwaysBusiest
from solvers.policies.exact_bfio import ExactBFIO
from solvers.policies.protocol import Policy
from solvers.policies.registry import policy as policy_of
from solvers.simulation import state as kernels
from solvers.simulation.forecast import Outlook
from solvers.simulation.loop_by_size import SortedPool, run_always_busiest, run_bfio, run_window
from solvers.simulation.loop_exact import always_exact, exactly
from solvers.simulation.loop_python import asking
from solvers.simulation.loop_serving import is_router, prepared
from solvers.simulation.result import PowerSums, RunResult, Totals
from solvers.simulation.serving_state import DONE, ServingState
from solvers.simulation.state import NOBODY, RunState, new_run
from theory.budget import about, afford
from theory.model import INT_LIMIT, InputError, IntArray, Requests, System
from theory.serving import ServingSystem

# Compiled loops are left about this often, so that progress is seen and Ctrl-C is heard.
PULSE_S = 0.2

# What a step in which nobody is admitted costs for each worker, in elementary ones.
_IDLE_STEP = 20


def simulate(
    system: System,
    requests: Requests,
    policy: str | Policy,
    *,
    pool: int | None = None,
    seed: int = 0,
    gammas: Sequence[float] = (),
    history: bool = False,
    progress: Callable[[int], None] | None = None,
) -> RunResult:
    """Serve every request to completion.

    One step: requests enter the pool; the policy admits; the loads are measured and set the
    step's duration; requests that have been served for their whole length depart and the others
    grow.  Without arrival times the requests are a backlog, of which the pool shows the next
    ``pool`` at the start of every step.  With arrival times a request enters the pool at the first
    step that starts at its arrival or later, and an idle system waits for the next arrival.

    On a :class:`~theory.serving.ServingSystem` that departs from the model the loads of the result
    are what the steps cost, and it has the ``costs`` of each worker.

    Parameters
    ----------
    system : System
        What to run on.
    requests : Requests
        What to serve, in arrival order.
    policy : str or Policy
        A name for :func:`solvers.policies.registry.policy`, or an object, which serves this run
        alone.
    pool : int, optional
        Largest number of waiting requests that a backlog shows; the number of slots by default.
    seed : int
        For policies that sample, if they are given by name.
    gammas : sequence of float
        Exponents in (0, 1] for which to add up the power sums.
    history : bool
        Whether to keep the loads of all steps.
    progress : callable, optional
        Called with the number of requests finished, a few times a second.

    Returns
    -------
    RunResult
        Exact totals; equal to :func:`solvers.simulation.reference.simulate_reference` step for
        step.

    Raises
    ------
    InputError
        If an argument is out of its range, the run does not fit the memory, or a sum could leave
        the 64-bit integers.
    PolicyError
        If the policy fails or breaks a rule.

    Notes
    -----
    Source: paper, model section.

    Examples
    --------
    >>> run = simulate(System(2, 1), Requests([1, 1, 3], [1, 2, 2]), "fcfs", pool=2, history=True)
    >>> run.loads.tolist()
    [[1, 1], [3, 2], [4, 0]]
    >>> run.total.imbalance
    5

    Sent to queues of the workers at once, the third request waits behind the first, which is long,
    though the other worker is idle:

    >>> queues = ServingSystem(2, 1, queues=True)
    >>> simulate(queues, Requests([1, 1, 1, 1], [5, 1, 1, 1]), "jsq", pool=4).start_step.tolist()
    [0, 0, 5, 1]
    """
    limit = _pool_limit(system, requests, pool)
    exponents = np.array(gammas, dtype=np.float64)
    if exponents.ndim != 1 or not ((exponents > 0) & (exponents <= 1)).all():
        raise InputError(f"gammas must lie in (0, 1], got {list(gammas)}")
    serving = ServingSystem.of(system)
    serving.check(requests)
    work = _check_sums(serving, requests)
    visible = min(limit, len(requests))
    _check_memory(serving, requests, visible, history)
    chosen = policy_of(policy, seed)
    gap_before = getattr(chosen, "bound_gap", None)
    run: RunState | ServingState
    if serving.departures or is_router(chosen):
        run, loop = prepared(serving, requests, limit, chosen, exponents, history)
        blocks = _run_to_completion(run, loop, progress)
        _check_served(run, serving, work)
    else:
        run = new_run(system, requests, limit, exponents, history)
        blocks = _run_to_completion(run, _loop(run, chosen, visible, requests.group), progress)
        _check_conservation(run, system, work)
    state = run.state[0]
    return RunResult(
        policy=chosen.name,
        system=system,
        requests=requests,
        pool_limit=limit,
        total=_totals(system, state, "step", "sum_max", "work"),
        overloaded=_totals(system, state, "full_steps", "full_max", "full_work"),
        empty_steps=int(state["empty_steps"]),
        empty_max=int(state["empty_max"]),
        power_sums={
            gamma: PowerSums(float(row[0] + row[1]), float(row[2] + row[3]))
            for gamma, row in zip(gammas, run.powers, strict=True)
        },
        time_s=float(state["now_s"]),
        **_of_requests(run),
        loads=np.concatenate(blocks) if history else None,
        preemptions=(
            run.request["preempted"].copy()
            if isinstance(run, ServingState) and serving.kv_budget
            else None
        ),
        costs=(
            run.worker["cost"].copy()
            if isinstance(run, ServingState) and serving.departures
            else None
        ),
        bound_gap=None if gap_before is None else chosen.bound_gap - gap_before,  # type: ignore[attr-defined]
    )


def _of_requests(run: RunState | ServingState) -> dict[str, Any]:
    """What became of each request."""
    names = ("worker", "reveal_step", "start_step", "start_s", "finish_s")
    if isinstance(run, ServingState):
        return {name: run.request[name].copy() for name in names}
    return {name: getattr(run, name) for name in names}


def _totals(system: System, state: Any, *names: str) -> Totals:
    return Totals(system.workers, *(int(state[name]) for name in names))


def _pool_limit(system: System, requests: Requests, pool: int | None) -> int:
    """Largest number of waiting requests that a policy can see."""
    if pool is not None and not (isinstance(pool, int | np.integer) and 1 <= pool < INT_LIMIT):
        raise InputError(f"pool must be an integer >= 1 and below 2^62, got {pool!r}")
    if requests.arrival is not None:
        return len(requests)
    return system.capacity if pool is None else int(pool)


def _check_sums(system: ServingSystem, requests: Requests) -> int:
    """Prove that no sum of the run can leave the 64-bit integers.

    Returns the total work of the requests, if the drift is constant and all workers are as fast.
    """
    if system.capacity >= INT_LIMIT:
        raise InputError(
            f"workers * slots = {system.workers} * {system.slots} must stay below 2^62"
        )
    k, slow, each = system.tokens_per_step, max(system.slowness, default=1), system.request_cost
    growth = k * max(system.drift)
    steps = requests.decode if k == 1 else -(-requests.decode // k)
    steps.flags.writeable = False  # as the prompts are: one compiled version for both
    tokens, about, exact = kernels.total_work(requests.prefill, steps, growth)
    about = slow * (about + each * tokens)
    # At any time a request is worth at most its total work, and there are at most as many steps
    # as output tokens.  A floating-point sum of N < 2^31 non-negative terms is right to a
    # relative 1e-6 with room to spare.
    if max(system.workers * about, growth * tokens) * (1 + 1e-6) >= INT_LIMIT:
        raise InputError(
            f"the work of these requests, about {about:.3g}, on {system.workers} workers does not "
            "fit 64-bit sums (workers * work must stay below 2^62): use smaller sizes, shorter "
            "outputs or fewer requests"
        )
    return exact + each * int(tokens)


def _check_memory(system: ServingSystem, requests: Requests, visible: int, history: bool) -> None:
    """Refuse a run whose arrays would not fit the machine, or their numbers the tables."""
    n, G = len(requests), system.workers
    needed = 8 * (5 * n + 5 * min(system.capacity, n) + 6 * G + 5 * visible)
    # At least so many steps.
    longest, tokens = int(requests.decode.max(initial=0)), int(requests.decode.sum())
    steps = max(longest, tokens // system.capacity)
    afford(
        f"a run of {about(n)} requests on {about(G)} workers{' with history' * history}",
        "use fewer requests or workers, or shorter outputs",
        memory=needed + 8 * G * steps * history,
        steps=G * steps,
    )
    # An admission takes no more requests than there are slots.
    idle = max(0, -(-n // system.capacity) - 1) * (system.admit_every - 1) + system.hold
    afford(
        f"{about(idle)} steps without an admission",
        "use a smaller admit_every or hold",
        steps=_IDLE_STEP * (1 + G) * idle,
    )
    if max(G, n) >= kernels.MOST:
        raise InputError(f"{G} workers and {n} requests: both must stay below 2^31")


def _loop(
    run: RunState, policy: Policy, visible: int, groups: IntArray | None
) -> Callable[[int], None]:
    """The function that runs the policy for up to so many steps."""
    kind = type(policy)
    if isinstance(policy, ArrivalOrder) and kind.admit is ArrivalOrder.admit:
        return _oldest_first(run, policy)
    if kind is AlwaysBusiest:
        return partial(run_always_busiest, run, SortedPool.of_length(visible))
    if isinstance(policy, BFIO) and kind is BFIO and policy.max_wait is None:
        if policy.horizon:
            return _ahead(run, policy, SortedPool.of_length(visible))
        if policy.effort <= 1:  # what more adds is not part of the compiled loop
            return _bfio(run, policy, SortedPool.of_length(visible))
    exact = isinstance(policy, ExactBFIO) and kind is ExactBFIO and not policy.horizon
    if exact and always_exact(run, visible):
        return exactly(run, visible)
    return asking(run, policy, visible, groups)


def _oldest_first(run: RunState, policy: ArrivalOrder) -> Callable[[int], None]:
    state, seed = run.state[0], np.uint64(policy.seed % 2**64)

    def oldest_first(steps: int) -> None:
        state["turn"] = policy.turn % run.free.size
        run_oldest_first(run, policy.rule, seed, steps)
        policy.turn = int(state["turn"])

    return oldest_first


def _bfio(run: RunState, policy: BFIO, pool: SortedPool) -> Callable[[int], None]:
    state = run.state[0]

    def bfio(steps: int) -> None:
        run_bfio(run, pool, policy.effort, steps)
        if policy.bound_gap is not None:
            policy.bound_gap += int(state["bound_gap"])
        state["bound_gap"] = 0

    return bfio


def _ahead(run: RunState, policy: BFIO, pool: SortedPool) -> Callable[[int], None]:
    state, outlook = run.state[0], Outlook(run, policy)

    def bfio(steps: int) -> None:
        end = int(state["step"]) + steps
        run_window(run, pool, outlook.forecast, policy.effort, outlook.due, end)
        while state["due"]:
            outlook.refresh()
            run_window(run, pool, outlook.forecast, policy.effort, outlook.due, end)

    return bfio


def _run_to_completion(
    run: RunState | ServingState,
    advance: Callable[[int], None],
    progress: Callable[[int], None] | None,
) -> list[IntArray]:
    """Run in portions of about :data:`PULSE_S`, and return the history's blocks."""
    rows, state = run.history.shape[0], run.state[0]
    blocks: list[IntArray] = []
    steps = 256
    while state["requests"] > state["revealed"] - state["waiting"] - state["active"]:
        start = time.perf_counter()
        advance(min(steps, rows) if rows else steps)
        took = time.perf_counter() - start
        if took < PULSE_S / 2:
            steps *= 2
        elif took > PULSE_S:
            steps = max(1, steps // 2)
        if rows:
            blocks.append(run.history[: state["rows"]].copy())
            state["rows"] = 0
        if progress is not None:
            progress(int(state["revealed"] - state["waiting"] - state["active"]))
    return blocks or [run.history[:0]]


def _check_served(run: ServingState, system: ServingSystem, work: int) -> None:
    """Every request was served for its whole length, and nothing is left."""
    request, worker = run.request, run.worker
    if (request["where"] != DONE).any() or (request["age"] != request["steps"]).any():
        raise RuntimeError("a request was not served to completion")
    sums = (worker[name] for name in ("load", "running", "claimed"))
    for left in (*sums, run.queued, run.queued_tokens, run.queued_weight, run.own, run.tokens):
        if left.any():
            raise RuntimeError("a slot or its tokens were lost or gained")
    same_speed = max(system.slowness, default=1) == 1
    if system.has_constant_drift and same_speed and run.state["work"][0] != work:
        raise RuntimeError("the work done is not the work of the requests")


def _check_conservation(run: RunState, system: System, work: int) -> None:
    """Every request was admitted and left, and the work done is the work of the requests."""
    if run.worker.min(initial=0) == NOBODY or run.loads.any():
        raise RuntimeError("a request was not served to completion")
    if (run.free != system.slots).any():
        raise RuntimeError("a slot was lost or gained")
    if system.has_constant_drift and run.state["work"][0] != work:
        raise RuntimeError("the work done is not the work of the requests")
