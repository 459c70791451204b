"""Figure: the phase diagram of balance, control authority against the spread of the sizes.

Geometric(``p``) lengths, drift 1, sizes uniform on ``1..1+d``, rich pool, BF-IO exactly by
water-filling.  Across the frontier ``B p d^2 = m ln G`` to ``8 m ln G`` [threshold.frontier] it
goes from hardly better than FCFS to perfect balance [threshold.phase].
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from math import ceil, log

import numpy as np

from paper_figures.drawing import log_axes
from paper_figures.figure import Picture, figure, table
from paper_figures.files import Cells, Row, column, sampled
from solvers.simulation.rich_pool import rich_pool_run
from theory.formulas.rebalancing import age_squares, unavoidable_imbalance
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Law
from theory.laws.slot_load import geometric_slot
from theory.model import IntArray

WIDTHS = (2, 4, 8, 16, 32, 64)
SLOTS = (5, 10, 20, 40, 80, 160, 320)


@table("G p d B kind computed theory lost below above n lower upper")
def data(
    workers: int = 16,
    p: Fraction = Fraction(1, 10),
    widths: tuple[int, ...] = WIDTHS,
    slots: tuple[int, ...] = SLOTS,
    steps: int = 60,
    seeds: int = 4,
) -> Iterator[Row]:
    """Imbalance of BF-IO as a share of that of FCFS, cell by cell.

    Parameters
    ----------
    workers, p
        ``G`` and the chance of a request to depart.
    widths, slots : tuple of int
        Values of ``d >= 1`` and of ``B``.
    steps : int
        Steps of a run that count, after a warm-up of ``6 / p``.
    seeds : int
        Independent runs behind each interval, at least 2; the column ``n``.

    Yields
    ------
    Row
        ``computed``, the share with its 95 % interval: ``1 / IIR``; ``theory``, the share that
        every online policy must leave [threshold.any-policy]; ``lost``, the share of steps that
        are not perfectly balanced; ``below`` and ``above``, the slots of the frontier's two sides.
    """
    for d in widths:
        edge = sum(age_squares(float(p), d)) / 2 * log(workers) / (float(p) * d * d)
        law = geometric_slot(Law.uniform(1, 1 + d), p)
        for b in slots:
            fcfs = expected_imbalance(law, workers, b).imbalance.value
            runs = [_run(workers, b, float(p), d, steps, seed) for seed in range(seeds)]
            yield {
                "G": workers,
                "p": float(p),
                "d": d,
                "B": b,
                "kind": "share of FCFS's imbalance",
                **sampled([float(run.mean()) / fcfs for run in runs]),
                "theory": float(unavoidable_imbalance(workers, b, p, d)) / fcfs,
                "lost": float(np.mean([run > 0 for run in runs])),
                "below": edge,
                "above": 8 * edge,
            }


def _run(G: int, B: int, p: float, d: int, steps: int, seed: int) -> IntArray:
    """Imbalance of each step that counts."""
    rng = np.random.default_rng([seed, G, B, d])
    warm = ceil(6 / p)
    loads = np.array(list(islice(rich_pool_run(G, B, p, (1, 1 + d), rng), warm, warm + steps)))
    return np.asarray(G * loads.max(axis=1) - loads.sum(axis=1))


@figure("threshold", data)
def draw(picture: Picture, rows: list[Cells]) -> None:
    """Draw the table."""
    from matplotlib.colors import LogNorm

    p, workers, n = float(rows[0]["p"]), rows[0]["G"], rows[0]["n"]
    share = column(rows, "computed")
    ax = picture.subplots()
    # Perfect balance has no ratio; everything from 100 on has the colour of 100.
    points = ax.scatter(
        [d * p for d in column(rows, "d")],
        [b * p for b in column(rows, "B")],
        c=[min(100.0, 1 / x) if x > 0 else 100.0 for x in share],
        s=420,
        marker="s",
        norm=LogNorm(1, 100),
        cmap="cividis",
    )
    for row, x in zip(rows, share, strict=True):
        label = ">100" if x < 0.01 else f"{1 / x:.0f}" if x < 0.1 else f"{1 / x:.1f}"
        ax.annotate(
            label,
            (float(row["d"]) * p, float(row["B"]) * p),
            ha="center",
            va="center",
            fontsize=7,
            color="white" if x > 0.1 else "black",
        )
    edges = {row["d"]: row for row in rows}
    for name, dashes, label in (
        ("below", "--", "B p (b−a)² = m ln G: below it balance is lost"),
        ("above", "-", "B p (b−a)² = 8 m ln G: above it balance holds"),
    ):
        ax.plot(
            [float(d) * p for d in edges],
            [float(row[name]) * p for row in edges.values()],
            dashes,
            color="C1",
            label=label,
        )
    log_axes(ax, 2, 2)
    ax.set_ylim(min(column(rows, "B")) * p / 1.5, max(column(rows, "B")) * p * 1.5)
    ax.set_xlabel("spread of the sizes in mean lengths, (b−a) p")
    ax.set_ylabel("departures of a worker in a step, B p")
    ax.set_title(f"G = {workers}, p = {p:g}, rich pool, {n} seeds; numbers: IIR")
    picture.colorbar(points, ax=ax, label="imbalance ratio FCFS / BF-IO, up to 100")
    picture.legend(loc="outside lower center", ncols=2)
