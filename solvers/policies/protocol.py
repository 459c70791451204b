"""Decisions: what a policy may see at a step, what it must return, and how that is checked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from solvers.lookahead.problem import WindowProblem
from solvers.step.problem import Assignment, AssignmentError, StepProblem
from theory.model import InputError, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class StepView:
    """All that a policy may see at a step; only ``ahead`` may depend on hidden output lengths.

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
    ahead : int64[H + 1, G], optional
        For a policy with a horizon ``H > 0``: predicted loads of the requests that run now, at
        this step and the next ``H``, if nothing more is admitted.
    grown : int64[H + 1], optional
        How much a request grows from this step to each of these.

    Examples
    --------
    >>> view = StepView(
    ...     step=0,
    ...     slots=2,
    ...     loads=np.array([9, 0]),
    ...     free=np.array([1, 2]),
    ...     pool=np.array([5, 6]),
    ...     waited=np.array([0, 0]),
    ... )
    >>> view.admissions
    2
    """

    step: int
    slots: int
    loads: IntArray
    free: IntArray
    pool: IntArray
    waited: IntArray
    ahead: IntArray | None = None
    grown: IntArray | None = None

    @property
    def problem(self) -> StepProblem:
        """The step as an optimisation problem."""
        return StepProblem(self.loads, self.free, self.pool)

    @property
    def window(self) -> WindowProblem:
        """The step and the predicted loads after it; the step alone without predictions."""
        ahead = self.loads[None] if self.ahead is None else self.ahead
        return WindowProblem(ahead, self.free, self.pool, self.grown)

    @property
    def admissions(self) -> int:
        """``U``, the number of requests that work conservation admits."""
        free: list[int] = self.free.tolist()
        return min(self.pool.size, sum(free))


@runtime_checkable
class Policy(Protocol):
    """Decides which waiting requests are admitted where.

    A policy object lives for one run and may keep state of its own between steps.  One that
    certifies its steps counts the excess of its imbalances over their lower bounds in an
    attribute ``bound_gap``.  One that looks ahead has a ``horizon``, the number ``H > 0`` of steps
    after the present one, and a ``predictor`` (:mod:`solvers.policies.predictors`): its views show
    the predicted loads.
    """

    name: str

    def admit(self, view: StepView) -> Assignment:
        """Return the worker of each waiting request, int64[n], ``-1`` for one that waits.

        Called at every step at which something can be admitted.  Exactly
        ``min(n, sum(view.free))`` requests must be, at most ``view.free[g]`` on worker ``g``.
        """
        ...


class PolicyError(AssignmentError):
    """A policy failed or broke a rule; the message names the policy, the step and the rule."""


# Every built-in policy, with examples of its parameters.
DECLARED: dict[type[Policy], Mapping[str, str]] = {}

P = TypeVar("P", bound=Policy)


def built_in(examples: Mapping[str, str] | None = None) -> Callable[[type[P]], type[P]]:
    """Declare a class of this package as a built-in policy, known by its ``name``.

    Its parameters are those of its constructor; what it does is the first paragraph of its
    docstring.

    Parameters
    ----------
    examples : dict of str to str, optional
        Parameters as they are written behind the name, and what they do, for the help.
    """

    def declare(kind: type[P]) -> type[P]:
        DECLARED[kind] = examples or {}
        return kind

    return declare


def decide(policy: Policy, view: StepView) -> Assignment:
    """Ask a policy for its decision and check it against every rule of the step.

    Raises
    ------
    PolicyError
        If the policy raises, or returns anything but a valid assignment.
    """
    problem = view.problem  # taken before the policy could change the view's arrays
    return checked(policy, view.step, problem, ask(policy, view))


def ask(policy: Policy, view: StepView) -> NDArray[Any]:
    """Return a policy's answer, unchecked; an exception becomes a PolicyError."""
    try:
        return np.asarray(policy.admit(view))
    except (Exception, SystemExit) as error:
        raise PolicyError(
            f"policy {policy.name!r} at step {view.step} raised {one_line(error)}"
        ) from error


def checked(policy: Policy, step: int, problem: StepProblem, answer: NDArray[Any]) -> Assignment:
    """Return a policy's answer if it obeys the rules; otherwise a PolicyError says which not."""
    try:
        problem.validate(answer)
    except AssignmentError as error:
        raise PolicyError(f"policy {policy.name!r} at step {step}: {error}") from None
    return answer.astype(np.int64)


def one_line(error: BaseException) -> str:
    """Type of an exception and the first line of its message."""
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"


def integer_from(name: str, value: object, least: int) -> int:
    """A parameter of a policy, if it is an integer of at least so much.

    Raises
    ------
    InputError
        If it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InputError(f"{name} must be an integer >= {least}, got {value!r}")
    return int(value)
