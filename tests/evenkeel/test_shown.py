"""Results show themselves; tables of any kind become requests, systems and steps."""

import json
import math
from fractions import Fraction
from functools import cache
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import polars as pl
import pytest
from matplotlib.figure import Figure

import evenkeel
from evenkeel import (
    Expectation,
    Finding,
    InputError,
    Law,
    PowerModel,
    Requests,
    RunResult,
    ServingSystem,
    StepProblem,
    System,
    Verdict,
    expected_imbalance,
    imbalance,
    simulate,
    solve_step,
    workload,
)
from theory.shown import Shown

STEP = StepProblem([0, 4], [1, 1], [5, 1, 2])


@cache
def small() -> RunResult:
    """A run of three steps."""
    return simulate(System(2, 1), Requests([1, 1, 3], [1, 2, 2]), "fcfs", pool=2)


def results(path: Any) -> list[Shown]:
    path.write_text("prompt_tokens,output_tokens\n5,2\n3,1\n")
    finding = Finding(
        verdict=Verdict.SUPPORTED,
        computed=1.5,
        relation="<=",
        claimed=Fraction(7, 4),
        domain="a <b>sample</b>",
        interval=(1.25, 1.625),
    )
    reading = evenkeel.Reading(prefill="prompt_tokens", decode="output_tokens")
    found: Expectation = expected_imbalance(Law.uniform(1, 2), 2, 1)
    return [small(), finding, found, evenkeel.read_trace(path, reading), solve_step(STEP)]


def test_each_result_shows_itself(tmp_path: Any) -> None:
    for result in results(tmp_path / "t.csv"):
        page = result._repr_html_()
        assert page.count("<tr>") == page.count("</tr>") == len(result.facts())
        assert "<b>" not in page
        assert len(result.summary().splitlines()) == len(result.facts())
        json.dumps(result.to_dict(), allow_nan=False)
        assert list(result.to_dict(exact=True)) == list(result.facts())
        assert isinstance(result.to_polars(), pl.DataFrame)
        ax = Figure().subplots()
        assert result.plot(ax) is ax
        assert ax.has_data()
        with mpl.rc_context({"backend": "agg"}):
            import matplotlib.pyplot as plt

            assert result.plot().has_data()
            plt.close()


def test_fractions_are_numbers_with_the_exact_value_at_hand() -> None:
    # Loads (1, 1), (3, 2), (4, 0): an imbalance of 5 in three steps, of 16 units of time.
    assert "idle share                     0.3125 (5/16)" in small().summary()
    assert small().to_dict()["idle_share"] == 0.3125
    assert small().to_dict(exact=True)["imbalance_per_step"] == "5/3"


def test_a_run_as_a_table_has_its_requests() -> None:
    frame = small().to_polars()
    assert frame["start_step"].to_list() == [0, 0, 1]
    assert frame["worker"].to_list()[:2] == [0, 1]


@pytest.mark.parametrize("drift", [(1,), (0, 2, 5)])
@pytest.mark.parametrize("block", [1, 7, 2**20])
def test_loads_are_replayed_from_the_schedule(monkeypatch, drift, block) -> None:
    monkeypatch.setattr("solvers.simulation.result.BLOCK", block)
    requests = Requests(workload("uniform", 60, seed=1).prefill, [1, 3, 2, 9, 4, 1] * 10)
    system = System(3, 4, drift=drift, step_overhead_s=0.25)
    kept = simulate(system, requests, "bfio", history=True, gammas=(0.5,))
    bare = simulate(system, requests, "bfio")
    assert np.concatenate(list(bare.load_blocks())).tolist() == kept.loads.tolist()
    power = PowerModel(20, 100, 0.5, wait_w=30)
    assert bare.energy_j(power) == pytest.approx(kept.energy_j(power), rel=1e-12)
    assert imbalance(kept.loads).sum() == kept.total.imbalance


def test_the_energy_under_a_law_of_ones_own() -> None:
    class Stairs:
        def powers(self, utilisation: Any) -> Any:
            return 100 + 100 * np.ceil(2 * utilisation)

    run = simulate(System(2, 1, seconds_per_token=1.0), Requests([10, 4], [1, 1]), "fcfs")
    assert run.energy_j(Stairs()) == 10 * (300 + 200)
    assert run.energy_j("a100-paper") == pytest.approx(10 * (400 + 100 + 300 * 0.4**0.7))


def test_the_loads_of_a_serving_system_do_not_follow_from_its_schedule() -> None:
    system = ServingSystem(2, 1, slowness=(1, 2))
    run = simulate(system, Requests([1, 1], [1, 1]), "fcfs")
    with pytest.raises(InputError, match="kept by history=True alone"):
        run.energy_j("a100-paper")


FRAMES = [
    {"size": [5, 3], "out": [2, 1], "at": [0.0, 1.5]},
    pl.DataFrame({"size": [5, 3], "out": [2, 1], "at": [0.0, 1.5]}),
    pd.DataFrame({"at": [0.0, 1.5], "size": [5, 3], "out": [2, 1]}),
    [{"size": 5, "out": 2, "at": 0.0}, {"size": 3, "out": 1, "at": 1.5}],
    [(5, 2, 0.0), (3, 1, 1.5)],
]


@pytest.mark.parametrize("table", FRAMES)
def test_requests_from_tables(table: Any) -> None:
    expected = Requests([5, 3], [2, 1], [0.0, 1.5])
    assert Requests.from_table(table, prefill="size", decode="out", arrival="at") == expected
    if not isinstance(table, list) or isinstance(table[0], dict):
        with pytest.raises(InputError, match="'prompt'"):
            Requests.from_table(table, prefill="prompt", decode="out")


def test_columns_of_frames_are_lists() -> None:
    frame, other = pl.DataFrame(FRAMES[0]), pd.DataFrame(FRAMES[0])
    assert Requests(frame["size"], other["out"]) == Requests(np.array([5, 3]), [2, 1])
    assert Requests([5, 3], [2, 1]).to_polars().columns == ["prefill", "decode"]
    assert Requests.from_table(np.array([[5, 2], [3, 1]])) == Requests([5, 3], [2, 1])
    with pytest.raises(InputError, match="every row must have 2 entries: prefill, decode"):
        Requests.from_table([[5, 2, 1]])


def test_systems_and_steps_from_arrays_and_frames() -> None:
    frame = pl.DataFrame({"loads": [0, 4], "free": [1, 1]})
    for table in (frame, frame.to_dict(as_series=False), frame.rows(named=True), frame.rows()):
        step = StepProblem.from_table(table, pl.Series([5, 1, 2]))
        assert solve_step(step).imbalance == 0
    for drift in ([0, 1], np.array([0, 1]), pl.Series([0, 1]), pd.Series([0, 1])):
        system = System(np.int64(2), np.int64(3), drift)
        assert (system.drift, system.capacity) == ((0, 1), 6)
    with pytest.raises(InputError, match="drift must be"):
        System(2, 3, drift=np.array([0.5]))


def test_the_imbalance_of_a_matrix() -> None:
    rows = [[3, 7, 5], [1, 1, 1], [0, 0, 9]]
    expected = [3 * max(row) - sum(row) for row in rows]
    for matrix in (rows, np.array(rows, np.int32), pl.DataFrame(rows, orient="row")):
        assert imbalance(matrix).tolist() == expected
    assert imbalance(np.array(rows, np.uint8)[2]) == 18
    assert imbalance([2**62, 0]) == 2**62
    with pytest.raises(InputError, match="must stay below"):
        imbalance([[2**62, 0]])
    for nothing in ([], [[], []], 3):
        with pytest.raises(InputError, match="with a worker"):
            imbalance(nothing)


def test_the_version_is_that_of_the_package() -> None:
    from importlib.metadata import version

    assert evenkeel.__version__ == version("evenkeel")


def test_numbers_in_print() -> None:
    from theory.shown import as_data, as_text

    assert as_text(Fraction(10**30, 3)) == "3.33333e+29"
    assert as_text({"a": 1, "b": [0.5, Fraction(1, 3)]}) == "a 1, b 0.5, 0.333333 (1/3)"
    assert as_data({"bound": math.inf, "n": np.int64(3)}) == {"bound": "inf", "n": 3}
