"""The report of a run: a table for the terminal and ``report.md``.

Everything in it is read from the records of the run.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

from evenkeel.evidence.check import Verdict
from evenkeel.evidence.headline import Record
from evenkeel.output import table
from evenkeel.report.claim_view import tally
from evenkeel.report.dropped_assumptions import HEAD as DROPPED_HEAD
from evenkeel.report.dropped_assumptions import dropped_rows
from evenkeel.report.hardware_table import ABOUT, hardware_rows
from evenkeel.report.hardware_table import HEAD as DEVICES
from evenkeel.report.headlines import headline_table
from evenkeel.report.typeset import escape_markdown, prose
from evenkeel.theorems.paper_index import ROWS
from evenkeel.theorems.registry import chapters, claims, families
from paper_figures.catalogue import caption
from theory.formal import record as machine_checked

HEAD = ("claim", "verdict", "computed", "", "claimed", "margin", "power", "what is computed")
STEPS_HEAD = (*HEAD, "proof steps")

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


def number(value: int | float | str | None) -> str:
    """A number as people read it: exact when it is short, else four significant digits.

    Texts are exact fractions as records hold them; any other text stays as it is.
    """
    if value is None:
        return ""
    try:
        exact = Fraction(value)
    except (ValueError, ZeroDivisionError):
        return str(value)
    if exact.denominator == 1 and abs(exact) < 10**7:
        return str(exact)
    try:
        return f"{float(exact):.4g}"
    except OverflowError:
        return "huge"


def computed_text(entry: Record) -> str:
    """The computed side, with its interval where it is statistical."""
    if entry["interval"] is None:
        return number(entry["computed"])
    low, high = entry["interval"]
    return f"{number(entry['computed'])} [{number(low)}, {number(high)}]"


def power_cell(entry: Record) -> str:
    """The kill rate with the smallest factor caught: ``5/5, x1.1``."""
    rate: str = entry["kill_rate"]
    factor = entry["smallest_factor"]
    return f"{rate}, x{number(factor)}" if factor else rate


def power_text(entry: Record) -> str:
    """The kill rate in words, to stand behind a verdict; empty where it was not measured."""
    rate: str = entry["kill_rate"]
    if not entry["power"]:
        return f", {rate}: no false version is planted" if rate else ""
    missed = [name for name, caught in entry["power"].items() if not caught]
    words = f", catches {rate} false versions" if len(missed) < len(entry["power"]) else f", {rate}"
    if entry["smallest_factor"]:
        words += f", the nearest a factor of {number(entry['smallest_factor'])}"
    return words + (f" (missed: {', '.join(missed)})" if missed else "")


def is_expected(entry: Record) -> bool:
    """Whether a record refutes a statement that evenkeel holds to be false."""
    return entry["verdict"] == Verdict.REFUTED and not claims()[entry["claim"]].holds


def verdict_text(entry: Record) -> str:
    """The verdict, whether a refutation was expected, and whether Coq has checked a theorem."""
    verdict, expected = Verdict(entry["verdict"]), is_expected(entry)
    marks = ["as expected"] if expected else []
    if expected or verdict in (Verdict.PROVED, Verdict.ARGUED):
        marks += filter(None, [machine_checked.mark(claims()[entry["claim"]].coq)])
    return verdict + (f" ({', '.join(marks)})" if marks else "")


def steps_text(entry: Record) -> str:
    """How many steps of each kind a proof has, where a verdict rests on them."""
    verdict = Verdict(entry["verdict"])
    on_proof = (Verdict.MACHINE_CHECKED, Verdict.PROVED, Verdict.ARGUED)
    rests = is_expected(entry) or verdict in on_proof
    return tally(claims()[entry["claim"]].steps) if rests else ""


def row(entry: Record) -> tuple[str, ...]:
    """One line of the table of claims."""
    return (
        entry["claim"],
        verdict_text(entry),
        computed_text(entry),
        entry["relation"] if entry["computed"] is not None else "",
        number(entry["claimed"]),
        number(entry["margin"]),
        power_cell(entry),
        entry["measures"],
    )


def by_chapter(entries: Iterable[Record]) -> dict[str, list[Record]]:
    """The records under the heading of their claims' family, in the order of the claims."""
    found = {entry["claim"]: entry for entry in entries}
    grouped = {
        heading: [found[claim.label] for claim in members if claim.label in found]
        for heading, members in chapters().items()
    }
    return {heading: part for heading, part in grouped.items() if part}


def claims_table(entries: Iterable[Record]) -> str:
    """The table of claims by theorem, with verdict, both sides, margin and kill rate."""
    parts = by_chapter(entries)
    head, rule, *lines = table(HEAD, [row(e) for part in parts.values() for e in part]).split("\n")
    text, rest = [head, rule], iter(lines)
    for heading, part in parts.items():
        text += ["", heading, *(next(rest) for _ in part)]
    return "\n".join(text)


def surprises(entries: Iterable[Record]) -> list[Record]:
    """Records whose verdict contradicts what its claim asserts."""
    return [
        entry
        for entry in entries
        if (entry["verdict"] == Verdict.REFUTED) == claims()[entry["claim"]].holds
        and (entry["verdict"] == Verdict.REFUTED or Verdict(entry["verdict"]).held)
    ]


def undecided(entries: Iterable[Record]) -> list[Record]:
    """Records that decide nothing although their claim has a check."""
    return [
        entry
        for entry in entries
        if entry["verdict"] in (Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE)
    ]


def summary(entries: list[Record]) -> str:
    """One line: how many claims reached which verdict."""
    counts = dict.fromkeys(Verdict, 0)
    for entry in entries:
        counts[Verdict(entry["verdict"])] += 1
    expected = sum(map(is_expected, entries))
    share = "all" if expected == counts[Verdict.REFUTED] else str(expected)
    parts = [
        f"{count} {verdict}" + (f" ({share} as expected)" if verdict is Verdict.REFUTED else "")
        for verdict, count in counts.items()
        if count
    ]
    return f"{len(entries)} claims: " + ", ".join(parts)


def chance(entries: Iterable[Record]) -> str:
    """How often the intervals of a run are wrong, all of them taken together; empty without any."""
    from evenkeel.evidence.statistics import MISS, familywise

    counts = [entry["details"].get("intervals", 1) for entry in entries if entry["interval"]]
    if not counts:
        return ""
    total = sum(counts)
    return (
        f"{total} intervals, each of which misses with a chance of at most 1 in {1 / MISS:,.0f} "
        "for laws up to the skewness of those that calibrated them: that any of them does, "
        f"{familywise(total):.1%} at most."
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(map(_cell, line)) + " |" for line in rows]


def paper_rows(entries: Iterable[Record]) -> Iterator[tuple[str, ...]]:
    """Each row of the paper that this run answers, with the verdicts of its claims."""
    verdicts = {entry["claim"]: verdict_text(entry) for entry in entries}
    for line in ROWS:
        answers = [f"{label} {verdicts[label]}" for label in line.labels if label in verdicts]
        if answers:
            yield line.name, line.source, line.text, "; ".join(answers)


def markdown(
    entries: list[Record], command: str, figures: Mapping[str, Sequence[str]] | None = None
) -> str:
    """``report.md``: headlines, the table, the paper row by row, then claim by claim.

    ``figures`` maps a family of claims to the names of its figures, drawn in the folder
    ``figures`` beside the report.
    """
    lines = [
        "# evenkeel report",
        "",
        f"Made by `{command}`. {summary(entries)}.",
        "",
        LADDER,
        *filter(None, ("", chance(entries))),
    ]
    answered = headline_table(entries)
    if answered:
        lines += ["", "## Headlines", "", answered]
    lines += ["", "## Every claim"]
    for heading, part in by_chapter(entries).items():
        lines += ["", f"### {heading}", "", *_table(STEPS_HEAD, map(_with_steps, part))]
    lines += ["", "## The paper, row by row", ""]
    lines += _table(("row", "stated in", "statement", "claims and verdicts"), paper_rows(entries))
    without = dropped_rows(entries)
    if without:
        lines += ["", "## One assumption dropped at a time", "", *_table(DROPPED_HEAD, without)]
    names = {heading: name for name, heading in families().items()}
    for heading, part in by_chapter(entries).items():
        lines += ["", f"## {heading}"]
        for name in (figures or {}).get(names[heading], ()):
            lines += ["", f"![{caption(name)}](figures/{name}.png)"]
        for entry in part:
            lines += ["", *_details(entry)]
    if entries:
        lines += ["", "## Hardware", "", ABOUT, "", *_table(DEVICES, hardware_rows())]
        lines += ["", "## Versions", ""]
        lines += [f"- {name} {number}" for name, number in entries[0]["versions"].items()]
    return "\n".join(lines) + "\n"


def _with_steps(entry: Record) -> tuple[str, ...]:
    return *row(entry), steps_text(entry)


def _details(entry: Record) -> list[str]:
    """One claim: statement, verdict, power, what was covered, proof, witness."""
    claim = claims()[entry["claim"]]
    computed, relation, claimed, margin = row(entry)[2:6]
    steps = steps_text(entry)
    lines = [
        f"### {claim.label}: {prose(claim.heading, escape_markdown)}",
        "",
        prose(claim.statement, escape_markdown),
        "",
        f"- source: {claim.source} ({claim.version}); kind: {claim.kind}",
        f"- verdict: **{verdict_text(entry)}**{f' ({steps})' if steps else ''}{power_text(entry)}",
    ]
    if computed:
        sides = f"- {entry['measures'] or 'both sides'}: {computed} {relation} {claimed}"
        lines.append(sides + (f", margin {margin}" if margin else ""))
    lines.append(f"- covered: {entry['domain']}")
    if claim.steps and not steps:
        what = "proof" if claim.holds else "disproof"
        lines.append(f"- steps of its {what}: {tally(claim.steps)}")
    if checked := machine_checked.note(claim.coq):
        lines.append(f"- {checked}")
    if entry["power"]:
        lines.append(f"- false versions tried: {'; '.join(entry['power'])}")
    if entry["witness"]:
        text = str(entry["witness"])
        lines.append(f"- witness: `{text if len(text) < 400 else text[:400] + ' …'}`")
    again = f"evenkeel check {claim.label} --budget {entry['budget']} --seed {entry['seed']}"
    return [*lines, f"- again: `{again}`"]
