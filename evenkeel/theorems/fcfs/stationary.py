"""The law of the loads under FCFS long after the cold start."""

from fractions import Fraction
from functools import cache, partial
from typing import Any

import numpy as np

from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import (
    TENTH,
    Cases,
    Comparison,
    Witness,
    broken,
    near,
    refuted,
    sampled_mean,
)
from evenkeel.findings.statistics import Mean, first_steps, imbalances, overloaded_run
from evenkeel.findings.verdicts import AGED, BFIO, planted_policy
from evenkeel.theorems.fcfs.law import EXPECTATION
from evenkeel.theorems.registry import claim
from theory.laws.fcfs_expectation import Expectation, expected_imbalance, over_steps
from theory.laws.law import Enclosure, Law
from theory.laws.slot_load import joint_slot, period
from theory.model import Requests, System
from theory.proof import Identity, Lemma, Step
from theory.symbolic import sp

DRIFT = (2, 0, 1)

# Pairs of a size and a length, the sizes dependent on the lengths, which are all even.
PAIRS = ((3, 2), (9, 4), (1, 8), (6, 2))
COUNTS = (4, 2, 1, 1)
SIZES, LENGTHS = zip(*PAIRS, strict=True)

# Law of a slot's load at a step after a cold start, or in the limit of a phase.
_slot = partial(joint_slot, SIZES, LENGTHS, counts=COUNTS)


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


@cache
def _late_halves(system: System, policy: str, cycle: int, steps: int, runs: int, seed: int) -> Mean:
    """Mean imbalance over whole periods, from the middle of replicated runs on."""
    samples = []
    for run in range(runs):
        rng = np.random.default_rng([seed, run])
        n = system.capacity * (steps // min(LENGTHS) + 1)
        chosen = rng.choice(len(PAIRS), n, p=np.array(COUNTS) / sum(COUNTS))
        requests = Requests(np.array(SIZES)[chosen], np.array(LENGTHS)[chosen])
        result = overloaded_run(system, requests, policy, steps)
        loads = first_steps(result, steps)[steps // 2 // cycle * cycle : steps // cycle * cycle]
        samples.append(float(imbalances(loads).mean()))
    return Mean.of(samples)


@cache
def _late(step: int, workers: int, slots: int) -> Enclosure:
    """Exact expected imbalance at a step after a cold start."""
    return expected_imbalance(_slot(drift=DRIFT, step=step), workers, slots).imbalance


def _averaged(drift: tuple[int, ...]) -> Law:
    """The mean of the slot's laws over the phases."""
    cycle = period(LENGTHS, drift)
    total: dict[int, Fraction] = {}
    for r in range(cycle):
        law = _slot(drift=drift, phase=r)
        for x, w in enumerate(law.weights, law.offset):
            if w:
                total[x] = total.get(x, Fraction(0)) + Fraction(w, law.scale * cycle)
    return Law.of(total)


@cache
def _limit(drift: tuple[int, ...], phase: int | None, workers: int, slots: int) -> Expectation:
    """Expectations under the limit law of a phase, or under the mean of the phases' laws."""
    law = _averaged(drift) if phase is None else _slot(drift=drift, phase=phase)
    return expected_imbalance(law, workers, slots)


@claim("fcfs.stationary", "limit", assumptions=EXPECTATION, requires=("fcfs.exact",))
class Stationary:
    """The stationary law, and lengths that share a divisor.

    Bounded output lengths with greatest common divisor d, calendar drift of period n: from a cold
    start the law of a slot's load at steps k = r mod lcm(d, n) tends to that of s + D_k - D_(k-A)
    with P(s, A=t) = d P(s, o>t)/E[o] for t = r mod d and 0 for other t. For d = 1 and constant
    drift this is the stationary law of [fcfs.exact]. For d > 1 all slots keep one phase, and the
    law averaged over the phases is another: under constant drift every phase has the same expected
    imbalance, and that of the averaged law is at least as large, and larger for one size and one
    length d > 1 under drift 1 and G >= 2.
    """

    def formula(self) -> "sp.Basic":
        d, mean = sp.symbols("d E[o]", positive=True)
        chance, tail = sp.Symbol("P(s, A=t)"), sp.Symbol("P(s, o>t)")
        return sp.Eq(chance, d * tail / mean)

    def proof(self) -> tuple[Step, ...]:
        d, m, n = sp.symbols("d m n", positive=True, integer=True)
        j = sp.Symbol("j", positive=True, integer=True)
        return (
            Lemma(
                "renewal theorem",
                "With d the greatest common divisor of the lengths, u_j = 0 unless d divides j, "
                "and u_(jd) tends to d/E[o], by the renewal theorem for the lengths in units of d.",
            ),
            Lemma(
                "age law",
                "So at steps k = r mod d the chance u_(k-t) P(s, o>t) tends to d P(s, o>t)/E[o] "
                "for t = r mod d, and is 0 for every other t; the lengths are bounded, so the sum "
                "of finitely many terms converges.",
            ),
            Identity(
                "For one length o = n d the ages of each phase have total probability one: n of "
                "the n d ages have the right remainder",
                sp.Sum(d / (n * d), (j, 1, n)),
                sp.Integer(1),
            ),
            Lemma(
                "phases under constant drift",
                "All lengths are multiples of d, so P(s, o > m d + r) is the same for r = 0..d-1: "
                "a load of phase r is one of phase 0 plus r times the drift, which leaves the "
                "imbalance unchanged, and the averaged law adds r drawn at random for each slot.  "
                "By Jensen's inequality, given the loads of phase 0, that does not lower E[max] - "
                "mean.",
            ),
            Identity(
                "It can raise it: two workers with one size and length d have no imbalance under "
                "drift 1, but ages drawn at random differ by (d^2-1)/(3d) in the mean",
                sp.Sum(2 * m * (d - m) / d**2, (m, 1, d - 1)),
                (d**2 - 1) / (3 * d),
            ),
        )

    @evidence(
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
    def check(self, trial: Trial) -> Finding:
        """The exact law at a late step against the limit, in exact rationals, and the late half of
        seeded runs with sizes that depend on the lengths and a calendar drift, whose mean must have
        the exact one within its interval; a difference beyond 10^-9, or a mean outside, refutes it,
        and so do enclosures of phases that are apart under constant drift, one of the averaged law
        below them, or another value than (d^2-1)/(3d) for one size and one length d at G = 2, B =
        1.
        """
        drift = (1,) if trial.fault("mean-drift") else DRIFT
        cycle = period(LENGTHS, DRIFT)
        shift = int(trial.fault("age-off-by-one"))
        workers, slots = trial["G"], trial["B"]
        phases = []
        for r in range(cycle):
            phase = None if trial.fault("averaged") else (r + shift) % cycle
            phases.append(_limit(drift, phase, workers, slots))
            limit = phases[-1].imbalance * trial.scale_of("limits")
            there = _late(trial["late"] // cycle * cycle + r, workers, slots)
            if abs(there.value - limit.value) > 1e-9 * there.value:
                return refuted(
                    there.value,
                    "==",
                    limit.value,
                    f"exact E[Imb] at a late step of phase {r} mod {cycle}",
                    {"pairs": PAIRS, "counts": COUNTS, "drift": DRIFT, "phase": r},
                )
        steady = [_limit((1,), r, workers, slots).imbalance for r in range(period(LENGTHS, (1,)))]
        mixed = _limit((1,), None, workers, slots).imbalance
        lowest, highest = min(e.upper for e in steady), max(e.lower for e in steady)
        sides = (
            (lowest, highest * trial.scale_of("phases"), "the phases under drift 1"),
            (mixed.upper, highest * trial.scale_of("averaged law"), "the averaged law there"),
        )
        if outside := broken(
            (Comparison(x >= y, float(x), ">=", float(y), what) for x, y, what in sides),
            "exact enclosures",
            {"pairs": PAIRS, "counts": COUNTS, "drift": (1,)},
        ):
            return outside
        alone = _one_length(trial)
        if alone.violated:
            return alone.finding(trial, "one size and one length d, ages at random")
        claimed = over_steps(phases).imbalance.value * float(trial.scale_of("runs"))
        steps, policy = trial["steps"], planted_policy(trial, "fcfs")
        system = System(workers, slots, DRIFT)
        averaged = _limit(DRIFT, None, workers, slots).imbalance.value
        return sampled_mean(
            trial,
            _late_halves(system, policy, cycle, steps, trial["runs"], trial.seed),
            claimed,
            f"exact limits of all {cycle} phases; late halves of {trial['runs']} runs of {steps} "
            f"steps at G = {workers}, B = {slots}, lengths 2, 4, 8, drift {DRIFT}",
            {"params": dict(trial.params), "seed": trial.seed},
            details={"E[Imb] of the averaged law, which is wrong": averaged},
        )
