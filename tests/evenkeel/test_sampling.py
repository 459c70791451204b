from math import atan, comb, exp, pi, sqrt

import numpy as np
import pytest
from scipy.special import bdtr

from adversary.paired_runs import departed_loads
from adversary.workloads.sample_trace import SAMPLE_TRACE
from adversary.workloads.traces import read_trace
from benchmarks.calibrate_intervals import PANEL, SIZES
from evenkeel.findings.statistics import (
    MISS,
    Mean,
    Ratio,
    calibrated,
    familywise,
    imbalances,
    overloaded_run,
)
from solvers.simulation.engine import simulate
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.slot_load import joint_slot
from theory.model import InputError, Requests, System


def test_mean_and_its_interval() -> None:
    # Symmetric, so that only the factor exp(4/sqrt(n)) widens Student's interval, whose law with
    # three degrees of freedom is known in closed form; deviation sqrt(4/3), over sqrt(4).
    mean = Mean.of([0.0, 2.0, 0.0, 2.0])
    assert mean.value == 1
    assert mean.deviation == pytest.approx(sqrt(4 / 3))
    t = (mean.high - 1) / (sqrt(4 / 3) / 2) / exp(2)
    x = t / sqrt(3)
    assert 0.5 - (x / (1 + x * x) + atan(x)) / pi == pytest.approx(0.5e-4, rel=1e-6)
    assert mean.low == pytest.approx(2 - mean.high)
    with pytest.raises(InputError):
        Mean.of([1.0])


def test_an_interval_reaches_further_into_the_longer_tail() -> None:
    # Three ones of ten: skewness (1 - 2 p)/sqrt(p (1 - p)) with p = 3/10.
    mean = Mean.of([0.0] * 7 + [1.0] * 3)
    ratio = (mean.high - mean.value) / (mean.value - mean.low)
    assert ratio == pytest.approx(exp(2 * 1.5 * 0.4 / sqrt(0.21) / sqrt(10)))
    mirrored = Mean.of([0.0] * 3 + [1.0] * 7)
    assert mirrored.low == pytest.approx(1 - mean.high)
    assert mirrored.high == pytest.approx(1 - mean.low)


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param([1.0, 2.0, 3.0], id="too few"),
        pytest.param([5.0] * 40, id="no spread"),
        pytest.param([0.0] * 39 + [1.0], id="one outlier"),
        pytest.param([0.0] * 995 + [1.0] * 4 + [2.0], id="skewness above 14"),
    ],
)
def test_a_sample_that_says_nothing_decides_nothing(samples: list[float]) -> None:
    mean = Mean.of(samples)
    assert (mean.low, mean.high) == (-np.inf, np.inf)
    assert mean.value == pytest.approx(sum(samples) / len(samples))


def test_two_outliers_of_forty_are_covered() -> None:
    mean = Mean.of([0.0] * 38 + [1.0] * 2)
    assert -np.inf < mean.low < 0 < mean.high < np.inf


def _misses(law: str, size: int, runs: int) -> int:
    """How many of the runs have an interval without their mean, which is zero.

    The constants of the intervals were chosen on seeds that begin with 0; these begin with 77.
    """
    rng = np.random.default_rng([77, size, *map(ord, law)])
    missed, rows = 0, max(1, 1_000_000 // size)
    for first in range(0, runs, rows):
        low, high = calibrated(PANEL[law](rng, (min(rows, runs - first), size)))
        missed += int(((low > 0) | (high < 0)).sum())
    return missed


def _most(runs: int) -> int:
    """What the misses of so many runs exceed with a chance of 1e-6 at the stated level."""
    return int(np.argmax(bdtr(np.arange(runs), runs, MISS) >= 1 - 1e-6))


@pytest.mark.parametrize("law", PANEL)
@pytest.mark.parametrize("size", [8, 20])
def test_intervals_miss_as_rarely_as_they_say(law: str, size: int) -> None:
    # More misses have a chance of all but 1e-4 at ten times the stated level.
    runs = 40_000
    assert bdtr(_most(runs), runs, 10 * MISS) < 1e-4
    assert _misses(law, size, runs) <= _most(runs)


@pytest.mark.slow
@pytest.mark.parametrize("law", PANEL)
@pytest.mark.parametrize("size", SIZES)
def test_intervals_miss_as_rarely_as_they_say_in_many_runs(law: str, size: int) -> None:
    # With a million runs, twice as many misses as stated pass with a chance of 2e-4.
    runs = 1_000_000 if size <= 100 else 300_000
    assert _misses(law, size, runs) <= _most(runs)


@pytest.mark.parametrize(("hits", "runs"), [(0, 100), (3, 40), (40, 40)])
def test_a_share_has_the_exact_binomial_interval(hits: int, runs: int) -> None:
    def at_least(k: int, p: float) -> float:
        return sum(comb(runs, i) * p**i * (1 - p) ** (runs - i) for i in range(k, runs + 1))

    share = Mean.share(hits, runs)
    assert share.value == hits / runs
    if hits:
        assert at_least(hits, share.low) == pytest.approx(MISS / 2, rel=1e-6)
    else:
        assert share.low == 0
    if hits < runs:
        assert 1 - at_least(hits + 1, share.high) == pytest.approx(MISS / 2, rel=1e-6)
    else:
        assert share.high == 1


def test_the_chance_that_any_interval_misses_is_at_most_their_sum() -> None:
    assert familywise(150) == pytest.approx(0.015)
    assert familywise(10**6) == 1


def test_ratio_holds_what_a_difference_of_means_leaves_open() -> None:
    rng = np.random.default_rng(5)
    for _ in range(60):
        x = rng.exponential(3.0, 100)
        y = x * rng.uniform(0.5, 1.5, 100)
        ratio = Ratio.of(x, y)
        assert ratio.low < ratio.value < ratio.high
        for inside in (ratio.low * 1.001, ratio.high * 0.999):
            assert 0 in Mean.of(x - inside * y)
        for outside in (ratio.low * 0.999, ratio.high * 1.001):
            assert 0 not in Mean.of(x - outside * y)


def test_ratio_to_zero_has_only_a_lower_end() -> None:
    noisy = Ratio.of([4.0, 5.0, 6.0] * 40, [0.0, 0.0, 1.0] * 4 + [0.0] * 108)
    assert noisy.value == pytest.approx(150)
    assert 5 < noisy.low < noisy.value < noisy.high == np.inf
    # All zero says nothing about how far above zero the mean is.
    nothing = Ratio.of([4.0, 5.0, 6.0] * 40, [0.0] * 120)
    assert (nothing.value, nothing.low, nothing.high) == (np.inf, 0, np.inf)


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
