"""The code of a policy as a digest, by which a stored result is known to be of other code."""

import ast
import importlib.util
import sys
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

from adversary.workloads.families import OWN as FAMILIES
from solvers.policies.predictors import OWN as PREDICTORS
from solvers.policies.predictors import is_built_in
from theory.own import installed, is_own, reached
from theory.provenance import HOUSE

# What a run of any policy is computed by: the lower floors.
_ENGINE = HOUSE[:3]


@cache
def source_digest(spec: str, family: str = "") -> str:
    """SHA-256 of the sources that a run of a policy depends on, in hexadecimal.

    They are those of evenkeel up to the engine and the workloads and, for a policy, a predictor or
    a family of one's own, the file of its module and those that it imports from the same folder or
    package, directly or not, wherever in their text they do so.

    Parameters
    ----------
    spec : str
        As :func:`solvers.policies.registry.policy` takes it.
    family : str
        The workload family that the run draws from, if any.
    """
    digest = sha256(_digest_of(_ENGINE).encode())
    for module in _modules(spec, family):
        for path in sorted(_own(module)):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _modules(spec: str, family: str) -> Iterator[str]:
    """The modules of what is one's own among a policy, its predictor and a family."""
    from solvers.policies.registry import POLICIES, policy

    name, _, options = spec.partition(":")
    if name not in POLICIES:
        made = policy(spec)
        yield getattr(made, "module", type(made).__module__)
    else:
        for option in options.split(","):
            key, _, predictor = option.partition("=")
            if key == "predictor" and not is_built_in(predictor):
                yield _named(predictor, PREDICTORS)
    if is_own(family) or family in installed(FAMILIES):
        yield _named(family, FAMILIES)


def _named(spec: str, group: str) -> str:
    """The module of ``module:attribute``, ``file.py:attribute`` or an entry point."""
    value = installed(group).get(spec, spec)
    return reached(value.rpartition(":")[0] or value)[0]


def code_digest() -> str:
    """SHA-256 of all sources of evenkeel, in hexadecimal."""
    return _digest_of(HOUSE)


@cache
def _digest_of(packages: tuple[str, ...]) -> str:
    digest = sha256()
    for package in packages:
        folder = _folder(package)
        for path in sorted(folder.rglob("*.py")):
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _own(module: str) -> set[Path]:
    """The files of a module and of what it imports from beside its package."""
    root = _file(module.partition(".")[0])
    if root is None:
        return set()
    tree, found, ahead = root.parent, set[Path](), [module]
    while ahead:
        name = ahead.pop()
        path = _file(name)
        if path is None or path in found or tree not in path.parents:
            continue
        if name.partition(".")[0] in _ENGINE or ("site-packages" in path.parts[len(tree.parts) :]):
            continue
        found.add(path)
        ahead += _imported(path, name)
    return found


def _file(module: str) -> Path | None:
    """The source of a module, without running more than its packages."""
    try:
        known = sys.modules.get(module)
        origin = (
            known.__file__ if known else getattr(importlib.util.find_spec(module), "origin", None)
        )
    except (ImportError, AttributeError, ValueError):
        return None
    return Path(origin) if origin and origin.endswith(".py") else None


def _imported(path: Path, module: str) -> Iterator[str]:
    """The modules that the text of a file imports, and those that it may."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
