"""Traces drawn again in blocks of consecutive requests."""

import numpy as np

from adversary.workloads.blocks import block_length, redrawn
from theory.model import Requests


def test_neighbours_of_a_draw_are_neighbours_of_the_trace() -> None:
    n = 50
    requests = Requests(np.arange(1, n + 1), np.arange(2, n + 2), np.arange(n) ** 2.0)
    again = redrawn(requests, 200, seed=3)
    assert block_length(requests) == 8
    assert again.arrival is not None
    assert again.arrival[0] == 0
    assert (again.decode == again.prefill + 1).all()
    gaps = np.diff(again.arrival)
    for at in range(1, 200):
        before, here = int(again.prefill[at - 1]) - 1, int(again.prefill[at]) - 1
        # Request k follows its neighbour by k^2 - (k - 1)^2; the first by 49^2 / 49.
        assert gaps[at - 1] == (2 * here - 1 if here else 49)
        assert at % 8 == 0 or here == (before + 1) % n


def test_every_request_is_as_likely_as_any_other() -> None:
    requests = Requests(np.arange(1, 11), np.ones(10, np.int64))
    drawn = np.concatenate([redrawn(requests, 10, seed).prefill for seed in range(2000)])
    # 2,000 each of 20,000; a count of blocks of 4 deviates by 2 * sqrt(1800) = 85 and less.
    assert abs(np.bincount(drawn)[1:] - 2000).max() < 5 * 85


def test_a_draw_depends_on_its_seed_alone() -> None:
    requests = Requests(np.arange(1, 101), np.ones(100, np.int64))
    first, same, other = (redrawn(requests, 30, seed) for seed in (1, 1, 2))
    assert first == same != other
    assert redrawn(Requests([5], [2], [7.0]), 3, 0) == Requests([5] * 3, [2] * 3, [0.0] * 3)
