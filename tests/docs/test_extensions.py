"""The documentation: its pages load nothing, name all that is public, and link both ways."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

import evenkeel

pytest.importorskip("sphinx")

HERE = Path(__file__).parents[2] / "docs" / "_ext"


def extension(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(HERE))
    return importlib.import_module(name)


@pytest.mark.parametrize(
    ("text", "loads"),
    [
        ('<script src="https://cdn.example/x.js"></script>', True),
        ("<link rel='stylesheet' href='//cdn.example/x.css'>", True),
        ('<link href="https://x.example/f.woff" rel="preload">', True),
        ('<img alt="a" src="http://x.example/a.png">', True),
        ('<a href="https://x.example/">a link that is followed is none</a>', False),
        ('<script src="_static/x.js"></script><link rel="stylesheet" href="x.css">', False),
        ('<link rel="canonical" href="https://x.example/">', False),
    ],
)
def test_what_a_page_loads_is_found(
    text: str, loads: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "p.html").write_text(text, "utf-8")
    assert bool(extension("offline", monkeypatch).remote(tmp_path)) == loads


def test_every_public_name_is_on_the_page_of_the_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = extension("interface", monkeypatch).PARTS
    listed = [name for names in parts.values() for name in names.split()]
    assert sorted(listed) == sorted(evenkeel.__all__)


def test_the_page_of_a_claim_links_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = extension("theory_pages", monkeypatch)
    monkeypatch.setattr(pages, "records", dict)
    below, above = pages.page("step.full-refill-gap"), pages.page("step.spare-request")
    assert "[step.full-refill-gap](step.full-refill-gap.md)" in above
    assert "[step.spare-request](step.spare-request.md)" in below
    assert "- bound x0.999" in above
    assert "step_spare_request" in above  # its theorem in Coq
