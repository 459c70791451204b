"""Levels where the few-slot workers can be served, and their settling, against enumeration."""

import numpy as np
import pytest
from hypothesis import given, settings

from adversary.instances.strategies import step_problems
from solvers.step.branch_and_price.level_filter import prove
from solvers.step.exact.brute_force import enumerate_step
from solvers.step.exact.milp import largest_first, solve_exact
from solvers.step.fast.solve import solve_step
from solvers.step.problem import StepProblem, StepSolution

BUDGET = 2**26


def poor(problem: StepProblem) -> StepSolution:
    """A poor solution without a bound."""
    assignment = largest_first(problem)
    return StepSolution(assignment, problem.objective(assignment), 0)


def check(problem: StepProblem, solution: StepSolution) -> None:
    problem.validate(solution.assignment)
    assert problem.objective(solution.assignment) == solution.imbalance


@settings(max_examples=200)
@given(problem=step_problems("rich", max_workers=3, max_slots=4, max_pool=7))
def test_a_poor_solution_becomes_the_enumerated_optimum(problem: StepProblem) -> None:
    if problem.admissions < problem.free.sum() or problem.admissions == 0:
        return
    solution = prove(problem, poor(problem), BUDGET)
    check(problem, solution)
    assert solution.imbalance == solution.lower_bound == enumerate_step(problem).imbalance


@pytest.mark.parametrize("room", [2, 3, 4])
def test_what_is_not_listed_counts_with_a_bound(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    """With room for one to three columns of a worker the bounds still hold."""
    monkeypatch.setattr("solvers.step.branch_and_price.level_filter._MANY", room)
    open_ = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        free = rng.integers(0, 4, 3)
        n = int(free.sum()) + int(rng.integers(0, 4))
        if free.sum() > 5 or n == 0:
            continue
        problem = StepProblem(rng.integers(0, 40, 3), free, rng.integers(1, 30, n))
        solution = prove(problem, poor(problem), BUDGET)
        check(problem, solution)
        assert solution.lower_bound <= enumerate_step(problem).imbalance <= solution.imbalance
        open_ += not solution.optimal
    assert room > 2 or open_ > 0


@pytest.mark.parametrize("seed", range(4))
def test_large_sizes_agree_with_the_integer_program(seed: int) -> None:
    rng = np.random.default_rng(seed)
    free = rng.integers(0, 4, 6)
    sizes = np.rint(rng.lognormal(10, 1, int(free.sum()) + 12)).astype(np.int64)
    problem = StepProblem(rng.integers(0, 60_000, 6) + 200_000, free, sizes)
    solution, highs = prove(problem, poor(problem), BUDGET), solve_exact(problem)
    check(problem, solution)
    assert solution.imbalance == solution.lower_bound == highs.imbalance


def test_a_step_with_sizes_in_the_millions_is_proved() -> None:
    rng = np.random.default_rng(3)
    free = np.array([0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 4, 5])
    sizes = np.clip(np.rint(rng.lognormal(12, 1, 128)), 1, 4_000_000).astype(np.int64)
    missing = np.where(free > 0, rng.integers(100_000, 600_000, 16) * free, 20_000)
    problem = StepProblem(40_000_000 - missing, free, sizes)
    start = solve_step(problem, 3)
    solution = prove(problem, start, 2**28)
    check(problem, solution)
    assert not start.optimal
    assert solution.optimal


def test_little_work_gives_an_honest_interval() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        free = rng.integers(0, 4, 6)
        problem = StepProblem(
            rng.integers(0, 900, 6), free, rng.integers(1, 500, int(free.sum()) + 9)
        )
        short, whole = prove(problem, poor(problem), 1), prove(problem, poor(problem), BUDGET)
        check(problem, short)
        assert short.lower_bound <= whole.lower_bound <= whole.imbalance <= short.imbalance


def test_no_more_requests_than_slots_is_left_as_it_is() -> None:
    problem = StepProblem([3, 4], [2, 2], [1, 2, 3])
    start = poor(problem)
    assert prove(problem, start, BUDGET) is start
