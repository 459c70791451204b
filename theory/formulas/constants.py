"""The constants of Theorems 1 to 3: the one of the FCFS side, and intervals of the sharpest ones.

``1/sqrt(pi ln 2)`` is the largest ``c`` with ``E[Imb(FCFS)] >= c G sigma sqrt(B ln G)`` for every
``G >= 2`` *in the limit of large B* [fcfs.constant]: ``E[max of G normals] / sqrt(ln G)`` is least
at ``G = 2``, where it is this number.  For a given ``B`` the largest constant of a law is smaller
[fcfs.constant-of-law], and none serves all laws and all ``B`` [fcfs.constant-uniform].  Wherever a
number stands for it, it is :data:`FCFS_ROUNDED`, rounded down, so that it is a valid one.  The
largest constant for all laws of bounded kurtosis, all ``G`` and all ``B >= floor(log2 G)`` at once
lies between the two ends of :func:`uniform_constant` [fcfs.constant-range].

The intervals hold the sharpest constants of Theorems 2 and 3 at stated systems.  Each system
stands at the lower edge of the frontier, ``B = m ln G / (p (b-a)^2)`` rounded up
[threshold.frontier]: from there on BF-IO can begin to hold the balance, and there its imbalance is
still large enough to be told from what its steps leave uncertified.  Beyond it the imbalance falls
to the granularity of sizes, and any constant serves.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import arb, ctx

from theory.elementary import log, sqrt
from theory.laws.fcfs_expectation import PRECISION, from_ball, to_ball
from theory.laws.law import Enclosure
from theory.model import InputError, System

FCFS_ROUNDED = Fraction(6776, 10_000)
FCFS_TEXT = f"{float(FCFS_ROUNDED):.4f}"


def fcfs_constant() -> Enclosure:
    """``1/sqrt(pi ln 2)``, of which :data:`FCFS_ROUNDED` is the first four decimals."""
    with ctx.workprec(PRECISION):
        return from_ball(1 / (arb.pi() * arb(2).log()).sqrt())


def pair_constant(workers: Any, kurtosis: Any) -> Any:
    """``1/sqrt(ln G (3 + kappa))``: what the imbalance of two workers leaves of ``c`` at ``G``.

    At ``G = 2`` and one slot it is attained, by every law of two values [fcfs.pairing]; at
    ``G = 3`` it is a constant for all ``G`` [fcfs.constant-range].  In balls, or symbols of sympy.
    """
    return 1 / sqrt(log(workers) * (3 + kurtosis))


def rare_share(kurtosis: Any) -> Any:
    """The smaller chance of a law of two values with that kurtosis, ``(1-sqrt((K-1)/(K+3)))/2``."""
    return (1 - sqrt((kurtosis - 1) / (kurtosis + 3))) / 2


def uniform_constant(kurtosis: Fraction) -> Enclosure:
    """The two ends of the largest constant for all laws of kurtosis at most ``K``.

    The largest ``c`` with ``E[Imb(FCFS)] >= c G sigma sqrt(B ln G)`` for all such laws, ``G >= 2``
    and ``B >= floor(log2 G)`` lies between ``1/sqrt(ln 3 (3+K))`` and ``1 + e`` times that, with
    ``e`` from :func:`rare_share` [fcfs.constant-range].

    Raises
    ------
    InputError
        If ``K < 3``.

    Examples
    --------
    >>> found = uniform_constant(Fraction(3))
    >>> round(float(found.lower), 4), round(float(found.upper), 4)
    (0.3895, 0.4718)
    """
    if kurtosis < 3:
        raise InputError(f"need a kurtosis of at least 3, got {kurtosis}")
    with ctx.workprec(PRECISION):
        K = to_ball(kurtosis)
        least = pair_constant(arb(3), K)
        return Enclosure(from_ball(least).lower, from_ball(least * (1 + rare_share(K))).upper)


@dataclass(frozen=True, slots=True)
class Stated:
    """A system, and an interval that a constant lies in there.

    Parameters
    ----------
    system : System
        The system, with its drift.
    low, high : Fraction
        Ends of the interval.
    runs : int
        Replications that tell the ends from values a quarter off.
    p : Fraction
        Parameter of the geometric lengths.
    b : int
        Largest size; sizes are uniform on ``1..b``.
    """

    system: System
    low: Fraction
    high: Fraction
    runs: int
    p: Fraction = Fraction(1, 10)
    b: int = 50

    def __str__(self) -> str:
        return f"G = {self.system.workers}, B = {self.system.slots}, drift {self.system.drift}"

    @property
    def within(self) -> str:
        """The system and its interval in words."""
        return f"[{float(self.low):g}, {float(self.high):g}] at {self}"


def _stated(
    workers: int, low: str, high: str, drift: tuple[int, ...] = (1,), runs: int = 120
) -> Stated:
    """At the edge for drift 1."""
    slots = {8: 26, 16: 35}[workers]
    return Stated(System(workers, slots, drift), Fraction(low), Fraction(high), runs)


# E[AvgImb(BF-IO)] p / ((G-1) s_max).
GEOMETRIC_BFIO = (
    _stated(8, "0.0212", "0.0267", runs=160),
    _stated(16, "0.0303", "0.038", runs=80),
)
# IIR / ((p/s_max) sigma_X sqrt(B ln G) G/(G-1)).
GEOMETRIC_IIR = (_stated(8, "37.5", "46.7", runs=160), _stated(16, "28.3", "35.3", runs=80))
# E[AvgImb(BF-IO)] / ((G-1) (s_max + max drift / p)).
DRIFT_BFIO = (_stated(8, "0.257", "0.322", (3, 0, 1)), _stated(8, "0.32", "0.398", (0, 0, 5)))
# IIR / (E[Imb of FCFS without drift] / ((G-1) (s_max + max drift / p))).
DRIFT_IIR = (_stated(8, "4.2", "5.25", (3, 0, 1)), _stated(8, "3.85", "4.75", (0, 0, 5)))


def in_words(systems: tuple[Stated, ...]) -> str:
    """All systems and intervals, in words."""
    return ", ".join(stated.within for stated in systems)
