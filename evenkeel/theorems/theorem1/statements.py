"""Claims of the family ``warmup``: Theorem 1, equal output lengths.

All requests of a round depart together, so every admission is a full refill and the loads of a
round differ by the sizes alone; growth is the same for all.
"""

from evenkeel.theorems.registry import Assumption, Claim
from evenkeel.theorems.theorem1 import proofs
from theory.formulas.constants import FCFS_TEXT

PAPER = ("paper, Theorem 1", "v1, v2")
HYPOTHESES = (
    Assumption.OVERLOADED,
    Assumption.EQUAL_LENGTHS,
    Assumption.IID,
    Assumption.BOUNDED_SIZES,
    Assumption.COMMON_DRIFT,
    Assumption.STICKY,
    Assumption.MYOPIC,
)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "warmup.fcfs-lower",
        "FCFS side of Theorem 1",
        *PAPER,
        "lower",
        "Sizes with sigma_s > 0 and kurtosis kappa, G >= 2, B >= k = floor(log2 G), n = "
        "floor(B/k): in every round E[Imb(FCFS)] is the exact value of [fcfs.exact] with X = s, "
        "and so E[AvgImb(FCFS)] >= G k sigma_s sqrt(n / (6 + (kappa-3)/n)) [fcfs.log-growth].  "
        "This is the paper's c G sigma_s sqrt(B log G) with c = 2/(3 sqrt(ln 2 (3 + max(3, "
        "kappa)))).  The paper's own c is not known; it cannot exceed 1/sqrt(pi ln 2) for all G "
        "[fcfs.constant], and none is valid for all laws and B [fcfs.constant-uniform].",
        HYPOTHESES,
        "Mean imbalance of many rounds of simulated FCFS against the exact value, within its "
        "interval, and the bound against the exact value of a fair coin at G = 2, B = 1, which "
        "attains it; a mean outside, or a bound above, refutes it.",
        proofs.fcfs_lower_formula,
        proofs.fcfs_lower_proof,
        ("fcfs.exact", "fcfs.log-growth"),
    ),
    Claim(
        "warmup.bfio-upper",
        "BF-IO side of Theorem 1",
        *PAPER,
        "upper",
        "In every round, for every sequence of sizes in [a, b] and every pool of at least G B "
        "requests, Imb(BF-IO) <= (G-1)(b-a) <= (G-1) s_max: deterministic, and constant through "
        "the round because all requests grow alike.  A pool of exactly G B attains it, one b and "
        "GB-1 a's; inside the paper's pool condition, which leaves a spare request, it is not "
        "attained at G = 2 [warmup.spare-request], and the least bound there is not known.",
        (*HYPOTHESES, Assumption.EXACT_STEP),
        "Every step of the overloaded part of simulated rounds, extremal rounds among them; a "
        "step above the bound whose optimality is certified refutes it.",
        proofs.bfio_upper_formula,
        proofs.bfio_upper_proof,
        ("step.full-refill-gap", "step.full-refill-tight"),
    ),
    Claim(
        "warmup.spare-request",
        "One spare request halves the worst round of two workers",
        "evenkeel",
        "ours",
        "upper",
        "G = 2, full refill, at least 2B+1 waiting requests with sizes in [a, b]: the optimum has "
        "max - min <= (b-a)/2, attained at B = 1 by sizes a, (a+b)/2, b.  The paper's pool "
        "condition always leaves a spare request, so the worst case of (G-1)(b-a) lies outside "
        "its own overloaded class at G = 2.",
        (Assumption.FULL_REFILL, Assumption.BOUNDED_SIZES, Assumption.EXACT_STEP),
        "Every pool of a finite domain, solved by enumeration: none above (b-a)/2 with a spare "
        "request, and one at b-a without; a pool above refutes it.",
        proofs.spare_request_formula,
        proofs.spare_request_proof,
        ("warmup.bfio-upper",),
    ),
    Claim(
        "warmup.iir",
        "Theorem 1 as a number with a certificate",
        "paper, Theorem 1 (order); number: evenkeel",
        "v1, v2",
        "lower",
        "For G >= 2 and sizes that vary on [a, b], IIR >= E[Imb(FCFS)]/((G-1)(b-a)), the exact "
        "expectation over the deterministic bound (IIR is infinite where BF-IO leaves nothing): a "
        "certified number for every (G, B, law).  It implies IIR >= c kappa0 sqrt(B log G) "
        "G/(G-1) with the effective c of that (G, B, law) [fcfs.effective-constant].",
        (*HYPOTHESES, Assumption.EXACT_STEP),
        "Simulated FCFS must have the certificate times (G-1)(b-a) within its interval, the "
        "extremal round must leave exactly (G-1)(b-a) under BF-IO, and the ratio of means over "
        "paired rounds of iid sizes must not lie below the certificate; any of the three failing "
        "beyond its interval refutes it.",
        proofs.iir_formula,
        proofs.iir_proof,
        ("warmup.fcfs-lower", "warmup.bfio-upper"),
    ),
    Claim(
        "warmup.vacuity",
        "Where Theorem 1 says nothing",
        "evenkeel",
        "ours",
        "equality",
        "With G >= 2, x = ln G, g = G/(G-1) and a constant c, Theorem 1's c kappa0 sqrt(B x) g "
        "is sqrt(B / B_0) with B_0 = 1/((c kappa0 g)^2 x): it says more than IIR >= 1 exactly when "
        "B > B_0.  At G = 32, B = 72 and c = 1 it does so at kappa0 = 0.0614 and not at 0.0613, so "
        "it says nothing for the paper's BurstGPT sample (0.0356) and something for its LongBench "
        f"sample (0.108); with c = {FCFS_TEXT}, rounded down from the largest for all G "
        "[fcfs.constant], it does so at 0.0906 and not at 0.0905.",
        (Assumption.EQUAL_LENGTHS, Assumption.OVERLOADED),
        "The closed form against a search over B for a grid of (G, kappa0, c), and the "
        "thresholds of kappa0; a disagreement refutes it.",
        proofs.vacuity_formula,
        proofs.vacuity_proof,
        ("warmup.iir", "fcfs.constant"),
    ),
)
