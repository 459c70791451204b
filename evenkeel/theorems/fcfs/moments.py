"""Checks of [fcfs.stationary], [fcfs.moments] and [fcfs.constant-of-law]."""

from fractions import Fraction
from functools import cache, partial
from itertools import product
from math import isqrt
from typing import Any

import numpy as np

from adversary.workloads.families import requests_to_overload, workload
from evenkeel.evidence.check import Finding, Trial, Variant, Verdict, check
from evenkeel.evidence.scoreboard import TENTH, Cases, Witness, near
from evenkeel.evidence.statistics import Mean, first_steps, imbalances, overloaded_run
from evenkeel.evidence.verdicts import AGED, BFIO, BUSIEST, held, planted_policy
from theory.laws.fcfs_expectation import Expectation, expected_imbalance, over_steps
from theory.laws.fcfs_moments import Spread, spread
from theory.laws.law import Enclosure, Law
from theory.laws.order_statistics import effective_constant, largest_constant
from theory.laws.slot_load import geometric_slot, joint_slot, period
from theory.model import Requests, System

# Sizes that depend on the lengths; lengths with greatest common divisor 2.
PAIRS = ((3, 2), (9, 4), (1, 8), (6, 2))
COUNTS = (4, 2, 1, 1)
DRIFT = (2, 0, 1)


@check(
    "fcfs.stationary",
    measures="mean imbalance of FCFS in late steps (load)",
    plants=(
        near("limits"),
        near("phases"),
        near("averaged law", TENTH),
        near("one length"),
        near("runs", TENTH),
        near("runs", 1 / TENTH),
        AGED,
        Variant("the mean of the phases' laws in place of each", fault="averaged"),
        Variant("drift at its mean", fault="mean-drift"),
        BFIO,
    ),
    standard={"runs": 300},
    G=16,
    B=4,
    late=600,
    steps=120,
    runs=80,
)
def stationary(trial: Trial) -> Finding:
    """The limit of the exact transient law at every phase; then late halves of runs."""
    _, o = zip(*PAIRS, strict=True)
    drift = (1,) if trial.fault("mean-drift") else DRIFT
    cycle = period(o, DRIFT)
    shift = int(trial.fault("age-off-by-one"))
    workers, slots = trial["G"], trial["B"]
    phases = []
    for r in range(cycle):
        phase = None if trial.fault("averaged") else (r + shift) % cycle
        phases.append(_limit(drift, phase, workers, slots))
        limit = phases[-1].imbalance * trial.scale_of("limits")
        there = _late(trial["late"] // cycle * cycle + r, workers, slots)
        if abs(there.value - limit.value) > 1e-9 * there.value:
            return Finding(
                Verdict.REFUTED,
                there.value,
                limit.value,
                "==",
                f"exact E[Imb] at a late step of phase {r} mod {cycle}",
                witness={"pairs": PAIRS, "counts": COUNTS, "drift": DRIFT, "phase": r},
            )
    steady = [_limit((1,), r, workers, slots).imbalance for r in range(period(o, (1,)))]
    mixed = _limit((1,), None, workers, slots).imbalance
    lowest, highest = min(e.upper for e in steady), max(e.lower for e in steady)
    for found, stated, what in (
        (lowest, highest * trial.scale_of("phases"), "the phases under drift 1"),
        (mixed.upper, highest * trial.scale_of("averaged law"), "the averaged law there"),
    ):
        if found < stated:
            return Finding(
                Verdict.REFUTED,
                float(found),
                float(stated),
                ">=",
                f"{what}, exact enclosures",
                witness={"pairs": PAIRS, "counts": COUNTS, "drift": (1,)},
            )
    alone = _one_length(trial)
    if alone.violated:
        return alone.finding(trial, "fcfs.stationary", "one size and one length d, ages at random")
    claimed = over_steps(phases).imbalance.value * float(trial.scale_of("runs"))
    steps, policy = trial["steps"], planted_policy(trial, "fcfs")
    system = System(workers, slots, DRIFT)
    mean = _late_halves(system, policy, cycle, steps, trial["runs"], trial.seed)
    domain = (
        f"exact limits of all {cycle} phases; late halves of {trial['runs']} runs of {steps} "
        f"steps at G = {workers}, B = {slots}, lengths 2, 4, 8, drift {DRIFT}"
    )
    if claimed not in mean:
        return Finding(
            Verdict.REFUTED,
            mean.value,
            claimed,
            "==",
            domain,
            mean.interval,
            {"params": dict(trial.params), "seed": trial.seed},
        )
    averaged = _limit(DRIFT, None, workers, slots).imbalance.value
    return Finding(
        held("fcfs.stationary"),
        mean.value,
        claimed,
        "~",
        domain,
        mean.interval,
        details={"E[Imb] of the averaged law, which is wrong": averaged},
    )


@cache
def _limit(drift: tuple[int, ...], phase: int | None, workers: int, slots: int) -> Expectation:
    """Expectations under the limit law of a phase, or under the mean of the phases' laws."""
    s, o = zip(*PAIRS, strict=True)
    if phase is None:
        law = _averaged(drift)
    else:
        law = joint_slot(s, o, counts=COUNTS, drift=drift, phase=phase)
    return expected_imbalance(law, workers, slots)


@cache
def _late(step: int, workers: int, slots: int) -> Enclosure:
    """Exact expected imbalance at a step after a cold start."""
    s, o = zip(*PAIRS, strict=True)
    law = joint_slot(s, o, counts=COUNTS, step=step, drift=DRIFT)
    return expected_imbalance(law, workers, slots).imbalance


@cache
def _late_halves(system: System, policy: str, cycle: int, steps: int, runs: int, seed: int) -> Mean:
    """Mean imbalance over whole periods, from the middle of replicated runs on."""
    s, o = zip(*PAIRS, strict=True)
    samples = []
    for run in range(runs):
        rng = np.random.default_rng([seed, run])
        n = system.capacity * (steps // min(o) + 1)
        chosen = rng.choice(len(PAIRS), n, p=np.array(COUNTS) / sum(COUNTS))
        requests = Requests(np.array(s)[chosen], np.array(o)[chosen])
        result = overloaded_run(system, requests, policy, steps)
        loads = first_steps(result, steps)[steps // 2 // cycle * cycle : steps // cycle * cycle]
        samples.append(float(imbalances(loads).mean()))
    return Mean.of(samples)


def _one_length(trial: Trial) -> Cases:
    """Two workers with one slot, one size and one length: each phase, and ages at random."""
    cases = Cases("==")
    for d in range(2, 6):
        witness: Witness = partial(dict[str, Any], length=d)
        for r in range(d):
            law = joint_slot((5,), (d,), drift=(1,), phase=r)
            cases.add(expected_imbalance(law, 2, 1).imbalance.lower, 0, witness)
        ages = Law.of({5 + t: Fraction(1, d) for t in range(d)})
        claimed = Fraction(d * d - 1, 3 * d) * trial.scale_of("one length")
        if cases.add(expected_imbalance(ages, 2, 1).imbalance.lower, claimed, witness):
            break
    return cases


def _averaged(drift: tuple[int, ...]) -> Law:
    """The mean of the slot's laws over the phases."""
    s, o = zip(*PAIRS, strict=True)
    cycle = period(o, drift)
    total: dict[int, Fraction] = {}
    for r in range(cycle):
        law = joint_slot(s, o, counts=COUNTS, drift=drift, phase=r)
        for x, w in enumerate(law.weights, law.offset):
            if w:
                total[x] = total.get(x, Fraction(0)) + Fraction(w, law.scale * cycle)
    return Law.of(total)


def _listed(law: Law, workers: int, slots: int) -> tuple[Fraction, Fraction]:
    """``E[Imb^2]`` and ``E[Imb/(G M)]`` over every outcome of every slot."""
    atoms = [(x, w) for x, w in enumerate(law.weights, law.offset) if w]
    square, share = 0, Fraction(0)
    for outcome in product(atoms, repeat=workers * slots):
        loads = [sum(x for x, _ in outcome[g * slots : (g + 1) * slots]) for g in range(workers)]
        weight = int(np.prod([w for _, w in outcome], dtype=object))
        imbalance = workers * max(loads) - sum(loads)
        square += weight * imbalance**2
        share += Fraction(weight * imbalance, workers * max(loads))
    scale = law.scale ** (workers * slots)
    return Fraction(square, scale), share / scale


@check(
    "fcfs.moments",
    measures="mean idle share of a step under FCFS (share)",
    plants=(
        near("squares"),
        near("shares"),
        near("squares of runs", Fraction(6, 5)),
        near("shares of runs", TENTH),
        Variant("largest load and sum taken as independent", fault="independent"),
        Variant("long-run idle share in place of the step's", fault="long-run"),
        BUSIEST,
    ),
    standard={"runs": 2000, "shapes": ((2, 1), (2, 2), (3, 1), (3, 2), (4, 2))},
    shapes=((2, 1), (2, 2), (3, 1), (3, 2)),
    G=16,
    B=4,
    p=0.3,
    steps=(4, 10, 16, 22, 28),
    runs=200,
)
def moments(trial: Trial) -> Finding:
    """Every outcome of tiny systems; then squared imbalances and idle shares of runs."""
    laws = (
        Law.of({1: Fraction(1, 3), 4: Fraction(2, 3)}),
        geometric_slot(Law.of({2: 1}), Fraction(1, 2), step=2),
    )
    outcomes = 0
    for law, (workers, slots) in product(laws, trial["shapes"]):
        square, share = _listed(law, workers, slots)
        outcomes += (sum(w > 0 for w in law.weights)) ** (workers * slots)
        for name, found, claimed in (
            ("E[Imb^2]", square, _claimed_square(trial, law, workers, slots)),
            ("E[Imb/(G M)]", share, _claimed_share(trial, law, workers, slots)),
        ):
            if found != claimed:
                return Finding(
                    Verdict.REFUTED,
                    found,
                    claimed,
                    "==",
                    f"{name} over all outcomes of G = {workers}, B = {slots}",
                    witness={"law": law.weights, "G": workers, "B": slots},
                )
    workers, slots, at = trial["G"], trial["B"], list(trial["steps"])
    system, p = System(workers, slots), Fraction(str(trial["p"]))
    exact = [_spread(p, step, workers, slots) for step in at]
    policy = planted_policy(trial, "fcfs")
    squares, shares = _squares_and_shares(system, policy, p, tuple(at), trial["runs"], trial.seed)
    square_of = sum(e.second_moment.value for e in exact) / len(exact)
    share_of = sum(e.idle_share.value for e in exact) / len(exact)
    means: dict[str, tuple[Mean, float]] = {
        "E[Imb^2]": (squares, square_of * float(trial.scale_of("squares of runs"))),
        "E[Imb/(G M)]": (shares, share_of * float(trial.scale_of("shares of runs"))),
    }
    domain = (
        f"all {outcomes} outcomes of tiny systems, exact rationals; steps {at} of "
        f"{trial['runs']} runs at G = {workers}, B = {slots}"
    )
    details: dict[str, Any] = {name: mean.interval for name, (mean, _) in means.items()}
    for name, (mean, value) in means.items():
        if value not in mean:
            return Finding(
                Verdict.REFUTED,
                mean.value,
                value,
                "==",
                f"{name}, {domain}",
                mean.interval,
                {"params": dict(trial.params), "seed": trial.seed},
            )
    mean, value = means["E[Imb/(G M)]"]
    return Finding(
        held("fcfs.moments"), mean.value, value, "~", domain, mean.interval, details=details
    )


@cache
def _spread(p: Fraction, step: int, workers: int, slots: int) -> Spread:
    """Exact second moment and idle share at a step after a cold start, sizes uniform on 1..30."""
    return spread(geometric_slot(Law.uniform(1, 30), p, step=step), workers, slots)


@cache
def _squares_and_shares(
    system: System, policy: str, p: Fraction, at: tuple[int, ...], runs: int, seed: int
) -> tuple[Mean, Mean]:
    """Squared imbalance and idle share of replicated runs, each the mean over the given steps."""
    squares, shares, last = [], [], at[-1] + 1
    n = requests_to_overload(system, last, p=float(p))
    for run in range(runs):
        requests = workload("uniform", n, seed * 10**6 + run, b=30, p=float(p))
        loads = first_steps(overloaded_run(system, requests, policy, last), last)[list(at)]
        found = imbalances(loads).astype(float)
        squares.append(float((found**2).mean()))
        shares.append(float((found / (system.workers * loads.max(axis=1))).mean()))
    return Mean.of(squares), Mean.of(shares)


def _claimed_square(trial: Trial, law: Law, workers: int, slots: int) -> Fraction:
    if trial.fault("independent"):
        # E[S^2] of G*B independent slots, and E[M S] = E[M] E[S].
        expected = expected_imbalance(law, workers, slots)
        top, total = expected.maximum.lower, expected.mean.lower * workers
        second = law.variance.lower * workers * slots + total**2
        return workers**2 * top**2 - 2 * workers * top * total + second
    return spread(law, workers, slots).second_moment.lower * trial.scale_of("squares")


def _claimed_share(trial: Trial, law: Law, workers: int, slots: int) -> Fraction:
    if trial.fault("long-run"):
        return expected_imbalance(law, workers, slots).idle_share.lower
    return spread(law, workers, slots).idle_share.lower * trial.scale_of("shares")


def _root_of(workers: int) -> int:
    """``ceil(sqrt(G))``."""
    return isqrt(workers - 1) + 1


def _from_one(_: int) -> int:
    return 1


@check(
    "fcfs.constant-of-law",
    measures="largest constant of a law in a region (1)",
    plants=(
        near("lower ends", Fraction(21, 20)),
        near("upper ends", Fraction(20, 21)),
        near("sampled points", Fraction(21, 20)),
        Variant("one constant for all regions", fault="one-region"),
        Variant("B to the power 0.4", exponent=Fraction(-1, 10)),
    ),
    standard={"samples": 400},
    most=256,
    samples=8,
)
def constant_of_law(trial: Trial) -> Finding:
    """Branch and bound against the stated ranges; then sampled points above the constant."""
    fair = Law.of({1: Fraction(1, 2), 2: Fraction(1, 2)})
    rare = Law.of({1: Fraction(99, 100), 2: Fraction(1, 100)})
    stated = (
        ("fair 1 or 2", fair, False, "0.420", "0.431"),
        ("uniform 1..4", Law.uniform(1, 4), False, "0.569", "0.578"),
        ("rare 2", rare, False, "0.119", "0.120"),
        ("fair 1 or 2", fair, True, "0.624", "0.638"),
        ("uniform 1..4", Law.uniform(1, 4), True, "0.663", "0.677"),
        ("rare 2", rare, True, "0.167", "0.168"),
    )
    rng = np.random.default_rng(trial.seed)
    details: dict[str, Any] = {}
    most = trial["most"]
    for name, law, regime, low, high in stated:
        least = _root_of if regime and not trial.fault("one-region") else _from_one
        found = largest_constant(law, most, most, least, Fraction(1, 50))
        value = found.value
        where = f"{name}, {'B >= sqrt(G)' if regime else 'all B'}"
        details[where] = {"c": float(value.upper), "G": found.workers, "B": found.slots}
        floor = Fraction(low) * trial.scale_of("lower ends")
        ceiling = Fraction(high) * trial.scale_of("upper ends")
        stretch = Fraction(float(found.slots) ** float(trial.exponent))
        if value.lower * stretch < floor or value.upper * stretch > ceiling:
            below = value.lower * stretch < floor
            return Finding(
                Verdict.REFUTED,
                float((value.lower if below else value.upper) * stretch),
                float(floor if below else ceiling),
                ">=" if below else "<=",
                f"largest constant over G, B <= {most}, {where}",
                witness={"law": name, "G": found.workers, "B": found.slots},
            )
        points = [(found.workers, found.slots)]
        for _ in range(trial["samples"]):
            workers = int(2 * (most / 2) ** rng.random())
            points.append((workers, max(least(workers), int(most ** rng.random()))))
        for workers, slots in points:
            c = effective_constant(law, workers, slots) * Fraction(
                float(slots) ** -float(trial.exponent)
            )
            stated_here = value.lower * trial.scale_of("sampled points")
            if c.upper < stated_here:
                return Finding(
                    Verdict.REFUTED,
                    c.value,
                    float(stated_here),
                    ">=",
                    f"a sampled point, {where}",
                    witness={"law": name, "G": workers, "B": slots},
                )
    where = "fair 1 or 2, B >= sqrt(G)"
    return Finding(
        held("fcfs.constant-of-law", Verdict.CERTIFIED),
        details[where]["c"],
        0.638,
        "<=",
        f"branch and bound over 2 <= G <= {most}, B <= {most} for {len(stated)} regions, and "
        f"{trial['samples']} sampled points in each; shown: {where}",
        details=details,
    )
