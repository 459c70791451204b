"""Shrinking: the smallest instance that one can reach while a property still holds.

Greedy: the first simpler instance that has the property is taken, until none has it.  The result
is minimal in the sense that no single simplification listed here keeps the property.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

import numpy as np

from adversary.instances.space import Instance
from solvers.step.problem import StepProblem
from theory.model import InputError, IntArray, Requests

Shrunk = TypeVar("Shrunk", Instance, StepProblem)


def shrink(instance: Shrunk, holds: Callable[[Shrunk], bool]) -> Shrunk:
    """Simplify an instance while a property holds.

    Workers, slots and requests are dropped one by one, what is beyond the number of requests at
    once; sizes, output lengths, loads and free slots are set to their least value, halved, or
    lowered by one.

    Parameters
    ----------
    instance : Instance or StepProblem
        Has the property.
    holds : callable
        The property.

    Raises
    ------
    InputError
        If the instance does not have the property.

    Examples
    --------
    >>> small = shrink(StepProblem([3, 7], [1, 1], [5, 9]), lambda step: step.pool.size >= 1)
    >>> small.loads.tolist(), small.free.tolist(), small.pool.tolist()
    ([0], [0], [1])
    """
    if not holds(instance):
        raise InputError("an instance can only be shrunk while its property holds")
    while True:
        simpler = next((s for s in _simpler(instance) if holds(s)), None)
        if simpler is None:
            return instance
        instance = simpler


def _simpler(instance: Shrunk) -> Iterator[Shrunk]:
    if isinstance(instance, StepProblem):
        yield from _simpler_steps(instance)
    else:
        yield from _simpler_runs(instance)


def _simpler_steps(step: StepProblem) -> Iterator[StepProblem]:
    for g in range(step.workers if step.workers > 1 else 0):
        yield StepProblem(np.delete(step.loads, g), np.delete(step.free, g), step.pool)
    for i in range(step.pool.size):
        yield StepProblem(step.loads, step.free, np.delete(step.pool, i))
    for free in _lower(step.free, 0):
        yield StepProblem(step.loads, free, step.pool)
    for loads in _lower(step.loads, 0):
        yield StepProblem(loads, step.free, step.pool)
    for pool in _lower(step.pool, 1):
        yield StepProblem(step.loads, step.free, pool)


def _simpler_runs(run: Instance) -> Iterator[Instance]:
    system, requests = run.system, run.requests
    if system.workers > 1:
        yield replace(run, system=replace(system, workers=system.workers - 1))
    if system.slots > 1:
        yield replace(run, system=replace(system, slots=min(system.slots - 1, len(requests))))
    if run.pool > 1:
        yield replace(run, pool=min(run.pool - 1, len(requests)))
    for i in range(len(requests) if len(requests) > 1 else 0):
        arrival = None if requests.arrival is None else np.delete(requests.arrival, i)
        rest = Requests(np.delete(requests.prefill, i), np.delete(requests.decode, i), arrival)
        yield replace(run, requests=rest)
    for decode in _lower(requests.decode, 1):
        yield replace(run, requests=Requests(requests.prefill, decode, requests.arrival))
    for prefill in _lower(requests.prefill, 1):
        yield replace(run, requests=Requests(prefill, requests.decode, requests.arrival))


def _lower(values: IntArray, least: int) -> Iterator[IntArray]:
    """The same array with one entry lowered: to the least, half way there, or by one."""
    for i, value in enumerate(values.tolist()):
        for lower in sorted({least, (value + least) // 2, value - 1}):
            if least <= lower < value:
                changed = values.copy()
                changed[i] = lower
                yield changed
