"""Values inside JSON objects, by dotted paths; each level is decoded only when it is asked for."""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec

# What an object holds until it is looked into; and what no path leads to.
MISSING = object()

# Python's own reader, which takes NaN, needs ten times the memory of the text.
_MOST_BY_PYTHON = 2**26

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_ANY_VALUE = ("intValue", "doubleValue", "stringValue", "boolValue")

# Levels and names that are told; more is no request trace, and no message that could be read.
_DEEPEST, _MOST_NAMES = 8, 200


def decoded(text: str | msgspec.Raw) -> Any:
    """A JSON value with its first level decoded: a dict, a list, or what is neither.

    NaN and infinities are taken, as Python writes them.

    Raises
    ------
    ValueError
        If the text is not one JSON value.
    """
    start = text.lstrip()[:1] if isinstance(text, str) else chr(memoryview(text)[0])
    try:
        if start == "{":
            return _OBJECT.decode(text)
        if start == "[":
            return _LIST.decode(text)
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        if len(bytes(text) if isinstance(text, msgspec.Raw) else text) > _MOST_BY_PYTHON:
            raise ValueError(str(error)) from None
    try:
        return json.loads(text if isinstance(text, str) else bytes(text), parse_int=_whole)
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def _whole(digits: str) -> int | float:
    """An integer, or infinity where it has more digits than Python reads."""
    return int(digits) if len(digits) <= 400 else float(digits)


def opened(value: Any) -> Any:
    """The value with its first level decoded; a list of attributes as a dict.

    OpenTelemetry's JSON has attributes as ``[{"key": k, "value": {"intValue": "3"}}, ...]``.
    """
    if isinstance(value, msgspec.Raw):
        value = decoded(value)
    if isinstance(value, list) and value:
        first = decoded(value[0]) if isinstance(value[0], msgspec.Raw) else value[0]
        if isinstance(first, dict) and first.keys() == {"key", "value"}:
            return dict(map(_attribute, value))
    return value


def _attribute(entry: Any) -> tuple[str, Any]:
    pair = opened(entry)
    if not isinstance(pair, dict):
        return "", MISSING
    value = opened(pair.get("value", MISSING))
    if isinstance(value, dict):
        value = next((value[kind] for kind in _ANY_VALUE if kind in value), MISSING)
    return text(pair.get("key", "")) or "", value


@lru_cache(maxsize=1024)
def _ways(path: str) -> tuple[tuple[str, str], ...]:
    """The ways to take a key off a path and leave a rest: the longest key first."""
    dots = [at for at, char in enumerate(path) if char == "."]
    return ((path, ""), *((path[:at], path[at + 1 :]) for at in reversed(dots) if at))


def find(value: Any, path: str) -> Any:
    """The value at a dotted path, or :data:`MISSING`; a key is taken as long as it can be.

    >>> text(find({"a": {"b.c": 3, "b": {"d": 4}}}, "a.b.c"))
    '3'
    >>> find({"a": 1}, "a.b") is MISSING
    True
    """
    inside = value if type(value) is dict else opened(value)
    if not isinstance(inside, dict):
        return MISSING
    for key, rest in _ways(path):
        if key in inside:
            if not rest:
                return inside[key]
            inside[key] = deeper = opened(inside[key])  # the next path needs it too
            found = find(deeper, rest)
            if found is not MISSING:
                return found
    return MISSING


def text(value: Any) -> str | None:
    """A value as people write it; None for null and for what is not there."""
    if value is MISSING or value is None:
        return None
    if isinstance(value, msgspec.Raw):
        plain = str(value, "utf-8", "replace")
        if not plain.startswith('"'):
            return None if plain == "null" else plain
        try:
            return str(msgspec.json.decode(value))
        except msgspec.DecodeError:  # it was skipped so far, not read
            return plain
    return value if isinstance(value, str) else json.dumps(_unpacked(value))


def list_or_text(value: Any) -> list[Any] | str | None:
    """A list with its first level decoded; all else as text, an error by its type or message."""
    if value is MISSING or value is None:
        return None
    if isinstance(value, msgspec.Raw):
        start = memoryview(value)[0]
        if start in b"[{":
            value = decoded(value)
    if isinstance(value, dict):
        kind = value.get("type", value.get("message", MISSING))
        return text(value if kind is MISSING else kind)
    return value if isinstance(value, list) else text(value)


def _unpacked(value: Any) -> Any:
    """The value without undecoded parts."""
    if isinstance(value, msgspec.Raw):
        return json.loads(bytes(value))
    if isinstance(value, dict):
        return {key: _unpacked(entry) for key, entry in value.items() if entry is not MISSING}
    return [_unpacked(entry) for entry in value] if isinstance(value, list) else value


def names(record: Mapping[str, Any], prefix: str = "", depth: int = 0) -> list[str]:
    """Paths of the values in an object, nested ones dotted.

    >>> names({"id": 7, "usage": {"in": 3, "out": 4}})
    ['id', 'usage.in', 'usage.out']
    """
    found: list[str] = []
    for key, value in record.items():
        inside = opened(value) if depth < _DEEPEST else None
        if isinstance(inside, dict) and inside:
            found += names(inside, f"{prefix}{key}.", depth + 1)
        else:
            found.append(prefix + key)
        if len(found) > _MOST_NAMES:
            break
    return found


def members(value: Any, path: str) -> Iterator[Any]:
    """The entries of lists in lists: ``"runs[].requests[]"`` is every request of every run."""
    key, _, rest = path.partition("[]")
    entries = opened(find(value, key.strip(".")))
    for entry in entries if isinstance(entries, list) else ():
        if rest:
            yield from members(entry, rest)
        else:
            yield entry
