"""Where balance is reached in simulated runs: the frontier."""

from fractions import Fraction
from functools import cache, partial
from itertools import islice
from math import ceil
from typing import Any

import numpy as np

from evenkeel.findings.check import Finding, Trial, Variant, Verdict, evidence
from evenkeel.findings.scoreboard import Cases, Witness, refuted, weighed
from evenkeel.findings.statistics import Mean, imbalances
from evenkeel.findings.verdicts import planted_policy
from evenkeel.theorems.balance_frontier.probabilities import steps_from_balance
from evenkeel.theorems.registry import Assumption, claim
from solvers.simulation.rich_pool import rich_pool_run
from theory.formulas.geometric import frontier_edge
from theory.formulas.rebalancing import FRONTIER, frontier_in_words
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Law
from theory.laws.slot_load import geometric_slot


@claim(
    "threshold.frontier",
    "empirical",
    assumptions=(
        Assumption.FULL_SLOTS,
        Assumption.RICH_POOL,
        Assumption.GEOMETRIC_LENGTHS,
        Assumption.CONSTANT_DRIFT,
        Assumption.EXACT_STEP,
    ),
    requires=("threshold.sufficient",),
    values={"bands": frontier_in_words()},
    answers=("fact 3",),
)
class Frontier:
    """The measured frontier at three systems.

    From balanced states with stationary ages, sizes of width d and the rest of them as level as
    possible, the next optimal step fails to be balanced more often than not at the smaller and less
    often than not at the larger number of slots of: $bands. With m = (m_1 + m_2)/2 of
    [threshold.stationary] all of them lie between B p d^2 = m ln G, here the lower edge, and 2.1 m
    ln G, and so far below the upper edge 8 m ln G of the order of [threshold.sufficient].
    """

    @evidence(
        measures="frequency of lost balance (share of states)",
        samples=800,
        standard={"samples": 3000},
        plants=(
            Variant("smaller slots x1.25", Fraction(5, 4), side="below"),
            Variant("larger slots x0.8", Fraction(4, 5), side="above"),
            Variant("at least 1.25 m ln G", Fraction(5, 4), side="least"),
            Variant("at most 1.68 m ln G", Fraction(4, 5), side="most"),
            Variant("d in place of d^2", fault="width"),
            Variant("p^2 in place of p", fault="rate"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Frequencies with exact confidence intervals at both numbers of slots of each system; an
        interval on the wrong side of 1/2 refutes it.
        """
        undecided = 0
        sides: list[dict[str, Any]] = []
        for G, p, d, *both in FRONTIER:
            # The fewer workers, the more slowly the rate falls with the slots.
            samples = trial["samples"] * (3 if G < 64 else 1)
            edge = frontier_edge(G, p, d)
            if trial.fault("rate"):
                edge /= p
            elif trial.fault("width"):
                edge *= d
            least = edge * float(trial.scale_of("least"))
            most = 2.1 * edge * float(trial.scale_of("most"))
            for side, slots in zip(("below", "above"), both, strict=True):
                B = round(slots * trial.scale_of(side))
                found = steps_from_balance(G, B, p, d, trial.seed, samples)
                lost = sum(v > 0 for v, _ in found)
                low, high = Mean.share(lost, len(found)).interval
                point = {"G": G, "B": B, "p": p, "d": d, "lost": lost, "states": len(found)}
                sides.append({**point, "side": side, "interval": (low, high)})
                below = side == "below"
                if not least <= B <= most:
                    return refuted(
                        B,
                        ">=" if least > B else "<=",
                        least if least > B else most,
                        "slots between the multiples of m ln G / (p d^2)",
                        point,
                    )
                if high < 0.5 if below else low > 0.5:
                    return refuted(
                        lost / len(found),
                        ">=" if below else "<=",
                        0.5,
                        f"{side} the frontier",
                        point,
                        interval=(low, high),
                    )
                undecided += low <= 0.5 if below else high >= 0.5
        # The least clear of the points above the frontier.
        worst = max(
            (s for s in sides if s["side"] == "above"), key=lambda s: s["lost"] / s["states"]
        )
        return weighed(
            False,
            not undecided,
            worst["lost"] / worst["states"],
            "<=",
            0.5,
            f"{frontier_in_words()}; shown: the most frequent failure at a larger number of slots",
            worst,
            interval=worst["interval"],
            details={"points": sides},
        )


# At G = 64, sizes 1..100: p, B, imbalance over (G-1) s_max (0: at every step), IIR.
STATED: tuple[tuple[float, int, Fraction | None, Fraction | None], ...] = (
    (0.05, 256, Fraction(0), None),
    (0.05, 64, Fraction(133, 100), Fraction(505, 100)),
    (0.05, 16, None, Fraction(203, 100)),
    (0.01, 256, Fraction(237, 10), Fraction(173, 100)),
)


@cache
def _long_run(
    G: int, B: int, p: float, b: int, seed: int, steps: int
) -> tuple[tuple[float, ...], int, float]:
    """BF-IO from a cold start: imbalances, worst imbalance, mean load of an active request.

    Imbalances and loads are of ``steps`` steps after a warm-up of ``10 / p``; the worst is over
    all steps.
    """
    rng = np.random.default_rng([seed, B, round(1e6 * p)])
    warm = ceil(10 / p)
    loads = np.array(list(islice(rich_pool_run(G, B, p, (1, b), rng), warm + steps)))
    costs = imbalances(loads)
    return tuple(costs[warm:].tolist()), int(costs.max()), float(loads[warm:].mean()) / B


# Steps of each of these runs over the ``steps`` of a trial: ages last for 1/p steps.
LONGER = {0.05: 1, 0.01: 5}


@claim(
    "threshold.phase",
    "empirical",
    assumptions=(
        Assumption.RICH_POOL,
        Assumption.OVERLOADED,
        Assumption.GEOMETRIC_LENGTHS,
        Assumption.CONSTANT_DRIFT,
        Assumption.EXACT_STEP,
    ),
    requires=("step.waterfill",),
)
class Phase:
    """The improvement needs control authority: four systems.

    Sizes 1..100 (FCFS: uniform), G = 64, rich pool, long after a cold start. p = 0.05: at B = 256
    the imbalance of BF-IO is 0 at every step from the start; at B = 64 it is 1.33 times (G-1) s_max
    and IIR is 5.05; at B = 16 IIR is 2.03. p = 0.01, B = 256: 23.7 times (G-1) s_max, IIR 1.73.
    Each to within an eighth.
    """

    @evidence(
        measures="imbalance / ((G-1) s_max) and IIR of BF-IO (ratios)",
        steps=800,
        standard={"steps": 4000},
        paper={"steps": 20_000},
        plants=(
            Variant("lower ends x1.25", Fraction(5, 4), side="lower"),
            Variant("upper ends x0.8", Fraction(4, 5), side="upper"),
            Variant("fcfs in place of BF-IO", policy="fcfs"),
            Variant("half the slots", fault="slots"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Runs by exact water-filling, FCFS by its exact expectation; a mean below 8/9 or above 9/8
        of its number, or a positive imbalance at the first system, refutes it.
        """
        G, b, cases = 64, 100, Cases("<=")
        values: dict[str, object] = {}

        def near(name: str, value: float, stated: Fraction) -> None:
            """Hold a value within an eighth of what is stated."""
            values[name] = value
            witness: Witness = partial(dict, quantity=name, value=value)
            lower = stated * trial.scale_of("lower") * Fraction(8, 9)
            upper = stated * trial.scale_of("upper") * Fraction(9, 8)
            if not cases.violated:
                cases.extend(((lower, Fraction(value), witness), (Fraction(value), upper, witness)))

        for p, B, multiple, iir in STATED:
            slots = B // 2 if trial.fault("slots") else B
            law = geometric_slot(Law.uniform(1, b), Fraction(p).limit_denominator(1000))
            fcfs = expected_imbalance(law, G, slots).imbalance.value
            costs, worst, _ = _long_run(G, slots, p, b, trial.seed, trial["steps"] * LONGER[p])
            batches = np.array_split(np.asarray(costs, dtype=float), 20)
            mean = Mean.of([float(batch.mean()) for batch in batches])
            if planted_policy(trial, "bfio") == "fcfs":
                mean, worst = Mean(fcfs, fcfs, fcfs), ceil(fcfs)
            at = f"p = {p}, B = {B}"
            unit = (G - 1) * b
            if multiple is not None:
                shown = mean.value if multiple else worst
                near(f"imbalance / ((G-1) s_max) at {at}", shown / unit, multiple)
                values[f"its interval at {at}"] = (mean.low / unit, mean.high / unit)
            if iir is not None:
                near(f"IIR at {at}", fcfs / mean.value if mean.value else 1e9, iir)
        return cases.finding(
            trial,
            f"both ends of each number, 8/9 and 9/8, G = {G}, sizes 1..{b}, means of "
            f"{trial['steps']} steps (p = 0.05) and {5 * trial['steps']} (p = 0.01) after 10/p of "
            "warm-up; intervals in the details",
            details=values,
            strongest=Verdict.SUPPORTED,
        )


@claim(
    "threshold.ratchet",
    "empirical",
    assumptions=(
        Assumption.RICH_POOL,
        Assumption.OVERLOADED,
        Assumption.GEOMETRIC_LENGTHS,
        Assumption.CONSTANT_DRIFT,
        Assumption.EXACT_STEP,
    ),
    requires=("threshold.phase",),
)
class Ratchet:
    """Below the threshold BF-IO admits the largest requests.

    Sizes 1..100, G = 64, rich pool, p = 0.05. Below the threshold (B = 16, 64) the oldest worker
    sets a level that the others reach for with the largest sizes: the mean load of an active
    request is 118.9 and 117.1, above s_max = 100, against 69.5 under FCFS with uniform sizes. Above
    it (B = 256) it is 51.2. Each to within a twentieth.
    """

    @evidence(
        measures="mean load of an active request (load)",
        steps=800,
        standard={"steps": 4000},
        plants=(
            Variant("lower ends x1.06", Fraction(53, 50), side="lower"),
            Variant("upper ends x0.94", Fraction(47, 50), side="upper"),
            Variant("half the slots", fault="slots"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """Mean loads of the runs of [threshold.phase]; one that is off by more than a twentieth
        refutes it.
        """
        b, p, cases = 100, 0.05, Cases("<=")
        values = {}
        for B, stated in ((16, "118.9"), (64, "117.1"), (256, "51.2")):
            slots = B // 2 if trial.fault("slots") else B
            load = _long_run(64, slots, p, b, trial.seed, trial["steps"])[2]
            values[f"mean load at B = {B}"] = load
            witness: Witness = partial(dict, B=B, mean_load=load)
            lower = Fraction(stated) * Fraction(19, 20) * trial.scale_of("lower")
            upper = Fraction(stated) * Fraction(21, 20) * trial.scale_of("upper")
            if cases.extend(((lower, Fraction(load), witness), (Fraction(load), upper, witness))):
                break
        return cases.finding(
            trial,
            f"both ends of each number, 0.95 and 1.05, G = 64, p = {p}, sizes 1..{b}, B = 16, 64 "
            f"and 256, means of {trial['steps']} steps",
            details=values,
            strongest=Verdict.SUPPORTED,
        )
