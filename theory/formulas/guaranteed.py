"""What BF-IO leaves at most, long-run and at every size of the system [geometric.theorem-2].

Every slot is occupied, output lengths are geometric(``p``), the drift is 1 and steps are exact.
The imbalance after a step is at most ``1 - p`` times the one before and what the departures
deviate from a share ``p`` of all load [geometric.bfio-upper], [geometric.recursion].  That
deviation is bounded here by exponential moments, whatever sizes the policy has admitted: ages are
geometric and no policy changes their law.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations
from math import inf
from typing import Any

from flint import arb, ctx

from theory.elementary import exp, log, sqrt
from theory.formulas.step import spacing_cost
from theory.laws.fcfs_expectation import PRECISION, from_ball, to_ball
from theory.model import InputError

# Precision of the search for the best tilt, in bits; the bound itself is at PRECISION.
ROUGH = 64


def departure_moment(p: Any, x: Any) -> Any:
    """``E exp(x (xi - p))`` for ``xi = 1`` with probability ``p`` and 0 else, of any number type.

    Examples
    --------
    >>> departure_moment(1, 5.0)
    1.0
    """
    return (1 - p) * exp(-p * x) + p * exp((1 - p) * x)


def _switch(theta: float, p: float, above: int, below: int) -> int:
    """The first age whose moment exceeds that of the load ``-below``, about; at least 1."""

    def moment(x: float) -> float:
        """Logarithm of the moment, which itself may not fit a float."""
        one, other = log(1 - p) - p * x, log(p) + (1 - p) * x
        top = max(one, other)
        return float(top + log(exp(one - top) + exp(other - top)))

    floor = moment(-theta * below)

    def smaller(age: int) -> bool:
        return moment(theta * (above + age)) < floor

    high = 1
    while smaller(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if smaller(middle) else (low, middle)
    return high


def slot_moment(theta: float, p: Fraction, above: int, below: int) -> arb | None:
    """``E max(m(theta (above + A)), m(-theta below))``, ``m`` the :func:`departure_moment`.

    ``A`` is geometric(``p``) from 1.  The maximum rises with the age, so the mean bounds that of
    younger requests; and ``m`` falls to 0 and rises from there, so it bounds the moment of every
    load between ``-below`` and ``above + A``.

    Parameters
    ----------
    theta : float
        Tilt of ``xi - p``; a negative one is that of ``p - xi``.
    p : Fraction
        ``0 < p < 1``.
    above, below : int
        Both ``>= 0``.

    Returns
    -------
    arb or None
        An upper bound, as a ball at the working precision; None if the mean is infinite.
    """
    t, chance = arb(theta), to_ball(p)
    stay = 1 - chance
    first = _switch(theta, float(p), above, below)
    floor = departure_moment(chance, -t * below)
    # Up to the switch the maximum is at most the larger of its ends; beyond it, the moment of
    # the age, and what that may lack at the switch.
    last, here = (departure_moment(chance, t * (above + first - k)) for k in (1, 0))
    total = (1 - stay ** (first - 1)) * floor.max(last)
    total += stay ** (first - 1) * (floor - here).max(arb(0))
    for share, rate in ((stay, -chance * t), (chance, stay * t)):
        ratio = stay * rate.exp()
        if not ratio < 1:
            return None
        tail = share * chance * stay ** (first - 1) * (rate * (above + first)).exp()
        total += tail / (1 - ratio)
    return total


def excess_moment(
    theta: float,
    workers: int,
    slots: int,
    p: Fraction,
    sizes: tuple[int, int],
    offered: tuple[int, int],
) -> arb | None:
    """``Z``, a bound of ``sum_(h != g) E exp(theta (X_g + Y_h - B p (y - x)))`` for each ``g``.

    The ``G - 1`` others are independent of worker ``g``, given the loads; on its own ``X_g + Y_g``
    is never above ``B p (y - x)``.  Arguments as for :func:`deviation_bound`; None if a moment is
    infinite.
    """
    (a, b), (x, y) = sizes, offered
    above = slot_moment(theta, p, b - y, max(0, y - a - 1))
    below = slot_moment(-theta, p, b - x, max(0, x - a - 1))
    if above is None or below is None:
        return None
    t, chance = arb(theta), to_ball(p)
    others = (workers - 1) * (above * below) ** slots
    return others * (-t * slots * chance * (y - x)).exp()


def _best_tilt(at: Callable[[float], float], p: float) -> float:
    """About where the bound is least, by golden section; every tilt gives a bound."""
    low, high = log(p) - 12, log(p) + 3  # too large a tilt has an infinite moment
    inner = (sqrt(5) - 1) / 2
    while high - low > 0.01:
        left, right = high - inner * (high - low), low + inner * (high - low)
        low, high = (low, right) if at(exp(left)) <= at(exp(right)) else (left, high)
    return float(exp(low))


def deviation_bound(
    workers: int,
    slots: int,
    p: Fraction,
    sizes: tuple[int, int],
    offered: tuple[int, int] | None = None,
) -> Fraction:
    """An upper bound of ``F``, the mean of ``sum_g (X_g + max_h Y_h - B p (y - x))^+``.

    ``X_g`` is the sum over the requests of a worker of ``(xi - p)(w - y)`` and ``Y_h`` that of
    ``(p - xi)(w - x)``, as in [geometric.bfio-upper]; loads ``w = s + A`` have sizes in
    ``[a, b]`` that may depend on all that happened before, and ages of geometric slots, stationary
    or younger.

    Parameters
    ----------
    workers, slots : int
        ``G >= 2`` and ``B >= 1``.
    p : Fraction
        ``0 < p < 1``.
    sizes : (int, int)
        ``a < b``.
    offered : (int, int), optional
        Two sizes ``a <= x < y <= b`` that the pool always holds; ``a`` and ``b`` by default.

    Returns
    -------
    Fraction
        ``min G/theta min(log(1 + Z), Z/e)`` over tilts ``theta > 0``, with ``Z`` a bound of
        ``sum_(h != g) E exp(theta (X_g + Y_h - B p (y - x)))``; rounded up.

    Raises
    ------
    InputError
        If an argument is out of range: at ``p = 1`` nothing deviates, and without two sizes
        nothing is balanced.

    Notes
    -----
    ``(max u_h)^+ <= log(1 + sum exp(theta u_h)) / theta`` with Jensen's inequality, and
    ``u^+ <= exp(theta u) / (e theta)``.  The method is Bernstein's (1924).

    Examples
    --------
    Hardly anything is left where many departures meet a wide range of sizes:

    >>> deviation_bound(4, 400, Fraction(1, 2), (1, 9)) < Fraction(1, 10)
    True
    """
    x, y = offered or sizes
    a, b = sizes
    if not (workers >= 2 and slots >= 1 and 0 < p < 1 and a <= x < y <= b):
        raise InputError(
            "need G >= 2, B >= 1, 0 < p < 1 and two sizes a <= x < y <= b, got "
            f"G = {workers}, B = {slots}, p = {p}, sizes {a}..{b}, offered {x} and {y}"
        )
    p = Fraction(p)

    def bound(theta: float) -> arb | None:
        z = excess_moment(theta, workers, slots, p, sizes, (x, y))
        if z is None:
            return None
        return workers * (1 + z).log().min(z * arb(-1).exp()) / arb(theta)

    def rough(theta: float) -> float:
        found = bound(theta)
        return inf if found is None else float(found.upper())

    with ctx.workprec(ROUGH):
        tilt = _best_tilt(rough, float(p))
    with ctx.workprec(PRECISION):
        found = bound(tilt)
        assert found is not None
        return from_ball(found).upper


def guaranteed_imbalance(
    workers: int,
    slots: int,
    p: Fraction,
    sizes: tuple[int, int],
    offered: tuple[int, int] | None = None,
) -> Fraction:
    """Upper bound of BF-IO's mean imbalance over any number of steps from a cold start.

    ``F / p`` from a rich pool, ``(S + F) / p`` with ``S`` of
    :func:`theory.formulas.step.spacing_cost` from one that always holds enough copies of ``x`` and
    ``y`` [geometric.theorem-2]; parameters as for :func:`deviation_bound`.

    Examples
    --------
    Two sizes that follow each other cost no spacing:

    >>> half = Fraction(1, 2)
    >>> guaranteed_imbalance(2, 9, half, (1, 2)) == guaranteed_imbalance(2, 9, half, (1, 2), (1, 2))
    True
    """
    spacing = 0 if offered is None else spacing_cost(workers, offered[1] - offered[0])
    return (spacing + deviation_bound(workers, slots, p, sizes, offered)) / Fraction(p)


def best_offer(
    workers: int, slots: int, p: Fraction, sizes: tuple[int, int], held: Sequence[int]
) -> tuple[Fraction, tuple[int, int]]:
    """The least :func:`guaranteed_imbalance` over pairs of the sizes that a pool holds.

    Parameters
    ----------
    workers, slots, p, sizes
        As for :func:`deviation_bound`.
    held : sequence of int
        Sizes with enough copies, at least two different ones.

    Raises
    ------
    InputError
        If there are fewer than two.

    Examples
    --------
    With few departures a wide spacing is worth its cost:

    >>> _, (x, y) = best_offer(4, 40, Fraction(1, 2), (1, 9), [1, 2, 9])
    >>> y - x > 1
    True
    """
    pairs = sorted(combinations(sorted(set(held)), 2), key=lambda pair: pair[1] - pair[0])
    if not pairs:
        raise InputError(f"need two sizes with enough copies in the pool, got {list(held)}")
    best: tuple[Fraction, tuple[int, int]] | None = None
    for x, y in pairs:
        if best is not None and spacing_cost(workers, y - x) / Fraction(p) >= best[0]:
            continue
        found = guaranteed_imbalance(workers, slots, p, sizes, (x, y))
        if best is None or found < best[0]:
            best = found, (x, y)
    assert best is not None
    return best
