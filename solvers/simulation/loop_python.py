"""The loop of policies that are Python objects: ask, check, carry out.

One compiled call lies between two decisions, so the engine's own part of a step stays small beside
the policy's.
"""

from collections.abc import Callable

import numpy as np

from solvers.compiled import compiled
from solvers.policies.protocol import (
    InFlight,
    Patience,
    Policy,
    StepView,
    ask,
    checked,
    conserves_work,
)
from solvers.simulation.forecast import Outlook
from solvers.simulation.state import (
    NO_ROW,
    RunState,
    admissions,
    depart,
    finished,
    grow,
    measure_loads,
    observe,
    place,
    reveal,
)
from solvers.step.problem import WAITS, StepProblem
from theory.model import IntArray

# Rows of the pool.
REQUEST, SIZE, REVEALED = range(3)


def asking(
    run: RunState, policy: Policy, visible: int, groups: IntArray | None = None
) -> Callable[[int], None]:
    """The function that runs up to so many steps, asking the policy at each.

    Parameters
    ----------
    run : RunState
        The run.
    policy : Policy
        The policy.
    visible : int
        Largest number of requests that can wait at once.
    groups : int64[N], optional
        Groups of the requests.

    Raises
    ------
    PolicyError
        Raised by that function, if the policy fails or breaks a rule.
    InputError
        If the policy has a horizon and its predictor cannot be used.
    """
    state = run.state[0]
    pool = np.empty((3, visible), dtype=np.int64)
    nothing = np.empty(0, dtype=np.int64)
    outlook = Outlook(run, policy) if getattr(policy, "horizon", 0) else None
    sees_in_flight = getattr(policy, "sees_in_flight", False)
    conserving = conserves_work(policy)
    state["conserving"] = conserving
    patience = Patience(policy)

    def advance(steps: int) -> None:
        end = int(state["step"]) + steps
        until_decision(run, pool, nothing, end)
        while state["due"] and state["step"] < end:
            waiting = slice(state["waiting"])
            forecast = None if outlook is None else outlook.look()
            view = StepView(
                step=int(state["step"]),
                slots=int(state["slots"]),
                loads=run.loads.copy(),
                free=run.free.copy(),
                pool=pool[SIZE, waiting].copy(),
                waited=state["step"] - pool[REVEALED, waiting],
                ahead=None if forecast is None else forecast.ahead.copy(),
                grown=None if forecast is None else forecast.grown.copy(),
                now_s=float(state["now_s"]),
                request=pool[REQUEST, waiting].copy(),
                group=None if groups is None else groups[pool[REQUEST, waiting]],
                in_flight=in_flight(run) if sees_in_flight else None,
            )
            answer = ask(policy, view)
            if not conserving:
                nobody = not (np.asarray(answer) >= 0).any() if answer.dtype.kind == "i" else False
                patience.spend(view.step, bool(state["active"]) or not nobody)
            if answer.dtype.kind == "i" and answer.shape == view.waited.shape:
                assignment = answer.astype(np.int64, order="C")
                if until_decision(run, pool, assignment, end):
                    continue
            problem = StepProblem(run.loads, run.free, pool[SIZE, waiting])
            until_decision(run, pool, checked(policy, view.step, problem, answer), end)

    return advance


def in_flight(run: RunState) -> InFlight:
    """The requests that are being served; without queues of the workers these are all."""
    rows = run.active[run.active["worker"] != NO_ROW]
    rows = rows[np.argsort(rows["request"])]
    request = rows["request"].astype(np.int64)
    return InFlight(
        request=request,
        worker=rows["worker"].astype(np.int64),
        size=run.prefill[request],
        age=run.state[0]["step"] - run.start_step[request],
        queued=np.zeros(request.size, dtype=np.bool_),
    )


@compiled
def until_decision(run: RunState, pool: IntArray, assignment: IntArray, end: int) -> bool:
    """Carry out the decision that is due, if one is, and run until the next or step ``end``.

    Parameters
    ----------
    run : RunState
        The run.
    pool : int64[3, n]
        The waiting requests in arrival order, kept here: number, size, step of entry.
    assignment : int64[m]
        The decision, or empty when none is due.
    end : int
        Step to stop before.

    Returns
    -------
    bool
        False if the decision breaks a rule; then nothing has been done.
    """
    state = run.state[0]
    if state.due:
        if not _obeys(
            assignment, run.free, admissions(state), state.conserving != 0, run.candidate
        ):
            return False
        _carry_out(run, pool, assignment)
        measure_loads(run)
        if state.observed:
            observe(run)
        depart(run)
        grow(run)
        state.due = 0
    while state.step < end and not state.due and not finished(state):
        at, first = state.waiting, state.revealed
        reveal(run)
        for request in range(first, state.revealed):
            pool[REQUEST, at] = request
            pool[SIZE, at] = run.prefill[request]
            pool[REVEALED, at] = state.step
            at += 1
        if admissions(state):
            state.due = 1
        else:
            measure_loads(run)
            if state.observed:
                observe(run)
            depart(run)
            grow(run)
    return True


@compiled
def _obeys(
    assignment: IntArray, free: IntArray, admitted: int, conserving: bool, taken: IntArray
) -> bool:
    """Whether an assignment obeys the rules; :meth:`StepProblem.validate` explains why not."""
    taken[:] = 0
    for g in assignment:
        if g != WAITS:
            if not 0 <= g < free.size or taken[g] == free[g]:
                return False
            taken[g] += 1
            admitted -= 1
    return admitted == 0 or not conserving


@compiled
def _carry_out(run: RunState, pool: IntArray, assignment: IntArray) -> None:
    """Place the requests that have a worker and close the gaps they leave."""
    kept = 0
    for j in range(assignment.size):
        if assignment[j] == WAITS:
            for row in range(3):
                pool[row, kept] = pool[row, j]
            kept += 1
        else:
            place(run, pool[REQUEST, j], assignment[j])
