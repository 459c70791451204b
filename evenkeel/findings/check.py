"""Evidence: what a check finds, and how a check is declared.

A check takes a :class:`Trial` (parameters, seed, budget and possibly a deliberately false
:class:`Variant` of the claim) and returns a :class:`Finding`.  The same check runs on the claim
and on its planted false variants; a claim whose check catches none of them has no power.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from numbers import Rational
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from theory.budget import about
from theory.content import printable
from theory.model import InputError
from theory.own import OwnError, running
from theory.provenance import is_house
from theory.shown import Shown, axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Number = int | Fraction | float
Relation = Literal["<=", "==", ">=", "~"]

# The claimed sides of all comparisons of a check.
EVERY = "*"


# How far a parameter that is given may lie beyond those of the check itself, and in any case.
BEYOND, MOST_GIVEN = 1000, 10_000


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, Rational | float):
        return False
    return not isinstance(value, float) or math.isfinite(value)


def largest(value: Any) -> int | Fraction | float:
    """The largest size of a number in a parameter, which may be a tuple of them.

    >>> largest((2, -7)), largest("bfio")
    (7, 0)
    """
    if isinstance(value, tuple):
        sizes: list[Any] = [largest(part) for part in value]
        return max(sizes) if sizes else 0
    if isinstance(value, Fraction):
        return abs(value)
    return abs(value) if isinstance(value, int | float) else 0


class Verdict(StrEnum):
    """The ladder of verdicts, strongest first, then the ones that decide nothing."""

    # No attack broke any of the first three.
    MACHINE_CHECKED = "machine-checked"  # Coq has checked a theorem of the whole statement
    PROVED = "proved"  # every essential step decided by algebra or exact computation
    ARGUED = "argued"  # an essential step of the proof is words
    CERTIFIED = "certified"  # exact arithmetic over a stated finite domain
    ATTACKED = "attacked"  # an adversary of measured power found nothing
    SUPPORTED = "supported"  # statistics with an interval
    INCONCLUSIVE = "inconclusive"
    REFUTED = "refuted"  # a witness is attached
    NOT_APPLICABLE = "not applicable"  # an assumption does not hold
    NOT_CHECKED = "not checked"

    @property
    def held(self) -> bool:
        """Whether the claim stood up to its check."""
        return self in (
            Verdict.MACHINE_CHECKED,
            Verdict.PROVED,
            Verdict.ARGUED,
            Verdict.CERTIFIED,
            Verdict.ATTACKED,
            Verdict.SUPPORTED,
        )

    @property
    def is_settled(self) -> bool:
        """Whether the claim is certified or better: no sample and no search decides."""
        ladder = list(Verdict)
        return ladder.index(self) <= ladder.index(Verdict.CERTIFIED)


class Budget(StrEnum):
    """How much work a run may spend."""

    SMOKE = "smoke"  # about a second a claim
    STANDARD = "standard"  # about ten seconds a claim
    PAPER = "paper"  # minutes a claim


@dataclass(frozen=True, slots=True)
class Variant:
    """A version of a claim, or of the world it is checked in, that is deliberately false.

    Parameters
    ----------
    name : str
        A few words, shown in the report.
    scale : Fraction
        Multiplies the claimed side.
    side : str
        Which of the check's comparisons has its claimed side multiplied; empty for a check that
        makes one, :data:`EVERY` for all that it makes.
    exponent : Fraction
        Added to the exponent of the leading growth term of the claimed side (usually of ``B``).
    policy : str, optional
        Runs in place of the policy that the claim is about.
    fault : str, optional
        Name of a fault that the check knows how to plant, such as ``"departed-loads"``.
    """

    name: str
    scale: Fraction = Fraction(1)
    exponent: Fraction = Fraction(0)
    policy: str | None = None
    fault: str | None = None
    side: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of a check.

    Parameters
    ----------
    label : str
        The claim.
    params : mapping
        Parameters of the check (``G``, ``B``, ``p``, ...), defaults already filled in.
    seed : int
        Root of all randomness in the trial.
    budget : Budget
        How much to spend.
    variant : Variant, optional
        The planted false version, or None for the claim as stated.
    policy : str, optional
        Specification of a user's policy to hold the claim against, or None.
    asked : list of str
        The user's policy, each time that the check took it; empty if it never did.
    sides : set of str
        The comparisons whose claimed side the check has asked a factor for.
    """

    label: str
    params: Mapping[str, Any]
    seed: int = 0
    budget: Budget = Budget.SMOKE
    variant: Variant | None = None
    policy: str | None = None
    asked: list[str] = field(default_factory=list, compare=False, repr=False)
    sides: set[str] = field(default_factory=set, compare=False, repr=False)

    def __getitem__(self, name: str) -> Any:
        if name not in self.params:
            raise InputError(
                f"the check of {self.label} asks for the parameter {name!r}, which its @evidence "
                f"does not declare; it has: {', '.join(self.params) or 'none'}"
            )
        return self.params[name]

    @property
    def scale(self) -> Fraction:
        """Factor on the claimed side: 1 for the claim as stated."""
        return self.scale_of("")

    def scale_of(self, side: str) -> Fraction:
        """Factor on the claimed side of one of several comparisons.

        A check that makes several gives each a name, so that each can be planted false alone: one
        that is switched off shows by the false version that it no longer catches.
        """
        self.sides.add(side)
        planted = self.variant is not None and self.variant.side in (side, EVERY)
        return self.variant.scale if self.variant and planted else Fraction(1)

    @property
    def exponent(self) -> Fraction:
        """Shift of the leading exponent of the claimed side: 0 for the claim as stated."""
        return self.variant.exponent if self.variant else Fraction(0)

    def stretch(self, base: int) -> Fraction:
        """``base`` to the planted shift of its exponent: 1 for the claim as stated."""
        return Fraction(float(base) ** float(self.exponent))

    def policy_or(self, default: str) -> str:
        """The policy to run: a planted one, else the user's, else ``default``."""
        if self.variant and self.variant.policy:
            return self.variant.policy
        return next(iter(self.users()), default)

    def users(self) -> tuple[str, ...]:
        """The user's policy, if there is one."""
        if self.policy is None:
            return ()
        self.asked.append(self.policy)
        return (self.policy,)

    def fault(self, name: str) -> bool:
        """Whether that fault is planted."""
        return self.variant is not None and self.variant.fault == name


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding(Shown):
    """What one run of a check found.

    Parameters
    ----------
    verdict : Verdict
        What the run says about the claim.
    computed, claimed : int, Fraction, float or None
        The two sides at the tightest case seen; exact types wherever they decide.  None if the run
        compared nothing.
    relation : Relation
        How ``computed`` must stand to ``claimed``.
    domain : str
        What was covered: the finite domain, the sample, the region; or why nothing could be.
    interval : pair of float, optional
        Confidence interval of ``computed`` where it is statistical.
    witness : mapping, optional
        The instance that decides: always present when refuted.
    details : mapping
        Further numbers worth keeping, JSON-ready.
    """

    verdict: Verdict
    computed: Number | None = None
    claimed: Number | None = None
    relation: Relation = "~"
    domain: str
    interval: tuple[float, float] | None = None
    witness: Mapping[str, Any] | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.verdict is Verdict.REFUTED and self.witness is None:
            raise InputError("a refuted finding needs a witness")

    def fault(self) -> str:
        """What a finding cannot be made of, in words; empty if nothing is wrong."""
        if not isinstance(self.verdict, Verdict):
            return f"its verdict must be a Verdict, not {type(self.verdict).__name__}"
        ends: Any = (0, 0) if self.interval is None else self.interval
        if not (isinstance(ends, tuple | list) and len(ends) == 2 and all(map(_is_number, ends))):
            return f"its interval must be two finite numbers, not {printable(repr(ends), 50)}"
        for name in ("computed", "claimed"):
            side = getattr(self, name)
            if side is not None and not _is_number(side):
                return f"its {name} side must be a finite number, not {printable(repr(side), 50)}"
        if self.relation not in get_args(Relation):
            return f"its relation must be one of {' '.join(get_args(Relation))}"
        text = self.domain
        if not isinstance(text, str) or printable(text, len(text)) != text:
            return "its domain must be a line of printable text"
        for name in ("witness", "details"):
            kept = getattr(self, name)
            if kept is not None and not isinstance(kept, Mapping):
                return f"its {name} must be a mapping, not {type(kept).__name__}"
        return ""

    def facts(self) -> dict[str, Any]:
        """The verdict, both sides, the margin, what was covered and what decides."""
        return {
            "verdict": self.verdict.value,
            "computed": self.computed,
            "relation": self.relation,
            "claimed": self.claimed,
            "margin": self.margin,
            "interval": self.interval,
            "domain": self.domain,
            "witness": self.witness,
            "details": self.details,
        }

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """The computed side, with its interval, beside the claimed one."""
        ax = axes(ax)
        ax.set_title(self.verdict.value)
        ax.set_yticks([])
        if self.computed is None or self.claimed is None:
            return ax
        computed, claimed = float(self.computed), float(self.claimed)
        low, high = self.interval or (computed, computed)
        ax.errorbar([computed], [0], xerr=[[computed - low], [high - computed]], fmt="o", capsize=4,
                    label="computed")  # fmt: skip
        ax.axvline(claimed, color="C1", label=f"claimed ({self.relation})")
        ax.legend()
        return ax

    @property
    def margin(self) -> Number | None:
        """Slack of the relation, relative to the claimed side; negative when violated."""
        if self.computed is None or self.claimed is None or self.relation == "~":
            return None
        gap: Number = self.claimed - self.computed
        if self.relation == ">=" or (self.relation == "==" and gap > 0):
            gap = -gap
        if self.claimed == 0:
            return gap
        if isinstance(gap, float) or isinstance(self.claimed, float):
            return float(gap) / abs(float(self.claimed))
        return Fraction(gap) / abs(Fraction(self.claimed))


@dataclass(frozen=True, slots=True)
class Check:
    """A check of one claim.

    Parameters
    ----------
    label : str
        The claim's label.
    run : callable
        Takes a :class:`Trial`, returns a :class:`Finding`.
    defaults : mapping
        Default parameters at smoke budget; these names are the ones the check accepts.
    larger : mapping
        Overrides of the defaults for the larger budgets.
    plants : tuple of Variant
        Deliberately false versions that this check must catch.
    measures : str
        What the computed side is, with its unit: ``"largest imbalance after a step (load)"``.
    shares : str
        Checks that name the same share costly runs, and so are best run by one process.
    no_near_factor : str
        Why no factor between 1/2 and 2 on a claimed side makes a false version; empty if one does.
    """

    label: str
    run: Callable[[Trial], Finding]
    defaults: Mapping[str, Any]
    larger: Mapping[Budget, Mapping[str, Any]]
    plants: tuple[Variant, ...]
    measures: str = ""
    shares: str = ""
    no_near_factor: str = ""

    def trial(
        self,
        budget: Budget = Budget.SMOKE,
        seed: int = 0,
        variant: Variant | None = None,
        policy: str | None = None,
        **overrides: Any,
    ) -> Trial:
        """A trial with the defaults of that budget and the given overrides.

        Raises
        ------
        InputError
            If the check knows no parameter of that name, or a number is far beyond its own.
        """
        for name, given in overrides.items():
            if name not in self.defaults:
                known = ", ".join(self.defaults) or "none"
                raise InputError(
                    f"the check of {self.label} has no parameter {name!r}; it has: {known}"
                )
            own = [self.defaults[name], *(more.get(name) for more in self.larger.values())]
            most = max(MOST_GIVEN, BEYOND * max(map(largest, own)))
            if largest(given) > most:
                raise InputError(
                    f"the check of {self.label} takes {name} up to {about(int(most))}, got "
                    f"{about(int(min(largest(given), 10**300)))}"
                )
        params = {**self.defaults, **self.larger.get(budget, {}), **overrides}
        return Trial(self.label, params, seed, budget, variant, policy)

    def hold(self, trial: Trial) -> Finding:
        """Run the check.

        Not applicable if a user's policy is to be held and takes no part, or declares that it may
        leave a slot empty while a request waits, which no claim speaks of.
        """
        from solvers.policies.protocol import conserves_work
        from solvers.policies.registry import policy

        if trial.policy is not None and not conserves_work(policy(trial.policy)):
            return Finding(
                verdict=Verdict.NOT_APPLICABLE,
                domain=f"{trial.policy} declares that it is not work conserving",
            )
        finding = self.found(trial)
        if trial.policy is None or trial.asked:
            return finding
        return Finding(
            verdict=Verdict.NOT_APPLICABLE, domain="this check runs no policy of the user's"
        )

    def found(self, trial: Trial) -> Finding:
        """What the check finds.

        Raises
        ------
        OwnError
            If a check of one's own raises an exception, or finds what is no finding.
        """
        if is_house(getattr(self.run, "__module__", None) or ""):
            return self.run(trial)
        with running(f"the check of {self.label}"):
            finding = self.run(trial)
        if not isinstance(finding, Finding):
            raise OwnError(
                f"the check of {self.label} must return a Finding, not {type(finding).__name__}"
            )
        if fault := finding.fault():
            raise OwnError(f"the check of {self.label}: {fault}")
        return finding

    def power(self, budget: Budget = Budget.SMOKE, seed: int = 0) -> dict[str, bool]:
        """Run every planted false variant; maps its name to whether the check caught it."""
        return {
            plant.name: self.found(self.trial(budget, seed, plant)).verdict is Verdict.REFUTED
            for plant in self.plants
        }

    def smallest_factor(self, power: Mapping[str, bool]) -> Fraction | None:
        """The factor nearest to 1 on a claimed side that the check caught; None if it caught none.

        Parameters
        ----------
        power : mapping
            What :meth:`power` returned.
        """
        factors = [
            max(plant.scale, 1 / plant.scale)
            for plant in self.plants
            if power.get(plant.name) and plant.scale > 0 and plant.scale != 1
        ]
        return min(factors, default=None)


def kill_rate(power: Mapping[str, bool]) -> str:
    """Planted false variants caught, of those planted; ``no power`` where none is caught."""
    caught = sum(power.values())
    return f"{caught}/{len(power)}" if caught else "no power"


@dataclass(frozen=True, slots=True)
class _Declared:
    """What :func:`evidence` says of a check before the check knows its claim."""

    defaults: Mapping[str, Any]
    larger: Mapping[Budget, Mapping[str, Any]]
    plants: tuple[Variant, ...]
    measures: str
    shares: str
    no_near_factor: str


_Method = TypeVar("_Method", bound=Callable[..., Finding])


def evidence(
    *,
    measures: str = "",
    shares: str = "",
    no_near_factor: str = "",
    plants: tuple[Variant, ...] = (),
    standard: Mapping[str, Any] | None = None,
    paper: Mapping[str, Any] | None = None,
    **defaults: Any,
) -> Callable[[_Method], _Method]:
    """Declare the decorated method as the check of its claim.

    Keyword arguments other than the named ones are the check's parameters with their defaults
    at smoke budget; ``standard`` and ``paper`` override them at those budgets.  For the others see
    :class:`Check`.
    """
    larger = {
        Budget.STANDARD: standard or {},
        Budget.PAPER: {**(standard or {}), **(paper or {})},
    }

    for plant in plants:
        if not isinstance(plant, Variant):
            raise InputError(f"plants must be versions such as near(), not {type(plant).__name__}")

    def declare(method: _Method) -> _Method:
        said = _Declared(defaults, larger, plants, measures, shares, no_near_factor)
        vars(method)["declared"] = said
        return method

    return declare


def declared(run: Callable[[Trial], Finding], label: str) -> Check:
    """The check of a claim from its bound method.

    Raises
    ------
    InputError
        If the method is not decorated by :func:`evidence`.
    """
    said: _Declared | None = getattr(run, "declared", None)
    if said is None:
        raise InputError(f"the check of {label!r} needs the decorator @evidence(...)")
    return Check(
        label,
        run,
        said.defaults,
        said.larger,
        said.plants,
        said.measures,
        said.shares,
        said.no_near_factor,
    )


def planted(trial: Trial, variant: Variant) -> Trial:
    """The same trial with a planted false variant."""
    return replace(trial, variant=variant)
