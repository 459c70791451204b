"""Records of checks: one JSON line each, in a file that an interrupt leaves readable.

A record holds what was asked (claim, parameters, seed, budget), what was found (verdict, both
sides, margin, witness) and the power of the check (planted false variants, caught or not).  Times
are kept apart in ``timings.jsonl``, so that the same seed gives the same bytes.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from evenkeel.findings.check import Budget, Check, Finding, Trial, Verdict, kill_rate
from evenkeel.findings.headline import Record
from evenkeel.output import plain, to_json, write_text
from theory.files import decoded, read_lines
from theory.model import InputError

SCHEMA = 3


# A number, or a fraction as an exact text; no power of ten that would fill the memory.
_Number = int | float | Annotated[str, msgspec.Meta(pattern=r"^(?!.*[eE][-+]?\d{4})")] | None


class _Details(msgspec.Struct):
    """What a report adds up of the details."""

    intervals: Annotated[int, msgspec.Meta(ge=0, le=10**9)] = 1


class _Known(msgspec.Struct):
    """What every record has: its schema, what was asked, and the answer."""

    schema: Annotated[int, msgspec.Meta(ge=SCHEMA, le=SCHEMA)]
    claim: Annotated[str, msgspec.Meta(min_length=1)]
    measures: str
    budget: Budget
    seed: int
    params: dict[str, Any]
    verdict: Verdict
    computed: _Number
    relation: str
    claimed: _Number
    margin: _Number
    interval: tuple[_Number, _Number] | None
    domain: str
    witness: dict[str, Any] | None
    details: _Details
    kill_rate: str
    power: dict[str, bool]
    smallest_factor: _Number
    versions: dict[str, str]


def record(
    check: Check,
    trial: Trial,
    finding: Finding,
    power: Mapping[str, bool] | None,
    versions: Mapping[str, str],
) -> Record:
    """One line of ``records.jsonl`` in JSON's types.

    A claim whose check catches none of its planted false variants, or has none, keeps its
    verdict, but its ``kill_rate`` reads ``no power``; it is empty where power was not measured.
    ``smallest_factor`` is the factor nearest to 1 on a claimed side that was caught.
    """
    nothing_ran = finding.verdict is Verdict.NOT_CHECKED
    factor = check.smallest_factor(power) if power else None
    entry: Record = plain(
        {
            "schema": SCHEMA,
            "claim": check.label,
            "measures": check.measures,
            "budget": trial.budget,
            "seed": trial.seed,
            "params": trial.params,
            "verdict": finding.verdict,
            "computed": finding.computed,
            "relation": finding.relation,
            "claimed": finding.claimed,
            "margin": finding.margin,
            "interval": finding.interval,
            "domain": finding.domain,
            "witness": finding.witness,
            "details": finding.details,
            "kill_rate": "" if power is None or nothing_ran else kill_rate(power),
            "power": power or {},
            "smallest_factor": factor,
            "versions": versions,
        }
    )
    return entry


def key(entry: Mapping[str, Any]) -> str:
    """What identifies a record in a run: its claim, budget, seed and parameters, as JSON."""
    return to_json([entry["claim"], entry["budget"], entry["seed"], entry["params"]])


class RecordFile:
    """An append-only file of records that survives an interrupt.

    Every record is one ``write`` followed by a flush to disk; a last line cut short by a crash is
    dropped when the file is opened again.

    Parameters
    ----------
    path : Path
        ``records.jsonl`` of the run.
    resume : bool
        Keep the records that are there; otherwise the file starts empty.

    Raises
    ------
    InputError
        If the file cannot be read or written, or a line in its middle is not a record.
    """

    def __init__(self, path: Path, *, resume: bool) -> None:
        self.path = path
        self.entries: dict[str, Record] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if resume and os.path.lexists(path):
                self.entries = {key(entry): entry for entry in read_records(path)}
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror or error}") from error
        write_text(path, "".join(to_json(entry) + "\n" for entry in self.entries.values()))

    def append(self, entry: Record) -> None:
        """Add a record, durably."""
        line = to_json(entry) + "\n"
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise InputError(f"cannot write {self.path}: {error.strerror or error}") from error
        self.entries[key(entry)] = entry

    def finish(self, order: Mapping[str, int]) -> list[Record]:
        """Rewrite the file with its records in the order of their claims, and return them."""
        entries = sorted(
            self.entries.values(),
            key=lambda entry: (order.get(entry["claim"], len(order)), key(entry)),
        )
        write_text(self.path, "".join(to_json(entry) + "\n" for entry in entries))
        return entries


def read_records(path: Path) -> Iterator[Record]:
    """The records of a file; a last line without its end is dropped.

    Raises
    ------
    InputError
        If a complete line is not a record of this schema.
    """
    for number, line in read_lines(path):
        if not line.endswith(b"\n"):
            return
        try:
            decoded(line, _Known)
            entry = decoded(line, dict[str, Any])
        except InputError as error:
            raise InputError(
                f"{path} line {number} is not a record of schema {SCHEMA} ({error}): "
                "remove the file, or run without --resume"
            ) from None
        yield entry
