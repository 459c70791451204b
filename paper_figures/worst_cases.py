"""Figure: exact worst cases of a full refill, and a witness step by step.

Left: the largest imbalance over every list of sizes, beside (G-1)B(b-a) for FCFS
[fcfs.worst-case] and (G-1)(b-a) for BF-IO [step.full-refill-tight].  Right: a run from the gallery
under each policy that it names, worker by worker, below the load that all wait for.
"""

from pathlib import Path

from adversary.instances.small_runs import ExactBFIO
from adversary.instances.space import Instance, Space
from adversary.witnesses.gallery import gallery
from adversary.worst_case.exhaustive import fcfs_worst_case, worst_case
from paper_figures.files import Row, column, read_csv, save, style
from solvers.simulation.reference import simulate_reference
from theory.model import InputError

# Whose claims the figure illustrates.
FAMILY = "step"

COLUMNS = ("panel", "policy", "x", "worker", "kind", "computed", "theory")
NAMES = {"fcfs": "FCFS", "bfio_exact": "BF-IO"}


def data(
    workers: int = 3,
    slots: tuple[int, ...] = (1, 2, 3),
    largest: int = 5,
    witness: str = "iir-below-one",
) -> list[Row]:
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

    Returns
    -------
    list of Row
        Panel ``refill``: ``x`` is ``B``, ``computed`` the exact maximum and ``theory`` the closed
        form.  Panel ``witness``: ``x`` is the step, ``computed`` the load of a worker and
        ``theory`` the largest load of the step.

    Raises
    ------
    InputError
        If the gallery has no run of that name.
    """
    rows: list[Row] = []
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
            rows.append(_row("refill", policy, B, -1, "equality", float(worst.value), theory))
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
                rows.append(_row("witness", policy, step, g, "replay", load, max(loads)))
    return rows


def _row(
    panel: str, policy: str, x: int, worker: int, kind: str, computed: float, theory: int
) -> Row:
    values = panel, policy, x, worker, kind, float(computed), theory
    return dict(zip(COLUMNS, values, strict=True))


def draw(csv_path: Path, out_dir: Path) -> list[Path]:
    """Draw from the CSV; returns the paths of PNG, SVG and PDF."""
    from matplotlib.figure import Figure

    rows = read_csv(csv_path, COLUMNS)
    runs = list(dict.fromkeys(row["policy"] for row in rows if row["panel"] == "witness"))
    with style():
        figure = Figure(figsize=(9, 4))
        grid = figure.add_gridspec(len(runs), 2)
        ax = figure.add_subplot(grid[:, 0])
        for number, (policy, name) in enumerate(NAMES.items()):
            part = [r for r in rows if r["panel"] == "refill" and r["policy"] == policy]
            ax.plot(column(part, "x"), column(part, "theory"), "-", color=f"C{number}",
                    label=f"{name}, closed form")  # fmt: skip
            ax.plot(column(part, "x"), column(part, "computed"), "o", color=f"C{number}",
                    label=f"{name}, largest of all")  # fmt: skip
        ax.set_xticks(sorted({float(r["x"]) for r in rows if r["panel"] == "refill"}))
        ax.set_ylim(bottom=0)
        ax.set_xlabel("slots on each worker")
        ax.set_ylabel("imbalance of a full refill")
        ax.set_title("Worst sizes and order")
        ax.legend()
        for place, policy in enumerate(runs):
            part = [r for r in rows if r["panel"] == "witness" and r["policy"] == policy]
            ax = figure.add_subplot(grid[place, 1])
            workers = sorted({int(r["worker"]) for r in part})
            width = 0.8 / len(workers)
            for g in workers:
                mine = [r for r in part if int(r["worker"]) == g]
                left = [x - 0.4 + width * g for x in column(mine, "x")]
                ax.bar(left, column(mine, "theory"), width, align="edge", color="0.88")
                ax.bar(left, column(mine, "computed"), width, align="edge", color=f"C{g}",
                       label=f"worker {g}")  # fmt: skip
            ax.set_title(f"The same requests under {NAMES.get(policy, policy)}")
            ax.set_ylabel("load")
            if place == 0:
                ax.legend(ncols=len(workers), fontsize="x-small")
        ax.set_xlabel("step (light: idle until the barrier)")
        return save(figure, out_dir, "worst_cases")
