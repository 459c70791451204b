"""Power samples set beside the steps that devices ran, whose clocks may not be the same."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf
from typing import Any

import numpy as np
from scipy.optimize import minimize, minimize_scalar

from adversary.measurements.loads import BoolArray, MeasuredLoads
from adversary.measurements.power import MeasuredPower
from theory.model import FloatArray, InputError

# A window of at most this share of a step is a point of time.
_POINT = 1e-3

# Samples with which clocks are aligned, finely and coarsely, and offsets that are tried, at most.
_THIN, _COARSE, _TRIED = 20_000, 1000, 4000

# Clocks that both count from 1970 are taken to differ by no more than so many seconds.
_DRIFT = 2.0

# A share of the window outside steps above which a sample is outside.
_OUTSIDE = 0.999

# Samples within steps without which an offset is not tried.
_LEAST = 20


@dataclass(frozen=True, slots=True)
class Timeline:
    """Times of steps, and the samples of each device with the rank that it serves.

    Parameters
    ----------
    edges : float64[2 K]
        Begin and end of each step, in turn.
    times, watts : tuple of float64[N]
        Of each device.
    rank : tuple of int
        Of each device.
    idle_outside : bool
        Whether devices are idle outside these steps.  Else only samples within them count.
    """

    edges: FloatArray
    times: tuple[FloatArray, ...]
    watts: tuple[FloatArray, ...]
    rank: tuple[int, ...]
    idle_outside: bool = True

    def thinned(self, most: int) -> "Timeline":
        """The same with at most so many samples, evenly."""
        every = max(1, -(-sum(map(len, self.times)) // most))
        return replace(
            self,
            times=tuple(t[::every] for t in self.times),
            watts=tuple(w[::every] for w in self.watts),
        )


@dataclass(frozen=True, slots=True)
class Course:
    """A value over time, 0 outside steps.

    Parameters
    ----------
    edges : float64[2 K]
        As in :class:`Timeline`.
    values : float64[2 K - 1]
        In each step and after it, in turn.
    whole : float64[2 K]
        Integral up to each edge.
    step : float
        Mean length of a step.
    """

    edges: FloatArray
    values: FloatArray
    whole: FloatArray
    step: float

    @classmethod
    def of_steps(cls, edges: FloatArray, of_each: FloatArray) -> "Course":
        """That of a value of each step."""
        lengths = np.diff(edges)
        values = np.zeros(len(lengths))
        values[::2] = of_each
        whole = np.concatenate(([0.0], np.cumsum(values * lengths)))
        return cls(edges, values, whole, float(lengths[::2].mean()))

    def means(self, at: FloatArray, window: float) -> FloatArray:
        """Means over the windows that end at these times."""
        if window <= _POINT * self.step:
            place = np.searchsorted(self.edges, at, side="right") - 1
            inside = (place >= 0) & (place < len(self.values))
            return np.where(inside, self.values[np.clip(place, 0, len(self.values) - 1)], 0.0)
        ends = np.interp(at, self.edges, self.whole)
        return np.asarray((ends - np.interp(at - window, self.edges, self.whole)) / window)


@dataclass(frozen=True, eq=False)
class Steps:
    """What ranks did over time.

    Parameters
    ----------
    edges : float64[2 K]
        As in :class:`Timeline`.
    share : float64[K, G]
        Busy shares of the ranks.
    """

    edges: FloatArray
    share: FloatArray

    @cached_property
    def within(self) -> Course:
        """1 in steps."""
        return Course.of_steps(self.edges, np.ones(len(self.share)))

    def busy(self, gamma: float) -> tuple[Course, ...]:
        """``v^gamma`` of each rank."""
        return self._linear if gamma == 1 else self._raised(gamma)

    @cached_property
    def _linear(self) -> tuple[Course, ...]:
        return self._raised(1.0)  # that of every offset that is tried

    def _raised(self, gamma: float) -> tuple[Course, ...]:
        return tuple(Course.of_steps(self.edges, v) for v in (self.share**gamma).T)


def timeline(measured: MeasuredLoads, power: MeasuredPower) -> tuple[Timeline, slice]:
    """Steps and samples, and which of the steps have a time: first and last ones may lack it.

    Raises
    ------
    InputError
        If times are missing or do not rise, or devices do not match ranks.
    """
    part = _timed(measured)
    if any(device.time_s is None for device in power.devices):
        raise InputError(
            f"the {power.format} samples have no times; log them with a timestamp to set them "
            "beside steps"
        )
    ranks, devices = len(measured.ranks), len(power.devices)
    if devices % ranks:
        raise InputError(
            f"there are {devices} devices and {ranks} ranks; give the samples of all devices of "
            "the ranks and no others, in the order of the ranks"
        )
    assert measured.duration_s is not None
    duration, start = measured.duration_s[part], measured.start_s
    if start is None or not np.isfinite(start[part]).all():
        start = np.concatenate(([0.0], np.cumsum(duration)[:-1]))
    else:
        start = start[part]
    if (np.diff(start) <= 0).any():
        at = int(np.flatnonzero(np.diff(start) <= 0)[0])
        steps = measured.steps[part]
        raise InputError(
            f"step {steps[at + 1]} does not begin after step {steps[at]}; the times of steps must "
            "rise"
        )
    # Rounded beginnings may overlap a little.
    end = start + duration
    end[:-1] = np.minimum(end[:-1], start[1:])
    line = Timeline(
        np.column_stack([start, end]).ravel(),
        tuple(d.time_s for d in power.devices if d.time_s is not None),
        tuple(device.power_w for device in power.devices),
        tuple(k * ranks // devices for k in range(devices)),
    )
    return line, part


def _timed(measured: MeasuredLoads) -> slice:
    """The steps from the first with a time to the last, all of which have one."""
    fix = "give a file of step, start_s and duration_s as well"
    if measured.duration_s is None:
        raise InputError(f"power samples are set beside steps, and no step has a duration; {fix}")
    known = np.isfinite(measured.duration_s) & (measured.duration_s > 0)
    at = np.flatnonzero(known)
    if not at.size or not known[at[0] : at[-1] + 1].all():
        raise InputError(
            f"power samples are set beside steps, and some steps have no duration; {fix}"
        )
    return slice(int(at[0]), int(at[-1]) + 1)


@dataclass(frozen=True, slots=True)
class Design:
    """All samples beside the steps, device by device.

    Parameters
    ----------
    line : Timeline
        Steps and samples.
    steps : Steps
        What ranks did.
    offset, window : float
        What is added to times of steps, and over which time before it a sample is a mean.
    watts, times : float64[N]
        The samples.
    outside : float64[N]
        Share of each window outside steps.
    """

    line: Timeline
    steps: Steps
    offset: float
    window: float
    watts: FloatArray
    times: FloatArray
    outside: FloatArray

    @property
    def idle(self) -> BoolArray:
        """Which samples are those of an idle device."""
        return np.asarray(self.outside > _OUTSIDE)

    @property
    def inside(self) -> BoolArray:
        """Which samples lie between the beginning of the first step and the end of the last."""
        at = self.times - self.offset
        low, high = self.line.edges[0], self.line.edges[-1]
        return np.asarray((at - self.window >= low) & (at <= high))

    @property
    def usable(self) -> BoolArray:
        """Which samples count."""
        if self.line.idle_outside:
            return np.ones(len(self.watts), dtype=np.bool_)
        return self.inside

    def busy(self, gamma: float) -> FloatArray:
        """Means over windows of ``v^gamma``, 0 outside steps."""
        of_rank = self.steps.busy(gamma)
        return np.concatenate(
            [
                of_rank[rank].means(time - self.offset, self.window)
                for time, rank in zip(self.line.times, self.line.rank, strict=True)
            ]
        )


def design(line: Timeline, steps: Steps, offset: float, window: float) -> Design:
    """The samples at that offset and window."""
    within = [steps.within.means(time - offset, window) for time in line.times]
    return Design(
        line,
        steps,
        offset,
        window,
        np.concatenate(line.watts),
        np.concatenate(line.times),
        1 - np.concatenate(within),
    )


def powers(found: Design, gamma: float, kept: BoolArray) -> tuple[FloatArray, float]:
    """Powers outside steps, at the barrier and at work, at an exponent; and the squares left.

    The first is NaN where the samples have next to nothing outside steps.
    """
    outside, busy = found.outside[kept], found.busy(gamma)[kept]
    columns = [1 - outside - busy, busy]
    if outside.sum() > _OUTSIDE:
        columns.insert(0, outside)
    x = np.column_stack(columns)
    values, *_ = np.linalg.lstsq(x, found.watts[kept], rcond=None)
    left = float(((found.watts[kept] - x @ values) ** 2).sum())
    return np.concatenate((np.full(3 - len(columns), np.nan), values)), left


def aligned(
    line: Timeline, steps: Steps, *, absolute: bool, offset_s: float | None
) -> tuple[float, float]:
    """Offset and window that leave the least share of the variance of the samples.

    Parameters
    ----------
    line, steps
        As in :class:`Design`.
    absolute : bool
        Whether steps and samples both have times since 1970.
    offset_s : float or None
        The offset, if it is known.

    Raises
    ------
    InputError
        If the samples are elsewhere in time, or all at one time.
    """
    period = float(np.median(np.concatenate([np.diff(time) for time in line.times])))
    if not period > 0:
        raise InputError("most samples of a device have the same time; log finer times")

    def left(offset: float, window: float, of: Timeline) -> float:
        found = design(of, steps, offset, max(0.0, window))
        kept = found.usable
        if kept.sum() < _LEAST:
            return inf
        watts = found.watts[kept]
        spread = float(((watts - watts.mean()) ** 2).sum())
        return powers(found, 1.0, kept)[1] / (spread or 1)

    # A few samples are enough to find the run.
    thin, coarse = line.thinned(_THIN), line.thinned(_COARSE)
    tried = [offset_s] if offset_s is not None else _offsets(line, absolute, period)
    near = min(tried, key=lambda offset: left(offset, period, coarse))
    return min(
        _refined(lambda o, w: left(o, w, thin), near, window, period, offset_s is not None)
        for window in (0.0, period, 4 * period)
    )[1:]


def _offsets(line: Timeline, absolute: bool, period: float) -> list[float]:
    """Offsets at which at least half of the steps or of the samples are beside the others."""
    middle = (float(line.edges[0]) + float(line.edges[-1])) / 2
    low = min(float(time[0]) for time in line.times) - middle
    high = max(float(time[-1]) for time in line.times) - middle
    if absolute:
        low, high = max(low, -_DRIFT), min(high, _DRIFT)
    if low > high:
        raise InputError(
            f"the samples are {abs(low):.0f} s or more away from the steps; give those of one "
            "run, or --power-offset"
        )
    count = int(min(_TRIED, max(3, 2 * (high - low) / period)))
    found: list[float] = np.linspace(low, high, count).tolist()
    return found


def _refined(
    left: Callable[[float, float], float], offset: float, window: float, period: float, fixed: bool
) -> tuple[float, float, float]:
    """What is left at the best offset and window near these, and the two."""
    if fixed:
        most = 4 * window + period
        best = minimize_scalar(lambda w: left(offset, w), bounds=(0.0, most), method="bounded")
        return float(best.fun), offset, float(best.x)
    simplex: FloatArray = np.array(
        [[offset, window], [offset + period, window], [offset, window + period]]
    )
    options: Any = {"initial_simplex": simplex}

    def at(point: FloatArray) -> float:
        return left(float(point[0]), float(point[1]))

    # Both ends in one unit: a hundredth of the period is as near as the times are.
    result = minimize(at, simplex[0], method="Nelder-Mead", tol=period / 100, options=options)
    return float(result.fun), float(result.x[0]), max(0.0, float(result.x[1]))
