"""The compiled engine against the reference, step for step, and its conservation laws.

What Hypothesis makes is held under every policy in turn.
"""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adversary.instances.strategies import instances, small_integers
from solvers.policies.arrival_order import FCFS, RoundRobin
from solvers.policies.exact_bfio import ExactBFIO
from solvers.policies.protocol import PolicyError
from solvers.policies.registry import POLICIES, policy
from solvers.simulation import engine, loop_exact, state
from solvers.simulation.engine import simulate
from solvers.simulation.reference import simulate_reference
from tests.noted import noted
from theory.model import InputError, Requests, System, imbalance

# What sees no length, and what sees some of them.
BLIND = [
    *(name for name in POLICIES if name != "brh"),
    "bfio:horizon=2,predictor=observed",
    "bfio:max_wait=2",
    "bfio:horizon=2,predictor=observed,max_wait=1",
    "brh:horizon=3,predictor=observed",
]
SEEING = ["bfio:horizon=3", "brh:horizon=2"]
NOISY = ["bfio:horizon=3,predictor=noisy:0.6"]

EVERY = [*BLIND, *SEEING, *NOISY]

DRIFTS = [(1,), (0,), (3,), (2, 0, 5), (0, 1)]

CLOCKS = [
    # Binary fractions, so that arrivals can fall exactly on the start of a step.
    ({"step_overhead_s": 0.5, "seconds_per_token": 0.25}, 0.25),
    # Decimal fractions, whose sums depend on the order in which they are rounded.
    ({"step_overhead_s": 0.1, "seconds_per_token": 0.003}, 0.01),
    ({}, 1e-7),
]


@st.composite
def runs(draw, largest_size=30):
    """A system, requests (backlog or timed) and a pool limit."""
    clock, tick = draw(st.sampled_from(CLOCKS))
    system = System(
        draw(st.integers(1, 5)), draw(st.integers(1, 7)), draw(st.sampled_from(DRIFTS)), **clock
    )
    n = draw(st.integers(0, 40))
    if largest_size > 255:
        sizes = draw(st.lists(st.integers(1, largest_size), min_size=n, max_size=n))
    else:
        sizes = draw(small_integers(1, largest_size, n))
    lengths = draw(small_integers(1, 8, n))
    if draw(st.booleans()):
        return system, Requests(sizes, lengths), draw(st.none() | st.integers(1, 12))
    gaps = draw(small_integers(0, 60, n))
    return system, Requests(sizes, lengths, tick * np.cumsum(gaps)), None


@settings(max_examples=60)
@given(case=runs())
def test_what_each_worker_does_is_its_part_of_the_history(case):
    system, requests, pool = case
    run = simulate(system, requests, "least_loaded", pool=pool, history=True)
    assert run.work_by_worker.tolist() == run.loads.sum(axis=0).tolist()
    waited = run.loads.max(axis=1, keepdims=True, initial=0) - run.loads
    assert run.idle_by_worker.tolist() == waited.sum(axis=0).tolist()
    assert run.idle_by_worker.sum() == run.total.imbalance
    counts = [run.worker.tolist().count(g) for g in range(system.workers)]
    assert run.requests_by_worker.tolist() == counts


def assert_equal_runs(run, other):
    for name in ("worker", "reveal_step", "start_step", "start_s", "finish_s", "loads"):
        np.testing.assert_array_equal(getattr(run, name), getattr(other, name), err_msg=name)
    counted = ("total", "overloaded", "empty_steps", "empty_max")
    for name in ("policy", "pool_limit", *counted, "time_s", "bound_gap"):
        assert getattr(run, name) == getattr(other, name), name
    assert run.power_sums.keys() == other.power_sums.keys()
    for gamma, sums in run.power_sums.items():
        assert sums.per_step == pytest.approx(other.power_sums[gamma].per_step, rel=1e-12)
        assert sums.per_load == pytest.approx(other.power_sums[gamma].per_load, rel=1e-12)


@settings(max_examples=30)
@given(case=runs(), seed=st.integers(0, 2**64))
def test_the_engine_equals_the_reference_step_for_step(case, seed):
    system, requests, pool = case
    options = {"pool": pool, "seed": seed, "gammas": (0.7, 1.0), "history": True}
    for name in noted(EVERY):
        assert_equal_runs(
            simulate(system, requests, name, **options),
            simulate_reference(system, requests, name, **options),
        )


@settings(max_examples=20)
@given(case=runs(largest_size=2**40))
def test_sums_stay_exact_near_the_top_of_the_range(case):
    system, requests, pool = case
    for name in noted(EVERY):
        assert_equal_runs(
            simulate(system, requests, name, pool=pool, history=True),
            simulate_reference(system, requests, name, pool=pool, history=True),
        )


class Borrowed:
    """A built-in policy that the engine does not recognise, so that it has to ask."""

    def __init__(self, name):
        self.policy = policy(name)
        self.name = name
        self.horizon = getattr(self.policy, "horizon", 0)
        self.predictor = getattr(self.policy, "predictor", None)
        self.sees_in_flight = getattr(self.policy, "sees_in_flight", False)

    def admit(self, view):
        return self.policy.admit(view)


@settings(max_examples=20)
@given(case=runs())
def test_a_python_policy_runs_as_its_compiled_twin(case):
    system, requests, pool = case
    for name in noted(EVERY):
        asked = simulate(system, requests, Borrowed(name), pool=pool, history=True)
        compiled = simulate(system, requests, policy(name), pool=pool, history=True)
        np.testing.assert_array_equal(asked.loads, compiled.loads)
        np.testing.assert_array_equal(asked.worker, compiled.worker)
        np.testing.assert_array_equal(asked.finish_s, compiled.finish_s)


@settings(max_examples=100)
@given(instance=instances(max_requests=7), at_a_time=st.sampled_from([1, 10**4]))
def test_exact_steps_are_taken_compiled_as_they_are_asked_for(instance, at_a_time):
    system, requests, pool = instance.system, instance.requests, instance.pool
    before, loop_exact.AT_A_TIME = loop_exact.AT_A_TIME, at_a_time
    try:
        run = simulate(system, requests, ExactBFIO(), pool=pool, history=True)
    finally:
        loop_exact.AT_A_TIME = before
    assert_equal_runs(
        run, simulate_reference(system, requests, ExactBFIO(), pool=pool, history=True)
    )


def test_a_run_of_small_exact_steps_asks_no_policy(monkeypatch):
    def refuse(self, view):
        raise RuntimeError("asked")

    monkeypatch.setattr(ExactBFIO, "admit", refuse)
    requests = Requests([3, 1, 2], [1, 2, 2])
    assert simulate(System(2, 1), requests, ExactBFIO(), pool=2).total.work == requests.work()
    with pytest.raises(PolicyError, match="asked"):
        simulate(System(2, 1), requests, ExactBFIO(horizon=1), pool=2)


@pytest.mark.parametrize(
    ("sizes", "pool", "why"),
    [([1] * 40, 28, "28 requests on 2 workers"), ([10**10, 1, 1], 2, "too large for exact small")],
)
def test_exact_steps_that_are_too_large_are_refused(sizes, pool, why):
    requests = Requests(sizes, [1] * len(sizes))
    with pytest.raises(PolicyError, match=why):
        simulate(System(2, 1), requests, ExactBFIO(), pool=pool)


@st.composite
def changes(draw):
    """A run, how far into it a decision is, in percent, and by what lengths then differ."""
    system, requests, pool = draw(runs().filter(lambda case: len(case[1])))
    n = len(requests)
    other = draw(small_integers(0, 9, n))
    return system, requests, pool, draw(st.integers(0, 99)), np.array(other)


def hold_lengths_against_decisions(name, change, horizon):
    """Replace the lengths of all requests that are there ``horizon`` steps after some step."""
    system, requests, pool, percent, other = change
    run = simulate(system, requests, name, pool=pool)
    now = run.total.steps * percent // 100
    last_step = run.start_step + requests.decode - 1
    still_there = last_step >= now + horizon
    # Requests that are admitted at this step or later may have any length.
    least = np.where(run.start_step < now, now + horizon - run.start_step + 1, 1)
    lengths = np.where(still_there, least + other, requests.decode)
    changed = Requests(requests.prefill, lengths, requests.arrival)
    again = simulate(system, changed, name, pool=pool)
    decided, decided_again = run.start_step <= now, again.start_step <= now
    np.testing.assert_array_equal(decided, decided_again)
    np.testing.assert_array_equal(run.worker[decided], again.worker[decided])
    np.testing.assert_array_equal(run.start_step[decided], again.start_step[decided])


@settings(max_examples=20)
@given(change=changes())
def test_lengths_of_requests_still_there_change_no_decision(change):
    for name in noted(BLIND):
        hold_lengths_against_decisions(name, change, 0)


@settings(max_examples=60)
@given(change=changes())
def test_an_oracle_sees_no_further_than_the_window(change):
    for name in noted(SEEING):
        hold_lengths_against_decisions(name, change, policy(name).horizon)


@pytest.mark.parametrize("name", SEEING)
def test_an_oracle_does_see_the_window(name):
    # Two slots each.  At step 1 the requests of 50 are there, and a request of 1 left each worker;
    # who of the 50s leaves next decides where the request of 40 goes.
    first = None
    for lengths in ([2, 9], [9, 2]):
        requests = Requests([50, 50, 1, 1, 40, 1], [*lengths, 1, 1, 9, 9])
        run = simulate(System(2, 2), requests, name, pool=4)
        assert run.start_step[4] == 1
        assert run.worker[4] != first
        first = run.worker[4]


@settings(max_examples=20)
@given(case=runs())
def test_conservation(case):
    system, requests, pool = case
    for name in noted(EVERY):
        conserves(system, requests, simulate(system, requests, name, pool=pool, history=True))


def conserves(system, requests, run):
    # Rebuild every load from the starts alone.
    grown = np.cumsum([0, *(system.drift * (run.total.steps + 1))])
    loads = np.zeros((run.total.steps, system.workers), dtype=np.int64)
    active = np.zeros_like(loads)
    for i in range(len(requests)):
        steps = np.arange(run.start_step[i], run.start_step[i] + requests.decode[i])
        loads[steps, run.worker[i]] += requests.prefill[i] + grown[steps] - grown[steps[0]]
        active[steps, run.worker[i]] += 1
    np.testing.assert_array_equal(run.loads, loads)
    assert active.max(initial=0) <= system.slots
    assert run.total.imbalance == sum(imbalance(step) for step in loads)
    if system.has_constant_drift:
        assert run.total.work == requests.work(system.drift[0])
    # Work conservation: no slot is empty at a step while a shown request waits through it.
    waits = np.zeros(run.total.steps, dtype=np.int64)
    for shown, start in zip(run.reveal_step, run.start_step, strict=True):
        waits[shown:start] += 1
    assert (active.sum(axis=1)[waits > 0] == system.capacity).all()
    # The clock: a request ends when its last step ends.
    durations = system.step_overhead_s + system.seconds_per_token * loads.max(axis=1, initial=0)
    for i in range(len(requests)):
        steps = slice(run.start_step[i], run.start_step[i] + requests.decode[i])
        assert run.finish_s[i] - run.start_s[i] == pytest.approx(sum(durations[steps]), rel=1e-9)
    if requests.arrival is not None:
        assert (run.start_s >= requests.arrival).all()


@settings(max_examples=40)
@given(case=runs())
def test_requests_longer_than_the_wheel_depart_on_time(case):
    system, requests, pool = case
    longest, state.LONGEST_WHEEL = state.LONGEST_WHEEL, 3
    try:
        run = simulate(system, requests, "jsq", pool=pool, history=True)
    finally:
        state.LONGEST_WHEEL = longest
    assert_equal_runs(run, simulate_reference(system, requests, "jsq", pool=pool, history=True))


def random_requests(n, seed=0, mean=20):
    rng = np.random.default_rng(seed)
    return Requests(rng.integers(1, 1000, n), rng.geometric(1 / mean, n))


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_larger_run_equals_the_reference(name, seed):
    system, requests = System.paper(6, 20), random_requests(500, seed)
    options = {"pool": 60, "seed": seed, "history": True}
    assert_equal_runs(
        simulate(system, requests, name, **options),
        simulate_reference(system, requests, name, **options),
    )


def test_a_run_in_many_portions_is_the_run_in_one(monkeypatch):
    requests = random_requests(20_000)
    system = System.paper(8, 16)
    whole = simulate(system, requests, "round_robin", gammas=(0.7,), history=True)
    monkeypatch.setattr(engine, "PULSE_S", 0.0)
    monkeypatch.setattr(state, "HISTORY_BLOCK", 8 * 5)
    calls = []
    parts = simulate(
        system, requests, "round_robin", gammas=(0.7,), history=True, progress=calls.append
    )
    assert_equal_runs(whole, parts)
    assert whole.power_sums == parts.power_sums
    assert len(calls) > whole.total.steps // 5
    assert calls == sorted(calls)
    assert calls[-1] == len(requests)


def test_an_interrupt_leaves_the_engine_usable():
    def stop(finished):
        raise KeyboardInterrupt

    requests = random_requests(5_000)
    with pytest.raises(KeyboardInterrupt):
        simulate(System(4, 4), requests, "fcfs", progress=stop)
    assert simulate(System(4, 4), requests, "fcfs").total.work == requests.work()


def test_power_sums_do_not_drift():
    # Every step has loads 1 and 3 (sizes, no growth), so that u = 1/3 and 1 at each.
    n = 200_000
    requests = Requests([1, 3] * n, [1, 1] * n)
    sums = simulate(System(2, 1, (0,)), requests, "fcfs", gammas=(0.7,)).power_sums[0.7]
    exact_step = 1 + (1 / 3) ** 0.7
    assert sums.per_step == pytest.approx(n * exact_step, rel=1e-15)
    assert sums.per_load == pytest.approx(3 * n * exact_step, rel=1e-15)


def test_power_sums_at_exponent_1_are_the_work():
    requests = random_requests(5_000)
    run = simulate(System(3, 5), requests, "jsq", gammas=(1.0,))
    assert run.power_sums[1.0].per_load == run.total.work


def test_a_policy_object_keeps_its_turn():
    # Three requests on two workers end with the turn at worker 1, compiled or not.
    for engine_of in (simulate, simulate_reference):
        turn = RoundRobin(turn=2)
        run = engine_of(System(2, 2), Requests([1] * 3, [1] * 3), turn)
        assert run.worker.tolist() == [0, 1, 0]
        assert turn.turn == 1


def test_a_subclass_of_a_built_in_policy_is_asked():
    class Last(FCFS):
        def admit(self, view):
            return super().admit(view)[::-1].copy()

    # One slot and two waiting: the newer one goes first.
    run = simulate(System(1, 1), Requests([1, 1], [1, 1]), Last(), pool=2)
    assert run.start_step.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("system", "requests"),
    [
        (System(4, 2), Requests([2**61], [1])),
        (System(1, 2), Requests([2**40] * 4, [2**20] * 4)),
        (System(1, 2), Requests([1], [2**32])),
        (System(1, 2, (2**31 - 1,)), Requests([1], [2**20])),
        (System(1, 2, (0,)), Requests([1, 1], [2**61, 2**61])),
    ],
)
def test_sums_that_could_overflow_are_refused(system, requests):
    with pytest.raises(InputError, match="use smaller sizes"):
        simulate(system, requests, "fcfs")


def test_a_sum_just_below_the_limit_is_exact():
    # 2^40 * 2^21 = 2^61 with one worker; no drift, so work is size times length.
    requests = Requests([2**40] * 2, [2**19, 2**20])
    run = simulate(System(1, 2, (0,)), requests, "fcfs")
    assert run.total.work == 2**40 * (2**19 + 2**20)


@pytest.mark.skipif(not hasattr(os, "sysconf"), reason="the size of the memory is not known")
def test_a_system_beyond_the_memory_is_refused():
    with pytest.raises(
        InputError, match=r"a run of 1 requests on 1,000,000,000,000 workers: takes about"
    ):
        simulate(System(10**12, 2), Requests([1], [1]), "fcfs")
    # 2^31 steps of 2^12 loads are 2^46 bytes.
    with pytest.raises(
        InputError, match=r"1 requests on 4,096 workers with history: takes about 70,368,744,37"
    ):
        simulate(System(2**12, 2, (0,)), Requests([1], [2**31]), "fcfs", history=True)


def test_more_workers_than_the_tables_can_number_are_refused(monkeypatch):
    monkeypatch.setattr("theory.budget.MEMORY", 2**50)
    with pytest.raises(InputError, match="2147483648 workers and 1 requests: both must stay"):
        simulate(System(2**31, 2), Requests([1], [1]), "fcfs")


def test_a_system_beyond_the_integers_is_refused():
    with pytest.raises(InputError, match="must stay below 2"):
        simulate(System(2, 2**62), Requests([1], [1]), "fcfs")


def test_many_slots_cost_nothing():
    run = simulate(System(2, 10**12), random_requests(1000), "fcfs")
    assert run.worker.tolist() == [0] * 1000
