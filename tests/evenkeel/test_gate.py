"""The assumption gate: what violates a hypothesis is named, what meets it passes."""

import dataclasses

import numpy as np
import pytest

from evenkeel.findings.gate import _GATES, Subject, loads_of, unmet
from evenkeel.theorems.registry import Assumption, claim_of
from solvers.simulation.engine import simulate
from solvers.simulation.reference import simulate_reference
from solvers.step.problem import StepProblem
from tests.oracles.policies import FCFS
from theory.model import Requests, System
from theory.power import PowerModel
from theory.serving import ServingSystem


def run(s, o, arrival=None, workers=2, slots=1, **system):
    requests = Requests(s, o, arrival)
    return simulate_reference(System(workers, slots, **system), requests, FCFS(), history=True)


def step(loads, free, pool, **more):
    return Subject(StepProblem(loads, free, pool), **more)


FULL = run([1, 2, 3, 1], [1, 1, 1, 1])
# The second request comes only after the first has departed.
LATE = run([1, 2], [1, 1], [0.0, 10.0], seconds_per_token=1.0)
EVICTED = dataclasses.replace(FULL, loads=FULL.loads - np.array([[0, 0], [1, 0]]))
PAUSED = run([1, 2, 1], [3, 1, 1], [0.0, 0.0, 4.5], seconds_per_token=1.0)
# All four wait from step 0, and are taken at steps 1 and 2 in place of 0 and 1.
HELD_BACK = dataclasses.replace(
    FULL, start_step=FULL.start_step + 1, total=dataclasses.replace(FULL.total, steps=3)
)
IDLE, FREE = PowerModel(100, 400, 0.7), PowerModel(0, 400, 0.7)
SPINS = PowerModel(100, 400, 0.7, wait_w=150)

# For each assumption: what meets it, what violates it, and a word of the reason.
CASES = [
    (Assumption.BACKLOG, Subject(run=FULL), Subject(run=LATE), "1 of 2 requests arrive"),
    (Assumption.BACKLOG, Subject(run=FULL), Subject(run=FULL, baseline=LATE), "1 of 2"),
    (Assumption.OVERLOADED, step([0], [2], [1, 1]), step([0], [2], [1]), "1 slots stay empty"),
    (
        Assumption.OVERLOADED,
        step([0], [2], [1, 1]),
        step([0, 0, 0], [2**62 - 1] * 3, [1]),
        f"{3 * 2**62 - 4} slots stay empty",
    ),
    (Assumption.OVERLOADED, Subject(run=FULL), Subject(run=LATE), "no step has every slot"),
    (Assumption.OVERLOADED, Subject(run=FULL), Subject(run=PAUSED), "empty at step 1"),
    (
        Assumption.POOL_CONDITION,
        step([0, 0], [1, 1], [1, 1, 2, 3]),
        step([0, 0], [1, 1], [1, 1, 2]),
        "leaves 1 slots empty",
    ),
    (
        Assumption.RICH_POOL,
        step([0, 0], [1, 1], [1, 1, 2, 2], sizes=(1, 2)),
        step([0, 0], [1, 1], [1, 1, 2], sizes=(1, 2)),
        "1 requests of size 2 wait for 2",
    ),
    (
        Assumption.RICH_POOL,
        step([0], [1], [1]),
        step([0, 0], [1, 1], [1, 1, 3, 3]),
        "0 requests of size 2",
    ),
    (Assumption.FULL_REFILL, step([0, 0], [2, 2], [1]), step([0, 1], [2, 2], [1]), "worker 1"),
    (Assumption.FULL_REFILL, step([0, 0], [2, 2], [1]), step([0, 0], [2, 1], [1]), "worker 1"),
    (
        Assumption.FULL_REFILL,
        step([0, 0], [2, 2], [1], slots=2),
        step([0, 0], [2, 2], [1], slots=3),
        "3 slots free",
    ),
    (
        Assumption.BOUNDED_SIZES,
        step([0], [1], [2, 4], sizes=(2, 4)),
        step([0], [1], [2, 4], sizes=(2, 3)),
        "outside [2, 3]",
    ),
    (
        Assumption.BOUNDED_SIZES,
        Subject(run=FULL, sizes=(1, 3)),
        Subject(run=FULL, sizes=(2, 3)),
        "from 1 to 3",
    ),
    (
        Assumption.EQUAL_LENGTHS,
        Subject(run=FULL),
        Subject(run=run([1, 1], [1, 2])),
        "from 1 to 2",
    ),
    (Assumption.COMMON_DRIFT, Subject(run=FULL), Subject(run=EVICTED), "step 1"),
    (Assumption.CONSTANT_DRIFT, Subject(run=FULL), Subject(run=EVICTED), "step 1"),
    (
        Assumption.CONSTANT_DRIFT,
        Subject(run=FULL),
        Subject(run=run([1, 1], [1, 2], drift=(0, 1))),
        "(0, 1)",
    ),
    (Assumption.WORK_CONSERVING, Subject(run=FULL), Subject(run=HELD_BACK), "step 0"),
    (Assumption.EXACT_STEP, Subject(exact=True), Subject(exact=False), "not solved"),
    (
        Assumption.SAME_REQUESTS,
        Subject(run=FULL, baseline=FULL),
        Subject(run=FULL, baseline=LATE),
        "differ",
    ),
    (
        Assumption.NO_OVERHEAD,
        Subject(run=FULL),
        Subject(run=run([1, 1], [1, 1], step_overhead_s=0.004)),
        "C = 4 ms",
    ),
    (Assumption.SOME_WORK, Subject(run=FULL), Subject(run=run([], [])), "nothing is served"),
    (Assumption.IDLE_POWER, Subject(power=IDLE), Subject(power=FREE), "P_idle = 0"),
    (Assumption.POWER_LAW, Subject(power=IDLE), Subject(power=SPINS), "draws 150 W, one"),
    (
        Assumption.WORK_ON_EVERY_WORKER,
        Subject(run=FULL),
        Subject(run=FULL, baseline=run([1], [2])),
        "2 worker-steps are without work",
    ),
]


@pytest.mark.parametrize(("assumption", "meets", "violates", "word"), CASES)
def test_what_violates_a_hypothesis_is_named(assumption, meets, violates, word):
    entry = claim_of("step.objective")
    only = dataclasses.replace(entry, assumptions=(assumption,))
    assert unmet(only, meets) == {}
    assert word in unmet(only, violates)[assumption]
    assert unmet(dataclasses.replace(entry, assumptions=()), violates) == {}


def test_no_claim_is_about_a_system_that_departs_from_the_model():
    system = ServingSystem(2, 1, slowness=(1, 2), admit_every=2)
    slow = simulate(system, Requests([1, 2], [1, 1]), "fcfs")
    for subject in (Subject(run=slow), Subject(run=FULL, baseline=slow)):
        for label in ("energy.sandwich", "step.objective"):
            assert unmet(claim_of(label), subject) == {
                Assumption.MODEL: "speeds differ, admissions are held back"
            }
    plain = simulate(ServingSystem(2, 1), Requests([1, 2], [1, 1]), "fcfs")
    assert unmet(claim_of("step.objective"), Subject(run=plain)) == {}


def test_each_gate_has_a_case():
    assert {case[0] for case in CASES} == set(_GATES)


def test_a_claim_lists_all_that_fails():
    failed = unmet(
        claim_of("step.full-refill-gap"), step([1, 0], [2, 1], [5], sizes=(1, 4), slots=2)
    )
    assert set(failed) == {
        Assumption.FULL_REFILL,
        Assumption.OVERLOADED,
        Assumption.BOUNDED_SIZES,
    }


@pytest.mark.parametrize("drift", [(0,), (1,), (3, 0, 1)])
def test_the_loads_of_a_run_follow_from_its_placements(drift):
    requests = Requests([3, 1, 4, 1, 5, 9, 2], [2, 1, 3, 5, 1, 2, 2])
    found = simulate_reference(System(2, 2, drift), requests, "jsq", history=True)
    assert np.array_equal(loads_of(found), found.loads)
