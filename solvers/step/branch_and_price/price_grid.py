"""Prices that are linear in the size between some sizes, the corners of a grid.

The linear program has one row for each size, and where most sizes are distinct its dual prices take
very many rounds to settle.  Good prices are almost smooth, so a master problem that knows only
prices linear between corners is almost as good, with few rows: it adds up the rows of the sizes
between two corners, each with the weights of that interpolation.  Its prices are prices, so the
Lagrangian bound holds as it is.

Corners are dense where sizes are far apart: between two of them the error is about their distance
times the number of sizes, and corners at equal distances along the sum of the square roots of the
gaps make it even.

Dual prices that are linear in a group of rows, ever finer: (Porumbel and Clautiaux 2017).
"""

from dataclasses import dataclass

import numpy as np

from theory.model import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class PriceGrid:
    """Weights of the corners at each size.

    Parameters
    ----------
    number : int
        Number of corners.
    below : int64[m]
        The corner at or below each size.
    share : float64[m]
        How far the size lies on the way to the next corner, ``0 <= share < 1``.
    """

    number: int
    below: IntArray
    share: FloatArray

    @classmethod
    def of(cls, sizes: IntArray, number: int) -> "PriceGrid":
        """At most ``number + 1`` corners among ascending sizes, or all sizes if they are so few.

        Examples
        --------
        Half the way from 10 to 14, the sum of four roots 1, and 4 from 14 to 30.

        >>> grid = PriceGrid.of(np.array([10, 11, 12, 13, 14, 30]), 2)
        >>> grid.below.tolist(), grid.share.tolist()
        ([0, 0, 0, 0, 1, 2], [0.0, 0.25, 0.5, 0.75, 0.0, 0.0])
        """
        m = sizes.size
        corners = np.arange(m)
        if number + 1 < m:
            along = np.concatenate([[0.0], np.cumsum(np.sqrt(np.diff(sizes)))])
            ideal = np.searchsorted(along, np.linspace(0, along[-1], number + 1))
            corners = np.unique([0, *np.minimum(ideal, m - 1).tolist(), m - 1])
        below = np.searchsorted(corners, np.arange(m), side="right") - 1
        low = sizes[corners[below]]
        high = sizes[corners[np.minimum(below + 1, corners.size - 1)]]
        return cls(corners.size, below, (sizes - low) / np.maximum(1, high - low))

    def rows(self, counts: dict[int, int]) -> dict[int, float]:
        """Entries of the rows, by corner, of so many requests of each size."""
        if self.number == self.below.size:
            return {j: float(n) for j, n in counts.items()}
        found: dict[int, float] = {}
        for j, n in counts.items():
            at, share = int(self.below[j]), float(self.share[j])
            found[at] = found.get(at, 0.0) + n * (1 - share)
            if share > 0:
                found[at + 1] = found.get(at + 1, 0.0) + n * share
        return found

    def amounts(self, supply: IntArray) -> FloatArray:
        """Right sides of the rows, float64[number], of a supply of each size."""
        amounts = np.zeros(self.number + 1)
        np.add.at(amounts, self.below, supply * (1 - self.share))
        np.add.at(amounts, self.below + 1, supply * self.share)
        return amounts[: self.number]

    def prices(self, duals: FloatArray) -> FloatArray:
        """Prices of all sizes, float64[m], of prices at the corners."""
        above = duals[np.minimum(self.below + 1, self.number - 1)]
        prices: FloatArray = duals[self.below] * (1 - self.share) + above * self.share
        return prices
