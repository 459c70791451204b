"""Limits, inversions and sensitivities of the saving bounds.

Which idle share makes a bound reach a given saving, how far each bound can go, and how much that
depends on the power constants.  At equal work and without overhead a run is described by the ratio
``eta`` of its imbalance to its work, or by its idle share ``f = eta / (1 + eta)``.  Throughout,
``power`` holds the constants of the power law in watts, ``saving`` lies in (0, 1), and
``remaining`` is ``1/alpha``, the share of the baseline's imbalance that is left: 0 at perfect
balance.  Work is resident on every worker, so of the idle power only ``P_w`` plays a part; the
paper writes ``P_idle`` for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from theory.elementary import log
from theory.formulas.energy import Constants, Scalar, Usage, saving_cap
from theory.model import InputError


def eta_of(idle_share: Scalar) -> Scalar:
    """``eta = f / (1 - f)``.

    Examples
    --------
    >>> from fractions import Fraction
    >>> eta_of(Fraction(2, 5))
    Fraction(2, 3)
    """
    return idle_share / (1 - idle_share)


def share_of(eta: Scalar) -> Scalar:
    """``f = eta / (1 + eta)``."""
    return eta / (1 + eta)


def limit_paper(power: Constants[Scalar]) -> Scalar:
    """Limit ``P_w / D`` of the paper-shaped floor as eta and alpha grow; never attained.

    Raises
    ------
    InputError
        If ``D = 0`` (``P_w = 0`` and ``gamma = 1``): no idle time is charged, and the form is 0.

    Notes
    -----
    Source: paper, Theorem 4 (v2); [energy.limit-paper].

    Examples
    --------
    >>> from fractions import Fraction
    >>> limit_paper(Constants(100, 400, Fraction(7, 10)))  # 100 / 190
    Fraction(10, 19)
    """
    return power.barrier_w / _charged(power)


def _charged(power: Constants[Scalar]) -> Scalar:
    """``D``, where it is not 0."""
    if power.waste_w == 0:
        raise InputError(
            "P_w / D is 0/0 for P_w = 0 and gamma = 1: idle time costs nothing, and the "
            "paper-shaped floor is 0 at every eta"
        )
    return power.waste_w


def eta_past_limit(power: Constants[Scalar]) -> Scalar | None:
    """The eta at which the sharp floor passes ``P_w / D``; None where it never does.

    It never does for ``D = P_w`` (gamma = 1 or ``P_w = P_max``), where the limit is 1 for
    both, nor where waiting costs nothing, where both are 0.

    Source: [energy.limit-sharp].
    """
    gap = power.waste_w - power.barrier_w
    return power.max_w / gap if gap > 0 and power.barrier_w > 0 else None


def limit_sensitivity(power: Constants[Scalar]) -> dict[str, Scalar]:
    """Partial derivatives of :func:`limit_paper`, per watt, per watt, and per unit of gamma.

    Source: [energy.hardware].
    """
    square = _charged(power) * _charged(power)
    return {
        "wait_w": (1 - power.gamma) * power.max_w / square,
        "max_w": -power.barrier_w * (1 - power.gamma) / square,
        "gamma": power.barrier_w * power.dynamic_w / square,
    }


def cap_slope(power: Constants[Any], eta: Any) -> Any:
    """Partial derivative in gamma of the best cap at perfect balance, of numbers or symbols.

    ``- P_max dP x^(1-gamma) ln x / (P_w x + dP x^(1-gamma))^2`` with ``x = 1 + eta``.

    Source: [energy.sensitivity].
    """
    varying = power.dynamic_w * (1 + eta) ** (1 - power.gamma)
    drawn = power.barrier_w * (1 + eta) + varying
    return -(power.max_w * varying * log(1 + eta) / drawn**2)


def partials(bound: Callable[[Constants[Any]], Any], power: Constants[float]) -> dict[str, float]:
    """Partial derivatives of any bound in ``P_w``, ``P_max`` and gamma, derived by sympy.

    Parameters
    ----------
    bound : callable
        Takes the constants, returns the bound; called once with sympy symbols.
    power : Constants
        Where to evaluate.
    """
    import sympy

    values = {"wait_w": power.barrier_w, "max_w": power.max_w, "gamma": power.gamma}
    symbols = {name: sympy.Symbol(name, positive=True) for name in values}
    expression = bound(Constants(*symbols.values()))
    point = {symbols[name]: sympy.Float(value, 30) for name, value in values.items()}
    return {
        name: float(sympy.diff(expression, symbol).subs(point)) for name, symbol in symbols.items()
    }


def eta_for_paper(power: Constants[Scalar], saving: Scalar, remaining: Scalar) -> Scalar | None:
    """The eta at which the paper-shaped floor equals ``saving``; None where none does."""
    slope = power.barrier_w - power.waste_w * remaining - saving * power.waste_w
    return saving * power.max_w / slope if slope > 0 else None


def eta_for_sharp(power: Constants[Scalar], saving: Scalar, remaining: Scalar) -> Scalar | None:
    """The eta at which the sharp floor equals ``saving``; None where none does.

    Examples
    --------
    28 % at perfect balance: ``0.28 * 400 / (0.72 * 100)``.

    >>> from fractions import Fraction
    >>> eta_for_sharp(Constants(100, 400, Fraction(7, 10)), Fraction(28, 100), 0)
    Fraction(14, 9)
    """
    slope = power.barrier_w * (1 - saving) - power.waste_w * remaining
    return saving * power.max_w / slope if slope > 0 else None


def eta_for_tangent_cap(
    power: Constants[Scalar], saving: Scalar, remaining: Scalar
) -> Scalar | None:
    """The least eta at which the tangent cap allows ``saving``; None where none does."""
    slope = (1 - saving) * power.waste_w - power.barrier_w * remaining
    return saving * power.max_w / slope if slope > 0 else None


@dataclass(frozen=True, slots=True)
class Bracket:
    """An interval that contains the number sought."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        """Its middle, off by at most half its width."""
        return (self.low + self.high) / 2


def eta_for_cap(power: Constants[float], saving: float, remaining: float) -> Bracket | None:
    """The least eta at which the envelope cap allows ``saving``; None where none does.

    With ``x = 1 + eta`` the cap allows it where
    ``h(x) = (1 - saving)(P_w x + dP x^(1-gamma)) - P_max - P_w remaining (x - 1) >= 0``.
    ``h`` is concave and negative at ``x = 1``, so the least root lies before its maximum, where it
    is found by bisection to a relative 1e-12 (floating-point evaluation, about 1e-15, aside).

    Source: [energy.reach].
    """
    if not (0 < saving < 1 and remaining >= 0):
        raise InputError(f"need 0 < saving < 1 and remaining >= 0, got {saving} and {remaining}")

    def allowed(x: float) -> bool:
        base, new = Usage(1.0, x - 1), Usage(1.0, remaining * (x - 1))
        return saving_cap(power, base, new) >= saving

    rising = (1 - saving) * (1 - power.gamma) * power.dynamic_w
    falling = power.barrier_w * (remaining - (1 - saving))
    if falling > 0:
        # h'(x) = rising x^-gamma - falling: one maximum.
        high = max(1.0, (rising / falling) ** (1 / power.gamma))
    else:
        high = 2.0
        while not allowed(high):
            if high > 1e300:  # a slope of zero that never rises to the saving
                return None
            high *= 2
    if not allowed(high):
        return None
    low = 1.0
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        if not low < middle < high:
            break
        if allowed(middle):
            high = middle
        else:
            low = middle
    return Bracket(low - 1, high - 1)


def idle_shares_for(
    power: Constants[float], saving: float, remaining: float = 0.0
) -> Mapping[str, float | None]:
    """Idle share that the baseline needs for a saving, by bound.

    ``cap`` and ``tangent cap``: below this share no policy can save that much.  ``sharp`` and
    ``paper``: from this share on the floor guarantees it.

    Source: [energy.reach].
    """
    cap = eta_for_cap(power, saving, remaining)
    exact_ones = {
        "tangent cap": eta_for_tangent_cap(power, saving, remaining),
        "sharp": eta_for_sharp(power, saving, remaining),
        "paper": eta_for_paper(power, saving, remaining),
    }
    return {
        "cap": None if cap is None else share_of(cap.middle),
        **{name: None if eta is None else share_of(eta) for name, eta in exact_ones.items()},
    }
