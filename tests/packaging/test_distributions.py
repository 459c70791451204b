"""The wheel and the sdist: complete, equal to the checkout, and of use on their own.

Pythons beside this one are named in EVENKEEL_PYTHONS (``make package PYTHONS=...``).
"""

import csv
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.packaging.conftest import PACKAGES, ROOT, call, pip

pytestmark = pytest.mark.slow

USERS = Path(__file__).parent / "users"


def tracked():
    """The files of the checkout under version control."""
    if not (ROOT / ".git").exists():
        pytest.skip("no checkout of the repository")
    files = call("git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard")
    return {name for name in files.splitlines() if (ROOT / name).is_file()}


def contents(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_sdist_has_all_that_is_tracked_and_nothing_else(distributions):
    with tarfile.open(distributions.sdist) as archive:
        files = {each.name.partition("/")[2] for each in archive.getmembers() if each.isfile()}
    made = {name for name in files if name.startswith("evenkeel.egg-info/")}
    assert files - made - {"PKG-INFO", "setup.cfg"} == tracked()


def test_the_wheel_has_the_packages_and_nothing_else(distributions):
    files = set(contents(distributions.wheel))
    inside = {name for name in files if not name.startswith("evenkeel-")}
    assert inside == {
        name for name in tracked() if name.startswith(tuple(f"{p}/" for p in PACKAGES))
    }
    assert {f"{package}/py.typed" for package in PACKAGES} <= inside


def test_the_wheel_of_the_sdist_is_the_wheel_of_the_checkout(distributions):
    assert contents(distributions.wheel) == contents(distributions.direct)


class Session:
    """Commands in an empty folder, with the Python that has the wheel."""

    def __init__(self, python, folder):
        self.python, self.folder = python, folder
        home = folder.parent / f"{folder.name}-home"
        self.cache = home / "cache"
        clean = {
            k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "NUMBA", "XDG"))
        }
        self.env = clean | {"HOME": str(home), "XDG_CACHE_HOME": str(self.cache), "CI": ""}

    def call(self, *command, code=0):
        done = subprocess.run(
            list(map(str, command)),
            check=False,
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=900,
        )
        assert done.returncode == code, f"{command}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def run(self, *words, code=0):
        return self.call(self.python, *words, code=code)

    def evenkeel(self, *words, code=0):
        """The console script, as a user calls it."""
        return self.call(self.python.with_name("evenkeel"), *words, code=code)


@pytest.fixture(scope="session")
def session(python, tmp_path_factory):
    return Session(python, tmp_path_factory.mktemp("outside"))


STEP = {"loads": [12, 9, 11], "free": [1, 2, 1], "pool": [5, 5, 4, 3, 3, 1]}


def test_the_wheel_works_outside_the_checkout(session):
    folder, evenkeel = session.folder, session.evenkeel
    where = session.run("-c", "import evenkeel, theory; print(evenkeel.__file__, theory.__file__)")
    assert str(ROOT) not in where
    version = session.run("-c", "import evenkeel; print(evenkeel.__version__)").strip()
    assert evenkeel("--version") == f"evenkeel, version {version}\n"
    assert "step.full-refill-gap" in evenkeel("claims")
    assert "\\begin" in evenkeel("claims", "step.waterfill", "--format", "latex")
    for label in ("step.full-refill-gap", "energy.limit-paper"):
        assert json.loads(evenkeel("check", label, "--json"))["verdict"] == "machine-checked"
    evenkeel("check", "step.full-refill-gap", "--scale", "1/2", code=1)
    sample = "from adversary.workloads.sample_trace import SAMPLE_TRACE; print(SAMPLE_TRACE)"
    path = session.run("-c", sample).strip()
    evenkeel("simulate", "--trace", path, "-G", "4", "-B", "8", "--policy", "bfio")
    (folder / "step.json").write_text(json.dumps(STEP))
    evenkeel("solve", "step.json", "--certificate", "c.json")
    evenkeel("verify", "c.json")
    evenkeel("gallery", "iir-below-one")
    evenkeel("energy", "--hardware", "h100-sxm", "--idle-share", "0.4")
    evenkeel("figures", "energy_saving", "--redraw", "--out", "drawn")
    evenkeel("explore", "--no-open", "--out", "explore.html")
    assert "<script" in (folder / "explore.html").read_text("utf-8")
    evenkeel("reproduce", "--claims", "step.gap-naive", "--out", "report")
    assert 'id="step.gap-naive"' in (folder / "report" / "report.html").read_text("utf-8")


def test_one_starts_something_of_ones_own(session):
    for kind in ("claim", "policy"):
        session.evenkeel("new", kind, f"my_{kind}")
    session.evenkeel("check", "my_claim.py")
    session.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_my_claim.py")


def test_a_type_checker_reads_the_wheel(session):
    """Nothing is wrong in typed code that is right, and each mistake is told where it is."""
    for path in USERS.glob("*.py"):
        (session.folder / path.name).write_bytes(path.read_bytes())
    options = ["--strict", "--no-error-summary", "--cache-dir", "types"]
    options += ["--python-executable", session.python, "right.py", "wrong.py"]
    said = session.call(sys.executable, "-m", "mypy", *options, code=1)
    told = re.findall(r"^(\w+\.py):(\d+): error: .*\[([\w-]+)\]$", said, re.MULTILINE)
    lines = (USERS / "wrong.py").read_text("utf-8").splitlines()
    expected = [
        ("wrong.py", str(number), line.partition("# tells: ")[2])
        for number, line in enumerate(lines, 1)
        if "# tells: " in line
    ]
    assert told == expected, said
    assert len(expected) == 5
    assert session.run("right.py").count("True True") == 2


def test_nothing_is_left(session):
    """Use leaves machine code in the user's cache alone, and an uninstallation leaves nothing."""
    site = Path(session.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (record,) = site.glob("evenkeel-*.dist-info/RECORD")
    with record.open(newline="") as lines:
        known = {row[0] for row in csv.reader(lines)}
    there = {
        str(path.relative_to(site)).replace(os.sep, "/")
        for package in PACKAGES
        for path in (site / package).rglob("*")
        if path.is_file()
    }
    plain = {name for name in there if not name.endswith(".pyc")}
    assert plain <= known
    kept = [path.suffix for path in (session.cache / "evenkeel").rglob("*.nbc")]
    assert kept
    pip(session.python, "uninstall", "--yes", "evenkeel")
    assert [package for package in PACKAGES if (site / package).exists()] == []
    names = f"from importlib.util import find_spec; print(*map(find_spec, {PACKAGES}))"
    assert session.run("-c", names).split() == ["None"] * len(PACKAGES)
    assert not session.python.with_name("evenkeel").exists()
