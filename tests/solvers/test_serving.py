"""The policies of serving systems, on steps worked out by hand."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from solvers.policies.protocol import InFlight, StepView
from solvers.policies.registry import policy
from solvers.simulation.engine import simulate
from theory.model import InputError, Requests, System

W = -1  # waits


def view(loads, free, pool, slots, in_flight=None):
    return StepView(
        step=0,
        slots=slots,
        loads=np.array(loads),
        free=np.array(free),
        pool=np.array(pool),
        waited=np.zeros(len(pool), dtype=np.int64),
        in_flight=in_flight or InFlight.nobody(),
    )


def running(*rows):
    """Requests in flight: worker, size, and then age."""
    worker, size, age = np.array([(*row, 1)[:3] for row in rows], dtype=np.int64).T
    return InFlight(np.arange(len(rows)), worker, size, age, np.zeros(len(rows), dtype=bool))


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
    held = running((0, 1), (0, 1), (2, 8))
    step = view([9, 0, 80], [2, 4, 3], [7, 2, 9], slots=4, in_flight=held)
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


def test_adp_may_level_up_to_the_fullest_worker():
    # 3 + 0 run and 1 comes: the mean is 2, but worker 0 has 3 already, so 3 is the limit.  Worker 1
    # may take it in any case; with worker 1 at 2 and three coming both are levelled to 4.
    held = running((0, 9), (0, 9), (0, 9), (1, 30), (1, 30))
    step = view([27, 60], [1, 2], [5, 6, 7], slots=4, in_flight=held)
    assert policy("trtllm_adp").admit(step).tolist() == [1, 1, 0]


def test_vllm_in_flight_takes_the_larger_of_its_own_count_and_the_queues():
    # Two front ends; requests 4 and 6 in flight on worker 0 are of front end 0, which counts 2 * 2;
    # worker 1 has 3 requests of front end 1.  Request 8 is of front end 0: scores 4 and 3.
    held = InFlight(
        np.array([1, 3, 4, 5, 6]),
        np.array([1, 1, 0, 1, 0]),
        np.full(5, 10),
        np.ones(5, dtype=np.int64),
        np.zeros(5, dtype=bool),
    )
    step = view([22, 33], [4, 3], [10], slots=6, in_flight=held)
    rule = policy("vllm_in_flight:clients=2")
    assert rule.admit(replace(step, request=np.array([8]))).tolist() == [1]
    # Request 9 is of front end 1, for which worker 0 has 2 of the snapshot and worker 1 has 2 * 3.
    assert rule.admit(replace(step, request=np.array([9]))).tolist() == [0]


def test_vllm_in_flight_shuns_a_queue_that_drains_slowly():
    # Both have 3 in flight.  Worker 0 has one queued at a KV use of 5/6: 3 + 6/3 = 5; worker 1
    # none: the third of the turn goes there, whoever is first in it.
    held = running((0, 50), (0, 30), (0, 9, 0), (1, 40), (1, 30), (1, 29))
    held.queued[2] = True
    step = view([91, 101], [1, 1], [10], slots=4, in_flight=held)
    step = replace(
        step,
        budget=np.array([98, 200]),
        queued=np.array([1, 0]),
        queued_tokens=np.array([9, 0]),
    )
    for _ in range(2):
        assert policy("vllm_in_flight:every_ms=0").admit(step).tolist() == [1]
    # Without budgets it is a tie, and worker 0 is first.
    assert policy("vllm_in_flight").admit(replace(step, budget=None)).tolist() == [0]


def test_an_old_snapshot_hides_what_has_left():
    # Snapshot: 3 and 0 run.  All of worker 0 leave; until the next snapshot it still counts 3, so
    # worker 1 gets three before worker 0 gets any.
    first = view([3, 0], [2, 5], [1], slots=5)
    later = view([0, 2], [5, 4], [1, 1, 1], slots=5)
    stale, fresh = (
        policy("sglang_total_requests:every=9,every_ms=0"),
        policy("sglang_total_requests:every_ms=0"),
    )
    for rule in (stale, fresh):
        assert rule.admit(first).tolist() == [1]
    assert stale.admit(replace(later, step=1)).tolist() == [1, 1, 0]
    assert fresh.admit(replace(later, step=1)).tolist() == [0, 0, 1]


def test_atom_counts_a_request_as_512_tokens():
    # Two of 100 against one of 600: 200 + 1024 and 600 + 512.
    held = running((0, 100), (0, 100), (1, 600))
    step = view([200, 600], [2, 3], [50], slots=4, in_flight=held)
    assert policy("atom_least_tokens").admit(step).tolist() == [1]
    assert policy("atom_least_tokens:per_request=300").admit(step).tolist() == [0]
    assert policy("atom_least_requests").admit(step).tolist() == [1]


def test_tpu_inference_breaks_a_tie_by_who_has_run_longest():
    held = running((0, 5, 3), (1, 5, 8), (2, 5, 8))
    step = view([8, 13, 13], [1, 1, 1], [4, 4], slots=2, in_flight=held)
    # The second request sees 4 tokens to prefill on worker 1.
    assert policy("tpu_inference").admit(step).tolist() == [1, 2]


def test_the_cache_draws_requests_of_a_group_to_one_worker_until_load_wins():
    rule = policy("trtllm_kv_aware")
    first = view([0, 0], [4, 4], [100], slots=4)
    first = replace(first, request=np.array([0]), group=np.array([7]))
    home = int(rule.admit(first)[0])
    # 100 of 101 tokens are cached at home, whose 100 tokens are all the load there is: 1 + 101
    # against 101 for the other worker.  At half the weight home wins.
    held = InFlight(
        np.array([0]), np.array([home]), np.array([100]), np.array([1]), np.array([False])
    )
    free = [4, 4]
    free[home] = 3
    step = view([0, 0], free, [101], slots=4, in_flight=held)
    step = replace(step, request=np.array([1]), group=np.array([7]))
    assert rule.admit(step).tolist() == [1 - home]
    light = policy("trtllm_kv_aware:load_weight=0.5")
    light.admit(first)
    assert light.admit(step).tolist() == [home]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("vllm_in_flight:clients=0", "clients must be an integer >= 1"),
        ("vllm_in_flight:every=0", "every must be an integer >= 1"),
        ("vllm_in_flight:every_ms=-1", "every_ms must be a number >= 0"),
        ("atom_least_tokens:per_request=-1", "per_request must be an integer >= 0"),
        ("trtllm_kv_aware:fair_share=0.5", "fair_share must be a number in [1, inf]"),
        ("trtllm_kv_aware:match_rate=2", "match_rate must be a number in [0, 1]"),
    ],
)
def test_parameters_out_of_range_are_named(spec, message):
    with pytest.raises(InputError) as caught:
        policy(spec)
    assert message in str(caught.value)


def test_fcfs_that_spreads_is_the_fair_baseline_where_slots_are_empty():
    # Eight equal requests on sixteen workers of eight slots: worker 0 takes them all and fifteen
    # idle, or eight take one each and eight idle.
    requests = Requests([65_536] * 8, [256] * 8)
    for name, share in (("fcfs", Fraction(15, 16)), ("jsq", Fraction(1, 2))):
        run = simulate(System(16, 8), requests, name)
        assert run.total.idle_share == share
        assert (run.idle_by_worker == 0).sum() == 16 * (1 - share)
        assert run.overloaded.steps == 0
