"""Claims: statements as objects with a label, and the registry of all of them.

A claim is never free text: it has a stable label, a source, a kind, the assumptions under which it
is made, a formula where it is one, its proof as data where there is one, and a check.  All of it
stands in one decorated class; what the evidence says about it is decided by its check.
"""

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import import_module
from inspect import cleandoc
from pathlib import Path
from pkgutil import iter_modules
from string import Template
from types import ModuleType
from typing import TYPE_CHECKING, Literal, TypeVar, get_args

from evenkeel.findings.check import Check, declared
from evenkeel.findings.headline import Headline, asked
from evenkeel.theorems.parts import Numbers, part
from theory.model import InputError
from theory.own import installed, is_own, module_of, own

if TYPE_CHECKING:
    import sympy

    from theory.formal.record import Theorem
    from theory.proof import Step

Kind = Literal["equality", "upper", "lower", "order", "limit", "empirical"]
KINDS = ", ".join(get_args(Kind))


class Assumption(StrEnum):
    """Hypotheses of the theorems; a run that violates one is not applicable, never a pass.

    Every claim is about the systems of the model, whether it lists that or not, unless it lists
    that it is about any schedule.
    """

    MODEL = "workers have the same slots and speed, loads are all that costs, and one pool waits"
    ANY_SCHEDULE = (
        "workers have the same speed and loads are all that costs; slots, budgets, queues and "
        "delays may restrict who starts when and where, as long as nothing is preempted"
    )
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
    WAIT_POWER = (
        "P(u) = P_w + (P_max - P_w) u^gamma with 0 < gamma <= 1 for 0 < u <= 1, u = L_g / max L, "
        "and P(0) = P_idle without work, P_idle <= P_w <= P_max"
    )
    WORK_ON_EVERY_WORKER = "every worker has work in every step"
    POWER_LAW = "P(u) = P_idle + (P_max - P_idle) u^gamma with 0 < gamma <= 1, u = L_g / max L"


@dataclass(frozen=True, slots=True)
class Dropped:
    """A theorem without one of its assumptions, as a claim decides it.

    The answer is the verdict of that claim's check: refuted, with a witness, means that the
    assumption is needed; a verdict that held, that the statement stands without it.

    Parameters
    ----------
    label : str
        Claim that states the theorem with all its assumptions.
    assumption : str
        What is dropped.
    states_failure : bool
        Whether the deciding claim states that the theorem fails, rather than what is left of it;
        then it is the other way round.
    """

    label: str
    assumption: str
    states_failure: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement that can be true or false, with everything that is known about it.

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
    check : Check, optional
        The check, with its parameters and planted false versions.
    numbers : callable, optional
        Computes a table of what the statement gives.
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
    answers : tuple of str
        Rows of :mod:`evenkeel.theorems.paper_index` that it answers, in whole or in part.
    drops : tuple of Dropped
        The theorems of which it says what is left without one assumption.
    headline : Headline, optional
        The question that its record answers at the head of a report.
    figure : str
        The figure that a report of it shows beside those of its family: one of one's own, by
        ``module:attribute`` or ``file.py:attribute``.
    module : str
        The module that defines it.
    definition : type, optional
        The class that does.
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
    check: Check | None = field(default=None, compare=False)
    numbers: Callable[[], Numbers] | None = None
    coq: "Theorem | None" = None
    requires: tuple[str, ...] = ()
    recovered: bool = True
    holds: bool = True
    open: bool = False
    answers: tuple[str, ...] = ()
    drops: tuple[Dropped, ...] = ()
    headline: Headline | None = field(default=None, compare=False)
    figure: str = ""
    module: str = ""
    definition: type | None = field(default=None, compare=False, repr=False)

    @property
    def named(self) -> str:
        """How a command finds it: by its label; one of somebody's own by module and class."""
        known = {*_house()[1], *(value.partition(":")[0] for value in installed(OWN).values())}
        if self.definition is None or self.module in known:
            return self.label
        path = Path(getattr(sys.modules.get(self.module), "__file__", None) or "")
        here, place = Path.cwd(), self.module
        if path.suffix == ".py" and "." not in place and path.parent != here:
            place = str(path.relative_to(here) if path.is_relative_to(here) else path)
        return f"{place}:{self.definition.__qualname__}"

    @property
    def heading(self) -> str:
        """The title, marked where evenkeel holds the statement to be false."""
        return self.title + ("" if self.holds else " (false)")

    @property
    def hypotheses(self) -> tuple[Assumption, ...]:
        """Its assumptions, and first of all what it needs of the system."""
        if Assumption.ANY_SCHEDULE in self.assumptions:
            return self.assumptions
        return (Assumption.MODEL, *self.assumptions)

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


_CLAIMS: dict[str, Claim] = {}
# Entry points of claims, or of modules of claims, that installed packages have.
OWN = "evenkeel.claims"
OTHERS = "others"  # the family of claims that are registered outside of evenkeel
_Definition = TypeVar("_Definition", bound=type)


def claim(
    label: str,
    kind: Kind,
    *,
    source: str = "evenkeel",
    version: str = "ours",
    assumptions: tuple[Assumption, ...] = (),
    requires: tuple[str, ...] = (),
    coq: "Theorem | None" = None,
    recovered: bool = True,
    holds: bool = True,
    open: bool = False,
    answers: tuple[str, ...] = (),
    drops: tuple[Dropped, ...] = (),
    figure: str = "",
    values: Mapping[str, str] | None = None,
) -> Callable[[_Definition], _Definition]:
    """Register the decorated class as a claim.

    The class is the claim's one page.  Its docstring is the title, a blank line and the statement.
    Its methods, each of them optional, are

    * ``formula(self)``, the statement in sympy;
    * ``proof(self)``, the steps of the proof, or of the disproof (:mod:`theory.proof`);
    * ``numbers(self)``, :class:`~evenkeel.theorems.parts.Numbers`, what the statement gives;
    * ``check(self, trial)``, decorated by :func:`~evenkeel.findings.check.evidence`; its docstring
      says how the claim is checked and what would refute it;
    * ``answer(self, record, ...)``, decorated by :func:`~evenkeel.findings.headline.headline`.

    Parameters
    ----------
    label, kind, source, version, assumptions, requires, coq, recovered, holds, open
        As in :class:`Claim`.
    answers, drops, figure
        As in :class:`Claim`.
    values : mapping, optional
        Computed numbers in the docstrings, where they stand as ``$name``.

    Raises
    ------
    InputError
        If the class has no docstring of a title and a statement, the label is taken or is not
        ``family.name``, the kind is none of :data:`KINDS`, or a ``$name`` has no value.

    Examples
    --------
    >>> @claim("mine.two-workers", "upper")
    ... class TwoWorkers:
    ...     '''The imbalance of two workers.
    ...
    ...     On two workers the imbalance is at most the larger load.
    ...     '''
    >>> claim_of("mine.two-workers").title
    'The imbalance of two workers'
    """

    def register(definition: _Definition) -> _Definition:
        if sys.flags.optimize > 1:
            raise InputError("claims are stated in docstrings: run Python without -OO")
        if kind not in get_args(Kind):
            raise InputError(f"the claim {label!r} has no kind {kind!r}; known: {KINDS}")
        if not re.fullmatch(r"[\w-]+\.[\w-]+", label):
            raise InputError(f"the label {label!r} must be family.name, of letters and hyphens")
        title, _, statement = cleandoc(definition.__doc__ or "").partition("\n\n")
        if not statement:
            raise InputError(
                f"the docstring of {definition.__name__} must be a title, a blank line and the "
                f"statement of the claim {label!r}"
            )
        same = _CLAIMS.get(label)
        # A cell of a notebook may run again, and a module be loaded again.
        if same and _place(same.definition) != _place(definition):
            raise InputError(f"two claims share the label {label!r}")

        def text(words: str) -> str:
            found = " ".join(words.split())
            try:
                return Template(found).substitute(values) if values else found
            except (KeyError, ValueError) as error:
                raise InputError(f"the texts of {label!r} do not fit its values: {error}") from None

        it = definition()
        run = getattr(it, "check", None)
        _CLAIMS[label] = Claim(
            label=label,
            title=text(title).removesuffix("."),
            source=source,
            version=version,
            kind=kind,
            statement=text(statement),
            assumptions=assumptions,
            evidence=text(run.__doc__ or "") if run else "",
            formula=part(it, "formula", label),
            proof=part(it, "proof", label),
            check=declared(run, label) if run else None,
            numbers=part(it, "numbers", label),
            coq=coq,
            requires=requires,
            recovered=recovered,
            holds=holds,
            open=open,
            answers=answers,
            drops=drops,
            figure=figure,
            headline=asked(answer, label) if (answer := part(it, "answer", label)) else None,
            module=definition.__module__,
            definition=definition,
        )
        return definition

    return register


def _place(definition: type | None) -> tuple[str, str] | None:
    return None if definition is None else (definition.__module__, definition.__qualname__)


def _modules(package: ModuleType) -> list[str]:
    """The full names of a package's modules in reading order: those it names, then the others."""
    found = {module.name for module in iter_modules(package.__path__)}
    first = [name for name in getattr(package, "ORDER", ()) if name in found]
    return [f"{package.__name__}.{name}" for name in (*first, *sorted(found - set(first)))]


@cache
def _house() -> tuple[dict[str, str], dict[str, str]]:
    """The heading of every family, and the family of every module of claims, in reading order.

    All of these modules are imported, and those that installed packages name as entry points.
    """
    import evenkeel.theorems as house

    headings, family_of = {}, {}
    for name in _modules(house):
        room = import_module(name)
        if hasattr(room, "__path__"):
            if not hasattr(room, "FAMILY"):
                raise InputError(f"{name} must say its FAMILY: what the labels in it begin with")
            headings[room.FAMILY] = (room.__doc__ or name).strip().removesuffix(".")
            for module in _modules(room):
                import_module(module)
                family_of[module] = room.FAMILY
    for entry in _CLAIMS.values():
        for label in entry.requires if entry.module in family_of else ():
            if label not in _CLAIMS:
                raise InputError(f"claim {entry.label!r} requires the unknown label {label!r}")
    for name in installed(OWN):
        own(name, OWN)
    return headings, family_of


def families() -> dict[str, str]:
    """The heading of every family, in reading order."""
    headings, family_of = _house()
    foreign = any(entry.module not in family_of for entry in _CLAIMS.values())
    return headings | ({OTHERS: "Claims of one's own"} if foreign else {})


def chapters() -> dict[str, tuple[Claim, ...]]:
    """The claims of each family by its heading, in reading order."""
    family_of = _house()[1]
    place = {module: number for number, module in enumerate(family_of)}
    found: dict[str, list[Claim]] = {family: [] for family in families()}
    # Within a module as defined; claims from elsewhere come last.
    for entry in sorted(_CLAIMS.values(), key=lambda entry: place.get(entry.module, len(place))):
        found[family_of.get(entry.module, OTHERS)].append(entry)
    return {heading: tuple(found[family]) for family, heading in families().items()}


def claims() -> dict[str, Claim]:
    """Every claim by label: evenkeel's own in reading order, then those registered by others.

    Raises
    ------
    InputError
        If two claims share a label, or a claim requires a label that is not registered.
    """
    return {entry.label: entry for group in chapters().values() for entry in group}


def claim_of(label: str) -> Claim:
    """The claim with that label.

    Parameters
    ----------
    label : str
        ``family.name``; or ``module:attribute`` or ``file.py:attribute`` of a class of your own
        under :func:`claim`.

    Raises
    ------
    InputError
        If there is none; the message names the nearest labels, or the families.
    """
    _house()
    if label not in _CLAIMS and is_own(label):
        entries = claims_in(label)
        if len(entries) != 1:
            names = ", ".join(entry.named for entry in entries)
            raise InputError(f"{label} has {len(entries)} claims: name one of {names}")
        return entries[0]
    if label not in _CLAIMS:
        from difflib import get_close_matches

        near = get_close_matches(label, claims(), n=3, cutoff=0.4)
        if near:
            raise InputError(f"unknown claim {label!r}; did you mean {', '.join(near)}?")
        found = dict.fromkeys(entry.family for entry in claims().values())
        raise InputError(f"unknown claim {label!r}; labels begin with {', '.join(found)}")
    return _CLAIMS[label]


def claims_in(spec: str) -> tuple[Claim, ...]:
    """The claims of one's own that a class, a module or a file has.

    Parameters
    ----------
    spec : str
        ``module:attribute`` or ``file.py:attribute`` of a class, or ``file.py`` for all in a file.

    Raises
    ------
    InputError
        If it cannot be imported, or has no claim.
    """
    _house()
    if ":" not in spec:
        name = module_of(spec).__name__
        found = tuple(entry for entry in _CLAIMS.values() if entry.module == name)
    else:
        thing = own(spec)
        found = tuple(entry for entry in _CLAIMS.values() if entry.definition is thing)
    if not found:
        raise InputError(f"{spec}: no class under @claim")
    return found


def checks() -> dict[str, Check]:
    """Every check by the label of its claim."""
    return {label: entry.check for label, entry in claims().items() if entry.check}


def check_of(label: str) -> Check:
    """The check of the claim with that label.

    Raises
    ------
    InputError
        If there is no such claim, or it has no check.
    """
    found = claim_of(label).check
    if found is None:
        raise InputError(f"the claim {label!r} has no check")
    return found
