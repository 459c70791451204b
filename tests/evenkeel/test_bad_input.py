"""What the commands say to odd files and options: one line that names the file and the field."""

import json
from pathlib import Path

import pytest

from evenkeel.cli.main import main

BACKLOG = {"workers": 2, "slots": 1, "prefill": [1, 2], "decode": [1, 1]}


def refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> str:
    monkeypatch.setattr("sys.argv", ["evenkeel", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    captured = capsys.readouterr()
    assert (stopped.value.code, captured.out) == (2, "")
    return captured.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"prefill": [1, 2.5]}, "prefill[1] = 2.5 must be an integer in [1, 2^62)"),
        ({"prefill": [None, 1]}, "prefill[0] = None must be an integer in [1, 2^62)"),
        ({"prefill": "ab"}, "prefill must be a flat list of integers, got 'ab'"),
        ({"prefill": [[1], [2, 3]]}, "prefill must be a flat list of integers, got [[1], [2, 3]]"),
        ({"prefill": [], "decode": []}, "prefill must not be empty"),
        ({"decode": [1]}, "prefill has 2 entries but decode has 1"),
        ({"workers": "2"}, "workers must be an integer >= 1, got '2'"),
        ({"slots": True}, "slots must be an integer >= 1, got True"),
        ({"slots": 2**63}, "workers * slots must stay below 2^62, got 1.8 x 10^19"),
        (
            {"workers": 10**9},
            "1,000,000,000 workers for 1 steps are more than 20,000,000 in all; no more workers "
            "than requests are of use",
        ),
        ({"growth": "x"}, "growth must be an integer in [0, 2^31), got 'x'"),
        ({"growth": -1}, "growth must be an integer in [0, 2^31), got -1"),
    ],
)
def test_a_backlog(
    changed: dict[str, object],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("b.json").write_text(json.dumps({**BACKLOG, **changed}), "utf-8")
    assert refused(monkeypatch, capsys, "optimum", "b.json") == f"error: b.json: {message}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gallery", "--gallery", "."), "error: .: no witness (NAME.json) in this folder"),
        (
            ("claims", "energy.limit-paper", "--json", "--format", "latex"),
            "Error: --json and --format are two ways to print: give one of them",
        ),
        (("claims", "zzz"), "error: unknown claim 'zzz'; labels begin with step, "),
        (("policies", "--policy", "fcfs:3"), "error: policy 'fcfs:3': takes no parameters, found"),
    ],
)
def test_an_option(
    arguments: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert refused(monkeypatch, capsys, *arguments).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("grid = 3\n", "grid: expected `object`, got `int`"),
        ("parameters = [1]\n", "parameters: expected `object`, got `array`"),
        ("seeds = 2.0\n", "seeds: expected `int`, got `float`"),
    ],
)
def test_a_sweep(
    text: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.toml").write_text(text, "utf-8")
    said = refused(monkeypatch, capsys, "sweep", "s.toml")
    assert said == f"error: s.toml: a field has the wrong type: {message}"
