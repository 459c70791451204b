"""Checks of the claims in :mod:`theory.fcfs` that runs decide.

The analytic ones (bounds, constants, normal limits) are in :mod:`evenkeel.checks.extremes`.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from adversary.families import requests_to_overload, workload
from adversary.replay import departed_loads
from evenkeel.checks import extremes, moments  # noqa: F401  (they declare their checks)
from evenkeel.checks.peeking import Peeking
from evenkeel.checks.sampling import (
    Mean,
    first_steps,
    imbalances,
    overloaded_run,
)
from evenkeel.checks.verdicts import (
    AGED,
    BFIO,
    BUSIEST,
    DEPARTED,
    HALVED,
    LARGER,
    held,
    planted_policy,
)
from evenkeel.evidence import Finding, Trial, Variant, Verdict, check
from solvers.decision import Policy
from solvers.engine import simulate
from theory.expectation import expected_imbalance
from theory.fcfs import worst_imbalance
from theory.laws import Law
from theory.model import IntArray, Requests, System
from theory.slots import geometric_slot, joint_slot
from theory.warmup import refill_gap

# Joint laws of (s, o) for enumeration, as (pairs, counts): sizes that depend on the lengths.
TINY_LAWS = (
    (((1, 1), (4, 2), (2, 3)), (2, 1, 1)),
    (((3, 2), (1, 1)), (1, 3)),
)


PEEKS = Variant("a policy that peeks at the output lengths", fault="peek")


def _policy(trial: Trial, rule: str, requests: Requests) -> str | Policy:
    """The rule by name, or the planted policy that is told the hidden lengths."""
    return Peeking(requests) if trial.fault("peek") else rule


def _every_sequence(
    trial: Trial, system: System, rule: str, law: tuple[Any, Any], steps: int
) -> tuple[list[Fraction], int]:
    """Mean imbalance of each step over every sequence of requests, weighed exactly."""
    pairs, counts = law
    n = system.capacity * steps
    totals, sequences = [0] * steps, 0
    for choice in product(range(len(pairs)), repeat=n):
        s, o = zip(*(pairs[i] for i in choice), strict=True)
        requests = Requests(s, o)
        result = simulate(system, requests, _policy(trial, rule, requests), history=True)
        loads = departed_loads(result) if trial.fault("departed-loads") else result.loads
        assert loads is not None
        weight = int(np.prod([counts[i] for i in choice], dtype=object))
        for k, imbalance in enumerate(imbalances(loads)[:steps].tolist()):
            totals[k] += weight * imbalance
        sequences += 1
    scale = sum(counts) ** n
    return [Fraction(total, scale) for total in totals], sequences


@check(
    "fcfs.exact",
    plants=(LARGER, DEPARTED, AGED, BUSIEST, PEEKS),
    standard={"runs": 400, "steps": 60, "deep": 3},
    G=4,
    B=6,
    p=0.1,
    a=1,
    b=30,
    runs=120,
    steps=30,
    deep=2,
)
def exact(trial: Trial) -> Finding:
    """Every sequence of tiny systems in exact rationals; then runs of the engine."""
    sequences = 0
    shift, policy = int(trial.fault("age-off-by-one")), planted_policy(trial, "fcfs")
    for (pairs, counts), drift in product(TINY_LAWS, ((1,), (2, 0))):
        depth = trial["deep"] if len(pairs) > 2 else trial["deep"] + 1
        # With one slot a worker, who gets which request makes no difference; with two it does.
        for slots, steps in ((1, depth), *(((2, 2),) if len(pairs) == 2 else ())):
            means, number = _every_sequence(
                trial, System(2, slots, drift), policy, (pairs, counts), steps
            )
            sequences += number
            s, o = zip(*pairs, strict=True)
            for k, mean in enumerate(means):
                slot = joint_slot(s, o, counts=counts, step=k + shift, drift=drift)
                expected = expected_imbalance(slot, 2, slots).imbalance.lower * trial.scale
                if mean != expected:
                    return Finding(
                        Verdict.REFUTED,
                        mean,
                        expected,
                        "==",
                        f"all sequences of requests of G = 2, B = {slots}, exact rationals",
                        witness={"pairs": pairs, "counts": counts, "drift": drift, "step": k},
                    )
    system, steps = System(trial["G"], trial["B"]), trial["steps"]
    n = requests_to_overload(system, steps, p=trial["p"])
    samples = []
    for run in range(trial["runs"]):
        requests = workload(
            "uniform", n, trial.seed * 10**6 + run, a=trial["a"], b=trial["b"], p=trial["p"]
        )
        result = overloaded_run(system, requests, _policy(trial, policy, requests), steps)
        samples.append(float(imbalances(first_steps(result, steps)).mean()))
    mean_run = Mean.of(samples)
    sizes, p = Law.uniform(trial["a"], trial["b"]), Fraction(trial["p"])
    at_steps = [
        expected_imbalance(geometric_slot(sizes, p, step=k), system.workers, system.slots)
        for k in range(steps)
    ]
    claimed = sum(float(e.imbalance) for e in at_steps) / steps * float(trial.scale)
    domain = (
        f"exact over {sequences} sequences of requests (G = 2, B = 1 and 2, two joint laws, drifts "
        f"1 and 2,0); {trial['runs']} runs of {steps} steps at G = {system.workers}, "
        f"B = {system.slots}"
    )
    if claimed not in mean_run:
        return Finding(
            Verdict.REFUTED,
            mean_run.value,
            claimed,
            "==",
            domain,
            mean_run.interval,
            witness={"params": dict(trial.params), "seed": trial.seed},
        )
    verdict = held("fcfs.exact")
    return Finding(verdict, mean_run.value, claimed, "~", domain, mean_run.interval)


@check(
    "fcfs.size-blind",
    plants=(LARGER, BUSIEST, Variant("lpt, which sees the sizes", policy="lpt"), BFIO, PEEKS),
    standard={"runs": 300, "steps": 40},
    G=8,
    B=4,
    p=0.2,
    b=100,
    steps=20,
    runs=40,
)
def size_blind(trial: Trial) -> Finding:
    """Every sequence of a tiny system under each rule, exactly; then paired runs."""
    rules = ("round_robin", "least_loaded", "power_of_two", planted_policy(trial, "jsq"))
    (pairs, counts), steps = TINY_LAWS[1], 2
    s, o = zip(*pairs, strict=True)
    expected = [
        expected_imbalance(joint_slot(s, o, counts=counts, step=k), 2, 2).imbalance.lower
        for k in range(steps)
    ]
    sequences = 0
    for rule in rules:
        means, sequences = _every_sequence(trial, System(2, 2), rule, (pairs, counts), steps)
        for k, (mean, value) in enumerate(zip(means, expected, strict=True)):
            if mean != value * trial.scale:
                return Finding(
                    Verdict.REFUTED,
                    mean,
                    value * trial.scale,
                    "==",
                    "all sequences of requests of G = 2, B = 2, exact rationals",
                    witness={"rule": rule, "pairs": pairs, "counts": counts, "step": k},
                )
    system, steps = System(trial["G"], trial["B"]), trial["steps"]
    n = requests_to_overload(system, steps, p=trial["p"])
    samples: dict[str, list[float]] = {rule: [] for rule in ("fcfs", *rules)}
    for run in range(trial["runs"]):
        requests = workload("uniform", n, trial.seed * 10**6 + run, b=trial["b"], p=trial["p"])
        for rule, values in samples.items():
            chosen = rule if rule == "fcfs" else _policy(trial, rule, requests)
            result = overloaded_run(system, requests, chosen, steps, seed=run)
            values.append(float(imbalances(first_steps(result, steps)).mean()))
    domain = (
        f"exact over all {sequences} sequences of requests (G = B = 2) under "
        f"{', '.join(rules)}; {trial['runs']} paired runs of {steps} steps at "
        f"G = {system.workers}, B = {system.slots}"
    )
    base = Mean.of(samples["fcfs"])
    gaps = {rule: Mean.of(np.subtract(samples[rule], samples["fcfs"])) for rule in rules}
    worst = max(rules, key=lambda rule: (0 not in gaps[rule], abs(gaps[rule].value)))
    details = {"mean imbalance of fcfs": base.value}
    if 0 not in gaps[worst]:
        return Finding(
            Verdict.REFUTED,
            gaps[worst].value,
            0,
            "==",
            domain,
            gaps[worst].interval,
            {"rule": worst, "params": dict(trial.params), "seed": trial.seed},
            details,
        )
    # The proof is an argument in words; what is exact here is the enumeration.
    return Finding(
        Verdict.CERTIFIED,
        gaps[worst].value,
        0,
        "~",
        domain,
        gaps[worst].interval,
        details=details,
    )


def _refill_imbalance(system: System, sizes: IntArray | tuple[int, ...], policy: str) -> int:
    requests = Requests(np.asarray(sizes), np.ones(len(sizes), dtype=np.int64))
    return simulate(system, requests, policy).total.imbalance


@check(
    "fcfs.worst-case",
    plants=(
        LARGER,
        HALVED,
        Variant("B^(3/2) in place of B", exponent=Fraction(1, 2)),
        BFIO,
    ),
    standard={"grid": ((1, 2), (2, 1), (2, 2), (2, 3), (3, 2), (4, 1)), "b": 4},
    grid=((1, 2), (2, 1), (2, 2), (3, 1), (2, 3)),
    b=3,
)
def worst_case(trial: Trial) -> Finding:
    """The supremum over all orders of small systems, and extremal orders of larger ones."""
    policy, b, orders = planted_policy(trial, "fcfs"), trial["b"], 0
    power = 1 + float(trial.exponent)
    for workers, slots in trial["grid"]:
        system = System(workers, slots)
        best = -1
        order: tuple[int, ...] = ()
        for sizes in product(range(1, b + 1), repeat=system.capacity):
            value = _refill_imbalance(system, sizes, policy)
            orders += 1
            if value > best:
                best, order = value, sizes
        claimed = worst_imbalance(workers, slots, 1, b) * trial.scale
        if trial.exponent:
            claimed = Fraction((workers - 1) * (b - 1)) * Fraction(slots**power)
        if best != claimed:
            return Finding(
                Verdict.REFUTED,
                best,
                claimed,
                "==",
                f"all {b}^{system.capacity} orders of a full refill",
                witness={"G": workers, "B": slots, "sizes": order, "policy": policy},
            )
    workers, slots, a, largest = 16, 24, 3, 1000
    worst, tight = (
        simulate(
            System(workers, slots),
            workload(
                name, workers * slots, 0, workers=workers, slots=slots, a=a, b=largest, length=1
            ),
            rule,
        ).total.imbalance
        for name, rule in (("fcfs-worst", policy), ("refill-tight", "bfio"))
    )
    claimed = worst_imbalance(workers, slots, a, largest) * trial.scale
    ratio = Fraction(worst, tight) if tight else None
    domain = (
        f"all {orders} orders of full refills with sizes 1..{b}; extremal orders at G = {workers}, "
        f"B = {slots}"
    )
    if worst != claimed or tight != refill_gap(workers, a, largest):
        return Finding(
            Verdict.REFUTED,
            worst,
            claimed,
            "==",
            domain,
            witness={"G": workers, "B": slots, "a": a, "b": largest, "bfio": tight},
        )
    return Finding(
        held("fcfs.worst-case"),
        worst,
        claimed,
        "==",
        domain,
        details={"ratio of the suprema": str(ratio), "B": slots},
    )


def _vectors(values: int, n: int) -> Iterator[tuple[int, ...]]:
    return product(range(1, values + 1), repeat=n)


@check(
    "fcfs.vertex",
    plants=(
        Variant("sizes in {a, b-1} in place of {a, b}", fault="inner-vertex"),
        BUSIEST,
        BFIO,
    ),
    standard={"sizes": 4, "longest": 3},
    n=4,
    sizes=3,
    longest=2,
)
def vertex(trial: Trial) -> Finding:
    """Every size vector and every vector of lengths: the maximum lies at a vertex."""
    system, policy = System(2, 1), planted_policy(trial, "fcfs")
    n, b, checked = trial["n"], trial["sizes"], 0
    vertex_sizes = (1, b - int(trial.fault("inner-vertex")))
    closest: tuple[int, int] = (0, 1)
    for lengths in _vectors(trial["longest"], n):
        inside = at_vertex = -1
        witness: tuple[int, ...] = ()
        for sizes in _vectors(b, n):
            total = simulate(system, Requests(sizes, lengths), policy).total.imbalance
            checked += 1
            if all(s in vertex_sizes for s in sizes):
                at_vertex = max(at_vertex, total)
            elif total > inside:
                inside, witness = total, sizes
        if inside > at_vertex:
            return Finding(
                Verdict.REFUTED,
                inside,
                at_vertex,
                "<=",
                f"all sizes 1..{b} for each vector of lengths, G = 2, B = 1, N = {n}",
                witness={"sizes": witness, "lengths": lengths, "policy": policy},
            )
        if inside * closest[1] > closest[0] * at_vertex:
            closest = inside, at_vertex
    return Finding(
        held("fcfs.vertex"),
        closest[0],
        closest[1],
        "<=",
        f"all {checked} instances with G = 2, B = 1, N = {n}, sizes 1..{b}, lengths "
        f"1..{trial['longest']}",
    )
