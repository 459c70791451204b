"""Pictures are kept only where they would be drawn the same."""

from pathlib import Path

import pytest

from evenkeel.runs import drawn
from evenkeel.runs.drawn import Drawn
from evenkeel.runs.figures import illustrate
from paper_figures import figure as paper_figure
from paper_figures.catalogue import committed

TABLE = "theory,computed\n1,1\n"


@pytest.fixture
def noted(tmp_path: Path) -> tuple[Path, list[Path]]:
    """A folder in which a picture of the figure ``growth`` was noted."""
    pictures = [tmp_path / "growth.svg"]
    pictures[0].write_text("<svg/>")
    Drawn(tmp_path).note("growth", TABLE, pictures)
    return tmp_path, pictures


def test_the_same_picture_of_the_same_table_is_kept(noted: tuple[Path, list[Path]]) -> None:
    folder, pictures = noted
    assert Drawn(folder).holds("growth", TABLE, pictures)


def test_of_another_table_or_figure_or_kind_nothing_is_kept(
    noted: tuple[Path, list[Path]],
) -> None:
    folder, pictures = noted
    found = Drawn(folder)
    assert not found.holds("growth", TABLE + "2,2\n", pictures)
    assert not found.holds("worst_cases", TABLE, pictures)
    (folder / "growth.png").write_bytes(b"")
    assert not found.holds("growth", TABLE, [folder / "growth.png", *pictures])


@pytest.mark.parametrize("spoil", [lambda p: p.write_text("<svg></svg>"), lambda p: p.unlink()])
def test_a_picture_that_was_touched_is_drawn_again(noted, spoil) -> None:
    folder, pictures = noted
    spoil(pictures[0])
    assert not Drawn(folder).holds("growth", TABLE, pictures)


@pytest.mark.parametrize("name", ["code_digest", "version"])
def test_other_code_draws_again(noted, name, monkeypatch) -> None:
    folder, pictures = noted
    monkeypatch.setattr(drawn, name, lambda *_: "another")
    assert not Drawn(folder).holds("growth", TABLE, pictures)


def test_a_figure_of_ones_own_is_always_drawn(tmp_path: Path) -> None:
    picture = tmp_path / "own.svg"
    picture.write_text("<svg/>")
    found = Drawn(tmp_path)
    found.note("mine.py:own", TABLE, [picture])
    assert not found.holds("mine.py:own", TABLE, [picture])


@pytest.mark.parametrize("text", ["", "[]", '{"growth": 1}', "\0", "{" * 100])
def test_a_file_that_says_nothing_keeps_nothing(noted, text) -> None:
    folder, pictures = noted
    (folder / ".drawn.json").write_text(text)
    assert not Drawn(folder).holds("growth", TABLE, pictures)


def test_a_second_run_draws_nothing_and_leaves_the_same_bytes(tmp_path, monkeypatch) -> None:
    tables = [("price_ladder", committed("price_ladder"))]
    first = illustrate(tables, tmp_path, kinds=("svg",), drawn=Drawn(tmp_path))
    before = [path.read_bytes() for path in first["price_ladder"]]

    def refused(*_: object) -> None:
        raise AssertionError("drawn again")

    monkeypatch.setattr(paper_figure, "render", refused)
    again = illustrate(tables, tmp_path, kinds=("svg",), drawn=Drawn(tmp_path))
    assert again == first
    assert [path.read_bytes() for path in again["price_ladder"]] == before
    with pytest.raises(AssertionError, match="drawn again"):
        illustrate(tables, tmp_path, kinds=("svg",))
