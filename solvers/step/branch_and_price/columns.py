"""Columns of the master problem, and the knapsack that prices them.

A column is a set of ``c_g`` requests that worker ``g`` can take without exceeding the level ``M``,
the largest load after admission: a cutting pattern (Gilmore and Gomory 1961).  Under dual prices
``y_v >= 0`` on the requests of size ``v`` the best column maximises ``sum (v - y_v)`` over sets of
``k`` requests of total size ``<= h``, a cardinality-constrained knapsack.  One dynamic program
over ``(k, h)`` (Kellerer et al. 2004) serves all workers and levels.  Prices and profits are
integers in units of ``1 / SCALE``, so it is exact.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solvers.compiled import compiled
from theory.model import IntArray

SCALE = 2**12

# Most free slots of a worker: the choices of the dynamic program have one bit for each.
MOST_SLOTS = 16

# Profit where there is no column.
NO_COLUMN = -(2**61)

# Least reduced cost where there is no column, and bound of a level without an improvement.
INFINITE = -NO_COLUMN

Choices = NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Column:
    """Requests that one worker takes: ascending indices of their sizes, and the total size."""

    worker: int
    sizes: tuple[int, ...]
    total: int

    @property
    def counts(self) -> dict[int, int]:
        """How often each size occurs."""
        return {j: self.sizes.count(j) for j in self.sizes}

    def without(self, j: int, size: int) -> "Column | None":
        """The column without one request of that size, the ``j``-th; None if it has none."""
        if j not in self.sizes:
            return None
        at = self.sizes.index(j)
        return Column(self.worker, self.sizes[:at] + self.sizes[at + 1 :], self.total - size)


@dataclass(frozen=True, slots=True)
class Residual:
    """The residual problem at a level: some workers already have their column.

    Parameters
    ----------
    workers : tuple of int
        Workers without a column.
    free, room : int64[G]
        Free slots of each worker, and its room ``M - L_g``.
    supply : int64[m]
        Requests of each size that are left.
    spent : int
        Slack ``M - L'_g`` of the other workers, summed.
    taken : tuple of Column
        Columns and single requests that were assigned.
    """

    workers: tuple[int, ...]
    free: IntArray
    room: IntArray
    supply: IntArray
    spent: int
    taken: tuple[Column, ...]

    def assign(self, columns: Iterable[Column]) -> "Residual":
        """Assign columns to their workers in turn, skipping those whose requests ran out."""
        supply, spent = self.supply.copy(), self.spent
        assigned = {}
        for p in columns:
            counts = p.counts
            if all(supply[j] >= n for j, n in counts.items()):
                for j, n in counts.items():
                    supply[j] -= n
                assigned[p.worker] = p
                spent += max(0, int(self.room[p.worker]) - p.total)
        workers = tuple(g for g in self.workers if g not in assigned)
        return Residual(
            workers, self.free, self.room, supply, spent, (*self.taken, *assigned.values())
        )


def without_requests(table: IntArray, exactly: bool) -> None:
    """The table of no requests: of exactly ``k``, or of at most ``k``."""
    table[0] = 0
    table[1:] = NO_COLUMN if exactly else 0


@compiled
def knapsack(
    weights: IntArray,
    profits: IntArray,
    row_value: IntArray,
    table: IntArray,
    choice: Choices,
) -> None:
    """Raise ``table[k, h]``, the largest profit of ``k`` requests of total weight ``<= h``.

    By the requests of some rows; it begins as :func:`without_requests`.

    Parameters
    ----------
    weights : int64[m]
        Weight of a request of each size.
    profits : int64[m]
        Profit of one request of each size.
    row_value : int64[R]
        Index of the size of each single request, ascending.
    table : int64[K + 1, H + 1]
        Of the rows before; below ``NO_COLUMN // 2`` where there are no such requests.
    choice : uint16[R, H + 1]
        Filled for :func:`read_column`: bit ``k - 1`` says that the row improved ``table[k, h]``.
    """
    K = table.shape[0] - 1
    H = table.shape[1] - 1
    no = np.uint16(0)
    for r in range(row_value.size):
        size = weights[row_value[r]]
        profit = profits[row_value[r]]
        choice[r, :] = 0
        for k in range(K, 0, -1):
            bit = np.uint16(1 << (k - 1))
            # Without branches the compiler vectorises the loop.
            without, here, chosen = table[k - 1, : H + 1 - size], table[k, size:], choice[r, size:]
            for h in range(without.size):
                gain = without[h] + profit
                before = here[h]
                chosen[h] |= bit if gain > before else no
                here[h] = gain if gain > before else before


@compiled
def read_column(
    weights: IntArray, row_value: IntArray, choice: Choices, k: int, h: int, out: IntArray
) -> int:
    """Write the indices of the sizes behind ``table[k, h]`` into ``out``; their number."""
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
def fits(column: IntArray, length: int, supply: IntArray) -> bool:
    """Whether the supply holds the first ``length`` requests of ascending indices of sizes."""
    run = 0
    for e in range(length):
        run = run + 1 if e > 0 and column[e - 1] == column[e] else 1
        if run > supply[column[e]]:
            return False
    return True
