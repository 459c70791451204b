"""Full refills with requests to spare: the minimal pools, and the worst of all pools twice."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations, combinations_with_replacement

import pytest

from evenkeel.findings.check import Variant, Verdict
from evenkeel.theorems.registry import checks
from evenkeel.theorems.step.domains import condition_pools
from tests.oracles.worst_refill_milp import admissions, worst_share
from theory.formulas.step import (
    longer_pool_bound,
    one_slot_worst,
    pool_condition_extremal,
    pool_condition_loss,
    spare_request_bound,
    spare_request_extremal,
)


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


def test_pools_by_hand():
    # 0, 1, 6 k, 9 k: {0, 1, 6 k} and {1, 6 k, 9 k} both leave 12 k - 1 of 18 k.
    assert least_refill((1, 2, 11, 16), 3, 1) == one_slot_worst(3, 15) == 19
    assert least_refill((1, 2, 9, 13), 3, 1) == one_slot_worst(3, 12) == 15
    # 1 + 51 against 2 + 3, and 1 + 101 against 3 + 51: 47 and 48; 1 waits: 2 + 101 - 3 - 51.
    assert least_refill(pool_condition_extremal(2, 2, 1, 50), 2, 2) == 50 - pool_condition_loss(
        2, 2
    )
    # Three 5's, 11 and 17: 11 + 5 - 5 - 5, or 17 + 5 - 5 - 11.
    assert least_refill((5, 5, 5, 11, 17), 2, 2) == spare_request_bound(2, 5, 17) == 6


@pytest.mark.parametrize(("G", "B"), [(2, 1), (2, 2), (3, 1), (3, 2), (4, 1)])
def test_the_extremal_pool_leaves_the_bound_and_no_pool_more(G, B):
    m = 2
    pool = spare_request_extremal(G, B, 1, m)
    assert least_refill(pool, G, B) == spare_request_bound(G, 1, 1 + G * m)


@pytest.mark.parametrize(
    ("G", "B"), [(2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (4, 1), (5, 1), (6, 1)]
)
def test_the_worst_of_all_real_sizes_is_the_bound(G, B):
    assert worst_share(G, B, 1) == pytest.approx(float(spare_request_bound(G, 0, 1)) / (G - 1))


@pytest.mark.parametrize(("G", "B"), [(2, 1), (2, 2), (3, 1), (4, 1)])
def test_without_a_request_to_spare_the_worst_is_the_larger_bound(G, B):
    assert worst_share(G, B, 0) == pytest.approx(1)


@pytest.mark.parametrize(
    ("G", "B", "spare", "worst"),
    [
        # One slot, fewer to spare than workers: (1 - 1/G)^spare.  Two workers: 1/(spare + 1).
        (3, 1, 2, Fraction(4, 9)),
        (4, 1, 2, Fraction(9, 16)),
        (4, 1, 3, Fraction(27, 64)),
        (2, 1, 2, Fraction(1, 3)),
        (2, 1, 3, Fraction(1, 4)),
        # Two slots: 0, 0, 0, 1/4, 1/2, 1 leave a quarter.
        (2, 2, 2, Fraction(1, 4)),
        (2, 2, 3, Fraction(1, 7)),
    ],
)
def test_the_worst_of_all_real_sizes_with_more_to_spare(G, B, spare, worst):
    assert worst_share(G, B, spare) == pytest.approx(float(worst))
    c = spare // (G - 1)
    assert worst <= longer_pool_bound(G, 0, 1, c) / (G - 1)


def test_every_admission_once():
    assert len(list(admissions(2, 2, (0, 1, 2, 3, 4)))) == 15
    groups = {frozenset(map(frozenset, way)) for way in admissions(3, 2, tuple(range(7)))}
    assert len(groups) == len(list(admissions(3, 2, tuple(range(7))))) == 105


def least_window(pool: tuple[int, ...], G: int) -> int:
    """Least imbalance with one slot each: of ``G`` sizes next to each other in order."""
    windows = (sorted(pool)[i : i + G] for i in range(len(pool) - G + 1))
    return min(G * window[-1] - sum(window) for window in windows)


def test_one_slot_takes_a_window():
    for pool in combinations_with_replacement(range(1, 6), 5):
        assert least_window(pool, 3) == least_refill(pool, 3, 1)


@pytest.mark.parametrize(("G", "widths"), [(3, (3, 9)), (4, (4, 9)), (5, (5, 9))])
def test_one_slot_below_the_widths_of_the_statement_too(G, widths):
    for width in range(*widths):
        worst = max(least_window(pool, G) for pool in condition_pools(G, width))
        assert worst == one_slot_worst(G, width)


def test_a_constant_that_falls_with_the_slots_is_refuted():
    check = checks()["step.pool-condition-refill"]
    falling = Variant("a little", exponent=Fraction(-1, 1000))
    finding = check.run(check.trial(variant=falling))
    assert finding.verdict is Verdict.REFUTED
    G, B = len(finding.witness["loads"]), finding.witness["free"][0]
    pool = tuple(finding.witness["pool"])
    assert B > 1
    bound = spare_request_bound(G, pool[0], pool[-1])
    assert finding.claimed < least_refill(pool, G, B) <= bound
