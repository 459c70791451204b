"""The integer programs against exhaustive search."""

import json
import tempfile
from pathlib import Path

import highspy
import numpy as np
import pytest
from hypothesis import given, settings

from adversary.instances.strategies import step_problems
from solvers.step.bounds.relaxation import lower_bound
from solvers.step.exact.brute_force import enumerate_step
from solvers.step.exact.milp import (
    SOLVERS,
    assignment_of_counts,
    largest_first,
    level_range,
    solve_exact,
    solve_program,
    solver_versions,
)
from solvers.step.problem import StepProblem
from theory.model import InputError

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
    assert solution.lower_bound == min(lower_bound(problem), solution.imbalance)
    assert solution.claim in (None, solution.imbalance)
    assert solution.claim is not None or problem.admissions == 0


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
    assert solution.claim == 313
    assert lower_bound(problem) <= 313


@pytest.mark.parametrize("solver", SOLVERS)
def test_time_limit_gives_an_honest_interval(solver: str) -> None:
    rng = np.random.default_rng(0)
    problem = StepProblem(rng.integers(0, 10**5, 8), np.full(8, 5), rng.integers(1, 10**5, 40))
    solution = solve_exact(problem, solver, time_limit_s=0.2)
    problem.validate(solution.assignment)
    assert problem.objective(solution.assignment) == solution.imbalance
    assert lower_bound(problem) == solution.lower_bound <= solution.imbalance


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
    solve_program(StepProblem([5, 0], [0, 1], [3, 6]), solver, None)
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


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_temporary_folder_with_a_space_in_its_path(solver, tmp_path, monkeypatch):
    spaced = tmp_path / "a b"
    spaced.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spaced))
    monkeypatch.chdir(tmp_path)
    problem = StepProblem([0, 0], [1, 3], [1, 3, 3, 3])
    # Three go to worker 1, at least 7 of 10: 2 * 7 - 10.
    found, claim = solve_program(problem, solver, None)
    assert found is not None
    assert (problem.objective(found), claim) == (4, 4)


def test_no_folder_for_cbc_is_an_error_that_names_the_remedy(tmp_path, monkeypatch):
    spaced = tmp_path / "a b"
    spaced.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spaced))
    monkeypatch.chdir(spaced)
    monkeypatch.setenv("HOME", str(spaced))
    with pytest.raises(InputError, match="TMPDIR"):
        solve_program(StepProblem([0, 0], [1, 1], [1, 2]), "cbc", None)
