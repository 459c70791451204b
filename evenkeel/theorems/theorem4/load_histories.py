"""Energies of load histories, as balls and fractions, for the checks of the energy claims."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from flint import arb

from adversary.instances.load_histories import (
    LoadHistory,
    Loads,
    extremal_histories,
    random_histories,
)
from adversary.workloads.families import workload
from evenkeel.findings.check import Trial
from evenkeel.theorems.theorem4.power_constants import per_work
from solvers.simulation.reference import simulate_reference
from solvers.simulation.result import RunResult
from theory.formulas.energy import Constants, Usage
from theory.laws.fcfs_expectation import to_ball
from theory.model import Requests, System

# Step overheads in units of load, of the order of the histories' loads.
OVERHEADS = (Fraction(0), Fraction(701, 2))


def bare_usage(history: LoadHistory) -> Usage[Fraction]:
    """Busy and idle time of a history without overhead, per unit of its work."""
    return per_work(Fraction(history.imbalance, history.work))


@lru_cache(maxsize=4096)  # every device and every false version asks again
def usage_of(loads: Loads, overhead: Fraction) -> Usage[Fraction]:
    """Busy, idle and empty time of a load history, exact."""
    busy = total = empty = Fraction(0)
    for step in loads:
        top = max(step)
        if top:
            busy += (overhead + top) * Fraction(sum(step), top)
            total += (overhead + top) * len(step)
            empty += (overhead + top) * step.count(0)
    return Usage(busy, total - busy, empty)


def energy_of(loads: Loads, power: Constants[Any], overhead: Fraction) -> Any:
    """Energy of a load history as a ball, in watts times units of load.

    ``sum (c + M) P(u)``, the definition, worker by worker.
    """
    energy, waiting, dynamic = arb(0), power.barrier_w, power.dynamic_w
    for step in loads:
        top = max(step)
        if not top:
            continue
        length = to_ball(overhead + top)
        for load in step:
            if load:
                share = (arb(load) / arb(top)) ** power.gamma
                energy += length * (waiting + dynamic * share)
            else:
                energy += length * power.idle_w
    return energy


def zero_one_energy(loads: Loads, power: Constants[Fraction], overhead: Fraction) -> Fraction:
    """Exact energy of a history whose utilisations are all 0 or 1."""
    energy = Fraction(0)
    for step in loads:
        busy = len(step) - step.count(0)
        watts = busy * power.max_w + (len(step) - busy) * power.idle_w
        energy += (overhead + max(step)) * watts
    return energy


@dataclass(frozen=True, slots=True)
class Simulated:
    """A simulated run of a policy (its specification), and the loads that departures leave."""

    policy: str
    result: RunResult
    history: LoadHistory
    departed: Loads


def run_of(
    system: System, requests: Requests, policy: str, seed: int = 0, pool: int | None = None
) -> Simulated:
    """Simulate a run, by the reference engine."""
    result = simulate_reference(system, requests, policy, pool=pool, seed=seed, history=True)
    assert result.loads is not None  # asked for
    loads: Loads = tuple(tuple(step) for step in result.loads.tolist())
    left = [list(step) for step in loads]
    growth = system.drift[0]
    for s, o, g, start in zip(
        requests.prefill.tolist(),
        requests.decode.tolist(),
        result.worker.tolist(),
        result.start_step.tolist(),
        strict=True,
    ):
        left[start + o - 1][g] -= s + growth * (o - 1)
    history = LoadHistory(f"run of {policy}", loads)
    return Simulated(policy, result, history, tuple(map(tuple, left)))


def small_workloads(seed: int) -> Iterator[tuple[System, Requests]]:
    """Small systems with backlogs of three kinds: sizes that differ a lot, LLM decoding, BSP."""
    yield System(3, 2), workload("uniform", 30, seed, a=1, b=30, p=0.3)
    yield System(4, 3), workload("two-point", 40, seed + 1, a=1, b=100, q=0.2, p=0.2)
    yield System(5, 2, drift=(0,)), workload("lognormal", 40, seed + 2, b=2000, p=0.25)


# How many random histories stand beside the extremal ones, in checks of single histories and of all
# pairs of them.
SINGLE: dict[str, Any] = {"random": 40, "standard": {"random": 400}, "paper": {"random": 4000}}
PAIRED: dict[str, Any] = {"random": 40, "standard": {"random": 200}, "paper": {"random": 600}}


def histories(trial: Trial) -> list[LoadHistory]:
    """Extremal and random histories."""
    return [*extremal_histories(), *random_histories(trial.seed, trial["random"])]


def by_workers(trial: Trial) -> list[list[LoadHistory]]:
    """The same, those on equally many workers together: each two are a pair of equal work."""
    groups: dict[int, list[LoadHistory]] = {}
    for history in histories(trial):
        groups.setdefault(history.workers, []).append(history)
    return list(groups.values())


def paired_policies(trial: Trial) -> tuple[str, ...]:
    """The policies whose runs of the same requests are compared."""
    return ("fcfs", trial.policy_or("least_loaded"), "always_busiest")


@lru_cache(maxsize=16)  # every claim and every false version asks again
def runs(seed: int, policies: tuple[str, ...]) -> tuple[tuple[Simulated, ...], ...]:
    """For each small workload, one run of each policy."""
    return tuple(
        tuple(run_of(system, requests, policy, seed) for policy in policies)
        for system, requests in small_workloads(seed)
    )


def written_requests(requests: Requests) -> dict[str, list[Any]]:
    """Requests, JSON-ready."""
    columns = {"prefill": requests.prefill, "decode": requests.decode, "arrival": requests.arrival}
    return {name: column.tolist() for name, column in columns.items() if column is not None}


def written_runs(*same: Simulated) -> dict[str, Any]:
    """The requests that the runs serve, and the loads of each, JSON-ready."""
    loads = {f"loads under {run.result.policy}": shown(run.history.loads) for run in same}
    return written_requests(same[0].result.requests) | loads


def shown(loads: Loads) -> list[list[int]]:
    """A history as JSON-ready lists."""
    return [list(step) for step in loads]
