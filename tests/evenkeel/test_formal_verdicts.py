"""What Coq has checked is said with the verdict and in ``evenkeel claims``, and only then."""

import json

import pytest
from click.testing import CliRunner

from evenkeel.cli.main import cli
from evenkeel.findings.check import Verdict
from evenkeel.findings.verdicts import rung
from evenkeel.report.rendering import report_markdown
from evenkeel.report.summary import row, verdict_text
from evenkeel.runs.reproduce import Budget, Job, perform
from evenkeel.theorems.registry import claims
from theory.formal import record as machine_checked
from theory.formal.record import sources


@pytest.fixture(scope="module")
def entry():
    return perform(Job("balanceroute.gap-and-imbalance", Budget.SMOKE, 0))[0]


def said_of(label: str, verdict: str) -> str:
    return verdict_text({"claim": label, "verdict": verdict})


def test_the_report_reads_machine_checked(entry):
    assert entry["verdict"] == "machine-checked"
    assert row(entry)[1] == "machine-checked"
    text = report_markdown([entry], "evenkeel reproduce")
    assert "- verdict: **machine-checked**" in text
    assert "theorem balanceroute_gap_and_imbalance in theory/formal/Loads.v" in text
    assert "| balanceroute.gap-and-imbalance | machine-checked |" in text


def test_a_theorem_stands_behind_a_verdict_that_it_proves_and_no_other():
    assert said_of("step.gap-naive", "refuted") == "refuted (as expected, machine-checked)"
    assert said_of("fcfs.pairing", "argued") == "argued (machine-checked in part)"
    assert rung("fcfs.pairing") in (None, Verdict.PROVED, Verdict.ARGUED)
    assert said_of("step.waterfill", "refuted") == "refuted"
    assert said_of("step.waterfill", "inconclusive") == "inconclusive"
    assert said_of("step.gap-naive", "certified") == "certified"
    assert said_of("step.lexicographic", "proved") == "proved"


def test_an_edited_proof_takes_the_rung_away(entry, monkeypatch):
    assert rung(entry["claim"]) is Verdict.MACHINE_CHECKED
    edited = {**sources(), "Loads.v": sources()["Loads.v"].replace("Qed.", "Defined.", 1)}
    monkeypatch.setattr(machine_checked, "sources", lambda: edited)
    assert rung(entry["claim"]) in (Verdict.PROVED, Verdict.ARGUED)
    assert "not machine-checked: theorem balanceroute" in report_markdown([entry], "test")


THEOREMS = {label: claim.coq for label, claim in claims().items() if claim.coq}


@pytest.mark.parametrize("label", THEOREMS)
def test_the_claims_command_names_the_theorem(label):
    theorem = THEOREMS[label]
    shown = CliRunner().invoke(cli, ["claims", label, "--format", "markdown"])
    assert shown.exit_code == 0
    plain = shown.output.replace("\\", "")
    assert f"theorem {theorem.name} in theory/formal/{theorem.file}" in plain
    assert "not machine-checked" not in plain


def test_the_data_of_a_claim_hold_the_theorem_as_it_stands_in_coq():
    shown = json.loads(CliRunner().invoke(cli, ["claims", "step.waterfill", "--json"]).output)
    assert shown["machine_checked"]["statement"].startswith(
        "Theorem step_waterfill : forall s a b,"
    )
    shown = json.loads(CliRunner().invoke(cli, ["claims", "step.lexicographic", "--json"]).output)
    assert shown["machine_checked"] is None
