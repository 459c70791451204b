"""The figures by name, and their committed tables."""

from importlib import import_module
from importlib.resources import files
from pkgutil import iter_modules
from types import ModuleType

import paper_figures
from theory.model import InputError

_MODULES = (
    import_module(f"paper_figures.{found.name}")
    for found in iter_modules(paper_figures.__path__)
    if found.name != "catalogue"
)

# A module that says whose claims it illustrates is a figure.
FIGURES: dict[str, ModuleType] = {
    module.__name__.rpartition(".")[2]: module for module in _MODULES if hasattr(module, "FAMILY")
}


def figure(name: str) -> ModuleType:
    """The module of a figure, with its ``FAMILY``, its ``data`` and its ``draw``.

    Raises
    ------
    InputError
        If there is none; the message lists the names.
    """
    if name not in FIGURES:
        raise InputError(f"unknown figure {name!r}; known: {', '.join(FIGURES)}")
    return FIGURES[name]


def caption(name: str) -> str:
    """What a figure shows: the first paragraph of its module's docstring, on one line.

    Raises
    ------
    InputError
        If there is no such figure.
    """
    words = (figure(name).__doc__ or "").removeprefix("Figure: ").partition("\n\n")[0]
    return words[:1].upper() + " ".join(words[1:].split())


def committed(name: str) -> str:
    """The committed table of a figure, CSV.

    Raises
    ------
    InputError
        If there is no such figure.
    """
    figure(name)
    return files("paper_figures").joinpath("tables", f"{name}.csv").read_text("utf-8")
