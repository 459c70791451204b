"""Growth with slots and workers: full refills of two sizes, shapes, and fits."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from flint import arb, ctx

from theory.elementary import sqrt
from theory.laws.fcfs_expectation import PRECISION, from_ball
from theory.laws.law import Enclosure
from theory.laws.order_statistics import expected_max_of_normals
from theory.model import FloatArray, InputError


def two_size_refill(workers: int, slots: int) -> Enclosure:
    """``E[Imb(BF-IO)] / (b-a)`` of full refills with sizes ``a`` or ``b`` at equal odds.

    The pool holds exactly ``G B`` requests.  ``(G-1)/2 - (1/2) sum_{j=1}^{G-1} (-1)^{jB}
    cos(pi j / G)^{GB}`` [scaling.two-size-refill].

    Raises
    ------
    InputError
        If ``G`` or ``B`` is below 1.

    Examples
    --------
    Three workers of one slot: one ``b`` (chance 3/8) leaves 2 workers ``b - a`` short, two leave 1.

    >>> abs(float(two_size_refill(3, 1)) - 9 / 8) < 1e-15
    True
    """
    if workers < 1 or slots < 1:
        raise InputError(f"need G >= 1 and B >= 1, got G = {workers}, B = {slots}")
    with ctx.workprec(PRECISION):
        total = arb(0)
        for j in range(1, workers):
            sign = -1 if j * slots % 2 else 1
            total += sign * (arb(j) / workers).cos_pi() ** (workers * slots)
        return from_ball((workers - 1 - total) / 2)


def iir_form(workers: Any, slots: Any, most: Any) -> Any:
    """``sqrt(B) E G/(G-1)``, the growth of IIR if FCFS grows like ``E(G)``, of any number type."""
    return most * sqrt(slots) * workers / (workers - 1)


def iir_shape(workers: int, slots: int) -> float:
    """``sqrt(B) E_max(G) G/(G-1)``, the growth of IIR with the exact Gaussian maximum.

    ``E_max(G)`` is the expected largest of ``G`` standard normals, for which Theorem 1 has
    ``sqrt(ln G)``.
    """
    return float(iir_form(workers, slots, float(expected_max_of_normals(workers))))


def fitted_exponent(x: Sequence[float], y: Sequence[float] | FloatArray) -> float:
    """Slope of the least-squares line of ``ln y`` over ``ln x``, both positive."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def misfit(shape: Sequence[float], y: Sequence[float]) -> float:
    """Root mean square of ``ln(y / (c shape))`` for the best constant ``c``."""
    return float(np.std(np.log(y) - np.log(shape)))
