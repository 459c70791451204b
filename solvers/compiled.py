"""The one way a function is compiled: numba, cached on disk, no fast-math.

Without fast-math the compiled floating-point operations are the ones written, in that order, so
compiled and plain code agree to the last bit.  Compiled code leaves Python's lock to other threads:
whoever waits for it hears the clock and Ctrl-C.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numba

from solvers.kernel_cache import KernelCache

# What is computed has integers of 64 bits that wrap, and plain Python has others: where numba is
# switched off (NUMBA_DISABLE_JIT), this package is compiled all the same.
numba.config.DISABLE_JIT = False

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile a function of numbers and arrays; the machine code is cached between runs.

    The machine code contains that of the compiled functions it calls and the constants it names,
    so these must be imported at the head of the module: a change of any of their files then
    invalidates the cache (:mod:`solvers.kernel_cache`).
    """
    result: Any = numba.njit(nogil=True)(function)
    result._cache = KernelCache(function)
    kept: F = result
    return kept
