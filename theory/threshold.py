"""Claims of the family ``threshold``: where BF-IO has the authority to balance, and where not.

Geometric(``p``) output lengths, constant drift 1, sizes in ``[a, b]``, ``d = b - a``.  After a
perfectly balanced step each worker's requests have loads ``w`` (growth included) of the same
sum; each departs with probability ``p``.  ``X_g`` and ``Y_g`` are the sums of ``w - b`` and of
``w - a`` over the requests that depart on worker ``g``: what its refill must at least, and can at
most, fall behind.  Balance can be perfect again iff ``max X <= min Y``.  The numbers are in
:mod:`theory.authority`.
"""

from theory import threshold_proofs as proofs
from theory.claims import Assumption, Claim
from theory.relations import at_most, equal

OURS = ("evenkeel", "ours")

# The bound of [threshold.stationary].
LOST = (
    "G * B * (1 - p)**n + G * exp(-B * theta**2 * m_1 / (2 * (d + n)**2 * (1 + theta / 3)))"
    " + G * exp(-B * theta**2 * m_2 / (2 * (d + n)**2 * (1 + theta / 3)))"
    " + G * (G - 1) * exp(-t**2 / (2 * (V + R * t / 3)))"
)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "threshold.rich",
        "When the step after a balanced one can be balanced",
        *OURS,
        "equality",
        "Rich pool, common drift.  After a perfectly balanced step the next optimal step is "
        "perfectly balanced iff max_g sum_departed (w - b) <= min_g sum_departed (w - a), sums "
        "over the requests that departed on worker g, w their loads with the growth of the step "
        "included.",
        (Assumption.RICH_POOL, Assumption.COMMON_DRIFT, Assumption.EXACT_STEP),
        "Every departure pattern of small balanced systems against the enumerated optimum; one "
        "disagreement refutes it.",
        proofs.rich_formula,
        proofs.rich_proof,
        ("step.waterfill",),
    ),
    Claim(
        "threshold.cost",
        "What is lost when balance is out of reach",
        *OURS,
        "upper",
        "Rich pool.  With v = (max_g (l_g + c_g a) - min_g (l_g + c_g b))^+, which is 0 iff "
        "balance can be perfect, the optimal imbalance lies in [v, (G-1) v]; both ends are "
        "attained.",
        (Assumption.RICH_POOL, Assumption.BOUNDED_SIZES, Assumption.EXACT_STEP),
        "All loads and free slots of a finite domain; an optimum outside refutes it.",
        proofs.cost_formula,
        proofs.cost_proof,
        ("step.waterfill",),
    ),
    Claim(
        "threshold.replacement",
        "Balance is kept for free while departing loads are admissible sizes",
        *OURS,
        "equality",
        "Rich pool.  If every request that departs has a load w <= b, growth included, the next "
        "optimal step is perfectly balanced again, whatever the numbers of departures: only "
        "requests older than b - s can break perfect balance.",
        (Assumption.RICH_POOL, Assumption.COMMON_DRIFT, Assumption.EXACT_STEP),
        "Every departure pattern of small balanced systems with loads in [a, b]; a positive "
        "optimal imbalance refutes it.",
        equal("Imb", "0"),
        proofs.replacement_proof,
        ("threshold.rich",),
    ),
    Claim(
        "threshold.sufficient",
        "A sufficient condition for one-step balance, with its constant",
        *OURS,
        "upper",
        "Rich pool, each request departs with probability p.  From a balanced state with loads w "
        ">= a the next optimal step fails to be balanced with probability at most G (G-1) "
        "exp(-t^2 / (2 (V + R t / 3))), t = B p (b-a), V = p (1-p) (max_g sum (w-b)^2 + max_g sum "
        "(w-a)^2), R >= every (1-p)(w-b), p(b-w), p(w-a).  With m the mean of the two largest "
        "mean squares it is at most eps once B p (b-a)^2 >= (8 (1-p) m + (4/3) R (b-a)) (ln G + "
        "ln(1/eps) / 2): the constant is 8.",
        (
            Assumption.RICH_POOL,
            Assumption.GEOMETRIC_LENGTHS,
            Assumption.COMMON_DRIFT,
            Assumption.EXACT_STEP,
        ),
        "The exact probability of failure, by convolution, for a family of states; a probability "
        "above the bound refutes it.",
        proofs.sufficient_formula,
        proofs.sufficient_proof,
        ("threshold.rich",),
    ),
    Claim(
        "threshold.stationary",
        "Above an explicit frontier balance persists with high probability",
        *OURS,
        "upper",
        "Rich pool, overloaded, geometric(p) lengths, drift 1, d = b - a.  At every step, whatever "
        "the policy did before, the probability that a step is perfectly balanced and the next "
        "cannot be is at most G B (1-p)^n + sum_i G exp(-B theta^2 m_i / (2 (d+n)^2 (1 + "
        "theta/3))) + G (G-1) exp(-t^2 / (2 (V + R t / 3))) for all n >= 1, theta > 0, with m_1 = "
        "E(d+A)^2, m_2 = E max(A,d)^2, A geometric(p) from 1, t = B p d, V = p (1-p) B (1+theta) "
        "(m_1 + m_2), R = max((1-p) n, p (d+n)).",
        (
            Assumption.RICH_POOL,
            Assumption.OVERLOADED,
            Assumption.GEOMETRIC_LENGTHS,
            Assumption.CONSTANT_DRIFT,
            Assumption.EXACT_STEP,
        ),
        "Frequency of the event over balanced states with stationary ages, with a confidence "
        "interval; an interval above the bound refutes it.",
        at_most("P_lost", LOST),
        proofs.stationary_proof,
        ("threshold.sufficient",),
    ),
    Claim(
        "threshold.frontier",
        "The measured frontier has the shape of the sufficient one",
        *OURS,
        "order",
        "From balanced states with stationary ages, 4 <= G <= 64, p d <= 1, B p >= 1 and m the "
        "mean square of [threshold.sufficient], the next step fails to be balanced more often than "
        "not if B p d^2 <= m ln G, and less often than not if B p d^2 >= 8 m ln G.",
        (
            Assumption.RICH_POOL,
            Assumption.GEOMETRIC_LENGTHS,
            Assumption.CONSTANT_DRIFT,
            Assumption.EXACT_STEP,
        ),
        "Frequencies with confidence intervals at the slots on both sides of the frontier, over "
        "several (G, p, d); an interval on the wrong side of 1/2 refutes it.",
        None,
        None,
        ("threshold.sufficient",),
    ),
    Claim(
        "threshold.phase",
        "The improvement needs control authority",
        *OURS,
        "empirical",
        "Sizes 1..100 (FCFS: uniform), G = 64, rich pool, long after a cold start.  p = 0.05: at B "
        "= 256 the imbalance of BF-IO is 0 at every step from the start; at B = 64 it is 1.3 "
        "times (G-1) s_max and IIR is 5; at B = 16 IIR is 2.  p = 0.01, B = 256: 24 times (G-1) "
        "s_max, IIR 1.7.  The numbers are those of theory.md, to within a third.",
        (
            Assumption.RICH_POOL,
            Assumption.OVERLOADED,
            Assumption.GEOMETRIC_LENGTHS,
            Assumption.CONSTANT_DRIFT,
            Assumption.EXACT_STEP,
        ),
        "Runs by exact water-filling, FCFS by its exact expectation; a value below 3/4 or above "
        "4/3 of its number refutes it.",
        None,
        None,
        ("step.waterfill",),
    ),
    Claim(
        "threshold.ratchet",
        "Below the threshold BF-IO admits the largest requests",
        *OURS,
        "empirical",
        "Sizes 1..100, G = 64, rich pool, p = 0.05.  Below the threshold (B = 16, 64) the oldest "
        "worker sets a level that the others reach for with the largest sizes: the mean load of "
        "an active request rises above s_max = 100, against 69.5 under FCFS with uniform sizes.  "
        "Above it (B = 256) it stays below 100.",
        (
            Assumption.RICH_POOL,
            Assumption.OVERLOADED,
            Assumption.GEOMETRIC_LENGTHS,
            Assumption.CONSTANT_DRIFT,
            Assumption.EXACT_STEP,
        ),
        "Mean loads of the runs of [threshold.phase]; one on the wrong side of s_max refutes it.",
        None,
        None,
        ("threshold.phase",),
    ),
    Claim(
        "threshold.any-policy",
        "An imbalance that no online policy can avoid",
        *OURS,
        "lower",
        "Overloaded, geometric(p) lengths, drift 1.  At each step every sticky, work-conserving "
        "policy has Imb >= G max_g A_g - sum_g A_g - (G-1) B (b-a), A_g the sum of the ages on "
        "worker g; and for every online policy the A_g are iid with a law that no decision "
        "changes.  So E[Imb] >= E[Imb of FCFS with equal sizes] - (G-1) B (b-a), which grows like "
        "G (E_G sqrt(B (1-p)) / p - B (b-a)), E_G the mean maximum of G normals.",
        (
            Assumption.OVERLOADED,
            Assumption.WORK_CONSERVING,
            Assumption.STICKY,
            Assumption.GEOMETRIC_LENGTHS,
            Assumption.CONSTANT_DRIFT,
            Assumption.BOUNDED_SIZES,
        ),
        "The pathwise bound at every step of runs of several policies, and the law of the ages "
        "against their exact expectation; a step below the bound, or a mean outside its interval, "
        "refutes it.",
        proofs.any_policy_formula,
        proofs.any_policy_proof,
        ("step.waterfill",),
    ),
    Claim(
        "threshold.t2-static",
        "BF-IO's side of Theorem 2 holds for all (G, B) with a moderate constant",
        "paper, Theorem 2 as reconstructed",
        "v1, v2",
        "upper",
        "E[Imb(BF-IO)] <= 10 (G-1) s_max / p for all G, B, p and sizes in [a, s_max].  False, for "
        "any constant: with B near E_G^2 (1-p) / (4 p^2 d^2) every online policy has E[Imb] of "
        "the order of G E_G^2 / (4 p^2 d), which exceeds (G-1) s_max / p by a factor of the order "
        "of ln G / (2 p d s_max).",
        (
            Assumption.OVERLOADED,
            Assumption.WORK_CONSERVING,
            Assumption.STICKY,
            Assumption.GEOMETRIC_LENGTHS,
            Assumption.CONSTANT_DRIFT,
            Assumption.BOUNDED_SIZES,
        ),
        "The rigorous lower bound of [threshold.any-policy] at one (G, B, p, a, b); above the "
        "claimed side it refutes it.",
        at_most("E_Imb_BFIO", "10 * (G - 1) * s_max / p"),
        proofs.t2_static_proof,
        ("threshold.any-policy",),
        recovered=False,
        holds=False,
    ),
    Claim(
        "threshold.t2-myopic",
        "A myopic step from perfect balance costs at most (G-1) s_max / p",
        "paper, Theorem 2 as reconstructed",
        "v1, v2",
        "upper",
        "From a perfectly balanced state with stationary ages and with a rich pool, one optimal "
        "step has an expected imbalance of at most (G-1) s_max / p.  False for B of the order of "
        "ln G / (p^3 d^2), where the sizes could hold the balance but one step's departures "
        "exceed its authority B p d.",
        (
            Assumption.RICH_POOL,
            Assumption.GEOMETRIC_LENGTHS,
            Assumption.CONSTANT_DRIFT,
            Assumption.MYOPIC,
            Assumption.EXACT_STEP,
        ),
        "Mean over independent balanced states with a confidence interval; an interval above the "
        "claimed side refutes it, with one state and its departures as witness.",
        at_most("E_Imb_BFIO", "(G - 1) * s_max / p"),
        None,
        ("threshold.rich",),
        recovered=False,
        holds=False,
    ),
)
