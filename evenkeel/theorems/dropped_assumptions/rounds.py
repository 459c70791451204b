"""Rounds without equal lengths, common drift, independence or myopia."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import cache, partial
from itertools import accumulate, product

from adversary.instances.small_runs import backlog_imbalance
from adversary.instances.space import Instance, Space
from adversary.worst_case.search import Power, SearchResult, search
from evenkeel.findings.check import Finding, Trial, Variant, Verdict, evidence
from evenkeel.findings.scoreboard import Case, Cases, Witness, near, without
from evenkeel.findings.verdicts import SMALLER
from evenkeel.theorems.dropped_assumptions.refills import (
    PLUS_ONE,
    REFILL,
    broken_refill,
    refill_bound,
    sorted_refills,
    width,
)
from evenkeel.theorems.offline.domains import witness_of_backlog
from evenkeel.theorems.registry import Assumption, Dropped, claim
from evenkeel.theorems.step.domains import witness_of
from solvers.policies.exact_bfio import ExactBFIO
from solvers.simulation.reference import simulate_reference
from solvers.step.exact.brute_force import exact_step
from solvers.step.problem import WAITS, StepProblem
from theory.disproof import imbalance_at
from theory.formulas.step import full_refill_bound
from theory.model import Requests, System, imbalance
from theory.proof import Conclusion, Identity, Inequality, Lemma, Setting, Step
from theory.relations import equal
from theory.symbolic import sp

ROUNDS = (
    Assumption.OVERLOADED,
    Assumption.EQUAL_LENGTHS,
    Assumption.BOUNDED_SIZES,
    Assumption.COMMON_DRIFT,
    Assumption.STICKY,
    Assumption.WORK_CONSERVING,
    Assumption.MYOPIC,
    Assumption.EXACT_STEP,
)


def _full_steps(instance: Instance) -> list[int]:
    """The imbalance of BF-IO with exact steps at every full step."""
    run = simulate_reference(
        instance.system, instance.requests, ExactBFIO(), pool=instance.pool, history=True
    )
    assert run.loads is not None
    return [imbalance(loads) for loads in run.loads[: run.overloaded.steps].tolist()]


@claim(
    "limits.equal-lengths",
    "upper",
    assumptions=tuple(entry for entry in ROUNDS if entry is not Assumption.EQUAL_LENGTHS),
    requires=("step.full-refill-gap",),
    holds=False,
    answers=("A3",),
    drops=(Dropped("warmup.bfio-upper", "equal output lengths"),),
)
class EqualLengths:
    """Unequal output lengths in Theorem 1.

    In an overloaded run BF-IO keeps every step within (G-1)(b-a) whatever the output lengths.
    False: G = 2, B = 1, all sizes 1, lengths (1, 2, 1) give loads (1, 2).
    """

    def formula(self) -> "sp.Basic":
        return refill_bound()

    def proof(self) -> tuple[Step, ...]:
        return (
            Lemma(
                "no choice",
                "G = 2, B = 1, all sizes 1, lengths (1, 2, 1), so the bound is 0.  At the second "
                "step the request of length 2 has grown to 2 and the new one has load 1.",
            ),
            broken_refill("The imbalance is above it", imbalance_at(1, 2), 2, 1, 1),
        )

    @evidence(
        measures="imbalance of BF-IO at a full step (load)",
        requests=4,
        size=2,
        length=3,
        standard={"requests": 5},
        plants=(
            PLUS_ONE,
            Variant("where sizes differ, within 1.25 of it", Fraction(5, 4), fault="sizes-differ"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Exact runs of a bounded class in order of size, equal lengths as control; a full step
        above (G-1)(b-a) refutes it.
        """
        n, system, backlogs = trial["requests"], System(2, 1), []
        for count in range(2, n + 1):
            sizes = product(range(1, trial["size"] + 1), repeat=count)
            lengths = product(range(1, trial["length"] + 1), repeat=count)
            backlogs += list(product(sizes, lengths))
        backlogs.sort(key=lambda lists: sum(map(sum, lists)))

        def full_steps(equal: bool) -> Iterator[Case]:
            for prefill, decode in backlogs:
                alike = not equal and trial.fault("sizes-differ") and len(set(prefill)) == 1
                if (len(set(decode)) == 1) is not equal or alike:
                    continue
                instance = Instance(system, Requests(prefill, decode), 2)
                bound = full_refill_bound(2, min(prefill), max(prefill))
                bound += not equal and trial.fault("plus-one")
                for left in _full_steps(instance):
                    yield left, bound, witness_of_backlog(system, instance.requests, pool=2)

        return without(
            trial,
            "<=",
            full_steps(equal=False),
            full_steps(equal=True),
            f"full steps of all backlogs of up to {n} requests on G = 2, B = 1, sizes <= "
            f"{trial['size']}, lengths <= {trial['length']}, smallest first",
            control="steps with equal lengths",
        )


def _rounds(trial: Trial) -> list[tuple[StepProblem, list[int]]]:
    """Full refills, smallest first, with the workers that an optimal step gives the requests."""
    steps = sorted_refills(((2, 1), (2, 2), (3, 1)), trial["size"])
    return [(problem, exact_step(problem).tolist()) for problem in steps]


def _grown(problem: StepProblem, workers: Sequence[int], growth: Sequence[int]) -> int:
    """The imbalance after the requests on these workers have grown, each by its own amount."""
    loads = [0] * problem.workers
    for g, size, grown in zip(workers, problem.pool.tolist(), growth, strict=True):
        loads[g] += size + grown if g != WAITS else 0
    return imbalance(loads)


@claim(
    "limits.common-drift",
    "upper",
    assumptions=REFILL,
    requires=("step.full-refill-gap",),
    holds=False,
    answers=("state", "A3"),
    drops=(Dropped("warmup.bfio-upper", "common drift"),),
)
class CommonDrift:
    """Growth that differs between requests in Theorem 1.

    Within a round of equal output lengths every step stays within (G-1)(b-a) when each request
    grows by its own bounded amount. False: two requests of size 1, one that grows by 1 and one that
    does not, have loads 2 and 1 at the second step.
    """

    def formula(self) -> "sp.Basic":
        return refill_bound()

    def proof(self) -> tuple[Step, ...]:
        s, d = sp.symbols("s d", positive=True, integer=True)
        return (
            Lemma(
                "two requests",
                "G = 2, B = 1, both of size s, so the bound is 0; one grows by d and the other "
                "not.",
            ),
            Identity("At the second step the imbalance is d", imbalance_at(s + d, s), d),
            broken_refill("above the bound", d, 2, s, s, d),
        )

    @evidence(
        no_near_factor="an order alone is claimed: zero has no factor",
        measures="imbalance at the second step of a round (load)",
        size=3,
        standard={"size": 5},
        plants=(
            PLUS_ONE,
            Variant("growth of one request alone", fault="one-grows"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Exhaustive search in order of size, the bound with the assumption kept as control over
        sizes and growths in {0, 1}; a step above (G-1)(b-a) refutes it.
        """
        rounds = _rounds(trial)

        def second_steps(common: bool) -> Iterator[Case]:
            for problem, workers in rounds:
                bound = width(problem) + (not common and trial.fault("plus-one"))
                for growth in product((0, 1), repeat=len(workers)):
                    several = not common and trial.fault("one-grows") and sum(growth) > 1
                    if (len(set(growth)) == 1) is common and not several:
                        witness: Witness = partial(dict, witness_of(problem)(), growth=list(growth))
                        yield _grown(problem, workers, growth), bound, witness

        return without(
            trial,
            "<=",
            second_steps(common=False),
            second_steps(common=True),
            f"rounds with G <= 3, B <= 2, sizes <= {trial['size']}, growths 0 and 1, smallest "
            "first",
        )


def _common_drift_proof() -> tuple[Step, ...]:
    G, B, g, i = sp.symbols("G B g i", positive=True, integer=True)
    D, x = sp.Symbol("D", real=True), sp.Symbol("x", real=True)
    gap = sp.Symbol("r", nonnegative=True)
    size, load, top = sp.IndexedBase("s"), sp.IndexedBase("L"), sp.Symbol("M", real=True)
    stated = equal("Imb_k", "Imb_0")
    before, after = sp.symbols("Imb_0 Imb_k", positive=True)
    gaps = {
        after: sp.Sum(sp.UnevaluatedExpr(top + B * D) - (load[g] + B * D), (g, 1, G)),
        before: sp.Sum(top - load[g], (g, 1, G)),
    }
    return (
        Setting(
            "A round: worker g holds the same B requests from its admission to its end, of sizes "
            "s[g, 1] to s[g, B]; D, of either sign, is what each has grown by at step k.  L[g] is "
            "the load of g at the admission, M the largest, and the imbalance is the sum of the "
            "gaps M - L[g].",
        ),
        Identity(
            "Every load has changed by B D",
            sp.Sum(size[g, i] + D, (i, 1, B)).expand(),
            (sp.Sum(size[g, i], (i, 1, B)) + B * D),
        ),
        Inequality(
            "so a load that was the largest, by a gap r, is the largest still",
            x + B * D,
            (x + gap) + B * D,
            gap,
        ),
        Setting("The imbalances are the sums of these gaps, at step k and at the admission.", gaps),
        Conclusion("They are the same", stated, gaps),
    )


@claim(
    "limits.nonnegative-drift",
    "equality",
    assumptions=(
        Assumption.FULL_REFILL,
        Assumption.OVERLOADED,
        Assumption.WORK_CONSERVING,
        Assumption.EQUAL_LENGTHS,
        Assumption.STICKY,
    ),
    requires=("step.full-refill-gap",),
    answers=("state",),
    drops=(Dropped("warmup.bfio-upper", "non-negative drift"),),
)
class NonnegativeDrift:
    """A common drift of either sign in Theorem 1.

    Within a round of equal output lengths, all slots taken, a drift common to all requests, falls
    included, leaves the imbalance of every step equal to that of the admission: for Theorem 1's
    BF-IO side the drift must be common, not non-negative.
    """

    def formula(self) -> "sp.Basic":
        return equal("Imb_k", "Imb_0")

    def proof(self) -> tuple[Step, ...]:
        return _common_drift_proof()

    @evidence(
        measures="imbalance at a later step of a round (load)",
        size=3,
        length=3,
        standard={"size": 5, "length": 4},
        plants=(
            near(),
            Variant("one slot stays empty", fault="empty-slot"),
            Variant("the first request does not grow", fault="individual"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Every refill and every drift sequence of a bounded class; a step of another imbalance
        refutes it.
        """

        def later_steps() -> Iterator[Case]:
            for problem, workers in _rounds(trial):
                if trial.fault("empty-slot"):
                    workers[0] = WAITS
                start = _grown(problem, workers, [0] * len(workers)) * trial.scale
                for drift in product((-1, 0, 2), repeat=trial["length"]):
                    for grown in accumulate(drift):
                        growth = [grown] * len(workers)
                        if trial.fault("individual"):
                            growth[0] = 0
                        witness: Witness = partial(dict, witness_of(problem)(), drift=list(drift))
                        yield _grown(problem, workers, growth), start, witness

        cases = Cases("==")
        cases.extend(later_steps())
        return cases.finding(
            trial,
            f"every step of rounds with G <= 3, B <= 2, sizes <= {trial['size']} and all drifts of "
            f"{trial['length']} steps in {{-1, 0, 2}}",
        )


@cache
def _searches(
    objective: Callable[[Instance], Fraction], space: Space, bound: int, budget: int, seeds: range
) -> tuple[SearchResult[Instance], ...]:
    """Searches for more than the bound; the planted versions share those of the claim."""
    return tuple(
        search(objective, space, "climb", budget=budget, seed=seed, target=Fraction(bound + 1))
        for seed in seeds
    )


def _attacked(trial: Trial, space: Space, objective: Callable[[Instance], Fraction]) -> Finding:
    """Several searches for more than ``(G-1)(b-a)``, which itself is there to be found."""
    bound = full_refill_bound(space.workers, space.size_min, space.size_max)
    seeds = range(trial["runs"] * trial.seed, trial["runs"] * (trial.seed + 1))
    runs = _searches(objective, space, bound, trial["budget"], seeds)
    claimed = bound * trial.scale - trial.fault("one-less")
    cases = Cases("<=")
    cases.extend(
        (Fraction(run.value), claimed, witness_of_backlog(space.system, run.instance.requests))
        for run in runs
        if run.instance is not None and run.value is not None
    )
    hits = [next(n for n, v in run.trace if v >= bound) for run in runs if run.value == bound]
    power = Power("climb", len(runs), len(hits), trial["budget"], None)
    return cases.finding(
        trial,
        f"searches (climb) of {trial['budget']} evaluations each over {space.size:,} lists of "
        f"{space.requests} requests on G = {space.workers}, B = {space.slots}, sizes "
        f"{space.size_min} to {space.size_max}; {len(hits)} of {len(runs)} found the bound "
        f"attained, so a search finds what is there with chance >= {power.least_rate:.2f} (95 %)",
        details={"power": power.least_rate, "evaluations to the bound": hits},
        strongest=Verdict.ATTACKED if hits else Verdict.INCONCLUSIVE,
    )


def _largest_step(instance: Instance) -> Fraction:
    return Fraction(max(_full_steps(instance)))


ONE_LESS = Variant("the bound less 1", fault="one-less")


@claim(
    "limits.iid",
    "upper",
    assumptions=ROUNDS,
    requires=(
        "step.full-refill-gap",
        "step.full-refill-tight",
        "limits.nonnegative-drift",
        "warmup.bfio-upper",
    ),
    drops=(Dropped("warmup.bfio-upper", "iid sizes"),),
)
class Iid:
    """Sizes and their order chosen by an adversary in Theorem 1.

    In rounds of equal output lengths BF-IO with exact steps leaves at most (G-1)(b-a) at every
    step, under any common drift, whatever the sizes in [a, b] and their order: Theorem 1's BF-IO
    side needs no law of the sizes. It does need a common drift [limits.common-drift] and exact
    steps [limits.exact-step].
    """

    def formula(self) -> "sp.Basic":
        return refill_bound()

    def proof(self) -> tuple[Step, ...]:
        return (
            Lemma(
                "no law is used",
                "Requests of equal output lengths that are admitted together depart together, so "
                "every admission of an overloaded run is a full refill, at which "
                "[step.full-refill-gap] holds for any sizes in [a, b] in any order: it is a "
                "statement on one pool.  These are the steps of [warmup.bfio-upper], which is in "
                "terms of s_max.  In the rest of a round a common drift changes no imbalance "
                "[limits.nonnegative-drift].",
            ),
            *_common_drift_proof(),
        )

    @evidence(
        measures="largest imbalance of a step that a search found (load)",
        budget=150,
        runs=12,
        standard={"budget": 1000, "runs": 20},
        plants=(SMALLER, ONE_LESS),
    )
    def check(self, trial: Trial) -> Finding:
        """A search over whole runs, of measured power: the bound is attained, and the search must
        find that it is. A step above the bound refutes it.
        """
        return _attacked(trial, Space(2, 2, 12, 5), _largest_step)


@cache
def _average(window: int) -> Callable[[Instance], Fraction]:
    """The average imbalance of a round with that window; one function for each."""

    def average(instance: Instance) -> Fraction:
        sizes = instance.requests.prefill.tolist()
        return backlog_imbalance(sizes, [2] * len(sizes), 2, 2, window)

    return average


@claim(
    "limits.myopic",
    "upper",
    assumptions=(
        Assumption.FULL_REFILL,
        *(entry for entry in ROUNDS if entry is not Assumption.MYOPIC),
    ),
    requires=("step.full-refill-gap", "step.full-refill-tight", "limits.nonnegative-drift"),
    drops=(Dropped("warmup.bfio-upper", "no look-ahead"),),
)
class Myopic:
    """Looking ahead in Theorem 1.

    In a round of equal output lengths, under any common drift, BF-IO(H) with perfect predictions
    and an optimal window averages at most (G-1)(b-a), for every window H: Theorem 1's BF-IO side
    does not need H = 0.
    """

    def formula(self) -> "sp.Basic":
        return refill_bound("AvgImb_BFIO")

    def proof(self) -> tuple[Step, ...]:
        G, B, w = sp.symbols("G B w", positive=True, integer=True)
        M, total = sp.symbols("M Sigma", real=True)
        h, grown = sp.Symbol("h", nonnegative=True, integer=True), sp.Function("D", real=True)
        return (
            Lemma(
                "what the window sees",
                "At a full refill of empty workers only the requests admitted now are in the "
                "window, B on each worker.  They are alike in it: for their first w of the H + 1 "
                "steps all are there (w = H + 1 where their departures are not predicted), after "
                "that none is.  D(h) is what each has grown by in h steps.",
            ),
            Identity(
                "So the sum over the window is w times the imbalance of the admission",
                sp.Sum(G * (M + B * grown(h)) - (total + G * B * grown(h)), (h, 0, w - 1)),
                w * (G * M - total),
            ),
            Lemma(
                "the same optima",
                "Both are least for the same admissions, whose imbalance is at most (G-1)(b-a) "
                "[step.full-refill-gap]; in the rest of the round no slot is free, and every load "
                "grows alike [limits.nonnegative-drift], so the average over the round is that of "
                "the admission.",
            ),
        )

    @evidence(
        measures="largest average imbalance of a round that a search found (load)",
        budget=150,
        runs=12,
        window=2,
        standard={"budget": 300, "runs": 20},
        plants=(SMALLER, ONE_LESS),
    )
    def check(self, trial: Trial) -> Finding:
        """A search over rounds, of measured power: the bound is attained, and the search must find
        that it is. An average above the bound refutes it.
        """
        return _attacked(trial, Space(2, 2, 4, 9), _average(trial["window"]))
