"""Proofs as data: numbered steps, each checked by sympy or named as a lemma.

A step is one of

* an :class:`Identity`, ``lhs = rhs``, which sympy must reduce to zero difference;
* an :class:`Inequality`, ``lhs <= rhs`` on the domain of its symbols, which must be shown by a
  *slack*: an expression equal to ``rhs - lhs`` whose sign is evident from its form;
* a :class:`Lemma`, a short argument in words, named, for what is not an algebraic fact.

The symbols carry the domain as sympy assumptions (``positive=True`` and so on), so that what is
proved is what is written; :func:`domain` spells it out.  Limits, sums, derivatives and
substitutions are given unevaluated (``sympy.Limit``, ``sympy.Subs``): evaluating them is part of
the check.  An identity whose two sides are written the same says nothing and is not confirmed.
A lemma is never confirmed either: it is argued.  A proof stands if every step that is not a lemma
is confirmed and one of them is more than ``t <= t + r``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sympy


class Status(StrEnum):
    """What vouches for a step."""

    CONFIRMED = "confirmed by sympy"
    ARGUED = "argued in words"
    UNCONFIRMED = "NOT CONFIRMED"


def _vanishes(difference: "sympy.Expr") -> bool:
    """Whether sympy evaluates the expression to zero."""
    import sympy

    found = difference.doit()
    if found.has(sympy.Max, sympy.Min):
        found = found.rewrite(sympy.Abs)
    return bool(sympy.simplify(found) == 0)


@dataclass(frozen=True)
class Identity:
    """``lhs = rhs`` for all values of the symbols in their domains."""

    text: str
    lhs: "sympy.Expr"
    rhs: "sympy.Expr"

    @cached_property
    def status(self) -> Status:
        """Whether sympy reduces the difference of two sides that are written differently."""
        holds = self.lhs != self.rhs and _vanishes(self.lhs - self.rhs)
        return Status.CONFIRMED if holds else Status.UNCONFIRMED


@dataclass(frozen=True)
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

    @cached_property
    def status(self) -> Status:
        """Whether the slack equals the difference and sympy knows that it is not negative."""
        holds = _vanishes(self.rhs - self.lhs - self.slack) and self.slack.is_nonnegative is True
        return Status.CONFIRMED if holds else Status.UNCONFIRMED


@dataclass(frozen=True)
class Lemma:
    """An argument in words: a named, elementary fact or a combinatorial step."""

    name: str
    text: str

    @property
    def status(self) -> Status:
        """A lemma is read, not computed."""
        return Status.ARGUED


Step = Identity | Inequality | Lemma


def verify(steps: Iterable[Step]) -> tuple[int, ...]:
    """Numbers (from 1) of the steps that sympy should confirm and does not."""
    return tuple(
        number for number, step in enumerate(steps, 1) if step.status is Status.UNCONFIRMED
    )


def is_evident(step: Step) -> bool:
    """Whether a step says no more than ``t <= t + r``: a slack that is a lone symbol."""
    return isinstance(step, Inequality) and step.slack.is_Symbol


def stands(steps: Iterable[Step]) -> bool:
    """Whether sympy confirms all that it should, and something that is not evident."""
    steps = tuple(steps)
    weighty = any(step.status is Status.CONFIRMED and not is_evident(step) for step in steps)
    return weighty and not verify(steps)


def domain(*sides: "sympy.Basic") -> dict[str, str]:
    """The domain of the free symbols: name to ``">= 0"``, ``"> 0, integer"``, ``"real"``, ..."""
    found: dict[str, str] = {}
    for symbol in sorted(set().union(*(side.free_symbols for side in sides)), key=str):
        if not symbol.is_Symbol:
            continue
        if symbol.is_positive:
            sign = "> 0"
        elif symbol.is_nonnegative:
            sign = ">= 0"
        else:
            sign = "real" if symbol.is_real else "complex"
        found[str(symbol)] = sign + (", integer" if symbol.is_integer else "")
    return found
