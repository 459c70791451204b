"""The scores of BalanceRoute."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from theory.elementary import positive_part


def br0_score(size: Any, margin: Any, workers: Any) -> Any:
    """Score of BR-0, ``S - G (S - m)^+`` [balanceroute.score-identity].

    It is what routing requests of total size ``S`` to a worker of margin ``m`` takes off the
    imbalance.  Exact for ints; sympy symbols give the formula.

    Examples
    --------
    An overshoot of 2 costs 4 times 2:

    >>> br0_score(5, 3, 4)
    -3
    """
    return size - workers * positive_part(size - margin)


def brh_score(
    size: int,
    margins: Sequence[int],
    discounts: Sequence[Fraction | int],
    alpha: Fraction | int,
    beta: Fraction | int,
) -> Fraction:
    """Score of BR-H, ``alpha (1'd) S - beta ((S - m)^+)'d`` [balanceroute.brh-reduces].

    Parameters
    ----------
    size : int
        Total size ``S`` of the requests that are routed.
    margins : sequence of int, length H + 1
        Predicted margins ``m_g`` of the worker at steps ``0..H`` of the window.
    discounts : sequence, length H + 1
        ``d = (1, gamma, ..., gamma^H)``.
    alpha, beta : Fraction or int
        Weights of the gain and of the overshoot.

    Examples
    --------
    Margins 3 and 6, discount 1/2: the gain is ``(3/2) 5``, the overshoot ``2 + 0``.

    >>> brh_score(5, [3, 6], [1, Fraction(1, 2)], 1, 4)
    Fraction(-1, 2)
    """
    overshoot = sum(
        (d * positive_part(size - m) for d, m in zip(discounts, margins, strict=True)), Fraction(0)
    )
    return Fraction(alpha) * sum(discounts) * size - Fraction(beta) * overshoot
