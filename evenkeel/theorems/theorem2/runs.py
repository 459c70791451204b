"""Runs along which the inequalities of a step are held: small and large, drawn and traced."""

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from adversary.workloads.families import family, workload
from adversary.workloads.overload import requests_to_overload
from adversary.workloads.sample_trace import SAMPLE_TRACE
from evenkeel.theorems.theorem2.along_runs import Shared, path_of, rich_path
from solvers.simulation.engine import simulate
from theory.model import Requests, System

if TYPE_CHECKING:
    from adversary.workloads.traces import Trace

Drift = tuple[int, ...]

HALF = Fraction(1, 2)

# The drifts of Theorem 3: none, that of language models, one that changes.
DRIFTS: tuple[Drift, ...] = ((0,), (1,), (3, 0, 1))

# Rich pools (G, B, p, sizes); in the first ones the bounds are attained, the last is of some size.
RICH: tuple[tuple[int, int, Fraction, tuple[int, int]], ...] = (
    (2, 1, HALF, (1, 3)),
    (3, 2, Fraction(1, 4), (1, 2)),
    (4, 8, Fraction(1, 5), (1, 10)),
    (16, 32, Fraction(1, 20), (1, 5)),
)


@cache
def rich_run(number: int, drift: Drift, seed: int, steps: int) -> Shared:
    """The run of that number in :data:`RICH`."""
    G, B, p, sizes = RICH[number]
    return rich_path(G, B, p, sizes, drift, seed, steps), (p, HALF)


def rich_runs(seed: int, steps: int) -> Iterator[Shared]:
    """Every run of :data:`RICH` under every drift."""
    for number, drift in product(range(len(RICH)), DRIFTS):
        yield rich_run(number, drift, seed, steps)


def backlog_run(
    where: str,
    system: System,
    requests: Requests,
    p: Fraction,
    *,
    pool: int,
    steps: int,
    policy: str = "bfio",
) -> Shared:
    """The first steps of a backlog served by a policy; the shares are ``p`` and 1/2."""
    run = simulate(system, requests, policy, pool=pool)
    text = f"{where}, G = {system.workers}, B = {system.slots}, drift {system.drift}, {policy}"
    return path_of(run, text, steps), (p, HALF)


def trace_run(
    trace: "Trace", G: int, B: int, drift: Drift, steps: int, policy: str = "bfio"
) -> Shared:
    """A trace as a backlog, with the lengths that it has; ``1/p`` is their mean, rounded."""
    requests = Requests(trace.requests.prefill, trace.requests.decode)
    p = Fraction(1, max(1, round(float(requests.decode.mean()))))
    system = System(G, B, drift)
    return backlog_run(trace.name, system, requests, p, pool=8 * G * B, steps=steps, policy=policy)


@cache
def sample_trace_run(G: int, B: int, drift: Drift, steps: int, policy: str = "bfio") -> Shared:
    """The sample trace that ships with evenkeel."""
    from adversary.workloads.traces import read_trace  # loads what reads files

    return trace_run(read_trace(SAMPLE_TRACE), G, B, drift, steps, policy)


@cache
def family_run(
    name: str, G: int, B: int, drift: Drift, seed: int, steps: int, policy: str = "bfio", b: int = 0
) -> Shared:
    """A workload family with geometric lengths of p = 1/10, in rounds of 3 steps where it has none.

    The pool is eight times the slots.  ``b`` is the largest size, the family's own by default.
    """
    system, pool, p = System(G, B, drift), 8 * G * B, Fraction(1, 10)
    if "p" in family(name).parameters:
        n = requests_to_overload(system, steps, p=float(p), pool=pool)
        requests = workload(name, n, seed, p=float(p), **({"b": b} if b else {}))
    else:
        p = Fraction(1, 3)
        n = requests_to_overload(system, steps, length=3, pool=pool)
        requests = workload(name, n, seed, workers=G, slots=B, length=3)
    return backlog_run(name, system, requests, p, pool=pool, steps=steps, policy=policy)


@cache
def rare_size_run(G: int, B: int, drift: Drift, seed: int, steps: int) -> Shared:
    """Sizes 1 and 2, and a rare 30; p = 1/20, and all requests wait from the start.

    BF-IO takes the scarcer of the two common sizes first: a pool of the slots' size would soon
    run out of it.
    """
    p, rarity, rng = Fraction(1, 20), 1e-3, np.random.default_rng(seed)
    system = System(G, B, drift)
    n = 3 * requests_to_overload(system, steps, p=float(p))
    sizes = rng.choice([1, 2, 30], n, p=[(1 - rarity) / 2, (1 - rarity) / 2, rarity])
    requests = Requests(sizes, rng.geometric(float(p), n))
    return backlog_run("sizes 1, 2 and a rare 30", system, requests, p, pool=n, steps=steps)
