"""Parallel machines: every bound and every assignment against all assignments of tiny steps."""

import math
import time
from collections import deque
from itertools import pairwise

import numpy as np
import pytest

from benchmarks.machine_families import FAMILIES, instances
from solvers.step.bounds.relaxation import closed_form_bounds
from solvers.step.branch_and_price.solve import solve_branch_and_price
from solvers.step.exact.brute_force import enumerate_step
from solvers.step.fast.solve import solve_step
from solvers.step.machines.counting import counting_level
from solvers.step.machines.exhaustive import FOUND, NONE, OPEN, pack
from solvers.step.machines.local_search import divide_pairs, largest_to_least
from solvers.step.machines.packing import Packing, entries
from solvers.step.machines.solve import Machines, approach_machines
from solvers.step.problem import StepProblem, StepSolution
from solvers.step.sorted_sizes import sorted_pool


def tiny(rng: np.random.Generator) -> StepProblem:
    """A step that admits its whole pool, with and without loads, equal sizes and binding slots."""
    G, n = int(rng.integers(1, 5)), int(rng.integers(1, 8 if rng.random() < 0.5 else 6))
    high = int(rng.choice([2, 4, 9, 30, 1000]))
    loads = rng.integers(0, 2 * high, G) * int(rng.integers(2))
    free = rng.integers(0, 4, G) if rng.random() < 0.6 else np.full(G, n)
    while free.sum() < n:
        free[rng.integers(G)] += 1
    return StepProblem(loads, free, rng.integers(1, high + 1, n))


def least_level(problem: StepProblem) -> int:
    """The least largest load, of all assignments."""
    worker = np.indices((problem.workers,) * problem.pool.size).reshape(problem.pool.size, -1)
    takes = worker == np.arange(problem.workers)[:, None, None]
    fits = (takes.sum(axis=1) <= problem.free[:, None]).all(axis=0)
    after = problem.loads[:, None] + (takes * problem.pool[:, None]).sum(axis=1)
    return int(after[:, fits].max(axis=0).min())


def poorest(problem: StepProblem) -> np.ndarray:
    """A valid assignment that is as bad as it gets: worker by worker."""
    seats = np.repeat(np.arange(problem.workers), problem.free)
    return seats[: problem.pool.size]


@pytest.mark.parametrize("seed", range(4))
def test_the_least_level_is_found_and_proved(seed: int) -> None:
    rng = np.random.default_rng(seed)
    proofs = set()
    for _ in range(150):
        problem = tiny(rng)
        optimum = enumerate_step(problem).imbalance
        worst = poorest(problem)
        start = StepSolution(worst, problem.objective(worst), 0)
        *_, solution = approach_machines(problem, start)
        problem.validate(solution.assignment)
        assert problem.objective(solution.assignment) == solution.imbalance
        assert solution.imbalance == solution.lower_bound == optimum
        state = Machines(problem, worst)
        deque(state.search(), maxlen=0)
        proofs.add(state.proof.by)
        scan = solve_branch_and_price(problem)
        assert scan.imbalance == scan.lower_bound == optimum
    assert "counting" in proofs


def test_every_bound_holds_at_every_level() -> None:
    """Counting, weights from column generation, random weights, and exhaustive search."""
    rng = np.random.default_rng(10)
    weighed = counted = searched = 0
    for _ in range(400):
        problem = tiny(rng)
        optimum = least_level(problem)
        sizes, n = np.sort(problem.pool), problem.pool.size
        loads, free = problem.loads.copy(), np.minimum(problem.free, n)
        closed = int(closed_form_bounds(loads, free, sorted_pool(sizes))[0])
        level = counting_level(loads, sizes)
        counted += level > closed
        assert max(level, closed) <= optimum
        every = np.ones(n, np.bool_)
        for at in {max(closed - 1, int(loads.max())), closed, optimum - 1, optimum, optimum + 3}:
            if at < loads.max() or entries(sizes, loads, free, at) > 10**7:
                continue
            packing = Packing(sizes, loads, free, at, math.inf)
            value = packing.relax(every, np.arange(loads.size), 1000, True)
            assert (packing.weights is None) == (value < 1e-6)
            assert packing.weights is None or at < optimum
            weighed += packing.weights is not None
            for _ in range(3):
                assert packing.excess(rng.integers(0, 50, n)) <= 0 or at < optimum
            if packing.weights is None:
                worker = packing.dive()
                after = loads.copy()
                np.add.at(after, worker[worker >= 0], sizes[worker >= 0])
                assert after.max() <= at
                assert (np.bincount(worker + 1, minlength=loads.size + 1)[1:] <= free).all()
            room, found = np.where(free > 0, at - loads, 0), np.empty(n, np.int64)
            answer, _ = pack(room, free, sizes[::-1].copy(), 10**6, found)
            assert answer == (FOUND if at >= optimum else NONE)
            searched += answer == NONE
            if answer == FOUND:
                after = loads.copy()
                np.add.at(after, found, sizes[::-1])
                assert after.max() <= at
                assert (np.bincount(found, minlength=loads.size) <= free).all()
    assert min(weighed, searched) > 100
    assert counted > 3


def test_exhaustive_search_says_when_it_did_not_end() -> None:
    sizes = np.array([9, 8, 7, 7, 6, 5, 5, 4, 3, 2, 2, 1])
    room, found = np.array([20, 20, 19]), np.empty(12, np.int64)
    assert pack(room, np.full(3, 12), sizes, 5, found)[0] == OPEN
    assert pack(room, np.full(3, 12), sizes, 10**6, found)[0] == FOUND
    # Without room for a table of sums it looks at the sum of what is left.
    wide = sizes * 10**8
    assert pack(room * 10**8, np.full(3, 12), wide, 10**6, found)[0] == FOUND
    assert pack(room * 10**8 - [0, 0, 1], np.full(3, 12), wide, 10**6, found)[0] == NONE
    # Nor would its size fit an int64: 10 times rooms of 2^60.  Loads of three or four requests.
    far = np.full(9, 2**58)
    assert pack(np.full(3, 2**60), np.full(3, 4), far, 10**6, found)[0] == FOUND


def test_counting_by_hand() -> None:
    # Nine of ten: some machine has five of the nine largest if there are two.
    sizes = np.array([1, 10, 10, 10, 10, 11, 11, 11, 11, 11])
    assert counting_level(np.zeros(2, np.int64), sizes) == 51
    # All three on all three: (16 + 30) / 3, rounded up.
    assert counting_level(np.array([9, 3, 4]), np.array([10, 10, 10])) == 16


def test_local_search_keeps_what_is_best_and_what_is_valid() -> None:
    rng = np.random.default_rng(3)
    better = 0
    for seed in range(150):
        problem = tiny(rng)
        sizes, free = np.sort(problem.pool), np.minimum(problem.free, problem.pool.size)
        level = least_level(problem)
        worker = np.empty(sizes.size, np.int64)
        for aim in (0, level):
            largest_to_least(problem.loads.copy(), free, sizes, aim, worker)
            before = problem.loads.copy()
            np.add.at(before, worker, sizes)
            most, at, loads = int(before.max()), worker.copy(), problem.loads.copy()
            top = divide_pairs(loads, free, sizes, at, worker, most, level, 200, seed + 1)
            after = problem.loads.copy()
            np.add.at(after, worker, sizes)
            assert after.max() == top <= before.max()
            assert (np.bincount(worker, minlength=problem.workers) <= free).all()
            better += bool(after.max() < before.max())
    assert better > 20


@pytest.mark.parametrize("family", FAMILIES)
def test_published_families_are_solved_within_an_interval(family: str) -> None:
    for problem in instances(family, 3, 99):
        begun = time.monotonic()
        *_, solution = approach_machines(problem, solve_step(problem), time.monotonic() + 0.5)
        assert time.monotonic() - begun < 30
        problem.validate(solution.assignment)
        assert problem.objective(solution.assignment) == solution.imbalance
        assert 0 <= solution.lower_bound <= solution.imbalance


def test_intervals_become_narrower_and_the_last_is_the_answer() -> None:
    (problem,) = instances("2 to 3 jobs a machine", 1, 5)
    seen = list(approach_machines(problem, solve_step(problem, 0), time.monotonic() + 20))
    for wide, narrow in pairwise(seen):
        problem.validate(narrow.assignment)
        assert wide.lower_bound <= narrow.lower_bound <= narrow.imbalance <= wide.imbalance
    assert seen[0].gap > seen[-1].gap


def test_large_sizes_and_many_requests_end_in_time() -> None:
    rng = np.random.default_rng(0)
    for problem in (
        StepProblem(np.zeros(3, np.int64), np.full(3, 9), rng.integers(10**14, 10**15, 9)),
        StepProblem(np.zeros(64, np.int64), np.full(64, 72), rng.integers(1, 10**6, 4000)),
    ):
        *_, solution = approach_machines(problem, solve_step(problem), time.monotonic() + 0.5)
        problem.validate(solution.assignment)
        assert solution.lower_bound <= solution.imbalance
