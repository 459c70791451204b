"""Compile what the search on machines calls, or load it, before a time limit begins to count."""

from functools import cache

import numpy as np

from solvers.step.fast.solve import solve_step
from solvers.step.machines.solve import Machines
from solvers.step.problem import StepProblem

# Seven requests that three machines share evenly, 12 each, which their largest first do not.
_SIZES = 7, 7, 6, 5, 5, 4, 2


@cache
def warm_up() -> None:
    """Call every compiled function of the search once, on a step that takes no time."""
    problem = StepProblem([0, 0, 0], [7, 7, 7], _SIZES)
    solve_step(problem)
    state = Machines(problem, np.zeros(len(_SIZES), np.int64))
    first, level, most = state.worker, state.lower, state.upper
    state.lower = 0  # which ends no search
    state.begin()
    state.exhaust(level - 1, 2**10)
    state.worker, state.lower, state.upper = first, level, most  # as if nothing had been found
    state.weigh(level)
    state.dive()
