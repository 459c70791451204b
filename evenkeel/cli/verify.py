"""``evenkeel verify`` and ``gallery``: certificates checked, and stored witnesses replayed."""

import math
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from evenkeel.cli.anytime import follow
from evenkeel.exits import HELD, INCONCLUSIVE, VIOLATED, OutOfTime, began
from evenkeel.output import (
    allow_option,
    json_option,
    seconds,
    table,
    terminal_width,
    time_limit_option,
    to_json,
)
from theory.content import STDIN, opened, printable
from theory.files import MOST_BYTES
from theory.model import InputError

# What the checker's exit codes say; 3 is for more work than a certificate may ask for.
ANSWERS = {0: True, 1: False, 3: None}

# The system takes no longer time to wait for a process.
_LONGEST_S = 10.0**6


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="CERT.json ...")
@click.option(
    "--time-limit",
    type=seconds,
    help="Seconds for all files.  [default: none]",
)
@click.option(
    "--work",
    type=click.IntRange(min=1),
    help="Operations that a certificate may ask for.  [default: 10^8, up to a minute]",
)
@json_option
def verify(
    files: tuple[str, ...], time_limit: float | None, work: int | None, as_json: bool
) -> None:
    """Check certificates: exit code 0 if every one proves its statement, 1 if one does not.

    Exit code 3 if time ran out first, or a certificate asks for more work than it may.  A file
    named - is standard input.  The checker runs in a Python of its own that sees the standard
    library and nothing else.  It is one file, solvers/checker.py, and does the same wherever it is
    copied to.
    """
    if files.count(STDIN) > 1:
        raise InputError("standard input (-) is read once")
    paths: dict[str, str] = {}
    for name in files:
        with opened(name, MOST_BYTES["JSON"], "no certificate may hold more") as content:
            if name == STDIN or name.startswith("-") or not name.isprintable():
                paths[name] = _copied(content.whole())
    spec = find_spec("solvers.checker")
    assert spec is not None
    assert spec.origin is not None
    end = math.inf if time_limit is None else began() + time_limit
    answers: list[dict[str, Any]] = []
    options = [] if work is None else [f"--work={work}"]
    for name in files:
        path = paths.get(name, name)
        try:
            # Isolated, without site packages.
            run = subprocess.run(
                [sys.executable, "-I", "-S", spec.origin, *options, path],
                capture_output=True,
                text=True,
                check=False,
                timeout=None
                if time_limit is None
                else min(max(0.0, end - time.monotonic()), _LONGEST_S),
            )
        except subprocess.TimeoutExpired:
            answers.append({"file": name, "holds": None, "says": "out of time, not checked"})
            continue
        said = run.stdout.strip().removeprefix(f"{path}: ") or run.stderr.strip()
        if run.returncode not in ANSWERS:
            raise RuntimeError(f"the checker of {name} ended with {run.returncode}: {said}")
        answers.append({"file": name, "holds": ANSWERS[run.returncode], "says": said})
    if as_json:
        click.echo(to_json(answers))
    else:
        for answer in answers:
            click.echo(f"{printable(answer['file'])}: {answer['says']}")
    holds = [answer["holds"] for answer in answers]
    code = VIOLATED if False in holds else INCONCLUSIVE if None in holds else HELD
    click.get_current_context().exit(code)


def _copied(whole: bytes) -> str:
    """A file with this content until the command ends, under a name that the checker can print."""
    folder = click.get_current_context().with_resource(TemporaryDirectory())
    path = Path(folder) / "certificate.json"
    path.write_bytes(whole)
    return str(path)


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME ...]")
@click.option(
    "--gallery",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of witnesses.  [default: the gallery that comes with evenkeel]",
)
@click.option(
    "--draw",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for pictures of the witnesses that are named.",
)
@allow_option
@time_limit_option
@json_option
def gallery(
    names: tuple[str, ...],
    folder: Path | None,
    draw: Path | None,
    allowed: tuple[str, ...],
    as_json: bool,
) -> None:
    """List the witnesses, or show some of them step by step.

    Every witness is replayed first.  Exit code 1 if one does not give what it should.  If time runs
    out they are listed, with what was replayed by then.
    """
    from adversary.witnesses import gallery as stored
    from evenkeel.report.timeline import show

    if folder is not None and not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    folder = folder or stored.GALLERY
    every = {witness.name: witness for witness in stored.gallery(folder, allowed)}
    if not every:
        raise InputError(f"{folder}: no witness (NAME.json) in this folder")
    unknown = [name for name in names if name not in every]
    if unknown:
        raise InputError(f"no witness {unknown[0]!r}; there are: {', '.join(every)}")
    if draw is not None and not names:
        raise InputError("--draw is for witnesses that are named")
    chosen = [every[name] for name in names] or list(every.values())
    replayed: dict[str, Any] = {}
    pictures: dict[str, list[str]] = {}
    texts: list[str] = []

    def looked_at() -> Iterator[None]:
        for witness in chosen:
            try:
                replayed[witness.name] = stored.replay_witness(witness)
            except InputError as error:
                raise InputError(f"{folder / witness.name}.json: {error}") from None
            yield
        for witness in chosen if names and not as_json else ():
            texts.append(show(witness))
            yield
        for witness in chosen if draw is not None else ():
            from paper_figures.witness import draw as draw_witness

            assert draw is not None
            pictures[witness.name] = [str(path) for path in draw_witness(witness, draw)]
            yield

    late = False
    try:
        for _ in follow(looked_at()):
            pass
    except OutOfTime as stop:
        late = True
        click.echo(str(stop), err=True)
    good = {w.name: replayed[w.name] == w.expected for w in chosen if w.name in replayed}
    if as_json:
        click.echo(
            to_json(
                [
                    {
                        "name": witness.name,
                        "claim": witness.claim,
                        "text": witness.text,
                        "provenance": witness.provenance,
                        "replays": good.get(witness.name),
                        "found": replayed.get(witness.name),
                        "pictures": pictures.get(witness.name, []),
                    }
                    for witness in chosen
                ]
            )
        )
    elif names and not late:
        click.echo("\n\n".join(texts))
        for paths in pictures.values():
            click.echo(f"\npictures  {' '.join(paths)}")
    else:
        head = ("witness", "claim", "replays", "what it shows")
        said = {True: "yes", False: "NO", None: "?"}
        rows = [(w.name, w.claim or "-", said[good.get(w.name)], w.text) for w in chosen]
        click.echo(table(head, rows, terminal_width()))
    code = VIOLATED if not all(good.values()) else INCONCLUSIVE if late else HELD
    click.get_current_context().exit(code)
