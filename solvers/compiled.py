"""The one way a function is compiled: numba, cached on disk, no fast-math.

Without fast-math the compiled floating-point operations are the ones written, in that order, so
compiled and plain code agree to the last bit.  Compiled code leaves Python's lock to other threads:
whoever waits for it hears the clock and Ctrl-C.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numba
from numba.core.dispatcher import Dispatcher

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile a function of numbers and arrays; the machine code is cached between runs.

    The machine code contains that of the compiled functions it calls, so these must be imported by
    name at the head of the module: a change of any of their files then invalidates the cache.
    """
    result: F = numba.njit(cache=True, nogil=True)(function)
    if isinstance(result, Dispatcher):  # it is the plain function when numba is switched off
        _depend_on_what_is_called(result, function)
    return result


def _depend_on_what_is_called(dispatcher: Any, function: Callable[..., object]) -> None:
    """Let cached machine code expire with any of its sources: numba looks at one file alone.

    The sources stand in the version, which numba compares before it reads anything that names
    types: one of them may be gone.
    """
    cache = dispatcher._cache._cache_file
    dispatcher.sources = {function.__code__.co_filename: cache._source_stamp}
    called: Any
    for called in function.__globals__.values():
        if isinstance(called, Dispatcher):
            dispatcher.sources |= getattr(called, "sources", {})
    cache._version = cache._version, tuple(sorted(dispatcher.sources.items()))
