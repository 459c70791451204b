"""Claims of the family ``limits``: what happens when one assumption is dropped.

Each statement says that a bound survives without one of its assumptions.  Most are false, and the
expected verdict is "refuted" with the smallest witness: the assumption is needed.  Those that are
true say that it is not.
"""

from fractions import Fraction

from evenkeel.theorems.dropped_assumptions import disproofs, run_disproofs
from evenkeel.theorems.registry import Assumption, Claim
from evenkeel.theorems.step.proofs import waterfill_formula
from theory.proof import Conclusion, Identity, Inequality, Lemma, Setting, Step
from theory.relations import at_least, at_most, equal

OURS = ("evenkeel", "ours")

# Widest b - a of the pools of (G, B), and the largest ratio to (G-1)(b-a) in the paper's pool
# condition, which the check enumerates.
POOLS = {(2, 1): 16, (3, 1): 16, (2, 2): 10}
WORST_POOLS = {(2, 1): Fraction(1, 2), (3, 1): Fraction(19, 30), (2, 2): Fraction(2, 9)}

# FCFS is perfectly balanced throughout and BF-IO is not: (prefill, decode) on G = 2, B = 1.
IIR_WITNESS = (2, 2, 1, 1, 2), (1, 1, 1, 3, 2)

# Looking ahead loses: (prefill, decode, H) on G = 2, B = 1.
LOOK_AHEAD_WITNESS = (1, 1, 1, 2), (2, 1, 1, 1), 2

# A wrong prediction loses: (prefill, decode, predicted) on G = 2, B = 1, H = 1.
PREDICTION_WITNESS = (2, 1, 4, 2), (3, 1, 3, 1), (1, 1, 3, 1)

ROUNDS = (
    Assumption.OVERLOADED,
    Assumption.EQUAL_LENGTHS,
    Assumption.BOUNDED_SIZES,
    Assumption.COMMON_DRIFT,
    Assumption.STICKY,
    Assumption.WORK_CONSERVING,
    Assumption.MYOPIC,
    Assumption.EXACT_STEP,
)
REFILL = (Assumption.FULL_REFILL, Assumption.BOUNDED_SIZES, Assumption.EXACT_STEP)
BACKLOGS = (
    Assumption.BACKLOG,
    Assumption.WORK_CONSERVING,
    Assumption.EXACT_STEP,
    Assumption.SAME_REQUESTS,
)
SEARCH = "Exhaustive search in order of size, the bound with the assumption kept as control"


def _common_drift_proof() -> tuple[Step, ...]:
    import sympy as sp

    G, B, g, i = sp.symbols("G B g i", positive=True, integer=True)
    D, x = sp.Symbol("D", real=True), sp.Symbol("x", real=True)
    gap = sp.Symbol("r", nonnegative=True)
    size, load, top = sp.IndexedBase("s"), sp.IndexedBase("L"), sp.Symbol("M", real=True)
    stated = equal("Imb_k", "Imb_0")()
    before, after = sp.symbols("Imb_0 Imb_k", positive=True)
    gaps = {
        after: sp.Sum(sp.UnevaluatedExpr(top + B * D) - (load[g] + B * D), (g, 1, G)),
        before: sp.Sum(top - load[g], (g, 1, G)),
    }
    return (
        Setting(
            "A round: worker g holds the same B requests from its admission to its end, of sizes "
            "s[g, 1] to s[g, B]; D, of either sign, is what each has grown by at step k.  L[g] is "
            "the load of g at the admission, M the largest, and the imbalance is the sum of the "
            "gaps M - L[g].",
        ),
        Identity(
            "Every load has changed by B D",
            sp.Sum(size[g, i] + D, (i, 1, B)).expand(),
            (sp.Sum(size[g, i], (i, 1, B)) + B * D),
        ),
        Inequality(
            "so a load that was the largest, by a gap r, is the largest still",
            x + B * D,
            (x + gap) + B * D,
            gap,
        ),
        Setting("The imbalances are the sums of these gaps, at step k and at the admission.", gaps),
        Conclusion("They are the same", stated, gaps),
    )


def _rounds_proof() -> tuple[Step, ...]:
    return (
        Lemma(
            "no law is used",
            "Requests of equal output lengths that are admitted together depart together, so every "
            "admission of an overloaded run is a full refill, at which [step.full-refill-gap] "
            "holds for any sizes in [a, b] in any order: it is a statement on one pool.  These are "
            "the steps of [warmup.bfio-upper], which is in terms of s_max.  In the rest of a round "
            "a common drift changes no imbalance [limits.nonnegative-drift].",
        ),
        *_common_drift_proof(),
    )


def _window_proof() -> tuple[Step, ...]:
    import sympy as sp

    G, B, w = sp.symbols("G B w", positive=True, integer=True)
    M, total = sp.symbols("M Sigma", real=True)
    h, grown = sp.Symbol("h", nonnegative=True, integer=True), sp.Function("D", real=True)
    return (
        Lemma(
            "what the window sees",
            "At a full refill of empty workers only the requests admitted now are in the window, B "
            "on each worker.  They are alike in it: for their first w of the H + 1 steps all are "
            "there (w = H + 1 where their departures are not predicted), after that none is.  "
            "D(h) is what each has grown by in h steps.",
        ),
        Identity(
            "So the sum over the window is w times the imbalance of the admission",
            sp.Sum(G * (M + B * grown(h)) - (total + G * B * grown(h)), (h, 0, w - 1)),
            w * (G * M - total),
        ),
        Lemma(
            "the same optima",
            "Both are least for the same admissions, whose imbalance is at most (G-1)(b-a) "
            "[step.full-refill-gap]; in the rest of the round no slot is free, and every load "
            "grows alike [limits.nonnegative-drift], so the average over the round is that of the "
            "admission.",
        ),
    )


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "iir.per-instance",
        "BF-IO is no worse than FCFS on every instance",
        "a tempting reading of IIR >= 1",
        "ours",
        "upper",
        "On every finite backlog AvgImb(BF-IO) <= AvgImb(FCFS).  False, by any factor: on G = 2, "
        "B = 1, sizes (2, 2, 1, 1, 2), lengths (1, 1, 1, 3, 2), FCFS has no imbalance at any step "
        "and BF-IO has; and s = (4, 4, 5, 6), o = (3, 2, 3, 2) gives 12.5 times.  Myopia and the "
        "drain do it: statements about IIR need long overloaded runs, in expectation.",
        (
            Assumption.BACKLOG,
            Assumption.WORK_CONSERVING,
            Assumption.MYOPIC,
            Assumption.EXACT_STEP,
            Assumption.SAME_REQUESTS,
        ),
        "Exact runs of both on a bounded class of instances; one where BF-IO averages more "
        "refutes it.",
        formula=at_most("AvgImb_BFIO", "AvgImb_FCFS"),
        proof=run_disproofs.per_instance,
        holds=False,
    ),
    Claim(
        "limits.overloaded",
        "A full refill without enough requests",
        *OURS,
        "upper",
        "The bound (G-1)(b-a) of [step.full-refill-gap] holds for pools of fewer than G*B "
        "requests.  False: G = 2, B = 1 and one request of size 1 leave 1 > 0.",
        REFILL,
        f"{SEARCH}; an optimum above (G-1)(b-a) refutes it.",
        formula=disproofs.refill_bound,
        requires=("step.full-refill-gap",),
        proof=disproofs.overloaded,
        holds=False,
    ),
    Claim(
        "limits.pool-condition",
        "The paper's pool condition in place of a rich pool",
        *OURS,
        "equality",
        "[step.waterfill] holds for every pool that can fill all free slots even after any one "
        "size class is removed.  False: sizes 1, 2, 3 for two empty workers with a slot each "
        "leave 1, and the closed form for [1, 3] says 0.",
        (Assumption.POOL_CONDITION, Assumption.BOUNDED_SIZES, Assumption.EXACT_STEP),
        f"{SEARCH}; an optimum that differs from the closed form refutes it.",
        formula=waterfill_formula,
        requires=("step.waterfill",),
        proof=disproofs.pool_condition,
        holds=False,
    ),
    Claim(
        "limits.pool-condition-refill",
        "The paper's pool condition in a full refill: below (G-1)(b-a) wherever searched",
        *OURS,
        "equality",
        "Of full refills whose pool fills all slots even after any one size class is removed, the "
        "optimum is at most 1/2, 19/30 and 2/9 of (G-1)(b-a), and as much, over all pools with "
        "0 < b - a <= 16 at G = 2, B = 1 and at G = 3, B = 1, and with 0 < b - a <= 10 at G = 2, "
        "B = 2.  The whole of (G-1)(b-a) is reached by a pool of exactly G*B requests "
        "[step.full-refill-tight], which is outside; the constant inside is not known.",
        (
            Assumption.FULL_REFILL,
            Assumption.POOL_CONDITION,
            Assumption.BOUNDED_SIZES,
            Assumption.EXACT_STEP,
        ),
        "The optimum of every minimal pool, of which any other has one inside; another largest "
        "ratio refutes it.  The numbers were found by the same enumeration.",
        requires=("step.full-refill-gap", "step.full-refill-tight"),
    ),
    Claim(
        "limits.work-conservation",
        "Least imbalance without work conservation",
        *OURS,
        "lower",
        "If slots may stay empty, some admission of least imbalance still admits as many requests "
        "as a work-conserving one.  False: two empty workers with a slot each and sizes 1, 2 have "
        "least imbalance 0 with no request admitted, and so for ever.",
        (Assumption.FULL_REFILL, Assumption.MYOPIC, Assumption.EXACT_STEP),
        "Exhaustive search in order of size over admissions of any number of requests; fewer "
        "admissions at every least imbalance refute it.",
        formula=at_least("admitted", "U"),
        requires=("step.objective",),
        proof=disproofs.work_conservation,
        holds=False,
    ),
    Claim(
        "limits.equal-slots",
        "A full refill with unequal numbers of slots",
        *OURS,
        "upper",
        "The bound (G-1)(b-a) of [step.full-refill-gap] holds when the workers have different "
        "numbers of slots.  False: with one slot and two slots and all sizes 1, the loads are 1 "
        "and 2.",
        REFILL,
        f"{SEARCH}; an optimum above (G-1)(b-a) refutes it.",
        formula=disproofs.refill_bound,
        requires=("step.full-refill-gap",),
        proof=disproofs.equal_slots,
        holds=False,
    ),
    Claim(
        "limits.bounded-sizes",
        "A full refill without a bound on the sizes",
        *OURS,
        "upper",
        "For given G >= 2 and B some number K bounds the imbalance of every optimal full refill.",
        (Assumption.FULL_REFILL, Assumption.OVERLOADED, Assumption.EXACT_STEP),
        "For K in powers of ten the extremal pool of width K + 1, solved exactly; an optimum "
        "above K refutes it.  One request of size a + K + 1 among requests of size a leaves "
        "(G-1)(K+1).",
        formula=at_most("Imb", "K"),
        requires=("step.full-refill-tight",),
        proof=disproofs.bounded_sizes,
        holds=False,
    ),
    Claim(
        "limits.exact-step",
        "Any work-conserving admission in place of an optimal one",
        *OURS,
        "upper",
        "Every work-conserving full refill leaves at most (G-1)(b-a).  False: two workers with two "
        "slots, sizes 1, 1, 2, 2 in that order: first come, first served leaves 2 > 1.",
        (Assumption.FULL_REFILL, Assumption.OVERLOADED, Assumption.BOUNDED_SIZES),
        f"{SEARCH}; an admission above (G-1)(b-a) refutes it.",
        formula=disproofs.refill_bound,
        requires=("step.full-refill-gap",),
        proof=disproofs.exact_step,
        holds=False,
    ),
    Claim(
        "limits.ties",
        "Any tie-break in place of the lexicographic one",
        *OURS,
        "upper",
        "On a step that meets [step.gap-condition] every admission of optimal imbalance leaves "
        "max - min <= s_max.  False from three workers on: two slots each and sizes 1, 1, 3, 3, "
        "3, 3 have an optimum with gap 4.",
        (Assumption.WORK_CONSERVING, Assumption.EXACT_STEP),
        "Exhaustive search in order of size, the lexicographic optimum as control; an optimum "
        "with a larger gap refutes it.",
        formula=at_most("gap", "s_max"),
        requires=("step.gap-condition",),
        proof=disproofs.ties,
        holds=False,
    ),
    Claim(
        "limits.immediate-dispatch",
        "Immediate dispatch in place of a centralised pool",
        *OURS,
        "upper",
        "A dispatcher that sees each size on arrival and must send the request to a worker at "
        "once can keep a full refill within (G-1)(b-a).  False: an adversary that chooses the "
        "next size after each decision forces more at G = 2, B = 2, b - a = 4, where the value of "
        "the game is 5 (and at least 5 k at b - a = 4 k).",
        (Assumption.FULL_REFILL, Assumption.BOUNDED_SIZES),
        "The exact value of the game by backward induction over all sizes; a value above "
        "(G-1)(b-a) refutes it.",
        formula=disproofs.refill_bound,
        requires=("step.full-refill-gap",),
        proof=run_disproofs.immediate_dispatch,
        holds=False,
    ),
    Claim(
        "limits.equal-lengths",
        "Unequal output lengths in Theorem 1",
        *OURS,
        "upper",
        "In an overloaded run BF-IO keeps every step within (G-1)(b-a) whatever the output "
        "lengths.  False: G = 2, B = 1, all sizes 1, lengths (1, 2, 1) give loads (1, 2).",
        tuple(entry for entry in ROUNDS if entry is not Assumption.EQUAL_LENGTHS),
        "Exact runs of a bounded class in order of size, equal lengths as control; a full step "
        "above (G-1)(b-a) refutes it.",
        formula=disproofs.refill_bound,
        requires=("step.full-refill-gap",),
        proof=disproofs.equal_lengths,
        holds=False,
    ),
    Claim(
        "limits.common-drift",
        "Growth that differs between requests in Theorem 1",
        *OURS,
        "upper",
        "Within a round of equal output lengths every step stays within (G-1)(b-a) when each "
        "request grows by its own bounded amount.  False: two requests of size 1, one that grows "
        "by 1 and one that does not, have loads 2 and 1 at the second step.",
        REFILL,
        f"{SEARCH} over sizes and growths in {{0, 1}}; a step above (G-1)(b-a) refutes it.",
        formula=disproofs.refill_bound,
        requires=("step.full-refill-gap",),
        proof=disproofs.common_drift,
        holds=False,
    ),
    Claim(
        "limits.nonnegative-drift",
        "A common drift of either sign in Theorem 1",
        *OURS,
        "equality",
        "Within a round of equal output lengths, all slots taken, a drift common to all requests, "
        "falls included, leaves the imbalance of every step equal to that of the admission: for "
        "Theorem 1's BF-IO side the drift must be common, not non-negative.",
        (
            Assumption.FULL_REFILL,
            Assumption.OVERLOADED,
            Assumption.WORK_CONSERVING,
            Assumption.EQUAL_LENGTHS,
            Assumption.STICKY,
        ),
        "Every refill and every drift sequence of a bounded class; a step of another imbalance "
        "refutes it.",
        formula=equal("Imb_k", "Imb_0"),
        proof=_common_drift_proof,
        requires=("step.full-refill-gap",),
    ),
    Claim(
        "limits.iid",
        "Sizes and their order chosen by an adversary in Theorem 1",
        *OURS,
        "upper",
        "In rounds of equal output lengths BF-IO with exact steps leaves at most (G-1)(b-a) at "
        "every step, under any common drift, whatever the sizes in [a, b] and their order: "
        "Theorem 1's BF-IO side needs no law of the sizes.  It does need a common drift "
        "[limits.common-drift] and exact steps [limits.exact-step].",
        ROUNDS,
        "A search over whole runs, of measured power: the bound is attained, and the search must "
        "find that it is.  A step above the bound refutes it.",
        formula=disproofs.refill_bound,
        proof=_rounds_proof,
        requires=(
            "step.full-refill-gap",
            "step.full-refill-tight",
            "limits.nonnegative-drift",
            "warmup.bfio-upper",
        ),
    ),
    Claim(
        "limits.myopic",
        "Looking ahead in Theorem 1",
        *OURS,
        "upper",
        "In a round of equal output lengths, under any common drift, BF-IO(H) with perfect "
        "predictions and an optimal window averages at most (G-1)(b-a), for every window H: "
        "Theorem 1's BF-IO side does not need H = 0.",
        (
            Assumption.FULL_REFILL,
            *(entry for entry in ROUNDS if entry is not Assumption.MYOPIC),
        ),
        "A search over rounds, of measured power: the bound is attained, and the search must find "
        "that it is.  An average above the bound refutes it.",
        formula=at_most("AvgImb_BFIO", "(G - 1) * (b - a)"),
        proof=_window_proof,
        requires=("step.full-refill-gap", "step.full-refill-tight", "limits.nonnegative-drift"),
    ),
    Claim(
        "limits.stickiness",
        "Migration in place of stickiness",
        *OURS,
        "lower",
        "The pathwise bound of [threshold.any-policy] also holds for a policy that may move "
        "requests between workers.  False: G = 2, B = 2, all sizes 1, two requests of age 1 on "
        "one worker and two new ones on the other: the bound is 2, and migration reaches 0.",
        (Assumption.OVERLOADED, Assumption.WORK_CONSERVING, Assumption.CONSTANT_DRIFT),
        "All ages and sizes of a bounded class, sticky placements as control; a placement below "
        "the bound refutes it.",
        formula=at_least("Imb", "G * A_max - A_sum - (G - 1) * B * (b - a)"),
        requires=("threshold.any-policy",),
        proof=disproofs.stickiness,
        holds=False,
    ),
    Claim(
        "limits.hidden-lengths",
        "A policy that sees output lengths",
        *OURS,
        "lower",
        "The bound of [threshold.any-policy] on E[Imb] also holds for policies that see output "
        "lengths.  False for every p < 1: with G = 2, B = 1, equal sizes and a deep pool, serving "
        "requests of equal length side by side has no imbalance, and the bound is "
        "2 (1-p) / (p (2-p)).",
        (
            Assumption.OVERLOADED,
            Assumption.WORK_CONSERVING,
            Assumption.STICKY,
            Assumption.GEOMETRIC_LENGTHS,
            Assumption.CONSTANT_DRIFT,
        ),
        "Mean imbalance of the run that pairs equal lengths, over its full steps, against the "
        "exact bound; a mean below it refutes it.",
        formula=at_least("E_Imb", "E_Imb_equal_sizes - (G - 1) * B * (b - a)"),
        requires=("threshold.any-policy",),
        proof=disproofs.hidden_lengths,
        holds=False,
    ),
    Claim(
        "limits.look-ahead",
        "Perfect look-ahead never hurts",
        *OURS,
        "upper",
        "BF-IO(H) that knows when active requests depart within its window of H steps averages no "
        "more imbalance than BF-IO(0), on every finite backlog.  False: G = 2, B = 1, sizes "
        "(1, 1, 1, 2), lengths (2, 1, 1, 1), H = 2 has three times the imbalance.",
        BACKLOGS,
        "Exact runs of both on a bounded class in order of size; one where the look-ahead "
        "averages more refutes it.",
        formula=at_most("AvgImb_H", "AvgImb_0"),
        proof=run_disproofs.look_ahead,
        holds=False,
    ),
    Claim(
        "limits.prediction-error",
        "A wrong prediction costs no imbalance",
        *OURS,
        "upper",
        "BF-IO(1) whose predictions of departures are wrong for one request averages no more "
        "imbalance than with perfect predictions, on every finite backlog.  False: G = 2, B = 1, "
        "sizes (2, 1, 4, 2), lengths (3, 1, 3, 1), the first predicted as 1.",
        BACKLOGS,
        "Exact runs of both on a bounded class in order of size; one where the wrong prediction "
        "averages more refutes it.",
        formula=at_most("AvgImb_wrong", "AvgImb_perfect"),
        proof=run_disproofs.prediction_error,
        holds=False,
    ),
)
