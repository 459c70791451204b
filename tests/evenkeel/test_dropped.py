"""The table of assumptions: every row is decided by a check, and says what that check said."""

import pytest

from adversary.witnesses.gallery import gallery
from evenkeel.report.dropped_assumptions import HEAD, dropped, dropped_rows
from evenkeel.report.rendering import report_markdown
from evenkeel.theorems.registry import claims
from tests.oracles.found import entry_of

DROPPED = dropped()


def test_the_theorems_are_registered():
    named = [case for entry in claims().values() for case in entry.drops]
    assert len(named) == len(DROPPED)
    assert all(decides.check for _, _, decides in DROPPED)


def test_no_case_twice():
    keys = [(theorem.label, case.assumption) for theorem, case, _ in DROPPED]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    "label",
    sorted(
        decides.label for _, case, decides in DROPPED if case.states_failure or not decides.holds
    ),
)
def test_what_is_needed_has_a_stored_witness(label):
    assert label in {witness.claim for witness in gallery()}


def test_the_assumptions_of_the_notes_are_all_there():
    """At least one row for each assumption."""
    text = " ".join(case.assumption for _, case, _ in DROPPED)
    for word in (
        "overloaded pool",
        "pool condition",
        "work conservation",
        "stickiness",
        "bounded sizes",
        "common drift",
        "non-negative drift",
        "tie-breaks",
        "immediate dispatch",
        "numbers of slots",
        "look-ahead",
        "predictions",
    ):
        assert word in text


@pytest.mark.parametrize(
    ("label", "answer"),
    [
        ("limits.overloaded", "needed"),
        ("limits.nonnegative-drift", "not needed"),
        ("limits.iid", "not needed"),
        ("limits.myopic", "not needed"),
        # As long as nothing is proved, a search that found nothing says no more than that.
        ("limits.iid", "none found"),
        ("limits.myopic", "none found"),
    ],
)
def test_answers_follow_the_verdicts(label, answer):
    entry = entry_of(label)
    if answer == "none found":
        entry = {**entry, "verdict": "attacked"}
    [row] = dropped_rows([entry])
    assert len(row) == len(HEAD)
    assert row[2:4] == (answer, label)
    if answer == "needed":
        assert "witness" in row[4]
        assert "in the gallery: limits-" in row[4]
    if answer == "none found":
        assert "found the bound attained" in row[4]
        assert "95 %" in row[4]
    undecided = {**entry, "verdict": "inconclusive"}
    assert dropped_rows([undecided])[0][2] == "open"


def test_a_claim_that_states_the_failure_shows_the_need():
    entry = entry_of("universal.nonmonotone")
    assert entry["verdict"] in ("machine-checked", "proved", "argued", "certified")
    assert dropped_rows([entry])[0][2] == "needed"
    assert dropped_rows([{**entry, "verdict": "refuted"}])[0][2] == "open"


def test_the_table_is_in_the_report():
    text = report_markdown([{**entry_of("limits.equal-slots"), "versions": {}}], "test")
    assert "## One assumption dropped at a time" in text
    assert (
        "| BF-IO side of Theorem 1 | equal numbers of slots | needed | limits.equal-slots |" in text
    )
    assert dropped_rows([]) == []
