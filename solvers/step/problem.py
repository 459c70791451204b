"""The admission step as a problem: what is given, what is chosen, what it costs.

Work conservation forces ``U = min(|pool|, free slots)`` admissions; the step chooses which pool
items and a worker for each, and pays ``G*max_g L'_g - sum_g L'_g`` [step.objective].
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from theory.model import INT_LIMIT, InputError, IntArray, extent, imbalance
from theory.shown import Shown, axes
from theory.tables import columns_of

if TYPE_CHECKING:
    import polars
    from matplotlib.axes import Axes

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
        total = 0
        for name, values, least in (("loads", loads, 0), ("free", free, 0), ("pool", pool, 1)):
            array = np.asarray(values)
            if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
                raise InputError(f"{name} must be a list of integers")
            low, high, added = extent(array)
            if low < least or high >= INT_LIMIT:
                raise InputError(f"{name} must hold integers in [{least}, 2^62)")
            total += added if name != "free" else 0
            column = array.astype(np.int64)
            column.setflags(write=False)
            object.__setattr__(self, name, column)
        if self.loads.size == 0 or self.loads.size != self.free.size:
            raise InputError(
                f"loads and free must have one entry for each of >= 1 workers, "
                f"got {self.loads.size} and {self.free.size}"
            )
        if self.workers * total >= INT_LIMIT:
            raise InputError("G * (sum of loads and sizes) must stay below 2^62")

    @classmethod
    def from_table(
        cls, table: Any, pool: ArrayLike, *, loads: str = "loads", free: str = "free"
    ) -> "StepProblem":
        """The step of a table of workers, and the sizes of the waiting requests.

        Parameters
        ----------
        table : polars or pandas DataFrame, mapping of columns, or sequence of rows
            A row for each worker.
        pool : int[n]
            Sizes of the waiting requests in arrival order.
        loads, free : str
            The columns that are read.

        Raises
        ------
        InputError
            As the class itself, or if a column is missing.

        Examples
        --------
        >>> StepProblem.from_table([{"loads": 0, "free": 1}, {"loads": 4, "free": 1}], [5]).workers
        2
        """
        found = columns_of(table, loads=loads, free=free)
        return cls(found["loads"], found["free"], pool)

    @property
    def workers(self) -> int:
        """Number of workers ``G``."""
        return int(self.loads.size)

    @property
    def admissions(self) -> int:
        """``U``, the number of requests that work conservation admits."""
        return min(int(self.pool.size), self.free_slots)

    @property
    def free_slots(self) -> int:
        """Number of free slots of all workers, which may not fit an int64."""
        free: list[int] = self.free.tolist()
        return sum(free)

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
                f"{self.free_slots} free slots)"
            )

    def objective(self, assignment: Assignment) -> int:
        """Imbalance after the assignment, recomputed in exact ints."""
        left: int = imbalance(self.loads_after(assignment))
        return left

    def lexicographic_key(self, assignment: Assignment) -> tuple[int, int, int, tuple[int, ...]]:
        """The order that makes BF-IO one decision [step.lexicographic].

        Imbalance, then the largest load, then the sum of squared loads, then the assignment read
        in arrival order (a request that waits counts as worker ``G``).
        """
        after = self.loads_after(assignment).tolist()
        order = tuple(self.workers if g == WAITS else g for g in assignment.tolist())
        return imbalance(after), max(after), sum(x * x for x in after), order


@dataclass(frozen=True, slots=True, eq=False)
class StepSolution(Shown):
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

    def facts(self) -> dict[str, Any]:
        """How many are admitted, the imbalance, and how far it may be from the optimum."""
        return {
            "admitted": int((self.assignment != WAITS).sum()),
            "waiting": int((self.assignment == WAITS).sum()),
            "imbalance": self.imbalance,
            "lower_bound": self.lower_bound,
            "gap": self.gap,
            "optimal": self.optimal,
            "claim": self.claim,
        }

    def to_polars(self) -> "polars.DataFrame":
        """A row for each waiting request: its place in the pool, and its worker, if any."""
        import polars

        worker = [None if g == WAITS else g for g in self.assignment.tolist()]
        return polars.DataFrame(
            {"item": range(len(worker)), "worker": worker},
            schema={"item": polars.Int64, "worker": polars.Int64},
        )

    def plot(self, ax: "Axes | None" = None, problem: StepProblem | None = None) -> "Axes":
        """The imbalance beside its lower bound; with the problem, the loads of each worker."""
        ax = axes(ax)
        if problem is None:
            ax.bar(["imbalance", "lower bound"], [self.imbalance, self.lower_bound])
            ax.set_ylabel("load")
            return ax
        after, worker = problem.loads_after(self.assignment), range(problem.workers)
        ax.bar(worker, np.full(after.size, after.max()), color="0.88", label="idle")
        ax.bar(worker, after, color="C1", label="admitted")
        ax.bar(worker, problem.loads, color="C0", label="before")
        ax.set_xlabel("worker")
        ax.set_ylabel("load")
        ax.set_title(f"imbalance {self.imbalance:,}, at least {self.lower_bound:,}")
        ax.legend()
        return ax

    @property
    def optimal(self) -> bool:
        """Whether the two sides meet."""
        return self.imbalance == self.lower_bound

    @property
    def gap(self) -> int:
        """Excess over the lower bound, in load units."""
        return self.imbalance - self.lower_bound
