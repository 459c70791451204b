"""Enclosures where what they allow for is large: much mass lost, fat tails, coarse lattices.

The truth is always a finite law in exact rationals, added up here by lists of its values.  A
:class:`Law` then forgets a part of it, and every truth that fits what is left must lie inside,
within a width that is derived beside the test.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product
from math import comb, log, sqrt

import pytest
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from theory.laws import fcfs_expectation as expectation
from theory.laws import fcfs_moments as moments
from theory.laws import slot_load as slots
from theory.laws.fcfs_expectation import (
    Expectation,
    expected_imbalance,
    expected_maximum,
    from_ball,
    load_law,
    on_lattice,
    remainder_bound,
    square_root,
    to_ball,
)
from theory.laws.fcfs_moments import spread
from theory.laws.law import Enclosure, Law
from theory.laws.slot_load import geometric_slot, joint_slot, renewals
from theory.model import InputError

F = Fraction
Table = dict[int, Fraction]

HALF = F(1, 2)
TINY = F(1, 2**60)  # far above the rounding of 80 bits, far below everything else


# The truth.


def mean(table: Table) -> Fraction:
    return sum((x * q for x, q in table.items()), F(0))


def variance(table: Table) -> Fraction:
    return sum(((x - mean(table)) ** 2 * q for x, q in table.items()), F(0))


def total(table: Table, copies: int) -> Table:
    """The law of a sum of independent copies."""
    result = {0: F(1)}
    for _ in range(copies):
        longer: Table = {}
        for (x, p), (y, q) in product(result.items(), table.items()):
            longer[x + y] = longer.get(x + y, F(0)) + p * q
        result = longer
    return result


def largest(table: Table, copies: int, order: int = 1) -> Fraction:
    """``E[max^order]``: each value times the chance that it is the largest."""
    result, below = F(0), F(0)
    for x in sorted(table):
        result += x**order * ((below + table[x]) ** copies - below**copies)
        below += table[x]
    return result


def imbalance(table: Table, workers: int, copies: int) -> Fraction:
    load = total(table, copies)
    return workers * (largest(load, workers) - mean(load))


def over_outcomes(
    table: Table, workers: int, copies: int, value: Callable[[list[int]], Fraction]
) -> Fraction:
    """Mean of a function of the loads, outcome by outcome."""
    load, result = total(table, copies), F(0)
    for outcome in product(load.items(), repeat=workers):
        weight = F(1)
        for _, q in outcome:
            weight *= q
        result += weight * value([x for x, _ in outcome])
    return result


def square(loads: list[int]) -> Fraction:
    return F(len(loads) * max(loads) - sum(loads)) ** 2


def share(loads: list[int]) -> Fraction:
    return 1 - F(sum(loads), len(loads) * max(loads))


# What a law forgets of it.


def capped(table: Table, bound: int) -> Law:
    """The law of ``min(Y, bound)``, which knows of ``Y`` the mean square beyond the bound only."""
    low: Table = {}
    for x, q in table.items():
        low[min(x, bound)] = low.get(min(x, bound), F(0)) + q
    law = Law.of(low)
    beyond = sum((max(0, x - bound) ** 2 * q for x, q in table.items()), F(0))
    return Law(law.offset, law.weights, law.scale, bound, beyond)


def forgetful(table: Table, lost: Fraction, bound: int) -> tuple[Law, list[Table]]:
    """A law that lists ``table`` with the rest unknown, and truths that differ in the rest."""
    law = Law.of({x: q / (1 - lost) for x, q in table.items()})
    scale = law.scale * lost.denominator
    kept = lost.denominator - lost.numerator
    law = Law(law.offset, tuple(w * kept for w in law.weights), scale, bound)
    truths = []
    for x in range(law.offset, bound + 1):
        truths.append(dict(table))
        truths[-1][x] = truths[-1].get(x, F(0)) + lost
    return law, truths


FORGETFUL = [
    forgetful({1: HALF}, HALF, 11),
    forgetful({1: F(3, 4), 2: F(1, 8)}, F(1, 8), 6),
    forgetful({3: F(1, 10), 4: F(89, 100)}, F(1, 100), 20),
    forgetful({2: F(1, 3), 9: F(1, 2)}, F(1, 6), 9),
]

# A table, and the bound that cuts it.
FAT = [
    ({1: HALF, 11: HALF}, 2),
    ({1: F(99, 100), 2: F(1, 100)}, 1),
    ({1: F(9, 10), 2: F(1, 20), 40: F(1, 20)}, 3),
    ({2: F(1, 3), 5: F(1, 3), 6: F(1, 3)}, 4),
]


@pytest.fixture
def rough(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Lets probabilities have few binary digits, and nothing be kept exact."""

    def at(bits: int) -> None:
        load_law.cache_clear()
        monkeypatch.setattr(slots, "BITS", bits)
        monkeypatch.setattr(slots, "EXACT_BITS", 0)
        monkeypatch.setattr(expectation, "BITS", bits)
        monkeypatch.setattr(expectation, "EXACT_WORK", 0)
        monkeypatch.setattr(moments, "EXACT_FRACTIONS", 0)
        monkeypatch.setattr(Law.rounded, "__defaults__", (bits,))

    yield at
    load_law.cache_clear()


# Enclosures and balls.


def test_arithmetic_of_enclosures() -> None:
    x, y = Enclosure(F(1), F(2)), Enclosure(F(-3), F(5))
    assert x + y == Enclosure(F(-2), F(7))
    assert x - y == Enclosure(F(-4), F(5))
    assert y * 2 == Enclosure(F(-6), F(10))
    assert y * F(-1, 3) == Enclosure(F(-5, 3), F(1))
    assert all(end in y for end in (-3, 0.5, F(5)))
    assert not any(outside in y for outside in (F(-301, 100), 5.01))
    assert (y.value, float(y), y.exact, Enclosure(F(1), F(1)).exact) == (1, 1, False, True)
    with pytest.raises(InputError):
        Enclosure(F(2), F(1))


def test_enclosures_are_shown_with_half_their_width() -> None:
    assert str(Enclosure(F(2, 3), F(2, 3))) == "2/3"
    assert str(Enclosure(F(1, 10**6), F(1, 10**6))) == "1e-06"
    assert str(Enclosure(F(999_999, 10**6), F(999_999, 10**6))) == "0.999999"
    assert str(Enclosure(F(1, 999_999), F(1, 999_999))) == "1/999999"
    assert str(Enclosure(F(1), F(2))) == "1.5 ± 0.5"


def test_a_ball_gives_both_of_its_ends() -> None:
    ends = from_ball(arb(1, 0.25))
    assert F(7, 10) < ends.lower <= F(3, 4)
    assert F(5, 4) <= ends.upper < F(13, 10)
    with ctx.workprec(4):
        third = from_ball(to_ball(F(1, 3)))
    assert third.lower < F(1, 3) < third.upper
    assert third.upper - third.lower < F(1, 10)
    with pytest.raises(InputError, match="lost all precision"):
        from_ball(arb(1) / arb(0, 1))


@pytest.mark.parametrize("number", [2, F(1, 3), 10**40, F(1, 10**40)])
def test_a_root_holds_at_eight_bits(monkeypatch: pytest.MonkeyPatch, number: Fraction) -> None:
    monkeypatch.setattr(expectation, "PRECISION", 8)
    root = square_root(number)
    assert root.lower**2 < number < root.upper**2
    assert root.upper < root.lower * F(21, 20)


# Laws: moments.


@pytest.mark.parametrize(("law", "truths"), FORGETFUL)
@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("centre", [-3, F(5, 2), 4, 30])
def test_moments_allow_for_the_lost_mass_and_for_no_more(
    law: Law, truths: list[Table], order: int, centre: Fraction
) -> None:
    found = law.moment(order, centre)
    exact = [sum(abs(x - centre) ** order * q for x, q in truth.items()) for truth in truths]
    assert all(value in found for value in exact)
    # The farther end of [offset, bound] is one of the truths; the nearest point is, if whole.
    assert max(exact) == found.upper
    inside = law.offset <= centre <= law.bound
    if not inside or F(centre).denominator == 1:
        assert min(exact) == found.lower
    assert law.lost == sum(truths[0].values()) - sum(F(w, law.scale) for w in law.weights)


@pytest.mark.parametrize(("law", "truths"), FORGETFUL)
def test_the_variance_allows_for_the_lost_mass(law: Law, truths: list[Table]) -> None:
    found = law.variance
    assert all(mean(truth) in law.mean for truth in truths)
    assert all(variance(truth) in found for truth in truths)
    # E(X - m)^2 is open by lost * span^2 at most, (E X - m)^2 by a quarter of the mean's width^2.
    span = law.bound - law.offset
    assert found.upper - found.lower <= law.lost * span**2 + (law.lost * span) ** 2 / 4


@pytest.mark.parametrize(("table", "bound"), FAT)
def test_the_mean_allows_for_the_capped_tail_and_the_variance_for_the_mean(
    table: Table, bound: int
) -> None:
    law = capped(table, bound)
    low = {x + law.offset: F(w, law.scale) for x, w in enumerate(law.weights)}
    assert law.mean == Enclosure(mean(low), mean(low) + law.excess)
    assert mean(table) in law.mean
    assert variance(table) in law.variance
    # In the middle of its enclosure, E X is off by half of it: E(X - m)^2 exceeds the variance by
    # the square of that.  The tail e adds Var e + 2 cov(X, e), cov(X, e) = E[e] (bound - E X).
    known, tail = variance(low), law.excess * (1 + 2 * (bound - mean(low)))
    assert law.variance == Enclosure(known, known + (law.excess / 2) ** 2 + tail)
    assert law.moment(2, 1).upper == sum((x - 1) ** 2 * q for x, q in low.items())


@pytest.mark.parametrize(("table", "bound"), FAT)
@pytest.mark.parametrize("centre", [-2, 1, F(7, 2), 12, 50])
def test_a_first_moment_allows_for_the_capped_tail(
    table: Table, bound: int, centre: Fraction
) -> None:
    exact = sum((abs(x - centre) * q for x, q in table.items()), F(0))
    law = capped(table, bound)
    found = law.moment(1, centre)
    assert exact in found
    assert found.upper - found.lower <= law.excess * (2 if centre > bound else 1)


def test_a_law_is_exact_if_it_lacks_nothing() -> None:
    assert Law.uniform(1, 3).exact
    assert not capped({1: HALF, 2: HALF}, 1).exact
    assert not forgetful({1: HALF}, HALF, 1)[0].exact


# Laws: what is made of others.


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=6).filter(any),
    st.integers(-9, 9),
    st.integers(1, 5),
)
def test_rounding_loses_less_than_a_unit_a_point(
    weights: list[int], offset: int, bits: int
) -> None:
    law = Law(offset, tuple(weights), sum(weights), offset + len(weights) - 1)
    rough = law.rounded(bits)
    assert (rough.offset, rough.bound, rough.excess) == (law.offset, law.bound, law.excess)
    for exact, kept in zip(weights, rough.weights, strict=True):
        assert 0 <= F(exact, law.scale) - F(kept, rough.scale) < F(1, 2**bits)


def beyond(table: Table, bound: int) -> Fraction:
    return sum((max(0, x - bound) ** 2 * q for x, q in table.items()), F(0))


@pytest.mark.parametrize(("first", "cut"), [*FAT, ({2: F(1)}, 1)])
@pytest.mark.parametrize(("second", "bound"), [*FAT, ({2: F(1)}, 1)])
def test_the_excess_of_a_sum_bounds_the_mean_square_of_both(
    first: Table, cut: int, second: Table, bound: int
) -> None:
    # The constant that lies 1 beyond its bound shows that a factor of two can be needed.
    x, y = capped(first, cut), capped(second, bound)
    both = sum(
        (max(0, a - cut) + max(0, b - bound)) ** 2 * p * q
        for (a, p), (b, q) in product(first.items(), second.items())
    )
    assert both <= x.plus(y).excess <= 2 * (x.excess + y.excess)
    one = x.plus(Law.uniform(1, 2))
    assert (one.excess, one.bound, one.offset) == (x.excess, x.bound + 2, x.offset + 1)


def test_the_excess_of_a_load_bounds_the_mean_square_of_all_slots() -> None:
    # Every slot lies one beyond the bound, so a load of three lies three beyond.
    certain = Law(1, (1,), 1, 1, F(1))
    assert load_law(certain, 3).excess >= 9
    assert load_law(certain, 3).bound == 3


@pytest.mark.parametrize("cell", [2, 3, 5])
def test_a_coarser_law_keeps_what_it_lacks(cell: int) -> None:
    for law, truths in FORGETFUL:
        coarse = law.coarsened(cell)
        assert coarse.lost == law.lost
        for truth in truths:
            assert sum(x // cell * q for x, q in truth.items()) in coarse.mean
    table, bound = {3: F(1, 2), 9: F(1, 4), 14: F(1, 4)}, 10
    coarse = capped(table, bound).coarsened(cell)
    floors = {x // cell: q for x, q in table.items()}
    assert beyond(floors, bound // cell) <= coarse.excess
    assert mean(floors) in coarse.mean


# Slots.


def histories(pairs: dict[tuple[int, int], Fraction], step: int) -> tuple[Table, list[Fraction]]:
    """Loads at a step and chances to admit at each step, over all histories of a slot."""
    loads: Table = {}
    admits = [F(0)] * (step + 1)

    def go(now: int, chance: Fraction) -> None:
        admits[now] += chance
        for (s, o), q in pairs.items():
            if now + o > step:
                loads[s + step - now] = loads.get(s + step - now, F(0)) + chance * q
            else:
                go(now + o, chance * q)

    go(0, F(1))
    return loads, admits


@pytest.mark.parametrize("bits", [3, 6, 11])
def test_rounded_renewals_stay_below_the_chances(rough: Callable[[int], None], bits: int) -> None:
    rough(bits)
    step, lengths = 6, {1: F(2, 7), 2: F(4, 7), 5: F(1, 7)}
    loads, admits = histories({(4, o): q for o, q in lengths.items()}, step)
    u, scale = renewals(Law.of(lengths), step)
    assert scale == 2**bits
    # Each is rounded down once, and takes over less than the sum of what the earlier ones lack.
    for k, (kept, exact) in enumerate(zip(u, admits, strict=True)):
        assert 0 <= exact - F(kept, scale) < F(k + 1, scale)
    law = joint_slot([4, 4, 4], [1, 2, 5], counts=[2, 4, 1], step=step)
    assert law.lost > 0
    for x, exact in loads.items():
        assert F(law.weights[x - law.offset], law.scale) <= exact
    assert mean(loads) in law.mean
    assert variance(loads) in law.variance
    assert imbalance(loads, 3, 2) in expected_imbalance(law, 3, 2).imbalance


@pytest.mark.parametrize("p", [HALF, F(1, 3), F(1, 10)])
@pytest.mark.parametrize("bits", [3, 8])
@pytest.mark.parametrize("drift", [1, 3])
def test_a_geometric_age_is_capped_where_it_is_rare(
    rough: Callable[[int], None], p: Fraction, bits: int, drift: int
) -> None:
    rough(bits)
    q = 1 - p
    law = geometric_slot(Law.of({2: 1}), p, drift=(drift,))
    cap, rest = divmod(law.bound - 2, drift)
    assert rest == 0
    # P(A > cap) = q^(cap+1), and A - cap is then geometric from 1: mean square (1+q)/p^2.
    square = drift**2 * q ** (cap + 1) * (1 + q) / p**2
    assert square <= law.excess
    # The cap is at most one step beyond the first with q^cap <= 2^-bits.
    assert law.excess <= square * 2 / (q**3 * (1 + q))
    for age in range(cap):
        kept = F(law.weights[age * drift], law.scale)
        assert kept <= p * q**age < kept + F(age + 2, 2**bits)
    assert 2 + drift * q / p in law.mean
    assert drift**2 * q / p**2 in law.variance


@pytest.mark.parametrize("bits", [3, 8])
@pytest.mark.parametrize("step", [2, 5, 60])
def test_a_geometric_age_of_a_short_run_is_rounded_down(
    rough: Callable[[int], None], bits: int, step: int
) -> None:
    rough(bits)
    p, q = F(1, 4), F(3, 4)
    ages = {t: p * q**t for t in range(step)} | {step: q**step}
    law = geometric_slot(Law.of({1: HALF, 2: HALF}), p, step=step)
    loads: Table = {}
    for age, chance in ages.items():
        for s in (1, 2):
            loads[s + age] = loads.get(s + age, F(0)) + chance / 2
    for i, w in enumerate(law.weights):
        # At the cap of a longer run the ages beyond it are lumped, or left out as here.
        assert F(w, law.scale) <= loads[law.offset + i]
    assert mean(loads) in law.mean
    assert (law.excess == 0) == (law.top == 2 + step)
    assert imbalance(loads, 2, 1) in expected_imbalance(law, 2, 1).imbalance


def geometric_maximum(p: Fraction, workers: int) -> Fraction:
    """``E[max]`` of geometric ages from 0, by inclusion and exclusion of ``P(A >= n) = q^n``."""
    q = 1 - p
    return sum(
        ((-1) ** (k + 1) * comb(workers, k) * q**k / (1 - q**k) for k in range(1, workers + 1)),
        F(0),
    )


@pytest.mark.parametrize("bits", [3, 6, 20])
@pytest.mark.parametrize("workers", [1, 2, 7])
def test_stationary_ages_of_few_bits_enclose_the_closed_form(
    rough: Callable[[int], None], bits: int, workers: int
) -> None:
    rough(bits)
    p = F(1, 5)
    found = expected_imbalance(geometric_slot(Law.of({3: 1}), p), workers, 1)
    exact = workers * (geometric_maximum(p, workers) - 4)
    assert exact in found.imbalance
    assert 7 in found.mean
    assert 3 + geometric_maximum(p, workers) in found.maximum
    assert exact / (7 * workers) in found.relative_imbalance
    assert exact / (7 * workers + exact) in found.idle_share
    if bits == 20:
        # Lost: at most the cap of 63 roundings of 2^-20, twice; a worker's share of it counts
        # with a span of 64; the excess is 2^-19 / p^2, with a factor G^2.
        open_ = workers**2 * (F(2 * 64 * 64, 2**20) + F(50, 2**20))
        assert found.imbalance.upper - found.imbalance.lower < 2 * open_


# Loads and their maxima.


@pytest.mark.parametrize("bits", [5, 7, 9])
@pytest.mark.parametrize("copies", [2, 5, 6])
def test_loads_of_few_bits_enclose_the_distribution(
    rough: Callable[[int], None], bits: int, copies: int
) -> None:
    rough(bits)
    for table in ({1: F(1, 3), 2: F(1, 3), 4: F(1, 3)}, {0: F(9, 10), 7: F(1, 10)}):
        exact, load = total(table, copies), load_law(Law.of(table), copies)
        low, high = copies * min(table), copies * max(table)
        assert (load.offset, load.bound) == (low, high)
        listed, truth = F(0), F(0)
        for x in range(low, high + 1):
            i = x - low
            listed += F(load.weights[i], load.scale) if i < len(load.weights) else 0
            truth += exact.get(x, F(0))
            assert listed <= truth <= listed + load.lost
        for order, workers in product((1, 2), (1, 3)):
            shifted = {x - low: q for x, q in exact.items()}
            found = expected_maximum(load, workers, order)
            assert largest(shifted, workers, order) in found


@pytest.mark.parametrize(("law", "truths"), FORGETFUL)
@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_maximum_allows_for_the_lost_mass(
    law: Law, truths: list[Table], order: int, workers: int
) -> None:
    found = expected_maximum(law, workers, order)
    for truth in truths:
        above = {x - law.offset: q for x, q in truth.items()}
        assert largest(above, workers, order) in found
    # The chance that one of the workers has a load that is not listed, times the whole range.
    chance = min(F(1), workers * law.lost)
    points = law.bound - law.offset + (law.top == law.bound)
    assert found.upper - found.lower <= chance * points**order + TINY


@pytest.mark.parametrize("bits", [8, 40])
def test_a_maximum_in_balls_holds_the_exact_one(monkeypatch: pytest.MonkeyPatch, bits: int) -> None:
    monkeypatch.setattr(expectation, "PRECISION", bits)
    monkeypatch.setattr(expectation, "EXACT_WORK", 0)
    table = {0: F(1, 7), 1: F(2, 7), 5: F(4, 7)}
    found = expected_maximum(Law.of(table), 3)
    assert not found.exact
    assert largest(table, 3) in found
    assert found.upper - found.lower < F(100, 2**bits)


@pytest.mark.parametrize(("law", "truths"), FORGETFUL)
@pytest.mark.parametrize(("workers", "copies"), [(1, 1), (2, 1), (3, 2), (6, 1)])
def test_the_imbalance_allows_for_the_lost_mass(
    law: Law, truths: list[Table], workers: int, copies: int
) -> None:
    found = expected_imbalance(law, workers, copies)
    for truth in truths:
        assert imbalance(truth, workers, copies) in found.imbalance
        assert copies * mean(truth) in found.mean
        assert largest(total(truth, copies), workers) in found.maximum
    # With the lost mass d: the maximum of loads is open by G B d times their range, the mean by
    # B d times that of a slot; both count G times.
    span = law.bound - law.offset
    open_ = workers * copies * law.lost * (copies * span + 1) + copies * law.lost * span
    assert found.imbalance.upper - found.imbalance.lower <= workers * open_ + TINY


@pytest.mark.parametrize(("table", "bound"), FAT)
@pytest.mark.parametrize(("workers", "copies"), [(1, 1), (2, 1), (2, 3), (5, 2), (10, 1)])
def test_the_imbalance_allows_for_the_capped_tail(
    table: Table, bound: int, workers: int, copies: int
) -> None:
    law = capped(table, bound)
    found = expected_imbalance(law, workers, copies)
    assert imbalance(table, workers, copies) in found.imbalance
    assert not found.imbalance.exact
    low = {x + law.offset: F(w, law.scale) for x, w in enumerate(law.weights)}
    known = imbalance(low, workers, copies)
    # The tail may add to the largest load on every slot, and takes nothing away.
    capacity = workers * copies * law.excess
    assert found.imbalance.lower >= known - TINY
    assert found.imbalance.upper <= known + workers * capacity + TINY


@given(
    st.dictionaries(st.integers(1, 12), st.integers(1, 5), min_size=1, max_size=4),
    st.integers(1, 12),
    st.integers(1, 3),
    st.integers(1, 3),
)
def test_capping_never_raises_the_expected_imbalance(
    weights: dict[int, int], bound: int, workers: int, copies: int
) -> None:
    # So no lower bound of a capped law needs an allowance for the tail
    # [theory.laws.fcfs_expectation].
    table = {x: F(w, sum(weights.values())) for x, w in weights.items()}
    low: Table = {}
    for x, q in table.items():
        low[min(x, bound)] = low.get(min(x, bound), F(0)) + q
    assert imbalance(low, workers, copies) <= imbalance(table, workers, copies)


# Lattices.

# Remainders that make all of the imbalance, or take most of it away.
REMAINDERS = [
    ({10: HALF, 19: HALF}, 10),
    ({19: HALF, 20: HALF}, 10),
    ({7: F(9, 10), 13: F(1, 10)}, 7),
    ({6: F(1, 10), 7: F(9, 10)}, 7),
]


@pytest.mark.parametrize(("table", "cell"), REMAINDERS)
@pytest.mark.parametrize(("workers", "copies"), [(2, 1), (2, 4), (5, 2), (16, 3)])
def test_the_imbalance_allows_for_the_remainders(
    table: Table, cell: int, workers: int, copies: int
) -> None:
    found = expected_imbalance(Law.of(table), workers, copies, lattice=cell)
    assert found.method == f"lattice {cell}"
    assert imbalance(table, workers, copies) in found.imbalance
    # Hoeffding: centred sums of B remainders in [0, h-1] are sub-Gaussian with variance factor
    # B (h-1)^2 / 4, so their largest of G is at most (h-1) sqrt(B ln(G) / 2) on average.
    bound = workers * (cell - 1) * sqrt(copies * log(workers) / 2)
    assert float(remainder_bound(cell, workers, copies)) == pytest.approx(bound, rel=1e-12)
    assert float(found.imbalance.upper - found.imbalance.lower) <= 2 * bound * (1 + 1e-12)


def test_the_remainders_can_take_most_of_their_bound() -> None:
    # 64 workers, 16 slots, remainders 0 or 9 with equal chances, and nothing else.
    table, workers, copies = {10: HALF, 19: HALF}, 64, 16
    exact = imbalance(table, workers, copies)
    bound = remainder_bound(10, workers, copies)
    assert expected_imbalance(Law.of(table), workers, copies, lattice=10).imbalance == Enclosure(
        F(0), bound
    )
    assert F(3, 4) * bound < exact <= bound


@pytest.mark.parametrize("cell", [2, 3])
def test_a_lattice_allows_for_lost_mass_and_a_capped_tail_too(cell: int) -> None:
    for law, truths in FORGETFUL:
        found = expected_imbalance(law, 3, 2, lattice=cell)
        assert all(imbalance(truth, 3, 2) in found.imbalance for truth in truths)
        assert all(2 * mean(truth) in found.mean for truth in truths)
    for table, bound in FAT:
        found = expected_imbalance(capped(table, bound), 3, 2, lattice=cell)
        assert imbalance(table, 3, 2) in found.imbalance


def test_the_cell_is_the_least_power_of_two_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expectation, "POINTS", 10)
    # A worker's load has 4 * 24 values above its least: 97 points, and 97 <= 10 * 16.
    assert on_lattice(Law.uniform(1, 25), 4, None)[1] == 16
    assert on_lattice(Law.uniform(1, 3), 2, None)[1] == 1
    assert on_lattice(Law.uniform(1, 25), 4, 1)[1] == 1


def test_relative_sizes_take_the_worse_end() -> None:
    wide = Expectation(2, 1, Enclosure(F(2), F(4)), Enclosure(F(1), F(8)), "given")
    # eta = Imb / (2 mean) from 1/8 to 2; its share of the time from 1/9 to 2/3.
    assert wide.relative_imbalance == Enclosure(F(1, 8), F(2))
    assert wide.idle_share == Enclosure(F(1, 9), F(2, 3))
    assert wide.maximum == Enclosure(F(5, 2), F(8))


# Second moments.


def holds_spread(
    law: Law, truth: Table, workers: int, copies: int, cell: int | None = None
) -> None:
    found = spread(law, workers, copies, cell)
    second = over_outcomes(truth, workers, copies, square)
    assert second in found.second_moment
    assert over_outcomes(truth, workers, copies, share) in found.idle_share
    around = second - imbalance(truth, workers, copies) ** 2
    assert found.deviation.lower**2 <= around <= found.deviation.upper**2


@pytest.mark.parametrize(("law", "truths"), FORGETFUL)
@pytest.mark.parametrize(("workers", "copies"), [(1, 2), (2, 1), (3, 1), (2, 2)])
def test_second_moments_allow_for_the_lost_mass(
    law: Law, truths: list[Table], workers: int, copies: int
) -> None:
    for truth in truths:
        holds_spread(law, truth, workers, copies)
    found = spread(law, workers, copies)
    # A load that is not listed leaves Imb open up to (G-1) times the range, a share up to 1.
    chance = workers * copies * law.lost
    worst = ((workers - 1) * copies * (law.bound - law.offset)) ** 2
    second = found.second_moment
    assert second.upper - second.lower <= chance * worst + TINY
    # The listed outcomes leave it open too: they do not add up to one.
    assert found.idle_share.upper - found.idle_share.lower <= 2 * chance + TINY


@pytest.mark.parametrize(("table", "bound"), FAT)
@pytest.mark.parametrize(("workers", "copies"), [(1, 2), (2, 1), (3, 1), (2, 2)])
def test_second_moments_allow_for_the_capped_tail(
    table: Table, bound: int, workers: int, copies: int
) -> None:
    law = capped(table, bound)
    holds_spread(law, table, workers, copies)
    found = spread(law, workers, copies)
    low = {x + law.offset: F(w, law.scale) for x, w in enumerate(law.weights)}
    known = sqrt(over_outcomes(low, workers, copies, square))
    # Minkowski: the tails move Imb by G times their sum, in the norm by G G B ||e||.
    norm = workers**2 * copies * sqrt(law.excess)
    assert sqrt(found.second_moment.upper) <= known + norm + 1e-9
    assert sqrt(found.second_moment.lower) >= known - norm - 1e-9
    share_ = float(over_outcomes(low, workers, copies, share))
    open_ = float(workers * copies * law.excess)
    assert found.idle_share.upper <= min(1, share_ + open_ + 1e-12)
    assert found.idle_share.lower >= share_ - open_ - 1e-12


@pytest.mark.parametrize(("table", "cell"), REMAINDERS)
@pytest.mark.parametrize(("workers", "copies"), [(1, 2), (2, 1), (3, 1), (2, 2)])
def test_second_moments_allow_for_the_remainders(
    table: Table, cell: int, workers: int, copies: int
) -> None:
    law = Law.of(table)
    holds_spread(law, table, workers, copies, cell)
    found = spread(law, workers, copies, cell)
    # Centred remainders z_g have E[max z^2] <= 2 v (ln(2G) + 1) with v = B (h-1)^2 / 4; Imb moves
    # by G times their range, at most 2 G max |z|.
    moved = 2 * workers * (cell - 1) * sqrt(copies * (log(2 * workers) + 1) / 2)
    floors: Table = {}
    for x, q in table.items():
        floors[x // cell] = floors.get(x // cell, F(0)) + q
    known = cell * sqrt(over_outcomes(floors, workers, copies, square))
    assert sqrt(found.second_moment.upper) <= known + moved + 1e-9
    # Loads known to B cells of at least B floors leave the share open by B/x + B/(x+B).
    least = copies * min(floors)
    if least > copies:
        width = found.idle_share.upper - found.idle_share.lower
        assert width <= F(copies, least) + F(copies, least + copies)


@pytest.mark.parametrize(("workers", "copies"), [(2, 1), (3, 1), (2, 2)])
def test_shares_of_long_loads_on_a_lattice(workers: int, copies: int) -> None:
    # Floors 5 and 6 of cells of 10, with remainders at both ends.
    for table in ({50: HALF, 69: HALF}, {59: HALF, 60: HALF}, {50: HALF, 59: HALF}):
        law = Law.of(table)
        holds_spread(law, table, workers, copies, 10)
        width_ = spread(law, workers, copies, 10).idle_share
        assert width_.upper - width_.lower <= F(1, 5) + F(1, 6)


@pytest.mark.parametrize("bits", [5, 12])
def test_second_moments_of_few_bits(rough: Callable[[int], None], bits: int) -> None:
    rough(bits)
    for table in ({1: F(1, 3), 2: F(1, 3), 4: F(1, 3)}, {1: F(9, 10), 7: F(1, 10)}):
        for workers, copies in ((1, 3), (2, 3), (3, 2)):
            holds_spread(Law.of(table), table, workers, copies)
