"""How fast and how good the step solver is: ``python -m benchmarks.bench_step [--json FILE]``.

Steps are recorded from overloaded runs (pool 8G and 16G, p from 0.01 to 0.05, four families of
sizes).  Each time is a ratio to ``np.sort`` of the same pool, taken in the same run; a sort is fast
where numpy has vector instructions for it, so ratios are kinder elsewhere.  The excess is over the
best lower bound at hand, as a share of ``G * M``.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from adversary.families import workload
from benchmarks.steady_steps import FAMILIES, steady_steps
from solvers.balance import balance
from solvers.step import StepProblem

# (G, B): steps recorded from each run, and the goal for the time as a multiple of a sort.
SYSTEMS = {
    (16, 72): (40, None),
    (32, 72): (40, None),
    (144, 72): (20, 3),
    (1024, 128): (5, 3),
    (4096, 256): (2, 6),
}
EXCESS_GOAL = 1e-4
PROVED_GOAL = 0.95
COLD_START_GOAL_MS = 100


def seconds(call, times=5):
    """Shortest of several calls, and the last result."""
    best = np.inf
    for _ in range(times):
        start = time.perf_counter()
        result = call()
        best = min(best, time.perf_counter() - start)
    return best, result


def measure(problem, efforts, certify, times=5):
    """Ratio to a sort, excess and whether proved, for each effort."""
    loads, free, n = problem.loads.copy(), problem.free.copy(), problem.pool.size
    sizes, worker = np.sort(problem.pool), np.empty(n, dtype=np.int64)
    sort_s, _ = seconds(lambda: np.sort(problem.pool), times)
    found = []
    for effort in efforts:
        step_s, (value, bound) = seconds(
            lambda e=effort: balance(loads, free, sizes, e, worker), times
        )
        after = loads.copy()
        np.add.at(after, worker[worker >= 0], sizes[worker >= 0])
        assert value == after.size * after.max() - after.sum()
        found.append([effort, step_s, value, bound, int(after.max())])
    best = max(row[3] for row in found)
    if certify > max(efforts) and min(row[2] for row in found) > best:
        best = max(best, balance(loads, free, sizes, certify, worker)[1])
    return [
        {
            "effort": effort,
            "ratio": step_s / sort_s,
            "ms": 1e3 * step_s,
            "excess": (value - best) / (after.size * top) if top else 0.0,
            "proved": bool(value == best),
        }
        for effort, step_s, value, bound, top in found
    ]


def steady(workers, slots, count, efforts):
    """Records of every recorded step of that system."""
    for per_worker in (8, 16):
        for p in (0.01, 0.03, 0.05):
            for family in FAMILIES:
                steps = steady_steps(workers, slots, p, per_worker * workers, family, count)
                for problem in steps:
                    for record in measure(problem, efforts, certify=2 if workers <= 144 else 1):
                        yield {
                            "G": workers,
                            "B": slots,
                            "pool": per_worker * workers,
                            "p": p,
                            "family": family,
                            "slots": int(problem.free.sum()),
                            **record,
                        }


def cold_starts(workers, slots):
    """All slots free, G*B to 2*G*B requests waiting."""
    for family, params in FAMILIES.items():
        for times in (1, 1.5, 2):
            pool = workload(family, round(times * workers * slots), 0, **params).prefill
            problem = StepProblem([0] * workers, [slots] * workers, pool)
            for record in measure(problem, (0, 1), certify=1, times=2):
                yield {"G": workers, "B": slots, "family": family, "pool": pool.size, **record}


def odd_pools(workers, slots):
    """Steps of a uniform run with its pool replaced: ties, few giants, few requests."""
    rng = np.random.default_rng(0)
    for problem in steady_steps(workers, slots, 0.03, 8 * workers, "uniform", 5):
        n = problem.pool.size
        pools = {
            "as recorded": problem.pool,
            "equal sizes": np.full(n, 500),
            "two sizes": rng.choice([1, 1000], n),
            "a few giants": np.where(rng.random(n) < 4 / n, 10**6, problem.pool),
            "fewer than slots": problem.pool[: problem.free.sum() // 2],
            "as many as slots": problem.pool[: problem.free.sum()],
        }
        for name, pool in pools.items():
            step = StepProblem(problem.loads, problem.free, pool)
            for record in measure(step, (0, 1), certify=1):
                yield {"G": workers, "B": slots, "case": name, "pool": int(pool.size), **record}


def median(records, key):
    return float(np.median([r[key] for r in records]))


def share(records, key):
    return float(np.mean([r[key] for r in records]))


def mark(reached):
    return "reached" if reached else "missed"


def table(records, key):
    """One line for each value of ``key`` and each effort."""
    for value in dict.fromkeys(r[key] for r in records):
        for effort in dict.fromkeys(r["effort"] for r in records):
            rows = [r for r in records if r[key] == value and r["effort"] == effort]
            print(
                f"    {value!s:18} effort {effort}: {median(rows, 'ratio'):7.2f} x sort, "
                f"{median(rows, 'ms'):8.3f} ms, excess {median(rows, 'excess'):.1e}, "
                f"proved {share(rows, 'proved'):4.0%}"
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write every record to this file")
    parser.add_argument("--largest", type=int, default=4096, help="largest G to run")
    options = parser.parse_args()
    balance(*(np.ones(1, dtype=np.int64) for _ in range(3)), 1, np.empty(1, dtype=np.int64))
    everything = []
    for (workers, slots), (count, goal) in SYSTEMS.items():
        if workers > options.largest:
            continue
        efforts = (0, 1, 2) if workers <= 32 else (0, 1)
        records = list(steady(workers, slots, count, efforts))
        everything += records
        print(f"G = {workers}, B = {slots}: {len(records) // len(efforts)} steady-state steps")
        table(records, "family")
        for effort in efforts:
            rows = [r for r in records if r["effort"] == effort]
            ratio, excess = median(rows, "ratio"), median(rows, "excess")
            line = f"  effort {effort}: median {ratio:.2f} x sort"
            if goal:
                line += f" (goal {goal}: {mark(ratio <= goal)})"
            line += f", excess {excess:.1e} (goal {EXCESS_GOAL}: {mark(excess < EXCESS_GOAL)})"
            line += f", proved {share(rows, 'proved'):.0%}"
            if workers <= 32 and effort == 2:
                reached = share(rows, "proved") >= PROVED_GOAL
                line += (
                    f" (goal {PROVED_GOAL:.0%} with an integer program: {mark(reached)} without)"
                )
            print(line, flush=True)
    cold = list(cold_starts(1024, 128))
    slowest = max(r["ms"] for r in cold)
    print(
        f"Cold start, G = 1024, B = 128: at most {slowest:.0f} ms "
        f"(goal {COLD_START_GOAL_MS}: {mark(slowest < COLD_START_GOAL_MS)})"
    )
    table(cold, "family")
    odd = list(odd_pools(144, 72))
    print("Odd pools, G = 144, B = 72")
    table(odd, "case")
    if options.json:
        options.json.write_text(json.dumps(everything + cold + odd, indent=1) + "\n")


if __name__ == "__main__":
    main()
