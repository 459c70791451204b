"""The admission step as a problem: what is given, what is chosen, what it costs.

Work conservation forces ``U = min(|pool|, free slots)`` admissions; the step chooses which pool
items and a worker for each, and pays ``G*max_g L'_g - sum_g L'_g`` [step.objective].
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from theory.model import INT_LIMIT, InputError, IntArray, imbalance

# An assignment gives each pool item, by position, its worker; WAITS keeps it in the pool.
Assignment = IntArray
WAITS = -1


class AssignmentError(InputError):
    """An assignment breaks a rule of the step; the message says which."""


@dataclass(frozen=True, slots=True, eq=False)
class StepProblem:
    """One admission step.

    Parameters
    ----------
    loads : int64[G]
        Loads before admission, ``>= 0``.
    free : int64[G]
        Free slots on each worker, ``>= 0``.
    pool : int64[n]
        Sizes of the waiting requests in arrival order, ``>= 1``.

    Raises
    ------
    InputError
        If shapes or ranges are wrong, or ``G * (sum loads + sum pool)`` does not fit an int64.

    Examples
    --------
    >>> problem = StepProblem(loads=[0, 4], free=[1, 1], pool=[5, 1, 2])
    >>> problem.admissions
    2
    >>> problem.objective(np.array([0, 1, WAITS]))  # loads (5, 5)
    0
    """

    loads: IntArray
    free: IntArray
    pool: IntArray

    def __init__(self, loads: ArrayLike, free: ArrayLike, pool: ArrayLike) -> None:
        for name, values, least in (("loads", loads, 0), ("free", free, 0), ("pool", pool, 1)):
            array = np.asarray(values)
            if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
                raise InputError(f"{name} must be a list of integers")
            if array.size and (int(array.min()) < least or int(array.max()) >= INT_LIMIT):
                raise InputError(f"{name} must hold integers in [{least}, 2^62)")
            column = np.array(array, dtype=np.int64)
            column.flags.writeable = False
            object.__setattr__(self, name, column)
        if self.loads.size == 0 or self.loads.size != self.free.size:
            raise InputError(
                f"loads and free must have one entry for each of >= 1 workers, "
                f"got {self.loads.size} and {self.free.size}"
            )
        if self.workers * (sum(self.loads.tolist()) + sum(self.pool.tolist())) >= INT_LIMIT:
            raise InputError("G * (sum of loads and sizes) must stay below 2^62")

    @property
    def workers(self) -> int:
        """Number of workers ``G``."""
        return int(self.loads.size)

    @property
    def admissions(self) -> int:
        """``U``, the number of requests that work conservation admits."""
        free: list[int] = self.free.tolist()
        return min(int(self.pool.size), sum(free))

    def loads_after(self, assignment: Assignment) -> IntArray:
        """Loads after admission, int64[G]; the assignment is taken to be valid."""
        after = self.loads.copy()
        chosen = assignment != WAITS
        np.add.at(after, assignment[chosen], self.pool[chosen])
        return after

    def validate(self, assignment: Assignment, conserving: bool = True) -> None:
        """Check the rules of the step.

        Parameters
        ----------
        assignment : int64[n]
            Worker of each pool item, or :data:`WAITS`.
        conserving : bool
            Whether every slot must be filled that can be.

        Raises
        ------
        AssignmentError
            If the assignment has the wrong shape, names a worker that does not exist, over-fills
            a worker, or leaves a slot free while a request waits.
        """
        a = np.asarray(assignment)
        if a.shape != self.pool.shape or (a.size and a.dtype.kind not in "iu"):
            raise AssignmentError(
                f"an assignment needs one integer worker for each of the {self.pool.size} waiting "
                f"requests, got {a.dtype}{list(a.shape)}"
            )
        if a.size == 0:
            return
        if int(a.min()) < WAITS or int(a.max()) >= self.workers:
            bad = int(np.flatnonzero((a < WAITS) | (a >= self.workers))[0])
            raise AssignmentError(
                f"request {bad} is sent to worker {a[bad]}, but workers are 0 to "
                f"{self.workers - 1} (and {WAITS} waits)"
            )
        admitted = a[a != WAITS]
        count = np.bincount(admitted, minlength=self.workers)
        over = np.flatnonzero(count > self.free)
        if over.size:
            g = int(over[0])
            raise AssignmentError(
                f"worker {g} is over-filled: {count[g]} requests for {self.free[g]} free slots"
            )
        if conserving and admitted.size != self.admissions:
            raise AssignmentError(
                f"not work conserving: {admitted.size} requests admitted where "
                f"{self.admissions} could be ({self.pool.size} wait for "
                f"{sum(self.free.tolist())} free slots)"
            )

    def objective(self, assignment: Assignment) -> int:
        """Imbalance after the assignment, recomputed in exact ints."""
        return imbalance(self.loads_after(assignment))

    def lexicographic_key(self, assignment: Assignment) -> tuple[int, int, int, tuple[int, ...]]:
        """The order that makes BF-IO one decision [step.lexicographic].

        Imbalance, then the largest load, then the sum of squared loads, then the assignment read
        in arrival order (a request that waits counts as worker ``G``).
        """
        after = self.loads_after(assignment).tolist()
        order = tuple(self.workers if g == WAITS else g for g in assignment.tolist())
        return imbalance(after), max(after), sum(x * x for x in after), order


@dataclass(frozen=True, slots=True, eq=False)
class StepSolution:
    """A valid assignment with a lower bound on what any assignment can reach.

    Parameters
    ----------
    assignment : int64[n]
        Worker of each pool item, or :data:`WAITS`.
    imbalance : int
        Its objective, exact.
    lower_bound : int
        No valid assignment has a smaller objective; evaluated in integers.
    claim : int or None
        What a solver in floating point calls the least imbalance.  It proves nothing.
    """

    assignment: Assignment
    imbalance: int
    lower_bound: int
    claim: int | None = None

    @property
    def optimal(self) -> bool:
        """Whether the two sides meet."""
        return self.imbalance == self.lower_bound

    @property
    def gap(self) -> int:
        """Excess over the lower bound, in load units."""
        return self.imbalance - self.lower_bound
