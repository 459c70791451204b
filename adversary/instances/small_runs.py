"""Small instances, exactly and fast: the step by trying all assignments, and whole runs with it.

BF-IO is here what its definition says, every step the lexicographic optimum [step.lexicographic].
Compiled, because enumerations and searches come here millions of times, and independent of the
solvers and the engine, so that they can be held against each other.
"""

import numpy as np

from adversary.instances.space import Instance
from solvers.compiled import compiled
from solvers.policies.registry import StepView
from solvers.simulation.result import Totals
from solvers.step.problem import Assignment, StepProblem
from theory.model import INT_LIMIT, InputError, IntArray

# Steps that could have more assignments than this are refused.
MOST_ASSIGNMENTS = 10**8

SMALL_POLICIES = "fcfs", "bfio_exact"
_FCFS, _BFIO_EXACT = 0, 1


def exact_step(problem: StepProblem) -> Assignment:
    """The lexicographic optimum of a step, int64[n], by trying all assignments.

    Raises
    ------
    InputError
        If there could be more than :data:`MOST_ASSIGNMENTS`, or the squares of loads overflow.
    """
    _check_assignments(int(np.count_nonzero(problem.free)), problem.pool.size)
    check_loads(problem.workers, sum(problem.loads.tolist()) + sum(problem.pool.tolist()))
    assignment = np.empty(problem.pool.size, dtype=np.int64)
    optimal_step(problem.loads, problem.free, problem.pool, assignment)
    return assignment


class ExactBFIO:
    """BF-IO with exact steps as a policy object, for the engine and the reference."""

    name = "bfio_exact"

    def admit(self, view: StepView) -> Assignment:
        """See :class:`solvers.policies.protocol.Policy`."""
        return exact_step(view.problem)


def simulate_small(instance: Instance, policy: str) -> Totals:
    """Totals of a whole run in backlog mode.

    Parameters
    ----------
    instance : Instance
        Without arrival times.
    policy : str
        ``"fcfs"`` or ``"bfio_exact"``.

    Raises
    ------
    InputError
        If the policy is neither, the requests have arrival times, a step could have more than
        :data:`MOST_ASSIGNMENTS` assignments, or the squares of loads overflow.
    """
    system, requests = instance.system, instance.requests
    if requests.arrival is not None:
        raise InputError("small runs are run as a backlog: leave the arrival times out")
    which = code(policy)
    if which == _BFIO_EXACT:
        _check_assignments(system.workers, min(instance.pool, len(requests)))
    lengths = sum(requests.decode.tolist())
    check_loads(
        system.workers, sum(requests.prefill.tolist()) + max(system.drift) * lengths, lengths
    )
    shape = system.workers, system.slots, instance.pool
    steps, sum_max, work = run(
        which, requests.prefill, requests.decode, shape, np.array(system.drift)
    )
    return Totals(system.workers, steps, sum_max, work)


def code(policy: str) -> int:
    """The number by which :func:`run` knows a policy.

    Raises
    ------
    InputError
        If it knows none of that name.
    """
    if policy not in SMALL_POLICIES:
        raise InputError(
            f"no exact small runs of {policy!r}; policies: {', '.join(SMALL_POLICIES)}"
        )
    return SMALL_POLICIES.index(policy)


def check_loads(workers: int, load: int, steps: int = 1) -> None:
    """Refuse what compiled code could not hold in 64 bits: squares of loads, and their sums.

    Raises
    ------
    InputError
        If a worker may hold so much, or so much in so many steps.
    """
    if workers * load * max(load, steps) >= INT_LIMIT:
        raise InputError(f"loads up to {load:,} are too large for exact small runs")


def _check_assignments(workers: int, waiting: int) -> None:
    if (workers + 1) ** waiting > MOST_ASSIGNMENTS:
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
    U = min(n, free.sum())
    left, after = free.copy(), loads.copy()
    total = loads.sum()
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
            top, squares = after.max(), (after * after).sum()
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
        if found and G * after.max() - total - (U - admitted) * largest[i] > best_imbalance:
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


@compiled
def run(
    which: int, prefill: IntArray, decode: IntArray, shape: tuple[int, int, int], drift: IntArray
) -> tuple[int, int, int]:
    """Simulate to the end; returns the steps, the sum of maxima and the work."""
    G, B, R = shape
    N = prefill.size
    load, remaining = prefill.copy(), decode.copy()
    worker = np.full(N, -1, dtype=np.int64)
    waiting = np.empty(N, dtype=np.int64)
    assignment = np.empty(N, dtype=np.int64)
    step, sum_max, work, unfinished = 0, 0, 0, N
    while unfinished > 0:
        loads, free = np.zeros(G, dtype=np.int64), np.full(G, B, dtype=np.int64)
        n = 0
        for i in range(N):
            if worker[i] == -1:
                if n < R:
                    waiting[n] = i
                    n += 1
            elif remaining[i] > 0:
                loads[worker[i]] += load[i]
                free[worker[i]] -= 1
        if which == _FCFS:
            g = 0
            for j in range(n):
                while g < G and free[g] == 0:
                    g += 1
                assignment[j] = g if g < G else -1
                if g < G:
                    free[g] -= 1
        else:
            optimal_step(loads, free, load[waiting[:n]], assignment[:n])
        for j in range(n):
            if assignment[j] >= 0:
                worker[waiting[j]] = assignment[j]
                loads[assignment[j]] += load[waiting[j]]
        sum_max += loads.max()
        work += loads.sum()
        for i in range(N):
            if worker[i] >= 0 and remaining[i] > 0:
                load[i] += drift[step % drift.size]
                remaining[i] -= 1
                unfinished -= remaining[i] == 0
        step += 1
    return step, sum_max, work
