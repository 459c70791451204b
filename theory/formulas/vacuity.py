"""The least number of slots at which each theorem says something.

Theorems 1 to 3 say something where their lower bound of IIR exceeds 1, Theorem 4 where the ratio
exceeds ``D / P_w``; what they guarantee there is in :mod:`theory.formulas.guaranteed_saving`.  The
form of the paper (:func:`theory.formulas.ratio.first_formula_slots`) has the constant 0.6776, which
is no bound at finite ``B`` [fcfs.constant].  What is known of Theorem 1 has ``(G-1)(b-a)`` for
BF-IO, and for FCFS

* *certified*: the exact expectation;
* *computed*: the tournament of at most 16 workers [fcfs.tournament];
* *explicit*: the closed form in variance and kurtosis [fcfs.log-growth].
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache

from flint import ctx

from theory.formulas.energy import exact
from theory.formulas.fcfs import log_growth_square
from theory.formulas.geometric import age_moments
from theory.formulas.ratio import first_formula_slots, first_slots
from theory.formulas.step import full_refill_bound
from theory.laws.fcfs_expectation import (
    PRECISION,
    expected_imbalance,
    from_ball,
    remainder_bound,
)
from theory.laws.law import Enclosure, Law
from theory.laws.order_statistics import central_norm
from theory.laws.tournament import best_tournament
from theory.model import InputError
from theory.power import PowerModel


@dataclass(frozen=True, slots=True)
class Lengths:
    """Sizes and output lengths of a workload, as far as the theorems depend on them.

    Parameters
    ----------
    name : str
        Of the law or the trace.
    smallest, largest : int
        ``a`` and ``b``, in tokens; ``b`` is the paper's ``s_max``.
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

    @property
    def known(self) -> Law:
        """The law of the floored sizes.

        Raises
        ------
        InputError
            If that law is not known.
        """
        if self.floors is None:
            raise InputError(f"{self.name}: the law of its sizes is not known, only their moments")
        return self.floors

    @classmethod
    def of(cls, name: str, sizes: Law, p: Fraction) -> "Lengths":
        """Of an exact law of sizes."""
        if not sizes.exact:
            raise InputError(f"{name}: the law of the sizes must be exact")
        mean, variance = sizes.mean.lower, sizes.variance.lower
        return cls(name, sizes.offset, sizes.bound, mean, variance, Fraction(p), sizes)

    def fourth_moment(self) -> Fraction:
        """The fourth central moment of the sizes, rounded up.

        With ``s = h floor(s/h) + R``, ``0 <= R <= h-1``, the fourth root of it is at most ``h``
        times that of the floors plus ``h-1``.
        """
        with ctx.workprec(PRECISION):
            root = self.cell * central_norm(self.known, 4) + (self.cell - 1)
            return from_ball(root**4).upper


@lru_cache(maxsize=2**12)  # a search over B comes back to few workers
def refill_imbalance(lengths: Lengths, workers: int, slots: int) -> Enclosure:
    """``E[Imb]`` of FCFS after a full refill, from the law of the floored sizes.

    Raises
    ------
    InputError
        If that law is not known.
    """
    cells = expected_imbalance(lengths.known, workers, slots).imbalance * lengths.cell
    moved = remainder_bound(lengths.cell, workers, slots)
    return Enclosure(max(Fraction(0), cells.lower - moved), cells.upper + moved)


def _gap(lengths: Lengths, workers: int, ratio: Fraction | int) -> Fraction | int:
    return ratio * full_refill_bound(workers, lengths.smallest, lengths.largest)


def first_certified_slots(lengths: Lengths, workers: int, ratio: Fraction | int = 1) -> int | None:
    """The smallest ``B`` at which ``E[Imb(FCFS)] / ((G-1)(b-a))`` is known to exceed ``ratio``.

    None up to 2^14, or where the law of the sizes is not known.
    """
    gap = _gap(lengths, workers, ratio)
    if lengths.floors is None:
        return None
    return first_slots(lambda slots: refill_imbalance(lengths, workers, slots).lower > gap, 2**14)


def first_computed_slots(lengths: Lengths, workers: int, ratio: Fraction | int = 1) -> int | None:
    """The smallest ``B`` at which the tournament's bound over ``(G-1)(b-a)`` exceeds ``ratio``.

    None up to 2^14, or where the law of the sizes is not known.
    """
    gap = Fraction(_gap(lengths, workers, ratio), workers)
    if lengths.floors is None:
        return None

    @cache
    def lead(group: int, slots: int) -> Fraction:
        return refill_imbalance(lengths, group, slots).lower / group

    return first_slots(lambda slots: best_tournament(lead, workers, slots).lead > gap, 2**14)


def first_explicit_slots(lengths: Lengths, workers: int, ratio: Fraction | int = 1) -> int | None:
    """The smallest ``B >= floor(log2 G)`` at which the explicit bound's ratio exceeds ``ratio``.

    None where the law of the sizes is not known.
    """
    square = Fraction(_gap(lengths, workers, ratio)) ** 2
    if lengths.floors is None:
        return None
    fourth, least = lengths.fourth_moment(), workers.bit_length() - 1

    def says_more(slots: int) -> bool:
        if slots < least:
            return False
        return log_growth_square(lengths.variance, fourth, workers, slots) > square

    return first_slots(says_more)


def break_even(power: PowerModel) -> Fraction:
    """``D / P_w``, the ratio of imbalances above which Theorem 4 promises a saving.

    Raises
    ------
    InputError
        If ``P_w = 0``: no ratio is enough.

    Examples
    --------
    The paper's A100, ``(100 + 0.3 * 300) / 100``:

    >>> from theory.power import hardware
    >>> break_even(hardware("a100-paper"))
    Fraction(19, 10)
    """
    constants = exact(power)
    if constants.barrier_w == 0:
        raise InputError("where waiting costs nothing (P_w = 0) no saving is promised at any ratio")
    return constants.waste_w / constants.barrier_w


def _theorem_1(x: Lengths, workers: int, ratio: Fraction | int = 1) -> int:
    return first_formula_slots(workers, ratio * x.largest, x.variance)


def _theorem_2(x: Lengths, workers: int, ratio: Fraction | int = 1) -> int:
    return first_formula_slots(workers, ratio * x.largest / x.p, x.variance + age_moments(x.p)[0])


# Theorem, or the form of it: smallest B at which it says more than nothing.  A bare theorem is in
# the form of the paper, which says what is known of no finite B and, for Theorems 2 and 3, is false
# where sizes are rare [geometric.bfio-upper-range].
EDGES: Mapping[str, Callable[[Lengths, int, PowerModel], int | None]] = {
    "T1": lambda x, g, _: _theorem_1(x, g),
    "T1 certified": lambda x, g, _: first_certified_slots(x, g),
    "T1 computed": lambda x, g, _: first_computed_slots(x, g),
    "T1 explicit": lambda x, g, _: first_explicit_slots(x, g),
    "T2": lambda x, g, _: _theorem_2(x, g),
    "T3": lambda x, g, _: first_formula_slots(g, x.largest + 1 / x.p, x.variance),
    "T4 by T1": lambda x, g, power: _theorem_1(x, g, break_even(power)),
    "T4 certified": lambda x, g, power: first_certified_slots(x, g, break_even(power)),
    "T4 computed": lambda x, g, power: first_computed_slots(x, g, break_even(power)),
    "T4 explicit": lambda x, g, power: first_explicit_slots(x, g, break_even(power)),
    "T4 by T2": lambda x, g, power: _theorem_2(x, g, break_even(power)),
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
