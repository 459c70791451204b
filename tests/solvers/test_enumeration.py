import numpy as np
import pytest
from hypothesis import given

from adversary.instances.strategies import step_problems
from solvers.step.exact.brute_force import ENUMERATION_LIMIT, assignments, enumerate_step
from solvers.step.problem import AssignmentError, StepProblem
from theory.model import InputError


def valid_by_definition(problem):
    """Every assignment that the step's own rules accept, by trying all (G + 1)^n of them."""
    G, n = problem.workers, problem.pool.size
    found = set()
    for code in range((G + 1) ** n):
        digits = np.array([code // (G + 1) ** i % (G + 1) - 1 for i in range(n)], dtype=np.int64)
        try:
            problem.validate(digits)
        except AssignmentError:
            continue
        found.add(tuple(digits.tolist()))
    return found


@given(step_problems(max_workers=3, max_pool=4))
def test_every_valid_assignment_is_enumerated_once(problem):
    listed = list(assignments(problem))
    assert len(listed) == len(set(listed))
    assert set(listed) == valid_by_definition(problem)


@given(step_problems(max_workers=3, max_pool=5))
def test_the_lexicographic_optimum_is_the_least_key_of_all(problem):
    solution = enumerate_step(problem)
    least = min(
        problem.lexicographic_key(np.array(a, dtype=np.int64)) for a in assignments(problem)
    )
    assert problem.lexicographic_key(solution.assignment) == least
    assert solution.optimal
    assert solution.imbalance == least[0]


def all_optima(problem):
    every = [np.array(chosen, dtype=np.int64) for chosen in assignments(problem)]
    least = min(map(problem.objective, every))
    return [chosen for chosen in every if problem.objective(chosen) == least]


def test_all_optima_of_the_tie_of_the_notes():
    # (0,0,0);(2,2,2);{1,1,3,3,3,3}: {3,3},{3,3},{1,1} and {1,3},{1,3},{3,3} both cost 4.
    problem = StepProblem([0, 0, 0], [2, 2, 2], [1, 1, 3, 3, 3, 3])
    gaps = {int(np.ptp(problem.loads_after(a))) for a in all_optima(problem)}
    assert gaps == {2, 4}
    best = enumerate_step(problem)
    assert best.imbalance == 4
    assert np.ptp(problem.loads_after(best.assignment)) == 2


def test_an_empty_pool_has_one_assignment():
    solution = enumerate_step(StepProblem([3, 1], [2, 0], []))
    assert solution.assignment.size == 0
    assert solution.imbalance == 2


def test_large_instances_are_refused_with_the_size_that_was_asked():
    with pytest.raises(InputError, match=rf"3\^12 assignments, more than {ENUMERATION_LIMIT}"):
        enumerate_step(StepProblem([0, 0], [6, 6], [1] * 12))
