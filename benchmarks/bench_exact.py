"""Proven optima, solver by size by family: ``python -m benchmarks.bench_exact [--json FILE]``.

Steps: recorded from overloaded runs (B = 72, p = 0.03, pool 8G), the same for every solver.  A
program leaves a family after the first size at which it proves less than all.  The share proved
of the scan counts the steps that the fast solver's own bound closes, which take no time; the times
are those of the others.  The overrun is what the slowest of them took beyond its limit; compilation
is over before.  At the sizes with a goal the steps come from several runs, and the goal is for
their median, in which a step that is not proved in time takes for ever.  Seeds 900 to 906 chose the
constants of branch and price, and seeds 10, 12, 13, 950, 951, 2001 to 2004, 4001 to 4009,
5001, 5002, 6001 and 6002 those for many sizes; the runs here have others.

Offline optima: schedules of random backlogs, by branch and bound, by the values of all states, and
by the integer program, with the ratio of their times.
"""

import argparse
import time
from json import dumps
from math import inf
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.goals import Goal, Line, show, titled
from benchmarks.steady_steps import FAMILIES, steady_steps
from solvers.schedule.problem import OfflineProblem, Rule
from solvers.schedule.solve import solve_by_states, solve_offline
from solvers.step.branch_and_price.solve import solve_branch_and_price
from solvers.step.branch_and_price.warm_up import warm_up
from solvers.step.exact.milp import solve_exact
from solvers.step.fast.solve import solve_step
from solvers.step.problem import StepProblem
from tests.oracles.schedule_milp import solve_offline_program
from theory.model import Requests, System

WORKERS = (4, 8, 16, 32, 64, 144, 512)

# Steps of a run, and seconds in which steps of that many workers are to be proved optimal; the scan
# gets as many, and steps of so many runs.
STEPS = 4
STEP_GOALS = {16: 10, 64: 10, 144: 15, 512: 15}
RUNS = 2
SEED = 14

# The most seconds beyond the limit.
OVERRUN_GOAL_S = 0.5

# Seconds that a step may take, and the most steps of a size.
LIMITS = {"cbc": (3, 1), "highs": (5, 1), "scan": (10, STEPS * RUNS)}

# (N, G, B, longest length, rule, work conserving): seconds allowed, and whether to try the program.
OFFLINE = {
    (6, 2, 1, 3, Rule.MIGRATING, False): (1, True),
    (6, 2, 1, 3, Rule.PAUSING, False): (1, True),
    (10, 2, 2, 3, Rule.STICKY, True): (1, True),
    (12, 2, 3, 3, Rule.STICKY, True): (1, True),
    (16, 2, 4, 3, Rule.STICKY, True): (5, True),
    (20, 2, 4, 3, Rule.STICKY, True): (10, False),
    (20, 2, 4, 3, Rule.STICKY, False): (10, False),
    (14, 3, 2, 3, Rule.STICKY, True): (10, False),
}
PROGRAM_LIMIT_S = 6


def timed(call):
    """Seconds and result."""
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def solve(name, problem, limit):
    """One step by that solver."""
    if name == "scan":
        return solve_branch_and_price(problem, limit)
    return solve_exact(problem, name, limit)


def steps(sizes):
    """Records of every solver on the steps of each family and size."""
    small = StepProblem([0, 3], [2, 1], [1, 2, 2, 5])
    warm_up()
    for name in LIMITS:  # loaded, and compiled, before anything is timed
        solve(name, small, 1.0)
    for family in FAMILIES:
        left = {name: count for name, (_, count) in LIMITS.items()}
        for workers in sizes:
            runs = range(SEED, SEED + (RUNS if workers in STEP_GOALS else 1))
            run = workers, 72, 0.03, 8 * workers, family, STEPS
            recorded = [p for seed in runs for p in steady_steps(*run, seed=seed)]
            open_ = [p for p in recorded if not solve_step(p, effort=3).optimal]
            closed = len(recorded) - len(open_)
            for name in list(left):
                limit = LIMITS[name][0]
                if name == "scan":
                    limit = STEP_GOALS.get(workers, limit)
                # The others get a step that is not closed by a bound, where there is one.
                chosen = (open_ if name == "scan" else open_ or recorded)[: left[name]]
                solved = [timed(lambda p=p, n=name, s=limit: solve(n, p, s)) for p in chosen]
                # Of a program in floating point its claim counts here, though it proves nothing.
                proved = [s for s, found in solved if found.optimal or found.claim is not None]
                seconds = [s for s, _ in solved] or [0.0]
                gaps = [found.gap / max(1, found.imbalance) for _, found in solved] or [0.0]
                for_ever = [inf] * (len(solved) - len(proved))
                bounded = closed if name == "scan" else 0
                if for_ever and name != "scan":
                    del left[name]
                yield {
                    "family": family,
                    "workers": workers,
                    "solver": name,
                    "steps": len(recorded),
                    "closed by bounds": closed,
                    "proved": len(proved),
                    "of": len(solved),
                    "median_s": median(seconds),
                    "median_of_all_s": median([0.0] * closed + proved + for_ever),
                    "in_time": closed + sum(s <= limit for s in proved),
                    "share": (bounded + len(proved)) / max(1, bounded + len(solved)),
                    "worst_s": max(seconds),
                    "overrun_s": max(0.0, max(seconds) - limit),
                    "worst_gap": max(gaps),
                }


def offline():
    """Records of the offline optima."""
    rng = np.random.default_rng(0)
    for (n, G, B, longest, rule, conserving), (goal, program) in OFFLINE.items():
        requests = Requests(rng.integers(1, 20, n), rng.integers(1, longest + 1, n))
        problem = OfflineProblem(System(G, B), requests, rule, conserving)
        own = solve_offline if rule is Rule.STICKY else solve_by_states
        own(problem)  # what it needs is compiled before it is timed
        seconds, found = timed(lambda p=problem, s=own: s(p))
        record = {
            "N": n,
            "G": G,
            "B": B,
            "rule": str(rule) + (", work conserving" if conserving else ""),
            "seconds": seconds,
            "goal_s": goal,
            "proved": found.optimal,
            "cost": found.cost,
        }
        if program:
            program_s, other = timed(lambda p=problem: solve_offline_program(p, PROGRAM_LIMIT_S))
            record |= {"program_s": program_s, "program_proved": other.optimal}
            assert other.lower_bound <= found.cost <= other.cost
        yield record


def lines(workers=WORKERS, json=None):
    """The lines of every record; ``json`` is where the records are written, if anywhere."""
    start = time.perf_counter()
    yield Line(
        f"{'family':15}{'G':>5}  {'solver':7}{'bounds':>7}{'proved':>8}{'share':>7}"
        f"{'median s':>10}{'overrun s':>11}{'worst gap':>11}{'to scan':>9}"
    )
    records, by_scan = [], {}
    for r in steps(workers):
        records.append(r)
        if r["solver"] != "scan":
            continue
        key = r["family"], r["workers"]
        by_scan[key] = r
        for x in records:
            if (x["family"], x["workers"]) != key:
                continue
            ratio = x["median_s"] / r["median_s"] if r["median_s"] else float("nan")
            done = f"{x['proved']}/{x['of']}"
            at_least = "" if x["proved"] == x["of"] else ">"
            shown = "" if x is r or ratio != ratio else f"{at_least}{ratio:.1f}x"
            yield Line(
                f"{x['family']:15}{x['workers']:5}  {x['solver']:7}{x['closed by bounds']:>4}/"
                f"{x['steps']:<2}{done:>8}{x['share']:7.2f}{x['median_s']:10.2f}"
                f"{x['overrun_s']:11.2f}{x['worst_gap']:11.1e}{shown:>9}"
            )
    yield Line(
        f"\n{'offline optimum':48}{'seconds':>9}{'goal':>7}{'program s':>11}{'ratio':>9}",
        title="offline optimum",
    )
    for r in offline():
        records.append(r)
        name = f"N = {r['N']}, G = {r['G']}, B = {r['B']}, {r['rule']}"
        program = ratio = ""
        if "program_s" in r:
            at_least = "" if r["program_proved"] else ">"
            program = f"{at_least}{r['program_s']:.2f}"
            ratio = f"{at_least}{r['program_s'] / r['seconds']:.0f}x"
        goal = Goal(r["seconds"] if r["proved"] else inf, r["goal_s"])
        yield Line(
            f"{name:48}{r['seconds']:9.3f}{r['goal_s']:7}{program:>11}{ratio:>9}  {goal}", (goal,)
        )
    yield titled("\nSteps proved optimal, B = 72")
    for (family, size), r in by_scan.items():
        if size in STEP_GOALS:
            goal = Goal(r["median_of_all_s"], STEP_GOALS[size])
            yield Line(
                f"{goal!s:7} G = {size}, {family}: median {goal.value:.2f} s, at most "
                f"{goal.limit} s; {r['in_time']} of {r['steps']} in that time; gap at most "
                f"{r['worst_gap']:.1e}",
                (goal,),
            )
    yield titled("\nLimits kept by the scan")
    for family in dict.fromkeys(family for family, _ in by_scan):
        over = max(r["overrun_s"] for (f, _), r in by_scan.items() if f == family)
        goal = Goal(over, OVERRUN_GOAL_S)
        text = f"{goal!s:7} {family}: at most {over:.2f} s beyond the limit, of {goal.limit} s"
        yield Line(text, (goal,))
    yield Line(f"        in {time.perf_counter() - start:.0f} s")
    if json:
        json.write_text(dumps(records, indent=1), "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write all records to this file")
    parser.add_argument("--workers", type=int, nargs="+", default=WORKERS)
    show(lines(**vars(parser.parse_args())))


if __name__ == "__main__":
    main()
