"""Figure: what perfect balance can save at 40 % idle time, device by device.

From the floor that is guaranteed to the cap that nobody passes, with the catalogue's exponent; the
thin lines show how far each end moves when the exponent is anything from the lower quartile of
the measured serving curves to 1 [energy.hardware, energy.gamma].
"""

from pathlib import Path

from paper_figures.files import Row, column, read_csv, save, style
from theory.formulas.energy import Usage, saving_cap, saving_sharp
from theory.formulas.energy_inversions import eta_of
from theory.power import PowerModel, hardware_catalogue
from theory.power_measurements import a100_sweeps, gamma_quartiles, mlenergy_sweeps

# Whose claims the figure illustrates.
FAMILY = "energy"

COLUMNS = ("device", "end", "kind", "computed", "theory", "gamma", "n", "lower", "upper")

_STEPS = 60


def data(idle_share: float = 0.4) -> list[Row]:
    """Guaranteed and largest possible saving of every device.

    Parameters
    ----------
    idle_share : float
        Of the baseline.

    Returns
    -------
    list of Row
        ``computed`` at the catalogue's ``gamma``; ``theory`` at ``gamma = 1``, where a device is
        either busy or waiting; ``lower`` and ``upper`` over all exponents from the lower quartile
        of the ``n`` measured curves to 1.
    """
    measured = [*a100_sweeps(), *mlenergy_sweeps()]
    least = gamma_quartiles(measured)[0]
    exponents = [least + (1 - least) * k / _STEPS for k in range(_STEPS + 1)]
    base, balanced = Usage(1.0, float(eta_of(idle_share))), Usage(1.0, 0.0)
    rows: list[Row] = []
    for power in hardware_catalogue().values():
        for end, bound in (("floor", saving_sharp), ("cap", saving_cap)):

            def saving(gamma: float, power: PowerModel = power) -> float:
                model = PowerModel(power.idle_w, power.max_w, gamma)
                return bound(model, base, balanced)  # noqa: B023  called in this round only

            values = [saving(gamma) for gamma in exponents]
            rows.append(
                {
                    "device": power.name,
                    "end": end,
                    "kind": "lower, attained" if end == "floor" else "upper, attained as G grows",
                    "computed": saving(power.gamma),
                    "theory": saving(1.0),
                    "gamma": power.gamma,
                    "n": len(measured),
                    "lower": min(values),
                    "upper": max(values),
                }
            )
    return rows


def draw(csv_path: Path, out_dir: Path) -> list[Path]:
    """Draw from the CSV; returns the paths of PNG, SVG and PDF."""
    from matplotlib.figure import Figure

    rows = read_csv(csv_path, COLUMNS)
    ends = {end: [row for row in rows if row["end"] == end] for end in ("floor", "cap")}
    names = [row["device"] for row in ends["cap"]]
    places = list(range(len(names)))
    with style():
        figure = Figure(figsize=(7.2, 1.2 + 0.27 * len(names)))
        ax = figure.subplots()
        floor = [100 * x for x in column(ends["floor"], "computed")]
        cap = [100 * x for x in column(ends["cap"], "computed")]
        width = [b - a for a, b in zip(floor, cap, strict=True)]
        ax.barh(places, width, left=floor, height=0.62, color="C0", alpha=0.75,
                label="from guaranteed to possible, catalogue's γ")  # fmt: skip
        for number, (end, part) in enumerate(ends.items()):
            low = [100 * x for x in column(part, "lower")]
            high = [100 * x for x in column(part, "upper")]
            shifted = [y + (0.16 if number else -0.16) for y in places]
            ax.hlines(shifted, low, high, color=f"C{1 + number}", linewidth=1.4,
                      label=f"{end} for γ from the measured lower quartile to 1")  # fmt: skip
        ax.set_yticks(places, [f"{n} (γ {float(r['gamma']):g})" for n, r in
                               zip(names, ends["cap"], strict=True)], fontsize=8)  # fmt: skip
        ax.invert_yaxis()
        ax.set_xlim(left=0)
        ax.set_xlabel("energy saved by perfect balance over a 40 % idle baseline (%)")
        figure.legend(loc="outside lower center", ncols=1)
        return save(figure, out_dir, "hardware_savings")
