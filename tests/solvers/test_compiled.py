"""Machine code on disk, in processes of their own; most are forks of one that has loaded numba."""

import hashlib
import os
import subprocess
import sys
import sysconfig
from ast import literal_eval
from pathlib import Path

import numpy as np
import pytest

from solvers import kernel_cache
from tests.forks import forks

ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}

CALLEE = """
from solvers.compiled import compiled

@compiled
def callee():
    return {value}
"""
MIDDLE = """
from callee import callee
from solvers.compiled import compiled

@compiled
def middle():
    return callee() + 1
"""
CALLER = """
from middle import middle
from solvers.compiled import compiled

@compiled
def caller():
    return 10 * middle()

print(caller(), sum(caller.stats.cache_hits.values()))
"""


@pytest.fixture(scope="module")
def forked():
    """Makes processes that need not load the compiler."""
    with forks() as found:
        yield found


def test_the_cache_expires_with_the_functions_that_are_called(forked, tmp_path):
    (tmp_path / "middle.py").write_text(MIDDLE)
    (tmp_path / "caller.py").write_text(CALLER)

    def run(value):
        (tmp_path / "callee.py").write_text(CALLEE.format(value=value))
        return forked.run(tmp_path, "import caller").stdout.split()

    assert run(1) == ["20", "0"]
    assert run(200) == ["2010", "0"]  # another size of the file: machine code made of it is stale


# Numba's numbers of functions are all the same, as those of two processes may be.
SORTED = """
from itertools import repeat
import numpy as np
from numba.core.bytecode import FunctionIdentity
FunctionIdentity._unique_ids = repeat(1)
from solvers.compiled import compiled

@compiled
def sorted_by_{name}(values):
    return np.{name}(values)

print(sorted_by_{name}(np.array([30, 10, 20] * 10)).tolist())
"""


def test_closures_of_one_name_from_two_processes_are_two(forked, tmp_path):
    """What a sort and an order are made of has one name in processes that make one each."""
    values = np.array([30, 10, 20] * 10)
    expected = [np.sort(values).tolist(), values[np.argsort(values)].tolist()]
    for name in ("sort", "argsort"):
        (tmp_path / f"by_{name}.py").write_text(SORTED.format(name=name))
        forked.run(tmp_path, f"import by_{name}")
    for first, second in (("sort", "argsort"), ("argsort", "sort")):
        lines = forked.run(tmp_path, f"import by_{first}, by_{second}").stdout.splitlines()
        found = {first: literal_eval(lines[0]), second: literal_eval(lines[1])}
        assert [found["sort"], values[found["argsort"]].tolist()] == expected


def test_the_cache_is_used_while_nothing_changes(tmp_path):
    """In processes that share nothing else."""
    (tmp_path / "callee.py").write_text(CALLEE.format(value=1))
    (tmp_path / "middle.py").write_text(MIDDLE)
    (tmp_path / "caller.py").write_text(CALLER)
    command = [sys.executable, "-c", "import caller"]
    outputs = [
        subprocess.run(
            command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    assert [text.split() for text in outputs] == [["20", "0"], ["20", "1"]]


def test_a_cache_that_names_a_type_that_is_gone_is_stale(forked, tmp_path):
    text = """
from typing import NamedTuple
from solvers.compiled import compiled

class {name}(NamedTuple):
    value: int

@compiled
def value(of):
    return of.value

print(value({name}(7)))
"""
    for name in ("Before", "Since"):
        (tmp_path / "module.py").write_text(text.format(name=name))
        assert forked.run(tmp_path, "import module").stdout == "7\n"


SMALL = """
from solvers.compiled import compiled
from constants import STEP

@compiled
def kernel(n):
    return n + STEP

print(kernel(1), sum(kernel.stats.cache_hits.values()))
"""


def written(folder, step=1):
    """A folder that has a small kernel now."""
    (folder / "small.py").write_text(SMALL)
    (folder / "constants.py").write_text(f"STEP = {step}\n")
    return folder


@pytest.fixture
def small(forked):
    """Runs a small kernel in a process of its own; returns what it prints and what it says."""

    def run(folder, step=1, **environment):
        done = forked.run(written(folder, step), "import small", **environment)
        return done.stdout.split(), done.stderr

    return run


def kept(folder):
    return sorted(folder.rglob("*.nbc"))


def test_the_cache_expires_with_a_constant_of_a_file_without_a_compiled_function(small, tmp_path):
    assert small(tmp_path, 1) == (["2", "0"], "")
    assert small(tmp_path, 1) == (["2", "1"], "")
    assert small(tmp_path, 7) == (["8", "0"], "")
    assert len(kept(tmp_path)) == 1  # what is stale is removed


def test_the_cache_expires_with_what_a_package_imports_not_with_what_it_has(forked, tmp_path):
    """Else processes that load more of a package than others would remove each other's code."""
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("from package import (\n    step,\n)\nSTEP = step.STEP\n")
    (package / "other.py").touch()
    (tmp_path / "small.py").write_text(SMALL.replace("constants", "package"))
    for step, modules, expected in [
        (1, "small", "2 0"),
        (1, "package.other, small", "2 1"),
        (7, "small", "8 0"),
        (7, "package.other, small", "8 1"),
    ]:
        (package / "step.py").write_text(f"STEP = {step}\n")
        assert forked.run(tmp_path, f"import {modules}").stdout == f"{expected}\n"


@pytest.fixture(scope="module")
def warm(forked, tmp_path_factory):
    """A folder with a small kernel and its machine code."""
    folder = written(tmp_path_factory.mktemp("warm"))
    forked.run(folder, "import small")
    return folder


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole[: len(whole) // 2],
        lambda whole: b"",
        lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]),
        lambda whole: whole[:40] + whole[41:],
    ],
    ids=["half", "empty", "one bit", "one byte less"],
)
def test_a_damaged_file_is_made_anew(small, warm, damage):
    (path,) = kept(warm)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert small(warm) == (["2", "0"], "")
    (path,) = kept(warm)
    found = path.read_bytes()
    assert hashlib.sha256(found[32:]).digest() == found[:32]


def test_nothing_is_read_where_others_can_write_and_one_line_says_so(small, tmp_path):
    nowhere, temporary = tmp_path / "file", tmp_path / "with a space é"
    nowhere.touch()
    temporary.mkdir()
    (tmp_path / "__pycache__").touch()
    places = {"HOME": str(nowhere), "XDG_CACHE_HOME": str(nowhere), "TMPDIR": str(temporary)}
    assert small(tmp_path, **places) == (["2", "0"], "")
    assert small(tmp_path, **places) == (["2", "1"], "")
    (private,) = temporary.iterdir()
    private.chmod(0o777)  # where others write, nothing is read
    found, said = small(tmp_path, **places)
    assert found == ["2", "0"]
    assert said.startswith("note: no folder for compiled code can be written")
    assert said.count("\n") == 1


def test_nothing_is_kept_among_installed_packages(tmp_path, monkeypatch):
    """What is uninstalled would leave a folder that can be imported."""
    installed = Path(sysconfig.get_path("purelib"))
    assert installed / "__pycache__" not in list(kernel_cache._folders(installed))
    assert installed / "theory" / "__pycache__" not in list(
        kernel_cache._folders(installed / "theory")
    )
    assert tmp_path / "__pycache__" in list(kernel_cache._folders(tmp_path))


def test_processes_that_compile_at_once_do_not_disturb_each_other(forked, small, tmp_path):
    small(tmp_path)
    for path in kept(tmp_path):
        path.unlink()
    for status, out, err in forked.at_once(tmp_path, "import small", 4):
        assert (status, out.split()[0], err) == (0, "2", "")
    assert [path.suffix for path in (tmp_path / "__pycache__").iterdir()].count(".nbc") == 1
    assert small(tmp_path) == (["2", "1"], "")


def test_numba_that_is_switched_off_is_on_here(small, tmp_path):
    """Plain Python has other integers than 64-bit ones that wrap."""
    done = subprocess.run(
        [sys.executable, "-B", "-c", "import small"],
        cwd=written(tmp_path),
        env=ENVIRONMENT | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout.split(), done.stderr) == (["2", "0"], "")
    assert small(tmp_path) == (["2", "1"], "")


TWO = """
from solvers.compiled import compiled

@compiled
def added(n):
    return n + 1

@compiled
def outer(n):
    return added(n) + added(1)
"""


@pytest.fixture
def two(forked):
    """What calls print in a process of their own, which may read what another has compiled."""

    def run(folder, calls):
        (folder / "two.py").write_text(TWO)
        code = f"from two import added, outer; print({calls})"
        return forked.run(folder, code).stdout.split()

    return run


def misses(name):
    return f"sum({name}.stats.cache_misses.values())"


def remove(folder, function, kind=""):
    """Remove a function's machine code, or that of one kind."""
    for path in kept(folder):
        if path.name.startswith(f"{function}-") and path.name.endswith(f"{kind}.nbc"):
            path.unlink()


def test_python_calls_what_was_compiled_for_other_compiled_code(two, tmp_path):
    made = f"{misses('added')}, {misses('outer')}"
    assert two(tmp_path, f"outer(5), added(5), added(6), {made}") == ["8", "6", "7", "1", "1"]
    kinds = [path.suffixes[-2] for path in kept(tmp_path)]
    assert [kinds.count(each) for each in (".inner", ".entry")] == [1, 1]
    assert len(kinds) == 3
    # All is read again, whoever calls first; without its entry, only that is made.
    assert two(tmp_path, f"added(5), outer(5), {made}") == ["6", "8", "0", "0"]
    remove(tmp_path, "two.added", ".entry")
    assert two(tmp_path, f"added(5), added(6), {made}") == ["6", "7", "0", "0"]
    # What is made for Python serves compiled code as well.
    remove(tmp_path, "two.added", ".inner")
    assert two(tmp_path, f"added(5), {made}") == ["6", "1", "0"]
    remove(tmp_path, "two.outer")
    assert two(tmp_path, f"outer(5), added(5), {made}") == ["8", "6", "0", "1"]


ROWS = """
import numpy as np
from solvers.compiled import compiled

@compiled
def row(n):
    return np.arange(n)

@compiled
def size(n):
    return row(n).size
"""


def test_python_gets_arrays_from_what_another_process_compiled_for_compiled_code(forked, tmp_path):
    (tmp_path / "rows.py").write_text(ROWS)
    assert forked.run(tmp_path, "from rows import size; print(size(3))").stdout == "3\n"
    # The entry is made to machine code that was read, and then read itself.
    for _ in range(2):
        done = forked.run(tmp_path, "from rows import row; print(row(3).tolist())")
        assert done.stdout == "[0, 1, 2]\n"


def test_a_constant_argument_needs_no_code_of_its_own(two, tmp_path):
    assert two(tmp_path, "outer(5), len(added.overloads)") == ["8", "1"]


def test_one_of_several_processes_compiles(forked, tmp_path):
    (tmp_path / "two.py").write_text(TWO)
    code = f"from two import added, outer; print(outer(5), {misses('outer')} + {misses('added')})"
    seen = sorted(
        (done.returncode, *done.stdout.split()) for done in forked.at_once(tmp_path, code, 3)
    )
    assert seen == [(0, "8", "0"), (0, "8", "0"), (0, "8", "2")]


# Of more than a hundred instructions, and soon compiled.
LARGE = """
from solvers.compiled import compiled

@compiled
def large(n):
    total = n
    for i in range(1, n):
        a, b, c = total % 7 + i, n // i + 2, i * i % (n + 1)
        total += (a + n) // (b * b + 1) + (b + n) % (c * c + 2) + (c + n) // (a * a + 3)
        if a > b:
            total += (a * n) % (b * c + 4) + (b * n) // (a * c + 5) + (c * n) % (a * b + 6)
    return total
"""
CALLERS = """
from large import large
from solvers.compiled import compiled

@compiled
def small(n):
    return large(n) + 1

@compiled
def outer(n):
    return small(n) + large(n + 1)
"""


@pytest.fixture
def large(forked):
    """What code prints, in a process of its own that finds ``large``, ``small``, ``outer``."""

    def run(folder, code):
        (folder / "large.py").write_text(LARGE)
        (folder / "callers.py").write_text(CALLERS)
        found = forked.run(folder, f"from callers import large, outer, small; {code}")
        return found.stdout.split()

    return run


DEFINED = """
(code,) = outer.overloads.values()
(callee,) = large.overloads.values()
name = callee.fndesc.mangled_name
print(name in code.library.get_llvm_str(), bool(code.library.get_function(name).is_declaration))
"""


def test_machine_code_of_a_large_function_is_called_and_not_copied(large, tmp_path):
    """This fails where another numba no longer lets us choose what is linked into a caller."""
    plain = {}
    exec(LARGE.replace("@compiled", ""), plain)
    expected = str(plain["large"](5) + 1 + plain["large"](6))
    assert large(tmp_path, "print(outer(5))\n" + DEFINED) == [expected, "True", "True"]
    loaded = f"print(outer(5), {misses('outer')}, {misses('large')}, large(5) + 1 == small(5))"
    assert large(tmp_path, loaded) == [expected, "0", "0", "True"]


def test_code_made_anew_by_another_process_is_found_by_callers_and_by_python(large, tmp_path):
    first, third = large(tmp_path, "print(outer(5), large(3))")
    remove(tmp_path, "large.large", ".inner")
    code = f"print(outer(5), large(3), {misses('outer')}, {misses('large')})"
    assert large(tmp_path, code) == [first, third, "0", "1"]
    assert large(tmp_path, code) == [first, third, "0", "0"]
    remove(tmp_path, "large.large")
    assert large(tmp_path, code) == [first, third, "0", "1"]


PAIRED = """
from typing import NamedTuple
from solvers.compiled import compiled

class Pair(NamedTuple):
    low: int
    high: int

@compiled
def pair(n):
    if n < 0:
        raise ValueError("none below 0")
    return Pair(n, n + 1)

def refused():
    try:
        return pair(-1)
    except ValueError as error:
        return error

@compiled
def added(n):
    return pair(n).low + pair(n).high
"""


@pytest.mark.parametrize("calls", ["added(3), pair(3), refused()", "pair(3), refused(), added(3)"])
def test_what_python_is_given_does_not_depend_on_who_calls_first(forked, tmp_path, calls):
    """The code for Python has an object, the class, that the code for compiled code has not."""
    expected = {"added(3)": "7", "pair(3)": "Pair(low=3, high=4)", "refused()": "none below 0"}
    (tmp_path / "paired.py").write_text(PAIRED)
    for _ in range(2):  # made, then read
        done = forked.run(tmp_path, f"from paired import *; print({calls}, sep='; ')")
        assert done.stdout.strip().split("; ") == [expected[call] for call in calls.split(", ")]
