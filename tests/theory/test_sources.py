"""Every row of the paper is answered by registered claims, and back."""

import pytest

from evenkeel.theorems.paper_index import ROWS, Row
from evenkeel.theorems.registry import claims


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_is_answered_by_claims(row: Row) -> None:
    assert row.labels
    assert [label for label in row.labels if label not in claims()] == []
    assert len(set(row.labels)) == len(row.labels)


def test_the_rows_are_all_there() -> None:
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
    theorems = [f"T{n}" for n in range(1, 5)]
    experiments = [f"E{n}" for n in range(1, 6)]
    assumptions = [f"A{n}" for n in range(1, 5)]
    facts = [f"fact {n}" for n in range(1, 10)]
    assert set(theorems + experiments + assumptions + facts) <= set(names)


def test_every_statement_of_a_paper_is_in_a_row() -> None:
    # What evenkeel adds of its own is in no row; what a paper says is.
    of_papers = {
        label
        for label, claim in claims().items()
        if claim.source.startswith(("paper", "BalanceRoute")) and claim.version != "ours"
    }
    named = {label for row in ROWS for label in row.labels}
    assert of_papers - named == set()


def test_claims_of_our_own_say_so() -> None:
    for label, claim in claims().items():
        assert claim.version in ("v1", "v2", "v1, v2", "ours"), label
        if claim.source == "evenkeel":
            assert claim.version == "ours", label
