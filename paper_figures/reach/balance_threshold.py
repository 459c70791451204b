"""Figure: what any online policy can reach, between two computed numbers.

BF-IO's imbalance as a share of that of FCFS, between the least that every online policy leaves
[threshold.window] and the most that BF-IO is guaranteed to leave [geometric.theorem-2].
Geometric(``p``) lengths, drift 1, sizes uniform on ``1..1+d``, rich pool, BF-IO exactly by
water-filling.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import cache
from itertools import islice
from math import ceil
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from paper_figures.drawing import BFIO, log_axes, points, titled
from paper_figures.figure import Picture, figure, table
from paper_figures.files import Cells, Row, column, distinct, sampled, where
from solvers.simulation.rich_pool import rich_pool_run
from theory.formulas.guaranteed import guaranteed_imbalance
from theory.formulas.unavoidable import least_imbalance
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Law
from theory.laws.slot_load import geometric_slot
from theory.model import IntArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

WIDTHS = (1, 2, 4, 8, 16, 32, 64)
SLOTS = tuple(2**k for k in range(13))

# Doublings of the slots beyond those that are measured, up to which the guarantee is looked for.
BEYOND = 4

# The share of FCFS's imbalance at which the plane is divided.
SHARE = Fraction(1, 10)

CELL, EDGE = "share of FCFS's imbalance", "slots at a tenth of it"


@table("kind G p d B computed least most n lower upper")
def data(
    workers: int = 16,
    p: Fraction = Fraction(1, 10),
    widths: tuple[int, ...] = WIDTHS,
    slots: tuple[int, ...] = SLOTS,
    steps: int = 100,
    seeds: int = 8,
) -> Iterator[Row]:
    """Imbalance of BF-IO as a share of that of FCFS, cell by cell, and the slots at a tenth.

    Parameters
    ----------
    workers, p
        ``G`` and the chance of a request to depart.
    widths, slots : tuple of int
        Values of ``d >= 1`` and of ``B``, ascending.
    steps : int
        Steps of a run that count, after a warm-up of ``6 / p``.
    seeds : int
        Independent runs behind each interval, at least 2; the column ``n``.

    Yields
    ------
    Row
        Of a cell: ``computed``, the share with its 95 % interval, ``1 / IIR``; ``least`` and
        ``most``, the shares that every online policy leaves at least and BF-IO at most.  Of a
        width: the largest ``B`` at which ``least`` is a tenth or more, and the smallest at which
        ``most`` is less, to a factor of ``2^(1/4)``; empty where there is none.
    """
    beyond = tuple(slots[-1] * 2**k for k in range(1, 1 + BEYOND))
    for d in widths:
        fcfs, least, most = _bounds(workers, p, d)
        key = {"G": workers, "p": float(p), "d": d}
        for b in slots:
            runs = [_run(workers, b, float(p), d, steps, seed) for seed in range(seeds)]
            yield {
                "kind": CELL,
                **key,
                "B": b,
                **sampled([float(run.mean()) / fcfs(b) for run in runs]),
                "least": least(b),
                "most": most(b),
            }
        yield {
            "kind": EDGE,
            **key,
            **dict.fromkeys(("B", "computed", "n", "lower", "upper"), ""),
            "least": _around(slots, least)[0],
            "most": _around(slots + beyond, most)[1],
        }


Share: TypeAlias = Callable[[int], float]


def _bounds(workers: int, p: Fraction, d: int) -> tuple[Share, Share, Share]:
    """Imbalance of FCFS, and the shares of it that are left at least and at most, by slots."""
    law = geometric_slot(Law.uniform(1, 1 + d), p)

    @cache
    def fcfs(b: int) -> float:
        return expected_imbalance(law, workers, b).imbalance.value

    @cache
    def least(b: int) -> float:
        return float(least_imbalance(workers, b, p, d)) / fcfs(b)

    def most(b: int) -> float:
        return float(guaranteed_imbalance(workers, b, p, (1, 1 + d))) / fcfs(b)

    return fcfs, least, most


def _around(slots: Sequence[int], share: Share) -> tuple[int | str, int | str]:
    """The last slots with a share of a tenth or more, the first with less, for a falling share.

    To a factor of ``2^(1/4)`` if the slots are not farther apart than 2; empty where there are
    none.
    """

    def below(b: int) -> bool:
        return share(b) < SHARE

    place = bisect_left(slots, True, key=below)
    if place in (0, len(slots)):
        return ("", slots[0]) if place == 0 else (slots[-1], "")
    low, high = slots[place - 1], slots[place]
    finer = sorted({low, high, *(min(high, round(low * 2 ** (k / 4))) for k in (1, 2, 3))})
    place = bisect_left(finer, True, key=below)
    return finer[place - 1], finer[place]


def _run(G: int, B: int, p: float, d: int, steps: int, seed: int) -> IntArray:
    """Imbalance of each step that counts."""
    rng = np.random.default_rng([seed, G, B, d])
    warm = ceil(6 / p)
    loads = np.array(list(islice(rich_pool_run(G, B, p, (1, 1 + d), rng), warm, warm + steps)))
    return np.asarray(G * loads.max(axis=1) - loads.sum(axis=1))


DEPARTURES = "departures of a worker in a step, B p"

# Classes of the share that is left, in percent; a tenth is between two of them.
CLASSES = (0, 1, 2, 5, 10, 20, 50, 100)

# Least share that a cut shows, in percent.
BOTTOM = 0.1


@figure("threshold", data, size=(9.0, 5.6))
def draw(picture: Picture, rows: list[Cells]) -> None:
    """Draw the table."""
    cells = where(rows, kind=CELL)
    workers, p, n = cells[0]["G"], float(cells[0]["p"]), cells[0]["n"]
    left, right = picture.subfigures(1, 2, squeeze=False, width_ratios=(1.2, 1))[0]
    plane = left.subplots()
    _draw_plane(left, plane, cells, where(rows, kind=EDGE))
    # A third of the widths is below the first cut, a third above the second.
    widths = distinct(cells, "d")
    third = len(widths) // 3
    cuts = right.subplots(2, 1, sharex=True)
    for ax, d in zip(cuts, (widths[third], widths[-1 - third]), strict=True):
        x = float(d) * p
        plane.axvline(x, color="black", linestyle=":", linewidth=1)
        _draw_cut(ax, where(cells, d=d))
        ax.set_title(f"cut at (b−a) p = {x:g}", loc="left")
    ax.set_xlabel(DEPARTURES)
    right.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    right.supylabel("% of FCFS's imbalance", fontsize=10)
    titled(
        picture,
        "With few departures a step no online policy balances; with many BF-IO provably does",
        f"G = {workers}, p = {p:g}, sizes uniform on a..b, drift 1, rich pool; {n} seeds, 95 % "
        "intervals",
    )


def _draw_plane(part: "SubFigure", ax: "Axes", cells: list[Cells], edges: list[Cells]) -> None:
    """The measured share over widths and slots, and where a tenth is out of reach or certain."""
    from matplotlib.colors import BoundaryNorm

    p = float(cells[0]["p"])
    x, y = ([float(v) * p for v in distinct(cells, name)] for name in ("d", "B"))
    share = np.reshape(column(cells, "computed", 100), (len(x), len(y))).T
    tiles = ax.pcolormesh(
        _ends(x),
        _ends(y),
        np.minimum(share, 99),  # more than FCFS's is in the last class
        norm=BoundaryNorm(CLASSES, 256),
        cmap="Blues",
        edgecolors="white",
        linewidth=0.4,
    )
    _decades(ax)
    for name, colour, hatch, end, (place, across, up), words in (
        (
            "least",
            "white",
            "///",
            y[0],
            (0.05, "left", "bottom"),
            "no online policy\ngets below 10 %",
        ),
        ("most", "black", "...", y[-1], (0.95, "right", "top"), "BF-IO is below\n10 %: proved"),
    ):
        known = [row for row in edges if row[name] != ""]
        at, edge = ([float(row[key]) * p for row in known] for key in ("d", name))
        ax.fill_between(at, edge, end, facecolor="none", edgecolor=colour, hatch=hatch, linewidth=0)
        ax.plot(at, edge, color=colour, linewidth=2.5)
        ax.text(
            place,
            place,
            words,
            transform=ax.transAxes,
            ha=across,
            va=up,
            fontweight="bold",
            bbox={"facecolor": "white", "edgecolor": "none", "boxstyle": "round"},
        )
    label = "BF-IO, measured: % of FCFS's imbalance, 100 / IIR"
    part.colorbar(tiles, ax=ax, location="top", aspect=30, label=label)
    ax.set_xticks(x)
    ax.set_xlim(x[0], x[-1])
    ax.set_ylim(y[0], y[-1])
    ax.set_xlabel("spread of the sizes in mean lengths, (b−a) p")
    ax.set_ylabel(DEPARTURES)
    ax.grid(False)


def _draw_cut(ax: "Axes", rows: list[Cells]) -> None:
    """The share over the slots at one width, between what is out of reach and what is excluded."""
    p = float(rows[0]["p"])

    def at(part: list[Cells]) -> list[float]:
        return [b * p for b in column(part, "B")]

    _decades(ax)
    ax.fill_between(
        at(rows),
        column(rows, "least", 100),
        BOTTOM / 2,
        color="0.65",
        linewidth=0,
        label="no online policy is here",
    )
    ax.fill_between(
        at(rows),
        column(rows, "most", 100),
        1e4,
        facecolor="none",
        edgecolor="0.2",
        hatch="...",
        label="BF-IO is not here",
    )
    seen = [row for row in rows if 100 * float(row["computed"]) >= BOTTOM]
    unseen = [row for row in rows if row not in seen]
    points(ax, at(seen), seen, 100, color=BFIO, label="BF-IO, measured")
    if unseen:
        ax.plot(
            at(unseen),
            [BOTTOM * 1.2] * len(unseen),
            "v",
            color=BFIO,
            markerfacecolor="white",
            markersize=4,
            clip_on=False,
            label=f"BF-IO, below {BOTTOM:g} %",
        )
    ax.axhline(100 * float(SHARE), color="0.4", linestyle=":", linewidth=1)
    ax.set_xlim(at(rows)[0] / 1.3, at(rows)[-1])
    ax.set_ylim(BOTTOM, 150)


def _ends(centres: Sequence[float]) -> list[float]:
    """Ends of tiles around values that grow by a factor."""
    half = (centres[1] / centres[0]) ** 0.5
    return [centres[0] / half, *(v * half for v in centres)]


def _decades(ax: "Axes") -> None:
    """Logarithmic axes, the powers of ten written out."""
    log_axes(ax, 10, 10)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter("")
