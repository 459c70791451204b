"""The content of a file that is read: decompressed, decoded, and never more than was allowed.

Everything that a user names to be read is opened here: traces, logs, steps, sweeps, witnesses,
records.  Only regular files and standard input are, so that no device or pipe can go on for ever.
"""

import gzip
import io
import os
import re
import stat
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar
from unicodedata import category

from theory.model import InputError

STDIN = "-"

_Done = TypeVar("_Done")

# Longest line of a text, and largest JSON value that spans lines: both are held in memory.
LONGEST = 2**28

_HEAD = 2**16
_KINDS = {
    b"PK\x03\x04": "an Excel workbook or a ZIP archive; save the sheet as CSV, or unzip it",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as CSV",
    b"\x28\xb5\x2f\xfd": "Zstandard data; decompress it, as in: zstd -dc FILE | evenkeel ... -",
    b"BZh": "bzip2 data; decompress it, as in: bzip2 -dc FILE | evenkeel ... -",
    b"\xfd7zXZ": "xz data; decompress it, as in: xz -dc FILE | evenkeel ... -",
    b"SQLite": "an SQLite database; export the table as CSV",
}
_NOT_REGULAR = {
    stat.S_IFDIR: "is a directory; name one file",
    stat.S_IFIFO: "is a named pipe; read one from standard input, with - for the name",
    stat.S_IFCHR: "is a device, not a file; standard input is read with - for the name",
    stat.S_IFBLK: "is a device, not a file",
    stat.S_IFSOCK: "is a socket, not a file",
}


def human(count: int) -> str:
    """A number of bytes as people write it.

    >>> human(2**31), human(1000)
    ('2 GiB', '1000 bytes')
    """
    for power, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if count % 2**power == 0 and count:
            return f"{count >> power} {unit}"
    return f"{count} bytes"


def printable(text: str, most: int = 200) -> str:
    r"""A text from a file as it can be shown: one line, in which nothing steers a terminal.

    What is not printable stands as its escape, and what is long is cut.

    >>> print(printable("red\x1b[31m"), printable("long", 3))
    red\x1b[31m lon…
    """
    shown = "".join(
        c if c.isprintable() or category(c) == "Zs" else ascii(c)[1:-1] for c in text[:most]
    )
    return shown if len(text) <= most else shown + "…"


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Content:
    """An open file.

    Parameters
    ----------
    name : str
        What errors call it.
    path : Path or None
        The file, if it can be opened again and is not compressed.
    stream : binary file
        Its content, decompressed.
    most : int
        Bytes after which it refuses to go on.
    more : str
        What the refusal says then.
    """

    def __init__(
        self, name: str, path: Path | None, stream: _Readable, most: int, more: str
    ) -> None:
        self.name, self._most, self._more = name, most, more
        self._stream = stream
        self._head = self._read(_HEAD)
        self.path = path

    def _read(self, count: int) -> bytes:
        """The next bytes: so many, or all that are left."""
        parts = []
        try:
            while count > 0 and (part := self._stream.read(count)):
                parts.append(part)
                count -= len(part)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InputError(
                f"{self.name}: the gzip data is truncated or damaged ({error}); "
                "fetch the file again"
            ) from None
        except OSError as error:
            raise InputError(f"{self.name}: cannot be read: {_why(error)}") from None
        return b"".join(parts)

    @property
    def head(self) -> bytes:
        """Its first bytes."""
        return self._head

    def pieces(self) -> Iterator[bytes]:
        """All of it, piece by piece; once.

        Raises
        ------
        InputError
            When there are more bytes than are allowed, or they cannot be read.
        """
        piece, seen = self._head, 0
        while piece:
            seen += len(piece)
            if seen > self._most:
                raise _too_large(self.name, self._most, self._more)
            yield piece
            piece = self._read(_HEAD)

    def whole(self) -> bytes:
        """All of it at once.

        Raises
        ------
        InputError
            As :meth:`pieces`.
        """
        return b"".join(self.pieces())

    def lines(self) -> "Lines":
        """Its text, line by line; once.

        Raises
        ------
        InputError
            If it is no text.
        """
        return Lines(self.name, _buffered(self.pieces()), self._encoding())

    def beginning(self) -> str:
        """The first characters of its text.

        Raises
        ------
        InputError
            If it is no text.
        """
        return self._head.decode(self._encoding(), "replace")

    def _encoding(self) -> str:
        for magic, what in _KINDS.items():
            if self._head.startswith(magic):
                raise InputError(f"{self.name}: is {what}")
        return _encoding(self.name, self._head)


def _too_large(name: str, most: int, more: str) -> InputError:
    return InputError(f"{name}: holds more than {human(most)} when decompressed; {more}")


def _at_once(path: str, flags: int) -> int:
    """Open without waiting for the other end of a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


@contextmanager
def opened(file: str | Path, most: int, more: str = "--max-bytes allows more") -> Iterator[Content]:
    """Open a file, or standard input if its name is ``-``.

    Parameters
    ----------
    file : str or Path
        The file, plain or gzip-compressed.
    most : int
        Bytes that it may hold, decompressed.
    more : str
        What the refusal of a larger one says.

    Raises
    ------
    InputError
        If it is no regular file, cannot be read, or is damaged.
    """
    if str(file) == STDIN:
        if sys.stdin is None or sys.stdin.closed:
            raise InputError("standard input: is closed; name a file")
        yield _decompressed("standard input", None, sys.stdin.buffer, most, more)
        return
    name = str(file)
    # Looked at before it is opened, which may already do something to a device, and after.
    _refuse_irregular(name, _tried(name, os.stat))
    with _tried(name, lambda path: open(path, "rb", opener=_at_once)) as stream:
        about = os.fstat(stream.fileno())
        _refuse_irregular(name, about)
        if about.st_size > most:
            raise _too_large(name, most, more)
        yield _decompressed(name, Path(file), stream, most, more)


def _tried(path: str, do: Callable[[str], _Done]) -> _Done:
    try:
        return do(path)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {_why(error)}") from None


def _refuse_irregular(name: str, about: os.stat_result) -> None:
    kind = stat.S_IFMT(about.st_mode)
    if kind != stat.S_IFREG:
        raise InputError(f"{name}: {_NOT_REGULAR.get(kind, 'is not a regular file')}")


def _why(error: Exception) -> str:
    """The reason alone; of a name with a NUL what Python says."""
    return getattr(error, "strerror", None) or str(error)


def _decompressed(name: str, path: Path | None, stream: BinaryIO, most: int, more: str) -> Content:
    content = Content(name, path, stream, most, more)
    if content.head[:2] != b"\x1f\x8b":
        return content
    # The compressed bytes are fewer than the others, so that one bound is enough.
    inner = gzip.GzipFile(fileobj=_buffered(content.pieces()))
    return Content(name, None, inner, most, more)


class _Pieces(io.RawIOBase):
    """Pieces of bytes as a raw stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._left = pieces, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        if not self._left:
            self._left = memoryview(next(self._pieces, b""))
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


def _buffered(pieces: Iterator[bytes]) -> BinaryIO:
    """Pieces of bytes as a file."""
    return io.BufferedReader(_Pieces(pieces), _HEAD)  # type: ignore[type-var]


def _encoding(name: str, head: bytes) -> str:
    if head.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        raise InputError(f"{name}: is UTF-32 text; save it as UTF-8")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if b"\0" not in head:
        return "utf-8-sig"
    # A text in UTF-16 without a mark: ASCII has a NUL in every second byte, always the same one.
    even, odd = head[0:1024:2], head[1:1024:2]
    for zeros, rest, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if zeros and zeros.count(0) > 0.9 * len(zeros) and not rest.count(0):
            return encoding
    raise InputError(f"{name}: is binary; expected text (UTF-8 or UTF-16), gzip or Parquet")


class Lines:
    """The lines of a text, counted, each of bounded length.

    Parameters
    ----------
    name : str
        What errors call the file.
    file : binary file
        Its bytes.
    encoding : str
        How they are to be read.
    """

    def __init__(self, name: str, file: BinaryIO, encoding: str) -> None:
        # What is not UTF-8 comes out as lone surrogates, so that the line is known.
        errors = "surrogateescape" if encoding == "utf-8-sig" else "strict"
        self.name, self.number, self._encoding = name, 0, encoding
        self._text = io.TextIOWrapper(file, encoding=encoding, errors=errors, newline="")

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        try:
            line = self._text.readline(LONGEST + 1)
        except UnicodeError:
            raise InputError(
                f"{self.name}: is not UTF-16 text from line {self.number + 1} on; save it as UTF-8"
            ) from None
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) > LONGEST:
            raise InputError(
                f"{self.name}: line {self.number} is longer than {human(LONGEST)}; expected one "
                "request a line (of one large JSON value, jq -c '.[]' makes such lines)"
            )
        if not line.isascii() and (found := re.search("[\udc80-\udcff]", line)):
            raise InputError(
                f"{self.name}: line {self.number} is not UTF-8 text (character "
                f"{found.start() + 1}); save the file as UTF-8"
            )
        return line
