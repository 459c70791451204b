"""Every command where what it prints cannot be printed: the exit code says so, and one line."""

import json
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from evenkeel.cli.main import COMMANDS, main
from tests.hostile.conftest import Call

STEP = {"loads": [3, 0, 1], "free": [1, 2, 2], "pool": [4, 2]}
BACKLOG = {"workers": 2, "slots": 1, "prefill": [4, 4, 5, 6], "decode": [3, 2, 3, 2]}
SWEEP = 'rounds = 1\nseeds = 1\n[grid]\nfamily = ["uniform"]\nworkers = [2]\nslots = [1]\n'
FILES = {
    "step.json": json.dumps(STEP),
    "backlog.json": json.dumps(BACKLOG),
    "sweep.toml": SWEEP,
    "trace.csv": "arrival,prefill,decode\n0,5,3\n1,6,2\n",
    "loads.csv": "\n".join(f"{1000 + k % 3},{2000 - k % 5}" for k in range(40)) + "\n",
}
WORDS = {
    "reproduce": ("--claims", "energy.cap", "--out", "run"),
    "claims": ("energy.cap",),
    "check": ("energy.cap",),
    "simulate": ("-G", "2", "-B", "1", "-n", "4"),
    "experiment": ("E2", "--seeds", "2", "--requests", "2400", "--policy", "jsq"),
    "policies": ("--list",),
    "sweep": ("sweep.toml",),
    "assess": ("trace.csv", "-G", "2", "-B", "1"),
    "formats": (),
    "measure": ("loads.csv",),
    "energy": ("--hardware", "a100-paper"),
    "attack": ("--policy", "fcfs", "-B", "1", "-n", "2", "--size-max", "2"),
    "gallery": ("gap-smallest",),
    "solve": ("step.json", "--solver", "fast"),
    "optimum": ("backlog.json",),
    "verify": ("c.json",),
    "figures": ("hardware_savings", "--redraw"),
    "doctor": (),
    "explore": ("--no-open",),
    "new": ("policy", "one", "--out", "own"),
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, in_threads: None) -> None:
    """Work is done by a thread, and no report is drawn."""
    monkeypatch.setattr("evenkeel.report.rendering.pictures", lambda _: {})
    monkeypatch.setattr("evenkeel.report.rendering.report_html", lambda *_, **__: "")
    monkeypatch.setattr("evenkeel.runs.figures.illustrate", lambda *_: {"a": ["a.csv"]})
    # After the module that takes it by name: it would keep what stands here.
    monkeypatch.setattr("paper_figures.catalogue.committed", lambda name: "")
    monkeypatch.setattr("solvers.step.shelf.run_shelf", list)


def prepare(call: Call, command: str) -> None:
    for name, text in FILES.items():
        Path(name).write_text(text, "utf-8")
    if command == "verify":
        assert call("solve", "step.json", "--solver", "fast", "--certificate", "c.json")[0] == 0


def test_no_command_is_left_out() -> None:
    assert set(WORDS) == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_output_that_nobody_takes(
    call: Call, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    prepare(call, command)
    words = (command, *WORDS[command])
    ours, theirs = os.pipe()
    os.close(ours)  # the reader has seen enough
    assert ended(monkeypatch, theirs, *words) == 141
    shutil.rmtree("own", ignore_errors=True)
    full = Path("/dev/full").exists()
    if full:
        assert ended(monkeypatch, os.open("/dev/full", os.O_WRONLY), *words) == 4
        shutil.rmtree("own", ignore_errors=True)
    monkeypatch.setattr(sys, "stdout", None)
    code, _, err = call(*words)
    told = [line for line in err.splitlines() if "error" in line]
    assert (code, len(told)) == (4, 1 + full)  # and no word of the first


def ended(monkeypatch: pytest.MonkeyPatch, output: int, *words: str) -> int:
    """The exit code of a command that prints to that descriptor."""
    monkeypatch.setattr(sys, "argv", ["evenkeel", *words])
    stream = os.fdopen(output, "w", encoding="utf-8")
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", stream)
        with pytest.raises(SystemExit) as stop:
            main()
    with suppress(OSError):
        stream.close()
    assert isinstance(stop.value.code, int)
    return stop.value.code
