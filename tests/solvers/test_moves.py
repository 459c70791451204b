"""Moves on a plan: by hand on four requests, and what they never do, on random plans."""

from itertools import chain

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from solvers.step.fast.bitset import remove
from solvers.step.fast.local_moves import lower_top
from solvers.step.fast.partial_assignment import empty_plan, fill
from solvers.step.sorted_sizes import indexed, sorted_pool


def plan_of(loads, given_sizes):
    """A plan in which each worker has taken the given sizes, and its pool."""
    every = sorted((size, g) for g, sizes in enumerate(given_sizes) for size in sizes)
    pool = indexed(sorted_pool(np.array([size for size, _ in every])))
    free = np.array([len(sizes) for sizes in given_sizes])
    plan = empty_plan(np.array(loads), free, len(every))
    for place, (size, g) in enumerate(every):
        plan.item[plan.start[g] + plan.taken[g]] = place
        plan.taken[g] += 1
        plan.after[g] += size
        remove(plan.words, plan.summary, place)
    return plan, pool


def held(plan, pool):
    stretches = zip(plan.start[:-1], plan.taken, strict=True)
    return [pool.sizes[plan.item[s : s + t]].tolist() for s, t in stretches]


def test_one_trade_brings_the_highest_down_to_the_level():
    # (9, 5) has 5 + 4 and 3 + 2: 4 for 2 or 5 for 3 leaves (7, 7).
    plan, pool = plan_of([0, 0], [[5, 4], [3, 2]])
    lower_top(plan, pool, 7, 1)
    assert plan.after.tolist() == [7, 7]
    assert sorted(chain(*held(plan, pool))) == [2, 3, 4, 5]


def test_loads_at_the_level_stay():
    plan, pool = plan_of([0, 0], [[5, 4], [3, 2]])
    lower_top(plan, pool, 9, 16)
    assert held(plan, pool) == [[4, 5], [2, 3]]


def test_a_worker_that_cannot_trade_is_passed_over():
    # Worker 2 holds the least, one request of 6, larger than what worker 0 has; worker 1 trades.
    plan, pool = plan_of([6, 4, 0], [[5, 4], [3, 2], [6]])
    lower_top(plan, pool, 13, 1)
    assert (plan.after[0], plan.after[2]) == (13, 6)
    assert plan.after.sum() == 30


@given(st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=4), min_size=2, max_size=5))
def test_requests_are_only_exchanged_and_the_top_never_rises(sizes):
    plan, pool = plan_of([0] * len(sizes), sizes)
    before = plan.after.copy()
    lower_top(plan, pool, 0, 16)
    assert plan.after.max() <= before.max()
    assert [len(own) for own in held(plan, pool)] == [len(own) for own in sizes]
    assert [sum(own) for own in held(plan, pool)] == plan.after.tolist()
    assert sorted(chain(*held(plan, pool))) == sorted(chain(*sizes))


def test_filling_takes_as_many_as_fit():
    pool = sorted_pool(np.array([1, 2, 3]))
    plan = empty_plan(np.array([0, 0]), np.array([1, 1]), 3)
    fill(plan, pool, 3, np.inf)
    assert plan.taken.tolist() == [1, 1]
