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
        assert simulate_small(run, policy).avg_imbalance == average
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
    assert isinstance(again.instance, StepProblem | Instance)


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


def test_a_wrong_expectation_is_caught():
    witness = WITNESSES["gap-smallest"]
    wrong = replace(witness, instance=StepProblem([0, 1], [1, 1], [1]))
    assert replay(wrong) != witness.expected
