"""The model simulated in plain Python and exact ints: the specification of the compiled engine.

Every request grows one by one and every sum is taken afresh at every step.  Tests hold the
compiled engine equal to this one, step for step, for the systems of the model and for every
:class:`~theory.serving.ServingSystem` that departs from it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from solvers.policies.predictors import AgePredictor, Predictor
from solvers.policies.protocol import InFlight, Patience, Policy, StepView, decide
from solvers.policies.registry import policy as policy_of
from solvers.simulation.result import PowerSums, RunResult, Totals
from theory.model import INT_LIMIT, InputError, IntArray, Requests, System
from theory.serving import ServingSystem


@dataclass(slots=True)
class _Active:
    """A request that is being served."""

    index: int
    size: int
    load: int
    steps_left: int
    age: int = 0


class _Foresight:
    """What a predictor says, one request at a time."""

    def __init__(self, predictor: Predictor, requests: Requests, system: ServingSystem) -> None:
        # Looked at once: it takes longer to see what a protocol is than to answer from it.
        self.by_age = predictor if isinstance(predictor, AgePredictor) else None
        self.departures_to_ask = 0
        if not isinstance(predictor, AgePredictor):
            self.steps = [system.steps_of(o) for o in predictor.lengths(requests).tolist()]

    def learn(self, lengths: list[int], ages: list[int]) -> None:
        """Ask an age predictor anew when the departures have doubled."""
        if self.by_age is not None and len(lengths) >= self.departures_to_ask:
            self.departures_to_ask = max(1, 2 * len(lengths))
            seen = np.array(lengths, dtype=np.int64), np.array(ages, dtype=np.int64)
            self.remaining: list[int] = self.by_age.remaining(*seen).tolist()

    def left(self, request: _Active) -> int:
        """Predicted steps left, the present one included."""
        if self.by_age is not None:
            return self.remaining[min(request.age, len(self.remaining) - 1)]
        return max(1, self.steps[request.index] - request.age)


def simulate_reference(
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
    """Serve every request to completion; see :func:`solvers.simulation.engine.simulate`.

    Raises
    ------
    InputError
        If an argument is out of its range.
    PolicyError
        If the policy fails or breaks a rule.
    RuntimeError
        If a conservation law fails at the end, which would be an error of this code.

    Examples
    --------
    >>> run = simulate_reference(System(2, 1), Requests([1, 1, 3], [1, 2, 2]), "fcfs", pool=2)
    >>> run.total.avg_imbalance  # loads (1, 1), (3, 2), (4, 0)
    Fraction(5, 3)
    """
    if pool is not None and not (isinstance(pool, int | np.integer) and 1 <= pool < INT_LIMIT):
        raise InputError(f"pool must be an integer >= 1 and below 2^62, got {pool!r}")
    for gamma in gammas:
        if not 0 < gamma <= 1:
            raise InputError(f"gammas must lie in (0, 1], got {gamma!r}")
    serving = ServingSystem.of(system)
    serving.check(requests)
    G, N, k = system.workers, len(requests), serving.tokens_per_step
    slots_of = serving.slots_of or (system.slots,) * G
    slowness = serving.slowness or (1,) * G
    originals: list[int] = requests.prefill.tolist()
    sizes = list(originals)  # of one that was preempted, with the tokens that it has
    lengths: list[int] = requests.decode.tolist()
    steps_of = [serving.steps_of(o) for o in lengths]
    arrivals = None if requests.arrival is None else requests.arrival.tolist()
    limit = N if arrivals is not None else system.capacity if pool is None else pool
    chosen = policy_of(policy, seed)
    gap_before = getattr(chosen, "bound_gap", None)
    horizon: int = getattr(chosen, "horizon", 0)
    sees_in_flight = getattr(chosen, "sees_in_flight", False)
    foresight = _Foresight(chosen.predictor, requests, serving) if horizon else None  # type: ignore[attr-defined]

    workers: list[list[_Active]] = [[] for _ in range(G)]
    queues: list[list[int]] = [[] for _ in range(G)]
    waiting: list[int] = []
    revealed = held = 0
    clock = 0.0
    costs_by_step: list[list[int]] = []
    full_steps = 0
    always_full = True
    worker_of, reveal_step, start_step = [-1] * N, [-1] * N, [-1] * N
    start_s, finish_s = [0.0] * N, [0.0] * N
    served, age, preempted = [0] * N, [0] * N, [0] * N
    patience = Patience(chosen)

    def fits(g: int, request: int) -> bool:
        if len(workers[g]) == slots_of[g]:
            return False
        if not serving.kv_budget:
            return True
        if serving.reserve is None:
            taken, needed = sum(r.load for r in workers[g]), sizes[request]
        else:
            taken = sum(r.size + serving.reserve for r in workers[g])
            needed = sizes[request] + serving.reserve
        return taken + needed <= serving.kv_budget[g]

    def room(g: int) -> int:
        """Free slots of a worker that some of the waiting requests could fill."""
        free, smallest = slots_of[g] - len(workers[g]), sorted(sizes[i] for i in waiting)
        if not serving.kv_budget:
            return free
        extra = 0 if serving.reserve is None else serving.reserve
        left = serving.kv_budget[g] - sum(
            r.load if serving.reserve is None else r.size + extra for r in workers[g]
        )
        many = 0
        for size in smallest[:free]:
            left -= size + extra
            many += left >= 0
        return many

    def start(g: int, request: int) -> None:
        left = steps_of[request] - age[request]
        workers[g].append(_Active(request, sizes[request], sizes[request], left, age[request]))
        worker_of[request] = g
        if start_step[request] < 0:
            start_step[request], start_s[request] = step, clock

    def look(free: list[int], slots: int) -> StepView:
        growths = [k * system.drift[j % len(system.drift)] for j in range(step, step + horizon)]
        grown = [sum(growths[:h]) for h in range(horizon + 1)]
        in_queue = [sum(sizes[i] for i in queue) for queue in queues]
        ahead = None
        if foresight is not None:
            gone = [o for o, steps in zip(steps_of, age, strict=True) if steps == o]
            foresight.learn(gone, [r.age for active in workers for r in active])
            ahead = np.array(
                [
                    [
                        sum(r.load + grown[h] for r in active if h < foresight.left(r)) + more
                        for active, more in zip(workers, in_queue, strict=True)
                    ]
                    for h in range(horizon + 1)
                ]
            )
        return StepView(
            step=step,
            slots=slots,
            loads=np.array(
                [
                    sum(r.load for r in active) + more
                    for active, more in zip(workers, in_queue, strict=True)
                ]
            ),
            free=np.array(free),
            pool=np.array([sizes[i] for i in waiting]),
            waited=np.array([step - reveal_step[i] for i in waiting]),
            ahead=ahead,
            grown=None if ahead is None else np.array(grown),
            now_s=clock,
            request=np.array(waiting),
            group=None if requests.group is None else requests.group[np.array(waiting)],
            in_flight=in_flight() if sees_in_flight else None,
            held=held_now() if serving.departures else None,
            budget=np.array(serving.kv_budget) if serving.kv_budget else None,
            slowness=(
                np.array(serving.slowness) if serving.slowness and serving.departures else None
            ),
            queued=np.array([len(queue) for queue in queues]) if serving.queues else None,
            queued_tokens=np.array(in_queue) if serving.queues else None,
        )

    def held_now() -> IntArray:
        return np.array([len(workers[g]) + len(queues[g]) for g in range(G)])

    def in_flight() -> InFlight:
        rows = [(r.index, g, originals[r.index], r.age, 0) for g in range(G) for r in workers[g]]
        rows += [(i, g, originals[i], 0, 1) for g in range(G) for i in queues[g]]
        columns = np.array(sorted(rows), dtype=np.int64).reshape(-1, 5).T
        request, worker, size, ages, queued = columns
        return InFlight(request, worker, size, ages, queued.astype(np.bool_))

    step = 0
    while revealed < N or waiting or any(queues) or any(workers):
        # Reveal.
        if arrivals is not None and not (waiting or any(queues) or any(workers)):
            clock = max(clock, arrivals[revealed])
        while revealed < N and (
            len(waiting) + sum(map(len, queues)) < limit
            if arrivals is None
            else arrivals[revealed] <= clock
        ):
            waiting.append(revealed)
            reveal_step[revealed] = step
            revealed += 1

        # Send to the queues.
        if serving.queues and waiting:
            there = [len(workers[g]) + len(queues[g]) for g in range(G)]
            slots = max(there) + len(waiting)
            view = look([slots - count for count in there], slots)
            for i, g in zip(waiting, decide(chosen, view, conserving=True).tolist(), strict=True):
                queues[g].append(i)
            waiting = []

        # Hold back, or admit.
        if serving.queues:
            takers = [g for g in range(G) if queues[g] and fits(g, queues[g][0])]
            lacking = any(not queues[g] and len(workers[g]) < slots_of[g] for g in range(G))
        else:
            free = [room(g) for g in range(G)] if waiting else [0] * G
            takers = [g for g in range(G) if free[g]]
            lacking = len(waiting) < len(takers)
        admits = bool(takers) and step % serving.admit_every == 0
        if admits and lacking and held < serving.hold:
            held += 1
            admits = False
        elif admits:
            held = 0
        if admits and serving.queues:
            for g in range(G):
                while queues[g] and fits(g, queues[g][0]):
                    start(g, queues[g].pop(0))
        elif admits:
            assignment: list[int] = decide(chosen, look(free, system.slots)).tolist()
            blocked, left = set(), []
            for i, g in zip(waiting, assignment, strict=True):
                if g >= 0 and g not in blocked and fits(g, i):
                    start(g, i)
                else:
                    blocked.add(g)
                    left.append(i)
            waiting = left
            patience.spend(step, any(workers))

        # Measure.
        costs = [
            slow * (sum(r.load for r in active) + serving.request_cost * len(active))
            for slow, active in zip(slowness, workers, strict=True)
        ]
        costs_by_step.append(costs)
        always_full = always_full and sum(map(len, workers)) == system.capacity
        full_steps += always_full
        clock = clock + (system.step_overhead_s + system.seconds_per_token * max(costs))

        # Grow and depart.
        growth = k * system.drift[step % len(system.drift)]
        for active in workers:
            for r in active:
                served[r.index] += min(k, lengths[r.index] - served[r.index])
                r.load += growth
                r.age += 1
                age[r.index] = r.age
                r.steps_left -= 1
                if r.steps_left == 0:
                    finish_s[r.index] = clock
            active[:] = [r for r in active if r.steps_left]

        # Preempt.
        for g, budget in enumerate(serving.kv_budget):
            while sum(r.load for r in workers[g]) > budget:
                last = workers[g].pop()
                sizes[last.index] = last.load
                preempted[last.index] += 1
                if serving.queues:
                    queues[g].insert(0, last.index)
                else:
                    waiting = sorted([*waiting, last.index])
        step += 1
        if progress is not None:
            progress(sum(steps == o for steps, o in zip(age, steps_of, strict=True)))

    total = _totals(G, costs_by_step)
    if served != lengths or age != steps_of:
        raise RuntimeError("a request was not served for its whole length")
    if system.has_constant_drift and max(slowness) == 1:
        work = Requests(originals, steps_of).work(k * system.drift[0])
        if total.work != work + serving.request_cost * sum(steps_of):
            raise RuntimeError("the work done is not the work of the requests")
    costs_of = np.array(costs_by_step, dtype=np.int64).reshape(-1, G)
    gap = None if gap_before is None else chosen.bound_gap - gap_before  # type: ignore[attr-defined]
    return RunResult(
        policy=chosen.name,
        system=system,
        requests=requests,
        pool_limit=limit,
        total=total,
        overloaded=_totals(G, costs_by_step[:full_steps]),
        empty_steps=sum(costs.count(0) for costs in costs_by_step),
        empty_max=sum(costs.count(0) * max(costs) for costs in costs_by_step),
        power_sums={gamma: _power_sums(gamma, costs_by_step) for gamma in gammas},
        time_s=clock,
        worker=np.array(worker_of, dtype=np.int64),
        reveal_step=np.array(reveal_step, dtype=np.int64),
        start_step=np.array(start_step, dtype=np.int64),
        start_s=np.array(start_s, dtype=np.float64),
        finish_s=np.array(finish_s, dtype=np.float64),
        loads=costs_of if history else None,
        bound_gap=gap,
        preemptions=np.array(preempted, dtype=np.int64) if serving.kv_budget else None,
        costs=costs_of.sum(axis=0) if serving.departures else None,
    )


def _totals(workers: int, loads: list[list[int]]) -> Totals:
    return Totals(workers, len(loads), sum(map(max, loads)), sum(map(sum, loads)))


def _power_sums(gamma: float, loads: list[list[int]]) -> PowerSums:
    busy = [step for step in loads if any(step)]
    per_step = [(max(step), math.fsum((x / max(step)) ** gamma for x in step)) for step in busy]
    return PowerSums(
        per_step=math.fsum(powers for _, powers in per_step),
        per_load=math.fsum(largest * powers for largest, powers in per_step),
    )
