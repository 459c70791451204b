"""The claims about dropped assumptions."""

import pytest

from evenkeel.findings.check import Verdict
from evenkeel.findings.verdicts import rung
from evenkeel.theorems.registry import Assumption, chapters, claim_of, claims, families
from theory.disproof import violated
from theory.proof import Conclusion, Status, parts
from theory.relations import at_most

CLAIMS = chapters()[families()["limits"]]


def test_the_statements_that_hold_are_proved():
    held = [entry.label for entry in CLAIMS if entry.holds]
    assert set(held) == {
        "limits.nonnegative-drift",
        "limits.iid",
        "limits.myopic",
    }
    assert rung("limits.nonnegative-drift") is Verdict.PROVED
    # That a round follows a round, and what a window sees, is said in words.
    assert rung("limits.iid") is rung("limits.myopic") is Verdict.ARGUED


def test_every_other_statement_has_its_proof_or_disproof():
    assert [entry.label for entry in CLAIMS if entry.proof is None] == []


DISPROVED = [
    entry.label
    for entry in claims().values()
    if not entry.holds
    and entry.proof
    and entry.family in ("iir", "limits", "offline", "balanceroute", "experiment")
]


@pytest.mark.parametrize("label", DISPROVED)
def test_a_disproof_ends_in_the_violated_relation(label):
    last = claim_of(label).steps[-1]
    assert isinstance(last, Conclusion)
    assert last.status is Status.CONFIRMED
    [(low, sign, high)] = parts(last.formula)
    assert sign == "<"
    # In numbers where it is in numbers: a violation by nothing is none.
    sides = [side.subs(last.where, simultaneous=True).doit() for side in (low, high)]
    if not any(side.free_symbols for side in sides):
        assert sides[0] < sides[1]


def test_a_disproof_without_a_violation_is_not_confirmed():
    equal = violated("1 < 1", at_most("x", "y"), {"x": 1, "y": 1})
    assert equal.status is Status.UNCONFIRMED
    less = violated("1 < 0", at_most("x", "y"), {"x": 0, "y": 1})
    assert less.status is Status.UNCONFIRMED


def test_what_is_dropped_is_not_assumed():
    for label, dropped in (
        ("limits.equal-lengths", Assumption.EQUAL_LENGTHS),
        ("limits.myopic", Assumption.MYOPIC),
        ("limits.iid", Assumption.IID),
    ):
        assert dropped not in claim_of(label).assumptions
    for label in ("limits.iid", "limits.myopic"):
        assert {Assumption.COMMON_DRIFT, Assumption.EXACT_STEP} <= set(claim_of(label).assumptions)


def test_claims_about_backlogs_say_so():
    for label, entry in claims().items():
        about = label in ("iir.per-instance", "limits.look-ahead", "limits.prediction-error")
        if about or (entry.family == "offline" and entry.holds):
            assert Assumption.BACKLOG in entry.assumptions, label


def test_each_limit_names_the_claim_whose_assumption_is_dropped():
    for entry in CLAIMS:
        for label in entry.requires:
            assert claim_of(label).holds
