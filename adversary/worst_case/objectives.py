"""What an adversary maximises: exact values of instances, None where they are undefined."""

import math
from collections.abc import Callable
from fractions import Fraction

from adversary.instances.small_runs import SMALL_POLICIES, simulate_small
from adversary.instances.space import Instance
from solvers.policies.protocol import Policy
from solvers.schedule.average import best_average
from solvers.schedule.problem import OfflineProblem
from solvers.simulation.engine import simulate
from solvers.step.exact.brute_force import exact_step
from solvers.step.problem import StepProblem

# Exact; the one float that occurs is an infinite ratio.
Value = Fraction | float

RunObjective = Callable[[Instance], Value | None]
StepObjective = Callable[[StepProblem], Value | None]

# A policy is a name that the engine knows, or makes a fresh policy object for every run.
PolicySource = str | Callable[[], Policy]


def average_imbalance(policy: PolicySource) -> RunObjective:
    """``AvgImb`` of a policy over the whole run, drain included.

    Parameters
    ----------
    policy : str or callable
        A name that the engine knows, ``"bfio_exact"`` for exact steps, or a function that makes a
        policy object for each run.
    """

    def objective(instance: Instance) -> Value | None:
        return _average(instance, policy)

    return objective


def relative_imbalance(policy: PolicySource, baseline: PolicySource) -> RunObjective:
    """``AvgImb`` of a policy over that of a baseline on the same instance.

    0/0 is undefined; a positive average over zero is infinite.
    """

    def objective(instance: Instance) -> Value | None:
        top, bottom = _average(instance, policy), _average(instance, baseline)
        if bottom:
            return top / bottom
        return math.inf if top else None

    return objective


def optimum_ratio(policy: PolicySource) -> RunObjective:
    """``AvgImb`` of a policy over the least of any schedule that knows all lengths beforehand.

    The schedule keeps requests where they are and leaves no slot free while one waits, as the
    policy does.  0/0 is undefined; a positive average over zero is infinite.
    """

    def objective(instance: Instance) -> Value | None:
        problem = OfflineProblem(instance.system, instance.requests, work_conserving=True)
        top = _average(instance, policy)
        bottom = best_average(problem).totals.avg_imbalance
        if bottom:
            return top / bottom
        return math.inf if top else None

    return objective


def step_imbalance(problem: StepProblem) -> Value | None:
    """Imbalance after an optimal step."""
    return Fraction(problem.objective(exact_step(problem)))


def step_gap_excess(problem: StepProblem) -> Value | None:
    """Largest minus smallest load after the lexicographic optimum, less the largest pool size.

    Positive values contradict [step.gap-naive].  Undefined for an empty pool, and where the loads
    differ by more than the largest size before the step: a step cannot be blamed for those.
    """
    if not problem.pool.size:
        return None
    largest = int(problem.pool.max())
    if int(problem.loads.max() - problem.loads.min()) > largest:
        return None
    after = problem.loads_after(exact_step(problem))
    return Fraction(int(after.max() - after.min()) - largest)


def step_excess(solver: Callable[[StepProblem], int]) -> StepObjective:
    """By how much the imbalance that a solver reaches exceeds the optimal one."""

    def objective(problem: StepProblem) -> Value | None:
        return Fraction(solver(problem) - problem.objective(exact_step(problem)))

    return objective


def _average(run: Instance, policy: PolicySource) -> Fraction:
    if policy in SMALL_POLICIES and run.requests.arrival is None:
        return simulate_small(run, policy).avg_imbalance
    chosen = policy if isinstance(policy, str) else policy()
    return simulate(run.system, run.requests, chosen, pool=run.pool).total.avg_imbalance
