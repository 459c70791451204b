"""The closed forms behind the claims about growth."""

from fractions import Fraction
from math import comb, sqrt

import pytest

from theory.formulas.growth import iir_shape, two_size_refill
from theory.laws.order_statistics import expected_max_of_normals
from theory.model import InputError


@pytest.mark.parametrize("slots", [1, 2, 3, 8])
@pytest.mark.parametrize("workers", [1, 2, 3, 4, 7])
def test_mean_of_a_refill_of_two_sizes_is_the_binomial_sum(workers, slots):
    n = workers * slots
    exact = Fraction(sum(comb(n, k) * (-k % workers) for k in range(n + 1)), 2**n)
    enclosure = two_size_refill(workers, slots)
    assert exact in enclosure
    assert enclosure.upper - enclosure.lower < Fraction(1, 2**60)


def test_it_does_not_grow_with_the_slots():
    # |cos(pi j/G)| < 1: the sum vanishes and (G-1)/2 is left.
    assert two_size_refill(8, 512).value == pytest.approx(3.5, abs=1e-9)


def test_two_workers_have_the_shape_in_closed_form():
    # E max of two normals is 1/sqrt(pi), and G/(G-1) = 2.
    assert float(expected_max_of_normals(2)) == pytest.approx(1 / sqrt(3.141592653589793))
    assert iir_shape(2, 9) == pytest.approx(6 / sqrt(3.141592653589793))


@pytest.mark.parametrize(("workers", "slots"), [(0, 1), (2, 0)])
def test_no_system_without_workers_or_slots(workers, slots):
    with pytest.raises(InputError, match="need G >= 1 and B >= 1"):
        two_size_refill(workers, slots)
