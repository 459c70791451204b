"""The claims as a LaTeX document: one of them, or all as a companion to print beside the paper."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from evenkeel.findings.check import Verdict
from evenkeel.findings.headline import Record
from evenkeel.findings.verdicts import rung
from evenkeel.report import headlines, summary
from evenkeel.report.claim_view import ClaimView
from evenkeel.report.prose import prose
from evenkeel.report.rendering import render
from evenkeel.report.typeset import escape_latex
from evenkeel.theorems.paper_index import ROWS
from evenkeel.theorems.registry import Claim, chapters, families
from paper_figures.catalogue import FIGURES
from paper_figures.figure import PaperFigure
from theory.bibliography import references
from theory.notation import EVERYWHERE, IN_FAMILY

_LABEL = re.compile(r"\b[a-z0-9]+\.[a-z0-9-]*[a-z0-9]\b")

# Each verdict: what it takes, and what is left to trust.
GRADES = {
    Verdict.MACHINE_CHECKED: (
        "Coq has checked a theorem of the whole statement",
        "that the theorem says what the statement says (both are printed), and Coq",
    ),
    Verdict.PROVED: (
        "every essential step is decided by sympy or by exact computation, and the last one is the "
        "claim's own formula",
        "that the steps lead where they say, and sympy",
    ),
    Verdict.ARGUED: (
        "an essential step is an argument in words; the steps of each kind are counted",
        "that argument",
    ),
    Verdict.CERTIFIED: (
        "exact arithmetic over a finite domain that is stated",
        "nothing is said beyond the domain",
    ),
    Verdict.ATTACKED: (
        "a search whose power was measured on planted faults found nothing",
        "that the search would have found a fault",
    ),
    Verdict.SUPPORTED: ("statistics, with an interval of at least 95 %", "chance"),
    Verdict.INCONCLUSIVE: ("the evidence decides nothing", ""),
    Verdict.REFUTED: ("there is a witness, which the records hold", "nothing: it can be replayed"),
    Verdict.NOT_APPLICABLE: ("an assumption does not hold for what was run; never a pass", ""),
    Verdict.NOT_CHECKED: ("there is no check", ""),
}
ABOUT_GRADES = (
    "Each claim has a check, which decides in integers, fractions or enclosures; a float has a "
    "stated error or an interval. A proof lifts the verdict of a check that found nothing. Each "
    "check must also catch false versions of its own claim: the claimed side off by a factor, the "
    "nearest within 1.25, and the mistakes that one would make. A statement that is held to be "
    "false is registered as such, with its disproof, and its verdict should be refuted."
)


def claim_latex(claim: Claim) -> str:
    """The claim as a LaTeX document."""
    return _document({claim.family: (claim,)}, whole=False)


def companion_latex(records: Iterable[Record] = (), run: Path | None = None) -> str:
    """All claims as one LaTeX document, with notation, figures, literature and an index of labels.

    Parameters
    ----------
    records : iterable of Record
        What a run of ``evenkeel reproduce`` found.
    run : Path, optional
        Its folder; the figures drawn in it are set in, by a path from where LaTeX runs.
    """
    parts = chapters()
    found = {entry["claim"]: entry for entry in records}
    folder = run / "figures" if run else None
    shown = [figure for figure in FIGURES.values() if folder and _drawn(figure, folder)]
    drawn: dict[str, list[str]] = {}
    for figure in shown:
        for label in dict.fromkeys(_LABEL.findall(figure.doc)):
            drawn.setdefault(label, []).append(figure.name)
    names = dict(zip(parts, families(), strict=True))
    labels = [claim.label for members in parts.values() for claim in members]
    used: dict[str, list[str]] = {}
    for members in parts.values():
        for claim in members:
            for label in claim.requires:
                used.setdefault(label, []).append(claim.label)
    entries = [found[label] for label in labels if label in found]
    return _document(
        parts,
        whole=True,
        records=found,
        used=used,
        drawn=drawn,
        folder=folder.as_posix() if folder else "",
        pictures={
            heading: [figure for figure in shown if figure.family == name]
            for heading, name in names.items()
        },
        version=version("evenkeel"),
        counted=f"{len(labels)} claims",
        abstract=_abstract(entries, run),
        questions=headlines.headlines(entries),
        about_grades=ABOUT_GRADES,
        grades=_grades(parts, entries),
        paper=[(row.name, row.text, ", ".join(row.labels)) for row in ROWS],
        notation=_notation({claim.family for members in parts.values() for claim in members}),
        works=references(),
        index=sorted(labels),
    )


def _document(parts: Mapping[str, Sequence[Claim]], *, whole: bool, **values: object) -> str:
    labels = {claim.label for members in parts.values() for claim in members} if whole else set()
    nothing: dict[str, object] = {"records": {}, "used": {}, "drawn": {}, "folder": ""}
    return render(
        "claims.tex",
        parts=parts,
        whole=whole,
        view_of=ClaimView,
        row=summary.row,
        steps_text=summary.steps_text,
        power_text=summary.power_text,
        slug=slug,
        linked=lambda text: _linked(text, labels),
        **nothing | values,
    )


def slug(key: str) -> str:
    """The key of a work as a label of LaTeX: ``Dell'Amico 1995`` is ``Dell-Amico-1995``."""
    return re.sub(r"[^A-Za-z0-9]+", "-", key)


def _linked(text: str, labels: set[str]) -> str:
    """Running text in LaTeX, in which labels lead to their claims and citations to their works."""
    known = labels or _everything()

    def claim(match: re.Match[str]) -> str:
        label = match[0]
        if label not in known:
            return label
        shown = re.sub(r"([.-])", r"\1\\allowbreak{}", label)
        return rf"\see{{{label}}}{{{shown}}}" if labels else rf"\texttt{{{shown}}}"

    def works(match: re.Match[str]) -> str:
        keys = match[1].split("; ")
        if not labels or not all(key in references() for key in keys):
            return match[0]
        linked = (rf"\hyperref[work:{slug(key)}]{{{key}}}" for key in keys)
        return f"({'; '.join(linked)})"

    typed = []
    for number, part in enumerate(text.split("`")):
        if number % 2 and part not in known:
            typed.append(rf"\texttt{{{_code(part)}}}")
        else:
            words = _LABEL.sub(claim, prose(part, escape_latex))
            typed.append(re.sub(r"\(([^()]*\d)\)", works, words))
    return re.sub(r"(?<=\d) (?=\\%)", "~", "".join(typed))


def _code(text: str) -> str:
    return escape_latex(text).replace("-", "-{}")


def _everything() -> set[str]:
    return {claim.label for members in chapters().values() for claim in members}


def _drawn(figure: PaperFigure, folder: Path) -> bool:
    return (folder / f"{figure.name}.pdf").is_file()


def _abstract(entries: Sequence[Record], run: Path | None) -> str:
    text = (
        "Every statement that evenkeel holds about barrier-synchronised load balancing (Chen et "
        "al. 2026), the paper's and its own: formula, assumptions, the proof step by step and what "
        "decides each step, the theorem in Coq, and how it is checked. A statement of the paper "
        "that is wider than what holds stands twice, as stated and as what is left of it. The text "
        "is written by `evenkeel claims --format latex --all` from the claims themselves. "
    )
    if not entries:
        return text + (
            "No verdict of a run is shown: `evenkeel reproduce` makes one, and `--run` its folder "
            "sets it in."
        )
    budget, seeds = (
        ", ".join(sorted({str(e[name]) for e in entries})) for name in ("budget", "seed")
    )
    made = ", ".join(f"{name} {number}" for name, number in entries[0]["versions"].items())
    return text + (
        f"Verdicts and figures are those of the run in `{run}` (`evenkeel reproduce`, budget "
        f"{budget}, seed {seeds}; {made}), {summary.summary(entries)}."
    )


def _grades(
    parts: Mapping[str, Sequence[Claim]], entries: Sequence[Record]
) -> list[tuple[str, str, str, str]]:
    """The verdicts with the number of claims; without a run, of those that a proof carries."""
    if entries:
        counts = Counter(Verdict(entry["verdict"]) for entry in entries)
    else:
        carried = (rung(claim.label) for members in parts.values() for claim in members)
        counts = Counter(filter(None, carried))
    return [
        (verdict.value, takes, trusts, str(counts[verdict]) if counts[verdict] else "")
        for verdict, (takes, trusts) in GRADES.items()
    ]


def _notation(shown: set[str]) -> dict[str, dict[str, str]]:
    """Symbols and what they stand for: wherever they occur, and by family."""
    headings = families()
    special = {
        headings.get(name, name.capitalize()): IN_FAMILY[name]
        for name in IN_FAMILY
        if name in shown
    }
    return {"Everywhere": EVERYWHERE, **special}
