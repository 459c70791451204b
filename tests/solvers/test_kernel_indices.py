"""What a kernel takes an index for: a count from the start, unless it is written with a minus."""

import numba
import numpy as np
import pytest

from solvers.compiled import compiled
from theory.model import IntArray


@compiled
def read(row: IntArray, table: IntArray, short: IntArray, i: int) -> tuple[int, ...]:
    """Elements and parts, by numbers that are written, computed or of fewer bits."""
    place = short[i]
    return (
        row[0],
        row[-1],
        row[i],
        row[i - 2],
        row[place],
        row[np.uint8(i)],
        (i, 2 * i)[i - 3],
        table[-2, i],
        table[i, -1],
        table[i][-3],
        table[-1][place],
        row[-2:].sum() + row[:-i].sum() + row[-i:].sum(),
        table[-1].sum() + table[:, -2].sum() + table[i - 2, 1:-1].sum(),
    )


@compiled
def write(row: IntArray, table: IntArray, short: IntArray, i: int) -> None:
    """The same, to be set."""
    row[-1] = 10
    row[i] += 20
    row[i - 2] = 30
    row[short[0]] -= 40
    table[-1, i] = 50
    table[i, -1] -= 60
    table[i - 2][-2] = 70
    table[-2, 1:-1] = 80


@compiled
def element(row: IntArray, i: int) -> int:
    return row[i - 1]


@compiled
def cell(table: IntArray, i: int, j: int) -> int:
    return table[i - 1, j]


@compiled
def put(table: IntArray, i: int, j: int) -> None:
    table[i, j - 1] = 7


@compiled
def several(row: IntArray, places: IntArray) -> IntArray:
    return row[places]


def arrays():
    return np.arange(1, 6), np.arange(1, 13).reshape(3, 4), np.array([3, 1, 1], np.int32)


def anew(kernel):
    """The kernel with none of its machine code made or kept."""
    made = compiled(kernel.py_func)
    made._cache.stamp = ""
    return made


def test_a_kernel_reads_what_python_reads():
    assert read(*arrays(), 2) == read.py_func(*arrays(), 2)


def test_a_kernel_writes_what_python_writes():
    ours, plain = arrays(), arrays()
    write(*ours, 2)
    write.py_func(*plain, 2)
    for mine, theirs in zip(ours, plain, strict=True):
        assert mine.tolist() == theirs.tolist()


@pytest.mark.parametrize("i", [-1, 0, 5])
def test_a_computed_index_outside_is_refused_where_that_is_asked_for(i, monkeypatch):
    monkeypatch.setattr(numba.config, "BOUNDSCHECK", 1)
    row, table, _ = arrays()
    assert anew(element)(row, 1) == anew(cell)(table, 1, 0) == 1
    for kernel, values in ((element, (row[:4], i)), (cell, (table, i, 3)), (put, (table, 2, i))):
        with pytest.raises(IndexError, match="out of bounds"):
            anew(kernel)(*values)
    assert table.tolist() == arrays()[1].tolist()


def test_nothing_is_added_to_a_computed_index(monkeypatch):
    monkeypatch.setattr(numba.config, "BOUNDSCHECK", None)
    made = anew(element)
    assert made(np.arange(1, 4), 1) == 1
    (code,) = made.overloads.values()
    module = str(code.library._final_module)
    body = module[module.index(f"@{code.fndesc.mangled_name}(") :]
    body = body[: body.index("\n}")]
    assert "getelementptr" in body
    assert "select" not in body
    assert "icmp" not in body


@pytest.mark.parametrize("place", [-4, 3])
def test_indices_in_an_array_count_as_in_python(place, monkeypatch):
    monkeypatch.setattr(numba.config, "BOUNDSCHECK", 1)
    made, row = anew(several), np.arange(1, 4)
    assert made(row, np.array([-1, 0])).tolist() == [3, 1]
    with pytest.raises(IndexError, match="out of bounds"):
        made(row, np.array([0, place]))


def test_functions_of_others_count_from_the_end_as_before(monkeypatch):
    monkeypatch.setattr(numba.config, "BOUNDSCHECK", None)
    assert numba.njit(element.py_func)(np.arange(1, 4), 0) == 3
