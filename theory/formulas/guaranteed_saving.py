"""The saving that Theorems 1 and 4 guarantee together, with explicit constants, and its caps.

For equal output lengths, no step overhead and full refills: BF-IO leaves at most ``(G-1)(b-a)`` in
every step, FCFS in expectation at least an explicit ``E[Imb]``, and the sharp floor
[energy.saving-sharp] of the two ratios ``eta0`` and ``eta1`` of imbalance to work is a floor of the
saving of expected energy, ``(P_w eta0 - D eta1) / (P_max + P_w eta0)``.  Every slot holds a request
in every such step, so that a worker without work plays no part: a waiting one draws ``P_w``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise, product
from math import ceil, floor
from typing import Any

from flint import arb, ctx

from theory.elementary import log
from theory.formulas.energy import Constants, Usage, exact, saving_sharp
from theory.formulas.fcfs import log_growth_square
from theory.formulas.step import full_refill_bound
from theory.formulas.vacuity import Lengths, refill_imbalance
from theory.laws.fcfs_expectation import PRECISION, from_ball, square_root, to_ball
from theory.laws.law import Enclosure

_UNIT = 2**64  # of rounded ratios


def work_per_step(lengths: Lengths, workers: int, slots: int, decode: int = 1) -> Fraction:
    """``G B (E[s] + (o-1)/2)``: mean work of a step in rounds of length ``o`` under drift 1."""
    return workers * slots * (lengths.mean + Fraction(decode - 1, 2))


def promised(
    lengths: Lengths,
    workers: int,
    slots: int,
    power: Constants[float],
    imbalance: Fraction,
    decode: int = 1,
) -> Fraction:
    """The sharp floor where FCFS has that expected imbalance a step and BF-IO ``(G-1)(b-a)``.

    Negative where it promises nothing.  It rises with ``imbalance``.
    """
    work = work_per_step(lengths, workers, slots, decode)
    left = full_refill_bound(workers, lengths.smallest, lengths.largest)
    base, new = Usage(Fraction(1), imbalance / work), Usage(Fraction(1), left / work)
    return saving_sharp(exact(power), base, new)


def guaranteed_saving(
    lengths: Lengths, workers: int, slots: int, power: Constants[float], decode: int = 1
) -> Fraction:
    """Saving that Theorems 1 and 4 together guarantee with exact FCFS, 0 where they promise none.

    Parameters
    ----------
    lengths : Lengths
        Of the sizes, whose law must be known.
    workers, slots : int
        ``G >= 2`` and ``B >= 1``.
    power : Constants
        The device.
    decode : int
        Output length of every request, ``o >= 1``, under drift 1; the default is that of rounds
        without growth.  Longer ones add work and lower the saving.

    Notes
    -----
    With the lower end of ``E[Imb]`` of FCFS and the upper end of BF-IO's, the safe end of each.
    """
    imbalance = refill_imbalance(lengths, workers, slots).lower
    return max(Fraction(0), promised(lengths, workers, slots, power, imbalance, decode))


def closed_imbalance(lengths: Lengths, workers: int, slots: int) -> Fraction:
    """The closed lower bound of FCFS's ``E[Imb]`` [fcfs.log-growth], rounded down.

    0 for ``B < floor(log2 G)``, of which it does not speak.

    Raises
    ------
    InputError
        If the law of the sizes is not known: the bound needs a fourth moment.
    """
    if slots < workers.bit_length() - 1:
        return Fraction(0)
    square = log_growth_square(lengths.variance, fourth_moment(lengths), workers, slots)
    return square_root(square).lower


def growth_saving(
    lengths: Lengths, workers: int, slots: int, power: Constants[float], decode: int = 1
) -> Fraction:
    """:func:`guaranteed_saving` with :func:`closed_imbalance` in place of exact FCFS."""
    imbalance = closed_imbalance(lengths, workers, slots)
    return max(Fraction(0), promised(lengths, workers, slots, power, imbalance, decode))


@lru_cache(maxsize=64)  # each number of slots asks for the same
def fourth_moment(lengths: Lengths) -> Fraction:
    """An upper bound of the fourth central moment of the sizes, exact where their law is.

    With sizes ``s = h floor(s/h) + R`` the remainder is at most ``h - 1`` from its mean, and the
    fourth root of the moment of a sum is at most the sum of the roots (Minkowski).
    """
    law, cell = lengths.known, lengths.cell
    found = law.moment(4, law.mean.lower).upper
    if cell == 1:
        return found
    root = square_root(square_root(found).upper).upper
    bound: Fraction = (cell * root + cell - 1) ** 4
    return bound


def best_guaranteed_saving(
    lengths: Lengths, workers: int, power: Constants[float], most: int = 2**12
) -> tuple[Fraction, int]:
    """The largest :func:`guaranteed_saving` over ``B = 1, 2, 4, .., most``, and its ``B``.

    It has a largest value because ``eta`` falls like ``1/sqrt(B)`` while the ratio grows.
    """
    slots = [1 << k for k in range(most.bit_length())]
    return max((guaranteed_saving(lengths, workers, b, power), b) for b in slots)


@dataclass(frozen=True, slots=True)
class Ratios:
    """Imbalance over work in full refills of one step at some ``B``.

    Parameters
    ----------
    slots : int
        ``B``.
    fcfs : Enclosure
        ``eta0``, of FCFS in expectation.
    closed : Fraction
        What :func:`closed_imbalance` makes of it, a lower bound.
    bfio : Fraction
        ``eta1``, of BF-IO at most.
    """

    slots: int
    fcfs: Enclosure
    closed: Fraction
    bfio: Fraction


def refill_ratios(
    lengths: Lengths, workers: Iterable[int], slots: Iterable[int]
) -> dict[int, list[Ratios]]:
    """For each ``G`` both ratios at each ``B``, those of FCFS rounded outwards to ``2^-64``.

    ``eta0`` does not rise with ``B``: the largest of the ``G`` means of ``B + 1`` sizes is at most
    the mean over the size that is left out of the largest of the means of the others.  ``eta1``
    falls like ``1/B``.
    """
    found: dict[int, list[Ratios]] = {g: [] for g in workers}
    for b, g in product(slots, found):  # the convolution of a B serves every G
        share = 1 / work_per_step(lengths, g, b)
        exact_one = refill_imbalance(lengths, g, b) * share
        low, high = floor(exact_one.lower * _UNIT), ceil(exact_one.upper * _UNIT)
        closed = floor(closed_imbalance(lengths, g, b) * share * _UNIT)
        found[g].append(
            Ratios(
                b,
                Enclosure(Fraction(low, _UNIT), Fraction(high, _UNIT)),
                Fraction(closed, _UNIT),
                full_refill_bound(g, lengths.smallest, lengths.largest) * share,
            )
        )
    return found


def _floor(power: Constants[Fraction], fcfs: Fraction, bfio: Fraction) -> Fraction:
    """The sharp floor of two ratios, 0 where it promises nothing."""
    base, new = Usage(Fraction(1), fcfs), Usage(Fraction(1), bfio)
    return max(Fraction(0), saving_sharp(power, base, new))


def most_promised(ratios: Sequence[Ratios], power: Constants[float]) -> tuple[Enclosure, int]:
    """The largest promise over every ``B >= 1``, enclosed, and the listed ``B`` of its lower end.

    Parameters
    ----------
    ratios : sequence of Ratios
        By ``B``, the first at ``B = 1``; between two of them, and beyond the last, monotony bounds
        the promise.
    power : Constants
        The device.
    """
    constants = exact(power)
    best, slots = max((_floor(constants, x.fcfs.lower, x.bfio), x.slots) for x in ratios)
    upper = _floor(constants, ratios[-1].fcfs.upper, Fraction(0))
    for x, following in pairwise(ratios):
        # The whole numbers from x.slots to the last before the next.
        last = x.bfio * x.slots / (following.slots - 1)
        upper = max(upper, _floor(constants, x.fcfs.upper, last))
    return Enclosure(best, max(best, upper)), slots


def slots_above(
    ratios: Iterable[Ratios], power: Constants[float], saving: Fraction
) -> tuple[int, int] | None:
    """The first and the last listed ``B`` that promises more than ``saving``; None if none does."""
    constants = exact(power)
    above = [x.slots for x in ratios if _floor(constants, x.fcfs.lower, x.bfio) > saving]
    return (above[0], above[-1]) if above else None


def best_closed(ratios: Iterable[Ratios], power: Constants[float]) -> Fraction:
    """The largest promise at a listed ``B`` with the closed bound of FCFS."""
    constants = exact(power)
    return max(_floor(constants, x.closed, x.bfio) for x in ratios)


def limit_form(power: Constants[Any], spread: Any) -> Any:
    """``P_w x / (P_max + P_w x)`` with ``x = (b - m)/m``, of any number type.

    No ``G`` and ``B`` promise it [vacuity.saving-limit].
    """
    return power.barrier_w * spread / (power.max_w + power.barrier_w * spread)


def saving_limit(lengths: Lengths, power: Constants[float]) -> Fraction:
    """The saving that Theorems 1 and 4 stay below at every ``G`` and ``B``; 0 for ``P_w = 0``.

    Examples
    --------
    Sizes 1 and 2 at even odds have ``x = 1/3``: ``(100/3) / (400 + 100/3)``.

    >>> from theory.laws.law import Law
    >>> from theory.power import hardware
    >>> fair = Lengths.of("fair", Law.uniform(1, 2), Fraction(1))
    >>> saving_limit(fair, hardware("a100-paper"))
    Fraction(1, 13)
    """
    return Fraction(limit_form(exact(power), (lengths.largest - lengths.mean) / lengths.mean))


def limit_at_form(power: Constants[Any], spread: Any, workers: Any) -> Any:
    """``P_w^2 r ln G / (8 P_max D) G/(G-1)`` with ``r = (b-a)/m``, of balls or symbols.

    No ``B`` promises more at that ``G`` [vacuity.saving-limit].
    """
    scale = power.barrier_w**2 / (8 * power.max_w * power.waste_w)
    return scale * spread * log(workers) * workers / (workers - 1)


def saving_limit_at(lengths: Lengths, workers: int, power: Constants[float]) -> Fraction:
    """What Theorems 1 and 4 promise at most with ``G`` workers, whatever ``B``; rounded up.

    0 for ``P_w = 0``, where they promise nothing.
    """
    constants = exact(power)
    if constants.barrier_w == 0:
        return Fraction(0)
    spread = Fraction(lengths.largest - lengths.smallest) / lengths.mean
    with ctx.workprec(PRECISION):
        balls: Constants[Any] = Constants(
            to_ball(constants.barrier_w), to_ball(constants.max_w), to_ball(constants.gamma)
        )
        return from_ball(limit_at_form(balls, to_ball(spread), arb(workers))).upper
