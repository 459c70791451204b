"""The bounds, one test a claim; ``--policy module:attribute`` holds them against a policy.

Each is followed by the false versions that are planted beside it, all of which are caught: a
simulation that they share is done once.
"""

from pathlib import Path

import pytest
from test_edges import COVERED

from evenkeel.findings.check import Finding, Verdict
from evenkeel.findings.verdicts import rung
from evenkeel.output import to_json, write_text
from evenkeel.theorems.registry import checks, claim_of
from tests.oracles.found import found

# Their runs are long, 256 workers or far horizons: the report of every run shows their power too.
LONG = {
    "experiment.bounded-waiting",
    "experiment.energy28",
    "experiment.energy28-completed",
    "experiment.lookahead",
    "experiment.lookahead-saving",
    "experiment.scale",
    "experiment.scale-slots",
    "experiment.starvation",
    "experiment.stops-early",
    "experiment.throughput92",
}


def as_asserted(label: str, finding: Finding) -> bool:
    """Whether a finding says of the claim what is asserted of it."""
    if finding.verdict is Verdict.NOT_CHECKED:
        return not claim_of(label).recovered
    if claim_of(label).open and finding.verdict is Verdict.INCONCLUSIVE:
        return finding.interval is not None
    return finding.verdict.held if claim_of(label).holds else finding.verdict is Verdict.REFUTED


# Of this scope, so that pytest runs all tests of one claim before those of the next.
@pytest.mark.parametrize("label", checks(), scope="module")
def test_bound(label: str, user_policy: str | None, tmp_path: Path) -> None:
    if user_policy is None:
        finding = found(label).finding
    else:
        check = checks()[label]
        finding = check.hold(check.trial(policy=user_policy))
    to_json(dict(finding.details))
    story = (
        f"{label}: {finding.verdict}\n  {finding.computed} {finding.relation} {finding.claimed}\n"
        f"  {finding.domain}"
    )
    if finding.witness is not None:
        file = tmp_path / f"{label}.json"
        write_text(file, to_json(finding.witness) + "\n")
        story += f"\n  witness {file}"
    if finding.verdict in (Verdict.MACHINE_CHECKED, Verdict.PROVED, Verdict.ARGUED):
        assert finding.verdict is rung(label), f"{story}\n  its proof does not carry that far"
    if user_policy is None and finding.verdict.is_settled:
        assert label in COVERED, f"{story}\n  held at no edge: see tests/bounds/test_edges.py"
    if user_policy is not None:
        if not finding.verdict.held and finding.verdict is not Verdict.REFUTED:
            pytest.skip(f"{finding.verdict}: {finding.domain}")
        right = finding.verdict.held or not claim_of(label).holds
    else:
        right = as_asserted(label, finding)
    if not right:
        pytest.fail(story, pytrace=False)


@pytest.mark.parametrize(
    "label",
    [pytest.param(k, marks=pytest.mark.slow) if k in LONG else k for k in checks()],
    scope="module",
)
def test_every_planted_false_version_is_caught(label: str, user_policy: str | None) -> None:
    if user_policy is not None:
        pytest.skip("false versions are planted in the claim as stated")
    for plant in checks()[label].plants:
        finding = found(label, plant).finding
        assert finding.verdict is Verdict.REFUTED, (plant.name, finding)
        # What it shows is a violation: of the claimed side, by the computed one.
        assert finding.margin is None or finding.margin <= 0, (plant.name, finding)
        # Equal sides violate a strict order, no equality.
        assert finding.margin != 0 or finding.relation != "==", (plant.name, finding)


@pytest.mark.slow
@pytest.mark.parametrize("label", checks())
def test_bound_at_another_seed(label: str) -> None:
    finding = found(label, seed=1).finding
    assert as_asserted(label, finding), finding


def test_what_takes_long_is_a_claim() -> None:
    assert {label for label, check in checks().items() if check.plants} >= LONG
