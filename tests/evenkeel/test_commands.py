"""The commands that people call: what they print, and one clear line for bad input."""

import gzip
import json
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import polars
import pytest

from adversary.workloads.layouts.known import LAYOUTS
from evenkeel.cli.main import main

Call = Callable[..., tuple[int, str, str]]

STEP = '{"loads": [3, 0, 1], "free": [1, 2, 2], "pool": [4, 2]}'

POLICIES = """
import numpy as np
from tests.oracles.policies import FCFS

class Overfill:
    name = "overfill"
    def admit(self, view):
        answer = FCFS().admit(view)
        return np.where(answer >= 0, 0, answer)

class Repeat:
    name = "repeat"
    def admit(self, view):
        answer = FCFS().admit(view)
        return np.concatenate([answer, answer[:1]])

class Invent:
    name = "invent"
    def admit(self, view):
        return np.full(view.pool.size, 99)

class Drop:
    name = "drop"
    def admit(self, view):
        return np.full(view.pool.size, -1)

class Raise:
    name = "raise"
    def admit(self, view):
        raise RuntimeError("boom")

class Fine:
    name = "fine"
    def admit(self, view):
        return FCFS().admit(view)

nothing = 3
"""


@pytest.fixture
def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Call:
    """Runs the command line in an empty directory; gives exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "own_policies.py").write_text(POLICIES)
    sys.modules.pop("own_policies", None)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["evenkeel", *words])
        with pytest.raises(SystemExit) as stop:
            main()
        assert isinstance(stop.value.code, int)
        return stop.value.code, *capsys.readouterr()

    return run


SMALL = ("simulate", "-G", "2", "-B", "2", "-n", "40", "--param", "length=5")


def test_simulate_reports_each_policy(call: Call) -> None:
    code, out, _ = call(*SMALL, "--policy", "fcfs", "--policy", "own_policies:Fine", "--json")
    assert code == 0
    fcfs, own = json.loads(out)["runs"]
    assert own | {"policy": "fcfs"} == fcfs  # the same decisions, the same numbers
    code, out, _ = call(*SMALL)
    assert code == 0
    assert "idle share, overloaded" in out


def test_simulate_says_what_each_worker_did(call: Call) -> None:
    # Three requests, each gone before the next comes: a step lasts milliseconds.
    rows = "prefill,decode,arrival\n10,2,0\n10,2,10\n10,2,20\n"
    Path("t.csv").write_text(rows)
    words = ("simulate", "--trace", "t.csv", "--timed", "-G", "2", "-B", "2")
    policies = ("--policy", "jsq", "--policy", "vllm_dp_rotating", "--requests-out", "out.parquet")
    code, out, _ = call(*words, *policies, "--json")
    assert code == 0
    fixed, rotating = (run["by_worker"] for run in json.loads(out)["runs"])
    assert (fixed["requests"], rotating["requests"]) == ([3, 0], [2, 1])
    # A request works 10 + 11 tokens, for which the other worker waits.
    assert (fixed["work"], rotating["work"]) == ([63, 0], [42, 21])
    assert fixed["idle_s"] == pytest.approx([0, 63 * 1.0052e-7])
    assert rotating["idle_share"] == pytest.approx([1 / 3, 2 / 3])
    code, out, _ = call(*words, *policies)
    assert code == 0
    assert "requests vllm_dp_rotating" in out
    found = polars.read_parquet("out.parquet")
    assert found["policy"].to_list() == ["jsq"] * 3 + ["vllm_dp_rotating"] * 3
    assert found["worker"].to_list() == [0, 0, 0, 0, 1, 0]
    assert found["arrival_s"].to_list() == found["start_s"].to_list() == 2 * [0.0, 10.0, 20.0]
    assert found["start_step"].to_list() == 2 * [0, 2, 4]


def test_simulate_takes_systems_that_are_not_of_the_model(call: Call) -> None:
    words = ("--system", "kv_budget=400", "--system", "queues=yes", "--system", "slots_of=3,2")
    code, out, _ = call(*SMALL, "--param", "b=20", "--policy", "jsq", *words, "--json")
    assert code == 0
    told = json.loads(out)
    assert "slots differ, tokens have a budget, workers have queues" in told["notes"][0]
    assert told["runs"][0]["preemptions"] == 0
    assert sum(told["runs"][0]["by_worker"]["requests"]) == 40
    code, out, _ = call(*SMALL, "--system", "kv_budget=2000", "--system", "tokens_per_step=2")
    assert code == 0
    assert "fcfs: 0 preemptions" in out
    for bad, word in (
        ("speed=2", "one of slots_of, slowness"),
        ("queues=1", "must be yes or no"),
        ("slowness=fast,slow", "must be integers with commas"),
        ("hold=x", "must be an integer"),
        ("slowness=1", "for each of 2 workers"),
    ):
        code, _, error = call(*SMALL, "--system", bad)
        assert code == 2
        assert word in error


def test_a_policy_that_leaves_slots_empty_is_not_applicable(call: Call) -> None:
    lazy = POLICIES.replace('name = "drop"', 'name, work_conserving = "drop", False')
    Path("own_policies.py").write_text(lazy)
    _, out, _ = call("check", "step.full-refill-gap", "--policy", "own_policies:Drop")
    assert "not applicable" in out
    assert "not work conserving" in out


def test_of_many_workers_the_extremes_are_shown(call: Call) -> None:
    code, out, _ = call("simulate", "-G", "20", "-B", "2", "-n", "45", "--policy", "fcfs")
    assert code == 0
    assert [
        line.split()[0] for line in out.splitlines() if line.startswith(("fewest", "med", "most"))
    ] == ["fewest", "median", "most"]


def test_a_policy_of_ones_own_is_compared_and_listed(call: Call) -> None:
    small = ("-G", "2", "-B", "2", "--seeds", "1", "--rounds", "2")
    code, out, _ = call("policies", "--policy", "own_policies:Fine", *small)
    assert code == 0
    assert "own_policies:Fine" in out
    code, out, _ = call("policies", "--list", "--policy", "own_policies:Fine", "--json")
    assert (code, list(json.loads(out))) == (0, ["own_policies:Fine"])


def test_the_help_of_simulate_names_every_policy(call: Call) -> None:
    from solvers.policies.registry import POLICIES, policy

    code, out, _ = call("simulate", "--help")
    assert code == 0
    listed = out.partition("Policies: ")[2]
    for name in POLICIES:
        assert f"{name}," in listed
    for line in listed.splitlines():
        spec = line.split()[0] if line.startswith("    ") else ""
        if ":" in spec:
            assert policy(spec).name.startswith(spec)


def test_simulate_says_when_nothing_is_overloaded(call: Call) -> None:
    code, out, _ = call(*SMALL, "--pool", "3")
    assert code == 0
    assert "no overloaded part" in out


def test_assess_of_the_sample_trace(call: Call) -> None:
    code, out, _ = call("assess", "-G", "4", "-B", "8", "--json")
    assert code == 0
    found = json.loads(out)
    saved = found["saving"]
    assert saved["floor"] <= saved["simulated"] <= saved["cap"]
    assert found["rows"] == 3000
    assert found["assumptions_that_fail"]
    assert any("sample trace" in note for note in found["notes"])
    rows = files("adversary.workloads").joinpath("sample_trace.csv").read_text().splitlines()
    Path("some.csv").write_text("\n".join(rows[:300]) + "\n")
    code, out, _ = call("assess", "some.csv", "-G", "4", "-B", "8", "--timed")
    assert code == 0
    assert "Assumptions that do not hold" in out


OTEL = (
    '{"startTimeUnixNano": 1000000000000000000, "attributes": {"gen_ai.usage.input_tokens": 5, '
    '"gen_ai.usage.output_tokens": 2, "my.limit": 4}}\n'
    '{"startTimeUnixNano": 1000000002000000000, "attributes": {"gen_ai.usage.input_tokens": 7, '
    '"gen_ai.usage.output_tokens": 3, "my.limit": 6}}\n'
)


@pytest.mark.parametrize(
    ("options", "output", "duration_s"),
    [
        ((), 5, 2),
        (("--decode", "attributes.my.limit"), 10, 2),
        (("--decode", "my.limit", "--arrival", "my.limit", "--arrival-unit", "ms"), 10, 0.002),
    ],
)
def test_assess_reads_what_it_is_told_to(
    call: Call, options: tuple[str, ...], output: int, duration_s: float
) -> None:
    Path("spans.jsonl").write_text(OTEL, "utf-8")
    words = ("assess", "spans.jsonl", "-G", "1", "-B", "1", *options)
    code, out, _ = call(*words, "--json")
    assert code == 0
    found = json.loads(out)
    assert (found["format"], found["rows"], found["duration_s"]) == ("otel-spans", 2, duration_s)
    assert (found["prompt_tokens"], found["output_tokens"]) == (12, output)
    told = f"otel-spans layout, {duration_s:.6g} s, 12 prompt and {output} output tokens"
    assert told in call(*words)[1]


def test_simulate_drops_bad_rows_and_says_which(call: Call) -> None:
    Path("t.csv").write_text("Request tokens,Response tokens\n5,2\n6,0\n7,3\n", "utf-8")
    words = ("simulate", "--trace", "t.csv", "-G", "1", "-B", "1", "--policy", "fcfs")
    code, out, err = call(*words)
    assert (code, out) == (2, "")
    assert "t.csv: data row 2 (line 3): Response tokens = 0 marks a failed request; 1 of 3" in err
    code, out, _ = call(*words, "--drop-bad")
    assert code == 0
    assert "t.csv: 2 requests as a backlog" in out
    assert "note: 1 of 3 rows cannot be used and were dropped; data row 2 (line 3): Resp" in out


def test_formats_tells_each_layout(call: Call) -> None:
    code, out, _ = call("formats")
    assert code == 0
    found = json.loads(call("formats", "--json")[1])["formats"]
    assert [one["name"] for one in found] == [*LAYOUTS]
    for one in found:
        assert f"{one['name']}: {one['written_by']}" in out
        for field in ("prefill", "decode", "arrival"):
            assert all(path in out for path in one[field])
        assert f"source: {one['source']}" in out


def test_energy(call: Call) -> None:
    code, out, _ = call("energy", "--hardware", "a100-paper", "--json")
    assert code == 0
    (device,) = json.loads(out)["hardware"]
    # P_idle / (P_idle + (1 - gamma)(P_max - P_idle)) = 100 / (100 + 0.3 * 300) = 10/19
    assert device["limit"] == pytest.approx(10 / 19)
    own = ("--idle-w", "0", "--max-w", "400", "--gamma", "1")
    for words in ((), own, ("--hardware", "h100-sxm", "--wait-w", "300")):
        code, out, _ = call("energy", *words)
        assert code == 0
        assert out


@pytest.mark.parametrize("solver", ["highs", "cbc", "cvxpy", "scan", "fast", "all"])
def test_solve(call: Call, solver: str) -> None:
    Path("step.json").write_text(STEP)
    code, out, _ = call("solve", "step.json", "--solver", solver, "--json")
    assert code == 0
    # The whole pool is admitted: total 10 on 3 workers, so the top is at least 4: 3 * 4 - 10.
    assert json.loads(out)["imbalance"] == 2


def test_doctor(call: Call) -> None:
    code, out, _ = call("doctor", "--json")
    assert code == 0
    found = json.loads(out)
    assert found["wrong"] == []
    assert {"highs", "cbc", "cvxpy", "fast"} <= set(found["shelf"])


def test_doctor_warns_of_known_bad_versions() -> None:
    from evenkeel.cli.doctor import version_warnings

    assert version_warnings({"highspy": "1.15.1", "pulp": "3.3.2"}) == []
    assert len(version_warnings({"highspy": "1.14.0", "pulp": "4.0.0"})) == 2
    assert len(version_warnings({"highspy": "1.12.0", "pulp": "3.3.2"})) == 1


GOOD = "arrival,prefill,decode\n0,5,3\n1,6,2\n"
TRACES = {
    "empty": b"",
    "truncated gzip": gzip.compress(GOOD.encode() * 50)[:40],
    "missing column": b"arrival,prefill\n0,5\n",
    "negative size": b"arrival,prefill,decode\n0,-5,3\n",
    "zero size": b"arrival,prefill,decode\n0,0,3\n",
    "NaN size": b"arrival,prefill,decode\n0,NaN,3\n",
    "huge size": b"arrival,prefill,decode\n0,1e30,3\n",
    "fraction": b"arrival,prefill,decode\n0,1.5,3\n",
    "zero length": b"arrival,prefill,decode\n0,5,0\n",
    "binary": bytes(range(256)),
    "header only": b"arrival,prefill,decode\n",
    "no time": b"arrival,prefill,decode\nnoon,5,3\n",
}
STEPS = {
    "not JSON": "loads: 3",
    "a list": "[1, 2]",
    "missing field": '{"loads": [1], "free": [1]}',
    "negative load": '{"loads": [-1], "free": [1], "pool": [1]}',
    "text": '{"loads": ["x"], "free": [1], "pool": [1]}',
    "zero size": '{"loads": [1], "free": [1], "pool": [0]}',
    "huge": '{"loads": [1], "free": [1], "pool": [1' + "0" * 40 + "]}",
    "shapes": '{"loads": [1, 2], "free": [1], "pool": [1]}',
    "unknown field": '{"loads": [1], "free": [1], "pool": [1], "more": 2}',
}
WORDS = {
    "missing file": ("assess", "absent.csv"),
    "directory": ("assess", "."),
    "unknown policy": (*SMALL, "--policy", "no_such"),
    "missing module": (*SMALL, "--policy", "no_such_module:Policy"),
    "missing attribute": (*SMALL, "--policy", "own_policies:Absent"),
    "no policy": (*SMALL, "--policy", "own_policies:nothing"),
    **{
        f"policy: {name}": (*SMALL, "--policy", f"own_policies:{name}")
        for name in ("Overfill", "Repeat", "Invent", "Drop", "Raise")
    },
    "gamma 0": ("energy", "--idle-w", "1", "--max-w", "2", "--gamma", "0"),
    "gamma 2": ("energy", "--idle-w", "1", "--max-w", "2", "--gamma", "2"),
    "NaN power": ("energy", "--idle-w", "nan", "--max-w", "2", "--gamma", "0.5"),
    "idle above max": ("energy", "--idle-w", "3", "--max-w", "2", "--gamma", "0.5"),
    "half a device": ("energy", "--idle-w", "3"),
    "waiting below idle": ("energy", "--hardware", "h100-sxm", "--wait-w", "3"),
    "waiting above max": ("energy", "--hardware", "h100-sxm", "--wait-w", "701"),
    "idle above waiting": ("energy", "--hardware", "v100-sxm2", "--idle-w", "67"),
    "idle share 1": ("energy", "--idle-share", "1"),
    "NaN improvement": ("energy", "--improvement", "nan"),
    "unknown hardware": ("energy", "--hardware", "abacus"),
    "unknown hardware to run": (*SMALL, "--hardware", "abacus"),
    "G 0": ("simulate", "-G", "0"),
    "B 0": ("assess", "-B", "0"),
    "G negative": ("simulate", "-G", "-1"),
    "G not a number": ("simulate", "-G", "many"),
    "G beyond memory": ("simulate", "-G", str(10**13), "-B", "1", "-n", "5"),
    "G*B beyond integers": ("simulate", "-G", str(10**13), "-B", str(10**13), "-n", "5"),
    "10 rounds too many": ("simulate", "-G", "10000", "-B", "10000"),
    "pool 0": (*SMALL, "--pool", "0"),
    "no requests": ("simulate", "-n", "0"),
    "unknown family": ("simulate", "--family", "no_such"),
    "unknown parameter": (*SMALL, "--param", "colour=3"),
    "parameter not a number": (*SMALL, "--param", "a=x"),
    "parameter without value": (*SMALL, "--param", "a"),
    "timed without trace": (*SMALL, "--timed"),
    "trace and family": ("simulate", "--trace", "t.csv", "--family", "uniform"),
    "missing step": ("solve", "absent.json"),
    "unknown solver": ("solve", "absent.json", "--solver", "oracle"),
    "NaN time limit": ("solve", "absent.json", "--time-limit", "nan"),
    "unknown command": ("prophesy",),
}


def one_clear_line(answer: tuple[int, str, str]) -> None:
    """Exit code 2, nothing on stdout, one error line and no traceback on stderr."""
    code, out, err = answer
    assert code == 2
    assert out == ""
    assert sum("error:" in line.lower() for line in err.splitlines()) == 1
    assert "Traceback" not in err


@pytest.mark.parametrize("kind", TRACES)
@pytest.mark.parametrize("words", [("assess",), ("simulate", "--trace")])
def test_bad_trace(call: Call, kind: str, words: tuple[str, ...]) -> None:
    Path("trace.csv").write_bytes(TRACES[kind])
    answer = call(*words, "trace.csv")
    one_clear_line(answer)
    assert "trace.csv" in answer[2]


@pytest.mark.parametrize("kind", STEPS)
def test_bad_step(call: Call, kind: str) -> None:
    Path("step.json").write_text(STEPS[kind])
    answer = call("solve", "step.json")
    one_clear_line(answer)
    assert "step.json" in answer[2]


@pytest.mark.parametrize("kind", WORDS)
def test_bad_words(call: Call, kind: str) -> None:
    one_clear_line(call(*WORDS[kind]))
