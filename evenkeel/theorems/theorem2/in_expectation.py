"""The recursions of Theorem 2 in expectation: departures that are random."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial
from itertools import pairwise, product

from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import Cases, Witness
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.theorem2.departures import (
    Gone,
    State,
    chances,
    departures_domain,
    states,
)
from evenkeel.theorems.theorem2.sides import two_sizes_formula
from solvers.step.exact.brute_force import exact_step
from solvers.step.problem import StepProblem
from theory.formal.record import Theorem
from theory.formulas.departures import Departures
from theory.formulas.step import spacing_cost
from theory.model import imbalance
from theory.symbolic import sp


@cache
def _admitted(kept: tuple[int, ...], free: tuple[int, ...], sizes: tuple[int, ...]) -> State:
    """What each worker takes in an optimal step from as many copies of the sizes as slots."""
    pool = [size for size in sizes for _ in range(sum(free))]
    places = exact_step(StepProblem(kept, free, pool)).tolist()
    return tuple(
        tuple(size for size, place in zip(pool, places, strict=True) if place == g)
        for g in range(len(kept))
    )


def _next(state: State, gone: Gone, admitted: State) -> State:
    """What stays and what comes, grown by 1; in order, as workers and slots are alike."""
    rows = []
    for row, outs, new in zip(state, gone, admitted, strict=True):
        stay = [load for load, out in zip(row, outs, strict=True) if not out]
        rows.append(tuple(sorted(load + 1 for load in (*stay, *new))))
    return tuple(sorted(rows))


@dataclass(frozen=True, slots=True)
class Means:
    """Means at one step: imbalance, spread ``V``, and what the departures after it deviate by."""

    imbalance: Fraction
    spread: Fraction
    deviations: Fraction
    excess: Fraction


@cache  # the false versions are of the claimed sides
def means_along(
    start: State,
    p: Fraction,
    ends: tuple[int, int],
    offered: Sequence[int],
    steps: int,
    authority: Fraction | int = 1,
) -> tuple[Means, ...]:
    """Exact means along a run of optimal steps whose requests depart with probability ``p``.

    Parameters
    ----------
    start : tuple of tuple of int
        The loads at first; every request grows by 1 after a step.
    p : Fraction
        Probability to depart.
    ends : (int, int)
        The sizes ``a`` and ``b`` that the deviations are taken at.
    offered : sequence of int
        The sizes in the pool, of each as many copies as slots are free.
    steps : int
        How many steps' departures are tried, all of them with their probabilities.
    authority : Fraction
        A factor on ``B p (b - a)``, 1 but for a planted false version.

    Examples
    --------
    Two workers of one slot, loads 1 and 2, p = 1/2, size 1 alone.  Nothing departs with chance 1/4
    and leaves 1; one departure leaves 0 or 1, two 0: on average 1/4 + 0 + 1/4 + 0.

    >>> run = means_along(((1,), (2,)), Fraction(1, 2), (1, 1), (1,), 1)
    >>> [str(step.imbalance) for step in run]
    ['1', '1/2']
    """
    (a, b), law, found = ends, {start: Fraction(1)}, []
    pool = tuple(offered)
    for _ in range(steps):
        following: dict[State, Fraction] = {}
        totals = [Fraction(0)] * 4
        for state, weight in law.items():
            level = len(state[0]) * p * (b - a) * authority
            for gone, chance in chances(state, p):
                step = Departures(state, gone)
                terms = (
                    Fraction(step.imbalance),
                    Fraction(step.spread),
                    step.deviations(a, b, p, authority),
                    max(Fraction(0), step.excess(a, b, p) - level),
                )
                share = weight * chance
                for i, term in enumerate(terms):
                    if term:
                        totals[i] += share * term
                after = _next(state, gone, _admitted(step.kept, step.free, pool))
                following[after] = following.get(after, Fraction(0)) + share
        found.append(Means(*totals))
        law = following
    last, wide = Fraction(0), Fraction(0)
    for state, weight in law.items():
        held = [sum(row) for row in state]
        last += weight * imbalance(held)
        wide += weight * (max(held) - min(held))
    return (*found, Means(last, wide, Fraction(0), Fraction(0)))


@claim(
    "geometric.expected",
    "upper",
    assumptions=(
        Assumption.GEOMETRIC_LENGTHS,
        Assumption.FULL_SLOTS,
        Assumption.COMMON_DRIFT,
        Assumption.STICKY,
        Assumption.BOUNDED_SIZES,
        Assumption.MYOPIC,
        Assumption.EXACT_STEP,
    ),
    requires=("geometric.bfio-upper", "geometric.recursion"),
    answers=("T2",),
    coq=Theorem("geometric_expected", "Expected.v"),
)
class InExpectation:
    """The recursions of Theorem 2 in expectation, whatever the policy has seen.

    Every slot occupied, any common whole growth, and after each step every request departs with
    probability p in (0, 1], independently of the others and of all that happened. Pools and optimal
    admissions are functions of the past; these functions and the start may be drawn at random,
    finitely many of them, independently of the departures. D is sum_g (X_g + max_h Y_h - B p
    delta)^+, S, V and N as in [geometric.bfio-upper] and [geometric.recursion]. If every pool
    offers two sizes as there, E Imb' <= (1-p) E Imb + S + E D at each step, and over K >= 1 steps
    E[AvgImb(BF-IO)] <= (S + F)/p + E Imb_0/(p K), F the average of E D. From rich pools of sizes in
    [a, b] the first holds with S = 0 and delta = b-a, E V' <= (1-p) E V + E (N - B p (b-a))^+, and
    E[AvgImb(BF-IO)] <= (G-1) (F/p + E V_0/(p K)), F the average of E (N - B p (b-a))^+. For given
    loads [geometric.deviations-tail] bounds both means; which loads occur is not part of this.
    """

    def formula(self) -> "sp.Basic":
        return two_sizes_formula()

    @evidence(
        measures="mean imbalance after a step (load)",
        plants=(
            Variant("what is carried over x0.99", Fraction(99, 100), side="carried"),
            Variant("the spacing x0.7", Fraction(7, 10), side="spacing"),
            Variant("the deviations x0.99", Fraction(99, 100), side="deviations"),
            Variant("the authority x1.05", Fraction(21, 20), side="authority"),
            Variant("the average x0.99", Fraction(99, 100), side="average"),
            Variant("the imbalance from a rich pool x0.99", Fraction(99, 100), side="rich"),
            Variant("the spread carried over x0.95", Fraction(19, 20), side="carried spread"),
            Variant("deviations of the spread x0.99", Fraction(99, 100), side="excess"),
            Variant("the average from a rich pool x0.99", Fraction(99, 100), side="rich average"),
            Variant("the larger size not in the pool", fault="one-size"),
        ),
        systems=((1, 2, 2), (2, 1, 3), (2, 2, 3), (3, 1, 2)),
        delta=(1, 3),
        p=(Fraction(1, 100), Fraction(1, 2), Fraction(1)),
        steps=2,
        standard={"systems": ((1, 2, 3), (2, 1, 5), (2, 2, 4), (3, 1, 4)), "delta": (1, 2, 3)},
    )
    def check(self, trial: Trial) -> Finding:
        """Exact means along every run from small systems, growth 1, with enumerated optimal steps
        and all departures with their probabilities; a mean above its bound refutes it.
        """
        cases = Cases("<=")
        for start, delta, p in product(states(trial), trial["delta"], trial["p"]):
            witness: Witness = partial(dict, loads=start, x=1, delta=delta, p=str(p))
            if self._two_sizes(trial, cases, start, delta, p, witness):
                break
            if self._rich(trial, cases, start, delta, p, witness):
                break
        return cases.finding(
            trial,
            f"{trial['steps']} steps from {departures_domain(trial)}; sizes 1 and 1 + delta, delta "
            f"in {trial['delta']}, or all from the one to the other, p in "
            f"{', '.join(map(str, trial['p']))}",
        )

    def _two_sizes(
        self, trial: Trial, cases: Cases, start: State, delta: int, p: Fraction, witness: Witness
    ) -> bool:
        """Add the comparisons of a run from two sizes; whether one is violated."""
        cost, ends = spacing_cost(len(start), delta), (1, 1 + delta)
        offered = ends[:1] if trial.fault("one-size") else ends
        run = means_along(start, p, ends, offered, trial["steps"], trial.scale_of("authority"))
        for now, after in pairwise(run):
            claimed = (
                (1 - p) * now.imbalance * trial.scale_of("carried")
                + cost * trial.scale_of("spacing")
                + now.deviations * trial.scale_of("deviations")
            )
            if cases.add(after.imbalance, claimed, witness):
                return True
        steps = trial["steps"]
        average = sum(step.imbalance for step in run[:-1]) / steps
        added = sum(step.deviations for step in run[:-1]) / steps
        bound = (cost + added) / p + run[0].imbalance / (p * steps)
        return cases.add(average, bound * trial.scale_of("average"), witness, "average")

    def _rich(
        self, trial: Trial, cases: Cases, start: State, delta: int, p: Fraction, witness: Witness
    ) -> bool:
        """Add the comparisons of a run from a rich pool; whether one is violated."""
        run = means_along(start, p, (1, 1 + delta), range(1, 2 + delta), trial["steps"])
        for now, after in pairwise(run):
            claimed = (1 - p) * now.imbalance + now.deviations
            if cases.add(after.imbalance, claimed * trial.scale_of("rich"), witness, "rich pool"):
                return True
            wide = (1 - p) * now.spread * trial.scale_of("carried spread")
            wide += now.excess * trial.scale_of("excess")
            if cases.add(after.spread, wide, witness, "spread from a rich pool"):
                return True
        steps = trial["steps"]
        average = sum(step.imbalance for step in run[:-1]) / steps
        added = sum(step.excess for step in run[:-1]) / steps
        bound = (len(start) - 1) * (added / p + run[0].spread / (p * steps))
        scale = trial.scale_of("rich average")
        return cases.add(average, bound * scale, witness, "average from a rich pool")
