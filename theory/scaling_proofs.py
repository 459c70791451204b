"""Formulas and proofs of the claims about scaling, as data."""

from typing import TYPE_CHECKING

from theory.proof import Identity, Lemma, Step

if TYPE_CHECKING:
    import sympy


def fcfs_slots_formula() -> "sympy.Basic":
    """Formula of [scaling.fcfs-slots]."""
    import sympy as sp

    B = sp.Symbol("B", positive=True)
    imb = sp.Function("E_Imb")
    return sp.Eq(sp.Limit(sp.log(imb(4 * B) / imb(B), 4), B, sp.oo), sp.Rational(1, 2))


def fcfs_slots_proof() -> tuple[Step, ...]:
    """Proof of [scaling.fcfs-slots]."""
    import sympy as sp

    c, B = sp.symbols("c B", positive=True)
    return (
        Lemma(
            "limit",
            "E[Imb]/sqrt(B) tends to G sigma E_max(G) > 0 [fcfs.constant].",
        ),
        Identity(
            "So the growth from B to 4B tends to 2, exponent 1/2",
            c * sp.sqrt(4 * B) / (c * sp.sqrt(B)),
            sp.Integer(4) ** sp.Rational(1, 2),
        ),
    )


def fcfs_workers_formula() -> "sympy.Basic":
    """Formula of [scaling.fcfs-workers]."""
    import sympy as sp

    G, B, sigma = sp.symbols("G B sigma", positive=True)
    imb, most = sp.Function("E_Imb"), sp.Function("E_max")
    return sp.Eq(sp.Limit(imb(G, B) / (G * sigma * sp.sqrt(B)), B, sp.oo), most(G))


def fcfs_workers_proof() -> tuple[Step, ...]:
    """Proof of [scaling.fcfs-workers]."""
    return (
        Lemma(
            "central limit theorem",
            "The normalised loads converge to independent normals and their maximum is uniformly "
            "integrable [fcfs.constant].",
        ),
        Lemma(
            "slow logarithm",
            "E_max(G)/sqrt(ln G) is 1/sqrt(pi ln 2) at G = 2 and tends to sqrt(2): the maximum "
            "of G normals concentrates at sqrt(2 ln G) with a relative error of the order of "
            "ln ln G / ln G.",
        ),
    )
