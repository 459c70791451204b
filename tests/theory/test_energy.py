"""The energy claims: their proofs can fail; which of them are false."""

import pytest
import sympy

from theory.energy import CLAIMS
from theory.proof import Identity, Inequality, verify

PROVED = [claim for claim in CLAIMS if claim.proof]


@pytest.mark.parametrize("claim", PROVED, ids=lambda claim: claim.label)
def test_proofs_notice_a_wrong_step(claim):
    """Each algebraic step, with one side off by a tenth, is reported."""
    off = sympy.Rational(1, 10)
    for step in claim.proof():
        if isinstance(step, Identity):
            assert verify([Identity(step.text, step.lhs, step.rhs + off)]) == (1,)
        elif isinstance(step, Inequality):
            assert verify([Inequality(step.text, step.lhs, step.rhs + off, step.slack)]) == (1,)


def test_claims_that_the_notes_deny():
    assert {claim.label for claim in CLAIMS if not claim.holds} == {
        "energy.paper-everywhere",
        "energy.limit-is-a-cap",
        "energy.limit-sharp-unpowered",
        "energy.cap-with-overhead",
        "energy.any-power-convex",
        "energy.throughput-timed",
        "energy.work-oldest-first-timed",
        "energy.limit-range",
        "energy.overhead-dilutes",
        "energy.work-any-drift",
    }
