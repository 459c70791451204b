"""Ways to settle a level whose relaxation is solved: plunge, dive, choose, branch."""

import math
import time
from collections.abc import Callable

from solvers.level_bounds import NEVER
from solvers.pattern_relaxation import Bounded, Relaxation
from solvers.patterns import Pattern
from solvers.rest import Rest

Way = Callable[[Relaxation, int, Bounded], None]

# A dive fixes at least this share of the workers at once, and takes so many steps back.
_AT_ONCE = 0.1
_STEPS_BACK = 30

# An integer program over the patterns found gets so long.
_CHOOSING_S = 3.0

# The program has so many patterns of each worker.
_NEAR = 256

# Branching on a level gives up after so many nodes.
_MOST_NODES = 2000


def plunge(state: Relaxation, at: int, start: Bounded) -> None:
    """Fix patterns a few at a time, and keep the assignment if it is better."""
    _fix(state, at, start, 0)


def dive(state: Relaxation, at: int, start: Bounded) -> None:
    """Plunge with care.

    A step that costs something is taken back and tried in a smaller one, or with another
    pattern; when too many have been taken back, the least loss is accepted.
    """
    _fix(state, at, start, _STEPS_BACK)


def _fix(state: Relaxation, at: int, start: Bounded, back: int) -> None:
    """Fix patterns until none is left, and take so many steps back."""
    goal, node = start.guess, start
    while node.rest.workers:
        batch = max(node.sure, math.ceil(_AT_ONCE * len(node.rest.workers)))
        order = node.order
        least: Bounded | None = None
        while order:
            rest = node.rest.give(order[:batch])
            # The goal is a guess here: what this returns decides where to go and proves nothing.
            child = state.relax(at, rest, goal, node.prices, node.patterns, proving=False)
            if least is None or child.guess < least.guess:
                least = child
            if child.guess <= goal or back == 0 or time.monotonic() > state.deadline:
                break
            back -= 1
            if batch > 1:
                batch //= 2
            else:
                order = order[1:]
        if least is None or least.guess > state.aim(at):
            return
        node = least
        goal = max(goal, node.guess)
    state.keep(node.rest.taken, at)


def choose(state: Relaxation, at: int, root: Bounded) -> None:
    """Let an integer program choose among patterns that an improvement can use."""
    levels = state.levels
    levels.fill(root.rest.supply, root.prices)
    slack = levels.slack(root.rest, root.prices, state.aim(at))
    usable = list(levels.near(root.rest, root.prices, slack, _NEAR))
    state.patterns.update(dict.fromkeys(usable))
    limit = min(_CHOOSING_S, state.deadline - time.monotonic())
    below = state.aim(at) + 1 - root.rest.spent
    taken = state.mixture(root.rest, usable).choose(below, max(0.0, limit))
    if taken is not None:
        state.keep(taken, at)


def branch(state: Relaxation, at: int, root: Bounded) -> None:
    """Decide the level by branching on who takes the largest request that is divided."""
    stack, nodes = [root], 0
    while stack and nodes < _MOST_NODES and time.monotonic() < state.deadline:
        node = stack.pop()
        nodes += 1
        if node.bound > state.aim(at):
            continue
        if node.split < 0:
            # The linear program has no doubt left: its solution is an assignment.
            state.keep(node.rest.give(node.order).taken, at)
            if node.bound <= state.aim(at):
                return
            continue
        children = [
            state.relax(at, rest, node.bound, node.prices, patterns)
            for rest, patterns in _branches(state, at, node)
        ]
        children.sort(key=lambda b: -b.bound)
        stack += children
    if not stack:
        state.levels.lower[at] = NEVER if state.levels.everyone else state.upper


WAYS: tuple[Way, ...] = (plunge, dive, choose, branch)


def _branches(state: Relaxation, at: int, node: Bounded) -> list[tuple[Rest, list[Pattern]]]:
    """One branch for each worker that can take the divided size, and one where all wait."""
    levels = state.levels
    levels.fill(node.rest.supply, node.prices)
    slack = levels.slack(node.rest, node.prices, state.aim(at))
    j = node.split
    size = int(levels.sizes[j])
    price = int(node.prices[j])
    branches = [(node.rest.without(j), node.patterns)]
    for g in node.rest.workers:
        k, room = int(node.rest.free[g]), int(node.rest.room[g])
        # What g loses by taking it; no completion with a loss beyond the slack is an improvement.
        loss = levels.distance(k - 1, room - size) + price - levels.distance(k, room)
        if loss <= slack:
            rest = node.rest.give([Pattern(g, (j,), size)], last=False)
            patterns = [q for p in node.patterns if p.worker == g and (q := p.less(j, size))]
            branches.append((rest, node.patterns + patterns))
    return branches
