"""The gap between the largest and the smallest load after an optimal step."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from evenkeel.findings.check import Finding, Trial, Variant, Verdict, evidence
from evenkeel.findings.headline import Record, headline, says
from evenkeel.findings.scoreboard import QUARTER, THOUSANDTH, Cases, near
from evenkeel.theorems.registry import Assumption, Dropped, claim
from evenkeel.theorems.step.domains import admit, after_of, domain, refills, weight, witness_of
from evenkeel.theorems.step.refill import swap
from solvers.simulation.reference import simulate_reference
from solvers.step.exact.brute_force import assignments, exact_step
from solvers.step.problem import StepProblem
from theory.disproof import gap_at, violated
from theory.formal.record import Theorem
from theory.formulas.step import gap_allowed, gap_condition
from theory.model import Requests, System
from theory.proof import Identity, Inequality, Lemma, Setting, Step
from theory.relations import at_most
from theory.symbolic import sp


def _gap(loads: Sequence[int]) -> int:
    return max(loads) - min(loads)


def _condition(trial: Trial, problem: StepProblem, s_max: int) -> bool:
    loads, free = problem.loads.tolist(), problem.free.tolist()
    if trial.fault("ignore-slots"):
        return _gap(loads) <= s_max
    return gap_condition(loads, free, s_max)


def _worst_gap(problem: StepProblem) -> int:
    """Largest gap over all admissions of optimal imbalance."""
    best = problem.objective(exact_step(problem))
    every = (np.array(chosen, dtype=np.int64) for chosen in assignments(problem))
    return max(_gap(after_of(problem, x)) for x in every if problem.objective(x) == best)


@claim(
    "step.gap-condition",
    "upper",
    assumptions=(Assumption.WORK_CONSERVING, Assumption.EXACT_STEP),
    requires=("step.lexicographic",),
)
class GapCondition:
    """When an optimal step leaves a gap of at most s_max.

    If l_p - l_q <= s_max (1 - (c_p - c_q)^+) for all workers p != q before admission, the
    lexicographic optimum has max L - min L <= s_max, for rich and for poor pools, with s_max any
    upper bound of the sizes.
    """

    def formula(self) -> "sp.Basic":
        names = "L_p L_q l_p l_q c_p c_q"
        after_p, after_q, lp, lq, cp, cq = sp.symbols(names, nonnegative=True, integer=True)
        s = sp.Symbol("s_max", positive=True, integer=True)
        return sp.Implies(lp - lq <= gap_allowed(s, cp - cq), after_p - after_q <= s)

    def proof(self) -> tuple[Step, ...]:
        s, k, r, u, v = sp.symbols("s k r u v", nonnegative=True)
        before = s * (1 - k) - r
        return (
            Setting(
                "Of the optima take the one with the smallest (M, sum L^2).  Let p have the "
                "largest and q the smallest load after admission, and suppose D = L_p - L_q > "
                "s_max."
            ),
            *swap("p", "q"),
            Lemma(
                "order",
                "So no request on p is larger than one on q (swapping them, d <= s_max < D, keeps "
                "the sum, raises neither M nor the imbalance and lowers the sum of squares), and "
                "q has no slot left, or p took nothing (moving a request of p there does the "
                "same).",
            ),
            Inequality(
                "If p took nothing, D <= l_p - l_q = s_max (1 - k) - r <= s_max, k = (c_p - c_q)^+",
                before,
                s,
                s * k + r,
            ),
            Inequality(
                "Otherwise q took c_q requests; pair them with requests of p, none larger "
                "(together u smaller); the at most k others of p are at most s_max each (together "
                "v less): D = s_max (1 - k) - r - u + k s_max - v <= s_max",
                sp.expand(before - u + k * s - v),
                s,
                r + u + v,
            ),
            Lemma("contradiction", "Either way D <= s_max."),
        )

    @evidence(
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
    def check(self, trial: Trial) -> Finding:
        """The lexicographic optimum of every step of a finite domain that meets the condition; a
        gap above s_max refutes it.
        """
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
                if trial.fault("any-optimum"):
                    gap = _worst_gap(problem)
                else:
                    gap = _gap(after_of(problem, admit(trial, problem)))
                if cases.add(gap, s_max * trial.scale, witness_of(problem)):
                    break
            if cases.violated:
                break
        return cases.finding(trial, f"steps that meet the condition among {text}")


@claim(
    "step.gap-naive",
    "upper",
    source="a tempting reading of the per-step bound in the paper's Theorem 2",
    version="ours",
    assumptions=(Assumption.WORK_CONSERVING, Assumption.EXACT_STEP),
    requires=("step.gap-condition",),
    holds=False,
    coq=Theorem("step_gap_naive_is_false", "GapNaive.v"),
    drops=(Dropped("step.gap-condition", "the condition on loads and slots"),),
)
class GapNaive:
    """Every optimal step leaves a gap of at most s_max.

    After an optimal admission (H = 0) max L - min L <= s_max, whatever the loads, the free slots
    and the pool. False: a worker without a free slot, unequal slots or a tie among optima break it.
    """

    def formula(self) -> "sp.Basic":
        return at_most("gap", "s_max")

    def proof(self) -> tuple[Step, ...]:
        s = sp.Symbol("s", positive=True, integer=True)
        return (
            Lemma(
                "no choice",
                "Loads (0, s), free slots (0, 1), pool {s}: the one request must go to the second "
                "worker, so (0, 2 s) is the only admission and s_max = s.",
            ),
            Identity("Its gap is twice s_max", gap_at(sp.Integer(0), 2 * s), 2 * s),
            violated("which is more", self.formula(), {"gap": 2 * s, "s_max": s}, s),
        )

    @evidence(
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
    def check(self, trial: Trial) -> Finding:
        """Exhaustive search in order of size for a step with a larger gap after its lexicographic
        optimum, until the first.
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
        return cases.finding(trial, f"{text}, loads within s_max of each other, smallest first")

    @headline('Is "max - min <= s_max after an optimal step" true?', 10)
    def answer(self, entry: Record) -> str:
        witness = entry["witness"]
        return (
            f"{says(entry)}: loads {tuple(witness['loads'])}, free slots {tuple(witness['free'])} "
            f"and the pool {witness['pool']} leave a gap of {entry['computed']}."
        )


@claim(
    "step.gap-persists",
    "upper",
    source="a tempting reading of the per-step bound in the paper's Theorems 2 and 3",
    version="ours",
    assumptions=(Assumption.OVERLOADED, Assumption.WORK_CONSERVING, Assumption.EXACT_STEP),
    requires=("step.gap-condition",),
    holds=False,
    drops=(Dropped("step.gap-condition", "a single step (along a run instead)"),),
)
class GapPersists:
    """The gap of at most s_max persists along an overloaded run.

    If the condition of [step.gap-condition] holds at the start of an overloaded run, every later
    optimal step leaves max L - min L <= s_max. False: a departure removes s + age, which is not
    bounded by s_max. With G = 2, B = 1, all sizes 1 and lengths (n, 1, 1, ...) the gap after k
    steps is k.
    """

    def formula(self) -> "sp.Basic":
        return at_most("gap", "s_max")

    def proof(self) -> tuple[Step, ...]:
        k = sp.Symbol("k", positive=True, integer=True)
        return (
            Lemma(
                "no choice",
                "One slot is free at every step, on the second worker, and all waiting requests "
                "are alike.  After k steps the long request has load 1 + k, the new one load 1.",
            ),
            Identity("The gap is k, and s_max is 1", gap_at(1 + k, sp.Integer(1)), k),
            violated("At k = 2 that is more", self.formula(), {"gap": 2, "s_max": 1}),
        )

    @evidence(
        measures="largest minus smallest load after a step (load)",
        length=3,
        standard={"length": 30},
        plants=(
            near("", QUARTER),
            Variant("the first step only is excused", fault="skip-first"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """The run of that instance; a gap above s_max at any step with a full pool refutes it."""
        length = trial["length"]
        system = System(2, 1)
        requests = Requests([1] * (length + 1), [length] + [1] * length)
        run = simulate_reference(system, requests, "bfio", history=True)
        assert run.loads is not None
        cases = Cases("<=")
        for step, loads in enumerate(run.loads[: run.overloaded.steps].tolist()):
            if trial.fault("skip-first") and step < 2:
                continue
            witness = partial(
                dict[str, Any],
                workers=2,
                slots=1,
                prefill=requests.prefill.tolist(),
                decode=requests.decode.tolist(),
                step=step,
                loads=loads,
            )
            if cases.add(_gap(loads), trial.scale, witness):
                break
        return cases.finding(
            trial,
            f"the run of G = 2, B = 1, sizes 1, lengths ({length}, 1, 1, ...), while the pool is "
            "full",
            strongest=Verdict.INCONCLUSIVE,
        )
