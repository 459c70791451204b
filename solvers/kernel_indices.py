"""Kernels count the elements of an array from its start, and not from its end.

Python takes ``a[-1]`` for the last element, so numba adds the length to every index that is
negative when it runs.  To see whether it is takes a third of the time of loops over short rows.
In kernels only what is written as a negative number counts from the end.  An index that is computed
and negative lies outside the array, as one beyond its end does; ``NUMBA_BOUNDSCHECK=1`` refuses
both.  Indices that stand in an array count as in Python.
"""

from typing import Any

from numba.core.lowering import Lower
from numba.core.types import IntegerLiteral, intp, uintp
from numba.core.types.containers import BaseTuple, Tuple


def from_start(index: Any, written: Any) -> Any:
    """The type that an index is taken for: without a sign, if it is computed.

    Parameters
    ----------
    index : numba.types.Type
        What numba takes it for; of several dimensions, a tuple.
    written : numba.types.Type
        Of the expression.

    Examples
    --------
    >>> from numba.core.types import int32, literal
    >>> from_start(intp, int32), from_start(intp, literal(-1))
    (uint64, int64)
    """
    if isinstance(index, BaseTuple):
        return Tuple(tuple(map(from_start, index, written)))
    if isinstance(written, IntegerLiteral):  # the compiler knows its sign
        return index
    return uintp if index == intp else index


class Indexing(Lower):  # type: ignore[misc]
    """Numba's way from its instructions to LLVM's, with such indices."""

    def lower_getitem(self, resty: Any, expr: Any, value: Any, index: Any, signature: Any) -> Any:
        """An element or a part of something."""
        signature = self._from_start(index, signature)
        return super().lower_getitem(resty, expr, value, index, signature)

    def lower_setitem(self, target: Any, index: Any, value: Any, signature: Any) -> Any:
        """An element or a part that is set."""
        signature = self._from_start(index, signature)
        return super().lower_setitem(target, index, value, signature)

    def _from_start(self, index: Any, signature: Any) -> Any:
        whole, kind, *rest = signature.args
        kind = from_start(kind, self.typeof(index.name))
        return signature.replace(args=(whole, kind, *rest))
