"""Formulas and proofs of the non-vacuity map."""

from typing import TYPE_CHECKING

from theory.proof import Conclusion, Identity, Inequality, Lemma, Step

if TYPE_CHECKING:
    import sympy


def edge_formula() -> "sympy.Basic":
    """Formula of [vacuity.edge]."""
    import sympy as sp

    bound, r, B, edge = sp.symbols("T r B B_1", positive=True)
    return sp.Eq((bound / r) ** 2, B / edge)


def edge_proof() -> tuple[Step, ...]:
    """Proof of [vacuity.edge]."""
    import sympy as sp

    G, B, c, r, sigma, w = sp.symbols("G B c r sigma w", positive=True)
    bound = c * G * sigma * sp.sqrt(B * sp.log(G)) / ((G - 1) * w)
    edge = ((G - 1) * r * w / (c * G * sigma)) ** 2 / sp.log(G)
    named = dict(zip(sp.symbols("T B_1", positive=True), (bound, edge), strict=True))
    return (Conclusion("With T and B_1 as stated", edge_formula(), named),)


def certified_formula() -> "sympy.Basic":
    """Formula of [vacuity.certified]."""
    import sympy as sp

    G, a, b = sp.symbols("G a b", positive=True)
    return sp.Gt(sp.Symbol("E[Imb]") / ((G - 1) * (b - a)), 1)


def certified_proof() -> tuple[Step, ...]:
    """Proof of [vacuity.certified]."""
    import sympy as sp

    h, B, t = sp.symbols("h B t", positive=True)
    logs = sp.Symbol("l", positive=True)
    return (
        Lemma(
            "monotone",
            "E[max_g L_g] - B E[X] cannot fall as B grows [fcfs.constant-of-law], so the "
            "certificate exceeds 1 at every B from the first on.",
        ),
        Lemma(
            "floors",
            "With sizes s = h floor(s/h) + R, 0 <= R <= h-1, a worker's remainder less its mean "
            "is a sum of B independent terms of range h-1; by Hoeffding's lemma and Jensen's "
            "inequality the mean of the largest of G is at most ln(G)/t + t B (h-1)^2/8, for "
            "every t > 0, and E[Imb] lies within G times that of h E[Imb of the floors].",
        ),
        Identity(
            "The best t gives (h-1) sqrt(B ln(G)/2); here h is the range",
            sp.Subs(logs / t + t * B * h**2 / 8, t, sp.sqrt(8 * logs / B) / h),
            h * sp.sqrt(B * logs / 2),
        ),
    )


def energy_formula() -> "sympy.Basic":
    """Formula of [vacuity.energy]."""
    import sympy as sp

    alpha, idle, waste = sp.symbols("alpha P_idle D", positive=True)
    return sp.Gt(alpha, waste / idle)


def energy_proof() -> tuple[Step, ...]:
    """Proof of [vacuity.energy]."""
    import sympy as sp

    eta, idle, waste, full, x = sp.symbols("eta P_idle D P_max x", positive=True)
    ratio = sp.Symbol("alpha", positive=True)
    floor = eta * (idle - waste / ratio) / (full + idle * eta)
    alpha = waste / idle + x
    saving = eta * (idle - waste / alpha) / (full + idle * eta)
    k, m, slots = sp.symbols("k m B", positive=True)
    return (
        Identity(
            "At alpha = D/P_idle the floor eta (P_idle - D/alpha) / (P_max + P_idle eta) is 0",
            sp.Subs(floor, ratio, waste / idle),
            sp.Integer(0),
        ),
        Identity(
            "and beyond it, at alpha = D/P_idle + x, it has the sign of x",
            saving,
            eta * idle * x / alpha / (full + idle * eta),
        ),
        Inequality(
            "The floor is at most eta P_idle / P_max",
            saving,
            eta * idle / full,
            eta * (waste * full / alpha + idle**2 * eta) / (full * (full + idle * eta)),
        ),
        Lemma(
            "eta vanishes",
            "E[max_g L_g] - B E[X] <= sigma sqrt(B (G-1)) for any law (Cauchy-Schwarz), so eta, "
            "which divides it by B E[X], is at most sigma sqrt(G-1) / (E[X] sqrt(B)).",
        ),
        Identity(
            "So the promise vanishes as B grows at fixed G: with k = sigma sqrt(G-1), m = E[X]",
            sp.Limit(k * sp.sqrt(slots) / (m * slots), slots, sp.oo),
            sp.Integer(0),
        ),
    )
