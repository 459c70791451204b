"""Results that show themselves: as text, as HTML in a notebook, as a picture, as data.

A result names its facts once (:meth:`Shown.facts`); the rest follows.  Fractions are shown as
numbers with the exact value beside, or at hand by ``to_dict(exact=True)``.
"""

from collections.abc import Mapping
from fractions import Fraction
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import polars
    from matplotlib.axes import Axes

# A fraction of so many digits is exact at hand, and only a number in print.
LONG = 24


def as_data(value: Any, *, exact: bool = False) -> Any:
    """The same value in the types of JSON; fractions as numbers, or as ``"p/q"`` if exact.

    >>> as_data({"share": Fraction(1, 4), "loads": np.arange(2)})
    {'share': 0.25, 'loads': [0, 1]}
    >>> as_data(Fraction(1, 3), exact=True)
    '1/3'
    """
    if isinstance(value, Fraction):
        if value.denominator == 1:
            return int(value)
        return f"{value.numerator}/{value.denominator}" if exact else float(value)
    if isinstance(value, np.generic | np.ndarray):
        return as_data(value.tolist(), exact=exact)
    if isinstance(value, Shown):
        return value.to_dict(exact=exact)
    if isinstance(value, Mapping):
        return {str(key): as_data(entry, exact=exact) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_data(entry, exact=exact) for entry in value]
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)


def as_text(value: Any) -> str:
    """A value in print: few digits, and the exact fraction beside where it is short.

    >>> as_text(Fraction(2, 7)), as_text(0.123456789), as_text(12_345_678), as_text(None)
    ('0.285714 (2/7)', '0.123457', '12,345,678', 'none')
    """
    if isinstance(value, Fraction) and value.denominator != 1:
        exact = f"{value.numerator}/{value.denominator}"
        return f"{float(value):.6g}" + (f" ({exact})" if len(exact) <= LONG else "")
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer | Fraction):
        return f"{int(value):,}"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {as_text(entry)}" for key, entry in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(as_text, value))
    return str(value)


class Shown:
    """What a result can do once it has named its facts."""

    __slots__ = ()

    def facts(self) -> dict[str, Any]:
        """The numbers by name, with the unit in the name: ``time_s``; exact where they are."""
        raise NotImplementedError

    def summary(self) -> str:
        """A line for each fact, aligned."""
        lines = {name.replace("_", " "): as_text(value) for name, value in self.facts().items()}
        width = max(map(len, lines), default=0)
        return "\n".join(f"{name:<{width}}  {text}" for name, text in lines.items())

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(name.replace('_', ' '))}</th>"
            f"<td style='text-align:left'>{escape(as_text(value))}</td></tr>"
            for name, value in self.facts().items()
        )
        return f"<table><caption>{type(self).__name__}</caption>{rows}</table>"

    def to_dict(self, *, exact: bool = False) -> dict[str, Any]:
        """The facts in the types of JSON.

        Parameters
        ----------
        exact : bool
            Fractions as ``"p/q"`` rather than as numbers.
        """
        data: dict[str, Any] = as_data(self.facts(), exact=exact)
        return data

    def to_polars(self) -> "polars.DataFrame":
        """The facts as a table of one row; what is no number is text."""
        import polars

        flat = {
            name: value if value is None or isinstance(value, bool | int | float) else str(value)
            for name, value in self.to_dict().items()
        }
        return polars.DataFrame([flat])

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """A picture on the given axes, or on new ones, which are returned."""
        raise NotImplementedError


def axes(ax: "Axes | None") -> "Axes":
    """The axes that are given, or new ones."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    made: Axes = plt.subplots(layout="constrained")[1]
    return made
