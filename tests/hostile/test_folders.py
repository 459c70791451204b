"""Folders of runs: one writer at a time, any name, a full disk, what a killed process left."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars
import pytest

from evenkeel.runs.lock import only_writer
from tests.hostile.conftest import Call
from theory import files
from theory.files import written_whole
from theory.model import InputError

SWEEP = 'rounds = 1\nseeds = 2\n[grid]\nfamily = ["uniform"]\nworkers = [2]\nslots = [1]\n'


pytestmark = pytest.mark.usefixtures("in_threads")


def test_the_second_writer_is_refused_by_name(call: Call) -> None:
    Path("s.toml").write_text(SWEEP)
    commands = {
        "out": [
            ("sweep", "s.toml", "--out", "out"),
            ("experiment", "E2", "--seeds", "2", "--requests", "2400", "--out", "out"),
            ("figures", "price_ladder", "--redraw", "--out", "out"),
            ("reproduce", "--claims", "scaling.iir-slots", "--out", "out"),
        ],
        "out/a": [("attack", "--policy", "fcfs", "--gallery", "out", "--name", "a")],
    }
    for place, some in commands.items():
        for words in some:
            with only_writer(Path("out"), "a" if place == "out/a" else ""):
                for _ in range(2):  # a refusal takes the lock from nobody
                    code, out, err = call(*words)
                    assert (code, out) == (2, "")
                    assert f"{place}: another evenkeel (process {os.getpid()}) writes" in err
    assert os.listdir("out") == []
    assert call(*commands["out"][0])[0] == 0


def test_a_lock_ends_with_its_owner(tmp_path: Path) -> None:
    (tmp_path / ".evenkeel.lock").write_text("1\n")  # a process that is there, and holds nothing
    with only_writer(tmp_path):
        assert int((tmp_path / ".evenkeel.lock").read_text()) == os.getpid()
        with pytest.raises(InputError, match="another evenkeel"), only_writer(tmp_path):
            pass
    with pytest.raises(ZeroDivisionError), only_writer(tmp_path):
        raise ZeroDivisionError
    with only_writer(tmp_path):
        pass
    assert os.listdir(tmp_path) == []


def test_what_killed_processes_were_writing_is_removed(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    stale = f".{files._HOST}-{ended.pid}-0123abcd.part"
    others = [
        f".{files._HOST}-{os.getppid()}-0123abcd.part",  # of a process that goes on
        f".ffffffff-{ended.pid}-0123abcd.part",  # of another host
        f"{files._HOST}-{ended.pid}-0123abcd.part",
        "notes.part",
    ]
    for name in (stale, *others):
        (tmp_path / name).touch()
    with written_whole(tmp_path / "a.txt") as scratch:
        scratch.write_text("whole")
    assert sorted(os.listdir(tmp_path)) == sorted([*others, "a.txt"])


@pytest.mark.parametrize("name", ["runs[1]", "r*", "läufe 1", "a'b\"c", "?", "{x}", "-"])
def test_a_name_is_taken_literally(call: Call, name: str) -> None:
    Path("s.toml").write_text(SWEEP)
    Path("runs1").mkdir()
    Path("runs1/x.parquet").write_text("no cell")
    told = []
    for _ in range(2):
        code, out, err = call("sweep", "s.toml", f"--out={name}", "--json")
        assert code == 0, err
        told.append(json.loads(out))
    assert told[0] == told[1]
    assert len(os.listdir(name)) == 2


@contextmanager
def full_disk() -> Iterator[None]:
    """No file may be longer than 100 bytes, which the system says as it says of a full disk."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def contents(folder: str) -> dict[str, bytes]:
    """All files of a folder, but for the times."""
    return {
        path.name: path.read_bytes()
        for path in sorted(Path(folder).iterdir())
        if path.is_file() and path.name != "timings.jsonl"
    }


def test_a_full_disk_is_one_line_and_the_run_goes_on_later(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evenkeel.report.rendering.pictures", lambda _: {})
    monkeypatch.setattr("evenkeel.report.rendering.report_html", lambda *_, **__: "")
    monkeypatch.setattr("paper_figures.catalogue.FIGURES", {})
    Path("s.toml").write_text(SWEEP)
    commands = {
        "o": ("sweep", "s.toml", "--out", "o"),
        "r": ("reproduce", "--claims", "energy.cap", "--out", "r", "--resume"),
        "g": ("attack", "--policy", "fcfs", "-B", "1", "-n", "2", "--gallery", "g"),
        "x": ("simulate", "-G", "2", "-B", "1", "-n", "9", "--requests-out", "x/a.parquet"),
    }
    for folder, words in commands.items():
        assert call(*words)[0] == 0
        whole = contents(folder)
        for path in Path(folder).iterdir():
            if path.is_file():
                path.unlink()
        with full_disk():
            code, _, err = call(*words)
        assert (code, len(err.splitlines())) == (4, 1)
        assert "allow larger files (ulimit -f) and give the same command again" in err
        assert not list(Path(folder).glob(".*.part"))
        assert not list(Path(folder).glob(".*.lock"))
        assert call(*words)[0] == 0
        assert contents(folder) == whole


def test_a_cell_that_is_cut_short_is_run_again(call: Call) -> None:
    Path("s.toml").write_text(SWEEP)
    sweep = ("sweep", "s.toml", "--out", "o")
    assert call(*sweep)[0] == 0
    cells = sorted(Path("o").iterdir())
    whole = [cell.read_bytes() for cell in cells]
    for content in (b"", b"\0" * 4096, whole[0][:4], whole[0][:1000], whole[0][:-1]):
        cells[0].write_bytes(content)
        assert call(*sweep)[0] == 0
        assert [cell.read_bytes() for cell in cells] == whole
    cells[0].write_bytes(b"notes of somebody")
    assert call(*sweep)[0] == 2
    assert polars.read_parquet(cells[1]).height == 1
