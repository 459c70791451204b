"""Lower bounds of the admission step from its linear relaxation, in closed form.

The relaxation lets requests be divided among workers.  Its polytope is described by two families of
inequalities, each valid for every set ``W`` of workers.  ``beta(k)`` and ``top(k)`` are the sums of
the ``k`` smallest and the ``k`` largest pool sizes, ``C(W)``, ``L(W)`` the free slots and loads of
``W``, ``K`` the slots that stay free.

* The workers of ``W`` take at least ``C(W) - K`` requests, so
  ``|W| * M >= L(W) + beta(C(W) - K)``.
* When every slot is filled (``K = 0``) they take at most ``top(C(W))``, so the imbalance is at
  least ``|W| * M - L(W) - top(C(W))``.

Only prefixes of the workers in the order of ``(M - L_g) / c_g`` can be binding
[step.lp-closed-form].  The bounds are sums of integers; the order is in floating point, and as each
set is valid by itself a rounded order can weaken a bound but not invalidate it.
"""

import numpy as np

from solvers.arrays import sum_of
from solvers.compiled import compiled
from solvers.step.problem import StepProblem
from solvers.step.sorted_sizes import Pool, sorted_pool
from theory.model import FloatArray, IntArray

# Bound of a largest load that no assignment has; above every imbalance.
IMPOSSIBLE = 2**62

# Up to so many numbers are sorted by insertion: a counting pass takes some hundred steps anyway.
INSERTED = 32


@compiled
def ascending(values: FloatArray) -> IntArray:
    """Order of non-negative numbers, smallest first: by insertion, or in three counting passes.

    Numbers closer than ``2^-24`` of their range, on the scale of their bit patterns, stay in the
    order that they come in.
    """
    n = values.size
    bits = np.empty(n, np.int64)
    order: IntArray = np.empty(n, np.int64)
    for i in range(n):
        bits[i] = np.float64(values[i]).view(np.int64)
        order[i] = i
    if n < 2:
        return order
    least = most = bits[0]
    for value in bits:
        least = min(least, value)
        most = max(most, value)
    for i in range(n):
        bits[i] -= least
    spread = most - least
    shift = 0
    while spread >> shift >= 2**24:
        shift += 1
    if n <= INSERTED:
        for i in range(n):
            place, key = i, bits[i] >> shift
            while place > 0 and bits[order[place - 1]] >> shift > key:
                order[place] = order[place - 1]
                place -= 1
            order[place] = i
        return order
    other = np.empty(n, np.int64)
    for digit in range(0, 24, 8):
        if digit > 0 and spread >> (shift + digit) == 0:
            break
        at = np.zeros(257, np.int64)
        for i in range(n):
            at[((bits[i] >> (shift + digit)) & 255) + 1] += 1
        for d in range(256):
            at[d + 1] += at[d]
        for i in order:
            d = (bits[i] >> (shift + digit)) & 255
            other[at[d]] = i
            at[d] += 1
        order, other = other, order
    return order


@compiled
def largest_load(loads: IntArray, free: IntArray, pool: Pool) -> int:
    """Least largest load ``M`` that the linear relaxation of the step allows.

    Parameters
    ----------
    loads, free : int64[G]
        The workers; no entry of ``free`` above ``n``.
    pool : Pool
        The waiting requests.
    """
    sizes, sums = pool.sizes, pool.sums
    G = loads.size
    slots = sum_of(free)
    admitted = min(sizes.size, slots)
    spare = slots - admitted
    level = -(-(sum_of(loads) + int(sums[admitted])) // G)
    for g in range(G):
        level = max(level, int(loads[g] + sums[max(0, free[g] - spare)]))
    if admitted == 0:
        return level
    ceiling = float(sizes[admitted - 1])
    member = np.empty(G, np.int64)
    ratio = np.empty(G)
    while True:
        # A worker whose room per slot is above every admitted size is in no binding set.
        count = 0
        for g in range(G):
            if free[g] > 0 and float(level - loads[g]) < ceiling * free[g]:
                member[count] = g
                ratio[count] = (level - loads[g]) / free[g]
                count += 1
        before = level
        slots_in = 0
        load_in = 0
        for workers_in, k in enumerate(ascending(ratio[:count]), 1):
            g = member[k]
            slots_in += free[g]
            load_in += loads[g]
            if slots_in > spare:
                level = max(level, -(-int(load_in + sums[slots_in - spare]) // workers_in))
        if level == before:
            return level


@compiled
def deficit(loads: IntArray, free: IntArray, pool: Pool, level: int) -> tuple[int, float]:
    """Least total slack ``sum_g (M - L'_g)`` with every slot filled and no load above ``M``.

    ``max_W |W| M - L(W) - top(C(W))``, non-decreasing in ``M``: a bound of the imbalance wherever
    ``M`` bounds the largest load.  Needs ``n >= sum(free)``; other arguments as in
    :func:`largest_load`.

    Returns
    -------
    deficit : int
        The maximum, at least 0.
    threshold : float
        Room per free slot from which a worker belongs to the maximising set ``W``; infinite when
        that is empty.
    """
    sizes, sums = pool.sizes, pool.sums
    G = loads.size
    n = sizes.size
    slots = sum_of(free)
    if slots == 0:
        return G * level - sum_of(loads), np.inf
    floor = float(sizes[n - slots])
    ceiling = float(sizes[n - 1])
    slots_in = 0
    room_in = 0
    count = 0
    member = np.empty(G, np.int64)
    ratio = np.empty(G)
    for g in range(G):
        room = level - loads[g]
        if float(room) >= ceiling * free[g]:
            slots_in += free[g]
            room_in += room
        elif float(room) > floor * free[g]:
            member[count] = g
            ratio[count] = room / free[g]
            count += 1
    best = int(room_in - sums[n] + sums[n - slots_in])
    threshold = ceiling
    order = ascending(ratio[:count])
    for k in range(count - 1, -1, -1):
        g = member[order[k]]
        slots_in += free[g]
        room_in += level - loads[g]
        value = int(room_in - sums[n] + sums[n - slots_in])
        if value > best:
            best = value
            threshold = ratio[order[k]]
    if best <= 0:
        return 0, np.inf
    return best, threshold


@compiled
def _held(room: int, free: int, must: int, v: int, pool: Pool) -> int:
    """How many requests of size ``>= v`` fit a worker that must take ``must`` requests in all."""
    held = min(free, room // v)
    while held > 0 and held * v + pool.sums[max(0, must - held)] > room:
        held -= 1
    return held


@compiled
def large_items(loads: IntArray, free: IntArray, pool: Pool, level: int) -> int:
    """Raise ``level`` until every class of large requests fits, when the whole pool is admitted.

    The ``j`` largest requests are all of size ``>= v_(j)``.  A worker that takes ``q`` of them, and
    at least ``c_g - K`` requests in all, holds at least ``q v_(j) + beta(c_g - K - q)``.
    """
    G = loads.size
    n = pool.sizes.size
    spare = sum_of(free) - n
    holders = 0
    for g in range(G):
        holders += free[g] > 0
    step = 1
    j = 1
    while j <= n:
        v = pool.sizes[n - j]
        if v == 0:  # a request that has ended by this step of a look-ahead window
            break
        low = level - 1
        high = level
        # Bisection: double the step until the j requests fit, then halve the interval.
        while high - low > 0:
            places = 0
            for g in range(G):
                if high > loads[g]:
                    places += _held(high - loads[g], free[g], free[g] - spare, v, pool)
            if places >= j:
                break
            low, high = high, high + max(1, high - level)
        while high - low > 1:
            middle = low + (high - low) // 2
            places = 0
            for g in range(G):
                if middle > loads[g]:
                    places += _held(middle - loads[g], free[g], free[g] - spare, v, pool)
            if places < j:
                low = middle
            else:
                high = middle
        level = high
        # One, two, three, ... and then the counts at which one more worker must hold one more.
        if j < min(holders, 8):
            j += 1
        elif j < holders:
            j = min(2 * j, holders)
        elif j == holders:
            j += 1
        else:
            step = 2 * step if j > 16 * holders else 1
            j += step * holders
    return level


@compiled
def closed_form_bounds(loads: IntArray, free: IntArray, pool: Pool) -> tuple[int, int, float]:
    """Lower bounds of the largest load and of the imbalance, and the threshold of the deficit.

    Arguments as in :func:`largest_load`, threshold as in :func:`deficit`.
    """
    level = largest_load(loads, free, pool)
    n = pool.sizes.size
    slots = sum_of(free)
    if slots >= n:
        level = large_items(loads, free, pool, level)
        total = sum_of(loads) + int(pool.sums[n])
        if slots > n:
            return level, loads.size * level - total, np.inf
    lower, threshold = deficit(loads, free, pool, level)
    return level, lower, threshold


def lower_bound(problem: StepProblem) -> int:
    """Lower bound of the optimal imbalance: linear relaxation and counting, in closed form.

    Never below :func:`theory.formulas.step.simple_lower_bound`.  Source: [step.lp-closed-form].

    Examples
    --------
    One slot each: the largest load is 3 + 1 = 4 at least, and 0 + 2 misses it by 2.

    >>> lower_bound(StepProblem([3, 0], [1, 1], [1, 2]))
    2
    """
    pool = sorted_pool(np.sort(problem.pool))
    free = np.minimum(problem.free, problem.pool.size)
    return int(closed_form_bounds(problem.loads.copy(), free, pool)[1])
