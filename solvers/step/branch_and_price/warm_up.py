"""Compile what branch and price calls, or load it, before a time limit begins to count.

Compiled functions are made at their first call: once after installation, which takes about a
minute, and from then on they are read from disk once in a process.
"""

import math
from dataclasses import replace
from functools import cache

import numpy as np

from solvers.step.branch_and_price.column_generation import BranchAndPrice
from solvers.step.branch_and_price.level_filter import prove
from solvers.step.branch_and_price.many_sizes import approach_many_sizes
from solvers.step.branch_and_price.primal_heuristics import choose
from solvers.step.exact.milp import largest_first
from solvers.step.fast.local_search import copy_plan
from solvers.step.fast.partial_assignment import empty_plan
from solvers.step.fast.solve import solve_step
from solvers.step.problem import StepProblem, StepSolution

# Memory and entries of the tables: so little that sizes are rounded.
_SIZE = 2000, 2**12


@cache
def warm_up() -> None:
    """Call every compiled function of a search once, on a step that takes no time."""
    rng = np.random.default_rng(0)
    free = rng.integers(0, 7, 10)
    loads = 4000 - 30 * free - rng.integers(0, 20, 10)
    problem = StepProblem(loads, free, rng.integers(20, 200, 60))
    first = largest_first(problem)
    prove(problem, StepSolution(first, problem.objective(first), 0), 2**20)
    *_, _ = approach_many_sizes(problem, StepSolution(first, problem.objective(first), 0))
    good = solve_step(problem, effort=3)
    plan = empty_plan(loads, free, problem.pool.size)
    copy_plan(plan, plan)  # which that calls where an exchange has helped
    state = BranchAndPrice(problem, replace(good, imbalance=good.imbalance + 2), math.inf, _SIZE)
    levels = state.open[0]
    prices = np.zeros_like(state.tables.sizes)
    state.tables.fill(levels.supply, prices)
    levels.raise_all(state.tables, prices)
    for at in range(min(4, levels.level.size)):
        residual = levels.residual(at)
        state.begin_level(int(levels.level[at]))
        root = state.relax(levels, at, residual, 0, prices, state.promising(levels, at, prices))
        state.tables.price(residual, root.prices, 2**20)
        choose(state, root)
