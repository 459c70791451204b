"""Ways to settle a level whose relaxation is solved: plunge, dive, choose, branch."""

import math
import time
from collections.abc import Callable

from solvers.step.branch_and_price.column_generation import Bounded, Relaxation

Way = Callable[[Relaxation, Bounded], None]

# A dive fixes at least this share of the workers at once, and takes so many steps back.
_AT_ONCE = 0.1
_STEPS_BACK = 30

# An integer program over the patterns found gets so long.
_CHOOSING_S = 3.0

# The program has so many patterns of each worker.
_NEAR = 256

# Branching ends with so many entries of levels in all branches.
_MOST_ENTRIES = 2**24


def plunge(state: Relaxation, start: Bounded) -> None:
    """Fix patterns a few at a time, and keep the assignment if it is better."""
    _fix(state, start, 0)


def dive(state: Relaxation, start: Bounded) -> None:
    """Plunge with care.

    A step that costs something is taken back and tried in a smaller one, or with another
    pattern; when too many have been taken back, the least loss is accepted.
    """
    _fix(state, start, _STEPS_BACK)


def _fix(state: Relaxation, start: Bounded, back: int) -> None:
    """Fix patterns until none is left, and take so many steps back."""
    goal, node = start.guess, start
    while node.rest.workers:
        batch = max(node.sure, math.ceil(_AT_ONCE * len(node.rest.workers)))
        order = node.order
        least: Bounded | None = None
        while order:
            rest = node.rest.give(order[:batch])
            # The goal is a guess here: what this returns decides where to go and proves nothing.
            child = state.relax(node.levels, node.at, rest, goal, node.prices, node.patterns)
            if least is None or child.guess < least.guess:
                least = child
            if child.guess <= goal or back == 0 or time.monotonic() > state.deadline:
                break
            back -= 1
            if batch > 1:
                batch //= 2
            else:
                order = order[1:]
        if least is None or least.guess > state.aim(node):
            return
        node = least
        goal = max(goal, node.guess)
    state.keep(node.rest.taken, node)


def choose(state: Relaxation, root: Bounded) -> None:
    """Let an integer program choose among patterns that an improvement can use."""
    tables, rest, aim = state.tables, root.rest, state.aim(root)
    tables.fill(rest.supply, root.prices)
    slack = tables.slack(rest, root.prices, aim)
    usable = list(tables.near(rest, root.prices, slack, _NEAR))
    state.patterns.update(dict.fromkeys(map(root.levels.complete, usable)))
    limit = min(_CHOOSING_S, state.deadline - time.monotonic())
    taken = state.mixture(rest, usable).choose(aim + 1 - rest.spent, max(0.0, limit))
    if taken is not None:
        state.keep((*rest.taken, *taken), root)


def branch(state: Relaxation, root: Bounded) -> None:
    """Branch on who takes the largest request that is divided."""
    if root.split < 0:
        # The linear program has no doubt left: its solution is an assignment.
        state.keep(root.rest.give(root.order).taken, root)
    elif sum(b.level.size for b in state.open) < _MOST_ENTRIES:
        levels, tables = root.levels, state.tables
        tables.fill(levels.supply, root.prices)
        state.open.remove(levels)
        state.open += levels.branches(tables, root.prices, root.split, state.upper)


WAYS: tuple[Way, ...] = (plunge, dive, choose, branch)
