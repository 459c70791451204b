import json

import pytest
from sympy.logic.boolalg import Boolean

from evenkeel.evidence import Verdict, checks
from theory.claims import claim
from theory.proof import verify

VERDICTS = {
    "geometric.fcfs-lower": Verdict.PROVED,
    "geometric.bfio-upper": Verdict.SUPPORTED,
    "geometric.iir": Verdict.SUPPORTED,
    "geometric.iir-static": Verdict.REFUTED,
    "geometric.vacuity": Verdict.PROVED,
    "geometric.outputs-fit": Verdict.SUPPORTED,
}


@pytest.mark.parametrize("label", VERDICTS)
def test_verdict(label: str) -> None:
    check = checks()[label]
    finding = check.run(check.trial(seed=1))
    assert finding.verdict is VERDICTS[label], finding
    assert finding.verdict.held is claim(label).holds
    json.dumps([finding.witness, finding.details])


@pytest.mark.slow
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
    assert {label for label in checks() if label.startswith("geometric.")} == set(VERDICTS)


def test_below_the_frontier_the_claim_does_not_speak() -> None:
    check = checks()["geometric.bfio-upper"]
    finding = check.run(check.trial(grid=((16, 8, 0.05, 20),)))
    assert finding.verdict is Verdict.NOT_APPLICABLE


def test_a_bound_that_says_nothing_is_not_applicable() -> None:
    check = checks()["geometric.iir"]
    finding = check.run(check.trial(grid=((16, 600, 0.05, 100),)))
    assert finding.verdict is Verdict.NOT_APPLICABLE


def test_a_users_policy_is_held_against_the_bound() -> None:
    check = checks()["geometric.bfio-upper"]
    finding = check.run(check.trial(policy="least_loaded"))
    assert finding.verdict is Verdict.REFUTED
