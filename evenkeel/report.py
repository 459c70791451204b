"""The report of a run: a table for the terminal and ``report.md``."""

from collections.abc import Iterable
from fractions import Fraction

from evenkeel.evidence import Verdict
from evenkeel.records import Record
from evenkeel.terminal import table
from theory.claims import claims

HEAD = ("claim", "verdict", "computed", "", "claimed", "margin", "power")


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


def power_text(entry: Record) -> str:
    """The kill rate in words, to stand behind a verdict; empty where it was not measured."""
    rate: str = entry["kill_rate"]
    if not entry["power"]:
        return f", {rate}: no false version is planted" if rate else ""
    missed = [name for name, caught in entry["power"].items() if not caught]
    words = f", catches {rate} false versions" if len(missed) < len(entry["power"]) else f", {rate}"
    return words + (f" (missed: {', '.join(missed)})" if missed else "")


def row(entry: Record) -> tuple[str, ...]:
    """One line of the table of claims."""
    claim = claims()[entry["claim"]]
    mark = " (as expected)" if entry["verdict"] == "refuted" and not claim.holds else ""
    return (
        entry["claim"],
        entry["verdict"] + mark,
        number(entry["computed"]),
        entry["relation"] if entry["computed"] is not None else "",
        number(entry["claimed"]),
        number(entry["margin"]),
        entry["kill_rate"],
    )


def claims_table(entries: Iterable[Record]) -> str:
    """The table of claims with verdict, both sides, margin and kill rate."""
    return table(HEAD, [row(entry) for entry in entries])


def surprises(entries: Iterable[Record]) -> list[Record]:
    """Records whose verdict contradicts what the theory notes assert."""
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
    parts = [f"{count} {verdict}" for verdict, count in counts.items() if count]
    return f"{len(entries)} claims: " + ", ".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def markdown(entries: list[Record], command: str) -> str:
    """``report.md``: the table, then every claim with its statement, domain and witness."""
    lines = [
        "# evenkeel report",
        "",
        f"Made by `{command}`. {summary(entries)}.",
        "",
        "A verdict is the strongest that the evidence allows: proved, certified (exact arithmetic",
        "over a stated domain), attacked (a search found nothing), supported (an interval).",
        "Refuted has a witness; inconclusive, not applicable and not checked decide nothing.",
        "Power counts the deliberately false variants that the same check catches. *As expected*",
        "marks a statement that evenkeel holds to be false and refutes.",
        "",
        "| " + " | ".join(HEAD) + " |",
        "|" + "---|" * len(HEAD),
    ]
    lines += ["| " + " | ".join(map(_cell, row(entry))) + " |" for entry in entries]
    family = ""
    for entry in entries:
        claim = claims()[entry["claim"]]
        if claim.family != family:
            family = claim.family
            lines += ["", f"## {family}"]
        lines += [
            "",
            f"### {claim.label}: {claim.title}",
            "",
            claim.statement,
            "",
            f"- source: {claim.source} ({claim.version}); kind: {claim.kind}",
            f"- verdict: **{entry['verdict']}**{power_text(entry)}",
            f"- covered: {entry['domain']}",
        ]
        if entry["interval"]:
            lines.append(
                f"- interval: {number(entry['interval'][0])} to {number(entry['interval'][1])}"
            )
        if entry["power"]:
            lines.append(f"- false versions tried: {'; '.join(entry['power'])}")
        if entry["witness"]:
            text = str(entry["witness"])
            lines.append(f"- witness: `{text if len(text) < 400 else text[:400] + ' …'}`")
        lines.append(
            f"- again: `evenkeel check {claim.label} --budget {entry['budget']} "
            f"--seed {entry['seed']}`"
        )
    if entries:
        lines += ["", "## Versions", ""]
        lines += [f"- {name} {number}" for name, number in entries[0]["versions"].items()]
    return "\n".join(lines) + "\n"
