"""Columns of whatever table somebody has: polars, pandas, a mapping, an array, a list of rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from theory.model import InputError


def columns_of(table: Any, **names: str) -> dict[str, Any]:
    """The columns of a table by what they are for.

    Parameters
    ----------
    table : polars or pandas DataFrame, mapping, array or sequence
        A frame or a mapping of columns; a sequence of mappings; or a sequence of rows, or a 2-D
        array, whose columns stand in the order of ``names``.
    **names : str
        What each is for, and its name in the table.

    Raises
    ------
    InputError
        If a column is missing, or the table is none.

    Examples
    --------
    >>> columns_of({"s": [3, 4], "o": [1, 2]}, prefill="s", decode="o")
    {'prefill': [3, 4], 'decode': [1, 2]}
    >>> columns_of([(3, 1), (4, 2)], prefill="s", decode="o")
    {'prefill': (3, 4), 'decode': (1, 2)}
    """
    if isinstance(table, Mapping) or hasattr(table, "columns"):
        known = list(table) if isinstance(table, Mapping) else [str(c) for c in table.columns]
        missing = [name for name in names.values() if name not in known]
        if missing:
            raise InputError(
                f"the table has no column {', '.join(map(repr, missing))}; it has: "
                f"{', '.join(map(str, known)) or 'none'}"
            )
        return {what: table[name] for what, name in names.items()}
    rows = table.tolist() if isinstance(table, np.ndarray) else list(table)
    if rows and all(isinstance(row, Mapping) for row in rows):
        for name in names.values():
            if any(name not in row for row in rows):
                raise InputError(f"not every row of the table has {name!r}")
        return {what: [row[name] for row in rows] for what, name in names.items()}
    if any(not isinstance(row, list | tuple) or len(row) != len(names) for row in rows):
        raise InputError(f"every row must have {len(names)} entries: {', '.join(names.values())}")
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    return dict(zip(names, columns, strict=True))
