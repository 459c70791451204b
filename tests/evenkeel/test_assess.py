"""What assess answers, on traces of which the answer is known by construction.

The device draws 10 W at idle and 40 W at most with exponent 1/2, where nothing else is said: of two
workers with loads ``L`` and ``L/4`` it draws ``40 + 25`` W, of two equal ones ``80`` W.
"""

import json
from collections.abc import Callable
from math import sqrt
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from adversary.workloads.families import workload
from evenkeel.cli.main import COMMANDS, cli
from evenkeel.studies.answer import OVERHEADS, Answer, Trial, exponents
from evenkeel.studies.answer_words import not_by_balance
from evenkeel.studies.grid import AXES
from solvers.simulation.engine import simulate
from theory.model import Requests, System
from theory.power import DEFAULT_DEVICE, PowerModel, hardware

T = 1.0052e-7
DEVICE = ("--idle-w", "10", "--wait-w", "10", "--max-w", "40", "--gamma", "0.5")
Say = Callable[..., str]
Rows = list[tuple[int, int]]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Say:
    """What assess says of a trace of (prefill, decode), or (prefill, decode, arrival)."""

    def run(rows: list[Any], *words: str) -> str:
        path = tmp_path / "made.csv"
        names = ("prefill", "decode", "arrival")[: len(rows[0])]
        lines = [",".join(map(str, row)) for row in (names, *rows)]
        path.write_text("\n".join(lines) + "\n", "utf-8")
        cli.main(["assess", str(path), *words], standalone_mode=False)
        return capsys.readouterr().out

    return run


def overhead(slots: int) -> float:
    return (0.6e-3 * slots + 35e-3) / 16


def test_no_where_all_requests_are_equal(say: Say) -> None:
    words = ("-G", "2", "-B", "2", *DEVICE)
    rows: Rows = [(500, 5)] * 200
    found = json.loads(say(rows, *words, "--json"))["answer"]
    assert found["verdict"] == "no"
    assert found["energy"] == found["time_per_token"] == {"value": 0, "low": 0, "high": 0}
    assert {point["verdict"] for point in found["points"]} == {"no"}
    out = say(rows, *words).splitlines()
    same = "No: against jsq, bfio needs the same energy and the same time per output token."
    assert out[0] == same
    assert out[1].endswith("each by itself, and in 120 of 120 combinations.")
    # Both policies serve 100 on each worker.
    assert next(line for line in out[::-1] if line.startswith("jsq")).endswith("100 to 100")


BIG, SMALL = 800_000, 200_000


def alternating(big: int, small: int, count: int) -> Rows:
    """The first, third, ... of the oldest four go to worker 0 under jsq, to either in balance."""
    return [(big, 1), (small, 1)] * (count // 2)


def test_yes_where_two_sizes_alternate(say: Say) -> None:
    rows = alternating(BIG, SMALL, 400)
    words = ("-G", "2", "-B", "2", *DEVICE)
    found = json.loads(say(rows, *words, "--json"))["answer"]
    # Two big ones on worker 0 and two small ones on worker 1, or one of each on both.
    before, after = (overhead(2) + T * load for load in (2 * BIG, BIG + SMALL))
    energy, time = 1 - 80 * after / (65 * before), 1 - after / before
    assert found["verdict"] == "yes"
    # Blocks of 20 keep groups of four, so that every draw saves the same.
    for key, saved in (("energy", energy), ("time_per_token", time)):
        assert found[key] == pytest.approx({"value": saved, "low": saved, "high": saved})
    out = say(rows, *words)
    assert out.startswith(
        f"Yes: against jsq, bfio needs {100 * energy:.1f} % less energy ({100 * energy:.1f} % to "
        f"{100 * energy:.1f} %) and {100 * time:.1f} % less time per output token ("
    )
    # A rule that puts the largest first balances the four as well.
    out = say(rows, *words, "--policy", "trtllm_adp", "--policy", "bfio")
    assert out.splitlines()[1] == (
        "Against trtllm_adp, the best of the rules beside it, bfio needs the same energy and the "
        "same time per output token: no."
    )


def test_where_the_answer_holds(say: Say) -> None:
    """Without idle power, equal loads cost ``2 (c + 1)`` and others ``(c + 1.6)(1 + 4^-gamma)``."""
    words = ("-G", "2", "-B", "2", "--idle-w", "0", "--wait-w", "0", "--max-w", "40")
    rows = alternating(BIG, SMALL, 400)
    found = json.loads(say(rows, *words, "--gamma", "0.5", "--json"))["answer"]
    for point in found["points"]:
        wait, c = point["wait_w"] / 40, point["overhead"] * overhead(2) / T / 1e6
        other = 1 + wait + (1 - wait) * 4 ** -point["gamma"]
        saved = 1 - 2 * (c + 1) / ((c + 1.6) * other)
        assert point["saving"]["value"] == pytest.approx(saved, abs=1e-12)
        assert point["verdict"] == ("yes" if saved > 0.005 else "no")
    assert len(found["points"]) == 6 * 5 * 4
    yes = sum(point["verdict"] == "yes" for point in found["points"])
    # c = 0.0225: gamma = 0.7 saves 1 - 2.045/2.237 of it, gamma = 1 nothing.
    assert found["holds_for"] == (
        "The answer is the same for gamma 0.02 to 0.7 (no at 1), a waiting power of 0 to 40 W and "
        f"C of 0 to 10 times 2.26 ms, each by itself, and in {yes} of 120 combinations."
    )
    assert 0 < yes < 120
    alone = json.loads(say(rows, *words, "--gamma", "1", "--json"))["answer"]
    assert alone["verdict"] == "no"
    assert "for gamma 1 alone (yes at 0.7), a waiting power of 0 W alone (yes at 10)" in alone[
        "holds_for"
    ]  # fmt: skip


def test_cannot_tell_where_gains_and_losses_cancel(say: Say) -> None:
    """Where steps are mostly overhead, balance costs energy: 80 W in place of 65 W.

    In load units of ``t``, c = 22,508: of steps with 2 * 40,000 jsq needs 65 (c + 80,000) and BF-IO
    80 (c + 50,000), with 2 * 4,000 it is 65 (c + 8,000) and 80 (c + 5,000).  One step of the former
    gains 0.86 M, four of the latter lose 0.87 M.
    """
    rows = alternating(40_000, 10_000, 400) + alternating(4_000, 1_000, 1600)
    out = say(rows, "-G", "2", "-B", "2", *DEVICE)
    found = json.loads(say(rows, "-G", "2", "-B", "2", *DEVICE, "--json"))["answer"]
    c = overhead(2) / T
    energy = 1 - 80 * (5 * c + 50_000 + 4 * 5_000) / (65 * (5 * c + 80_000 + 4 * 8_000))
    assert found["energy"]["value"] == pytest.approx(energy, rel=1e-9)
    assert found["verdict"] == "cannot tell"
    assert found["energy"]["low"] < 0 < 0.005 < found["energy"]["high"]
    assert found["time_per_token"]["low"] > 0.1
    assert out.startswith("Cannot tell: against jsq, bfio needs 0.")
    assert "; the interval of the energy holds both no saving and one of more than 0.5 %." in out
    assert "Of 120 combinations of gamma, waiting power and C the answer is yes in " in out


TWENTY: Rows = [(1200 + 97 * i % 3000, 14 + 53 * i % 250) for i in range(20)]


def test_cannot_tell_from_a_run_that_is_too_short(say: Say) -> None:
    words = ("-G", "16", "-B", "8")
    found = json.loads(say(TWENTY, *words, "--json"))
    assert found["answer"]["verdict"] == "cannot tell"
    assert found["answer"]["holds_for"] is None
    (overloaded, *_) = found["assumptions_that_fail"].values()
    assert overloaded == "20 requests cannot fill 128 slots"
    out = say(TWENTY, *words)
    assert out.startswith("Cannot tell: the run is too short: 20 requests, and an interval needs 1")
    # 200 requests, of which the last to be done has 4,000 output tokens.
    rows: Rows = [(100, 10)] * 199 + [(100, 4000)]
    out = say(rows, "-G", "2", "-B", "50")
    # 100 slots * 4,000 over the mean of 29.95 output tokens: 13,356 requests.
    assert "200 requests fill 100 slots so briefly that 99% of them are empty" in out
    assert "13356 requests or fewer slots would do" in out
    assert "all slots are full in the first 20 of 4010 steps alone: the rest is the drain" in out


def test_eight_large_requests_for_many_slots(say: Say) -> None:
    words = ("-G", "16", "-B", "8", "--policy", "fcfs", "--policy", "bfio", "--json")
    found = json.loads(say([(65_536, 256)] * 8, *words))
    idle = {run["policy"]: run["whole"]["idle_share"] for run in found["runs"]}
    # All on worker 0, or on eight of sixteen.
    assert idle == {"jsq": 1 / 2, "fcfs": 15 / 16, "bfio": 1 / 2}
    (overloaded, *_) = found["assumptions_that_fail"].values()
    assert overloaded == "8 requests cannot fill 128 slots"


def test_ties_show_in_the_requests_of_a_worker(say: Say) -> None:
    """One request at a time: a fixed tie sends all to worker 0, a rotating one every second."""
    rows = [(1000 + i, 10, 30 * i) for i in range(10)]
    found = json.loads(say(rows, "-G", "2", "-B", "8", "--timed", "--json"))
    shown = {run["policy"]: run["requests_of_workers"] for run in found["runs"]}
    assert shown["jsq"] == [0, 10]
    assert shown["vllm_in_flight"] == [5, 5]


PAIRS = [(1000, 20, 0.06 * (i // 2)) for i in range(200)]


def test_a_lightly_loaded_fleet_is_not_judged_by_a_rule_that_fills_one_worker(say: Say) -> None:
    """Two requests at a time on four workers: on two of them, unless worker 0 is filled first."""
    words = ("-G", "4", "-B", "8", "--timed", *DEVICE)
    found = json.loads(say(PAIRS, *words, "--json"))
    assert found["answer"]["verdict"] == "no"
    assert found["answer"]["energy"] == {"value": 0, "low": 0, "high": 0}
    # Twenty steps with the sizes 1000 to 1019 on one worker, or twice that.
    apart, together = (20 * overhead(8) + T * k * 20_190 for k in (1, 2))
    end = 99 * 0.06 + together
    joules = [4 * 10 * end + 100 * 30 * k * steps for k, steps in ((1, together), (2, apart))]
    found = json.loads(say(PAIRS, *words, "--baseline", "fcfs", "--policy", "bfio", "--json"))
    assert [run["energy_with_gaps_j"] for run in found["runs"]] == pytest.approx(joules, rel=1e-9)
    assert found["answer"]["energy"]["value"] == pytest.approx(1 - joules[1] / joules[0])
    assert found["answer"]["verdict"] == "no"
    busy = found["assumptions_that_fail"]["the pool fills every free slot at every step"]
    # Two of 32.
    assert busy == (
        "at the trace's own arrival times 6.2 % of the slots are busy in the average step of fcfs"
    )


def test_a_backlog_says_where_the_arrival_times_leave_the_slots_empty(say: Say) -> None:
    out = say(PAIRS, "-G", "4", "-B", "8")
    assert (
        "This is for a backlog: at the trace's own arrival times 6.2 % of the slots are busy, and "
        "--timed answers for those.\n"
    ) in out
    assert "This is for a backlog" not in say(PAIRS, "-G", "4", "-B", "8", "--timed")


def test_the_answer_comes_first_then_table_theorems_assumptions_caveats(say: Say) -> None:
    out = say(PAIRS, "-G", "4", "-B", "8")
    parts = (
        *("No: against jsq", "\nThe answer is the same", "\nmade.csv: ", "\nthe baseline, jsq: "),
        *("\npolicy ", "\nWhat the theorems say", "\nAssumptions that do not hold", "\nCaveats:"),
    )
    places = [out.index(part) for part in parts]
    assert places == sorted(places)
    assert places[0] == 0
    for caveat in ("KV memory is without limit", "equally fast", "Prefill is not timed"):
        assert caveat in out[places[-1] :]
    # Six rounds with eight requests on each worker and one with two, of 1009.5 tokens: 50/7 of it.
    assert "7211 tokens are on the fullest worker in the average step of jsq." in out


def test_one_request_less_than_an_interval_needs(say: Say) -> None:
    words = ("-G", "2", "-B", "2", *DEVICE, "--json")
    verdicts = [json.loads(say([(9, 2)] * n, *words))["answer"]["verdict"] for n in (99, 100)]
    assert verdicts == ["cannot tell", "no"]


def test_the_last_policy_is_held_against_the_baseline(say: Say) -> None:
    words = ("-G", "2", "-B", "2", *DEVICE, "--json")
    rows = alternating(BIG, SMALL, 400)
    found = json.loads(say(rows, *words, "--policy", "bfio", "--policy", "lpt"))
    assert found["judged"] == "lpt"
    assert [run["policy"] for run in found["runs"]] == ["jsq", "bfio", "lpt"]
    # Largest first balances the four as well as any.
    assert found["runs"][1]["saved_by_judged"]["energy"]["value"] == pytest.approx(0)
    with pytest.raises(ValueError, match="jsq is the baseline"):
        say(rows, *words, "--policy", "jsq")


def test_arrivals_at_another_step_time_are_served_again() -> None:
    device = PowerModel(10.0, 40.0, 0.5)
    requests = workload("uniform", 300, 1, b=50_000, p=0.2)
    requests = Requests(requests.prefill, requests.decode, np.arange(300) * 2e-3)
    system = System.paper(2, 2)
    trial = Trial(system, requests, "jsq", "bfio")
    costs = trial.costs(("jsq", "bfio"), exponents(device))
    points = trial.points(costs, device)
    for factor in OVERHEADS:
        other = System(2, 2, step_overhead_s=factor * system.step_overhead_s)
        runs = [simulate(other, requests, name, gammas=(device.gamma,)) for name in ("jsq", "bfio")]
        end = max(run.time_s for run in runs)
        energy = [run.energy_j(device) + 2 * 10 * (end - run.steps_s) for run in runs]
        (point,) = (
            point for point in points if point.place == (device.gamma, device.idle_w, factor)
        )
        assert point.saving.value == pytest.approx(1 - energy[1] / energy[0], abs=1e-12)


def test_a_long_trace_is_drawn_in_part() -> None:
    requests = workload("uniform", 20_000, 1, b=50, p=0.5)
    trial = Trial(System.paper(2, 2), requests, "jsq", "bfio")
    assert [len(each) for each in trial.traces()] == [20_000] + 8 * [5_000]
    assert trial.shrink == sqrt(5_000 / 20_000)
    # At least five rounds of all slots.
    assert Trial(System.paper(32, 72), requests, "jsq", "bfio").drawn == 11_520


def test_what_saves_where_balance_does_not() -> None:
    """On one worker of four in place of two, a pair leaves three without a request, not two."""
    requests = Requests([1000] * 2, [20] * 2)
    spread, together = (simulate(System(4, 8), requests, name) for name in ("jsq", "fcfs"))
    told = not_by_balance(Answer.YES, spread, together)
    assert told == (
        "Balance is not what saves here: 75.0 % of the workers' time is idle, and 50.0 % under "
        "jsq.  fcfs leaves workers without any request in 75.0 % of their steps, jsq in 50.0 %, "
        "and these draw the idle power."
    )
    assert not_by_balance(Answer.NO, spread, together) is None
    assert not_by_balance(Answer.YES, together, spread) is None


def test_every_command_takes_the_same_device_unless_told_otherwise() -> None:
    defaults = {}
    for name in COMMANDS.keys() - {"measure"}:  # it assumes no device where none was measured
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        for option in command.params:
            if option.name == "hardware":
                defaults[name] = option.to_info_dict()["default"]
    assert not defaults.pop("energy")  # all of them
    assert defaults.pop("experiment") == "a100-paper"  # the paper's
    assert defaults == dict.fromkeys(("simulate", "policies", "assess"), DEFAULT_DEVICE)
    assert AXES["hardware"][1] == DEFAULT_DEVICE
    # An exponent that is measured.
    assert hardware(DEFAULT_DEVICE).gamma != 0.7


@pytest.mark.slow
@pytest.mark.parametrize("timed", [False, True])
def test_intervals_hold_the_mean_saving_about_as_often_as_they_say(timed: bool) -> None:
    """Of 60 traces 57 in the mean, and fewer than 50 with a chance of less than a thousandth."""
    power, system, found = hardware(DEFAULT_DEVICE), System.paper(4, 8), []
    for seed in range(60):
        requests = workload("burst-like", 1000, seed)
        if timed:
            gaps = np.random.default_rng(seed).exponential(0.02, size=1000)
            requests = Requests(requests.prefill, requests.decode, np.cumsum(gaps))
        trial = Trial(system, requests, "jsq", "bfio", seed=seed)
        costs = trial.costs(("jsq", "bfio"), (power.gamma,))
        found.append(trial.saving(costs, lambda cost: cost.energy_j(power), "jsq", "bfio"))
    mean = np.mean([each.value for each in found])
    assert sum(each.low <= mean <= each.high for each in found) >= 50
