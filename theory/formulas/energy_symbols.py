"""The energy claims as sympy relations.

Symbols: ``p = P_idle`` and ``e = delta = 1 - gamma`` (non-negative), ``d = dP = P_max - P_idle``
(positive: at constant power all bounds are one number), busy time ``W`` and idle time ``I`` in load
units, ``eta`` and ``eta1`` their ratios in the baseline and in the improved run.  This module
imports sympy: it is loaded when a formula is asked for.
"""

import sympy
from sympy import And, Derivative, Eq, Ge, Gt, Le, Lt, Rational, Subs, Symbol

from theory.formulas.energy import (
    Constants,
    Usage,
    energy_envelope,
    energy_envelope_of,
    energy_floor,
    energy_tangent,
    saving_cap,
    saving_cap_tangent,
    saving_floor,
    saving_paper,
    saving_sharp,
)
from theory.formulas.energy_inversions import limit_paper

p = Symbol("P_idle", nonnegative=True)
d = Symbol("dP", positive=True)
e = Symbol("delta", nonnegative=True)
W = Symbol("W", positive=True)
I = Symbol("I", nonnegative=True)  # noqa: E741
eta = Symbol("eta", nonnegative=True)
eta1 = Symbol("eta1", nonnegative=True)
E = Symbol("E", nonnegative=True)
saving = Symbol("saving", real=True)

POWER = Constants(p, p + d, 1 - e)
RUN = Usage(W, I)
BASE, NEW = Usage(sympy.Integer(1), eta), Usage(sympy.Integer(1), eta1)
BALANCED = Usage(sympy.Integer(1), sympy.Integer(0))
A100 = Constants(sympy.Integer(100), sympy.Integer(400), Rational(7, 10))
LINEAR = Constants(p, p + d, sympy.Integer(1))


def sandwich() -> sympy.Basic:
    """[energy.sandwich]."""
    return And(Le(energy_floor(POWER, RUN), E), Le(E, energy_tangent(POWER, RUN)))


def envelope() -> sympy.Basic:
    """[energy.envelope]."""
    return And(Le(energy_floor(POWER, RUN), E), Le(E, energy_envelope(POWER, RUN)))


def envelope_workers() -> sympy.Basic:
    """[energy.envelope-workers]."""
    G = Symbol("G", integer=True, positive=True)
    return Le(E, energy_envelope_of(POWER, RUN, G))


def paper_floor() -> sympy.Basic:
    """[energy.saving-paper], where ``P_idle eta >= D eta1``; [energy.paper-everywhere] without."""
    return Ge(saving, saving_paper(POWER, BASE, NEW))


def sharp_floor() -> sympy.Basic:
    """[energy.saving-sharp]."""
    return Ge(saving, saving_sharp(POWER, BASE, NEW))


def sharp_dominates() -> sympy.Basic:
    """[energy.sharp-dominates]: the sign of the difference, in every case."""
    top, D = POWER.max_w, POWER.waste_w
    return Eq(
        saving_sharp(POWER, BASE, NEW) - saving_paper(POWER, BASE, NEW),
        (p * eta - D * eta1) * e * d * eta / ((top + D * eta) * (top + p * eta)),
        evaluate=False,
    )


def best_bounds() -> sympy.Basic:
    """[energy.saving-envelope]."""
    return And(Ge(saving, saving_floor(POWER, BASE, NEW)), Le(saving, saving_cap(POWER, BASE, NEW)))


def limit_of_paper() -> sympy.Basic:
    """[energy.limit-paper]."""
    return Eq(
        sympy.Limit(saving_paper(A100, BASE, BALANCED), eta, sympy.oo, "-"), limit_paper(A100)
    )


def limit_of_sharp() -> sympy.Basic:
    """[energy.limit-sharp], for 100/400 W and gamma 0.7."""
    floor = saving_sharp(A100, BASE, BALANCED)
    return And(
        Eq(sympy.Limit(floor, eta, sympy.oo, "-"), sympy.Integer(1)),
        Eq(Subs(floor, eta, Rational(40, 9)), limit_paper(A100)),
    )


def limit_of_sharp_unpowered() -> sympy.Basic:
    """[energy.limit-sharp-unpowered]: for ``P_idle = 0``."""
    floor = saving_sharp(Constants(sympy.Integer(0), d, 1 - e), BASE, BALANCED)
    return Eq(sympy.Limit(floor, eta, sympy.oo, "-"), sympy.Integer(1))


def caps() -> sympy.Basic:
    """[energy.cap]."""
    cap = saving_cap(POWER, BASE, BALANCED)
    return And(
        Le(saving, cap),
        Le(cap, saving_cap_tangent(POWER, BASE, BALANCED)),
        Le(cap, eta / (1 + eta)),
    )


def reach() -> sympy.Basic:
    """[energy.reach]: from which ``eta`` on the paper-shaped floor is at least ``s``."""
    s = Symbol("s", positive=True)
    slope = p - s * POWER.waste_w
    return Eq(
        saving_paper(POWER, BASE, BALANCED) - s,
        slope * (eta - s * POWER.max_w / slope) / (POWER.max_w + POWER.waste_w * eta),
        evaluate=False,
    )


def thresholds_28() -> sympy.Basic:
    """[energy.saving-28]: both floors against 28 %, for 100/400 W and gamma 0.7."""
    share = Rational(28, 100)
    return And(
        Eq(
            saving_sharp(A100, BASE, BALANCED) - share,
            72 * (eta - Rational(14, 9)) / (400 + 100 * eta),
            evaluate=False,
        ),
        Eq(
            saving_paper(A100, BASE, BALANCED) - share,
            Rational(234, 5) * (eta - Rational(280, 117)) / (400 + 190 * eta),
            evaluate=False,
        ),
    )


def vanishing() -> sympy.Basic:
    """[energy.vanishing]."""
    G, B, a, b, mean = (Symbol(name, positive=True) for name in ("G", "B", "a", "b", "EX"))
    eta_bound = (b - a) / mean * sympy.sqrt(sympy.log(G) / (2 * B))
    return And(Le(saving, POWER.waste_w * eta / POWER.max_w), Le(eta, eta_bound))


def overhead() -> sympy.Basic:
    """[energy.overhead]."""
    c, S, slots = (Symbol(name, nonnegative=True) for name in ("c", "S", "GK"))
    run = Usage(W + c * S, I + c * (slots - S))
    return And(
        Le(energy_floor(POWER, run), E),
        Le(E, energy_tangent(POWER, run)),
        Le(E, energy_envelope(POWER, run)),
    )


def saving_overhead() -> sympy.Basic:
    """[energy.saving-overhead]."""
    c, S0, S1, N0, N1 = (Symbol(name, nonnegative=True) for name in ("c", "S0", "S1", "GK0", "GK1"))
    W0, W1 = Symbol("W0", positive=True), Symbol("W1", positive=True)
    I0, I1 = Symbol("I0", nonnegative=True), Symbol("I1", nonnegative=True)
    base = Usage(W0 + c * S0, I0 + c * (N0 - S0))
    new = Usage(W1 + c * S1, I1 + c * (N1 - S1))
    return And(
        Ge(saving, saving_sharp(POWER, base, new)),
        Ge(saving, saving_floor(POWER, base, new)),
        Le(saving, saving_cap(POWER, base, new)),
    )


def overhead_lowers() -> sympy.Basic:
    """[energy.overhead-lowers]."""
    c, A0, E0 = (Symbol(name, positive=True) for name in ("c", "A0", "E0"))
    steps = Symbol("GK1", positive=True)
    balanced = POWER.max_w * (W + c * steps)
    return Le(1 - balanced / (E0 + c * A0), 1 - POWER.max_w * W / E0)


def sensitivity() -> sympy.Basic:
    """[energy.sensitivity]: in ``e = 1 - gamma``."""
    cap, floor = saving_cap(POWER, BASE, BALANCED), saving_sharp(POWER, BASE, BALANCED)
    return And(
        Eq(Derivative(floor, e), 0, evaluate=False),
        Ge(Derivative(cap, e), 0),
        Eq(Subs(cap, e, 0), floor, evaluate=False),
        Eq(Subs(cap, e, 1), eta / (1 + eta), evaluate=False),
    )


def hardware() -> sympy.Basic:
    """[energy.hardware]: how ``P_idle / D`` moves with each constant."""
    q, top, gamma = (Symbol(name, positive=True) for name in ("P_idle", "P_max", "gamma"))
    limit = limit_paper(Constants(q, top, gamma))
    square = Constants(q, top, gamma).waste_w ** 2
    return And(
        Eq(Derivative(limit, q), (1 - gamma) * top / square, evaluate=False),
        Eq(Derivative(limit, top), -q * (1 - gamma) / square, evaluate=False),
        Eq(Derivative(limit, gamma), q * (top - q) / square, evaluate=False),
    )


def busy_fraction() -> sympy.Basic:
    """[energy.gamma]: at gamma = 1 the two sides meet, and so do the floor and the cap."""
    return And(
        Eq(energy_tangent(LINEAR, RUN), energy_floor(LINEAR, RUN), evaluate=False),
        Eq(
            1 - energy_floor(LINEAR, NEW) / energy_floor(LINEAR, BASE),
            p * (eta - eta1) / (p + d + p * eta),
            evaluate=False,
        ),
    )


def any_power() -> sympy.Basic:
    """[energy.any-power]."""
    return Le(saving, I / (W + I))


def throughput() -> sympy.Basic:
    """[energy.throughput]."""
    return Eq(Symbol("speed_up"), (1 + eta) / (1 + eta1))


def work() -> sympy.Basic:
    """[energy.work-invariance]: of one request that grows by ``dl`` a step."""
    j, o, s, growth = (Symbol(name, positive=True, integer=True) for name in ("j", "o", "s", "dl"))
    return Eq(
        sympy.Sum(s + growth * (j - 1), (j, 1, o)),
        o * s + growth * o * (o - 1) / 2,
        evaluate=False,
    )


def exceeds_52() -> sympy.Basic:
    """[energy.exceed-52]: above 52 % exactly where eta > 520/3."""
    return Eq(
        saving_paper(A100, BASE, BALANCED) - Rational(52, 100),
        Rational(6, 5) * (eta - Rational(520, 3)) / (400 + 190 * eta),
        evaluate=False,
    )


def paper_limit_is_a_cap() -> sympy.Basic:
    """[energy.limit-is-a-cap]."""
    return Lt(saving, limit_paper(POWER))


def idle_region() -> sympy.Basic:
    """[waste.idle40]."""
    imbalance, G, B, mean = (Symbol(name, positive=True) for name in ("EImb", "G", "B", "EX"))
    return Gt(imbalance / (G * B * mean), sympy.Rational(2, 3))
