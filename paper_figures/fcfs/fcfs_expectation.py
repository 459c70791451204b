"""Figure: the expected imbalance of FCFS, exactly, between its bounds and against simulation.

Equal lengths, sizes uniform: the mean gap of a worker to the largest load, in units of ``sigma
sqrt(B)``, so that only the shape in ``B`` remains.  It rises to the normal limit ``E max`` of G
normals [fcfs.exact, fcfs.gaussian]; the Berry-Esseen bound [fcfs.lower] and the pairing bound
[fcfs.pairing] stay below it for every B.
"""

from collections.abc import Iterator

import numpy as np

from paper_figures.drawing import FCFS, drawn_for, panels, points, titled
from paper_figures.figure import Picture, figure, table
from paper_figures.files import Cells, Row, column, distinct, sampled, where
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Law
from theory.laws.order_statistics import berry_esseen_bound, expected_max_of_normals, pairing_bound


@table("G B kind computed theory limit berry_esseen pairing n lower upper")
def data(
    workers: tuple[int, ...] = (2, 8, 32, 256),
    slots: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 72, 144, 256),
    largest: int = 100,
    samples: int = 20_000,
    seed: int = 0,
) -> Iterator[Row]:
    """Expected imbalance over ``G sigma sqrt(B)``.

    Parameters
    ----------
    workers, slots : tuple of int
        Values of ``G`` and ``B``.
    largest : int
        Sizes are uniform on ``1..largest``.
    samples : int
        About so many loads are drawn for each simulated point.
    seed : int
        Of the simulation.

    Yields
    ------
    Row
        ``theory`` exact; ``computed`` simulated, the mean of ``n`` independent steps, with its
        95 % interval; ``limit``, ``berry_esseen`` and ``pairing`` as in the module's docstring,
        the lower bounds cut at 0.
    """
    law, rng = Law.uniform(1, largest), np.random.default_rng(seed)
    sigma = law.variance.value**0.5
    for g in workers:
        limit = expected_max_of_normals(g).value
        for b in slots:
            unit = g * sigma * b**0.5
            steps = max(60, samples // g)
            loads = rng.integers(1, largest + 1, (steps, g, b)).sum(axis=2)
            gaps = (g * loads.max(axis=1) - loads.sum(axis=1)) / unit
            yield {
                "G": g,
                "B": b,
                "kind": "exact",
                **sampled(gaps.tolist()),
                "theory": expected_imbalance(law, g, b).imbalance.value / unit,
                "limit": limit,
                "berry_esseen": max(0.0, float(berry_esseen_bound(law, g, b)) / unit),
                "pairing": float(pairing_bound(law, g, b)) / unit,
            }


@figure("fcfs", data, size=(7.4, 6.0))
def draw(picture: Picture, rows: list[Cells]) -> None:
    """Draw the table."""
    workers = distinct(rows, "G")
    axes = panels(picture, len(workers), sharex=True)
    for ax, g in zip(axes, workers, strict=True):
        part = where(rows, G=g)
        b = column(part, "B")
        ax.plot(b, column(part, "limit"), ":", color="0.45", label="normal limit")
        ax.plot(b, column(part, "theory"), color=FCFS, label="exact")
        points(ax, b, part, color="0.25", markersize=3.5, capsize=2, label="simulated, 95 %")
        ax.plot(b, column(part, "berry_esseen"), "--", color="0.45", label="Berry-Esseen bound")
        ax.plot(b, column(part, "pairing"), "-.", color="0.45", label="pairing bound")
        ax.set_xscale("log", base=2)
        ax.set_ylim(0, None)
        ax.set_title(f"G = {g}")
    for ax in axes[-2:]:
        ax.set_xlabel("slots B of a worker")
    picture.supylabel("E[Imb(FCFS)] / (G σ √B)", fontsize=10)
    picture.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    titled(
        picture,
        "FCFS's imbalance is at its normal limit from few slots on; two older bounds are far below",
        f"Equal lengths, sizes uniform on 1..{drawn_for(data)['largest']}",
    )
