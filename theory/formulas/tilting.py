"""The largest load of many workers by exponential tilting: the constant ``sqrt(2)`` [fcfs.tilting].

Sizes in an interval of length ``d`` with variance ``sigma^2``; everything is in units of
``sigma sqrt(B)``, a sum's standard deviation, and says something where ``h``, about
``(d/sigma) sqrt(2 ln G / B)``, is small.  :func:`tilted_tail`, :func:`tilting_form` and
:func:`tilting_cap` take any number type (:mod:`theory.elementary`).
"""

from fractions import Fraction
from math import exp as exponential
from math import expm1, log1p
from typing import Any

from flint import arb, ctx

from theory.elementary import exp, log, sqrt
from theory.laws.fcfs_expectation import PRECISION, from_ball, to_ball
from theory.laws.law import Law
from theory.model import InputError


def tilted_tail(x: Any, reach: Any, h: Any) -> tuple[Any, Any]:
    """A level ``tau``, and a lower bound of the chance that a load exceeds its mean by it.

    ``tau = x (1 - e^-h)/h - l e^(h/2)`` and ``l^2/(1 + l^2) exp(-x^2 e^h / 2 - x e^(h/2) / l)``.

    Parameters
    ----------
    x : number
        The tilt, which moves the mean by about ``x``; ``> 0``.
    reach : number
        ``l > 0``, how far below the tilted mean the level lies.
    h : number
        ``x d / (sigma sqrt(B))``.
    """
    level = x * (1 - exp(-h)) / h - reach * exp(h / 2)
    chance = exp(-(x**2) * exp(h) / 2 - x * exp(h / 2) / reach) * reach**2 / (1 + reach**2)
    return level, chance


def tilting_form(workers: Any, level: Any, chance: Any) -> Any:
    """``tau (1 - (1-p)^G) - (1-p)^(G-1)/2``, the lower bound of ``M(G, B)``, for ``tau >= 0``."""
    return level * (1 - (1 - chance) ** workers) - (1 - chance) ** (workers - 1) / 2


def tilting_cap(workers: Any, h: Any) -> Any:
    """``sqrt(2 ln G) (1 + e^h)/2``, the upper bound, with ``h = (d/sigma) sqrt(2 ln G / B)``."""
    return sqrt(2 * log(workers)) * (1 + exp(h)) / 2


def _width(law: Law, workers: int, slots: int) -> tuple[arb, arb]:
    """``d / (sigma sqrt(B))`` and ``sigma sqrt(B)``, at the working precision."""
    if workers < 2 or slots < 1 or not law.exact or law.variance.lower == 0:
        raise InputError(
            f"tilting needs G >= 2, B >= 1 and an exact law that varies, got G = {workers}, "
            f"B = {slots}"
        )
    unit = (slots * to_ball(law.variance.lower)).sqrt()
    return arb(law.bound - law.offset) / unit, unit


def _best_tilt(workers: int, width: float) -> tuple[Fraction, Fraction]:
    """The tilt and the reach on a grid that give the largest bound, in floats."""
    best = (0.0, Fraction(1), Fraction(1))
    for x, reach in (
        (Fraction(i, 10), Fraction(j, 10)) for i in range(2, 150) for j in range(2, 16)
    ):
        h = float(x) * width
        if h > 4:
            break
        level = -float(x) * expm1(-h) / h - float(reach) * exponential(h / 2)
        chance = float(tilted_tail(float(x), float(reach), h)[1])
        none = exponential((workers - 1) * log1p(-chance))
        value = level * (1 - none * (1 - chance)) - none / 2
        if level >= 0 and value > best[0]:
            best = value, x, reach
    return best[1:]


def tilting_bounds(law: Law, workers: int, slots: int) -> tuple[Fraction, Fraction]:
    """Lower and upper bound of FCFS's ``E[Imb]`` by tilting, rounded outwards.

    Parameters
    ----------
    law : Law
        Of one slot's load, exact.
    workers, slots : int
        ``G >= 2`` and ``B >= 1``.

    Raises
    ------
    InputError
        If an argument is out of range, or the law is constant or not exact.

    Notes
    -----
    Source: [fcfs.tilting].

    Examples
    --------
    Where there are too few slots for the logarithm of the workers, the lower one is 0:

    >>> low, high = tilting_bounds(Law.uniform(1, 2), 2, 1)
    >>> float(low), float(high) > 0.5
    (0.0, True)
    """
    with ctx.workprec(PRECISION):
        width, unit = _width(law, workers, slots)
        x, reach = map(to_ball, _best_tilt(workers, float(width.mid())))
        level, chance = tilted_tail(x, reach, x * width)
        low = Fraction(0)
        if level > 0:
            low = from_ball(workers * unit * tilting_form(workers, level, chance)).lower
        G = arb(workers)
        high = workers * unit * tilting_cap(G, width * (2 * G.log()).sqrt())
        return max(Fraction(0), low), from_ball(high).upper
