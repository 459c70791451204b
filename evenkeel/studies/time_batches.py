"""Intervals for what a recording shows: batches of consecutive steps in place of repeats.

Loads change slowly, so that neighbouring steps say nearly the same.  The recording is cut into
batches that are longer than this memory, and the jackknife over batches gives the interval.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from theory.model import FloatArray, IntArray

# Numbers of batches, the most first; fewer are longer.
COUNTS = (32, 20, 12, 8, 6, 4)

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its 95 % interval.

    Parameters
    ----------
    value, low, high : float
        The value of the whole recording, and the ends; infinite where there is no interval.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Batches:
    """A recording cut into batches of equal numbers of steps.

    Parameters
    ----------
    starts : int64[n]
        First step of each.
    hang_together : bool
        Whether batches are still alike to their neighbours: an interval is then too narrow.
    """

    starts: IntArray
    hang_together: bool

    @property
    def count(self) -> int:
        """Number of batches."""
        return len(self.starts)

    def sums(self, values: FloatArray) -> FloatArray:
        """Sums over each batch of float64[K] or float64[K, q]."""
        found: FloatArray = np.add.reduceat(values, self.starts, axis=0)
        return found

    def interval(
        self,
        parts: FloatArray,
        statistic: Callable[[FloatArray], float],
        value: float,
        influence: FloatArray,
    ) -> Interval:
        """The interval of a statistic of sums: the wider of the jackknife's and :func:`half_width`.

        Parameters
        ----------
        parts : float64[n, q]
            Sums over each batch.
        statistic : callable
            Of the sums over some batches, float64[q].
        value : float
            Of the whole recording.
        influence : float64[K]
            What each step adds to it: its mean is the error of the statistic, to first order.
        """
        n = self.count
        if n < 2:
            return Interval(value, -np.inf, np.inf)
        total = parts.sum(axis=0)
        without = np.array([statistic(total - part) for part in parts])
        pseudo = n * statistic(total) - (n - 1) * without
        half = float(stdtrit(n - 1, (1 + LEVEL) / 2) * pseudo.std(ddof=1) / n**0.5)
        half = max(half, half_width(influence))
        return Interval(value, value - half, value + half)


def autocovariances(series: FloatArray) -> FloatArray:
    """The mean products of the series, less its mean, with itself so many steps later, float64[K].

    >>> autocovariances(np.array([1.0, -1.0, 1.0, -1.0])).round(12).tolist()
    [1.0, -0.75, 0.5, -0.25]
    """
    steps = len(series)
    size = 1 << (2 * steps - 1).bit_length()
    power = np.abs(np.fft.rfft(series - series.mean(), size)) ** 2
    return np.asarray(np.fft.irfft(power, size)[:steps] / steps)


def summed(covariances: FloatArray) -> tuple[float, int]:
    """Sum over all lags, both ways, as long as pairs of neighbours are positive (Geyer 1992).

    Returns
    -------
    total : float
        The sum: steps times the variance of their mean.
    last : int
        The last lag in it: the memory of the series.
    """
    total, last = -float(covariances[0]), 0
    for lag in range(0, len(covariances) - 1, 2):
        pair = float(covariances[lag] + covariances[lag + 1])
        if pair <= 0:
            break
        total, last = total + 2 * pair, lag + 1
    return total, last


def half_width(series: FloatArray) -> float:
    """Half of the 95 % interval of the mean of a series, from its autocovariances."""
    steps = len(series)
    total, last = summed(autocovariances(series))
    used = 2 * last + 1
    if total <= 0 or used >= steps:
        return 0.0
    # Each autocovariance is too small by the variance of the mean, as that was taken off.
    error = float(np.sqrt(total / (1 - used / steps) / steps))
    return float(stdtrit(max(1.0, steps / used - 1), (1 + LEVEL) / 2)) * error


def batches(series: FloatArray) -> Batches:
    """The most batches that are no longer alike to their neighbours.

    Parameters
    ----------
    series : float64[K]
        What the interval is of, step by step; its mean is what counts.

    Notes
    -----
    Batches are alike while the correlation of neighbouring means is above what chance gives to
    independent ones, half its standard deviation.

    With :func:`half_width`, intervals of idle shares held the truth in 93 to 98 % of 200 or more
    simulated recordings whose loads correlate as ``phi^lag`` and vary normally, with
    ``K (1 - phi)`` from 12 to 600.  Where a few large requests decide, as with lognormal sizes in
    16 slots of 8 ranks, in 91 % or more with ``K (1 - phi)`` from 30 on, in 89 % with 12, and in 83
    to 89 % with 2 to 4.

    Examples
    --------
    >>> batches(np.arange(8.0)).count  # a trend: no number of batches helps
    4
    """
    steps = len(series)
    starts, alike = np.zeros(1, dtype=np.int64), True
    for count in COUNTS:
        if steps < 2 * count:
            continue
        starts = np.arange(count) * steps // count
        means = np.add.reduceat(series, starts) / np.diff(np.append(starts, steps))
        alike = _correlated(means)
        if not alike:
            break
    return Batches(starts, alike)


def _correlated(means: FloatArray) -> bool:
    """Whether neighbours are more alike than independent numbers by chance."""
    apart = means - means.mean()
    square = float((apart * apart).sum())
    if square <= 1e-24 * float((means * means).sum()):
        return False
    lag = float((apart[1:] * apart[:-1]).sum()) / square
    n = len(means)
    return bool(lag >= 0.5 / n**0.5 - 1 / n)
