"""Every option that takes a number, at its ends and far beyond: an answer, or one line.

The options are those that the commands declare, so that a new one is tried as well.
"""

import re
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import click
import pytest

from evenkeel.cli.main import COMMANDS, cli
from evenkeel.output import seconds
from tests.hostile.conftest import Call
from tests.hostile.test_streams import FILES
from theory.budget import kept_to
from theory.serving import FIELDS

pytestmark = pytest.mark.usefixtures("in_threads")

VALUES = "0", "-1", str(2**31), str(2**63), "1e308", "nan", "inf"
MOST_S, MOST_BYTES = 20, 3 * 2**29

# Of each command the smallest work, and what else takes a number.
SMALL = ("-G", "2", "-B", "1", "-n", "4", "--policy", "fcfs")
TABLE: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
    (("reproduce", "--claims", "energy.any-power", "--jobs", "1", "--out", "run"), ()),
    (
        ("check", "step.full-refill-gap"),
        ("-G", "-B", "--p", "--scale", "--param G=", "--param B=", "--param x="),
    ),
    (("simulate", *SMALL), ("--param low=", "--param high=", "--param x=")),
    (("simulate", "--trace", "trace.csv", "-G", "2", "-B", "1", "--policy", "fcfs"), ()),
    (
        ("simulate", *SMALL, "--system", "request_cost=1"),
        tuple(f"--system {key}=" for key in FIELDS),
    ),
    (
        (
            "experiment",
            "E2",
            "--seeds",
            "2",
            "--requests",
            "2400",
            "--policy",
            "jsq",
            "--jobs",
            "1",
        ),
        (),
    ),
    (("policies", "-G", "2", "-B", "1", "--rounds", "1", "--seeds", "1", "--policy", "fcfs"), ()),
    (("sweep", "sweep.toml", "--jobs", "1"), ()),
    (("assess", "trace.csv", "-G", "2", "-B", "1", "--policy", "fcfs"), ()),
    (
        ("measure", "loads.csv", "--sizes", "3", "9", "--mean-output", "5", "-B", "4"),
        ("--sizes 1",),
    ),
    (("energy", "--hardware", "a100-paper"), ()),
    (("attack", "--policy", "fcfs", "-B", "1", "-n", "2", "--size-max", "2"), ()),
    (
        ("attack", "-B", "1", "-n", "2", "--size-max", "2", "--method", "climb", "--budget", "9"),
        (),
    ),
    (("gallery", "gap-smallest"), ()),
    (("solve", "step.json", "--solver", "fast"), ()),
    (("optimum", "backlog.json"), ()),
    (("verify", "c.json"), ()),
    (("figures", "price_ladder", "--redraw", "--jobs", "1"), ()),
]


def declared(command: str) -> Iterator[str]:
    """The options of a command that take one number."""
    words = cli.get_command(click.Context(cli), command)
    assert words is not None
    for option in words.params:
        number = isinstance(option.type, click.types.IntParamType | click.types.FloatParamType)
        if (number or getattr(option.type, "func", None) is seconds) and option.nargs == 1:
            yield option.opts[0]


def tried() -> list[tuple[str, ...]]:
    """The words of all commands."""
    found = []
    for words, more in TABLE:
        for option, value in product((*declared(words[0]), *more), VALUES):
            # Threads of a run that has no work for them are not started.
            if option == "--jobs" and value.isdecimal() and words[0] != "reproduce":
                continue
            last = option.split()
            if option.endswith("="):
                last[-1] += value
            else:
                last.append(value)
            found.append((*words, *last))
    return found


def test_no_command_with_numbers_is_left_out() -> None:
    with_numbers = {command for command in COMMANDS if [*declared(command)]}
    assert with_numbers == {words[0] for words, _ in TABLE}


def held(call: Call, words: tuple[str, ...]) -> None:
    """Hold one command against the rules above."""
    began = time.process_time()
    with kept_to(MOST_BYTES):
        code, out, err = call(*words)
    about = (words, code, err)
    assert code in (0, 1, 2, 3), about
    assert code != 1 or words[0] == "check", about
    assert time.process_time() - began < MOST_S, about
    if code == 2:
        assert out == "", about
        assert err.count("\n") == (4 if err.startswith("Usage: ") else 1), about
        assert len(err) < 1000, about
    assert code != 0 or not re.search(r"\bnan\b", out), about


def prepared(call: Call) -> None:
    for name, text in FILES.items():
        Path(name).write_text(text, "utf-8")
    assert call("solve", "step.json", "--solver", "fast", "--certificate", "c.json")[0] == 0


def test_a_share_of_all_numbers(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared(call)
    monkeypatch.setattr("evenkeel.report.rendering.pictures", lambda _: {})
    for words in tried()[::41]:
        held(call, words)


@pytest.mark.slow
@pytest.mark.parametrize("command", dict.fromkeys(words[0] for words, _ in TABLE))
def test_every_number(call: Call, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    prepared(call)
    monkeypatch.setattr("evenkeel.report.rendering.pictures", lambda _: {})
    for words in tried():
        if words[0] == command:
            held(call, words)
