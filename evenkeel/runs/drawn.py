"""Pictures that an earlier run has drawn already: from the same table, by the same code."""

from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from evenkeel.output import to_json, write_text
from evenkeel.runs.sources import code_digest
from paper_figures.catalogue import FIGURES
from theory.files import read
from theory.model import InputError


class Drawn:
    """What a folder's pictures were drawn of, kept in its file ``.drawn.json``.

    Parameters
    ----------
    folder : Path
        Of the pictures.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / ".drawn.json"
        self._known: dict[str, str] = {}
        # Whatever is no such file says nothing, and all is drawn.
        with suppress(InputError):
            self._known = read(self._path, dict[str, str])

    def holds(self, name: str, table: str, pictures: Iterable[Path]) -> bool:
        """Whether these are the pictures that would be drawn of the figure's table now.

        Never of a figure of one's own, whose code may be anywhere.
        """
        if name not in FIGURES or name not in self._known:
            return False
        with suppress(OSError):  # a picture that is gone
            return self._known[name] == _digest(name, table, pictures)
        return False

    def note(self, name: str, table: str, pictures: Iterable[Path]) -> None:
        """Say what the pictures were drawn of.

        Raises
        ------
        InputError
            If the folder cannot be written.
        """
        self._known[name] = _digest(name, table, pictures)
        write_text(self._path, to_json(self._known) + "\n")


def _digest(name: str, table: str, pictures: Iterable[Path]) -> str:
    """SHA-256 of all that a picture depends on, and of itself, in hexadecimal."""
    style = files("paper_figures").joinpath("style.mplstyle").read_text("utf-8")
    digest = sha256()
    for part in (code_digest(), style, version("matplotlib"), name, table):
        digest.update(part.encode() + b"\0")
    for picture in pictures:
        digest.update(picture.name.encode() + b"\0" + picture.read_bytes())
    return digest.hexdigest()
