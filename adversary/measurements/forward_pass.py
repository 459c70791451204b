"""ForwardPassMetrics: one record a rank and forward pass, as Dynamo and SGLang publish them.

JSON, one record a line, or msgpack, one after the other; bare, or inside the records of Dynamo's
trace, under ``fpm``.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import msgpack

from adversary.measurements.fields import LineError, Place, number, whole
from adversary.measurements.loads import LoadRecords, Meaning
from adversary.workloads.layouts.nested import MISSING, decoded, find, text
from adversary.workloads.layouts.rows import one_line
from theory.content import Content
from theory.model import InputError

VERSION = 1
FORMAT = "forward-pass-metrics"

# Where a field is, bare or in Dynamo's trace; flat as Dynamo's replay has it.
_INSIDE = ("", "fpm.")
_WITHIN = ("scheduled_requests.", "")

# Bytes of one record in msgpack; real ones have a few hundred.
_LARGEST = 2**20


class ForwardPasses:
    """Reads the records of one file or several."""

    def __init__(self) -> None:
        self._idle = self._sampled = 0
        self._workers: dict[str, dict[str, Place]] = {}
        self.loads, self.requests = 0.0, 0.0
        self._seen: Counter[str] = Counter()
        self._unnumbered = 0

    def record(self, place: Place, value: Any, into: LoadRecords) -> None:
        """Take one record.

        Raises
        ------
        LineError
            If it is none, or a field is missing or no number.
        """
        if not isinstance(value, dict):
            raise LineError(place, "is no ForwardPassMetrics record")
        version = _of(value, "version")
        if version not in (None, str(VERSION)):
            raise LineError(place, f"version = {version} is not known; known: {VERSION}")
        rank = str(whole(place, "dp_rank", _of(value, "dp_rank")))
        counter = _of(value, "counter_id")
        if counter is None:
            step = self._seen[rank]
            self._seen[rank] += 1
            self._unnumbered += 1
        else:
            step = whole(place, "counter_id", counter)
        wall = number(place, "wall_time", _of(value, "wall_time"))
        scheduled = {
            name: number(place, f"scheduled_requests.{name}", _of(value, name, _WITHIN))
            for name in ("sum_decode_kv_tokens", "num_decode_requests")
        }
        prefill = number(
            place, "sum_prefill_tokens", _of(value, "sum_prefill_tokens", _WITHIN) or "0"
        )
        if wall == 0 and not any(scheduled.values()) and not prefill:
            self._idle += 1
            return
        worker = _of(value, "worker_id") or ""
        others = self._workers.setdefault(rank, {})
        others.setdefault(worker, place)
        if len(others) > 1:
            raise InputError(
                f"{place}: worker_id = {worker}: another worker, {next(iter(others))}, has the "
                f"dp_rank {rank} as well; give one group of ranks that step together, as in: "
                f"jq -c 'select(.worker_id==\"{worker}\")'"
            )
        self._sampled += _of(value, "capture_mode", ("",), ("",)) == "sampled"
        self.loads += scheduled["sum_decode_kv_tokens"]
        self.requests += scheduled["num_decode_requests"]
        into.add(
            place,
            rank,
            step,
            scheduled["sum_decode_kv_tokens"],
            duration_s=wall if wall else float("nan"),
            requests=scheduled["num_decode_requests"],
            prefill=prefill,
        )

    def meaning(self) -> Meaning:
        """What the loads are."""
        return Meaning(FORMAT)

    def notes(self) -> list[str]:
        """What is to be known of the records that were read."""
        told = [
            "vLLM counts the tokens before the step, SGLang the query token as well, one a request "
            f"({100 * self.requests / (self.loads or 1):.2g} % of the load); the records do not "
            "say which it is"
        ]
        if self._idle:
            told.append(f"{self._idle} records of idle ranks (wall_time = 0) are left out")
        if self._unnumbered:
            told.append(
                "records have no counter_id: the k-th record of each rank is taken for the same "
                "step"
            )
        if self._sampled:
            told.append("the records are samples of all passes (capture_mode = sampled)")
        return told


def _of(
    value: Mapping[str, Any],
    name: str,
    within: tuple[str, ...] = ("",),
    inside: tuple[str, ...] = _INSIDE,
) -> str | None:
    for outer in inside:
        for inner in within:
            found = find(value, f"{outer}{inner}{name}")
            if found is not MISSING:
                return text(found)
    return None


def json_records(content: Content) -> Iterator[tuple[Place, Any]]:
    """The records of JSON text, one a line."""
    lines = content.lines()
    for line in lines:
        if not line.strip():
            continue
        place = Place(lines.name, lines.number)
        try:
            yield place, decoded(line)
        except ValueError:
            yield place, None


def msgpack_records(content: Content) -> Iterator[tuple[Place, Any]]:
    """The records of msgpack data, one after the other, counted from 1."""
    unpacker = msgpack.Unpacker(
        max_buffer_size=2 * _LARGEST, max_str_len=_LARGEST, max_map_len=1000, max_array_len=1000,
        strict_map_key=True,
    )  # fmt: skip
    count = fed = 0
    try:
        for piece in content.pieces():
            unpacker.feed(piece)
            fed += len(piece)
            for value in unpacker:
                count += 1
                yield Place(content.name, count, "record"), value
    except (msgpack.UnpackException, msgpack.BufferFull, ValueError, RecursionError) as error:
        raise InputError(
            f"{content.name}: record {count + 1}: is not msgpack: "
            f"{one_line(error) or 'damaged'}; cut the file there"
        ) from None
    if unpacker.tell() != fed:
        raise InputError(
            f"{content.name}: record {count + 1}: ends in the middle; cut the file there"
        )
