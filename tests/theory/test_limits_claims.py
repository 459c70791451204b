"""The claims about dropped assumptions."""

from theory.claims import claim
from theory.limits import CLAIMS


def test_the_statements_that_hold_are_proved():
    held = [entry.label for entry in CLAIMS if entry.holds]
    assert held == ["limits.nonnegative-drift", "limits.iid", "limits.myopic"]


def test_every_statement_has_its_proof_or_disproof():
    assert all(entry.proof is not None for entry in CLAIMS)


def test_each_limit_names_the_claim_whose_assumption_is_dropped():
    for entry in CLAIMS:
        for label in entry.requires:
            assert claim(label).holds
