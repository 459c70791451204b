"""BF-IO under a rich pool, exactly, by water-filling: no pool is kept and nothing is searched.

When the pool holds every integer size in ``[a, b]`` often enough, an optimal step is known in
closed form [step.waterfill], so runs of the overloaded system with geometric output lengths are
cheap at any ``G`` and ``B``.  A worker that must take ``c`` requests of given total size takes
them as level as possible.
"""

from collections.abc import Iterator
from itertools import cycle

import numpy as np
from numpy.typing import NDArray

from theory.formulas.step import waterfill_loads
from theory.model import InputError, IntArray


def level_sizes(departed: NDArray[np.bool_], totals: IntArray) -> IntArray:
    """Sizes of the admitted requests, as level as possible, int64[G, B], 0 where none enters.

    Parameters
    ----------
    departed : bool[G, B]
        Slots that take a new request.
    totals : int64[G]
        Total size that each worker takes; 0 where it has no free slot.

    Examples
    --------
    >>> level_sizes(np.array([[True, True, False]]), np.array([5])).tolist()
    [[3, 2, 0]]
    """
    base, extra = np.divmod(totals, np.maximum(departed.sum(axis=1), 1))
    rank = np.cumsum(departed, axis=1)
    sizes: IntArray = np.where(departed, base[:, None] + (rank <= extra[:, None]), 0)
    return sizes


def _require(G: int, B: int, p: float, sizes: tuple[int, int]) -> None:
    if not (G >= 1 and B >= 1 and 0 < p <= 1 and 1 <= sizes[0] <= sizes[1]):
        raise InputError(
            "a rich pool needs G, B >= 1, 0 < p <= 1 and sizes 1 <= a <= b, "
            f"got G = {G}, B = {B}, p = {p}, sizes = {sizes}"
        )


def balanced_state(
    G: int, B: int, p: float, sizes: tuple[int, int], rng: np.random.Generator
) -> IntArray | None:
    """Loads of all requests after a perfectly balanced step and its growth, int64[G, B].

    Ages after growth are stationary: iid geometric(``p``) from 1.  Each worker's sizes, in
    ``sizes = [a, b]``, are as level as possible and bring it up to the oldest worker with sizes
    ``a``; all rows have the same sum.  None if the drawn ages are too far apart for that.

    Raises
    ------
    InputError
        If an argument is out of range.
    """
    _require(G, B, p, sizes)
    a, b = sizes
    ages = rng.geometric(p, (G, B)).astype(np.int64)
    totals = ages.sum(axis=1)
    missing = totals.max() - totals
    if int(missing.max()) > B * (b - a):
        return None
    return ages + level_sizes(np.ones((G, B), dtype=np.bool_), missing + B * a)


# Steps whose departures are drawn at a time.
_STEPS = 64


def departures(slots: int, p: float, rng: np.random.Generator) -> Iterator[IntArray]:
    """The slots that depart at the end of each step, each with probability ``p``, without end.

    Drawn as the gaps between them, which are geometric: a step costs what departs.

    Yields
    ------
    int64[departures]
        Slots in ``0..slots - 1``, in order.
    """
    ends = slots * np.arange(1, _STEPS + 1)
    last, drawn = -1, np.empty(0, dtype=np.int64)  # among the coins of these steps, in one row
    while True:
        blocks = [drawn]
        while last < ends[-1]:
            blocks.append(last + np.cumsum(rng.geometric(p, 1 + int(ends[-1] * p))))
            last = int(blocks[-1][-1])
        heads = np.concatenate(blocks)
        *of_steps, drawn = np.split(heads, np.searchsorted(heads, ends))
        for step, out in enumerate(of_steps):
            yield out - step * slots
        drawn, last = drawn - ends[-1], last - int(ends[-1])


def rich_pool_states(
    G: int,
    B: int,
    p: float,
    sizes: tuple[int, int],
    rng: np.random.Generator,
    drift: tuple[int, ...] = (1,),
) -> Iterator[tuple[IntArray, NDArray[np.bool_]]]:
    """Every step of BF-IO (H = 0) from a cold start, slot by slot, without end.

    Every slot departs with probability ``p`` at the end of each step; active requests grow by
    ``drift[k % len(drift)]`` at the end of step ``k``; sizes come from the rich pool on ``sizes =
    [a, b]``.

    Yields
    ------
    loads : int64[G, B]
        Loads of all requests at the step.
    entered : bool[G, B]
        Slots whose request departed before the step and was replaced.

    Raises
    ------
    InputError
        If an argument is out of range.
    """
    _require(G, B, p, sizes)
    loads = np.zeros((G, B), dtype=np.int64)
    departed = np.ones((G, B), dtype=np.bool_)
    for growth, leave in zip(cycle(drift), departures(G * B, p, rng), strict=False):
        before = np.where(departed, 0, loads)
        kept, free = before.sum(axis=1), departed.sum(axis=1)
        after = np.array(waterfill_loads(kept.tolist(), free.tolist(), *sizes), dtype=np.int64)
        loads = before + level_sizes(departed, after - kept)
        yield loads, departed
        loads = loads + growth
        departed = np.zeros((G, B), dtype=np.bool_)
        departed.flat[leave] = True


def rich_pool_run(
    G: int, B: int, p: float, sizes: tuple[int, int], rng: np.random.Generator
) -> Iterator[IntArray]:
    """Loads of each step, int64[G], of :func:`rich_pool_states` at drift 1.

    A step costs nothing for the slots that stay.

    Raises
    ------
    InputError
        If an argument is out of range.
    """
    _require(G, B, p, sizes)
    began = np.zeros(G * B, dtype=np.int64)  # of each request: its load less the steps so far
    kept, out = np.zeros(G, dtype=np.int64), np.arange(G * B)
    for step, leave in enumerate(departures(G * B, p, rng)):
        worker = out // B
        free = np.bincount(worker, minlength=G)
        after = np.array(waterfill_loads(kept.tolist(), free.tolist(), *sizes), dtype=np.int64)
        level, extra = np.divmod(after - kept, np.maximum(free, 1))
        rank = np.arange(out.size) - (np.cumsum(free) - free)[worker]
        began[out] = level[worker] + (rank < extra[worker]) - step
        yield after
        out = leave
        kept = after + B
        np.subtract.at(kept, out // B, began[out] + step + 1)
