"""The integer programs against exhaustive search, and what counts as confirmed."""

import json
from pathlib import Path

import highspy
import numpy as np
import pytest
from hypothesis import given, settings

from adversary.strategies import step_problems
from solvers.bounds import lower_bound
from solvers.enumeration import enumerate_step
from solvers.exact import (
    SOLVERS,
    assignment_of_counts,
    confirm,
    largest_first,
    level_range,
    solve_exact,
    solver_versions,
    weigh,
)
from solvers.step import StepProblem, StepSolution
from theory.model import InputError, imbalance

DATA = Path(__file__).resolve().parents[1] / "data"

# Small enough to enumerate: 4^6 assignments at most.
small_steps = step_problems(max_workers=3, max_slots=3, max_pool=6)


def trap() -> StepProblem:
    """The step whose naive program makes HiGHS 1.15.1 report 316; the optimum is 313."""
    step = json.loads((DATA / "naive_program_trap.json").read_text())
    return StepProblem(step["loads"], step["free"], step["pool"])


@pytest.mark.parametrize("solver", SOLVERS)
@settings(max_examples=60)
@given(problem=small_steps)
def test_solver_finds_the_enumerated_optimum(solver: str, problem: StepProblem) -> None:
    solution = solve_exact(problem, solver)
    problem.validate(solution.assignment)
    assert problem.objective(solution.assignment) == solution.imbalance
    assert solution.imbalance == enumerate_step(problem).imbalance
    assert solution.lower_bound == solution.imbalance


@settings(max_examples=200)
@given(problem=small_steps)
def test_level_of_every_optimum_lies_in_the_range(problem: StepProblem) -> None:
    optimum = enumerate_step(problem)
    level = int(problem.loads_after(optimum.assignment).max())
    least, most = level_range(problem, optimum.imbalance)
    assert least <= level <= most


@settings(max_examples=200)
@given(problem=step_problems())
def test_largest_first_is_valid(problem: StepProblem) -> None:
    problem.validate(largest_first(problem))


def test_level_may_exceed_the_least_level_by_more_than_the_start() -> None:
    # The relaxation's least level is the mean (1 + 50) / 2 rounded up, and the only optimum, two
    # requests of 90, has M = 90: a range that ended at the least level plus the value of a start
    # of imbalance 0 or 49 would cut it off.
    problem = StepProblem([0, 0], [1, 1], [1, 50, 90, 90])
    assert level_range(problem, 0) == (26, 90)
    for solver in SOLVERS:
        assert solve_exact(problem, solver).imbalance == 0


def test_trap_of_the_naive_program_is_solved() -> None:
    problem = trap()
    solution = solve_exact(problem)
    problem.validate(solution.assignment)
    assert problem.objective(solution.assignment) == 313
    assert solution.lower_bound == 313
    assert lower_bound(problem) <= 313


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
    return StepSolution(assignment, value, value)


@pytest.mark.slow
def test_naive_program_is_never_trusted() -> None:
    problem = trap()
    naive = naive_solution(problem)
    assert naive.imbalance >= 313
    # Alone it is a claim without a second voucher, whether it happens to be right or wrong.
    assert not weigh(problem, {"naive": naive}).optimal
    both = weigh(problem, {"naive": naive, "highs": solve_exact(problem)})
    assert both.solution.imbalance == 313
    assert ("naive" in both.refuted) == (naive.imbalance > 313)


@pytest.mark.slow
def test_trap_is_confirmed_by_two_solvers() -> None:
    result = confirm(trap())
    assert result.optimal
    assert result.solution.imbalance == 313
    assert set(result.agree) == {"highs", "cbc"}


def test_claim_of_one_solver_is_not_enough() -> None:
    # Optimum 1 (6 goes to worker 1); the closed-form bound is 0, so it needs two solvers.
    problem = StepProblem([5, 0], [0, 1], [3, 6])
    best = solve_exact(problem)
    assert (best.imbalance, lower_bound(problem)) == (1, 0)
    alone = weigh(problem, {"highs": best})
    assert not alone.optimal
    assert (alone.claims, alone.agree) == ({"bound": 0, "highs": 1}, ("highs",))
    together = confirm(problem)
    assert together.optimal
    assert together.agree == ("highs", "cbc")


def test_wrong_claim_is_refuted_by_a_better_assignment() -> None:
    problem = StepProblem([5, 0], [0, 1], [3, 6])
    wrong = StepSolution(np.array([1, -1]), 2, 2)
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


@pytest.mark.parametrize("solver", SOLVERS)
def test_time_limit_gives_an_honest_interval(solver: str) -> None:
    rng = np.random.default_rng(0)
    problem = StepProblem(rng.integers(0, 10**5, 8), np.full(8, 5), rng.integers(1, 10**5, 40))
    solution = solve_exact(problem, solver, time_limit_s=0.2)
    problem.validate(solution.assignment)
    assert problem.objective(solution.assignment) == solution.imbalance
    assert lower_bound(problem) <= solution.lower_bound <= solution.imbalance


@pytest.mark.parametrize("solver", SOLVERS)
def test_solving_is_silent_and_leaves_no_files(
    solver: str,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMP", str(tmp_path))
    solve_exact(StepProblem([5, 0], [0, 1], [3, 6]), solver)
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_oldest_of_equal_requests_goes_first() -> None:
    problem = StepProblem([0, 0], [1, 1], [4, 3, 4, 4])
    assert assignment_of_counts(problem, [(1, 4, 1), (0, 4, 1)]).tolist() == [1, -1, 0, -1]
    with pytest.raises(InputError, match="size 3"):
        assignment_of_counts(problem, [(0, 3, 2)])


def test_unknown_solver_is_an_input_error() -> None:
    with pytest.raises(InputError, match="use one of highs, cbc"):
        solve_exact(StepProblem([0], [1], [1]), "gurobi")


def test_versions_name_every_solver() -> None:
    versions = solver_versions()
    assert versions["highs"] == highspy.Highs().version()
    assert set(versions) >= {"highs", "cbc", "pulp", "cvxpy", "scipy"}
    assert all(v[0].isdigit() for v in versions.values())
