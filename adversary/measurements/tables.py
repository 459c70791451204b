"""Tables: a matrix of steps and ranks, one row a rank and step, times of steps, power samples.

What a table is follows from the names of its columns, upper and lower case alike.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import BytesIO
from itertools import pairwise, zip_longest

import numpy as np

from adversary.measurements import prometheus
from adversary.measurements.fields import (
    LARGEST,
    LineError,
    Place,
    natural,
    number,
    whole,
)
from adversary.measurements.fields import share as share_of
from adversary.measurements.loads import (
    SHARE,
    LoadRecords,
    Meaning,
    MeasuredLoads,
    StepTimes,
    of_matrix,
    same_unit,
)
from adversary.measurements.skip import Skip
from adversary.measurements.units import amount, of_name, point
from adversary.workloads.layouts.delimited import Again, Delimited, named_by, uncommented
from adversary.workloads.layouts.objects import Objects
from adversary.workloads.layouts.parquet import MAGIC as PARQUET
from adversary.workloads.layouts.parquet import Parquet
from adversary.workloads.layouts.rows import Row, Rows, one_line
from theory.content import Content, Lines
from theory.model import InputError

NPY = b"\x93NUMPY"

# What a column may be called, the most telling name first.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "step": ("step", "iteration", "iter", "counter_id", "batch"),
    "rank": ("rank", "dp_rank", "worker", "engine", "gpu", "device", "replica"),
    "load": (
        "load",
        "sum_decode_kv_tokens",
        "decode_kv_tokens",
        "kv_tokens",
        "cached_kv_tokens",
        "kv_cache_tokens",
        "num_tokens",
        "total_tokens",
        "tokens",
        *prometheus.USAGE,
        "kv_cache_usage_perc",
        "gpu_cache_usage_perc",
    ),
    "duration": (
        "duration_s",
        "duration_ms",
        "duration_us",
        "duration",
        "wall_time",
        "step_time_s",
        "step_time_ms",
        "step_duration_s",
        "step_duration_ms",
        "iteration_time_ms",
        "iter_time_ms",
        "latency_s",
        "latency_ms",
        "elapsed_s",
        "elapsed_ms",
    ),
    "start": ("start_s", "start_ms", "start", "timestamp", "time", "time_s"),
    "host": ("host", "hostname", "node", "instance", "pod"),
    "requests": (
        "requests",
        "num_requests",
        "num_decode_requests",
        "running",
        "batch_size",
        prometheus.RUNNING,
        "num_requests_running",
    ),
    "prefill": ("prefill_tokens", "sum_prefill_tokens", "num_ctx_tokens"),
}
_RANK = re.compile(r"(?:rank|dp|worker|gpu|engine|device|replica|load|r|w|g)?[ _.#-]*(\d+)", re.I)
_NONE = "\0"
_SINCE_1970 = 1e9
SERIES = re.compile(r'"?(vllm:.*\{.*\}|\{.*__name__="vllm:.*\})"?')


# What columns of times are called that have a unit as well, such as "step time (ms)".
_TIMES: Mapping[str, tuple[str, ...]] = {
    "duration": (
        "duration",
        "step_time",
        "step_duration",
        "iteration_time",
        "iter_time",
        "latency",
        "elapsed",
        "elapsed_time",
        "wall_time",
    ),
    "start": ("start", "start_time", "timestamp"),
}


def _duration(place: Place, column: str, text: str | None) -> float:
    """A duration in seconds."""
    return amount(place, column, text, "s")


# How the text of a column is read, by what it holds.
_READ: Mapping[str, Callable[[Place, str, str | None], float]] = {
    "step": whole,
    "load": number,
    "duration": _duration,
    "start": point,
    "requests": number,
    "prefill": number,
}
_ARGUMENT = {
    "duration": "duration_s",
    "start": "start_s",
    "requests": "requests",
    "prefill": "prefill",
}


# All these names in small letters, and those that may have a unit behind them.
NAMES = {name.lower() for names in COLUMNS.values() for name in names}
_KNOWN = NAMES.union(*_TIMES.values())


class Table:
    """The rows of a table of any kind, and where its columns are.

    Parameters
    ----------
    content : Content
        CSV, JSON or Parquet.
    named : mapping of str to str
        Columns that the caller names, by what they hold, one of :data:`COLUMNS`.
    most : int
        Rows that it may have.
    """

    def __init__(self, content: Content, named: Mapping[str, str], most: int) -> None:
        self.name = content.name
        self.headless = False
        text = "" if content.head.startswith(PARQUET) else content.beginning()
        self._commas = _FRACTION.search(text) is not None
        self.grouped = not self._commas and _points_group(text)
        self._rows = self._opened(content, most)
        self._lower = {name.lower(): name for name in self._rows.names}
        self.columns = list(self._rows.names)
        self.places = {}
        for key, names in COLUMNS.items():
            wanted = (named[key],) if key in named else names
            found = next((name for name in wanted if name.lower() in self._lower), None)
            if found is not None:
                self.places[key] = self._lower[found.lower()]
            elif key not in named and (timed := self._timed(_TIMES.get(key, ()))) is not None:
                self.places[key] = timed
            elif key in named:
                raise InputError(
                    f"{self.name}: no column {named[key]!r}; it has: "
                    f"{one_line(', '.join(self.columns), 200)}"
                )

    def _opened(self, content: Content, most: int) -> Rows:
        """The rows; those of a matrix without a header have names all the same."""
        if content.head.startswith(PARQUET):
            return Parquet(content, most)
        lines = content.lines()
        first = next((line for line in lines if line.strip()), None)
        first, heading = uncommented(first or "", lines)
        if not first:
            raise InputError(f"{content.name}: is empty")
        if first.lstrip().startswith(("{", "[")):
            return Objects(first, lines, {})
        cells = first.split()
        if len(cells) > 1 and all(map(_is_number, cells)):
            lines, first = _Spaced(lines), ",".join(cells) + "\n"
            if len(words := heading.split()) == len(cells):
                heading = ",".join(words)
        elif len(cells) > 1 and not re.search(r"[,;\t|]", first) and all(map(is_known, cells)):
            return Delimited(",".join(cells) + "\n", _Spaced(lines))
        cells = re.split(r"[,;\t]", first.strip())
        told = power_log_header([cell.strip() for cell in cells])
        names = named_by(heading, first, ",;\t")
        if told is None and any(map(is_known, names)):
            return Delimited(f"{heading}\n", Again(first, lines))
        if told is None and not all(map(_is_number, cells)):
            return Delimited(first, lines)
        separator = next((one for one in ",;\t" if one in first), ",")
        names = told or [f"rank{k}" for k in range(len(cells))]
        # No load is as large as a time since 1970, with which Zeus begins a line of powers.
        if not told and len(cells) > 1 and _SINCE_1970 <= float(cells[0]) < 100 * _SINCE_1970:
            names = ["time", *(f"power{k}" for k in range(len(cells) - 1))]
        self.headless = told is None
        return Delimited(separator.join(names) + "\n", Again(first, lines))

    def _timed(self, names: tuple[str, ...]) -> str | None:
        """The first column that is called so before its unit."""
        called = {
            name: column
            for column in reversed(self.columns)
            for name, unit in (of_name(column, "s"),)
            if unit is not None
        }
        return next((called[name] for name in names if name in called), None)

    def column(self, *names: str) -> str | None:
        """The first of these columns that is there, as the file writes it."""
        return next((self._lower[n] for n in map(str.lower, names) if n in self._lower), None)

    def read(self, columns: Sequence[str]) -> Iterator[tuple[Place, Row]]:
        """Each row's values of these columns, with its place."""
        # One column more that no file has: rows have several values.
        wanted: dict[str, tuple[str, ...]] = {column: (column,) for column in columns} | {_NONE: ()}
        count = 0
        for count, row in enumerate(self._rows.read(wanted), 1):
            place = Place(self.name, row.line or count, "line" if row.line else "row")
            values = row.values[:-1]
            if self._commas or self.grouped:
                values = tuple(map(_with_point, values))
            yield place, row._replace(values=values)
        if not count:
            raise InputError(f"{self.name}: has columns but no rows")


def _points_group(text: str) -> bool:
    """Whether points between semicolons or tabs stand between thousands, as far as can be seen.

    A column that has 300 and 1.100 is taken for one of whole numbers: what writes 1.100 with zeros
    at its end mostly writes 300.000 as well.
    """
    lines = text.splitlines()[:-1]
    separator = next((one for one in ";\t" if one in text), None)
    if separator is None:
        return False
    for column in zip_longest(*(line.split(separator) for line in lines), fillvalue=""):
        pointed = [cell for cell in column if _POINTED.fullmatch(cell)]
        if (
            pointed
            and all(map(_GROUPED.fullmatch, pointed))
            and any(_WHOLE.fullmatch(cell) for cell in column)
        ):
            return True
    return False


# Between separators that are no commas, with or without a unit: 0,5 and 1234,5 and 12,34.
_UNIT = r"(?: ?(?:[mk]?W|[mu]?s|%))?\s*"
_FRACTION = re.compile(
    rf"[;\t]\s*[+-]?(?:0?|\d{{4,}}|\d{{1,3}}(?:\.\d{{3}})+),\d+{_UNIT}(?:[;\t\r\n]|$)"
    rf"|[;\t]\s*[+-]?\d+,(?:\d{{1,2}}|\d{{4,}}){_UNIT}(?:[;\t\r\n]|$)"
)
_WITH_COMMA = re.compile(rf"\s*[+-]?[\d.]*,\d+{_UNIT}")
_POINTED, _WHOLE = re.compile(rf"\s*[\d.]+\.\d+{_UNIT}"), re.compile(rf"\s*[1-9]\d{{0,2}}{_UNIT}")
# In such a file no point begins a fraction; behind a zero alone it does.
_GROUPED = re.compile(rf"\s*[+-]?[1-9]\d{{0,2}}(?:\.\d{{3}})+{_UNIT}")


def _with_point(text: str | None) -> str | None:
    """The text of a number with a point before its fraction, and none between thousands.

    >>> _with_point("1.234,5 W"), _with_point("63.620"), _with_point("03.03.2026 10:00:00,5")
    ('1234.5 W', '63620', '03.03.2026 10:00:00,5')
    """
    if text is None or not (_WITH_COMMA.fullmatch(text) or _GROUPED.fullmatch(text)):
        return text
    return text.replace(".", "").replace(",", ".")


class _Spaced(Lines):
    """Lines with commas in the place of spaces, comments left out, as ``numpy.savetxt`` writes."""

    def __init__(self, lines: Lines) -> None:
        vars(self).update(vars(lines))
        self._lines = lines

    def __next__(self) -> str:
        line = next(self._lines)
        while line.lstrip().startswith("#"):
            line = next(self._lines)
        self.number = self._lines.number
        return ",".join(line.split()) + "\n"


def is_known(name: str) -> bool:
    """Whether a column may be called so."""
    called = {of_name(name, "s")[0], of_name(name, "W")[0], name.lower()}
    return is_rank(name) or not called.isdisjoint(_KNOWN)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def power_log_header(cells: Sequence[str]) -> list[str] | None:
    """Names for the columns of nvidia-smi's CSV without a header, where units tell them.

    >>> power_log_header(["2026/03/03 10:00:00.050", "0", "118.40 W", "7 %"])
    ['timestamp', 'index', 'power.draw [W]', 'utilization.gpu [%]']
    """
    kinds = {
        "timestamp": re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(\.\d+)?"),
        "power.draw [W]": re.compile(r"[\d.]+ W|\[.*\]"),
        "utilization.gpu [%]": re.compile(r"\d+ %"),
        "uuid": re.compile(r"GPU-[\w-]+"),
        "index": re.compile(r"\d{1,2}"),
    }
    names: list[str] = []
    for k, cell in enumerate(cells):
        found = (n for n, kind in kinds.items() if kind.fullmatch(cell) and n not in names)
        names.append(next(found, f"column {k + 1}"))
    return names if {"timestamp", "power.draw [W]"} <= set(names) else None


def is_rank(name: str) -> bool:
    """Whether a column is called like a rank.

    >>> is_rank("rank0"), is_rank("DP 3"), is_rank("7"), is_rank("step")
    (True, True, True, False)
    """
    return _RANK.fullmatch(name.strip()) is not None


def is_long(table: Table) -> bool:
    """Whether it has a row for each rank and step."""
    return "rank" in table.places and "load" in table.places


def long_form(table: Table, into: LoadRecords, skip: Skip) -> Meaning:
    """The loads of a table with a row for each rank and step."""
    columns = table.places
    share = columns["load"].lower().endswith("cache_usage_perc")
    meaning = Meaning("long", SHARE) if share else Meaning("long")
    seen: Counter[str] = Counter()
    for place, row in table.read(list(columns.values())):
        with skip:
            value = dict(zip(columns, row.values, strict=True))
            if row.fault is not None:
                raise LineError(place, row.fault)
            rank = (value["rank"] or "").strip()
            if not rank:
                raise LineError(place, f"{columns['rank']} is missing")
            if "host" in columns:
                rank = f"{(value['host'] or '').strip()} {rank}"
            step = seen[rank]
            seen[rank] += 1
            if "step" in columns:
                step = whole(place, columns["step"], value["step"])
            optional = {
                _ARGUMENT[key]: _READ[key](place, column, value[key])
                for key, column in columns.items()
                if key in _ARGUMENT and (value[key] or "").strip()
            }
            load = (share_of if share else number)(place, columns["load"], value["load"])
            into.add(place, rank, step, load, **optional)
    return meaning


def matrix(table: Table, skip: Skip) -> MeasuredLoads:
    """The loads of a table with a column for each rank and a row for each step.

    Raises
    ------
    InputError
        If there are no columns of ranks.
    """
    known = {table.places[key]: key for key in ("step", "duration", "start") if key in table.places}
    # In the order of their numbers, as devices are: rank10 may stand before rank2.
    ranks = [name for name in table.columns if name not in known and _RANK.fullmatch(name)]
    ranks.sort(key=lambda name: natural(_rank_name(name)))
    for one, other in pairwise(ranks):
        if one != other and _rank_name(one) == _rank_name(other):
            raise InputError(
                f"{table.name}: the columns {one!r} and {other!r} are both of rank "
                f"{_rank_name(one)}; keep those of loads"
            )
    if not ranks:
        raise InputError(
            f"{table.name}: has no columns of ranks, such as rank0, and no columns rank and load; "
            f"it has: {one_line(', '.join(table.columns), 200)}; call them so, or name them with "
            "--column, as in --column load=NAME"
        )
    if len(ranks) * 2 < len(table.columns) - len(known):
        raise InputError(f"{table.name}: most columns are no ranks: {one_line(table.columns, 200)}")
    kept: dict[str, list[float]] = {name: [] for name in (*ranks, *known)}
    for place, row in table.read(list(kept)):
        with skip:
            if row.fault is not None:
                raise LineError(place, row.fault)
            values = [
                _READ[known.get(name, "load")](place, name, text)
                for name, text in zip(kept, row.values, strict=True)
            ]
            for column, value in zip(kept.values(), values, strict=True):
                column.append(value)
    notes = []
    if table.headless and _counts(kept[ranks[0]]):
        first, *ranks = ranks
        known[first] = "step"
        notes.append("the first column counts from row to row and is taken for the step")
    columns = {key: np.array(kept[name]) for name, key in known.items()}
    loads = np.array([kept[name] for name in ranks]).T
    names = [f"{k}" for k in range(len(ranks))] if table.headless else [*map(_rank_name, ranks)]
    if len(loads) < len(ranks):
        notes.append(
            f"there are {len(loads)} steps and {len(ranks)} ranks: a row is a step here; transpose "
            "the matrix if its rows are ranks"
        )
    steps = columns.get("step", np.arange(len(loads))).astype(np.int64)
    if len(np.unique(steps)) < len(steps):
        again = int(np.flatnonzero(np.diff(np.sort(steps)) == 0)[0])
        raise InputError(
            f"{table.name}: step = {np.sort(steps)[again]} is there twice; give one line a step"
        )
    order = np.argsort(steps)
    return of_matrix(
        table.name,
        Meaning("matrix", "units of load"),
        names,
        steps[order],
        loads[order],
        columns["duration"][order] if "duration" in columns else None,
        columns["start"][order] if "start" in columns else None,
        notes,
    )


def _counts(column: list[float]) -> bool:
    """Whether it counts from 0 or 1 on; loads that grow by 1 begin with those of a prompt."""
    return len(column) > 2 and column[0] in (0, 1) and set(np.diff(column).tolist()) == {1.0}


def _rank_name(column: str) -> str:
    found = _RANK.fullmatch(column)
    return column if found is None else str(int(found[1]))


def array_file(content: Content) -> MeasuredLoads:
    """The loads in a file of numpy's: two dimensions, steps and ranks.

    Raises
    ------
    InputError
        If it is damaged, has objects in it, is no matrix, or holds what is no load.
    """
    data = content.whole()
    fix = "save it with numpy.save as a matrix of numbers, steps x ranks"
    try:
        loads = np.load(BytesIO(data), allow_pickle=False)
    except (ValueError, OSError, EOFError, TypeError, SyntaxError, MemoryError) as error:
        raise InputError(
            f"{content.name}: is no .npy file of numbers: {one_line(error)}; {fix}"
        ) from None
    if loads.ndim != 2 or loads.dtype.kind not in "iuf":
        raise InputError(f"{content.name}: holds {loads.dtype} of shape {loads.shape}; {fix}")
    loads = loads.astype(np.float64)
    bad = ~(np.isfinite(loads) & (loads >= 0) & (loads <= LARGEST))
    if bad.any():
        step, rank = (int(k) for k in np.argwhere(bad)[0])
        raise InputError(
            f"{content.name}: step {step}, rank {rank}: load = {loads[step, rank]} is not a number "
            f"from 0 to 2^53; {fix}"
        )
    ranks = [str(k) for k in range(loads.shape[1])]
    steps = np.arange(len(loads), dtype=np.int64)
    return of_matrix(content.name, Meaning("npy", "units of load"), ranks, steps, loads)


def series_columns(table: Table, gauges: prometheus.VllmGauges, skip: Skip) -> None:
    """The samples of a table with a column for each series, as panels are exported."""
    wanted = [name for name in table.columns if SERIES.fullmatch(name)]
    start = table.places.get("start")
    columns = [*wanted, *([start] if start else [])]
    for scrape, (place, row) in enumerate(table.read(columns)):
        with skip:
            if row.fault is not None:
                raise LineError(place, row.fault)
            values = dict(zip(columns, row.values, strict=True))
            time = point(place, start, values[start]) if start else float("nan")
            for column in wanted:
                name, labels = prometheus.series(place, column.strip('"'))
                text = values[column] or ""
                gauges.sample(prometheus.Sample(place, name, labels, text, time, scrape))


def step_times(table: Table, skip: Skip) -> StepTimes:
    """Beginnings and durations of steps.

    Raises
    ------
    InputError
        If a step is there twice.
    """
    columns = {key: table.places[key] for key in ("step", "start", "duration")}
    found: dict[int, tuple[float, float]] = {}
    for place, row in table.read(list(columns.values())):
        with skip:
            if row.fault is not None:
                raise LineError(place, row.fault)
            step, start, duration = (
                _READ[key](place, name, text)
                for (key, name), text in zip(columns.items(), row.values, strict=True)
            )
            if step in found:
                raise InputError(f"{place}: step = {step:g} is there twice; give one line a step")
            found[int(step)] = start, duration
    steps = np.array(sorted(found), dtype=np.int64)
    times = np.array([found[step] for step in steps.tolist()]).reshape(-1, 2)
    same_unit(table.name, steps, times[:, 0], times[:, 1])
    return StepTimes(steps, times[:, 0], times[:, 1])
