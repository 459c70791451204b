from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.laws.fcfs_expectation import expected_imbalance, expected_maximum, load_law, square_root
from theory.laws.law import Law
from theory.laws.slot_load import geometric_slot, joint_slot
from theory.model import InputError


def listed(law: Law, workers: int, slots: int) -> Fraction:
    """E[Imb] by listing every outcome of every slot."""
    atoms = [(law.offset + i, w) for i, w in enumerate(law.weights) if w]
    total = 0
    for outcome in product(atoms, repeat=workers * slots):
        loads = [sum(x for x, _ in outcome[g * slots : (g + 1) * slots]) for g in range(workers)]
        weight = int(np.prod([w for _, w in outcome], dtype=object))
        total += weight * (workers * max(loads) - sum(loads))
    return Fraction(total, law.scale ** (workers * slots))


SMALL = [
    Law.uniform(1, 3),
    Law.of({2: Fraction(1, 5), 7: Fraction(4, 5)}),
    geometric_slot(Law.of({1: Fraction(1, 3), 4: Fraction(2, 3)}), Fraction(1, 2), step=1),
    joint_slot([5, 1], [1, 2], drift=(3, 0), phase=1),
]


@pytest.mark.parametrize("law", SMALL)
@pytest.mark.parametrize(("workers", "slots"), [(1, 2), (2, 1), (2, 3), (3, 2), (4, 1)])
def test_equals_the_list_of_all_outcomes(law: Law, workers: int, slots: int) -> None:
    result = expected_imbalance(law, workers, slots)
    assert result.method == "exact"
    assert result.imbalance.exact
    assert result.imbalance.lower == listed(law, workers, slots)


@given(st.sampled_from(SMALL), st.integers(1, 5), st.integers(1, 9), st.integers(6, 60))
def test_a_rounded_law_encloses_the_exact_value(
    law: Law, workers: int, slots: int, bits: int
) -> None:
    exact = expected_imbalance(law, workers, slots).imbalance.lower
    rough = expected_imbalance(law.rounded(bits), workers, slots).imbalance
    assert rough.lower <= exact <= rough.upper


@given(st.sampled_from([*SMALL, Law.uniform(1, 40)]), st.integers(1, 9), st.integers(2, 9))
def test_a_lattice_encloses_the_exact_value(law: Law, workers: int, cell: int) -> None:
    exact = expected_imbalance(law, workers, 6).imbalance
    rough = expected_imbalance(law, workers, 6, lattice=cell).imbalance
    assert rough.lower <= exact.lower
    assert exact.upper <= rough.upper


def test_convolution_agrees_with_the_fourier_transform() -> None:
    law, slots = geometric_slot(Law.uniform(1, 100), Fraction(1, 20)), 64
    load = load_law(law, slots)
    n = 2**17
    spectrum = np.fft.rfft(law.floats, n) ** slots
    direct = np.fft.irfft(spectrum, n)
    # Rounding of a transform of length 2^17, raised to the 64th power: far below 1e-11.
    assert np.abs(load.floats - direct[: len(load.weights)]).max() < 1e-11
    assert load.lost < Fraction(1, 2**50)


def test_agrees_with_monte_carlo() -> None:
    rng = np.random.default_rng(7)
    G, B, p, runs = 8, 12, 0.1, 4000
    ages = rng.geometric(p, (runs, G, B)) - 1
    loads = (rng.integers(1, 31, (runs, G, B)) + ages).sum(axis=2)
    imbalances = G * loads.max(axis=1) - loads.sum(axis=1)
    exact = expected_imbalance(geometric_slot(Law.uniform(1, 30), Fraction(1, 10)), G, B)
    error = imbalances.std() / runs**0.5
    assert abs(imbalances.mean() - float(exact.imbalance)) < 4 * error
    assert error < 0.02 * float(exact.imbalance)


def test_the_certified_width_is_small_at_scale() -> None:
    law = geometric_slot(Law.uniform(1, 100), Fraction(1, 100))
    result = expected_imbalance(law, 256, 256)
    assert result.method == "fixed-point"
    # B E[X] = 256 (50.5 + 99)
    assert 256 * (Fraction(101, 2) + 99) in result.mean
    width = result.imbalance.upper - result.imbalance.lower
    assert width < result.imbalance.lower / 10**9


def test_long_loads_go_to_a_lattice() -> None:
    rng = np.random.default_rng(3)
    law = joint_slot(rng.integers(1, 100_000, 500), rng.integers(1, 300, 500))
    result = expected_imbalance(law, 32, 72)
    assert result.method.startswith("lattice")
    width = result.imbalance.upper - result.imbalance.lower
    assert width < result.imbalance.lower / 100


def test_idle_share_and_maximum_are_consistent() -> None:
    # Two workers, one slot, sizes 1 or 3 with equal chances: E[max] = 5/2, mean 2, Imb = 1.
    result = expected_imbalance(Law.of({1: Fraction(1, 2), 3: Fraction(1, 2)}), 2, 1)
    assert result.imbalance.lower == 1
    assert result.maximum.lower == Fraction(5, 2)
    assert result.relative_imbalance.lower == Fraction(1, 4)
    assert result.idle_share.lower == Fraction(1, 5)


def test_second_moment_of_the_maximum() -> None:
    law = Law.uniform(0, 3)
    # P(max of 2 = y) = (2y+1)/16 for y = 0..3.
    second = sum(Fraction(2 * y + 1, 16) * y * y for y in range(4))
    assert expected_maximum(law, 2, order=2).lower == second
    assert second in expected_maximum(law.rounded(20), 2, order=2)


def test_square_root_encloses() -> None:
    root = square_root(2)
    assert root.lower**2 < 2 < root.upper**2
    assert square_root(0).exact


@pytest.mark.parametrize(
    "make",
    [
        lambda: expected_imbalance(Law.uniform(1, 2), 0, 1),
        lambda: expected_imbalance(Law.uniform(1, 2), 1, 0),
        lambda: expected_imbalance(Law.uniform(1, 2), 2, 2, lattice=0),
    ],
)
def test_unusable_input_is_named(make) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError):
        make()
