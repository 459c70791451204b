"""Power and the hardware catalogue.

A device at utilisation ``u`` draws ``P(u) = P_w + (P_max - P_w) * u**gamma`` watts in a step for
which work is resident on it, ``0 < u <= 1``, and ``P_idle`` watts where none is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any, ClassVar, Protocol, runtime_checkable

import msgspec
import numpy as np

from theory.files import decoded, read
from theory.formulas.energy import Constants
from theory.model import FloatArray, InputError
from theory.own import is_own, own, running

# Where an exponent is not known, the paper's is shown, within an interval.
ASSUMED_GAMMA = 0.7

# What every command takes for a worker unless told otherwise: a device whose exponent is measured,
# while serving, and not assumed.
DEFAULT_DEVICE = "h100-sxm-decode"

# No machine draws more, and products with times stay far from the ends of what doubles hold.
MOST_W = 1e12

# Exponents that stand for all of (0, 1].
GAMMAS = (0.001, 0.1, 0.3, 0.5, 0.7, 1.0)

_UNITS = {"idle_w": " W", "wait_w": " W", "max_w": " W", "gamma": ""}
_WORDS = {
    "idle_w": "its idle power",
    "wait_w": "its waiting power",
    "max_w": "its largest power",
    "gamma": "its exponent gamma",
}


@dataclass(frozen=True, slots=True)
class Unknown:
    """A number of a device that lies between two ends, both included.

    Parameters
    ----------
    field : str
        ``idle_w``, ``wait_w``, ``max_w`` or ``gamma``.
    low, high : float
        The ends.
    measured : bool
        Whether they are those of a measurement; else nothing but its range is known.

    Examples
    --------
    >>> str(Unknown("wait_w", 115, 605)), str(Unknown("idle_w", 114.5, 116, measured=True))
    ('its waiting power, 115 to 605 W (not measured)', 'its idle power, 114.5 to 116 W (measured)')
    """

    field: str
    low: float
    high: float
    measured: bool = False

    def __str__(self) -> str:
        how = "measured" if self.measured else "not measured"
        return f"{_WORDS[self.field]}, {self.low:g} to {self.high:g}{_UNITS[self.field]} ({how})"


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
    unknown : tuple of Unknown
        Numbers that are not known but for an interval.  Those of the device itself are then one
        choice within them, and :attr:`possible` are others.

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
    unknown: tuple["Unknown", ...] = ()

    def __post_init__(self) -> None:
        for field in ("idle_w", "max_w", "gamma", "barrier_w"):
            value = getattr(self, field)
            if not np.isfinite(value):
                name = "wait_w" if field == "barrier_w" else field
                raise InputError(f"{name} must be a finite number, got {value!r}")
        if self.max_w > MOST_W:
            raise InputError(f"max_w must be at most {MOST_W:g} W, got {self.max_w:g}")
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

    @property
    def possible(self) -> tuple["PowerModel", ...]:
        """Devices between which every one lies that is not ruled out; at least this one.

        For a known exponent they are the corners of the powers that are possible, so that an
        energy, or a saving, at any of them lies between those at the corners: both are quotients
        of linear functions of the powers.  For an exponent that is not known they are those of
        several, :data:`GAMMAS` if nothing is known of it.

        Examples
        --------
        >>> idle = PowerModel(100, 400, 1.0, unknown=(Unknown("wait_w", 100, 400),))
        >>> [device.barrier_w for device in idle.possible]
        [100, 400]
        """
        if not self.unknown:
            return (self,)
        ends = {u.field: (u.low, u.high) for u in self.unknown}
        own = {"idle_w": self.idle_w, "wait_w": self.barrier_w, "max_w": self.max_w}
        box = {name: ends.get(name, (value, value)) for name, value in own.items()}
        # The order of the powers cuts corners off; there, two of them are equal to some end.
        every = sorted({end for pair in box.values() for end in pair})
        choices = [[x for x in every if low <= x <= high] for low, high in box.values()]
        low, high = ends.get("gamma", (self.gamma, self.gamma))
        gammas = sorted({low, self.gamma, high, *(g for g in GAMMAS if low < g < high)})
        return tuple(
            replace(self, idle_w=idle, wait_w=wait, max_w=most, gamma=gamma, unknown=())
            for idle, wait, most in product(*choices)
            if idle <= wait <= most
            for gamma in gammas
        )

    def over(self, of: Callable[["PowerModel"], float]) -> tuple[float, float]:
        """The least and the largest value over :attr:`possible`."""
        values = [of(device) for device in self.possible]
        return min(values), max(values)

    @property
    def uncertain(self) -> str:
        """What is not known of the device, in words; empty if all is.

        Examples
        --------
        >>> PowerModel(100, 400, 0.7, name="x", unknown=(Unknown("wait_w", 100, 400),)).uncertain
        'uncertain of x: its waiting power, 100 to 400 W (not measured)'
        """
        if not self.unknown:
            return ""
        return f"uncertain of {self.name}: {'; '.join(map(str, self.unknown))}"

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


@dataclass(frozen=True, slots=True)
class OwnLaw:
    """A power law of one's own, by the name that it is called by, which says what it does wrong.

    Parameters
    ----------
    name : str
        As ``--hardware`` names it.
    law : PowerLaw or callable
        Its ``powers``, or a function that does the same.

    Raises
    ------
    InputError
        From :meth:`powers`, where what it returns is not the watts of each utilisation.

    Examples
    --------
    >>> OwnLaw("linear", lambda u: 100 + 300 * u).powers(np.array([0, 0.5])).tolist()
    [100.0, 250.0]
    >>> OwnLaw("debt", lambda u: -u).powers(np.array([0.5]))
    Traceback (most recent call last):
    theory.model.InputError: hardware debt: must return watts >= 0, got -0.5 at utilisation 0.5
    """

    name: str
    law: "PowerLaw | Callable[[FloatArray], FloatArray]"
    # It says what it draws.
    unknown: ClassVar[tuple[Unknown, ...]] = ()
    uncertain: ClassVar[str] = ""

    def powers(self, utilisation: FloatArray) -> FloatArray:
        """Watts for each ``u`` in [0, 1]."""
        powers = self.law.powers if isinstance(self.law, PowerLaw) else self.law
        with running(f"hardware {self.name}"):
            watts = np.array(powers(utilisation), dtype=np.float64)
        if watts.shape != utilisation.shape:
            raise InputError(
                f"hardware {self.name}: must return watts for each utilisation, an array of shape "
                f"{utilisation.shape}, got {watts.shape}"
            )
        bad = ~(np.isfinite(watts) & (watts >= 0))
        if bad.any():
            raise InputError(
                f"hardware {self.name}: must return watts >= 0, got {watts[bad][0]:g} at "
                f"utilisation {utilisation[bad][0]:g}"
            )
        return watts


_Ends = tuple[float, float]


class _Device(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of a file of devices; a number that was not measured is not there.

    What ends with ``_95`` is the interval of a number that was.
    """

    p_idle_w: float | None = None
    p_wait_w: float | None = None
    p_max_w: float | None = None
    gamma: float | None = None
    p_idle_w_95: _Ends | None = None
    p_wait_w_95: _Ends | None = None
    p_max_w_95: _Ends | None = None
    gamma_95: _Ends | None = None
    # The device is that of the paper, whose waiting workers draw the idle power.
    waits_idle: bool = False
    source: str = ""
    note: str = ""
    wait_source: str = ""

    def model(self, name: str, numbers: Mapping[str, float]) -> PowerModel:
        """The device, with these numbers in place of its own."""
        written = {
            "idle_w": (self.p_idle_w, self.p_idle_w_95),
            "wait_w": (self.p_wait_w, self.p_wait_w_95),
            "max_w": (self.p_max_w, self.p_max_w_95),
            "gamma": (self.gamma, self.gamma_95),
        }
        written |= {field: (value, None) for field, value in numbers.items()}
        most, most_95 = written["max_w"]
        if most is None:
            raise InputError(
                f"{name} has no p_max_w, and nothing else bounds it: it was not measured; give "
                "--max-w, or write it into the file"
            )
        wait, wait_95 = written["wait_w"]
        idle, idle_95 = written["idle_w"]
        gamma, gamma_95 = written["gamma"]
        unknown = [
            Unknown(field, *_within(f"{name}: {field}_95", value, ends, limit), measured=True)
            for field, value, ends, limit in (
                ("idle_w", idle, idle_95, float("inf")),
                ("wait_w", wait, wait_95, float("inf")),
                ("max_w", most, most_95, float("inf")),
                ("gamma", gamma, gamma_95, 1.0),
            )
            if value is not None and ends is not None
        ]
        if idle is None:
            unknown.append(Unknown("idle_w", 0.0, most if wait is None else wait))
            # As in the paper, where the two powers are one; or none, where neither is known.
            idle = wait or 0.0
        if wait is None and not self.waits_idle:
            unknown.append(Unknown("wait_w", idle, most))
        if gamma is None:
            unknown.append(Unknown("gamma", GAMMAS[0], GAMMAS[-1]))
            gamma = ASSUMED_GAMMA
        whence = "given by the user" if "wait_w" in numbers else self.wait_source
        return PowerModel(
            idle,
            most,
            gamma,
            wait_w=wait,
            name=name,
            source=self.source,
            note=self.note,
            wait_source=whence,
            unknown=tuple(u for u in unknown if u.low < u.high),
        )


def _within(name: str, value: float, ends: _Ends, limit: float) -> _Ends:
    """The ends of an interval, cut to what the number can be, and wide enough to hold it."""
    low, high = ends
    if not -float("inf") < low <= high < float("inf"):
        raise InputError(f"{name} must be two numbers in order, got [{low:g}, {high:g}]")
    return max(min(low, value), GAMMAS[0] if limit == 1 else 0.0), min(max(high, value), limit)


@cache
def hardware_catalogue() -> dict[str, PowerModel]:
    """All devices of ``theory/hardware.toml`` by name, in file order."""
    return {name: row.model(name, {}) for name, row in _catalogue().items()}


@cache
def _catalogue() -> dict[str, _Device]:
    text = files("theory").joinpath("hardware.toml").read_bytes()
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
    devices = _catalogue()
    if name in devices:
        return devices[name].model(name, numbers)
    if not is_own(name):
        raise InputError(
            f"unknown hardware {name!r}; known: {', '.join(devices)}; or a file PATH.toml"
        )
    device = own(name)
    if not isinstance(device, PowerModel):
        raise InputError(
            f"hardware {name}: must be a PowerModel, not {type(device).__name__}; the energy of "
            "runs (evenkeel simulate) takes any power law, bounds do not"
        )
    if not numbers:
        return device
    whence = "given by the user" if "wait_w" in numbers else device.wait_source
    left = tuple(each for each in device.unknown if each.field not in numbers)
    return replace(device, wait_source=whence, unknown=left, **dict[str, Any](numbers))


def power_law(name: str, numbers: Mapping[str, float] | None = None) -> "PowerModel | OwnLaw":
    """The device of that name, or a power law of one's own, for the energy of runs.

    Parameters
    ----------
    name : str
        As :func:`hardware` takes it; or ``module:attribute`` or ``file.py:attribute`` of any
        :class:`PowerLaw`, a class of one, or a function that returns the watts of each utilisation.
    numbers : mapping of str to float, optional
        In place of the device's own; a law has none.

    Raises
    ------
    InputError
        If there is no such device or law, or a law is given numbers.
    """
    if not is_own(name) or isinstance(law := own(name), PowerModel):
        return hardware(name, numbers)
    if isinstance(law, type):
        with running(f"hardware {name}: cannot create it"):
            law = law()
    if not (isinstance(law, PowerLaw) or callable(law)):
        raise InputError(
            f"hardware {name}: must be a PowerModel, a power law with powers(utilisation), or a "
            f"function of that kind, not {type(law).__name__}"
        )
    if numbers:
        raise InputError(f"hardware {name} is a law of your own: there is no {', '.join(numbers)}")
    return OwnLaw(name, law)


def own_device(numbers: Mapping[str, float]) -> PowerModel:
    """A device of ``idle_w``, ``wait_w``, ``max_w`` and ``gamma``, as far as given.

    Raises
    ------
    InputError
        If ``max_w`` is not among them, or a number is out of its range.

    Examples
    --------
    >>> own_device({"max_w": 400.0, "idle_w": 100.0, "gamma": 0.7}).uncertain
    'uncertain of custom: its waiting power, 100 to 400 W (not measured)'
    """
    return _Device(source="given by the user").model("custom", numbers)


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
