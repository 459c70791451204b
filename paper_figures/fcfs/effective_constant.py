"""Figure: the effective constant c(G, B) of the lower bound on FCFS, as a map for several laws.

``c = E[Imb] / (G sigma sqrt(B ln G))`` from the exact expectation [fcfs.exact].  As B grows it
tends to ``E[max of G normals] / sqrt(ln G)``, never below 0.6776 [fcfs.constant]; for few slots
and skewed or narrow sizes it lies below that, so 0.6776 is no constant for all (G, B)
[fcfs.constant-uniform].
"""

from collections.abc import Iterator
from fractions import Fraction
from math import log, sqrt

import numpy as np

from paper_figures.drawing import panels, titled
from paper_figures.figure import Picture, figure, table
from paper_figures.files import Cells, Row, column, distinct, where
from theory.formulas.constants import fcfs_constant
from theory.laws.law import Law
from theory.laws.order_statistics import effective_constant, expected_max_of_normals
from theory.laws.slot_load import geometric_slot


def laws() -> dict[str, Law]:
    """The laws of a slot's load, by what they are."""
    uniform = Law.uniform(1, 100)
    return {
        "sizes 1 or 2, equal lengths": Law.of({1: Fraction(1, 2), 2: Fraction(1, 2)}),
        "sizes uniform 1..100, equal lengths": uniform,
        "sizes uniform 1..100, geometric lengths of mean 100": geometric_slot(
            uniform, Fraction(1, 100)
        ),
        "size 100 once in 100, else 1, equal lengths": Law.of(
            {1: Fraction(99, 100), 100: Fraction(1, 100)}
        ),
    }


@table("law G B kind computed theory n lower upper")
def data(
    workers: tuple[int, ...] = (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024),
    slots: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 72, 144, 256),
) -> Iterator[Row]:
    """The effective constant of every law on a grid.

    Parameters
    ----------
    workers, slots : tuple of int
        Values of ``G >= 2`` and of ``B``.

    Yields
    ------
    Row
        ``computed`` exact, with its rigorous ends ``lower`` and ``upper``; ``theory`` its limit
        for large ``B``.
    """
    limit = {g: expected_max_of_normals(g).value / sqrt(log(g)) for g in workers}
    for name, law in laws().items():
        for b in slots:
            for g in workers:
                c = effective_constant(law, g, b)
                yield {
                    "law": name,
                    "G": g,
                    "B": b,
                    "kind": "exact; theory is the limit of large B",
                    "computed": c.value,
                    "theory": limit[g],
                    "n": 1,
                    "lower": float(c.lower),
                    "upper": float(c.upper),
                }


@figure("fcfs", data, size=(7.6, 6.8))
def draw(picture: Picture, rows: list[Cells]) -> None:
    """Draw the table."""
    from matplotlib.colors import TwoSlopeNorm

    names = distinct(rows, "law")
    constant = fcfs_constant().value
    largest = max(column(rows, "computed"))
    norm = TwoSlopeNorm(constant, 0, max(largest, 2 * constant))
    axes = panels(picture, len(names))
    image = None
    for ax, name in zip(axes, names, strict=True):
        part = where(rows, law=name)
        g = distinct(part, "G")
        b = distinct(part, "B")
        c = np.array(column(part, "computed")).reshape(len(b), len(g))
        image = ax.imshow(c, origin="lower", aspect="auto", cmap="PuOr", norm=norm)
        # The ends of the range are written out, and the line to the limit is drawn.
        for y, x in {divmod(int(end), len(g)) for end in (c.argmin(), c.argmax())}:
            dark = abs(float(norm(c[y, x])) - 0.5) > 0.32
            ax.text(x, y, f"{c[y, x]:.2f}", ha="center", va="center", fontsize=8,
                    color="white" if dark else "black")  # fmt: skip
        if c.min() < constant < c.max():
            ax.contour(c, [constant], colors="black", linewidths=1)
        ax.set_xticks(range(0, len(g), 2), g[::2])
        ax.set_yticks(range(len(b)), b)
        ax.grid(False)
        ax.set_title(name.replace(", ", ",\n", 1), fontsize=9)
        ax.set_xlabel("workers G")
        ax.set_ylabel("slots B")
    assert image is not None
    bar = picture.colorbar(image, ax=picture.axes, shrink=0.6, pad=0.02)
    bar.set_label(f"effective constant c; line and white: {constant:.4f}")
    titled(
        picture,
        f"No constant holds everywhere: c falls to {min(column(rows, 'computed')):.2f}, "
        f"below its limit of {constant:.2f}",
        "c = E[Imb] / (G σ √(B ln G)) of FCFS, exact; numbers: least and largest of a panel",
    )
