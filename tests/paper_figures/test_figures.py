"""The figures: tables that relate computed to theory, and pictures with the same bytes."""

import csv
import io
from functools import cache

import pytest

from evenkeel.cli.main import cli
from evenkeel.theorems.registry import families
from paper_figures.catalogue import FIGURES, committed, figure
from paper_figures.energy import energy_envelope
from paper_figures.experiments import fairness
from paper_figures.fcfs import fcfs_expectation, loads_by_policy
from paper_figures.files import KINDS, to_csv
from paper_figures.optima import growth, worst_cases
from paper_figures.reach import vacuity_map
from paper_figures.scaling import iir_exponents, imbalance_trace, worker_scaling
from theory.model import InputError
from theory.power import hardware_catalogue

SMALL = {
    "imbalance_trace": {"workers": 4, "slots": 8, "steps": 6, "seeds": 4},
    "iir_scaling": {"workers": (2, 8), "slots": (8, 32), "seeds": 4, "refills": 60},
    "energy_saving": {"devices": ("a100-paper", "b200"), "workers": 20, "stride": 2},
    "loads_by_policy": {"workers": 4, "slots": 6, "steps": 20, "seeds": 2},
    "effective_constant": {"workers": (2, 8), "slots": (1, 8)},
    "guaranteed_saving": {"workers": (2, 32), "names": ("fair 1 or 2",), "slots": (1, 3, 9, 27)},
    "vacuity_map": {"workers": (32,), "names": ("azure2023-code", "peer-burst")},
    "fcfs_bounds": {
        "workers": (2, 32),
        "slots": (1, 8),
        "names": ("fair 1 or 2", "100 once in 100, else 1"),
    },
    "fcfs_expectation": {"workers": (2, 4), "slots": (1, 3), "samples": 200},
    "worker_scaling": {"workers": (2, 8), "slots": 6, "steps": 60, "seeds": 2},
    "fairness": {"workers": 4, "slots": 6, "rounds": 8, "seeds": 2},
    "energy_envelope": {"workers": 8, "samples": 10},
    "balance_threshold": {"workers": 4, "widths": (1, 2), "slots": (2, 4), "steps": 9, "seeds": 3},
    "needed_idle": {"devices": ("a100-paper",), "points": 55},
    "hardware_savings": {},
    "growth": {},
    "worst_cases": {"workers": 2, "slots": (1, 2), "largest": 3},
    "iir_exponents": {"workers": (2, 8), "slots": (4, 8), "at": (4, 8), "steps": 24, "seeds": 3},
    "experiment_bars": {"seeds": 2, "requests": 6_000},
    "lookahead": {"workers": 4, "slots": 6, "seeds": 2, "horizons": (0, 4), "errors": (0.5,)},
    "price_ladder": {"shapes": ((2, 1),), "requests": 4, "backlogs": 4},
}


@cache
def all_rows(name):
    """What a figure computes."""
    return figure(name).data()


@cache
def rows_of(name):
    """What a small run of a figure computes."""
    return figure(name).data(**SMALL[name]) if SMALL.get(name) else all_rows(name)


def made(name, kinds, folder, rows):
    """The table and the pictures of a figure."""
    assert tuple(rows[0]) == figure(name).data.columns
    table = folder / f"{name}.csv"
    table.write_text(to_csv(rows), "utf-8")
    paths = figure(name).draw(table, folder, kinds)
    assert [p.suffix for p in paths] == [f".{kind}" for kind in kinds]
    return [table.read_bytes(), *(p.read_bytes() for p in paths)]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """What a small run of a figure makes, by its name and the kinds of its pictures."""

    @cache
    def drawn(name, kinds):
        return made(name, kinds, tmp_path_factory.mktemp(name), rows_of(name))

    return drawn


# One function saves all pictures, in every kind; a heat map with its colour bar has all that a
# picture may hold.
TWICE = {"hardware_savings", "vacuity_map"}


@pytest.mark.parametrize("name", FIGURES)
def test_a_small_run_fills_the_table_and_is_painted(name, small):
    """Committed tables are rendered in test_drawings.py."""
    assert all(small(name, KINDS if name in TWICE else ()))


@pytest.mark.parametrize(
    "name", [n if n in TWICE else pytest.param(n, marks=pytest.mark.slow) for n in FIGURES]
)
def test_same_bytes_twice(name, small, tmp_path):
    again = figure(name).data(**SMALL.get(name, {}))
    assert made(name, KINDS, tmp_path, again) == small(name, KINDS)


def test_what_is_measured_lies_between_what_is_unavoidable_and_what_is_guaranteed():
    rows = list(csv.DictReader(io.StringIO(committed("balance_threshold"))))
    for d in dict.fromkeys(row["d"] for row in rows):
        *cells, edge = (row for row in rows if row["d"] == d)
        for row in cells:
            assert float(row["least"]) <= float(row["upper"])
            assert float(row["lower"]) <= float(row["most"])
            # The slots at a tenth were found by bisection, for shares that fall with B.
            if edge["least"]:
                assert (float(row["least"]) >= 0.1) == (int(row["B"]) <= int(edge["least"]))
            else:
                assert float(row["least"]) < 0.1
            assert (float(row["most"]) < 0.1) == (int(row["B"]) >= int(edge["most"]))


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_says_what_it_shows_and_for_whom(name):
    assert figure(name).family in families()
    assert figure(name).doc.startswith("Figure: ")


QUICK = {"energy_envelope", "energy_saving", "growth", "hardware_savings", "needed_idle"}


@pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in FIGURES]
)
def test_the_committed_table_is_what_the_module_computes(name):
    fresh, kept = (
        list(csv.DictReader(io.StringIO(text)))
        for text in (to_csv(all_rows(name)), committed(name))
    )
    assert len(fresh) == len(kept)
    for row, old in zip(fresh, kept, strict=True):
        assert list(row) == list(old)
        for key, value in row.items():
            try:
                # Platforms may differ in the last digits of a logarithm.
                assert float(value) == pytest.approx(float(old[key]), rel=1e-9, abs=1e-12)
            except ValueError:
                assert value == old[key]


def test_saving_lies_between_the_bounds():
    for row in rows_of("energy_saving"):
        assert row["lower"] - 1e-12 <= row["computed"] <= row["upper"] + 1e-12
        if row["bound"] == "sharp floor":  # full and empty workers attain it
            assert row["computed"] == pytest.approx(row["theory"], abs=1e-12)
        elif "floor" in row["bound"]:
            assert row["theory"] <= row["computed"] + 1e-12
        else:
            assert row["theory"] >= row["computed"] - 1e-12


def test_ratio_is_above_its_certified_floor_and_near_the_exact_one():
    for row in rows_of("iir_scaling"):
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


def test_every_shape_of_loads_lies_between_floor_and_envelope():
    for row in energy_envelope.data(samples=40):
        assert row["lower"] - 1e-9 <= row["computed"] <= row["upper"] + 1e-9
        assert row["upper"] <= row["tangent"] + 1e-9
        if row["loads"] == "full or empty":  # where the floor is attained
            assert row["computed"] == pytest.approx(row["lower"])
    # One full worker beside equal ones closes in on the envelope as G grows.
    gaps = []
    for workers in (8, 80, 800):
        rows = energy_envelope.data(workers=workers, samples=9)
        gaps.append([r["upper"] - r["computed"] for r in rows if r["loads"] == "one full"])
    assert all(a > b > c >= 0 for a, b, c in zip(*gaps, strict=True))


def test_needed_idle_share_gives_back_the_saving():
    rows = all_rows("needed_idle")
    for row in rows:
        # The cap is inverted by bisection, the floors in closed form.
        assert row["computed"] == pytest.approx(row["saving"], abs=1e-6)
        assert row["lower"] <= row["theory"] + 1e-9
    known = {r["bound"]: r["theory"] for r in rows if r["device"] == "a100-paper"
             and r["saving"] == 0.28}  # fmt: skip
    assert known["cap"] == pytest.approx(0.4769, abs=5e-5)  # [energy.saving-28]
    assert known["cap"] < known["sharp"] < known["paper"]


def test_hardware_bands_hold_the_catalogue_where_its_exponent_was_measured():
    rows = all_rows("hardware_savings")
    for row in rows:
        assert row["lower"] <= row["upper"]
        if row["end"] == "floor":  # the floor of equal loads at full power ignores the exponent
            assert row["lower"] == pytest.approx(row["upper"])
        if row["lower"] <= row["computed"] <= row["upper"]:
            continue
        # Outside the band only where a device's own curve is flatter than the lower quartile.
        assert row["gamma"] < 0.12


def test_simulated_fcfs_agrees_with_its_exact_expectation():
    rows = fcfs_expectation.data(workers=(2, 8), slots=(1, 8), samples=4000)
    for row in rows:  # twice the half-width of 95 % is beyond four standard errors
        assert abs(row["computed"] - row["theory"]) < row["upper"] - row["lower"]
        assert row["berry_esseen"] <= row["theory"]
        assert row["pairing"] <= row["theory"]


def test_more_workers_idle_more_under_fcfs():
    rows = worker_scaling.data(workers=(4, 64), slots=8, steps=100, seeds=6)
    fcfs = [row for row in rows if row["policy"] == "fcfs"]
    assert fcfs[0]["theory"] < fcfs[1]["theory"]
    for row in fcfs:
        assert abs(row["computed"] - row["theory"]) < row["upper"] - row["lower"]


def test_nobody_is_overtaken_under_fcfs():
    rows = fairness.data(workers=4, slots=6, rounds=12, seeds=3)
    longest = {row["policy"]: row["computed"] for row in rows}  # the rarest share comes last
    assert longest["bfio"] > longest["fcfs"]
    idle = {row["policy"]: row["idle"] for row in rows}
    assert idle["bfio"] < idle["fcfs"]


def test_a_limit_on_waiting_cuts_the_tail_and_costs_some_balance():
    rows = fairness.data(workers=4, slots=24, rounds=24, seeds=2)
    longest = {row["policy"]: row["computed"] for row in rows}
    idle = {row["policy"]: row["idle"] for row in rows}
    limited = f"bfio:max_wait={fairness.LIMIT}"
    # Those who are late at once share the slots that come free, so some wait a little longer.
    assert longest[limited] < 1.5 * fairness.LIMIT < longest["bfio"]
    assert idle["bfio"] <= idle[limited] < idle["fcfs"]


def test_idle_shares_of_steps_are_those_of_their_loads():
    rows = loads_by_policy.data(workers=4, slots=6, steps=10, seeds=2)
    assert all(row["least"] <= row["mean"] <= row["largest"] for row in rows)
    first = [row for row in rows if row["step"] == 0]
    assert {row["policy"] for row in first} == set(loads_by_policy.POLICIES)
    assert all(row["theory"] == row["computed"] for row in rows if row["policy"] == "fcfs")


def test_no_rung_of_the_ladder_is_below_its_floor():
    rows = rows_of("price_ladder")
    assert [row["kind"] for row in rows] == ["optimum"] * 4 + ["policy"] * 3
    for row in rows:
        assert row["theory"] <= row["computed"] <= row["most"]
        assert 1 <= row["least"] <= row["computed"]


def test_exponents_of_refills_are_those_of_their_shapes():
    rows = iir_exponents.data((2, 8, 32), (8, 64), at=(8, 32), steps=160, seeds=6)
    refill = [row for row in rows if row["regime"] == "refill"]
    fitted = {row["against"]: row for row in refill if row["kind"] == "exponent"}
    assert fitted["B"]["theory"] == pytest.approx(0.5)
    for row in fitted.values():  # 95 % intervals, widened by half
        assert abs(row["computed"] - row["theory"]) < 0.75 * (row["upper"] - row["lower"])
    misfit = {row["kind"]: row["computed"] for row in refill if row["against"] == "G"}
    best = "misfit E_max(G) G/(G-1)"
    assert all(value > misfit[best] for kind, value in misfit.items()
               if kind.startswith("misfit") and kind != best)  # fmt: skip


def test_bars_stand_beside_what_the_paper_reports():
    rows = rows_of("experiment_bars")
    given = {(row["experiment"], row["measure"]): row["theory"] for row in rows}
    assert given["E3", "energy"] == 0.282
    assert given["E2", "throughput"] == 0.14
    assert given["E3", "imbalance"] == ""  # nothing reported
    for row in rows:
        assert row["lower"] <= row["computed"] <= row["upper"]


def test_without_a_horizon_there_is_nothing_to_compare():
    rows = rows_of("lookahead")
    for row in rows:
        if row["x"] == 0 and row["sweep"] == "horizon":
            assert row["computed"] == row["theory"]
    assert [row["x"] for row in rows if row["sweep"] == "error"] == [0.5, ""] * 2


def test_growth_gives_back_the_exponents_of_power_laws(tmp_path):
    recorded = tmp_path / "runs.csv"
    runs = [
        {"grows": "G", "policy": "fcfs", **growth.BASE, "G": g, "ms": 3 * g**2, "steps": 10,
         "mb": 5 * g**0.5} for g in (1, 8, 16, 32, 64)
    ]  # fmt: skip
    recorded.write_text(to_csv(runs), "utf-8")
    for row in growth.data(recorded):
        assert row["exponent"] == pytest.approx({"time": 2, "memory": 0.5}[row["measure"]])
        assert row["theory"] == pytest.approx(row["computed"])
    recorded.write_text("grows,policy\nG,fcfs\n", "utf-8")
    with pytest.raises(InputError, match="expected rows with the columns G, B"):
        growth.data(recorded)


def test_unknown_figure_and_damaged_table(tmp_path):
    with pytest.raises(InputError, match="imbalance_trace, loads_by_policy, lookahead"):
        figure("nonsense")
    (tmp_path / "energy_saving.csv").write_text("device,bound\na100-paper,cap\n", "utf-8")
    command = ["figures", "energy_saving", "--redraw", "--out", str(tmp_path)]
    with pytest.raises(InputError, match="expected rows with the columns idle_share"):
        cli.main(command, standalone_mode=False)


def test_committed_tables_are_drawn_at_once(tmp_path):
    cli.main(["figures", "hardware_savings", "--redraw", "--out", str(tmp_path)],
             standalone_mode=False)  # fmt: skip
    assert (tmp_path / "hardware_savings.csv").read_text("utf-8") == committed("hardware_savings")
    assert (tmp_path / "hardware_savings.svg").is_file()


def test_effective_constants_lie_in_their_ends_and_rise_to_the_limit():
    for row in rows_of("effective_constant"):
        assert row["lower"] <= row["computed"] <= row["upper"]
        if row["law"].startswith("sizes uniform") and "equal" in row["law"] and row["B"] == 8:
            assert row["computed"] == pytest.approx(row["theory"], rel=0.02)


def test_every_bound_of_fcfs_is_below_its_exact_imbalance():
    rows = rows_of("fcfs_bounds")
    assert {row["bound"] for row in rows} == {"tournament", "explicit", "Berry-Esseen"}
    for row in rows:
        assert 0 <= row["computed"] <= row["upper"] * (1 + 1e-12)
        assert row["lower"] <= row["theory"] <= row["upper"]
        if row["G"] == 2 and row["bound"] == "tournament":  # a group of both workers
            assert row["computed"] == pytest.approx(row["theory"])


def test_a_stronger_bound_speaks_before_a_weaker_one():
    rows = rows_of("vacuity_map")
    for theorem in ("Theorem 1", "Theorem 4, with the ratio of Theorem 1"):
        edges = {
            row["form"]: row["computed"]
            for row in rows
            if (row["lengths"], row["theorem"]) == ("azure2023-code", theorem)
        }
        assert edges["exact FCFS"] <= edges["tournament"] <= edges["explicit bound"]
        assert edges["exact FCFS"] < edges[vacuity_map.PAPER]
    # Without the law of the sizes there are moments only.
    alone = {row["form"] for row in rows if row["lengths"] == "peer-burst"}
    assert alone == {vacuity_map.PAPER}
    for row in rows:
        if row["form"] == vacuity_map.PAPER:
            assert (row["computed"], row["kind"]) == (row["theory"], "not proved")


def test_what_is_guaranteed_lies_between_its_bounds_and_says_where_it_exceeds():
    rows = rows_of("guaranteed_saving")
    # One line for each device of the catalogue, and one for all that wait at full power.
    assert len(rows) == 2 * (1 + len(hardware_catalogue()))
    kinds = set()
    for row in rows:
        assert 0 <= row["growth"] <= row["computed"] == row["lower"] <= row["upper"]
        assert row["computed"] < row["theory"]
        for percent in (1, 5, 10):
            region = row[f"above_{percent}"]
            kinds.add(region if ".." not in region else "from..to")
            if ".." in region:
                first, _, last = region.partition("..")
                assert int(first) <= row["B"] <= int(last or 27)
                assert row["computed"] > percent / 100
            elif region != "open":
                assert row["upper"] <= percent / 100 or region == "never"
            if region == "never":  # x = 1/3 for sizes 1 and 2
                device = hardware_catalogue()[row["device"]]
                assert row["wait_w"] / 3 / (device.max_w + row["wait_w"] / 3) <= percent / 100
    assert kinds >= {"from..to", "none", "never"}
    waiting = {row["device"]: row["computed"] for row in rows if row["G"] == 32}
    assert waiting["any, waiting at full power"] == max(waiting.values())


def test_worst_cases_attain_their_closed_forms_and_the_witness_waits_for_its_barrier():
    rows = worst_cases.data(workers=2, slots=(1, 2), largest=4)
    refills = [row for row in rows if row["panel"] == "refill"]
    # (G-1)B(b-a) and (G-1)(b-a) at G = 2, b - a = 3.
    assert [row["computed"] for row in refills] == [3, 6, 3, 3]
    assert all(row["computed"] == row["theory"] for row in refills)
    witness = [row for row in rows if row["panel"] == "witness"]
    assert {row["policy"] for row in witness} == {"fcfs", "bfio_exact"}
    assert all(row["computed"] <= row["theory"] for row in witness)
    with pytest.raises(InputError, match="no run of the name 'gap-tie'"):
        worst_cases.data(workers=2, slots=(1,), largest=2, witness="gap-tie")
