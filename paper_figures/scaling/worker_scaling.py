"""Figure: what more workers cost, up to G = 4096, under FCFS and BF-IO.

Geometric lengths in the stationary overloaded regime: idle share and power per unit of work
against the number of workers at a fixed number of slots.  FCFS is known exactly
[geometric.fcfs-lower]; for it the idle share grows like ``E max`` of G normals.
"""

from collections.abc import Iterator
from fractions import Fraction

from adversary.workloads.families import workload
from adversary.workloads.overload import requests_to_overload
from paper_figures.drawing import BFIO, FCFS, drawn_for, points, titled, watts
from paper_figures.figure import Picture, figure, table
from paper_figures.files import Cells, Row, column, sampled, where
from solvers.simulation.engine import simulate
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Law
from theory.laws.slot_load import geometric_slot
from theory.model import InputError, System
from theory.power import hardware

POLICIES = {"fcfs": "FCFS", "bfio": "BF-IO"}
COLOURS = {"fcfs": FCFS, "bfio": BFIO}
DEVICE = "a100-paper"

# A run is measured after so many mean lengths, when hardly any request of the start is left.
_WARM_UP = 5


@table("policy G kind computed theory n lower upper watts_per_load")
def data(
    workers: tuple[int, ...] = (8, 32, 128, 512, 2048, 4096),
    slots: int = 24,
    p: Fraction = Fraction(1, 10),
    largest: int = 100,
    steps: int = 80,
    seeds: int = 3,
) -> Iterator[Row]:
    """Idle shares in the long run.

    Parameters
    ----------
    workers : tuple of int
        Values of ``G``.
    slots : int
        ``B``; the pool shows ``G*B`` requests.
    p : Fraction
        Of the geometric output lengths.
    largest : int
        Sizes are uniform on ``1..largest``.
    steps : int
        Steps of a run, of which the first ``5/p`` are left out.
    seeds : int
        Independent runs, at least 2; the column ``n``.

    Yields
    ------
    Row
        ``computed`` is ``I/(W+I)`` with its 95 % interval; ``theory`` for FCFS is
        ``E[I]/E[W+I]``, exact, and for BF-IO 0, a lower bound.  ``watts_per_load`` is the mean
        power over the mean load, on the paper's device without overhead.
    """
    law, power, skip = Law.uniform(1, largest), hardware(DEVICE), int(_WARM_UP / p)
    if steps <= skip:
        raise InputError(f"steps must be more than {skip}, the warm-up, got {steps}")
    for g in workers:
        system = System(g, slots)
        n = requests_to_overload(system, steps, p=float(p))
        found: dict[str, list[tuple[float, float]]] = {policy: [] for policy in POLICIES}
        for seed in range(seeds):
            requests = workload("uniform", n, seed, a=1, b=largest, p=float(p))
            for policy in POLICIES:
                run = simulate(system, requests, policy, seed=seed, history=True)
                assert run.loads is not None
                loads = run.loads[skip:steps].astype(float)
                top = loads.max(axis=1)
                watts = power.powers(loads / top[:, None])
                energy = float((watts.sum(axis=1) * top).sum())
                idle = 1 - float(loads.sum() / (g * top.sum()))
                found[policy].append((idle, energy / float(loads.sum())))
        exact = expected_imbalance(geometric_slot(law, p), g, slots).idle_share.value
        for policy, runs in found.items():
            yield {
                "policy": policy,
                "G": g,
                "kind": "exact" if policy == "fcfs" else "lower",
                **sampled([idle for idle, _ in runs]),
                "theory": exact if policy == "fcfs" else 0.0,
                "watts_per_load": sum(watts for _, watts in runs) / seeds,
            }


@figure("scaling", data, size=(7.6, 4.3))
def draw(picture: Picture, rows: list[Cells]) -> None:
    """Draw the table."""
    left, right = picture.subplots(1, 2, sharex=True)
    device, setting, shares = hardware(DEVICE), drawn_for(data), {}
    for policy, name in POLICIES.items():
        part, colour = where(rows, policy=policy), COLOURS[policy]
        g, shares[policy] = column(part, "G"), column(part, "computed", 100)
        points(left, g, part, 100, color=colour, label=f"{name}, {part[0]['n']} seeds")
        if policy == "fcfs":
            left.plot(g, column(part, "theory", 100), color=colour, label="FCFS, exact")
        # With perfect balance every worker is full: P_max a unit of load.
        above = [100 * (watts / device.max_w - 1) for watts in column(part, "watts_per_load")]
        right.plot(g, above, "o-", color=colour, markersize=4)
    for ax, name in ((left, "idle share (%)"), (right, "energy above that of balance (%)")):
        ax.set_xscale("log", base=2)
        ax.set_ylim(0, None)
        ax.set_ylabel(name)
        ax.set_xlabel("workers G")
    picture.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    titled(
        picture,
        f"From G = {g[0]:g} to {g[-1]:g} FCFS's idle share rises from {shares['fcfs'][0]:.0f} to "
        f"{shares['fcfs'][-1]:.0f} %, BF-IO's to {shares['bfio'][-1]:.0f} %",
        f"B = {setting['slots']}, sizes uniform on 1..{setting['largest']}, geometric lengths of "
        "mean "
        f"{1 / setting['p']}, pool G B; {DEVICE}: {watts(device)}",
    )
