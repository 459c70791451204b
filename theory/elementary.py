"""Square root, logarithm, exponential, positive part and gcd, in the number type of the argument.

A formula that is written with them is one definition for numbers, for balls and for symbols:

* ``int``, ``Fraction`` and ``float``: the positive part is exact, the others are floats, correct to
  an ulp;
* ``flint.arb``: balls at the working precision, so that the result encloses the true value;
* sympy expressions: expressions.

A formula in balls must be given balls throughout, because the logarithm of an int is a float.
"""

import math
from fractions import Fraction
from typing import Any

from flint import arb


def sqrt(x: Any) -> Any:
    """The square root of ``x >= 0``.

    Examples
    --------
    >>> import sympy
    >>> sqrt(Fraction(1, 4)), sqrt(sympy.Integer(8))
    (0.5, 2*sqrt(2))
    """
    if isinstance(x, int | float | Fraction):
        return math.sqrt(x)
    if isinstance(x, arb):
        return x.sqrt()
    import sympy

    return sympy.sqrt(x)


def log(x: Any) -> Any:
    """The natural logarithm of ``x > 0``."""
    if isinstance(x, int | float | Fraction):
        return math.log(x)
    if isinstance(x, arb):
        return x.log()
    import sympy

    return sympy.log(x)


def exp(x: Any) -> Any:
    """The exponential of ``x``."""
    if isinstance(x, int | float | Fraction):
        return math.exp(x)
    if isinstance(x, arb):
        return x.exp()
    import sympy

    return sympy.exp(x)


def positive_part(x: Any) -> Any:
    """``x^+``, the larger of ``x`` and 0; exact for ints and fractions."""
    if isinstance(x, int | float | Fraction):
        return max(0, x)
    if isinstance(x, arb):
        return x.max(arb(0))
    import sympy

    return sympy.Max(0, x)


def gcd(x: Any, y: Any) -> Any:
    """The greatest common divisor of two whole numbers; for symbols a function of them."""
    if isinstance(x, int) and isinstance(y, int):
        return math.gcd(x, y)
    import sympy

    return sympy.Function("gcd", positive=True)(x, y)
