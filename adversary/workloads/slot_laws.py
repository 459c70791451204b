"""Laws of a slot's load at which bounds on FCFS are compared: symmetric, skewed, of traces."""

from fractions import Fraction
from functools import cache

from adversary.workloads.trace_statistics import trace_lengths
from theory.laws.law import Law
from theory.laws.slot_load import geometric_slot


@cache
def slot_laws() -> dict[str, Law]:
    """The laws by what they are.

    A public trace stands for the law of its prompts floored to the cells of its histogram, in
    cells; the lengths of outputs are equal, except where they are said to be geometric.
    """
    uniform = Law.uniform(1, 100)
    laws = {
        "fair 1 or 2": Law.uniform(1, 2),
        "uniform 1..100": uniform,
        "uniform 1..100, geometric lengths of mean 100": geometric_slot(uniform, Fraction(1, 100)),
        "100 once in 100, else 1": Law.of({1: Fraction(99, 100), 100: Fraction(1, 100)}),
        "1 once in 100, else 100": Law.of({1: Fraction(1, 100), 100: Fraction(99, 100)}),
    }
    for name, lengths in trace_lengths().items():
        if lengths.floors is not None:
            laws[name] = lengths.floors
    return laws
