"""The second opinion: dual bounds that hold exactly, and the second formulation."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adversary.instances.strategies import small_lists, step_problems
from solvers.step.bounds.relaxation import lower_bound
from solvers.step.exact.brute_force import enumerate_step
from solvers.step.exact.second_formulation import (
    Dual,
    relaxation_bound,
    relaxation_dual,
    rounded,
    solve_cvxpy,
)
from solvers.step.problem import StepProblem
from theory.model import InputError

small_steps = step_problems(max_workers=3, max_slots=3, max_pool=6)


@settings(max_examples=100)
@given(problem=small_steps)
def test_second_formulation_finds_the_enumerated_optimum(problem: StepProblem) -> None:
    solution = solve_cvxpy(problem)
    problem.validate(solution.assignment)
    assert problem.objective(solution.assignment) == solution.imbalance
    assert solution.imbalance == enumerate_step(problem).imbalance
    assert solution.claim == (solution.imbalance if problem.admissions else None)


@settings(max_examples=150)
@given(problem=small_steps)
def test_dual_bound_holds_and_equals_the_closed_form_of_the_relaxation(
    problem: StepProblem,
) -> None:
    bound = relaxation_bound(problem)
    assert 0 <= bound <= enumerate_step(problem).imbalance
    # The closed form is that of the same relaxation, plus counting where the pool is poor.
    assert bound <= lower_bound(problem)


@settings(max_examples=300)
@given(problem=small_steps, data=st.data())
def test_every_admissible_dual_is_a_bound(problem: StepProblem, data: st.DataObject) -> None:
    G = problem.workers
    weights, slots = data.draw(small_lists((range(6), G), (range(-40, 41), G)))
    unit = data.draw(st.floats(-1, 1))
    share = np.array(weights) * G / max(1, sum(weights))
    for denominator in (1, 7, 2**40):
        dual = rounded(problem, share, unit * np.array(slots), denominator)
        assert dual.bound(problem) <= enumerate_step(problem).imbalance


def test_dual_by_hand() -> None:
    # L = (5,0), worker 1 takes 3 or 6.  With A = (1,1) nothing is proved.  With A = (2,0), B =
    # (0,6): 1*5 - 1*0 - 6*1 + min over the two requests of (-v + 6, 0) = 5 - 6 + 0 + 0 = -1.
    problem = StepProblem([5, 0], [0, 1], [3, 6])
    assert Dual(1, (1, 1), (0, 0)).value(problem) == 0
    assert Dual(1, (2, 0), (0, 6)).value(problem) == -1
    # Forced (9,4,4) from (0,0,0), slots (1,1,1), pool {9,4,4}: total 17, so M >= 6 by the mean;
    # the relaxation cannot see that the 9 is one piece.
    forced = StepProblem([0, 0, 0], [1, 1, 1], [9, 4, 4])
    assert relaxation_bound(forced) == 3 * 6 - 17


def test_dual_value_is_exact_far_above_the_precision_of_floats() -> None:
    # (2^60, 2^60 - 1) and no free slot: imbalance 1, which no float of this size resolves.
    problem = StepProblem([2**60 - 1, 2**60], [0, 0], np.array([], np.int64))
    assert Dual(1, (0, 2), (0, 0)).value(problem) == Fraction(1)
    assert relaxation_dual(problem).bound(problem) == 1


@pytest.mark.parametrize(
    ("dual", "message"),
    [
        (Dual(1, (1,), (0, 0)), "every worker"),
        (Dual(0, (0, 0), (0, 0)), "every worker"),
        (Dual(1, (3, -1), (0, 0)), "add up"),
        (Dual(2, (2, 1), (0, 0)), "add up"),
        (Dual(1, (1, 1), (0, -1)), "slots stay free"),
    ],
)
def test_inadmissible_dual_is_refused(dual: Dual, message: str) -> None:
    with pytest.raises(InputError, match=message):
        dual.value(StepProblem([0, 1], [2, 2], [3]))


def test_time_limit_gives_an_honest_interval() -> None:
    rng = np.random.default_rng(0)
    problem = StepProblem(rng.integers(0, 10**5, 6), np.full(6, 4), rng.integers(1, 10**5, 24))
    solution = solve_cvxpy(problem, time_limit_s=0.2)
    problem.validate(solution.assignment)
    assert problem.objective(solution.assignment) == solution.imbalance
    assert lower_bound(problem) <= solution.lower_bound <= solution.imbalance


def test_solving_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    problem = StepProblem([5, 0], [0, 1], [3, 6])
    solve_cvxpy(problem)
    relaxation_bound(problem)
    assert capfd.readouterr() == ("", "")
