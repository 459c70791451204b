"""What every online policy leaves at least, and BF-IO at most, against plain enumeration."""

from fractions import Fraction
from itertools import islice, product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvers.schedule.online_optimum import least_expected_imbalance
from solvers.simulation.rich_pool import rich_pool_run
from theory.formulas.guaranteed import (
    best_offer,
    departure_moment,
    deviation_bound,
    excess_moment,
    guaranteed_imbalance,
    slot_moment,
)
from theory.formulas.rebalancing import unavoidable_imbalance
from theory.formulas.unavoidable import (
    largest_deviation,
    least_imbalance,
    reach,
    sorted_ages,
    window_deviations,
    window_imbalance,
)
from theory.model import InputError

HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)
TINY = st.sampled_from([(2, 1), (3, 1), (2, 2)])
CHANCE = st.sampled_from([HALF, QUARTER, Fraction(4, 5), Fraction(1, 3), Fraction(1, 50)])


# --- from below --------------------------------------------------------------------------------


@given(TINY, CHANCE, st.integers(0, 2), st.integers(1, 3))
def test_no_online_policy_is_below_a_window(system, p, d, steps):
    least = least_expected_imbalance(*system, p, (2, 2 + d), steps)
    for window in range(1, steps + 1):
        assert window_imbalance(*system, p, d, window, step=steps) <= least


@pytest.mark.parametrize(("workers", "slots", "p"), [(2, 1, HALF), (3, 2, QUARTER), (5, 3, HALF)])
def test_a_window_from_the_start_with_equal_sizes_is_exact(workers, slots, p):
    # All ages are 0 at the start, and sizes have no reach: the ages at the end are all there is.
    exact = unavoidable_imbalance(workers, slots, p, 0, step=3)
    found = window_imbalance(workers, slots, p, 0, 3, step=3)
    assert 0.995 * exact < found <= exact


def test_online_policies_can_do_nothing_about_equal_sizes():
    # Then E[Imb] is that of iid ages: at step 2, |A - A'| of two slots with p = 1/4.
    law = [QUARTER, QUARTER * 3 / 4, Fraction(9, 16)]
    wanted = sum(x * y * abs(i - j) for (i, x), (j, y) in product(enumerate(law), repeat=2))
    assert least_expected_imbalance(2, 1, QUARTER, (3, 3), 2) == wanted


def test_a_policy_that_knows_better_than_bfio():
    # One step: rich sizes can level whatever departs at age 1, so the least is 0 with d = 1.
    assert least_expected_imbalance(2, 1, HALF, (1, 2), 1) == 0
    assert least_expected_imbalance(2, 1, HALF, (1, 2), 2) > 0


@given(st.integers(1, 7), st.sampled_from([HALF, QUARTER]), st.integers(0, 2))
def test_groups_of_sorted_ages_have_the_mean_of_all(slots, p, beyond):
    groups = sorted_ages(slots, p, beyond)
    assert sum(n for n, _ in groups) == slots
    means = [mean for _, mean in groups]
    assert means == sorted(means, reverse=True)
    # E (A - k)^+ = (1-p)^(k+1) / p.
    mean = sum(n * mean for n, mean in groups) / slots
    assert float(mean) == pytest.approx(float((1 - p) ** (beyond + 1) / p), rel=1e-6)


def test_the_largest_deviation_of_coins():
    # Three workers, four slots of load 2: 2 E max (4/4 - Bin(4, 1/4)), by enumeration.
    law = [comb(4, k) * QUARTER**k * (1 - QUARTER) ** (4 - k) for k in range(5)]
    exact = sum(
        law[i] * law[j] * law[k] * 2 * (1 - min(i, j, k)) for i, j, k in product(range(5), repeat=3)
    )
    found = largest_deviation(3, [(1, Fraction(2)), (3, Fraction(2))], QUARTER)
    assert 0.99 * exact < found <= exact


@pytest.mark.parametrize("p", [Fraction(3, 5), Fraction(1, 10)])
def test_the_second_deviation_is_that_of_the_other_coin(p):
    # One step after a cold start, d = 1: all ages are 0, so e = 0 + 1 - 1 = 0; two steps after it
    # the ages are 0 or 1 and e is the chance of the latter, 1 - p, on one slot.
    assert window_deviations(3, 1, p, 1, 1, step=1)[1] == 0
    # E max of three coins less p: 1 - (1-p)^3 - p, times e.
    exact = (1 - (1 - p) ** 3 - p) * (1 - p)
    found = window_deviations(3, 1, p, 1, 1, step=2)[1]
    assert 0.99 * exact < found <= exact


def test_more_slots_than_a_window_sums_over_leave_the_bound_of_ages() -> None:
    system = 2, 2**31, Fraction(1, 5), 6
    assert least_imbalance(*system) == unavoidable_imbalance(*system)


def test_the_best_window_is_at_least_each():
    ages = unavoidable_imbalance(8, 10, Fraction(1, 5), 2)
    best = least_imbalance(8, 10, Fraction(1, 5), 2)
    assert best >= ages
    assert best >= window_imbalance(8, 10, Fraction(1, 5), 2, 2)
    assert reach(10, HALF, 3, 2) == Fraction(45, 2)


@pytest.mark.parametrize(
    "bad",
    [
        {"workers": 1},
        {"slots": 0},
        {"p": Fraction(0)},
        {"p": Fraction(1)},
        {"width": -1},
        {"window": 0},
        {"step": 1},
    ],
)
def test_windows_that_say_nothing_are_refused(bad):
    arguments = {"workers": 2, "slots": 1, "p": HALF, "width": 1, "window": 2} | bad
    with pytest.raises(InputError):
        window_deviations(**arguments)


# --- from above --------------------------------------------------------------------------------


def _worst_deviation(workers, slots, p, sizes, offered, steps):
    """``E sum_g (X_g + max Y - B p (y-x))^+``, ages of a cold start, sizes chosen for the worst."""
    x, y = offered
    ages = [(k + 1, p * (1 - p) ** k) for k in range(steps)] + [(steps + 1, (1 - p) ** steps)]
    n = workers * slots
    coins = [
        (gone, p ** sum(gone) * (1 - p) ** (n - sum(gone))) for gone in product((0, 1), repeat=n)
    ]
    total = Fraction(0)
    for drawn in product(ages, repeat=n):
        worst = Fraction(0)
        # The deviation is convex in every size: the worst ones are the ends.
        for chosen in product(set(sizes), repeat=n):
            loads = [s + age for s, (age, _) in zip(chosen, drawn, strict=True)]
            mean = Fraction(0)
            for gone, chance in coins:
                groups = [range(g * slots, (g + 1) * slots) for g in range(workers)]
                above = [sum((gone[i] - p) * (loads[i] - y) for i in group) for group in groups]
                below = max(sum((p - gone[i]) * (loads[i] - x) for i in group) for group in groups)
                mean += chance * sum(max(0, u + below - slots * p * (y - x)) for u in above)
            worst = max(worst, mean)
        chance = Fraction(1)
        for _, q in drawn:
            chance *= q
        total += chance * worst
    return total


@pytest.mark.parametrize(
    ("system", "p", "sizes", "offered", "steps"),
    [
        ((2, 1), HALF, (1, 2), (1, 2), 2),
        ((2, 1), QUARTER, (1, 5), (2, 4), 3),
        ((2, 2), HALF, (1, 3), (1, 3), 1),
        ((3, 1), QUARTER, (1, 3), (2, 3), 1),
    ],
)
def test_no_sizes_deviate_more_than_the_bound(system, p, sizes, offered, steps):
    worst = _worst_deviation(*system, p, sizes, offered, steps)
    assert 0 < worst <= deviation_bound(*system, p, sizes, offered)


@pytest.mark.parametrize(("G", "B", "p", "b"), [(4, 40, HALF, 5), (8, 60, QUARTER, 9)])
def test_bfio_stays_below_what_is_guaranteed(G, B, p, b):
    path = rich_pool_run(G, B, float(p), (1, b), np.random.default_rng(7))
    loads = np.array(list(islice(path, 400)))
    assert (G * loads.max(axis=1) - loads.sum(axis=1)).mean() <= guaranteed_imbalance(
        G, B, p, (1, b)
    )


def test_a_pair_of_sizes_costs_its_spacing():
    rich = guaranteed_imbalance(3, 50, HALF, (1, 4))
    # Three workers and spacing 3 lose 0 + 1 + 2 at worst.
    assert guaranteed_imbalance(3, 50, HALF, (1, 4), (1, 4)) == rich + 3 / HALF
    bound, pair = best_offer(3, 50, HALF, (1, 4), [1, 2, 4])
    assert bound == min(
        guaranteed_imbalance(3, 50, HALF, (1, 4), each) for each in ((1, 2), (2, 4), (1, 4))
    )
    assert pair in ((1, 2), (2, 4), (1, 4))


def test_sizes_beyond_what_a_float_can_tilt_have_a_bound():
    bounds = [guaranteed_imbalance(2, 1, HALF, (1, b)) for b in (10**4, 10**5, 10**6)]
    assert bounds == sorted(bounds)


def test_moments_without_a_tilt_are_one():
    assert departure_moment(HALF, 0) == 1
    assert abs(float(slot_moment(1e-9, HALF, 2, 3).mid()) - 1) < 1e-6
    # Too large a tilt has no mean: ages are only geometric.
    assert slot_moment(9.0, HALF, 0, 0) is None
    assert excess_moment(9.0, 2, 1, HALF, (1, 2), (1, 2)) is None


@pytest.mark.parametrize(
    "bad",
    [
        {"workers": 1},
        {"slots": 0},
        {"p": Fraction(0)},
        {"p": Fraction(1)},
        {"offered": (2, 2)},
        {"offered": (0, 2)},
        {"sizes": (3, 3)},
    ],
)
def test_theorem_2_does_not_apply_without_departures_or_two_sizes(bad):
    arguments = {"workers": 2, "slots": 1, "p": HALF, "sizes": (1, 3)} | bad
    with pytest.raises(InputError, match="two sizes"):
        deviation_bound(**arguments)


def test_an_offer_of_one_size_is_refused():
    with pytest.raises(InputError, match="two sizes"):
        best_offer(2, 1, HALF, (1, 3), [2, 2])


@pytest.mark.parametrize(
    "bad", [(0, 1, HALF, (1, 2), 1), (2, 4, HALF, (1, 2), 1), (2, 1, 2, (1, 2), 1)]
)
def test_systems_beyond_enumeration_are_refused(bad):
    with pytest.raises(InputError):
        least_expected_imbalance(*bad)
