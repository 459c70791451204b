"""Measured curves and the exponents fitted to them."""

import numpy as np
import pytest

from theory.model import InputError
from theory.power import hardware
from theory.power_measurements import a100_sweeps, fit_gamma, gamma_quartiles, mlenergy_sweeps


@pytest.mark.parametrize("gamma", [0.03, 0.21, 0.7, 1.0])
def test_a_power_law_is_recovered(gamma):
    throughput = np.array([5.0, 20.0, 40.0, 90.0, 100.0])
    watts = 70 + 530 * (throughput / 100) ** gamma
    fit = fit_gamma(throughput, watts, 70.0)
    assert fit.gamma == pytest.approx(gamma, abs=1e-6)
    assert fit.max_w == pytest.approx(600, abs=1e-3)
    assert fit.error_w == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(
    ("throughput", "watts", "field"),
    [
        ([1.0, 2.0], [100.0, 110.0], "at least 3"),
        ([1.0, 2.0, 3.0], [100.0, 110.0], "same length"),
        ([0.0, 2.0, 3.0], [100.0, 110.0, 120.0], "throughput"),
        ([1.0, 2.0, 3.0], [60.0, 110.0, 120.0], "idle_w"),
        ([1.0, 2.0, 3.0], [float("nan"), 110.0, 120.0], "finite"),
    ],
)
def test_bad_curves_are_named(throughput, watts, field):
    with pytest.raises(InputError, match=field):
        fit_gamma(throughput, watts, 70.0)


def test_a100_curves_are_almost_flat():
    sweeps = a100_sweeps()
    assert [(s.model, s.devices) for s in sweeps] == [
        ("bloom-176b", 8),
        ("llama2-70b", 2),
        ("llama2-70b", 4),
        ("llama2-70b", 8),
    ]
    assert all(0.015 < s.fit.gamma < 0.045 for s in sweeps)
    # The catalogue's device is the Llama2-70B curve on four devices at batch 16.
    device = hardware("a100-sxm4-decode")
    assert device.gamma == pytest.approx(np.median([s.fit.gamma for s in sweeps]), abs=0.01)


def test_mlenergy_fits_are_those_of_the_catalogue():
    for name, device in (("H100", "h100-sxm-decode"), ("B200", "b200-decode")):
        sweeps = [s for s in mlenergy_sweeps() if s.device == name]
        assert len(sweeps) == {"H100": 31, "B200": 36}[name]
        assert round(gamma_quartiles(sweeps)[1], 2) == hardware(device).gamma


def test_no_measured_exponent_reaches_the_assumed_one():
    gammas = [s.fit.gamma for s in (*mlenergy_sweeps(), *a100_sweeps())]
    assert len(gammas) == 71
    assert max(gammas) < 0.7
    assert sum(g > 0.5 for g in gammas) == 2
