"""What a layout is, and which one a file has by the names of its fields."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

# Paths of one field: the first that a row has is read.
Paths = tuple[str, ...]

# Nanoseconds of each unit that numbers can count.
UNITS: Mapping[str, int] = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}

# In place of a unit: dates and times.
ISO = "iso"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a tool writes the lengths and arrival times of requests.

    A path is a key, or keys joined by dots; keys may have dots themselves.  Where several paths
    are given, they are what different versions of the tool write.

    Parameters
    ----------
    writer : str
        What writes it.
    source : str
        Public repository or document that describes it.
    known_by : tuple of Paths
        Fields that tell it from all others: one of each tuple must be there.
    prefill, decode, arrival : Paths
        Prompt length, output length and arrival time.  Without times the requests are a backlog.
    unit : str
        What arrival times count if they are numbers, one of :data:`UNITS`; texts are dates.
    if_fractional : str
        What they count if some are not whole, where that differs.
    within : mapping of str to str
        Where one object holds many requests: the lists that do, as ``"runs[].requests[]"``, each
        with the word for the requests in it, empty where they succeeded.
    inside : str
        Where names that the caller gives are looked for as well.
    prepared : callable, optional
        Puts what is hidden in a request's object where a path can find it.
    if_missing : str
        Why a length may not be there, and what would help.
    failed : mapping of str to tuple of str
        Fields that mark a failed request, and the values with which they do not.
    zero_fails : bool
        Whether no output marks a failed request.
    among : mapping of str to tuple of str
        Fields that tell requests from other rows, and the values that requests have.
    any_of : tuple of str
        Rows without a field that begins like one of these are no requests.
    busiest : float
        More requests a second than any such trace has.
    remark : str
        What a reader of results should know of the unit.
    """

    writer: str
    source: str
    known_by: tuple[Paths, ...]
    prefill: Paths
    decode: Paths
    arrival: Paths = ()
    unit: str = "s"
    if_fractional: str = ""
    within: Mapping[str, str] = field(default_factory=dict)
    inside: str = ""
    prepared: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    if_missing: str = ""
    failed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    zero_fails: bool = False
    among: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    any_of: tuple[str, ...] = ()
    busiest: float = 10_000
    remark: str = ""

    @property
    def lengths_and_times(self) -> dict[str, Paths]:
        """The paths by what they hold."""
        return {"prefill": self.prefill, "decode": self.decode, "arrival": self.arrival}

    def naming(self, named: Mapping[str, str]) -> "Layout":
        """The same with other fields; times of another field are seconds or dates."""

        def paths(key: str) -> Paths:
            if key not in named:
                return self.lengths_and_times[key]
            inside = (f"{self.inside}.{named[key]}",) if self.inside else ()
            return (named[key], *inside)

        changed = replace(
            self, prefill=paths("prefill"), decode=paths("decode"), arrival=paths("arrival")
        )
        if "arrival" in named and named["arrival"] not in self.arrival:
            return replace(changed, unit="s", if_fractional="", remark="")
        return changed


@dataclass(frozen=True, slots=True)
class Summary:
    """A file that has no requests in it, and what to read in its place."""

    what: str
    known_by: tuple[Paths, ...]
    instead: str


def fits(known_by: Sequence[Paths], names: Collection[str]) -> bool:
    """Whether a file with these fields has one of each.

    >>> fits((("at", "time"), ("size",)), {"time", "size", "id"})
    True
    """
    return all(any(path in names for path in paths) for paths in known_by)


def recognised(layouts: Mapping[str, Layout], names: Collection[str]) -> str | None:
    """The first layout whose telling fields are all there, of those with an object a request."""
    return next(
        (n for n, one in layouts.items() if not one.within and fits(one.known_by, names)), None
    )


def nearest(layouts: Mapping[str, Layout], names: Collection[str]) -> str | None:
    """The layout most of whose fields are there, two at the least; None if there is none."""

    def present(layout: Layout) -> int:
        fields = layout.lengths_and_times.values()
        return 0 if layout.within else sum(any(p in names for p in paths) for paths in fields)

    best = max(layouts, key=lambda name: present(layouts[name]))
    return best if present(layouts[best]) >= 2 else None
