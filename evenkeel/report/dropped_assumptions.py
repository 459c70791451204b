"""The table of assumptions: what becomes of each theorem when one of them is dropped."""

from collections.abc import Iterable

from adversary.witnesses.gallery import gallery
from evenkeel.findings.check import Verdict
from evenkeel.findings.headline import Record
from evenkeel.report.typeset import shortened
from evenkeel.theorems.registry import Claim, Dropped, claims

HEAD = ("theorem", "without", "answer", "decided by", "evidence")


def dropped() -> list[tuple[Claim, Dropped, Claim]]:
    """Each theorem, what is dropped of it, and the claim that decides, theorem by theorem."""
    found = claims()
    return [
        (theorem, case, decides)
        for theorem in found.values()
        for decides in found.values()
        for case in decides.drops
        if case.label == theorem.label
    ]


def dropped_rows(entries: Iterable[Record]) -> list[tuple[str, ...]]:
    """A row for each theorem and assumption whose claim was checked in this run.

    The answer is ``needed`` where a witness refutes the statement without the assumption, or
    where its failure is itself a claim that held,
    ``not needed`` where that statement is certified or better, ``none found`` where a search or
    statistics found nothing against it, and ``open`` where nothing was decided.  The evidence is
    the witness and its names in the gallery, or what was covered with which power.
    """
    stored: dict[str, list[str]] = {}
    for witness in gallery():
        if witness.claim:
            stored.setdefault(witness.claim, []).append(witness.name)
    records = {entry["claim"]: entry for entry in entries}
    rows: list[tuple[str, ...]] = []
    for theorem, case, decides in dropped():
        entry = records.get(decides.label)
        if entry is None:
            continue
        verdict = Verdict(entry["verdict"])
        if case.states_failure:
            answer, evidence = "needed" if verdict.held else "open", entry["domain"]
        elif verdict is Verdict.REFUTED:
            answer, evidence = "needed", f"witness {shortened(str(entry['witness']), 160)}"
        elif verdict.is_settled:
            answer, evidence = "not needed", entry["domain"]
        elif verdict.held:
            answer, evidence = "none found", entry["domain"]
        else:
            answer, evidence = "open", entry["domain"]
        if answer == "needed" and decides.label in stored:
            evidence += f"; in the gallery: {', '.join(stored[decides.label])}"
        if answer == "none found" and entry["power"]:
            evidence += f"; the check catches {entry['kill_rate']} false versions"
        rows.append((theorem.title, case.assumption, answer, decides.label, evidence))
    return rows
