"""Simulated annealing over schedules, compiled, in portions (Kirkpatrick et al. 1983).

Two searches.  :func:`anneal_orders` keeps every slot filled: a schedule is an order in which the
requests are admitted, and a worker that each prefers.  :func:`anneal_starts` may leave slots free:
a schedule is the step at which each piece of a request starts, and its worker; a request that may
not pause is one piece.

What a schedule costs is in :mod:`solvers.schedule.pieces`.
"""

import numpy as np

from solvers.arrays import copy_into
from solvers.compiled import compiled
from solvers.schedule.pieces import REFUSED, Kinds, Pieces, admit_in_order, cost_of
from solvers.step.rng import State, draw
from theory.model import IntArray

# Resolution of random fractions.
_FRACTION = 2**30


@compiled
def _below(state: State, most: int) -> int:
    """A signed number in ``0..most - 1``."""
    return int(np.int64(draw(state, most)))


@compiled
def _accepts(state: State, more: int, heat: float) -> bool:
    """Whether to go on from a schedule that costs so much more (Metropolis et al. 1953)."""
    return more <= 0 or _below(state, _FRACTION) < _FRACTION * np.exp(-more / max(heat, 1e-9))


@compiled
def _shift(pieces: Pieces, i: int, p: int, state: State) -> int:
    """Give some steps of the next piece to this one, or take them from it; how many."""
    most = pieces.length[i, p] + pieces.length[i, p + 1]
    steps = 1 + _below(state, 1 + most // 2)
    if _below(state, 2) == 0:
        steps = -min(steps, pieces.length[i, p])
    else:
        steps = min(steps, pieces.length[i, p + 1])
    pieces.length[i, p] += steps
    pieces.length[i, p + 1] -= steps
    return int(steps)


@compiled
def _keep(best: Pieces, found: Pieces) -> None:
    """Copy the schedule that was found over the best one."""
    for i in range(found.start.shape[0]):
        copy_into(best.start[i], found.start[i])
        copy_into(best.length[i], found.length[i])
    copy_into(best.worker, found.worker)


@compiled
def anneal_orders(
    kinds: Kinds,
    order: IntArray,
    prefers: IntArray,
    tried: Pieces,
    best: Pieces,
    known: int,
    heat: float,
    span: tuple[int, int, int],
    state: State,
) -> int:
    """A portion of a round of annealing over orders.

    Parameters
    ----------
    order, prefers, tried
        Where the round stands, as for :func:`admit_in_order`; changed.
    best : Pieces
        Filled with what is cheaper than ``known``.
    known : int
        The cost of the best schedule.
    heat : float
        Part of the cost by which a schedule may be worse at the beginning of the round.
    span : (first, last, total)
        The portion: which trials of the round.

    Returns
    -------
    int
        Cost of the best schedule.
    """
    G = kinds.rules[0]
    n, parts = tried.start.shape
    admit_in_order(kinds, order, prefers, tried)
    current = cost_of(kinds, tried)
    for trial in range(span[0], span[1]):
        cooled = (1 - trial / span[2]) ** 2 * heat * abs(current)
        i, j = _below(state, n * parts), _below(state, n * parts)
        a, b = order[i] // parts, order[j] // parts
        kind = _below(state, 5 if parts > 1 else 4)
        worker_a, worker_b = prefers[a], prefers[b]
        p = shifted = 0
        if kind in (0, 1):
            order[i], order[j] = order[j], order[i]
        if kind in (1, 2):
            prefers[a], prefers[b] = worker_b, worker_a
        if kind == 3:
            prefers[a] = _below(state, G)
        if kind == 4:
            p = _below(state, parts - 1)
            shifted = _shift(tried, a, p, state)
        admit_in_order(kinds, order, prefers, tried)
        cost = cost_of(kinds, tried)
        if _accepts(state, cost - current, cooled):
            current = cost
            if cost < known:
                known = cost
                _keep(best, tried)
        else:
            if kind in (0, 1):
                order[i], order[j] = order[j], order[i]
            prefers[a] = worker_a
            prefers[b] = worker_b
            if kind == 4:
                tried.length[a, p] -= shifted
                tried.length[a, p + 1] += shifted
    return known


@compiled
def _in_turn(pieces: Pieces, i: int) -> bool:
    """Whether the pieces of a request follow each other."""
    end = 0
    for p in range(pieces.start.shape[1]):
        if pieces.length[i, p] > 0:
            if pieces.start[i, p] < end:
                return False
            end = pieces.start[i, p] + pieces.length[i, p]
    return True


@compiled
def _move(
    pieces: Pieces, i: int, p: int, j: int, q: int, workers: int, horizon: int, state: State
) -> None:
    """Change a schedule a little at piece ``p`` of request ``i``, with one of ``j`` as a mark."""
    start, length, worker = pieces
    parts = start.shape[1]
    kind = _below(state, 7 if parts > 1 else 6)
    if kind == 0:
        # Start or end when the other does.
        at = start[j, q] + _below(state, 2) * length[j, q]
        start[i, p] = at - _below(state, 2) * length[i, p]
        if _below(state, 2) == 0:
            worker[i] = _below(state, workers)
    elif kind == 1:
        most = 3 if _below(state, 2) == 0 else 1 + length[i, p] // 2
        start[i, p] += (1 + _below(state, most)) * (2 * _below(state, 2) - 1)
    elif kind == 2:
        start[i, p] = _below(state, horizon)
        worker[i] = _below(state, workers)
    elif kind == 3:
        worker[i] = _below(state, workers)
    elif kind == 4:
        worker[i], worker[j] = worker[j], worker[i]
    elif kind == 5:
        worker[i], worker[j] = worker[j], worker[i]
        start[i, p], start[j, q] = start[j, q], start[i, p]
    else:
        # Some steps from one piece to the next, or back.
        p = min(p, parts - 2)
        shift = _shift(pieces, i, p, state)
        if _below(state, 2) == 0:
            start[i, p + 1] += shift
        if _below(state, 2) == 0:
            start[i, p] -= shift


@compiled
def anneal_starts(
    kinds: Kinds,
    current: Pieces,
    best: Pieces,
    known: int,
    heat: float,
    span: tuple[int, int, int],
    horizon: int,
    state: State,
) -> int:
    """A portion of a round of annealing over starts; the arguments are as for orders.

    Parameters
    ----------
    current : Pieces
        Where the round stands; changed.
    horizon : int
        Every piece ends by this step.
    """
    G = kinds.rules[0]
    n, parts = current.start.shape
    here = cost_of(kinds, current)
    kept_start = np.empty((2, parts), np.int64)
    kept_length = np.empty((2, parts), np.int64)
    for trial in range(span[0], span[1]):
        cooled = (1 - trial / span[2]) ** 2 * heat * abs(here)
        i, j = _below(state, n), _below(state, n)
        for kept, k in enumerate((i, j)):
            copy_into(kept_start[kept], current.start[k])
            copy_into(kept_length[kept], current.length[k])
        worker_i, worker_j = current.worker[i], current.worker[j]
        _move(current, i, _below(state, parts), j, _below(state, parts), G, horizon, state)
        good = _in_turn(current, i) and _in_turn(current, j)
        for p in range(parts):
            good = good and current.start[i, p] + current.length[i, p] <= horizon
            good = good and current.start[j, p] + current.length[j, p] <= horizon
            good = good and min(current.start[i, p], current.start[j, p]) >= 0
        cost = cost_of(kinds, current) if good else REFUSED
        if good and cost != REFUSED and _accepts(state, cost - here, cooled):
            here = cost
            if cost < known:
                known = cost
                _keep(best, current)
        else:
            for kept, k in enumerate((i, j)):
                copy_into(current.start[k], kept_start[kept])
                copy_into(current.length[k], kept_length[kept])
            current.worker[j] = worker_j
            current.worker[i] = worker_i
    return known
