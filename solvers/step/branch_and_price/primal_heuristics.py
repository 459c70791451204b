"""What is tried at a level after column generation: primal heuristics, then branching.

The heuristics are diving, which fixes columns of large value in the linear program and generates
columns again, and the restricted master problem solved in integers.

Source: (Joncour et al. 2010).
"""

import math
import time
from collections.abc import Callable

from solvers.step.branch_and_price.column_generation import BranchAndPrice, MasterSolution

Action = Callable[[BranchAndPrice, MasterSolution], None]

# A dive fixes the columns of at least this share of the workers at once.
_AT_ONCE = 0.1
_BACKTRACKS = 30

# Seconds for the restricted master problem in integers, and columns of each worker in it.
_RESTRICTED_S = 3.0
_RESTRICTED_COLUMNS = 256

# No branching beyond this many entries in all open nodes.
_MOST_ENTRIES = 2**24


def dive(state: BranchAndPrice, start: MasterSolution, backtracks: int = 0) -> None:
    """Fix columns, the largest values first, until every worker has one; keep what is better.

    A step that raises the bound of the linear program is undone, ``backtracks`` times in all, and
    tried with half the columns or another one; after that the step of the least bound is taken.
    """
    goal, node = start.lp_bound, start
    while node.residual.workers:
        batch = max(node.integral, math.ceil(_AT_ONCE * len(node.residual.workers)))
        order = node.order
        least: MasterSolution | None = None
        while order:
            residual = node.residual.assign(order[:batch])
            # The goal is not proved, so the bounds below are not: they only guide the dive.
            child = state.relax(node.levels, node.at, residual, goal, node.prices, node.columns)
            if least is None or child.lp_bound < least.lp_bound:
                least = child
            if child.lp_bound <= goal or backtracks == 0 or time.monotonic() > state.deadline:
                break
            backtracks -= 1
            if batch > 1:
                batch //= 2
            else:
                order = order[1:]
        if least is None or least.lp_bound > state.aim(node):
            return
        node = least
        goal = max(goal, node.lp_bound)
    state.keep(node.residual.taken, node)


def dive_with_backtracking(state: BranchAndPrice, start: MasterSolution) -> None:
    """:func:`dive` with limited backtracking."""
    dive(state, start, _BACKTRACKS)


def solve_restricted_master(state: BranchAndPrice, root: MasterSolution) -> None:
    """Solve the master problem in integers, over the columns of reduced cost within the gap."""
    tables, residual, aim = state.tables, root.residual, state.aim(root)
    tables.fill(residual.supply, root.prices)
    gap = tables.reduced_cost_gap(residual, root.prices, aim)
    usable = list(tables.columns_within(residual, root.prices, gap, _RESTRICTED_COLUMNS))
    state.columns.update(dict.fromkeys(map(root.levels.complete, usable)))
    limit = max(0.0, min(_RESTRICTED_S, state.deadline - time.monotonic()))
    chosen = state.master(residual, usable).solve_integer(aim + 1 - residual.spent, limit)
    if chosen is not None:
        state.keep((*residual.taken, *chosen), root)


def branch(state: BranchAndPrice, root: MasterSolution) -> None:
    """Branch on the worker of the largest request whose assignment is fractional."""
    if root.split < 0:
        # The solution of the linear program is integral: an assignment.
        state.keep(root.residual.assign(root.order).taken, root)
    elif sum(b.level.size for b in state.open) < _MOST_ENTRIES:
        levels, tables = root.levels, state.tables
        tables.fill(levels.supply, root.prices)
        state.open.remove(levels)
        state.open += levels.branches(tables, root.prices, root.split, state.upper)


ACTIONS: tuple[Action, ...] = (dive, dive_with_backtracking, solve_restricted_master, branch)
