"""Predictors against their definitions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvers.policies.bfio import BFIO
from solvers.policies.predictors import (
    FOREVER,
    AgePredictor,
    LengthPredictor,
    NoisyOracle,
    Observed,
    Oracle,
    Survival,
    median_remaining,
    predictor_of,
)
from solvers.simulation.engine import simulate
from theory.model import InputError, Requests, System

REQUESTS = Requests([5, 6, 7], [1, 30, 4000])


def median_in_words(ended, running, age):
    """The least number of steps that at most half of those at that age survive.

    The share that survives a step is estimated from all that were served it, some of which may
    have run on since.
    """
    share, lengths = Fraction(1), [*ended, *running]
    if not any(o > age for o in lengths):
        return FOREVER
    for a in range(age, max(lengths)):
        served = sum(o > a for o in lengths)
        share *= 1 - Fraction(ended.count(a + 1), served)
        if share <= Fraction(1, 2):
            return a - age + 1
    return FOREVER


@given(
    ended=st.lists(st.integers(1, 9), max_size=9), running=st.lists(st.integers(0, 9), max_size=9)
)
def test_the_median_remaining_life_is_what_it_says(ended, running):
    table = median_remaining(np.array(ended, dtype=np.int64), np.array(running, dtype=np.int64))
    assert table.size == max([0, *ended, *running]) + 1
    assert table.tolist() == [median_in_words(ended, running, age) for age in range(table.size)]


def test_the_median_of_complete_lengths_by_hand():
    # Lengths 1 2 3 10.  New: half are gone after 2 steps.  Age 1 (left: 2 3 10): after 2 more one
    # third is left.  Age 2 (3 10): half after 1.  Age 3 to 9 (10): all that is left of it.
    table = Survival([3, 1, 10, 2]).remaining(np.empty(0), np.empty(0))
    assert table[:4].tolist() == [2, 2, 1, 7]
    assert table[9] == 1
    assert table[10] == FOREVER


def test_requests_that_run_on_count_as_longer():
    # One ended after 2 steps, and two others run on at 4: the share at age 0 never falls to 1/2.
    assert median_remaining(np.array([2]), np.array([4, 4])).tolist() == [FOREVER] * 5
    # Ended 2 and 2, one runs on at 4: a third is left after 2.
    assert median_remaining(np.array([2, 2]), np.array([4])).tolist() == [2, 1] + [FOREVER] * 3


def test_equal_lengths_are_predicted_exactly():
    assert Survival([5] * 4).remaining(None, None)[:5].tolist() == [5, 4, 3, 2, 1]


def test_the_oracle_is_right_and_the_noisy_one_near():
    assert Oracle().lengths(REQUESTS).tolist() == [1, 30, 4000]
    assert NoisyOracle(0.0).lengths(REQUESTS).tolist() == [1, 30, 4000]
    many = Requests([1] * 20_000, [1000] * 20_000)
    ratio = np.log(NoisyOracle(0.3, seed=1).lengths(many) / 1000)
    # Means of 20,000 draws: six standard errors are 6 * 0.3 / sqrt(20,000) = 0.013.
    assert abs(ratio.mean()) < 0.013
    assert abs(ratio.std() - 0.3) < 0.013
    first, again, other = (NoisyOracle(0.3, seed).lengths(many) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert NoisyOracle(30.0).lengths(many).min() >= 1


def test_predictors_by_name():
    assert isinstance(predictor_of("oracle"), LengthPredictor)
    assert isinstance(predictor_of("observed"), AgePredictor)
    assert predictor_of("noisy:0.25", 9).seed == 9
    mine = Survival([3])
    assert predictor_of(mine) is mine


@pytest.mark.parametrize(
    "spec", ["", "tarot", "noisy", "noisy:", "noisy:x", "noisy:nan", "oracle:2", 3]
)
def test_an_unknown_predictor_is_refused(spec):
    with pytest.raises(InputError, match="known: oracle, observed, noisy:ERROR"):
        predictor_of(spec)


@pytest.mark.parametrize("lengths", [[], [0, 1], [1.5], [[1]], "abc"])
def test_a_survival_predictor_needs_lengths(lengths):
    with pytest.raises(InputError):
        Survival(lengths)


class Wrong:
    name = "wrong"

    def __init__(self, answer):
        self.answer = answer

    def lengths(self, requests):
        return self.answer


@pytest.mark.parametrize("answer", [[1, 2], [1, 2, 0], [1.0, 2.0, 3.0], None, [[1, 2, 3]]])
def test_a_predictor_that_predicts_nonsense_is_named(answer):
    with pytest.raises(InputError, match="predictor 'wrong' must return 3 integers >= 1"):
        simulate(System(1, 1), REQUESTS, BFIO(horizon=2, predictor=Wrong(answer)))


def test_a_horizon_needs_a_predictor():
    class Blind:
        name, horizon = "blind", 3

        def admit(self, view):
            raise NotImplementedError

    with pytest.raises(InputError, match="policy 'blind' has a horizon and no predictor"):
        simulate(System(1, 1), REQUESTS, Blind())


def test_a_window_that_could_overflow_is_refused():
    # 2^51 * 2^9 = 2^60 of work is fine, and a window of 10,000 steps of it is not.
    requests = Requests([2**50] * 2, [2**9, 2**9])
    simulate(System(2, 1, (0,)), requests, "bfio:horizon=9")
    with pytest.raises(InputError, match="use a shorter horizon"):
        simulate(System(2, 1, (0,)), requests, "bfio:horizon=10000")


def test_an_age_predictor_learns_during_the_run():
    seen = []

    class Spy(Observed):
        def remaining(self, ended, running):
            seen.append((sorted(ended.tolist()), sorted(running.tolist())))
            return super().remaining(ended, running)

    lengths = [1, 2, 3, 4, 5, 6, 7, 8]
    simulate(System(1, 1), Requests([1] * 8, lengths), BFIO(horizon=2, predictor=Spy()), pool=1)
    # One slot: nobody runs when the next is admitted.  Asked at 0, 1, 2 and 4 departures.
    assert seen == [([], []), ([1], []), ([1, 2], []), ([1, 2, 3, 4], [])]
