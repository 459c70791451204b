import json

import pytest
from sympy.logic.boolalg import Boolean

from evenkeel.evidence import Verdict, checks
from theory.claims import claim
from theory.proof import verify

VERDICTS = {
    "warmup.fcfs-lower": Verdict.PROVED,
    "warmup.bfio-upper": Verdict.PROVED,
    "warmup.spare-request": Verdict.PROVED,
    "warmup.iir": Verdict.PROVED,
    "warmup.vacuity": Verdict.PROVED,
}


@pytest.mark.parametrize("label", VERDICTS)
def test_verdict(label: str) -> None:
    check = checks()[label]
    finding = check.run(check.trial(seed=1))
    assert finding.verdict is VERDICTS[label], finding
    assert finding.verdict.held is claim(label).holds
    json.dumps([finding.witness, finding.details])


@pytest.mark.parametrize("label", VERDICTS)
def test_every_planted_variant_is_caught(label: str) -> None:
    power = checks()[label].power(seed=1)
    assert len(power) >= 2
    assert all(power.values()), power


@pytest.mark.parametrize("label", VERDICTS)
def test_proof_steps_hold(label: str) -> None:
    proof = claim(label).proof
    assert proof is None or verify(proof()) == ()
    formula = claim(label).formula
    assert formula is None or isinstance(formula(), Boolean)


def test_every_claim_of_the_family_is_covered() -> None:
    assert {label for label in checks() if label.startswith("warmup.")} == set(VERDICTS)


def test_a_policy_of_the_users_is_held_against_the_bound() -> None:
    check = checks()["warmup.bfio-upper"]
    finding = check.run(check.trial(policy="round_robin"))
    assert finding.verdict is Verdict.REFUTED
    assert finding.witness is not None
    assert finding.witness["policy"] == "round_robin"
