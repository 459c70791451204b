"""Folders and files of a user that have the names of our packages, met by real processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from evenkeel.shadows import FLOORS

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "import evenkeel\nprint(evenkeel.System.paper(2, 3).slots)\n"
# As an editable installation does it: after the folders of the path.
EDITABLE = f"""
import sys
from importlib.machinery import PathFinder

class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return None if path else PathFinder.find_spec(name, [{str(ROOT)!r}])

sys.path = [folder for folder in sys.path if folder != {str(ROOT)!r}]
sys.meta_path = [finder for finder in sys.meta_path if "Editable" not in str(finder)]
sys.meta_path.append(Finder)
"""


def run(*words, folder, path=(ROOT,)):
    env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path)), "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=folder,
        env=env,
        check=False,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


def shadow(folder, name, kind):
    """A folder or a file of that name; returns its path."""
    path = folder / (f"{name}.py" if kind == "file" else name)
    if kind == "file":
        path.write_text("mine = 1\n")
        return path
    path.mkdir()
    (path / "lemma.txt").write_text("a lemma\n")
    if kind == "package":
        (path / "__init__.py").write_text("mine = 1\n")
    return path


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(PROGRAM)
    return path


@pytest.mark.parametrize("name", FLOORS)
@pytest.mark.parametrize("kind", ["package", "file"])
def test_a_script_beside_a_package_of_our_name_is_told(script, name, kind):
    other = shadow(script.parent, name, kind)
    code, out, err = run(script, folder="/")
    assert (code, out) == (1, "")
    last = err.splitlines()[-1]
    assert last.startswith(f"ImportError: {other} shadows evenkeel's package {name!r}")
    assert "rename it" in last


def test_what_the_message_says_helps(script):
    other = shadow(script.parent, "theory", "package")
    assert run("-P", script, folder="/")[:2] == (0, "3\n")
    other.rename(other.with_name("my_theory"))
    assert run(script, folder="/")[:2] == (0, "3\n")


@pytest.mark.parametrize("kind", ["package", "file"])
def test_whoever_imports_their_own_first_is_told_too(script, kind):
    other = shadow(script.parent, "theory", kind)
    script.write_text(
        f"import theory; import sys; sys.path.remove({str(script.parent)!r})\n{PROGRAM}"
    )
    err = run(script, folder="/")[2]
    assert f"ImportError: {other} shadows evenkeel's package 'theory'" in err
    script.write_text(
        f"import sys, types; sys.modules['theory'] = types.ModuleType('t')\n{PROGRAM}"
    )
    err = run(script, folder="/")[2]
    assert "ImportError: a module 'theory' shadows evenkeel's package 'theory'" in err


def test_a_plain_folder_is_no_package(script):
    """Unless the installation is an editable one, whose packages come after the path's."""
    other = shadow(script.parent, "theory", "folder")
    assert run(script, folder="/")[:2] == (0, "3\n")
    script.write_text(EDITABLE + PROGRAM)
    err = run(script, folder="/", path=())[2]
    assert f"ImportError: {other} shadows evenkeel's package 'theory'" in err
    other.rename(other.with_name("my_theory"))
    assert run(script, folder="/", path=())[:2] == (0, "3\n")


@pytest.mark.parametrize("kind", ["package", "file"])
def test_the_command_line_says_it_in_a_line(tmp_path, kind):
    other = shadow(tmp_path, "solvers", kind)
    code, out, err = run("-m", "evenkeel", "claims", folder=tmp_path)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {other} shadows evenkeel's package 'solvers'")
    assert err.count("\n") == 1
    console = "from evenkeel.cli.main import main; main()"  # what the installed script does
    assert run("-c", console, folder="/", path=(tmp_path, ROOT))[:2] == (2, "")
    assert run("-P", "-m", "evenkeel", "--version", folder=tmp_path)[0] == 0


def test_a_folder_beside_code_of_ones_own_is_not_taken_for_ours(tmp_path):
    """The folder of that code comes first on the path, in this process and in its workers."""
    for name in FLOORS:
        shadow(tmp_path, name, "package")
    (tmp_path / "mine.py").write_text(
        "from evenkeel import figure, table\n"
        "@table('x')\n"
        "def numbers():\n"
        "    yield {'x': 1}\n"
        "@figure('mine', numbers)\n"
        "def mine(picture, rows):\n"
        "    '''One point.'''\n"
        "    picture.subplots().plot([1])\n"
    )
    code, _, err = run("-P", "-m", "evenkeel", "figures", "mine.py:mine", folder=tmp_path)
    assert code == 0, err
    assert (tmp_path / "out" / "figures" / "mine.csv").read_text().startswith("x\n1")
    (tmp_path / "mine.py").write_text("import theory.lemmas\n")
    code, _, err = run("-P", "-m", "evenkeel", "figures", "mine.py:mine", folder=tmp_path)
    assert code == 2
    assert "evenkeel has a package 'theory': rename yours" in err


def test_import_stays_small():
    code = "import sys, evenkeel; evenkeel.__version__; print(*sys.modules)"
    loaded = run("-c", code, folder="/")[1].split()
    assert not set(loaded) & {*FLOORS, "numpy", "click"}
