"""Proofs, as data, of where the paper's reported numbers fit one another, and where they need not.

Powers are in units of P_idle: dP = 3, gamma = 7/10.
"""

from typing import TYPE_CHECKING

from evenkeel.theorems.dropped_assumptions.disproofs import violated
from theory.proof import Identity, Inequality, Lemma, Step
from theory.relations import at_least

if TYPE_CHECKING:
    import sympy

# Two workers of two slots, four requests that do not grow, in units of t_l: the sizes in order of
# arrival, and the overhead of a step.
OVERHEAD_SIZES = (400, 208, 96, 274)
OVERHEAD = 304


def consistency() -> tuple[Step, ...]:
    """Proof of [experiment.consistency]."""
    import sympy as sp

    q, v = sp.symbols("q v", positive=True)  # busy share 1 - f of the baseline, speed-up
    gamma, saved, fast = sp.Rational(7, 10), sp.Rational("0.282"), sp.Rational("1.92")

    def cap(busy: "sympy.Expr", speed: "sympy.Expr") -> "sympy.Expr":
        return 1 - (3 * busy + 1 / speed) / (1 + 3 * busy**gamma)

    def floor(busy: "sympy.Expr", speed: "sympy.Expr") -> "sympy.Expr":
        return 1 - (1 + 3 * (speed * busy) ** gamma) / (speed * (1 + 3 * busy))

    def below(text: str, low: "sympy.Expr", high: "sympy.Expr") -> Inequality:
        return Inequality(text, low, high, high - low)

    def digits(text: str, value: "sympy.Expr", stated: str) -> Inequality:
        half = sp.Rational(1, 2 * 10 ** (len(stated) - 2))
        return below(text, sp.Abs(value - sp.Rational(stated)), half)

    return (
        Lemma(
            "bounds",
            "Per unit of work the baseline takes 1/q of worker-time and the improved run 1/(q v), "
            "v the speed-up [energy.throughput].  The best floor and cap [energy.saving-envelope] "
            "depend on these alone, and what lies between them is reached by some run.",
        ),
        Identity(
            "The cap, energy floor of the improved run over the envelope of the baseline",
            1 - (4 + (1 / (q * v) - 1)) / sp.UnevaluatedExpr((1 + 3 * q**gamma) / q),
            cap(q, v),
        ),
        Identity(
            "The floor, envelope of the improved run over the energy floor of the baseline",
            1 - (1 + 3 * (q * v) ** gamma) / (q * v) / sp.UnevaluatedExpr(4 + (1 / q - 1)),
            floor(q, v),
        ),
        Inequality(
            "q^(7/10) is concave",
            sp.Derivative(q**gamma, (q, 2)),
            sp.Integer(0),
            sp.Rational(21, 100) * q ** sp.Rational(-13, 10),
        ),
        Lemma(
            "once each",
            "Cleared of denominators, 'the cap is at least 0.282' and 'the floor is at most 0.282' "
            "say that a sum of q^(7/10) and a linear function is not negative: each holds on an "
            "interval of q.  At q = 0 the first holds (the cap is 1 - 1/v) and the second does "
            "not; q ends at 1/v, where the improved run idles no more.",
        ),
        below("At 47.95 % idle the cap is below 0.282", cap(sp.Rational("0.5205"), fast), saved),
        below("and at 48.05 % above", saved, cap(sp.Rational("0.5195"), fast)),
        below("At 47.95 % the floor is below", floor(sp.Rational("0.5205"), fast), saved),
        below("and still at 94.85 %", floor(sp.Rational("0.0515"), fast), saved),
        below("at 94.95 % it is above", saved, floor(sp.Rational("0.0505"), fast)),
        digits("At 48.8 % idle the cap is 28.5 %", cap(sp.Rational("0.512"), fast), "0.285"),
    )


def overhead() -> tuple[Step, ...]:
    """Disproof of [experiment.consistency-overhead]."""
    import sympy as sp

    d, idle = sp.symbols("T_0 I_0", positive=True)
    C, (a, b, c, e) = sp.Integer(OVERHEAD), map(sp.Integer, OVERHEAD_SIZES)
    high, low, near, far = a + b, c + e, a + c, b + e

    def power(load: "sympy.Expr", top: "sympy.Expr") -> "sympy.Expr":
        return 4 + 1 + 3 * (load / top) ** sp.Rational(7, 10)

    def ratio(top: "sympy.Expr", below: "sympy.Expr") -> "sympy.Expr":
        return sp.UnevaluatedExpr(top) / below

    energies = (C + near) * power(far, near) / ((C + high) * power(low, high))
    return (
        Identity(
            "What holds with any overhead, in as many steps: 17 times less idle time saves 16/17 "
            "of it, a speed-up of 1.14 where 119/912, 13.0 %, of all worker-time was idle",
            sp.Subs(d / (d - sp.Rational(16, 17) * idle), idle, sp.Rational(119, 912) * d),
            sp.Rational("1.14"),
        ),
        Lemma(
            "two policies",
            f"Two workers of two slots, no growth, C = {C} t_l, sizes {OVERHEAD_SIZES} of equal "
            f"lengths: at every step FCFS has the loads ({high}, {low}), BF-IO ({near}, {far}), "
            "the least uneven of the three pairings.",
        ),
        Identity("The overhead is a third of the time", ratio(C, C + high), sp.Rational(1, 3)),
        Identity("The imbalance is 17 times less", ratio(high - low, near - far), sp.Integer(17)),
        Identity("The speed-up is 1.14", ratio(C + high, C + near), sp.Rational("1.14")),
        Identity(
            "At the barrier 19.6 % of the time is idle, not 13.0 %",
            ratio(high - low, 2 * high),
            sp.Rational(119, 608),
        ),
        violated(
            "and the saving is below 3.2 %",
            at_least("saving", "32/1000"),
            {"saving": 1 - energies},
            sp.Rational(32, 1000) - 1 + energies,
        ),
    )
