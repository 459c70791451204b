"""Formulas and proofs of the claims about Theorem 1, as data."""

from fractions import Fraction
from typing import TYPE_CHECKING

from theory.formulas.constants import FCFS_ROUNDED, FCFS_TEXT
from theory.proof import Computation, Conclusion, Identity, Inequality, Lemma, Setting, Step

if TYPE_CHECKING:
    import sympy


def fcfs_lower_formula() -> "sympy.Basic":
    """Formula of [warmup.fcfs-lower]."""
    import sympy as sp

    G, k, n, sigma, kappa = sp.symbols("G k n sigma_s kappa", positive=True)
    bound = G * k * sigma * sp.sqrt(n / (6 + (kappa - 3) / n))
    return sp.Ge(sp.Symbol("E[AvgImb(FCFS)]"), bound)


def fcfs_lower_proof() -> tuple[Step, ...]:
    """Proof of [warmup.fcfs-lower]."""
    import sympy as sp

    G, B, growth, largest, total = sp.symbols("G B t M S", positive=True)
    return (
        Lemma(
            "rounds",
            "All output lengths equal o, so all GB requests admitted at a step depart together "
            "after o steps: every admission is a full refill with fresh iid sizes.",
        ),
        Identity(
            "Within a round every load grows by B t, which leaves the imbalance unchanged",
            G * (largest + B * growth) - (total + G * B * growth),
            G * largest - total,
        ),
        Lemma(
            "the law of one round",
            "The slot loads of a round are iid copies of s up to a constant, so its expected "
            "imbalance is [fcfs.exact] with X = s, at least the bound of [fcfs.log-growth].",
        ),
    )


def bfio_upper_formula() -> "sympy.Basic":
    """Formula of [warmup.bfio-upper]."""
    import sympy as sp

    G, a, b = sp.symbols("G a b", positive=True, integer=True)
    return sp.Le(sp.Symbol("Imb(BF-IO)"), (G - 1) * (b - a))


def bfio_upper_proof() -> tuple[Step, ...]:
    """Proof of [warmup.bfio-upper]."""
    import sympy as sp

    a, d, n = sp.symbols("a d n", nonnegative=True)  # d = b - a, n = G - 1
    return (
        Lemma(
            "full refill",
            "Every round starts with empty workers and a full pool, so [step.full-refill-gap] "
            "holds at its admission; the loads then grow alike.",
        ),
        Inequality(
            "(G-1)(b-a) <= (G-1) s_max, as b = s_max and a >= 0",
            n * d,
            n * (a + d),
            n * a,
        ),
    )


def spare_request_formula() -> "sympy.Basic":
    """Formula of [warmup.spare-request]."""
    import sympy as sp

    a, b = sp.symbols("a b", positive=True, integer=True)
    return sp.Le(sp.Symbol("max L - min L"), (b - a) / 2)


def spare_request_proof() -> tuple[Step, ...]:
    """Proof of [warmup.spare-request]."""
    import sympy as sp

    x, y, rest = sp.symbols("x y r", nonnegative=True)  # two gaps and the other gaps
    d, lead, a, b = sp.symbols("d s a b", nonnegative=True)
    return (
        Inequality(
            "Sort 2B+1 of the sizes.  Their adjacent gaps sum to at most b - a, so of two gaps "
            "the smaller is at most half of it: only one gap can exceed (b-a)/2",
            sp.Min(x, x + y),
            (x + (x + y) + rest) / 2,
            (y + rest) / 2,
        ),
        Lemma(
            "avoid the wide gap",
            "Leave out the item of an odd rank j and pair (1,2), (3,4), ... below it and "
            "(j+1,j+2), ... above it.  A gap between ranks i and i+1 is paired only if i is odd "
            "and j > i, or i is even and j < i; so some odd j avoids it.  Every pair then has a "
            "gap of at most (b-a)/2.",
        ),
        Lemma(
            "alternate",
            "Give the larger item of each pair to the worker that is behind, the smaller to the "
            "other.  If the lead is s and the pair's gap d, the new lead is |s - d|.",
        ),
        Inequality(
            "The new lead never exceeds the larger of lead and gap",
            sp.Max(lead, lead + d) - sp.Min(lead, lead + d),
            sp.Max(lead, lead + d),
            sp.Min(lead, lead + d),
        ),
        Identity(
            "Attained at B = 1 by a, (a+b)/2, b: the lower pair differs by (b-a)/2",
            sp.UnevaluatedExpr((a + b) / 2) - a,
            (b - a) / 2,
        ),
        Identity(
            "and the upper pair, too, so no choice of two leaves less",
            b - sp.UnevaluatedExpr((a + b) / 2),
            (b - a) / 2,
        ),
    )


def iir_formula() -> "sympy.Basic":
    """Formula of [warmup.iir]."""
    import sympy as sp

    G, a, b = sp.symbols("G a b", positive=True, integer=True)
    exact = sp.Symbol("E[Imb(FCFS)]", positive=True)
    return sp.Ge(sp.Symbol("IIR"), exact / ((G - 1) * (b - a)))


def iir_proof() -> tuple[Step, ...]:
    """Proof of [warmup.iir]."""
    import sympy as sp

    c, G, sigma, b, a, B = sp.symbols("c G sigma_s b a B", positive=True)
    root = sp.sqrt(B * sp.log(G))
    i, u, e = sp.symbols("i u e", nonnegative=True)
    return (
        Inequality(
            "If BF-IO's mean i is at most the bound i + u, then e (exact FCFS) satisfies "
            "e i <= e (i + u): the ratio to the mean is at least the ratio to the bound",
            e * i,
            e * (i + u),
            e * u,
        ),
        Identity(
            "With E[FCFS] = c G sigma sqrt(B ln G) and b - a in place of s_max",
            sp.simplify(c * G * sigma * root / ((G - 1) * (b - a))),
            c * (sigma / (b - a)) * root * G / (G - 1),
        ),
    )


def vacuity_formula() -> "sympy.Basic":
    """Formula of [warmup.vacuity]."""
    import sympy as sp

    c, kappa, x, g, B, edge = sp.symbols("c kappa_0 x g B B_0", positive=True)
    return sp.Eq(c * kappa * sp.sqrt(B * x) * g, sp.sqrt(B / edge))


def vacuity_proof() -> tuple[Step, ...]:
    """Proof of [warmup.vacuity]."""
    import sympy as sp

    c, kappa, x, g, edge = sp.symbols("c kappa_0 x g B_0", positive=True)
    return (
        Setting("Let x = ln G, g = G/(G-1) and B_0 = 1/((c kappa_0 g)^2 x)."),
        Computation(
            "At G = 32, B = 72: with c = 1 the bound is below 1 at kappa_0 = 0.0613 and above it "
            f"at 0.0614; with c = {FCFS_TEXT} below at 0.0905 and above at 0.0906 (balls)",
            _thresholds,
        ),
        Conclusion(
            "Theorem 1's bound is sqrt(B / B_0), which exceeds 1 exactly when B > B_0",
            vacuity_formula(),
            {edge: 1 / ((c * kappa * g) ** 2 * x)},
        ),
    )


def _thresholds() -> bool:
    """Whether the four stated values of kappa0 lie where they are said to."""
    from flint import arb, ctx

    from theory.laws.fcfs_expectation import PRECISION, to_ball

    with ctx.workprec(PRECISION):
        unit = (72 * arb(32).log()).sqrt() * 32 / 31
        return all(
            to_ball(c) * to_ball(below) * unit < 1 < to_ball(c) * to_ball(above) * unit
            for c, below, above in (
                (Fraction(1), Fraction(613, 10_000), Fraction(614, 10_000)),
                (FCFS_ROUNDED, Fraction(905, 10_000), Fraction(906, 10_000)),
            )
        )
