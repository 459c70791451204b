"""Policies by name: the table of the built-in ones, and how one of the user's own is found.

What a policy is, is in :mod:`solvers.policies.protocol`.  A class of any module of this package
that is declared with :func:`~solvers.policies.protocol.built_in` is in the table.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Collection
from contextlib import suppress
from textwrap import fill
from typing import Any

import solvers.policies
from solvers.policies.making import made
from solvers.policies.own_process import OwnPolicy
from solvers.policies.predictors import OWN as PREDICTORS
from solvers.policies.predictors import is_built_in
from solvers.policies.protocol import DECLARED, Policy
from theory.content import printable
from theory.model import InputError
from theory.own import installed, is_own, own, refuse_own
from theory.provenance import is_house

# Entry points of policies that installed packages have.
OWN = "evenkeel.policies"


def _declared() -> dict[str, type[Policy]]:
    """The built-in policies by module, and within each in the order of the file."""
    found: dict[str, type[Policy]] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(solvers.policies.__path__)):
        name = f"{solvers.policies.__name__}.{module}"
        if name != __name__:
            importlib.import_module(name)
            found |= {kind.name: kind for kind in DECLARED if kind.__module__ == name}
    return found


POLICIES = _declared()


def policy_help() -> str:
    """The names of the built-in policies, and examples of parameters."""
    names = f"Policies: {', '.join(POLICIES)}, or module:attribute for your own."
    examples = {
        f"{name}:{parameters}": text
        for name, kind in POLICIES.items()
        for parameters, text in DECLARED[kind].examples.items()
    }
    width = max(map(len, examples))
    lines = [f"  {spec:{width}}   {text}" for spec, text in examples.items()]
    return "\n".join([fill(names, 78), "Parameters follow a name, as in", *lines])


def refuse_foreign(spec: str, allowed: Collection[str] = ()) -> None:
    """Refuse a policy that a file names if it is not built in, since importing it runs it.

    Parameters
    ----------
    spec : str
        As :func:`policy` takes it.
    allowed : collection of str
        Names that the user has given on the command line.

    Raises
    ------
    InputError
        If it is neither built in nor allowed.

    Examples
    --------
    >>> refuse_foreign("bfio:horizon=20")
    >>> refuse_foreign("own:Rule", allowed=["own:Rule"])
    >>> refuse_foreign("bfio:horizon=2,predictor=own:Guess")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    theory.model.InputError: 'own:Guess' is not built in...
    """
    for option in spec.partition(":")[2].split(","):
        name, _, predictor = option.partition("=")
        if name == "predictor" and not is_built_in(predictor):
            refuse_own(predictor, allowed, PREDICTORS)
    if spec.partition(":")[0] not in POLICIES and spec not in allowed:
        name = printable(spec)
        raise InputError(
            f"unknown policy {name!r}: a file names built-in policies only, as evenkeel policies "
            f"--list has them; --allow {name} lets it name, and so run, one of your own"
        )


def policy(spec: str | Policy, seed: int = 0) -> Policy:
    """The policy of that name, made afresh; a policy object is checked and returned.

    Parameters
    ----------
    spec : str or Policy
        A built-in name (:data:`POLICIES`), alone or with parameters of its class as in
        ``bfio:horizon=20,predictor=noisy:0.5``; the name of an entry point in the group
        ``evenkeel.policies``; or ``module:attribute``, looked up from the current directory as
        ``python -m`` does, or ``file.py:attribute``.  The latter may name a class or an instance,
        which runs in a process of its own (:mod:`solvers.policies.own_process`).
    seed : int
        Given to a class whose constructor has a parameter ``seed``.

    Raises
    ------
    InputError
        If there is no such policy or parameter, it cannot be imported, or it is not a policy.

    Examples
    --------
    >>> policy("bfio:horizon=20").name
    'bfio:horizon=20,predictor=oracle'
    >>> policy("power_of_two", seed=3).seed
    3
    """
    if not isinstance(spec, str):
        return _instance(spec, spec, seed)
    name, _, options = spec.partition(":")
    if name in POLICIES:
        return _instance(spec, POLICIES[name], seed, **_parameters(spec, POLICIES[name], options))
    others = installed(OWN)
    if spec not in others and not is_own(spec):
        raise InputError(
            f"unknown policy {spec!r}; known: {', '.join([*POLICIES, *others])}, "
            "or module:attribute for one of your own"
        )
    value = others.get(spec, spec)
    module = value.partition(":")[0].strip()
    if not (is_house(module) or module == "__main__"):
        return OwnPolicy(spec, value, seed)
    try:
        found = own(value)
    except InputError as error:
        raise InputError(f"policy {spec!r}: {error}") from error
    return _instance(spec, found, seed)


def _parameters(spec: str, kind: Callable[..., Policy], options: str) -> dict[str, Any]:
    """The parameters written behind a built-in name, each of the type that it looks like."""
    found: dict[str, Any] = {}
    if not options:
        return found
    known = [name for name in inspect.signature(kind).parameters if name != "seed"]
    for option in options.split(","):
        name, equals, text = option.partition("=")
        if not known:
            raise InputError(f"policy {spec!r}: takes no parameters, found {option!r}")
        if name not in known or name in found or not equals:
            raise InputError(
                f"policy {spec!r}: expected NAME=VALUE with one of {', '.join(known)}, each once, "
                f"found {option!r}"
            )
        found[name] = text
        for number in (float, int):
            with suppress(ValueError):
                found[name] = number(text)
    return found


def _instance(spec: object, found: Any, seed: int, **parameters: Any) -> Policy:
    """The policy that was found, made if it is a class."""
    try:
        policy: Policy = made(found, seed, **parameters)
    except InputError as error:
        raise InputError(f"policy {spec!r}: {error}") from error
    return policy
