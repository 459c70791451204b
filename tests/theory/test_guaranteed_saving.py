"""The saving that Theorems 1 and 4 guarantee: values by hand, enclosures over every B, caps."""

from dataclasses import replace
from fractions import Fraction
from math import log

import pytest

from theory.formulas.guaranteed_saving import (
    best_guaranteed_saving,
    closed_imbalance,
    fourth_moment,
    growth_saving,
    guaranteed_saving,
    most_promised,
    promised,
    refill_ratios,
    saving_limit,
    saving_limit_at,
    slots_above,
)
from theory.formulas.vacuity import Lengths, refill_imbalance
from theory.laws.law import Law
from theory.model import InputError
from theory.power import PowerModel, hardware

POWER = hardware("a100-paper")
FULL = replace(POWER, wait_w=400.0)
FREE = PowerModel(0.0, 400.0, 0.7)
FAIR = Lengths.of("fair 1 or 2", Law.uniform(1, 2), Fraction(1))
UNIFORM = Lengths.of("uniform 1..20", Law.uniform(1, 20), Fraction(1, 10))


def test_the_promise_has_a_largest_value() -> None:
    best, slots = best_guaranteed_saving(UNIFORM, 32, POWER, 2**10)
    assert 1 < slots < 2**10
    assert 0 < best < Fraction(1, 10)
    assert guaranteed_saving(UNIFORM, 32, 1, POWER) == 0
    assert guaranteed_saving(UNIFORM, 32, 2 * slots, POWER) < best


def test_two_workers_of_four_slots_by_hand() -> None:
    # E|Bin(8) - 4| = 4 C(8, 4) / 2^8 = 35/32 over a work of 2 * 4 * 3/2: eta0 = 35/384, eta1 =
    # 1/12 = 32/384.  At full power D = P_max: 3/384 over 419/384.
    assert guaranteed_saving(FAIR, 2, 4, FULL) == Fraction(3, 419)
    # At 100 W: (100 * 35 - 190 * 32) / (400 * 384 + 100 * 35), which is negative.
    assert promised(FAIR, 2, 4, POWER, Fraction(35, 32)) == Fraction(3500 - 6080, 153600 + 3500)
    assert guaranteed_saving(FAIR, 2, 4, POWER) == 0
    # Output lengths of 3 add one to every size: work 20, (35/640 - 32/640) / (1 + 35/640).
    assert guaranteed_saving(FAIR, 2, 4, FULL, 3) == Fraction(3, 675)


def test_the_closed_bound_by_hand() -> None:
    # G = 2: k = 1, n = 4, v = 1/4, kappa = 1: 4 * 1/4 * 4 / (6 - 2/4) = 8/11.
    found = closed_imbalance(FAIR, 2, 4)
    assert 0 <= Fraction(8, 11) - found**2 <= Fraction(1, 10**30)
    assert growth_saving(FAIR, 2, 4, FULL) == 0  # 0.85 against (G-1)(b-a) = 1
    # It never passes exact FCFS, and says nothing with fewer than log2 G slots.
    for workers, slots in ((2, 1), (8, 3), (8, 64), (32, 40)):
        assert (
            closed_imbalance(UNIFORM, workers, slots)
            <= refill_imbalance(UNIFORM, workers, slots).upper
        )
    assert closed_imbalance(UNIFORM, 32, 4) == 0


def test_the_fourth_moment_of_floored_sizes_is_an_upper_bound() -> None:
    three = Lengths.of("1..3", Law.uniform(1, 3), Fraction(1))
    assert fourth_moment(three) == Fraction(2, 3)
    exact = fourth_moment(UNIFORM)
    for cell in (2, 3, 5):
        rough = replace(UNIFORM, floors=UNIFORM.known.coarsened(cell), cell=cell)
        found = fourth_moment(rough)
        # The remainder moves the fourth root by at most cell - 1, forth and back.
        assert exact <= found
        assert float(found) ** 0.25 <= float(exact) ** 0.25 + 2 * (cell - 1)
    with pytest.raises(InputError, match="law of its sizes"):
        fourth_moment(replace(UNIFORM, floors=None))


@pytest.mark.parametrize("power", [POWER, FULL, FREE, hardware("v100-sxm2")])
@pytest.mark.parametrize("workers", [2, 9])
def test_every_number_of_slots_is_enclosed(power: PowerModel, workers: int) -> None:
    grid = (1, 2, 5, 12, 30, 64)
    ratios = refill_ratios(UNIFORM, [workers], grid)[workers]
    most, best = most_promised(ratios, power)
    every = {b: guaranteed_saving(UNIFORM, workers, b, power) for b in (*range(1, 80), 200, 700)}
    assert max(every.values()) <= most.upper
    # Rounded outwards to 2^-64.
    assert 0 <= max(every[b] for b in grid) - most.lower <= Fraction(1, 2**50)
    assert best in grid
    # No more imbalance a unit of work with more slots.
    shares = [refill_imbalance(UNIFORM, workers, b).upper / b for b in (1, 2, 3, 7, 8, 40)]
    assert shares == sorted(shares, reverse=True)
    for saving in (Fraction(0), Fraction(1, 200), Fraction(1, 20)):
        above = [b for b in grid if every[b] > saving]
        expected = (above[0], above[-1]) if above else None
        assert slots_above(ratios, power, saving) == expected


@pytest.mark.parametrize("power", [POWER, FULL])
def test_the_caps_hold_and_are_the_formulas(power: PowerModel) -> None:
    wait, waste = power.barrier_w, power.waste_w
    for x, mean, range_ in ((FAIR, 1.5, 1), (UNIFORM, 10.5, 19)):
        spread = (x.largest - mean) / mean
        limit = wait * spread / (400 + wait * spread)
        assert float(saving_limit(x, power)) == pytest.approx(limit)
        for workers in (2, 32, 1024):
            cap = wait**2 * range_ / mean * log(workers) * workers / (workers - 1)
            at = saving_limit_at(x, workers, power)
            assert float(at) == pytest.approx(cap / (8 * 400 * waste))
            for slots in (1, 5, 20, 80):
                assert guaranteed_saving(x, workers, slots, power) <= min(
                    at, saving_limit(x, power)
                )


def test_nothing_is_promised_where_waiting_costs_nothing() -> None:
    assert saving_limit(UNIFORM, FREE) == saving_limit_at(UNIFORM, 32, FREE) == 0
    assert guaranteed_saving(UNIFORM, 32, 40, FREE) == 0
    # Nor does D = 0 divide: gamma = 1 as well.
    free = PowerModel(0.0, 400.0, 1.0)
    assert saving_limit_at(UNIFORM, 32, free) == guaranteed_saving(UNIFORM, 32, 40, free) == 0
