"""A study: a grid of cells, each one run; a flat row for each; rows grouped into a table.

The commands ``sweep``, ``experiment`` and ``policies`` are the three studies of
:mod:`~evenkeel.studies.grid`, :mod:`~evenkeel.studies.paper_experiments` and
:mod:`~evenkeel.studies.policy_comparison`.  Each says what its cells are, how one becomes a row
and which columns its table has; running, resuming, grouping, intervals and the layout are here.
Policies are compared in one process and keep no rows on disk.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from math import floor, log10
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from evenkeel.output import table, to_json
from evenkeel.runs.executors import completed
from paper_figures.files import interval
from theory.files import written_whole
from theory.model import InputError

if TYPE_CHECKING:
    import polars

Row = dict[str, Any]


class Cell(Protocol):
    """One run of a study."""

    @property
    def name(self) -> str:
        """File name of its row, without suffix: a digest of all that the row depends on."""
        ...


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

    The rows do not depend on where the cells ran or on the order in which they ended.

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
        If the folder cannot be written, or a file in it is not a cell.
    """
    import polars

    paths = {cell.name: folder / f"{cell.name}.parquet" for cell in cells}
    todo = [cell for cell in cells if not paths[cell.name].exists()]
    for finished, (cell, row) in enumerate(completed(pool, work, todo), len(cells) - len(todo) + 1):
        frame = polars.DataFrame([row], schema_overrides=types, orient="row")
        with written_whole(paths[cell.name]) as scratch:
            frame.write_parquet(scratch)
        if done:
            done(finished)
    try:
        return polars.concat([polars.read_parquet(path) for path in paths.values()])
    except (OSError, polars.exceptions.PolarsError) as error:
        raise InputError(
            f"{folder} holds a file that is not a cell of this study: {error}"
        ) from error


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
