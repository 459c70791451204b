"""``evenkeel verify``: check certificates with the checker that stands alone."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import click

from evenkeel.output import HELD, VIOLATED, json_option


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="CERT.json ...")
@json_option
def command(files: tuple[str, ...], as_json: bool) -> None:
    """Check certificates: exit code 0 if every one proves its statement, 1 if one does not.

    The checker runs in a Python of its own that sees the standard library and nothing else.  It
    is one file, solvers/checker.py, and does the same wherever it is copied to.
    """
    from evenkeel.output import to_json
    from theory.model import InputError

    for name in files:
        if not Path(name).is_file():
            raise InputError(f"{name}: no such file")
    spec = find_spec("solvers.checker")
    assert spec is not None
    assert spec.origin is not None
    answers = []
    for name in files:
        # Isolated, without site packages.
        run = subprocess.run(
            [sys.executable, "-I", "-S", spec.origin, name],
            capture_output=True,
            text=True,
            check=False,
        )
        said = run.stdout.strip().removeprefix(f"{name}: ") or run.stderr.strip()
        answers.append({"file": name, "holds": run.returncode == 0, "says": said})
    if as_json:
        click.echo(to_json(answers))
    else:
        for answer in answers:
            click.echo(f"{answer['file']}: {answer['says']}")
    good = all(answer["holds"] for answer in answers)
    click.get_current_context().exit(HELD if good else VIOLATED)
