"""Bounds of a step without assumptions on the admission."""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from itertools import permutations

import numpy as np

from adversary.witnesses.counterexamples import least_partial
from evenkeel.findings.check import Finding, Trial, Variant, Verdict, evidence
from evenkeel.findings.scoreboard import Case, Cases, Witness, without
from evenkeel.theorems.dropped_assumptions.refills import (
    AFTER,
    NEAR,
    REFILL,
    against_bound,
    broken_refill,
    optima_without,
    refill_bound,
    sorted_refills,
    width,
)
from evenkeel.theorems.registry import Assumption, Dropped, claim
from evenkeel.theorems.step.domains import admit, after_of, refills, weight, witness_of
from solvers.step.exact.brute_force import assignments, exact_step
from solvers.step.problem import StepProblem
from theory.disproof import gap_at, imbalance_at, violated
from theory.model import imbalance
from theory.proof import Identity, Lemma, Step
from theory.relations import at_least, at_most
from theory.symbolic import sp


@claim(
    "limits.work-conservation",
    "lower",
    assumptions=(Assumption.FULL_REFILL, Assumption.MYOPIC, Assumption.EXACT_STEP),
    requires=("step.objective",),
    holds=False,
    answers=("admission",),
    drops=(Dropped("warmup.bfio-upper", "work conservation"),),
)
class WorkConservation:
    """Least imbalance without work conservation.

    If slots may stay empty, some admission of least imbalance still admits as many requests as a
    work-conserving one. False: two empty workers with a slot each and sizes 1, 2 have least
    imbalance 0 with no request admitted, and so for ever.
    """

    def formula(self) -> "sp.Basic":
        return at_least("admitted", "U")

    def proof(self) -> tuple[Step, ...]:
        return (
            Lemma(
                "admissions",
                "Two empty workers with one slot each, sizes 1 and 2.  Admitting none leaves (0, "
                "0), one leaves (1, 0) or (2, 0), both leave (1, 2), up to the order of workers.",
            ),
            Identity("None", imbalance_at(0, 0), sp.Integer(0)),
            Identity("One, at best", imbalance_at(1, 0), sp.Integer(1)),
            Identity("Both", imbalance_at(1, 2), sp.Integer(1)),
            Lemma("for ever", "The least imbalance is that of admitting nobody, at every step."),
            violated("None is fewer than two", at_least("admitted", "U"), {"admitted": 0, "U": 2}),
        )

    @evidence(
        measures="most requests admitted at the least imbalance (requests)",
        size=3,
        standard={"size": 5},
        plants=(
            Variant("at least four fifths are admitted", Fraction(4, 5)),
            Variant("at least half are admitted", Fraction(1, 2)),
            Variant("at least one is admitted", fault="one"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Exhaustive search in order of size over admissions of any number of requests; fewer
        admissions at every least imbalance refute it.
        """
        cases = Cases(">=")
        steps = (
            problem
            for G, B, spare in ((2, 1, 0), (2, 1, 1), (2, 2, 0), (3, 1, 0))
            for problem in refills(G, B, 1, trial["size"], spare)
        )
        cases.extend(
            (
                least_partial(problem)[1],
                1 if trial.fault("one") else problem.admissions * trial.scale,
                witness_of(problem),
            )
            for problem in sorted(steps, key=weight)
        )
        return cases.finding(
            trial,
            f"full refills with G <= 3, sizes <= {trial['size']}, smallest first",
            strongest=Verdict.INCONCLUSIVE,
        )


@claim(
    "limits.equal-slots",
    "upper",
    assumptions=REFILL,
    requires=("step.full-refill-gap",),
    holds=False,
    drops=(Dropped("warmup.bfio-upper", "equal numbers of slots"),),
)
class EqualSlots:
    """A full refill with unequal numbers of slots.

    The bound (G-1)(b-a) of [step.full-refill-gap] holds when the workers have different numbers of
    slots. False: with one slot and two slots and all sizes 1, the loads are 1 and 2.
    """

    def formula(self) -> "sp.Basic":
        return refill_bound()

    def proof(self) -> tuple[Step, ...]:
        a = sp.Symbol("a", positive=True, integer=True)
        return (
            Lemma(
                "no choice",
                "One slot and two slots, all sizes a, so the bound is 0; the loads are (a, 2 a).",
            ),
            Identity("The imbalance is a", imbalance_at(a, 2 * a), a),
            broken_refill("above the bound", a, 2, a, a, a),
        )

    @evidence(
        measures=f"optimal {AFTER}",
        size=3,
        standard={"size": 4},
        plants=(NEAR, Variant("slots that differ by one", fault="by-one")),
    )
    def check(self, trial: Trial) -> Finding:
        """Exhaustive search in order of size, the bound with the assumption kept as control; an
        optimum above (G-1)(b-a) refutes it.
        """

        def uneven(problem: StepProblem) -> int:
            full = problem.pool.size >= problem.free_slots
            return int(problem.free.max() - problem.free.min()) if full else -1

        shapes = [(1, 1), (1, 2), (1, 3), (2, 2), (1, 1, 2), (1, 2, 2), (2, 2, 2)]
        return optima_without(trial, shapes, uneven)


@claim(
    "limits.exact-step",
    "upper",
    assumptions=(Assumption.FULL_REFILL, Assumption.OVERLOADED, Assumption.BOUNDED_SIZES),
    requires=("step.full-refill-gap",),
    holds=False,
    answers=("BF-IO(H)",),
    drops=(Dropped("warmup.bfio-upper", "optimal steps"),),
)
class ExactStep:
    """Any work-conserving admission in place of an optimal one.

    Every work-conserving full refill leaves at most (G-1)(b-a). False: two workers with two slots,
    sizes 1, 1, 2, 2 in that order: first come, first served leaves 2 > 1.
    """

    def formula(self) -> "sp.Basic":
        return refill_bound()

    def proof(self) -> tuple[Step, ...]:
        return (
            Lemma(
                "first come, first served",
                "Two workers with two slots, sizes 1, 1, 2, 2 in that order: the loads are (2, 4), "
                "and (G-1)(b-a) = 1.",
            ),
            broken_refill("The imbalance is twice the bound", imbalance_at(2, 4), 2, 1, 2),
        )

    @evidence(
        measures=AFTER,
        size=4,
        standard={"size": 5},
        plants=(
            Variant("within 1.25 times the bound", Fraction(5, 4)),
            Variant("within 1.5 times the bound", Fraction(3, 2)),
            Variant("least_loaded in place of fcfs", policy="least_loaded"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Exhaustive search in order of size, the bound with the assumption kept as control; an
        admission above (G-1)(b-a) refutes it.
        """
        steps = sorted_refills(((2, 1), (2, 2), (2, 3)), trial["size"])

        def admissions() -> Iterator[Case]:
            for problem in steps:
                for pool in sorted(set(permutations(problem.pool.tolist()))):
                    ordered = StepProblem(problem.loads, problem.free, pool)
                    left = ordered.objective(admit(trial, ordered, "fcfs"))
                    yield left, width(ordered), witness_of(ordered)

        return without(
            trial,
            "<=",
            admissions(),
            against_bound(steps),
            f"full refills of G = 2, B <= 3 by {trial.policy_or('fcfs')}, sizes <= "
            f"{trial['size']}, smallest first",
        )


@claim(
    "limits.ties",
    "upper",
    assumptions=(Assumption.WORK_CONSERVING, Assumption.EXACT_STEP),
    requires=("step.gap-condition",),
    holds=False,
    drops=(Dropped("step.gap-condition", "honest tie-breaks"),),
)
class Ties:
    """Any tie-break in place of the lexicographic one.

    On a step that meets [step.gap-condition] every admission of optimal imbalance leaves max - min
    <= s_max. False from three workers on: two slots each and sizes 1, 1, 3, 3, 3, 3 have an optimum
    with gap 4.
    """

    def formula(self) -> "sp.Basic":
        return at_most("gap", "s_max")

    def proof(self) -> tuple[Step, ...]:
        return (
            Lemma(
                "two optima",
                "Three empty workers with two slots, sizes 1, 1, 3, 3, 3, 3: pairs sum to 2, 4 or "
                "6.  All are admitted, so the sum is 14 and the largest load alone counts; three "
                "loads of at most 4 sum to 12, so it is 6.  (4, 4, 6) and (2, 6, 6) are both "
                "admissions.",
            ),
            Identity("The first is optimal", imbalance_at(4, 4, 6), sp.Integer(4)),
            Identity("and so is the second", imbalance_at(2, 6, 6), sp.Integer(4)),
            violated(
                "whose gap is above s_max",
                at_most("gap", "s_max"),
                {"gap": gap_at(2, 6, 6), "s_max": 3},
            ),
        )

    @evidence(
        measures="largest gap of an optimum, largest minus smallest load (load)",
        size=3,
        standard={"size": 4},
        plants=(
            Variant("within 1.25 s_max", Fraction(5, 4)),
            Variant("with two distinct sizes", fault="two-sizes"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Exhaustive search in order of size, the lexicographic optimum as control; an optimum with
        a larger gap refutes it.
        """
        steps = [
            (problem, after_of(problem, exact_step(problem)))
            for problem in sorted_refills(((2, 1), (2, 2), (3, 1), (3, 2)), trial["size"])
        ]

        def optima() -> Iterator[Case]:
            for problem, first in steps:
                if trial.fault("two-sizes") and np.unique(problem.pool).size > 2:
                    continue
                for choice in assignments(problem):
                    after = after_of(problem, np.array(choice, dtype=np.int64))
                    if imbalance(after) == imbalance(first):
                        witness: Witness = partial(
                            dict, witness_of(problem)(), assignment=list(choice)
                        )
                        yield max(after) - min(after), int(problem.pool.max()), witness

        return without(
            trial,
            "<=",
            optima(),
            (
                (max(first) - min(first), int(problem.pool.max()), witness_of(problem))
                for problem, first in steps
            ),
            f"full refills with G <= 3, B <= 2, sizes <= {trial['size']}, smallest first",
        )
