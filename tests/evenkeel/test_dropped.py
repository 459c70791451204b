"""The table of assumptions: every row is decided by a check, and says what that check said."""

import pytest

from adversary.witnesses.gallery import gallery
from evenkeel.report.dropped_assumptions import HEAD, dropped_rows
from evenkeel.report.markdown import markdown
from evenkeel.runs.records import record
from evenkeel.theorems.dropped import DROPPED
from evenkeel.theorems.registry import checks, claim_of


def entry_of(label):
    check = checks()[label]
    trial = check.trial()
    return record(check, trial, check.run(trial), None, {})


@pytest.mark.parametrize("case", DROPPED, ids=lambda case: case.decided_by)
def test_labels_are_registered_and_decided_by_a_check(case):
    assert claim_of(case.label)
    assert case.decided_by in checks()


def test_no_case_twice():
    keys = [(case.theorem, case.assumption) for case in DROPPED]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    "label",
    sorted(
        case.decided_by
        for case in DROPPED
        if case.states_failure or not claim_of(case.decided_by).holds
    ),
)
def test_what_is_needed_has_a_stored_witness(label):
    assert label in {witness.claim for witness in gallery()}


def test_the_assumptions_of_the_notes_are_all_there():
    """At least one row for each assumption."""
    text = " ".join(case.assumption for case in DROPPED)
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
    text = markdown([{**entry_of("limits.equal-slots"), "versions": {}}], "test")
    assert "## One assumption dropped at a time" in text
    assert (
        "| Theorem 1, BF-IO side | equal numbers of slots | needed | limits.equal-slots |" in text
    )
    assert dropped_rows([]) == []
