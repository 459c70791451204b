"""Figures: their tables, computed by an executor or taken as committed, and their pictures.

The table of a figure is committed beside its module, so that a report need not compute it; a test
compares the committed tables with what the modules compute.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from pathlib import Path

from evenkeel.output import write_text
from evenkeel.runs.drawn import Drawn
from evenkeel.runs.executors import completed
from paper_figures.catalogue import committed, figure
from paper_figures.files import KINDS, table_text, to_csv


def table_of(name: str) -> str:
    """The table of a figure, computed, as CSV."""
    return to_csv(figure(name).data())


def computed(names: Sequence[str], pool: Executor) -> Iterator[tuple[str, str]]:
    """Names and tables of figures, computed by the pool, in the order in which they end.

    Raises
    ------
    InputError
        If a name is not known.
    """
    for name in names:
        figure(name)
    yield from completed(pool, table_of, names)


def known(names: Sequence[str], out: Path) -> Iterator[tuple[str, str]]:
    """Names and tables of figures, from ``out`` where they are there, else as committed.

    Raises
    ------
    InputError
        If a name is not known, or a table cannot be read.
    """
    for name in names:
        path = out / f"{figure(name).name}.csv"
        yield name, table_text(path) if os.path.lexists(path) else committed(name)


def illustrate(
    tables: Iterable[tuple[str, str]],
    out: Path,
    done: Callable[[int, str], None] | None = None,
    kinds: Sequence[str] = KINDS,
    drawn: Drawn | None = None,
) -> dict[str, list[Path]]:
    """Write and draw tables; returns the files of each figure, its table first.

    Parameters
    ----------
    tables : iterable of (str, str)
        Names and tables.
    out : Path
        Folder for tables and pictures.
    done : callable, optional
        Called with the number of figures drawn and the name of the last one.
    kinds : sequence of str
        What a picture is drawn as: ``png``, ``svg``, ``pdf``.
    drawn : Drawn, optional
        Pictures of that folder which need not be drawn again.

    Raises
    ------
    InputError
        If the folder cannot be written, or a table is not one of its figure.
    """
    written: dict[str, list[Path]] = {}
    for name, text in tables:
        path = out / f"{figure(name).name}.csv"
        write_text(path, text)
        pictures = [path.with_suffix(f".{kind}") for kind in kinds]
        if drawn is None or not drawn.holds(name, text, pictures):
            pictures = figure(name).draw(path, out, kinds)
            if drawn is not None:
                drawn.note(name, text, pictures)
        written[name] = [path, *pictures]
        if done:
            done(len(written), name)
    return written
