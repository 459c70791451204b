"""``evenkeel new``: start a claim, a policy, a workload family or a figure of one's own."""

from pathlib import Path

import click

from evenkeel.output import json_option

KINDS = ("claim", "policy", "family", "figure")


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Folder of the two files.  [default: the current one]",
)
@json_option
def new(kind: str, name: str, out: Path, as_json: bool) -> None:
    """Write a commented file NAME.py that works, and a test of it that runs.

    Every command takes what is in it as NAME.py:ATTRIBUTE.
    """
    from evenkeel.output import to_json, write_text
    from evenkeel.report.rendering import started
    from theory.model import InputError

    if not (name.isidentifier() and name.islower()):
        raise InputError(f"NAME must be a name of a Python module in small letters, got {name!r}")
    files = {out / f"{name}.py": kind, out / f"test_{name}.py": f"test_{kind}"}
    for path in files:
        if path.exists():
            raise InputError(f"{path} is there already")
    for path, template in files.items():
        write_text(path, started(template, name))
    if as_json:
        click.echo(to_json({"kind": kind, "files": [str(path) for path in files]}))
        return
    file, test = files
    click.echo(f"{file}  begin here: it says which commands run it\n{test}")
