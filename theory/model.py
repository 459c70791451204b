"""The model: systems, requests, loads, imbalance and idle share.

``G`` workers step together behind a barrier, each holding up to ``B`` sticky requests.  One step
is: admit, measure the loads (they set the step's duration), let the requests that have been served
for their full output length depart, and let the others grow.  Sizes and loads are in tokens, or in
whatever unit of work a system that is not an LLM has.  ``theory/NOTES.md`` has the conventions.
"""

import reprlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import polars

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

# Sums that must fit an int64 accumulator are kept below this, half of the range, so that one more
# addition of two such sums can never wrap.
INT_LIMIT = 2**62

# Seconds per token of load in the simulator released with arXiv 2601.17855.
PAPER_SECONDS_PER_TOKEN = 1.0052e-7


class InputError(ValueError):
    """A value that somebody supplied cannot be used; the message names it and says what can."""


@dataclass(frozen=True, slots=True)
class System:
    """A barrier-synchronised system.

    Parameters
    ----------
    workers : int
        Number of workers, ``G >= 1``.
    slots : int
        Slots on each worker, ``B >= 1``.
    drift : tuple of int
        Growth of every active request at the end of step ``k`` is ``drift[k % len(drift)]``
        (calendar drift, common to all requests, non-negative).  ``(1,)`` is LLM decoding, where
        the KV cache grows by one token a step; ``(0,)`` is a bulk-synchronous system.  A list, an
        array or a column of a frame will do.
    step_overhead_s : float
        Fixed part ``C >= 0`` of a step's duration, in seconds.
    seconds_per_token : float
        ``t_l > 0``, seconds per unit of the largest load.

    Raises
    ------
    InputError
        If a field is out of its range.

    Notes
    -----
    Source: paper, model section.

    Examples
    --------
    >>> System(4, 16).capacity
    64
    >>> System(4, 16, drift=(0, 1)).has_constant_drift
    False
    """

    workers: int
    slots: int
    drift: tuple[int, ...] = (1,)
    step_overhead_s: float = 0.0
    seconds_per_token: float = PAPER_SECONDS_PER_TOKEN

    def __post_init__(self) -> None:
        for name in ("workers", "slots"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                raise InputError(f"{name} must be an integer >= 1, got {value!r}")
        if not isinstance(self.drift, tuple) and np.ndim(self.drift) == 1:
            object.__setattr__(self, "drift", tuple(np.asarray(self.drift).tolist()))
        if (
            not isinstance(self.drift, tuple)
            or not self.drift
            or any(not isinstance(d, int | np.integer) or not 0 <= d < 2**31 for d in self.drift)
        ):
            raise InputError(
                f"drift must be a non-empty tuple of integers in [0, 2^31), got {self.drift!r}"
            )
        if not (np.isfinite(self.step_overhead_s) and self.step_overhead_s >= 0):
            raise InputError(
                f"step_overhead_s must be a finite number >= 0, got {self.step_overhead_s!r}"
            )
        if not (np.isfinite(self.seconds_per_token) and self.seconds_per_token > 0):
            raise InputError(
                f"seconds_per_token must be a finite number > 0, got {self.seconds_per_token!r}"
            )

    @classmethod
    def paper(cls, workers: int, slots: int) -> "System":
        """The system with the step-time constants of the paper's experiments.

        ``C = (0.6 ms * B + 35 ms) / 16`` and ``t_l = 1.0052e-7`` s (its simulator).
        """
        return cls(workers, slots, step_overhead_s=(slots * 0.6e-3 + 35e-3) / 16)

    @property
    def capacity(self) -> int:
        """Number of slots in the whole system, ``G * B``."""
        return self.workers * self.slots

    @property
    def has_constant_drift(self) -> bool:
        """Whether every step adds the same amount, which makes total work policy-invariant."""
        return len(set(self.drift)) == 1


# Up to so many numbers Python's ints are faster than numpy's reductions.
FEW = 128


def extent(numbers: IntArray) -> tuple[int, int, int]:
    """The least of integers >= 0, the largest and their sum; (1, 1, 0) of none.

    The sum means nothing where the least is negative.
    """
    if numbers.size > FEW:
        low, high = int(numbers.min()), int(numbers.max())
        wide = high * numbers.size >= INT_LIMIT
        return low, high, sum(numbers.tolist()) if wide else int(numbers.sum())
    listed: list[int] = numbers.tolist()
    return (min(listed), max(listed), sum(listed)) if listed else (1, 1, 0)


def _int_column(name: str, values: ArrayLike, least: int) -> IntArray:
    try:
        array = np.asarray(values)
    except ValueError:  # lists of different lengths
        array = np.empty((0, 0))
    if array.ndim != 1:
        raise InputError(f"{name} must be a flat list of integers, got {reprlib.repr(values)}")
    if array.size and array.dtype.kind not in "iu":
        # The first entry that is no whole number in range; of 1.0 and True the type is wrong.
        found = np.asarray(values, dtype=object).tolist()
        fits = [
            isinstance(value, int | float) and value % 1 == 0 and least <= value < INT_LIMIT
            for value in found
        ]
        bad = 0 if all(fits) else fits.index(False)
        raise InputError(f"{name}[{bad}] = {found[bad]!r} must be an integer in [{least}, 2^62)")
    low, high, _ = extent(array)
    if array.size and (low < least or high >= INT_LIMIT):
        bad = int(np.flatnonzero((array < least) | (array >= INT_LIMIT))[0])
        raise InputError(f"{name}[{bad}] = {array[bad]} must be an integer in [{least}, 2^62)")
    column = array.astype(np.int64)
    column.setflags(write=False)
    return column


@dataclass(frozen=True, slots=True, eq=False)
class Requests:
    """An immutable list of requests in arrival order, as a structure of arrays.

    Parameters
    ----------
    prefill : int64[N]
        Sizes ``s_i >= 1``: the load of a request at its first active step.
    decode : int64[N]
        Output lengths ``o_i >= 1``: the number of steps a request is served.  Hidden from
        policies.
    arrival : float64[N] or None
        Arrival times in seconds, non-negative and non-decreasing; None for a backlog.
    group : int64[N] or None
        A key ``>= 0`` for each request, equal for those that belong together (a conversation, a
        common prefix).  The model gives it no meaning; a policy may see it.

    Raises
    ------
    InputError
        If lengths differ, a value is out of range, or arrivals decrease or are not finite.
    """

    prefill: IntArray
    decode: IntArray
    arrival: FloatArray | None = None
    group: IntArray | None = None

    def __init__(
        self,
        prefill: ArrayLike,
        decode: ArrayLike,
        arrival: ArrayLike | None = None,
        group: ArrayLike | None = None,
    ) -> None:
        s = _int_column("prefill", prefill, 1)
        o = _int_column("decode", decode, 1)
        if s.size != o.size:
            raise InputError(f"prefill has {s.size} entries but decode has {o.size}")
        object.__setattr__(self, "prefill", s)
        object.__setattr__(self, "decode", o)
        object.__setattr__(self, "arrival", None)
        object.__setattr__(self, "group", None)
        if group is not None:
            key = _int_column("group", group, 0)
            if key.size != s.size:
                raise InputError(f"group has {key.size} entries but there are {s.size} requests")
            object.__setattr__(self, "group", key)
        if arrival is not None:
            a = np.array(arrival, dtype=np.float64)
            if a.shape != s.shape:
                raise InputError(f"arrival has shape {a.shape} but there are {s.size} requests")
            if not np.isfinite(a).all() or (a < 0).any():
                raise InputError("arrival times must be finite and >= 0")
            if (np.diff(a) < 0).any():
                raise InputError("arrival times must not decrease: sort the requests by arrival")
            a.flags.writeable = False
            object.__setattr__(self, "arrival", a)

    @classmethod
    def from_table(
        cls,
        table: Any,
        *,
        prefill: str = "prefill",
        decode: str = "decode",
        arrival: str | None = None,
        group: str | None = None,
    ) -> "Requests":
        """The requests of a table, a row for each, in arrival order.

        Parameters
        ----------
        table : polars or pandas DataFrame, mapping of columns, or sequence of rows
            Rows that are no mappings hold the entries in the order of the parameters below.
        prefill, decode : str
            The columns of sizes and output lengths.
        arrival, group : str, optional
            Those of arrival times, in seconds, and of group keys.

        Raises
        ------
        InputError
            As the class itself, or if a column is missing.

        Examples
        --------
        >>> Requests.from_table({"in": [5, 3], "out": [2, 1]}, prefill="in", decode="out").work()
        14
        """
        from theory.tables import columns_of

        names = {"prefill": prefill, "decode": decode, "arrival": arrival, "group": group}
        return cls(**columns_of(table, **{k: name for k, name in names.items() if name}))

    def to_polars(self) -> "polars.DataFrame":
        """The columns that there are, as a frame."""
        import polars

        names = ("prefill", "decode", "arrival", "group")
        columns = {name: getattr(self, name) for name in names}
        return polars.DataFrame({name: c for name, c in columns.items() if c is not None})

    def __len__(self) -> int:
        return int(self.prefill.size)

    # Arrays have no value hash, and requests are compared by value.
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Requests):
            return NotImplemented
        for name in ("prefill", "decode", "arrival", "group"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if (mine is None) != (theirs is None):
                return False
            if mine is not None and not np.array_equal(mine, theirs):
                return False
        return True

    def work(self, growth: int = 1) -> int:
        """Total work ``sum_i sum_j w_i(j)`` under constant drift, as an exact int.

        A request contributes ``o*s + growth*o*(o-1)/2`` whatever the policy
        [energy.work-invariance].

        Examples
        --------
        One request of size 5 served for two steps, 5 + 6, and one of size 3 for one step:

        >>> Requests([5, 3], [2, 1]).work()
        14
        >>> Requests([5, 3], [2, 1]).work(growth=0)
        13
        """
        return sum(
            o * s + growth * (o * (o - 1) // 2)
            for s, o in zip(self.prefill.tolist(), self.decode.tolist(), strict=True)
        )


@overload
def imbalance(loads: Sequence[int]) -> int: ...
@overload
def imbalance(loads: ArrayLike) -> Any: ...
def imbalance(loads: ArrayLike) -> Any:
    """Imbalance ``G*max - sum`` of one step's loads, as an exact int; or of each row of a matrix.

    Parameters
    ----------
    loads : int[G] or int[K, G]
        Loads after admission and before departures, the ones that set the step's duration; a
        matrix, or a frame, has a row for each step.

    Returns
    -------
    int, or int64[K]
        Of a matrix the imbalance of each step.

    Raises
    ------
    InputError
        If there is no worker, or an imbalance of a matrix does not fit an int64.

    Examples
    --------
    Three workers, the largest load 7 and the sum 15:

    >>> imbalance([3, 7, 5])
    6
    >>> imbalance([[3, 7, 5], [1, 1, 1]]).tolist()
    [6, 0]
    """
    if isinstance(loads, list) and set(map(type, loads)) == {int}:  # as most are: at once
        return len(loads) * max(loads) - sum(loads)
    matrix = np.asarray(loads)
    if matrix.ndim not in (1, 2) or matrix.shape[-1] == 0:
        raise InputError(f"loads must be a list or a matrix with a worker, got {matrix.shape}")
    if matrix.ndim == 2:
        if matrix.dtype.kind in "iu" and matrix.size:
            largest = max(int(matrix.max()), -int(matrix.min()))
            if 2 * matrix.shape[1] * largest >= INT_LIMIT:
                raise InputError("G * the largest load must stay below 2^61")
            matrix = matrix.astype(np.int64)
        return matrix.shape[1] * matrix.max(axis=1) - matrix.sum(axis=1)
    values: list[int] = matrix.tolist()
    return len(values) * max(values) - sum(values)


def idle_share(total_imbalance: int, total_work: int) -> Fraction:
    """Share of worker-time spent idle at the barrier, ``I / (W + I)``, over one or many steps.

    Zero when nothing is loaded.

    Examples
    --------
    The loads 3, 7, 5: of 21 units of worker-time 6 are idle.

    >>> idle_share(6, 15)
    Fraction(2, 7)
    """
    total = total_imbalance + total_work
    return Fraction(total_imbalance, total) if total else Fraction(0)
