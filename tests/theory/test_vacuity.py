from fractions import Fraction
from math import isqrt

import pytest

from theory.formulas.fcfs import explicit_bound
from theory.formulas.ratio import certified_ratio, first_formula_slots
from theory.formulas.vacuity import (
    EDGES,
    Lengths,
    break_even,
    first_certified_slots,
    first_slots_of,
    refill_imbalance,
)
from theory.laws.law import Law
from theory.laws.order_statistics import effective_constant, largest_constant
from theory.laws.tournament import tournament_bound
from theory.model import InputError
from theory.power import hardware

POWER = hardware("a100-paper")
UNIFORM = Lengths.of("uniform 1..20", Law.uniform(1, 20), Fraction(1, 10))


def floored(x: Lengths, cell: int) -> Lengths:
    """The same lengths, known only to cells of that width."""
    assert x.floors is not None
    return Lengths(
        x.name, x.smallest, x.largest, x.mean, x.variance, x.p, x.floors.coarsened(cell), cell
    )


def test_break_even_of_the_paper() -> None:
    # D / P_idle = (100 + 0.3 * 300) / 100.
    assert break_even(POWER) == Fraction(19, 10)


def test_the_edge_is_the_first_integer_above_it() -> None:
    # ((G-1) w / (c G sigma))^2 / ln G with G = 2, w = 12, c = 1/2, sigma = 2: 36 / ln 2 = 51.9.
    assert first_formula_slots(2, 12, Fraction(4), Fraction(1, 2)) == 52


@pytest.mark.parametrize("cell", [2, 3])
@pytest.mark.parametrize("slots", [1, 7])
def test_floors_enclose_the_exact_imbalance(cell: int, slots: int) -> None:
    exact = refill_imbalance(UNIFORM, 5, slots)
    rough = refill_imbalance(floored(UNIFORM, cell), 5, slots)
    assert exact.exact
    assert rough.lower <= exact.lower <= rough.upper
    assert rough.lower < rough.upper


def test_a_certified_edge_is_the_first_and_floors_only_raise_it() -> None:
    for workers in (2, 9):
        first = first_certified_slots(UNIFORM, workers)
        assert first is not None
        assert certified_ratio(Law.uniform(1, 20), workers, first).lower > 1
        assert certified_ratio(Law.uniform(1, 20), workers, first - 1).upper <= 1
        rough = first_certified_slots(floored(UNIFORM, 2), workers)
        assert rough is not None
        assert rough >= first


def test_every_theorem_has_an_edge_and_theorem_4_speaks_last() -> None:
    edges = {theorem: first_slots_of(theorem, UNIFORM, 8, POWER) for theorem in EDGES}
    assert all(edge is not None for edge in edges.values())
    assert edges["T1"] < edges["T4 by T1"]
    assert edges["T1 certified"] < edges["T4 certified"]
    # A weaker bound of FCFS says more than nothing later; groups of 8 are all of 8 workers.
    for theorem in ("T1", "T4"):
        certified, computed, explicit = (
            edges[f"{theorem} {form}"] for form in ("certified", "computed", "explicit")
        )
        assert certified == computed < explicit
    assert edges["T2"] < edges["T4 by T2"]
    # At drift 0 Theorem 3 is Theorem 1; any growth raises its bound of BF-IO.
    assert edges["T3"] > edges["T1"]


@pytest.mark.parametrize("workers", [2, 5, 32, 300])
def test_the_first_slots_of_a_bound_are_those_where_it_exceeds_the_gap(workers: int) -> None:
    law, gap = Law.uniform(1, 20), 19 * (workers - 1)
    firsts = {
        tournament_bound: first_slots_of("T1 computed", UNIFORM, workers, POWER),
        explicit_bound: first_slots_of("T1 explicit", UNIFORM, workers, POWER),
    }
    for bound, first in firsts.items():
        assert first is not None
        assert bound(law, workers, first) > gap  # type: ignore[operator]
        assert bound(law, workers, first - 1) <= gap  # type: ignore[operator]


@pytest.mark.parametrize("cell", [2, 3])
def test_the_fourth_moment_of_floored_sizes_is_rounded_up(cell: int) -> None:
    exact = Law.uniform(1, 20).moment(4, Fraction(21, 2)).lower
    assert exact <= UNIFORM.fourth_moment() <= exact * (1 + Fraction(1, 10**30))
    assert exact < floored(UNIFORM, cell).fourth_moment() < 3 * exact


def test_without_the_law_there_is_no_certificate() -> None:
    bare = Lengths("moments", 1, 20, Fraction(21, 2), Fraction(133, 4), Fraction(1, 10))
    for form in ("certified", "computed", "explicit"):
        assert first_slots_of(f"T1 {form}", bare, 8, POWER) is None
    with pytest.raises(InputError, match="law of its sizes"):
        bare.fourth_moment()
    assert first_slots_of("T1", bare, 8, POWER) == first_slots_of("T1", UNIFORM, 8, POWER)
    with pytest.raises(InputError, match="law of its sizes"):
        refill_imbalance(bare, 8, 4)


FAIR = Law.of({1: Fraction(1, 2), 2: Fraction(1, 2)})


def test_the_largest_constant_is_below_every_point_of_its_region() -> None:
    found = largest_constant(FAIR, 12, 12, tolerance=Fraction(1, 50))
    points = {(g, b): effective_constant(FAIR, g, b) for g in range(2, 13) for b in range(1, 13)}
    smallest = min(points, key=lambda at: points[at].lower)
    assert found.value.lower <= points[smallest].lower <= found.value.upper
    assert points[found.workers, found.slots].upper == found.value.upper
    assert found.value.upper - found.value.lower <= found.value.upper / 50
    # G = 12 workers with one slot: the largest load is almost surely 2, c = 1/sqrt(ln 12).
    assert float(found.value.upper) == pytest.approx(0.634, abs=0.04)


def test_the_largest_constant_in_the_papers_regime() -> None:
    found = largest_constant(FAIR, 60, 20, lambda g: isqrt(g - 1) + 1, Fraction(1, 100))
    assert found.slots >= found.workers**0.5
    for g in (2, 3, 5, 17, 60):
        for b in (isqrt(g - 1) + 1, 20):
            assert effective_constant(FAIR, g, b).upper >= found.value.lower
    # At G = B = 2: loads 2, 3, 4 with 1/4, 1/2, 1/4, E|L1 - L2| = 3/4, sigma sqrt(B) = 1/sqrt 2,
    # so c = (3/8) sqrt(2) / sqrt(ln 2) = 0.637.
    assert (found.workers, found.slots) == (2, 2)
    assert float(found.value.upper) == pytest.approx(0.375 * 2**0.5 / 0.6931471805599453**0.5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: first_slots_of("T5", UNIFORM, 8, POWER),
        lambda: first_slots_of("T1", UNIFORM, 1, POWER),
        lambda: first_formula_slots(2, 0, Fraction(1)),
        lambda: Lengths.of("constant", Law.of({3: 1}), Fraction(1, 2)),
        lambda: Lengths.of("rounded", Law.uniform(1, 3).rounded(20), Fraction(1, 2)),
        lambda: Lengths("bad p", 1, 2, Fraction(3, 2), Fraction(1, 4), Fraction(2)),
        lambda: largest_constant(FAIR, 1, 5),
        lambda: largest_constant(FAIR, 5, 1, lambda _: 2),
        lambda: largest_constant(Law.of({3: 1}), 5, 5),
    ],
)
def test_unusable_input_is_named(make) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError):
        make()
