"""What the greedy rule of BalanceRoute loses."""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from itertools import product

import numpy as np

from evenkeel.findings.check import Finding, Trial, Variant, Verdict, evidence
from evenkeel.findings.scoreboard import Cases, Witness
from evenkeel.theorems.registry import Assumption, claim, claim_of
from evenkeel.theorems.step.domains import domain, weight, witness_of
from solvers.step.exact.brute_force import exact_step
from solvers.step.problem import WAITS, Assignment, StepProblem
from theory.disproof import imbalance_at, violated
from theory.formulas.balanceroute import br0_score
from theory.proof import Identity, Inequality, Lemma, Step
from theory.relations import at_least, at_most
from theory.symbolic import sp


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


@claim(
    "balanceroute.greedy",
    "upper",
    source="a tempting reading of BR-0",
    version="ours",
    assumptions=(Assumption.WORK_CONSERVING, Assumption.MYOPIC),
    requires=("balanceroute.telescopes",),
    holds=False,
    answers=("BR-0",),
)
class Greedy:
    """Routing one request at a time by best score is optimal for the step.

    Admitting, while slots are free, the request and worker with the best BR-0 score reaches the
    optimal imbalance of the step. False: the best first admission can exclude the best step.
    """

    def proof(self) -> tuple[Step, ...]:
        S, m = sp.symbols("S m", nonnegative=True)
        moves = (
            ("1 to the first", 1, 1, 1),
            ("2 to the first", 2, 1, 0),
            ("1 to the second", 1, 0, -1),
        )
        return (
            Lemma(
                "four first moves",
                "Loads (0, 1), one free slot each, pool {1, 2}: the margins are 1 and 0.",
            ),
            *(
                Identity(
                    f"The score of size {move} worker",
                    sp.Subs(br0_score(S, m, 2), (S, m), (size, margin)),
                    sp.Integer(score),
                )
                for move, size, margin, score in (*moves, ("2 to the second", 2, 0, -2))
            ),
            Lemma("greedy", "So 1 goes to the first worker and 2 to the second: loads (1, 3)."),
            Identity("The greedy admission leaves 2", imbalance_at(1, 3), sp.Integer(2)),
            violated(
                "which is more than the other one, loads (2, 2)",
                at_most("Imb", "optimum"),
                {"Imb": imbalance_at(1, 3), "optimum": imbalance_at(2, 2)},
            ),
        )

    @evidence(
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
    def check(self, trial: Trial) -> Finding:
        """Exhaustive search in order of size for a step where the greedy's imbalance exceeds the
        enumerated optimum.
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
        return cases.finding(trial, f"{text}, smallest first")


# Penalty weight of the simulator released with arXiv 2601.17855, for every number of workers.
SIMULATOR_BETA = 43


def _one_slot_steps(G: int, margin: int, overshoot: int) -> Iterator[StepProblem]:
    """G - 1 equal workers without a slot and an empty one with one slot; two requests wait."""
    for m, e in product(range(1, margin + 1), range(1, overshoot + 1)):
        yield StepProblem([m] * (G - 1) + [0], [0] * (G - 1) + [1], [1, m + e])


@claim(
    "balanceroute.fixed-beta",
    "equality",
    source="simulator released with arXiv 2601.17855",
    version="v1, v2",
    assumptions=(Assumption.MYOPIC,),
    requires=("balanceroute.score-identity",),
    holds=False,
    answers=("BR-H",),
)
class FixedBeta:
    """A penalty of 43 for every number of workers ranks admissions as the imbalance does.

    With weights (alpha, beta) = (1, 43) and H = 0 the admission of best score has the smallest
    imbalance, for every G. False for every G >= 2 but 43: for smaller G the overshoot is penalised
    too much, for larger G too little (for G = 1 there is none).
    """

    def proof(self) -> tuple[Step, ...]:
        n = sp.Symbol("n", nonnegative=True, integer=True)
        G, m, e = sp.symbols("G m e", positive=True, integer=True)
        score = (m + e) - G * e
        better = at_most("lowered_by_the_larger", "lowered_by_the_other")
        worse = at_least("lowered_by_the_larger", "lowered_by_the_other")
        return (
            Lemma(
                "one free slot",
                "A worker with margin m and one free slot; sizes 1 and m + e wait.  The request of "
                "size 1 scores 1 and lowers the imbalance by 1, that of size m + e scores "
                "m + e - beta e and lowers it by m + e - G e [balanceroute.score-identity].",
            ),
            Identity(
                "With m = 84, e = 2 and the penalty 43 the larger request scores 0, less than 1",
                sp.Subs(score, (G, m, e), (43, 84, 2)),
                sp.Integer(0),
            ),
            violated(
                "but lowers the imbalance by more at G = 42 - n, n >= 0",
                better,
                {
                    "lowered_by_the_larger": sp.Subs(score, (G, m, e), (42 - n, 84, 2)),
                    "lowered_by_the_other": 1,
                },
                1 + 2 * n,
            ),
            Identity(
                "With m = 86, e = 2 it scores 2, more than 1",
                sp.Subs(score, (G, m, e), (43, 86, 2)),
                sp.Integer(2),
            ),
            violated(
                "but lowers the imbalance by less at G = 44 + n, n >= 0",
                worse,
                {
                    "lowered_by_the_larger": sp.Subs(score, (G, m, e), (44 + n, 86, 2)),
                    "lowered_by_the_other": 1,
                },
                1 + 2 * n,
            ),
        )

    @evidence(
        no_near_factor="an identity or an equivalence, without a constant",
        measures="imbalance after the admission of best score, against the optimum (load)",
        G=2,
        margin=100,
        overshoot=2,
        plants=(Variant("at G = 42", fault="42"), Variant("at G = 44", fault="44")),
    )
    def check(self, trial: Trial) -> Finding:
        """Exhaustive search in order of size for a step with one free slot where the request of
        best score is not the one of smallest imbalance.
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


@claim(
    "balanceroute.ties",
    "equality",
    source="an independent re-implementation of BR-0",
    version="v1",
    requires=("balanceroute.score-identity",),
    answers=("BR ties",),
)
class Ties:
    """Below the margin all workers tie, and lowest-index ties pile up on worker 0.

    All workers with margin >= S have the same score S. So lowest-index tie-breaking sends requests
    of one size s to worker 0 until its margin or its slots are used up: from loads (0, ..., 0, M),
    G >= 3, worker 0 takes n = min(B, floor(M / s)) in a row; breaking ties by load gives none of
    the G-1 empty workers more than ceil(n / (G-1)) of them.
    """

    def proof(self) -> tuple[Step, ...]:
        G = sp.Symbol("G", positive=True, integer=True)
        m, r, e = sp.symbols("m r e", nonnegative=True)
        size = sp.Symbol("S", real=True)
        score = br0_score(size, m, G)
        return (
            Identity(
                "A worker with margin m = S + r, r >= 0, has score S, which does not depend on m",
                sp.Subs(score, m, size + r),
                size,
            ),
            Inequality(
                "A worker whose margin is e short of S has score S - G e, less by G e",
                size - G * e,
                size,
                G * e,
            ),
            Lemma(
                "all that fit tie",
                "So the workers of best score are all those with margin >= S.  A request of size "
                "s lowers its worker's margin by s and leaves it in the tie until the margin is "
                "used up.",
            ),
        )

    @evidence(
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
    def check(self, trial: Trial) -> Finding:
        """BR-0 with either tie-break over a range of (G, B, M, s); another count refutes it."""
        cases = Cases("==")
        shapes = product(
            range(3, trial["G"] + 1), range(1, trial["B"] + 1), range(1, trial["top"] + 1)
        )
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
            f"3 <= G <= {trial['G']}, B <= {trial['B']}, all sizes up to M <= {trial['top']}",
        )


@claim(
    "balanceroute.ties-share",
    "empirical",
    source="an independent re-implementation of BR-0",
    version="v1",
    recovered=False,
    answers=("BR ties",),
)
class TiesShare:
    """Ties send 43 % of requests to worker 0.

    Ties in the score sent 43 % of all requests to worker 0 until they were broken by load.
    """

    @evidence()
    def check(self, trial: Trial) -> Finding:
        """The workload and the number of workers of that run are not known."""
        return Finding(verdict=Verdict.NOT_CHECKED, domain=claim_of(trial.label).evidence)
