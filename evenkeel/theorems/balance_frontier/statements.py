"""Claims of the family ``threshold``: where BF-IO has the authority to balance, and where not.

Geometric(``p``) output lengths, constant drift 1, sizes in ``[a, b]``, ``d = b - a``.  After a
perfectly balanced step each worker's requests have loads ``w`` (growth included) of the same
sum; each departs with probability ``p``.  ``X_g`` and ``Y_g`` are the sums of ``w - b`` and of
``w - a`` over the requests that depart on worker ``g``: what its refill must at least, and can at
most, fall behind.  The next imbalance is ``sum_g (X_g - min Y)^+``, 0 iff ``max X <= min Y``.  The
numbers are in :mod:`theory.formulas.rebalancing`.
"""

from evenkeel.theorems.balance_frontier import proofs
from evenkeel.theorems.registry import Assumption, Claim
from theory.formulas.rebalancing import frontier_in_words
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
        "The imbalance of the step after a balanced one",
        *OURS,
        "equality",
        "Rich pool, common drift, every slot occupied.  After a perfectly balanced step the next "
        "optimal step has Imb = sum_g (X_g - min_h Y_h)^+, X_g the sum of w - b and Y_g that of w "
        "- a over the requests that departed on worker g, w their loads with the growth of the "
        "step included.  So it is perfectly balanced again iff max X <= min Y.",
        (
            Assumption.FULL_SLOTS,
            Assumption.RICH_POOL,
            Assumption.BOUNDED_SIZES,
            Assumption.COMMON_DRIFT,
            Assumption.EXACT_STEP,
        ),
        "Every departure pattern of small balanced systems, the imbalance and the criterion each "
        "against the enumerated optimum; one disagreement refutes it.",
        proofs.rich_formula,
        proofs.rich_proof,
        ("step.waterfill",),
    ),
    Claim(
        "threshold.rich-any-slots",
        "When the step after a balanced one can be balanced, with empty slots",
        *OURS,
        "equality",
        "Rich pool, common drift.  After a perfectly balanced step the next optimal step is "
        "perfectly balanced iff max X <= min Y, whether every slot was occupied or not.  A slot "
        "that was empty must be filled, though nothing departs: G = B = 2, drift 1, sizes in [2, "
        "3], loads {6} and {3, 3}: the criterion compares 0 with 0 and the optimum is 1.  Nor do "
        "[threshold.replacement] and [threshold.sufficient] hold there.",
        (
            Assumption.RICH_POOL,
            Assumption.BOUNDED_SIZES,
            Assumption.COMMON_DRIFT,
            Assumption.EXACT_STEP,
        ),
        "The criterion against the enumerated optimum, for every balanced state with empty slots "
        "and every departure pattern of small systems; one disagreement refutes it.",
        proofs.criterion_formula,
        proofs.any_slots_proof,
        ("threshold.rich",),
        holds=False,
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
        "Rich pool, every slot occupied.  After a perfectly balanced step, if every request that "
        "departs has a load w <= b, growth included, the next optimal step is perfectly balanced "
        "again, whatever the numbers of departures: only requests that have grown by more than b - "
        "s can break perfect balance.",
        (
            Assumption.FULL_SLOTS,
            Assumption.RICH_POOL,
            Assumption.BOUNDED_SIZES,
            Assumption.COMMON_DRIFT,
            Assumption.EXACT_STEP,
        ),
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
        "Rich pool, every slot occupied, each request departs with probability p.  From a "
        "balanced state with loads w >= a the next optimal step fails to be balanced with "
        "probability at most G (G-1) exp(-t^2 / (2 (V + R t / 3))), t = B p (b-a) > 0, V = p "
        "(1-p) (max_g sum (w-b)^2 + max_g sum (w-a)^2), R >= every (1-p)(w-b), p(b-w), p(w-a).  "
        "With m "
        "the mean of the two largest mean squares it is at most eps once B p (b-a)^2 >= (8 (1-p) "
        "m + (4/3) R (b-a)) (ln G + ln(1/eps) / 2): the constant is 8.",
        (
            Assumption.FULL_SLOTS,
            Assumption.RICH_POOL,
            Assumption.GEOMETRIC_LENGTHS,
            Assumption.COMMON_DRIFT,
            Assumption.EXACT_STEP,
        ),
        "The exact probability of failure, by convolution, for a family of states, some far in the "
        "tail, where the constant of the exponent decides; a probability above the bound refutes "
        "it.",
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
        "an online policy did before, the probability that a step is perfectly balanced and the "
        "next cannot be is at most G B (1-p)^n + sum_i G exp(-B theta^2 m_i / (2 (d+n)^2 (1 + "
        "theta/3))) + G (G-1) exp(-t^2 / (2 (V + R t / 3))) for all n >= 1, theta > 0, with m_1 = "
        "E(d+A)^2, m_2 = E max(A,d)^2, A geometric(p) from 1, t = B p d, V = p (1-p) B (1+theta) "
        "(m_1 + m_2), R = max((1-p) n, p (d+n)).",
        (
            Assumption.RICH_POOL,
            Assumption.OVERLOADED,
            Assumption.WORK_CONSERVING,
            Assumption.STICKY,
            Assumption.BOUNDED_SIZES,
            Assumption.GEOMETRIC_LENGTHS,
            Assumption.CONSTANT_DRIFT,
            Assumption.EXACT_STEP,
        ),
        "The two means m_i and the chance of an old request exactly; frequency of the event over "
        "balanced states with stationary ages, with a confidence interval.  A mean that differs, a "
        "chance or an interval above its bound refutes it.",
        at_most("P_lost", LOST),
        proofs.stationary_proof,
        ("threshold.sufficient",),
    ),
    Claim(
        "threshold.frontier",
        "The measured frontier at three systems",
        *OURS,
        "empirical",
        "From balanced states with stationary ages, sizes of width d and the rest of them as level "
        "as possible, the next optimal step fails to be balanced more often than not at the "
        f"smaller and less often than not at the larger number of slots of: {frontier_in_words()}."
        "  With m = (m_1 + m_2)/2 of [threshold.stationary] all of them lie between B p d^2 = m ln "
        "G, here the lower edge, and 2.1 m ln G, and so far below the upper edge 8 m ln G of the "
        "order of [threshold.sufficient].",
        (
            Assumption.FULL_SLOTS,
            Assumption.RICH_POOL,
            Assumption.GEOMETRIC_LENGTHS,
            Assumption.CONSTANT_DRIFT,
            Assumption.EXACT_STEP,
        ),
        "Frequencies with exact confidence intervals at both numbers of slots of each system; an "
        "interval on the wrong side of 1/2 refutes it.",
        None,
        None,
        ("threshold.sufficient",),
    ),
    Claim(
        "threshold.phase",
        "The improvement needs control authority: four systems",
        *OURS,
        "empirical",
        "Sizes 1..100 (FCFS: uniform), G = 64, rich pool, long after a cold start.  p = 0.05: at B "
        "= 256 the imbalance of BF-IO is 0 at every step from the start; at B = 64 it is 1.33 "
        "times (G-1) s_max and IIR is 5.05; at B = 16 IIR is 2.03.  p = 0.01, B = 256: 23.7 times "
        "(G-1) s_max, IIR 1.73.  Each to within an eighth.",
        (
            Assumption.RICH_POOL,
            Assumption.OVERLOADED,
            Assumption.GEOMETRIC_LENGTHS,
            Assumption.CONSTANT_DRIFT,
            Assumption.EXACT_STEP,
        ),
        "Runs by exact water-filling, FCFS by its exact expectation; a mean below 8/9 or above 9/8 "
        "of its number, or a positive imbalance at the first system, refutes it.",
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
        "an active request is 118.9 and 117.1, above s_max = 100, against 69.5 under FCFS with "
        "uniform sizes.  Above it (B = 256) it is 51.2.  Each to within a twentieth.",
        (
            Assumption.RICH_POOL,
            Assumption.OVERLOADED,
            Assumption.GEOMETRIC_LENGTHS,
            Assumption.CONSTANT_DRIFT,
            Assumption.EXACT_STEP,
        ),
        "Mean loads of the runs of [threshold.phase]; one that is off by more than a twentieth "
        "refutes it.",
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
        "changes.  So E[Imb] >= E[Imb of FCFS with equal sizes] - (G-1) B (b-a).",
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
        "BF-IO's side of Theorem 2 for all G and B, with a constant of 10",
        "paper, Theorem 2 as reconstructed",
        "v1, v2",
        "upper",
        "E[Imb(BF-IO)] <= 10 (G-1) s_max / p for all G, B, p and sizes in [a, s_max].  False: at G "
        "= 1024, B = 256, p = 1/10, sizes in {1, 2}, every online policy has more than 13.4 times "
        "(G-1) s_max / p.  And false for any constant: at B = E_G^2 (1-p) / (4 p^2 d^2), E_G the "
        "mean maximum of G normals, the ratio grows beyond all bounds as p falls, like E_G^2 / (4 "
        "p d s_max).",
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
        "step has an expected imbalance of at most (G-1) s_max / p.  False at G = 64, B = 2048, p "
        "= 1/20, d = 3, of the order of B = ln G / (p^3 d^2), where one step's departures exceed "
        "its authority B p d: there it is more than 2.5 times as much.",
        (
            Assumption.FULL_SLOTS,
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
