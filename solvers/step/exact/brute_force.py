"""The step problem by exhaustive search, in plain ints: the oracle of every other solver.

Every choice of admitted requests and of their workers is looked at, so nothing here can be wrong
by being clever; only instances of a few requests and workers can be afforded.
"""

from collections.abc import Iterator

import numpy as np

from solvers.step.problem import WAITS, Assignment, StepProblem, StepSolution
from theory.model import InputError, imbalance

# Most assignments that are looked at: about a second.
ENUMERATION_LIMIT = 200_000


def assignments(problem: StepProblem) -> Iterator[tuple[int, ...]]:
    """Every valid assignment, in the order of [step.lexicographic] (waiting comes last).

    Raises
    ------
    InputError
        If ``(G + 1) ** n`` exceeds :data:`ENUMERATION_LIMIT`.
    """
    G = problem.workers
    n = int(problem.pool.size)
    if (G + 1) ** n > ENUMERATION_LIMIT:
        raise InputError(
            f"enumeration looks at up to (G + 1)^n = {G + 1}^{n} assignments, "
            f"more than {ENUMERATION_LIMIT}: use fewer workers or a smaller pool"
        )
    room: list[int] = problem.free.tolist()

    def extend(chosen: tuple[int, ...], to_admit: int) -> Iterator[tuple[int, ...]]:
        left = n - len(chosen)
        if left == 0:
            yield chosen
            return
        if to_admit > 0:
            for g in range(G):
                if room[g] > 0:
                    room[g] -= 1
                    yield from extend((*chosen, g), to_admit - 1)
                    room[g] += 1
        if left > to_admit:
            yield from extend((*chosen, WAITS), to_admit)

    return extend((), problem.admissions)


def _objective(problem: StepProblem, chosen: tuple[int, ...]) -> int:
    after: list[int] = problem.loads.tolist()
    for size, g in zip(problem.pool.tolist(), chosen, strict=True):
        if g != WAITS:
            after[g] += size
    return imbalance(after)


def all_optima(problem: StepProblem) -> tuple[Assignment, ...]:
    """Every assignment of smallest imbalance, in lexicographic order of the assignment.

    Raises
    ------
    InputError
        If the instance is too large to enumerate.
    """
    best: int | None = None
    optima: list[tuple[int, ...]] = []
    for chosen in assignments(problem):
        value = _objective(problem, chosen)
        if best is None or value < best:
            best, optima = value, []
        if value == best:
            optima.append(chosen)
    return tuple(np.array(chosen, dtype=np.int64) for chosen in optima)


def enumerate_step(problem: StepProblem) -> StepSolution:
    """The optimum of [step.lexicographic]: least imbalance, then level, then sum of squares.

    Raises
    ------
    InputError
        If the instance is too large to enumerate.
    """
    best = min(all_optima(problem), key=problem.lexicographic_key)
    value = problem.objective(best)
    return StepSolution(best, value, value)
