"""Search for bad instances where a class is too large to enumerate.

One interface for all methods: a bounded class, an objective, a budget in evaluations and a seed
give the best instance found.  A search that finds nothing means as much as the method's power on
optima that are known, which :func:`power` measures.
"""

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from statistics import median
from typing import Generic, TypeVar
from unittest import SkipTest

import numpy as np

from adversary.instances.space import Block, BoundedClass
from adversary.worst_case.objectives import Value
from theory.laws.binomial import clopper_pearson
from theory.model import InputError, IntArray

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class SearchResult(Generic[Found]):
    """The best instance that a search found.

    Parameters
    ----------
    instance : Instance, StepProblem or None
        The first that reached ``value``; None if the objective was undefined throughout.
    value : Fraction, inf or None
        Its objective, exact.
    evaluations : int
        How many instances were evaluated.
    trace : tuple of (int, Value)
        Each improvement: at which evaluation, and to what.
    method : str
        Name of the method.
    seed : int
        With the same seed the search is the same.
    """

    instance: Found | None
    value: Value | None
    evaluations: int
    trace: tuple[tuple[int, Value], ...]
    method: str
    seed: int


@dataclass(frozen=True, slots=True)
class Power:
    """How often and how fast a method reaches a known optimum.

    Parameters
    ----------
    method : str
        Name of the method.
    runs, found : int
        Independent runs, and those that reached the optimum within the budget.
    budget : int
        Evaluations that a run could spend.
    median_evaluations : float or None
        Median number of evaluations to the optimum over the runs that reached it.
    """

    method: str
    runs: int
    found: int
    budget: int
    median_evaluations: float | None

    @property
    def least_rate(self) -> float:
        """Clopper-Pearson 95 % lower bound on the chance that a run finds the optimum."""
        # Both sides at 90 % are 95 % on one.
        return clopper_pearson(self.found, self.runs, 0.1)[0]


def search(
    objective: Callable[[Found], Value | None],
    space: BoundedClass[Found],
    method: str = "climb",
    *,
    budget: int,
    seed: int = 0,
    target: Value | None = None,
) -> SearchResult[Found]:
    """Search a bounded class for an instance of large objective.

    Parameters
    ----------
    objective : callable
        Exact value of an instance, None where it is undefined; see
        :mod:`adversary.worst_case.objectives`.
    space : BoundedClass
        Where to look.
    method : str
        ``"random"``: independent uniform vectors.  ``"climb"``: hill climbing that accepts equals
        and restarts when it is stuck.  ``"anneal"``: simulated annealing.  ``"hypothesis"``: the
        generator of Hypothesis, aimed by ``target()``; it may end early where a class is small.
    budget : int
        Largest number of evaluations, at least 1.
    seed : int
        Seed of all random choices.
    target : Value, optional
        Stop as soon as this value is reached.

    Raises
    ------
    InputError
        If the method is not known or the budget is not positive.

    Examples
    --------
    >>> from adversary.instances.space import Space
    >>> from adversary.worst_case.objectives import average_imbalance
    >>> refill = Space(workers=2, slots=2, requests=4, size_max=3)
    >>> found = search(average_imbalance("fcfs"), refill, "random", budget=50)
    >>> found.evaluations, found.value <= 4  # the exact maximum
    (50, True)
    """
    if method not in METHODS:
        raise InputError(f"no search method {method!r}; known methods: {', '.join(METHODS)}")
    if budget < 1:
        raise InputError(f"budget must be an integer >= 1, got {budget!r}")
    best: tuple[Value, Found] | None = None
    trace: list[tuple[int, Value]] = []
    evaluations = 0

    def evaluate(vector: IntArray) -> Value:
        nonlocal best, evaluations
        if evaluations == budget:
            raise _Enough("the budget is spent")
        evaluations += 1
        instance = space.build(vector)
        value = objective(instance)
        if value is None:
            return -math.inf
        if best is None or value > best[0]:
            best = value, instance
            trace.append((evaluations, value))
            if value == math.inf or (target is not None and value >= target):
                raise _Enough("nothing larger is wanted")
        return value

    with suppress(_Enough):
        METHODS[method](evaluate, space.blocks, budget, np.random.default_rng(seed))
    value, found = best or (None, None)
    return SearchResult(found, value, evaluations, tuple(trace), method, seed)


class _Enough(SkipTest):
    """The budget is spent, or nothing larger is wanted; Hypothesis lets a SkipTest pass."""


def power(
    objective: Callable[[Found], Value | None],
    space: BoundedClass[Found],
    optimum: Value,
    *,
    budget: int,
    runs: int,
    seed: int = 0,
) -> tuple[Power, ...]:
    """Measure every method on a class whose optimum is known.

    Parameters
    ----------
    objective, space
        As for :func:`search`.
    optimum : Value
        What counts as found.
    budget, runs : int
        Evaluations of one run, and number of runs, with seeds ``seed``, ``seed + 1``, ...
    """
    table = []
    for method in METHODS:
        results = [
            search(objective, space, method, budget=budget, seed=seed + i, target=optimum)
            for i in range(runs)
        ]
        hits = [r.evaluations for r in results if r.value is not None and r.value >= optimum]
        table.append(Power(method, runs, len(hits), budget, median(hits) if hits else None))
    return tuple(table)


# --- Methods ------------------------------------------------------------------------------------
#
# A method evaluates vectors until an evaluation stops it; undefined values are -inf.

Evaluate = Callable[[IntArray], Value]
Blocks = tuple[Block, ...]


def _random(evaluate: Evaluate, blocks: Blocks, _budget: int, rng: np.random.Generator) -> None:
    while True:
        evaluate(_draw(blocks, rng))


def _climb(evaluate: Evaluate, blocks: Blocks, _budget: int, rng: np.random.Generator) -> None:
    patience = 20 * sum(b.count for b in blocks if b.low < b.high) + 1
    while True:
        vector = _draw(blocks, rng)
        value, stuck = evaluate(vector), 0
        while stuck < patience:
            neighbour = _move(vector, blocks, rng)
            reached = evaluate(neighbour)
            stuck = 0 if reached > value else stuck + 1
            if reached >= value:
                vector, value = neighbour, reached


def _anneal(evaluate: Evaluate, blocks: Blocks, budget: int, rng: np.random.Generator) -> None:
    """The temperature falls by 1000 over the budget, from the spread of random values."""
    vectors = [_draw(blocks, rng) for _ in range(SAMPLE)]
    sample = [(evaluate(vector), vector) for vector in vectors]
    defined = [float(x) for x, _ in sample if x != -math.inf]
    hottest = float(np.std(defined)) if defined else 0.0
    value, vector = max(sample, key=lambda pair: pair[0])
    for evaluation in count(SAMPLE):
        temperature = (hottest or 1.0) * 1000 ** -(evaluation / budget)
        neighbour = _move(vector, blocks, rng)
        reached = evaluate(neighbour)
        loss = float(value) - float(reached) if reached < value else 0.0
        if rng.random() < math.exp(-loss / temperature):
            vector, value = neighbour, reached


def _hypothesis(evaluate: Evaluate, blocks: Blocks, budget: int, rng: np.random.Generator) -> None:
    from hypothesis import HealthCheck, Phase, given, settings, target
    from hypothesis import seed as seeded
    from hypothesis import strategies as st

    coordinates = st.tuples(*(st.integers(b.low, b.high) for b in blocks for _ in range(b.count)))

    @seeded(int(rng.integers(2**32)))
    @settings(
        max_examples=budget,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.target],
        suppress_health_check=list(HealthCheck),
    )
    @given(coordinates)
    def aim(vector: tuple[int, ...]) -> None:
        value = evaluate(np.array(vector, dtype=np.int64))
        if value != -math.inf:
            target(float(value))

    aim()


METHODS: dict[str, Callable[[Evaluate, Blocks, int, np.random.Generator], None]] = {
    "random": _random,
    "climb": _climb,
    "anneal": _anneal,
    "hypothesis": _hypothesis,
}

# Random instances that annealing draws first, to learn the scale of the objective.
SAMPLE = 30


def _draw(blocks: tuple[Block, ...], rng: np.random.Generator) -> IntArray:
    return np.concatenate(
        [rng.integers(b.low, b.high, size=b.count, endpoint=True) for b in blocks]
    )


def _move(vector: IntArray, blocks: tuple[Block, ...], rng: np.random.Generator) -> IntArray:
    """A neighbour: a coordinate moved or set, or one copied to another or two swapped.

    Blocks of equal length describe the same things (sizes and lengths of requests, loads and
    slots of workers), so half of the copies and swaps take all of them along.  One move in four
    is followed by another.
    """
    moved = vector.copy()
    ends = np.cumsum([b.count for b in blocks])
    parts = np.split(moved, ends[:-1])
    movable = [k for k, b in enumerate(blocks) if b.low < b.high]
    while movable:
        k = movable[int(rng.integers(len(movable)))]
        b, part = blocks[k], parts[k]
        i, j = rng.integers(b.count, size=2)
        together = [p for p in parts if p.size == b.count] if rng.integers(2) else [part]
        match int(rng.integers(5)):
            case 0:
                part[i] = min(b.high, max(b.low, part[i] + rng.choice((-1, 1))))
            case 1:
                part[i] = rng.integers(b.low, b.high, endpoint=True)
            case 2:
                part[i] = b.high if rng.integers(2) else b.low
            case 3:
                for p in together:
                    p[i] = p[j]
            case _:
                for p in together:
                    p[i], p[j] = p[j], p[i]
        if rng.integers(4):
            break
    return moved
