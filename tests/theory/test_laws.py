from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.formulas.slot_moments import expectation, stationary_moments
from theory.laws import law as laws_module
from theory.laws import slot_load as slots
from theory.laws.law import Enclosure, Law
from theory.laws.slot_load import geometric_slot, growth, joint_slot, renewals
from theory.model import InputError

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


def test_stationary_moments_by_hand() -> None:
    # Sizes 3 and 9 with lengths 2 and 1: loads 3, 4 and 9, each a third of the time.
    by_hand = Fraction(16, 3), Fraction(106, 3)
    assert stationary_moments(expectation([3, 9], [2, 1])) == by_hand
    # The first pair twice as likely: loads 3, 4, 3, 4, 9.
    assert stationary_moments(expectation([3, 9], [2, 1], [2, 1])) == (
        Fraction(23, 5),
        Fraction(131, 5),
    )
    law = joint_slot([3, 9], [2, 1], counts=[2, 1])
    assert (law.mean.lower, law.moment(2).lower) == (Fraction(23, 5), Fraction(131, 5))


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


def test_a_law_has_as_many_points_as_are_allowed_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(laws_module, "MAX_POINTS", 4)
    monkeypatch.setattr(slots, "MAX_POINTS", 4)
    for low in (-2, 0, 10):
        assert Law.of({low: HALF, low + 3: HALF}) == Law(low, (1, 0, 0, 1), 2, low + 3)
        assert Law.empirical([low, low + 3]) == Law(low, (1, 0, 0, 1), 2, low + 3)
        for make in (
            lambda low=low: Law.of({low: HALF, low + 4: HALF}),
            lambda low=low: Law.empirical([low, low + 4]),
        ):
            with pytest.raises(InputError, match=f"values from {low} to {low + 4} are too far"):
                make()
    with pytest.raises(InputError, match="between 1 and 4 points, got 5"):
        Law.uniform(1, 5)
    # Ages 0..3, and the size of the one request.
    assert geometric_slot(Law.of({1: 1}), HALF, step=3).top == 4
    with pytest.raises(InputError, match="the drift reaches 4"):
        geometric_slot(Law.of({1: 1}), HALF, step=4)
    assert joint_slot([1, 2], [3, 3]).bound == 4
    with pytest.raises(InputError, match="loads from 1 to 5 are too far apart"):
        joint_slot([1, 3], [3, 3])


def test_a_sample_and_a_uniform_law_by_hand() -> None:
    assert Law.empirical([7, 5, 7, 8]) == Law(5, (1, 0, 2, 1), 4, 8)
    assert Law.uniform(3, 3) == Law(3, (1,), 1, 3)
    assert Law.uniform(-1, 1) == Law(-1, (1, 1, 1), 3, 1)
    assert Law.uniform(-1, 1).floats == pytest.approx([1 / 3] * 3)


def test_a_slot_starts_its_period_at_phase_zero() -> None:
    # All lengths are 2: at even steps the ages are 0, at odd ones 1, after the even drift of 3.
    lengths, drift = [2, 2], (3, 7)
    assert joint_slot([5, 6], lengths, drift=drift).mean.lower == Fraction(11, 2)
    assert joint_slot([5, 6], lengths, drift=drift, phase=1).mean.lower == Fraction(17, 2)
    # Age 1 at phase 0 has lived through the odd drift of 7: loads 5 and 12 and no other below 15.
    law = geometric_slot(Law.of({5: 1}), HALF, drift=drift)
    assert [law.offset + i for i, w in enumerate(law.weights[:11]) if w] == [5, 12, 15]


def test_a_slot_that_is_always_free_holds_a_new_request() -> None:
    assert geometric_slot(Law.uniform(2, 4), Fraction(1), drift=(3, 7)) == Law.uniform(2, 4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Law.of({1: HALF}), "sum to exactly 1"),
        (lambda: Law.of({}), "sum to exactly 1"),
        (lambda: Law.uniform(3, 2), "need a <= b, got 3..2"),
        (lambda: Law.empirical([]), "non-empty list of integers"),
        (lambda: Law.empirical([[1]]), "non-empty list of integers"),
        (lambda: Law(1, (1, 1), 2, 1), "bound = 1 lies below the largest value 2"),
        (lambda: Law(1, (2, 1), 2, 5), "sum to at most its scale"),
        (lambda: Law(1, (1, -1), 2, 5), "must be >= 0"),
        (lambda: Law(1, (0,), 0, 5), "sum to at most its scale"),
        (lambda: Law(1, (), 1, 5), "between 1 and"),
        (lambda: Law.empirical([1.5]), "non-empty list of integers"),
        (lambda: Enclosure(HALF, Fraction(0)), "lower <= upper"),
        (lambda: geometric_slot(Law.uniform(1, 2), Fraction(0)), "p must lie in"),
        (lambda: geometric_slot(Law.uniform(1, 2), Fraction(3, 2)), "p must lie in"),
        (lambda: geometric_slot(Law.uniform(1, 2), HALF, step=-1), "step must be >= 0"),
        (
            lambda: geometric_slot(Law.uniform(1, 2), Fraction(1, 100), drift=(2**30,)),
            "coarsen the sizes and the drift",
        ),
        (lambda: joint_slot([1, 2], [1]), "non-empty lists of the same length"),
        (lambda: joint_slot([1.0], [1]), "must hold integers"),
        (lambda: growth((), 3), "drift must be a non-empty list"),
        (lambda: growth((1, -1), 3), "drift must be a non-empty list"),
        (lambda: joint_slot([], []), "non-empty lists of the same length"),
        (lambda: joint_slot([[1]], [[1]]), "non-empty lists of the same length"),
        (lambda: joint_slot([1], [1], counts=[1, 1]), "non-empty lists of the same length"),
        (lambda: joint_slot([1], [1.0]), "must hold integers"),
        (lambda: joint_slot([0], [1]), "must be >= 1"),
        (lambda: joint_slot([1], [0]), "must be >= 1"),
        (lambda: joint_slot([1], [1], counts=[0]), "must be >= 1"),
        (lambda: renewals(Law.of({0: 1}), 3), "output lengths must be >= 1, got 0"),
    ],
)
def test_unusable_input_is_named(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=message):
        make()
