"""Claims of the family ``geometric``: Theorem 2, geometric output lengths."""

from evenkeel.theorems.registry import Assumption, Claim
from evenkeel.theorems.theorem2 import proofs
from theory.formulas.constants import (
    FCFS_ROUNDED,
    FCFS_TEXT,
    GEOMETRIC_BFIO,
    GEOMETRIC_IIR,
    in_words,
)
from theory.formulas.rebalancing import RareSize
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


# What [geometric.bfio-upper-range] and its like are refuted by.
WITNESS = RareSize()
INSTANCE = (
    f"G = {WITNESS.G:,}, B = {WITNESS.B:,}, p = {WITNESS.p}, sizes 1 and 2 at equal odds and "
    f"{WITNESS.b} with probability 1e-15"
)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "geometric.fcfs-lower",
        "FCFS side of Theorem 2: the law of a slot",
        *PAPER,
        "equality",
        "Geometric(p) lengths, drift 1, stationarity: a slot's load X = s + A has variance "
        "sigma_s^2 + (1-p)/p^2 and fourth central moment mu_4(s) + 6 sigma_s^2 (1-p)/p^2 + "
        "(1-p)(p^2 - 9p + 9)/p^4, and E[Imb(FCFS)] is the exact value of [fcfs.exact] for it.  "
        "With these moments [fcfs.pairing] and [fcfs.lower] are explicit lower bounds; of the "
        "paper's c G sigma_X sqrt(B log G), with c unnamed, only the order is meant here.",
        HYPOTHESES,
        "Both moments against their exact enclosures; mean imbalance of simulated FCFS long after "
        "the cold start against the exact stationary value, within its interval.  A moment or a "
        "mean outside refutes it.",
        proofs.fcfs_lower_formula,
        proofs.fcfs_lower_proof,
        ("fcfs.exact", "fcfs.lower", "fcfs.pairing"),
    ),
    Claim(
        "geometric.bfio-upper",
        "BF-IO side of Theorem 2, by two sizes that the pool really offers",
        "paper, Theorem 2; hypothesis and constants: evenkeel",
        "v1, v2",
        "upper",
        "If the pool always holds at least as many copies of two sizes x and x + delta as slots "
        "are free, then at each step, whatever departs, an optimal step has Imb' <= (1-p) Imb + "
        "(G-1)(delta-1) + sum_g (X_g + max_h Y_h - B p delta)^+.  X_g is the sum over all "
        "requests on worker g of (xi-p)(w-x-delta), Y_g that of (p-xi)(w-x), w the load with the "
        "growth of the step, xi = 1 for a request that departs and 0 else.  So over K steps "
        "E[AvgImb(BF-IO)] <= ((G-1)(delta-1) + F)/p + Imb_0/(p K), with F a bound of the mean of "
        "the sum.  As delta < s_max, with F <= G - 1 it is below the paper's (G-1) s_max / p; "
        "what counts "
        "is the spacing of two common sizes, not the range of all [geometric.bfio-upper-range].",
        (
            Assumption.GEOMETRIC_LENGTHS,
            Assumption.BOUNDED_SIZES,
            Assumption.CONSTANT_DRIFT,
            Assumption.FULL_SLOTS,
            Assumption.STICKY,
            Assumption.MYOPIC,
            Assumption.EXACT_STEP,
        ),
        "The inequality of the step in exact arithmetic, against the enumerated optimum from the "
        "smallest such pool, for every departure pattern of small systems; one step above it "
        "refutes it.",
        at_most("AvgImb_BFIO", proofs.TWO_SIZES),
        proofs.bfio_upper_proof,
        recovered=False,
    ),
    Claim(
        "geometric.bfio-upper-range",
        "BF-IO side of Theorem 2, on the range of the sizes alone",
        *PAPER,
        "upper",
        "E[AvgImb(BF-IO)] <= (G-1) s_max / p wherever the pool condition holds and B p (b-a)^2 >= "
        "8 m ln G, the upper edge of [threshold.frontier].  A size that is hardly ever offered "
        "counts for the range and is of no use: "
        f"{INSTANCE}.  There every online policy has more than twice as much.",
        (*HYPOTHESES, Assumption.POOL_CONDITION),
        "A lower bound of every online policy's E[Imb] at every step from 40/p on, in exact "
        "enclosures: [threshold.any-policy] with b - a = 1, less what the start-up and the rare "
        "size can add; above the claimed side it refutes it, without any simulation.",
        at_most("E_Imb_BFIO", "(G - 1) * s_max / p"),
        proofs.range_proof,
        ("threshold.any-policy",),
        recovered=False,
        holds=False,
    ),
    Claim(
        "geometric.iir",
        "Theorem 2's ratio: the order, and its constant at two systems",
        "paper, Theorem 2 (order); constants: evenkeel",
        "v1, v2",
        "order",
        "The paper's IIR >= c (p/s_max) sqrt(sigma_s^2 + (1-p)/p^2) sqrt(B log G) G/(G-1) names no "
        "c, and none holds for all G and B [geometric.iir-static], nor where the range of the "
        "sizes says so [geometric.iir-range].  Order only: in the systems of "
        "[geometric.bfio-constant] IIR over that form lies in "
        f"{in_words(GEOMETRIC_IIR)}.",
        (*HYPOTHESES, Assumption.POOL_CONDITION),
        "Exact FCFS over the runs of [geometric.bfio-constant]; a ratio whose interval lies "
        "outside the stated one refutes it, from either side.",
        both(at_least("constant", "c_1"), at_most("constant", "c_2")),
        requires=("geometric.bfio-constant", "fcfs.exact"),
        recovered=False,
    ),
    Claim(
        "geometric.iir-range",
        "Theorem 2's ratio, on the range of the sizes alone",
        *PAPER,
        "lower",
        f"IIR >= {FCFS_TEXT} (p/s_max) sigma_X sqrt(B log G) G/(G-1) wherever the pool condition "
        "holds, B p (b-a)^2 >= 8 m ln G and this says more than 1.  A rare size fakes the range: "
        f"{INSTANCE}.  There no online policy improves on FCFS by more than 3.6, and the claimed "
        "side is 4.7.",
        (*HYPOTHESES, Assumption.POOL_CONDITION),
        "E[Imb(FCFS)] over the lower bound of [geometric.bfio-upper-range], both in exact "
        "enclosures, is an upper bound of IIR; below the claimed side it refutes it.",
        at_least("IIR", f"{FCFS_ROUNDED} * p * sigma_X * sqrt(B * log(G)) * G / (s_max * (G - 1))"),
        proofs.range_proof,
        ("geometric.bfio-upper-range", "fcfs.exact"),
        recovered=False,
        holds=False,
    ),
    Claim(
        "geometric.bfio-constant",
        "The constant of Theorem 2's BF-IO side at two systems, at the edge of the frontier",
        "evenkeel",
        "ours",
        "empirical",
        "With B = m ln G / (p (b-a)^2) rounded up, the lower edge of [threshold.frontier], p = "
        "1/10, sizes uniform on 1..50 and 4GB requests waiting, E[AvgImb(BF-IO)] p / ((G-1) "
        f"s_max) lies in {in_words(GEOMETRIC_BFIO)}.",
        (*HYPOTHESES, Assumption.POOL_CONDITION),
        "Replicated runs with a certified gap to the optimum of every step; it is taken off the "
        "lower end.  A mean whose interval lies outside the stated one refutes it, from either "
        "side; one that reaches beyond it decides nothing.",
        both(at_least("constant", "c_1"), at_most("constant", "c_2")),
        requires=("threshold.frontier",),
    ),
    Claim(
        "geometric.iir-static",
        "Theorem 2's ratio for all G and B",
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
        "For G >= 2, sigma_X > 0 and c > 0 the square of Theorem 2's bound, in the form of the "
        "paper [geometric.bfio-upper-range], is B over B_1 = ((G-1) s_max / (c p G))^2 / "
        "(sigma_X^2 ln G): it says more than IIR >= 1 exactly when B > "
        f"B_1.  With c = {FCFS_TEXT}, G = 32 and sizes uniform on 1..100 that is B >= 5,495 at p = "
        "0.01 and B >= 1,945 at p = 0.05; for public traces see [vacuity.theorem-2].",
        (Assumption.GEOMETRIC_LENGTHS, Assumption.OVERLOADED),
        "The closed form against a search over B for a grid of (G, p, sizes), and the stated "
        "numbers; a disagreement refutes it.",
        proofs.vacuity_formula,
        proofs.vacuity_proof,
    ),
    Claim(
        "geometric.outputs-fit",
        "Real output lengths are not geometric",
        "evenkeel",
        "ours",
        "empirical",
        "The output lengths of every family fitted to public traces and of the paper's three "
        "samples lie at a Kolmogorov-Smirnov distance between 0.058 and 0.45 from the geometric "
        "law of the same mean, and at more than 0.057 from the geometric law of the best p; the "
        "closest are those of servegen-m-mid, the farthest those of peer-burst.",
        (Assumption.GEOMETRIC_LENGTHS,),
        "Large seeded samples of each family, the largest of the two that decide; a distance "
        "outside the range by more than the sampling error (Dvoretzky-Kiefer-Wolfowitz, one in a "
        "million) refutes it.",
    ),
)
