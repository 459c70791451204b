"""The power of idle, waiting and working devices, from samples beside measured loads.

A sample is the mean of a device's power over a window that ends with it.  Outside all steps a
device draws ``P_idle``; in a step ``P_w + (P_max - P_w) v^gamma``, ``v`` its busy share.  The
window, and the offset of clocks that are not the same, are those that leave the least of the
samples.
"""

from dataclasses import dataclass, replace
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import stdtrit

from adversary.measurements.loads import MeasuredLoads
from adversary.measurements.power import MeasuredPower
from evenkeel.studies.step_time import StepTime
from evenkeel.studies.time_batches import LEVEL, Interval
from theory.model import FloatArray, InputError

# Batches of time behind the intervals, in each of the two states.
BATCHES = 20

# A window of at most this share of a step is a point of time.
_POINT = 1e-3

# Samples with which clocks are aligned, finely and coarsely, and offsets that are tried, at most.
_THIN, _COARSE, _TRIED = 20_000, 1000, 4000

# Clocks that both count from 1970 are taken to differ by no more than so many seconds.
_DRIFT = 2.0

# Exponents that are tried; above 1 the law is no longer that of the theorems.
_GAMMAS = (0.02, 2.0)

# Share of the variance of samples that the fit must explain to mean anything.
_EXPLAINED = 0.5

# An exponent that leaves less of the samples by no more than this share is not told from 1.
_ALIKE = 0.002

# A share of the window outside steps above which a sample is one of an idle device.
_OUTSIDE = 0.999

# What a busy share may be.
FIXED_BUSY = "fixed part busy"
AS_LOADED = "as loaded"


@dataclass(frozen=True, slots=True)
class PowerFit:
    """Powers with 95 % intervals.

    Parameters
    ----------
    idle_w : Interval or None
        ``P_idle``; None where no sample lies outside the steps.
    wait_w, max_w : Interval
        ``P_w`` and ``P_max``, with the exponent ``law_gamma``.
    gamma : Interval
        The exponent that leaves least.
    law_gamma : float
        1 where the samples do not tell the exponent from it: a device that works, then waits.
        Else the one that leaves least.
    busy_share : str
        What ``v`` is: ``"fixed part busy"``, ``(c + L)/(c + M)``, or ``"as loaded"``, ``L/M``.
    residual_w : float
        Standard deviation of what the fit leaves of a sample.
    other_residual_w : float or None
        The same with the other busy share, if both could be tried.
    window_s, offset_s, first_step_s : float
        The window, what is added to times of steps to get those of samples, and the beginning of
        the first step with it.
    samples, outside : int
        Samples that were read, and those outside all steps.
    devices : tuple of str
        Names of the devices, rank by rank.
    measured_j : float
        Energy of the samples within the steps, all devices together.
    saving : float
        Share of it that perfect balance saves by these powers, in the same steps.
    """

    idle_w: Interval | None
    wait_w: Interval
    max_w: Interval
    gamma: Interval
    law_gamma: float
    busy_share: str
    residual_w: float
    other_residual_w: float | None
    window_s: float
    offset_s: float
    first_step_s: float
    samples: int
    outside: int
    devices: tuple[str, ...]
    measured_j: float
    saving: float


@dataclass(frozen=True, slots=True)
class _Timeline:
    """Times of steps and the samples of each device, with the rank that it serves."""

    edges: FloatArray  # int64[2 K]: begin and end of each step
    times: tuple[FloatArray, ...]
    watts: tuple[FloatArray, ...]
    rank: tuple[int, ...]

    def means(self, values: FloatArray, at: FloatArray, window: float) -> FloatArray:
        """Means over the windows that end at these times of a value of each step, 0 outside."""
        lengths = np.diff(self.edges)
        weights = np.zeros(len(lengths))
        weights[::2] = values
        whole = np.concatenate(([0.0], np.cumsum(weights * lengths)))
        if window <= _POINT * float(lengths[::2].mean()):
            place = np.searchsorted(self.edges, at, side="right") - 1
            inside = (place >= 0) & (place < len(weights))
            return np.where(inside, weights[np.clip(place, 0, len(weights) - 1)], 0.0)
        ends = np.interp(at, self.edges, whole)
        return np.asarray((ends - np.interp(at - window, self.edges, whole)) / window)

    def thinned(self, most: int) -> "_Timeline":
        """The same with at most so many samples, evenly."""
        every = max(1, -(-sum(map(len, self.times)) // most))
        return replace(
            self,
            times=tuple(t[::every] for t in self.times),
            watts=tuple(w[::every] for w in self.watts),
        )


def power_fit(
    measured: MeasuredLoads,
    power: MeasuredPower,
    fit: StepTime | None,
    offset_s: float | None = None,
) -> PowerFit:
    """The powers of the devices on which steps were measured.

    Parameters
    ----------
    measured : MeasuredLoads
        With durations of steps; without their beginnings they follow each other.
    power : MeasuredPower
        Devices in the order of the ranks, one or several a rank.
    fit : StepTime, optional
        Of the step times: without it the fixed part of a step cannot be told apart.
    offset_s : float, optional
        What to add to times of steps; by default it is found.

    Raises
    ------
    InputError
        If times are missing, devices do not match ranks, or samples do not follow the steps.
    """
    line = _timeline(measured, power)
    largest, c = measured.loads.max(axis=1, keepdims=True), 0.0
    shares = {AS_LOADED: measured.loads / largest}
    if fit is not None and fit.grows and fit.overhead_s.value > 0:
        c = fit.overhead_s.value / fit.per_load_s.value
        shares[FIXED_BUSY] = (c + measured.loads) / (c + largest)
    best = shares.get(FIXED_BUSY, shares[AS_LOADED])
    offset, window = _aligned(line, best, _absolute(measured, power), offset_s)
    found = {name: _fitted(_design(line, share, offset, window)) for name, share in shares.items()}
    name = min(found, key=lambda name: found[name].left)
    others = [other.residual_w for key, other in found.items() if key != name]
    design = _design(line, shares[name], offset, window)
    _refuse_unexplained(design, found[name])
    *powers, gamma = _jackknife(design, found[name])
    law_gamma, plain = gamma.value, _fitted(design, gammas=(1.0, 1.0))
    if gamma.low <= 1 <= gamma.high or plain.left <= (1 + _ALIKE) * found[name].left:
        law_gamma = 1.0
        *powers, _ = _jackknife(design, plain)
    idle_w, wait_w, max_w = powers
    drawn = wait_w.value + (max_w.value - wait_w.value) * shares[name] ** law_gamma
    return PowerFit(
        idle_w if found[name].has_idle else None,
        wait_w,
        max_w,
        gamma,
        law_gamma,
        name,
        found[name].residual_w,
        others[0] if others else None,
        window,
        offset,
        float(line.edges[0]) + offset,
        len(design.watts),
        int((design.outside > _OUTSIDE).sum()),
        tuple(device.name for device in power.devices),
        float(design.watts[design.outside < 1 - _OUTSIDE].mean())
        * len(power.devices)
        * float(np.diff(line.edges)[::2].sum()),
        1 - max_w.value * (c + measured.loads).sum() / ((c + largest) * drawn).sum(),
    )


def _timeline(measured: MeasuredLoads, power: MeasuredPower) -> _Timeline:
    duration = measured.duration_s
    if duration is None or not np.isfinite(duration).all() or (duration <= 0).any():
        raise InputError(
            "power samples are set beside steps, and some steps have no duration; give a file of "
            "step, start_s and duration_s as well"
        )
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
    start = measured.start_s
    if start is None or not np.isfinite(start).all():
        start = np.concatenate(([0.0], np.cumsum(duration)[:-1]))
    # Rounded beginnings may overlap a little.
    end = start + duration
    end[:-1] = np.minimum(end[:-1], np.maximum(start[1:], start[:-1]))
    if (np.diff(start) <= 0).any():
        at = int(np.flatnonzero(np.diff(start) <= 0)[0])
        raise InputError(
            f"step {measured.steps[at + 1]} does not begin after step {measured.steps[at]}; the "
            "times of steps must rise"
        )
    return _Timeline(
        np.column_stack([start, end]).ravel(),
        tuple(d.time_s for d in power.devices if d.time_s is not None),
        tuple(device.power_w for device in power.devices),
        tuple(k * ranks // devices for k in range(devices)),
    )


def _absolute(measured: MeasuredLoads, power: MeasuredPower) -> bool:
    """Whether steps and samples both have times since 1970."""
    start = measured.start_s
    return power.absolute and start is not None and float(np.nanmin(start)) > 1e8


@dataclass(frozen=True, slots=True)
class _Design:
    """All samples: watts, times, the share of the window outside steps, and busy shares by step."""

    line: _Timeline
    share: FloatArray
    offset: float
    window: float
    watts: FloatArray
    times: FloatArray
    outside: FloatArray

    def busy(self, gamma: float) -> FloatArray:
        """Means over windows of ``v^gamma``, 0 outside steps."""
        raised = self.share**gamma
        return np.concatenate(
            [
                self.line.means(raised[:, rank], time - self.offset, self.window)
                for time, rank in zip(self.line.times, self.line.rank, strict=True)
            ]
        )


def _design(line: _Timeline, share: FloatArray, offset: float, window: float) -> _Design:
    one = np.ones(len(share))
    within = [line.means(one, time - offset, window) for time in line.times]
    return _Design(
        line,
        share,
        offset,
        window,
        np.concatenate(line.watts),
        np.concatenate(line.times),
        1 - np.concatenate(within),
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """``P_idle``, ``P_w``, ``P_max``, ``gamma``, and what is left."""

    values: tuple[float, float, float, float]
    left: float
    residual_w: float
    has_idle: bool


def _solved(
    watts: FloatArray, outside: FloatArray, busy: FloatArray, has_idle: bool
) -> tuple[FloatArray, float]:
    """The three powers at a given exponent, and the sum of squares that is left."""
    columns = [1 - outside - busy, busy]
    if has_idle:
        columns.insert(0, outside)
    x = np.column_stack(columns)
    values, *_ = np.linalg.lstsq(x, watts, rcond=None)
    left = float(((watts - x @ values) ** 2).sum())
    return np.asarray(values, dtype=np.float64), left


def _fitted(
    design: _Design,
    kept: NDArray[np.bool_] | None = None,
    gammas: tuple[float, float] = _GAMMAS,
) -> _Found:
    """The best exponent between two, and its powers, from the samples kept."""
    kept = np.ones(len(design.watts), dtype=bool) if kept is None else kept
    idle = design.outside > _OUTSIDE
    has_idle = bool((idle & kept).sum() >= 2)
    if not has_idle:
        kept = kept & (design.outside < 1 - _OUTSIDE)
    watts, outside = design.watts[kept], design.outside[kept]

    def left(gamma: float) -> float:
        return _solved(watts, outside, design.busy(gamma)[kept], has_idle)[1]

    gamma, (low, high) = gammas[0], gammas
    if gammas == _GAMMAS:
        # A coarse search first, as there may be several valleys.
        tried = np.geomspace(low, high, 13)
        least = int(np.argmin([left(g) for g in tried]))
        low, high = tried[max(0, least - 1)], tried[min(len(tried) - 1, least + 1)]
    if low < high:
        gamma = float(minimize_scalar(left, bounds=(low, high), method="bounded").x)
    values, rest = _solved(watts, outside, design.busy(gamma)[kept], has_idle)
    powers = values if has_idle else np.concatenate(([np.nan], values))
    return _Found(
        (float(powers[0]), float(powers[1]), float(powers[2]), gamma),
        rest,
        (rest / max(1, len(watts) - 4)) ** 0.5,
        has_idle,
    )


def _jackknife(design: _Design, found: _Found) -> tuple[Interval, ...]:
    """Intervals by leaving out one batch of time at a time, in and outside steps alike."""
    idle = design.outside > _OUTSIDE
    batch = np.empty(len(idle), dtype=np.int64)
    for state in (idle, ~idle):
        order = np.argsort(np.argsort(design.times[state], kind="stable"), kind="stable")
        batch[state] = order * BATCHES // max(1, int(state.sum()))
    whole, gamma = np.array(found.values), found.values[3]
    near = (1.0, 1.0) if gamma == 1 else (gamma / 1.5, gamma * 1.5)
    pseudo = np.array(
        [
            BATCHES * whole - (BATCHES - 1) * np.array(_fitted(design, batch != b, near).values)
            for b in range(BATCHES)
        ]
    )
    half = stdtrit(BATCHES - 1, (1 + LEVEL) / 2) * pseudo.std(axis=0, ddof=1) / BATCHES**0.5
    return tuple(
        Interval(float(v), float(v - h), float(v + h)) for v, h in zip(whole, half, strict=True)
    )


def _refuse_unexplained(design: _Design, found: _Found) -> None:
    outside = design.watts[design.outside > _OUTSIDE]
    spread = float(design.watts.std())
    if outside.size > 1 and float(outside.std()) > max(5 * found.residual_w, spread / 2):
        found_w = f"{outside.min():.0f} to {outside.max():.0f} W"
        raise InputError(
            f"outside the logged steps devices draw {found_w}: they ran steps that are not in the "
            "log; give the whole log, or the samples during its steps alone"
        )
    explained = 1 - (found.residual_w / spread) ** 2 if spread > 0 else 0.0
    if explained < _EXPLAINED:
        raise InputError(
            f"power does not follow the steps: {100 * explained:.0f} % of its variance at the best "
            f"offset, {design.offset:.3f} s; check that both are of one run, or give --power-offset"
        )


def _aligned(
    line: _Timeline, share: FloatArray, absolute: bool, offset_s: float | None
) -> tuple[float, float]:
    """Offset and window that leave the least of the samples."""
    thin = line.thinned(_THIN)
    period = float(np.median(np.concatenate([np.diff(time) for time in line.times])))
    if not period > 0:
        raise InputError("most samples of a device have the same time; log finer times")

    def left(offset: float, window: float, of: _Timeline) -> float:
        design = _design(of, share, offset, window)
        idle = bool((design.outside > _OUTSIDE).sum() >= 2)
        return _solved(design.watts, design.outside, design.busy(1.0), idle)[1]

    windows = (0.0, period, 4 * period)
    if offset_s is not None:
        tried = [offset_s]
    else:
        begin, end = float(line.edges[0]), float(line.edges[-1])
        first = min(float(time[0]) for time in line.times)
        last = max(float(time[-1]) for time in line.times)
        middle = (begin + end) / 2
        low, high = first - middle, last - middle
        if absolute:
            low, high = max(low, -_DRIFT), min(high, _DRIFT)
        if low > high:
            raise InputError(
                f"the samples are {abs(low):.0f} s or more away from the steps; give those of one "
                "run, or --power-offset"
            )
        count = int(min(_TRIED, max(3, 2 * (high - low) / period)))
        tried = np.linspace(low, high, count).tolist()

    def both(at: FloatArray) -> float:
        return left(float(at[0]), max(0.0, float(at[1])), thin)

    # A few samples are enough to find the run.
    coarse = line.thinned(_COARSE)
    near = min(tried, key=lambda offset: left(offset, period, coarse))
    best: tuple[float, float, float] = (inf, 0.0, 0.0)
    for offset, window in ((near, window) for window in windows):
        if offset_s is not None:
            found = minimize_scalar(
                lambda w: left(offset_s, w, thin),
                bounds=(0.0, 4 * window + period),
                method="bounded",
            )
            trial = (float(found.fun), offset_s, float(found.x))
        else:
            simplex: FloatArray = np.array(
                [[offset, window], [offset + period, window], [offset, window + period]]
            )
            options: Any = {"initial_simplex": simplex}
            result = minimize(
                both,
                simplex[0],
                method="Nelder-Mead",
                tol=period / 100,
                options=options,
            )
            trial = (float(result.fun), float(result.x[0]), max(0.0, float(result.x[1])))
        best = min(best, trial)
    return best[1], best[2]
