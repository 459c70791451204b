"""Claims of the family ``step``: deterministic facts about one admission step.

Notation: worker ``g`` has load ``l_g`` and ``c_g`` free slots before admission and load ``L_g``
after it; ``M = max_g L_g``; ``U = min(|pool|, sum c)`` requests are admitted.  The numbers are
computed in :mod:`theory.formulas.step`.
"""

from evenkeel.theorems.dropped_assumptions import disproofs
from evenkeel.theorems.registry import Assumption, Claim
from evenkeel.theorems.step import proofs
from theory.formal.record import Theorem
from theory.relations import at_most, equal

OURS = ("evenkeel", "ours")

# The smallest maximum is not optimal: (loads, free, pool).  Admitting 1 gives loads (3, 1) and
# imbalance 2, admitting 4 gives (3, 4) and imbalance 1.
SMALLEST_MAXIMUM_LOSES = (3, 0), (0, 1), (1, 4)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "step.objective",
        "What one admission step minimises",
        "paper, model and BF-IO (H = 0)",
        "v1, v2",
        "equality",
        "Work conservation admits exactly U = min(|pool|, sum c) requests, at most c_g on worker "
        "g, and G max L - sum L = sum_g (max L - L_g) is minimised.  If |pool| <= sum c the sum "
        "is fixed and only the maximum counts; if |pool| > sum c the choice of the subset "
        "matters as well, and the smallest maximum need not be optimal.",
        (Assumption.WORK_CONSERVING, Assumption.MYOPIC),
        "On every step of a finite domain the objective of the integer programs, recomputed in "
        "ints, equals the smallest sum of gaps found by enumeration; one step where they differ "
        "refutes it.",
        proofs.objective_formula,
        proofs.objective_proof,
        coq=Theorem("step_objective", "Step.v"),
    ),
    Claim(
        "step.full-refill-gap",
        "A full refill leaves at most (G-1)(b-a)",
        "paper, engine of Theorem 1; constant: evenkeel",
        "ours",
        "upper",
        "All slots free, all workers empty, at least G*B waiting requests with sizes in [a, b]: "
        "some optimal admission has max L - min L <= b - a, and so every one an imbalance of at "
        "most (G-1)(b-a).",
        (
            Assumption.FULL_REFILL,
            Assumption.OVERLOADED,
            Assumption.BOUNDED_SIZES,
            Assumption.EXACT_STEP,
        ),
        "The optimum of every pool of a finite domain by enumeration, its imbalance and its gap, "
        "then of random larger refills; one above its bound refutes it.",
        proofs.full_refill_gap_formula,
        proofs.full_refill_gap_proof,
        ("step.objective",),
        coq=Theorem("step_full_refill_gap", "Refill.v"),
    ),
    Claim(
        "step.full-refill-tight",
        "A pool of exactly G B requests attains the bound of a full refill",
        *OURS,
        "equality",
        "For every G, B >= 1 and a <= b: a pool of exactly G*B requests, one of size b and the "
        "others of size a, leaves (G-1)(b-a) after an optimal full refill, and no pool of at least "
        "G*B sizes in [a, b] leaves more.",
        (Assumption.FULL_REFILL, Assumption.BOUNDED_SIZES, Assumption.EXACT_STEP),
        "The extremal pool solved exactly over a range of (G, B, a, b), and the worst pool found "
        "by exhaustive search on small domains; another value than (G-1)(b-a) refutes it.  For "
        "G >= 2 and a < b that pool does not fill the slots without one of its sizes, so it lies "
        "outside the paper's pool condition: at G = 2 the bound is not attained inside "
        "[warmup.spare-request], for G >= 3 it is not known to be.",
        proofs.full_refill_tight_formula,
        proofs.full_refill_tight_proof,
        ("step.full-refill-gap",),
        coq=Theorem("step_full_refill_tight", "Refill.v"),
    ),
    Claim(
        "step.waterfill",
        "The optimal imbalance under a rich pool, in closed form",
        *OURS,
        "equality",
        "If all sizes of the pool are integers in [a, b] and it holds at least sum c copies of "
        "every one of them, as many as slots are free, the optimal imbalance is sum_g "
        "(M* - l_g - c_g b)^+ with M* = max_g (l_g + c_g a), and M* is the smallest maximum of an "
        "optimal admission.",
        (Assumption.RICH_POOL, Assumption.BOUNDED_SIZES, Assumption.EXACT_STEP),
        "Enumerated and MILP optima of every rich-pool step of a finite domain against the closed "
        "form; one difference refutes it.",
        proofs.waterfill_formula,
        proofs.waterfill_proof,
        ("step.objective",),
        coq=Theorem("step_waterfill", "Waterfill.v"),
    ),
    Claim(
        "step.waterfill-admitted",
        "The closed form from as many copies as requests are admitted",
        "evenkeel",
        "ours",
        "equality",
        "If the pool holds at least U = min(|pool|, sum c) copies of every integer size in [a, b], "
        "the optimal imbalance is the closed form of [step.waterfill].  False: with one size "
        "a = b and fewer requests than free slots the pool is rich in this sense, and some worker "
        "stays below the level.  Loads (0, 0), slots (1, 1), a = b = 1, pool {1}: the closed form "
        "is 0, the optimum 1.",
        (Assumption.WORK_CONSERVING, Assumption.BOUNDED_SIZES, Assumption.EXACT_STEP),
        "Steps of one size with fewer requests than free slots, smallest first; an optimum that "
        "differs from the closed form refutes it.",
        proofs.waterfill_formula,
        proofs.waterfill_admitted_disproof,
        ("step.waterfill",),
        holds=False,
    ),
    Claim(
        "step.lower-bound",
        "A lower bound on every step from prefix sums",
        *OURS,
        "lower",
        "With S^min_k and S^max_k the sums of the k smallest and largest pool sizes and K = sum c "
        "- U: M >= LB := max( max_g (l_g + S^min_{(c_g-K)^+}), ceil((sum l + S^min_U) / G) ), and "
        "the imbalance is at least sum_g (LB - l_g - S^max_{c_g})^+, for any pool of non-negative "
        "integer sizes.",
        (Assumption.WORK_CONSERVING,),
        "Enumerated optima of every step of a finite domain, rich and poor pools; an optimum "
        "below the bound refutes it.",
        proofs.lower_bound_formula,
        proofs.lower_bound_proof,
        ("step.objective",),
        coq=Theorem("step_lower_bound", "LowerBound.v"),
    ),
    Claim(
        "step.lattice",
        "Sizes that differ by multiples of q leave what the residues leave",
        *OURS,
        "lower",
        "If all sizes are congruent to v modulo q >= 1 and at least sum c requests wait, an "
        "admission with largest load M has imbalance at least R(M), the sum of (M - l_g - c_g v) "
        "mod q over the workers with free slots and of M - l_g over the others; so no admission "
        "is below the smallest R(M) with LB <= M < LB + q, LB of [step.lower-bound].",
        (Assumption.OVERLOADED,),
        "Enumerated optima of every step of a finite domain whose sizes lie on a lattice, against "
        "the bound and against R at their own largest load; an optimum below refutes it.",
        proofs.lattice_formula,
        proofs.lattice_proof,
        ("step.lower-bound",),
    ),
    Claim(
        "step.lexicographic",
        "The imbalance alone does not fix a decision; the lexicographic order does",
        *OURS,
        "equality",
        "One step can have optimal admissions with different largest loads and different sums of "
        "squares.  Ordered by (imbalance, M, sum L^2, the assignment read in arrival order) every "
        "step has exactly one best admission, and every exact solver that minimises this key "
        "returns it.",
        (Assumption.WORK_CONSERVING, Assumption.EXACT_STEP),
        "All optima of every step of a finite domain are listed: the number of admissions that "
        "attain the smallest key is 1, and it is the answer of two exact searches; optima of "
        "different largest load are among them.  A step with another number, or another answer, "
        "refutes it.",
        equal("best_admissions", "1"),
        proofs.lexicographic_proof,
        ("step.objective",),
    ),
    Claim(
        "step.lp-closed-form",
        "The LP relaxation of a step in closed form",
        *OURS,
        "equality",
        "With h_g = M - l_g, beta and T the sums of the smallest and largest sizes, C(W) the "
        "slots of a set W of workers and K the slots that stay empty: the LP relaxation has the "
        "value max_W (h(W) - T(C(W))) at M = max_W (l(W) + beta((C(W)-K)^+)) / |W|, over all sets "
        "W, non-empty ones for M, and both maxima are attained at prefixes of the order of "
        "h_g / c_g (for c_g = 0 by the sign of h_g, at its ends), so that for a given M sorting "
        "is the costliest part.",
        (Assumption.WORK_CONSERVING,),
        "Exact equality of value and M with the maxima over all 2^G sets, of the value with an LP "
        "solver's rounded to denominators below 1000, and never above the enumerated optimum, "
        "over random steps with rich and poor pools; one difference refutes it.",
        proofs.lp_formula,
        proofs.lp_proof,
        ("step.objective",),
    ),
    Claim(
        "step.gap-condition",
        "When an optimal step leaves a gap of at most s_max",
        *OURS,
        "upper",
        "If l_p - l_q <= s_max (1 - (c_p - c_q)^+) for all workers p != q before admission, the "
        "lexicographic optimum has max L - min L <= s_max, for rich and for poor pools, with "
        "s_max any upper bound of the sizes.",
        (Assumption.WORK_CONSERVING, Assumption.EXACT_STEP),
        "The lexicographic optimum of every step of a finite domain that meets the condition; a "
        "gap above s_max refutes it.",
        proofs.gap_condition_formula,
        proofs.gap_condition_proof,
        ("step.lexicographic",),
    ),
    Claim(
        "step.gap-naive",
        "Every optimal step leaves a gap of at most s_max",
        "a tempting reading of the per-step bound in the paper's Theorem 2",
        "ours",
        "upper",
        "After an optimal admission (H = 0) max L - min L <= s_max, whatever the loads, the free "
        "slots and the pool.  False: a worker without a free slot, unequal slots or a tie among "
        "optima break it.",
        (Assumption.WORK_CONSERVING, Assumption.EXACT_STEP),
        "Exhaustive search in order of size for a step with a larger gap after its lexicographic "
        "optimum, until the first.",
        at_most("gap", "s_max"),
        disproofs.gap_naive,
        ("step.gap-condition",),
        holds=False,
        coq=Theorem("step_gap_naive_is_false", "GapNaive.v"),
    ),
    Claim(
        "step.gap-persists",
        "The gap of at most s_max persists along an overloaded run",
        "a tempting reading of the per-step bound in the paper's Theorems 2 and 3",
        "ours",
        "upper",
        "If the condition of [step.gap-condition] holds at the start of an overloaded run, every "
        "later optimal step leaves max L - min L <= s_max.  False: a departure removes s + age, "
        "which is not bounded by s_max.  With G = 2, B = 1, all sizes 1 and lengths (n, 1, 1, "
        "...) the gap after k steps is k.",
        (Assumption.OVERLOADED, Assumption.WORK_CONSERVING, Assumption.EXACT_STEP),
        "The run of that instance; a gap above s_max at any step with a full pool refutes it.",
        at_most("gap", "s_max"),
        disproofs.gap_persists,
        ("step.gap-condition",),
        holds=False,
    ),
)
