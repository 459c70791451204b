"""Source distribution and wheel of this checkout, and environments that have the wheel alone."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("theory", "solvers", "adversary", "paper_figures", "evenkeel")
HERE = "this"

# Not of the sources: what tools and runs leave in a checkout.
LEFT = shutil.ignore_patterns(
    ".git", ".venv", "out", "build", "*.egg-info", "__pycache__", ".*_cache"
)

# What a front end of packaging asks of the project, in its two steps.
BUILD = "import setuptools.build_meta as b; print(b.build_{}({!r}))"


class Distributions(NamedTuple):
    """The files that are published, and a wheel that does not come from the sdist."""

    sdist: Path
    wheel: Path
    direct: Path


def call(*words: object, **options: object) -> str:
    """Standard output of a command; what else it says is told where it fails."""
    done = subprocess.run(
        list(map(str, words)), check=False, capture_output=True, text=True, timeout=1500, **options
    )
    assert done.returncode == 0, f"{words}:\n{done.stdout}{done.stderr}"
    return done.stdout


def pip(python: Path, *words: object) -> str:
    """Pip of this environment, in another one."""
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
    return call(sys.executable, "-m", "pip", "--python", python, *words, *quiet)


def environment(folder: Path, python: str = sys.executable) -> Path:
    """The Python of a new virtual environment."""
    call(python, "-m", "venv", "--without-pip", folder)
    return folder / ("Scripts" if os.name == "nt" else "bin") / "python"


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    """Built as any front end does: the sdist, a wheel from it, and a wheel from the checkout."""
    folder = tmp_path_factory.mktemp("distributions")
    python = environment(folder / "builder")
    pip(python, "install", "setuptools>=77")
    sources = folder / "sources"
    shutil.copytree(ROOT, sources, ignore=LEFT)

    def built(kind: str, where: Path) -> Path:
        lines = call(python, "-c", BUILD.format(kind, str(folder)), cwd=where).splitlines()
        return (folder / lines[-1]).rename(folder / f"{where.name}-{lines[-1]}")

    sdist = built("sdist", sources)
    direct = built("wheel", sources)
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
        unpacked = folder / archive.getnames()[0]
    wheel = built("wheel", unpacked)
    # Its own name again, which says to an installer what it is.
    named = folder / "dist" / wheel.name.removeprefix(f"{unpacked.name}-")
    named.parent.mkdir()
    return Distributions(sdist, wheel.rename(named), direct)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each Python that is to run the wheel: this one, and those that the environment names."""
    if "python" in metafunc.fixturenames:
        others = os.environ.get("EVENKEEL_PYTHONS", "").split()
        metafunc.parametrize("python", [HERE, *others], scope="session", indirect=True)


@pytest.fixture(scope="session")
def python(
    request: pytest.FixtureRequest,
    distributions: Distributions,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Path]:
    """A Python with the wheel installed, outside the checkout.

    This Python takes its dependencies from the environment of the tests; another one installs them,
    in the versions of constraints.txt.
    """
    folder = tmp_path_factory.mktemp("environment")
    if request.param == HERE:
        found = environment(folder)
        site = call(found, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
        # As a path alone: the editable installation that is there stays unknown.
        Path(site, "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
        pip(found, "install", "--no-deps", distributions.wheel)
    else:
        found = environment(folder, request.param)
        constraints = ("-c", ROOT / "constraints.txt")
        pip(found, "install", *constraints, distributions.wheel, "pytest")
    yield found
    shutil.rmtree(folder)
