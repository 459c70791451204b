"""Proofs as data: numbered steps, each checked by sympy or named as a lemma.

A step is one of

* an :class:`Identity`, ``lhs = rhs``, which sympy must reduce to zero difference;
* an :class:`Inequality`, ``lhs <= rhs`` on the domain of its symbols, which must be shown by a
  *slack*: an expression equal to ``rhs - lhs`` whose sign is evident from its form;
* a :class:`Lemma`, a short argument in words, named, for what is not an algebraic fact.

:func:`verify` says which steps hold.  The symbols carry the domain as sympy assumptions
(``positive=True`` and so on), so that what is proved is what is written.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sympy


@dataclass(frozen=True, slots=True)
class Identity:
    """``lhs = rhs`` for all values of the symbols in their domains."""

    text: str
    lhs: "sympy.Expr"
    rhs: "sympy.Expr"

    def holds(self) -> bool:
        """Whether sympy reduces the difference of the two sides to zero."""
        import sympy

        return bool(sympy.simplify(self.lhs - self.rhs) == 0)


@dataclass(frozen=True, slots=True)
class Inequality:
    """``lhs <= rhs``, shown by a slack of evident sign.

    Parameters
    ----------
    text : str
        What the step says.
    lhs, rhs : sympy.Expr
        The two sides.
    slack : sympy.Expr
        Equal to ``rhs - lhs`` and built from non-negative parts, so that sympy derives its sign
        from the assumptions on the symbols alone.
    """

    text: str
    lhs: "sympy.Expr"
    rhs: "sympy.Expr"
    slack: "sympy.Expr"

    def holds(self) -> bool:
        """Whether the slack equals the difference and sympy knows that it is not negative."""
        import sympy

        return bool(
            sympy.simplify(self.rhs - self.lhs - self.slack) == 0
            and self.slack.is_nonnegative is True
        )


@dataclass(frozen=True, slots=True)
class Lemma:
    """An argument in words: a named, elementary fact or a combinatorial step."""

    name: str
    text: str

    def holds(self) -> bool:
        """A lemma is read, not computed; it never fails here."""
        return True


Step = Identity | Inequality | Lemma


def verify(steps: Iterable[Step]) -> tuple[int, ...]:
    """Numbers (from 1) of the steps that sympy does not confirm; empty when the proof stands."""
    return tuple(number for number, step in enumerate(steps, 1) if not step.holds())
