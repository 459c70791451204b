"""Powers in fixed point against exact rationals, within the error that is proved."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.laws import fixed_point
from theory.laws.fixed_point import LIMB, powers

FULL = 2 ** (4 * LIMB)


def held(numbers: list[int], scale: int, exponent: int, limbs: int) -> None:
    unit = Fraction(1, 1 << limbs * LIMB)
    found = powers(numbers, scale, exponent, limbs)
    assert found.shape == (limbs, len(numbers))
    assert found.min() >= 0
    assert found.max() < 1 << LIMB
    for number, column in zip(numbers, found.T.tolist(), strict=True):
        value = sum(Fraction(part, 1 << place * LIMB) for place, part in enumerate(column, 1))
        short = Fraction(number, scale) ** exponent - value
        assert 0 <= short < exponent * (limbs + 1) * unit


@given(data=st.data(), exponent=st.integers(1, 70), limbs=st.integers(1, 7))
def test_powers_are_too_low_by_no_more_than_stated(data, exponent, limbs) -> None:
    scale = data.draw(st.one_of(st.integers(1, 10**60), st.sampled_from([1, 2**80, 2**200])))
    near = st.integers(1, min(scale, 9)).map(lambda n: scale - n)
    number = st.one_of(st.integers(0, scale - 1), near)
    held(data.draw(st.lists(number, min_size=1, max_size=5)), scale, exponent, limbs)


@pytest.mark.parametrize("exponent", [2, 3, 1023, 4096])
@pytest.mark.parametrize("scale", [FULL, FULL * 2**30, FULL - 1, 3])
def test_powers_of_full_limbs(exponent: int, scale: int) -> None:
    held([scale - 1, scale - 2, scale // 2, 1, 0], scale, exponent, 4)


def test_a_product_keeps_all_but_the_columns_left_out() -> None:
    # (1 - 2^-96)^2 = 1 - 2^-95 + 2^-192, of which 3 products of limbs and a fraction are lost.
    column = powers([FULL - 1], FULL, 2, 4)[:, 0].tolist()
    assert column[:3] == [2**LIMB - 1] * 3
    assert 2**LIMB - 1 - 1 - 4 <= column[3] <= 2**LIMB - 2


def test_pieces_are_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = list(range(11))
    whole = powers(numbers, 11, 5, 3)
    monkeypatch.setattr(fixed_point, "PIECE", 4)
    assert (powers(numbers, 11, 5, 3) == whole).all()
    assert powers([], 11, 5, 3).shape == (3, 0)
