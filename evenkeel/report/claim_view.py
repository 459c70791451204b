"""A claim set out for its reader: in a terminal, as Markdown, as LaTeX, and as plain data.

All four say the same: statement, formula with its symbols, assumptions, numbered proof steps with
what vouches for each, evidence, and what the claim rests on.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evenkeel.report.typeset import escape_latex, escape_markdown, latex, maths, prose
from evenkeel.theorems.registry import Claim
from theory.formal import record as machine_checked
from theory.notation import meaning
from theory.proof import Conclusion, Inequality, Lemma, Status, Step, domain, relations_of

if TYPE_CHECKING:
    import sympy
    from rich.console import Console, RenderableType

FALSE = "Registered as stated elsewhere; evenkeel holds it to be false."


@dataclass(frozen=True, slots=True)
class Relation:
    """A formula split where it may be broken: left side, relation sign, right side."""

    left: "sympy.Basic"
    sign: str = ""
    right: "sympy.Basic | None" = None

    @property
    def sides(self) -> "tuple[sympy.Basic, ...]":
        """The left side, and the right one where there is one."""
        return (self.left,) if self.right is None else (self.left, self.right)

    def text(self) -> str:
        """The formula on one line, as Python writes it."""
        return " ".join(filter(None, (str(self.left), self.sign, *map(str, self.sides[1:]))))

    def latex(self) -> str:
        """The formula in LaTeX, without delimiters."""
        sign = {"<=": r"\le", ">=": r"\ge"}.get(self.sign, self.sign)
        return " ".join(filter(None, (latex(self.left), sign, *map(latex, self.sides[1:]))))


def relations(formula: "sympy.Basic") -> list[Relation]:
    """The formula as one or more relations; a conjunction is taken apart."""
    from sympy.core.relational import Relational
    from sympy.logic.boolalg import And

    if isinstance(formula, And):
        return [part for argument in formula.args for part in relations(argument)]
    if isinstance(formula, Relational):
        sign = "=" if formula.rel_op == "==" else formula.rel_op
        return [Relation(formula.lhs, sign, formula.rhs)]
    return [Relation(formula)]


def of_step(step: Step) -> list[Relation]:
    """The relations of a step; none where it is mere words or a computation.

    A conclusion is shown as the claim's formula with what its quantities are by the steps before.
    """
    found = [Relation(left, sign, right) for left, sign, right in relations_of(step)]
    if isinstance(step, Conclusion):
        found += [Relation(name, "=", value) for name, value in step.where.items()]
    return found


def symbols(claim: Claim, formula: "sympy.Basic | None", steps: tuple[Step, ...]) -> dict[str, str]:
    """What the symbols of the formula and the steps stand for, where they have one meaning."""
    import sympy

    shown = [formula] if formula is not None else []
    shown += [side for step in steps for relation in of_step(step) for side in relation.sides]
    names = {str(symbol) for side in shown for symbol in side.atoms(sympy.Symbol)}
    found = {
        name: meaning(claim.family, name)
        for name in sorted(names, key=lambda name: (name.lower(), name))
    }
    return {name: text for name, text in found.items() if text is not None}


def tally(steps: tuple[Step, ...]) -> str:
    """How many steps sympy confirms, how many are argued, and how many fail."""
    counts = {status: sum(step.status is status for step in steps) for status in Status}
    return ", ".join(f"{count} {status}" for status, count in counts.items() if count)


def _proof(claim: Claim) -> str:
    """What the steps are: those of a claim that is held to be false are a disproof."""
    return "Proof" if claim.holds else "Disproof"


def _kind(step: Step) -> str:
    name = f" ({step.name})" if isinstance(step, Lemma) else ""
    return f"{type(step).__name__}{name}, {step.status}"


def _where(step: Step) -> str:
    """The domain of a step's symbols: ``n > 0, integer; r >= 0``."""
    sides = [side for relation in of_step(step) for side in relation.sides]
    return "; ".join(f"{name} {text}" for name, text in domain(*sides).items())


def _slacks(step: Step) -> "tuple[sympy.Expr, ...]":
    if isinstance(step, Inequality):
        return (step.slack,)
    return step.slacks if isinstance(step, Conclusion) else ()


def _parts(claim: Claim) -> "tuple[sympy.Basic | None, tuple[Step, ...]]":
    formula = claim.formula() if claim.formula else None
    return formula, claim.steps


def data(claim: Claim) -> dict[str, Any]:
    """The claim in JSON's types."""
    formula, steps = _parts(claim)
    lines = relations(formula) if formula is not None else []
    return {
        "label": claim.label,
        "title": claim.title,
        "source": claim.source,
        "version": claim.version,
        "kind": claim.kind,
        "holds": claim.holds,
        "statement": claim.statement,
        "formula": [line.text() for line in lines],
        "latex": [line.latex() for line in lines],
        "symbols": symbols(claim, formula, steps),
        "assumptions": [assumption.value for assumption in claim.assumptions],
        "proof": [
            {
                "step": number,
                "kind": type(step).__name__.lower(),
                "status": step.status.value,
                "text": step.text,
                **({"name": step.name} if isinstance(step, Lemma) else {}),
                **_formula_data(step),
            }
            for number, step in enumerate(steps, 1)
        ],
        "machine_checked": formal_data(claim),
        "evidence": claim.evidence,
        "requires": list(claim.requires),
    }


def formal_data(claim: Claim) -> dict[str, str] | None:
    """The claim's theorem and its statement in Coq; None unless its check is up to date."""
    theorem = claim.coq
    if theorem is None or not machine_checked.is_checked(theorem):
        return None
    return {
        "theorem": theorem.name,
        "file": f"theory/formal/{theorem.file}",
        "without": theorem.without,
        "statement": machine_checked.statement(theorem),
    }


def _formula_data(step: Step) -> dict[str, Any]:
    lines, slacks = of_step(step), _slacks(step)
    if not lines:
        return {}
    found: dict[str, Any] = {
        "formula": [line.text() for line in lines],
        "latex": [line.latex() for line in lines],
        "domain": _where(step),
    }
    return found | ({"slack": [str(slack) for slack in slacks]} if slacks else {})


def markdown(claim: Claim) -> str:
    """The claim as Markdown with formulas between dollars."""
    formula, steps = _parts(claim)

    def text(words: str) -> str:
        return prose(words, escape_markdown)

    lines = [f"# {claim.label}: {text(claim.heading)}", ""]
    lines += [f"{text(claim.source)} ({claim.version}); {claim.kind}.", ""]
    if not claim.holds:
        lines += [f"**{FALSE}**", ""]
    lines += ["## Statement", "", text(claim.statement), ""]
    if formula is not None:
        lines += [line for part in relations(formula) for line in _display(part, "")]
    meanings = symbols(claim, formula, steps)
    lines += [f"- ${maths(name)}$: {text(words)}" for name, words in meanings.items()]
    lines += [""] * bool(meanings)
    lines += ["## Assumptions", ""]
    lines += [f"- {text(a.value)}" for a in claim.assumptions] or ["None."]
    lines.append("")
    if steps:
        lines += [f"## {_proof(claim)}", "", f"{len(steps)} steps: {tally(steps)}.", ""]
        for number, step in enumerate(steps, 1):
            lines += [f"{number}. **{_kind(step)}.** {text(step.text)}", ""]
            shown = of_step(step)
            if shown:
                lines += [line for relation in shown for line in _display(relation, "   ")]
                why = f"   on {text(_where(step))}" if _where(step) else "   no free symbol"
                for slack in _slacks(step):
                    why += f"; the difference of the sides is ${latex(slack)}$, never negative"
                lines += [f"{why}.", ""]
    if checked := machine_checked.note(claim.coq):
        lines += ["## Formal proof", "", f"{escape_markdown(checked)}.", ""]
    lines += ["## Evidence", "", text(claim.evidence), ""]
    if claim.requires:
        lines += ["Rests on " + ", ".join(f"`{label}`" for label in claim.requires) + ".", ""]
    lines.append(f"Check it: `evenkeel check {claim.label}`")
    return "\n".join(lines) + "\n"


def _display(relation: Relation, indent: str) -> list[str]:
    return [f"{indent}$$", f"{indent}{relation.latex()}", f"{indent}$$", ""]


_PREAMBLE = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{amsmath,amssymb}
\usepackage[margin=2cm]{geometry}
\allowdisplaybreaks
\sloppy
\begin{document}
"""


def latex_document(claim: Claim) -> str:
    """The claim as a LaTeX document."""
    formula, steps = _parts(claim)

    def text(words: str) -> str:
        return prose(words, escape_latex)

    lines = [rf"\section*{{{escape_latex(claim.label)}: {text(claim.heading)}}}"]
    lines.append(f"{text(claim.source)} ({claim.version}); {claim.kind}.")
    if not claim.holds:
        lines.append(rf"\emph{{{FALSE}}}")
    lines += [r"\paragraph{Statement.}", text(claim.statement)]
    if formula is not None:
        lines += [_equation(part) for part in relations(formula)]
    meanings = symbols(claim, formula, steps)
    if meanings:
        pairs = (f"${maths(name)}$: {text(words)}" for name, words in meanings.items())
        lines.append(r"\noindent Here " + "; ".join(pairs) + ".")
    lines.append(r"\paragraph{Assumptions.}")
    lines.append("; ".join(text(a.value) for a in claim.assumptions) or "None")
    lines[-1] += "."
    if steps:
        lines += [rf"\paragraph{{{_proof(claim)}.}}", f"{len(steps)} steps: {tally(steps)}."]
        lines.append(r"\begin{enumerate}")
        for step in steps:
            lines.append(rf"\item \textbf{{{escape_latex(_kind(step))}.}} {text(step.text)}")
            shown = of_step(step)
            if shown:
                lines += [_equation(relation) for relation in shown]
                why = f"on {text(_where(step))}" if _where(step) else "no free symbol"
                for slack in _slacks(step):
                    why += f"; the difference of the sides is ${latex(slack)}$, never negative"
                lines.append(f"{why}.")
        lines.append(r"\end{enumerate}")
    if checked := machine_checked.note(claim.coq):
        lines += [r"\paragraph{Formal proof.}", f"{escape_latex(checked)}."]
    lines += [r"\paragraph{Evidence.}", text(claim.evidence)]
    if claim.requires:
        names = ", ".join(rf"\texttt{{{escape_latex(label)}}}" for label in claim.requires)
        lines.append(f"Rests on {names}.")
    return _PREAMBLE + "\n".join(lines) + "\n" + r"\end{document}" + "\n"


def _equation(relation: Relation) -> str:
    """A display, broken at the relation sign where the line would be long."""
    whole = relation.latex()
    if len(whole) < 120 or relation.right is None:
        return f"\\[ {whole} \\]"
    sign = Relation(relation.left, relation.sign, relation.right).latex()
    left = latex(relation.left)
    return f"\\begin{{multline*}}\n{left} \\\\\n{sign.removeprefix(left)}\n\\end{{multline*}}"


def show(claim: Claim, console: "Console") -> None:
    """Print the claim to a terminal, no line wider than the console."""
    from rich.padding import Padding
    from rich.text import Text

    formula, steps = _parts(claim)

    def put(item: "RenderableType", indent: int = 2) -> None:
        console.print(Padding.indent(item, indent))

    def head(title: str, note: str = "") -> None:
        console.print()
        console.print(Text.assemble((title, "bold"), (f"  {note}" if note else "", "dim")))

    console.print(Text.assemble((claim.label, "bold cyan"), "  ", (claim.heading, "bold")))
    console.print(Text(f"{claim.source} ({claim.version}); {claim.kind}", style="dim"))
    if not claim.holds:
        console.print(Text(FALSE, style="red"))
    head("Statement")
    put(Text(claim.statement))
    if formula is not None:
        head("Formula")
        for part in relations(formula):
            put(_pretty(part, console, 4), 4)
    meanings = symbols(claim, formula, steps)
    if meanings:
        head("Symbols")
        wide = max(map(len, meanings))
        for name, words in meanings.items():
            put(Text(f"{name:<{wide}}  {words}"))
    head("Assumptions")
    for assumption in claim.assumptions:
        put(Text.assemble("- ", assumption.value))
    if not claim.assumptions:
        put(Text("none"))
    if steps:
        head(_proof(claim), tally(steps))
        colour = {
            Status.CONFIRMED: "green",
            Status.COMPUTED: "green",
            Status.ARGUED: "yellow",
            Status.NOTATION: "dim",
            Status.UNCONFIRMED: "bold red",
        }
        for number, step in enumerate(steps, 1):
            put(
                Text.assemble(
                    (f"{number}. ", "bold"),
                    f"{type(step).__name__}{f' ({step.name})' if isinstance(step, Lemma) else ''}",
                    ", ",
                    (step.status.value, colour[step.status]),
                )
            )
            put(Text(step.text), 5)
            shown = of_step(step)
            if shown:
                for relation in shown:
                    put(_pretty(relation, console, 7), 7)
                why = f"on {_where(step)}" if _where(step) else "no free symbol"
                for slack in _slacks(step):
                    why += f"; right side minus left: {slack} >= 0"
                put(Text(f"{why}.", style="dim"), 5)
    if checked := machine_checked.note(claim.coq):
        head("Formal proof")
        put(Text(checked))
    head("Evidence")
    put(Text(claim.evidence))
    if claim.requires:
        head("Rests on")
        put(Text(", ".join(claim.requires)))
    console.print()
    console.print(Text(f"Check it: evenkeel check {claim.label}", style="dim"))


def _pretty(relation: Relation, console: "Console", indent: int) -> "RenderableType":
    """The formula in two dimensions where it fits, over two lines, or as Python writes it."""
    from rich.text import Text
    from sympy.printing.pretty.pretty import PrettyPrinter
    from sympy.printing.pretty.pretty_symbology import pretty_use_unicode
    from sympy.printing.pretty.stringpict import prettyForm

    unicode = console.encoding.startswith("utf")
    before = pretty_use_unicode(unicode)
    try:
        printer = PrettyPrinter({"wrap_line": False})
        forms = [printer._print(side) for side in relation.sides]
    finally:
        pretty_use_unicode(before)
    sign = {"<=": "≤", ">=": "≥"}.get(relation.sign, relation.sign) if unicode else relation.sign
    if relation.right is None:
        layouts = [forms]
    else:
        signed = prettyForm(*forms[1].left(f"{sign} "))
        layouts = [[prettyForm(*forms[0].right(" ", signed))], [forms[0], signed]]
    for layout in layouts:
        lines = [line.rstrip() for form in layout for line in str(form).splitlines()]
        if max(map(len, lines)) <= console.width - indent:
            return Text("\n".join(lines), no_wrap=True)
    return Text(relation.text())
