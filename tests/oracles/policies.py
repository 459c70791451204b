"""Built-in policies in plain Python and numpy: a second way to their compiled rules."""

import heapq
from collections.abc import Sequence

import numpy as np

from solvers.policies.protocol import StepView
from solvers.step.problem import WAITS, Assignment
from theory.model import IntArray


class FCFS:
    name = "fcfs"

    def admit(self, view: StepView) -> Assignment:
        last_slot = np.cumsum(view.free)
        return _oldest(view, np.searchsorted(last_slot, np.arange(view.admissions), side="right"))


class RoundRobin:
    def __init__(self, turn: int = 0) -> None:
        self.turn = turn

    def admit(self, view: StepView) -> Assignment:
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
    def admit(self, view: StepView) -> Assignment:
        running = view.slots - view.free
        return _oldest(view, _to_lightest(running, view.free, [1] * view.admissions))


class VllmDP:
    def admit(self, view: StepView) -> Assignment:
        running = view.slots - view.free
        return _oldest(view, _to_lightest(running, view.free, [4] * view.admissions))


class LeastLoaded:
    def admit(self, view: StepView) -> Assignment:
        sizes: list[int] = view.pool[: view.admissions].tolist()
        return _oldest(view, _to_lightest(view.loads, view.free, sizes))


class LPT:
    def admit(self, view: StepView) -> Assignment:
        sizes = view.pool[: view.admissions]
        order = np.argsort(-sizes, kind="stable")
        workers = np.empty(sizes.size, dtype=np.int64)
        workers[order] = _to_lightest(view.loads, view.free, sizes[order].tolist())
        return _oldest(view, workers)


class PowerOfTwo:
    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def admit(self, view: StepView) -> Assignment:
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


class AlwaysBusiest:
    def admit(self, view: StepView) -> Assignment:
        largest_first = np.argsort(-view.pool, kind="stable")[: view.admissions]
        # The busiest worker stays the busiest while it is being filled.
        busiest_first = np.argsort(-view.loads, kind="stable")
        last_slot = np.cumsum(view.free[busiest_first])
        position = np.searchsorted(last_slot, np.arange(view.admissions), side="right")
        assignment = np.full(view.pool.size, WAITS, dtype=np.int64)
        assignment[largest_first] = busiest_first[position]
        return assignment


PLAIN = {
    "fcfs": FCFS,
    "round_robin": RoundRobin,
    "jsq": JSQ,
    "vllm_dp": VllmDP,
    "sglang_shortest_queue": JSQ,
    "sglang_minimum_tokens": LeastLoaded,
    "least_loaded": LeastLoaded,
    "lpt": LPT,
    "power_of_two": PowerOfTwo,
    "always_busiest": AlwaysBusiest,
}


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
    mask = 2**64 - 1
    x = (x + 0x9E3779B97F4A7C15) & mask
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & mask
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & mask
    return x ^ (x >> 31)
