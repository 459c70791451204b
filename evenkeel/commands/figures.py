"""``evenkeel figures``: compute the tables of the figures, and draw them."""

from pathlib import Path

import click

from evenkeel.terminal import json_option


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME ...]")
@click.option("--redraw", is_flag=True, help="Draw from the tables that are there already.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("out/figures"),
    show_default=True,
    help="Folder for tables and pictures.",
)
@json_option
def command(names: tuple[str, ...], redraw: bool, out: Path, as_json: bool) -> None:
    """Regenerate the figures, all of them unless named; each is a CSV, PNG, SVG and PDF."""
    from evenkeel.terminal import progress, to_json, write_text
    from paper_figures.catalogue import FIGURES, figure
    from paper_figures.files import to_csv

    modules = {name: figure(name) for name in names or FIGURES}
    written: dict[str, list[Path]] = {}
    with progress("figures", len(modules)) as tick:
        for name, module in modules.items():
            tick(len(written), name)
            table = out / f"{name}.csv"
            if not redraw:
                write_text(table, to_csv(module.data()))
            written[name] = [table, *module.draw(table, out)]
    if as_json:
        click.echo(to_json(written))
    else:
        click.echo("\n".join(str(path) for paths in written.values() for path in paths))
