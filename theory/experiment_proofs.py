"""Proof, as data, that the paper's reported numbers fit one another where it is said."""

from typing import TYPE_CHECKING

from theory.proof import Identity, Inequality, Lemma, Step

if TYPE_CHECKING:
    import sympy


def consistency() -> tuple[Step, ...]:
    """Proof of [experiment.consistency], in units of P_idle: dP = 3, gamma = 7/10."""
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

    eta, busy = sp.Rational(119, 793), sp.Rational(793, 912)
    slow = sp.Rational("1.14")
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
        Identity(
            "E2: (1 + eta)/(1 + eta/17) = 1.14 at eta = 119/793",
            sp.Subs((1 + v) / (1 + v / 17), v, eta),
            slow,
        ),
        Identity("which is a busy share of 793/912", sp.Subs(1 / (1 + v), v, eta), busy),
        digits("so 13.0 % idle", 1 - busy, "0.130"),
        digits("a saving of at least 3.2 %", floor(busy, slow), "0.032"),
        digits("and of at most 6.3 %", cap(busy, slow), "0.063"),
    )
