"""Readers for request traces: Azure LLM inference CSV, Mooncake JSON Lines, and named columns.

What a file is follows from its content, never from its name: gzip and Parquet by their magic
bytes, JSON Lines by the first brace, the published layouts by their column names.  A row that
cannot be used is counted and skipped; a file with more than 1 % of such rows is refused.
"""

import gzip
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np
import polars as pl

from adversary.workloads.families import SIZE_LIMIT
from theory.model import FloatArray, InputError, Requests

MOST_BAD_ROWS = 0.01


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns of a trace hold what, and in which unit it counts time."""

    prefill: str
    decode: str
    arrival: str
    ticks_per_s: int = 1


# Recognised by their column names; the last is the general one, taken when none fits better.
LAYOUTS: Mapping[str, Layout] = {
    "azure": Layout("ContextTokens", "GeneratedTokens", "TIMESTAMP"),
    "mooncake": Layout("input_length", "output_length", "timestamp", 1000),
    "columns": Layout("prefill", "decode", "arrival"),
}


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used: its number among the data rows, from 1, and why."""

    row: int
    reason: str

    def __str__(self) -> str:
        return f"data row {self.row}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace as it was read.

    Parameters
    ----------
    name : str
        Name of the file.
    format : str
        Name of its layout, one of :data:`LAYOUTS`.
    columns : mapping of str to str
        Which column was read as ``prefill``, ``decode`` and, if there is one, ``arrival``.
    requests : Requests
        The usable rows in order of arrival; arrivals in seconds from the first.
    rows, bad_rows : int
        Data rows in the file, blank lines not counted, and those of them that were skipped.
    first_bad : BadRow or None
        The first skipped row.
    notes : tuple of str
        What a reader of results should know about the file.
    """

    name: str
    format: str
    columns: Mapping[str, str]
    requests: Requests
    rows: int
    bad_rows: int
    first_bad: BadRow | None
    notes: tuple[str, ...]

    @property
    def has_arrivals(self) -> bool:
        """Whether the requests carry arrival times."""
        return self.requests.arrival is not None

    @property
    def duration_s(self) -> float | None:
        """Seconds from the first arrival to the last, or None without arrival times."""
        return None if self.requests.arrival is None else float(self.requests.arrival[-1])


def read_trace(
    path: str | Path,
    *,
    prefill: str | None = None,
    decode: str | None = None,
    arrival: str | None = None,
    format: str | None = None,
) -> Trace:
    """Read a request trace from CSV, JSON Lines or Parquet, plain or gzip-compressed.

    Parameters
    ----------
    path : str or Path
        The file.
    prefill, decode, arrival : str, optional
        Names of the columns that hold prompt lengths, output lengths and arrival times (seconds,
        or ISO dates and times).  In JSON Lines a dotted name reaches into nested objects.
        Without any of the three, the layout is recognised by its columns.
    format : str, optional
        Name of a layout in :data:`LAYOUTS`, to insist on it.

    Returns
    -------
    Trace
        Without an arrival column, its requests are a backlog in the order of the file.

    Raises
    ------
    InputError
        One line that names the file, and row, column and remedy where there are any: the file
        cannot be read, is empty, damaged, not a table, lacks a column, or has more than 1 % of
        rows whose lengths are not integers from 1 to 2^31 - 1 or whose time cannot be read.
    """
    file = Path(path)
    table = _open(file, _content(file))
    names = {"prefill": prefill, "decode": decode, "arrival": arrival}
    name, layout = _layout(table, format, {f: c for f, c in names.items() if c is not None})
    columns = {"prefill": layout.prefill, "decode": layout.decode}
    if layout.arrival in table.columns or arrival is not None:
        columns["arrival"] = layout.arrival
    missing = [c for c in columns.values() if c not in table.columns]
    if missing:
        raise InputError(
            f"{file}: no column {missing[0]!r}; it has: {_one_line(', '.join(table.columns))}; "
            "name the columns that hold prefill, decode and arrival"
        )
    frame = _checked(table.load(columns), columns, layout)
    good = frame.filter(pl.col("fault").is_null())
    bad = frame.with_row_index("row", 1).filter(pl.col("fault").is_not_null())
    first_bad = BadRow(bad["row"][0], bad["fault"][0]) if len(bad) else None
    if len(bad) > MOST_BAD_ROWS * len(frame) or not len(good):
        raise InputError(
            f"{file}: {len(bad)} of {len(frame)} data rows cannot be used; first, {first_bad}; "
            f"at most 1 % may be bad: correct the file or name other columns"
            if len(frame)
            else f"{file}: has columns but no data rows"
        )
    notes = []
    arrivals: FloatArray | None = None
    if "arrival" in columns:
        if not good["arrival"].is_sorted():
            good = good.sort("arrival", maintain_order=True)
            notes.append(f"rows were not in order of {columns['arrival']}: sorted by it")
        ticks = good["arrival"].to_numpy()
        arrivals = (ticks - ticks[0]) / 1e9
        notes += _grid_note(ticks - ticks[0])
    requests = Requests(
        good["prefill"].cast(pl.Int64).to_numpy(),
        good["decode"].cast(pl.Int64).to_numpy(),
        arrivals,
    )
    return Trace(file.name, name, columns, requests, len(frame), len(bad), first_bad, tuple(notes))


# --- Bytes --------------------------------------------------------------------------------------


def _content(file: Path) -> bytes:
    """The file's content, decompressed."""
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{file}: there is no such file") from None
    except IsADirectoryError:
        raise InputError(f"{file}: is a directory; name one trace file") from None
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from None
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InputError(
                f"{file}: the gzip data is truncated or damaged ({error}); fetch the file again"
            ) from None
    return data


# --- Tables -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of text: its column names, and how to load some of them.

    ``load`` takes field -> column and gives one String column per field, and a column ``fault``
    with the reason where a row does not fit the table at all.
    """

    columns: list[str]
    load: Callable[[Mapping[str, str]], pl.DataFrame]


def _open(file: Path, data: bytes) -> _Table:
    if data[:4] == b"PAR1":
        return _parquet(file, data)
    if b"\0" in data[:65536]:
        raise InputError(f"{file}: is binary; expected text (UTF-8), gzip or Parquet")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: is not UTF-8 text (byte {error.start})") from None
    lines = [
        line for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip()
    ]
    if not lines:
        raise InputError(f"{file}: is empty; expected a header and at least one request")
    first = lines[0].lstrip()
    if first.startswith("["):
        raise InputError(f"{file}: is a JSON array; expected JSON Lines, one object a line")
    return _json_lines(file, lines) if first.startswith("{") else _csv(file, lines)


def _parquet(file: Path, data: bytes) -> _Table:
    try:
        frame = pl.read_parquet(BytesIO(data))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(f"{file}: damaged Parquet file: {_one_line(error)}") from None

    def load(columns: Mapping[str, str]) -> pl.DataFrame:
        for column in columns.values():
            if frame.schema[column].is_nested():
                raise InputError(f"{file}: column {column!r} holds {frame.schema[column]} values")
        fields = [pl.col(c).cast(pl.String).alias(f) for f, c in columns.items()]
        return frame.select(*fields, pl.lit(None, pl.String).alias("fault"))

    return _Table(frame.columns, load)


def _json_lines(file: Path, lines: list[str]) -> _Table:
    names: list[str] = []
    for line in lines[:100]:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            names += [n for n in _paths(record) if n not in names]
    if not names:
        raise InputError(f"{file}: none of its first lines is a JSON object; expected JSON Lines")
    text = pl.col("line")

    def load(columns: Mapping[str, str]) -> pl.DataFrame:
        broken = text.str.json_path_match("$").is_null()
        return pl.DataFrame({"line": lines}).select(
            *(text.str.json_path_match(f"$.{c}").alias(f) for f, c in columns.items()),
            pl.when(broken).then(pl.lit("is not a JSON object")).alias("fault"),
        )

    return _Table(names, load)


def _paths(record: Mapping[str, object], prefix: str = "") -> list[str]:
    """Names of all values in a JSON object, nested ones dotted."""
    names = []
    for key, value in record.items():
        names += _paths(value, f"{prefix}{key}.") if isinstance(value, dict) else [prefix + key]
    return names


def _csv(file: Path, lines: list[str]) -> _Table:
    header = lines[0]
    separator = max(",;\t", key=header.count)
    text = "\n".join(lines)
    quoted = '"' in text
    try:
        # Rows of a wrong length are marked below, which needs no quotes in the file; with quotes
        # the parser refuses them.
        frame = pl.read_csv(
            text.encode(), separator=separator, infer_schema=False, truncate_ragged_lines=not quoted
        )
    except pl.exceptions.PolarsError as error:
        raise InputError(f"{file}: is not a readable CSV file: {_one_line(error)}") from None
    columns = [c.strip() for c in frame.columns]
    twice = [c for c in columns if f"{c}_duplicated_0" in columns]
    if twice:
        raise InputError(f"{file}: the header names the column {twice[0]!r} twice")
    fault = pl.lit(None, pl.String)
    if not quoted:
        fields = pl.Series(lines[1:], dtype=pl.String).str.count_matches(separator, literal=True)
        wrong = pl.lit(fields) != header.count(separator)
        fault = pl.when(wrong).then(
            pl.format("fields: {}, in the header: {}", fields + 1, len(columns))
        )

    def load(wanted: Mapping[str, str]) -> pl.DataFrame:
        return frame.rename(dict(zip(frame.columns, columns, strict=True))).select(
            *(pl.col(c).alias(f) for f, c in wanted.items()), fault.alias("fault")
        )

    return _Table(columns, load)


def _one_line(text: object) -> str:
    return " ".join(str(text).split())[:200]


# --- Layouts and rows ---------------------------------------------------------------------------


def _layout(table: _Table, name: str | None, named: Mapping[str, str]) -> tuple[str, Layout]:
    """The layout that the caller asks for, or the one most of whose columns are there."""
    if name is not None and name not in LAYOUTS:
        raise InputError(f"no trace format {name!r}; known formats: {', '.join(LAYOUTS)}")
    if name is None:
        present = {
            n: len({known.prefill, known.decode, known.arrival} & set(table.columns))
            for n, known in LAYOUTS.items()
        }
        name = "columns" if named else max(reversed(present), key=present.__getitem__)
    base = LAYOUTS[name]
    return name, replace(
        base,
        prefill=named.get("prefill", base.prefill),
        decode=named.get("decode", base.decode),
        arrival=named.get("arrival", base.arrival),
    )


def _checked(frame: pl.DataFrame, columns: Mapping[str, str], layout: Layout) -> pl.DataFrame:
    """Values as numbers (arrivals in int64 nanoseconds) and the first fault of each row."""
    fields = [pl.col(f).str.strip_chars() for f in columns]
    frame = frame.with_columns(*fields)
    values = [pl.col(f).cast(pl.Float64, strict=False) for f in ("prefill", "decode")]
    faults = [pl.col("fault"), *(_length_fault(f, columns[f]) for f in ("prefill", "decode"))]
    if "arrival" in columns:
        frame = frame.with_columns(_nanoseconds(frame["arrival"], layout).alias("time"))
        values.append(pl.col("time").alias("arrival"))
        unread = pl.when(pl.col("time").is_null())
        faults += [
            _missing("arrival", columns["arrival"]),
            unread.then(_says("arrival", columns["arrival"], "is not a time")),
        ]
    return frame.select(*values, pl.coalesce(faults).alias("fault"))


def _says(field: str, column: str, complaint: str) -> pl.Expr:
    shown = pl.col(field).str.slice(0, 40).str.replace_all(r"\s+", " ")
    return pl.format("{} = {} {}", pl.lit(column), shown, pl.lit(complaint))


def _missing(field: str, column: str) -> pl.Expr:
    absent = pl.col(field).is_null() | (pl.col(field) == "")
    return pl.when(absent).then(pl.lit(f"{column} is missing"))


def _length_fault(field: str, column: str) -> pl.Expr:
    """Why a length cannot be used, or null."""
    value = pl.col(field).cast(pl.Float64, strict=False)
    rules = [
        (value.is_null() | value.is_nan(), "is not a number"),
        (value < 1, "must be at least 1"),
        (value > SIZE_LIMIT, f"is larger than {SIZE_LIMIT}"),
        (value != value.floor(), "is not an integer"),
    ]
    return pl.coalesce(
        _missing(field, column),
        *(pl.when(broken).then(_says(field, column, says)) for broken, says in rules),
    )


def _nanoseconds(text: pl.Series, layout: Layout) -> pl.Series:
    """Times as int64 nanoseconds, null where they cannot be read.

    Numbers count ticks of the layout; if not even one value is a number, all are dates.
    """
    number = text.cast(pl.Float64, strict=False)
    if number.is_not_null().any():
        ns = number * (1e9 / layout.ticks_per_s)
        usable = ns.is_finite() & (ns.abs() < 2.0**62)
        return ns.round().set(~usable.fill_null(False), None).cast(pl.Int64)
    stamp = text.str.replace("T", " ", literal=True).str.replace(r"Z$", "+00:00")
    plain = stamp.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="ns", strict=False)
    zoned = stamp.str.to_datetime("%Y-%m-%d %H:%M:%S%.f%:z", time_unit="ns", strict=False)
    return plain.cast(pl.Int64).fill_null(zoned.cast(pl.Int64))


def _grid_note(ns: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[str]:
    """A note when most requests arrive at the very time of the one before."""
    gaps = np.diff(ns)
    ties = float((gaps == 0).mean()) if gaps.size else 0.0
    if ties < 0.5:
        return []
    apart = f", the rest {np.median(gaps[gaps > 0]) / 1e9:.3g} s apart" if gaps.any() else ""
    return [
        f"arrival times are coarse: {ties:.0%} of the requests arrive together with the one "
        f"before{apart}; bursts and waiting times come from that grid as well"
    ]
