"""The step problem as an integer program in PuLP, solved by HiGHS and by CBC.

The formulation counts requests by distinct size and is shifted by the least possible largest load,
so every coefficient is a small integer.  Written the naive way (a binary for every request and
worker, unshifted loads, a real largest load) the same problem makes HiGHS 1.15.1 report a wrong
optimum far more often; but even so it does now and then, so what it reports is a claim and no
proof.  A solver's objective is never used: it is recomputed in ints from the rounded and validated
assignment.  The solvers run in a child process (:mod:`solvers.step.exact.child`).
"""

import math
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace
from itertools import accumulate, pairwise
from typing import Any

import highspy
import numpy as np
import pulp

from solvers.step.exact import child
from solvers.step.problem import WAITS, Assignment, StepProblem, StepSolution
from theory.model import InputError

SOLVERS = ("highs", "cbc")

# The CBC that PuLP ships.
_CBC = pulp.PULP_CBC_CMD.pulp_cbc_path

# Sizes and differences of loads from here on are rounded to larger units.
_RESOLVED = 2**20

# A float nearer than this to an integer is that integer; the result is validated in ints.
_ROUNDING = 1e-4


def largest_first(problem: StepProblem) -> Assignment:
    """A valid assignment to start from: largest request first, to the least loaded worker.

    Tried for the ``U`` smallest and the ``U`` largest requests; the better of the two.
    """
    order = np.argsort(-problem.pool, kind="stable").tolist()
    free: list[int] = problem.free.tolist()
    best: Assignment | None = None
    for chosen in (
        order[: problem.admissions],
        order[len(order) - problem.admissions :],
    ):
        room = list(free)
        # The worker with the least load, the first of equals, is at the head.
        waiting = [(x, g) for g, x in enumerate(problem.loads.tolist()) if room[g] > 0]
        heapify(waiting)
        assignment = np.full(problem.pool.size, WAITS, np.int64)
        for i in chosen:
            load, g = waiting[0]
            assignment[i] = g
            room[g] -= 1
            if room[g] > 0:
                heapreplace(waiting, (load + int(problem.pool[i]), g))
            else:
                heappop(waiting)
        if best is None or problem.objective(assignment) < problem.objective(best):
            best = assignment
    assert best is not None
    return best


def assignment_of_counts(
    problem: StepProblem, counts: Iterable[tuple[int, int, int]]
) -> Assignment:
    """The assignment that gives worker ``g`` so many requests of a size, oldest first.

    Parameters
    ----------
    counts : iterable of (g, size, count)
        A size is handed out in the order of this list.
    """
    waiting: dict[int, list[int]] = {}
    for i in range(problem.pool.size - 1, -1, -1):
        waiting.setdefault(int(problem.pool[i]), []).append(i)
    assignment = np.full(problem.pool.size, WAITS, np.int64)
    for g, size, count in counts:
        for _ in range(count):
            if not waiting.get(size):
                raise InputError(f"more requests of size {size} are handed out than wait")
            assignment[waiting[size].pop()] = g
    return assignment


def level_range(problem: StepProblem, upper: int) -> tuple[int, int]:
    """Levels ``M`` that the largest load of a solution with imbalance ``<= upper`` can have.

    In plain ints, from the two inequalities of [step.lp-closed-form] for sets ``W`` of workers:
    ``|W| M >= L(W) + (sum of the C(W) - K smallest sizes)``, and, when every slot is filled,
    ``imbalance >= |W| M - L(W) - (sum of the C(W) largest sizes)``.  The least level is that of the
    relaxation.  The largest is the last at which the second bound is at most ``upper``; without a
    full worker it can lie far above the least level plus ``upper``.  An empty range proves that
    there is no such solution.
    """
    pool = sorted(problem.pool.tolist())
    small = [0, *accumulate(pool)]
    large = [0, *accumulate(reversed(pool))]
    workers = [
        (load, min(c, len(pool)))
        for load, c in zip(problem.loads.tolist(), problem.free.tolist(), strict=True)
    ]
    spare = sum(c for _, c in workers) - problem.admissions

    def room_per_slot(level: int) -> list[tuple[int, int]]:
        return sorted(workers, key=lambda w: (level - w[0]) / w[1] if w[1] else math.inf)

    def needed(level: int) -> int:
        most, load, slots = level, 0, 0
        for k, (x, c) in enumerate(room_per_slot(level), 1):
            load, slots = load + x, slots + c
            most = max(most, x, -((-load - small[max(0, slots - spare)]) // k))
        return most

    def missing(level: int) -> int:
        most, room, slots = 0, 0, 0
        for x, c in reversed(room_per_slot(level)):
            room, slots = room + level - x, slots + c
            most = max(most, room - large[slots])
        return most

    least = 0
    while (higher := needed(least)) > least:
        least = higher
    if problem.admissions < problem.free_slots:
        return least, (upper + sum(x for x, _ in workers) + sum(pool)) // problem.workers
    low, high = least - 1, max(x + large[c] for x, c in workers)
    while low < high:
        middle = (low + high + 1) // 2
        if missing(middle) <= upper:
            low = middle
        else:
            high = middle - 1
    return least, low


@dataclass(frozen=True, slots=True)
class _Model:
    program: pulp.LpProblem
    # (g, size, variable): how many requests of the size worker g takes.
    counts: list[tuple[int, int, Any]]
    # Objective of the program plus this is the imbalance.
    constant: int


def _formulate(problem: StepProblem, start: int) -> _Model:
    """The shifted, aggregated integer program; ``start`` is the imbalance of some assignment."""
    least, most = level_range(problem, start)
    values, copies = np.unique(problem.pool, return_counts=True)
    small = [0, *accumulate(sorted(problem.pool.tolist()))]
    filled = problem.admissions == problem.free_slots
    spare = problem.free_slots - problem.admissions
    loads: list[int] = problem.loads.tolist()
    free: list[int] = problem.free.tolist()
    sizes: list[int] = values.tolist()

    program = pulp.LpProblem("step", pulp.LpMinimize)
    level = program.add_variable("m", 0, most - least, pulp.LpInteger)
    counts: list[tuple[int, int, Any]] = []
    taken: dict[int, list[tuple[int, Any]]] = {}
    supply: list[list[Any]] = [[] for _ in sizes]
    for g, c in enumerate(free):
        if c == 0:
            continue
        taken[g] = []
        # What the other requests that g must take weigh at least.
        others = small[max(0, min(c, len(small) - 1) - spare - 1)]
        for j, (size, number) in enumerate(zip(sizes, copies.tolist(), strict=True)):
            if size + others > most - loads[g]:
                continue
            y = program.add_variable(f"y_{g}_{j}", 0, min(number, c), pulp.LpInteger)
            counts.append((g, size, y))
            taken[g].append((size, y))
            supply[j].append(y)

    # When the whole pool is admitted the total is fixed and only the level counts.
    chosen = [-size * y for _, size, y in counts] if filled else []
    program += problem.workers * level + pulp.lpSum(chosen)
    for g, terms in taken.items():
        program += pulp.lpSum(s * y for s, y in terms) - level <= least - loads[g]
        number = pulp.lpSum(y for _, y in terms)
        program += number == free[g] if filled else number <= free[g]
    admits_all = problem.admissions == problem.pool.size
    for ys, number in zip(supply, copies.tolist(), strict=True):
        if ys or admits_all:
            total = pulp.lpSum(ys)
            program += total == number if admits_all else total <= number
    # Workers alike in load and slots: the first of two takes at least as much as the second.
    alike: dict[tuple[int, int], list[int]] = {}
    for g in taken:
        alike.setdefault((loads[g], free[g]), []).append(g)
    for group in alike.values():
        for g, h in pairwise(group):
            program += pulp.lpSum(s * y for s, y in taken[g]) >= pulp.lpSum(
                s * y for s, y in taken[h]
            )
    constant = problem.workers * least - sum(loads)
    if not filled:
        constant -= sum(problem.pool.tolist())
    return _Model(program, counts, constant)


def _place() -> str:
    """A folder for temporary files without a space in its path: PuLP splits CBC's command there.

    Raises
    ------
    InputError
        If there is none.
    """
    for place in child.places():
        if not any(map(str.isspace, place)) and os.access(place, os.W_OK):
            return place
    raise InputError(
        f"cbc cannot run with its files under {child.places()[0]!r}: set TMPDIR to a folder whose "
        "path has no spaces"
    )


def left_until(until: float | None) -> float | None:
    """Seconds left until a time of ``time.monotonic``, which is one for all processes; above 0."""
    return None if until is None else max(0.01, until - time.monotonic())


def _run(program: pulp.LpProblem, solver: str, time_limit_s: float | None) -> bool:
    """Solve in place, silently; whether the solver calls its result optimal.

    Raises
    ------
    InputError
        If the solver could not be run.
    """
    gap = {"gapRel": 0, "gapAbs": 0, "threads": 1, "msg": False, "timeLimit": time_limit_s}
    with tempfile.TemporaryDirectory(prefix=child.scratch_of(os.getpid()), dir=_place()) as folder:
        engine = pulp.HiGHS(**gap) if solver == "highs" else pulp.COIN_CMD(path=_CBC, **gap)
        engine.tmpDir = folder
        try:
            program.solve(engine)
        except pulp.PulpSolverError as error:
            raise InputError(f"{solver} could not be run: {error}") from None
    return bool(
        program.status == pulp.LpStatusOptimal and program.sol_status == pulp.LpSolutionOptimal
    )


def _read(problem: StepProblem, model: _Model) -> Assignment | None:
    """The program's values as a valid assignment; None where they are none."""
    counts = []
    for g, size, y in model.counts:
        value = y.varValue
        if value is None or abs(value - round(value)) > _ROUNDING:
            return None
        counts.append((g, size, round(value)))
    try:
        assignment = assignment_of_counts(problem, counts)
        problem.validate(assignment)
    except InputError:
        return None
    return assignment


def in_units(problem: StepProblem) -> tuple[StepProblem, int]:
    """The problem in units that floating point resolves, and the unit, a power of two.

    Solvers take a variable for an integer, and a row for satisfied, that are off by 1e-6; from
    sizes or differences of loads of :data:`_RESOLVED` on that is too much of a unit of load.
    Rounded to units, a worker's load after admission is off by less than ``(c_g + 1) unit``, and an
    optimum of the rounded problem by less than ``4 G (max c_g + 1) unit`` of imbalance.
    """
    widest = max(int(np.ptp(problem.loads)), int(problem.pool.max(initial=0)))
    unit = 1 << max(0, widest.bit_length() - _RESOLVED.bit_length() + 1)
    if unit == 1:
        return problem, 1
    sizes = np.maximum(1, (problem.pool + unit // 2) // unit)
    return StepProblem((problem.loads - problem.loads.min()) // unit, problem.free, sizes), unit


def solve_program(
    problem: StepProblem, solver: str, until: float | None
) -> tuple[Assignment | None, int | None]:
    """An assignment found by the integer program, and the imbalance that is claimed to be least.

    ``until`` is as in :func:`left_until`.
    """
    model = _formulate(problem, problem.objective(largest_first(problem)))
    claimed = _run(model.program, solver, left_until(until))
    found = _read(problem, model)
    objective = pulp.value(model.program.objective)
    return found, round(objective) + model.constant if claimed and found is not None else None


def weighed(
    problem: StepProblem,
    program: Callable[..., tuple[Assignment | None, int | None]],
    *options: Any,
    time_limit_s: float | None,
) -> StepSolution:
    """The answer of a solver in floating point, run in a child process and recomputed in integers.

    Parameters
    ----------
    program : callable
        Such as :func:`solve_program`; called with a problem, the options and the time to end.
    """
    from solvers.step.bounds.relaxation import lower_bound

    until = None if time_limit_s is None else time.monotonic() + time_limit_s
    best = largest_first(problem)
    value, bound, claim = problem.objective(best), lower_bound(problem), None
    if problem.admissions == 0:
        return StepSolution(best, value, value)
    rounded, unit = in_units(problem)
    answer = child.call(program, rounded, *options, until, until=until)
    if answer is not None:
        found, claim = answer
        if found is not None and problem.objective(found) <= value:
            best, value = found, problem.objective(found)
    return StepSolution(best, value, min(value, bound), claim if unit == 1 else None)


def solve_exact(
    problem: StepProblem, solver: str = "highs", time_limit_s: float | None = None
) -> StepSolution:
    """Best assignment of one step by mixed-integer programming with zero gap.

    Parameters
    ----------
    problem : StepProblem
        Any pool, richer or poorer than the free slots.
    solver : {"highs", "cbc"}
        HiGHS through highspy, or the CBC that PuLP ships.
    time_limit_s : float, optional
        Wall-clock limit, kept within a second; what was found by then is returned.

    Returns
    -------
    StepSolution
        ``lower_bound`` is that of :func:`solvers.step.bounds.relaxation.lower_bound`, in integers.
        What the solver reports in floating point is ``claim``, no more than that:
        :func:`solvers.step.confirm.confirm` sets proofs beside it.  Where sizes or differences of
        loads reach 2^20 the program is solved in larger units (:func:`in_units`) and nothing is
        claimed.

    Raises
    ------
    InputError
        If the solver's name is unknown, or it could not be run.

    Examples
    --------
    >>> step = StepProblem(loads=[0, 0], free=[1, 3], pool=[1, 3, 3, 3])
    >>> solve_exact(step).claim  # three go to worker 1, at least 7 of 10: 2 * 7 - 10
    4
    """
    if solver not in SOLVERS:
        raise InputError(f"unknown solver {solver!r}: use one of {', '.join(SOLVERS)}")
    return weighed(problem, solve_program, solver, time_limit_s=time_limit_s)


def solver_versions() -> dict[str, str]:
    """Versions of the solvers at work: HiGHS, CBC, the modelling layers, and scipy's own HiGHS."""
    from importlib.metadata import version

    banner = subprocess.run([_CBC, "-quit"], capture_output=True, text=True, check=False).stdout
    cbc = next(
        (line.split()[-1] for line in banner.splitlines() if line.startswith("Version:")),
        "unknown",
    )
    return {
        "highs": highspy.Highs().version(),
        "cbc": cbc,
        "pulp": version("pulp"),
        "cvxpy": version("cvxpy"),
        "scipy": version("scipy"),
    }
