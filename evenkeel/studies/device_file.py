"""A file of a device whose powers were measured, which every command takes for hardware."""

from collections.abc import Sequence
from pathlib import Path

from evenkeel.studies.measurement import Measurement
from evenkeel.studies.power_fit import FIXED_BUSY, PowerFit
from evenkeel.studies.time_batches import Interval
from theory.model import InputError


def device_file(files: Sequence[str], found: Measurement, path: Path) -> str:
    """The text of the file: powers with their intervals; one that was not measured is not there.

    Raises
    ------
    InputError
        If there is no fit, the name does not end with ``.toml``, or the law is not that of the
        theorems.
    """
    fit = found.fit
    if fit is None:
        raise InputError(
            "--write-device needs power samples beside loads with step times: give files of both"
        )
    if path.suffix != ".toml":
        raise InputError(f"{path}: a file of a device ends with .toml")
    if fit.law_gamma > 1:
        raise InputError(
            f"gamma = {fit.gamma.value:.3g} ({fit.gamma.low:.3g} to {fit.gamma.high:.3g}): the "
            "power law is convex, and those of the theorems are not"
        )
    idle, wait, most = _in_order(fit)
    lines = [f"[{_key(path.stem)}]"]
    for name, value, interval in (
        ("p_idle_w", idle, fit.idle_w),
        ("p_wait_w", wait, fit.wait_w),
        ("p_max_w", most, fit.max_w),
    ):
        if value is None or interval is None:
            lines.append(f"# {name}: not measured, as no sample shows an idle device")
            continue
        lines += [f"{name} = {value:.6g}", f"{name}_95 = {_ends(interval)}"]
    names = ", ".join(Path(file).name for file in files)
    share = "the fixed part of a step is work" if fit.busy_share == FIXED_BUSY else "u = L/M"
    lines += [
        f"gamma = {fit.law_gamma:.6g}",
        f"gamma_95 = {_ends(fit.gamma)}",
        f"source = {_text(f'measured by evenkeel: {names}')}",
        f"wait_source = {_text('measured in the same steps')}",
        "note = "
        + _text(
            f"{fit.samples} samples of {len(fit.devices)} devices; {fit.residual_w:.1f} W of a "
            f"sample are left; {share}; _95: 95 % intervals."
        ),
    ]
    return "\n".join(lines) + "\n"


def _in_order(fit: PowerFit) -> tuple[float | None, float, float]:
    """The powers within ``P_idle <= P_w <= P_max``, which chance may break by a little."""
    idle = None if fit.idle_w is None else max(0.0, fit.idle_w.value)
    most = fit.max_w.value
    wait = min(max(fit.wait_w.value, idle or 0.0), most)
    return idle, wait, most


def _ends(interval: Interval) -> str:
    return f"[{interval.low:.6g}, {interval.high:.6g}]"


def _key(name: str) -> str:
    """A table's name; quoted unless it is a bare key of TOML.

    >>> _key("my-h100"), _key("rack 7")
    ('my-h100', '"rack 7"')
    """
    bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if bare else _text(name)


def _text(text: str) -> str:
    r"""A string of TOML.

    >>> _text('a "b"')
    '"a \\"b\\""'
    """
    plain = "".join(c if c.isprintable() else " " for c in text)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
