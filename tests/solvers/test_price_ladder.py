"""The price ladder: its order, its values by hand, and what it refuses."""

import numpy as np
import pytest

from solvers.schedule.price_ladder import price_ladder
from theory.model import InputError, Requests, System


def levels(system: System, requests: Requests) -> dict[str, int]:
    return {rung.name: rung.totals.sum_max for rung in price_ladder(system, requests)}


def test_values_by_hand() -> None:
    """Derived at the head of evenkeel/theorems/offline/statements.py."""
    workers = levels(System(3, 1), Requests([3] * 4, [2] * 4))
    assert (workers["migrating"], workers["pausing"]) == (11, 14)
    pauses = levels(System(2, 1), Requests([1, 1, 1, 2], [1, 2, 2, 2]))
    assert (pauses["pausing"], pauses["sticky"]) == (7, 8)
    conserving = levels(System(2, 2), Requests([1, 1, 1, 1, 2], [1] * 5))
    assert (conserving["sticky"], conserving["work conserving"]) == (3, 4)
    online = levels(System(3, 1), Requests([1] * 4, [1, 1, 2, 2]))
    assert (online["work conserving"], online["bfio"], online["fcfs"]) == (3, 5, 5)


def test_costs_rise_along_the_ladder() -> None:
    for seed in range(8):
        rng = np.random.default_rng(seed)
        system = System(int(rng.integers(2, 4)), int(rng.integers(1, 3)))
        requests = Requests(rng.integers(1, 9, 6), rng.integers(1, 4, 6))
        rungs = price_ladder(system, requests, ("bfio:horizon=2", "jsq", "always_busiest"))
        optima, policies = rungs[:4], rungs[4:]
        values = [rung.totals.imbalance for rung in optima]
        assert values == sorted(values)
        assert all(values[-1] <= rung.totals.imbalance for rung in policies)
        assert len({rung.totals.work for rung in rungs}) == 1


def test_large_instances_are_refused() -> None:
    with pytest.raises(InputError, match="states"):
        price_ladder(System(2, 2), Requests([1] * 12, [9] * 12))
