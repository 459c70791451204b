"""Strategies: each regime is what it says, and the draws cover what they are for."""

import pytest
from hypothesis import find, given

from adversary.instances.strategies import (
    REGIMES,
    instances,
    policy_names,
    requests,
    small_integers,
    small_lists,
    step_problems,
    systems,
)
from solvers.policies.registry import POLICIES
from theory.model import InputError, imbalance

IS = {
    "any": lambda _: True,
    "rich": lambda p: len(p.pool) > sum(p.free) or len(p.pool) == 0,
    "poor": lambda p: len(p.pool) < sum(p.free) or len(p.pool) == 0,
    "ties": lambda p: len(set(p.pool.tolist())) <= 2,
    "closed": lambda p: 0 in p.free,
    "giants": lambda _: True,
    "equal-loads": lambda p: len(set(p.loads.tolist())) == 1,
    "refill": lambda p: len(p.pool) == sum(p.free) and not p.loads.any(),
}


@pytest.mark.parametrize("regime", REGIMES)
def test_regimes_are_what_they_say(regime):
    @given(step_problems(regime))
    def check(problem):
        assert IS[regime](problem)
        assert problem.workers <= 4
        assert len(problem.pool) <= 8

    check()


@pytest.mark.parametrize(
    "wanted",
    [
        lambda p: len(p.pool) > sum(p.free) > 2 and p.workers > 2,
        lambda p: 0 < len(p.pool) < sum(p.free) and p.workers > 2,
        lambda p: len(p.pool) > 1 and p.pool.max() > 1000,
        lambda p: p.workers > 1 and sum(p.free) == 0 and p.loads.any(),
        lambda p: len(p.pool) == sum(p.free) >= 4 and p.workers == 2 and imbalance(p.pool) > 0,
    ],
)
def test_every_corner_is_reached(wanted):
    assert wanted(find(step_problems(), wanted))


@given(instances(), policy_names(), systems(), requests(timed=True))
def test_instances_fit_their_bounds(instance, name, system, timed):
    assert 1 <= instance.pool <= 2 * instance.system.capacity
    assert len(instance.requests) <= 10
    assert name in POLICIES
    assert system.capacity <= 12
    assert timed.arrival is not None


SHAPES = ((range(3, 5), 2), (range(-1, 1), 0), (range(0, 9, 4), 1, 3))


@given(small_lists(*SHAPES), small_integers(7, 7, 2))
def test_lists_have_the_lengths_and_values_asked_for(lists, alone):
    first, nothing, last = lists
    assert len(first) == 2
    assert nothing == []
    assert 1 <= len(last) <= 3
    assert {*first} <= {3, 4}
    assert {*last} <= {0, 4, 8}
    assert alone == [7, 7]


@pytest.mark.parametrize("wanted", [([4, 3], [], [8]), ([3, 4], [], [0, 4, 8])])
def test_lists_reach_every_value_in_every_place(wanted):
    assert find(small_lists(*SHAPES), lambda lists: lists == wanted) == wanted


@pytest.mark.parametrize("values", [range(0), range(257)])
def test_a_byte_chooses_from_no_more_than_256_values(values):
    with pytest.raises(InputError, match="between 1 and 256"):
        small_lists((values, 1))
