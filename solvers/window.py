"""The admission step over a look-ahead window, ``H > 0``: BF-IO with predicted departures.

The loads of the next ``H + 1`` steps are predicted from the requests that run now.  A request that
is admitted now adds its size and grows; its length is unknown, so it stays for the whole window.
The window problem minimises the sum of the imbalances over the window.

A plan starts as that of a single step, the present one or the mean of the window, whichever is
better over the window, and is improved by exchanges.  What a worker's exchange costs is a convex
function of the change of its size alone, piecewise linear with one bend for each step of the
window.  So the best change is known at once, the best request is the one nearest to it on either
side, and every exchange is priced exactly in O(H).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from solvers.balance import balance
from solvers.bitset import Words, at_least, at_most, full, insert, remove
from solvers.bounds import bound
from solvers.compiled import compiled
from solvers.pool import Pool, indexed, last_at_most, sorted_pool
from solvers.step import WAITS, Assignment, StepProblem, StepSolution
from theory.model import INT_LIMIT, InputError, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class WindowProblem:
    """One admission step that looks ``H`` steps ahead.

    Parameters
    ----------
    ahead : int64[H + 1, G]
        Predicted loads of the requests that run now, at this step and the next ``H``, ``>= 0``.
    free : int64[G]
        Free slots at this step.
    pool : int64[n]
        Sizes of the waiting requests in arrival order, ``>= 1``.
    grown : int64[H + 1], optional
        How much a request grows from this step to each of these: 0 first, never less; one a step
        by default.

    Raises
    ------
    InputError
        If shapes or ranges are wrong, or sums over the window do not fit an int64.

    Notes
    -----
    Source: paper, BF-IO(H); solver-notes, exact step problem for ``H > 0``.
    """

    ahead: IntArray
    free: IntArray
    pool: IntArray
    grown: IntArray

    def __init__(
        self,
        ahead: ArrayLike,
        free: ArrayLike,
        pool: ArrayLike,
        grown: ArrayLike | None = None,
    ) -> None:
        rows = np.asarray(ahead)
        if rows.ndim != 2 or rows.shape[0] == 0 or rows.dtype.kind not in "iu":
            raise InputError("ahead must be integers, one row for each step of the window")
        growth = np.arange(rows.shape[0]) if grown is None else np.asarray(grown)
        if (
            growth.shape != rows.shape[:1]
            or growth.dtype.kind not in "iu"
            or growth[0] != 0
            or (np.diff(growth) < 0).any()
        ):
            raise InputError(
                f"grown must hold {rows.shape[0]} integers from 0 that do not decrease"
            )
        steps = [StepProblem(row, free, pool) for row in rows]
        most = sum(steps[0].pool.tolist()) + steps[0].pool.size * int(growth[-1])
        if rows.shape[1] * (sum(map(int, rows.flat)) + rows.shape[0] * most) >= INT_LIMIT:
            raise InputError("G * (sum of loads and sizes over the window) must stay below 2^62")
        for name, array in (
            ("ahead", np.array([step.loads for step in steps])),
            ("free", steps[0].free),
            ("pool", steps[0].pool),
            ("grown", growth.astype(np.int64)),
        ):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def step(self) -> StepProblem:
        """The first step of the window by itself: the rules of an assignment are its rules."""
        return StepProblem(self.ahead[0], self.free, self.pool)

    def loads_after(self, assignment: Assignment) -> IntArray:
        """Predicted loads after admission, int64[H + 1, G]; the assignment is taken as valid."""
        after = self.ahead.copy()
        chosen = assignment != WAITS
        for row, growth in zip(after, self.grown, strict=True):
            np.add.at(row, assignment[chosen], self.pool[chosen] + growth)
        return after

    def objective(self, assignment: Assignment) -> int:
        """Sum of the imbalances over the window, in exact ints."""
        after = self.loads_after(assignment)
        return sum(after.shape[1] * max(row) - sum(row) for row in after.tolist())


def solve_window(problem: WindowProblem, effort: int = 1) -> StepSolution:
    """Admit requests so that the sum of imbalances over the window is small.

    Parameters
    ----------
    problem : WindowProblem
        The window.
    effort : int
        0 takes the better of the starting plans; 1 improves it by exchanges with the pool, and
        where nothing waits between workers; 2 and more exchange between workers in any case, and
        improve every starting plan.

    Returns
    -------
    StepSolution
        A valid assignment, its objective over the window, and a lower bound of the optimum.
        Among equal sizes the oldest request goes first.
    """
    order = np.argsort(problem.pool, kind="stable")
    sizes = problem.pool[order]
    worker = np.empty(sizes.size, np.int64)
    balance_window(
        problem.ahead.copy(), problem.grown.copy(), problem.free.copy(), sizes, effort, worker
    )
    # Equal sizes can be exchanged freely: in arrival order they go to ascending workers, then wait.
    worker[worker == WAITS] = problem.free.size
    worker = worker[np.lexsort((worker, sizes))]
    worker[worker == problem.free.size] = WAITS
    assignment: Assignment = np.empty(sizes.size, np.int64)
    assignment[order] = worker
    return StepSolution(assignment, problem.objective(assignment), window_bound(problem))


def window_bound(problem: WindowProblem) -> int:
    """Lower bound: the sum of the bounds of the steps, each with a choice of its own."""
    room = np.minimum(problem.free, problem.pool.size)
    sizes = np.sort(problem.pool)
    return sum(
        int(bound(row.copy(), room, sorted_pool(sizes + growth))[1])
        for row, growth in zip(problem.ahead, problem.grown, strict=True)
    )


class _Plan(NamedTuple):
    """A valid plan, its predicted loads, and the largest of these.

    Parameters
    ----------
    item : int64[slots]
        Places in the sorted pool; those of worker ``g`` start at ``start[g]``.
    start, taken : int64[G + 1], int64[G]
        Where each worker's slots begin, and how many of them are taken.
    words, summary : uint64
        The places that nobody has taken, as a :mod:`solvers.bitset`.
    after : int64[G, H + 1]
        Predicted loads.
    top, who : int64[H + 1, 3]
        The three largest loads of each step and their workers; -1 where there are fewer.
    """

    item: IntArray
    start: IntArray
    taken: IntArray
    words: Words
    summary: Words
    after: IntArray
    top: IntArray
    who: IntArray


@compiled
def balance_window(
    ahead: IntArray,
    grown: IntArray,
    free: IntArray,
    sizes: IntArray,
    effort: int,
    out_worker: IntArray,
) -> int:
    """Choose the requests to admit and their workers, aiming at the least sum of imbalances.

    Parameters
    ----------
    ahead, grown, free : int64[H + 1, G], int64[H + 1], int64[G]
        As in :class:`WindowProblem`.
    sizes : int64[n]
        The pool in ascending order.
    effort : int
        As in :func:`solve_window`.
    out_worker : int64[n]
        Filled with the worker of each request, or -1 for one that waits.

    Returns
    -------
    int
        The sum of the imbalances over the window.
    """
    pool = sorted_pool(sizes)
    balance(_mean_of_rows(ahead), free, sizes + int(np.sum(grown)) // grown.size, 0, out_worker)
    plan = _plan_of(ahead, grown, free, pool, out_worker)
    balance(ahead[0].copy(), free, sizes, 0, out_worker)
    other = _plan_of(ahead, grown, free, pool, out_worker)
    if effort > 0 and sizes.size > 0:
        pool = indexed(pool)
        if effort > 1:
            _improve(plan, pool, grown, effort)
            _improve(other, pool, grown, effort)
    if _value(other) < _value(plan):
        plan = other
    if effort == 1 and sizes.size > 0:
        _improve(plan, pool, grown, effort)
    out_worker[:] = WAITS
    for g in range(free.size):
        for k in range(plan.start[g], plan.start[g] + plan.taken[g]):
            out_worker[plan.item[k]] = g
    return _value(plan)


@compiled
def _mean_of_rows(ahead: IntArray) -> IntArray:
    """Mean load of each worker over the window, rounded down."""
    mean = np.zeros(ahead.shape[1], np.int64)
    for h in range(ahead.shape[0]):
        for g in range(mean.size):
            mean[g] += ahead[h, g]
    mean //= ahead.shape[0]
    return mean


@compiled
def _plan_of(
    ahead: IntArray, grown: IntArray, free: IntArray, pool: Pool, worker: IntArray
) -> _Plan:
    """The plan that gives each place in the pool this worker."""
    steps, G = ahead.shape
    n = pool.sizes.size
    start = np.zeros(G + 1, np.int64)
    for g in range(G):
        start[g + 1] = start[g] + min(free[g], n)
    words, summary = full(n)
    item, taken = np.empty(start[G], np.int64), np.zeros(G, np.int64)
    after = np.empty((G, steps), np.int64)
    added = np.zeros(G, np.int64)
    for i in range(n):
        g = worker[i]
        if g != WAITS:
            item[start[g] + taken[g]] = i
            taken[g] += 1
            added[g] += pool.sizes[i]
            remove(words, summary, i)
    for g in range(G):
        for h in range(steps):
            after[g, h] = ahead[h, g] + added[g] + taken[g] * grown[h]
    top = np.empty((steps, 3), np.int64)
    who = np.empty((steps, 3), np.int64)
    for h in range(steps):
        _rank(after, h, top, who)
    return _Plan(item, start, taken, words, summary, after, top, who)


@compiled
def _rank(after: IntArray, h: int, top: IntArray, who: IntArray) -> None:
    """Find the three largest loads of a step and their workers."""
    top[h] = -1
    who[h] = -1
    for g in range(after.shape[0]):
        load, at = after[g, h], 2
        if load <= top[h, 2]:
            continue
        while at > 0 and load > top[h, at - 1]:
            top[h, at], who[h, at] = top[h, at - 1], who[h, at - 1]
            at -= 1
        top[h, at], who[h, at] = load, g


@compiled
def _value(plan: _Plan) -> int:
    """Sum of the imbalances of a plan over the window."""
    return int(plan.after.shape[0] * np.sum(plan.top[:, 0]) - np.sum(plan.after))


@compiled
def _others(plan: _Plan, h: int, p: int, q: int) -> int:
    """Largest load of a step among all workers but two; -1 if there are no others."""
    k = 0
    while k < 3 and (plan.who[h, k] == p or plan.who[h, k] == q):
        k += 1
    return int(plan.top[h, k]) if k < 3 else -1


@compiled
def _improve(plan: _Plan, pool: Pool, grown: IntArray, effort: int) -> None:
    """Exchange requests until nothing in reach helps, or for so many rounds as the effort says."""
    if plan.taken.size == 1:  # one worker has no imbalance
        return
    admitted = np.sum(plan.taken)
    bends = np.empty(2 * grown.size, np.int64)
    tries = 4 ** (effort + 1)
    for _ in range(4**effort):
        moved = False
        if admitted < pool.sizes.size:
            for g in range(plan.taken.size):
                moved |= _replace(plan, pool, grown, g, bends)
        if not moved and (effort > 1 or admitted == pool.sizes.size):
            tried = -1
            for h in range(grown.size):
                p = plan.who[h, 0]
                if p != tried and tries > 0:
                    moved |= _relieve(plan, pool, grown, p, bends)
                    tried = p
                    tries -= 1
        if not moved:
            return


@compiled
def _replace(plan: _Plan, pool: Pool, grown: IntArray, g: int, bends: IntArray) -> bool:
    """Exchange one request of a worker for the best waiting one, if that lowers the objective."""
    sizes = pool.sizes
    G, steps = plan.after.shape
    for h in range(steps):
        others = plan.top[h, 1] if plan.who[h, 0] == g else plan.top[h, 0]
        bends[h] = others - plan.after[g, h]
    # The slope of the cost is G for each bend passed, less one for each step.
    passed = -(-steps // G)
    aim = np.partition(bends[:steps], passed - 1)[passed - 1]
    below = above = np.int64(0)
    old_below = old_above = new_below = new_above = -1
    for j in plan.item[plan.start[g] : plan.start[g] + plan.taken[g]]:
        last = last_at_most(pool, sizes[j] + aim)
        i = at_most(plan.words, plan.summary, last)
        if i >= 0 and (new_below < 0 or sizes[i] - sizes[j] > below):
            below, old_below, new_below = sizes[i] - sizes[j], j, i
        i = at_least(plan.words, plan.summary, last + 1)
        if i >= 0 and (new_above < 0 or sizes[i] - sizes[j] < above):
            above, old_above, new_above = sizes[i] - sizes[j], j, i
    best, change, old, new = np.int64(0), np.int64(0), -1, -1
    for h in range(steps):
        best += G * max(0, -bends[h])
    if new_below >= 0:
        cost = -steps * below
        for h in range(steps):
            cost += G * max(0, below - bends[h])
        if cost < best:
            best, change, old, new = cost, below, old_below, new_below
    if new_above >= 0:
        cost = -steps * above
        for h in range(steps):
            cost += G * max(0, above - bends[h])
        if cost < best:
            best, change, old, new = cost, above, old_above, new_above
    if new < 0:
        return False
    insert(plan.words, plan.summary, old)
    remove(plan.words, plan.summary, new)
    _put(plan, g, old, new)
    _add(plan, g, int(change), 0, grown)
    return True


@compiled
def _put(plan: _Plan, g: int, old: int, new: int) -> None:
    """Let a worker hold request ``new`` in place of ``old``."""
    k = plan.start[g]
    while plan.item[k] != old:
        k += 1
    plan.item[k] = new


@compiled
def _add(plan: _Plan, g: int, size: int, count: int, grown: IntArray) -> None:
    """Add to a worker's loads, and keep the ranking of the largest."""
    after, top, who = plan.after, plan.top, plan.who
    for h in range(grown.size):
        load = after[g, h] + size + count * grown[h]
        after[g, h] = load
        at = 0
        while at < 3 and who[h, at] != g:
            at += 1
        if at < 3 and load < top[h, 2]:
            _rank(after, h, top, who)
            continue
        if at == 3:
            if load <= top[h, 2]:
                continue
            at = 2
        while at > 0 and load > top[h, at - 1]:
            top[h, at], who[h, at] = top[h, at - 1], who[h, at - 1]
            at -= 1
        while at < 2 and load < top[h, at + 1]:
            top[h, at], who[h, at] = top[h, at + 1], who[h, at + 1]
            at += 1
        top[h, at], who[h, at] = load, g


@compiled
def _relieve(plan: _Plan, pool: Pool, grown: IntArray, p: int, bends: IntArray) -> bool:
    """Swap a request of worker ``p`` for another's, or move it to a free slot: the best of all."""
    sizes = pool.sizes
    G, steps = plan.after.shape
    least, gives, gets, partner = np.int64(0), -1, -1, -1
    for q in range(G):
        if q == p:
            continue
        now = np.int64(0)
        for h in range(steps):
            others = _others(plan, h, p, q)
            a, b = plan.after[p, h], plan.after[q, h]
            now += max(others, a, b)
            level = max(others, (a + b + 1) // 2)
            bends[2 * h], bends[2 * h + 1] = a - level, level - b
        aim = np.partition(bends, steps - 1)[steps - 1]
        below = above = np.int64(0)
        below_i = below_j = above_i = above_j = -1
        mine = plan.item[plan.start[p] : plan.start[p] + plan.taken[p]]
        for i in mine:
            for j in plan.item[plan.start[q] : plan.start[q] + plan.taken[q]]:
                d = sizes[i] - sizes[j]
                if d <= aim and (below_i < 0 or d > below):
                    below, below_i, below_j = d, i, j
                if d > aim and (above_i < 0 or d < above):
                    above, above_i, above_j = d, i, j
        for i, j in ((below_i, below_j), (above_i, above_j)):
            if i >= 0:
                change = _moved(plan, grown, p, q, sizes[i] - sizes[j], 0) - now
                if change < least:
                    least, gives, gets, partner = change, i, j, q
        if plan.start[q] + plan.taken[q] < plan.start[q + 1]:
            for i in mine:
                change = _moved(plan, grown, p, q, sizes[i], 1) - now
                if change < least:
                    least, gives, gets, partner = change, i, -1, q
    if partner < 0:
        return False
    change = sizes[gives]
    if gets >= 0:
        change -= sizes[gets]
        _put(plan, p, gives, gets)
        _put(plan, partner, gets, gives)
    else:
        plan.taken[p] -= 1
        _put(plan, p, gives, plan.item[plan.start[p] + plan.taken[p]])
        plan.item[plan.start[partner] + plan.taken[partner]] = gives
        plan.taken[partner] += 1
    count = 1 if gets < 0 else 0
    _add(plan, p, -change, -count, grown)
    _add(plan, partner, change, count, grown)
    return True


@compiled
def _moved(plan: _Plan, grown: IntArray, p: int, q: int, size: int, count: int) -> int:
    """Sum of the largest loads when ``p`` gives ``q`` so much size, and so many requests."""
    total = np.int64(0)
    for h in range(grown.size):
        load = size + count * grown[h]
        total += max(_others(plan, h, p, q), plan.after[p, h] - load, plan.after[q, h] + load)
    return int(total)
