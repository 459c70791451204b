"""Sums and extremes of arrays of integers in compiled code.

They are plain loops, compiled once: each of numpy's own takes the compiler several times as long,
and again in every kernel that asks for one.
"""

from solvers.compiled import compiled
from theory.model import IntArray


@compiled
def sum_of(values: IntArray) -> int:
    """Sum of integers; 0 of none."""
    result = 0
    for i in range(values.size):
        result += values[i]
    return result


@compiled
def max_of(values: IntArray) -> int:
    """Largest of at least one integer."""
    result: int = values[0]
    for i in range(1, values.size):
        result = max(result, values[i])
    return result


@compiled
def min_of(values: IntArray) -> int:
    """Smallest of at least one integer."""
    result: int = values[0]
    for i in range(1, values.size):
        result = min(result, values[i])
    return result
