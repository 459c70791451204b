"""Proven optima on parallel machines, solver by family: ``python -m benchmarks.bench_machines``.

Instances by the recipes of the literature (:mod:`benchmarks.machine_families`), the same for every
solver.  Seeds 1 to 3 chose the solver's constants; from 10 on they are fresh.  An instance that is
not proved in time counts as for ever in the median.  The overrun is what the slowest instance took
beyond the limit.
"""

import argparse
import time
from math import inf
from statistics import median

from benchmarks.goals import Goal, Line, show
from benchmarks.machine_families import FAMILIES, instances
from solvers.step.branch_and_price.solve import solve_branch_and_price
from solvers.step.exact.milp import solve_exact

# Instances of a family and seconds for each, by solver; the program in floating point only claims.
COUNT, LIMIT_S = 10, 10.0
PROGRAM_COUNT, PROGRAM_LIMIT_S = 1, 3.0
SEED = 10

# The least share proved in each family, and the most seconds beyond the limit.
SHARE_GOAL = 0.9
OVERRUN_GOAL_S = 0.5


def record(solve, problems, limit):
    """How many are decided, the median and the longest time, the widest gap."""
    seconds, decided, gaps = [], [], []
    for problem in problems:
        start = time.perf_counter()
        found = solve(problem, limit)
        seconds.append(time.perf_counter() - start)
        decided.append(found.optimal or found.claim is not None)
        gaps.append(found.gap / max(1, found.imbalance + int(problem.pool.sum())))
    return {
        "of": len(decided),
        "decided": sum(decided),
        "median_s": median([s if d else inf for s, d in zip(seconds, decided, strict=True)]),
        "overrun_s": max(0.0, max(seconds) - limit),
        "gap": max(gaps),
    }


def lines(count=COUNT, limit=LIMIT_S, seed=SEED, families=FAMILIES):
    """A line for each family and solver."""
    yield Line(
        f"{'family':24}{'solver':>8}{'decided':>10}{'median s':>10}{'gap':>10}{'overrun s':>11}",
        title="parallel machines",
    )
    for family in FAMILIES:  # compiled before anything is timed
        for problem in instances(family, 2, 0):
            solve_branch_and_price(problem, 1.0)
    for family in families:
        problems = list(instances(family, count, seed))
        runs = {
            "scan": (solve_branch_and_price, problems, limit),
            "highs": (
                lambda p, s: solve_exact(p, "highs", s),
                problems[:PROGRAM_COUNT],
                PROGRAM_LIMIT_S,
            ),
        }
        for solver, run in runs.items():
            r = record(*run)
            goals: tuple[Goal, ...] = ()
            if solver == "scan":
                goals = (
                    Goal(r["decided"] / r["of"], SHARE_GOAL, at_least=True),
                    Goal(r["overrun_s"], OVERRUN_GOAL_S),
                )
            done = f"{r['decided']}/{r['of']}"
            yield Line(
                f"{family:24}{solver:>8}{done:>10}{r['median_s']:10.3f}{r['gap']:10.1e}"
                f"{r['overrun_s']:11.2f}  {' '.join(map(str, goals))}",
                goals,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--limit", type=float, default=LIMIT_S)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--families", nargs="+", choices=list(FAMILIES), default=list(FAMILIES))
    show(lines(**vars(parser.parse_args())))


if __name__ == "__main__":
    main()
