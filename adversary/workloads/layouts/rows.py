"""Rows of a trace as text: what every kind of file is read into."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple, Protocol

from adversary.workloads.layouts.layout import Paths

# Rows that are judged together; memory beyond the numbers themselves is that of so many.
TOGETHER = 2**16


class Row(NamedTuple):
    """The wanted values of a row, as text; or what is wrong with the row as a whole.

    ``line`` is its line in the file, where rows have lines.  A value is None if it is not there.
    A row that is no request is none of the trace's.
    """

    line: int | None
    values: tuple[str | None, ...]
    fault: str | None = None
    is_request: bool = True


class Rows(Protocol):
    """The rows of a file, and what is known before they are read."""

    names: list[str]
    notes: list[str]

    def read(self, wanted: Mapping[str, Paths], any_of: tuple[str, ...] = ()) -> Iterator[Row]:
        """Each row's values in the order of ``wanted``; once.

        A value is that of the first of its paths that the row has.  With ``any_of``, a row
        without a field that begins like one of these is no request.
        """


class Batch(NamedTuple):
    """Some rows that follow each other, column by column."""

    lines: list[int | None]
    values: dict[str, list[str | None]]
    faults: list[str | None]
    are_requests: list[bool]


def batches(rows: Iterator[Row], wanted: Mapping[str, Paths]) -> Iterator[Batch]:
    """The rows, :data:`TOGETHER` at a time."""
    while some := list(islice(rows, TOGETHER)):
        lines, values, faults, are_requests = map(list, zip(*some, strict=True))
        columns = map(list, zip(*values, strict=True))
        yield Batch(lines, dict(zip(wanted, columns, strict=True)), faults, are_requests)


def one_line(text: object, most: int = 60) -> str:
    r"""The beginning of a text, without line breaks.

    >>> one_line("a  b\nc"), one_line("abcdef", most=4)
    ('a b c', 'abcd...')
    """
    words = " ".join(str(text)[: 4 * most].split())
    return words if len(words) <= most else words[:most] + "..."
