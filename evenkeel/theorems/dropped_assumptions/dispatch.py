"""Runs in which requests are placed, moved or known in another way."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from itertools import combinations_with_replacement, product

import numpy as np

from adversary.witnesses.counterexamples import dispatch_value, least_migrated
from evenkeel.findings.check import Finding, Trial, Variant, Verdict, evidence
from evenkeel.findings.scoreboard import Case, Cases, Witness, without
from evenkeel.theorems.dropped_assumptions.refills import broken_refill, refill_bound
from evenkeel.theorems.registry import Assumption, Dropped, claim
from solvers.simulation.reference import simulate_reference
from theory.disproof import imbalance_at, violated
from theory.formulas.rebalancing import unavoidable_imbalance
from theory.formulas.step import full_refill_bound
from theory.model import Requests, System, imbalance
from theory.proof import Identity, Lemma, Step
from theory.relations import at_least
from theory.symbolic import sp


@claim(
    "limits.immediate-dispatch",
    "upper",
    assumptions=(Assumption.FULL_REFILL, Assumption.BOUNDED_SIZES),
    requires=("step.full-refill-gap",),
    holds=False,
    answers=("admission",),
    drops=(Dropped("warmup.bfio-upper", "one pool for all (immediate dispatch instead)"),),
)
class ImmediateDispatch:
    """Immediate dispatch in place of a centralised pool.

    A dispatcher that sees each size on arrival and must send the request to a worker at once can
    keep a full refill within (G-1)(b-a). False: an adversary that chooses the next size after each
    decision forces more at G = 2, B = 2, b - a = 4, where the value of the game is 5 (and at least
    5 k at b - a = 4 k).
    """

    def formula(self) -> "sp.Basic":
        return refill_bound()

    def proof(self) -> tuple[Step, ...]:
        a = sp.Symbol("a", positive=True, integer=True)
        k = sp.Symbol("k", positive=True, integer=True)

        def left(first: "sp.Expr", second: "sp.Expr | int") -> "sp.Expr":
            return imbalance_at(2 * a + first, 2 * a + second)

        return (
            Lemma(
                "the adversary",
                "G = 2, B = 2, b - a = 4 k: the sizes a + 4 k and a + k come first.  If both are "
                "sent to one worker, the other one gets two of size a.  Otherwise a + 2 k comes: "
                "if it joins a + 4 k, the last is of size a, and if it joins a + k, it is of size "
                "b.  The last one has no choice, as each worker has two slots.",
            ),
            Identity("Both on one worker", left(5 * k, 0), 5 * k),
            Identity("The third beside the largest", left(6 * k, k), 5 * k),
            Identity("The third beside the second", left(8 * k, 3 * k), 5 * k),
            broken_refill("Each is above (G-1)(b-a) = 4 k", 5 * k, 2, a, a + 4 * k, k),
        )

    @evidence(
        measures="imbalance that the adversary forces (load)",
        shapes=((2, 1, 4), (3, 1, 3), (2, 2, 3), (2, 2, 4), (2, 3, 4), (2, 6, 5)),
        standard={"shapes": ((2, 1, 4), (2, 2, 3), (2, 2, 4), (3, 2, 4), (4, 2, 4), (2, 6, 10))},
        plants=(
            Variant("within 1.1 times the bound", Fraction(11, 10)),
            Variant("within 1.4 times the bound", Fraction(7, 5)),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """The exact value of the game by backward induction over all sizes; a value above
        (G-1)(b-a) refutes it.
        """
        games = [
            (G, B, width, dispatch_value(((0, B),) * G, width), full_refill_bound(G, 0, width))
            for G, B, width in trial["shapes"]
        ]

        def played(one_slot: bool) -> Iterator[Case]:
            for G, B, width, value, bound in games:
                if (B == 1) is one_slot:
                    yield value, bound, partial(dict, G=G, B=B, a=1, b=1 + width, value=value)

        return without(
            trial,
            "<=",
            played(one_slot=False),
            played(one_slot=True),
            "values of the game with B > 1 held against the bound, by backward induction over all "
            "sizes, smallest first",
            control="games with one slot a worker",
            details={
                f"G = {G}, B = {B}, b - a = {width}": f"{value} against {bound}"
                for G, B, width, value, bound in games
            },
        )


# Weaker, and false too.
FOUR_FIFTHS = Variant("at least 4/5 of the bound", Fraction(4, 5))


@claim(
    "limits.stickiness",
    "lower",
    assumptions=(Assumption.OVERLOADED, Assumption.WORK_CONSERVING, Assumption.CONSTANT_DRIFT),
    requires=("threshold.any-policy",),
    holds=False,
    answers=("state",),
    drops=(Dropped("threshold.any-policy", "stickiness"),),
)
class Stickiness:
    """Migration in place of stickiness.

    The pathwise bound of [threshold.any-policy] also holds for a policy that may move requests
    between workers. False: G = 2, B = 2, all sizes 1, two requests of age 1 on one worker and two
    new ones on the other: the bound is 2, and migration reaches 0.
    """

    def formula(self) -> "sp.Basic":
        return at_least("Imb", "G * A_max - A_sum - (G - 1) * B * (b - a)")

    def proof(self) -> tuple[Step, ...]:
        return (
            Lemma(
                "ages",
                "G = 2, B = 2, all sizes 1, two requests of age 1 on one worker and two new ones "
                "on the other: the sums of ages are (2, 0), and (G-1) B (b-a) = 0.",
            ),
            Identity("The bound is 2", imbalance_at(2, 0), sp.Integer(2)),
            Lemma("migration", "One old and one new request on each worker give the loads (3, 3)."),
            violated(
                "which leave less than the bound",
                at_least("Imb", "bound"),
                {"Imb": imbalance_at(3, 3), "bound": imbalance_at(2, 0)},
            ),
        )

    @evidence(
        measures="least imbalance after migration (load)",
        age=2,
        width=1,
        standard={"age": 4, "width": 2},
        plants=(FOUR_FIFTHS, Variant("where sizes differ", fault="sizes-differ")),
    )
    def check(self, trial: Trial) -> Finding:
        """All ages and sizes of a bounded class, sticky placements as control; a placement below
        the bound refutes it.
        """
        kinds = list(product(range(1, 2 + trial["width"]), range(trial["age"] + 1)))
        rows = list(combinations_with_replacement(kinds, 2))
        states = sorted(
            combinations_with_replacement(rows, 2),
            key=lambda workers: sum(sum(r) for row in workers for r in row),
        )

        def against_bound(left: Callable[[list[list[int]]], int]) -> Iterator[Case]:
            """What a policy leaves of the loads of each worker's requests."""
            for state in states:
                sizes = [size for row in state for size, _ in row]
                ages = [sum(age for _, age in row) for row in state]
                bound = imbalance(ages) - 2 * (max(sizes) - min(sizes))
                if bound > 0 and (len(set(sizes)) > 1 or not trial.fault("sizes-differ")):
                    loads = [[size + age for size, age in row] for row in state]
                    workers = [[list(request) for request in row] for row in state]
                    yield left(loads), bound, partial(dict, slots=2, workers=workers)

        return without(
            trial,
            ">=",
            against_bound(lambda loads: least_migrated([x for row in loads for x in row], 2)),
            against_bound(lambda loads: imbalance(list(map(sum, loads)))),
            f"all states of G = 2, B = 2 with ages <= {trial['age']}, sizes within "
            f"{trial['width']}, and a positive bound, smallest first",
            control="states left as they are",
        )


@claim(
    "limits.hidden-lengths",
    "lower",
    assumptions=(
        Assumption.OVERLOADED,
        Assumption.WORK_CONSERVING,
        Assumption.STICKY,
        Assumption.GEOMETRIC_LENGTHS,
        Assumption.CONSTANT_DRIFT,
    ),
    requires=("threshold.any-policy",),
    holds=False,
    answers=("A3",),
    drops=(Dropped("threshold.any-policy", "hidden output lengths"),),
)
class HiddenLengths:
    """A policy that sees output lengths.

    The bound of [threshold.any-policy] on E[Imb] also holds for policies that see output lengths.
    False for every p < 1: with G = 2, B = 1, equal sizes and a deep pool, serving requests of equal
    length side by side has no imbalance, and the bound is 2 (1-p) / (p (2-p)).
    """

    def formula(self) -> "sp.Basic":
        return at_least("E_Imb", "E_Imb_equal_sizes - (G - 1) * B * (b - a)")

    def proof(self) -> tuple[Step, ...]:
        p, z, t = sp.symbols("p z t", positive=True)
        # sum_d d q^d is q times the derivative of the geometric series at q = 1 - p.
        weighed = (1 - p) * sp.Subs(sp.Derivative(1 / (1 - z), z), z, 1 - p)
        return (
            Lemma(
                "the bound",
                "G = 2, B = 1, equal sizes: the bound is E|A_1 - A_2| of two geometric ages, and "
                "|A_1 - A_2| = d has probability 2 p q^d / (2 - p), q = 1 - p.",
            ),
            Identity(
                "So it is 2 p/(2-p) sum_d d q^d = 2 (1-p) / (p (2-p)), positive for p < 1; the sum "
                "from the derivative of the geometric series",
                2 * p / (2 - p) * weighed,
                2 * (1 - p) / (p * (2 - p)),
            ),
            Lemma(
                "side by side",
                "A policy that sees the lengths serves requests of equal length side by side, "
                "which start and depart together: the loads are equal at every step.",
            ),
            violated(
                "No imbalance is less than the bound; p = 1/(1 + t), t > 0",
                at_least("E_Imb", "bound"),
                {"E_Imb": 0, "bound": (2 * (1 - p) / (p * (2 - p))).subs(p, 1 / (1 + t))},
                2 * t * (1 + t) ** 2 / (1 + 2 * t) / (1 + t),
            ),
        )

    @evidence(
        measures="average imbalance of equal lengths side by side (load)",
        requests=400,
        p=Fraction(1, 4),
        standard={"requests": 10_000},
        plants=(FOUR_FIFTHS, Variant("a tenth of the bound", Fraction(1, 10))),
    )
    def check(self, trial: Trial) -> Finding:
        """Mean imbalance of the run that pairs equal lengths, over its full steps, against the
        exact bound; a mean below it refutes it.
        """
        p, n = Fraction(trial["p"]).limit_denominator(10**6), trial["requests"]
        lengths = np.random.default_rng(trial.seed).geometric(float(p), n)
        values, counts = np.unique(lengths, return_counts=True)
        paired = np.repeat(values, counts // 2 * 2)
        requests = Requests(np.ones(paired.size, dtype=np.int64), paired)
        # In this order first come, first served sends each pair to the two workers at once.
        run = simulate_reference(System(2, 1), requests, "fcfs")
        shuffled = Requests(np.ones(n, dtype=np.int64), lengths)
        blind = simulate_reference(System(2, 1), shuffled, "fcfs").overloaded.avg_imbalance
        bound = unavoidable_imbalance(2, 1, p, 0)
        cases = Cases(">=")
        witness: Witness = partial(dict, workers=2, slots=1, decode=paired[:20].tolist())
        cases.add(run.total.avg_imbalance, bound * trial.scale, witness)
        return cases.finding(
            trial,
            f"{paired.size} of {n} geometric({p}) lengths served in equal pairs, all sizes 1",
            details={"FCFS in arrival order, for comparison": float(blind)},
            strongest=Verdict.INCONCLUSIVE,
        )
