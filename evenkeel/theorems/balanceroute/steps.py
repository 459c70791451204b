"""Checks of BalanceRoute's scores, one step at a time."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from adversary.instances.small_runs import exact_step
from evenkeel.evidence.check import Finding, Trial, Variant, Verdict, check
from evenkeel.evidence.scoreboard import Cases, Witness
from evenkeel.evidence.verdicts import LARGER
from evenkeel.theorems.balanceroute.statements import (
    REPORTED_GAIN,
    REPORTED_THROUGHPUT,
    SIMULATOR_BETA,
)
from evenkeel.theorems.registry import claim
from evenkeel.theorems.step.domains import domain, weight, witness_of
from solvers.step.exact.brute_force import assignments
from solvers.step.problem import WAITS, Assignment, StepProblem
from theory.formulas.balanceroute import br0_score, brh_score
from theory.model import imbalance


def _with(loads: Sequence[int], worker: int, size: int) -> list[int]:
    after = list(loads)
    after[worker] += size
    return after


def _routings(trial: Trial) -> Iterator[tuple[list[int], int, int]]:
    """Loads, worker and size: a whole small domain, then large random ones."""
    for G in range(1, trial["G"] + 1):
        for loads in product(range(trial["load"] + 1), repeat=G):
            for worker, size in product(range(G), range(2 * trial["load"] + 1)):
                yield list(loads), worker, size
    rng = np.random.default_rng(trial.seed)
    for _ in range(trial["random"]):
        G = int(rng.integers(1, 300))
        yield rng.integers(0, 10**9, G).tolist(), int(rng.integers(G)), int(rng.integers(10**9))


@check(
    "balanceroute.score-identity",
    measures="fall of the imbalance by a routing (load)",
    G=3,
    load=4,
    random=200,
    standard={"load": 8, "random": 5000},
    plants=(
        LARGER,
        Variant("penalty G - 1 in place of G", fault="penalty"),
        Variant("penalty of the wrong sign", fault="sign"),
        Variant("max - min in place of G max - sum", fault="max-min"),
    ),
)
def score_identity(trial: Trial) -> Finding:
    """The score against the imbalance before minus the imbalance after, in ints."""
    cases = Cases("==")
    for loads, worker, size in _routings(trial):
        after = _with(loads, worker, size)
        change = imbalance(loads) - imbalance(after)
        if trial.fault("max-min"):
            change = (max(loads) - min(loads)) - (max(after) - min(after))
        penalty = len(loads) - trial.fault("penalty")
        if trial.fault("sign"):
            penalty = -penalty
        score = br0_score(size, max(loads) - loads[worker], penalty) * trial.scale
        if cases.add(change, score, partial(dict, loads=loads, worker=worker, size=size)):
            break
    return cases.finding(
        trial,
        "balanceroute.score-identity",
        f"all loads <= {trial['load']} of G <= {trial['G']} workers and sizes up to twice that; "
        f"{trial['random']} random ones with G < 300 and numbers below 10^9",
    )


@check(
    "balanceroute.brh-reduces",
    measures="discounted fall of the predicted imbalances (load)",
    windows=300,
    standard={"windows": 10_000},
    plants=(
        LARGER,
        Variant("penalty G - 1 in place of G", fault="penalty"),
        Variant("discounted from the first step on", fault="discount"),
    ),
)
def brh_reduces(trial: Trial) -> Finding:
    """The vector score against discounted changes of predicted imbalances, in Fractions."""
    cases, rng = Cases("=="), np.random.default_rng(trial.seed)
    for number in range(trial["windows"]):
        G, H = int(rng.integers(1, 6)), int(rng.integers(0, 5))
        predicted = rng.integers(0, 50, (H + 1, G)).tolist()
        worker, size = int(rng.integers(G)), int(rng.integers(1, 60))
        # Half of the windows have powers of gamma in (0, 1], half any discounts.
        if number % 2:
            given = [Fraction(int(x), 100) for x in rng.integers(-200, 201, H + 1)]
        else:
            gamma = Fraction(int(rng.integers(1, 101)), 100)
            given = [gamma**h for h in range(H + 1)]
        change = sum(
            (
                d * (imbalance(loads) - imbalance(_with(loads, worker, size)))
                for d, loads in zip(given, predicted, strict=True)
            ),
            Fraction(0),
        )
        margins = [max(loads) - loads[worker] for loads in predicted]
        late = [d * Fraction(9, 10) for d in given]
        discounts = late if trial.fault("discount") else given
        beta = G - trial.fault("penalty")
        score = brh_score(size, margins, discounts, 1, beta) * trial.scale
        witness: Witness = partial(
            dict, predicted=predicted, worker=worker, size=size, discounts=list(map(str, given))
        )
        if cases.add(change, score, witness):
            break
    return cases.finding(
        trial,
        "balanceroute.brh-reduces",
        f"{trial['windows']} random windows with G <= 5, H <= 4, loads and sizes below 60; "
        "discounts gamma^h with 0 < gamma <= 1, and any between -2 and 2, in turn",
    )


def _total_score(problem: StepProblem, chosen: Sequence[int], *, stale: bool) -> int:
    """Sum of the scores of a step's admissions, one by one; ``stale`` never updates the loads."""
    loads, total = problem.loads.tolist(), 0
    for size, g in zip(problem.pool.tolist(), chosen, strict=True):
        if g != WAITS:
            total += br0_score(size, max(loads) - loads[g], problem.workers)
            if not stale:
                loads[g] += size
    return total


@check(
    "balanceroute.telescopes",
    measures="largest total score of a step's admissions (load)",
    G=3,
    requests=3,
    size=3,
    free=2,
    load=1,
    standard={"requests": 4, "load": 3},
    plants=(
        LARGER,
        Variant("scores at the loads before the step", fault="stale"),
        Variant("half the penalty in the objective", fault="half"),
    ),
)
def telescopes(trial: Trial) -> Finding:
    """The largest total score of a step against the imbalance that an optimal step removes."""
    cases = Cases("==")
    problems, text = domain(trial)
    for problem in problems:
        stale = trial.fault("stale")
        best = max(_total_score(problem, x, stale=stale) for x in assignments(problem))
        optimum = problem.objective(exact_step(problem))
        removed = (imbalance(problem.loads) - optimum) * trial.scale
        if trial.fault("half"):
            removed = Fraction(imbalance(problem.loads), 2) - optimum
        if cases.add(best, removed, witness_of(problem)):
            break
    return cases.finding(trial, "balanceroute.telescopes", text)


def _greedy(problem: StepProblem, penalty: int) -> Assignment:
    """One admission at a time, the request and worker of best score; first of equals."""
    sizes, loads = problem.pool.tolist(), problem.loads.tolist()
    free = problem.free.tolist()
    assignment = np.full(len(sizes), WAITS, dtype=np.int64)
    for _ in range(problem.admissions):
        score: dict[tuple[int, int], int] = {
            (i, g): br0_score(sizes[i], max(loads) - loads[g], penalty)
            for i, g in product(range(len(sizes)), range(problem.workers))
            if assignment[i] == WAITS and free[g]
        }
        i, g = max(score, key=lambda pair: score[pair])
        assignment[i] = g
        loads[g] += sizes[i]
        free[g] -= 1
    return assignment


@check(
    "balanceroute.greedy",
    measures="imbalance after the greedy admission, against the optimum (load)",
    G=2,
    requests=4,
    size=4,
    free=2,
    load=1,
    standard={"G": 3, "requests": 5, "size": 5},
    plants=(
        Variant("within a factor of 1.5", Fraction(3, 2)),
        Variant("from equal loads", fault="equal-loads"),
        Variant("when everything is admitted", fault="all-admitted"),
    ),
)
def greedy(trial: Trial) -> Finding:
    """Smallest step where the greedy admission costs more than an optimal one.

    The planted versions are weaker statements that are false too.
    """
    cases = Cases("<=")
    problems, text = domain(trial)
    for problem in sorted(problems, key=weight):
        if trial.fault("equal-loads") and problem.loads.min() < problem.loads.max():
            continue
        if trial.fault("all-admitted") and problem.admissions < problem.pool.size:
            continue
        optimum = problem.objective(exact_step(problem))
        reached = problem.objective(_greedy(problem, problem.workers))
        if cases.add(reached, optimum * trial.scale, witness_of(problem)):
            break
    return cases.finding(trial, "balanceroute.greedy", f"{text}, smallest first")


def _one_slot_steps(G: int, margin: int, overshoot: int) -> Iterator[StepProblem]:
    """G - 1 equal workers without a slot and an empty one with one slot; two requests wait."""
    for m, e in product(range(1, margin + 1), range(1, overshoot + 1)):
        yield StepProblem([m] * (G - 1) + [0], [0] * (G - 1) + [1], [1, m + e])


@check(
    "balanceroute.fixed-beta",
    no_near_factor="an identity or an equivalence, without a constant",
    measures="imbalance after the admission of best score, against the optimum (load)",
    G=2,
    margin=100,
    overshoot=2,
    plants=(Variant("at G = 42", fault="42"), Variant("at G = 44", fault="44")),
)
def fixed_beta(trial: Trial) -> Finding:
    """Smallest step where the fixed penalty takes the worse of two requests.

    The planted versions are one worker away from where the fixed penalty is right.
    """
    cases, control = Cases("=="), Cases("==")
    G = next((int(g) for g in ("42", "44") if trial.fault(g)), trial["G"])
    for workers, into in ((SIMULATOR_BETA, control), (G, cases)):
        for problem in _one_slot_steps(workers, trial["margin"], trial["overshoot"]):
            reached = problem.objective(_greedy(problem, SIMULATOR_BETA))
            if into.add(reached, problem.objective(exact_step(problem)), witness_of(problem)):
                break
    return cases.finding(
        trial,
        "balanceroute.fixed-beta",
        f"G = {G}: sizes 1 and m + e for a margin m <= {trial['margin']}, e <= "
        f"{trial['overshoot']}, smallest first",
        details={f"control: violations at G = {SIMULATOR_BETA}": int(control.violated)},
    )


def _routed(G: int, top: int, size: int, n: int, *, by_load: bool) -> list[int]:
    """How many of ``n`` equal requests each worker gets from loads (0, ..., 0, top) under BR-0."""
    loads, counts = [0] * (G - 1) + [top], [0] * G
    for _ in range(n):
        scores = [br0_score(size, max(loads) - load, G) for load in loads]
        best = [g for g in range(G) if scores[g] == max(scores)]
        g = min(best, key=lambda g: (loads[g], g)) if by_load else best[0]
        loads[g] += size
        counts[g] += 1
    return counts


@check(
    "balanceroute.ties",
    measures="requests in a row on the worker that gets most (requests)",
    G=6,
    B=6,
    top=12,
    standard={"G": 12, "B": 12, "top": 40},
    plants=(
        Variant("worker 0 takes 1.1 times as many", Fraction(11, 10), side="pile"),
        Variant("spread, 1.1 times as many", Fraction(11, 10), side="spread"),
        Variant("spread, 0.9 times as many", Fraction(9, 10), side="spread"),
        Variant("ties broken by load, and still piled up", fault="by-load"),
        Variant("ties broken by index, and still spread", fault="spread-by-index"),
    ),
)
def ties(trial: Trial) -> Finding:
    """Requests in a row on worker 0 with either tie-break."""
    cases = Cases("==")
    shapes = product(range(3, trial["G"] + 1), range(1, trial["B"] + 1), range(1, trial["top"] + 1))
    for G, B, top in shapes:
        for size in range(1, top + 1):
            n = min(B, top // size)
            counts = _routed(G, top, size, n, by_load=trial.fault("by-load"))
            spread = _routed(G, top, size, n, by_load=not trial.fault("spread-by-index"))
            witness: Witness = partial(dict, loads=[0] * (G - 1) + [top], slots=B, size=size)
            most = -(-n // (G - 1))
            if cases.add(counts[0], n * trial.scale_of("pile"), witness) or cases.add(
                max(spread[:-1]), most * trial.scale_of("spread"), witness
            ):
                break
        if cases.violated:
            break
    return cases.finding(
        trial,
        "balanceroute.ties",
        f"3 <= G <= {trial['G']}, B <= {trial['B']}, all sizes up to M <= {trial['top']}",
    )


@check(
    "balanceroute.gap-and-imbalance",
    measures="the smaller side of either inequality (load)",
    G=4,
    load=5,
    standard={"G": 5, "load": 8},
    plants=(
        Variant("max - min at most 0.99 (G max - sum)", Fraction(99, 100), side="lower"),
        Variant("G max - sum at most 0.99 (G-1)(max - min)", Fraction(99, 100), side="upper"),
        Variant("G - 2 in place of G - 1", fault="workers"),
    ),
)
def gap_and_imbalance(trial: Trial) -> Finding:
    """Both inequalities for all loads of a domain, and how often each side is attained."""
    cases, low, high = Cases("<="), 0, 0
    for G in range(2, trial["G"] + 1):
        for loads in product(range(trial["load"] + 1), repeat=G):
            gap, total = max(loads) - min(loads), imbalance(loads)
            most = (G - 1 - trial.fault("workers")) * gap
            low += gap == total > 0
            high += most == total > 0
            witness: Witness = partial(dict, loads=list(loads))
            if cases.add(gap, total * trial.scale_of("lower"), witness) or cases.add(
                total, most * trial.scale_of("upper"), witness
            ):
                break
        if cases.violated:
            break
    return cases.finding(
        trial,
        "balanceroute.gap-and-imbalance",
        f"both sides for all loads <= {trial['load']} of 2 <= G <= {trial['G']} workers",
        details={"lower side attained": low, "upper side attained": high},
    )


@check(
    "balanceroute.gain-arithmetic",
    measures="gain in throughput of BR-H over the better baseline (per cent)",
    plants=(
        LARGER,
        Variant("over the other baseline", fault="jsq"),
        Variant("on the other trace", fault="azure"),
    ),
)
def gain_arithmetic(trial: Trial) -> Finding:
    """The ratio of the reported throughputs, rounded as reported."""
    column = 1 if trial.fault("azure") else 0
    baselines = [REPORTED_THROUGHPUT[name][column] for name in ("round robin", "JSQ")]
    baseline = min(baselines) if trial.fault("jsq") else max(baselines)
    best = REPORTED_THROUGHPUT["BR-H oracle"][column]
    gain = round(100 * (Fraction(best, baseline) - 1), 1)
    cases = Cases("==")
    cases.add(gain, REPORTED_GAIN[8] * trial.scale, partial(dict, best=best, baseline=baseline))
    return cases.finding(
        trial,
        "balanceroute.gain-arithmetic",
        "throughputs reported at G = 8 on the proprietary trace, in per cent to one decimal",
    )


def _not_checked(label: str, _trial: Trial, **details: Any) -> Finding:
    return Finding(Verdict.NOT_CHECKED, None, None, "~", claim(label).evidence, details=details)


for _label in ("ties-share", "throughput", "gain-scaling", "dispatch-latency"):
    check(f"balanceroute.{_label}")(partial(_not_checked, f"balanceroute.{_label}"))
