"""A made-up trace in each known layout: three requests of known lengths at known times.

Its records can be changed, field by field, before they are written.
"""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]

PREFILL, DECODE, SECONDS = (7, 5, 9), (3, 1, 4), (0.0, 1.5, 4.0)

EPOCH_NS = 1_759_813_207_532_900_363  # 2025-10-07 05:00:07.532900363 UTC

Keys = tuple[str, ...]


@dataclass(frozen=True)
class Sample:
    """A layout's sample.

    Parameters
    ----------
    records : list of dict
        One a request.
    written : callable
        The file that holds them.
    prefill, decode, arrival : tuple of str
        The keys that lead to each value in a record; none to ``arrival`` if there are no times.
    told : dict
        What errors call these values, where it is not the keys with dots between them.
    notes : tuple of str
        What the reader notes of it.
    failed : callable, optional
        Makes a record that of a failed request.
    """

    records: list[Record]
    written: Callable[[list[Record]], str]
    prefill: Keys
    decode: Keys
    arrival: Keys = ()
    told: dict[str, str] | None = None
    notes: tuple[str, ...] = ()
    failed: Callable[[Record], Record] | None = None

    @property
    def fields(self) -> dict[str, Keys]:
        """The keys of each value."""
        found = {"prefill": self.prefill, "decode": self.decode, "arrival": self.arrival}
        return {key: keys for key, keys in found.items() if keys}

    def name(self, field: str) -> str:
        """What errors call a field."""
        return (self.told or {}).get(field, ".".join(self.fields[field]))


def csv_of(records: list[Record], delimiter: str = ",") -> str:
    """A table of the records: the columns of the first."""
    columns = list(records[0] | records[-1])
    text = io.StringIO()
    # Its line ends are what csv quotes in a cell; before Python 3.13 no others.
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(columns)
    writer.writerows([[record.get(column, "") for column in columns] for record in records])
    return text.getvalue()


def jsonl_of(records: list[Record]) -> str:
    """One object a line."""
    return "".join(f"{json.dumps(record)}\n" for record in records)


def _table(*columns: str, **others: Any) -> list[Record]:
    """Records with these columns for prefill, decode and the seconds, and others."""
    values = zip(PREFILL, DECODE, SECONDS, strict=True)
    return [others | dict(zip(columns, row, strict=False)) for row in values]


def _failed_at_zero(column: str) -> Callable[[Record], Record]:
    return lambda record: record | {column: 0}


def _lists(**others: Any) -> Callable[[list[Record]], str]:
    """One result with a list for each field."""

    def written(records: list[Record]) -> str:
        keys = dict.fromkeys(key for record in records for key in record)
        lists = {key: [record[key] for record in records if key in record] for key in keys}
        return json.dumps(others | lists)

    return written


def _aiperf() -> list[Record]:
    return [
        {
            "metadata": {
                "session_num": i,
                "request_start_ns": EPOCH_NS + round(t * 1e9),
                "benchmark_phase": "profiling",
                "was_cancelled": False,
            },
            "metrics": {
                "input_sequence_length": {"value": s, "unit": "tokens"},
                "inter_chunk_latency": {"value": [5.1, 4.9], "unit": "ms"},
                "output_sequence_length": {"value": o, "unit": "tokens"},
            },
            "error": None,
        }
        for i, (s, o, t) in enumerate(zip(PREFILL, DECODE, SECONDS, strict=True))
    ]


def _aiperf_failed(record: Record) -> Record:
    error = {"code": 499, "type": "RequestCancellationError", "message": "cancelled"}
    return record | {"metrics": {"error_isl": {"value": 5, "unit": "tokens"}}, "error": error}


def _genai_perf(records: list[Record]) -> str:
    """The usage is in the last event but one of a stream of them."""
    requests = [
        {
            **({"timestamp": record["timestamp"]} if "timestamp" in record else {}),
            "request_inputs": {"payload": "..."},
            "response_timestamps": [1, 2],
            "response_outputs": [
                {"response": 'data: {"choices": [{"delta": {"content": "a"}}]}\n\n'},
                {"response": f"data: {json.dumps({'usage': record['usage']})}\n\ndata: [DONE]\n\n"},
            ],
        }
        for record in records
    ]
    experiment = {"experiment": {"mode": "concurrency", "value": 1}, "requests": requests}
    return json.dumps({"service_kind": "openai", "experiments": [experiment]}, indent=2)


def _usage() -> list[Record]:
    return [
        {
            "timestamp": EPOCH_NS + round(t * 1e9),
            "usage": {"prompt_tokens": s, "completion_tokens": o, "total_tokens": s + o},
        }
        for s, o, t in zip(PREFILL, DECODE, SECONDS, strict=True)
    ]


def _guidellm(records: list[Record]) -> str:
    statuses: dict[str, list[Record]] = {"successful": [], "errored": [], "incomplete": []}
    for record in records:
        statuses[record.get("status", "successful")].append(record)
    report = {"metadata": {"version": 2}, "benchmarks": [{"requests": {**statuses, "total": None}}]}
    return json.dumps(report)


def _spans() -> list[Record]:
    return [
        {
            "name": "chat m",
            "startTimeUnixNano": EPOCH_NS + round(t * 1e9),
            "status": {"code": 0},
            "attributes": {
                "gen_ai.operation.name": "chat",
                "gen_ai.usage.input_tokens": s,
                "gen_ai.usage.output_tokens": o,
            },
        }
        for s, o, t in zip(PREFILL, DECODE, SECONDS, strict=True)
    ]


def otlp_of(records: list[Record]) -> str:
    """The first span in a line of its own, the others together in the next."""

    def attribute(key: str, value: Any) -> Record:
        kind = "intValue" if isinstance(value, int) else "stringValue"
        return {"key": key, "value": {kind: str(value) if isinstance(value, int) else value}}

    def span(record: Record) -> Record:
        attributes = [attribute(*pair) for pair in record["attributes"].items()]
        return record | {"attributes": attributes}

    def line(some: list[Record]) -> str:
        return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [*map(span, some)]}]}]})

    return f"{line(records[:1])}\n{line(records[1:])}\n"


def _span_failed(record: Record) -> Record:
    attributes = {"gen_ai.operation.name": "chat", "error.type": "timeout"}
    return record | {"attributes": attributes, "status": {"code": 2}}


_AZURE = ("ContextTokens", "GeneratedTokens", "TIMESTAMP")
_HASHES = ("input_length", "output_length", "timestamp")
_TIMES = ("2024-05-10 00:00:00+00:00", "2024-05-10 00:00:01.500000+00:00", "2024-05-10 00:00:04")
_SPAN_FIELDS: dict[str, Any] = {
    "prefill": ("attributes", "gen_ai.usage.input_tokens"),
    "decode": ("attributes", "gen_ai.usage.output_tokens"),
    "arrival": ("startTimeUnixNano",),
    "failed": _span_failed,
}


def _columns(written: Callable[..., str], *columns: str, **others: Any) -> Sample:
    """The sample of a flat layout."""
    keys = [(column,) for column in columns]
    kept = {key: others.pop(key) for key in ("notes", "failed") if key in others}
    return Sample(_table(*columns, **others), written, *keys, **kept)


SAMPLES: dict[str, Sample] = {
    "azure-2025": _columns(csv_of, *_AZURE, NumImages=1),
    "azure": Sample(
        [row | {"TIMESTAMP": time} for row, time in zip(_table(*_AZURE), _TIMES, strict=True)],
        csv_of,
        *((column,) for column in _AZURE),
    ),
    "qwen-bailian": _columns(
        jsonl_of,
        *_HASHES,
        chat_id=1,
        hash_ids=[1, 2],
        notes=("timestamp is read as seconds: Qwen-Bailian counts seconds",),
    ),
    "mooncake": Sample(
        [
            {"timestamp": int(1000 * t), "input_length": s, "output_length": o, "hash_ids": [1]}
            for s, o, t in zip(PREFILL, DECODE, SECONDS, strict=True)
        ],
        jsonl_of,
        *((column,) for column in _HASHES),
        notes=("timestamp is read as milliseconds, as all are whole",),
    ),
    "burstgpt": _columns(
        csv_of,
        *("Request tokens", "Response tokens", "Timestamp"),
        Model="GPT-4",
        failed=_failed_at_zero("Response tokens"),
    ),
    "vidur": _columns(csv_of, "num_prefill_tokens", "num_decode_tokens", "arrived_at"),
    "vidur-metrics": _columns(csv_of, "request_num_prefill_tokens", "request_num_decode_tokens"),
    "splitwise-sim": _columns(
        csv_of, "prompt_size", "token_size", "arrival_timestamp", batch_size=1
    ),
    "servegen-offline": _columns(
        jsonl_of, "input_length", "output_length", request_id=1, type="text", duration=14000
    ),
    "servegen": Sample(
        [
            {"request_id": 1, "timestamp": t, "data": {"input_tokens": s, "output_tokens": o}}
            for s, o, t in zip(PREFILL, DECODE, SECONDS, strict=True)
        ],
        jsonl_of,
        ("data", "input_tokens"),
        ("data", "output_tokens"),
        ("timestamp",),
    ),
    "sglang-bench": _columns(
        _lists(backend="sglang", total_output_tokens_retokenized=8, mean_ttft_ms=1.5),
        *("input_lens", "output_lens"),
        errors="",
        failed=lambda record: record | {"output_lens": 0, "errors": "Bad Gateway"},
    ),
    "vllm-bench": _columns(
        _lists(backend="vllm", request_rate="inf", itls=[[0.1], [], [0.2]]),
        *("input_lens", "output_lens", "start_times"),
        errors="",
        failed=lambda record: record | {"output_lens": 0, "errors": "Bad Gateway"},
    ),
    "aiperf": Sample(
        _aiperf(),
        jsonl_of,
        ("metrics", "input_sequence_length", "value"),
        ("metrics", "output_sequence_length", "value"),
        ("metadata", "request_start_ns"),
        failed=_aiperf_failed,
    ),
    "genai-perf": Sample(
        _usage(),
        _genai_perf,
        ("usage", "prompt_tokens"),
        ("usage", "completion_tokens"),
        ("timestamp",),
    ),
    "guidellm": _columns(
        _guidellm,
        *("prompt_tokens", "output_tokens", "request_start_time"),
        failed=lambda record: record | {"status": "errored"},
    ),
    "otlp": Sample(_spans(), otlp_of, **_SPAN_FIELDS),
    "otel-spans": Sample(_spans(), jsonl_of, **_SPAN_FIELDS),
    "columns": _columns(csv_of, "prefill", "decode", "arrival"),
}
