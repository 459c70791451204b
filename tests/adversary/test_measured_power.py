"""Power samples of each tool: two devices at 0.5 and 1.5 s after some second, 118 and 691 W."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from adversary.measurements.power import MeasuredPower
from adversary.measurements.read import Asked, read
from theory.model import InputError

CASES = Path(
    os.environ.get("EVENKEEL_CASES", Path(__file__).resolve().parents[3] / "shared" / "cases")
)
WITHOUT_CASES = "set EVENKEEL_CASES to the folder that holds the cases"

# Seconds since 1970 of 2026-03-03 10:00:00 UTC, as `date -u -d` gives it.
BEGIN = 1_772_532_000
TIMES = (BEGIN + 0.5, BEGIN + 1.5)
WATTS = ((118.25, 690.5), (117.75, 691.5))


def rows() -> list[tuple[float, int, float]]:
    return [(t, g, WATTS[k][g]) for k, t in enumerate(TIMES) for g in range(2)]


def smi(units: bool = True) -> str:
    watt, percent = (" W", " %") if units else ("", "")
    unit = " [W]" if units else ""
    text = f"timestamp, index, power.draw{unit}, utilization.gpu{' [%]' if units else ''}\n"
    for t, g, w in rows():
        stamp = f"2026/03/03 10:00:0{t - BEGIN:.3f}"
        text += f"{stamp}, {g}, {w:.2f}{watt}, {100 * g}{percent}\n"
    return text


def dcgm_power() -> str:
    head = "schema_version,timestamp_unix,scrape_seq,hostname,gpu_index,gpu_uuid,power_w\n"
    return head + "".join(f"1,{t},{k},n1,{g},GPU-{g},{w}\n" for k, (t, g, w) in enumerate(rows()))


def exporter() -> str:
    text = ""
    for t, g, w in rows():
        text += f'DCGM_FI_DEV_GPU_UTIL{{gpu="{g}",Hostname="n1"}} 77 {round(1000 * t)}\n'
        text += (
            f'DCGM_FI_DEV_POWER_USAGE{{gpu="{g}",modelName="H {{1}}",Hostname="n1"}} {w} '
            f"{round(1000 * t)}\n"
        )
    return text


def exporter_query() -> str:
    result = [
        {
            "metric": {"__name__": "DCGM_FI_DEV_POWER_USAGE", "gpu": str(g), "Hostname": "n1"},
            "values": [[t, str(WATTS[k][g])] for k, t in enumerate(TIMES)],
        }
        for g in range(2)
    ]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}})


def smi_dmon() -> str:
    text = ""
    for t, g, w in rows():
        if g == 0:
            text += "#Date       Time        gpu    pwr  gtemp  mtemp\n"
            text += "#YYYYMMDD   HH:MM:SS    Idx      W      C      C\n"
        text += f" 20260303   10:00:0{t - BEGIN:.1f}    {g}    {w}     45      -\n"
    return text


def dcgmi_dmon() -> str:
    text = ""
    for t, g, w in rows():
        if g == 0:
            text += f"{t} #Entity   POWER     TMPTR\n{t} ID         W         C\n"
        text += f"{t} GPU {g}     {w}    45\n"
    return text


def zeus(head: str = "") -> str:
    return head + "".join(f"{t},{a},{b}\n" for t, (a, b) in zip(TIMES, WATTS, strict=True))


def ml_energy() -> str:
    power = {
        "device_average": {str(g): [[t, 1.0] for t in TIMES] for g in range(2)},
        "device_instant": {
            str(g): [[t, WATTS[k][g]] for k, t in enumerate(TIMES)] for g in range(2)
        },
    }
    return json.dumps({"model_id": "m", "timeline": {"power": power, "temperature": {}}}, indent=1)


def rocm_json() -> str:
    field = "Current Socket Graphics Package Power (W)"
    return "".join(
        json.dumps({"timestamp": t, **{f"card{g}": {field: str(WATTS[k][g])} for g in range(2)}})
        + "\n"
        for k, t in enumerate(TIMES)
    )


def rocm_csv() -> str:
    head = "timestamp,device,Average Graphics Package Power (W)\n"
    return "".join(
        head + "".join(f"{t},card{g},{WATTS[k][g]}\n" for g in range(2))
        for k, t in enumerate(TIMES)
    )


SAMPLES: dict[str, tuple[str, Callable[[], str]]] = {
    "nvidia-smi": ("nvidia-smi", smi),
    "nvidia-smi without units": ("nvidia-smi", lambda: smi(units=False)),
    "dcgm-power": ("dcgm-power", dcgm_power),
    "DCGM exporter": ("dcgm-exporter", exporter),
    "DCGM exporter, query": ("dcgm-exporter", exporter_query),
    "nvidia-smi dmon": ("monitor", smi_dmon),
    "dcgmi dmon": ("monitor", dcgmi_dmon),
    "Zeus": ("zeus", zeus),
    "Zeus with a header": ("zeus", lambda: zeus("time,power0,power1\n")),
    "ML.ENERGY": ("ml-energy", ml_energy),
    "rocm-smi JSON": ("rocm-smi", rocm_json),
    "rocm-smi CSV": ("rocm-smi", rocm_csv),
}


def power_of(folder: Path, text: str, asked: Asked | None = None) -> MeasuredPower:
    path = folder / "power"
    path.write_text(text, "utf-8")
    found = read([path], asked).power
    assert found is not None
    return found


@pytest.mark.parametrize("name", SAMPLES)
def test_a_format_is_recognised_and_read(name: str, tmp_path: Path) -> None:
    form, write = SAMPLES[name]
    found = power_of(tmp_path, write())
    assert found.format == form
    assert found.absolute
    assert [device.name[-1] for device in found.devices] == ["0", "1"]
    for g, device in enumerate(found.devices):
        assert device.power_w.tolist() == [row[g] for row in WATTS]
        assert device.time_s is not None
        assert device.time_s.tolist() == pytest.approx(TIMES, abs=1e-6)
    if form == "nvidia-smi":
        assert [device.utilisation for device in found.devices] == [0.0, 1.0]


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("nvidia-smi", "690.50 W", "[N/A]", "line 3: power.draw [W] = [N/A] is not a number"),
        ("nvidia-smi", "690.50 W", "-3 W", "line 3: power.draw [W] = -3 is negative"),
        ("nvidia-smi", "2026/03/03 10:00:00.500, 1", "yesterday, 1", "timestamp = yesterday is no"),
        ("nvidia-smi", ", 1, 690.50", ", , 690.50", "line 3: index is missing"),
        ("nvidia-smi", ", 690.50 W, 100 %", "", "line 3: fields: 2, in the header: 4"),
        ("dcgm-power", "GPU-1,690.5", "GPU-1,nan", "line 3: power_w = nan is not a number"),
        ("DCGM exporter", '"n1"} 690.5 ', '"n1"} x ', "line 4: DCGM_FI_DEV_POWER_USAGE = x is not"),
        ("nvidia-smi dmon", "690.5", "-", "line 4: power = - is not a number"),
        ("dcgmi dmon", "GPU 1     690.5", "GPU 1", "line 4: fields: 2, in the header: 3"),
        ("Zeus", "691.5", "", "line 2: power1 is missing"),
        ("rocm-smi JSON", '"690.5"', '"N/A"', "line 1: card1: Current Socket"),
    ],
)
def test_damaged_samples(name: str, old: str, new: str, says: str, tmp_path: Path) -> None:
    text = SAMPLES[name][1]()
    assert old in text
    with pytest.raises(InputError) as refused:
        power_of(tmp_path, text.replace(old, new, 1))
    assert says in str(refused.value)
    assert str(tmp_path / "power") in str(refused.value)
    found = power_of(tmp_path, text.replace(old, new, 1), Asked(drop_bad=True))
    assert any("left out" in note for note in found.notes)


def test_samples_without_times(tmp_path: Path) -> None:
    text = "device,Average Graphics Package Power (W)\ncard0,118\ncard1,691\n"
    found = power_of(tmp_path, text)
    assert [d.time_s for d in found.devices] == [None, None]
    assert not found.absolute


def test_a_result_without_timelines(tmp_path: Path) -> None:
    for text, says in (
        ('{"timeline": {"temperature": {}}}', "timeline.power is missing"),
        ('{"timeline": {"power": {}}}', "timeline.power has no samples"),
        ('{"timeline": {"power": {"cpu": 3}}}', "timeline.power.cpu is no list"),
    ):
        with pytest.raises(InputError, match=says):
            power_of(tmp_path, text)


@pytest.mark.skipif(not CASES.is_dir(), reason=WITHOUT_CASES)
def test_the_case_of_two_devices() -> None:
    found = read([CASES / "power" / "nvidia-smi.csv"]).power
    assert found is not None
    assert [round(float(d.power_w.mean())) for d in found.devices] == [118, 693]
    assert [d.utilisation for d in found.devices] == [0, 1]
