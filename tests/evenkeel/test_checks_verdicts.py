"""Verdicts and power of the checks of steps, routing scores, thresholds and limits."""

import json

import pytest

from evenkeel.evidence import Budget, Verdict, checks
from theory import balanceroute, step
from theory.claims import claim

LABELS = [entry.label for family in (step, balanceroute) for entry in family.CLAIMS]
DECIDED = [label for label in LABELS if claim(label).recovered]


def run(label, **options):
    check = checks()[label]
    return check.run(check.trial(**options))


@pytest.mark.parametrize("label", LABELS)
def test_verdict_is_the_one_the_notes_assert(label):
    finding = run(label)
    if claim(label).holds and not claim(label).recovered:
        assert finding.verdict is Verdict.NOT_CHECKED
    elif claim(label).holds:
        assert finding.verdict.held
    else:
        assert finding.verdict is Verdict.REFUTED
    json.dumps([finding.witness, finding.details])


@pytest.mark.parametrize("label", DECIDED)
def test_every_planted_false_version_is_caught(label):
    power = checks()[label].power()
    assert len(power) >= 2
    assert all(power.values()), power


@pytest.mark.parametrize("label", DECIDED)
def test_another_seed_gives_the_same_verdict(label):
    assert run(label, seed=7).verdict is run(label).verdict


@pytest.mark.slow
@pytest.mark.parametrize("label", DECIDED)
def test_standard_budget_gives_the_same_verdict(label):
    assert run(label, budget=Budget.STANDARD).verdict is run(label).verdict
