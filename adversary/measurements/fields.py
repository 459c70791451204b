"""Numbers and times in text, and refusals that name file, line and field."""

import math
import re
from datetime import UTC, datetime
from typing import NamedTuple

from adversary.workloads.layouts.grouped import ungrouped
from adversary.workloads.layouts.rows import one_line
from theory.content import printable
from theory.model import InputError

# Whole numbers beyond are not exact as floats; no load of a rank comes near.
LARGEST = 2.0**53

# Times in nanoseconds since 1970 are not exact as floats, and near enough.
LARGEST_TIME = 2.0**63

# Digits without separators of thousands: Python's own float takes underscores and other digits.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COMMA = re.compile(r"[+-]?[\d.]+,[\d,]+", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})\b", re.ASCII)
_OF_DAY = re.compile(r"(\d{1,2}):(\d{2}):(\d{2}(?:[.,]\d+)?)", re.ASCII)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NO_YEAR = re.compile(rf"^({'|'.join(_MONTHS)}) +(\d{{1,2}}) +(?=\d\d:)", re.ASCII)
# The name of a zone behind its offset, and a zone without one.
_ZONE = re.compile(r"\s*([+-]\d\d:?\d\d)( [A-Z]{2,5})?$", re.ASCII)
_AT_ZERO = re.compile(r"( ?(UTC|GMT)|z)$")
_FIX = "correct the line, or leave such lines out with --drop-bad"


class Place(NamedTuple):
    """A line of a file; of a binary file, a record.

    >>> str(Place("a.csv", 3)), str(Place("a.parquet", 2, "row"))
    ('a.csv: line 3', 'a.parquet: row 2')
    """

    file: str
    line: int
    what: str = "line"

    def __str__(self) -> str:
        return f"{self.file}: {self.what} {self.line}"


class LineError(InputError):
    """A line that cannot be used, in one line; others of the file may be."""

    def __init__(self, place: Place, says: str, fix: str = _FIX) -> None:
        super().__init__(f"{place}: {says}; {fix}")


def number(
    place: Place, field: str, text: str | None, unit: str = "", most: float = LARGEST
) -> float:
    """The number that a text is, with or without its unit: finite and not negative.

    >>> number(Place("a.csv", 2), "power.draw", "118.42 W", "W")
    118.42
    """
    value = (text or "").strip().removesuffix(unit).strip()
    if not value:
        raise LineError(place, f"{field} is missing")
    shown = f"{field} = {one_line(value, 40)}"
    if not _NUMBER.fullmatch(value):
        value = ungrouped(value)
    if not _NUMBER.fullmatch(value):
        if _COMMA.fullmatch(value):
            says = "has a comma that may begin a fraction or group thousands"
            raise LineError(place, f"{shown} {says}", "write it with a point")
        # "nan", "inf" and "N/A" are words, and no measurement.
        raise LineError(place, f"{shown} is not a number")
    found = float(value)
    if found < 0:
        raise LineError(place, f"{shown} is negative")
    if not found <= most:
        raise LineError(place, f"{shown} is larger than 2^{math.log2(most):.0f}")
    return found


def whole(place: Place, field: str, text: str | None) -> int:
    """The whole number that a text is, not negative."""
    found = number(place, field, text)
    if found % 1:
        raise LineError(place, f"{field} = {one_line(text, 40)} is not a whole number")
    return int(found)


def of_day(text: str | None) -> bool:
    """Whether a text is a time of the day alone."""
    if text is None or "-" in text or "/" in text:  # most texts are dates as well
        return False
    return _OF_DAY.fullmatch(text.strip()) is not None


def seconds(place: Place, field: str, text: str | None) -> float:
    """A time as seconds: a number of them, or a date and time since 1970, of UTC without a zone.

    Numbers since 1970 may count milliseconds, microseconds or nanoseconds.  A time of the day alone
    counts from midnight, one of a day without a year from some beginning.

    >>> seconds(Place("a.csv", 2), "timestamp", "1970/01/01 00:00:01.500")
    1.5
    >>> seconds(Place("a.csv", 2), "timestamp", "1700000000000")
    1700000000.0
    """
    value = (text or "").strip()
    if not value or _NUMBER.fullmatch(value):
        found = number(place, field, text, most=LARGEST_TIME)
        # Seconds since 1970 stay below 1e11 for the next 3000 years.
        return found / 10.0 ** (3 * max(0, math.ceil((math.log10(max(found, 1.0)) - 11) / 3)))
    if found_time := _OF_DAY.fullmatch(value):
        hours, minutes, rest = found_time.groups()
        return 3600 * int(hours) + 60 * int(minutes) + float(rest.replace(",", "."))
    # Of a year that is not said, which 1972 stands for: it is no time since 1970, and has all days.
    value = _NO_YEAR.sub(_in_1972, value)
    stamp = _DAY_FIRST.sub(_year_first, value, count=1).replace("/", "-").replace(",", ".")
    try:
        when = datetime.fromisoformat(stamp)
    except ValueError:
        try:
            when = datetime.fromisoformat(_AT_ZERO.sub("+00:00", _ZONE.sub(r"\1", stamp)))
        except ValueError:
            raise LineError(place, f"{field} = {one_line(value, 40)} is no time") from None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _in_1972(found: re.Match[str]) -> str:
    month, day = found.groups()
    return f"1972-{_MONTHS.index(month) + 1:02}-{day:0>2} "


def _year_first(found: re.Match[str]) -> str:
    day, month, year = found.groups()
    return f"{year}-{month:0>2}-{day:0>2}"


def share(place: Place, field: str, text: str | None) -> float:
    """A share from 0 to 1, or per cent with their sign.

    >>> share(Place("a.csv", 2), "usage", "86.5%"), share(Place("a.csv", 2), "usage", "0.865")
    (0.865, 0.865)
    """
    percent = (text or "").strip().endswith("%")
    found = number(place, field, text, "%") / (100 if percent else 1)
    if found > 1:
        raise LineError(place, f"{field} = {one_line(text, 40)} is more than 1")
    return found


def as_shown(name: str) -> str:
    r"""The name of a rank or a device, in which nothing steers a terminal.

    >>> print(as_shown("rank 0"), as_shown("\x1b[31m"))
    rank 0 \x1b[31m
    """
    return name if name.isprintable() else printable(name)


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts names with numbers in them by the numbers.

    >>> sorted(["gpu10", "gpu9"], key=natural)
    ['gpu9', 'gpu10']
    """
    parts = re.split(r"(\d+)", name)
    return tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts if p)
