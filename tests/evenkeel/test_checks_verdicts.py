"""Checks of steps, routing scores, thresholds and limits at other seeds, budgets and sizes."""

import pytest

from evenkeel.findings.check import Budget
from evenkeel.theorems.registry import chapters, checks, families
from tests.oracles.found import found
from theory.model import InputError

LABELS = [
    entry.label
    for family in ("step", "threshold", "balanceroute", "limits")
    for entry in chapters()[families()[family]]
]
DECIDED = [label for label in LABELS if checks()[label].plants]
# Those that draw at random; the others run through whole domains.
SAMPLED = (
    "step.full-refill-gap",
    "step.lp-closed-form",
    "step.objective",
    "step.waterfill",
    "threshold.stationary",
    "threshold.frontier",
    "threshold.phase",
    "threshold.any-policy",
    "threshold.t2-myopic",
    "balanceroute.brh-reduces",
)


def run(label, **options):
    check = checks()[label]
    return check.run(check.trial(**options)) if options else found(label).finding


@pytest.mark.parametrize("label", SAMPLED)
def test_another_seed_gives_the_same_verdict(label):
    assert run(label, seed=7).verdict is run(label).verdict


@pytest.mark.slow
@pytest.mark.parametrize("label", DECIDED)
def test_standard_budget_gives_the_same_verdict(label):
    assert run(label, budget=Budget.STANDARD).verdict is run(label).verdict


@pytest.mark.parametrize(
    ("label", "params"),
    [
        ("step.waterfill", {"G": 32}),
        ("step.lower-bound", {"G": 32}),
        ("step.full-refill-gap", {"G": 1}),
        ("threshold.rich", {"B": 72}),
        ("threshold.t2-myopic", {"p": 0.0}),
    ],
)
def test_parameters_out_of_reach_are_refused_in_one_line(label, params):
    with pytest.raises(InputError) as error:
        run(label, **params)
    assert "\n" not in str(error.value)


def test_large_systems_are_fine_where_nothing_is_enumerated():
    assert run("step.full-refill-gap", G=32, B=72, random=6).verdict.held
    assert run("step.full-refill-tight", G=32, B=4, b=2).verdict.held
