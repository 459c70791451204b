"""Logs as other versions, spreadsheets and shells write them: two ranks, three steps, two GPUs."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from adversary.measurements.fields import Place, seconds
from adversary.measurements.loads import MeasuredLoads
from adversary.measurements.power import MeasuredPower
from adversary.measurements.read import Asked, read
from tests.adversary import measured_samples as made
from theory.model import InputError

LOADS = ((300, 100), (310, 160), (320, 500))
CELLS = [(step, rank, LOADS[step][rank]) for step in range(3) for rank in range(2)]


def written(folder: Path, text: str) -> Path:
    path = folder / "log"
    path.write_text(text, "utf-8", newline="")
    return path


def loads_of(folder: Path, text: str, asked: Asked | None = None) -> MeasuredLoads:
    found = read([written(folder, text)], asked).loads
    assert found is not None
    return found


def power_of(folder: Path, text: str, asked: Asked | None = None) -> MeasuredPower:
    found = read([written(folder, text)], asked).power
    assert found is not None
    return found


# --- Loads --------------------------------------------------------------------------------------


def trt(step: int, rank: int, middle: str, states: str) -> str:
    return (
        f"[07/22/2026-00:00:00] [TRT-LLM] [I] iter = {step}, global_rank = {rank}, rank = {rank}, "
        f"{middle}, timestamp = 2026-07-22 00:00:00, states = {{{states}}}\n"
    )


STATES = "'num_ctx_requests': 0, 'num_ctx_tokens': 0, 'num_generation_tokens': 4"


def fpm(step: int, rank: int, load: int, counter: int | None) -> str:
    scheduled = {"num_decode_requests": 4, "sum_decode_kv_tokens": load}
    record = {"dp_rank": rank, "wall_time": 0.03, "scheduled_requests": scheduled}
    return json.dumps(record | ({} if counter is None else {"counter_id": counter})) + "\n"


def grafana(name: str, value: str) -> str:
    head = ",".join(f'"{{__name__=""{name}"", engine=""{rank}"", job=""x""}}"' for rank in (0, 1))
    rows = (
        f"2026-03-03 10:00:0{k},{','.join(value.format(load / 1000) for load in pair)}\n"
        for k, pair in enumerate(LOADS)
    )
    return f'"Time",{head}\n' + "".join(rows)


AS_WRITTEN = {
    "numpy.savetxt": "".join(f"{a:.18e} {b:.18e}\n" for a, b in LOADS),
    "numpy.savetxt with a header": "# rank0 rank1\n" + "".join(f"{a} {b}\n" for a, b in LOADS),
    "numpy.savetxt, other order": "# rank1 rank0\n"
    + "".join(f"{b:.18e} {a:.18e}\n" for a, b in LOADS),
    "numpy.savetxt, a row a rank": "# step,rank,load\n"
    + "".join(f"{k},{g},{x}.0\n" for k, g, x in CELLS),
    "a header with spaces": "step rank1 rank0\n"
    + "".join(f"{k} {b} {a}\n" for k, (a, b) in enumerate(LOADS)),
    "comments": "# two ranks\n\n# three steps\nrank0,rank1\n"
    + "".join(f"{a},{b}\n# next\n" for a, b in LOADS),
    "pandas, with its index": ",rank0,rank1\n"
    + "".join(f"{k},{a},{b}\n" for k, (a, b) in enumerate(LOADS)),
    "steps without a header": "".join(f"{k},{a},{b}\n" for k, (a, b) in enumerate(LOADS)),
    "decimal commas": "sep=;\r\nDP0;DP1\r\n" + "".join(f"{a},0;{b},00\r\n" for a, b in LOADS),
    "in any order": "step,rank,load\n" + "".join(f"{k},{g},{x}\n" for k, g, x in CELLS[::-1]),
    "FPM without counter_id": "".join(fpm(k, g, x, None) for k, g, x in CELLS),
    "TensorRT-LLM, cached": "".join(
        trt(
            k,
            g,
            "num_scheduled_requests = 4, kv_cache_util = 0.1, currank_total_requests = 1/2, "
            "host_step_time = 31.0ms, prev_device_step_time = 30.0ms",
            f"{STATES}, 'cached_kv_tokens': {x}",
        )
        for k, g, x in CELLS
    ),
    # Before cached_kv_tokens: requests stand for the load.
    "TensorRT-LLM, host_step_time": "".join(
        trt(
            k,
            g,
            f"host_step_time = 31.0ms, prev_device_step_time = N/A, num_scheduled_requests: {x}",
            STATES,
        )
        for k, g, x in CELLS
    ),
    "TensorRT-LLM, elapsed_time": "".join(
        trt(k, g, f"elapsed_time = 0.031s, num_scheduled_requests: {x}", STATES)
        for k, g, x in CELLS
    ),
    "SGLang without #token": "".join(
        f"[2026-08-02 10:00:00 DP{g}] Decode batch. #running-req: {x}, token usage: 0.01\n"
        for _, g, x in CELLS
    ),
}


@pytest.mark.parametrize("name", AS_WRITTEN)
def test_loads_as_written(name: str, tmp_path: Path) -> None:
    found = loads_of(tmp_path, AS_WRITTEN[name])
    assert found.loads.tolist() == [list(pair) for pair in LOADS]
    assert found.ranks == ("0", "1")


@pytest.mark.parametrize("value", ["{:.3f}", "{:.1%}"])
def test_gauges_as_grafana_exports_them(value: str, tmp_path: Path) -> None:
    found = loads_of(tmp_path, grafana("vllm:kv_cache_usage_perc", value), Asked(kv_tokens=1000.0))
    assert found.loads == pytest.approx(np.array(LOADS, dtype=float))
    assert found.unit == "tokens"


def test_a_rank_that_is_missing_in_one_scrape(tmp_path: Path) -> None:
    """Others stay in their own scrape, whichever rank is missing, with headings or without."""
    name = "vllm:kv_cache_usage_perc"

    def scrape(step: int, heading: str, absent: int | None) -> str:
        return heading + "".join(
            f'{name}{{engine="{g}"}} {LOADS[step][g] / 1000}\n' for g in (0, 1) if g != absent
        )

    for heading, absent in ((f"# TYPE {name} gauge\n", 0), (f"# HELP {name} x\n", 1), ("", 1)):
        text = "".join(scrape(k, heading, absent if k == 1 else None) for k in range(3))
        with pytest.raises(InputError, match=f"step = 1 has no load of rank {absent}.*--drop-bad"):
            loads_of(tmp_path, text)
        found = loads_of(tmp_path, text, Asked(kv_tokens=1000.0, drop_bad=True))
        assert found.loads == pytest.approx(np.array([LOADS[0], LOADS[2]], dtype=float))


def test_times_of_the_host_are_those_of_their_own_step(tmp_path: Path) -> None:
    found = loads_of(tmp_path, AS_WRITTEN["TensorRT-LLM, elapsed_time"])
    assert found.duration_s == pytest.approx([0.031] * 3)
    assert found.unit == "running requests"


def test_counters_that_begin_again_are_another_run(tmp_path: Path) -> None:
    text = "".join(fpm(k, g, x, k) for k, g, x in CELLS)
    found = loads_of(tmp_path, text + text.replace("300", "302"))
    assert found.loads[:, 0].tolist() == [300, 310, 320, 302, 310, 320]
    assert (np.diff(found.steps) > 0).all()
    assert any("begin again 1 times" in note for note in found.notes)
    # On one rank alone they are a mistake.
    with pytest.raises(InputError, match="is there already, in"):
        loads_of(tmp_path, text + fpm(0, 1, 302, 0))


def test_copies_are_left_out_on_request(tmp_path: Path) -> None:
    text = "step,rank,load\n" + "".join(f"{k},{g},{x}\n" for k, g, x in CELLS) + "2,1,500\n"
    with pytest.raises(InputError, match=r"line 8: .*in .*line 7; .*--drop-bad leaves out copies"):
        loads_of(tmp_path, text)
    found = loads_of(tmp_path, text, Asked(drop_bad=True))
    assert found.loads.tolist() == [list(pair) for pair in LOADS]
    # Another load is no copy.
    with pytest.raises(InputError, match=r"give one run, and one line a rank and step$"):
        loads_of(tmp_path, text.replace("2,1,500\n", "2,1,501\n", 1), Asked(drop_bad=True))


@pytest.mark.parametrize("sample", [made.vllm, made.sglang, made.trtllm])
def test_logs_that_containers_keep(sample: Callable[[], str], tmp_path: Path) -> None:
    """Docker keeps each line in an object, Kubernetes has words before it."""
    plain = loads_of(tmp_path, sample())
    lines = sample().splitlines()
    for text in (
        "\n".join(json.dumps({"log": f"{line}\n", "stream": "stderr"}) for line in lines),
        "\n".join(f"2026-08-02T10:00:00.123456789Z stderr F {line}" for line in lines),
        "\n".join(f"[pod/vllm-0/vllm] {line}" for line in lines),
    ):
        found = loads_of(tmp_path, text)
        assert found.format == plain.format
        assert found.loads.tolist() == plain.loads.tolist()
        assert found.duration_s is not None
        assert found.duration_s.tolist() == pytest.approx(plain.duration_s, nan_ok=True)


@pytest.mark.parametrize("sample", [made.matrix, made.long_csv, made.vllm, made.sglang])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_text_in_utf_16(sample: Callable[[], str], encoding: str, tmp_path: Path) -> None:
    plain = loads_of(tmp_path, sample())
    path = tmp_path / "wide"
    path.write_bytes(sample().encode(encoding))
    found = read([path]).loads
    assert found is not None
    assert found.loads.tolist() == plain.loads.tolist()
    path.write_bytes(sample().encode("utf-32"))
    with pytest.raises(InputError, match=r"wide: is UTF-32 text; save it as UTF-8$"):
        read([path])


@pytest.mark.parametrize("sample", [made.vllm, made.sglang, made.trtllm])
def test_lines_that_ran_together_are_refused(sample: Callable[[], str], tmp_path: Path) -> None:
    """Processes that write to one file do that; the second of two steps would be lost."""
    lines = sample().splitlines()
    text = "\n".join((*lines[:-2], lines[-2] + lines[-1]))
    with pytest.raises(InputError, match=f"log: line {len(lines) - 1}: has several steps"):
        loads_of(tmp_path, text)


def test_columns_that_are_called_otherwise_are_named(tmp_path: Path) -> None:
    text = "DP0 tokens,DP1 tokens\n" + "".join(f"{a},{b}\n" for a, b in LOADS)
    with pytest.raises(InputError, match=r"it has: DP0 tokens, DP1 tokens; call them so, or"):
        loads_of(tmp_path, text)
    loads_of(tmp_path, text.replace(" tokens", ""))


def test_two_columns_of_one_rank_are_refused(tmp_path: Path) -> None:
    """Loads and the use of each GPU, say: they would be four ranks."""
    text = "rank0,rank1,gpu0,gpu1\n" + "".join(f"{a},{b},97,98\n" for a, b in LOADS)
    with pytest.raises(InputError, match=r"log: the columns 'rank0' and 'gpu0' are both of rank 0"):
        loads_of(tmp_path, text)


def test_a_file_is_given_once(tmp_path: Path) -> None:
    """A file that names no rank would be two of them."""
    path = written(tmp_path, made.sglang())
    with pytest.raises(InputError, match=r"log: is named twice; give each file once$"):
        read([path, tmp_path / "." / path.name])


def test_ranks_of_several_nodes(tmp_path: Path) -> None:
    rows = (f"{k},{node},{g},{x}\n" for k, g, x in CELLS for node in ("b", "a"))
    found = loads_of(tmp_path, "step,node,rank,load\n" + "".join(rows))
    assert found.ranks == ("a 0", "a 1", "b 0", "b 1")
    assert found.loads[0].tolist() == [300, 100, 300, 100]


def test_a_load_that_grows_by_one_is_no_number_of_a_step(tmp_path: Path) -> None:
    found = loads_of(tmp_path, "300,100\n301,101\n302,102\n303,103\n")
    assert found.loads[:, 0].tolist() == [300, 301, 302, 303]
    with pytest.raises(InputError, match="of one rank alone"):
        loads_of(tmp_path, "0,300\n1,301\n2,302\n3,303\n")


def test_a_matrix_on_its_side_is_told(tmp_path: Path) -> None:
    found = loads_of(tmp_path, "300,310,320\n100,160,500\n")
    assert any("transpose" in note for note in found.notes)


# --- Power --------------------------------------------------------------------------------------

# Two GPUs at 118 and 691 W, twice.
SAMPLES = [(k, g, (118.5, 691.5)[g]) for k in (0, 1) for g in (0, 1)]
POWERS = {
    "nvidia-smi without a header": "".join(
        f"2026/03/03 10:00:0{k}.050, {g}, {w:.2f} W, 7 %\n" for k, g, w in SAMPLES
    ),
    "decimal commas": "sep=;\ntimestamp;index;power.draw [W]\n"
    + "".join(
        f"03.03.2026 10:00:0{k},050;{g};{w:.1f} W\n".replace(".5", ",5") for k, g, w in SAMPLES
    ),
    "dmon with times of the day": "#Time        gpu    pwr  gtemp\n#HH:MM:SS    Idx      W      C\n"
    + "".join(f" 10:00:0{k}      {g}    {w}     -\n" for k, g, w in SAMPLES),
    "dmon as CSV": "#Date, Time, gpu, pwr, gtemp\n#YYYYMMDD, HH:MM:SS, Idx, W, C\n"
    + "".join(f"20260303, 10:00:0{k}, {g}, {w}, 35\n" for k, g, w in SAMPLES),
    "amd-smi": "timestamp,gpu,socket_power,gfx_voltage\n"
    + "".join(f"{1772532000 + k},{g},{w},N/A\n" for k, g, w in SAMPLES),
}


@pytest.mark.parametrize("name", POWERS)
def test_power_as_written(name: str, tmp_path: Path) -> None:
    found = power_of(tmp_path, POWERS[name])
    assert [device.name for device in found.devices] == ["0", "1"]
    assert [device.power_w.tolist() for device in found.devices] == [[118.5] * 2, [691.5] * 2]
    for device in found.devices:
        assert device.time_s is not None
        assert np.diff(device.time_s).tolist() == pytest.approx([1.0])


def test_times_that_ts_puts_before_lines(tmp_path: Path) -> None:
    """It says no year; such times are set beside steps as those are that count from a beginning."""
    head = "Feb 28 23:59:59 #Entity   POWER\n"
    lines = (f"{day} {100 + k}.000\n" for k, day in enumerate(("Feb 28 23:59:59 GPU 0",
             "Feb 29 00:00:01 GPU 0", "Mar  1 00:00:01 GPU 0")))  # fmt: skip
    found = power_of(tmp_path, head + "".join(lines))
    (device,) = found.devices
    assert device.time_s is not None
    assert np.diff(device.time_s).tolist() == [2, 86400]
    assert device.power_w.tolist() == [100, 101, 102]
    assert not found.absolute


def test_one_device_needs_no_index(tmp_path: Path) -> None:
    rows = [f"2026/03/03 10:00:0{k}.050, {w} W\n" for k, g, w in SAMPLES if g == 0]
    (device,) = power_of(tmp_path, "timestamp, power.draw [W]\n" + "".join(rows)).devices
    assert device.power_w.tolist() == [118.5, 118.5]
    with pytest.raises(InputError, match=r"line 3: .*tells devices apart.*timestamp,index"):
        power_of(tmp_path, "timestamp, power.draw [W]\n" + rows[0] * 2)


def test_a_device_without_power_is_left_out_on_request(tmp_path: Path) -> None:
    rows = "".join(
        f"2026/03/03 10:00:0{k}.050, {g}, {'[N/A]' if g else f'{w} W'}\n" for k, g, w in SAMPLES
    )
    text = "timestamp, index, power.draw [W]\n" + rows
    with pytest.raises(InputError, match=r"line 3: power.draw \[W\] = \[N/A\].*--drop-bad"):
        power_of(tmp_path, text)
    (device,) = power_of(tmp_path, text, Asked(drop_bad=True)).devices
    assert device.name == "0"


def test_columns_that_nothing_tells_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="put a header before it"):
        power_of(tmp_path, "2026/03/03 10:00:00.050, 0, 118.50\n")


def test_a_comma_that_may_group_thousands_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"rank1 = 2,345 has a comma .*write it with a point"):
        loads_of(tmp_path, "rank0;rank1\n1;2,345\n")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("01.02.1970 00:00:01,500", 31 * 86400 + 1.5),
        ("1970/02/01 00:00:01.500", 31 * 86400 + 1.5),
        ("1970-02-01T02:00:01.5+02:00", 31 * 86400 + 1.5),
        ("1970-02-01 02:00:01.5 +0200 CEST", 31 * 86400 + 1.5),
        ("1970-02-01 00:00:01.5 UTC", 31 * 86400 + 1.5),
        ("Feb 01 00:00:01.5", (365 + 365 + 31) * 86400 + 1.5),
        ("Feb  1 00:00:01.5", (365 + 365 + 31) * 86400 + 1.5),
        ("1970-02-01t00:00:01.5z", 31 * 86400 + 1.5),
        ("10:00:01.5", 36_001.5),
    ],
)
def test_times_as_written(text: str, found: float) -> None:
    assert seconds(Place("a", 1), "time", text) == found
