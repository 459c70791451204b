"""Systems that depart from the model, in every command that takes one."""

import json

import polars
import pytest

from adversary.workloads.families import workload
from evenkeel.cli.main import main
from evenkeel.cli.system_option import system_of
from evenkeel.studies.grid import read_sweep
from evenkeel.theorems.registry import Assumption
from solvers.simulation.engine import simulate
from theory.model import InputError, System
from theory.serving import FIELDS, ServingSystem

# For each field a value that departs from the model at G = 2, as the command line has it.
DEPARTS = {
    "slots_of": "3,2",
    "slowness": "2,3",
    "request_cost": "5",
    "kv_budget": "4000",
    "tokens_per_step": "2",
    "queues": "yes",
    "admit_every": "2",
    "hold": "3",
}

SWEEP = """
rounds = 2
seeds = 2
[grid]
family = ["uniform"]
workers = [2]
slots = [3]
policy = ["jsq", "vllm_in_flight"]
"""

SYSTEM = "\n[system]\nqueues = true\nkv_budget = 4000\nslowness = [2, 3]\n"


@pytest.fixture
def call(capsys, monkeypatch):
    def call(*words):
        monkeypatch.setattr("sys.argv", ["evenkeel", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        return (end.value.code, *capsys.readouterr())

    return call


def test_there_is_a_departure_for_every_field():
    assert {*DEPARTS, "reserve"} == {*FIELDS}
    assert system_of(2, 3, ()) == System.paper(2, 3)


def cells(text, tmp_path, name="sweep.toml"):
    path = tmp_path / name
    path.write_text(text)
    return read_sweep(path)


@pytest.mark.usefixtures("in_threads")
def test_a_sweep_runs_the_system_of_its_file(call, tmp_path):
    plain, departs = cells(SWEEP, tmp_path), cells(SWEEP + SYSTEM, tmp_path)
    # The same requests, and other rows.
    assert [cell.seed for cell in plain.cells] == [cell.seed for cell in departs.cells]
    assert not {cell.name for cell in plain.cells} & {cell.name for cell in departs.cells}
    assert plain.notes == ()
    assert "tokens have a budget, workers have queues" in departs.notes[0]
    out = tmp_path / "out"
    code, _, error = call("sweep", tmp_path / "sweep.toml", "--out", out, "--jobs", "1")
    assert code == 0, error
    rows = polars.read_parquet(out)
    assert json.loads(rows["departures"][0]) == {
        "kv_budget": 4000,
        "queues": True,
        "slowness": [2, 3],
    }
    paper = System.paper(2, 3)
    system = ServingSystem(
        *(2, 3, paper.drift, paper.step_overhead_s, paper.seconds_per_token),
        kv_budget=(4000, 4000),
        queues=True,
        slowness=(2, 3),
    )
    for row in rows.iter_rows(named=True):
        run = simulate(system, workload("uniform", 12, row["seed"]), row["policy"])
        assert row["whole_imbalance"] == run.total.imbalance
        assert row["time_s"] == run.time_s


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("quues = true", "quues"),
        ("queues = 1", "queues"),
        ("kv_budget = [1, 'a']", "kv_budget"),
        ("kv_budget = -5", "kv_budget"),
        ("slowness = [1, 2, 3]", "slowness must hold an integer >= 1 for each of 2 workers"),
        ("reserve = 5", "reserve must be an integer >= 0 beside a kv_budget"),
        ("slots_of = [[1]]", "slots_of"),
    ],
)
def test_a_sweep_refuses_a_system_that_is_none(table, message, tmp_path):
    with pytest.raises(InputError, match=message):
        cells(f"{SWEEP}\n[system]\n{table}\n", tmp_path)


def test_assess_says_what_the_theorems_do_not(call, tmp_path):
    words = ("assess", "-G", "2", "-B", "3", "--policy", "bfio", "--json")
    told = {}
    for key, more in (("plain", ()), ("departs", ("--system", "queues=yes"))):
        code, out, error = call(*words, *more)
        assert code == 0, error
        told[key] = json.loads(out)
    plain, departs = told["plain"], told["departs"]
    assert plain["guarantees"] is not None
    assert plain["saving"]["cap"] is not None
    assert Assumption.MODEL.value not in plain["assumptions_that_fail"]
    assert departs["guarantees"] is None
    assert departs["saving"]["cap"] is departs["saving"]["floor"] is None
    assert departs["assumptions_that_fail"][Assumption.MODEL.value] == "workers have queues"
    assert any(
        "departs from the model (workers have queues)" in text for text in departs["caveats"]
    )
    assert departs["system"] == ["queues=yes"]


def test_policies_run_on_a_system_and_may_leave_slots_empty(call, tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n"
        "class Mine:\n"
        "    '''At most one request a step, to the lightest.'''\n"
        "    name, work_conserving = 'mine', False\n"
        "    def admit(self, view):\n"
        "        answer = np.full(view.pool.size, -1)\n"
        "        answer[0] = np.argmin(np.where(view.free > 0, view.loads, 2**62))\n"
        "        return answer\n"
    )
    monkeypatch.chdir(tmp_path)
    words = ("policies", "-G", "2", "-B", "2", "--rounds", "2", "--seeds", "1")
    code, out, error = call(
        *words, "--policy", "mine:Mine", "--policy", "jsq", "--system", "hold=2"
    )
    assert code == 0, error
    assert "admissions are held back" in out
    code, out, error = call("policies", "--list", "--policy", "mine:Mine", "--json")
    assert code == 0, error
    assert json.loads(out)["mine:Mine"] == {"text": "At most one request a step, to the lightest."}


@pytest.mark.parametrize("command", ["assess", "policies", "simulate"])
@pytest.mark.parametrize("bad", ["x=1", "queues=2", "kv_budget=a", "hold", "slots_of=1,2,3"])
def test_a_bad_system_is_one_clear_line(call, command, bad):
    code, _, error = call(command, "-G", "2", "-B", "2", "--system", bad)
    assert code == 2
    assert error.startswith("error: ")
    assert error.count("\n") == 1
