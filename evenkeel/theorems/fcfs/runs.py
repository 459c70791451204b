"""Checks of the claims that runs decide.

The analytic ones (bounds, constants, normal limits) are in :mod:`evenkeel.theorems.fcfs.bounds`.
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any

import numpy as np

from adversary.paired_runs import departed_loads
from adversary.workloads.families import requests_to_overload, workload
from evenkeel.evidence.check import Finding, Trial, Variant, Verdict, check
from evenkeel.evidence.scoreboard import TENTH, THOUSANDTH, near
from evenkeel.evidence.statistics import (
    Mean,
    first_steps,
    imbalances,
    overloaded_run,
)
from evenkeel.evidence.verdicts import (
    AGED,
    BFIO,
    BUSIEST,
    DEPARTED,
    JSQ,
    held,
    planted_policy,
)
from evenkeel.theorems.fcfs.peeking import Peeking
from solvers.policies.protocol import Policy
from solvers.simulation.engine import simulate
from theory.formulas.fcfs import worst_imbalance
from theory.formulas.theorem1 import refill_gap
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Law
from theory.laws.slot_load import geometric_slot, joint_slot
from theory.model import IntArray, Requests, System

# Joint laws of (s, o) for enumeration, as (pairs, counts): sizes that depend on the lengths.
TINY_LAWS = (
    (((1, 1), (4, 2), (2, 3)), (2, 1, 1)),
    (((3, 2), (1, 1)), (1, 3)),
)


PEEKS = Variant("a policy that peeks at the output lengths", fault="peek")


def _policy(rule: str, peek: bool, requests: Requests) -> str | Policy:
    """The rule by name, or the planted policy that is told the hidden lengths."""
    return Peeking(requests) if peek else rule


@cache
def _every_sequence(
    system: System, rule: str, law: tuple[Any, Any], steps: int, departed: bool, peek: bool
) -> tuple[list[Fraction], int]:
    """Mean imbalance of each step over every sequence of requests, weighed exactly."""
    pairs, counts = law
    n = system.capacity * steps
    totals, sequences = [0] * steps, 0
    for choice in product(range(len(pairs)), repeat=n):
        s, o = zip(*(pairs[i] for i in choice), strict=True)
        requests = Requests(s, o)
        result = simulate(system, requests, _policy(rule, peek, requests), history=True)
        loads = departed_loads(result) if departed else result.loads
        assert loads is not None
        weight = int(np.prod([counts[i] for i in choice], dtype=object))
        for k, imbalance in enumerate(imbalances(loads)[:steps].tolist()):
            totals[k] += weight * imbalance
        sequences += 1
    scale = sum(counts) ** n
    return [Fraction(total, scale) for total in totals], sequences


@cache
def _sampled(
    system: System,
    rule: str,
    a: int,
    b: int,
    p: float,
    steps: int,
    runs: int,
    seed: int,
    peek: bool,
) -> Mean:
    """Mean imbalance over the first steps of replicated runs, sizes uniform on a..b."""
    n = requests_to_overload(system, steps, p=p)
    samples = []
    for run in range(runs):
        requests = workload("uniform", n, seed * 10**6 + run, a=a, b=b, p=p)
        chosen = _policy(rule, peek, requests)
        result = overloaded_run(system, requests, chosen, steps, seed=run)
        samples.append(float(imbalances(first_steps(result, steps)).mean()))
    return Mean.of(samples)


@cache
def _exact_mean(system: System, a: int, b: int, p: float, steps: int) -> float:
    """Exact expected imbalance of FCFS in the same runs."""
    sizes, chance = Law.uniform(a, b), Fraction(str(p))
    at_steps = (
        expected_imbalance(geometric_slot(sizes, chance, step=k), system.workers, system.slots)
        for k in range(steps)
    )
    return sum(float(at_step.imbalance) for at_step in at_steps) / steps


@check(
    "fcfs.exact",
    measures="mean imbalance of FCFS over the steps of a run (load)",
    plants=(
        near("sequences"),
        near("runs", TENTH),
        near("runs", 1 / TENTH),
        DEPARTED,
        AGED,
        BUSIEST,
        PEEKS,
    ),
    standard={"runs": 400, "steps": 60, "deep": 3},
    G=16,
    B=4,
    p=0.3,
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
    departed, peek = trial.fault("departed-loads"), trial.fault("peek")
    for (pairs, counts), drift in product(TINY_LAWS, ((1,), (2, 0))):
        depth = trial["deep"] if len(pairs) > 2 else trial["deep"] + 1
        # With one slot a worker, who gets which request makes no difference; with two it does.
        for slots, steps in ((1, depth), *(((2, 2),) if len(pairs) == 2 else ())):
            means, number = _every_sequence(
                System(2, slots, drift), policy, (pairs, counts), steps, departed, peek
            )
            sequences += number
            s, o = zip(*pairs, strict=True)
            for k, mean in enumerate(means):
                slot = joint_slot(s, o, counts=counts, step=k + shift, drift=drift)
                expected = expected_imbalance(slot, 2, slots).imbalance.lower
                expected *= trial.scale_of("sequences")
                if mean != expected:
                    return Finding(
                        Verdict.REFUTED,
                        mean,
                        expected,
                        "==",
                        f"all sequences of requests of G = 2, B = {slots}, exact rationals",
                        witness={"pairs": pairs, "counts": counts, "drift": drift, "step": k},
                    )
    system = System(trial["G"], trial["B"])
    common = tuple(trial[name] for name in ("a", "b", "p", "steps"))
    mean_run = _sampled(system, policy, *common, trial["runs"], trial.seed, peek)
    claimed = _exact_mean(system, *common) * float(trial.scale_of("runs"))
    domain = (
        f"exact over {sequences} sequences of requests (G = 2, B = 1 and 2, two joint laws, drifts "
        f"1 and 2,0); {trial['runs']} runs of {trial['steps']} steps at G = {system.workers}, "
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
    measures="mean imbalance of the rule farthest from exact FCFS (load)",
    plants=(
        near("sequences"),
        near("runs", TENTH),
        near("runs", 1 / TENTH),
        BUSIEST,
        Variant("lpt, which sees the sizes", policy="lpt"),
        BFIO,
        PEEKS,
    ),
    standard={"runs": 300, "steps": 40},
    G=16,
    B=4,
    p=0.3,
    b=100,
    steps=24,
    runs=80,
)
def size_blind(trial: Trial) -> Finding:
    """Every sequence of a tiny system under each rule, exactly; then runs against exact FCFS."""
    rules = ("round_robin", "least_loaded", "power_of_two", planted_policy(trial, "jsq"))
    (pairs, counts), steps = TINY_LAWS[1], 2
    s, o = zip(*pairs, strict=True)
    expected = [
        expected_imbalance(joint_slot(s, o, counts=counts, step=k), 2, 2).imbalance.lower
        * trial.scale_of("sequences")
        for k in range(steps)
    ]
    sequences = 0
    for rule in rules:
        means, sequences = _every_sequence(
            System(2, 2), rule, (pairs, counts), steps, False, trial.fault("peek")
        )
        for k, (mean, value) in enumerate(zip(means, expected, strict=True)):
            if mean != value:
                return Finding(
                    Verdict.REFUTED,
                    mean,
                    value,
                    "==",
                    "all sequences of requests of G = 2, B = 2, exact rationals",
                    witness={"rule": rule, "pairs": pairs, "counts": counts, "step": k},
                )
    system = System(trial["G"], trial["B"])
    common = 1, trial["b"], trial["p"], trial["steps"]
    means_of = {
        rule: _sampled(system, rule, *common, trial["runs"], trial.seed, trial.fault("peek"))
        for rule in rules
    }
    claimed = _exact_mean(system, *common) * float(trial.scale_of("runs"))
    worst = max(
        rules, key=lambda rule: (claimed not in means_of[rule], abs(means_of[rule].value - claimed))
    )
    domain = (
        f"exact over all {sequences} sequences of requests (G = B = 2) under "
        f"{', '.join(rules)}; {trial['runs']} runs of {trial['steps']} steps of each at "
        f"G = {system.workers}, B = {system.slots}, farthest {worst}"
    )
    found = means_of[worst]
    if claimed not in found:
        return Finding(
            Verdict.REFUTED,
            found.value,
            claimed,
            "==",
            domain,
            found.interval,
            {"rule": worst, "params": dict(trial.params), "seed": trial.seed},
        )
    return Finding(
        held("fcfs.size-blind"),
        found.value,
        claimed,
        "~",
        domain,
        found.interval,
        details={f"interval under {rule}": mean.interval for rule, mean in means_of.items()},
    )


def _refill_imbalance(system: System, sizes: IntArray | tuple[int, ...], policy: str) -> int:
    requests = Requests(np.asarray(sizes), np.ones(len(sizes), dtype=np.int64))
    return simulate(system, requests, policy).total.imbalance


@check(
    "fcfs.worst-case",
    measures="largest imbalance of FCFS after a full refill (load)",
    plants=(
        near("all orders"),
        near("all orders", 1 / THOUSANDTH),
        near("larger system"),
        near("BF-IO"),
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
        claimed = worst_imbalance(workers, slots, 1, b) * trial.scale_of("all orders")
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
    claimed = worst_imbalance(workers, slots, a, largest) * trial.scale_of("larger system")
    balanced = refill_gap(workers, a, largest) * trial.scale_of("BF-IO")
    ratio = Fraction(worst, tight) if tight else None
    domain = (
        f"all {orders} orders of full refills with sizes 1..{b}; extremal orders at G = {workers}, "
        f"B = {slots}"
    )
    if worst != claimed or tight != balanced:
        found, stated = (worst, claimed) if worst != claimed else (tight, balanced)
        return Finding(
            Verdict.REFUTED,
            found,
            stated,
            "==",
            f"{'FCFS' if worst != claimed else 'BF-IO'}: {domain}",
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
    measures="largest total imbalance of FCFS at interior sizes (load)",
    plants=(
        near("", 1 / THOUSANDTH),
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
    vertices = (1, b - int(trial.fault("inner-vertex")))
    closest: tuple[int, Fraction] = (0, Fraction(1))
    for lengths in _vectors(trial["longest"], n):
        inside, at_vertex, witness = _largest(system, lengths, None, b, vertices, policy)
        claimed = at_vertex * trial.scale
        checked += b**n
        if inside > claimed:
            return Finding(
                Verdict.REFUTED,
                inside,
                claimed,
                "<=",
                f"all sizes 1..{b} for each vector of lengths, G = 2, B = 1, N = {n}",
                witness={"sizes": witness, "lengths": lengths, "policy": policy},
            )
        if inside * closest[1] > closest[0] * claimed:
            closest = inside, claimed
    return Finding(
        held("fcfs.vertex"),
        closest[0],
        closest[1],
        "<=",
        f"all {checked} backlogs with G = 2, B = 1, N = {n}, sizes 1..{b}, lengths "
        f"1..{trial['longest']}",
    )


def _largest(
    system: System,
    lengths: tuple[int, ...],
    arrivals: tuple[float, ...] | None,
    b: int,
    vertices: tuple[int, int],
    policy: str,
) -> tuple[int, int, tuple[int, ...]]:
    """Largest total imbalance over sizes 1..b off the vertices and at them; where the first is."""
    inside = at_vertex = -1
    where: tuple[int, ...] = ()
    for sizes in _vectors(b, len(lengths)):
        total = simulate(system, Requests(sizes, lengths, arrivals), policy).total.imbalance
        if all(s in vertices for s in sizes):
            at_vertex = max(at_vertex, total)
        elif total > inside:
            inside, where = total, sizes
    return inside, at_vertex, where


@check(
    "fcfs.vertex-timed",
    measures="largest total imbalance of FCFS at interior sizes (load)",
    plants=(near("", TENTH), JSQ),
    b=3,
)
def vertex_timed(trial: Trial) -> Finding:
    """The instance whose interior sizes are worse; the planted versions are false there, too."""
    # In units of t_l a step lasts as long as its largest load: C = 0.
    system = System(2, 1, step_overhead_s=0.0, seconds_per_token=1.0)
    lengths, arrivals, b = (1, 2, 1), (0.0, 1.5, 4.5), trial["b"]
    policy = planted_policy(trial, "fcfs")
    inside, at_vertex, sizes = _largest(system, lengths, arrivals, b, (1, b), policy)
    claimed = at_vertex * trial.scale
    return Finding(
        Verdict.REFUTED if inside > claimed else Verdict.INCONCLUSIVE,
        inside,
        claimed,
        "<=",
        f"all sizes 1..{b} with lengths {lengths} and arrivals {arrivals}, G = 2, B = 1, C = 0, "
        "t_l = 1 s, drift 1",
        witness={
            "workers": 2,
            "slots": 1,
            "seconds_per_token": 1.0,
            "prefill": sizes,
            "decode": lengths,
            "arrival": arrivals,
        },
    )
