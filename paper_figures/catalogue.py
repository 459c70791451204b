"""The figures by name."""

from types import ModuleType

from paper_figures import energy_saving, iir_scaling, imbalance_trace
from theory.model import InputError

FIGURES: dict[str, ModuleType] = {
    "imbalance_trace": imbalance_trace,
    "iir_scaling": iir_scaling,
    "energy_saving": energy_saving,
}


def figure(name: str) -> ModuleType:
    """The module of a figure, with its ``data`` and its ``draw``.

    Raises
    ------
    InputError
        If there is none; the message lists the names.
    """
    if name not in FIGURES:
        raise InputError(f"unknown figure {name!r}; known: {', '.join(FIGURES)}")
    return FIGURES[name]
