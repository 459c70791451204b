"""What kernels count of their arguments' arrays: nothing that is lent, all that is their own."""

import sys
from typing import NamedTuple

import numpy as np
import pytest
from numba import typeof
from numba.core.runtime import _nrt_python as allocations

from solvers.compiled import compiled
from theory.model import IntArray


class Pair(NamedTuple):
    first: IntArray
    second: IntArray


@compiled
def read(pair: Pair, numbers: IntArray) -> int:
    """Loops more than once, over an argument and over members by name and by place, or returns."""
    first, second = pair
    total = 0
    for x in numbers:
        if x > 100:
            return total
        for y in pair.first:
            if y > 100:
                return total
            total += x // y
    for x in first:
        for y in second:
            total += x // y
    return total


@compiled
def rebind(pair: Pair, numbers: IntArray) -> int:
    """Names that are lent an array, and have one of their own later or elsewhere."""
    kept = pair.second
    total = 0
    for x in range(3):
        if x > 0:
            numbers = numbers + 1
            kept = numbers + 2
            pair = Pair(kept, pair.first)
        other = np.full(numbers.size, 100)  # where something was freed too early
        total += other.sum() + kept.sum() + pair.first.sum() * numbers.sum()
    return total


@compiled
def give_back(pair: Pair, numbers: IntArray) -> tuple[IntArray, Pair, IntArray]:
    """What is lent leaves as what the caller owns."""
    chosen = pair.first
    if numbers.size > 2:
        chosen = numbers
    return chosen, Pair(pair.second, numbers), pair.first[1:]


@compiled
def pass_on(pair: Pair, numbers: IntArray) -> int:
    """Arrays of its own are lent to others, and freed."""
    total = 0
    for i in range(3):
        mine = numbers[i:] + i
        total += read(Pair(mine, pair.second), mine) + rebind(pair, mine)
    return total


def plain(value):
    return np.asarray(value).tolist() if not isinstance(value, tuple) else [*map(plain, value)]


@pytest.mark.parametrize("kernel", [read, rebind, give_back, pass_on])
def test_what_a_kernel_allocates_it_frees_and_nothing_else(kernel):
    arrays = [np.arange(1, n) for n in (4, 5, 6)]

    def call(function):
        return plain(function(Pair(*arrays[:2]), arrays[2]))

    assert call(kernel) == call(kernel.py_func)
    held = [sys.getrefcount(array) for array in arrays]
    allocations.memsys_enable_stats()
    try:
        made, freed = allocations.memsys_get_stats_alloc(), allocations.memsys_get_stats_free()
        for _ in range(50):
            call(kernel)
        made = allocations.memsys_get_stats_alloc() - made
        assert allocations.memsys_get_stats_free() - freed == made > 0
    finally:
        allocations.memsys_disable_stats()
    assert [sys.getrefcount(array) for array in arrays] == held
    assert [array.tolist() for array in arrays] == [[1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4, 5]]


def test_arrays_go_through_an_entry_to_code_that_was_made_for_other_code():
    arrays = [np.arange(1, n) for n in (4, 5, 6)]
    arguments = Pair(*arrays[:2]), arrays[2]
    made = compiled(give_back.py_func)
    made._cache.stamp = ""  # so that what Python calls is not found on disk
    body = made.code_of(tuple(map(typeof, arguments)))
    held = [sys.getrefcount(array) for array in arrays]
    for _ in range(50):
        assert plain(made(*arguments)) == plain(give_back.py_func(*arguments))
    assert [sys.getrefcount(array) for array in arrays] == held
    assert list(made.overloads.values()) == [body]


def test_nothing_is_counted_of_what_is_lent():
    made = compiled(read.py_func)
    made._cache.stamp = ""  # so that none is found on disk, which is no longer in words
    made(Pair(np.arange(1, 3), np.arange(1, 3)), np.arange(1, 3))
    (code,) = made.overloads.values()
    module = str(code.library._final_module)
    body = module[module.index(f"@{code.fndesc.mangled_name}(") :]
    assert "NRT_" not in body[: body.index("\n}")]
