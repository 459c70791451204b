"""Figure: how much less imbalance BF-IO leaves than FCFS, against G, for several B.

Full refills of requests with sizes ``a`` or ``b`` and a pool of exactly ``G*B``, so that nobody
can choose what to admit.  Both sides are then known exactly: FCFS by [fcfs.exact]; and for BF-IO,
where ``N`` of the requests have size ``b``, some worker gets at least ``ceil(N/G)`` of them and
dealing them out in turn gives no more, so its imbalance is ``(b-a) (-N mod G)``.
"""

from collections.abc import Iterator
from fractions import Fraction
from math import log

import numpy as np

from adversary.workloads.families import workload
from paper_figures.drawing import SHADES, log_axes, points, titled
from paper_figures.figure import Picture, figure, table
from paper_figures.files import Cells, Row, column, distinct, sampled, where
from solvers.simulation.engine import simulate
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Law
from theory.model import System

WORKERS = (2, 4, 8, 16, 32, 64, 128)
SLOTS = (8, 32, 128)
A, B = 1, 100


@table("B G kind computed theory bound shape constant n lower upper")
def data(
    workers: tuple[int, ...] = WORKERS,
    slots: tuple[int, ...] = SLOTS,
    seeds: int = 8,
    refills: int = 64,
) -> Iterator[Row]:
    """Imbalance improvement ratios.

    Parameters
    ----------
    workers, slots : tuple of int
        Values of ``G >= 2`` and of ``B``.
    seeds : int
        Independent runs behind each interval, at least 2; the column ``n``.
    refills : int
        Steps of a run, each of which refills all slots.

    Yields
    ------
    Row
        ``computed`` with its 95 % interval; ``theory``, the exact ratio of expectations;
        ``bound``, the certified floor ``E[Imb FCFS] / ((G-1)(b-a))`` [warmup.bfio-upper]; and
        ``shape = constant * sqrt(B ln G) G/(G-1)`` [warmup.theorem-1], the constant fitted to all
        ``theory`` by least squares of the logarithms.
    """
    law = Law.of({A: Fraction(1, 2), B: Fraction(1, 2)})
    cells = [(b, g) for b in slots for g in workers]
    exact = {}
    for b, g in cells:
        fcfs = expected_imbalance(law, g, b).imbalance.value
        exact[b, g] = fcfs / _bfio(g, b), fcfs / ((g - 1) * (B - A))
    order = {(b, g): (b * log(g)) ** 0.5 * g / (g - 1) for b, g in cells}
    constant = float(np.exp(np.mean([log(exact[c][0] / order[c]) for c in cells])))
    for b, g in cells:
        yield {
            "B": b,
            "G": g,
            "kind": "exact ratio of expectations",
            **sampled([_ratio(g, b, refills, seed) for seed in range(seeds)]),
            "theory": exact[b, g][0],
            "bound": exact[b, g][1],
            "shape": constant * order[b, g],
            "constant": constant,
        }


def _bfio(workers: int, slots: int) -> float:
    """``(b-a) E[-N mod G]`` for ``N`` binomial of ``G*B`` fair draws."""
    from scipy.stats import binom

    n = np.arange(workers * slots + 1)
    return float((B - A) * np.sum(binom.pmf(n, workers * slots, 0.5) * (-n % workers)))


def _ratio(workers: int, slots: int, refills: int, seed: int) -> float:
    """Total imbalance of FCFS over that of BF-IO on the same requests."""
    system = System(workers, slots, drift=(0,))
    n = system.capacity * refills
    requests = workload("two-point", n, seed, a=A, b=B, q=0.5, length=1)
    fcfs, bfio = (simulate(system, requests, name).total.imbalance for name in ("fcfs", "bfio"))
    return fcfs / bfio


@figure("warmup", data)
def draw(picture: Picture, rows: list[Cells]) -> None:
    """Draw the table."""
    ax = picture.subplots()
    for number, b in enumerate(distinct(rows, "B")):
        part = where(rows, B=b)
        colour, g = SHADES[number], column(part, "G")
        label = f"B = {b}"
        points(ax, g, part, color=colour, label=label)
        ax.plot(g, column(part, "theory"), color=colour)
        ax.plot(g, column(part, "shape"), ":", color=colour)
        ax.plot(g, column(part, "bound"), "--", color=colour, linewidth=1)
    constant, n = float(rows[0]["constant"]), rows[0]["n"]
    for line, label in (
        ("-", "exact: ratio of expectations"),
        (":", f"{constant:.3g} √(B ln G) G/(G−1)"),
        ("--", "certified floor: FCFS / ((G−1)(b−a))"),
    ):
        ax.plot([], [], line, color="0.3", label=label)
    log_axes(ax, 2, 2)
    ax.set_xlabel("workers G")
    ax.set_ylabel("imbalance of FCFS over that of BF-IO")
    picture.legend(loc="outside lower center", ncols=2)
    most = max(rows, key=lambda row: float(row["theory"]))
    titled(
        picture,
        f"BF-IO leaves up to {float(most['theory']):.0f} times less imbalance, more with G and B",
        f"Full refills, sizes {A} or {B} at equal odds, pool G B; points: {n} seeds, 95 % interval",
    )
