"""What the searches for a step that breaks a bound share."""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import combinations_with_replacement

from adversary.instances.space import Instance
from evenkeel.evidence.check import Finding, Trial, Variant, Verdict
from evenkeel.evidence.scoreboard import Cases
from evenkeel.theorems.registry import Assumption
from evenkeel.theorems.step.domains import refills, weight, witness_of
from solvers.step.exact.brute_force import exact_step
from solvers.step.problem import StepProblem
from theory.disproof import violated
from theory.formulas.step import full_refill_bound
from theory.proof import Conclusion
from theory.relations import at_most
from theory.symbolic import sp


def refill_bound() -> "sp.Basic":
    """``Imb <= (G-1)(b-a)``."""
    return at_most("Imb", "(G - 1) * (b - a)")


def broken_refill(
    text: str, left: "sp.Expr", G: int, a: int, b: int, excess: "sp.Expr | None" = None
) -> Conclusion:
    """``(G-1)(b-a) < Imb`` at numbers."""
    return violated(text, refill_bound(), {"Imb": left, "G": G, "a": a, "b": b}, excess)


def witness_of_run(instance: Instance) -> dict[str, object]:
    """The run's instance, as stored with a finding."""
    system, requests = instance.system, instance.requests
    return {
        "workers": system.workers,
        "slots": system.slots,
        "pool": instance.pool,
        "prefill": requests.prefill.tolist(),
        "decode": requests.decode.tolist(),
    }


REFILL = (Assumption.FULL_REFILL, Assumption.BOUNDED_SIZES, Assumption.EXACT_STEP)
SEARCH = "Exhaustive search in order of size, the bound with the assumption kept as control"
NEAR = Variant("within 1.25 times the bound, where it is not 0", Fraction(5, 4))
AFTER = "imbalance after the step (load)"


def with_control(trial: Trial, cases: Cases, control: Cases, domain: str) -> Finding:
    """The finding, with what the same bound does while the assumption is kept."""
    return cases.finding(
        trial,
        f"{domain}, smallest first",
        details={
            "control: cases with the assumption": control.count,
            "control: violations": int(control.violated),
        },
        strongest=Verdict.INCONCLUSIVE,
    )


def _empty_steps(slots: Iterable[tuple[int, ...]], size: int, n: int) -> Iterator[StepProblem]:
    """Empty workers with those free slots, and every pool of up to ``n`` requests."""
    for free in slots:
        for length in range(1, n + 1):
            for pool in combinations_with_replacement(range(1, size + 1), length):
                yield StepProblem([0] * len(free), free, pool)


def sorted_refills(shapes: Iterable[tuple[int, int]], size: int) -> list[StepProblem]:
    """Full refills of those (G, B), exactly as many requests as slots, smallest first."""
    every = (problem for G, B in shapes for problem in refills(G, B, 1, size, 0))
    return sorted(every, key=weight)


def width(problem: StepProblem) -> int:
    """``(G-1)(b-a)`` with the smallest and the largest size of the pool for a and b."""
    return full_refill_bound(problem.workers, int(problem.pool.min()), int(problem.pool.max()))


def optimum(problem: StepProblem) -> int:
    """The least imbalance after the step."""
    return problem.objective(exact_step(problem))


def certified_refill_bound(
    trial: Trial, free: Iterable[tuple[int, ...]], excess: Callable[[StepProblem], int]
) -> Finding:
    """Optima against ``(G-1)(b-a)``, with the steps without an excess as control.

    ``excess`` says by how much the assumption fails, negative for a step that is neither.
    """
    cases, control = Cases("<="), Cases("<=")
    for problem in sorted(_empty_steps(free, trial["size"], 6), key=weight):
        by = excess(problem)
        if by == 0:
            control.add(optimum(problem), width(problem), witness_of(problem))
        elif by > 0 and not cases.violated and (by == 1 or not trial.fault("by-one")):
            bound = width(problem) * trial.scale
            if bound or trial.scale == 1:
                cases.add(optimum(problem), bound, witness_of(problem))
    return with_control(trial, cases, control, f"pools of sizes <= {trial['size']}, G <= 3")
