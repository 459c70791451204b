"""The power of idle, waiting and working devices, from samples beside measured loads.

A sample is the mean of a device's power over a window that ends with it.  Outside all steps a
device draws ``P_idle``; in a step ``P_w + (P_max - P_w) v^gamma``, ``v`` its busy share.  The
window, and the offset of clocks that are not the same, are those that leave the least of the
samples.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import stdtrit

from adversary.measurements.loads import BoolArray, MeasuredLoads
from adversary.measurements.power import MeasuredPower
from evenkeel.studies.power_alignment import (
    Design,
    Steps,
    Timeline,
    aligned,
    design,
    powers,
    timeline,
)
from evenkeel.studies.step_time import StepTime
from evenkeel.studies.time_batches import LEVEL, Interval
from theory.model import FloatArray, InputError

# Batches of time behind the intervals, in each of the two states.
BATCHES = 20

# Exponents that are tried; above 1 the law is no longer that of the theorems.
_GAMMAS = (0.02, 2.0)

# Share of the variance of samples that the fit must explain to mean anything.
_EXPLAINED = 0.5

# An exponent that leaves less of the samples by no more than this share is not told from 1.
_ALIKE = 0.002

# What a busy share may be.
FIXED_BUSY = "fixed part busy"
AS_LOADED = "as loaded"


@dataclass(frozen=True, slots=True)
class PowerFit:
    """Powers with 95 % intervals.

    Parameters
    ----------
    idle_w : Interval or None
        ``P_idle``; None where no sample lies outside the steps, or devices are not idle there.
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
    idle_outside : bool
        Whether devices are idle outside the steps; else they ran steps that are not in the log,
        and only samples within the steps were taken.
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
    idle_outside: bool
    devices: tuple[str, ...]
    measured_j: float
    saving: float


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
    line, part = timeline(measured, power)
    loads = measured.loads[part]
    largest, c = loads.max(axis=1, keepdims=True), 0.0
    shares = {AS_LOADED: loads / largest}
    if fit is not None and fit.grows and fit.overhead_s.value > 0:
        c = fit.overhead_s.value / fit.per_load_s.value
        shares[FIXED_BUSY] = (c + loads) / (c + largest)
    start = measured.start_s
    absolute = power.absolute and start is not None and float(np.nanmin(start)) > 1e8
    try:
        beside, found, other = _best(line, shares, absolute, offset_s)
    except InputError as refused:
        try:
            alone = replace(line, idle_outside=False)
            beside, found, other = _best(alone, shares, absolute, offset_s)
        except InputError:
            raise refused from None
    *three, gamma = _jackknife(beside, found)
    law_gamma, plain = gamma.value, _fitted(beside, gammas=(1.0, 1.0))
    if gamma.low <= 1 <= gamma.high or plain.left <= (1 + _ALIKE) * found.left:
        law_gamma = 1.0
        *three, _ = _jackknife(beside, plain)
    idle_w, wait_w, max_w = three
    drawn = wait_w.value + (max_w.value - wait_w.value) * beside.steps.share**law_gamma
    return PowerFit(
        idle_w if found.has_idle else None,
        wait_w,
        max_w,
        gamma,
        law_gamma,
        next(name for name, share in shares.items() if share is beside.steps.share),
        found.residual_w,
        other,
        beside.window,
        beside.offset,
        float(line.edges[0]) + beside.offset,
        len(beside.watts),
        int(beside.idle.sum()),
        beside.line.idle_outside,
        tuple(device.name for device in power.devices),
        _mean_in_steps(beside, found) * len(power.devices) * float(np.diff(line.edges)[::2].sum()),
        float(1 - max_w.value * (c + loads).sum() / ((c + largest) * drawn).sum()),
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """``P_idle``, ``P_w``, ``P_max``, ``gamma``, and what is left."""

    values: tuple[float, float, float, float]
    left: float
    residual_w: float
    has_idle: bool


def _best(
    line: Timeline, shares: dict[str, FloatArray], absolute: bool, offset_s: float | None
) -> tuple[Design, _Found, float | None]:
    """The busy share that leaves less of the samples, its fit, and what the other leaves."""
    steps = {name: Steps(line.edges, share) for name, share in shares.items()}
    likely = steps.get(FIXED_BUSY, steps[AS_LOADED])
    offset, window = aligned(line, likely, absolute=absolute, offset_s=offset_s)
    fits = []
    for each in steps.values():
        beside = design(line, each, offset, window)
        fits.append((beside, _fitted(beside)))
    fits.sort(key=lambda fit: fit[1].left)
    beside, found = fits[0]
    _refuse_unexplained(beside, found)
    return beside, found, fits[1][1].residual_w if len(fits) > 1 else None


def _fitted(
    beside: Design, kept: BoolArray | None = None, gammas: tuple[float, float] = _GAMMAS
) -> _Found:
    """The best exponent between two, and its powers, from the samples kept."""
    usable = beside.usable if kept is None else beside.usable & kept

    def left(gamma: float) -> float:
        return powers(beside, gamma, usable)[1]

    gamma, (low, high) = gammas[0], gammas
    if gammas == _GAMMAS:
        # A coarse search first, as there may be several valleys.
        tried = np.geomspace(low, high, 13)
        least = int(np.argmin([left(g) for g in tried]))
        low, high = tried[max(0, least - 1)], tried[min(len(tried) - 1, least + 1)]
    if low < high:
        gamma = float(minimize_scalar(left, bounds=(low, high), method="bounded").x)
    (idle, wait, most), rest = powers(beside, gamma, usable)
    return _Found(
        (float(idle), float(wait), float(most), gamma),
        rest,
        (rest / max(1, int(usable.sum()) - 4)) ** 0.5,
        beside.line.idle_outside and bool((beside.idle & usable).sum() >= 2),
    )


def _mean_in_steps(beside: Design, found: _Found) -> float:
    """Mean power within steps: of samples mostly within, less what they have outside."""
    mostly = beside.inside & (beside.outside < 0.5)
    outside = beside.outside[mostly]
    beyond = np.nan_to_num(found.values[0]) * outside
    return float((beside.watts[mostly] - beyond).sum() / (1 - outside).sum())


def _jackknife(beside: Design, found: _Found) -> tuple[Interval, ...]:
    """Intervals by leaving out one batch of time at a time, in and outside steps alike."""
    batch = np.empty(len(beside.watts), dtype=np.int64)
    for state in (beside.idle, ~beside.idle):
        counted = state & beside.usable
        batch[state] = -1
        order = np.argsort(np.argsort(beside.times[counted], kind="stable"), kind="stable")
        batch[counted] = order * BATCHES // max(1, int(counted.sum()))
    whole, gamma = np.array(found.values), found.values[3]
    near = (1.0, 1.0) if gamma == 1 else (gamma / 1.5, gamma * 1.5)
    pseudo = np.array(
        [
            BATCHES * whole - (BATCHES - 1) * np.array(_fitted(beside, batch != b, near).values)
            for b in range(BATCHES)
        ]
    )
    half = stdtrit(BATCHES - 1, (1 + LEVEL) / 2) * pseudo.std(axis=0, ddof=1) / BATCHES**0.5
    return tuple(
        Interval(float(v), float(v - h), float(v + h)) for v, h in zip(whole, half, strict=True)
    )


def _refuse_unexplained(beside: Design, found: _Found) -> None:
    spread = float(beside.watts[beside.usable].std())
    outside = beside.watts[beside.idle]
    if beside.line.idle_outside and outside.size > 1:
        varies = float(outside.std())
        if varies > max(5 * found.residual_w, spread / 2):
            raise InputError(
                f"outside the logged steps devices draw {outside.min():.0f} to "
                f"{outside.max():.0f} W: they ran steps that are not in the log, and within the "
                "logged ones their power does not follow the loads; give the whole log"
            )
    explained = 1 - (found.residual_w / spread) ** 2 if spread > 0 else 0.0
    if explained < _EXPLAINED:
        raise InputError(
            f"power does not follow the steps: {100 * explained:.0f} % of its variance at the best "
            f"offset, {beside.offset:.3f} s; check that both are of one run, or give --power-offset"
        )
