"""Checks of the claims about the gap between the largest and the smallest load."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from adversary.instances.small_runs import exact_step
from evenkeel.evidence.check import Finding, Trial, Variant, Verdict, check
from evenkeel.evidence.scoreboard import QUARTER, THOUSANDTH, Cases, near
from evenkeel.theorems.step.domains import (
    admit,
    after_of,
    domain,
    refills,
    weight,
    witness_of,
)
from solvers.simulation.reference import simulate_reference
from solvers.step.exact.brute_force import assignments
from solvers.step.problem import StepProblem
from theory.formulas.step import gap_condition
from theory.model import Requests, System


def _gap(loads: Sequence[int]) -> int:
    return max(loads) - min(loads)


def _worst_gap(problem: StepProblem) -> int:
    """Largest gap over all admissions of optimal imbalance."""
    best = problem.objective(exact_step(problem))
    every = (np.array(chosen, dtype=np.int64) for chosen in assignments(problem))
    return max(_gap(after_of(problem, x)) for x in every if problem.objective(x) == best)


def _condition(trial: Trial, problem: StepProblem, s_max: int) -> bool:
    loads, free = problem.loads.tolist(), problem.free.tolist()
    if trial.fault("ignore-slots"):
        return _gap(loads) <= s_max
    return gap_condition(loads, free, s_max)


@check(
    "step.gap-condition",
    measures="largest minus smallest load after a step (load)",
    G=3,
    requests=3,
    size=3,
    free=2,
    load=3,
    standard={"requests": 5, "size": 4, "load": 5},
    paper={"requests": 6, "size": 5, "load": 6},
    plants=(
        near("", 1 / THOUSANDTH),
        Variant("condition on the loads alone", fault="ignore-slots"),
        Variant("whatever the tie-break", fault="any-optimum"),
        Variant("always_busiest in place of BF-IO", policy="always_busiest"),
    ),
)
def gap_after_condition(trial: Trial) -> Finding:
    """Gaps of lexicographic optima on steps that meet the condition."""
    cases = Cases("<=")
    problems, text = domain(trial)
    if trial.fault("any-optimum"):
        # Ties that matter need three workers with two slots and six requests.
        problems = refills(3, 2, 1, trial["size"], 0)
    for problem in problems:
        largest = int(problem.pool.max()) if problem.pool.size else 1
        for s_max in {largest, trial["size"]}:
            if not _condition(trial, problem, s_max):
                continue
            gap = (
                _worst_gap(problem)
                if trial.fault("any-optimum")
                else _gap(after_of(problem, admit(trial, problem)))
            )
            if cases.add(gap, s_max * trial.scale, witness_of(problem)):
                break
        if cases.violated:
            break
    return cases.finding(trial, "step.gap-condition", f"steps that meet the condition among {text}")


@check(
    "step.gap-naive",
    measures="largest minus smallest load after a step (load)",
    G=2,
    requests=3,
    size=3,
    free=2,
    load=3,
    standard={"G": 3, "requests": 5, "load": 4},
    plants=(
        near("", QUARTER),
        Variant("every worker has a free slot", fault="free-slots"),
        Variant("equal loads", fault="equal-loads"),
    ),
)
def gap_naive(trial: Trial) -> Finding:
    """Smallest step that starts within ``s_max`` and ends beyond it.

    The planted versions are weaker statements that are false too, so that finding them is harder.
    """
    cases = Cases("<=")
    problems, text = domain(trial)
    for problem in sorted(problems, key=weight):
        if not problem.pool.size:
            continue
        loads, s_max = problem.loads.tolist(), int(problem.pool.max())
        if (
            _gap(loads) > s_max
            or (trial.fault("free-slots") and problem.free.min() == 0)
            or (trial.fault("equal-loads") and _gap(loads))
        ):
            continue
        gap = _gap(after_of(problem, exact_step(problem)))
        if cases.add(gap, s_max * trial.scale, witness_of(problem)):
            break
    return cases.finding(
        trial, "step.gap-naive", f"{text}, loads within s_max of each other, smallest first"
    )


@check(
    "step.gap-persists",
    measures="largest minus smallest load after a step (load)",
    length=3,
    standard={"length": 30},
    plants=(
        near("", QUARTER),
        Variant("the first step only is excused", fault="skip-first"),
    ),
)
def gap_persists(trial: Trial) -> Finding:
    """One long request beside requests of length one, all of size one, on G = 2, B = 1."""
    length = trial["length"]
    system = System(2, 1)
    requests = Requests([1] * (length + 1), [length] + [1] * length)
    run = simulate_reference(system, requests, "bfio", history=True)
    assert run.loads is not None
    cases = Cases("<=")
    for step, loads in enumerate(run.loads[: run.overloaded.steps].tolist()):
        if trial.fault("skip-first") and step < 2:
            continue
        witness = {
            "workers": 2,
            "slots": 1,
            "prefill": requests.prefill.tolist(),
            "decode": requests.decode.tolist(),
            "step": step,
            "loads": loads,
        }
        if cases.add(_gap(loads), trial.scale, partial(dict, witness)):
            break
    return cases.finding(
        trial,
        "step.gap-persists",
        f"the run of G = 2, B = 1, sizes 1, lengths ({length}, 1, 1, ...), while the pool is full",
        held=Verdict.INCONCLUSIVE,
    )
