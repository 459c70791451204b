"""How time and memory grow: ``python -m benchmarks.bench_growth [--csv FILE]``.

Whole runs of the engine, in which one of G, B, N, the pool and the horizon H grows and the others
stay.  Time is CPU time a step (for N: of the whole run); memory is the peak of what the run itself
allocates, counted in a run of its own.  The exponents are those of a power law fitted to the last
four points.  Where B grows, lengths grow with it, so that as many requests depart from each step.
"""

import argparse
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np

from benchmarks.bench_engine import seconds
from benchmarks.goals import Goal, Line, show, titled
from paper_figures.files import to_csv
from paper_figures.growth import BASE, data
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--csv", type=Path, help="also write every record to this file")
    show(lines(**vars(parser.parse_args())))


if __name__ == "__main__":
    main()
