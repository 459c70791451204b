"""The checks of dropped assumptions: windows, games, migrations and witnesses."""

from fractions import Fraction

import numpy as np
import pytest

from adversary.instances.small_runs import backlog_imbalance
from adversary.witnesses.counterexamples import dispatch_value, least_migrated
from evenkeel.theorems.dropped_assumptions.forecasts import (
    IIR_WITNESS,
    LOOK_AHEAD_WITNESS,
    PREDICTION_WITNESS,
)
from solvers.policies.exact_bfio import ExactBFIO
from solvers.simulation.reference import simulate_reference
from tests.oracles.found import found
from tests.oracles.lookahead_runs import average_imbalance
from theory.model import Requests, System


def run(label):
    return found(label).finding


@pytest.mark.parametrize(
    ("sizes", "lengths"),
    [((4, 4, 5, 6), (3, 2, 3, 2)), IIR_WITNESS, ((1, 3, 2, 5, 1), (2, 1, 4, 1, 3))],
)
@pytest.mark.parametrize("slots", [1, 2])
def test_no_window_is_the_engines_bfio(sizes, lengths, slots):
    reference = simulate_reference(
        System(2, slots), Requests(sizes, lengths), ExactBFIO(), pool=len(sizes)
    )
    assert average_imbalance(sizes, lengths, 2, slots, 0) == reference.total.avg_imbalance


@pytest.mark.parametrize("horizon", range(4))
@pytest.mark.parametrize("slots", [1, 2])
def test_the_policy_with_a_window_is_its_definition(horizon, slots):
    rng = np.random.default_rng(horizon)
    for _ in range(20):
        backlog = [rng.integers(1, 6, 4).tolist() for _ in range(3)]
        sizes, lengths, predicted = backlog
        for stated in (None, predicted):
            run = sizes, lengths, 2, slots, horizon, stated
            assert backlog_imbalance(*run) == average_imbalance(*run)


def test_a_window_by_hand():
    # G = 2, B = 1.  H = 0 takes 1, 1 (the first of length 2), then loads (2, 1) with the third,
    # then 2 alone or beside nothing: first step 0; second: load 2 meets 1 or 2, takes 2: 0; third:
    # the last 1 alone: 1.  So 1/3.
    sizes, lengths, window = LOOK_AHEAD_WITNESS
    assert backlog_imbalance(sizes, lengths, 2, 1, 0) == Fraction(1, 3)
    # H = 2 pays 0 + 0 + 0 for 1, 1 as well, but at the second step the request of load 2 departs,
    # which it knows: taking 2 costs 0 + 3 + 4, taking 1 costs 1 + 2 + 3.  It takes 1, and 2 is
    # left alone: 0 + 1 + 2 = 3 over three steps.
    assert backlog_imbalance(sizes, lengths, 2, 1, window) == 1


def test_predictions_matter_only_inside_the_window():
    sizes, lengths, wrong = PREDICTION_WITNESS
    assert backlog_imbalance(sizes, lengths, 2, 1, 0, wrong) == backlog_imbalance(
        sizes, lengths, 2, 1, 0
    )
    assert backlog_imbalance(sizes, lengths, 2, 1, 1, wrong) > backlog_imbalance(
        sizes, lengths, 2, 1, 1
    )


def test_games_by_hand():
    # One slot each: the adversary sends 0 and then the width; nothing to decide.
    assert dispatch_value(((0, 1), (0, 1)), 7) == 7
    # One free slot left: forced, and the adversary takes the worse of 0 and the width.
    assert dispatch_value(((0, 0), (3, 1)), 2) == 5
    assert dispatch_value(((4, 0), (3, 1)), 2) == 1


def test_migration_by_hand():
    assert least_migrated((1, 1, 2, 2), 2) == 0
    assert least_migrated((1, 1, 1, 4), 2) == 3


def test_dispatch_game_values():
    values = run("limits.immediate-dispatch").details
    assert values["G = 2, B = 2, b - a = 3"] == "3 against 3"
    assert values["G = 2, B = 2, b - a = 4"] == "5 against 4"


@pytest.mark.parametrize(
    "label",
    [
        "limits.overloaded",
        "limits.equal-slots",
        "limits.pool-condition",
        "limits.exact-step",
        "limits.ties",
        "limits.equal-lengths",
        "limits.immediate-dispatch",
        "limits.common-drift",
        "limits.stickiness",
    ],
)
def test_the_bound_holds_while_the_assumption_is_kept(label):
    details = run(label).details
    assert details["control: violations"] == 0
    assert max(value for key, value in details.items() if key.startswith("control: ")) >= 0


def test_fcfs_can_be_perfect_where_bfio_is_not():
    system, requests = System(2, 1), Requests(*IIR_WITNESS)
    pool = len(requests)
    assert simulate_reference(system, requests, "fcfs", pool=pool).total.imbalance == 0
    assert simulate_reference(system, requests, ExactBFIO(), pool=pool).total.imbalance == 6
