"""A run in words: numbers, verdicts and power of its records, and the table for the terminal."""

from collections.abc import Iterable, Sequence
from fractions import Fraction

from evenkeel.findings.check import Verdict
from evenkeel.findings.headline import Record
from evenkeel.output import table
from evenkeel.report.claim_view import tally
from evenkeel.theorems.registry import chapters, claim_of
from theory.formal import record as machine_checked

HEAD = ("claim", "verdict", "computed", "", "claimed", "margin", "power", "what is computed")


def number(value: int | float | str | None) -> str:
    """A number as people read it: exact when it is short, else four significant digits.

    Texts are exact fractions as records hold them; any other text stays as it is.

    >>> number("7/2"), number(12), number("unbounded")
    ('3.5', '12', 'unbounded')
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
    return entry["verdict"] == Verdict.REFUTED and not claim_of(entry["claim"]).holds


def verdict_text(entry: Record) -> str:
    """The verdict, whether a refutation was expected, and whether Coq has checked a theorem."""
    verdict, expected = Verdict(entry["verdict"]), is_expected(entry)
    marks = ["as expected"] if expected else []
    if expected or verdict in (Verdict.PROVED, Verdict.ARGUED):
        marks += filter(None, [machine_checked.mark(claim_of(entry["claim"]).coq)])
    return verdict + (f" ({', '.join(marks)})" if marks else "")


def steps_text(entry: Record) -> str:
    """How many steps of each kind a proof has, where a verdict rests on them."""
    verdict = Verdict(entry["verdict"])
    on_proof = (Verdict.MACHINE_CHECKED, Verdict.PROVED, Verdict.ARGUED)
    rests = is_expected(entry) or verdict in on_proof
    return tally(claim_of(entry["claim"]).steps) if rests else ""


def row(entry: Record) -> tuple[str, ...]:
    """One line of the table of claims, with the columns :data:`HEAD`."""
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
        if (entry["verdict"] == Verdict.REFUTED) == claim_of(entry["claim"]).holds
        and (entry["verdict"] == Verdict.REFUTED or Verdict(entry["verdict"]).held)
    ]


def undecided(entries: Iterable[Record]) -> list[Record]:
    """Records that decide nothing although their claim has a check."""
    return [
        entry
        for entry in entries
        if entry["verdict"] in (Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE)
    ]


def summary(entries: Sequence[Record]) -> str:
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
    from evenkeel.findings.statistics import MISS, familywise

    counts = [entry["details"].get("intervals", 1) for entry in entries if entry["interval"]]
    if not counts:
        return ""
    total = sum(counts)
    return (
        f"{total} intervals, each of which misses with a chance of at most 1 in {1 / MISS:,.0f} "
        "for laws up to the skewness of those that calibrated them: that any of them does, "
        f"{familywise(total):.1%} at most."
    )
