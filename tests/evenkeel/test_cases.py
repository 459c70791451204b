"""Inputs as people have them, through the command line, beside values found apart from evenkeel."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from evenkeel.cli.main import main

Say = Any


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Runs a command: its JSON if it held, the line of its error if not."""

    def run(*words: object, code: int = 0) -> Any:
        monkeypatch.setattr(sys, "argv", ["evenkeel", *map(str, words), "--json"])
        with pytest.raises(SystemExit) as stop:
            main()
        said = capsys.readouterr()
        assert stop.value.code == code, said.err
        return json.loads(said.out) if code == 0 else said.err

    return run


SMALL = ("-G", 4, "-B", 2)


# Rows, prompt tokens, output tokens and seconds; None is not stated.
@pytest.mark.parametrize(
    ("name", "rows", "prompt", "output", "seconds", "words"),
    [
        ("burstgpt.csv", 981, 728_390, 164_298, 320.85, ()),
        ("burstgpt-with-failures.csv", 981, 722_318, 152_293, None, ("--drop-bad",)),
        ("bailian-seconds.jsonl", 400, 286_244, 72_438, 3_323.05, ()),
        ("aiperf-export.jsonl", 59, None, None, None, ("--drop-bad",)),
        ("vllm-bench.json", 64, 50_415, 9_611, None, ()),
        ("vllm-bench-indented.json", None, None, None, None, ()),
        ("otel-spans.jsonl", 120, 77_695, None, 13.75, ()),
        ("otlp.jsonl", 120, 77_695, None, None, ()),
        ("excel-sep-line.csv", 300, None, None, None, ()),
        ("excel-utf16.csv", 300, None, None, None, ()),
    ],
)
def test_traces(
    say: Say,
    cases: Path,
    name: str,
    rows: int | None,
    prompt: int | None,
    output: int | None,
    seconds: float | None,
    words: tuple[str, ...],
) -> None:
    found = say("assess", cases / "traces" / name, *SMALL, *words)
    good = found["rows"] - found["bad_rows"]
    assert good == rows or rows is None
    assert found["prompt_tokens"] == prompt or prompt is None
    assert found["output_tokens"] == output or output is None
    assert seconds is None or found["duration_s"] == pytest.approx(seconds, abs=0.006)


def test_failed_requests_are_named_with_what_drops_them(say: Say, cases: Path) -> None:
    said = say("assess", cases / "traces" / "burstgpt-with-failures.csv", *SMALL, code=2)
    assert "(line 5): Response tokens = 0" in said
    assert "19 of 1000 rows" in said
    assert "--drop-bad" in said
    said = say("assess", cases / "traces" / "aiperf-export.jsonl", *SMALL, code=2)
    assert "line 31" in said
    assert "RequestCancellationError" in said
    assert "--drop-bad" in said


def test_eight_large_requests_on_128_slots(say: Say, cases: Path) -> None:
    """65,536 tokens and 256 more on each: one worker of 16 busy, or eight."""
    trace = cases / "traces" / "eight-of-64k.jsonl"
    spread = ("jsq", "vllm_dp", "vllm_in_flight", "sglang_total_tokens", "bfio")
    words = [word for name in ("fcfs", *spread) for word in ("--policy", name)]
    runs = say("simulate", "--trace", trace, "-G", 16, "-B", 8, *words)["runs"]
    idle = {run["policy"]: run["whole"]["idle_share"] for run in runs}
    assert idle == {"fcfs": 0.9375, **dict.fromkeys(spread, 0.5)}
    told = say("assess", trace, "-G", 16, "-B", 8)
    assert told["answer"]["verdict"] == "cannot tell"
    assert any(
        "8 requests cannot fill 128 slots" in why for why in told["assumptions_that_fail"].values()
    )


def test_twenty_requests_do_not_overload(say: Say, cases: Path) -> None:
    told = say("assess", cases / "traces" / "twenty.jsonl", "-G", 16, "-B", 8)
    assert any(
        "20 requests cannot fill 128 slots" in why for why in told["assumptions_that_fail"].values()
    )


def test_one_request_at_a_time(say: Say, cases: Path) -> None:
    policies = ("--policy", "jsq", "--policy", "vllm_dp_rotating")
    trace = cases / "traces" / "sequential.csv"
    runs = say("simulate", "--trace", trace, "--timed", "-G", 2, "-B", 8, *policies)["runs"]
    assert [run["by_worker"]["requests"] for run in runs] == [[448, 0], [224, 224]]


def test_steps(say: Say, cases: Path) -> None:
    for name, least in (("three-ranks.json", 128_000), ("tmpdir.json", 182)):
        # Longer than any of the solvers takes: what a busy machine leaves them is not held here.
        found = say("solve", cases / "steps" / name, "--time-limit", 600)
        assert found["imbalance"] == found["lower_bound"] == least
        proved = [answer["imbalance"] for answer in found["solvers"].values() if answer["optimal"]]
        assert set(proved) == {least}


@pytest.mark.parametrize(
    ("words", "least"),
    [
        ((), 35),
        (("--rule", "pausing"), 35),
        (("--rule", "migrating"), 35),
        (("--idling",), 34),
        (("--rule", "pausing", "--idling"), 34),
        (("--rule", "migrating", "--idling"), 31),
    ],
)
def test_small_schedule(say: Say, cases: Path, words: tuple[str, ...], least: int) -> None:
    assert say("optimum", cases / "schedules" / "small.json", *words)["cost"] == least


# --- Loads and power ----------------------------------------------------------------------------

# Over 400 steps, and over the first 120, which the logs of engines hold.
WHOLE, FIRST = 0.37788, 0.36612


@pytest.mark.parametrize(
    ("name", "steps", "idle"),
    [
        ("matrix.csv", 400, WHOLE),
        ("long.csv", 400, WHOLE),
        ("forward-pass-metrics.jsonl.gz", 400, WHOLE),
        ("vllm.log", 120, FIRST),
        ("sglang.log", 120, FIRST),
        ("trtllm.log", 120, FIRST),
    ],
)
def test_loads(say: Say, cases: Path, name: str, steps: int, idle: float) -> None:
    found = say("measure", cases / "loads" / name, "--kv-tokens", 2_000_000)
    assert (found["steps"], found["ranks"]) == (steps, 8)
    # Half a unit of the fifth digit, and half of 0.01 % of 2,000,000 tokens in vLLM's lines.
    near = 0.5e-5 + found["idle_share_rounding"]
    assert found["idle_share"]["value"] == pytest.approx(idle, abs=near)
    assert (found["idle_share_rounding"] > 0) == (name == "vllm.log")
    assert found["idle_share"]["low"] < idle < found["idle_share"]["high"]
    slowest = {rank["name"]: rank["slowest"] for rank in found["by_rank"]}
    if steps == 400:
        assert found["mean_imbalance"]["value"] == pytest.approx(235_010.64, abs=0.005)
        assert slowest["7"] == pytest.approx(0.305)
        assert slowest["2"] == pytest.approx(0.24)
        assert slowest["4"] == slowest["6"] == 0
    if name != "matrix.csv":
        fit = found["step_time"]
        assert fit["overhead_s"]["low"] < 6.1e-3 < fit["overhead_s"]["high"]
        assert fit["per_load_s"]["low"] < 2.6e-7 < fit["per_load_s"]["high"]


def test_power_of_two_devices(say: Say, cases: Path) -> None:
    found = say("measure", cases / "power" / "nvidia-smi.csv")
    means = [device["mean_w"] for device in found["devices"]]
    assert means == pytest.approx([118, 691], abs=2)


def test_power_of_a_run(say: Say, cases: Path, tmp_path: Path) -> None:
    device = tmp_path / "mine.toml"
    found = say(
        *("measure", cases / "loads" / "matrix.csv", cases / "power" / "steps.csv"),
        *(cases / "power" / "nvidia-smi-run.csv", "--write-device", device),
    )["power"]
    # The noise of a sample is 4 W.
    assert found["residual_w"] == pytest.approx(4, abs=0.5)
    for key, watts in (("idle_w", 118), ("wait_w", 305), ("max_w", 690)):
        assert found[key]["low"] < watts < found[key]["high"]
        assert found[key]["value"] == pytest.approx(watts, abs=1)
    # A device that works, then waits: the exponent is 1, and every command takes the file.
    assert found["gamma"]["low"] < 1 < found["gamma"]["high"]
    told = say("simulate", "-G", 2, "-B", 2, "--hardware", device)
    assert told["hardware"] == "mine"
    low, high = told["runs"][0]["energy_range_j"]
    assert low < told["runs"][0]["energy_j"] < high
