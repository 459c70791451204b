"""Lines that cannot be used: the first refuses the file, or they are counted and left out."""

from collections.abc import Callable
from types import TracebackType

from adversary.measurements.fields import LineError

# Lines from one word of progress to the next.
OFTEN = 10_000


class Skip:
    """A block in which one line is read.

    Parameters
    ----------
    drop : bool
        Whether a line that cannot be used is left out; else the error goes on.
    progress : callable, optional
        Is told now and then how many lines there were.

    Examples
    --------
    >>> from adversary.measurements.fields import Place, number
    >>> skip = Skip(drop=True)
    >>> with skip:
    ...     number(Place("a.csv", 2), "load", "many")
    >>> skip.notes()
    ['1 line is left out; the first: a.csv: line 2: load = many is not a number']
    """

    def __init__(self, *, drop: bool, progress: Callable[[int], None] | None = None) -> None:
        self.drop, self.count = drop, 0
        self._first, self._lines, self._progress = "", 0, progress

    def __enter__(self) -> "Skip":
        self._lines += 1
        if self._progress is not None and self._lines % OFTEN == 0:
            self._progress(self._lines)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if not self.drop or not isinstance(error, LineError):
            return False
        self.count += 1
        self._first = self._first or str(error).rpartition("; ")[0]
        return True

    def notes(self) -> list[str]:
        """How many lines were left out, and why the first was."""
        if not self.count:
            return []
        many = "1 line is" if self.count == 1 else f"{self.count} lines are"
        return [f"{many} left out; the first: {self._first}"]
