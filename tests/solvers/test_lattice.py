"""Sizes on a lattice: what no assignment can undercut, against all assignments."""

from functools import reduce
from math import gcd

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adversary.instances.strategies import small_lists
from solvers.step.bounds.lattice import lattice_bound, spacing
from solvers.step.bounds.relaxation import closed_form_bounds
from solvers.step.exact.brute_force import assignments
from solvers.step.fast.solve import solve_step
from solvers.step.problem import StepProblem
from solvers.step.sorted_sizes import sorted_pool
from theory.formulas.step import missing_on_lattice


@given(st.lists(st.integers(1, 2**40), min_size=1, max_size=8))
def test_spacing_divides_every_difference(sizes):
    sizes = sorted(sizes)
    assert spacing(np.array(sizes)) == reduce(gcd, (s - sizes[0] for s in sizes), 0)


@st.composite
def lattice_steps(draw):
    """A step that fills every slot, with sizes ``v + q k``."""
    q, v = draw(st.integers(2, 9)), draw(st.integers(1, 20))
    G = draw(st.sampled_from([1, 2, 3]))
    free, loads = draw(
        small_lists((range(3), G), (range(41), G)).filter(lambda drawn: any(drawn[0]))
    )
    n = sum(free)
    multiples = draw(st.lists(st.integers(0, 3), min_size=n, max_size=n + 2))
    return StepProblem(loads, free, [v + q * k for k in multiples])


def levels_and_bound(problem):
    """The bound with its level, and the level from which it holds; None without a spacing."""
    sizes = np.sort(problem.pool)
    q = spacing(sizes)
    if q < 2:
        return None
    pool, free = sorted_pool(sizes), problem.free.copy()
    level = closed_form_bounds(problem.loads.copy(), free, pool)[0]
    return *lattice_bound(problem.loads.copy(), free, pool, level, q), level


@settings(max_examples=300)
@given(lattice_steps())
def test_no_assignment_is_below_the_bound(problem):
    found = levels_and_bound(problem)
    if found is None:
        return
    at, least, level = found
    values = [problem.objective(np.array(a, np.int64)) for a in assignments(problem)]
    assert least <= min(values)
    assert at >= level
    q, loads, free = (
        int(spacing(np.sort(problem.pool))),
        problem.loads.tolist(),
        problem.free.tolist(),
    )
    from_level = [
        missing_on_lattice(loads, free, int(problem.pool[0]), q, level + i) for i in range(q)
    ]
    assert least == min(from_level)
    assert at == level + from_level.index(least)
    for effort in (0, 1, 2):
        solution = solve_step(problem, effort)
        assert least <= solution.lower_bound <= min(values) <= solution.imbalance


def test_a_bound_that_is_one_too_high_is_caught():
    @settings(max_examples=300, database=None)
    @given(lattice_steps())
    def holds(problem):
        found = levels_and_bound(problem)
        if found is not None:
            values = (problem.objective(np.array(a, np.int64)) for a in assignments(problem))
            assert found[1] + 1 <= min(values)

    with pytest.raises(AssertionError):
        holds()


def test_two_sizes_by_hand():
    # They end at 1 or 11, and at 3 or 13: at 13 they miss 2, and at no level from 7 up less.
    problem = StepProblem([0, 2], [1, 1], [1, 11, 11])
    at, least, level = levels_and_bound(problem)
    assert (at, least, level) == (13, 2, 7)
    assert solve_step(problem, 0).optimal


@pytest.mark.parametrize("q", [16, 64, 999])
def test_a_large_step_of_whole_blocks_is_proved_at_once(q):
    rng = np.random.default_rng(q)
    free = rng.integers(0, 4, 64)
    loads = 20_000 - free * 4 * q + rng.integers(0, q, 64)
    problem = StepProblem(loads, free, 1 + q * rng.integers(0, 9, 512))
    assert solve_step(problem, 0).optimal
