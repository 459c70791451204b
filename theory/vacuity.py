"""The non-vacuity map: the smallest ``B`` at which each theorem says more than nothing.

Theorems 1 to 3 bound the improvement ratio below by a quotient: ``c G sigma sqrt(B ln G)`` of FCFS
over a bound ``(G-1) w`` of BF-IO.  It says more than "ratio >= 1" exactly when
``B > ((G-1) w / (c G sigma))^2 / ln G``.  Theorem 4's saving is positive exactly when the ratio
exceeds ``D / P_idle``.  A theorem is silent below its line, and right or wrong above it: whether
BF-IO keeps to its bound there is another question [threshold.frontier].
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from flint import arb, ctx

from theory import vacuity_proofs as proofs
from theory.claims import Assumption, Claim
from theory.formulas.constants import FCFS_ROUNDED, FCFS_TEXT
from theory.formulas.energy import Usage, exact, saving_sharp
from theory.laws.fcfs_expectation import (
    PRECISION,
    expected_imbalance,
    from_ball,
    remainder_bound,
    to_ball,
)
from theory.laws.law import Enclosure, Law
from theory.model import InputError
from theory.power import PowerModel
from theory.warmup import first_slots, refill_gap


@dataclass(frozen=True, slots=True)
class Lengths:
    """What the theorems need to know of a workload's lengths.

    Parameters
    ----------
    name : str
        Of the law or the trace.
    smallest, largest : int
        ``a`` and ``b``, the paper's ``s_max``.
    mean, variance : Fraction
        Of the sizes.
    p : Fraction
        One over the mean output length.
    floors : Law, optional
        Law of ``floor(s / cell)``, where it is known.
    cell : int
        Resolution of ``floors``; 1 is the law of the sizes itself.
    """

    name: str
    smallest: int
    largest: int
    mean: Fraction
    variance: Fraction
    p: Fraction
    floors: Law | None = None
    cell: int = 1

    def __post_init__(self) -> None:
        if not (1 <= self.smallest < self.largest and self.variance > 0 and 0 < self.p <= 1):
            raise InputError(
                f"{self.name}: need sizes 1 <= a < b, a variance > 0 and 0 < p <= 1, got "
                f"{self.smallest}..{self.largest}, {self.variance} and {self.p}"
            )

    @classmethod
    def of(cls, name: str, sizes: Law, p: Fraction) -> "Lengths":
        """Of an exact law of sizes."""
        if not sizes.exact:
            raise InputError(f"{name}: the law of the sizes must be exact")
        mean, variance = sizes.mean.lower, sizes.variance.lower
        return cls(name, sizes.offset, sizes.bound, mean, variance, Fraction(p), sizes)


def refill_imbalance(lengths: Lengths, workers: int, slots: int) -> Enclosure:
    """``E[Imb]`` of FCFS after a full refill, from the law of the floored sizes.

    Raises
    ------
    InputError
        If that law is not known.
    """
    if lengths.floors is None:
        raise InputError(f"{lengths.name}: the law of its sizes is not known, only their moments")
    cells = expected_imbalance(lengths.floors, workers, slots).imbalance * lengths.cell
    moved = remainder_bound(lengths.cell, workers, slots)
    return Enclosure(max(Fraction(0), cells.lower - moved), cells.upper + moved)


def first_formula_slots(
    workers: int, ceiling: Fraction | int, variance: Fraction, c: Fraction = FCFS_ROUNDED
) -> int:
    """The smallest ``B`` with ``c G sigma sqrt(B ln G) > (G-1) ceiling``.

    Parameters
    ----------
    workers : int
        ``G >= 2``.
    ceiling : Fraction
        The bound of BF-IO's imbalance over ``G-1``, times the ratio to exceed.
    variance : Fraction
        ``sigma^2`` of a slot's load.
    c : Fraction
        Constant of the FCFS side.

    Raises
    ------
    InputError
        If an argument is out of range.
    """
    if workers < 2 or ceiling <= 0 or variance <= 0 or c <= 0:
        raise InputError("need G >= 2 and a ceiling, a variance and a constant > 0")
    with ctx.workprec(PRECISION):
        square = ((workers - 1) * Fraction(ceiling) / (c * workers)) ** 2 / variance
        # ln G is irrational, so the edge is no integer and both its ends have one floor.
        edge = from_ball(to_ball(square) / arb(workers).log())
    return int(edge.lower) + 1


def first_certified_slots(lengths: Lengths, workers: int, ratio: Fraction | int = 1) -> int | None:
    """The smallest ``B`` at which ``E[Imb(FCFS)] / ((G-1)(b-a))`` is known to exceed ``ratio``.

    None up to 2^14, or where the law of the sizes is not known.
    """
    gap = ratio * refill_gap(workers, lengths.smallest, lengths.largest)
    if lengths.floors is None:
        return None
    return first_slots(lambda slots: refill_imbalance(lengths, workers, slots).lower > gap, 2**14)


def break_even(power: PowerModel) -> Fraction:
    """``D / P_idle``: the ratio that Theorem 4 needs before it promises any saving.

    Raises
    ------
    InputError
        If ``P_idle = 0``: no ratio is enough.
    """
    constants = exact(power)
    if constants.idle_w == 0:
        raise InputError("without idle power (P_idle = 0) no saving is promised at any ratio")
    return constants.waste_w / constants.idle_w


def guaranteed_saving(lengths: Lengths, workers: int, slots: int, power: PowerModel) -> Fraction:
    """Saving that Theorems 1 and 4 together guarantee, 0 where they promise none.

    The sharp floor [energy.saving-sharp] at the certified ratio, for rounds of one step; longer
    lengths add work and lower it.

    Notes
    -----
    With ``eta0`` of FCFS known exactly and ``eta1 <= (G-1)(b-a) / (G B E[s])``, the floor
    increases in ``eta0`` and decreases in ``eta1``, so the safe end of each is taken.
    """
    work = workers * slots * lengths.mean
    before = refill_imbalance(lengths, workers, slots).lower / work
    after = refill_gap(workers, lengths.smallest, lengths.largest) / work
    floor = saving_sharp(exact(power), Usage(Fraction(1), before), Usage(Fraction(1), after))
    return max(Fraction(0), floor)


def best_guaranteed_saving(
    lengths: Lengths, workers: int, power: PowerModel, most: int = 2**12
) -> tuple[Fraction, int]:
    """The largest :func:`guaranteed_saving` over ``B = 1, 2, 4, .., most``, and its ``B``.

    It has a largest value because ``eta`` falls like ``1/sqrt(B)`` while the ratio grows.
    """
    slots = [1 << k for k in range(most.bit_length())]
    return max((guaranteed_saving(lengths, workers, b, power), b) for b in slots)


Edge = Callable[[Lengths, int, PowerModel], int | None]

# Theorem, or the form of it: smallest B at which it says more than nothing.
EDGES: Mapping[str, Edge] = {
    "T1": lambda x, g, _: first_formula_slots(g, x.largest, x.variance),
    "T1 certified": lambda x, g, _: first_certified_slots(x, g),
    "T2": lambda x, g, _: first_formula_slots(g, x.largest / x.p, x.variance + (1 - x.p) / x.p**2),
    "T3": lambda x, g, _: first_formula_slots(g, x.largest + 1 / x.p, x.variance),
    "T4 by T1": lambda x, g, power: first_formula_slots(
        g, break_even(power) * x.largest, x.variance
    ),
    "T4 certified": lambda x, g, power: first_certified_slots(x, g, break_even(power)),
    "T4 by T2": lambda x, g, power: first_formula_slots(
        g, break_even(power) * x.largest / x.p, x.variance + (1 - x.p) / x.p**2
    ),
}


def first_slots_of(theorem: str, lengths: Lengths, workers: int, power: PowerModel) -> int | None:
    """The smallest ``B`` at which a theorem says more than nothing, or None if not known.

    Parameters
    ----------
    theorem : str
        A key of :data:`EDGES`.
    lengths : Lengths
        Of the workload.
    workers : int
        ``G >= 2``.
    power : PowerModel
        For Theorem 4.

    Raises
    ------
    InputError
        If there is no such theorem or ``G < 2``.
    """
    if theorem not in EDGES:
        raise InputError(f"no theorem {theorem!r}; known: {', '.join(EDGES)}")
    if workers < 2:
        raise InputError(f"one worker is always balanced: need G >= 2, got {workers}")
    return EDGES[theorem](lengths, workers, power)


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
