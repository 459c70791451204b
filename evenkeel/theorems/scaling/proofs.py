"""Formulas and proofs of the claims about scaling, as data."""

from typing import TYPE_CHECKING

from evenkeel.theorems.fcfs.proofs import largest_of_two
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
            sp.log(sp.UnevaluatedExpr(c * sp.sqrt(4 * B)) / (c * sp.sqrt(B))) / sp.log(4),
            sp.Rational(1, 2),
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
    import sympy as sp

    return (
        Lemma(
            "central limit theorem",
            "The normalised loads converge to independent normals and their maximum is uniformly "
            "integrable [fcfs.constant].",
        ),
        Identity(
            "E_max(G)/sqrt(ln G) is 1/sqrt(pi ln 2) at G = 2",
            largest_of_two() / sp.sqrt(sp.log(2)),
            1 / sp.sqrt(sp.pi * sp.log(2)),
        ),
        Lemma(
            "slow logarithm",
            "and it tends to sqrt(2): the maximum of G normals concentrates at sqrt(2 ln G) with "
            "a relative error of the order of ln ln G / ln G.",
        ),
    )


def two_size_refill_formula() -> "sympy.Basic":
    """Formula of [scaling.two-size-refill]."""
    import sympy as sp

    G, B, j = sp.symbols("G B j", positive=True, integer=True)
    a, b = sp.symbols("a b", positive=True)
    term = (-1) ** (j * B) * sp.cos(sp.pi * j / G) ** (G * B)
    mean = (b - a) * ((G - 1) / 2 - sp.Sum(term, (j, 1, G - 1)) / 2)
    return sp.Eq(sp.Symbol("E_Imb_BFIO"), mean)


def two_size_refill_proof() -> tuple[Step, ...]:
    """Proof of [scaling.two-size-refill]."""
    import sympy as sp

    G, B, N, a, width = sp.symbols("G B N a width", positive=True)
    most = sp.Symbol("c", positive=True)
    phi = sp.Symbol("phi", real=True)
    return (
        Lemma(
            "pigeonhole",
            "Some worker gets at least c = ceil(N/G) of the N requests of size b; dealing them "
            "out in turn, no worker gets more.",
        ),
        Identity(
            "So max L = B a + c (b-a), and with sum L = G B a + N (b-a) the optimum is",
            G * (B * a + most * width) - (G * B * a + N * width),
            width * (G * most - N),
        ),
        Lemma("remainder", "G ceil(N/G) - N = -N mod G."),
        Identity(
            "N is binomial: each request multiplies E exp(2 i phi N) by (1 + exp(2 i phi))/2",
            (1 + sp.exp(2 * sp.I * phi)) / 2,
            sp.cos(phi).rewrite(sp.exp) * sp.exp(sp.I * phi),
        ),
        Lemma(
            "finite Fourier sum",
            "E[-N mod G] = (1/G) sum_j (sum_r r w^(jr)) E w^(jN) with w = exp(2 pi i/G).  j = 0 "
            "gives (G-1)/2.  For j > 0, sum_r r w^(jr) = G/(w^j - 1) has real part -G/2, and "
            "E w^(jN) = (-1)^(jB) cos(pi j/G)^(GB) is real and the same at j and G - j, where the "
            "imaginary parts cancel.",
        ),
    )


def iir_refill_formula() -> "sympy.Basic":
    """Formula of [scaling.iir-refill]."""
    import sympy as sp

    G, B = sp.symbols("G B", positive=True)
    iir, most = sp.Function("IIR"), sp.Function("E_max")
    return sp.Eq(sp.Limit(iir(G, B) / (sp.sqrt(B) * most(G) * G / (G - 1)), B, sp.oo), 1)


def iir_refill_proof() -> tuple[Step, ...]:
    """Proof of [scaling.iir-refill]."""
    import sympy as sp

    G, B, width, most, s = sp.symbols("G B width E_max s", positive=True)
    return (
        Lemma(
            "numerator",
            "The sizes have standard deviation (b-a)/2, so E[Imb(FCFS)] is asymptotically G "
            "(b-a)/2 sqrt(B) E_max(G) [fcfs.constant].",
        ),
        Lemma(
            "denominator",
            "E[Imb(BF-IO)] = (b-a) (G-1-s)/2 with s the sum of [scaling.two-size-refill], and s "
            "tends to 0 with B, as |cos(pi j/G)| < 1 for 0 < j < G.",
        ),
        Identity(
            "Their quotient is the shape times a factor that tends to 1",
            (G * width / 2 * sp.sqrt(B) * most) / (width * (G - 1 - s) / 2),
            sp.sqrt(B) * most * G / (G - 1) * (1 + s / (G - 1 - s)),
        ),
    )
