"""Proven optima of steps that no monolithic integer program solves: a scan over the level.

For a fixed largest load ``M`` the step asks each worker to come as close to ``M`` as it can.  Every
worker takes a pattern (:mod:`solvers.patterns`), and prices on the requests give, from one
knapsack table, a lower bound at *every* level at once.  The scan takes the level with the least
bound, improves the prices there by column generation until the bound is that of the pattern
relaxation (:mod:`solvers.mixture`), dives for an assignment that reaches it, and goes on until no
level is left whose bound is below the best assignment.

The bounds are evaluated in integers, whatever the linear programs did, so a claim of optimality
rests on the knapsack table alone.  The relaxation is so tight that most steps need no branching.
"""

import math
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from solvers.balance import solve_step
from solvers.exact import assignment_of_counts, level_range
from solvers.mixture import Mixture, Pattern
from solvers.patterns import (
    MOST_SLOTS,
    NONE,
    SCALE,
    bounds_by_level,
    knapsack,
    read_pattern,
)
from solvers.step import StepProblem, StepSolution
from theory.model import IntArray

# Most entries of the knapsack tables together, about half a gigabyte.
_MOST_CELLS = 10**8

# Weight of the best prices so far against the latest: keeps column generation from swinging.
_SMOOTHING = 0.7

# A mixture starts with the best patterns of each worker; the others come back when they price out.
_PER_WORKER = 10

# Patterns with at least this share are fixed together in a dive, and at least this many workers;
# a dive takes so many steps back.
_SURE = 0.99
_AT_ONCE = 0.1
_STEPS_BACK = 30

# An integer program over the patterns found gets so long.
_CHOOSING_S = 5.0

# Branching on a level gives up after so many nodes.
_MOST_NODES = 2000

# Bound of a level that no assignment reaches.
_NEVER = 2**61


@dataclass(frozen=True, slots=True)
class _Rest:
    """What is left to decide at a level.

    Parameters
    ----------
    workers : tuple of int
        Workers that still take something.
    free, room : int64[G]
        Slots and room that each of them has left.
    supply : int64[m]
        Requests of each size that are left.
    spent : int
        Distance to the level of the other workers.
    taken : tuple of Pattern
        What was given already.
    """

    workers: tuple[int, ...]
    free: IntArray
    room: IntArray
    supply: IntArray
    spent: int
    taken: tuple[Pattern, ...] = ()

    def give(self, patterns: Iterable[Pattern], last: bool = True) -> "_Rest":
        """Give patterns to their workers, those of them whose requests are left.

        A worker is done when it has no slot left, or when the pattern was its last.
        """
        free, room, supply = self.free.copy(), self.room.copy(), self.supply.copy()
        spent = self.spent
        taken = list(self.taken)
        done = set()
        for p in patterns:
            counts = p.counts
            if all(supply[j] >= n for j, n in counts.items()):
                for j, n in counts.items():
                    supply[j] -= n
                free[p.worker] -= len(p.sizes)
                room[p.worker] -= p.total
                taken.append(p)
                if last or free[p.worker] == 0:
                    done.add(p.worker)
                    spent += int(room[p.worker])
        workers = tuple(g for g in self.workers if g not in done)
        return _Rest(workers, free, room, supply, spent, tuple(taken))

    def without(self, size: int) -> "_Rest":
        """Leave every request of a size waiting."""
        supply = self.supply.copy()
        supply[size] = 0
        return replace(self, supply=supply)


@dataclass(frozen=True, slots=True)
class _Bounded:
    """A rest with the relaxation of it.

    Parameters
    ----------
    bound : int
        No completion at this level has a smaller imbalance; exact.
    prices : int64[m]
        Prices that prove it.
    guess : int
        The same from the linear program, rounded up; not proved.
    patterns : list of Pattern
        Patterns in the linear program.
    order : list of Pattern
        Patterns in its solution by falling share, one for a worker.
    sure : int
        How many of them have the whole share.
    split : int
        The largest size on which the linear program has not decided, or -1.
    """

    rest: _Rest
    bound: int
    prices: IntArray
    guess: int
    patterns: list[Pattern]
    order: list[Pattern]
    sure: int
    split: int


class _TooLargeError(Exception):
    """The tables of a scan cannot be held."""


class _Scan:
    """The state of one scan: the best assignment, the bound of each level, the patterns so far.

    Raises
    ------
    _TooLargeError
        If a worker has too many free slots, or levels or room are too many for the tables.
    """

    def __init__(self, problem: StepProblem, start: StepSolution, deadline: float) -> None:
        self.problem = problem
        self.deadline = deadline
        self.best = start.assignment
        self.upper = start.imbalance
        self.sizes, self.supply = np.unique(problem.pool, return_counts=True)
        self.free = np.minimum(problem.free, problem.pool.size)
        self.open = np.flatnonzero(self.free)
        self.filled = problem.admissions == sum(problem.free.tolist())
        self.least, most = level_range(problem, self.upper - 1)
        self.slots = int(self.free.max())
        self.reach = max(0, most - int(problem.loads[self.open].min()))
        tables = (self._rows(self.supply).size // 4 + self.slots + 1) * (self.reach + 1)
        if self.slots > MOST_SLOTS or tables + most - self.least > _MOST_CELLS:
            raise _TooLargeError
        # Where the whole pool is admitted the total is fixed, and with it the imbalance at a level.
        level = np.arange(self.least, most + 1)
        total = sum(problem.loads.tolist()) + sum(problem.pool.tolist())
        self.everyone = problem.admissions == problem.pool.size
        self.floor = problem.workers * level - total if self.everyone else np.zeros_like(level)
        self.lower = self.floor.copy()
        self.prices: dict[int, IntArray] = {}
        self.patterns: dict[Pattern, None] = {}

    def _rows(self, supply: IntArray) -> IntArray:
        copies = np.where(self.sizes <= self.reach, np.minimum(supply, self.slots), 0)
        return np.repeat(np.arange(self.sizes.size), copies)

    def whole(self, level: int) -> _Rest:
        """Nothing decided; workers without a free slot stay at their distance."""
        room = level - self.problem.loads
        spent = sum(room[self.free == 0].tolist())
        return _Rest(tuple(self.open.tolist()), self.free, room, self.supply, spent)

    def aim(self, level: int) -> int:
        """The largest imbalance at the level that would be an improvement."""
        return int(self.floor[level - self.least]) if self.everyone else self.upper - 1

    def price(self, rest: _Rest, prices: IntArray) -> tuple[int, list[Pattern]]:
        """Bound under the prices, times ``SCALE``, and the best pattern of each worker."""
        rows = self._rows(rest.supply)
        self.table = np.empty((self.slots + 1, self.reach + 1), np.int64)
        choice = np.empty((rows.size, self.reach + 1), np.uint16)
        profits = self.sizes * SCALE - prices
        knapsack(self.sizes, profits, rows, self.filled, self.table, choice)
        bound = rest.spent * SCALE - sum((rest.supply * prices).tolist())
        found = []
        out = np.empty(self.slots, np.int64)
        for g in rest.workers:
            k, room = int(rest.free[g]), int(rest.room[g])
            if self.table[k, room] < NONE // 2:
                return _NEVER, []
            n = read_pattern(self.sizes, rows, choice, k, room, out)
            chosen = np.sort(out[:n])
            found.append(Pattern(g, tuple(chosen.tolist()), int(self.sizes[chosen].sum())))
            bound += room * SCALE - int(self.table[k, room])
        self.patterns.update(dict.fromkeys(found))
        return bound, found

    def raise_levels(self, prices: IntArray) -> None:
        """Raise the bounds of all levels by the table of the whole pool under these prices."""
        charge = sum((self.supply * prices).tolist())
        before = self.lower.copy()
        bounds_by_level(self.problem.loads, self.free, self.table, charge, self.least, self.lower)
        if self.everyone:
            self.lower[self.lower > self.floor] = _NEVER
        for at in np.flatnonzero(self.lower > before).tolist():
            self.prices[self.least + at] = prices

    def mixture(self, rest: _Rest, patterns: Iterable[Pattern]) -> Mixture:
        """A mixture for the rest, with those of the patterns that fit."""
        empty = float(self.upper) if self.filled else None
        mixture = Mixture(rest.workers, rest.free, rest.room, rest.supply, empty)
        mixture.extend(patterns)
        return mixture

    def promising(self, level: int, prices: IntArray) -> list[Pattern]:
        """The best patterns so far of each worker that fit below the level."""
        room = (level - self.problem.loads).tolist()
        profit: list[int] = (self.sizes * SCALE - prices).tolist()
        left = dict.fromkeys(self.open.tolist(), _PER_WORKER)
        chosen = []
        for p in sorted(self.patterns, key=lambda p: -sum(profit[j] for j in p.sizes)):
            if left[p.worker] > 0 and p.total <= room[p.worker]:
                left[p.worker] -= 1
                chosen.append(p)
        return chosen

    def relax(
        self, level: int, rest: _Rest, goal: int, prices: IntArray, patterns: list[Pattern]
    ) -> _Bounded:
        """Column generation for the rest, until the bound is that of the pattern relaxation.

        It starts from prices and patterns, and ends sooner where the bound excludes an
        improvement, or where the linear program promises the goal, which is known to be a bound
        already.
        """
        whole = rest.supply is self.supply
        best_prices = prices
        mixture = self.mixture(rest, patterns)
        best = -_NEVER
        while True:
            value, duals = mixture.solve()
            guess = math.ceil(rest.spent + value - 1e-6)
            bound = max(goal, -(-best // SCALE))
            if bound >= min(guess, self.aim(level) + 1) or time.monotonic() > self.deadline:
                break
            for weight in (_SMOOTHING, 0.0):
                mixed = np.rint(weight * best_prices + (1 - weight) * SCALE * duals)
                scaled = mixed.astype(np.int64)
                proved, found = self.price(rest, scaled)
                if whole:
                    self.raise_levels(scaled)
                if proved > best:
                    best, best_prices = proved, scaled
                if mixture.extend(found):
                    break
            else:
                break
        share = mixture.shares()
        order: dict[int, Pattern] = {}
        sure, split = 0, -1
        for i in np.argsort(-share, kind="stable").tolist():
            if share[i] > 1e-6:
                p = mixture.patterns[i]
                first = order.setdefault(p.worker, p)
                sure += share[i] >= _SURE
                differ = Counter(p.sizes)
                differ.subtract(Counter(first.sizes))
                split = max([split, *(j for j, n in differ.items() if n)])
        # Half a pattern may hide that two workers want the same request.
        wanted = Counter(j for p in order.values() for j in p.sizes)
        split = max([split, *(j for j, n in wanted.items() if n > rest.supply[j])])
        bound = max(goal, -(-best // SCALE))
        return _Bounded(
            rest, bound, best_prices, guess, mixture.patterns, [*order.values()], sure, split
        )

    def dive(self, level: int, start: _Bounded) -> None:
        """Fix patterns a few at a time, and keep the assignment if it is better.

        A step that costs something is taken back and tried in a smaller one, or with another
        pattern; when too many have been taken back, the least loss is accepted.
        """
        goal, back, node = start.guess, _STEPS_BACK, start
        while node.rest.workers:
            batch = max(node.sure, math.ceil(_AT_ONCE * len(node.rest.workers)))
            order = node.order
            least: _Bounded | None = None
            while order:
                rest = node.rest.give(order[:batch])
                child = self.relax(level, rest, goal, node.prices, node.patterns)
                if least is None or child.guess < least.guess:
                    least = child
                if child.guess <= goal or back == 0:
                    break
                back -= 1
                if batch > 1:
                    batch //= 2
                else:
                    order = order[1:]
            if least is None or least.guess > self.aim(level):
                return
            node = least
            goal = max(goal, node.guess)
        self.keep(node.rest.taken)

    def search(self, level: int, root: _Bounded) -> None:
        """Decide the level by branching on who takes the largest request that is divided."""
        stack, nodes = [root], 0
        while stack and nodes < _MOST_NODES and time.monotonic() < self.deadline:
            node = stack.pop()
            nodes += 1
            if node.bound > self.aim(level):
                continue
            if node.split < 0:
                # The linear program has no doubt left: its solution is an assignment.
                self.keep(node.rest.give(node.order).taken)
                if node.bound <= self.aim(level):
                    return
                continue
            children = [
                self.relax(level, rest, node.bound, node.prices, patterns)
                for rest, patterns in self.branches(level, node)
            ]
            children.sort(key=lambda b: -b.bound)
            stack += children
        if not stack:
            self.lower[level - self.least] = _NEVER if self.everyone else self.upper

    def branches(self, level: int, node: _Bounded) -> list[tuple[_Rest, list[Pattern]]]:
        """One branch for each worker that can take the divided size, and one where all wait."""
        bound, _ = self.price(node.rest, node.prices)
        slack = self.aim(level) * SCALE - bound
        j = node.split
        size = int(self.sizes[j])
        profit = size * SCALE - int(node.prices[j])
        branches = [(node.rest.without(j), node.patterns)]
        for g in node.rest.workers:
            k, room = int(node.rest.free[g]), int(node.rest.room[g])
            if size > room:
                continue
            loss = int(self.table[k, room] - self.table[k - 1, room - size]) - profit
            if loss <= slack:
                rest = node.rest.give([Pattern(g, (j,), size)], last=False)
                patterns = [q for p in node.patterns if p.worker == g and (q := p.less(j, size))]
                branches.append((rest, node.patterns + patterns))
        return branches

    def choose(self, level: int, root: _Bounded) -> None:
        """Let an integer program choose among the patterns that an improvement can use."""
        bound, _ = self.price(root.rest, root.prices)
        slack = self.aim(level) * SCALE - bound
        profit: list[int] = (self.sizes * SCALE - root.prices).tolist()
        best = {g: int(self.table[self.free[g], root.rest.room[g]]) for g in root.rest.workers}
        usable = (
            p for p in self.patterns if best[p.worker] - sum(profit[j] for j in p.sizes) <= slack
        )
        limit = min(_CHOOSING_S, self.deadline - time.monotonic())
        taken = self.mixture(root.rest, usable).choose(
            self.upper - root.rest.spent, max(0.0, limit)
        )
        if taken is not None:
            self.keep(taken)

    def keep(self, taken: Iterable[Pattern]) -> None:
        """Make the assignment of the patterns the best one if it is."""
        counts = [(p.worker, int(self.sizes[j]), n) for p in taken for j, n in p.counts.items()]
        assignment = assignment_of_counts(self.problem, counts)
        self.problem.validate(assignment)
        value = self.problem.objective(assignment)
        if value < self.upper:
            self.best, self.upper = assignment, value

    def run(self) -> None:
        """Scan until the two sides meet, or the time is over."""
        slots = sum(self.free.tolist())
        descending = np.sort(self.problem.pool)[::-1]
        for rank in (0, slots // 8, slots // 4, slots // 2, slots - 1):
            over = descending[min(rank, descending.size - 1)]
            prices = np.maximum(0, self.sizes - over) * SCALE
            self.price(self.whole(self.least), prices)
            self.raise_levels(prices)
        while time.monotonic() < self.deadline and self.lower.min() < self.upper:
            at = int(np.argmin(self.lower))
            level = self.least + at
            prices = self.prices.get(level, np.zeros_like(self.sizes))
            patterns = self.promising(level, prices)
            root = self.relax(level, self.whole(level), int(self.lower[at]), prices, patterns)
            for improve in (self.dive, self.choose, self.search):
                # Only the level with the least bound is worth more than a dive.
                if self.lower[at] < self.upper and (
                    improve == self.dive or self.lower[at] == self.lower.min()
                ):
                    improve(level, root)
            if self.lower[at] == self.lower.min() < self.upper:
                return


def solve_scan(problem: StepProblem, time_limit_s: float | None = None) -> StepSolution:
    """Optimal assignment of one step, by bounds at every level and column generation.

    Parameters
    ----------
    problem : StepProblem
        Any; with more than 16 free slots on a worker, or sizes too large for a table, the result
        is that of :func:`solvers.balance.solve_step`.
    time_limit_s : float, optional
        Wall-clock limit; what was found by then is returned.

    Returns
    -------
    StepSolution
        ``lower_bound`` is proved in integer arithmetic; no solver's word is taken for it.
    """
    start = solve_step(problem, effort=3)
    if start.optimal:
        return start
    deadline = math.inf if time_limit_s is None else time.monotonic() + time_limit_s
    try:
        scan = _Scan(problem, start, deadline)
    except _TooLargeError:
        return start
    scan.run()
    lower = min(scan.upper, int(scan.lower.min(initial=_NEVER)))
    return StepSolution(scan.best, scan.upper, max(lower, start.lower_bound))
