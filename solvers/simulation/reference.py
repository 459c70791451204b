"""The model simulated in plain Python and exact ints: the specification of the compiled engine.

Every request grows one by one and every sum is taken afresh at every step.  Tests hold the
compiled engine equal to this one, step for step.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from solvers.policies.predictors import AgePredictor, Predictor
from solvers.policies.protocol import InFlight, Policy, StepView, decide
from solvers.policies.registry import policy as policy_of
from solvers.simulation.result import PowerSums, RunResult, Totals
from theory.model import InputError, Requests, System


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

    def __init__(self, predictor: Predictor, requests: Requests) -> None:
        self.predictor = predictor
        self.departures_to_ask = 0
        if not isinstance(predictor, AgePredictor):
            self.lengths: list[int] = predictor.lengths(requests).tolist()

    def learn(self, lengths: list[int], ages: list[int]) -> None:
        """Ask an age predictor anew when the departures have doubled."""
        if isinstance(self.predictor, AgePredictor) and len(lengths) >= self.departures_to_ask:
            self.departures_to_ask = max(1, 2 * len(lengths))
            seen = np.array(lengths, dtype=np.int64), np.array(ages, dtype=np.int64)
            self.remaining: list[int] = self.predictor.remaining(*seen).tolist()

    def left(self, request: _Active) -> int:
        """Predicted steps left, the present one included."""
        if isinstance(self.predictor, AgePredictor):
            return self.remaining[min(request.age, len(self.remaining) - 1)]
        return max(1, self.lengths[request.index] - request.age)


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
    if pool is not None and not (isinstance(pool, int | np.integer) and pool >= 1):
        raise InputError(f"pool must be an integer >= 1, got {pool!r}")
    for gamma in gammas:
        if not 0 < gamma <= 1:
            raise InputError(f"gammas must lie in (0, 1], got {gamma!r}")
    G, B, N = system.workers, system.slots, len(requests)
    sizes: list[int] = requests.prefill.tolist()
    lengths: list[int] = requests.decode.tolist()
    arrivals = None if requests.arrival is None else requests.arrival.tolist()
    limit = N if arrivals is not None else system.capacity if pool is None else pool
    chosen = policy_of(policy, seed)
    gap_before = getattr(chosen, "bound_gap", None)
    horizon: int = getattr(chosen, "horizon", 0)
    sees_in_flight = getattr(chosen, "sees_in_flight", False)
    foresight = _Foresight(chosen.predictor, requests) if horizon else None  # type: ignore[attr-defined]

    workers: list[list[_Active]] = [[] for _ in range(G)]
    waiting: list[int] = []
    revealed = 0
    clock = 0.0
    loads_by_step: list[list[int]] = []
    full_steps = 0
    always_full = True
    worker_of, reveal_step, start_step = [-1] * N, [-1] * N, [-1] * N
    start_s, finish_s = [0.0] * N, [0.0] * N
    served, times_admitted = [0] * N, [0] * N

    step = 0
    while revealed < N or waiting or any(workers):
        # Reveal.
        if arrivals is not None and not waiting and not any(workers):
            clock = max(clock, arrivals[revealed])
        while revealed < N and (
            len(waiting) < limit if arrivals is None else arrivals[revealed] <= clock
        ):
            waiting.append(revealed)
            reveal_step[revealed] = step
            revealed += 1

        # Admit.
        free = [B - len(active) for active in workers]
        if waiting and sum(free):
            growths = [system.drift[k % len(system.drift)] for k in range(step, step + horizon)]
            grown = [sum(growths[:h]) for h in range(horizon + 1)]
            ahead = None
            if foresight is not None:
                gone = [o for o, steps in zip(lengths, served, strict=True) if steps == o]
                foresight.learn(gone, [r.age for active in workers for r in active])
                ahead = np.array(
                    [
                        [
                            sum(r.load + grown[h] for r in active if h < foresight.left(r))
                            for active in workers
                        ]
                        for h in range(horizon + 1)
                    ]
                )
            view = StepView(
                step=step,
                slots=B,
                loads=np.array([sum(r.load for r in active) for active in workers]),
                free=np.array(free),
                pool=np.array([sizes[i] for i in waiting]),
                waited=np.array([step - reveal_step[i] for i in waiting]),
                ahead=ahead,
                grown=None if ahead is None else np.array(grown),
                now_s=clock,
                request=np.array(waiting),
                group=None if requests.group is None else requests.group[np.array(waiting)],
                in_flight=in_flight(workers) if sees_in_flight else None,
            )
            assignment: list[int] = decide(chosen, view).tolist()
            for i, g in zip(waiting, assignment, strict=True):
                if g >= 0:
                    workers[g].append(_Active(i, sizes[i], sizes[i], lengths[i]))
                    worker_of[i], start_step[i], start_s[i] = g, step, clock
                    times_admitted[i] += 1
            waiting = [i for i, g in zip(waiting, assignment, strict=True) if g < 0]

        # Measure.
        loads = [sum(r.load for r in active) for active in workers]
        loads_by_step.append(loads)
        always_full = always_full and sum(len(active) for active in workers) == G * B
        full_steps += always_full
        clock = clock + (system.step_overhead_s + system.seconds_per_token * max(loads))

        # Grow and depart.
        growth = system.drift[step % len(system.drift)]
        for active in workers:
            for r in active:
                served[r.index] += 1
                r.load += growth
                r.age += 1
                r.steps_left -= 1
                if r.steps_left == 0:
                    finish_s[r.index] = clock
            active[:] = [r for r in active if r.steps_left]
        step += 1
        if progress is not None:
            progress(N - len(waiting) - (N - revealed) - sum(map(len, workers)))

    total = _totals(G, loads_by_step)
    if times_admitted != [1] * N or served != lengths:
        raise RuntimeError("a request was not admitted once and served for its whole length")
    if system.has_constant_drift and total.work != requests.work(system.drift[0]):
        raise RuntimeError("the work done is not the work of the requests")
    gap = None if gap_before is None else chosen.bound_gap - gap_before  # type: ignore[attr-defined]
    return RunResult(
        policy=chosen.name,
        system=system,
        requests=requests,
        pool_limit=limit,
        total=total,
        overloaded=_totals(G, loads_by_step[:full_steps]),
        empty_steps=sum(loads.count(0) for loads in loads_by_step),
        empty_max=sum(loads.count(0) * max(loads) for loads in loads_by_step),
        power_sums={gamma: _power_sums(gamma, loads_by_step) for gamma in gammas},
        time_s=clock,
        worker=np.array(worker_of, dtype=np.int64),
        reveal_step=np.array(reveal_step, dtype=np.int64),
        start_step=np.array(start_step, dtype=np.int64),
        start_s=np.array(start_s, dtype=np.float64),
        finish_s=np.array(finish_s, dtype=np.float64),
        loads=np.array(loads_by_step, dtype=np.int64).reshape(-1, G) if history else None,
        bound_gap=gap,
    )


def in_flight(workers: list[list[_Active]]) -> InFlight:
    """What a policy is shown of the requests that are being served."""
    rows = sorted((r.index, g, r.size, r.age) for g, active in enumerate(workers) for r in active)
    request, worker, size, age = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return InFlight(request, worker, size, age, np.zeros(len(rows), dtype=np.bool_))


def _totals(workers: int, loads: list[list[int]]) -> Totals:
    return Totals(workers, len(loads), sum(map(max, loads)), sum(map(sum, loads)))


def _power_sums(gamma: float, loads: list[list[int]]) -> PowerSums:
    per_step = [(max(step), math.fsum((x / max(step)) ** gamma for x in step)) for step in loads]
    return PowerSums(
        per_step=math.fsum(powers for _, powers in per_step),
        per_load=math.fsum(largest * powers for largest, powers in per_step),
    )
