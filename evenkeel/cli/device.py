"""The options that name a device and change its numbers, for every command that takes one."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from theory.model import InputError
from theory.power import DEFAULT_DEVICE

if TYPE_CHECKING:
    from theory.power import PowerModel

_NUMBERS = {
    "idle_w": "Power without work, in watts.",
    "wait_w": "Power of a worker that has work and waits at the barrier, in watts.",
    "max_w": "Power at full load, in watts.",
    "gamma": "Exponent of the power law, in (0, 1].",
}


hardware_option = click.option(
    "--hardware", default=DEFAULT_DEVICE, show_default=True, help="Device of the worker."
)


def _option(number: str) -> str:
    return f"--{number.replace('_', '-')}"


def power_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options ``--idle-w``, ``--wait-w``, ``--max-w`` and ``--gamma``.

    It gets those that were given as ``power``, a mapping for :func:`device_of`.
    """

    @wraps(command)
    def packed(*args: Any, **options: Any) -> Any:
        numbers = {number: options.pop(number) for number in _NUMBERS}
        given = {number: value for number, value in numbers.items() if value is not None}
        return command(*args, power=given, **options)

    decorated: Callable[..., Any] = packed
    for number, text in reversed(_NUMBERS.items()):
        decorated = click.option(_option(number), type=float, help=text)(decorated)
    return decorated


def device_of(name: str | None, power: Mapping[str, Any]) -> "PowerModel":
    """The device of that name with the given numbers in place of its own.

    Parameters
    ----------
    name : str, optional
        As :func:`theory.power.hardware` takes it; without one the numbers make a device of their
        own.
    power : mapping of str to float
        ``idle_w``, ``wait_w``, ``max_w`` and ``gamma``, as far as given.  A waiting power that is
        not given stays the device's, or else the idle power.

    Raises
    ------
    InputError
        If the name is unknown, a number is missing, or out of its range.

    Examples
    --------
    >>> device_of("h100-sxm", {"wait_w": 300.0}).name
    'h100-sxm with --wait-w 300'
    """
    from dataclasses import replace

    from theory.power import PowerModel, hardware

    if name is None:
        missing = [
            _option(number) for number in ("idle_w", "max_w", "gamma") if number not in power
        ]
        if missing:
            raise InputError(
                "a device of your own needs --idle-w, --max-w and --gamma (missing: "
                f"{', '.join(missing)}); --hardware NAME takes the others from the catalogue"
            )
        return PowerModel(**power)
    device = hardware(name, power)
    if not power:
        return device
    changed = " ".join(f"{_option(number)} {value:g}" for number, value in power.items())
    return replace(device, name=f"{device.name} with {changed}")
