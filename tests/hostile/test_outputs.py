"""Outputs replace regular files alone, through links, and leave what else there is as it is."""

import json
import os
import stat
from pathlib import Path

import click
import pytest

from evenkeel.cli.main import COMMANDS, cli
from evenkeel.output import OutputFile
from tests.hostile.conftest import Call
from theory.files import written_whole
from theory.model import InputError

STEP = json.dumps({"loads": [3, 0, 1], "free": [1, 2, 2], "pool": [4, 2]})


def solved(call: Call, place: str) -> tuple[int, str]:
    """What ``solve`` says when its certificate is to go there."""
    Path("step.json").write_text(STEP, "utf-8")
    code, _, err = call("solve", "step.json", "--solver", "fast", "--certificate", place)
    return code, err


@pytest.mark.parametrize("device", ["/dev/full", "/dev/null", "/dev/zero"])
def test_a_device_stays(call: Call, device: str) -> None:
    if not Path(device).is_char_device():
        pytest.skip(f"no {device} here")
    code, err = solved(call, device)
    assert code == 2
    assert err == f"error: cannot write {device}: is a device or a pipe; name a regular file\n"
    assert stat.S_ISCHR(os.stat(device).st_mode)


def test_a_pipe_and_a_folder_stay(call: Call) -> None:
    os.mkfifo("pipe")
    code, err = solved(call, "pipe")
    assert (code, "is a device or a pipe" in err) == (2, True)
    assert stat.S_ISFIFO(os.stat("pipe").st_mode)
    Path("folder").mkdir()
    code, err = solved(call, "folder")
    assert (code, "is a directory" in err) == (2, True)


def test_standard_output_is_not_replaced(tmp_path: Path) -> None:
    # A file that the shell opened as standard output is still written to by others.
    path = tmp_path / "out.txt"
    with path.open("w") as file:
        kept = os.dup(1)
        os.dup2(file.fileno(), 1)
        try:
            with (
                pytest.raises(InputError, match="standard input or output goes there"),
                written_whole(path),
            ):
                pass
        finally:
            os.dup2(kept, 1)
            os.close(kept)


def test_a_link_stays_and_what_it_leads_to_is_written(call: Call) -> None:
    Path("far").mkdir()
    Path("far/c.json").write_text("old", "utf-8")
    Path("far/c.json").chmod(0o640)
    for link, target in (("link", "far/c.json"), ("chain", "link"), ("dangling", "far/new.json")):
        os.symlink(target, link)
        code, err = solved(call, link)
        assert (code, err) == (0, "")
        assert Path(link).is_symlink()
        assert json.loads(Path(link).read_text("utf-8"))["kind"] == "step"
    assert stat.S_IMODE(os.stat("far/c.json").st_mode) == 0o640
    assert sorted(os.listdir("far")) == ["c.json", "new.json"]
    os.symlink("loop", "loop")
    code, err = solved(call, "loop")
    assert (code, err.startswith("error: cannot write loop: ")) == (2, True)


def test_the_longest_name_and_one_with_a_nul(call: Call) -> None:
    assert solved(call, "n" * 250 + ".json") == (0, "")
    code, err = solved(call, "n" * 251 + ".json")
    assert (code, err.startswith("error: cannot write ")) == (2, True)
    with pytest.raises(InputError, match="a name has no NUL"), written_whole(Path("a\0b")):
        pass


def test_what_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("old", "utf-8")

    def fail() -> None:
        with written_whole(path) as scratch:
            scratch.write_text("half", "utf-8")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [p.name for p in tmp_path.iterdir()] == ["rows.csv"]
    assert path.read_text("utf-8") == "old"


def outputs() -> list[tuple[str, str]]:
    """Every option of a command that names a file, where none need be."""
    return [
        (name, option.opts[0])
        for name in COMMANDS
        for option in (cli.get_command(click.Context(cli), name) or cli).params
        if isinstance(option.type, OutputFile)
    ]


def test_a_file_to_write_is_looked_at_before_the_work(call: Call) -> None:
    found = outputs()
    assert {name for name, _ in found} == {
        "attack", "check", "explore", "measure", "optimum", "simulate", "solve"
    }  # fmt: skip
    for name, option in found:
        # Without what they work on: it is not asked for before.
        code, out, err = call(name, option, "/dev/null")
        assert (code, out) == (2, "")
        assert err == "error: cannot write /dev/null: is a device or a pipe; name a regular file\n"
    assert os.listdir() == []
