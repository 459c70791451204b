"""Policies: what a policy may see, what it must return, and the built-in ones.

The definitions here are the readable ones, in plain Python and numpy.  The engine runs built-in
policies compiled (:mod:`solvers.engine`), and tests hold the two equal decision by decision.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from solvers.step import Assignment, StepProblem
from theory.model import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class StepView:
    """All that a policy may see at a step: nothing here depends on a hidden output length.

    Parameters
    ----------
    step : int
        Number of the step, from 0.
    slots : int
        Slots of each worker, ``B``.
    loads : int64[G]
        Loads before admission.
    free : int64[G]
        Free slots.
    pool : int64[n]
        Sizes of the waiting requests, in arrival order.
    waited : int64[n]
        Steps that each of them has been in the pool; 0 for one revealed at this step.
    """

    step: int
    slots: int
    loads: IntArray
    free: IntArray
    pool: IntArray
    waited: IntArray

    @property
    def problem(self) -> StepProblem:
        """The step as an optimisation problem."""
        return StepProblem(self.loads, self.free, self.pool)


@runtime_checkable
class Policy(Protocol):
    """Decides which waiting requests are admitted where.

    A policy object lives for one run and may keep state of its own between steps.
    """

    name: str

    def admit(self, view: StepView) -> Assignment:
        """Return the worker of each waiting request, int64[n], ``-1`` for one that waits.

        Exactly ``min(n, sum(view.free))`` requests must be admitted, at most ``view.free[g]`` on
        worker ``g``.
        """
        ...
