"""The tool that plants faults: which ones, where their tests are, and that it judges rightly."""

import ast
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.mutants import CAUGHT, NO_TEST, SURVIVED, Suite, main, planted, report, run, sites

MODULE = """\
def larger(x, y):
    if x > y:
        return x
    return y


def unseen(x):
    return x + 1
"""
TEST = """\
from pack.numbers import larger


def test_larger():
    assert (larger(1, 2), larger(2, 1)) == (2, 2)
"""


def checkout(folder, files):
    subprocess.run(["git", "init", "-q", folder], check=True)
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def changed(text):
    """Changes of a text with what becomes of it."""
    tree = ast.parse(text)
    mutants = [planted("m.py", text, tree, site) for site in sites(tree)]
    return {m.change: m.source for m in mutants if m}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a < b", {"(a <= b)", "(a > b)"}),
        ("x = a + b * c", {"x = (a - b * c)", "x = a + (b + c)"}),
        ("x = 2", {"x = (3)", "x = (1)"}),
        ("x = not a or b", {"x = (not a and b)", "x = (a) or b"}),
        ("x = min(a, b)", {"x = (max(a, b))"}),
        ("x += y", {"x -= y", "pass"}),
        ("f(x)", {"pass"}),
        ("x.y = z", {"pass"}),
        ("x = -y", {"x = (y)"}),
        ("x = y if a else z", {"x = y if (not a) else z"}),
        (
            "if a:\n    raise E(1 + 1)",
            {f"if ({new}):\n    raise E(1 + 1)" for new in ("not a", False)},
        ),
        # An f-string is written anew as a whole.
        ("x = f'{é} {a - b:.1f} %'", {"x = f'{é} {a + b:.1f} %'"}),
        # Nothing is changed in texts, annotations, decorators and imports.
        ("'text' + f'{x}'", set()),
        ("x: List[1]", set()),
        ("@d(1)\ndef f(a: 1) -> 2: return a", set()),
        ("def f():\n    'doc'", set()),
    ],
)
def test_what_is_planted(text, expected):
    assert set(changed(text).values()) == expected


def test_a_change_is_told_with_its_line():
    text = "x = 1\n\ny = (a +\n     b)\n"
    tree = ast.parse(text)
    mutant = planted("m.py", text, tree, sites(tree)[-1])
    assert (mutant.line, mutant.change) == (3, "a + b  ->  a - b")
    assert mutant.source == "x = 1\n\ny = ((a - b))\n"


def test_tests_are_found_by_name_by_imports_and_by_label(tmp_path):
    files = {
        "app/base.py": "",
        "app/theorems/family.py": 'from app import base\n@claim("base.good", 1)\nclass F: ...\n',
        "app/theorems/shared.py": "",
        "app/theorems/other.py": 'import app.theorems.shared\nclaim("base.other")(int)\n',
        "tests/test_base.py": "",
        "tests/test_direct.py": "def test():\n    from app.base import x\n",
        "tests/test_far.py": "import app.theorems.family\n",
        "tests/power/test_power.py": "import app.theorems.family\n",
        "bench/test_speed.py": "import app.base\n",
        "app/cli/go.py": "from app.deep import x\n",
        "app/deep.py": "",
        "tests/app/test_words.py": 'call("go --fast")\n',
        "tests/test_more.py": "import app.deep\n",
        "tests/app/test_more.py": "import app.deep\n",
    }
    suite = Suite(checkout(tmp_path, files), list(files))
    near, far = [["tests/test_base.py"], ["tests/test_direct.py"]], ["tests/test_far.py"]
    assert suite.runs("app/base.py", 9) == [*near, far]
    assert suite.runs("app/base.py", 2) == near
    assert suite.runs("app/deep.py", 9) == [
        ["tests/app/test_more.py"],
        ["tests/test_more.py"],
        ["tests/app/test_words.py"],
    ]
    assert suite.runs("app/theorems/family.py", 9) == [["tests/power", "-k", "[base.good]"], far]
    assert suite.runs("app/theorems/shared.py", 9) == [["tests/power", "-k", "[base.other]"]]


@pytest.mark.slow
def test_a_caught_and_a_surviving_mutant(tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    files = {"pack/numbers.py": MODULE, "tests/test_numbers.py": TEST, "pack/lone.py": "x = 1\n"}
    root = checkout(tmp_path / "checkout", files)
    results = run(root, ["pack"], number=99, seed=0, timeout=60, jobs=2, most=5)
    found = {(m.path, m.line, m.change): verdict for m, verdict in results}
    assert found == {
        ("pack/numbers.py", 2, "x > y  ->  x >= y"): SURVIVED,  # it changes nothing
        ("pack/numbers.py", 2, "x > y  ->  x < y"): CAUGHT,
        ("pack/numbers.py", 2, "x > y  ->  not x > y"): CAUGHT,
        ("pack/numbers.py", 2, "x > y  ->  False"): CAUGHT,
        ("pack/numbers.py", 8, "x + 1  ->  x - 1"): SURVIVED,
        ("pack/numbers.py", 8, "1  ->  2"): SURVIVED,
        ("pack/numbers.py", 8, "1  ->  0"): SURVIVED,
        ("pack/lone.py", 1, "1  ->  2"): NO_TEST,
        ("pack/lone.py", 1, "1  ->  0"): NO_TEST,
    }
    lines = list(report(results))
    assert lines[0] == "3 of 7 mutants caught (43 %)"
    assert lines.count("SURVIVED  pack/numbers.py:8  x + 1  ->  x - 1") == 1
    assert len(lines) == 1 + 4 + 2
    # The same sample for the same seed, and nothing is left or changed.
    again, other = (
        [m for m, _ in run(root, ["pack/lone.py"], 2, seed, 60, 1, 5)] for seed in (3, 3)
    )
    assert again == other
    assert list(scratch.iterdir()) == []
    assert {p: (root / p).read_text() for p in files} == files
    assert sorted(p.name for p in root.rglob("*") if ".git" not in p.parts) == sorted(
        ["pack", "tests", *(Path(p).name for p in files)]
    )


COMPILED = """\
from numba import njit


@njit(cache=True)
def twice(x):
    return x * 2
"""


@pytest.mark.slow
def test_machine_code_is_compiled_again_for_a_mutant(tmp_path):
    test = "from pack.code import twice\n\n\ndef test():\n    assert twice(3) == 6\n"
    root = checkout(tmp_path, {"pack/code.py": COMPILED, "tests/test_code.py": test})
    results = run(root, ["pack"], number=9, seed=0, timeout=60, jobs=1, most=5)
    assert {m.change: verdict for m, verdict in results} == {
        "x * 2  ->  x + 2": CAUGHT,
        "2  ->  3": CAUGHT,
        "2  ->  1": CAUGHT,
    }


@pytest.mark.slow
def test_time_up_is_caught_and_tests_that_fail_anyway_do_not_count(tmp_path, capsys):
    files = {
        "pack/wait.py": "import time\n\n\ndef wait():\n    while False:\n        pass\n",
        "tests/test_wait.py": "from pack.wait import wait\n\n\ndef test():\n    wait()\n",
        "tests/test_broken.py": "import pack.wait\n\n\ndef test():\n    assert False\n",
    }
    root = checkout(tmp_path, files)
    results = run(root, ["pack"], number=9, seed=0, timeout=2, jobs=1, most=5)
    assert {verdict for _, verdict in results} == {CAUGHT}
    assert "left out, fails without a mutant: tests/test_broken.py" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing(tmp_path, number):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    test = "import pack.lone, time, pathlib\n\n\ndef test():\n    time.sleep(100)\n"
    root = checkout(tmp_path / "checkout", {"pack/lone.py": "x = 1\n", "tests/test_it.py": test})
    program = (
        f"import os, sys; sys.path.insert(0, {str(Path.cwd())!r}); os.chdir({str(root)!r});"
        "from benchmarks.mutants import main; main(['pack'])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env={"TMPDIR": str(scratch), "PATH": "/usr/bin:/bin"},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while not list(scratch.glob("*/0/scratch")):
            time.sleep(0.05)
        time.sleep(0.5)
        while process.poll() is None:  # an impatient user
            process.send_signal(number)
            time.sleep(0.002)
        assert "interrupted" in process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert list(scratch.iterdir()) == []


def test_a_folder_without_code_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(checkout(tmp_path, {"pack/empty.py": ""}))
    with pytest.raises(SystemExit, match="no code to change in pack"):
        main(["pack"])
