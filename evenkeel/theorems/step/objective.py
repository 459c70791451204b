"""One admission step: its objective, and the order of its optima."""

from collections.abc import Iterator
from functools import partial
from itertools import product

import numpy as np

from evenkeel.findings.check import Finding, Trial, Variant, evidence
from evenkeel.findings.scoreboard import Cases, near
from evenkeel.theorems.registry import Assumption, claim
from evenkeel.theorems.step.domains import after_of, domain, witness_of
from solvers.step.exact.brute_force import assignments, enumerate_step, exact_step
from solvers.step.problem import StepProblem
from theory.formal.record import Theorem
from theory.proof import Identity, Lemma, Step
from theory.relations import equal
from theory.symbolic import sp

# The smallest maximum is not optimal: (loads, free, pool).  Admitting 1 gives loads (3, 1) and
# imbalance 2, admitting 4 gives (3, 4) and imbalance 1.
SMALLEST_MAXIMUM_LOSES = (3, 0), (0, 1), (1, 4)


def _gap_sums(trial: Trial, problem: StepProblem) -> Iterator[tuple[int, int]]:
    """Cost and largest load of every admission; a planted fault changes the cost."""
    for chosen in assignments(problem):
        after = after_of(problem, np.array(chosen, dtype=np.int64))
        top = max(after)
        measured = problem.loads.tolist() if trial.fault("before-admission") else after
        if trial.fault("max-min"):
            yield top - min(after), top
        else:
            yield sum(max(measured) - load for load in measured), top


@claim(
    "step.objective",
    "equality",
    source="paper, model and BF-IO (H = 0)",
    version="v1, v2",
    assumptions=(Assumption.WORK_CONSERVING, Assumption.MYOPIC),
    coq=Theorem("step_objective", "Step.v"),
    answers=("step", "admission"),
)
class Objective:
    """What one admission step minimises.

    Work conservation admits exactly U = min(|pool|, sum c) requests, at most c_g on worker g, and G
    max L - sum L = sum_g (max L - L_g) is minimised. If |pool| <= sum c the sum is fixed and only
    the maximum counts; if |pool| > sum c the choice of the subset matters as well, and the smallest
    maximum need not be optimal.
    """

    def formula(self) -> "sp.Basic":
        G, g = sp.symbols("G g", positive=True, integer=True)
        M, L = sp.Symbol("M", real=True), sp.IndexedBase("L", real=True)
        return sp.Eq(G * M - sp.Sum(L[g], (g, 1, G)), sp.Sum(M - L[g], (g, 1, G)))

    def proof(self) -> tuple[Step, ...]:
        G, g = sp.symbols("G g", positive=True, integer=True)
        M, L = sp.Symbol("M", real=True), sp.IndexedBase("L", real=True)
        return (
            Identity(
                "The imbalance is the sum of the gaps below the largest load",
                G * M - sp.Sum(L[g], (g, 1, G)),
                sp.Sum(M, (g, 1, G)) - sp.Sum(L[g], (g, 1, G)),
            ),
            Lemma(
                "everything enters",
                "If |pool| <= sum c every request is admitted, so sum L = sum l + sum pool for "
                "every assignment, and minimising G*M - sum L is minimising M.",
            ),
            Lemma(
                "the subset matters",
                "l = (3, 0), c = (0, 1), pool {1, 4}: admitting 1 gives M = 3 and imbalance 2, "
                "admitting 4 gives M = 4 and imbalance 1.  The smallest maximum is not optimal.",
            ),
        )

    @evidence(
        measures="smallest imbalance after a step (load)",
        G=3,
        requests=3,
        size=3,
        free=2,
        load=1,
        programs=6,
        standard={"requests": 4, "size": 4, "load": 3, "programs": 150},
        paper={"programs": 2000},
        plants=(
            near("search"),
            near("smallest maximum"),
            near("steps where the subset matters"),
            near("programs"),
            Variant("loads taken before admission", fault="before-admission"),
            Variant("max - min in place of G max - sum", fault="max-min"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """On every step of a finite domain the objective of the integer programs, recomputed in
        ints, equals the smallest sum of gaps found by enumeration; one step where they differ
        refutes it.
        """
        from solvers.step.exact.milp import SOLVERS, solve_exact

        problems, text = domain(trial)
        every = [*problems, StepProblem(*SMALLEST_MAXIMUM_LOSES)]
        cases, differ = Cases("=="), 0
        for problem in every:
            costs = list(_gap_sums(trial, problem))
            best = min(costs)[0]
            found = problem.objective(exact_step(problem))
            if cases.add(found, best * trial.scale_of("search"), witness_of(problem)):
                break
            lowest = min(top for _, top in costs)
            of_lowest = min(cost for cost, top in costs if top == lowest)
            differ += of_lowest > best
            # With a fixed sum the smallest maximum must be optimal.
            if problem.pool.size <= problem.free_slots and cases.add(
                of_lowest,
                best * trial.scale_of("smallest maximum"),
                witness_of(problem),
                "imbalance at the smallest maximum",
            ):
                break
        if not cases.violated:
            # The last step of the list is one where the subset matters.
            cases.add(
                min(differ, 1),
                trial.scale_of("steps where the subset matters"),
                witness_of(every[-1]),
                "whether the smallest maximum loses somewhere",
            )
        rng = np.random.default_rng(trial.seed)
        picked = [] if cases.violated else rng.choice(len(every), trial["programs"], replace=False)
        picked = [*picked, len(every) - 1]
        for index, solver in product(picked, SOLVERS):
            problem = every[index]
            best = min(_gap_sums(trial, problem))[0]
            solution = solve_exact(problem, solver)
            if cases.violated or cases.add(
                problem.objective(solution.assignment),
                best * trial.scale_of("programs"),
                witness_of(problem),
            ):
                break
        return cases.finding(
            trial,
            f"{text}, and one more; {len(picked)} of them as integer programs by "
            f"{', '.join(SOLVERS)}",
            details={"steps where the smallest maximum is not optimal": differ},
        )


@claim(
    "step.lexicographic",
    "equality",
    assumptions=(Assumption.WORK_CONSERVING, Assumption.EXACT_STEP),
    requires=("step.objective",),
    answers=("BF-IO(H)",),
)
class Lexicographic:
    """The imbalance alone does not fix a decision; the lexicographic order does.

    One step can have optimal admissions with different largest loads and different sums of squares.
    Ordered by (imbalance, M, sum L^2, the assignment read in arrival order) every step has exactly
    one best admission, and every exact solver that minimises this key returns it.
    """

    def formula(self) -> "sp.Basic":
        return equal("best_admissions", "1")

    def proof(self) -> tuple[Step, ...]:
        x, y = sp.symbols("L_1 L_2", nonnegative=True)
        imbalance = 2 * sp.Max(x, y) - x - y
        return (
            Lemma(
                "total order",
                "The last component of the key is the assignment itself, so two different "
                "assignments have different keys, and a finite set has one smallest.",
            ),
            Lemma(
                "ties are real",
                "l = (0, 0), c = (1, 1), pool {1, 1, 2, 2}: the admissions {1},{1} and {2},{2} "
                "have the loads (1, 1) and (2, 2), so M = 1 and M = 2.",
            ),
            Identity("Imbalance of the first", sp.Subs(imbalance, (x, y), (1, 1)), sp.Integer(0)),
            Identity("and of the second", sp.Subs(imbalance, (x, y), (2, 2)), sp.Integer(0)),
        )

    @evidence(
        measures="admissions that attain the smallest key (number)",
        G=2,
        requests=4,
        size=3,
        free=2,
        load=1,
        standard={"G": 3, "size": 4, "load": 3},
        plants=(
            near("number"),
            near("agreement"),
            near("ties"),
            Variant("imbalance alone", fault="imbalance"),
            Variant("without the request order", fault="no-order"),
        ),
    )
    def check(self, trial: Trial) -> Finding:
        """All optima of every step of a finite domain are listed: the number of admissions that
        attain the smallest key is 1, and it is the answer of two exact searches; optima of
        different largest load are among them. A step with another number, or another answer,
        refutes it.
        """
        cases, ties = Cases("=="), 0
        problems, text = domain(trial)
        length = 1 if trial.fault("imbalance") else 3 if trial.fault("no-order") else 4
        for problem in problems:
            keys = [
                problem.lexicographic_key(np.array(chosen, dtype=np.int64))
                for chosen in assignments(problem)
            ]
            best = min(keys)
            ties += len({key[1] for key in keys if key[0] == best[0]}) > 1
            attained = sum(key[:length] == best[:length] for key in keys)
            if cases.add(attained, trial.scale_of("number"), witness_of(problem)):
                break
            answers = exact_step(problem), enumerate_step(problem).assignment
            agree = sum(problem.lexicographic_key(answer) == best for answer in answers)
            if cases.add(
                agree,
                len(answers) * trial.scale_of("agreement"),
                witness_of(problem),
                "exact searches that return it",
            ):
                break
        if not cases.violated:
            cases.add(
                min(ties, 1),
                trial.scale_of("ties"),
                partial(dict, steps=text),
                "whether optima differ in the largest load somewhere",
            )
        return cases.finding(
            trial,
            f"number of best admissions, and agreement of two exact searches, on {text}",
            details={"steps whose optima differ in the largest load": ties},
        )
