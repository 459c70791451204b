"""``evenkeel reproduce``: check every claim and write a report."""

import time
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

import click

from evenkeel.exits import HELD, VIOLATED
from evenkeel.output import json_option, progress, seed_option, time_limit_option
from evenkeel.runs.executors import cluster_option, jobs_option


@click.command()
@click.option(
    "--budget",
    type=click.Choice(["smoke", "standard", "paper"]),
    default="smoke",
    show_default=True,
    help="About one second, ten seconds, or minutes a claim.",
)
@click.option("--claims", "pattern", default=None, help="Only labels that match this pattern.")
@click.option(
    "--claim",
    "specs",
    multiple=True,
    help="Only this one, a label, or of your own: module:attribute, file.py:attribute, or file.py "
    "for all in a file; repeatable.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=None,
    help="Folder of the run.  [default: out/BUDGET]",
)
@jobs_option
@cluster_option
@click.option("--resume", is_flag=True, help="Go on where an interrupted run stopped.")
@seed_option
@time_limit_option
@json_option
def reproduce(
    budget: str,
    pattern: str | None,
    specs: tuple[str, ...],
    out: Path | None,
    jobs: int | None,
    cluster: str | None,
    resume: bool,
    seed: int,
    as_json: bool,
) -> None:
    """Check every registered claim, print the table, write the records, figures and report.

    Every check is run anew; pictures that the folder already has of the same tables, drawn by the
    same code, are kept.

    Exit code 1 if a verdict contradicts what evenkeel asserts; a statement that it holds to be
    false and refutes is no contradiction.
    """
    from evenkeel.findings.check import Budget
    from evenkeel.output import to_json, write_text
    from evenkeel.report.rendering import pictures, report_html, report_markdown
    from evenkeel.report.summary import chance, claims_table, summary, surprises, undecided
    from evenkeel.runs.drawn import Drawn
    from evenkeel.runs.executors import executor
    from evenkeel.runs.figures import illustrate, table_of
    from evenkeel.runs.lock import only_writer
    from evenkeel.runs.reproduce import ready, run
    from evenkeel.theorems.registry import chapters, claim_of, claims, claims_in, families
    from paper_figures.catalogue import FIGURES, committed
    from theory.model import InputError

    named: list[str] = []
    for spec in specs:
        found = claims_in(spec) if spec.endswith(".py") else (claim_of(spec),)
        named += (claim.label for claim in found)
    if pattern is not None or not specs:
        named += (label for label in claims() if fnmatchcase(label, pattern or "*"))
    if not named:
        raise InputError(f"--claims {pattern!r} matches no label; `evenkeel claims` lists them")
    labels = [label for label in claims() if label in named]
    folder = out or Path("out") / budget
    started = time.perf_counter()
    click.get_current_context().with_resource(only_writer(folder))
    with (
        executor(jobs, cluster, partial(ready, len(labels))) as pool,
        progress("checking", len(labels), by_item=True) as tick,
    ):
        result = run(
            labels,
            folder,
            pool,
            budget=Budget(budget),
            seed=seed,
            resume=resume,
            done=tick,
        )
    # A run of some claims shows the figures of their families.
    shown_families = [
        family
        for family, members in zip(families(), chapters().values(), strict=True)
        if not {claim.label for claim in members}.isdisjoint(labels)
    ]
    wanted = [name for name, drawing in FIGURES.items() if drawing.family in shown_families]
    # Beside them, those that claims of one's own name.
    named_by = (claim_of(label).figure for label in labels)
    wanted = list(dict.fromkeys([*wanted, *filter(None, named_by)]))
    with progress("drawing", len(wanted), by_item=True) as tick:
        tables = ((name, (committed if name in FIGURES else table_of)(name)) for name in wanted)
        place = folder / "figures"
        drawn = illustrate(tables, place, tick, ("svg",), Drawn(place))
    again = f"evenkeel reproduce --budget {budget} --seed {seed}"
    if pattern is not None:
        again += f" --claims '{pattern}'"
    again += "".join(f" --claim {spec}" for spec in specs)
    shown = pictures(drawn)
    names = {family: [picture.name for picture in part] for family, part in shown.items()}
    write_text(folder / "report.md", report_markdown(result.records, again, names))
    write_text(folder / "report.html", report_html(result.records, again, figures=shown))
    against = surprises(result.records)
    if as_json:
        click.echo(
            to_json(
                {
                    "out": str(folder),
                    "records": result.records,
                    "against": [entry["claim"] for entry in against],
                }
            )
        )
    else:
        click.echo(claims_table(result.records))
        click.echo(f"\n{summary(result.records)}.")
        if said := chance(result.records):
            click.echo(said)
        for entry in undecided(result.records):
            click.echo(f"{entry['claim']}: {entry['verdict']}: {entry['domain']}")
        for entry in against:
            click.echo(f"{entry['claim']}: {entry['verdict']}, against what is asserted")
        click.echo(f"Report: {folder / 'report.html'}; the same in report.md and records.jsonl.")
        click.echo(f"{time.perf_counter() - started:.0f} s.", err=True)
    click.get_current_context().exit(VIOLATED if against else HELD)
