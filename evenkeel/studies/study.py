"""A study: a grid of cells, each one run; a flat row for each; rows grouped into a table.

The commands ``sweep``, ``experiment`` and ``policies`` are the three studies of
:mod:`~evenkeel.studies.grid`, :mod:`~evenkeel.studies.paper_experiments` and
:mod:`~evenkeel.studies.policy_comparison`.  Each says what its cells are, how one becomes a row
and which columns its table has; running, resuming, grouping, intervals and the layout are here.
Policies are compared in one process and keep no rows on disk.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from io import BytesIO
from math import floor, log10
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from evenkeel.output import table, to_json, write_parquet
from evenkeel.runs.executors import completed
from evenkeel.runs.sources import source_digest
from paper_figures.files import interval
from theory.content import opened
from theory.model import InputError

if TYPE_CHECKING:
    import polars

Row = dict[str, Any]

# Bytes of the file of a row, and its column with the digest of all others.
MOST_BYTES, SEAL = 2**20, "digest"


class Cell(Protocol):
    """One run of a study."""

    @property
    def name(self) -> str:
        """File name of its row, without suffix: a digest of its parameters."""
        ...

    @property
    def policy(self) -> str:
        """Policy that it runs, as :func:`solvers.policies.registry.policy` takes it."""
        ...

    @property
    def drawn_from(self) -> str:
        """Workload family that its requests are drawn from, or nothing."""
        ...


# Both ends of a Parquet file.
_ENDS = b"PAR1"

AnyCell = TypeVar("AnyCell", bound=Cell)
Line = TypeVar("Line")


def digest(value: Any) -> str:
    """SHA-256 of a value's JSON, in hexadecimal."""
    return hashlib.sha256(to_json(value).encode()).hexdigest()


def run_cells(
    cells: Sequence[AnyCell],
    work: Callable[[AnyCell], Row],
    folder: Path,
    pool: Executor,
    done: Callable[[int], None] | None = None,
    types: Mapping[str, Any] | None = None,
) -> "polars.DataFrame":
    """Run the cells that ``folder`` does not hold yet, and return the rows of all, in order.

    The rows do not depend on where the cells ran or on the order in which they ended.  One that
    is stored says its own parameters and the digest of the code that made it: that of another cell
    is refused, that of other code is run again, and so is one that is cut short.

    Parameters
    ----------
    cells : sequence
        What to run.
    work : callable
        The row of a cell.
    folder : Path
        Data set: one Parquet file a cell, each written whole or not at all.
    pool : Executor
        Where the cells run; only this process writes.
    done : callable, optional
        Called with the number of cells that are on disk.
    types : mapping, optional
        Polars types of columns that may be empty, so that all files have the same.

    Raises
    ------
    InputError
        If the folder cannot be written, or a file in it is not its cell.
    """
    import polars

    names = [cell.name for cell in cells]
    named = dict(zip(names, cells, strict=True))
    paths = {name: folder / f"{name}.parquet" for name in named}
    sources = {name: source_digest(cell.policy, cell.drawn_from) for name, cell in named.items()}
    rows = {
        name: row
        for name, path in paths.items()
        if os.path.lexists(path)
        if (row := _stored(path, name, sources[name])) is not None
    }
    todo = [cell for name, cell in named.items() if name not in rows]
    for finished, (cell, row) in enumerate(completed(pool, work, todo), len(rows) + 1):
        name = cell.name
        told = row | {"cell": name, "source": sources[name]}
        frame = polars.DataFrame([told], schema_overrides=types, orient="row")
        rows[name] = frame.row(0, named=True)
        sealed = polars.Series(SEAL, [digest(rows[name])])
        write_parquet(paths[name], frame.hstack([sealed]))
        if done:
            done(finished)
    try:
        found = polars.DataFrame(
            [rows[name] for name in names], schema_overrides=types, infer_schema_length=None
        )
    except (TypeError, polars.exceptions.PolarsError) as error:
        raise InputError(f"{folder} holds cells of another version: {error}") from error
    return found.drop("cell", "source")


def _stored(path: Path, cell: str, source: str) -> Row | None:
    """The row in the file of a cell; None if other code made it, or if the file is cut short.

    Raises
    ------
    InputError
        If the file is not of this cell, or its row was changed.
    """
    import polars

    with opened(path, MOST_BYTES, "remove it") as content:
        whole = content.whole()
    head = whole[: len(_ENDS)].strip(b"\0")
    if _ENDS.startswith(head) and not whole.endswith(_ENDS, len(_ENDS)):
        return None  # cut short by a full disk or a loss of power
    why = "is damaged"
    try:
        [row] = polars.read_parquet(BytesIO(whole), n_rows=2).iter_rows(named=True)
        if row.pop(SEAL) == digest(row):
            if row["cell"] == cell:
                return row if row["source"] == source else None
            why = "is of another cell"
    except BaseException as error:  # a panic of the reader is no Exception
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
    raise InputError(f"{path} is not a cell of this study, or {why}: remove it, to run it again")


def grouped(rows: "polars.DataFrame", axes: Sequence[str]) -> dict[tuple[Any, ...], list[Row]]:
    """The rows by their values on some columns, in the order in which these values first occur.

    >>> from polars import DataFrame
    >>> rows = DataFrame({"policy": ["jsq", "fcfs", "jsq"], "seed": [0, 0, 1]})
    >>> {policy: len(group) for (policy,), group in grouped(rows, ["policy"]).items()}
    {'jsq': 2, 'fcfs': 1}
    """
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows.iter_rows(named=True):
        found.setdefault(tuple(row[axis] for axis in axes), []).append(row)
    return found


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over the seeds with its 95 % interval, Student's.

    >>> Estimate.of([1.0, 3.0]).value
    2.0
    """

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Estimate":
        """The mean of independent values; at least two, or :class:`InputError`."""
        return cls(*interval(list(values)))


def plus_minus(
    estimate: Estimate, factor: float = 1, *, digits: int | None = None, sign: bool = False
) -> str:
    """``factor`` times the mean and the half-width of its interval.

    Unless ``digits`` behind the point are asked for, the half-width has two significant digits,
    at most two behind the point.

    >>> plus_minus(Estimate(7.77, 6.536, 9.004))
    '7.8 ± 1.2'
    """
    half = factor * (estimate.high - estimate.low) / 2
    if digits is None:
        digits = min(2, max(0, 1 - floor(log10(half)))) if half > 0 else 0
    return f"{factor * estimate.value:{'+' if sign else ''}.{digits}f} ± {half:.{digits}f}"


# A column of a table: its heading, and its text in the line of an entry.
Column = tuple[str, Callable[[Line], str]]


def tabulated(columns: Sequence[Column[Line]], entries: Iterable[Line]) -> str:
    """The table of some entries, a line for each.

    >>> print(tabulated([("n", str), ("square", lambda n: str(n * n))], [3, 12]))
     n  square
    --  ------
     3       9
    12     144
    """
    lines = [tuple(text(entry) for _, text in columns) for entry in entries]
    return table(tuple(heading for heading, _ in columns), lines)
