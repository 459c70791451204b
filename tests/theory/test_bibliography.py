"""Every work that is cited is in the bibliography, and every work there is cited."""

from pathlib import Path

import pytest

from evenkeel.report.claim_view import ClaimView
from evenkeel.theorems.registry import claim_of
from theory.bibliography import cited, references

ROOT = Path(__file__).parents[2]
FLOORS = ("theory", "solvers", "adversary", "paper_figures", "evenkeel", "benchmarks")


def _joined(text: str) -> str:
    """The text with the pieces of its string literals put together, and without comment marks."""
    lines = (line.strip().strip('"').removeprefix("# ") for line in text.splitlines())
    return " ".join(lines)


def _cited() -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    files = [path for floor in FLOORS for path in (ROOT / floor).rglob("*") if path.is_file()]
    for path in (*files, *(ROOT / "docs").glob("*.md"), ROOT / "README.md"):
        if path.suffix in (".py", ".md", ".v") and path.name != "bibliography.py":
            for key in cited(_joined(path.read_text("utf-8"))):
                found.setdefault(key, []).append(path)
    return found


def test_every_work_that_is_cited_is_listed_and_every_one_listed_is_cited() -> None:
    where = _cited()
    assert {key: paths for key, paths in where.items() if key not in references()} == {}
    assert set(references()) - set(where) == set()


def test_works_are_in_alphabetical_order_and_end_with_their_year() -> None:
    assert list(references()) == sorted(references())
    for key, work in references().items():
        first, year = key.split(" ")[0], key[-4:]
        assert first in work.authors
        assert year in work.where
        several = work.authors.count(", ")
        assert ("et al." in key, " and " in key) == (several > 1, several == 1)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("a bound (Graham 1966)", ["Graham 1966"]),
        (
            "(Lübbecke and Desrosiers\n    2005; Vance 1998)",
            ["Lübbecke and Desrosiers 2005", "Vance 1998"],
        ),
        ("v1 (25 January 2026), n in (1000), (see Graham 1966, page 2)", []),
        ("the paper's Theorem 1", ["Chen et al. 2026"]),
    ],
)
def test_what_is_a_citation(text: str, keys: list[str]) -> None:
    assert cited(text) == keys


def test_a_claim_shows_the_works_that_it_cites() -> None:
    assert list(ClaimView(claim_of("fcfs.slot-moments")).references) == ["Song et al. 2026"]
    shown = ClaimView(claim_of("fcfs.lower")).references
    assert list(shown) == ["Chen et al. 2026", "Berry 1941", "Esseen 1942", "Shevtsova 2011"]
    assert ClaimView(claim_of("step.waterfill")).references == {}
