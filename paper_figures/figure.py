"""What a figure is: a table with computed and theoretical values side by side, and its drawing.

A module is a figure if it decorates a generator of rows with :func:`table` and a drawing of them
with :func:`figure`.  The figure has the module's name; its caption is the first paragraph of the
module's docstring.  One of somebody's own has the name and the docstring of the drawing.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeAlias

from paper_figures.files import KINDS, Cells, Row, read_csv, render, to_csv
from theory.files import written_whole
from theory.model import InputError
from theory.own import one_line, running

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What a figure is drawn on; matplotlib itself is imported when something is drawn.
Picture: TypeAlias = "Figure"
Paint: TypeAlias = "Callable[[Picture, list[Cells]], None]"
P = ParamSpec("P")


class Table(Generic[P]):
    """A table that is computed: call it for its rows, in the order of its columns."""

    def __init__(self, columns: tuple[str, ...], rows: Callable[P, Iterable[Row]]) -> None:
        self.columns, self.rows = columns, rows
        update_wrapper(self, rows)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> list[Row]:
        """Compute the rows.

        Raises
        ------
        InputError
            If a table of one's own has no rows, or they are not of its columns, or it raises an
            exception.
        """
        shape = f"must be rows with the columns {', '.join(self.columns)}"
        with running(f"the table {self.rows.__name__} {shape}", self.rows.__module__):
            rows: list[Row] = [
                {name: row[name] for name in self.columns} for row in self.rows(*args, **kwargs)
            ]
        if not rows or not self.columns:
            raise InputError(f"the table {self.rows.__name__} has no rows, or no columns")
        return rows


def table(columns: str) -> Callable[[Callable[P, Iterable[Row]]], Table[P]]:
    """Decorate a generator of rows, given the names of the columns, apart by spaces.

    >>> @table("x computed theory")
    ... def squares(n):
    ...     for x in range(n):
    ...         yield {"theory": x**2, "computed": x * x, "x": x}
    >>> squares(2)
    [{'x': 0, 'computed': 0, 'theory': 0}, {'x': 1, 'computed': 1, 'theory': 1}]
    """
    return lambda rows: Table(tuple(columns.split()), rows)


@dataclass(frozen=True, slots=True)
class PaperFigure:
    """A figure.

    Parameters
    ----------
    name : str
        Its module's; of one's own, the drawing's.
    doc : str
        Docstring of what it is named after; a module's begins with ``"Figure: "``.
    family : str
        Family of the claims that it illustrates.
    data : Table
        Computes its table.
    paint : callable
        Draws the rows of the table, as they are read from CSV, on an empty matplotlib figure.
    size : (float, float), optional
        Width and height in inches, where they are not those of the style.
    """

    name: str
    doc: str
    family: str
    data: Table[...]
    paint: Paint
    size: tuple[float, float] | None = None

    @property
    def caption(self) -> str:
        """What the figure shows: the first paragraph of the docstring, on one line."""
        words = self.doc.removeprefix("Figure: ").partition("\n\n")[0]
        return words[:1].upper() + " ".join(words[1:].split())

    def make(self, out_dir: Path, **parameters: Any) -> list[Path]:
        """Compute the table and draw it; returns the paths of CSV, PNG, SVG and PDF.

        Parameters
        ----------
        out_dir : Path
            Folder of the files.
        **parameters
            Of the table, where they are not its own defaults.

        Raises
        ------
        InputError
            If the folder cannot be written.
        """
        csv_path = out_dir / f"{self.name}.csv"
        with written_whole(csv_path) as scratch:
            scratch.write_text(to_csv(self.data(**parameters)), "utf-8")
        return [csv_path, *self.draw(csv_path, out_dir)]

    def draw(self, csv_path: Path, out_dir: Path, kinds: Sequence[str] = KINDS) -> list[Path]:
        """Draw from the CSV; returns the paths of PNG, SVG and PDF, or of some of these kinds.

        Raises
        ------
        InputError
            If the CSV is not one of this figure, or the folder cannot be written.
        """
        rows = read_csv(csv_path, self.data.columns)

        def paint(picture: Picture) -> None:
            with running(f"the figure {self.name}", self.paint.__module__):
                self.paint(picture, rows)

        try:
            return render(paint, out_dir, self.name, self.size, kinds)
        except InputError:
            raise
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise InputError(
                f"{csv_path}: cannot be drawn as {self.name} ({one_line(error)}): "
                "compute the table again"
            ) from error


def figure(
    family: str, data: Table[P], size: tuple[float, float] | None = None
) -> Callable[[Paint], PaperFigure]:
    """Decorate the drawing of a table.

    Parameters
    ----------
    family : str
        Family of the claims that it illustrates, such as ``"energy"``.
    data : Table
        A generator of rows under :func:`table`.
    size : (float, float), optional
        Width and height in inches, where they are not those of the style.
    """

    def decorated(paint: Paint) -> PaperFigure:
        named: object = paint
        if paint.__module__.startswith("paper_figures."):
            named = sys.modules[paint.__module__]
        name = named.__name__.rpartition(".")[2]  # type: ignore[attr-defined]
        return PaperFigure(name, named.__doc__ or "", family, data, paint, size)

    return decorated
