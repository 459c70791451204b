"""Measured power against load, and the exponent that fits it.

Two tables are carried, both facts drawn from public measurements.

``splitwise_a100_power.csv``
    Medians over repeated runs of ``data/perf_model.csv`` of Mutinifni/splitwise-sim (MIT licence,
    commit 8f99e7dc9b40): Llama2-70B and BLOOM-176B on DGX-A100, prompts of 512 tokens, 128 output
    tokens, batches of 1 to 16.  Output tokens per second over the whole run, and mean power per
    device in watts (the file's fraction of the 400 W limit, times 400).
``mlenergy_gamma_fits.csv``
    Fits of this project to the ML.ENERGY leaderboard data (ml-energy/leaderboard, commit
    0cd52dab897c): one row for each of 67 sweeps over batch size with at least four points on H100
    and B200, with ``P_idle`` fixed at 115 W and 187 W.

The utilisation is the throughput relative to the highest of the same configuration.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from theory.model import InputError


@dataclass(frozen=True, slots=True)
class GammaFit:
    """A power law fitted to a measured curve.

    Parameters
    ----------
    gamma : float
        Exponent.
    max_w : float
        Power at the highest throughput, in watts, fitted.
    error_w : float
        Root mean square error in watts.
    """

    gamma: float
    max_w: float
    error_w: float


@dataclass(frozen=True, slots=True)
class MeasuredSweep:
    """A measured sweep over batch size, or what is carried of it.

    Parameters
    ----------
    device, model, task : str
        What was measured.
    devices : int
        Devices that serve one copy of the model.
    points : int
        Number of batch sizes.
    fit : GammaFit
        With ``P_idle`` fixed.
    """

    device: str
    model: str
    task: str
    devices: int
    points: int
    fit: GammaFit


def fit_gamma(throughput: Sequence[float], power_w: Sequence[float], idle_w: float) -> GammaFit:
    """Fit ``P = P_idle + (P_max - P_idle) u^gamma`` by least squares, ``P_idle`` fixed.

    Parameters
    ----------
    throughput : float[n]
        Any measure of work per second, positive; only its ratio to the largest counts.
    power_w : float[n]
        Mean power of a device, above ``idle_w``.
    idle_w : float
        ``P_idle`` in watts.

    Raises
    ------
    InputError
        If the lists differ in length, hold fewer than three points, or a value is out of range.
    """
    u, watts = np.asarray(throughput, dtype=float), np.asarray(power_w, dtype=float)
    if u.shape != watts.shape or u.ndim != 1 or u.size < 3:
        raise InputError("throughput and power_w must be lists of the same length, at least 3")
    if not (np.isfinite(u).all() and (u > 0).all()):
        raise InputError("throughput must be positive and finite")
    if not (np.isfinite(watts).all() and (watts > idle_w).all()):
        raise InputError(f"power_w must be finite and above idle_w = {idle_w}")
    u, above = u / u.max(), watts - idle_w

    def dynamic(gamma: float) -> float:
        """The best ``P_max - P_idle`` at that exponent."""
        return float(above @ u**gamma / (u**gamma @ u**gamma))

    def squares(gamma: float) -> float:
        return float(np.sum((above - dynamic(gamma) * u**gamma) ** 2))

    from scipy.optimize import minimize_scalar  # takes a second, and no claim asks for it

    found = minimize_scalar(squares, bounds=(0.0, 2.0), method="bounded", options={"xatol": 1e-9})
    gamma = float(found.x)
    return GammaFit(gamma, idle_w + dynamic(gamma), float(np.sqrt(squares(gamma) / u.size)))


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(files("theory").joinpath(name).read_text("utf-8").splitlines()))


@cache
def a100_curves() -> dict[tuple[str, int], tuple[tuple[float, ...], tuple[float, ...]]]:
    """Tokens per second and mean watts per device, by model and number of devices."""
    curves: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for row in _rows("splitwise_a100_power.csv"):
        curve = curves.setdefault((row["model"], int(row["tensor_parallel"])), [])
        curve.append((float(row["tokens_per_s"]), float(row["power_w"])))
    return {
        key: (tuple(point[0] for point in points), tuple(point[1] for point in points))
        for key, points in curves.items()
    }


@cache
def a100_sweeps() -> tuple[MeasuredSweep, ...]:
    """The A100 curves, fitted here with the loaded idle power of the catalogue's device, 72 W."""
    return tuple(
        MeasuredSweep(
            "A100",
            model,
            "prompt 512, output 128",
            devices,
            len(watts),
            fit_gamma(throughput, watts, 72.0),
        )
        for (model, devices), (throughput, watts) in a100_curves().items()
    )


@cache
def mlenergy_sweeps() -> tuple[MeasuredSweep, ...]:
    """The fits of the ML.ENERGY sweeps, as carried."""
    return tuple(
        MeasuredSweep(
            row["gpu"],
            row["model"],
            row["task"],
            int(row["n"]),
            int(row["npts"]),
            GammaFit(float(row["gamma_thr"]), float("nan"), float(row["rmse_thr"])),
        )
        for row in _rows("mlenergy_gamma_fits.csv")
    )


def gamma_quartiles(sweeps: Sequence[MeasuredSweep]) -> tuple[float, float, float]:
    """Quartiles of the fitted exponents, linearly interpolated."""
    low, middle, high = np.quantile([sweep.fit.gamma for sweep in sweeps], [0.25, 0.5, 0.75])
    return float(low), float(middle), float(high)
