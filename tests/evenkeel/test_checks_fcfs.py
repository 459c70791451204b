import json

import pytest
from sympy.logic.boolalg import Boolean

from evenkeel.evidence import Verdict, checks
from theory.claims import claim
from theory.proof import verify

VERDICTS = {
    "fcfs.exact": Verdict.PROVED,
    "fcfs.size-blind": Verdict.PROVED,
    "fcfs.lower": Verdict.PROVED,
    "fcfs.pairing": Verdict.PROVED,
    "fcfs.gaussian": Verdict.PROVED,
    "fcfs.constant": Verdict.PROVED,
    "fcfs.constant-uniform": Verdict.REFUTED,
    "fcfs.effective-constant": Verdict.CERTIFIED,
    "fcfs.berry-esseen-share": Verdict.CERTIFIED,
    "fcfs.worst-case": Verdict.PROVED,
    "fcfs.vertex": Verdict.PROVED,
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
    assert {label for label in checks() if label.startswith("fcfs.")} == set(VERDICTS)


def test_a_false_statement_has_a_witness() -> None:
    check = checks()["fcfs.constant-uniform"]
    witness = check.run(check.trial()).witness
    assert witness is not None
    assert witness["G"] == 2
    assert witness["B"] == 1
