"""The assumption gate: which hypotheses of a claim fail for a step, a run or a device.

What violates a hypothesis of a theorem speaks neither for it nor against it: it is not applicable,
never a pass.  The gate sees what an instance shows; a law behind it (independent draws, geometric
lengths) it cannot see and does not judge.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evenkeel.theorems.registry import Assumption, Claim
from solvers.simulation.result import RunResult
from solvers.step.problem import StepProblem
from theory.model import IntArray
from theory.power import PowerModel
from theory.serving import ServingSystem


@dataclass(frozen=True, slots=True)
class Subject:
    """What a claim is held against.

    Parameters
    ----------
    problem : StepProblem, optional
        One admission step.
    slots : int, optional
        Slots of each worker in that step, ``B``; the largest number of free ones if not given.
    run : RunResult, optional
        A run; with its history of loads, their growth is compared with the system's drift.
    baseline : RunResult, optional
        The run that it is compared with.
    sizes : (int, int), optional
        The interval ``[a, b]`` that the claim takes the sizes from; that of the data by default.
    power : PowerModel, optional
        The device.
    exact : bool
        Whether every admission step was solved to optimality.
    """

    problem: StepProblem | None = None
    slots: int | None = None
    run: RunResult | None = None
    baseline: RunResult | None = None
    sizes: tuple[int, int] | None = None
    power: PowerModel | None = None
    exact: bool = True

    @property
    def pool(self) -> IntArray:
        """Sizes of the step's pool, or of all requests of the run; empty without either."""
        if self.problem is not None:
            return self.problem.pool
        return self.run.requests.prefill if self.run is not None else np.zeros(0, dtype=np.int64)


def _model(subject: Subject) -> str:
    for run in (subject.run, subject.baseline):
        if run is not None and isinstance(run.system, ServingSystem) and run.system.departures:
            return ", ".join(run.system.departures)
    return ""


def _any_schedule(subject: Subject) -> str:
    for run in (subject.run, subject.baseline):
        if run is None or not isinstance(run.system, ServingSystem):
            continue
        if run.system.other_costs:
            return ", ".join(run.system.other_costs)
        if run.preemptions is not None and run.preemptions.any():
            return f"{int(np.count_nonzero(run.preemptions))} requests were preempted"
    return ""


def _backlog(subject: Subject) -> str:
    for run in (subject.run, subject.baseline):
        if run is not None and run.requests.arrival is not None and run.requests.arrival.any():
            late = int(np.count_nonzero(run.requests.arrival))
            return f"{late} of {len(run.requests)} requests arrive after the start"
    return ""


def _overloaded(subject: Subject) -> str:
    if subject.problem is not None:
        short = subject.problem.free_slots - subject.problem.pool.size
        return f"{short} slots stay empty for want of requests" if short > 0 else ""
    run = subject.run
    if run is None:
        return ""
    if run.overloaded.steps == 0:
        return "no step has every slot full"
    last = int(run.start_step.max())
    return (
        f"a slot is empty at step {run.overloaded.steps}, before the last admission"
        if run.overloaded.steps < last
        else ""
    )


def _pool_condition(subject: Subject) -> str:
    problem = subject.problem
    if problem is None or not problem.free.any():
        return ""
    copies = np.unique(problem.pool, return_counts=True)[1]
    left = problem.pool.size - int(copies.max(initial=0))
    short = problem.free_slots - left
    return f"without its commonest size the pool leaves {short} slots empty" if short > 0 else ""


def _rich_pool(subject: Subject) -> str:
    problem = subject.problem
    if problem is None or not problem.free.any():
        return ""
    low, high = subject.sizes or (
        int(problem.pool.min(initial=1)),
        int(problem.pool.max(initial=1)),
    )
    slots = problem.free_slots
    for size in range(low, high + 1):
        copies = int(np.count_nonzero(problem.pool == size))
        if copies < slots:
            return f"{copies} requests of size {size} wait for {slots} free slots"
    return ""


def _full_refill(subject: Subject) -> str:
    problem = subject.problem
    if problem is None:
        return ""
    if problem.loads.any():
        return f"worker {int(np.flatnonzero(problem.loads)[0])} is not empty"
    slots = subject.slots or int(problem.free.max(initial=0))
    uneven = np.flatnonzero(problem.free != slots)
    return f"worker {int(uneven[0])} has not all of its {slots} slots free" if uneven.size else ""


def _bounded_sizes(subject: Subject) -> str:
    if subject.sizes is None or subject.pool.size == 0:
        return ""
    low, high = int(subject.pool.min()), int(subject.pool.max())
    a, b = subject.sizes
    return f"sizes run from {low} to {high}, outside [{a}, {b}]" if low < a or high > b else ""


def _equal_lengths(subject: Subject) -> str:
    if subject.run is None or len(subject.run.requests) == 0:
        return ""
    lengths = subject.run.requests.decode
    low, high = int(lengths.min()), int(lengths.max())
    return f"output lengths run from {low} to {high}" if low < high else ""


def _common_drift(subject: Subject) -> str:
    run = subject.run
    if run is None or run.loads is None:
        return ""
    expected = loads_of(run)
    differ = np.argwhere(expected != run.loads)
    if differ.size == 0:
        return ""
    k, g = differ[0].tolist()
    return (
        f"worker {g} has load {run.loads[k, g]} at step {k} where common growth makes "
        f"{expected[k, g]}"
    )


def _constant_drift(subject: Subject) -> str:
    run = subject.run
    if run is not None and not run.system.has_constant_drift:
        return f"the drift {run.system.drift} changes from step to step"
    return _common_drift(subject)


def _work_conserving(subject: Subject) -> str:
    run = subject.run
    if run is None:
        return ""
    steps = run.total.steps

    def so_far(at: IntArray) -> IntArray:
        return np.cumsum(np.bincount(np.minimum(at, steps), minlength=steps + 1))[:steps]

    begun = so_far(run.start_step)
    busy = begun - so_far(run.start_step + run.requests.decode)
    waiting = so_far(run.reveal_step) - begun
    idle = np.flatnonzero((waiting > 0) & (busy < run.system.capacity))
    return f"a request waits at step {int(idle[0])} while a slot is free" if idle.size else ""


def _exact_step(subject: Subject) -> str:
    return "" if subject.exact else "a step was not solved to optimality"


def _same_requests(subject: Subject) -> str:
    if subject.run is None or subject.baseline is None:
        return ""
    return "" if subject.run.requests == subject.baseline.requests else "the requests differ"


def _no_overhead(subject: Subject) -> str:
    run = subject.run
    if run is None or run.system.step_overhead_s == 0:
        return ""
    return f"C = {1e3 * run.system.step_overhead_s:.4g} ms a step"


def _some_work(subject: Subject) -> str:
    runs = [run for run in (subject.run, subject.baseline) if run is not None]
    return "nothing is served" if any(run.total.work == 0 for run in runs) else ""


def _work_on_every_worker(subject: Subject) -> str:
    for run in (subject.run, subject.baseline):
        if run is not None and run.empty_steps:
            return f"{run.empty_steps} worker-steps are without work"
    return ""


def _power_law(subject: Subject) -> str:
    power = subject.power
    if power is None or power.barrier_w == power.idle_w:
        return ""
    return f"a waiting worker draws {power.barrier_w:g} W, one without work {power.idle_w:g} W"


def _idle_power(subject: Subject) -> str:
    return "P_idle = 0" if subject.power is not None and subject.power.idle_w == 0 else ""


_GATES: dict[Assumption, Callable[[Subject], str]] = {
    Assumption.BACKLOG: _backlog,
    Assumption.OVERLOADED: _overloaded,
    Assumption.POOL_CONDITION: _pool_condition,
    Assumption.RICH_POOL: _rich_pool,
    Assumption.FULL_REFILL: _full_refill,
    Assumption.BOUNDED_SIZES: _bounded_sizes,
    Assumption.EQUAL_LENGTHS: _equal_lengths,
    Assumption.COMMON_DRIFT: _common_drift,
    Assumption.CONSTANT_DRIFT: _constant_drift,
    Assumption.WORK_CONSERVING: _work_conserving,
    Assumption.EXACT_STEP: _exact_step,
    Assumption.SAME_REQUESTS: _same_requests,
    Assumption.NO_OVERHEAD: _no_overhead,
    Assumption.IDLE_POWER: _idle_power,
    Assumption.POWER_LAW: _power_law,
    Assumption.WORK_ON_EVERY_WORKER: _work_on_every_worker,
    Assumption.SOME_WORK: _some_work,
}


def unmet(claim: Claim, subject: Subject) -> dict[Assumption, str]:
    """The assumptions of the claim that the subject violates, each with the reason.

    That the system is one of the model is an assumption of every claim, but for those about any
    schedule.  Where it is not, the other gates are not asked: they read a run as one of the model.

    Examples
    --------
    >>> from solvers.step.problem import StepProblem
    >>> from evenkeel.theorems.registry import claim_of
    >>> poor = Subject(StepProblem([0, 0], [1, 1], [1]), sizes=(1, 1))
    >>> unmet(claim_of("step.waterfill"), poor)[Assumption.RICH_POOL]
    '1 requests of size 1 wait for 2 free slots'
    """
    if Assumption.ANY_SCHEDULE in claim.assumptions:
        if departs := _any_schedule(subject):
            return {Assumption.ANY_SCHEDULE: departs}
    elif departs := _model(subject):
        return {Assumption.MODEL: departs}
    reasons = {
        assumption: _GATES[assumption](subject)
        for assumption in claim.assumptions
        if assumption in _GATES
    }
    return {assumption: reason for assumption, reason in reasons.items() if reason}


def loads_of(run: RunResult) -> IntArray:
    """Loads that a run's placements have under the common drift of its system, int64[K, G]."""
    steps, drift = run.total.steps, run.system.drift
    grown = np.concatenate(([0], np.cumsum(np.resize(np.array(drift, dtype=np.int64), steps))))
    loads = np.zeros((steps, run.system.workers), dtype=np.int64)
    rows = zip(
        run.requests.prefill.tolist(),
        run.requests.decode.tolist(),
        run.worker.tolist(),
        run.start_step.tolist(),
        strict=True,
    )
    for s, o, g, start in rows:
        loads[start : start + o, g] += s + grown[start : start + o] - grown[start]
    return loads
