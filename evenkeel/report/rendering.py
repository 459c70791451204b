"""Renderings of claims and of runs: what a template of ``evenkeel/templates`` shows, and how.

A claim is a page of Markdown or a LaTeX document; the report of a run is Markdown, and one HTML
page that needs no network and no script: formulas are MathML, figures are inlined, every claim
unfolds with the keyboard, and a link to a folded claim opens it.
"""

import json
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from evenkeel.findings.check import Verdict
from evenkeel.findings.headline import Record
from evenkeel.report import dropped_assumptions, hardware_table, headlines, summary
from evenkeel.report.claim_view import ClaimView, Relation
from evenkeel.report.prose import prose
from evenkeel.report.typeset import escape_latex, escape_markdown, latex, maths, pieces, shortened
from evenkeel.theorems.paper_index import ROWS
from evenkeel.theorems.registry import OTHERS, Claim, claim_of, families
from paper_figures.catalogue import FIGURES, figure

# What the verdicts mean, for the head of every report.
LADDER = (
    "A verdict is the strongest that the evidence allows: machine-checked (Coq has checked a "
    "theorem of the whole statement), proved (every essential step is decided by sympy or by "
    "exact computation, and the last one is the claim's own formula), argued (an essential step "
    "is words; the steps of each kind are counted beside it), certified (exact arithmetic over a "
    "stated domain), attacked (a search of measured power found nothing), supported (an "
    "interval).  Refuted has a witness; inconclusive, not applicable and not checked decide "
    "nothing.  *As expected* marks a statement that evenkeel holds to be false and refutes; "
    "*machine-checked* beside it says that Coq has checked its negation.  Power counts the "
    "deliberately false versions that the same check catches, and names the factor on a claimed "
    "side that is nearest to 1 of those."
)


# How a page shows the relations of records and formulas.
SIGNS = {"<=": "≤", ">=": "≥", "==": "=", "~": "≈"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure of a report: its name, what it shows, and the address of the picture."""

    name: str
    caption: str
    source: str


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report with a title of its own.

    Parameters
    ----------
    anchor, title : str
        Where links lead, and the heading.
    head, rows
        Its table: texts of the columns' heads and of the cells.
    text : str
        What stands above the table.
    numbers : range
        Columns that hold numbers.
    stack : bool
        Whether a narrow screen sets the cells of a row below each other.
    figures, entries
        The figures, and the records that are set out one by one.
    """

    anchor: str
    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    text: str = ""
    numbers: range = range(0)
    stack: bool = False
    figures: Sequence[Picture] = ()
    entries: Sequence[Record] = ()


def pictures(drawn: Mapping[str, Sequence[Path]]) -> dict[str, list[Picture]]:
    """The drawn figures, inlined from their SVG, by the family beside whose claims they stand."""
    found: dict[str, list[Picture]] = {}
    for name, paths in drawn.items():
        svg = next(path for path in paths if path.suffix == ".svg")
        source = "data:image/svg+xml;base64," + b64encode(svg.read_bytes()).decode("ascii")
        shown = figure(name)
        family = shown.family if name in FIGURES else OTHERS
        found.setdefault(family, []).append(Picture(name, shown.caption, source))
    return found


def paper_rows(entries: Sequence[Record]) -> list[tuple[str, ...]]:
    """Each row of the paper that this run answers, with the verdicts of its claims."""
    verdicts = {entry["claim"]: summary.verdict_text(entry) for entry in entries}
    answers = {
        row: "; ".join(f"{label} {verdicts[label]}" for label in row.labels if label in verdicts)
        for row in ROWS
    }
    return [(row.name, row.source, row.text, said) for row, said in answers.items() if said]


def _sections(entries: Sequence[Record], command: str) -> dict[str, Section]:
    """The sections of a report beside those of the claims, by their anchors."""
    questions = headlines.headlines(entries)
    without = dropped_assumptions.dropped_rows(entries)
    head = ("row", "stated in", "statement", "claims and verdicts")
    budget, seeds = (
        ", ".join(sorted({str(entry[name]) for entry in entries})) for name in ("budget", "seed")
    )
    versions = entries[0]["versions"] if entries else {}
    made = [("command", command), ("budget", budget), ("seeds", seeds), *versions.items()]
    works = {key: work for entry in entries for key, work in _view_of(entry).references.items()}
    same = "The same seed gives the same records, byte for byte; each claim names its own command."
    found = (
        Section("headlines", "Headlines", headlines.HEAD, questions, stack=True),
        Section("paper", "The paper, row by row", head, paper_rows(entries), stack=True),
        Section(
            "dropped",
            "One assumption dropped at a time",
            dropped_assumptions.HEAD,
            without,
            stack=True,
        ),
        Section(
            "hardware",
            "Hardware",
            hardware_table.HEAD,
            hardware_table.hardware_rows(),
            hardware_table.ABOUT,
            range(1, 9),
        ),
        Section("references", "References", ("cited as", "work"), sorted(works.items())),
        Section("provenance", "Provenance", ("what", "value"), made, same),
    )
    return {section.anchor: section for section in found}


def _chapters(entries: Sequence[Record], figures: Mapping[str, Sequence[Picture]]) -> list[Section]:
    """The families of claims, with their figures and records."""
    names = {heading: name for name, heading in families().items()}
    return [
        Section(
            f"family-{names[heading]}",
            heading,
            (*summary.HEAD, "proof steps"),
            [(*summary.row(entry), summary.steps_text(entry)) for entry in group],
            figures=figures.get(names[heading], ()),
            entries=group,
        )
        for heading, group in summary.by_chapter(entries).items()
    ]


def _again(entry: Record) -> str:
    """The command that makes a record again."""
    claim = claim_of(entry["claim"]).named
    return f"evenkeel check {claim} --budget {entry['budget']} --seed {entry['seed']}"


def _kind(entry: Record) -> str:
    """The verdict, and whether it was expected to be a refutation."""
    return f"{entry['verdict']} as expected" if summary.is_expected(entry) else entry["verdict"]


def _view_of(entry: Record) -> ClaimView:
    """The claim of a record."""
    return ClaimView(claim_of(entry["claim"]))


# --- How a template shows it ---------------------------------------------------------------------


def mathml(relation: Relation) -> Markup:
    """The formula as a block of presentation MathML."""
    from sympy.printing.mathml import mathml as printed

    sign = escape(SIGNS.get(relation.sign, relation.sign))
    sides = (printed(side, printer="presentation") for side in relation.sides)
    body = f"<mo>{sign}</mo>".join(sides).replace("&InvisibleTimes;", "&#x2062;")
    return Markup(f'<math display="block"><mrow>{body}</mrow></math>')


def short_json(value: object) -> str:
    """A value as short JSON; the records file has it whole."""
    text = json.dumps(value, ensure_ascii=False)
    return shortened(text, 2000, " … (whole in records.jsonl)")


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    r"""A Markdown table.

    >>> print(markdown_table(("a", "b"), [("1", "x | y")]))
    | a | b |
    |---|---|
    | 1 | x \| y |
    """
    cells = [[text.replace("|", "\\|").replace("\n", " ") for text in row] for row in rows]
    lines = [f"| {' | '.join(row)} |" for row in (head, *cells)]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])


def headline_table(entries: Sequence[Record]) -> str:
    """The headlines as a Markdown table, empty if the run answers none; the docs have it too."""
    rows = headlines.headlines(entries)
    return markdown_table(headlines.HEAD, rows) if rows else ""


def _linker(labels: Collection[str]) -> Callable[[str], Markup]:
    """Turns a text into markup in which every label of the run is a link to its claim."""

    def link(match: re.Match[str]) -> str:
        label = match[1]
        return f'<a href="#{label}">{label}</a>' if label in labels else match[0]

    return lambda text: Markup(re.sub(r"`?([a-z0-9]+\.[a-z0-9-]+)`?", link, escape(text)))


def _without_html(value: Any) -> Any:
    r"""A value for Markdown in which no tag, comment, autolink or link can begin.

    >>> _without_html("a <b> and 1 <= 2, [x](javascript:0)")
    'a &lt;b> and 1 <= 2, [x]\\(javascript:0)'
    """
    if not isinstance(value, str):
        return value
    text = re.sub(r"(\\*)<(?=[A-Za-z/!?])", _escaped_unless_it_is, value)
    return text.replace("](", "]\\(")


def _escaped_unless_it_is(match: re.Match[str]) -> str:
    return match[0] if len(match[1]) % 2 else f"{match[1]}&lt;"


@cache
def _environment(kind: str) -> Environment:
    """Jinja for templates of a kind; in LaTeX, whose braces are its own, with other marks."""
    environment = Environment(
        loader=PackageLoader("evenkeel"),
        autoescape=kind == "html",
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_without_html if kind == "md" else None,
    )
    if kind == "tex":
        environment = environment.overlay(
            block_start_string="<%",
            block_end_string="%>",
            variable_start_string="<<",
            variable_end_string=">>",
            comment_start_string="<#",
            comment_end_string="#>",
        )
        environment.filters |= {
            "pieces": lambda expression: pieces(latex(expression)),
            "breakable": lambda text: re.sub(r"(\\_|/)", r"\1\\allowbreak{}", escape_latex(text)),
        }
    plain = escape_latex if kind == "tex" else escape_markdown
    environment.filters |= {
        "plain": plain,
        "prose": partial(prose, escape=plain),
        "maths": maths,
        "latex": latex,
        "mathml": mathml,
        "sign": lambda relation: SIGNS.get(relation, relation),
        "on": lambda where: f"on {where}" if where else "no free symbol",
        "table": lambda section: markdown_table(section.head, section.rows),
        "shortened": shortened,
        "sentence": lambda text: text[:1].upper() + text[1:],
        "full_stop": lambda text: text if text.endswith(".") else f"{text}.",
        "short_json": short_json,
        "emphasis": lambda text: Markup(re.sub(r"\*(.+?)\*", r"<em>\1</em>", text)),
    }
    return environment


def render(name: str, /, **values: Any) -> str:
    """What the template ``name`` makes of the values."""
    environment = _environment(name.rpartition(".")[2])
    return environment.get_template(f"{name}.j2").render(values)


def started(template: str, name: str) -> str:
    """A file of one's own to begin with: of a claim, a policy, a family, a figure, or its test."""
    words = name.split("_")
    return render(
        f"new/{template}.py", name=name, label="-".join(words), kind="".join(map(str.title, words))
    )


def claim_markdown(claim: Claim) -> str:
    """The claim as Markdown with formulas between dollars."""
    return render("claim.md", view=ClaimView(claim))


def _report(name: str, entries: Sequence[Record], command: str, **values: Any) -> str:
    return render(
        name,
        entries=entries,
        command=command,
        summary=summary.summary(entries),
        ladder=LADDER,
        chance=summary.chance(entries),
        view_of=_view_of,
        row=summary.row,
        steps_text=summary.steps_text,
        power_text=summary.power_text,
        again=_again,
        **values,
    )


def report_markdown(
    entries: Sequence[Record], command: str, figures: Mapping[str, Sequence[str]] | None = None
) -> str:
    """``report.md``: headlines, the table, the paper row by row, then claim by claim.

    Parameters
    ----------
    entries : sequence of Record
        Records of the run, in the order of their claims.
    command : str
        The command that made the run.
    figures : mapping, optional
        Family of claims to the names of its figures, drawn in the folder ``figures`` beside the
        report.
    """
    shown = {
        family: [
            Picture(name, figure(name).caption, f"figures/{figure(name).name}.svg")
            for name in names
        ]
        for family, names in (figures or {}).items()
    }
    sections = _sections(entries, command)
    return _report("report.md", entries, command, chapters=_chapters(entries, shown), **sections)


def report_html(
    entries: Sequence[Record], command: str, *, figures: Mapping[str, Sequence[Picture]]
) -> str:
    """``report.html``: one page, complete in itself.

    Parameters
    ----------
    entries : sequence of Record
        Records of the run, in the order of their claims.
    command : str
        The command that made the run.
    figures : mapping
        Family of claims to the figures that stand at the head of its section.
    """
    first, *others = _sections(entries, command).values()
    sections = (first, *_chapters(entries, figures), *others)
    counts = Counter(map(_kind, entries))
    order = [name for v in Verdict for name in (v.value, f"{v} as expected")]
    page = _report(
        "report.html",
        entries,
        command,
        counts=[(verdict, counts[verdict]) for verdict in order if verdict in counts],
        against=summary.surprises(entries),
        sections=[part for part in sections if part.rows],
        linked=_linker({entry["claim"] for entry in entries}),
        kind=lambda entry: _kind(entry).replace(" ", "-"),
        expected={entry["claim"] for entry in entries if summary.is_expected(entry)},
    )
    # The page's one style is allowed by its digest, and nothing else that a text might bring in.
    style = page.partition("<style>")[2].partition("</style>")[0]
    allowed = b64encode(sha256(style.encode()).digest()).decode("ascii")
    return page.replace("style-src STYLE", f"style-src 'sha256-{allowed}'", 1)
