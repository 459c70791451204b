"""Sweeps: the same rows from any executor and in any order, nothing run twice, errors by name."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars
import pytest

from adversary.workloads.families import workload
from evenkeel.cli.main import cli
from evenkeel.runs.executors import executor
from evenkeel.studies import grid as sweeps
from evenkeel.studies.grid import Sweep, perform, read_sweep, run_sweep
from evenkeel.studies.grid import means as _means
from solvers.simulation.engine import simulate
from theory.model import InputError, Requests
from theory.power import DEFAULT_DEVICE, hardware

SWEEPS = Path(__file__).parents[2] / "sweeps"

SMALL = """
name = "small"
rounds = 2
seeds = 2
[grid]
family = ["uniform"]
workers = [2, 3]
slots = [4]
policy = ["fcfs", "bfio"]
overhead_s = [0.0, 0.001]
[parameters]
b = [50]
length = [3]
"""


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(SMALL, "utf-8")
    return read_sweep(path)


def rows_of(sweep, folder):
    with ThreadPoolExecutor(1) as pool:
        return run_sweep(sweep, folder, pool)


def test_the_grid_is_all_combinations(small):
    assert small.name == "small"
    assert len(small.cells) == len(set(small.cells)) == 2 * 2 * 2 * 2
    assert len({cell.name for cell in small.cells}) == len(small.cells)


def test_policies_are_compared_on_the_same_requests(small):
    # Seeds differ with the size of the system and the repeat, and with nothing else here.
    assert len({cell.seed for cell in small.cells}) == 4
    for cell in small.cells:
        assert cell.seed == replace(cell, policy="jsq", pool=9, hardware="b200").seed
        assert cell.seed != replace(cell, parameters=(("b", 51), ("length", 3))).seed


def test_a_row_is_what_the_engine_says(small):
    cell = small.cells[-1]
    row = perform(cell)
    requests = workload("uniform", 2 * 3 * 4, cell.seed, b=50, length=3)
    power = hardware(DEFAULT_DEVICE)
    run = simulate(cell.system, requests, "bfio", seed=cell.seed % 2**31, gammas=(power.gamma,))
    assert cell.system.step_overhead_s == 0.001
    assert row["whole_imbalance"] == run.total.imbalance
    assert row["overloaded_steps"] == run.overloaded.steps
    assert row["energy_j"] == run.energy_j(power)


def test_any_executor_and_any_order_give_the_same_files(small, tmp_path):
    rows = rows_of(small, tmp_path / "a")
    backwards = Sweep("small", small.cells[::-1])
    with executor(jobs=2) as processes:
        again = run_sweep(backwards, tmp_path / "b", processes)
    assert rows.equals(again.reverse())
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == sorted(f"{cell.name}.parquet" for cell in small.cells)
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_cells_on_disk_are_not_run_again(small, tmp_path, monkeypatch):
    rows = rows_of(small, tmp_path)
    gone = tmp_path / f"{small.cells[3].name}.parquet"
    gone.unlink()
    asked = []
    monkeypatch.setattr(sweeps, "perform", lambda cell: asked.append(cell) or perform(cell))
    assert rows_of(small, tmp_path).equals(rows)
    assert asked == [small.cells[3]]


def test_the_files_are_one_data_set(small, tmp_path):
    rows = rows_of(small, tmp_path)
    whole = polars.scan_parquet(tmp_path / "*.parquet").collect()
    assert sorted(whole["energy_j"]) == sorted(rows["energy_j"])


def test_a_cluster_gives_the_same_files(small, tmp_path):
    distributed = pytest.importorskip("distributed", reason="pip install 'evenkeel[cluster]'")
    rows = rows_of(small, tmp_path / "a")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        executor(cluster=cluster.scheduler_address) as remote,
    ):
        assert run_sweep(small, tmp_path / "b", remote).equals(rows)


def test_no_cluster_at_that_address(monkeypatch):
    pytest.importorskip("distributed", reason="pip install 'evenkeel[cluster]'")
    monkeypatch.setattr("evenkeel.runs.executors.CONNECT_S", 0.1)
    with (
        pytest.raises(InputError, match="no Dask scheduler answers"),
        executor(cluster="tcp://127.0.0.1:9"),
    ):
        pass


def test_processes_or_a_cluster_not_both():
    with (
        pytest.raises(InputError, match="--jobs or --cluster"),
        executor(2, "tcp://127.0.0.1:9"),
    ):
        pass


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rounds = 2", "rounds = 0", "rounds must be an integer of at least 1"),
        ("rounds = 2", "speed = 2", "unknown key 'speed'; a sweep has: name"),
        ("slots = [4]", "slot = [4]", "no axis 'slot'; it has: family"),
        ("slots = [4]", "slots = 4", "grid.slots must be a list"),
        ("slots = [4]", "slots = [4, 4]", "names a value twice"),
        ("slots = [4]", "slots = [0]", "slots must be an integer >= 1"),
        ("slots = [4]", 'slots = ["4"]', "grid.slots has the value '4' of a wrong type"),
        ("slots = [4]", "slots = [4]\npool = [0]", "grid.pool must be at least 1"),
        ('"bfio"', '"nonsense"', "nonsense"),
        ('"uniform"', '"nonsense"', "no workload 'nonsense'"),
        ("b = [50]", "z = [50]", "no parameter 'z'"),
        ("seeds = 2", "seeds =", "is not TOML"),
    ],
)
def test_a_wrong_sweep_is_refused_before_the_first_run(tmp_path, old, new, message):
    path = tmp_path / "wrong.toml"
    path.write_text(SMALL.replace(old, new), "utf-8")
    with pytest.raises(InputError, match=r"wrong\.toml") as error:
        read_sweep(path)
    assert message in str(error.value)


def test_a_damaged_file_is_named(small, tmp_path):
    rows_of(small, tmp_path)
    (tmp_path / f"{small.cells[0].name}.parquet").write_text("nothing", "utf-8")
    with pytest.raises(InputError, match="not a cell"):
        rows_of(small, tmp_path)


@pytest.mark.parametrize("path", sorted(SWEEPS.glob("*.toml")), ids=lambda path: path.stem)
def test_the_shipped_sweeps_run_at_a_reduced_size(path):
    cells = read_sweep(path).cells
    small = {
        replace(cell, workers=2, slots=2, pool=None if cell.pool is None else 4, rounds=3)
        for cell in cells
        if cell.repeat == 0
    }
    tokens: dict[tuple[str, int], set[int]] = {}
    for cell in small:
        row = perform(cell)
        tokens.setdefault((cell.family, cell.seed), set()).add(row["whole_work"])
    assert all(len(works) == 1 for works in tokens.values())  # whatever the policy


def test_the_shipped_sweeps_have_an_axis_each():
    assert {path.stem for path in SWEEPS.glob("*.toml")} == {
        *("workers", "slots", "horizon", "prediction-error", "pool", "overhead", "hardware"),
    }
    workers = {cell.workers for cell in read_sweep(SWEEPS / "workers.toml").cells}
    assert (min(workers), max(workers)) == (8, 4096)


@pytest.mark.usefixtures("in_threads")
def test_the_command_prints_means_or_json(tmp_path, capsys):
    path, out = tmp_path / "small.toml", str(tmp_path / "out")
    path.write_text(SMALL, "utf-8")
    cli.main(["sweep", str(path), "--out", out, "--jobs", "1"], standalone_mode=False)
    text = capsys.readouterr().out
    assert "±" in text
    assert text.splitlines()[-1] == f"16 cells in {out}"
    assert len(text.splitlines()) == 2 + 8 + 3  # head and rule, points of the grid, last lines
    cli.main(["sweep", str(path), "--out", out, "--json"], standalone_mode=False)
    assert len(json.loads(capsys.readouterr().out)["cells"]) == 16


def test_each_column_of_means_is_the_number_of_its_heading():
    """Two seeds: the mean, and 12.706 (Student, one degree of freedom) times half the distance."""
    axes = {
        **{"family": "uniform", "parameters": "{}", "workers": 2, "slots": 4, "pool": None},
        **{"overhead_s": None, "hardware": "a100-paper"},
        **dict.fromkeys(("idle_w", "wait_w", "max_w", "gamma")),
    }
    values = {
        "whole_idle_share": (0.2, 0.4),
        "overloaded_idle_share": (0.1, None),
        "whole_avg_imbalance": (1000.0, 1002.0),
        "throughput_tokens_per_s": (50.0, 54.0),
        "tpot_mean_s": (0.010, 0.012),
        "energy_j": (7000.0, 7400.0),
        "energy_least_j": (7000.0, 7400.0),
        "energy_most_j": (7000.0, 8400.0),
        "waiting_max_steps": (8, 10),
    }
    rows = [
        {**axes, "policy": policy, **{key: pair[seed] for key, pair in values.items()}}
        for policy in ("fcfs", "bfio")
        for seed in (0, 1)
    ]
    head, _, first, second = _means(polars.DataFrame(rows)).splitlines()
    assert head.split("  ")[0].strip() == "policy"
    names = (
        "idle % idle* % imbalance tokens/s TPOT ms energy kJ at least kJ at most kJ longest wait"
    )
    assert head.split()[1:] == names.split()
    # Half distances 10 points, -, 1, 2, 1 ms, 0.2 kJ and 1 step.
    for line, policy in ((first, "fcfs"), (second, "bfio")):
        assert [cell.strip() for cell in line.split("  ") if cell.strip()] == [
            *(policy, "30.0 ± 127.1", "10.0", "1001 ± 13", "52 ± 25", "11.00 ± 12.71"),
            *("7.2 ± 2.5", "7.2 ± 2.5", "7.7 ± 8.9", "9 ± 13"),
        ]


TRACED = """
rounds = 2
seeds = 2
[grid]
workers = [2]
slots = [3]
policy = ["fcfs", "bfio"]
[trace]
file = "mine/trace.csv"
prefill = "in"
decode = "out"
drop_bad = true
"""


def test_lengths_of_a_trace(tmp_path):
    """Drawn from its rows with replacement, and known by them, not by where the file is."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "trace.csv").write_text("in,out\n700,2\n0,1\n50,3\n", "utf-8")
    path = tmp_path / "traced.toml"
    path.write_text(TRACED, "utf-8")
    traced = read_sweep(path)
    assert [cell.policy for cell in traced.cells] == ["fcfs", "fcfs", "bfio", "bfio"]
    assert traced.notes == (
        "1 of 3 rows cannot be used and were dropped; "
        "data row 2 (line 3): in = 0 must be at least 1",
    )
    cell = traced.cells[0]
    assert cell.family.startswith("trace.csv ")
    rows = np.random.default_rng(cell.seed).integers(2, size=12)
    requests = Requests(np.array([700, 50])[rows], np.array([2, 3])[rows])
    run = simulate(cell.system, requests, "fcfs", seed=cell.seed % 2**31)
    assert perform(cell)["whole_imbalance"] == run.total.imbalance
    (tmp_path / "else").mkdir()
    folder.rename(tmp_path / "else" / "mine")
    path = path.rename(tmp_path / "else" / "traced.toml")
    assert [cell.name for cell in read_sweep(path).cells] == [cell.name for cell in traced.cells]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (("drop_bad", "drop-bad"), "unknown key 'drop-bad' in trace"),
        (("drop_bad = true", "drop_bad = 1"), "trace.drop_bad: expected `bool`"),
        (("drop_bad = true", ""), r"trace.csv: data row 2 \(line 3\): in = 0 must be at least 1"),
        (("drop_bad = true", "max_rows = 0"), "trace: max_rows must be at least 1, got 0"),
        (('"mine/trace.csv"', '"none.csv"'), "none.csv: there is no such file"),
        (('file = "mine/trace.csv"', ""), "the field 'file' is missing in trace"),
        (("[grid]", '[grid]\nfamily = ["uniform"]'), r"a sweep has a \[trace\], or families and"),
    ],
)
def test_a_trace_that_is_refused(tmp_path, changed, says):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "trace.csv").write_text("in,out\n700,2\n0,1\n50,3\n", "utf-8")
    path = tmp_path / "traced.toml"
    path.write_text(TRACED.replace(*changed), "utf-8")
    with pytest.raises(InputError, match=says):
        read_sweep(path)
