"""Lower bounds of the sum of largest loads that hold for every schedule of a backlog.

The busiest steps of a schedule have levels ``M_1 >= M_2 >= ...``.  No request runs twice in a step,
and a step has ``G B`` slots, so some of the request-steps (a request in one of its steps) whose
loads are the largest are left for the ``k``-th busiest:

* ``M_k >= e_k``, the largest over the requests of the ``k``-th largest load of one request;
* ``M_k >= u_k``, the largest load but ``(k-1) G B`` of all request-steps.

The ``k`` busiest steps do at most ``C_k`` of the work: of each request its ``k`` largest loads, and
of all the ``k G B`` largest.  The other steps do the rest, of which no more than ``G M`` each.  So
for every ``k`` the sum of the levels is at least

    ``A_k + max(A_K - A_k, (W - C_k) / G)``,  ``A_k = sum_{j <= k} max(e_j, u_j)``,

which is at least the work spread evenly (``k = 0``) and the longest request (``k = K``).
"""

import numpy as np

from theory.model import IntArray

# With more request-steps than this they are not sorted: u_k is left out.
MOST_SORTED = 2 * 10**6


def least_sum_of_levels(
    sizes: IntArray, lengths: IntArray, drift: int, workers: int, slots: int
) -> int:
    """A lower bound of ``sum_k M(k)`` under every rule.

    Parameters
    ----------
    sizes, lengths : int64[N]
        The requests; the sum of their loads over all steps stays below 2^60.
    drift, workers, slots : int
        Growth in a step, ``G`` and ``B``.

    Examples
    --------
    Two requests of size 3 and one of size 9 for a step each, on two workers: the 9 costs 9, and the
    others, of which one slot leaves room for one beside it, 3 more.

    >>> least_sum_of_levels(np.array([3, 3, 9]), np.array([1, 1, 1]), 0, 2, 1)
    12
    """
    capacity = workers * slots
    total = int(lengths.sum())
    steps = max(int(lengths.max()), -(-total // capacity))
    # Load of a request in its k-th largest step: highest - drift * k, for k up to its length.
    highest = sizes + drift * lengths
    top, count, sum_highest = (np.zeros(steps + 1, np.int64) for _ in range(3))
    np.maximum.at(top, lengths, highest)
    np.add.at(count, lengths, 1)
    np.add.at(sum_highest, lengths, highest)
    k = np.arange(steps + 1)
    at_least = np.maximum.accumulate(top[::-1])[::-1] - drift * k
    layer = np.cumsum(sum_highest[::-1])[::-1] - drift * k * np.cumsum(count[::-1])[::-1]
    level = np.where(k <= lengths.max(), at_least, 0)[1:]
    done = np.concatenate([[0], np.cumsum(layer[1:])])
    work = int(done[-1])
    if capacity < sizes.size and total <= MOST_SORTED:
        within = np.arange(total) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        loads = np.sort(np.repeat(sizes, lengths) + drift * within)[::-1]
        sums = np.concatenate([[0], np.cumsum(loads)])
        first = np.arange(steps) * capacity
        level = np.maximum(level, np.where(first < total, loads[np.minimum(first, total - 1)], 0))
        done = np.minimum(done, sums[np.minimum(k * capacity, total)])
    busiest = np.concatenate([[0], np.cumsum(level)])
    rest = np.maximum(busiest[-1] - busiest, -((done - work) // workers))
    return int((busiest + rest).max())


def least_largest_sum(works: IntArray, workers: int) -> int:
    """A lower bound of the largest sum when every request has one worker.

    Of the ``j G + 1`` largest some ``j + 1`` share a worker, whose work the levels sum to at least.

    Examples
    --------
    Five of work 7 and one of 5 on two workers: three of those of work 7 share one.

    >>> least_largest_sum(np.array([7, 7, 7, 7, 7, 5]), 2)
    21
    """
    descending = np.sort(works)[::-1]
    sums = np.concatenate([[0], np.cumsum(descending)])
    last = np.arange(0, descending.size, workers)
    return int((sums[last + 1] - sums[last - last // workers]).max())
