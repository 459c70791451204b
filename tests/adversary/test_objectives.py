"""What an adversary maximises, against enumeration: above all an optimum that may not idle."""

import math
from fractions import Fraction
from itertools import product

import pytest

from adversary.instances.space import Instance
from adversary.worst_case.objectives import (
    average_imbalance,
    optimum_ratio,
    relative_imbalance,
    step_excess,
    step_gap_excess,
    step_imbalance,
)
from solvers.policies.exact_bfio import ExactBFIO
from solvers.schedule.average import best_average
from solvers.schedule.problem import OfflineProblem
from solvers.simulation.reference import simulate_reference
from solvers.step.problem import StepProblem
from theory.model import Requests, System


def least_averages(G, B, drift, requests):
    """Least AvgImb of all schedules without a break, and of those that leave no slot free."""
    horizon, averages = sum(o for _, o in requests), {False: [], True: []}
    starts = [[(k, g) for k in range(horizon - o + 1) for g in range(G)] for _, o in requests]
    for plan in product(*starts):
        steps = max(k + o for (k, _), (_, o) in zip(plan, requests, strict=True))
        total, conserving = 0, True
        for k in range(steps):
            loads, held = [0] * G, [0] * G
            for (start, g), (s, o) in zip(plan, requests, strict=True):
                if start <= k < start + o:
                    loads[g] += s + drift * (k - start)
                    held[g] += 1
            if max(held) > B or max(held) == 0:
                break
            waits = any(start > k for start, _ in plan)
            conserving = conserving and not (waits and min(held) < B)
            total += G * max(loads) - sum(loads)
        else:
            averages[False].append(Fraction(total, steps))
            if conserving:
                averages[True].append(Fraction(total, steps))
    return min(averages[False]), min(averages[True])


# Backlogs (size, length) in which a schedule that idles has the smaller average imbalance.
IDLING_PAYS = [
    (2, 2, 0, ((2, 2), (2, 1), (3, 3))),
    (2, 1, 0, ((2, 1), (1, 1), (4, 3))),
    (2, 2, 1, ((1, 2), (1, 2), (3, 1))),
    (2, 2, 0, ((2, 2), (1, 2), (2, 2))),
    (2, 1, 1, ((3, 2), (4, 2), (4, 1))),
    (2, 2, 1, ((4, 2), (2, 3), (2, 1))),
]


def instance(G, B, drift, requests, pool=None):
    sizes, lengths = zip(*requests, strict=True)
    return Instance(
        System(G, B, (drift,)), Requests(sizes, lengths), len(requests) if pool is None else pool
    )


@pytest.mark.parametrize("case", IDLING_PAYS, ids=str)
@pytest.mark.parametrize("policy", ["fcfs", "bfio_exact", "jsq"])
def test_the_optimum_may_not_idle(case, policy):
    idling, conserving = least_averages(*case)
    assert 0 < idling < conserving
    run = instance(*case)
    chosen = ExactBFIO() if policy == "bfio_exact" else policy
    average = simulate_reference(
        run.system, run.requests, chosen, pool=run.pool
    ).total.avg_imbalance
    assert average_imbalance(policy)(run) == average
    assert optimum_ratio(policy)(run) == average / conserving
    for work_conserving, least in ((False, idling), (True, conserving)):
        problem = OfflineProblem(run.system, run.requests, work_conserving=work_conserving)
        assert best_average(problem).totals.avg_imbalance == least


def test_a_ratio_to_a_balanced_optimum():
    """Equal requests on both workers balance; fcfs fills one worker first."""
    one = instance(2, 2, 0, ((3, 1), (3, 1)))
    assert average_imbalance("fcfs")(one) == 6
    assert least_averages(2, 2, 0, ((3, 1), (3, 1))) == (0, 0)
    assert optimum_ratio("fcfs")(one) == math.inf
    assert optimum_ratio("bfio_exact")(one) is None
    assert relative_imbalance("fcfs", "bfio_exact")(one) == math.inf
    assert relative_imbalance("bfio_exact", "fcfs")(one) == 0
    assert relative_imbalance("bfio_exact", "bfio_exact")(one) is None
    assert relative_imbalance("fcfs", "fcfs")(one) == 1


def test_a_timed_run_keeps_its_arrivals_and_a_backlog_its_pool():
    """Alone, one after the other: the imbalance is the size.  Together on two workers it is 0."""
    together = Instance(System(2, 1), Requests([3, 3], [1, 1]), 2)
    apart = Instance(System(2, 1), Requests([3, 3], [1, 1], [0.0, 9.0]), 2)
    one_by_one = Instance(System(2, 1), Requests([3, 3], [1, 1]), 1)
    for policy in ("fcfs", "bfio_exact", ExactBFIO):
        if policy != "bfio_exact":
            assert average_imbalance(policy)(apart) == 3
        assert average_imbalance(policy)(together) == 0
        assert average_imbalance(policy)(one_by_one) == 3


def test_steps_by_hand():
    """Loads 0, 2 and one request of 3 for either worker: 3, 2 leaves 1, and 0, 5 leaves 5."""
    step = StepProblem([0, 2], [1, 1], [3])
    assert step_imbalance(step) == 1
    assert step_gap_excess(step) == 1 - 3
    assert step_excess(lambda problem: 5)(step) == 4
    assert step_excess(lambda problem: 1)(step) == 0


def test_a_step_answers_for_gaps_up_to_the_largest_size_only():
    """Worker 1 alone has a slot: 0, 2 becomes 0, 4, a gap of 2 above the largest size of 2."""
    assert step_gap_excess(StepProblem([0, 2], [0, 1], [1, 2])) == min(3, 4) - 2
    assert step_gap_excess(StepProblem([0, 3], [0, 1], [1, 2])) is None
    assert step_gap_excess(StepProblem([0, 2], [0, 1], [])) is None
