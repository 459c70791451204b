"""Sums, extremes, counts, copies and the order of arrays in compiled code.

They are compiled once, as plain loops: each of numpy's own takes the compiler
several times as long, and again in every kernel that asks for one.  A copy into a slice takes it
seconds, for the words of an error about shapes.  All are of arrays of one dimension, as
``(n,) = values.shape`` has the compiler make sure.
"""

from typing import Any

from numpy.typing import NDArray

from solvers.compiled import compiled
from theory.model import IntArray

Array = NDArray[Any]


@compiled
def sum_of(values: IntArray) -> int:
    """Sum of integers; 0 of none."""
    (n,) = values.shape
    result = 0
    for i in range(n):
        result += values[i]
    return result


@compiled
def max_of(values: IntArray) -> int:
    """Largest of at least one integer."""
    (n,) = values.shape
    result: int = values[0]
    for i in range(1, n):
        result = max(result, values[i])
    return result


@compiled
def min_of(values: IntArray) -> int:
    """Smallest of at least one integer."""
    (n,) = values.shape
    result: int = values[0]
    for i in range(1, n):
        result = min(result, values[i])
    return result


@compiled
def count_of(values: IntArray, value: int) -> int:
    """How often a number occurs."""
    (n,) = values.shape
    result = 0
    for i in range(n):
        result += values[i] == value
    return result


@compiled
def copy_into(target: Array, source: Array) -> None:
    """Copy an array of one dimension over another of its length."""
    (n,) = target.shape
    for i in range(n):
        target[i] = source[i]


@compiled
def sort_in_place(values: IntArray) -> None:
    """Sort a few integers, ascending, by insertion."""
    (n,) = values.shape
    for i in range(1, n):
        place, value = i, values[i]
        while place > 0 and values[place - 1] > value:
            values[place] = values[place - 1]
            place -= 1
        values[place] = value
