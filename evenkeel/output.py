"""Output of the commands: results on stdout, progress on stderr."""

import json
import math
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any, Protocol

import click
import numpy as np

from evenkeel.exits import LONGEST_S, OutOfTime, end_after
from evenkeel.plain_text import SPELLED
from theory.content import printable
from theory.files import replaceable, written_whole
from theory.model import InputError

if TYPE_CHECKING:
    import polars
    from rich.text import Text


def seconds(value: str | float) -> float:
    """A time limit, as the type of an option: a positive, finite number."""
    try:
        limit = float(value)
    except ValueError:
        limit = math.nan
    if not 0 < limit < math.inf:
        raise click.BadParameter(f"{value!r} is not a finite number of seconds > 0")
    return min(limit, LONGEST_S)


def _limited(context: click.Context, option: click.Parameter, limit: float | None) -> float | None:
    """Start the clock."""
    if limit is not None:
        end_after(limit)
    return limit


class OutputFile(click.Path):
    """The type of an option that names a file to write: what cannot be one is refused at once."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, dir_okay=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path."""
        path = Path(super().convert(value, param, ctx))  # type: ignore[arg-type]
        try:
            replaceable(path)
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror or error}") from error
        return path


time_limit_option = click.option(
    "--time-limit",
    type=seconds,
    callback=_limited,
    expose_value=False,
    help="Seconds for the whole command, which ends with 3 if they are not enough.  "
    "[default: none]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
allow_option = click.option(
    "--allow",
    "allowed",
    multiple=True,
    metavar="MODULE:ATTRIBUTE",
    help="Of your own, what a file may name, and so run; repeatable.",
)
seed_option = click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Root of randomness."
)
workers_option = click.option(
    "-G", "--workers", type=int, default=32, show_default=True, help="Workers."
)
slots_option = click.option(
    "-B", "--slots", type=int, default=72, show_default=True, help="Slots on each worker."
)


# Seconds until a log has a line of work that is not told item by item.
FIRST_LINE_S = 30.0

# Characters that a cell of a table has at most, of each of its lines.
MOST_CELL = 10_000


class Ticker(Protocol):
    """Moves a progress bar."""

    def __call__(self, done: int, text: str | None = None) -> None:
        """Say that ``done`` units are finished."""


@contextmanager
def progress(
    text: str, total: int | None, *, by_item: bool = False, log: bool = True
) -> Iterator[Ticker]:
    """A progress bar on stderr; where that is no terminal, a line for each item or now and then.

    Without ``log`` a terminal alone is told.

    Raises
    ------
    OutOfTime
        Where that is raised within; it says how far the work was.
    """
    reached = 0

    def noted(done: int, text: str | None = None) -> None:
        nonlocal reached
        reached = done
        tick(done, text)

    try:
        with _shown(text, total, by_item, log) as tick:
            yield noted
    except OutOfTime as stop:
        if stop.where or stop.args != OutOfTime().args:  # whoever raised it has said more
            raise
        raise OutOfTime(f" at {_part(reached, total)} ({text})") from None


def _part(done: int, total: int | None) -> str:
    return f"{done:,}" if total is None else f"{done:,} of {total:,}"


@contextmanager
def _shown(text: str, total: int | None, by_item: bool, log: bool) -> Iterator[Ticker]:
    if sys.stderr is None or not (log or sys.stderr.isatty()):
        yield lambda done, text=None: None
        return
    if not sys.stderr.isatty():
        yield _log(text, total) if by_item and total else _pulse(text, total)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(text, total=total)

        def tick(done: int, text: str | None = None) -> None:
            bar.update(task, completed=done, description=text)

        yield tick


def _log(name: str, total: int) -> Ticker:
    """Writes a line for each item, with the time used and the time left if the rest takes as long.

    The first call tells how many were there before.
    """
    began = time.monotonic()
    before: int | None = None

    def tick(done: int, text: str | None = None) -> None:
        nonlocal before
        before = done - 1 if before is None else before
        used = time.monotonic() - began
        left = used / max(1, done - before) * (total - done)
        click.echo(
            f"{name} {done}/{total}, {clock(used)}, about {clock(left)} left"
            + (f": {text}" if text and text != name else ""),
            err=True,
        )

    return tick


def _pulse(name: str, total: int | None) -> Ticker:
    """Writes a line when some time has passed, and again when twice as much has."""
    began = time.monotonic()
    due = FIRST_LINE_S

    def tick(done: int, text: str | None = None) -> None:
        nonlocal due
        used = time.monotonic() - began
        if used >= due:
            due = 2 * used
            click.echo(f"{text or name} {_part(done, total)}, {clock(used)}", err=True)

    return tick


def clock(seconds: float) -> str:
    """Minutes and seconds, with hours before them where there are any.

    >>> clock(75.4), clock(3600)
    ('1:15', '1:00:00')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def plain(value: Any) -> Any:
    """The same value in JSON's types: fractions as exact strings, arrays as lists.

    >>> plain({"share": Fraction(1, 3), "loads": np.arange(2), "bound": float("inf")})
    {'share': '1/3', 'loads': [0, 1], 'bound': 'inf'}
    """
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, np.ndarray):
        return value.tolist() if value.dtype.kind in "biu" else plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(entry) for entry in value]
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def to_json(value: Any) -> str:
    """One line of JSON."""
    return json.dumps(plain(value), ensure_ascii=False, allow_nan=False)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], width: int | None = None) -> str:
    """A plain text table: columns of numbers to the right, no more than spaces and a rule.

    A row is one line whatever its length, unless a ``width`` is given, to which text is wrapped.
    What steers a terminal stands as its escape, and a cell of more than :data:`MOST_CELL`
    characters is cut.

    >>> print(table(("policy", "steps"), [("fcfs", "9"), ("bfio", "10")]))
    policy  steps
    ------  -----
    fcfs        9
    bfio       10
    """
    from rich.console import Console
    from rich.rule import Rule
    from rich.table import Table

    grid = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for i in range(len(head)):
        number = bool(rows) and all(not row[i] or row[i][0] in "+-0123456789" for row in rows)
        wraps = width is not None and not number
        grid.add_column(justify="right" if number else "left", no_wrap=not wraps)
    grid.add_row(*map(_cell, head))
    grid.add_row(*[Rule(characters="-")] * len(head))
    for row in rows:
        grid.add_row(*map(_cell, row))
    console = Console(width=width or 10**6, color_system=None)
    with console.capture() as captured:
        console.print(grid)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _cell(text: str) -> "Text":
    from rich.text import Text

    return Text("\n".join(printable(line, MOST_CELL) for line in text.split("\n")))


def terminal_width() -> int | None:
    """Columns of the terminal that stdout is; None where it is none."""
    return get_terminal_size().columns if sys.stdout.isatty() else None


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises
    ------
    InputError
        If the place cannot be written.
    """
    with written_whole(path) as scratch:
        # Names of files may hold bytes that are no text.
        scratch.write_text(text, "utf-8", errors=SPELLED)


def write_parquet(path: Path, frame: "polars.DataFrame") -> None:
    """Write a data set whole or not at all.

    Its bytes are made first: of a full disk polars says no more than that something was wrong.

    Raises
    ------
    InputError
        If the place cannot be written.
    """
    content = BytesIO()
    frame.write_parquet(content)
    with written_whole(path) as scratch:
        scratch.write_bytes(content.getbuffer())
