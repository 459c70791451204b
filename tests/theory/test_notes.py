"""The notes on the theory name claims and files that exist."""

import re
from pathlib import Path

from evenkeel.theorems.registry import claims

ROOT = Path(__file__).parents[2]
NOTES = (ROOT / "theory" / "NOTES.md").read_text("utf-8")


def test_every_label_is_a_claim():
    labels = set(re.findall(r"\[([a-z]+\.[a-z0-9-]+)\]", NOTES))
    assert len(labels) > 10
    assert labels <= set(claims())


def test_every_file_exists():
    named = set(re.findall(r"`(theory/[\w/]+(?:\.\w+)?)`", NOTES))
    assert len(named) > 5
    assert [name for name in named if not (ROOT / name).exists()] == []
