"""Every number that simulate, assess, energy, policies and experiment print, on runs done by hand.

The paper's constants are ``t = 1.0052e-7`` s a token and ``C = (0.6 ms B + 35 ms)/16``, so
``C = 2.225 ms`` at ``B = 1`` and ``2.2625 ms`` at ``B = 2``.  Sizes are large, so that neither
part of a step is small beside the other.  The device is one of our own: 10 MW idle, 40 MW full,
exponent 1/2, so that roots of utilisations replace powers, and kilojoules have digits.
"""

import json
from dataclasses import asdict, replace
from fractions import Fraction
from math import cosh, exp, log, log10, sqrt

import polars
import pytest

from adversary.paired_runs import Setting, Spread, Stretch
from evenkeel.cli.main import cli
from evenkeel.studies import paper_experiments as experiments
from evenkeel.studies.paper_experiments import (
    Experiment,
    Outcome,
    Room,
    outcomes,
    perform,
    room,
    runs_of,
)
from evenkeel.studies.paper_experiments import both_right as _both_right
from evenkeel.studies.paper_experiments import levels as _levels
from evenkeel.studies.paper_experiments import note as _summary
from evenkeel.studies.run_summary import percent, rows
from evenkeel.studies.study import Estimate
from evenkeel.studies.study import plus_minus as _text
from solvers.policies.registry import POLICIES
from theory.model import Requests
from theory.power import PowerModel, _catalogue, _Device

T = Fraction(10052, 10**11)
C1, C2 = Fraction(2225, 10**6), Fraction(22625, 10**7)
IDLE, FULL = 10_000_000, 40_000_000
BENCH = PowerModel(float(IDLE), float(FULL), 0.5, "bench", "made up", "for tests")


@pytest.fixture(autouse=True)
def bench(monkeypatch):
    known = _Device(
        float(IDLE), None, float(FULL), 0.5, waits_idle=True, source="made up", note="for tests"
    )
    monkeypatch.setattr("theory.power._catalogue", lambda: {**_catalogue(), "bench": known})


@pytest.fixture
def say(capsys):
    def run(*words):
        cli.main(list(words), standalone_mode=False)
        return capsys.readouterr().out

    return run


def near(value):
    return pytest.approx(float(value), rel=1e-11)


def cells(text):
    """The first table of a text: a mapping of its first cells to the other ones."""
    lines = text.splitlines()
    rule = next(i for i, line in enumerate(lines) if set(line) == {"-", " "})
    spans, at = [], 0
    for dashes in lines[rule].split("  "):
        spans.append((at, at + len(dashes)))
        at += len(dashes) + 2
    found = {}
    for line in lines[rule + 1 :]:
        if not line:
            break
        name, *values = (line[a:b].strip() for a, b in spans)
        found[name] = tuple(values)
    return found


def seconds(steps, overhead):
    """Durations of steps, each the loads of two workers."""
    return [overhead + T * max(loads) for loads in steps]


def joules(steps, overhead):
    """``G = 2``: ``P(u) = 10 MW + 30 MW sqrt(u)`` for as long as the step lasts."""
    return sum(
        float(length) * sum(IDLE + (FULL - IDLE) * sqrt(load / max(loads)) for load in loads)
        for loads, length in zip(steps, seconds(steps, overhead), strict=True)
    )


# --- simulate and assess ------------------------------------------------------------------------
#
# Eight requests a, b, c, d, e at the start (c, d, e 10 ms late), f, g at 1 s and h at 5 s, on
# G = 2 workers of B = 1 slot.  Nobody is left at 1 s and at 5 s: the system waits for the arrival.

TRACE = """arrival,prefill,decode
0,600000,3
0,100000,1
0.01,700000,1
0.01,350000,1
0.01,400000,1
1,200000,1
1,200000,3
5,50000,1
"""


class ByHand:
    """A run: the loads of its steps, the steps of each request, its waits, and its sums."""

    def __init__(self, steps, served, waits, full, *, whole, overloaded, gaps=()):
        self.steps, self.served, self.waits, self.full = steps, served, waits, full
        self.whole, self.overloaded = whole, overloaded
        lengths = self.lengths = seconds(steps, C1)
        # From the end of the step before the gap to the arrival that ends it.
        self.gaps = Fraction(0)
        for step, arrival in gaps:
            self.gaps += arrival - (sum(lengths[:step]) + self.gaps)

    @property
    def time(self):
        return sum(self.lengths) + self.gaps

    def summary(self, policy, energy):
        tokens = sorted(sum(self.lengths[k] for k in at) / len(at) for at in self.served)
        return {
            "policy": policy,
            "whole": self.part(self.steps, *self.whole),
            "overloaded": self.part(self.steps[: self.full], *self.overloaded),
            "time_s": near(self.time),
            # 3 + 1 + 1 + 1 + 1 + 1 + 3 + 1 output tokens.
            "throughput_tokens_per_s": near(12 / self.time),
            "tpot_mean_s": near(sum(tokens) / 8),
            # 0.99 * 7 = 6.93: between the seventh and the eighth of eight.
            "tpot_p99_s": near(tokens[6] + Fraction(93, 100) * (tokens[7] - tokens[6])),
            "waiting_max_steps": max(self.waits),
            "waiting_mean_steps": sum(self.waits) / 8,
            "energy_j": near(energy),
            "energy_range_j": None,
            "unproved_imbalance": None if policy == "fcfs" else 0,
        }

    def by_worker(self, found):
        """A worker waits for what its load lacks of the largest; ties say which worker it is."""
        top = sum(max(loads) for loads in self.steps)
        assert sum(found["requests"]) == 8
        assert sum(found["work"]) == self.whole[0]
        assert found["idle_s"] == [near(T * (top - done)) for done in found["work"]]
        assert found["idle_share"] == [near(1 - Fraction(done, top)) for done in found["work"]]

    @staticmethod
    def part(steps, work, imbalance):
        assert work == sum(map(sum, steps))
        assert imbalance == sum(abs(one - two) for one, two in steps)
        return {
            "steps": len(steps),
            "work": work,
            "imbalance": imbalance,
            "avg_imbalance": near(Fraction(imbalance, len(steps))),
            "idle_share": near(Fraction(imbalance, work + imbalance)),
        }


# Served one after the other: a and b; then c, d beside a; then e; at 1 s f and g, which stays for
# two more steps; at 5 s h.
TIMED = {
    "fcfs": ByHand(
        ((600_000, 100_000), (600_001, 700_000), (600_002, 350_000), (400_000, 0),
         (200_000, 200_000), (0, 200_001), (0, 200_002), (50_000, 0)),
        ((0, 1, 2), (0,), (1,), (2,), (3,), (4,), (4, 5, 6), (7,)),
        (0, 0, 0, 1, 2, 0, 0, 0),
        3,
        whole=(4_200_006, 1_700_004),
        overloaded=(2_950_003, 850_001),
        gaps=((4, 1), (7, 5)),
    ),
    # Beside a = 600,001 goes c, 99,999 off (d is 250,001 off, e 200,001); beside a = 600,002 goes
    # e, 200,002 off (d 250,002): d waits for step 3.
    "bfio": ByHand(
        ((600_000, 100_000), (600_001, 700_000), (600_002, 400_000), (350_000, 0),
         (200_000, 200_000), (0, 200_001), (0, 200_002), (50_000, 0)),
        ((0, 1, 2), (0,), (1,), (3,), (2,), (4,), (4, 5, 6), (7,)),
        (0, 0, 0, 2, 1, 0, 0, 0),
        3,
        whole=(4_200_006, 1_600_004),
        overloaded=(3_000_003, 800_001),
        gaps=((4, 1), (7, 5)),
    ),
}  # fmt: skip

# As a backlog of which two are seen: a and b; beside a then c (d is seen) and d (e is seen); e and
# f; g and h; g stays for two more steps.
BACKLOG = {
    "fcfs": ByHand(
        ((600_000, 100_000), (600_001, 700_000), (600_002, 350_000), (400_000, 200_000),
         (200_000, 50_000), (200_001, 0), (200_002, 0)),
        ((0, 1, 2), (0,), (1,), (2,), (3,), (3,), (4, 5, 6), (4,)),
        (0, 0, 0, 1, 1, 0, 0, 0),
        5,
        whole=(4_200_006, 1_600_004),
        overloaded=(3_800_003, 1_200_001),
    ),
    # Beside a goes c rather than d (99,999 and 250,001 off), then e rather than d (200,002 and
    # 250,002 off); d and f; g and h.
    "bfio": ByHand(
        ((600_000, 100_000), (600_001, 700_000), (600_002, 400_000), (350_000, 200_000),
         (200_000, 50_000), (200_001, 0), (200_002, 0)),
        ((0, 1, 2), (0,), (1,), (3,), (2,), (3,), (4, 5, 6), (4,)),
        (0, 0, 0, 2, 0, 0, 0, 0),
        5,
        whole=(4_200_006, 1_500_004),
        overloaded=(3_800_003, 1_100_001),
    ),
}  # fmt: skip


@pytest.fixture
def trace(tmp_path):
    path = tmp_path / "hand.csv"
    path.write_text(TRACE, "utf-8")
    return str(path)


SYSTEM = ("-G", "2", "-B", "1", "--hardware", "bench")


@pytest.mark.parametrize(("words", "runs"), [(("--timed",), TIMED), ((), BACKLOG)])
def test_simulate_as_json(say, trace, words, runs):
    found = json.loads(say("simulate", "--trace", trace, *SYSTEM, *words, "--seed", "3", "--json"))
    workers = [run.pop("by_worker") for run in found["runs"]]
    assert found["runs"] == [run.summary(name, joules(run.steps, C1)) for name, run in runs.items()]
    for run, shown in zip(runs.values(), workers, strict=True):
        run.by_worker(shown)
    coarse, *gaps = found.pop("notes")
    assert coarse.startswith("arrival times are coarse: 57% of the requests arrive together")
    del found["runs"]
    assert found == {
        "source": "hand.csv",
        "requests": 8,
        "workers": 2,
        "slots": 1,
        "pool": None,
        "timed": runs is TIMED,
        "hardware": "bench",
        "seed": 3,
        "system": [],
        "unknown": [],
    }
    assert bool(gaps) == (runs is TIMED)


def test_energy_is_that_of_the_steps_and_a_note_says_so(say, trace):
    out = say("simulate", "--trace", trace, *SYSTEM, "--timed")
    # Without the gaps: (8 C + 2,950,005 t) = 0.3143 s of 5.0072 s.
    assert "note: energy is that of the steps: nothing is counted between them, where" in out
    assert all(run.time > 5 and sum(run.lengths) < Fraction(32, 100) for run in TIMED.values())
    assert "note: energy" not in say("simulate", "--trace", trace, *SYSTEM)


def test_the_rows_of_simulate(say, trace):
    """Each row of the timed table is the number of the same name, in the unit that it names."""
    out = say("simulate", "--trace", trace, *SYSTEM, "--timed")
    assert out.startswith("hand.csv: 8 requests at their arrival times, G = 2, B = 1, bench\n")
    # FCFS: 850,001 of 3,800,004 and 1,700,004 of 5,900,010 are idle; the others as in the JSON.
    #   time 5 s + C + 50,000 t = 5.00725 s, in which 12 tokens come out: 2.4 a second.
    #   mean TPOT: 8 C + t (1,900,002/3 + 600,000 + 700,000 + 600,002 + 400,000 + 200,000
    #     + 600,003/3 + 50,000) = 17.800 ms + 3,383,337 t = 17.800 + 340.093 ms, an eighth of it.
    #   99 %: C + t (633,334 + 0.93 * 66,666) = 2.225 + 69.895 ms; that of BF-IO is the same.
    #   waits 0 0 0 1 2 0 0 0; energy from the steps alone.
    assert cells(out) == {
        "steps, overloaded": ("3", "3"),
        "idle share, overloaded": ("22.4 %", "21.1 %"),
        "average imbalance (tokens), overloaded": ("283333.7", "266667.0"),
        "steps, whole": ("8", "8"),
        "idle share, whole": ("28.8 %", "27.6 %"),
        "average imbalance (tokens), whole": ("212500.5", "200000.5"),
        "time (s)": ("5.01", "5.01"),
        "throughput (output tokens/s)": ("2", "2"),
        "time per output token, mean (ms)": ("44.74", "44.11"),
        "time per output token, p99 (ms)": ("72.12", "72.12"),
        "waiting, mean (steps)": ("0.4", "0.4"),
        "waiting, longest (steps)": ("2", "2"),
        "energy (kJ)": tuple(f"{joules(run.steps, C1) / 1000:.1f}" for run in TIMED.values()),
    }
    assert "as a backlog" in say("simulate", "--trace", trace, *SYSTEM)


def test_rows_take_each_number_from_its_place():
    """Numbers that share no digits, so that none can stand for another."""

    def part(first):
        return {"steps": first, "idle_share": first / 1000, "avg_imbalance": first + 0.25}

    one = {
        "overloaded": part(111),
        "whole": part(222),
        "time_s": 3.456,
        "throughput_tokens_per_s": 4567.8,
        "tpot_mean_s": 0.0567891,
        "tpot_p99_s": 0.0678912,
        "waiting_mean_steps": 7.89,
        "waiting_max_steps": 89,
        "energy_j": 91234.5,
        "energy_range_j": None,
    }
    none = dict.fromkeys(one) | {
        "overloaded": {"steps": 0, "idle_share": None, "avg_imbalance": 0.0},
        "whole": part(1),
    }
    assert rows([one, none]) == [
        ("steps, overloaded", "111", "0"),
        ("idle share, overloaded", "11.1 %", "n/a"),
        ("average imbalance (tokens), overloaded", "111.2", "n/a"),
        ("steps, whole", "222", "1"),
        ("idle share, whole", "22.2 %", "0.1 %"),
        ("average imbalance (tokens), whole", "222.2", "1.2"),
        ("time (s)", "3.46", "n/a"),
        ("throughput (output tokens/s)", "4568", "n/a"),
        ("time per output token, mean (ms)", "56.79", "n/a"),
        ("time per output token, p99 (ms)", "67.89", "n/a"),
        ("waiting, mean (steps)", "7.9", "n/a"),
        ("waiting, longest (steps)", "89", "n/a"),
        ("energy (kJ)", "91.2", "n/a"),
    ]
    assert percent(0.12345) == "12.3 %"


def savings_by_hand(runs):
    """The energy bounds from W, I, K and S = sum u alone, written out for gamma = 1/2.

    Busy is ``W + c S`` and idle ``I + c (2 K - S)``, with ``c = C/t``; ``D`` is 25 MW.  Both
    workers idle through the gaps, until the slower policy has finished.
    """
    busy, idle, energy = [], [], []
    end = max(run.time for run in runs.values())
    for run in runs.values():
        used = sum(Fraction(sum(step), max(step)) for step in run.steps)
        c, (work, imbalance) = C1 / T, run.whole
        gap = end - sum(run.lengths) if runs is TIMED else 0
        busy.append(float(work + c * used))
        idle.append(float(imbalance + c * (2 * len(run.steps) - used) + 2 * gap / T))
        energy.append(joules(run.steps, C1) + float(2 * IDLE * gap))

    def envelope(i):
        total = busy[i] + idle[i]
        return total * (10 + 30 * sqrt(busy[i] / total))

    floor, tangent = (
        [40 * b + watts * i for b, i in zip(busy, idle, strict=True)] for watts in (10, 25)
    )
    return energy, {
        "simulated": near(1 - energy[1] / energy[0]),
        "floor": near(1 - envelope(1) / floor[0]),
        "cap": near(1 - floor[1] / envelope(0)),
        "floor_sharp": near(1 - tangent[1] / floor[0]),
        "cap_tangent": near(1 - floor[1] / tangent[0]),
        "wait_w": IDLE,
    }


AGAINST_FCFS = ("--baseline", "fcfs", "--policy", "bfio")


@pytest.mark.parametrize(("words", "runs"), [(("--timed",), TIMED), ((), BACKLOG)])
def test_assess_as_json(say, trace, words, runs):
    found = json.loads(say("assess", trace, *SYSTEM, *AGAINST_FCFS, *words, "--json"))
    energy, saved = savings_by_hand(runs)
    for run, (name, hand), joules_in_all in zip(found["runs"], runs.items(), energy, strict=True):
        fewest, most = run.pop("requests_of_workers")
        assert run.pop("energy_with_gaps_j") == near(joules_in_all)
        assert (run.pop("saved_by_judged", None) is None) == (name == "bfio")
        assert run == hand.summary(name, joules(hand.steps, C1))
        assert fewest + most == 8
        if name == "fcfs":  # a, e, f and h; as a backlog a, e and g
            assert fewest == (4 if runs is TIMED else 3)
    assert found["saving"] == saved
    assert found["saving"]["floor"] <= found["saving"]["simulated"] <= found["saving"]["cap"]
    kept = ("trace", "format", "rows", "bad_rows", "duration_s", "workers", "slots", "pool")
    assert [found[key] for key in kept] == ["hand.csv", "columns", 8, 0, 5, 2, 1, None]
    assert (found["timed"], found["hardware"]) == (runs is TIMED, "bench")
    assert (found["schema_version"], found["baseline"], found["judged"]) == (2, "fcfs", "bfio")
    failed = list(found["assumptions_that_fail"].values())
    # At its own times, under FCFS, 12 slots of 8 steps times 2 are busy, whichever way it is run.
    assert failed[0].startswith("at the trace's own arrival times 75.0 % of the slots are busy")
    if runs is TIMED:
        assert failed.pop(1) == "they arrive over 5 s"
    assert "a pool of 2 for 2 slots" in failed[1]
    assert "run from 1 to 3" in failed[2]
    # Lengths 1 (6 of 8) and 3; mean 3/2, p = 2/3: |6/8 - 2/3| = 1/12 at 1, at 2 6/8 beside 8/9.
    assert "same mean is 0.14 " in failed[3]
    assert "C = 2.23 ms a step" in failed[4]
    assert len(failed) == 5


def test_assess_as_text(say, trace):
    out = say("assess", trace, *SYSTEM, *AGAINST_FCFS, "--timed")
    energy, saved = savings_by_hand(TIMED)
    assert out.startswith(
        "Cannot tell: the run is too short: 8 requests, and an interval needs 100."
    )
    assert "hand.csv: 8 rows, 0 bad, columns layout, 5 s" in out
    assert "served at its arrival times on G = 2, B = 1, bench: 1e+07 W idle, 4e+07 W" in out
    costs, rest = out.split("\nless with bfio: ")
    (fcfs, change, per_token, faster), (bfio, *_) = cells(costs).values()
    assert (fcfs, bfio) == tuple(f"{joule / 1000:.1f}" for joule in energy)
    assert change.startswith(f"{100 * saved['simulated'].expected:+.1f} % (")
    # 44.74 and 44.11 ms, as in the table of simulate.
    assert (per_token, faster[:6]) == ("44.74", "+1.4 %")
    simulated = cells(say("simulate", "--trace", trace, *SYSTEM, "--timed"))
    rows = {name: [shown[i] for shown in simulated.values()] for i, name in enumerate(TIMED)}
    for name, shown in cells(rest).items():
        full, idle_full, apart_full, steps, idle, apart, _, flow, _, tail, wait, longest, _ = rows[
            name
        ]
        assert full == "3"
        rounded = [f"{float(text):.0f}" for text in (apart, apart_full)]
        assert shown[:-1] == (steps, idle, idle_full, *rounded, flow, tail, wait, longest)
        assert name == "bfio" or shown[-1] == "4 to 4"
    said = {key: f"{100 * saved[key].expected:.1f} %" for key in ("floor", "cap")}
    assert (
        f"the bounds allow {said['floor']} to {said['cap']} less energy than fcfs for this work, "
        "idle time and steps"
    ) in out


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("prefill,decode\n2,2\n4,2\n2,2\n4,2\n", "utf-8")
    return str(path)


def test_what_the_theorems_say_of_sizes_2_and_4_and_lengths_of_2(say, pairs):
    found = json.loads(say("assess", pairs, *SYSTEM, "--json"))
    # FCFS, G = 2, B = 1, half way through lengths of 2: loads 3 or 5, E|X - Y| = 1, work 8.
    fcfs = {"imbalance": near(1), "idle_share": near(Fraction(1, 9)), "method": "exact"}
    c2, ln2 = Fraction(6776, 10000) ** 2, log(2)

    def first(ceiling, variance):
        """The smallest B with c G sigma sqrt(B ln G) > ceiling (G - 1)."""
        return int(float(Fraction(ceiling) ** 2 / (4 * c2 * Fraction(variance))) / ln2) + 1

    guarantees = found["guarantees"]
    nothing = "no two sizes have G B = 2 copies in a pool of 2: Theorem 2 guarantees nothing here"
    assert guarantees == {
        "fcfs": fcfs,
        # E|X - Y| = 1 of the sizes over (G-1)(b-a) = 2.
        "theorem_1_ratio": near(Fraction(1, 2)),
        "theorem_1_bfio_bound": 2,
        # One copy of each size in a pool of two.
        **dict.fromkeys(("theorem_2_ratio", "theorem_2_bfio", "theorem_2_sizes")),
        # Ages are 4/3 apart, and sizes can fill 2.
        "unavoidable": 0,
        "largest_ratio": None,
        # Variance 1; the ceiling of Theorem 4 is D / P_idle = 25/10 times that of Theorem 1.
        "first_slots": {"T1": first(4, 1), "T4 by T1": first(10, 1)},
        "reasons": [nothing],
    }
    assert (first(4, 1), first(10, 1)) == (13, 79)
    out = say("assess", pairs, *SYSTEM)
    for line in (
        "no arrival times",
        "FCFS in the long run: imbalance 1 tokens, idle share 11.1 % (exact)",
        "Theorem 1 (equal lengths): BF-IO at most 2 tokens, FCFS at least 0.50 times that: it "
        "guarantees nothing here",
        "Any online policy (geometric lengths): nothing is known to be unavoidable",
        "With G = 2 Theorem 1 says more than nothing from about B = 13, Theorem 4 on top of "
        "Theorem 1 from B = 79",
        f"not available: {nothing}",
    ):
        assert line in out
    assert "Theorem 2 (" not in out
    assert "output lengths run" not in out  # they are equal


def test_what_theorem_2_says_where_the_pool_has_two_copies_of_two_sizes(say, pairs):
    def guaranteed(theta):
        """``(S + F)/p``, sizes 2 and 4, so S = 1: a coin has the moment cosh(v/2)."""
        ages = range(1, 200)
        above = sum(0.5**age * cosh(theta * age / 2) for age in ages)
        below = sum(0.5**age * cosh(theta * (2 + age) / 2) for age in ages)
        z = above * below * exp(-theta)
        return 2 * (1 + 2 / theta * min(log(1 + z), z / exp(1)))

    most = min(guaranteed(k / 1000) for k in range(100, 1300))
    # Geometric lengths of mean 2: X = s + age, P(age difference k) = 2^-|k| / 3.  Equal sizes (one
    # half): E|k| = 4/3.  Sizes 2 apart: E|k + 2| = 2 + 2 E(k - 2)^+ = 2 + 2 * (2/3)/4 = 7/3.
    ratio = (4 / 3 + 7 / 3) / 2 / most
    words = ("assess", pairs, *SYSTEM, "--pool", "4")
    found = json.loads(say(*words, "--json"))["guarantees"]
    assert found["theorem_2_sizes"] == [2, 4]
    assert found["theorem_2_bfio"] == pytest.approx(most, rel=1e-4)
    assert found["theorem_2_ratio"] == pytest.approx(ratio, rel=1e-4)
    assert found["reasons"] == []
    assert (
        "  Theorem 2 (geometric lengths, 2 copies of the sizes 2 and 4 always in the pool): BF-IO "
        f"at most {most:.0f} tokens, FCFS at least {ratio:.2f} times that: it guarantees nothing "
        "here\n"
    ) in say(*words)


def test_what_no_policy_avoids_where_sizes_are_equal(say, tmp_path):
    path = tmp_path / "equal.csv"
    path.write_text("prefill,decode\n3,2\n3,2\n", "utf-8")
    found = json.loads(say("assess", str(path), *SYSTEM, "--json"))["guarantees"]
    # Ages alone differ, by 4/3 in the mean, and FCFS has no more.
    assert (found["unavoidable"], found["largest_ratio"]) == (near(4 / 3), near(1))
    assert (
        "  Any online policy (geometric lengths): at least 1 tokens, FCFS at most 1.00 times that\n"
    ) in say("assess", str(path), *SYSTEM)


def test_more_sizes_than_are_tried(say, tmp_path):
    path = tmp_path / "many.csv"
    path.write_text("prefill,decode\n" + "".join(f"{size},2\n" for size in range(1, 41)), "utf-8")
    found = json.loads(say("assess", str(path), *SYSTEM, "--pool", "80", "--json"))["guarantees"]
    low, high = found["theorem_2_sizes"]
    assert 1 <= low < high <= 40


SPREADLESS = (
    "the ratio needs at least 2 workers and sizes that differ",
    "no two sizes have G B = 2 copies in a pool of 2: Theorem 2 guarantees nothing here",
    "the trace: need sizes 1 <= a < b, a variance > 0 and 0 < p <= 1, got 3..3, 0 and 1/2",
)


@pytest.mark.parametrize(
    ("text", "workers", "reasons"),
    [
        ("2,2\n4,2\n", "1", ("one worker is always balanced: nothing to guarantee",)),
        ("3,2\n3,2\n", "2", SPREADLESS),
        (
            "2,1\n4,1\n",
            "2",
            ("no request stays for a second step: Theorem 2 needs longer lengths",),
        ),
    ],
)
def test_why_a_guarantee_is_not_available(say, tmp_path, text, workers, reasons):
    path = tmp_path / "few.csv"
    path.write_text("prefill,decode\n" + text, "utf-8")
    words = ("assess", str(path), "-G", workers, "-B", "1", "--hardware", "bench")
    found = json.loads(say(*words, "--json"))["guarantees"]
    assert found["reasons"] == list(reasons)
    assert (found["theorem_2_bfio"], found["theorem_2_ratio"]) == (None, None)
    out = say(*words)
    for reason in reasons:
        assert f"  not available: {reason}\n" in out


# --- energy -------------------------------------------------------------------------------------
#
# 100 W idle, 300 W full, exponent 1/2: D = 100 + 200/2 = 200 W.  A baseline that idles 7/16 has
# eta = 7/9; with 112/81 times less imbalance eta is 9/16.  1 - f = 9/16 and 16/25: roots 3/4, 4/5.

OWN = ("energy", "--idle-w", "100", "--max-w", "300", "--gamma", "0.5", "--idle-share", "0.4375")

# Idle shares for 28 % and 52 % at perfect balance.  Sharp: 300 s / (100 (1 - s)) = 7/6, 13/4.
# Paper: 300 s / (100 - 200 s) = 21/11, never.  Tangent: 300 s / (200 (1 - s)) = 7/12, 13/8.
# Cap: (1 - s)(100 x + 200 sqrt(x)) = 300 with x = 1 + eta: sqrt(x) = sqrt(1 + 3/(1 - s)) - 1.
NEEDED = {
    "28%": (1 - 1 / (sqrt(31 / 6) - 1) ** 2, Fraction(7, 19), Fraction(7, 13), Fraction(21, 32)),
    "52%": (1 - 1 / (sqrt(29 / 4) - 1) ** 2, Fraction(13, 21), Fraction(13, 17), None),
}


def test_energy_as_json(say):
    found = json.loads(say(*OWN, "--json"))
    assert (found["idle_share"], found["improvement"]) == (0.4375, "inf")
    (device,) = found["hardware"]
    needed = device.pop("idle_share_needed")
    for saving, shares in NEEDED.items():
        names = ("cap", "tangent cap", "sharp", "paper")
        assert needed[saving] == {
            name: None if share is None else pytest.approx(float(share), rel=1e-9)
            for name, share in zip(names, shares, strict=True)
        }
    # A waiting power that is not given may be anything up to the largest, where all that is idle
    # is saved by each of them.
    assert device.pop("unknown") == [
        {"field": "wait_w", "low": 100, "high": 300, "measured": False}
    ]
    assert device.pop("uncertain").endswith("its waiting power, 100 to 300 W (not measured)")
    ranges = device.pop("bounds_over_unknown")
    assert ranges.keys() == device["bounds"].keys()
    for name, (low, high) in ranges.items():
        assert (low, high) == (device["bounds"][name], near(Fraction(7, 16)))
    assert device == {
        "name": "custom",
        "idle_w": 100,
        "wait_w": 100,
        "wait_source": "",
        "max_w": 300,
        "gamma": 0.5,
        "limit": near(Fraction(1, 2)),
        # (1-gamma) P_max / D^2, -(1-gamma) P_w / D^2, P_w dP / D^2.
        "limit_sensitivity": {
            "wait_w": near(Fraction(3, 800)),
            "max_w": near(Fraction(-1, 800)),
            "gamma": near(Fraction(1, 2)),
        },
        # Floor, tangent and envelope of the baseline times 9: 3400, 4100, 4000; balanced: 300.
        "bounds": {
            "floor paper": near(Fraction(3400 - 2700, 4100)),
            "floor sharp": near(Fraction(3400 - 2700, 3400)),
            "floor envelope": near(Fraction(3400 - 2700, 3400)),
            "cap envelope": near(Fraction(4000 - 2700, 4000)),
            "cap tangent": near(Fraction(4100 - 2700, 4100)),
            "cap any law": near(Fraction(7, 16)),
            "padded": near(Fraction(7, 16)),
        },
        "source": "given by the user",
        "note": "",
    }


def test_energy_with_a_waiting_power_of_its_own(say):
    (device,) = json.loads(say(*OWN, "--wait-w", "200", "--json"))["hardware"]
    # D = 250; the baseline times 9: floor 2700 + 1400, tangent 2700 + 1750, envelope
    # 16 (200 + 100 * 3/4); balanced 2700.
    assert device["bounds"] == {
        "floor paper": near(Fraction(1400, 4450)),
        "floor sharp": near(Fraction(1400, 4100)),
        "floor envelope": near(Fraction(1400, 4100)),
        "cap envelope": near(Fraction(1700, 4400)),
        "cap tangent": near(Fraction(1750, 4450)),
        "cap any law": near(Fraction(7, 16)),
        "padded": near(Fraction(7, 16)),
    }
    assert (device["limit"], device["wait_w"]) == (near(Fraction(4, 5)), 200)
    (named,) = json.loads(say("energy", "--hardware", "bench", "--wait-w", "2e7", "--json"))[
        "hardware"
    ]
    assert named["name"] == "bench with --wait-w 2e+07"
    assert [named[key] for key in ("idle_w", "wait_w", "max_w")] == [10e6, 20e6, 40e6]
    assert named["wait_source"] == "given by the user"


def test_energy_with_some_imbalance_left(say):
    (device,) = json.loads(say(*OWN, "--improvement", repr(112 / 81), "--json"))["hardware"]
    # The improved run: floor 300 + 56.25, tangent 300 + 112.5, envelope 25/16 (100 + 160).
    assert device["bounds"] == {
        "floor paper": near(Fraction(-25, 328)),  # (3400 - 9 * 412.5) / 4100
        "floor sharp": near(Fraction(-25, 272)),
        "floor envelope": near(Fraction(-41, 544)),  # 1 - 9 * 406.25 / 3400
        "cap envelope": near(Fraction(127, 640)),  # 1 - 9 * 356.25 / 4000
        "cap tangent": near(Fraction(143, 656)),
        "cap any law": near(Fraction(7, 16)),
        "padded": near(Fraction(31, 256)),  # 16/9 and 25/16 of time: 1 - (25/16)/(16/9)
    }
    # With 81/112 left the paper's slope is negative: 100 - 200 * 81/112 < 0; the tangent cap's is
    # 200 * 0.72 - 100 * 81/112.
    needed = device["idle_share_needed"]["28%"]
    eta = 84 / (144 - 8100 / 112)
    assert needed["tangent cap"] == near(eta / (1 + eta))
    assert (needed["sharp"], needed["paper"]) == (None, None)


def test_energy_as_text(say):
    out = say(*OWN)
    for line in (
        "custom: 100 W idle, 100 W waiting at the barrier, 300 W at most, gamma 0.5",
        "waiting power: the idle power, the assumption of the paper",
        "source: given by the user",
        "limit of the paper's bound, P_w / D: 50.0 %",
        # 3/800, -1/800 and, per 0.01 of gamma, 1/200, in points.
        "it moves by +0.375 points per watt of waiting power, -0.125 per watt of maximum power, "
        "+0.500 points per 0.01 of gamma",
        "saving for a baseline that idles 43.8 % and perfect balance in its place, with a waiting "
        "worker at 100 W",
    ):
        assert line in out
    # 7/41, 7/34, 13/40 and 14/41.
    bounds, needed = out.split("\nidle share that")
    assert cells(bounds) == {
        "floor paper": ("17.1 %", "17.1 % to 43.8 %"),
        "floor sharp": ("20.6 %", "20.6 % to 43.8 %"),
        "floor envelope": ("20.6 %", "20.6 % to 43.8 %"),
        "cap envelope": ("32.5 %", "32.5 % to 43.7 %"),
        "cap tangent": ("34.1 %", "34.1 % to 43.8 %"),
        "cap any law": ("43.8 %", "43.8 %"),
        "padded": ("43.8 %", "43.8 %"),
    }
    assert "guarantees nothing" not in out
    assert cells(needed) == {
        saving: tuple("never" if x is None else f"{100 * float(x):.1f} %" for x in shares)
        for saving, shares in NEEDED.items()
    }
    assert "tangent cap  sharp floor  paper floor" in needed
    assert "a negative floor guarantees nothing" in say(*OWN, "--improvement", repr(112 / 81))
    assert "an imbalance 2 times smaller" in say(*OWN, "--improvement", "2")
    # Nothing is ever charged to a device that draws nothing while it waits.
    assert "P_w / D: 0.0 %" in say(*("energy", "--idle-w", "0", "--max-w", "300", "--gamma", "1"))


def test_the_table_of_devices(say, monkeypatch):
    own = PowerModel(100.0, 300.0, 0.5, "own")
    monkeypatch.setattr("theory.power.hardware_catalogue", lambda: {"own": own, "bench": BENCH})
    head = say("energy", "--idle-share", "0.4375").splitlines()[2]
    columns = (
        "hardware idle W wait W max W gamma limit paper floor sharp floor floor cap 28 % needs"
    )
    assert head.split() == columns.split()
    # bench, in MW: D = 25; of 9: floor 360 + 70, tangent 360 + 175, envelope 16 (10 + 22.5) = 520,
    # balanced 360.  0.72 (10 x + 30 sqrt(x)) = 40: sqrt(x) = (-3 + sqrt(9 + 200/9)) / 2.
    x = ((-3 + sqrt(9 + 200 / 9)) / 2) ** 2
    assert cells(say("energy", "--idle-share", "0.4375")) == {
        "own": ("100", "100", "300", "0.5", "50.0 %", "17.1 %", "20.6 %", "20.6 %", "32.5 %",
                f"{100 * NEEDED['28%'][0]:.1f} %"),
        "bench": ("1e+07", "1e+07", "4e+07", "0.5", "40.0 %", f"{7000 / 535:.1f} %",
                  f"{7000 / 430:.1f} %", f"{7000 / 430:.1f} %", f"{16000 / 520:.1f} %",
                  f"{100 * (1 - 1 / x):.1f} %"),
    }  # fmt: skip


# --- policies -----------------------------------------------------------------------------------
#
# Two backlogs of eight on G = 2, B = 2; four are seen.  FCFS fills worker 0 first.
#   Seed 0: 4 4 1 1, then 2 1 1 1, all of length 1.
#     fcfs (8, 2), imbalance 6 where 4+1 beside 4+1 has 0; (3, 2), 1, the least of an odd sum.
#     bfio (5, 5) and (3, 2).
#   Seed 1: 3 1 2 2, then 5 1 1 1; the first has length 2.
#     fcfs (4, 4), 0; worker 0 has 4 and one free slot: (4+5, 1+1), 7, one waits; (1, 0), 1.
#     bfio (3+1, 2+2), 0; (4+1, 5+1), 1, the least of an odd sum; (1, 0), 1.

BACKLOGS = {
    0: Requests([4, 4, 1, 1, 2, 1, 1, 1], [1] * 8),
    1: Requests([3, 1, 2, 2, 5, 1, 1, 1], [2, 1, 1, 1, 1, 1, 1, 1]),
}
LOADS = {
    "fcfs": ((8, 2), (3, 2), (4, 4), (9, 2), (1, 0)),
    "bfio": ((5, 5), (3, 2), (4, 4), (5, 6), (1, 0)),
}


@pytest.fixture
def two_backlogs(monkeypatch):
    def drawn(family, count, seed):
        assert (family, count) == ("by hand", 8)
        return BACKLOGS[seed]

    monkeypatch.setattr("evenkeel.studies.policy_comparison.workload", drawn)
    return (
        *("policies", "--policy", "fcfs", "--policy", "bfio", "--family", "by hand", "-G", "2"),
        *("-B", "2", "--rounds", "2", "--seeds", "2", "--hardware", "bench"),
    )


def test_policies_as_json(say, two_backlogs):
    fcfs, bfio = json.loads(say(*two_backlogs, "--json"))
    # 4 4 | 1 1, then 4 alone: (6 + 4)/2 is the most of all lists of five; see test_rosetta.
    assert (fcfs.pop("worst"), bfio.pop("worst") != 5) == (5, True)
    for entry in (fcfs, bfio):
        assert [len(part) for part in entry.pop("worst_backlog")] == [5, 5]
        assert entry["text"].endswith(".")
        del entry["text"]
    assert fcfs == {
        "policy": "fcfs",
        "steps": 5,
        "regret": ["12/5", "12/5"],  # 6 of (8, 2) and 7 - 1 of (9, 2)
        "imbalance": 3,  # 6 + 1 + 0 + 7 + 1 over five steps
        "optimal": ["3/5", "3/5"],
        "idle_share": near(Fraction(14, 14 + 34)),  # while every slot is full: not the last step
        "energy_j": near(joules(LOADS["fcfs"], C2)),
        "energies_j": [near(joules(LOADS["fcfs"], C2))],  # no number of the device is unknown
        "longest_wait": 1,
    }
    assert bfio == {
        "policy": "bfio",
        "steps": 5,
        "regret": [0, 0],
        "imbalance": "3/5",
        "optimal": [1, 1],
        "idle_share": near(Fraction(2, 2 + 34)),
        "energy_j": near(joules(LOADS["bfio"], C2)),
        "energies_j": [near(joules(LOADS["bfio"], C2))],  # no number of the device is unknown
        "longest_wait": 1,
    }


def test_policies_as_text(say, two_backlogs):
    out = say(*two_backlogs)
    assert out.startswith("by hand: 2 backlogs of 8 requests, G = 2, B = 2, bench\n")
    head = "policy regret a step imbalance optimal % idle* energy kJ saved over fcfs longest wait"
    assert out.splitlines()[2].split() == [*head.split(), "worst†"]
    found = cells(out)
    energy = {name: joules(steps, C2) / 1000 for name, steps in LOADS.items()}
    assert found["fcfs"] == (
        *("2.4", "3", "60.0", "29.2 %", f"{energy['fcfs']:.1f}", "+0.0 %", "1", "5"),
    )
    saved = 100 * (1 - energy["bfio"] / energy["fcfs"])
    assert found["bfio"][:-1] == (
        *("0.0", "1", "100.0", "5.6 %", f"{energy['bfio']:.1f}", f"{saved:+.1f} %", "1"),
    )
    assert saved < 0  # balanced steps are no shorter here, and draw more
    # 4 sizes at each of five places.
    assert "of all 1024 backlogs of 5 requests with sizes 1..4 and lengths of 1 on G = 2" in out


def test_policies_listed_as_json(say):
    listed = json.loads(say("policies", "--list", "--json"))
    assert [name for name in listed if not name.startswith("--system ")] == list(POLICIES)
    assert all(row["text"].endswith(".") for row in listed.values() if "text" in row)


# --- experiment ---------------------------------------------------------------------------------
#
# G = 2, B = 1, three are seen, the paper's device (100 W, 400 W, exponent 0.7).
#   Seed 0: a 600,000 for 3 steps, b 100,000, c 700,000, d 350,000, e 400,000 for 2.
#   Seed 1: a 500,000, b 300,000 for 2 steps, c 200,000, d 400,000.

DRAWN = {
    0: Requests([600_000, 100_000, 700_000, 350_000, 400_000], [3, 1, 1, 1, 2]),
    1: Requests([500_000, 300_000, 200_000, 400_000], [1, 2, 1, 1]),
}


class Measured:
    """A run by hand: its loads, those left behind when a step has ended, and its requests.

    Parameters
    ----------
    steps, departed : loads of every step, and after the departures of every step
    window : steps up to the last admission
    served : steps of each request
    waits : steps that each request waited, in order of size
    """

    def __init__(self, steps, departed, window, served, waits):
        self.steps, self.departed, self.window = steps, departed, window
        self.served, self.waits = served, sorted(waits)

    def at(self, end):
        loads = self.departed if end == "at_departure" else self.steps
        count = len(loads) if end == "completed" else self.window
        loads, lengths = loads[:count], seconds(self.steps, C1)
        tokens = sorted(
            sum(lengths[k] for k in at) / len(at) for at in self.served if at[-1] < count
        )
        top, work = sum(map(max, loads)), sum(map(sum, loads))
        time = count * C1 + T * top
        energy = sum(
            float(C1 + T * max(pair)) * sum(100 + 300 * (x / max(*pair, 1)) ** 0.7 for x in pair)
            for pair in loads
        )
        return {
            "steps": count,
            "work": work,
            "imbalance": 2 * top - work,
            "time_s": float(time),
            "energy_j": energy,
            "tokens": sum(k < count for at in self.served for k in at),
            # At most five values: the 99 % quantile is the largest, the median the third of five.
            "time_per_token_s": (float(sum(tokens) / len(tokens)), float(tokens[-1])),
            "wait": (sum(self.waits) / len(self.waits), self.waits[-1]),
            "idle_share": (2 * top - work) / (2 * top),
            "throughput": float(sum(k < count for at in self.served for k in at) / time),
        }


MEASURED = {
    # a b; a c; a d; e alone, for two steps, of which the second is after the last admission.
    ("fcfs", 0): Measured(
        ((600_000, 100_000), (600_001, 700_000), (600_002, 350_000), (400_000, 0), (400_001, 0)),
        ((600_001, 0), (600_002, 0), (0, 0), (400_001, 0), (0, 0)),
        4,
        ((0, 1, 2), (0,), (1,), (2,), (3, 4)),
        (0, 0, 1, 1, 2),  # d and e come into sight at step 1
    ),
    # a c (100,000 off); a e (200,001 off, d 250,001, b 500,001), e stays; b d.
    ("bfio", 0): Measured(
        ((600_000, 700_000), (600_001, 400_000), (600_002, 400_001), (350_000, 100_000)),
        ((600_001, 0), (600_002, 400_001), (0, 0), (0, 0)),
        4,
        ((0, 1, 2), (3,), (0,), (3,), (1, 2)),
        (0, 3, 0, 2, 0),
    ),
    # a b; b stays beside c; d alone.
    ("fcfs", 1): Measured(
        ((500_000, 300_000), (200_000, 300_001), (400_000, 0)),
        ((0, 300_001), (0, 0), (0, 0)),
        3,
        ((0,), (0, 1), (1,), (2,)),
        (0, 0, 1, 1),
    ),
    # b c (100,000 off); b stays beside d (99,999 off, a 199,999); a alone.
    ("bfio", 1): Measured(
        ((300_000, 200_000), (300_001, 400_000), (500_000, 0)),
        ((300_001, 0), (0, 0), (0, 0)),
        3,
        ((2,), (0, 1), (0,), (1,)),
        (2, 0, 0, 0),
    ),
}
ENDS = ("window", "at_departure", "completed")

# The 97.5 % quantile of Student's law with one degree of freedom, tan(0.475 pi).
STUDENT = 12.706204736174694


def estimate(values):
    """Mean and 95 % interval of two values: their standard error is half their distance."""
    one, two = values
    half = STUDENT * abs(one - two) / 2
    return ((one + two) / 2, (one + two) / 2 - half, (one + two) / 2 + half)


@pytest.fixture
def tiny(monkeypatch, in_threads):
    """An experiment whose requests are those above, run by threads of this process."""
    one = Experiment("tiny", "by hand", Setting("by hand", 2, 1, 5, 3), 1)
    monkeypatch.setattr(Setting, "draw", lambda self, seed: DRAWN[seed])
    monkeypatch.setattr(experiments, "EXPERIMENTS", {"tiny": (one,)})
    told = {"throughput": Fraction(1, 4), "energy": Fraction(1, 8)}
    monkeypatch.setattr(experiments, "REPORTED", {"tiny": told})
    # What the paper's device draws, under its name: the catalogue is our own here.
    paper = PowerModel(100.0, 400.0, 0.7, "a100-paper")
    monkeypatch.setattr("theory.power.hardware_catalogue", lambda: {"a100-paper": paper})
    return one


def changes(end):
    """BF-IO against FCFS, seed by seed, from the runs by hand."""
    pairs = [[MEASURED[name, seed].at(end) for name in ("fcfs", "bfio")] for seed in (0, 1)]

    def relative(of):
        return estimate([of(new) / of(base) - 1 for base, new in pairs])

    ratio = estimate(
        [log10(a["imbalance"] / a["steps"]) - log10(b["imbalance"] / b["steps"]) for a, b in pairs]
    )
    return {
        "imbalance": tuple(10**x for x in ratio),
        "throughput": relative(lambda x: x["throughput"]),
        "time per token": relative(lambda x: x["time_per_token_s"][0]),
        "energy": relative(lambda x: x["energy_j"]),
    }


def levels(policy, end):
    runs = [MEASURED[policy, seed].at(end) for seed in (0, 1)]
    return {
        key: estimate([of(run) for run in runs])
        for key, of in {
            "idle share": lambda x: x["idle_share"],
            "throughput, tokens/s": lambda x: x["throughput"],
            "energy, kJ": lambda x: x["energy_j"] / 1000,
            "time per token, mean, ms": lambda x: 1000 * x["time_per_token_s"][0],
            "time per token, p99, ms": lambda x: 1000 * x["time_per_token_s"][1],
            "wait, mean": lambda x: x["wait"][0],
            "wait, p99": lambda x: x["wait"][1],
            "wait, longest": lambda x: x["wait"][1],
        }.items()
    }


def test_a_row_of_an_experiment(tiny):
    for run in runs_of(tiny, 2, policies=("bfio",)):
        row, hand = perform(run), MEASURED[run.policy, run.seed]
        kept = ("experiment", "policy", "seed", "workers", "slots", "pool")
        assert [row[key] for key in kept] == ["tiny", run.policy, run.seed, 2, 1, 3]
        assert row["overhead_s"] == near(C1)
        for end in ENDS:
            for key, value in hand.at(end).items():
                if isinstance(value, tuple):
                    assert row[f"{end}_{key}_mean"] == near(value[0])
                    assert row[f"{end}_{key}_largest"] == near(value[1])
                    assert row[f"{end}_{key}_p99"] == near(value[1])
                else:
                    assert row[f"{end}_{key}"] == near(value), (end, key)
            # In order of size, the third of five and the second of four.
            assert row[f"{end}_wait_median"] == hand.waits[(len(hand.waits) - 1) // 2]


def enclosed(found, hand):
    assert [found["value"], found["low"], found["high"]] == [near(x) for x in hand]


def test_experiment_as_json(say, tiny, tmp_path):
    words = ("experiment", "tiny", "--seeds", "2", "--policy", "bfio", "--out", str(tmp_path))
    answer = json.loads(say(*words, "--json"))
    assert answer["out"] == str(tmp_path)
    (found,) = answer["experiments"]
    assert found["reported"] == {"throughput": 0.25, "energy": -0.125}
    assert (found["name"], found["seeds"], found["workload"]) == ("tiny", 2, "by hand")
    assert [(o["policy"], o["end"]) for o in found["outcomes"]] == [
        (policy, end) for policy in ("fcfs", "bfio") for end in ENDS
    ]
    for outcome in found["outcomes"]:
        hand = levels(outcome["policy"], outcome["end"])
        assert outcome["level"].keys() == hand.keys()
        for key, value in hand.items():
            enclosed(outcome["level"][key], value)
        assert outcome["change"].keys() == changes("window").keys()
        for key, value in changes(outcome["end"]).items():
            # FCFS against itself: no change, and a ratio of one.
            same = (1.0,) * 3 if key == "imbalance" else (0.0,) * 3
            enclosed(outcome["change"][key], value if outcome["policy"] == "bfio" else same)
    # Of FCFS up to the last admission: seed 0 has 4 C in 4 C + 2,300,002 t, seed 1 3 C in
    # 3 C + 1,200,001 t.  Equal loads: each step lasts C and its share of the work, at 2 * 400 W.
    base = [MEASURED["fcfs", seed].at("window") for seed in (0, 1)]
    assert [run["time_s"] for run in base] == [
        near(4 * C1 + T * 2_300_002),
        near(3 * C1 + T * 1_200_001),
    ]
    fixed = [float(run["steps"] * C1) for run in base]
    balanced = [c + float(T) * run["work"] / 2 for c, run in zip(fixed, base, strict=True)]
    means = {
        "idle_share": [run["idle_share"] for run in base],
        "overhead_share": [c / run["time_s"] for c, run in zip(fixed, base, strict=True)],
        "most_saved": [
            1 - 800 * length / run["energy_j"] for length, run in zip(balanced, base, strict=True)
        ],
    }
    assert found["room"] == {key: near(sum(values) / 2) for key, values in means.items()}


def reads(cell, value, low, high, factor):
    """Whether a cell ``value ± half`` shows these numbers, to the digits that it has."""
    shown, half = cell.split(" ± ")
    unit = 10.0 ** -len(shown.partition(".")[2])
    assert len(half.partition(".")[2]) == len(shown.partition(".")[2])
    assert abs(float(shown) - factor * value) <= unit / 2 + 1e-9
    assert abs(float(half) - factor * (high - low) / 2) <= unit / 2 + 1e-9


def test_experiment_as_text(say, tiny, tmp_path):
    words = ("experiment", "tiny", "--seeds", "2", "--policy", "bfio", "--out", str(tmp_path))
    out = say(*words)
    assert out.startswith("tiny: by hand, G = 2, B = 1, pool 3, 5 requests, 2 seeds\n")
    assert out.endswith(f"\n4 runs in {tmp_path}\n")
    sections = out.split("\n\n")
    for end, at in (("window", 1), ("completed", 4)):
        title, change, level = sections[at : at + 3]
        assert (
            title
            == {
                "window": "Up to the last admission, where the paper's metrics stop",
                "completed": "The same requests, all of them completed",
            }[end]
        )
        head = "imbalance / throughput % TPOT % energy %"
        assert change.splitlines()[0].split() == head.split()
        lines = cells(change)
        assert lines["the paper"] == ("", "+25.0", "", "-12.5")
        hand = changes(end)
        for cell, (key, value) in zip(lines["bfio"], hand.items(), strict=True):
            reads(cell, *value, 1 if key == "imbalance" else 100)
        head = "idle % energy kJ TPOT ms its p99 wait its p99 longest"
        assert level.splitlines()[0].split() == head.split()
        for policy, shown in cells(level).items():
            hand = levels(policy, end)
            columns = (
                *(("idle share", 100), ("energy, kJ", 1), ("time per token, mean, ms", 1)),
                *(("time per token, p99, ms", 1), ("wait, mean", 1), ("wait, p99", 1)),
                ("wait, longest", 1),
            )
            for cell, (key, factor) in zip(shown, columns, strict=True):
                reads(cell, *hand[key], factor)


def test_estimates_have_two_digits_of_their_half_width():
    # Half-widths 12, 1.234, 0.5 and 0: the digits of the last of two figures, at most two.
    assert _text(Estimate(0.5, 0.38, 0.62), 100) == "50 ± 12"
    assert _text(Estimate(7.77, 7.77 - 1.234, 7.77 + 1.234), 1) == "7.8 ± 1.2"
    assert _text(Estimate(-0.07123, -0.07623, -0.06623), 100, sign=True) == "-7.12 ± 0.50"
    assert _text(Estimate(0.25, 0.25, 0.25), 100, sign=True) == "+25 ± 0"


def outcome(policy, end, **change):
    keys = {"imbalance": "imbalance", "throughput": "throughput", "tpot": "time per token",
            "energy": "energy"}  # fmt: skip
    found = {keys[key]: Estimate(value, value, value) for key, value in change.items()}
    return Outcome(policy, end, found, {})


def test_the_note_of_an_experiment_takes_the_policy_that_saves_most(tiny):
    found = [
        outcome("fcfs", "window", imbalance=1, throughput=0, tpot=0, energy=0),
        outcome("jsq", "window", imbalance=2, throughput=0.1, tpot=-0.2, energy=-0.3),
        outcome("jsq", "at_departure", imbalance=5, throughput=0, tpot=0, energy=0),
        outcome("jsq", "completed", imbalance=3, throughput=0.4, tpot=-0.5, energy=-0.25),
        outcome("bfio", "window", imbalance=9, throughput=0.9, tpot=-0.9, energy=-0.2),
    ]
    long = replace(tiny.setting, requests=6)  # three rounds of two slots
    text = _summary("tiny", found, long)
    assert text.startswith(
        "tiny: jsq saves most, 2 times less imbalance, +10.0 % throughput, -20.0 % time per token, "
        "-30.0 % energy up to the last admission; the paper has +25.0 % throughput, -12.5 % energy."
        "  With all requests completed it is 3 times less imbalance, +40.0 % throughput, "
        "-50.0 % time per token, -25.0 % energy: after"
    )
    assert text.endswith("it would be 5 times less imbalance.")
    assert _summary("other", found, long).endswith("-50.0 % time per token, -25.0 % energy.")


def test_an_experiment_concludes_nothing_from_what_shows_nothing(tiny):
    none = {"imbalance": 1, "throughput": 0, "tpot": 0, "energy": 0}
    found = [outcome("fcfs", "window", **none), outcome("jsq", "window", **none | {"energy": 0.1})]
    long = replace(tiny.setting, requests=6)
    assert _summary("tiny", found, long) == (
        "tiny: no policy is shown to save energy up to the last admission."
    )
    assert _summary("tiny", found, tiny.setting) == (
        "tiny: too short to tell which policy saves: 5 requests are 2.5 rounds of 2 slots, "
        "start-up and drain; 6 would do."
    )


def test_the_note_on_both_savings_takes_each_number_from_its_room():
    text = _both_right(Room(0.11, 0.22, 0.333), Room(0.44, 0.0555, 0.666))
    assert "idles 11% of the time that loads take in E2, 44% in E3" in text
    assert "is 22% of their time in E2, 5.5% in E3" in text or "5.6% in E3" in text
    assert "would save 33.3% in E2, 66.6% in E3" in text


def test_each_level_is_the_measure_of_its_name(tiny):
    """Five requests have no 99 % quantile below their largest, so here are numbers that differ."""
    part = Stretch(
        *(1, 3, 2, 0.5, 4000.0, 6),
        time_per_token_s=Spread(0.007, 0.008, 0.009, 0.010),
        wait=Spread(11, 12, 13, 14),
    )
    assert {key: of(part) for key, of in experiments.LEVELS.items()} == {
        "idle share": 2 / 5,
        "throughput, tokens/s": 12,
        "energy, kJ": 4,
        "time per token, mean, ms": 7,
        "time per token, p99, ms": near(9),
        "wait, mean": 11,
        "wait, p99": 13,
        "wait, longest": 14,
    }
    row = {f"end_{key}": value for key, value in asdict(part).items()}
    for key in ("time_per_token_s", "wait"):
        row |= {f"end_{key}_{which}": value for which, value in row.pop(f"end_{key}").items()}
    assert experiments._stretch(row, "end") == part
    shown = {key: Estimate(*(place,) * 3) for place, key in enumerate(experiments.LEVELS, 1)}
    # Columns: idle % energy kJ, TPOT and its p99 in ms, wait, its p99, longest; no throughput.
    assert cells(_levels([Outcome("fcfs", "window", {}, shown)]))["fcfs"] == tuple(
        f"{value} ± 0" for value in (100, 3, 4, 5, 6, 7, 8)
    )


def test_outcomes_and_room_do_not_depend_on_the_order_of_the_rows(tiny):
    rows_in_order = [perform(run) for run in runs_of(tiny, 2, policies=("bfio",))]
    first, again = (polars.DataFrame(part) for part in (rows_in_order, rows_in_order[::-1]))
    assert room(first) == room(again)
    key = {(o.policy, o.end): o for o in outcomes(again)}
    assert all(key[o.policy, o.end] == o for o in outcomes(first))
