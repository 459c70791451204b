"""The worst full refill over all real sizes, as an integer program.

The second way to [step.spare-request]: no deal, no sorting argument.  Every admission must leave so
much, so for each of them a binary variable names the worker whose load is the largest.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp


def admissions(G: int, B: int, items: tuple[int, ...]) -> Iterator[list[tuple[int, ...]]]:
    """Every choice of ``G`` groups of ``B`` items, up to the order of the groups."""
    if G == 0:
        yield []
        return
    for first in range(len(items) - G * B + 1):
        for others in combinations(items[first + 1 :], B - 1):
            left = tuple(x for x in items[first + 1 :] if x not in others)
            for rest in admissions(G - 1, B, left):
                yield [(items[first], *others), *rest]


def worst_share(G: int, B: int, spare: int) -> float:
    """Largest optimum over ``(G-1)(b-a)``, of pools of ``G B + spare`` real sizes."""
    n = G * B + spare
    ways = list(admissions(G, B, tuple(range(n))))
    # Sizes from 0 to 1 in order, the optimum, and who has the largest load in each admission.
    columns = n + 1 + G * len(ways)
    rows, low = [], []

    def at_least(row: dict[int, float], bound: float) -> None:
        dense = np.zeros(columns)
        for column, value in row.items():
            dense[column] = value
        rows.append(dense)
        low.append(bound)

    for i in range(n - 1):
        at_least({i: -1, i + 1: 1}, 0)
    for w, groups in enumerate(ways):
        who = range(n + 1 + G * w, n + 1 + G * (w + 1))
        at_least(dict.fromkeys(who, 1), 1)
        for g, mine in enumerate(groups):
            # Where g has not the largest load, its excess is at least -(G-1) B.
            room = (G - 1) * (B + 1)
            excess = {i: -1.0 for group in groups for i in group} | dict.fromkeys(mine, G - 1.0)
            at_least({**excess, n: -1, who[g]: -room}, -room)
    least, most = np.zeros(columns), np.ones(columns)
    most[0], least[n - 1], most[n] = 0, 1, G - 1
    found = milp(
        -np.eye(columns)[n],
        integrality=np.arange(columns) > n,
        bounds=Bounds(least, most),
        constraints=LinearConstraint(np.array(rows), low),
        options={"mip_rel_gap": 0},
    )
    assert found.status == 0, found.message
    return float(-found.fun) / (G - 1)
