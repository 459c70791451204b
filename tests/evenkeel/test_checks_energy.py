"""The checks of the energy claims: gates and independent numbers."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from flint import ctx

from evenkeel.findings.check import Variant, Verdict
from evenkeel.theorems.registry import checks
from evenkeel.theorems.theorem4.any_power import CONCAVE, LAWS
from evenkeel.theorems.theorem4.load_histories import (
    OVERHEADS,
    energy_of,
    run_of,
    runs,
    small_workloads,
    usage_of,
    zero_one_energy,
)
from evenkeel.theorems.theorem4.power_constants import DEVICES, PRECISION, ball_constants
from solvers.simulation.engine import simulate
from solvers.simulation.reference import simulate_reference
from tests.oracles.found import found
from theory.formulas.energy import energy_floor
from theory.model import Requests, System
from theory.power import hardware


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
    first = check.run(check.trial(seed=7))
    runs.cache_clear()
    assert check.run(check.trial(seed=7)) == first


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


ENERGY = [label for label in checks() if label.startswith("energy.")]


@pytest.mark.parametrize("label", ENERGY)
def test_every_comparison_has_a_false_version_of_its_own(label):
    check, sides = checks()[label], found(label).sides
    planted = {plant.side for plant in check.plants if plant.scale != 1}
    assert sides <= planted
    assert {plant.side for plant in check.plants} <= sides | {""}
    assert check.measures


def test_the_devices_hold_every_edge_of_the_constants():
    constants = [power for _name, power in DEVICES]
    assert any(power.idle_w == 0 for power in constants)
    assert any(power.gamma == 1 for power in constants)
    assert any(power.idle_w == power.max_w for power in constants)
    assert any(overhead > 0 for overhead in OVERHEADS)


def test_the_power_laws_are_those_of_the_claim():
    """Between proportional and full, and not all of them concave."""
    grid = [Fraction(k, 60) for k in range(61)]
    for name, law in LAWS.items():
        assert all(u <= law(u) <= 1 for u in grid), name
    jump = LAWS["a jump at one half"]
    assert jump(Fraction(1, 4)) < (jump(Fraction(0)) + jump(Fraction(1, 2))) / 2


def test_the_concave_laws_are_those_of_the_claim():
    """Concave on (0, 1] and full at 1, with the P(0+) that is said; one draws less without work."""
    grid = [Fraction(k, 60) for k in range(1, 61)]
    for name, (wait, law) in CONCAVE.items():
        near_0 = [law(Fraction(1, 10**k)) for k in (6, 9)]
        assert abs(near_0[0] - wait) <= Fraction(1, 10**5), name
        assert abs(near_0[1] - wait) <= Fraction(1, 10**8), name
        assert law(Fraction(1)) == 1
        for u, v in combinations(grid, 2):
            assert 2 * law((u + v) / 2) >= law(u) + law(v), name
    assert any(law(Fraction(0)) < wait for wait, law in CONCAVE.values())


@pytest.mark.parametrize("run", [simulate, simulate_reference])
def test_timed_witnesses_on_both_engines(run):
    """By hand: loads (1,0), (2,0), (2,0) against (1,0), (1,1), (0,2), and a gap up to 10."""
    system = System(2, 2, seconds_per_token=1.0)
    requests = Requests([1, 1, 1], [1, 1, 2], [0.0, 10.0, 10.0])
    fcfs, jsq = (run(system, requests, name) for name in ("fcfs", "jsq"))
    assert (fcfs.time_s, fcfs.total.work, fcfs.total.imbalance) == (14, 5, 5)
    assert (jsq.time_s, jsq.total.work, jsq.total.imbalance) == (13, 5, 3)
    # (3,1), (3,1) and (1,1) from 100 against (3,3), (1,1) and (1,1) from 100.
    system = System(2, 1, drift=(0,), seconds_per_token=1.0)
    requests = Requests([3, 1, 3, 1, 1, 1], [1] * 6, [0.0] * 4 + [100.0] * 2)
    fcfs, bfio = (run(system, requests, name) for name in ("fcfs", "bfio"))
    assert (fcfs.time_s, fcfs.total.work, fcfs.total.imbalance) == (101, 10, 4)
    assert (bfio.time_s, bfio.total.work, bfio.total.imbalance) == (101, 10, 0)
    # (2,5,5) + (3,6,6) + (1,4), and the late (2,2) or (2,3).
    system = System(2, 2, drift=(3, 0, 1), seconds_per_token=1.0)
    requests = Requests([2, 3, 1, 2], [3, 3, 2, 2], [0.0, 0.0, 0.0, 3.5])
    assert [run(system, requests, name).total.work for name in ("fcfs", "jsq")] == [36, 37]


@pytest.mark.parametrize(
    ("label", "computed", "claimed"),
    [
        ("energy.throughput-timed", Fraction(14, 13), Fraction(5, 4)),
        ("energy.work-oldest-first-timed", 37, 36),
        # 2 x 101 x 100 W + 300 W x 10 for both; 40/(400 + 40).
        ("energy.saving-timed", 0, Fraction(1, 11)),
        ("energy.cap-with-overhead", Fraction(200, 615), 0),
        # E1/E0 = (2/3)(1 + 1/4) = 5/6.
        ("energy.any-power-convex", Fraction(1, 6), 0),
        ("energy.limit-sharp-unpowered", 0, 1),
    ],
)
def test_what_is_too_wide_is_refuted_with_these_numbers(label, computed, claimed):
    finding = found(label).finding
    assert finding.verdict is Verdict.REFUTED
    assert (finding.computed, finding.claimed) == (computed, claimed)


def test_the_two_orders_on_one_worker_are_runs_of_the_same_requests():
    shown = found("energy.cap-with-overhead").finding.witness
    orders = {"baseline": [1] * 9 + [3], "improved": [3] + [1] * 9}
    for side, lengths in orders.items():
        result = simulate_reference(System(1, 3), Requests([1] * 10, lengths), "fcfs", history=True)
        assert result.loads.tolist() == shown[side]
