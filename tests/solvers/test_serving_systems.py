"""Systems that depart from the model, in runs worked out by hand and by what is conserved."""

import random
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adversary.instances.strategies import small_integers
from solvers.policies.predictors import predictor_of
from solvers.policies.protocol import PATIENCE, PolicyError
from solvers.policies.registry import POLICIES
from solvers.simulation.engine import simulate
from solvers.simulation.reference import simulate_reference
from tests.noted import noted
from theory.model import InputError, Requests, System
from theory.serving import ServingSystem


def serve(system, sizes, lengths, arrival=None, rule="jsq", **options):
    return simulate(system, Requests(sizes, lengths, arrival), rule, history=True, **options)


def test_speeds_and_the_cost_of_a_request_set_the_step():
    # Worker 0 costs 2 a token, worker 1 costs 3, a request 5 tokens.  Loads 10 and 4 + 1, alone:
    # 2 * (10 + 5) and 3 * (5 + 2 * 5).
    system = ServingSystem(
        2, 2, slowness=(2, 3), request_cost=5, step_overhead_s=1, seconds_per_token=0.5
    )
    run = serve(system, [10, 4, 1], [1, 1, 1], rule="bfio")
    assert sorted(map(tuple, run.loads.tolist())) == [(30, 45)]
    assert run.time_s == 1 + 0.5 * 45
    assert run.work_by_worker.tolist() == [30, 45]
    assert run.idle_by_worker.tolist() == [15, 0]


def test_slots_may_differ():
    system = ServingSystem(2, 3, slots_of=(1, 3))
    run = serve(system, [1] * 5, [1] * 5)
    # Step 0: worker 0 has one slot, worker 1 three; the fifth request waits.
    assert run.worker.tolist() == [0, 1, 1, 1, 0]
    assert run.start_step.tolist() == [0, 0, 0, 0, 1]
    assert run.overloaded.steps == 1


def test_a_budget_lets_a_request_wait_where_growth_is_set_aside():
    # 10 tokens a worker, 2 set aside for each: sizes 5 and 4 need 7 + 6, more than 10.
    system = ServingSystem(1, 4, kv_budget=(10,), reserve=2)
    run = serve(system, [5, 4, 2], [3, 1, 1], rule="fcfs")
    # 5, 6, 7; then 4 and 2 need 6 + 4 = 10 together.
    assert run.loads.tolist() == [[5], [6], [7], [6]]
    assert run.start_step.tolist() == [0, 3, 3]
    assert run.preemptions.tolist() == [0, 0, 0]


def test_a_budget_that_is_passed_preempts_the_last_and_keeps_its_tokens():
    # 5 + 4 fit 10; after step 0 they are 6 + 5 = 11: request 1 goes back with 5 tokens and two
    # steps left.  Request 0 is alone at 6 (6 + 5 > 10) and at 7, and departs; then 5 and 6.
    system = ServingSystem(1, 4, kv_budget=(10,))
    run = serve(system, [5, 4], [3, 3], rule="fcfs")
    assert run.loads.tolist() == [[9], [6], [7], [5], [6]]
    assert run.preemptions.tolist() == [0, 1]
    assert run.start_step.tolist() == [0, 0]
    # The work is that of the requests: 5 + 6 + 7 and 4 + 5 + 6.
    assert run.total.work == 18 + 15


def test_a_worker_without_room_is_no_choice():
    # Either fits worker 0, and not both: it has one slot to fill, and fcfs goes on to worker 1.
    system = ServingSystem(2, 4, kv_budget=(10, 10))
    run = serve(system, [9, 3], [1, 1], rule="fcfs")
    assert run.worker.tolist() == [0, 1]
    assert run.start_step.tolist() == [0, 0]
    assert run.total.work == 12


def test_several_tokens_a_step():
    # 5 tokens at 2 a step are 3 steps, the last with one token; the growth is 2 a step.
    system = ServingSystem(1, 1, tokens_per_step=2)
    run = serve(system, [10], [5])
    assert run.loads.tolist() == [[10], [12], [14]]


def test_queues_bind_a_request_to_its_worker():
    # jsq sends 0, 2 to worker 0 and 1, 3 to worker 1 at once.  Request 0 is long: request 2 waits
    # behind it, though worker 1 is idle from step 2 on.
    system = ServingSystem(2, 1, queues=True)
    run = serve(system, [1] * 4, [5, 1, 1, 1], pool=4)
    assert run.worker.tolist() == [0, 1, 0, 1]
    assert run.start_step.tolist() == [0, 0, 5, 1]
    # One pool would have put it on worker 1 at step 1.
    assert serve(System(2, 1), [1] * 4, [5, 1, 1, 1], pool=4).start_step.max() == 2


def test_admissions_of_every_third_step():
    run = serve(ServingSystem(1, 1, admit_every=3), [1, 1], [1, 1])
    assert run.start_step.tolist() == [0, 3]
    assert run.loads.tolist() == [[1], [0], [0], [1]]


@pytest.mark.parametrize("queues", [False, True])
def test_admissions_are_held_until_every_free_worker_has_one(queues):
    # A step lasts a second.  Request 0 comes at 0, request 1 at 1.5: both start at step 2.
    system = ServingSystem(2, 1, hold=9, queues=queues, step_overhead_s=1, seconds_per_token=1e-9)
    run = serve(system, [1, 1], [3, 3], [0.0, 1.5])
    assert run.start_step.tolist() == [2, 2]
    # With patience for one step it does not wait for the other.
    impatient = ServingSystem(
        2, 1, hold=1, queues=queues, step_overhead_s=1, seconds_per_token=1e-9
    )
    assert serve(impatient, [1, 1], [3, 3], [0.0, 1.5]).start_step.tolist() == [1, 2]


class HoldsBack:
    """Admits one request a step at most."""

    name, work_conserving = "holds-back", False

    def admit(self, view):
        answer = np.full(view.pool.size, -1)
        answer[0] = int(np.argmax(view.free))
        return answer


class Never(HoldsBack):
    def admit(self, view):
        return np.full(view.pool.size, -1)


@pytest.mark.parametrize("engine", [simulate, simulate_reference])
def test_a_policy_may_declare_that_it_leaves_slots_empty(engine):
    requests = Requests([3, 2, 1], [1, 1, 1])
    run = engine(System(2, 2), requests, HoldsBack(), gammas=(0.5,))
    assert run.start_step.tolist() == [0, 1, 2]
    with pytest.raises(PolicyError, match=f"admitted nothing for {PATIENCE} steps"):
        engine(System(2, 2), requests, Never())

    class Claims(HoldsBack):
        work_conserving = True

    with pytest.raises(PolicyError, match="not work conserving"):
        engine(System(2, 2), requests, Claims())


@pytest.mark.parametrize("engine", [simulate, simulate_reference])
def test_steps_of_nothing_have_no_power(engine):
    class Late(HoldsBack):
        def admit(self, view):
            answer = np.full(view.pool.size, -1)
            answer[0] = 0 if view.step else -1
            return answer

    system = System(2, 1, step_overhead_s=1)
    run = engine(system, Requests([4], [1]), Late(), gammas=(0.5, 1.0), history=True)
    assert run.loads.tolist() == [[0, 0], [4, 0]]
    assert [run.power_sums[g].per_step for g in (0.5, 1.0)] == [1.0, 1.0]


@st.composite
def systems(draw):
    G = draw(st.integers(1, 3))
    slots_of = draw(st.none() | small_integers(1, 4, G))
    budget = draw(st.none() | small_integers(30, 60, G))
    return ServingSystem(
        G,
        max(slots_of) if slots_of else draw(st.integers(1, 4)),
        drift=draw(st.sampled_from([(1,), (0,), (2, 0)])),
        step_overhead_s=0.25,
        seconds_per_token=0.125,
        slots_of=tuple(slots_of or ()),
        slowness=tuple(draw(st.none() | small_integers(1, 3, G)) or ()),
        request_cost=draw(st.integers(0, 3)),
        kv_budget=tuple(budget or ()),
        reserve=draw(st.none() | st.just(12)) if budget else None,
        tokens_per_step=draw(st.integers(1, 3)),
        queues=draw(st.booleans()),
        admit_every=draw(st.integers(1, 3)),
        hold=draw(st.integers(0, 3)),
    )


@st.composite
def workloads(draw, most=12):
    n = draw(st.integers(0, most))
    arrival = None
    if draw(st.booleans()):
        arrival = np.cumsum(draw(small_integers(0, 20, n))) / 4
    return Requests(
        draw(small_integers(1, 15, n)),
        draw(small_integers(1, 5, n)),
        arrival,
        draw(st.none() | small_integers(0, 2, n)),
    )


PLAIN = ServingSystem(2, 2, step_overhead_s=0.25, seconds_per_token=0.125)

VARIANTS = [
    "bfio:horizon=2",
    "bfio:horizon=2,predictor=observed",
    "bfio:max_wait=1",
    "brh:horizon=1,predictor=observed",
    "vllm_in_flight:every=2,clients=3",
    "vllm_in_flight:every_ms=0",
    "vllm_dp_rotating:turn=4,every=3,clients=2",
    "vllm_tokens:every_ms=1500,clients=2",
    "sglang_total_tokens:every=2",
    "atom_least_tokens:turn=1,per_request=3",
    "llmd_token_load:threshold=20",
]

ARRAYS = ("worker", "reveal_step", "start_step", "start_s", "finish_s", "loads")
NUMBERS = ("total", "overloaded", "empty_steps", "empty_max", "time_s", "bound_gap", "pool_limit")


def assert_same(fast, plain):
    """Two runs agree, the sums of powers but for their rounding."""
    for name in NUMBERS:
        assert getattr(fast, name) == getattr(plain, name), name
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(fast, name), getattr(plain, name), err_msg=name)
    for name in ("costs", "preemptions"):
        ours, theirs = getattr(fast, name), getattr(plain, name)
        assert (ours is None) == (theirs is None), name
        np.testing.assert_array_equal(ours, theirs, err_msg=name)
    for gamma, sums in plain.power_sums.items():
        assert fast.power_sums[gamma].per_step == pytest.approx(sums.per_step, rel=1e-12)
        assert fast.power_sums[gamma].per_load == pytest.approx(sums.per_load, rel=1e-12)


@settings(max_examples=25)
@given(
    system=systems() | st.just(PLAIN),
    requests=workloads(),
    pool=st.none() | st.integers(1, 12),
    seed=st.integers(0, 2**64),
)
def test_the_compiled_step_is_the_plain_one(system, requests, pool, seed):
    options = {"pool": pool, "seed": seed, "gammas": (0.5, 1.0), "history": True}
    for name in noted([*POLICIES, *VARIANTS]):
        fast, plain = (
            engine(system, requests, name, **options) for engine in (simulate, simulate_reference)
        )
        assert_same(fast, plain)


class Recorder:
    """Decides by a hash of all that it is shown, keeps that, and may leave slots empty."""

    name, sees_in_flight = "recorder", True

    def __init__(self, horizon, predictor, conserving):
        self.seen = []
        self.work_conserving = conserving
        if horizon:
            self.horizon, self.predictor = horizon, predictor_of(predictor)

    def admit(self, view):
        shown = []
        for field in fields(view):
            value = getattr(view, field.name)
            if field.name == "in_flight":
                value = tuple(getattr(value, each.name).tolist() for each in fields(value))
            shown.append(value.tolist() if isinstance(value, np.ndarray) else value)
        self.seen.append(shown)
        draw = random.Random(repr(shown))
        slots = [g for g, free in enumerate(view.free.tolist()) for _ in range(free)]
        answer = np.full(view.pool.size, -1)
        chosen = draw.sample(range(view.pool.size), view.admissions)
        answer[chosen] = draw.sample(slots, view.admissions)
        if not self.work_conserving and view.queued is None and draw.random() < 0.5:
            answer[draw.randrange(view.pool.size)] = -1
        return answer


@settings(max_examples=150)
@given(
    system=systems(),
    requests=workloads(),
    pool=st.none() | st.integers(1, 12),
    horizon=st.integers(0, 3),
    predictor=st.sampled_from(["oracle", "observed", "noisy:0.5"]),
    conserving=st.booleans(),
)
def test_a_policy_is_shown_what_the_plain_step_shows(
    system, requests, pool, horizon, predictor, conserving
):
    runs, seen = [], []
    for engine in (simulate, simulate_reference):
        recorder = Recorder(horizon, predictor, conserving)
        runs.append(engine(system, requests, recorder, pool=pool, history=True))
        seen.append(recorder.seen)
    assert seen[0] == seen[1]
    assert_same(*runs)


@pytest.mark.parametrize("name", ["jsq", "vllm_in_flight", "bfio"])
def test_long_runs_agree_where_budgets_are_tight(name):
    # Hundreds of preemptions, queues that never empty, and requests longer than the wheel's turn.
    rng = np.random.default_rng(7)
    requests = Requests(rng.integers(1, 40, 400), rng.integers(1, 60, 400))
    for queues in (False, True):
        system = ServingSystem(
            3, 6, kv_budget=(150, 200, 250), slots_of=(4, 6, 5), queues=queues, tokens_per_step=2
        )
        fast, plain = (
            engine(system, requests, name, gammas=(0.7,), history=True)
            for engine in (simulate, simulate_reference)
        )
        assert_same(fast, plain)
        assert plain.preemptions.sum() > 20


@settings(max_examples=150)
@given(system=systems(), requests=workloads(), seed=st.integers(0, 99))
def test_what_a_system_promises_holds_in_its_runs(system, requests, seed):
    name = sorted(POLICIES)[seed % len(POLICIES)]
    sizes, lengths, n = requests.prefill.tolist(), requests.decode.tolist(), len(requests)
    run = simulate(system, requests, name, history=True)
    slots = system.slots_of or (system.slots,) * system.workers
    steps = [system.steps_of(o) for o in lengths]
    assert (run.start_step >= run.reveal_step).all()
    if run.preemptions is None or not run.preemptions.any():
        for k in range(run.total.steps):
            there = [i for i in range(n) if run.start_step[i] <= k < run.start_step[i] + steps[i]]
            for g in range(system.workers):
                here = [i for i in there if run.worker[i] == g]
                assert len(here) <= slots[g]
                drift = [
                    system.tokens_per_step * system.drift[j % len(system.drift)] for j in range(k)
                ]
                load = sum(sizes[i] + sum(drift[run.start_step[i] :]) for i in here)
                slow = (system.slowness or (1,) * system.workers)[g]
                assert run.loads[k, g] == slow * (load + system.request_cost * len(here))
                if system.kv_budget:
                    assert load <= system.kv_budget[g]
    if system.reserve is not None:
        assert not run.preemptions.any()
    if system.admit_every > 1:
        assert not (run.start_step % system.admit_every).any()


@settings(max_examples=40)
@given(system=systems(), seed=st.integers(0, 99))
def test_a_system_that_departs_in_nothing_is_the_plain_one(system, seed):
    rng = np.random.default_rng(seed)
    requests = Requests(rng.integers(1, 15, 20), rng.integers(1, 5, 20))
    plain = System(system.workers, system.slots, system.drift)
    for engine in (simulate, simulate_reference):
        run = engine(
            ServingSystem(*map(plain.__getattribute__, plain.__match_args__)), requests, "lpt"
        )
        assert run.total == engine(plain, requests, "lpt").total
        assert run.costs is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"slots_of": (1, 2)}, "slots must be the largest of slots_of"),
        ({"slots_of": (4,)}, "slots_of must hold an integer >= 1 for each of 2 workers"),
        ({"slowness": (0, 1)}, "slowness must hold an integer >= 1"),
        ({"reserve": 3}, "reserve must be an integer >= 0 beside a kv_budget"),
        ({"tokens_per_step": 0}, "tokens_per_step must be an integer >= 1"),
        ({"hold": -1}, "hold must be an integer >= 0"),
    ],
)
def test_a_field_out_of_range_is_named(fields, message):
    with pytest.raises(InputError, match=message):
        ServingSystem(2, 4, **fields)


def test_a_request_that_cannot_be_served_is_named():
    with pytest.raises(InputError, match="request 1 of 9 tokens that may grow by 2 does not fit"):
        serve(ServingSystem(1, 4, kv_budget=(10,)), [1, 9], [1, 3])
    with pytest.raises(InputError, match="request 0 may grow by 4 tokens, and reserve = 3"):
        serve(ServingSystem(1, 4, kv_budget=(10,), reserve=3), [1], [5])
