"""The largest of ``G`` iid loads: Gaussian limits and explicit non-asymptotic lower bounds.

Everything is an exact rational obtained from ball arithmetic by rounding to the safe side.  A
lower bound for a law with a capped tail needs no allowance for the tail, which can only add to
``E[Imb]`` (:func:`theory.laws.fcfs_expectation.expected_imbalance`).
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from heapq import heappop, heappush
from typing import Any

from flint import acb, arb, ctx

from theory.elementary import log, sqrt
from theory.laws.fcfs_expectation import PRECISION, expected_imbalance, from_ball, to_ball
from theory.laws.law import Enclosure, Law
from theory.model import InputError

# (Shevtsova 2011): sup |F_n - Phi| <= 0.4748 rho / (sigma^3 sqrt(n)) and also
# <= 0.33554 (rho + 0.415 sigma^3) / (sigma^3 sqrt(n)), rho = E|X - EX|^3.
BERRY_ESSEEN = Fraction(4748, 10000)
BERRY_ESSEEN_SPLIT = Fraction(33554, 100000), Fraction(415, 1000)

# Integrals of normals are enclosed to this many bits, more than any bound is stated with.
INTEGRAL_BITS = 100


@cache
def expected_max_of_normals(workers: int) -> Enclosure:
    """``E[max]`` of ``G`` independent standard normals, by rigorous integration.

    ``E[max] = int_0^T (1 - F^G) - int_{-T}^0 F^G`` up to tails: beyond ``T`` the integrands are at
    most ``G*Q(x)`` and ``Q(|x|)``, whose integrals are below ``G*phi(T)/T^2``.

    Examples
    --------
    ``E max(Z_1, Z_2) = 1/sqrt(pi)``:

    >>> from math import pi
    >>> round(pi * float(expected_max_of_normals(2)) ** 2, 12)
    1.0
    """
    if workers < 1:
        raise InputError(f"workers must be >= 1, got {workers}")
    T = 16
    fine = arb(2) ** -INTEGRAL_BITS
    with ctx.workprec(PRECISION):
        root = acb(2).sqrt()
        above = acb.integral(
            lambda x, _: 1 - (1 - (x / root).erfc() / 2) ** workers, 0, T, abs_tol=fine
        )
        below = acb.integral(lambda x, _: ((-x / root).erfc() / 2) ** workers, -T, 0, abs_tol=fine)
        tail = workers * (-(arb(T) ** 2) / 2).exp() / (2 * arb.pi()).sqrt() / T**2
        return from_ball((above - below).real + tail * arb(0, 1))


def effective_constant(law: Law, workers: int, slots: int) -> Enclosure:
    """Enclosure of ``c(G, B, law) = E[Imb] / (G sigma_X sqrt(B ln G))`` under FCFS.

    The largest constant with which the form of Theorems 1 to 3 holds at this ``(G, B)`` for this
    law [fcfs.effective-constant].

    Parameters
    ----------
    law : Law
        Of one slot's load.
    workers, slots : int
        ``G >= 2`` and ``B >= 1``.

    Raises
    ------
    InputError
        If ``G < 2`` or the law may be constant: there is nothing to divide by.
    """
    variance = law.variance
    if workers < 2 or variance.lower == 0:
        raise InputError("the effective constant needs at least 2 workers and a varying load")
    imbalance = expected_imbalance(law, workers, slots).imbalance
    with ctx.workprec(PRECISION):
        low = from_ball((slots * to_ball(variance.lower) * arb(workers).log()).sqrt()) * workers
        high = from_ball((slots * to_ball(variance.upper) * arb(workers).log()).sqrt()) * workers
    return Enclosure(imbalance.lower / high.upper, imbalance.upper / low.lower)


@lru_cache(maxsize=64)  # the same for every number of workers
def berry_esseen_distance(law: Law, slots: int) -> Fraction:
    """An upper bound of ``sup_x |P((L - B E[X]) / (sigma sqrt(B)) <= x) - Phi(x)|``, at most 1.

    The theorem of (Berry 1941; Esseen 1942) from the third absolute moment, the smaller of the two
    bounds of (Shevtsova 2011).
    """
    variance = law.variance
    if variance.lower == 0:
        return Fraction(1)
    with ctx.workprec(PRECISION):
        skew = central_norm(law, 3) ** 3 / to_ball(variance.lower) ** 1.5
        root = arb(slots).sqrt()
        plain = from_ball(to_ball(BERRY_ESSEEN) * skew / root).upper
        a, b = BERRY_ESSEEN_SPLIT
        split = from_ball(to_ball(a) * (skew + to_ball(b)) / root).upper
    return min(plain, split, Fraction(1))


def central_norm(law: Law, order: int) -> arb:
    """An upper bound of ``E[|X - EX|^order]^(1/order)``, at the working precision."""
    mean = law.mean
    middle, width = (mean.lower + mean.upper) / 2, mean.upper - mean.lower
    # |X - EX| <= |X - m| + w, so the norm grows by at most w.
    return to_ball(law.moment(order, middle).upper).root(order) + to_ball(width)


def berry_esseen_bound(law: Law, workers: int, slots: int) -> Fraction:
    """A lower bound of ``E[Imb]`` under FCFS, of the order ``G sigma_X sqrt(B ln G)``.

    ``G sigma sqrt(B) [ int_0^x* (1 - (Phi + eps)^G) dx - (1/2)(1/2 + eps)^(G-1) ]`` with
    ``eps`` from :func:`berry_esseen_distance` and ``Phi(x*) + eps <= 1``, rounded down.  Zero or
    negative where ``B`` is too small for the law's skewness: then it says nothing.

    Parameters
    ----------
    law : Law
        Of one slot's load.
    workers, slots : int
        ``G`` and ``B >= 1``.

    Notes
    -----
    ``E[max] = int_0^inf (1 - F^G) - int_{-inf}^0 F^G``; the first integrand is bounded with
    ``F <= Phi + eps``, the second by ``F(0)^(G-1) F(x)`` with ``int_{-inf}^0 F = E|Z|/2 <= 1/2``.
    Source: [fcfs.lower].
    """
    distance = berry_esseen_distance(law, slots)
    if distance >= Fraction(1, 2) or workers < 2:
        return Fraction(0)
    with ctx.workprec(PRECISION):
        eps, root = to_ball(distance), acb(2).sqrt()

        def beyond(k: int) -> bool:
            return not (to_ball(Fraction(k, 64)) / arb(2).sqrt()).erfc() / 2 > eps

        # The largest x of a grid with Phi(x) + eps < 1 for certain; any such x is valid.
        cut = Fraction(bisect_left(range(1, 16 * 64), True, key=beyond), 64)
        gain = acb.integral(
            lambda x, _: 1 - (1 - (x / root).erfc() / 2 + acb(eps)) ** workers,
            0,
            acb(to_ball(cut)),
            abs_tol=arb(2) ** -INTEGRAL_BITS,
        ).real
        loss = (arb(1) / 2 + eps) ** (workers - 1) / 2
        sigma = (slots * to_ball(law.variance.lower)).sqrt()
        return from_ball(workers * sigma * (gain - loss)).lower


def pairing_square(workers: Any, slots: Any, variance: Any, fourth: Any) -> Any:
    """Square of the bound of [fcfs.pairing], ``(G/2)^2 (E S^2)^3 / E S^4``, of any number type.

    Parameters
    ----------
    workers, slots : int
        ``G`` and ``B``.
    variance, fourth
        ``sigma^2`` and ``mu_4`` of a slot's load.

    Examples
    --------
    Two workers of one slot, sizes 1 or 2 at equal odds: ``S`` is -1, 0 or 1 and
    ``E S^2 = E S^4 = 1/2``.

    >>> pairing_square(2, 1, Fraction(1, 4), Fraction(1, 16))
    Fraction(1, 4)
    """
    second = 2 * slots * variance
    s4 = slots * (2 * fourth + 6 * variance**2) + 12 * slots * (slots - 1) * variance**2
    return workers**2 * second**3 / s4 / 4


def pairing_bound(law: Law, workers: int, slots: int) -> Fraction:
    """A lower bound of ``E[Imb]`` under FCFS for every ``G >= 2`` and ``B >= 1``.

    ``E[max_G] - E[L] >= E[max_2] - E[L] = E|S|/2`` with ``S = L_1 - L_2``, and by Hoelder's
    inequality ``E|S| >= (E S^2)^(3/2) / (E S^4)^(1/2)``, where ``E S^2 = 2 B sigma^2`` and
    ``E S^4 = B (2 mu_4 + 6 sigma^4) + 12 B (B-1) sigma^4``.  It does not grow with ``log G``, but
    is positive for every varying load; it tends to ``G sigma sqrt(B/6)`` as ``B`` grows.

    Parameters
    ----------
    law : Law
        Of one slot's load.
    workers, slots : int
        ``G`` and ``B >= 1``.

    Notes
    -----
    Source: [fcfs.pairing].
    """
    variance = law.variance
    if workers < 2 or variance.lower == 0:
        return Fraction(0)
    with ctx.workprec(PRECISION):
        fourth = central_norm(law, 4) ** 4
        v = to_ball(variance.lower)  # the bound grows with the variance
        return from_ball(pairing_square(workers, slots, v, fourth).sqrt()).lower


@dataclass(frozen=True, slots=True)
class LargestConstant:
    """The largest ``c`` with ``E[Imb] >= c G sigma sqrt(B ln G)`` in a region of ``(G, B)``.

    Parameters
    ----------
    value : Enclosure
        Its lower end is such a ``c``; above its upper end ``(workers, slots)`` contradicts.
    workers, slots : int
        Where the smallest effective constant was found.
    """

    value: Enclosure
    workers: int
    slots: int


def constant_shrink(workers: Any, slots: Any, more_workers: Any, more_slots: Any) -> Any:
    """``sqrt(B ln G / (B' ln G'))``: no effective constant shrinks more from (G, B) to (G', B').

    Of any number type [fcfs.constant-of-law].
    """
    return sqrt(slots * log(workers) / (more_slots * log(more_workers)))


def largest_constant(
    law: Law,
    workers: int,
    slots: int,
    least_slots: Callable[[int], int] = lambda _: 1,
    tolerance: Fraction = Fraction(1, 100),
) -> LargestConstant:
    """The largest constant for all ``2 <= G <= workers`` and ``least_slots(G) <= B <= slots``.

    Parameters
    ----------
    law : Law
        Of one slot's load.
    workers, slots : int
        Ends of the region.
    least_slots : callable
        Smallest ``B`` that counts at each ``G``, non-decreasing; ``ceil(sqrt(G))`` is the paper's
        regime.
    tolerance : Fraction
        Relative width of the result.

    Raises
    ------
    InputError
        If the region is empty or the law may be constant.

    Notes
    -----
    Branch and bound.  ``E[max_g L_g] - B E[X]`` cannot fall as ``G`` or ``B`` grow, so over a box
    with corners ``(G, B)`` and ``(G', B')`` no effective constant lies below
    ``c(G, B) sqrt(B ln G / (B' ln G'))`` [fcfs.constant-of-law].
    """
    if workers < 2 or least_slots(2) > slots or tolerance <= 0:
        raise InputError("the largest constant needs G >= 2, some B, and a tolerance > 0")
    best = (effective_constant(law, 2, least_slots(2)).upper, 2, least_slots(2))
    # Boxes by their lower bound; the integers behind it make every entry comparable.
    boxes = [(Fraction(0), 2, workers, least_slots(2), slots)]
    while True:
        bound, g, g_end, b, b_end = heappop(boxes)
        point = g == g_end and b == b_end
        if bound >= best[0] * (1 - tolerance) or (bound and point):
            return LargestConstant(Enclosure(min(bound, best[0]), best[0]), *best[1:])
        halves = [(g, g_end, b, b_end)]
        if bound:
            if _log_ratio(g, g_end) > log(b_end / b):
                middle = max(g, round(g * (g_end / g) ** 0.5) - 1)
                halves = [(g, middle, b, b_end), (middle + 1, g_end, b, b_end)]
            else:
                middle = max(b, round((b * b_end) ** 0.5) - 1)
                halves = [(g, g_end, b, middle), (g, g_end, middle + 1, b_end)]
        for g0, g1, b0, b1 in halves:
            start = max(b0, least_slots(g0))
            if g0 > g1 or start > b1:
                continue
            c = effective_constant(law, g0, start)
            best = min(best, (c.upper, g0, start))
            with ctx.workprec(PRECISION):
                shrink = from_ball(constant_shrink(arb(g0), start, arb(g1), b1)).lower
            heappush(boxes, (c.lower * shrink, g0, g1, start, b1))


def _log_ratio(low: int, high: int) -> float:
    return float(log(log(high) / log(low)))
