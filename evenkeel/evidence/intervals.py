"""Intervals of samples held against a bound: the tightest is kept, the first in doubt decides."""

from collections.abc import Mapping
from typing import Any, Literal

from evenkeel.evidence.check import Finding, Verdict
from evenkeel.evidence.statistics import Mean, Ratio


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

    def add(
        self, found: Mean | Ratio, claimed: float, where: str, witness: Mapping[str, Any]
    ) -> Finding | None:
        """Hold one interval against its bound; the finding that ends the check if it fails.

        Refuted if all of the interval lies beyond the bound, inconclusive if some of it does.
        """
        self.count += 1
        self.details["intervals"] = self.count
        upper = self.relation == "<="
        refuted = found.low > claimed if upper else found.high < claimed
        if refuted or (found.high > claimed if upper else found.low < claimed):
            return Finding(
                Verdict.REFUTED if refuted else Verdict.INCONCLUSIVE,
                found.value,
                claimed,
                self.relation,
                where,
                found.interval,
                witness if refuted else None,
                self.details,
            )
        closeness = found.value / claimed if upper else -found.value / claimed
        if self._tightest is None or closeness > self._tightest[0]:
            self._tightest = closeness, found, claimed
        return None

    def finding(self, domain: str) -> Finding:
        """Supported, with the tightest of the intervals; at least one must have been added."""
        assert self._tightest is not None
        _, found, claimed = self._tightest
        return Finding(
            Verdict.SUPPORTED,
            found.value,
            claimed,
            self.relation,
            domain,
            found.interval,
            details=self.details,
        )
