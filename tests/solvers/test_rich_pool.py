"""Runs under a rich pool by water-filling."""

from itertools import islice

import numpy as np
import pytest

from solvers.simulation import rich_pool
from solvers.simulation.rich_pool import balanced_state, departures, level_sizes, rich_pool_run
from theory.formulas.rebalancing import can_rebalance
from theory.formulas.step import waterfill_optimum
from theory.model import InputError, imbalance


def test_sizes_are_level_and_add_up():
    departed = np.array([[True, False, True, True], [False] * 4])
    assert level_sizes(departed, np.array([8, 0])).tolist() == [[3, 0, 3, 2], [0, 0, 0, 0]]


def test_balanced_states_are_balanced_and_admissible():
    rng = np.random.default_rng(1)
    for _ in range(20):
        state = balanced_state(3, 40, 0.2, (2, 9), rng)
        assert state is not None
        assert len(set(state.sum(axis=1).tolist())) == 1
        assert int(state.min()) >= 2 + 1
    assert balanced_state(8, 1, 0.01, (1, 2), np.random.default_rng(0)) is None


def test_departures_are_those_of_one_row_of_coins(monkeypatch):
    # So few at a time that gaps reach over the ends.
    monkeypatch.setattr(rich_pool, "_STEPS", 5)
    slots, steps, p = 7, 3000, 0.11
    found = [out.tolist() for out in islice(departures(slots, p, np.random.default_rng(2)), steps)]
    row = np.array([step * slots + slot for step, out in enumerate(found) for slot in out])
    assert all(0 <= slot < slots for out in found for slot in out)
    gaps = np.diff(row, prepend=-1)
    assert gaps.min() >= 1
    # Gaps of fair draws have mean 1/p and variance (1-p)/p^2; five deviations.
    assert abs(gaps.mean() * p - 1) < 5 * ((1 - p) / gaps.size) ** 0.5
    for gap in (1, 2, 20):
        chance = p * (1 - p) ** (gap - 1)
        seen = np.count_nonzero(gaps == gap) / gaps.size
        assert abs(seen - chance) < 5 * (chance * (1 - chance) / gaps.size) ** 0.5


def test_where_all_depart_all_do():
    every = islice(departures(3, 1.0, np.random.default_rng(0)), 4)
    assert [out.tolist() for out in every] == [[0, 1, 2]] * 4


def test_a_run_is_the_plain_replay_with_the_same_departures():
    G, B, p, (a, b) = 4, 6, 0.3, (1, 3)
    run = rich_pool_run(G, B, p, (a, b), np.random.default_rng(3))
    leaving = departures(G * B, p, np.random.default_rng(3))
    state = [[None] * B for _ in range(G)]
    costs = []
    for loads in islice(run, 60):
        kept = [sum(w for w in row if w is not None) for row in state]
        free = [row.count(None) for row in state]
        cost, level = waterfill_optimum(kept, free, a, b)
        for row, load, c in zip(state, kept, free, strict=True):
            total = min(level, load + c * b) - load
            sizes = [total // c + (i < total % c) for i in range(c)]
            row[:] = [sizes.pop(0) if w is None else w for w in row]
        assert loads.tolist() == [sum(row) for row in state]
        assert imbalance(loads) == cost
        costs.append(cost)
        left = set(next(leaving).tolist())
        state = [
            [None if g * B + slot in left else w + 1 for slot, w in enumerate(row)]
            for g, row in enumerate(state)
        ]
    assert costs[0] == 0
    assert max(costs) > 0


def test_one_step_of_a_run_by_hand():
    steps = rich_pool_run(2, 3, 0.5, (1, 2), np.random.default_rng(5))
    first = next(steps)
    second = next(steps)
    left = next(departures(6, 0.5, np.random.default_rng(5))).tolist()
    free = [sum(slot < 3 for slot in left), sum(slot >= 3 for slot in left)]
    # Every request had size 1, load 2 after growth.
    kept = [2 * (3 - c) for c in free]
    assert first.tolist() == [3, 3]
    assert (imbalance(second), int(second.max())) == waterfill_optimum(kept, free, 1, 2)
    gone = [[2] * c for c in free]
    assert can_rebalance(gone, 1, 2) == (imbalance(second) == 0)


@pytest.mark.parametrize(
    "bad", [(0, 1, 0.5, (1, 2)), (1, 1, 0.0, (1, 2)), (1, 1, 0.5, (2, 1)), (1, 1, 0.5, (0, 1))]
)
def test_bad_parameters(bad):
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="rich pool"):
        balanced_state(*bad, rng)
    with pytest.raises(InputError, match="rich pool"):
        next(rich_pool_run(*bad, rng))
