"""Figure: bounds on the energy that perfect balance saves, against the baseline's idle share.

Baselines between which every other one lies are put together load by load, and their energy
``sum_g P(u_g)`` is compared with that of equal loads: workers that are either full or empty, where
the floor is attained, and one full worker beside equal ones, which approach the cap.
"""

from collections.abc import Callable, Iterator

import numpy as np

from paper_figures.drawing import CAP, FLOOR, PAPER, panels, titled, watts
from paper_figures.figure import Picture, figure, table
from paper_figures.files import Cells, Row, column, distinct, where
from theory.formulas.energy import Usage, saving_cap, saving_cap_tangent, saving_paper, saving_sharp
from theory.formulas.energy_inversions import eta_of, limit_paper
from theory.model import FloatArray
from theory.power import PowerModel, hardware, hardware_catalogue

DEVICES = ("a100-paper", "h100-sxm", "b200", "mi300x")

Bound = Callable[[PowerModel, Usage[float], Usage[float]], float]

# Bound: formula, its kind, whether its baseline has full and empty workers, and its line.
_BOUNDS: dict[str, tuple[Bound, str, bool, str, str]] = {
    "paper floor": (saving_paper, "lower", True, "--", PAPER),
    "sharp floor": (saving_sharp, "lower, attained", True, "-", FLOOR),
    "envelope cap": (saving_cap, "upper, attained as G grows", False, "-", CAP),
    "tangent cap": (saving_cap_tangent, "upper", False, "--", CAP),
}


@table("device bound idle_share kind computed theory n lower upper")
def data(devices: tuple[str, ...] = DEVICES, workers: int = 200, stride: int = 4) -> Iterator[Row]:
    """Each bound and the saving of the baseline that comes nearest to it.

    Parameters
    ----------
    devices : tuple of str
        Names from the hardware catalogue.
    workers : int
        ``G``, also the column ``n``; idle shares are multiples of ``stride / G``.
    stride : int
        Spacing of the idle shares, in workers.

    Yields
    ------
    Row
        ``computed`` from the loads, ``theory`` from the formula; ``lower`` and ``upper`` are the
        sharp floor and the envelope cap.
    """
    for name in devices:
        power = hardware(name)
        for bound, (formula, kind, extreme, *_) in _BOUNDS.items():
            for idle in range(0, workers - 1, stride):
                base = Usage(1.0, float(eta_of(idle / workers)))
                balanced = Usage(1.0, 0.0)
                yield {
                    "device": name,
                    "bound": bound,
                    "idle_share": idle / workers,
                    "kind": kind,
                    "computed": _saving(power, _loads(workers, idle, extreme)),
                    "theory": formula(power, base, balanced),
                    "n": workers,
                    "lower": saving_sharp(power, base, balanced),
                    "upper": saving_cap(power, base, balanced),
                }


def _loads(workers: int, idle: int, extreme: bool) -> FloatArray:
    """Utilisations with idle share ``idle / workers``, one of them 1."""
    if extreme:
        return np.where(np.arange(workers) < workers - idle, 1.0, 0.0)
    loads = np.full(workers, 1 - idle / (workers - 1))
    loads[0] = 1.0
    return loads


def _saving(power: PowerModel, loads: FloatArray) -> float:
    """Saving of equal loads with the same sum, which take a shorter step at full utilisation."""
    before = sum(power.power(u) for u in loads.tolist())
    return 1 - float(loads.sum()) * power.power(1.0) / before


@figure("energy", data)
def draw(picture: Picture, rows: list[Cells]) -> None:
    """Draw the table."""
    devices = distinct(rows, "device")
    picture.set_size_inches(7.6, 2.8 * ((len(devices) + 1) // 2) + 1.3)
    axes = panels(picture, len(devices), sharex=True, sharey=True)
    for ax, device in zip(axes, devices, strict=True):
        for bound, (*_, line, colour) in _BOUNDS.items():
            part = where(rows, device=device, bound=bound)
            share = column(part, "idle_share", 100)
            ax.plot(share, column(part, "theory", 100), line, color=colour, label=bound)
            if "attained" in part[0]["kind"]:
                ax.plot(
                    share[::3],
                    column(part, "computed", 100)[::3],
                    "o",
                    color=colour,
                    markersize=3.5,
                    label=f"loads nearest the {bound}",
                )
        model = hardware_catalogue()[device]
        limit = 100 * limit_paper(model)
        ax.axvline(40, color="0.35", linewidth=1, linestyle=":", label="40 % idle")
        ax.axhline(
            limit, color="black", linewidth=1, linestyle="-.", label="limit of the paper's form"
        )
        ax.text(1, limit + 1.5, f"{limit:.1f} %", fontsize=8)
        ax.set_title(f"{device}: {watts(model)}", fontsize=9)
        ax.set_xlim(0, 100)
        ax.set_ylim(0, 100)
    for ax in axes[-2:]:
        ax.set_xlabel("idle share of the baseline (%)")
    picture.supylabel("energy saved by perfect balance (%)", fontsize=10)
    handles, labels = axes[0].get_legend_handles_labels()
    picture.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8)
    first = where(rows, device=devices[0])
    at_40 = [row for row in first if row["idle_share"] == "0.4"]
    low, high = (column(at_40, name, 100)[0] for name in ("lower", "upper"))
    titled(
        picture,
        f"On {devices[0]} at 40 % idle, balance saves between {low:.1f} and {high:.1f} % of the "
        "energy",
        f"Equal work, no step overhead, work on every worker; dots: G = {rows[0]['n']} workers",
    )
