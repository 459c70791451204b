"""The lower bounds: valid against exact optima, ordered, and strong where they claim to be."""

import numpy as np
import pytest
from hypothesis import example, find, given, settings

from adversary.instances.strategies import REGIMES, step_problems
from solvers.step.bounds.relaxation import lower_bound
from solvers.step.exact.brute_force import enumerate_step
from solvers.step.problem import StepProblem
from solvers.step.sorted_sizes import prefix_sums
from theory.formulas import step as formulas
from theory.model import INT_LIMIT


def small_steps(count, seed):
    """Steps that enumeration can afford, drawn without Hypothesis: many, and fast."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        G, n, b = rng.integers(1, 4), rng.integers(0, 7), rng.integers(1, 12)
        pool = rng.integers(1, b + 1, n)
        if n and rng.random() < 0.2:
            pool[rng.integers(n)] *= 10
        yield StepProblem(rng.integers(0, 2 * b + 1, G), rng.integers(0, 4, G), pool)


def simple_lower_bound(problem):
    step = problem.loads.tolist(), problem.free.tolist(), problem.pool.tolist()
    return formulas.simple_lower_bound(*step)[0]


@pytest.mark.parametrize("regime", sorted(REGIMES))
def test_no_bound_exceeds_the_optimum(regime):
    @settings(max_examples=150)
    @given(step_problems(regime, max_workers=3, max_pool=6))
    def holds(problem):
        simple, bound = simple_lower_bound(problem), lower_bound(problem)
        assert 0 <= simple <= bound <= enumerate_step(problem).imbalance

    holds()


def test_no_bound_exceeds_the_optimum_on_thousands_of_small_steps():
    for problem in small_steps(3000, seed=11):
        assert simple_lower_bound(problem) <= lower_bound(problem)
        assert lower_bound(problem) <= enumerate_step(problem).imbalance, problem


@pytest.mark.parametrize("bound", [simple_lower_bound, lower_bound])
def test_a_bound_that_is_one_too_high_is_caught(bound):
    problem = find(
        step_problems(max_workers=2, max_pool=3),
        lambda p: bound(p) + 1 > enumerate_step(p).imbalance,
        settings=settings(database=None, derandomize=True, deadline=None),
    )
    assert bound(problem) == enumerate_step(problem).imbalance
    tight = [p for p in small_steps(300, seed=5) if bound(p) == enumerate_step(p).imbalance]
    # Steps at which raising the bound by one would be noticed.
    assert len(tight) > 200


@given(step_problems())
@example(StepProblem([0], [0], []))
@example(StepProblem([5, 0], [0, 3], [1]))
def test_bounds_do_not_depend_on_the_order_of_workers_or_requests(problem):
    mirrored = StepProblem(problem.loads[::-1], problem.free[::-1], problem.pool[::-1])
    assert lower_bound(mirrored) == lower_bound(problem)
    assert simple_lower_bound(mirrored) == simple_lower_bound(problem)


# Instances whose bound follows by hand.
BY_HAND = [
    # One request of 9, workers level: it must go somewhere, the other two stay 9 below.
    (([0, 0, 0], [1, 1, 1], [9]), 18),
    # The full worker is at 10; the other can reach at most 4.
    (([10, 0], [0, 2], [1, 2, 2]), 6),
    # Three requests of 4 on two workers: one worker holds two, M = 8, total 12.
    (([0, 0], [2, 2], [4, 4, 4]), 4),
    # Rich pool: worker 0 must take at least 3 + 3, worker 1 at most 5.
    (([0, 0], [2, 1], [3, 3, 4, 5]), 1),
    # Both workers are full: nothing can be admitted.
    (([7, 2], [0, 0], [1, 1]), 5),
]


@pytest.mark.parametrize(("step", "value"), BY_HAND)
def test_bounds_by_hand(step, value):
    problem = StepProblem(*step)
    assert lower_bound(problem) == value == enumerate_step(problem).imbalance


def test_bounds_are_exact_at_the_limits_of_int64():
    big = INT_LIMIT // 8
    problem = StepProblem([0, 0], [1, 1], [big, big - 1])
    assert lower_bound(problem) == 1
    huge_room = StepProblem([0, 0], [INT_LIMIT - 1, INT_LIMIT - 1], [2**58, 2**58, 2**58])
    assert lower_bound(huge_room) == 2**58


def test_prefix_sums():
    assert prefix_sums(np.array([1, 2, 4])).tolist() == [0, 1, 3, 7]
