"""Lengths of the public traces and of the paper's samples: statistics only, no rows.

``trace_facts.toml`` holds moments and where they come from; ``trace_sizes.csv`` the histogram of
the prompt lengths of each public trace, in at most 1,024 equal cells, from which
:func:`theory.formulas.vacuity.refill_imbalance` encloses expectations rigorously.  Run as a module
with the names and files of traces, it prints both anew.
"""

import csv
import sys
import tomllib
from fractions import Fraction
from functools import cache
from pathlib import Path

from theory.formulas.vacuity import Lengths
from theory.laws.law import Law
from theory.model import InputError, Requests

_HERE = Path(__file__).parent
CELLS = 1024


def lengths_of(name: str, requests: Requests, cells: int = CELLS) -> Lengths:
    """The statistics of a trace, its sizes floored to at most ``cells`` cells.

    Raises
    ------
    InputError
        If all sizes are equal: the theorems have nothing to say.
    """
    s = requests.prefill
    n, total = len(requests), int(s.sum())
    squares = sum(x * x for x in s.tolist())
    cell = -(-(int(s.max()) + 1) // cells)
    return Lengths(
        name,
        int(s.min()),
        int(s.max()),
        Fraction(total, n),
        Fraction(squares, n) - Fraction(total, n) ** 2,
        Fraction(n, int(requests.decode.sum())),
        Law.empirical(s // cell),
        cell,
    )


@cache
def trace_lengths() -> dict[str, Lengths]:
    """Every trace and sample by name; only the public traces come with the law of their sizes."""
    with (_HERE / "trace_sizes.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        counts = {row["trace"]: [int(n) for n in row["counts"].split()] for row in rows}
    found = {}
    for name, facts in tomllib.loads((_HERE / "trace_facts.toml").read_text("utf-8")).items():
        floors = None
        if name in counts:
            n = sum(counts[name])
            floors = Law.of({cell: Fraction(k, n) for cell, k in enumerate(counts[name]) if k})
        found[name] = Lengths(
            name,
            facts["smallest"],
            facts["largest"],
            Fraction(facts["mean"]),
            Fraction(facts["deviation"]) ** 2,
            1 / Fraction(facts["mean_output"]),
            floors,
            facts.get("cell", 1),
        )
    return found


def example_lengths() -> tuple[Lengths, ...]:
    """Three laws of sizes: many sizes, two, and a rare large one; with geometric lengths."""
    return tuple(
        Lengths.of(name, law, p)
        for name, law, p in (
            ("uniform 1..100", Law.uniform(1, 100), Fraction(1, 20)),
            ("fair 1 or 2", Law.of({1: Fraction(1, 2), 2: Fraction(1, 2)}), Fraction(1, 4)),
            ("rare 50", Law.of({1: Fraction(9, 10), 50: Fraction(1, 10)}), Fraction(1, 100)),
        )
    )


def trace_source(name: str) -> str:
    """Where the facts of a trace come from, and under which licence.

    Raises
    ------
    InputError
        If no trace of that name is known.
    """
    facts = tomllib.loads((_HERE / "trace_facts.toml").read_text("utf-8"))
    if name not in facts:
        raise InputError(f"unknown trace {name!r}; known: {', '.join(facts)}")
    return str(facts[name]["source"])


def _tables(files: dict[str, str]) -> tuple[str, str]:
    """The two tables for traces in files, as text."""
    from adversary.workloads.traces import read_trace  # loads what reads files

    facts, sizes = [], ["trace,counts"]
    for name, file in files.items():
        trace = read_trace(file)
        x = lengths_of(name, trace.requests)
        assert x.floors is not None
        facts.append(
            f"[{name}]\nrows = {len(trace.requests)}\nsmallest = {x.smallest}\n"
            f'largest = {x.largest}\nmean = "{float(x.mean):.10g}"\n'
            f'deviation = "{float(x.variance) ** 0.5:.10g}"\n'
            f'mean_output = "{float(1 / x.p):.10g}"\ncell = {x.cell}\n'
        )
        counts = [0] * x.floors.offset + list(x.floors.weights)
        sizes.append(f"{name},{' '.join(map(str, counts))}")
    return "\n".join(facts), "\n".join(sizes) + "\n"


if __name__ == "__main__":
    print("\n".join(_tables(dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True)))))
