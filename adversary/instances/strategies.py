"""Hypothesis strategies for steps, systems, requests and whole small instances.

They shrink towards few workers, few requests, small sizes and balanced loads, so that a failing
test reports an instance that can be read.
"""

from collections.abc import Callable
from functools import cache
from itertools import accumulate, product
from operator import itemgetter

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from adversary.instances.space import Instance
from solvers.policies.registry import POLICIES
from solvers.step.problem import StepProblem
from theory.model import InputError, Requests, System

GIANT = 10**6

_Lists = tuple[list[int], ...]


@cache
def small_lists(*lists: tuple[range, int] | tuple[range, int, int]) -> SearchStrategy[_Lists]:
    """Lists of integers, each of a range of at most 256.

    All are one draw of bytes, which costs a fraction of a draw for each of their numbers.

    Parameters
    ----------
    lists : (range, int) or (range, int, int)
        Of each the values, and its length; of the last it may be the least and the greatest length.
    """
    if any(not 0 < len(values) <= 256 for values, *_ in lists):
        raise InputError("each list must have between 1 and 256 values to choose from")
    starts = list(accumulate((least for _, least, *_ in lists), initial=0))
    cuts = map(slice, starts, [*starts[1:-1], None])
    parts = [(values, cut) for (values, *_), cut in zip(lists, cuts, strict=True)]

    def read(numbers: bytes) -> _Lists:
        return tuple([values[i % len(values)] for i in numbers[part]] for values, part in parts)

    _, least, *most = lists[-1]
    longer = most[0] - least if most else 0
    return st.binary(min_size=starts[-1], max_size=starts[-1] + longer).map(read)


@cache
def small_integers(
    least: int, most: int, min_size: int, max_size: int | None = None
) -> SearchStrategy[list[int]]:
    """One of :func:`small_lists`, of values in ``[least, most]``."""
    sizes = (min_size, min_size if max_size is None else max_size)
    return small_lists((range(least, most + 1), *sizes)).map(itemgetter(0))


@st.composite
def step_problems(
    draw: DrawFn,
    regime: str | None = None,
    *,
    max_workers: int = 4,
    max_slots: int = 3,
    max_size: int = 9,
    max_pool: int = 8,
) -> StepProblem:
    """Admission steps.

    Parameters
    ----------
    regime : str, optional
        One of :data:`REGIMES`; any of them by default.
    max_workers, max_slots, max_size, max_pool : int
        Bounds on ``G``, on each ``c_g``, on sizes and loads (giants excepted; at most 255), and on
        the pool.
    """
    regime = regime or draw(_REGIME)
    workers = draw(_count(max_workers))
    loads, free, pool = draw(
        small_lists(
            (range(max_size + 1), workers),
            (range(max_slots + 1), workers),
            (range(1, max_size + 1), 0, max_pool),
        )
    )
    return StepProblem(*REGIMES[regime](draw, loads, free, pool))


_Step = tuple[list[int], list[int], list[int]]


def _any(_draw: DrawFn, loads: list[int], free: list[int], pool: list[int]) -> _Step:
    return loads, free, pool


def _rich(_draw: DrawFn, loads: list[int], free: list[int], pool: list[int]) -> _Step:
    """More requests wait than there are free slots: the subset is chosen too."""
    while sum(free) >= len(pool) > 0:
        free[free.index(max(free))] -= 1
    return loads, free, pool


def _poor(draw: DrawFn, loads: list[int], free: list[int], pool: list[int]) -> _Step:
    """Fewer requests wait than there are free slots: some slot stays empty."""
    return loads, free, pool[: draw(st.integers(0, max(0, sum(free) - 1)))]


def _ties(draw: DrawFn, loads: list[int], free: list[int], pool: list[int]) -> _Step:
    """At most two sizes: many optima."""
    sizes = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=2)) if pool else []
    return loads, free, [sizes[s % len(sizes)] for s in pool]


def _closed(draw: DrawFn, loads: list[int], free: list[int], pool: list[int]) -> _Step:
    """At least one worker has no free slot, and its load stays."""
    free[draw(st.integers(0, len(free) - 1))] = 0
    return loads, free, pool


def _giants(draw: DrawFn, loads: list[int], free: list[int], pool: list[int]) -> _Step:
    """One or two requests are far larger than everything else."""
    for i in draw(st.sets(st.integers(0, len(pool) - 1), max_size=2)) if pool else ():
        pool[i] += draw(st.integers(1, GIANT))
    return loads, free, pool


def _equal_loads(_draw: DrawFn, loads: list[int], free: list[int], pool: list[int]) -> _Step:
    """All workers start level."""
    return [loads[0]] * len(loads), free, pool


def _refill(_draw: DrawFn, loads: list[int], free: list[int], pool: list[int]) -> _Step:
    """Empty workers with equal slots, and exactly as many requests as slots."""
    slots = len(pool) // len(loads)
    return [0] * len(loads), [slots] * len(free), pool[: slots * len(loads)]


REGIMES: dict[str, Callable[[DrawFn, list[int], list[int], list[int]], _Step]] = {
    "any": _any,
    "rich": _rich,
    "poor": _poor,
    "ties": _ties,
    "closed": _closed,
    "giants": _giants,
    "equal-loads": _equal_loads,
    "refill": _refill,
}
_REGIME = st.sampled_from(list(REGIMES))


@cache
def systems(max_workers: int = 4, max_slots: int = 3) -> SearchStrategy[System]:
    """Small systems, with constant, periodic and zero drift and with or without overhead."""
    return st.sampled_from(
        [
            System(G, B, drift, overhead, per_token)
            for G, B, drift, overhead, per_token in product(
                range(1, max_workers + 1),
                range(1, max_slots + 1),
                [(1,), (0,), (2, 0, 1)],
                [0.0, 0.5],
                [1.0, 0.25],
            )
        ]
    )


@cache
def _count(most: int) -> SearchStrategy[int]:
    """From 1 on.  Drawn like no other number, or Hypothesis tries the others in its place."""
    return st.sampled_from(range(1, most + 1))


@st.composite
def requests(
    draw: DrawFn,
    *,
    max_requests: int = 12,
    max_size: int = 9,
    max_decode: int = 4,
    timed: bool | None = None,
) -> Requests:
    """Request lists, with arrival times where ``timed`` (either by default).

    Arrival times are quarters of a second, so that they coincide with each other and with the
    starts of steps of the systems drawn here.
    """
    n = draw(_count(max_requests))
    if timed is None:
        timed = draw(st.booleans())
    columns = [(range(1, max_size + 1), n), (range(1, max_decode + 1), n), (range(41), n)]
    prefill, decode, *quarters = draw(small_lists(*columns[: 2 + timed]))
    return Requests(prefill, decode, [q / 4 for q in sorted(quarters[0])] if timed else None)


@st.composite
def instances(
    draw: DrawFn,
    *,
    max_workers: int = 3,
    max_slots: int = 2,
    max_requests: int = 10,
    max_size: int = 9,
    max_decode: int = 4,
    timed: bool | None = None,
) -> Instance:
    """Whole small simulations, with pools from one request up to twice the capacity."""
    system = draw(systems(max_workers, max_slots))
    listed = draw(
        requests(max_requests=max_requests, max_size=max_size, max_decode=max_decode, timed=timed)
    )
    return Instance(system, listed, draw(st.integers(1, 2 * system.capacity)))


def policy_names() -> SearchStrategy[str]:
    """Names of the built-in policies."""
    return st.sampled_from(sorted(POLICIES))
