"""Workload families: seeded generators of requests.

Every family is a function of ``(n, seed, parameters)`` and returns the same requests for the same
arguments.  The random families draw requests independently, so a backlog of them is the
overloaded model of the paper once it is long enough
(:func:`adversary.workloads.overload.requests_to_overload`) and its pool is rich enough
(:func:`adversary.workloads.overload.pool_survives_a_class`).
"""

from functools import cache
from typing import Any

import numpy as np

from adversary.workloads.family import SIZE_LIMIT, Family, check_integer
from adversary.workloads.independent import INDEPENDENT
from adversary.workloads.measured import measured_families
from adversary.workloads.refills import REFILLS
from theory.budget import affordable_requests
from theory.model import InputError, Requests
from theory.own import OwnError, installed, is_own, own, running

# Entry points of families that installed packages have.
OWN = "evenkeel.families"


def workload(name: str, n: int, seed: int, **params: Any) -> Requests:
    """Draw ``n`` requests of a family, as a backlog in arrival order.

    Parameters
    ----------
    name : str
        One of :func:`workload_names`; or one of your own, as :func:`family` finds it.
    n : int
        Number of requests, at least 1.
    seed : int
        The same seed and parameters give the same requests.
    **params
        Parameters of the family, see :func:`family`.  Where a family takes ``p`` (geometric
        output lengths of mean ``1/p``) and ``length`` (all equal), at most one of the two may be
        given; with neither, a fitted family draws its own output lengths and the others take
        ``p = 0.02``.

    Raises
    ------
    InputError
        If the family or a parameter is not known, or a value is out of its range.

    Examples
    --------
    >>> workload("refill-tight", 8, seed=0, workers=2, slots=2, a=1, b=5).prefill.tolist()
    [5, 1, 1, 1, 5, 1, 1, 1]
    """
    chosen = family(name)
    for key in params:
        if key not in chosen.parameters:
            known = ", ".join(chosen.parameters) or "none"
            raise InputError(f"the workload {name} has no parameter {key!r}; it has: {known}")
    check_integer("n", n, 1)
    affordable_requests(n)
    check_integer("seed", seed, 0)
    values = {
        key: parameter.check(name, key, params.get(key, parameter.default))
        for key, parameter in chosen.parameters.items()
    }
    if values.get("a", 0) > values.get("b", SIZE_LIMIT):  # type: ignore[operator]
        raise InputError(
            f"the workload {name} needs a <= b, got a = {values['a']} and b = {values['b']}"
        )
    if values.get("p") is not None and values.get("length") is not None:
        raise InputError(f"the workload {name} takes p or length, not both")
    rng = np.random.default_rng(seed)
    if name in _families():
        return Requests(*chosen.draw(rng, n, **values))
    try:
        with running(f"the workload {name}"):
            sizes, lengths = chosen.draw(rng, n, **values)
            drawn = Requests(sizes, lengths)
    except OwnError:
        raise
    except InputError as error:
        raise InputError(f"the workload {name}: {error}") from error
    if len(drawn) != n:
        raise InputError(f"the workload {name} drew {len(drawn)} requests where {n} were asked for")
    return drawn


def family(name: str) -> Family:
    """The family of that name.

    Parameters
    ----------
    name : str
        One of :func:`workload_names`; ``module:attribute`` or ``file.py:attribute`` of a function
        under :func:`~adversary.workloads.family.workload_family`; or an entry point in the group
        ``evenkeel.families``.

    Raises
    ------
    InputError
        If there is none; the message lists those that exist.
    """
    known = _families()
    if name in known:
        return known[name]
    others = installed(OWN)
    if name not in others and not is_own(name):
        raise InputError(
            f"no workload {name!r}; known workloads: {', '.join([*known, *others])}, or "
            "module:attribute for one of your own"
        )
    found = own(name, OWN)
    if not isinstance(found, Family):
        raise InputError(
            f"the workload {name} must be a function under @workload_family, not "
            f"{type(found).__name__}"
        )
    return found


def workload_names() -> tuple[str, ...]:
    """Names of all families."""
    return tuple(_families())


@cache
def _families() -> dict[str, Family]:
    return {each.name: each for each in (*INDEPENDENT, *REFILLS, *measured_families())}
