"""What is tried at a level after column generation: primal heuristics, then branching.

The heuristic is diving, which fixes columns of large value in the linear program and generates
columns again.  Where few columns are within the gap, a search among all of them decides the level
(:mod:`solvers.step.branch_and_price.column_choice`).

Source: (Joncour et al. 2010).
"""

import math
import time
from collections.abc import Callable

import numpy as np

from solvers.step.branch_and_price.column_choice import (
    begin_choice,
    column_lists,
    go_on_choosing,
)
from solvers.step.branch_and_price.column_generation import BranchAndPrice, MasterSolution
from solvers.step.branch_and_price.columns import Column

Action = Callable[[BranchAndPrice, MasterSolution], None]

# A dive fixes the columns of at least this share of the workers at once.
_AT_ONCE = 0.1

# Most columns of a worker that are listed, entries of the search among them, its work, and that
# between two looks at the clock.
_MOST_COLUMNS = 2**12
_MOST_ALIVE = 2**24
_CHOOSING = 2**26
_PIECE = 2**20

# No branching beyond this many entries in all open nodes.
_MOST_ENTRIES = 2**24


def dive(state: BranchAndPrice, start: MasterSolution) -> None:
    """Fix columns, the largest values first, until every worker has one; keep what is better."""
    goal, node = start.lp_bound, start
    while node.residual.workers:
        batch = max(node.integral, math.ceil(_AT_ONCE * len(node.residual.workers)))
        if not node.order:
            return
        residual = node.residual.assign(node.order[:batch])
        # The goal is not proved, so the bounds below are not: they only guide the dive.
        node = state.relax(node.levels, node.at, residual, goal, node.prices, node.columns)
        if node.lp_bound > state.aim(node):
            return
        goal = max(goal, node.lp_bound)
    state.keep(node.residual.taken, node)


def choose(state: BranchAndPrice, root: MasterSolution) -> None:
    """Search all columns within the gap, where they are few; that decides the level."""
    tables, residual, aim = state.tables, root.residual, state.aim(root)
    # The lists hold columns that leave no slot free.
    if state.stride > 1 or not tables.filled:
        return
    tables.fill(residual.supply, root.prices)
    gap = tables.reduced_cost_gap(residual, root.prices, aim)
    lists, total = [], 0
    near = tables.columns_within(residual, root.prices, gap, _MOST_COLUMNS)
    for columns, costs, complete in near:
        total += costs.size
        if not complete or total * len(residual.workers) > _MOST_ALIVE:
            return
        lists.append((columns, costs))
    if not lists:
        return
    listed = column_lists(lists)
    search = begin_choice(listed, len(lists), residual.supply, gap)
    decided = False
    for _ in range(_CHOOSING // _PIECE):
        decided = go_on_choosing(listed, search, root.prices, residual.supply, _PIECE)
        if decided or time.monotonic() > state.deadline:
            break
    cost = search.at[1]
    if cost <= gap:
        taken = [
            Column(g, tuple(c.tolist()), int(tables.sizes[c].sum()))
            for g, at in zip(residual.workers, search.best.tolist(), strict=True)
            for c in [listed.size[listed.start[at] : listed.start[at + 1]]]
        ]
        state.keep((*residual.taken, *taken), root)
    if decided:
        root.levels.close(root.at, state.upper)


def branch(state: BranchAndPrice, root: MasterSolution) -> None:
    """Branch on the worker of the largest request whose assignment is fractional."""
    if root.split < 0:
        # The solution of the linear program is integral: an assignment.
        state.keep(root.residual.assign(root.order).taken, root)
        return
    levels, tables = root.levels, state.tables
    most = (np.count_nonzero(levels.free) + 1) * levels.level.size
    if sum(b.level.size for b in state.open) + most < _MOST_ENTRIES:
        tables.fill(levels.supply, root.prices)
        children = levels.branches(tables, root.prices, root.split, state.upper)
        state.open.remove(levels)
        state.open += children


ACTIONS: tuple[Action, ...] = (dive, choose, branch)
