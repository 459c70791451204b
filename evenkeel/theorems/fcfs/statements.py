"""Claims of the family ``fcfs``: rules that do not look at sizes, in expectation and at worst.

The numbers are computed in :mod:`theory.laws.slot_load`, :mod:`theory.laws.fcfs_expectation` and
:mod:`theory.laws.order_statistics`; here are the closed forms and what is claimed.
"""

from evenkeel.theorems.fcfs import moment_proofs, proofs
from evenkeel.theorems.registry import Assumption, Claim
from theory.formal.record import Theorem
from theory.formulas.constants import FCFS_TEXT
from theory.relations import at_least, equal

OURS = ("evenkeel", "ours")

EXPECTATION = (Assumption.OVERLOADED, Assumption.IID, Assumption.COMMON_DRIFT, Assumption.STICKY)
REFILL = (Assumption.FULL_REFILL, Assumption.OVERLOADED, Assumption.BOUNDED_SIZES)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "fcfs.exact",
        "Expected imbalance of FCFS without sampling",
        *OURS,
        "equality",
        "FCFS with iid (s, o) of finite mean and a pool that surely fills every free slot up to "
        "step k after a "
        "cold start, integer sizes: the GB slot loads are iid copies of X = s + D_k - D_(k-A), "
        "with P(s, A=t) = u_(k-t) P(s, o>t), u the renewal probabilities of the output lengths "
        "and D the cumulative drift; for geometric(p) lengths A is geometric, cut at k.  Hence "
        "E[Imb_k] = G (sum_x (1 - F(x)^G) - B E[X]) with F the distribution function of the sum "
        "of B copies.  The law as k grows is [fcfs.stationary].",
        EXPECTATION,
        "Every sequence of requests of a tiny system, weighed in exact rationals, against the "
        "formula at every step; then seeded runs of the engine, whose mean imbalance must have "
        "the exact value within its interval.  Any difference in the first, or a value outside "
        "the interval in the second, refutes it.",
        proofs.exact_formula,
        proofs.exact_proof,
    ),
    Claim(
        "fcfs.size-blind",
        "All rules that place a request before seeing its size are equal in law",
        "evenkeel",
        "ours",
        "equality",
        "With iid requests and a pool that surely fills every slot, any rule that takes requests "
        "in arrival order and fixes the worker of each without looking at its size, its output "
        "length or those behind it has at every step the same law of the loads as FCFS, up to "
        "the numbering of "
        "workers, so the same expected imbalance.  This covers round robin and JSQ by count, and "
        "also the load-aware least_loaded and power_of_two: when no slot may stay empty, knowing "
        "the loads without choosing the request gains nothing.",
        EXPECTATION,
        "Every sequence of requests of a tiny system under each rule, in exact rationals, then "
        "runs of larger ones, whose mean imbalance under each rule must have the exact one of "
        "FCFS within its interval; any difference in the first, or a value outside, refutes it.",
        equal("E_Imb_rule", "E_Imb_FCFS"),
        proofs.size_blind_proof,
        ("fcfs.exact",),
    ),
    Claim(
        "fcfs.lower",
        "Explicit lower bound of the expected imbalance",
        "paper, Theorems 1 and 2 (order, c unnamed); constant: evenkeel",
        "v1, v2",
        "lower",
        "For every law of X with sigma > 0 and finite rho = E|X - EX|^3 and every G >= 2 and B "
        "with eps = min(0.4748 rho/sigma^3, 0.33554 (rho/sigma^3 + 0.415)) / sqrt(B) < 1/2: "
        "E[Imb(FCFS)] >= G sigma sqrt(B) [ int_0^x* (1 - (Phi(x)+eps)^G) dx - "
        "(1/2)(1/2+eps)^(G-1) ] for each x* >= 0 with Phi(x*) + eps <= 1.  Where B is too small "
        "for the law's skewness it is negative and says nothing; a bound of the order G sigma "
        "sqrt(B log G) for all B is [fcfs.log-growth].",
        EXPECTATION,
        "The bound, integrated rigorously and rounded down, against the exact expectation over a "
        "grid of laws, G and B; one point above refutes it.",
        proofs.lower_formula,
        proofs.lower_proof,
        ("fcfs.exact",),
    ),
    Claim(
        "fcfs.pairing",
        "A bound for every B: two workers by moments",
        *OURS,
        "lower",
        "For every G >= 2, B >= 1 and law of X with variance sigma^2 > 0 and fourth central moment "
        "mu_4, the loads L_g being independent sums of B copies of X as in [fcfs.exact]: "
        "E[Imb(FCFS)] >= (G/2) E|L_1 - L_2| >= (G/2) (2 B sigma^2)^(3/2) / "
        "(B (2 mu_4 + 6 sigma^4) + 12 B (B-1) sigma^4)^(1/2), which tends to G sigma sqrt(B/6).",
        EXPECTATION,
        "The bound in ball arithmetic against the exact E|L_1 - L_2|, and that against the exact "
        "expectation, over a grid of laws, G and B, skewed laws and B = 1 included; one point "
        "above refutes it.",
        proofs.pairing_formula,
        proofs.pairing_proof,
        ("fcfs.exact",),
        coq=Theorem(
            "fcfs_pairing",
            "Extremes.v",
            "laws with infinitely many values, and the step from FCFS to independent loads",
        ),
    ),
    Claim(
        "fcfs.superadditive",
        "Workers multiply, slots add",
        "evenkeel",
        "ours",
        "lower",
        "With M(G, B) = E[max_g L_g] - B E[X] for G independent loads, each a sum of B independent "
        "copies of X with finite mean: M(G_1 G_2, B_1 + B_2) >= M(G_1, B_1) + M(G_2, B_2) for all "
        "G_1, G_2, B_1, B_2 >= 1, and M does not fall in G or in B.  E[Imb(FCFS)] is G M(G, B) "
        "[fcfs.exact].",
        EXPECTATION,
        "Both sides in exact rationals for fixed and for random laws of small support over a grid "
        "of G_1, G_2, B_1, B_2, and M at G and G + 1; one violation refutes it.",
        proofs.superadditive_formula,
        proofs.superadditive_proof,
        ("fcfs.exact",),
    ),
    Claim(
        "fcfs.log-growth",
        "FCFS's side of Theorems 1 to 3 with its constant, for every G and B",
        "paper, Theorems 1 to 3 (order, c unnamed); constant: evenkeel",
        "ours",
        "lower",
        "For every law of X with variance sigma^2 > 0 and finite kurtosis kappa = mu_4/sigma^4, "
        "every G >= 2 and B >= k = floor(log2 G), with n = floor(B/k): E[Imb(FCFS)] >= "
        "G k sigma sqrt(n / (6 + (kappa-3)/n)).  So E[Imb(FCFS)] >= c G sigma sqrt(B ln G) with "
        "c = 2/(3 sqrt(ln 2 (3 + max(3, kappa)))), which is 0.326 (rounded down) for kappa <= 3.",
        EXPECTATION,
        "Squares of both sides in exact rationals for fixed and for random laws of small support "
        "over a grid of G and B, and of the bound and its order; one point above refutes it.  At "
        "G = 2, B = 1 a fair coin attains the first bound.",
        proofs.log_growth_formula,
        proofs.log_growth_proof,
        ("fcfs.superadditive", "fcfs.pairing"),
    ),
    Claim(
        "fcfs.gaussian",
        "The largest of G normals, for every G",
        "evenkeel",
        "ours",
        "lower",
        "For every G >= 2: sqrt(ln G)/sqrt(pi ln 2) <= E[max of G standard normals] <= "
        "sqrt(2 ln G).  The left side is an equality at G = 2 and nowhere else; the ratio of the "
        "middle to sqrt(ln G) tends to sqrt(2), slowly: it is 1.11 at G = 32, 1.20 at G = 256, "
        "rounded to two digits.",
        (),
        "Rigorous integration for every G up to 100 and powers of two beyond, and for all G >= 100 "
        "the inequality of the proof; one G outside the two sides refutes it.",
        proofs.gaussian_formula,
        proofs.gaussian_proof,
    ),
    Claim(
        "fcfs.constant",
        "The largest constant for all numbers of workers",
        "evenkeel",
        "ours",
        "limit",
        "For any law with sigma > 0 and finite third moment, c(G,B) = E[Imb(FCFS)] / "
        "(G sigma sqrt(B ln G)) tends, as B grows, to E[max of G normals]/sqrt(ln G) >= "
        f"1/sqrt(pi ln 2); so 1/sqrt(pi ln 2), {FCFS_TEXT} rounded down, is the largest c that is "
        "valid for every G >= 2 in the limit of large B, and it is attained at G = 2.",
        EXPECTATION,
        "Exact c(2, B, law) along growing B converges to the constant, and c(G, B) at the "
        "largest B lies above it for G > 2; a limit that differs beyond the Berry-Esseen "
        "distance refutes it.",
        proofs.constant_formula,
        proofs.constant_proof,
        ("fcfs.exact", "fcfs.gaussian"),
    ),
    Claim(
        "fcfs.constant-uniform",
        "One constant for every law, G and B",
        "Theorems 1 and 2 read without their asymptotics",
        "v1, v2",
        "lower",
        "There is one c > 0 such that E[Imb(FCFS)] >= c G sigma sqrt(B ln G) for all laws on "
        "bounded sizes, all G >= 2 and all B >= 1.  False: c must depend on the law, or on how "
        "large B is for it.",
        EXPECTATION,
        "Two families with c(G, B, law) -> 0: a rare large size, where at G = 2, B = 1 exactly "
        "c = sqrt(q(1-q)/ln 2); and a fixed B with G growing, as E[max] <= B b.  For any c the "
        "check finds a law of the first family whose exact c is smaller.",
        at_least("E_Imb_FCFS", "c * G * sigma * sqrt(B * log(G))"),
        proofs.constant_uniform_proof,
        ("fcfs.exact",),
        holds=False,
    ),
    Claim(
        "fcfs.stationary",
        "The stationary law, and lengths that share a divisor",
        "evenkeel",
        "ours",
        "limit",
        "Bounded output lengths with greatest common divisor d, calendar drift of period n: from a "
        "cold start the law of a slot's load at steps k = r mod lcm(d, n) tends to that of "
        "s + D_k - D_(k-A) with P(s, A=t) = d P(s, o>t)/E[o] for t = r mod d and 0 for other t.  "
        "For d = 1 and constant drift this is the stationary law of [fcfs.exact].  For d > 1 all "
        "slots keep one phase, and the law averaged over the phases is another: under constant "
        "drift every phase has the same expected imbalance, and that of the averaged law is at "
        "least as large, and larger for one size and one length d > 1 under drift 1 and G >= 2.",
        EXPECTATION,
        "The exact law at a late step against the limit, in exact rationals, and the late half of "
        "seeded runs with sizes that depend on the lengths and a calendar drift, whose mean must "
        "have the exact one within its interval; a difference beyond 10^-9, or a mean outside, "
        "refutes it, and so do enclosures of phases that are apart under constant drift, one "
        "of the averaged law below them, or another value than (d^2-1)/(3d) for one size and one "
        "length d at G = 2, B = 1.",
        moment_proofs.stationary_formula,
        moment_proofs.stationary_proof,
        ("fcfs.exact",),
    ),
    Claim(
        "fcfs.moments",
        "Spread of the imbalance and idle share of a step",
        *OURS,
        "equality",
        "With M = max L, S = sum L, m_j(y) = E[L^j; L <= y] and F = m_0: P(M<=y) = F^G, E[S; "
        "M<=y] = G m_1 F^(G-1) and E[S^2; M<=y] = G m_2 F^(G-1) + G (G-1) m_1^2 F^(G-2); so "
        "E[Imb^2] and the expected idle share E[Imb/(G M)] of a step are sums over y.  The "
        "long-run idle share E[Imb]/(G E[M]) weighs steps by their duration (without overhead, C "
        "= 0) and is another number.",
        EXPECTATION,
        "Every outcome of tiny systems in exact rationals, then seeded runs of the engine, whose "
        "mean squared imbalance and mean idle share must have the exact ones within their "
        "intervals; any difference in the first, or a value outside, refutes it.",
        moment_proofs.moments_formula,
        moment_proofs.moments_proof,
        ("fcfs.exact",),
    ),
    Claim(
        "fcfs.constant-of-law",
        "The largest constant of one law in a region",
        *OURS,
        "lower",
        "For a given law, the largest c with E[Imb(FCFS)] >= c G sigma sqrt(B ln G) for all "
        "2 <= G <= 256 and 1 <= B <= 256 lies in [0.420, 0.431] for fair sizes 1 or 2, in "
        "[0.569, 0.578] for sizes uniform on 1..4 and in [0.119, 0.120] for size 2 with "
        "probability 0.01, else 1; with B >= sqrt(G), the paper's regime, in [0.624, 0.638], "
        f"[0.663, 0.677] and [0.167, 0.168]: all below the {FCFS_TEXT} of [fcfs.constant], which "
        "holds only where B is large for the law.",
        EXPECTATION,
        "Branch and bound over the region with exact enclosures and the monotonicity of "
        "E[max] - mean in G and B; an enclosure outside a stated range, or a sampled point (or the "
        "minimiser found) below the constant, refutes it.",
        moment_proofs.constant_of_law_formula,
        moment_proofs.constant_of_law_proof,
        ("fcfs.exact", "fcfs.constant"),
    ),
    Claim(
        "fcfs.effective-constant",
        "The effective constant at the paper's scale",
        "evenkeel",
        "ours",
        "empirical",
        "At B = 72 and equal lengths, for symmetric size laws (uniform, fair two-point) c(G, B) "
        "lies in [1.10, 1.12] at G = 32 and in [1.18, 1.20] at G = 256, just below the normal "
        "limits 1.112 and 1.2005.  Skewness to the right raises it: with geometric lengths of "
        "mean 100 it is in [1.17, 1.18] and [1.30, 1.31].",
        EXPECTATION,
        "The exact enclosure of c for each law; one outside the stated range refutes it.",
        requires=("fcfs.exact",),
    ),
    Claim(
        "fcfs.berry-esseen-share",
        "How much of the exact value the explicit bound captures",
        "evenkeel",
        "ours",
        "empirical",
        "For sizes uniform on 1..100, at B = 72, the Berry-Esseen bound captures of the exact "
        "value 31 to 33 % at G = 2 and 62 to 65 % at G = 32 for equal lengths, 12 to 13 % and 49 "
        "to 51 % for geometric lengths of mean 100.  For a rare large size (100 with q = 0.01, "
        "else 1) it says nothing (is negative) at G = 2 and captures less than 6 % at G = 32.",
        EXPECTATION,
        "Bound over exact enclosure at each point; one outside the stated range refutes it.",
        requires=("fcfs.lower",),
    ),
    Claim(
        "fcfs.worst-case",
        "Worst arrival order after a full refill",
        *OURS,
        "equality",
        "Full refill from a pool of at least G B requests with sizes in [a, b]: the largest "
        "imbalance of FCFS is (G-1) B (b-a), attained when the first worker is sent all the b's. "
        "That of BF-IO is (G-1)(b-a) [step.full-refill-tight], both with a pool of exactly G B, so "
        "the first is B times the second.",
        REFILL,
        "All arrival orders of a finite domain by enumeration, and the extremal order run "
        "through the engine under FCFS and BF-IO; a larger imbalance, or a supremum not "
        "attained, refutes it.",
        proofs.worst_case_formula,
        proofs.worst_case_proof,
        ("step.full-refill-gap", "step.full-refill-tight"),
        coq=Theorem("fcfs_worst_case", "Refill.v"),
    ),
    Claim(
        "fcfs.vertex",
        "The worst sizes are the extreme ones",
        *OURS,
        "equality",
        "For a backlog with fixed output lengths and order the total imbalance of FCFS is a convex "
        "function of the sizes, so its maximum over sizes in [a, b]^N is attained with every "
        "size in {a, b}.  With timed arrivals it is not [fcfs.vertex-timed].",
        (
            Assumption.BACKLOG,
            Assumption.BOUNDED_SIZES,
            Assumption.COMMON_DRIFT,
            Assumption.STICKY,
        ),
        "Every size vector and every vector of output lengths of a finite domain: the maximum "
        "over all equals the maximum over the vertices.  A larger interior value refutes it.  "
        "(Under BF-IO interior sizes can be worse; that is planted.)",
        equal("max_Imb_box", "max_Imb_vertices"),
        proofs.vertex_proof,
    ),
    Claim(
        "fcfs.vertex-timed",
        "The worst sizes are the extreme ones, with timed arrivals too",
        "evenkeel",
        "ours",
        "equality",
        "For fixed output lengths and fixed arrival times the maximum of the total imbalance of "
        "FCFS over sizes in [a, b]^N is attained with every size in {a, b}.  False: the sizes set "
        "when a step ends, and so who has arrived by the next.  G = 2, B = 1, drift 1, C = 0 and "
        "t_l = 1, lengths (1, 2, 1), arrivals 0, 1.5, 4.5, sizes in [1, 3]: (2, 2, 3) gives 10, "
        "the best vertex (3, 3, 1) gives 9.",
        (Assumption.BOUNDED_SIZES, Assumption.COMMON_DRIFT, Assumption.STICKY),
        "Every size vector of that instance in [1, 3]^3, run through the engine; a larger interior "
        "value refutes it.",
        equal("max_Imb_box", "max_Imb_vertices"),
        proofs.vertex_timed_disproof,
        ("fcfs.vertex",),
        holds=False,
    ),
)
