"""Power and the hardware catalogue.

A device at utilisation ``u`` draws ``P(u) = P_w + (P_max - P_w) * u**gamma`` watts in a step for
which work is resident on it, ``0 < u <= 1``, and ``P_idle`` watts where none is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, Protocol, runtime_checkable

import msgspec
import numpy as np

from theory.files import decoded, read
from theory.formulas.energy import Constants
from theory.model import FloatArray, InputError
from theory.own import is_own, own

# What every command takes for a worker unless told otherwise: a device whose exponent is measured,
# while serving, and not assumed.
DEFAULT_DEVICE = "h100-sxm-decode"


@dataclass(frozen=True, slots=True)
class PowerModel(Constants[float]):
    """Power drawn by one device as a function of its utilisation.

    Parameters
    ----------
    idle_w, max_w : float
        Power without resident work and at ``u = 1``, in watts, ``0 <= idle_w <= max_w``,
        ``max_w > 0``.
    gamma : float
        Exponent in ``(0, 1]``: 1 is proportional, small values are almost flat.
    name, source, note : str
        Where the numbers come from and how far to trust them.
    wait_w : float, optional
        Power of a worker that has work and waits at the barrier, ``idle_w <= wait_w <= max_w``:
        waiting keeps all that is resident, so that it takes no less than idling, and it does
        nothing that work at full load does not.  By default ``idle_w``, the paper's assumption.
    wait_source : str
        Where ``wait_w`` comes from, if the catalogue has it.

    Raises
    ------
    InputError
        If a number is out of its range.

    Notes
    -----
    Source: paper, experiment E5 and Theorem 4.
    """

    name: str = "custom"
    source: str = "given by the user"
    note: str = ""
    wait_source: str = ""

    def __post_init__(self) -> None:
        for field in ("idle_w", "max_w", "gamma", "barrier_w"):
            value = getattr(self, field)
            if not np.isfinite(value):
                name = "wait_w" if field == "barrier_w" else field
                raise InputError(f"{name} must be a finite number, got {value!r}")
        if not 0 <= self.idle_w <= self.max_w or self.max_w <= 0:
            raise InputError(
                "power must satisfy 0 <= idle_w <= max_w and max_w > 0, "
                f"got idle_w = {self.idle_w}, max_w = {self.max_w}"
            )
        if not self.idle_w <= self.barrier_w <= self.max_w:
            raise InputError(
                "waiting power must satisfy idle_w <= wait_w <= max_w, got "
                f"wait_w = {self.wait_w}, idle_w = {self.idle_w}, max_w = {self.max_w}"
            )
        if not 0 < self.gamma <= 1:
            raise InputError(f"gamma must lie in (0, 1], got {self.gamma}")

    @property
    def waiting(self) -> str:
        """What is taken for a waiting worker, in words.

        Examples
        --------
        >>> PowerModel(100, 400, 0.7).waiting, PowerModel(100, 400, 0.7, wait_w=250).waiting
        ('a waiting worker at its idle power of 100 W', 'a waiting worker at 250 W')
        """
        assumed = "its idle power of " if self.wait_w is None else ""
        return f"a waiting worker at {assumed}{self.barrier_w:g} W"

    def power(self, utilisation: float) -> float:
        """``P(u)`` in watts for ``u`` in [0, 1]."""
        return float(self.powers(np.asarray(utilisation)))

    def powers(self, utilisation: FloatArray) -> FloatArray:
        """``P(u)`` in watts for each ``u`` in [0, 1]."""
        working = self.barrier_w + self.dynamic_w * utilisation**self.gamma
        return np.where(utilisation > 0, working, self.idle_w)


@runtime_checkable
class PowerLaw(Protocol):
    """A power of one's own: watts at each utilisation ``u = L_g / max L``, 0 without work.

    Examples
    --------
    >>> class Stairs:
    ...     def powers(self, utilisation):
    ...         return 100 + 100 * np.ceil(3 * utilisation)
    >>> isinstance(Stairs(), PowerLaw), Stairs().powers(np.array([0, 0.5])).tolist()
    (True, [100.0, 300.0])
    """

    def powers(self, utilisation: FloatArray) -> FloatArray:
        """Watts for each ``u`` in [0, 1]."""
        ...


class _Device(msgspec.Struct, frozen=True):
    """A table of a file of devices; a number that was not measured is not there."""

    p_idle_w: float | None = None
    p_wait_w: float | None = None
    p_max_w: float | None = None
    gamma: float | None = None
    source: str = ""
    note: str = ""
    wait_source: str = ""

    def model(self, name: str, numbers: Mapping[str, float]) -> PowerModel:
        """The device, with these numbers in place of its own."""
        known = {
            "idle_w": self.p_idle_w,
            "max_w": self.p_max_w,
            "gamma": self.gamma,
            "wait_w": self.p_wait_w,
            **numbers,
        }
        for field, value in known.items():
            if value is None and field != "wait_w":
                written = field if field == "gamma" else f"p_{field}"
                raise InputError(
                    f"{name} has no {written}: it was not measured; give "
                    f"--{field.replace('_', '-')}, or write it into the file"
                )
        told = "given by the user" if "wait_w" in numbers else self.wait_source
        return PowerModel(
            **known,  # type: ignore[arg-type]
            name=name,
            source=self.source,
            note=self.note,
            wait_source=told,
        )


@cache
def hardware_catalogue() -> dict[str, PowerModel]:
    """All devices of ``theory/hardware.toml`` by name, in file order."""
    text = files("theory").joinpath("hardware.toml").read_bytes()
    return {name: row.model(name, {}) for name, row in _decoded(text).items()}


def _decoded(text: bytes) -> dict[str, _Device]:
    return decoded(text, dict[str, _Device], "TOML")


def hardware(name: str, numbers: Mapping[str, float] | None = None) -> PowerModel:
    """The device of that name.

    Parameters
    ----------
    name : str
        Of the catalogue; a file ``PATH.toml`` with a device, or ``PATH.toml:DEVICE`` of several; or
        ``module:attribute`` or ``file.py:attribute`` of a :class:`PowerModel` of your own.
    numbers : mapping of str to float, optional
        ``idle_w``, ``wait_w``, ``max_w`` and ``gamma`` in place of its own, as far as given.

    Raises
    ------
    InputError
        If there is none, the message lists the names; if a number is missing or out of its range;
        if the file cannot be read.

    Examples
    --------
    >>> a100 = hardware("a100-paper")
    >>> a100.idle_w, a100.max_w, a100.gamma, a100.power(0), a100.power(1)
    (100.0, 400.0, 0.7, 100.0, 400.0)
    """
    numbers = numbers or {}
    path, colon, wanted = name.rpartition(".toml:") if ".toml:" in name else (name, "", "")
    if colon or name.endswith(".toml"):
        return _in_file(f"{path}.toml" if colon else name, wanted, numbers)
    catalogue = hardware_catalogue()
    if name in catalogue:
        device = catalogue[name]
    elif is_own(name):
        device = own(name)
        if not isinstance(device, PowerModel):
            raise InputError(f"hardware {name}: must be a PowerModel, not {type(device).__name__}")
    else:
        raise InputError(
            f"unknown hardware {name!r}; known: {', '.join(catalogue)}; or a file PATH.toml"
        )
    if not numbers:
        return device
    told = "given by the user" if "wait_w" in numbers else device.wait_source
    return replace(device, wait_source=told, **dict[str, Any](numbers))


def _in_file(path: str, wanted: str, numbers: Mapping[str, float]) -> PowerModel:
    devices = read(path, dict[str, _Device], "TOML")
    if wanted and wanted not in devices:
        raise InputError(f"{path}: no device {wanted!r}; it has: {', '.join(devices) or 'none'}")
    if not wanted and len(devices) != 1:
        raise InputError(
            f"{path}: has {len(devices)} devices ({', '.join(devices)}); name one, as in "
            f"{path}:{next(iter(devices), 'NAME')}"
        )
    name = wanted or next(iter(devices))
    try:
        return devices[name].model(name, numbers)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
