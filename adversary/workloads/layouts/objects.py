"""JSON: one object a line, objects one after the other, an array, or one object with all in it."""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any

from adversary.workloads.layouts.layout import Layout, Paths, recognised
from adversary.workloads.layouts.nested import (
    MISSING,
    decoded,
    find,
    list_or_text,
    members,
    names,
    opened,
    text,
)
from adversary.workloads.layouts.rows import Row, one_line
from theory.content import LONGEST, Lines, human
from theory.model import InputError

# Rows whose fields are taken for those of the file.
_PEEKED = 100

_NO_OBJECT = "is not a JSON object"


class Objects:
    """The requests in JSON text.

    Parameters
    ----------
    first : str
        Its first line that is not blank.
    lines : Lines
        The others.
    layouts : mapping of str to Layout
        Those that are known: some have many requests in one object.
    """

    def __init__(self, first: str, lines: Lines, layouts: Mapping[str, Layout]) -> None:
        self._name = lines.name
        self.notes: list[str] = []
        self._runs = 0
        tops = _values(first, lines)
        peeked = list(islice(tops, _PEEKED))
        objects = [value for _, value in peeked if isinstance(value, dict)]
        if not objects:
            raise InputError(
                f"{lines.name}: none of its first values is a JSON object; expected one object a "
                "line, with the fields of one request"
            )
        self.shape = next(
            (n for n, one in layouts.items() if any(_holds(o, one.within) for o in objects)), None
        )
        layout = None if self.shape is None else layouts[self.shape]
        if len(peeked) == 1 and layout is None and (key := _only_list(objects[0], layouts)):
            line = peeked[0][0]
            peeked = [(line, opened(entry)) for entry in opened(objects[0][key])]
            self.notes.append(f"its requests are those in its list {key!r}")
        requests = self._requests(chain(peeked, tops), layout)
        first_requests = list(islice(requests, _PEEKED))
        self._all = chain(first_requests, requests)
        found = (names(value) for _, value, _ in first_requests if isinstance(value, dict))
        self.names = list(dict.fromkeys(chain.from_iterable(found)))

    def _requests(
        self, tops: Iterator[tuple[int | None, Any]], layout: Layout | None
    ) -> Iterator[tuple[int | None, Any, str]]:
        """Lines, objects of requests, and the word for those that failed."""
        for line, value in tops:
            if layout is None or not isinstance(value, dict):
                yield line, value, ""
                continue
            for path, word in layout.within.items():
                for member in members(value, path):
                    request = opened(member)
                    if layout.prepared is not None and isinstance(request, dict):
                        request = layout.prepared(request)
                    yield line, request, word

    def read(self, wanted: Mapping[str, Paths], any_of: tuple[str, ...] = ()) -> Iterator[Row]:
        """Each row's values; see :class:`Rows`."""
        nothing = (None,) * len(wanted)
        for line, request, word in self._all:
            if not isinstance(request, dict):
                yield Row(line, nothing, _NO_OBJECT)
                continue
            values = [_first(request, paths) for paths in wanted.values()]
            prefill, decode, *_ = values
            if prefill is None and decode is None and _other(request, any_of):
                yield Row(line, nothing, None, is_request=False)
                continue
            if isinstance(prefill, list) and isinstance(decode, list):
                yield from self._columns(line, wanted, values)
                continue
            fault = f"a failed request ({word})" if word else None
            yield Row(line, tuple([v if isinstance(v, str) else text(v) for v in values]), fault)
        if self._runs > 1:
            self.notes.append(
                f"the file holds {self._runs} runs, read one after the other in its order"
            )

    def _columns(
        self, line: int | None, wanted: Mapping[str, Paths], values: list[Any]
    ) -> Iterator[Row]:
        """The rows of an object that has a list for each field."""
        self._runs += 1
        count = len(values[0])
        columns: list[list[Any]] = []
        for (key, paths), value in zip(wanted.items(), values, strict=True):
            entries = value if isinstance(value, list) else []
            if key in ("decode", "arrival") and len(entries) != count:
                raise InputError(
                    f"{self._name}: {paths[0]} has {len(entries)} entries, "
                    f"{wanted['prefill'][0]} has {count}: each request needs one; name other "
                    "fields with --prefill, --decode and --arrival"
                )
            columns.append(entries if len(entries) == count else [None] * count)
        for row in zip(*columns, strict=True):
            yield Row(line, tuple(map(text, row)))


def _first(request: dict[str, Any], paths: Paths) -> Any:
    """What the first path leads to that leads to anything: a list, or else a text."""
    for path in paths:
        value = list_or_text(find(request, path))
        if value is not None:
            return value
    return None


def _other(request: dict[str, Any], any_of: tuple[str, ...]) -> bool:
    """Whether it has no field that begins like those of requests."""
    return bool(any_of) and not any(name.startswith(any_of) for name in names(request))


def _holds(value: dict[str, Any], within: Mapping[str, str]) -> bool:
    return any(path.partition("[]")[0] in value for path in within)


def _only_list(value: dict[str, Any], layouts: Mapping[str, Layout]) -> str | None:
    """The one list of an object that has requests of a known layout in it; the object is none."""
    if recognised(layouts, names(value)):
        return None
    found = []
    for key, inside in value.items():
        entries = opened(inside)
        if isinstance(entries, list) and entries:
            first = opened(entries[0])
            if isinstance(first, dict) and recognised(layouts, names(first)):
                found.append(key)
    return found[0] if len(found) == 1 else None


def _values(first: str, lines: Lines) -> Iterator[tuple[int | None, Any]]:
    """The values of the text, with their lines if they have one each."""
    try:
        value = decoded(first)
    except ValueError:
        yield from _whole(first, lines)
        return
    yield from _entries(lines.number, value)
    for line in lines:
        if line.strip():
            yield from _line(lines.number, line)


def _line(number: int | None, line: str) -> Iterator[tuple[int | None, Any]]:
    try:
        value = decoded(line)
    except ValueError:
        yield number, MISSING
        return
    yield from _entries(number, value)


def _entries(line: int | None, value: Any) -> Iterator[tuple[int | None, Any]]:
    """The entries of an array, or the value itself."""
    for entry in value if isinstance(value, list) else (value,):
        yield line, opened(entry)


def _whole(first: str, lines: Lines) -> Iterator[tuple[int | None, Any]]:
    """The values of a text that has them over several lines."""
    start, parts, length = lines.number, [first], len(first)
    for line in lines:
        parts.append(line)
        length += len(line)
        if length > LONGEST:
            raise InputError(
                f"{lines.name}: line {start} is no JSON object, and as one JSON value the file is "
                f"larger than {human(LONGEST)}; write one request a line (jq -c '.[]')"
            )
    whole = "".join(parts)
    try:
        yield from _entries(None, decoded(whole))
        return
    except ValueError as error:
        fault = error
    decoder, space = json.JSONDecoder(), re.compile(r"\s*")
    try:
        value, at = decoder.raw_decode(whole, space.match(whole).end())  # type: ignore[union-attr]
    except (ValueError, RecursionError):
        # Its first line may be the damaged one of many.
        found = [
            entry
            for k, part in enumerate(parts)
            if part.strip()
            for entry in _line(start + k, part)
        ]
        if not any(isinstance(value, dict) for _, value in found):
            raise InputError(f"{lines.name}: is not JSON: {one_line(fault)}") from None
        yield from found
        return
    while True:
        yield from _entries(None, value)
        at = space.match(whole, at).end()  # type: ignore[union-attr]
        if at == len(whole):
            return
        try:
            value, at = decoder.raw_decode(whole, at)
        except (ValueError, RecursionError) as error:
            number = start + whole.count("\n", 0, at)
            raise InputError(
                f"{lines.name}: line {number}: a JSON object begins that is damaged: "
                f"{one_line(error)}; cut the file there"
            ) from None
