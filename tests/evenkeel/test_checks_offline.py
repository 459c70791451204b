"""The prices of the ladder, held against the integer program."""

from fractions import Fraction

import pytest

from evenkeel.findings.check import Verdict
from evenkeel.theorems.offline.domains import DOMAINS
from evenkeel.theorems.offline.prices import PRICES, _ladders
from evenkeel.theorems.registry import checks
from solvers.schedule.price_ladder import OPTIMA
from solvers.schedule.problem import OfflineProblem
from tests.oracles.found import found
from tests.oracles.schedule_milp import solve_offline_program
from theory.model import System


@pytest.mark.parametrize("number", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_the_dearest_instances_have_these_optima_by_the_program_too(number: int) -> None:
    domain = DOMAINS[number]
    for rung, label in enumerate(PRICES):
        requests, values = max(
            _ladders(domain, 1), key=lambda row: Fraction(row[1][rung + 1], row[1][rung])
        )
        assert Fraction(values[rung + 1], values[rung]) == PRICES[label][number]
        for (_, rule, conserving), value in zip(OPTIMA, values, strict=False):
            problem = OfflineProblem(System(*domain[:2]), requests, rule, conserving)
            program = solve_offline_program(problem)
            assert program.optimal
            assert program.totals.sum_max == value


def test_ladder_holds_and_its_faults_are_caught_at_another_seed() -> None:
    check = checks()["offline.ladder"]
    assert check.run(check.trial(seed=7)).verdict is Verdict.ARGUED
    assert all(check.power(seed=7).values())


def test_the_ladder_is_about_backlogs_that_are_seen_whole() -> None:
    check = checks()["offline.ladder-timed"]
    finding = found(check.label).finding
    assert finding.verdict is Verdict.REFUTED
    # Four slots filled at once cost 2 whether the 2 is among them or comes last.
    assert (finding.computed, finding.claimed) == (0, 2)
    assert finding.details["control: violations"] == 0
    # JSQ puts a 1 beside the 2, so it is the policy that looks at loads that breaks the ladder.
    assert finding.witness is not None
    assert finding.witness["policy"] == "least_loaded"
    short = found(check.label, check.plants[1]).finding
    assert short.witness is not None
    assert (short.witness["pool"], short.witness["arrival"]) == (3, False)


@pytest.mark.parametrize("rung", range(4))
def test_the_prices_cover_every_domain_that_the_statement_names(rung: int) -> None:
    label = list(PRICES)[rung]
    finding = found(label).finding
    assert finding.details["cases"] == len(DOMAINS) == len(PRICES[label])


def test_a_policy_of_ones_own_is_held_against_the_optimum() -> None:
    check = checks()["offline.ladder"]
    finding = check.run(check.trial(policy="always_busiest"))
    assert finding.verdict is Verdict.CERTIFIED
    assert "always_busiest" in finding.domain
