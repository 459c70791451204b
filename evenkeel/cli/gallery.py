"""``evenkeel gallery``: the stored witnesses, replayed and shown."""

from pathlib import Path

import click

from evenkeel.output import HELD, VIOLATED, json_option


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
@json_option
def command(names: tuple[str, ...], folder: Path | None, draw: Path | None, as_json: bool) -> None:
    """List the witnesses, or show some of them step by step.

    Every witness is replayed first.  Exit code 1 if one does not give what it should.
    """
    from adversary.witnesses.gallery import GALLERY, gallery, replay_witness
    from evenkeel.output import table, to_json
    from evenkeel.report.timeline import show
    from theory.model import InputError

    if folder is not None and not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    folder = folder or GALLERY
    every = {witness.name: witness for witness in gallery(folder)}
    if not every:
        raise InputError(f"{folder}: no witness (NAME.json) in this folder")
    unknown = [name for name in names if name not in every]
    if unknown:
        raise InputError(f"no witness {unknown[0]!r}; there are: {', '.join(every)}")
    if draw is not None and not names:
        raise InputError("--draw is for witnesses that are named")
    chosen = [every[name] for name in names] or list(every.values())
    replayed = {witness.name: replay_witness(witness) for witness in chosen}
    good = {witness.name: replayed[witness.name] == witness.expected for witness in chosen}
    pictures = {}
    if draw is not None:
        from paper_figures.witness import draw as draw_witness

        pictures = {w.name: [str(path) for path in draw_witness(w, draw)] for w in chosen}
    if as_json:
        click.echo(
            to_json(
                [
                    {
                        "name": witness.name,
                        "claim": witness.claim,
                        "text": witness.text,
                        "provenance": witness.provenance,
                        "replays": good[witness.name],
                        "found": replayed[witness.name],
                        "pictures": pictures.get(witness.name, []),
                    }
                    for witness in chosen
                ]
            )
        )
    elif names:
        click.echo("\n\n".join(show(witness) for witness in chosen))
        for paths in pictures.values():
            click.echo(f"\npictures  {' '.join(paths)}")
    else:
        head = ("witness", "claim", "replays", "what it shows")
        rows: list[tuple[str, ...]] = [
            (w.name, w.claim or "-", "yes" if good[w.name] else "NO", w.text) for w in chosen
        ]
        click.echo(table(head, rows))
    click.get_current_context().exit(HELD if all(good.values()) else VIOLATED)
