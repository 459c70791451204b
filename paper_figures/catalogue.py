"""The figures by name, and their committed tables."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.resources import files
from pkgutil import walk_packages

import paper_figures
from paper_figures.figure import PaperFigure
from theory.model import InputError
from theory.own import installed, is_own, own

# Entry points of figures that installed packages have.
OWN = "evenkeel.figures"


class _Figures(Mapping[str, PaperFigure]):
    """The figures of evenkeel's own, one in each module of a room, loaded when it is asked for."""

    def __init__(self) -> None:
        found = (each.name for each in walk_packages(paper_figures.__path__, "paper_figures."))
        modules = {name.rpartition(".")[2]: name for name in found if name.count(".") == 2}
        self._modules = dict(sorted(modules.items()))

    def __getitem__(self, name: str) -> PaperFigure:
        drawing: PaperFigure = import_module(self._modules[name]).draw
        return drawing

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


FIGURES: Mapping[str, PaperFigure] = _Figures()


def figure(name: str) -> PaperFigure:
    """The figure of that name.

    Parameters
    ----------
    name : str
        One of :data:`FIGURES`; ``module:attribute`` or ``file.py:attribute`` of a drawing under
        :func:`paper_figures.figure.figure`; or an entry point in the group ``evenkeel.figures``.

    Raises
    ------
    InputError
        If there is none; the message lists the names.
    """
    if name in FIGURES:
        return FIGURES[name]
    others = installed(OWN)
    if name not in others and not is_own(name):
        raise InputError(
            f"unknown figure {name!r}; known: {', '.join([*FIGURES, *others])}, or "
            "module:attribute for one of your own"
        )
    found = own(name, OWN)
    if not isinstance(found, PaperFigure):
        raise InputError(
            f"the figure {name} must be a drawing under @figure, not {type(found).__name__}"
        )
    return found


def committed(name: str) -> str:
    """The committed table of a figure, CSV.

    Raises
    ------
    InputError
        If there is no such figure, or it has no committed table.
    """
    found = figure(name)
    if name not in FIGURES:
        raise InputError(f"the figure {found.name!r} has no table yet: `evenkeel figures {name}`")
    table = files("paper_figures").joinpath("tables", f"{name}.csv")
    if not table.is_file():
        raise InputError(
            f"the figure {name!r} has no committed table: compute it with `evenkeel figures "
            f"{name}` and put {name}.csv into paper_figures/tables"
        )
    return table.read_text("utf-8")
