"""Figure: what the barrier makes workers wait for, step by step, under three policies.

The same requests under FCFS, JSQ and BF-IO: the loads of one run, and the share of a step in which
workers idle, averaged over runs.  FCFS and JSQ do not look at sizes and are equal in law
[fcfs.size-blind]: where they differ, that is chance.
"""

from collections.abc import Iterator

import numpy as np

from adversary.workloads.families import workload
from paper_figures.drawing import BFIO, FCFS, OTHER, drawn_for, titled
from paper_figures.figure import Picture, figure, table
from paper_figures.files import Cells, Row, column, sampled, where
from solvers.simulation.engine import simulate
from theory.model import FloatArray, InputError, System

POLICIES = {"fcfs": "FCFS", "jsq": "JSQ by count", "bfio": "BF-IO"}
COLOURS = {"fcfs": FCFS, "jsq": OTHER, "bfio": BFIO}


@table("policy step kind computed theory n lower upper least mean largest")
def data(
    family: str = "burst-like",
    workers: int = 16,
    slots: int = 24,
    steps: int = 160,
    rounds: int = 12,
    seeds: int = 24,
) -> Iterator[Row]:
    """Loads of each step.

    Parameters
    ----------
    family : str
        Workload, with its own output lengths.
    workers, slots : int
        ``G`` and ``B``; the pool shows ``2*G*B`` requests.
    steps : int
        First steps of the run.
    rounds : int
        The workload has ``rounds * G * B`` requests.
    seeds : int
        Independent runs, at least 2; the column ``n``.

    Yields
    ------
    Row
        ``computed`` is the mean over runs of the idle share, with its 95 % interval; ``theory`` is
        that of FCFS on the same requests; ``least``, ``mean`` and ``largest`` are the loads of the
        first run.
    """
    system = System.paper(workers, slots)
    loads: dict[str, list[FloatArray]] = {policy: [] for policy in POLICIES}
    for seed in range(seeds):
        requests = workload(family, rounds * system.capacity, seed)
        for policy in POLICIES:
            run = simulate(
                system, requests, policy, pool=2 * system.capacity, seed=seed, history=True
            )
            if run.loads is None or run.overloaded.steps < steps:
                raise InputError(f"seed {seed} keeps the slots full for fewer than {steps} steps")
            loads[policy].append(run.loads[:steps].astype(float))
    idle = {
        policy: [1 - run.mean(axis=1) / run.max(axis=1) for run in runs]
        for policy, runs in loads.items()
    }
    for policy, runs in loads.items():
        for step in range(steps):
            yield {
                "policy": policy,
                "step": step,
                "kind": "measured",
                **sampled([float(run[step]) for run in idle[policy]]),
                "theory": float(np.mean([run[step] for run in idle["fcfs"]])),
                "least": float(runs[0][step].min()),
                "mean": float(runs[0][step].mean()),
                "largest": float(runs[0][step].max()),
            }


@figure("fcfs", data, size=(7.6, 5.2))
def draw(picture: Picture, rows: list[Cells]) -> None:
    """Draw the table."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    axes = picture.subplots(
        2, len(POLICIES), sharex=True, sharey="row", height_ratios=(2, 1), squeeze=False
    )
    for number, (policy, name) in enumerate(POLICIES.items()):
        part = where(rows, policy=policy)
        step, colour = column(part, "step"), COLOURS[policy]
        above, below = axes[:, number]
        above.fill_between(step, column(part, "least"), column(part, "largest"), color=colour,
                           alpha=0.25, linewidth=0, label="least to largest load")  # fmt: skip
        above.plot(step, column(part, "largest"), color=colour, label="largest")
        above.plot(step, column(part, "mean"), color="black", linewidth=1, label="mean")
        above.set_title(name)
        idle = column(part, "computed", 100)
        low = [max(0.0, 100 * x) for x in column(part, "lower")]
        below.plot(step, idle, color=colour)
        below.fill_between(step, low, column(part, "upper", 100), color=colour,
                           alpha=0.3, linewidth=0)  # fmt: skip
        below.text(0.97, 0.9, f"mean {sum(idle) / len(idle):.1f} %", ha="right", va="top",
                   fontsize=9, transform=below.transAxes)  # fmt: skip
    axes[0, 0].set_ylabel("load of a worker (tokens)")
    axes[1, 0].set_ylabel("idle share (%)")
    axes[0, 0].set_ylim(0, None)
    axes[1, 0].set_ylim(0, 60)
    for ax in axes[1]:
        ax.set_xlabel("barrier step")
    shown = [
        Line2D([], [], color="0.4", label="largest load"),
        Line2D([], [], color="black", linewidth=1, label="mean load"),
        Patch(color="0.4", alpha=0.3, label="least to largest; below: 95 % interval"),
    ]
    picture.legend(handles=shown, loc="outside lower center", ncols=3)
    means = {
        policy: sum(column(part, "computed", 100)) / len(part)
        for policy in POLICIES
        if (part := where(rows, policy=policy))
    }
    setting = drawn_for(data)
    titled(
        picture,
        f"Workers idle {means['fcfs']:.0f} % of the time under FCFS, {means['bfio']:.1f} % under "
        "BF-IO",
        f"{setting['family']} lengths, G = {setting['workers']}, B = {setting['slots']}, pool 2 G "
        "B, from a cold start;"
        f" loads of one run, idle shares of {rows[0]['n']}. "
        "BF-IO holds the smaller requests of the pool while the large ones wait.",
    )
