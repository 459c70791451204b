"""Energies of load histories, as balls and fractions, for the checks of the energy claims."""

from collections.abc import Iterator, Sequence
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
from solvers.simulation.reference import simulate_reference
from solvers.simulation.result import RunResult
from theory.formulas.energy import Constants, Usage, exact
from theory.laws.fcfs_expectation import to_ball
from theory.model import Requests, System
from theory.power import hardware

PRECISION = 128  # of ball arithmetic, in bits

# Devices that the energy claims are attacked with: the paper's, measured exponents (below one half,
# where D exceeds half of P_max), a square root, a linear law, no idle power, no dynamic power.
DEVICES: tuple[tuple[str, Constants[Fraction]], ...] = (
    ("a100-paper", exact(hardware("a100-paper"))),
    ("h100-sxm-decode", exact(hardware("h100-sxm-decode"))),
    ("a100-sxm4-decode", exact(hardware("a100-sxm4-decode"))),
    ("square root", Constants(Fraction(100), Fraction(400), Fraction(1, 2))),
    ("linear", Constants(Fraction(60), Fraction(300), Fraction(1))),
    ("no idle power", Constants(Fraction(0), Fraction(300), Fraction(7, 10))),
    ("all idle power", Constants(Fraction(300), Fraction(300), Fraction(7, 10))),
)

# Step overheads in units of load, of the order of the histories' loads.
OVERHEADS = (Fraction(0), Fraction(701, 2))

# A run of work 1 without idle time.
BALANCED = Usage(Fraction(1), Fraction(0))


def ball_constants(power: Constants[Fraction]) -> Constants[Any]:
    """The same constants as balls."""
    return Constants(to_ball(power.idle_w), to_ball(power.max_w), to_ball(power.gamma))


def ball_usage(run: Usage[Fraction]) -> Usage[Any]:
    """The same usage as balls."""
    return Usage(to_ball(run.busy), to_ball(run.idle))


@lru_cache(maxsize=4096)  # every device and every false version asks again
def usage_of(loads: Loads, overhead: Fraction) -> Usage[Fraction]:
    """Busy and idle time of a load history, exact."""
    busy = total = Fraction(0)
    for step in loads:
        top = max(step)
        if top:
            busy += (overhead + top) * Fraction(sum(step), top)
            total += (overhead + top) * len(step)
    return Usage(busy, total - busy)


def energy_of(loads: Loads, power: Constants[Any], overhead: Fraction) -> Any:
    """Energy of a load history as a ball, in watts times units of load.

    ``sum (c + M) (P_idle + dP u^gamma)``, the definition, worker by worker.
    """
    energy, dynamic = arb(0), power.dynamic_w
    for step in loads:
        top = max(step)
        if not top:
            continue
        length = to_ball(overhead + top)
        for load in step:
            draw = power.idle_w
            if load:
                draw = draw + dynamic * (arb(load) / arb(top)) ** power.gamma
            energy += length * draw
    return energy


def zero_one_energy(loads: Loads, power: Constants[Fraction], overhead: Fraction) -> Fraction:
    """Exact energy of a history whose utilisations are all 0 or 1."""
    return sum(
        (
            (overhead + max(step)) * (power.max_w if load else power.idle_w)
            for step in loads
            for load in step
        ),
        Fraction(0),
    )


@dataclass(frozen=True, slots=True)
class Run:
    """A simulated run of a policy (its specification), and the loads that departures leave."""

    policy: str
    result: RunResult
    history: LoadHistory
    departed: Loads


def run_of(
    system: System, requests: Requests, policy: str, seed: int = 0, pool: int | None = None
) -> Run:
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
    return Run(policy, result, history, tuple(map(tuple, left)))


def small_workloads(seed: int) -> Iterator[tuple[System, Requests]]:
    """Small systems with backlogs of three kinds: sizes that differ a lot, LLM decoding, BSP."""
    yield System(3, 2), workload("uniform", 30, seed, a=1, b=30, p=0.3)
    yield System(4, 3), workload("two-point", 40, seed + 1, a=1, b=100, q=0.2, p=0.2)
    yield System(5, 2, drift=(0,)), workload("lognormal", 40, seed + 2, b=2000, p=0.25)


def histories(seed: int, count: int) -> list[LoadHistory]:
    """Extremal and random histories."""
    return [*extremal_histories(), *random_histories(seed, count)]


def runs(seed: int, policies: Sequence[str]) -> list[list[Run]]:
    """For each small workload, one run of each policy."""
    return [
        [run_of(system, requests, policy, seed) for policy in policies]
        for system, requests in small_workloads(seed)
    ]


def shown(loads: Loads) -> list[list[int]]:
    """A history as JSON-ready lists."""
    return [list(step) for step in loads]
