import subprocess
import sys

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


def test_the_cache_expires_with_the_functions_that_are_called(tmp_path):
    (tmp_path / "middle.py").write_text(MIDDLE)
    (tmp_path / "caller.py").write_text(CALLER)

    def run(value):
        (tmp_path / "callee.py").write_text(CALLEE.format(value=value))
        command = [sys.executable, "-c", "import caller"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.split()

    assert run(1) == ["20", "0"]
    assert run(200) == ["2010", "0"]  # another size of the file: machine code made of it is stale


def test_the_cache_is_used_while_nothing_changes(tmp_path):
    (tmp_path / "callee.py").write_text(CALLEE.format(value=1))
    (tmp_path / "middle.py").write_text(MIDDLE)
    (tmp_path / "caller.py").write_text(CALLER)
    command = [sys.executable, "-c", "import caller"]
    outputs = [
        subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert [text.split() for text in outputs] == [["20", "0"], ["20", "1"]]


def test_a_cache_that_names_a_type_that_is_gone_is_stale(tmp_path):
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
        command = [sys.executable, "-c", "import module"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert done.stdout == "7\n"
