"""The same seed gives the same bytes, whatever runs it and wherever.

Threads, processes and a Dask cluster are held equal in tests/evenkeel/test_sweep.py.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STEP = '{"loads": [9, 0, 4], "free": [1, 2, 1], "pool": [5, 6, 1, 2, 8, 3]}'
BACKLOG = '{"workers": 2, "slots": 2, "prefill": [5, 3, 4, 1, 2], "decode": [2, 1, 3, 2, 1]}'
TRACE = "arrival,prefill,decode\n" + "".join(
    f"{i},{10 + i * i % 97},{1 + i * 7 % 13}\n" for i in range(200)
)
SWEEP = """
rounds = 2
seeds = 2
[grid]
family = ["uniform"]
workers = [2]
slots = [2]
policy = ["power_of_two", "bfio"]
"""
SMALL = ("-G", "2", "-B", "2")
RANDOM = ("--policy", "power_of_two", "--policy", "trtllm_kv_aware", "--policy", "bfio")
# A solver that compiles first may need more than its default limit.
ANY_TIME = ("--time-limit", "900")
COMMANDS = {
    "simulate": ("simulate", *SMALL, "-n", "60", *RANDOM, "--seed", "7", "--json"),
    "assess": ("assess", "t.csv", *SMALL, "--json"),
    "attack": ("attack", "--policy", "jsq", *SMALL, "-n", "6", "--method", "climb", "--json"),
    "check": ("check", "fcfs.worst-case", "--json"),
    "claims": ("claims", "--json"),
    "gallery": ("gallery", "--json"),
    "policies": ("policies", *SMALL, "--json"),
    "solve": ("solve", "step.json", *ANY_TIME, "--certificate", "c.json", "--json"),
    "sweep": ("sweep", "s.toml", "--jobs", "2", "--json"),
    "reproduce": ("reproduce", "--claims", "energy.cap", "--jobs", "1", "--out", "out"),
}
# Beside what is timed; what no run can repeat.
TIMED = {"timings.jsonl", "report.html", "report.md"}


def run(words, folder, *, python=sys.executable, **environment):
    """What a command prints and leaves behind, in a new folder."""
    folder.mkdir(parents=True)
    files = {"step.json": STEP, "b.json": BACKLOG, "t.csv": TRACE, "s.toml": SWEEP}
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    done = subprocess.run(
        [python, "-m", "evenkeel", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        timeout=900,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr.decode()
    left = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in TIMED
    }
    return done.returncode, done.stdout, left


ELSEWHERE = {
    "PYTHONHASHSEED": "4711",
    "LC_ALL": "C",
    "LANG": "tr_TR.UTF-8",
    "TZ": "Pacific/Chatham",
    "COLUMNS": "40",
    "OMP_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "3",
}


def test_a_run_of_chance_is_the_same_in_other_surroundings(tmp_path, call):
    here = run(COMMANDS["simulate"], tmp_path / "here", PYTHONHASHSEED="0")
    there = run(COMMANDS["simulate"], tmp_path / "else where é", **ELSEWHERE)
    assert here == there
    other = [*COMMANDS["simulate"]]
    other[other.index("7")] = "8"
    assert json.loads(here[1])["runs"] != json.loads(call(*other)[1])["runs"]


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_the_same_in_other_surroundings(tmp_path, name):
    here = run(COMMANDS[name], tmp_path / "here", PYTHONHASHSEED="0")
    assert here == run(COMMANDS[name], tmp_path / "else where é", **ELSEWHERE)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sweep", "reproduce"])
def test_one_process_and_two_leave_the_same(tmp_path, name):
    words = [*COMMANDS[name]]
    found = []
    for jobs in ("1", "2"):
        words[words.index("--jobs") + 1] = jobs
        found.append(run(words, tmp_path / jobs))
    assert found[0] == found[1]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["simulate", "solve"])
def test_code_that_is_compiled_anew_gives_the_same(tmp_path, name):
    cold = run(COMMANDS[name], tmp_path / "cold", NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    assert list((tmp_path / "cache").rglob("*.nbc"))
    assert cold == run(COMMANDS[name], tmp_path / "warm")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["simulate", "solve", "attack", "assess"])
def test_other_interpreters_give_the_same(tmp_path, name):
    """Those of ``EVENKEEL_PYTHONS``, which have evenkeel's dependencies."""
    others = os.environ.get("EVENKEEL_PYTHONS", "").split(os.pathsep)
    if others == [""]:
        pytest.skip("EVENKEEL_PYTHONS names no other interpreters")
    here = run(COMMANDS[name], tmp_path / "here")
    for number, python in enumerate(others):
        assert run(COMMANDS[name], tmp_path / str(number), python=python) == here
