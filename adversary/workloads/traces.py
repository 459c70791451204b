"""Request traces: the usable rows of a file, in order of arrival, or one line that says why not.

What a file is follows from its content, never from its name: gzip and Parquet by their first
bytes, JSON by its first brace, the layout by the names of its fields.  A row that cannot be used
refuses the file, unless the caller wants such rows dropped.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from adversary.workloads.layouts.decimals import with_point
from adversary.workloads.layouts.delimited import Again, Delimited, named_by, uncommented
from adversary.workloads.layouts.known import LAYOUTS, SUMMARIES
from adversary.workloads.layouts.layout import ISO, UNITS, Layout, Paths, fits, nearest, recognised
from adversary.workloads.layouts.lengths import length_fault, number, shown
from adversary.workloads.layouts.objects import Objects
from adversary.workloads.layouts.parquet import MAGIC, Parquet
from adversary.workloads.layouts.rows import Batch, Rows, batches, one_line
from adversary.workloads.layouts.times import Times, unrounded
from adversary.workloads.reading import DEFAULT, Reading
from theory.content import Content, opened, printable
from theory.model import FloatArray, InputError, IntArray, Requests
from theory.shown import Shown, axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Fewer requests a second, on average, than any trace of a service has: one in an hour.
_LEAST_RATE = 1 / 3600


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used: its number among the data rows from 1, its line, and why."""

    row: int
    line: int | None
    reason: str

    def __str__(self) -> str:
        place = "" if self.line is None else f" (line {self.line})"
        return f"data row {self.row}{place}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Trace(Shown):
    """A trace as it was read.

    Parameters
    ----------
    name : str
        Name of the file.
    format : str
        Name of its layout, one of :data:`LAYOUTS`.
    columns : mapping of str to str
        Which field was read as ``prefill``, ``decode`` and, if there is one, ``arrival``.
    requests : Requests
        The usable rows in order of arrival; arrivals in seconds from the first.
    rows, bad_rows : int
        Rows in the file that are requests, and those of them that were dropped.
    first_bad : BadRow or None
        The first dropped row.
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

    def facts(self) -> dict[str, Any]:
        """What was read: the file, its rows, and the tokens."""
        requests = self.requests
        return {
            "name": self.name,
            "format": self.format,
            "columns": self.columns,
            "requests": len(requests),
            "bad_rows": self.bad_rows,
            "duration_s": self.duration_s,
            "prompt_tokens": sum(requests.prefill.tolist()),
            "output_tokens": sum(requests.decode.tolist()),
            "notes": self.notes,
        }

    def to_polars(self) -> pl.DataFrame:
        """The requests, a row for each."""
        return self.requests.to_polars()

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """How long prompts and outputs are: the share that is at least so long."""
        ax = axes(ax)
        for name, lengths in (
            ("prompts", self.requests.prefill),
            ("outputs", self.requests.decode),
        ):
            share = 1 - np.arange(lengths.size) / max(1, lengths.size)
            ax.step(np.sort(lengths), share, where="post", label=name)
        ax.set_xscale("log")
        ax.set_xlabel("tokens")
        ax.set_ylabel("share of the requests with at least so many")
        ax.set_title(f"{self.name}: {len(self.requests):,} requests")
        ax.legend()
        return ax

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
    reading: Reading = DEFAULT,
    *,
    format: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> Trace:
    """Read a request trace.

    Parameters
    ----------
    path : str or Path
        A regular file, or ``-`` for standard input: CSV, JSON or Parquet, plain or
        gzip-compressed.  ``evenkeel formats`` lists the layouts.
    reading : Reading
        Which fields to read, whether to drop bad rows, and the limits.
    format : str, optional
        Name of a layout in :data:`LAYOUTS`, to insist on it.
    progress : callable, optional
        Is told how many rows have been read.

    Returns
    -------
    Trace
        Without arrival times, its requests are a backlog in the order of the file.

    Raises
    ------
    InputError
        One line that names the file, and row, field, value and remedy where there are any: the
        file cannot be read, is none, is empty, damaged or too large, lacks a field, or has rows
        whose lengths are not integers from 1 to 2^31 - 1, whose time cannot be read, or which
        failed.
    """
    with opened(path, reading.max_bytes) as content:
        rows = _rows(content, reading.max_rows)
        name, layout = _layout(content.name, rows, format, reading.named)
        wanted = _wanted(content.name, rows.names, layout, reading)
        return _Reader(content.name, name, layout, wanted, reading, progress).read(rows)


def _rows(content: Content, most: int) -> Rows:
    """The rows of a file of any kind."""
    if content.head.startswith(MAGIC):
        return Parquet(content, most)
    lines = content.lines()
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        raise InputError(f"{content.name}: is empty; expected a header and at least one request")
    first, heading = uncommented(first, lines)
    if first.lstrip().startswith(("{", "[")):
        return Objects(first, lines, LAYOUTS)
    if not first or named_by(heading, first):
        return Delimited(f"{heading}\n", Again(first, lines))
    return Delimited(first, lines)


def _layout(
    file: str, rows: Rows, insisted: str | None, named: Mapping[str, str]
) -> tuple[str, Layout]:
    """The layout that the caller asks for, or that the fields show, with the fields named."""
    if insisted is not None and insisted not in LAYOUTS:
        raise InputError(f"no trace format {insisted!r}; known formats: {', '.join(LAYOUTS)}")
    lengths_named = named.keys() >= {"prefill", "decode"}
    name = insisted or getattr(rows, "shape", None) or recognised(LAYOUTS, rows.names)
    if name is None and not lengths_named:
        for summary in SUMMARIES:
            if fits(summary.known_by, rows.names):
                raise InputError(f"{file}: holds {summary.what}; {summary.instead}")
        name = nearest(LAYOUTS, rows.names)
    name = name or "columns"
    return name, LAYOUTS[name].naming(named)


def _wanted(file: str, names: list[str], layout: Layout, reading: Reading) -> dict[str, Paths]:
    """The paths to read, by what they hold; those of arrival only if there is any."""
    wanted = layout.lengths_and_times
    for key, paths in wanted.items():
        if key == "arrival" and "arrival" not in reading.named:
            continue
        if not any(path in names for path in paths):
            has = one_line(", ".join(names), 200) or "nothing"
            why = f" ({layout.if_missing})" if layout.if_missing else ""
            raise InputError(
                f"{file}: no field {' or '.join(map(repr, paths))}; it has: {has}; name the field "
                f"of {key} with --{key}{_likely(key, names)}{why} (evenkeel formats lists what is "
                "known)"
            )
    if not any(path in names for path in wanted["arrival"]):
        if reading.arrival_unit is not None:
            raise InputError(
                f"{file}: --arrival-unit without arrival times; it has: "
                f"{one_line(', '.join(names), 200)}; name their field with --arrival"
            )
        del wanted["arrival"]
    for path in (*layout.failed, *layout.among):
        wanted[path] = (path,)
    return wanted


# What people call lengths.
_CALLED = {
    "prefill": re.compile(r"(prompt|input|context|prefill|\bisl\b)", re.IGNORECASE),
    "decode": re.compile(r"(completion|output|generat|response|decode|\bosl\b)", re.IGNORECASE),
}
_COUNTED = re.compile(r"tok|len|size|isl|osl|usage", re.IGNORECASE)


def _likely(key: str, names: list[str]) -> str:
    """A field that may be meant, as an option shows it.

    >>> _likely("decode", ["id", "usage.prompt_tokens", "usage.completion_tokens"])
    ' usage.completion_tokens, perhaps'
    """
    if key not in _CALLED:
        return ""
    found = [n for n in names if _CALLED[key].search(n) and _COUNTED.search(n)]
    return f" {one_line(found[0])}, perhaps" if found else ""


class _Reader:
    """Judges the rows of one trace, and keeps the numbers of those that can be used."""

    def __init__(
        self,
        file: str,
        name: str,
        layout: Layout,
        wanted: dict[str, Paths],
        reading: Reading,
        progress: Callable[[int], None] | None,
    ) -> None:
        self._file, self._name, self._layout, self._reading = file, name, layout, reading
        self._wanted, self._progress = wanted, progress
        self._seen = self._others = self._bad = 0
        self._first_bad: BadRow | None = None
        self._columns: dict[str, str] = {}
        self._good: list[tuple[IntArray, IntArray, IntArray]] = []
        self._times: Times | None = None

    def read(self, rows: Rows) -> Trace:
        """The trace."""
        keys = [key for key in ("prefill", "decode", "arrival") if key in self._wanted]
        self._columns = {
            key: next(path for path in self._wanted[key] if path in rows.names) for key in keys
        }
        if "arrival" in self._columns:
            self._times = Times(self._layout, self._reading.arrival_unit, self._columns["arrival"])
        for batch in batches(rows.read(self._wanted, self._layout.any_of), self._wanted):
            self._judge(batch)
            if self._progress is not None:
                self._progress(self._seen)
        requests, notes = self._requests()
        return Trace(
            Path(self._file).name,
            self._name,
            self._columns,
            requests,
            self._seen - self._others,
            self._bad,
            self._first_bad,
            (*notes, *rows.notes),
        )

    def _judge(self, batch: Batch) -> None:
        """Keep the good rows of some, and remember the first bad one."""
        if self._seen + len(batch.lines) > self._reading.max_rows:
            raise InputError(
                f"{self._file}: has more than {self._reading.max_rows} rows; --max-rows allows more"
            )
        frame = pl.DataFrame(
            {key: pl.Series(column, dtype=pl.String) for key, column in batch.values.items()}
        ).with_columns(pl.all().str.strip_chars())
        frame = frame.with_columns(with_point("prefill"), with_point("decode"))
        zero = "marks a failed request" if self._layout.zero_fails else "must be at least 1"
        faults = [
            pl.lit(pl.Series("whole", batch.faults, dtype=pl.String)),
            *(_failed(path, healthy) for path, healthy in self._layout.failed.items()),
            length_fault("prefill", self._columns["prefill"], "must be at least 1"),
            length_fault("decode", self._columns["decode"], zero),
        ]
        values = [number("prefill").alias("prefill"), number("decode").alias("decode")]
        if self._times is not None:
            times = self._times.read(frame["arrival"])
            faults.append(pl.lit(times["fault"]))
            values.append(pl.lit(times["ns"]))
        others = pl.Series([not one for one in batch.are_requests], dtype=pl.Boolean)
        for path, requests in self._layout.among.items():
            others |= (
                frame.select((pl.col(path) != "") & ~pl.col(path).is_in(requests))
                .to_series()
                .fill_null(False)
            )
        judged = frame.select(
            *values,
            pl.lit(others).alias("other"),
            pl.coalesce(faults).alias("fault"),
        )
        good = judged.filter(~pl.col("other") & pl.col("fault").is_null())
        bad = judged.with_row_index("at").filter(~pl.col("other") & pl.col("fault").is_not_null())
        if self._first_bad is None and len(bad):
            at = bad["at"][0]
            fault = printable(bad["fault"][0], 1000)
            self._first_bad = BadRow(self._seen + at + 1, batch.lines[at], fault)
        self._good.append(
            (
                good["prefill"].cast(pl.Int32).to_numpy(),
                good["decode"].cast(pl.Int32).to_numpy(),
                good["ns" if "ns" in good.columns else "prefill"].to_numpy(),
            )
        )
        self._seen += len(judged)
        self._others += int(others.sum())
        self._bad += len(bad)

    def _requests(self) -> tuple[Requests, list[str]]:
        """The good rows in order of arrival, and notes on them; or the refusal."""
        rows, good = self._seen - self._others, self._seen - self._others - self._bad
        if self._bad and not (self._reading.drop_bad and good):
            raise InputError(f"{self._file}: {self._refusal(rows, good)}")
        if not good:
            raise InputError(f"{self._file}: {self._emptiness()}")
        notes = [] if self._times is None else list(self._times.notes)
        if self._others:
            notes.append(f"{self._others} rows are no requests to a model, and were not read")
        if self._bad:
            notes.append(
                f"{self._bad} of {rows} rows cannot be used and were dropped; {self._first_bad}"
            )
        prefill, decode, times = zip(*self._good, strict=True)
        order: slice | IntArray = slice(None)
        arrival: FloatArray | None = None
        if self._times is not None:
            ns = np.concatenate(times)
            if (np.diff(ns) < 0).any():
                path = self._columns["arrival"]
                moved = None if self._times.unit == ISO else unrounded(ns, UNITS[self._times.unit])
                if moved is None:
                    order = np.argsort(ns, kind="stable")
                    ns = ns[order]
                    notes.append(f"rows were not in order of {path}: sorted by it")
                else:
                    ns = moved
                    notes.append(
                        f"some of {path} are rounded to whole {self._times.unit}, which puts them "
                        "out of order: they were moved between the others"
                    )
            ns -= ns[0]
            arrival = ns / 1e9
            notes += _pace_note(ns, self._layout) + _grid_note(ns)
        return Requests(
            np.concatenate(prefill)[order], np.concatenate(decode)[order], arrival
        ), notes

    def _refusal(self, rows: int, good: int) -> str:
        """Which rows cannot be used, and what would help."""
        instead = "correct the file, or name other fields with --prefill, --decode and --arrival"
        if good and not self._reading.drop_bad:
            instead += f"; --drop-bad drops such rows and reads the other {good}"
        return f"{self._first_bad}; {self._bad} of {rows} rows cannot be used: {instead}"

    def _emptiness(self) -> str:
        if self._others:
            return (
                f"none of its {self._others} rows is a request to a model; "
                "name the fields of requests with --prefill, --decode and --arrival"
            )
        return "has columns but no data rows"


def _failed(path: str, healthy: tuple[str, ...]) -> pl.Expr:
    """That a field marks a failed request, and with what."""
    value = pl.col(path)
    told = pl.format("a failed request ({})", shown(path, path))
    return pl.when((value != "") & ~value.is_in(healthy)).then(told)


def _pace_note(ns: IntArray, layout: Layout) -> list[str]:
    """A warning when so many requests a second, or so few, suggest another unit."""
    count, span_s = len(ns) - 1, float(ns[-1]) / 1e9
    if count < 20 or span_s == 0:
        return []
    rate = count / span_s
    if rate > layout.busiest:
        says = f"{rate:.3g} a second, more than such a trace has: is the unit right?"
    elif rate < _LEAST_RATE:
        says = f"one in {1 / rate / 3600:.3g} hours, fewer than a trace has: is the unit right?"
    else:
        return []
    return [f"the arrival times make {says} --arrival-unit says what they count"]


def _grid_note(ns: IntArray) -> list[str]:
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
