"""``evenkeel figures``: compute the tables of the figures, and draw them."""

from pathlib import Path

import click

from evenkeel.output import json_option, time_limit_option
from evenkeel.runs.executors import cluster_option, jobs_option


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME ...]")
@click.option(
    "--redraw", is_flag=True, help="Draw the tables that are there already, or the committed ones."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("out/figures"),
    show_default=True,
    help="Folder for tables and pictures.",
)
@jobs_option
@cluster_option
@time_limit_option
@json_option
def figures(
    names: tuple[str, ...],
    redraw: bool,
    out: Path,
    jobs: int | None,
    cluster: str | None,
    as_json: bool,
) -> None:
    """Regenerate the figures, all of them unless named; each is a CSV, PNG, SVG and PDF.

    NAME may be module:attribute or file.py:attribute for a drawing of your own.
    """
    from evenkeel.output import progress, to_json
    from evenkeel.runs.executors import executor, simulator
    from evenkeel.runs.figures import computed, illustrate, known
    from evenkeel.runs.lock import only_writer
    from paper_figures.catalogue import FIGURES, OWN
    from theory.own import installed

    chosen = names or (*FIGURES, *installed(OWN))
    click.get_current_context().with_resource(only_writer(out))
    ready = simulator if len(chosen) > 1 else None
    with (
        executor(jobs, cluster, ready) as pool,
        progress("figures", len(chosen), by_item=True) as tick,
    ):
        tables = known(chosen, out) if redraw else computed(chosen, pool)
        written = illustrate(tables, out, tick)
    if as_json:
        click.echo(to_json(written))
    else:
        click.echo("\n".join(str(path) for paths in written.values() for path in paths))
