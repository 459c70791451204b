"""Simulated evidence: load histories of overloaded steps, and intervals of means.

An interval of independent replications misses its mean with a chance of at most :data:`MISS`, for
laws up to the skewness of lognormal(1).  No interval of a sample alone can promise this for every
law: mass that the sample did not see may lie anywhere.  What is promised is measured, for a panel
of laws (``benchmarks/calibrate_intervals.py``), and a sample more skewed than theirs, or without
any spread, decides nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from evenkeel.findings.check import Trial
from solvers.policies.protocol import Policy
from solvers.simulation.result import RunResult
from theory.laws.binomial import clopper_pearson
from theory.model import FloatArray, InputError, IntArray, Requests, System

# Chance that an interval misses a true mean; each of its ends misses with half of it.
MISS = 1e-4

# The calibration covers samples of so many numbers and more.
LEAST = 4

# Student's multiplier grows by exp((WIDER + SKEWED * g) / sqrt(n)) towards the tail of a sample of
# n with skewness g: a sample that missed the tail of a skewed law has too small a mean and spread.
WIDER, SKEWED = 4.0, 1.5

# The skewness that the calibration covers, as a share of the largest that n numbers can have (all
# equal but one), and at most in all: about the 99 % quantiles of samples of lognormal(1).
LONE, LARGEST = 0.95, 14.0


def familywise(intervals: int) -> float:
    """Chance that any of so many intervals misses, at most: their number times :data:`MISS`."""
    return min(1.0, intervals * MISS)


def fresh(trial: Trial, seen: int = 100) -> int:
    """Root of the seeds of a check whose claim was worded before its runs.

    Seeds below ``seen`` were looked at while claims were being worded; every seed of a trial is
    mapped beyond them.
    """
    return seen + trial.seed


def calibrated(samples: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Ends of the interval of the mean of each row of samples, float64[..., n].

    Infinite on both sides where a row is too short, all equal or too skewed to say anything.
    """
    from scipy.special import stdtrit

    x = np.asarray(samples, dtype=float)
    n = x.shape[-1]
    mean = x.mean(axis=-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(axis=-1)
    flat = x.max(axis=-1) == x.min(axis=-1) if n >= LEAST else np.ones(x.shape[:-1], dtype=bool)
    spread = np.where(flat, 1.0, variance) ** 0.5
    skewness = np.where(flat, np.inf, ((x - mean) ** 3).mean(axis=-1) / spread**3)
    limit = min(LARGEST, LONE * (n - 2) / (n - 1) ** 0.5)
    undecided = np.abs(skewness) > limit
    tilt = SKEWED * np.where(undecided, 0.0, skewness)
    half = float(stdtrit(n - 1, 1 - MISS / 2)) * spread / (n - 1) ** 0.5
    low, high = (half * np.exp((WIDER + side) / n**0.5) for side in (-tilt, tilt))
    centre = mean[..., 0]
    return np.where(undecided, -np.inf, centre - low), np.where(undecided, np.inf, centre + high)


@dataclass(frozen=True, slots=True)
class Mean:
    """A sample mean with its interval, over independent replications.

    The interval is infinite where the sample says nothing: too short, all equal or too skewed.
    """

    value: float
    low: float
    high: float
    deviation: float = 0.0  # of one sample

    @classmethod
    def of(cls, samples: Sequence[float] | FloatArray) -> "Mean":
        """Mean and calibrated interval of the samples, at least two of them."""
        x = np.asarray(samples, dtype=float)
        if x.size < 2:
            raise InputError(f"an interval needs at least 2 replications, got {x.size}")
        low, high = calibrated(x)
        return cls(float(x.mean()), float(low), float(high), float(x.std(ddof=1)))

    @classmethod
    def share(cls, hits: int, runs: int) -> "Mean":
        """Share of independent runs that hit, with the exact interval of Clopper and Pearson."""
        value = hits / runs
        return cls(value, *clopper_pearson(hits, runs, MISS), (value * (1 - value)) ** 0.5)

    @classmethod
    def jackknife(
        cls, samples: Sequence[Sequence[float]], of_means: Callable[[FloatArray], float]
    ) -> "Mean":
        """A smooth function of the means of several quantities, by leaving out one run at a time.

        Parameters
        ----------
        samples : float[points, runs]
            Paired: a column is one replication of all quantities.
        of_means : callable
            Takes the means, float[points].
        """
        x = np.asarray(samples, dtype=float)
        n = x.shape[1]
        whole = of_means(x.mean(axis=1))
        without = (x.sum(axis=1, keepdims=True) - x) / (n - 1)
        return cls.of([n * whole - (n - 1) * of_means(column) for column in without.T])

    @property
    def interval(self) -> tuple[float, float]:
        """The two ends."""
        return self.low, self.high

    def __contains__(self, number: float) -> bool:
        return self.low <= number <= self.high


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of two paired means with Fieller's interval; infinite where the lower may be 0."""

    value: float
    low: float
    high: float

    @classmethod
    def of(
        cls, upper: Sequence[float] | FloatArray, lower: Sequence[float] | FloatArray
    ) -> "Ratio":
        """``mean(upper) / mean(lower)`` over paired replications of non-negative quantities.

        The interval holds every ``r`` for which the mean of ``upper - r * lower`` may be zero.
        """
        x, y = np.asarray(upper, dtype=float), np.asarray(lower, dtype=float)
        if x.size < 2:
            raise InputError(f"an interval needs at least 2 replications, got {x.size}")
        value = float(x.mean() / y.mean()) if y.mean() else np.inf
        if x.max() == x.min() or y.max() == y.min():
            return cls(value, 0.0, np.inf)

        def excluded(r: float, side: int) -> bool:
            """Whether ``r`` is too small (side 0) or too large (side 1)."""
            low, high = calibrated(x - r * y)
            return bool(low > 0 if side == 0 else high < 0)

        # In terms of r/(1 + r), so that infinity is a number like others.
        middle, ends = value / (1 + value), []
        for side in (0, 1):
            inside, outside = middle, float(side)
            while abs(inside - outside) > 1e-12:
                u = (inside + outside) / 2
                if excluded(u / (1 - u), side):
                    outside = u
                else:
                    inside = u
            ends.append(outside)
        return cls(value, *(u / (1 - u) if u < 1 else np.inf for u in ends))

    @property
    def interval(self) -> tuple[float, float]:
        """The two ends."""
        return self.low, self.high


def imbalances(loads: IntArray) -> IntArray:
    """Imbalance ``G max - sum`` of every step, int64[K], of loads int64[K, G]."""
    return np.asarray(loads.shape[1] * loads.max(axis=1) - loads.sum(axis=1))


# About so many counts of requests, by step and size, are in memory at a time.
BLOCK = 2**20


# Sizes that lie within so many integers are told apart without being sorted.
NEAR = 256


def _kinds(sizes: IntArray) -> tuple[int, IntArray]:
    """Numbers ``0..width - 1`` of sizes, equal for equal sizes, and the width."""
    if sizes.size and (spread := int(np.ptp(sizes))) < NEAR:
        return spread + 1, sizes - sizes.min()
    kinds, numbers = np.unique(sizes, return_inverse=True)
    return kinds.size, numbers


def pool_condition_fails_at(result: RunResult, steps: int) -> int | None:
    """First of the ``steps`` whose pool could not fill all free slots without some size class.

    The paper's overloaded class, checked on the pool that the policy saw, as by
    :func:`adversary.workloads.overload.pool_survives_a_class`; None if it held.
    """
    width, kinds = _kinds(result.requests.prefill)
    rows = max(1, BLOCK // max(1, width))

    def count(step_of: IntArray, first: int, last: int) -> IntArray:
        """Requests of each size (columns) by the step of each, of some steps."""
        here = (step_of >= first) & (step_of < last)
        cells = (step_of[here] - first) * width + kinds[here]
        counted = np.bincount(cells, minlength=(last - first) * width)
        return counted.reshape(last - first, width)

    left = np.zeros(width, dtype=np.int64)  # that wait after the steps before
    for first in range(0, steps, rows):
        last = min(first + rows, steps)
        admitted = count(result.start_step, first, last)
        after = left + np.cumsum(count(result.reveal_step, first, last) - admitted, axis=0)
        waiting, left = after + admitted, after[-1]
        short = waiting.sum(axis=1) - waiting.max(axis=1, initial=0) < admitted.sum(axis=1)
        if short.any():
            return first + int(np.argmax(short))
    return None


def overloaded_run(
    system: System,
    requests: Requests,
    policy: str | Policy,
    steps: int,
    *,
    pool: int | None = None,
    seed: int = 0,
) -> RunResult:
    """A run with history whose first ``steps`` steps all had every slot full.

    Raises
    ------
    InputError
        If a slot was empty before: the run is outside the overloaded class.
    """
    # Loads the compiler, which most checks of one's own do without.
    from solvers.simulation.engine import simulate

    result = simulate(system, requests, policy, pool=pool, seed=seed, history=True)
    if result.overloaded.steps < steps:
        raise InputError(
            f"not overloaded: a slot stayed empty at step {result.overloaded.steps} of {steps} "
            f"under {result.policy} on {len(requests)} requests"
        )
    return result


def first_steps(result: RunResult, steps: int) -> IntArray:
    """The first ``steps`` rows of the history, int64[steps, G]."""
    assert result.loads is not None
    return result.loads[:steps]
