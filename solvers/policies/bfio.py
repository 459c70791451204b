"""BF-IO, with and without look-ahead, with and without a limit on waiting, and its opposite.

These policies choose by size which waiting requests are admitted.  The engine's loops over them
are in :mod:`solvers.simulation.loop_by_size`.
"""

import numpy as np

from solvers.compiled import compiled
from solvers.lookahead.problem import WindowProblem, solve_window
from solvers.policies.ordering import heap_of_open_workers, sift_down
from solvers.policies.predictors import Predictor, predictor_of
from solvers.policies.protocol import StepView, built_in, integer_from
from solvers.step.fast.solve import check_effort, solve_step
from solvers.step.problem import WAITS, Assignment
from theory.budget import MOST_AHEAD
from theory.model import IntArray


@built_in(
    {
        "horizon=20": "look ahead, with perfect predictions",
        "horizon=20,predictor=observed": "by the lengths and ages seen so far",
        "max_wait=50": "who waited longer is admitted first",
    }
)
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
        self.horizon = integer_from("horizon", horizon, 0, MOST_AHEAD)
        self.predictor = predictor_of(predictor, seed)
        self.max_wait = None if max_wait is None else integer_from("max_wait", max_wait, 0)
        self.effort = integer_from("effort", effort, 0)
        check_effort(self.effort)
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


@built_in()
class AlwaysBusiest:
    """Negative control: the largest waiting request to the busiest worker, over and over.

    Busiest is the largest load in tokens among the workers with a free slot, lowest index on ties;
    of equal sizes the oldest goes first.
    """

    name = "always_busiest"

    def admit(self, view: StepView) -> Assignment:
        """See :class:`solvers.policies.protocol.Policy`."""
        order = np.argsort(view.pool, kind="stable")
        target, assignment = np.empty((2, view.pool.size), np.int64)
        weight, worker = np.empty((2, view.free.size), np.int64)
        loads, free, sizes = view.loads.copy(), view.free.copy(), view.pool[order]
        largest_to_busiest(loads, free, sizes, view.admissions, weight, worker, target)
        assignment[order] = target
        return assignment


@compiled
def largest_to_busiest(
    loads: IntArray,
    free: IntArray,
    sizes: IntArray,
    admitted: int,
    weight: IntArray,
    worker: IntArray,
    out_worker: IntArray,
) -> None:
    """The rule of :class:`AlwaysBusiest`.

    Parameters
    ----------
    loads, free : int64[G]
        Loads and free slots before admission.
    sizes : int64[n]
        The pool in ascending order, equal sizes in arrival order.
    admitted : int
        Number of admissions.
    weight, worker : int64[G]
        Working space.
    out_worker : int64[n]
        Filled with the worker of each request, or -1 for one that waits.
    """
    out_worker[:] = WAITS
    if admitted == 0:
        return
    # The busiest worker stays the busiest while it is being filled.
    size = heap_of_open_workers(loads, free, -1, weight, worker)
    slots = free[worker[0]]
    end = sizes.size
    while admitted:
        # Of equal sizes, the oldest stand at the front of their run.
        start = end - 1
        while start > 0 and sizes[start - 1] == sizes[end - 1]:
            start -= 1
        for j in range(start, min(end, start + admitted)):
            if slots == 0:
                size -= 1
                weight[0], worker[0] = weight[size], worker[size]
                sift_down(weight, worker, 0, size)
                slots = free[worker[0]]
            out_worker[j] = worker[0]
            slots -= 1
        admitted -= min(end - start, admitted)
        end = start
