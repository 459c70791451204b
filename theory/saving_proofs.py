"""Proof steps of the claims about savings, as data for :mod:`theory.proof`.

Symbols as in :mod:`theory.energy_formulas`, with ``e = delta = 1 - gamma``.  With a step overhead,
``W`` and ``I`` stand for the usage with overhead.  This module imports sympy: it is loaded when a
proof is asked for.
"""

import sympy
from sympy import Symbol

from theory.energy_formulas import BALANCED, BASE, NEW, POWER, d, e, eta, eta1, p
from theory.proof import Identity, Inequality, Lemma, Step
from theory.savings import (
    energy_envelope,
    energy_floor,
    energy_tangent,
    saving_cap,
    saving_cap_tangent,
    saving_paper,
    saving_sharp,
)

m = Symbol("m", positive=True)
u = Symbol("u", nonnegative=True)
v = Symbol("v", positive=True)


def saving_bounds() -> tuple[Step, ...]:
    """Steps of [energy.saving-paper], [energy.saving-sharp] and [energy.sharp-dominates]."""
    N, P = Symbol("N", nonnegative=True), Symbol("P_max", positive=True)
    r, t = Symbol("r", nonnegative=True), Symbol("t", nonnegative=True)
    D = p + e * d
    top = p + d
    return (
        Inequality(
            "E0 - E1 >= P_idle eta0 - D eta1 per unit of work: by the sandwich E0 is r above its "
            "lower side and E1 is t below its upper side",
            p * eta - D * eta1,
            (energy_floor(POWER, BASE) + r) - (energy_tangent(POWER, NEW) - t),
            r + t,
        ),
        Identity(
            "Sharp: 1 - E1/E0 >= 1 - upper(E1)/lower(E0), for numerators of either sign",
            saving_sharp(POWER, BASE, NEW),
            (p * eta - D * eta1) / (top + p * eta),
        ),
        Identity(
            "Paper-shaped: the same numerator over upper(E0)",
            saving_paper(POWER, BASE, NEW),
            (p * eta - D * eta1) / sympy.UnevaluatedExpr(energy_tangent(POWER, BASE)),
        ),
        Inequality(
            "Where the numerator N = P_idle eta - D eta1 is not negative, E0 <= upper(E0) makes "
            "the paper's form the smaller of the two",
            N / (P + D * eta),
            N / (P + p * eta),
            N * e * d * eta / ((P + D * eta) * (P + p * eta)),
        ),
    )


def best_bounds() -> tuple[Step, ...]:
    """Steps of [energy.saving-envelope]."""
    G = Symbol("G", positive=True)
    f = Symbol("f", nonnegative=True)
    return (
        Identity(
            "Per unit of work the envelope's upper side is P_idle (1+eta) + dP (1+eta)^(1-gamma)",
            energy_envelope(POWER, BASE),
            p * (1 + eta) + d * (1 + eta) ** e,
        ),
        Identity(
            "Cap: lower side of E1 over envelope of E0",
            1 - saving_cap(POWER, BASE, NEW),
            (p * (1 + eta1) + d) / (p * (1 + eta) + d * (1 + eta) ** e),
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
    )


def caps() -> tuple[Step, ...]:
    """Steps of [energy.cap]."""
    D = p + e * d
    return (
        Identity(
            "1 - E1/E0 <= 1 - lower(E1)/upper(E0); at perfect balance, tangent side: "
            "D eta / (P_max + D eta)",
            saving_cap_tangent(POWER, BASE, BALANCED),
            D * eta / (p + d + D * eta),
        ),
        Identity(
            "Envelope side: 1 - P_max / (P_idle (1+eta) + dP (1+eta)^(1-gamma))",
            saving_cap(POWER, BASE, BALANCED),
            1 - (p + d) / (p * (1 + eta) + d * (1 + eta) ** e),
        ),
        Identity(
            "For any gamma E0 <= P_max T0, so the saving is at most the idle share",
            1 - (p + d) * 1 / ((p + d) * (1 + eta)),
            eta / (1 + eta),
        ),
        Identity(
            "With imbalance eta1 left, the lower side of E1 grows: the cap falls by "
            "P_idle eta1 / upper(E0)",
            saving_cap_tangent(POWER, BASE, BALANCED) - saving_cap_tangent(POWER, BASE, NEW),
            p * eta1 / (p + d + D * eta),
        ),
    )


def limit_paper() -> tuple[Step, ...]:
    """Steps of [energy.limit-paper]."""
    P, D = Symbol("P_max", positive=True), p + Symbol("c", positive=True)
    x = Symbol("eta", positive=True)
    return (
        Inequality(
            "The form (P_idle eta - D eta1)/(P_max + D eta) is below P_idle/D for all eta > 0",
            (p * x - D * eta1) / (P + D * x),
            p / D,
            (p * P + D**2 * eta1) / (D * (P + D * x)),
        ),
        Identity(
            "At perfect balance the distance is P_idle P_max / (D (P_max + D eta)), which falls "
            "to 0 as eta grows",
            p / D - p * x / (P + D * x),
            p * P / (D * (P + D * x)),
        ),
        Identity(
            "so the floor rises to P_idle/D: the limit of the distance",
            sympy.Limit(p * P / (D * (P + D * x)), x, sympy.oo),
            sympy.Integer(0),
        ),
    )


def limit_sharp() -> tuple[Step, ...]:
    """Steps of [energy.limit-sharp]."""
    q, P, x = (Symbol(name, positive=True) for name in ("P_idle", "P_max", "eta"))
    r, c = Symbol("r", positive=True), Symbol("c", positive=True)
    D = q + c
    crossing = P / c
    return (
        Identity(
            "At perfect balance the sharp floor is 1 - P_max/(P_max + P_idle eta)",
            1 - P / (P + q * x),
            q * x / (P + q * x),
        ),
        Identity("It tends to 1", sympy.Limit(q * x / (P + q * x), x, sympy.oo), sympy.Integer(1)),
        Identity(
            "With c = D - P_idle it equals P_idle/D at eta = P_max/c and rises through it",
            sympy.Subs(q * x / (P + q * x), x, crossing),
            q / D,
        ),
        Inequality(
            "so above that eta every perfectly balanced run saves more than the paper's limit",
            q / D,
            q * (crossing + r) / (P + q * (crossing + r)),
            q * r * c / (D * (P * D / c + q * r)),
        ),
    )


def reach() -> tuple[Step, ...]:
    """Steps of [energy.reach] and [energy.exceed-52]."""
    s, x, P, k, G = (Symbol(name, positive=True) for name in ("s", "eta", "P_max", "slope", "G"))
    D = p + e * d
    needed = s * P / k
    fifty_two = sympy.Rational(13, 25)
    return (
        Identity(
            "With slope k = P_idle - s D > 0, the paper-shaped floor minus s has the sign of "
            "eta - s P_max / k",
            (k + s * D) * x / (P + D * x) - s,
            k * (x - needed) / (P + D * x),
        ),
        Identity(
            "100/400 W, gamma 0.7, s = 13/25: eta = 520/3",
            sympy.Subs(needed, (s, P, k), (fifty_two, 400, 100 - fifty_two * 190)),
            sympy.Rational(520, 3),
        ),
        Lemma(
            "one worker is full",
            "I = G sum M - W and W >= sum M, since the largest load is part of the work: eta = "
            "I/W <= G - 1.  So eta > 520/3 = 173.33 needs G >= 175; eta = 173 gives 51.9988 %.",
        ),
        Inequality(
            "The floor rises with eta, so at given G it is largest at eta = G - 1",
            p * x / (P + D * x),
            p * (x + G) / (P + D * (x + G)),
            p * P * G / ((P + D * x) * (P + D * (x + G))),
        ),
    )


def vanishing() -> tuple[Step, ...]:
    """Steps of [energy.vanishing]."""
    P, x = Symbol("P_max", positive=True), Symbol("eta", positive=True)
    D = p + e * d
    width, t = Symbol("w", positive=True), Symbol("lambda", positive=True)
    B, logG = Symbol("B", positive=True), Symbol("y", positive=True)
    best = sympy.sqrt(8 * logG / (B * width**2))
    return (
        Inequality(
            "The tangent cap is at most D eta / P_max, and so is every guaranteed saving",
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
            sympy.Subs(logG / t + t * B * width**2 / 8, t, best),
            width * sympy.sqrt(B * logG / 2),
        ),
        Lemma(
            "division",
            "Divide by E L = B E X: eta <= (b-a)/E X * sqrt(ln G / (2B)), which tends to 0 "
            "whenever ln G = o(B); sqrt(G) = o(B) up to logarithms implies it.",
        ),
    )
