"""Proof steps of the claims about savings, as data for :mod:`theory.proof`.

Symbols as in :mod:`theory.formulas.energy_symbols`, with ``e = delta = 1 - gamma``.  This module
imports sympy: it is loaded when a proof is asked for.
"""

from fractions import Fraction
from typing import Any

import sympy
from sympy import Symbol

from evenkeel.theorems.theorem4.proofs import r, rest, share, t
from theory.formulas import energy_symbols as claimed
from theory.formulas.energy import (
    energy_envelope,
    saving_cap_tangent,
    saving_paper,
    saving_sharp,
)
from theory.formulas.energy_symbols import BALANCED, BASE, NEW, POWER, d, e, eta, eta1, p, saving
from theory.proof import Computation, Conclusion, Identity, Inequality, Lemma, Setting, Step

D = p + e * d
TOP = p + d
_ENERGIES = Lemma(
    "energies",
    "Per unit of work E0 lies between P_max + P_idle eta0 and P_max + D eta0, and E1 the same with "
    "eta1 [energy.sandwich]; both runs do the same work [energy.work-invariance].",
)


def paper_floor() -> tuple[Step, ...]:
    """Steps of [energy.saving-paper]."""
    N = Symbol("N", nonnegative=True)
    return (
        _ENERGIES,
        Setting(
            "Let N = P_idle eta0 - D eta1, not negative by hypothesis; E0 = (P_max + D eta0)/(1 + "
            "t), and E0 - E1 = N + r, with r and t not negative."
        ),
        Conclusion(
            "N over the upper side of E0 is at most (E0 - E1)/E0",
            claimed.paper_floor(),
            {
                saving: (N + r) * (1 + t) / (TOP + D * eta),
                eta1: (p * eta - N) / D,
            },
            ((r * (1 + t) + N * t) / (TOP + D * eta),),
        ),
    )


def sharp_floor() -> tuple[Step, ...]:
    """Steps of [energy.saving-sharp]."""
    low, high = TOP + p * eta, TOP + D * eta1
    return (
        _ENERGIES,
        Conclusion(
            "With E0 = P_max + P_idle eta0 + r and E1 = P_max + D eta1 - t, for a numerator of "
            "either sign",
            claimed.sharp_floor(),
            {saving: 1 - (high - t) / (low + r)},
            ((high * r + low * t) / (low * (low + r)),),
        ),
    )


def sharp_dominates() -> tuple[Step, ...]:
    """Steps of [energy.sharp-dominates]."""
    return (
        Identity(
            "Both forms are one numerator over two denominators: the sharp one",
            saving_sharp(POWER, BASE, NEW),
            (p * eta - D * eta1) / (TOP + p * eta),
        ),
        Identity(
            "and the paper's, larger by (1 - gamma) dP eta",
            saving_paper(POWER, BASE, NEW),
            (p * eta - D * eta1) / (TOP + p * eta + e * d * eta),
        ),
        Conclusion(
            "The difference has the sign of the numerator, and is 0 only with it, with eta, with "
            "1 - gamma or with dP",
            claimed.sharp_dominates(),
        ),
    )


def best_bounds() -> tuple[Step, ...]:
    """Steps of [energy.saving-envelope]."""
    G = Symbol("G", positive=True)
    f = Symbol("f", nonnegative=True)
    low0, low1 = TOP + p * eta, TOP + p * eta1
    high0, high1 = low0 + d * r, low1 + d * t
    y, z = Symbol("y", nonnegative=True), Symbol("z", nonnegative=True)
    return (
        Identity(
            "Per unit of work the envelope's upper side is P_idle (1+eta) + dP (1+eta)^(1-gamma)",
            energy_envelope(POWER, BASE),
            p * (1 + eta) + d * (1 + eta) ** e,
        ),
        Identity(
            "The envelope is approached: with all but the fullest worker at the same utilisation "
            "[energy.envelope-workers], that utilisation tends to 1 - f as G grows",
            sympy.Limit(1 - f * G / (G - 1), G, sympy.oo),
            1 - f,
        ),
        Lemma(
            "independence",
            "The lower side is attained by utilisations 0 and 1.  The two runs choose their "
            "utilisations independently given eta0 and eta1, so floor and cap are both approached "
            "and neither can be improved without knowing more than (W, I0, I1).",
        ),
        Inequality(
            "Floor: E1 = high1/(1 + y) over E0 = low0 + z",
            1 - high1 / low0,
            1 - high1 / ((1 + y) * (low0 + z)),
            high1 * (z + y * (low0 + z)) / (low0 * (1 + y) * (low0 + z)),
        ),
        Inequality(
            "Cap: E1 = low1 + z over E0 = high0/(1 + y)",
            1 - (low1 + z) * (1 + y) / high0,
            1 - low1 / high0,
            (z + y * (low1 + z)) / high0,
        ),
    )


def caps() -> tuple[Step, ...]:
    """Steps of [energy.cap]."""
    spare = t / (1 + t)  # 1 - gamma, from 0 to below 1
    drawn = p * (1 + eta) + d * (1 + spare * eta * share)
    tangent, flat = TOP + (p + spare * d) * eta, TOP * (1 + eta)
    w, y = Symbol("w", nonnegative=True), Symbol("y", nonnegative=True)
    return (
        Identity(
            "With imbalance eta1 left, the lower side of E1 grows: the tangent's cap falls by "
            "P_idle eta1 / upper(E0), and the others alike",
            saving_cap_tangent(POWER, BASE, BALANCED) - saving_cap_tangent(POWER, BASE, NEW),
            p * eta1 / (TOP + D * eta),
        ),
        Computation(
            "At 40 % idle, 100/400 W and gamma 0.7 the tangent's cap is 19/79 and the envelope's "
            "22.53 % (balls)",
            lambda: (
                _tangent_at(Fraction(2, 5)) == Fraction(19, 79)
                and bool(0.22525 < _cap_at(Fraction(2, 5)) < 0.22535)
            ),
        ),
        Lemma(
            "energies",
            "E1 = P_max + w, w >= 0, and E0 is at most the envelope, whose power (1 - f)^gamma "
            "lies between 1 - f and 1 - gamma f, a share sin(x)^2 of the way [energy.envelope].",
        ),
        Conclusion(
            "The saving is at most the envelope's cap, and that at most the two others",
            claimed.caps(),
            {
                saving: 1 - (TOP + w) * (1 + y) / drawn,
                (1 + eta) ** (e - 1): (1 + spare * eta * share) / (1 + eta),
                e: spare,
            },
            (
                (w + y * (TOP + w)) / drawn,
                TOP * d * eta * (1 + t * rest) / ((1 + t) * drawn * flat),
                TOP * d * spare * eta * rest / (drawn * tangent),
            ),
        ),
    )


def limit_paper() -> tuple[Step, ...]:
    """Steps of [energy.limit-paper]."""
    P, q = Symbol("P_max", positive=True), Symbol("P_idle", positive=True)
    c, x = Symbol("c", nonnegative=True), Symbol("eta", positive=True)
    D = q + c
    return (
        Inequality(
            "The form (P_idle eta - D eta1)/(P_max + D eta) is below P_idle/D for all eta > 0",
            (q * x - D * eta1) / (P + D * x),
            q / D,
            (q * P + D**2 * eta1) / (D * (P + D * x)),
        ),
        Identity(
            "At perfect balance the distance is P_idle P_max / (D (P_max + D eta)), which falls "
            "as eta grows",
            q / D - q * x / (P + D * x),
            q * P / (D * (P + D * x)),
        ),
        Identity(
            "and tends to 0",
            sympy.Limit(q * P / (D * (P + D * x)), x, sympy.oo),
            sympy.Integer(0),
        ),
        Conclusion("For 100/400 W and gamma 0.7 the limit is 10/19", claimed.limit_of_paper()),
    )


def limit_sharp() -> tuple[Step, ...]:
    """Steps of [energy.limit-sharp]."""
    q, P, x = (Symbol(name, positive=True) for name in ("P_idle", "P_max", "eta"))
    c = Symbol("c", positive=True)
    return (
        Identity(
            "For P_idle > 0 the sharp floor P_idle eta/(P_max + P_idle eta) tends to 1",
            sympy.Limit(q * x / (P + q * x), x, sympy.oo),
            sympy.Integer(1),
        ),
        Identity(
            "With c = D - P_idle > 0 its distance from P_idle/D has the sign of eta - P_max/c",
            q * x / (P + q * x) - q / (q + c),
            q * c * (x - P / c) / ((P + q * x) * (q + c)),
        ),
        Conclusion("100/400 W, gamma 0.7: c = 90, crossing at 40/9", claimed.limit_of_sharp()),
    )


_FULLEST = Setting(
    "Let M be the sum over steps of the largest loads and r that of all the other loads, so that "
    "W = M + r and I = G M - W."
)


def _eta_at_most() -> Inequality:
    """``eta <= G - 1``."""
    M, G = Symbol("M", positive=True), Symbol("G", positive=True)
    return Inequality(
        "eta = I/W is at most G - 1", (G * M - (M + r)) / (M + r), G - 1, G * r / (M + r)
    )


def _rising() -> Inequality:
    """The envelope's energy rises with ``eta``, and so does its cap."""
    drawn = p * (1 + eta) + d * (1 + eta) ** e
    return Inequality(
        "The envelope P_idle (1+eta) + dP (1+eta)^(1-gamma) rises with eta, and so does its cap",
        sympy.Integer(0),
        sympy.Derivative(drawn, eta),
        p + d * e * (1 + eta) ** (e - 1),
    )


def reach() -> tuple[Step, ...]:
    """Steps of [energy.reach]."""
    s = Symbol("s", positive=True)
    return (
        _rising(),
        Computation(
            "Every stated share of the caps brackets the saving to half a unit of its last digit "
            "(balls)",
            _stated_caps,
        ),
        _FULLEST,
        _eta_at_most(),
        Computation(
            "The paper-shaped floor in fractions: 1/2 at eta = 40, 13/25 at 520/3, between the "
            "values at G = 174 and 175, 310/629 at G = 32",
            _stated_floors,
        ),
        Identity(
            "The tangent's cap minus s has the sign of eta - s P_max/((1 - s) D)",
            saving_cap_tangent(POWER, BASE, BALANCED) - s,
            ((1 - s) * D * eta - s * TOP) / (TOP + D * eta),
        ),
        Conclusion(
            "The paper-shaped floor minus s, for P_idle > s D, has the sign of eta - s P_max/"
            "(P_idle - s D)",
            claimed.reach(),
        ),
    )


def exceed_52() -> tuple[Step, ...]:
    """Steps of [energy.exceed-52]."""
    return (
        _FULLEST,
        _eta_at_most(),
        Computation(
            "G = 175 with all load on one worker has eta = 174, where the form is 870/1673 > "
            "13/25; G = 174 allows eta = 173 < 520/3",
            lambda: (
                _paper_at(Fraction(174)) == Fraction(870, 1673) > Fraction(13, 25)
                and 173 < Fraction(520, 3) < 174
            ),
        ),
        Conclusion("The form minus 52 % has the sign of eta - 520/3", claimed.exceeds_52()),
    )


def saving_28() -> tuple[Step, ...]:
    """Steps of [energy.saving-28]."""
    return (
        _rising(),
        Computation(
            "The envelope's cap is below 28 % at 47.69 % idle and above it at 47.70 % (balls)",
            lambda: bool(_cap_at(Fraction("0.4769")) < 0.28 < _cap_at(Fraction("0.4770"))),
        ),
        Lemma(
            "caps and floors",
            "No saving is above the cap, perfect balance saves at least the sharp floor, and some "
            "perfectly balanced runs come as close as one likes to either "
            "[energy.saving-envelope].",
        ),
        Conclusion(
            "The sharp floor reaches 28 % at eta = 14/9, the idle share 14/23, the paper-shaped "
            "one at 280/117, the idle share 280/397",
            claimed.thresholds_28(),
        ),
    )


def vanishing() -> tuple[Step, ...]:
    """Steps of [energy.vanishing]."""
    P, x = Symbol("P_max", positive=True), Symbol("eta", positive=True)
    width, lam = Symbol("w", positive=True), Symbol("lambda", positive=True)
    B, logG = Symbol("B", positive=True), Symbol("y", positive=True)
    best = sympy.sqrt(8 * logG / (B * width**2))
    return (
        Inequality(
            "The tangent cap is at most D eta / P_max, and so is every saving",
            D * x / (P + D * x),
            D * x / P,
            D**2 * x**2 / (P * (P + D * x)),
        ),
        Lemma(
            "Hoeffding",
            "A load is a sum of B independent sizes in [a, b]: E exp(lambda (L - E L)) <= "
            "exp(lambda^2 B (b-a)^2 / 8), hence by Jensen E max_g (L_g - E L) <= ln G / lambda + "
            "lambda B (b-a)^2 / 8 for every lambda > 0.",
        ),
        Identity(
            "With w = b - a and y = ln G this is (b - a) sqrt(B ln G / 2) at the best lambda",
            sympy.Subs(logG / lam + lam * B * width**2 / 8, lam, best),
            width * sympy.sqrt(B * logG / 2),
        ),
        Lemma(
            "division",
            "Divide by E L = B E X: eta <= (b-a)/E X * sqrt(ln G / (2B)), which tends to 0 "
            "whenever ln G = o(B); sqrt(G) = o(B) up to logarithms implies it.",
        ),
    )


# Numbers for 100/400 W and gamma 0.7 at perfect balance, in fractions and balls.


def _paper_at(at: Fraction) -> Fraction:
    return 100 * at / (400 + 190 * at)


def _tangent_at(share: Fraction) -> Fraction:
    at = share / (1 - share)
    return 190 * at / (400 + 190 * at)


def _cap_at(share: Fraction) -> Any:
    from flint import arb, ctx

    from theory.laws.fcfs_expectation import to_ball

    with ctx.workprec(128):
        stretch = 1 / (1 - to_ball(share))
        return 1 - 400 / (100 * stretch + 300 * stretch ** (arb(3) / 10))


def _stated_floors() -> bool:
    half, fifty_two = Fraction(1, 2), Fraction(13, 25)
    exact = _paper_at(Fraction(40)) == half and _paper_at(Fraction(520, 3)) == fifty_two
    between = _paper_at(Fraction(173)) < fifty_two < _paper_at(Fraction(174))
    return exact and between and _paper_at(Fraction(31)) == Fraction(310, 629)


def _stated_caps() -> bool:
    half_unit = Fraction(1, 20000)
    return all(
        bool(cap(Fraction(share) - half_unit) < target < cap(Fraction(share) + half_unit))
        for cap, stated in (
            (_tangent_at, (("0.28", "0.4502"), ("0.282", "0.4526"), ("0.52", "0.6952"))),
            (_cap_at, (("0.28", "0.4769"), ("0.282", "0.4796"), ("0.52", "0.7397"))),
        )
        for saving, share in stated
        for target in (float(saving),)
    )
