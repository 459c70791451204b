"""Admission steps as they occur: recorded from overloaded runs under the step solver itself."""

from dataclasses import dataclass

from adversary.workloads.families import workload
from adversary.workloads.overload import requests_to_overload
from solvers.policies.protocol import StepView
from solvers.simulation.engine import simulate
from solvers.step.fast.solve import solve_step
from solvers.step.problem import Assignment, StepProblem
from theory.model import System

FAMILIES = {
    "uniform": {"a": 1, "b": 1000},
    "lognormal": {},
    "burst-like": {},
    "longbench-like": {},
}


class _EnoughError(Exception):
    """The run has gone on for as long as it is wanted."""


@dataclass(slots=True)
class Recorder:
    """Runs the step solver and keeps ``count`` steps, ``every`` steps apart, after a warm-up."""

    warmup: int
    every: int
    count: int
    effort: int
    steps: list[StepProblem]
    name: str = "recorder"

    def admit(self, view: StepView) -> Assignment:
        at = view.step - self.warmup
        if at >= 0 and at % self.every == 0:
            self.steps.append(view.problem)
            if len(self.steps) == self.count:
                raise _EnoughError
        return solve_step(view.problem, self.effort).assignment


def steady_steps(
    workers: int,
    slots: int,
    p: float,
    pool: int,
    family: str,
    count: int,
    seed: int = 0,
    effort: int = 1,
) -> list[StepProblem]:
    """``count`` steps of an overloaded run with geometric(``p``) lengths, past its warm-up."""
    system = System(workers, slots)
    warmup = round(2 / p) + slots * workers // pool
    every = max(1, round(0.2 / p))
    total = warmup + every * count + 1
    n = requests_to_overload(system, total, p=p, pool=pool)
    requests = workload(family, n, seed, p=p, **FAMILIES[family])
    recorder = Recorder(warmup, every, count, effort, [])
    try:
        simulate(system, requests, recorder, pool=pool)
    except Exception:
        if len(recorder.steps) < count:
            raise
    return recorder.steps
