"""Checks of Theorem 1: rounds of equal output lengths."""

from fractions import Fraction
from itertools import combinations_with_replacement, product

import numpy as np

from adversary.paired_runs import departed_loads
from adversary.workloads.families import pool_survives_a_class, requests_to_overload, workload
from evenkeel.evidence.check import Finding, Trial, Variant, Verdict, check
from evenkeel.evidence.scoreboard import TENTH, THOUSANDTH, Comparison, broken, near
from evenkeel.evidence.statistics import (
    Mean,
    Ratio,
    first_steps,
    imbalances,
    overloaded_run,
)
from evenkeel.evidence.verdicts import BFIO, BUSIEST, DEPARTED, held, planted_policy
from solvers.step.fast.solve import solve_step
from solvers.step.problem import StepProblem
from theory.formulas.constants import FCFS_ROUNDED
from theory.formulas.fcfs import log_growth_square
from theory.formulas.theorem1 import (
    certified_ratio,
    first_certified_slots,
    first_paper_slots,
    first_slots,
    paper_ratio,
    refill_gap,
)
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Law
from theory.model import FloatArray, IntArray, System

STEEPER = Variant("B in place of its square root", exponent=Fraction(1, 2))


def _round_imbalances(trial: Trial, policy: str, departed: bool = False) -> FloatArray:
    """Mean imbalance of each round of iid uniform sizes, float64[rounds]."""
    system, length = System(trial["G"], trial["B"]), trial["length"]
    steps = length * trial["rounds"]
    n = requests_to_overload(system, steps, length=length)
    requests = workload("uniform", n, trial.seed, b=trial["b"], length=length)
    run = overloaded_run(system, requests, policy, steps)
    loads = departed_loads(run)[:steps] if departed else first_steps(run, steps)
    return np.asarray(imbalances(loads).reshape(-1, length).mean(axis=1))


@check(
    "warmup.fcfs-lower",
    measures="mean imbalance of FCFS over rounds (load)",
    plants=(
        near("rounds", TENTH),
        near("rounds", 1 / TENTH),
        near("bound at a fair coin"),
        STEEPER,
        DEPARTED,
        BFIO,
    ),
    standard={"rounds": 10_000},
    G=8,
    B=16,
    b=100,
    length=2,
    rounds=1500,
)
def fcfs_lower(trial: Trial) -> Finding:
    """Rounds of simulated FCFS against the exact value, and the explicit bounds below it."""
    sizes, workers, slots = Law.uniform(1, trial["b"]), trial["G"], trial["B"]
    expected = expected_imbalance(sizes, workers, slots).imbalance
    stretch = trial.scale_of("rounds") * Fraction(float(slots) ** float(trial.exponent))
    claimed = float(expected.upper * stretch)
    # Sizes 1 or 2 at equal odds: variance 1/4, fourth central moment 1/16.
    coin = Law.of({1: Fraction(1, 2), 2: Fraction(1, 2)})
    attained = expected_imbalance(coin, 2, 1).imbalance.lower ** 2
    bound = log_growth_square(Fraction(1, 4), Fraction(1, 16), 2, 1)
    bound *= trial.scale_of("bound at a fair coin") ** 2
    if bound > attained:
        return Finding(
            Verdict.REFUTED,
            attained,
            bound,
            ">=",
            "square of the exact imbalance, sizes 1 or 2 at equal odds, G = 2, B = 1",
            witness={"G": 2, "B": 1, "sizes": [1, 2]},
        )
    policy = planted_policy(trial, "fcfs")
    mean = Mean.of(_round_imbalances(trial, policy, trial.fault("departed-loads")))
    domain = (
        f"{trial['rounds']} rounds of {trial['length']} steps at G = {workers}, B = {slots}, "
        f"sizes uniform on 1..{trial['b']}"
    )
    if claimed not in mean:
        return Finding(
            Verdict.REFUTED,
            mean.value,
            claimed,
            "==",
            domain,
            mean.interval,
            {"params": dict(trial.params), "seed": trial.seed, "policy": policy},
        )
    return Finding(
        held("warmup.fcfs-lower"),
        mean.value,
        claimed,
        "~",
        domain,
        mean.interval,
    )


@check(
    "warmup.bfio-upper",
    measures="largest imbalance of BF-IO over rounds (load)",
    plants=(
        near("", 1 / THOUSANDTH),
        BUSIEST,
        Variant("fcfs in place of bfio", policy="fcfs"),
        Variant("unequal slot counts", fault="unequal-slots"),
    ),
    standard={"systems": ((2, 1), (2, 5), (3, 4), (8, 16), (32, 24)), "rounds": 60},
    systems=((2, 1), (3, 4), (8, 8)),
    rounds=30,
    b=100,
)
def bfio_upper(trial: Trial) -> Finding:
    """Every overloaded step of rounds of random and of extremal sizes."""
    policy, b = trial.policy_or("bfio"), trial["b"]
    tightest: tuple[Fraction, int, Fraction] = (Fraction(-1), 0, Fraction(1))
    claimed: Fraction | int
    steps_seen, uncertified = 0, 0
    if trial.fault("unequal-slots"):
        # Loads (b, 3b) from slots (1, 3): the bound is about equal slot counts.
        problem = StepProblem([0, 0], [1, 3], [b] * 4)
        value, claimed = solve_step(problem).imbalance, refill_gap(2, 1, b)
        return Finding(
            Verdict.REFUTED if value > claimed else Verdict.INCONCLUSIVE,
            value,
            claimed,
            "<=",
            "one step with slots (1, 3)",
            witness={"free": [1, 3], "pool": [b] * 4},
        )
    for workers, slots in trial["systems"]:
        system, rounds = System(workers, slots), trial["rounds"]
        claimed = refill_gap(workers, 1, b) * trial.scale
        extremal = {"workers": workers, "slots": slots, "b": b, "length": 1}
        for family, params in (
            ("refill-tight", extremal),
            ("fcfs-worst", extremal),
            ("uniform", {"b": b, "length": 1}),
            ("two-point", {"b": b, "length": 1, "q": 1 / (2 * workers)}),
            ("lognormal", {"b": b, "length": 1, "median": 5.0}),
        ):
            for pool in (system.capacity, 2 * system.capacity):
                n = requests_to_overload(system, rounds, length=1, pool=pool)
                requests = workload(family, n, trial.seed, **params)
                run = overloaded_run(system, requests, policy, rounds, pool=pool)
                values = imbalances(first_steps(run, rounds))
                steps_seen += rounds
                worst = int(values.max())
                if worst > claimed and run.bound_gap:
                    uncertified += 1
                elif worst > claimed:
                    step = int(values.argmax())
                    began = run.start_step == step
                    return Finding(
                        Verdict.REFUTED,
                        worst,
                        claimed,
                        "<=",
                        f"overloaded steps of {family} under {policy}",
                        witness={
                            "G": workers,
                            "B": slots,
                            "policy": policy,
                            "loads": first_steps(run, rounds)[step].tolist(),
                            "admitted": requests.prefill[began].tolist(),
                        },
                    )
                if Fraction(worst) / claimed > tightest[0]:
                    tightest = Fraction(worst) / claimed, worst, Fraction(claimed)
    stands = held("warmup.bfio-upper") if policy == "bfio" else Verdict.ATTACKED
    return Finding(
        Verdict.INCONCLUSIVE if uncertified else stands,
        tightest[1],
        tightest[2],
        "<=",
        f"{steps_seen} full refills of five families at (G, B) in {trial['systems']}, pools GB "
        f"and 2GB, under {policy}",
    )


def _two_workers(slots: int, n: int) -> IntArray:
    """Every way to send B of n items to either of two workers, int64[ways, n] in {-1, 0, 1}."""
    ways = [way for way in product((-1, 0, 1), repeat=n) if way.count(1) == slots == way.count(-1)]
    return np.array(ways, dtype=np.int64)


@check(
    "warmup.spare-request",
    measures="smallest possible gap between two workers, largest over pools (load)",
    plants=(
        near("with a spare request", 1 / THOUSANDTH),
        near("without"),
        Variant("no spare request", fault="no-spare"),
    ),
    standard={"domain": ((1, 3, 16), (1, 4, 12), (2, 5, 11), (2, 6, 8), (3, 7, 7), (3, 8, 5))},
    domain=((1, 3, 12), (1, 4, 8), (2, 5, 8), (3, 7, 5)),
)
def spare_request(trial: Trial) -> Finding:
    """Every pool of a finite domain; the best of all assignments by enumeration."""
    tightest: tuple[Fraction, int, Fraction] = (Fraction(-1), 0, Fraction(1))
    pools = classes = 0
    for slots, spare_n, b in trial["domain"]:
        n = 2 * slots if trial.fault("no-spare") else spare_n
        ways = _two_workers(slots, n)
        for pool in combinations_with_replacement(range(1, b + 1), n):
            gap = int(np.abs(ways @ np.array(pool)).min())
            claimed = Fraction(pool[-1] - pool[0], 2) * trial.scale_of("with a spare request")
            pools += 1
            classes += pool_survives_a_class(np.array(pool), 2 * slots)
            if gap > claimed:
                return Finding(
                    Verdict.REFUTED,
                    gap,
                    claimed,
                    "<=",
                    f"pools of {n} sizes 1..{b}, G = 2, B = {slots}",
                    witness={"G": 2, "B": slots, "pool": pool},
                )
            if claimed and gap / claimed > tightest[0]:
                tightest = gap / claimed, gap, claimed
    b = trial["domain"][0][2]
    ways = _two_workers(1, 2)
    alone = max(
        int(np.abs(ways @ np.array(pool)).min())
        for pool in combinations_with_replacement(range(1, b + 1), 2)
    )
    stated = (b - 1) * trial.scale_of("without")
    if alone != stated:
        return Finding(
            Verdict.REFUTED,
            alone,
            stated,
            "==",
            f"pools of two sizes 1..{b}, G = 2, B = 1, no spare request",
            witness={"G": 2, "B": 1, "pool": [1, b]},
        )
    return Finding(
        held("warmup.spare-request"),
        tightest[1],
        tightest[2],
        "<=",
        f"all {pools} pools of the domains (B, n, b) in {trial['domain']}, of which {classes} "
        "satisfy the paper's pool condition",
    )


@check(
    "warmup.iir",
    measures="IIR over paired rounds (1)",
    plants=(
        near("FCFS", TENTH),
        near("FCFS", 1 / TENTH),
        near("extremal round"),
        STEEPER,
        Variant("fcfs in place of bfio", policy="fcfs"),
        BUSIEST,
    ),
    standard={"rounds": 5000},
    G=8,
    B=16,
    b=100,
    length=1,
    rounds=1500,
)
def iir(trial: Trial) -> Finding:
    """The certificate against simulated FCFS, the extremal round, and paired rounds."""
    workers, slots, b = trial["G"], trial["B"], trial["b"]
    policy = trial.policy_or("bfio")
    system = System(workers, slots)
    certificate = certified_ratio(Law.uniform(1, b), workers, slots).lower
    certificate *= trial.scale_of("FCFS") * Fraction(float(slots) ** float(trial.exponent))
    gap = refill_gap(workers, 1, b)
    extreme = gap * trial.scale_of("extremal round")
    fcfs, balanced = (_round_imbalances(trial, rule) for rule in ("fcfs", policy))
    mean, ratio = Mean.of(fcfs), Ratio.of(fcfs, balanced)
    extremal = workload(
        "refill-tight", system.capacity, 0, workers=workers, slots=slots, b=b, length=1
    )
    attained = overloaded_run(system, extremal, policy, 1).total.imbalance
    domain = (
        f"{trial['rounds']} paired rounds at G = {workers}, B = {slots}, sizes uniform on 1..{b}, "
        f"and the extremal round, under fcfs and {policy}"
    )
    expected = float(certificate * gap)
    details = {"IIR": ratio.value, "E[FCFS]/((G-1)(b-a))": float(certificate)}
    if found := broken(
        (
            Comparison(
                expected in mean, mean.value, "==", expected, "imbalance of fcfs", mean.interval
            ),
            Comparison(attained == extreme, attained, "==", extreme, "imbalance of that round"),
            Comparison(
                ratio.high >= certificate,
                ratio.value,
                ">=",
                float(certificate),
                "IIR",
                ratio.interval,
            ),
        ),
        domain,
        {
            "IIR": ratio.interval,
            "extremal round": attained,
            "fcfs": mean.interval,
            "params": dict(trial.params),
            "seed": trial.seed,
        },
        details,
    ):
        return found
    stands = held("warmup.iir") if policy == "bfio" else Verdict.SUPPORTED
    return Finding(
        stands if ratio.low >= certificate else Verdict.INCONCLUSIVE,
        ratio.value,
        float(certificate),
        ">=",
        domain,
        ratio.interval,
        details=details,
    )


@check(
    "warmup.vacuity",
    measures="Theorem 1's bound of IIR at G = 32, B = 72, kappa0 = 0.0614, c = 1 (1)",
    plants=(
        near("edge", TENTH),
        near("kappa0 that are too small", Fraction(101, 100)),
        near("kappa0 that suffice", Fraction(100, 101)),
        Variant("B ln G without the square root", exponent=Fraction(1, 2)),
    ),
    standard={"workers": (2, 3, 8, 32, 256, 4096)},
    workers=(2, 32, 256),
)
def vacuity(trial: Trial) -> Finding:
    """The closed form of the edge against a search; the stated thresholds of kappa0."""
    constants = Fraction(1), FCFS_ROUNDED
    samples = Fraction(356, 10000), Fraction(108, 1000), Fraction(24, 100)
    points = 0
    for workers, kappa, c in product(trial["workers"], samples, constants):
        closed = first_paper_slots(kappa, workers, c)
        scale = float(trial.scale_of("edge"))
        claimed = round(closed * scale * float(closed) ** float(trial.exponent))

        def says_more(
            slots: int, workers: int = workers, k: Fraction = kappa, c: Fraction = c
        ) -> bool:
            return paper_ratio(k, workers, slots, c) > 1

        found = first_slots(says_more)
        points += 1
        if found != claimed:
            return Finding(
                Verdict.REFUTED,
                found,
                claimed,
                "==",
                "search over B",
                witness={"G": workers, "kappa0": str(kappa), "c": str(c)},
            )
    small, enough = (
        trial.scale_of(side) for side in ("kappa0 that are too small", "kappa0 that suffice")
    )
    edges = {
        f"kappa0 = {kappa}, c = {float(c):g}": paper_ratio(Fraction(kappa) * factor, 32, 72, c)
        for kappa, factor, c in (
            ("0.0613", small, constants[0]),
            ("0.0614", enough, constants[0]),
            ("0.0905", small, constants[1]),
            ("0.0906", enough, constants[1]),
        )
    }
    uniform = {
        f"first B of the certificate, G = {workers}": first_certified_slots(
            Law.uniform(1, 100), workers
        )
        for workers in trial["workers"]
    }
    first, second, third, last = edges.values()
    if not (first < 1 < second and third < 1 < last):
        return Finding(
            Verdict.REFUTED,
            max(first, third),
            1,
            "~",
            "thresholds of kappa0 at G = 32, B = 72",
            witness=edges,
        )
    return Finding(
        held("warmup.vacuity"),
        second,
        1,
        ">=",
        f"{points} points of (G, kappa0, c), G in {trial['workers']}; thresholds at G = 32, B = 72",
        details={**edges, **uniform},
    )
