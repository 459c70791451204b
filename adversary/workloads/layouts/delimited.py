"""Tables of text: CSV with commas, semicolons or tabs, as spreadsheets export it too."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain
from operator import itemgetter

from adversary.workloads.layouts.layout import Paths
from adversary.workloads.layouts.rows import Row, one_line
from theory.content import Lines
from theory.model import InputError

_SEPARATORS = ",;\t|"


class Again(Lines):
    """The lines of a text from one on that was read already."""

    def __init__(self, first: str, lines: Lines) -> None:
        vars(self).update(vars(lines))
        self._lines = lines
        self._first: str | None = first

    def __next__(self) -> str:
        first, self._first = self._first, None
        if first is not None:
            return first
        line = next(self._lines)
        self.number = self._lines.number
        return line


def uncommented(first: str, lines: Lines) -> tuple[str, str]:
    """The first line that is no comment, and what the comment before it says."""
    heading = ""
    while first.lstrip().startswith("#"):
        heading = first.strip().lstrip("#").strip()
        first = next((line for line in lines if line.strip()), "")
    return first, heading


def named_by(heading: str, first: str, separators: str = _SEPARATORS) -> list[str]:
    """The columns of a line with numbers in it that a comment names, as numpy writes it; else none.

    >>> named_by("prefill,decode", "155,62"), named_by("a, b", "prefill,decode")
    (['prefill', 'decode'], [])
    """
    for one in separators:
        names = [name.strip() for name in heading.split(one)]
        cells = [cell for cell in first.strip().split(one) if not one.isspace() or cell]
        if 1 < len(names) == len(cells) and any(map(_is_number, cells)):
            return [] if any(map(_is_number, names)) else names
    return []


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"\s*[+-]?[\d.]+([eE][+-]?\d+)?\s*", cell) is not None


class Delimited:
    """The rows of a table of text whose first line names its columns.

    Comments, which begin with ``#`` and have other cells than a row, are passed over.

    Parameters
    ----------
    first : str
        Its first line that is not blank.  ``sep=;`` there, as Excel writes it, sets the separator.
    lines : Lines
        The others.
    """

    def __init__(self, first: str, lines: Lines) -> None:
        self.notes: list[str] = []
        self._lines = lines
        separator = None
        if told := re.fullmatch(r'\s*"?sep=([^\r\n])"?\s*', first, re.IGNORECASE):
            separator = told[1]
            first = next((line for line in lines if line.strip()), "")
        # A field may be as long as a line, and lines are bounded.
        csv.field_size_limit(2**31 - 1)
        try:
            separator = separator or max(
                _SEPARATORS, key=lambda one: len(next(csv.reader([first], delimiter=one)))
            )
        except csv.Error as error:
            raise InputError(f"{lines.name}: the header is not CSV: {error}") from None
        self._reader = csv.reader(chain([first], lines), delimiter=separator, strict=True)
        try:
            self.names = [name.strip() for name in next(self._reader, [])]
        except csv.Error as error:
            raise InputError(f"{lines.name}: the header is not CSV: {error}") from None

    def read(self, wanted: Mapping[str, Paths], any_of: tuple[str, ...] = ()) -> Iterator[Row]:
        """Each row's values; see :class:`Rows`."""
        times, width = Counter(self.names), len(self.names)
        at = {name: place for place, name in enumerate(self.names)}
        places = []
        for paths in wanted.values():
            path = next((path for path in paths if path in times), None)
            if path is not None and times[path] > 1:
                raise InputError(
                    f"{self._lines.name}: the header names the column {path!r} twice; rename one"
                )
            places.append(width if path is None else at[path])
        nothing = (None,) * len(places)
        pick = itemgetter(*places)
        lines = self._lines
        while True:
            try:
                for cells in self._reader:
                    if len(cells) != width:
                        if not any(map(str.strip, cells)) or cells[0].lstrip().startswith("#"):
                            continue  # a blank line, or a comment
                        if len(cells) < width or any(map(str.strip, cells[width:])):
                            says = f"fields: {len(cells)}, in the header: {width}"
                            yield Row(lines.number, nothing, says)
                            continue
                    yield Row(lines.number, pick((*cells[:width], None)))
                return
            except csv.Error as error:
                yield Row(lines.number, nothing, f"is not CSV ({one_line(error)})")
