"""Full refills, smallest first, and the bound that holds while every assumption is kept."""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import combinations_with_replacement

from evenkeel.findings.check import Finding, Trial, Variant
from evenkeel.findings.scoreboard import Case, without
from evenkeel.theorems.registry import Assumption
from evenkeel.theorems.step.domains import refills, weight, witness_of
from solvers.step.exact.brute_force import exact_step
from solvers.step.problem import StepProblem
from theory.disproof import violated
from theory.formulas.step import full_refill_bound
from theory.proof import Conclusion
from theory.relations import at_most
from theory.symbolic import sp

REFILL = (Assumption.FULL_REFILL, Assumption.BOUNDED_SIZES, Assumption.EXACT_STEP)
AFTER = "imbalance after the step (load)"

# Plants of several checks.
NEAR = Variant("within 1.25 times the bound, where it is not 0", Fraction(5, 4))
PLUS_ONE = Variant("within the bound plus 1", fault="plus-one")


def refill_bound(imbalance: str = "Imb") -> "sp.Basic":
    """``Imb <= (G-1)(b-a)``."""
    return at_most(imbalance, full_refill_bound(*sp.symbols("G a b", positive=True)))


def broken_refill(
    text: str,
    left: "sp.Expr",
    G: "sp.Expr | int",
    a: "sp.Expr | int",
    b: "sp.Expr | int",
    excess: "sp.Expr | None" = None,
) -> Conclusion:
    """``(G-1)(b-a) < Imb`` at a witness; the excess as in :func:`theory.disproof.violated`."""
    return violated(text, refill_bound(), {"Imb": left, "G": G, "a": a, "b": b}, excess)


def sorted_refills(shapes: Iterable[tuple[int, int]], size: int) -> list[StepProblem]:
    """Full refills of those (G, B), exactly as many requests as slots, smallest first."""
    every = (problem for G, B in shapes for problem in refills(G, B, 1, size, 0))
    return sorted(every, key=weight)


def width(problem: StepProblem) -> int:
    """``(G-1)(b-a)`` with the smallest and the largest size of the pool for a and b."""
    pool: list[int] = problem.pool.tolist()
    return full_refill_bound(problem.workers, min(pool), max(pool))


def optimum(problem: StepProblem) -> int:
    """The least imbalance after the step."""
    return problem.objective(exact_step(problem))


def against_bound(steps: Iterable[StepProblem]) -> Iterator[Case]:
    """The optimum of each step against ``(G-1)(b-a)``."""
    return ((optimum(problem), width(problem), witness_of(problem)) for problem in steps)


def optima_without(
    trial: Trial, free: Iterable[tuple[int, ...]], excess: Callable[[StepProblem], int]
) -> Finding:
    """Optima against ``(G-1)(b-a)``: empty workers, every pool of up to six requests.

    Parameters
    ----------
    trial : Trial
        The run, with the largest ``size``; the fault ``by-one`` leaves larger excesses out.
    free : iterable of tuple of int
        Slots of the workers.
    excess : callable
        By how much a step fails the assumption, 0 if it keeps it; a negative one is left out.
    """
    steps = sorted(
        (
            StepProblem([0] * len(slots), slots, pool)
            for slots in free
            for n in range(1, 7)
            for pool in combinations_with_replacement(range(1, trial["size"] + 1), n)
        ),
        key=weight,
    )
    by = [excess(problem) for problem in steps]
    kept = (problem for problem, more in zip(steps, by, strict=True) if more == 0)
    dropped = (
        problem
        for problem, more in zip(steps, by, strict=True)
        if (more == 1 or (more > 1 and not trial.fault("by-one")))
        # A factor says nothing where the bound is 0.
        and (trial.scale == 1 or width(problem))
    )
    domain = f"pools of sizes <= {trial['size']}, G <= 3, smallest first"
    return without(trial, "<=", against_bound(dropped), against_bound(kept), domain)
