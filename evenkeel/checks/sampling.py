"""Simulated evidence: load histories of overloaded steps, and intervals of means.

Every interval here is Student's at one in a million, over independent replications, so a claim
that holds is not called refuted by chance in any plausible number of runs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from evenkeel.evidence import Trial
from solvers.decision import Policy
from solvers.engine import simulate
from solvers.result import RunResult
from theory.model import FloatArray, InputError, IntArray, Requests, System

# Chance that an interval misses a true mean.
MISS = 1e-6


def fresh(trial: Trial, seen: int = 100) -> int:
    """Root of the seeds of a check whose claim was worded before its runs.

    Seeds below ``seen`` were looked at while claims were being worded; every seed of a trial is
    mapped beyond them.
    """
    return seen + trial.seed


@dataclass(frozen=True, slots=True)
class Mean:
    """A sample mean with its interval, over independent replications."""

    value: float
    low: float
    high: float
    deviation: float = 0.0  # of one sample

    @classmethod
    def of(cls, samples: Sequence[float] | FloatArray) -> "Mean":
        """Mean and Student interval of the samples, at least two of them."""
        x = np.asarray(samples, dtype=float)
        if x.size < 2:
            raise InputError(f"an interval needs at least 2 replications, got {x.size}")
        mean, deviation = float(x.mean()), float(x.std(ddof=1))
        half = float(stdtrit(x.size - 1, 1 - MISS / 2)) * deviation / x.size**0.5
        return cls(mean, mean - half, mean + half, deviation)

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
        n = x.size
        mx, my = float(x.mean()), float(y.mean())
        if n < 2:
            raise InputError(f"an interval needs at least 2 replications, got {n}")
        t2 = float(stdtrit(n - 1, 1 - MISS / 2)) ** 2 / n
        covariance = np.cov(x, y)
        # (mx - r my)^2 = t2 (vxx - 2 r vxy + r^2 vyy), a quadratic in r.
        a = my**2 - t2 * float(covariance[1, 1])
        b = mx * my - t2 * float(covariance[0, 1])
        c = mx**2 - t2 * float(covariance[0, 0])
        value = mx / my if my else np.inf
        if a <= 0:
            # The lower mean may be 0: only a lower end is left, where its mean is largest.
            low = max(0.0, Mean.of(x).low) / Mean.of(y).high if Mean.of(y).high > 0 else np.inf
            return cls(value, low, np.inf)
        root = max(0.0, b * b - a * c) ** 0.5
        return cls(value, (b - root) / a, (b + root) / a)

    @property
    def interval(self) -> tuple[float, float]:
        """The two ends."""
        return self.low, self.high


def imbalances(loads: IntArray) -> IntArray:
    """Imbalance ``G max - sum`` of every step, int64[K], of loads int64[K, G]."""
    return np.asarray(loads.shape[1] * loads.max(axis=1) - loads.sum(axis=1))


def pool_condition_fails_at(result: RunResult, steps: int) -> int | None:
    """First of the ``steps`` whose pool could not fill all free slots without some size class.

    The paper's overloaded class, checked on the pool that the policy saw, as by
    :func:`adversary.families.pool_survives_a_class`; None if it held.
    """
    kinds = np.unique(result.requests.prefill, return_inverse=True)[1]
    admitted = np.bincount(result.start_step, minlength=steps)
    for step in range(steps):
        waiting = (result.reveal_step <= step) & (result.start_step >= step)
        largest = int(np.bincount(kinds[waiting], minlength=1).max())
        if int(waiting.sum()) - largest < admitted[step]:
            return step
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
