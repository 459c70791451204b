"""The commands attack, gallery, verify and solve --certificate, as people call them."""

import json
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from adversary.instances.space import Space
from adversary.witnesses.gallery import gallery, replay_witness
from adversary.worst_case.attack import Attack
from adversary.worst_case.exhaustive import worst_case
from evenkeel.cli.main import main

POLICIES = """
from dataclasses import replace
import numpy as np
from tests.oracles.policies import FCFS, LeastLoaded

class Reversed:
    name = "reversed"
    def admit(self, view):
        answer = FCFS().admit(replace(view, free=view.free[::-1]))
        return np.where(answer >= 0, view.loads.size - 1 - answer, -1)

class Moody:
    name = "moody"
    runs = 0
    def __init__(self):
        Moody.runs += 1
    def admit(self, view):
        return (FCFS() if Moody.runs < 250 else LeastLoaded()).admit(view)

class Overfill:
    name = "overfill"
    def admit(self, view):
        answer = FCFS().admit(view)
        return np.where(answer >= 0, 0, answer)
"""


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    Path("own_rules.py").write_text(POLICIES, "utf-8")
    sys.modules.pop("own_rules", None)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["evenkeel", *arguments])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capsys.readouterr()
        return stop.value.code, out, err

    return run


def test_closed_forms_come_out_and_are_certified(call):
    # (G-1)B(b-a) for fcfs and (G-1)(b-a) for exact steps, at G = B = 2, b - a = 3.
    for policy, value in (("fcfs", 6), ("bfio_exact", 3)):
        code, out, _ = call("attack", "--policy", policy, "--certificate", "c.json", "--json")
        answer = json.loads(out)
        assert (code, answer["value"], answer["exact"]) == (0, f"{value}", True)
        assert "256 request lists" in answer["domain"]
        [witness] = [w for w in gallery(Path("out/gallery")) if f"{w.name}.json" in out]
        assert replay_witness(witness) == witness.expected
        assert witness.expected[policy]["avg_imbalance"] == f"{value}"
        code, out, _ = call("verify", "c.json", "--json")
        assert (code, json.loads(out)[0]["holds"]) == (0, True)
        assert f"reaches {value}/1, the most of all lists of 4 requests: G=2" in out


def test_a_policy_of_the_users_own(call):
    """Numbering the workers from the other end changes nothing: the worst case of fcfs."""
    size = ("-B", "1", "-n", "3", "--size-max", "3", "--length-max", "2")
    values = []
    for policy in ("fcfs", "own_rules:Reversed"):
        code, out, _ = call("attack", "--policy", policy, *size, "--json")
        answer = json.loads(out)
        assert (code, answer["exact"]) == (0, True)
        values.append(answer["value"])
        shown = answer["policies"]
        assert {"fcfs", "jsq", "bfio", policy} <= set(shown)
        assert shown[policy]["avg_imbalance"] == float(Fraction(answer["value"]))
        assert all(entry["longest_wait"] >= 0 for entry in shown.values())
    assert values[0] == values[1]
    _, out, _ = call("attack", "--policy", "own_rules:Reversed", *size)
    assert "the same requests under other policies" in out


def test_a_policy_that_cheats_is_named(call):
    code, out, err = call("attack", "--policy", "own_rules:Overfill")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "'overfill' at step 0: worker 0 is over-filled" in err


def test_a_policy_of_changing_moods_is_named(call):
    """It is fcfs for most of the 256 lists, and another when the worst of them comes again."""
    code, out, err = call("attack", "--policy", "own_rules:Moody", "-B", "2", "-n", "4")
    assert (code, out) == (2, "")
    assert "only a policy that decides the same again can be attacked" in err


def test_the_optimum_as_baseline(call):
    arguments = (
        "attack",
        "--policy",
        "lpt",
        "--against",
        "optimum",
        "-n",
        "3",
        "-B",
        "1",
        "--json",
    )
    code, out, _ = call(*arguments, "--size-max", "2", "--length-max", "2")
    answer = json.loads(out)
    assert code == 0
    assert answer["exact"]
    assert "AvgImb(lpt) / AvgImb(optimum)" in answer["objective"]


def test_an_infinite_ratio_says_why(call):
    """One worker each for 1 and 1, then 2 beside 2, is perfect; no rule of one step finds it."""
    size = ("-B", "1", "-n", "3", "--size-max", "3", "--length-max", "2")
    code, out, _ = call("attack", "--against", "optimum", *size)
    assert code == 0
    assert "AvgImb(bfio_exact) / AvgImb(optimum): infinity (exact)" in out
    assert "optimum has no imbalance there" in out
    assert "optimum: average imbalance 0 over" in out
    [witness] = gallery(Path("out/gallery"))
    assert witness.claim is None
    assert witness.expected["optimum"]["avg_imbalance"] == "0"
    assert replay_witness(witness) == witness.expected
    code, shown, _ = call("gallery", "--gallery", "out/gallery", witness.name)
    assert code == 0
    assert "claim" not in shown
    assert "optimum: average imbalance 0 over" in shown


def test_a_witness_speaks_of_a_claim_only_where_it_decides_one(call):
    refill = Space(2, 2, 4, 3)
    for policy, against, space, label in (
        ("fcfs", None, refill, "fcfs.worst-case"),
        ("bfio_exact", None, refill, "step.full-refill-tight"),
        ("jsq", None, refill, None),
        ("fcfs", None, Space(2, 2, 5, 3), None),
        ("bfio_exact", "fcfs", Space(2, 1, 4, 2, decode_max=3), "iir.per-instance"),
        ("jsq", "fcfs", Space(2, 1, 3, 2, decode_max=2), None),
    ):
        attack = Attack(space, policy, against)
        *_, tally = attack.portions()
        worst = attack.shrunk(tally)
        assert worst is not None
        assert attack.witness("w", worst, tally).claim == label


def test_search_beyond_the_budget_says_so(call):
    code, out, _ = call(
        "attack", "--policy", "least_loaded", "-n", "6", "--size-max", "9", "--budget", "300"
    )
    assert code == 0
    assert "(found; more may exist)" in out
    assert "searched (climb, 300 evaluations)" in out
    assert "█" in out


@pytest.mark.parametrize(("policy", "method"), [("jsq", "exact"), ("fcfs", "anneal")])
def test_an_interrupted_attack_goes_on(call, monkeypatch, policy, method):
    arguments = ("attack", "--policy", policy, "-B", "1", "-n", "3", "--size-max", "3",
                 "--method", method, "--budget", "4500")  # fmt: skip
    _, whole, _ = call(*arguments, "--json", "--gallery", "other")
    full = Attack.portions

    def cut(self, tally=None):
        for count, portion in enumerate(full(self, tally)):
            if count == 2:
                raise KeyboardInterrupt
            yield portion

    monkeypatch.setattr(Attack, "portions", cut)
    code, out, err = call(*arguments)
    assert (code, out) == (130, "")
    assert "the same command goes on from here" in err
    left = json.loads(next(Path("out/gallery").glob(".*.attack")).read_text("utf-8"))
    assert left["tally"]["instances"] == (2 if method == "exact" else 4000)
    monkeypatch.setattr(Attack, "portions", full)
    code, out, _ = call(*arguments, "--json")
    assert code == 0
    assert not list(Path("out/gallery").glob(".*"))
    first, again = (json.loads(text) for text in (whole, out))
    assert {k: v for k, v in first.items() if k != "witness"} == {
        k: v for k, v in again.items() if k != "witness"
    }


def test_a_damaged_or_foreign_state_is_not_used(call):
    Path("out/gallery").mkdir(parents=True)
    for text in ("", "{", "[]", '{"attack": {}, "tally": {}}'):
        Path("out/gallery/.x.attack").write_text(text, "utf-8")
        code, out, _ = call("attack", "--policy", "fcfs", "--name", "x", "--json")
        assert (code, json.loads(out)["value"]) == (0, "6")


def test_nothing_to_store(call):
    code, out, _ = call("attack", "--policy", "fcfs", "-G", "1", "--json")
    answer = json.loads(out)
    assert (code, answer["value"], answer["witness"]) == (0, "0", None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--policy", "nobody"), "nobody"),
        (("--method", "luck"), "no method 'luck'; known: auto, exact, random, climb"),
        (("--method", "exact", "--policy", "jsq", "--budget", "10"), "costs 256 evaluations"),
        (("--size-max", "0"), "size_max must be an integer >= 1"),
        (("-G", "0", "-n", "2"), "workers must be an integer >= 1"),
        (("--policy", "jsq", "--certificate", "c.json"), "no certificates about 'jsq'"),
        (("--sorted", "--certificate", "c.json"), "every arrival order"),
        (("-n", "7", "--size-max", "8", "--certificate", "c.json"), "2,097,152 instances"),
        (("-n", "7", "--budget", "9", "--certificate", "c.json"), "this class is searched"),
        (("--budget", "0"), "budget must be an integer >= 1"),
        (("--name", "../x"), "--name takes letters"),
        (("-G", "9", "-B", "9"), "out of reach"),
    ],
)
def test_bad_input_is_one_line(call, arguments, message):
    code, out, err = call("attack", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert not Path("out").exists()


def test_gallery(call):
    code, out, _ = call("gallery", "--json")
    assert code == 0
    assert all(entry["replays"] for entry in json.loads(out))
    code, out, _ = call("gallery", "iir-below-one", "gap-smallest")
    assert code == 0
    assert "bfio_exact: average imbalance 5/2 over 6 steps" in out
    # (0, 1); (0, 1); {1}: the busy worker has the only slot, and ends at 2 against 0.
    assert "imbalance 2" in out
    code, _, err = call("gallery", "nothing")
    assert code == 2
    assert "no witness 'nothing'" in err
    code, _, err = call("gallery", "--gallery", "nowhere")
    assert (code, err) == (2, "error: nowhere: no such folder\n")


def test_a_witness_is_drawn(call):
    names = ("iir-below-one", "gap-smallest", "limits-common-drift")
    code, out, _ = call("gallery", *names, "--draw", "pictures", "--json")
    assert code == 0
    for entry in json.loads(out):
        assert [Path(path).suffix for path in entry["pictures"]] == [".png", ".svg", ".pdf"]
        assert all(Path(path).stat().st_size > 1000 for path in entry["pictures"])
    code, out, err = call("gallery", "limits-look-ahead", "--draw", "pictures")
    assert (code, out) == (2, "")
    assert "no picture of limits-look-ahead, a window" in err
    code, _, err = call("gallery", "--draw", "pictures")
    assert (code, "witnesses that are named" in err) == (2, True)


def test_a_witness_that_does_not_replay_is_a_violation(call):
    call("attack", "--policy", "fcfs", "--name", "own")
    path = Path("out/gallery/own.json")
    path.write_text(path.read_text("utf-8").replace('"6"', '"7"'), "utf-8")
    code, out, _ = call("gallery", "--gallery", "out/gallery")
    assert code == 1
    assert "NO" in out


def test_solve_writes_a_certificate_that_verifies(call):
    Path("step.json").write_text('{"loads": [3, 0, 1], "free": [1, 2, 2], "pool": [4, 2]}')
    code, out, _ = call("solve", "step.json", "--solver", "fast", "--certificate", "c.json")
    assert code == 0
    assert "c.json, lower bound" in out
    code, out, _ = call("verify", "c.json")
    assert code == 0
    assert "c.json: holds: imbalance 2 of 3 workers is reached" in out
    certificate = json.loads(Path("c.json").read_text("utf-8"))
    certificate["imbalance"] -= 1
    Path("c.json").write_text(json.dumps(certificate))
    code, out, _ = call("verify", "c.json")
    assert (code, "REJECTED" in out) == (1, True)
    code, _, err = call("verify", "missing.json")
    assert (code, err) == (2, "error: missing.json: there is no such file\n")


def test_the_command_and_the_library_agree(call):
    _, out, _ = call("attack", "-B", "1", "-n", "4", "--length-max", "2", "--json")
    space = Space(2, 1, 4, 4, decode_max=2)
    assert json.loads(out)["value"] == str(worst_case(space, "bfio_exact").value)


BACKLOG = '{"workers": 2, "slots": 1, "prefill": [4, 4, 5, 6], "decode": [3, 2, 3, 2]}'


def test_optimum_of_a_backlog(call):
    Path("b.json").write_text(BACKLOG, "utf-8")
    code, out, _ = call("optimum", "b.json", "--certificate", "c.json", "--json")
    answer = json.loads(out)
    # Work 15 + 9 + 18 + 13 = 55 on two workers: at least 28, which FCFS reaches as well.
    assert (code, answer["cost"], answer["optimal"]) == (0, 28, True)
    assert answer["policies"]["fcfs"] == 28 < answer["policies"]["bfio"]
    code, out, _ = call("verify", "c.json")
    assert (code, out) == (
        0,
        "c.json: holds: the cheapest schedule of 4 requests on 2 workers costs 28\n",
    )
    code, out, _ = call("optimum", "b.json", "--rule", "migrating", "--idling")
    assert code == 0
    assert "proved optimal  yes" in out


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        ("{", (), "b.json: is not JSON"),
        ("[]", (), "expected a JSON object with workers, slots, prefill, decode"),
        (BACKLOG.replace("4, 4", "0, 4"), (), "prefill[0] = 0 must be an integer"),
        (BACKLOG.replace("}", ', "x": 1}'), (), "unknown field 'x'"),
        (BACKLOG, ("--overhead", "-1"), "--overhead must be an integer >= 0"),
        (BACKLOG, ("--rule", "pausing", "--certificate", "c.json"), "sticky"),
    ],
)
def test_bad_backlogs_are_one_line(call, text, arguments, message):
    Path("b.json").write_text(text, "utf-8")
    code, out, err = call("optimum", "b.json", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
