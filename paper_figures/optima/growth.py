"""Figure: how the time and the memory of a run grow, measured, with fitted power laws.

The times are those of one machine, as ``python -m benchmarks.bench_growth --csv FILE`` recorded
them; the figure computes what is fitted to them.
"""

from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np

from paper_figures.drawing import BFIO, FCFS, titled
from paper_figures.figure import Picture, figure, table
from paper_figures.files import Cells, Row, column, distinct, read_csv, where

# Whole runs of the engine: what each curve starts from.
BASE = {"G": 64, "B": 64, "N": 100_000, "pool": 512, "H": 0}

TITLES = {
    "G": "workers G",
    "B": "slots B",
    "N": "requests N",
    "pool": "waiting requests",
    "H": "horizon H",
}


def power_law(x: list[float], y: list[float]) -> tuple[float, float]:
    """Exponent and factor of the power law fitted to the last four points, on logarithmic axes."""
    slope, level = np.polyfit(np.log(x[-4:]), np.log(y[-4:]), 1)
    return float(slope), float(np.exp(level))


@table("grows policy measure unit x computed theory exponent")
def data(recorded: Path | None = None) -> Iterator[Row]:
    """Time and memory of every recorded run, with the power law of its curve.

    Parameters
    ----------
    recorded : Path, optional
        A CSV of ``benchmarks.bench_growth``; the one beside this module if it is not given.

    Yields
    ------
    Row
        ``computed`` was measured as one of the columns of :data:`BASE`, ``grows``, took the value
        ``x``: CPU time a step (of the whole run where N grows), or the peak of what the run
        allocates.  ``theory`` is the power law of ``exponent`` fitted to the last four points.
    """
    if recorded is None:
        with as_file(files("paper_figures").joinpath("measured", "growth.csv")) as path:
            yield from data(path)
            return
    runs = read_csv(recorded, ("grows", "policy", *BASE, "ms", "steps", "mb"))
    for name, policy in dict.fromkeys((run["grows"], run["policy"]) for run in runs):
        part = where(runs, grows=name, policy=policy)
        x, time = column(part, name), column(part, "ms")
        if name != "N":
            time = [1e3 * t / n for t, n in zip(time, column(part, "steps"), strict=True)]
        for measure, unit, values in (
            ("time", "ms a run" if name == "N" else "us a step", time),
            ("memory", "MB", column(part, "mb")),
        ):
            exponent, factor = power_law(x, values)
            for at, value in zip(x, values, strict=True):
                yield {
                    "grows": name,
                    "policy": policy,
                    "measure": measure,
                    "unit": unit,
                    "x": at,
                    "computed": value,
                    "theory": factor * at**exponent,
                    "exponent": exponent,
                }


COLOURS = {"fcfs": FCFS, "bfio": BFIO}
NAMES = {"fcfs": "FCFS", "bfio": "BF-IO"}
# The unit of time of a panel; only a run as a whole grows with its requests.
TIMES = {"us a step": "time of a step (µs)", "ms a run": "time of the run (ms)"}


@figure("step", data, size=(8.6, 4.8))
def draw(picture: Picture, rows: list[Cells]) -> None:
    """Draw the table."""
    from matplotlib.ticker import NullFormatter, NullLocator

    # The panel with an axis of its own stands last.
    names = sorted(distinct(rows, "grows"), key=lambda name: name == "N")
    panels = picture.subplots(2, len(names), sharex="col")
    for name, pair in zip(names, panels.T, strict=True):
        for measure, ax in zip(("time", "memory"), pair, strict=True):
            for policy, colour in COLOURS.items():
                part = where(rows, grows=name, measure=measure, policy=policy)
                if not part:
                    continue
                x = column(part, "x")
                label = f"{NAMES[policy]} {float(part[0]['exponent']):.2f}"
                ax.plot(x, column(part, "computed"), "o", color=colour, markersize=4, label=label)
                ax.plot(x[-4:], column(part[-4:], "theory"), color=colour, linewidth=1)
            ax.set_xscale("log", base=2)
            ax.set_yscale("log")
            ax.xaxis.set_minor_locator(NullLocator())
            ax.yaxis.set_minor_formatter(NullFormatter())
            ax.margins(y=0.25)
            ax.legend(fontsize=7.5, handletextpad=0.1, borderaxespad=0.1)
        ticks = column(where(rows, grows=name), "x")
        ends = [min(ticks), max(ticks)]
        pair[1].set_xticks(ends, [f"{int(end):,}" for end in ends])
        pair[1].set_xlabel(TITLES[name])
        if name in (names[0], "N"):
            pair[0].set_ylabel(TIMES[where(rows, grows=name, measure="time")[0]["unit"]])
            pair[1].set_ylabel("peak memory (MB)")
        else:
            for ax, first in zip(pair, panels[:, 0], strict=True):
                ax.sharey(first)
                ax.tick_params(labelleft=False)
    powers = [
        float(where(rows, grows="G", measure="time", policy=policy)[0]["exponent"])
        for policy in COLOURS
    ]
    titled(
        picture,
        f"The time of a step grows with the workers like G^{powers[0]:.2f} under FCFS and "
        f"G^{powers[1]:.2f} under BF-IO",
        ", ".join(f"{name} = {value:,}" for name, value in BASE.items())
        + " where it does not grow; lines and numbers: power laws fitted to the last four points",
    )
