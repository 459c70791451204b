"""Every departure from small systems with all slots occupied."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations_with_replacement, product

from evenkeel.findings.check import Trial
from theory.formulas.departures import Rows

State = tuple[tuple[int, ...], ...]
Gone = tuple[tuple[bool, ...], ...]


def chances(rows: Rows, p: Fraction) -> Iterator[tuple[Gone, Fraction]]:
    """What departs from a state if every request does with probability ``p``, with its chance."""
    slots = [len(row) for row in rows]
    whole = sum(slots)
    of_count = [p**count * (1 - p) ** (whole - count) for count in range(whole + 1)]
    for gone in product(*(product((False, True), repeat=count) for count in slots)):
        if chance := of_count[sum(map(sum, gone))]:
            yield gone, chance


def states(trial: Trial) -> Iterator[State]:
    """Every state of the trial's small systems ``(G, B, largest load)``."""
    for workers, slots, top in trial["systems"]:
        rows = list(combinations_with_replacement(range(1, top + 1), slots))
        yield from combinations_with_replacement(rows, workers)


def departures(trial: Trial) -> Iterator[tuple[State, Gone]]:
    """Every state of the trial's small systems, and which of its requests depart."""
    for state in states(trial):
        outs = product((False, True), repeat=len(state[0]))
        for gone in product(list(outs), repeat=len(state)):
            yield state, gone


def departures_domain(trial: Trial) -> str:
    """The domain of :func:`departures` in words."""
    systems = ", ".join(f"G = {g}, B = {b}, loads <= {top}" for g, b, top in trial["systems"])
    return f"every state and departure pattern of {systems}"
