"""Loads as they were measured: a matrix of steps and ranks, put together from single records."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from adversary.measurements.fields import Place, as_shown, natural
from theory.model import FloatArray, InputError, IntArray

BoolArray = NDArray[np.bool_]

# Cells of a matrix, and records, that are read at most.
MOST_RECORDS = 20_000_000

SHARE = "share of the KV cache"

_LEAVE_OUT = "--drop-bad leaves out steps that lack a rank"
_NAN = float("nan")

# Steps from which on their beginnings tell a unit, how near to a power of a thousand (in thirds of
# decades) they are then, and seconds that no step of decoding takes.
_FEW, _NEAR, _LONG_S = 8, 0.02, 5.0

# Cells of the matrix to a record, at most: with more, ranks share next to no step.
_SPARSE = 64


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredLoads:
    """The loads of ``G`` ranks in ``K`` steps.

    Parameters
    ----------
    format : str
        Where they come from, a name of the table of formats.
    unit : str
        What a load counts, such as ``tokens``.
    ranks : tuple of str
        Names of the ranks.
    steps : int64[K]
        Numbers of the steps as they were logged, rising.
    loads : float64[K, G]
        Loads, not negative.
    duration_s, start_s : float64[K] or None
        Durations and beginnings of the steps, NaN where not known.  A duration is the longest that
        any rank has for the step.
    requests : float64[K, G] or None
        Running requests.
    prefill : bool[K] or None
        Whether a rank ran prefill in the step, whose time is not that of the load.
    spread : float or None
        How far the durations that ranks have of one step are apart, a share of the longest, in
        the median step: near 0 if the ranks step together.
    rounding : float
        Half the last digit of a load, if loads were rounded when they were logged.
    notes : tuple of str
        What a reader of results should know.
    """

    format: str
    unit: str
    ranks: tuple[str, ...]
    steps: IntArray
    loads: FloatArray
    duration_s: FloatArray | None = None
    start_s: FloatArray | None = None
    requests: FloatArray | None = None
    prefill: BoolArray | None = None
    spread: float | None = None
    rounding: float = 0.0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class StepTimes:
    """Beginnings and durations of steps, in seconds, int64[K] and float64[K]; steps rise."""

    steps: IntArray
    start_s: FloatArray
    duration_s: FloatArray


@dataclass(slots=True)
class Meaning:
    """What the numbers of a format are.

    ``lag`` is 1 if a line has the duration of the step before; ``scale`` of a rank takes its loads
    to ``unit``.
    """

    format: str
    unit: str = "tokens"
    lag: int = 0
    rounding: float = 0.0
    scale: dict[str, float] = field(default_factory=dict)


def of_shares(
    format: str,
    ranks: Sequence[str],
    kv_tokens: float | None,
    sizes: Mapping[str, float],
    rounding: float = 0.0,
) -> Meaning:
    """The meaning of shares of the KV cache: tokens, where it is known how many each rank holds.

    ``kv_tokens`` is that number for all ranks, ``sizes`` what the file says of some.
    """
    if kv_tokens is not None:
        sizes = dict.fromkeys(ranks, kv_tokens)
    if any(rank not in sizes for rank in ranks):
        return Meaning(format, SHARE, rounding=rounding)
    most = max((sizes[rank] for rank in ranks), default=0.0)
    return Meaning(format, rounding=rounding * most, scale={rank: sizes[rank] for rank in ranks})


class LoadRecords:
    """Collects the loads of single ranks in single steps, in any order."""

    def __init__(self) -> None:
        self._ranks: dict[str, int] = {}
        self._files: dict[str, int] = {}
        self._rank, self._step, self._line = array("q"), array("q"), array("q")
        self._file = array("q")
        self._values = tuple(array("d") for _ in range(5))

    def __len__(self) -> int:
        return len(self._rank)

    @property
    def ranks(self) -> tuple[str, ...]:
        """Names of the ranks so far."""
        return tuple(self._ranks)

    def add(
        self,
        place: Place,
        rank: str,
        step: int,
        load: float,
        *,
        duration_s: float = _NAN,
        start_s: float = _NAN,
        requests: float = _NAN,
        prefill: float = _NAN,
    ) -> None:
        """One record; what is not known of it is NaN."""
        if len(self) >= MOST_RECORDS:
            raise InputError(
                f"{place.file}: holds more than {MOST_RECORDS} loads; give a shorter part of it"
            )
        rank = as_shown(rank)
        self._rank.append(self._ranks.setdefault(rank, len(self._ranks)))
        self._file.append(self._files.setdefault(place.file, len(self._files)))
        self._step.append(step)
        self._line.append(place.line)
        for column, value in zip(
            self._values, (load, duration_s, start_s, requests, prefill), strict=True
        ):
            column.append(value)

    def aligned(self, meaning: Meaning, *, drop: bool, notes: Sequence[str] = ()) -> MeasuredLoads:
        """The matrix.

        Parameters
        ----------
        meaning : Meaning
            Of the numbers.
        drop : bool
            Whether steps that lack a rank are left out; else they are refused.

        Raises
        ------
        InputError
            If a step has a rank twice or not at all, or fewer than two ranks are there.
        """
        names = sorted(self._ranks, key=natural)
        notes = list(notes)
        places = {name: place for place, name in enumerate(names)}
        order = np.array([places[name] for name in self._ranks])
        rank, step = order[np.array(self._rank)], np.array(self._step)
        first = self._first_of_each(rank, step, drop=drop)
        if not first.all():
            notes.append(f"{int((~first).sum())} loads that are there twice are left out")
            rank, step = rank[first], step[first]
        if (run := _runs(rank, step)) is not None:
            notes.append(
                f"the numbers of steps begin again {int(run.max())} times, on all ranks: runs are "
                "put one after the other"
            )
            step += run * (int(step.max()) + 2)
        steps, at = np.unique(step, return_inverse=True)
        _at_least_two(next(iter(self._files)), names)
        cell = at * len(names) + rank
        self._refuse_twice(cell, names, steps, np.flatnonzero(first))
        shape = (len(steps), len(names))
        if len(steps) * len(names) > _SPARSE * len(self):
            raise self._no_common_step(names)
        missing = np.ones(shape, dtype=bool)
        missing.flat[cell] = False
        if missing.any():
            if not drop:
                self._refuse_missing(missing, names, steps, at, np.flatnonzero(first))
            gone = int(missing.any(axis=1).sum())
            if gone == len(steps):
                raise self._no_common_step(names)
            notes.append(f"{gone} of {len(steps)} steps lack a rank and are left out")
        kept = np.flatnonzero(~missing.any(axis=1))

        def matrix(column: "array[float]") -> FloatArray:
            whole = np.full(shape, _NAN)
            whole.flat[cell] = np.array(column)[first]
            return whole

        loads, durations, starts, requests, prefill = map(matrix, self._values)
        loads *= np.array([meaning.scale.get(name, 1.0) for name in names])
        if meaning.lag:
            durations = _from_the_next(durations, steps)
        durations = durations[kept]
        duration = _known(_of_any_rank(durations, np.fmax))
        start = _known(_of_any_rank(starts[kept], np.fmin))
        same_unit(next(iter(self._files)), steps[kept], start, duration)
        return MeasuredLoads(
            meaning.format,
            meaning.unit,
            tuple(names),
            steps[kept],
            loads[kept],
            duration,
            start,
            _known(requests[kept]),
            _ran(prefill[kept]),
            _spread(durations),
            meaning.rounding,
            (*notes, *_long(duration)),
        )

    def _no_common_step(self, names: list[str]) -> InputError:
        return InputError(
            f"{next(iter(self._files))}: next to no step has a load of every rank "
            f"({', '.join(names[:8])}): the ranks do not count the same steps; give logs of one "
            "run in which they step together"
        )

    def _place(self, record: int) -> Place:
        return Place(tuple(self._files)[self._file[record]], self._line[record])

    def _first_of_each(self, rank: IntArray, step: IntArray, *, drop: bool) -> BoolArray:
        """Which records are no copies of another, if copies are to be left out."""
        kept = np.ones(len(step), dtype=np.bool_)
        if drop:
            load = np.array(self._values[0])
            order = np.lexsort((np.arange(len(step)), load, step, rank))
            same = (
                (np.diff(rank[order]) == 0)
                & (np.diff(step[order]) == 0)
                & (np.diff(load[order]) == 0)
            )
            kept[order[1:][same]] = False
        return kept

    def _refuse_twice(
        self, cell: IntArray, names: list[str], steps: IntArray, record: IntArray
    ) -> None:
        order = np.argsort(cell, kind="stable")
        again = np.flatnonzero(np.diff(cell[order]) == 0)
        if not again.size:
            return
        first, second = min((int(order[k]), int(order[k + 1])) for k in again)
        at, rank = divmod(int(cell[second]), len(names))
        first, second = int(record[first]), int(record[second])
        same = self._values[0][first] == self._values[0][second]
        raise InputError(
            f"{self._place(second)}: rank = {names[rank]}: its load of step {steps[at]} is there "
            f"already, in {self._place(first)}; give one run, and one line a rank and step"
            + ("; --drop-bad leaves out copies" if same else "")
        )

    def _refuse_missing(
        self,
        missing: BoolArray,
        names: list[str],
        steps: IntArray,
        at: IntArray,
        records: IntArray,
    ) -> None:
        gaps = int(missing.any(axis=1).sum())
        first = int(np.flatnonzero(missing.any(axis=1))[0])
        record = int(records[np.flatnonzero(at == first)[0]])
        absent = [name for name, gone in zip(names, missing[first], strict=True) if gone]
        counts = (~missing).sum(axis=0)
        told = f"{gaps} of {len(steps)} steps lack a rank"
        if counts.min() < counts.max():
            least, most = int(counts.argmin()), int(counts.argmax())
            told += (
                f"; rank {names[least]} has {counts[least]} steps, "
                f"rank {names[most]} {counts[most]}"
            )
        raise InputError(
            f"{self._place(record)}: step = {steps[first]} has no load of rank "
            f"{', '.join(absent[:4])} ({told}); {_LEAVE_OUT}"
        )


def _runs(rank: IntArray, step: IntArray) -> IntArray | None:
    """Which run each record is of, where numbers of steps begin again on all ranks alike.

    Parameters
    ----------
    rank, step : int64[N]
        Of the records, those of a rank in the order in which they were logged.

    Returns
    -------
    int64[N] or None
        Runs from 0; None if no step is there twice, or the numbers do not rise within runs of
        several steps, as many on each rank.

    >>> _runs(np.array([0, 1] * 4), np.array([4, 4, 5, 5, 0, 0, 4, 4])).tolist()
    [0, 0, 0, 0, 1, 1, 1, 1]
    """
    order = np.argsort(rank, kind="stable")
    of, at = rank[order], step[order]
    if len(np.unique(of * (int(at.max()) + 1) + at)) == len(of):
        return None
    same = np.diff(of) == 0
    again = same & (np.diff(at) <= 0)
    counts = np.bincount(of[1:][again], minlength=int(of.max()) + 1)
    if counts.min() != counts.max() or counts[0] * 4 > (of == 0).sum():
        return None
    run = np.concatenate(([0], np.cumsum(again)))
    begins = np.concatenate(([0], np.flatnonzero(~same) + 1))
    run -= np.repeat(run[begins], np.diff(np.append(begins, len(of))))
    found = np.empty_like(run)
    found[order] = run
    return found


def of_matrix(
    file: str,
    meaning: Meaning,
    ranks: Sequence[str],
    steps: IntArray,
    loads: FloatArray,
    duration_s: FloatArray | None = None,
    start_s: FloatArray | None = None,
    notes: Sequence[str] = (),
) -> MeasuredLoads:
    """Loads that are a matrix already, ``float64[K, G]``.

    Raises
    ------
    InputError
        If there are no steps, or fewer than two ranks.
    """
    if not len(loads):
        raise InputError(f"{file}: has no steps; expected one line a step, one column a rank")
    _at_least_two(file, ranks)
    same_unit(file, steps, start_s, duration_s)
    return MeasuredLoads(
        meaning.format,
        meaning.unit,
        tuple(ranks),
        steps,
        loads,
        duration_s,
        start_s,
        notes=(*notes, *_long(duration_s)),
    )


def same_unit(
    file: str, steps: IntArray, start_s: FloatArray | None, duration_s: FloatArray | None
) -> None:
    """Refuse steps that begin a thousand times as far apart as they last, or a million, or less.

    Raises
    ------
    InputError
        If beginnings and durations count different units.
    """
    if start_s is None or duration_s is None:
        return
    gaps = np.diff(start_s) / np.diff(steps)
    gaps, lengths = gaps[~np.isnan(gaps)], duration_s[~np.isnan(duration_s)]
    if min(len(gaps), len(lengths)) < _FEW:
        return
    apart, last = np.median(gaps), np.median(lengths)
    if not (apart > 0 and last > 0):
        return
    power = np.log10(apart / last) / 3
    if round(power) and abs(power - round(power)) < _NEAR:
        raise InputError(
            f"{file}: steps begin {apart:.3g} s apart and last {last:.3g} s: their beginnings and "
            "durations count different units; say which in the names of the columns, as in "
            "start_s or start_ms, duration_s or duration_ms"
        )


def _long(duration_s: FloatArray | None) -> list[str]:
    """A note on steps that take longer than any decoding step."""
    if duration_s is None or not (median := float(np.nanmedian(duration_s))) > _LONG_S:
        return []
    return [
        f"the median step takes {median:.3g} s: if durations count milliseconds, say so in the "
        "name of their column, as in duration_ms"
    ]


def _at_least_two(file: str, ranks: Sequence[str]) -> None:
    if len(ranks) < 2:
        only = f"of one rank alone ({ranks[0]})" if ranks else "of no rank"
        raise InputError(
            f"{file}: rank: it has loads {only}, and nothing waits for itself; log every rank "
            "(TensorRT-LLM: TLLM_PROFILE_LOG_RANKS=all), or give the files of all ranks"
        )


def _ran(prefill: FloatArray) -> BoolArray | None:
    if np.isnan(prefill).all():
        return None
    return np.asarray((prefill > 0).any(axis=1))


def _known(values: FloatArray) -> FloatArray | None:
    return None if np.isnan(values).all() else values


def _of_any_rank(values: FloatArray, extreme: np.ufunc) -> FloatArray:
    found: FloatArray = extreme.reduce(values, axis=1)
    return found


def _spread(durations: FloatArray) -> float | None:
    whole = durations[~np.isnan(durations).any(axis=1)]
    longest = whole.max(axis=1, initial=0.0)
    whole, longest = whole[longest > 0], longest[longest > 0]
    return float(np.median(1 - whole.min(axis=1) / longest)) if len(whole) else None


def _from_the_next(durations: FloatArray, steps: IntArray) -> FloatArray:
    """Each step's durations where the line of a step has those of the step before."""
    moved = np.full_like(durations, _NAN)
    follows = np.diff(steps) == 1
    moved[:-1][follows] = durations[1:][follows]
    return moved
