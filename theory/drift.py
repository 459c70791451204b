"""Claims of the family ``drift``: Theorem 3, any common bounded non-negative drift."""

from fractions import Fraction

from theory import drift_proofs as proofs
from theory.claims import Assumption, Claim
from theory.constants import DRIFT_BFIO, DRIFT_IIR, in_words
from theory.relations import at_least, at_most, both

PAPER = ("paper, Theorem 3", "v1, v2")
HYPOTHESES = (
    Assumption.OVERLOADED,
    Assumption.GEOMETRIC_LENGTHS,
    Assumption.IID,
    Assumption.BOUNDED_SIZES,
    Assumption.COMMON_DRIFT,
    Assumption.STICKY,
    Assumption.MYOPIC,
)


def bfio_bound(workers: int, largest: int, p: Fraction, drift: tuple[int, ...]) -> Fraction:
    """``(G-1) (s_max + max drift / p)``: the form of Theorem 2's bound for any common drift.

    ``s_max + max drift / p`` bounds the mean load at departure; at drift 1 it is at most twice
    ``s_max / p``, and at drift 0 it is Theorem 1's ``s_max``.
    """
    return (workers - 1) * (largest + max(drift) / Fraction(p))


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "drift.fcfs-lower",
        "Common drift never helps FCFS",
        "paper, Theorem 3 (order); statement: evenkeel",
        "v1, v2",
        "lower",
        "Output lengths independent of sizes: for every common non-negative drift and at every "
        "step, E[Imb(FCFS)] is at least its exact value without drift, X = s; so it is at least "
        "c G sigma_s sqrt(B log G) with the c of Theorem 1, whatever the drift.  The variance of "
        "a slot's load is sigma_s^2 + Var(D_k - D_(k-A)).",
        HYPOTHESES,
        "Exact enclosures for drifts 0, 1, (3,0,1), (0,0,5), at steps of the start-up and at "
        "every phase of stationarity, over a grid of (G, B, p), and simulated FCFS under a "
        "drift of period 3 against the exact value; an enclosure below the value without drift, "
        "or a mean outside its interval, refutes it.",
        proofs.fcfs_lower_formula,
        proofs.fcfs_lower_proof,
        ("fcfs.exact",),
    ),
    Claim(
        "drift.bfio-upper",
        "BF-IO side of Theorem 3, above the frontier",
        *PAPER,
        "upper",
        "E[AvgImb(BF-IO)] is of the order of (G-1) times the load of a request, for any common "
        "drift.  The paper's constant is not known; checked as (G-1) (s_max + max drift / p) "
        "where the slots hold the balance.  At drift 0 departing loads are admissible sizes and "
        "there is no frontier [threshold.replacement].",
        (*HYPOTHESES, Assumption.POOL_CONDITION),
        "Replicated runs for drifts 0, 1, (3,0,1), (0,0,5) and an arbitrary one bounded by 5, with "
        "a certified gap of every step and the pool condition checked; an interval of the mean "
        "above the bound refutes it.",
        proofs.bfio_upper_formula,
        None,
        ("geometric.bfio-upper",),
        recovered=False,
    ),
    Claim(
        "drift.iir",
        "Theorem 3's ratio, above the frontier",
        *PAPER,
        "lower",
        "IIR = Omega(sqrt(B log G)) for any common drift.  Checked as IIR >= E[Imb of FCFS "
        "without drift] / ((G-1) (s_max + max drift / p)), the quotient of the two sides above, "
        "where the slots hold the balance and it exceeds 1.",
        (*HYPOTHESES, Assumption.POOL_CONDITION),
        "Simulated FCFS over simulated BF-IO with paired seeds for each of these drifts; an "
        "interval of the ratio below the quotient refutes it.  Exact steps and exponents are in "
        "[scaling.iir-slots], the sharpest constant in [drift.iir-constant].",
        at_least("IIR", "E_Imb_still / ((G - 1) * (s_max + delta_max / p))"),
        None,
        ("drift.fcfs-lower", "drift.bfio-upper"),
        recovered=False,
    ),
    Claim(
        "drift.bfio-constant",
        "The sharpest constant of Theorem 3's BF-IO side, at the edge of the frontier",
        "evenkeel",
        "ours",
        "empirical",
        "In systems as in [geometric.bfio-constant] E[AvgImb(BF-IO)] / ((G-1) (s_max + max drift "
        f"/ p)) lies in {in_words(DRIFT_BFIO)}.  So the smallest constant of [drift.bfio-upper] "
        "that is consistent with these systems lies in the last interval.",
        (*HYPOTHESES, Assumption.POOL_CONDITION),
        "Replicated runs as in [geometric.bfio-constant]; a mean whose interval lies outside the "
        "stated one refutes it, from either side; one that reaches beyond it decides nothing.",
        both(
            both(at_least("constant", "c_1"), at_most("constant", "c_2")),
            at_most("constant", "c_2"),
        ),
        requires=("drift.bfio-upper", "threshold.frontier"),
    ),
    Claim(
        "drift.iir-constant",
        "The sharpest constant of Theorem 3's ratio, at the edge of the frontier",
        "evenkeel",
        "ours",
        "empirical",
        "In the systems of [drift.bfio-constant] IIR over the quotient of [drift.iir] lies in "
        f"{in_words(DRIFT_IIR)}.  So the largest constant of [drift.iir] that is consistent with "
        "these systems lies in the last interval.",
        (*HYPOTHESES, Assumption.POOL_CONDITION),
        "Exact FCFS, mean over the phases of the drift, over the runs of [drift.bfio-constant]; a "
        "ratio whose interval lies outside the stated one refutes it, from either side.",
        both(at_least("constant", "c_1"), at_most("constant", "c_2")),
        requires=("drift.iir", "drift.bfio-constant", "fcfs.exact"),
    ),
    Claim(
        "drift.work",
        "Total work is the same for every policy only under constant drift",
        "paper.md, fact 7, sharpened",
        "ours",
        "equality",
        "Under constant drift d the total work of a run that serves every request is "
        "sum_i (o_i s_i + d o_i (o_i - 1)/2), whatever the policy.  Under a calendar drift that "
        "is not constant it depends on when requests start, so two policies can do different "
        "work on the same requests, and savings of energy are not comparable as they stand.",
        (Assumption.SAME_REQUESTS, Assumption.STICKY, Assumption.COMMON_DRIFT),
        "Runs of every built-in policy on seeded requests under constant drifts 0, 1 and 4, "
        "whose work must equal the formula; and under drift (3,0,1), where two policies must "
        "differ.  A difference in the first, or none in the second, refutes it.",
        proofs.work_formula,
        proofs.work_proof,
    ),
)
