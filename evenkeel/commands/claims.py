"""``evenkeel claims``: list the claims, or show one with its assumptions and proof."""

import click

from evenkeel.terminal import json_option


@click.command()
@click.argument("label", required=False)
@json_option
def command(label: str | None, as_json: bool) -> None:
    """List all claims, or show LABEL: statement, source, assumptions, proof, evidence."""
    from evenkeel.terminal import table, to_json
    from theory.claims import claim, claims

    if label is None:
        if as_json:
            rows = [
                {"label": c.label, "title": c.title, "source": c.source, "version": c.version}
                | {"kind": c.kind, "holds": c.holds}
                for c in claims().values()
            ]
            click.echo(to_json(rows))
        else:
            head = ("claim", "kind", "version", "title")
            click.echo(
                table(
                    head,
                    [
                        (c.label, c.kind, c.version, c.title + ("" if c.holds else " (false)"))
                        for c in claims().values()
                    ],
                )
            )
        return
    shown = claim(label)
    steps = shown.proof() if shown.proof else ()
    formula = str(shown.formula()) if shown.formula else None
    if as_json:
        click.echo(
            to_json(
                {
                    "label": shown.label,
                    "title": shown.title,
                    "source": shown.source,
                    "version": shown.version,
                    "kind": shown.kind,
                    "holds": shown.holds,
                    "statement": shown.statement,
                    "formula": formula,
                    "assumptions": [a.value for a in shown.assumptions],
                    "evidence": shown.evidence,
                    "requires": shown.requires,
                    "proof": [
                        {
                            "kind": type(step).__name__.lower(),
                            "text": step.text,
                            "holds": step.holds(),
                        }
                        for step in steps
                    ],
                }
            )
        )
        return
    click.echo(f"{shown.label}: {shown.title}")
    click.echo(f"{shown.source} ({shown.version}); {shown.kind}")
    if not shown.holds:
        click.echo("Registered as stated elsewhere; evenkeel holds it to be false.")
    _section("Statement", [shown.statement])
    if formula:
        _section("Formula", [formula])
    _section("Assumptions", [f"- {a.value}" for a in shown.assumptions] or ["none"])
    if steps:
        marks = {"Identity": "identity", "Inequality": "inequality", "Lemma": "lemma"}
        lines = []
        for number, step in enumerate(steps, 1):
            kind = marks[type(step).__name__]
            state = "" if kind == "lemma" else ", confirmed" if step.holds() else ", NOT CONFIRMED"
            lines.append(f"{number}. [{kind}{state}] {step.text}")
        _section("Proof", lines)
    _section("Evidence", [shown.evidence])
    if shown.requires:
        _section("Rests on", [", ".join(shown.requires)])
    click.echo(f"\nCheck it: evenkeel check {shown.label}")


def _section(title: str, lines: list[str]) -> None:
    click.echo(f"\n{title}")
    for line in lines:
        click.echo(click.wrap_text(line, 96, initial_indent="  ", subsequent_indent="  "))
