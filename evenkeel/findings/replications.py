"""Replicated overloaded runs of one policy, as evidence about BF-IO in the paper's class.

What every check of an expectation along growing systems needs: the mean imbalance after the
start-up over several seeds, and whether those runs can speak about BF-IO at all.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from adversary.workloads.families import workload
from adversary.workloads.overload import requests_to_overload
from evenkeel.findings.check import Finding, Verdict
from evenkeel.findings.statistics import (
    Mean,
    first_steps,
    imbalances,
    overloaded_run,
    pool_condition_fails_at,
)
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Law
from theory.laws.slot_load import geometric_slot
from theory.model import System

# A run is BF-IO's only as far as its steps are: the imbalance above the certified lower bounds of
# its steps, as the largest share of the imbalance at which the claim would fail.
LARGEST_GAP = 0.1


@dataclass(frozen=True, slots=True)
class Balanced:
    """Replicated overloaded runs of one policy: imbalance after the start-up."""

    mean: Mean
    samples: tuple[float, ...]  # of each run
    gap: float  # at most this much of a step's imbalance is not certified to be unavoidable
    violated: int | None  # first step at which the pool condition failed, over all runs

    def unfit(self, where: str, failing: float = math.inf) -> "Finding | None":
        """Why these runs cannot speak about BF-IO in the paper's overloaded class, if so.

        Parameters
        ----------
        where : str
            What was run.
        failing : float
            The imbalance at which the claim would fail; infinite where the gap is accounted for
            otherwise.
        """
        if self.violated is not None:
            return Finding(
                verdict=Verdict.NOT_APPLICABLE,
                domain=f"the pool condition failed at step {self.violated}, {where}",
            )
        if self.gap > LARGEST_GAP * failing:
            return Finding(
                verdict=Verdict.INCONCLUSIVE,
                computed=self.gap,
                claimed=LARGEST_GAP * failing,
                relation="<=",
                domain=f"mean imbalance of a step above its certified lower bound, {where}",
            )
        return None


@cache
def balanced_runs(
    system: System,
    policy: str,
    p: float,
    b: int,
    *,
    runs: int,
    seed: int,
    pool: int | None = None,
    lengths: int = 12,
) -> Balanced:
    """Mean imbalance after the start-up, sizes uniform on 1..b, pool 4GB unless given.

    A run lasts ``lengths`` mean lengths and all but the first 6 count: by then the ages are
    within ``exp(-6)`` of stationarity.
    """
    pool, steps = pool or 4 * system.capacity, math.ceil(lengths / p)
    n = requests_to_overload(system, steps, p=p, pool=pool)
    start = math.ceil(6 / p)
    samples, gap, violated = [], 0, None
    for run in range(runs):
        requests = workload("uniform", n, seed * 10**6 + run, b=b, p=p)
        result = overloaded_run(system, requests, policy, steps, pool=pool)
        samples.append(float(imbalances(first_steps(result, steps))[start:].mean()))
        # The gaps of all steps, of the start-up and the drain too: no less than those that count.
        gap += result.bound_gap or 0
        if violated is None:
            violated = pool_condition_fails_at(result, steps)
    return Balanced(Mean.of(samples), tuple(samples), gap / (runs * (steps - start)), violated)


@cache
def fcfs_imbalance(system: System, p: float, b: int) -> float:
    """Exact stationary ``E[Imb]`` of FCFS, sizes uniform on 1..b, mean over the drift's phases.

    The enclosures are narrower than 1e-9.
    """
    sizes, phases = Law.uniform(1, b), range(len(system.drift))
    laws = [
        geometric_slot(sizes, Fraction(str(p)), drift=system.drift, phase=phase) for phase in phases
    ]
    values = [expected_imbalance(law, system.workers, system.slots).imbalance for law in laws]
    return sum(value.value for value in values) / len(values)
