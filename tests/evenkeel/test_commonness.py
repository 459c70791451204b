"""Where the recursions need a common drift: the witnesses are the smallest, by a second way."""

from fractions import Fraction
from itertools import product

import pytest

from adversary.witnesses.gallery import gallery
from evenkeel.findings.check import Verdict
from evenkeel.theorems.theorem3.commonness import State, states
from tests.oracles.found import found
from theory.formulas.departures import Departures, deviation

HALF = Fraction(1, 2)


def by_definition(rows, growth, gone, slots, a, b, p):
    """V', Imb' and what the recursion allows each, request by request and load by load."""
    G, B = len(rows), min(slots)
    before = [sum(row) for row in rows]
    grown = [[w + d for w, d in zip(*pair, strict=True)] for pair in zip(rows, growth, strict=True)]
    X, Y, ends = [], [], []
    for ws, outs, most in zip(grown, gone, slots, strict=True):
        X.append(sum(((1 if out else 0) - p) * (w - b) for w, out in zip(ws, outs, strict=True)))
        Y.append(sum((p - (1 if out else 0)) * (w - a) for w, out in zip(ws, outs, strict=True)))
        stay = [w for w, out in zip(ws, outs, strict=True) if not out]
        free = most - len(stay)
        ends.append(range(sum(stay) + free * a, sum(stay) + free * b + 1))
    # From a rich pool every load between the ends can be reached.
    after = [(G * max(x) - sum(x), max(x) - min(x)) for x in product(*ends)]
    least = min(after)[0]
    spread = max(v for imb, v in after if imb == least)
    V, imbalance = max(before) - min(before), G * max(before) - sum(before)
    allowed = max(0, (1 - p) * V + max(X) + max(Y) - B * p * (b - a))
    lacking = sum(max(0, x + max(Y) - B * p * (b - a)) for x in X)
    return spread, allowed, least, (1 - p) * imbalance + lacking


def parts(state: State):
    return [[[r[column] for r in row] for row in state.workers] for column in range(3)]


@pytest.mark.parametrize("a, b", [(1, 1), (1, 2), (2, 4)])  # noqa: PT006
def test_the_step_is_that_of_the_definition(a, b):
    for slots in ((1, 1), (1, 2)):
        for state in states(slots, 2, (0, 1)):
            step = state.step
            found = by_definition(*parts(state), slots, a, b, HALF)
            assert step.spread_bound(a, b, HALF) == found[1]
            assert step.imbalance_bound(a, b, HALF) == found[3]
            lowest, highest = step.refilled(a), step.refilled(b)
            assert max(0, max(lowest) - min(highest)) == found[0]


def test_a_state_by_hand():
    # One slot, load 1, no growth: it is empty, or its request stays or departs.
    assert [state.workers for state in states((1,), 1, (0,))] == [
        ((),),
        (((1, 0, False),),),
        (((1, 0, True),),),
    ]
    # Two such workers can be exchanged, a worker of one slot and one of two cannot.
    assert len(list(states((1, 1), 1, (0,)))) == 6
    assert len(list(states((1, 2), 1, (0,)))) == 3 * 6
    state = State((((1, 2, False),), ()), (1, 2))
    assert not state.is_full
    assert state.is_common
    assert state.step.kept == (3, 0)
    assert state.step.free == (0, 2)
    assert state.step.gains(5) == (2, 10)


def test_deviations_in_whole_numbers():
    # p = 1/3: X = (2/3)(5 - 2) - (1/3)(1 - 2) = 7/3.
    assert deviation(5, 1, 6, 2, 2, Fraction(1, 3)) == Fraction(7, 3)
    assert deviation(5, 1, 6, 2, 2, 1, 3) == 7
    step = Departures([[5, 1]], [[True, False]])
    assert step.X(2, Fraction(1, 3)) == [Fraction(7, 3)]


NEEDED = {
    "drift.own-growth": lambda state: state.is_full and len(set(state.slots)) == 1,
    "drift.empty-slots": lambda state: state.is_common and len(set(state.slots)) == 1,
    "drift.unequal-slots": lambda state: state.is_common and state.is_full,
}


@pytest.mark.parametrize("label", NEEDED)
def test_the_stored_witness_is_the_smallest(label):
    """No state of fewer slots, or of as many with less load and growth, is above the bound."""
    [witness] = [entry for entry in gallery() if entry.claim == label]
    it = witness.instance
    spread, allowed, imbalance, lost = by_definition(
        it.rows, it.growth, it.gone, it.slots, *it.sizes, Fraction(*it.p)
    )
    assert spread > allowed
    assert imbalance > lost
    weight = sum(map(sum, it.rows)) + sum(map(sum, it.growth))
    for slots in [(1,), (2,), (1, 1), (1, 2), (1, 1, 1)]:
        for state in states(slots, weight, range(weight + 1)):
            rows, growth, gone = parts(state)
            size = sum(map(sum, rows)) + sum(map(sum, growth))
            smaller = (sum(slots), size) < (sum(it.slots), weight)
            if NEEDED[label](state) and smaller:
                found = by_definition(rows, growth, gone, slots, 1, 1, HALF)
                assert found[0] <= found[1]
                assert found[2] <= found[3]


@pytest.mark.parametrize("label", NEEDED)
def test_the_check_finds_the_stored_witness(label):
    [witness] = [entry for entry in gallery() if entry.claim == label]
    finding = found(label).finding
    assert finding.verdict is Verdict.REFUTED
    assert finding.computed == witness.expected["next_spread"]
    assert str(finding.claimed) == witness.expected["spread_allowed"]
    assert finding.details["control: cases with the assumption"] > 100
    assert finding.details["control: violations"] == 0
    requests = [
        list(zip(*columns, strict=True))
        for columns in zip(
            witness.instance.rows, witness.instance.growth, witness.instance.gone, strict=True
        )
    ]
    assert [list(row) for row in finding.witness["requests"]] == requests


def test_two_sizes_need_a_common_growth_too():
    # Loads 1 and 1, growths 0 and 1, nobody departs, x = 1 and delta = 1, so that the spacing
    # costs nothing: X at 2 is -p (1 - 2) = p and 0, Y at 1 is 0 and p; (p + p - p) + (p - p) = p.
    [witness] = [entry for entry in gallery() if entry.claim == "drift.own-growth"]
    it = witness.instance
    step = Departures(it.rows, [[False], [False]], it.growth, it.slots)
    assert step.imbalance_bound(1, 2, HALF) == HALF
    assert step.spread_bound(1, 2, HALF) == HALF


def test_the_growth_of_language_models_spares_empty_slots():
    """At drift 1 and sizes from 1 on the recursion stands, however many slots are empty."""
    tight = 0
    for slots in ((1, 1), (2, 2), (1, 1, 1)):
        for state in states(slots, 3 if max(slots) == 1 else 2, (1,)):
            for b in (1, 2):
                spread, allowed, imbalance, lost = by_definition(
                    *parts(state), slots, 1, b, Fraction(1, 3)
                )
                assert spread <= allowed
                assert imbalance <= lost
                tight += spread == allowed > 0
    assert tight > 0
