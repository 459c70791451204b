"""The checks of growth: gates, exact steps, seeds."""

import numpy as np
import pytest

from adversary.workloads.families import workload
from adversary.workloads.overload import pool_survives_a_class
from evenkeel.findings.check import Verdict
from evenkeel.findings.replications import LARGEST_GAP, Balanced, balanced_runs
from evenkeel.findings.statistics import Mean, overloaded_run, pool_condition_fails_at
from evenkeel.theorems.experiments.paired_runs import seeds_of
from evenkeel.theorems.registry import checks
from evenkeel.theorems.step.domains import EXACT
from theory.model import System


def balanced(*, gap: float = 0.0, violated: int | None = None) -> Balanced:
    return Balanced(Mean.of([1.0, 2.0]), (1.0, 2.0), gap, violated)


def test_runs_outside_the_class_or_with_uncertain_steps_do_not_speak() -> None:
    assert balanced().unfit("here") is None
    outside = balanced(violated=3).unfit("here")
    assert outside is not None
    assert outside.verdict is Verdict.NOT_APPLICABLE
    assert "step 3, here" in outside.domain
    assert balanced(gap=2 * LARGEST_GAP).unfit("here") is None
    uncertain = balanced(gap=2 * LARGEST_GAP).unfit("here", 1.0)
    assert uncertain is not None
    assert uncertain.verdict is Verdict.INCONCLUSIVE


def test_the_pool_condition_is_that_of_the_families() -> None:
    system, steps = System(2, 2), 30
    # Two sizes in a pool of five: the larger class often blocks the rest.
    requests = workload("two-point", 200, 3, a=1, b=2, q=0.5, p=0.3)
    run = overloaded_run(system, requests, "bfio", steps, pool=5)
    fails = []
    for step in range(steps):
        waiting = (run.reveal_step <= step) & (run.start_step >= step)
        admitted = int((run.start_step == step).sum())
        if not pool_survives_a_class(run.requests.prefill[waiting], admitted):
            fails.append(step)
    assert pool_condition_fails_at(run, steps) == (fails[0] if fails else None)
    assert fails


def test_exact_steps_leave_no_more_than_certified_ones_in_a_refill() -> None:
    # Lengths 1: every step is a full refill of its own, with the same pool for both.
    requests = workload("uniform", 4, 5, b=9, length=1)
    exact, fast = (
        overloaded_run(System(2, 2), requests, policy, 1).total.imbalance
        for policy in (EXACT, "bfio")
    )
    assert exact <= fast


def test_replications_are_cached_and_paired() -> None:
    def one(policy: str) -> Balanced:
        return balanced_runs(System(2, 2), policy, 0.5, 9, runs=3, seed=5)

    assert one("fcfs") is one("fcfs")
    assert len(one("bfio").samples) == 3
    assert np.mean(one("bfio").samples) < np.mean(one("fcfs").samples)


def test_seeds_of_two_trials_are_disjoint_and_unused() -> None:
    check = checks()["experiment.energy28"]
    one, two = (set(seeds_of(check.trial(seed=seed))) for seed in (0, 1))
    assert not one & two
    assert min(one) >= 1000


@pytest.mark.parametrize("policy", ["round_robin", "power_of_two"])
def test_a_size_blind_policy_does_not_grow_like_bfio(policy: str) -> None:
    check = checks()["scaling.iir-frontier"]
    assert check.run(check.trial(policy=policy)).verdict is Verdict.REFUTED
