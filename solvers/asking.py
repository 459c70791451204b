"""The loop of policies that are Python objects: ask, check, carry out.

One compiled call lies between two decisions, so the engine's own part of a step stays small beside
the policy's.
"""

from collections.abc import Callable

import numpy as np

from solvers.compiled import compiled
from solvers.kernels import Run, admissions, finish_step, finished, place, reveal
from solvers.policies import Policy, StepView, decide
from solvers.step import WAITS
from theory.model import IntArray


def asking(run: Run, policy: Policy, visible: int) -> Callable[[int], None]:
    """The function that runs up to so many steps, asking the policy at each.

    Parameters
    ----------
    run : Run
        The run.
    policy : Policy
        The policy.
    visible : int
        Largest number of requests that can wait at once.

    Raises
    ------
    PolicyError
        Raised by that function, if the policy fails or breaks a rule.
    """
    state = run.state[0]
    pool = np.empty(visible, dtype=np.int64)
    nothing = pool[:0]

    def advance(steps: int) -> None:
        end = int(state["step"]) + steps
        until_decision(run, pool, nothing, end)
        while state["due"] and state["step"] < end:
            waiting = pool[: state["waiting"]]
            view = StepView(
                step=int(state["step"]),
                slots=int(state["slots"]),
                loads=run.loads.copy(),
                free=run.free.copy(),
                pool=run.prefill[waiting],
                waited=state["step"] - run.service["reveal_step"][waiting],
            )
            until_decision(run, pool, decide(policy, view), end)

    return advance


@compiled
def until_decision(run: Run, pool: IntArray, assignment: IntArray, end: int) -> None:
    """Carry out the decision that is due, if one is, and run until the next or step ``end``.

    Parameters
    ----------
    run : Run
        The run.
    pool : int64[n]
        The waiting requests in arrival order, kept here.
    assignment : int64[m]
        A valid decision, or empty when none is due.
    end : int
        Step to stop before.
    """
    state = run.state[0]
    if assignment.size:
        kept = 0
        for j in range(assignment.size):
            if assignment[j] == WAITS:
                pool[kept] = pool[j]
                kept += 1
            else:
                place(run, pool[j], assignment[j])
        finish_step(run)
        state.due = 0
    while state.step < end and not state.due and not finished(state):
        before, first = state.waiting, state.revealed
        reveal(run)
        for request in range(first, state.revealed):
            pool[before + request - first] = request
        if admissions(state):
            state.due = 1
        else:
            finish_step(run)
