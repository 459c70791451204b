"""Prices linear between some sizes: rows that add up, and a search that is right with few."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adversary.instances.strategies import step_problems
from solvers.step.branch_and_price import column_generation
from solvers.step.branch_and_price.column_generation import BranchAndPrice
from solvers.step.branch_and_price.price_grid import PriceGrid
from solvers.step.branch_and_price.primal_heuristics import ACTIONS
from solvers.step.branch_and_price.solve import explore
from solvers.step.exact.brute_force import enumerate_step
from solvers.step.exact.milp import largest_first
from solvers.step.problem import StepProblem, StepSolution

distinct_sizes = st.lists(st.integers(1, 10**6), min_size=1, max_size=30, unique=True)


@given(distinct_sizes, st.integers(1, 12), st.data())
def test_rows_and_prices_are_of_the_same_weights(
    sizes: list[int], number: int, data: st.DataObject
) -> None:
    ascending = np.sort(sizes)
    grid = PriceGrid.of(ascending, number)
    numbers = st.lists(st.integers(0, 5), min_size=len(sizes), max_size=len(sizes))
    counts = np.array(data.draw(numbers))
    duals = np.array([*data.draw(numbers), 0])[: grid.number].astype(float)
    row = np.zeros(grid.number)
    for corner, amount in grid.rows(dict(enumerate(counts.tolist()))).items():
        row[corner] += amount
    assert np.allclose(row, grid.amounts(counts))
    assert row @ duals == pytest.approx(counts @ grid.prices(duals))
    # Of all linear prices the size itself is one.
    corners = ascending[[int(np.argmax(grid.below == c)) for c in range(grid.number)]]
    assert np.allclose(grid.prices(corners.astype(float)), ascending)


def test_few_sizes_have_a_row_each() -> None:
    sizes = np.array([3, 5, 900])
    for number in (2, 3, 100):
        assert PriceGrid.of(sizes, number).below.tolist() == [0, 1, 2]
    assert PriceGrid.of(sizes, 1).share.tolist() == [0, 2 / 897, 0]


def test_a_far_size_is_a_corner() -> None:
    # Ten sizes in a row, and one far above them.
    grid = PriceGrid.of(np.array([*range(10, 20), 10**6]), 4)
    assert grid.below[-1] == grid.number - 1
    assert grid.share[-1] == 0


@pytest.mark.parametrize("first", [1, 2, 5])
def test_search_with_few_prices_finds_the_optimum(
    monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    monkeypatch.setattr(column_generation, "_MANY", 1)
    monkeypatch.setattr(column_generation, "_CORNERS", 1)
    monkeypatch.setattr(column_generation, "_ENOUGH", first)
    refined = []
    refine = BranchAndPrice.refine
    monkeypatch.setattr(BranchAndPrice, "refine", lambda s: refined.append(s) or refine(s))

    @settings(max_examples=60)
    @given(problem=step_problems(max_workers=3, max_slots=3, max_pool=6))
    def check(problem: StepProblem) -> None:
        if problem.admissions == 0:
            return
        poor = largest_first(problem)
        start = StepSolution(poor, problem.objective(poor), 0)
        state = BranchAndPrice(problem, start, math.inf, (10**6, 2**14))
        for _ in explore(state, ACTIONS):
            pass
        problem.validate(state.best)
        assert state.lower <= enumerate_step(problem).imbalance <= state.upper
        assert problem.objective(state.best) == state.upper

    check()
    assert refined or first > 1
