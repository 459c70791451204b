"""Every number that simulate, assess, energy, policies and experiment print, on runs done by hand.

The paper's constants are ``t = 1.0052e-7`` s a token and ``C = (0.6 ms B + 35 ms)/16``, so
``C = 2.225 ms`` at ``B = 1`` and ``2.2625 ms`` at ``B = 2``.  Sizes are large, so that neither
part of a step is small beside the other.  The device is one of our own: 10 MW idle, 40 MW full,
exponent 1/2, so that roots of utilisations replace powers, and kilojoules have digits.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from fractions import Fraction as F
from math import log, log10, sqrt

import polars
import pytest

from adversary.replay import Setting
from evenkeel import experiments
from evenkeel.cli import cli
from evenkeel.commands.experiment import _both_right, _summary, _text
from evenkeel.experiments import Estimate, Experiment, Outcome, Room, outcomes, perform, room, runs_of
from evenkeel.summary import percent, rows
from solvers.policies import POLICIES
from theory.model import Requests
from theory.power import PowerModel

T = F(10052, 10**11)
C1, C2 = F(2225, 10**6), F(22625, 10**7)
IDLE, FULL = 10_000_000, 40_000_000
BENCH = PowerModel(float(IDLE), float(FULL), 0.5, "bench", "made up", "for tests")


@pytest.fixture(autouse=True)
def bench(monkeypatch):
    monkeypatch.setattr("theory.power.hardware_catalogue", lambda: {"bench": BENCH})


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
        self.gaps = F(0)
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
            "tpot_p99_s": near(tokens[6] + F(93, 100) * (tokens[7] - tokens[6])),
            "waiting_max_steps": max(self.waits),
            "waiting_mean_steps": sum(self.waits) / 8,
            "energy_j": near(energy),
            "unproved_imbalance": None if policy == "fcfs" else 0,
        }

    @staticmethod
    def part(steps, work, imbalance):
        assert work == sum(map(sum, steps))
        assert imbalance == sum(abs(one - two) for one, two in steps)
        return {
            "steps": len(steps),
            "work": work,
            "imbalance": imbalance,
            "avg_imbalance": near(F(imbalance, len(steps))),
            "idle_share": near(F(imbalance, work + imbalance)),
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
    assert found["runs"] == [
        run.summary(name, joules(run.steps, C1)) for name, run in runs.items()
    ]
    gaps = found.pop("notes")
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
    }
    assert bool(gaps) == (runs is TIMED)


def test_energy_is_that_of_the_steps_and_a_note_says_so(say, trace):
    out = say("simulate", "--trace", trace, *SYSTEM, "--timed")
    # Without the gaps: (8 C + 2,950,005 t) = 0.3143 s of 5.0072 s.
    assert "note: energy is that of the steps: nothing is counted between them, where" in out
    assert all(run.time > 5 and sum(run.lengths) < F(32, 100) for run in TIMED.values())
    assert "note" not in say("simulate", "--trace", trace, *SYSTEM)


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
    }
    none = {key: None for key in one} | {
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

    Busy is ``W + c S`` and idle ``I + c (2 K - S)``, with ``c = C/t``; ``D`` is 25 MW.
    """
    busy, idle, energy = [], [], []
    for run in runs.values():
        used = sum(F(sum(step), max(step)) for step in run.steps)
        c, (work, imbalance) = C1 / T, run.whole
        busy.append(float(work + c * used))
        idle.append(float(imbalance + c * (2 * len(run.steps) - used)))
        energy.append(joules(run.steps, C1))

    def envelope(i):
        total = busy[i] + idle[i]
        return total * (10 + 30 * sqrt(busy[i] / total))

    floor, tangent = (
        [40 * b + watts * i for b, i in zip(busy, idle, strict=True)] for watts in (10, 25)
    )
    return {
        "simulated": near(1 - energy[1] / energy[0]),
        "floor": near(1 - envelope(1) / floor[0]),
        "cap": near(1 - floor[1] / envelope(0)),
        "floor_sharp": near(1 - tangent[1] / floor[0]),
        "cap_tangent": near(1 - floor[1] / tangent[0]),
    }


@pytest.mark.parametrize(("words", "runs"), [(("--timed",), TIMED), ((), BACKLOG)])
def test_assess_as_json(say, trace, words, runs):
    found = json.loads(say("assess", trace, *SYSTEM, *words, "--json"))
    assert found["runs"] == [
        run.summary(name, joules(run.steps, C1)) for name, run in runs.items()
    ]
    saved = savings_by_hand(runs)
    assert found["saving"] == saved
    assert found["saving"]["floor"] <= found["saving"]["simulated"] <= found["saving"]["cap"]
    kept = ("trace", "format", "rows", "bad_rows", "duration_s", "workers", "slots", "pool")
    assert [found[key] for key in kept] == ["hand.csv", "columns", 8, 0, 5, 2, 1, None]
    assert (found["timed"], found["hardware"]) == (runs is TIMED, "bench")
    failed = list(found["assumptions_that_fail"].values())
    # At its own times, under FCFS, 12 slots of 8 steps times 2 are busy, whichever way it is run.
    assert failed[0].startswith("at the trace's own arrival times 75.0 % of the slots are busy")
    assert "a pool of 2 for 2 slots" in failed[1]
    assert "run from 1 to 3" in failed[2]
    # Lengths 1 (6 of 8) and 3; mean 3/2, p = 2/3: |6/8 - 2/3| = 1/12 at 1, at 2 6/8 beside 8/9.
    assert "same mean is 0.14 " in failed[3]
    assert "C = 2.23 ms a step" in failed[4]
    assert len(failed) == 5


def test_assess_as_text(say, trace):
    out = say("assess", trace, *SYSTEM, "--timed")
    assert "hand.csv: 8 rows, 0 bad, columns layout, 5 s" in out
    assert "served at its arrival times on G = 2, B = 1, bench" in out
    assert cells(out) == cells(say("simulate", "--trace", trace, *SYSTEM, "--timed"))
    saved = savings_by_hand(TIMED)
    said = {key: f"{100 * value.expected:.1f} %" for key, value in saved.items()}
    assert (
        f"energy saved by bfio: {said['simulated']} simulated; the bounds allow {said['floor']} to "
        f"{said['cap']} for this work, idle time and steps"
    ) in out


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("prefill,decode\n2,2\n4,2\n2,2\n4,2\n", "utf-8")
    return str(path)


def test_what_the_theorems_say_of_sizes_2_and_4_and_lengths_of_2(say, pairs):
    found = json.loads(say("assess", pairs, *SYSTEM, "--json"))
    # FCFS, G = 2, B = 1, half way through lengths of 2: loads 3 or 5, E|X - Y| = 1, work 8.
    fcfs = {"imbalance": near(1), "idle_share": near(F(1, 9)), "method": "exact"}
    # Geometric lengths of mean 2: X = s + age, P(age difference k) = 2^-|k| / 3.  Equal sizes (one
    # half): E|k| = 4/3.  Sizes 2 apart: E|k + 2| = 2 + 2 E(k - 2)^+ = 2 + 2 * (2/3)/4 = 7/3.
    steady = (F(4, 3) + F(7, 3)) / 2
    c2, ln2 = F(6776, 10000) ** 2, log(2)

    def first(ceiling, variance):
        """The smallest B with c G sigma sqrt(B ln G) > ceiling (G - 1)."""
        return int(float(F(ceiling) ** 2 / (4 * c2 * F(variance))) / ln2) + 1

    guarantees = found["guarantees"]
    # Mean squares of 2 + A and max(A, 2), A geometric from 1 with E A = 2, E A^2 = 6: 4 + 8 + 6 and
    # 4 + (8 + 6)/4, their half-sum m = 12.75; 8 m ln 2 / (p (b-a)^2) = 51 ln 2 = 35.35.
    assert guarantees.pop("frontier_slots") == 36
    assert guarantees == {
        "fcfs": fcfs,
        # E|X - Y| = 1 of the sizes over (G-1)(b-a) = 2.
        "theorem_1_ratio": near(F(1, 2)),
        "theorem_1_bfio_bound": 2,
        # (G-1) s_max / p = 4 * 2.
        "theorem_2_ratio": near(steady / 8),
        "theorem_2_bfio": near(8),
        # Variances: 1 of the sizes, 2 more of geometric ages; the ceiling of Theorem 4 is
        # D / P_idle = 25/10 times that of Theorem 1; Theorem 3 adds the mean length.
        "first_slots": {
            "T1": first(4, 1),
            "T2": first(8, 3),
            "T3": first(4 + 2, 1),
            "T4 by T1": first(10, 1),
        },
        "reasons": [],
    }
    assert (first(4, 1), first(8, 3), first(6, 1), first(10, 1)) == (13, 17, 29, 79)
    out = say("assess", pairs, *SYSTEM)
    for line in (
        "no arrival times",
        "FCFS in the long run: imbalance 1 tokens, idle share 11.1 % (exact)",
        "Theorem 1 (equal lengths): BF-IO at most 2 tokens, FCFS at least 0.50 times that: it "
        "guarantees nothing here",
        "Theorem 2 (geometric lengths, constant 1): BF-IO at most 8 tokens, FCFS at least 0.23 "
        "times that: it guarantees nothing here",
        "With G = 2 Theorem 1 says more than nothing from about B = 13, Theorem 2 from B = 17, "
        "Theorem 4 on top of Theorem 1 from B = 79",
    ):
        assert line in out
    assert "output lengths run" not in out  # they are equal


@pytest.mark.parametrize(
    ("text", "workers", "reason"),
    [
        ("2,2\n4,2\n", "1", "one worker is always balanced: nothing to guarantee"),
        ("3,2\n3,2\n", "2", "the ratio needs at least 2 workers and sizes that differ"),
    ],
)
def test_why_a_guarantee_is_not_available(say, tmp_path, text, workers, reason):
    path = tmp_path / "few.csv"
    path.write_text("prefill,decode\n" + text, "utf-8")
    words = ("assess", str(path), "-G", workers, "-B", "1", "--hardware", "bench")
    found = json.loads(say(*words, "--json"))["guarantees"]
    assert found["reasons"] == [reason]
    assert (found["theorem_1_ratio"], found["first_slots"]) == (None, None)
    assert f"  not available: {reason}\n" in say(*words)


# --- energy -------------------------------------------------------------------------------------
#
# 100 W idle, 300 W full, exponent 1/2: D = 100 + 200/2 = 200 W.  A baseline that idles 7/16 has
# eta = 7/9; with 112/81 times less imbalance eta is 9/16.  1 - f = 9/16 and 16/25: roots 3/4, 4/5.

OWN = ("energy", "--idle-w", "100", "--max-w", "300", "--gamma", "0.5", "--idle-share", "0.4375")

# Idle shares for 28 % and 52 % at perfect balance.  Sharp: 300 s / (100 (1 - s)) = 7/6, 13/4.
# Paper: 300 s / (100 - 200 s) = 21/11, never.  Tangent: 300 s / (200 (1 - s)) = 7/12, 13/8.
# Cap: (1 - s)(100 x + 200 sqrt(x)) = 300 with x = 1 + eta: sqrt(x) = sqrt(1 + 3/(1 - s)) - 1.
NEEDED = {
    "28%": (1 - 1 / (sqrt(31 / 6) - 1) ** 2, F(7, 19), F(7, 13), F(21, 32)),
    "52%": (1 - 1 / (sqrt(29 / 4) - 1) ** 2, F(13, 21), F(13, 17), None),
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
    assert device == {
        "name": "custom",
        "idle_w": 100,
        "max_w": 300,
        "gamma": 0.5,
        "limit": near(F(1, 2)),
        # (1-gamma) P_max / D^2, -(1-gamma) P_idle / D^2, P_idle dP / D^2.
        "limit_sensitivity": {
            "idle_w": near(F(3, 800)),
            "max_w": near(F(-1, 800)),
            "gamma": near(F(1, 2)),
        },
        # Floor, tangent and envelope of the baseline, nine times: 3400, 4100 and 4000; balanced 300.
        "bounds": {
            "floor paper": near(F(3400 - 2700, 4100)),
            "floor sharp": near(F(3400 - 2700, 3400)),
            "floor envelope": near(F(3400 - 2700, 3400)),
            "cap envelope": near(F(4000 - 2700, 4000)),
            "cap tangent": near(F(4100 - 2700, 4100)),
        },
        "source": "given by the user",
        "note": "",
    }


def test_energy_with_some_imbalance_left(say):
    (device,) = json.loads(say(*OWN, "--improvement", repr(112 / 81), "--json"))["hardware"]
    # The improved run: floor 300 + 56.25, tangent 300 + 112.5, envelope 25/16 (100 + 160).
    assert device["bounds"] == {
        "floor paper": near(F(-25, 328)),  # (3400 - 9 * 412.5) / 4100
        "floor sharp": near(F(-25, 272)),
        "floor envelope": near(F(-41, 544)),  # 1 - 9 * 406.25 / 3400
        "cap envelope": near(F(127, 640)),  # 1 - 9 * 356.25 / 4000
        "cap tangent": near(F(143, 656)),
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
        "custom: 100 W idle, 300 W at most, gamma 0.5",
        "source: given by the user",
        "limit of the paper's bound, P_idle / D: 50.0 %",
        # 3/800, -1/800 and, per 0.01 of gamma, 1/200, in points.
        "it moves by +0.375 points per watt of idle power, -0.125 per watt of maximum power, "
        "+0.500 points per 0.01 of gamma",
        "saving for a baseline that idles 43.8 % and perfect balance in its place",
    ):
        assert line in out
    # 7/41, 7/34, 13/40 and 14/41.
    bounds, needed = out.split("\nidle share that")
    assert cells(bounds) == {
        "floor paper": ("17.1 %",),
        "floor sharp": ("20.6 %",),
        "floor envelope": ("20.6 %",),
        "cap envelope": ("32.5 %",),
        "cap tangent": ("34.1 %",),
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
    assert "P_idle / D: 0.0 %" in say(
        *("energy", "--idle-w", "0", "--max-w", "300", "--gamma", "1")
    )


def test_the_table_of_devices(say, monkeypatch):
    own = PowerModel(100.0, 300.0, 0.5, "own")
    monkeypatch.setattr("theory.power.hardware_catalogue", lambda: {"own": own, "bench": BENCH})
    head = say("energy", "--idle-share", "0.4375").splitlines()[2]
    columns = "hardware idle W max W gamma limit paper floor sharp floor floor cap 28 % needs"
    assert head.split() == columns.split()
    # bench, in MW: D = 25; of 9: floor 360 + 70, tangent 360 + 175, envelope 16 (10 + 22.5) = 520,
    # balanced 360.  0.72 (10 x + 30 sqrt(x)) = 40: sqrt(x) = (-3 + sqrt(9 + 200/9)) / 2.
    x = ((-3 + sqrt(9 + 200 / 9)) / 2) ** 2
    assert cells(say("energy", "--idle-share", "0.4375")) == {
        "own": ("100", "300", "0.5", "50.0 %", "17.1 %", "20.6 %", "20.6 %", "32.5 %",
                f"{100 * NEEDED['28%'][0]:.1f} %"),
        "bench": ("1e+07", "4e+07", "0.5", "40.0 %", f"{7000 / 535:.1f} %", f"{7000 / 430:.1f} %",
                  f"{7000 / 430:.1f} %", f"{16000 / 520:.1f} %", f"{100 * (1 - 1 / x):.1f} %"),
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

    monkeypatch.setattr("evenkeel.rosetta.workload", drawn)
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
        "idle_share": near(F(14, 14 + 34)),  # while every slot is full: not the last step
        "energy_j": near(joules(LOADS["fcfs"], C2)),
        "longest_wait": 1,
    }
    assert bfio == {
        "policy": "bfio",
        "steps": 5,
        "regret": [0, 0],
        "imbalance": "3/5",
        "optimal": [1, 1],
        "idle_share": near(F(2, 2 + 34)),
        "energy_j": near(joules(LOADS["bfio"], C2)),
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
    assert list(listed) == list(POLICIES)
    assert all(text.endswith(".") for text in listed.values())
