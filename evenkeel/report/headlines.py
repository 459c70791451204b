"""The questions that people ask first, answered from the records of a run.

Every number of an answer is read from a record, and every yes or no from a verdict, so that the
table in the report, and the one in the README, cannot say what the run did not find.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from evenkeel.evidence.check import Verdict
from evenkeel.runs.records import Record

HEAD = ("question", "answer of this run", "claims and verdicts")


@dataclass(frozen=True, slots=True)
class Headline:
    """A question, the claims that decide it, and how their records answer it."""

    question: str
    labels: tuple[str, ...]
    answer: Callable[..., str]


def _percent(share: float | Fraction | str) -> str:
    return f"{100 * float(Fraction(share)):.1f} %"


def _says(entry: Record) -> str:
    """``Yes`` where the claim held, ``No`` where it is refuted."""
    verdict = Verdict(entry["verdict"])
    if verdict.held:
        return "Yes"
    return "No" if verdict is Verdict.REFUTED else f"Open ({verdict})"


def _exceed(exceed: Record, reach: Record) -> str:
    eta = Fraction(exceed["details"]["eta"])
    at_32 = reach["details"]["largest paper-shaped floor at G = 32"]
    # As eta <= G - 1, more than eta needs G - 1 > eta.
    return (
        f"{_says(exceed)}, the paper's bound can: where FCFS idles more than "
        f"{_percent(eta / (1 + eta))} of the time, which takes G >= {floor(eta) + 2} workers; at "
        f"G = 32 it stays below {_percent(at_32)}."
    )


def _forty(cap: Record, any_power: Record) -> str:
    at = cap["details"]["at 40 % idle"]
    whatever = "" if Verdict(any_power["verdict"]).held else f" ({any_power['verdict']})"
    return (
        f"With a waiting worker at the paper's 100 W of 400 W, gamma 0.7 and C = 0: at most "
        f"{_percent(at['envelope cap'])} less energy, at least {_percent(at['sharp floor'])} with "
        f"perfect balance (the paper's own form guarantees {_percent(at['paper floor'])}).  "
        f"Whatever it draws while waiting, at most 40 % at C = 0{whatever}."
    )


def _cap(is_cap: Record, sharp: Record) -> str:
    details = sharp["details"]
    limit = _percent(details["limit of the paper's form"])
    return (
        f"{_says(is_cap)}: {limit} is the limit of one bound.  The sharper floor passes it from "
        f"{_percent(details['passed at idle share'])} idle on and tends to "
        f"{_percent(sharp['claimed'])}."
    )


def _idle(waste: Record) -> str:
    shares = waste["details"]["idle shares"]
    above = {cell: low for cell, (low, _) in shares.items() if low > 0.4}
    below = {cell: high for cell, (_, high) in shares.items() if high <= 0.4}
    highest, lowest = max(above, key=above.__getitem__), min(below, key=below.__getitem__)
    return (
        f"In {len(above)} of {len(shares)} workloads and sizes: from {_percent(below[lowest])} "
        f"({lowest}) to {_percent(above[highest])} ({highest}), exactly, in stationarity."
    )


def _saving(reported: Record, needs: Record) -> str:
    ends, last = reported["details"], needs["details"]
    return (
        f"Without look-ahead our re-run saves {_percent(ends['to the last admission'])} up to the "
        f"last admission, where the paper stops, and {_percent(ends['completed'])} for the same "
        f"requests completed.  On 100/400 W with gamma 0.7, a waiting worker at 100 W and C = 0, "
        f"no policy saves 28 % where FCFS idles less than {_percent(last['idle share needed'])}."
    )


def _theorem_2(static: Record, rare: Record, vacuity: Record) -> str:
    where, factor = static["witness"], static["details"]["multiple of (G-1) s_max / p"]
    faked, times = rare["witness"], float(rare["computed"]) / float(rare["claimed"])
    return (
        "Not below the balance threshold: with B p small against the spread of the lengths its "
        "BF-IO side fails for every policy that does not see lengths, by "
        f"{factor:.1f} times at G = {where['G']}, B = {where['B']}, p = {where['p']}, sizes "
        f"{where['a']}..{where['b']}.  Nor wherever the range of the sizes is wide: a size that "
        f"one request in 10^15 has breaks it by {times:.1f} times at G = {faked['G']}, "
        f"B = {faked['B']}.  What counts is the spacing of two sizes that the pool always offers.  "
        "For sizes 1..100, G = 32, p = 0.01 and the largest constant it says more than 1 only "
        f"from B = {vacuity['computed']} on."
    )


def _theorem_1(vacuity: Record) -> str:
    details = vacuity["details"]
    bounds = {
        float(key.removeprefix("kappa0 = ").removesuffix(", c = 1")): bound
        for key, bound in details.items()
        if key.endswith(", c = 1")
    }
    enough = min(kappa for kappa, bound in bounds.items() if bound > 1)
    return (
        f"Nothing below kappa0 = {enough:g} at G = 32 even with the constant 1.  With exact FCFS "
        "on top, more than 1 from "
        f"B = {details['first B of the certificate, G = 32']} on for sizes 1..100 at G = 32, from "
        f"B = {details['first B of the certificate, G = 2']} on at G = 2."
    )


def _tight(tight: Record, worst: Record, inside: Record) -> str:
    shares = {
        where: share.split(" for ")[0]
        for where, share in inside["details"].items()
        if where.startswith("G =")
    }
    searched = ", ".join(f"{share} ({where})" for where, share in shares.items())
    return (
        f"{_says(tight)}, for a pool of exactly G B requests: it attains (G-1)(b-a), and FCFS's "
        f"worst case is {worst['details']['ratio of the suprema']} times larger at "
        f"B = {worst['details']['B']}, exactly B times.  Inside the paper's pool condition the "
        f"worst full refill reaches a share of {searched} of it, over all pools searched."
    )


def _per_instance(entry: Record) -> str:
    details, ratio = entry["details"], Fraction(entry["computed"]) / Fraction(entry["claimed"])
    all_of = details["BF-IO averages more"] + details["BF-IO averages less"]
    return (
        f"{_says(entry)}: on one backlog of {len(entry['witness']['prefill'])} requests it has "
        f"{float(ratio):g} times the imbalance of FCFS.  Of the small backlogs where they differ "
        f"it averages more on {details['BF-IO averages more']} of {all_of}."
    )


def _naive(entry: Record) -> str:
    witness = entry["witness"]
    return (
        f"{_says(entry)}: loads {tuple(witness['loads'])}, free slots {tuple(witness['free'])} and "
        f"the pool {witness['pool']} leave a gap of {entry['computed']}."
    )


# The surprising ones first.
HEADLINES = (
    Headline(
        "Can the guaranteed saving exceed 52 %?", ("energy.exceed-52", "energy.reach"), _exceed
    ),
    Headline("What can 40 % idle time give?", ("energy.cap", "energy.any-power"), _forty),
    Headline(
        "Is the paper's limit a cap on savings?",
        ("energy.limit-is-a-cap", "energy.limit-sharp"),
        _cap,
    ),
    Headline(
        "Where does Theorem 2 bite?",
        ("threshold.t2-static", "geometric.bfio-upper-range", "geometric.vacuity"),
        _theorem_2,
    ),
    Headline("What does Theorem 1 say at B = 72?", ("warmup.vacuity",), _theorem_1),
    Headline("Does the reported 28 % fit?", ("experiment.energy28", "energy.saving-28"), _saving),
    Headline("Does FCFS idle more than 40 %?", ("waste.idle40",), _idle),
    Headline(
        "Is Theorem 1's constant tight?",
        ("step.full-refill-tight", "fcfs.worst-case", "limits.pool-condition-refill"),
        _tight,
    ),
    Headline("Is BF-IO better on every instance?", ("iir.per-instance",), _per_instance),
    Headline('Is "max - min <= s_max after an optimal step" true?', ("step.gap-naive",), _naive),
)


def headlines(entries: Iterable[Record]) -> list[tuple[str, str, str]]:
    """Question, answer and claims with their verdicts, where the run holds all that it needs."""
    found: Mapping[str, Record] = {entry["claim"]: entry for entry in entries}
    rows = []
    for line in HEADLINES:
        if all(label in found for label in line.labels):
            records = [found[label] for label in line.labels]
            verdicts = ", ".join(f"`{entry['claim']}` {entry['verdict']}" for entry in records)
            rows.append((line.question, line.answer(*records), verdicts))
    return rows


def headline_table(entries: Iterable[Record]) -> str:
    """The headlines as a Markdown table, empty if the run answers none; the README has the same."""
    rows = headlines(entries)
    lines = [HEAD, ("---",) * len(HEAD), *rows] if rows else []
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
