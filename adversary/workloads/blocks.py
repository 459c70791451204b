"""A trace drawn again in blocks of consecutive requests, which keeps how neighbours go together."""

from math import isqrt

import numpy as np

from theory.model import Requests


def block_length(requests: Requests) -> int:
    """Requests of a block: the root of the number of all, rounded up.

    Blocks grow with the trace, and so does their number.

    >>> block_length(Requests([1] * 10, [1] * 10))
    4
    """
    return isqrt(max(0, len(requests) - 1)) + 1


def redrawn(requests: Requests, count: int, seed: int) -> Requests:
    """So many requests, in blocks of consecutive ones from random places of a trace.

    The circular block bootstrap of (Politis and Romano 1992): every request is as likely as any
    other in every place, and the last is followed by the first.

    Parameters
    ----------
    requests : Requests
        The trace, at least one request.
    count : int
        How many to draw.
    seed : int
        Of the places.

    Returns
    -------
    Requests
        With arrival times if the trace has them: each request keeps its distance from the one
        before, and the first of the trace gets the mean distance.

    Examples
    --------
    >>> trace = Requests([1, 2, 3, 4], [1, 1, 1, 1], [0.0, 1.0, 3.0, 6.0])
    >>> again = redrawn(trace, 6, seed=1)
    >>> again.prefill.tolist(), again.arrival.tolist()
    ([2, 3, 3, 4, 4, 1], [0.0, 2.0, 4.0, 7.0, 10.0, 12.0])
    """
    n, size = len(requests), block_length(requests)
    first = np.random.default_rng(seed).integers(n, size=-(-count // size))
    rows = ((first[:, None] + np.arange(size)) % n).ravel()[:count]
    arrival = None
    if requests.arrival is not None:
        span = float(requests.arrival[-1] - requests.arrival[0])
        gaps = np.diff(requests.arrival, prepend=requests.arrival[0] - span / max(1, n - 1))
        later = gaps[rows]
        later[:1] = 0
        arrival = np.cumsum(later)
    return Requests(requests.prefill[rows], requests.decode[rows], arrival)
