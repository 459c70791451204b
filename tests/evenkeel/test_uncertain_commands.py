"""What is uncertain of a device: every command's interval is that of its ends, given by hand."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from evenkeel.cli.main import main

Say = Any

# Its waiting power was not measured: 100 to 600 W.
DEVICE = "[mine]\np_idle_w = 100\np_max_w = 600\ngamma = 0.5\n"
ENDS = ("--wait-w", "100"), ("--wait-w", "600")
SMALL = ("-G", "2", "-B", "2")


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(DEVICE, "utf-8")

    def run(*words: str) -> Any:
        monkeypatch.setattr(sys, "argv", ["evenkeel", *words, "--json"])
        with pytest.raises(SystemExit) as stop:
            main()
        said = capsys.readouterr()
        assert stop.value.code == 0, said.err
        return json.loads(said.out)

    return run


def test_simulate(say: Say) -> None:
    words = ("simulate", *SMALL, "-n", "40", "--hardware", "mine.toml")
    found = say(*words)
    assert found["unknown"] == [{"field": "wait_w", "low": 100.0, "high": 600.0, "measured": False}]
    for k, run in enumerate(found["runs"]):
        ends = [say(*words, *end)["runs"][k]["energy_j"] for end in ENDS]
        assert run["energy_range_j"] == pytest.approx(ends)
        assert run["energy_j"] == pytest.approx(ends[0])  # as in the paper
    assert say(*words, *ENDS[0])["runs"][0]["energy_range_j"] is None


def test_energy(say: Say) -> None:
    words = ("energy", "--hardware", "mine.toml")
    (found,) = say(*words)["hardware"]
    ends = [say(*words, *end)["hardware"][0]["bounds"] for end in ENDS]
    for name, (low, high) in found["bounds_over_unknown"].items():
        assert (low, high) == pytest.approx((ends[0][name], ends[1][name])), name


@pytest.mark.usefixtures("in_threads")
def test_sweep(say: Say) -> None:
    grid = '[grid]\nworkers = [2]\nslots = [2]\npolicy = ["bfio"]\nhardware = ["mine.toml"]\n'
    sweep = Path("sweep.toml")
    sweep.write_text(f"rounds = 3\nseeds = 1\n{grid}", "utf-8")
    (cell,) = say("sweep", "sweep.toml")["cells"]
    sweep.write_text(f"rounds = 3\nseeds = 1\n{grid}wait_w = [100, 600]\n", "utf-8")
    ends = [each["energy_j"] for each in say("sweep", "sweep.toml")["cells"]]
    assert [cell["energy_least_j"], cell["energy_most_j"]] == pytest.approx(ends)
    # A file that says something else is another device.
    Path("mine.toml").write_text(DEVICE.replace("100", "200"), "utf-8")
    sweep.write_text(f"rounds = 3\nseeds = 1\n{grid}", "utf-8")
    (other,) = say("sweep", "sweep.toml")["cells"]
    assert other["energy_j"] > cell["energy_j"]


@pytest.mark.usefixtures("in_threads")
def test_experiment(say: Say) -> None:
    words = (
        *("experiment", "bsp-mesh", "--seeds", "2", "--requests", "3200", "--policy", "jsq"),
        *("--jobs", "1", "--hardware", "mine.toml"),
    )
    (outcome,) = (
        each
        for each in say(*words)["experiments"][0]["outcomes"]
        if (each["policy"], each["end"]) == ("jsq", "window")
    )
    ends = [
        next(
            each["change"]["energy"]["value"]
            for each in say(*words, *end)["experiments"][0]["outcomes"]
            if (each["policy"], each["end"]) == ("jsq", "window")
        )
        for end in ENDS
    ]
    assert [each["value"] for each in outcome["energy"]] == pytest.approx(ends)


def test_assess(say: Say) -> None:
    rows = "".join(f"{(100, 900, 400)[k % 3]},{5 + k % 7}\n" for k in range(300))
    Path("trace.csv").write_text(f"prefill,decode\n{rows}", "utf-8")
    words = ("assess", "trace.csv", *SMALL, "--hardware", "mine.toml")
    found = say(*words)["answer"]["energy"]
    ends = [say(*words, *end)["answer"]["energy"] for end in ENDS]
    assert found["value"] == pytest.approx(ends[0]["value"])
    assert found["low"] == pytest.approx(min(end["low"] for end in ends))
    assert found["high"] == pytest.approx(max(end["high"] for end in ends))


def test_measure(say: Say) -> None:
    Path("loads.csv").write_text(
        "rank0,rank1,duration_ms\n"
        + "".join(f"{300 + 10 * k},{500 + k},{6 + 0.01 * (500 + k):g}\n" for k in range(12)),
        "utf-8",
    )
    words = ("measure", "loads.csv", "--hardware", "mine.toml")
    found = say(*words)["outlook"]["energy"]
    ends = [say(*words, *end)["outlook"]["energy"] for end in ENDS]
    for k, energy in enumerate(found):
        assert energy["possible"] == pytest.approx([end[k]["saving"] for end in ends])
        assert energy["possible_j"] == pytest.approx([end[k]["used_j"] for end in ends])
