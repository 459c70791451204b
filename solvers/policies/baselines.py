"""The policies that admit the oldest requests and choose only where these go.

The definitions here are the readable ones, in plain Python and numpy.  The engine runs them
compiled (:mod:`solvers.simulation.loop_oldest_first`), and tests hold the two equal decision by
decision.

When the pool is full and sizes are iid, every rule that looks at neither sizes nor loads is equal
in law to fcfs: differences between such rules are noise or a start-up artefact.
"""

import heapq
from collections.abc import Sequence

import numpy as np

from solvers.policies.protocol import StepView
from solvers.step.problem import WAITS, Assignment
from theory.model import IntArray


class FCFS:
    """Oldest requests first; free slots in worker order, worker 0 filled first."""

    name = "fcfs"

    def admit(self, view: StepView) -> Assignment:
        """See :class:`Policy`."""
        last_slot = np.cumsum(view.free)
        return _oldest(view, np.searchsorted(last_slot, np.arange(view.admissions), side="right"))


class RoundRobin:
    """Oldest first, to the workers in turn; the turn is kept between steps, full ones are skipped.

    Parameters
    ----------
    turn : int
        The worker whose turn is first.
    """

    name = "round_robin"

    def __init__(self, turn: int = 0) -> None:
        self.turn = turn

    def admit(self, view: StepView) -> Assignment:
        """See :class:`Policy`."""
        free: list[int] = view.free.tolist()
        workers: list[int] = []
        admissions = view.admissions
        self.turn %= len(free)
        while len(workers) < admissions:
            if free[self.turn]:
                free[self.turn] -= 1
                workers.append(self.turn)
            self.turn = (self.turn + 1) % len(free)
        return _oldest(view, workers)


class JSQ:
    """Join the shortest queue: oldest first, each to the worker with the fewest running requests.

    Ties go to the lowest index.
    """

    name = "jsq"

    def admit(self, view: StepView) -> Assignment:
        """See :class:`Policy`."""
        running = view.slots - view.free
        return _oldest(view, _to_lightest(running, view.free, [1] * view.admissions))


class VllmDP:
    """The score of vLLM's data-parallel front end: ``4 * waiting + running``.

    Oldest first, each to the worker of the smallest score, lowest index on ties.  With one central
    pool, a worker's waiting requests are those sent to it at this step.
    """

    name = "vllm_dp"

    def admit(self, view: StepView) -> Assignment:
        """See :class:`Policy`."""
        running = view.slots - view.free
        return _oldest(view, _to_lightest(running, view.free, [4] * view.admissions))


class LeastLoaded:
    """Oldest first, each to the worker of the smallest current load in tokens, lowest on ties."""

    name = "least_loaded"

    def admit(self, view: StepView) -> Assignment:
        """See :class:`Policy`."""
        sizes: list[int] = view.pool[: view.admissions].tolist()
        return _oldest(view, _to_lightest(view.loads, view.free, sizes))


class LPT:
    """Longest processing time: the oldest requests, the largest of them first, to the least loaded.

    The set admitted is that of fcfs, so nothing starves.  Equal sizes go in arrival order.
    """

    name = "lpt"

    def admit(self, view: StepView) -> Assignment:
        """See :class:`Policy`."""
        sizes = view.pool[: view.admissions]
        order = np.argsort(-sizes, kind="stable")
        workers = np.empty(sizes.size, dtype=np.int64)
        workers[order] = _to_lightest(view.loads, view.free, sizes[order].tolist())
        return _oldest(view, workers)


class PowerOfTwo:
    """Oldest first, each to the less loaded of two sampled workers that have a free slot.

    The two are distinct where two are left; the first sampled wins ties.  The sample is a hash of
    (seed, step, position), so a run is reproducible whatever executes it.

    Parameters
    ----------
    seed : int
        Seed of the samples; taken modulo ``2^64``.
    """

    name = "power_of_two"

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def admit(self, view: StepView) -> Assignment:
        """See :class:`Policy`."""
        loads: list[int] = view.loads.tolist()
        free: list[int] = view.free.tolist()
        open_workers = [g for g, slots in enumerate(free) if slots]
        workers: list[int] = []
        for position, size in enumerate(view.pool[: view.admissions].tolist()):
            i, j = _two_of(len(open_workers), self.seed, view.step, position)
            at = j if loads[open_workers[j]] < loads[open_workers[i]] else i
            g = open_workers[at]
            workers.append(g)
            loads[g] += size
            free[g] -= 1
            if not free[g]:  # the last open worker takes its place in the list
                open_workers[at] = open_workers[-1]
                open_workers.pop()
        return _oldest(view, workers)


def _oldest(view: StepView, workers: Sequence[int] | IntArray) -> Assignment:
    """The assignment that sends the oldest requests to these workers and lets the rest wait."""
    assignment = np.full(view.pool.size, WAITS, dtype=np.int64)
    assignment[: view.admissions] = workers
    return assignment


def _to_lightest(weights: IntArray, free: IntArray, increments: list[int]) -> list[int]:
    """Give each increment in turn to the lightest worker with a free slot, lowest index on ties."""
    left: list[int] = free.tolist()
    heap: list[tuple[int, int]] = [(w, g) for g, w in enumerate(weights.tolist()) if left[g]]
    heapq.heapify(heap)
    workers = []
    for increment in increments:
        weight, g = heap[0]
        workers.append(g)
        left[g] -= 1
        if left[g]:
            heapq.heapreplace(heap, (weight + increment, g))
        else:
            heapq.heappop(heap)
    return workers


def _two_of(n: int, seed: int, step: int, position: int) -> tuple[int, int]:
    """Two indices below ``n``, distinct if ``n > 1``, hashed from (seed, step, position)."""
    bits = splitmix64(splitmix64(splitmix64(seed) ^ step) ^ position)
    first = (bits >> 32) * n >> 32
    if n == 1:
        return 0, 0
    second = (bits & 0xFFFFFFFF) * (n - 1) >> 32
    return first, second + (second >= first)


def splitmix64(x: int) -> int:
    """One step of the splitmix64 generator: a bijection of 64-bit words that scrambles them.

    Source: G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators",
    OOPSLA 2014, with the constants of its reference implementation.
    """
    mask = 2**64 - 1
    x = (x + 0x9E3779B97F4A7C15) & mask
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & mask
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & mask
    return x ^ (x >> 31)
