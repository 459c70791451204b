"""The checks of dropped assumptions: windows, games, migrations and witnesses."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations, combinations_with_replacement

import numpy as np
import pytest

from adversary.instances.small_runs import ExactBFIO, backlog_imbalance
from adversary.witnesses.counterexamples import dispatch_value, least_migrated
from evenkeel.theorems.dropped_assumptions.forecasts import (
    IIR_WITNESS,
    LOOK_AHEAD_WITNESS,
    PREDICTION_WITNESS,
)
from evenkeel.theorems.dropped_assumptions.pools import condition_pools
from evenkeel.theorems.registry import checks
from solvers.simulation.reference import simulate_reference
from tests.oracles.lookahead_runs import average_imbalance
from theory.model import Requests, System


def run(label):
    check = checks()[label]
    return check.run(check.trial())


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


def least_refill(pool: tuple[int, ...], G: int, B: int) -> int:
    """Least imbalance of a full refill from a pool, by trying all of them."""

    def groups(left: tuple[int, ...], workers: int) -> Iterator[list[int]]:
        if not workers:
            yield []
        for chosen in combinations(range(len(left)), B) if workers else ():
            rest = tuple(x for i, x in enumerate(left) if i not in chosen)
            for loads in groups(rest, workers - 1):
                yield [sum(left[i] for i in chosen), *loads]

    return min(G * max(loads) - sum(loads) for loads in groups(pool, G))


@pytest.mark.parametrize(("G", "B", "width"), [(2, 1, 6), (3, 1, 4), (2, 2, 3)])
def test_minimal_pools_are_the_worst_of_all_that_meet_the_condition(G, B, width):
    slots = G * B

    def worst(pools):
        return max(
            (Fraction(least_refill(p, G, B), (G - 1) * (max(p) - min(p))) for p in pools),
            default=0,
        )

    every = [
        pool
        for n in range(slots + 1, 2 * slots + 1)
        for pool in combinations_with_replacement(range(1, width + 2), n)
        if pool[0] < pool[-1] and n - max(map(pool.count, pool)) >= slots
    ]
    minimal = [p for d in range(1, width + 1) for p in condition_pools(slots, d)]
    assert all(len(p) - max(map(p.count, p)) >= slots for p in minimal)
    assert 0 < len(minimal) < len(every)
    assert worst(minimal) == worst(every)


def test_pools_of_the_condition_by_hand():
    # Two slots: any class may go, so three sizes, or two of each of two.
    assert list(condition_pools(2, 2)) == [(1, 2, 3), (1, 1, 3, 3)]
    # 0, 1, 6 k, 9 k: {0, 1, 6 k} and {1, 6 k, 9 k} both leave 12 k - 1 of 18 k.
    assert least_refill((1, 2, 11, 16), 3, 1) == 19
    assert least_refill((1, 2, 9, 13), 3, 1) == 15


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
