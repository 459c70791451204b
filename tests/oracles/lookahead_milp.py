"""The window problem as an integer program: the exact side of :mod:`solvers.lookahead.problem`.

Requests are counted by distinct size, and the largest load of every step is shifted by the least
that it can be, as for the single step (:mod:`solvers.step.exact.milp`).  Small windows only: the
bounds of the linear relaxation are weak, so eight workers take seconds and sixteen may take
minutes.
"""

import numpy as np
import pulp

from solvers.lookahead.problem import WindowProblem, solve_window
from solvers.step.exact.milp import assignment_of_counts
from solvers.step.problem import StepSolution
from theory.model import InputError


def solve_window_exact(problem: WindowProblem, time_limit_s: float | None = None) -> StepSolution:
    """Least sum of imbalances over a window, by HiGHS with zero gap.

    Parameters
    ----------
    problem : WindowProblem
        The window.
    time_limit_s : float, optional
        Wall-clock limit; what was found by then is returned.

    Returns
    -------
    StepSolution
        Never worse than :func:`solvers.lookahead.problem.solve_window`.  Its lower bound is the
        objective where HiGHS reports an optimum that the assignment reproduces in ints; one
        solver's word.
    """
    best = solve_window(problem, 2)
    admissions = problem.step.admissions
    if best.optimal or admissions == 0:
        return StepSolution(best.assignment, best.imbalance, best.imbalance)
    values, copies = np.unique(problem.pool, return_counts=True)
    free: list[int] = problem.free.tolist()
    steps, workers = problem.ahead.shape
    program = pulp.LpProblem("window", pulp.LpMinimize)
    counts = {
        (g, j): program.add_variable(f"y_{g}_{j}", 0, min(int(n), free[g]), pulp.LpInteger)
        for g in range(workers)
        for j, n in enumerate(copies)
        if free[g]
    }
    shift: list[int] = problem.ahead.max(axis=1).tolist()
    tops = [program.add_variable(f"m_{h}", 0, None, pulp.LpInteger) for h in range(steps)]
    program += workers * pulp.lpSum(tops) - steps * pulp.lpSum(
        int(values[j]) * y for (_, j), y in counts.items()
    )
    for g in range(workers):
        mine = [(int(values[j]), y) for (w, j), y in counts.items() if w == g]
        number, size = pulp.lpSum(y for _, y in mine), pulp.lpSum(s * y for s, y in mine)
        if mine:
            program += number <= free[g]
        for h in range(steps):
            grown, load = int(problem.grown[h]), int(problem.ahead[h, g])
            if mine:
                program += size + grown * number - tops[h] <= shift[h] - load
    for j, n in enumerate(copies.tolist()):
        program += pulp.lpSum(y for (_, k), y in counts.items() if k == j) <= n
    program += pulp.lpSum(counts.values()) == admissions
    program.solve(
        pulp.HiGHS(gapRel=0, gapAbs=0, threads=1, msg=False, timeLimit=time_limit_s),
    )
    try:
        found = assignment_of_counts(
            problem.step,
            [(g, int(values[j]), round(y.varValue or 0)) for (g, j), y in counts.items()],
        )
        problem.step.validate(found)
    except InputError:
        return best
    value = problem.objective(found)
    constant = workers * sum(shift) - int(problem.ahead.sum())
    constant -= admissions * int(problem.grown.sum())
    claimed = program.sol_status == pulp.LpSolutionOptimal
    claimed &= abs(pulp.value(program.objective) + constant - value) < 0.5
    if value > best.imbalance:
        return best
    return StepSolution(found, value, value if claimed else best.lower_bound)
