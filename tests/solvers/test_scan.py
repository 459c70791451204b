"""Branch and price: its optima, its bounds at every level, and its branching."""

import math
from collections import deque
from functools import cache
from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import example, given, settings

from adversary.instances.strategies import step_problems
from solvers.step.branch_and_price.column_generation import BranchAndPrice
from solvers.step.branch_and_price.columns import (
    INFINITE,
    NO_COLUMN,
    SCALE,
    Column,
    knapsack,
    read_column,
    without_requests,
)
from solvers.step.branch_and_price.level_bounds import LevelBounds
from solvers.step.branch_and_price.level_filter import prove
from solvers.step.branch_and_price.pricing import PricingTables, refine
from solvers.step.branch_and_price.primal_heuristics import ACTIONS, Action, branch, choose
from solvers.step.branch_and_price.solve import explore, solve_branch_and_price
from solvers.step.exact.brute_force import assignments, enumerate_step
from solvers.step.exact.milp import largest_first, solve_exact
from solvers.step.fast.solve import solve_step
from solvers.step.problem import StepProblem, StepSolution
from tests.noted import noted
from theory.model import INT_LIMIT

# A table that is exact for small steps.
WHOLE = 10**8, 2**18

small_steps = step_problems(max_workers=3, max_slots=3, max_pool=6)


# Loads and sizes this close together are tabulated as they are; a wider step may be rounded, and
# then keeps an interval.
FINE = 2**12


def spread(problem: StepProblem) -> int:
    return int(problem.loads.max() + problem.pool.max(initial=0) * problem.free.max(initial=0))


def check(problem: StepProblem, solution: StepSolution) -> None:
    problem.validate(solution.assignment)
    assert problem.objective(solution.assignment) == solution.imbalance


def from_scratch(problem: StepProblem, size: tuple[int, int] = WHOLE) -> BranchAndPrice:
    """A scan that starts from a poor assignment, so that it has something to do."""
    poor = largest_first(problem)
    start = StepSolution(poor, problem.objective(poor), 0)
    return BranchAndPrice(problem, start, math.inf, size)


@settings(max_examples=150)
@given(problem=small_steps)
def test_scan_finds_the_enumerated_optimum(problem: StepProblem) -> None:
    optimum = enumerate_step(problem).imbalance
    solution = solve_branch_and_price(problem)
    check(problem, solution)
    assert solution.lower_bound <= optimum <= solution.imbalance
    if settings().derandomize or spread(problem) < FINE:
        assert solution.imbalance == solution.lower_bound == optimum


WAYS: dict[str, tuple[Action, ...]] = {
    "every way to settle a level": ACTIONS,
    "branching alone": (branch,),
    "branching, after lists of columns": (choose, branch),
}


@settings(max_examples=150)
@given(problem=small_steps)
# Fewer requests than slots: the optimum, 2, leaves a slot of the second worker free.
@example(problem=StepProblem([0, 0, 0], [0, 3, 1], [1, 1, 2]))
def test_scan_from_a_poor_start_finds_the_enumerated_optimum(problem: StepProblem) -> None:
    if problem.admissions == 0:
        return
    optimum = enumerate_step(problem).imbalance
    for way in noted(WAYS):
        state = from_scratch(problem)
        deque(explore(state, WAYS[way]), maxlen=0)
        assert state.lower <= optimum <= state.upper == problem.objective(state.best)
        if settings().derandomize or spread(problem) < FINE:
            assert state.lower == optimum == state.upper


class Met:
    """What the steps of one size of tables led to."""

    def __init__(self) -> None:
        self.rounded: set[bool] = set()
        self.cleared: set[bool] = set()
        self.settled = 0


SIZES = {"whole": WHOLE, "300, 3": (300, 3), "10, 1": (10, 1), "10, 2^18": (10, 2**18)}


def test_bound_of_every_level_holds() -> None:
    """Under random prices, in branches, and with a larger table at the levels that are left."""
    met = {name: Met() for name in SIZES}

    @settings(max_examples=300)
    @given(problem=small_steps)
    # The optimum, 6, is at the highest of the four levels that one entry stands for.
    @example(problem=StepProblem([0, 7], [2, 3], [8, 1, 1, 1, 8]))
    def holds(problem: StepProblem) -> None:
        if problem.admissions > 0:
            for name in noted(SIZES):
                hold_every_level(problem, SIZES[name], met[name])

    holds()
    if settings().derandomize:  # new examples need not reach all of it
        for name, it in met.items():
            assert False in it.rounded
            assert True in it.rounded or SIZES[name] == WHOLE
            assert True in it.cleared
            assert it.settled >= 2  # a branch of a branch


def hold_every_level(problem: StepProblem, size: tuple[int, int], met: Met) -> None:
    state = from_scratch(problem, size)
    rng = np.random.default_rng(0)
    for larger in (size, (4 * size[0], 4 * size[1]), WHOLE):
        tables = state.tables
        met.rounded.add(not tables.exact)
        for levels in [b for b in state.open if b.level.size]:
            for _ in range(3):
                prices = rng.integers(0, int(rng.choice([1, 10])) * SCALE, tables.sizes.size)
                at = int(rng.integers(levels.level.size))
                bound, _ = tables.price(levels.residual(at), prices, int(rng.choice([1, 2**20])))
                levels.raise_one(at, bound, prices)
                before = np.count_nonzero(levels.lower < state.upper)
                state.clear(levels, at, prices)
                met.cleared.add(np.count_nonzero(levels.lower < state.upper) < before)
                tables.fill(levels.supply, prices)
                levels.raise_all(tables, prices)
            left = np.flatnonzero(levels.supply)
            if left.size and rng.integers(2):
                j = int(rng.choice(left))
                state.open.remove(levels)
                state.open += levels.branches(tables, prices, j, state.upper)
        for chosen in assignments(problem):
            assignment = np.array(chosen, np.int64)
            value = problem.objective(assignment)
            top = problem.loads_after(assignment).max()
            if value < state.upper:  # an improvement is at a level of some branch
                bounds = [
                    b.lower[(b.level <= top) & (top < b.level + b.stride)] for b in state.open
                ]
                assert np.concatenate(bounds).min() <= value
        met.settled = max(met.settled, *(b.settled for b in state.open), 0)
        start = StepSolution(state.best, state.upper, 0)
        state = BranchAndPrice(problem, start, math.inf, larger, state)


def test_a_branch_holds_just_the_assignments_that_agree_with_it() -> None:
    problem = StepProblem([0, 3], [2, 1], [1, 2, 2, 5])
    levels = LevelBounds.of(problem, 4, 1000)
    tables = PricingTables(problem, int(levels.level[-1]), 1, 10**6)
    prices = np.zeros_like(tables.sizes)
    tables.fill(levels.supply, prices)
    waits, *given = levels.branches(tables, prices, 2, 4)
    # Either the 5 waits, or the first worker has it.  On the second 3 + 5 = 8 leaves the first 4 at
    # most: an imbalance of 4, which is not below 4.
    assert waits.supply.tolist() == [1, 2, 0]
    assert waits.taken == ()
    assert [b.taken for b in given] == [(Column(0, (2,), 5),)]
    assert given[0].loads.tolist() == [5, 3]
    assert given[0].free.tolist() == [1, 1]
    assert given[0].supply.tolist() == [1, 2, 0]
    whole = Column(0, (1, 2), 7)
    left = given[0].left_of(whole)
    assert left == Column(0, (1,), 2)
    assert given[0].complete(left) == whole
    assert given[0].left_of(Column(0, (0, 1), 3)) is None
    assert waits.left_of(whole) == whole


def test_worker_without_room_has_no_distance() -> None:
    problem = StepProblem([0, 9], [3, 1], [1, 2, 3, 4, 5])
    tables = PricingTables(problem, 20, 1, 10**6)
    tables.fill(tables.supply, np.zeros_like(tables.sizes))
    for slots in range(4):
        distances = np.zeros(22, np.int64)
        tables.add_reduced_costs(slots, np.arange(-2, 20), distances)
        least = sum(range(1, slots + 1))
        most = sum((5, 4, 3)[:slots])
        assert (distances[: least + 2] == INFINITE).all()
        assert distances[least + 2 : most + 3].tolist() == [0] * (most + 1 - least)
        assert distances[most + 3 :].tolist() == [SCALE * d for d in range(1, 20 - most)]


@pytest.mark.parametrize("copies", [1, 4])
def test_refined_table_bounds_every_pattern(copies: int) -> None:
    """By enumeration; without rounding and with requests for all it is exact."""
    finer = 0
    for seed in range(3):
        rng = np.random.default_rng(seed)
        problem = StepProblem([0, 40], [4, 3], np.repeat(rng.integers(1, 60, 9), copies))
        tables = PricingTables(problem, 150, 1, 600)
        supply = tables.supply
        prices = rng.integers(0, 30 * SCALE, tables.sizes.size)
        tables.fill(supply, prices)
        profits = tables.sizes * SCALE - prices
        for unit in (1, 4):
            choice = tables.knapsack(supply, profits, 150)
            table = np.full((5, 150 // unit + 1), NO_COLUMN)
            for k in range(5):
                for j in range(supply.size):
                    refine(choice, unit, k, j, j + 1, table)
            for k in range(5):
                columns = [
                    list(c)
                    for c in combinations_with_replacement(range(supply.size), k)
                    if all(c.count(j) <= supply[j] for j in c)
                ]
                filled = np.array([tables.sizes[c].sum() for c in columns], np.int64)
                earned = np.array([profits[c].sum() for c in columns], np.int64)
                for room in range(150):
                    best = int(earned[filled <= room].max(initial=NO_COLUMN))
                    bound = table[k, room // unit]
                    assert best <= bound or best == NO_COLUMN
                    cell = (room // unit * unit + unit - 1) // tables.unit
                    rough = tables.table[k, min(cell, tables.table.shape[1] - 1)]
                    assert k < 3 or bound <= max(rough, NO_COLUMN // 2)
                    finer += bool(k > 2 and bound < rough)
                    if unit == 1 and (supply >= k).all():
                        assert bound == best or max(bound, best) < NO_COLUMN // 2
    assert finer > 10


@cache
def small_tables(seed: int) -> tuple[StepProblem, int]:
    """A step, and its optimum by the integer program."""
    rng = np.random.default_rng(seed)
    free = rng.integers(0, 4, 5)
    n = max(1, int(free.sum()) + (12, -2)[seed % 2])
    problem = StepProblem(rng.integers(0, 400, 5), free, rng.integers(1, 200, n))
    return problem, solve_exact(problem).imbalance


@pytest.mark.parametrize("scans", [1, 2, 3])
def test_small_tables_give_a_valid_interval(monkeypatch: pytest.MonkeyPatch, scans: int) -> None:
    monkeypatch.setattr(
        "solvers.step.branch_and_price.solve._PHASES", ((300, 4), (300, 40), WHOLE)[:scans]
    )
    for seed in range(10):
        problem, optimum = small_tables(seed)
        solution = solve_branch_and_price(problem)
        check(problem, solution)
        assert solution.lower_bound <= optimum <= solution.imbalance


@pytest.mark.parametrize("seed", range(8))
def test_steps_with_a_heavy_tail_are_proved(seed: int) -> None:
    """A pool in which few requests hold most of the load, and rooms of all sizes."""
    rng = np.random.default_rng(seed)
    free = rng.integers(0, 5, 6)
    sizes = np.rint(500 * rng.pareto(0.8, 40) + 100).astype(np.int64)
    problem = StepProblem(200_000 - free * rng.integers(0, 9000, 6), free, sizes)
    solution = solve_branch_and_price(problem, 20)
    check(problem, solution)
    highs = solve_exact(problem, "highs", 20)
    assert solution.lower_bound <= highs.imbalance
    assert solution.optimal
    if highs.claim is not None:
        assert highs.imbalance == solution.imbalance


def test_no_pattern_of_its_own_pays_for_no_worker() -> None:
    """A step that branching could not settle while an empty worker was too cheap."""
    problem = StepProblem(
        [9000, 8800, 8500, 8700, 7000, 8900], [0, 1, 2, 1, 6, 1], list(range(40, 900, 37))
    )
    state = from_scratch(problem)
    deque(explore(state, ACTIONS), maxlen=0)
    assert state.lower == state.upper == solve_exact(problem).imbalance


@pytest.mark.parametrize("seed", range(6))
def test_scan_agrees_with_the_integer_program(seed: int) -> None:
    rng = np.random.default_rng(seed)
    G = 6
    free = rng.integers(0, 4, G)
    n = int(free.sum()) + (0, 0, -3, 5, 12, 30)[seed]
    problem = StepProblem(rng.integers(0, 400, G), free, np.sort(rng.integers(1, 200, max(1, n))))
    scan, highs = solve_branch_and_price(problem), solve_exact(problem)
    check(problem, scan)
    assert scan.imbalance == scan.lower_bound == highs.imbalance == highs.claim


def steady_step(G: int, sizes: np.ndarray, seed: int) -> StepProblem:
    """A step with loads near balance, two free slots a worker, and a pool of 8 G."""
    rng = np.random.default_rng(seed)
    free = rng.binomial(72, 0.03, G)
    missing = np.where(free > 0, rng.integers(100, 900, G) * free, rng.integers(0, 400, G))
    return StepProblem(40_000 - missing, free, rng.choice(sizes, 8 * G))


@pytest.mark.parametrize("family", ["uniform", "lognormal"])
def test_steps_far_beyond_integer_programs_are_proved(family: str) -> None:
    rng = np.random.default_rng(5)
    sizes = {
        "uniform": rng.integers(1, 1001, 10_000),
        "lognormal": np.clip(np.rint(rng.lognormal(6, 1, 10_000)), 1, 14_000).astype(np.int64),
    }[family]
    problem = steady_step(48, sizes, 1)
    solution = solve_branch_and_price(problem)
    check(problem, solution)
    assert solution.optimal


def test_time_limit_gives_an_honest_interval() -> None:
    rng = np.random.default_rng(5)
    problem = steady_step(48, rng.integers(1, 1001, 10_000), 2)
    solution = solve_branch_and_price(problem, time_limit_s=0.0)
    check(problem, solution)
    assert 0 <= solution.lower_bound <= solution.imbalance <= solve_step(problem).imbalance
    assert solution.lower_bound <= solve_branch_and_price(problem).imbalance


def test_step_too_large_for_the_tables_gives_an_honest_interval() -> None:
    # Sizes near 10^12.  Even sizes leave an odd and an even load, so 0 is out, and 10^12 + 2 on
    # the lower worker gives (10^12 + 2, 10^12 + 1): the optimum is 1.
    big = 10**12
    problem = StepProblem([0, 1], [1, 1], [big, big + 2, 4 * big])
    solution = solve_branch_and_price(problem)
    check(problem, solution)
    assert solution.lower_bound <= 1 <= solution.imbalance


def test_free_slots_whose_sum_is_beyond_int64_are_as_many_as_requests() -> None:
    loads, pool = [0, 0, 0], [6, 9, 22, 25, 26, 29, 32]
    problem = StepProblem(loads, [INT_LIMIT - 1] * 3, pool)
    solution = solve_branch_and_price(problem)
    check(problem, solution)
    assert solution.imbalance == enumerate_step(StepProblem(loads, [7] * 3, pool)).imbalance
    assert solution.optimal
    start = StepSolution(solution.assignment, solution.imbalance, 0)
    assert prove(problem, start, 2**20) is start


def test_knapsack_table_is_exact() -> None:
    # Sizes 2 (twice), 3 and 5 at profits 2, 1 and 7.
    values, profits = np.array([2, 3, 5]), np.array([2, 1, 7])
    rows = np.array([0, 0, 1, 2])
    table = np.empty((4, 11), np.int64)
    choice = np.empty((4, 11), np.uint16)
    without_requests(table, True)
    for row in range(4):  # in pieces
        knapsack(values, profits, rows[row : row + 1], table, choice[row : row + 1])
    assert table[1, 4] == 2  # a 2
    assert table[2, 4] == 4  # two 2s
    assert table[2, 7] == 9  # 2 and 5
    assert table[2, 8] == 9  # 3 and 5 would bring 8
    assert table[3, 9] == 11  # 2, 2 and 5
    assert table[3, 8] == 5  # 2, 2 and 3
    assert table[3, 6] < NO_COLUMN // 2  # three requests weigh 7 at least
    out = np.empty(3, np.int64)
    assert read_column(values, rows, choice, 3, 9, out) == 3
    assert sorted(out.tolist()) == [0, 0, 2]
    without_requests(table, False)
    knapsack(values, profits, rows, table, choice)
    assert table[3, 6] == 7  # at most three: the 5 alone


def test_branching_on_rounded_sizes_closes_nothing_wrongly() -> None:
    """A small table and branching alone, from a poor start, on sizes of all magnitudes."""
    rounded = settled = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        free = rng.integers(0, 4, 3)
        n = int(free.sum()) + int(rng.integers(1, 3))
        sizes = np.rint(30 * rng.pareto(1.0, n) + 5).astype(np.int64)
        problem = StepProblem(rng.integers(0, 200, 3), free, sizes)
        if not 2 < problem.admissions < 7:
            continue
        state = from_scratch(problem, (60, 2**18))
        deque(explore(state, (branch,)), maxlen=0)
        assert state.lower <= enumerate_step(problem).imbalance <= state.upper
        rounded += not state.tables.exact
        settled += state.lower == state.upper
    assert rounded > 5
    assert settled > 5
