"""The commands claims, check and reproduce as a user calls them."""

import json
from pathlib import Path

import pytest

from evenkeel.cli.main import COMMANDS, main
from evenkeel.theorems.registry import claims, families


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["evenkeel", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    assert isinstance(stop.value.code, int)
    return stop.value.code


def test_a_claim_as_stated_holds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "check", "step.full-refill-gap") == 0
    assert "step.full-refill-gap: machine-checked" in capsys.readouterr().out


def test_a_halved_constant_is_refuted_with_a_witness(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "witness.json"
    code = call(
        monkeypatch, "check", "step.full-refill-gap", "--scale", "1/2", "--witness", str(file)
    )
    assert code == 1
    out = capsys.readouterr().out
    assert "refuted" in out
    assert "witness" in out
    assert json.loads(file.read_text("utf-8"))


def test_a_claim_without_a_check_is_inconclusive(monkeypatch: pytest.MonkeyPatch) -> None:
    assert call(monkeypatch, "check", "balanceroute.throughput") == 3


def test_a_claim_whose_check_runs_no_policy_says_nothing_about_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "check", "fcfs.worst-case", "--policy", "lpt") == 3
    assert "runs no policy of the user's" in capsys.readouterr().out
    assert call(monkeypatch, "check", "threshold.any-policy", "--policy", "lpt") == 0
    assert "lpt" in capsys.readouterr().out


def test_check_as_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "check", "energy.limit-paper", "--json") == 0
    entry = json.loads(capsys.readouterr().out)
    assert entry["claim"] == "energy.limit-paper"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "step.full-refil-gap"], "did you mean step.full-refill-gap"),
        (["check", "step.full-refill-gap", "--scale", "half"], "--scale takes a number"),
        (["check", "step.full-refill-gap", "--param", "x"], "--param takes NAME=VALUE"),
        (["check", "step.full-refill-gap", "--param", "x=1"], "no parameter 'x'"),
        (["check", "step.full-refill-gap", "--policy", "nowhere:nothing"], "nowhere"),
        (["claims", "energy.limit-papr"], "did you mean energy.limit-paper"),
        (["claims", "--format", "latex"], "give its LABEL"),
        (["reproduce", "--claims", "zzz*"], "matches no label"),
        (["reproduce", "--budget", "huge"], "huge"),
        (["nonsense"], "nonsense"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call(monkeypatch, *arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_a_claim_is_shown_with_its_proof(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "claims", "energy.sandwich") == 0
    out = capsys.readouterr().out
    assert "Statement" in out
    assert "confirmed" in out
    assert "NOT CONFIRMED" not in out


@pytest.mark.parametrize(
    ("label", "given", "expected"),
    [
        ("limits.look-ahead", "random=abc", "random must be a whole number, got abc"),
        ("limits.look-ahead", "random=1/2", "random must be a whole number, got 1/2"),
        ("limits.hidden-lengths", "p=x", "p must be a number, got x"),
        ("drift.fcfs-lower", "systems=3", "systems is a list of tuples"),
    ],
)
def test_a_parameter_of_another_kind_is_named(
    label: str,
    given: str,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call(monkeypatch, "check", label, "--param", given) == 2
    assert expected in capsys.readouterr().err


def test_the_steps_stand_beside_the_verdict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "check", "limits.exact-step") == 1
    out = capsys.readouterr().out
    assert "refuted (as expected) (1 confirmed by sympy, 1 argued in words)" in out


@pytest.mark.parametrize(
    ("form", "start"),
    [("markdown", "# energy.sandwich: "), ("latex", "\\documentclass")],
)
def test_a_claim_is_a_document(
    form: str, start: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "claims", "energy.sandwich", "--format", form) == 0
    assert capsys.readouterr().out.startswith(start)


def test_the_list_is_grouped_by_theorem_and_no_wider_than_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert call(monkeypatch, "claims") == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    heads = [line for line in lines if line and not line.startswith(" ")]
    assert heads[:-1] == list(families().values())
    assert {line.split()[0] for line in lines if line.startswith("  ")} >= set(claims())


def test_the_list_of_claims_as_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "claims", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"step.full-refill-gap", "energy.saving-sharp"} <= {row["label"] for row in rows}


def test_help_names_every_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "--help") == 0
    out = capsys.readouterr().out
    assert all(name in out for name in COMMANDS)
