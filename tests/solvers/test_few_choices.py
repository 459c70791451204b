import numpy as np
from hypothesis import given, settings

from adversary.instances.strategies import step_problems
from solvers.step.exact.brute_force import assignments, enumerate_step
from solvers.step.fast.enumeration import MANY, choices
from solvers.step.fast.solve import solve_step
from solvers.step.problem import StepProblem


def few(problem, effort):
    room = np.minimum(problem.free, problem.pool.size)
    return choices(room, problem.pool.size) <= 2 ** (6 + 3 * effort)


@settings(max_examples=300)
@given(step_problems(max_workers=3, max_pool=5))
def test_steps_with_few_choices_are_solved_and_proved(problem):
    for effort in (1, 2):
        if few(problem, effort):
            solution = solve_step(problem, effort)
            problem.validate(solution.assignment)
            assert problem.objective(solution.assignment) == solution.imbalance
            assert solution.optimal
            assert solution.imbalance == enumerate_step(problem).imbalance


def test_the_levels_of_a_step_are_not_all_looked_at_without_it():
    # Worker 1 stands at 4.  Worker 0 takes 5, and the largest load rises to 5; 2 would keep it at
    # 4, which is the least possible, and leave worker 0 two below.
    problem = StepProblem([0, 4], [1, 0], [5, 1, 2])
    assert solve_step(problem, 0).imbalance == 2
    assert solve_step(problem, 1).imbalance == solve_step(problem, 1).lower_bound == 1


def test_the_count_is_never_below_the_number_of_assignments():
    rng = np.random.default_rng(2)
    for _ in range(200):
        G, n = int(rng.integers(1, 4)), int(rng.integers(1, 6))
        problem = StepProblem(rng.integers(0, 9, G), rng.integers(0, 3, G), np.arange(1, n + 1))
        room = np.minimum(problem.free, n)
        assert choices(room, n) >= sum(1 for _ in assignments(problem))
    assert choices(np.array([40, 40]), 10**6) == MANY
