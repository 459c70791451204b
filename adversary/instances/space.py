"""Bounded classes of instances: what an adversary may choose, and how many choices there are.

A class is a box of integer vectors together with a way to build an instance from one.  Searches
and enumerations walk over the vectors and know nothing else about the instances.
"""

import math
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from solvers.step.problem import StepProblem
from theory.budget import about, power
from theory.model import INT_LIMIT, InputError, IntArray, Requests, System


@dataclass(frozen=True, slots=True)
class Instance:
    """A simulation in backlog or timed mode: a system, its requests, and its pool limit.

    Parameters
    ----------
    system : System
        What the requests run on.
    requests : Requests
        In arrival order.
    pool : int
        How many may wait in the pool at a time, ``R >= 1``.
    """

    system: System
    requests: Requests
    pool: int


@dataclass(frozen=True, slots=True)
class Block:
    """A run of exchangeable integer coordinates with a common range, both ends included."""

    low: int
    high: int
    count: int


Built_co = TypeVar("Built_co", covariant=True)


class BoundedClass(Protocol[Built_co]):
    """A finite class of instances (simulations or steps), as a box of integer vectors."""

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Coordinates of a vector, in order."""
        ...

    @property
    def size(self) -> int:
        """Number of instances, exactly."""
        ...

    def build(self, vector: IntArray) -> Built_co:
        """The instance of a vector."""
        ...


@dataclass(frozen=True, slots=True)
class Space:
    """Simulations of ``requests`` requests with bounded sizes and output lengths.

    Parameters
    ----------
    workers, slots : int
        ``G`` and ``B``.
    requests : int
        Number of requests ``N``.
    size_max, size_min : int
        Sizes lie in ``size_min..size_max``.
    decode_max : int
        Output lengths lie in ``1..decode_max``.
    order : str
        ``"any"``: every arrival order counts as an instance of its own; ``"sorted"``: only the
        orders of non-decreasing (size, length) do.
    pool : int, optional
        Pool limit ``R``; ``G*B`` by default.
    drift : tuple of int
        As in :class:`theory.model.System`.

    Raises
    ------
    InputError
        If a bound is out of its range.

    Examples
    --------
    >>> Space(workers=2, slots=1, requests=2, size_max=3).size  # 3 sizes, one length, 2 requests
    9
    """

    workers: int
    slots: int
    requests: int
    size_max: int
    size_min: int = 1
    decode_max: int = 1
    order: str = "any"
    pool: int | None = None
    drift: tuple[int, ...] = (1,)

    def __post_init__(self) -> None:
        System(self.workers, self.slots, self.drift)
        _at_least(1, capacity=self.workers * self.slots)
        _at_least(1, requests=self.requests, decode_max=self.decode_max, size_min=self.size_min)
        _at_least(self.size_min, size_max=self.size_max)
        if self.order not in ("any", "sorted"):
            raise InputError(f"order must be 'any' or 'sorted', got {self.order!r}")
        if self.pool is not None:
            _at_least(1, pool=self.pool)

    @property
    def system(self) -> System:
        """The system that all instances share."""
        return System(self.workers, self.slots, self.drift)

    @property
    def pool_limit(self) -> int:
        """``R``."""
        return self.pool or self.workers * self.slots

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Sizes, then output lengths."""
        return (
            Block(self.size_min, self.size_max, self.requests),
            Block(1, self.decode_max, self.requests),
        )

    @property
    def size(self) -> int:
        """Number of request lists: ordered ones, or multisets where ``order`` is sorted."""
        kinds = (self.size_max - self.size_min + 1) * self.decode_max
        if self.order == "any":
            return power(kinds, self.requests)
        if self.requests > 10_000:
            return power(2, self.requests)  # more than anybody enumerates
        return math.comb(kinds + self.requests - 1, self.requests)

    def build(self, vector: IntArray) -> Instance:
        """The instance whose sizes and output lengths are the two halves of the vector."""
        prefill, decode = vector[: self.requests], vector[self.requests :]
        if self.order == "sorted":
            by_size = np.lexsort((decode, prefill))
            prefill, decode = prefill[by_size], decode[by_size]
        return Instance(self.system, Requests(prefill, decode), self.pool_limit)


@dataclass(frozen=True, slots=True)
class StepSpace:
    """Admission steps with bounded loads, free slots and pools.

    Parameters
    ----------
    workers : int
        ``G``.
    requests : int
        Pool size, or the largest one where ``fewer``.
    size_max, size_min : int
        Sizes lie in ``size_min..size_max``.
    free_max, free_min : int
        Free slots of each worker lie in ``free_min..free_max``; ``free_min = free_max`` gives
        equal slots.
    load_max : int
        Loads before admission lie in ``0..load_max``; 0 gives empty workers.
    fewer : bool
        Whether smaller pools belong to the class, down to the empty one.

    Raises
    ------
    InputError
        If a bound is out of its range.
    """

    workers: int
    requests: int
    size_max: int
    size_min: int = 1
    free_max: int = 1
    free_min: int = 0
    load_max: int = 0
    fewer: bool = False

    def __post_init__(self) -> None:
        _at_least(1, workers=self.workers, requests=self.requests, size_min=self.size_min)
        _at_least(self.size_min, size_max=self.size_max)
        _at_least(0, free_min=self.free_min, load_max=self.load_max)
        _at_least(self.free_min, free_max=self.free_max)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Loads, free slots, sizes; ``size_min - 1`` stands for an absent request."""
        return (
            Block(0, self.load_max, self.workers),
            Block(self.free_min, self.free_max, self.workers),
            Block(self.size_min - self.fewer, self.size_max, self.requests),
        )

    @property
    def size(self) -> int:
        """Number of steps up to the order of workers and of pool items.

        The imbalance of an optimal step depends on neither.
        """
        states = (self.load_max + 1) * (self.free_max - self.free_min + 1)
        kinds = self.size_max - self.size_min + 1 + self.fewer
        return math.comb(states + self.workers - 1, self.workers) * math.comb(
            kinds + self.requests - 1, self.requests
        )

    def build(self, vector: IntArray) -> StepProblem:
        """The step with these loads, free slots and pool."""
        G = self.workers
        pool = vector[2 * G :]
        return StepProblem(vector[:G], vector[G : 2 * G], pool[pool >= self.size_min])


def _at_least(least: int, **values: int) -> None:
    for name, value in values.items():
        if not isinstance(value, int | np.integer) or value < least:
            raise InputError(f"{name} must be an integer >= {least}, got {value!r}")
        if value >= INT_LIMIT:
            raise InputError(f"{name} must be an integer below 2^62, got {about(int(value))}")
