import sys
import textwrap
from dataclasses import fields, replace
from importlib.metadata import EntryPoint, EntryPoints

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adversary.instances.strategies import small_lists
from solvers.policies.arrival_order import splitmix64
from solvers.policies.protocol import InFlight, Policy, PolicyError, StepView, decide
from solvers.policies.registry import POLICIES, policy
from tests.noted import noted
from tests.oracles import policies as plain
from theory.model import InputError

W = -1  # waits


def view(loads, free, pool, *, slots=9, step=0):
    return StepView(
        step=step,
        slots=slots,
        loads=np.array(loads, dtype=np.int64),
        free=np.array(free, dtype=np.int64),
        pool=np.array(pool, dtype=np.int64),
        waited=np.zeros(len(pool), dtype=np.int64),
        in_flight=InFlight.nobody(),
    )


@st.composite
def views(draw, late=False):
    """A step; where it is late, at step 9 with requests that have waited for up to as long."""
    workers, slots, n = (draw(st.sampled_from(range(1, most + 1))) for most in (5, 4, 12))
    free, loads, pool, waited = draw(
        small_lists(
            (range(slots + 1), workers), (range(51), workers), (range(1, 21), n), (range(10), n)
        )
    )
    found = view(loads, free, pool, slots=slots, step=9 if late else draw(st.integers(0, 9)))
    return replace(found, waited=np.array(waited)) if late else found


@given(step=views())
@example(step=view([5, 1], [0, 0], [3]))  # where no slot is free
@example(step=view([5, 1], [2, 0], []))
def test_every_built_in_policy_obeys_the_rules(step):
    for name in noted(POLICIES):
        decide(policy(name), step)  # raises if it does not


@settings(max_examples=50)
@given(steps=st.lists(views(), min_size=1, max_size=3), seed=st.integers(0, 2**64))
def test_a_compiled_rule_decides_as_its_definition(steps, seed):
    for name in noted(plain.PLAIN):
        made, definition = policy(name, seed), plain.PLAIN[name]()
        definition.seed = seed
        for step in steps:
            assert made.admit(step).tolist() == definition.admit(step).tolist()


@pytest.mark.parametrize("name", POLICIES)
def test_built_in_policies_have_the_names_they_are_known_by(name):
    made = policy(name)
    # One that looks ahead by default also says how.
    assert made.name == ("brh:horizon=20,predictor=oracle" if name == "brh" else name)
    assert isinstance(made, Policy)


def test_a_view_shows_nothing_but_what_is_listed_here():
    assert {f.name for f in fields(StepView)} == {
        "step",
        "slots",
        "loads",
        "free",
        "pool",
        "waited",
        "ahead",
        "grown",
        "now_s",
        "request",
        "group",
        "in_flight",
        "held",
        "budget",
        "slowness",
        "queued",
        "queued_tokens",
    }
    assert {f.name for f in fields(InFlight)} == {"request", "worker", "size", "age", "queued"}


def test_fcfs_fills_worker_0_first():
    # Slots in worker order are 0, 0, 2: the three oldest take them.
    assert policy("fcfs").admit(view([9, 0, 1], [2, 0, 1], [5, 6, 7, 8])).tolist() == [0, 0, 2, W]


def test_fcfs_needs_no_list_of_all_slots():
    assert policy("fcfs").admit(view([0, 0], [2**50, 2**50], [5])).tolist() == [0]


def test_round_robin_keeps_its_turn_and_skips_full_workers():
    rr = policy("round_robin")
    # Turn 0: worker 0, then 1, then 2 has no slot, so 0 again; the turn is now 1.
    assert rr.admit(view([0, 0, 0], [2, 2, 0], [5, 5, 5])).tolist() == [0, 1, 0]
    # Worker 1 has no slot any more: 2, then 0.
    assert rr.admit(view([0, 0, 0], [1, 0, 1], [5, 5, 5])).tolist() == [2, 0, W]


def test_jsq_counts_requests_and_ignores_loads():
    # Running 3, 1, 2 of 4.  To worker 1 (2), then the tie of 1 and 2 goes to 1 (3), then 2 (3),
    # then the tie of all goes to 0, which is then full.
    step = view([0, 99, 50], [1, 3, 2], [7] * 5, slots=4)
    assert policy("jsq").admit(step).tolist() == [1, 1, 2, 0, 1]


def test_vllm_dp_charges_four_for_a_request_just_sent():
    # Running 0, 3, 8: scores 0 -> 4 after the first; then 3 -> 7; then 4 -> 8; then 7 -> 11; then
    # the tie of 8 and 8 goes to worker 0.
    step = view([0, 0, 0], [9, 6, 1], [1] * 5, slots=9)
    assert policy("vllm_dp").admit(step).tolist() == [0, 1, 0, 1, 0]


def test_least_loaded_counts_tokens_and_updates_them():
    # Loads 4, 6, 0 (full).  5 to worker 0 (9), 2 to worker 1 (8), 1 to worker 1 (9), tie to 0.
    step = view([4, 6, 0], [3, 3, 0], [5, 2, 1, 1])
    assert policy("least_loaded").admit(step).tolist() == [0, 1, 1, 0]


def test_lpt_places_the_oldest_batch_largest_first():
    # Three slots: the batch is (2, 9, 2), not the waiting 50.  9 to worker 0 (9), the first 2 to
    # worker 1 (3), the second 2 to worker 1 (5).
    assert policy("lpt").admit(view([0, 1], [1, 2], [2, 9, 2, 50])).tolist() == [1, 0, 1, W]


def test_always_busiest_gives_the_largest_to_the_busiest():
    # Busiest first: worker 2 (one slot), worker 0 (two slots).  9 to worker 2; then 8 and the
    # first 3 to worker 0; the second 3 goes to worker 1.
    step = view([5, 1, 7], [2, 5, 1], [3, 9, 3, 8])
    assert policy("always_busiest").admit(step).tolist() == [0, 2, 1, 0]


def test_splitmix64_is_the_published_generator():
    # First outputs of the reference implementation for the seeds 0 and 1234567.
    for first, second in (
        (splitmix64(np.uint64(0)), splitmix64(np.uint64(1234567))),
        (plain.splitmix64(0), plain.splitmix64(1234567)),
    ):
        assert first == 0xE220A8397B1DCDAF
        assert second == 6457827717110365317


def test_power_of_two_goes_to_the_less_loaded_of_two():
    # Of two workers both are sampled, so the less loaded one is taken whatever the seed.
    for seed in range(20):
        assert policy("power_of_two", seed).admit(view([5, 3], [1, 1], [1])).tolist() == [1]


def test_power_of_two_samples_all_pairs_evenly():
    # With loads 0 < 1 < 2 < 3 the lower index of a pair wins: of the 6 pairs, 3, 2, 1 and 0.
    counts = np.zeros(4)
    rounds = 6000
    for step in range(rounds):
        counts[policy("power_of_two", 7).admit(view([0, 1, 2, 3], [1] * 4, [1], step=step))] += 1
    expected = rounds * np.array([3, 2, 1, 0]) / 6
    # Six standard deviations of a binomial count are below 6 * sqrt(6000 / 4) = 233.
    assert (abs(counts - expected) < 233).all()
    assert counts[3] == 0


def test_power_of_two_depends_on_seed_step_and_position():
    def choices(seed, step):
        return policy("power_of_two", seed).admit(view([0] * 64, [1] * 64, [1] * 8, step=step))

    assert choices(0, 0).tolist() == choices(0, 0).tolist()
    assert choices(0, 0).tolist() != choices(1, 0).tolist()
    assert choices(0, 0).tolist() != choices(0, 1).tolist()
    assert len(set(choices(0, 0).tolist())) > 1
    assert choices(-1, 0).tolist() == choices(2**64 - 1, 0).tolist()


class Cheat:
    name = "cheat"

    def __init__(self, answer):
        self.answer = answer

    def admit(self, view):
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


def test_parameters_are_written_behind_the_name():
    assert policy("round_robin:turn=3").turn == 3
    made = policy("bfio:horizon=20,predictor=noisy:0.5,effort=2", seed=7)
    assert (made.horizon, made.effort) == (20, 2)
    assert (made.predictor.error, made.predictor.seed) == (0.5, 7)
    assert made.name == "bfio:horizon=20,predictor=noisy:0.5"
    assert policy("bfio:max_wait=40").name == "bfio:max_wait=40"
    assert policy("brh:horizon=4,predictor=observed,discount=1").discounts.tolist() == [1.0] * 5


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("bfio:horizon", "expected NAME=VALUE with one of horizon, predictor, max_wait, effort"),
        ("bfio:depth=3", "found 'depth=3'"),
        ("bfio:horizon=1,horizon=2", "found 'horizon=2'"),
        ("bfio:seed=3", "found 'seed=3'"),
        ("fcfs:order=1", "takes no parameters"),
        ("bfio:horizon=-1", "policy 'bfio:horizon=-1': horizon must be an integer >= 0, got -1"),
        ("bfio:horizon=2.5", "horizon must be an integer >= 0, got 2.5"),
        ("bfio:horizon=x", "horizon must be an integer >= 0, got 'x'"),
        ("bfio:max_wait=-1", "max_wait must be an integer >= 0"),
        ("bfio:effort=many", "effort must be an integer >= 0"),
        ("bfio:effort=20", "effort must be an integer of 0 to 8, got 20"),
        ("bfio:predictor=tarot", "unknown predictor 'tarot'; known: oracle, observed"),
        ("bfio:predictor=noisy", "unknown predictor 'noisy'"),
        ("bfio:predictor=noisy:-1", "unknown predictor 'noisy:-1'"),
        ("bfio:predictor=oracle:1", "unknown predictor 'oracle:1'"),
        ("brh:horizon=0", "horizon must be an integer >= 1"),
        ("brh:discount=0", "discount must lie in (0, 1]"),
        ("brh:beta=-1", "beta must be >= 0"),
    ],
)
def test_a_parameter_that_is_wrong_is_named(spec, message):
    with pytest.raises(InputError) as caught:
        policy(spec)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bounded_waiting_admits_the_late_first_and_balances_with_the_rest():
    # Waited 5, 0, 3, 1 with a limit of 2: the requests of 7 and 1 go first, 7 to the empty worker
    # and 1 to the other (8 and 7: gap 0 after the third), and of 3 and 9 the 3 takes the last slot.
    step = view([0, 7], [2, 1], [7, 9, 1, 3])
    step = replace(step, waited=np.array([5, 0, 3, 1]))
    assert sorted(policy("bfio:max_wait=2").admit(step)[[0, 2]].tolist()) == [0, 1]
    # One slot and two late requests: the older goes, whatever its size.
    step = replace(view([0], [1], [50, 2, 1]), waited=np.array([9, 8, 0]))
    assert policy("bfio:max_wait=2").admit(step).tolist() == [0, W, W]


@given(step=views(late=True))
def test_no_limit_on_waiting_means_the_plain_step(step):
    np.testing.assert_array_equal(policy("bfio:max_wait=9").admit(step), policy("bfio").admit(step))


@given(step=views(late=True), limit=st.integers(0, 9))
def test_with_a_limit_nobody_late_waits_behind_one_who_is_not(step, limit):
    step = replace(step, waited=np.sort(step.waited)[::-1].copy())
    admitted = decide(policy(f"bfio:max_wait={limit}"), step) != W
    late = step.waited > limit
    if (late & ~admitted).any():
        assert not (admitted & ~late).any()
        # And the older of the late go first.
        assert admitted[late].tolist() == sorted(admitted[late].tolist(), reverse=True)


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        (np.array([0, 0, W]), "worker 0 is over-filled: 2 requests for 1 free slots"),
        (np.array([0, W, W]), "not work conserving: 1 requests admitted where 2 could be"),
        (np.array([0, 1]), "one integer worker for each of the 3 waiting requests"),
        (np.array([0, 1, W, W]), "one integer worker for each of the 3 waiting requests"),
        (np.array([0, 2, W]), "request 1 is sent to worker 2, but workers are 0 to 1"),
        (np.array([0, -2, 1]), "request 1 is sent to worker -2"),
        (np.array([0.0, 1.0, -1.0]), "got float64[3]"),
        (np.array([True, False, False]), "got bool[3]"),
        (np.array([2**64 - 1, 0, 1], dtype=np.uint64), "request 0 is sent to worker"),
        (None, "got object[]"),
        (["a", "b", "c"], "one integer worker for each"),
        ([[0], [0, 1], []], "raised ValueError"),
        (KeyError("load"), "raised KeyError: 'load'"),
        (ValueError("two\nlines"), "raised ValueError: two"),
        (SystemExit(3), "raised SystemExit: 3"),
        (ZeroDivisionError(), "raised ZeroDivisionError: "),
    ],
)
def test_a_broken_rule_is_named_with_policy_and_step(answer, rule):
    with pytest.raises(PolicyError) as caught:
        decide(Cheat(answer), view([0, 0], [1, 1], [5, 6, 7], step=41))
    assert "policy 'cheat' at step 41" in str(caught.value)
    assert rule in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_interrupt_is_not_taken_for_the_policys_fault():
    with pytest.raises(KeyboardInterrupt):
        decide(Cheat(KeyboardInterrupt()), view([0], [1], [5]))


def test_a_policy_cannot_change_the_rules_by_changing_the_view():
    class Vandal:
        name = "vandal"

        def admit(self, view):
            view.free[:] = 9
            return np.zeros(view.pool.size, dtype=np.int64)

    with pytest.raises(PolicyError, match="over-filled: 2 requests for 1 free slots"):
        decide(Vandal(), view([0, 0], [1, 1], [5, 6]))


MODULE = """
    import numpy as np
    class Mine:
        name = "mine"
        def __init__(self, seed=3):
            self.seed = seed
        def admit(self, view):
            raise NotImplementedError
    class Needy(Mine):
        def __init__(self, model):
            pass
    class Nameless:
        def admit(self, view): ...
    class Numbered(Mine):
        name = 7
    class Idle:
        name, admit = "idle", None
    made = Mine(11)
    def function(view): ...
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "their_policies.py").write_text(textwrap.dedent(MODULE))
    (tmp_path / "broken_policies.py").write_text("import no_such_thing_at_all\n")
    (tmp_path / "leaving_policies.py").write_text("raise SystemExit('bye')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p not in ("", ".")])
    yield "their_policies"
    sys.modules.pop("their_policies", None)


def test_a_policy_is_found_in_the_current_directory(module):
    assert policy(f"{module}:Mine", seed=5).seed == 5
    assert policy(f"{module}:made", seed=5).seed == 11


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nothing", "unknown policy 'nothing'; known: fcfs, round_robin"),
        ("no_such_module_here:X", "cannot import module 'no_such_module_here': ModuleNotFound"),
        ("broken_policies:X", "ModuleNotFoundError: No module named 'no_such_thing_at_all'"),
        ("leaving_policies:X", "SystemExit: bye"),
        ("their_policies:Yours", "has no attribute 'Yours'"),
        ("their_policies:", "has no attribute ''"),
        (":Mine", "cannot import module ''"),
        ("their_policies:Needy", "cannot create it: TypeError"),
        ("their_policies:Nameless", "with a text `name` and a method admit(view)"),
        ("their_policies:Numbered", "with a text `name` and a method admit(view)"),
        ("their_policies:Idle", "with a text `name` and a method admit(view)"),
        ("their_policies:function", "found function"),
        ("their_policies:np", "found module"),
    ],
)
def test_a_policy_that_cannot_be_had_is_explained_in_one_line(module, spec, message):
    with pytest.raises(InputError) as caught:
        policy(spec)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_installed_policy_is_found_by_its_entry_point(module, monkeypatch):
    points = EntryPoints([EntryPoint("theirs", f"{module}:Mine", "evenkeel.policies")])
    monkeypatch.setattr("theory.own.entry_points", lambda group: points.select(group=group))
    assert policy("theirs", 4).seed == 4
    with pytest.raises(InputError, match="trtllm_kv_aware, theirs, or module:attribute"):
        policy("unknown")
