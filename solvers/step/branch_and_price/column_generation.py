"""Column generation: the bound of the pattern relaxation at one level, and the best known so far.

The linear program (:mod:`solvers.step.branch_and_price.master_problem`) chooses among the patterns
found; its prices go into the table (:mod:`solvers.step.branch_and_price.level_bounds`), which gives
a bound and, where it can, better patterns.  What the linear program says decides where to look;
what is proved comes from the table.
"""

import math
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from solvers.step.branch_and_price.columns import SCALE, Pattern
from solvers.step.branch_and_price.level_bounds import LevelBounds
from solvers.step.branch_and_price.master_problem import Mixture
from solvers.step.branch_and_price.pricing import NO_PATTERN, PatternTables
from solvers.step.branch_and_price.residual import Rest
from solvers.step.exact.milp import assignment_of_counts
from solvers.step.fast.local_search import polish
from solvers.step.problem import AssignmentError, StepProblem, StepSolution
from theory.model import InputError, IntArray

# Weight of the best prices so far against the latest: keeps column generation from swinging.
_SMOOTHING = 0.7

# A mixture starts with the best patterns of each worker; the others come back when they price out.
_PER_WORKER = 10

# Patterns with at least this share are fixed together in a dive.
_SURE = 0.99

# Requests looked at in vain for the best pattern of a worker: as a rule, before giving up, and
# where that may close a level; each is so much more than the one before.
_QUICK = 2**16
_THOROUGH = 2**20
_LONG = 2**24
_FURTHER = 2**4

# Work in polishing an assignment.
_POLISHING = 2**22

# Cost of a worker without a pattern, in units of the largest distance.  A smaller one would pay:
# the linear program would leave a worker half empty to spare requests for the others.
_EMPTY = 10


@dataclass(frozen=True, slots=True)
class Bounded:
    """A rest with the relaxation of it.

    Parameters
    ----------
    levels : LevelBounds
        The bounds of all levels.
    at : int
        The entry of the level.
    rest : Rest
        What is left to decide there.
    bound : int
        No completion at this level has a smaller imbalance, if the goal given was a bound; exact.
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

    levels: LevelBounds
    at: int
    rest: Rest
    bound: int
    prices: IntArray
    guess: int
    patterns: list[Pattern]
    order: list[Pattern]
    sure: int
    split: int


class Relaxation:
    """The best assignment known, the bounds of all levels, and the patterns found so far.

    ``open`` holds the bounds of the branches that together hold all improvements; at first there is
    a single one.

    Parameters
    ----------
    problem : StepProblem
        The step.
    start : StepSolution
        An assignment to improve on.
    deadline : float
        When to stop, by ``time.monotonic``.
    size : tuple of int, int
        About the most cells of the table, and entries of levels.
    coarser : Relaxation, optional
        One of the same step, with smaller tables, to go on from.

    Raises
    ------
    TooLargeError
        If the tables cannot be held.
    """

    def __init__(
        self,
        problem: StepProblem,
        start: StepSolution,
        deadline: float,
        size: tuple[int, int],
        coarser: "Relaxation | None" = None,
    ) -> None:
        self.problem = problem
        self.deadline = deadline
        self.best = start.assignment
        self.upper = start.imbalance
        cells, self._entries = size
        if coarser is None:
            self.open = [LevelBounds.of(problem, self.upper, self._entries)]
            self.stride = self.open[0].stride
        else:
            still = [b for b in coarser.open if b.least < self.upper]
            self.stride = sum(b.open_levels(self.upper) for b in still) // self._entries + 1
            self.open = [b.refined(self.upper, self.stride) for b in still]
        tops = [int(b.level[-1]) + self.stride - 1 for b in self.open if b.level.size]
        self.tables = PatternTables(problem, max(tops, default=0), self.stride, cells)
        # Patterns of whole workers, whatever was given to them.
        self.patterns: dict[Pattern, None] = coarser.patterns if coarser else {}
        self._note_best()
        # The best prices of the last level are often good at the next.
        self._last: IntArray = coarser._last if coarser else np.zeros_like(self.tables.sizes)

    def _note_best(self) -> None:
        """Note the patterns of the best assignment."""
        sizes = self.tables.sizes
        place = np.searchsorted(sizes, self.problem.pool)
        for g in range(self.problem.workers):
            taken = np.sort(place[self.best == g])
            if taken.size:
                self.patterns[Pattern(g, tuple(taken.tolist()), int(sizes[taken].sum()))] = None

    @property
    def lower(self) -> int:
        """Lower bound of the imbalance of every assignment."""
        return min(self.upper, min((b.least for b in self.open), default=self.upper))

    def few(self) -> bool:
        """Whether entries hold many levels, and so few are left that each can have its own."""
        left = sum(b.open_levels(self.upper) for b in self.open)
        return self.stride > 1 and left <= self._entries

    def aim(self, node: Bounded) -> int:
        """The largest imbalance at the level that would be an improvement."""
        return node.levels.aim(node.at, self.upper)

    def keep(self, taken: Iterable[Pattern], node: Bounded) -> None:
        """Make the assignment of the patterns the best one if it is valid and better."""
        sizes = self.tables.sizes
        counts = [(p.worker, int(sizes[j]), n) for p in taken for j, n in p.counts.items()]
        try:
            assignment = assignment_of_counts(self.problem, counts)
            self.problem.validate(assignment)
        except (AssignmentError, InputError):
            return
        if not self.tables.everyone:
            level = int(node.levels.level[node.at])
            assignment = polish(self.problem, assignment, level, _POLISHING)
        value = self.problem.objective(assignment)
        if value < self.upper:
            self.best, self.upper = assignment, value
            self._note_best()

    def mixture(self, rest: Rest, patterns: Iterable[Pattern]) -> Mixture:
        """A mixture for the rest, with those of the patterns that fit."""
        tables = self.tables
        empty = float(_EMPTY * max(self.upper, tables.farthest)) if tables.filled else None
        mixture = Mixture(rest.workers, rest.free, rest.room, rest.supply, empty, tables.excess)
        mixture.extend(patterns)
        return mixture

    def promising(self, levels: LevelBounds, at: int, prices: IntArray) -> list[Pattern]:
        """The best patterns so far of each worker that fit below the level."""
        room = (levels.level[at] - levels.loads + self.stride - 1).tolist()
        profit: list[int] = (self.tables.sizes * SCALE - prices).tolist()
        left = dict.fromkeys(np.flatnonzero(levels.free).tolist(), _PER_WORKER)
        patterns = [q for p in self.patterns if (q := levels.left_of(p)) is not None]
        chosen = []
        for p in sorted(patterns, key=lambda p: -sum(profit[j] for j in p.sizes)):
            if left.get(p.worker, 0) > 0 and p.total <= room[p.worker]:
                left[p.worker] -= 1
                chosen.append(p)
        return chosen

    def relax(
        self,
        levels: LevelBounds,
        at: int,
        rest: Rest,
        goal: int,
        prices: IntArray,
        patterns: list[Pattern],
    ) -> Bounded:
        """Column generation for the rest, until the bound is that of the pattern relaxation.

        It starts from prices and patterns, and ends sooner where the bound excludes an
        improvement, or where the linear program promises the goal, which is known to be a bound
        already.  Where the rest is all of the levels, it looks further for patterns, and raises
        their bounds.
        """
        tables, aim = self.tables, levels.aim(at, self.upper)
        whole = rest.supply is levels.supply
        mixture = self.mixture(rest, patterns)
        best, best_prices, guess = -NO_PATTERN, prices, -NO_PATTERN
        trials = [prices, self._last] if whole else [prices]
        patience = _QUICK
        while True:
            more = False
            for scaled in trials:
                proved, found = tables.price(rest, scaled, patience, self.deadline)
                self.patterns.update(dict.fromkeys(map(levels.complete, found)))
                if whole:
                    levels.raise_all(tables, scaled)
                    levels.raise_one(at, proved, scaled)
                if proved > best:
                    best, best_prices = proved, scaled
                bound = max(goal, -(-best // SCALE))
                more = mixture.extend(found)
                late = time.monotonic() > self.deadline
                if late or bound > aim or (more and guess > -NO_PATTERN):
                    break
            if bound > aim:
                break
            # What a quick search finds is enough while it finds something; the longest is worth it
            # where the linear program says that the level can be closed.
            if guess > -NO_PATTERN and not more:
                most = _LONG if guess > aim else _THOROUGH
                if not whole or self.stride > 1:
                    most = _QUICK
                if patience >= most:
                    break
                patience = min(patience * _FURTHER, most)
            else:
                patience = _QUICK
            value, duals = mixture.solve()
            guess = math.ceil(rest.spent + value - 1e-6)
            if late or bound >= guess:
                break
            trials = [
                tables.as_prices(weight * best_prices + (1 - weight) * SCALE * duals)
                for weight in (_SMOOTHING, 0.0)
            ]
        if whole:
            self._last = best_prices
        known = levels, at, rest, bound, best_prices, max(guess, bound), mixture.patterns
        return Bounded(*known, *(self._read(mixture, rest) if bound <= aim else ([], 0, -1)))

    def clear(self, levels: LevelBounds, at: int, prices: IntArray) -> None:
        """Close open levels above a closed one by the same prices, many at a time."""
        lower = levels.lower
        patience = _THOROUGH if self.stride == 1 else _QUICK
        step = 1
        while step > 0 and at + 1 < lower.size and lower[at + 1] < self.upper:
            to = min(at + step, lower.size - 1)
            bound, _ = self.tables.price(levels.rest(to), prices, patience, self.deadline)
            levels.raise_one(to, bound, prices)
            closed = (lower[at + 1 : to + 1] >= self.upper).all()
            at, step = (to, 2 * step) if closed else (at, step // 2)
            if time.monotonic() > self.deadline:
                break

    def _read(self, mixture: Mixture, rest: Rest) -> tuple[list[Pattern], int, int]:
        """``order``, ``sure`` and ``split`` of a solution."""
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
        return [*order.values()], sure, split
