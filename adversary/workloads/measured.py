"""Families of measured lengths: fitted mixtures, and histograms of samples.

The files beside this module say what each was fitted to.
"""

import math
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from adversary.workloads.family import LENGTHS, Family, output_lengths, workload_family
from adversary.workloads.lognormal import mixture_cdf, quantile
from theory.model import FloatArray, IntArray

_HERE = Path(__file__).parent


@cache  # 40 MB for all: the longest has a value for each of 4 million lengths
def _marginal(name: str, which: str) -> FloatArray:
    fit = _fits()[name]
    mixture = fit[which]
    return mixture_cdf(mixture["w"], mixture["mu"], mixture["sigma"], fit[f"{which}_max"])


@cache
def _fits() -> dict[str, Any]:
    return tomllib.loads((_HERE / "families.toml").read_text(encoding="utf-8"))


def _fitted(name: str) -> Callable[..., tuple[IntArray, IntArray]]:
    """Both lengths from the fitted marginals, tied by the Gaussian copula."""

    def draw(
        rng: np.random.Generator, n: int, p: float | None, length: int | None
    ) -> tuple[IntArray, IntArray]:
        from scipy.special import ndtr

        rho = _fits()[name].get("copula_rho", 0.0)
        x, y = rng.standard_normal((2, n))
        prefill = 1 + quantile(_marginal(name, "prompt"), ndtr(x))
        z = rho * x + math.sqrt(1 - rho**2) * y
        return prefill, output_lengths(
            rng, n, p, length, lambda: 1 + quantile(_marginal(name, "output"), ndtr(z))
        )

    return draw


def _bin_bounds(b: int) -> tuple[int, int]:
    """Smallest and largest integer ``x`` with ``floor(4 log2 x) = b``, that is ``x^4 >= 2^b``."""

    def least(power: int) -> int:
        x = math.isqrt(math.isqrt(2**power))
        return x if x**4 >= 2**power else x + 1

    return least(b), least(b + 1) - 1


@cache
def _histogram(name: str) -> tuple[FloatArray, IntArray]:
    """Cumulative shares of the cells, and their bounds int64[cells, prompt/output, low/high]."""
    path = _HERE / f"{name}_histogram.csv"
    rows = np.loadtxt(path, dtype=np.int64, delimiter=",", skiprows=4)
    bounds = [[_bin_bounds(x), _bin_bounds(y)] for x, y, _ in rows.tolist()]
    share = np.cumsum(rows[:, 2])
    return share / share[-1], np.array(bounds, dtype=np.int64)


# Equal parts of [0, 1), in each of which one starts to look for a cell.
_PARTS = 2**12


@cache
def _cells_from(name: str) -> IntArray:
    """The cell of the least number of each part."""
    share, _ = _histogram(name)
    return np.searchsorted(share, np.arange(_PARTS) / _PARTS, side="right")


def _cells(name: str, u: FloatArray) -> IntArray:
    """The cell of each number in [0, 1): how many of the cumulative shares it reaches.

    As ``np.searchsorted`` on their right, which takes nine times as long.
    """
    share, _ = _histogram(name)
    cell = _cells_from(name)[(u * _PARTS).astype(np.int64)]
    while (beyond := share[cell] <= u).any():
        cell += beyond
    return cell


def _from_histogram(name: str) -> Callable[..., tuple[IntArray, IntArray]]:
    """A cell by its count, then both lengths uniform in it."""

    def draw(
        rng: np.random.Generator, n: int, p: float | None, length: int | None
    ) -> tuple[IntArray, IntArray]:
        _, bounds = _histogram(name)
        cell = bounds[_cells(name, rng.random(n))]
        drawn = rng.integers(cell[:, :, 0], cell[:, :, 1], endpoint=True)
        return drawn[:, 0], output_lengths(rng, n, p, length, lambda: drawn[:, 1])

    return draw


def measured_families() -> list[Family]:
    """All of them."""
    listed = [
        workload_family(f"fit to {fit['text']}", LENGTHS, name=name, measured=True)(_fitted(name))
        for name, fit in _fits().items()
    ]
    listed += [
        workload_family(
            f"joint histogram of the paper's {name} sample",
            LENGTHS,
            name=f"{name}-like",
            measured=True,
        )(_from_histogram(name))
        for name in ("burst", "longbench", "arxiv")
    ]
    return listed
