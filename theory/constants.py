"""The constants of Theorems 1 to 3: the one of the FCFS side, and intervals of the sharpest ones.

``1/sqrt(pi ln 2)`` is the largest ``c`` with ``E[Imb(FCFS)] >= c G sigma sqrt(B ln G)`` for every
``G >= 2`` *in the limit of large B* [fcfs.constant]: ``E[max of G normals] / sqrt(ln G)`` is least
at ``G = 2``, where it is this number.  For a given ``B`` the largest constant of a law is smaller
[fcfs.constant-of-law], and none serves all laws and all ``B`` [fcfs.constant-uniform].  Wherever a
number stands for it, it is :data:`FCFS_ROUNDED`, rounded down, so that it is a valid one.

The intervals hold the sharpest constants of Theorems 2 and 3 at stated systems.  Each system
stands at the lower edge of the frontier, ``B = m ln G / (p (b-a)^2)`` rounded up
[threshold.frontier]: from there on BF-IO can begin to hold the balance, and there its imbalance is
still large enough to be told from what its steps leave uncertified.  Beyond it the imbalance falls
to the granularity of sizes, and any constant serves.  The system of two workers is small enough
for steps by trying all assignments.
"""

from dataclasses import dataclass
from fractions import Fraction

from flint import arb, ctx

from theory.expectation import PRECISION, from_ball
from theory.laws import Enclosure
from theory.model import System

FCFS_ROUNDED = Fraction(6776, 10_000)
FCFS_TEXT = f"{float(FCFS_ROUNDED):.4f}"


def fcfs_constant() -> Enclosure:
    """``1/sqrt(pi ln 2)``, of which :data:`FCFS_ROUNDED` is the first four decimals."""
    with ctx.workprec(PRECISION):
        return from_ball(1 / (arb.pi() * arb(2).log()).sqrt())


@dataclass(frozen=True, slots=True)
class Stated:
    """A system, and an interval that a constant lies in there."""

    system: System
    p: Fraction
    b: int
    low: Fraction
    high: Fraction
    pool: int | None = None  # small enough for exact steps; 4GB if None

    def __str__(self) -> str:
        return f"G = {self.system.workers}, B = {self.system.slots}, drift {self.system.drift}"

    @property
    def within(self) -> str:
        """The system and its interval in words."""
        return f"[{float(self.low):g}, {float(self.high):g}] at {self}"


def _stated(workers: int, low: str, high: str, drift: tuple[int, ...] = (1,)) -> Stated:
    """At the edge for drift 1; two workers with 14 requests waiting, else certified steps."""
    small = workers == 2
    slots = {2: 3, 8: 26, 16: 35}[workers]
    p, b = (Fraction(1, 4), 100) if small else (Fraction(1, 10), 50)
    system = System(workers, slots, drift)
    return Stated(system, p, b, Fraction(low), Fraction(high), 14 if small else None)


# E[AvgImb(BF-IO)] p / ((G-1) s_max).
GEOMETRIC_BFIO = (
    _stated(2, "0.0045", "0.0105"),
    _stated(8, "0.018", "0.032"),
    _stated(16, "0.028", "0.042"),
)
# IIR / ((p/s_max) sigma_X sqrt(B ln G) G/(G-1)).
GEOMETRIC_IIR = (
    _stated(2, "65", "150"),
    _stated(8, "31", "55"),
    _stated(16, "26", "38"),
)
# E[AvgImb(BF-IO)] / ((G-1) (s_max + max drift / p)).
DRIFT_BFIO = (
    _stated(2, "0.019", "0.046", (0,)),
    _stated(16, "0.32", "0.47", (3, 0, 1)),
    _stated(16, "0.39", "0.57", (0, 0, 5)),
)
# IIR / (E[Imb of FCFS without drift] / ((G-1) (s_max + max drift / p))).
DRIFT_IIR = (
    _stated(2, "21", "53", (0,)),
    _stated(16, "2.9", "4.3", (3, 0, 1)),
    _stated(16, "2.7", "4", (0, 0, 5)),
)


def in_words(systems: tuple[Stated, ...]) -> str:
    """All systems and intervals, in words."""
    return ", ".join(stated.within for stated in systems)
