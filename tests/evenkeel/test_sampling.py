import numpy as np
import pytest

from adversary.replay import departed_loads
from adversary.sample import SAMPLE_TRACE
from adversary.traces import read_trace
from evenkeel.checks.sampling import Mean, Ratio, imbalances, overloaded_run
from solvers.engine import simulate
from theory.expectation import expected_imbalance
from theory.model import InputError, Requests, System
from theory.slots import joint_slot


def test_mean_and_its_interval() -> None:
    # Student's t with one degree of freedom at 1 - 5e-7 is 1/(pi * 5e-7) = 636619 to six digits;
    # the deviation of (0, 2) is sqrt(2), divided by sqrt(2).
    mean = Mean.of([0.0, 2.0])
    assert mean.value == 1
    assert mean.high - 1 == pytest.approx(636_619.77, rel=1e-4)
    with pytest.raises(InputError):
        Mean.of([1.0])


def test_intervals_cover_the_truth() -> None:
    rng = np.random.default_rng(5)
    for _ in range(200):
        x = rng.exponential(3.0, 100)
        y = x * rng.uniform(0.5, 1.5, 100)
        assert 3 in Mean.of(x)
        ratio = Ratio.of(x, y)
        assert ratio.low < 1 < ratio.high
        assert ratio.low < ratio.value < ratio.high


def test_ratio_to_zero_has_only_a_lower_end() -> None:
    ratio = Ratio.of([4.0, 5.0, 6.0] * 40, [0.0] * 120)
    assert ratio.low == ratio.high == ratio.value == np.inf
    noisy = Ratio.of([4.0, 5.0, 6.0] * 40, [0.0] * 119 + [1.0])
    assert 5 < noisy.low < noisy.value < noisy.high == np.inf


def test_departed_loads_are_those_before_the_next_admission() -> None:
    # One slot each: at step 1 worker 0 has departed, worker 1 has grown from 5 to 6.
    run = simulate(System(2, 1), Requests([3, 5, 2], [1, 2, 1]), "fcfs", history=True)
    assert run.loads is not None
    assert run.loads.tolist() == [[3, 5], [2, 6]]
    assert departed_loads(run).tolist() == [[0, 6], [0, 0]]
    assert imbalances(run.loads).tolist() == [2, 4]


def test_a_run_that_is_not_overloaded_is_not_used() -> None:
    with pytest.raises(InputError, match="not overloaded"):
        overloaded_run(System(2, 1), Requests([3, 5, 2], [1, 2, 1]), "fcfs", 3)


def test_expectation_of_a_trace_agrees_with_resampled_runs() -> None:
    trace = read_trace(SAMPLE_TRACE).requests
    rng, system, steps, runs = np.random.default_rng(11), System(4, 8), (4, 40, 150), 300
    seen = np.empty((runs, len(steps)))
    for run in range(runs):
        rows = rng.integers(0, len(trace), 600)
        requests = Requests(trace.prefill[rows], trace.decode[rows])
        loads = overloaded_run(system, requests, "fcfs", steps[-1] + 1).loads
        assert loads is not None
        seen[run] = imbalances(loads)[list(steps)]
    for column, step in enumerate(steps):
        law = joint_slot(trace.prefill, trace.decode, step=step)
        mean = Mean.of(seen[:, column])
        assert float(expected_imbalance(law, 4, 8).imbalance) in mean
        # The interval is narrow enough to tell a worker's slots from twice as many.
        assert float(expected_imbalance(law, 4, 16).imbalance) not in mean
