"""Claims of the family ``geometric``: Theorem 2, geometric output lengths."""

from fractions import Fraction
from math import ceil, log

import numpy as np
from flint import arb, ctx
from numpy.typing import ArrayLike

from theory import geometric_proofs as proofs
from theory.authority import age_squares
from theory.claims import Assumption, Claim
from theory.constants import FCFS_ROUNDED, FCFS_TEXT, GEOMETRIC_BFIO, GEOMETRIC_IIR, in_words
from theory.expectation import PRECISION, from_ball, to_ball
from theory.laws import Enclosure, Law
from theory.model import InputError
from theory.relations import at_least, at_most, both

PAPER = ("paper, Theorem 2", "v1, v2")
HYPOTHESES = (
    Assumption.OVERLOADED,
    Assumption.GEOMETRIC_LENGTHS,
    Assumption.IID,
    Assumption.BOUNDED_SIZES,
    Assumption.CONSTANT_DRIFT,
    Assumption.STICKY,
    Assumption.MYOPIC,
)


def slot_variance(sizes: Law, p: Fraction) -> Enclosure:
    """``sigma_X^2 = sigma_s^2 + (1-p)/p^2``: size and age are independent."""
    age = (1 - p) / p**2
    return sizes.variance + Enclosure(age, age)


def bfio_bound(workers: int, largest: int, p: Fraction) -> Fraction:
    """``(G-1) s_max / p``, the paper's bound of BF-IO's imbalance, without its constant."""
    return (workers - 1) * largest / Fraction(p)


def paper_ratio(sizes: Law, p: Fraction, workers: int, slots: int, c: Fraction) -> Enclosure:
    """``c (p/s_max) sigma_X sqrt(B ln G) G/(G-1)``, Theorem 2's lower bound of IIR.

    Raises
    ------
    InputError
        If ``G < 2`` or ``B < 1``.
    """
    if workers < 2 or slots < 1:
        raise InputError(f"need G >= 2 and B >= 1, got G = {workers}, B = {slots}")
    variance = slot_variance(sizes, p)
    with ctx.workprec(PRECISION):
        scale = slots * arb(workers).log()
        low = from_ball((to_ball(variance.lower) * scale).sqrt()).lower
        high = from_ball((to_ball(variance.upper) * scale).sqrt()).upper
    return Enclosure(low, high) * (c * p / sizes.bound * Fraction(workers, workers - 1))


def first_paper_slots(sizes: Law, p: Fraction, workers: int, c: Fraction) -> int:
    """The smallest ``B`` at which :func:`paper_ratio` exceeds 1: the non-vacuity map.

    ``B > ((G-1) s_max / (c p G))^2 / (sigma_X^2 ln G)``.
    """
    if workers < 2 or c <= 0:
        raise InputError("need G >= 2 and c > 0")
    edge = (Fraction(workers - 1, workers) * sizes.bound / (c * p)) ** 2
    edge /= slot_variance(sizes, p).upper
    with ctx.workprec(PRECISION):
        return int(from_ball(to_ball(edge) / arb(workers).log()).lower) + 1


def frontier_slots(workers: int, p: float, width: int) -> int:
    """Slots above which a myopic step can hold the balance: ``8 m ln G / (p (b-a)^2)``.

    ``m`` is the mean square of :func:`theory.authority.age_squares` [threshold.frontier].
    """
    m = sum(age_squares(p, width)) / 2
    edge: float = 8 * m * log(workers) / (p * width**2)
    return ceil(edge)


def edge_slots(workers: int, p: float, width: int) -> int:
    """The lower edge of the frontier: ``m ln G / (p (b-a)^2)`` rounded up [threshold.frontier]."""
    return ceil(frontier_slots(workers, p, width) / 8)


def distance_to_geometric(lengths: ArrayLike, p: float | None = None) -> float:
    """Kolmogorov-Smirnov distance of a sample of lengths to geometric(``p``).

    Parameters
    ----------
    lengths : int[N]
        Output lengths, ``>= 1``.
    p : float, optional
        ``1/mean`` of the sample if None.
    """
    values, counts = np.unique(np.asarray(lengths), return_counts=True)
    if values.size == 0 or values[0] < 1:
        raise InputError("the distance needs a non-empty list of lengths >= 1")
    here = np.cumsum(counts) / counts.sum()
    before = np.concatenate(([0.0], here[:-1]))
    q = 1 - (p if p is not None else float(counts.sum() / (values @ counts)))
    # Between two sampled values the sample's function is flat and the geometric one grows.
    return float(
        max(abs(here - (1 - q**values)).max(), abs(before - (1 - q ** (values - 1))).max())
    )


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "geometric.fcfs-lower",
        "FCFS side of Theorem 2",
        *PAPER,
        "lower",
        "Geometric(p) lengths, drift 1: in stationarity a slot's load has variance sigma_X^2 = "
        "sigma_s^2 + (1-p)/p^2 and E[Imb(FCFS)] is the exact value, which is at least the "
        "Berry-Esseen bound of the order G sigma_X sqrt(B log G) and the moment bound.  The "
        "paper's c is not known; see [fcfs.constant].",
        HYPOTHESES,
        "The variance as an exact enclosure; mean imbalance of simulated FCFS long after the "
        "cold start against the exact stationary value, within its interval; the bounds below "
        "it.  A variance outside, a mean outside, or a bound above refutes it.",
        proofs.fcfs_lower_formula,
        proofs.fcfs_lower_proof,
        ("fcfs.exact", "fcfs.lower", "fcfs.pairing"),
    ),
    Claim(
        "geometric.bfio-upper",
        "BF-IO side of Theorem 2, above the frontier",
        *PAPER,
        "upper",
        "E[AvgImb(BF-IO)] <= const (G-1) s_max / p.  The constant is not known and none serves "
        "all (G, B) [threshold.t2-static].  Checked with constant 1 where B p (b-a)^2 >= 8 m ln G "
        "[threshold.frontier], with a pool of 4 G B, far below which the imbalance lies there; the "
        "sharpest constant is in [geometric.bfio-constant].",
        (*HYPOTHESES, Assumption.POOL_CONDITION),
        "Replicated runs with a certified gap to the optimum of every step, the pool condition "
        "checked at every step; an interval of the mean above the bound refutes it.",
        proofs.bfio_upper_formula,
        None,
        ("threshold.frontier",),
        recovered=False,
    ),
    Claim(
        "geometric.iir",
        "Theorem 2 above the frontier",
        *PAPER,
        "lower",
        "IIR >= c (p/s_max) sqrt(sigma_s^2 + (1-p)/p^2) sqrt(B log G) G/(G-1).  The constant is "
        f"not known; checked with c = {FCFS_TEXT} [fcfs.constant], where B p (b-a)^2 >= 8 m ln G "
        "and the bound says more than 1.",
        (*HYPOTHESES, Assumption.POOL_CONDITION),
        "FCFS over BF-IO on paired seeds, with a certified gap of every step and the pool "
        "condition checked; an interval below the bound refutes it.",
        proofs.iir_formula,
        None,
        ("geometric.fcfs-lower", "geometric.bfio-upper"),
        recovered=False,
    ),
    Claim(
        "geometric.bfio-constant",
        "The sharpest constant of Theorem 2's BF-IO side, at the edge of the frontier",
        "evenkeel",
        "ours",
        "empirical",
        "With B = m ln G / (p (b-a)^2) rounded up, the lower edge of [threshold.frontier], "
        "E[AvgImb(BF-IO)] p / ((G-1) s_max) lies in "
        f"{in_words(GEOMETRIC_BFIO)}.  G = 2: p = 1/4, sizes uniform on 1..100, 14 requests "
        "waiting; else p = 1/10, sizes uniform on 1..50, pool 4GB.  So the smallest constant of "
        "[geometric.bfio-upper] that is consistent with these systems lies in the last interval.",
        (*HYPOTHESES, Assumption.POOL_CONDITION),
        "Replicated runs, lexicographic steps at G = 2, a certified gap to the optimum of every "
        "step elsewhere; it is taken off the lower end.  A mean whose interval lies outside the "
        "stated one refutes it, from either side; one that reaches beyond it decides nothing.",
        both(
            both(at_least("constant", "c_1"), at_most("constant", "c_2")),
            at_most("constant", "c_2"),
        ),
        requires=("geometric.bfio-upper", "threshold.frontier"),
    ),
    Claim(
        "geometric.iir-constant",
        "The sharpest constant of Theorem 2's ratio, at the edge of the frontier",
        "evenkeel",
        "ours",
        "empirical",
        "In the systems of [geometric.bfio-constant] IIR / ((p/s_max) sqrt(sigma_s^2 + (1-p)/p^2) "
        f"sqrt(B ln G) G/(G-1)) lies in {in_words(GEOMETRIC_IIR)}.  So the largest constant of "
        "[geometric.iir] that is consistent with these systems lies in the last interval.",
        (*HYPOTHESES, Assumption.POOL_CONDITION),
        "Exact FCFS over the runs of [geometric.bfio-constant]; a ratio whose interval lies "
        "outside the stated one refutes it, from either side.",
        both(at_least("constant", "c_1"), at_most("constant", "c_2")),
        requires=("geometric.iir", "geometric.bfio-constant", "fcfs.exact"),
    ),
    Claim(
        "geometric.iir-static",
        "Theorem 2's ratio for all (G, B) (false)",
        "paper, Theorem 2 read without its asymptotics",
        "v1, v2",
        "lower",
        f"IIR >= {FCFS_TEXT} (p/s_max) sigma_X sqrt(B log G) G/(G-1) for all G, B, p and size "
        "laws.  False for every constant: with sizes in {1, 2}, small p and B up to E_G^2 / "
        "(4 p^2), E_G the mean maximum of G normals, no online policy gets the imbalance below "
        "about half of that of FCFS, while the bound grows like 1/p.",
        HYPOTHESES,
        "Exact E[Imb(FCFS)] over the rigorous lower bound of every policy's imbalance "
        "[threshold.any-policy] is an upper bound of IIR; below the claimed side it refutes it, "
        "without any simulation.",
        at_least("IIR", f"{FCFS_ROUNDED} * p * sigma_X * sqrt(B * log(G)) * G / (s_max * (G - 1))"),
        proofs.iir_static_proof,
        ("threshold.any-policy", "fcfs.exact"),
        holds=False,
    ),
    Claim(
        "geometric.vacuity",
        "Where Theorem 2 says nothing",
        "evenkeel",
        "ours",
        "equality",
        "With a constant c, Theorem 2 says more than IIR >= 1 exactly when B > "
        f"((G-1) s_max / (c p G))^2 / (sigma_X^2 ln G).  With c = {FCFS_TEXT}, G = 32 and sizes "
        "uniform on 1..100 that is B >= 5,495 at p = 0.01 and B >= 1,945 at p = 0.05; with the "
        "lengths of a public conversation trace it is millions of slots.",
        (Assumption.GEOMETRIC_LENGTHS, Assumption.OVERLOADED),
        "The closed form against a search over B for a grid of (G, p, sizes); a disagreement "
        "refutes it.",
        proofs.vacuity_formula,
        proofs.vacuity_proof,
        ("geometric.iir",),
    ),
    Claim(
        "geometric.outputs-fit",
        "Real output lengths are not geometric",
        "paper.md, fact 9",
        "ours",
        "empirical",
        "The output lengths of every family fitted to public traces and of the paper's three "
        "samples lie at a Kolmogorov-Smirnov distance between 0.06 and 0.45 from the geometric "
        "law of the same mean, and at more than 0.04 from the geometric law of the best p.",
        (Assumption.GEOMETRIC_LENGTHS,),
        "Large seeded samples of each family; a distance outside the range by more than the "
        "sampling error (Dvoretzky-Kiefer-Wolfowitz, one in a million) refutes it.",
    ),
)
