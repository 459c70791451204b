"""Figure: the smallest B at which each theorem says more than nothing, for real request lengths.

One panel a trace or sample.  Theorem 1 speaks with ``(G-1)(b-a)`` for BF-IO and, for FCFS, with the
exact expectation [vacuity.certified], the tournament of at most 16 workers or the explicit bound
[vacuity.explicit], where the law of the sizes is known; Theorem 4 needs a ratio of ``D / P_w``
from it first [vacuity.energy].  The forms of the paper [vacuity.edge] need moments only, and are
what the theorems would say with the constant 0.6776: for Theorem 1 no bound at finite ``B``
[fcfs.constant], for Theorems 2 and 3, the latter for a growth of at most one a step, false where
sizes are rare [geometric.bfio-upper-range].
"""

from collections.abc import Iterator, Mapping
from typing import Any

from adversary.workloads.trace_statistics import trace_lengths
from paper_figures.drawing import log_axes, panels, titled, watts
from paper_figures.figure import Picture, figure, table
from paper_figures.files import Cells, Row, column, distinct, where
from theory.formulas.vacuity import first_slots_of
from theory.power import hardware

DEVICE = "a100-paper"
PAPER = "form of the paper, c = 0.6776"

# Theorem: its forms, strongest first, by their names among the edges.
FORMS: Mapping[str, Mapping[str, str]] = {
    "Theorem 1": {
        "exact FCFS": "T1 certified",
        "tournament": "T1 computed",
        "explicit bound": "T1 explicit",
        PAPER: "T1",
    },
    "Theorem 2": {PAPER: "T2"},
    "Theorem 3": {PAPER: "T3"},
    "Theorem 4, with the ratio of Theorem 1": {
        "exact FCFS": "T4 certified",
        "tournament": "T4 computed",
        "explicit bound": "T4 explicit",
        PAPER: "T4 by T1",
    },
}
# Theorems have colours that no policy, bound or device has elsewhere.
COLOURS = dict(zip(FORMS, ("#332288", "#882255", "#999933", "#117733"), strict=True))
STYLES = {"exact FCFS": "-", "tournament": "--", "explicit bound": "-.", PAPER: ":"}
MARKS = dict(zip(STYLES, "osD^", strict=True))


def _look(colour: str, form: str) -> dict[str, Any]:
    """A line of a theorem's colour in the style of its form; open marks where it is not proved."""
    return {
        "color": colour,
        "linestyle": STYLES[form],
        "marker": MARKS[form],
        "markersize": 4.5,
        "markerfacecolor": "white" if form == PAPER else colour,
    }


@table("lengths theorem form G kind computed theory n lower upper")
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
        ``computed``, the first ``B`` of a form; ``theory``, that of the form of the paper, which is
        all that there is where the law of the sizes is not known.
    """
    known, power = trace_lengths(), hardware(DEVICE)
    for name in names or tuple(known):
        for theorem, forms in FORMS.items():
            for form, key in forms.items():
                for g in workers:
                    edge = first_slots_of(key, known[name], g, power)
                    if edge is None:
                        continue
                    theory = first_slots_of(forms[PAPER], known[name], g, power)
                    assert theory is not None
                    yield {
                        "lengths": name,
                        "theorem": theorem,
                        "form": form,
                        "G": g,
                        "kind": "not proved" if form == PAPER else "bound",
                        "computed": edge,
                        "theory": theory,
                        "n": 1,
                        "lower": edge,
                        "upper": edge,
                    }


@figure("vacuity", data, size=(7.4, 11.0))
def draw(picture: Picture, rows: list[Cells]) -> None:
    """Draw the table."""
    names, theorems = distinct(rows, "lengths"), distinct(rows, "theorem")
    axes = panels(picture, len(names), sharex=True, sharey=True)
    for ax, name in zip(axes, names, strict=True):
        for theorem in theorems:
            of_theorem = where(rows, lengths=name, theorem=theorem)
            for form in distinct(of_theorem, "form"):
                part = where(of_theorem, form=form)
                look = _look(COLOURS[theorem], form)
                ax.plot(column(part, "G"), column(part, "computed"), **look)
        ax.plot([32, 256], [72, 72], "k+", markersize=10, markeredgewidth=1.8)
        log_axes(ax, 2, 10)
        ax.set_title(name)
    for ax in picture.axes[-2:]:
        ax.set_xlabel("workers G")
    picture.supylabel("smallest number of slots B", fontsize=10)
    for theorem in theorems:
        axes[0].plot([], [], color=COLOURS[theorem], linewidth=2.5, label=theorem)
    for form in STYLES:
        axes[0].plot([], [], label=form, **_look("0.3", form))
    axes[0].plot([], [], "k+", markersize=10, markeredgewidth=1.8, label="the paper's E2, E3")
    picture.legend(loc="outside lower center", ncols=2, fontsize=8)
    least = min(column(where(rows, theorem="Theorem 2"), "computed"))
    device = hardware(DEVICE)
    titled(
        picture,
        f"Theorem 1 speaks from few slots on; Theorem 2 in the paper's form from {least:,.0f} at "
        "best",
        f"Below its line a theorem says nothing.  Theorem 4 on {DEVICE}: {watts(device)}",
    )
