"""Options and fixtures shared by all tests."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("default", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("default")

TRACES = Path(__file__).resolve().parents[2] / "shared" / "traces"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the tests marked slow")
    parser.addoption(
        "--policy", metavar="MODULE:ATTRIBUTE", help="a policy to hold the bounds against"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow"):
        return
    skip = pytest.mark.skip(reason="slow: give --slow to run it")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def traces() -> Path:
    """Folder of the public request traces, which are not part of the repository."""
    folder = Path(os.environ.get("EVENKEEL_TRACES", TRACES))
    if not folder.is_dir():
        pytest.skip(f"no traces at {folder}: set EVENKEEL_TRACES to the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def user_policy(pytestconfig: pytest.Config) -> str | None:
    """The policy that ``--policy`` names, or None; a wrong name is told at once."""
    spec: str | None = pytestconfig.getoption("--policy")
    if spec is not None:
        from solvers.policies import policy

        policy(spec)
    return spec
