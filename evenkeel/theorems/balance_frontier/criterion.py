"""Checks of when a step can restore the balance, and of what no policy can avoid.

Here are the criterion and what no policy can avoid; how far the authority of one step reaches is
in :mod:`evenkeel.theorems.balance_frontier.probabilities`.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache, partial
from itertools import combinations, combinations_with_replacement, product
from math import comb

import numpy as np

from adversary.instances.small_runs import exact_step, optimal_step
from adversary.workloads.families import requests_to_overload, workload
from evenkeel.evidence.check import Finding, Trial, Variant, Verdict, check
from evenkeel.evidence.scoreboard import Cases, Witness
from evenkeel.evidence.statistics import Mean, first_steps, overloaded_run
from evenkeel.theorems.step.domains import affordable, rich_steps, witness_of
from solvers.simulation.result import RunResult
from solvers.step.problem import StepProblem
from theory.formulas.rebalancing import can_rebalance, unavoidable_imbalance
from theory.formulas.step import criterion_violation
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Law
from theory.laws.slot_load import geometric_slot
from theory.model import IntArray, System

Rows = tuple[tuple[int, ...], ...]


@cache
def enumerated_optimum(
    loads: tuple[int, ...], free: tuple[int, ...], sizes: tuple[int, ...]
) -> int:
    """Optimal imbalance of a step that fills every slot, by trying all assignments."""
    # The search itself, without its limit on assignments: copies of a size are interchangeable.
    problem = StepProblem(loads, free, sizes)
    assignment = np.empty(len(sizes), dtype=np.int64)
    optimal_step(problem.loads, problem.free, problem.pool, assignment)
    return problem.objective(assignment)


def _departures(trial: Trial, top: int) -> Iterator[tuple[Rows, Rows, list[int]]]:
    """Balanced states of two workers, and every pattern of departures.

    Yields the rows of loads at the measured step, the loads of the departing requests at that
    step, and the loads that are left after growth by 1.
    """
    B = trial["B"]
    affordable(comb(top + B - 1, B) ** 2 * 4**B, "departure patterns")
    rows = list(combinations_with_replacement(range(1, top + 1), B))
    for one, two in combinations_with_replacement(rows, 2):
        if sum(one) != sum(two):
            continue
        gone = [[c for k in range(B + 1) for c in combinations(row, k)] for row in (one, two)]
        for left, right in product(*gone):
            kept = [sum(row) + B - sum(out) - len(out) for row, out in ((one, left), (two, right))]
            yield (one, two), (left, right), kept


def _rich_optimum(kept: Sequence[int], gone: Rows, a: int, b: int, *, copies: bool) -> int:
    """Optimal imbalance of the refill, from the smallest rich pool, by trying all assignments."""
    free = tuple(map(len, gone))
    slots = sum(free)
    sizes = [s for s in range(a, b + 1) for _ in range(slots if copies else 1)]
    low = min(kept)
    return enumerated_optimum(tuple(x - low for x in kept), free, tuple(sizes))


@check(
    "threshold.rich",
    measures="imbalance of the optimal step (load)",
    B=2,
    top=5,
    size=3,
    standard={"top": 7, "size": 4},
    paper={"B": 3, "top": 6, "size": 3},
    plants=(
        Variant("imbalance x1.1", Fraction(11, 10)),
        Variant("imbalance x0.9", Fraction(9, 10)),
        Variant("the criterion is X < Y", fault="strict"),
        Variant("growth of the step left out", fault="no-growth"),
        Variant("one copy of each size in the pool", fault="one-copy"),
        Variant("the total of departing loads alone", fault="totals"),
    ),
)
def rich(trial: Trial) -> Finding:
    """The imbalance and the criterion against the enumerated optimum, for all departures."""
    cases = Cases("==")
    for rows, gone, kept in _departures(trial, trial["top"]):
        grown = [[w + (not trial.fault("no-growth")) for w in out] for out in gone]
        for a, b in combinations_with_replacement(range(1, trial["size"] + 1), 2):
            copies = not trial.fault("one-copy")
            if not copies and sum(map(len, gone)) > b - a + 1:
                continue
            optimum = _rich_optimum(kept, gone, a, b, copies=copies)
            X, Y = ([sum(w - s for w in out) for out in grown] for s in (b, a))
            missing = sum(max(0, x - min(Y)) for x in X) * trial.scale
            balanced = can_rebalance(grown, a, b)
            if trial.fault("totals"):
                balanced = sum(grown[0]) == sum(grown[1])
            elif trial.fault("strict"):
                balanced = max(X) < min(Y)
            witness: Witness = partial(dict, loads=rows, departed=gone, a=a, b=b)
            if cases.add(optimum, missing, witness) or cases.add(
                int(optimum == 0), int(balanced), witness
            ):
                break
        if cases.violated:
            break
    return cases.finding(
        trial,
        "threshold.rich",
        f"imbalance, and whether it is 0, at G = 2, B = {trial['B']}, all balanced states with "
        f"loads <= {trial['top']}, all departures, 1 <= a <= b <= {trial['size']}",
    )


@check(
    "threshold.rich-any-slots",
    no_near_factor="an identity or an equivalence, without a constant",
    measures="whether the optimal step is balanced (0 or 1)",
    top=6,
    size=3,
    plants=(
        Variant("the criterion suffices", fault="suffices"),
        Variant("balance where nothing departs", fault="nothing-departs"),
    ),
)
def rich_any_slots(trial: Trial) -> Finding:
    """The criterion where slots are empty.  The planted versions are weaker and false too."""
    cases, top = Cases("=="), trial["top"]
    states = [row for k in (1, 2) for row in combinations_with_replacement(range(1, top + 1), k)]
    for rows in product(states, repeat=2):
        if sum(rows[0]) != sum(rows[1]) or len(rows[0]) == len(rows[1]) == 2:
            continue
        gone_from = [[c for k in range(len(row) + 1) for c in combinations(row, k)] for row in rows]
        for gone, (a, b) in product(
            product(*gone_from), combinations_with_replacement(range(1, trial["size"] + 1), 2)
        ):
            # Loads grow by 1; a worker of two slots fills all that is empty.
            free = [2 - len(row) + len(out) for row, out in zip(rows, gone, strict=True)]
            kept = [
                sum(row) + len(row) - sum(out) - len(out)
                for row, out in zip(rows, gone, strict=True)
            ]
            if min(map(min, rows)) < a:
                continue
            sizes = tuple(s for s in range(a, b + 1) for _ in range(sum(free)))
            optimum = enumerated_optimum(tuple(x - min(kept) for x in kept), tuple(free), sizes)
            claimed = can_rebalance([[w + 1 for w in out] for out in gone], a, b)
            if (trial.fault("suffices") and not claimed) or (
                trial.fault("nothing-departs") and any(gone)
            ):
                continue
            witness: Witness = partial(dict, loads=rows, departed=gone, a=a, b=b)
            if cases.add(int(optimum == 0), int(claimed), witness):
                break
        if cases.violated:
            break
    return cases.finding(
        trial,
        "threshold.rich-any-slots",
        f"up to the first disagreement at G = B = 2, balanced states with an empty slot and loads "
        f"<= {top}, all departures, 1 <= a <= b <= {trial['size']}; 1 stands for perfect balance",
        held=Verdict.INCONCLUSIVE,
    )


@check(
    "threshold.replacement",
    no_near_factor="an identity or an equivalence, without a constant",
    measures="imbalance of the optimal step (load)",
    B=2,
    size=4,
    standard={"size": 5},
    plants=(
        Variant("departing loads up to b + 1", fault="older"),
        Variant("growth of the step left out", fault="no-growth"),
    ),
)
def replacement(trial: Trial) -> Finding:
    """Optimal imbalance after departures of loads up to ``b``, growth included."""
    cases, b = Cases("=="), trial["size"]
    above = trial.fault("older") or trial.fault("no-growth")
    for rows, gone, kept in _departures(trial, b + above):
        oldest = max((w + 1 for out in gone for w in out), default=1)
        if oldest > b + above:
            continue
        for a in range(1, min(map(min, rows)) + 1):
            optimum = _rich_optimum(kept, gone, a, b, copies=True)
            if cases.add(optimum, 0, partial(dict, loads=rows, departed=gone, a=a, b=b)):
                break
        if cases.violated:
            break
    return cases.finding(
        trial,
        "threshold.replacement",
        f"G = 2, B = {trial['B']}, b = {b}, all a, all balanced states with every slot occupied, "
        "all departures of loads at most b after growth",
    )


@check(
    "threshold.cost",
    measures="optimal imbalance (load)",
    G=3,
    load=4,
    free=2,
    slots=3,
    size=3,
    standard={"load": 8, "slots": 4},
    plants=(
        Variant("v x1.1", Fraction(11, 10), side="lower"),
        Variant("(G-1) v x0.9", Fraction(9, 10), side="upper"),
        Variant("G - 2 in place of G - 1", fault="workers"),
        Variant("one copy of each size in the pool", fault="one-copy"),
    ),
)
def cost(trial: Trial) -> Finding:
    """Enumerated optima between the violation of the criterion and ``G - 1`` times it."""
    cases, low, high = Cases("<="), 0, 0
    for problem, a, b in rich_steps(trial):
        loads, free = problem.loads.tolist(), problem.free.tolist()
        violation = criterion_violation(loads, free, a, b)
        optimum = problem.objective(exact_step(problem))
        most = (problem.workers - 1 - trial.fault("workers")) * violation
        low += violation == optimum > 0
        high += most == optimum > 0
        if cases.add(
            violation * trial.scale_of("lower"), optimum, witness_of(problem)
        ) or cases.add(optimum, most * trial.scale_of("upper"), witness_of(problem)):
            break
    return cases.finding(
        trial,
        "threshold.cost",
        f"both sides for all steps with G <= {trial['G']}, loads <= {trial['load']}, free slots "
        f"<= {trial['free']} (sum <= {trial['slots']}), 1 <= a <= b <= {trial['size']}",
        details={"lower side attained": low, "upper side attained": high},
    )


# --- What no policy can avoid -------------------------------------------------------------------


def _ages(result: RunResult, steps: int) -> IntArray:
    """Sum of the ages of the active requests, int64[steps, G]."""
    total = np.zeros((steps, result.system.workers), dtype=np.int64)
    columns = result.start_step, result.requests.decode, result.worker
    for start, length, g in zip(*(column.tolist() for column in columns), strict=True):
        n = min(length, steps - start)
        if n > 0:
            total[start : start + n, g] += np.arange(n)
    return total


@check(
    "threshold.any-policy",
    measures="imbalance of a step of any policy (load); mean of its age part",
    systems=((6, 4), (2, 1)),
    p=0.1,
    a=1,
    b=2,
    steps=60,
    runs=200,
    standard={"steps": 100, "runs": 1600},
    paper={"systems": ((16, 16), (6, 4), (2, 1)), "p": 0.05, "steps": 300, "runs": 2000},
    plants=(
        Variant("claimed side x1.01", Fraction(101, 100), side="step"),
        Variant("age part x1.2", Fraction(6, 5), side="ages"),
        Variant("age part x0.85", Fraction(17, 20), side="ages"),
        Variant("without the reach of the sizes", fault="no-reach"),
        Variant("ages off by a factor of two", fault="ages"),
    ),
)
def any_policy(trial: Trial) -> Finding:
    """The pathwise bound at every full step, and the mean of its age part against its law."""
    p, steps, a, b = trial["p"], trial["steps"], trial["a"], trial["b"]
    policies = ["bfio", "fcfs", "least_loaded", "always_busiest", *trial.users()]
    cases = Cases(">=")
    details: dict[str, object] = {}
    # Some correlation times apart, to make the mean of a run a mean of several.
    measured = range(steps - 1, steps // 3, -max(1, steps // 6))
    for G, B in trial["systems"]:
        ends: list[float] = []
        for run in range(trial["runs"]):
            seed = trial.seed * 10**6 + run
            ages = _hold_path(trial, cases, System(G, B), policies[run % len(policies)], seed)
            if cases.violated:
                break
            ends.append(float(ages[list(measured)].mean()))
        if cases.violated:
            break
        exact = Fraction(p).limit_denominator(10**6)
        laws = [geometric_slot(Law.of({0: 1}), exact, step=k) for k in measured]
        means = [expected_imbalance(law, G, B).imbalance.value for law in laws]
        expected = sum(means) / len(means) * float(trial.scale_of("ages"))
        sampled = Mean.of(ends)
        details[f"age part at G = {G}, B = {B}: expected"] = expected
        details[f"age part at G = {G}, B = {B}: interval"] = list(sampled.interval)
        if expected not in sampled:
            return Finding(
                Verdict.REFUTED,
                sampled.value,
                expected,
                "==",
                f"age part of the imbalance at steps {list(measured)}, over all policies, G = {G}",
                sampled.interval,
                {"params": dict(trial.params), "seed": trial.seed, "policies": policies},
            )
    return cases.finding(
        trial,
        "threshold.any-policy",
        f"steps with a positive bound of {trial['runs']} overloaded runs of "
        f"{', '.join(policies)} at (G, B) in {trial['systems']}, p = {p}, sizes in [{a}, {b}], "
        f"{steps} steps; shown: the tightest",
        details=details,
    )


def _hold_path(trial: Trial, cases: Cases, system: System, spec: str, seed: int) -> IntArray:
    """Add every step of a run; ``G max A - sum A`` of each, int64[steps]."""
    G, steps, a, b = system.workers, trial["steps"], trial["a"], trial["b"]
    n = requests_to_overload(system, steps, p=trial["p"])
    requests = workload("uniform", n, seed, a=a, b=b, p=trial["p"])
    result = overloaded_run(system, requests, spec, steps, seed=seed)
    ages = _ages(result, steps)
    spread: IntArray = G * ages.max(axis=1) - ages.sum(axis=1)
    reach = 0 if trial.fault("no-reach") else (G - 1) * system.slots * (b - a)
    loads = first_steps(result, steps).tolist()
    for step, (row, least) in enumerate(zip(loads, spread.tolist(), strict=True)):
        bound = (least * (1 + trial.fault("ages")) - reach) * trial.scale_of("step")
        witness: Witness = partial(dict, policy=spec, seed=seed, step=step, loads=row)
        if bound > 0 and cases.add(G * max(row) - sum(row), bound, witness):
            break
    return spread


@check(
    "threshold.t2-static",
    measures="least mean imbalance of any online policy (load)",
    G=1024,
    B=256,
    p=Fraction(1, 10),
    a=1,
    b=2,
    plants=(
        Variant("with a constant of 12.5", Fraction(5, 4)),
        Variant("with a constant of 13.4", Fraction(67, 50)),
        Variant("(G-1) s_max / p^2", fault="square"),
    ),
)
def t2_static(trial: Trial) -> Finding:
    """A rigorous lower bound of every online policy's mean against ``10 (G-1) s_max / p``.

    The planted versions are weaker statements that are false too.
    """
    G, B, b = trial["G"], trial["B"], trial["b"]
    p = Fraction(trial["p"]).limit_denominator(10**6)
    least = unavoidable_imbalance(G, B, p, b - trial["a"])
    claimed = 10 * (G - 1) * b / p
    if trial.fault("square"):
        claimed = (G - 1) * b / p**2
    cases = Cases("<=")
    witness: Witness = partial(dict, G=G, B=B, p=str(p), a=trial["a"], b=b)
    cases.add(least, claimed * trial.scale, witness)
    return cases.finding(
        trial,
        "threshold.t2-static",
        f"G = {G}, B = {B}, p = {p}, sizes in [{trial['a']}, {b}], stationarity, any online policy",
        details={"multiple of (G-1) s_max / p": float(least / ((G - 1) * b / p))},
        held=Verdict.INCONCLUSIVE,
    )
