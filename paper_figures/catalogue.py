"""The figures by name, and their committed tables."""

from importlib import import_module
from importlib.resources import files
from pkgutil import iter_modules

import paper_figures
from paper_figures.figure import PaperFigure
from theory.model import InputError

_MODULES = (
    import_module(f"paper_figures.{found.name}")
    for found in iter_modules(paper_figures.__path__)
    if found.name != "catalogue"
)

# A module that decorates its drawing is a figure.
FIGURES: dict[str, PaperFigure] = {
    module.draw.name: module.draw
    for module in _MODULES
    if isinstance(getattr(module, "draw", None), PaperFigure)
}


def figure(name: str) -> PaperFigure:
    """The figure of that name.

    Raises
    ------
    InputError
        If there is none; the message lists the names.
    """
    if name not in FIGURES:
        raise InputError(f"unknown figure {name!r}; known: {', '.join(FIGURES)}")
    return FIGURES[name]


def committed(name: str) -> str:
    """The committed table of a figure, CSV.

    Raises
    ------
    InputError
        If there is no such figure, or it has no committed table.
    """
    figure(name)
    table = files("paper_figures").joinpath("tables", f"{name}.csv")
    if not table.is_file():
        raise InputError(
            f"the figure {name!r} has no committed table: compute it with `evenkeel figures "
            f"{name}` and put {name}.csv into paper_figures/tables"
        )
    return table.read_text("utf-8")
