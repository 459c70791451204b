"""The loads that a policy's predictor predicts for the steps after the present one."""

from typing import NamedTuple

import numpy as np

from solvers.compiled import compiled
from solvers.policies.predictors import AgePredictor, LengthPredictor, forecast
from solvers.policies.protocol import Policy
from solvers.simulation.state import NO_ROW, NOBODY, RunState
from theory.budget import afford
from theory.model import INT_LIMIT, InputError, IntArray, Requests


class Forecast(NamedTuple):
    """What is predicted, and from what.

    Parameters
    ----------
    lengths : int64[N]
        Predicted lengths; empty if requests are predicted by age.
    true : bool
        Whether these are the true lengths: a request's last step is known without looking it up.
    remaining : int64[A]
        Predicted steps left by age, the present one included; else empty.
    ahead : int64[H + 1, G]
        Predicted loads at the present step and the next ``H``.
    running : int64[H + 1, G]
        Predicted numbers of the requests behind them.
    grown : int64[H + 1]
        Growth of a request from the present step to each of these.
    """

    lengths: IntArray
    true: bool
    remaining: IntArray
    ahead: IntArray
    running: IntArray
    grown: IntArray


class Outlook:
    """What a policy with a horizon sees of the next steps of a run.

    Parameters
    ----------
    run : RunState
        The run, before its first step.
    policy : Policy
        Has a ``horizon`` and a ``predictor``.

    Attributes
    ----------
    forecast : Forecast
        The latest prediction.
    due : int
        Departures at which the predictor is asked anew.

    Raises
    ------
    InputError
        If the predictor is none, it predicts something impossible, or the sums over the window
        could leave the 64-bit integers.
    """

    def __init__(self, run: RunState, policy: Policy) -> None:
        horizon: int = getattr(policy, "horizon", 0)
        predictor = getattr(policy, "predictor", None)
        if not isinstance(predictor, LengthPredictor | AgePredictor):
            raise InputError(f"policy {policy.name!r} has a horizon and no predictor")
        self._run = run
        lengths = np.empty(0, np.int64)
        if isinstance(predictor, LengthPredictor):
            requests = Requests(run.prefill, run.decode)
            lengths = forecast(predictor.name, predictor.lengths, requests, size=len(requests))
        # Looked at once, not at every step: to see what a protocol is takes longer than a step.
        self._by_age = predictor if isinstance(predictor, AgePredictor) else None
        self.due = INT_LIMIT if self._by_age is None else 0
        _check_window(run, horizon)
        window = horizon + 1, run.loads.size
        self.forecast = Forecast(
            lengths,
            np.array_equal(lengths, run.decode),
            np.empty(0, np.int64),
            np.zeros(window, np.int64),
            np.zeros(window, np.int64),
            np.zeros(horizon + 1, np.int64),
        )

    def look(self) -> Forecast:
        """Predict afresh for the present step, before its admissions."""
        self.refresh()
        predict_loads(self._run, self.forecast)
        return self.forecast

    def refresh(self) -> None:
        """Ask an age predictor anew, if the departures have doubled since it was last asked."""
        run, state = self._run, self._run.state[0]
        departed = int(state["revealed"] - state["waiting"] - state["active"])
        if self._by_age is not None and departed >= self.due:
            self.due = max(1, 2 * departed)
            started = run.worker != NOBODY
            age = state["step"] - run.start_step[started]
            length = run.decode[started]
            gone = length <= age
            ask = self._by_age.remaining
            remaining = forecast(self._by_age.name, ask, length[gone], age[~gone])
            self.forecast = self.forecast._replace(remaining=remaining)


def _check_window(run: RunState, horizon: int) -> None:
    """Refuse a run whose predicted loads would take too much, or overflow in their sums."""
    afford(
        f"looking {horizon:,} steps ahead on {run.loads.size:,} workers",
        "use a shorter horizon",
        memory=24 * (horizon + 1) * run.loads.size,
    )
    largest = int(run.prefill.max(initial=0))
    growth = int(run.drift.max()) * (int(run.decode.max(initial=0)) + horizon)
    held = min(int(run.state[0]["capacity"]), run.prefill.size) + run.prefill.size
    if run.loads.size * (horizon + 1) * held * (largest + growth) >= INT_LIMIT:
        raise InputError(
            "workers * (horizon + 1) * requests * (largest load of one) must stay below 2^62: "
            "use a shorter horizon, smaller sizes or fewer requests"
        )


@compiled
def predict_loads(run: RunState, forecast: Forecast) -> None:
    """Predict the loads of the requests that run now, before the admissions of a step."""
    lengths, true, remaining, ahead, running, grown = forecast
    state = run.state[0]
    steps, G = ahead.shape
    phase = state.phase
    for h in range(1, steps):
        grown[h] = grown[h - 1] + run.drift[phase]
        phase = phase + 1 if phase + 1 < run.drift.size else 0
    ahead[:] = 0
    running[:] = 0
    # First what leaves after each step of the window, then from the present step on.
    if true:
        _end_within(run, ahead, running)
    else:
        for at in range(run.active.size):
            row = run.active[at]
            if row.worker == NO_ROW:
                continue
            age = state.step - run.start_step[row.request]
            if lengths.size:
                left = lengths[row.request] - age
            else:
                left = remaining[min(age, remaining.size - 1)]
            left = max(1, left)
            if left < steps:
                ahead[left, row.worker] -= row.base + state.grown
                running[left, row.worker] -= 1
    for g in range(G):
        ahead[0, g], running[0, g] = run.loads[g], state.slots - run.free[g]
    for h in range(1, steps):
        for g in range(G):
            ahead[h, g] += ahead[h - 1, g]
            running[h, g] += running[h - 1, g]
    for h in range(1, steps):
        for g in range(G):
            ahead[h, g] += running[h, g] * grown[h]


@compiled
def _end_within(run: RunState, ahead: IntArray, running: IntArray) -> None:
    """Take away the requests that end within the window, bucket by bucket of their last steps."""
    state = run.state[0]
    for left in range(1, ahead.shape[0]):
        last_step = state.step + left - 1
        at = run.bucket[last_step & (run.bucket.size - 1)]
        while at != NO_ROW:
            row = run.active[at]
            if row.last_step == last_step:
                ahead[left, row.worker] -= row.base + state.grown
                running[left, row.worker] -= 1
            at = run.following[at]
