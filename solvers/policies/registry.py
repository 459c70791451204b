"""Policies by name: the registry of the built-in ones, and how one of the user's own is found.

What a policy is, is in :mod:`solvers.policies.protocol`; the built-in ones are in
:mod:`solvers.policies.baselines`, :mod:`solvers.policies.serving`, :mod:`solvers.policies.bfio` and
:mod:`solvers.policies.balanceroute`.  The engine runs
most of them compiled, and tests hold the two equal decision by decision.
"""

import importlib
import inspect
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import entry_points
from typing import Any

from solvers.policies.balanceroute import BR0, BRH
from solvers.policies.baselines import FCFS, JSQ, LPT, LeastLoaded, PowerOfTwo, RoundRobin, VllmDP
from solvers.policies.bfio import BFIO, AlwaysBusiest
from solvers.policies.protocol import Policy, PolicyError, StepView, decide, one_line
from solvers.policies.serving import (
    SGLangMinimumTokens,
    SGLangShortestQueue,
    TensorRTLLMADP,
    VllmDPRotating,
)
from theory.model import InputError

__all__ = [
    "BFIO",
    "BR0",
    "BRH",
    "FCFS",
    "JSQ",
    "LPT",
    "POLICIES",
    "AlwaysBusiest",
    "LeastLoaded",
    "Policy",
    "PolicyError",
    "PowerOfTwo",
    "RoundRobin",
    "SGLangMinimumTokens",
    "SGLangShortestQueue",
    "StepView",
    "TensorRTLLMADP",
    "VllmDP",
    "VllmDPRotating",
    "decide",
    "policy",
]

POLICIES: dict[str, type[Policy]] = {
    cls.name: cls
    for cls in (
        FCFS,
        RoundRobin,
        JSQ,
        VllmDP,
        VllmDPRotating,
        SGLangShortestQueue,
        SGLangMinimumTokens,
        TensorRTLLMADP,
        LeastLoaded,
        LPT,
        PowerOfTwo,
        BR0,
        BRH,
        BFIO,
        AlwaysBusiest,
    )
}


def policy(spec: str | Policy, seed: int = 0) -> Policy:
    """The policy of that name, made afresh; a policy object is checked and returned.

    Parameters
    ----------
    spec : str or Policy
        A built-in name (:data:`POLICIES`), alone or with parameters of its class as in
        ``bfio:horizon=20,predictor=noisy:0.5``; the name of an entry point in the group
        ``evenkeel.policies``; or ``module:attribute``, looked up from the current directory as
        ``python -m`` does.  The latter two may name a class or an instance.
    seed : int
        Given to a class whose constructor has a parameter ``seed``.

    Raises
    ------
    InputError
        If there is no such policy or parameter, it cannot be imported, or it is not a policy.
    """
    if not isinstance(spec, str):
        return _instance(spec, spec, seed)
    name, _, options = spec.partition(":")
    if name in POLICIES:
        return _instance(spec, POLICIES[name], seed, **_parameters(spec, POLICIES[name], options))
    installed = {point.name: point for point in entry_points(group="evenkeel.policies")}
    if spec not in installed and ":" not in spec:
        raise InputError(
            f"unknown policy {spec!r}; known: {', '.join([*POLICIES, *installed])}, "
            "or module:attribute for one of your own"
        )
    module, _, attribute = (installed[spec].value if spec in installed else spec).partition(":")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found = importlib.import_module(module.strip())
    except (Exception, SystemExit) as error:
        raise InputError(
            f"policy {spec!r}: cannot import module {module!r}: {one_line(error)}"
        ) from error
    for name in attribute.strip().split("."):
        if not hasattr(found, name):
            raise InputError(f"policy {spec!r}: module {module!r} has no attribute {attribute!r}")
        found = getattr(found, name)
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
    if inspect.isclass(found):
        try:
            if "seed" in inspect.signature(found).parameters:
                parameters["seed"] = seed
            make: Any = found
            found = make(**parameters)
        except InputError as error:
            raise InputError(f"policy {spec!r}: {error}") from error
        except Exception as error:
            raise InputError(f"policy {spec!r}: cannot create it: {one_line(error)}") from error
    if not (isinstance(found, Policy) and callable(found.admit) and isinstance(found.name, str)):
        raise InputError(
            f"policy {spec!r}: expected a class or an instance with a text `name` and a method "
            f"admit(view), found {type(found).__name__}"
        )
    result: Policy = found
    return result
