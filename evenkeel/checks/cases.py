"""Many exact cases of one claim: the tightest is kept, the first violation decides."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from evenkeel.checks.verdicts import rung
from evenkeel.evidence import Finding, Relation, Trial, Verdict

Exact = int | Fraction
Witness = Callable[[], Mapping[str, Any]]


def _shown(side: Exact) -> Exact | float:
    """The side as reported: a long fraction, compared exactly before, as a float."""
    long = isinstance(side, Fraction) and side.denominator > 10**6
    return float(side) if long else side


class Cases:
    """Exact comparisons of one relation over a finite domain.

    Parameters
    ----------
    relation : Relation
        How the computed side must stand to the claimed one.
    """

    def __init__(self, relation: Relation) -> None:
        self.relation = relation
        self.count = 0
        self.attained = 0
        self._tightest: tuple[Exact, Exact] | None = None
        self._key: tuple[Fraction, Fraction] | None = None
        self._violation: Mapping[str, Any] | None = None

    def add(self, computed: Exact, claimed: Exact, witness: Witness) -> bool:
        """Count one case; True if it violates the relation, and then no more need be added."""
        self.count += 1
        gap = Fraction(claimed) - Fraction(computed)
        if self.relation == ">=":
            gap = -gap
        violated = gap != 0 if self.relation == "==" else gap < 0
        self.attained += gap == 0
        # Of the cases of least relative slack the one of largest claimed side says most.
        size = abs(Fraction(claimed))
        key = gap / size if size else gap, -size
        if violated:
            self._tightest, self._violation = (computed, claimed), witness()
        elif self._violation is None and (self._key is None or key < self._key):
            self._tightest, self._key = (computed, claimed), key
        return violated

    @property
    def violated(self) -> bool:
        """Whether a case broke the relation."""
        return self._violation is not None

    def finding(
        self,
        trial: Trial,
        label: str,
        domain: str,
        *,
        details: Mapping[str, Any] | None = None,
        held: Verdict = Verdict.CERTIFIED,
    ) -> Finding:
        """The verdict over all cases added.

        Parameters
        ----------
        trial : Trial
            The run; a proof is consulted only for the claim as stated, not for planted versions.
        label : str
            The claim, for its proof.
        domain : str
            What was covered; the number of cases is put before it.
        details : mapping, optional
            Further numbers.
        held : Verdict
            The verdict if no case violates the relation; the rung of the claim's proof stands
            in its place, unless it is inconclusive.
        """
        computed, claimed = map(_shown, self._tightest) if self._tightest else (None, None)
        if self.violated:
            # Exact, however long: rounded sides could look equal where they are not.
            computed, claimed = self._tightest or (None, None)
            verdict = Verdict.REFUTED
        elif self.count == 0:
            verdict = Verdict.INCONCLUSIVE
        elif held is Verdict.INCONCLUSIVE or trial.variant or trial.policy:
            verdict = held
        else:
            verdict = rung(label) or held
        return Finding(
            verdict,
            computed,
            claimed,
            self.relation,
            f"{self.count:,} case{'s' * (self.count != 1)}: {domain}",
            witness=self._violation,
            details={"cases": self.count, "attained": self.attained, **(details or {})},
        )
