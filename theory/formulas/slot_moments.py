"""Moments of a slot's stationary load, from moments of the joint law of size and length alone.

A request of size ``s`` and length ``o`` is in its slot for ``o`` steps, with the loads ``s``,
``s + 1``, ..., ``s + o - 1`` under drift 1.  So in the long run the mean of a function of a slot's
load is its mean sum over a request's steps, over the mean length: the renewal-reward theorem.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

Expectation = Callable[[Callable[[Any, Any], Any]], Any]


def expectation(sizes: ArrayLike, lengths: ArrayLike, counts: ArrayLike | None = None) -> Any:
    """The expectation of a function of ``(s, o)`` under a finite joint law, in exact rationals.

    Parameters
    ----------
    sizes, lengths : int64[N]
        Pairs ``(s_i, o_i)``.
    counts : int64[N], optional
        Weight of each pair; one by default.

    Examples
    --------
    Sizes 1 and 4, lengths 1 and 3 at equal odds: ``(1 + 12) / 2``.

    >>> expectation([1, 4], [1, 3])(lambda s, o: s * o)
    Fraction(13, 2)
    """
    s, o = np.asarray(sizes).tolist(), np.asarray(lengths).tolist()
    c = [1] * len(s) if counts is None else np.asarray(counts).tolist()
    total = sum(c)

    def expected(function: Callable[[int, int], int]) -> Fraction:
        weighed = (w * function(x, y) for x, y, w in zip(s, o, c, strict=True))
        return Fraction(sum(weighed), total)

    return expected


def stationary_moments(expected: Expectation) -> tuple[Any, Any]:
    """``theta = E[s + A]`` and ``E[(s + A)^2]``, with ``A`` the age of a slot's request; drift 1.

    ``theta = (E[s o] + E[o(o-1)]/2) / E[o]``, and the second moment is
    ``(E[s^2 o] + E[s o(o-1)] + E[(o-1)o(2o-1)]/6) / E[o]``.  Where the lengths share a divisor
    they are the means over the phases of :func:`theory.laws.slot_load.joint_slot`.

    Parameters
    ----------
    expected : callable
        The expectation of a function of ``(s, o)``: of numbers, or a symbol for each function.

    Notes
    -----
    Source: [fcfs.slot-moments].  The statistic ``theta`` is that of (Song et al. 2026).

    Examples
    --------
    Size 1, output lengths 1 or 2 at equal odds.  A slot spends two steps of three at load 1 and
    one at load 2:

    >>> stationary_moments(expectation([1, 1], [1, 2]))
    (Fraction(4, 3), Fraction(2, 1))
    """
    length = expected(lambda s, o: o)
    load = expected(lambda s, o: s * o) + expected(lambda s, o: o * (o - 1)) / 2
    square = (
        expected(lambda s, o: s**2 * o)
        + expected(lambda s, o: s * o * (o - 1))
        + expected(lambda s, o: (o - 1) * o * (2 * o - 1)) / 6
    )
    return load / length, square / length
