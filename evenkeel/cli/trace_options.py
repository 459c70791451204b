"""The options of every command that reads a trace."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evenkeel.output import progress
from theory.model import InputError

if TYPE_CHECKING:
    from adversary.workloads.reading import Reading
    from adversary.workloads.traces import Trace
    from theory.model import Requests

# Option of the command line: how click declares it.
_OPTIONS: dict[str, dict[str, Any]] = {
    "--prefill": {"metavar": "FIELD", "help": "Field with the prompt lengths."},
    "--decode": {"metavar": "FIELD", "help": "Field with the output lengths."},
    "--arrival": {
        "metavar": "FIELD",
        "help": "Field with the arrival times.  A dotted name reaches into nested values, and may "
        "have keys with dots.  [default: of all three, those of the layout: evenkeel formats]",
    },
    "--arrival-unit": {
        "type": click.Choice(("s", "ms", "us", "ns", "iso")),
        "help": "What arrival times count.  [default: the layout's]",
    },
    "--drop-bad": {
        "is_flag": True,
        "help": "Drop rows that cannot be used, failed requests too, and say which; without it "
        "they refuse the trace.",
    },
    "--max-rows": {
        "type": click.IntRange(min=1),
        "help": "Refuse a trace of more rows.  [default: 10000000]",
    },
    "--max-bytes": {
        "type": click.IntRange(min=1),
        "help": "Refuse a trace that is larger when decompressed.  [default: 2 GiB]",
    },
}


def trace_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options, together, as its parameter ``reading``."""

    @wraps(command)
    def with_reading(**given: Any) -> None:
        from adversary.workloads.reading import Reading

        names = [option.lstrip("-").replace("-", "_") for option in _OPTIONS]
        asked = {name: given.pop(name) for name in names}
        command(**given, reading=Reading(**{k: v for k, v in asked.items() if v is not None}))

    for option, declared in reversed(_OPTIONS.items()):
        with_reading = click.option(option, **declared)(with_reading)
    return with_reading


def without_trace(reading: "Reading", what: str) -> None:
    """Refuse options on a trace where there is none.

    Raises
    ------
    InputError
        If ``reading`` asks for anything; ``what`` would give a trace.
    """
    from adversary.workloads.reading import DEFAULT

    if reading != DEFAULT:
        raise InputError(f"{', '.join(_OPTIONS)} say how a trace is read: give {what}")


def read(trace: str | Path, reading: "Reading") -> "Trace":
    """The trace, with progress on a terminal."""
    from adversary.workloads.traces import read_trace

    with progress(f"reading {trace}", None) as tick:
        return read_trace(trace, reading, progress=tick)


def served(
    trace: str | Path, reading: "Reading", *, timed: bool, pool: int | None
) -> "tuple[Trace, Requests]":
    """The trace, and its requests as they are to be served: at their times, or as a backlog.

    Raises
    ------
    InputError
        If the trace cannot be read, or has no times to serve it at, or a pool is given as well.
    """
    from theory.model import Requests

    if timed and pool is not None:
        raise InputError(
            "--pool goes without --timed: at arrival times a policy sees all that wait"
        )
    found = read(trace, reading)
    if not timed:
        return found, Requests(found.requests.prefill, found.requests.decode)
    if not found.has_arrivals:
        raise InputError(
            f"{found.name}: --timed needs arrival times, and the trace has none that are known; "
            "--arrival names their field"
        )
    return found, found.requests
