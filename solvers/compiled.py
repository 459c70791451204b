"""The one way a function is compiled: numba, cached on disk, no fast-math.

Without fast-math the compiled floating-point operations are the ones written, in that order, so
compiled and plain code agree to the last bit.  Compiled code leaves Python's lock to other threads:
whoever waits for it hears the clock and Ctrl-C.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numba

from solvers.kernel_cache import KernelCache

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile a function of numbers and arrays; the machine code is cached between runs.

    The machine code contains that of the compiled functions it calls and the constants it names,
    so these must be imported at the head of the module: a change of any of their files then
    invalidates the cache (:mod:`solvers.kernel_cache`).
    """
    result: Any = numba.njit(nogil=True)(function)
    if hasattr(result, "_cache"):  # it is the plain function when numba is switched off
        result._cache = KernelCache(function)
    kept: F = result
    return kept
