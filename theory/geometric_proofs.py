"""Formulas and proofs of the claims about Theorem 2, as data."""

from typing import TYPE_CHECKING

from theory.proof import Identity, Lemma, Step

if TYPE_CHECKING:
    import sympy


def fcfs_lower_formula() -> "sympy.Basic":
    """Formula of [geometric.fcfs-lower]."""
    import sympy as sp

    c, G, sigma, B, p = sp.symbols("c G sigma_s B p", positive=True)
    deviation = sp.sqrt(sigma**2 + (1 - p) / p**2)
    return sp.Ge(sp.Symbol("E[AvgImb(FCFS)]"), c * G * deviation * sp.sqrt(B * sp.log(G)))


def fcfs_lower_proof() -> tuple[Step, ...]:
    """Proof of the explicit form of [geometric.fcfs-lower]."""
    import sympy as sp

    z, p = sp.symbols("z p", positive=True)
    # Generating function of the age: sum_t p (1-p)^t z^t.
    generating = p / (1 - (1 - p) * z)
    first = sp.Subs(sp.Derivative(generating, z), z, 1)
    second = sp.Subs(sp.Derivative(generating, z, 2), z, 1)
    return (
        Lemma(
            "size and age are independent",
            "Lengths are independent of sizes and memoryless: in stationarity A is geometric, "
            "P(A = t) = p (1-p)^t, whatever s; so Var(s + A) = sigma_s^2 + Var(A).",
        ),
        Identity(
            "Mean of the age, from its generating function",
            first,
            (1 - p) / p,
        ),
        Identity(
            "Variance of the age",
            second + first - first**2,
            (1 - p) / p**2,
        ),
        Lemma(
            "the rest is general",
            "[fcfs.exact] with X = s + A, and [fcfs.lower], [fcfs.pairing] for its law.",
        ),
    )


def bfio_upper_formula() -> "sympy.Basic":
    """Formula of [geometric.bfio-upper], with the unknown constant."""
    import sympy as sp

    C, G, s, p = sp.symbols("const G s_max p", positive=True)
    return sp.Le(sp.Symbol("E[AvgImb(BF-IO)]"), C * (G - 1) * s / p)


def iir_formula() -> "sympy.Basic":
    """Formula of [geometric.iir]."""
    import sympy as sp

    c, G, sigma, B, p, s = sp.symbols("c G sigma_s B p s_max", positive=True)
    deviation = sp.sqrt(sigma**2 + (1 - p) / p**2)
    return sp.Ge(sp.Symbol("IIR"), c * p / s * deviation * sp.sqrt(B * sp.log(G)) * G / (G - 1))


def vacuity_formula() -> "sympy.Basic":
    """Formula of [geometric.vacuity]."""
    import sympy as sp

    c, G, sigma, B, p, s = sp.symbols("c G sigma_X B p s_max", positive=True)
    return sp.Gt(B, ((G - 1) * s / (c * p * G)) ** 2 / (sigma**2 * sp.log(G)))


def vacuity_proof() -> tuple[Step, ...]:
    """Proof of [geometric.vacuity]."""
    import sympy as sp

    c, g, sigma, x, p, s, B = sp.symbols("c g sigma_X x p s_max B", positive=True)
    edge = (s / (c * p * g)) ** 2 / (sigma**2 * x)
    return (
        Identity(
            "With g = G/(G-1), x = ln G: at the edge the bound is 1",
            sp.Subs(c * p / s * sigma * sp.sqrt(B * x) * g, B, edge),
            sp.Integer(1),
        ),
        Lemma("monotone", "The bound increases with B, so it exceeds 1 exactly above the edge."),
    )


def iir_static_proof() -> tuple[Step, ...]:
    """Disproof of [geometric.iir-static], for every constant."""
    import sympy as sp

    G, B, most, c, logs, p = sp.symbols("G B E_G c l p", positive=True)
    critical = most**2 / (4 * p**2)
    spread = sp.sqrt(sp.Rational(1, 4) + (1 - p) / p**2)  # sizes 1 or 2 at equal odds
    bound = c * p / 2 * spread * sp.sqrt(critical * logs) * G / (G - 1)
    return (
        Lemma(
            "both sides",
            "Sizes 1 or 2 at equal odds, d = 1, G >= 2 fixed, p falls to 0 and B = E_G^2 / "
            "(4 p^2), rounded.  By the central limit theorem E[Imb(FCFS)]/G and E max_g A_g - "
            "E A_g are both E_G sqrt(B) / p times factors that tend to 1, and by "
            "[threshold.any-policy] no online policy has less than G times the latter minus G B.",
        ),
        Identity(
            "So the limit of the largest possible IIR is 2",
            sp.Subs((most * sp.sqrt(B) / p) / (most * sp.sqrt(B) / p - B), B, critical),
            sp.Integer(2),
        ),
        Identity(
            "while p times the claimed side, l = ln G, tends to a positive number",
            sp.Limit(p * bound, p, 0),
            c * most * sp.sqrt(logs) * G / (4 * (G - 1)),
        ),
    )
