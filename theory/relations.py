"""Formulas of claims that compare a named quantity with an expression, in sympy or as text.

Every name in a text stands for a positive quantity; :mod:`theory.notation` says which.
"""

import re

from theory.symbolic import sp


def _parsed(text: "str | sp.Expr") -> "sp.Expr":
    if not isinstance(text, str):
        return text
    functions = {"sqrt": sp.sqrt, "log": sp.log, "exp": sp.exp}
    names = set(re.findall(r"[A-Za-z]\w*", text)) - set(functions)
    return sp.sympify(
        text, locals={**functions, **{name: sp.Symbol(name, positive=True) for name in names}}
    )


def at_most(quantity: str, bound: "str | sp.Expr") -> "sp.Basic":
    """``quantity <= bound``.

    Examples
    --------
    >>> at_most("Imb", "b - a")
    Imb <= -a + b
    """
    return sp.Le(_parsed(quantity), _parsed(bound), evaluate=False)


def at_least(quantity: str, bound: "str | sp.Expr") -> "sp.Basic":
    """``quantity >= bound``."""
    return sp.Ge(_parsed(quantity), _parsed(bound), evaluate=False)


def equal(quantity: str, other: "str | sp.Expr") -> "sp.Basic":
    """``quantity = other``."""
    return sp.Eq(_parsed(quantity), _parsed(other), evaluate=False)


def both(first: "sp.Basic", second: "sp.Basic") -> "sp.Basic":
    """The conjunction of two relations."""
    return sp.And(first, second, evaluate=False)
