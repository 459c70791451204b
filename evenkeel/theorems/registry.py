"""Claims: statements as objects with a label, and the registry of all of them.

A claim is never free text: it has a stable label, a source, a kind, the assumptions under which it
is made, a formula where it is one, and its proof as data where there is one.  What the evidence
says about it is decided by its check, in the same room.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Literal

from theory.model import InputError

if TYPE_CHECKING:
    import sympy

    from theory.formal.record import Theorem
    from theory.proof import Step

Kind = Literal["equality", "upper", "lower", "order", "limit", "empirical"]

# One folder a family, with the heading of its part of every listing, in that order.
FAMILIES = {
    "step": "One admission step",
    "warmup": "Theorem 1: equal output lengths",
    "fcfs": "FCFS in expectation: the lower side of Theorems 1 to 3",
    "geometric": "Theorem 2: geometric output lengths",
    "drift": "Theorem 3: any common drift",
    "scaling": "Growth with slots and workers",
    "threshold": "The balance threshold: where Theorem 2 bites",
    "energy": "Theorem 4: energy",
    "vacuity": "Where the theorems say more than nothing",
    "balanceroute": "BalanceRoute, the follow-up",
    "experiments": "Experiments E1 to E5",
    "offline": "The clairvoyant optimum and the price of each restriction",
    "limits": "Limits: one assumption dropped at a time",
}

# The folder of a family, where it has another name than its labels.
ROOMS = {
    "warmup": "theorem1",
    "geometric": "theorem2",
    "drift": "theorem3",
    "energy": "theorem4",
    "threshold": "balance_frontier",
    "limits": "dropped_assumptions",
}


def room(family: str) -> str:
    """The folder in :mod:`evenkeel.theorems` that holds everything about a family."""
    return ROOMS.get(family, family)


class Assumption(StrEnum):
    """Hypotheses of the theorems; a run that violates one is not applicable, never a pass."""

    OVERLOADED = "the pool fills every free slot at every step"
    POOL_CONDITION = "the pool fills every free slot even after any one size class is removed"
    RICH_POOL = "the pool holds at least as many copies of every admissible size as slots are free"
    BACKLOG = "every request waits from the start: none arrives later"
    FULL_REFILL = "all slots are free and all workers are empty before the step"
    FULL_SLOTS = "every slot is occupied before the departures of the step"
    WORK_CONSERVING = "every step fills min(waiting, free) slots"
    STICKY = "a request stays on its worker until it departs"
    MYOPIC = "no look-ahead (H = 0)"
    EXACT_STEP = "every admission step is solved to optimality"
    BOUNDED_SIZES = "sizes lie in a known interval [a, b] with a >= 1"
    IID = "sizes and output lengths are independent draws from one law per request"
    EQUAL_LENGTHS = "all output lengths are equal"
    GEOMETRIC_LENGTHS = "output lengths are geometric and independent of the sizes"
    COMMON_DRIFT = "all active requests grow by the same bounded, non-negative amount in a step"
    CONSTANT_DRIFT = "the drift is the same at every step"
    SAME_REQUESTS = "both policies serve the same requests, each to completion"
    NO_OVERHEAD = "a step has no fixed overhead (C = 0)"
    IDLE_POWER = "an idle worker draws power (P_idle > 0)"
    SOME_WORK = "something is served (W > 0)"
    POWER_LAW = "P(u) = P_idle + (P_max - P_idle) u^gamma with 0 < gamma <= 1, u = L_g / max L"


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement that can be true or false.

    Parameters
    ----------
    label : str
        Stable name, ``family.name``.
    title : str
        A few words.
    source : str
        Where the statement is made: a theorem of the paper, or ``"evenkeel"`` for our own.
    version : str
        Version of the paper that makes it (``"v1"``, ``"v2"``, ``"v1, v2"``) or ``"ours"``.
    kind : Kind
        What sort of statement: equality, upper or lower bound, order, limit, empirical.
    statement : str
        The statement in words and plain formulas, complete with its quantifiers.
    assumptions : tuple of Assumption
        Hypotheses that a run must satisfy before it can speak for or against the claim.
    evidence : str
        How the claim is checked, and what would refute it.
    formula : callable, optional
        Builds the statement as a sympy expression or relation.
    proof : callable, optional
        Builds the proof as numbered steps (:mod:`theory.proof`); the disproof, if the claim is
        registered as false.
    coq : Theorem, optional
        The theorem in Coq that states it, in whole or in part; of its negation, for a claim that is
        registered as false.
    requires : tuple of str
        Labels of claims that the proof or the evidence rests on.
    recovered : bool
        False where the paper's exact wording or constant could not be recovered; such a claim
        may end as "not checked".
    holds : bool
        What evenkeel asserts: False for a statement that is registered because it is
        tempting and false, so that the expected verdict is "refuted", with a witness.
    open : bool
        True where the evidence at hand may decide nothing, as for a number that somebody read off
        a single run: "inconclusive" is then an expected verdict.
    """

    label: str
    title: str
    source: str
    version: str
    kind: Kind
    statement: str
    assumptions: tuple[Assumption, ...]
    evidence: str
    formula: "Callable[[], sympy.Basic] | None" = None
    proof: "Callable[[], tuple[Step, ...]] | None" = None
    requires: tuple[str, ...] = ()
    recovered: bool = True
    holds: bool = True
    open: bool = False
    coq: "Theorem | None" = None

    @property
    def heading(self) -> str:
        """The title, marked where evenkeel holds the statement to be false."""
        return self.title + ("" if self.holds else " (false)")

    @property
    def family(self) -> str:
        """The part of the label before the first dot."""
        return self.label.partition(".")[0]

    @property
    def steps(self) -> "tuple[Step, ...]":
        """The steps of the proof, none without one; built, and so confirmed, once."""
        return _steps(self)


@cache
def _steps(entry: Claim) -> "tuple[Step, ...]":
    return entry.proof() if entry.proof else ()


@cache
def chapters() -> dict[str, tuple[Claim, ...]]:
    """The registered claims of each family, by its heading in :data:`FAMILIES`."""
    return {
        heading: tuple(import_module(f"evenkeel.theorems.{room(family)}.statements").CLAIMS)
        for family, heading in FAMILIES.items()
    }


@cache
def claims() -> dict[str, Claim]:
    """Every registered claim by label, in the order of :data:`FAMILIES`.

    Raises
    ------
    InputError
        If two claims share a label, or a claim requires a label that is not registered.
    """
    registry: dict[str, Claim] = {}
    for entries in chapters().values():
        for entry in entries:
            if entry.label in registry:
                raise InputError(f"two claims share the label {entry.label!r}")
            registry[entry.label] = entry
    for entry in registry.values():
        for label in entry.requires:
            if label not in registry:
                raise InputError(f"claim {entry.label!r} requires the unknown label {label!r}")
    return registry


def claim(label: str) -> Claim:
    """The claim with that label.

    Raises
    ------
    InputError
        If there is none; the message names the nearest labels, or the families.
    """
    registry = claims()
    if label not in registry:
        from difflib import get_close_matches

        near = get_close_matches(label, registry, n=3, cutoff=0.4)
        if near:
            raise InputError(f"unknown claim {label!r}; did you mean {', '.join(near)}?")
        families = dict.fromkeys(entry.family for entry in registry.values())
        raise InputError(f"unknown claim {label!r}; labels begin with {', '.join(families)}")
    return registry[label]
