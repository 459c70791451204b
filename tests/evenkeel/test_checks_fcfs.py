import numpy as np

from adversary.sample import SAMPLE_TRACE
from adversary.traces import read_trace
from evenkeel.checks.sampling import Mean, first_steps, imbalances, overloaded_run
from evenkeel.evidence import Verdict, checks
from theory.expectation import expected_imbalance, over_steps
from theory.model import Requests, System
from theory.slots import joint_slot


def test_a_false_statement_has_a_witness() -> None:
    check = checks()["fcfs.constant-uniform"]
    witness = check.run(check.trial()).witness
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
    for seed in (0, 7):
        caught = check.power(seed=seed)
        assert caught["the mean of the phases' laws in place of each"]
        assert check.run(check.trial(seed=seed)).verdict is Verdict.PROVED
