"""The gallery: every witness replays to what it says, under two engines where it is a run."""

import json
from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from scipy.special import betainc

from adversary.instances.small_runs import SMALL_POLICIES, simulate_small
from adversary.instances.space import Instance
from adversary.witnesses.counterexamples import RareSizeRun
from adversary.witnesses.gallery import (
    FASTEST,
    GALLERY,
    OPTIMUM,
    gallery,
    read_witness,
    replay_witness,
    trajectory,
    write_witness,
)
from evenkeel.theorems.registry import claim_of
from solvers.policies.exact_bfio import ExactBFIO
from solvers.simulation.engine import simulate
from solvers.simulation.reference import simulate_reference
from solvers.step.problem import StepProblem
from theory.model import InputError, Requests, imbalance

WITNESSES = {w.name: w for w in gallery()}


@pytest.mark.parametrize("name", WITNESSES)
def test_every_witness_replays(name):
    witness = WITNESSES[name]
    assert replay_witness(witness) == witness.expected
    assert witness.text
    assert witness.provenance


@pytest.mark.parametrize("name", WITNESSES)
def test_every_witness_speaks_of_a_registered_claim(name):
    label = WITNESSES[name].claim
    assert claim_of(label).label == label


@pytest.mark.parametrize(
    "name", [n for n, w in WITNESSES.items() if isinstance(w.instance, Instance)]
)
def test_runs_replay_in_the_compiled_engines_too(name):
    witness = WITNESSES[name]
    run = witness.instance
    for policy, says in witness.expected.items():
        if policy in (OPTIMUM, FASTEST):
            continue
        average, timed = Fraction(says["avg_imbalance"]), run.requests.arrival is not None
        if policy in SMALL_POLICIES and not timed:
            small = simulate_small(run, policy)
            assert (small.avg_imbalance, small.work) == (average, says["work"])
        chosen = ExactBFIO() if policy == "bfio_exact" else policy
        result = simulate(run.system, run.requests, chosen, pool=None if timed else run.pool)
        assert (result.total.avg_imbalance, result.total.work) == (average, says["work"])
        if "time" in says:
            assert result.time_s == Fraction(says["time"])


def test_what_the_witnesses_show():
    def average(name: str, policy: str) -> Fraction:
        return Fraction(WITNESSES[name].expected[policy]["avg_imbalance"])

    for name in ("gap-smallest", "gap-full-worker", "gap-unequal-slots", "gap-tie"):
        says = WITNESSES[name].expected
        assert says["gap"] > says["largest_size"]
        assert says["imbalance"] == says["optimum"]
    # The tie has another optimum, the lexicographic one, that keeps the gap.
    tie = replay_witness(replace(WITNESSES["gap-tie"], assignment=None))
    assert tie["gap"] <= tie["largest_size"]
    assert average("iir-below-one", "bfio_exact") / average("iir-below-one", "fcfs") == Fraction(
        25, 2
    )
    assert average("iir-zero", "fcfs") == 0 < average("iir-zero", "bfio_exact")
    G, B, a, b = 3, 2, 1, 6
    assert average("refill-tight", "bfio_exact") == (G - 1) * (b - a)
    assert average("fcfs-refill-worst", "fcfs") == (G - 1) * B * (b - a)


def total(says, policy):
    return Fraction(says[policy]["avg_imbalance"]) * says[policy]["steps"]


def time(says, policy):
    return Fraction(says[policy]["time"])


@pytest.mark.parametrize(
    ("name", "shows"),
    [
        ("limits-overloaded", lambda x: x["optimum"] > 0),  # b = a
        ("limits-equal-slots", lambda x: x["optimum"] > 0),  # b = a
        ("limits-equal-lengths", lambda x: x["bfio_exact"]["overloaded_imbalance"] > 0),  # b = a
        ("limits-bounded-sizes", lambda x: x["optimum"] > 1000),
        ("limits-exact-step", lambda x: x["imbalance"] > 1 >= x["optimum"]),  # (G-1)(b-a) = 1
        ("limits-work-conservation", lambda x: x["most_admitted"] < x["conserving_admitted"]),
        ("limits-immediate-dispatch", lambda x: x["value"] > x["bound"]),
        ("limits-common-drift", lambda x: max(x["imbalance"]) > x["bound"]),
        ("nonmonotone-eviction", lambda x: max(x["imbalance"]) > 5),  # (G-1) s_max
        ("limits-pool-condition", lambda x: x["optimum"] > 0),  # water-filling says 0
        ("limits-ties", lambda x: x["imbalance"] == x["optimum"] and x["gap"] > x["largest_size"]),
        ("gap-along-a-run", lambda x: x["bfio_exact"]["overloaded_gap"] > 1),  # s_max
        ("limits-stickiness", lambda x: x["imbalance"] >= x["bound"] > x["migrated"]),
        ("limits-hidden-lengths", lambda x: x["fcfs"]["avg_imbalance"] == "0"),  # no policy: > 0
        ("work-any-drift", lambda x: x["fcfs"]["work"] != x["bfio_exact"]["work"]),
        ("limits-look-ahead", lambda x: Fraction(x["perfect"]) > Fraction(x["myopic"])),
        ("limits-prediction-error", lambda x: Fraction(x["predicted"]) > Fraction(x["perfect"])),
        (
            "iir-static",
            lambda x: x["fcfs_at_most"] < x["ratio_claimed_at_least"] * x["any_policy_at_least"],
        ),
        ("work-oldest-first-timed", lambda x: (x["fcfs"]["work"], x["jsq"]["work"]) == (36, 37)),
        # Sums of largest loads 5 and 4, a speed-up of 5/4 if no worker waited for a request.
        ("throughput-timed", lambda x: (time(x, "fcfs"), time(x, "bfio_exact")) == (14, 13)),
        ("saving-timed", lambda x: time(x, "fcfs") == time(x, "bfio_exact") == 101),
        ("offline-ladder-timed", lambda x: total(x, "least_loaded") < total(x, "optimum")),
        ("offline-ladder-short-pool", lambda x: total(x, "least_loaded") < total(x, "optimum")),
        # One worker is never idle at a barrier and draws the same power all the time: 32.5 %.
        (
            "overhead-saves-without-idle",
            lambda x: (
                total(x, "fcfs") == 0
                and round(1 - time(x, "fastest") / time(x, "fcfs"), 3) == Fraction(325, 1000)
            ),
        ),
        (
            "overhead-hides-idle",
            lambda x: (
                time(x, "fcfs") / time(x, "bfio_exact") == Fraction(114, 100)
                and total(x, "fcfs") == 17 * total(x, "bfio_exact")
            ),
        ),
        ("waterfill-admitted", lambda x: x["optimum"] == 1),  # (0 + 1) - 0 - 1 = 0 by the form
        ("rich-empty-slots", lambda x: x["optimum"] == 1),  # nobody departed: 0 <= 0
        *(
            (
                f"recursion-{name}",
                lambda x: (
                    x["next_spread"] > Fraction(x["spread_allowed"])
                    and x["next_imbalance"] > Fraction(x["imbalance_allowed"])
                ),
            )
            for name in ("own-growth", "empty-slots", "unequal-slots")
        ),
        # Of (1 - 1/G) (G-1)(b-a), and 0 + ... + GB-2 below where all sizes are distinct.
        ("spare-request-worst", lambda x: x["optimum"] == Fraction(2, 3) * 2 * 6),
        ("pool-condition-two-workers", lambda x: x["optimum"] == Fraction(1, 2) * 12),
        ("pool-condition-two-slots-wide", lambda x: x["optimum"] == Fraction(1, 2) * 1000 - 3),
        ("pool-condition-three-by-two", lambda x: x["optimum"] == Fraction(2, 3) * 2 * 300 - 10),
        ("pool-condition-three-workers-worst", lambda x: x["optimum"] == 19),  # 15 + 5 - 1
        ("pool-condition-two-slots", lambda x: x["optimum"] == 2),  # (9 - 5) / 2
        ("rare-size", lambda x: x["any_policy_at_least"] > 2 * Fraction(x["paper_form"])),
    ],
)
def test_the_witness_breaks_what_it_speaks_of(name, shows):
    assert shows(replay_witness(WITNESSES[name]))


def test_the_pools_of_the_pool_condition_meet_it():
    for name, witness in WITNESSES.items():
        if name.startswith("pool-condition-"):
            pool, slots = witness.instance.pool.tolist(), int(witness.instance.free.sum())
            assert len(pool) - max(map(pool.count, pool)) >= slots


def test_the_worst_sizes_of_a_timed_run_are_inside():
    run = WITNESSES["fcfs-vertex-timed"].instance
    values = {
        sizes: simulate_reference(
            run.system,
            Requests(sizes, run.requests.decode, run.requests.arrival),
            "fcfs",
        ).total.imbalance
        for sizes in product((1, 2, 3), repeat=3)
    }
    assert max(values[sizes] for sizes in product((1, 3), repeat=3)) == 9
    assert values[2, 2, 3] == max(values.values()) == 10


def test_a_rare_size_by_hand():
    # G = 2, B = 1, p = 1/2, stationary: two ages differ by d with chance 2 p q^d / (2 - p), so the
    # mean of the difference is 2 (1-p) / (p (2-p)) = 4/3; nothing else is left at width 0.
    one = RareSizeRun(2, 1, (1, 2), 0, 9, (1, 10**6), 4, 60)
    # 4 + 2 * 61 = 126 requests at most have been revealed.
    assert one.replay() == {"any_policy_at_least": 1, "paper_form": "18"}
    # With a chance of 1/504 each the factor 3/4 leaves just less than 1, with 1/505 more.
    for chance, least in ((504, 0), (505, 1)):
        less = replace(one, rarity=(1, chance)).replay()
        assert less["any_policy_at_least"] == least
    # Certain to be seen: nothing is left.
    assert replace(one, rarity=(1, 100)).replay()["any_policy_at_least"] == 0
    # In the long run 2 (0.99) / (0.01 * 1.99) = 99.5 at p = 1/100, but at the first step all ages
    # are 0, and at the second each is 0 or 1.
    slow = replace(one, p=(1, 100), rarity=(1, 10**9), step=2000)
    assert slow.replay()["any_policy_at_least"] == 99
    assert replace(slow, step=1).replay()["any_policy_at_least"] == 0


def test_a_rare_size_against_negative_binomial_loads():
    # Stationary ages are geometric from 0, so a worker's sum of B of them is negative binomial.
    def bound(G, B, p, most):
        largest = float(np.sum(1 - betainc(B, np.arange(most) + 1, p) ** G))
        return G * (largest - B * (1 - p) / p) - (G - 1) * B

    small = RareSizeRun(64, 512, (1, 20), 1, 10, (1, 10**12), 10**6, 400)
    found, truth = small.replay()["any_policy_at_least"], bound(64, 512, 1 / 20, 20_000)
    # 1.4e7 requests at most, one in 1e12 rare, and after 400 steps from cold the ages are there.
    assert truth * (1 - 2e-5) - 2 < found <= truth
    # The stored one is enclosed on a lattice of cell 2, which costs G sqrt(B ln(G) / 2) at most.
    found = WITNESSES["rare-size"].instance.replay()["any_policy_at_least"]
    truth = bound(1024, 13_042, 1 / 50, 2 * 13_042 * 50)
    assert truth * (1 - 3e-5) - 2 * 1024 * (13_042 * np.log(1024) / 2) ** 0.5 < found <= truth


@pytest.mark.parametrize(
    "name", [n for n, w in WITNESSES.items() if isinstance(w.instance, Instance)]
)
def test_a_run_is_drawn_as_it_replays(name):
    witness = WITNESSES[name]
    for policy, says in witness.expected.items():
        totals, place, loads = trajectory(witness.instance, policy)
        assert (str(totals.avg_imbalance), totals.steps) == (says["avg_imbalance"], says["steps"])
        assert sum(map(sum, loads)) == says["work"]
        assert sum(map(imbalance, loads)) == totals.imbalance
        decode = witness.instance.requests.decode
        assert np.array_equal((place >= 0).sum(axis=0), decode)


def test_a_run_with_arrivals_can_be_followed():
    totals, place, loads = trajectory(WITNESSES["fcfs-vertex-timed"].instance, "fcfs")
    # The 2 from 0 to 2; the next comes at 1.5 and runs from 2 to 4 and from 4 to 7 with load 3; the
    # last comes at 4.5 and has to wait for the step that began at 4, so it is alone, too.
    assert loads == [[2, 0], [2, 0], [3, 0], [3, 0]]
    assert place.tolist() == [[0, -1, -1], [-1, 0, -1], [-1, 0, -1], [-1, -1, 0]]
    assert totals.steps == 4


def test_a_round_that_stays_common_keeps_its_imbalance():
    # The control of limits-common-drift: both requests grow.
    common = replace(WITNESSES["limits-common-drift"].instance, growth=((1, 1),))
    assert common.replay()["imbalance"] == [0, 0]


def test_a_fall_that_all_share_keeps_the_imbalance():
    # The control of nonmonotone-eviction: sizes 5 and 3 fall by 2, rise by 1 and fall by 2 again.
    eviction = WITNESSES["nonmonotone-eviction"].instance
    common = replace(eviction, pool=(5, 3), growth=((-2, -2), (1, 1), (-2, -2)))
    assert common.replay()["imbalance"] == [2, 2, 2, 2]
    assert common.replay()["loads"][-1] in ([2, 0], [0, 2])


def test_bfio_is_worst_inside_for_the_lengths_of_its_witness():
    run = WITNESSES["bfio-interior"].instance
    lengths = run.requests.decode
    for sizes in product((1, 3), repeat=4):
        vertex = replace(run, requests=type(run.requests)(np.array(sizes), lengths))
        assert simulate_small(vertex, "bfio_exact").avg_imbalance <= 2
    assert simulate_small(run, "bfio_exact").avg_imbalance == Fraction(14, 3)


@pytest.mark.parametrize("name", WITNESSES)
def test_witnesses_survive_a_round_trip(name, tmp_path):
    path = write_witness(WITNESSES[name], tmp_path)
    assert path.read_bytes() == (GALLERY / f"{name}.json").read_bytes()
    assert list(tmp_path.iterdir()) == [path]
    again = read_witness(path)
    assert again.expected == WITNESSES[name].expected
    assert type(again.instance) is type(WITNESSES[name].instance)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d.pop("claim"), "the field 'claim' is missing"),
        (lambda d: d["run"].pop("pool"), "the field 'pool' is missing"),
        (lambda d: d["run"].update(prefill=[0, 1]), "prefill[0] = 0 must be an integer"),
        (lambda d: d["run"].update(workers=0), "run.workers must be an integer of at least 1"),
        (lambda d: d["run"].update(drift=7), "a field has the wrong type"),
        (lambda d: d["run"].update(overhead=1.5), "a field has the wrong type"),
        (lambda d: d["run"].update(overhead=-1), "step_overhead_s must be"),
        (lambda d: d["run"].update(arrival=[0, 1]), "arrival has shape (2,)"),
    ],
)
def test_damaged_witnesses_are_named(tmp_path, change, says):
    data = json.loads((GALLERY / "iir-zero.json").read_text())
    change(data)
    path = tmp_path / "damaged.json"
    path.write_text(json.dumps(data))
    with pytest.raises(InputError) as error:
        read_witness(path)
    assert str(error.value).startswith(f"{path}: not a witness: ")
    assert says in str(error.value)
    path.write_text("{")
    with pytest.raises(InputError, match="not a witness"):
        read_witness(path)


@pytest.mark.parametrize(
    ("name", "kind", "change", "says"),
    [
        ("limits-look-ahead", "window", {"window": -1}, "a length >= 0"),
        ("limits-look-ahead", "window", {"predicted": [1]}, "prefill has 4 entries"),
        ("limits-look-ahead", "window", {"window": 1.5}, "wrong type"),
        ("limits-common-drift", "round", {"pool": [1]}, "one request for each slot"),
        ("limits-common-drift", "round", {"pool": [0, 1]}, "pool must hold integers in"),
        ("limits-common-drift", "round", {"growth": [[1]]}, "an entry for each request"),
        ("limits-common-drift", "round", {"growth": [1]}, "wrong type"),
        ("limits-work-conservation", "partial-admission", {"pool": [1] * 20}, "a million"),
        ("limits-immediate-dispatch", "dispatch", {"size_max": 0}, "size_min <= size_max"),
        ("limits-stickiness", "migration", {"workers": [[[1, 0]]]}, "between two workers"),
        ("limits-stickiness", "migration", {"workers": [[1], [1]]}, "wrong type"),
        ("limits-stickiness", "migration", {"workers": [[[1]], [[1]]]}, "length 2"),
        ("recursion-own-growth", "departure", {"growth": [[0], []]}, "of the same requests"),
        ("recursion-own-growth", "departure", {"slots": [1]}, "of the same requests"),
        ("recursion-own-growth", "departure", {"slots": [1, 0]}, "a slot, and 0 or 1,"),
        ("recursion-own-growth", "departure", {"gone": [[0], [2]]}, "a slot, and 0 or 1,"),
        ("recursion-own-growth", "departure", {"sizes": [2, 1]}, "sizes 1 <= a <= b"),
        ("recursion-own-growth", "departure", {"p": [3, 2]}, "0 < p <= 1"),
        ("recursion-own-growth", "departure", {"sizes": [1, 9]}, "have more than"),
        ("recursion-own-growth", "departure", {"rows": [1, 1]}, "wrong type"),
        ("iir-static", "long-run", {"p": [1, 0]}, "between 0 and 1"),
        ("iir-static", "long-run", {"p": [True, 2]}, "wrong type"),
        ("iir-static", "long-run", {"extra": 1}, "unknown field 'extra'"),
        ("rare-size", "rare-size", {"rarity": [1, 1]}, "between 0 and 1"),
        ("rare-size", "rare-size", {"largest": 1}, "beyond the width"),
        ("rare-size", "rare-size", {"step": 0}, "beyond the width"),
    ],
)
def test_damaged_situations_are_named(tmp_path, name, kind, change, says):
    data = json.loads((GALLERY / f"{name}.json").read_text())
    data[kind].update(change)
    path = tmp_path / "damaged.json"
    path.write_text(json.dumps(data))
    with pytest.raises(InputError, match="not a witness") as error:
        read_witness(path)
    assert says in str(error.value)


def test_a_wrong_expectation_is_caught():
    witness = WITNESSES["gap-smallest"]
    wrong = replace(witness, instance=StepProblem([0, 1], [1, 1], [1]))
    assert replay_witness(wrong) != witness.expected
