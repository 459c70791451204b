"""What is said of measured loads and power, against hand values and fleets that are known."""

import os
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest

from adversary.measurements.loads import MeasuredLoads
from adversary.measurements.power import DevicePower, MeasuredPower
from adversary.measurements.read import Asked, read
from evenkeel.studies.balance_outlook import outlook, reach
from evenkeel.studies.measured_balance import balance
from evenkeel.studies.measurement import measurement
from evenkeel.studies.power_fit import AS_LOADED, FIXED_BUSY, power_fit
from evenkeel.studies.step_time import NoFit, StepTime, step_time
from evenkeel.studies.time_batches import batches
from tests.oracles.fleet import measured, sampled
from theory.formulas.step import full_refill_bound
from theory.model import FloatArray, InputError
from theory.power import PowerModel, hardware

CASES = Path(
    os.environ.get("EVENKEEL_CASES", Path(__file__).resolve().parents[3] / "shared" / "cases")
)
WITHOUT_CASES = "set EVENKEEL_CASES to the folder that holds the cases"


def of(loads: list[list[float]] | FloatArray, **others: object) -> MeasuredLoads:
    matrix = np.array(loads, dtype=float)
    names = tuple(map(str, range(matrix.shape[1])))
    return replace(
        MeasuredLoads("matrix", "tokens", names, np.arange(len(matrix)), matrix), **others
    )


# --- Loads --------------------------------------------------------------------------------------


def test_balance_by_hand() -> None:
    """Loads 300, 100; 310, 160; 320, 500: of 2220 units of worker-time 530 are lost."""
    found = balance(of([[300, 100], [310, 160], [320, 500]]))
    assert (found.work, found.imbalance) == (1690, 530)
    assert found.idle_share.value == pytest.approx(530 / 2220)
    assert found.mean_imbalance.value == pytest.approx((200 + 150 + 180) / 3)
    assert found.balance_ratio.value == pytest.approx((200 / 300 + 235 / 310 + 410 / 500) / 3)
    first, second = found.ranks
    assert (first.mean_load, first.slowest, first.longest) == (310, pytest.approx(2 / 3), 2)
    assert first.waits == pytest.approx(180 / 1110)  # it waits in the last step alone
    assert second.waits == pytest.approx(350 / 1110)
    run = found.stragglers
    assert (run.changes, run.mean_run, run.longest_run) == (1, 1.5, 2)
    assert run.drawn_anew == pytest.approx(2.25)  # 1 / (1 - 4/9 - 1/9)
    assert [w.imbalance for w in found.windows] == [200, 150, 180]


def test_ties_are_shared_and_keep_the_straggler() -> None:
    found = balance(of([[1, 5], [5, 5], [5, 5], [5, 1]]))
    assert [rank.slowest for rank in found.ranks] == [0.5, 0.5]
    assert found.stragglers.longest_run == 3


def test_perfect_balance() -> None:
    found = balance(of([[4, 4, 4]] * 40))
    assert found.idle_share.value == 0
    assert found.idle_share.low == found.idle_share.high == 0
    assert found.stragglers.changes == 0


@pytest.mark.parametrize(("phi", "least"), [(0.0, 0.92), (0.9, 0.89), (0.95, 0.86)])
def test_intervals_hold_the_mean(phi: float, least: float) -> None:
    """Series whose steps correlate as ``phi^lag``; a binomial deviation of 300 runs is 0.013."""
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(300):
        steps = accumulate(rng.normal(size=1400).tolist(), lambda last, step: phi * last + step)
        series = np.array(list(steps))[1000:] + 10
        cut = batches(series)
        parts = cut.sums(np.column_stack([series, np.ones_like(series)]))
        found = cut.interval(parts, lambda s: float(s[0] / s[1]), float(series.mean()), series)
        hits += found.low <= 10 <= found.high
    assert hits / 300 >= least


def test_what_hangs_together_throughout_is_said() -> None:
    cut = batches(np.linspace(0, 1, 200))
    assert (cut.count, cut.hang_together) == (4, True)


def test_equal_ranks_pass_and_a_slow_one_does_not() -> None:
    fleets = [measured(seed, steps=800) for seed in range(60)]
    found = [balance(fleet).stragglers for fleet in fleets]
    # A chance below 1/20 comes up in about a tenth of such runs, one below 1/1000 in a hundredth.
    chances = [1.0 if run.exchangeable_p is None else run.exchangeable_p for run in found]
    assert sum(p < 0.05 for p in chances) <= 13
    assert sum(p < 0.001 for p in chances) <= 3
    # Requests end after 50 steps on average, and the load of a rank hangs together for longer.
    assert 50 < np.median([run.memory for run in found]) < 200
    slow = [replace(fleet, loads=fleet.loads * np.array([1, 1, 1.6, 1])) for fleet in fleets[:20]]
    chances = [balance(fleet).stragglers.exchangeable_p or 0.0 for fleet in slow]
    assert sum(p < 0.001 for p in chances) >= 8


def test_the_chance_of_equal_ranks_without_memory() -> None:
    """Independent steps: the F test is exact up to the shape of the loads."""
    rng = np.random.default_rng(1)
    chances = [
        balance(of(rng.normal(10, 1, (200, 4)))).stragglers.exchangeable_p for _ in range(300)
    ]
    assert sum(p is not None and p < 0.1 for p in chances) == pytest.approx(30, abs=16)


def test_stragglers_that_persist_are_told_from_those_that_change() -> None:
    rng = np.random.default_rng(2)
    anew = balance(of(rng.exponential(size=(400, 4)))).stragglers
    assert anew.mean_run == pytest.approx(anew.drawn_anew, rel=0.15)
    stays = balance(measured()).stragglers
    assert stays.mean_run > 3 * stays.drawn_anew


# --- Step times ---------------------------------------------------------------------------------


def fit_of(run: MeasuredLoads) -> StepTime:
    found = step_time(run)
    assert isinstance(found, StepTime)
    return found


def test_the_fit_recovers_the_constants() -> None:
    hits = [0, 0]
    for seed in range(40):
        found = fit_of(measured(seed, steps=200))
        assert found.grows
        assert found.is_linear
        hits[0] += found.overhead_s.low <= 5e-3 <= found.overhead_s.high
        hits[1] += found.per_load_s.low <= 3e-7 <= found.per_load_s.high
        assert found.residual_share == pytest.approx(0.003, rel=0.25)
    assert min(hits) >= 35  # of 40, at 95 %


def test_a_cost_of_requests_is_told_where_they_vary() -> None:
    run = measured()
    rng = np.random.default_rng(0)
    requests = rng.integers(1, 60, run.loads.shape).astype(float)
    assert run.duration_s is not None
    dear = replace(run, requests=requests, duration_s=run.duration_s + 20e-6 * requests.max(axis=1))
    cost = fit_of(dear).per_request_s
    assert cost is not None
    assert cost.low <= 20e-6 <= cost.high
    assert cost.low > 10e-6
    same = fit_of(replace(run, requests=np.full(run.loads.shape, 16.0)))
    assert same.per_request_s is None
    assert "16 requests" in same.why_no_requests


def test_a_bend_is_seen() -> None:
    run = measured()
    largest = run.loads.max(axis=1)
    bent = fit_of(replace(run, duration_s=5e-3 + 3e-7 * largest + 4e-12 * largest**2))
    assert not bent.is_linear


def test_outliers_and_prefill_are_left_out() -> None:
    run = measured()
    assert run.duration_s is not None
    duration = run.duration_s.copy()
    duration[:3] = 62.0  # a first step that compiles
    prefill = np.zeros(400, dtype=bool)
    prefill[50:80] = True
    duration[50:80] += 0.05
    found = fit_of(replace(run, duration_s=duration, prefill=prefill))
    assert (found.steps, found.prefill, found.outliers) == (367, 30, 3)
    assert found.overhead_s.low <= 5e-3 <= found.overhead_s.high


def test_no_fit_says_why() -> None:
    run = measured(steps=40)
    for changed, why in (
        (replace(run, duration_s=None), "no step times"),
        (replace(run, prefill=np.ones(40, dtype=bool)), "0 steps have a time and no prefill"),
        (replace(run, loads=np.full((40, 4), 7.0)), "the largest load is the same"),
    ):
        found = step_time(changed)
        assert isinstance(found, NoFit)
        assert why in found.why


def test_time_that_does_not_grow_with_the_load() -> None:
    rng = np.random.default_rng(3)
    flat = replace(measured(), duration_s=0.02 * (1 + 0.01 * rng.normal(size=400)))
    assert not fit_of(flat).grows


# --- What balance would give --------------------------------------------------------------------


def test_the_outlook_by_hand() -> None:
    """Without overhead perfect balance takes W/G in place of the sum of the largest loads."""
    run = of([[300, 100], [310, 160], [320, 500]])
    found = outlook(run, balance(run), None, hardware("a100-paper"))
    assert found.time_s is None
    assert found.worker_time.value == pytest.approx(1 - 845 / 1110)
    assert found.any_policy == pytest.approx(530 / 2220)
    (energy,) = found.energy
    # Powers by hand: 100 + 300 u^0.7, for 300 + 310 + 500 units of time.
    used = sum(
        most * (100 + 300 * (load / most) ** 0.7)
        for loads in ((300, 100), (310, 160), (320, 500))
        for most in (max(loads),)
        for load in loads
    )
    assert energy.saving == pytest.approx(1 - 400 * 1690 / used)
    assert energy.floor <= energy.saving <= energy.cap
    assert energy.used_j is None


def test_the_outlook_with_overhead() -> None:
    run = measured()
    said, fit = balance(run), fit_of(run)
    found = outlook(run, said, fit, hardware("a100-paper"))
    assert run.duration_s is not None
    assert found.time_s == pytest.approx(run.duration_s.sum(), rel=1e-3)
    balanced = 400 * fit.overhead_s.value + fit.per_load_s.value * run.loads.sum() / 4
    assert found.worker_time.value == pytest.approx(1 - balanced / found.time_s)
    assert found.worker_time.low < found.worker_time.value < found.worker_time.high
    assert [energy.fixed_busy for energy in found.energy] == [False, True]
    for energy in found.energy:
        assert energy.floor <= energy.saving <= energy.cap
        assert energy.cap <= found.worker_time.value
    # Work on every rank at 400 W, and a waiting rank at 100 W, with gamma = 1.
    plain = outlook(run, said, fit, PowerModel(100, 400, 1.0)).energy[1]
    busy = said.work + found.overhead * 1600
    assert plain.saving == pytest.approx(100 * said.imbalance / (400 * busy + 100 * said.imbalance))


def test_what_the_theorems_allow() -> None:
    run = measured()
    said = balance(run)
    fit, device = fit_of(run), PowerModel(100, 400, 1.0)
    balanced = outlook(run, said, fit, device)
    found = reach(run, said, balanced, device, (1, 5), 10.0, 120)
    least, most = found.unavoidable, found.guaranteed
    assert 0 <= least.imbalance <= most.imbalance
    assert found.refill == full_refill_bound(4, 1, 5)
    assert least.idle_share == pytest.approx(least.imbalance / (least.imbalance + said.work / 400))
    # In the same steps time falls by the imbalance that is saved, shared by the ranks.
    total = said.work + said.imbalance + 1600 * balanced.overhead
    for side in (least, most):
        assert side.time == pytest.approx((said.imbalance - 400 * side.imbalance) / total)
        assert side.energy is not None
        # With gamma = 1 cap and floor are the saving itself: 100 W for each unit that idles.
        spent = 400 * (said.work + 1600 * balanced.overhead) + 100 * said.imbalance
        saved = 100 * (said.imbalance - 400 * side.imbalance)
        assert side.energy == pytest.approx((saved / spent, saved / spent))
    assert least.time > most.time
    for sizes, output, slots, why in (
        ((5, 5), 10.0, 9, "need 1 <= MIN < MAX"),
        ((0, 5), 10.0, 9, "need 1 <= MIN < MAX"),
        ((1, 5), 1.0, 9, "must be above 1"),
        ((1, 5), float("nan"), 9, "must be above 1"),
        ((1, 5), 10.0, None, "no numbers of requests"),
        ((1, 5), 10.0, 0, "--slots must be at least 1"),
    ):
        with pytest.raises(InputError, match=why):
            reach(run, said, balanced, None, sizes, output, slots)
    shares = replace(run, unit="share of the KV cache")
    with pytest.raises(InputError, match="--kv-tokens gives tokens"):
        reach(shares, said, balanced, None, (1, 5), 10.0, 9)


# --- Power --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"window_s": 0.5},
        {"per_rank": 2},
        {"begins_s": 1.7e9 + 7.25},
        {"watts": (90.0, 90.0, 600.0)},
    ],
)
def test_powers_are_recovered(how: dict[str, float]) -> None:
    run = measured(steps=400)
    idle, wait, most = how.get("watts", (90.0, 240.0, 600.0))  # type: ignore[misc]
    found = power_fit(run, sampled(run, **how), fit_of(run))  # type: ignore[arg-type]
    assert found.busy_share == FIXED_BUSY
    assert found.law_gamma == 1
    assert found.idle_w is not None
    assert found.idle_w.value == pytest.approx(idle, abs=1.5)
    assert found.wait_w.value == pytest.approx(wait, abs=8)
    assert found.max_w.value == pytest.approx(most, abs=3)
    begins = how.get("begins_s", 104.0)
    assert found.first_step_s == pytest.approx(begins, abs=0.06)
    assert found.window_s == pytest.approx(how.get("window_s", 0.1), abs=0.06)


def test_an_exponent_is_recovered() -> None:
    run = measured(steps=800)
    found = power_fit(run, sampled(run, gamma=0.5, noise_w=1.0), fit_of(run))
    assert found.law_gamma == found.gamma.value
    assert found.gamma.value == pytest.approx(0.5, abs=0.12)
    assert found.max_w.value == pytest.approx(600, abs=3)


def test_without_samples_beside_the_steps_there_is_no_idle_power() -> None:
    run = measured()
    found = power_fit(run, sampled(run, beside_s=-0.5), fit_of(run), 104.0)
    assert found.idle_w is None
    assert found.wait_w.value == pytest.approx(240, abs=10)


def test_without_step_times_the_share_is_that_of_loads() -> None:
    run = measured()
    found = power_fit(run, sampled(run), None)
    assert (found.busy_share, found.other_residual_w) == (AS_LOADED, None)


def test_energy_and_saving_follow_from_the_powers() -> None:
    run = measured()
    found = power_fit(run, sampled(run, noise_w=0.5), fit_of(run))
    fixed = 5e-3 / 3e-7
    largest = run.loads.max(axis=1, keepdims=True)
    busy = (fixed + run.loads).sum()
    waits = (largest - run.loads).sum()
    used = (600 * busy + 240 * waits) * 3e-7
    assert found.measured_j == pytest.approx(used, rel=0.01)
    assert found.saving == pytest.approx(1 - 600 * busy * 3e-7 / used, abs=0.01)


def test_power_that_cannot_be_used() -> None:
    run = measured(steps=100)
    power = sampled(run)
    rng = np.random.default_rng(0)

    def other(**changed: object) -> MeasuredPower:
        return MeasuredPower(
            power.format, tuple(replace(device, **changed) for device in power.devices)
        )

    noise = rng.normal(300, 50, len(power.devices[0].power_w))
    for loads, samples, why in (
        (replace(run, duration_s=None), power, "no step has a duration"),
        (run, other(time_s=None), "samples have no times"),
        (run, MeasuredPower("x", power.devices[:3]), "there are 3 devices and 4 ranks"),
        (run, other(power_w=noise), "power does not follow the steps"),
        (run, other(time_s=np.zeros_like(noise)), "have the same time"),
        (replace(run, start_s=np.zeros(100)), power, "step 1 does not begin after step 0"),
        (
            replace(run, start_s=1.8e9 + np.cumsum(np.full(100, 0.1))),
            other(time_s=power.devices[0].time_s + 1.7e9),
            "away from the steps",
        ),
    ):
        with pytest.raises(InputError, match=why):
            power_fit(loads, samples, None)


def test_samples_of_steps_that_are_not_logged() -> None:
    whole = measured(steps=400)
    assert whole.duration_s is not None
    power = sampled(whole)
    part = replace(
        whole,
        steps=whole.steps[:100],
        loads=whole.loads[:100],
        duration_s=whole.duration_s[:100],
    )
    found = power_fit(part, power, fit_of(part))
    assert (found.idle_outside, found.idle_w) == (False, None)
    assert found.first_step_s == pytest.approx(104, abs=0.06)
    assert found.wait_w.value == pytest.approx(240, abs=20)
    assert found.max_w.value == pytest.approx(600, abs=5)


def test_first_and_last_steps_may_lack_a_time() -> None:
    run = measured()
    assert run.duration_s is not None
    lacks = run.duration_s.copy()
    lacks[-1] = np.nan
    found = power_fit(replace(run, duration_s=lacks), sampled(run), fit_of(run))
    assert found.wait_w.value == pytest.approx(240, abs=8)
    lacks[50] = np.nan
    with pytest.raises(InputError, match="some steps have no duration"):
        power_fit(replace(run, duration_s=lacks), sampled(run), fit_of(run))


def test_one_device_of_two_kinds_of_names() -> None:
    device = DevicePower("0", np.array([0.0, 1.0]), np.array([1.0, 2.0]), None)
    assert not MeasuredPower("x", (device,)).absolute


# --- Cases found apart from this project --------------------------------------------------------


@pytest.mark.skipif(not CASES.is_dir(), reason=WITHOUT_CASES)
def test_the_case_of_loads() -> None:
    found = measurement([CASES / "loads/long.csv"], Asked())
    said, fit = found.balance, found.step_time
    assert said is not None
    assert said.idle_share.value == pytest.approx(0.37788, abs=5e-6)
    assert said.mean_imbalance.value == pytest.approx(235_010.64)
    shares = {rank.name: rank.slowest for rank in said.ranks}
    assert (shares["7"], shares["2"], shares["4"], shares["6"]) == (0.305, 0.24, 0, 0)
    assert isinstance(fit, StepTime)
    assert fit.overhead_s.low <= 6.1e-3 <= fit.overhead_s.high
    assert fit.per_load_s.low <= 2.6e-7 <= fit.per_load_s.high
    assert fit.residual_share == pytest.approx(0.004, abs=0.0004)
    assert fit.is_linear


@pytest.mark.skipif(not CASES.is_dir(), reason=WITHOUT_CASES)
@pytest.mark.parametrize("name", ["vllm.log", "sglang.log", "trtllm.log"])
def test_the_case_of_step_times_in_logs(name: str) -> None:
    found = measurement([CASES / "loads" / name], Asked(kv_tokens=2e6)).step_time
    assert isinstance(found, StepTime)
    assert found.overhead_s.low <= 6.1e-3 <= found.overhead_s.high
    assert found.per_load_s.low <= 2.6e-7 <= found.per_load_s.high


@pytest.mark.skipif(not CASES.is_dir(), reason=WITHOUT_CASES)
def test_the_case_of_power() -> None:
    files = ("loads/matrix.csv", "power/steps.csv", "power/nvidia-smi-run.csv")
    found = measurement([CASES / file for file in files], Asked()).fit
    assert found is not None
    assert found.idle_w is not None
    for interval, right in (
        (found.idle_w, 118),
        (found.wait_w, 305),
        (found.max_w, 690),
        (found.gamma, 1),
    ):
        assert interval.low <= right <= interval.high
    assert found.wait_w.high - found.wait_w.low < 5
    assert found.residual_w == pytest.approx(4, abs=0.3)
    assert read([CASES / files[2]]).loads is None


@pytest.mark.skipif(not CASES.is_dir(), reason=WITHOUT_CASES)
def test_the_case_of_power_with_a_part_of_the_log() -> None:
    """The log has the first 120 of the 400 steps; the run began 5 s after 10:00:00."""
    files = [CASES / "loads/trtllm.log", CASES / "power/nvidia-smi-run.csv"]
    found = measurement(files, Asked()).fit
    assert found is not None
    assert found.idle_w is None
    assert found.first_step_s % 60 == pytest.approx(5.0, abs=0.005)
    assert found.wait_w.low <= 305 <= found.wait_w.high
    assert found.max_w.low <= 690 <= found.max_w.high
