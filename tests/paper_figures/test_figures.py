"""The figures: tables that relate computed to theory, and pictures with the same bytes."""

import pytest

from evenkeel.cli import cli
from paper_figures import energy_saving, iir_scaling, imbalance_trace
from paper_figures.catalogue import FIGURES, figure
from paper_figures.files import to_csv
from theory.model import InputError

SMALL = {
    "imbalance_trace": {"workers": 4, "slots": 8, "steps": 6, "seeds": 4},
    "iir_scaling": {"workers": (2, 8), "slots": (8, 32), "seeds": 4, "refills": 60},
    "energy_saving": {"devices": ("a100-paper", "b200"), "workers": 20, "stride": 2},
}


@pytest.mark.parametrize("name", FIGURES)
def test_same_bytes_twice(name, tmp_path):
    pictures = []
    for run in ("first", "second"):
        rows = figure(name).data(**SMALL[name])
        assert tuple(rows[0]) == figure(name).COLUMNS
        table = tmp_path / f"{run}.csv"
        table.write_text(to_csv(rows), "utf-8")
        paths = figure(name).draw(table, tmp_path / run)
        assert [p.suffix for p in paths] == [".png", ".svg", ".pdf"]
        pictures.append([table.read_bytes(), *(p.read_bytes() for p in paths)])
    assert pictures[0] == pictures[1]


def test_saving_lies_between_the_bounds():
    for row in energy_saving.data(**SMALL["energy_saving"]):
        assert row["lower"] - 1e-12 <= row["computed"] <= row["upper"] + 1e-12
        if row["bound"] == "sharp floor":  # full and empty workers attain it
            assert row["computed"] == pytest.approx(row["theory"], abs=1e-12)
        elif "floor" in row["bound"]:
            assert row["theory"] <= row["computed"] + 1e-12
        else:
            assert row["theory"] >= row["computed"] - 1e-12


def test_ratio_is_above_its_certified_floor_and_near_the_exact_one():
    for row in iir_scaling.data(**SMALL["iir_scaling"]):
        assert row["bound"] < row["computed"]
        assert row["bound"] < row["theory"]
        assert row["computed"] == pytest.approx(row["theory"], rel=0.35)


def test_fcfs_agrees_with_its_expectation_and_bfio_keeps_the_refill_bound():
    rows = imbalance_trace.data(workers=4, slots=8, steps=6, seeds=24)
    fcfs = [r for r in rows if r["policy"] == "fcfs"]
    first = next(r for r in rows if r["policy"] == "bfio")
    for row in fcfs:  # twice the half-width of 95 % is beyond four standard errors
        assert abs(row["computed"] - row["theory"]) < row["upper"] - row["lower"]
    assert first["kind"] == "upper"
    assert first["computed"] <= first["theory"]


def test_unknown_figure_and_missing_table(tmp_path):
    with pytest.raises(InputError, match="imbalance_trace, iir_scaling, energy_saving"):
        figure("nonsense")
    with pytest.raises(InputError, match="cannot read"):
        cli.main(["figures", "--redraw", "--out", str(tmp_path)], standalone_mode=False)
