"""Readers: the published traces exactly, every kind of bad file in one clear line."""

import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adversary.workloads.families import SIZE_LIMIT
from adversary.workloads.sample_trace import SAMPLE_TRACE, sample_trace_csv
from adversary.workloads.traces import read_trace
from theory.model import InputError


@pytest.mark.parametrize(
    ("file", "named", "layout", "rows", "first", "duration_s"),
    [
        (
            "azure-2023-conv/AzureLLMInferenceTrace_conv.csv.gz",
            {},
            "azure",
            19366,
            (374, 44),
            3501.721937,
        ),
        (
            "azure-2023-code/AzureLLMInferenceTrace_code.csv.gz",
            {},
            "azure",
            8819,
            (4808, 10),
            3435.948056,
        ),
        (
            "mooncake-conversation/conversation_trace.jsonl.gz",
            {},
            "mooncake",
            12031,
            (6758, 500),
            3536.999,
        ),
        ("mooncake-synthetic/synthetic_trace.jsonl.gz", {}, "mooncake", 3993, None, 1022.025),
        (
            "vidur-arxiv-summarization/arxiv_summarization_stats_llama2_tokenizer_filtered_v2"
            ".first20000.csv.gz",
            {"prefill": "num_prefill_tokens", "decode": "num_decode_tokens"},
            "columns",
            20000,
            (3772, 54),
            None,
        ),
    ],
)
def test_published_traces(traces, file, named, layout, rows, first, duration_s):
    trace = read_trace(traces / file, **named)
    # Row counts are those of the traces' own descriptions.
    assert (trace.format, trace.rows, trace.bad_rows, trace.first_bad) == (layout, rows, 0, None)
    assert len(trace.requests) == rows
    if first:
        assert (trace.requests.prefill[0], trace.requests.decode[0]) == first
    assert trace.has_arrivals == (duration_s is not None)
    assert trace.duration_s == (None if duration_s is None else pytest.approx(duration_s, abs=1e-6))


def test_azure_times_keep_seven_decimals(traces):
    trace = read_trace(traces / "azure-2023-conv/AzureLLMInferenceTrace_conv.csv.gz")
    # 18:15:46.6805900 and 18:15:50.9951690 are the first two timestamps of the file.
    assert trace.requests.arrival[1] == pytest.approx(4.3145790, abs=1e-9)


def test_coarse_arrivals_are_noted(traces):
    trace = read_trace(traces / "mooncake-conversation/conversation_trace.jsonl.gz")
    assert len(trace.notes) == 1
    assert "90% of the requests arrive together with the one before, the rest 3 s" in trace.notes[0]


def test_sample_trace_is_its_function():
    assert SAMPLE_TRACE.read_bytes() == sample_trace_csv().encode()
    trace = read_trace(SAMPLE_TRACE)
    assert (trace.format, trace.rows, trace.bad_rows, trace.notes) == ("columns", 3000, 0, ())


ROWS = [(10 + i, 1 + i % 5, i / 4) for i in range(300)]
CSV = "prefill,decode,arrival\n" + "".join(f"{s},{o},{t}\n" for s, o, t in ROWS)


def _write(folder: Path, content: bytes | str, name: str = "trace") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _jsonl() -> str:
    return "".join(f'{{"prefill": {s}, "decode": {o}, "arrival": {t}}}\n' for s, o, t in ROWS)


def _parquet(folder: Path) -> bytes:
    frame = pl.DataFrame(ROWS, schema=["prefill", "decode", "arrival"], orient="row")
    frame.write_parquet(folder / "rows.parquet")
    return (folder / "rows.parquet").read_bytes()


def test_every_container_reads_the_same(tmp_path):
    contents = {
        "csv": CSV,
        "crlf": CSV.replace("\n", "\r\n"),
        "cr": CSV.replace("\n", "\r"),
        "bom": b"\xef\xbb\xbf" + CSV.encode(),
        "semicolon": CSV.replace(",", ";"),
        "tab": CSV.replace(",", "\t"),
        "blank lines": CSV.replace("\n", "\n\n"),
        "spaces": CSV.replace(",", " , "),
        "quoted": CSV.replace("prefill", '"prefill"'),
        "no last newline": CSV.rstrip(),
        "jsonl": _jsonl(),
        "parquet": _parquet(tmp_path),
    }
    plain = {k: v.encode() if isinstance(v, str) else v for k, v in contents.items()}
    for name, content in plain.items():
        for data in (content, gzip.compress(content)):
            trace = read_trace(_write(tmp_path, data))
            assert trace.rows == 300, name
            assert trace.requests.prefill.tolist() == [s for s, _, _ in ROWS], name
            assert trace.requests.decode.tolist() == [o for _, o, _ in ROWS], name
            assert trace.requests.arrival.tolist() == [t for _, _, t in ROWS], name


def test_rows_out_of_order_are_sorted_stably(tmp_path):
    path = _write(tmp_path, "prefill,decode,arrival\n1,1,7\n2,1,5\n3,1,7\n4,1,5\n")
    trace = read_trace(path)
    assert trace.requests.prefill.tolist() == [2, 4, 1, 3]
    assert trace.requests.arrival.tolist() == [0, 0, 2, 2]
    assert trace.notes[0] == "rows were not in order of arrival: sorted by it"


@pytest.mark.parametrize(
    "times",
    [
        ("2024-05-10 00:00:00.009930+00:00", "2024-05-10 02:00:01.509930+02:00"),
        ("2024-05-10T00:00:00Z", "2024-05-10T00:00:01.5Z"),
        ("2024-05-10 00:00:00", "2024-05-10 00:00:01.5000000"),
        ("1715299200", "1715299201.5"),
    ],
)
def test_kinds_of_time(tmp_path, times):
    text = f"prefill,decode,arrival\n3,4,{times[0]}\n5,6,{times[1]}\n"
    arrival = read_trace(_write(tmp_path, text)).requests.arrival
    assert arrival.tolist() == [0, pytest.approx(1.5, abs=1e-6)]


def test_named_and_nested_columns(tmp_path):
    path = _write(
        tmp_path,
        '{"usage": {"in": 3, "out": 4}, "at": 2}\n{"usage": {"in": 5, "out": 6}, "at": 4}\n',
    )
    trace = read_trace(path, prefill="usage.in", decode="usage.out", arrival="at")
    assert trace.requests.prefill.tolist() == [3, 5]
    assert trace.requests.decode.tolist() == [4, 6]
    assert trace.requests.arrival.tolist() == [0, 2]
    assert trace.columns == {"prefill": "usage.in", "decode": "usage.out", "arrival": "at"}
    assert not read_trace(path, prefill="usage.in", decode="usage.out").has_arrivals


def test_an_azure_file_without_times_is_a_backlog(tmp_path):
    trace = read_trace(_write(tmp_path, "ContextTokens,GeneratedTokens\n3,4\n"))
    assert trace.format == "azure"
    assert not trace.has_arrivals


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("0,1,300", "prefill = 0 must be at least 1"),
        ("-5,1,300", "prefill = -5 must be at least 1"),
        ("1,-1,300", "decode = -1 must be at least 1"),
        ("NaN,1,300", "prefill = NaN is not a number"),
        ("many,1,300", "prefill = many is not a number"),
        ("true,1,300", "prefill = true is not a number"),
        ("inf,1,300", "prefill = inf is larger than 2147483647"),
        ("1.5,1,300", "prefill = 1.5 is not an integer"),
        ("3,99999999999999999999,300", "decode = 99999999999999999999 is larger than 2147483647"),
        ("1,,300", "decode is missing"),
        ("1,1,soon", "arrival = soon is not a time"),
        ("1,1,inf", "arrival = inf is not a time"),
        ("1,1,1e300", "arrival = 1e300 is not a time"),
        ("1,1,", "arrival is missing"),
        ("1,234,1,300", "fields: 4, in the header: 3"),
        ("1", "fields: 1, in the header: 3"),
    ],
)
def test_bad_rows_are_counted_up_to_one_per_cent(tmp_path, row, reason):
    trace = read_trace(_write(tmp_path, CSV + f"{row}\n" * 3))
    assert (trace.rows, trace.bad_rows, len(trace.requests)) == (303, 3, 300)
    assert str(trace.first_bad) == f"data row 301: {reason}"
    path = _write(tmp_path, CSV + f"{row}\n" * 4)
    with pytest.raises(InputError) as error:
        read_trace(path)
    assert str(error.value).startswith(
        f"{path}: 4 of 304 data rows cannot be used; first, data row 301: {reason}; at most 1 %"
    )


def test_bad_rows_of_json_lines(tmp_path):
    trace = read_trace(_write(tmp_path, _jsonl() + '{"prefill": 3, "decode":\n{"decode": 3}\n'))
    assert trace.bad_rows == 2
    assert str(trace.first_bad) == "data row 301: is not a JSON object"


def test_nulls_and_fractions_in_parquet_are_bad_rows(tmp_path):
    path = tmp_path / "t"
    sizes = [1.0] * 200 + [None, 2.5]
    pl.DataFrame({"prefill": sizes, "decode": [1] * 202}).write_parquet(path)
    trace = read_trace(path)
    assert (trace.bad_rows, str(trace.first_bad)) == (2, "data row 201: prefill is missing")


ZIPPED = gzip.compress(np.random.default_rng(0).bytes(5000), mtime=0)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b" \n \r\n", "is empty"),
        (b"\x1c", "is empty"),  # white space to Unicode, not to bytes
        (b"\xef\xbb\xbf", "is empty"),  # a byte order mark alone
        (gzip.compress(b"", mtime=0), "is empty"),
        (ZIPPED[:-500], "the gzip data is truncated or damaged"),
        (ZIPPED[:20] + b"\xff" * 9 + ZIPPED[29:], "the gzip data is truncated or damaged"),
        (gzip.compress(CSV.encode(), mtime=0) + b"junk", "the gzip data is truncated or damaged"),
        (ZIPPED[:1] + b"\x8c" + ZIPPED[2:], "is binary"),
        (gzip.compress(ZIPPED, mtime=0), "is binary"),
        (b"PK\x03\x04\0\0\0\0", "is binary"),
        (CSV.encode("utf-16"), "is binary"),
        ("prefill,decode,größe\n1,2,3\n".encode("latin-1"), "is not UTF-8 text (byte 17)"),
        (b"PAR1" + b"junk" * 9, "damaged Parquet file"),
        (b"prefill,decode\n", "has columns but no data rows"),
        (b"a,b\n1,2\n", "no column 'prefill'; it has: a, b; name the columns"),
        (b"1,2\n3,4\n", "no column 'prefill'; it has: 1, 2"),
        (b"TIMESTAMP,ContextTokens\n1,2\n", "no column 'GeneratedTokens'; it has: TIMESTAMP"),
        (b'{"timestamp": 0, "input_length": 5}\n', "no column 'output_length'; it has: timestamp"),
        (b"prefill,prefill,decode\n1,2,3\n", "the header names the column 'prefill' twice"),
        (b'prefill,decode\n"1,2\n3,4\n', "is not a readable CSV file"),
        (b'prefill,decode\n"1",2,3\n', "is not a readable CSV file"),
        (b'[{"prefill": 1, "decode": 1}]', "is a JSON array; expected JSON Lines"),
        (b"{oops\n{again\n", "none of its first lines is a JSON object"),
        (b'{"prefill": [1], "decode": 2}\n', "data row 1: prefill = [1] is not a number"),
        (b"prefill,decode\n0,1\n-1,1\n", "2 of 2 data rows cannot be used; first, data row 1"),
    ],
)
def test_bad_files_get_one_clear_line(tmp_path, content, says):
    path = _write(tmp_path, content)
    with pytest.raises(InputError) as error:
        read_trace(path)
    message = str(error.value)
    assert message.startswith(f"{path}: ")
    assert says in message
    assert "\n" not in message


def test_files_that_cannot_be_read(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="there is no such file"):
        read_trace(tmp_path / "none.csv")
    with pytest.raises(InputError, match="is a directory"):
        read_trace(tmp_path)

    def refuse(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        read_trace(tmp_path / "secret.csv")


def test_unknown_names(tmp_path):
    path = _write(tmp_path, CSV)
    with pytest.raises(InputError, match="no trace format 'azur'; known formats: azure"):
        read_trace(path, format="azur")
    with pytest.raises(InputError, match="no column 'ContextTokens'; it has: prefill, decode"):
        read_trace(path, format="azure")
    with pytest.raises(InputError, match="no column 'time'"):
        read_trace(path, arrival="time")


def test_nested_parquet_columns_are_refused(tmp_path):
    path = tmp_path / "t"
    pl.DataFrame({"prefill": [[1, 2]], "decode": [1]}).write_parquet(path)
    with pytest.raises(InputError, match="column 'prefill' holds List"):
        read_trace(path)


@given(st.one_of(st.binary(max_size=200), st.text('019,.-\n eE{}:"', max_size=60)))
def test_any_bytes_are_read_or_refused(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "noise"
    body = data if isinstance(data, bytes) else b"prefill,decode\n" + data.encode()
    path.write_bytes(body)
    says = ""
    try:
        trace = read_trace(path)
        assert 1 <= len(trace.requests) == trace.rows - trace.bad_rows
        assert int(trace.requests.prefill.max()) <= SIZE_LIMIT
    except InputError as error:
        says = str(error)
    assert len(says.splitlines()) <= 1


def _table(kind: str, rows: list[tuple[object, object]], folder: Path) -> Path:
    if kind == "parquet":
        path = folder / "t.parquet"
        columns = {"prefill": [str(s) for s, _ in rows], "decode": [str(o) for _, o in rows]}
        pl.DataFrame(columns).write_parquet(path)
        return path
    if kind == "jsonl":
        lines = [f'{{"prefill": "{s}", "decode": "{o}"}}\n' for s, o in rows]
        return _write(folder, "".join(lines))
    quote = '"' if kind == "quoted" else ""
    return _write(folder, "prefill,decode\n" + "".join(f"{quote}{s}{quote},{o}\n" for s, o in rows))


@pytest.mark.parametrize("kind", ["csv", "quoted", "jsonl", "parquet"])
@pytest.mark.parametrize("at", ["first", "last"])
@pytest.mark.parametrize(
    ("rows", "bad"), [(100, 1), (199, 1), (200, 2), (300, 3), (999, 9), (1000, 10)]
)
def test_one_bad_row_in_a_hundred_and_no_more(tmp_path, kind, at, rows, bad):
    """Exactly 1 % passes with every good row in it; one more bad row is refused."""
    for wrong in (bad, bad + 1):
        good = [(i + 1, i % 7 + 1) for i in range(rows - wrong)]
        faults = [(0, 1)] * wrong
        path = _table(kind, faults + good if at == "first" else good + faults, tmp_path)
        if wrong > rows // 100:
            with pytest.raises(InputError, match=f"{wrong} of {rows} data rows cannot be used"):
                read_trace(path)
            continue
        trace = read_trace(path)
        assert (trace.rows, trace.bad_rows) == (rows, wrong)
        assert trace.first_bad.row == (1 if at == "first" else rows - wrong + 1)
        assert trace.requests.prefill.tolist() == [s for s, _ in good]
        assert trace.requests.decode.tolist() == [o for _, o in good]


def test_less_than_a_hundred_rows_have_no_bad_one(tmp_path):
    path = _table("csv", [(1, 1)] * 98 + [(0, 1)], tmp_path)
    with pytest.raises(InputError, match="1 of 99 data rows cannot be used"):
        read_trace(path)


@pytest.mark.parametrize("kind", ["csv", "quoted", "jsonl", "parquet"])
@pytest.mark.parametrize("rows", [1, 2, 101])
def test_the_first_and_the_last_row_are_rows(tmp_path, kind, rows):
    trace = read_trace(_table(kind, [(10 + i, 20 + i) for i in range(rows)], tmp_path))
    assert trace.requests.prefill.tolist() == [*range(10, 10 + rows)]
    assert trace.requests.decode.tolist() == [*range(20, 20 + rows)]
    assert (trace.rows, trace.bad_rows, trace.first_bad) == (rows, 0, None)


def test_lengths_from_one_to_the_limit(tmp_path):
    path = _table("csv", [(1, SIZE_LIMIT), (SIZE_LIMIT, 1)], tmp_path)
    trace = read_trace(path)
    assert trace.requests.prefill.tolist() == [1, 2**31 - 1]
    assert trace.requests.decode.tolist() == [2**31 - 1, 1]
    with pytest.raises(InputError, match=f"prefill = {2**31} is larger than {2**31 - 1}"):
        read_trace(_table("csv", [(2**31, 1)], tmp_path))
    with pytest.raises(InputError, match="decode = 0 must be at least 1"):
        read_trace(_table("csv", [(1, 0)], tmp_path))


def test_columns_that_first_occur_late_in_json_lines(tmp_path):
    """Names are collected from the first hundred lines, a hundredth included."""
    late = '{"prefill": 1, "decode": 1, "when": 5}\n'
    early = '{"prefill": 1, "decode": 1}\n'
    for before, found in ((99, True), (100, False)):
        path = _write(tmp_path, early * before + late)
        if found:
            with pytest.raises(InputError, match=r"99 of 100 data rows .* when is missing"):
                read_trace(path, arrival="when")
        else:
            with pytest.raises(InputError, match="no column 'when'"):
                read_trace(path, arrival="when")


@pytest.mark.parametrize(
    ("together", "rows", "noted"), [(1, 3, True), (1, 4, False), (2, 3, True), (50, 101, True)]
)
def test_half_of_the_arrivals_together_is_coarse(tmp_path, together, rows, noted):
    """Of the ``rows - 1`` gaps so many are 0, the others 2 s: from a half on there is a note."""
    gaps = [0] * together + [2] * (rows - 1 - together)
    times = [sum(gaps[:k]) for k in range(rows)]
    path = _write(tmp_path, "prefill,decode,arrival\n" + "".join(f"1,1,{t}\n" for t in times))
    notes = read_trace(path).notes
    assert len(notes) == noted
    if noted:
        share = f"{together / (rows - 1):.0%} of the requests arrive together"
        assert share in notes[0]
        assert ("the rest 2 s apart" in notes[0]) == (together < rows - 1)


@pytest.mark.parametrize(
    ("layout", "columns", "seconds"),
    [
        ("azure", ("ContextTokens", "GeneratedTokens", "TIMESTAMP"), 1.5),
        ("mooncake", ("input_length", "output_length", "timestamp"), 0.0015),
        ("columns", ("prefill", "decode", "arrival"), 1.5),
    ],
)
def test_layouts_and_their_ticks(tmp_path, layout, columns, seconds):
    """By their names, in any order, and among other columns; mooncake counts milliseconds."""
    s, o, t = columns
    path = _write(tmp_path, f"note,{t},{o},{s}\nx,1,3,4\ny,2.5,5,6\n")
    for asked in (None, layout):
        trace = read_trace(path, format=asked)
        assert trace.format == layout
        assert trace.columns == {"prefill": s, "decode": o, "arrival": t}
        assert trace.requests.prefill.tolist() == [4, 6]
        assert trace.requests.decode.tolist() == [3, 5]
        assert trace.requests.arrival.tolist() == [0, pytest.approx(seconds, abs=1e-9)]
        assert trace.duration_s == pytest.approx(seconds, abs=1e-9)
