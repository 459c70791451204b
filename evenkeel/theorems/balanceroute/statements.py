"""Claims of the family ``balanceroute``: the follow-up paper's routing scores.

BalanceRoute (arXiv 2605.06113) routes a set ``Q`` of requests of total size ``S`` to the worker
``g`` with the best score; ``m_g = M - L_g`` is the worker's margin below the largest load ``M``.
BR-0 scores ``S - G (S - m_g)^+``; BR-H discounts predicted margins over a window.
"""

from fractions import Fraction
from typing import TYPE_CHECKING

from evenkeel.theorems.dropped_assumptions import disproofs
from evenkeel.theorems.registry import Assumption, Claim
from theory.formal.record import Theorem
from theory.proof import Identity, Inequality, Lemma, Step

if TYPE_CHECKING:
    import sympy

PAPER = ("BalanceRoute, arXiv 2605.06113", "v1")

# Penalty weight of the simulator released with arXiv 2601.17855, for every number of workers.
SIMULATOR_BETA = 43

# Reported throughput in tokens/s at G = 8 (DeepSeek-V3 on 144 NPUs): proprietary trace, Azure.
REPORTED_THROUGHPUT = {
    "round robin": (847, 771),
    "JSQ": (843, 785),
    "BR-0": (943, 854),
    "BR-H oracle": (1029, 957),
    "BR-H deployed": (977, 909),
}
# Reported gain over the best baseline by number of workers, in per cent.
REPORTED_GAIN = {4: Fraction("13.4"), 8: Fraction("21.5"), 16: Fraction("34.5")}


def _score_formula() -> "sympy.Basic":
    import sympy as sp

    G, S, m = sp.symbols("G S m", nonnegative=True, integer=True)
    change = sp.Function("DeltaImb")(S, m)
    return sp.Eq(S - G * sp.Max(0, S - m), -change)


def _score_proof() -> tuple[Step, ...]:
    import sympy as sp

    G = sp.Symbol("G", positive=True, integer=True)
    M, total, m, e = sp.symbols("M Sigma m e", nonnegative=True)
    before = G * M - total
    within, beyond = m - e, m + e
    return (
        Lemma("cases", "Either S <= m_g (S = m - e) or S > m_g (S = m + e), e >= 0."),
        Identity(
            "S <= m_g: the largest load stays, the sum grows by S, and F = S",
            within,
            before - sp.UnevaluatedExpr(G * M - (total + within)),
        ),
        Identity(
            "S > m_g: the largest load becomes M + S - m_g, and F = S - G (S - m_g)",
            beyond - G * e,
            before - (G * (M + e) - (total + beyond)),
        ),
    )


def _brh_formula() -> "sympy.Basic":
    import sympy as sp

    G, S = sp.symbols("G S", nonnegative=True, integer=True)
    h, H = sp.symbols("h H", nonnegative=True, integer=True)
    discount, margin = sp.IndexedBase("d"), sp.IndexedBase("m")
    term = discount[h] * (S - G * sp.Max(0, S - margin[h]))
    return sp.Eq(sp.Symbol("F"), sp.Sum(term, (h, 0, H)))


def _brh_proof() -> tuple[Step, ...]:
    import sympy as sp

    G, S, overshoot = sp.symbols("G S x", nonnegative=True)
    d = sp.Symbol("d", real=True)
    return (
        Identity(
            "With (alpha, beta) = (1, G) each step h of the window contributes d_h times BR-0's "
            "score at margin m_g(h); x = (S - m_g(h))^+",
            1 * d * S - G * d * overshoot,
            d * (S - G * overshoot),
        ),
        Lemma(
            "sum over the window",
            "Both sides are sums over h = 0..H; for H = 0 and d = 1 the one term is BR-0's. "
            "By [balanceroute.score-identity] term h is minus d_h times the change of the "
            "predicted imbalance at step h, if the routed load stays S for the whole window.",
        ),
    )


def _telescope_proof() -> tuple[Step, ...]:
    import sympy as sp

    k, m = sp.symbols("k m", nonnegative=True, integer=True)
    imbalance = sp.Function("I")
    return (
        Identity(
            "The k-th admission scores I(k) - I(k+1), the fall of the imbalance; over m+1 "
            "admissions the scores add up to the first imbalance minus the last",
            sp.Sum(imbalance(k) - imbalance(k + 1), (k, 0, m)),
            imbalance(0) - imbalance(m + 1),
        ),
        Lemma(
            "order does not matter",
            "The sum depends on the loads after the step alone, and I_0 is given: the largest sum "
            "is the smallest imbalance.",
        ),
    )


def _ties_proof() -> tuple[Step, ...]:
    import sympy as sp

    G = sp.Symbol("G", positive=True, integer=True)
    m, r, e = sp.symbols("m r e", nonnegative=True)
    size = sp.Symbol("S", real=True)
    score = size - G * sp.Max(0, size - m)
    return (
        Identity(
            "A worker with margin m = S + r, r >= 0, has score S, which does not depend on m",
            sp.Subs(score, m, size + r),
            size,
        ),
        Inequality(
            "A worker whose margin is e short of S has score S - G e, less by G e",
            size - G * e,
            size,
            G * e,
        ),
        Lemma(
            "all that fit tie",
            "So the workers of best score are all those with margin >= S.  A request of size s "
            "lowers its worker's margin by s and leaves it in the tie until the margin is used up.",
        ),
    )


def _gap_formula() -> "sympy.Basic":
    import sympy as sp

    G = sp.Symbol("G", positive=True, integer=True)
    gap, imb = sp.symbols("gap Imb", nonnegative=True)
    return sp.And(sp.Le(gap, imb), sp.Le(imb, (G - 1) * gap))


def _gap_proof() -> tuple[Step, ...]:
    import sympy as sp

    n = sp.Symbol("n", nonnegative=True, integer=True)
    D, r, u = sp.symbols("D r u", nonnegative=True)
    G, g = sp.symbols("G g", positive=True, integer=True)
    M, L = sp.Symbol("M", real=True), sp.IndexedBase("L", real=True)
    return (
        Identity(
            "The imbalance is the sum of the G gaps below the largest load",
            G * M - sp.Sum(L[g], (g, 1, G)),
            sp.Sum(M - L[g], (g, 1, G)),
        ),
        Lemma(
            "terms",
            "G = n + 2 of them, each in [0, D], D = max - min: one is "
            "0, one is D, the n others sum to r >= 0 and to n D - u, u >= 0.",
        ),
        Inequality("Lower side", D, D + r, r),
        Inequality("Upper side", D + n * D - u, (n + 1) * D, u),
    )


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "balanceroute.score-identity",
        "BR-0's score is minus the change of the imbalance",
        *PAPER,
        "equality",
        "Adding requests of total size S >= 0 to worker g changes G max L - sum L by exactly "
        "-(S - G (S - m_g)^+), m_g = max L - L_g.",
        (),
        "Both sides in ints for all loads and sizes of a finite domain and for random large "
        "ones; one difference refutes it.",
        _score_formula,
        _score_proof,
        coq=Theorem("balanceroute_score_identity", "Scores.v"),
    ),
    Claim(
        "balanceroute.brh-reduces",
        "BR-H with (alpha, beta) = (1, G) discounts BR-0's scores",
        *PAPER,
        "equality",
        "With (alpha, beta) = (1, G), BR-H's score is sum_h d_h (S - G (S - m_g(h))^+) for any "
        "real discounts d_h (its own are gamma^h, 0 < gamma <= 1): BR-0 for H = 0 and d_0 = 1, and "
        "for H > 0 minus the discounted change of the predicted imbalances for a load that stays "
        "S >= 0.",
        (),
        "The vector form against the discounted changes of imbalances recomputed from predicted "
        "loads, in Fractions; one difference refutes it.",
        _brh_formula,
        _brh_proof,
        ("balanceroute.score-identity",),
        coq=Theorem("balanceroute_brh_reduces", "Discounts.v"),
    ),
    Claim(
        "balanceroute.telescopes",
        "The scores of a step's admissions add up to BF-IO's objective",
        "evenkeel",
        "ours",
        "equality",
        "Admitting the requests of a step one by one, in any order, BR-0's scores sum to the "
        "imbalance before the step minus the imbalance after it; so the largest total score of a "
        "work-conserving step is attained exactly by the admissions of least imbalance, BF-IO's "
        "(H = 0) among them.",
        (Assumption.WORK_CONSERVING, Assumption.MYOPIC),
        "The largest total score over all admissions of a finite domain of steps against the "
        "enumerated optimum; one difference refutes it.",
        None,
        _telescope_proof,
        ("balanceroute.score-identity", "step.objective"),
        coq=Theorem(
            "balanceroute_telescopes", "Scores.v", "that the admissions of a step are such moves"
        ),
    ),
    Claim(
        "balanceroute.greedy",
        "Routing one request at a time by best score is optimal for the step",
        "a tempting reading of BR-0",
        "ours",
        "upper",
        "Admitting, while slots are free, the request and worker with the best BR-0 score reaches "
        "the optimal imbalance of the step.  False: the best first admission can exclude the best "
        "step.",
        (Assumption.WORK_CONSERVING, Assumption.MYOPIC),
        "Exhaustive search in order of size for a step where the greedy's imbalance exceeds the "
        "enumerated optimum.",
        None,
        disproofs.greedy,
        ("balanceroute.telescopes",),
        holds=False,
    ),
    Claim(
        "balanceroute.fixed-beta",
        "A penalty of 43 for every number of workers ranks admissions as the imbalance does",
        "simulator released with arXiv 2601.17855",
        "v1, v2",
        "equality",
        "With weights (alpha, beta) = (1, 43) and H = 0 the admission of best score has the "
        "smallest imbalance, for every G.  False for every G >= 2 but 43: for smaller G the "
        "overshoot is penalised too much, for larger G too little (for G = 1 there is none).",
        (Assumption.MYOPIC,),
        "Exhaustive search in order of size for a step with one free slot where the request of "
        "best score is not the one of smallest imbalance.",
        None,
        disproofs.fixed_beta,
        ("balanceroute.score-identity",),
        holds=False,
    ),
    Claim(
        "balanceroute.ties",
        "Below the margin all workers tie, and lowest-index ties pile up on worker 0",
        "an independent re-implementation of BR-0",
        "v1",
        "equality",
        "All workers with margin >= S have the same score S.  So lowest-index tie-breaking sends "
        "requests of one size s to worker 0 until its margin or its slots are used up: from loads "
        "(0, ..., 0, M), G >= 3, worker 0 takes n = min(B, floor(M / s)) in a row; breaking ties "
        "by load gives none of the G-1 empty workers more than ceil(n / (G-1)) of them.",
        (),
        "BR-0 with either tie-break over a range of (G, B, M, s); another count refutes it.",
        None,
        _ties_proof,
        ("balanceroute.score-identity",),
    ),
    Claim(
        "balanceroute.ties-share",
        "Ties send 43 % of requests to worker 0",
        "an independent re-implementation of BR-0",
        "v1",
        "empirical",
        "Ties in the score sent 43 % of all requests to worker 0 until they were broken by load.",
        (),
        "The workload and the number of workers of that run are not known.",
        recovered=False,
    ),
    Claim(
        "balanceroute.gap-and-imbalance",
        "How the two papers' imbalances compare",
        "evenkeel",
        "ours",
        "upper",
        "BalanceRoute reports max L - min L, the first paper G max L - sum L.  For G >= 2, "
        "max - min <= G max - sum <= (G-1)(max - min), both sides attained.",
        (),
        "All loads of a finite domain: no violation, and both sides attained.",
        _gap_formula,
        _gap_proof,
        coq=Theorem("balanceroute_gap_and_imbalance", "Loads.v"),
    ),
    Claim(
        "balanceroute.gain-arithmetic",
        "The gain reported at G = 8 follows from the reported throughputs",
        *PAPER,
        "empirical",
        "At G = 8 BR-H (oracle) gains 21.5 % over the best baseline: 1029 against 847 tokens/s.",
        (),
        "The ratio of the two reported numbers, rounded to a tenth of a per cent.",
    ),
    Claim(
        "balanceroute.beats-baselines",
        "BR-0 serves faster than round robin and JSQ",
        "evenkeel",
        "ours",
        "empirical",
        "In the simulator, overloaded, with the step times of arXiv 2601.17855, BurstGPT-like "
        "lengths, G = 8, B = 72 and pool 32, BR-0 has a greater throughput up to the last "
        "admission than the better of round robin and JSQ by count.",
        (Assumption.SAME_REQUESTS, Assumption.WORK_CONSERVING),
        "Paired runs over several seeds; a mean gain that is not positive refutes it.  Worded "
        "after looking at runs.",
        requires=("balanceroute.score-identity",),
    ),
    Claim(
        "balanceroute.lookahead-gain",
        "BR-H's gain over BR-0 needs no more than the scores",
        "evenkeel",
        "ours",
        "empirical",
        "In that setting BR-H with H = 20 and perfect predictions serves faster than BR-0 by the "
        "reported 9.1 % (1029 against 943 tokens/s).",
        (Assumption.SAME_REQUESTS, Assumption.WORK_CONSERVING),
        "Paired runs over several seeds; an interval of the mean gain below that refutes it for "
        "this setting, not for the deployment.  Worded after looking at runs.",
        requires=("balanceroute.brh-reduces",),
        holds=False,
    ),
    Claim(
        "balanceroute.throughput",
        "Throughput of BR-0 and BR-H on 144 NPUs",
        *PAPER,
        "empirical",
        "At G = 8 (DeepSeek-V3, 144 NPUs; tokens/s on a proprietary trace / Azure): round robin "
        "847/771, JSQ 843/785, BR-0 943/854, BR-H oracle 1029/957, BR-H deployed 977/909.",
        (),
        "Needs that hardware, its step times and the proprietary trace.",
        recovered=False,
    ),
    Claim(
        "balanceroute.gain-scaling",
        "BalanceRoute's gain grows with the number of workers",
        *PAPER,
        "empirical",
        "The gain over the best baseline is 13.4 %, 21.5 % and 34.5 % at G = 4, 8 and 16.",
        (),
        "Needs that hardware, its step times and the proprietary trace.",
        recovered=False,
    ),
    Claim(
        "balanceroute.dispatch-latency",
        "Dispatch takes about a millisecond",
        *PAPER,
        "empirical",
        "Dispatch latency has a median of 1.20 ms and a 99th percentile of 2.77 ms.",
        (),
        "Needs that deployment.",
        recovered=False,
    ),
)
