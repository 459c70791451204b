"""Figure: how much a baseline must idle for a saving to be possible, or to be guaranteed.

The inversion of the energy bounds at perfect balance: from the cap, below which nobody can save
that much; from the sharp floor, where the saving is certain; and from the paper's floor
[energy.reach, energy.exceed-52, energy.saving-28].
"""

from collections.abc import Callable, Iterator

from paper_figures.drawing import CAP, FLOOR, PAPER, titled, watts
from paper_figures.figure import Picture, figure, table
from paper_figures.files import Cells, Row, column, distinct, where
from theory.formulas.energy import Usage, saving_cap, saving_paper, saving_sharp
from theory.formulas.energy_inversions import eta_of, idle_shares_for
from theory.power import PowerModel, hardware, hardware_catalogue

Bound = Callable[[PowerModel, Usage[float], Usage[float]], float]

DEVICES = ("a100-paper", "h100-sxm")

_BOUNDS: dict[str, tuple[Bound, str, str]] = {
    "cap": (saving_cap, "possible from here", "-"),
    "sharp": (saving_sharp, "guaranteed from here", "-"),
    "paper": (saving_paper, "guaranteed from here by the paper's form", "--"),
}


@table("device bound saving kind computed theory n lower upper")
def data(devices: tuple[str, ...] = DEVICES, points: int = 60) -> Iterator[Row]:
    """Idle share that each saving needs.

    Parameters
    ----------
    devices : tuple of str
        Names from the hardware catalogue.
    points : int
        Savings from 1 % to ``points`` %.

    Yields
    ------
    Row
        ``theory`` is the inverted bound; ``computed`` the bound itself at that idle share, which
        gives back ``saving``; ``lower`` and ``upper`` are the shares from which the saving is
        possible and guaranteed.  Savings that a bound never reaches have no row.
    """
    for name in devices:
        power = hardware(name)
        for percent in range(1, points + 1):
            needed = dict(idle_shares_for(power, percent / 100, 0.0))
            for bound, (formula, kind, _) in _BOUNDS.items():
                share = needed[bound]
                if share is None:
                    continue
                base = Usage(1.0, float(eta_of(share)))
                yield {
                    "device": name,
                    "bound": bound,
                    "saving": percent / 100,
                    "kind": kind,
                    "computed": formula(power, base, Usage(1.0, 0.0)),
                    "theory": share,
                    "n": 1,
                    "lower": needed["cap"] or share,
                    "upper": needed["sharp"] or share,
                }


@figure("energy", data, size=(7.4, 4.3))
def draw(picture: Picture, rows: list[Cells]) -> None:
    """Draw the table."""
    devices = distinct(rows, "device")
    axes = picture.subplots(1, len(devices), sharex=True, sharey=True, squeeze=False)[0]
    for ax, device in zip(axes, devices, strict=True):
        for (bound, (_, text, line)), colour in zip(
            _BOUNDS.items(), (CAP, FLOOR, PAPER), strict=True
        ):
            part = where(rows, device=device, bound=bound)
            saving = column(part, "saving", 100)
            ax.plot(saving, column(part, "theory", 100), line,
                    color=colour, label=text)  # fmt: skip
        for at, mark in ((28, "v2's 28 %"), (52, "v2's 52 %")):
            ax.axvline(at, color="0.45", linewidth=1, linestyle=":")
            ax.text(at, 2, f" {mark}", fontsize=8, color="0.3")
        ax.axhline(40, color="0.45", linewidth=1, linestyle="-.")
        ax.text(60, 36, "E1's 40 % idle", fontsize=8, color="0.3", ha="right")
        model = hardware_catalogue()[device]
        ax.set_title(f"{device}: {watts(model)}".replace("waiting, ", "waiting,\n"), fontsize=9.5)
        ax.set_xlim(0, None)
        ax.set_ylim(0, 100)
        ax.set_xlabel("energy saved (%)")
    axes[0].set_ylabel("idle share that the baseline needs (%)")
    picture.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    (at_28,) = where(rows, device=devices[0], bound="cap", saving="0.28")
    low, high = (100 * float(at_28[name]) for name in ("lower", "upper"))
    titled(
        picture,
        f"28 % saved needs {low:.0f} % idle to be possible, {high:.0f} % to be certain "
        f"({devices[0]})",
        "Perfect balance in place of a baseline of that idle share; equal work, no step overhead",
    )
