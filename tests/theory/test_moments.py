from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from theory.laws.fcfs_expectation import expected_imbalance, over_steps
from theory.laws.fcfs_moments import spread
from theory.laws.law import Law
from theory.laws.slot_load import geometric_slot, joint_slot, period
from theory.model import InputError

SMALL = [
    Law.uniform(1, 3),
    Law.of({2: Fraction(1, 5), 7: Fraction(4, 5)}),
    geometric_slot(Law.of({1: Fraction(1, 3), 4: Fraction(2, 3)}), Fraction(1, 2), step=1),
]


def listed(law: Law, workers: int, slots: int) -> tuple[Fraction, Fraction]:
    """E[Imb^2] and E[Imb / (G M)] by listing every outcome of every slot."""
    atoms = [(law.offset + i, w) for i, w in enumerate(law.weights) if w]
    square, share = 0, Fraction(0)
    for outcome in product(atoms, repeat=workers * slots):
        loads = [sum(x for x, _ in outcome[g * slots : (g + 1) * slots]) for g in range(workers)]
        weight = int(np.prod([w for _, w in outcome], dtype=object))
        imbalance = workers * max(loads) - sum(loads)
        square += weight * imbalance**2
        share += Fraction(weight * imbalance, workers * max(loads))
    scale = law.scale ** (workers * slots)
    return Fraction(square, scale), share / scale


@pytest.mark.parametrize("law", SMALL)
@pytest.mark.parametrize(("workers", "slots"), [(1, 2), (2, 1), (2, 3), (3, 2), (4, 1)])
def test_equal_the_list_of_all_outcomes(law: Law, workers: int, slots: int) -> None:
    square, share = listed(law, workers, slots)
    found = spread(law, workers, slots)
    assert found.second_moment.lower == found.second_moment.upper == square
    assert found.idle_share.lower == found.idle_share.upper == share
    mean = expected_imbalance(law, workers, slots).imbalance.lower
    assert found.deviation.lower**2 <= square - mean**2 <= found.deviation.upper**2


@pytest.mark.parametrize("law", SMALL)
@pytest.mark.parametrize("bits", [8, 30, 60])
def test_a_rounded_law_encloses_the_exact_values(law: Law, bits: int) -> None:
    square, share = listed(law, 3, 2)
    rough = spread(law.rounded(bits), 3, 2)
    assert square in rough.second_moment
    assert share in rough.idle_share
    assert spread(law, 3, 2).deviation.lower <= rough.deviation.upper


@pytest.mark.parametrize("cell", [2, 3, 7])
def test_a_lattice_encloses_the_exact_values(cell: int) -> None:
    law = Law.uniform(20, 60)
    exact, rough = spread(law, 4, 6), spread(law, 4, 6, lattice=cell)
    for name in ("second_moment", "deviation", "idle_share"):
        fine, coarse = getattr(exact, name), getattr(rough, name)
        assert coarse.lower <= fine.lower
        assert fine.upper <= coarse.upper
    # Loads known up to h each, of mean 40, leave the share open by about 2 h / 40.
    width = rough.idle_share.upper - rough.idle_share.lower
    assert width < Fraction(3 * cell, 40)


def test_a_capped_tail_agrees_with_a_late_step() -> None:
    sizes, p = Law.uniform(1, 9), Fraction(1, 10)
    limit, late = (spread(geometric_slot(sizes, p, step=k), 5, 7) for k in (None, 600))
    # After 600 steps the ages are geometric to within 0.9^600 < 1e-27.
    assert limit.deviation.value == pytest.approx(late.deviation.value, rel=1e-12)
    assert limit.idle_share.value == pytest.approx(late.idle_share.value, rel=1e-12)
    width = limit.deviation.upper - limit.deviation.lower
    assert width < limit.deviation.lower / 10**6


def test_agree_with_monte_carlo() -> None:
    rng = np.random.default_rng(11)
    G, B, runs = 8, 12, 4000
    loads = rng.integers(1, 31, (runs, G, B)).sum(axis=2)
    imbalances = G * loads.max(axis=1) - loads.sum(axis=1)
    found = spread(Law.uniform(1, 30), G, B)
    for sample, exact in (
        (imbalances.astype(float) ** 2, found.second_moment),
        (imbalances / (G * loads.max(axis=1)), found.idle_share),
    ):
        error = sample.std() / runs**0.5
        assert abs(sample.mean() - exact.value) < 4 * error
        assert error < 0.03 * exact.value


def test_one_worker_is_never_idle() -> None:
    found = spread(Law.uniform(1, 5), 1, 3)
    assert found.second_moment.upper == found.idle_share.upper == found.deviation.upper == 0


def test_the_share_of_a_step_is_not_the_share_of_the_time() -> None:
    # G = 2, B = 1, sizes 1 or 3: idle 0 or 2 of 6 with equal chances, so 1/6 of a step's time;
    # in the long run 1 of E[2 max] = 5, a fifth.
    law = Law.of({1: Fraction(1, 2), 3: Fraction(1, 2)})
    assert spread(law, 2, 1).idle_share.lower == Fraction(1, 6)
    assert expected_imbalance(law, 2, 1).idle_share.lower == Fraction(1, 5)


def test_equal_lengths_keep_their_phase() -> None:
    # All slots renew together, so the loads of a round differ by the sizes alone.
    sizes, lengths = [5, 7], [4, 4]
    still = expected_imbalance(Law.empirical(sizes), 2, 2).imbalance.lower
    assert period(lengths) == 4
    for phase in range(4):
        law = joint_slot(sizes, lengths, phase=phase)
        assert law.mean.lower == 6 + phase
        assert expected_imbalance(law, 2, 2).imbalance.lower == still
        at_step = joint_slot(sizes, lengths, step=8 + phase)
        assert expected_imbalance(at_step, 2, 2).imbalance.lower == still


def test_phases_are_the_limits_of_the_transient() -> None:
    sizes, lengths, drift = [3, 9, 1], [2, 4, 6], (1, 0, 5)
    cycle = period(lengths, drift)
    assert cycle == 6
    for phase in range(cycle):
        limit = joint_slot(sizes, lengths, drift=drift, phase=phase)
        late = joint_slot(sizes, lengths, drift=drift, step=40 * cycle + phase)
        assert max(abs(late.floats - limit.floats[: len(late.weights)])) < 1e-12


def test_mean_over_steps() -> None:
    steps = [expected_imbalance(Law.uniform(1, n), 2, 1) for n in (2, 3)]
    both = over_steps(steps)
    # E|X - Y| is 1/2 for two values and 8/9 for three; the means are 3/2 and 2.
    assert both.imbalance.lower == (Fraction(1, 2) + Fraction(8, 9)) / 2
    assert both.relative_imbalance.lower == both.imbalance.lower / Fraction(7, 2)
    with pytest.raises(InputError, match="one system"):
        over_steps([])
    with pytest.raises(InputError, match="one system"):
        over_steps([steps[0], expected_imbalance(Law.uniform(1, 2), 3, 1)])


@pytest.mark.parametrize(
    "make",
    [
        lambda: spread(Law.uniform(0, 2), 2, 2),
        lambda: spread(Law.uniform(1, 2), 0, 2),
        lambda: spread(Law.uniform(1, 2), 2, 2, lattice=0),
        lambda: period([], (1,)),
        lambda: period([0, 2]),
        lambda: period([1.5]),
        lambda: geometric_slot(Law.uniform(1, 2), Fraction(1, 2), step=3, drift=(-1,)),
        lambda: geometric_slot(Law.uniform(1, 2), Fraction(1), drift=()),
        lambda: joint_slot([3], [3], step=2, drift=(0.5,)),
        lambda: joint_slot([3], [3], drift=()),
    ],
)
def test_unusable_input_is_named(make) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError):
        make()
