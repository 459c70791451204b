"""Power samples as tools write them: tables, monitors in columns, JSON, Prometheus."""

import re
from collections.abc import Iterator
from typing import Any

from adversary.measurements.fields import LineError, Place, number, seconds
from adversary.measurements.power import PowerSamples
from adversary.measurements.prometheus import Sample
from adversary.measurements.skip import Skip
from adversary.measurements.tables import Table
from adversary.measurements.units import Clock, amount, of_name
from adversary.workloads.layouts.nested import decoded, find, opened, text
from adversary.workloads.layouts.rows import one_line
from theory.content import Content
from theory.model import InputError

_NAN = float("nan")

DCGM = ("DCGM_FI_DEV_POWER_USAGE_INSTANT", "DCGM_FI_DEV_POWER_USAGE")

# What the column of power is called without its unit; the first that is there is read.
_POWER = (
    "power.draw.instant",
    "power.draw",
    "power.draw.average",
    "power_draw",
    "power",
    "watts",
    "gpu_power",
    "gpu_power_draw",
    "gpu_power_usage",
    "power_usage",
    "current_socket_graphics_package_power",
    "average_graphics_package_power",
    "socket_power",
    "average_socket_power",
    "dcgm_fi_dev_power_usage_instant",
    "dcgm_fi_dev_power_usage",
)
_DEVICE = (
    "index",
    "gpu_index",
    "gpu",
    "device",
    "uuid",
    "gpu_uuid",
    "pci.bus_id",
    "gpu_id",
    "deviceid",
    "device_id",
    "minor_number",
)
_TIME = ("timestamp", "timestamp_unix", "time", "time_s", "time_unix")
_UTILISATION = ("utilization.gpu [%]", "utilization.gpu", "gpu use (%)")
_HOST = ("hostname", "host", "node")

# Zeus: a column for each GPU.
_WIDE = re.compile(r"(?:gpu|power)?[ _]?(\d+)(?:_power(?:_w)?|_w)?", re.IGNORECASE)

# Domains of Zeus' timelines, the one without averaging first.
_DOMAINS = ("device_instant", "device_average")


def is_power(column: str) -> bool:
    """Whether a column is called like one of power, in any unit.

    >>> is_power("Power Usage (mW)"), is_power("power.limit [W]")
    (True, False)
    """
    return of_name(column, "W")[0] in _POWER


def _power_of(table: Table) -> str | None:
    """The column of power, the most telling name first."""
    found = {of_name(column, "W")[0]: column for column in reversed(table.columns)}
    return next((found[name] for name in _POWER if name in found), None)


def _time_of(table: Table) -> str | None:
    """The column of times."""
    return table.column(*_TIME) or table.places.get("start")


def is_samples(table: Table) -> bool:
    """Whether it has a row for each device and time, or for each time of one device."""
    return _power_of(table) is not None and (
        _time_of(table) is not None or table.column(*_DEVICE) is not None
    )


def is_wide(table: Table) -> bool:
    """Whether it has a time and a column for each GPU, as Zeus writes it."""
    first, *others = table.columns or [""]
    return (
        first in ("Time", "time", "timestamp")
        and bool(others)
        and all(_WIDE.fullmatch(name) for name in others)
        and (first == "Time" or all(name[0] in "gGpP" for name in others))
    )


def samples(table: Table, into: PowerSamples, skip: Skip) -> None:
    """The samples of a table with a row for each device and time."""
    power, device = _power_of(table), table.column(*_DEVICE)
    assert power is not None
    time, use, host = _time_of(table), table.column(*_UTILISATION), table.column(*_HOST)
    columns = [power, *(name for name in (device, time, use, host) if name is not None)]
    alone, clock = _NAN, Clock()
    for place, row in table.read(columns):
        with skip:
            values = dict(zip(columns, row.values, strict=True))
            if (values[power] or "").strip() == power:
                continue  # a tool that is run again writes its header again
            if row.fault is not None:
                raise LineError(place, row.fault)
            name = "0" if device is None else (values[device] or "").strip()
            if not name:
                raise LineError(place, f"{device} is missing")
            if host is not None:
                name = f"{(values[host] or '').strip()} {name}"
            share = _NAN
            if use is not None and not (values[use] or "").strip().startswith("["):
                share = number(place, use, values[use], "%") / 100
            when = _NAN if time is None else clock.read(place, time, values[time])
            if device is None and when == alone:
                raise InputError(
                    f"{place}: {time}: a second sample of the same time, and no column tells "
                    "devices apart; log it, as in --query-gpu=timestamp,index,power.draw"
                )
            alone = when
            into.add(place, name, when, amount(place, power, values[power], "W"), share)


def wide(table: Table, into: PowerSamples, skip: Skip) -> None:
    """The samples of a table with a column for each GPU."""
    time, *devices = table.columns
    clock = Clock()
    for place, row in table.read(table.columns):
        with skip:
            if row.fault is not None:
                raise LineError(place, row.fault)
            when = clock.read(place, time, row.values[0])
            for device, value in zip(devices, row.values[1:], strict=True):
                found = _WIDE.fullmatch(device)
                assert found is not None
                into.add(place, found[1], when, amount(place, device, value, "W"), _NAN)


_MONITOR = re.compile(r"#\s*(?:Entity|gpu|Date|Time)\b", re.IGNORECASE)
_BETWEEN = re.compile(r"[\s,]+")


def is_monitor(line: str) -> bool:
    """Whether a line names the columns of ``nvidia-smi dmon`` or ``dcgmi dmon``."""
    words = _BETWEEN.split(line.lower())
    return _MONITOR.search(line) is not None and bool({"pwr", "power"} & set(words))


def monitor(content: Content, into: PowerSamples, skip: Skip) -> None:
    """The samples of ``nvidia-smi dmon`` and ``dcgmi dmon``, whose columns stand under a header.

    Times are those of ``-o DT``, or what a tool such as ``ts`` puts before each line.
    """
    lines = content.lines()
    names: list[str] = []
    before, clock = 0, Clock()
    for line in lines:
        words = _BETWEEN.split(line.strip())
        if is_monitor(line):
            at = next(k for k, word in enumerate(words) if word.startswith("#"))
            before = at
            names = [word.lstrip("#").lower() for word in words[at:]]
            names = [name for name in names if name]
            continue
        if not names or words == [""] or "#" in line:
            continue
        place = Place(lines.name, lines.number)
        with skip:
            ahead, cells = words[:before], words[before:]
            if cells and cells[0].upper().startswith("GPU"):
                cells = [cells[1] if cells[0].upper() == "GPU" else cells[0][3:], *cells[2:]]
            if not any(map(str.isdigit, "".join(cells))):
                continue  # the line of units
            if len(cells) != len(names):
                raise LineError(place, f"fields: {len(cells)}, in the header: {len(names)}")
            value = dict(zip(names, cells, strict=True))
            when = _NAN
            if "date" in value and "time" in value:
                when = seconds(place, "Date Time", f"{value['date']} {value['time']}")
            elif "time" in value:
                when = clock.read(place, "Time", value["time"])
            elif ahead:
                when = clock.read(place, "time", " ".join(ahead))
            device = value.get("entity", value.get("gpu"))
            power = value.get("power", value.get("pwr"))
            if device is None:
                raise LineError(place, "gpu is missing")
            into.add(place, device, when, number(place, "power", power), _NAN)


def dcgm_series(found: Iterator[Sample | LineError], into: PowerSamples, skip: Skip) -> None:
    """The samples of DCGM's exporter."""
    kept: list[Sample] = []
    for sample in found:
        with skip:
            if isinstance(sample, LineError):
                raise sample
            if sample.name in DCGM:
                kept.append(sample)
    best = next((name for name in DCGM if any(s.name == name for s in kept)), None)
    for sample in kept:
        if sample.name != best:
            continue
        with skip:
            labels = sample.labels
            host = labels.get("Hostname", labels.get("hostname", labels.get("instance", "")))
            device = labels.get("gpu", labels.get("UUID", labels.get("device", "")))
            watts = number(sample.place, sample.name, sample.value)
            into.add(sample.place, f"{host} {device}".strip(), sample.time_s, watts, _NAN)


def timelines(content: Content, into: PowerSamples, skip: Skip) -> None:
    """The power timelines of Zeus in a result of the ML.ENERGY benchmark.

    Raises
    ------
    InputError
        If there is none.
    """
    whole = _json(content)
    for path in ("timeline.power", "power_timeline.power", "power"):
        found = opened(find(whole, path))
        if isinstance(found, dict):
            break
    else:
        raise InputError(f"{content.name}: timeline.power is missing; give results.json of a run")
    domain = next((name for name in _DOMAINS if name in found), None)
    if domain is not None:
        path, found = f"{path}.{domain}", opened(found[domain])
    count = 0
    for device, value in found.items() if isinstance(found, dict) else ():
        points = opened(value)
        if not isinstance(points, list):
            raise InputError(
                f"{content.name}: {path}.{device} is no list of times and watts; known domains: "
                f"{', '.join(_DOMAINS)}"
            )
        for point in map(opened, points):
            count += 1
            place = Place(content.name, count, "sample")
            with skip:
                if not isinstance(point, list) or len(point) != 2:
                    raise LineError(place, f"{path}.{device} has an entry that is no pair")
                when, watts = map(text, point)
                into.add(
                    place,
                    str(device),
                    seconds(place, "time", when),
                    number(place, f"{path}.{device}", watts),
                    _NAN,
                )
    if not count:
        raise InputError(f"{content.name}: {path} has no samples; give results.json of a run")


def rocm_json(content: Content, into: PowerSamples, skip: Skip) -> None:
    """The samples of ``rocm-smi --showpower --json``, one run a line, or one in all.

    A line may have a ``timestamp`` beside the cards.
    """
    body = content.whole().decode("utf-8", "replace")
    try:
        runs: list[Any] = [decoded(body)]
    except ValueError:
        runs = []
        for line in filter(str.strip, body.splitlines()):
            try:
                runs.append(decoded(line))
            except ValueError:
                runs.append(None)
    for count, run in enumerate(runs, 1):
        place = Place(content.name, count)
        with skip:
            if not isinstance(run, dict):
                raise LineError(place, "is no JSON object")
            time = text(run.get("timestamp"))
            when = _NAN if time is None else seconds(place, "timestamp", time)
            for card, value in run.items():
                inside = opened(value)
                if not isinstance(inside, dict):
                    continue
                field = next(filter(is_power, inside), None)
                if field is not None:
                    watts = amount(place, f"{card}: {field}", text(inside[field]), "W")
                    into.add(place, card, when, watts, _NAN)


def _json(content: Content) -> Any:
    try:
        return decoded(content.whole().decode("utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{content.name}: is not JSON: {one_line(error)}") from None
