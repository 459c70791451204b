"""Figure: what each restriction of a schedule costs, exactly, on small random backlogs."""

from collections.abc import Iterator

import numpy as np

from paper_figures.drawing import SHADES, drawn_for, titled
from paper_figures.figure import Picture, figure, table
from paper_figures.files import Cells, Row, column, distinct, where
from solvers.schedule.price_ladder import price_ladder
from theory.model import Requests, System

POLICIES = ("bfio:horizon=4,predictor=oracle", "bfio", "fcfs")

LABELS = {
    "migrating": "migrating",
    "pausing": "pausing",
    "sticky": "sticky",
    "work conserving": "work\nconserving",
    "bfio": "BF-IO\nH = 0",
    "fcfs": "FCFS",
}


@table("workers slots rung kind computed theory n least most")
def data(
    shapes: tuple[tuple[int, int], ...] = ((2, 1), (2, 2), (3, 1)),
    requests: int = 6,
    backlogs: int = 100,
    largest: int = 8,
    longest: int = 3,
    seed: int = 0,
) -> Iterator[Row]:
    """Sum of the largest loads on each rung, as a multiple of the work spread evenly.

    Parameters
    ----------
    shapes : tuple of (G, B)
        Systems.
    requests : int
        Requests of each backlog.
    backlogs : int
        Random backlogs for each system; the column ``n``.
    largest, longest : int
        Sizes are uniform on ``1..largest`` and lengths on ``1..longest``; growth 1 a step.
    seed : int
        Of the backlogs.

    Yields
    ------
    Row
        ``computed`` is the mean of ``G sum_k M(k) / W``, between ``least`` and ``most``.
        ``theory`` is what it cannot be below: for a clairvoyant rung the mean of the rung before,
        for a policy that of the work-conserving optimum [offline.ladder], and 1 for the first.
    """
    for workers, slots in shapes:
        rng = np.random.default_rng(seed)
        system = System(workers, slots)
        ratios: dict[str, list[float]] = {}
        for _ in range(backlogs):
            backlog = Requests(
                rng.integers(1, largest + 1, requests), rng.integers(1, longest + 1, requests)
            )
            for rung in price_ladder(system, backlog, POLICIES):
                ratio = workers * rung.totals.sum_max / rung.totals.work
                ratios.setdefault(rung.name, []).append(ratio)
        floor = 1.0
        for name, values in ratios.items():
            mean = float(np.mean(values))
            yield {
                "workers": workers,
                "slots": slots,
                "rung": name,
                "kind": "policy" if name in POLICIES else "optimum",
                "computed": mean,
                "theory": floor,
                "n": backlogs,
                "least": min(values),
                "most": max(values),
            }
            if name not in POLICIES:
                floor = mean


@figure("offline", data)
def draw(picture: Picture, rows: list[Cells]) -> None:
    """Draw the table."""
    shapes = list(dict.fromkeys((row["workers"], row["slots"]) for row in rows))
    names = distinct(rows, "rung")
    clairvoyant = len(distinct(where(rows, kind="optimum"), "rung"))
    ax = picture.subplots()
    for number, shape in enumerate(shapes):
        part = where(rows, workers=shape[0], slots=shape[1])
        computed = np.array(column(part, "computed"))
        at = np.arange(len(part)) + 0.16 * (number - (len(shapes) - 1) / 2)
        reach = [computed - column(part, "least"), column(part, "most") - computed]
        ax.errorbar(
            at, computed, yerr=reach, fmt="o", markersize=4, linewidth=0.8, capsize=2,
            color=SHADES[number], label=f"G = {shape[0]}, B = {shape[1]}",
        )  # fmt: skip
        ax.hlines(column(part, "theory"), at - 0.08, at + 0.08, color=SHADES[number], linestyle=":")
    ax.axvline(clairvoyant - 0.5, color="0.6", linewidth=0.8)
    ax.set_xticks(range(len(names)), [LABELS.get(n, "BF-IO\nH = 4, oracle") for n in names])
    ax.set_ylabel("duration over that of perfect balance")
    ax.text(0, 1.01, "optima, all known", transform=ax.transAxes, fontsize=8.5)
    ax.text(1, 1.01, "policies, online", transform=ax.transAxes, fontsize=8.5, ha="right")
    picture.legend(loc="outside lower center", ncols=len(shapes))
    setting = drawn_for(data)
    mean = {
        name: np.mean(column(where(rows, rung=name), "computed"))
        for name in ("migrating", "work conserving", "fcfs")
    }
    titled(
        picture,
        "Being sticky and work conserving costs "
        f"{100 * mean['work conserving'] / mean['migrating'] - 100:.0f} %, "
        f"and FCFS {100 * mean['fcfs'] / mean['work conserving'] - 100:.0f} % more",
        f"Mean, least and most of {rows[0]['n']} backlogs of {setting['requests']} requests, "
        "sizes to "
        f"{setting['largest']}, lengths to {setting['longest']}; duration: the sum of largest "
        "loads, "
        "G sum M / W with W the sum of all loads; dotted: what the mean cannot be below",
    )
