"""What several figures draw alike: panels, points with intervals, logarithmic axes."""

from collections.abc import Sequence
from inspect import signature
from textwrap import fill
from typing import TYPE_CHECKING, Any

from paper_figures.files import Cells, column

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from paper_figures.figure import Table
    from theory.power import PowerModel


# A colour means one thing in all figures: a policy, a bound, or a device.
FCFS, BFIO, OTHER = "#0072B2", "#D55E00", "#009E73"
FLOOR, CAP, PAPER = "#56B4E9", "#E69F00", "#CC79A7"
# Values of a parameter, from small to large.
SHADES = ("#9e9ac8", "#756bb1", "#3f007d")


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
        ax.bar(left, load, width, align="edge", color=SHADES[g % len(SHADES)], label=f"worker {g}")


def log_axes(ax: "Axes", x: int | None = 2, y: int | None = None) -> None:
    """Logarithmic axes to the bases given, the numbers on those to the base 2 written out."""
    for base, axis, scale in ((x, ax.xaxis, ax.set_xscale), (y, ax.yaxis, ax.set_yscale)):
        if base is not None:
            scale("log", base=base)
        if base == 2:
            axis.set_major_formatter("{x:g}")


def titled(picture: "Figure", message: str, setting: str) -> None:
    """What the picture says, in bold at its top left, and below what it is drawn for.

    Both are wrapped to the width of the picture.
    """
    from matplotlib.text import Annotation

    inches = picture.get_figwidth()
    # Letters to an inch of bold 11 point type and of plain 8.5 point type, with a margin.
    message, setting = (fill(text, int(n * inches)) for text, n in ((message, 9.6), (setting, 14)))
    lines = setting.count("\n") + 1
    title = picture.suptitle(
        message + "\n" * lines, x=0.012, ha="left", fontsize=11, fontweight="bold", linespacing=1.3
    )
    below = Annotation(
        setting,
        (0, 0),
        xycoords=title,
        va="bottom",
        fontsize=8.5,
        color="0.3",
        linespacing=1.3,
    )
    below.set_in_layout(False)
    picture.add_artist(below)


def watts(device: "PowerModel") -> str:
    """The numbers of a device, as pictures have them.

    >>> from theory.power import hardware
    >>> watts(hardware("a100-paper"))
    '100 W waiting, 400 W full, γ 0.7'
    """
    return f"{device.barrier_w:g} W waiting, {device.max_w:g} W full, γ {device.gamma:g}"


def drawn_for(data: "Table[...]") -> dict[str, Any]:
    """The defaults of a table's parameters, with which a figure is computed.

    >>> from paper_figures.fcfs.loads_by_policy import data
    >>> drawn_for(data)["workers"]
    16
    """
    return {
        name: parameter.default
        for name, parameter in signature(data).parameters.items()
        if parameter.default is not parameter.empty
    }
