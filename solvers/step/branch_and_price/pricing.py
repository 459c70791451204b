"""What the patterns of every worker bring at best: one table for all workers and levels.

Prices on the requests separate the workers of a level (Lagrange), and one table of the most that
``k`` requests within a room can bring serves all of them; patterns of one or two requests need no
table (:mod:`solvers.step.branch_and_price.pricing_pairs`).

A small table is quick and a little weak: sizes are rounded down to multiples of a unit where they
must fit, and levels are taken several at a time, with distances counted from the lowest of them and
room to the highest.  The bounds hold all the same.  At a single level a pattern that fits only as
rounded is replaced by the best that fits
(:mod:`solvers.step.branch_and_price.pricing_enumeration`); before a long search the table is
refined from the pairs, which are exact, so that little is left of the rounding.
"""

import math
import time
from collections.abc import Iterator

import numpy as np

from solvers.compiled import compiled
from solvers.step.branch_and_price.columns import (
    MOST_SLOTS,
    NONE,
    SCALE,
    Pattern,
    knapsack,
    read_pattern,
)
from solvers.step.branch_and_price.pricing_enumeration import (
    Choice,
    best_fitting,
    draw_patterns,
    near_patterns,
)
from solvers.step.branch_and_price.pricing_pairs import (
    NO_PATTERNS,
    BestShort,
    most_within,
    near_short,
    place_within,
    price_short,
    short_patterns,
)
from solvers.step.branch_and_price.residual import Rest
from solvers.step.problem import StepProblem
from theory.model import FloatArray, IntArray

# Most pairs of sizes; where there are more, the table serves workers with two slots too.
_MOST_PAIRS = 2**22

# Loads and sizes together stay below this, so that scaled sums fit an int64 beside NONE.
_MOST_LOAD = 2**46

# Patterns near the best of a worker are listed by looking at so many requests.
_MOST_WORK = 2**20

# From this patience on the table is refined: to one cell for so much of it, and so many at most.
_REFINING = 2**20
_PER_CELL = 2**4
_FINEST = 2**19

# Distance of a worker that cannot come below the level.
NO_PATTERN = 2**61


class TooLargeError(Exception):
    """The tables of a step cannot be held."""


class PatternTables:
    """The patterns of a step, priced.

    Parameters
    ----------
    problem : StepProblem
        The step.
    top : int
        The highest level.
    stride : int
        Levels that are taken together.
    cells : int
        About the most words of the table with its choices.

    Attributes
    ----------
    sizes, supply : int64[m]
        Distinct sizes and how often each waits.
    filled, everyone : bool
        Whether every slot is filled, and whether every request is admitted.
    farthest : int
        The most that a worker with free slots can be below a level.
    unit : int
        Sizes are rounded down to multiples of it in the table.

    Raises
    ------
    TooLargeError
        If a worker has more than 16 free slots, or loads and sizes are beyond 2^46 in sum.
    """

    def __init__(self, problem: StepProblem, top: int, stride: int, cells: int) -> None:
        self.stride = stride
        self.sizes, self.supply = np.unique(problem.pool, return_counts=True)
        free = np.minimum(problem.free, problem.pool.size)
        self.filled = problem.admissions == sum(problem.free.tolist())
        self.everyone = problem.admissions == problem.pool.size
        self.slots = int(free.max())
        total = sum(problem.loads.tolist()) + sum(problem.pool.tolist())
        if self.slots > MOST_SLOTS or problem.workers * total >= _MOST_LOAD:
            raise TooLargeError

        def farthest(slots: int) -> int:
            open_ = problem.loads[free >= slots]
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
        # The refined table, for the same, and its unit.
        self._fine = np.empty((0, 0), np.int64)
        self._fine_unit = 0

    def _rows(self, supply: IntArray) -> IntArray:
        """Index of the size of each request that a worker could take, equal sizes in a row."""
        copies = np.where(self.weights <= self.reach, np.minimum(supply, self.slots), 0)
        return np.repeat(np.arange(self.sizes.size), copies)

    @property
    def excess(self) -> int:
        """How far a pattern may reach above the lowest of the levels taken together."""
        return (self.slots + 1) * (self.unit - 1) + self.stride - 1

    @property
    def exact(self) -> bool:
        """Whether nothing is rounded: levels are taken one at a time, and sizes as they are."""
        return self.unit == self.stride == 1

    def fill(self, supply: IntArray, prices: IntArray) -> IntArray:
        """Price all patterns that the supply holds; returns the rows of the table."""
        if np.array_equal(self._filled, (supply, prices)):
            return self._rows(supply)
        self._filled = np.array((supply, prices))
        self._fine_unit = 0
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

    def price(
        self, rest: Rest, prices: IntArray, patience: int, deadline: float = math.inf
    ) -> tuple[int, list[Pattern]]:
        """Bound under the prices, times ``SCALE``, and the best pattern of each worker.

        It rests on the tables alone and holds for all prices ``>= 0``.  The search for a pattern
        that truly fits gives up after looking at ``patience`` requests in vain, and after the
        deadline at once.
        """
        rows = self.fill(rest.supply, prices)
        profits = self.sizes * SCALE - prices
        bound = rest.spent * SCALE - sum((rest.supply * prices).tolist())
        found = []
        for g in rest.workers:
            k, room = int(rest.free[g]), int(rest.room[g])
            distance = self.distance(k, room)
            if distance == NO_PATTERN:
                return NO_PATTERN, []
            chosen = self._read(rows, k, room)
            most = room + self.stride - 1
            if self.filled and int(self.sizes[chosen].sum()) > most:
                choice = self.choice(rest.supply, profits, most)
                if time.monotonic() > deadline:
                    patience = 0
                profit, chosen = self._fit(choice, chosen, room * SCALE - distance, patience)
                distance = room * SCALE - profit
            found.append(Pattern(g, tuple(chosen.tolist()), int(self.sizes[chosen].sum())))
            bound += distance
        return bound, found

    def choice(self, supply: IntArray, profits: IntArray, room: int) -> Choice:
        """What a worker with that room can choose from, as last filled."""
        singles, pairs = (*self._best_short, NO_PATTERNS, NO_PATTERNS)[:2]
        return Choice(self.sizes, profits, supply, self.table, self.unit, singles, pairs, room)

    def _fit(
        self, choice: Choice, chosen: IntArray, most: int, patience: int
    ) -> tuple[int, IntArray]:
        """The most that a pattern that truly fits can bring, and the best that was found.

        The one ``chosen`` fits as rounded and brings ``most``.
        """
        # Patterns of three are a request and a pair, which are listed.
        if chosen.size > 3 and len(self.short) == 2 and patience >= _REFINING:
            choice = self._refined(choice, patience)
            most = min(most, int(choice.table[chosen.size, choice.room // choice.unit]))
        fitting = chosen[None].copy()
        most -= best_fitting(choice, most, patience, fitting)
        return most, fitting[0]

    def _refined(self, choice: Choice, patience: int) -> Choice:
        """The same choice with a table that is refined."""
        farthest = (self.reach + 1) * self.unit - 1
        unit = farthest // min(patience // _PER_CELL, _FINEST) + 1
        if unit < choice.unit:
            if unit != self._fine_unit:
                self._fine = np.empty((self.slots + 1, farthest // unit + 1), np.int64)
                self._fine_unit = unit
                refine(choice, unit, self._fine)
            choice = choice._replace(table=self._fine, unit=unit)
        return choice

    def distance(self, slots: int, room: int) -> int:
        """What a worker misses and pays at least, as last filled; or :data:`NO_PATTERN`.

        ``room`` is that below the lowest level of an entry; what fits below the highest counts.
        """
        most = room + self.stride - 1
        best = 0 if slots == 0 and most >= 0 else NONE
        if 0 < slots <= len(self.short):
            best = most_within(self._best_short[slots - 1], most)[0]
        elif slots > 0 and most >= 0:
            best = int(self.table[slots, most // self.unit])
        return max(0, room * SCALE - best) if best > NONE // 2 else NO_PATTERN

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
            if distance == NO_PATTERN:
                continue
            most = room * SCALE - distance
            room += self.stride - 1
            choice = self.choice(rest.supply, profits, room)
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

    def add_distances(self, slots: int, room: IntArray, distances: IntArray) -> None:
        """Add what a worker misses and pays at least, as :meth:`distance`, for many levels."""
        if slots == 0:
            _add_full(room, self.stride, distances)
        elif slots <= len(self.short):
            _add_short(room, self.stride, self._best_short[slots - 1], distances)
        else:
            _add_table(room, self.stride, self.table[slots], self.unit, distances)

    def as_prices(self, values: FloatArray) -> IntArray:
        """Prices in units of ``1 / SCALE`` from those of a linear program, whatever it returned."""
        finite = np.nan_to_num(np.rint(values), nan=0.0, posinf=0.0, neginf=0.0)
        most = 2**56 // max(MOST_SLOTS, int(self.supply.sum()))
        prices: IntArray = np.clip(finite, 0, most).astype(np.int64)
        return prices


@compiled
def _add_full(room: IntArray, stride: int, distance: IntArray) -> None:
    """The same as :func:`_add_short` for a worker without a free slot."""
    for at in range(room.size):
        _add(room[at], 0 if room[at] + stride > 0 else NONE, distance, at)


@compiled
def _add_short(room: IntArray, stride: int, short: BestShort, distance: IntArray) -> None:
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
def _add_table(room: IntArray, stride: int, best: IntArray, unit: int, distance: IntArray) -> None:
    """The same for the patterns behind a row of the table, int64[reach + 1]."""
    for at in range(room.size):
        most = room[at] + stride - 1
        _add(room[at], best[most // unit] if most >= 0 else NONE, distance, at)


@compiled
def _add(room: int, best: int, distance: IntArray, at: int) -> None:
    if best < NONE // 2:
        distance[at] = -NONE
    elif distance[at] < -NONE:
        distance[at] += max(0, room * SCALE - best)


@compiled
def refine(choice: Choice, unit: int, table: IntArray) -> None:
    """Fill a table of a smaller unit from the best single requests and pairs.

    Only what is added to a pair is rounded, which may be in the pair already; it is nowhere weaker
    than the table of the choice.

    Parameters
    ----------
    table : int64[K + 1, H + 1]
        Filled; the entry ``[k, h]`` is for ``k`` requests and rooms from ``h * unit``.
    """
    cells = table.shape[1]
    last = choice.table.shape[1] - 1
    table[0] = 0
    for h in range(cells):
        table[1, h] = most_within(choice.singles, h * unit + unit - 1)[0]
        table[2, h] = most_within(choice.pairs, h * unit + unit - 1)[0]
    for k in range(3, table.shape[0]):
        table[k] = NONE
        for j in range(choice.sizes.size):
            weight = choice.sizes[j] // unit
            if choice.supply[j] > 0 and weight < cells:
                without, here = table[k - 1, : cells - weight], table[k, weight:]
                profit = choice.profits[j]
                for h in range(without.size):
                    gain = without[h] + profit
                    here[h] = gain if gain > here[h] else here[h]
        for h in range(cells):
            rough = choice.table[k, min((h * unit + unit - 1) // choice.unit, last)]
            table[k, h] = min(table[k, h], rough)
