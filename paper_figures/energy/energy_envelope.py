"""Figure: the energy of a step lies between the sandwich's floor and the envelope.

Loads of many shapes, random and extreme, each give a point: its idle share, and the mean power of
a worker.  All points lie between the floor, where every worker is full or empty, and the envelope,
where all but one are equal [energy.sandwich, energy.envelope]; the tangent is the paper's upper
side.
"""

from collections.abc import Iterator

import numpy as np

from paper_figures.drawing import CAP, FLOOR, PAPER, drawn_for, titled, watts
from paper_figures.figure import Picture, figure, table
from paper_figures.files import Cells, Row, column, where
from theory.formulas.energy import Usage, energy_envelope, energy_floor, energy_tangent
from theory.model import FloatArray
from theory.power import hardware

GREYS = ("0.1", "0.3", "0.45", "0.6", "0.2")
_MARKS = {
    "uniform": "o",
    "exponential": "^",
    "geometric": "s",
    "full or empty": "D",
    "one full": "v",
}


@table("loads idle_share kind computed theory n lower upper tangent")
def data(
    device: str = "a100-paper", workers: int = 32, samples: int = 60, seed: int = 0
) -> Iterator[Row]:
    """Mean power of a worker, in watts, for loads of every shape.

    Parameters
    ----------
    device : str
        Name from the hardware catalogue.
    workers : int
        ``G``, also the column ``n``.
    samples : int
        Load vectors of each shape.
    seed : int
        Of the random loads.

    Yields
    ------
    Row
        ``computed`` from the loads; ``lower`` the floor, ``upper`` and ``theory`` the envelope,
        and ``tangent``, all at the same idle share.
    """
    power, rng = hardware(device), np.random.default_rng(seed)
    for shape in _MARKS:
        for number in range(samples):
            loads = _loads(shape, workers, (number + 1) / (samples + 1), rng)
            used = loads / loads.max()
            busy = float(used.mean())
            run = Usage(busy, 1 - busy)
            yield {
                "loads": shape,
                "idle_share": 1 - busy,
                "kind": "between lower and upper",
                "computed": float(power.powers(used).mean()),
                "theory": energy_envelope(power, run),
                "n": workers,
                "lower": energy_floor(power, run),
                "upper": energy_envelope(power, run),
                "tangent": energy_tangent(power, run),
            }


def _loads(shape: str, workers: int, spread: float, rng: np.random.Generator) -> FloatArray:
    """Loads of a shape; ``spread`` in (0, 1) moves their idle share through its range."""
    if shape == "uniform":
        return rng.uniform(1 - spread, 1.0, workers)
    if shape == "exponential":
        return 1 + 20 * spread**2 * rng.exponential(1.0, workers)
    if shape == "geometric":
        return np.asarray((1 - spread) ** np.arange(workers), dtype=np.float64)
    if shape == "full or empty":
        return np.where(np.arange(workers) <= spread * (workers - 1), 1.0, 0.0)
    loads = np.full(workers, spread)
    loads[0] = 1.0
    return loads


@figure("energy", data)
def draw(picture: Picture, rows: list[Cells]) -> None:
    """Draw the table."""
    rows = sorted(rows, key=lambda row: float(row["idle_share"]))
    share = column(rows, "idle_share", 100)
    ax = picture.subplots()
    lower, upper = column(rows, "lower"), column(rows, "upper")
    ax.fill_between(share, lower, upper, color="0.5", alpha=0.15, linewidth=0)
    ax.plot(share, column(rows, "tangent"), "--", color=PAPER, label="tangent (the paper's D)")
    ax.plot(share, upper, color=CAP, label="envelope")
    ax.plot(share, lower, color=FLOOR, label="floor")
    for number, (shape, mark) in enumerate(_MARKS.items()):
        part = where(rows, loads=shape)
        at = column(part, "idle_share", 100)
        ax.plot(at, column(part, "computed"), mark, color=GREYS[number],
                markersize=3.5, alpha=0.8, label=f"{shape} loads")  # fmt: skip
    ax.set_xlabel("idle share of the step (%)")
    ax.set_ylabel("mean power of a worker (W)")
    ax.set_xlim(0, 100)
    ax.legend(loc="lower left", fontsize=8.5)
    device = hardware(drawn_for(data)["device"])
    titled(
        picture,
        "Power falls with idle time between floor and envelope; the paper's D is above both",
        f"{device.name}: {watts(device)}; loads of G = {rows[0]['n']} workers in five shapes",
    )
