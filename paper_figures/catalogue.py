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
        If there is no such figure.
    """
    figure(name)
    return files("paper_figures").joinpath("tables", f"{name}.csv").read_text("utf-8")
