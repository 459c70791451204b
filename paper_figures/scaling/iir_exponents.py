"""Figure: how the improvement ratio grows with B and with G, fitted, beside rival shapes.

Where BF-IO's imbalance does not grow with B, as in refills of two sizes, IIR grows like ``sqrt(B)``
and like ``E_max(G) G/(G-1)``, not yet like ``sqrt(ln G) G/(G-1)`` [scaling.iir-refill].  On
BurstGPT-like lengths, overloaded, it grows by exponents of its own: heavy tails leave BF-IO an
imbalance that depends on both.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import log

import numpy as np

from adversary.workloads.families import workload
from paper_figures.drawing import log_axes, points, titled
from paper_figures.figure import Picture, figure, table
from paper_figures.files import Cells, Row, column, sampled, where
from solvers.simulation.engine import simulate
from theory.formulas.growth import fitted_exponent, misfit
from theory.laws.order_statistics import expected_max_of_normals
from theory.model import System

SLOTS = (8, 16, 32, 64, 128)
WORKERS = (2, 4, 8, 16, 32, 64, 128)
AT_WORKERS, AT_SLOTS = 16, 32
START_UP = 20  # steps that are not counted in the overloaded class


def _refills(workers: int, slots: int, steps: int, seed: int) -> float:
    system = System(workers, slots, drift=(0,))
    requests = workload("two-point", system.capacity * steps, seed, a=1, b=100, q=0.5, length=1)
    fcfs, bfio = (simulate(system, requests, name).total.imbalance for name in ("fcfs", "bfio"))
    return fcfs / bfio


def _overloaded(workers: int, slots: int, _steps: int, seed: int) -> float:
    """While every slot is full under both policies, after the start-up."""
    system = System(workers, slots)
    requests = workload("burst-like", 8 * system.capacity, seed)
    runs = [simulate(system, requests, name, history=True) for name in ("fcfs", "bfio")]
    until = min(run.overloaded.steps for run in runs)
    sums = []
    for run in runs:
        assert run.loads is not None
        loads = run.loads[START_UP:until]
        sums.append(int(workers * loads.max(axis=1).sum() - loads.sum()))
    return sums[0] / sums[1]


@dataclass(frozen=True, slots=True)
class Regime:
    """A class of systems, and how IIR is measured in it."""

    name: str
    text: str
    iir: Callable[[int, int, int, int], float]


REGIMES = (
    Regime("refill", "full refills, sizes 1 or 100", _refills),
    Regime("overloaded", "overloaded, BurstGPT-like lengths", _overloaded),
)

# Shapes in G at fixed B; the first is the exact one where BF-IO leaves (G-1)/2 times a constant.
SHAPES: dict[str, Callable[[int], float]] = {
    "E_max(G) G/(G-1)": lambda g: float(expected_max_of_normals(g)) * g / (g - 1),
    "sqrt(ln G) G/(G-1)": lambda g: log(g) ** 0.5 * g / (g - 1),
    "ln G": log,
}


@table("regime against x kind computed theory n lower upper")
def data(
    workers: tuple[int, ...] = WORKERS,
    slots: tuple[int, ...] = SLOTS,
    at: tuple[int, int] = (AT_WORKERS, AT_SLOTS),
    steps: int = 192,
    seeds: int = 12,
) -> Iterator[Row]:
    """Improvement ratios, exponents fitted to them, and what rival shapes miss.

    Parameters
    ----------
    workers, slots : tuple of int
        Values of ``G >= 2`` at fixed ``B``, and of ``B`` at fixed ``G``.
    at : (int, int)
        The fixed ``G`` and ``B``.
    steps : int
        Refills of a run; the overloaded runs have eight requests a slot.
    seeds : int
        Independent runs, at least 2; the column ``n``.

    Yields
    ------
    Row
        Kind ``iir``: the geometric mean ratio at ``x`` with its 95 % interval, and as ``theory``
        the best multiple of ``sqrt(B)``, or of ``E_max(G) G/(G-1)``.  Kind ``exponent``: the
        slope of the logarithms, fitted seed by seed, and that of the shape.  Kind
        ``misfit SHAPE``: root mean square of the logarithm of the ratio to the best multiple of a
        shape, fitted seed by seed; ``theory`` is 0, which a true shape without noise has.
    """
    for regime in REGIMES:
        for against, values in (("B", slots), ("G", workers)):
            runs = [
                [
                    regime.iir(*((at[0], x) if against == "B" else (x, at[1])), steps, seed)
                    for x in values
                ]
                for seed in range(seeds)
            ]
            shapes = {
                name: [shape(x) for x in values]
                for name, shape in (
                    {"sqrt(B)": lambda b: b**0.5} if against == "B" else SHAPES
                ).items()
            }
            first = next(iter(shapes.values()))
            constant = float(np.mean(np.log(runs)) - np.mean(np.log(first)))
            found: list[tuple[int | str, str, list[float], float]] = [
                (x, "iir", [run[i] for run in runs], float(np.exp(constant)) * first[i])
                for i, x in enumerate(values)
            ]
            found.append(("", "exponent", [fitted_exponent(values, y) for y in runs],
                          fitted_exponent(values, first)))  # fmt: skip
            found += [
                ("", f"misfit {name}", [misfit(shape, y) for y in runs], 0.0)
                for name, shape in shapes.items()
            ]
            for x, kind, samples, theory in found:
                ratio = kind == "iir"
                yield {
                    "regime": regime.name,
                    "against": against,
                    "x": x,
                    "kind": kind,
                    "theory": theory,
                    **(sampled([log(y) for y in samples], _exp) if ratio else sampled(samples)),
                }


def _exp(x: float) -> float:
    return float(np.exp(x))


@figure("scaling", data, size=(7.4, 6.6))
def draw(picture: Picture, rows: list[Cells]) -> None:
    """Draw the table."""
    axes = picture.subplots(2, len(REGIMES), sharey="col")
    for left, regime in zip(axes.T, REGIMES, strict=True):
        for ax, against in zip(left, ("B", "G"), strict=True):
            part = where(rows, regime=regime.name, against=against)
            ratios = where(part, kind="iir")
            x, value = column(ratios, "x"), column(ratios, "computed")
            points(ax, x, ratios, color="0.35")
            names = [r["kind"].removeprefix("misfit ") for r in part if "misfit" in r["kind"]]
            for number, name in enumerate(names):
                if number:
                    shape = [SHAPES[name](int(g)) for g in x]
                    scale = np.exp(np.mean(np.log(value)) - np.mean(np.log(shape)))
                    line = [float(scale) * y for y in shape]
                else:
                    line = column(ratios, "theory")
                (miss,) = where(part, kind=f"misfit {name}")
                text = name.replace("sqrt(B)", "√B").replace("sqrt", "√").replace("-", "−")
                ax.plot(x, line, ("-", "--", ":")[number], color=("black", "0.45", "0.45")[number],
                        label=f"{text}: off {100 * float(miss['computed']):.0f} %")  # fmt: skip
            (fit,) = where(part, kind="exponent")
            half = (float(fit["upper"]) - float(fit["lower"])) / 2
            ax.set_title(
                f"{regime.text}\n"
                * (against == "B")
                + f"exponent of {against}: {float(fit['computed']):.3f} ± {half:.3f}"
                f" (shape: {float(fit['theory']):.3f})",
                fontsize=9,
            )
            log_axes(ax, 2, 2)
            fixed = f"G = {AT_WORKERS}" if against == "B" else f"B = {AT_SLOTS}"
            ax.set_xlabel(f"{'slots B' if against == 'B' else 'workers G'} ({fixed})")
            ax.legend(fontsize=8)
    for ax in axes[:, 0]:
        ax.set_ylabel("IIR, imbalance of FCFS / BF-IO")
    growth = [
        float(where(rows, regime=regime.name, against="B", kind="exponent")[0]["computed"])
        for regime in REGIMES
    ]
    titled(
        picture,
        f"IIR grows like B^{growth[0]:.2f} where two sizes refill the slots, like "
        f"B^{growth[1]:.2f} "
        "on BurstGPT-like lengths",
        f"{rows[0]['n']} seeds, 95 % intervals; off: root mean square of the logarithm of IIR "
        "over a "
        "fitted shape",
    )
