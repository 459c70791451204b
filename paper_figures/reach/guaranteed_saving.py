"""Figure: the energy that Theorems 1 and 4 guarantee together, at the best number of slots.

For equal output lengths, full refills and no step overhead, with exact FCFS; dashed with the closed
bound [fcfs.log-growth].  A waiting worker draws what the catalogue has for it, or else the idle
power; the uppermost line is that of every device whose workers wait at full power
[vacuity.energy, vacuity.saving-limit].
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product

from adversary.workloads.trace_statistics import example_lengths, trace_lengths
from paper_figures.drawing import log_axes, panels, titled
from paper_figures.figure import Picture, figure, table
from paper_figures.files import Cells, Row, column, distinct, where
from theory.formulas.guaranteed_saving import (
    Ratios,
    best_closed,
    most_promised,
    refill_ratios,
    saving_limit,
    saving_limit_at,
    slots_above,
)
from theory.formulas.vacuity import Lengths
from theory.power import PowerModel, hardware_catalogue

FULL_POWER = "any, waiting at full power"

# Of the devices in the table, those that are drawn.
DRAWN = (FULL_POWER, "a100-paper", "h100-sxm", "b200")

COLOURS = dict(zip(DRAWN, ("black", "#AA4499", "#44AA99", "#CDB84F"), strict=True))

THRESHOLDS = (1, 5, 10)  # per cent

# Every B up to 32, then eight to an octave up to 1024.
SLOTS = (*range(1, 33), *(round(2 ** (k / 8)) for k in range(41, 81)))


@table(
    "lengths device wait_w G kind computed theory growth B n lower upper above_1 above_5 above_10"
)
def data(
    workers: tuple[int, ...] = (2, 8, 32, 256, 1024, 16384),
    names: tuple[str, ...] | None = None,
    slots: tuple[int, ...] = SLOTS,
) -> Iterator[Row]:
    """What is guaranteed, law by law, for every device of the catalogue.

    Parameters
    ----------
    workers : tuple of int
        Values of ``G >= 2``.
    names : tuple of str, optional
        Laws and traces; by default all whose sizes have a known law.
    slots : tuple of int
        Values of ``B`` that are computed, from 1 up.

    Yields
    ------
    Row
        ``computed`` is the largest saving guaranteed at one of the ``slots``, at ``B``; ``upper``
        bounds it over every ``B``, and ``theory`` is its closed cap at that ``G``; ``growth`` is
        the largest with the closed bound of FCFS.  ``above_1``, ``above_5`` and ``above_10`` are
        the first and last of the ``slots`` at which more than that many per cent are guaranteed,
        ``first..last``, without a last where it is the end of the list; ``none`` where no ``B``
        does, ``never`` where no ``G`` and ``B`` do, ``open`` where that is not known.
    """
    known = {x.name: x for x in (*example_lengths(), *trace_lengths().values())}
    devices = [
        PowerModel(1.0, 1.0, 1.0, FULL_POWER),
        *hardware_catalogue().values(),
    ]
    for name in names or tuple(name for name, x in known.items() if x.floors is not None):
        ratios = refill_ratios(known[name], workers, slots)
        for g, power in product(workers, devices):
            yield _row(known[name], g, power, ratios[g])


def _row(lengths: Lengths, workers: int, power: PowerModel, ratios: Sequence[Ratios]) -> Row:
    promised, slots = most_promised(ratios, power)
    cap = min(saving_limit(lengths, power), saving_limit_at(lengths, workers, power))
    return {
        "lengths": lengths.name,
        "device": power.name,
        "wait_w": power.barrier_w,
        "G": workers,
        "kind": "guaranteed",
        "computed": float(promised.lower),
        "theory": float(cap),
        "growth": float(best_closed(ratios, power)),
        "B": slots,
        "n": len(ratios),
        "lower": float(promised.lower),
        "upper": float(promised.upper),
        **{
            f"above_{percent}": _region(lengths, power, ratios, Fraction(percent, 100))
            for percent in THRESHOLDS
        },
    }


def _region(lengths: Lengths, power: PowerModel, ratios: Sequence[Ratios], saving: Fraction) -> str:
    """Where more than that is guaranteed, as the table has it."""
    if saving_limit(lengths, power) <= saving:
        return "never"
    found = slots_above(ratios, power, saving)
    if found is None:
        return "none" if most_promised(ratios, power)[0].upper <= saving else "open"
    first, last = found
    return f"{first}..{'' if last == ratios[-1].slots else last}"


@figure("vacuity", data, size=(7.4, 9.8))
def draw(picture: Picture, rows: list[Cells]) -> None:
    """Draw the table."""
    names = distinct(rows, "lengths")
    axes = panels(picture, len(names), sharex=True, sharey=True)
    for ax, name in zip(axes, names, strict=True):
        for number, device in enumerate(DRAWN):
            part = where(rows, lengths=name, device=device)
            g, colour = column(part, "G"), COLOURS[device]
            ax.plot(
                g,
                column(part, "computed", 100),
                "o-",
                color=colour,
                markersize=4,
                label=f"{device} ({float(part[0]['wait_w']):g} W)" if number else device,
            )
            ax.plot(g, column(part, "growth", 100), "--", color=colour, linewidth=1)
        for percent in THRESHOLDS:
            ax.axhline(percent, color="0.6", linewidth=0.8, linestyle=":")
        log_axes(ax, 2, None)
        ax.set_title(name, fontsize=9)
    axes[0].set_ylim(bottom=0)  # of all panels, once every line is there
    for ax in axes[-2:]:
        ax.set_xlabel("workers G")
    picture.supylabel("energy saved, guaranteed at the best B (%)", fontsize=10)
    axes[0].plot([], [], "--", color="0.3", linewidth=1, label="closed bound of FCFS")
    picture.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    # A trace of real prompts, where there is one.
    law = next((name for name in names if name.startswith("azure")), names[0])
    (one,) = where(rows, lengths=law, device="a100-paper", G="32")
    titled(
        picture,
        f"With 32 workers Theorems 1 and 4 guarantee {100 * float(one['computed']):.1f} % of the "
        "energy "
        f"on {law}",
        "on a100-paper.  Equal output lengths, full refills, no step overhead; at the best B to "
        f"{SLOTS[-1]}; in brackets: power of a waiting worker",
    )
