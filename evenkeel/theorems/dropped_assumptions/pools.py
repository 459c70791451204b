"""Bounds of a step without assumptions on the pool and the sizes."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import combinations_with_replacement, product

import numpy as np

from evenkeel.findings.check import Finding, Trial, Variant, Verdict, evidence
from evenkeel.findings.scoreboard import Case, Cases, without
from evenkeel.theorems.dropped_assumptions.refills import (
    AFTER,
    NEAR,
    REFILL,
    broken_refill,
    optima_without,
    optimum,
    refill_bound,
)
from evenkeel.theorems.registry import Assumption, Dropped, claim
from evenkeel.theorems.step.domains import weight, witness_of
from evenkeel.theorems.step.waterfill import waterfill_formula
from solvers.step.problem import StepProblem
from theory.disproof import imbalance_at, violated
from theory.formulas.step import full_refill_extremal, waterfill_optimum
from theory.proof import Identity, Lemma, Step
from theory.relations import at_most
from theory.symbolic import sp


@claim(
    "limits.overloaded",
    "upper",
    assumptions=REFILL,
    requires=("step.full-refill-gap",),
    holds=False,
    answers=("A1",),
    drops=(Dropped("warmup.bfio-upper", "overloaded pool"),),
)
class Overloaded:
    """A full refill without enough requests.

    The bound (G-1)(b-a) of [step.full-refill-gap] holds for pools of fewer than G*B requests.
    False: G = 2, B = 1 and one request of size 1 leave 1 > 0.
    """

    def formula(self) -> "sp.Basic":
        return refill_bound()

    def proof(self) -> tuple[Step, ...]:
        G = sp.Symbol("n", positive=True, integer=True) + 1
        a = sp.Symbol("a", positive=True, integer=True)
        return (
            Lemma(
                "one request",
                "G = n + 1 empty workers and one request of size a, so b - a = 0 and the bound is "
                "0: one load is a, the others are 0.",
            ),
            Identity("The imbalance is positive", sp.UnevaluatedExpr(G * a) - a, (G - 1) * a),
            broken_refill("above the bound", (G - 1) * a, G, a, a, (G - 1) * a),
        )

    @evidence(
        measures=f"optimal {AFTER}",
        size=3,
        standard={"size": 4},
        plants=(NEAR, Variant("one request too few", fault="by-one")),
    )
    def check(self, trial: Trial) -> Finding:
        """Exhaustive search in order of size, the bound with the assumption kept as control; an
        optimum above (G-1)(b-a) refutes it.
        """

        def missing(problem: StepProblem) -> int:
            return max(0, problem.free_slots - problem.pool.size)

        shapes = [(B,) * G for G, B in ((2, 1), (2, 2), (3, 1), (3, 2))]
        return optima_without(trial, shapes, missing)


@claim(
    "limits.pool-condition",
    "equality",
    assumptions=(Assumption.POOL_CONDITION, Assumption.BOUNDED_SIZES, Assumption.EXACT_STEP),
    requires=("step.waterfill",),
    holds=False,
    answers=("A1",),
    drops=(Dropped("step.waterfill", "rich pool (the paper's pool condition instead)"),),
)
class PoolCondition:
    """The paper's pool condition in place of a rich pool.

    [step.waterfill] holds for every pool that can fill all free slots even after any one size class
    is removed. False: sizes 1, 2, 3 for two empty workers with a slot each leave 1, and the closed
    form for [1, 3] says 0.
    """

    def formula(self) -> "sp.Basic":
        return waterfill_formula()

    def proof(self) -> tuple[Step, ...]:
        level = sp.Symbol("M", nonnegative=True)
        return (
            Lemma(
                "the pool condition holds",
                "Two empty workers with one slot each, sizes 1, 2, 3: two of them are left "
                "whichever one is removed.",
            ),
            Identity(
                "The closed form says 0: M = max (0 + 1) = 1 and each gap is (M - 3)^+",
                sp.Subs(2 * sp.Max(0, level - 3), level, 1),
                sp.Integer(0),
            ),
            Lemma("all sizes differ", "so the two loads do, by at least 1: the best are (1, 2)."),
            violated(
                "The optimum leaves more than the closed form",
                at_most("Imb", "closed"),
                {"Imb": imbalance_at(1, 2), "closed": 0},
            ),
        )

    @evidence(
        no_near_factor="an order alone is claimed: zero has no factor",
        measures=f"optimal {AFTER}",
        size=4,
        standard={"size": 6},
        plants=(
            Variant("after any two classes are removed", fault="two-classes"),
            Variant("two copies of every class", fault="copies"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Exhaustive search in order of size, the bound with the assumption kept as control; an
        optimum that differs from the closed form refutes it.
        """
        rich, poor = [], []
        steps = (
            StepProblem(loads, free, pool)
            for loads, free in product(((0, 0), (0, 1), (0, 2)), ((1, 1), (1, 2)))
            for n in range(1, 7)
            for pool in combinations_with_replacement(range(1, trial["size"] + 1), n)
        )
        for problem in sorted(steps, key=weight):
            slots = problem.free_slots
            classes, copies = np.unique(problem.pool, return_counts=True)
            removed = np.sort(copies)[-2:].sum() if trial.fault("two-classes") else copies.max()
            if classes.size == classes[-1] - classes[0] + 1 and copies.min() >= slots:
                rich.append(problem)
            elif problem.pool.size - removed >= slots and copies.min() >= 1 + trial.fault("copies"):
                poor.append(problem)

        def closed(steps: Iterable[StepProblem]) -> Iterator[Case]:
            for problem in steps:
                loads, free, pool = witness_of(problem)().values()
                claimed = waterfill_optimum(loads, free, min(pool), max(pool))[0]
                yield optimum(problem), claimed, witness_of(problem)

        domain = f"two workers with loads <= 2, up to 6 requests of size <= {trial['size']}"
        return without(trial, "==", closed(poor), closed(rich), f"{domain}, smallest first")


@claim(
    "limits.bounded-sizes",
    "upper",
    assumptions=(Assumption.FULL_REFILL, Assumption.OVERLOADED, Assumption.EXACT_STEP),
    requires=("step.full-refill-tight",),
    holds=False,
    answers=("A2",),
    drops=(Dropped("warmup.bfio-upper", "bounded sizes"),),
)
class BoundedSizes:
    """A full refill without a bound on the sizes.

    For given G >= 2 and B some number K bounds the imbalance of every optimal full refill.
    """

    def formula(self) -> "sp.Basic":
        return at_most("Imb", "K")

    def proof(self) -> tuple[Step, ...]:
        B, a, K = sp.symbols("B a K", positive=True, integer=True)
        # G = n + 1 workers, at least two.
        n = sp.Symbol("m", nonnegative=True, integer=True) + 1
        return (
            Lemma(
                "no choice",
                "G = n + 1 workers.  One request of size a + K + 1 and G B - 1 of size a: B to "
                "each worker, so one load is B a + K + 1 and the others are B a.",
            ),
            Identity(
                "The imbalance",
                (n + 1) * (B * a + K + 1) - ((n + 1) * B * a + K + 1),
                n * (K + 1),
            ),
            violated(
                "exceeds K", at_most("Imb", "K"), {"Imb": n * (K + 1), "K": K}, (n - 1) * K + n
            ),
        )

    @evidence(
        measures=f"optimal {AFTER}",
        powers=6,
        standard={"powers": 12},
        plants=(
            Variant("bounded by 1.25 K", Fraction(5, 4)),
            Variant("with a spare request", fault="spare"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """For K in powers of ten the extremal pool of width K + 1, solved exactly; an optimum above
        K refutes it. One request of size a + K + 1 among requests of size a leaves (G-1)(K+1).
        """
        # With a spare request one giant would be left out: take two, on three workers.
        G, giants = (3, 2) if trial.fault("spare") else (2, 1)

        def pools() -> Iterator[Case]:
            # Largest K first: the claim asks for one that is never exceeded.
            for power in range(trial["powers"], -1, -1):
                K = 10**power * trial.scale
                *others, giant = full_refill_extremal(G, 2, 1, int(K) + 2)
                problem = StepProblem([0] * G, [2] * G, [*others, *[giant] * giants])
                yield optimum(problem), K, witness_of(problem)

        cases = Cases("<=")
        cases.extend(pools())
        return cases.finding(
            trial,
            f"one pool for each K = 10^{trial['powers']}, ..., 10, 1, largest first",
            strongest=Verdict.INCONCLUSIVE,
        )
