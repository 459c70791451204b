"""The loop of policies that are Python objects: ask, check, carry out.

One compiled call lies between two decisions, so the engine's own part of a step stays small beside
the policy's.
"""

from collections.abc import Callable

import numpy as np

from solvers.compiled import compiled
from solvers.kernels import (
    CAPACITY,
    DUE,
    REVEALED,
    STEP,
    WAITING,
    Run,
    admissions,
    finish_step,
    finished,
    place,
    reveal,
)
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
    count = run.counter
    pool = np.empty(visible, dtype=np.int64)
    nothing = pool[:0]
    slots = int(count[CAPACITY]) // run.free.size

    def advance(steps: int) -> None:
        end = int(count[STEP]) + steps
        until_decision(run, pool, nothing, end)
        while count[DUE] and count[STEP] < end:
            waiting = pool[: count[WAITING]]
            view = StepView(
                step=int(count[STEP]),
                slots=slots,
                loads=run.loads.copy(),
                free=run.free.copy(),
                pool=run.prefill[waiting],
                waited=count[STEP] - run.reveal_step[waiting],
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
    count = run.counter
    if assignment.size:
        kept = 0
        for j in range(assignment.size):
            if assignment[j] == WAITS:
                pool[kept] = pool[j]
                kept += 1
            else:
                place(run, pool[j], assignment[j])
        finish_step(run)
        count[DUE] = 0
    while count[STEP] < end and not count[DUE] and not finished(run):
        before, first = count[WAITING], count[REVEALED]
        reveal(run)
        for request in range(first, count[REVEALED]):
            pool[before + request - first] = request
        if admissions(run):
            count[DUE] = 1
        else:
            finish_step(run)
