"""The bound by caps, level by level, against every assignment of small steps."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from adversary.instances.strategies import step_problems
from solvers.step.bounds.nested import nested_bound, nested_deficit
from solvers.step.bounds.relaxation import IMPOSSIBLE, closed_form_bounds
from solvers.step.exact.brute_force import assignments, enumerate_step
from solvers.step.problem import WAITS, StepProblem
from solvers.step.sorted_sizes import indexed, sorted_pool

NONE = np.empty(0, np.int64)


def kernel_arguments(problem):
    pool = indexed(sorted_pool(np.sort(problem.pool)))
    return problem.loads.copy(), problem.free.copy(), pool


def outcomes(problem):
    """Largest load and imbalance of every assignment, as a set of pairs."""
    found = set()
    for chosen in assignments(problem):
        after = problem.loads.tolist()
        for size, g in zip(problem.pool.tolist(), chosen, strict=True):
            if g != WAITS:
                after[g] += size
        found.add((max(after), len(after) * max(after) - sum(after)))
    return found


@st.composite
def rich_steps(draw):
    problem = draw(
        step_problems(draw(st.sampled_from(["rich", "giants"])), max_workers=3, max_pool=6)
    )
    if problem.pool.size == 0 or problem.free.sum() > problem.pool.size:
        problem = draw(step_problems("rich", max_workers=2, max_slots=2, max_pool=6))
    return problem


@settings(max_examples=300)
@given(rich_steps(), st.integers(0, 12), st.integers(0, 4), st.integers(1, 4))
def test_no_assignment_with_its_largest_load_there_is_below_it(problem, offset, width, rounds):
    if problem.pool.size == 0 or problem.free.sum() > problem.pool.size:
        return
    loads, free, pool = kernel_arguments(problem)
    low = int(loads.max()) + offset
    member = np.ones(problem.workers, dtype=np.bool_)
    value = nested_deficit(loads, free, pool, low, low + width, member, rounds)
    reached = [imb for top, imb in outcomes(problem) if low <= top <= low + width]
    if value == IMPOSSIBLE:
        assert not reached
    elif reached:
        assert value <= min(reached)


@given(rich_steps(), st.integers(0, 6), st.integers(1, 40))
def test_the_bound_over_all_levels_is_valid_whatever_has_been_reached(problem, excess, evaluations):
    if problem.pool.size == 0 or problem.free.sum() > problem.pool.size:
        return
    loads, free, pool = kernel_arguments(problem)
    level, lower, _ = closed_form_bounds(loads, free, pool)
    optimum = enumerate_step(problem).imbalance
    value = nested_bound(loads, free, pool, level, lower, optimum + excess, evaluations, NONE)
    assert lower <= value <= optimum


def test_it_sees_that_a_giant_fits_nowhere():
    # Worker 0 is full at 10; a giant on worker 1 would raise the top to at least 104, and then
    # worker 0 alone misses 94.  Without it, 2 + 2 is the most that fits: the imbalance is 6.
    pool = indexed(sorted_pool(np.array([1, 2, 2, 100])))
    loads, free = np.array([10, 0]), np.array([0, 2])
    level, lower, _ = closed_form_bounds(loads, free, pool)
    assert lower == 0
    assert nested_bound(loads, free, pool, level, lower, 6, 8, NONE) == 6


def test_a_bound_that_is_one_too_high_would_be_caught():
    rng = np.random.default_rng(6)
    tight = 0
    for _ in range(200):
        G, n = int(rng.integers(2, 4)), int(rng.integers(3, 7))
        free = np.zeros(G, dtype=np.int64)
        for _ in range(int(rng.integers(1, n))):
            free[rng.integers(G)] += 1
        pool = rng.integers(1, 12, n)
        pool[0] += 40 * (rng.random() < 0.3)
        problem = StepProblem(rng.integers(0, 24, G), free, pool)
        optimum = enumerate_step(problem).imbalance
        loads, free, sorted_sizes = kernel_arguments(problem)
        level, lower, _ = closed_form_bounds(loads, free, sorted_sizes)
        value = nested_bound(loads, free, sorted_sizes, level, lower, optimum, 32, NONE)
        assert value <= optimum
        # Here a bound of one more would exceed the optimum.
        tight += value == optimum
    assert tight > 170
