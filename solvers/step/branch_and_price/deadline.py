"""The time limit of a search: long computations run in pieces, with a look at the clock between."""

import math
import time

# Entries of tables in a piece of compiled work, about a nanosecond each.
PIECE = 2**25


class LateError(Exception):
    """The deadline passed amid a computation that is of no use unfinished."""


def check(deadline: float) -> None:
    """Look at the clock.

    Parameters
    ----------
    deadline : float
        Time of ``time.monotonic``.

    Raises
    ------
    LateError
        If it has passed.
    """
    if time.monotonic() > deadline:
        raise LateError


def left(deadline: float) -> float:
    """Seconds left, at least a hundredth and at most a year, for solvers that take a limit."""
    return max(0.01, min(deadline - time.monotonic(), 3e7)) if deadline < math.inf else 3e7
