"""The bounds, one test a claim; ``--policy module:attribute`` holds them against a policy."""

import pytest

from evenkeel.evidence import Verdict, checks
from evenkeel.terminal import to_json
from theory.claims import claim
from theory.proof import stands


@pytest.mark.parametrize("label", checks())
def test_bound(label: str, user_policy: str | None) -> None:
    check = checks()[label]
    finding = check.run(check.trial(seed=1, policy=user_policy))
    story = (
        f"{label}: {finding.verdict}: {finding.computed} {finding.relation} {finding.claimed}; "
        f"{finding.domain}; witness {finding.witness}"
    )
    to_json([finding.witness, dict(finding.details)])
    if finding.verdict is Verdict.PROVED:
        proof = claim(label).proof
        assert proof is not None, story
        assert stands(proof()), f"{story}; no proof that sympy confirms"
    if user_policy is not None:
        if not finding.verdict.held and finding.verdict is not Verdict.REFUTED:
            pytest.skip(story)
        assert finding.verdict.held or not claim(label).holds, story
    elif finding.verdict is Verdict.NOT_CHECKED:
        assert not claim(label).recovered, story
    elif claim(label).open and finding.verdict is Verdict.INCONCLUSIVE:
        assert finding.interval is not None, story
    elif claim(label).holds:
        assert finding.verdict.held, story
    else:
        assert finding.verdict is Verdict.REFUTED, story
