"""Disproofs as data: the reverse of a claimed inequality, at a witness."""

from collections.abc import Mapping

from theory.proof import Conclusion, parts
from theory.symbolic import sp


def violated(
    text: str,
    claimed: "sp.Basic",
    where: "Mapping[str, sp.Expr | int]",
    excess: "sp.Expr | int | None" = None,
) -> Conclusion:
    """The last step of a disproof: the reverse of the claimed inequality, at the witness.

    Parameters
    ----------
    text : str
        What the step says.
    claimed : sympy relation
        The inequality that is claimed.
    where : mapping
        What each of its names is at the witness.
    excess : sympy.Expr or int, optional
        By how much it fails, in a form that is evidently positive; the number, if it is one.
    """
    low, _, high = parts(claimed)[0]
    values: dict[sp.Basic, sp.Basic] = {
        sp.Symbol(name, positive=True): sp.sympify(value) for name, value in where.items()
    }
    if excess is None:
        difference = low - high
        excess = sp.simplify(difference.subs(values, simultaneous=True).doit())
    return Conclusion(text, sp.Lt(high, low, evaluate=False), values, (sp.sympify(excess),))


def imbalance_at(*values: "sp.Expr | int") -> "sp.Expr":
    """``G max L - sum L`` at these loads, unevaluated."""
    loads = sp.symbols(f"L_1:{len(values) + 1}", nonnegative=True)
    return sp.Subs(len(values) * sp.Max(*loads) - sp.Add(*loads), loads, values)


def gap_at(*values: "sp.Expr | int") -> "sp.Expr":
    """``max L - min L`` at these loads, unevaluated."""
    loads = sp.symbols(f"L_1:{len(values) + 1}", nonnegative=True)
    return sp.Subs(sp.Max(*loads) - sp.Min(*loads), loads, values)
