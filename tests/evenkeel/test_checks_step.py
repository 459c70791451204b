"""The checks of the claims about one admission step: witnesses, policies, bookkeeping."""

from fractions import Fraction
from math import ceil

import numpy as np
import pytest
from hypothesis import given

from adversary.instances.strategies import step_problems
from evenkeel.findings.check import Trial, Variant, Verdict, planted
from evenkeel.findings.scoreboard import Cases
from evenkeel.findings.verdicts import rung
from evenkeel.theorems.registry import checks
from solvers.policies.bfio import AlwaysBusiest
from solvers.step.bounds import relaxation as bounds
from solvers.step.exact.brute_force import exact_step
from solvers.step.problem import StepProblem
from tests.oracles.found import found
from theory.formulas.step import lp_optimum, simple_lower_bound
from theory.model import InputError


def run(label, **options):
    check = checks()[label]
    return check.run(check.trial(**options)) if options else found(label).finding


def replay(witness):
    problem = StepProblem(*(witness[key] for key in ("loads", "free", "pool")))
    return problem, exact_step(problem)


def test_halved_full_refill_bound_is_refuted_by_a_witness_that_replays():
    check = checks()["step.full-refill-gap"]
    finding = check.run(planted(check.trial(), Variant("half", Fraction(1, 2), side="imbalance")))
    assert finding.verdict is Verdict.REFUTED
    problem, assignment = replay(finding.witness)
    assert problem.objective(assignment) == finding.computed > finding.claimed
    # The smallest: two workers with one slot each, sizes 1 and 3 of [1, 3].
    assert (problem.workers, problem.free.tolist(), finding.computed) == (2, [1, 1], 2)
    assert finding.claimed == Fraction(2, 2)


def test_smallest_gap_witness_replays():
    finding = run("step.gap-naive")
    problem, assignment = replay(finding.witness)
    after = problem.loads_after(assignment).tolist()
    assert max(after) - min(after) == finding.computed == 2
    assert problem.pool.tolist() == [1]
    assert "the last of" in finding.domain


def test_a_true_statement_in_its_place_is_not_refuted():
    # Gaps start within s_max and a worker has at most 2 free slots, so they end within 3 s_max.
    check = checks()["step.gap-naive"]
    finding = check.run(planted(check.trial(), Variant("true", Fraction(3))))
    assert finding.verdict is not Verdict.REFUTED


def test_a_policy_of_the_users_own_is_held_to_the_bound():
    assert run("step.full-refill-gap", policy="bfio").verdict is Verdict.CERTIFIED
    finding = run("step.full-refill-gap", policy="fcfs")
    assert finding.verdict is Verdict.REFUTED
    problem = StepProblem(*(finding.witness[key] for key in ("loads", "free", "pool")))
    first = np.repeat(np.arange(problem.workers), problem.free)
    assignment = np.full(problem.pool.size, -1)
    assignment[: first.size] = first
    assert problem.objective(assignment) == finding.computed


def test_planted_policy_really_runs():
    finding = run("step.full-refill-gap", variant=Variant("busiest", policy=AlwaysBusiest.name))
    assert finding.verdict is Verdict.REFUTED


def trial(label, variant=None):
    return Trial(label, {}, variant=variant)


def test_cases_keep_the_tightest_and_stop_at_a_violation():
    cases = Cases("<=")
    for computed, claimed in ((1, 4), (6, 8), (3, 4), (0, 0), (2, 4)):
        assert not cases.add(computed, claimed, dict)
    # 0 <= 0 has no slack; among positive sides 6 <= 8 is as tight as 3 <= 4 and larger.
    finding = cases.finding(trial("step.gap-naive"), "by hand")
    assert (finding.computed, finding.claimed, finding.verdict) == (0, 0, Verdict.CERTIFIED)
    assert cases.add(5, 4, lambda: {"why": "by hand"})
    finding = cases.finding(trial("step.gap-naive"), "by hand")
    assert finding.verdict is Verdict.REFUTED
    assert finding.witness == {"why": "by hand"}
    assert finding.margin == Fraction(-1, 4)
    assert finding.domain == "the last of 6 cases tried: by hand"


def test_cases_of_another_quantity_are_shown_only_when_they_decide():
    cases = Cases("==")
    assert not cases.add(3, 3, dict)
    assert not cases.add(9, 9, dict, "agreement")
    finding = cases.finding(trial("step.gap-naive"), "by hand")
    assert (finding.computed, finding.domain) == (3, "2 cases: by hand")
    assert finding.details["attained"] == 1
    assert cases.add(1, 2, dict, "agreement")
    finding = cases.finding(trial("step.gap-naive"), "by hand")
    assert (finding.computed, finding.claimed) == (1, 2)
    assert finding.domain == "agreement: the last of 3 cases tried: by hand"


def test_a_witness_of_the_wording_with_admitted_requests_replays():
    finding = run("step.waterfill-admitted")
    assert finding.witness == {"loads": [0, 0], "free": [1, 1], "pool": [1]}
    problem, assignment = replay(finding.witness)
    # One of two empty workers gets the one request of size 1; the closed form is 2 (1 - 1)^+.
    assert problem.objective(assignment) == finding.computed == 1
    assert finding.claimed == 0


def test_cases_without_a_case_decide_nothing():
    finding = Cases("==").finding(trial("step.objective"), "nothing")
    assert finding.verdict is Verdict.INCONCLUSIVE


def test_a_proof_counts_only_for_the_claim_as_stated():
    cases = Cases(">=")
    assert not cases.add(Fraction(5, 2), 2, dict)
    assert cases.finding(trial("step.waterfill"), "one").verdict is rung("step.waterfill")
    variant = Variant("something false")
    finding = cases.finding(trial("step.waterfill", variant), "one")
    assert finding.verdict is Verdict.CERTIFIED
    assert cases.finding(trial("step.lp-closed-form"), "one").verdict is Verdict.ARGUED


@given(step_problems())
def test_the_solvers_bound_is_no_less_than_the_theorys(problem):
    # Written apart from each other; the solver's own bound adds to the relaxation.
    step = problem.loads.tolist(), problem.free.tolist(), problem.pool.tolist()
    assert bounds.lower_bound(problem) >= simple_lower_bound(*step)[0]
    assert bounds.lower_bound(problem) >= ceil(lp_optimum(*step)[0])


@pytest.mark.parametrize("shape", [{"G": 1, "B": 2}, {"G": 2, "B": 0}])
def test_full_refills_need_two_workers_and_a_slot(shape):
    with pytest.raises(InputError, match="full refills need G >= 2 and B >= 1"):
        run("step.full-refill-gap", **shape)
