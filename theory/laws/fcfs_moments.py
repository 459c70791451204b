"""Second moments of one FCFS step, and its expected idle share: exact, no sampling.

The imbalance ``G M - S`` depends on the largest load ``M`` and the sum ``S`` together.  Given that
no load exceeds ``y`` the loads are still independent, so with the partial sums
``m_j(y) = sum_{x <= y} x^j f(x)`` of the law of a worker's load and ``F = m_0``

``P(M <= y) = F^G``, ``E[S; M <= y] = G m_1 F^(G-1)`` and
``E[S^2; M <= y] = G m_2 F^(G-1) + G (G-1) m_1^2 F^(G-2)``,

and every expectation of ``M``, ``S`` and ``S^2`` is a sum of their increments [fcfs.moments].
"""

from dataclasses import dataclass
from fractions import Fraction

from flint import arb, ctx, fmpq

from theory.laws.fcfs_expectation import (
    PRECISION,
    expected_imbalance,
    from_ball,
    load_law,
    on_lattice,
    square_root,
    to_ball,
)
from theory.laws.law import Enclosure, Law
from theory.model import InputError

# Largest size of a computation in fractions, in bits over all the powers that it takes.
EXACT_FRACTIONS = 2**20


@dataclass(frozen=True, slots=True)
class StepMoments:
    """Second moments of the imbalance of one FCFS step, and its expected idle share.

    Parameters
    ----------
    second_moment : Enclosure
        ``E[Imb^2]``.
    deviation : Enclosure
        Standard deviation of ``Imb``.
    idle_share : Enclosure
        ``E[Imb / (G M)]``, the expected idle share of a step.  The long-run share of
        :class:`theory.laws.fcfs_expectation.Expectation` weighs steps by their duration instead.
    """

    second_moment: Enclosure
    deviation: Enclosure
    idle_share: Enclosure


def spread(law: Law, workers: int, slots: int, lattice: int | None = None) -> StepMoments:
    """Second moment, deviation and expected idle share of one FCFS step.

    Parameters
    ----------
    law : Law
        Of one slot's load, at least 1.
    workers, slots : int
        ``G >= 1`` and ``B >= 1``.
    lattice : int, optional
        Cell ``h`` to floor the loads to; chosen by the length of the computation if None.

    Raises
    ------
    InputError
        If an argument is out of range.

    Notes
    -----
    What the fixed-point law lacks, and a capped tail, may sit anywhere; a lattice ``h`` moves
    ``Imb`` by at most ``G`` times the range of centred remainders, whose mean square is at most
    ``4 G^2 (h-1)^2 B (ln(2G) + 1) / 2``, as a sum of ``B`` terms bounded by ``h-1`` is
    sub-Gaussian.

    Examples
    --------
    Two workers of one slot, sizes 1 or 2 at equal odds.  ``Imb`` is 0 or 1 at equal odds; where it
    is 1 the loads are 1 and 2, and 1/4 of the worker-time is idle:

    >>> found = spread(Law.uniform(1, 2), 2, 1)
    >>> str(found.second_moment), str(found.deviation), str(found.idle_share)
    ('1/2', '1/2', '1/8')
    """
    if law.offset < 1:
        raise InputError(f"loads must be >= 1 to have an idle share, got {law.offset}")
    fine, cell = on_lattice(law, slots, lattice)
    load = load_law(fine, slots)
    mean = expected_imbalance(fine, workers, slots, 1).imbalance
    square, share = _sums(load, workers, slots if cell > 1 else 0)
    # Anything may happen where a load is not listed or, for the share, a tail was capped.
    chance = min(Fraction(1), workers * load.lost)
    worst = ((workers - 1) * (load.bound - load.offset)) ** 2
    square = Enclosure(square.lower, square.upper + chance * worst)
    capped = min(Fraction(1), workers * slots * law.excess)
    share = Enclosure(
        max(Fraction(0), share.lower - chance - capped), min(Fraction(1), share.upper + capped)
    )
    with ctx.workprec(PRECISION):
        moved = workers * workers * slots * to_ball(law.excess).sqrt()
        if cell > 1:
            moved += workers * (cell - 1) * (2 * slots * ((2 * arb(workers)).log() + 1)).sqrt()
        reach = from_ball(moved).upper if moved else Fraction(0)
    # Both the norm and the deviation, the norm of Imb - E[Imb], move by at most that.
    variance = square.lower - mean.upper**2, square.upper - mean.lower**2
    norm, deviation = _root(square.lower, square.upper), _root(*variance)
    second = square
    if reach:
        norm = _moved(norm, cell, reach)
        second = Enclosure(norm.lower**2, norm.upper**2)
    return StepMoments(second, _moved(deviation, cell, reach), share)


def _root(lower: Fraction, upper: Fraction) -> Enclosure:
    """The square root of a number in ``[lower, upper]`` that is not negative."""
    return Enclosure(
        square_root(max(Fraction(0), lower)).lower, square_root(max(Fraction(0), upper)).upper
    )


def _moved(number: Enclosure, cell: int, reach: Fraction) -> Enclosure:
    """``cell`` times a number ``>= 0``, give or take ``reach``."""
    return Enclosure(max(Fraction(0), number.lower * cell - reach), number.upper * cell + reach)


def _sums(load: Law, workers: int, slots: int) -> tuple[Enclosure, Enclosure]:
    """``E[(G M - S)^2]`` and ``1 - E[S / (G M)]``, counting only what is listed.

    With ``slots > 0`` the loads are floors: of a load ``x`` is known that the true one, in cells,
    lies between ``x`` and ``x + slots``.
    """
    G, offset, scale = workers, load.offset, load.scale
    exact = load.exact and len(load.weights) * G * scale.bit_length() <= EXACT_FRACTIONS
    with ctx.workprec(PRECISION):
        unit = fmpq(scale) if exact else arb(scale)
        zero = 0 * unit
        below, first, second = zero, zero, zero
        before = zero, zero, zero
        square, least, most = zero, zero, zero
        for y, weight in enumerate(load.weights):
            w = weight / unit
            below, first, second = below + w, first + y * w, second + y * y * w
            if below == 0:
                continue
            # Powers of F: the square of m_1 needs only G-2 of them.
            power = below ** (G - 1)
            pairs = G * (G - 1) * first * first * power / below if G > 1 else zero
            now = power * below, G * first * power, G * second * power + pairs
            d0, d1, d2 = (a - b for a, b in zip(now, before, strict=True))
            before = now
            square += (G * y) ** 2 * d0 - 2 * G * y * d1 + d2
            least += (offset * d0 + d1 / G) / (offset + y + slots)
            most += ((offset + slots) * d0 + d1 / G) / (offset + y) if offset + y > slots else d0
        ends = [_enclosure(number) for number in (square, least, most)]
    nothing = Fraction(0)
    return (
        Enclosure(max(nothing, ends[0].lower), max(nothing, ends[0].upper)),
        Enclosure(max(nothing, 1 - ends[2].upper), 1 - ends[1].lower),
    )


def _enclosure(number: fmpq | arb) -> Enclosure:
    if isinstance(number, arb):
        return from_ball(number)
    return Enclosure.exactly(Fraction(int(number.p), int(number.q)))
