"""Assumptions that Theorem 1 does not need: proofs, beside searches of measured power.

Each bound is attained [step.full-refill-tight], so the search has an optimum to find: how many of
its runs find it says what its silence beyond it is worth.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import cache, partial

from adversary.instances.small_runs import ExactBFIO
from adversary.instances.space import Instance, Space
from adversary.witnesses.lookahead_runs import average_imbalance
from adversary.worst_case.search import Power, SearchResult, search
from evenkeel.evidence.check import Finding, Trial, Variant, Verdict, check
from evenkeel.evidence.scoreboard import Cases, Witness
from evenkeel.evidence.verdicts import SMALLER
from solvers.simulation.reference import simulate_reference
from theory.formulas.step import full_refill_bound
from theory.model import imbalance

ONE_LESS = Variant("the bound less 1", fault="one-less")


def _bound(space: Space) -> int:
    return full_refill_bound(space.workers, space.size_min, space.size_max)


@cache
def _searches(
    objective: Callable[[Instance], Fraction], space: Space, budget: int, seeds: range
) -> tuple[SearchResult[Instance], ...]:
    """Searches for more than the bound; the planted versions share those of the claim."""
    target = Fraction(_bound(space) + 1)
    return tuple(
        search(objective, space, "climb", budget=budget, seed=seed, target=target) for seed in seeds
    )


def _attacked(
    trial: Trial, label: str, space: Space, objective: Callable[[Instance], Fraction]
) -> Finding:
    """Several searches for more than ``(G-1)(b-a)``, which itself is there to be found."""
    bound, first = _bound(space), trial["runs"] * trial.seed
    runs = _searches(objective, space, trial["budget"], range(first, first + trial["runs"]))
    cases = Cases("<=")
    for run in runs:
        if run.instance is None or run.value is None or cases.violated:
            continue
        requests = run.instance.requests
        witness: Witness = partial(
            dict,
            workers=space.workers,
            slots=space.slots,
            prefill=requests.prefill.tolist(),
            decode=requests.decode.tolist(),
        )
        claimed = bound * trial.scale - trial.fault("one-less")
        cases.add(Fraction(run.value), claimed, witness)
    hits = [next(n for n, v in run.trace if v >= bound) for run in runs if run.value == bound]
    power = Power("climb", len(runs), len(hits), trial["budget"], None)
    return cases.finding(
        trial,
        label,
        f"searches (climb) of {trial['budget']} evaluations each over {space.size:,} lists of "
        f"{space.requests} requests on G = {space.workers}, B = {space.slots}, sizes "
        f"{space.size_min} to {space.size_max}; {len(hits)} of {len(runs)} found the bound "
        f"attained, so a search finds what is there with chance >= {power.least_rate:.2f} (95 %)",
        details={"power": power.least_rate, "evaluations to the bound": hits},
        held=Verdict.ATTACKED if hits else Verdict.INCONCLUSIVE,
    )


@check(
    "limits.iid",
    measures="largest imbalance of a step that a search found (load)",
    budget=150,
    runs=12,
    standard={"budget": 1000, "runs": 20},
    plants=(SMALLER, ONE_LESS),
)
def iid(trial: Trial) -> Finding:
    """The largest imbalance of a step over three rounds of two workers with two slots."""
    return _attacked(trial, "limits.iid", Space(2, 2, 12, 5), _largest_step)


def _largest_step(instance: Instance) -> Fraction:
    run = simulate_reference(
        instance.system, instance.requests, ExactBFIO(), pool=instance.pool, history=True
    )
    assert run.loads is not None
    return Fraction(max(map(imbalance, run.loads[: run.overloaded.steps].tolist())))


@check(
    "limits.myopic",
    measures="largest average imbalance of a round that a search found (load)",
    budget=150,
    runs=12,
    window=2,
    standard={"budget": 300, "runs": 20},
    plants=(SMALLER, ONE_LESS),
)
def myopic(trial: Trial) -> Finding:
    """The average over a round of two steps, for a window as long as the round."""
    return _attacked(trial, "limits.myopic", Space(2, 2, 4, 9), _average(trial["window"]))


@cache
def _average(window: int) -> Callable[[Instance], Fraction]:
    """The average imbalance of a round with that window; one function for each."""

    def average(instance: Instance) -> Fraction:
        sizes = instance.requests.prefill.tolist()
        return average_imbalance(sizes, [2] * len(sizes), 2, 2, window)

    return average
