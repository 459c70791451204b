"""The two sides of Theorem 1: FCFS from below, BF-IO from above."""

from fractions import Fraction
from functools import cache

import numpy as np

from adversary.paired_runs import departed_loads
from adversary.workloads.families import workload
from adversary.workloads.overload import requests_to_overload
from evenkeel.findings.check import Finding, Trial, Variant, Verdict, evidence
from evenkeel.findings.scoreboard import (
    TENTH,
    THOUSANDTH,
    near,
    refuted,
    sampled_mean,
    stands,
    weighed,
)
from evenkeel.findings.statistics import Mean, first_steps, imbalances, overloaded_run
from evenkeel.findings.verdicts import BFIO, BUSIEST, DEPARTED, planted_policy
from evenkeel.theorems.registry import Assumption, claim
from solvers.step.fast.solve import solve_step
from solvers.step.problem import StepProblem
from theory.formal.record import Theorem
from theory.formulas.fcfs import log_growth_form, log_growth_square
from theory.formulas.step import full_refill_bound
from theory.laws.fcfs_expectation import expected_imbalance
from theory.laws.law import Law
from theory.model import FloatArray, System
from theory.proof import Identity, Inequality, Lemma, Step
from theory.symbolic import sp

HYPOTHESES = (
    Assumption.OVERLOADED,
    Assumption.EQUAL_LENGTHS,
    Assumption.IID,
    Assumption.BOUNDED_SIZES,
    Assumption.COMMON_DRIFT,
    Assumption.STICKY,
    Assumption.MYOPIC,
)


@cache
def round_imbalances(
    family: str,
    system: System,
    policy: str,
    rounds: int,
    seed: int,
    *,
    length: int,
    departed: bool = False,
    **sizes: float,
) -> FloatArray:
    """Mean imbalance of each round of independent sizes of a family, float64[rounds]."""
    steps = length * rounds
    n = requests_to_overload(system, steps, length=length)
    requests = workload(family, n, seed, length=length, **sizes)
    run = overloaded_run(system, requests, policy, steps)
    loads = departed_loads(run)[:steps] if departed else first_steps(run, steps)
    return np.asarray(imbalances(loads).reshape(-1, length).mean(axis=1))


STEEPER = Variant("B in place of its square root", exponent=Fraction(1, 2))


@claim(
    "warmup.fcfs-lower",
    "lower",
    source="paper, Theorem 1",
    version="v1, v2",
    assumptions=HYPOTHESES,
    requires=("fcfs.exact", "fcfs.log-growth"),
    answers=("T1",),
    coq=Theorem("warmup_fcfs_lower", "Theorem1.v", "the remarks on the paper's constant"),
)
class FcfsLower:
    """FCFS side of Theorem 1.

    Sizes with sigma_s > 0 and kurtosis kappa, G >= 2, B >= k = floor(log2 G), n = floor(B/k): in
    every round E[Imb(FCFS)] is the exact value of [fcfs.exact] with X = s, and so E[AvgImb(FCFS)]
    >= G k sigma_s sqrt(n / (6 + (kappa-3)/n)) [fcfs.log-growth]. This is the paper's c G sigma_s
    sqrt(B log G) with c = 2/(3 sqrt(ln 2 (3 + max(3, kappa)))). The paper's own c is not known; it
    cannot exceed 1/sqrt(pi ln 2) for all G [fcfs.constant], and none is valid for all laws and B
    [fcfs.constant-uniform].
    """

    def formula(self) -> "sp.Basic":
        G, k, n, sigma, kappa = sp.symbols("G k n sigma_s kappa", positive=True)
        bound = sp.sqrt(log_growth_form(G, k, n, sigma**2, kappa))
        return sp.Ge(sp.Symbol("E[AvgImb(FCFS)]"), bound)

    def proof(self) -> tuple[Step, ...]:
        G, B, growth, largest, total = sp.symbols("G B t M S", positive=True)
        return (
            Lemma(
                "rounds",
                "All output lengths equal o, so all GB requests admitted at a step depart together "
                "after o steps: every admission is a full refill with fresh iid sizes.",
            ),
            Identity(
                "Within a round every load grows by B t, which leaves the imbalance unchanged",
                G * (largest + B * growth) - (total + G * B * growth),
                G * largest - total,
            ),
            Lemma(
                "the law of one round",
                "The slot loads of a round are iid copies of s up to a constant, so its expected "
                "imbalance is [fcfs.exact] with X = s, at least the bound of [fcfs.log-growth].",
            ),
        )

    @evidence(
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
        rounds=3000,
    )
    def check(self, trial: Trial) -> Finding:
        """Mean imbalance of many rounds of simulated FCFS against the exact value, within its
        interval, and the bound against the exact value of a fair coin at G = 2, B = 1, which
        attains it; a mean outside, or a bound above, refutes it.
        """
        sizes, workers, slots = Law.uniform(1, trial["b"]), trial["G"], trial["B"]
        expected = expected_imbalance(sizes, workers, slots).imbalance
        # Sizes 1 or 2 at equal odds: variance 1/4, fourth central moment 1/16.
        attained = expected_imbalance(Law.uniform(1, 2), 2, 1).imbalance.lower ** 2
        bound = log_growth_square(Fraction(1, 4), Fraction(1, 16), 2, 1)
        bound *= trial.scale_of("bound at a fair coin") ** 2
        if bound > attained:
            return refuted(
                attained,
                ">=",
                bound,
                "square of the exact imbalance, sizes 1 or 2 at equal odds, G = 2, B = 1",
                {"G": 2, "B": 1, "sizes": [1, 2]},
            )
        policy = planted_policy(trial, "fcfs")
        rounds = round_imbalances(
            "uniform",
            System(workers, slots),
            policy,
            trial["rounds"],
            trial.seed,
            length=trial["length"],
            departed=trial.fault("departed-loads"),
            b=trial["b"],
        )
        return sampled_mean(
            trial,
            Mean.of(rounds),
            float(expected.upper * (trial.scale_of("rounds") * trial.stretch(slots))),
            f"{trial['rounds']} rounds of {trial['length']} steps at G = {workers}, B = {slots}, "
            f"sizes uniform on 1..{trial['b']}",
            {"params": dict(trial.params), "seed": trial.seed, "policy": policy},
        )


@claim(
    "warmup.bfio-upper",
    "upper",
    source="paper, Theorem 1",
    version="v1, v2",
    assumptions=(*HYPOTHESES, Assumption.EXACT_STEP),
    requires=("step.full-refill-gap", "step.full-refill-tight", "step.pool-condition-refill"),
    answers=("T1",),
    coq=Theorem(
        "warmup_bfio_upper",
        "Rounds.v",
        "that a pool of G B attains it, and the remark on the pool condition",
    ),
)
class BfioUpper:
    """BF-IO side of Theorem 1.

    In every round, for every sequence of sizes in [a, b] and every pool of at least G B requests,
    Imb(BF-IO) <= (G-1)(b-a) <= (G-1) s_max: deterministic, and constant through the round because
    all requests grow alike. A pool of exactly G B attains it, one b and GB-1 a's; inside the
    paper's pool condition the least bound is (1 - 1/G) (G-1)(b-a) [step.pool-condition-refill].
    """

    def formula(self) -> "sp.Basic":
        G, a, b = sp.symbols("G a b", positive=True, integer=True)
        return sp.Le(sp.Symbol("Imb(BF-IO)"), full_refill_bound(G, a, b))

    def proof(self) -> tuple[Step, ...]:
        a, d, n = sp.symbols("a d n", nonnegative=True)  # d = b - a, n = G - 1
        return (
            Lemma(
                "full refill",
                "Every round starts with empty workers and a full pool, so [step.full-refill-gap] "
                "holds at its admission; the loads then grow alike.",
            ),
            Inequality(
                "(G-1)(b-a) <= (G-1) s_max, as b = s_max and a >= 0",
                n * d,
                n * (a + d),
                n * a,
            ),
        )

    @evidence(
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
    def check(self, trial: Trial) -> Finding:
        """Every step of the overloaded part of simulated rounds, extremal rounds among them; a step
        above the bound whose optimality is certified refutes it.
        """
        policy, b = trial.policy_or("bfio"), trial["b"]
        tightest: tuple[Fraction, int, Fraction] = (Fraction(-1), 0, Fraction(1))
        claimed: Fraction | int
        steps_seen, uncertified = 0, 0
        if trial.fault("unequal-slots"):
            # Loads (b, 3b) from slots (1, 3): the bound is about equal slot counts.
            problem = StepProblem([0, 0], [1, 3], [b] * 4)
            value, claimed = solve_step(problem).imbalance, full_refill_bound(2, 1, b)
            witness = {"free": [1, 3], "pool": [b] * 4}
            domain = "one step with slots (1, 3)"
            return weighed(value > claimed, False, value, "<=", claimed, domain, witness)
        for workers, slots in trial["systems"]:
            system, rounds = System(workers, slots), trial["rounds"]
            claimed = full_refill_bound(workers, 1, b) * trial.scale
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
                        return refuted(
                            worst,
                            "<=",
                            claimed,
                            f"overloaded steps of {family} under {policy}",
                            {
                                "G": workers,
                                "B": slots,
                                "policy": policy,
                                "loads": first_steps(run, rounds)[step].tolist(),
                                "admitted": requests.prefill[began].tolist(),
                            },
                        )
                    if Fraction(worst) / claimed > tightest[0]:
                        tightest = Fraction(worst) / claimed, worst, Fraction(claimed)
        strongest = Verdict.MACHINE_CHECKED if policy == "bfio" else Verdict.ATTACKED
        return stands(
            trial,
            tightest[1],
            "<=",
            tightest[2],
            f"{steps_seen} full refills of five families at (G, B) in {trial['systems']}, pools "
            f"GB and 2GB, under {policy}",
            strongest=Verdict.INCONCLUSIVE if uncertified else strongest,
        )
