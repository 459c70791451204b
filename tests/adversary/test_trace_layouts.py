"""Layouts of traces: each on a sample of its own, and on what people have where that is at hand."""

import copy
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adversary.workloads.layouts.known import LAYOUTS
from adversary.workloads.traces import Reading, Trace, read_trace
from evenkeel.cli.main import main
from tests.adversary.trace_samples import (
    DECODE,
    PREFILL,
    SAMPLES,
    SECONDS,
    Keys,
    Record,
    csv_of,
    jsonl_of,
    otlp_of,
)
from theory.model import InputError

CASES = Path(
    os.environ.get("EVENKEEL_CASES", Path(__file__).resolve().parents[3] / "shared" / "cases")
)


def test_each_layout_has_a_sample():
    assert SAMPLES.keys() == LAYOUTS.keys()


def _write(folder: Path, text: str) -> Path:
    path = folder / "trace"
    path.write_text(text, "utf-8", newline="")
    return path


@pytest.mark.parametrize("name", SAMPLES)
def test_the_sample_is_read_as_it_was_made(tmp_path, name):
    sample = SAMPLES[name]
    trace = read_trace(_write(tmp_path, sample.written(sample.records)))
    assert trace.format == name
    assert (trace.rows, trace.bad_rows) == (3, 0)
    assert tuple(trace.requests.prefill) == PREFILL
    assert tuple(trace.requests.decode) == DECODE
    if sample.arrival:
        assert trace.requests.arrival == pytest.approx(SECONDS, abs=1e-9)
    assert trace.has_arrivals == bool(sample.arrival)
    assert trace.columns == {field: sample.name(field) for field in sample.fields}
    assert len(trace.notes) == len(sample.notes)
    assert all(
        note.startswith(start) for note, start in zip(trace.notes, sample.notes, strict=True)
    )


@pytest.mark.parametrize("name", [name for name, sample in SAMPLES.items() if sample.failed])
def test_failed_requests_are_named(tmp_path, name):
    sample = SAMPLES[name]
    first, second, third = sample.records
    path = _write(tmp_path, sample.written([first, sample.failed(second), third]))
    with pytest.raises(InputError, match=r"data row \d.* a failed request.* --drop-bad drops such"):
        read_trace(path)
    trace = read_trace(path, Reading(drop_bad=True))
    assert (trace.rows, trace.bad_rows) == (3, 1)
    assert trace.requests.prefill.tolist() == [PREFILL[0], PREFILL[2]]
    if sample.arrival:
        assert trace.requests.arrival == pytest.approx([0, 4], abs=1e-9)


# --- Every field of every layout, with every kind of wrong value --------------------------------

MISSING = "<no such key>"
WRONG: dict[str, Any] = {
    "missing": MISSING,
    "null": None,
    "empty": "",
    "word": "many",
    "list": [1],
    "object": {"a": 1},
    "truth": True,
    "zero": 0,
    "negative": -5,
    "huge": 10**30,
    "fraction": 1.5,
    "NaN": float("nan"),
    "infinite": float("inf"),
}


def _changed(records: list[Record], keys: Keys, value: Any) -> list[Record]:
    """The records with another value in the second."""
    changed = copy.deepcopy(records)
    inside = changed[1]
    for key in keys[:-1]:
        inside = inside[key]
    if value is MISSING:
        del inside[keys[-1]]
    else:
        inside[keys[-1]] = value
    return changed


def _refused(path: Path, name: str, field: str) -> bool:
    """Whether it is refused, with file, row, field and what would help; else it is a clean read."""
    sample = SAMPLES[name]
    try:
        trace = read_trace(path)
    except InputError as error:
        says = str(error)
        assert says.startswith(f"{path}: ")
        assert len(says.splitlines()) == 1
        assert says.isprintable()
        assert sample.name(field) in says or "a failed request" in says
        assert "--prefill" in says
        # In lists of columns an entry that lacks leaves no row to name.
        assert "data row 2" in says or "entries" in says
        if "data row 2" in says:
            assert "1 of 3 rows cannot be used" in says
            assert "--drop-bad drops such rows and reads the other 2" in says
            assert read_trace(path, Reading(drop_bad=True)).rows == 3
        return True
    assert (trace.rows, trace.bad_rows, trace.format) == (3, 0, name)
    kept = trace.requests.prefill.tolist() if field != "prefill" else trace.requests.decode.tolist()
    assert sorted(kept) == sorted(PREFILL if field != "prefill" else DECODE)
    assert trace.requests.prefill.min() >= 1
    assert trace.requests.decode.min() >= 1
    if trace.has_arrivals:
        assert np.isfinite(trace.requests.arrival).all()
        assert (np.diff(trace.requests.arrival) >= 0).all()
    return False


FIELDS = [(name, field) for name, sample in SAMPLES.items() for field in sample.fields]


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_a_wrong_value_is_refused_by_name(tmp_path, name, field):
    sample = SAMPLES[name]
    for kind, value in WRONG.items():
        path = _write(
            tmp_path, sample.written(_changed(sample.records, sample.fields[field], value))
        )
        refused = _refused(path, name, field)
        could_be_a_time = field == "arrival" and kind in ("zero", "negative", "fraction")
        assert refused or (could_be_a_time and name != "azure")  # whose times are dates


_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
    st.text("0123456789.,-+eE: TZ", max_size=12),
)
VALUES = st.one_of(
    _SCALARS, st.lists(_SCALARS, max_size=2), st.dictionaries(st.text("ab."), _SCALARS)
)


@given(st.sampled_from(FIELDS), st.one_of(st.just(MISSING), VALUES))
@example(("columns", "arrival"), "1,234")
@example(("vllm-bench", "prefill"), [1, 2, 3])
@example(("azure-2025", "prefill"), "\x1e")  # ends a line
@example(("azure-2025", "prefill"), "\x1b[2J")
def test_any_value_is_read_or_refused_by_name(tmp_path_factory, where, value):
    name, field = where
    sample = SAMPLES[name]
    text = sample.written(_changed(sample.records, sample.fields[field], value))
    _refused(_write(tmp_path_factory.getbasetemp(), text), name, field)


@pytest.mark.parametrize(("name", "field"), [pair for pair in FIELDS if pair[1] != "arrival"])
def test_a_refusal_is_exit_code_2(tmp_path, monkeypatch, capsys, name, field):
    sample = SAMPLES[name]
    path = _write(tmp_path, sample.written(_changed(sample.records, sample.fields[field], "many")))
    monkeypatch.setattr("sys.argv", ["evenkeel", "simulate", "--trace", str(path)])
    with pytest.raises(SystemExit) as stopped:
        main()
    out, err = capsys.readouterr()
    assert (stopped.value.code, out) == (2, "")
    assert err.startswith(f"error: {path}: data row 2")
    assert f"{sample.name(field)} = many is not a number" in err
    assert "--drop-bad" in err


# --- What one tool writes in more than one way --------------------------------------------------


def test_mooncake_fields_with_fractions_are_seconds(tmp_path):
    records = [{"timestamp": t, "input_length": 5, "output_length": 2} for t in (0, 1.5, 61.114)]
    trace = read_trace(_write(tmp_path, jsonl_of(records)))
    assert (trace.format, trace.duration_s) == ("mooncake", pytest.approx(61.114))
    assert trace.notes == (
        "timestamp is read as seconds, as some are not whole (1.5); whole ones would be "
        "milliseconds; --arrival-unit says otherwise",
    )
    asked = read_trace(_write(tmp_path, jsonl_of(records)), Reading(arrival_unit="ms"))
    assert (asked.duration_s, asked.notes) == (pytest.approx(0.061114), ())


def _otel(**attributes: Any) -> Record:
    usage = {"gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 2}
    return {"name": "s", "startTimeUnixNano": 10**18, "attributes": usage | attributes}


def test_spans_that_are_no_requests_are_skipped(tmp_path):
    spans = [
        _otel(),
        {"name": "GET", "startTimeUnixNano": 10**18, "attributes": {"http.method": "GET"}},
        _otel(**{"gen_ai.operation.name": "invoke_agent"}),
        _otel(**{"gen_ai.operation.name": "chat"}),
    ]
    for text in (jsonl_of(spans), otlp_of(spans)):
        trace = read_trace(_write(tmp_path, text))
        assert (trace.rows, len(trace.requests)) == (2, 2)
        assert "2 rows are no requests to a model, and were not read" in trace.notes
    with pytest.raises(InputError, match="none of its 1 rows is a request to a model"):
        read_trace(_write(tmp_path, jsonl_of(spans[2:3])))


@pytest.mark.parametrize(
    "span",
    [
        {"start_time": "2025-10-07T05:00:07.5Z", "attributes": {"gen_ai.usage.prompt_tokens": 5,
         "gen_ai.usage.completion_tokens": 2}, "status": {"status_code": "UNSET"}},
        {"start_time_unix_nano": "1759813207532900363", "attributes": [
            {"key": "llm.usage.prompt_tokens", "value": {"intValue": 5}},
            {"key": "llm.usage.completion_tokens", "value": {"doubleValue": 2.0}}]},
        {"gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": "2", "startTime": 1.7e9},
    ],
)  # fmt: skip
def test_spans_as_others_write_them(tmp_path, span):
    for indent in (None, 4):  # the console's too, which are objects one after the other
        text = f"{json.dumps(span, indent=indent)}\n" * 2
        trace = read_trace(_write(tmp_path, text))
        assert trace.format == "otel-spans"
        assert trace.requests.prefill.tolist() == [5, 5]
        assert trace.requests.decode.tolist() == [2, 2]
        assert trace.duration_s == 0


def test_attributes_can_be_named_without_where_they_are(tmp_path):
    spans = [_otel(**{"my.in": 6, "my.out": 3})]
    for text in (jsonl_of(spans), otlp_of(spans)):
        for start in ("", "attributes."):
            reading = Reading(prefill=f"{start}my.in", decode=f"{start}my.out")
            requests = read_trace(_write(tmp_path, text), reading).requests
            assert (requests.prefill.tolist(), requests.decode.tolist()) == ([6], [3])


def test_warm_up_is_no_part_of_an_aiperf_run(tmp_path):
    records = copy.deepcopy(SAMPLES["aiperf"].records)
    records[0]["metadata"]["benchmark_phase"] = "warmup"
    trace = read_trace(_write(tmp_path, jsonl_of(records)))
    assert (trace.rows, trace.duration_s) == (2, pytest.approx(2.5))


def test_runs_that_were_appended(tmp_path):
    sample = SAMPLES["vllm-bench"]
    one = sample.written(sample.records)
    trace = read_trace(_write(tmp_path, f"{one}\n{one}\n"))
    assert trace.rows == 6
    assert "the file holds 2 runs, read one after the other in its order" in trace.notes


def test_a_result_over_many_lines(tmp_path):
    sample = SAMPLES["vllm-bench"]
    text = json.dumps(json.loads(sample.written(sample.records)), indent=2)
    assert read_trace(_write(tmp_path, text)).requests.prefill.tolist() == list(PREFILL)


def test_a_genai_perf_export_without_usage(tmp_path):
    sample = SAMPLES["genai-perf"]
    text = sample.written(sample.records).replace("usage", "use")
    with pytest.raises(
        InputError, match=r"no field 'usage.prompt_tokens'.*stream_options.include_"
    ):
        read_trace(_write(tmp_path, text))


def test_an_older_guidellm_report(tmp_path):
    requests = [{"prompt_tokens": 5, "output_tokens": 2, "start_time": 1.7e9 + i} for i in range(3)]
    text = json.dumps({"benchmarks": [{"requests": {"completed": requests}}]})
    assert read_trace(_write(tmp_path, text)).duration_s == pytest.approx(2)


def test_spans_as_tempo_answers_them(tmp_path):
    sample = SAMPLES["otlp"]
    text = otlp_of(sample.records)
    plain = read_trace(_write(tmp_path, text))
    for old, new in (("resourceSpans", "batches"), ("scopeSpans", "instrumentationLibrarySpans")):
        text = text.replace(old, new)
        found = read_trace(_write(tmp_path, text))
        assert found.format == "otlp"
        assert found.requests.prefill.tolist() == plain.requests.prefill.tolist()
        assert found.requests.arrival.tolist() == plain.requests.arrival.tolist()


def test_a_table_of_burstgpt_as_excel_saves_it(tmp_path):
    sample = SAMPLES["burstgpt"]
    records = [
        record | {"Timestamp": str(record["Timestamp"]).replace(".", ",")}
        for record in sample.records
    ]
    path = tmp_path / "trace"
    for text in (f"sep=;\r\n{csv_of(records, ';')}", csv_of(records, "\t")):
        for encoding in ("utf-8-sig", "utf-16"):
            path.write_bytes(text.encode(encoding))
            trace = read_trace(path)
            assert trace.format == "burstgpt"
            assert trace.requests.arrival.tolist() == list(SECONDS)


# --- Files as people have them ------------------------------------------------------------------


def _case(name: str, *, drop_bad: bool = False) -> Trace:
    path = CASES / "traces" / name
    if not path.is_file():
        pytest.skip(f"no {path}: set EVENKEEL_CASES to the folder that holds the cases")
    if drop_bad:
        with pytest.raises(InputError, match=r"data row \d+ \(line \d+\).* --drop-bad drops such"):
            read_trace(path)
    return read_trace(path, Reading(drop_bad=drop_bad))


@pytest.mark.parametrize(
    ("name", "layout", "rows", "prefill", "decode", "duration_s"),
    [
        ("burstgpt.csv", "burstgpt", 981, 728_390, 164_298, 320.85),
        ("bailian-seconds.jsonl", "qwen-bailian", 400, 286_244, 72_438, 3323.05),
        ("vllm-bench.json", "vllm-bench", 64, 50_415, 9_611, 6.3),
        ("vllm-bench-indented.json", "vllm-bench", 64, 50_415, 9_611, None),
        ("otel-spans.jsonl", "otel-spans", 120, 77_695, None, 13.75),
        ("otlp.jsonl", "otlp", 120, 77_695, None, 13.75),
        ("excel-sep-line.csv", "azure", 300, None, None, 99.53),
        ("excel-utf16.csv", "azure", 300, None, None, 94.98),
        ("eight-of-64k.jsonl", "columns", 8, 8 * 65_536, 8 * 256, None),
        ("twenty.jsonl", "columns", 20, None, None, None),
        ("sequential.csv", "columns", 448, None, None, 447 * 30),
    ],
)
def test_cases(name, layout, rows, prefill, decode, duration_s):
    """The right values come with the cases."""
    trace = _case(name)
    assert (trace.format, trace.rows, trace.bad_rows) == (layout, rows, 0)
    if prefill is not None:
        assert trace.requests.prefill.sum() == prefill
    if decode is not None:
        assert trace.requests.decode.sum() == decode
    assert trace.duration_s == (
        None if duration_s is None else pytest.approx(duration_s, abs=0.006)
    )


@pytest.mark.parametrize(
    ("name", "rows", "dropped"),
    [("burstgpt-with-failures.csv", 981, 19), ("aiperf-export.jsonl", 59, 1)],
)
def test_cases_with_failures(name, rows, dropped):
    trace = _case(name, drop_bad=True)
    assert (len(trace.requests), trace.bad_rows) == (rows, dropped)
    assert "failed request" in trace.first_bad.reason
