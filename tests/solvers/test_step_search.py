"""The bounds of levels and the thorough search, against every assignment of small steps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adversary.instances.strategies import step_problems
from adversary.workloads.families import workload
from solvers.step.bounds.few_slots import few_slot_bounds
from solvers.step.bounds.relaxation import IMPOSSIBLE
from solvers.step.exact.brute_force import assignments
from solvers.step.exact.milp import largest_first
from solvers.step.fast.local_search import aimed, polish
from solvers.step.fast.solve import solve_step
from solvers.step.problem import WAITS, StepProblem
from solvers.step.sorted_sizes import sorted_pool
from theory.model import INT_LIMIT


def least_by_level(problem, levels):
    """Least imbalance among the assignments with each largest load; IMPOSSIBLE if none."""
    least = dict.fromkeys(levels, IMPOSSIBLE)
    for chosen in assignments(problem):
        after = problem.loads.tolist()
        for size, g in zip(problem.pool.tolist(), chosen, strict=True):
            if g != WAITS:
                after[g] += size
        top = max(after)
        if top in least:
            least[top] = min(least[top], len(after) * top - sum(after))
    return list(least.values())


def bounds_of(problem, level, count, pairs=True):
    out = np.empty(count, np.int64)
    pool = sorted_pool(np.sort(problem.pool))
    order = np.argsort(problem.loads)
    few_slot_bounds(problem.loads.copy(), problem.free.copy(), pool, order, level, pairs, out)
    return out


@settings(max_examples=300)
@given(step_problems("rich", max_workers=3, max_slots=3, max_pool=6), st.integers(0, 9))
def test_no_assignment_is_below_the_bound_of_its_level(problem, offset):
    if problem.free.sum() > problem.pool.size:
        return
    level = int(problem.loads.max()) + offset
    least = least_by_level(problem, range(level, level + 12))
    both = bounds_of(problem, level, 12), bounds_of(problem, level, 12, pairs=False)
    assert (both[1] <= both[0]).all()
    assert (both[0] <= least).all()


def test_levels_by_hand():
    # A full worker at 10, a single slot at 0 and two slots at 4, with 3, 5, 6 and 9 waiting.
    problem = StepProblem([10, 0, 4], [0, 1, 2], [3, 5, 6, 9])
    # At 10 and 11 no pair fits into 6 or 7.  At 12 the full worker misses 2, the single, with 9,
    # misses 3, and 3 + 5 fits exactly; at 13 they miss 3 and 4, and 3 + 6 fits exactly.
    assert bounds_of(problem, 10, 4).tolist() == [IMPOSSIBLE, IMPOSSIBLE, 2 + 3, 3 + 4]


def test_two_singles_do_not_take_the_same_request():
    problem = StepProblem([0, 0], [1, 1], [2, 7, 20])
    # One takes 7 and misses 1, the other takes 2 and misses 6.
    assert bounds_of(problem, 8, 1).tolist() == [7]


def steady(family, G, seed):
    """A step like those of a long run: loads a few requests apart, one to six free slots."""
    rng = np.random.default_rng(seed)
    params = {"a": 1, "b": 1000} if family == "uniform" else {}
    pool = workload(family, 8 * G, seed, **params).prefill
    loads = rng.integers(0, 3 * int(np.median(pool)), G) + 30 * int(pool.mean())
    return StepProblem(loads, rng.integers(0, 6, G), pool)


@pytest.mark.parametrize("family", ["uniform", "lognormal", "burst-like", "longbench-like"])
def test_the_search_is_valid_and_never_worse(family):
    for seed in range(3):
        problem = steady(family, 12, seed)
        quick, thorough = solve_step(problem, 1), solve_step(problem, 2)
        problem.validate(thorough.assignment)
        assert problem.objective(thorough.assignment) == thorough.imbalance
        assert quick.lower_bound <= thorough.lower_bound <= thorough.imbalance <= quick.imbalance


@pytest.mark.parametrize("family", ["lognormal", "longbench-like"])
def test_polishing_is_valid_and_never_worse(family):
    better = 0
    for seed in range(3):
        problem = steady(family, 12, seed)
        start = largest_first(problem)
        level = int(problem.loads_after(start).max())
        end = polish(problem, start, level, 2**16)
        problem.validate(end)
        assert problem.objective(end) <= problem.objective(start)
        better += problem.objective(end) < problem.objective(start)
    assert better


def test_the_search_counts_work_and_not_time():
    problem = steady("lognormal", 12, 5)
    first, second = solve_step(problem, 2), solve_step(problem, 2)
    assert first.assignment.tolist() == second.assignment.tolist()


def test_the_search_at_the_limits_of_int64():
    rng = np.random.default_rng(1)
    widest = INT_LIMIT // 64
    for _ in range(20):
        sizes = rng.integers(widest // 2, widest, 12)
        problem = StepProblem(rng.integers(0, widest, 4), rng.integers(0, 4, 4), sizes)
        solution = solve_step(problem, 2)
        problem.validate(solution.assignment)
        assert problem.objective(solution.assignment) == solution.imbalance
        assert solution.lower_bound <= solution.imbalance


@settings(max_examples=100)
@given(step_problems("rich", max_workers=4, max_slots=3, max_pool=9), st.integers(0, 9))
def test_an_assignment_aimed_at_a_level_is_valid(problem, offset):
    if 0 < problem.admissions < problem.pool.size:
        problem.validate(aimed(problem, int(problem.loads.max()) + offset, 2**10))


def test_an_assignment_aimed_at_a_level_reaches_it_where_each_worker_can():
    problem = StepProblem([0, 1, 3], [2, 1, 1], [4, 6, 7, 9, 9, 20])
    assignment = aimed(problem, 10, 2**12)
    assert problem.loads_after(assignment).tolist() == [10, 10, 10]  # 4 + 6, 9, 7
