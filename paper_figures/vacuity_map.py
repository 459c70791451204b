"""Figure: the smallest B at which each theorem says more than nothing, for real request lengths.

One line a trace or sample.  Theorem 1 speaks with a certificate where the law of the sizes is
known [vacuity.certified]; the closed forms [vacuity.edge] need moments only.  Theorems 2 and 3
are in the form of the paper, which rare sizes break [geometric.bfio-upper-range], the latter for a
growth of at most one a step.  Theorem 4 needs a ratio of ``D / P_idle`` first, here that of
Theorem 1 [vacuity.energy].
"""

from collections.abc import Iterator, Mapping

from adversary.workloads.trace_statistics import trace_lengths
from paper_figures.drawing import log_axes, panels
from paper_figures.figure import Picture, figure, table
from paper_figures.files import Cells, Row, column, distinct, where
from theory.formulas.vacuity import first_slots_of
from theory.power import hardware

DEVICE = "a100-paper"

# Panel: the form with a certificate, if there is one, and the closed form.
FORMS: Mapping[str, tuple[str | None, str]] = {
    "Theorem 1": ("T1 certified", "T1"),
    "Theorem 2": (None, "T2"),
    "Theorem 3": (None, "T3"),
    "Theorem 4, with the ratio of Theorem 1": ("T4 certified", "T4 by T1"),
}


@table("lengths theorem G kind computed theory n lower upper")
def data(
    workers: tuple[int, ...] = (2, 8, 32, 256),
    names: tuple[str, ...] | None = None,
) -> Iterator[Row]:
    """The map, trace by trace.

    Parameters
    ----------
    workers : tuple of int
        Values of ``G >= 2``.
    names : tuple of str, optional
        Traces and samples; all that the project knows by default.

    Yields
    ------
    Row
        ``theory``, the closed form with c = 0.6776; ``computed``, the certified edge where the law
        of the sizes is known, else the closed form again.
    """
    known, power = trace_lengths(), hardware(DEVICE)
    for name in names or tuple(known):
        for theorem, (certificate, formula) in FORMS.items():
            for g in workers:
                theory = first_slots_of(formula, known[name], g, power)
                certified = None
                if certificate is not None:
                    certified = first_slots_of(certificate, known[name], g, power)
                edge = theory if certified is None else certified
                assert theory is not None
                assert edge is not None
                yield {
                    "lengths": name,
                    "theorem": theorem,
                    "G": g,
                    "kind": "closed form" if certified is None else "certified",
                    "computed": edge,
                    "theory": theory,
                    "n": 1,
                    "lower": edge,
                    "upper": edge,
                }


@figure("vacuity", data, size=(8.0, 7.6))
def draw(picture: Picture, rows: list[Cells]) -> None:
    """Draw the table."""
    theorems = distinct(rows, "theorem")
    names = distinct(rows, "lengths")
    axes = panels(picture, len(theorems), sharex=True, sharey=True)
    for ax, theorem in zip(axes, theorems, strict=True):
        for number, name in enumerate(names):
            part = where(rows, theorem=theorem, lengths=name)
            certified = part[0]["kind"] == "certified"
            colour, mark = f"C{number % 6}", "os^Dv<>*"[number % 8]
            ax.plot(
                column(part, "G"),
                column(part, "computed"),
                "-" if certified else "--",
                color=colour,
                marker=mark,
                markersize=4.5,
                markerfacecolor=colour if certified else "white",
                label=name if ax is axes[0] else None,
            )
        ax.plot([32, 256], [72, 72], "k+", markersize=10, markeredgewidth=1.8)
        log_axes(ax, 2, 10)
        ax.set_title(theorem)
    for ax in picture.axes[-2:]:
        ax.set_xlabel("workers G")
    picture.supylabel("smallest number of slots B", fontsize=10)
    picture.suptitle("Below its line a theorem says nothing about a workload", fontsize=11)
    axes[0].plot([], [], "k+", markersize=10, markeredgewidth=1.8, label="the paper's E2, E3")
    axes[0].plot([], [], "-", color="0.3", label="with a certificate")
    axes[0].plot([], [], "--", color="0.3", label="closed form, c = 0.6776")
    picture.legend(loc="outside lower center", ncols=4, fontsize=8)
