"""Proofs as data: numbered steps, and what vouches for each.

A step is one of

* an :class:`Identity`, ``lhs = rhs``, which sympy must reduce to zero difference;
* an :class:`Inequality`, ``lhs <= rhs`` on the domain of its symbols, which must be shown by a
  *slack*: an expression equal to ``rhs - lhs`` whose sign is evident from its form;
* a :class:`Computation` in exact arithmetic over a stated finite domain;
* a :class:`Conclusion`: the claim's own formula, decided as the relations above once its
  quantities are written out as the steps before give them;
* a :class:`Setting`, which fixes notation or names the cases and infers nothing;
* a :class:`Lemma`, an argument in words: a named fact or a combinatorial step.

The symbols carry the domain as sympy assumptions (``positive=True`` and so on), so that what is
proved is what is written; :func:`domain` spells it out.  Limits, sums, derivatives and
substitutions are given unevaluated (``sympy.Limit``, ``sympy.Subs``): evaluating them is part of
the check.  An identity whose two sides are written the same says nothing and is not confirmed.

How far a proof carries is its :func:`rung`: *proved* if no step is an argument in words, some step
says more than ``t <= t + r`` or a line of numbers, and the last step is the claim's own formula,
with nothing put into it that no step before has shown;
*argued* if an essential step is words; nothing if a step that should be decided is not.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sympy


class Status(StrEnum):
    """What vouches for a step."""

    CONFIRMED = "confirmed by sympy"
    COMPUTED = "computed exactly"
    ARGUED = "argued in words"
    NOTATION = "sets notation"
    UNCONFIRMED = "NOT CONFIRMED"


class Rung(StrEnum):
    """How far a proof carries, of what is not checked by Coq."""

    PROVED = "proved"
    ARGUED = "argued"


def _numerator(expression: "sympy.Expr") -> "sympy.Expr":
    """The numerator of a rational function of powers, expanded."""
    import sympy

    return sympy.expand(sympy.fraction(sympy.together(sympy.expand_power_exp(expression)))[0])


def _term_by_term(total: "sympy.Sum") -> "sympy.Expr":
    """The sums of the terms of a summand, with what is constant in front."""
    import sympy

    terms = sympy.Add.make_args(sympy.expand(total.function.doit()))
    apart = [term.as_independent(*total.variables) for term in terms]
    sums = [(constant, sympy.Sum(rest, *total.limits)) for constant, rest in apart]
    return sympy.Add(*[c * (s if s.has(sympy.Indexed) else s.doit()) for c, s in sums])


def _vanishes(difference: "sympy.Expr") -> bool:
    """Whether sympy evaluates the expression to zero."""
    import sympy

    # Sums of named quantities have no closed form, for which sympy would look for long.
    sums = {s: _term_by_term(s) for s in difference.atoms(sympy.Sum) if s.has(sympy.Indexed)}
    if sums and _numerator(difference.xreplace(sums)) == 0:
        return True
    found = difference.doit()
    if found.has(sympy.Max, sympy.Min):
        found = found.rewrite(sympy.Abs)
    # Most differences are of rational functions, and a numerator is soon seen to vanish.
    above = _numerator(found)
    # Shares of a whole are written as squares of sines and cosines.
    squares = {cos**2: 1 - sympy.sin(*cos.args) ** 2 for cos in above.atoms(sympy.cos)}
    if above == 0 or (squares and sympy.expand(above.subs(squares)) == 0):
        return True
    return not _far_from_zero(found) and bool(sympy.simplify(found) == 0)


def _far_from_zero(expression: "sympy.Expr") -> bool:
    """Whether it is, at a point where its symbols are as they are assumed to be.

    A look that spares most attempts to simplify what is no zero.
    """
    import sympy

    symbols = sorted(expression.free_symbols, key=str)
    if not all(s.is_real and s.is_nonnegative is not False for s in symbols):
        return False
    point = {
        symbol: sympy.Integer(k + 2) if symbol.is_integer else sympy.Rational(3 * k + 2, 3 * k + 5)
        for k, symbol in enumerate(symbols)
    }
    value = expression.subs(point).evalf()
    return bool(value.is_Float and abs(value) > sympy.Rational(1, 10**6))


def _decided(holds: bool, *sides: "sympy.Basic") -> Status:
    """Status of a relation: a line without symbols is arithmetic, not algebra."""
    if not holds:
        return Status.UNCONFIRMED
    import sympy

    symbols = any(side.has(sympy.Symbol, sympy.Function) for side in sides)
    return Status.CONFIRMED if symbols else Status.COMPUTED


@dataclass(frozen=True)
class Identity:
    """``lhs = rhs`` for all values of the symbols in their domains.

    Examples
    --------
    >>> import sympy
    >>> x = sympy.Symbol("x")
    >>> Identity("square", (x + 1) ** 2, x**2 + 2 * x + 1).status
    <Status.CONFIRMED: 'confirmed by sympy'>
    >>> Identity("wrong", (x + 1) ** 2, x**2 + 1).status
    <Status.UNCONFIRMED: 'NOT CONFIRMED'>
    """

    text: str
    lhs: "sympy.Expr"
    rhs: "sympy.Expr"

    @cached_property
    def status(self) -> Status:
        """Whether sympy reduces the difference of two sides that are written differently."""
        holds = self.lhs != self.rhs and _vanishes(self.lhs - self.rhs)
        return _decided(holds, self.lhs, self.rhs)


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

    Examples
    --------
    ``2 x y <= x^2 + y^2``, with the slack ``(x - y)^2``:

    >>> import sympy
    >>> x, y = sympy.symbols("x y", real=True)
    >>> Inequality("means", 2 * x * y, x**2 + y**2, (x - y) ** 2).status
    <Status.CONFIRMED: 'confirmed by sympy'>
    """

    text: str
    lhs: "sympy.Expr"
    rhs: "sympy.Expr"
    slack: "sympy.Expr"

    @cached_property
    def status(self) -> Status:
        """Whether the slack equals the difference and sympy knows that it is not negative."""
        holds = _vanishes(self.rhs - self.lhs - self.slack) and self.slack.is_nonnegative is True
        return _decided(holds, self.lhs, self.rhs)


@dataclass(frozen=True)
class Computation:
    """A statement about finitely many cases, decided by running exact arithmetic over them.

    Parameters
    ----------
    text : str
        What is computed, with its domain.
    run : callable
        Computes it in integers, fractions or balls; True if it holds in every case.
    """

    text: str
    run: Callable[[], bool]

    @cached_property
    def status(self) -> Status:
        """Whether the computation says yes."""
        return Status.COMPUTED if self.run() else Status.UNCONFIRMED


@dataclass(frozen=True)
class Conclusion:
    """The claim's own formula, decided with its quantities as the steps before give them.

    Parameters
    ----------
    text : str
        How the steps before lead here.
    formula : sympy.Basic
        The formula of the claim: a relation, or a conjunction of relations.
    where : mapping
        What the steps before say of the claim's symbols: each is replaced by its expression.
    slacks : tuple of sympy.Expr
        For each inequality of the formula, in order, the larger side minus the smaller one after
        the replacement, in a form of evident sign.
    """

    text: str
    formula: "sympy.Basic"
    where: "Mapping[sympy.Basic, sympy.Basic]" = field(default_factory=dict)
    slacks: "tuple[sympy.Expr, ...]" = ()

    @cached_property
    def status(self) -> Status:
        """Whether each relation of the formula is decided by algebra."""
        import sympy

        stated, slacks = parts(self.formula), iter(self.slacks)
        for low, sign, high in stated:
            left, right = (side.subs(self.where, simultaneous=True) for side in (low, high))
            if sign == "=":
                holds = _vanishes(left - right)
            else:
                slack = next(slacks, sympy.Integer(-1))
                known = slack.is_positive if sign == "<" else slack.is_nonnegative
                holds = known is True and _vanishes(right - left - slack)
            if not holds:
                return Status.UNCONFIRMED
        return _decided(bool(stated) and next(slacks, None) is None, self.formula)


@dataclass(frozen=True)
class Setting:
    """Words that fix notation, choose an object that exists, or name the cases: no inference.

    Parameters
    ----------
    text : str
        The words.
    defines : mapping
        Symbols that are defined here, with what they stand for.
    """

    text: str
    defines: "Mapping[sympy.Basic, sympy.Basic]" = field(default_factory=dict)

    @property
    def status(self) -> Status:
        """Nothing is asserted, so there is nothing to vouch for."""
        return Status.NOTATION


@dataclass(frozen=True)
class Lemma:
    """An argument in words: a named, elementary fact or a combinatorial step."""

    name: str
    text: str

    @property
    def status(self) -> Status:
        """A lemma is read, not computed."""
        return Status.ARGUED


Step = Identity | Inequality | Computation | Conclusion | Setting | Lemma


def parts(formula: "sympy.Basic") -> "list[tuple[sympy.Expr, str, sympy.Expr]]":
    """The relations of a formula as ``(smaller side, "<=" or "<" or "=", larger side)``.

    A conjunction is taken apart; anything else that is no relation has no parts.
    """
    import sympy

    if isinstance(formula, sympy.And):
        return [part for entry in formula.args for part in parts(entry)]
    if isinstance(formula, sympy.Eq):
        return [(formula.lhs, "=", formula.rhs)]
    if isinstance(formula, sympy.Le | sympy.Lt):
        return [(formula.lhs, "<=" if isinstance(formula, sympy.Le) else "<", formula.rhs)]
    if isinstance(formula, sympy.Ge | sympy.Gt):
        return [(formula.rhs, "<=" if isinstance(formula, sympy.Ge) else "<", formula.lhs)]
    return []


def relations_of(step: Step) -> "list[tuple[sympy.Expr, str, sympy.Expr]]":
    """The relations that a step states, in the form of :func:`parts`."""
    if isinstance(step, Identity):
        return [(step.lhs, "=", step.rhs)]
    if isinstance(step, Inequality):
        return [(step.lhs, "<=", step.rhs)]
    if isinstance(step, Setting):
        return [(name, "=", value) for name, value in step.defines.items()]
    return parts(step.formula) if isinstance(step, Conclusion) else []


def verify(steps: Iterable[Step]) -> tuple[int, ...]:
    """Numbers (from 1) of the steps that should be decided and are not."""
    return tuple(
        number for number, step in enumerate(steps, 1) if step.status is Status.UNCONFIRMED
    )


def vouched(steps: Iterable[Step], statuses: Iterable[Status]) -> None:
    """Give steps the statuses that another process has found for the same steps.

    Sympy is not asked again.
    """
    for step, status in zip(steps, statuses, strict=True):
        vars(step)["status"] = status


def is_evident(step: Step) -> bool:
    """Whether a step is ``t <= t + r`` with ``r >= 0``, or a relation without symbols."""
    if isinstance(step, Inequality) and step.lhs + step.slack == step.rhs:
        return True
    return step.status is Status.COMPUTED and not isinstance(step, Computation)


def _states(step: Step, formula: "sympy.Basic | None") -> bool:
    """Whether the step is the formula itself, whichever way its relations are written."""
    if formula is None:
        return False

    def unordered(found: "list[tuple[sympy.Expr, str, sympy.Expr]]") -> set[object]:
        return {
            (sign, frozenset((low, high)) if sign == "=" else (low, high))
            for low, sign, high in found
        }

    stated = unordered(relations_of(step))
    return bool(stated) and stated == unordered(parts(formula))


def _follows(step: Step, before: "Iterable[Step]") -> bool:
    """Whether a conclusion takes its quantities from the steps before, and then says something.

    What stands for a symbol of the claim must be a side of an earlier relation, a definition, or a
    symbol or number of its own; and with it in place some relation must still have two sides.
    """
    if not isinstance(step, Conclusion):
        return True
    shown = {
        side for entry in before for low, _, high in relations_of(entry) for side in (low, high)
    }
    taken = all(value in shown or value.is_Atom for value in step.where.values())
    sides = (
        [side.subs(step.where, simultaneous=True) for side in (low, high)]
        for low, _, high in parts(step.formula)
    )
    return taken and any(low != high for low, high in sides)


def rung(steps: Iterable[Step], formula: "sympy.Basic | None") -> Rung | None:
    """How far a proof carries.

    Parameters
    ----------
    steps : iterable of Step
        The proof.
    formula : sympy.Basic or None
        The formula of the claim, which the last step of a complete proof states.

    Returns
    -------
    Rung or None
        *Proved* if every essential step is decided and the last one is the formula; *argued* if a
        step is words or the last one is not the formula; None without steps that assert something,
        or if one that should be decided is not.
    """
    steps = tuple(steps)
    if all(isinstance(step, Setting) for step in steps) or verify(steps):
        return None
    deciding = (Status.CONFIRMED, Status.COMPUTED)
    weighty = any(step.status in deciding and not is_evident(step) for step in steps)
    words = any(isinstance(step, Lemma) for step in steps)
    whole = weighty and not words and _states(steps[-1], formula)
    whole = whole and _follows(steps[-1], steps[:-1])
    return Rung.PROVED if whole else Rung.ARGUED


def domain(*sides: "sympy.Basic") -> dict[str, str]:
    """The domain of the free symbols: name to ``">= 0"``, ``"> 0, integer"``, ``"real"``, ...

    Examples
    --------
    >>> import sympy
    >>> x, n = sympy.Symbol("x", nonnegative=True), sympy.Symbol("n", integer=True, positive=True)
    >>> domain(x + n)
    {'n': '> 0, integer', 'x': '>= 0'}
    """
    found: dict[str, str] = {}
    # Of two symbols of one name the same one is told in every process.
    for symbol in sorted(
        set().union(*(side.free_symbols for side in sides)),
        key=lambda symbol: (str(symbol), sorted(map(str, symbol.assumptions0.items()))),
    ):
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
