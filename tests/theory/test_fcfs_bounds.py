"""Lower bounds of FCFS's imbalance from few workers and from moments, against outcomes tried."""

from fractions import Fraction
from itertools import product
from math import lcm, log, prod, sqrt

import pytest

from theory.formulas.constants import rare_share, uniform_constant
from theory.formulas.fcfs import explicit_bound, few_slots_square, log_growth_square
from theory.formulas.geometric import age_kurtosis, slot_kurtosis
from theory.formulas.tilting import tilted_tail, tilting_bounds
from theory.laws.fcfs_expectation import expected_imbalance, load_law
from theory.laws.law import Law
from theory.laws.slot_load import geometric_slot
from theory.laws.tournament import (
    best_tournament,
    largest_group,
    mean_lead,
    tournament_bound,
)
from theory.model import InputError

F = Fraction
FAIR = Law.uniform(1, 2)
SKEWED = {1: F(1, 5), 2: F(4, 5)}
LAWS = {
    "fair": {1: F(1, 2), 2: F(1, 2)},
    "skewed": SKEWED,
    "three": {0: F(1, 6), 1: F(1, 2), 4: F(1, 3)},
}


def lead(table, workers, slots):
    """``M(G, B)`` by trying every outcome."""
    scale = lcm(*(q.denominator for q in table.values()))
    weights = [(x, int(q * scale)) for x, q in table.items()]  # integers are quicker
    total = 0
    for outcome in product(weights, repeat=workers * slots):
        sizes = [x for x, _ in outcome]
        largest = max([sum(sizes[g::workers]) for g in range(workers)])
        total += largest * prod([w for _, w in outcome])
    mean = sum(x * q for x, q in table.items())
    return F(total, scale ** (workers * slots)) - slots * mean


def test_the_largest_group_is_the_integer_root_up_to_a_limit():
    for workers, rounds, most in product((*range(2, 70), 4095, 4096, 15**7), range(1, 9), (2, 9)):
        if 2**rounds <= workers:
            group = largest_group(workers, rounds, most)
            assert group**rounds <= workers
            assert group == most or workers < (group + 1) ** rounds


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize(("workers", "slots"), [(2, 1), (2, 3), (4, 1), (4, 2), (5, 2), (3, 3)])
def test_bounds_are_below_the_mean_of_all_outcomes(name, workers, slots):
    law, truth = Law.of(LAWS[name]), lead(LAWS[name], workers, slots)
    assert mean_lead(law, workers, slots) == truth
    for most in (2, 3, 16):
        assert tournament_bound(law, workers, slots, most) <= workers * truth
    assert tournament_bound(law, workers, slots) == workers * truth  # a group of all of them
    assert 0 < explicit_bound(law, workers, slots) <= workers * truth


def test_the_tournament_shares_its_slots_evenly():
    # Groups of 2 of 9 workers: 3 rounds with 2, 2 and 3 of 7 slots.
    one, more = lead(SKEWED, 2, 2), lead(SKEWED, 2, 3)
    two, rest = lead(SKEWED, 2, 3), lead(SKEWED, 2, 4)
    alone = lead(SKEWED, 2, 7)
    found = best_tournament(lambda g, n: lead(SKEWED, g, n), 9, 7, most=2)
    assert found.lead == max(2 * one + more, two + rest, alone)
    assert (found.group, found.rounds) == (2, 3)
    # Never more rounds than slots.
    assert best_tournament(lambda g, n: F(1), 2**10, 3, most=2).rounds == 3


def test_few_slots_by_hand():
    # Fair coin: sigma = 1/2, kappa = 1, G B sigma / 2.
    assert few_slots_square(F(1, 4), F(1, 16), 16, 3) == 12**2
    # With B = floor(log2 G) it is the bound of log-growth at n = 1.
    assert few_slots_square(F(2), F(7), 9, 3) == log_growth_square(F(2), F(7), 9, 3)


def test_the_explicit_bound_takes_the_form_that_applies():
    assert float(explicit_bound(FAIR, 16, 3)) == pytest.approx(12)
    # k = 4, n = 2: 16 * 4 / 2 * sqrt(2 / (6 - 1)).
    assert float(explicit_bound(FAIR, 16, 9)) == pytest.approx(32 * sqrt(2 / 5))
    # Rounded down also where mass is lost.
    whole, rounded = Law.uniform(1, 7), Law.uniform(1, 7).rounded(20)
    assert explicit_bound(rounded, 4, 3) <= explicit_bound(whole, 4, 3)
    assert float(explicit_bound(rounded, 4, 3)) == pytest.approx(
        float(explicit_bound(whole, 4, 3)), rel=1e-3
    )


@pytest.mark.parametrize("share", [F(1, 3), F(1, 5), F(1, 10), F(1, 100)])
def test_three_workers_of_one_slot_attain_the_upper_end(share):
    # Kurtosis 1/(e (1-e)) - 3; M(3, 1) = e - e^3 where the smaller size has probability e < 1/2.
    spread = share * (1 - share)
    kurtosis = 1 / spread - 3
    if kurtosis < 3:
        with pytest.raises(InputError, match="kurtosis of at least 3"):
            uniform_constant(kurtosis)
        return
    assert rare_share(float(kurtosis)) == pytest.approx(float(share))
    found = uniform_constant(kurtosis)
    attained = float(lead({1: share, 2: 1 - share}, 3, 1)) / sqrt(spread * log(3))
    assert float(found.upper) == pytest.approx(attained)
    assert float(found.lower) == pytest.approx(1 / sqrt(log(3) * (3 + kurtosis)))
    assert found.lower * (1 + share) == pytest.approx(found.upper)


def test_the_kurtosis_of_a_slot_is_that_of_its_law():
    sizes, p = Law.of(SKEWED), F(1, 3)
    law = geometric_slot(sizes, p)
    own = sizes.moment(4, sizes.mean.lower).lower / sizes.variance.lower**2
    centre = sizes.mean.lower + (1 - p) / p
    expected = float(law.moment(4, centre).lower / law.moment(2, centre).lower ** 2)
    found = slot_kurtosis(sizes.variance.lower, own, p)
    assert float(found) == pytest.approx(expected)
    assert found <= max(own, age_kurtosis(p))
    # Without spread of the sizes it is that of the age, whatever their kurtosis is called.
    assert slot_kurtosis(F(0), F(17), p) == age_kurtosis(p)


CONSTANT = Law.uniform(3, 3)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: explicit_bound(FAIR, 1, 1), "need G >= 2"),
        (lambda: explicit_bound(FAIR, 8, 0), "1 <= B <= floor"),
        (lambda: explicit_bound(CONSTANT, 8, 3), "a load that varies"),
        (lambda: explicit_bound(CONSTANT, 8, 2), "a load that varies"),
        (lambda: log_growth_square(F(1), F(3), 8, 2), r"B >= floor\(log2 G\)"),
        (lambda: few_slots_square(F(1), F(3), 8, 4), r"B <= floor\(log2 G\)"),
        (lambda: tournament_bound(FAIR, 1, 1), "needs G >= 2"),
        (lambda: tournament_bound(FAIR, 2, 0), "B >= 1"),
        (lambda: tournament_bound(FAIR, 2, 1, 1), "groups of 2 or more"),
    ],
)
def test_what_a_bound_does_not_apply_to_is_named(call, says):
    with pytest.raises(InputError, match=says):
        call()


def test_a_load_that_does_not_vary_has_no_lead():
    assert tournament_bound(CONSTANT, 8, 3) == 0


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("slots", [4, 30, 200])
def test_the_tilted_level_is_reached_with_the_chance_that_is_claimed(name, slots):
    load = load_law(Law.of(LAWS[name]), slots)
    mean = float(load.mean.lower)
    unit = sqrt(load.variance.lower)
    width = (max(LAWS[name]) - min(LAWS[name])) / unit
    for x, reach in product((0.5, 1.0, 2.0, 3.0), (0.4, 1.0, 1.5)):
        level, chance = tilted_tail(x, reach, x * width)
        above = sum(
            w
            for load_value, w in enumerate(load.weights, load.offset)
            if load_value >= mean + level * unit
        )
        assert above / load.scale >= chance * (1 - 1e-9)


def test_tilting_comes_near_as_workers_grow():
    shares = []
    for doublings in (10, 20, 40):
        workers = 2**doublings
        low, high = tilting_bounds(FAIR, workers, 2**14)
        exact = expected_imbalance(FAIR, workers, 2**14).imbalance
        assert low <= exact.upper
        assert exact.lower <= high
        shares.append(float(low / high))
    assert 0 < shares[0] < shares[1] < shares[2]
    # Both sides over G sigma sqrt(B ln G), sigma = 1/2, lie around sqrt(2).
    unit = workers / 2 * sqrt(2**14 * log(workers))
    assert float(low) / unit < sqrt(2) < float(high) / unit
