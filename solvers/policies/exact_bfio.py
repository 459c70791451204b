"""BF-IO by trying all assignments; its loop is in :mod:`solvers.simulation.loop_exact`."""

import numpy as np

from solvers.policies.predictors import Oracle, Predictor
from solvers.policies.protocol import StepView
from solvers.step.exact.brute_force import assignments, exact_step
from solvers.step.problem import WAITS, Assignment
from theory.model import imbalance


class ExactBFIO:
    """BF-IO by trying all assignments, as a policy object for the engine and the reference.

    The least sum of predicted imbalances over the window, then the lexicographic optimum of the
    present step [step.lexicographic].

    Parameters
    ----------
    horizon : int
        Steps after the present one, ``H >= 0``.
    predictor : Predictor, optional
        Predicts departures; perfectly by default.
    """

    name = "bfio_exact"

    def __init__(self, horizon: int = 0, predictor: Predictor | None = None) -> None:
        self.horizon = horizon
        self.predictor = predictor or Oracle()

    def admit(self, view: StepView) -> Assignment:
        """See :class:`solvers.policies.protocol.Policy`."""
        if view.ahead is None or view.grown is None:
            return exact_step(view.problem)
        ahead: list[list[int]] = view.ahead.tolist()
        grown: list[int] = view.grown.tolist()
        sizes: list[int] = view.pool.tolist()

        def key(chosen: tuple[int, ...]) -> tuple[int, int, int, int]:
            added, number = [0] * len(ahead[0]), [0] * len(ahead[0])
            for size, g in zip(sizes, chosen, strict=True):
                if g != WAITS:
                    added[g] += size
                    number[g] += 1
            window = [
                [load + s + more * n for load, s, n in zip(row, added, number, strict=True)]
                for row, more in zip(ahead, grown, strict=True)
            ]
            now = window[0]
            return sum(map(imbalance, window)), imbalance(now), max(now), sum(x * x for x in now)

        return np.array(min(assignments(view.problem, None), key=key), dtype=np.int64)
