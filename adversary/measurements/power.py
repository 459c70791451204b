"""Power of devices as it was sampled."""

from array import array
from dataclasses import dataclass

import numpy as np

from adversary.measurements.fields import Place, as_shown, natural
from theory.model import FloatArray, InputError

MOST_SAMPLES = 20_000_000

# Watts that no device draws, though a rack may.
_MUCH = 20_000.0


@dataclass(frozen=True, slots=True, eq=False)
class DevicePower:
    """The samples of one device.

    Parameters
    ----------
    name : str
        Its index, with its host if there are several.
    time_s : float64[N] or None
        Times of the samples, rising, in seconds; None if they were not logged.
    power_w : float64[N]
        Watts.
    utilisation : float or None
        Mean utilisation as the device reports it, in [0, 1].  It is no busy share: a device that
        waits in a collective reports 1.
    """

    name: str
    time_s: FloatArray | None
    power_w: FloatArray
    utilisation: float | None


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredPower:
    """The samples of all devices, in the order of their names.

    ``absolute`` says whether times count from 1970.
    """

    format: str
    devices: tuple[DevicePower, ...]
    notes: tuple[str, ...] = ()

    @property
    def absolute(self) -> bool:
        """Whether times count from 1970, not from some beginning of their own."""
        return all(d.time_s is not None and d.time_s[0] > 1e8 for d in self.devices)


class PowerSamples:
    """Collects samples of single devices, in any order."""

    def __init__(self) -> None:
        self._devices: dict[str, tuple[array[float], array[float], array[float]]] = {}
        self._count = 0

    def add(
        self, place: Place, device: str, time_s: float, power_w: float, utilisation: float
    ) -> None:
        """One sample; a time or utilisation that is not known is NaN."""
        self._count += 1
        if self._count > MOST_SAMPLES:
            raise InputError(
                f"{place.file}: holds more than {MOST_SAMPLES} samples; give a shorter part of it"
            )
        device = as_shown(device)
        columns = self._devices.setdefault(device, (array("d"), array("d"), array("d")))
        for column, value in zip(columns, (time_s, power_w, utilisation), strict=True):
            column.append(value)

    def settled(self, format: str, notes: tuple[str, ...] = ()) -> MeasuredPower:
        """All samples, by device and time."""
        devices = []
        for name in sorted(self._devices, key=natural):
            time, power, utilisation = map(np.array, self._devices[name])
            known = not np.isnan(time).any()
            order = np.argsort(time, kind="stable") if known else slice(None)
            use = utilisation[~np.isnan(utilisation)]
            devices.append(
                DevicePower(
                    name,
                    time[order] if known else None,
                    power[order],
                    float(use.mean()) if use.size else None,
                )
            )
        for device in devices:
            if (mean := float(device.power_w.mean())) > _MUCH:
                notes += (
                    f"device {device.name} draws {mean:.0f} W in the mean, more than a device "
                    "does: if these are milliwatts, say so in the name of the column: power_mw",
                )
                break
        return MeasuredPower(format, tuple(devices), notes)
