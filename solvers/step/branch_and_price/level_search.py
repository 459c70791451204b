"""Search of one level of a step with many sizes, in which every slot is filled and requests wait.

There nearly every worker of three slots or more can reach the level exactly, in very many ways: it
costs nothing and bounds nothing.  What an assignment costs is decided by the others, above all by
those with a single slot.  So the linear program of a level
(:mod:`solvers.step.branch_and_price.lazy_master`) begins with the workers of one or two slots and
those that a first bound charges; its prices, priced exactly for all workers
(:mod:`solvers.step.branch_and_price.undominated`), give the bound.  Diving fixes columns, and the
other workers are filled from what is left.  Those that do not reach the level then join the linear
program.

Bounds are exact integers, whatever the linear programs return.
"""

import math

import numpy as np

from solvers.compiled import compiled
from solvers.step.bounds.relaxation import IMPOSSIBLE
from solvers.step.branch_and_price.columns import (
    INFINITE,
    NO_COLUMN,
    SCALE,
    Column,
    fits,
)
from solvers.step.branch_and_price.deadline import check
from solvers.step.branch_and_price.lazy_master import LazyMaster
from solvers.step.branch_and_price.undominated import best_columns
from solvers.step.exact.milp import assignment_of_counts
from solvers.step.fast.local_search import aimed, polish
from solvers.step.problem import Assignment, StepProblem, StepSolution
from solvers.step.rng import State, draw
from solvers.step.sorted_sizes import last_between, order_of
from theory.model import FloatArray, IntArray

# Workers of so many slots are in every linear program.
_FEW_SLOTS = 2

# Weight of the prices of the best bound against the duals of the linear program.
_SMOOTHING = 0.5

# Limit on the requests tried for a column: while columns are generated, and for a run of levels.
_PATIENCE = 2**17
QUICK = 2**14

# Sizes beyond which what is taken is added up.
_THRESHOLDS = 12

# Exchanges of a request that are tried to fill a worker, and which of the sizes that are left,
# by the share of the smaller ones, is kept for each other slot in turn.
_TRIES = 2**6
_RESTS = 0.5, 0.3, 0.7, 0.1, 0.2, 0.4, 0.6, 0.8

# Work of the local search that aims an assignment at a level, and where at most so many workers do
# not reach it.
_AIMING = 2**22
_ALMOST = 4
_POLISHING = 2**21

# A dive takes columns of this value, or those of this share of the workers; columns are generated
# so often in between.
_INTEGRAL = 0.99
_AT_ONCE = 0.1
_ROUNDS = 3

# Before a dive the linear program is solved to this share of the gap.
_ROUGH = 4


@compiled
def _last_left(left: IntArray, j: int) -> int:
    """The last size up to the ``j``-th of which a request is left, or -1."""
    while j >= 0 and left[j] == 0:
        j -= 1
    return j


@compiled
def _pair(sizes: IntArray, left: IntArray, room: int) -> tuple[int, int, int]:
    """The least slack of a pair that fits and its sizes, of several the most even pair."""
    best, one, two = IMPOSSIBLE, -1, -1
    low, high = 0, last_between(sizes, room, -1, sizes.size)
    while low <= high:
        slack = room - sizes[low] - sizes[high]
        if left[low] <= (low == high):
            low += 1
        elif left[high] == 0 or slack < 0:
            high -= 1
        else:
            if slack <= best:
                best, one, two = slack, low, high
            low += 1
    return best, one, two


@compiled
def fill_all(
    sizes: IntArray,
    left: IntArray,
    free: IntArray,
    room: IntArray,
    rest: int,
    tries: int,
    out: IntArray,
    slack: IntArray,
    state: State,
) -> None:
    """Fill workers of two slots or more, each as close below its room as it goes.

    The worker with the most room for each slot gets the largest request that leaves ``rest`` for
    each of its other slots, until all have two slots left; the last two are the best pair.  Where
    it leaves slack, the request before is exchanged for others like it.

    Parameters
    ----------
    left : int64[m]
        Requests of each size, from which they are taken.
    out : int64[w, .]
        Indices of the sizes of each worker.
    slack : int64[w]
        What each leaves, or ``IMPOSSIBLE``.
    """
    w = free.size
    open_, space = free.copy(), room.copy()
    while True:
        g = -1
        for k in range(w):
            more = open_[k] > 2 and (g < 0 or space[k] * open_[g] > space[g] * open_[k])
            g = k if more else g
        if g < 0:
            break
        most = max(space[g] - (open_[g] - 1) * rest, space[g] // open_[g])
        j = _last_left(left, last_between(sizes, most, -1, sizes.size))
        if j < 0:
            slack[:] = IMPOSSIBLE
            return
        left[j] -= 1
        open_[g] -= 1
        space[g] -= sizes[j]
        out[g, open_[g]] = j
    least = np.empty(w, np.int64)
    for g in range(w):
        least[g] = -space[g]
    for g in order_of(least):
        best, one, two = _pair(sizes, left, space[g])
        if free[g] > 2 and best > 0:
            before = out[g, 2]
            for t in range(tries):
                far = 1 + sizes.size * (t + 1) // (2 * tries)
                j = min(max(before + draw(state, 2 * far + 1) - far, 0), sizes.size - 1)
                if left[j] == 0:
                    continue
                left[j] -= 1
                left[out[g, 2]] += 1
                now, a, b = _pair(sizes, left, space[g] + sizes[before] - sizes[j])
                if now < best:
                    best, one, two = now, a, b
                    space[g] += sizes[before] - sizes[j]
                    before = out[g, 2] = j
                else:
                    left[j] += 1
                    left[out[g, 2]] -= 1
                if best == 0:
                    break
        slack[g] = best
        if best < IMPOSSIBLE:
            left[one] -= 1
            left[two] -= 1
            out[g, 0], out[g, 1] = one, two


class LevelSearch:
    """Incumbent, and what one level leaves to the next: columns, prices, workers.

    ``level`` is the one that is searched, and ``bound`` what is proved of it so far.
    """

    def __init__(self, problem: StepProblem, start: StepSolution, deadline: float) -> None:
        self.problem, self.deadline = problem, deadline
        self.best, self.upper = start.assignment, start.imbalance
        self.sizes, self.supply = np.unique(problem.pool, return_counts=True)
        self.columns: dict[Column, None] = {}
        self.prices = np.zeros_like(self.sizes)
        self.known = (problem.free > 0) & (problem.free <= _FEW_SLOTS)
        self.first = self.known, self.columns
        self.state = np.ones(1, np.uint64)
        self.level, self.bound = -1, -INFINITE

    def note(self, assignment: Assignment) -> None:
        """Keep the columns of an assignment, and the assignment if it is better."""
        place = np.searchsorted(self.sizes, self.problem.pool)
        for g in np.flatnonzero(self.problem.free).tolist():
            taken = np.sort(place[assignment == g])
            column = Column(g, tuple(taken.tolist()), int(self.sizes[taken].sum()))
            self.columns[column] = None
        value = self.problem.objective(assignment)
        if value < self.upper:
            self.best, self.upper = assignment, value

    def of_full(self, level: int) -> int:
        """What full workers leave below the level."""
        full: list[int] = self.problem.loads[self.problem.free == 0].tolist()
        return len(full) * level - sum(full)

    def price(
        self,
        prices: IntArray,
        level: int,
        top: int,
        workers: IntArray,
        patience: int,
        supply: IntArray | None = None,
    ) -> tuple[int, IntArray, list[Column]]:
        """Bound of the levels ``level .. top``; the workers' least costs, and columns of the top.

        The bound is rounded up; it is at least :data:`INFINITE` where a worker has no column.  With
        a ``supply`` of fewer requests than wait, of which the columns are, it is of no use.
        """
        loads, free = self.problem.loads[workers], self.problem.free[workers]
        out = np.empty((workers.size, int(free.max())), np.int64)
        supply = self.supply if supply is None else supply
        profit = best_columns(self.sizes, supply, prices, free, top - loads, patience, out)
        costs = np.maximum(0, (level - loads) * SCALE - profit)
        bound = INFINITE
        if (profit > NO_COLUMN // 2).all():
            charge = sum((prices * self.supply).tolist())
            bound = self.of_full(level) - (charge - sum(costs.tolist())) // SCALE
        found = []
        for g, c, row in zip(workers.tolist(), free.tolist(), out, strict=True):
            if row[0] >= 0:
                column = Column(g, tuple(row[:c].tolist()), int(self.sizes[row[:c]].sum()))
                self.columns[column] = None
                found.append(column)
        check(self.deadline)
        return bound, costs, found

    def begin(self, level: int) -> None:
        """First columns and prices: ``max(0, v - v_r)`` for several ranks ``r`` of the sizes."""
        self.note(self.best)
        self.note(aimed(self.problem, level, _AIMING))
        workers = np.flatnonzero(self.problem.free)
        slots = self.problem.free_slots
        descending = np.sort(self.problem.pool)[::-1]
        least, charged = -INFINITE, self.known
        for rank in (0, slots // 8, slots // 4, slots // 2, 3 * slots // 4, slots - 1):
            prices = np.maximum(0, self.sizes - descending[rank]) * SCALE
            bound, costs, _ = self.price(prices, level, level, workers, QUICK)
            if bound > least:
                least, self.prices, charged = bound, prices, self.known.copy()
                charged[workers[costs > 0]] = True
        self.known = charged
        self.first = charged.copy(), dict(self.columns)

    def start(self, level: int) -> tuple[LazyMaster, int]:
        """The linear program of few workers at a level, and a lower bound of what it holds."""
        self.known, self.columns = self.first[0].copy(), dict(self.first[1])
        self.level, self.bound = level, -INFINITE
        self.note(self.best)
        free, room = self.problem.free, level - self.problem.loads
        per_slot = np.sort(room[free > 0] // free[free > 0])
        places = np.linspace(0, per_slot.size - 1, _THRESHOLDS).astype(int)
        thresholds = np.unique(np.maximum(0, per_slot[places]))
        master = LazyMaster(self.sizes, self.supply, free, room, thresholds, self.deadline)
        master.know_sizes(np.flatnonzero(self.prices).tolist())
        self._know(master, np.flatnonzero(self.known))
        return master, self._generate(master, level, -INFINITE)

    def solve(self, level: int) -> int:
        """Search a level for something better; a lower bound of what it holds."""
        master, bound = self.start(level)
        better = True
        while bound < self.upper and better:
            upper = self.upper
            short = self._complete(self._dive(master, level), level)
            new = np.setdiff1d(short, np.flatnonzero(self.known))
            better = self.upper < upper or new.size > 0
            if better and bound < self.upper:
                self.known[new] = True
                self._know(master, new)
                bound = self._generate(master, level, bound, _ROUGH)
        return bound if bound >= self.upper else self._generate(master, level, bound)

    def _know(self, master: LazyMaster, workers: IntArray) -> None:
        """Let a linear program know workers, and the columns they have."""
        master.know_workers(workers.tolist())
        chosen = set(workers.tolist())
        master.extend(
            p for p in self.columns if p.worker in chosen and p.total <= master.room[p.worker]
        )

    def _as_prices(self, values: FloatArray) -> IntArray:
        prices: IntArray = np.clip(np.rint(values).astype(np.int64), 0, self.sizes * SCALE)
        return prices

    def _generate(self, master: LazyMaster, level: int, known: int, rough: int = 0) -> int:
        """Column generation until a bound meets the linear program, or excludes the level.

        One is known, and the better one is returned.  It also ends where the two are within the
        gap divided by ``rough``, if that is not 0.
        """
        workers = np.flatnonzero(self.problem.free)
        base = self.of_full(level)
        value, duals = master.solve()
        best, patience = -INFINITE, QUICK
        while True:
            more = False
            for weight in (_SMOOTHING, 0.0):
                prices = self._as_prices(weight * self.prices + (1 - weight) * SCALE * duals)
                bound, _, found = self.price(prices, level, level, workers, patience)
                if bound > best:
                    best, self.prices = bound, prices
                    self.bound = max(self.bound, bound)
                more = master.extend(found)
                if more:
                    break
            bound = max(best, known)
            near = (self.upper - bound) // rough if rough else 0
            if bound + near >= min(self.upper, base + math.ceil(value - 1e-6)):
                return max(best, known)
            # Long searches are for where short ones find no more columns.
            if more:
                value, duals = master.solve()
            elif patience == _PATIENCE:
                return max(best, known)
            patience = QUICK if more else _PATIENCE

    def _dive(self, master: LazyMaster, level: int) -> list[Column]:
        """A column for each known worker: fixed in turn, the largest values first.

        No two take the same request, and new columns are of those that are left.
        """
        workers = np.flatnonzero(self.known)
        fixed: dict[int, Column] = {}
        left = self.supply.copy()
        while len(fixed) < workers.size:
            shares = ((master.share(p), p) for p in master.columns if p.worker not in fixed)
            order = sorted(((x, p) for x, p in shares if x > 0), key=lambda pair: -pair[0])
            batch = math.ceil(_AT_ONCE * (workers.size - len(fixed)))
            before = len(fixed)
            fitting = [(x, p) for x, p in order if fits(np.array(p.sizes), len(p.sizes), left)]
            # Where none fits, smaller requests are to stand in for those that are gone.
            for x, p in fitting or order[:1]:
                enough = len(fixed) >= before + batch
                if p.worker in fixed or (x <= _INTEGRAL and enough):
                    continue
                if fitting and not fits(np.array(p.sizes), len(p.sizes), left):
                    continue
                fixed[p.worker] = p
                master.fix(p, True)
                for j, n in p.counts.items():
                    left[j] = max(0, left[j] - n)
            if len(fixed) == before:
                break
            if len(fixed) == workers.size:
                break
            free = np.setdiff1d(workers, list(fixed))
            for _ in range(_ROUNDS):
                _, duals = master.solve()
                prices = self._as_prices(SCALE * duals)
                if not master.extend(self.price(prices, level, level, free, QUICK, left)[2]):
                    break
            else:
                master.solve()
        for p in fixed.values():
            master.fix(p, False)
        return [*fixed.values()]

    def _complete(self, columns: list[Column], level: int) -> IntArray:
        """Fill the workers without a column; which do not reach the level.

        Columns may ask for more requests of a size than wait: in descending order each gets the
        largest that is left and fits in its place.
        """
        left = self.supply.copy()
        taken: list[tuple[int, int]] = []
        t = self.sizes.size - 1
        for j, g in sorted(((j, p.worker) for p in columns for j in p.sizes), reverse=True):
            t = min(t, j)
            while t >= 0 and left[t] == 0:
                t -= 1
            if t < 0:
                return np.empty(0, np.int64)
            left[t] -= 1
            taken.append((g, t))
        free, room = self.problem.free, level - self.problem.loads
        others = np.setdiff1d(np.flatnonzero(free), [p.worker for p in columns])
        short = others
        ascending = np.repeat(self.sizes, left)
        for share in _RESTS:
            # A pair has room even where every worker has a single slot.
            out = np.empty((others.size, max(2, int(free.max()))), np.int64)
            slack, now = np.zeros_like(others), left.copy()
            rest = int(ascending[int(share * ascending.size)]) if others.size else 0
            fill_all(
                self.sizes, now, free[others], room[others], rest, _TRIES, out, slack, self.state
            )
            if np.count_nonzero(slack) < short.size:
                short = others[slack > 0]
            if (slack < IMPOSSIBLE).all():
                filled = zip(others.tolist(), free[others].tolist(), out.tolist(), strict=True)
                given = taken + [(g, j) for g, c, row in filled for j in row[:c]]
                sizes = self.sizes.tolist()
                counts = ((g, sizes[j], 1) for g, j in given)
                found = assignment_of_counts(self.problem, counts)
                self.note(found)
                if 0 < np.count_nonzero(slack) <= _ALMOST:
                    self.note(polish(self.problem, found, level, _POLISHING))
            check(self.deadline)
            if short.size == 0:
                break
        return short
