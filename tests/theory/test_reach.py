"""Limits, inversions and sensitivities of the saving bounds."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.fractions_drawn import fractions
from theory.formulas.energy import (
    Constants,
    Usage,
    exact,
    saving_cap,
    saving_cap_tangent,
    saving_paper,
    saving_sharp,
)
from theory.formulas.energy_inversions import (
    eta_for_cap,
    eta_for_paper,
    eta_for_sharp,
    eta_for_tangent_cap,
    eta_of,
    idle_shares_for,
    limit_paper,
    limit_sensitivity,
    partials,
    share_of,
)
from theory.model import InputError
from theory.power import PowerModel, hardware, hardware_catalogue

A100 = Constants(Fraction(100), Fraction(400), Fraction(7, 10))


def test_eta_and_share_are_inverse():
    assert eta_of(Fraction(2, 5)) == Fraction(2, 3)
    assert share_of(Fraction(2, 3)) == Fraction(2, 5)


def test_the_limit_and_how_it_moves():
    assert limit_paper(A100) == Fraction(10, 19)  # 100/190
    assert limit_paper(Constants(Fraction(100), Fraction(400), Fraction(1, 2))) == Fraction(
        2, 5
    )  # 100/250
    assert limit_paper(Constants(Fraction(100), Fraction(400), Fraction(9, 10))) == Fraction(
        10, 13
    )  # 100/130 = 76.9 %
    # d(p/D)/dp = (1-gamma) P/D^2 = 0.3 * 400 / 36100; in gamma: p dP / D^2 = 30000/36100.
    assert limit_sensitivity(A100) == {
        "wait_w": Fraction(120, 36100),
        "max_w": Fraction(-30, 36100),
        "gamma": Fraction(30000, 36100),
    }


@pytest.mark.parametrize("name", hardware_catalogue())
def test_sensitivities_agree_with_sympy(name):
    power = hardware(name)
    derived = partials(limit_paper, power)
    assert derived == pytest.approx(limit_sensitivity(power), rel=1e-12)


def test_partials_of_a_cap_agree_with_differences():
    power = hardware("h100-sxm")

    def cap(law):
        return saving_cap(law, Usage(1, Fraction(2, 3)), Usage(1, 0))

    derived = partials(cap, power)
    for name, value in (("wait_w", power.idle_w), ("max_w", power.max_w), ("gamma", power.gamma)):
        h = 1e-5 * value
        up, down = (
            cap(replace(power, **{"wait_w": power.idle_w, "idle_w": 0.0, name: value + sign * h}))
            for sign in (1, -1)
        )
        assert derived[name] == pytest.approx((up - down) / (2 * h), rel=1e-5)


def test_the_numbers_of_fact_4():
    shares = {
        saving: idle_shares_for(hardware("a100-paper"), saving) for saving in (0.28, 0.282, 0.52)
    }
    # Tangent cap: eta = s 400 / ((1-s) 190): 0.28 -> 140/171, f = 140/311.
    assert shares[0.28]["tangent cap"] == pytest.approx(140 / 311, rel=1e-12)
    assert round(100 * shares[0.282]["tangent cap"], 1) == 45.3
    assert round(100 * shares[0.52]["tangent cap"], 1) == 69.5
    # Envelope cap: 400 = (1-s)(100 x + 300 x^0.3), x = 1/(1-f).  28 % needs 47.7 %, not 48.5 %;
    # 48.5 % allows 28.6 %.
    assert round(100 * shares[0.28]["cap"], 1) == 47.7
    assert round(100 * shares[0.282]["cap"], 1) == 48.0
    assert round(100 * shares[0.52]["cap"], 1) == 74.0
    x = 1 / (1 - 0.485)
    assert round(1 - 400 / (100 * x + 300 * x**0.3), 3) == 0.286


def test_how_far_the_paper_shaped_floor_reaches():
    # 100 eta/(400 + 190 eta) = 1/2 at eta = 40: 97.56 % idle, 41 workers.
    assert eta_for_paper(A100, Fraction(1, 2), Fraction(0)) == 40
    assert round(float(share_of(Fraction(40))), 4) == 0.9756
    # 52 % at eta = 208/(100 - 98.8) = 520/3 = 173.33, more than G - 1 for G = 174.
    eta = eta_for_paper(A100, Fraction(13, 25), Fraction(0))
    assert eta == Fraction(520, 3)
    assert 173 < eta < 174
    assert round(float(share_of(eta)), 3) == 0.994
    assert saving_paper(
        A100, Usage(Fraction(1), Fraction(173)), Usage(Fraction(1), Fraction(0))
    ) < Fraction(13, 25)
    # At G = 32, eta <= 31: 3100/6290.
    assert saving_paper(
        A100, Usage(Fraction(1), Fraction(31)), Usage(Fraction(1), Fraction(0))
    ) == Fraction(310, 629)
    # The limit itself and anything above it are out of reach.
    assert eta_for_paper(A100, Fraction(10, 19), Fraction(0)) is None
    assert eta_for_paper(A100, Fraction(1, 2), Fraction(1, 2)) is None
    # The sharp floor: 28 % at eta = 112/72 = 14/9, 60.87 % idle.
    assert eta_for_sharp(A100, Fraction(28, 100), Fraction(0)) == Fraction(14, 9)


savings = fractions(Fraction(1, 100), Fraction(99, 100), 100)
remainders = fractions(0, 1, 40)


@given(savings, remainders, st.sampled_from(sorted(hardware_catalogue())))
def test_inversions_invert(saving, remaining, name):
    power = exact(hardware(name))
    for inverse, bound in (
        (eta_for_paper, saving_paper),
        (eta_for_sharp, saving_sharp),
        (eta_for_tangent_cap, saving_cap_tangent),
    ):
        eta = inverse(power, saving, remaining)
        if eta is not None:
            assert (
                bound(power, Usage(Fraction(1), eta), Usage(Fraction(1), remaining * eta)) == saving
            )
        else:
            far = Fraction(10**9)
            assert (
                bound(power, Usage(Fraction(1), far), Usage(Fraction(1), remaining * far)) < saving
            )


@given(
    st.floats(0.01, 0.95),
    st.sampled_from([0.0, 0.01, 1 / 17, 0.3, 0.6, 1.0]),
    st.sampled_from(sorted(hardware_catalogue())),
)
def test_the_bracket_of_the_cap_is_where_it_starts_to_allow_the_saving(saving, remaining, name):
    power = hardware(name)
    bracket = eta_for_cap(power, saving, remaining)

    def cap(eta):
        return saving_cap(power, Usage(1.0, eta), Usage(1.0, remaining * eta))

    if bracket is None:
        assert all(cap(10.0**k) < saving for k in range(-3, 12))
        return
    assert bracket.low <= bracket.middle <= bracket.high
    assert bracket.high - bracket.low <= 1e-11 * (1 + bracket.high)
    assert cap(bracket.high) >= saving
    assume(bracket.low > 1e-6)
    assert cap(bracket.low * (1 - 1e-9)) < saving
    assert cap(bracket.low / 2) < saving


def test_the_bracket_of_a_square_root_law_by_hand():
    # P = 100 + 300 sqrt(u), y = sqrt(1 + eta): (1-s)(100 y^2 + 300 y) = 400 + 100 r (y^2 - 1).
    power = PowerModel(100, 400, 0.5)
    # s = 0.28, r = 0: 72 y^2 + 216 y = 400, so y = (sqrt(216^2 + 4 * 72 * 400) - 216) / 144.
    y = (161856**0.5 - 216) / 144
    # s = 0.28, r = 0.9: 18 y^2 - 216 y + 310 = 0, so y = (216 - 156) / 36 = 5/3 and eta = 16/9.
    for remaining, eta in ((0.0, y * y - 1), (0.9, 16 / 9)):
        bracket = eta_for_cap(power, 0.28, remaining)
        assert bracket.low == pytest.approx(eta, rel=1e-10)
        assert bracket.high == pytest.approx(eta, rel=1e-10)
        assert bracket.low <= bracket.middle <= bracket.high
        assert bracket.high - bracket.low <= 2e-12 * (1 + eta)


def test_the_cap_says_where_a_saving_ends_to_be_possible():
    power = PowerModel(100, 400, 0.5)
    # r = 0.9, t = 1 - s: roots while (300 t)^2 >= 4 (90 - 100 t) 310, so for t at least t0.
    t0 = (-124000 + (124000**2 + 4 * 90000 * 111600) ** 0.5) / 180000
    assert eta_for_cap(power, 1 - t0 * (1 + 1e-6), 0.9) is not None
    assert eta_for_cap(power, 1 - t0 * (1 - 1e-6), 0.9) is None
    # With gamma 1 and no idle power nothing is saved by balance, however long one looks.
    assert eta_for_cap(PowerModel(0, 400, 1), 0.5, 0.0) is None
    # Linear power, 1 - s = 1/2: 50 x + 0 = 100, exactly at eta = 1.
    assert eta_for_cap(PowerModel(100, 100, 1), 0.5, 0.0).middle == pytest.approx(1, rel=1e-11)


@pytest.mark.parametrize(
    ("saving", "remaining"), [(0.0, 0.5), (1.0, 0.5), (-0.1, 0.5), (0.5, -0.1), (1.5, 0.0)]
)
def test_savings_and_remainders_have_a_range(saving, remaining):
    with pytest.raises(InputError, match="need 0 < saving < 1 and remaining >= 0"):
        eta_for_cap(hardware("a100-paper"), saving, remaining)


def test_shares_that_no_run_reaches_are_none():
    # D r >= p (1 - s): neither floor guarantees it; (1 - s) D <= p r: no cap allows it.
    power = PowerModel(100, 400, 0.7)  # D = 190
    assert idle_shares_for(power, 0.5, 0.5)["sharp"] is None
    assert idle_shares_for(power, 0.5, 0.5)["paper"] is None
    assert idle_shares_for(power, 0.5, 0.95)["tangent cap"] is None
    assert idle_shares_for(power, 0.5, 0.95)["cap"] is None
    # s = 0.1, r = 0.1: slopes 100*0.9 - 19 = 71 and 100 - 19 - 19 = 62; eta = 40/71 and 40/62.
    found = idle_shares_for(power, 0.1, 0.1)
    assert found["sharp"] == pytest.approx(40 / 111, rel=1e-12)
    assert found["paper"] == pytest.approx(40 / 102, rel=1e-12)
    # 0.9 * 190 - 10 = 161.
    assert found["tangent cap"] == pytest.approx(40 / 201, rel=1e-12)
