"""Closed forms about one admission step against brute force."""

from fractions import Fraction
from functools import cache
from itertools import combinations, combinations_with_replacement, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from theory.formulas.step import (
    criterion_violation,
    full_refill_bound,
    full_refill_extremal,
    gap_condition,
    lp_optimum,
    simple_lower_bound,
    waterfill_loads,
    waterfill_optimum,
)


def admissions(free, pool):
    """Every work-conserving admission as a tuple of workers, -1 for a request that waits."""
    workers = range(-1, len(free))
    admitted = min(len(pool), sum(free))
    for choice in product(workers, repeat=len(pool)):
        if len(pool) - choice.count(-1) == admitted and all(
            choice.count(g) <= c for g, c in enumerate(free)
        ):
            yield choice


def loads_after(loads, pool, choice):
    after = list(loads)
    for size, g in zip(pool, choice, strict=True):
        if g >= 0:
            after[g] += size
    return after


@cache
def best(loads, free, pool):
    """Smallest (imbalance, maximum) over all admissions."""
    after = (loads_after(loads, pool, choice) for choice in admissions(free, pool))
    return min((len(x) * max(x) - sum(x), max(x)) for x in after)


def multisets(low, high, size):
    return combinations_with_replacement(range(low, high + 1), size)


@pytest.mark.parametrize(
    ("G", "B", "a", "b"), [(2, 1, 1, 5), (2, 2, 1, 4), (2, 3, 1, 2), (3, 2, 1, 2)]
)
def test_full_refill_worst_case_is_exactly_the_bound(G, B, a, b):
    optimum = {pool: best((0,) * G, (B,) * G, pool)[0] for pool in multisets(a, b, G * B)}
    assert max(optimum.values()) == full_refill_bound(G, a, b)
    assert optimum[full_refill_extremal(G, B, a, b)] == full_refill_bound(G, a, b)


@pytest.mark.parametrize("free", [(1, 1), (2, 1), (0, 2), (0, 0)])
@pytest.mark.parametrize("sizes", [(1, 1), (1, 3), (2, 3)])
def test_waterfill_is_the_optimum_under_a_rich_pool(free, sizes):
    a, b = sizes
    pool = tuple(size for size in range(a, b + 1) for _ in range(sum(free)))
    for loads in product(range(6), repeat=2):
        assert waterfill_optimum(loads, free, a, b) == best(loads, free, pool)


def test_waterfill_loads_have_the_stated_imbalance():
    loads, free = (0, 7, 3), (2, 1, 0)
    imbalance, level = waterfill_optimum(loads, free, 1, 2)
    # Levels: 0 + 2, 7 + 1, 3 + 0, so M = 8; reach 4, 9, 3; gaps 4, 0, 5.
    assert (imbalance, level) == (9, 8)
    assert waterfill_loads(loads, free, 1, 2) == (4, 8, 3)


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 4)), min_size=1, max_size=5),
    st.integers(1, 6),
    st.integers(0, 6),
)
def test_violation_of_the_criterion_bounds_the_imbalance_on_both_sides(workers, a, spread):
    loads, free = zip(*workers, strict=True)
    imbalance = waterfill_optimum(loads, free, a, a + spread)[0]
    violation = criterion_violation(loads, free, a, a + spread)
    assert violation <= imbalance <= (len(loads) - 1) * violation


def test_lower_bound_by_hand():
    # K = 0: worker 1 takes both its slots, at least 1 + 1; the mean is (9 + 1 + 1 + 5) / 2 = 8.
    # LB = 9 from worker 0; worker 1 reaches at most 0 + 5 + 1 = 6.
    assert simple_lower_bound((9, 0), (0, 2), (1, 1, 5)) == (3, 9)
    # K = 1: one slot stays empty, no worker is forced; mean (0 + 0 + 7) / 2, so LB = 4.
    assert simple_lower_bound((0, 0), (1, 1), (7,)) == (0, 4)


small_steps = st.tuples(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2)), min_size=1, max_size=3),
    st.lists(st.integers(1, 6), max_size=5),
)


@given(small_steps)
def test_bounds_stay_below_the_optimum(step):
    workers, pool = step
    loads, free = zip(*workers, strict=True)
    imbalance, level = simple_lower_bound(loads, free, pool)
    relaxed, relaxed_level = lp_optimum(loads, free, pool)
    after = [loads_after(loads, pool, choice) for choice in admissions(free, pool)]
    assert level <= min(map(max, after))
    assert relaxed_level <= min(map(max, after))
    optimum = best(loads, free, tuple(pool))[0]
    assert imbalance <= optimum
    assert relaxed <= optimum


def lp_over_all_sets(loads, free, pool):
    """The closed form before the prefix argument: maxima over all non-empty sets of workers."""
    ascending = sorted(pool)
    empty = sum(free) - min(len(pool), sum(free))

    def smallest(k):
        return sum(ascending[: max(k, 0)])

    def largest(k):
        return sum(ascending[::-1][:k])

    sets = [w for r in range(1, len(loads) + 1) for w in combinations(range(len(loads)), r)]
    level = max(
        Fraction(sum(loads[g] for g in w) + smallest(sum(free[g] for g in w) - empty), len(w))
        for w in sets
    )
    deficit = max(sum(level - loads[g] for g in w) - largest(sum(free[g] for g in w)) for w in sets)
    return max(Fraction(0), deficit), level


def lp_by_solver(loads, free, pool):
    G, n = len(loads), len(pool)
    cost = np.append(np.repeat(-np.array(pool, dtype=float), G), G)
    rows, limits = [], []
    for g in range(G):
        on_worker = np.append(np.tile(np.arange(G) == g, n).astype(float), 0.0)
        rows += [on_worker * np.append(np.repeat(pool, G), 0), on_worker]
        rows[-2][-1] = -1.0
        limits += [-loads[g], free[g]]
    for i in range(n):
        rows.append(np.append((np.arange(n * G) // G == i).astype(float), 0.0))
        limits.append(1)
    total = np.append(np.ones(n * G), 0.0)[None]
    result = linprog(cost, np.array(rows), limits, total, [min(n, sum(free))], method="highs")
    return result.fun - sum(loads)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), min_size=1, max_size=4),
    st.lists(st.integers(1, 9), max_size=12),
)
def test_lp_closed_form_needs_prefixes_only(workers, pool):
    loads, free = zip(*workers, strict=True)
    assert lp_optimum(loads, free, pool) == lp_over_all_sets(loads, free, pool)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), min_size=1, max_size=4),
    st.lists(st.integers(1, 9), min_size=1, max_size=8),
)
def test_lp_closed_form_is_the_lp_optimum(workers, pool):
    loads, free = zip(*workers, strict=True)
    # Optima are below 4 * 27 + 36 in size; HiGHS is accurate to 1e-7 relative.
    assert float(lp_optimum(loads, free, pool)[0]) == pytest.approx(
        lp_by_solver(loads, free, pool), abs=1e-5
    )


def test_lp_relaxation_splits_a_request():
    # One request of size 3 for two slots: split in halves, both workers end at 3/2.
    assert lp_optimum((0, 0), (1, 1), (3,)) == (0, Fraction(3, 2))
    # Rich and tight: worker 0 is stuck at 4, worker 1 reaches 3 at most.
    assert lp_optimum((4, 0), (0, 1), (1, 3)) == (1, 4)


def test_gap_condition_by_hand():
    assert gap_condition((0, 0), (3, 3), 1)
    assert gap_condition((2, 0), (1, 1), 2)
    assert not gap_condition((3, 0), (1, 1), 2)
    # One more slot on the larger load leaves no room for a difference, two demand -s_max.
    assert gap_condition((1, 1), (2, 1), 2)
    assert not gap_condition((2, 1), (2, 1), 2)
    assert gap_condition((0, 2), (3, 1), 2)
    assert not gap_condition((0, 1), (3, 1), 2)


# Smallest steps, as (loads, free, pool, s_max), where an optimum leaves max - min > s_max: a
# worker without a free slot; unequal slots, however rich the pool; a tie among optima (only the
# last needs three workers, and there another optimum has gap 2).
GAP_WITNESSES = (
    ((0, 1), (0, 1), (1,), 1),
    ((0, 1), (1, 2), (1, 1, 1), 1),
    ((0, 0, 0), (2, 2, 2), (1, 1, 3, 3, 3, 3), 3),
)


@pytest.mark.parametrize(("loads", "free", "pool", "s_max"), GAP_WITNESSES)
def test_gap_witnesses_break_the_naive_statement(loads, free, pool, s_max):
    after = [loads_after(loads, pool, choice) for choice in admissions(free, pool)]
    optimum = best(loads, free, pool)[0]
    gaps = {max(x) - min(x) for x in after if len(x) * max(x) - sum(x) == optimum}
    assert max(pool) == s_max
    assert max(gaps) > s_max
    # The third is a tie: it meets the condition, and another of its optima keeps the gap.
    assert gap_condition(loads, free, s_max) == (min(gaps) <= s_max)
