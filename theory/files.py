"""Files: decoded into typed values, with errors that name the field, and written whole or not."""

import os
import platform
import re
import secrets
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from theory.content import human, opened
from theory.model import InputError

Kind = TypeVar("Kind")
Form = Literal["JSON", "TOML"]

# Bytes that a file may have.  Values take up to twenty times as much memory as their JSON; TOML is
# read by Python itself, slowly, and written by people.
MOST_BYTES: dict[Form, int] = {"JSON": 2**24, "TOML": 2**18}
MOST_LINES_BYTES = 2**28

# Levels of lists and objects, and parts of a dotted key.
DEEPEST = 32


def read(path: str | Path, kind: type[Kind], form: Form = "JSON") -> Kind:
    """The value of that type in a file, or in standard input where the path is ``-``.

    Raises
    ------
    InputError
        As :func:`decoded`, or if the file cannot be read; it begins with the path.
    """
    with opened(path, MOST_BYTES[form], f"no {form} file may hold more") as content:
        text = content.whole()
    try:
        return decoded(text, kind, form)
    except InputError as error:
        raise InputError(f"{content.name}: {error}") from None


def read_lines(path: str | Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file with their numbers from 1; the last one may lack its end.

    Raises
    ------
    InputError
        As :func:`theory.content.opened`, or if a line is longer than a JSON file may be.
    """
    most = MOST_BYTES["JSON"]
    with opened(path, MOST_LINES_BYTES, "no file of lines may hold more") as content:
        number, line = 0, b""
        for piece in content.pieces():
            *ended, line = (line + piece).split(b"\n")
            for one in ended:
                number += 1
                yield number, one + b"\n"
            if len(line) > most:
                raise InputError(f"{content.name}: line {number + 1} is longer than {human(most)}")
        if line:
            yield number + 1, line


def decoded(text: bytes, kind: type[Kind], form: Form = "JSON") -> Kind:
    """The value of that type in a text.

    Raises
    ------
    InputError
        If the text is not of that form or that type, or nested too deeply; it names the field.

    >>> decoded(b'{"workers": 2}', dict[str, int])
    {'workers': 2}
    """
    plain = utf8(text)
    decode = msgspec.json.decode if form == "JSON" else msgspec.toml.decode
    try:
        if form == "TOML" and _LONG_KEY.search(plain):
            raise RecursionError("a key has too many parts")
        value = decode(plain, type=kind)
    except msgspec.ValidationError as error:
        raise InputError(fault(error, kind, "field" if form == "JSON" else "key")) from None
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise InputError(f"is not {form}: {str(error)[:200]}") from None
    if form == "JSON" and _is_deeper(plain, DEEPEST):
        raise InputError(f"is nested more than {DEEPEST} levels deep")
    return value


def utf8(text: bytes) -> bytes:
    """The text without a byte order mark, if it is UTF-8 and no binary data.

    Raises
    ------
    InputError
        If it is not; it names the line.
    """
    plain = text.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in plain[:4] or plain.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError("is UTF-16 or binary data; save it as UTF-8 text")
    try:
        plain.decode("utf-8")
    except UnicodeDecodeError as error:
        line = plain.count(b"\n", 0, error.start) + 1
        raise InputError(f"line {line} is not UTF-8 text; save the file as UTF-8") from None
    if (at := plain.find(b"\0")) >= 0:
        line = plain.count(b"\n", 0, at) + 1
        raise InputError(f"line {line} has a NUL byte: the file is binary or damaged")
    return plain


_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))

# Keys in the reader of TOML take time by the square of their parts.
_PART = rb"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rb"(?<![\w-])(?:%b[ \t]*+\.[ \t]*+){%d}" % (_PART, DEEPEST))


def _is_deeper(text: bytes, most: int) -> bool:
    """Whether a JSON value has more levels; each round takes the innermost away."""
    left = _STRING.sub(b"", text).translate(_BRACKETS, _NO_BRACKETS)
    for _ in range(most):
        if not left:
            return False
        left = left.replace(b"[]", b"")
    return bool(left)


def fault(error: msgspec.ValidationError, kind: Any, part: str) -> str:
    """What msgspec says, with what would be right; ``part`` is what the form calls a field."""
    says, _, place = str(error).partition(" - at ")
    place = place.replace("`$.", "").replace("`", "")
    names = ", ".join(getattr(kind, "__struct_fields__", ()))
    if found := re.fullmatch("Object missing required field `(.*)`", says):
        return f"the field {found[1]!r} is missing" + (f" in {place}" if place else "")
    if found := re.fullmatch("(?s)Object contains unknown field `(.*)`", says):
        name = repr(found[1][:80])
        if place:
            return f"unknown {part} {name} in {place}"
        return f"unknown {part} {name}; a {kind.__name__.strip('_').lower()} has: {names}"
    if found := re.fullmatch("Expected `int` >= (.*)", says):
        return f"{place} must be an integer of at least {found[1]}"
    if found := re.fullmatch("Expected `int` <= (.*)", says):
        return f"{place} must be an integer of at most {int(found[1]):,}"
    if found := re.fullmatch("Expected `str` matching regex (.*)", says):
        return f"{place} must match the regular expression {found[1]}"
    if says.startswith("Expected `object`") and not place:
        return "expected a JSON object" + (f" with {names}" if names else "")
    if says.startswith("Expected"):
        return f"a field has the wrong type: {place}: {says[0].lower()}{says[1:]}"
    return f"{place}: {says[0].lower()}{says[1:]}"


# What goes when this process ends, and folders in which nothing is left of those that were killed.
UNDER_WAY: set[Path] = set()
_cleared: set[Path] = set()

_HOST = f"{zlib.crc32(platform.node().encode()):08x}"
_SCRATCH = re.compile(rf"\.{_HOST}-(\d+)-[0-9a-f]{{8}}\.part")


def remove_scratch() -> None:
    """Remove what is under way; for a process that ends here and now."""
    for scratch in tuple(UNDER_WAY):
        with suppress(OSError):
            scratch.unlink()


def _remove_stale(folder: Path) -> None:
    """Remove what processes of this host that have been killed were writing there."""
    if folder in _cleared or os.name == "nt":  # there a process cannot be asked for
        return
    _cleared.add(folder)
    for name in os.listdir(folder):
        if found := _SCRATCH.fullmatch(name):
            with suppress(PermissionError):
                try:
                    os.kill(int(found[1]), 0)
                except (ProcessLookupError, OverflowError):
                    folder.joinpath(name).unlink(missing_ok=True)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A name to write to, whose place ``path`` takes if the block ends without error.

    A link stays: what it leads to is written.  Whatever is no regular file is refused, and
    standard output too, since it would be replaced and not written to.

    Raises
    ------
    InputError
        If the place cannot be written.
    """
    try:
        target = replaceable(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_stale(target.parent)
        scratch = target.with_name(f".{_HOST}-{os.getpid()}-{secrets.token_hex(4)}.part")
        UNDER_WAY.add(scratch)
        try:
            yield scratch
            with suppress(FileNotFoundError):
                scratch.chmod(stat.S_IMODE(target.stat().st_mode))
            scratch.replace(target)
        finally:
            scratch.unlink(missing_ok=True)
            UNDER_WAY.discard(scratch)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error


def replaceable(path: Path) -> Path:
    """What a path leads to, unless that is something other than a regular file of its own.

    Raises
    ------
    InputError
        If it is; :func:`written_whole` would refuse it when the work is done.
    """
    if "\0" in str(path):
        raise InputError(f"cannot write {str(path)!r}: a name has no NUL")
    target = Path(os.path.realpath(path))
    try:
        about = target.stat()
    except FileNotFoundError:
        return target
    if stat.S_ISDIR(about.st_mode):
        raise InputError(f"cannot write {path}: is a directory; name a file")
    if not stat.S_ISREG(about.st_mode):
        raise InputError(f"cannot write {path}: is a device or a pipe; name a regular file")
    for stream in (0, 1, 2):
        with suppress(OSError):
            if os.path.samestat(about, os.fstat(stream)):
                raise InputError(
                    f"cannot write {path}: standard input or output goes there; name another file"
                )
    return target
