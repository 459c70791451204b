"""Every column of every figure's table, at a few cells, against a value found without the figure.

A closed form, a hand value, or the same runs by the step-by-step reference engine.  ``E|X - Y|`` of
two loads is the imbalance of G = 2; for geometric ages of mean 1/p at p = 1/2 it is ``4/3`` where
the sizes are equal and ``m + 2^(1-m) 2/3`` where they are ``m`` apart.
"""

from fractions import Fraction
from itertools import count
from math import exp, log, pi, sqrt
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.special import ndtr, ndtri

from adversary.paired_runs import E2, E3, Ends, Setting, Spread, Stretch
from adversary.workloads.families import workload
from adversary.workloads.overload import requests_to_overload
from adversary.workloads.trace_statistics import trace_lengths
from paper_figures.energy import energy_envelope, energy_saving, hardware_savings, needed_idle
from paper_figures.experiments import experiment_bars, fairness, lookahead
from paper_figures.fcfs import effective_constant, fcfs_bounds, fcfs_expectation, loads_by_policy
from paper_figures.files import interval, to_csv
from paper_figures.optima import growth, price_ladder, worst_cases
from paper_figures.reach import balance_threshold, vacuity_map
from paper_figures.scaling import iir_exponents, iir_scaling, imbalance_trace, worker_scaling
from solvers.simulation.reference import simulate_reference
from theory.formulas.vacuity import refill_imbalance
from theory.laws.law import Law
from theory.laws.order_statistics import berry_esseen_distance
from theory.model import System
from theory.power_measurements import a100_sweeps, gamma_quartiles, mlenergy_sweeps

# The 97.5 % quantile of Student's law with one degree of freedom, tan(0.475 pi): two values lie
# half their distance, times this, from the ends of their interval.
STUDENT = 12.706204736174694


def near(value, rel=1e-9):
    return pytest.approx(float(value), rel=rel, abs=1e-12)


def spread(row, one, two):
    """The row holds the mean of two values and its interval."""
    half = STUDENT * abs(one - two) / 2
    assert row["computed"] == near((one + two) / 2)
    assert row["lower"] == near((one + two) / 2 - half)
    assert row["upper"] == near((one + two) / 2 + half)
    assert row["n"] == 2


def test_the_interval_of_two_values():
    assert interval([1.0, 3.0]) == (2.0, near(2 - STUDENT), near(2 + STUDENT))


def test_balance_threshold(monkeypatch):
    calls = count()

    def loads(G, B, p, sizes, rng):
        """Step k has the loads k - 12 and 0, the second run 4 more: warm are k = 12, 13, 14."""
        assert (G, B, p, sizes) == (2, 1, 0.5, (1, 2))
        more = 4 * next(calls)
        return (np.array([k - 12 + more, 0]) for k in count())

    monkeypatch.setattr(balance_threshold, "rich_pool_run", loads)
    row, edge = balance_threshold.data(2, Fraction(1, 2), (1,), (1,), steps=3, seeds=2)
    # FCFS: sizes 1 or 2, equal or 1 apart, (4/3 + 5/3)/2.  Means of the runs: 1 and 5.
    spread(row, 1 / 1.5, 5 / 1.5)
    # Ages alone leave 4/3, of which sizes can fill (G-1) B d = 1; no window of steps shows more.
    assert row["least"] == near((4 / 3 - 1) / 1.5)
    assert (row["G"], row["p"], row["d"], row["B"]) == (2, 0.5, 1, 1)

    def guaranteed(theta):
        """``F / p``: a coin has the moment cosh(v/2), a load is the age or one more; one other."""
        ages = np.arange(1, 400)
        above = np.sum(0.5**ages * np.cosh(theta * ages / 2))
        below = np.sum(0.5**ages * np.cosh(theta * (1 + ages) / 2))
        z = above * below * exp(-theta / 2)
        return 2 * 2 / theta * min(log(1 + z), z / exp(1))

    best = minimize_scalar(guaranteed, bounds=(0.01, 1.3), method="bounded").fun
    assert row["most"] == near(best / 1.5, 1e-4)
    # One slot is enough for a tenth to be out of reach, sixteen too few to be sure of it.
    assert (edge["kind"], edge["least"], edge["most"]) == ("slots at a tenth of it", 1, "")


def test_slots_around_a_tenth():
    # Of 8, 8 2^(1/4) = 9.5, 11.3, 13.5 and 16, rounded, 10 is the last with 1/B of a tenth or more.
    assert balance_threshold._around((4, 8, 16, 32), lambda b: 1 / b) == (10, 11)
    assert balance_threshold._around((1, 2, 4), lambda b: 0.15 / b) == (1, 2)
    assert balance_threshold._around((11, 22), lambda b: 1 / b) == ("", 11)
    assert balance_threshold._around((4, 8), lambda b: 1 / b) == (8, "")


def test_effective_constant():
    rows = {
        (row["law"], row["G"], row["B"]): row for row in effective_constant.data((2, 3), (1, 2))
    }
    two, uniform, geometric, rare = effective_constant.laws()
    sigma = sqrt(9999 / 12)
    # 0.01 of sizes plus ages, far beyond the tail: the law itself, by convolution.
    ages = 0.01 * 0.99 ** np.arange(6000)
    law = np.convolve(np.full(100, 0.01), ages)
    below = np.cumsum(law)
    gap = 2 * float(np.sum(below * (1 - below)))
    variance = 9999 / 12 + 0.99 / 0.01**2
    for key, imbalance, deviation in (
        # Fair coins: differ in 1/2; two of them, by 1 in 1/2 and by 2 in 1/8; of three, all but two
        # in eight differ: 3 (1 + 7/8) - 3 * 3/2.
        ((two, 2, 1), 1 / 2, 1 / 2),
        ((two, 2, 2), 3 / 4, sqrt(2) / 2),
        ((two, 3, 1), 9 / 8, 1 / 2),
        ((uniform, 2, 1), 9999 / 300, sigma),  # (n^2 - 1)/(3 n)
        ((geometric, 2, 1), gap, sqrt(variance)),
        ((rare, 2, 1), 99 * 2 * 0.01 * 0.99, 99 * sqrt(0.01 * 0.99)),
    ):
        row = rows[key]
        assert row["computed"] == near(imbalance / (key[1] * deviation * sqrt(log(key[1]))))
        assert row["lower"] <= row["computed"] <= row["upper"]
        assert row["upper"] - row["lower"] < 1e-6
        # E max of 2 and 3 normals.
        limit = {2: 1 / sqrt(pi * log(2)), 3: 1.5 / sqrt(pi * log(3))}
        assert row["theory"] == near(limit[key[1]])
        assert row["n"] == 1


def test_energy_envelope():
    rows = {row["loads"]: row for row in energy_envelope.data(workers=4, samples=1)}
    drawn = np.random.default_rng(0).uniform(0.5, 1, 4)
    grown = np.random.default_rng(0)
    grown.uniform(0.5, 1, 4)
    for shape, loads in (
        ("uniform", drawn),
        ("exponential", 1 + 5 * grown.exponential(1.0, 4)),
        ("geometric", (1, 1 / 2, 1 / 4, 1 / 8)),
        ("full or empty", (1, 1, 0, 0)),
        ("one full", (1, 1 / 2, 1 / 2, 1 / 2)),
    ):
        used = np.array(loads) / max(loads)
        busy, row = used.mean(), rows[shape]
        # 100 W idle, 400 W full, exponent 0.7, D = 190 W.
        assert row["idle_share"] == near(1 - busy)
        assert row["computed"] == near(np.mean([100 + 300 * u**0.7 for u in used]))
        assert row["lower"] == near(400 * busy + 100 * (1 - busy))
        assert row["upper"] == row["theory"] == near(100 + 300 * busy**0.7)
        assert row["tangent"] == near(400 * busy + 190 * (1 - busy))
        assert row["n"] == 4


def test_energy_saving():
    rows = {
        (row["bound"], row["idle_share"]): row
        for row in energy_saving.data(("a100-paper",), workers=4, stride=2)
    }
    assert {share for _, share in rows} == {0, 0.5}
    # Two of four workers idle, eta = 1: 1000 W before, 800 W after.  One full beside three at 1/3:
    # the same work before.
    extreme, level = 1 / 5, 1 - 800 / (400 + 3 * (100 + 300 * (1 / 3) ** 0.7))
    cap = 1 - 400 / (2 * (100 + 300 * 0.5**0.7))
    for bound, computed, theory in (
        ("paper floor", extreme, 100 / 590),
        ("sharp floor", extreme, 100 / 500),
        ("envelope cap", level, cap),
        ("tangent cap", level, 190 / 590),
    ):
        row = rows[bound, 0.5]
        assert (row["computed"], row["theory"]) == (near(computed), near(theory))
        assert (row["lower"], row["upper"], row["n"]) == (near(1 / 5), near(cap), 4)
        assert rows[bound, 0]["computed"] == near(0)


def a_stretch(factor):
    """Steps, work, imbalance, seconds, joules, tokens; all that a change is made of scales."""
    times = Spread(2.0 * factor, 9, 9, 9)
    return Stretch(10, 1000, 100 * factor, 50, 800 * factor, 100 * factor, times, times)


def ends(window, completed):
    return Ends(a_stretch(window), a_stretch(completed))


def test_experiment_bars(monkeypatch):
    asked = []

    def replay(setting, policy, seed):
        asked.append((setting, policy))
        if policy == "fcfs":
            return ends(1, 2)
        # A tenth and a fifth of it in the first run, a half and a quarter in the second.
        return ends(1 / 10, 2 / 5) if seed == 0 else ends(1 / 2, 2 / 4)

    monkeypatch.setattr(experiment_bars, "replay", replay)
    rows = experiment_bars.data(seeds=2)
    wanted = {"E2": (E2, 20), "E3": (E3, 40)}
    assert {(setting, policy) for setting, policy in asked} == {
        (setting, policy)
        for setting, h in wanted.values()
        for policy in ("fcfs", "br0", f"brh:horizon={h}", "bfio", f"bfio:horizon={h}")
    }
    told = {
        "E2": {"imbalance": 17, "throughput": 0.14, "time per token": 0.13, "energy": 13 / 396},
        "E3": {"throughput": 0.92, "energy": 0.282},
    }
    pairs = {"window": (1 / 10, 1 / 2), "completed": (1 / 5, 1 / 4)}
    assert len(rows) == 2 * 4 * 4 * 2
    for row in rows:
        one, two = pairs[row["end"]]
        if row["measure"] == "imbalance":
            # 10 and 2 times less, or 5 and 4: geometric means.
            middle = log(1 / one / two) / 2
            half = STUDENT * abs(log(one / two)) / 2
            assert row["computed"] == near(exp(middle))
            assert row["lower"] == near(exp(middle - half))
            assert row["upper"] == near(exp(middle + half))
        elif row["measure"] == "throughput":
            spread(row, one - 1, two - 1)
        else:
            spread(row, 1 - one, 1 - two)
        assert row["horizon"] == wanted[row["experiment"]][1]
        expected = told[row["experiment"]].get(row["measure"], "")
        assert row["theory"] == (expected if expected == "" else near(expected))
        assert row["n"] == 2


def test_fairness(monkeypatch):
    """Waits 0..999 in the first run and twice that in the second; FCFS waits ten times less."""

    def simulate(system, requests, policy, *, seed):
        factor = (1 + seed) * (1 if policy == "fcfs" else 10)
        share = Fraction(1 + seed, 10 if policy == "fcfs" else 40)
        return SimpleNamespace(
            waiting_steps=factor * np.arange(1000), overloaded=SimpleNamespace(idle_share=share)
        )

    monkeypatch.setattr(fairness, "simulate", simulate)
    rows = fairness.data(workers=2, slots=2, rounds=1, seeds=2)
    found = {(row["policy"], row["share"]): row for row in rows}
    assert {policy for policy, _ in found} == {"fcfs", "bfio", "bfio:max_wait=100"}
    for policy, factor, idle in (("fcfs", 1, 0.15), ("bfio", 10, 0.0375)):
        # Of 1000 values, the least that at most the share exceed: at 1/2 (between 499 and 500, the
        # higher), and at the places 800, 950, 990, 999 of 0..999, rounded up from 799.2 ...
        for share, place in ((0.5, 500), (0.2, 800), (0.05, 950), (0.01, 990), (0.0002, 999)):
            row = found[policy, share]
            spread(row, factor * place, 2 * factor * place)
            assert row["theory"] == near(1.5 * place)  # of FCFS, at the same share
            assert row["idle"] == near(idle)


def test_fcfs_expectation():
    rows = {(r["G"], r["B"]): r for r in fcfs_expectation.data((2,), (1, 64), 3, samples=300)}
    # Sizes 1..3: E|X - Y| = 8/9, sigma^2 = 2/3, fourth moment 2/3.
    one, sigma = rows[2, 1], sqrt(2 / 3)
    assert one["theory"] == near(8 / 9 / (2 * sigma))
    assert one["limit"] == near(1 / sqrt(pi))
    assert one["berry_esseen"] == 0
    # E S^2 = 4/3 and E S^4 = 4/3 + 8/3: (4/3)^(3/2) / 2 / 2 for each of the two.
    assert one["pairing"] == near((4 / 3) ** 1.5 / 2 / (2 * sigma))
    assert one["n"] == 150
    rng = np.random.default_rng(0)
    loads = [rng.integers(1, 4, (150, 2, b)).sum(axis=2) for b in (1, 64)]
    for row, b, found in zip(rows.values(), (1, 64), loads, strict=True):
        gaps = np.abs(found[:, 0] - found[:, 1]) / (2 * sigma * sqrt(b))
        mean, low, high = interval(gaps.tolist())
        assert (row["computed"], row["lower"], row["upper"]) == (near(mean), near(low), near(high))
    # Berry-Esseen at B = 64: the integral of 1 - (Phi + eps)^2 to the last 1/64 where that is < 1.
    eps = float(berry_esseen_distance(Law.uniform(1, 3), 64))
    cut = int(-64 * ndtri(eps)) / 64
    gain, _ = quad(lambda x: 1 - (ndtr(x) + eps) ** 2, 0, cut)
    assert rows[2, 64]["berry_esseen"] == near(gain - (0.5 + eps) / 2, 1e-7)
    assert rows[2, 64]["berry_esseen"] > 0


def test_growth(tmp_path):
    base = {"G": 64, "B": 64, "N": 100_000, "pool": 512, "H": 0}
    recorded = tmp_path / "runs.csv"
    runs = [
        {"grows": name, "policy": "fcfs", **base, name: x, "ms": 3 * x**2, "steps": 10, "mb": 5 * x}
        for name in ("G", "N")
        for x in (1, 8, 16, 32, 64)
    ]
    recorded.write_text(to_csv(runs), "utf-8")
    for row in growth.data(recorded):
        x = row["x"]
        # Where N grows it is the time of the run, else of one of its ten steps, in microseconds.
        time = 3 * x**2 if row["grows"] == "N" else 1000 * 3 * x**2 / 10
        assert row["computed"] == near(time if row["measure"] == "time" else 5 * x)
        assert row["theory"] == near(row["computed"])
        assert row["unit"] == {
            ("time", "N"): "ms a run",
            ("time", "G"): "us a step",
        }.get((row["measure"], row["grows"]), "MB")
    # Only the last four points are fitted.
    assert growth.power_law([1, 2, 4, 8, 16], [99, 4, 16, 64, 256]) == (near(2), near(1))


def test_hardware_savings():
    rows = {(row["device"], row["end"]): row for row in hardware_savings.data()}
    curves = [*a100_sweeps(), *mlenergy_sweeps()]
    least = gamma_quartiles(curves)[0]

    def cap(gamma):
        """100 W and 400 W at f = 2/5, eta = 2/3, five thirds of the balanced time."""
        return 1 - 400 / (5 / 3 * (100 + 300 * 0.6**gamma))

    row = rows["a100-paper", "cap"]
    assert (row["computed"], row["theory"], row["gamma"]) == (near(cap(0.7)), near(1 / 7), 0.7)
    # The cap falls as gamma grows: from the lower quartile to 1, where it meets the floor.
    assert (row["lower"], row["upper"], row["n"]) == (near(1 / 7), near(cap(least)), len(curves))
    floor = rows["a100-paper", "floor"]
    # eta P_idle / (P_max + eta P_idle), whatever gamma is.
    assert all(floor[key] == near(1 / 7) for key in ("computed", "theory", "lower", "upper"))
    half = {(r["device"], r["end"]): r for r in hardware_savings.data(0.5)}
    assert half["a100-paper", "floor"]["computed"] == near(100 / 500)


def test_iir_exponents(monkeypatch):
    """A ratio of ``4^seed sqrt(B) G``: geometric means over two seeds are 2 sqrt(B) G."""
    monkeypatch.setattr(
        iir_exponents,
        "REGIMES",
        (iir_exponents.Regime("refill", "", lambda g, b, steps, seed: 4**seed * sqrt(b) * g),),
    )
    rows = iir_exponents.data((2, 3), (4, 16), at=(5, 9), seeds=2)
    found = {(row["against"], row["kind"], row["x"]): row for row in rows}
    for b in (4, 16):
        row = found["B", "iir", b]
        assert row["computed"] == near(2 * sqrt(b) * 5)
        assert (row["lower"], row["upper"]) == (
            near(2 * sqrt(b) * 5 * exp(-STUDENT * log(4) / 2)),
            near(2 * sqrt(b) * 5 * exp(STUDENT * log(4) / 2)),
        )
        assert row["theory"] == near(row["computed"])  # sqrt(B) is its shape
    assert found["B", "exponent", ""]["computed"] == near(1 / 2)
    assert found["B", "exponent", ""]["theory"] == near(1 / 2)
    assert found["B", "misfit sqrt(B)", ""]["computed"] == near(0)
    # In G it is the first power.  E_max(2) * 2 and E_max(3) * 3/2 are 2/sqrt(pi), 9/4/sqrt(pi).
    assert [found["G", "iir", g]["computed"] for g in (2, 3)] == [near(12), near(18)]
    slope = log(9 / 8) / log(3 / 2)
    exponent = found["G", "exponent", ""]
    assert (exponent["computed"], exponent["theory"]) == (near(1), near(slope))
    # The best multiple goes half of the way, in logarithms, from 12 : 2 to 18 : 9/4.
    scale = sqrt(12 / 2 * 18 / 2.25)
    assert [found["G", "iir", g]["theory"] for g in (2, 3)] == [near(2 * scale), near(2.25 * scale)]
    # Of two points a shape misses each by half the difference of the logarithms of their steps.
    for name, step in (
        ("E_max(G) G/(G-1)", 9 / 8),
        ("sqrt(ln G) G/(G-1)", sqrt(log(3) / log(2)) * 1.5 / 2),
        ("ln G", log(3) / log(2)),
    ):
        row = found["G", f"misfit {name}", ""]
        assert (row["computed"], row["theory"]) == (near(abs(log(1.5 / step)) / 2), 0)
    assert all(row["n"] == 2 for row in rows)


def gaps(system, requests, policy, steps=None, **more):
    """Imbalance of each step by the reference engine, and the steps with every slot full."""
    run = simulate_reference(system, requests, policy, history=True, **more)
    loads = run.loads[:steps].astype(float)
    return system.workers * loads.max(axis=1) - loads.sum(axis=1), run


def test_ratios_of_the_exponents_are_those_of_the_reference_engine():
    system = System(2, 3, drift=(0,))
    requests = workload("two-point", 6 * 40, 4, a=1, b=100, q=0.5, length=1)
    sums = [gaps(system, requests, name)[0].sum() for name in ("fcfs", "bfio")]
    assert iir_exponents._refills(2, 3, 40, 4) == near(sums[0] / sums[1])
    growing = System(2, 3)
    requests = workload("burst-like", 8 * 6, 1)
    runs = [gaps(growing, requests, name) for name in ("fcfs", "bfio")]
    until = min(run.overloaded.steps for _, run in runs)
    assert until > 60
    sums = [found[20:until].sum() for found, _ in runs]
    assert iir_exponents._overloaded(2, 3, 0, 1) == near(sums[0] / sums[1])


def test_iir_scaling():
    rows = {(r["B"], r["G"]): r for r in iir_scaling.data((2,), (1, 2), seeds=2, refills=5)}
    # Sizes 1 or 100 at even odds: FCFS 99/2 and 99 * 3/4; BF-IO 99 where their number is odd, 1/2.
    orders = {b: sqrt(b * log(2)) * 2 for b in (1, 2)}
    ratios = {1: 1.0, 2: 1.5}
    constant = sqrt(ratios[1] / orders[1] * ratios[2] / orders[2])
    for b in (1, 2):
        row = rows[b, 2]
        assert row["theory"] == near(ratios[b])
        assert row["bound"] == near(ratios[b] / 2)  # over (G-1)(b-a) = 99
        assert row["constant"] == near(constant)
        assert row["shape"] == near(constant * orders[b])
        system = System(2, b, drift=(0,))
        found = []
        for seed in (0, 1):
            requests = workload("two-point", 2 * b * 5, seed, a=1, b=100, q=0.5, length=1)
            sums = [gaps(system, requests, name)[0].sum() for name in ("fcfs", "bfio")]
            found.append(sums[0] / sums[1])
        spread(row, *found)


def test_imbalance_trace():
    half, system = Fraction(1, 2), System(2, 1)
    rows = imbalance_trace.data(2, 1, steps=2, seeds=2, p=half, largest=2)
    found = {(row["policy"], row["step"]): row for row in rows}
    # Sizes 1 or 2; a step later half of the slots hold another, the others one token more: 1, 2, 3
    # with 1/4, 1/2, 1/4, two coins.  (G-1)(b-a) = 1.
    assert [found["fcfs", k]["theory"] for k in (0, 1)] == [near(1 / 2), near(3 / 4)]
    assert [found["bfio", k]["theory"] for k in (0, 1)] == [1, 1]
    assert [found["bfio", k]["kind"] for k in (0, 1)] == ["upper", "reference"]
    n = requests_to_overload(system, 2, p=0.5, pool=4)
    for policy in ("fcfs", "bfio"):
        runs = [
            gaps(system, workload("uniform", n, seed, a=1, b=2, p=0.5), policy, 2, pool=4)[0]
            for seed in (0, 1)
        ]
        for step in (0, 1):
            spread(found[policy, step], runs[0][step], runs[1][step])
            assert found[policy, step]["example"] == runs[0][step]


def test_loads_by_policy(monkeypatch):
    """Two workers: (8, 6) and (4, 1) under FCFS, 1 more on both in the second run; others less."""

    def simulate(system, requests, policy, *, pool, seed, history):
        assert pool == 2 * system.capacity
        loads = np.array([(8, 6), (4, 1), (0, 0)]) + seed
        if policy != "fcfs":
            loads[:, 0] -= 1
        return SimpleNamespace(loads=loads, overloaded=SimpleNamespace(steps=2))

    monkeypatch.setattr(loads_by_policy, "simulate", simulate)
    rows = loads_by_policy.data(workers=2, slots=1, steps=2, rounds=2, seeds=2)
    found = {(row["policy"], row["step"]): row for row in rows}
    first = found["fcfs", 0]
    spread(first, 1 / 8, 1 / 9)  # 7 of 8, 8 of 9
    assert (first["least"], first["mean"], first["largest"]) == (6, 7, 8)
    spread(found["fcfs", 1], 3 / 8, 3 / 10)
    for policy in ("jsq", "bfio"):
        row = found[policy, 1]
        spread(row, 1 / 3, 1 / 4)  # (3, 1), (4, 2)
        assert row["theory"] == near((3 / 8 + 3 / 10) / 2)
        assert (row["least"], row["mean"], row["largest"]) == (1, 2, 3)


def test_lookahead(monkeypatch):
    """Throughputs that tell every policy and seed apart; FCFS has 2 tokens a second."""
    gains = {
        "bfio": 1,
        "br0": 2,
        "bfio:horizon=4": 3,
        "brh:horizon=4": 4,
        "bfio:horizon=20,predictor=noisy:0.5": 5,
        "bfio:horizon=20,predictor=observed": 6,
    }
    settings = set()

    def replay(setting, policy, seed):
        settings.add(setting)
        return ends(1, 50) if policy == "fcfs" else ends(1 + gains[policy] + seed / 2, 70)

    monkeypatch.setattr(lookahead, "replay", replay)
    rows = lookahead.data(3, 5, rounds=2, seeds=2, horizons=(0, 4), errors=(0.5,))
    assert settings == {Setting(name, 3, 5, 30, 12) for name in ("burst-like", "longbench-like")}
    found = {(row["workload"], row["sweep"], row["policy"], row["x"]): row for row in rows}
    assert len(found) == len(rows) == 2 * 6
    for name in ("burst-like", "longbench-like"):
        for sweep, policy, x, gain, myopic in (
            ("horizon", "bfio", 0, 1, 1),
            ("horizon", "bfio", 4, 3, 1),
            ("horizon", "brh", 0, 2, 2),
            ("horizon", "brh", 4, 4, 2),
            ("error", "bfio", 0.5, 5, 1),
            ("error", "bfio", "", 6, 1),
        ):
            row = found[name, sweep, policy, x]
            spread(row, gain, gain + 0.5)
            assert row["theory"] == near(myopic + 0.25)


def test_needed_idle():
    rows = {(row["bound"], row["saving"]): row for row in needed_idle.data(("a100-paper",), 60)}
    # 100 W, 400 W, D = 190 W.  Sharp: eta = 400 s / (100 (1 - s)); paper: 400 s / (100 - 190 s).
    sharp, paper = 112 / 72, 112 / (100 - 190 * 0.28)
    cap = rows["cap", 0.28]["theory"]
    assert rows["sharp", 0.28]["theory"] == near(sharp / (1 + sharp))
    assert rows["paper", 0.28]["theory"] == near(paper / (1 + paper))
    # 0.72 (100 + 300 (1 - f)^0.7) = 400 (1 - f).
    assert 72 + 216 * (1 - cap) ** 0.7 == near(400 * (1 - cap))
    for bound in ("cap", "sharp", "paper"):
        row = rows[bound, 0.28]
        assert row["computed"] == near(0.28)
        assert (row["lower"], row["upper"], row["n"]) == (cap, near(sharp / (1 + sharp)), 1)
    # The paper's form ends at 10/19: 52 % is within its reach, 53 % is not.
    assert ("paper", 0.52) in rows
    assert ("paper", 0.53) not in rows


def test_price_ladder(monkeypatch):
    """Ratios 1.2 and 1.6 on the first rung, a tenth more on each of the next."""
    calls = count()
    names = ("migrating", "pausing", "sticky", "work conserving", *price_ladder.POLICIES)

    def ladder(system, backlog, policies):
        assert policies == price_ladder.POLICIES
        first = 12 + 4 * next(calls)
        # G sum M / W, with W = 20 on two workers.
        return [
            SimpleNamespace(name=name, totals=SimpleNamespace(sum_max=first + place, work=20))
            for place, name in enumerate(names)
        ]

    monkeypatch.setattr(price_ladder, "price_ladder", ladder)
    rows = price_ladder.data(shapes=((2, 1),), requests=3, backlogs=2)
    assert [row["rung"] for row in rows] == list(names)
    for place, row in enumerate(rows):
        assert row["computed"] == near(1.4 + place / 10)
        assert (row["least"], row["most"]) == (near(1.2 + place / 10), near(1.6 + place / 10))
        # The rung before; policies stand on the last optimum, the first rung on 1.
        assert row["theory"] == near(1 if place == 0 else 1.3 + min(place, 4) / 10)
        assert (row["n"], row["workers"], row["slots"]) == (2, 2, 1)


def test_vacuity_map():
    found = vacuity_map.data((32,), ("azure2023-code",))
    rows = {(row["theorem"], row["form"]): row for row in found}
    # Sizes 3..7437, deviation 1973.765369, mean output 27.88252636; D / P_idle = 1.9.
    deviation, mean, top = 1973.765369, 27.88252636, 7437

    def first(ceiling, variance):
        """The smallest B with c G sigma sqrt(B ln G) > (G-1) ceiling."""
        return int((31 * ceiling / (0.6776 * 32)) ** 2 / variance / log(32)) + 1

    sizes = deviation**2
    slots = sizes + mean * (mean - 1)  # (1 - p)/p^2 more
    fourth = "Theorem 4, with the ratio of Theorem 1"
    closed = {
        "Theorem 1": first(top, sizes),
        "Theorem 2": first(top * mean, slots),
        "Theorem 3": first(top + mean, sizes),
        fourth: first(1.9 * top, sizes),
    }
    for (theorem, form), row in rows.items():
        assert row["theory"] == closed[theorem]
        if form == vacuity_map.PAPER:
            assert row["computed"] == closed[theorem]
    lengths = trace_lengths()["azure2023-code"]
    kurtosis = float(lengths.fourth_moment()) / sizes**2
    for theorem, ratio in (("Theorem 1", 1), (fourth, 1.9)):

        def exact(g, b):
            return refill_imbalance(lengths, g, b).value / g

        def shared(b):
            """The best of one round of 16 workers and two of 5; more rounds have 3 or 2."""
            rounds = [(16, 1), (5, 2), (3, 3), (2, 4), (2, 5)]
            return max(
                (j - b % j) * exact(g, b // j) + (b % j) * exact(g, b // j + 1)
                for g, j in rounds
                if j <= b
            )

        def explicit(b):
            """k = 5 rounds of two workers with n = floor(B/5) slots each, by their moments."""
            n = b // 5
            return 5 * deviation * sqrt(n / (6 + (kurtosis - 3) / n)) if n else 0

        for form, bound in (
            ("exact FCFS", lambda b: exact(32, b)),
            ("tournament", shared),
            ("explicit bound", explicit),
        ):
            edge = rows[theorem, form]["computed"]
            # FCFS leaves more than the ratio times (G-1)(b-a) from there on.
            values = [32 * bound(b) / 31 / 7434 for b in (edge - 1, edge)]
            assert values[0] <= ratio < values[1]
            assert rows[theorem, form]["kind"] == "bound"


def test_fcfs_bounds():
    names = ("fair 1 or 2", "100 once in 100, else 1")
    rows = {
        (row["law"], row["bound"], row["G"], row["B"]): row
        for row in fcfs_bounds.data((2, 4), (1, 4), names)
    }
    fair, rare = names
    # Fair coins, four of one slot: all but two in sixteen differ, 4 (15/16 - 1/2).
    assert rows[fair, "tournament", 4, 1]["theory"] == near(4 * 7 / 16)
    assert rows[fair, "tournament", 4, 1]["computed"] == near(4 * 7 / 16)  # a group of four
    assert rows[fair, "explicit", 4, 1]["computed"] == near(4 / 4)  # G B sigma / 2
    # k = 2, n = 2: G k sigma sqrt(2 / (6 - 1)).
    assert rows[fair, "explicit", 4, 4]["computed"] == near(4 * sqrt(2 / 5))
    # kappa = 1/(q (1-q)) - 3 with q = 1/100: sigma / sqrt(3 + kappa) is 99 q (1-q).
    assert rows[rare, "explicit", 2, 1]["computed"] == near(2 * 99 * 0.01 * 0.99)
    assert rows[rare, "explicit", 2, 1]["theory"] == near(2 * 99 * 0.01 * 0.99)
    # Its skewness hides it from Berry and Esseen: q (1-q) (1 - 2 q (1-q)) / sigma^3 is near 10.
    assert rows[rare, "Berry-Esseen", 2, 4]["computed"] == 0
    for row in rows.values():
        assert row["lower"] == near(row["theory"])
        assert row["upper"] == near(row["theory"])
        assert (row["n"], row["kind"]) == (1, "lower")


def test_worker_scaling():
    rows = worker_scaling.data((2,), 1, Fraction(1, 2), 2, steps=14, seeds=2)
    found = {row["policy"]: row for row in rows}
    # E|X - Y| = 3/2 beside a mean load of 3/2 + 1 on both.
    assert (found["fcfs"]["theory"], found["bfio"]["theory"]) == (near(3 / 13), 0)
    system = System(2, 1)
    n = requests_to_overload(system, 14, p=0.5)
    for policy, row in found.items():
        idle, watts = [], []
        for seed in (0, 1):
            requests = workload("uniform", n, seed, a=1, b=2, p=0.5)
            run = simulate_reference(system, requests, policy, seed=seed, history=True)
            steps = run.loads[10:14].tolist()  # after five mean lengths
            top, work = sum(map(max, steps)), sum(map(sum, steps))
            idle.append(1 - work / (2 * top))
            energy = sum(
                max(pair) * sum(100 + 300 * (load / max(pair)) ** 0.7 for load in pair)
                for pair in steps
            )
            watts.append(energy / work)
        spread(row, *idle)
        assert row["watts_per_load"] == near(sum(watts) / 2)


def test_worst_cases():
    rows = worst_cases.data(workers=3, slots=(1, 2), largest=3)
    refills = {(r["policy"], r["x"]): r for r in rows if r["panel"] == "refill"}
    # Two workers wait for B (or one) requests of size 3 where theirs have size 1.
    for (policy, slots), row in refills.items():
        assert row["computed"] == row["theory"] == 2 * 2 * (slots if policy == "fcfs" else 1)
    shown = [r for r in rows if r["panel"] == "witness"]
    for row in shown:
        at = [r for r in shown if (r["policy"], r["x"]) == (row["policy"], row["x"])]
        assert row["theory"] == max(r["computed"] for r in at)
        assert [r["worker"] for r in at] == list(range(len(at)))
