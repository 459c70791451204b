"""How a request trace is to be read.

Apart from what reads it (:mod:`adversary.workloads.traces`), which takes long to load.
"""

import msgspec

from adversary.workloads.layouts.layout import ISO, UNITS
from theory.model import InputError

MAX_ROWS = 10_000_000
MAX_BYTES = 2**31
ARRIVAL_UNITS = (*UNITS, ISO)


class Reading(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a trace is to be read.

    Parameters
    ----------
    prefill, decode, arrival : str, optional
        Names of the fields that hold prompt lengths, output lengths and arrival times, where they
        are not those of the file's layout.  A dotted name reaches into nested values; keys may
        have dots themselves.
    arrival_unit : str, optional
        What arrival times count, one of :data:`ARRIVAL_UNITS`, where that is not the layout's.
    drop_bad : bool
        Whether rows that cannot be used are dropped; else the file is refused.
    max_rows, max_bytes : int
        Rows, and bytes when decompressed, of the largest file that is read.

    Raises
    ------
    InputError
        If the unit is unknown, or a limit is no positive number.
    """

    prefill: str | None = None
    decode: str | None = None
    arrival: str | None = None
    arrival_unit: str | None = None
    drop_bad: bool = False
    max_rows: int = MAX_ROWS
    max_bytes: int = MAX_BYTES

    def __post_init__(self) -> None:
        if self.arrival_unit not in (None, *ARRIVAL_UNITS):
            raise InputError(
                f"no arrival unit {self.arrival_unit!r}; known: {', '.join(ARRIVAL_UNITS)}"
            )
        for name in ("max_rows", "max_bytes"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, got {getattr(self, name)}")

    @property
    def named(self) -> dict[str, str]:
        """The fields that the caller names."""
        all_three = {"prefill": self.prefill, "decode": self.decode, "arrival": self.arrival}
        return {key: path for key, path in all_three.items() if path is not None}


DEFAULT = Reading()
