from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.laws import Enclosure, Law
from theory.model import InputError
from theory.slots import geometric_slot, growth, joint_slot, renewals

HALF = Fraction(1, 2)


def probabilities(law: Law) -> dict[int, Fraction]:
    return {law.offset + i: Fraction(w, law.scale) for i, w in enumerate(law.weights) if w}


@st.composite
def laws(draw: st.DrawFn) -> Law:
    weights = draw(st.lists(st.integers(0, 6), min_size=1, max_size=6).filter(any))
    total = sum(weights)
    return Law.of({20 + i: Fraction(w, total) for i, w in enumerate(weights) if w})


@given(laws())
def test_moments_of_an_exact_law_are_exact(law: Law) -> None:
    p = probabilities(law)
    mean = sum(x * q for x, q in p.items())
    assert law.exact
    assert law.mean == Enclosure(mean, mean)
    variance = sum((x - mean) ** 2 * q for x, q in p.items())
    assert law.variance == Enclosure(variance, variance)
    third = sum(abs(x - mean) ** 3 * q for x, q in p.items())
    assert law.moment(3, mean) == Enclosure(third, third)


@given(laws(), st.integers(3, 12))
def test_moments_of_a_rounded_law_enclose_the_exact_ones(law: Law, bits: int) -> None:
    rough = law.rounded(bits)
    assert law.mean.lower in rough.mean
    assert law.variance.lower in rough.variance
    assert law.moment(3, 21).lower in rough.moment(3, 21)


@given(laws(), st.integers(1, 7))
def test_coarsening_floors_the_values(law: Law, cell: int) -> None:
    expected: dict[int, Fraction] = {}
    for x, q in probabilities(law).items():
        expected[x // cell] = expected.get(x // cell, Fraction(0)) + q
    assert probabilities(law.coarsened(cell)) == expected


@given(laws(), laws())
def test_sum_of_independent_variables(first: Law, second: Law) -> None:
    expected: dict[int, Fraction] = {}
    for (x, p), (y, q) in product(probabilities(first).items(), probabilities(second).items()):
        expected[x + y] = expected.get(x + y, Fraction(0)) + p * q
    assert probabilities(first.plus(second)) == expected


def test_growth_reads_the_calendar_backwards() -> None:
    # Drift 5 after even steps, 1 after odd ones.  At step 3 a request of age 2 has lived through
    # the ends of steps 1 and 2: 1 + 5.
    assert growth((5, 1), 3, phase=3) == [0, 5, 6, 11]
    assert growth((1,), 4) == [0, 1, 2, 3, 4]


def test_geometric_slot_is_the_cut_geometric_age() -> None:
    # One size; q = 1/2; at step 2 the ages 0, 1, 2 have chances 1/2, 1/4, 1/4.
    law = geometric_slot(Law.of({3: 1}), HALF, step=2)
    assert probabilities(law) == {3: HALF, 4: HALF / 2, 5: HALF / 2}
    assert law.exact


def one_slot(pairs: dict[tuple[int, int], Fraction], step: int, drift: tuple[int, ...]) -> dict:
    """Load of a slot at a step, by listing every history of renewals."""
    loads: dict[int, Fraction] = {}

    def run(now: int, chance: Fraction) -> None:
        for (s, o), q in pairs.items():
            if now + o > step:
                x = s + sum(drift[k % len(drift)] for k in range(now, step))
                loads[x] = loads.get(x, Fraction(0)) + chance * q
            else:
                run(now + o, chance * q)

    run(0, Fraction(1))
    return loads


@pytest.mark.parametrize("drift", [(1,), (0,), (2, 0, 3)])
@pytest.mark.parametrize("step", [0, 1, 2, 5])
def test_joint_slot_agrees_with_every_history(drift: tuple[int, ...], step: int) -> None:
    sizes, lengths, counts = [4, 1, 9, 4], [1, 3, 2, 2], [2, 1, 1, 3]
    pairs = {
        (s, o): Fraction(c, sum(counts)) for s, o, c in zip(sizes, lengths, counts, strict=True)
    }
    law = joint_slot(sizes, lengths, counts=counts, step=step, drift=drift)
    assert law.exact
    assert probabilities(law) == one_slot(pairs, step, drift)


@pytest.mark.parametrize("step", [0, 1, 4])
def test_geometric_slot_agrees_with_the_joint_one(step: int) -> None:
    # Lengths beyond the horizon all look alike, so the geometric law may be cut at step + 1.
    p, drift = Fraction(1, 3), (1, 4)
    sizes = {2: Fraction(1, 4), 5: Fraction(3, 4)}
    lengths = {j: p * (1 - p) ** (j - 1) for j in range(1, step + 1)}
    lengths[step + 1] = (1 - p) ** step
    joint = {(s, o): a * b for s, a in sizes.items() for o, b in lengths.items()}
    law = geometric_slot(Law.of(sizes), p, step=step, drift=drift)
    assert probabilities(law) == one_slot(joint, step, drift)


def test_stationary_joint_slot_is_the_age_law() -> None:
    # P(s, A = t) = P(s, o > t) / E[o] with E[o] = (1 + 3) / 2 = 2.
    law = joint_slot([10, 20], [1, 3])
    assert probabilities(law) == {x: Fraction(1, 4) for x in (10, 20, 21, 22)}


def test_transient_law_tends_to_the_stationary_one() -> None:
    sizes = Law.uniform(1, 5)
    far, limit = (geometric_slot(sizes, Fraction(1, 5), step=k) for k in (1500, None))
    assert far.offset == limit.offset
    assert max(abs(far.floats[:400] - limit.floats[:400])) < 1e-20
    rng = np.random.default_rng(1)
    s, o = rng.integers(1, 9, 30), rng.integers(1, 7, 30)
    late, limit = joint_slot(s, o, step=800), joint_slot(s, o)
    # The renewal sequence of aperiodic lengths below 7 converges geometrically.
    assert max(abs(late.floats - limit.floats)) < 1e-12
    assert float(late.lost) < 1e-15


def test_renewals_of_a_fixed_length_are_periodic() -> None:
    u, scale = renewals(Law.of({3: 1}), 7)
    assert [x / scale for x in u] == [1, 0, 0, 1, 0, 0, 1, 0]


def test_a_capped_tail_is_accounted_for() -> None:
    p = Fraction(1, 10)
    law = geometric_slot(Law.of({1: 1}), p)
    # E[1 + A] = 1 + (1-p)/p = 10 and Var A = (1-p)/p^2 = 90.
    assert 10 in law.mean
    assert law.mean.upper - law.mean.lower < Fraction(1, 10**18)
    assert abs(law.variance.value - 90) < 1e-12
    assert 0 < law.lost < Fraction(1, 2**70)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Law.of({1: HALF}),
        lambda: Law.of({}),
        lambda: Law.uniform(3, 2),
        lambda: Law.empirical([]),
        lambda: Law.empirical([1.5]),
        lambda: Law(1, (1, -1), 2, 5),
        lambda: Law(1, (2, 1), 2, 5),
        lambda: Law(1, (1, 1), 2, 1),
        lambda: Law.of({1: HALF, 10**9: HALF}),
        lambda: Enclosure(HALF, Fraction(0)),
        lambda: geometric_slot(Law.uniform(1, 2), Fraction(0)),
        lambda: geometric_slot(Law.uniform(1, 2), HALF, step=-1),
        lambda: geometric_slot(Law.uniform(1, 2), Fraction(1, 100), drift=(2**30,)),
        lambda: joint_slot([1, 2], [1]),
        lambda: joint_slot([1, 0], [1, 1]),
        lambda: joint_slot([1.0], [1]),
        lambda: joint_slot([1, 10**9], [1, 1]),
        lambda: renewals(Law.of({0: 1}), 3),
    ],
)
def test_unusable_input_is_named(make) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError):
        make()
