"""Small runs of exact BF-IO, every step the lexicographic optimum [step.lexicographic].

Whole runs are compiled, because enumerations and searches come here millions of times, and
independent of the fast solver and the engine, so that they can be held against each other.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from adversary.instances.space import Instance
from solvers.arrays import max_of, sum_of
from solvers.compiled import compiled
from solvers.policies.exact_bfio import ExactBFIO
from solvers.policies.predictors import GivenLengths
from solvers.simulation.reference import simulate_reference
from solvers.simulation.result import Totals
from solvers.step.exact.brute_force import check_assignments, check_loads, optimal_step
from theory.model import InputError, IntArray, Requests, System

SMALL_POLICIES = "fcfs", "bfio_exact"
_FCFS, _BFIO_EXACT = 0, 1


def backlog_imbalance(
    sizes: Sequence[int],
    lengths: Sequence[int],
    workers: int,
    slots: int,
    horizon: int,
    predicted: Sequence[int] | None = None,
) -> Fraction:
    """``AvgImb`` of exact BF-IO(H) over a whole backlog that is visible from the start.

    Parameters
    ----------
    sizes, lengths : sequence of int
        The requests in arrival order, growing by 1 a step.
    workers, slots : int
        ``G`` and ``B``.
    horizon : int
        ``H``, the steps after the present one that are looked at.
    predicted : sequence of int, optional
        Predicted lengths; the true ones by default.
    """
    requests = Requests(sizes, lengths)
    chosen = ExactBFIO(horizon, None if predicted is None else GivenLengths(predicted))
    run = simulate_reference(System(workers, slots), requests, chosen, pool=len(requests))
    return run.total.avg_imbalance


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
        If the policy is neither, the requests have arrival times, a step could have too many
        assignments, or the squares of loads overflow.

    Examples
    --------
    >>> backlog = Instance(System(2, 1), Requests([1, 1, 3], [1, 2, 2]), pool=2)
    >>> simulate_small(backlog, "fcfs").avg_imbalance  # loads (1, 1), (3, 2), (4, 0)
    Fraction(5, 3)
    """
    system, requests = instance.system, instance.requests
    if requests.arrival is not None:
        raise InputError("small runs are run as a backlog: leave the arrival times out")
    which = policy_code(policy)
    if which == _BFIO_EXACT:
        check_assignments(system.workers, min(instance.pool, len(requests)))
    lengths = sum(requests.decode.tolist())
    check_loads(
        system.workers, sum(requests.prefill.tolist()) + max(system.drift) * lengths, lengths
    )
    n = len(requests)  # more slots on a worker, or places in the pool, are of no use
    shape = system.workers, min(system.slots, n), min(instance.pool, n)
    # Copies that may be written, as the arrays of enumerations are: the same machine code does.
    prefill, decode = requests.prefill.copy(), requests.decode.copy()
    steps, sum_max, work = run_backlog(which, prefill, decode, shape, np.array(system.drift))
    return Totals(system.workers, steps, sum_max, work)


def policy_code(policy: str) -> int:
    """The number by which :func:`run_backlog` knows a policy.

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


@compiled
def run_backlog(
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
        sum_max += max_of(loads)
        work += sum_of(loads)
        for i in range(N):
            if worker[i] >= 0 and remaining[i] > 0:
                load[i] += drift[step % drift.size]
                remaining[i] -= 1
                unfinished -= remaining[i] == 0
        step += 1
    return step, sum_max, work
