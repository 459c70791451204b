"""Exact worst cases: closed forms rediscovered, two methods equal, known optima, clear domains."""

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from adversary.instances.small_runs import simulate_small
from adversary.instances.space import Space, StepSpace
from adversary.worst_case.exhaustive import (
    fcfs_worst_case,
    step_problems_of,
    worst_case,
    worst_step,
)
from adversary.worst_case.objectives import step_gap_excess, step_imbalance
from solvers.policies.exact_bfio import ExactBFIO
from solvers.simulation.reference import simulate_reference
from theory.model import InputError


@pytest.mark.parametrize(
    ("G", "B", "a", "b"), [(2, 1, 1, 3), (2, 2, 2, 5), (3, 1, 1, 3), (3, 2, 1, 3), (2, 3, 1, 3)]
)
def test_full_refill_closed_forms(G, B, a, b):
    refill = Space(G, B, G * B, b, a)
    for worst in (worst_case(refill, "fcfs"), fcfs_worst_case(refill)):
        assert worst.value == (G - 1) * B * (b - a)  # [fcfs.worst-case]
    assert worst_case(refill, "bfio_exact").value == (G - 1) * (b - a)  # [step.full-refill-tight]


def test_the_small_counterexamples_come_out_smallest_first():
    """Classes in order of size: the first with a gap above s_max holds the smallest step."""
    for total in range(1, 4):
        for free_max, load_max, n in product(range(1, 3), range(3), range(1, 3)):
            if free_max + load_max + n != total:
                continue
            space = StepSpace(2, n, 1, free_max=free_max, load_max=load_max)
            excess, problem, _ = worst_step(space, step_gap_excess)
            if excess > 0:
                assert (problem.loads.tolist(), problem.free.tolist()) == ([0, 1], [0, 1])
                assert problem.pool.tolist() == [1]
                assert problem.loads_after(np.array([1])).tolist() == [0, 2]
                return
    pytest.fail("no counterexample found")


def test_random_small_classes_agree_between_vertices_and_full_enumeration():
    rng = np.random.default_rng(2)
    for _ in range(200):
        G, B = (int(x) for x in rng.integers(1, 4, 2))
        N, length = int(rng.integers(1, 5)), int(rng.integers(1, 4))
        low = int(rng.integers(1, 4))
        high = low + int(rng.integers(0, 3))
        pool = int(rng.integers(1, G * B + 2))
        drift = ((1,), (0,), (2, 0, 1))[int(rng.integers(3))]
        space = Space(G, B, N, high, low, length, pool=pool, drift=drift)
        full, vertices = worst_case(space, "fcfs"), fcfs_worst_case(space)
        assert full.value == vertices.value, space
        assert full.instances == space.size == ((high - low + 1) * length) ** N
        assert vertices.instances == ((1 + (high > low)) * length) ** N
        for worst in (full, vertices):
            assert simulate_small(worst.instance, "fcfs").avg_imbalance == worst.value


@pytest.mark.parametrize("order", ["any", "sorted"])
@pytest.mark.parametrize("pool", [1, 2, 3])
def test_enumeration_by_definition(order, pool):
    """The same maxima from the reference engine, one instance at a time."""
    space = Space(2, 1, 3, 3, decode_max=2, order=order, pool=pool)
    runs = {}
    for vector in product(range(1, 4), range(1, 4), range(1, 4), *[range(1, 3)] * 3):
        instance = space.build(np.array(vector))
        key = (*instance.requests.prefill.tolist(), *instance.requests.decode.tolist())
        if key not in runs:
            runs[key] = [
                simulate_reference(
                    space.system, instance.requests, policy, pool=pool
                ).total.avg_imbalance
                for policy in ("fcfs", ExactBFIO())
            ]
    assert len(runs) == space.size
    fcfs, bfio = zip(*runs.values(), strict=True)
    ratios = [y / x if x else math.inf for x, y in runs.values() if x or y]
    for worst, values in (
        (worst_case(space, "fcfs"), fcfs),
        (worst_case(space, "bfio_exact"), bfio),
        (worst_case(space, "bfio_exact", "fcfs"), ratios),
    ):
        assert worst.value == max(values)
        assert worst.maximisers == sum(v == max(values) for v in values)
        assert worst.instances == space.size


def test_known_optima():
    # Found apart from this project: 21.0 at N = 6 and 10, 20.8 at N = 8; 12.5 for the ratio.
    assert fcfs_worst_case(Space(2, 2, 6, 10, decode_max=3)).value == 21
    worst = fcfs_worst_case(Space(2, 2, 8, 10, decode_max=3))
    assert worst.value == Fraction(104, 5)
    assert worst.instances == 6**8
    assert "all 656,100,000,000 request lists, by their 1,679,616 vertices" in worst.domain
    # Most are excluded by the steps' own largest imbalances.
    assert 0.9 * worst.instances < worst.excluded < worst.instances
    ratio = worst_case(Space(2, 1, 4, 6, decode_max=3), "bfio_exact", "fcfs")
    assert ratio.value == Fraction(25, 2)
    assert sorted(ratio.instance.requests.prefill.tolist()) == [4, 4, 5, 6]
    assert ratio.instances == 18**4


def test_ratio_to_perfect_balance_is_infinite():
    worst = worst_case(Space(2, 1, 5, 2, decode_max=3, pool=4), "bfio_exact", "fcfs")
    assert worst.value == math.inf
    assert simulate_small(worst.instance, "fcfs").imbalance == 0
    assert simulate_small(worst.instance, "bfio_exact").imbalance > 0


def test_fcfs_of_eleven_requests():
    worst = fcfs_worst_case(Space(2, 2, 11, 10, decode_max=3))
    assert worst.instances == 6**11
    assert worst.value == Fraction(125, 6)
    assert simulate_small(worst.instance, "fcfs").avg_imbalance == worst.value


def test_worst_single_steps():
    # One largest size among smallest ones: (G-1)(s_max-1), whatever the number of slots.
    refill = StepSpace(3, 6, 4, free_max=2, free_min=2)
    value, problem, instances = worst_step(refill, step_imbalance)
    assert (value, sorted(problem.pool.tolist())) == (6, [1, 1, 1, 1, 1, 4])
    assert instances == refill.size == sum(1 for _ in step_problems_of(refill)) == 84


@pytest.mark.slow
def test_one_spare_request_helps():
    # Found apart from this project: G = 3, c = 2, sizes to 10: 18 without a spare, 12 with one.
    assert worst_step(StepSpace(3, 6, 10, free_max=2, free_min=2), step_imbalance)[0] == 18
    assert worst_step(StepSpace(3, 7, 10, free_max=2, free_min=2), step_imbalance)[0] == 12


def test_class_sizes_are_exact():
    space = StepSpace(2, 2, 3, free_max=1, load_max=1, fewer=True)
    assert sum(1 for _ in step_problems_of(space)) == space.size == 100


def test_refusals():
    with pytest.raises(InputError, match="more than 10,000,000,000: make it smaller, or search it"):
        worst_case(Space(2, 2, 12, 10, decode_max=3), "fcfs")
    # Where 64 bits do not hold what is compared, nothing is said.
    for sizes, baseline in ((10**18, None), (10**10, None), (10**8, "fcfs")):
        space = Space(2, 2, 4, sizes, sizes - 1)
        with pytest.raises(InputError, match="too large"):
            worst_case(space, "bfio_exact", baseline)
    with pytest.raises(InputError, match="too large"):
        fcfs_worst_case(Space(2, 2, 4, 10**18))
    assert worst_case(Space(2, 2, 4, 10**8, 10**8 - 1), "bfio_exact").value == 1
    with pytest.raises(InputError, match="no exact small runs of 'jsq'"):
        worst_case(Space(2, 1, 2, 2), "jsq")
    with pytest.raises(InputError, match="every arrival order"):
        fcfs_worst_case(Space(2, 1, 2, 2, order="sorted"))
    with pytest.raises(InputError, match="size_max must be an integer >= 3"):
        Space(2, 1, 2, 2, 3)
    with pytest.raises(InputError, match="order must be 'any' or 'sorted'"):
        Space(2, 1, 2, 2, order="all")
    with pytest.raises(InputError, match="defined nowhere"):
        worst_step(StepSpace(1, 1, 1), lambda _: None)
