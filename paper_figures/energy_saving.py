"""Figure: bounds on the energy that perfect balance saves, against the baseline's idle share.

Baselines between which every other one lies are put together load by load, and their energy
``sum_g P(u_g)`` is compared with that of equal loads: workers that are either full or empty, where
the floor is attained, and one full worker beside equal ones, which approach the cap.
"""

from collections.abc import Callable, Iterator

import numpy as np

from paper_figures.drawing import panels
from paper_figures.figure import Picture, figure, table
from paper_figures.files import Cells, Row, column, distinct, where
from theory.formulas.energy import Usage, saving_cap, saving_cap_tangent, saving_paper, saving_sharp
from theory.formulas.energy_inversions import eta_of, limit_paper
from theory.model import FloatArray
from theory.power import PowerModel, hardware

DEVICES = ("a100-paper", "h100-sxm", "b200", "mi300x")

Bound = Callable[[PowerModel, Usage[float], Usage[float]], float]

# Bound: formula, its kind, whether its baseline has full and empty workers, and its line.
_BOUNDS: dict[str, tuple[Bound, str, bool, str]] = {
    "paper floor": (saving_paper, "lower", True, "--"),
    "sharp floor": (saving_sharp, "lower, attained", True, "-"),
    "envelope cap": (saving_cap, "upper, attained as G grows", False, "-"),
    "tangent cap": (saving_cap_tangent, "upper", False, "--"),
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
        for bound, (formula, kind, extreme, _) in _BOUNDS.items():
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
    limit = 100 * limit_paper(hardware("a100-paper"))
    picture.set_size_inches(8.0, 2.9 * ((len(devices) + 1) // 2) + 0.7)
    axes = panels(picture, len(devices), sharex=True, sharey=True)
    for ax, device in zip(axes, devices, strict=True):
        for number, (bound, (*_, line)) in enumerate(_BOUNDS.items()):
            part = where(rows, device=device, bound=bound)
            share = column(part, "idle_share", 100)
            ax.plot(
                share,
                column(part, "theory", 100),
                line,
                color=f"C{number}",
                label=bound,
            )
            if "attained" in part[0]["kind"]:
                ax.plot(
                    share[::3],
                    column(part, "computed", 100)[::3],
                    "o",
                    color=f"C{number}",
                    markersize=3.5,
                    label=f"loads nearest the {bound}",
                )
        ax.axvline(40, color="0.35", linewidth=1, linestyle=":", label="40 % idle")
        ax.axhline(
            limit, color="black", linewidth=1, linestyle="-.", label=f"paper's {limit:.1f} %"
        )
        model = hardware(device)
        ax.set_title(
            f"{device}: {model.idle_w:g} W idle, {model.max_w:g} W full, γ = {model.gamma:g}"
        )
        ax.set_xlim(0, 100)
        ax.set_ylim(0, 100)
    picture.supxlabel("idle share of the baseline (%)")
    picture.supylabel("energy saved by perfect balance (%)")
    handles, labels = axes[0].get_legend_handles_labels()
    picture.legend(handles, labels, loc="outside upper center", ncols=4, fontsize=8)
