"""Small admission steps for the checks: whole domains, what a policy does on them, witnesses."""

from collections.abc import Callable, Iterator
from itertools import chain, combinations_with_replacement, product
from math import comb
from typing import Any

import numpy as np

from adversary.instances.space import StepSpace
from adversary.worst_case.exhaustive import step_problems_of
from evenkeel.findings.check import Trial
from solvers.policies.protocol import InFlight, StepView, decide
from solvers.policies.registry import policy as policy_of
from solvers.step.exact.brute_force import exact_step
from solvers.step.problem import Assignment, StepProblem
from theory.model import InputError

# BF-IO with lexicographic steps by trying all assignments, as a policy specification.
EXACT = "solvers.policies.exact_bfio:ExactBFIO"

# Most cases that a check goes through: some minutes.
MOST_CASES = 5 * 10**6


def affordable(count: int, what: str) -> None:
    """Refuse a domain that would take for ever.

    Raises
    ------
    InputError
        If it has more than :data:`MOST_CASES` cases.
    """
    if count > MOST_CASES:
        raise InputError(
            f"the domain has {count:,} {what}, more than {MOST_CASES:,}: choose smaller parameters"
        )


def steps(G: int, requests: int, size: int, free: int, load: int) -> Iterator[StepProblem]:
    """Every step with up to ``G`` workers and bounded pools, sizes, free slots and loads."""
    spaces = [
        StepSpace(workers, requests, size, free_max=free, load_max=load, fewer=True)
        for workers in range(1, G + 1)
    ]
    affordable(sum(space.size for space in spaces), "steps")
    return chain.from_iterable(map(step_problems_of, spaces))


def domain(trial: Trial) -> tuple[Iterator[StepProblem], str]:
    """The steps within the trial's bounds, and those bounds in words."""
    G, n, s, c, load = (trial[name] for name in ("G", "requests", "size", "free", "load"))
    text = (
        f"all steps with G <= {G}, up to {n} requests of size <= {s}, free slots <= {c}, "
        f"loads <= {load}, up to the order of workers and requests"
    )
    return steps(G, n, s, c, load), text


def view(problem: StepProblem) -> StepView:
    """The step as a policy sees it at the start of a run of its own."""
    return StepView(
        0,
        max(1, int(problem.free.max())),
        problem.loads,
        problem.free,
        problem.pool,
        np.zeros(problem.pool.size, dtype=np.int64),
        in_flight=InFlight.nobody(),
    )


def admit(trial: Trial, problem: StepProblem, default: str = "exact") -> Assignment:
    """What the planted policy, the user's, or the default admits: an exact BF-IO step if not named.

    A policy sees the step as the first of a run.
    """
    spec = trial.policy_or(default)
    if spec == "exact":
        return exact_step(problem)
    return decide(policy_of(spec, trial.seed), view(problem))


def after_of(problem: StepProblem, assignment: Assignment) -> list[int]:
    """Loads after admission."""
    after: list[int] = problem.loads_after(assignment).tolist()
    return after


def refills(G: int, B: int, a: int, b: int, spare: int) -> Iterator[StepProblem]:
    """Every full refill with sizes in [a, b], exactly ``spare`` more than ``G*B`` waiting."""
    for pool in combinations_with_replacement(range(a, b + 1), G * B + spare):
        yield StepProblem([0] * G, [B] * G, pool)


def witness_of(problem: StepProblem) -> Callable[[], dict[str, Any]]:
    """The step as a witness, written only if it is needed: JSON-ready, for ``evenkeel solve``."""
    return lambda: {key: getattr(problem, key).tolist() for key in ("loads", "free", "pool")}


def weight(problem: StepProblem) -> tuple[int, int]:
    """Order of size: workers, then the sum of everything."""
    parts = problem.loads, problem.free, problem.pool
    return problem.workers, sum(int(part.sum()) for part in parts)


def _systems(trial: Trial) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Loads and free slots of all systems within the trial's bounds, up to order."""
    states = list(product(range(trial["load"] + 1), range(trial["free"] + 1)))
    for G in range(1, trial["G"] + 1):
        for workers in combinations_with_replacement(states, G):
            loads, free = zip(*workers, strict=True)
            yield loads, free


def rich_steps(trial: Trial) -> Iterator[tuple[StepProblem, int, int]]:
    """Every step of a domain with the smallest rich pool on [a, b], with a and b."""
    states, pairs = (trial["load"] + 1) * (trial["free"] + 1), comb(trial["size"] + 1, 2)
    affordable(pairs * comb(states + trial["G"], trial["G"]), "steps")
    for loads, free in _systems(trial):
        if sum(free) > trial["slots"]:
            continue
        copies = 1 if trial.fault("one-copy") else max(1, sum(free))
        for a, b in combinations_with_replacement(range(1, trial["size"] + 1), 2):
            sizes = [s for s in range(a, b + 1) for _ in range(copies)]
            if len(sizes) >= sum(free):
                yield StepProblem(loads, free, sizes), a, b


def two_size_steps(trial: Trial) -> Iterator[tuple[StepProblem, int, int]]:
    """Every step of a domain with just enough copies of x and of x + delta; with x and delta."""
    for loads, free in _systems(trial):
        if sum(free) > trial["slots"]:
            continue
        for x, delta in product(trial["x"], range(1, trial["delta"] + 1)):
            sizes = (x,) if trial.fault("one-size") else (x, x + delta)
            yield StepProblem(loads, free, [y for y in sizes for _ in range(sum(free))]), x, delta


def poor_steps(trial: Trial) -> Iterator[tuple[StepProblem, int]]:
    """Every step of a domain with k requests of one size a, fewer than slots are free; with a.

    So many copies as are admitted, of every size in [a, a].  With two sizes or more, k copies of
    each are more than k requests.
    """
    for loads, free in _systems(trial):
        for k, a in product(range(1, sum(free)), range(1, trial["size"] + 1)):
            yield StepProblem(loads, free, [a] * k), a


def lattice_steps(trial: Trial) -> Iterator[tuple[StepProblem, int]]:
    """Every step of a domain with sizes ``v + q k``, as many as slots or one more; with ``q``."""
    spare = (-1,) if trial.fault("one-short") else (0, 1)
    for q, v in product(range(2, trial["spacing"] + 1), range(1, trial["size"] + 1)):
        sizes = range(v, v + 2 * q + 1, q)
        for (loads, free), more in product(_systems(trial), spare):
            if sum(free) + more > 0:
                for pool in combinations_with_replacement(sizes, sum(free) + more):
                    yield StepProblem(loads, free, pool), q


def condition_pools(slots: int, width: int) -> Iterator[tuple[int, ...]]:
    """Minimal pools of sizes from 1 to ``1 + width`` that meet the paper's pool condition, sorted.

    Every pool that meets it has one of these inside, perhaps of a smaller width.  While it fills
    all slots with a request to spare after any class is removed, any request may go; else, while
    one class is larger than all others, one of its own may.

    Examples
    --------
    Two slots and sizes 1 to 3: any class may go, so three sizes, or two of each of two.

    >>> list(condition_pools(2, 2))
    [(1, 2, 3), (1, 1, 3, 3)]
    """

    def classes(size: int, left: int, most: int, largest: int) -> Iterator[tuple[int, ...]]:
        """Pools of ``left`` sizes, at most so many of each, with classes of ``most`` to come."""
        if size == width + 1:
            if 1 <= left <= most and largest <= (left == most):
                yield (size,) * left
            return
        for copies in range(size == 1, min(most, left - 1) + 1):
            if left - copies <= most * (width + 1 - size):
                for others in classes(size + 1, left - copies, most, largest - (copies == most)):
                    yield (size,) * copies + others

    for most in range(1, slots + 1):
        yield from classes(1, slots + most, most, 2)
