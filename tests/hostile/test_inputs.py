"""Every file that is read, changed at every field and at random bytes: an answer, or one line.

The line names the file and says what is wrong; the exit code is 2.  Never is there a traceback, and
never more than :data:`MOST_BYTES` of memory or :data:`MOST_S` seconds of work.
"""

import gzip
import json
import os
import random
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from adversary.instances.space import Space
from adversary.worst_case.attack import Attack, stored
from evenkeel.output import plain
from evenkeel.report.rendering import report_html, report_markdown
from evenkeel.report.summary import claims_table
from evenkeel.runs.records import SCHEMA, RecordFile
from evenkeel.runs.sources import source_digest
from paper_figures.catalogue import FIGURES, committed
from tests.hostile.conftest import Call
from theory.budget import kept_to
from theory.content import printable
from theory.model import InputError

pytestmark = pytest.mark.usefixtures("in_threads")

MOST_BYTES, MOST_S = 3 * 2**29, 30

STEP = {"loads": [3, 0, 1], "free": [1, 2, 2], "pool": [4, 2]}
BACKLOG = {"workers": 2, "slots": 1, "prefill": [4, 4, 5], "decode": [3, 2, 3], "growth": 1}
RUN = {
    "claim": "iir.per-instance",
    "text": "What it shows.",
    "provenance": "by hand",
    "run": {
        "workers": 2, "slots": 1, "drift": [1], "pool": 2, "prefill": [1, 2], "decode": [2, 1],
        "arrival": [0.0, 1.0], "overhead": 1,
    },
    "expected": {"fcfs": {"steps": 2}},
}  # fmt: skip


def shown(kind: str, fields: dict[str, Any]) -> dict[str, Any]:
    """A witness of one kind."""
    about = {"claim": None, "text": "a", "provenance": "b", "expected": {"loads": [1, 2]}}
    return about | {kind: fields}


WITNESSES = {
    "run": RUN,
    "step": shown("step", STEP) | {"assignment": [1, 2]},
    "window": shown("window", {
        "workers": 2, "slots": 1, "prefill": [1, 2], "decode": [2, 1], "window": 1,
        "predicted": [2, 1],
    }),
    "round": shown("round", {"workers": 2, "slots": 1, "pool": [1, 1], "growth": [[0, 1]]}),
    "partial-admission": shown("partial-admission", STEP),
    "dispatch": shown("dispatch", {"workers": 2, "slots": 2, "size_min": 1, "size_max": 3}),
    "migration": shown("migration", {"workers": [[[1, 0]], [[1, 1]]]}),
    "departure": shown("departure", {
        "rows": [[1], [1]], "growth": [[0], [1]], "gone": [[0], [0]], "slots": [1, 1],
        "sizes": [1, 1], "p": [1, 2],
    }),
    "long-run": shown("long-run", {
        "workers": 2, "slots": 2, "p": [1, 5], "sizes": [1, 2], "constant": [1, 2],
    }),
    "rare-size": shown("rare-size", {
        "workers": 4, "slots": 4, "p": [1, 5], "width": 1, "largest": 9,
        "rarity": [1, 10**9], "pool": 9, "step": 9, "lattice": 2,
    }),
}  # fmt: skip
SWEEP = """
name = "small"
rounds = 1
seeds = 2
[grid]
family = ["uniform"]
workers = [2]
slots = [1]
policy = ["fcfs"]
pool = [2]
overhead_s = [0.5]
hardware = ["a100-paper"]
[parameters]
b = [50]
"""
DEVICE = """
[mine]
p_idle_w = 100
p_wait_w = 200.5
p_max_w = 400
gamma = 0.7
source = "a"
note = "b"
wait_source = "c"
"""
CERTIFICATE = {
    "format": "evenkeel certificate 1", "kind": "step", **STEP, "assignment": [1, 2],
    "imbalance": 3, "bound": 0, "argument": ["levels", [0, 1, 2], [], [0]],
}  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A file that some command reads.

    Parameters
    ----------
    file : str
        Its name.
    text : str
        What it holds where all is well.
    words : tuple of str
        The command, which then ends with one of the ``codes``.
    """

    file: str
    text: str
    words: tuple[str, ...]
    codes: tuple[int, ...] = (0, 1, 3)
    fast: bool = field(default=True)


KINDS = {
    "step": Kind("f.json", json.dumps(STEP), ("solve", "f.json", "--solver", "fast")),
    "backlog": Kind("f.json", json.dumps(BACKLOG), ("optimum", "f.json", "--time-limit", "2")),
    "device": Kind("f.toml", DEVICE, ("energy", "--hardware", "f.toml", "--idle-share", "0.4")),
    "certificate": Kind("f.json", json.dumps(CERTIFICATE), ("verify", "f.json"), fast=False),
    "sweep": Kind("f.toml", SWEEP, ("sweep", "f.toml", "--out", "cells", "--jobs", "1")),
    **{
        f"witness {name}": Kind(
            "shelf/f.json", json.dumps(whole), ("gallery", "--gallery", "shelf")
        )
        for name, whole in WITNESSES.items()
    },
}

RECORD = {
    "schema": SCHEMA, "claim": "step.full-refill-gap", "measures": "gap", "budget": "smoke",
    "seed": 0, "params": {"G": 3}, "verdict": "supported", "computed": "1/2", "relation": "<=",
    "claimed": 1, "margin": 0.5, "interval": [0.1, 0.9], "domain": "all", "witness": {"at": 0},
    "details": {"intervals": 2}, "kill_rate": "1/1", "power": {"a": True},
    "smallest_factor": "11/10", "versions": {"python": "3"},
}  # fmt: skip

# The name of a change, and what makes the changed file: most of them no test asks for.
Mutant = tuple[str, Callable[[], bytes]]

# In the place of a value: other types, and numbers and texts that are too much.
INSTEAD: dict[str, Any] = {
    "null": None, "true": True, "text": "x", "no text": "", "object": {}, "list": [],
    "nested": [[1]],
    "minus": -1, "zero": 0, "part": 0.5, "large": 10**9, "int32": 2**31, "int64": 2**63,
    "huge": 10**400, "deep": None, "digits": None, "long": "x" * 10**6, "nul": "\0", "nan": None,
    "inf": None, "path": "../../x", "module": "os:system", "escape": "\x1b[31m",
}  # fmt: skip
RAW = {"deep": "[" * 200 + "]" * 200, "digits": "9" * 5000, "nan": "NaN", "inf": "1e999"}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to all values within a value."""
    if path:
        yield path
    keys: Any = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for key in keys:
        yield from places(value[key], (*path, key))


def changed(text: str, path: tuple[Any, ...], change: str) -> bytes:
    """A file whose value at a path is another, is gone, or has another name."""
    whole = inner = json.loads(text)
    *above, key = path
    for each in above:
        inner = inner[each]
    if change == "gone":
        del inner[key]
    elif change == "renamed":
        inner[key + "?"] = inner.pop(key)
    else:
        inner[key] = "RAW" if change in RAW else INSTEAD[change]
    return json.dumps(whole).replace('"RAW"', RAW.get(change, "")).encode()


def json_mutants(text: str) -> Iterator[Mutant]:
    """Each change of one field."""
    for path in places(json.loads(text)):
        for change in (*INSTEAD, "gone", *["renamed"] * isinstance(path[-1], str)):
            yield f"{path} {change}", partial(changed, text, path, change)


def toml_mutants(text: str) -> Iterator[Mutant]:
    """Each change of one line."""
    lines = text.splitlines()
    others = ["true", '"x"', "-1", "0", "0.5", "nan", "inf", "1e999", f"{10**9}", f"{2**63}",
              "9" * 5000, "[" * 200 + "]" * 200, "{}", "[]", "[[1]]", "[-1]", f"[{10**9}]",
              f"[{2**63}]", "[nan]", "[1, 2.5]", '["x"]', '["os:system"]', '["../x"]',
              '"\\u001b[1m"',
              "1979-05-27", '["\\u0000"]', "[true]", "=", ""]  # fmt: skip
    for number, line in enumerate(lines):
        key, equals, _ = line.partition(" = ")
        if not equals:
            continue
        changes = {f"{key} {other[:20]}": [f"{key} = {other}"] for other in others}
        changes |= {
            f"{key} gone": [],
            f"{key} twice": [line] * 2,
            f"{key} long": ["x" * 10**5, line],
        }
        for name, instead in changes.items():
            yield name, partial(joined, [*lines[:number], *instead, *lines[number + 1 :]])
    yield "dotted", partial(joined, ["a." * 30_000 + "a = 1"])
    yield "a dotted table", partial(joined, ["[" + "a." * 30_000 + "a]"])


def joined(lines: list[str]) -> bytes:
    """A file of these lines."""
    return "\n".join(lines).encode()


@cache
def bomb(byte: bytes) -> bytes:
    """A small file that unpacks to a large one."""
    return gzip.compress(byte * 2**25)


def bytes_mutants(text: str, seed: int) -> Iterator[tuple[str, bytes]]:
    """Wrong encodings, and changes of single bytes."""
    plain = text.encode()
    yield "utf-16", text.encode("utf-16")
    yield "utf-16-le", text.encode("utf-16-le")
    yield "utf-8 with a mark", b"\xef\xbb\xbf" + plain
    yield "latin-1", plain[:-1] + b"\xff" + plain[-1:]
    yield "empty", b""
    yield "zeros", bytes(100)
    yield "gzip", gzip.compress(plain)
    yield "half of gzip", gzip.compress(plain)[:-9]
    yield "a bomb", bomb(b"\0")
    yield "a bomb of spaces", bomb(b" ")
    yield "deep", b"[" * 10**5
    yield "deep objects", b'{"a":' * 10**5
    yield "wide", b"[" + b"[]," * 10**5 + b"1]"
    rng = random.Random(seed)
    for count in range(60):
        body = bytearray(plain)
        for _ in range(rng.randint(1, 3)):
            body[rng.randrange(len(body))] = rng.choice(
                (rng.randrange(256), *b'{}[],:"-0123456789.eE \n#=\\')
            )
        yield f"bytes {count}", bytes(body)
        cut = sorted(rng.sample(range(len(plain) + 1), 2))
        yield f"cut {count}", plain[: cut[0]] + plain[cut[1] :]


def mutants(file: str, text: str, seed: int) -> list[Mutant]:
    """All changes of a file."""
    fields = toml_mutants if file.endswith(".toml") else json_mutants
    others = ((about, partial(bytes, body)) for about, body in bytes_mutants(text, seed))
    return [*fields(text), *others]


def held(call: Call, kind: Kind, name: str, body: bytes) -> None:
    """Hold one file against the rules above."""
    path = Path(kind.file)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(body)
    began = time.process_time()
    with kept_to(MOST_BYTES):
        code, _, err = call(*kind.words)
    assert time.process_time() - began < MOST_S, name
    assert code in (2, *kind.codes), (name, code, err)
    if code == 2:
        assert err.startswith(f"error: {kind.file}: "), (name, err)
        assert err.count("\n") == 1, (name, err)
        assert len(err) < 2100, name
        assert printable(err[:-1], len(err)) == err[:-1], (name, err)


@pytest.mark.parametrize("name", KINDS)
def test_the_files_themselves_are_accepted(call: Call, name: str) -> None:
    kind = KINDS[name]
    Path("shelf").mkdir()
    Path(kind.file).write_text(kind.text, "utf-8")
    code, _, err = call(*kind.words)
    assert code in kind.codes, err


def share(name: str, every: int) -> list[tuple[str, bytes]]:
    """One in so many of the changes, at a start of its own."""
    kind = KINDS[name]
    found = mutants(kind.file, kind.text, seed=len(name))
    return [(about, make()) for about, make in found[len(name) % every :: every]]


@pytest.mark.parametrize("name", KINDS)
def test_a_share_of_all_changes(call: Call, name: str) -> None:
    for about, body in share(name, 23 if KINDS[name].fast else 200):
        held(call, KINDS[name], about, body)


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_every_change(call: Call, name: str) -> None:
    for about, body in share(name, 1 if KINDS[name].fast else 8):
        held(call, KINDS[name], about, body)


@pytest.mark.parametrize("name", KINDS)
def test_what_is_no_file(call: Call, name: str) -> None:
    kind = KINDS[name]
    path = Path(kind.file)
    path.parent.mkdir(exist_ok=True)
    for make in (
        lambda: os.mkfifo(path),
        path.mkdir,
        lambda: path.symlink_to("/dev/zero"),
        lambda: path.symlink_to("nowhere"),
        lambda: path.symlink_to(path.name),
    ):
        make()
        code, out, err = call(*kind.words)
        assert (code, out) == (2, ""), err
        assert err.startswith(f"error: {kind.file}: ")
        path.rmdir() if path.is_dir() else path.unlink()


def resumed(path: Path, body: bytes) -> None:
    """Take a record from a file as a run that goes on does, and report it."""
    path.write_bytes(body + b"\n" + json.dumps(RECORD).encode() + b"\n")
    try:
        entries = list(RecordFile(path, resume=True).entries.values())
        report_markdown(entries, "evenkeel")
        report_html(entries, "evenkeel", figures={})
        claims_table(entries)
    except InputError as error:
        says = str(error)
        assert says.startswith(f"{path}") or "claim" in says, says
        assert len(says.splitlines()) == 1, says


def test_a_share_of_changed_records(tmp_path: Path) -> None:
    for name, make in mutants("records.jsonl", json.dumps(RECORD), seed=1)[::97]:
        try:
            resumed(tmp_path / "records.jsonl", make())
        except Exception as error:
            raise AssertionError(name) from error


@pytest.mark.slow
def test_every_changed_record(tmp_path: Path) -> None:
    for name, make in mutants("records.jsonl", json.dumps(RECORD), seed=2):
        try:
            resumed(tmp_path / "records.jsonl", make())
        except Exception as error:
            raise AssertionError(name) from error


def table_mutants(text: str, seed: int) -> Iterator[tuple[str, bytes]]:
    """Changes of the cells, the columns and the bytes of a figure's table."""
    rng = random.Random(seed)
    lines = [line.split(",") for line in text.splitlines()]
    for other in ("", "x", "nan", "inf", "-1", "0", "1e999", "9" * 5000, "x" * 10**5, "1e300"):
        row, column = rng.randrange(1, len(lines)), rng.randrange(len(lines[0]))
        made = [list(line) for line in lines]
        made[row][column] = other
        yield f"cell {row} {column} {other[:9]}", "\n".join(map(",".join, made)).encode()
    yield "no rows", ",".join(lines[0]).encode()
    yield "one row", "\n".join(map(",".join, lines[:2])).encode()
    yield "a column gone", "\n".join(",".join(line[1:]) for line in lines).encode()
    yield from list(bytes_mutants(text[:2000], seed))[::7]


def redrawn(path: Path, name: str, body: bytes) -> None:
    """Draw a table, or refuse it in a line that names it."""
    path.write_bytes(body)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            FIGURES[name].draw(path, path.parent / "out")
        except InputError as error:
            says = str(error)
            assert "table" in says or says.startswith(f"{path}"), says


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_changed_tables_of_figures(tmp_path: Path, name: str) -> None:
    for about, body in table_mutants(committed(name), len(name)):
        try:
            redrawn(tmp_path / f"{name}.csv", name, body)
        except Exception as error:
            raise AssertionError(about) from error


def test_a_changed_table_of_a_figure(tmp_path: Path) -> None:
    name = next(iter(FIGURES))
    for _, body in list(table_mutants(committed(name), 3))[::6]:
        redrawn(tmp_path / f"{name}.csv", name, body)


@pytest.mark.parametrize("name", ["energy_saving", "needed_idle"])
def test_a_table_of_a_figure_runs_no_code_that_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("named.py").write_text("raise SystemExit('was run')", "utf-8")
    head, *rows = committed(name).splitlines()
    at = head.split(",").index("device")
    cells = [row.split(",") for row in rows]
    text = "\n".join([head, *(",".join((*c[:at], "named:x", *c[at + 1 :])) for c in cells)])
    path = tmp_path / "table.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match=r"cannot be drawn as \w+ \(KeyError: 'named:x'\)"):
        FIGURES[name].draw(path, tmp_path)


UNFINISHED = ("attack", "--policy", "fcfs", "-B", "1", "-n", "3", "--size-max", "3", "--name", "x")


def test_a_changed_attack_gives_the_true_maximum(call: Call) -> None:
    """What an attack was at is taken up where it fits, and never where it does not."""
    folder = Path("out/gallery")
    folder.mkdir(parents=True)
    attack = Attack(Space(2, 1, 3, 3), "fcfs")
    code = source_digest("fcfs")
    first = next(attack.portions())
    whole = plain(stored(attack, replace(first, cursor=(1, 1, 1)), code))
    found = [*json_mutants(json.dumps(whole)), ("as it was", json.dumps(whole).encode)]
    for name, make in found[::37]:
        (folder / ".x.attack").write_bytes(make())
        status, out, _ = call(*UNFINISHED, "--json")
        # Sizes 1 and 3 side by side leave 2, then 3 beside an empty worker leaves 3: in two steps.
        assert (status, json.loads(out)["value"]) == (0, "5/2"), name
