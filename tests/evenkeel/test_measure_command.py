"""``evenkeel measure``: the answer first, JSON, pictures, devices, and one line for bad input."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from adversary.measurements.formats import FORMATS
from evenkeel.cli.main import main
from evenkeel.cli.measure import SCHEMA
from tests.adversary import measured_samples as made
from tests.oracles.fleet import measured, sampled
from theory.model import InputError
from theory.power import Unknown, hardware

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Call:
    """Runs ``evenkeel measure`` in a folder with every sample; gives code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    for name, (_, write) in made.SAMPLES.items():
        content = write()
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())

    def run(*words: str, command: str = "measure") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["evenkeel", command, *words])
        with pytest.raises(SystemExit) as stop:
            main()
        assert isinstance(stop.value.code, int)
        return stop.value.code, *capsys.readouterr()

    return run


@pytest.fixture
def run_files() -> tuple[str, str]:
    """A run of 400 steps with step times, and its power samples, as files in the folder."""
    run = measured()
    assert run.duration_s is not None
    lines = ["step,rank,load,duration_s"]
    for step, loads in enumerate(run.loads.astype(int).tolist()):
        lines += [f"{step},{g},{x},{run.duration_s[step]:.6f}" for g, x in enumerate(loads)]
    Path("loads.csv").write_text("\n".join(lines) + "\n", "utf-8")
    power = sampled(run)
    rows = ["timestamp_unix,gpu_index,power_w"]
    for device in power.devices:
        assert device.time_s is not None
        samples = zip(device.time_s, device.power_w, strict=True)
        rows += [f"{t:.3f},{device.name},{w:.2f}" for t, w in samples]
    Path("power.csv").write_text("\n".join(rows) + "\n", "utf-8")
    return "loads.csv", "power.csv"


@pytest.mark.parametrize("name", made.SAMPLES)
def test_the_answer_comes_first(name: str, call: Call) -> None:
    code, out, _ = call(name, "--kv-tokens", str(made.CACHE))
    assert code == 0
    answer = out.splitlines()[0]
    assert answer.startswith("The ranks wait ")
    # By hand, 530 of 2220; TensorRT-LLM's fourth line has the loads 330 and 340.
    share = 540 / 2900 if name.startswith("TensorRT") else 530 / 2220
    assert f"wait {100 * share:.1f} %" in answer
    assert made.SAMPLES[name][0] in out


def test_json_has_a_schema(call: Call) -> None:
    code, out, _ = call("long CSV", "--json", "--hardware", "a100-paper")
    found = json.loads(out)
    assert (code, found["schema"]) == (0, SCHEMA)
    assert found["idle_share"]["value"] == pytest.approx(530 / 2220)
    assert found["unit"] == "tokens"
    assert [rank["name"] for rank in found["by_rank"]] == ["0", "1"]
    assert found["no_step_time"].startswith("3 steps have a time")
    assert found["outlook"]["device"] == "a100-paper"


def test_standard_input(
    call: Call, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Stdin:
        buffer = io.BytesIO(made.sglang().encode())
        closed = False

    monkeypatch.setattr(sys, "stdin", Stdin)
    code, out, _ = call("-")
    assert (code, "sglang-decode" in out) == (0, True)


def test_the_list_of_formats(call: Call) -> None:
    code, out, _ = call("--formats")
    assert code == 0
    assert all(f"{name} ({about.kind}): " in out for name, about in FORMATS.items())


def test_a_picture(call: Call, run_files: tuple[str, str]) -> None:
    code, out, _ = call("loads.csv", "--draw", "out/loads.png")
    assert code == 0
    assert out.splitlines()[-1] == "picture: out/loads.png"
    assert Path("out/loads.png").read_bytes()[:4] == b"\x89PNG"
    assert call("matrix", "--draw", "loads.svg")[0] == 0
    assert Path("loads.svg").read_text("utf-8").startswith("<?xml")
    code, out, error = call("matrix", "--draw", "loads.bmp")
    assert (code, out) == (2, "")
    assert "a picture's name ends with .png, .svg, .pdf" in error


def test_what_the_theorems_allow(call: Call) -> None:
    code, out, _ = call("long CSV", "--sizes", "1", "5", "--mean-output", "10")
    assert code == 0
    assert "every online policy leaves at least" in out
    assert "with B = 3" in out  # the most requests that a rank ran
    for words, says in (
        (("--sizes", "1", "5"), "--sizes and --mean-output go together"),
        (("--sizes", "5", "1", "--mean-output", "9"), "need 1 <= MIN < MAX"),
    ):
        assert says in call("long CSV", *words)[2]


def test_measured_power_becomes_a_device(call: Call, run_files: tuple[str, str]) -> None:
    code, out, _ = call(*run_files, "--write-device", "rack 7.toml")
    assert code == 0
    assert "P_wait (W), at the barrier" in out
    device = hardware("rack 7.toml")
    assert device.name == "rack 7"
    assert device.idle_w == pytest.approx(90, abs=1)
    assert device.barrier_w == pytest.approx(240, abs=6)
    assert device.max_w == pytest.approx(600, abs=3)
    assert device.gamma == 1
    for command, words in (("energy", ("--idle-share", "0.3")), ("measure", ("loads.csv",))):
        code, out, _ = call(*words, "--hardware", "rack 7.toml", command=command)
        assert (code, "rack 7" in out) == (0, True)
    code, out, _ = call("power.csv", "--json")
    assert [round(d["samples"], -2) for d in json.loads(out)["devices"]] == [200] * 4


def test_a_power_that_was_not_measured_is_an_interval(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[a]\np_wait_w = 240\ngamma = 1\n", "utf-8")
    with pytest.raises(InputError, match=r"mine\.toml: a has no p_max_w, .*give --max-w"):
        hardware(str(path))
    path.write_text("[a]\np_max_w = 600\np_wait_w = 240\ngamma = 1\n", "utf-8")
    assert hardware(str(path)).unknown == (Unknown("idle_w", 0, 240),)
    assert hardware(str(path), {"idle_w": 100.0}).idle_w == 100
    path.write_text(path.read_text("utf-8") + "[b]\n", "utf-8")
    with pytest.raises(InputError, match=r"has 2 devices \(a, b\); name one, as in .*toml:a"):
        hardware(str(path))
    with pytest.raises(InputError, match=r"no device 'c'; it has: a, b"):
        hardware(f"{path}:c")
    assert hardware(f"{path}:a", {"idle_w": 100.0}).barrier_w == 240


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[a", "is not TOML"),
        ("[a]\np_idle_w = 'x'\n", "p_idle_w: expected `float"),
        ("", "has 0 devices"),
        ("[a]\np_idle_w = 9\np_max_w = 3\ngamma = 1\n", "idle_w <= max_w"),
        ("[a]\np_idle_w = 1\np_max_w = nan\ngamma = 1\n", "max_w must be a finite number"),
        ("[a]\np_max_w = 3\np_max_w_95 = [4, 2]\n", "max_w_95 must be two numbers in order"),
        ("[a]\np_max_w = 3\nwait_w = 2\n", "unknown key 'wait_w'"),
    ],
)
def test_a_file_that_is_no_device(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError) as refused:
        hardware(str(path))
    assert says in str(refused.value)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "give a log; evenkeel measure --formats lists what is read"),
        (("absent",), "absent: there is no such file"),
        ((".",), ".: is a directory"),
        (("matrix", "--format", "x"), "no format 'x'; known: matrix"),
        (("matrix", "--column", "load"), "--column needs KEY=NAME"),
        (("matrix", "--column", "x=y"), "--column x: known: step, rank, load"),
        (("matrix", "--hardware", "x"), "unknown hardware 'x'; known: "),
        (("matrix", "--hardware", "x.toml"), "x.toml: there is no such file"),
        (("matrix", "--write-device", "x.toml"), "needs power samples beside loads"),
        (("matrix", "SGLang"), "give loads of one format"),
        (("matrix", "matrix"), "matrix: is named twice; give each file once"),
        (("matrix", "matrix with times"), "a matrix has all ranks"),
        (("--max-bytes", "9", "matrix"), "holds more than 9 bytes"),
    ],
)
def test_bad_input_is_one_line(words: tuple[str, ...], says: str, call: Call) -> None:
    code, out, error = call(*words)
    assert (code, out) == (2, "")
    assert says in error
    assert "Traceback" not in error


def test_times_that_lack_a_step(call: Call) -> None:
    Path("steps.csv").write_text("step,start_s,duration_s\n0,0,1\n1,1,1\n", "utf-8")
    code, _, error = call("matrix", "steps.csv")
    assert code == 2
    assert "the file of times lacks step 2, which has loads (1 of 3 steps lack a time)" in error
    assert "times alone show nothing" in call("steps.csv")[2]


def test_ranks_that_do_not_step_together_are_told(call: Call) -> None:
    rows = [f"{k},{g},{k + g + 1},{10 * (1 + g)}" for k in range(20) for g in range(2)]
    Path("apart.csv").write_text("step,rank,load,duration_ms\n" + "\n".join(rows) + "\n", "utf-8")
    _, out, _ = call("apart.csv")
    assert "the durations of ranks differ by 50 %" in out


def test_idle_steps_are_left_out(call: Call) -> None:
    Path("idle.csv").write_text("rank0,rank1\n0,0\n4,2\n0,0\n", "utf-8")
    _, out, _ = call("idle.csv")
    assert "2 steps without any load are left out" in out
    Path("idle.csv").write_text("rank0,rank1\n0,0\n", "utf-8")
    assert "all loads are 0: nothing ran" in call("idle.csv")[2]
