"""The form of Theorems 1 to 3: one definition for symbols, floats and balls."""

from fractions import Fraction
from math import exp, log, sqrt

import pytest
import sympy
from flint import arb

from theory import elementary
from theory.formulas.fcfs import log_growth_form, log_growth_square
from theory.formulas.ratio import fcfs_bound, iir_bound, iir_enclosure, slots_edge
from theory.formulas.rebalancing import bernstein_form
from theory.laws.law import Law
from theory.laws.order_statistics import constant_shrink, pairing_bound, pairing_square

G, B, sigma, w, c = sympy.symbols("G B sigma w c", positive=True)


def test_the_symbols_give_the_papers_formulas():
    assert fcfs_bound(G, B, sigma, c) == c * G * sigma * sympy.sqrt(B * sympy.log(G))
    # Theorem 1's c kappa_0 sqrt(B ln G) G/(G-1), and Theorem 2's with p / s_max.
    ratio = iir_bound(G, B, sigma, w, c)
    assert ratio == c * (sigma / w) * sympy.sqrt(B * sympy.log(G)) * G / (G - 1)
    edge = slots_edge(G, sigma, w, c)
    assert sympy.simplify((ratio**2).subs(B, edge)) == 1


@pytest.mark.parametrize("workers", [2, 32])
@pytest.mark.parametrize("slots", [1, 72])
def test_symbols_floats_and_balls_agree(workers, slots):
    # sigma = 3/2, w = 5, c = 2/3: c sigma / w = 1/5.
    by_hand = sqrt(slots * log(workers)) * workers / (workers - 1) / 5
    written = iir_bound(G, B, sigma, w, c)
    point = {G: workers, B: slots, sigma: sympy.Rational(3, 2), w: 5, c: sympy.Rational(2, 3)}
    assert float(written.subs(point)) == pytest.approx(by_hand, rel=1e-14)
    assert iir_bound(workers, slots, 1.5, 5, Fraction(2, 3)) == pytest.approx(by_hand, rel=1e-14)
    enclosed = iir_enclosure(workers, slots, Fraction(9, 4), 5, Fraction(2, 3))
    assert enclosed.upper - enclosed.lower < Fraction(1, 10**40)
    assert float(enclosed) == pytest.approx(by_hand, rel=1e-14)


def test_the_bounds_of_fcfs_are_the_roots_of_their_forms():
    # G = 5, B = 7: k = 2 and n = 3; uniform 1..3 has v = mu_4 = 2/3, so kappa = 3/2.
    law = Law.uniform(1, 3)
    square = log_growth_form(5, 2, 3, Fraction(2, 3), Fraction(3, 2))
    assert square == log_growth_square(Fraction(2, 3), Fraction(2, 3), 5, 7) == Fraction(400, 11)
    # E S^2 = 28/3; E S^4 = 7 (4/3 + 8/3) + 12 * 42 * 4/9 = 252; (5/2)^2 (28/3)^3 / 252.
    square = pairing_square(5, 7, Fraction(2, 3), Fraction(2, 3))
    assert square == Fraction(25, 4) * Fraction(28, 3) ** 3 / 252
    root = pairing_bound(law, 5, 7)
    assert root**2 <= square <= (root + Fraction(1, 10**40)) ** 2


@pytest.mark.parametrize("x", [3, -3, Fraction(-1, 2), 0.25])
def test_the_positive_part_keeps_its_type(x):
    part = elementary.positive_part(x)
    assert part == max(x, 0)
    assert arb(float(x)).max(arb(0)) == elementary.positive_part(arb(float(x)))
    assert elementary.positive_part(sympy.Rational(x)) == sympy.Rational(part)


def test_bernsteins_bound_and_the_shrinkage_of_a_constant():
    t, V, R, x, y = sympy.symbols("t V R x y", positive=True)
    assert bernstein_form(6, t, V, R) == 6 * sympy.exp(-(t**2) / (2 * (V + R * t / 3)))
    # V = 3, R = 2, t = 3: exp(-9 / 10).
    assert bernstein_form(6, 3, 3, 2) == pytest.approx(6 * exp(-0.9), rel=1e-15)
    # ln 4 = 2 ln 2, so that G and B both twice as far shrink a constant by 1/2.
    assert constant_shrink(2, 3, 4, 6) == pytest.approx(0.5, rel=1e-15)
    assert constant_shrink(G, B, x, y) ** 2 == B * sympy.log(G) / (y * sympy.log(x))
