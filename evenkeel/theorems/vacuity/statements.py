"""The non-vacuity map: the smallest ``B`` at which each theorem says more than nothing.

Theorems 1 to 3 bound the improvement ratio below by a quotient: ``c G sigma sqrt(B ln G)`` of FCFS
over a bound ``(G-1) w`` of BF-IO.  It says more than "ratio >= 1" exactly when
``B > ((G-1) w / (c G sigma))^2 / ln G``.  Theorem 4's saving is positive exactly when the ratio
exceeds ``D / P_idle``.  A theorem is silent below its line, and right or wrong above it: whether
BF-IO keeps to its bound there is another question [threshold.frontier].
"""

from evenkeel.theorems.registry import Assumption, Claim
from evenkeel.theorems.vacuity import proofs
from theory.formulas.constants import FCFS_TEXT

OVERLOADED = (Assumption.OVERLOADED, Assumption.IID, Assumption.BOUNDED_SIZES)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "vacuity.edge",
        "The non-vacuity map in closed form",
        "evenkeel",
        "ours",
        "equality",
        "For G >= 2 and sigma, w, c, r > 0 the square of T / r, T = c G sigma sqrt(B ln G) / "
        "((G-1) w) a bound of the improvement ratio, is B over B_1 = ((G-1) r w / (c G sigma))^2 / "
        "ln G: T exceeds r exactly when B > B_1.  Theorem 1 has w = s_max and sigma = sigma_s; "
        "in the form of the paper [geometric.bfio-upper-range] Theorem 2 has w = s_max/p and "
        "sigma^2 = sigma_s^2 + (1-p)/p^2, Theorem 3, for every drift of at most delta, w = s_max + "
        "delta/p and sigma = sigma_s; r = 1, and Theorem 4 promises a saving exactly above r = "
        "D/P_idle (P_idle > 0).",
        OVERLOADED,
        "The closed form against a search over B with the theorems' ratios as they are computed "
        "elsewhere, for laws and for the recorded moments of eight traces; a disagreement "
        "refutes it.",
        proofs.edge_formula,
        proofs.edge_proof,
        ("warmup.vacuity", "geometric.vacuity"),
    ),
    Claim(
        "vacuity.certified",
        "Where Theorem 1 speaks with a certificate, on real traces",
        "evenkeel",
        "ours",
        "equality",
        "With prompt lengths drawn from a public trace, equal output lengths and G = 32, the "
        "certified ratio E[Imb(FCFS)]/((G-1)(b-a)) exceeds 1 from B = 3 (Azure code), 30 (Azure "
        "conversation), 9 (Mooncake conversation), 17 (Mooncake synthetic) and 6 (arXiv "
        "summaries) on, and is not known to exceed it at any smaller B.  The form with the "
        f"constant for all G, c = {FCFS_TEXT}, needs 9, 95, 38, 64 and 11.",
        (Assumption.EQUAL_LENGTHS, *OVERLOADED),
        "Enclosures from histograms of the traces, with a proved error of the cells, at every B "
        "from 1 on, and the closed form; exact laws likewise.  A number that differs refutes it.  "
        "That the ratio itself stays above 1 is argued: E[max L] - B E[X] does not fall with B.",
        proofs.certified_formula,
        proofs.certified_proof,
        ("warmup.iir", "fcfs.constant-of-law"),
    ),
    Claim(
        "vacuity.theorem-2",
        "Where Theorem 2 says more than nothing on eight traces and samples",
        "evenkeel",
        "ours",
        "empirical",
        "With the moments of five public traces and the paper's three samples, p = 1/mean output "
        f"and c = {FCFS_TEXT}, the paper's form of Theorem 2 at G = 32 exceeds 1 only from B = "
        "6,509 (Azure code) to B = 4,414,194 (Mooncake conversation) on: s_max/p in "
        "its bound of BF-IO is hundreds of times the s_max of Theorem 1.",
        (Assumption.GEOMETRIC_LENGTHS, *OVERLOADED),
        "A search over B for each trace; a smallest or largest edge that differs refutes it.",
        requires=("vacuity.edge",),
    ),
    Claim(
        "vacuity.energy",
        "How much Theorems 1 and 4 promise together",
        "evenkeel",
        "ours",
        "upper",
        "With a certified ratio alpha and the baseline's exact eta the sharp floor promises a "
        "saving exactly when alpha > D/P_idle = 1.9 (100 W, 400 W, gamma 0.7), and at most "
        "eta P_idle/P_max.  As eta vanishes where alpha grows, the promise has a largest value "
        "over B: at G = 32, over powers of two, 3.78 % with the prompts of Azure code (B = 32), "
        "2.55 % with Mooncake conversation (B = 128), less on the other public traces.",
        (Assumption.EQUAL_LENGTHS, Assumption.POWER_LAW, Assumption.NO_OVERHEAD, *OVERLOADED),
        "Rigorous lower ends at powers of two up to B = 512 (128 at the smallest budget), the "
        "promise computed again from the two sides of the energy sandwich, and its sign against "
        "the ratio; a promise that differs from the stated ones, or has the wrong sign, refutes "
        "it.",
        proofs.energy_formula,
        proofs.energy_proof,
        ("vacuity.certified", "energy.saving-sharp"),
    ),
)
