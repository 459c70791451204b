"""Bounds of the largest load where what they allow for is large, against exact rationals."""

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from math import log

import pytest
from flint import acb, arb, ctx

from theory.formulas.constants import fcfs_constant
from theory.formulas.rebalancing import unavoidable_imbalance
from theory.laws import fcfs_expectation as expectation
from theory.laws import order_statistics as extremes
from theory.laws import slot_load as slots
from theory.laws.fcfs_expectation import load_law
from theory.laws.law import Law
from theory.laws.order_statistics import (
    berry_esseen_bound,
    berry_esseen_distance,
    effective_constant,
    expected_max_of_normals,
    largest_constant,
    pairing_bound,
)
from theory.model import InputError

F = Fraction
HALF = F(1, 2)
Table = dict[int, Fraction]


def centred(table: Table, order: int) -> Fraction:
    """``E|X - E X|^order``."""
    mean = sum(x * q for x, q in table.items())
    return sum((abs(x - mean) ** order * q for x, q in table.items()), F(0))


def imbalance(table: Table, workers: int, copies: int) -> Fraction:
    """``E[Imb]``, outcome by outcome."""
    result = F(0)
    for outcome in product(table.items(), repeat=workers * copies):
        weight = F(1)
        for _, q in outcome:
            weight *= q
        sizes = [x for x, _ in outcome]
        loads = [sum(sizes[g::workers]) for g in range(workers)]
        result += weight * (workers * max(loads) - sum(loads))
    return result


def law_of(table: Table, missing: Table, bound: int) -> Law:
    """The table without the missing mass, which lies somewhere up to the bound."""
    law = Law.of(table)
    weights = list(law.weights)
    for x, q in missing.items():
        weights[x - law.offset] -= int(q * law.scale)
    return Law(law.offset, tuple(weights), law.scale, bound)


def tail_of(table: Table, bound: int) -> tuple[Law, Table]:
    """The capped law, and the table of what it lists."""
    low: Table = {}
    for x, q in table.items():
        low[min(x, bound)] = low.get(min(x, bound), F(0)) + q
    excess = sum((max(0, x - bound) ** 2 * q for x, q in table.items()), F(0))
    law = Law.of(low)
    return Law(law.offset, law.weights, law.scale, bound, excess), low


FEW = {1: F(5, 8), 2: F(1, 8), 9: F(1, 4)}
SKEWED = {0: F(9, 10), 10: F(1, 10)}

# A little mass that may be far away, or not.
FAR = {0: HALF, 1: HALF - F(1, 5000), 100: F(1, 5000)}
NEAR = {0: HALF, 1: HALF - F(1, 5000), 2: F(1, 5000)}

# Truths with laws that know less of them.
TRUTHS = [
    (FAR, law_of(FAR, {100: F(1, 5000)}, 100)),
    (NEAR, law_of(NEAR, {2: F(1, 5000)}, 100)),
    (FEW, law_of(FEW, {9: F(1, 4)}, 9)),
    (FEW, law_of(FEW, {1: F(1, 4)}, 9)),
    (FEW, law_of(FEW, {2: F(1, 8)}, 12)),
    (SKEWED, law_of(SKEWED, {10: F(1, 20)}, 11)),
    (SKEWED, law_of(SKEWED, {0: F(1, 20)}, 10)),
    ({1: HALF, 2: HALF}, tail_of({1: HALF, 2: HALF}, 1)[0]),
    ({1: HALF, 2: F(1, 4), 4: F(1, 4)}, tail_of({1: HALF, 2: F(1, 4), 4: F(1, 4)}, 2)[0]),
]

# Laws whose list is complete and whose mean is uncertain: a tail of unknown size was capped.
UNSURE = [
    (table, Law(law.offset, law.weights, law.scale, law.top, excess))
    for table in (SKEWED, FEW, {0: F(99, 100), 3: F(1, 100)})
    for law in [Law.of(table)]
    for excess in (F(5), F(1, 2), F(1, 20))
]


def order_statistic(workers: int) -> arb:
    """``E[max]`` of normals by the density of the largest, with 400 bits and to 40 deviations."""
    with ctx.workprec(400):
        root = acb(2).sqrt()

        def density(x: acb, _: bool) -> acb:
            below = (-x / root).erfc() / 2
            return x * workers * (-x * x / 2).exp() * below ** (workers - 1)

        return acb.integral(density, -40, 40).real / (2 * arb.pi()).sqrt()


@pytest.mark.parametrize("bits", [192, 400])
@pytest.mark.parametrize("workers", [1, 2, 5, 64, 10**6, 10**12])
def test_maxima_of_normals_allow_for_the_tails(
    monkeypatch: pytest.MonkeyPatch, bits: int, workers: int
) -> None:
    exact, kept = order_statistic(workers), expected_max_of_normals(workers)
    # With more bits the tails are larger than the rounding.
    monkeypatch.setattr(extremes, "PRECISION", bits)
    monkeypatch.setattr(extremes, "INTEGRAL_BITS", bits)
    found = expected_max_of_normals.__wrapped__(workers)
    with ctx.workprec(400):
        for enclosure in (found, kept):
            assert expectation.to_ball(enclosure.lower) < exact
            assert exact < expectation.to_ball(enclosure.upper)
    assert kept.upper - kept.lower < F(1, 2**96)
    # A tail on either side beyond 16 deviations: G e^-128 / (16^2 sqrt(2 pi)) < G 4.1e-59.
    assert found.upper - found.lower < 2 * workers * (F(41, 10**60) + F(512, 2**bits))


def test_the_fcfs_constant_is_that_of_two() -> None:
    # 1/sqrt(pi) = E max of two, over sqrt(ln 2); three, four and more give larger ones.
    constant = fcfs_constant()
    with ctx.workprec(200):
        two = expectation.from_ball(order_statistic(2) / arb(2).log().sqrt())
    assert constant.lower <= two.upper
    assert two.lower <= constant.upper
    for workers in (3, 4, 10, 1000):
        assert float(expected_max_of_normals(workers)) / log(workers) ** 0.5 > constant.value


@pytest.mark.parametrize(("table", "law"), TRUTHS)
@pytest.mark.parametrize(("workers", "copies"), [(2, 1), (3, 1), (2, 2), (3, 2)])
def test_the_effective_constant_encloses_the_exact_one(
    table: Table, law: Law, workers: int, copies: int
) -> None:
    try:
        found = effective_constant(law, workers, copies)
    except InputError:
        assert law.variance.lower == 0
        return
    exact = imbalance(table, workers, copies)
    with ctx.workprec(200):
        scale = workers**2 * copies * expectation.to_ball(centred(table, 2)) * arb(workers).log()
        for end, sign in ((found.lower, 1), (found.upper, -1)):
            side = expectation.to_ball(end) * scale.sqrt() - expectation.to_ball(exact)
            assert sign * side <= arb(0) or abs(side) < arb(2) ** -60
    # Exact where the law is.
    sharp = effective_constant(Law.of(table), workers, copies)
    assert found.lower <= sharp.upper
    assert sharp.lower <= found.upper
    assert sharp.upper - sharp.lower < F(1, 10**40)


@pytest.mark.parametrize(("table", "law"), [*UNSURE, *TRUTHS[:7]])
@pytest.mark.parametrize("copies", [1, 30, 5000])
def test_the_distance_from_the_normal_law_is_not_below_the_exact_formula(
    table: Table, law: Law, copies: int
) -> None:
    skew = float(centred(table, 3)) / float(centred(table, 2)) ** 1.5
    exact = min(1.0, 0.4748 * skew / copies**0.5, 0.33554 * (skew + 0.415) / copies**0.5)
    found = float(berry_esseen_distance(law, copies))
    assert found >= exact * (1 - 1e-12)
    assert float(berry_esseen_distance(Law.of(table), copies)) == pytest.approx(exact, rel=1e-12)
    # |X - EX| is off by the width of the mean, in the norm, and by half of it in the middle.
    if law.variance.lower == 0:
        return
    width = float(law.mean.upper - law.mean.lower)
    span = float(law.bound - law.offset)
    lost = float(law.lost) ** (1 / 3) * span
    norm = float(centred(table, 3)) ** (1 / 3) + lost + 1.5 * width
    wide = norm**3 / float(law.variance.lower) ** 1.5
    assert found <= min(1.0, 0.4748 * wide / copies**0.5) * (1 + 1e-12)


def test_the_smaller_of_two_distances_is_taken() -> None:
    # A fair coin has skew 1: 0.4748 against 0.33554 * 1.415 = 0.47479.
    coin = Law.of({0: HALF, 1: HALF})
    assert float(berry_esseen_distance(coin, 4)) == pytest.approx(0.33554 * 1.415 / 2, rel=1e-12)
    # P = 1/5: skew (0.2 * 0.8^3 + 0.8 * 0.2^3) / 0.4^3 = 0.1088/0.064 = 1.7.
    rare = Law.of({0: F(4, 5), 1: F(1, 5)})
    assert float(berry_esseen_distance(rare, 4)) == pytest.approx(0.33554 * 2.115 / 2, rel=1e-12)


def exact_pairing(table: Table, workers: int, copies: int) -> float:
    v, fourth = float(centred(table, 2)), float(centred(table, 4))
    s2 = 2 * copies * v
    s4 = copies * (2 * fourth + 6 * v * v) + 12 * copies * (copies - 1) * v * v
    return workers / 2 * s2**1.5 / s4**0.5


@pytest.mark.parametrize(("table", "law"), [*UNSURE, *TRUTHS])
@pytest.mark.parametrize(("workers", "copies"), [(2, 1), (3, 2)])
def test_the_pairing_bound_claims_no_more_than_the_exact_moments(
    table: Table, law: Law, workers: int, copies: int
) -> None:
    exact = exact_pairing(table, workers, copies)
    assert exact <= float(imbalance(table, workers, copies))
    assert float(pairing_bound(Law.of(table), workers, copies)) == pytest.approx(exact, rel=1e-12)
    # A law that knows less gives no more: its variance is smaller, its fourth moment larger.
    found = float(pairing_bound(law, workers, copies))
    assert 0 <= found <= exact * (1 + 1e-12)
    if (table, law) in UNSURE and law.excess < 1:
        assert found > 0


@pytest.mark.parametrize("workers", [2, 3, 8])
@pytest.mark.parametrize("copies", [1000, 10**5])
def test_the_normal_bound_is_its_formula(workers: int, copies: int) -> None:
    # Riemann sums from below and above of the integral of 1 - (Phi + eps)^G up to a point where
    # Phi + eps < 1; the point moves by 1/64, where the integrand is at most 1.
    coin = Law.of({0: HALF, 1: HALF})
    eps = 0.33554 * 1.415 / copies**0.5
    found = float(berry_esseen_bound(coin, workers, copies))

    def phi(x: float) -> float:
        return 1 - float((arb(x) / arb(2).sqrt()).erfc()) / 2

    n = 4000
    cut = next(k for k in range(16 * n) if phi(k / n) + eps >= 1) - 1
    gain = sum(1 - (phi((k + 0.5) / n) + eps) ** workers for k in range(cut)) / n
    loss = (0.5 + eps) ** (workers - 1) / 2
    scale = workers * (copies / 4) ** 0.5
    assert found <= scale * (gain - loss) + 1e-6 * scale
    # What is left of the integral beyond the last multiple of 1/64 is next to nothing.
    assert found >= scale * (gain - loss) - scale * (1 - (1 - 1 / 64) ** workers) / 64


@pytest.mark.parametrize(("table", "law"), UNSURE)
def test_the_normal_bound_claims_no_more_for_a_law_that_knows_less(table: Table, law: Law) -> None:
    for workers, copies in ((2, 2000), (8, 10**5)):
        assert berry_esseen_bound(law, workers, copies) <= berry_esseen_bound(
            Law.of(table), workers, copies
        )


@pytest.mark.parametrize("least", [lambda _: 1, lambda g: g, lambda g: 1 + g // 2])
@pytest.mark.parametrize("table", [FEW, {0: HALF, 1: HALF}])
@pytest.mark.parametrize("region", [(6, 7), (40, 2), (3, 1)])
@pytest.mark.parametrize("tolerance", [F(1, 4), F(1, 100)])
def test_the_largest_constant_of_a_region_is_the_least_of_its_points(
    least: Callable[[int], int], table: Table, region: tuple[int, int], tolerance: Fraction
) -> None:
    # One slot of a coin: E[max] - 1/2 = 1/2 - 2^-G, so that the constant falls as G grows.
    law, (workers, copies) = Law.of(table), region
    if least(2) > copies:
        return
    found = largest_constant(law, workers, copies, least, tolerance)
    points = {
        (g, b): effective_constant(law, g, b)
        for g in range(2, workers + 1)
        for b in range(least(g), copies + 1)
    }
    smallest = min(points.values(), key=lambda c: c.upper)
    assert found.value.lower <= smallest.upper
    assert smallest.lower <= found.value.upper
    assert found.value == type(found.value)(
        found.value.lower, points[found.workers, found.slots].upper
    )
    assert found.value.upper - found.value.lower <= tolerance * found.value.upper


def test_an_empty_region_has_no_constant() -> None:
    coin = Law.of({0: HALF, 1: HALF})
    for make in (
        lambda: largest_constant(coin, 1, 3),
        lambda: largest_constant(coin, 2, 3, lambda _: 4),
        lambda: largest_constant(coin, 2, 3, tolerance=F(0)),
        lambda: effective_constant(coin, 1, 3),
        lambda: expected_max_of_normals(0),
    ):
        with pytest.raises(InputError):
            make()


@pytest.mark.parametrize("bits", [3, 6, 30])
@pytest.mark.parametrize("step", [None, 1, 9])
def test_the_unavoidable_imbalance_is_a_lower_end(
    monkeypatch: pytest.MonkeyPatch, bits: int, step: int | None
) -> None:
    monkeypatch.setattr(slots, "BITS", bits)
    monkeypatch.setattr(slots, "EXACT_BITS", 0)
    p, q = F(1, 4), F(3, 4)
    # E|A - A'| of two ages: 2 sum P(A >= n)(1 - P(A >= n)) over n >= 1, as far as the run is old.
    if step is None:
        exact = 2 * (q / (1 - q) - q**2 / (1 - q**2))
    else:
        exact = 2 * sum((q**n - q ** (2 * n) for n in range(1, step + 1)), F(0))
    for width in (0, 1):
        found = unavoidable_imbalance(2, 1, p, width, step)
        assert 0 <= found <= max(F(0), exact - width)
        if bits == 30:
            assert found >= max(F(0), exact - width) - F(1, 10**4)
    load_law.cache_clear()
