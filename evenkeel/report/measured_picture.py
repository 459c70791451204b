"""A picture of measured loads: all ranks over time, the idle share, and the fit of step times."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from adversary.measurements.loads import MeasuredLoads
from evenkeel.studies.measured_balance import slowest_ranks
from evenkeel.studies.step_time import StepTime
from paper_figures.files import save_as, style
from theory.model import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Columns of the map, and points of the fit, at most.
COLUMNS, POINTS = 1200, 4000


def draw(measured: MeasuredLoads, fit: StepTime | None, path: Path) -> Path:
    """Draw loads and fit into one file.

    Raises
    ------
    InputError
        As :func:`paper_figures.files.save_as`.
    """
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=(9.0, 6.4), layout="constrained")
        rows = figure.subplot_mosaic([["loads", "loads"], ["idle", "fit"]], height_ratios=(1.25, 1))
        _loads(rows["loads"], measured)
        _idle(rows["idle"], measured)
        _fit(rows["fit"], measured, fit)
        return save_as(figure, path)


def _binned(values: FloatArray, count: int) -> FloatArray:
    """Means over ``count`` bins of consecutive rows."""
    starts = np.arange(count) * len(values) // count
    sizes = np.diff(np.append(starts, len(values)))
    sums: FloatArray = np.add.reduceat(values, starts, axis=0)
    return sums / sizes.reshape(-1, *[1] * (values.ndim - 1))


def _loads(ax: "Axes", measured: MeasuredLoads) -> None:
    steps, ranks = measured.loads.shape
    count = min(COLUMNS, steps)
    first, last = int(measured.steps[0]), int(measured.steps[-1])
    image = ax.imshow(
        _binned(measured.loads, count).T,
        aspect="auto",
        cmap="cividis",
        extent=(first - 0.5, last + 0.5, ranks - 0.5, -0.5),
        interpolation="nearest",
    )
    hits = _binned((slowest_ranks(measured.loads)[:, None] == np.arange(ranks)) * 1.0, count)
    at = np.linspace(first, last, count)
    ax.plot(
        at, hits.argmax(axis=1), linestyle="none", marker="s", markersize=2.2, color="#D55E00",
        label="slowest rank",
    )  # fmt: skip
    ax.figure.colorbar(image, ax=ax, label=f"load ({measured.unit})", pad=0.01)
    shown = np.unique(np.linspace(0, ranks - 1, min(ranks, 16)).astype(int))
    ax.set_yticks(shown, [measured.ranks[k] for k in shown])
    ax.set_ylabel("rank")
    ax.set_xlabel("step")
    ax.grid(visible=False)
    ax.legend(loc="upper right", frameon=True)
    ax.set_title("load of each rank, and the one that all wait for")


def _idle(ax: "Axes", measured: MeasuredLoads) -> None:
    loads = measured.loads
    share = 100 * (1 - loads.mean(axis=1) / loads.max(axis=1))
    count = min(COLUMNS, len(share))
    ax.plot(np.linspace(measured.steps[0], measured.steps[-1], count), _binned(share, count))
    ax.set_ylim(0, None)
    ax.set_xlabel("step")
    ax.set_ylabel("waiting (%)")
    ax.set_title("share of a step that the average rank waits")


def _fit(ax: "Axes", measured: MeasuredLoads, fit: StepTime | None) -> None:
    ax.set_title("time of a step by the largest load")
    if measured.duration_s is None or fit is None:
        ax.text(0.5, 0.5, "no fit of step times", ha="center", transform=ax.transAxes)
        ax.set_axis_off()
        return
    known = np.flatnonzero(np.isfinite(measured.duration_s))
    shown = known[:: -(-len(known) // POINTS)]
    largest = measured.loads.max(axis=1)
    line = fit.overhead_s.value + fit.per_load_s.value * largest
    near = shown[np.abs(measured.duration_s[shown] - line[shown]) <= line.max()]
    ax.plot(largest[near], 1e3 * measured.duration_s[near], ".", markersize=3, alpha=0.6)
    ends = np.array([largest.min(), largest.max()])
    ax.plot(
        ends,
        1e3 * (fit.overhead_s.value + fit.per_load_s.value * ends),
        color="black",
        label=f"{1e3 * fit.overhead_s.value:.3g} ms + {fit.per_load_s.value:.3g} s x load",
    )
    ax.set_xlabel(f"largest load ({measured.unit})")
    ax.set_ylabel("time of the step (ms)")
    ax.legend()
