"""What every online policy leaves at least, over a window of steps [threshold.window].

Every slot is occupied, output lengths are geometric(``p``) and hidden, the drift is 1.  Over ``j``
steps each request departs with probability ``1 - q``, ``q = (1-p)^j``, whatever the policy does.
What enters meanwhile moves a worker by at most ``d = b - a`` for each departure; the rest of the
change is as random as the ages, which no policy controls.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from math import ceil, floor, lgamma, log, log2, sqrt

import numpy as np

from theory.formulas.rebalancing import unavoidable_imbalance
from theory.laws.fcfs_expectation import expected_maximum, remainder_bound, summed_loads
from theory.laws.law import BITS, Law
from theory.model import InputError

# Groups of slots by age; more of them lose less.
GROUPS = 8

# Windows sum over the slots of a worker: of more they would take minutes, and then all memory.
MOST_SLOTS = 2**20

# Cells of the lattice to a standard deviation of a slot, and to the load of a worker, at most.
CELLS = 1024
POINTS = 2**16

# Relative error of sums of binomial probabilities in floats, far more than there is.
MARGIN = Fraction(1, 10**9)


@lru_cache(64)  # all windows that end in stationary ages ask for the same
def sorted_ages(
    slots: int, p: Fraction, beyond: int = 0, limit: int | None = None
) -> tuple[tuple[int, Fraction], ...]:
    """Sizes of groups of slots, the oldest first, and lower bounds of their mean excess age.

    The means over each group of ``E (A - beyond)^+``, where the ``B`` ages of a worker, ``P(A = t)
    = p (1-p)^t``, are sorted before they are grouped.

    Parameters
    ----------
    slots, p
        ``B >= 1`` and ``0 < p <= 1``.
    beyond : int
        What is taken off.
    limit : int, optional
        Steps since a cold start, which no age exceeds.

    Examples
    --------
    Two slots and ``p = 1/2``: the older age is at least ``x`` with chance ``1 - (1 - 2^-x)^2``,
    which sums to ``2 - 1/3``, the younger with ``4^-x``.

    >>> [(n, round(float(mean), 6)) for n, mean in sorted_ages(2, Fraction(1, 2))]
    [(1, 1.666667), (1, 0.333333)]
    """
    groups = min(GROUPS, slots)
    sizes = [slots // groups + (i < slots % groups) for i in range(groups)]
    tops = list(accumulate(sizes))
    # E of the r largest ages is the sum over x of E min(r, number of ages >= x).
    counts = np.arange(slots + 1)
    logs = np.array([lgamma(k + 1) for k in range(slots + 1)])
    ways = logs[-1] - logs - logs[::-1]
    held = np.minimum(counts, np.array(tops)[:, None])
    sums = np.zeros(groups)
    stay = float(1 - p)
    for x in range(beyond + 1, (limit if limit is not None else ceil(80 / float(p))) + 1):
        reached = stay**x
        if slots * reached < 1e-12:
            break  # what is left out is positive
        chances = np.exp(ways + counts * log(reached) + counts[::-1] * np.log1p(-reached))
        sums += held @ chances
    means = np.diff(sums, prepend=0.0) / np.array(sizes)
    return tuple(
        (n, max(Fraction(0), Fraction(mean) * (1 - MARGIN)))
        for n, mean in zip(sizes, means.tolist(), strict=True)
    )


def _deviation(load: Fraction, p: Fraction, window: int, unit: Fraction) -> Law:
    """Law of ``(1-xi) c + xi A'`` less ``q c`` for the load ``c``, floored to units.

    ``xi = 1`` for a slot whose request departs within the window, ``A'`` the age of the one that
    is there at the end.  Mass is rounded down.
    """
    q = (1 - p) ** window
    mass = {floor((1 - q) * load / unit): (q.numerator << BITS) // q.denominator}
    chance = p
    for age in range(window):
        value = floor((age - q * load) / unit)
        mass[value] = mass.get(value, 0) + (chance.numerator << BITS) // chance.denominator
        chance *= 1 - p
    low, high = min(mass), max(mass)
    weights = [0] * (high - low + 1)
    for value, chances in mass.items():
        weights[value - low] = chances
    return Law(low, tuple(weights), 1 << BITS, high)


def largest_deviation(
    workers: int, groups: Sequence[tuple[int, Fraction]], p: Fraction, window: int = 1
) -> Fraction:
    """Lower bound of the mean of the largest of ``G`` deviations after a window.

    Each worker deviates by the sum over its slots of ``(1-xi-q) c + xi A' - E[xi A']``,
    independently, and has the same loads ``c``.

    Parameters
    ----------
    workers : int
        ``G >= 1``.
    groups : sequence of (int, Fraction)
        Numbers of slots and their ``c``.
    p, window
        As for :func:`window_imbalance`.

    Examples
    --------
    Two workers with one request of load 1 each: the larger of two coins, less 1/2.

    >>> round(float(largest_deviation(2, [(1, Fraction(1))], Fraction(1, 2))), 3)
    0.25
    """
    q = (1 - p) ** window
    slots = sum(n for n, _ in groups)
    square = sum(n * c * c for n, c in groups) * q * (1 - q) / slots
    top = max(c for _, c in groups)
    if square == 0:
        return Fraction(0)
    # A power of two, which keeps numerators short.
    finest = max(sqrt(square) / CELLS, float(slots * (top + window) / POINTS))
    unit = Fraction(2) ** ceil(log2(finest))
    # The youngest spread least: first, they keep the products short.
    parts = [(_deviation(c, p, window, unit), n) for n, c in reversed(groups)]
    load = summed_loads(parts)
    mean = sum(law.mean.upper * n for law, n in parts)
    lead = expected_maximum(load, workers).lower + load.offset - mean
    # Flooring takes less than a unit from every slot: at most the Hoeffding bound of cells of two.
    above: Fraction = (lead - remainder_bound(2, workers, slots) / workers) * unit
    return max(Fraction(0), above)


def window_deviations(
    workers: int, slots: int, p: Fraction, width: int, window: int, step: int | None = None
) -> tuple[Fraction, Fraction]:
    """Lower bounds of the means ``Y`` and ``X`` of the largest deviations [threshold.window].

    Of ``G`` workers with the loads ``A + j`` on their slots, and ``(A + 1 - d)^+``, which count
    over a single step; ``X`` is 0 for a longer window.  The ages ``A`` of a worker are replaced by
    the means of groups of them, sorted, and all workers have the same.

    Parameters
    ----------
    workers, slots : int
        ``G >= 2`` and ``B >= 1``.
    p : Fraction
        ``0 < p < 1``.
    width : int
        ``d = b - a >= 0``.
    window : int
        ``j >= 1``.
    step : int, optional
        The step at the end of the window, from a cold start; None for stationary ages.

    Raises
    ------
    InputError
        If an argument is out of range, or the window begins before the start.
    """
    if not (workers >= 2 and slots >= 1 and 0 < p < 1 and width >= 0 and window >= 1):
        raise InputError(
            f"need G >= 2, B >= 1, 0 < p < 1, b - a >= 0 and a window >= 1, got G = {workers}, "
            f"B = {slots}, p = {p}, b - a = {width}, window {window}"
        )
    limit = None if step is None else step - window
    if limit is not None and limit < 0:
        raise InputError(f"a window of {window} steps does not fit before step {step}")
    p = Fraction(p)
    ages = sorted_ages(slots, p, limit=limit)
    grown = [(n, c + window) for n, c in ages]
    below = largest_deviation(workers, grown, p, window)
    if window > 1:
        return below, Fraction(0)
    old = sorted_ages(slots, p, beyond=width - 1, limit=limit) if width else grown
    # X has xi - p where Y has p - xi: the coin that falls with chance 1 - p.
    return below, largest_deviation(workers, old, 1 - p)


def reach(slots: int, p: Fraction, width: int, window: int) -> Fraction:
    """``B (1-q) d``, what the sizes that enter can move a worker by, in the mean."""
    return slots * (1 - (1 - Fraction(p)) ** window) * width


def window_imbalance(
    workers: int, slots: int, p: Fraction, width: int, window: int, step: int | None = None
) -> Fraction:
    """Lower bound of every online policy's ``E[Imb]`` at the end of a window of steps.

    The larger of ``G (Y - B (1-q) d)`` and ``X + Y - B (1-q) d``, at least 0; arguments as for
    :func:`window_deviations`.

    Examples
    --------
    Equal sizes on two workers of one slot, one step after a cold start: an imbalance of 1 where
    one of two coins shows a departure.

    >>> round(float(window_imbalance(2, 1, Fraction(1, 2), 0, 1, step=1)), 2)
    0.5
    """
    below, above = window_deviations(workers, slots, p, width, window, step)
    beyond = below - reach(slots, p, width, window)
    return max(Fraction(0), workers * beyond, above + beyond)


@lru_cache(1000)
def least_imbalance(workers: int, slots: int, p: Fraction, width: int) -> Fraction:
    """The best lower bound of every online policy's ``E[Imb]``, ages being stationary.

    The largest of :func:`theory.formulas.rebalancing.unavoidable_imbalance`, which is the window
    without end, and :func:`window_imbalance` for windows 1, 2, 4, .. up to ``4/p``, of which there
    are none for more than :data:`MOST_SLOTS` slots.

    Examples
    --------
    A window of steps shows more than the ages alone:

    >>> ages = unavoidable_imbalance(16, 20, Fraction(1, 5), 2)
    >>> least_imbalance(16, 20, Fraction(1, 5), 2) > ages
    True
    """
    bounds = [unavoidable_imbalance(workers, slots, Fraction(p), width)]
    window = 1
    while window <= 4 / p and slots <= MOST_SLOTS:
        q, age = float(1 - p) ** window, float(1 / p - 1)
        # Windows whose reach is beyond what deviates, were it Gaussian, are left out; fewer bounds
        # are bounds.  The square is that of the age at the start, and of a newer one, at most.
        square = q * (1 - q) * (age / float(p) + (age + window) ** 2) + (1 - q) * window**2 / 3
        most = sqrt(2 * log(workers) * slots * square)
        if window == 1 or most > float(reach(slots, p, width, window)):
            bounds.append(window_imbalance(workers, slots, p, width, window))
        window *= 2
    return max(bounds)
