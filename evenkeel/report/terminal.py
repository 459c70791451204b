"""A claim in a terminal: formulas in two dimensions where they fit, no line wider than it."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from evenkeel.output import table
from evenkeel.report.claim_view import ClaimView, Relation
from evenkeel.theorems.registry import Claim
from theory.proof import Status

if TYPE_CHECKING:
    from rich.console import RenderableType

_COLOURS = {
    Status.CONFIRMED: "green",
    Status.COMPUTED: "green",
    Status.ARGUED: "yellow",
    Status.NOTATION: "dim",
    Status.UNCONFIRMED: "bold red",
}


def show(claim: Claim, console: Console) -> None:
    """Print the claim, no line wider than the console."""
    view = ClaimView(claim)

    def put(item: "RenderableType", indent: int = 2) -> None:
        console.print(Padding.indent(item, indent))

    def head(title: str, note: str = "") -> None:
        console.print()
        console.print(Text.assemble((title, "bold"), (f"  {note}" if note else "", "dim")))

    def part(title: str, *lines: str) -> None:
        if lines:
            head(title)
        for line in lines:
            put(Text(line))

    console.print(Text.assemble((claim.label, "bold cyan"), "  ", (claim.heading, "bold")))
    console.print(Text(f"{claim.source} ({claim.version}); {claim.kind}", style="dim"))
    if view.caveat:
        console.print(Text(view.caveat, style="red"))
    part("Statement", claim.statement)
    if view.formula:
        head("Formula")
    for relation in view.formula:
        put(_pretty(relation, console, 4), 4)
    wide = max(map(len, view.symbols), default=0)
    part("Symbols", *(f"{name:<{wide}}  {words}" for name, words in view.symbols.items()))
    assumed = [f"- {assumption.value}" for assumption in claim.hypotheses]
    part("Assumptions", *assumed)
    if view.numbers:
        part("Numbers", view.numbers.text, "")
        for line in table(view.numbers.head, view.numbers.rows, console.width - 4).splitlines():
            put(Text(line, no_wrap=True), 4)
    if view.steps:
        head(view.proof, view.tally)
    for number, step in enumerate(view.steps, 1):
        status = (step.status.value, _COLOURS[step.status])
        put(Text.assemble((f"{number}. ", "bold"), step.kind, ", ", status))
        put(Text(step.text), 5)
        for relation in step.relations:
            put(_pretty(relation, console, 7), 7)
        if step.relations:
            why = f"on {step.domain}" if step.domain else "no free symbol"
            why += "".join(f"; right side minus left: {slack} >= 0" for slack in step.slacks)
            put(Text(f"{why}.", style="dim"), 5)
    part("Formal proof", *filter(None, [view.coq]))
    if view.theorem:
        console.print()
        for line in view.theorem["statement"].splitlines():
            put(Text(line), 4)
    part("Evidence", claim.evidence)
    part("Rests on", *(f"{label}: {title}" for label, title in view.rests_on.items()))
    part("References", *view.references.values())
    console.print()
    console.print(Text(f"Check it: evenkeel check {claim.label}", style="dim"))


def _pretty(relation: Relation, console: Console, indent: int) -> "RenderableType":
    """The formula in two dimensions where it fits, over two lines, or as Python writes it."""
    from sympy.printing.pretty.pretty import PrettyPrinter
    from sympy.printing.pretty.pretty_symbology import pretty_use_unicode
    from sympy.printing.pretty.stringpict import prettyForm

    unicode = console.encoding.startswith("utf")
    before = pretty_use_unicode(unicode)
    try:
        printer = PrettyPrinter({"wrap_line": False})
        first, *rest = (printer._print(side) for side in relation.sides)
    finally:
        pretty_use_unicode(before)
    sign = {"<=": "≤", ">=": "≥"}.get(relation.sign, relation.sign) if unicode else relation.sign
    signed = [prettyForm(*side.left(f"{sign} ")) for side in rest]
    one_line = [prettyForm(*first.right(" ", *signed))] if signed else [first]
    for layout in (one_line, [first, *signed]):
        lines = [line.rstrip() for form in layout for line in str(form).splitlines()]
        if max(map(len, lines)) <= console.width - indent:
            return Text("\n".join(lines), no_wrap=True)
    return Text(relation.text)
