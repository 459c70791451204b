"""Figure: imbalance step by step from a cold start, under FCFS and BF-IO."""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from adversary.workloads.families import workload
from adversary.workloads.overload import requests_to_overload
from paper_figures.drawing import BFIO, FCFS, drawn_for, titled
from paper_figures.figure import Picture, figure, table
from paper_figures.files import Cells, Row, column, sampled, where
from solvers.simulation.engine import simulate
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Law
from theory.laws.slot_load import geometric_slot
from theory.model import FloatArray, InputError, System


@table("policy step kind computed theory n lower upper example")
def data(
    workers: int = 32,
    slots: int = 72,
    steps: int = 120,
    seeds: int = 8,
    p: Fraction = Fraction(1, 10),
    largest: int = 100,
) -> Iterator[Row]:
    """Imbalance of each step, averaged over seeds.

    Parameters
    ----------
    workers, slots : int
        ``G`` and ``B``; the pool shows ``2*G*B`` requests.
    steps : int
        Steps from the cold start, all of them overloaded.
    seeds : int
        Independent runs, at least 2; the column ``n``.
    p : Fraction
        Of the geometric output lengths.
    largest : int
        Sizes are uniform on ``1..largest``.

    Yields
    ------
    Row
        ``computed`` with its 95 % interval and ``example``, the run of the first seed.
        ``theory`` is the exact expectation for FCFS [fcfs.exact], and for BF-IO the level
        ``(G-1)(b-a)``: a bound in step 0, which refills all slots [warmup.bfio-upper], and only
        a reference afterwards.
    """
    system = System(workers, slots)
    law = Law.uniform(1, largest)
    refill = float((workers - 1) * (largest - 1))
    for policy in ("fcfs", "bfio"):
        runs = [_run(system, policy, steps, seed, float(p), largest) for seed in range(seeds)]
        for step in range(steps):
            if policy == "fcfs":
                slot = geometric_slot(law, p, step=step)
                kind, theory = "exact", expected_imbalance(slot, workers, slots).imbalance.value
            else:
                kind, theory = "upper" if step == 0 else "reference", refill
            yield {
                "policy": policy,
                "step": step,
                "kind": kind,
                **sampled([float(run[step]) for run in runs]),
                "theory": theory,
                "example": float(runs[0][step]),
            }


def _run(system: System, policy: str, steps: int, seed: int, p: float, largest: int) -> FloatArray:
    """Imbalances of the first steps of one run, float64[steps]."""
    pool = 2 * system.capacity
    n = requests_to_overload(system, steps, p=p, pool=pool)
    requests = workload("uniform", n, seed, a=1, b=largest, p=p)
    result = simulate(system, requests, policy, pool=pool, history=True)
    if result.loads is None or result.overloaded.steps < steps:
        raise InputError(f"seed {seed} keeps the slots full for fewer than {steps} steps")
    loads = result.loads[:steps]
    gap = system.workers * loads.max(axis=1) - loads.sum(axis=1)
    return np.asarray(gap, dtype=np.float64)


@figure("geometric", data)
def draw(picture: Picture, rows: list[Cells]) -> None:
    """Draw the table."""
    theory = {
        "fcfs": "FCFS, exact expectation",
        "bfio": "(G−1)(b−a): bound at step 0, then for reference",
    }
    ax = picture.subplots()
    for policy, name, colour in (("fcfs", "FCFS", FCFS), ("bfio", "BF-IO", BFIO)):
        part = where(rows, policy=policy)
        step, n = column(part, "step"), part[0]["n"]
        # The interval of a mean can reach below zero, an imbalance cannot.
        low = [max(0.0, x) for x in column(part, "lower")]
        ax.fill_between(step, low, column(part, "upper"), color=colour, alpha=0.25, linewidth=0)
        ax.plot(step, column(part, "example"), color=colour, alpha=0.45, linewidth=0.8)
        ax.plot(step, column(part, "computed"), color=colour, label=f"{name}, mean of {n} seeds")
        ax.plot(step, column(part, "theory"), "--", color="black" if policy == "fcfs" else "0.45",
                linewidth=1.2, label=theory[policy])  # fmt: skip
    ax.set_yscale("symlog", linthresh=10)
    ax.set_ylim(bottom=0)
    ax.set_xlim(0, max(column(rows, "step")))
    ax.set_xlabel("barrier step from a cold start")
    ax.set_ylabel("imbalance (tokens; linear below 10)")
    picture.legend(loc="outside lower center", ncols=2)
    setting = drawn_for(data)
    fcfs, bfio = (
        np.mean(column(where(rows, policy=policy), "computed")) for policy in ("fcfs", "bfio")
    )
    titled(
        picture,
        f"FCFS stays at its exact expectation; BF-IO leaves {float(f'{fcfs / bfio:.2g}'):,.0f} "
        "times less",
        f"G = {setting['workers']}, B = {setting['slots']}, sizes uniform on "
        f"1..{setting['largest']}, "
        f"geometric lengths of mean {1 / setting['p']}, pool 2 G B; "
        "bands: 95 % interval of the mean; thin lines: one run",
    )
