"""The report as one HTML page that needs no network and no script.

Formulas and proof steps are MathML, which browsers typeset themselves; figures are inlined; every
claim unfolds with the keyboard, and a link to a folded claim opens it.
"""

import json
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from evenkeel.evidence.check import Verdict
from evenkeel.evidence.headline import Record
from evenkeel.report.claim_view import Relation, formal_data, of_step, relations, symbols, tally
from evenkeel.report.dropped_assumptions import HEAD as DROPPED
from evenkeel.report.dropped_assumptions import dropped_rows
from evenkeel.report.hardware_table import ABOUT as HARDWARE
from evenkeel.report.hardware_table import HEAD as DEVICES
from evenkeel.report.hardware_table import hardware_rows
from evenkeel.report.headlines import HEAD as HEADLINES
from evenkeel.report.headlines import headlines
from evenkeel.report.markdown import (
    LADDER,
    by_chapter,
    chance,
    is_expected,
    paper_rows,
    row,
    steps_text,
    summary,
    surprises,
)
from evenkeel.theorems.registry import claims, families
from paper_figures.catalogue import caption, figure
from theory.formal import record as machine_checked
from theory.proof import Lemma, Step, domain

ABOUT = (
    "The statements of “A Universal Load Balancing Principle and Its Application to Large "
    "Language Model Serving” (arXiv 2601.17855), and sharper ones, each held against exact integer "
    "programs, exact expectations, adversarial workloads and measured data. Unfold a claim for its "
    "statement, both sides, what was covered, the false versions that the same check caught, and "
    "the proof."
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the page: texts, which columns hold numbers, and whether phones stack its rows."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[int] = frozenset()
    stack: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure of the page: its name, what it shows, and the picture as a data URI."""

    name: str
    caption: str
    source: str


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page with a title of its own, in the order text, table, figures, claims."""

    anchor: str
    title: str
    text: str = ""
    table: Table | None = None
    figures: Sequence[Picture] = ()
    claims: Sequence[Mapping[str, Any]] = field(default=())


def mathml(relation: Relation) -> Markup:
    """The formula as a block of presentation MathML."""
    from sympy.printing.mathml import mathml as printed

    sides = [printed(side, printer="presentation") for side in relation.sides]
    sign = {"<=": "&#x2264;", ">=": "&#x2265;"}.get(relation.sign, relation.sign)
    body = f"<mo>{sign}</mo>".join(sides).replace("&InvisibleTimes;", "&#x2062;")
    return Markup(f'<math display="block"><mrow>{body}</mrow></math>')


def _step(step: Step) -> dict[str, Any]:
    shown = of_step(step)
    name = f" ({step.name})" if isinstance(step, Lemma) else ""
    kind = f"{type(step).__name__.lower()}{name}, {step.status}"
    where = domain(*(side for relation in shown for side in relation.sides))
    return {
        "kind": kind,
        "text": step.text,
        "formulas": [mathml(relation) for relation in shown],
        "domain": "; ".join(f"{symbol} {text}" for symbol, text in where.items()),
    }


def _claim(entry: Record) -> dict[str, Any]:
    """What the page says of one record."""
    claim = claims()[entry["claim"]]
    formula = claim.formula() if claim.formula else None
    label, verdict, computed, relation, claimed, margin, power, measures = row(entry)
    return {
        "label": label,
        "title": claim.heading,
        "verdict": verdict,
        "computed": computed,
        "relation": relation,
        "claimed": claimed,
        "margin": margin,
        "power": power,
        "measures": measures,
        "rests_on": steps_text(entry),
        "statement": claim.statement,
        "formulas": [mathml(part) for part in relations(formula)] if formula is not None else [],
        "symbols": symbols(claim, formula, claim.steps),
        "source": claim.source,
        "version": claim.version,
        "kind": claim.kind,
        "assumptions": [assumption.value for assumption in claim.assumptions],
        "requires": claim.requires,
        "evidence": claim.evidence,
        "domain": entry["domain"],
        "caught": [name for name, caught in entry["power"].items() if caught],
        "missed": [name for name, caught in entry["power"].items() if not caught],
        "witness": _json(entry["witness"]),
        "details": _json(entry["details"]),
        "steps": [_step(step) for step in claim.steps],
        "tally": tally(claim.steps),
        "checked": machine_checked.note(claim.coq),
        "theorem": (formal_data(claim) or {}).get("statement", ""),
        "again": f"evenkeel check {label} --budget {entry['budget']} --seed {entry['seed']}",
    }


def _json(value: object) -> str:
    """A value as short JSON; the records file has it whole."""
    if not value:
        return ""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 2000 else text[:2000] + " … (whole in records.jsonl)"


def hardware_section() -> Section:
    """Every device of the catalogue with what its numbers allow, and where they come from."""
    table = Table(DEVICES, hardware_rows(), frozenset(range(1, 9)))
    return Section("hardware", "Hardware", HARDWARE, table)


def provenance_section(entries: Sequence[Record], command: str) -> Section:
    """Versions, seeds and the command of the whole run."""
    first = entries[0]
    seeds = ", ".join(sorted({str(entry["seed"]) for entry in entries}))
    rows = [("command", command), ("budget", first["budget"]), ("seeds", seeds)]
    rows += list(first["versions"].items())
    text = "The same seed gives the same records, byte for byte; each claim names its own command."
    return Section("provenance", "Provenance", text, Table(("what", "value"), rows))


def picture(name: str, svg: Path) -> Picture:
    """A figure inlined from its SVG; its caption is its module's."""
    source = "data:image/svg+xml;base64," + b64encode(svg.read_bytes()).decode("ascii")
    return Picture(name, caption(name), source)


def pictures(drawn: Mapping[str, Sequence[Path]]) -> dict[str, list[Picture]]:
    """The drawn figures by the family of claims that they illustrate."""
    found: dict[str, list[Picture]] = {}
    for name, paths in drawn.items():
        svg = next(path for path in paths if path.suffix == ".svg")
        found.setdefault(figure(name).FAMILY, []).append(picture(name, svg))
    return found


def headline_section(entries: Sequence[Record]) -> Section:
    """The questions that people ask first, with the answers of this run."""
    return Section("headlines", "Headlines", table=Table(HEADLINES, headlines(entries), stack=True))


def paper_section(entries: Sequence[Record]) -> Section:
    """The paper row by row, with the verdicts of the claims that answer each row."""
    head = ("row", "stated in", "statement", "claims and verdicts")
    return Section(
        "paper",
        "The paper, row by row",
        table=Table(head, list(paper_rows(entries)), stack=True),
    )


def dropped_section(entries: Sequence[Record]) -> Section | None:
    """Which theorem needs which assumption; None where the run says nothing about it."""
    rows = dropped_rows(entries)
    if not rows:
        return None
    table = Table(DROPPED, rows, stack=True)
    return Section("dropped", "One assumption dropped at a time", table=table)


def page(
    entries: Sequence[Record],
    command: str,
    *,
    figures: Mapping[str, Sequence[Picture]],
) -> str:
    """``report.html``: one page, complete in itself.

    Parameters
    ----------
    entries : sequence of Record
        Records of the run, at least one, in the order of their claims.
    command : str
        The command that made the run.
    figures : mapping
        Family of claims to the figures that stand at the head of its section.
    """
    names = {heading: name for name, heading in families().items()}
    sections = [
        Section(
            f"family-{names[heading]}",
            heading,
            figures=figures.get(names[heading], ()),
            claims=[_claim(entry) for entry in group],
        )
        for heading, group in by_chapter(entries).items()
    ]
    counts = Counter(
        f"{entry['verdict']} as expected" if is_expected(entry) else entry["verdict"]
        for entry in entries
    )
    order = [name for v in Verdict for name in (v.value, f"{v} as expected")]
    template = _environment().get_template("report.html.j2")
    return template.render(
        about=ABOUT,
        summary=summary(list(entries)),
        counts=[(verdict, counts[verdict]) for verdict in order if verdict in counts],
        chance=chance(entries),
        ladder=Markup(re.sub(r"\*(.+?)\*", r"<em>\1</em>", LADDER)),
        command=command,
        against=[
            {"label": entry["claim"], "verdict": entry["verdict"]} for entry in surprises(entries)
        ],
        sections=[
            headline_section(entries),
            *sections,
            paper_section(entries),
            *filter(None, [dropped_section(entries)]),
            hardware_section(),
            provenance_section(entries, command),
        ],
        linked=_linker({entry["claim"] for entry in entries}),
    )


def _linker(labels: Collection[str]) -> Callable[[str], Markup]:
    """Turns a text into markup in which every label of the run is a link to its claim."""
    mark = re.compile(r"`?([a-z0-9]+\.[a-z0-9-]+)`?")

    def linked(text: str) -> Markup:
        parts, end = Markup(), 0
        for match in mark.finditer(text):
            if match[1] in labels:
                link = Markup('<a href="#{0}">{0}</a>').format(match[1])
                parts += escape(text[end : match.start()]) + link
                end = match.end()
        return parts + escape(text[end:])

    return linked


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("evenkeel"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
