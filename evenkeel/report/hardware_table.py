"""The table of devices: what the numbers of each allow, and where they come from."""

from theory.formulas.energy import Usage, saving_cap, saving_paper, saving_sharp
from theory.formulas.energy_inversions import eta_of, idle_shares_for, limit_paper
from theory.power import hardware_catalogue

HEAD = (
    "device",
    "idle W",
    "wait W",
    "max W",
    "gamma",
    "P_w / D",
    "paper floor",
    "sharp floor",
    "cap",
    "28 % needs idle",
    "source",
)

ABOUT = (
    "Saving of perfect balance over a baseline that idles 40 % of the time, for equal work, no "
    "step overhead and work on every worker, with a waiting worker at wait W: the idle power where "
    "no source has another.  P_w / D is the limit of the paper's bound; the last number is the "
    "idle share from which 28 % is possible at all.  At max W while waiting, and where ranks "
    "compute on padding, every device saves exactly 40 %."
)


def hardware_rows() -> list[tuple[str, ...]]:
    """A row for each device of the catalogue."""
    base, balanced = Usage(1.0, float(eta_of(0.4))), Usage(1.0, 0.0)
    return [
        (
            power.name,
            f"{power.idle_w:g}",
            f"{power.barrier_w:g}",
            f"{power.max_w:g}",
            f"{power.gamma:g}",
            _share(limit_paper(power)),
            _share(saving_paper(power, base, balanced)),
            _share(saving_sharp(power, base, balanced)),
            _share(saving_cap(power, base, balanced)),
            _share(idle_shares_for(power, 0.28, 0.0)["cap"]),
            power.source,
        )
        for power in hardware_catalogue().values()
    ]


def _share(value: float | None) -> str:
    return "never" if value is None else f"{100 * value:.1f} %"
