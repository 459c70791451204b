"""The checks of sharpest constants decide from both sides; fitted exponents and their intervals."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from evenkeel.findings.check import Finding, Verdict
from evenkeel.findings.statistics import Mean
from evenkeel.theorems.registry import checks
from evenkeel.theorems.theorem2 import ratio
from tests.oracles.found import found
from theory.formulas.constants import (
    DRIFT_BFIO,
    DRIFT_IIR,
    FCFS_ROUNDED,
    FCFS_TEXT,
    GEOMETRIC_BFIO,
    GEOMETRIC_IIR,
    Stated,
    fcfs_constant,
)
from theory.formulas.geometric import edge_slots
from theory.formulas.growth import fitted_exponent

ALL = (*GEOMETRIC_BFIO, *GEOMETRIC_IIR, *DRIFT_BFIO, *DRIFT_IIR)


def test_the_constant_of_the_fcfs_side_is_rounded_down() -> None:
    # pi = 3.14159265358979.., ln 2 = 0.69314718055994..: 1/c^2 between the products of their ends.
    pi, ln2 = Fraction(314159265358979, 10**14), Fraction(69314718055994, 10**14)
    exact, unit = fcfs_constant(), Fraction(1, 10**14)
    assert (pi + unit) * (ln2 + unit) > 1 / exact.upper**2
    assert 1 / exact.lower**2 > pi * ln2
    assert exact.lower >= FCFS_ROUNDED
    assert exact.upper < FCFS_ROUNDED + Fraction(1, 10**4)
    assert Fraction(FCFS_TEXT) == FCFS_ROUNDED


@pytest.mark.parametrize("stated", ALL, ids=str)
def test_the_systems_stand_at_the_edge_of_the_frontier(stated: Stated) -> None:
    edge = edge_slots(stated.system.workers, float(stated.p), stated.b - 1)
    assert stated.system.slots == edge
    assert 0 < stated.low < stated.high


def one(low: str, high: str) -> Finding:
    """The smallest system in few runs with another interval; the constant is about 0.025."""
    stated = replace(GEOMETRIC_BFIO[0], low=Fraction(low), high=Fraction(high), runs=20)
    trial = checks()["geometric.bfio-constant"].trial()
    return ratio.two_sided(trial, (stated,), lambda _, x: x / 3500)


def test_both_sides_refute_and_a_straddled_end_decides_nothing() -> None:
    assert one("0.001", "0.1").verdict is Verdict.SUPPORTED
    assert one("0.1", "0.2").verdict is Verdict.REFUTED
    assert one("0.0001", "0.0002").verdict is Verdict.REFUTED
    assert one("0.025", "0.1").verdict is Verdict.INCONCLUSIVE


def test_a_users_policy_takes_no_part_in_a_constant_of_bfio(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check = checks()["geometric.bfio-constant"]
    monkeypatch.setattr(ratio, "GEOMETRIC_BFIO", (replace(GEOMETRIC_BFIO[0], runs=20),))
    finding = check.hold(check.trial(policy="fcfs"))
    assert finding.verdict is Verdict.NOT_APPLICABLE


def test_a_power_is_fitted_exactly() -> None:
    x = [1, 2, 3, 5]
    assert fitted_exponent(x, [7 * v**1.5 for v in x]) == pytest.approx(1.5, abs=1e-12)


def test_the_jackknife_of_a_mean_is_its_students_interval() -> None:
    samples = np.random.default_rng(3).exponential(size=(2, 9))
    found = Mean.jackknife(samples.tolist(), lambda means: float(means[0] - 2 * means[1]))
    direct = Mean.of(samples[0] - 2 * samples[1])
    assert found.interval == pytest.approx(direct.interval)


def test_the_jackknife_covers_a_fitted_exponent() -> None:
    # Means x^-1 under noise of 30 %: the exponent -1 lies in 40 intervals of one in a million.
    x = np.array([1.0, 2.0, 4.0, 8.0])
    for seed in range(40):
        noise = np.random.default_rng(seed).normal(1, 0.3, size=(4, 16))
        samples = (noise / x[:, None]).tolist()
        found = Mean.jackknife(samples, lambda means: fitted_exponent(x.tolist(), means))
        assert -1 in found


def test_the_verdict_names_the_rivals_that_it_excludes() -> None:
    finding = found("scaling.iir-frontier-exponent").finding
    assert finding.domain.endswith("excluded: constant, sqrt(B), B, B^(3/2)")


def test_slots_beyond_the_edge_are_not_fitted() -> None:
    check = checks()["scaling.iir-frontier"]
    finding = check.run(check.trial(slots=(6, 9, 13, 30)))
    assert finding.verdict is Verdict.NOT_APPLICABLE
