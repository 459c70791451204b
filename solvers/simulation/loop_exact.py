"""The loop of exact BF-IO, for runs whose every step is small enough to try all assignments."""

from collections.abc import Callable

import numpy as np

from solvers.compiled import compiled
from solvers.simulation.loop_python import SIZE, until_decision
from solvers.simulation.state import RunState
from solvers.step.exact.brute_force import check_assignments, check_loads, optimal_step
from theory.model import InputError, IntArray

# Compiled code is left before it has looked at more assignments, about a tenth of a second.
AT_A_TIME = 10**7


def always_exact(run: RunState, visible: int) -> bool:
    """Whether :func:`solvers.step.exact.brute_force.exact_step` refuses no step that could come.

    Parameters
    ----------
    run : RunState
        The run.
    visible : int
        Largest number of requests that can wait at once.
    """
    most = sum(run.prefill.tolist()) + int(run.drift.max()) * sum(run.decode.tolist())
    try:
        check_assignments(run.loads.size, visible)
        check_loads(run.loads.size, most)
    except InputError:
        return False
    return True


def exactly(run: RunState, visible: int) -> Callable[[int], None]:
    """The function that runs up to so many steps, each as the lexicographic optimum.

    Parameters
    ----------
    run : RunState
        The run, :func:`always_exact`.
    visible : int
        As there.
    """
    state = run.state[0]
    pool = np.empty((3, visible), dtype=np.int64)
    best = np.empty(visible, dtype=np.int64)
    decisions = max(1, AT_A_TIME // (run.loads.size + 1) ** visible)

    def exact(steps: int) -> None:
        end = int(state["step"]) + steps
        until_decision(run, pool, best[:0], end)
        while state["due"] and state["step"] < end:
            run_exact(run, pool, best, decisions, end)

    return exact


@compiled
def run_exact(run: RunState, pool: IntArray, best: IntArray, decisions: int, end: int) -> None:
    """Take up to so many decisions, from the one that is due on, and run until the next.

    Parameters
    ----------
    run : RunState
        The run.
    pool : int64[3, n]
        As :func:`solvers.simulation.loop_python.until_decision` keeps it.
    best : int64[n]
        Working space.
    decisions, end : int
        How many decisions, and the step to stop before.
    """
    state = run.state[0]
    for _ in range(decisions):
        if state.due == 0 or state.step >= end:
            return
        waiting = state.waiting
        optimal_step(run.loads, run.free, pool[SIZE, :waiting], best[:waiting])
        until_decision(run, pool, best[:waiting], end)
