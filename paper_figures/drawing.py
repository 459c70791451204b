"""What several figures draw alike: panels, points with intervals, logarithmic axes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from paper_figures.files import Cells, column

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def panels(
    figure: "Figure", count: int, *, sharex: bool = False, sharey: bool = False
) -> "list[Axes]":
    """Panels in rows of two, which may share their axes."""
    grid = figure.subplots((count + 1) // 2, 2, sharex=sharex, sharey=sharey, squeeze=False)
    for ax in grid.flat[count:]:
        ax.set_visible(False)
    return list(grid.flat[:count])


def whiskers(
    rows: Sequence[Cells], factor: int = 1
) -> tuple[list[float], tuple[list[float], list[float]]]:
    """``factor`` times what was computed, and how far ``lower`` and ``upper`` reach from it."""
    value = column(rows, "computed", factor)
    low = [v - x for v, x in zip(value, column(rows, "lower", factor), strict=True)]
    high = [x - v for v, x in zip(value, column(rows, "upper", factor), strict=True)]
    return value, (low, high)


def points(
    ax: "Axes", x: Sequence[float], rows: Sequence[Cells], factor: int = 1, **look: Any
) -> None:
    """What was computed at ``x`` with its interval, as points with whiskers."""
    value, reach = whiskers(rows, factor)
    ax.errorbar(x, value, reach, **{"fmt": "o", "markersize": 4, "capsize": 3, **look})


def load_bars(
    ax: "Axes", loads: Sequence[Sequence[float]], tops: Sequence[Sequence[float]]
) -> None:
    """The load of each worker, step by step, before the load that all wait for.

    ``loads[g]`` and ``tops[g]`` hold an entry a step; the bars of a step stand side by side.
    """
    width = 0.8 / len(loads)
    for g, (load, top) in enumerate(zip(loads, tops, strict=True)):
        left = [step - 0.4 + width * g for step in range(len(load))]
        ax.bar(left, top, width, align="edge", color="0.88")
        ax.bar(left, load, width, align="edge", color=f"C{g % 10}", label=f"worker {g}")


def log_axes(ax: "Axes", x: int | None = 2, y: int | None = None) -> None:
    """Logarithmic axes to the bases given, the numbers on those to the base 2 written out."""
    for base, axis, scale in ((x, ax.xaxis, ax.set_xscale), (y, ax.yaxis, ax.set_yscale)):
        if base is not None:
            scale("log", base=base)
        if base == 2:
            axis.set_major_formatter("{x:g}")
