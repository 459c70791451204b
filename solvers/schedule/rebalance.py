"""Where each step may put its requests anywhere, every step is a problem of its own.

Which requests run at a step is given.  Its level is then the largest load of an admission into an
empty system, which the solvers of steps make least or bound from below (:mod:`solvers.step`).
"""

from collections.abc import Iterator

import numpy as np

from solvers.step.branch_and_price.solve import solve_branch_and_price
from solvers.step.fast.solve import solve_step
from solvers.step.problem import StepProblem, StepSolution
from theory.model import IntArray

# Steps that the fast solver decides between two returns.
_PORTION = 64

# Seconds for each step that is still open, from pass to pass.
_SECONDS = (0.05, 0.5, 5.0)


def rebalanced(
    loads: IntArray, place: IntArray, shape: tuple[int, int], exactly: bool
) -> Iterator[tuple[int, int]]:
    """Deal out the requests of each step anew, in portions.

    Parameters
    ----------
    loads : int64[K, N]
        Load of each request at each step, 0 where it does not run.
    place : int64[K, N]
        Worker of each request, -1 where it does not run; improved.
    shape : (G, B)
        Workers and slots of each.
    exactly : bool
        Whether steps that the fast solver leaves open are searched further.

    Yields
    ------
    reached, least : int
        Sum of the levels, and a lower bound of it for these sets of requests.
    """
    step, request = np.nonzero(loads)
    of_worker = np.zeros((len(loads), shape[0]), np.int64)
    np.add.at(of_worker, (step, place[step, request]), loads[step, request])
    levels = of_worker.max(axis=1)
    least = np.zeros(len(loads), np.int64)
    for k in range(len(loads)):
        if k > 0 and ((loads[k] > 0) == (loads[k - 1] > 0)).all():
            level = _level(loads[k], place[k - 1], shape[0])
            if level < levels[k]:
                levels[k], place[k] = level, place[k - 1]
        problem = _step(loads[k], shape)
        _take(problem, solve_step(problem), loads, place, levels, least, k)
        if k % _PORTION == 0:
            yield int(levels.sum()), int(least.sum())
    for seconds in _SECONDS if exactly else ():
        for k in np.flatnonzero(levels > least).tolist():
            problem = _step(loads[k], shape)
            found = solve_branch_and_price(problem, seconds)
            _take(problem, found, loads, place, levels, least, k)
            yield int(levels.sum()), int(least.sum())
    yield int(levels.sum()), int(least.sum())


def _level(loads: IntArray, place: IntArray, workers: int) -> int:
    of_worker = np.zeros(workers, np.int64)
    runs = loads > 0
    np.add.at(of_worker, place[runs], loads[runs])
    return int(of_worker.max())


def _step(loads: IntArray, shape: tuple[int, int]) -> StepProblem:
    workers, slots = shape
    return StepProblem([0] * workers, [slots] * workers, loads[loads > 0])


def _take(
    problem: StepProblem,
    found: StepSolution,
    loads: IntArray,
    place: IntArray,
    levels: IntArray,
    least: IntArray,
    k: int,
) -> None:
    """Keep what a solution says of step ``k``: imbalance is ``G M`` less all loads."""
    work = int(problem.pool.sum())
    least[k] = max(least[k], -(-(found.lower_bound + work) // problem.workers))
    level = (found.imbalance + work) // problem.workers
    if level < levels[k]:
        levels[k] = level
        place[k, loads[k] > 0] = found.assignment
