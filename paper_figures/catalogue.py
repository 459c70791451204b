"""The figures by name, and their committed tables."""

from importlib.resources import files
from types import ModuleType

from paper_figures import (
    balance_threshold,
    effective_constant,
    energy_envelope,
    energy_saving,
    experiment_bars,
    fairness,
    fcfs_expectation,
    growth,
    hardware_savings,
    iir_exponents,
    iir_scaling,
    imbalance_trace,
    loads_by_policy,
    lookahead,
    needed_idle,
    price_ladder,
    vacuity_map,
    worker_scaling,
    worst_cases,
)
from theory.model import InputError

FIGURES: dict[str, ModuleType] = {
    "loads_by_policy": loads_by_policy,
    "imbalance_trace": imbalance_trace,
    "fcfs_expectation": fcfs_expectation,
    "effective_constant": effective_constant,
    "vacuity_map": vacuity_map,
    "iir_scaling": iir_scaling,
    "iir_exponents": iir_exponents,
    "worker_scaling": worker_scaling,
    "balance_threshold": balance_threshold,
    "experiment_bars": experiment_bars,
    "lookahead": lookahead,
    "fairness": fairness,
    "worst_cases": worst_cases,
    "price_ladder": price_ladder,
    "energy_envelope": energy_envelope,
    "energy_saving": energy_saving,
    "needed_idle": needed_idle,
    "hardware_savings": hardware_savings,
    "growth": growth,
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
