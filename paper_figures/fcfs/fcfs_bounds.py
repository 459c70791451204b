"""Figure: how far below the exact imbalance of FCFS its lower bounds lie, for laws and traces.

``E[Imb]`` [fcfs.exact] over each bound: the tournament of at most 16 workers [fcfs.tournament],
the explicit bound [fcfs.log-growth], with [fcfs.few-slots] below the line ``B = floor(log2 G)``,
and Berry-Esseen's [fcfs.lower], which is negative in the empty cells and says nothing there.
"""

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import cache, partial

import numpy as np

from adversary.workloads.slot_laws import slot_laws
from paper_figures.drawing import titled
from paper_figures.figure import Picture, figure, table
from paper_figures.files import Cells, Row, column, distinct, where
from theory.formulas.fcfs import explicit_bound
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Law
from theory.laws.order_statistics import berry_esseen_bound
from theory.laws.tournament import best_tournament, mean_lead

# A colour begins at each factor; all from the last one on share one.
FACTORS = (1, 1.1, 1.25, 1.6, 2, 2.5, 4, 10)


def bounds(law: Law) -> Mapping[str, Callable[[int, int], Fraction]]:
    """The bounds of ``E[Imb]`` for a law, by name, as functions of ``G`` and ``B``."""
    lead = cache(partial(mean_lead, law))  # one table serves every G
    return {
        "tournament": lambda g, b: g * best_tournament(lead, g, b).lead,
        "explicit": partial(explicit_bound, law),
        "Berry-Esseen": partial(berry_esseen_bound, law),
    }


@table("law bound G B kind computed theory n lower upper")
def data(
    workers: tuple[int, ...] = tuple(2**k for k in range(1, 13)),
    slots: tuple[int, ...] = tuple(4**k for k in range(6)),
    names: tuple[str, ...] | None = None,
) -> Iterator[Row]:
    """Each bound beside the exact expectation, law by law.

    Parameters
    ----------
    workers, slots : tuple of int
        Values of ``G >= 2`` and of ``B``.
    names : tuple of str, optional
        Laws of :func:`adversary.workloads.slot_laws.slot_laws`; all of them by default.

    Yields
    ------
    Row
        ``computed`` the bound, 0 where it is negative; ``theory`` exact, with its rigorous ends
        ``lower`` and ``upper``; a trace is in units of its cells.
    """
    for name in names or tuple(slot_laws()):
        law = slot_laws()[name]
        bound_of = bounds(law)
        for b in slots:
            exact = {g: expected_imbalance(law, g, b).imbalance for g in workers}
            for bound, value in bound_of.items():
                for g in workers:
                    yield {
                        "law": name,
                        "bound": bound,
                        "G": g,
                        "B": b,
                        "kind": "lower",
                        "computed": max(0.0, float(value(g, b))),
                        "theory": exact[g].value,
                        "n": 1,
                        "lower": float(exact[g].lower),
                        "upper": float(exact[g].upper),
                    }


@figure("fcfs", data, size=(7.6, 13.2))
def draw(picture: Picture, rows: list[Cells]) -> None:
    """Draw the table."""
    import matplotlib
    from matplotlib.colors import BoundaryNorm

    laws, named = distinct(rows, "law"), distinct(rows, "bound")
    g, b = distinct(rows, "G"), distinct(rows, "B")
    shape = len(b), len(g)
    colours = matplotlib.colormaps["viridis_r"].resampled(len(FACTORS))
    norm = BoundaryNorm(FACTORS, colours.N, extend="max")
    axes = picture.subplots(len(laws), len(named), sharex=True, sharey=True, squeeze=False)
    image = None
    for law, line in zip(laws, axes, strict=True):
        for bound, ax in zip(named, line, strict=True):
            part = where(rows, law=law, bound=bound)
            exact = np.array(column(part, "theory")).reshape(shape)
            value = np.array(column(part, "computed")).reshape(shape)
            with np.errstate(divide="ignore"):
                factor = np.where(value > 0, exact / value, np.nan)
            image = ax.imshow(factor, origin="lower", aspect="auto", cmap=colours, norm=norm)
            # Above the staircase every doubling of the workers has a slot of its own.
            ends = [sum(int(y) < int(x).bit_length() - 1 for y in b) - 0.5 for x in g]
            if bound == "explicit":
                ax.stairs(ends, np.arange(len(g) + 1) - 0.5, baseline=None, color="black", lw=1)
            ax.tick_params(labelsize=6.5)
            ax.grid(False)
            if law == laws[0]:
                ax.set_title(bound, loc="right", fontsize=10)
        line[0].set_title(law, loc="left", fontsize=8.5)
    # All panels share them.
    axes[0][0].set_xticks(range(1, len(g), 2), g[1::2])
    axes[0][0].set_yticks(range(len(b)), b)
    assert image is not None
    picture.supylabel("slots B", fontsize=9)
    picture.supxlabel("workers G", fontsize=9)
    bar = picture.colorbar(image, ax=axes, shrink=0.5, aspect=40, pad=0.02)
    bar.set_label("exact E[Imb(FCFS)] over the bound; no colour: the bound says nothing")
    worst = {
        bound: max(
            float(row["theory"]) / float(row["computed"])
            for row in where(rows, bound=bound)
            if float(row["computed"]) > 0
        )
        for bound in ("tournament", "explicit")
    }
    titled(
        picture,
        f"The tournament is never more than {worst['tournament']:.2g} times below the exact "
        "imbalance "
        f"of FCFS, the explicit bound {worst['explicit']:.0f} times",
        "Laws of a slot's load in stationarity; line: B = log2 G, below which the explicit bound "
        "has another form",
    )
