"""Arrival times: numbers that count some unit, or dates, to nanoseconds."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from adversary.workloads.layouts.decimals import EITHER, FRACTION, with_point
from adversary.workloads.layouts.layout import ISO, UNITS, Layout
from adversary.workloads.layouts.lengths import absent, shown
from theory.model import IntArray

# Times are kept below this many nanoseconds, so that the difference of two fits as well.
_LIMIT = 2**62

# Dates of ISO 8601, and others in which month and day cannot be mistaken for each other: with
# slashes only where the year comes first.
_DATES = tuple(
    f"{day} {time}"
    for day in ("%Y-%m-%d", "%d.%m.%Y", "%Y/%m/%d")
    for time in ("%H:%M:%S%.f", "%H:%M")
)

# What others write in their place: a T between date and time, or all digits in one; a comma before
# a fraction; zones as Go, PostgreSQL and mail write them.
_WRITTEN = (
    (r"^(\d{4})(\d{2})(\d{2})[Tt](\d{2})(\d{2})(\d{2})", "$1-$2-$3 $4:$5:$6"),
    (r"^(\d{4}.\d{2}.\d{2})[Tt]", "$1 "),
    (r",(\d+)", ".$1"),
    (r" ?([+-]\d{2}:?\d{2}) [A-Z]{2,5}$", "$1"),
    (r" ?(?:UTC|GMT|[Zz])$", "+00:00"),
    (r"(:\d{2}(?:\.\d+)?) ?([+-]\d{2})$", "${1}${2}:00"),
)

# As seconds, milliseconds, ... since 1970, the years 2001 to 2286 begin with these numbers; a trace
# that counts from its own beginning starts long before.
_EPOCHS: Mapping[str, tuple[float, float]] = {
    unit: (1e18 / ns, 1e19 / ns) for unit, ns in UNITS.items()
}
_WORDS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}


class Times:
    """Reads the times of a trace, part by part; what the first part shows holds for all.

    Parameters
    ----------
    layout : Layout
        What the times are expected to count.
    asked : str or None
        What the caller says that they count, one of :data:`UNITS` or ``iso``.
    path : str
        What the file calls them.
    """

    def __init__(self, layout: Layout, asked: str | None, path: str) -> None:
        self._layout, self._asked, self._path = layout, asked, path
        self.unit = ""
        self._commas = False
        self.notes: list[str] = []

    def read(self, texts: pl.Series) -> pl.DataFrame:
        """The times as ``ns``, null where a ``fault`` says why they cannot be read."""
        self._commas |= bool(texts.str.contains(FRACTION).any())
        frame = pl.DataFrame({"arrival": texts}).with_columns(
            plain=with_point("arrival", known=self._commas)
        )
        frame = frame.with_columns(number=pl.col("plain").cast(pl.Float64, strict=False))
        if not self.unit:
            self.unit = self._settled(frame)
        ns = _dates() if self.unit == ISO else _ticks(UNITS[self.unit])
        kind = "a time"
        if self._asked is not None:
            kind = "a date and time" if self.unit == ISO else f"a number of {_WORDS[self.unit]}"
        value = shown("arrival", self._path)
        either = pl.col("arrival").str.contains(EITHER) & pl.lit(not self._commas)
        fault = pl.coalesce(
            absent("arrival", self._path),
            pl.when(either).then(
                pl.format("{} may be a fraction or group thousands: write it without", value)
            ),
            pl.when(pl.col("ns").is_null()).then(pl.format("{} is not {}", value, pl.lit(kind))),
        )
        return frame.with_columns(ns=ns).select("ns", fault=fault)

    def _settled(self, frame: pl.DataFrame) -> str:
        """The unit that the first part shows, with notes on why."""
        numbers = frame["number"].filter(frame["number"].is_finite())
        others = int((frame["arrival"] != "").sum()) - len(numbers)
        if self._asked == ISO or (self._asked is None and others > len(numbers)):
            return ISO
        layout, unit = self._layout, self._asked or self._layout.unit
        since_1970 = _since_1970(numbers)
        says = "--arrival-unit says otherwise"
        if self._asked is not None:
            if since_1970 not in (None, unit):
                self.notes.append(
                    f"{self._path} reads like {_WORDS[since_1970]} since 1970, and "
                    f"--arrival-unit takes it for {_WORDS[unit]}"
                )
            return unit
        fractional = numbers.filter(numbers % 1 != 0)
        if since_1970 not in (None, unit):
            unit = since_1970
            self.notes.append(
                f"{self._path} is read as {_WORDS[unit]} since 1970, as it begins with "
                f"{numbers[0]:.0f}, and not as {_WORDS[layout.unit]}; {says}"
            )
        elif len(fractional) and layout.if_fractional:
            unit = layout.if_fractional
            self.notes.append(
                f"{self._path} is read as {_WORDS[unit]}, as some are not whole "
                f"({fractional[0]:g}); whole ones would be {_WORDS[layout.unit]}; {says}"
            )
        elif layout.if_fractional:
            self.notes.append(
                f"{self._path} is read as {_WORDS[unit]}, as all are whole; fractions would be "
                f"{_WORDS[layout.if_fractional]}; {says}"
            )
        elif layout.remark:
            self.notes.append(f"{self._path} is read as {_WORDS[unit]}: {layout.remark}; {says}")
        return unit


def _since_1970(numbers: pl.Series) -> str | None:
    """The unit in which the smallest number is a time since 1970, if it is one."""
    least = numbers.min()
    if not isinstance(least, float):
        return None
    return next((unit for unit, (low, high) in _EPOCHS.items() if low <= least < high), None)


def _ticks(ns: int) -> pl.Expr:
    """Numbers that count so many nanoseconds: exactly if they are whole."""
    whole, number = pl.col("plain").cast(pl.Int64, strict=False), pl.col("number") * ns
    fits = whole.is_between(-(_LIMIT // ns), _LIMIT // ns)
    near = number.is_finite() & (number.abs() < float(_LIMIT))
    return (
        pl.when(whole.is_not_null())
        .then(pl.when(fits).then(whole * ns))
        .when(near)
        .then(pl.when(near).then(number).round().cast(pl.Int64))
    )


def _dates() -> pl.Expr:
    """Dates and times, those without a zone as UTC."""
    stamp = pl.col("arrival")
    for written, instead in _WRITTEN:
        stamp = stamp.str.replace(written, instead)
    plain = [stamp.str.to_datetime(one, time_unit="ns", strict=False) for one in _DATES]
    zoned = stamp.str.to_datetime("%Y-%m-%d %H:%M:%S%.f%:z", time_unit="ns", strict=False)
    return pl.coalesce(*(one.cast(pl.Int64) for one in plain), zoned.cast(pl.Int64))


def unrounded(ns: IntArray, unit: int) -> IntArray | None:
    """Times in the order of the file, where some were rounded to whole units and lost it.

    Parameters
    ----------
    ns : int64[N]
        Times as they are written.
    unit : int
        Nanoseconds of a whole unit.

    Returns
    -------
    int64[N] or None
        The fractions as they are, each whole number moved, by less than a unit, to between the
        fractions around it; None where that does not put the times in order.

    >>> unrounded(np.array([5150, 5000, 5660, 7000, 6606]), 1000).tolist()
    [5150, 5150, 5660, 6606, 6606]
    >>> unrounded(np.array([5150, 2000, 5660]), 1000) is None
    True
    """
    whole = ns % unit == 0
    least = np.maximum.accumulate(np.where(whole, np.iinfo(np.int64).min, ns))
    most = np.minimum.accumulate(np.where(whole, np.iinfo(np.int64).max, ns)[::-1])[::-1]
    moved = np.maximum.accumulate(np.where(whole, np.minimum(np.maximum(ns, least), most), ns))
    kept = (moved == ns)[~whole].all() and (np.abs(moved - ns) < unit).all()
    return moved if kept else None
