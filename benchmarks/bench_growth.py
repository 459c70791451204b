"""How time and memory grow: ``python -m benchmarks.bench_growth [--csv FILE]``.

Whole runs of the engine, in which one of G, B, N, the pool and the horizon H grows and the others
stay.  Time is CPU time a step (for N: of the whole run); memory is the peak of what the run itself
allocates, counted in a run of its own.  The exponents are those of a power law fitted to the last
four points.  Where B grows, lengths grow with it, so that as many requests depart from each step.

Up to 16,384 workers, a step is held against ``G + A log2 A``, with ``A`` admissions; its cost is
that of the difference of two runs that start and end alike.  As arrays outgrow the caches each
access costs more, whoever makes it, so a compiled step that only does what no simulation can avoid
stands beside it, on as many requests.
"""

import argparse
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np

from benchmarks.bench_engine import seconds
from benchmarks.goals import Goal, Line, show, titled
from paper_figures.files import to_csv
from paper_figures.optima.growth import BASE, data
from solvers.compiled import compiled
from solvers.simulation.engine import simulate
from theory.model import Requests, System

# What grows: its values, the policies, and for each the largest exponents of time and memory.
GROWTH = {
    "G": ((32, 64, 128, 256, 512), {"fcfs": (1.3, 1.15), "bfio": (1.3, 1.15)}),
    "B": ((64, 128, 256, 512, 1024), {"fcfs": (0.25, 1.15), "bfio": (0.25, 1.15)}),
    "N": ((50_000, 100_000, 200_000, 400_000), {"fcfs": (1.15, 1.15), "bfio": (1.15, 1.15)}),
    "pool": ((512, 1024, 2048, 4096, 8192), {"fcfs": (0.25, 0.25), "bfio": (1.15, 1.15)}),
    "H": ((5, 10, 20, 40, 80), {"bfio": (1.15, 0.5)}),
}


def workload(G, B, N, seed=0):
    """Uniform sizes and geometric lengths of which one step in ``B / 2`` is the last."""
    rng = np.random.default_rng(seed)
    return Requests(rng.integers(1, 1001, N), rng.geometric(2 / B, N))


def measured(policy, G, B, N, pool, H):
    """Milliseconds of CPU, steps and peak MB of one run."""
    load, system = workload(G, B, N), System.paper(G, B)
    spec = f"{policy}:horizon={H}" if H else policy
    best, run = seconds(simulate, system, load, spec, pool=pool)
    tracemalloc.start()
    simulate(system, load, spec, pool=pool)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {"ms": 1e3 * best, "steps": run.total.steps, "mb": peak / 1e6}


def records():
    """One record for each point of each curve."""
    for name, (values, policies) in GROWTH.items():
        for policy in policies:
            for value in values:
                size = BASE | {name: value}
                if name in ("G", "B"):  # as many steps after the start, however many slots
                    size["N"] = 4 * size["G"] * size["B"] + 2 * size["G"] * 500
                if name == "G":
                    size["pool"] = 8 * value
                if name == "H":
                    size["N"] = 20_000
                yield {"grows": name, "policy": policy, **size, **measured(policy, **size)}


# Workers, departures a worker and step, and the most that a step may grow beside the plain one.
WIDE, DEPARTURES, WIDE_SLOTS = (1024, 4096, 16384), (0.25, 1.0, 4.0), 32
WIDE_GOAL = 2


@compiled
def _plain_steps(loads, chain, request, size, written, finish, A, steps):
    """Follow a chain through the requests in service, replace each, and add up the loads."""
    at, new, total = 0, 0, 0
    for _ in range(steps):
        for _ in range(A):
            gone = request[at]
            finish[gone] = total
            g = gone % loads.size
            loads[g] += size[new] - size[gone]
            for i in range(written.shape[0]):
                written[i, new] = total
            request[at] = new
            new += 1
            at = chain[at]
        largest = 0
        for g in range(loads.size):
            loads[g] += 1
            largest = max(largest, loads[g])
        total += largest
    return total


def plain_step(G, A, N, ordered):
    """Microseconds of CPU of a step that only does what no simulation can avoid."""
    rng = np.random.default_rng(0)
    rows, steps = G * WIDE_SLOTS, (N - G * WIDE_SLOTS) // A
    chain, size = np.empty(rows, np.int64), rng.integers(1, 1001, N)
    order = rng.permutation(rows)
    chain[order] = np.roll(order, 1)
    pool = size[: 8 * G].copy()

    def run():
        _plain_steps(
            np.zeros(G, np.int64),
            chain,
            rng.permutation(rows),
            size,
            np.empty((4, N), np.int64),
            np.empty(N, np.int64),
            A,
            steps,
        )

    took = seconds(run)[0] - seconds(rng.permutation, rows)[0]
    return 1e6 * (took / steps + ordered * seconds(np.sort, pool)[0])


def wide_steps():
    """Cost of a step for each policy, number of departures and number of workers."""
    B = WIDE_SLOTS
    for policy in ("fcfs", "bfio"):
        for departures in DEPARTURES:
            for G in WIDE:
                A, first = round(G * departures), 20
                rng = np.random.default_rng(0)
                took, more = [], round(max(20, 80 * 1024 // G) * max(1, 1 / departures))
                for steps in (first, first + more):
                    N = G * B + A * steps
                    load = Requests(rng.integers(1, 1001, N), rng.geometric(departures / B, N))
                    took.append(seconds(simulate, System.paper(G, B), load, policy, pool=8 * G)[0])
                yield {
                    "policy": policy,
                    "departures": departures,
                    "G": G,
                    "us": 1e6 * (took[1] - took[0]) / more,
                    "unit": 1e9 * (took[1] - took[0]) / more / (G + A * np.log2(A)),
                    "plain": plain_step(G, A, N, policy == "bfio"),
                }


def wide_report():
    yield titled(f"A step of up to {WIDE[-1]:,} workers, B = {WIDE_SLOTS}, pool 8 G")
    found = list(wide_steps())
    for policy, departures in dict.fromkeys((r["policy"], r["departures"]) for r in found):
        rows = [r for r in found if (r["policy"], r["departures"]) == (policy, departures)]
        beside = [r["us"] / r["plain"] for r in rows]
        grows = Goal(beside[-1] / beside[0], WIDE_GOAL)
        yield Line(
            f"  {policy:5}{departures:5} departures a worker: "
            + ", ".join(f"{r['G']}: {r['us']:.0f} us, {r['unit']:.1f} ns a unit" for r in rows)
            + f"; beside a plain step x {', '.join(f'{b:.2f}' for b in beside)}, "
            f"growing {grows.value:.2f} times (at most {WIDE_GOAL}: {grows})",
            (grows,),
        )


def report(curves):
    start = ", ".join(f"{k} = {v:,}" for k, v in BASE.items())
    yield titled(f"Growth of a run; from {start}")
    for name, (_, policies) in GROWTH.items():
        for policy, most in policies.items():
            text, goals = f"  {name:5}{policy:5}", []
            for measure, limit in zip(("time", "memory"), most, strict=True):
                curve = [
                    r
                    for r in curves
                    if (r["grows"], r["policy"], r["measure"]) == (name, policy, measure)
                ]
                exponent = Goal(curve[0]["exponent"], limit)
                goals.append(exponent)
                text += f"{curve[0]['unit']:>10} "
                text += ", ".join(f"{r['x']:.0f}: {r['computed']:.3g}" for r in curve)
                text += f"; exponent {exponent.value:.2f} (at most {limit}: {exponent})"
            yield Line(text, tuple(goals))


def lines(csv=None):
    """Measure every curve; ``csv`` is where every record is written, if anywhere."""
    for spec in ("fcfs", "bfio", "bfio:horizon=2"):
        simulate(System(2, 2), Requests([1, 2], [1, 2]), spec)
    with tempfile.TemporaryDirectory() as folder:
        path = csv or Path(folder) / "growth.csv"
        path.write_text(to_csv(list(records())), "utf-8")
        yield from report(data(path))
    plain_step(4, 2, 200, True)
    yield from wide_report()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--csv", type=Path, help="also write every record to this file")
    show(lines(**vars(parser.parse_args())))


if __name__ == "__main__":
    main()
