"""Policies: what a policy may see, what it must return, and the built-in ones.

The definitions here are the readable ones, in plain Python and numpy.  The engine runs built-in
policies compiled (:mod:`solvers.engine`), and tests hold the two equal decision by decision.

Size-blind policies (fcfs, round_robin, jsq, vllm_dp, power_of_two, least_loaded) admit the oldest
requests and differ only in where these go.  When the pool is full and sizes are iid, every rule
that looks at neither sizes nor loads is equal in law to fcfs: differences between such rules are
noise or a start-up artefact.
"""

import heapq
import importlib
import inspect
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from solvers.balance import solve_step
from solvers.step import WAITS, Assignment, AssignmentError, StepProblem
from theory.model import InputError, IntArray


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
    attribute ``bound_gap``.
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
            f"policy {policy.name!r} at step {view.step} raised {_one_line(error)}"
        ) from error


def checked(policy: Policy, step: int, problem: StepProblem, answer: NDArray[Any]) -> Assignment:
    """Return a policy's answer if it obeys the rules; otherwise a PolicyError says which not."""
    try:
        problem.validate(answer)
    except AssignmentError as error:
        raise PolicyError(f"policy {policy.name!r} at step {step}: {error}") from None
    return answer.astype(np.int64)


class FCFS:
    """Oldest requests first; free slots in worker order, worker 0 filled first."""

    name = "fcfs"

    def admit(self, view: StepView) -> Assignment:
        """See :class:`Policy`."""
        last_slot = np.cumsum(view.free)
        return _oldest(view, np.searchsorted(last_slot, np.arange(view.admissions), side="right"))


class RoundRobin:
    """Oldest first, to the workers in turn; the turn is kept between steps, full ones are skipped.

    Parameters
    ----------
    turn : int
        The worker whose turn is first.
    """

    name = "round_robin"

    def __init__(self, turn: int = 0) -> None:
        self.turn = turn

    def admit(self, view: StepView) -> Assignment:
        """See :class:`Policy`."""
        free: list[int] = view.free.tolist()
        workers: list[int] = []
        admissions = view.admissions
        self.turn %= len(free)
        while len(workers) < admissions:
            if free[self.turn]:
                free[self.turn] -= 1
                workers.append(self.turn)
            self.turn = (self.turn + 1) % len(free)
        return _oldest(view, workers)


class JSQ:
    """Join the shortest queue: oldest first, each to the worker with the fewest running requests.

    Ties go to the lowest index.
    """

    name = "jsq"

    def admit(self, view: StepView) -> Assignment:
        """See :class:`Policy`."""
        running = view.slots - view.free
        return _oldest(view, _to_lightest(running, view.free, [1] * view.admissions))


class VllmDP:
    """The score of vLLM's data-parallel front end: ``4 * waiting + running``.

    Oldest first, each to the worker of the smallest score, lowest index on ties.  With one central
    pool, a worker's waiting requests are those sent to it at this step.
    """

    name = "vllm_dp"

    def admit(self, view: StepView) -> Assignment:
        """See :class:`Policy`."""
        running = view.slots - view.free
        return _oldest(view, _to_lightest(running, view.free, [4] * view.admissions))


class LeastLoaded:
    """Oldest first, each to the worker of the smallest current load in tokens, lowest on ties."""

    name = "least_loaded"

    def admit(self, view: StepView) -> Assignment:
        """See :class:`Policy`."""
        sizes: list[int] = view.pool[: view.admissions].tolist()
        return _oldest(view, _to_lightest(view.loads, view.free, sizes))


class LPT:
    """Longest processing time: the oldest requests, the largest of them first, to the least loaded.

    The set admitted is that of fcfs, so nothing starves.  Equal sizes go in arrival order.
    """

    name = "lpt"

    def admit(self, view: StepView) -> Assignment:
        """See :class:`Policy`."""
        sizes = view.pool[: view.admissions]
        order = np.argsort(-sizes, kind="stable")
        workers = np.empty(sizes.size, dtype=np.int64)
        workers[order] = _to_lightest(view.loads, view.free, sizes[order].tolist())
        return _oldest(view, workers)


class PowerOfTwo:
    """Oldest first, each to the less loaded of two sampled workers that have a free slot.

    The two are distinct where two are left; the first sampled wins ties.  The sample is a hash of
    (seed, step, position), so a run is reproducible whatever executes it.

    Parameters
    ----------
    seed : int
        Seed of the samples; taken modulo ``2^64``.
    """

    name = "power_of_two"

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def admit(self, view: StepView) -> Assignment:
        """See :class:`Policy`."""
        loads: list[int] = view.loads.tolist()
        free: list[int] = view.free.tolist()
        open_workers = [g for g, slots in enumerate(free) if slots]
        workers: list[int] = []
        for position, size in enumerate(view.pool[: view.admissions].tolist()):
            i, j = _two_of(len(open_workers), self.seed, view.step, position)
            at = j if loads[open_workers[j]] < loads[open_workers[i]] else i
            g = open_workers[at]
            workers.append(g)
            loads[g] += size
            free[g] -= 1
            if not free[g]:  # the last open worker takes its place in the list
                open_workers[at] = open_workers[-1]
                open_workers.pop()
        return _oldest(view, workers)


class BFIO:
    """Balance the future, integer optimisation: the step problem's solution, without look-ahead.

    Parameters
    ----------
    effort : int
        Effort of :func:`solvers.balance.solve_step`.
    """

    name = "bfio"

    def __init__(self, effort: int = 1) -> None:
        self.effort = effort
        self.bound_gap = 0

    def admit(self, view: StepView) -> Assignment:
        """See :class:`Policy`."""
        solution = solve_step(view.problem, self.effort)
        self.bound_gap += solution.gap
        return solution.assignment


class AlwaysBusiest:
    """Negative control: the largest waiting request to the busiest worker, over and over.

    Busiest is the largest load in tokens among the workers with a free slot, lowest index on ties;
    of equal sizes the oldest goes first.
    """

    name = "always_busiest"

    def admit(self, view: StepView) -> Assignment:
        """See :class:`Policy`."""
        largest_first = np.argsort(-view.pool, kind="stable")[: view.admissions]
        # The busiest worker stays the busiest while it is being filled.
        busiest_first = np.argsort(-view.loads, kind="stable")
        last_slot = np.cumsum(view.free[busiest_first])
        position = np.searchsorted(last_slot, np.arange(view.admissions), side="right")
        assignment = np.full(view.pool.size, WAITS, dtype=np.int64)
        assignment[largest_first] = busiest_first[position]
        return assignment


POLICIES: dict[str, Callable[..., Policy]] = {
    cls.name: cls
    for cls in (
        FCFS,
        RoundRobin,
        JSQ,
        VllmDP,
        LeastLoaded,
        LPT,
        PowerOfTwo,
        BFIO,
        AlwaysBusiest,
    )
}


def policy(spec: str | Policy, seed: int = 0) -> Policy:
    """The policy of that name, made afresh; a policy object is checked and returned.

    Parameters
    ----------
    spec : str or Policy
        A built-in name (:data:`POLICIES`), the name of an entry point in the group
        ``evenkeel.policies``, or ``module:attribute``, looked up from the current directory as
        ``python -m`` does.  It may name a class or an instance.
    seed : int
        Given to a class whose constructor has a parameter ``seed``.

    Raises
    ------
    InputError
        If there is no such policy, it cannot be imported, or it is not a policy.
    """
    if not isinstance(spec, str):
        return _instance(spec, spec, seed)
    if spec in POLICIES:
        return _instance(spec, POLICIES[spec], seed)
    installed = {point.name: point for point in entry_points(group="evenkeel.policies")}
    if spec not in installed and ":" not in spec:
        raise InputError(
            f"unknown policy {spec!r}; known: {', '.join([*POLICIES, *installed])}, "
            "or module:attribute for one of your own"
        )
    module, _, attribute = (installed[spec].value if spec in installed else spec).partition(":")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found = importlib.import_module(module.strip())
    except (Exception, SystemExit) as error:
        raise InputError(
            f"policy {spec!r}: cannot import module {module!r}: {_one_line(error)}"
        ) from error
    for name in attribute.strip().split("."):
        if not hasattr(found, name):
            raise InputError(f"policy {spec!r}: module {module!r} has no attribute {attribute!r}")
        found = getattr(found, name)
    return _instance(spec, found, seed)


def _instance(spec: object, found: Any, seed: int) -> Policy:
    """The policy that was found, made if it is a class."""
    if inspect.isclass(found):
        try:
            takes_seed = "seed" in inspect.signature(found).parameters
            make: Any = found
            found = make(seed=seed) if takes_seed else make()
        except Exception as error:
            raise InputError(f"policy {spec!r}: cannot create it: {_one_line(error)}") from error
    if not (isinstance(found, Policy) and callable(found.admit) and isinstance(found.name, str)):
        raise InputError(
            f"policy {spec!r}: expected a class or an instance with a text `name` and a method "
            f"admit(view), found {type(found).__name__}"
        )
    result: Policy = found
    return result


def _one_line(error: BaseException) -> str:
    """Type of an exception and the first line of its message."""
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"


def _oldest(view: StepView, workers: Sequence[int] | IntArray) -> Assignment:
    """The assignment that sends the oldest requests to these workers and lets the rest wait."""
    assignment = np.full(view.pool.size, WAITS, dtype=np.int64)
    assignment[: view.admissions] = workers
    return assignment


def _to_lightest(weights: IntArray, free: IntArray, increments: list[int]) -> list[int]:
    """Give each increment in turn to the lightest worker with a free slot, lowest index on ties."""
    left: list[int] = free.tolist()
    heap: list[tuple[int, int]] = [(w, g) for g, w in enumerate(weights.tolist()) if left[g]]
    heapq.heapify(heap)
    workers = []
    for increment in increments:
        weight, g = heap[0]
        workers.append(g)
        left[g] -= 1
        if left[g]:
            heapq.heapreplace(heap, (weight + increment, g))
        else:
            heapq.heappop(heap)
    return workers


def _two_of(n: int, seed: int, step: int, position: int) -> tuple[int, int]:
    """Two indices below ``n``, distinct if ``n > 1``, hashed from (seed, step, position)."""
    bits = splitmix64(splitmix64(splitmix64(seed) ^ step) ^ position)
    first = (bits >> 32) * n >> 32
    if n == 1:
        return 0, 0
    second = (bits & 0xFFFFFFFF) * (n - 1) >> 32
    return first, second + (second >= first)


def splitmix64(x: int) -> int:
    """One step of the splitmix64 generator: a bijection of 64-bit words that scrambles them.

    Source: G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators",
    OOPSLA 2014, with the constants of its reference implementation.
    """
    mask = 2**64 - 1
    x = (x + 0x9E3779B97F4A7C15) & mask
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & mask
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & mask
    return x ^ (x >> 31)
