"""What is uncertain of a device: every possible device lies between the corners."""

import numpy as np
import pytest

from theory.power import GAMMAS, PowerModel, Unknown, hardware, own_device


def test_a_missing_waiting_power_is_an_interval_but_for_the_device_of_the_paper() -> None:
    assert hardware("h100-sxm-decode").unknown == (Unknown("wait_w", 115.0, 605.0),)
    assert hardware("h100-sxm-decode", {"wait_w": 300.0}).unknown == ()
    assert hardware("a100-paper").unknown == ()
    assert hardware("v100-sxm2").unknown == ()


def test_powers_of_ones_own() -> None:
    device = own_device({"max_w": 400.0})
    assert device.unknown == (
        Unknown("idle_w", 0.0, 400.0),
        Unknown("wait_w", 0.0, 400.0),
        Unknown("gamma", GAMMAS[0], 1.0),
    )
    corners = {(p.idle_w, p.barrier_w) for p in device.possible}
    # The triangle 0 <= idle <= wait <= 400.
    assert corners == {(0, 0), (0, 400), (400, 400)}
    assert {p.gamma for p in device.possible} == set(GAMMAS)


def test_corners_where_the_order_of_powers_cuts_the_box() -> None:
    device = PowerModel(
        90, 400, 1.0, wait_w=95, unknown=(Unknown("idle_w", 80, 100), Unknown("wait_w", 90, 110))
    )
    corners = {(p.idle_w, p.barrier_w) for p in device.possible}
    assert {(80, 90), (80, 110), (90, 90), (100, 100), (100, 110)} <= corners
    assert all(idle <= wait for idle, wait in corners)


@pytest.mark.parametrize("seed", range(20))
def test_savings_of_possible_devices_lie_between_those_of_the_corners(seed: int) -> None:
    """Two runs by their times empty, waiting and working; devices in the box drawn at random."""
    rng = np.random.default_rng(seed)
    unknown = (
        Unknown("idle_w", 50, 200), Unknown("wait_w", 100, 350), Unknown("max_w", 300, 700)
    )  # fmt: skip
    device = PowerModel(60, 650, 1.0, wait_w=300, unknown=unknown)
    before, after = rng.uniform(0.1, 5, size=(2, 3))

    def saving(of: PowerModel) -> float:
        watts = np.array([of.idle_w, of.barrier_w, of.max_w])
        return float(1 - watts @ after / (watts @ before))

    low, high = device.over(saving)
    for _ in range(200):
        idle, wait, most = (rng.uniform(u.low, u.high) for u in unknown)
        if idle <= wait <= most:
            found = saving(PowerModel(idle, most, 1.0, wait_w=wait))
            assert low - 1e-12 <= found <= high + 1e-12
