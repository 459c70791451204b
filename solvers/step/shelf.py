"""Step problems solved by hand, on which every solver is tested (``evenkeel doctor``)."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from solvers.step.branch_and_price.solve import solve_branch_and_price
from solvers.step.exact.brute_force import enumerate_step
from solvers.step.exact.milp import SOLVERS, solve_exact
from solvers.step.exact.second_formulation import solve_cvxpy
from solvers.step.fast.solve import solve_step
from solvers.step.problem import StepProblem, StepSolution
from theory.model import InputError


@dataclass(frozen=True, slots=True, eq=False)
class MicroInstance:
    """A step problem with its optimal imbalance and the line that derives it."""

    name: str
    problem: StepProblem
    optimum: int
    why: str


def _instance(
    name: str,
    loads: Sequence[int],
    free: Sequence[int],
    pool: Sequence[int],
    optimum: int,
    why: str,
) -> MicroInstance:
    problem = StepProblem(list(loads), list(free), np.array(pool, np.int64))
    return MicroInstance(name, problem, optimum, why)


SHELF: tuple[MicroInstance, ...] = (
    _instance("one worker", (7,), (2,), (3, 5, 9), 0, "one worker is its own maximum"),
    _instance("empty pool", (5, 2, 2), (1, 1, 1), (), 6, "nothing is admitted: 3*5 - (5+2+2) = 6"),
    _instance(
        "no free slot", (4, 1), (0, 0), (3, 3), 3, "nothing can be admitted: 2*4 - (4+1) = 3"
    ),
    _instance(
        "level is ignored",
        (5, 0),
        (0, 1),
        (3, 6),
        1,
        "6 gives (5,6): 12-11 = 1; 3 gives the shorter step (5,3) but 10-8 = 2",
    ),
    _instance(
        "full below, free above",
        (0, 1),
        (0, 1),
        (2,),
        3,
        "the only slot is on the busier worker: (0,3), 6-3 = 3",
    ),
    _instance(
        "rich pool of equal sizes",
        (0, 1),
        (1, 2),
        (2, 2, 2, 2, 2),
        3,
        "every slot takes a 2, so the loads are (2,5) however many wait: 10-7 = 3",
    ),
    _instance(
        "four large on three workers",
        (0, 0, 0),
        (2, 2, 2),
        (1, 1, 3, 3, 3, 3),
        4,
        "all six enter, total 14; two of the four 3s share a worker, so M >= 6: 18-14 = 4",
    ),
    _instance(
        "equal loads, unequal slots",
        (0, 0),
        (1, 3),
        (1, 3, 3, 3),
        4,
        "all enter, total 10; worker 1 holds three, at least 1+3+3 = 7: 14-10 = 4",
    ),
    _instance(
        "more slots where the load is lower",
        (0, 1),
        (2, 0),
        (2, 2),
        3,
        "both go to worker 0: (4,1), 8-5 = 3",
    ),
    _instance(
        "full refill, tight",
        (0, 0, 0),
        (2, 2, 2),
        (7, 2, 2, 2, 2, 2),
        10,
        "forced (9,4,4): 27-17 = 10 = (G-1)(b-a) with G = 3, a = 2, b = 7",
    ),
    _instance(
        "water-filling, uneven slots",
        (10, 0),
        (1, 2),
        (2, 2, 2, 3, 3, 3, 4, 4, 4),
        4,
        "M* = max(10+2, 0+4) = 12; missing (12-14)^+ + (12-8)^+ = 0+4 = 4",
    ),
    _instance(
        "water-filling, balanced",
        (6, 4, 5),
        (1, 1, 1),
        (1, 2, 3, 1, 2, 3),
        0,
        "M* = 6+1 = 7 is reached by 6+1, 4+3 and 5+2",
    ),
    _instance("ties", (0, 0), (2, 2), (5, 5, 5, 5), 0, "two 5s each"),
    _instance(
        "parity",
        (0, 1),
        (1, 2),
        (2, 4, 4, 6, 8, 2),
        1,
        "even sizes leave an even and an odd load, so 0 is out; 4 and 1+2+2 = 5 give 10-9 = 1",
    ),
    _instance("poor pool, perfect partition", (0, 0), (3, 3), (3, 3, 2, 2, 2), 0, "3+3 = 2+2+2"),
    _instance(
        "slots forbid the partition",
        (0, 0),
        (2, 2),
        (5, 3, 1, 1),
        2,
        "5 alone would balance 3+1+1, but two each: 5+1 against 3+1, 12-10 = 2",
    ),
    _instance(
        "full worker above the rest",
        (9, 0, 0),
        (0, 1, 1),
        (4, 4, 4),
        10,
        "forced (9,4,4): 27-17 = 10",
    ),
    _instance(
        "full worker below the rest",
        (0, 6),
        (0, 1),
        (1, 2, 3),
        7,
        "worker 0 stays at 0 and the other ends at 6+s: 6+s, least for s = 1",
    ),
    _instance(
        "optimum far above the least level",
        (0, 0),
        (1, 1),
        (1, 50, 90, 90),
        0,
        "90 and 90 balance; the least level, 50, leaves 49",
    ),
    _instance(
        "poor pool, uneven loads",
        (3, 0, 1),
        (1, 2, 2),
        (4, 2),
        2,
        "total 10, so M >= 4 and 3*4-10 = 2: 4 on worker 1, 2 on worker 2 gives (3,4,3)",
    ),
)


# Name to solver, and whether it promises an optimum or an interval around it.
_RUNNERS: dict[str, tuple[Callable[[StepProblem], StepSolution], bool]] = {
    **{name: (partial(solve_exact, solver=name), True) for name in SOLVERS},
    "cvxpy": (solve_cvxpy, True),
    "scan": (solve_branch_and_price, True),
    "enumeration": (enumerate_step, True),
    "fast": (solve_step, False),
}


@dataclass(frozen=True, slots=True)
class ShelfResult:
    """One solver on one micro-instance.

    Parameters
    ----------
    solver, instance : str
        Their names.
    value, lower_bound : int
        What the solver found and claims.
    optimum : int
        The value derived by hand.
    ok : bool
        The assignment is valid, has the value it claims, and the optimum lies between the two
        sides; a solver that promises an optimum finds and claims it.
    seconds : float
        Wall-clock time.
    """

    solver: str
    instance: str
    value: int
    lower_bound: int
    optimum: int
    ok: bool
    seconds: float


def _is_worth(problem: StepProblem, solution: StepSolution) -> bool:
    """Whether the assignment is valid and has the value that the solution claims."""
    try:
        problem.validate(solution.assignment)
    except InputError:
        return False
    return problem.objective(solution.assignment) == solution.imbalance


def run_shelf() -> tuple[ShelfResult, ...]:
    """Every solver on every micro-instance, solver by solver."""
    results = []
    for solver, (solve, exact) in _RUNNERS.items():
        for micro in SHELF:
            start = time.perf_counter()
            solution = solve(micro.problem)
            seconds = time.perf_counter() - start
            ok = (
                _is_worth(micro.problem, solution)
                and solution.lower_bound <= micro.optimum <= solution.imbalance
                and (solution.imbalance == micro.optimum or not exact)
                and solution.claim in (None, micro.optimum)
            )
            results.append(
                ShelfResult(
                    solver,
                    micro.name,
                    solution.imbalance,
                    solution.lower_bound,
                    micro.optimum,
                    ok,
                    seconds,
                )
            )
    return tuple(results)
