from fractions import Fraction
from itertools import permutations, product
from math import prod
from typing import Any

import pytest

from evenkeel.findings.check import Verdict
from evenkeel.theorems.registry import checks, claim_of
from evenkeel.theorems.theorem1.ratio import _optimum_of_two_sizes
from tests.oracles.found import found


def test_a_policy_of_the_users_is_held_against_the_bound() -> None:
    check = checks()["warmup.bfio-upper"]
    finding = check.run(check.trial(policy="round_robin"))
    assert finding.verdict is Verdict.REFUTED
    assert finding.witness is not None
    assert finding.witness["policy"] == "round_robin"


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"G": 1}, "fewer than 2 workers"),
        ({"B": 5}, "B = 5 is below k = floor(log2 G) = 6"),
        ({"b": 1}, "sigma_s = 0"),
        ({"q": Fraction(1)}, "sigma_s = 0"),
    ],
)
def test_theorem_1_does_not_apply_outside_its_hypotheses(params: dict[str, Any], name: str) -> None:
    check = checks()["warmup.theorem-1"]
    finding = check.run(check.trial(**params))
    assert finding.verdict is Verdict.NOT_APPLICABLE
    assert name in finding.domain


def test_theorem_1_is_machine_checked_as_a_whole() -> None:
    finding = found("warmup.theorem-1").finding
    assert finding.verdict is Verdict.MACHINE_CHECKED


def test_the_numbers_of_theorem_1_by_hand() -> None:
    table = claim_of("warmup.theorem-1").numbers()
    # Sizes 1 or 2 at equal odds on two single slots: E|s_1 - s_2| = 1/2 over (2-1)(2-1), k = n =
    # kappa = 1 and sigma = 1/2; c = 2/(3 sqrt(6 ln 2)), so that the paper's form is 1/(3 sqrt 6).
    assert table.rows[0] == ("2", "1", "1 or 2, fair", "0.500", "0.500", "0.136", "1")
    assert 0.136 <= 1 / (3 * 6**0.5) < 0.137


def test_the_optimum_of_two_sizes_is_that_of_every_pool() -> None:
    # Three workers with two slots: all pools of six requests of sizes 0 or 1, by brute force.
    q, total = Fraction(1, 4), Fraction(0)
    for pool in product((0, 1), repeat=6):
        chance = prod(q if size else 1 - q for size in pool)
        loads = ([sum(order[i : i + 2]) for i in (0, 2, 4)] for order in permutations(pool))
        total += chance * min(3 * max(groups) - sum(groups) for groups in loads)
    assert _optimum_of_two_sizes(3, 2, 1, q) == total
