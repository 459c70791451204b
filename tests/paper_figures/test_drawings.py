"""Each drawing shows the columns that its labels name: its artists are read back from the figure.

The tables drawn here have the keys of the committed ones and made-up numbers, no two alike, so that
no column can stand for another.
"""

import csv
import io
from functools import cache
from math import exp, isclose, log
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import same_color
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.text import Annotation

from adversary.witnesses.gallery import gallery
from paper_figures import witness as witness_picture
from paper_figures.catalogue import FIGURES, committed, figure
from paper_figures.drawing import SHADES
from paper_figures.files import lay_out, save_as, style, to_csv
from paper_figures.optima.growth import NAMES
from paper_figures.reach.guaranteed_saving import DRAWN
from paper_figures.scaling.iir_exponents import SHAPES
from theory.laws.order_statistics import expected_max_of_normals
from theory.power import hardware

PICTURES = sorted((Path(__file__).parents[2] / "docs" / "pictures").glob("*.png"))


class Picture:
    """A figure of made-up numbers: its rows and its panels."""

    def __init__(self, rows, drawn):
        self.rows, self.figure = rows, drawn
        self.axes = [ax for ax in drawn.axes if ax.get_visible() and ax.get_label() != "<colorbar>"]

    @property
    def title(self):
        """What it says, and what it is drawn for, each on one line."""
        (below,) = [a for a in self.figure.artists if isinstance(a, Annotation)]
        return tuple(
            " ".join(text.split()) for text in (self.figure.get_suptitle(), below.get_text())
        )

    def part(self, **keys):
        """The rows of these keys."""
        return [r for r in self.rows if all(r[key] == value for key, value in keys.items())]


def col(rows, name, factor=1.0):
    return [factor * float(row[name]) for row in rows]


@pytest.fixture
def draw(monkeypatch, tmp_path):
    """Draws a figure with other numbers in the columns named; nothing is written or rendered."""

    def run(name, *columns, rows=None, low=0.2, high=0.9):
        module = figure(name)
        kept = rows or list(csv.DictReader(io.StringIO(committed(name))))
        rng = np.random.default_rng(len(name))
        for row in kept:
            for column in columns:
                if row[column] not in ("", None):
                    row[column] = repr(float(rng.uniform(low, high)))
            if "computed" in columns and row.get("lower") and "lower" not in columns:
                # Not the same distance on both sides.
                row["lower"] = repr(0.9 * float(row["computed"]))
                row["upper"] = repr(1.3 * float(row["computed"]))
        path = tmp_path / f"{name}.csv"
        path.write_text(to_csv(kept), "utf-8")
        drawn = []
        monkeypatch.setattr(
            "paper_figures.files.save", lambda fig, out, stem, kinds: drawn.append(fig) or []
        )
        assert module.draw(path, tmp_path) == []
        return Picture(kept, drawn[0])

    # Colours are named by their place in the style's cycle.
    with style():
        yield run


@cache
def committed_picture(name):
    """A figure of the committed table, laid out."""
    shown = figure(name)
    rows = list(csv.DictReader(io.StringIO(committed(name))))
    with style():
        drawn = Figure(figsize=shown.size, layout="constrained")
        FigureCanvasAgg(drawn)  # whose one renderer measures all texts
        shown.paint(drawn, rows)
        lay_out(drawn)
    return Picture(rows, drawn)


def lines(ax):
    """The lines of a panel by their labels; several of one label in order."""
    found = {}
    for line in ax.get_lines():
        found.setdefault(line.get_label(), []).append(line)
    return found


def line(ax, label):
    (found,) = lines(ax)[label]
    return found


def holds(artist, x, y):
    """The line goes through these points, in this order."""
    assert list(map(float, artist.get_xdata())) == pytest.approx(list(map(float, x)))
    assert list(map(float, artist.get_ydata())) == pytest.approx(list(map(float, y)))


def bars_of_errors(container):
    """Lower and upper ends of the bars of ``errorbar``."""
    segments = container.lines[2][0].get_segments()
    return [float(s[0][1]) for s in segments], [float(s[1][1]) for s in segments]


def errors(container, x, rows, factor=1.0, ends=("lower", "upper")):
    """An ``errorbar`` holds what was computed, with its interval."""
    holds(container.lines[0], x, col(rows, "computed", factor))
    low, high = bars_of_errors(container)
    assert low == pytest.approx(col(rows, ends[0], factor))
    assert high == pytest.approx(col(rows, ends[1], factor))


def error_containers(ax):
    return [c for c in ax.containers if isinstance(c, ErrorbarContainer)]


def band(collection, x, low, high, *, sideways=False):
    """A ``fill_between`` (or ``fill_betweenx``) between these curves."""
    (path,) = collection.get_paths()
    found = {tuple(round(float(v), 9) for v in vertex) for vertex in path.vertices}
    for at, one, two in zip(x, low, high, strict=True):
        for value in (one, two):
            point = (value, at) if sideways else (at, value)
            assert tuple(round(float(v), 9) for v in point) in found
    assert len(found) == len({(a, b) for a, *both in zip(x, low, high, strict=True) for b in both})


def look(artist):
    """What a reader tells lines apart by."""
    return artist.get_color(), artist.get_linestyle()


def same_look(one, two):
    return same_color(one.get_color(), two.get_color()) and (
        one.get_linestyle() == two.get_linestyle()
    )


def test_balance_threshold(draw):
    picture = draw("balance_threshold", "computed", "least", "most", low=0.01, high=1.2)
    plane, *cuts = picture.axes
    cells = picture.part(kind="share of FCFS's imbalance")
    edges = picture.part(kind="slots at a tenth of it")
    p = 0.1
    tiles = plane.collections[0]
    corners = tiles.get_coordinates()
    shown = np.asarray(tiles.get_array())
    widths, slots = (list(dict.fromkeys(row[name] for row in cells)) for name in ("d", "B"))
    assert shown.shape == (len(slots), len(widths))
    for row in cells:
        y, x = slots.index(row["B"]), widths.index(row["d"])
        # What leaves more than FCFS has the colour of what leaves as much.
        assert shown[y, x] == pytest.approx(min(99, 100 * float(row["computed"])))
        at = (p * float(row["d"]), p * float(row["B"]))
        for low, value, high in zip(corners[y, x], at, corners[y + 1, x + 1], strict=True):
            assert low < value < high
    lower, upper, *at_cuts = plane.get_lines()
    bands = plane.collections[1:]
    for name, found, filled, end in (
        ("least", lower, bands[0], min(map(int, slots)) * p),
        ("most", upper, bands[1], max(map(int, slots)) * p),
    ):
        known = [row for row in edges if row[name]]
        holds(found, col(known, "d", p), col(known, name, p))
        band(filled, col(known, "d", p), col(known, name, p), [end] * len(known))
        assert filled.get_hatch()
    below, above = plane.texts
    assert below.get_text() == "no online policy\ngets below 10 %"
    assert above.get_text() == "BF-IO is below\n10 %: proved"
    for ax, place, d in zip(cuts, at_cuts, ("4", "16"), strict=True):
        assert list(place.get_xdata()) == pytest.approx([p * float(d)] * 2)
        assert ax.get_title(loc="left") == f"cut at (b−a) p = {p * float(d):g}"
        rows = [row for row in cells if row["d"] == d]
        gone, excluded = (c for c in ax.collections if c.get_label().endswith("here"))
        assert gone.get_label() == "no online policy is here"
        assert excluded.get_label() == "BF-IO is not here"
        band(gone, col(rows, "B", p), col(rows, "least", 100), [0.05] * len(rows))
        band(excluded, col(rows, "B", p), col(rows, "most", 100), [1e4] * len(rows))
        (measured,) = error_containers(ax)
        errors(measured, col(rows, "B", p), rows, 100)
    assert picture.title[1].startswith("G = 16, p = 0.1, sizes uniform on a..b")
    assert "; 8 seeds" in picture.title[1]


def test_balance_threshold_shows_perfect_balance_at_the_bottom(draw):
    rows = list(csv.DictReader(io.StringIO(committed("balance_threshold"))))
    first, *_ = draw("balance_threshold", rows=rows).axes[1:]
    unseen = line(first, "BF-IO, below 0.1 %")
    level = [
        float(row["B"]) / 10
        for row in rows
        if row["B"] and row["d"] == "4" and row["computed"] and float(row["computed"]) < 0.001
    ]
    assert level == pytest.approx([409.6])
    assert list(unseen.get_xdata()) == pytest.approx(level)
    assert max(unseen.get_ydata()) < 0.2


def test_effective_constant(draw):
    picture = draw("effective_constant", "computed", "theory", low=0.3, high=1.4)
    laws = list(dict.fromkeys(row["law"] for row in picture.rows))
    assert [ax.get_title().replace("\n", " ") for ax in picture.axes] == laws
    for ax, law in zip(picture.axes, laws, strict=True):
        (image,) = ax.images
        rows = picture.part(law=law)
        workers, slots = (list(dict.fromkeys(row[name] for row in rows)) for name in "GB")
        marks = zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
        assert all(workers[int(at)] == text.get_text() for at, text in marks)
        assert [text.get_text() for text in ax.get_yticklabels()] == slots
        for row in rows:
            x, y = workers.index(row["G"]), slots.index(row["B"])
            assert image.get_array()[y, x] == pytest.approx(float(row["computed"]))
        # The least and the largest are written where they are.
        texts = {text.get_position(): text.get_text() for text in ax.texts}
        ends = {f(rows, key=lambda row: float(row["computed"]))["computed"] for f in (min, max)}
        for row in rows:
            place = (workers.index(row["G"]), slots.index(row["B"]))
            if row["computed"] in ends:
                assert texts.pop(place) == f"{float(row['computed']):.2f}"
        assert not texts
        # White where the constant is the limit of G = 2, E max / sqrt(ln 2) = 1/sqrt(pi ln 2).
        assert image.norm(1 / (np.pi * log(2)) ** 0.5) == pytest.approx(0.5)
        assert image.origin == "lower"


def test_energy_envelope(draw):
    picture = draw(
        "energy_envelope", "idle_share", "computed", "theory", "lower", "upper", "tangent"
    )
    (ax,) = picture.axes
    rows = sorted(picture.rows, key=lambda row: float(row["idle_share"]))
    share = col(rows, "idle_share", 100)
    for label, column in (
        ("tangent (the paper's D)", "tangent"),
        ("envelope", "upper"),
        ("floor", "lower"),
    ):
        holds(line(ax, label), share, col(rows, column))
    shapes = dict.fromkeys(row["loads"] for row in picture.rows)
    for shape in shapes:
        part = [row for row in rows if row["loads"] == shape]
        holds(line(ax, f"{shape} loads"), col(part, "idle_share", 100), col(part, "computed"))
    band(ax.collections[0], share, col(rows, "lower"), col(rows, "upper"))
    assert len(ax.get_lines()) == 3 + len(shapes)
    assert picture.title[1] == (
        "a100-paper: 100 W waiting, 400 W full, γ 0.7; loads of G = 32 workers in five shapes"
    )


def test_energy_saving(draw):
    picture = draw("energy_saving", "computed", "theory")
    devices = list(dict.fromkeys(row["device"] for row in picture.rows))
    # As in the catalogue: idle and full watts, and the exponent.
    assert picture.axes[0].get_title() == "a100-paper: 100 W waiting, 400 W full, γ 0.7"
    for ax, device in zip(picture.axes, devices, strict=True):
        assert ax.get_title().startswith(f"{device}: ")
        attained = {"paper floor": False, "sharp floor": True, "envelope cap": True,
                    "tangent cap": False}  # fmt: skip
        for bound, points in attained.items():
            rows = picture.part(device=device, bound=bound)
            share = col(rows, "idle_share", 100)
            holds(line(ax, bound), share, col(rows, "theory", 100))
            marks = lines(ax).get(f"loads nearest the {bound}", [])
            assert bool(marks) == points
            for mark in marks:
                holds(mark, share[::3], col(rows, "computed", 100)[::3])
                assert mark.get_marker() == "o"
                assert same_color(mark.get_color(), line(ax, bound).get_color())
        holds(line(ax, "40 % idle"), [40, 40], [0, 1])
        # P_w / D of each device: 100 / 190 of the paper's.
        power = hardware(device)
        charged = power.idle_w + 0.3 * (power.max_w - power.idle_w)
        assert (power.gamma, power.wait_w) == (0.7, None)
        holds(line(ax, "limit of the paper's form"), [0, 1], [100 * power.idle_w / charged] * 2)
    (legend,) = picture.figure.legends
    shown = dict(
        zip([t.get_text() for t in legend.get_texts()], legend.legend_handles, strict=True)
    )
    for label, handle in shown.items():
        assert same_look(handle, line(picture.axes[0], label))


def test_experiment_bars(draw):
    picture = draw("experiment_bars", "computed", "theory", low=1.5, high=9)
    # What the paper reports is one number for each experiment and measure.
    for row in picture.rows:
        told = picture.part(experiment=row["experiment"], measure=row["measure"])[0]["theory"]
        row["theory"] = told
    picture = draw("experiment_bars", rows=picture.rows)
    measures = {"imbalance": 1, "throughput": 100, "time per token": 100, "energy": 100}
    names = {"br0": "BR-0", "brh": "BR-H", "bfio": "BF-IO\nH = 0", "bfio ahead": "BF-IO\nH = "}
    (legend,) = picture.figure.legends
    colours = {
        text.get_text(): handle
        for text, handle in zip(legend.get_texts(), legend.legend_handles, strict=True)
    }
    ends = {"window": "up to the last admission", "completed": "all requests completed"}
    assert list(colours) == [*ends.values(), "the paper reports"]
    axes = iter(picture.axes)
    for experiment, horizon in (("E2", 20), ("E3", 40)):
        for measure, factor in measures.items():
            ax = next(axes)
            if experiment == "E2":
                assert ax.get_title().startswith(measure.split()[0])
            ticks = dict(zip(ax.get_xticks(), (t.get_text() for t in ax.get_xticklabels()),
                             strict=True))  # fmt: skip
            bars = [c for c in ax.containers if isinstance(c, BarContainer)]
            for container, (end, text) in zip(bars, ends.items(), strict=True):
                rows = picture.part(experiment=experiment, measure=measure, end=end)
                for bar, row in zip(container, rows, strict=True):
                    assert bar.get_height() == pytest.approx(factor * float(row["computed"]))
                    assert same_color(bar.get_facecolor(), colours[text].get_facecolor())
                    # The nearest tick names the policy.
                    place = min(ticks, key=lambda x, bar=bar: abs(x - bar.get_x() - 0.19))
                    name = names[row["policy"]]
                    assert ticks[place] == (f"{name}{horizon}" if name.endswith("= ") else name)
                low, high = bars_of_errors(container.errorbar)
                assert low == pytest.approx(col(rows, "lower", factor))
                assert high == pytest.approx(col(rows, "upper", factor))
            told = picture.part(experiment=experiment, measure=measure)[0]["theory"]
            level = [a for a in ax.get_lines() if same_look(a, colours["the paper reports"])]
            assert len(level) == bool(told)
            for artist in level:
                holds(artist, [0, 1], [factor * float(told)] * 2)
    (energy,) = picture.part(experiment="E3", measure="energy", policy="bfio", end="window")
    found, told = (f"{100 * float(energy[name]):.0f}" for name in ("computed", "theory"))
    assert picture.title[0] == (
        f"In E3 BF-IO saves {found} % of the energy; the paper reports {told} %"
    )
    assert "; 4 seeds" in picture.title[1]


def test_fairness(draw):
    picture = draw("fairness", "computed", "theory", "idle", low=1, high=90)
    (ax,) = picture.axes
    policies = list(dict.fromkeys(row["policy"] for row in picture.rows))
    names = ("FCFS and all", "BF-IO;", "BF-IO, waiting limited to 100 steps;")
    for name, policy, artist, area in zip(
        names, policies, ax.get_lines(), ax.collections, strict=True
    ):
        rows = picture.part(policy=policy)
        share = col(rows, "share", 100)
        holds(artist, col(rows, "computed"), share)
        band(area, share, col(rows, "lower"), col(rows, "upper"), sideways=True)
        label = artist.get_label()
        assert label.startswith(name)
        assert label.endswith(f"; {float(rows[0]['idle']):.0%} idle")
        assert same_color(artist.get_color(), area.get_facecolor()[0][:3])
    assert policies == ["fcfs", "bfio", "bfio:max_wait=100"]


def test_fcfs_expectation(draw):
    columns = ("computed", "theory", "limit", "berry_esseen", "pairing")
    picture = draw("fcfs_expectation", *columns)
    workers = list(dict.fromkeys(row["G"] for row in picture.rows))
    assert [ax.get_title() for ax in picture.axes] == [f"G = {g}" for g in workers]
    for ax, g in zip(picture.axes, workers, strict=True):
        rows = picture.part(G=g)
        for label, column in (
            ("normal limit", "limit"),
            ("exact", "theory"),
            ("Berry-Esseen bound", "berry_esseen"),
            ("pairing bound", "pairing"),
        ):
            holds(line(ax, label), col(rows, "B"), col(rows, column))
        (container,) = error_containers(ax)
        assert container.get_label() == "simulated, 95 %"
        errors(container, col(rows, "B"), rows)


def test_growth(draw):
    picture = draw("growth", "computed", "theory")
    names = ["G", "B", "pool", "H", "N"]
    titles = {"G": "workers G", "B": "slots B", "N": "requests N", "pool": "waiting requests",
              "H": "horizon H"}  # fmt: skip
    panels = np.reshape(picture.axes, (2, len(names)))
    for name, column in zip(names, panels.T, strict=True):
        assert column[1].get_xlabel() == titles[name]
        at = col(picture.part(grows=name), "x")
        assert list(column[1].get_xticks()) == [min(at), max(at)]
        for measure, ax in zip(("time", "memory"), column, strict=True):
            part = picture.part(grows=name, measure=measure)
            # Panels of one unit share their axis, which the first names.
            unit = {"us a step": "time of a step (µs)", "ms a run": "time of the run (ms)",
                    "MB": "peak memory (MB)"}[part[0]["unit"]]  # fmt: skip
            assert ax.get_ylabel() == (unit if name in ("G", "N") else "")
            first = panels[("time", "memory").index(measure), 0]
            assert ax.get_shared_y_axes().joined(ax, first) == (name != "N")
            policies = dict.fromkeys(row["policy"] for row in part)
            assert len(ax.get_lines()) == 2 * len(policies)
            for policy, points, fit in zip(
                policies, ax.get_lines()[::2], ax.get_lines()[1::2], strict=True
            ):
                rows = [row for row in part if row["policy"] == policy]
                assert points.get_label() == (f"{NAMES[policy]} {float(rows[0]['exponent']):.2f}")
                holds(points, col(rows, "x"), col(rows, "computed"))
                holds(fit, col(rows[-4:], "x"), col(rows[-4:], "theory"))
                assert same_color(points.get_color(), fit.get_color())


def test_hardware_savings(draw):
    picture = draw("hardware_savings", "computed", "theory")
    (ax,) = picture.axes
    cap = sorted(picture.part(end="cap"), key=lambda row: -float(row["computed"]))
    floor = [picture.part(end="floor", device=row["device"])[0] for row in cap]
    (bars,) = [c for c in ax.containers if isinstance(c, BarContainer)]
    labels = [text.get_text() for text in ax.get_yticklabels()]
    for place, (bar, low, high) in enumerate(zip(bars, floor, cap, strict=True)):
        assert bar.get_x() == pytest.approx(100 * float(low["computed"]))
        assert bar.get_x() + bar.get_width() == pytest.approx(100 * float(high["computed"]))
        assert bar.get_y() + bar.get_height() / 2 == pytest.approx(place)
        wait, gamma = float(high["wait_w"]), float(high["gamma"])
        assert labels[place] == f"{high['device']} ({wait:g} W, γ {gamma:g})"
    for name, rows in (("guaranteed", floor), ("possible", cap)):
        (thin,) = [c for c in ax.collections if c.get_label().startswith(f"{name}, for γ")]
        segments = thin.get_segments()
        assert [float(s[0][0]) for s in segments] == pytest.approx(col(rows, "lower", 100))
        assert [float(s[1][0]) for s in segments] == pytest.approx(col(rows, "upper", 100))
        assert [round(float(s[0][1])) for s in segments] == list(range(len(rows)))


def test_iir_exponents(draw):
    picture = draw("iir_exponents", "computed", "theory", low=1, high=9)
    panels = np.reshape(picture.axes, (2, 2))
    for regime, column in zip(("refill", "overloaded"), panels.T, strict=True):
        for against, ax in zip("BG", column, strict=True):
            rows = picture.part(regime=regime, against=against)
            points = [row for row in rows if row["kind"] == "iir"]
            (container,) = error_containers(ax)
            errors(container, col(points, "x"), points)
            drawn = [a for a in ax.get_lines() if not a.get_label().startswith("_")]
            misses = [row for row in rows if row["kind"].startswith("misfit")]
            assert len(drawn) == len(misses) == (1 if against == "B" else 3)
            for artist, row in zip(drawn, misses, strict=True):
                shape = row["kind"].removeprefix("misfit ").replace("sqrt(B)", "√B")
                name = shape.replace("sqrt", "√").replace("-", "−")
                assert artist.get_label() == f"{name}: off {100 * float(row['computed']):.0f} %"
            holds(drawn[0], col(points, "x"), col(points, "theory"))
            # The rivals are multiples of their shapes with the geometric mean of the points.
            x, level = col(points, "x"), np.mean(np.log(col(points, "computed")))
            rivals = {
                1: [log(g) ** 0.5 * g / (g - 1) for g in x],
                2: [log(g) for g in x],
            }
            for number, shape in rivals.items() if against == "G" else ():
                scale = exp(level - np.mean(np.log(shape)))
                holds(drawn[number], x, [scale * y for y in shape])
            (fit,) = [row for row in rows if row["kind"] == "exponent"]
            half = (float(fit["upper"]) - float(fit["lower"])) / 2
            assert ax.get_title().endswith(
                f"exponent of {against}: {float(fit['computed']):.3f} ± {half:.3f} "
                f"(shape: {float(fit['theory']):.3f})"
            )
    assert picture.axes[0].get_xlabel() == "slots B (G = 16)"
    assert picture.axes[2].get_xlabel() == "workers G (B = 32)"
    titles = [ax.get_title() for ax in picture.axes[:2]]
    assert [t.partition(",")[0] for t in titles] == ["full refills", "overloaded"]


def test_iir_scaling(draw):
    picture = draw("iir_scaling", "computed", "theory", "bound", "shape", low=1, high=9)
    (ax,) = picture.axes
    slots = list(dict.fromkeys(row["B"] for row in picture.rows))
    samples = {text: line(ax, text) for text in lines(ax) if not text.startswith("_")}
    exact, shape, bound = samples
    assert exact.startswith("exact")
    assert shape == f"{float(picture.rows[0]['constant']):.3g} √(B ln G) G/(G−1)"
    assert bound.startswith("certified floor")
    for b, container in zip(slots, error_containers(ax), strict=True):
        rows = picture.part(B=b)
        assert container.get_label() == f"B = {b}"
        errors(container, col(rows, "G"), rows)
        colour = container.lines[0].get_color()
        for sample, column in ((exact, "theory"), (shape, "shape"), (bound, "bound")):
            (artist,) = [
                a
                for a in ax.get_lines()
                if same_color(a.get_color(), colour)
                and a.get_linestyle() == samples[sample].get_linestyle()
                and a.get_marker() == "None"
            ]
            holds(artist, col(rows, "G"), col(rows, column))
    assert ": 8 seeds" in picture.title[1]


def test_imbalance_trace(draw):
    picture = draw("imbalance_trace", "computed", "theory", "example", low=1, high=9)
    (ax,) = picture.axes
    names = {"fcfs": "FCFS, mean of 8 seeds", "bfio": "BF-IO, mean of 8 seeds"}
    theory = {"fcfs": "FCFS, exact expectation", "bfio": "(G−1)(b−a): bound at step 0"}
    examples = [a for a in ax.get_lines() if a.get_label().startswith("_")]
    assert ax.get_xlim() == (0, max(col(picture.rows, "step")))
    for policy, area, example in zip(names, ax.collections, examples, strict=True):
        rows = picture.part(policy=policy)
        step, mean = col(rows, "step"), line(ax, names[policy])
        holds(mean, step, col(rows, "computed"))
        holds(example, step, col(rows, "example"))
        band(area, step, col(rows, "lower"), col(rows, "upper"))
        (claimed,) = [a for a in ax.get_lines() if a.get_label().startswith(theory[policy])]
        holds(claimed, step, col(rows, "theory"))
        assert same_color(mean.get_color(), example.get_color())
        assert same_color(mean.get_color(), area.get_facecolor()[0][:3])


def test_bands_do_not_reach_below_nothing(draw):
    rows = list(csv.DictReader(io.StringIO(committed("imbalance_trace"))))
    for row in rows:
        row["lower"] = "-5.0"
    (ax,) = draw("imbalance_trace", rows=rows).axes
    assert all(c.get_paths()[0].vertices[:, 1].min() == 0 for c in ax.collections)


def test_loads_by_policy(draw):
    picture = draw("loads_by_policy", "computed", "theory", "least", "mean", "largest")
    titles = {"fcfs": "FCFS", "jsq": "JSQ by count", "bfio": "BF-IO"}
    panels = np.reshape(picture.axes, (2, 3))
    for policy, (above, below) in zip(titles, panels.T, strict=True):
        rows = picture.part(policy=policy)
        step = col(rows, "step")
        assert above.get_title() == titles[policy]
        holds(line(above, "largest"), step, col(rows, "largest"))
        holds(line(above, "mean"), step, col(rows, "mean"))
        (area,) = above.collections
        assert area.get_label() == "least to largest load"
        low, high = (col(rows, name) for name in ("least", "largest"))
        band(area, step, low, high)
        (idle,), (interval,) = below.get_lines(), below.collections
        holds(idle, step, col(rows, "computed", 100))
        band(interval, step, col(rows, "lower", 100), col(rows, "upper", 100))
        mean = np.mean(col(rows, "computed", 100))
        assert [text.get_text() for text in below.texts] == [f"mean {mean:.1f} %"]


def test_lookahead(draw):
    picture = draw("lookahead", "computed", "theory")
    for row in picture.rows:  # the same without look-ahead: one number a line
        row["theory"] = picture.part(
            workload=row["workload"], sweep=row["sweep"], policy=row["policy"]
        )[0]["theory"]
    picture = draw("lookahead", rows=picture.rows)
    panels = np.reshape(picture.axes, (2, 2))
    for workload, column in zip(("burst-like", "longbench-like"), panels.T, strict=True):
        assert workload.startswith(column[0].get_title().lower()[:5])
        for sweep, ax in zip(("horizon", "error"), column, strict=True):
            assert ax.get_xlabel().startswith(sweep)
            names = {"bfio": "BF-IO", "brh": "BR-H"} if sweep == "horizon" else {"bfio": "BF-IO"}
            for (policy, name), container in zip(names.items(), error_containers(ax), strict=True):
                rows = picture.part(workload=workload, sweep=sweep, policy=policy)
                assert container.get_label() == name
                errors(container, range(len(rows)), rows, 100)
                ticks = [text.get_text() for text in ax.get_xticklabels()]
                numbers = [i for i, row in enumerate(rows) if row["x"]]
                for place in numbers:
                    assert float(ticks[place]) == float(rows[place]["x"])
                assert ticks[len(numbers) :] == ["observed"] * (len(rows) - len(numbers))
                own = [
                    a
                    for a in ax.get_lines()
                    if same_color(a.get_color(), container.lines[0].get_color())
                    and a.get_marker() == "None"
                ]
                (joined,) = [a for a in own if a.get_linestyle() == "-"]
                holds(joined, numbers, col([rows[i] for i in numbers], "computed", 100))
                (myopic,) = [a for a in own if a.get_linestyle() == ":"]
                holds(myopic, [0, 1], [100 * float(rows[0]["theory"])] * 2)
    (sample,) = lines(picture.axes[0])["the same without look-ahead"]
    assert sample.get_linestyle() == ":"


def test_needed_idle(draw):
    picture = draw("needed_idle", "computed", "theory", "lower", "upper")
    labels = {
        "cap": "possible from here",
        "sharp": "guaranteed from here",
        "paper": "guaranteed from here by the paper's form",
    }
    for ax in picture.axes:
        for bound, label in labels.items():
            rows = picture.part(device=ax.get_title().partition(":")[0], bound=bound)
            holds(line(ax, label), col(rows, "saving", 100), col(rows, "theory", 100))
        marked = {text.get_text().strip(): text.get_position()[0] for text in ax.texts}
        assert (marked["v2's 28 %"], marked["v2's 52 %"]) == (28, 52)
        rest = [a for a in ax.get_lines() if a.get_label() not in labels.values()]
        assert [list(a.get_xdata()) for a in rest[:2]] == [[28, 28], [52, 52]]
        assert list(rest[2].get_ydata()) == [40, 40]


def test_price_ladder(draw):
    rows = list(csv.DictReader(io.StringIO(committed("price_ladder"))))
    for place, row in enumerate(rows):
        row["computed"], row["theory"] = str(2 + 0.03 * place), str(1.5 - 0.02 * place)
        row["least"], row["most"] = str(1 + 0.01 * place), str(4 + 0.05 * place)
    picture = draw("price_ladder", rows=rows)
    (ax,) = picture.axes
    ticks = [text.get_text() for text in ax.get_xticklabels()]
    assert ticks == [
        *("migrating", "pausing", "sticky", "work\nconserving"),
        *("BF-IO\nH = 4, oracle", "BF-IO\nH = 0", "FCFS"),
    ]
    shapes = list(dict.fromkeys((row["workers"], row["slots"]) for row in picture.rows))
    containers = error_containers(ax)
    floors = [c for c in ax.collections if not any(c in k.lines[2] for k in containers)]
    for (workers, slots), container, dots in zip(shapes, containers, floors, strict=True):
        rows = picture.part(workers=workers, slots=slots)
        assert container.get_label() == f"G = {workers}, B = {slots}"
        at = container.lines[0].get_xdata()
        assert np.abs(at - np.arange(len(rows))).max() < 0.5
        errors(container, at, rows, ends=("least", "most"))
        assert [float(s[0][1]) for s in dots.get_segments()] == pytest.approx(col(rows, "theory"))
        assert [float(np.mean(s[:, 0])) for s in dots.get_segments()] == pytest.approx(list(at))
        assert same_color(container.lines[0].get_color(), dots.get_color()[0][:3])
    # Optima stand before the rule, policies behind it.
    (rule,) = [a for a in ax.get_lines() if list(a.get_ydata()) == [0, 1]]
    assert list(rule.get_xdata()) == [3.5, 3.5]
    assert " 100 backlogs of 6 requests" in picture.title[1]
    assert [row["kind"] for row in picture.rows[:7]] == ["optimum"] * 4 + ["policy"] * 3


def test_vacuity_map(draw):
    picture = draw("vacuity_map", "computed", "theory", low=1, high=99)
    theorems = list(dict.fromkeys(row["theorem"] for row in picture.rows))
    names = list(dict.fromkeys(row["lengths"] for row in picture.rows))
    samples = {text: found[0] for text, found in lines(picture.axes[0]).items()}
    assert [ax.get_title() for ax in picture.axes] == names
    for ax, name in zip(picture.axes, names, strict=True):
        artists = iter(ax.get_lines())
        for theorem in theorems:
            rows = picture.part(theorem=theorem, lengths=name)
            for form in dict.fromkeys(row["form"] for row in rows):
                artist = next(artists)
                part = [row for row in rows if row["form"] == form]
                holds(artist, col(part, "G"), col(part, "computed"))
                # The colour says the theorem, line and mark its form.
                assert same_color(artist.get_color(), samples[theorem].get_color())
                assert artist.get_linestyle() == samples[form].get_linestyle()
                assert artist.get_marker() == samples[form].get_marker()
        holds(next(artists), [32, 256], [72, 72])  # E2 and E3
    forms = [samples[form] for form in dict.fromkeys(row["form"] for row in picture.rows)]
    assert len({(form.get_linestyle(), form.get_marker()) for form in forms}) == len(forms)


def test_fcfs_bounds(draw):
    picture = draw("fcfs_bounds", "computed", "theory")
    laws = list(dict.fromkeys(row["law"] for row in picture.rows))
    bounds = list(dict.fromkeys(row["bound"] for row in picture.rows))
    panels = np.array(picture.axes).reshape(len(laws), len(bounds))
    assert [ax.get_title(loc="left") for ax in panels[:, 0]] == laws
    assert [ax.get_title(loc="right") for ax in panels[0]] == bounds
    for (i, j), ax in np.ndenumerate(panels):
        rows = picture.part(law=laws[i], bound=bounds[j])
        (image,) = ax.images
        workers = list(dict.fromkeys(row["G"] for row in rows))
        slots = list(dict.fromkeys(row["B"] for row in rows))
        if i == len(laws) - 1:
            marks = zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
            assert all(workers[int(at)] == text.get_text() for at, text in marks)
        if j == 0:
            assert [text.get_text() for text in ax.get_yticklabels()] == slots
        assert image.origin == "lower"
        for row in rows:
            value = image.get_array()[slots.index(row["B"]), workers.index(row["G"])]
            assert value == pytest.approx(float(row["theory"]) / float(row["computed"]))
        # The staircase of B = floor(log2 G) stands where the explicit bound changes its form.
        assert len(ax.patches) == (bounds[j] == "explicit")
        for stairs in ax.patches:
            few = [sum(int(b) < int(g).bit_length() - 1 for b in slots) for g in workers]
            assert list(stairs.get_data().values + 0.5) == few


def test_a_bound_that_says_nothing_has_no_colour(draw):
    rows = list(csv.DictReader(io.StringIO(committed("fcfs_bounds"))))
    silent = [row["computed"] == "0.0" for row in rows]
    picture = draw("fcfs_bounds", rows=rows)
    blank = sum(int(np.ma.getmaskarray(ax.images[0].get_array()).sum()) for ax in picture.axes)
    assert blank == sum(silent) > 0


def test_guaranteed_saving(draw):
    picture = draw("guaranteed_saving", "computed", "growth")
    names = list(dict.fromkeys(row["lengths"] for row in picture.rows))
    assert [ax.get_title() for ax in picture.axes] == names
    assert picture.axes[0].get_ylim()[0] == 0
    for ax, name in zip(picture.axes, names, strict=True):
        top = ax.get_ylim()[1]
        for number, device in enumerate(DRAWN):
            rows = picture.part(lengths=name, device=device)
            exact, closed = ax.get_lines()[2 * number : 2 * number + 2]
            holds(exact, col(rows, "G"), col(rows, "computed", 100))
            holds(closed, col(rows, "G"), col(rows, "growth", 100))
            assert exact.get_label().startswith(device)
            assert same_color(exact.get_color(), closed.get_color())
            assert closed.get_linestyle() == "--"
            assert max(exact.get_ydata()) <= top
    shares = [
        line.get_ydata()[0] for line in picture.axes[0].get_lines() if line.get_color() == "0.6"
    ]
    assert shares == [1, 5, 10]


def test_worker_scaling(draw):
    picture = draw("worker_scaling", "computed", "theory", "watts_per_load")
    left, right = picture.axes
    for policy, name, container, power in zip(
        ("fcfs", "bfio"), ("FCFS", "BF-IO"), error_containers(left), right.get_lines(), strict=True
    ):
        rows = picture.part(policy=policy)
        assert container.get_label() == f"{name}, 3 seeds"
        errors(container, col(rows, "G"), rows, 100)
        # Balance takes 400 W, the most of the device, for a unit of load.
        above = [x / 4 - 100 for x in col(rows, "watts_per_load")]
        holds(power, col(rows, "G"), above)
        assert same_color(power.get_color(), container.lines[0].get_color())
    rows = picture.part(policy="fcfs")
    holds(line(left, "FCFS, exact"), col(rows, "G"), col(rows, "theory", 100))
    assert same_color(
        line(left, "FCFS, exact").get_color(), error_containers(left)[0].lines[0].get_color()
    )
    assert (left.get_ylabel(), right.get_ylabel()) == (
        "idle share (%)",
        "energy above that of balance (%)",
    )


def test_worst_cases(draw):
    picture = draw("worst_cases", "computed", "theory", low=1, high=9)
    left, *runs = picture.axes
    assert list(left.get_xticks()) == [1, 2, 3]
    for policy, name in (("fcfs", "FCFS"), ("bfio_exact", "BF-IO")):
        rows = picture.part(panel="refill", policy=policy)
        holds(line(left, f"{name}, closed form"), col(rows, "x"), col(rows, "theory"))
        holds(line(left, f"{name}, largest of all"), col(rows, "x"), col(rows, "computed"))
    policies = dict.fromkeys(r["policy"] for r in picture.rows if r["panel"] == "witness")
    for policy, ax in zip(policies, runs, strict=True):
        name = {"fcfs": "FCFS", "bfio_exact": "BF-IO"}[policy]
        assert ax.get_title() == f"The same requests under {name}"
        shaded = ax.containers[::2], ax.containers[1::2]
        for number, (idle, busy) in enumerate(zip(*shaded, strict=True)):
            rows = picture.part(panel="witness", policy=policy, worker=str(number))
            assert [bar.get_height() for bar in idle] == pytest.approx(col(rows, "theory"))
            assert [bar.get_height() for bar in busy] == pytest.approx(col(rows, "computed"))
            assert busy.get_label() == f"worker {number}"
            for bar, row in zip(busy, rows, strict=True):
                middle = bar.get_x() + bar.get_width() / 2
                assert round(middle) == int(row["x"])
                assert same_color(bar.get_facecolor(), SHADES[number])


def test_a_witness(monkeypatch, tmp_path):
    """Sizes 1, 1, 2, 2 ... as the gallery has them: the bars are the loads that it replays."""
    drawn = []
    monkeypatch.setattr(
        "paper_figures.files.save", lambda fig, out, stem, kinds: drawn.append(fig) or []
    )
    for shown in gallery():
        if shown.name not in ("iir-below-one", "gap-smallest"):
            continue
        witness_picture.draw(shown, tmp_path)
        panels = witness_picture.panels(shown)
        for ax, (title, steps) in zip(drawn.pop().axes, panels.items(), strict=True):
            assert ax.get_title() == title
            for number, (idle, busy) in enumerate(
                zip(ax.containers[::2], ax.containers[1::2], strict=True)
            ):
                assert [bar.get_height() for bar in busy] == [loads[number] for loads in steps]
                assert [bar.get_height() for bar in idle] == [max(loads) for loads in steps]
                middles = [round(bar.get_x() + bar.get_width() / 2) for bar in busy]
                assert middles == list(range(len(steps)))
                assert busy.get_label() == f"worker {number}"


def test_the_shape_of_the_fit_is_e_max():
    """``E_max`` of 2 and of 3 normals is 1/sqrt(pi) and 3/(2 sqrt(pi))."""
    for workers, most in ((2, np.pi**-0.5), (3, 1.5 * np.pi**-0.5)):
        assert isclose(float(expected_max_of_normals(workers)), most, rel_tol=1e-12)
        shape = SHAPES["E_max(G) G/(G-1)"](workers)
        assert isclose(shape, most * workers / (workers - 1), rel_tol=1e-12)


@pytest.mark.parametrize("name", FIGURES)
def test_a_picture_says_what_it_shows_and_nothing_lies_on_anything(name):
    picture = committed_picture(name)
    drawn = picture.figure
    message, setting = picture.title
    assert message
    assert setting
    whole = drawn.bbox
    (below,) = [a for a in drawn.artists if isinstance(a, Annotation)]
    title, under = drawn._suptitle.get_window_extent(), below.get_window_extent()
    axes = [ax.get_tightbbox() for ax in drawn.axes if ax.get_visible() and ax.axison]
    legends = [legend.get_window_extent() for legend in drawn.legends]
    for box in (title, under, *legends, *axes):
        assert whole.x0 - 1 <= box.x0 < box.x1 <= whole.x1 + 1
        assert whole.y0 - 1 <= box.y0 < box.y1 <= whole.y1 + 1
    for box in (*legends, title):
        assert not any(overlap(box, other) for other in axes)
    # Each axis with numbers has a name, its own or that of the panels that share it.
    for across in (True, False):
        parts = [drawn, *drawn.subfigs]
        named = any(part.get_supxlabel() if across else part.get_supylabel() for part in parts)
        for ax in picture.axes:
            # Of the column or the row of panels.
            side = "colspan" if across else "rowspan"
            place = getattr(ax.get_subplotspec(), side)
            group = [o for o in picture.axes if getattr(o.get_subplotspec(), side) == place]
            labels = [other.get_xlabel() if across else other.get_ylabel() for other in group]
            assert named or any(labels) or categories(ax, across=across)


@pytest.mark.parametrize("kept", PICTURES, ids=lambda path: path.stem)
def test_a_picture_of_the_readme_is_what_the_figure_draws(tmp_path, kept):
    with style():
        path = save_as(committed_picture(kept.stem).figure, tmp_path / kept.name)
    now, old = map(imread, (path, kept))
    assert now.shape == old.shape, "make pictures"
    # Fonts are drawn a little otherwise by other versions of the library beneath.
    assert float(np.abs(now - old).mean()) < 0.01, "make pictures"


def overlap(one, two):
    return one.x0 < two.x1 and two.x0 < one.x1 and one.y0 < two.y1 and two.y0 < one.y1


def categories(ax, *, across):
    """Whether the marks of an axis are words, which need no name."""
    texts = [text.get_text() for text in (ax.get_xticklabels() if across else ax.get_yticklabels())]
    return any(text.strip("−-.0123456789 ") for text in texts)
