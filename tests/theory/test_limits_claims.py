"""The claims about dropped assumptions."""

from theory.claims import claim
from theory.limits import CLAIMS


def test_the_one_statement_that_holds_by_proof():
    proved = [entry.label for entry in CLAIMS if entry.proof is not None and entry.holds]
    assert proved == ["limits.nonnegative-drift"]


def test_what_needs_no_proof_is_not_asserted():
    """A statement without a proof is held to be false, or attacked by a search of known power."""
    for entry in CLAIMS:
        assert entry.proof is not None or not entry.holds or "of measured power" in entry.evidence


def test_each_limit_names_the_claim_whose_assumption_is_dropped():
    for entry in CLAIMS:
        for label in entry.requires:
            assert claim(label).holds
