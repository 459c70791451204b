"""The walk from a fleet's own logs to a verdict runs as it is written, and prints what it shows."""

import re
import runpy
import sys
from pathlib import Path

import pytest

from evenkeel.cli.main import main

ROOT = Path(__file__).parents[2]
WALK = ROOT / "examples" / "measured_fleet"
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")


def blocks(text: str) -> list[tuple[str, str]]:
    """The fenced blocks of a page: their kind and content."""
    return re.findall(r"```(\w+)\n(.*?)```", text, re.DOTALL)


def shown_in(shown: str, printed: str) -> bool:
    """Whether a text is part of what was printed, up to the last digits of its numbers."""
    form, whole = (NUMBER.sub("#", text) for text in (shown.strip(), printed))
    if form not in whole:
        return False
    begin = whole.index(form)
    before = whole[:begin].count("#")
    numbers = [float(text) for text in NUMBER.findall(shown.strip())]
    found = [float(text) for text in NUMBER.findall(printed)][before : before + len(numbers)]
    return numbers == pytest.approx(found, rel=5e-3, abs=0.11)


def test_the_walk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    printed, all_printed = "", ""
    for kind, text in blocks((WALK / "README.md").read_text("utf-8")):
        if kind == "text":
            device = Path("fleet.toml").read_text("utf-8") if text.startswith("[") else ""
            assert shown_in(text, device or printed), text
            continue
        (line,) = text.splitlines()
        tool, *words = line.split()
        if tool == "python":
            runpy.run_path(str(WALK / words[0]))
            continue
        monkeypatch.setattr(sys, "argv", [tool, *words])
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code == 0
        printed = capsys.readouterr().out
        all_printed += printed
    assert Path("loads.png").is_file()
    tutorial = (ROOT / "docs" / "tutorials" / "engineer.md").read_text("utf-8")
    # The tutorial opens with the answers of this walk.
    for kind, text in blocks(tutorial.partition("## With logs")[2])[:2]:
        if kind == "text":
            for part in text.strip().split("\n...\n"):
                assert shown_in(part, all_printed), part
