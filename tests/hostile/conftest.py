"""The command line in a folder of its own, in this process."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evenkeel.cli.main import main
from theory.budget import kept_to

# What a test may take beyond what is there: no test takes the machine.
MOST_BYTES = 2**32

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def limited() -> Iterator[None]:
    """Memory beyond the limit fails in the test, and in the processes that it starts."""
    with kept_to(MOST_BYTES):
        yield


@pytest.fixture
def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Call:
    """Runs ``evenkeel`` with these words; gives exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["evenkeel", *words])
        with pytest.raises(SystemExit) as stop:
            main()
        assert isinstance(stop.value.code, int)
        return stop.value.code, *capsys.readouterr()

    return run
