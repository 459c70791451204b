"""Commands that are told how long they may take, and the searches that they follow."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from evenkeel.cli.anytime import busy, follow, gap, interval_shown
from evenkeel.cli.main import main
from evenkeel.exits import OutOfTime
from evenkeel.output import progress

# Sixteen requests that may idle: nobody proves an optimum in seconds.
SIZES = "683 821 411 1677 1011 1180 517 384 336 240 1022 1325 792 1839 1767 320"
LENGTHS = "54 94 63 70 335 25 270 52 594 427 500 103 129 25 201 167"
BACKLOG = {
    "workers": 4,
    "slots": 4,
    "prefill": [*map(int, SIZES.split())],
    "decode": [*map(int, LENGTHS.split())],
}


@pytest.fixture(autouse=True)
def no_hard_exit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a search is left behind, the tests go on."""

    def leave(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(os, "_exit", leave)


def stuck(released: Event, told: list[int]) -> Iterator[int]:
    """Two items at once, and a third that takes for ever."""
    yield 1
    yield 2
    released.wait()
    told.append(3)
    yield 3


def test_a_search_that_is_stuck_is_left_in_time() -> None:
    released, told = Event(), []
    assert list(follow(stuck(released, told), time.monotonic() + 0.3))[-1] == 2
    assert told == []
    assert busy()
    released.set()
    while busy():
        time.sleep(0.01)


def test_a_search_that_ends_is_followed_to_its_end() -> None:
    assert list(follow(iter(range(1000)), float("inf")))[-1] == 999
    assert list(follow(iter(()), float("inf"))) == []
    assert not busy()


def test_what_a_search_raises_is_raised() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        list(follow(broken(), float("inf")))


def test_a_log_has_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.5, 1.0, 1.5, 2.5, 3.0, 3.5, 6.0, 11.0, 13.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    with interval_shown("cost", 0.0, 60.0) as show:
        for _ in range(3):
            show(90, 100)
        for _ in range(6):
            show(95, 100)
    lines = capsys.readouterr().err.splitlines()
    # At once after a second, with news a second later, without twice as late.
    assert [line.split(" s ")[0].strip() for line in lines] == ["1.0", "2.5", "6.0", "13.0"]
    assert lines[0].endswith("cost: at least 90, found 100, gap 10.000 %")


def test_a_gap_is_never_rounded_to_nothing() -> None:
    assert (gap(10, 10), gap(0, 0), gap(10**9 - 1, 10**9)) == ("0.000 %", "0.000 %", "0.001 %")
    assert (gap(2, 3), gap(0, 5)) == ("33.334 %", "100.000 %")


@pytest.mark.parametrize("rule", ["sticky", "pausing", "migrating"])
def test_optimum_in_time(
    rule: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    path = tmp_path / "backlog.json"
    path.write_text(json.dumps(BACKLOG), "utf-8")
    words = ("optimum", str(path), "--idling", "--rule", rule, "--time-limit", "0.5", "--json")
    monkeypatch.setattr(sys, "argv", ["evenkeel", *words])
    with pytest.raises(SystemExit) as stop:
        main()
    out, _ = capsys.readouterr()
    answer = json.loads(out)
    assert stop.value.code == 3
    # No one alone takes less than the longest, and they took 594 steps at once.
    assert answer["lower_bound"] >= sum(336 + k for k in range(594))
    assert answer["lower_bound"] < answer["cost"] <= 1_193_275
    assert len(answer["place"]) == answer["steps"]


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_is_heard_and_the_best_is_printed(tmp_path: Path) -> None:
    path = tmp_path / "backlog.json"
    path.write_text(json.dumps(BACKLOG), "utf-8")
    command = [sys.executable, "-m", "evenkeel", "optimum", str(path), "--idling", "--json"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stderr is not None
    # The first line of progress: the search is under way.
    assert "optimum: at least" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in err
    answer = json.loads(out)
    assert answer["lower_bound"] < answer["cost"]


def test_an_attack_that_runs_out_of_time_goes_on_later(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from adversary.worst_case import attack

    monkeypatch.chdir(tmp_path)

    def late(portions):
        yield next(portions)
        yield next(portions)
        raise OutOfTime

    # A policy that is no small one is attacked in portions.
    monkeypatch.setattr(attack, "ROUND", 30)
    words = ["attack", "--policy", "lpt", "--method", "climb", "--budget", "100", "-n", "3"]

    def run(*more: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["evenkeel", *words, *more])
        with pytest.raises(SystemExit) as stop:
            main()
        return stop.value.code, *capsys.readouterr()

    with monkeypatch.context() as patch:
        patch.setattr("evenkeel.cli.attack.follow", late)
        code, out, err = run()
    assert (code, out) == (3, "")
    assert "out of time after 60 instances" in err
    code, out, _ = run("--json")
    assert code == 0
    assert json.loads(out)["instances"] == 100


def run_late(*words: str, limit: str = "1.5") -> subprocess.CompletedProcess[str]:
    """A command whose time is not enough, in a process of its own."""
    command = [sys.executable, "-m", "evenkeel", *words, "--time-limit", limit]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_the_clock_is_heard_and_what_is_on_disk_is_kept(tmp_path: Path) -> None:
    out = str(tmp_path / "runs")
    run = run_late("experiment", "E2", "--seeds", "400", "--jobs", "1", "--out", out)
    assert (run.returncode, run.stdout) == (3, "")
    last = run.stderr.splitlines()[-1]
    assert re.fullmatch(
        r"out of time at \d+ of 2,800 \(experiments\): nothing is decided", last
    ) or (last == "out of time: nothing is decided")


def test_the_clock_ends_what_does_not_hear(tmp_path: Path) -> None:
    """The main thread is in a billion rounds of compiled code, which hears no signal."""
    code = (
        "import evenkeel.exits as exits, evenkeel.output, click, hashlib\n"
        "@click.command()\n"
        "@evenkeel.output.time_limit_option\n"
        "def long(): hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)\n"
        "exits.run(lambda options: long.main(['--time-limit', '0.2'], standalone_mode=False))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.returncode, run.stderr) == (3, "out of time\n")


RUNS = ("simulate", "-G", "2", "-B", "2", "-n", "9", "--policy", "fcfs", "--policy", "jsq")


def test_runs_that_ended_in_time_are_told_as_a_part(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from solvers.simulation import engine

    simulate = engine.simulate

    def late(system: Any, requests: Any, policy: str, **more: Any) -> Any:
        if policy != done:
            more["progress"](4)
            raise OutOfTime
        return simulate(system, requests, policy, **more)

    monkeypatch.setattr(engine, "simulate", late)
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["evenkeel", *RUNS, *words])
        with pytest.raises(SystemExit) as stop:
            main()
        return stop.value.code, *capsys.readouterr()

    done = "jsq"
    told = "out of time at 4 of 9 (fcfs): nothing is decided\n"
    assert run() == run("--json") == (3, "", told)
    done = "fcfs"
    code, out, _ = run("--json", "--requests-out", "r.parquet")
    answer = json.loads(out)
    assert (code, [one["policy"] for one in answer["runs"]]) == (3, ["fcfs"])
    part = "partial: out of time at 4 of 9 (jsq); only 1 of the policies are told"
    assert f"{part}, and r.parquet is not written" in answer["notes"]
    assert not Path("r.parquet").exists()
    code, out, _ = run()
    assert (code, f"note: {part}\n" in out) == (3, True)


def test_policies_that_were_compared_in_time_are_told_as_a_part(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from evenkeel.studies import policy_comparison

    rosetta = policy_comparison.rosetta

    def late(*given: Any, **more: Any) -> Any:
        yield next(rosetta(*given, **more))
        raise OutOfTime

    monkeypatch.setattr(policy_comparison, "rosetta", late)
    words = ("-G", "2", "-B", "2", "--rounds", "1", "--seeds", "1", "--policy", "fcfs")
    for more, told in ((), "partial: out of time at 1 of 2 (policies)\n\n"), (("--json",), ""):
        command = ["evenkeel", "policies", *words, "--policy", "jsq", *more]
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as stop:
            main()
        out = capsys.readouterr().out
        assert (stop.value.code, out[: len(told) or None]) == (3, told)


def test_work_without_items_is_told_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    times = iter((0.0, 5.0, 29.0, 31.0, 60.0, 70.0))
    monkeypatch.setattr("evenkeel.output.time", SimpleNamespace(monotonic=lambda: next(times)))
    with progress("runs", 9000) as tick:
        for done in (1000, 2000, 3000, 4000, 5000):
            tick(done)
    assert capsys.readouterr().err == "runs 3,000 of 9,000, 0:31\nruns 5,000 of 9,000, 1:10\n"


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_a_check_out_of_time_decides_nothing(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def late(measured):
        raise OutOfTime

    monkeypatch.setattr("evenkeel.cli.check.follow", late)
    monkeypatch.setattr(sys, "argv", ["evenkeel", "check", "step.full-refill-gap", *words])
    with pytest.raises(SystemExit) as stop:
        main()
    out, _ = capsys.readouterr()
    assert (stop.value.code, "inconclusive" in out, "out of time" in out) == (3, True, True)


def test_a_verdict_stands_where_time_ends_with_the_false_versions(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def late(measured):
        yield next(measured)
        raise OutOfTime

    monkeypatch.setattr("evenkeel.cli.check.follow", late)
    monkeypatch.setattr(sys, "argv", ["evenkeel", "check", "step.full-refill-gap", "--json"])
    with pytest.raises(SystemExit) as stop:
        main()
    out, err = capsys.readouterr()
    entry = json.loads(out)
    assert (stop.value.code, entry["kill_rate"], entry["computed"]) == (0, "", entry["claimed"])
    assert "false versions are not tried" in err


def test_witnesses_that_were_not_replayed_in_time_are_listed_as_such(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def late(steps):
        yield next(steps)
        raise OutOfTime

    monkeypatch.setattr("evenkeel.cli.verify.follow", late)
    monkeypatch.setattr(sys, "argv", ["evenkeel", "gallery", "--json"])
    with pytest.raises(SystemExit) as stop:
        main()
    replays = [entry["replays"] for entry in json.loads(capsys.readouterr().out)]
    assert (stop.value.code, replays[0], set(replays[1:])) == (3, True, {None})


def test_verify_in_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "c.json"
    path.write_text("{}", "utf-8")

    def late(*command: object, timeout: float, **how: object) -> None:
        raise subprocess.TimeoutExpired("checker", timeout)

    monkeypatch.setattr(subprocess, "run", late)
    monkeypatch.setattr(sys, "argv", ["evenkeel", "verify", str(path), "--time-limit", "5"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert (stop.value.code, capsys.readouterr().out) == (3, f"{path}: out of time, not checked\n")
