"""Families of independent sizes: uniform, of two values, lognormal."""

import math

import numpy as np

from adversary.workloads.family import LARGEST, SMALLEST, Family, Parameter, workload_family
from adversary.workloads.lognormal import mixture_cdf, quantile
from theory.model import InputError, IntArray


@workload_family("sizes uniform on a..b", {"a": SMALLEST, "b": LARGEST}, sizes_only=True)
def _uniform(rng: np.random.Generator, n: int, a: int, b: int) -> IntArray:
    return rng.integers(a, b, size=n, endpoint=True, dtype=np.int64)


@workload_family(
    "size b with probability q, else a",
    {"a": SMALLEST, "b": LARGEST, "q": Parameter(0.5, 0.0, 1.0, "probability of b", integer=False)},
    sizes_only=True,
)
def _two_point(rng: np.random.Generator, n: int, a: int, b: int, q: float) -> IntArray:
    return np.where(rng.random(n) < q, b, a).astype(np.int64)


@workload_family(
    "rounded lognormal sizes, cut to a..b",
    {
        "a": SMALLEST,
        "b": Parameter(8192, 1, 2**24, "largest size"),
        "median": Parameter(500.0, 1e-3, 1e12, "median before the cut", integer=False),
        "sigma": Parameter(1.0, 1e-3, 100.0, "standard deviation of ln", integer=False),
    },
    sizes_only=True,
)
def _lognormal(
    rng: np.random.Generator, n: int, *, median: float, sigma: float, a: int, b: int
) -> IntArray:
    cdf = mixture_cdf([1.0], [math.log(median)], [sigma], b)
    below = float(cdf[a - 2]) if a > 1 else 0.0
    if below >= 1:
        raise InputError(f"the lognormal has no mass from a = {a} up: lower a or raise the median")
    return 1 + quantile(cdf, below + (1 - below) * (1 - rng.random(n)))


INDEPENDENT: tuple[Family, ...] = (_uniform, _two_point, _lognormal)
