"""Checks of one step, exhaustive over stated finite domains.

Full refills are in :mod:`evenkeel.theorems.step.refill`, the LP relaxation in
:mod:`evenkeel.theorems.step.relaxation`, gaps in :mod:`evenkeel.theorems.step.gap`.
"""

from collections.abc import Iterator
from functools import partial
from itertools import product

import numpy as np

from adversary.instances.small_runs import exact_step
from evenkeel.evidence.check import Finding, Trial, Variant, check
from evenkeel.evidence.scoreboard import QUARTER, Cases, near
from evenkeel.theorems.step.domains import (
    after_of,
    domain,
    lattice_steps,
    poor_steps,
    rich_steps,
    witness_of,
)
from evenkeel.theorems.step.statements import SMALLEST_MAXIMUM_LOSES
from solvers.step.exact.brute_force import assignments, enumerate_step
from solvers.step.problem import StepProblem
from theory.formulas.step import (
    lattice_lower_bound,
    missing_on_lattice,
    simple_lower_bound,
    waterfill_optimum,
)
from theory.model import imbalance


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


@check(
    "step.objective",
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
def objective(trial: Trial) -> Finding:
    """Enumerated sums of gaps against the searches' and the integer programs' objectives."""
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
        if problem.pool.size <= problem.free.sum() and cases.add(
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
        "step.objective",
        f"{text}, and one more; {len(picked)} of them as integer programs by {', '.join(SOLVERS)}",
        details={"steps where the smallest maximum is not optimal": differ},
    )


@check(
    "step.waterfill",
    measures="smallest imbalance after a step (load)",
    G=3,
    load=4,
    free=2,
    slots=3,
    size=3,
    random=50,
    standard={"load": 9, "slots": 4, "random": 1000},
    paper={"load": 15, "random": 20_000},
    plants=(
        near("imbalance"),
        near("maximum"),
        near("larger steps"),
        Variant("level from the largest sizes", fault="level-b"),
        Variant("gaps without the positive part", fault="signed"),
        Variant("one copy of each size in the pool", fault="one-copy"),
    ),
)
def waterfill(trial: Trial) -> Finding:
    """Optima under the smallest rich pools against the closed form, imbalance and maximum."""
    from solvers.step.fast.solve import solve_step

    cases, open_steps = Cases("=="), 0
    for problem, a, b in rich_steps(trial):
        loads, free = problem.loads.tolist(), problem.free.tolist()
        claimed, level = waterfill_optimum(loads, free, a, b)
        if trial.fault("level-b"):
            level = max(x + c * b for x, c in zip(loads, free, strict=True))
            claimed = sum(level - x - c * b for x, c in zip(loads, free, strict=True))
        elif trial.fault("signed"):
            claimed = sum(level - x - c * b for x, c in zip(loads, free, strict=True))
        after = after_of(problem, exact_step(problem))
        witness = witness_of(problem)
        if cases.add(imbalance(after), claimed * trial.scale_of("imbalance"), witness) or cases.add(
            max(after), level * trial.scale_of("maximum"), witness, "largest load of the optimum"
        ):
            break
    rng = np.random.default_rng(trial.seed)
    for _ in range(0 if cases.violated else trial["random"]):
        G = int(rng.integers(2, 9))
        loads, free = rng.integers(0, 60, G).tolist(), rng.integers(0, 6, G).tolist()
        a = int(rng.integers(1, 20))
        b = a + int(rng.integers(0, 10))
        problem = StepProblem(loads, free, np.repeat(np.arange(a, b + 1), max(1, sum(free))))
        solution = solve_step(problem, 2)
        open_steps += not solution.optimal
        claimed = waterfill_optimum(loads, free, a, b)[0]
        if solution.optimal and cases.add(
            solution.imbalance, claimed * trial.scale_of("larger steps"), witness_of(problem)
        ):
            break
    return cases.finding(
        trial,
        "step.waterfill",
        f"imbalance and maximum of all steps with G <= {trial['G']}, loads <= {trial['load']}, "
        f"free slots <= {trial['free']} (sum <= {trial['slots']}), 1 <= a <= b <= {trial['size']}; "
        f"imbalance of {trial['random']} random ones with G <= 8 that are solved to optimality",
        details={"left open by the fast solver": open_steps},
    )


@check(
    "step.waterfill-admitted",
    measures="smallest imbalance after a step (load)",
    G=3,
    load=2,
    free=1,
    size=2,
    standard={"load": 4, "free": 2, "size": 3},
    plants=(
        near("", QUARTER),
        Variant("at most the closed form", fault="upper"),
        Variant("at least two requests admitted", fault="two"),
    ),
)
def waterfill_admitted(trial: Trial) -> Finding:
    """The first step that differs, of those with one size and fewer requests than free slots.

    The planted versions are weaker statements that are false too.
    """
    weaker = trial.scale > 1 or trial.fault("upper")
    cases = Cases("<=" if weaker else "==")
    for problem, a in poor_steps(trial):
        if trial.fault("two") and problem.admissions < 2:
            continue
        claimed = waterfill_optimum(problem.loads.tolist(), problem.free.tolist(), a, a)[0]
        best = problem.objective(exact_step(problem))
        if cases.add(best, claimed * trial.scale, witness_of(problem)):
            break
    return cases.finding(
        trial,
        "step.waterfill-admitted",
        f"steps with G <= {trial['G']}, loads <= {trial['load']}, free slots <= {trial['free']}, "
        f"fewer requests than free slots, all of one size a = b <= {trial['size']}",
    )


@check(
    "step.lower-bound",
    measures="smallest imbalance after a step (load)",
    G=3,
    requests=3,
    size=3,
    free=2,
    load=3,
    standard={"requests": 5, "size": 4, "load": 4},
    paper={"requests": 6, "size": 5, "load": 5},
    plants=(
        near("imbalance"),
        near("maximum"),
        Variant("every slot counted as filled", fault="all-filled"),
        Variant("mean rounded up by one too many", fault="ceil"),
    ),
)
def lower_bound(trial: Trial) -> Finding:
    """Optima against the prefix-sum bound, imbalance and maximum."""
    cases = Cases(">=")
    problems, text = domain(trial)
    for problem in problems:
        loads, free = problem.loads.tolist(), problem.free.tolist()
        bound, level = simple_lower_bound(loads, free, problem.pool.tolist())
        if trial.fault("all-filled"):
            smallest = sorted(problem.pool.tolist())
            level = max(x + sum(smallest[:c]) for x, c in zip(loads, free, strict=True))
        elif trial.fault("ceil"):
            level += 1
        after = after_of(problem, exact_step(problem))
        witness = witness_of(problem)
        if cases.add(imbalance(after), bound * trial.scale_of("imbalance"), witness) or cases.add(
            max(after), level * trial.scale_of("maximum"), witness, "largest load of the optimum"
        ):
            break
    return cases.finding(trial, "step.lower-bound", f"imbalance and maximum of {text}")


@check(
    "step.lattice",
    measures="smallest imbalance after a step (load)",
    G=2,
    load=3,
    free=2,
    spacing=3,
    size=1,
    standard={"load": 5, "spacing": 4, "size": 2},
    paper={"load": 8, "spacing": 6, "size": 3},
    plants=(
        near("optimum"),
        near("at its level"),
        Variant("the slots taken for empty", fault="no-slots"),
        Variant("the first level alone", fault="first-level"),
        Variant("one request fewer than slots", fault="one-short"),
    ),
)
def lattice(trial: Trial) -> Finding:
    """Optima of steps with sizes on a lattice against what the residues leave."""
    cases = Cases(">=")
    for problem, q in lattice_steps(trial):
        loads, free = problem.loads.tolist(), problem.free.tolist()
        pool: list[int] = problem.pool.tolist()
        bound = lattice_lower_bound(loads, free, pool, q)
        if trial.fault("no-slots"):
            bound = lattice_lower_bound(loads, free, [q] * len(pool), q)
        elif trial.fault("first-level"):
            level = simple_lower_bound(loads, free, pool)[1]
            bound = missing_on_lattice(loads, free, pool[0], q, level)
        after = after_of(problem, exact_step(problem))
        at_level = missing_on_lattice(loads, free, pool[0], q, max(after))
        witness = witness_of(problem)
        if cases.add(imbalance(after), bound * trial.scale_of("optimum"), witness) or cases.add(
            imbalance(after), at_level * trial.scale_of("at its level"), witness
        ):
            break
    return cases.finding(
        trial,
        "step.lattice",
        "optimum against the bound and against R at its own largest load, all steps with "
        f"G <= {trial['G']}, loads <= {trial['load']}, free slots <= {trial['free']} that sum c "
        f"or sum c + 1 requests fill, sizes v, v + q, v + 2q with v <= {trial['size']} and "
        f"2 <= q <= {trial['spacing']}",
    )


@check(
    "step.lexicographic",
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
def lexicographic(trial: Trial) -> Finding:
    """How many admissions attain the smallest key, and whether the exact searches return it."""
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
        "step.lexicographic",
        f"number of best admissions, and agreement of two exact searches, on {text}",
        details={"steps whose optima differ in the largest load": ties},
    )
