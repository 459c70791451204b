"""The public interface: every name resolves, is documented, and costs nothing until it is used."""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path
from pkgutil import iter_modules

import pytest

import evenkeel

HEAVY = {"numba", "sympy", "flint", "pulp", "highspy", "cvxpy", "scipy", "matplotlib", "polars"}


def modules_after(*statements: str) -> list[set[str]]:
    """The modules that are loaded after each of these, in one process."""
    code = "import sys\n" + "".join(
        f"{each}\nprint('loaded', *sys.modules)\n" for each in statements
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    said = [line.split() for line in done.stdout.splitlines()]
    return [set(words) for first, *words in filter(None, said) if first == "loaded"]


def typed_imports() -> dict[str, str]:
    """The names that a type checker sees, with their modules."""
    source = Path(inspect.getfile(evenkeel)).read_text(encoding="utf-8")
    imports = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)]
    return {
        alias.name: node.module
        for node in imports
        for alias in node.names
        if node.module and node.module.partition(".")[0] not in sys.stdlib_module_names
    }


@pytest.mark.parametrize("name", evenkeel.__all__)
def test_a_public_name_resolves_and_is_documented(name: str) -> None:
    thing = getattr(evenkeel, name)
    assert thing.__name__ == name
    # A dataclass without a docstring gets its signature for one.
    assert not (inspect.getdoc(thing) or f"{name}(").startswith(f"{name}(")


def test_a_type_checker_sees_what_a_program_gets() -> None:
    assert typed_imports() == {name: getattr(evenkeel, name).__module__ for name in dir(evenkeel)}


def test_names_are_imported_when_they_are_used() -> None:
    loaded, some, command = modules_after(
        "import evenkeel",
        "from evenkeel import System, claims, hardware",
        "from evenkeel.cli.main import cli; words = 'simulate -G 2 -B 1 -n 4 --json'.split(); "
        "cli.main(words, standalone_mode=False)",
    )
    assert not loaded & HEAVY
    assert not loaded & {"theory", "solvers", "adversary"}
    assert not some & HEAVY
    # A command that reads no trace loads neither tables nor matrices.
    assert "numba.np.arraymath" in command
    assert not command & {"polars", "scipy.linalg", "matplotlib", "sympy"}


def test_all_names_together_need_neither_figures_nor_proofs() -> None:
    (loaded,) = modules_after("from evenkeel import *; simulate, claims")
    assert not loaded & {"matplotlib", "sympy", "cvxpy", "hypothesis"}


def test_no_module_takes_the_place_of_a_public_name() -> None:
    # A submodule becomes an attribute of its package as soon as anybody imports it.
    modules = {module.name for module in iter_modules(evenkeel.__path__)}
    assert not modules & set(evenkeel.__all__)


def test_the_check_of_a_claim_runs_from_the_public_interface() -> None:
    check = evenkeel.check_of("energy.limit-paper")
    assert check.run(check.trial()).verdict.held
    with pytest.raises(evenkeel.InputError, match=r"did you mean energy\.limit-paper"):
        evenkeel.check_of("energy.limit-papr")


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'evenkeel' has no attribute 'simulat'"):
        evenkeel.simulat  # noqa: B018


def shown_types(name: str) -> list[str]:
    """The signatures that help prints: of the name, and of its public methods."""
    thing = getattr(evenkeel, name)
    own = [thing, *(vars(thing).values() if inspect.isclass(thing) else ())]
    found = []
    for each in own:
        function = each.fget if isinstance(each, property) else getattr(each, "__func__", each)
        if (inspect.isfunction(function) or inspect.isclass(function)) and not (
            function.__name__.startswith("_")
        ):
            try:
                found.append(str(inspect.signature(function)))
            except (TypeError, ValueError):  # an exception, an enumeration
                continue
    return found


@pytest.mark.parametrize("name", [name for name in evenkeel.__all__ if name[0] != "_"])
def test_help_names_types_by_their_short_names(name: str) -> None:
    if inspect.isclass(getattr(evenkeel, name)) and getattr(
        getattr(evenkeel, name), "_is_protocol", False
    ):
        return
    for signature in shown_types(name):
        types = re.sub(r"=[^,)]*", "", signature)
        assert not re.search(
            r"(numpy|theory|solvers|adversary|evenkeel|collections|typing)\.", types
        )


def test_signatures_say_what_the_documentation_says() -> None:
    assert str(inspect.signature(evenkeel.imbalance)) == "(loads: ArrayLike) -> Any"
    assert str(inspect.signature(evenkeel.Requests)) == (
        "(prefill: ArrayLike, decode: ArrayLike, arrival: ArrayLike | None = None, "
        "group: ArrayLike | None = None) -> None"
    )
    policy = type("Mine", (), {"name": "mine", "admit": lambda self, view: None})()
    assert isinstance(policy, evenkeel.Policy)
