"""Formulas of claims that compare a named quantity with an expression, written as text.

Every name stands for a positive quantity; :mod:`theory.notation` says which.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sympy

Formula = Callable[[], "sympy.Basic"]


def _parsed(text: str) -> "sympy.Expr":
    import re

    import sympy as sp

    functions = {"sqrt": sp.sqrt, "log": sp.log, "exp": sp.exp}
    names = set(re.findall(r"[A-Za-z]\w*", text)) - set(functions)
    return sp.sympify(
        text, locals={**functions, **{name: sp.Symbol(name, positive=True) for name in names}}
    )


def at_most(quantity: str, bound: str) -> Formula:
    """``quantity <= bound``."""

    def build() -> "sympy.Basic":
        import sympy as sp

        return sp.Le(_parsed(quantity), _parsed(bound), evaluate=False)

    return build


def at_least(quantity: str, bound: str) -> Formula:
    """``quantity >= bound``."""

    def build() -> "sympy.Basic":
        import sympy as sp

        return sp.Ge(_parsed(quantity), _parsed(bound), evaluate=False)

    return build


def equal(quantity: str, other: str) -> Formula:
    """``quantity = other``."""

    def build() -> "sympy.Basic":
        import sympy as sp

        return sp.Eq(_parsed(quantity), _parsed(other), evaluate=False)

    return build


def both(first: Formula, second: Formula) -> Formula:
    """Both of them."""

    def build() -> "sympy.Basic":
        import sympy as sp

        return sp.And(first(), second(), evaluate=False)

    return build
