"""Patterns: sets of requests that one worker can take, priced by dynamic programming.

At a level ``M`` worker ``g`` takes a pattern of ``c_g`` requests of total size at most
``M - L_g``.  With a price ``y_v >= 0`` on every request of size ``v``, the most that ``k`` requests
of total size ``<= h`` can bring, ``max sum (v - y_v)``, is one entry of a table that all workers
share.  Prices and profits are integers in units of ``1 / SCALE``, so the table is exact.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solvers.compiled import compiled
from theory.model import IntArray

SCALE = 2**12

# Most slots of a worker, one bit each in the table of choices.
MOST_SLOTS = 16

# Profit of what cannot be had.
NONE = -(2**61)

Choices = NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Pattern:
    """What one worker takes: ascending indices of sizes, and their total size."""

    worker: int
    sizes: tuple[int, ...]
    total: int

    @property
    def counts(self) -> dict[int, int]:
        """How often each size occurs."""
        return {j: self.sizes.count(j) for j in self.sizes}

    def less(self, j: int, size: int) -> "Pattern | None":
        """The pattern without one request of size index ``j``; None if it has none."""
        if j not in self.sizes:
            return None
        at = self.sizes.index(j)
        return Pattern(self.worker, self.sizes[:at] + self.sizes[at + 1 :], self.total - size)


@compiled
def knapsack(
    weights: IntArray,
    profits: IntArray,
    row_value: IntArray,
    exactly: bool,
    table: IntArray,
    choice: Choices,
) -> None:
    """Fill ``table[k, h]``, the best profit of ``k`` requests of total size ``<= h``.

    Parameters
    ----------
    weights : int64[m]
        Room that one request of each size takes.
    profits : int64[m]
        Profit of one request of each size.
    row_value : int64[R]
        Index of the size of each single request, equal sizes in a row.
    exactly : bool
        Exactly ``k`` requests; otherwise at most ``k``.
    table : int64[K + 1, H + 1]
        Filled; :data:`NONE` or a little more where there are no such requests.
    choice : uint16[R, H + 1]
        Filled for :func:`pattern`: bit ``k - 1`` says that the row improved ``table[k, h]``.
    """
    K = table.shape[0] - 1
    H = table.shape[1] - 1
    table[0, :] = 0
    for k in range(1, K + 1):
        table[k, :] = NONE if exactly else 0
    no = np.uint16(0)
    for r in range(row_value.size):
        size = weights[row_value[r]]
        profit = profits[row_value[r]]
        choice[r, :] = 0
        for k in range(K, 0, -1):
            bit = np.uint16(1 << (k - 1))
            # Written without branches, the loop runs several entries at a time.
            without, here, chosen = table[k - 1, : H + 1 - size], table[k, size:], choice[r, size:]
            for h in range(without.size):
                gain = without[h] + profit
                before = here[h]
                chosen[h] |= bit if gain > before else no
                here[h] = gain if gain > before else before


@compiled
def read_pattern(
    weights: IntArray, row_value: IntArray, choice: Choices, k: int, h: int, out: IntArray
) -> int:
    """Read the requests behind ``table[k, h]`` into ``out``, as indices of sizes; their number."""
    count = 0
    for r in range(row_value.size - 1, -1, -1):
        if k == 0:
            break
        if choice[r, h] >> np.uint16(k - 1) & np.uint16(1):
            out[count] = row_value[r]
            count += 1
            h -= weights[row_value[r]]
            k -= 1
    return count


@compiled
def fits(pattern: IntArray, length: int, supply: IntArray) -> bool:
    """Whether the supply holds the first requests of a pattern, ascending indices of sizes."""
    run = 0
    for e in range(length):
        run = run + 1 if e > 0 and pattern[e - 1] == pattern[e] else 1
        if run > supply[pattern[e]]:
            return False
    return True
