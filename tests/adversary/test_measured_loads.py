"""Logs of each tool are read for what they say; damaged ones are refused with the place."""

import gzip
import io
import os
import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from adversary.measurements.formats import FORMATS
from adversary.measurements.loads import MeasuredLoads
from adversary.measurements.read import Asked, read
from tests.adversary import measured_samples as made
from theory.model import InputError

KV = Asked(kv_tokens=made.CACHE)
CASES = Path(
    os.environ.get("EVENKEEL_CASES", Path(__file__).resolve().parents[3] / "shared" / "cases")
)
WITHOUT_CASES = "set EVENKEEL_CASES to the folder that holds the cases"


def written(folder: Path, content: str | bytes, name: str = "log") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def loads_of(path: Path, asked: Asked = KV) -> MeasuredLoads:
    found = read([path], asked).loads
    assert found is not None
    return found


@pytest.mark.parametrize("name", made.SAMPLES)
def test_a_format_is_recognised_and_read(name: str, tmp_path: Path) -> None:
    form, write = made.SAMPLES[name]
    found = loads_of(written(tmp_path, write()))
    assert (found.format, found.ranks) == (form, ("0", "1"))
    steps = 4 if form == "trtllm-iterations" else 3
    assert found.loads.shape == (steps, 2)
    assert found.loads[:3] == pytest.approx(np.array(made.LOADS, dtype=float))
    assert found.unit == ("units of load" if form == "matrix" else "tokens")
    if found.duration_s is not None:
        assert found.duration_s[:3] == pytest.approx(made.SECONDS)
        assert np.isnan(found.duration_s[3:]).all()
    if found.requests is not None:
        assert found.requests[:3].tolist() == [list(row) for row in made.REQUESTS]


@pytest.mark.parametrize("name", made.SAMPLES)
def test_a_format_is_read_from_gzip_and_on_request(name: str, tmp_path: Path) -> None:
    form, write = made.SAMPLES[name]
    content = write()
    data = content if isinstance(content, bytes) else content.encode()
    found = loads_of(written(tmp_path, gzip.compress(data)))
    assert found.loads[:3] == pytest.approx(np.array(made.LOADS, dtype=float))
    # What a range query and panels are follows from their content alone.
    if "query" not in name and "panel" not in name:
        asked = Asked(format=form, kv_tokens=made.CACHE)
        assert np.array_equal(loads_of(tmp_path / "log", asked).loads, found.loads)


def test_times_are_there_where_the_format_has_them() -> None:
    for name, (form, _) in made.SAMPLES.items():
        assert form in FORMATS, name
    assert FORMATS["trtllm-iterations"].time.endswith("step before")


def test_parquet_and_numpy(tmp_path: Path) -> None:
    columns = ("step", "rank", "load", "duration_s", "requests")
    rows = pl.DataFrame([dict(zip(columns, cell, strict=True)) for cell in made.cells()])
    rows.write_parquet(tmp_path / "long.parquet")
    assert loads_of(tmp_path / "long.parquet").loads.tolist() == [list(r) for r in made.LOADS]
    wide = pl.DataFrame({f"rank{g}": [row[g] for row in made.LOADS] for g in range(2)})
    wide.write_parquet(tmp_path / "wide.parquet")
    found = loads_of(tmp_path / "wide.parquet")
    assert (found.format, found.loads.tolist()) == ("matrix", [list(r) for r in made.LOADS])
    np.save(tmp_path / "loads.npy", np.array(made.LOADS, dtype=np.int32))
    assert loads_of(tmp_path / "loads.npy").loads.tolist() == [list(r) for r in made.LOADS]


def test_a_file_of_twenty_thousand_ranks(tmp_path: Path) -> None:
    ranks = range(20_000)
    matrix = tmp_path / "matrix.csv"
    matrix.write_text("".join(",".join(str(s + g % 7) for g in ranks) + "\n" for s in (5, 9)))
    long = tmp_path / "long.csv"
    rows = [f"{s},{g},{(5, 9)[s] + g % 7}\n" for s in (0, 1) for g in ranks]
    long.write_text("step,rank,load\n" + "".join(rows))
    one, other = loads_of(matrix), loads_of(long)
    assert one.ranks == other.ranks == tuple(map(str, ranks))
    assert (one.loads == other.loads).all()


def test_one_file_a_rank(tmp_path: Path) -> None:
    """Lines that name no rank are those of the file's rank."""
    for rank in range(2):
        lines = [line for line in made.sglang().splitlines() if f"DP{rank} " in line]
        bare = "\n".join(lines).replace(f"DP{rank} ", "").replace(f" EP{rank}", "")
        written(tmp_path, bare + "\n", f"rank{rank}.log")
    found = read([tmp_path / "rank0.log", tmp_path / "rank1.log"]).loads
    assert found is not None
    assert found.ranks == ("file 0", "file 1")
    assert found.loads.tolist() == [list(row) for row in made.LOADS]


def test_shares_of_the_cache_stay_shares_without_its_size(tmp_path: Path) -> None:
    text = "\n".join(line for line in made.vllm().splitlines() if "size" not in line)
    found = loads_of(written(tmp_path, text), Asked())
    assert found.unit == "share of the KV cache"
    assert found.loads[0].tolist() == [0.03, 0.01]
    assert found.rounding == pytest.approx(0.00005)
    # One decimal, as vLLM writes it, is half a thousandth.
    found = loads_of(written(tmp_path, made.vllm(decimals=1)), Asked())
    assert found.rounding == pytest.approx(0.0005 * made.CACHE)


def test_prefill_marks_steps(tmp_path: Path) -> None:
    text = made.vllm().replace("0 context tokens, 3 gen", "900 context tokens, 3 gen")
    found = loads_of(written(tmp_path, text))
    assert found.prefill is not None
    assert found.prefill.tolist() == [False, False, True]


def test_other_columns_are_named(tmp_path: Path) -> None:
    path = written(tmp_path, "when,who,what\n0,a,1\n0,b,2\n")
    asked = Asked(columns={"step": "when", "rank": "who", "load": "what"})
    assert loads_of(path, asked).loads.tolist() == [[1, 2]]
    with pytest.raises(InputError, match=r"no column 'why'; it has: when, who, what"):
        loads_of(path, Asked(columns={"step": "why"}))


def test_times_of_steps_from_their_own_file(tmp_path: Path) -> None:
    path = written(tmp_path, "step,start_s,duration_ms\n0,5,20\n1,5.02,21\n")
    times = read([path]).times
    assert times is not None
    assert (times.start_s.tolist(), times.duration_s.tolist()) == ([5, 5.02], [0.02, 0.021])


# --- Refusals -----------------------------------------------------------------------------------

HOSTILE = {
    "NaN": ("long CSV", "0,1,100,", "0,1,nan,", "line 3: load = nan is not a number"),
    "negative": ("long CSV", "0,1,100,", "0,1,-4,", "line 3: load = -4 is negative"),
    "infinite": ("long CSV", "0,1,100,", "0,1,1e999,", "line 3: load = 1e999 is larger than 2^53"),
    "no time": ("long CSV", ",20,2", ",x,2", "line 2: duration_ms = x is not a number"),
    "no number": ("long CSV", "0,1,100,", "0,1,x,", "line 3: load = x is not a number"),
    "empty": ("long CSV", "0,1,100,", "0,1,,", "line 3: load is missing"),
    "half a step": ("long CSV", "1,1,160,", "1.5,1,160,", "line 5: step = 1.5 is not a whole"),
    "short row": ("long CSV", "1,1,160,21,2", "1,1", "line 5: fields: 2, in the header: 5"),
    "missing rank": (
        "long CSV",
        "1,1,160,21,2\n",
        "",
        "line 4: step = 1 has no load of rank 1 (1 of 3 steps lack a rank; rank 1 has 2 steps, "
        "rank 0 3); --drop-bad leaves out steps that lack a rank",
    ),
    "twice": (
        "long CSV",
        "1,1,160,21,2\n",
        "1,1,160,21,2\n1,1,161,21,2\n",
        "line 6: rank = 1: its load of step 1 is there already, in ",
    ),
    "ragged matrix": ("matrix", "310,160", "310", "line 3: fields: 1, in the header: 2"),
    "ragged matrix, longer": ("matrix", "310,160", "310,1,6", "line 3: fields: 3, in the header"),
    "NaN in a matrix": ("matrix", "310,160", "310,NaN", "line 3: rank1 = NaN is not a number"),
    "vLLM, no usage": (
        "vLLM",
        "GPU KV cache usage: 1.60%",
        "GPU KV cache",
        "line 7: GPU KV cache usage is missing",
    ),
    "vLLM, usage above 1": ("vLLM", "1.60%", "160.0%", "line 7: GPU KV cache usage = 160.0% is"),
    "vLLM, no time": ("vLLM", "21.00 ms", "nan ms", "line 6: iteration elapsed time = nan is not"),
    "vLLM, no step": ("vLLM", "Iteration(1)", "Iteration(1x)", "line 6: Iteration = 1x is not"),
    "SGLang, no tokens": ("SGLang", "#full token: 160, ", "", "line 5: #token is missing"),
    "SGLang, cut": ("SGLang", "#running-req: 3", "#running-req: ", "#running-req is missing"),
    "TensorRT-LLM": ("TensorRT-LLM", "'cached_kv_tokens': 160", "'cached", "line 4: cached_kv_tok"),
    "FPM, no rank": ("ForwardPassMetrics", '"dp_rank": 1, ', "", "line 2: dp_rank is missing"),
    "FPM, null": ("ForwardPassMetrics", '"wall_time": 0.021', '"wall_time": null', "wall_time is"),
    "FPM, true": ("ForwardPassMetrics", '_tokens": 160', '_tokens": true',
                  "line 4: scheduled_requests.sum_decode_kv_tokens = true is not a number"),
    "FPM, cut": ("ForwardPassMetrics", '_tokens": 77}}\n{"version"', '"sum', "line 1:"),
    "FPM, version": ("ForwardPassMetrics", '"version": 1', '"version": 9', "version = 9 is not"),
    "scrapes, text": ("scrapes of vLLM", " 0.016\n", " many\n", "usage_perc = many is not"),
    "scrapes, above 1": ("scrapes of vLLM", " 0.016\n", " 16\n", "= 16 is more than 1"),
    "gauges in CSV": ("CSV of vLLM's gauges", ",0.016,", ",1.6,", "= 1.6 is more than 1"),
    "scrapes, labels": ("scrapes of vLLM", 'engine="1",model', "engine=1,model", "are damaged"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_damaged_line_refuses_the_file_or_is_dropped(name: str, tmp_path: Path) -> None:
    sample, old, new, says = HOSTILE[name]
    text = made.SAMPLES[sample][1]()
    assert isinstance(text, str)
    assert old in text
    path = written(tmp_path, text.replace(old, new, 1))
    with pytest.raises(InputError) as refused:
        loads_of(path)
    message = str(refused.value)
    assert str(path) in message
    assert says in message
    assert "\n" not in message
    assert ";" in message  # what would help
    if name not in ("twice",):
        # FPM of another version, or without a step in common, leaves too little.
        found = loads_of(path, Asked(drop_bad=True, kv_tokens=made.CACHE))
        assert 1 <= len(found.loads) < (5 if sample.startswith("Tensor") else 4)
        assert any("left out" in note for note in found.notes)


WHOLE_FILES: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "is empty"),
    "blank": ("\n \n", "is empty"),
    "words": ("hello\nworld\n", "has no line of a step of vllm-iterations (Iteration(), "),
    "header alone": ("rank0,rank1\n", "has columns but no rows"),
    "one rank": ("step,rank,load\n0,0,1\n", "of one rank alone (0)"),
    "one column": ("rank0\n1\n2\n", "of one rank alone (0)"),
    "no rank": ("step,load\n0,1\n", "no columns of ranks"),
    "JSON array of nothing": ("[]\n", "JSON object"),
    "JSON of something else": ('{"a": 1}\n', "no columns of ranks"),
    "binary": (b"\x00\x01\x02\x03" * 50, "is binary"),
    "damaged npy": (b"\x93NUMPY\x01\x00v\x00{'descr'", "is no .npy file of numbers"),
    "damaged Parquet": (b"PAR1 and no more", "damaged Parquet file"),
    "damaged gzip": (gzip.compress(b"rank0,rank1\n" * 99)[:40], "gzip data is truncated"),
    "damaged msgpack": (made.fpm_msgpack()[:-9], "record 6: ends in the middle"),
    "disjoint steps": (
        "step,rank,load\n" + "".join(f"{k},{k % 2},1\n" for k in range(9)),
        "has no load of rank",
    ),
}


@pytest.mark.parametrize("name", WHOLE_FILES)
def test_a_file_that_is_none(name: str, tmp_path: Path) -> None:
    content, says = WHOLE_FILES[name]
    path = written(tmp_path, content)
    with pytest.raises(InputError) as refused:
        read([path])
    assert says in str(refused.value)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_numpy_files_that_are_no_loads(tmp_path: Path) -> None:
    for array, says in (
        (np.zeros(3), "of shape (3,)"),
        (np.array([["a"]]), "of shape (1, 1)"),
        (np.array([[1.0, np.nan]]), "step 0, rank 1: load = nan"),
        (np.array([[1.0, -1.0]]), "step 0, rank 1: load = -1.0"),
        (np.zeros((0, 2)), "has no steps"),
    ):
        data = io.BytesIO()
        np.save(data, array)
        with pytest.raises(InputError) as refused:
            read([written(tmp_path, data.getvalue())])
        assert says in str(refused.value)


def test_workers_that_are_not_one_group(tmp_path: Path) -> None:
    text = made.fpm_lines()
    path = written(tmp_path, text + text.replace('"w0"', '"w1"'))
    with pytest.raises(InputError, match=r"worker_id = w1: another worker, w0, has the dp_rank 0"):
        read([path])


def test_kinds_and_formats_do_not_mix(tmp_path: Path) -> None:
    one, two = written(tmp_path, made.sglang(), "a"), written(tmp_path, made.long_csv(), "b")
    with pytest.raises(InputError, match=r"b: is long, and .*a is sglang-decode"):
        read([one, two])
    with pytest.raises(InputError, match=r"no format 'x'; known: matrix, "):
        read([one], Asked(format="x"))
    with pytest.raises(InputError, match=r"has no line of a step of vllm-iterations \(Iteration"):
        read([one], Asked(format="vllm-iterations"))


def test_the_bound_on_bytes(tmp_path: Path) -> None:
    path = written(tmp_path, gzip.compress(made.long_csv().encode() * 1000))
    with pytest.raises(InputError, match=r"--max-bytes allows more"):
        read([path], Asked(max_bytes=10_000))


@pytest.mark.parametrize("name", made.SAMPLES)
def test_mutated_bytes_are_read_or_refused(name: str, tmp_path: Path) -> None:
    """Whatever happens to a log, the answer is loads or one line that names the file."""
    content = made.SAMPLES[name][1]()
    data = bytearray(content if isinstance(content, bytes) else content.encode())
    rng = random.Random(name)
    for trial in range(60):
        changed = bytearray(data)
        for _ in range(rng.choice((1, 1, 3, 20))):
            at = rng.randrange(len(changed))
            what = rng.randrange(4)
            if what == 0:
                changed[at] = rng.randrange(256)
            elif what == 1:
                del changed[at : at + rng.choice((1, 5, 60))]
            elif what == 2:
                changed[at:at] = bytes(rng.choice((b"-", b"9", b"nan", b",", b"\n", b'"', b"e9")))
            else:
                changed[at:at] = changed[max(0, at - 40) : at]
            if not changed:
                break
        path = written(tmp_path, bytes(changed))
        for drop in (False, True):
            found, says = None, ""
            try:
                found = read([path], Asked(drop_bad=drop, kv_tokens=made.CACHE)).loads
            except InputError as error:
                says = str(error)
            if found is not None:
                assert np.isfinite(found.loads).all(), trial
                assert (found.loads >= 0).all(), trial
            elif says:
                assert str(path) in says, trial
                assert "\n" not in says, trial


# --- Cases found apart from this project --------------------------------------------------------


@pytest.mark.skipif(not CASES.is_dir(), reason=WITHOUT_CASES)
@pytest.mark.parametrize(
    ("name", "steps", "idle"),
    [
        ("matrix.csv", 400, 0.37788),
        ("long.csv", 400, 0.37788),
        ("forward-pass-metrics.jsonl.gz", 400, 0.37788),
        ("vllm.log", 120, 0.36612),
        ("sglang.log", 120, 0.36612),
        ("trtllm.log", 120, 0.36612),
    ],
)
def test_the_cases(name: str, steps: int, idle: float) -> None:
    found = loads_of(CASES / "loads" / name, Asked(kv_tokens=2e6))
    assert found.loads.shape == (steps, 8)
    total = 8 * found.loads.max(axis=1).sum()
    share = 1 - found.loads.sum() / total
    # Rounded loads are each off by at most so much, the largest as well.
    allowed = 1e-5 + 2 * found.rounding * found.loads.size / total
    assert share == pytest.approx(idle, abs=allowed)
    if name == "vllm.log":
        assert found.rounding == pytest.approx(100)  # half of 0.01 % of 2,000,000
        assert share == pytest.approx(idle, abs=2e-4)
