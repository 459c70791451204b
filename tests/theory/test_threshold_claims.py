"""The balance threshold: criterion and explicit bounds."""

from fractions import Fraction
from itertools import product
from math import exp

import pytest

from theory.formulas.rebalancing import (
    age_squares,
    can_rebalance,
    failure_bound,
    failure_probability,
    guaranteed_slots,
    stationary_failure_bound,
    sufficient_slots,
    unavoidable_imbalance,
)
from theory.formulas.step import waterfill_optimum
from theory.model import InputError


def test_criterion_agrees_with_water_filling():
    # Two workers with the same total load 9 after growth; every subset of requests may depart.
    state = ((1, 3, 5), (2, 2, 5))
    for a, b in ((1, 1), (1, 2), (2, 3), (1, 4)):
        for departs in product(product((False, True), repeat=3), repeat=2):
            gone = [
                [w for w, out in zip(row, outs, strict=True) if out]
                for row, outs in zip(state, departs, strict=True)
            ]
            loads = [sum(row) - sum(left) for row, left in zip(state, gone, strict=True)]
            optimum = waterfill_optimum(loads, [len(left) for left in gone], a, b)[0]
            assert can_rebalance(gone, a, b) == (optimum == 0)


def test_failure_bound_by_hand():
    # Rows of B = 2 with sum 6, a = 1, b = 3, p = 1/2.  t = 2 * 1/2 * 2 = 2.
    # Largest sums of squares: (w-3)^2 gives 4 + 4 = 8 on (1, 5); (w-1)^2 gives 16 there; so
    # V = 1/4 * 24 = 6.  R = max(1/2 * 2, 1/2 * 2, 1/2 * 4) = 2.
    expected = 2 * exp(-4 / (2 * (6 + 2 * 2 / 3)))
    assert failure_bound(((1, 5), (3, 3)), 0.5, 1, 3) == pytest.approx(min(1, expected))
    assert expected > 1
    wide = failure_bound(((1, 5) * 50, (3, 3) * 50), 0.5, 1, 3)
    # The same with 50 times the slots: t = 100, V = 300.
    assert wide == pytest.approx(2 * exp(-(100**2) / (2 * (300 + 2 * 100 / 3))))


def test_failure_probability_counts_departure_patterns():
    for state, p, a, b in (
        (((1, 3, 5), (2, 2, 5)), Fraction(1, 3), 1, 2),
        (((2, 2), (1, 3), (2, 2)), Fraction(1, 2), 1, 1),
        (((9, 1), (5, 5)), Fraction(1, 4), 1, 6),
    ):
        B = len(state[0])
        failed = Fraction(0)
        for departs in product(product((False, True), repeat=B), repeat=len(state)):
            gone = [
                [w for w, out in zip(row, outs, strict=True) if out]
                for row, outs in zip(state, departs, strict=True)
            ]
            k = sum(map(len, gone))
            if not can_rebalance(gone, a, b):
                failed += p**k * (1 - p) ** (B * len(state) - k)
        assert failed > 0
        assert failure_probability(state, p, a, b) == failed
        assert failed <= failure_bound(state, float(p), a, b)


def test_failure_bound_refuses_unbalanced_states():
    with pytest.raises(InputError, match="one sum"):
        failure_bound(((1, 2), (2, 2)), 0.5, 1, 2)
    with pytest.raises(InputError, match="must be >= a"):
        failure_bound(((1, 3), (2, 2)), 0.5, 2, 3)


def test_sufficient_slots_make_the_bound_small():
    # States of B/2 requests of load 2 and B/2 of load 30; a = 1, b = 20, p = 1/5.
    p, a, b, failure = 0.2, 1, 20, 0.01
    square = ((18**2 + 10**2) / 2 + (1 + 29**2) / 2) / 2
    reach = max((1 - p) * 10, p * 18, p * 29)
    B = sufficient_slots(8, p, b - a, failure, square=square, reach=reach)
    B += B % 2
    state = ((2, 30) * (B // 2),) * 8
    assert failure_bound(state, p, a, b) <= failure
    # The constant is not idle: a quarter of the slots does not do.
    quarter = B // 8 * 2
    assert failure_bound(((2, 30) * (quarter // 2),) * 8, p, a, b) > failure


@pytest.mark.parametrize(("p", "d"), [(0.5, 1), (0.1, 3), (0.3, 7), (1.0, 2)])
def test_age_squares_are_the_series(p, d):
    law = [(n, p * (1 - p) ** (n - 1)) for n in range(1, 800)]
    first, second = age_squares(p, d)
    # The tail beyond 800 is below 0.9^800 * 800^2 / p < 1e-28.
    assert first == pytest.approx(sum((d + n) ** 2 * w for n, w in law))
    assert second == pytest.approx(sum(max(n, d) ** 2 * w for n, w in law))


def test_stationary_bound_falls_with_slots_and_rises_with_workers():
    values = [stationary_failure_bound(16, B, 0.2, 10) for B in (64, 512, 1024, 4096)]
    assert values[0] == 1
    assert values == sorted(values, reverse=True)
    assert values[-1] < 1e-6
    assert stationary_failure_bound(64, 1024, 0.2, 10) > values[2]
    B = guaranteed_slots(16, 0.2, 10, 0.5)
    assert stationary_failure_bound(16, B, 0.2, 10) <= 0.5
    assert stationary_failure_bound(16, B // 2, 0.2, 10) > 0.5


def test_guaranteed_slots_have_the_order_of_the_frontier():
    # For p d well below 1, B ~ ln G / (p^3 d^2): halving p costs a factor near 8.
    coarse, fine = (guaranteed_slots(16, p, 2, 0.5) for p in (0.04, 0.02))
    assert 4 <= fine / coarse <= 16


def test_unavoidable_imbalance_of_two_single_slots():
    # E|A - A'| of two iid geometric ages from 0 is 2 (1-p) / (p (2-p)); with p = 1/4 it is 24/7.
    exact = Fraction(24, 7)
    assert float(unavoidable_imbalance(2, 1, Fraction(1, 4), 0)) == pytest.approx(float(exact))
    assert unavoidable_imbalance(2, 1, Fraction(1, 4), 0) <= exact
    assert float(unavoidable_imbalance(2, 1, Fraction(1, 4), 2)) == pytest.approx(float(exact) - 2)
    assert unavoidable_imbalance(2, 1, Fraction(1, 4), 4) == 0
    assert unavoidable_imbalance(2, 1, Fraction(1, 4), 0, step=0) == 0


def test_unavoidable_imbalance_grows_beyond_every_multiple_of_the_claimed_side():
    # (G-1) s_max / p with sizes in [1, 2]; B near E_G^2 (1-p) / (4 p^2 d^2), d = 1.  The ratio is
    # of the order E_G^2 (1-p) / (4 p d s_max): halving p doubles it.
    ratios = []
    for p, B in ((Fraction(1, 5), 64), (Fraction(1, 10), 256), (Fraction(1, 20), 1024)):
        ratios.append(float(unavoidable_imbalance(1024, B, p, 1) / (1023 * 2 / p)))
    assert ratios[0] > 6
    assert ratios[1] > 1.8 * ratios[0]
    assert ratios[2] > 1.8 * ratios[1]
