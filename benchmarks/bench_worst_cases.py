"""What the adversary can do: ``python -m benchmarks.bench_worst_cases [--seconds S] [--runs R]``.

Three tables in Markdown, kept in ``benchmarks/worst_cases.md``: the largest classes that are
solved exactly within so many seconds of one CPU; how often and how fast each search finds optima
that are known; and which planted faults each search finds within its budget.
"""

import argparse
import time
from fractions import Fraction
from statistics import median

import numpy as np

from adversary.instances.space import Space, StepSpace
from adversary.worst_case.attack import Attack
from adversary.worst_case.exhaustive import fcfs_worst_case, worst_case, worst_step
from adversary.worst_case.objectives import (
    average_imbalance,
    relative_imbalance,
    step_excess,
    step_gap_excess,
    step_imbalance,
)
from adversary.worst_case.search import METHODS, Power, power, search
from solvers.policies.arrival_order import LeastLoaded
from solvers.simulation.engine import simulate
from solvers.simulation.reference import simulate_reference
from solvers.step.exact.brute_force import exact_step
from solvers.step.problem import StepProblem
from tests.oracles.worst_case_milp import bfio_by_program, fcfs_by_program, step_by_program
from theory.formulas.step import simple_lower_bound
from theory.model import Requests


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(map(str, row)) + " |" for row in rows)])


# --- Exact sizes --------------------------------------------------------------------------------


def optimum_exactly(space):
    *_, tally = Attack(space, "bfio_exact", "optimum", "exact", budget=10**9).portions()
    return tally.value, tally.instances


def of(worst):
    return worst.value, worst.instances


LADDERS = {
    "FCFS, AvgImb, any order: G = B = 2, sizes to 10, lengths to 3": (
        range(6, 20),
        lambda n: of(fcfs_worst_case(Space(2, 2, n, 10, decode_max=3))),
    ),
    "FCFS, AvgImb, by programs: G = B = 2, sizes to 4, lengths to 2": (
        range(3, 14),
        lambda n: (fcfs_by_program(Space(2, 2, n, 4, decode_max=2)).value, (4 * 2) ** n),
    ),
    "BF-IO, AvgImb, sorted lists: G = B = 2, sizes to 4, lengths to 3": (
        range(5, 14),
        lambda n: of(
            worst_case(Space(2, 2, n, 4, decode_max=3, order="sorted", pool=n), "bfio_exact")
        ),
    ),
    "BF-IO, AvgImb, any order: G = B = 2, sizes to 4, lengths to 2": (
        range(4, 12),
        lambda n: of(worst_case(Space(2, 2, n, 4, decode_max=2), "bfio_exact")),
    ),
    "BF-IO, AvgImb, by programs: G = 2, B = 1, sizes to 1000, lengths to 2": (
        range(2, 9),
        lambda n: (
            bfio_by_program(Space(2, 1, n, 1000, decode_max=2)).value,
            (1000 * 2) ** n,
        ),
    ),
    "BF-IO / FCFS, any order: G = 2, B = 1, sizes to 4, lengths to 3": (
        range(3, 10),
        lambda n: of(worst_case(Space(2, 1, n, 4, decode_max=3), "bfio_exact", "fcfs")),
    ),
    "BF-IO / clairvoyant optimum, any order: G = B = 2, sizes to 3, lengths to 2": (
        range(3, 8),
        lambda n: optimum_exactly(Space(2, 2, n, 3, decode_max=2)),
    ),
    "one step, imbalance: G = 3, two slots each, sizes to 6": (
        range(4, 14),
        lambda n: worst_step(StepSpace(3, n, 6, free_max=2, free_min=2), step_imbalance)[::2],
    ),
    "one step, constraint generation: the same": (
        range(4, 14),
        lambda n: (
            step_by_program(StepSpace(3, n, 6, free_max=2, free_min=2)).value,
            StepSpace(3, n, 6, free_max=2, free_min=2).size,
        ),
    ),
}


def exact_sizes(seconds):
    rows = []
    for name, (sizes, solve) in LADDERS.items():
        solve(sizes[0])  # compile
        solved, before = None, 0.0
        for n in sizes:
            start = time.process_time()
            try:
                value, instances = solve(n)
            except ValueError:  # refused as too large
                break
            took = time.process_time() - start
            if took > seconds:
                break
            solved = (name, n, f"{instances:,}", value, f"{took:.1f}")
            # The next would take at least as many times longer as this one did.
            if took * max(2.0, took / before if before else 2.0) > 3 * seconds:
                break
            before = took
        rows.append(solved or (name, "none", "", "", ""))
    return table(("class", "largest N", "instances covered", "maximum", "CPU seconds"), rows)


# --- Known optima -------------------------------------------------------------------------------

KNOWN = {
    "full refill, FCFS, G = 3, B = 2, sizes to 6: 20": (
        average_imbalance("fcfs"), Space(3, 2, 6, 6), Fraction(20), 400,
    ),
    "full refill, BF-IO, G = 3, B = 2, sizes to 6: 10": (
        average_imbalance("bfio_exact"), Space(3, 2, 6, 6), Fraction(10), 1000,
    ),
    "FCFS, 8 requests, sizes to 10, lengths to 3: 104/5": (
        average_imbalance("fcfs"), Space(2, 2, 8, 10, decode_max=3), Fraction(104, 5), 2000,
    ),
    "BF-IO / FCFS, 4 requests, sizes to 6: 25/2": (
        relative_imbalance("bfio_exact", "fcfs"), Space(2, 1, 4, 6, decode_max=3), Fraction(25, 2),
        2000,
    ),
    "one step, G = 3, two slots, one spare, sizes to 10: 12": (
        step_imbalance, StepSpace(3, 7, 10, free_max=2, free_min=2), Fraction(12), 2000,
    ),
    "gap beyond s_max, G = 3: any": (
        step_gap_excess, StepSpace(3, 4, 5, free_max=3, load_max=4, fewer=True), Fraction(1), 300,
    ),
}  # fmt: skip


def shown(entry: Power):
    often = f"{entry.found}/{entry.runs} (>= {100 * entry.least_rate:.0f} %)"
    return (
        often if entry.median_evaluations is None else (f"{often}, {entry.median_evaluations:.0f}")
    )


def known_optima(runs):
    rows = []
    for name, (objective, space, optimum, budget) in KNOWN.items():
        entries = power(objective, space, optimum, budget=budget, runs=runs)
        rows.append((name, budget, *map(shown, entries)))
    return table(("optimum", "budget", *METHODS), rows)


# --- Planted faults -----------------------------------------------------------------------------


class Mirrored(LeastLoaded):
    """Takes the workers in the other order when three requests wait and loads are equal."""

    name = "mirrored"

    def admit(self, view):
        answer = super().admit(view)
        if (
            view.pool.size == 3
            and view.loads.min() == view.loads.max() > 0
            and (view.free == view.free[0]).all()
        ):
            return np.where(answer >= 0, view.loads.size - 1 - answer, answer)
        return answer


def greedy(problem: StepProblem) -> int:
    """Oldest first, each to the lightest worker: a policy in the place of a solver."""
    loads, free = problem.loads.tolist(), problem.free.tolist()
    for size in problem.pool[: problem.admissions].tolist():
        g = min((g for g in range(len(loads)) if free[g]), key=lambda g: loads[g])
        loads[g] += size
        free[g] -= 1
    return len(loads) * max(loads) - sum(loads)


def rarely_wrong(problem: StepProblem) -> int:
    """One too much where exactly three requests have the size 5."""
    return problem.objective(exact_step(problem)) + int((problem.pool == 5).sum() == 3)


def bold_bound(problem: StepProblem):
    """By how much a lower bound that is one too high on poor pools exceeds the optimum."""
    poor = problem.pool.size < problem.free.sum()
    step = problem.loads.tolist(), problem.free.tolist(), problem.pool.tolist()
    bound = simple_lower_bound(*step)[0]
    return Fraction(bound + int(poor) - problem.objective(exact_step(problem)))


def lost_step(run):
    """Imbalance that an engine invents that ends requests of size and length 3 a step early."""
    s, o = run.requests.prefill, run.requests.decode
    early = Requests(s, o - ((s == 3) & (o == 3)))
    right = simulate_reference(run.system, run.requests, "fcfs", pool=run.pool).total
    wrong = simulate_reference(run.system, early, "fcfs", pool=run.pool).total
    return Fraction(abs(right.sum_max - wrong.sum_max))


def differs(run):
    """How far the largest loads of the mirrored policy and of the right one are apart."""
    right = simulate(run.system, run.requests, "least_loaded", pool=run.pool).total
    wrong = simulate(run.system, run.requests, Mirrored(), pool=run.pool).total
    return Fraction(abs(right.sum_max - wrong.sum_max))


STEPS = StepSpace(2, 5, 5, free_max=3, load_max=5)
FAULTS = {
    "step solver: greedy instead of optimal": (step_excess(greedy), STEPS, 500),
    "step solver: one too much at three 5s": (step_excess(rarely_wrong), STEPS, 500),
    "bound: one too high on poor pools": (bold_bound, STEPS, 500),
    "engine: size 3 of length 3 departs early": (
        lost_step, Space(2, 1, 4, 6, decode_max=4), 500,
    ),
    "policy: breaks a tie the other way when three wait": (
        differs, Space(2, 2, 7, 6, decode_max=3), 500,
    ),
}  # fmt: skip


def planted_faults(runs):
    rows = []
    for name, (objective, space, budget) in FAULTS.items():
        cells = []
        for method in METHODS:
            found = [
                search(objective, space, method, budget=budget, seed=seed, target=Fraction(1))
                for seed in range(runs)
            ]
            hits = [r.evaluations for r in found if r.value is not None and r.value > 0]
            cells.append(f"{len(hits)}/{runs}" + (f", {median(hits):.0f}" if hits else ""))
        rows.append((name, budget, *cells))
    return table(("fault", "budget", *METHODS), rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="CPU seconds for one class")
    parser.add_argument("--runs", type=int, default=10, help="runs of each search")
    given = parser.parse_args()
    print("# What the adversary can do\n")
    print(f"Largest classes solved exactly within {given.seconds:g} s of one CPU.\n")
    print(exact_sizes(given.seconds) + "\n")
    print(
        "Known optima: runs that reached it, the rate that this proves at 95 %, and the median "
        "number of evaluations.\n"
    )
    print(known_optima(given.runs) + "\n")
    print("Planted faults: runs that found it within the budget, and the median of evaluations.\n")
    print(planted_faults(given.runs))


if __name__ == "__main__":
    main()
