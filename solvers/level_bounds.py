"""Lower bounds of a step's imbalance at every level at once, from one knapsack table.

At a level ``M`` each worker takes a pattern (:mod:`solvers.patterns`), and the distance of the
workers to the level is the imbalance.  Prices on the requests separate the workers (Lagrange), and
one table of the most that ``k`` requests within a room can bring serves all workers and all levels;
patterns of one or two requests need no table (:mod:`solvers.short_patterns`).

A small table is quick and a little weak: sizes are rounded down to multiples of a unit where they
must fit, and levels are taken several at a time, with distances counted from the lowest of them and
room to the highest.  The bounds hold all the same.  At a single level a pattern that fits only as
rounded is replaced by the best that fits (:mod:`solvers.near_patterns`), which is nearly exact.
"""

from collections.abc import Iterator

import numpy as np

from solvers.compiled import compiled
from solvers.exact import level_range
from solvers.near_patterns import Choice, best_fitting, draw_patterns, near_patterns
from solvers.patterns import (
    MOST_SLOTS,
    NONE,
    SCALE,
    Pattern,
    knapsack,
    read_pattern,
)
from solvers.rest import Rest
from solvers.short_patterns import (
    NO_PATTERNS,
    BestShort,
    most_within,
    near_short,
    place_within,
    price_short,
    short_patterns,
)
from solvers.step import StepProblem
from theory.model import FloatArray, IntArray

# Most pairs of sizes; where there are more, the table serves workers with two slots too.
_MOST_PAIRS = 2**22

# Loads and sizes together stay below this, so that scaled sums fit an int64 beside NONE.
_MOST_LOAD = 2**46

# Patterns near the best of a worker are listed by looking at so many requests.
_MOST_WORK = 2**20

# Bound of a level that no assignment reaches.
NEVER = 2**61


class TooLargeError(Exception):
    """The tables of a step cannot be held."""


class LevelBounds:
    """The levels of a step that an improvement could have, and a lower bound at each.

    Parameters
    ----------
    problem : StepProblem
        The step.
    upper : int
        An imbalance that is to be beaten.
    size : tuple of int, int
        About the most words of the table with its choices, and the most entries of levels.
    coarser : LevelBounds, optional
        Bounds of the same step with a smaller table, to start from.

    Attributes
    ----------
    sizes, supply : int64[m]
        Distinct sizes and how often each waits.
    free : int64[G]
        Free slots, no more than requests wait.
    filled, everyone : bool
        Whether every slot is filled, and whether every request is admitted.
    level, stride : int64[e], int
        Entry ``at`` is for the ``stride`` levels from ``level[at]``.
    unit : int
        Sizes are rounded down to multiples of it in the table.
    floor : int64[e]
        Imbalance at the level where everyone is admitted, for then it is fixed; else 0.
    lower : int64[e]
        Lower bound of the imbalance of assignments whose largest load is there.

    Raises
    ------
    TooLargeError
        If a worker has more than 16 free slots, or loads and sizes are beyond 2^46 in sum.
    """

    def __init__(
        self,
        problem: StepProblem,
        upper: int,
        size: tuple[int, int],
        coarser: "LevelBounds | None" = None,
    ) -> None:
        cells, self._entries = size
        self.problem = problem
        self.sizes, self.supply = np.unique(problem.pool, return_counts=True)
        self.free = np.minimum(problem.free, problem.pool.size)
        self.open = np.flatnonzero(self.free)
        self.filled = problem.admissions == sum(problem.free.tolist())
        self.everyone = problem.admissions == problem.pool.size
        self.slots = int(self.free.max())
        total = sum(problem.loads.tolist()) + sum(problem.pool.tolist())
        if self.slots > MOST_SLOTS or problem.workers * total >= _MOST_LOAD:
            raise TooLargeError
        least, most = level_range(problem, upper - 1)
        if coarser is None:
            self.stride: int = max(0, most - least) // self._entries + 1
            self.level: IntArray = np.arange(least, most + 1, self.stride)
        else:
            still = np.flatnonzero(coarser.lower < upper)
            self.stride = still.size * coarser.stride // self._entries + 1
            part = np.arange(0, coarser.stride, self.stride)
            self.level = np.add.outer(coarser.level[still], part).ravel()
            still = np.repeat(still, part.size)
        # Where the whole pool is admitted the total is fixed, and with it the imbalance at a level.
        self.floor = np.zeros_like(self.level)
        if self.everyone:
            self.floor = np.maximum(problem.workers * self.level - total, 0)
        self.lower: IntArray = self.floor.copy()
        # The prices behind the bound of each entry, as places in a list.
        self._prices = [np.zeros_like(self.sizes)]
        self._priced = np.zeros_like(self.level)
        if coarser is not None:
            self.lower = np.maximum(self.lower, coarser.lower[still])
            self._prices, self._priced = coarser._prices, coarser._priced[still]

        def farthest(slots: int) -> int:
            open_ = problem.loads[self.free >= slots]
            top = int(self.level[-1]) + self.stride - 1 if self.level.size else 0
            return max(0, top - int(open_.min())) if open_.size else 0

        self.farthest = farthest(1)
        pairs = self.sizes.size**2 < 2 * _MOST_PAIRS
        self.short = [
            short_patterns(self.sizes, self.supply, k, farthest(k))
            for k in (1, 2)[: 1 + pairs]
            if self.filled
        ]
        # The supply and the prices that lists and table are filled for.
        self._filled = np.empty((2, 0), np.int64)
        self._best_short = [NO_PATTERNS] * len(self.short)
        # A choice takes a quarter of a word for each request and unit of room.
        words = int(np.minimum(self.supply, self.slots).sum()) // 4 + self.slots + 1
        self.unit = words * (farthest(len(self.short) + 1) + 1) // cells + 1
        self.reach = farthest(len(self.short) + 1) // self.unit
        self.weights = self.sizes // self.unit
        self.table = np.empty((self.slots + 1, self.reach + 1), np.int64)
        self._choice = np.empty((self._rows(self.supply).size, self.reach + 1), np.uint16)

    def _rows(self, supply: IntArray) -> IntArray:
        """Index of the size of each request that a worker could take, equal sizes in a row."""
        copies = np.where(self.weights <= self.reach, np.minimum(supply, self.slots), 0)
        return np.repeat(np.arange(self.sizes.size), copies)

    @property
    def excess(self) -> int:
        """How far a pattern may reach above the lowest level of an entry."""
        return (self.slots + 1) * (self.unit - 1) + self.stride - 1

    @property
    def exact(self) -> bool:
        """Whether nothing is rounded: levels are taken one at a time, and sizes as they are."""
        return self.unit == self.stride == 1

    def few(self, upper: int) -> bool:
        """Whether so few levels are left open below an imbalance that each can have an entry."""
        return int(np.count_nonzero(self.lower < upper)) * self.stride <= self._entries

    def whole(self, at: int) -> Rest:
        """Nothing decided; workers without a free slot stay at their distance."""
        room = int(self.level[at]) - self.problem.loads
        spent = sum(room[self.free == 0].tolist())
        return Rest(tuple(self.open.tolist()), self.free, room, self.supply, spent)

    def fill(self, supply: IntArray, prices: IntArray) -> IntArray:
        """Price all patterns that the supply holds; returns the rows of the table."""
        if np.array_equal(self._filled, (supply, prices)):
            return self._rows(supply)
        self._filled = np.array((supply, prices))
        profits = self.sizes * SCALE - prices
        self._best_short = [
            price_short(patterns, length, profits, supply)
            for length, patterns in enumerate(self.short, 1)
        ]
        rows = self._rows(supply)
        if self.slots > len(self.short):
            choice = self._choice[: rows.size]
            knapsack(self.weights, profits, rows, self.filled, self.table, choice)
        return rows

    def price(self, rest: Rest, prices: IntArray, patience: int) -> tuple[int, list[Pattern]]:
        """Bound under the prices, times ``SCALE``, and the best pattern of each worker.

        It rests on the tables alone and holds for all prices ``>= 0``.  The search for a pattern
        that truly fits gives up after looking at ``patience`` requests in vain.
        """
        rows = self.fill(rest.supply, prices)
        profits = self.sizes * SCALE - prices
        bound = rest.spent * SCALE - sum((rest.supply * prices).tolist())
        found = []
        for g in rest.workers:
            k, room = int(rest.free[g]), int(rest.room[g])
            distance = self.distance(k, room)
            if distance == NEVER:
                return NEVER, []
            chosen = self._read(rows, k, room)
            most = room + self.stride - 1
            if self.filled and int(self.sizes[chosen].sum()) > most:
                fitting = chosen[None].copy()
                choice = self._choices(rest.supply, profits, most)
                distance += best_fitting(choice, room * SCALE - distance, patience, fitting)
                chosen = fitting[0]
            found.append(Pattern(g, tuple(chosen.tolist()), int(self.sizes[chosen].sum())))
            bound += distance
        return bound, found

    def _choices(self, supply: IntArray, profits: IntArray, room: int) -> Choice:
        """What a worker with that room can choose from, as last filled."""
        singles, pairs = (*self._best_short, NO_PATTERNS, NO_PATTERNS)[:2]
        return Choice(self.sizes, profits, supply, self.table, self.unit, singles, pairs, room)

    def distance(self, slots: int, room: int) -> int:
        """What a worker misses and pays at least, as last filled; or :data:`NEVER`.

        ``room`` is that below the lowest level of an entry; what fits below the highest counts.
        """
        most = room + self.stride - 1
        best = 0 if slots == 0 and most >= 0 else NONE
        if 0 < slots <= len(self.short):
            best = most_within(self._best_short[slots - 1], most)[0]
        elif slots > 0 and most >= 0:
            best = int(self.table[slots, most // self.unit])
        return max(0, room * SCALE - best) if best > NONE // 2 else NEVER

    def _read(self, rows: IntArray, slots: int, room: int) -> IntArray:
        """Ascending indices of the sizes behind :meth:`distance`, where something fits."""
        most = room + self.stride - 1
        if 0 < slots <= len(self.short):
            short = self._best_short[slots - 1]
            at = most_within(short, most)[1]
            return np.array([short.first[at], short.second[at]][:slots])
        out = np.empty(slots, np.int64)
        n = read_pattern(self.weights, rows, self._choice, slots, most // self.unit, out)
        return np.sort(out[:n])

    def slack(self, rest: Rest, prices: IntArray, aim: int) -> int:
        """What the workers may lose together against their distances to end at ``aim`` or less.

        The tables are filled by these prices; in units of ``1 / SCALE``.
        """
        least = sum(self.distance(int(rest.free[g]), int(rest.room[g])) for g in rest.workers)
        charge: int = sum((rest.supply * prices).tolist())
        return (aim - rest.spent) * SCALE + charge - least

    def near(self, rest: Rest, prices: IntArray, slack: int, number: int) -> Iterator[Pattern]:
        """Patterns of each worker that lose at most ``slack`` against its :meth:`distance`.

        All of them, or where there are more than ``number`` those that lose least, and as many
        that are drawn from those that lose a little more.  The tables are filled by these prices.
        """
        profits = self.sizes * SCALE - prices
        for g in rest.workers:
            k, room = int(rest.free[g]), int(rest.room[g])
            distance = self.distance(k, room)
            if distance == NEVER:
                continue
            most = room * SCALE - distance
            room += self.stride - 1
            choice = self._choices(rest.supply, profits, room)
            found, drawn = np.empty((2, number, k), np.int64)
            loss, others = slack, 0
            while True:
                if k <= len(self.short):
                    near = (self.short[k - 1], profits, rest.supply, room, most - loss, found)
                    count, complete = near_short(*near)
                else:
                    count, complete = near_patterns(choice, most - loss, NONE, _MOST_WORK, found)
                if complete or loss == 0:
                    break
                if k > len(self.short):
                    others = draw_patterns(choice, most - loss, drawn)
                loss //= 4
            for chosen in (*found[:count], *drawn[:others]):
                yield Pattern(g, tuple(chosen.tolist()), int(self.sizes[chosen].sum()))

    def raise_all(self, prices: IntArray) -> None:
        """Raise the bounds of all levels; the tables are filled by these prices for all."""
        distance = np.full(self.level.size, -sum((self.supply * prices).tolist()))
        for load, k in zip(self.problem.loads, self.free, strict=True):
            if k == 0:
                distance += (self.level - load) * SCALE
            elif k <= len(self.short):
                short = self._best_short[k - 1]
                add_short(self.level - load, self.stride, short, distance)
            else:
                add_table(self.level - load, self.stride, self.table[k], self.unit, distance)
        self._raise_to(-(-distance // SCALE), prices)

    def raise_one(self, at: int, bound: int, prices: IntArray) -> None:
        """Raise the bound of one entry to that of :meth:`price`, which is in units of ``SCALE``.

        Those of lower levels rise with it: where every worker has less room, none can bring more,
        so one level down the bound falls by no more than the number of workers.
        """
        fall = self.problem.workers * (self.level[at] - self.level[: at + 1])
        self._raise_to(-(-bound // SCALE) - fall, prices)

    def _raise_to(self, bound: IntArray, prices: IntArray) -> None:
        """Raise the bounds of the first entries."""
        raised = np.flatnonzero(bound > self.lower[: bound.size])
        if raised.size:
            self.lower[raised] = bound[raised]
            if self.everyone:
                self.lower[self.lower > self.floor] = NEVER
            self._priced[raised] = len(self._prices)
            self._prices.append(prices)

    def prices(self, at: int) -> IntArray:
        """The prices that gave the bound of an entry; 0 if none did."""
        prices: IntArray = self._prices[self._priced[at]]
        return prices

    def as_prices(self, values: FloatArray) -> IntArray:
        """Prices in units of ``1 / SCALE`` from those of a linear program, whatever it returned."""
        finite = np.nan_to_num(np.rint(values), nan=0.0, posinf=0.0, neginf=0.0)
        most = 2**56 // max(MOST_SLOTS, self.problem.pool.size)
        prices: IntArray = np.clip(finite, 0, most).astype(np.int64)
        return prices


@compiled
def add_short(room: IntArray, stride: int, short: BestShort, distance: IntArray) -> None:
    """Add a worker's least distance to each level, of short patterns.

    Parameters
    ----------
    room : int64[e]
        Its room below the lowest level of each entry.
    stride : int
        Levels of an entry: what fits below the highest of them counts.
    short : BestShort
        The best of the patterns with as many requests as the worker has free slots.
    distance : int64[e]
        In units of ``1 / SCALE``, as the value.
    """
    rooms, below, shift, value = short.rooms, short.below, short.shift, short.value
    for at in range(room.size):
        most = room[at] + stride - 1
        place = place_within(rooms, below, shift, most) if most >= 0 else -1
        _add(room[at], value[place] if place >= 0 else NONE, distance, at)


@compiled
def add_table(room: IntArray, stride: int, best: IntArray, unit: int, distance: IntArray) -> None:
    """The same for the patterns behind a row of the table, int64[reach + 1]."""
    for at in range(room.size):
        _add(room[at], best[(room[at] + stride - 1) // unit], distance, at)


@compiled
def _add(room: int, best: int, distance: IntArray, at: int) -> None:
    if best < NONE // 2:
        distance[at] = -NONE
    elif distance[at] < -NONE:
        distance[at] += max(0, room * SCALE - best)
