"""The energy claims as sympy relations.

Symbols: ``p = P_idle``, ``d = dP = P_max - P_idle``, ``e = delta = 1 - gamma`` (all non-negative),
busy time ``W`` and idle time ``I`` in load units, ``eta`` and ``eta1`` their ratios in the
baseline and in the improved run.  This module imports sympy: it is loaded when a formula is asked
for.
"""

import sympy
from sympy import And, Eq, Ge, Gt, Implies, Le, Lt, Symbol

from theory.reach import limit_paper
from theory.savings import (
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

p = Symbol("P_idle", nonnegative=True)
d = Symbol("dP", nonnegative=True)
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
A100 = Constants(sympy.Integer(100), sympy.Integer(400), sympy.Rational(7, 10))


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
    """[energy.saving-paper]."""
    bound = saving_paper(POWER, BASE, NEW)
    return Implies(Ge(p * eta, POWER.waste_w * eta1), Ge(saving, bound))


def paper_floor_everywhere() -> sympy.Basic:
    """[energy.paper-everywhere]."""
    return Ge(saving, saving_paper(POWER, BASE, NEW))


def sharp_floor() -> sympy.Basic:
    """[energy.saving-sharp]."""
    return Ge(saving, saving_sharp(POWER, BASE, NEW))


def sharp_dominates() -> sympy.Basic:
    """[energy.sharp-dominates]."""
    return Implies(
        Ge(p * eta, POWER.waste_w * eta1),
        Ge(saving_sharp(POWER, BASE, NEW), saving_paper(POWER, BASE, NEW)),
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
    """[energy.limit-sharp]."""
    return Eq(sympy.Limit(saving_sharp(A100, BASE, BALANCED), eta, sympy.oo, "-"), sympy.Integer(1))


def caps() -> sympy.Basic:
    """[energy.cap]."""
    cap = saving_cap(POWER, BASE, BALANCED)
    return And(
        Le(saving, cap),
        Le(cap, saving_cap_tangent(POWER, BASE, BALANCED)),
        Le(cap, eta / (1 + eta)),
    )


def reach() -> sympy.Basic:
    """[energy.reach]."""
    s, slope = Symbol("s", positive=True), p - POWER.waste_w * Symbol("s", positive=True)
    floor = saving_paper(POWER, BASE, BALANCED)
    return Implies(Gt(slope, 0), sympy.Equivalent(Ge(floor, s), Ge(eta, s * POWER.max_w / slope)))


def vanishing() -> sympy.Basic:
    """[energy.vanishing]."""
    G, B, a, b, mean = (Symbol(name, positive=True) for name in ("G", "B", "a", "b", "EX"))
    eta_bound = (b - a) / mean * sympy.sqrt(sympy.log(G) / (2 * B))
    return And(Le(saving, POWER.waste_w * eta / POWER.max_w), Le(eta, eta_bound))


def overhead() -> sympy.Basic:
    """[energy.overhead]."""
    c, S, slots = (Symbol(name, nonnegative=True) for name in ("c", "S", "GK"))
    run = Usage(W + c * S, I + c * (slots - S))
    return And(Le(energy_floor(POWER, run), E), Le(E, energy_envelope(POWER, run)))


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
        Eq(sympy.Derivative(floor, e), 0, evaluate=False),
        Ge(sympy.Derivative(cap, e), 0),
        Le(floor, cap),
    )


def throughput() -> sympy.Basic:
    """[energy.throughput]."""
    return Eq(Symbol("speed_up"), (1 + eta) / (1 + eta1))


def work() -> sympy.Basic:
    """[energy.work-invariance]."""
    j, o, s = (Symbol(name, positive=True, integer=True) for name in ("j", "o", "s"))
    return Eq(sympy.Sum(s + j - 1, (j, 1, o)), o * s + o * (o - 1) / 2)


def exceeds_52() -> sympy.Basic:
    """[energy.exceed-52]."""
    floor = saving_paper(A100, BASE, BALANCED)
    return sympy.Equivalent(Gt(floor, sympy.Rational(52, 100)), Gt(eta, sympy.Rational(520, 3)))


def paper_limit_is_a_cap() -> sympy.Basic:
    """[energy.limit-is-a-cap]."""
    return Lt(saving, limit_paper(POWER))


def idle_region() -> sympy.Basic:
    """[waste.idle40]."""
    imbalance, G, B, mean = (Symbol(name, positive=True) for name in ("EImb", "G", "B", "EX"))
    return Gt(imbalance / (G * B * mean), sympy.Rational(2, 3))
