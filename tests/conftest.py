"""Options and fixtures shared by all tests."""

import gc
import os
import random
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from _pytest.unraisableexception import gc_collect_iterations_key
from hypothesis import HealthCheck, settings
from hypothesis.internal import entropy

# The same examples in every run, unless HYPOTHESIS_PROFILE=explore asks for new ones: whether a
# change passes is no matter of luck.  New ones depend on the seed alone: on no database, and on no
# clock.
settings.register_profile("default", deadline=None, derandomize=True, print_blob=True)
settings.register_profile(
    "explore",
    deadline=None,
    derandomize=False,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
# No test draws from numpy's global generator: its state need not be kept around every example.
entropy.NP_RANDOM = random.Random()
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# Names the folder of tests/oracles/found.py; the workers of pytest-xdist inherit it.
FINDINGS = "EVENKEEL_TEST_FINDINGS"

SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the tests marked slow")
    parser.addoption(
        "--policy", metavar="MODULE:ATTRIBUTE", help="a policy to hold the bounds against"
    )


@pytest.hookimpl(tryfirst=True)  # before Hypothesis reads the seed
def pytest_configure(config: pytest.Config) -> None:
    # Would have each of the many processes that tests start compile all modules anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    # Small tables and matrices gain nothing by a thread on each core, and threads look for work
    # meanwhile.
    for library in ("POLARS_MAX_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(library, "1")
    config.stash[gc_collect_iterations_key] = 1  # what no test left behind needs no second look
    if FINDINGS not in os.environ:
        folder = tempfile.TemporaryDirectory(prefix="evenkeel-findings-")
        config.add_cleanup(folder.cleanup)
        os.environ[FINDINGS] = folder.name
        config.add_cleanup(lambda: os.environ.pop(FINDINGS))
    if not settings().derandomize and config.getoption("hypothesis_seed") is None:
        # The workers of pytest-xdist inherit the environment, not an option set here.
        seed = os.environ.setdefault("EVENKEEL_HYPOTHESIS_SEED", str(secrets.randbits(32)))
        config.option.hypothesis_seed = int(seed)


def _exploring(config: pytest.Config) -> list[str]:
    if settings().derandomize:
        return []
    return [
        "hypothesis explores; again: HYPOTHESIS_PROFILE=explore python -m pytest "
        f"--hypothesis-seed={config.getoption('hypothesis_seed')}",
        "a failure that it finds is kept as an @example of its test",
    ]


def pytest_report_header(config: pytest.Config) -> list[str]:
    return _exploring(config)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for line in _exploring(config):  # once more: a quiet run has no header
        terminalreporter.write_line(line)


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: object
) -> pytest.Item | None:
    """One item for all parameters of a slow test that is skipped."""
    marks = getattr(obj, "pytestmark", [])
    if collector.config.getoption("--slow") or not {"slow", "parametrize"} <= {
        m.name for m in marks
    }:
        return None
    return pytest.Function.from_parent(collector, name=name)


# Files whose tests one process has, which computes or starts once what they share.
TOGETHER = {
    # Findings and proofs.
    "findings": (
        *("tests/bounds/", "tests/evenkeel/test_checks_", "tests/evenkeel/test_headlines.py"),
        *("tests/evenkeel/test_dropped.py", "tests/evenkeel/test_exposition.py"),
        *("tests/evenkeel/test_formal_verdicts.py", "tests/theory/test_claims.py"),
    ),
    # Solvers of integer programs, in a process of their own.
    "programs": (
        *("tests/solvers/test_exact.py", "tests/solvers/test_floating_solvers.py"),
        *("tests/solvers/test_relaxation.py", "tests/solvers/test_scan.py"),
        *("tests/solvers/test_many_sizes.py", "tests/solvers/test_level_windows.py"),
    ),
    # A browser.
    "browser": (
        "tests/docs/test_built_pages.py",
        "tests/evenkeel/test_explore.py",
        "tests/evenkeel/test_page.py",
    ),
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Of two processes one has all tests of findings; of more it would be the last to end."""
    if config.getoption("dist") != "loadfile" or len(config.getoption("tx")) > 2:
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            groups = (name for name, files in TOGETHER.items() if nodeid.startswith(files))
            return next(groups, None) or super()._split_scope(nodeid)

    return Scheduling(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """A process of several says of a test that passes that it did, not that it is set up as well.

    What it says takes the time of most tests, in both processes.
    """
    options = item.config.option
    if not hasattr(item.config, "workerinput") or options.durations is not None or options.xmlpath:
        return None
    for report in runtestprotocol(item, log=False, nextitem=nextitem):
        if report.when == "call" or not report.passed:
            item.ihook.pytest_runtest_logreport(report=report)
    return True


def pytest_collection(session: pytest.Session) -> None:
    gc.disable()  # nothing that is imported is garbage
    if os.environ.get("PYTEST_XDIST_WORKER") == "gw1":
        _import_from_the_last(session.config.args)


def _import_from_the_last(places: list[str]) -> None:
    """Import test files against the order of the other process, which reads what this compiles."""
    found = (path for place in places for path in Path(place).resolve().rglob("test_*.py"))
    for path in sorted(found, reverse=True):
        if str(path.parent) not in sys.path:
            sys.path.insert(0, str(path.parent))
        with suppress(Exception, pytest.skip.Exception):  # told when the file is collected
            import_module(path.stem)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Spare Python from looking at all modules and tests again whenever it looks for garbage."""
    gc.freeze()
    gc.enable()
    gc.set_threshold(20_000, 20, 20)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow"):
        return
    skip = pytest.mark.skip(reason="slow: give --slow to run it")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session", autouse=True)
def this_process_goes_on() -> Iterator[None]:
    """A command that is called in this process leaves its signals alone, and does not end it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("evenkeel.exits.listen", lambda: None)
        patch.setattr("evenkeel.exits._end", sys.exit)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """The folder of a user's file that a command finds is on the path for one test alone.

    Processes that later tests start inherit the path.
    """
    before = sys.path.copy()
    try:
        return (yield)
    finally:
        sys.path[:] = before


@pytest.fixture
def in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command runs in processes of its own runs in this one."""

    @contextmanager
    def threads(*_: Any, **__: Any) -> Iterator[ThreadPoolExecutor]:
        with ThreadPoolExecutor(1) as pool:
            yield pool

    monkeypatch.setattr("evenkeel.runs.executors.executor", threads)


@pytest.fixture(scope="session")
def traces() -> Path:
    """Folder of the public request traces, which are not part of the repository."""
    folder = Path(os.environ.get("EVENKEEL_TRACES", SHARED / "traces"))
    if not folder.is_dir():
        pytest.skip(f"no traces at {folder}: set EVENKEEL_TRACES to the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def cases() -> Path:
    """Folder of inputs whose right values were found apart from this project."""
    folder = Path(os.environ.get("EVENKEEL_CASES", SHARED / "cases"))
    if not folder.is_dir():
        pytest.skip(f"no cases at {folder}: set EVENKEEL_CASES to the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def user_policy(pytestconfig: pytest.Config) -> str | None:
    """The policy that ``--policy`` names, or None; a wrong name is told at once."""
    spec: str | None = pytestconfig.getoption("--policy")
    if spec is not None:
        from solvers.policies.registry import policy

        policy(spec)
    return spec


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    chromium, driver_path = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver_path):
        pytest.skip("no Chromium: install Debian's chromium and chromium-driver")
    selenium = pytest.importorskip("selenium.webdriver", reason="pip install selenium")
    options = selenium.ChromeOptions()
    options.binary_location = chromium
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
                 "disable-background-networking", "disable-component-update",
                 "disable-sync"):  # fmt: skip
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = selenium.Chrome(options=options, service=selenium.ChromeService(driver_path))
    yield driver
    driver.quit()
