"""Small certificates that ask for hours or gigabytes are left unchecked, and say so."""

import io
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from adversary.worst_case.certify import most_work
from solvers import checker
from tests.hostile.conftest import Call
from theory.content import printable

HEAD = {"format": "evenkeel certificate 1"}
KINDS = {
    "step": checker.step,
    "worst-case": checker.worst_case,
    "offline": checker.offline,
    "energy": checker.energy,
}

Certificate = dict[str, Any]


def worst(shape: list[int], policy: str) -> Certificate:
    """A worst case of a class of G, B, pool, n, a, b, longest."""
    n = shape[3]
    return HEAD | {
        "kind": "worst-case", "class": shape, "drift": [1], "ends": 0, "policy": policy,
        "against": None, "prefill": [1] * n, "decode": [1] * n, "value": [1, 1], "digest": "",
    }  # fmt: skip


def step(loads: list[int], free: list[int], pool: list[int], to: list[int], argument: Any) -> Any:
    """A step with its true imbalance."""
    after = list(loads)
    for size, g in zip(pool, to, strict=True):
        after[g] += size
    value = len(loads) * max(after) - sum(after)
    return HEAD | {
        "kind": "step", "loads": loads, "free": free, "pool": pool, "assignment": to,
        "imbalance": value, "bound": 0, "argument": argument,
    }  # fmt: skip


def offline(G: int, B: int, decode: list[int]) -> Certificate:
    """A backlog of 8 requests."""
    return HEAD | {
        "kind": "offline", "workers": G, "slots": B, "drift": 1, "overhead": 0,
        "work_conserving": 0, "prefill": list(range(1, 9)), "decode": decode, "cost": 1,
    }  # fmt: skip


def energy(loads: list[int], q: int, workers: int = 1) -> Certificate:
    """The energy of some steps with an exponent of denominator q."""
    return HEAD | {
        "kind": "energy", "workers": workers, "loads": loads, "idle_w": 1, "max_w": 2,
        "gamma": [q - 1, q], "energy": [1, 1],
    }  # fmt: skip


HUNGRY = {
    "a million lists": worst([2, 1, 1, 19, 1, 2, 1], "fcfs"),
    "a million lists of six": worst([1, 1, 1, 6, 1, 10, 1], "fcfs"),
    "wide exact steps": worst([9, 1, 6, 6, 1, 10, 1], "bfio_exact"),
    "deep exact steps": worst([2, 1, 12, 12, 1, 3, 1], "bfio_exact"),
    "long requests": worst([1, 1, 3, 3, 1, 1, 99], "fcfs"),
    "many fills": step(
        [0, 0], [60, 60], [1] * 60, [0] * 60, ["levels", [0], [["fill"]] * 2000, [0]]
    ),
    "large fills": step(
        [10**6, 0], [0, 400], [2000] * 400, [1] * 400, ["levels", [0], [["fill"]] * 50, [0]]
    ),
    "wide splits": step(
        [0] * 700, [1] * 700, [1] * 700, list(range(700)),
        ["levels", [0], [["place", ["fill"]]] * 600, [0]],
    ),
    "many workers": step([0] * 30000, [1] * 30000, [1] * 30000, list(range(30000)), ["fill"]),
    "a wide backlog": offline(99, 1, [5] * 8),
    "a long backlog": offline(3, 2, list(range(1, 9))),
    "a roomy backlog": offline(8, 8, list(range(1, 9))),
    "fine powers": energy([10**399, 10**399 - 1] * 300, 100),
    "many powers": energy([7, 5] * 60_000, 100),
}  # fmt: skip

HUGE = {
    "a shift": step([0, 0], [2, 2], [10**11] * 3, [0, 1, 0], ["levels", [0], [["fill"]], [0]]),
    "a larger shift": step(
        [0, 0], [1, 9], [10**6] + [10**350] * 3, [0, 1, 1, 1], ["levels", [0], [["fill"]], [0]]
    ),
    "workers without loads": energy([], 2, 10**300),
    "a pool beyond all": worst([10**300, 1, 1, 1, 1, 1, 1], "fcfs"),
    "a backlog of too many": offline(10**300, 1, [1] * 8),
}


@pytest.mark.parametrize("name", HUNGRY)
def test_work_is_counted_before_it_is_done(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # With a hundredth of the budget, so that what is counted ends in a fraction of a second.
    monkeypatch.setattr(checker, "WORK", 10**6)
    certificate = HUNGRY[name]
    with pytest.raises(checker.TooMuch, match="more work than 1,000,000 operations"):
        KINDS[certificate["kind"]](certificate)


@pytest.mark.parametrize("name", HUGE)
def test_huge_numbers_cost_little(name: str) -> None:
    certificate = HUGE[name]
    with suppress(ValueError, checker.TooMuch):
        KINDS[certificate["kind"]](certificate)
    assert checker.WORK - checker.left[0] < 10**7


def test_the_command_leaves_it_open(call: Call) -> None:
    Path("c.json").write_text(json.dumps(HUNGRY["fine powers"]), "utf-8")
    code, out, err = call("verify", "c.json", "--work", "1000")
    assert (code, err) == (3, "")
    assert out.startswith("c.json: NOT CHECKED: more work than 1,000 operations: --work=10000")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[" * 10**5, "REJECTED"),
        ('{"a": ' * 10**4, "REJECTED"),
        ('{"format": ' + "9" * 5000 + "}", "REJECTED: an integer of more than 400 digits"),
        ("\0", "REJECTED"),
        ("[]", "REJECTED: not of this format"),
        ("[1]", "REJECTED"),
        ("null", "REJECTED"),
        ('{"format": "evenkeel certificate 1", "kind": []}', "REJECTED"),
        (json.dumps(HEAD | {"kind": "step", "kind ": 1}), "REJECTED: a field is missing or unk"),
    ],
)
def test_what_is_no_certificate_is_rejected(call: Call, text: str, says: str) -> None:
    Path("c.json").write_text(text, "utf-8")
    code, out, err = call("verify", "c.json")
    assert (code, err) == (1, "")
    assert out.startswith(f"c.json: {says}")
    assert out.count("\n") == 1


def test_what_is_no_file_is_bad_input(call: Call) -> None:
    os.mkfifo("pipe")
    for name in ("pipe", ".", "absent.json", "/dev/zero"):
        code, out, err = call("verify", name)
        assert (code, out) == (2, "")
        assert err.startswith(f"error: {name}: ")


@pytest.mark.parametrize(
    "name", ["--work=9", "-I", "--help", "a\nb.json", "\x1b[31m", os.fsdecode(b"\xff")]
)
def test_a_name_is_no_option_of_the_checker(call: Call, name: str) -> None:
    Path(name).write_text("{}", "utf-8")
    code, out, err = call("verify", "--", name)
    assert (code, err) == (1, "")
    assert out == f"{printable(name)}: REJECTED: not of this format\n"


def test_standard_input_is_read_once(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (
        call("attack", "-B", "1", "-n", "2", "--size-max", "2", "--certificate", "c.json")[0] == 0
    )
    whole = Path("c.json").read_bytes()
    for body, code, says in ((whole, 0, "holds: "), (whole[:-9], 1, "REJECTED: ")):
        given = io.TextIOWrapper(io.BytesIO(body))
        monkeypatch.setattr(sys, "stdin", given)
        found, out, err = call("verify", "c.json", "-")
        assert (found, err) == (code, "")
        assert out.splitlines()[1].startswith(f"-: {says}")
    code, out, err = call("verify", "-", "-")
    assert (code, out, err) == (2, "", "error: standard input (-) is read once\n")


@pytest.mark.parametrize(("words", "says"), [((), False), (("-n", "3", "--length-max", "7"), True)])
def test_an_attack_says_what_its_certificate_asks_for(
    call: Call, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], says: bool
) -> None:
    monkeypatch.setattr(checker, "WORK", 10**5)
    attack = ("attack", "-B", "1", "-n", "2", "--size-max", "2", "--certificate", "c.json")
    code, out, _ = call(*attack, *words)
    assert (code, "verify may need --work=" in out) == (0, says)
    certificate = json.loads(Path("c.json").read_text("utf-8"))
    work = most_work(certificate)
    monkeypatch.setattr(checker, "left", [work])
    monkeypatch.setattr(checker, "WORK", work)
    checker.worst_case(certificate)
