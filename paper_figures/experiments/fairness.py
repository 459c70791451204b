"""Figure: how long requests wait, policy by policy.

BF-IO leaves arrival order: the share of requests that wait longer than so many steps
[experiment.starvation].  All serve the same overloaded backlog, in which a request waits for about
as many steps as the pool takes to drain; half of BF-IO's do not wait at all, and its tail is long.
Where those who waited for more than 100 steps are admitted first, the tail ends there
[experiment.bounded-waiting], and some of the balance is lost.
"""

from collections.abc import Iterator

import numpy as np

from adversary.workloads.families import workload
from paper_figures.drawing import BFIO, FCFS, OTHER, drawn_for, titled
from paper_figures.figure import Picture, figure, table
from paper_figures.files import Cells, Row, column, sampled, where
from solvers.simulation.engine import simulate
from theory.model import System

LIMIT = 100  # steps
POLICIES = {
    "fcfs": "FCFS and all that admit in arrival order",
    "bfio": "BF-IO",
    f"bfio:max_wait={LIMIT}": f"BF-IO, waiting limited to {LIMIT} steps",
}

_SHARES = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002)


@table("policy idle share kind computed theory n lower upper")
def data(
    family: str = "burst-like",
    workers: int = 32,
    slots: int = 24,
    rounds: int = 24,
    seeds: int = 6,
) -> Iterator[Row]:
    """Waiting times that a given share of the requests exceeds.

    Parameters
    ----------
    family : str
        Workload, with its own output lengths.
    workers, slots : int
        ``G`` and ``B``; the pool shows ``G*B`` requests.
    rounds : int
        The workload has ``rounds * G * B`` requests.
    seeds : int
        Independent runs, at least 2; the column ``n``.

    Yields
    ------
    Row
        ``computed`` is the mean over seeds of the wait in steps, with its 95 % interval;
        ``theory`` is that of FCFS on the same requests, whom nobody overtakes.  ``idle`` is the
        mean idle share of the policy while every slot is full.
    """
    system = System.paper(workers, slots)
    waits: dict[str, list[list[float]]] = {policy: [] for policy in POLICIES}
    idle: dict[str, list[float]] = {policy: [] for policy in POLICIES}
    for seed in range(seeds):
        requests = workload(family, rounds * system.capacity, seed)
        for policy in POLICIES:
            run = simulate(system, requests, policy, seed=seed)
            idle[policy].append(float(run.overloaded.idle_share))
            found = np.quantile(
                run.waiting_steps, [1 - share for share in _SHARES], method="higher"
            )
            waits[policy].append(found.astype(float).tolist())
    for policy, runs in waits.items():
        for number, share in enumerate(_SHARES):
            yield {
                "policy": policy,
                "idle": float(np.mean(idle[policy])),
                "share": share,
                "kind": "measured",
                **sampled([run[number] for run in runs]),
                "theory": float(np.mean([run[number] for run in waits["fcfs"]])),
            }


@figure("experiments", data, size=(7.2, 4.9))
def draw(picture: Picture, rows: list[Cells]) -> None:
    """Draw the table."""
    ax = picture.subplots()
    for (policy, name), colour in zip(POLICIES.items(), (FCFS, BFIO, OTHER), strict=True):
        part = where(rows, policy=policy)
        share = column(part, "share", 100)
        low = [max(0.0, x) for x in column(part, "lower")]
        ax.fill_betweenx(share, low, column(part, "upper"), color=colour, alpha=0.2,
                         linewidth=0)  # fmt: skip
        ax.plot(column(part, "computed"), share, "o-", color=colour, markersize=3,
                label=f"{name}; {float(part[0]['idle']):.0%} idle")  # fmt: skip
    ax.set_xscale("symlog", linthresh=10)
    ax.set_yscale("log")
    ax.set_xlim(0, None)
    ax.set_xlabel("steps waited in the pool (linear below 10)")
    ax.set_ylabel("requests that wait at least as long (%)")
    picture.legend(loc="outside lower center", ncols=1)
    setting = drawn_for(data)
    longest = {policy: max(column(where(rows, policy=policy), "computed")) for policy in POLICIES}
    idle = {policy: float(where(rows, policy=policy)[0]["idle"]) for policy in POLICIES}
    titled(
        picture,
        f"BF-IO idles {100 * idle['bfio']:.0f} % instead of {100 * idle['fcfs']:.0f} %, and its "
        "longest waits are "
        f"{longest['bfio'] / longest['fcfs']:.0f} times as long",
        f"{setting['family']} lengths, G = {setting['workers']}, B = {setting['slots']}, pool G "
        "B, one "
        f"overloaded backlog; bands: 95 % intervals, {rows[0]['n']} seeds",
    )
