"""Searches rediscover what is known, find planted faults, and measure their own power."""

import math

import numpy as np
import pytest

from adversary.instances.small_runs import simulate_small
from adversary.instances.space import Instance, Space, StepSpace
from adversary.worst_case.objectives import (
    average_imbalance,
    relative_imbalance,
    step_excess,
    step_gap_excess,
    step_imbalance,
)
from adversary.worst_case.search import METHODS, Power, power, search
from adversary.worst_case.shrink import shrink
from solvers.policies.exact_bfio import ExactBFIO
from solvers.step.exact.brute_force import exact_step
from solvers.step.problem import StepProblem
from theory.model import InputError, Requests, System

G, B, LOW, HIGH = 3, 2, 1, 6
REFILL = Space(G, B, G * B, HIGH, LOW)


@pytest.mark.parametrize("method", ["climb", "anneal"])
@pytest.mark.parametrize(
    ("objective", "space", "optimum"),
    [
        (average_imbalance("fcfs"), REFILL, (G - 1) * B * (HIGH - LOW)),
        (average_imbalance("bfio_exact"), REFILL, (G - 1) * (HIGH - LOW)),
        (
            step_imbalance,
            StepSpace(G, G * B, HIGH, LOW, free_max=B, free_min=B),
            (G - 1) * (HIGH - LOW),
        ),
    ],
    ids=["fcfs.worst-case", "step.full-refill-tight", "one step"],
)
def test_closed_forms_are_rediscovered_and_never_exceeded(method, objective, space, optimum):
    found = search(objective, space, method, budget=1500, seed=1)
    assert found.value == optimum
    assert objective(found.instance) == optimum
    assert found.evaluations == 1500


@pytest.mark.parametrize("method", METHODS)
def test_the_smallest_counterexample_to_gap_naive_is_rediscovered(method):
    space = StepSpace(3, 4, 5, free_max=3, load_max=4, fewer=True)
    found = search(step_gap_excess, space, method, budget=1000, seed=0, target=1)
    smallest = shrink(found.instance, lambda p: (step_gap_excess(p) or 0) > 0)
    assert sorted(zip(smallest.loads.tolist(), smallest.free.tolist(), strict=True)) == [
        (0, 0),
        (1, 1),
    ]
    assert smallest.pool.tolist() == [1]


def test_unbounded_ratio_is_rediscovered():
    space = Space(2, 1, 5, 5, decode_max=3, pool=5)
    objective = relative_imbalance("bfio_exact", "fcfs")
    found = search(objective, space, budget=20_000, seed=2)
    assert found.value == math.inf
    smallest = shrink(found.instance, lambda run: objective(run) == math.inf)
    assert len(smallest.requests) == 5
    assert simulate_small(smallest, "fcfs").imbalance == 0


def test_objectives_through_the_engine_equal_the_small_runs():
    space = Space(2, 2, 6, 9, decode_max=3)
    rng = np.random.default_rng(0)
    for _ in range(20):
        vector = np.concatenate([rng.integers(1, 10, 6), rng.integers(1, 4, 6)])
        instance = space.build(vector)
        assert average_imbalance(ExactBFIO)(instance) == average_imbalance("bfio_exact")(instance)


def test_any_policy_of_the_engine_can_be_attacked():
    # One worker is sent every largest size: the supremum of FCFS is reached by jsq as well, whose
    # turns only change which positions are the first worker's.
    found = search(average_imbalance("jsq"), REFILL, budget=1500, seed=0, target=20)
    assert found.value == (G - 1) * B * (HIGH - LOW)


@pytest.mark.parametrize("method", METHODS)
def test_same_seed_same_search(method):
    space = Space(2, 2, 4, 9, decode_max=2)
    first, again, other = (
        search(average_imbalance("fcfs"), space, method, budget=300, seed=s) for s in (5, 5, 6)
    )
    assert (first.value, first.trace) == (again.value, again.trace)
    assert first.instance.requests == again.instance.requests
    assert first.trace != other.trace
    values = [value for _, value in first.trace]
    assert values == sorted(set(values))
    assert values[-1] == first.value


def _greedy(problem: StepProblem) -> int:
    """A planted fault: the oldest requests, each to the worker that is lightest at the moment."""
    loads, free = problem.loads.tolist(), problem.free.tolist()
    for size in problem.pool[: problem.admissions].tolist():
        g = min((g for g in range(len(loads)) if free[g]), key=lambda g: loads[g])
        loads[g] += size
        free[g] -= 1
    return len(loads) * max(loads) - sum(loads)


def _rarely_wrong(problem: StepProblem) -> int:
    """A planted fault that shows only on three equal largest sizes."""
    right = problem.objective(exact_step(problem))
    return right + 1 if (problem.pool == 5).sum() == 3 else right


@pytest.mark.parametrize("solver", [_greedy, _rarely_wrong])
def test_planted_faults_of_a_step_solver_are_found(solver):
    space = StepSpace(2, 5, 5, free_max=3, load_max=5)
    found = search(step_excess(solver), space, budget=2000, seed=0, target=1)
    assert found.value >= 1
    smallest = shrink(found.instance, lambda p: step_excess(solver)(p) > 0)
    assert smallest.pool.size <= 3


def test_nothing_is_found_where_nothing_is():
    honest = step_excess(lambda p: p.objective(exact_step(p)))
    found = search(honest, StepSpace(2, 4, 5, free_max=2, load_max=3), budget=500, seed=0)
    assert found.value == 0
    undefined = search(lambda _: None, REFILL, budget=50, seed=0)
    assert (undefined.value, undefined.instance, undefined.trace) == (None, None, ())


def test_power_is_measured_on_a_known_optimum():
    table = power(average_imbalance("fcfs"), REFILL, 20, budget=400, runs=10)
    by_name = {entry.method: entry for entry in table}
    assert list(by_name) == list(METHODS)
    # 3 of the 46,656 instances are optimal: all 6's on one worker, all 1's on the others.  A run
    # of 400 random draws hits one with probability 0.025, so more than 2 of 10 runs is < 0.2 %.
    assert by_name["random"].found <= 2
    for method in ("climb", "anneal"):
        assert by_name[method].found == 10
        # All of 10: the bound is 0.05^(1/10) = 0.741.
        assert by_name[method].least_rate == pytest.approx(0.05**0.1)
        assert 1 <= by_name[method].median_evaluations <= 400
    assert Power("random", 10, 0, 400, None).least_rate == 0


def test_refusals():
    with pytest.raises(InputError, match="no search method 'luck'; known methods: random, climb"):
        search(step_imbalance, StepSpace(1, 1, 1), "luck", budget=1)
    with pytest.raises(InputError, match="budget must be an integer >= 1"):
        search(step_imbalance, StepSpace(1, 1, 1), budget=0)
    with pytest.raises(InputError, match="only be shrunk while its property holds"):
        shrink(StepProblem([0], [1], [1]), lambda _: False)


def test_shrinking_keeps_the_property_and_is_minimal():
    run = Instance(System(3, 2), Requests([5, 6, 7, 8, 9], [3, 2, 1, 2, 3]), 6)
    smallest = shrink(run, lambda r: r.requests.work() >= 10)
    assert (smallest.system.capacity, smallest.pool, len(smallest.requests)) == (1, 1, 1)
    # Work 2*5 + 1 = 11; one less in size or length gives 9 or 5.
    assert (smallest.requests.prefill.tolist(), smallest.requests.decode.tolist()) == ([5], [2])
    timed = Instance(System(1, 1), Requests([5, 6], [1, 1], [0.0, 1.5]), 1)
    kept = shrink(timed, lambda r: r.requests.arrival[-1] == 1.5)
    assert (kept.requests.prefill.tolist(), kept.requests.arrival.tolist()) == ([1], [1.5])
