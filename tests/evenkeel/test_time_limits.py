"""Commands that are told how long they may take, and the searches that they follow."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from evenkeel.cli.anytime import busy, follow, gap, interval_shown
from evenkeel.cli.main import main

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
    words = ("optimum", str(path), "--idling", "--rule", rule, "--time-limit", "1.5", "--json")
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
    true, wait = attack.Attack.portions, Event()

    def slow(self, tally=None):
        for count, portion in enumerate(true(self, tally)):
            yield portion
            if count:
                wait.wait()

    # A policy that is no small one is attacked in portions.
    monkeypatch.setattr(attack, "ROUND", 30)
    words = ["attack", "--policy", "lpt", "--method", "climb", "--budget", "100", "-n", "3"]

    def run(*more: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["evenkeel", *words, *more])
        with pytest.raises(SystemExit) as stop:
            main()
        return stop.value.code, *capsys.readouterr()

    with monkeypatch.context() as patch:
        patch.setattr(attack.Attack, "portions", slow)
        code, out, err = run("--time-limit", "1")
    wait.set()
    assert (code, out) == (3, "")
    assert "out of time after 60 instances" in err
    code, out, _ = run("--json")
    assert code == 0
    assert json.loads(out)["instances"] == 100


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
