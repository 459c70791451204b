"""Each hot path beside a named reference, by pytest-benchmark:

    python -m pytest benchmarks/test_hot_paths.py --benchmark-columns=min,median,ops

The ratios stand in brackets.  A group is one task on one input, and every answer is checked.
"""

import numpy as np
import pytest

from adversary.workloads.families import workload
from benchmarks.steady_steps import steady_steps
from solvers.lookahead.problem import WindowProblem, solve_window
from solvers.simulation.engine import simulate
from solvers.simulation.reference import simulate_reference
from solvers.step.bounds.relaxation import lower_bound
from solvers.step.branch_and_price.solve import solve_branch_and_price
from solvers.step.exact.brute_force import enumerate_step
from solvers.step.exact.milp import solve_exact
from solvers.step.exact.second_formulation import relaxation_bound
from solvers.step.fast.solve import balance, solve_step
from solvers.step.problem import StepProblem
from theory.model import System


def side_by_side(group, *paths):
    """Parameters for the paths of one group: (name, function)."""
    return pytest.mark.parametrize(
        "path", [pytest.param((group, path), id=f"{group}: {name}") for name, path in paths]
    )


@pytest.fixture
def timed(benchmark, path):
    """Call the path on arguments: once for its answer, then for its time."""

    def call(*arguments, **options):
        benchmark.group, function = path
        answer = function(*arguments, **options)
        benchmark.pedantic(function, arguments, options, rounds=9)
        return answer

    return call


@side_by_side("run, fcfs, G=32 B=72", ("engine", simulate), ("plain", simulate_reference))
def test_fcfs(timed):
    load = workload("peer-longbench", 6000, 0)
    run = timed(System.paper(32, 72), load, "fcfs", pool=256)
    assert run.total == simulate(System.paper(32, 72), load, "fcfs", pool=256).total


@side_by_side("run, bfio, G=32 B=72", ("engine", simulate), ("plain", simulate_reference))
def test_bfio(timed):
    load = workload("peer-longbench", 6000, 0)
    run = timed(System.paper(32, 72), load, "bfio", pool=256)
    assert run.total == simulate(System.paper(32, 72), load, "bfio", pool=256).total


def decided(effort):
    def decide(problem, _):
        worker = np.empty(problem.pool.size, dtype=np.int64)
        return balance(problem.loads, problem.free, problem.pool, effort, worker)

    return decide


@side_by_side(
    "step, G=144 B=72",
    ("numpy's sort of the pool", lambda _, pool: np.sort(pool)),
    ("balance, effort 0", decided(0)),
    ("balance, effort 1", decided(1)),
)
def test_step(timed):
    found = steady_steps(144, 72, 0.03, 8 * 144, "uniform", 1)[0]
    problem = StepProblem(found.loads.copy(), found.free.copy(), np.sort(found.pool))
    answer = timed(problem, found.pool)
    if isinstance(answer, tuple):
        imbalance, bound = answer
        assert 0 <= bound <= imbalance
    else:
        assert (answer == problem.pool).all()


TINY = StepProblem([7, 3, 0], [2, 1, 2], [1, 2, 3, 5, 8, 9])


@side_by_side("tiny step", ("solve_step", solve_step), ("all assignments", enumerate_step))
def test_tiny_step(timed):
    assert timed(TINY).imbalance == enumerate_step(TINY).imbalance


@side_by_side("lower bound", ("closed form", lower_bound), ("LP by cvxpy", relaxation_bound))
def test_lower_bound(timed):
    problem = steady_steps(8, 72, 0.03, 64, "lognormal", 1)[0]
    assert timed(problem) <= solve_step(problem, 2).imbalance


@side_by_side("optimum, G=8", ("scan", solve_branch_and_price), ("HiGHS", solve_exact))
def test_optimum(timed):
    problem = steady_steps(8, 72, 0.03, 64, "uniform", 1)[0]
    solution = timed(problem)
    assert solution.imbalance == solve_branch_and_price(problem).imbalance


@pytest.mark.parametrize("horizon", [1, 10, 40])
def test_window(benchmark, horizon):
    benchmark.group = "window, G=32, by horizon"
    problem = steady_steps(32, 72, 0.03, 256, "uniform", 1)[0]
    grown = np.arange(horizon + 1)
    ahead = problem.loads + grown[:, None] * (72 - problem.free)
    window = WindowProblem(ahead, problem.free, problem.pool, grown)
    solution = benchmark.pedantic(solve_window, (window,), rounds=9, warmup_rounds=1)
    assert solution.lower_bound <= solution.imbalance
