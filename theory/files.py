"""Files: decoded into typed values, with errors that name the field, and written whole or not."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from theory.model import InputError

Kind = TypeVar("Kind")


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A name to write to, beside ``path``, whose place it takes if the block ends without error.

    Raises
    ------
    InputError
        If the place cannot be written.
    """
    scratch = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield scratch
        scratch.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error


def read(path: str | Path, kind: type[Kind], form: Literal["JSON", "TOML"] = "JSON") -> Kind:
    """The value of that type in a file.

    Raises
    ------
    InputError
        As :func:`decoded`, or if the file cannot be read; it begins with the path.
    """
    try:
        return decoded(Path(path).read_bytes(), kind, form)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def decoded(text: bytes, kind: type[Kind], form: Literal["JSON", "TOML"] = "JSON") -> Kind:
    """The value of that type in a text.

    Raises
    ------
    InputError
        If the text is not of that form or that type; it names the field.

    >>> decoded(b'{"workers": 2}', dict[str, int])
    {'workers': 2}
    """
    decode = msgspec.json.decode if form == "JSON" else msgspec.toml.decode
    try:
        return decode(text, type=kind)
    except msgspec.ValidationError as error:
        raise InputError(_fault(error, kind, "field" if form == "JSON" else "key")) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InputError(f"is not {form}: {error}") from None


def _fault(error: msgspec.ValidationError, kind: Any, part: str) -> str:
    """What msgspec says, with what would be right; ``part`` is what the form calls a field."""
    says, _, place = str(error).partition(" - at ")
    place = place.replace("`$.", "").replace("`", "")
    names = ", ".join(getattr(kind, "__struct_fields__", ()))
    if found := re.fullmatch("Object missing required field `(.*)`", says):
        return f"the field {found[1]!r} is missing" + (f" in {place}" if place else "")
    if found := re.fullmatch("Object contains unknown field `(.*)`", says):
        if place:
            return f"unknown {part} {found[1]!r} in {place}"
        return f"unknown {part} {found[1]!r}; a {kind.__name__.strip('_').lower()} has: {names}"
    if found := re.fullmatch("Expected `int` >= (.*)", says):
        return f"{place} must be an integer of at least {found[1]}"
    if says.startswith("Expected `object`") and not place:
        return "expected a JSON object" + (f" with {names}" if names else "")
    if says.startswith("Expected"):
        return f"a field has the wrong type: {place}: {says[0].lower()}{says[1:]}"
    return f"{place}: {says[0].lower()}{says[1:]}"
