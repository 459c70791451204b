"""The policies of BalanceRoute (Bu et al. 2026): BR-0, and BR-H with look-ahead.

A set of requests of total size ``S`` on worker ``g`` scores
``(1'd) S - beta ((S - m_g)^+)'d`` with the predicted margins ``m_g`` below the largest loads of
the window and the discounts ``d = (1, gamma, ..., gamma^H)``
(:mod:`evenkeel.theorems.balanceroute`).

The admissions of a step are decided in two stages.  As long as many slots are free (as many as
requests wait, or more than four a worker) the oldest request goes to the worker of best score.
Then the worker of largest present margin takes the best set of its free slots' number, at most
four, of the four oldest requests, and so on.  The paper's outline leaves some details open: here
every slot that can be filled is; ties between workers go to the smaller present load, then to the
lower index, and ties between sets to the older requests; and what was routed counts with its size
at all steps of the window, as in the score.
"""

import numpy as np

from solvers.arrays import sum_of
from solvers.compiled import compiled
from solvers.policies.predictors import Predictor, predictor_of
from solvers.policies.protocol import StepView, built_in, integer_from
from solvers.step.problem import WAITS, Assignment
from theory.budget import MOST_AHEAD
from theory.model import FloatArray, InputError, IntArray

# The requests of which a worker takes the best set.
CANDIDATES = 4


@built_in()
class BR0:
    """BR-0: scores by the present loads alone."""

    name = "br0"

    def admit(self, view: StepView) -> Assignment:
        """See :class:`solvers.policies.protocol.Policy`."""
        return _routed(view.loads[None], view, np.ones(1), float(view.loads.size))


@built_in({"horizon=20,predictor=noisy:0.5": "by lengths wrong by a factor e^0.5"})
class BRH:
    """BR-H: scores by the predicted loads of a window, later steps discounted.

    Parameters
    ----------
    horizon : int
        Steps after the present one, ``H >= 1``.
    predictor : str or Predictor
        Predicts departures (:func:`solvers.policies.predictors.predictor_of`).
    discount : float
        ``gamma`` in (0, 1].
    beta : float, optional
        Weight of the overshoot; the number of workers by default.
    seed : int
        For predictors that sample.

    Raises
    ------
    InputError
        If a parameter is out of its range.
    """

    name = "brh"

    def __init__(
        self,
        horizon: int = 20,
        predictor: str | Predictor = "oracle",
        discount: float = 0.86,
        beta: float | None = None,
        seed: int = 0,
    ) -> None:
        self.horizon = integer_from("horizon", horizon, 1, MOST_AHEAD)
        self.predictor = predictor_of(predictor, seed)
        if not 0 < discount <= 1:
            raise InputError(f"discount must lie in (0, 1], got {discount!r}")
        if beta is not None and not beta >= 0:
            raise InputError(f"beta must be >= 0, got {beta!r}")
        self.beta = beta
        self.discounts = np.array([float(discount) ** h for h in range(self.horizon + 1)])
        self.name = f"brh:horizon={horizon},predictor={self.predictor.name}"

    def admit(self, view: StepView) -> Assignment:
        """See :class:`solvers.policies.protocol.Policy`."""
        beta = float(view.loads.size if self.beta is None else self.beta)
        ahead = view.window.ahead
        return _routed(ahead, view, self.discounts[: ahead.shape[0]], beta)


def _routed(ahead: IntArray, view: StepView, discounts: FloatArray, beta: float) -> Assignment:
    worker = np.full(view.pool.size, WAITS, dtype=np.int64)
    route(ahead.T.copy(), view.free.copy(), view.pool.copy(), discounts, beta, worker)
    return worker


@compiled
def route(
    ahead: IntArray,
    free: IntArray,
    pool: IntArray,
    discounts: FloatArray,
    beta: float,
    out_worker: IntArray,
) -> None:
    """Decide all admissions of a step.

    Parameters
    ----------
    ahead : int64[G, H + 1]
        Predicted loads; changed.
    free : int64[G]
        Free slots; changed.
    pool : int64[n]
        Sizes in arrival order.
    discounts : float64[H + 1]
        ``d``.
    beta : float
        Weight of the overshoot.
    out_worker : int64[n]
        Filled with workers for those admitted; -1 before.
    """
    G, n = free.size, pool.size
    top = np.zeros(discounts.size, np.int64)
    for g in range(G):
        for h in range(top.size):
            top[h] = max(top[h], ahead[g, h])
    slots = sum_of(free)
    i = 0
    while i < n and slots > 0 and (slots >= n - i or slots > CANDIDATES * G):
        best = -1
        least = 0.0
        for g in range(G):
            if free[g]:
                cost = _overshoot(ahead[g], top, discounts, pool[i])
                if best < 0 or cost < least or (cost == least and ahead[g, 0] < ahead[best, 0]):
                    best, least = g, cost
        out_worker[i] = best
        _admit(ahead[best], top, pool[i])
        free[best] -= 1
        slots -= 1
        i += 1
    oldest = np.empty(CANDIDATES, np.int64)
    held = 0
    while slots > 0 and (held > 0 or i < n):
        while held < CANDIDATES and i < n:
            oldest[held] = i
            held += 1
            i += 1
        g = -1
        for w in range(G):
            if free[w] and (g < 0 or ahead[w, 0] < ahead[g, 0]):
                g = w
        chosen = _best_set(ahead[g], top, discounts, beta, pool[oldest[:held]], free[g])
        kept = 0
        for k in range(held):
            if chosen >> (held - 1 - k) & 1:
                out_worker[oldest[k]] = g
                _admit(ahead[g], top, pool[oldest[k]])
                free[g] -= 1
                slots -= 1
            else:
                oldest[kept] = oldest[k]
                kept += 1
        held = kept


@compiled
def _overshoot(ahead: IntArray, top: IntArray, discounts: FloatArray, size: int) -> float:
    """``((S - m_g)^+)'d``."""
    total = 0.0
    for h in range(top.size):
        total += discounts[h] * max(0, size - (top[h] - ahead[h]))
    return total


@compiled
def _admit(ahead: IntArray, top: IntArray, size: int) -> None:
    for h in range(top.size):
        ahead[h] += size
        top[h] = max(top[h], ahead[h])


@compiled
def _best_set(
    ahead: IntArray,
    top: IntArray,
    discounts: FloatArray,
    beta: float,
    sizes: IntArray,
    free: int,
) -> int:
    """The best set as bits, the oldest request the highest; the older sets come first."""
    count = min(free, sizes.size)
    weight = np.sum(discounts)
    best = 0
    most = 0.0
    for chosen in range((1 << sizes.size) - 1, 0, -1):
        members, size = 0, 0
        for k in range(sizes.size):
            if chosen >> (sizes.size - 1 - k) & 1:
                members += 1
                size += sizes[k]
        if members == count:
            score = weight * size - beta * _overshoot(ahead, top, discounts, size)
            if best == 0 or score > most:
                best, most = chosen, score
    return best
