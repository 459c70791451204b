"""From one step to the next: what is carried over, and what the departures add."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial
from itertools import product
from typing import Any

from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import THOUSANDTH, Cases, Witness, near
from evenkeel.theorems.balance_frontier.criterion import refill_optimum
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.theorem2.along_runs import (
    IMBALANCE_ABOVE,
    LATE,
    SPREAD_ABOVE,
    Along,
    Shared,
)
from evenkeel.theorems.theorem2.departures import departures, departures_domain
from evenkeel.theorems.theorem2.runs import DRIFTS, family_run, rare_size_run, rich_runs
from theory.formal.record import Theorem
from theory.formulas.departures import Departures
from theory.relations import at_most
from theory.symbolic import sp

FULL = (
    Assumption.FULL_SLOTS,
    Assumption.COMMON_DRIFT,
    Assumption.STICKY,
)


# Systems (G, B, largest load), widths d of the sizes 1..1 + d and shares p.
SMALL: dict[str, Any] = {
    "systems": ((2, 2, 4), (3, 1, 4)),
    "d": (1, 2),
    "p": (Fraction(1, 5), Fraction(3, 4)),
    "standard": {"systems": ((2, 2, 6), (3, 1, 6), (2, 3, 3)), "steps": 300},
    "paper": {"steps": 3000},
    "steps": 100,
}


@dataclass(frozen=True, slots=True)
class Refill:
    """A departure that is refilled with sizes of ``a..b``, and a share p of all load.

    ``excess`` is ``N = max_g X_g + max_h Y_h`` and ``authority`` is ``B p (b - a)``.
    """

    step: Departures
    a: int
    b: int
    p: Fraction
    authority: Fraction
    witness: Witness

    @property
    def excess(self) -> Fraction:
        return self.step.excess(self.a, self.b, self.p)


def refills(trial: Trial) -> Iterator[Refill]:
    """Every departure from the trial's small systems, refilled with sizes 1..1 + d."""
    for state, gone in departures(trial):
        step = Departures(state, gone)
        for d, p in product(trial["d"], trial["p"]):
            sizes = [1, 1 + d]
            witness: Witness = partial(dict, loads=state, departed=gone, p=str(p), sizes=sizes)
            yield Refill(step, 1, 1 + d, p, len(state[0]) * p * d, witness)


def refills_domain(trial: Trial) -> str:
    """The domain of :func:`refills` in words."""
    return (
        f"{departures_domain(trial)}; sizes 1..1 + d, d in {trial['d']}, p in "
        f"{', '.join(map(str, trial['p']))}"
    )


@cache
def largest_optimal_spread(lowest: tuple[int, ...], highest: tuple[int, ...]) -> int:
    """Largest ``V'`` over all optimal admissions from a rich pool, by trying all loads.

    Sizes follow each other without a gap and are all there often enough, so the loads that a
    worker can get are the whole numbers from its lowest to its highest.
    """
    reachable = [range(low, high + 1) for low, high in zip(lowest, highest, strict=True)]
    found = [
        (len(loads) * max(loads) - sum(loads), max(loads) - min(loads))
        for loads in product(*reachable)
    ]
    least = min(imbalance for imbalance, _ in found)
    return max(spread for imbalance, spread in found if imbalance == least)


@claim(
    "geometric.recursion",
    "upper",
    assumptions=(
        *FULL,
        Assumption.RICH_POOL,
        Assumption.BOUNDED_SIZES,
        Assumption.MYOPIC,
        Assumption.EXACT_STEP,
    ),
    requires=("step.waterfill",),
    coq=Theorem("geometric_recursion", "Spread.v"),
)
class Recursion:
    """BF-IO from a rich pool: the spread of the loads from step to step.

    Rich pools of sizes in [a, b], every slot occupied, any common whole growth and any departures.
    With V = max L - min L, X_g the sum over all requests of worker g of (xi-p)(w-b) and Y_g that of
    (p-xi)(w-a), w the load with the growth of the step, xi = 1 for a request that departs and 0
    else, N = max X + max Y, and any p in (0, 1]: every optimal step has V' <= ((1-p) V + N - B p
    (b-a))^+ and Imb' <= (1-p) Imb + sum_g (X_g + max_h Y_h - B p (b-a))^+. So the average of Imb
    over K steps is at most (G-1) (F/p + V_0/(p K)), F the average of (N - B p (b-a))^+; and so are
    the means over a law of finitely many runs.
    """

    def formula(self) -> "sp.Basic":
        return at_most("AvgImb_BFIO", "(G - 1) * (F / p + V_0 / (p * K))")

    @evidence(
        measures="max L - min L after an optimal step (load)",
        plants=(
            Variant("spread carried over x0.95", Fraction(19, 20), side="carried"),
            Variant("deviations of the spread x0.95", Fraction(19, 20), side="deviations"),
            Variant("authority of the spread x1.05", Fraction(21, 20), side="authority"),
            Variant("imbalance carried over x0.95", Fraction(19, 20), side="carried imbalance"),
            Variant("deviations of the imbalance x0.95", Fraction(19, 20), side="deviations of it"),
            Variant("authority over the imbalance x1.05", Fraction(21, 20), side="authority of it"),
            Variant("growth of the step left out", fault="no-growth"),
            near("spread along runs", 1 / THOUSANDTH),
            near("imbalance along runs", 1 / THOUSANDTH),
            LATE,
        ),
        **SMALL,
    )
    def check(self, trial: Trial) -> Finding:
        """Both inequalities of the step in exact arithmetic, for every departure pattern of small
        systems: the largest spread of any optimal admission, over all loads that can be reached,
        and the enumerated optimum from the smallest rich pool; and at every step of runs under
        drifts 0, 1 and (3, 0, 1), from rich pools and of BF-IO while its pool is rich. One step
        above refutes it.
        """
        cases = Cases("<=")
        factor = {
            side: trial.scale_of(side)
            for side in (
                "carried",
                "deviations",
                "authority",
                "carried imbalance",
                "deviations of it",
                "authority of it",
            )
        }
        for refill in refills(trial):
            step, a, b, p = refill.step, refill.a, refill.b, refill.p
            spread = (
                (1 - p) * step.spread * factor["carried"]
                + (refill.excess - trial.fault("no-growth")) * factor["deviations"]
                - refill.authority * factor["authority"]
            )
            largest = largest_optimal_spread(step.refilled(a), step.refilled(b))
            if cases.add(largest, max(Fraction(0), spread), refill.witness):
                break
            claimed = (1 - p) * step.imbalance * factor["carried imbalance"] + step.deviations(
                a, b, p, factor["authority of it"]
            ) * factor["deviations of it"]
            optimum = refill_optimum(step.kept, step.free, range(a, b + 1))
            if cases.add(optimum, claimed, refill.witness, "imbalance"):
                break
        along = Along(trial, cases)
        for side, inequality in (
            ("spread along runs", SPREAD_ABOVE),
            ("imbalance along runs", IMBALANCE_ABOVE),
        ):
            along.hold(side, inequality, _runs(trial))
        return cases.finding(trial, along.domain(refills_domain(trial)), details=along.details)


def _runs(trial: Trial) -> Iterator[Shared]:
    """Runs from rich pools, and of BF-IO on sizes 1..3 from pools that are rich now and then."""
    seed, steps = trial.seed, trial["steps"]
    yield from rich_runs(seed, steps)
    for (G, B), drift in product(((2, 2), (4, 4)), DRIFTS):
        yield family_run("uniform", G, B, drift, seed, steps, b=3)
    yield rare_size_run(16, 32, (1,), seed, steps)
