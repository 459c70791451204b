"""What counts as confirmed, and solvers that are caught with a wrong claim."""

import json
from pathlib import Path

import highspy
import numpy as np
import pytest

from solvers.step.bounds.relaxation import lower_bound
from solvers.step.branch_and_price.solve import solve_branch_and_price
from solvers.step.confirm import confirm, weigh
from solvers.step.exact.milp import solve_exact
from solvers.step.problem import StepProblem, StepSolution
from theory.model import imbalance

DATA = Path(__file__).resolve().parents[1] / "data"


def step(name: str) -> StepProblem:
    data = json.loads((DATA / f"{name}.json").read_text())
    return StepProblem(data["loads"], data["free"], data["pool"])


def naive_solution(problem: StepProblem) -> StepSolution:
    """The program as the text writes it: binaries x_ig, a real M, unshifted loads."""
    h = highspy.Highs()
    h.setOptionValue("output_flag", False)
    h.setOptionValue("threads", 1)
    h.setOptionValue("mip_rel_gap", 0.0)
    level = h.addVariable(lb=float(problem.loads[problem.free == 0].max()), obj=problem.workers)
    x = {
        (i, g): h.addBinary(obj=-float(size))
        for g in np.flatnonzero(problem.free)
        for i, size in enumerate(problem.pool)
    }
    n = problem.pool.size
    for g in np.flatnonzero(problem.free):
        total = h.qsum(x[i, g] * float(problem.pool[i]) for i in range(n))
        h.addConstr(total - level <= -float(problem.loads[g]))
        h.addConstr(h.qsum(x[i, g] for i in range(n)) == float(problem.free[g]))
    for i in range(n):
        h.addConstr(h.qsum(x[i, g] for g in np.flatnonzero(problem.free)) <= 1)
    h.run()
    assignment = np.full(n, -1)
    for (i, g), v in x.items():
        if h.val(v) > 0.5:
            assignment[i] = g
    value = imbalance(problem.loads_after(assignment))
    return StepSolution(assignment, value, 0, value)


@pytest.mark.slow
def test_naive_program_is_never_trusted() -> None:
    problem = step("naive_program_trap")
    naive = naive_solution(problem)
    assert naive.imbalance >= 313
    # A claim is no proof, whether it happens to be right or wrong.
    assert not weigh(problem, {"naive": naive}).optimal
    both = weigh(problem, {"naive": naive, "highs": solve_exact(problem)})
    assert both.solution.imbalance == 313
    assert ("naive" in both.refuted) == (naive.imbalance > 313)


@pytest.mark.slow
def test_trap_is_confirmed_by_every_solver() -> None:
    result = confirm(step("naive_program_trap"))
    assert result.optimal
    assert result.solution.imbalance == 313
    assert set(result.agree) == {"highs", "cbc", "scan"}


def test_claims_are_no_proof() -> None:
    # Optimum 1 (6 goes to worker 1); the closed-form bound is 0.
    problem = StepProblem([5, 0], [0, 1], [3, 6])
    best = solve_exact(problem)
    assert (best.imbalance, lower_bound(problem)) == (1, 0)
    alone = weigh(problem, {"highs": best})
    assert not alone.optimal
    assert (alone.claims, alone.agree) == ({"bound": 0, "highs": 1}, ("highs",))
    # Nor do two: HiGHS here and HiGHS inside scipy err alike.
    assert not weigh(problem, {"highs": best, "cvxpy": best}).optimal
    together = confirm(problem)
    assert together.optimal
    assert together.agree == ("highs", "cbc", "scan")


def test_bound_in_integers_needs_no_second_voucher() -> None:
    problem = StepProblem([5, 0], [0, 1], [3, 6])
    result = weigh(problem, {"scan": solve_branch_and_price(problem)})
    assert result.optimal
    assert result.agree == ("scan",)
    # It still loses against an assignment.
    wrong = StepSolution(np.array([1, -1]), 2, 2)
    result = weigh(problem, {"scan": wrong, "highs": solve_exact(problem)})
    assert result.refuted == ("scan",)
    assert not result.optimal


def test_wrong_claim_is_refuted_by_a_better_assignment() -> None:
    problem = StepProblem([5, 0], [0, 1], [3, 6])
    wrong = StepSolution(np.array([1, -1]), 2, 0, 2)
    result = weigh(problem, {"wrong": wrong, "highs": solve_exact(problem)})
    assert result.refuted == ("wrong",)
    assert result.solution.imbalance == 1
    assert not result.optimal
    # Two wrong claims agree with each other and still lose against an assignment.
    result = weigh(problem, {"a": wrong, "b": wrong, "highs": solve_exact(problem)})
    assert result.refuted == ("a", "b")
    assert result.solution.lower_bound == 0


def test_closed_form_bound_confirms_alone() -> None:
    # Two of the four 3s share a worker, so M >= 6, and 3*6 - 14 = 4: the bound knows it.
    result = confirm(StepProblem([0, 0, 0], [2, 2, 2], [1, 1, 3, 3, 3, 3]))
    assert result.optimal
    assert result.agree == ("bound",)


@pytest.mark.slow
def test_wrong_claim_about_the_shifted_program_is_refuted() -> None:
    # HiGHS 1.15.1 calls 1 optimal here, presolve off or another seed give 0.  All four loads can
    # reach 4146, which the scan finds; whatever HiGHS claims, 0 is the answer.
    problem = step("shifted_program_trap")
    scan, highs = solve_branch_and_price(problem), solve_exact(problem)
    assert (
        problem.loads_after(scan.assignment).max() * 4 == problem.loads_after(scan.assignment).sum()
    )
    result = weigh(problem, {"highs": highs, "scan": scan})
    assert result.optimal
    assert result.solution.imbalance == 0
    assert ("highs" in result.refuted) == bool(highs.claim)
