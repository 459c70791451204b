"""Bounds of energy and saving: the numbers of the paper's constants, and exact properties."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from tests.fractions_drawn import fractions
from theory.formulas.energy import (
    Constants,
    Usage,
    energy_envelope,
    energy_envelope_of,
    energy_floor,
    energy_tangent,
    exact,
    saving_cap,
    saving_cap_tangent,
    saving_floor,
    saving_paper,
    saving_sharp,
    speed_up,
    usage,
)
from theory.power import PowerModel, hardware

A100 = Constants(Fraction(100), Fraction(400), Fraction(7, 10))
BALANCED = Usage(Fraction(1), Fraction(0))

watts = fractions(0, 500, 20)
ratios = fractions(0, 300, 20)


@st.composite
def constants(draw):
    idle = draw(watts)
    dynamic = draw(fractions(Fraction(1, 10), 500, 20))
    gamma = draw(fractions(Fraction(1, 20), 1, 20))
    return Constants(idle, idle + dynamic, gamma)


def at(eta):
    return Usage(Fraction(1), Fraction(eta))


def test_a_waiting_power_of_its_own_by_hand():
    # Loads (4, 1), (2, 0) with an overhead of 1: busy 5 (5/4) + 3, idle 5 (3/4) + 3, of which 3
    # without work.  100 W without work, 220 W waiting, 400 W at most, gamma 1/2: D = 310 W.
    power = Constants(Fraction(100), Fraction(400), Fraction(1, 2), wait_w=Fraction(220))
    run = Usage(Fraction(37, 4), Fraction(27, 4), Fraction(3))
    assert (power.barrier_w, power.dynamic_w, power.waste_w) == (220, 180, 310)
    # 9.25 * 400 + 3.75 * 220 + 3 * 100, and 9.25 * 400 + 6.75 * 310 - 3 * 120.
    assert energy_floor(power, run) == 3700 + 825 + 300
    assert energy_tangent(power, run) == Fraction(3700 * 4 + 27 * 310, 4) - 360
    # The energy itself: 5 (400 + 220 + 180/2) + 3 (400 + 100).
    drawn = 5 * 710 + 3 * 500
    floats = Constants(100.0, 400.0, 0.5, wait_w=220.0)
    envelope = energy_envelope(floats, Usage(9.25, 6.75, 3.0))
    assert envelope == pytest.approx(16 * (220 + 180 * (37 / 64) ** 0.5) - 360)
    assert energy_floor(power, run) <= drawn <= envelope <= energy_tangent(power, run)
    # With one power for both nothing depends on the time without work.
    one = Constants(Fraction(100), Fraction(400), Fraction(1, 2))
    assert energy_floor(one, run) == energy_floor(one, replace(run, empty=Fraction(0)))
    # A waiting power that is not given follows the idle power.
    assert replace(one, idle_w=Fraction(150)).barrier_w == 150


def test_catalogue_constants_are_read_as_decimals():
    assert exact(hardware("a100-paper")) == A100
    assert A100.waste_w == 190  # 100 + 0.3 * 300
    assert exact(PowerModel(0.1, 0.3, 0.7)) == Constants(
        Fraction(1, 10), Fraction(3, 10), Fraction(7, 10)
    )


def test_40_percent_idle_and_perfect_balance():
    base = at(Fraction(2, 3))  # f = 0.4, eta = 0.4/0.6
    # (100 - 0) / (400/(2/3) + 190) = 100/790 = 12.66 %
    assert saving_paper(A100, base, BALANCED) == Fraction(10, 79)
    # (2/3)(100) / (400 + 100 * 2/3) = 66.67/466.67 = 1/7 = 14.29 %
    assert saving_sharp(A100, base, BALANCED) == Fraction(1, 7)
    # 190 (2/3) / (400 + 190 * 2/3) = 380/1580 = 24.05 %
    assert saving_cap_tangent(A100, base, BALANCED) == Fraction(19, 79)
    # 1 - 400 / (100 * 5/3 + 300 * (5/3)^0.3), (5/3)^0.3 = 1.16559: 1 - 400/516.34 = 22.53 %
    power = hardware("a100-paper")
    cap = saving_cap(power, Usage(1.0, 2 / 3), Usage(1.0, 0.0))
    assert cap == pytest.approx(1 - 400 / (500 / 3 + 300 * (5 / 3) ** 0.3), rel=1e-12)
    assert round(cap, 3) == 0.225


def test_forms_of_the_paper_in_eta_and_alpha():
    p, top, waste, eta, alpha = sympy.symbols("p P D eta alpha", positive=True)
    law = Constants(p, top, 1 - (waste - p) / (top - p))
    base, new = Usage(1, eta), Usage(1, eta / alpha)
    paper = (p - waste / alpha) / (top / eta + waste)
    sharp = eta * (p - waste / alpha) / (top + p * eta)
    assert sympy.simplify(saving_paper(law, base, new) - paper) == 0
    assert sympy.simplify(saving_sharp(law, base, new) - sharp) == 0


@given(constants(), ratios, ratios)
def test_order_of_the_bounds(power, eta0, eta1):
    base, new = at(eta0), at(eta1)
    floats = PowerModel(float(power.idle_w), float(power.max_w), float(power.gamma))
    fbase, fnew = Usage(1.0, float(eta0)), Usage(1.0, float(eta1))
    sharp, tangent = saving_sharp(power, base, new), saving_cap_tangent(power, base, new)
    assert sharp <= tangent
    # The envelope lies inside, up to rounding.
    slack = 1e-9 * (1 + abs(float(sharp)))
    assert float(sharp) <= saving_floor(floats, fbase, fnew) + slack
    assert saving_cap(floats, fbase, fnew) <= float(tangent) + slack
    # The paper's form is the smaller floor exactly where it is not negative.
    paper = saving_paper(power, base, new)
    if power.idle_w * eta0 >= power.waste_w * eta1:
        assert 0 <= paper <= sharp
    else:
        assert sharp <= paper < 0


@given(constants(), ratios)
def test_envelopes_grow_with_the_number_of_workers_to_the_limit(power, eta):
    floats = PowerModel(float(power.idle_w), float(power.max_w), float(power.gamma))
    run = Usage(1.0, float(eta))
    least = int(eta) + 2  # eta <= G - 1
    sides = [energy_envelope_of(floats, run, G) for G in (least, 2 * least, 16 * least)]
    sides += [energy_envelope(floats, run), energy_tangent(floats, run)]
    slack = 1e-9 * sides[-1]
    assert energy_floor(floats, run) <= sides[0] + slack
    assert all(a <= b + slack for a, b in pairwise(sides))


def test_one_worker_never_idles():
    power = hardware("a100-paper")
    assert energy_envelope_of(power, Usage(5.0, 0.0), 1) == 5 * 400


def test_gamma_one_makes_everything_exact():
    linear = Constants(Fraction(60), Fraction(300), Fraction(1))
    base, new = at(Fraction(3, 2)), at(Fraction(1, 4))
    assert energy_floor(linear, base) == energy_tangent(linear, base)
    saving = Fraction(60) * (Fraction(3, 2) - Fraction(1, 4)) / (300 + 60 * Fraction(3, 2))
    assert saving_sharp(linear, base, new) == saving_cap_tangent(linear, base, new) == saving


def test_usage_with_overhead():
    # One step, G = 2, loads (4, 1), c = 3: u = 1 and 1/4 during 7 units each.
    run = usage(Fraction(5), Fraction(3), Fraction(3), Fraction(2), Fraction(5, 4))
    assert run.busy == 7 * Fraction(5, 4)
    assert run.idle == 7 * Fraction(3, 4)
    assert run.idle_share == Fraction(3, 8)


def test_speed_up():
    # 40 % idle: at most 5/3.
    assert speed_up(at(Fraction(2, 3)), BALANCED) == Fraction(5, 3)
    # A fixed overhead of 1/2 a unit of worker-time per unit of work: (5/3 + 1/2)/(3/2) = 13/9.
    assert speed_up(
        Usage(Fraction(1), Fraction(2, 3) + Fraction(1, 2)), Usage(Fraction(1), Fraction(1, 2))
    ) == Fraction(13, 9)
