"""Checks of single steps: one assumption dropped at a time.

Here are the steps; runs and games are in :mod:`evenkeel.theorems.dropped_assumptions.runs`.  Every
check goes through a bounded class in order of size, so that the first violation is the smallest,
and counts violations of the bound with the assumption kept, of which there must be none.  The
planted versions of the statements that are false are weaker statements that are false too.
"""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import partial
from itertools import combinations_with_replacement, permutations, product

import numpy as np

from adversary.instances.small_runs import exact_step
from adversary.witnesses.counterexamples import least_partial
from evenkeel.evidence.check import Finding, Trial, Variant, Verdict, check
from evenkeel.evidence.scoreboard import Cases, Witness
from evenkeel.theorems.dropped_assumptions.statements import POOLS, WORST_POOLS
from evenkeel.theorems.step.domains import admit, after_of, refills, weight, witness_of
from solvers.step.exact.brute_force import assignments
from solvers.step.problem import WAITS, StepProblem
from theory.formulas.step import full_refill_bound, full_refill_extremal, waterfill_optimum
from theory.model import imbalance

NEAR = Variant("within 1.25 times the bound, where it is not 0", Fraction(5, 4))
AFTER = "imbalance after the step (load)"


def _finish(trial: Trial, label: str, cases: Cases, control: Cases, domain: str) -> Finding:
    """The finding, with what the same bound does while the assumption is kept."""
    return cases.finding(
        trial,
        label,
        f"{domain}, smallest first",
        details={
            "control: cases with the assumption": control.count,
            "control: violations": int(control.violated),
        },
        held=Verdict.INCONCLUSIVE,
    )


def _empty_steps(slots: Iterable[tuple[int, ...]], size: int, n: int) -> Iterator[StepProblem]:
    """Empty workers with those free slots, and every pool of up to ``n`` requests."""
    for free in slots:
        for length in range(1, n + 1):
            for pool in combinations_with_replacement(range(1, size + 1), length):
                yield StepProblem([0] * len(free), free, pool)


def _sorted_refills(shapes: Iterable[tuple[int, int]], size: int) -> list[StepProblem]:
    """Full refills of those (G, B), exactly as many requests as slots, smallest first."""
    every = (problem for G, B in shapes for problem in refills(G, B, 1, size, 0))
    return sorted(every, key=weight)


def _width(problem: StepProblem) -> int:
    return full_refill_bound(problem.workers, int(problem.pool.min()), int(problem.pool.max()))


def _optimum(problem: StepProblem) -> int:
    return problem.objective(exact_step(problem))


def _refill_bound(
    trial: Trial, label: str, free: Iterable[tuple[int, ...]], excess: Callable[[StepProblem], int]
) -> Finding:
    """Optima against ``(G-1)(b-a)``, with the steps without an excess as control.

    ``excess`` says by how much the assumption fails, negative for a step that is neither.
    """
    cases, control = Cases("<="), Cases("<=")
    for problem in sorted(_empty_steps(free, trial["size"], 6), key=weight):
        by = excess(problem)
        if by == 0:
            control.add(_optimum(problem), _width(problem), witness_of(problem))
        elif by > 0 and not cases.violated and (by == 1 or not trial.fault("by-one")):
            bound = _width(problem) * trial.scale
            if bound or trial.scale == 1:
                cases.add(_optimum(problem), bound, witness_of(problem))
    return _finish(trial, label, cases, control, f"pools of sizes <= {trial['size']}, G <= 3")


@check(
    "limits.overloaded",
    measures=f"optimal {AFTER}",
    size=3,
    standard={"size": 4},
    plants=(NEAR, Variant("one request too few", fault="by-one")),
)
def overloaded(trial: Trial) -> Finding:
    """Full refills of pools too small to fill the slots."""

    def missing(problem: StepProblem) -> int:
        return max(0, int(problem.free.sum()) - problem.pool.size)

    shapes = [(B,) * G for G, B in ((2, 1), (2, 2), (3, 1), (3, 2))]
    return _refill_bound(trial, "limits.overloaded", shapes, missing)


@check(
    "limits.equal-slots",
    measures=f"optimal {AFTER}",
    size=3,
    standard={"size": 4},
    plants=(NEAR, Variant("slots that differ by one", fault="by-one")),
)
def equal_slots(trial: Trial) -> Finding:
    """Full refills of workers with unequal numbers of slots."""

    def uneven(problem: StepProblem) -> int:
        full = problem.pool.size >= problem.free.sum()
        return int(problem.free.max() - problem.free.min()) if full else -1

    shapes = [(1, 1), (1, 2), (1, 3), (2, 2), (1, 1, 2), (1, 2, 2), (2, 2, 2)]
    return _refill_bound(trial, "limits.equal-slots", shapes, uneven)


@check(
    "limits.pool-condition",
    no_near_factor="an order alone is claimed: zero has no factor",
    measures=f"optimal {AFTER}",
    size=4,
    standard={"size": 6},
    plants=(
        Variant("after any two classes are removed", fault="two-classes"),
        Variant("two copies of every class", fault="copies"),
    ),
)
def pool_condition(trial: Trial) -> Finding:
    """Optima under the paper's pool condition against water-filling; rich pools are the control."""
    cases, control = Cases("=="), Cases("==")
    steps = (
        StepProblem(loads, free, pool)
        for loads, free in product(((0, 0), (0, 1), (0, 2)), ((1, 1), (1, 2)))
        for n in range(1, 7)
        for pool in combinations_with_replacement(range(1, trial["size"] + 1), n)
    )
    for problem in sorted(steps, key=weight):
        slots, pool = int(problem.free.sum()), problem.pool
        classes, copies = np.unique(pool, return_counts=True)
        a, b = int(classes[0]), int(classes[-1])
        claimed = waterfill_optimum(problem.loads.tolist(), problem.free.tolist(), a, b)[0]
        if classes.size == b - a + 1 and copies.min() >= slots:
            control.add(_optimum(problem), claimed, witness_of(problem))
            continue
        removed = np.sort(copies)[-2:].sum() if trial.fault("two-classes") else copies.max()
        alone = trial.fault("copies") and copies.min() < 2
        if not cases.violated and not alone and pool.size - removed >= slots:
            cases.add(_optimum(problem), claimed * trial.scale, witness_of(problem))
    return _finish(
        trial,
        "limits.pool-condition",
        cases,
        control,
        f"two workers with loads <= 2, up to 6 requests of size <= {trial['size']}",
    )


def condition_pools(slots: int, width: int) -> Iterator[tuple[int, ...]]:
    """Minimal pools of sizes from 1 to ``1 + width`` that meet the paper's pool condition, sorted.

    Every pool that meets it has one of these inside, perhaps of a smaller width.  While it fills
    all slots with a request to spare after any class is removed, any request may go; else, while
    one class is larger than all others, one of its own may.
    """
    for most in range(1, slots + 1):
        for inner in combinations_with_replacement(range(1, width + 2), slots + most - 2):
            pool = (1, *inner, 1 + width)
            copies = sorted(map(pool.count, set(pool)))
            if copies[-2:] == [most, most]:
                yield pool


@check(
    "limits.pool-condition-refill",
    measures="largest optimal imbalance over (G-1)(b-a) (share)",
    plants=(
        *(
            Variant(f"1/100 more at G = {G}, B = {B}", Fraction(101, 100), side=f"{G}, {B}")
            for G, B in POOLS
        ),
        *(
            Variant(f"1/100 less at G = {G}, B = {B}", Fraction(99, 100), side=f"{G}, {B}")
            for G, B in POOLS
        ),
        Variant("a pool of exactly G*B is enough", fault="exact-pool"),
    ),
)
def pool_condition_refill(trial: Trial) -> Finding:
    """The largest ratio over all minimal pools of each width, for each (G, B)."""
    cases, pools, worst = Cases("=="), 0, {}
    for (G, B), widest in POOLS.items():
        largest, where = Fraction(-1), StepProblem([0], [1], [1])
        for width in range(1, widest + 1):
            every = condition_pools(G * B, width)
            if trial.fault("exact-pool"):
                every = iter([full_refill_extremal(G, B, 1, 1 + width)])
            for pool in every:
                pools += 1
                problem = StepProblem([0] * G, [B] * G, pool)
                ratio = Fraction(_optimum(problem), full_refill_bound(G, 0, width))
                if ratio > largest:
                    largest, where = ratio, problem
        worst[f"G = {G}, B = {B}"] = f"{largest} for sizes {where.pool.tolist()}"
        claimed = WORST_POOLS[G, B] * trial.scale_of(f"{G}, {B}")
        if cases.add(largest, claimed, witness_of(where)):
            break
    return cases.finding(
        trial,
        "limits.pool-condition-refill",
        f"{pools:,} minimal pools, b - a up to "
        + ", ".join(f"{width} at G = {G}, B = {B}" for (G, B), width in POOLS.items()),
        details=worst,
    )


@check(
    "limits.work-conservation",
    measures="most requests admitted at the least imbalance (requests)",
    size=3,
    standard={"size": 5},
    plants=(
        Variant("at least four fifths are admitted", Fraction(4, 5)),
        Variant("at least half are admitted", Fraction(1, 2)),
        Variant("at least one is admitted", fault="one"),
    ),
)
def work_conservation(trial: Trial) -> Finding:
    """The most requests that an admission of least imbalance takes when slots may stay empty."""
    cases = Cases(">=")
    refill = (
        problem
        for G, B, spare in ((2, 1, 0), (2, 1, 1), (2, 2, 0), (3, 1, 0))
        for problem in refills(G, B, 1, trial["size"], spare)
    )
    for problem in sorted(refill, key=weight):
        _, most = least_partial(problem)
        claimed = 1 if trial.fault("one") else problem.admissions * trial.scale
        if cases.add(most, claimed, witness_of(problem)):
            break
    return cases.finding(
        trial,
        "limits.work-conservation",
        f"full refills with G <= 3, sizes <= {trial['size']}, smallest first",
        held=Verdict.INCONCLUSIVE,
    )


@check(
    "limits.bounded-sizes",
    measures=f"optimal {AFTER}",
    powers=6,
    standard={"powers": 12},
    plants=(
        Variant("bounded by 1.25 K", Fraction(5, 4)),
        Variant("with a spare request", fault="spare"),
    ),
)
def bounded_sizes(trial: Trial) -> Finding:
    """For K = 1, 10, 100, ... an optimal full refill that leaves more than K."""
    cases = Cases("<=")
    # Largest K first: the claim asks for one that is never exceeded.
    for power in range(trial["powers"], -1, -1):
        K = 10**power * trial.scale
        giant = int(K) + 2
        # With a spare request one giant would be left out: take two, on three workers.
        G, more = (3, [giant]) if trial.fault("spare") else (2, [])
        pool = [*full_refill_extremal(G, 2, 1, giant), *more]
        problem = StepProblem([0] * G, [2] * G, pool)
        if cases.add(_optimum(problem), K, witness_of(problem)):
            break
    return cases.finding(
        trial,
        "limits.bounded-sizes",
        f"one pool for each K = 10^{trial['powers']}, ..., 10, 1, largest first",
        held=Verdict.INCONCLUSIVE,
    )


@check(
    "limits.exact-step",
    measures=AFTER,
    size=4,
    standard={"size": 5},
    plants=(
        Variant("within 1.25 times the bound", Fraction(5, 4)),
        Variant("within 1.5 times the bound", Fraction(3, 2)),
        Variant("least_loaded in place of fcfs", policy="least_loaded"),
    ),
)
def exact_step_needed(trial: Trial) -> Finding:
    """Full refills by a rule that looks at one request after the other, in every order."""
    cases, control = Cases("<="), Cases("<=")
    default = "fcfs"
    for problem in _sorted_refills(((2, 1), (2, 2), (2, 3)), trial["size"]):
        control.add(_optimum(problem), _width(problem), witness_of(problem))
        for pool in sorted(set(permutations(problem.pool.tolist()))):
            if cases.violated:
                break
            ordered = StepProblem(problem.loads, problem.free, pool)
            value = ordered.objective(admit(trial, ordered, default))
            cases.add(value, _width(ordered) * trial.scale, witness_of(ordered))
    return _finish(
        trial,
        "limits.exact-step",
        cases,
        control,
        f"full refills of G = 2, B <= 3 by {trial.policy_or(default)}, sizes <= {trial['size']}",
    )


@check(
    "limits.ties",
    measures="largest gap of an optimum, largest minus smallest load (load)",
    size=3,
    standard={"size": 4},
    plants=(
        Variant("within 1.25 s_max", Fraction(5, 4)),
        Variant("with two distinct sizes", fault="two-sizes"),
    ),
)
def ties(trial: Trial) -> Finding:
    """Gaps of all optima of full refills; the lexicographic ones are the control."""
    cases, control = Cases("<="), Cases("<=")
    every = (
        p for G, B in ((2, 1), (2, 2), (3, 1), (3, 2)) for p in refills(G, B, 1, trial["size"], 0)
    )
    for problem in sorted(every, key=weight):
        s_max = int(problem.pool.max())
        first = after_of(problem, exact_step(problem))
        control.add(max(first) - min(first), s_max, witness_of(problem))
        if cases.violated or (trial.fault("two-sizes") and len(set(problem.pool.tolist())) > 2):
            continue
        for choice in assignments(problem):
            after = after_of(problem, np.array(choice, dtype=np.int64))
            if imbalance(after) != imbalance(first):
                continue
            witness: Witness = partial(dict, witness_of(problem)(), assignment=list(choice))
            if cases.add(max(after) - min(after), s_max * trial.scale, witness):
                break
    return _finish(
        trial,
        "limits.ties",
        cases,
        control,
        f"full refills with G <= 3, B <= 2, sizes <= {trial['size']}",
    )


# --- Growth within a round ----------------------------------------------------------------------


def _rounds(trial: Trial) -> Iterator[tuple[StepProblem, list[int]]]:
    """Full refills, smallest first, with the workers that an optimal step gives the requests."""
    for problem in _sorted_refills(((2, 1), (2, 2), (3, 1)), trial["size"]):
        yield problem, exact_step(problem).tolist()


@check(
    "limits.common-drift",
    no_near_factor="an order alone is claimed: zero has no factor",
    measures="imbalance at the second step of a round (load)",
    size=3,
    standard={"size": 5},
    plants=(
        Variant("within the bound plus 1", fault="plus-one"),
        Variant("growth of one request alone", fault="one-grows"),
    ),
)
def common_drift(trial: Trial) -> Finding:
    """The second step of a round in which each request grows by 0 or 1."""
    cases, control = Cases("<="), Cases("<=")
    for problem, workers in _rounds(trial):
        bound = _width(problem)
        for growth in product((0, 1), repeat=len(workers)):
            after = after_of(problem, np.array(workers, dtype=np.int64))
            for g, grown in zip(workers, growth, strict=True):
                after[g] += grown
            if len(set(growth)) == 1:
                control.add(imbalance(after), bound, witness_of(problem))
            elif not cases.violated and (sum(growth) == 1 or not trial.fault("one-grows")):
                claimed = bound * trial.scale + trial.fault("plus-one")
                witness: Witness = partial(dict, witness_of(problem)(), growth=list(growth))
                cases.add(imbalance(after), claimed, witness)
    return _finish(
        trial,
        "limits.common-drift",
        cases,
        control,
        f"rounds with G <= 3, B <= 2, sizes <= {trial['size']}, growths 0 and 1",
    )


@check(
    "limits.nonnegative-drift",
    measures="imbalance at a later step of a round (load)",
    size=3,
    length=3,
    standard={"size": 5, "length": 4},
    plants=(
        Variant("claimed side x1.001", Fraction(1001, 1000)),
        Variant("one slot stays empty", fault="empty-slot"),
        Variant("the first request does not grow", fault="individual"),
    ),
)
def nonnegative_drift(trial: Trial) -> Finding:
    """The imbalance at every step of rounds with drifts in {-1, 0, 2}."""
    cases = Cases("==")
    for problem, workers in _rounds(trial):
        if trial.fault("empty-slot"):
            workers[0] = WAITS
        start = after_of(problem, np.array(workers, dtype=np.int64))
        for drift in product((-1, 0, 2), repeat=trial["length"]):
            loads = list(start)
            for delta in drift:
                for i, g in enumerate(workers):
                    if g != WAITS and not (trial.fault("individual") and i == 0):
                        loads[g] += delta
                witness: Witness = partial(dict, witness_of(problem)(), drift=list(drift))
                if cases.add(imbalance(loads), imbalance(start) * trial.scale, witness):
                    break
            if cases.violated:
                break
        if cases.violated:
            break
    return cases.finding(
        trial,
        "limits.nonnegative-drift",
        f"every step of rounds with G <= 3, B <= 2, sizes <= {trial['size']} and all drifts of "
        f"{trial['length']} steps in {{-1, 0, 2}}",
    )
