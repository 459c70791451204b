"""The gallery: every witness replays to what it says, under two engines where it is a run."""

import json
from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from adversary.gallery import GALLERY, gallery, read_witness, replay, write_witness
from adversary.small import ExactBFIO, simulate_small
from adversary.space import Instance
from solvers.engine import simulate
from solvers.step import StepProblem
from theory.claims import claim
from theory.model import InputError

WITNESSES = {w.name: w for w in gallery()}


@pytest.mark.parametrize("name", WITNESSES)
def test_every_witness_replays(name):
    witness = WITNESSES[name]
    assert replay(witness) == witness.expected
    assert witness.text
    assert witness.provenance


@pytest.mark.parametrize("name", WITNESSES)
def test_every_witness_speaks_of_a_registered_claim(name):
    label = WITNESSES[name].claim
    assert claim(label).label == label


@pytest.mark.parametrize(
    "name", [n for n, w in WITNESSES.items() if isinstance(w.instance, Instance)]
)
def test_runs_replay_in_the_compiled_engines_too(name):
    witness = WITNESSES[name]
    run = witness.instance
    for policy, says in witness.expected.items():
        average = Fraction(says["avg_imbalance"])
        small = simulate_small(run, policy)
        assert (small.avg_imbalance, small.work) == (average, says["work"])
        chosen = ExactBFIO() if policy == "bfio_exact" else policy
        result = simulate(run.system, run.requests, chosen, pool=run.pool)
        assert result.total.avg_imbalance == average


def test_what_the_witnesses_show():
    def average(name: str, policy: str) -> Fraction:
        return Fraction(WITNESSES[name].expected[policy]["avg_imbalance"])

    for name in ("gap-smallest", "gap-full-worker", "gap-unequal-slots", "gap-tie"):
        says = WITNESSES[name].expected
        assert says["gap"] > says["largest_size"]
        assert says["imbalance"] == says["optimum"]
    # The tie has another optimum, the lexicographic one, that keeps the gap.
    tie = replay(replace(WITNESSES["gap-tie"], assignment=None))
    assert tie["gap"] <= tie["largest_size"]
    assert average("iir-below-one", "bfio_exact") / average("iir-below-one", "fcfs") == Fraction(
        25, 2
    )
    assert average("iir-zero", "fcfs") == 0 < average("iir-zero", "bfio_exact")
    G, B, a, b = 3, 2, 1, 6
    assert average("refill-tight", "bfio_exact") == (G - 1) * (b - a)
    assert average("fcfs-refill-worst", "fcfs") == (G - 1) * B * (b - a)


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
    ],
)
def test_the_witness_breaks_what_it_speaks_of(name, shows):
    assert shows(replay(WITNESSES[name]))


def test_a_round_that_stays_common_keeps_its_imbalance():
    # The control of limits-common-drift: both requests grow.
    common = replace(WITNESSES["limits-common-drift"].instance, growth=((1, 1),))
    assert common.replay()["imbalance"] == [0, 0]


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
        (lambda d: d["run"].update(workers=0), "workers must be an integer >= 1"),
        (lambda d: d["run"].update(drift=7), "a field has the wrong type"),
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
        ("limits-stickiness", "migration", {"workers": [[[1]], [[1]]]}, "size >= 1 and an age"),
        ("iir-static", "long-run", {"p": [1, 0]}, "between 0 and 1"),
        ("iir-static", "long-run", {"p": [True, 2]}, "wrong type"),
        ("iir-static", "long-run", {"extra": 1}, "wrong type"),
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
    assert replay(wrong) != witness.expected
