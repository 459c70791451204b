"""The questions that people ask first, answered from the records of a run.

Every number of an answer is read from a record, and every yes or no from a verdict, so that the
table in the report, and the one in the documentation, cannot say what the run did not find.
"""

from collections.abc import Iterable, Mapping

from evenkeel.findings.headline import Headline, Record
from evenkeel.theorems.registry import claims

HEAD = ("question", "answer of this run", "claims and verdicts")


def asked() -> list[Headline]:
    """The questions of all claims, the surprising ones first."""
    found = (entry.headline for entry in claims().values())
    return sorted(filter(None, found), key=lambda line: line.rank)


def headlines(entries: Iterable[Record]) -> list[tuple[str, str, str]]:
    """Question, answer and claims with their verdicts, where the run holds all that it needs."""
    found: Mapping[str, Record] = {entry["claim"]: entry for entry in entries}
    rows = []
    for line in asked():
        if all(label in found for label in line.labels):
            records = [found[label] for label in line.labels]
            verdicts = ", ".join(f"`{entry['claim']}` {entry['verdict']}" for entry in records)
            rows.append((line.question, line.answer(*records), verdicts))
    return rows
