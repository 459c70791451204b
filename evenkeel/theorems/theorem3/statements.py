"""Claims of the family ``drift``: Theorem 3, any common bounded non-negative drift."""

from evenkeel.theorems.registry import Assumption, Claim
from evenkeel.theorems.theorem2.proofs import TWO_SIZES, bfio_upper_proof, range_proof
from evenkeel.theorems.theorem3 import proofs
from theory.formulas.constants import DRIFT_BFIO, DRIFT_IIR, in_words
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


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "drift.fcfs-lower",
        "Common drift never helps FCFS",
        "paper, Theorem 3 (order); statement: evenkeel",
        "v1, v2",
        "lower",
        "Output lengths independent of sizes: for every common non-negative drift and at every "
        "step, E[Imb(FCFS)] is at least its exact value without drift, X = s; so whatever bounds "
        "that value below, as [fcfs.pairing] and [fcfs.lower] do, serves for every drift.",
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
        "BF-IO side of Theorem 3, by two sizes that the pool really offers",
        "paper, Theorem 3; hypothesis and constants: evenkeel",
        "v1, v2",
        "upper",
        "The bound of [geometric.bfio-upper] for any common drift: all slots are full, so a common "
        "growth adds the same to every worker.  If the pool always holds at least as many copies "
        "of two sizes x and x + delta as slots are free, at each step an optimal step has Imb' <= "
        "(1-p) Imb + (G-1)(delta-1) + sum_g (X_g + max_h Y_h - B p delta)^+, with the loads w "
        "that have grown as the drift says, and over K steps E[AvgImb(BF-IO)] <= ((G-1)(delta-1) "
        "+ F)/p + Imb_0/(p K).  At drift 0 departing loads are sizes: [threshold.replacement].",
        (
            Assumption.GEOMETRIC_LENGTHS,
            Assumption.BOUNDED_SIZES,
            Assumption.COMMON_DRIFT,
            Assumption.FULL_SLOTS,
            Assumption.STICKY,
            Assumption.MYOPIC,
            Assumption.EXACT_STEP,
        ),
        "The inequality of the step in exact arithmetic, for growths 0, 1 and 3 and every "
        "departure pattern of small systems, against the enumerated optimum from the smallest "
        "such pool; one step above it refutes it.",
        at_most("AvgImb_BFIO", TWO_SIZES),
        bfio_upper_proof,
        ("geometric.bfio-upper",),
        recovered=False,
    ),
    Claim(
        "drift.bfio-upper-range",
        "BF-IO side of Theorem 3, on the range of the sizes alone",
        *PAPER,
        "upper",
        "E[AvgImb(BF-IO)] <= (G-1) (s_max + max drift / p) for any common drift, wherever the pool "
        "condition holds and B p (b-a)^2 >= 8 m ln G.  The rare size of "
        "[geometric.bfio-upper-range] fakes the range here too: at drift 1 every online policy "
        "has more than fifty times as much there.",
        (*HYPOTHESES, Assumption.POOL_CONDITION),
        "The lower bound of [geometric.bfio-upper-range], drift 1, in exact enclosures; above the "
        "claimed side it refutes it, without any simulation.",
        at_most("E_Imb_BFIO", "(G - 1) * (s_max + delta_max / p)"),
        range_proof,
        ("geometric.bfio-upper-range",),
        recovered=False,
        holds=False,
    ),
    Claim(
        "drift.iir",
        "Theorem 3's ratio: the order, and its constant at two drifts",
        "paper, Theorem 3 (order); constants: evenkeel",
        "v1, v2",
        "order",
        "The paper's IIR = Omega(sqrt(B log G)) for any common drift names no constant.  Order "
        "only: in the systems of [drift.bfio-constant] IIR over E[Imb of FCFS without drift] / "
        f"((G-1) (s_max + max drift / p)) lies in {in_words(DRIFT_IIR)}.",
        (*HYPOTHESES, Assumption.POOL_CONDITION),
        "Exact FCFS, mean over the phases of the drift, over the runs of [drift.bfio-constant]; a "
        "ratio whose interval lies outside the stated one refutes it, from either side.",
        both(at_least("constant", "c_1"), at_most("constant", "c_2")),
        requires=("drift.fcfs-lower", "drift.bfio-constant", "fcfs.exact"),
        recovered=False,
    ),
    Claim(
        "drift.bfio-constant",
        "The constant of Theorem 3's BF-IO side at two drifts, at the edge of the frontier",
        "evenkeel",
        "ours",
        "empirical",
        "In systems as in [geometric.bfio-constant] E[AvgImb(BF-IO)] / ((G-1) (s_max + max drift "
        f"/ p)) lies in {in_words(DRIFT_BFIO)}.",
        (*HYPOTHESES, Assumption.POOL_CONDITION),
        "Replicated runs as in [geometric.bfio-constant]; a mean whose interval lies outside the "
        "stated one refutes it, from either side; one that reaches beyond it decides nothing.",
        both(at_least("constant", "c_1"), at_most("constant", "c_2")),
        requires=("threshold.frontier",),
    ),
    Claim(
        "drift.work",
        "Total work is the same for every policy only under constant drift",
        "evenkeel",
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
