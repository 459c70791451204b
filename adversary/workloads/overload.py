"""The overloaded class: backlogs that keep every slot full, and pools without any size class."""

import math

import numpy as np
from numpy.typing import ArrayLike

from adversary.workloads.family import LENGTHS, check_integer
from theory.model import InputError, System


def requests_to_overload(
    system: System,
    steps: int,
    *,
    p: float | None = None,
    length: int | None = None,
    pool: int | None = None,
    failure: float = 1e-9,
) -> int:
    """How many requests keep every slot full, and the pool at its limit, for that many steps.

    Parameters
    ----------
    system : System
        ``G`` and ``B``.
    steps : int
        Number of steps ``K >= 1`` that must run at full slots.
    p, length : float or int, optional
        Output lengths: geometric, or all equal; exactly one must be given.
    pool : int, optional
        Pool limit ``R``; ``G*B`` by default.
    failure : float
        For geometric lengths, largest probability that the backlog runs out early.

    Returns
    -------
    int
        ``G*B + R`` plus the departures after the first ``K - 1`` steps: exactly
        ``G*B*floor((K-1)/length)`` for equal lengths.  A full slot of geometric lengths empties
        after each step with probability ``p``, so the departures are binomial, and Bernstein's
        inequality (Bernstein 1924) bounds them: mean ``m`` plus ``sqrt(2 m t) + 2t/3``, ``t =
        ln(1/failure)``.
    """
    check_integer("steps", steps, 1)
    if (p is None) == (length is None):
        raise InputError("give exactly one of p (geometric lengths) and length (equal lengths)")
    pool = system.capacity if pool is None else pool
    check_integer("pool", pool, 1)
    slot_steps = system.capacity * (steps - 1)
    if length is not None:
        check_integer("length", length, 1)
        departures = system.capacity * ((steps - 1) // length)
    elif p is not None:
        LENGTHS["p"].check("requests_to_overload", "p", p)
        if not 0 < failure < 1:
            raise InputError(f"failure must be in (0, 1), got {failure!r}")
        mean, t = slot_steps * p, math.log(1 / failure)
        departures = min(slot_steps, math.ceil(mean + math.sqrt(2 * mean * t) + 2 * t / 3))
    return system.capacity + pool + departures


def pool_survives_a_class(pool: ArrayLike, free_slots: int) -> bool:
    """Whether the pool can fill all free slots even after any one size class is removed.

    The pool condition of the paper's overloaded class.

    Parameters
    ----------
    pool : int[n]
        Sizes of the waiting requests.
    free_slots : int
        Free slots in the whole system.
    """
    sizes = np.asarray(pool)
    largest_class = int(np.unique(sizes, return_counts=True)[1].max()) if sizes.size else 0
    return int(sizes.size) - largest_class >= free_slots
