"""The checks of the balance threshold: what their numbers rest on."""

from fractions import Fraction

import numpy as np
import pytest

from evenkeel.findings.check import Verdict
from evenkeel.findings.statistics import Mean
from evenkeel.theorems.balance_frontier.any_policy import _ages
from evenkeel.theorems.balance_frontier.criterion import enumerated_optimum
from evenkeel.theorems.registry import checks
from solvers.simulation.reference import simulate_reference
from tests.oracles.found import found
from theory.formulas.rebalancing import can_rebalance
from theory.model import InputError, Requests, System


def run(label, **options):
    check = checks()[label]
    return check.run(check.trial(**options)) if options else found(label).finding


def test_ages_are_loads_less_sizes():
    requests = Requests([3, 1, 4, 1, 5, 9], [2, 4, 1, 3, 2, 1])
    result = simulate_reference(System(2, 2), requests, "fcfs", history=True)
    steps = len(result.loads)
    sizes = np.zeros_like(result.loads)
    for size, length, g, start in zip(
        requests.prefill, requests.decode, result.worker, result.start_step, strict=True
    ):
        sizes[start : start + length, g] += size
    assert np.array_equal(_ages(result, steps), result.loads - sizes)
    assert np.array_equal(_ages(result, 2), (result.loads - sizes)[:2])


def test_intervals_of_rates_by_hand():
    # None of n: 1 - (MISS/2)^(1/n); with n = 100, 1 - 5e-5^0.01.
    low, high = Mean.share(0, 100).interval
    assert low == 0
    assert high == pytest.approx(1 - 5e-5**0.01)
    assert Mean.share(100, 100).interval == pytest.approx((1 - high, 1))


def test_a_users_policy_cannot_beat_the_unavoidable_imbalance():
    finding = run("threshold.any-policy", policy="lpt")
    assert finding.verdict is Verdict.CERTIFIED
    assert "lpt" in finding.domain


def test_a_run_outside_the_overloaded_class_is_refused():
    with pytest.raises(InputError, match="p"):
        run("threshold.any-policy", p=0.0)


def test_theorem_two_is_exceeded_rigorously():
    finding = run("threshold.t2-static")
    assert finding.computed > finding.claimed == 10 * 1023 * 2 * 10
    # With room for the sizes nothing is unavoidable and nothing is refuted.
    roomy = run("threshold.t2-static", b=30)
    assert roomy.computed == 0
    assert roomy.verdict is Verdict.INCONCLUSIVE


def test_myopic_step_is_inconclusive_where_authority_suffices():
    finding = run("threshold.t2-myopic", G=4, B=512, p=0.2, d=6, samples=20)
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert finding.computed == 0


def test_an_empty_slot_breaks_the_criterion():
    # {6} | {3, 3}, drift 1, sizes 2 or 3: 7 + 2 = 9 or 7 + 3 = 10 against 8.
    assert enumerated_optimum((7, 8), (1, 0), (2, 3)) == 1
    assert can_rebalance([[], []], 2, 3)
    finding = run("threshold.rich-any-slots")
    assert finding.verdict is Verdict.REFUTED
    assert sum(map(len, finding.witness["loads"])) < 4


def test_criterion_witnesses_are_departures_of_a_balanced_state():
    check = checks()["threshold.rich"]
    (growth,) = [plant for plant in check.plants if plant.fault == "no-growth"]
    witness = check.run(check.trial(variant=growth)).witness
    rows, gone = witness["loads"], witness["departed"]
    assert sum(rows[0]) == sum(rows[1])
    assert all(set(out) <= set(row) for row, out in zip(rows, gone, strict=True))


def test_stationary_bound_is_informative_somewhere():
    finding = run("threshold.stationary")
    assert finding.computed <= finding.claimed < Fraction(1, 2)
