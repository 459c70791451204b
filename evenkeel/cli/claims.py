"""``evenkeel claims``: list the claims, or show one with its assumptions and proof."""

from pathlib import Path
from shutil import get_terminal_size
from textwrap import wrap

import click

from evenkeel.output import json_option


@click.command()
@click.argument("label", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(["terminal", "markdown", "latex"]),
    default="terminal",
    show_default=True,
    help="How LABEL is set out; markdown has its formulas between dollars, latex is a document.",
)
@click.option("--all", "whole", is_flag=True, help="All claims as one LaTeX document, to print.")
@click.option(
    "--run",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Folder of a `reproduce`, whose verdicts the document shows, and the figures "
    "that `evenkeel figures --redraw --out RUN/figures` draws in it.",
)
@json_option
def claims(label: str | None, form: str, whole: bool, run: Path | None, as_json: bool) -> None:
    """List all claims, or show LABEL: statement, formula, assumptions, proof steps, evidence.

    LABEL may be module:attribute or file.py:attribute for a claim of your own.

    A step of a proof is confirmed by sympy, or it is a lemma, argued in words; the two are never
    mixed up.
    """
    if whole and (form != "latex" or label is not None or as_json):
        raise click.UsageError("--all makes one document: evenkeel claims --format latex --all")
    if run is not None and not whole:
        raise click.UsageError("--run is for the document of --format latex --all")
    if whole:
        from evenkeel.report.companion import companion_latex
        from evenkeel.runs.records import read_records

        records = tuple(read_records(run / "records.jsonl")) if run else ()
        click.echo(companion_latex(records, run), nl=False)
        return
    if label is None:
        if form != "terminal":
            raise click.UsageError(f"--format {form} sets out one claim: give its LABEL, or --all")
        _list(as_json)
        return
    if as_json and form != "terminal":
        raise click.UsageError("--json and --format are two ways to print: give one of them")
    from evenkeel.theorems.registry import claim_of

    shown = claim_of(label)
    if as_json:
        from evenkeel.output import to_json
        from evenkeel.report.claim_view import data

        click.echo(to_json(data(shown)))
    elif form == "terminal":
        from rich.console import Console

        from evenkeel.report.terminal import show

        # Labels and formulas are printed as they are: no markup, no guessing at numbers.
        show(shown, Console(highlight=False, markup=False, emoji=False))
    else:
        from evenkeel.report.companion import claim_latex
        from evenkeel.report.rendering import claim_markdown

        click.echo((claim_latex if form == "latex" else claim_markdown)(shown), nl=False)


def _list(as_json: bool) -> None:
    from evenkeel.theorems.registry import chapters

    if as_json:
        from evenkeel.output import to_json

        fields = ("label", "title", "source", "version", "kind", "holds")
        rows = [
            {"chapter": heading, **{name: getattr(c, name) for name in fields}}
            for heading, entries in chapters().items()
            for c in entries
        ]
        click.echo(to_json(rows))
        return
    width = max(60, get_terminal_size().columns)
    label_width = max(len(c.label) for entries in chapters().values() for c in entries)
    for number, (heading, entries) in enumerate(chapters().items()):
        click.echo(("\n" if number else "") + click.style(heading, bold=True))
        for c in entries:
            # Whose statement it is: of a version of the paper, or our own.
            start = f"  {c.label:<{label_width}}  {c.version:<6}  "
            title = wrap(c.heading, width - len(start))
            click.echo(start + title[0])
            for line in title[1:]:
                click.echo(" " * len(start) + line)
    click.echo("\nShow one, with its proof: evenkeel claims LABEL")
