from fractions import Fraction

import pytest

from theory.formulas.fcfs import worst_imbalance
from theory.formulas.geometric import (
    distance_to_geometric,
    frontier_slots,
    slot_fourth_moment,
    slot_variance,
)
from theory.formulas.ratio import (
    bfio_bound,
    certified_ratio,
    first_formula_slots,
    first_slots,
    iir_enclosure,
    kappa0,
)
from theory.formulas.step import full_refill_bound
from theory.formulas.vacuity import Lengths, first_certified_slots
from theory.laws.law import Law
from theory.model import InputError

COIN = Law.of({1: Fraction(1, 2), 3: Fraction(1, 2)})


def test_certified_ratio_of_a_coin() -> None:
    # G = 2, B = 1, sizes 1 or 3: E[Imb] = 1 over (G-1)(b-a) = 2.
    ratio = certified_ratio(COIN, 2, 1)
    assert ratio.lower == ratio.upper == Fraction(1, 2)
    # B = 2: loads 2, 4, 6 with chances 1/4, 1/2, 1/4; E|L1 - L2| = 2 * (2*3/8) = 3/2... by hand:
    # differences 2 with chance 2*(1/8 + 1/8) = 1/2, 4 with chance 1/8: E = 1 + 1/2 = 3/2.
    assert certified_ratio(COIN, 2, 2).lower == Fraction(3, 4)


def test_first_certified_slots_is_the_first() -> None:
    sizes = Law.uniform(1, 10)
    for workers in (2, 5, 16):
        first = first_certified_slots(Lengths.of("uniform", sizes, Fraction(1)), workers)
        assert first is not None
        assert certified_ratio(sizes, workers, first).lower > 1
        assert certified_ratio(sizes, workers, first - 1).upper <= 1


def test_first_slots_searches_like_a_scan() -> None:
    for edge in (1, 2, 3, 7, 8, 9, 100):
        assert first_slots(lambda slots, edge=edge: slots >= edge) == edge  # type: ignore[misc]
    assert first_slots(lambda _: False, limit=1000) is None


def test_kappa0_of_a_coin() -> None:
    # sigma = 1, s_max = 3.
    assert Fraction(1, 3) in kappa0(COIN)


def test_closed_form_edges() -> None:
    c = Fraction(1, 2)
    for workers in (2, 7):
        first = first_formula_slots(workers, 1, Fraction(1, 100), c)
        assert iir_enclosure(workers, first, Fraction(1, 100), 1, c).lower > 1
        assert iir_enclosure(workers, first - 1, Fraction(1, 100), 1, c).upper <= 1
        p, sizes = Fraction(1, 4), Law.uniform(1, 6)
        variance = slot_variance(sizes, p)
        first = first_formula_slots(workers, 6 / p, variance.upper, c)
        assert iir_enclosure(workers, first, variance, 6 / p, c).lower > 1
        assert iir_enclosure(workers, first - 1, variance, 6 / p, c).upper <= 1


def test_bounds_by_hand() -> None:
    assert full_refill_bound(5, 2, 9) == 28
    assert worst_imbalance(5, 3, 2, 9) == 84
    assert bfio_bound(3, 10 / Fraction(1, 5)) == 100
    assert bfio_bound(3, 10 + 3 / Fraction(1, 5)) == 50
    # Var of uniform 1..3 is 2/3; (1-p)/p^2 = 2 at p = 1/2.
    assert slot_variance(Law.uniform(1, 3), Fraction(1, 2)).lower == Fraction(8, 3)
    # Sizes 1..3: mu_4 = 2/3; the age at p = 1/2 has variance 2 and, summed by hand from sum t^k
    # 2^-(t+1) = 1, 3, 13, 75 for k = 1..4, mu_4 = 75 - 4*13 + 6*3 - 3 = 38.  6 * 2/3 * 2 = 8.
    assert slot_fourth_moment(Law.uniform(1, 3), Fraction(1, 2)) == Fraction(2, 3) + 8 + 38
    assert frontier_slots(16, 0.2, 19) < frontier_slots(64, 0.2, 19)


def test_distance_to_geometric() -> None:
    # All lengths 2, p = 1/2: F jumps from 0 to 1 at 2, the geometric has 1/2 before and 3/4 at 2.
    assert distance_to_geometric([2, 2, 2]) == pytest.approx(0.5)
    assert distance_to_geometric([1], p=1.0) == 0
    with pytest.raises(InputError):
        distance_to_geometric([])


@pytest.mark.parametrize(
    "make",
    [
        lambda: certified_ratio(COIN, 1, 4),
        lambda: certified_ratio(Law.of({2: 1}), 4, 4),
        lambda: iir_enclosure(1, 4, Fraction(1, 100), 1, Fraction(1)),
        lambda: first_formula_slots(4, 1, Fraction(0), Fraction(1)),
        lambda: iir_enclosure(1, 1, slot_variance(COIN, Fraction(1, 2)), 6, Fraction(1)),
        lambda: first_formula_slots(4, 6, Fraction(3), Fraction(0)),
        lambda: worst_imbalance(2, 2, 3, 2),
    ],
)
def test_unusable_input_is_named(make) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError):
        make()
