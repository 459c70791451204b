"""Checks of Theorem 3: any common drift."""

from fractions import Fraction
from itertools import product

from adversary.workloads.families import requests_to_overload, workload
from evenkeel.evidence.check import Finding, Trial, Variant, Verdict, check
from evenkeel.evidence.statistics import Mean, first_steps, imbalances, overloaded_run
from evenkeel.evidence.verdicts import BFIO, held, planted_policy
from evenkeel.theorems.theorem2.statements import WITNESS
from evenkeel.theorems.theorem2.trajectories import (
    TWO_SIZES,
    rare_size_finding,
    two_sizes,
    two_sizes_domain,
)
from solvers.simulation.engine import simulate
from theory.formulas.theorem3 import bfio_bound
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Law
from theory.laws.slot_load import geometric_slot, joint_slot
from theory.model import Requests, System

DRIFTS = ((0,), (1,), (3, 0, 1), (0, 0, 5))


@check(
    "drift.fcfs-lower",
    measures="mean imbalance of FCFS under drift (load)",
    plants=(
        Variant("value without drift x1.001", Fraction(1001, 1000), side="still"),
        Variant("exact mean under drift x1.2", Fraction(6, 5), side="mean"),
        Variant("exact mean under drift x0.85", Fraction(17, 20), side="mean"),
        Variant("sizes that depend on lengths", fault="dependent-lengths"),
        Variant("drift left out of the formula", fault="no-drift"),
        BFIO,
    ),
    standard={"systems": ((2, 1), (3, 4), (16, 8), (64, 72)), "runs": 300},
    systems=((2, 1), (3, 4), (16, 8)),
    runs=120,
    steps=18,
)
def fcfs_lower(trial: Trial) -> Finding:
    """Exact enclosures with drift against those without; simulated FCFS under a calendar drift."""
    if trial.fault("dependent-lengths"):
        return _dependent_lengths()
    sizes, points = Law.uniform(1, 12), 0
    closest: tuple[Fraction, float, float] | None = None
    for (workers, slots), p in product(
        trial["systems"], (Fraction(1, 2), Fraction(1, 10), Fraction(1))
    ):
        still = expected_imbalance(sizes, workers, slots).imbalance.lower * trial.scale_of("still")
        for moving_by in DRIFTS:
            whens = [{"step": k} for k in (0, 1, 2, 9)]
            whens += [{"phase": phase} for phase in range(len(moving_by))]
            for when in whens:
                law = geometric_slot(sizes, p, drift=moving_by, **when)
                moving = expected_imbalance(law, workers, slots).imbalance
                points += 1
                if moving.upper < still:
                    return Finding(
                        Verdict.REFUTED,
                        moving.value,
                        float(still),
                        ">=",
                        "exact enclosures",
                        witness={"G": workers, "B": slots, "p": str(p), "drift": moving_by, **when},
                    )
                if moving_by != (0,) and (closest is None or moving.lower / still < closest[0]):
                    closest = moving.lower / still, moving.value, float(still)
    assert closest is not None
    system, p, steps = System(4, 6, (3, 0, 1)), Fraction(1, 5), trial["steps"]
    n = requests_to_overload(system, steps, p=float(p))
    policy, samples = planted_policy(trial, "fcfs"), []
    for run in range(trial["runs"]):
        requests = workload("uniform", n, trial.seed * 10**6 + run, b=12, p=float(p))
        result = overloaded_run(system, requests, policy, steps)
        samples.append(float(imbalances(first_steps(result, steps)).mean()))
    drift = (0,) if trial.fault("no-drift") else system.drift
    exact = sum(
        expected_imbalance(geometric_slot(sizes, p, step=k, drift=drift), 4, 6).imbalance.value
        for k in range(steps)
    ) * float(trial.scale_of("mean"))
    mean = Mean.of(samples)
    domain = (
        f"{points} exact enclosures, drifts {DRIFTS}; {trial['runs']} runs of {steps} steps "
        "under drift (3, 0, 1)"
    )
    if exact / steps not in mean:
        return Finding(
            Verdict.REFUTED,
            mean.value,
            exact / steps,
            "==",
            domain,
            mean.interval,
            {"G": 4, "B": 6, "p": str(p), "drift": system.drift, "seed": trial.seed},
        )
    return Finding(
        held("drift.fcfs-lower"),
        closest[1],
        closest[2],
        ">=",
        domain,
        details={"simulated": mean.value, "exact": exact / steps, "interval": mean.interval},
    )


def _dependent_lengths() -> Finding:
    """Short requests large, long ones small: growth evens the loads out."""
    s, o, counts = [3, 1], [1, 9], [3, 1]
    moving, still = (
        expected_imbalance(joint_slot(s, o, counts=counts, step=1, drift=drift), 2, 1).imbalance
        for drift in ((2,), (0,))
    )
    return Finding(
        Verdict.REFUTED if moving.upper < still.lower else Verdict.INCONCLUSIVE,
        moving.lower,
        still.lower,
        ">=",
        "G = 2, B = 1, step 1, exact",
        witness={"pairs": list(zip(s, o, strict=True)), "counts": counts, "drift": [2]},
    )


@check(
    "drift.bfio-upper",
    measures="imbalance after an optimal step (load)",
    plants=TWO_SIZES,
    systems=((2, 2, 3), (3, 1, 4)),
    x=(1, 2),
    delta=(1, 2),
    p=(Fraction(2, 5),),
    standard={"systems": ((2, 2, 4), (3, 1, 6)), "delta": (1, 2, 4)},
)
def bfio_upper(trial: Trial) -> Finding:
    """The inequality of the step for growths 0, 1 and 3."""
    return two_sizes(trial, (0, 1, 3)).finding(
        trial, "drift.bfio-upper", f"growth 0, 1 or 3; {two_sizes_domain(trial)}"
    )


@check(
    "drift.bfio-upper-range",
    measures="least mean imbalance of any online policy (load)",
    plants=(
        Variant("with a constant of 1.25", Fraction(5, 4)),
        Variant("with a constant of 50", Fraction(50)),
    ),
)
def bfio_upper_range(trial: Trial) -> Finding:
    """The witness of a rare size, at drift 1.  The planted versions are weaker and false too."""
    bound = bfio_bound(WITNESS.G, WITNESS.b, WITNESS.p, (1,))
    return rare_size_finding(trial, bound * trial.scale)


@check(
    "drift.work",
    measures="total work of a run (load x steps)",
    plants=(
        Variant("work x1.001", Fraction(1001, 1000)),
        Variant("ages off by one", fault="age-off-by-one"),
        Variant("constant drift where it should vary", fault="constant"),
    ),
    standard={"runs": 40},
    runs=6,
    n=200,
)
def work(trial: Trial) -> Finding:
    """Exact work of every policy against the formula; a calendar drift that tells them apart."""
    policies = ["fcfs", "round_robin", "jsq", "least_loaded", "lpt", "always_busiest", "bfio"]
    policies.extend(trial.users())
    runs, shifted, last = 0, int(trial.fault("age-off-by-one")), (0, Fraction(0))
    for run, constant in product(range(trial["runs"]), (0, 1, 4)):
        requests = workload("uniform", trial["n"], trial.seed * 10**6 + run, b=50, p=0.1)
        expected = requests.work(constant) + shifted * constant * int(requests.decode.sum())
        for policy in policies:
            total = simulate(System(3, 4, (constant,)), requests, policy).total.work
            runs, last = runs + 1, (total, expected * trial.scale)
            if total != last[1]:
                return Finding(
                    Verdict.REFUTED,
                    total,
                    last[1],
                    "==",
                    f"work of {policy} under drift {constant}, exact",
                    witness={"policy": policy, "drift": constant, "seed": trial.seed, "run": run},
                )
    # Sizes 1 and 9: BF-IO starts them in another order than FCFS, at other phases of the drift.
    requests = Requests([9, 1, 9, 1, 1, 9], [2, 3, 1, 2, 1, 4])
    varying = (1,) if trial.fault("constant") else (3, 0, 1)
    works = {
        policy: simulate(System(2, 1, varying), requests, policy).total.work
        for policy in ("fcfs", "bfio", "always_busiest")
    }
    if len(set(works.values())) == 1:
        return Finding(
            Verdict.REFUTED,
            works["bfio"],
            works["fcfs"],
            "~",
            f"drift {varying}: all policies did the same work",
            witness={"works": works, "sizes": requests.prefill.tolist()},
        )
    return Finding(
        held("drift.work"),
        last[0],
        last[1],
        "==",
        f"{runs} runs of {len(policies)} policies under constant drifts 0, 1, 4, exact; different "
        "work under drift (3, 0, 1)",
        details={"work under drift (3, 0, 1)": works},
    )
