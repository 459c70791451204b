"""Units in names of columns and behind numbers: two ranks, ten steps, two GPUs."""

from pathlib import Path

import numpy as np
import pytest

from adversary.measurements.loads import MeasuredLoads
from adversary.measurements.power import MeasuredPower
from adversary.measurements.read import Asked, Measurements, read
from theory.model import InputError

STEPS = range(10)
WATTS = {"0": [118.5, 119.5, 120.5], "1": [690.0, 691.0, 692.0]}


def taken(folder: Path, text: str, asked: Asked | None = None) -> Measurements:
    path = folder / "log"
    path.write_text(text, "utf-8", newline="")
    return read([path], asked)


def loads_of(folder: Path, text: str, asked: Asked | None = None) -> MeasuredLoads:
    found = taken(folder, text, asked).loads
    assert found is not None
    return found


def power_of(folder: Path, text: str) -> MeasuredPower:
    found = taken(folder, text).power
    assert found is not None
    return found


# --- Durations, and where steps begin -----------------------------------------------------------


def long_form(column: str, factor: float, unit: str = "", between: str = ",") -> str:
    """Steps of 31, 32, ... ms; loads of 300 and 1,100 tokens and more."""
    lines = [between.join(("step", "rank", "load", column))]
    for step in STEPS:
        text = f"{(31 + step) * factor / 1e3:.9g}{unit}"
        text = text.replace(".", ",") if between == ";" else text
        for rank, load in enumerate((300 + step, 1100 + step)):
            grouped = f"{load:,}".replace(",", ".") if between == ";" else str(load)
            lines.append(between.join((str(step), str(rank), grouped, text)))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        long_form("duration (ms)", 1e3),
        long_form("Step Time [ms]", 1e3),
        long_form("durationMs", 1e3),
        long_form("latency_us", 1e6),
        long_form("duration_ns", 1e9),
        long_form("elapsed_time_sec", 1),
        long_form("iteration time [s]", 1),
        long_form("step_time_ms", 1e3),
        long_form("duration", 1e3, " ms"),
        long_form("duration_s", 1e3, "ms"),
        long_form("duration_ms", 1e3, between=";"),
        long_form("duration", 1e3, " ms", between=";"),
    ],
)
def test_durations_in_the_unit_of_their_column(text: str, tmp_path: Path) -> None:
    found = loads_of(tmp_path, text)
    assert found.duration_s is not None
    assert found.duration_s == pytest.approx([(31 + step) / 1e3 for step in STEPS])
    assert found.loads.tolist() == [[300 + step, 1100 + step] for step in STEPS]
    # Without a comma in sight, that points group thousands is a guess.
    assert ["1.100 is taken for 1100" in note for note in found.notes] == [True] * (";" in text)


def test_a_column_that_the_caller_names_has_its_unit(tmp_path: Path) -> None:
    text = long_form("gpu time (ms)", 1e3)
    assert loads_of(tmp_path, text).duration_s is None
    found = loads_of(tmp_path, text, Asked(columns={"duration": "gpu time (ms)"}))
    assert found.duration_s == pytest.approx([(31 + step) / 1e3 for step in STEPS])


def test_steps_that_take_long_are_told(tmp_path: Path) -> None:
    (note,) = loads_of(tmp_path, long_form("duration", 1e3)).notes
    assert note.startswith("the median step takes 35.5 s: if durations count milliseconds")


@pytest.mark.parametrize(("start", "factor"), [("timestamp", 1e3), ("start_ms", 1.0)])
def test_beginnings_and_durations_of_other_units_are_refused(
    start: str, factor: float, tmp_path: Path
) -> None:
    lines = [f"{step},{factor * (100 + 0.033 * step):.6f},0.0325" for step in STEPS]
    text = "\n".join((f"step,{start},duration_s", *lines))
    with pytest.raises(InputError, match=r"log: steps begin .* count different units; say which"):
        taken(tmp_path, text)
    right = start == "timestamp"
    text = text.replace("timestamp", "timestamp (ms)") if right else text.replace("_ms", "_s")
    found = taken(tmp_path, text).times
    assert found is not None
    assert found.start_s == pytest.approx([100 + 0.033 * step for step in STEPS])


@pytest.mark.parametrize("last", ["0,0321", "0"])
def test_points_group_thousands_where_commas_begin_fractions(last: str, tmp_path: Path) -> None:
    """As spreadsheets write them for half of Europe; 980 is less than 63.620 there."""
    text = f"rank0;rank1;duration_s\n63.620;980;{last}\n1.063.636;1.100;{last}\n7;996;{last}\n"
    found = loads_of(tmp_path, text)
    assert found.loads.tolist() == [[63620, 980], [1063636, 1100], [7, 996]]
    guessed = [note for note in found.notes if "1.100 is taken for 1100" in note]
    assert len(guessed) == (last == "0")


@pytest.mark.parametrize("between", [" ", "\u00a0", "\u202f", "'", "\u2019"])
def test_spaces_and_apostrophes_group_thousands(between: str, tmp_path: Path) -> None:
    rows = f"63{between}620;980\n1{between}063{between}636;1{between}100,5\n"
    found = loads_of(tmp_path, f"rank0;rank1\n{rows}")
    assert found.loads.tolist() == [[63620, 980], [1063636, 1100.5]]
    with pytest.raises(InputError, match=r"log: line 2: rank0 = .* is not a number"):
        loads_of(tmp_path, f"rank0;rank1\n63{between}62;980\n")


@pytest.mark.parametrize(
    "rows",
    ["1.250;0.125\n2.500;3.000", "1.5;2.125\n3;4.125\n0.5;7.000", "0.125;4\n1;5\n0.375;6"],
)
def test_points_begin_fractions_where_they_may(rows: str, tmp_path: Path) -> None:
    found = loads_of(tmp_path, f"rank0;rank1\n{rows}\n")
    assert found.loads.tolist() == [[float(x) for x in row.split(";")] for row in rows.split()]


# --- Power --------------------------------------------------------------------------------------


def samples(column: str, factor: float, unit: str = "", start: str = "timestamp") -> str:
    lines = [f"{start}, index, {column}, utilization.gpu [%]"]
    lines += [
        f"2026-03-03 10:00:0{k}, {gpu}, {watts[k] * factor:.9g}{unit}, 7 %"
        for k in range(3)
        for gpu, watts in WATTS.items()
    ]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        samples("power.draw [W]", 1, " W"),
        samples("power.draw [mW]", 1e3),
        samples("power.draw [mW]", 1e3, " mW"),
        samples("power.draw [W]", 1e3, " mW"),
        samples("power_mw", 1e3),
        samples("power_milliwatts", 1e3),
        samples("Power Usage (mW)", 1e3),
        samples("gpu_power_draw_kW", 1e-3),
        samples("power", 1, " Watts"),
        samples("Power [W]", 1),
        samples("power_watts", 1),
        samples("power.draw [W]", 1, " W") + "\n" + samples("power.draw [W]", 1, " W"),
        samples("power.limit [W], power.draw [mW]", 1e3).replace(", 0, ", ", 0, 700, ").replace(
            ", 1, ", ", 1, 700, "
        ),
    ],
)  # fmt: skip
def test_power_in_its_unit(text: str, tmp_path: Path) -> None:
    found = power_of(tmp_path, text)
    runs = text.count("index")
    assert [device.name for device in found.devices] == list(WATTS)
    for device, watts in zip(found.devices, WATTS.values(), strict=True):
        assert sorted(device.power_w) == pytest.approx(sorted(watts * runs))
    assert found.notes == ()


def test_more_watts_than_a_device_draws_are_told(tmp_path: Path) -> None:
    (note,) = power_of(tmp_path, samples("power", 1e3)).notes
    assert note.startswith("device 0 draws 119500 W in the mean, more than a device does")


def test_samples_go_on_beyond_midnight(tmp_path: Path) -> None:
    times = ("23:59:58.5", "23:59:59.5", "00:00:00.5", "00:00:01.5")
    lines = [f" {time}  {gpu}  {100 + k}" for k, time in enumerate(times) for gpu in (0, 1)]
    for text in (
        "\n".join(("#Time        gpu   pwr", "#HH:MM:SS    Idx     W", *lines)),
        "\n".join(("time,gpu,power_w", *(",".join(line.split()) for line in lines))),
    ):
        for device in power_of(tmp_path, text).devices:
            assert device.time_s is not None
            assert np.diff(device.time_s).tolist() == [1, 1, 1]
            assert device.power_w.tolist() == [100, 101, 102, 103]


def test_nanoseconds_since_1970(tmp_path: Path) -> None:
    for start, unit in (("timestamp", 10**9), ("timestamp_ns", 10**9), ("timestamp (ms)", 10**3)):
        lines = [f"{(1772532000 + k) * unit},{gpu},100" for k in range(3) for gpu in (0, 1)]
        found = power_of(tmp_path, "\n".join((f"{start},gpu,power_w", *lines)))
        assert found.absolute
        assert found.devices[0].time_s == pytest.approx([1772532000, 1772532001, 1772532002])


@pytest.mark.parametrize(
    "text",
    [
        "# HELP nvidia_smi_power_draw_watts w\nnvidia_smi_power_draw_watts 118\n",
        '{"data": {"resultType": "matrix", "result": [{"metric": {"gpu": "0"}, '
        '"values": [[1772532000, "118"]]}]}}',
    ],
)
def test_series_of_other_names_are_refused_with_the_file(text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"log: no series vllm:.* or DCGM_FI_DEV_POWER_USAGE"):
        taken(tmp_path, text)
