"""What measured loads say: how long ranks wait, for whom, and since when."""

from dataclasses import dataclass

import numpy as np
from scipy.special import fdtrc

from adversary.measurements.loads import MeasuredLoads
from evenkeel.studies.time_batches import (
    Batches,
    Interval,
    autocovariances,
    batches,
    summed,
)
from theory.model import FloatArray, IntArray

# Parts of the recording that are shown, at most.
WINDOWS = 10

# Share of the recording that the memory of loads may take on both sides for a test at all.
MEMORY = 0.25


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the recording: its first and last step, idle share, and slowest rank."""

    first: int
    last: int
    idle_share: float
    imbalance: float
    slowest: str
    slowest_share: float


@dataclass(frozen=True, slots=True)
class Rank:
    """One rank over all steps.

    ``waits`` is the share of the time that grows with the load in which it waits; ``slowest`` the
    share of the steps in which its load is the largest, ties shared; ``longest`` the most such
    steps one after the other.
    """

    name: str
    mean_load: float
    waits: float
    slowest: float
    longest: int


@dataclass(frozen=True, slots=True)
class Stragglers:
    """Who is the slowest, and for how long.

    Parameters
    ----------
    changes : int
        Times that another rank becomes the slowest.
    mean_run, longest_run : float, int
        Steps that a rank stays the slowest.
    drawn_anew : float
        Mean run if the slowest were drawn anew in each step, with the same shares of ranks.
    exchangeable_p : float or None
        Chance that ranks which are equal in law have mean loads that differ as much; None where
        loads hang together for too much of the recording.
    memory : int
        Steps over which the load of a rank hangs together.

    Notes
    -----
    In simulated recordings of equal ranks the chance was below 0.001 in 0 to 1 % where the memory
    is short enough for a test.
    """

    changes: int
    mean_run: float
    longest_run: int
    drawn_anew: float
    exchangeable_p: float | None
    memory: int


@dataclass(frozen=True, slots=True)
class Balance:
    """What loads say.

    Parameters
    ----------
    steps : int
        ``K``.
    idle_share : Interval
        ``I / (W + I)``: of the worker-time that grows with the load.
    rounding : float
        How far the idle share may be off as loads were rounded when they were logged.
    work, imbalance : float
        ``W`` and ``I``, in units of load.
    mean_imbalance : Interval
        ``I / K``.
    balance_ratio : Interval
        Mean over steps of average over largest load.
    batches : Batches
        Behind the intervals.
    windows, ranks, stragglers
        Over time, by rank, and the slowest.
    """

    steps: int
    idle_share: Interval
    rounding: float
    work: float
    imbalance: float
    mean_imbalance: Interval
    balance_ratio: Interval
    batches: Batches
    windows: tuple[Window, ...]
    ranks: tuple[Rank, ...]
    stragglers: Stragglers


def balance(measured: MeasuredLoads) -> Balance:
    """What measured loads say.

    Steps without any load are no steps; a caller leaves them out.
    """
    loads = measured.loads
    steps, ranks = loads.shape
    largest = loads.max(axis=1)
    total = ranks * largest
    lost = total - loads.sum(axis=1)
    share = float(lost.sum() / total.sum())
    ratio = loads.mean(axis=1) / largest
    cut = batches(lost - share * total)
    parts = cut.sums(np.column_stack([lost, total, ratio, np.ones(steps)]))
    slowest = slowest_ranks(loads)
    tied = loads == largest[:, None]
    shares = (tied / tied.sum(axis=1, keepdims=True)).mean(axis=0)
    return Balance(
        steps,
        cut.interval(
            parts,
            lambda sums: float(sums[0] / sums[1]),
            share,
            (lost - share * total) / total.mean(),
        ),
        # Each load may be off by so much: the sum of all by K G times that, at the worst.
        float(measured.rounding * total.size * ranks * 2 / total.sum()),
        float(loads.sum()),
        float(lost.sum()),
        cut.interval(parts, lambda sums: float(sums[0] / sums[3]), float(lost.mean()), lost),
        cut.interval(parts, lambda sums: float(sums[2] / sums[3]), float(ratio.mean()), ratio),
        cut,
        _windows(measured, slowest, lost, total),
        tuple(
            Rank(
                name,
                float(loads[:, k].mean()),
                float(1 - loads[:, k].sum() / largest.sum()),
                float(shares[k]),
                _longest(slowest == k),
            )
            for k, name in enumerate(measured.ranks)
        ),
        _stragglers(slowest, loads),
    )


def slowest_ranks(loads: FloatArray) -> IntArray:
    """The rank with the largest load in each step; of several, the one of the step before."""
    first = loads.argmax(axis=1)
    tied = loads == loads.max(axis=1, keepdims=True)
    for step in np.flatnonzero(tied.sum(axis=1) > 1).tolist():
        if step and tied[step, first[step - 1]]:
            first[step] = first[step - 1]
    return np.asarray(first, dtype=np.int64)


def _runs(of: IntArray) -> IntArray:
    """Lengths of runs of equal numbers.

    >>> _runs(np.array([3, 3, 1, 3])).tolist()
    [2, 1, 1]
    """
    ends = np.flatnonzero(np.diff(of) != 0) + 1
    return np.diff(np.concatenate(([0], ends, [len(of)])))


def _longest(hits: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> int:
    lengths, starts = _runs(hits.astype(np.int64)), 0
    longest = 0
    for length in lengths.tolist():
        if hits[starts]:
            longest = max(longest, length)
        starts += length
    return longest


def _stragglers(slowest: IntArray, loads: FloatArray) -> Stragglers:
    runs = _runs(slowest)
    shares = np.bincount(slowest, minlength=loads.shape[1]) / len(slowest)
    again = float((shares**2).sum())
    return Stragglers(
        len(runs) - 1,
        float(runs.mean()),
        int(runs.max()),
        1 / (1 - again) if again < 1 else float(len(slowest)),
        *_equal_in_law(loads),
    )


def _equal_in_law(loads: FloatArray) -> tuple[float | None, int]:
    """See :class:`Stragglers`: the chance, and the memory of loads in steps.

    Mean loads of ranks that are equal in law differ as their own ups and downs allow: the variance
    of a mean follows from the autocorrelations of all ranks together, summed as long as pairs of
    neighbouring lags are positive (Geyer 1992), and the ratio of the two has an F distribution.
    """
    steps, ranks = loads.shape
    apart = loads - loads.mean(axis=1, keepdims=True)
    means = apart.mean(axis=0)
    together = np.mean([autocovariances(apart[:, k]) for k in range(ranks)], axis=0)
    total, last = summed(together)
    used = 2 * last + 1
    if used >= MEMORY * steps or total <= 0:
        return None, last
    # Each autocovariance is too small by the variance of a mean, as means were taken off.
    variance = total / (1 - used / steps) / steps
    ratio = float((means**2).mean()) / variance
    return float(fdtrc(ranks - 1, max(1.0, steps * (ranks - 1) / used), ratio)), last


def _windows(
    measured: MeasuredLoads, slowest: IntArray, lost: FloatArray, total: FloatArray
) -> tuple[Window, ...]:
    count = min(WINDOWS, len(lost))
    edges = np.arange(count + 1) * len(lost) // count
    found = []
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        counts = np.bincount(slowest[low:high], minlength=len(measured.ranks))
        found.append(
            Window(
                int(measured.steps[low]),
                int(measured.steps[high - 1]),
                float(lost[low:high].sum() / total[low:high].sum()),
                float(lost[low:high].mean()),
                measured.ranks[int(counts.argmax())],
                float(counts.max() / (high - low)),
            )
        )
    return tuple(found)
