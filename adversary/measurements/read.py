"""Reads what a fleet logged, from any number of files of the formats that are known."""

import csv
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from adversary.measurements import power_tables, prometheus, tables
from adversary.measurements.engine_logs import ENGINES, EngineLog
from adversary.measurements.fields import LineError, Place
from adversary.measurements.formats import FORMATS
from adversary.measurements.forward_pass import ForwardPasses, json_records, msgpack_records
from adversary.measurements.loads import (
    MOST_RECORDS,
    SHARE,
    LoadRecords,
    Meaning,
    MeasuredLoads,
    StepTimes,
    of_shares,
)
from adversary.measurements.power import MeasuredPower, PowerSamples
from adversary.measurements.skip import Skip
from adversary.workloads.layouts.parquet import MAGIC as PARQUET
from theory.content import STDIN, Content, opened
from theory.model import InputError

MAX_BYTES = 2**31

_LIST = "evenkeel measure --formats lists what is known, --format insists on one"


@dataclass(frozen=True, slots=True)
class Asked:
    """How files are to be read.

    Parameters
    ----------
    format : str, optional
        A name of :data:`FORMATS`, to insist on it for every file.
    columns : mapping of str to str
        Columns of tables that have other names, by what they hold.
    kv_tokens : float, optional
        Tokens that the KV cache of a rank holds, where loads are shares of it.
    drop_bad : bool
        Whether lines that cannot be used, and steps that lack a rank, are left out.
    max_bytes : int
        Bytes of the largest file, when decompressed.
    """

    format: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    kv_tokens: float | None = None
    drop_bad: bool = False
    max_bytes: int = MAX_BYTES

    def __post_init__(self) -> None:
        if self.format is not None and self.format not in FORMATS:
            raise InputError(f"no format {self.format!r}; known: {', '.join(FORMATS)}")
        for key in self.columns:
            if key not in tables.COLUMNS:
                raise InputError(f"--column {key}: known: {', '.join(tables.COLUMNS)}")


@dataclass(frozen=True, slots=True)
class Measurements:
    """What was read: loads, times of steps, power; None of each that is not there."""

    loads: MeasuredLoads | None
    times: StepTimes | None
    power: MeasuredPower | None


def read(
    files: Iterable[str | Path],
    asked: Asked | None = None,
    progress: Callable[[int], None] | None = None,
) -> Measurements:
    """Read files, each of loads, of times or of power.

    Parameters
    ----------
    files : iterable of str or Path
        Regular files, or ``-`` for standard input, plain or gzip-compressed.  Several of one
        format are put together: those of all ranks, or of all hosts.
    asked : Asked, optional
        How.
    progress : callable, optional
        Is told how many lines have been read.

    Raises
    ------
    InputError
        One line with the file, and line, field and remedy where there are any.
    """
    return _Reader(asked or Asked(), progress).read(list(files))


class _Reader:
    """Puts files together."""

    def __init__(self, asked: Asked, progress: Callable[[int], None] | None) -> None:
        self._asked, self._skip = asked, Skip(drop=asked.drop_bad, progress=progress)
        self._loads = LoadRecords()
        self._whole: MeasuredLoads | None = None
        self._times: StepTimes | None = None
        self._power = PowerSamples()
        self._formats: dict[str, dict[str, str]] = {"loads": {}, "times": {}, "power": {}}
        self._engines: dict[str, EngineLog] = {e.format: e() for e in ENGINES}
        self._passes, self._gauges = ForwardPasses(), prometheus.VllmGauges()
        self._meaning: Meaning | None = None
        self._lines = 0
        self._grouped: list[str] = []  # files in which points are taken to group thousands

    def read(self, files: list[str | Path]) -> Measurements:
        """See :func:`read`."""
        names = [file if str(file) == STDIN else Path(file).resolve() for file in files]
        for number, file in enumerate(files):
            if names[number] in names[:number]:
                raise InputError(f"{file}: is named twice; give each file once")
            with opened(file, self._asked.max_bytes) as content:
                self._file(number, content)
        return Measurements(self._settled(), self._times, self._settled_power())

    def _file(self, number: int, content: Content) -> None:
        name = self._asked.format or recognised(content, self._asked.columns.values())
        readers: Mapping[str, Callable[[Content], None]] = {
            "table": self._table,
            "npy": self._npy,
            "forward-pass-metrics": self._forward_passes,
            "prometheus": lambda c: self._prometheus(c.name, prometheus.of_text(c, _PREFIXES)),
            "query": lambda c: self._prometheus(c.name, prometheus.of_query(c)),
            "monitor": lambda c: power_tables.monitor(c, self._power, self._skip),
            "ml-energy": lambda c: power_tables.timelines(c, self._power, self._skip),
            "rocm-json": lambda c: power_tables.rocm_json(c, self._power, self._skip),
            "log": lambda c: self._log(number, c),
        }
        readers[_READER.get(name, name)](content)
        if name in ("monitor", "ml-energy"):
            self._seen(name, content.name)
        elif name == "rocm-json":
            self._seen("rocm-smi", content.name)
        elif name == "forward-pass-metrics":
            self._seen(name, content.name)

    def _seen(self, format: str, file: str) -> None:
        """Note that a file has this format; files of a kind have one format."""
        found = self._formats[FORMATS[format].kind]
        for other, first in found.items():
            if other != format:
                raise InputError(
                    f"{file}: is {format}, and {first} is {other}; give {FORMATS[format].kind} of "
                    "one format"
                )
        found[format] = file

    def _table(self, content: Content) -> None:
        """A table of any kind."""
        table = tables.Table(content, self._asked.columns, MOST_RECORDS)
        if table.grouped:
            self._grouped.append(content.name)
        name, asked = content.name, self._asked.format
        kind = asked if asked in _TABLES else _kind_of(table)
        if kind == "series":
            self._seen("vllm-prometheus", name)
            tables.series_columns(table, self._gauges, self._skip)
        elif kind == "zeus":
            self._seen("zeus", name)
            power_tables.wide(table, self._power, self._skip)
        elif kind in ("nvidia-smi", "dcgm-power", "rocm-smi"):
            if not power_tables.is_samples(table):
                _refuse(table, "device and power", kind)
            self._seen(kind, name)
            power_tables.samples(table, self._power, self._skip)
        elif kind == "steps":
            missing = [key for key in ("step", "start", "duration") if key not in table.places]
            if missing:
                _refuse(table, " and ".join(missing), kind)
            self._seen("steps", name)
            if self._times is not None:
                raise InputError(f"{name}: the times of steps are in another file already")
            self._times = tables.step_times(table, self._skip)
        elif kind == "long":
            if not tables.is_long(table):
                _refuse(table, "rank and load", kind)
            self._seen("long", name)
            self._meaning = tables.long_form(table, self._loads, self._skip)
        else:
            self._seen("matrix", name)
            self._keep(name, tables.matrix(table, self._skip))

    def _npy(self, content: Content) -> None:
        self._seen("npy", content.name)
        self._keep(content.name, tables.array_file(content))

    def _keep(self, file: str, loads: MeasuredLoads) -> None:
        if self._whole is not None:
            raise InputError(f"{file}: a matrix has all ranks; another file has one already")
        self._whole = loads

    def _forward_passes(self, content: Content) -> None:
        text = content.head.lstrip()[:1] in (b"{", b"[")
        for place, value in (json_records if text else msgpack_records)(content):
            with self._skip:
                self._passes.record(place, value, self._loads)

    def _prometheus(self, file: str, samples: Iterable[prometheus.Sample | LineError]) -> None:
        found = (s for s in samples if isinstance(s, LineError) or s.name.startswith(_PREFIXES))
        first = next(found, None)
        if first is None:
            raise InputError(
                f"{file}: no series vllm:... or DCGM_FI_DEV_POWER_USAGE; give them by these names, "
                f"which functions such as rate drop in a query; {_LIST}"
            )
        place = first.place if isinstance(first, prometheus.Sample) else None
        rest = chain([first], found)
        if isinstance(first, prometheus.Sample) and first.name.startswith("DCGM"):
            self._seen("dcgm-exporter", first.place.file)
            power_tables.dcgm_series(rest, self._power, self._skip)
            return
        if place is not None:
            self._seen("vllm-prometheus", place.file)
        for sample in rest:
            with self._skip:
                if isinstance(sample, LineError):
                    raise sample
                self._gauges.sample(sample)

    def _log(self, number: int, content: Content) -> None:
        """Lines of an engine, the first engine that has one."""
        engines = [
            engine for name, engine in self._engines.items() if self._asked.format in (None, name)
        ]
        lines, count = content.lines(), 0
        for line in lines:
            engine = next((engine for engine in engines if engine.marks(line)), None)
            if engine is None:
                for one in engines:
                    one.other(line)
                continue
            engines, count = [engine], count + 1
            engine.file_number = number
            place = Place(lines.name, lines.number)
            with self._skip:
                if line.count(engine.markers[0]) > 1:
                    raise LineError(place, f"has several steps ({engine.markers[0]})")
                engine.line(place, line, self._loads)
        if not count:
            sought = ", ".join(f"{engine.format} ({engine.markers[0]})" for engine in engines)
            raise InputError(
                f"{content.name}: is no table or JSON that is known, and has no line of a step of "
                f"{sought}; {_LIST}"
            )
        self._seen(engines[0].format, content.name)

    def _settled(self) -> MeasuredLoads | None:
        """All loads together."""
        format = next(iter(self._formats["loads"]), None)
        if format is None:
            return None
        notes: list[str] = []
        if self._whole is not None:
            loads = self._whole
            return _with_notes(loads, self._notes())
        if format in self._engines:
            engine = self._engines[format]
            meaning = engine.settled(self._loads.ranks, self._asked.kv_tokens)
            notes += engine.notes()
        elif format == "vllm-prometheus":
            meaning = self._gauges.settled(self._loads, self._asked.kv_tokens)
            notes += self._gauges.notes()
        elif format == "forward-pass-metrics":
            meaning, extra = self._passes.meaning(), self._passes.notes()
            notes += extra
        else:
            assert self._meaning is not None
            meaning = self._meaning
            if meaning.unit == SHARE:
                meaning = of_shares("long", self._loads.ranks, self._asked.kv_tokens, {})
        if not len(self._loads):
            file = self._formats["loads"][format]
            raise InputError(f"{file}: has no loads of {format}; {_LIST}")
        if meaning.unit == SHARE:
            notes.append(
                "the log does not say how many tokens the KV cache holds: loads are shares of it "
                "(--kv-tokens gives tokens)"
            )
        return self._loads.aligned(
            meaning, drop=self._asked.drop_bad, notes=[*notes, *self._notes()]
        )

    def _notes(self) -> list[str]:
        """What was left out or guessed."""
        guessed = (
            f"{file}: has whole numbers and others with three digits behind each point: 1.100 is "
            "taken for 1100; if it is 1.1, separate the cells by commas"
            for file in self._grouped
        )
        return [*self._skip.notes(), *guessed]

    def _settled_power(self) -> MeasuredPower | None:
        format = next(iter(self._formats["power"]), None)
        if format is None:
            return None
        notes = () if self._formats["loads"] else tuple(self._notes())
        return self._power.settled(format, notes)


_PREFIXES = ("vllm:", "DCGM_FI_DEV_POWER_USAGE")
_TABLES = ("matrix", "long", "steps", "nvidia-smi", "dcgm-power", "rocm-smi", "zeus")
_READER = {
    **dict.fromkeys(_TABLES, "table"),
    **{engine.format: "log" for engine in ENGINES},
    "vllm-prometheus": "prometheus",
    "dcgm-exporter": "prometheus",
}


def _with_notes(loads: MeasuredLoads, notes: list[str]) -> MeasuredLoads:
    from dataclasses import replace

    return replace(loads, notes=(*loads.notes, *notes))


def _refuse(table: tables.Table, wanted: str, kind: str) -> None:
    raise InputError(
        f"{table.name}: no columns of {wanted}, which {kind} has; it has: "
        f"{', '.join(table.columns)[:200]}; {_LIST}"
    )


def _kind_of(table: tables.Table) -> str:
    """The kind of a table, by the names of its columns."""
    lower = {name.lower() for name in table.columns}
    if any(map(tables.SERIES.fullmatch, table.columns)):
        return "series"
    if power_tables.is_samples(table) and not tables.is_long(table):
        if "timestamp_unix" in lower:
            return "dcgm-power"
        rocm = any("graphics package" in name or "socket_power" in name for name in lower)
        return "rocm-smi" if rocm else "nvidia-smi"
    if tables.is_long(table):
        return "long"
    if power_tables.is_wide(table):
        return "zeus"
    numbered = [name for name in table.columns if tables.is_rank(name)]
    if {"step", "start", "duration"} <= table.places.keys() and not numbered:
        return "steps"
    return "matrix"


def recognised(content: Content, named: Iterable[str] = ()) -> str:
    """The reader of a file, by its content; ``named`` are columns that a table may have.

    Raises
    ------
    InputError
        If it is empty.
    """
    head = content.head
    if not head.strip():
        raise InputError(f"{content.name}: is empty")
    if head.startswith(tables.NPY):
        return "npy"
    if head.startswith(PARQUET):
        return "table"
    first = head[0]
    if 0x80 <= first <= 0x8F or first in (0xDE, 0xDF):
        return "forward-pass-metrics"
    text = content.beginning()
    line = next(filter(str.strip, text.splitlines()), "")
    logged = any(engine.marks(one) for engine in _MARKS for one in text.splitlines())
    if line.lstrip().startswith("{") or re.match(r"\s*\[\s*([\]\[{]|$)", line):
        # Containers keep each line of a log inside an object.
        return "log" if logged else _of_json(text)
    if re.search(r"^(vllm:\w+[{ ]|DCGM_FI_|# (HELP|TYPE) )", text, re.MULTILINE):
        return "prometheus"
    if any(map(power_tables.is_monitor, text.splitlines()[:50])):
        return "monitor"
    if logged:
        return "log"
    rows = [one for one in text.splitlines() if one.strip() and one.strip()[0] != "#"] or [line]
    line = rows[0]
    separators = [one for one in ",;\t|" if one in line]
    words = line.split()
    if separators:
        cells = next(csv.reader([line], delimiter=separators[0]))
    else:
        cells = words if all(map(tables.is_known, words)) else [line]
    names = [cell.strip().lower() for cell in cells]
    numeric = all(re.fullmatch(r"[-+.\deE]+|nan|inf", name) for name in " ".join(names).split())
    if line.lower().startswith("sep=") or numeric or set(named):
        return "table"
    if tables.power_log_header([cell.strip() for cell in cells]) is not None:
        return "table"
    if re.match(r"\d{4}/\d\d/\d\d ", line):
        raise InputError(
            f"{content.name}: line 1: reads like nvidia-smi's CSV without header and units, whose "
            "columns are not known; put a header before it, as in: timestamp, index, power.draw [W]"
        )
    if any(n in tables.NAMES or tables.is_rank(n) or power_tables.is_power(n) for n in names):
        return "table"
    if any("vllm:" in name for name in names):
        return "table"
    # A header of other names, over numbers.
    below = rows[1].split(separators[0]) if separators and len(rows) > 1 else []
    numbers = [cell for cell in below if re.fullmatch(r"\s*[\d.]+\s*", cell)]
    return "table" if len(below) == len(cells) and len(numbers) > len(below) / 2 else "log"


_MARKS = [engine() for engine in ENGINES]


def _of_json(text: str) -> str:
    names = set(re.findall(r'"([^"\\]+)"\s*:', text))
    if {"scheduled_requests", "sum_decode_kv_tokens"} <= names or {
        "sum_decode_kv_tokens",
        "counter_id",
    } <= names:
        return "forward-pass-metrics"
    if "resultType" in names:
        return "query"
    if {"timeline", "power_timeline"} & names:
        return "ml-energy"
    if any(power_tables.is_power(name) and " " in name for name in names):
        return "rocm-json"
    return "table"
