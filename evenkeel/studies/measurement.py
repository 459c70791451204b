"""All that is said of a fleet's own logs, put together."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from adversary.measurements.loads import MeasuredLoads, StepTimes
from adversary.measurements.power import MeasuredPower
from adversary.measurements.read import Asked, read
from evenkeel.studies.balance_outlook import Outlook, outlook
from evenkeel.studies.measured_balance import Balance, balance
from evenkeel.studies.power_fit import PowerFit, power_fit
from evenkeel.studies.step_time import NoFit, StepTime, step_time
from theory.model import InputError
from theory.power import PowerModel


@dataclass(frozen=True, slots=True)
class Measurement:
    """What logs say; loads or power may be missing, and what follows from them.

    Parameters
    ----------
    loads : MeasuredLoads or None
        Steps with a load.
    power : MeasuredPower or None
        Samples.
    balance, step_time, outlook, fit
        What follows.
    notes : tuple of str
        What a reader of results should know.
    """

    loads: MeasuredLoads | None
    power: MeasuredPower | None
    balance: Balance | None
    step_time: StepTime | NoFit | None
    outlook: Outlook | None
    fit: PowerFit | None
    notes: tuple[str, ...]


# Ranks whose step times differ by more than this share do not step together, or not as numbered.
_APART = 0.2


def measurement(
    files: Iterable[str | Path],
    asked: Asked,
    device: PowerModel | None = None,
    power_offset_s: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> Measurement:
    """Read files, and say what they show; ``progress`` is told how many lines have been read.

    Raises
    ------
    InputError
        If a file cannot be used, or there are neither loads nor power.
    """
    found = read(files, asked, progress)
    if found.loads is None:
        if found.power is None:
            raise InputError("no file has loads or power samples: times alone show nothing")
        return Measurement(None, found.power, None, None, None, None, found.power.notes)
    loads, notes = _with_work(found.loads)
    if found.times is not None:
        loads = _with_times(loads, found.times)
    if loads.spread is not None and loads.spread > _APART:
        notes.append(
            f"in the median step the durations of ranks differ by {100 * loads.spread:.0f} %: the "
            "ranks do not step together, or one step has other numbers on other ranks"
        )
    gaps = np.diff(loads.steps)
    if len(gaps) and np.median(gaps) > 1:
        notes.append(f"one step in {np.median(gaps):.0f} is logged; runs count logged steps")
    said = balance(loads)
    fit = step_time(loads)
    timed = fit if isinstance(fit, StepTime) else None
    powers = None
    if found.power is not None:
        powers = power_fit(loads, found.power, timed, power_offset_s)
        notes += found.power.notes
    return Measurement(
        loads,
        found.power,
        said,
        fit,
        outlook(loads, said, timed, device),
        powers,
        (*loads.notes, *notes),
    )


def _with_work(loads: MeasuredLoads) -> tuple[MeasuredLoads, list[str]]:
    """The steps in which some rank has a load, and a note on the others."""
    kept = loads.loads.max(axis=1) > 0
    if kept.all():
        return loads, []
    if not kept.any():
        raise InputError("all loads are 0: nothing ran")

    def part(values: "np.ndarray | None") -> "np.ndarray | None":
        return None if values is None else values[kept]

    return (
        replace(
            loads,
            steps=loads.steps[kept],
            loads=loads.loads[kept],
            duration_s=part(loads.duration_s),
            start_s=part(loads.start_s),
            requests=part(loads.requests),
            prefill=part(loads.prefill),
        ),
        [f"{int((~kept).sum())} steps without any load are left out"],
    )


def _with_times(loads: MeasuredLoads, times: StepTimes) -> MeasuredLoads:
    """The loads with beginnings and durations from a file of times."""
    at = np.searchsorted(times.steps, loads.steps)
    at = np.minimum(at, len(times.steps) - 1)
    absent = times.steps[at] != loads.steps
    if absent.any():
        raise InputError(
            f"the file of times lacks step {loads.steps[absent][0]}, which has loads "
            f"({int(absent.sum())} of {len(absent)} steps lack a time); give one line for each"
        )
    return replace(loads, start_s=times.start_s[at], duration_s=times.duration_s[at])
