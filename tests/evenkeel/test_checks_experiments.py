"""The checks of the experiments: the two ends of a replayed run."""

import numpy as np
import pytest

from adversary.paired_runs import E2, E3, Setting, at_departure, replay, saving, stretches
from evenkeel.theorems.registry import chapters, checks, families
from solvers.simulation.engine import simulate
from theory.model import Requests, System
from theory.power import hardware

POWER = hardware("a100-paper")
CLAIMS = chapters()[families()["experiments"]]


def test_every_experiment_is_run_again():
    assert all(claim.recovered and claim.label in checks() for claim in CLAIMS)


def test_numbers_of_single_runs_may_stay_open():
    assert {claim.label for claim in CLAIMS if claim.open} == {
        "experiment.energy3",
        "experiment.throughput92",
        "experiment.imbalance17",
        "experiment.energy3-lookahead",
        "experiment.throughput-lookahead",
        "experiment.latency-lookahead",
    }


def test_a_request_starves_and_fcfs_lets_none_wait():
    requests = Requests([2] + [1] * 20, [1] * 21)
    system = System(2, 1)
    assert simulate(system, requests, "bfio", pool=3).waiting_steps[0] == 10
    assert simulate(system, requests, "fcfs", pool=3).waiting_steps.max() <= 1


def test_a_stretch_over_all_steps_is_the_run():
    requests = Requests([5, 40, 7, 3, 60, 1], [3, 2, 9, 1, 4, 5])
    system = System.paper(2, 2)
    result = simulate(system, requests, "fcfs", gammas=(POWER.gamma,), history=True)
    (whole,) = stretches(result, (result.total.steps,), POWER)
    assert whole.work == result.total.work
    assert whole.imbalance == result.total.imbalance
    assert whole.tokens == 24
    assert whole.idle_share == pytest.approx(float(result.total.idle_share), rel=1e-15)
    assert whole.time_s == pytest.approx(result.time_s, rel=1e-12)
    assert whole.energy_j == pytest.approx(result.energy_j(POWER), rel=1e-12)
    assert whole.throughput == pytest.approx(result.throughput, rel=1e-12)
    assert whole.time_per_token_s.mean == pytest.approx(result.time_per_output_token_s.mean())


def test_a_shorter_stretch_counts_only_its_own_steps():
    # G = B = 1: the requests run one after the other, loads 2 3 4, then 5, then 1 2.
    requests = Requests([2, 5, 1], [3, 1, 2])
    system = System(1, 1, seconds_per_token=1.0, step_overhead_s=0.5)
    result = simulate(system, requests, "fcfs", history=True)
    part, longer = stretches(result, (4, 5), POWER)
    assert (part.steps, part.work, part.imbalance, part.tokens) == (4, 14, 0, 4)
    assert part.time_s == 14 + 4 * 0.5
    assert part.energy_j == 400 * part.time_s
    # Finished in it: the first two, 10.5 s for 3 tokens and 5.5 s for one.
    assert part.time_per_token_s.mean == pytest.approx((10.5 / 3 + 5.5) / 2)
    assert longer.tokens == 5
    # The pool shows one request: the second from step 1, it starts at step 3; nobody else waits.
    assert (part.wait.largest, part.wait.mean) == (2, 1)
    # After departures: 3, 4, nothing, nothing.
    left = at_departure(result, part, POWER)
    assert (left.work, left.imbalance, left.time_s) == (7, 0, 7 + 4 * 0.5)


def test_the_window_ends_with_the_last_admission():
    setting = Setting("uniform", 4, 3, 100, 12, (("length", 5),))
    ends = replay(setting, "fcfs", 0)
    # 12 requests are served together for 5 steps; the ninth round of four starts at step 40.
    assert ends.window.steps == 41
    assert ends.completed.steps == 45
    assert ends.completed.tokens == 500


def test_only_completed_runs_did_the_same_work():
    a, b = (replay(E3, policy, 0) for policy in ("fcfs", "bfio"))
    assert a.completed.work == b.completed.work
    assert saving(a.window, b.window) > saving(a.completed, b.completed)


def test_settings_of_the_paper():
    assert E2.system.step_overhead_s == pytest.approx(4.8875e-3)
    assert (E3.workers, E3.slots, E3.pool) == (256, 72, 1024)
    assert np.isclose(E2.system.seconds_per_token, 1.0052e-7)
