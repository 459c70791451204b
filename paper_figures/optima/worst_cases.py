"""Figure: exact worst cases of a full refill, and a witness step by step.

Left: the largest imbalance over every list of sizes, beside (G-1)B(b-a) for FCFS
[fcfs.worst-case] and (G-1)(b-a) for BF-IO [step.full-refill-tight].  Right: a run from the gallery
under each policy that it names, worker by worker, below the load that all wait for.
"""

from collections.abc import Iterator

from adversary.instances.space import Instance, Space
from adversary.witnesses.gallery import gallery
from adversary.worst_case.exhaustive import fcfs_worst_case, worst_case
from paper_figures.drawing import BFIO, FCFS, drawn_for, load_bars, titled
from paper_figures.figure import Picture, figure, table
from paper_figures.files import Cells, Row, column, distinct, where
from solvers.policies.exact_bfio import ExactBFIO
from solvers.simulation.reference import simulate_reference
from theory.model import InputError

NAMES = {"fcfs": "FCFS", "bfio_exact": "BF-IO"}


@table("panel policy x worker kind computed theory")
def data(
    workers: int = 3,
    slots: tuple[int, ...] = (1, 2, 3),
    largest: int = 5,
    witness: str = "iir-below-one",
) -> Iterator[Row]:
    """Both panels.

    Parameters
    ----------
    workers : int
        ``G`` of the refills.
    slots : tuple of int
        ``B`` of each refill, of ``G*B`` requests.
    largest : int
        Sizes lie in ``1..largest``.
    witness : str
        A run of the gallery.

    Yields
    ------
    Row
        Panel ``refill``: ``x`` is ``B``, ``computed`` the exact maximum and ``theory`` the closed
        form.  Panel ``witness``: ``x`` is the step, ``computed`` the load of a worker and
        ``theory`` the largest load of the step.

    Raises
    ------
    InputError
        If the gallery has no run of that name.
    """
    for policy in NAMES:
        for B in slots:
            requests, width = workers * B, largest - 1
            if policy == "fcfs":
                worst = fcfs_worst_case(Space(workers, B, requests, largest))
                theory = (workers - 1) * B * width
            else:
                # A refill's optimum does not depend on the order.
                worst = worst_case(Space(workers, B, requests, largest, order="sorted"), policy)
                theory = (workers - 1) * width
            yield {
                "panel": "refill",
                "policy": policy,
                "x": B,
                "worker": -1,
                "kind": "equality",
                "computed": float(worst.value),
                "theory": theory,
            }
    found = {w.name: w for w in gallery()}.get(witness)
    if found is None or not isinstance(found.instance, Instance):
        raise InputError(f"the gallery has no run of the name {witness!r}")
    run = found.instance
    for policy in found.expected:
        chosen = ExactBFIO() if policy == ExactBFIO.name else policy
        result = simulate_reference(run.system, run.requests, chosen, pool=run.pool, history=True)
        assert result.loads is not None
        for step, loads in enumerate(result.loads.tolist()):
            for g, load in enumerate(loads):
                yield {
                    "panel": "witness",
                    "policy": policy,
                    "x": step,
                    "worker": g,
                    "kind": "replay",
                    "computed": float(load),
                    "theory": max(loads),
                }


@figure("step", data, size=(8.0, 4.6))
def draw(picture: Picture, rows: list[Cells]) -> None:
    """Draw the table."""
    runs = distinct(where(rows, panel="witness"), "policy")
    grid = picture.add_gridspec(len(runs), 2)
    ax = picture.add_subplot(grid[:, 0])
    for (policy, name), colour in zip(NAMES.items(), (FCFS, BFIO), strict=True):
        part = where(rows, panel="refill", policy=policy)
        ax.plot(column(part, "x"), column(part, "theory"), "-", color=colour,
                label=f"{name}, closed form")  # fmt: skip
        ax.plot(column(part, "x"), column(part, "computed"), "o", color=colour,
                label=f"{name}, largest of all")  # fmt: skip
    ax.set_xticks(sorted(set(column(where(rows, panel="refill"), "x"))))
    ax.set_ylim(bottom=0)
    ax.set_xlabel("slots on each worker")
    ax.set_ylabel("largest imbalance of a full refill")
    ax.set_title("Worst sizes and order")
    ax.legend()
    for place, policy in enumerate(runs):
        part = where(rows, panel="witness", policy=policy)
        ax = picture.add_subplot(grid[place, 1])
        workers = [where(part, worker=worker) for worker in distinct(part, "worker")]
        load_bars(
            ax,
            [column(own, "computed") for own in workers],
            [column(own, "theory") for own in workers],
        )
        ax.set_title(f"The same requests under {NAMES.get(policy, policy)}")
        ax.set_ylabel("load (tokens)")
        if place == 0:
            ax.legend(ncols=len(workers), fontsize="x-small")
    ax.set_xlabel("step (light: idle until the barrier)")
    setting = drawn_for(data)
    titled(
        picture,
        "FCFS's worst case grows with the slots, BF-IO's does not; on one instance FCFS still wins",
        f"Left: every list of sizes 1..{setting['largest']}, G = {setting['workers']}.  Right: the "
        f"witness {setting['witness']}",
    )
