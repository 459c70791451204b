"""Look-ahead windows against enumeration, and against the single step for H = 0."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adversary.strategies import step_problems
from solvers.balance import solve_step
from solvers.bounds import lower_bound
from solvers.enumeration import assignments
from solvers.window import WindowProblem, solve_window, window_bound
from theory.model import InputError


@st.composite
def windows(draw, max_workers=3, max_pool=5, max_ahead=3):
    step = draw(step_problems(max_workers=max_workers, max_pool=max_pool))
    ahead = draw(st.integers(0, max_ahead))
    row = st.lists(st.integers(0, 12), min_size=step.workers, max_size=step.workers)
    loads = [step.loads.tolist(), *(draw(row) for _ in range(ahead))]
    n = step.pool.size
    lengths = draw(st.none() | st.lists(st.integers(1, 5), min_size=n, max_size=n))
    if lengths is not None:
        lengths = np.array(lengths, dtype=np.int64)
    return WindowProblem(loads, step.free, step.pool, lengths, draw(st.sampled_from([1, 0, 3])))


def objective_in_words(problem, chosen):
    """The definition, one step, worker and request at a time."""
    total = 0
    for h, row in enumerate(problem.loads.tolist()):
        after = list(row)
        for i, g in enumerate(chosen):
            ends = problem.lengths is not None and h >= problem.lengths[i]
            if g >= 0 and not ends:
                after[g] += int(problem.pool[i]) + h * problem.growth
        total += len(after) * max(after) - sum(after)
    return total


@settings(max_examples=150)
@given(windows())
def test_between_its_bound_and_the_optimum(problem):
    optimum = min(objective_in_words(problem, chosen) for chosen in assignments(problem.step))
    assert window_bound(problem) <= optimum
    for effort in (0, 1, 2):
        solution = solve_window(problem, effort)
        problem.step.validate(solution.assignment)
        assert solution.imbalance == objective_in_words(problem, solution.assignment.tolist())
        assert solution.lower_bound <= optimum <= solution.imbalance


@given(windows(max_workers=6, max_pool=20, max_ahead=5))
def test_valid_and_no_worse_with_more_effort_than_its_starting_points(problem):
    quick, better = solve_window(problem, 0), solve_window(problem, 1)
    for solution in (quick, better):
        problem.step.validate(solution.assignment)
        assert problem.objective(solution.assignment) == solution.imbalance


@given(step_problems(max_workers=4, max_pool=12))
def test_a_window_of_one_step_is_that_step(step):
    problem = WindowProblem([step.loads], step.free, step.pool)
    assert window_bound(problem) == lower_bound(step)
    assert solve_window(problem).imbalance <= solve_step(step).imbalance


def test_most_tiny_windows_are_solved_to_optimality():
    rng = np.random.default_rng(4)
    hits = 0
    for _ in range(200):
        G, n, H = int(rng.integers(2, 4)), int(rng.integers(2, 7)), int(rng.integers(1, 4))
        problem = WindowProblem(
            rng.integers(0, 20, (H + 1, G)),
            rng.integers(1, 3, G),
            rng.integers(1, 12, n),
            rng.integers(1, 6, n) if rng.random() < 0.5 else None,
        )
        optimum = min(objective_in_words(problem, chosen) for chosen in assignments(problem.step))
        hits += solve_window(problem, 2).imbalance == optimum
    assert hits >= 0.9 * 200


def test_a_predicted_departure_changes_the_decision():
    # Now worker 0 is at 5 and worker 1 at 4, so the request of 6 goes to worker 1 (gap 5).  Worker
    # 0 loses all of its load in the next step: over both steps worker 0 is the better place.
    free, pool = [1, 1], [6]
    now = solve_step(WindowProblem([[5, 4]], free, pool).step)
    assert now.assignment.tolist() == [1]
    ahead = solve_window(WindowProblem([[5, 4], [0, 5], [0, 6]], free, pool))
    # Worker 0: |11 - 4| + |7 - 5| + |8 - 6| = 11; worker 1: |5 - 10| + 12 + 14 = 31.
    assert ahead.assignment.tolist() == [0]
    assert ahead.imbalance == 11


def test_a_short_predicted_length_frees_the_later_steps():
    # The request ends after one step: only the first row sees it.
    problem = WindowProblem([[0, 9], [9, 9]], [1, 0], [9], [1])
    assert solve_window(problem).imbalance == 0
    assert solve_window(WindowProblem([[0, 9], [9, 9]], [1, 0], [9])).imbalance == 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2], [1, 1], [3]), "one row for each step"),
        (([[1.5, 2.0]], [1, 1], [3]), "must be integers"),
        (([[1, -2]], [1, 1], [3]), "loads must hold integers"),
        (([[1, 2]], [1, 1], [3, 4], [1]), "one integer for each of the 2 requests"),
        (([[1, 2]], [1, 1], [3], [0]), "lengths must be >= 1"),
        (([[1, 2]], [1, 1], [3], None, -1), "growth must be"),
        (([[2**59, 2]] * 4, [1, 1], [3]), "must stay below 2"),
    ],
)
def test_bad_windows_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        WindowProblem(*arguments)
