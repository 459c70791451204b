"""Finite domains of backlogs, and backlogs as witnesses."""

from collections.abc import Iterator
from itertools import combinations_with_replacement, product
from typing import Any

from evenkeel.findings.scoreboard import Witness
from theory.model import Requests, System

# Domains (G, B, N, largest size, largest length) of the prices.
DOMAINS = ((2, 1, 4, 3, 2), (3, 1, 4, 3, 2), (2, 2, 5, 3, 2))


def witness_of_backlog(system: System, requests: Requests, **sides: Any) -> Witness:
    """The backlog as a witness, with more about its runs, written only if it is needed."""
    return lambda: {
        "workers": system.workers,
        "slots": system.slots,
        "drift": list(system.drift),
        "prefill": requests.prefill.tolist(),
        "decode": requests.decode.tolist(),
        **sides,
    }


def instances(domain: tuple[int, ...], growth: int) -> Iterator[tuple[System, Requests]]:
    """Every backlog of a domain, listed by size and length."""
    G, B, n, size, length = domain
    system = System(G, B, (growth,))
    for kinds in combinations_with_replacement(
        list(product(range(1, size + 1), range(1, length + 1))), n
    ):
        sizes, lengths = zip(*kinds, strict=True)
        yield system, Requests(sizes, lengths)
