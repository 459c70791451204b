"""Every example in a docstring runs, in its module's own names, and prints what it says."""

import doctest
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = ("theory", "solvers", "adversary", "paper_figures", "evenkeel")

# Found in the text, so that only modules with an example are imported.
EXAMPLES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): count
    for floor in FLOORS
    for path in sorted((ROOT / floor).rglob("*.py"))
    if (count := path.read_text("utf-8").count(">>> "))
}


@pytest.fixture
def registry_unchanged() -> Iterator[None]:
    """Take away the claims that examples register, all of the family ``mine``."""
    yield
    if registry := sys.modules.get("evenkeel.theorems.registry"):
        for label in [label for label in registry._CLAIMS if label.startswith("mine.")]:
            del registry._CLAIMS[label]


@pytest.mark.usefixtures("registry_unchanged")
@pytest.mark.parametrize("module", EXAMPLES)
def test_the_examples_of_a_module(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    result = doctest.testmod(import_module(module.removesuffix(".__init__")))
    assert result.failed == 0, capsys.readouterr().out
    # One that doctest does not find, say in a nested function, would pass unread.
    assert result.attempted == EXAMPLES[module]
