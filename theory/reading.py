"""Files that people write, decoded into typed values; an error names the file and the field."""

import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from theory.model import InputError

Kind = TypeVar("Kind")


def read_json(path: str | Path, kind: type[Kind]) -> Kind:
    """The value of that type in a JSON file.

    Raises
    ------
    InputError
        If the file cannot be read, is not JSON or is not of that type; it begins with the path.
    """
    try:
        return decode_json(Path(path).read_bytes(), kind)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def decode_json(text: bytes, kind: type[Kind]) -> Kind:
    """The value of that type in a JSON text.

    Raises
    ------
    InputError
        If the text is not JSON or not of that type; it names the field.

    >>> decode_json(b'{"workers": 2}', dict[str, int])
    {'workers': 2}
    """
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError as error:
        raise InputError(_fault(error, kind)) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise InputError(f"is not JSON: {error}") from None


def _fault(error: msgspec.ValidationError, kind: Any) -> str:
    """What msgspec says, with what would be right."""
    says, _, place = str(error).partition(" - at ")
    where = place and f", at {place.replace('`$.', '`')}"
    names = ", ".join(getattr(kind, "__struct_fields__", ()))
    if missing := re.fullmatch("Object missing required field `(.*)`", says):
        return f"the field {missing[1]!r} is missing{where}"
    if unknown := re.fullmatch("Object contains unknown field `(.*)`", says):
        return f"unknown field {unknown[1]!r}; known: {names}"
    if says.startswith("Expected `object`") and not place:
        return "expected a JSON object" + (f" with {names}" if names else "")
    start = "a field has the wrong type: " if says.startswith("Expected") else ""
    return f"{start}{says[:1].lower()}{says[1:]}{where}"
