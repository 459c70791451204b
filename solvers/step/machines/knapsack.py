"""The best requests for one worker at given prices: a knapsack over rooms, and slots if need be."""

import numpy as np

from solvers.compiled import compiled
from theory.model import IntArray


@compiled
def fill_knapsack(
    sizes: IntArray, prices: IntArray, slots: int, best: IntArray, takes: np.ndarray
) -> None:
    """Tabulate the largest sums of prices of requests that fit together.

    Parameters
    ----------
    sizes, prices : int64[n]
        Of each request; those of price 0 or less are left out.
    slots : int
        0 where slots do not bind, else the largest number of requests.
    best : int64[slots + 1, R + 1]
        Filled: the largest sum of prices of at most ``k`` requests of total size at most ``r``;
        row 0 counts none where slots bind, and any number where not.
    takes : uint8[n, slots + 1, R + 1]
        Filled: whether request ``i`` is taken there, among the first ``i + 1``.
    """
    best[:] = 0
    R = best.shape[1] - 1
    for i in range(sizes.size):
        v, price = sizes[i], prices[i]
        if price <= 0 or v > R:
            takes[i, :, :] = 0
            continue
        low = 0 if slots == 0 else 1
        for k in range(slots, low - 1, -1):
            before = k if slots == 0 else k - 1
            takes[i, k, :v] = 0
            for r in range(R, v - 1, -1):
                value = best[before, r - v] + price
                if value > best[k, r]:
                    best[k, r] = value
                    takes[i, k, r] = 1
                else:
                    takes[i, k, r] = 0


@compiled
def read_knapsack(
    sizes: IntArray, prices: IntArray, takes: np.ndarray, k: int, r: int, out: IntArray
) -> int:
    """The requests behind an entry of the table, written to ``out``; their number."""
    binds = takes.shape[1] > 1
    count = 0
    for i in range(sizes.size - 1, -1, -1):
        if binds and k == 0:
            break
        if prices[i] > 0 and takes[i, k, r]:
            out[count] = i
            count += 1
            r -= sizes[i]
            if binds:
                k -= 1
    return count


@compiled
def successive(
    sizes: IntArray,
    prices: IntArray,
    slots: IntArray,
    room: IntArray,
    most: int,
    best: IntArray,
    takes: np.ndarray,
    out: IntArray,
) -> int:
    """Fill one worker after another with what is left, each as well as it can.

    Parameters
    ----------
    slots, room : int64[G]
        Of the workers; slots 0 where they do not bind.
    most : int
        Workers that are filled.
    out : int64[n]
        The worker of each request, or -1.

    Returns
    -------
    int
        The number of workers filled.
    """
    left = prices.copy()
    taken = np.empty(sizes.size, np.int64)
    out[:] = -1
    done = 0
    for g in range(min(most, room.size)):
        fill_knapsack(sizes, left, takes.shape[1] - 1, best, takes)
        if best[best.shape[0] - 1, best.shape[1] - 1] == 0:
            break  # nothing is left for anyone
        count = read_knapsack(sizes, left, takes, slots[g], room[g], taken)
        for j in range(count):
            left[taken[j]] = 0
            out[taken[j]] = g
        done += 1
    return done
