"""What a run may cost: memory, steps and entries that are refused before the work begins.

Estimates are those of the dominant loop and array.  A refusal says how much is asked for, how much
may be, and what would do; whatever is not refused ends within minutes, or says how far it is.
"""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from theory.model import InputError

# Bytes that a run may take; more where the environment says so.
ENLARGED = "EVENKEEL_MEMORY_GIB"
MEMORY = 2**31
with suppress(ValueError):
    MEMORY = max(1, int(os.environ.get(ENLARGED, "2"))) * 2**30

# Elementary steps of compiled loops, about a minute, and how many of them one of Python costs.
STEPS = 10**10
BY_PYTHON = 100

# Entries of a list that is made before the first of them is worked on, such as the runs of a study.
ENTRIES = 10**5

# Steps that a policy may look ahead.
MOST_AHEAD = 10_000

# What is larger is told by its power of ten, and counted no further.
_ENDLESS = 2**4096


@contextmanager
def kept_to(memory: int) -> Iterator[None]:
    """Have what is allocated beyond so many more bytes within the block fail, on Linux.

    Raises
    ------
    MemoryError
        There, and elsewhere when the machine has no more.
    """
    try:
        import resource

        status = Path("/proc/self/status").read_text("utf-8")
        now = int(status.partition("VmData:")[2].split()[0]) * 2**10
    except (ImportError, OSError, ValueError, IndexError):
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = min((now + memory, *(limit for limit in (soft, hard) if limit >= 0)))
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def power(base: int, exponent: int) -> int:
    """``base**exponent`` where that is a number that a budget could hold, else one that is not.

    >>> power(3, 4), power(2, 10**9) == power(9, 10**9)
    (81, True)
    """
    if base > 1 and exponent * math.log2(base) > 4096:
        return _ENDLESS
    return int(base**exponent)


def affordable_requests(count: int) -> None:
    """Refuse so many requests that their columns, and those of a run of them, take too much.

    Raises
    ------
    InputError
        If they do.
    """
    afford(f"{about(count)} requests", "use fewer", memory=8 * 12 * count)


def about(count: int) -> str:
    """A count as people read it.

    >>> about(20_000), about(3 * 10**16)
    ('20,000', '3.0 x 10^16')
    """
    if count < 10**15:
        return f"{count:,}"
    digits = len(str(count)) - 1 if count < 2**8192 else int(math.log10(count))
    return f"{count // 10 ** (digits - 1) / 10:.1f} x 10^{digits}"


def afford(what: str, instead: str, *, memory: int = 0, steps: int = 0, entries: int = 0) -> None:
    """Refuse work beyond the budget.

    Parameters
    ----------
    what : str
        What the work is, for the message.
    instead : str
        What would make it affordable.
    memory, steps, entries : int
        Bytes, elementary steps of compiled loops, and entries of lists that it takes.

    Raises
    ------
    InputError
        If any is more than the budget.
    """
    for needed, most, unit in (
        (memory, MEMORY, "bytes of memory"),
        (steps, STEPS, "steps"),
        (entries, ENTRIES, "entries"),
    ):
        if needed > most:
            more = f" ({ENLARGED} allows more)" if needed == memory else ""
            raise InputError(
                f"{what}: takes about {about(needed)} {unit}, more than {about(most)}: "
                f"{instead}{more}"
            )
