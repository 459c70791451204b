"""The loops of the policies that choose requests by size, and the sorted pool that they need.

Arrivals are merged in and admitted requests taken out; the pool itself is never sorted again.
"""

from typing import NamedTuple

import numpy as np

from solvers.compiled import compiled
from solvers.lookahead.problem import balance_window
from solvers.policies.bfio import largest_to_busiest
from solvers.simulation.forecast import Forecast, predict_loads
from solvers.simulation.state import (
    RunState,
    admissions,
    depart,
    finished,
    grow,
    measure_loads,
    observe,
    place,
    reveal,
)
from solvers.step.fast.solve import balance
from solvers.step.problem import WAITS
from solvers.step.sorted_sizes import sort_by_size
from theory.model import IntArray


class SortedPool(NamedTuple):
    """Waiting requests by (size, arrival); arrays of the largest length the pool can have.

    Parameters
    ----------
    size, request : int64[n]
        Size and number of each.
    target : int64[n]
        The present decision: a worker or ``WAITS``.
    other_size, other_request : int64[n]
        Working space.
    """

    size: IntArray
    request: IntArray
    target: IntArray
    other_size: IntArray
    other_request: IntArray

    @classmethod
    def of_length(cls, n: int) -> "SortedPool":
        """An empty pool for up to ``n`` requests."""
        return cls(*(np.empty(n, dtype=np.int64) for _ in cls._fields))


@compiled
def reveal_by_size(run: RunState, pool: SortedPool) -> None:
    """Reveal requests and merge them into the pool, behind those of equal size."""
    before, first = run.state[0].waiting, run.state[0].revealed
    reveal(run)
    new = run.state[0].revealed - first
    size, request = pool.size[before : before + new], pool.request[before : before + new]
    new_size, new_request = pool.other_size[:new], pool.other_request[:new]
    for j in range(new):
        new_size[j], new_request[j] = run.prefill[first + j], first + j
    if sort_by_size(new_size, new_request, size, request):
        for j in range(new):
            new_size[j], new_request[j] = size[j], request[j]
    old = before - 1
    new -= 1
    while new >= 0:
        at = old + new + 1
        if old >= 0 and pool.size[old] > new_size[new]:
            pool.size[at], pool.request[at] = pool.size[old], pool.request[old]
            old -= 1
        else:
            pool.size[at], pool.request[at] = new_size[new], new_request[new]
            new -= 1


@compiled
def carry_out(run: RunState, pool: SortedPool) -> None:
    """Place the requests that have a target and close the gaps they leave."""
    kept = 0
    for j in range(run.state[0].waiting):
        if pool.target[j] == WAITS:
            pool.size[kept], pool.request[kept] = pool.size[j], pool.request[j]
            kept += 1
        else:
            place(run, pool.request[j], pool.target[j])


@compiled
def run_always_busiest(run: RunState, pool: SortedPool, steps: int) -> None:
    """Run up to so many steps of :class:`solvers.policies.bfio.AlwaysBusiest`."""
    state = run.state[0]
    for _ in range(steps):
        if finished(state):
            return
        reveal_by_size(run, pool)
        if admissions(state):
            size, target = pool.size[: state.waiting], pool.target[: state.waiting]
            largest_to_busiest(
                run.loads, run.free, size, admissions(state), run.weight, run.candidate, target
            )
            carry_out(run, pool)
        measure_loads(run)
        if state.observed:
            observe(run)
        depart(run)
        grow(run)


@compiled
def run_bfio(run: RunState, pool: SortedPool, effort: int, steps: int) -> None:
    """Run up to so many steps of :class:`solvers.policies.bfio.BFIO`."""
    state = run.state[0]
    for _ in range(steps):
        if finished(state):
            return
        reveal_by_size(run, pool)
        waiting = state.waiting
        if admissions(state):
            size, target = pool.size[:waiting], pool.target[:waiting]
            value, lower = balance(run.loads, run.free, size, effort, target)
            state.bound_gap += value - lower
            in_order_of_arrival(size, target, pool.other_size)
            carry_out(run, pool)
        measure_loads(run)
        if state.observed:
            observe(run)
        depart(run)
        grow(run)


@compiled
def run_window(
    run: RunState,
    pool: SortedPool,
    forecast: Forecast,
    effort: int,
    departures: int,
    end: int,
) -> None:
    """Run :class:`solvers.policies.bfio.BFIO` with look-ahead until step ``end``.

    It stops before a decision, which is then due, once so many requests have departed.
    """
    state = run.state[0]
    while state.step < end and not finished(state):
        if not state.due:
            reveal_by_size(run, pool)
        waiting = state.waiting
        if admissions(state):
            state.due = state.revealed - waiting - state.active >= departures
            if state.due:
                return
            size, target = pool.size[:waiting], pool.target[:waiting]
            predict_loads(run, forecast)
            balance_window(forecast.ahead, forecast.grown, run.free, size, effort, target)
            in_order_of_arrival(size, target, pool.other_size)
            carry_out(run, pool)
        measure_loads(run)
        if state.observed:
            observe(run)
        depart(run)
        grow(run)


@compiled
def in_order_of_arrival(size: IntArray, target: IntArray, other: IntArray) -> None:
    """Of equal sizes, send the oldest to the first workers and let the youngest wait."""
    end = 0
    while end < size.size:
        start = end
        end += 1
        while end < size.size and size[end] == size[start]:
            end += 1
        if end - start == 1:
            continue
        taken = start
        for j in range(start, end):
            if target[j] != WAITS:
                target[taken] = target[j]
                taken += 1
        for j in range(taken, end):
            target[j] = WAITS
        if taken - start > 1:
            sent, spare = target[start:taken], other[start:taken]
            # The workers are both what is sorted and what it is sorted by.
            if sort_by_size(sent, sent, spare, spare):
                for j in range(sent.size):
                    sent[j] = spare[j]
