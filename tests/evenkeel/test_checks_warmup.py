from evenkeel.evidence.check import Verdict
from evenkeel.theorems.registry import checks


def test_a_policy_of_the_users_is_held_against_the_bound() -> None:
    check = checks()["warmup.bfio-upper"]
    finding = check.run(check.trial(policy="round_robin"))
    assert finding.verdict is Verdict.REFUTED
    assert finding.witness is not None
    assert finding.witness["policy"] == "round_robin"
