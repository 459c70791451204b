"""The headlines come out of the run, and the documentation says what the run says."""

import re
from pathlib import Path

import pytest

from evenkeel.cli.main import cli
from evenkeel.findings.headline import Record
from evenkeel.report.headlines import HEAD, asked, headlines
from evenkeel.report.rendering import headline_table, report_markdown
from evenkeel.report.summary import by_chapter, claims_table
from evenkeel.runs.reproduce import versions
from evenkeel.theorems.balance_frontier.two_sided import ENCLOSED
from evenkeel.theorems.registry import families
from tests.oracles.found import entry_of

DOCS = Path(__file__).resolve().parents[2] / "docs"
HEADLINES = asked()
LABELS = tuple(dict.fromkeys(label for line in HEADLINES for label in line.labels))
NUMBER = re.compile(r"\d+(?:\.\d+)?")


@pytest.fixture(scope="module")
def records() -> list[Record]:
    """One record of each claim that a headline needs, as `evenkeel reproduce` makes it."""
    return [entry_of(label, versions()) for label in LABELS]


def _table_of(text: str) -> list[str]:
    """The rows of the headline table in a document."""
    lines = text.splitlines()
    start = lines.index("| " + " | ".join(HEAD) + " |") + 2
    return lines[start : lines.index("", start)]


def test_the_questions_are_answered_as_the_run_does(records: list[Record]) -> None:
    wanted = headline_table(records)
    found = _table_of((DOCS / "questions.md").read_text("utf-8"))
    assert len(found) == len(HEADLINES)
    statistical = [
        any(entry["interval"] for entry in records if entry["claim"] in line.labels)
        for line in HEADLINES
    ]
    rows = zip(wanted.splitlines()[2:], found, statistical, strict=True)
    for mine, theirs, sampled in rows:
        hint = f"put this table into docs/questions.md:\n{wanted}"
        assert NUMBER.sub("#", theirs) == NUMBER.sub("#", mine), hint
        run = [float(text) for text in NUMBER.findall(mine)]
        shown = [float(text) for text in NUMBER.findall(theirs)]
        # The last digit may differ between machines; what is sampled may move by a point.
        assert shown == pytest.approx(run, rel=1e-3, abs=1 if sampled else 0.11), hint


def test_a_page_has_the_slots_of_the_two_sided_law() -> None:
    text = (DOCS / "questions.md").read_text("utf-8")
    for it in ENCLOSED:
        row = f"| {it} | B = {it.unavoidable} | B = {it.measured} | B = {it.guaranteed} |"
        assert row in text


def test_the_report_opens_with_the_headlines(records: list[Record]) -> None:
    text = report_markdown(records, "evenkeel reproduce")
    assert headline_table(records) in text
    assert text.index("## Headlines") < text.index("## Every claim")


def test_answers_follow_the_records(records: list[Record]) -> None:
    before = dict(zip((line.question for line in HEADLINES), headlines(records), strict=True))
    other = []
    for entry in records:
        changed = dict(entry)
        if entry["claim"] == "energy.cap":
            shares = {**entry["details"]["at 40 % idle"], "envelope cap": 0.111}
            changed["details"] = {**entry["details"], "at 40 % idle": shares}
        if entry["claim"] == "step.gap-naive":
            changed["verdict"] = "certified"
        other.append(changed)
    after = {row[0]: row for row in headlines(other)}
    different = {question for question in before if before[question] != after[question]}
    touched = {"energy.cap", "step.gap-naive"}
    assert different == {line.question for line in HEADLINES if touched & set(line.labels)}
    assert "at most 11.1 % less" in after["What can 40 % idle time give?"][1]
    assert after['Is "max - min <= s_max after an optimal step" true?'][1].startswith("Yes")


def test_a_question_without_its_claims_is_left_out(records: list[Record]) -> None:
    wanted = ("energy.cap", "energy.any-power", "energy.padding")
    needed = [entry for entry in records if entry["claim"] in wanted]
    assert [row[0] for row in headlines(needed)] == ["What can 40 % idle time give?"]
    assert headlines(needed[:1]) == []
    assert headline_table([]) == ""


def test_tables_are_grouped_by_theorem(records: list[Record]) -> None:
    groups = by_chapter(records)
    assert list(groups) == [heading for heading in families().values() if heading in groups]
    assert sum(map(len, groups.values())) == len(records)
    lines = claims_table(records).splitlines()
    for heading, part in groups.items():
        at = lines.index(heading)
        assert [line.split()[0] for line in lines[at + 1 : at + 1 + len(part)]] == [
            entry["claim"] for entry in part
        ]


def test_the_tutorial_shows_what_assess_prints(capsys: pytest.CaptureFixture[str]) -> None:
    page = (DOCS / "tutorials" / "engineer.md").read_text("utf-8")
    command = "evenkeel assess -G 4 -B 8"
    assert f"`{command}`" in page
    cli.main(command.split()[1:], standalone_mode=False)
    printed = capsys.readouterr().out.strip()
    start = page.index(printed.partition(" ")[0])
    shown = page[start : page.index("```", start)].strip()
    assert NUMBER.sub("#", shown) == NUMBER.sub("#", printed)
    # The last digit may differ between machines.
    found, run = ([float(text) for text in NUMBER.findall(part)] for part in (shown, printed))
    assert found == pytest.approx(run, rel=2e-3, abs=0.11)
