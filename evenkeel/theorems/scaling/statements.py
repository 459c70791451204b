"""Claims of the family ``scaling``: how imbalance and IIR grow with ``B`` and ``G``."""

from fractions import Fraction

from evenkeel.theorems.registry import Assumption, Claim
from evenkeel.theorems.scaling import proofs
from theory.formulas.constants import FCFS_TEXT
from theory.relations import at_least, at_most, both, equal

FCFS = (Assumption.OVERLOADED, Assumption.IID, Assumption.COMMON_DRIFT, Assumption.STICKY)
BFIO = (
    *FCFS,
    Assumption.GEOMETRIC_LENGTHS,
    Assumption.BOUNDED_SIZES,
    Assumption.MYOPIC,
    Assumption.POOL_CONDITION,
    Assumption.EXACT_STEP,
)
OURS = ("evenkeel", "ours")
REFILL = (Assumption.FULL_REFILL, Assumption.EQUAL_LENGTHS, Assumption.IID, Assumption.EXACT_STEP)


# Stated of the fitted exponent of [scaling.iir-frontier-exponent]: the value, and up to what.
EDGE_EXPONENT, EDGE_BAND = Fraction(27, 25), Fraction(3, 20)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "scaling.fcfs-slots",
        "FCFS grows like the square root of B",
        "paper, Theorems 1 to 3 (order)",
        "v1, v2",
        "limit",
        "For each law with sigma > 0 and finite third moment and each G >= 2, the local exponent "
        "of E[Imb(FCFS)] in B, log_4 of its growth from B to 4B, tends to 1/2 as B grows.  From B "
        "= 256 to 1024 it is within 0.01 of 1/2 at G = 2 and 32, for sizes uniform on 1..100 with "
        "equal or geometric lengths (p = 0.05).",
        FCFS,
        "Exact enclosures at B = 256 and 1024 (more G, and 4096, at the larger budgets); an "
        "exponent outside the stated range refutes it.",
        proofs.fcfs_slots_formula,
        proofs.fcfs_slots_proof,
        ("fcfs.exact",),
    ),
    Claim(
        "scaling.fcfs-workers",
        "FCFS grows like G E_max(G), not yet like G sqrt(log G)",
        "paper, Theorems 1 to 3 (order), sharpened",
        "ours",
        "limit",
        "E[Imb(FCFS)] / (G sigma sqrt(B)) tends with B to E_max(G), the mean maximum of G "
        "normals: at B = 1024, sizes uniform on 1..100, it is within 0.1 % of it for the ten "
        "powers of two G = 2, 4, ..., 1024.  Its ratio to sqrt(ln G) rises 1.82 times over these "
        "G, from "
        f"E_max(2)/sqrt(ln 2) = {FCFS_TEXT}.. [fcfs.constant] towards the limit sqrt(2), slowly.",
        FCFS,
        "Exact enclosures at these ten G; a deviation above 0.1 %, or a rise that is not 1.82 to "
        "two decimals, refutes it.",
        proofs.fcfs_workers_formula,
        proofs.fcfs_workers_proof,
        ("fcfs.exact", "fcfs.gaussian"),
    ),
    Claim(
        "scaling.two-size-refill",
        "BF-IO's imbalance in a refill of two sizes, in closed form",
        *OURS,
        "equality",
        "Full refill from a pool of exactly G B requests of size a or b: the optimum is (b-a) "
        "(-N mod G), N the number of b's.  At equal odds its mean is (b-a) ((G-1)/2 - (1/2) "
        "sum_(j<G) (-1)^(jB) cos(pi j/G)^(GB)), which does not grow with B.",
        REFILL,
        "Every number of b's on small systems against the lexicographic optimum, and the mean "
        "against the closed form; one difference refutes it.",
        proofs.two_size_refill_formula,
        proofs.two_size_refill_proof,
        ("step.full-refill-tight",),
    ),
    Claim(
        "scaling.iir-refill",
        "A family whose IIR has exactly the order of Theorem 1",
        *OURS,
        "limit",
        "In full refills of G B requests of size a or b at equal odds IIR / (sqrt(B) E_max(G) "
        "G/(G-1)) tends to 1 with B.  At B = 1024 it is within 0.1 % of 1 for the ten powers of "
        "two G = 2, 4, ..., 1024; the local exponent in B, from 256 to 512 and from 512 to 1024, "
        "is within 0.001 of 1/2 at G = 2 and 32: the order of Theorem 1 cannot be raised, in B "
        "or in G, for pools of exactly G B requests, which lie outside the paper's pool "
        "condition.  Of the shapes E_max(G) G/(G-1), constant, sqrt(ln G), sqrt(ln G) G/(G-1) "
        "and ln G, "
        "each with its best constant, only the first fits these ten G within 0.03 %, root mean "
        "square of the logarithms; each other misses by more than 5 %.",
        REFILL,
        "Both expectations as exact enclosures, so no step is solved; limits as in "
        "[scaling.fcfs-slots] and [scaling.fcfs-workers].  A deviation above them refutes it.",
        proofs.iir_refill_formula,
        proofs.iir_refill_proof,
        ("scaling.two-size-refill", "scaling.fcfs-workers"),
    ),
    Claim(
        "scaling.iir-slots",
        "At G = 2 IIR grows at least like the square root of B over B = 1 to 4",
        "paper, Theorems 2 and 3 read without their asymptotics",
        "v1, v2",
        "lower",
        "G = 2, p = 1/4, sizes uniform on 1..100, 12 requests waiting, drift 0 and drift 1: the "
        "exponent of IIR in B, by least squares over B = 1, 2, 3, 4, is at least 1/2.",
        BFIO,
        "Exact FCFS over replicated runs of BF-IO with lexicographic steps, so the number does not "
        "depend on which optimal step is taken.  G, B and the pool are small enough to try all "
        "assignments, and the sizes are wide enough for the pool condition to hold throughout.  "
        "An exponent whose interval lies below 1/2 refutes it; constant, sqrt(B), B and B^(3/2) "
        "are its rivals, and the verdict names those outside the interval.",
        formula=at_least("exponent", "1/2"),
        requires=("fcfs.exact",),
    ),
    Claim(
        "scaling.iir-slots-half",
        "At G = 2 IIR grows exactly like the square root of B over B = 1 to 4",
        "evenkeel",
        "ours",
        "order",
        "In the systems of [scaling.iir-slots] the exponent of IIR in B is 1/2.",
        BFIO,
        "The same runs; an exponent whose interval does not contain 1/2 refutes it.",
        formula=equal("exponent", "1/2"),
        requires=("scaling.iir-slots",),
        holds=False,
    ),
    Claim(
        "scaling.iir-frontier",
        "At G = 8 IIR grows faster than the square root of B up to the frontier of balance",
        "paper, Theorem 2 and experiment E4",
        "v1, v2",
        "lower",
        "G = 8, p = 0.1, sizes uniform on 1..50, pool 4GB: up to B = m ln G / (p (b-a)^2), below "
        "which balance is lost more often than not [threshold.frontier], the exponent of IIR in "
        "B, by least squares over B = 6, 9, 13, 18, 26, is at least 0.93: more than the 1/2 of "
        "Theorem 2.",
        BFIO[:-1],
        "Exact FCFS over replicated runs of BF-IO at each, every step with a certified gap; an "
        "exponent whose interval lies below 0.93 refutes it.",
        formula=at_least("exponent", "93/100"),
        requires=("fcfs.exact", "threshold.frontier"),
    ),
    Claim(
        "scaling.iir-frontier-exponent",
        "At G = 8 the exponent of IIR in B up to the frontier",
        "evenkeel",
        "ours",
        "empirical",
        "In the systems of [scaling.iir-frontier] the fitted exponent of IIR in B is 1.08, up to "
        "0.15: not that of a constant, of sqrt(B) or of B^(3/2).",
        BFIO[:-1],
        "The same runs; an exponent whose interval lies outside 0.93..1.23 refutes it.",
        formula=both(at_least("exponent", "93/100"), at_most("exponent", "123/100")),
        requires=("scaling.iir-frontier",),
    ),
    Claim(
        "scaling.iir-workers",
        "At B = 1 IIR grows at least like E_max(G) G/(G-1) from G = 2 to 5",
        "paper, Theorem 2 and experiment E4; sharpened from sqrt(log G)",
        "v1, v2",
        "order",
        "B = 1, p = 1/4, sizes uniform on 1..100, 10 requests waiting, drift 1: the exponent of "
        "IIR in G, by least squares over G = 2, 3, 4, 5, is at least that of E_max(G) G/(G-1), "
        "which is 0.28.",
        BFIO,
        "Exact FCFS over replicated runs of BF-IO with lexicographic steps, in systems "
        "chosen as in [scaling.iir-slots].  An exponent whose interval lies below that of the "
        "shape refutes it; constant, sqrt(ln G), sqrt(ln G) G/(G-1) and ln G are its rivals, and "
        "the verdict names those outside the interval.",
        formula=at_least("exponent", "exponent_E"),
        requires=("fcfs.exact", "threshold.frontier"),
        holds=False,
    ),
    Claim(
        "scaling.iir-workers-frontier",
        "At B = 26 IIR grows at least like E_max(G) G/(G-1) from G = 4 to 16",
        "paper, Theorem 2 and experiment E4; sharpened from sqrt(log G)",
        "v1, v2",
        "order",
        "p = 0.1, sizes uniform on 1..50, pool 4GB, B = 26, which is m ln G / (p (b-a)^2) at G = 8 "
        "[threshold.frontier]: from half to twice these workers the exponent of IIR in G, by least "
        "squares over G = 4, 6, 8, 12, 16, is at least that of E_max(G) G/(G-1), which is 0.23.",
        BFIO[:-1],
        "Exact FCFS over replicated runs of BF-IO at each, every step with a certified gap.  More "
        "workers raise the frontier like ln G; an exponent whose interval lies below that of the "
        "shape refutes it.",
        formula=at_least("exponent", "exponent_E"),
        requires=("fcfs.exact", "threshold.frontier"),
        holds=False,
    ),
)
