from fractions import Fraction

import numpy as np
import pytest

from adversary.workloads.sample_trace import SAMPLE_TRACE
from adversary.workloads.traces import read_trace
from evenkeel.findings.check import Verdict
from evenkeel.findings.statistics import Mean, first_steps, imbalances, overloaded_run
from evenkeel.theorems.registry import checks
from tests.oracles.found import found
from theory.formulas.fcfs import log_growth_square
from theory.laws.fcfs_expectation import expected_imbalance, over_steps
from theory.laws.slot_load import joint_slot
from theory.model import InputError, Requests, System


def test_a_false_statement_has_a_witness() -> None:
    witness = found("fcfs.constant-uniform").finding.witness
    assert witness is not None
    assert witness["G"] == 2
    assert witness["B"] == 1


def test_runs_on_a_traces_own_law_have_the_exact_mean_inside_their_interval() -> None:
    trace = read_trace(SAMPLE_TRACE).requests
    system, steps, runs = System(3, 4, (300, 0, 150)), 12, 300
    samples = []
    for run in range(runs):
        rng = np.random.default_rng([3, run])
        drawn = rng.integers(0, len(trace), system.capacity * (steps + 1))
        requests = Requests(trace.prefill[drawn], trace.decode[drawn])
        result = overloaded_run(system, requests, "fcfs", steps)
        samples.append(float(imbalances(first_steps(result, steps)).mean()))
    mean = Mean.of(samples)

    laws = [
        joint_slot(trace.prefill, trace.decode, step=k, drift=system.drift) for k in range(steps)
    ]
    exact = over_steps([expected_imbalance(law, 3, 4) for law in laws]).imbalance.value
    assert exact in mean
    # Narrow enough to tell a quarter more or less.
    assert 1.25 * exact not in mean
    assert 0.75 * exact not in mean


def test_the_averaged_law_of_lengths_with_a_divisor_is_refuted() -> None:
    check = checks()["fcfs.stationary"]
    caught = check.power(seed=7)
    assert caught["the mean of the phases' laws in place of each"]
    assert check.run(check.trial(seed=7)).verdict is Verdict.ARGUED


def test_timed_arrivals_make_interior_sizes_worse() -> None:
    finding = found("fcfs.vertex-timed").finding
    # By hand: loads 2, 2, 3, 3 alone at sizes (2, 2, 3); loads 3, 3 and (4, 1) at (3, 3, 1).
    assert (finding.computed, finding.claimed) == (10, 9)
    assert finding.witness is not None
    assert finding.witness["prefill"] == (2, 2, 3)


def test_the_bound_of_log_growth_by_hand() -> None:
    # Fair coin: v = 1/4, kappa = 1.  G = 2, B = 1: (2 * 1)^2 / 4 / (6 - 2) = 1/4, E[Imb] = 1/2.
    assert log_growth_square(Fraction(1, 4), Fraction(1, 16), 2, 1) == Fraction(1, 4)
    # G = 9, B = 7: k = 3, n = 2, (9 * 3)^2 (1/4) 2 / (6 - 1).
    assert log_growth_square(Fraction(1, 4), Fraction(1, 16), 9, 7) == Fraction(729, 10)


@pytest.mark.parametrize(("workers", "slots", "v"), [(1, 5, 1), (8, 2, 1), (4, 4, 0)])
def test_log_growth_needs_two_workers_enough_slots_and_a_load_that_varies(
    workers: int, slots: int, v: int
) -> None:
    with pytest.raises(InputError, match="need G >= 2"):
        log_growth_square(Fraction(v), Fraction(1), workers, slots)
