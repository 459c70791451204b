"""Checks of the claims about full refills."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from adversary.instances.small_runs import exact_step, optimal_step
from evenkeel.evidence.check import Finding, Trial, Variant, check
from evenkeel.evidence.scoreboard import THOUSANDTH, Cases, near
from evenkeel.theorems.step.domains import admit, after_of, refills, witness_of
from solvers.step.problem import StepProblem
from theory.formulas.step import full_refill_bound, full_refill_extremal
from theory.model import InputError, imbalance

# Largest search tree of an extremal pool.
MOST_NODES = 200_000


def _random_refills(trial: Trial) -> Iterator[tuple[StepProblem, int, int]]:
    """Larger full refills with their ``a`` and ``b``: uniform, two-point and one-giant sizes."""
    rng = np.random.default_rng(trial.seed)
    for index in range(trial["random"]):
        G, B = int(rng.integers(2, trial["G"] + 1)), int(rng.integers(1, trial["B"] + 1))
        a = int(rng.integers(1, 50))
        b = a + int(rng.integers(1, 200))
        n = G * B + int(rng.integers(0, 2 * G))
        if index % 3 == 0:
            pool = rng.integers(a, b + 1, n)
        elif index % 3 == 1:
            pool = rng.choice([a, b], n, p=[0.8, 0.2])
        else:
            pool = np.array(full_refill_extremal(G, B, a, b))
        yield StepProblem([0] * G, [B] * G, pool), a, b


def _spoiled(trial: Trial, problem: StepProblem) -> StepProblem:
    """The refill, or a version that breaks a hypothesis where that is planted."""
    if trial.fault("unequal-slots"):
        free = problem.free.copy()
        free[0] += 1
        return StepProblem(problem.loads, free, [*problem.pool.tolist(), int(problem.pool[0])])
    if trial.fault("poor-pool"):
        return StepProblem(problem.loads, problem.free, problem.pool[1:])
    return problem


@check(
    "step.full-refill-gap",
    measures="imbalance after an optimal full refill (load)",
    G=6,
    B=8,
    random=60,
    size=3,
    spare=1,
    standard={"G": 16, "B": 24, "random": 2000, "size": 5, "spare": 2},
    paper={"G": 64, "B": 72, "random": 5000, "size": 6, "spare": 3},
    plants=(
        near("imbalance", 1 / THOUSANDTH),
        near("max - min", 1 / THOUSANDTH),
        near("larger refills", 1 / THOUSANDTH),
        Variant("always_busiest in place of BF-IO", policy="always_busiest"),
        Variant("one more slot on a worker", fault="unequal-slots"),
        Variant("one request too few", fault="poor-pool"),
    ),
)
def full_refill_gap(trial: Trial) -> Finding:
    """Optimal full refills against ``(G-1)(b-a)``."""
    from solvers.step.fast.solve import solve_step

    if trial["G"] < 2 or trial["B"] < 1:
        raise InputError(f"full refills need G >= 2 and B >= 1, got {trial['G']}, {trial['B']}")
    cases, open_steps = Cases("<="), 0
    small = (
        problem
        for G, B, spare in product((2, 3), (1, 2), range(trial["spare"] + 1))
        for problem in refills(G, B, 1, trial["size"], spare)
    )
    for problem in (_spoiled(trial, refill) for refill in small):
        claimed = full_refill_bound(problem.workers, 1, trial["size"]) * trial.scale_of("imbalance")
        width = (trial["size"] - 1) * trial.scale_of("max - min")
        after, witness = after_of(problem, admit(trial, problem)), witness_of(problem)
        if cases.add(imbalance(after), claimed, witness) or cases.add(
            max(after) - min(after), width, witness, "largest minus smallest load"
        ):
            break
    for refill, low, high in () if cases.violated else _random_refills(trial):
        problem = _spoiled(trial, refill)
        claimed = full_refill_bound(problem.workers, low, high) * trial.scale_of("larger refills")
        if trial.policy_or("exact") != "exact":
            value = problem.objective(admit(trial, problem))
        else:
            solution = solve_step(problem, 2)
            value = solution.imbalance
            if value > claimed >= solution.lower_bound:
                open_steps += 1
                continue
        if cases.add(value, claimed, witness_of(problem)):
            break
    return cases.finding(
        trial,
        "step.full-refill-gap",
        f"all full refills with G <= 3, B <= 2, sizes <= {trial['size']}, up to {trial['spare']} "
        f"spare requests; {trial['random']} random ones with G <= {trial['G']}, B <= {trial['B']}",
        details={"left open by the fast solver": open_steps},
    )


@check(
    "step.full-refill-tight",
    measures="imbalance after an optimal full refill (load)",
    G=4,
    B=3,
    b=4,
    worst=3,
    standard={"G": 6, "B": 6, "b": 8, "worst": 6},
    plants=(
        near("extremal pool"),
        near("worst pool"),
        Variant("with one spare request", fault="spare"),
    ),
)
def full_refill_tight(trial: Trial) -> Finding:
    """The extremal pool solved, and the worst pool of small domains found, for every (G, B)."""
    cases = Cases("==")
    shapes = product(range(2, trial["G"] + 1), range(1, trial["B"] + 1), range(1, trial["b"] + 1))
    for G, B, b in shapes:
        if (B + 1) ** G > MOST_NODES:
            continue
        pool = list(full_refill_extremal(G, B, 1, b))
        problem = StepProblem([0] * G, [B] * G, pool + [1] * trial.fault("spare"))
        # The small requests are interchangeable: at most about (B + 1)^G nodes.
        assignment = np.empty(problem.pool.size, dtype=np.int64)
        optimal_step(problem.loads, problem.free, problem.pool, assignment)
        value = problem.objective(assignment)
        claimed = full_refill_bound(G, 1, b) * trial.scale_of("extremal pool")
        if cases.add(value, claimed, witness_of(problem)):
            break
    for G, B in () if cases.violated else ((2, 1), (2, 2), (3, 1), (2, 3), (3, 2)):
        every = refills(G, B, 1, trial["worst"], int(trial.fault("spare")))
        worst = max(every, key=lambda problem: problem.objective(exact_step(problem)))
        claimed = full_refill_bound(G, 1, trial["worst"]) * trial.scale_of("worst pool")
        if cases.add(worst.objective(exact_step(worst)), claimed, witness_of(worst)):
            break
    return cases.finding(
        trial,
        "step.full-refill-tight",
        f"the extremal pool for 2 <= G <= {trial['G']}, B <= {trial['B']} with (B + 1)^G <= "
        f"{MOST_NODES:,}, b - a < {trial['b']}; "
        f"the worst of all pools with sizes <= {trial['worst']} for five (G, B) up to (3, 2)",
    )
