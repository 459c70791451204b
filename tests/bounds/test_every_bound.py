"""The bounds, one test a claim; ``--policy module:attribute`` holds them against a policy."""

from pathlib import Path

import pytest
from test_edges import COVERED

from evenkeel.findings.check import Verdict
from evenkeel.findings.verdicts import rung
from evenkeel.output import to_json, write_text
from evenkeel.theorems.registry import checks, claim_of


@pytest.mark.parametrize("label", checks())
def test_bound(label: str, user_policy: str | None, tmp_path: Path) -> None:
    check = checks()[label]
    finding = check.hold(check.trial(seed=1, policy=user_policy))
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
    elif finding.verdict is Verdict.NOT_CHECKED:
        right = not claim_of(label).recovered
    elif claim_of(label).open and finding.verdict is Verdict.INCONCLUSIVE:
        right = finding.interval is not None
    elif claim_of(label).holds:
        right = finding.verdict.held
    else:
        right = finding.verdict is Verdict.REFUTED
    if not right:
        pytest.fail(story, pytrace=False)
