"""The paper's experiments again: rows, paired changes, what there was to gain, the command."""

import json
from dataclasses import replace

import numpy as np
import polars
import pytest

from adversary.paired_runs import E2, MESH, Setting, Spread, log10_imbalance_ratio, replay, saving
from adversary.workloads.traces import read_trace
from evenkeel.cli.main import cli
from evenkeel.studies.paper_experiments import (
    BASELINE,
    EXPERIMENTS,
    Experiment,
    chosen,
    outcomes,
    perform,
    reported,
    room,
    runs_of,
)
from evenkeel.studies.trace_draws import Source
from theory.model import InputError

TINY = Experiment("tiny", "tiny", Setting("uniform", 3, 4, 90, 12, (("length", 4),)), 2)


def rows_of(experiment, seeds=3, **given):
    return polars.DataFrame([perform(run) for run in runs_of(experiment, seeds, **given)])


def test_the_paper_and_systems_that_are_no_llm():
    assert [one.name for one in chosen(("E3", "bsp", "E2", "bsp-mesh"))] == [
        *("E3", "bsp-mesh", "bsp-particles", "bsp-inflow", "E2"),
    ]
    assert (EXPERIMENTS["E2"][0].horizon, EXPERIMENTS["E3"][0].horizon) == (20, 40)
    assert EXPERIMENTS["E2"][0].setting == E2
    for one in EXPERIMENTS["bsp"]:
        assert one.setting.drift != (1,)
        assert one.setting.system.step_overhead_s == 0
        assert reported(one.name) == {}
    with pytest.raises(InputError, match="unknown experiment 'E9'; known: E2, E3, bsp, bsp-mesh"):
        chosen(("E9",))


def test_signs_of_the_reported_numbers_are_those_of_the_changes():
    assert reported("E2") == pytest.approx(
        {"imbalance": 17, "throughput": 0.14, "time per token": -0.13, "energy": -13 / 396}
    )
    assert reported("E3") == {"throughput": 0.92, "energy": -0.282}


def test_domains_of_constant_size_stay_so():
    ends = replay(replace(MESH, requests=1200), "bfio", 0)
    requests = replace(MESH, requests=1200).draw(0)
    # Drift 0: every domain weighs what it weighed, at each of its supersteps.
    assert ends.completed.work == int((requests.prefill * requests.decode).sum())


def test_changes_are_those_of_paired_runs():
    found = {(o.policy, o.end): o for o in outcomes(rows_of(TINY, policies=("bfio", "jsq")))}
    assert {policy for policy, _ in found} == {"fcfs", "bfio", "jsq"}
    runs = [[replay(TINY.setting, name, seed).completed for seed in range(3)]
            for name in ("fcfs", "bfio")]  # fmt: skip
    outcome = found["bfio", "completed"]
    savings = [saving(a, b) for a, b in zip(*runs, strict=True)]
    ratios = [log10_imbalance_ratio(a, b) for a, b in zip(*runs, strict=True)]
    assert outcome.change["energy"].value == pytest.approx(-np.mean(savings))
    assert outcome.change["imbalance"].value == pytest.approx(10 ** np.mean(ratios))
    # Student's 97.5 % quantile with 2 degrees of freedom is 4.302653.
    half = 4.302653 * np.std(savings, ddof=1) / 3**0.5
    assert outcome.change["energy"].high == pytest.approx(half - np.mean(savings), rel=1e-6)
    assert outcome.level["idle share"].value == pytest.approx(
        np.mean([run.idle_share for run in runs[1]])
    )
    same = found[BASELINE, "window"].change
    assert (same["imbalance"].low, same["energy"].high, same["throughput"].value) == (1, 0, 0)


def test_one_worker_has_nothing_to_gain():
    alone = replace(TINY, setting=replace(TINY.setting, workers=1))
    there = room(rows_of(alone, 2))
    assert there.idle_share == 0
    assert there.most_saved == pytest.approx(0, abs=1e-12)
    part = replay(alone.setting, "fcfs", 0).window
    assert part.steps * alone.setting.system.step_overhead_s < part.time_s
    assert 0 < there.overhead_share < 1


def test_lengths_of_a_file_are_drawn_with_replacement(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("prefill,decode\n700,2\n50,3\n", "utf-8")
    runs = runs_of(TINY, 2, policies=("bfio",), trace=Source(str(path)))
    assert [(run.policy, run.seed) for run in runs] == [
        *(("fcfs", 0), ("bfio", 0), ("fcfs", 1), ("bfio", 1)),
    ]
    row = perform(runs[0])
    rows = np.random.default_rng(0).integers(2, size=90)
    assert row["completed_tokens"] == int(read_trace(path).requests.decode[rows].sum())
    assert row["completed_work"] == perform(runs[1])["completed_work"]
    # The path is no part of what a run is, its lengths are.
    other = tmp_path / "other" / "mine.csv"
    other.parent.mkdir()
    for last, same in ((50, True), (51, False)):
        other.write_text(f"prefill,decode\n700,2\n{last},3\n", "utf-8")
        again = runs_of(TINY, 2, policies=("bfio",), trace=Source(str(other)))
        assert ([run.name for run in again] == [run.name for run in runs]) == same
        other = tmp_path / "other" / ".." / "other" / "mine.csv"


def test_quantiles_are_values_that_occur():
    spread = Spread.of(range(1, 201))
    assert (spread.mean, spread.median, spread.p99, spread.largest) == (100.5, 100, 198, 200)
    assert Spread.of([7]) == Spread(7, 7, 7, 7)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"seeds": 1}, "at least two seeds"),
        ({"requests": 12}, "needs more requests than its 12 slots, got 12"),
        ({"policies": ("nonsense",)}, "unknown policy 'nonsense'"),
        ({"trace": Source("nowhere.csv")}, "no such file"),
        ({"trace": Source("-")}, "give a file, not -"),
    ],
)
def test_what_cannot_be_run_is_refused_before_the_first_run(given, message):
    with pytest.raises(InputError, match=message):
        runs_of(TINY, **{"seeds": 2, **given})


@pytest.mark.usefixtures("in_threads")
def test_the_command_resumes_and_prints_both_accountings(tmp_path, capsys):
    call = ["experiment", "E2", "--seeds", "2", "--requests", "2500", "--policy", "br0"]
    call += ["--out", str(tmp_path), "--jobs", "1"]
    cli.main(call, standalone_mode=False)
    text = capsys.readouterr().out
    for part in ("the paper", "+14.0", "Up to the last admission", "all of them completed", "±"):
        assert part in text
    written = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert len(written) == 4
    cli.main([*call, "--json"], standalone_mode=False)
    found = json.loads(capsys.readouterr().out)
    assert written == {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    (only,) = found["experiments"]
    assert only["reported"]["imbalance"] == 17
    assert {(o["policy"], o["end"]) for o in only["outcomes"]} == {
        (policy, end)
        for policy in ("fcfs", "br0")
        for end in ("window", "at_departure", "completed")
    }
