from fractions import Fraction
from math import log, pi, sqrt

import pytest

from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Law
from theory.laws.order_statistics import (
    berry_esseen_bound,
    berry_esseen_distance,
    effective_constant,
    expected_max_of_normals,
    pairing_bound,
)
from theory.laws.slot_load import geometric_slot
from theory.model import InputError


def test_known_maxima_of_normals() -> None:
    # 0, 1/sqrt(pi), 3/(2 sqrt(pi)) for one, two and three normals.
    for workers, value in ((1, 0.0), (2, 1 / sqrt(pi)), (3, 1.5 / sqrt(pi))):
        enclosure = expected_max_of_normals(workers)
        assert abs(float(enclosure) - value) < 1e-15
        assert enclosure.upper - enclosure.lower < Fraction(1, 10**36)


LAWS = [
    Law.uniform(1, 100),
    Law.of({1: Fraction(9, 10), 50: Fraction(1, 10)}),
    geometric_slot(Law.uniform(1, 20), Fraction(1, 20)),
]


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("workers", "slots"), [(2, 1), (2, 72), (16, 8), (64, 400)])
def test_lower_bounds_lie_below_the_exact_value(law: Law, workers: int, slots: int) -> None:
    exact = expected_imbalance(law, workers, slots).imbalance.lower
    assert berry_esseen_bound(law, workers, slots) < exact
    assert 0 < pairing_bound(law, workers, slots) < exact


def test_berry_esseen_gains_the_logarithm() -> None:
    law = Law.uniform(1, 100)
    exact = expected_imbalance(law, 64, 1000).imbalance
    assert berry_esseen_bound(law, 64, 1000) > exact.upper * Fraction(7, 10)
    assert pairing_bound(law, 64, 1000) < exact.lower / 4


def test_berry_esseen_distance_is_a_bound() -> None:
    # For a fair coin on {0, 1} and B = 1 the true distance is Phi(1) - 1/2 = 0.3413.
    coin = Law.of({0: Fraction(1, 2), 1: Fraction(1, 2)})
    assert 0.3413 < float(berry_esseen_distance(coin, 1)) < 0.4748
    # B = 100: the true distance is half the central atom, about 0.0398.
    assert 0.0398 < float(berry_esseen_distance(coin, 100)) < 0.048


def test_degenerate_laws() -> None:
    constant = Law.of({5: 1})
    assert berry_esseen_bound(constant, 4, 10) == 0
    assert pairing_bound(constant, 4, 10) == 0
    with pytest.raises(InputError):
        effective_constant(constant, 4, 10)


def test_effective_constant_of_two_coins() -> None:
    # G = 2, B = 1, fair coin on {0, 1}: E[Imb] = 1/2, sigma = 1/2, so c = 1/(2 sqrt(ln 2)).
    coin = Law.of({0: Fraction(1, 2), 1: Fraction(1, 2)})
    assert float(effective_constant(coin, 2, 1)) == pytest.approx(0.5 / sqrt(log(2)))
