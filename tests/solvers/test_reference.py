"""The reference engine against runs worked out by hand."""

from fractions import Fraction

import numpy as np
import pytest

from solvers.policies.protocol import PolicyError
from solvers.simulation.engine import simulate
from solvers.simulation.reference import simulate_reference
from theory.model import InputError, Requests, System
from theory.power import PowerModel

# Both engines must reproduce the runs worked out here.
both = pytest.mark.parametrize("engine", [simulate_reference, simulate])


@both
def test_a_backlog_by_hand(engine):
    # Two workers, one slot each, the pool shows two.
    # Step 0: requests 0 and 1 are shown and start on workers 0 and 1: loads 3, 1.  1 departs.
    # Step 1: request 2 is shown, request 0 has grown to 4: loads 4, 2.  Both depart.
    run = engine(System(2, 1), Requests([3, 1, 2], [2, 1, 1]), "fcfs", pool=2, history=True)
    assert run.loads.tolist() == [[3, 1], [4, 2]]
    assert run.worker.tolist() == [0, 1, 1]
    assert run.reveal_step.tolist() == [0, 0, 1]
    assert run.start_step.tolist() == [0, 0, 1]
    assert (run.total.steps, run.total.sum_max, run.total.work) == (2, 3 + 4, 4 + 6)
    assert run.total.imbalance == (2 * 3 - 4) + (2 * 4 - 6)
    assert run.total.idle_share == Fraction(4, 14)
    assert run.overloaded == run.total  # no slot was ever empty
    assert run.pool_limit == 2


@both
def test_arrivals_by_hand(engine):
    # A step lasts 1 + max load seconds.  The system waits for the first arrival at 5.
    # Step 0, 5 to 8: load 2.  Request 1 came at 6 and enters at 8.
    # Step 1, 8 to 13: loads 3 + 1.  Both depart; the next arrival is at 100.
    # Step 2, 100 to 102: load 1.
    system = System(1, 2, step_overhead_s=1.0, seconds_per_token=1.0)
    requests = Requests([2, 1, 1], [2, 1, 1], [5.0, 6.0, 100.0])
    run = engine(system, requests, "fcfs", history=True, gammas=(0.5,))
    assert run.loads.tolist() == [[2], [4], [1]]
    assert run.start_s.tolist() == [5.0, 8.0, 100.0]
    assert run.finish_s.tolist() == [13.0, 13.0, 102.0]
    assert run.time_s == 102.0
    assert run.reveal_step.tolist() == [0, 1, 2]
    assert run.waiting_steps.tolist() == [0, 0, 0]
    assert run.overloaded.steps == 0  # step 0 leaves a slot empty
    assert run.pool_limit == 3
    # One worker is always at the largest load: u = 1 at each of the three steps.
    assert run.power_sums[0.5].per_step == 3.0
    assert run.power_sums[0.5].per_load == 2 + 4 + 1


@both
def test_a_request_arriving_at_the_start_of_a_step_takes_part_in_it(engine):
    # Step 0 lasts from 0 to 2 exactly; request 1 arrives at 2.
    system = System(1, 1, step_overhead_s=1.0, seconds_per_token=1.0)
    run = engine(system, Requests([1, 1], [1, 1], [0.0, 2.0]), "fcfs")
    assert run.start_s.tolist() == [0.0, 2.0]
    assert run.reveal_step.tolist() == [0, 1]


@both
def test_the_overloaded_part_ends_at_the_first_empty_slot(engine):
    # One worker, two slots; lengths 1, 2, 1.  Step 0 holds requests 0 and 1, step 1 holds 1 and
    # 2, and then nothing is left: with a fourth request of length 2 step 2 holds that alone.
    run = engine(System(1, 2), Requests([5, 5, 5, 5], [1, 2, 2, 2]), "fcfs", history=True)
    # Step 0: 5 + 5; step 1: 6 + 5; step 2: 6 + 5; step 3: 6, one slot empty.
    assert run.loads.tolist() == [[10], [11], [11], [6]]
    assert run.overloaded.steps == 3
    assert run.overloaded.work == 32


@both
def test_calendar_drift_by_hand(engine):
    # Growth 2 after even steps, 0 after odd ones.  Request 0 lives at steps 0, 1, 2 with loads
    # 1, 3, 3; request 1 follows it at steps 3 and 4 with loads 4, 4 (step 3 is odd).
    run = engine(System(1, 1, (2, 0)), Requests([1, 4], [3, 2]), "fcfs", history=True)
    assert run.loads.tolist() == [[1], [3], [3], [4], [4]]


@both
def test_utilisations_are_raised_to_the_exponent(engine):
    # Loads 4 and 1, no growth, one step: u = 1 and 1/4, whose square roots sum to 1.5.
    run = engine(System(2, 1, (0,)), Requests([4, 1], [1, 1]), "fcfs", gammas=(0.5, 1.0))
    assert run.power_sums[0.5].per_step == 1.5
    assert run.power_sums[0.5].per_load == 4 * 1.5
    assert run.power_sums[1.0].per_step == 1.25
    assert run.power_sums[1.0].per_load == 5.0


@both
def test_a_worker_without_work_draws_less_than_one_that_waits(engine):
    # Loads (1, 1), (3, 2), (4, 0) in steps of 1 + M = 2, 4 and 5 seconds; the last is empty once.
    system = System(2, 1, step_overhead_s=1.0, seconds_per_token=1.0)
    requests = Requests([1, 1, 3], [1, 2, 2])
    run = engine(system, requests, "fcfs", pool=2, gammas=(1.0,))
    assert (run.empty_steps, run.empty_max) == (1, 4)
    # 400 W at u = 1; 100 + 300 * 2/3 = 300 W at u = 2/3; 40 W without work.
    apart = PowerModel(40, 400, 1.0, wait_w=100)
    assert run.energy_j(apart) == pytest.approx(2 * 800 + 4 * 700 + 5 * 440)
    # One power for both, 100 W, as in the paper.
    assert run.energy_j(PowerModel(100, 400, 1.0)) == pytest.approx(2 * 800 + 4 * 700 + 5 * 500)


@both
def test_a_policy_sees_how_long_requests_have_waited(engine):
    seen = []

    class Watch:
        name = "watch"

        def admit(self, view):
            seen.append((view.step, view.loads.tolist(), view.pool.tolist(), view.waited.tolist()))
            oldest = np.full(view.pool.size, -1)
            oldest[0] = 0
            return oldest

    # One slot, two shown: requests 0 to 2 one after the other, two steps each; nothing is asked
    # while the slot is taken (steps 1 and 3).  Request 1 is shown at step 0, request 2 at step 1.
    run = engine(System(1, 1), Requests([7, 8, 9], [2, 2, 2]), Watch(), pool=2)
    assert seen == [(0, [0], [7, 8], [0, 0]), (2, [0], [8, 9], [2, 1]), (4, [0], [9], [3])]
    assert run.waiting_steps.tolist() == [0, 2, 3]
    assert run.policy == "watch"


@both
def test_no_requests_take_no_time(engine):
    for requests in (Requests([], []), Requests([], [], [])):
        run = engine(System(2, 3), requests, "jsq", history=True, gammas=(0.7,))
        assert run.total.steps == run.total.work == 0
        assert run.time_s == 0
        assert run.loads.shape == (0, 2)


class Cheat:
    name = "cheat"

    def __init__(self, answer):
        self.answer = answer

    def admit(self, view):
        if view.step < 2:
            return np.arange(view.pool.size)
        return self.answer(view)


def refuse(view):
    raise LookupError("no idea")


@both
@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        (lambda view: np.zeros(view.pool.size, dtype=int), "worker 0 is over-filled"),
        (lambda view: np.full(view.pool.size, -1), "not work conserving"),
        (lambda view: np.zeros(view.pool.size + 1, dtype=int), "one integer worker for each"),
        (lambda view: np.full(view.pool.size, view.free.size), "workers are 0 to 1"),
        (lambda view: np.zeros(view.pool.size), "got float64[2]"),
        (lambda view: None, "got object[]"),
        (refuse, "raised LookupError: no idea"),
    ],
)
def test_a_policy_that_breaks_a_rule_is_reported(engine, answer, rule):
    # Lengths 1: two requests a step, the rule is broken at step 2.
    with pytest.raises(PolicyError) as caught:
        engine(System(2, 1), Requests([1] * 8, [1] * 8), Cheat(answer), pool=2)
    assert "policy 'cheat' at step 2" in str(caught.value)
    assert rule in str(caught.value)


@both
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pool": 0}, r"pool must be an integer >= 1 and below 2\^62, got 0"),
        ({"pool": 2.5}, r"pool must be an integer >= 1 and below 2\^62, got 2.5"),
        ({"gammas": (0.0,)}, "gammas must lie in"),
        ({"gammas": (0.7, 2.0)}, "gammas must lie in"),
        ({"gammas": (float("nan"),)}, "gammas must lie in"),
        ({"policy": "nothing"}, "unknown policy 'nothing'"),
        ({"policy": 3}, "policy 3: expected a class or an instance"),
    ],
)
def test_a_bad_argument_is_named(engine, arguments, message):
    with pytest.raises(InputError, match=message):
        engine(System(2, 1), Requests([1], [1]), **{"policy": "fcfs", **arguments})
