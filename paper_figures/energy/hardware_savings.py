"""Figure: what perfect balance can save at 40 % idle time, device by device.

From the floor that is guaranteed to the cap that nobody passes, with the catalogue's exponent; the
thin lines show how far each end moves when the exponent is anything from the lower quartile of
the measured serving curves to 1 [energy.hardware, energy.gamma].  A waiting worker draws what the
catalogue has for it, or else the idle power; at the largest power both ends are the idle share
itself, on every device [energy.wait-raises].
"""

from collections.abc import Iterator
from dataclasses import replace

from paper_figures.drawing import CAP, FLOOR, drawn_for, titled
from paper_figures.figure import Picture, figure, table
from paper_figures.files import Cells, Row, column, where
from theory.formulas.energy import Usage, saving_cap, saving_sharp
from theory.formulas.energy_inversions import eta_of
from theory.power import PowerModel, hardware_catalogue
from theory.power_measurements import a100_sweeps, gamma_quartiles, mlenergy_sweeps

_STEPS = 60


@table("device end kind computed theory gamma wait_w n lower upper")
def data(idle_share: float = 0.4) -> Iterator[Row]:
    """Guaranteed and largest possible saving of every device.

    Parameters
    ----------
    idle_share : float
        Of the baseline.

    Yields
    ------
    Row
        ``computed`` at the catalogue's ``gamma``; ``theory`` at ``gamma = 1``, where a device is
        either busy or waiting; ``lower`` and ``upper`` over all exponents from the lower quartile
        of the ``n`` measured curves to 1.
    """
    measured = [*a100_sweeps(), *mlenergy_sweeps()]
    least = gamma_quartiles(measured)[0]
    exponents = [least + (1 - least) * k / _STEPS for k in range(_STEPS + 1)]
    base, balanced = Usage(1.0, float(eta_of(idle_share))), Usage(1.0, 0.0)
    for power in hardware_catalogue().values():
        for end, bound in (("floor", saving_sharp), ("cap", saving_cap)):

            def saving(gamma: float, power: PowerModel = power) -> float:
                model = replace(power, gamma=gamma)
                return bound(model, base, balanced)  # noqa: B023  called in this round only

            values = [saving(gamma) for gamma in exponents]
            yield {
                "device": power.name,
                "end": end,
                "kind": "lower, attained" if end == "floor" else "upper, attained as G grows",
                "computed": saving(power.gamma),
                "theory": saving(1.0),
                "gamma": power.gamma,
                "wait_w": power.barrier_w,
                "n": len(measured),
                "lower": min(values),
                "upper": max(values),
            }


@figure("energy", data)
def draw(picture: Picture, rows: list[Cells]) -> None:
    """Draw the table."""
    # The device that can save most stands on top.
    order = sorted(where(rows, end="cap"), key=lambda row: -float(row["computed"]))
    devices = [row["device"] for row in order]
    ends = {
        end: [where(rows, end=end, device=name)[0] for name in devices] for end in ("floor", "cap")
    }
    places = list(range(len(devices)))
    picture.set_size_inches(7.2, 1.9 + 0.27 * len(places))
    ax = picture.subplots()
    floor, cap = (column(ends[end], "computed", 100) for end in ("floor", "cap"))
    width = [b - a for a, b in zip(floor, cap, strict=True)]
    ax.barh(places, width, left=floor, height=0.66, color="0.8",
            label="from guaranteed to possible, at the catalogue's γ")  # fmt: skip
    for (end, part), colour, shift in zip(ends.items(), (FLOOR, CAP), (-0.17, 0.17), strict=True):
        low, high = (column(part, name, 100) for name in ("lower", "upper"))
        shifted = [y + shift for y in places]
        text = {"floor": "guaranteed", "cap": "possible"}[end]
        ax.hlines(shifted, low, high, color=colour, linewidth=2,
                  label=f"{text}, for γ from the measured lower quartile to 1")  # fmt: skip
        # Where the two ends are one, a line would not be seen.
        ax.plot(low, shifted, "|", color=colour, markersize=6)
    ticks = [
        f"{row['device']} ({float(row['wait_w']):g} W, γ {float(row['gamma']):g})" for row in order
    ]
    ax.set_yticks(places, ticks, fontsize=8)
    ax.invert_yaxis()
    ax.set_xlim(left=0)
    ax.set_xlabel("energy saved by perfect balance (%)")
    picture.legend(loc="outside lower center", ncols=1)
    share = drawn_for(data)["idle_share"]
    titled(
        picture,
        f"At {100 * share:.0f} % idle perfect balance can save {min(cap):.0f} to {max(cap):.0f} %, "
        f"and {min(floor):.0f} to {max(floor):.0f} % are guaranteed, by device",
        "In brackets: power of a waiting worker, exponent.  bare: idle without a loaded model; "
        "decode: γ and the largest power measured while serving.  Equal work, no step overhead.",
    )
