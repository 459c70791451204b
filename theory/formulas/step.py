"""Closed forms about one admission step: water-filling, lower bounds, the LP relaxation.

A step is given by plain sequences of ints: ``loads`` before admission and ``free`` slots, one entry
a worker, and either an interval ``[a, b]`` of sizes or the sizes of a ``pool``.  Loads, sizes and
imbalances are in one unit, such as tokens.  Every number is exact (``int`` or ``Fraction``), none
is found by search.  Bounds of full refills, :func:`spacing_cost`, :func:`gap_below` and
:func:`gap_allowed` take sympy symbols, too.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import accumulate
from math import inf
from typing import TYPE_CHECKING, Any, overload

from theory.elementary import gcd, positive_part

if TYPE_CHECKING:
    import sympy


@overload
def full_refill_bound(G: int, a: int, b: int) -> int: ...
@overload
def full_refill_bound(G: "sympy.Expr", a: "sympy.Expr", b: "sympy.Expr") -> "sympy.Expr": ...
def full_refill_bound(G: Any, a: Any, b: Any) -> Any:
    """``(G-1)(b-a)``: no full refill leaves a larger imbalance [step.full-refill-gap].

    Examples
    --------
    >>> full_refill_bound(3, 1, 5)
    8
    """
    return (G - 1) * (b - a)


def full_refill_extremal(G: int, B: int, a: int, b: int) -> tuple[int, ...]:
    """The pool that reaches the bound: one ``b`` and ``G*B - 1`` times ``a``."""
    return (*(a,) * (G * B - 1), b)


@overload
def spare_request_bound(G: int, a: int, b: int) -> Fraction: ...
@overload
def spare_request_bound(G: "sympy.Expr", a: "sympy.Expr", b: "sympy.Expr") -> "sympy.Expr": ...
def spare_request_bound(G: Any, a: Any, b: Any) -> Any:
    """``(1 - 1/G) (G-1) (b-a)``: with a request to spare none leaves more [step.spare-request].

    Examples
    --------
    >>> spare_request_bound(3, 1, 5)
    Fraction(16, 3)
    """
    times = (G - 1) ** 2 * (b - a)
    return Fraction(times, G) if isinstance(times, int) else times / G


def spare_request_extremal(G: int, B: int, a: int, m: int) -> tuple[int, ...]:
    """A pool of ``G*B + 1`` that reaches that bound, of width ``b - a = G m``.

    Examples
    --------
    Without 9 the imbalance is ``3 * 7 - (3 + 3 + 7)``, without a 3 it is ``3 * 9 - (3 + 7 + 9)``:

    >>> spare_request_extremal(3, 1, 3, 2)
    (3, 3, 7, 9)
    """
    return (*(a,) * (G * B - 1), a + (G - 1) * m, a + G * m)


def pool_condition_extremal(G: int, B: int, a: int, m: int) -> tuple[int, ...]:
    """The same with distinct sizes, so that any one class may be removed.

    Examples
    --------
    >>> pool_condition_extremal(2, 2, 1, 50)
    (1, 2, 3, 51, 101)
    """
    return (*range(a, a + G * B - 1), a + (G - 1) * m, a + G * m)


def pool_condition_loss(G: int, B: int) -> int:
    """By how much :func:`pool_condition_extremal` stays below the bound at most: ``0 + 1 + ...``.

    Examples
    --------
    >>> pool_condition_loss(2, 2)  # 0 + 1 + 2
    3
    """
    return sum(range(G * B - 1))


def one_slot_worst(G: int, width: int) -> int:
    """The worst optimum of integer sizes at ``B = 1`` [step.pool-condition-widths].

    Of all full refills inside the paper's pool condition with ``b - a = width >= G^2/2``.

    Examples
    --------
    Sizes 0, 1, 10 and 15: {0, 1, 10} and {1, 10, 15} both leave 19.

    >>> one_slot_worst(3, 15)
    19
    """
    return (G - 2) * width + width // G - (G - 1) * (G - 2) // 2


@overload
def longer_pool_bound(G: int, a: int, b: int, c: int) -> Fraction: ...
@overload
def longer_pool_bound(
    G: "sympy.Expr", a: "sympy.Expr", b: "sympy.Expr", c: "sympy.Expr"
) -> "sympy.Expr": ...
def longer_pool_bound(G: Any, a: Any, b: Any, c: Any) -> Any:
    """``(G-1)(b-a)/(c+1)``: the bound with ``(G-1) c`` requests to spare [step.longer-pool].

    Examples
    --------
    >>> longer_pool_bound(3, 1, 5, 1)
    Fraction(4, 1)
    """
    whole = full_refill_bound(G, a, b)
    return Fraction(whole, c + 1) if isinstance(whole, int) else whole / (c + 1)


@overload
def spacing_cost(G: int, delta: int) -> int: ...
@overload
def spacing_cost(G: "sympy.Expr", delta: "sympy.Expr") -> "sympy.Expr": ...
def spacing_cost(G: Any, delta: Any) -> Any:
    """``((G-1)(delta-1) + gcd(G, delta) - 1) / 2``: what the spacing of two sizes can cost a step.

    With enough copies of the sizes ``x`` and ``x + delta`` in the pool the optimum is at most this
    much above that of a rich pool on ``[x, x + delta]``, and for all ``G`` and ``delta`` some step
    loses it [step.spacing].

    Examples
    --------
    Three workers: loads that are 0, 1 and 2 modulo 3 lack 0 + 1 + 2 at any level; modulo 4 they
    lack no more than at the second of them, 1 + 0 + 3, or than at the third, 2 + 1 + 0.

    >>> spacing_cost(3, 3), spacing_cost(3, 4), spacing_cost(3, 1), spacing_cost(1, 7)
    (3, 3, 0, 0)
    """
    twice = (G - 1) * (delta - 1) + gcd(G, delta) - 1
    return twice // 2 if isinstance(twice, int) else twice / 2


def spacing_extremal(G: int, delta: int) -> tuple[int, ...]:
    """Loads whose next step, with one free slot on each worker, loses :func:`spacing_cost`."""
    return tuple(j * delta // G for j in range(G))


def gap_below(level: Any, load: Any, refill: Any) -> Any:
    """``(M - l_g - r)^+``: how far a worker that takes at most ``r`` stays below a level."""
    return positive_part(level - load - refill)


def waterfill_optimum(loads: Sequence[int], free: Sequence[int], a: int, b: int) -> tuple[int, int]:
    """Optimal imbalance and its smallest maximum under a rich pool [step.waterfill].

    Parameters
    ----------
    loads, free : sequence of int, length G
        Loads before admission and free slots.
    a, b : int
        The pool holds every integer size in ``[a, b]`` at least ``sum(free)`` times.

    Returns
    -------
    imbalance, maximum : int
        ``sum_g (M - l_g - c_g b)^+`` and ``M = max_g (l_g + c_g a)``.  For a pool of sizes in
        ``[a, b]`` that is not rich, the first is still a lower bound, provided that it fills
        every slot.

    Examples
    --------
    Two workers with loads 0 and 9, two free slots and one, sizes 1 to 3.  The second reaches at
    least 10, the first at most 6:

    >>> waterfill_optimum([0, 9], [2, 1], 1, 3)
    (4, 10)
    >>> waterfill_loads([0, 9], [2, 1], 1, 3)
    (6, 10)
    >>> criterion_violation([0, 9], [2, 1], 1, 3)
    4
    """
    level = max(_ends(loads, free, a))
    return sum(gap_below(level, x, c * b) for x, c in zip(loads, free, strict=True)), level


def waterfill_loads(loads: Sequence[int], free: Sequence[int], a: int, b: int) -> tuple[int, ...]:
    """Loads after the optimal admission from a rich pool: ``min(M, l_g + c_g b)``."""
    level = max(_ends(loads, free, a))
    return tuple(min(level, end) for end in _ends(loads, free, b))


def criterion_violation(loads: Sequence[int], free: Sequence[int], a: int, b: int) -> int:
    """``(max_g (l_g + c_g a) - min_g (l_g + c_g b))^+`` under a rich pool.

    It is 0 exactly if some admission leaves all loads equal [threshold.rich-any-slots], and the
    optimal imbalance lies between it and ``G-1`` times it [threshold.cost].
    """
    return max(0, max(_ends(loads, free, a)) - min(_ends(loads, free, b)))


def _ends(loads: Sequence[int], free: Sequence[int], size: int) -> list[int]:
    """Loads of the workers when all free slots take that size."""
    return [load + c * size for load, c in zip(loads, free, strict=True)]


def _extreme_sums(pool: Sequence[int]) -> tuple[Callable[[int], int], Callable[[int], int]]:
    """Sums of the ``k`` smallest and of the ``k`` largest sizes, ``k`` clipped to ``0..|pool|``."""
    low = list(accumulate(sorted(pool), initial=0))
    high = list(accumulate(sorted(pool, reverse=True), initial=0))
    return (lambda k: low[min(max(k, 0), len(pool))]), (lambda k: high[min(max(k, 0), len(pool))])


def simple_lower_bound(
    loads: Sequence[int], free: Sequence[int], pool: Sequence[int]
) -> tuple[int, int]:
    """Lower bounds on the optimal imbalance and on the maximum, for any pool [step.lower-bound].

    Returns
    -------
    imbalance, maximum : int
        ``LB`` is the larger of ``max_g (l_g + S^min_{(c_g-K)^+})`` and
        ``ceil((sum l + S^min_U) / G)``, where ``K = sum c - U`` slots stay empty, so that worker
        ``g`` takes at least ``(c_g - K)^+`` requests; the imbalance is at least
        ``sum_g (LB - l_g - S^max_{c_g})^+``.

    Examples
    --------
    Sizes 1, 2 and 4 all enter; ``(3 + 7) / 2 = 5`` is attained by 1 + 4 and 3 + 2:

    >>> simple_lower_bound([0, 3], [2, 1], [1, 2, 4])
    (0, 5)
    """
    smallest, largest = _extreme_sums(pool)
    G, slots = len(loads), sum(free)
    admitted = min(len(pool), slots)
    empty = slots - admitted
    forced = max(x + smallest(c - empty) for x, c in zip(loads, free, strict=True))
    level = max(forced, -(-(sum(loads) + smallest(admitted)) // G))
    return sum(gap_below(level, x, largest(c)) for x, c in zip(loads, free, strict=True)), level


def missing_on_lattice(
    loads: Sequence[int], free: Sequence[int], size: int, spacing: int, level: int
) -> int:
    """What workers that fill every slot miss at least at a largest load [step.lattice].

    Parameters
    ----------
    loads, free : sequence of int
        The workers.
    size, spacing : int
        Some size of the pool, and a common divisor of all differences of its sizes.
    level : int
        The largest load ``M``.
    """
    return sum(
        (level - x - c * size) % spacing if c else level - x
        for x, c in zip(loads, free, strict=True)
    )


def lattice_lower_bound(
    loads: Sequence[int], free: Sequence[int], pool: Sequence[int], spacing: int
) -> int:
    """Lower bound on the imbalance where the pool fills every slot [step.lattice].

    The least of :func:`missing_on_lattice` over ``spacing`` levels from that of
    :func:`simple_lower_bound` up.

    Examples
    --------
    Odd sizes on loads 0 and 1: one of the two loads misses an odd level, one an even level.

    >>> lattice_lower_bound([0, 1], [1, 1], [1, 3], 2)
    1
    """
    level = simple_lower_bound(loads, free, pool)[1]
    return min(missing_on_lattice(loads, free, pool[0], spacing, level + i) for i in range(spacing))


def _best_prefix(
    order: Sequence[int],
    value: Callable[[int], int],
    slots: Sequence[int],
    height: Sequence[Fraction],
) -> tuple[Fraction, int]:
    """Largest ``value(C(W)) + height(W)`` over the prefixes ``W`` of an order, and its ``|W|``."""
    best = (Fraction(value(0)), 0)
    total, count = Fraction(0), 0
    for size, g in enumerate(order, 1):
        total += height[g]
        count += slots[g]
        if value(count) + total > best[0]:
            best = (value(count) + total, size)
    return best


def lp_optimum(
    loads: Sequence[int], free: Sequence[int], pool: Sequence[int]
) -> tuple[Fraction, Fraction]:
    """Optimum of the LP relaxation of the step problem, exactly [step.lp-closed-form].

    The relaxation lets a request be split over workers and the maximum ``M`` be any real number.

    Returns
    -------
    imbalance, maximum : Fraction
        With ``h_g = M - l_g``, ``beta`` and ``T`` the sums of the smallest and of the largest
        sizes, ``C(W)`` the slots of a set ``W`` of workers and ``K`` the slots that stay empty:
        the least ``M`` with ``h(W) >= beta((C(W)-K)^+)`` for all ``W``, and
        ``max_W (h(W) - T(C(W)))`` at that ``M``.

    Notes
    -----
    Both maxima over ``W`` are maxima of a convex function over the zonotope of the points
    ``(c_g, h_g)``, so they are attained at a prefix in the order of ``h_g / c_g``.  ``M`` is the
    maximal ratio ``(l(W) + beta((C(W)-K)^+)) / |W|``, found by Newton's method for fractional
    programs (Dinkelbach 1967), which ends at the exact value after finitely many rounds.

    Examples
    --------
    Sizes 1 and 2 on two empty workers of one slot are split evenly:

    >>> lp_optimum([0, 0], [1, 1], [1, 2])
    (Fraction(0, 1), Fraction(3, 2))
    """
    smallest, largest = _extreme_sums(pool)
    G, slots = len(loads), sum(free)
    empty = slots - min(len(pool), slots)

    def slope(g: int, height: Sequence[Fraction]) -> Fraction | float:
        if free[g]:
            return height[g] / free[g]
        return -inf if height[g] < 0 else inf

    level = Fraction(sum(loads) + smallest(slots - empty), G)
    while True:
        height = [level - x for x in loads]
        order = sorted(range(G), key=lambda g: slope(g, height))
        excess, size = _best_prefix(
            order, lambda k: smallest(k - empty), free, [-h for h in height]
        )
        if excess <= 0:
            break
        level += excess / size
    order = sorted(range(G), key=lambda g: slope(g, height), reverse=True)
    return _best_prefix(order, lambda k: -largest(k), free, height)[0], level


def gap_allowed(s_max: Any, more_slots: Any) -> Any:
    """``s_max (1 - k^+)``: how much larger a load may be, on a worker with ``k`` slots more."""
    return s_max * (1 - positive_part(more_slots))


def gap_condition(loads: Sequence[int], free: Sequence[int], s_max: int) -> bool:
    """Whether ``l_p - l_q <= s_max (1 - (c_p - c_q)^+)`` for all workers ``p != q``.

    Then some optimal admission leaves ``max L - min L <= s_max`` [step.gap-condition].

    Examples
    --------
    Loads 3 apart; with one free slot more on the higher worker they must not differ:

    >>> gap_condition([3, 0], [1, 1], 5), gap_condition([3, 0], [2, 1], 5)
    (True, False)
    """
    workers = list(zip(loads, free, strict=True))
    return all(
        lp - lq <= gap_allowed(s_max, cp - cq)
        for p, (lp, cp) in enumerate(workers)
        for q, (lq, cq) in enumerate(workers)
        if p != q
    )
