"""The step problem by exhaustive search: the oracle of every other solver.

Every choice of admitted requests and of their workers is looked at, twice independently:
:func:`assignments` and :func:`enumerate_step` in plain ints, so that nothing can be wrong by being
clever; :func:`exact_step` compiled, for enumerations and searches that solve millions of steps.
"""

from collections.abc import Iterator

import numpy as np

from solvers.compiled import compiled
from solvers.step.problem import WAITS, Assignment, StepProblem, StepSolution
from theory.budget import power
from theory.model import INT_LIMIT, InputError, IntArray, imbalance

# Most assignments that are looked at in plain ints, about a second, and by the compiled search.
ENUMERATION_LIMIT = 200_000
MOST_ASSIGNMENTS = 10**8


def assignments(
    problem: StepProblem, limit: int | None = ENUMERATION_LIMIT
) -> Iterator[tuple[int, ...]]:
    """Every valid assignment, in the order of [step.lexicographic] (waiting comes last).

    Raises
    ------
    InputError
        If ``(G + 1) ** n`` exceeds the limit, where there is one.

    Examples
    --------
    >>> list(assignments(StepProblem(loads=[0, 0], free=[1, 1], pool=[3, 5])))
    [(0, 1), (1, 0)]
    """
    G = problem.workers
    n = int(problem.pool.size)
    if limit is not None and power(G + 1, n) > limit:
        raise InputError(
            f"enumeration looks at up to (G + 1)^n = {G + 1}^{n} assignments, "
            f"more than {limit}: use fewer workers or a smaller pool"
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


def enumerate_step(problem: StepProblem) -> StepSolution:
    """The optimum of [step.lexicographic], as the least key of :func:`assignments`, in plain ints.

    Raises
    ------
    InputError
        If the instance is too large to enumerate.
    """
    loads: list[int] = problem.loads.tolist()
    sizes: list[int] = problem.pool.tolist()

    def key(chosen: tuple[int, ...]) -> tuple[int, int, int]:
        after = loads.copy()
        for size, g in zip(sizes, chosen, strict=True):
            if g != WAITS:
                after[g] += size
        return imbalance(after), max(after), sum(x * x for x in after)

    # Of equal keys the first is taken, and the assignments come in their order.
    best = np.array(min(assignments(problem), key=key), dtype=np.int64)
    value = problem.objective(best)
    return StepSolution(best, value, value)


def exact_step(problem: StepProblem) -> Assignment:
    """The lexicographic optimum of a step, int64[n], by trying all assignments.

    Raises
    ------
    InputError
        If there could be more than :data:`MOST_ASSIGNMENTS`, or the squares of loads overflow.

    Examples
    --------
    >>> exact_step(StepProblem(loads=[0, 0], free=[1, 1], pool=[3, 5])).tolist()
    [0, 1]
    """
    check_exact(problem)
    return search_step(problem)


def search_step(problem: StepProblem) -> Assignment:
    """The same of a step that is known to be small enough, since many of its requests are equal."""
    assignment = np.empty(problem.pool.size, dtype=np.int64)
    # Copies can be written, as arrays of compiled code can: one compiled version for both.
    optimal_step(problem.loads.copy(), problem.free.copy(), problem.pool.copy(), assignment)
    return assignment


def check_exact(problem: StepProblem) -> None:
    """Refuse a step that :func:`exact_step` cannot solve.

    Raises
    ------
    InputError
        As there.
    """
    check_assignments(int(np.count_nonzero(problem.free)), problem.pool.size)
    check_loads(problem.workers, sum(problem.loads.tolist()) + sum(problem.pool.tolist()))


def check_loads(workers: int, load: int, steps: int = 1) -> None:
    """Refuse what compiled code could not hold in 64 bits: squares of loads, and their sums.

    Raises
    ------
    InputError
        If a worker may hold so much, or so much in so many steps.
    """
    if workers * load * max(load, steps) >= INT_LIMIT:
        raise InputError(f"loads up to {load:,} are too large for exact small runs")


def check_assignments(workers: int, waiting: int) -> None:
    """Refuse a step that could have more than :data:`MOST_ASSIGNMENTS` assignments.

    Raises
    ------
    InputError
        If so many requests on so many workers could.
    """
    if power(workers + 1, waiting) > MOST_ASSIGNMENTS:
        raise InputError(
            f"{waiting} requests on {workers} workers have more than {MOST_ASSIGNMENTS:,} "
            "assignments: use solvers.step.exact.milp"
        )


@compiled
def optimal_step(loads: IntArray, free: IntArray, pool: IntArray, best: IntArray) -> None:
    """Write the lexicographic optimum of (imbalance, M, sum of squares, order) to ``best``.

    Depth-first in the order of assignments, where waiting counts as worker G; only a strict
    improvement replaces the best, so the first of equals is kept.  Two rules skip assignments
    that cannot be first: of two workers in the same state the lower index is used, and requests
    of equal size go to workers in order.
    """
    G, n = loads.size, pool.size
    left, after = free.copy(), loads.copy()
    total, slots = 0, 0
    for g in range(G):
        total += int(loads[g])
        slots += min(int(free[g]), n)  # all of them may not fit an int64
    U = min(n, slots)
    twin = np.full(n, -1, dtype=np.int64)  # the request before, of the same size
    largest = np.zeros(n + 1, dtype=np.int64)  # of the requests from here on
    for i in range(n - 1, -1, -1):
        largest[i] = max(largest[i + 1], pool[i])
        for j in range(i):
            if pool[j] == pool[i]:
                twin[i] = j
    choice = np.full(n + 1, -1, dtype=np.int64)
    found = False
    best_imbalance, best_max, best_squares = 0, 0, 0
    admitted, i = 0, 0
    while i >= 0:
        if i == n:
            top, squares = int(after[0]), 0
            for load in after:
                top = max(top, int(load))
                squares += int(load * load)
            imbalance = G * top - total
            better = (
                not found
                or imbalance < best_imbalance
                or (imbalance == best_imbalance and top < best_max)
                or (imbalance == best_imbalance and top == best_max and squares < best_squares)
            )
            if better:
                found = True
                best_imbalance, best_max, best_squares = imbalance, top, squares
                for j in range(n):
                    best[j] = choice[j] if choice[j] < G else -1
            i -= 1
            continue
        c = choice[i]
        if 0 <= c < G:
            after[c] -= pool[i]
            total -= pool[i]
            left[c] += 1
            admitted -= 1
        c += 1
        if twin[i] >= 0:
            c = max(c, choice[twin[i]])
        if found:
            top = int(after[0])
            for load in after:
                top = max(top, int(load))
            if G * top - total - (U - admitted) * largest[i] > best_imbalance:
                c = G + 1  # nothing below can reach the best
        while c <= G:
            if c == G:
                if admitted + n - i - 1 >= U:
                    break
            elif left[c] > 0 and admitted < U:
                fresh = True
                for g in range(c):
                    if left[g] == left[c] and after[g] == after[c]:
                        fresh = False
                if fresh:
                    break
            c += 1
        if c > G:
            choice[i] = -1
            i -= 1
            continue
        choice[i] = c
        if c < G:
            after[c] += pool[i]
            total += pool[i]
            left[c] -= 1
            admitted += 1
        i += 1
        choice[i] = -1
