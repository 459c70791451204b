"""From comparisons to a finding: exact cases, intervals of samples, single pairs of sides."""

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from math import isfinite
from typing import Any, Literal, NamedTuple

from evenkeel.findings.check import Finding, Number, Relation, Trial, Variant, Verdict
from evenkeel.findings.statistics import Mean, Ratio
from evenkeel.findings.verdicts import held, rung
from evenkeel.theorems.registry import claim_of
from theory.model import InputError
from theory.proof import verify

Exact = int | Fraction
Witness = Callable[[], Mapping[str, Any]] | Mapping[str, Any]
Case = tuple[Exact, Exact, Witness]


# The nearest false versions: of an exact equality or a tight bound, of an order, of an interval.
THOUSANDTH, TENTH, QUARTER = Fraction(1001, 1000), Fraction(11, 10), Fraction(5, 4)


def near(side: str = "", factor: Fraction = THOUSANDTH) -> Variant:
    """A false version whose claimed side of one comparison is off by a factor near 1."""
    return Variant(f"{side or 'claimed side'} x{float(factor):.4g}", factor, side=side)


def _shown(side: Exact) -> Exact | float:
    """The side as reported: a long fraction, compared exactly before, as a float."""
    long = isinstance(side, Fraction) and side.denominator > 10**6
    return float(side) if long else side


def _ratio(number: Exact) -> tuple[int, int]:
    """Numerator and denominator, in Python's integers; floats were rounded."""
    if isinstance(number, float):
        raise TypeError(
            f"a side of a case is the float {number!r}, which was rounded: count in integers and "
            "fractions"
        )
    try:
        return number.as_integer_ratio()
    except AttributeError:  # a check of one's own may count in numpy's
        value = Fraction(number)
        return int(value.numerator), int(value.denominator)


def unconfirmed(trial: Trial) -> str:
    """Which steps of the claim's proof are not confirmed, in words; empty if all are."""
    failed = verify(claim_of(trial.label).steps)
    return f"proof steps not confirmed: {', '.join(map(str, failed))}" if failed else ""


def refuted(
    computed: Number | None,
    relation: Relation,
    claimed: Number,
    where: str,
    witness: Mapping[str, Any],
    *,
    interval: tuple[float, float] | None = None,
    details: Mapping[str, Any] | None = None,
) -> Finding:
    """The finding of two sides that do not stand as claimed.

    Parameters
    ----------
    computed, relation, claimed
        The two sides, and how they should stand.
    where : str
        What is compared, and where.
    witness : mapping
        The instance.
    interval : (float, float), optional
        Of the computed side, where that is sampled.
    details : mapping, optional
        Further numbers.
    """
    return Finding(
        verdict=Verdict.REFUTED,
        computed=computed,
        claimed=claimed,
        relation=relation,
        domain=where,
        interval=interval,
        witness=witness,
        details=details or {},
    )


def stands(
    trial: Trial,
    computed: Number | None,
    relation: Relation,
    claimed: Number | None,
    domain: str,
    *,
    strongest: Verdict = Verdict.MACHINE_CHECKED,
    interval: tuple[float, float] | None = None,
    details: Mapping[str, Any] | None = None,
) -> Finding:
    """The finding of a check that found nothing against a claim with a proof.

    Its verdict is what the proof carries, at most ``strongest``; inconclusive, with the number of
    the step, where a step of the proof that should be decided is not.

    Parameters
    ----------
    trial : Trial
        The run; it knows its claim.
    computed, relation, claimed
        The two sides at the tightest case seen.
    domain : str
        What was covered.
    strongest : Verdict
        The strongest verdict that the check's own evidence allows, whatever the proof.
    interval, details
        As in :func:`refuted`.
    """
    failed = unconfirmed(trial)
    return Finding(
        verdict=Verdict.INCONCLUSIVE if failed else held(trial, strongest),
        computed=computed,
        claimed=claimed,
        relation=relation,
        domain=failed or domain,
        interval=interval,
        details=details or {},
    )


def weighed(
    against: bool,
    supports: bool,
    computed: Number | None,
    relation: Relation,
    claimed: Number,
    domain: str,
    witness: Mapping[str, Any],
    *,
    interval: tuple[float, float] | None = None,
    details: Mapping[str, Any] | None = None,
) -> Finding:
    """The finding of a sample or of an instance: what speaks against a claim weighs more.

    Parameters
    ----------
    against, supports : bool
        Whether it does; inconclusive if neither.  One instance alone never supports a claim.
    computed, relation, claimed
        The two sides.
    domain : str
        What was sampled or tried.
    witness : mapping
        What shows it, kept if it speaks against the claim.
    interval, details
        As in :func:`refuted`.
    """
    verdict = Verdict.SUPPORTED if supports else Verdict.INCONCLUSIVE
    return Finding(
        verdict=Verdict.REFUTED if against else verdict,
        computed=computed,
        claimed=claimed,
        relation=relation,
        domain=domain,
        interval=interval,
        witness=witness if against else None,
        details=details or {},
    )


def sampled_mean(
    trial: Trial,
    mean: Mean,
    claimed: float,
    domain: str,
    witness: Mapping[str, Any],
    *,
    details: Mapping[str, Any] | None = None,
) -> Finding:
    """The finding of a sample whose interval must hold the exact mean, of a claim with a proof.

    Inconclusive where the sample says nothing, since an interval without an end holds every mean.

    Parameters
    ----------
    trial, domain, details
        As in :func:`stands`.
    mean : Mean
        The sampled mean.
    claimed : float
        The exact one.
    witness : mapping
        What was run.
    """
    interval = mean.interval
    if claimed not in mean:
        return refuted(mean.value, "==", claimed, domain, witness, interval=interval)
    says_nothing = not all(map(isfinite, interval))
    return stands(
        trial,
        mean.value,
        "~",
        claimed,
        domain,
        strongest=Verdict.INCONCLUSIVE if says_nothing else Verdict.MACHINE_CHECKED,
        interval=interval,
        details=details,
    )


class Comparison(NamedTuple):
    """Two sides of one comparison of a check, and whether they stand as claimed.

    Parameters
    ----------
    holds : bool
        Whether they do; decided by the check, which knows how exact its sides are.
    computed, claimed : number
        The two sides.
    relation : Relation
        How the computed side must stand to the claimed one.
    what : str
        What is compared, if a check makes several comparisons.
    interval : (float, float), optional
        Of the computed side, where that is sampled.
    """

    holds: bool
    computed: Number
    relation: Relation
    claimed: Number
    what: str = ""
    interval: tuple[float, float] | None = None


def broken(
    comparisons: Iterable[Comparison],
    domain: str,
    witness: Mapping[str, Any],
    details: Mapping[str, Any] | None = None,
) -> Finding | None:
    """The finding that shows the first comparison that does not hold; None if all do."""
    for holds, computed, relation, claimed, what, interval in comparisons:
        if not holds:
            where = f"{what}: {domain}" if what else domain
            return refuted(
                computed, relation, claimed, where, witness, interval=interval, details=details
            )
    return None


class Cases:
    """Exact comparisons of one relation over a finite domain.

    Parameters
    ----------
    relation : Relation
        How the computed side must stand to the claimed one.
    """

    def __init__(self, relation: Relation) -> None:
        if relation not in ("<=", "==", ">="):
            raise InputError(f"cases stand by <=, == or >=, not by {relation!r}")
        self.relation = relation
        self.count = 0
        self.attained = 0
        self._tightest: tuple[Exact, Exact] | None = None
        self._slack = (1, 0)  # of the tightest: its gap over its size
        self._violation: Mapping[str, Any] | None = None
        self._broken = ""

    def add(self, computed: Exact, claimed: Exact, witness: Witness, what: str = "") -> bool:
        """Count one case; True if it violates the relation, and then no more need be added.

        Parameters
        ----------
        computed, claimed : int or Fraction
            The two sides.
        witness : callable or mapping
            Writes the case down, called only if it violates the relation; or the case itself.
        what : str
            What is compared, if it is not what the check measures: such a case is shown only as
            a violation.
        """
        self.count += 1
        over, under = _ratio(claimed)
        done, of = _ratio(computed)
        gap = over * of - done * under  # integers: fractions would be slower
        if self.relation == ">=":
            gap = -gap
        violated = gap != 0 if self.relation == "==" else gap < 0
        self.attained += gap == 0 and not what
        if violated:
            written = witness() if callable(witness) else witness
            self._tightest, self._violation = (computed, claimed), written
            self._broken = what
        elif self._violation is None and not what:
            self._compare(computed, claimed, gap, of * (abs(over) or under))
        return violated

    def _compare(self, computed: Exact, claimed: Exact, gap: int, size: int) -> None:
        """Keep, of the cases of least relative slack, the one of largest claimed side."""
        least, at = self._slack
        here, before = gap * at, least * size
        if self._tightest is not None and here == before:
            most = self._tightest[1]
            closer = max(claimed, -claimed) > max(most, -most)
        else:
            closer = self._tightest is None or here < before
        if closer:
            self._tightest, self._slack = (computed, claimed), (gap, size)

    def extend(self, found: Iterable[Case]) -> bool:
        """Count cases (computed, claimed, witness) up to the first that violates the relation."""
        return any(self.add(*case) for case in found)

    @property
    def violated(self) -> bool:
        """Whether a case broke the relation."""
        return self._violation is not None

    def finding(
        self,
        trial: Trial,
        domain: str,
        *,
        details: Mapping[str, Any] | None = None,
        strongest: Verdict = Verdict.CERTIFIED,
    ) -> Finding:
        """The verdict over all cases added.

        Parameters
        ----------
        trial : Trial
            The run; the claim's proof is consulted only for the claim as stated, not for
            planted versions.
        domain : str
            What was covered; the number of cases is put before it, and if one violates the
            relation, that it is the last of these: the check ends there.
        details : mapping, optional
            Further numbers.
        strongest : Verdict
            The verdict if no case violates the relation; the rung of the claim's proof stands
            in its place, unless it is inconclusive.  A step of the proof that is not confirmed
            makes the finding inconclusive.
        """
        computed, claimed = map(_shown, self._tightest) if self._tightest else (None, None)
        if self.violated:
            # Exact, however long: rounded sides could look equal where they are not.
            computed, claimed = self._tightest or (None, None)
            verdict = Verdict.REFUTED
        elif self.count == 0:
            verdict = Verdict.INCONCLUSIVE
        elif strongest is Verdict.INCONCLUSIVE or trial.variant or trial.policy:
            verdict = strongest
        elif failed := unconfirmed(trial):
            verdict, domain = Verdict.INCONCLUSIVE, failed
        else:
            verdict = rung(trial.label) or strongest
        number = f"{self.count:,} case{'s' * (self.count != 1)}"
        if self.violated:
            found = f"{self._broken}: " if self._broken else ""
            number = f"{found}the last of {number} tried"
            if self.count == 1:
                number = f"{found}the first case tried"
        return Finding(
            verdict=verdict,
            computed=computed,
            claimed=claimed,
            relation=self.relation,
            domain=f"{number}: {domain}",
            witness=self._violation,
            details={"cases": self.count, "attained": self.attained, **(details or {})},
        )


def without(
    trial: Trial,
    relation: Relation,
    dropped: Iterable[Case],
    kept: Iterable[Case],
    domain: str,
    *,
    control: str = "cases with the assumption",
    details: Mapping[str, Any] | None = None,
) -> Finding:
    """The finding of a search for a case that breaks a claim without one of its assumptions.

    Parameters
    ----------
    trial : Trial
        The run; its factor is put on the claimed side of the cases without the assumption.
    relation : Relation
        How the computed side must stand to the claimed one.
    dropped : iterable of Case
        Cases (computed, claimed, witness) without the assumption, smallest first; they are tried
        up to the first that breaks the relation.
    kept : iterable of Case
        The control: cases in which the assumption holds, all of which are tried.
    domain : str
        What was searched.
    control : str
        What the control's cases are.
    details : mapping, optional
        Further numbers.
    """
    cases, controls = Cases(relation), Cases(relation)
    cases.extend((found, claimed * trial.scale, witness) for found, claimed, witness in dropped)
    for case in kept:
        controls.add(*case)
    return cases.finding(
        trial,
        domain,
        details={
            **(details or {}),
            f"control: {control}": controls.count,
            "control: violations": int(controls.violated),
        },
        strongest=Verdict.INCONCLUSIVE,
    )


class Intervals:
    """Intervals that must lie on one side of their claimed bounds.

    Parameters
    ----------
    relation : "<=" or ">="
        How the sampled quantity must stand to the claimed side.

    Attributes
    ----------
    details : dict
        Numbers to keep, filled by the check and part of every finding.
    """

    def __init__(self, relation: Literal["<=", ">="]) -> None:
        self.relation: Literal["<=", ">="] = relation
        self.count = 0
        self.details: dict[str, Any] = {}
        self._tightest: tuple[float, Mean | Ratio, float] | None = None
        self._open: Finding | None = None

    def add(
        self, found: Mean | Ratio, claimed: float, where: str, witness: Mapping[str, Any]
    ) -> Finding | None:
        """Hold one interval against its bound; the finding that ends the check if it refutes it.

        It does if all of the interval lies beyond the bound.  If some of it does, the check is
        inconclusive, unless a later interval refutes it.
        """
        self.count += 1
        self.details["intervals"] = self.count
        upper = self.relation == "<="
        refuted = found.low > claimed if upper else found.high < claimed
        if refuted or (found.high > claimed if upper else found.low < claimed):
            failed = Finding(
                verdict=Verdict.REFUTED if refuted else Verdict.INCONCLUSIVE,
                computed=found.value,
                claimed=claimed,
                relation=self.relation,
                domain=where,
                interval=found.interval,
                witness=witness if refuted else None,
                details=self.details,
            )
            if refuted:
                return failed
            self._open = self._open or failed
        closeness = found.value / claimed if upper else -found.value / claimed
        if self._tightest is None or closeness > self._tightest[0]:
            self._tightest = closeness, found, claimed
        return None

    def finding(self, domain: str) -> Finding:
        """Supported, with the tightest of the intervals; inconclusive, with the first that was.

        At least one must have been added.
        """
        if self._open is not None:
            return self._open
        assert self._tightest is not None
        _, found, claimed = self._tightest
        return Finding(
            verdict=Verdict.SUPPORTED,
            computed=found.value,
            claimed=claimed,
            relation=self.relation,
            domain=domain,
            interval=found.interval,
            details=self.details,
        )
