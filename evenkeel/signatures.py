"""Signatures as ``help`` prints them: types by their short names.

An annotation is an object, and Python prints arrays and unions of them in full, line after line.
What is exported from ``evenkeel`` therefore says its types in the words of its documentation.
"""

import inspect
import re
from collections.abc import Callable
from enum import Enum
from typing import Any

from numpy.typing import ArrayLike

from theory.model import FloatArray, IntArray

_NAMES = {
    inspect.formatannotation(kind): name
    for kind, name in (
        (ArrayLike | None, "ArrayLike | None"),
        (ArrayLike, "ArrayLike"),
        (IntArray, "IntArray"),
        (FloatArray, "FloatArray"),
    )
}
_FOLDERS = re.compile(r"\b(?:[A-Za-z_]\w*\.)+(?=[A-Za-z_])")


class _Shown(str):
    """A text that prints without quotes."""

    __slots__ = ()
    __repr__ = str.__str__


def shortened(annotation: Any) -> str:
    """The annotation in print, without the modules of its types.

    >>> from fractions import Fraction
    >>> shortened(dict[str, Fraction | None]), shortened(IntArray)
    ('dict[str, Fraction | None]', 'IntArray')
    """
    if isinstance(annotation, str):
        return annotation
    text = inspect.formatannotation(annotation)
    for long, name in _NAMES.items():
        text = text.replace(long, name)
    return _FOLDERS.sub("", text)


def _shorten(function: Any, signed: Callable[..., Any]) -> None:
    """Give a function or class the signature of another, with short annotations."""
    try:
        signature = inspect.signature(signed)
        empty = inspect.Signature.empty
        parameters = [
            parameter.replace(
                annotation=parameter.annotation
                if parameter.annotation is empty
                else _Shown(shortened(parameter.annotation))
            )
            for parameter in signature.parameters.values()
        ]
        returned = signature.return_annotation
        function.__signature__ = signature.replace(
            parameters=parameters,
            return_annotation=returned if returned is empty else _Shown(shortened(returned)),
        )
    except (AttributeError, TypeError, ValueError):
        return  # not one of Python: it says what it says


def with_short_types(thing: Any) -> Any:
    """The class or function itself, whose signatures and those of its methods are short now."""
    if not inspect.isclass(thing):
        if inspect.isfunction(thing):
            _shorten(thing, thing)
        return thing
    if issubclass(thing, Enum):
        return thing
    for member in vars(thing).values():
        function = getattr(member, "__func__", member)
        function = member.fget if isinstance(member, property) else function
        if inspect.isfunction(function):
            _shorten(function, function)
    # A class that has members of a protocol checked must have no others.
    if not getattr(thing, "_is_protocol", False) and "__signature__" not in vars(thing):
        _shorten(thing, thing)
    return thing
