"""BF-IO, with and without look-ahead, with and without a limit on waiting, and its opposite.

These policies choose by size which waiting requests are admitted.  Their compiled loops are in
:mod:`solvers.simulation.loop_by_size`.
"""

import numpy as np

from solvers.lookahead.problem import WindowProblem, solve_window
from solvers.policies.predictors import Predictor, predictor_of
from solvers.policies.protocol import StepView, integer_from
from solvers.step.fast.solve import solve_step
from solvers.step.problem import WAITS, Assignment


class BFIO:
    """Balance the future, integer optimisation: the least sum of imbalances over a window.

    Parameters
    ----------
    horizon : int
        Steps after the present one, ``H >= 0``.
    predictor : str or Predictor
        Predicts departures (:func:`solvers.policies.predictors.predictor_of`); idle if ``H = 0``.
    max_wait : int, optional
        Requests that have waited for more steps than this are admitted first, oldest first; the
        others share the slots that are left.
    effort : int
        Effort of :func:`solvers.step.fast.solve.solve_step` and
        :func:`solvers.lookahead.problem.solve_window`.
    seed : int
        For predictors that sample.

    Raises
    ------
    InputError
        If a parameter is out of its range.

    Notes
    -----
    ``bound_gap`` is counted for the plain step only, and None with look-ahead or a limit.
    """

    name = "bfio"

    def __init__(
        self,
        horizon: int = 0,
        predictor: str | Predictor = "oracle",
        max_wait: int | None = None,
        effort: int = 1,
        seed: int = 0,
    ) -> None:
        self.horizon = integer_from("horizon", horizon, 0)
        self.predictor = predictor_of(predictor, seed)
        self.max_wait = None if max_wait is None else integer_from("max_wait", max_wait, 0)
        self.effort = integer_from("effort", effort, 0)
        options = []
        if horizon:
            options += [f"horizon={horizon}", f"predictor={self.predictor.name}"]
        if max_wait is not None:
            options.append(f"max_wait={max_wait}")
        self.name = ":".join(["bfio", ",".join(options)]) if options else "bfio"
        self.bound_gap: int | None = None if options else 0

    def admit(self, view: StepView) -> Assignment:
        """See :class:`solvers.policies.protocol.Policy`."""
        if self.bound_gap is not None:
            solution = solve_step(view.problem, self.effort)
            self.bound_gap += solution.gap
            return solution.assignment
        window = view.window
        late = view.waited > (view.step if self.max_wait is None else self.max_wait)
        first = np.flatnonzero(late)[: view.admissions]
        assignment = np.full(view.pool.size, WAITS, dtype=np.int64)
        for chosen in (first, np.setdiff1d(np.arange(view.pool.size), first)):
            used = np.bincount(assignment[assignment != WAITS], minlength=view.free.size)
            rest = WindowProblem(
                window.loads_after(assignment),
                view.free - used,
                view.pool[chosen],
                window.grown,
            )
            if rest.step.admissions:
                assignment[chosen] = self._choose(rest)
        return assignment

    def _choose(self, window: WindowProblem) -> Assignment:
        if self.horizon:
            return solve_window(window, self.effort).assignment
        return solve_step(window.step, self.effort).assignment


class AlwaysBusiest:
    """Negative control: the largest waiting request to the busiest worker, over and over.

    Busiest is the largest load in tokens among the workers with a free slot, lowest index on ties;
    of equal sizes the oldest goes first.
    """

    name = "always_busiest"

    def admit(self, view: StepView) -> Assignment:
        """See :class:`solvers.policies.protocol.Policy`."""
        largest_first = np.argsort(-view.pool, kind="stable")[: view.admissions]
        # The busiest worker stays the busiest while it is being filled.
        busiest_first = np.argsort(-view.loads, kind="stable")
        last_slot = np.cumsum(view.free[busiest_first])
        position = np.searchsorted(last_slot, np.arange(view.admissions), side="right")
        assignment = np.full(view.pool.size, WAITS, dtype=np.int64)
        assignment[largest_first] = busiest_first[position]
        return assignment
