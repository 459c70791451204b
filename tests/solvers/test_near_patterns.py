"""Columns listed, drawn and priced, against all combinations."""

from itertools import combinations_with_replacement

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.step.branch_and_price.columns import NO_COLUMN, SCALE, knapsack, without_requests
from solvers.step.branch_and_price.pricing_enumeration import (
    Knapsack,
    best_column,
    enumerate_columns,
    sample_columns,
)
from solvers.step.branch_and_price.pricing_pairs import (
    EMPTY_FRONT,
    best_within,
    pareto_front,
    place_within,
    short_columns,
    short_columns_within,
)

pools = st.dictionaries(st.integers(1, 40), st.integers(0, 3), min_size=1, max_size=6)


def all_columns(sizes, supply, k, room):
    """Ascending indices of every column of ``k`` requests within the room."""
    for chosen in combinations_with_replacement(range(sizes.size), k):
        fits = sizes[list(chosen)].sum() <= room
        if fits and all(chosen.count(j) <= supply[j] for j in chosen):
            yield chosen


def priced(pool, seed):
    """Sizes, supply, and profits under random prices."""
    sizes = np.array(sorted(pool))
    supply = np.array([pool[size] for size in sizes.tolist()])
    rng = np.random.default_rng(seed)
    prices = rng.integers(0, rng.choice([3, 20 * SCALE]), sizes.size)  # near ties, and far apart
    return sizes, supply, sizes * SCALE - prices


@settings(max_examples=200)
@given(
    pools,
    st.integers(1, 4),
    st.integers(0, 120),
    st.integers(1, 7),
    st.integers(0, 30),
    st.integers(0, 2),
)
def test_patterns_near_the_best_are_all_listed(pool, k, room, unit, loss, lists):
    sizes, supply, profits = priced(pool, room)
    weights, rows = sizes // unit, np.repeat(np.arange(sizes.size), supply)
    fits = weights[rows] <= room // unit
    rows = rows[fits]
    table = np.empty((k + 1, room // unit + 1), np.int64)
    choice = np.empty((rows.size, room // unit + 1), np.uint16)
    without_requests(table, True)
    knapsack(weights, profits, rows, table, choice)
    columns = {p: profits[list(p)].sum() for p in all_columns(sizes, supply, k, room)}
    least = max(columns.values(), default=0) - loss * SCALE
    wanted = {p for p, profit in columns.items() if profit >= least}
    out = np.empty((len(columns) + 1, k), np.int64)
    short = [
        pareto_front(short_columns(sizes, supply, length, room), length, profits, supply)
        for length in (1, 2)[:lists]
    ]
    singles, pairs = (*short, EMPTY_FRONT, EMPTY_FRONT)[:2]
    choice = Knapsack(sizes, profits, supply, table, unit, singles, pairs, room)
    count, complete = enumerate_columns(choice, least, NO_COLUMN, 10**6, out)
    assert complete
    assert len({tuple(p) for p in out[:count].tolist()}) == count
    assert {tuple(p) for p in out[:count].tolist()} == wanted
    if wanted:
        some = out[: len(wanted) - 1]
        assert enumerate_columns(choice, least, NO_COLUMN, 10**6, some) == (len(wanted) - 1, False)
    drawn = sample_columns(choice, least, out)
    most = max(int(table[k, room // unit]), 0)
    fitting = np.zeros((1, k), np.int64)
    lost = best_column(choice, most, 10**6, fitting)
    assert lost >= 0
    if columns:
        assert lost <= most - max(columns.values())
        assert columns.get(tuple(fitting[0].tolist())) == max(columns.values())
        assert lost == most - max(columns.values())
        for patience in (0, 3, 10):
            hasty = best_column(choice, most, patience, fitting)
            assert 0 <= hasty <= most - max(columns.values())
        # One that brings more counts as the most.
        assert best_column(choice, max(columns.values()) - SCALE, 10**6, fitting) == 0
    assert {tuple(p) for p in out[:drawn].tolist()} <= wanted


@settings(max_examples=200)
@given(pools, st.integers(1, 2), st.integers(0, 90), st.integers(0, 30))
def test_short_patterns_are_priced_exactly(pool, length, room, loss):
    sizes, supply, profits = priced(pool, room)
    short = short_columns(sizes, np.maximum(supply, 1), length, 80)
    best_short = pareto_front(short, length, profits, supply)
    columns = {p: profits[list(p)].sum() for p in all_columns(sizes, supply, length, min(room, 80))}
    found, place = best_within(best_short, room)
    best = max(columns.values(), default=NO_COLUMN)
    assert found == best
    if columns:
        assert columns[(best_short.first[place], best_short.second[place])[:length]] == best
    least = best - loss * SCALE
    out = np.empty((len(columns) + 1, length), np.int64)
    count, complete = short_columns_within(short, profits, supply, room, least, out)
    assert complete
    wanted = {p for p, profit in columns.items() if profit >= least}
    assert {tuple(p) for p in out[:count].tolist()} == wanted
    assert len(wanted) == count


def test_where_nothing_fits_the_loss_is_beyond_measure():
    sizes, supply = np.array([7]), np.array([2])
    table = np.zeros((3, 3), np.int64)  # of sizes rounded down to multiples of 6: two would fit
    choice = Knapsack(sizes, sizes * SCALE, supply, table, 6, EMPTY_FRONT, EMPTY_FRONT, 13)
    assert 2**53 < best_column(choice, 13 * SCALE, 99, np.zeros((1, 2), np.int64)) < 2**60


@settings(max_examples=200)
@given(st.lists(st.integers(0, 10**6), unique=True), st.integers(0, 2 * 10**6), st.integers(0, 22))
def test_places_in_a_staircase_are_those_of_a_sorted_search(rooms, room, shift):
    """With few and with many rooms in a bucket."""
    rooms = np.array(sorted(rooms), np.int64)
    buckets = np.arange((int(rooms.max(initial=0)) >> shift) + 2)
    below = np.searchsorted(rooms >> shift, buckets)
    wanted = np.searchsorted(rooms, room, side="right") - 1
    assert place_within(rooms, below, shift, room) == wanted
