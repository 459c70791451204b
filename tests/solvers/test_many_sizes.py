"""Column generation with few workers and supply rows, against all columns and all assignments."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adversary.instances.strategies import small_integers, small_lists
from solvers.step.bounds.relaxation import IMPOSSIBLE
from solvers.step.branch_and_price import level_search
from solvers.step.branch_and_price.columns import NO_COLUMN, SCALE
from solvers.step.branch_and_price.deadline import LateError
from solvers.step.branch_and_price.lazy_master import LazyMaster
from solvers.step.branch_and_price.level_search import LevelSearch, fill_all
from solvers.step.branch_and_price.many_sizes import approach_many_sizes
from solvers.step.branch_and_price.undominated import best_columns, undominated
from solvers.step.exact.brute_force import enumerate_step
from solvers.step.exact.milp import largest_first
from solvers.step.problem import StepProblem, StepSolution

pools = st.dictionaries(st.integers(1, 60), st.integers(0, 3), min_size=1, max_size=6)


def all_profits(sizes, supply, profits, k, room):
    """The profit of every set of ``k`` requests within the room."""
    requests = np.repeat(np.arange(sizes.size), supply)
    for chosen in combinations(requests.tolist(), k):
        if sizes[list(chosen)].sum() <= room:
            yield int(profits[list(chosen)].sum())


@settings(max_examples=300)
@given(
    pools,
    st.lists(st.tuples(st.integers(1, 5), st.integers(-1, 200)), min_size=1, max_size=3),
    st.integers(0, 3),
    st.integers(0, 40),
    st.integers(0, 2**20),
)
def test_the_best_columns_are_those_of_all(pool, workers, kind, patience, seed):
    rng = np.random.default_rng(seed)
    sizes = np.array(sorted(pool))
    supply = np.array([pool[size] for size in sizes.tolist()])
    flat = np.maximum(0, sizes - rng.integers(1, 61)) * SCALE
    drawn = rng.integers(0, sizes * SCALE, endpoint=True)
    prices = (flat, drawn, np.where(rng.random(sizes.size) < 0.5, 0, drawn), 0 * sizes)[kind]
    profits = sizes * SCALE - prices
    free, room = np.array(workers).T.copy()
    out = np.empty((free.size, int(free.max())), np.int64)
    exact = best_columns(sizes, supply, prices, free, room, 2**30, out)
    hasty = best_columns(sizes, supply, prices, free, room, patience, out.copy())
    for g, k in enumerate(free.tolist()):
        most = max(all_profits(sizes, supply, profits, k, room[g]), default=None)
        if most is None:
            assert exact[g] < NO_COLUMN // 2
            assert out[g, 0] == -1
            continue
        column = out[g, :k]
        assert exact[g] == most == profits[column].sum()
        assert hasty[g] >= most
        assert sizes[column].sum() <= room[g]
        assert (np.diff(column) >= 0).all()
        assert all(np.count_nonzero(column == j) <= supply[j] for j in column)


def test_of_a_flat_profit_only_the_smallest_are_kept():
    profits, supply = np.array([5, 5, 7, 5, 7, 7, 7, 8]), np.ones(8, np.int64)
    assert undominated(profits, supply, 2).tolist() == [0, 1, 2, 4, 7]
    assert undominated(profits, 2 * supply, 2).tolist() == [0, 2, 7]
    assert undominated(profits, 0 * supply, 2).size == 0


steps = st.integers(1, 4).flatmap(
    lambda G: small_lists((range(41), G), (range(4), G), (range(1, 31), 2, 6))
)


def within_reach(problem):
    """Whether enough requests wait, and few enough to enumerate."""
    few = (problem.workers + 1) ** problem.pool.size <= 20_000
    return few and 0 < problem.free.sum() < problem.pool.size


@settings(max_examples=150, deadline=None)
@given(steps)
def test_both_sides_hold_the_optimum(step):
    problem = StepProblem(*step)
    first = largest_first(problem)
    start = StepSolution(first, problem.objective(first), 0)
    *_, found = approach_many_sizes(problem, start)
    problem.validate(found.assignment)
    assert problem.objective(found.assignment) == found.imbalance <= start.imbalance
    if within_reach(problem):
        assert found.lower_bound <= enumerate_step(problem).imbalance <= found.imbalance


@settings(max_examples=150, deadline=None)
@given(steps, st.integers(0, 40))
def test_both_sides_hold_wherever_time_runs_out(step, looks):
    problem = StepProblem(*step)
    if not within_reach(problem):
        return
    clock = iter(range(looks))

    def check(_deadline):
        if next(clock, None) is None:
            raise LateError

    first = largest_first(problem)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(level_search, "check", check)
        *_, found = approach_many_sizes(problem, StepSolution(first, problem.objective(first), 0))
    problem.validate(found.assignment)
    assert problem.objective(found.assignment) == found.imbalance
    assert found.lower_bound <= enumerate_step(problem).imbalance <= found.imbalance


def test_what_was_proved_of_a_level_outlives_its_search(monkeypatch):
    # All that is better than 9 has the largest load 10.
    problem = StepProblem([10, 0], [0, 1], [1, 10])

    def solve(self, level):
        assert level == 10
        self.level, self.bound = level, 5
        raise LateError

    monkeypatch.setattr(LevelSearch, "begin", lambda *_: None)
    monkeypatch.setattr(LevelSearch, "solve", solve)
    *_, found = approach_many_sizes(problem, StepSolution(np.array([1, -1]), 9, 0))
    assert (found.imbalance, found.lower_bound) == (9, 5)


@settings(max_examples=100, deadline=None)
@given(steps, st.integers(0, 2**20), st.integers(0, 20))
def test_a_bound_of_a_run_of_levels_holds_at_each(step, seed, more):
    problem = StepProblem(*step)
    if not within_reach(problem):
        return
    best = enumerate_step(problem)
    top = int(problem.loads_after(best.assignment).max())
    search = LevelSearch(problem, best, math.inf)
    prices = np.random.default_rng(seed).integers(0, search.sizes * SCALE // 4, endpoint=True)
    low = max(int(problem.loads.max()), top - more)
    workers = np.flatnonzero(problem.free)
    bound, _, _ = search.price(prices, low, top, workers, 2**20)
    assert bound <= best.imbalance


def test_a_step_of_many_sizes_is_closed():
    rng = np.random.default_rng(3)
    free = rng.integers(0, 5, 40)
    loads = 10**6 - 20_000 * free - rng.integers(0, 9_000, 40)
    problem = StepProblem(loads, free, rng.integers(2_000, 40_000, 400))
    first = largest_first(problem)
    *_, found = approach_many_sizes(problem, StepSolution(first, problem.objective(first), 0))
    assert found.optimal
    assert problem.objective(found.assignment) == found.imbalance


def test_a_size_is_known_when_it_runs_out():
    sizes, supply = np.array([3, 5, 8]), np.array([1, 1, 1])
    free, room = np.array([1, 1]), np.array([8, 8])
    master = LazyMaster(sizes, supply, free, room, np.empty(0, np.int64))
    master.know_workers([0, 1])
    problem = StepProblem([0, 0], [1, 1], [3, 5, 8])
    search = LevelSearch(problem, StepSolution(np.array([0, 1, -1]), 2, 0), math.inf)
    _, _, columns = search.price(np.zeros(3, np.int64), 8, 8, np.array([0, 1]), 1)
    assert [p.sizes for p in columns] == [(2,), (2,)]
    master.extend(columns)
    # One takes 8, the other 5 in place of 8: a slack of 3, and a second 8 is worth as much.
    value, prices = master.solve()
    assert value == pytest.approx(3)
    assert prices.tolist() == pytest.approx([0, 0, 3])


@settings(max_examples=150, deadline=None)
@given(steps)
def test_a_dive_has_one_column_of_a_worker_that_fits(step):
    problem = StepProblem(*step)
    if not within_reach(problem):
        return
    best = enumerate_step(problem)
    level = int(problem.loads_after(best.assignment).max())
    search = LevelSearch(problem, best, math.inf)
    search.begin(level)
    master, bound = search.start(level)
    assert bound <= best.imbalance
    columns = search._dive(master, level)
    assert len({p.worker for p in columns}) == len(columns)
    for p in columns:
        assert len(p.sizes) == problem.free[p.worker]
        assert p.total == search.sizes[list(p.sizes)].sum() <= level - problem.loads[p.worker]
    # Afterwards no column is taken any more.
    assert master.solve()[0] <= best.imbalance - search.of_full(level) + 1e-6


@given(
    st.lists(st.tuples(st.integers(2, 4), st.integers(0, 90)), min_size=1, max_size=4),
    small_integers(1, 30, 4, 20),
    st.integers(1, 20),
)
def test_filling_takes_what_is_left(workers, pool, rest):
    sizes, supply = np.unique(pool, return_counts=True)
    free, room = np.array(workers).T.copy()
    left, slack = supply.copy(), np.zeros(free.size, np.int64)
    out = np.empty((free.size, 4), np.int64)
    state = np.ones(1, np.uint64)
    fill_all(sizes, left, free, room, rest, 8, out, slack, state)
    if (slack == IMPOSSIBLE).any():
        return
    taken = [out[g, :c] for g, c in enumerate(free.tolist())]
    used = np.bincount(np.concatenate(taken), minlength=sizes.size)
    assert (left == supply - used).all()
    assert (left >= 0).all()
    assert [int(sizes[t].sum()) for t in taken] == (room - slack).tolist()
    assert (slack >= 0).all()


def test_single_slots_without_a_column_have_room_for_a_pair():
    """Without it, a kernel writes behind an array: seen with NUMBA_BOUNDSCHECK=1 alone."""
    problem = StepProblem([0, 0], [1, 1], [1, 2, 3, 4, 5])
    search = LevelSearch(problem, StepSolution(np.array([0, -1, -1, -1, 1]), 4, 0), math.inf)
    search._complete([], 9)
    problem.validate(search.best)
    assert problem.objective(search.best) == search.upper <= 4


def test_levels_that_hold_nothing_better_end_the_search():
    problem = StepProblem([5, 5], [2, 1], [2, 4, 5, 9])
    best = enumerate_step(problem)
    *_, found = approach_many_sizes(problem, StepSolution(best.assignment, best.imbalance, 0))
    assert (found.imbalance, found.lower_bound) == (0, 0)
