"""Small runs: the exact step is the lexicographic optimum, and runs agree with the reference."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given

from adversary.instances.small_runs import simulate_small
from adversary.instances.space import Instance
from adversary.instances.strategies import instances, step_problems
from solvers.policies.exact_bfio import ExactBFIO
from solvers.simulation.reference import simulate_reference
from solvers.step.exact.brute_force import enumerate_step, exact_step
from solvers.step.problem import AssignmentError, StepProblem
from theory.model import INT_LIMIT, InputError, Requests, System


def _by_definition(problem: StepProblem) -> np.ndarray:
    """The smallest lexicographic key over every valid assignment."""
    best = None
    for workers in product(range(-1, problem.workers), repeat=problem.pool.size):
        assignment = np.array(workers, dtype=np.int64)
        try:
            problem.validate(assignment)
        except AssignmentError:
            continue
        key = problem.lexicographic_key(assignment)
        if best is None or key < best[0]:
            best = key, assignment
    return best[1]


@given(step_problems(max_workers=3, max_pool=4, max_size=4))
def test_exact_step_is_the_lexicographic_optimum(problem):
    assert exact_step(problem).tolist() == _by_definition(problem).tolist()


@given(step_problems(max_workers=3, max_pool=6))
def test_exact_step_equals_the_plain_enumeration(problem):
    assert exact_step(problem).tolist() == enumerate_step(problem).assignment.tolist()


@given(instances(max_requests=7, timed=False))
def test_small_runs_equal_the_reference(instance):
    for policy, name in (("fcfs", "fcfs"), (ExactBFIO(), "bfio_exact")):
        run = simulate_reference(instance.system, instance.requests, policy, pool=instance.pool)
        assert simulate_small(instance, name) == run.total


def test_hand_solved_run():
    # G = 2, B = 1, pool 2.  FCFS pairs (1, 1), then gives the free worker 3 beside 1 + 1:
    # loads (1, 1), (3, 2), (4, 0): imbalances 0, 1, 4.
    instance = Instance(System(2, 1), Requests([1, 1, 3], [1, 2, 2]), 2)
    total = simulate_small(instance, "fcfs")
    assert (total.steps, total.sum_max, total.work, total.imbalance) == (3, 8, 11, 5)


def test_slots_whose_sum_is_beyond_int64_are_as_many_as_requests():
    # Loads 9, 7 and 3 + 5.
    step = StepProblem([0, 0, 0], [INT_LIMIT - 1] * 3, [3, 5, 7, 9])
    assert exact_step(step).tolist() == [0, 0, 1, 2]
    requests = Requests([3, 5, 7, 9], [1, 2, 1, 2])
    for slots in (INT_LIMIT - 1, 2**70):
        wide = Instance(System(3, slots), requests, slots)
        for policy in ("fcfs", "bfio_exact"):
            assert simulate_small(wide, policy) == simulate_small(
                Instance(System(3, 4), requests, 4), policy
            )


def test_refusals():
    timed = Instance(System(2, 1), Requests([1], [1], [0.0]), 2)
    with pytest.raises(InputError, match="leave the arrival times out"):
        simulate_small(timed, "fcfs")
    large = Instance(System(4, 8), Requests([1] * 40, [1] * 40), 32)
    with pytest.raises(InputError, match="more than 100,000,000 assignments"):
        simulate_small(large, "bfio_exact")
    for giant in (10**18, 2 * 10**9):  # the squares of loads decide between equals
        with pytest.raises(InputError, match="too large for exact small runs"):
            exact_step(StepProblem([0, 0], [1, 1], [giant, 1]))
        with pytest.raises(InputError, match="too large for exact small runs"):
            simulate_small(Instance(System(2, 1), Requests([giant, 1], [1, 1]), 2), "fcfs")
    with pytest.raises(InputError, match="no exact small runs of 'jsq'; policies: fcfs, bfio_e"):
        simulate_small(large, "jsq")
    with pytest.raises(InputError, match="12 requests on 4 workers"):
        exact_step(StepProblem([0] * 4, [3] * 4, [1] * 12))
