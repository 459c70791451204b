"""The files of a figure: its CSV, and the pictures in the common style, the same bytes each run."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from theory.content import opened
from theory.files import MOST_BYTES, utf8, written_whole
from theory.model import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Row = Mapping[str, str | int | float]
# A row as it is read from CSV.
Cells = Mapping[str, str]

# A picture must not say when it was made.
_METADATA: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
KINDS = tuple(_METADATA)


def to_csv(rows: Sequence[Row]) -> str:
    r"""The rows as CSV text; numbers are written so that they read back exactly.

    A text that a spreadsheet would take for a formula begins with an apostrophe.

    >>> to_csv([{"B": 8, "theory": 0.1}])
    'B,theory\n8,0.1\n'
    >>> to_csv([{"policy": "=1+1"}])
    "policy\n'=1+1\n"
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = list(rows[0])
    writer.writerow(map(_no_formula, names))
    writer.writerows([_no_formula(row[name]) for name in names] for row in rows)
    return text.getvalue()


def _no_formula(cell: str | int | float) -> str | int | float:
    """The cell, with an apostrophe before a text that begins as a formula and is no number."""
    if not isinstance(cell, str) or not cell.startswith(("=", "+", "-", "@", "\t", "\r")):
        return cell.replace("\r", " ") if isinstance(cell, str) else cell
    try:
        float(cell)
    except ValueError:
        return "'" + cell.replace("\r", " ")
    return cell


def read_csv(path: Path, columns: Sequence[str]) -> list[Cells]:
    """The rows of a figure's CSV.

    Raises
    ------
    InputError
        If the file cannot be read, has no rows, or lacks one of the columns.
    """
    text = table_text(path)
    try:
        rows: list[Cells] = list(csv.DictReader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise InputError(f"cannot read the figure's table {path}: {error}") from error
    missing = [c for c in columns if not rows or any(row.get(c) is None for row in rows)]
    if missing:
        raise InputError(f"{path}: expected rows with the columns {', '.join(missing)}")
    return rows


def table_text(path: Path) -> str:
    """The text of a figure's CSV.

    Raises
    ------
    InputError
        If it is no regular file, too large, or no text.
    """
    with opened(path, MOST_BYTES["JSON"], "no table of a figure does") as content:
        try:
            return utf8(content.whole()).decode("utf-8")
        except InputError as error:
            raise InputError(f"{path}: {error}") from None


def column(rows: Iterable[Cells], name: str, factor: int = 1) -> list[float]:
    """A column as numbers, ``factor`` times each.

    Raises
    ------
    InputError
        If an entry is not a number.
    """
    try:
        return [factor * float(row[name]) for row in rows]
    except ValueError as error:
        raise InputError(f"column {name} of the figure's table: {error}") from error


def distinct(rows: Iterable[Cells], name: str) -> list[str]:
    """The entries of a column, each once, in the order of the rows."""
    return list(dict.fromkeys(row[name] for row in rows))


def where(rows: Iterable[Cells], **entries: str) -> list[Cells]:
    """The rows that have these entries.

    >>> where([{"G": "2", "B": "1"}, {"G": "4", "B": "1"}], G="4")
    [{'G': '4', 'B': '1'}]
    """
    return [row for row in rows if all(row[name] == entry for name, entry in entries.items())]


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean of independent values and Student's 95 % interval for their expectation.

    >>> mean, lower, upper = interval([1.0, 3.0])
    >>> mean, round(upper - mean, 3)
    (2.0, 12.706)

    Raises
    ------
    InputError
        If there are fewer than two values.
    """
    if len(values) < 2:
        raise InputError(f"an interval needs at least two seeds, got {len(values)}")
    from scipy.special import stdtrit  # scipy.stats has it too, and takes half a second to load

    mean = float(np.mean(values))
    error = float(np.std(values, ddof=1)) / len(values) ** 0.5
    half = float(stdtrit(len(values) - 1, 0.975)) * error
    return mean, mean - half, mean + half


def sampled(values: Sequence[float], back: Callable[[float], float] = float) -> dict[str, float]:
    """The columns ``computed``, ``n``, ``lower`` and ``upper`` of independent values.

    They are the mean, the number of values and the ends of :func:`interval`; ``back`` takes mean
    and ends back from the scale on which the values are averaged, such as logarithms.

    Raises
    ------
    InputError
        If there are fewer than two values.
    """
    mean, lower, upper = map(back, interval(values))
    return {"computed": mean, "n": len(values), "lower": lower, "upper": upper}


@contextmanager
def style() -> Iterator[None]:
    """Matplotlib's settings from the one style file; a figure is drawn and saved inside."""
    import matplotlib.style

    with (
        as_file(files("paper_figures").joinpath("style.mplstyle")) as path,
        matplotlib.style.context(["default", path]),
    ):
        yield


def save(figure: "Figure", out_dir: Path, name: str, kinds: Sequence[str] = KINDS) -> list[Path]:
    """Write the figure as files of these kinds, each whole or not at all, and return their paths.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    return [save_as(figure, out_dir / f"{name}.{kind}") for kind in kinds]


def save_as(figure: "Figure", path: Path) -> Path:
    """Write the figure to a file of the kind that its name ends with, whole or not at all.

    Raises
    ------
    InputError
        If the name does not end with ``.png``, ``.svg`` or ``.pdf``, or cannot be written.
    """
    kind = path.suffix.removeprefix(".").lower()
    if kind not in _METADATA:
        raise InputError(f"{path}: a picture's name ends with .{', .'.join(_METADATA)}")
    lay_out(figure)
    with written_whole(path) as scratch:
        figure.savefig(scratch, format=kind, metadata=_METADATA[kind])
    return path


def lay_out(figure: "Figure") -> None:
    """Give everything on a figure its place, once for the files of all kinds.

    ``savefig`` would lay out each anew, and draw it to nowhere for that.
    """
    if engine := figure.get_layout_engine():
        engine.execute(figure)
        figure.set_layout_engine(None)


def render(
    paint: "Callable[[Figure], None]",
    out_dir: Path,
    name: str,
    size: tuple[float, float] | None = None,
    kinds: Sequence[str] = KINDS,
) -> list[Path]:
    """Paint on an empty figure in the common style and save it, as :func:`save` does.

    ``size`` is its width and height in inches, where they are not those of the style.
    """
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=size, layout="constrained")
        paint(figure)
        return save(figure, out_dir, name, kinds)
