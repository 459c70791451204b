"""What a rendering of a claim shows: its formulas, its proof step by step, what vouches for each.

The renderings themselves are the templates in ``evenkeel/templates``
(:mod:`evenkeel.report.rendering`) and, for a terminal, :mod:`evenkeel.report.terminal`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from evenkeel.report.typeset import latex, pieces
from evenkeel.theorems.parts import Numbers
from evenkeel.theorems.registry import Claim, claim_of
from theory.bibliography import cited, references
from theory.formal import record as machine_checked
from theory.notation import meaning
from theory.proof import Conclusion, Inequality, Lemma, Setting, Status, Step, domain, relations_of

if TYPE_CHECKING:
    import sympy


@dataclass(frozen=True, slots=True)
class Relation:
    """A formula split where a line may be broken: ``left sign right``, or one side alone."""

    sides: "tuple[sympy.Basic, ...]"
    sign: str = ""

    @property
    def text(self) -> str:
        """The formula on one line, as Python writes it."""
        return f" {self.sign} ".join(map(str, self.sides))

    @property
    def latex(self) -> str:
        """The formula in LaTeX, without delimiters."""
        return " ".join(self.latex_pieces)

    @property
    def latex_pieces(self) -> list[str]:
        """The formula in LaTeX, apart where a line may end: at its sign, and between terms."""
        sign = {"<=": r"\le", ">=": r"\ge"}.get(self.sign, self.sign)
        first, *others = (pieces(latex(side)) for side in self.sides)
        return first + [
            f"{sign} {term}" if number == 0 else term
            for side in others
            for number, term in enumerate(side)
        ]


def relations(formula: "sympy.Basic | None") -> tuple[Relation, ...]:
    """The relations of a formula as they are written; a conjunction is taken apart.

    >>> from sympy import And, symbols
    >>> a, b, c = symbols("a b c")
    >>> sorted(relation.text for relation in relations(And(a <= b, b >= c)))
    ['a <= b', 'b >= c']
    """
    from sympy.core.relational import Relational
    from sympy.logic.boolalg import And

    if formula is None:
        return ()
    if isinstance(formula, And):
        return tuple(part for argument in formula.args for part in relations(argument))
    if isinstance(formula, Relational):
        sign = "=" if formula.rel_op == "==" else formula.rel_op
        return (Relation((formula.lhs, formula.rhs), sign),)
    return (Relation((formula,)),)


def tally(steps: tuple[Step, ...]) -> str:
    """How many steps have which status, for example ``3 confirmed by sympy, 1 argued in words``."""
    counts = {status: sum(step.status is status for step in steps) for status in Status}
    return ", ".join(f"{count} {status}" for status, count in counts.items() if count)


@dataclass(frozen=True)
class StepView:
    """What a rendering shows of one step of a proof.

    Parameters
    ----------
    step : Step
        The step.
    defined : mapping
        What the settings before it define; it is not shown again.
    """

    step: Step
    defined: "Mapping[sympy.Basic, sympy.Basic]" = field(default_factory=dict)

    @property
    def text(self) -> str:
        """What the step says."""
        return self.step.text

    @property
    def status(self) -> Status:
        """What vouches for it."""
        return self.step.status

    @property
    def kind(self) -> str:
        """Its class, and the name of a lemma: ``Lemma (exchange)``."""
        name = f" ({self.step.name})" if isinstance(self.step, Lemma) else ""
        return type(self.step).__name__ + name

    @cached_property
    def relations(self) -> tuple[Relation, ...]:
        """The relations that it states; none where it is mere words or a computation.

        A conclusion states the claim's formula, with its quantities as the steps before give them.
        """
        found = [Relation((left, right), sign) for left, sign, right in relations_of(self.step)]
        if isinstance(self.step, Conclusion):
            where = self.step.where.items()
            found += [Relation(pair, "=") for pair in where if self.defined.get(pair[0]) != pair[1]]
        return tuple(found)

    @property
    def domain(self) -> str:
        """The domain of its free symbols: ``n > 0, integer; r >= 0``; empty without any."""
        sides = (side for relation in self.relations for side in relation.sides)
        return "; ".join(f"{name} {text}" for name, text in domain(*sides).items())

    @property
    def slacks(self) -> "tuple[sympy.Expr, ...]":
        """For each of its inequalities, the larger side less the smaller in an evident form."""
        if isinstance(self.step, Inequality):
            return (self.step.slack,)
        return self.step.slacks if isinstance(self.step, Conclusion) else ()


@dataclass(frozen=True)
class ClaimView:
    """What every rendering of a claim shows, beside the fields of the claim itself."""

    claim: Claim

    @property
    def formula(self) -> tuple[Relation, ...]:
        """The relations of the claim's formula, none without one; built once."""
        return _formula(self.claim)

    @cached_property
    def steps(self) -> tuple[StepView, ...]:
        """The steps of the proof, none without one."""
        found: list[StepView] = []
        defined: dict[sympy.Basic, sympy.Basic] = {}
        for step in self.claim.steps:
            found.append(StepView(step, dict(defined)))
            if isinstance(step, Setting):
                defined |= step.defines
        return tuple(found)

    @cached_property
    def numbers(self) -> Numbers | None:
        """The claim's table of numbers; None without one."""
        return self.claim.numbers() if self.claim.numbers else None

    @property
    def caveat(self) -> str:
        """What is said of a claim that is held to be false; empty for any other."""
        if self.claim.holds:
            return ""
        stated = "because it is tempting" if self.claim.version == "ours" else "as stated elsewhere"
        return f"Registered {stated}; evenkeel holds it to be false."

    @property
    def proof(self) -> str:
        """What the steps are: those of a claim that is held to be false are a disproof."""
        return "Proof" if self.claim.holds else "Disproof"

    @property
    def tally(self) -> str:
        """How many steps of the proof have which status."""
        return tally(self.claim.steps)

    @property
    def symbols(self) -> dict[str, str]:
        """What the symbols of formula and proof stand for, where they have one meaning."""
        import sympy

        shown = (self.formula, *(step.relations for step in self.steps))
        sides = (side for part in shown for relation in part for side in relation.sides)
        names = {str(symbol) for side in sides for symbol in side.atoms(sympy.Symbol)}
        ordered = sorted(names, key=lambda name: (name.lower(), name))
        found = {name: meaning(self.claim.family, name) for name in ordered}
        return {name: text for name, text in found.items() if text is not None}

    @property
    def coq(self) -> str:
        """Which theorem in Coq vouches for the claim, in one line; empty without one."""
        return machine_checked.note(self.claim.coq)

    @property
    def rests_on(self) -> dict[str, str]:
        """The claims that it rests on: label to title, and what Coq has checked of it."""
        found = {}
        for label in self.claim.requires:
            entry = claim_of(label)
            checked = machine_checked.mark(entry.coq)
            found[label] = entry.heading + (f" ({checked})" if checked else "")
        return found

    @property
    def references(self) -> dict[str, str]:
        """The works that its texts cite, by their keys."""
        claim, works = self.claim, references()
        steps = (step.text for step in self.steps)
        keys = cited(" ".join((claim.source, claim.statement, claim.evidence, *steps)))
        return {key: str(works[key]) for key in keys if key in works}

    @property
    def theorem(self) -> dict[str, str] | None:
        """The claim's theorem and its statement in Coq; None unless its check is up to date."""
        theorem = self.claim.coq
        if theorem is None or not machine_checked.is_checked(theorem):
            return None
        return {
            "theorem": theorem.name,
            "file": f"theory/formal/{theorem.file}",
            "without": theorem.without,
            "statement": machine_checked.statement(theorem),
        }


@cache
def _formula(claim: Claim) -> tuple[Relation, ...]:
    return relations(claim.formula() if claim.formula else None)


def data(claim: Claim) -> dict[str, Any]:
    """The claim in JSON's types."""
    view = ClaimView(claim)
    fields = ("label", "title", "source", "version", "kind", "holds", "statement")
    return {
        **{name: getattr(claim, name) for name in fields},
        **_formulas(view.formula),
        "symbols": view.symbols,
        "assumptions": [assumption.value for assumption in claim.hypotheses],
        "proof": [
            {
                "step": number,
                "kind": type(step.step).__name__.lower(),
                "status": step.status.value,
                "text": step.text,
                **({"name": step.step.name} if isinstance(step.step, Lemma) else {}),
                **(_formulas(step.relations) | {"domain": step.domain} if step.relations else {}),
                **({"slack": [*map(str, step.slacks)]} if step.slacks else {}),
            }
            for number, step in enumerate(view.steps, 1)
        ],
        "numbers": asdict(view.numbers) if view.numbers else None,
        "machine_checked": view.theorem,
        "evidence": claim.evidence,
        "requires": list(claim.requires),
        "references": view.references,
    }


def _formulas(shown: tuple[Relation, ...]) -> dict[str, list[str]]:
    return {"formula": [part.text for part in shown], "latex": [part.latex for part in shown]}
