"""``evenkeel explore``: a page to play with."""

from pathlib import Path

import click

from evenkeel.output import OutputFile, json_option


@click.command()
@click.option(
    "--out",
    type=OutputFile(),
    default=Path("out/explore.html"),
    show_default=True,
    help="The page to write.",
)
@click.option("--open/--no-open", "opened", default=True, help="Open it in a browser.")
@json_option
def explore(out: Path, opened: bool, as_json: bool) -> None:
    """Write and open a page with sliders: energy, the theorems, and the barrier step by step.

    One file that needs no network.  Its numbers are those of the formulas of evenkeel.
    """
    import webbrowser

    from evenkeel.output import to_json, write_text
    from evenkeel.report.explore import explore_page

    write_text(out, explore_page())
    click.echo(to_json({"page": str(out)}) if as_json else f"wrote {out}")
    if opened and not as_json and not webbrowser.open(out.resolve().as_uri()):
        click.echo("no browser answered: open the file yourself", err=True)
