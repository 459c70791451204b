"""The options that name a device and change its numbers, for every command that takes one."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from theory.power import DEFAULT_DEVICE

if TYPE_CHECKING:
    from theory.power import OwnLaw, PowerModel

_NUMBERS = {
    "idle_w": "Power without work, in watts.",
    "wait_w": "Power of a worker that has work and waits at the barrier, in watts.",
    "max_w": "Power at full load, in watts.",
    "gamma": "Exponent of the power law, in (0, 1].",
}


def device_options(
    default: str | None = DEFAULT_DEVICE, *, several: bool = False, laws: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command ``--hardware``, ``--idle-w``, ``--wait-w``, ``--max-w`` and ``--gamma``.

    Parameters
    ----------
    default : str, optional
        The device unless another is named.  Without one the command gets None where no option is
        given, and numbers alone make a device of their own.
    several : bool
        Whether several devices may be named.  The command then gets a list as ``devices``, which is
        empty where no option is given; else one :class:`~theory.power.PowerModel` as ``device``.
    laws : bool
        Whether a power law of one's own will do, a :class:`~theory.power.OwnLaw`.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def packed(*args: Any, hardware: Any, **options: Any) -> Any:
            numbers = {number: options.pop(number) for number in _NUMBERS}
            power = {number: value for number, value in numbers.items() if value is not None}
            found: dict[str, Any]
            if several:
                names: list[str | None] = [*_all(hardware)] or ([None] if power else [])
                found = {"devices": [device_of(name, power) for name in names]}
            else:
                none = hardware is None and not power
                find = law_of if laws else device_of
                found = {"device": None if none else find(hardware, power)}
            return command(*args, **found, **options)

        decorated: Callable[..., Any] = packed
        for number, text in reversed(_NUMBERS.items()):
            decorated = click.option(_option(number), type=float, help=text)(decorated)
        text = "Device of the workers, or a file PATH.toml of one"
        if several:
            return click.option(
                "--hardware", multiple=True, help=f'{text}; repeatable, or "all".  [default: all]'
            )(decorated)
        if laws:
            text += ", or MODULE:ATTRIBUTE of a power law of your own"
        shown = {"default": default, "show_default": True} if default else {}
        return click.option("--hardware", help=f"{text}.", **shown)(decorated)  # type: ignore[arg-type]

    return decorate


def _all(names: tuple[str, ...]) -> list[str]:
    if "all" not in names:
        return list(names)
    from theory.power import hardware_catalogue

    return list(hardware_catalogue())


def _option(number: str) -> str:
    return f"--{number.replace('_', '-')}"


def law_of(name: str | None, power: Mapping[str, Any]) -> "PowerModel | OwnLaw":
    """The device of that name as :func:`device_of` has it, or the user's own power law."""
    from theory.power import OwnLaw, power_law

    law = None if name is None else power_law(name, power)
    return law if isinstance(law, OwnLaw) else device_of(name, power)


def device_of(name: str | None, power: Mapping[str, Any]) -> "PowerModel":
    """The device of that name with the given numbers in place of its own.

    Parameters
    ----------
    name : str, optional
        As :func:`theory.power.hardware` takes it; without one the numbers make a device of their
        own.
    power : mapping of str to float
        ``idle_w``, ``wait_w``, ``max_w`` and ``gamma``, as far as given.  What neither the device
        nor the caller gives is not known but for its range.

    Raises
    ------
    InputError
        If the name is unknown, or a number is out of its range.

    Examples
    --------
    >>> device_of("h100-sxm", {"wait_w": 300.0}).name
    'h100-sxm with --wait-w 300'
    """
    from dataclasses import replace

    from theory.power import hardware, own_device

    if name is None:
        return own_device(power)
    device = hardware(name, power)
    if not power:
        return device
    changed = " ".join(f"{_option(number)} {value:g}" for number, value in power.items())
    return replace(device, name=f"{device.name} with {changed}")
