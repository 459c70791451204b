"""The reader: the published traces exactly, every kind of bad file in one clear line."""

import gzip
import io
import json
import os
import socket
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adversary.workloads.family import SIZE_LIMIT
from adversary.workloads.sample_trace import SAMPLE_TRACE, sample_trace_csv
from adversary.workloads.traces import Reading, read_trace
from theory.model import InputError


@pytest.mark.parametrize(
    ("file", "layout", "rows", "first", "duration_s"),
    [
        (
            "azure-2023-conv/AzureLLMInferenceTrace_conv.csv.gz",
            "azure",
            19366,
            (374, 44),
            3501.721937,
        ),
        (
            "azure-2023-code/AzureLLMInferenceTrace_code.csv.gz",
            "azure",
            8819,
            (4808, 10),
            3435.948056,
        ),
        (
            "mooncake-conversation/conversation_trace.jsonl.gz",
            "mooncake",
            12031,
            (6758, 500),
            3536.999,
        ),
        ("mooncake-synthetic/synthetic_trace.jsonl.gz", "mooncake", 3993, None, 1022.025),
        (
            "vidur-arxiv-summarization/arxiv_summarization_stats_llama2_tokenizer_filtered_v2"
            ".first20000.csv.gz",
            "vidur",
            20000,
            (3772, 54),
            None,
        ),
    ],
)
def test_published_traces(traces, file, layout, rows, first, duration_s):
    trace = read_trace(traces / file)
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
    unit, grid = trace.notes
    assert unit.startswith("timestamp is read as milliseconds, as all are whole")
    assert "90% of the requests arrive together with the one before, the rest 3 s" in grid


def test_sample_trace_is_its_function():
    assert SAMPLE_TRACE.read_bytes() == sample_trace_csv().encode()
    trace = read_trace(SAMPLE_TRACE)
    assert (trace.format, trace.rows, trace.bad_rows, trace.notes) == ("columns", 3000, 0, ())


KEYS = ("prefill", "decode", "arrival")
ROWS = [(10 + i, 1 + i % 5, i / 4) for i in range(300)]
CSV = "prefill,decode,arrival\n" + "".join(f"{s},{o},{t}\n" for s, o, t in ROWS)


def _write(folder: Path, content: bytes | str, name: str = "trace") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _jsonl() -> str:
    return "".join(f'{{"prefill": {s}, "decode": {o}, "arrival": {t}}}\n' for s, o, t in ROWS)


def _parquet(folder: Path) -> bytes:
    frame = pl.DataFrame(ROWS, schema=KEYS, orient="row")
    frame.write_parquet(folder / "rows.parquet")
    return (folder / "rows.parquet").read_bytes()


def test_every_container_reads_the_same(tmp_path):
    contents = {
        "csv": CSV,
        "crlf": CSV.replace("\n", "\r\n"),
        "cr": CSV.replace("\n", "\r"),
        "bom": b"\xef\xbb\xbf" + CSV.encode(),
        "utf-16": CSV.encode("utf-16"),
        "utf-16 without a mark": CSV.encode("utf-16-be"),
        "semicolon": CSV.replace(",", ";"),
        "separator named": "sep=|\n" + CSV.replace(",", "|"),
        "separator named, tab": "\ufeffSEP=\t\r\n" + CSV.replace(",", "\t"),
        "empty columns": CSV.replace("\n", ",,\n"),
        "tab": CSV.replace(",", "\t"),
        "blank lines": CSV.replace("\n", "\n\n"),
        "spaces": CSV.replace(",", " , "),
        "quoted": CSV.replace("prefill", '"prefill"'),
        "no last newline": CSV.rstrip(),
        "comments": f"# of May, in seconds\n#\n{CSV}# end\n",
        "comments between": CSV.replace("\n", "\n# a, b, c, d\n", 5),
        "columns in a comment": f"# of May\n# {CSV}",
        "columns in a comment, tab": "#" + CSV.replace(",", "\t"),
        "jsonl": _jsonl(),
        "jsonl, utf-16": _jsonl().encode("utf-16"),
        "array": f"[{','.join(_jsonl().splitlines())}]",
        "array over lines": json.dumps(
            [json.loads(line) for line in _jsonl().splitlines()], indent=1
        ),
        "jsonl, comments": f"# of May\n{_jsonl()}",
        "array in an object": f'{{"version": 1, "requests": [{",".join(_jsonl().splitlines())}]}}',
        "pandas, as a table": json.dumps(
            {
                "schema": {"fields": [{"name": key} for key in KEYS]},
                "data": [json.loads(line) for line in _jsonl().splitlines()],
            }
        ),
        "objects over lines": "\n".join(
            json.dumps(json.loads(line), indent=1) for line in _jsonl().splitlines()
        ),
        "lists": json.dumps(
            {key: list(column) for key, column in zip(KEYS, zip(*ROWS, strict=True), strict=True)}
        ),
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


@pytest.mark.parametrize("between", [" ", "\u00a0", "\u202f", "'", "\u2019"])
def test_spaces_and_apostrophes_group_thousands(tmp_path, between):
    rows = f"1{between}851;62;0,5\n980;1{between}094;1{between}234,5\n"
    trace = read_trace(_write(tmp_path, f"prefill;decode;arrival\n{rows}"))
    assert trace.requests.prefill.tolist() == [1851, 980]
    assert trace.requests.decode.tolist() == [62, 1094]
    assert trace.requests.arrival.tolist() == [0, 1234]
    for bad in (f"1{between}85", f"1{between}8511", f"1{between}{between}851"):
        with pytest.raises(InputError, match=r"prefill = .* is not a number"):
            read_trace(_write(tmp_path, f"prefill;decode\n{bad};62\n"))


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
        ("2024-05-10 00:00:00 UTC", "2024-05-10T02:00:01.5+0200"),
        ("2024-05-10 00:00:00+00", "2024-05-09 20:00:01.5-04"),
        ("2024-05-10t00:00:00z", "20240510T000001.5Z"),
        ("2024-05-10 00:00:00 +0000 UTC", "2024-05-10 02:00:01.5 +0200 CEST"),
        ("2024/05/10 00:00:00", "2024/05/10 00:00:01.5"),
        ("1715299200", "1715299201.5"),
    ],
)
def test_kinds_of_time(tmp_path, times):
    text = f"prefill,decode,arrival\n3,4,{times[0]}\n5,6,{times[1]}\n"
    arrival = read_trace(_write(tmp_path, text)).requests.arrival
    assert arrival.tolist() == [0, pytest.approx(1.5, abs=1e-6)]


def test_named_and_nested_fields(tmp_path):
    path = _write(
        tmp_path,
        '{"usage": {"in": 3, "out": 4}, "at": 2}\n{"usage": {"in": 5, "out": 6}, "at": 4}\n',
    )
    trace = read_trace(path, Reading(prefill="usage.in", decode="usage.out", arrival="at"))
    assert trace.requests.prefill.tolist() == [3, 5]
    assert trace.requests.decode.tolist() == [4, 6]
    assert trace.requests.arrival.tolist() == [0, 2]
    assert trace.columns == {"prefill": "usage.in", "decode": "usage.out", "arrival": "at"}
    assert not read_trace(path, Reading(prefill="usage.in", decode="usage.out")).has_arrivals


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_keys_with_dots(tmp_path, kind):
    """The longest key that is there is taken, at every level."""
    path = tmp_path / "t"
    rows = [
        {"a": {"b.c": {"in": 3}, "b": {"c": {"in": 99}}}, "a.out": 4},
        {"a": {"b.c": {"in": 5}, "b": {"c": {"in": 99}}}, "a.out": 6},
    ]
    if kind == "jsonl":
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    elif kind == "csv":
        path.write_text("a.b.c.in,a.out\n3,4\n5,6\n", "utf-8")
    else:
        pl.DataFrame(rows).write_parquet(path)
    trace = read_trace(path, Reading(prefill="a.b.c.in", decode="a.out"))
    assert trace.requests.prefill.tolist() == [3, 5]
    assert trace.requests.decode.tolist() == [4, 6]


def test_one_named_field_of_a_layout(tmp_path):
    path = _write(tmp_path, "TIMESTAMP,ContextTokens,GeneratedTokens,Limit\n0,3,4,9\n7,5,6,8\n")
    trace = read_trace(path, Reading(decode="Limit"))
    assert trace.format == "azure"
    assert trace.columns == {"prefill": "ContextTokens", "decode": "Limit", "arrival": "TIMESTAMP"}
    assert trace.requests.decode.tolist() == [9, 8]


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
        (
            "1.234,1,300",
            "prefill = 1.234 is not an integer, unless the points group thousands: "
            "write it without them",
        ),
        (
            '"1,234",1,300',
            "prefill = 1,234 may have a comma that groups thousands: write it without",
        ),
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
        ('1,"2"3,4', "is not CSV (',' expected after '\"')"),
    ],
)
def test_bad_rows_are_refused_or_dropped(tmp_path, row, reason):
    path = _write(tmp_path, CSV + f"{row}\n" * 3)
    with pytest.raises(InputError) as error:
        read_trace(path)
    first = f"data row 301 (line 302): {reason}"
    assert str(error.value) == (
        f"{path}: {first}; 3 of 303 rows cannot be used: correct the file, or name other fields "
        "with --prefill, --decode and --arrival; --drop-bad drops such rows and reads the other 300"
    )
    trace = read_trace(path, Reading(drop_bad=True))
    assert (trace.rows, trace.bad_rows, len(trace.requests)) == (303, 3, 300)
    assert str(trace.first_bad) == first
    assert trace.notes[0] == f"3 of 303 rows cannot be used and were dropped; {first}"


def test_bad_rows_of_json_lines(tmp_path):
    path = _write(tmp_path, _jsonl() + '\n{"prefill": 3, "decode":\n{"decode": 3}\n[]\n7\n')
    trace = read_trace(path, Reading(drop_bad=True))
    assert trace.bad_rows == 3  # an empty array has no rows
    assert str(trace.first_bad) == "data row 301 (line 302): is not a JSON object"


def test_a_damaged_first_line_of_json(tmp_path):
    path = _write(tmp_path, '{"prefill": 3,\n' + _jsonl())
    trace = read_trace(path, Reading(drop_bad=True))
    assert (trace.rows, str(trace.first_bad)) == (301, "data row 1 (line 1): is not a JSON object")


def test_python_s_nan_in_other_fields_of_json(tmp_path):
    path = _write(tmp_path, '{"prefill": 3, "decode": 4, "mean": NaN, "most": Infinity}\n')
    assert read_trace(path).requests.prefill.tolist() == [3]
    path = _write(tmp_path, '{\n"prefill": NaN, "decode": 4}\n')
    with pytest.raises(InputError, match="data row 1: prefill = NaN is not a number"):
        read_trace(path)


def test_nulls_and_fractions_in_parquet_are_bad_rows(tmp_path):
    path = tmp_path / "t"
    sizes = [1.0] * 200 + [None, 2.5]
    pl.DataFrame({"prefill": sizes, "decode": [1] * 202}).write_parquet(path)
    trace = read_trace(path, Reading(drop_bad=True))
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
        (b"PK\x03\x04\0\0\0\0", "is an Excel workbook or a ZIP archive; save the sheet as CSV"),
        (b"\x28\xb5\x2f\xfd\0", "is Zstandard data; decompress it"),
        (CSV.encode("utf-16")[:-1], "is not UTF-16 text from line 301 on; save it as UTF-8"),
        (
            "prefill,decode,größe\n1,2,3\n".encode("latin-1"),
            "line 1 is not UTF-8 text (character 18",
        ),
        ("prefill,decode\n1,2\n3,ä\n".encode("latin-1"), "line 3 is not UTF-8 text (character 3)"),
        (b"PAR1" + b"junk" * 9, "damaged Parquet file"),
        (b"prefill,decode\n", "has columns but no data rows"),
        (b"sep=;\n", "it has: nothing"),
        (
            b"a,b\n1,2\n",
            "no field 'prefill'; it has: a, b; name the field of prefill with --prefill",
        ),
        (b"1,2\n3,4\n", "no field 'prefill'; it has: 1, 2"),
        (b"TIMESTAMP,ContextTokens\n1,2\n", "no field 'GeneratedTokens'; it has: TIMESTAMP"),
        (b'{"timestamp": 0, "input_length": 5}\n', "no field 'output_length'; it has: timestamp"),
        (b"prefill,prefill,decode\n1,2,3\n", "the header names the column 'prefill' twice"),
        (b'prefill,decode\n"1,2\n3,4\n', "data row 1 (line 3): is not CSV"),
        (b'prefill,decode\n"1",2,3\n', "data row 1 (line 2): fields: 3, in the header: 2"),
        (b'"a"b,decode\n"1",2,3\n', "the header is not CSV"),
        (b"{oops\n{again\n", "is not JSON"),
        (b"[1, 2]", "none of its first values is a JSON object"),
        (
            b'{"prefill": 1, "decode":\n 1}\n{"prefill": 2,\n',
            "line 3: a JSON object begins that is",
        ),
        (b"[" * 10**5, "is not JSON"),
        (b'{"prefill": [1], "decode": 2}\n', "data row 1 (line 1): prefill = [1] is not a number"),
        (
            b'{"prefill": [1, 2], "decode": [2]}',
            "decode has 1 entries, prefill has 2: each request",
        ),
        (
            b"prefill,decode\n0,1\n-1,1\n",
            "data row 1 (line 2): prefill = 0 must be at least 1; 2 of 2",
        ),
        (
            b'{"total_input_tokens": 5, "total_output_tokens": 7, "completed": 1}',
            "holds the totals of a benchmark, without its requests; run it again with --save-",
        ),
        (
            b'{"input_sequence_length": {"unit": "tokens", "avg": 5}, "request_count": {"avg": 1}}',
            "holds the statistics of a benchmark, without its requests; read profile_export.jsonl",
        ),
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

    def refuse(_path: Path, _mode: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("theory.content._at_once", refuse)
    path = tmp_path / "secret.csv"
    path.touch()
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        read_trace(path)


def test_what_is_no_regular_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match=r"pipe: is a named pipe; read one from standard input"):
        read_trace(tmp_path / "pipe")
    (tmp_path / "endless").symlink_to("/dev/zero")
    with pytest.raises(InputError, match=r"endless: is a device, not a file"):
        read_trace(tmp_path / "endless")
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(tmp_path / "end"))
        with pytest.raises(InputError, match=r"end: is a socket"):
            read_trace(tmp_path / "end")


def test_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(CSV.encode()))))
    trace = read_trace("-")
    assert (trace.name, trace.rows) == ("standard input", 300)


class _Endless(io.RawIOBase):
    def __init__(self, piece: bytes):
        self._piece = piece

    def read(self, size: int = -1) -> bytes:
        return self._piece[: size or 1]


def _bomb(start: bytes, repeated: bytes) -> bytes:
    """A gzip file of 34 MB, which is more than 32 MiB, that all but repeats itself."""
    return gzip.compress(start + repeated * (34_000_000 // len(repeated)), 1)


@pytest.mark.parametrize(
    ("start", "repeated", "says"),
    [
        (b"prefill,decode\n", b"1,1\n", "has more than 100000 rows; --max-rows allows more"),
        (b"prefill,decode\n", b" " * 1000, "holds more than 32 MiB when decompressed; --max-bytes"),
        (b'{"prefill": "', b"1" * 1000, "holds more than 32 MiB when decompressed; --max-bytes"),
        (b"{", b'"a": {' * 1000, "holds more than 32 MiB when decompressed; --max-bytes"),
        (b"prefill,decode\n", b"\0" * 1000, "is binary"),
    ],
)
def test_what_is_larger_than_allowed(tmp_path, start, repeated, says):
    path = _write(tmp_path, _bomb(start, repeated))
    with pytest.raises(InputError, match=says):
        read_trace(path, Reading(max_rows=10**5, max_bytes=2**25))


@pytest.mark.parametrize("piece", [b"prefill,decode\n1,1\n", b"{", b"[", b'"', b" "])
def test_endless_standard_input(monkeypatch, piece):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(_Endless(piece * (1000 // len(piece)))))
    with pytest.raises(InputError, match="standard input: holds more than 1000000 bytes when"):
        read_trace("-", Reading(max_bytes=10**6))


def test_limits_are_kept_exactly(tmp_path):
    path = _write(tmp_path, CSV)
    size = len(CSV)
    assert read_trace(path, Reading(max_rows=300, max_bytes=size)).rows == 300
    with pytest.raises(InputError, match="has more than 299 rows; --max-rows allows more"):
        read_trace(path, Reading(max_rows=299))
    with pytest.raises(InputError, match=f"more than {size - 1} bytes when decompressed"):
        read_trace(path, Reading(max_bytes=size - 1))
    path.write_bytes(_parquet(tmp_path))
    assert read_trace(path, Reading(max_rows=300)).rows == 300
    with pytest.raises(InputError, match="has 300 rows, more than 299; --max-rows allows more"):
        read_trace(path, Reading(max_rows=299))
    with pytest.raises(InputError, match="more than 100 bytes when decompressed; --max-bytes"):
        read_trace(path, Reading(max_bytes=100))


def test_a_line_is_bounded_too(tmp_path, monkeypatch):
    monkeypatch.setattr("theory.content.LONGEST", 2**10)
    path = _write(tmp_path, CSV + "1,1," + "1" * 1020 + "\n")
    with pytest.raises(InputError, match="line 302 is longer than 1 KiB; expected one request a"):
        read_trace(path)
    monkeypatch.setattr("adversary.workloads.layouts.objects.LONGEST", 2**10)
    path = _write(tmp_path, '{"a":\n[' + "1,\n" * 1000)
    with pytest.raises(
        InputError, match=r"line 1 is no JSON object, and as one JSON value .* 1 KiB"
    ):
        read_trace(path)


def test_progress_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("adversary.workloads.layouts.rows.TOGETHER", 128)
    told: list[int] = []
    trace = read_trace(_write(tmp_path, CSV), progress=told.append)
    assert told == [128, 256, 300]
    assert trace.requests.prefill.tolist() == [s for s, _, _ in ROWS]
    path = _write(tmp_path, CSV + "0,1,300\n")
    with pytest.raises(InputError, match=r"data row 301 \(line 302\): prefill = 0"):
        read_trace(path)


def test_unknown_names(tmp_path):
    path = _write(tmp_path, CSV)
    with pytest.raises(InputError, match="no trace format 'azur'; known formats: azure"):
        read_trace(path, format="azur")
    with pytest.raises(InputError, match="no field 'ContextTokens'; it has: prefill, decode"):
        read_trace(path, format="azure")
    with pytest.raises(InputError, match=r"no field 'time'.* with --arrival"):
        read_trace(path, Reading(arrival="time"))
    with pytest.raises(InputError, match="no arrival unit 'h'; known: s, ms, us, ns, iso"):
        Reading(arrival_unit="h")
    with pytest.raises(InputError, match="max_rows must be at least 1, got 0"):
        Reading(max_rows=0)


def test_nested_parquet_columns_are_refused(tmp_path):
    path = tmp_path / "t"
    pl.DataFrame({"prefill": [[1, 2]], "decode": [1]}).write_parquet(path)
    with pytest.raises(InputError, match="'prefill' holds List"):
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
def test_one_bad_row_is_one(tmp_path, kind, at):
    """It is named, at the first place as at the last, and all others are read."""
    good = [(i + 1, i % 7 + 1) for i in range(300)]
    path = _table(kind, [(0, 1), *good] if at == "first" else [*good, (0, 1)], tmp_path)
    row = 1 if at == "first" else 301
    with pytest.raises(InputError, match=rf"data row {row}( \(line \d+\))?: prefill = 0 must be"):
        read_trace(path)
    trace = read_trace(path, Reading(drop_bad=True))
    assert (trace.rows, trace.bad_rows, trace.first_bad.row) == (301, 1, row)
    assert trace.requests.prefill.tolist() == [s for s, _ in good]
    assert trace.requests.decode.tolist() == [o for _, o in good]


def test_no_good_row_is_left(tmp_path):
    path = _table("csv", [(0, 1), (-1, 1)], tmp_path)
    for reading in (Reading(), Reading(drop_bad=True)):
        with pytest.raises(InputError) as error:
            read_trace(path, reading)
        assert "2 of 2 rows cannot be used: correct the file, or name" in str(error.value)
        assert "--drop-bad" not in str(error.value)


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


def test_fields_that_first_occur_late_in_json_lines(tmp_path):
    """Names are collected from the first hundred lines, a hundredth included."""
    late = '{"prefill": 1, "decode": 1, "when": 5}\n'
    early = '{"prefill": 1, "decode": 1}\n'
    for before, found in ((99, "99 of 100 rows cannot be used"), (100, "no field 'when'")):
        path = _write(tmp_path, early * before + late)
        with pytest.raises(InputError, match=found):
            read_trace(path, Reading(arrival="when"))


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


UNITS = {"s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


@pytest.mark.parametrize("unit", UNITS)
def test_units_of_arrival(tmp_path, unit):
    path = _write(tmp_path, "prefill,decode,arrival\n1,1,1000\n1,1,1001.5\n1,1,4000\n")
    trace = read_trace(path, Reading(arrival_unit=unit))
    assert trace.requests.arrival == pytest.approx(
        [0, 1.5 * UNITS[unit], 3000 * UNITS[unit]], abs=1e-9
    )


@pytest.mark.parametrize(
    ("first", "unit"),
    [(10**9, "s"), (10**12, "ms"), (10**15, "us"), (10**18, "ns"), (9 * 10**18, "")],
)
def test_times_since_1970_show_their_unit(tmp_path, first, unit):
    path = _write(tmp_path, f"prefill,decode,arrival\n1,1,{first}\n1,1,{first + 6}\n")
    if not unit:  # as nanoseconds of the year 2255, which no 62 bits hold
        with pytest.raises(InputError, match="arrival = 9000000000000000000 is not a time"):
            read_trace(path)
        return
    trace = read_trace(path)
    assert trace.duration_s == pytest.approx(6 * UNITS[unit], abs=1e-10)
    assert len(trace.notes) == (unit != "s")
    if unit != "s":
        assert trace.notes[0].startswith("arrival is read as ")
        assert trace.notes[0].endswith("and not as seconds; --arrival-unit says otherwise")


def test_a_unit_that_is_asked_for_is_taken_with_a_warning(tmp_path):
    path = _write(tmp_path, "prefill,decode,arrival\n1,1,1700000000000\n1,1,1700000005000\n")
    trace = read_trace(path, Reading(arrival_unit="ns"))
    assert trace.duration_s == pytest.approx(5e-6)
    assert (
        "reads like milliseconds since 1970, and --arrival-unit takes it for nano" in trace.notes[0]
    )


@pytest.mark.parametrize(
    ("times", "unit", "says"),
    [
        (("0", "1"), "iso", "arrival = 0 is not a date and time"),
        (("2024-05-10 00:00:00", "2024-05-10 00:00:01"), "ms", "is not a number of milliseconds"),
        (("0", "2024-05-10 00:00:01"), None, "arrival = 2024-05-10 00:00:01 is not a time"),
        (("2024-05-10 00:00:00", "soon"), None, "arrival = soon is not a time"),
        (
            ("05/10/2024 10:00", "05/10/2024 10:01"),
            None,
            "arrival = 05/10/2024 10:00 is not a time",
        ),
    ],
)
def test_times_that_are_none(tmp_path, times, unit, says):
    text = "prefill,decode,arrival\n" + "".join(f"1,1,{time}\n" for time in times)
    with pytest.raises(InputError, match=says):
        read_trace(_write(tmp_path, text), Reading(arrival_unit=unit))


def test_a_unit_without_times(tmp_path):
    path = _write(tmp_path, "prefill,decode,when\n1,1,5\n")
    with pytest.raises(
        InputError, match=r"--arrival-unit without arrival times; it has: .*, when; na"
    ):
        read_trace(path, Reading(arrival_unit="ms"))


@pytest.mark.parametrize(
    ("times", "seconds"),
    [
        (("0,000", "0,512", "12,345"), (0, 0.512, 12.345)),  # the second shows what the third is
        (("1234,5", "1235,25"), (0, 0.75)),
        (("1.234,5", "1.235,25"), (0, 0.75)),
        (("5", "7,25"), (0, 2.25)),
        (("10.05.2024 10:00", "10.05.2024 10:01"), (0, 60)),
        (("10.05.2024 23:59:59", "11.05.2024 00:00:00"), (0, 1)),
        (("2024-05-10 10:00:00,25", "2024-05-10 10:00:01,5"), (0, 1.25)),
    ],
)
def test_decimal_commas_and_dates_of_spreadsheets(tmp_path, times, seconds):
    text = "prefill;decode;arrival\n" + "".join(f"1;1;{time}\n" for time in times)
    trace = read_trace(_write(tmp_path, text))
    assert trace.requests.arrival == pytest.approx(seconds, abs=1e-9)


def test_lengths_with_decimal_commas(tmp_path):
    path = _write(tmp_path, "prefill;decode\n12,0;1.234,0\n2000,00;3\n")
    requests = read_trace(path).requests
    assert requests.prefill.tolist() == [12, 2000]
    assert requests.decode.tolist() == [1234, 3]
    with pytest.raises(InputError, match=r"prefill = 12.5 is not an integer"):
        read_trace(_write(tmp_path, "prefill;decode\n12,5;3\n"))


def test_a_comma_that_may_group_thousands(tmp_path):
    path = _write(tmp_path, "prefill;decode;arrival\n1;1;1,000\n1;1;12,345\n")
    with pytest.raises(InputError, match="arrival = 1,000 may be a fraction or group thousands"):
        read_trace(path)


def test_rounded_times_among_others_keep_the_order_of_the_file(tmp_path):
    # 5.9 and 7.2 are exact; 6 was 6.x rounded down, 8 was 7.x rounded up: the file has the order.
    text = "prefill,decode,arrival\n1,1,5.9\n2,1,5\n3,1,6\n4,1,7.2\n5,1,8\n6,1,7.6\n"
    trace = read_trace(_write(tmp_path, text))
    assert trace.requests.prefill.tolist() == [1, 2, 3, 4, 5, 6]
    assert trace.requests.arrival == pytest.approx([0, 0, 0.1, 1.3, 1.7, 1.7], abs=1e-9)
    assert trace.notes[0].startswith("some of arrival are rounded to whole s")


@pytest.mark.parametrize(
    ("unit", "gap", "says"),
    [
        ("ms", 30, "make 33.3 a second, more than such a trace has"),
        ("ms", 40, None),
        ("s", 3500, None),
        ("s", 20_000, "make one in 5.56 hours, fewer than a trace has"),
    ],
)
def test_a_pace_that_makes_no_sense_is_noted(tmp_path, unit, gap, says):
    rows = "".join(
        f'{{"timestamp": {gap * i}, "input_length": 1, "output_length": 1}}\n' for i in range(30)
    )
    notes = read_trace(_write(tmp_path, rows), Reading(arrival_unit=unit)).notes
    assert [says in note for note in notes] == [True] * (says is not None)
