"""The policies of serving systems, on steps worked out by hand."""

from collections import Counter

import numpy as np
import pytest

from solvers.policies.protocol import StepView
from solvers.policies.registry import policy
from solvers.simulation.engine import simulate
from theory.model import Requests, System

W = -1  # waits


def view(loads, free, pool, slots):
    return StepView(
        step=0,
        slots=slots,
        loads=np.array(loads),
        free=np.array(free),
        pool=np.array(pool),
        waited=np.zeros(len(pool), dtype=np.int64),
    )


def test_a_count_does_not_see_one_huge_request():
    # One request of 10,000 tokens beside two of 1,000: the counts are 1 and 2.
    step = view([10_000, 2_000], [2, 1], [1_000], slots=3)
    for name in ("jsq", "vllm_dp", "vllm_dp_rotating", "sglang_shortest_queue"):
        assert policy(name).admit(step).tolist() == [0], name
    for name in ("least_loaded", "sglang_minimum_tokens", "bfio", "br0"):
        assert policy(name).admit(step).tolist() == [1], name


def one_at_a_time(name, requests=12, workers=4):
    """Requests that each leave before the next one comes, so that every step is a tie."""
    system = System(workers, 2, step_overhead_s=1.0)
    arrivals = np.arange(requests) * 10.0
    ones = np.ones(requests, dtype=np.int64)
    return Counter(simulate(system, Requests(ones, ones, arrivals), name).worker.tolist())


def test_a_fixed_tie_break_sends_everything_to_worker_0():
    for name in ("jsq", "vllm_dp", "least_loaded", "trtllm_adp"):
        assert one_at_a_time(name) == {0: 12}, name
    assert one_at_a_time("vllm_dp_rotating") == {0: 3, 1: 3, 2: 3, 3: 3}


def test_the_turn_decides_ties_only():
    rotating = policy("vllm_dp_rotating")
    # Two running, none, one: worker 1 twice would cost 4, so 1, 2 (1 running), then 0 (2 < 4).
    step = view([9, 0, 1], [1, 3, 2], [5, 5, 5], slots=3)
    assert rotating.admit(step).tolist() == [1, 2, 0]
    # The turn is now 3, that is worker 0; all three are level.
    assert rotating.admit(view([1, 1, 1], [2, 2, 2], [5], slots=3)).tolist() == [0]
    assert rotating.admit(view([1, 1, 1], [2, 2, 2], [5], slots=3)).tolist() == [1]


def test_adp_sends_the_largest_to_the_fewest_tokens_below_the_mean_count():
    # 2 + 0 + 1 run and 3 are admitted: at most 2 a worker, so worker 0 takes none, whatever its
    # load.  Largest first: 9 to worker 1 (0 tokens), 7 to worker 2 (8), 2 to worker 1 (9 < 15).
    step = view([1, 0, 8], [2, 4, 3], [7, 2, 9], slots=4)
    assert policy("trtllm_adp").admit(step).tolist() == [2, 1, 1]


@pytest.mark.parametrize(
    ("name", "same"), [("sglang_shortest_queue", "jsq"), ("sglang_minimum_tokens", "least_loaded")]
)
def test_sglang_rules_are_known_ones(name, same):
    rng = np.random.default_rng(3)
    requests = Requests(rng.integers(1, 50, 400), rng.integers(1, 9, 400))
    runs = [simulate(System(4, 3), requests, which, seed=1) for which in (name, same)]
    assert runs[0].policy == name
    assert runs[0].total == runs[1].total
    assert (runs[0].worker == runs[1].worker).all()
