from evenkeel.evidence import Verdict, checks


def test_below_the_frontier_the_claim_does_not_speak() -> None:
    check = checks()["geometric.bfio-upper"]
    finding = check.run(check.trial(grid=((16, 8, 0.05, 20),)))
    assert finding.verdict is Verdict.NOT_APPLICABLE


def test_a_bound_that_says_nothing_is_not_applicable() -> None:
    check = checks()["geometric.iir"]
    finding = check.run(check.trial(grid=((16, 600, 0.05, 100),)))
    assert finding.verdict is Verdict.NOT_APPLICABLE


def test_a_users_policy_is_held_against_the_bound() -> None:
    check = checks()["geometric.bfio-upper"]
    finding = check.run(check.trial(policy="least_loaded"))
    assert finding.verdict is Verdict.REFUTED
