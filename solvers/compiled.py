"""The one way a function is compiled: numba, cached on disk, no fast-math.

Without fast-math the compiled floating-point operations are the ones written, in that order, so
compiled and plain code agree to the last bit.
"""

from collections.abc import Callable
from typing import TypeVar

import numba

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile a function of numbers and arrays; the machine code is cached between runs."""
    result: F = numba.njit(cache=True)(function)
    return result
