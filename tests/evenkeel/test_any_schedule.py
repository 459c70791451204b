"""What a claim needs of the system: the model, or any schedule of requests that cost their load."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adversary.instances.strategies import small_integers
from adversary.workloads.families import workload
from evenkeel.cli.system_option import system_of
from evenkeel.findings.gate import Subject, unmet
from evenkeel.theorems.registry import Assumption, claim_of, claims
from solvers.simulation.engine import simulate
from tests.evenkeel.test_system_option import DEPARTS
from theory.model import Requests
from theory.power import PowerModel
from theory.serving import ServingSystem

ANY_SCHEDULE = {
    "energy.work-invariance",
    "energy.saving-paper",
    "energy.saving-sharp",
    "energy.saving-envelope",
    "energy.cap",
    "energy.any-power",
}


@pytest.mark.parametrize("key", DEPARTS)
def test_a_claim_says_which_systems_it_speaks_of(key):
    system = replace(system_of(2, 3, (f"{key}={DEPARTS[key]}",)), step_overhead_s=0.0)
    (departure,) = system.departures
    run = simulate(system, workload("uniform", 30, 0), "jsq")
    costs = key in ("slowness", "request_cost", "tokens_per_step")
    for claim in claims().values():
        wanted = {Assumption.MODEL: departure}
        if claim.label in ANY_SCHEDULE:
            wanted = {Assumption.ANY_SCHEDULE: departure} if costs else {}
        for subject in (Subject(run=run), Subject(run=run, baseline=run)):
            assert unmet(claim, subject) == wanted, claim.label


def test_a_claim_says_what_it_needs_first():
    for label, entry in claims().items():
        needs = Assumption.ANY_SCHEDULE if label in ANY_SCHEDULE else Assumption.MODEL
        assert entry.hypotheses[0] is needs
        assert len({Assumption.ANY_SCHEDULE, Assumption.MODEL} & {*entry.hypotheses}) == 1


def test_a_run_that_preempts_is_none_of_the_schedules():
    system = ServingSystem(1, 4, kv_budget=(10,))
    run = simulate(system, Requests([5, 4], [3, 3]), "fcfs")
    for label in ANY_SCHEDULE:
        found = unmet(claim_of(label), Subject(run=run))
        assert found == {Assumption.ANY_SCHEDULE: "1 requests were preempted"}


@st.composite
def pairs(draw):
    """A backlog, and two systems and policies that restrict when and where its requests start."""
    n = draw(st.integers(1, 10))
    requests = Requests(draw(small_integers(1, 9, n)), draw(small_integers(1, 4, n)))

    def run():
        slots_of = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
        budget = draw(st.sampled_from([(), (24, 30)]))
        system = ServingSystem(
            *(2, max(slots_of)),
            slots_of=slots_of,
            kv_budget=budget,
            reserve=3 if budget else None,
            queues=draw(st.booleans()),
            admit_every=draw(st.integers(1, 3)),
            hold=draw(st.integers(0, 2)),
            seconds_per_token=1.0,
        )
        name = draw(st.sampled_from(["fcfs", "jsq", "bfio", "vllm_in_flight", "always_busiest"]))
        return system, name

    return requests, run(), run()


@settings(max_examples=150)
@given(pair=pairs())
def test_what_is_said_of_any_schedule_holds_for_restricted_ones(pair):
    requests, *runs = pair
    before, after = pair = [
        simulate(system, requests, name, gammas=(0.7,)) for system, name in runs
    ]
    power = PowerModel(100.0, 400.0, 0.7)
    assert before.total.work == after.total.work == before.requests.work()
    eta0, eta1 = (run.total.imbalance / run.total.work for run in pair)
    saved = 1 - after.energy_j(power) / before.energy_j(power)
    # P_idle = 100 W, P_max = 400 W, D = 100 + (1 - 0.7) (400 - 100) = 190 W.
    gain = 100 * eta0 - 190 * eta1
    rounding = 1e-9
    assert saved >= gain / (400 + 100 * eta0) - rounding
    assert gain < 0 or saved >= gain / (400 + 190 * eta0) - rounding
    most, least = (100 * (1 + eta) + 300 * (1 + eta) ** 0.3 for eta in (eta0, eta1))
    assert 1 - least / (400 + 100 * eta0) - rounding <= saved
    assert saved <= 1 - (400 + 100 * eta1) / most + rounding
    assert saved <= eta0 / (1 + eta0) + rounding
