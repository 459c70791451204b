"""The checks of the energy claims: gates and independent numbers."""

from fractions import Fraction

import numpy as np
import pytest
from flint import ctx

from evenkeel.checks.load_energy import (
    DEVICES,
    PRECISION,
    ball_constants,
    energy_of,
    run_of,
    small_workloads,
    usage_of,
    zero_one_energy,
)
from evenkeel.evidence import Variant, Verdict, checks
from solvers.reference import simulate_reference
from theory.model import System
from theory.power import hardware
from theory.savings import energy_floor


@pytest.mark.parametrize(
    "label", ["energy.saving-paper", "energy.saving-sharp", "energy.saving-envelope"]
)
def test_a_run_that_stops_early_is_not_applicable(label):
    check = checks()[label]
    finding = check.run(check.trial(variant=Variant("cut short", fault="cut-short")))
    assert finding.verdict is Verdict.NOT_APPLICABLE
    assert "different total work" in finding.domain


@pytest.mark.parametrize("label", ["energy.sandwich", "energy.saving-envelope"])
def test_same_seed_same_finding(label):
    check = checks()[label]
    assert check.run(check.trial(seed=7)) == check.run(check.trial(seed=7))


def test_ball_energy_contains_the_energy_of_the_engine():
    """Two independent computations of one energy, overhead included."""
    power = hardware("h100-sxm-decode")
    for plain, requests in small_workloads(3):
        system = System(
            plain.workers, plain.slots, plain.drift, step_overhead_s=0.25, seconds_per_token=0.5
        )
        result = simulate_reference(
            system, requests, "least_loaded", gammas=(power.gamma,), history=True
        )
        loads = tuple(tuple(step) for step in result.loads.tolist())
        law = next(law for name, law in DEVICES if name == "h100-sxm-decode")
        with ctx.workprec(PRECISION):
            # c = C / t_l = 1/2; watts times units of load, half a second each.
            energy = energy_of(loads, ball_constants(law), Fraction(1, 2)) / 2
        assert result.energy_j(power) == pytest.approx(float(energy), rel=1e-12)


def test_usage_counts_all_worker_time():
    loads = ((4, 1), (0, 6))
    run = usage_of(loads, Fraction(3))
    assert run.total == 2 * (3 + 4) + 2 * (3 + 6)
    assert run.busy == 7 * Fraction(5, 4) + 9
    assert usage_of(loads, Fraction(0)).busy == 11


def test_zero_one_energy_is_the_floor():
    loads = ((5, 0, 5), (0, 0, 2))
    for _name, power in DEVICES:
        for overhead in (Fraction(0), Fraction(7, 3)):
            assert zero_one_energy(loads, power, overhead) == energy_floor(
                power, usage_of(loads, overhead)
            )


def test_loads_after_departures():
    """The planted fault really is the loads without the requests that leave."""
    for system, requests in small_workloads(0):
        run = run_of(system, requests, "fcfs")
        last = run.result.start_step + requests.decode - 1
        for k, (before, after) in enumerate(zip(run.history.loads, run.departed, strict=True)):
            leaving = np.flatnonzero(last == k)
            growth = system.drift[0]
            gone = sum(
                int(requests.prefill[i]) + growth * (int(requests.decode[i]) - 1) for i in leaving
            )
            assert sum(before) - sum(after) == gone
            assert min(after) >= 0
        assert sum(run.departed[-1]) == 0


def test_an_overhead_at_the_threshold_costs_nothing():
    """At half of the overhead that refutes, the two runs draw the same: the threshold is sharp."""
    check = checks()["energy.overhead-dilutes"]
    finding = check.run(check.trial(variant=Variant("at the threshold", Fraction(1, 2))))
    assert finding.computed == 0
    assert finding.verdict is Verdict.INCONCLUSIVE
