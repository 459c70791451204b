"""Decisions: what a policy may see at a step, what it must return, and how that is checked."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from solvers.step.problem import Assignment, AssignmentError, StepProblem
from theory.budget import about
from theory.model import INT_LIMIT, InputError, IntArray
from theory.own import told

if TYPE_CHECKING:
    from solvers.lookahead.problem import WindowProblem


@dataclass(frozen=True, slots=True, eq=False)
class InFlight:
    """The requests that have been sent to a worker and are not finished, oldest first.

    Parameters
    ----------
    request : int64[m]
        Their numbers, in arrival order from 0: names by which a policy knows them again.
    worker : int64[m]
        Where each of them is.
    size : int64[m]
        Sizes on arrival (prompt tokens).
    age : int64[m]
        Steps that each has been served before this one; 0 for one in a worker's queue.
    queued : bool[m]
        Whether it is in the queue of its worker rather than being served.
    """

    request: IntArray
    worker: IntArray
    size: IntArray
    age: IntArray
    queued: NDArray[np.bool_]

    @classmethod
    def nobody(cls) -> "InFlight":
        """No requests."""
        none = np.empty(0, dtype=np.int64)
        return cls(none, none, none, none, np.empty(0, dtype=np.bool_))

    def sum_by_worker(self, values: IntArray, workers: int) -> list[int]:
        """These values of the requests, added up by worker."""
        total = np.zeros(workers, dtype=np.int64)
        np.add.at(total, self.worker, values)
        added: list[int] = total.tolist()
        return added


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
    now_s : float
        The clock at the start of the step.
    request : int64[n], optional
        Numbers of the waiting requests, in arrival order from 0.
    group : int64[n], optional
        What group each belongs to, if the requests have groups: an opaque key.
    in_flight : InFlight, optional
        For a policy with a true ``sees_in_flight``.
    held : int64[G], optional
        Requests on each worker, if it is not ``slots - free``: where slots differ or tokens have a
        budget, ``free`` is what the waiting requests can fill.
    budget : int64[G], optional
        Tokens that each worker's KV cache holds, if the system has budgets.
    slowness : int64[G], optional
        What a token costs each worker, if that differs.
    queued, queued_tokens : int64[G], optional
        Requests in the queue of each worker and their sizes together, if the workers have queues.
        They are then part of ``loads`` too and each takes a slot, and ``slots`` is so large that
        everything can be sent: what a policy sees is where requests are, not what is served.

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
    now_s: float = 0.0
    request: IntArray | None = None
    group: IntArray | None = None
    in_flight: InFlight | None = None
    held: IntArray | None = None
    budget: IntArray | None = None
    slowness: IntArray | None = None
    queued: IntArray | None = None
    queued_tokens: IntArray | None = None

    @property
    def problem(self) -> StepProblem:
        """The step as an optimisation problem."""
        return StepProblem(self.loads, self.free, self.pool)

    @property
    def window(self) -> "WindowProblem":
        """The step and the predicted loads after it; the step alone without predictions."""
        from solvers.lookahead.problem import WindowProblem  # compiled: takes a second

        ahead = self.loads[None] if self.ahead is None else self.ahead
        return WindowProblem(ahead, self.free, self.pool, self.grown)

    @property
    def counts(self) -> IntArray:
        """Requests on each worker, those in its queue included, int64[G]."""
        return self.slots - self.free if self.held is None else self.held

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
    the predicted loads.  One with a true ``sees_in_flight`` is shown the requests that were sent
    to a worker and are not finished.  One that may leave a slot empty while a request waits has a
    false ``work_conserving``: no theorem speaks of it.  A policy that is named, not given as an
    object, has a minute for a decision, or its ``decision_limit_s``
    (:mod:`solvers.policies.own_process`).
    """

    name: str

    def admit(self, view: StepView) -> Assignment:
        """Return the worker of each waiting request, int64[n], ``-1`` for one that waits.

        Called at every step at which something can be admitted.  Exactly
        ``min(n, sum(view.free))`` requests must be, at most ``view.free[g]`` on worker ``g``; a
        policy with a false ``work_conserving`` may admit fewer.
        """
        ...


class PolicyError(AssignmentError):
    """A policy failed or broke a rule; the message names the policy, the step and the rule."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a serving engine does, where it is written, and since when.

    Parameters
    ----------
    engine : str
        Project and version, or the time of the version.
    source : str
        File and commit, or release, or that it is known from a description alone.
    formula : str
        What decides, with how ties are broken.
    """

    engine: str
    source: str
    formula: str


@dataclass(frozen=True, slots=True)
class Declaration:
    """A built-in policy's examples of parameters, and the rule that it is, if it is an engine's."""

    examples: Mapping[str, str]
    rule: Rule | None


DECLARED: dict[type[Policy], Declaration] = {}

P = TypeVar("P", bound=Policy)


def built_in(
    examples: Mapping[str, str] | None = None, rule: Rule | None = None
) -> Callable[[type[P]], type[P]]:
    """Declare a class of this package as a built-in policy, known by its ``name``.

    Its parameters are those of its constructor; what it does is the first paragraph of its
    docstring.

    Parameters
    ----------
    examples : dict of str to str, optional
        Parameters as they are written behind the name, and what they do, for the help.
    rule : Rule, optional
        For the rule of a serving engine.
    """

    def declare(kind: type[P]) -> type[P]:
        DECLARED[kind] = Declaration(examples or {}, rule)
        return kind

    return declare


# Steps that a policy may leave everything empty while requests wait.
PATIENCE = 1000


class Patience:
    """Ends a run in which a policy that need not conserve work admits nothing for ever.

    Parameters
    ----------
    policy : Policy
        The policy.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.idle = 0

    def spend(self, step: int, busy: bool) -> None:
        """Say, after a decision, whether anything is served.

        Raises
        ------
        PolicyError
            If nothing has been for too many decisions.
        """
        self.idle = 0 if busy else self.idle + 1
        if self.idle > PATIENCE:
            raise PolicyError(
                f"policy {self.policy.name!r} at step {step}: nothing is served, and it has "
                f"admitted nothing for {PATIENCE} steps"
            )


def conserves_work(policy: Policy) -> bool:
    """Whether a policy declares to fill every slot that it can, as it does if it says nothing."""
    return bool(getattr(policy, "work_conserving", True))


def decide(policy: Policy, view: StepView, conserving: bool | None = None) -> Assignment:
    """Ask a policy for its decision and check it against every rule of the step.

    Parameters
    ----------
    policy : Policy
        The policy.
    view : StepView
        The step.
    conserving : bool, optional
        Whether every slot must be filled that can be; as the policy declares by default.

    Raises
    ------
    PolicyError
        If the policy raises, or returns anything but a valid assignment.
    """
    problem = view.problem  # taken before the policy could change the view's arrays
    return checked(policy, view.step, problem, ask(policy, view), conserving)


MASKED = (
    "an assignment needs one integer worker for each of the waiting requests, got a masked array: "
    "fill what is masked, with -1 for one that waits"
)


def masked(answer: object) -> bool:
    """Whether an answer has masked entries: what lies under the mask was not meant.

    >>> masked(np.ma.masked_equal([0, 1], 1)), masked(np.ma.array([0, 1])), masked([0, 1])
    (True, False, False)
    """
    return isinstance(answer, np.ndarray) and bool(np.ma.is_masked(answer))


def ask(policy: Policy, view: StepView) -> NDArray[Any]:
    """Return a policy's answer, unchecked; an exception becomes a PolicyError."""
    try:
        answer = policy.admit(view)
        if masked(answer):
            raise PolicyError(f"policy {policy.name!r} at step {view.step}: {MASKED}")
        return np.asarray(answer)
    except (PolicyError, KeyboardInterrupt):
        raise
    except BaseException as error:  # sys.exit too
        raise PolicyError(
            f"policy {policy.name!r} at step {view.step} raised {told(error)}"
        ) from error


def checked(
    policy: Policy,
    step: int,
    problem: StepProblem,
    answer: NDArray[Any],
    conserving: bool | None = None,
) -> Assignment:
    """Return a policy's answer if it obeys the rules; otherwise a PolicyError says which not."""
    try:
        problem.validate(answer, conserves_work(policy) if conserving is None else conserving)
    except AssignmentError as error:
        raise PolicyError(f"policy {policy.name!r} at step {step}: {error}") from None
    return answer.astype(np.int64)


def named(policy: Policy, **values: object) -> str:
    """The name of a policy's class with those of these parameters that are not the defaults."""
    known = inspect.signature(type(policy)).parameters
    told = [f"{key}={value}" for key, value in values.items() if value != known[key].default]
    return ":".join([type(policy).name, ",".join(told)]) if told else type(policy).name


def integer_from(name: str, value: object, least: int, most: int = INT_LIMIT - 1) -> int:
    """A parameter of a policy, if it is an integer of at least so much, and at most.

    Raises
    ------
    InputError
        If it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InputError(f"{name} must be an integer >= {least}, got {value!r}")
    if value > most:
        raise InputError(f"{name} must be at most {most:,}, got {about(int(value))}")
    return int(value)
