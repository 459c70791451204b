"""A second opinion in cvxpy: the linear relaxation with a safe dual bound, and another MILP.

The relaxation's dual values are floats and prove nothing by themselves.  Rounded to integers over
a common denominator they are a :class:`Dual`, whose value is a bound in exact arithmetic whatever
the solver did.  The MILP is written apart from :mod:`solvers.step.exact.milp`: a binary for every
request and worker, and the imbalance as the sum of the workers' distances to the level.

cvxpy takes a second to import, so the functions that use it import it themselves.
"""

import warnings
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from solvers.step.exact.milp import largest_first, left_until, level_range, weighed
from solvers.step.problem import WAITS, Assignment, StepProblem, StepSolution
from theory.model import FloatArray, InputError

# Denominator of rounded multipliers: the rounding costs about G * (range of loads) / 2^40.
DENOMINATOR = 2**40


@dataclass(frozen=True, slots=True)
class Dual:
    """Integer multipliers of the relaxation's constraints, over a common denominator ``D``.

    Parameters
    ----------
    denominator : int
        ``D >= 1``.
    level : tuple of int, length G
        ``A_g >= 0`` with sum ``G * D``, for ``L'_g <= M``.
    slots : tuple of int, length G
        ``B_g`` for the number of requests on ``g``: ``<= c_g``, where ``B_g >= 0``, or ``= c_g``
        when every slot is filled, where the sign is free.

    Notes
    -----
    The imbalance ``G*M - sum_g L'_g`` is at least ``sum_g (A_g/D - 1) L'_g``, in which a request of
    size ``v`` on ``g`` counts ``(A_g/D - 1) v``.  Adding ``B_g/D`` for each request on ``g`` and
    taking ``B_g c_g / D`` off again leaves the sum over the admitted requests of
    ``min_g ((A_g - D) v + B_g) / D`` at least; a request that may wait counts 0 if that is less.
    """

    denominator: int
    level: tuple[int, ...]
    slots: tuple[int, ...]

    def value(self, problem: StepProblem) -> Fraction:
        """The bound that the multipliers prove, exactly.

        Raises
        ------
        InputError
            If the multipliers do not have the signs, the number or the sum they need.
        """
        G, D = problem.workers, self.denominator
        free: list[int] = problem.free.tolist()
        filled = problem.admissions == sum(free)
        if len(self.level) != G or len(self.slots) != G or D < 1:
            raise InputError("a dual needs one multiplier of each kind for every worker")
        if min(self.level) < 0 or sum(self.level) != G * D:
            raise InputError("the level's multipliers must be >= 0 and add up to G * denominator")
        if not filled and min(self.slots) < 0:
            raise InputError("the slots' multipliers must be >= 0 where slots stay free")
        total = sum(
            (a - D) * load - b * c
            for a, b, load, c in zip(
                self.level, self.slots, problem.loads.tolist(), free, strict=True
            )
        )
        everyone = problem.admissions == problem.pool.size
        lines = {(a - D, b) for a, b, c in zip(self.level, self.slots, free, strict=True) if c > 0}
        for size in problem.pool.tolist():
            least = min((a * size + b for a, b in lines), default=0)
            total += least if everyone else min(0, least)
        return Fraction(total, D)

    def bound(self, problem: StepProblem) -> int:
        """The value raised to the next imbalance that can occur, and to 0 at least.

        Imbalances are integers; where the whole pool is admitted they are congruent to minus the
        total load modulo ``G``.
        """
        bound = max(0, -((-self.value(problem)) // 1))
        if problem.admissions == problem.pool.size:
            total = sum(problem.loads.tolist()) + sum(problem.pool.tolist())
            bound += (-total - bound) % problem.workers
        return bound


def rounded(problem: StepProblem, level: FloatArray, slots: FloatArray, denominator: int) -> Dual:
    """The nearest :class:`Dual` to multipliers in floating point."""
    D, G = denominator, problem.workers
    a = [max(0, round(float(x) * D)) for x in level]
    # The sum must be exact; the worker that carries most can carry the difference.
    a[a.index(max(a))] += G * D - sum(a)
    b = [round(float(x) * D) for x in slots]
    if problem.admissions < problem.free_slots:
        b = [max(0, x) for x in b]
    if min(a) < 0:
        a, b = [D] * G, [0] * G
    return Dual(D, tuple(a), tuple(b))


def _quiet_solve(program: Any, **options: Any) -> bool:
    """Solve a cvxpy problem without a word; whether it is called optimal."""
    import cvxpy as cp

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            program.solve(**options)
        except cp.SolverError:
            return False
    return bool(program.status == cp.OPTIMAL)


def relaxation_dual(problem: StepProblem) -> Dual:
    """Solve the linear relaxation and round its dual.

    Falls back on the multipliers of equal loads where the solver fails, so a valid dual is
    returned in any case.
    """
    import cvxpy as cp

    G = problem.workers
    open_workers = np.flatnonzero(problem.free)
    values, copies = np.unique(problem.pool, return_counts=True)
    if not open_workers.size or not values.size:
        idle = np.zeros(G)
        idle[np.argmax(problem.loads)] = G
        return rounded(problem, idle, np.zeros(G), DENOMINATOR)
    # Shifted and scaled to about 1 for the solver's tolerances.
    scale = float(values[-1])
    loads = (problem.loads - problem.loads.min()) / scale
    y = cp.Variable((open_workers.size, values.size), nonneg=True)
    top = cp.Variable()
    taken = y @ (values / scale)
    count, supply = cp.sum(y, axis=1), cp.sum(y, axis=0)
    free = problem.free[open_workers]
    filled = problem.admissions == problem.free_slots
    everyone = problem.admissions == problem.pool.size
    lift = np.zeros((G, open_workers.size))
    lift[open_workers, np.arange(open_workers.size)] = 1
    below = loads + lift @ taken <= top
    seats = count == free if filled else count <= free
    items = supply == copies if everyone else supply <= copies
    program = cp.Problem(cp.Minimize(G * top - cp.sum(taken)), [below, seats, items])
    if not _quiet_solve(program, solver=cp.HIGHS):
        return rounded(problem, np.ones(G), np.zeros(G), DENOMINATOR)
    slots = np.zeros(G)
    slots[open_workers] = seats.dual_value * scale
    return rounded(problem, below.dual_value, slots, DENOMINATOR)


def relaxation_bound(problem: StepProblem) -> int:
    """Lower bound of the optimal imbalance from the linear relaxation, valid in exact arithmetic.

    The dual of the relaxation is rounded to integers over a common denominator and evaluated as a
    fraction, so an error of the solver can weaken the bound and never break it.
    """
    return relaxation_dual(problem).bound(problem)


def solve_program(
    problem: StepProblem, until: float | None
) -> tuple[Assignment | None, int | None]:
    """As :func:`solvers.step.exact.milp.solve_program`, of the second formulation."""
    import cvxpy as cp

    least, most = level_range(problem, problem.objective(largest_first(problem)))
    open_workers = np.flatnonzero(problem.free)
    n, G = int(problem.pool.size), problem.workers
    x = cp.Variable((n, open_workers.size), boolean=True)
    below = cp.Variable(G, integer=True)
    level = cp.Variable(integer=True)
    lift = np.zeros((open_workers.size, G))
    lift[np.arange(open_workers.size), open_workers] = 1
    constraints = [
        (problem.pool @ x) @ lift + below - level == least - problem.loads,
        below >= 0,
        level >= 0,
        level <= most - least,
        cp.sum(x) == problem.admissions,
        cp.sum(x, axis=0) <= problem.free[open_workers],
        cp.sum(x, axis=1) <= 1,
    ]
    program = cp.Problem(cp.Minimize(cp.sum(below)), constraints)
    options: dict[str, float] = {"mip_rel_gap": 0.0}
    if (left := left_until(until)) is not None:
        options["time_limit"] = left
    claimed = _quiet_solve(program, solver=cp.SCIPY, scipy_options=options)
    if x.value is None:
        return None, None
    found = np.full(n, WAITS, np.int64)
    for i, k in zip(*np.nonzero(x.value > 0.5), strict=True):
        found[i] = open_workers[k]
    try:
        problem.validate(found)
    except InputError:
        return None, None
    return found, round(float(program.value)) if claimed else None


def solve_cvxpy(problem: StepProblem, time_limit_s: float | None = None) -> StepSolution:
    """Best assignment by a second formulation, in cvxpy, solved by the HiGHS inside scipy.

    ``x_ig`` says whether request ``i`` goes to worker ``g``, and the integer ``d_g >= 0`` with
    ``L_g + sum_i s_i x_ig + d_g = M`` is what ``g`` stays below the level; the imbalance is
    ``sum_g d_g``.  For small instances.

    Parameters
    ----------
    time_limit_s : float, optional
        Wall-clock limit, kept within a second.

    Returns
    -------
    StepSolution
        As :func:`solvers.step.exact.milp.solve_exact`.
    """
    return weighed(problem, solve_program, time_limit_s=time_limit_s)
