"""Measure how wide an interval of a mean must be, law by law: the source of its constants.

Prints, for each size of a sample, the multiplier that an end of the interval needs in units of the
one that :func:`evenkeel.findings.statistics.calibrated` gives it; at most 1 everywhere means that
each end misses with half of ``MISS`` or less.  The constants were chosen on seed 0; other seeds
measure.

    python -m benchmarks.calibrate_intervals [seed [runs]]
"""

import sys
from collections.abc import Callable

import numpy as np

from evenkeel.findings.statistics import MISS, calibrated
from theory.model import FloatArray

Sampler = Callable[[np.random.Generator, tuple[int, int]], FloatArray]

# Laws centred at their means, from none to the skewness that lognormal(1) has, 6.2.
PANEL: dict[str, Sampler] = {
    "normal": lambda rng, size: rng.standard_normal(size),
    "uniform": lambda rng, size: rng.random(size) - 0.5,
    "Laplace": lambda rng, size: rng.laplace(size=size),
    "Student 5": lambda rng, size: rng.standard_t(5, size),
    "Gumbel": lambda rng, size: rng.gumbel(size=size) - np.euler_gamma,
    "gamma(2)": lambda rng, size: rng.standard_gamma(2, size) - 2,
    "exponential": lambda rng, size: rng.standard_exponential(size) - 1,
    "lognormal(1/2)": lambda rng, size: rng.lognormal(0, 0.5, size) - np.exp(0.125),
    "lognormal(1)": lambda rng, size: rng.lognormal(0, 1, size) - np.exp(0.5),
    "90 % zeros": lambda rng, size: (rng.random(size) < 0.1) - 0.1,
}
SIZES = (4, 6, 8, 12, 16, 20, 24, 32, 48, 64, 100, 200, 500, 1500)


def needed(sample: Sampler, size: int, runs: int, seed: list[int]) -> tuple[float, float, float]:
    """What the lower and the upper end need, of what they get; and the share left undecided."""
    rng, reached = np.random.default_rng(seed), []
    rows = max(1, 2_000_000 // size)
    for first in range(0, runs, rows):
        x = sample(rng, (min(rows, runs - first), size))
        mean = x.mean(axis=1)
        low, high = calibrated(x)
        # 0 of the way from the mean to an end, or -1 of it: what each end must be stretched by.
        reached.append(np.stack([mean / (mean - low), -mean / (high - mean)]))
    ways = np.concatenate(reached, axis=1)
    decided = np.isfinite(low := ways) & (low != 0)
    ends = [
        np.quantile(np.where(d, w, 0), 1 - MISS / 2) for d, w in zip(decided, ways, strict=True)
    ]
    return float(ends[0]), float(ends[1]), float(1 - decided[0].mean())


def main(seed: int = 0, runs: int = 1_000_000) -> None:
    """Print the table."""
    for size in SIZES:
        found = {
            name: needed(sample, size, runs, [seed, size, number])
            for number, (name, sample) in enumerate(PANEL.items())
        }
        worst = max(found, key=lambda name: max(found[name][:2]))
        print(
            f"n = {size:4}  most {max(found[worst][:2]):.2f} ({worst})  "
            + "  ".join(f"{name} {max(ends[:2]):.2f}" for name, ends in found.items())
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
