"""Whether all requests can be admitted below a level: column generation, its proofs, and dives.

A column is what one worker can take.  The linear program covers every request by columns, at a
price of its size for each that stays out; its duals are weights of the requests.  Where the
weights, as integers, sum to more than what the workers can take at most, each by a knapsack, the
level is impossible: that is proved, whatever the linear program said.

Source: (Gilmore and Gomory 1961); weights that prove are a dual feasible function (Lueker 1983).
"""

import time
from collections import Counter

import highspy
import numpy as np

from solvers.step.fast.partial_assignment import Flags
from solvers.step.machines.knapsack import fill_knapsack, read_knapsack, successive
from theory.model import IntArray

# Entries of a knapsack's table, at most, bytes of memory.
MOST_ENTRIES = 10**8

# Weights are multiples of 1 / SCALE of a unit of load.
SCALE = 2**16

# A column of at least this value in the linear program is taken by a dive, and this share of the
# workers at once where columns are fractional.
_WHOLE = 0.999
_AT_ONCE = 0.04

# Entries of knapsacks filled in a round of column generation.
_WORK = 2**25

# Column generation after each step of a dive, in rounds.
_ROUNDS = 6


def entries(sizes: IntArray, loads: IntArray, free: IntArray, level: int) -> int:
    """Bytes of the table that a :class:`Packing` has."""
    room, slots = _rooms(sizes, loads, free, level)
    return int(sizes.size) * (int(slots.max()) + 1) * (int(room.max()) + 1)


def _rooms(
    sizes: IntArray, loads: IntArray, free: IntArray, level: int
) -> tuple[IntArray, IntArray]:
    """Room of each worker, and its slots, 0 for all where they do not bind on any."""
    room = np.where(free > 0, np.maximum(0, level - loads), 0)
    fits = np.searchsorted(np.cumsum(sizes), room, side="right")
    return room, np.minimum(free, fits) if (fits > free).any() else np.zeros_like(free)


class Packing:
    """Requests and workers at a level, and the columns known.

    Parameters
    ----------
    sizes : int64[n]
        Ascending; all are to be admitted.
    loads, free : int64[G]
        The workers; no load is above the level.
    level : int
        No load may exceed it.
    until : float
        Time of ``time.monotonic`` at which to stop.
    """

    def __init__(
        self, sizes: IntArray, loads: IntArray, free: IntArray, level: int, until: float
    ) -> None:
        self.sizes, self.until = sizes, until
        self.room, self.slots = _rooms(sizes, loads, free, level)
        shape = int(self.slots.max()) + 1, int(self.room.max()) + 1
        self._best = np.empty(shape, np.int64)
        self._takes = np.empty((sizes.size, *shape), np.uint8)
        self.values, self._kind = np.unique(sizes, return_inverse=True)
        pairs, self._class = np.unique(
            np.stack((self.room, self.slots)), axis=1, return_inverse=True
        )
        self._class = self._class.reshape(-1)
        self.classes = pairs.shape[1]
        self.columns: list[tuple[int, tuple[int, ...]]] = []
        self._known: set[tuple[int, tuple[int, ...]]] = set()
        self.weights: IntArray | None = None
        self._first = np.searchsorted(sizes, np.append(self.values, sizes[-1] + 1))
        self._rng = np.random.default_rng(0)
        self._program = self._start()

    def _start(self) -> highspy.Highs:
        h, m = highspy.Highs(), self.values.size
        h.setOptionValue("output_flag", False)
        h.setOptionValue("threads", 1)
        h.setOptionValue("simplex_strategy", 4)
        none, free = np.array([], np.int32), highspy.kHighsInf
        low = np.concatenate([np.zeros(m), np.full(self.classes, -free)])
        high = np.concatenate([np.full(m, free), np.zeros(self.classes)])
        h.addRows(low.size, low, high, 0, none, none, np.array([], np.float64))
        h.addCols(
            m,
            self.values.astype(np.float64),
            np.zeros(m),
            np.full(m, free),
            m,
            np.arange(m, dtype=np.int32),
            np.arange(m, dtype=np.int32),
            np.ones(m),
        )
        return h

    def _demand(self, left: IntArray, idle: IntArray) -> None:
        """Set what is to be covered, and by how many workers of each class."""
        h, m = self._program, self.values.size
        for j, number in enumerate(left.tolist()):
            h.changeRowBounds(j, float(number), highspy.kHighsInf)
        for c, number in enumerate(idle.tolist()):
            h.changeRowBounds(m + c, -highspy.kHighsInf, float(number))

    def excess(self, weights: IntArray) -> int:
        """By how much the weights sum to more than what the workers can take at most; exact.

        Above 0 it proves that no assignment keeps to the level.
        """
        fill_knapsack(self.sizes, weights, self._best.shape[0] - 1, self._best, self._takes)
        taken = self._best[self.slots, self.room]
        return int(np.maximum(weights, 0).sum() - taken.sum())

    def add(self, worker: IntArray, among: IntArray) -> int:
        """Add the columns of an assignment of the requests ``among``; how many are new."""
        new = []
        order = np.argsort(worker, kind="stable")
        for part in np.split(order, np.flatnonzero(np.diff(worker[order])) + 1):
            if not part.size or (g := int(worker[part[0]])) < 0:
                continue
            chosen = among[part]
            slots = self.slots[g] or chosen.size
            if self.sizes[chosen].sum() <= self.room[g] and chosen.size <= slots:
                column = int(self._class[g]), tuple(np.sort(self._kind[chosen]).tolist())
                if column not in self._known:
                    self._known.add(column)
                    new.append(column)
        if new:
            counts = [Counter(sizes) for _, sizes in new]
            lengths = np.array([len(c) + 1 for c in counts])
            m, none = self.values.size, len(new)
            self._program.addCols(
                none,
                np.zeros(none),
                np.zeros(none),
                np.full(none, highspy.kHighsInf),
                int(lengths.sum()),
                (np.cumsum(lengths) - lengths).astype(np.int32),
                np.array(
                    [j for (k, _), c in zip(new, counts, strict=True) for j in (*c, m + k)],
                    np.int32,
                ),
                np.array([x for c in counts for x in (*c.values(), 1)], np.float64),
            )
            self.columns += new
        return len(new)

    def relax(self, left: Flags, workers: IntArray, rounds: int, whole: bool) -> float:
        """Column generation: the least total size that stays out, of requests and workers left.

        ``whole`` where nothing has been assigned: a proof ends it then with infinity.
        """
        among = np.flatnonzero(left)
        kinds = np.bincount(self._kind[among], minlength=self.values.size)
        self._demand(kinds, np.bincount(self._class[workers], minlength=self.classes))
        out = np.empty(among.size, np.int64)
        value = np.inf
        most = max(1, _WORK // (among.size * self._best.size))
        while rounds > 0 and time.monotonic() < self.until:
            rounds -= 1
            self._program.setOptionValue(
                "time_limit",
                self._program.getRunTime() + max(0.01, min(1e6, self.until - time.monotonic())),
            )
            self._program.run()
            value = self._program.getInfo().objective_function_value
            if value < 1e-6:
                break
            duals = np.array(self._program.getSolution().row_dual)[: self.values.size]
            prices = np.rint(np.maximum(0.0, duals) * SCALE).astype(np.int64)[self._kind]
            if whole and self.excess(prices) > 0:
                self.weights = prices
                return np.inf
            # Different workers first each time, where they differ.
            order = self._rng.permutation(workers) if self.classes > 1 else workers
            successive(
                self.sizes[among], prices[among], self.slots[order], self.room[order],
                most, self._best, self._takes, out,
            )  # fmt: skip
            new = self.add(np.where(out >= 0, order[out], -1), among)
            if self.classes > 1 and not new:
                new = self._best_of_each_class(among, prices[among], workers)
            if not new:
                break
        return value

    def _best_of_each_class(self, among: IntArray, prices: IntArray, workers: IntArray) -> int:
        """Add the best column of a worker of each class; how many are new."""
        sizes, taken, new = self.sizes[among], np.empty(among.size, np.int64), 0
        fill_knapsack(sizes, prices, self._best.shape[0] - 1, self._best, self._takes)
        for g in workers[np.unique(self._class[workers], return_index=True)[1]].tolist():
            k, r = int(self.slots[g]), int(self.room[g])
            count = read_knapsack(sizes, prices, self._takes, k, r, taken)
            given = np.full(among.size, -1, np.int64)
            given[taken[:count]] = g
            new += self.add(given, among)
        return new

    def dive(self) -> IntArray:
        """Take columns of large value one after another; the worker of each request, or -1."""
        worker = np.full(self.sizes.size, -1, np.int64)
        left, workers = np.ones(self.sizes.size, np.bool_), np.arange(self.room.size)
        while left.any() and workers.size and time.monotonic() < self.until:
            values = np.array(self._program.getSolution().col_value)[self.values.size :]
            noise = self._rng.random(values.size) * 1e-3
            order = np.argsort(-values - noise * (values > 1e-6), kind="stable")
            least, took = max(1, round(_AT_ONCE * workers.size)), 0
            for p in order.tolist():
                if values[p] < 1e-6 or (took >= least and values[p] < _WHOLE):
                    break
                k, sizes = self.columns[p]
                for _ in range(max(1, int(values[p] + 1e-6))):
                    mine = np.flatnonzero(self._class[workers] == k)
                    chosen = self._pick(sizes, left)
                    if not mine.size or chosen is None:
                        break
                    worker[chosen] = workers[mine[0]]
                    left[chosen] = False
                    workers = np.delete(workers, mine[0])
                    took += 1
            if took == 0:
                break
            if left.any() and workers.size:
                self.relax(left, workers, _ROUNDS, False)
        return worker

    def _pick(self, sizes: tuple[int, ...], left: Flags) -> IntArray | None:
        """Requests of the sizes that are left; None if a size is not."""
        chosen = []
        for j, number in Counter(sizes).items():
            at = np.flatnonzero(left[self._first[j] : self._first[j + 1]]) + self._first[j]
            if at.size < number:
                return None
            chosen.append(at[:number])
        return np.concatenate(chosen)


def impossible(
    sizes: IntArray, loads: IntArray, free: IntArray, level: int, seconds: float
) -> IntArray | None:
    """Weights that prove a level impossible, as small as powers of 16 allow; None if none is found.

    Parameters
    ----------
    sizes : int64[n]
        Ascending; all are to be admitted.
    seconds : float
        To spend.
    """
    free = np.minimum(free, sizes.size)
    if int(loads.max()) > level:
        return np.zeros_like(sizes)
    if entries(sizes, loads, free, level) > MOST_ENTRIES:
        return None
    packing = Packing(sizes, loads, free, level, time.monotonic() + seconds)
    packing.relax(np.ones(sizes.size, np.bool_), np.arange(loads.size), 10**6, True)
    whole = packing.weights
    if whole is None:
        return None
    for scale in (2**4, 2**8, 2**12):
        small: IntArray = whole * scale // max(1, int(whole.max()))
        if packing.excess(small) > 0:
            return small
    return whole
