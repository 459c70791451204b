"""Units of measured amounts: behind the number itself, or at the end of its column's name."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from adversary.measurements.fields import LARGEST_TIME, Place, number, of_day, seconds

Kind = Literal["s", "W"]

# What people write, in small letters, and what one of it is.
_IN: Mapping[Kind, Mapping[str, float]] = {
    "s": {
        **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
        **dict.fromkeys(("ms", "msec", "millis", "millisecond", "milliseconds"), 1e-3),
        **dict.fromkeys(("us", "µs", "μs", "usec", "micros", "microseconds"), 1e-6),
        **dict.fromkeys(("ns", "nsec", "nanos", "nanoseconds"), 1e-9),
    },
    "W": {
        **dict.fromkeys(("w", "watt", "watts"), 1.0),
        **dict.fromkeys(("mw", "milliwatt", "milliwatts"), 1e-3),
        **dict.fromkeys(("kw", "kilowatt", "kilowatts"), 1e3),
    },
}
_NAME = re.compile(r"(.+?)[ _.]*(?:[\[(] *(\w+) *[\])]|[ _.]([^\W_]+)|(?<=[a-z])(Ms|Us|Ns|Mw|MW))")
_CELL = re.compile(r"(.*?)\s*([^\W\d_]+)")

_DAY = 86400.0  # seconds


@lru_cache(maxsize=1024)
def of_name(column: str, kind: Kind) -> tuple[str, float | None]:
    """What a column is called without its unit, and what one of that is; None if it has none.

    >>> of_name("Step time (ms)", "s"), of_name("iter_time_us", "s"), of_name("power", "W")
    (('step_time', 0.001), ('iter_time', 1e-06), ('power', None))
    """
    found = _NAME.fullmatch(column.strip())
    if found is not None:
        unit = next(group for group in found.groups()[1:] if group is not None)
        if (one := _IN[kind].get(unit.lower())) is not None:
            return _plain(found[1]), one
    return _plain(column), None


def _plain(name: str) -> str:
    return "_".join(name.lower().split())


def amount(place: Place, column: str, text: str | None, kind: Kind) -> float:
    """Seconds or watts: in the unit behind the number, else that of its column, else one of them.

    >>> place = Place("a.csv", 2)
    >>> amount(place, "power.draw [W]", "118420 mW", "W"), amount(place, "power_mw", "118420", "W")
    (118.42, 118.42)
    """
    value = (text or "").strip()
    scale = of_name(column, kind)[1] or 1.0
    if value[-1:].isalpha() and (found := _CELL.fullmatch(value)) is not None:
        said = _IN[kind].get(found[2].lower())
        if said is not None:
            value, scale = found[1], said
    found_number = number(place, column, value, most=LARGEST_TIME)
    # Dividing is exact where the inverse is a whole number.
    return found_number / round(1 / scale) if scale < 1 else found_number * scale


def point(place: Place, column: str, text: str | None) -> float:
    """A point of time in seconds, which the column's name may count in another unit.

    >>> point(Place("a.csv", 2), "start_ms", "1500"), point(Place("a.csv", 2), "start", "0:00:01.5")
    (1.5, 1.5)
    """
    if of_name(column, "s")[1] in (None, 1.0):
        return seconds(place, column, text)
    return amount(place, column, text, "s")


class Clock:
    """Times in the order of a file, in which those of the day alone go on beyond midnight.

    >>> clock, place = Clock(), Place("a.csv", 2)
    >>> [clock.read(place, "Time", text) for text in ("23:59:59", "00:00:01", "23:59:59.5")]
    [86399.0, 86401.0, 86399.5]
    """

    def __init__(self) -> None:
        self._last: float | None = None
        self._days = 0.0

    def read(self, place: Place, column: str, text: str | None) -> float:
        """As :func:`point`; a time of the day that is half a day away is of the next, or before.

        Samples of several devices may be a little out of order.
        """
        when = point(place, column, text)
        if not of_day(text):
            return when
        if self._last is not None:
            self._days -= _DAY * round((when - self._last) / _DAY)
        self._last = when
        return when + self._days
