"""Exact expectations of FCFS: ``E[Imb]``, ``E[max]``, idle share; no sampling.

The loads of the ``G`` workers are iid sums of ``B`` iid slot loads (:mod:`theory.laws.slot_load`),
so ``E[max_g L_g] = sum_x (1 - F(x)^G)`` with ``F`` from a ``B``-fold convolution [fcfs.exact].
Three methods, one result with two exact sides:

* *exact*: rational polynomial powers, when the numbers are small;
* *fixed-point*: integer polynomial powers, every product rounded down to ``2^-80`` and cut where
  almost no mass remains.  What the list lacks to one is known exactly and encloses ``F``;
  ``1 - F^G`` is then summed in integers, by powers that are rounded down, too
  (:mod:`theory.laws.fixed_point`);
* *lattice*: sizes are first floored to multiples of ``h``.  With ``X = h*floor(X/h) + R``,
  ``0 <= R <= h-1``, a worker's remainder is a sum of ``B`` bounded iid variables, so by
  Hoeffding's lemma (Hoeffding 1963) its centred maximum over ``G`` workers is at most
  ``(h-1) sqrt(B ln(G) / 2)`` in expectation.  Hence ``E[Imb]`` lies within
  ``G (h-1) sqrt(B ln(G) / 2)`` of ``h`` times the lattice's.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import accumulate
from operator import mul
from typing import TYPE_CHECKING, Any

import numpy as np
from flint import arb, ctx, fmpz_poly

from theory.laws.fixed_point import LIMB, powers
from theory.laws.law import BITS, Enclosure, Law
from theory.model import FloatArray, InputError
from theory.shown import Shown, axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Largest size of an exact computation, in bits over all the integers that it writes down.
EXACT_WORK = 2**22

# Longest law of a worker's load at full resolution, in points; above it, sizes go to a lattice.
POINTS = 2**18

PRECISION = 192  # of ball arithmetic, in bits


def to_ball(number: Fraction | int) -> arb:
    """A ball around a rational, at the working precision."""
    above, below = number.as_integer_ratio()
    return arb(above) / arb(below)


def from_ball(ball: arb) -> Enclosure:
    """The two ends of a ball, as exact rationals.

    Raises
    ------
    InputError
        If the ball is not finite.
    """
    if not ball.is_finite():
        raise InputError(f"ball arithmetic lost all precision: {ball}")

    def dyadic(end: arb) -> Fraction:
        man, exp = (int(part) for part in end.man_exp())
        return Fraction(man << exp) if exp > 0 else Fraction(man, 1 << -exp)

    return Enclosure(dyadic(ball.lower()), dyadic(ball.upper()))


def square_root(number: Fraction | int) -> Enclosure:
    """An enclosure of the square root of a rational ``>= 0``."""
    with ctx.workprec(PRECISION):
        return from_ball(to_ball(number).sqrt()) if number else Enclosure.exactly(0)


@lru_cache(maxsize=64)
def _cumulants(law: Law) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Tilts from negligible to saturated, and the cumulants of a law, less its offset, at each.

    And at the tilts of the other sign.
    """
    mass = law.floats
    values = np.flatnonzero(mass > 0)
    tilts = np.exp2(np.arange(-12, 12, 0.5)) / max(1, mass.size - 1)

    def cumulants(exponents: FloatArray) -> FloatArray:
        shift = exponents.max(axis=1)
        sums = np.exp(exponents - shift[:, None]) @ mass[values]
        return np.asarray(shift + np.log(sums))

    exponents = np.outer(tilts, values)
    return tilts, cumulants(exponents), cumulants(-exponents)


def _reach(law: Law, copies: int) -> int:
    """A value that the sum of that many copies, less its offset, exceeds with chance 2^-BITS.

    Chernoff's bound (Chernoff 1952) in floats; nothing rests on its accuracy, as the mass beyond it
    is counted as lost.
    """
    tilts, cumulants, _ = _cumulants(law)
    best = ((copies * cumulants + BITS * np.log(2)) / tilts).min()
    return int(min(best, copies * max(1, len(law.weights) - 1))) + 1


def _foot(law: Law, copies: int) -> int:
    """A value that the sum, less its offset, falls below with chance 2^-BITS, as :func:`_reach`."""
    tilts, _, cumulants = _cumulants(law)
    return max(0, int(-((copies * cumulants + BITS * np.log(2)) / tilts).min()) - 1)


@lru_cache(maxsize=16)  # sweeps over G share the convolution
def load_law(law: Law, slots: int) -> Law:
    """The law of a worker's load: the sum of ``slots`` independent copies.

    Exact where that is cheap, else in fixed point with the lost mass accounted for.

    Parameters
    ----------
    law : Law
        Of one slot's load.
    slots : int
        ``B >= 1``.

    Raises
    ------
    InputError
        If ``slots < 1``.

    Examples
    --------
    >>> load = load_law(Law.uniform(1, 2), 2)
    >>> load.offset, load.weights, load.scale
    (2, (1, 2, 1), 4)
    """
    if slots < 1:
        raise InputError(f"slots must be >= 1, got {slots}")
    points = slots * (len(law.weights) - 1) + 1
    if not law.exact or points * slots * law.scale.bit_length() > EXACT_WORK:
        return summed_loads([(law, slots)])
    weights = [int(w) for w in _power(law, slots, exact=True)[0].coeffs()]
    weights += [0] * (points - len(weights))
    return Law(slots * law.offset, tuple(weights), law.scale**slots, slots * law.bound)


def summed_loads(parts: Sequence[tuple[Law, int]]) -> Law:
    """The law of the sum of loads of different slots, so many of each law, in fixed point.

    Parameters
    ----------
    parts : sequence of (Law, int)
        Laws and their numbers of slots, ``>= 1``.

    Examples
    --------
    >>> coin, die = Law.uniform(0, 1), Law.uniform(1, 4)
    >>> load, known = summed_loads([(coin, 2), (die, 1)]), load_law(coin, 2).plus(die)
    >>> load.offset, load.floats.tolist() == known.floats.tolist()
    (1, True)
    """
    total, start = fmpz_poly([1]), 0
    for number, (law, slots) in enumerate(parts):
        power, low = _power(law.rounded(), slots, exact=False)
        total, start = total * power // (1 << BITS) if number else power, start + low
    # The square of a sum of so many excesses is at most that number times the sum of squares.
    slots = sum(n for law, n in parts if law.excess)
    return Law(
        sum(n * law.offset for law, n in parts),
        (*[0] * start, *[int(w) for w in total.coeffs()]) or (0,),
        1 << BITS,
        sum(n * law.bound for law, n in parts),
        slots * sum((n * law.excess for law, n in parts), Fraction(0)),
    )


@lru_cache(maxsize=32)  # other numbers of slots have the same parts
def _power(law: Law, slots: int, exact: bool) -> tuple[fmpz_poly, int]:
    """Mass of a sum, and the value, less its offset, at which the list begins.

    Of two parts, one of as many copies as the largest power of 2 below.  Unless it is to be exact,
    the product is cut where it holds no mass, on both sides, and rounded down.
    """
    if slots == 1:
        return fmpz_poly(list(law.weights)), 0
    most = 1 << (slots - 1).bit_length() - 1
    (power, start), (other, low) = _power(law, most, exact), _power(law, slots - most, exact)
    if exact:
        return power * other, 0
    start += low
    top = min(slots * (len(law.weights) - 1), _reach(law, slots))
    foot = max(start, _foot(law, slots))
    power = power.mul_low(other, 1 + top - start) // (1 << BITS)
    return power.right_shift(foot - start), foot


def expected_maximum(load: Law, workers: int, order: int = 1) -> Enclosure:
    """``E[(max of G iid copies - offset)^order]``.

    ``sum_y ((y+1)^order - y^order) (1 - F(y)^G)`` over ``y >= 0``, exactly in rationals where that
    is cheap and in fixed point otherwise.  With mass ``d`` lost, ``F`` lies in
    ``[F', F' + d]`` for the listed ``F'``.

    Parameters
    ----------
    load : Law
        Of a worker's load; where its tail was capped, the expectation is that of the capped law.
    workers : int
        ``G >= 1``.
    order : int
        Order of the moment, 1 or more.

    Raises
    ------
    InputError
        If ``G < 1``.

    Examples
    --------
    Of two fair bits one at least is set with probability 3/4:

    >>> str(expected_maximum(Law.uniform(0, 1), 2))
    '3/4'
    """
    if workers < 1:
        raise InputError(f"workers must be >= 1, got {workers}")
    G, size, scale = workers, len(load.weights), load.scale
    below = list(accumulate(load.weights))
    lost = scale - below[-1]
    steps = [(y + 1) ** order - y**order for y in range(size)] if order > 1 else []
    if lost == 0 and size * G * scale.bit_length() <= EXACT_WORK:
        whole, chances = scale**G, [c**G for c in below]
        total = whole * size**order - (sum(map(mul, steps, chances)) if steps else sum(chances))
        return Enclosure.exactly(Fraction(total, whole))
    # Where mass is lost, a hundredth of what that costs is enough.
    bits = max(BITS, (scale // lost).bit_length()) + 10 if lost else 128 + G.bit_length()
    limbs = -(-bits // LIMB)
    unit = 1 << limbs * LIMB
    # Below 2^-(bits/G) the power is less than a unit, and rounded down to nothing.
    first = bisect_left(below, 1 << max(0, scale.bit_length() - 1 - -(-limbs * LIMB // G)))
    last = bisect_left(below, scale)  # from there on it is 1
    most = last**order
    for limb in powers(below[first:last], scale, G, limbs):
        part = sum(map(mul, steps[first:last], limb.tolist())) if steps else int(limb.sum())
        most = (most << LIMB) - part
    error = G * (limbs + 1) * last**order
    listed = Enclosure(Fraction(most - error, unit), Fraction(most, unit))
    # Each term falls by at most G*d if the lost mass sits low; if it sits high, all values up to
    # the bound count with at most G*d.
    chance = min(Fraction(1), G * Fraction(lost, scale))
    span = load.bound - load.offset
    return Enclosure(
        max(Fraction(0), listed.lower - chance * size**order),
        listed.upper + chance * (span**order - min(size, span) ** order),
    )


@dataclass(frozen=True)
class Expectation(Shown):
    """Expected values of one FCFS step, each enclosed by two exact rationals.

    Parameters
    ----------
    workers, slots : int
        ``G`` and ``B``.
    mean : Enclosure
        ``E[L_g] = B E[X]``, the mean load of a worker.
    imbalance : Enclosure
        ``E[Imb] = G (E[max] - B E[X])``.
    method : str
        ``"exact"``, ``"fixed-point"`` or ``"lattice h"``.
    """

    workers: int
    slots: int
    mean: Enclosure
    imbalance: Enclosure
    method: str

    def facts(self) -> dict[str, Any]:
        """The five quantities: exact where they are, else the two ends that enclose each."""
        found = {
            "mean_load": self.mean,
            "imbalance": self.imbalance,
            "largest_load": self.maximum,
            "relative_imbalance": self.relative_imbalance,
            "idle_share": self.idle_share,
        }
        return {
            "workers": self.workers,
            "slots": self.slots,
            **{name: x.lower if x.exact else (x.lower, x.upper) for name, x in found.items()},
            "method": self.method,
        }

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """The mean load of a worker below the largest load, for which it waits."""
        ax = axes(ax)
        ax.bar(["mean load", "largest load"], [self.mean.value, self.maximum.value])
        ax.set_ylabel("expected load")
        ax.set_title(
            f"FCFS, G = {self.workers}, B = {self.slots}: idle {self.idle_share.value:.1%}"
        )
        return ax

    @property
    def maximum(self) -> Enclosure:
        """``E[max_g L_g]``."""
        return self.mean + self.imbalance * Fraction(1, self.workers)

    @property
    def relative_imbalance(self) -> Enclosure:
        """``eta = E[Imb] / E[sum_g L_g]``."""
        i, work = self.imbalance, self.mean * self.workers
        return Enclosure(i.lower / work.upper, i.upper / work.lower)

    @cached_property
    def idle_share(self) -> Enclosure:
        """Long-run share of worker-time idle at the barrier, ``eta / (1 + eta)``."""
        eta = self.relative_imbalance
        return Enclosure(eta.lower / (1 + eta.lower), eta.upper / (1 + eta.upper))


def expected_imbalance(
    law: Law, workers: int, slots: int, lattice: int | None = None
) -> Expectation:
    """``E[Imb]`` of one FCFS step, whose slots are iid with the given law.

    Parameters
    ----------
    law : Law
        Of one slot's load ``X`` (:func:`theory.laws.slot_load.geometric_slot`,
        :func:`theory.laws.slot_load.joint_slot`, or the law of sizes itself for equal output
        lengths).
    workers, slots : int
        ``G >= 1`` and ``B >= 1``.
    lattice : int, optional
        Cell ``h`` to floor the loads to; chosen by the length of the computation if None.

    Raises
    ------
    InputError
        If an argument is out of range.

    Examples
    --------
    Two workers of one slot, sizes 1 or 2 at equal odds: ``|L_1 - L_2|`` is 1 with probability 1/2.
    The idle share is ``eta / (1 + eta)`` with ``eta = (1/2) / 3``:

    >>> found = expected_imbalance(Law.uniform(1, 2), 2, 1)
    >>> str(found.imbalance), str(found.maximum), str(found.idle_share), found.method
    ('1/2', '7/4', '1/7', 'exact')
    """
    return _expectation(law, workers, slots, lattice)


@lru_cache(maxsize=1024)  # a check and its planted versions ask for the same
def _expectation(law: Law, workers: int, slots: int, lattice: int | None) -> Expectation:
    fine, cell = on_lattice(law, slots, lattice)
    load = load_law(fine, slots)
    top = expected_maximum(load, workers)
    shifted = replace(fine, excess=Fraction(0)).moment(1, fine.offset)
    gap = (top - (shifted * slots)) * (workers * cell)
    # Capping a tail never raises E[Imb]: min(X, c) and what it cuts off rise together, so X less
    # its mean is larger in convex order, and the largest of sums is convex.  At most, the largest
    # load includes what is cut off on every slot of every worker.
    capped = workers * slots * law.excess
    spread = Fraction(0)
    if cell > 1:
        spread = remainder_bound(cell, workers, slots)
    imbalance = Enclosure(
        max(Fraction(0), gap.lower - spread),
        max(Fraction(0), gap.upper + spread + workers * capped),
    )
    exact = top.exact and not law.excess and cell == 1
    method = "exact" if exact else "fixed-point" if cell == 1 else f"lattice {cell}"
    return Expectation(workers, slots, law.mean * slots, imbalance, method)


def on_lattice(law: Law, slots: int, cell: int | None) -> tuple[Law, int]:
    """The law of a slot's load floored to multiples of a cell, in cells, and the cell.

    If None, the cell is 1 unless a worker's load has more than :data:`POINTS` values.

    Raises
    ------
    InputError
        If the cell is below 1.
    """
    if cell is None:
        cell, reach = 1, slots * len(law.weights)
        reach = _reach(law, slots) if reach > POINTS else reach
        while reach > POINTS * cell:
            cell *= 2
    if cell < 1:
        raise InputError(f"lattice must be >= 1, got {cell}")
    return law.coarsened(cell) if cell > 1 else law, cell


def over_steps(steps: Sequence[Expectation]) -> Expectation:
    """The mean of several steps of one system: ``E[AvgImb]``, and the idle share of all of them.

    Parameters
    ----------
    steps : sequence of Expectation
        Of the steps of a transient, or of the phases of a period
        (:func:`theory.laws.slot_load.period`).

    Raises
    ------
    InputError
        If there is none, or they belong to different systems.
    """
    if len({(e.workers, e.slots) for e in steps}) != 1:
        raise InputError("a mean over steps needs steps of one system, and at least one")
    share = Fraction(1, len(steps))
    mean = imbalance = Enclosure.exactly(0)
    for e in steps:
        mean, imbalance = mean + e.mean * share, imbalance + e.imbalance * share
    methods = dict.fromkeys(e.method for e in steps)
    return Expectation(steps[0].workers, steps[0].slots, mean, imbalance, ", ".join(methods))


def remainder_bound(cell: int, workers: int, slots: int) -> Fraction:
    """``G (h-1) sqrt(B ln(G) / 2)``: how much flooring sizes to multiples of ``h`` moves ``E[Imb]``
    at most, rounded up.

    Source: Hoeffding's lemma (Hoeffding 1963), [vacuity.certified].
    """
    with ctx.workprec(PRECISION):
        return workers * (cell - 1) * from_ball((slots * arb(workers).log() / 2).sqrt()).upper
