"""Checks of how far one step's refill reaches: probabilities and frontiers of [threshold.*]."""

from collections.abc import Iterator
from fractions import Fraction
from functools import cache, partial
from itertools import islice, product
from math import ceil, log
from typing import Any

import numpy as np
from scipy.special import betaincinv

from evenkeel.checks.cases import Cases, Witness
from evenkeel.checks.sampling import MISS, Mean
from evenkeel.checks.verdicts import HALVED, held, planted_policy
from evenkeel.evidence import Finding, Trial, Variant, Verdict, check
from solvers.rich_pool import balanced_state, rich_pool_run
from theory.authority import (
    age_squares,
    failure_bound,
    failure_probability,
    stationary_failure_bound,
)
from theory.expectation import expected_imbalance
from theory.laws import Law
from theory.slots import geometric_slot
from theory.waterfill import criterion_violation, waterfill_optimum

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


@check(
    "threshold.sufficient",
    B=64,
    standard={"B": 160},
    paper={"B": 320},
    plants=(
        Variant("constant 4 in place of 8", fault="exponent"),
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
            bound = min(1.0, bound * bound / (G * (G - 1)))
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
        f"exact probabilities of states with G in {{2, 3}}, B <= {trial['B']}, p in {{1/2, 1/4}}, "
        "loads up to 17, b - a in {1, 2, 6}; the bound is below 1 there",
    )


# --- Stationary ages ----------------------------------------------------------------------------


@cache
def _steps_from_balance(
    G: int, B: int, p: float, d: int, seed: int, samples: int
) -> tuple[tuple[int, int, float], ...]:
    """For each balanced state with stationary ages: violation, imbalance after the step, m.

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
        squares = [((grown - s) ** 2).mean(axis=1).max() for s in (1, 1 + d)]
        found.append(
            (
                criterion_violation(kept, free, 1, 1 + d),
                waterfill_optimum(kept, free, 1, 1 + d)[0],
                float(sum(squares)) / 2,
            )
        )
    return tuple(found)


def _interval(hits: int, runs: int) -> tuple[float, float]:
    """Clopper-Pearson interval that misses with probability :data:`MISS`."""
    low = float(betaincinv(hits, runs - hits + 1, MISS / 2)) if hits else 0.0
    high = float(betaincinv(hits + 1, runs - hits, 1 - MISS / 2)) if hits < runs else 1.0
    return low, high


@check(
    "threshold.stationary",
    samples=60,
    points=((4, 0.1, 3), (16, 0.2, 3), (8, 0.1, 10)),
    standard={"samples": 600},
    paper={"samples": 5000},
    plants=(
        Variant("ages left out of the loads", fault="no-ages"),
        Variant("authority B d in place of B p d", fault="authority"),
    ),
)
def stationary(trial: Trial) -> Finding:
    """How often balance is lost from balanced states, around the slots where the bound is 1/2."""
    tightest: tuple[float, float, tuple[float, float], dict[str, Any]] | None = None
    samples = trial["samples"]
    for (G, p, d), B in product(trial["points"], (64, 256, 1024, 2048)):
        bound = stationary_failure_bound(G, B, p, d)
        if trial.fault("no-ages"):
            bound = min(1.0, G * G * float(np.exp(-B * p / (4 * (1 - p)))))
        elif trial.fault("authority"):
            exponent = B * d * d / (2 * p * (1 - p) * sum(age_squares(p, d)))
            bound = min(1.0, G * G * float(np.exp(-exponent)))
        lost = sum(v > 0 for v, _, _ in _steps_from_balance(G, B, p, d, trial.seed, samples))
        low, high = _interval(lost, samples)
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


def _slots_at(G: int, p: float, d: int, x: float, seed: int) -> int:
    """Slots where ``B p d^2 / (m ln G)`` is about ``x``, with ``m`` measured."""
    m = sum(age_squares(p, d)) / 2
    for _ in range(3):
        B = max(ceil(1 / p), round(x * m * log(G) / (p * d * d)))
        found = _steps_from_balance(G, B, p, d, seed, 4)
        m = float(np.mean([row[2] for row in found])) if found else m
    return B


@check(
    "threshold.frontier",
    samples=250,
    points=((4, 0.2, 3), (16, 0.2, 5), (16, 0.1, 5)),
    low=Fraction(9, 10),
    high=Fraction(17, 2),
    standard={
        "samples": 500,
        "points": ((4, 0.2, 3), (16, 0.2, 5), (16, 0.1, 3), (64, 0.1, 10), (64, 0.2, 5)),
    },
    paper={"samples": 2000},
    plants=(
        Variant("d in place of d^2", fault="width"),
        Variant("p^2 in place of p", fault="rate"),
        Variant("constant 2 in place of 8", fault="sooner"),
        Variant("constant 6 in place of 1", fault="later"),
    ),
)
def frontier(trial: Trial) -> Finding:
    """Rates of failure just below and just above the claimed frontier."""
    samples, decided = trial["samples"], 0
    sides = []
    for (G, p, d), x in product(trial["points"], (trial["low"], trial["high"])):
        below = x < 1
        at = float(x)
        if trial.fault("width") and below:
            at *= d
        elif trial.fault("rate") and below:
            at /= p
        elif trial.fault("sooner") and not below:
            at /= 4
        elif trial.fault("later") and below:
            at *= 6
        B = _slots_at(G, p, d, at, trial.seed)
        found = _steps_from_balance(G, B, p, d, trial.seed, samples)
        lost = sum(v > 0 for v, _, _ in found)
        interval = _interval(lost, len(found))
        point = {"G": G, "B": B, "p": p, "d": d, "lost": lost, "states": len(found)}
        sides.append({**point, "side": "below" if below else "above"})
        if (interval[1] < 0.5) if below else (interval[0] > 0.5):
            return Finding(
                Verdict.REFUTED,
                lost / len(found),
                0.5,
                ">=" if below else "<=",
                "one point",
                interval,
                point,
            )
        decided += (interval[0] > 0.5) if below else (interval[1] < 0.5)
    # The least clear of the points above the frontier.
    worst = max((s for s in sides if s["side"] == "above"), key=lambda s: s["lost"])
    return Finding(
        Verdict.SUPPORTED if decided == len(sides) else Verdict.INCONCLUSIVE,
        worst["lost"] / worst["states"],
        0.5,
        "<=",
        f"B p d^2 at {trial['low']} and {trial['high']} times m ln G for (G, p, d) in "
        f"{trial['points']}, {samples} states each; shown: the clearest failure above",
        _interval(worst["lost"], worst["states"]),
        details={"points": sides},
    )


@check(
    "threshold.t2-myopic",
    G=64,
    B=2048,
    p=0.05,
    d=3,
    samples=40,
    standard={"samples": 400},
    plants=(
        Variant("twice (G-1) s_max / p", Fraction(2)),
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
def _long_run(G: int, B: int, p: float, b: int, seed: int, steps: int) -> tuple[float, int, float]:
    """BF-IO from a cold start: mean imbalance, worst imbalance, mean load of an active request.

    Means are over ``steps`` steps after a warm-up of ``10 / p``; the worst is over all steps.
    """
    rng = np.random.default_rng([seed, B, round(1e6 * p)])
    warm = ceil(10 / p)
    loads = np.array(list(islice(rich_pool_run(G, B, p, (1, b), rng), warm + steps)))
    costs = G * loads.max(axis=1) - loads.sum(axis=1)
    return float(costs[warm:].mean()), int(costs.max()), float(loads[warm:].mean()) / B


# theory.md, section 4, at G = 64, sizes 1..100: p, B, imbalance over (G-1) s_max (0: at every
# step), IIR.
STATED: tuple[tuple[float, int, Fraction | None, Fraction | None], ...] = (
    (0.05, 256, Fraction(0), None),
    (0.05, 64, Fraction(13, 10), Fraction(5)),
    (0.05, 16, None, Fraction(2)),
    (0.01, 256, Fraction(24), Fraction(17, 10)),
)


@check(
    "threshold.phase",
    steps=100,
    standard={"steps": 2000},
    paper={"steps": 20_000},
    plants=(
        HALVED,
        Variant("fcfs in place of BF-IO", policy="fcfs"),
        Variant("half the slots", fault="slots"),
    ),
)
def phase(trial: Trial) -> Finding:
    """Mean imbalance and IIR at the four stated points."""
    G, b, cases = 64, 100, Cases("<=")
    values: dict[str, float] = {}

    def near(name: str, value: float, stated: Fraction) -> None:
        """Hold a value within a third of what is stated."""
        values[name] = value
        witness: Witness = partial(dict, quantity=name, value=value)
        for pair in (
            (stated * trial.scale * Fraction(3, 4), Fraction(value)),
            (Fraction(value), stated * trial.scale * Fraction(4, 3)),
        ):
            if not cases.violated:
                cases.add(*pair, witness)

    for p, B, multiple, iir in STATED:
        slots = B // 2 if trial.fault("slots") else B
        law = geometric_slot(Law.uniform(1, b), Fraction(p).limit_denominator(1000))
        fcfs = expected_imbalance(law, G, slots).imbalance.value
        mean, worst, _ = _long_run(G, slots, p, b, trial.seed, trial["steps"])
        if planted_policy(trial, "bfio") == "fcfs":
            mean, worst = fcfs, ceil(fcfs)
        at = f"p = {p}, B = {B}"
        if multiple is not None:
            shown = mean if multiple else worst
            near(f"imbalance / ((G-1) s_max) at {at}", shown / ((G - 1) * b), multiple)
        if iir is not None:
            near(f"IIR at {at}", fcfs / mean if mean else 1e9, iir)
    return cases.finding(
        trial,
        "threshold.phase",
        f"both sides of each number, 3/4 and 4/3, G = {G}, sizes 1..{b}, means of "
        f"{trial['steps']} steps after 10/p of warm-up",
        details=values,
        held=Verdict.SUPPORTED,
    )


@check(
    "threshold.ratchet",
    steps=100,
    standard={"steps": 2000},
    plants=(
        Variant("above the threshold too", fault="above"),
        Variant("claimed side x1.3", Fraction(13, 10)),
    ),
)
def ratchet(trial: Trial) -> Finding:
    """Mean load of an active request below and above the threshold."""
    b, p, cases = 100, 0.05, Cases(">=")
    values = {}
    for B, below in ((16, True), (64, True), (256, trial.fault("above"))):
        load = _long_run(64, B, p, b, trial.seed, trial["steps"])[2]
        values[f"mean load at B = {B}"] = load
        least = Fraction(b) * trial.scale
        witness: Witness = partial(dict, B=B, mean_load=load)
        pair = (Fraction(load), least) if below else (least, Fraction(load))
        if cases.add(*pair, witness):
            break
    return cases.finding(
        trial,
        "threshold.ratchet",
        f"G = 64, p = {p}, sizes 1..{b}, B = 16, 64 and 256, means of {trial['steps']} steps",
        details=values,
        held=Verdict.SUPPORTED,
    )
