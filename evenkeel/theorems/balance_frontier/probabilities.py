"""Checks of how far one step's refill reaches: probabilities and frontiers of [threshold.*]."""

from collections.abc import Iterator
from fractions import Fraction
from functools import cache, partial
from itertools import islice, product
from math import ceil, log
from typing import Any

import numpy as np

from evenkeel.evidence.check import Finding, Trial, Variant, Verdict, check
from evenkeel.evidence.scoreboard import Cases, Witness
from evenkeel.evidence.statistics import Mean
from evenkeel.evidence.verdicts import held, planted_policy
from solvers.simulation.rich_pool import balanced_state, rich_pool_run
from theory.formulas.rebalancing import (
    FRONTIER,
    age_squares,
    failure_bound,
    failure_probability,
    frontier_in_words,
    stationary_failure_bound,
)
from theory.formulas.step import criterion_violation, waterfill_optimum
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Law
from theory.laws.slot_load import geometric_slot

# --- One balanced state -------------------------------------------------------------------------


def _states(B: int) -> Iterator[tuple[tuple[tuple[int, ...], ...], Fraction, int, int]]:
    """Balanced states with few distinct loads, from out of reach to far within it; p, a, b."""
    for G, p, old, d, slots in product(
        (2, 3), (Fraction(1, 2), Fraction(1, 4)), (5, 9, 17), (1, 2, 6), (B // 8, B // 2, B)
    ):
        half = slots // 2
        row = (1, old) * half
        middle = ((old + 1) // 2,) * (2 * half)
        yield (row,) * G, p, 1, 1 + d
        yield (row,) * (G - 1) + (middle,), p, 1, 1 + d
    # Far in the tail the bound is loose by its root only, and its exponent is what counts: 24 here.
    yield ((5,) * (20 * B),) * 2, Fraction(1, 2), 1, 2


@check(
    "threshold.sufficient",
    no_near_factor="a bound five times the truth: its exponent's constant is 6.4, not 8",
    measures="probability that balance fails (exact)",
    B=64,
    standard={"B": 160},
    paper={"B": 320},
    plants=(
        Variant("constant 6.4 in place of 8", fault="exponent"),
        Variant("a sixth of the bound", Fraction(1, 6)),
        Variant("variance of w - a alone", fault="one-side"),
    ),
)
def sufficient(trial: Trial) -> Finding:
    """Exact probabilities of failure against Bernstein's bound, where that is below 1."""
    cases = Cases("<=")
    for state, p, a, b in _states(trial["B"]):
        G = len(state)
        bound = failure_bound(state, float(p), a, b)
        if bound == 1:
            continue
        if trial.fault("exponent"):
            bound = min(1.0, bound * (bound / (G * (G - 1))) ** 0.25)
        elif trial.fault("one-side"):
            t = float(p) * len(state[0]) * (b - a)
            variance = float(p * (1 - p)) * sum((w - a) ** 2 for w in state[0]) / 4
            bound = min(1.0, G * (G - 1) * float(np.exp(-t * t / (2 * variance))))
        failed = failure_probability(state, p, a, b)
        rows = [dict(zip(*np.unique(row, return_counts=True), strict=True)) for row in state]
        witness: Witness = partial(
            dict, p=str(p), a=a, b=b, rows=[{int(w): int(n) for w, n in r.items()} for r in rows]
        )
        # The bound is a float of relative error 1e-10; no case is that close.
        if cases.add(failed, Fraction(bound) * trial.scale, witness):
            break
    return cases.finding(
        trial,
        "threshold.sufficient",
        f"states with G in {{2, 3}}, B <= {trial['B']}, p in {{1/2, 1/4}}, loads up to 17, b - a "
        f"in {{1, 2, 6}} where the bound is below 1, and one with {20 * trial['B']} slots, far out",
    )


# --- Stationary ages ----------------------------------------------------------------------------


@cache
def _steps_from_balance(
    G: int, B: int, p: float, d: int, seed: int, samples: int
) -> tuple[tuple[int, int], ...]:
    """For each balanced state with stationary ages: violation, imbalance after the step.

    States whose ages are too far apart to be balanced are left out.  Sizes are in [1, 1 + d].
    """
    rng = np.random.default_rng([seed, G, B, d, round(1e6 * p)])
    found = []
    for _ in range(samples):
        grown = balanced_state(G, B, p, (1, 1 + d), rng)
        if grown is None:
            continue
        departed = rng.random((G, B)) < p
        kept = np.where(departed, 0, grown).sum(axis=1).tolist()
        free = departed.sum(axis=1).tolist()
        found.append(
            (
                criterion_violation(kept, free, 1, 1 + d),
                waterfill_optimum(kept, free, 1, 1 + d)[0],
            )
        )
    return tuple(found)


@check(
    "threshold.stationary",
    measures="frequency of lost balance (share of states)",
    samples=60,
    points=((4, 0.1, 3), (16, 0.2, 3), (8, 0.1, 10)),
    standard={"samples": 600},
    paper={"samples": 5000},
    plants=(
        Variant("m_1 x1.001", Fraction(1001, 1000), side="m_1"),
        Variant("m_2 x1.001", Fraction(1001, 1000), side="m_2"),
        Variant("chance of an old request x0.95", Fraction(19, 20), side="old"),
        Variant("ages left out of the loads", fault="no-ages"),
        Variant("authority B d in place of B p d", fault="authority"),
    ),
)
def stationary(trial: Trial) -> Finding:
    """How often balance is lost from balanced states, around the slots where the bound is 1/2."""
    tightest: tuple[float, float, tuple[float, float], dict[str, Any]] | None = None
    samples = trial["samples"]
    if wrong := _means_and_old_requests(trial):
        return wrong
    for (G, p, d), B in product(trial["points"], (64, 256, 1024, 2048)):
        bound = stationary_failure_bound(G, B, p, d)
        if trial.fault("no-ages"):
            bound = min(1.0, G * G * float(np.exp(-B * p / (4 * (1 - p)))))
        elif trial.fault("authority"):
            exponent = B * d * d / (2 * p * (1 - p) * sum(age_squares(p, d)))
            bound = min(1.0, G * G * float(np.exp(-exponent)))
        lost = sum(v > 0 for v, _ in _steps_from_balance(G, B, p, d, trial.seed, samples))
        low, high = Mean.share(lost, samples).interval
        point = {"G": G, "B": B, "p": p, "d": d, "lost": lost, "states": samples}
        if bound < 1 and (tightest is None or bound - lost / samples < tightest[1] - tightest[0]):
            tightest = lost / samples, bound, (low, high), point
        if low > bound:
            return Finding(
                Verdict.REFUTED, lost / samples, bound, "<=", "one point", (low, high), point
            )
    assert tightest is not None
    rate, bound, interval, point = tightest
    return Finding(
        Verdict.SUPPORTED if trial.variant else held("threshold.stationary"),
        rate,
        bound,
        "<=",
        f"{samples} states at each of 4 numbers of slots for (G, p, d) in {trial['points']}",
        interval,
        details=point,
    )


def _means_and_old_requests(trial: Trial) -> Finding | None:
    """Exactly: the two means against their series, and the chance of an age above n."""
    last = 400
    for p, d in product((Fraction(1, 2), Fraction(1, 5)), (1, 4)):
        law = [(age, p * (1 - p) ** (age - 1)) for age in range(1, last + 1)]
        # Beyond ``last`` the series adds less than a relative 1e-30.
        squares = {
            "m_1": [(d + age) ** 2 for age, _ in law],
            "m_2": [max(age, d) ** 2 for age, _ in law],
        }
        for stated, (side, values) in zip(age_squares(float(p), d), squares.items(), strict=True):
            series = float(sum(v * mass for v, (_, mass) in zip(values, law, strict=True)))
            claimed = stated * float(trial.scale_of(side))
            if abs(claimed - series) > 1e-9 * series:
                where = {"p": str(p), "d": d}
                return Finding(
                    Verdict.REFUTED, series, claimed, "==", f"{side}, series", None, where
                )
        for requests, n in product((2, 64), (5, 30)):
            old = 1 - (1 - (1 - p) ** n) ** requests
            bound = requests * (1 - p) ** n * trial.scale_of("old")
            if old > bound:
                where = {"p": str(p), "requests": requests, "n": n}
                domain = "chance that some request is older than n"
                return Finding(Verdict.REFUTED, float(old), float(bound), "<=", domain, None, where)
    return None


@check(
    "threshold.frontier",
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
def frontier(trial: Trial) -> Finding:
    """Rates of failure at both numbers of slots of each system, and where these stand."""
    undecided = 0
    sides: list[dict[str, Any]] = []
    for G, p, d, *both in FRONTIER:
        # The fewer workers, the more slowly the rate falls with the slots.
        samples = trial["samples"] * (3 if G < 64 else 1)
        for side, slots in zip(("below", "above"), both, strict=True):
            B = round(slots * trial.scale_of(side))
            unit = sum(age_squares(p, d)) / 2 * log(G)
            unit /= p ** (2 if trial.fault("rate") else 1) * d ** (1 if trial.fault("width") else 2)
            found = _steps_from_balance(G, B, p, d, trial.seed, samples)
            lost = sum(v > 0 for v, _ in found)
            low, high = Mean.share(lost, len(found)).interval
            point = {"G": G, "B": B, "p": p, "d": d, "lost": lost, "states": len(found)}
            sides.append({**point, "side": side, "interval": (low, high)})
            below = side == "below"
            least = unit * float(trial.scale_of("least"))
            most = 2.1 * unit * float(trial.scale_of("most"))
            if not least <= B <= most:
                return Finding(
                    Verdict.REFUTED,
                    B,
                    least if least > B else most,
                    ">=" if least > B else "<=",
                    "slots between the multiples of m ln G / (p d^2)",
                    witness=point,
                )
            if high < 0.5 if below else low > 0.5:
                return Finding(
                    Verdict.REFUTED,
                    lost / len(found),
                    0.5,
                    ">=" if below else "<=",
                    f"{side} the frontier",
                    (low, high),
                    point,
                )
            undecided += low <= 0.5 if below else high >= 0.5
    # The least clear of the points above the frontier.
    worst = max((s for s in sides if s["side"] == "above"), key=lambda s: s["lost"] / s["states"])
    return Finding(
        Verdict.INCONCLUSIVE if undecided else Verdict.SUPPORTED,
        worst["lost"] / worst["states"],
        0.5,
        "<=",
        f"{frontier_in_words()}; shown: the most frequent failure at a larger number of slots",
        worst["interval"],
        details={"points": sides},
    )


@check(
    "threshold.t2-myopic",
    measures="mean imbalance of one step from balance (load)",
    G=64,
    B=2048,
    p=0.05,
    d=3,
    samples=40,
    standard={"samples": 400},
    plants=(
        Variant("1.25 (G-1) s_max / p", Fraction(5, 4)),
        Variant("2.5 (G-1) s_max / p", Fraction(5, 2)),
        Variant("(G-1) s_max / p times ln(G) / 2", fault="log"),
    ),
)
def t2_myopic(trial: Trial) -> Finding:
    """Mean imbalance of one optimal step from perfect balance against ``(G-1) s_max / p``.

    The planted versions are weaker statements that are false too.
    """
    G, B, p, d = (trial[name] for name in "GBpd")
    found = _steps_from_balance(G, B, p, d, trial.seed, trial["samples"])
    claimed = (G - 1) * (1 + d) / p * float(trial.scale)
    if trial.fault("log"):
        claimed *= log(G) / 2
    domain = (
        f"{len(found)} balanced states of {trial['samples']} draws at G = {G}, B = {B}, p = {p}, "
        f"sizes in [1, {1 + d}]"
    )
    if len(found) < 2:
        return Finding(Verdict.INCONCLUSIVE, None, claimed, "<=", domain)
    mean = Mean.of([float(row[1]) for row in found])
    refuted = mean.low > claimed
    witness = {"G": G, "B": B, "p": p, "a": 1, "b": 1 + d, "seed": trial.seed}
    return Finding(
        Verdict.REFUTED if refuted else Verdict.INCONCLUSIVE,
        mean.value,
        claimed,
        "<=",
        domain,
        mean.interval,
        witness if refuted else None,
        {"ln G / (p^3 d^2)": log(G) / (p**3 * d * d)},
    )


# --- Long runs ----------------------------------------------------------------------------------


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
    costs = G * loads.max(axis=1) - loads.sum(axis=1)
    return tuple(costs[warm:].tolist()), int(costs.max()), float(loads[warm:].mean()) / B


# At G = 64, sizes 1..100: p, B, imbalance over (G-1) s_max (0: at every step), IIR.
STATED: tuple[tuple[float, int, Fraction | None, Fraction | None], ...] = (
    (0.05, 256, Fraction(0), None),
    (0.05, 64, Fraction(133, 100), Fraction(505, 100)),
    (0.05, 16, None, Fraction(203, 100)),
    (0.01, 256, Fraction(237, 10), Fraction(173, 100)),
)
# Steps of each of these runs over the ``steps`` of a trial: ages last for 1/p steps.
LONGER = {0.05: 1, 0.01: 5}


@check(
    "threshold.phase",
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
def phase(trial: Trial) -> Finding:
    """Mean imbalance and IIR at the four stated points."""
    G, b, cases = 64, 100, Cases("<=")
    values: dict[str, object] = {}

    def near(name: str, value: float, stated: Fraction) -> None:
        """Hold a value within an eighth of what is stated."""
        values[name] = value
        witness: Witness = partial(dict, quantity=name, value=value)
        for pair in (
            (stated * trial.scale_of("lower") * Fraction(8, 9), Fraction(value)),
            (Fraction(value), stated * trial.scale_of("upper") * Fraction(9, 8)),
        ):
            if not cases.violated:
                cases.add(*pair, witness)

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
        "threshold.phase",
        f"both ends of each number, 8/9 and 9/8, G = {G}, sizes 1..{b}, means of "
        f"{trial['steps']} steps (p = 0.05) and {5 * trial['steps']} (p = 0.01) after 10/p of "
        "warm-up; intervals in the details",
        details=values,
        held=Verdict.SUPPORTED,
    )


@check(
    "threshold.ratchet",
    measures="mean load of an active request (load)",
    steps=800,
    standard={"steps": 4000},
    plants=(
        Variant("lower ends x1.06", Fraction(53, 50), side="lower"),
        Variant("upper ends x0.94", Fraction(47, 50), side="upper"),
        Variant("half the slots", fault="slots"),
    ),
)
def ratchet(trial: Trial) -> Finding:
    """Mean load of an active request below and above the threshold."""
    b, p, cases = 100, 0.05, Cases("<=")
    values = {}
    for B, stated in ((16, "118.9"), (64, "117.1"), (256, "51.2")):
        slots = B // 2 if trial.fault("slots") else B
        load = _long_run(64, slots, p, b, trial.seed, trial["steps"])[2]
        values[f"mean load at B = {B}"] = load
        witness: Witness = partial(dict, B=B, mean_load=load)
        lower = Fraction(stated) * Fraction(19, 20) * trial.scale_of("lower")
        upper = Fraction(stated) * Fraction(21, 20) * trial.scale_of("upper")
        if cases.add(lower, Fraction(load), witness) or cases.add(Fraction(load), upper, witness):
            break
    return cases.finding(
        trial,
        "threshold.ratchet",
        f"both ends of each number, 0.95 and 1.05, G = 64, p = {p}, sizes 1..{b}, B = 16, 64 and "
        f"256, means of {trial['steps']} steps",
        details=values,
        held=Verdict.SUPPORTED,
    )
